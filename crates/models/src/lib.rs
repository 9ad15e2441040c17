//! The models' side of the wire: one trait, one file a wire format, retries, limits and prices. No disk, but for the
//! empty temporary folder in which [`command`] runs an operator's own program.
//!
//! [`Prompt`] goes in and [`Reply`] or [`ModelError`] comes out; the providers' JSON does not leave this crate.
//! Nothing here logs a key, a prompt or a reply, and no error holds one: see [`error`].
//!
//! A reviewer that was refused or cut off is a [`Reply`] whose [`Finish`] says so, since it was paid for and
//! can be shown. An error means that there is no reply at all.

pub mod catalogue;
pub mod circuit;
pub mod command;
pub mod dialect;
pub mod endpoint;
pub mod error;
mod events;
pub mod http;
pub mod pace;
pub mod prompt;
pub mod remote;
pub mod reply;
pub mod retry;
#[cfg(test)]
mod testing;
pub mod traffic;
pub mod wire;

pub use catalogue::{Catalogue, ModelEntry, Provider};
pub use command::{CommandLine, CommandModel};
pub use dialect::{
    Delivery, Dialect, MaxTokensField, PromptCacheField, StoreField, StructuredOutput, TemperatureField,
};
pub use endpoint::{BaseUrl, Endpoint, PlainHttp};
pub use error::{ModelError, Phase};
pub use http::{HttpClient, Limits, Proxy};
pub use pace::PaceLimits;
pub use prompt::{AnswerSchema, Message, Prompt, ToolSpec};
pub use remote::{RemoteModel, list_models};
pub use reply::{Content, Finish, Reply, ToolCall};
pub use retry::{Asked, RetryPolicy, ask_with_retries};
pub use review::engine::{Price, Rates, Usage};
pub use traffic::Traffic;
pub use wire::Wire;

use async_trait::async_trait;

/// Something that answers a prompt.
#[async_trait]
pub trait Model: Send + Sync {
    /// Asks once. Retries, budgets and fallbacks are functions around this one.
    async fn ask(&self, prompt: &Prompt) -> Result<Reply, ModelError>;
}
