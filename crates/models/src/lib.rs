//! The models' side of the wire: one trait, one file a wire format, retries, limits and prices. No disk.
//!
//! [`Prompt`] goes in and [`Reply`] or [`ModelError`] comes out; the providers' JSON does not leave this crate.
//! Nothing here logs a key, a prompt or a reply, and no error holds one: see [`error`].
//!
//! A reviewer that was refused or cut off is a [`Reply`] whose [`Finish`] says so, since it was paid for and
//! can be shown. An error means that there is no reply at all.

pub mod catalogue;
pub mod chat;
pub mod endpoint;
pub mod error;
pub mod http;
pub mod openai_chat;
pub mod prompt;
pub mod reply;
pub mod retry;

pub use catalogue::{Catalogue, ModelEntry, Provider};
pub use chat::{ChatModel, list_models};
pub use endpoint::{BaseUrl, Endpoint, PlainHttp};
pub use error::{ModelError, Phase};
pub use http::{HttpClient, Limits, Proxy};
pub use openai_chat::{Dialect, MaxTokensField, StoreField, StructuredOutput, TemperatureField};
pub use prompt::{AnswerSchema, Message, Prompt, ToolSpec};
pub use reply::{Content, Finish, Reply, ToolCall};
pub use retry::{Asked, RetryPolicy, ask_with_retries};
pub use review::engine::{Price, Rates, Usage};

use async_trait::async_trait;

/// Something that answers a prompt.
#[async_trait]
pub trait Model: Send + Sync {
    /// Asks once. Retries, budgets and fallbacks are functions around this one.
    async fn ask(&self, prompt: &Prompt) -> Result<Reply, ModelError>;
}
