//! The formats on the wire: a closed list, and one file each. Codecs only: values to bytes and bytes to values, no
//! network.
//!
//! A format is a `Codec`, a table of functions. `Wire::codec` is the one place that tells formats apart.

mod anthropic;
mod body;
mod failure;
mod gemini;
mod openai_chat;
mod responses;

use std::borrow::Cow;
use std::collections::BTreeSet;

use bytes::Bytes;
use reqwest::Url;
use reqwest::header::HeaderMap;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use crate::dialect::{Delivery, Dialect};
use crate::endpoint::{BaseUrl, Version};
use crate::error::{ModelError, Secrets};
use crate::http::Exchange;
use crate::prompt::Prompt;
use crate::reply::Reply;

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wire {
    /// Chat Completions, as OpenAI began it and most others follow.
    OpenaiChat,
    /// OpenAI's Responses.
    OpenaiResponses,
    /// Anthropic's Messages.
    Anthropic,
    /// Google's generateContent.
    Gemini,
}

/// What a format is, as functions.
struct Codec {
    /// The version in its addresses.
    version: Version,
    /// Where a model is asked, below base URL and version.
    address: fn(model: &str, delivery: Delivery) -> Address,
    /// Where the models are listed.
    list: Address,
    /// The headers of a request, the key among them.
    headers: fn(Option<&SecretString>) -> Result<HeaderMap, ModelError>,
    /// Writes a request.
    encode: fn(&Prompt, model: &str, &Dialect) -> Value,
    /// Reads what came back.
    decode: fn(&Exchange, &Secrets<'_>) -> Result<Reply, ModelError>,
    /// Reads a list of models.
    decode_list: fn(&Exchange, &Secrets<'_>) -> Result<BTreeSet<String>, ModelError>,
}

/// A path and what may follow its question mark.
pub(crate) struct Address {
    pub(crate) path: Cow<'static, str>,
    pub(crate) query: Option<&'static str>,
}

impl Address {
    const fn fixed(path: &'static str) -> Self {
        Self { path: Cow::Borrowed(path), query: None }
    }
}

impl Wire {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::OpenaiChat, Self::OpenaiResponses, Self::Anthropic, Self::Gemini];

    /// Its name in configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenaiChat => "openai-chat",
            Self::OpenaiResponses => "openai-responses",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }

    fn codec(self) -> &'static Codec {
        match self {
            Self::OpenaiChat => &openai_chat::CODEC,
            Self::OpenaiResponses => &responses::CODEC,
            Self::Anthropic => &anthropic::CODEC,
            Self::Gemini => &gemini::CODEC,
        }
    }

    /// The address at which a model is asked.
    pub fn url(self, base: &BaseUrl, model: &str, delivery: Delivery) -> Url {
        let codec = self.codec();
        base.address(&codec.version, &(codec.address)(model, delivery))
    }

    /// The address at which the models are listed.
    pub fn list_url(self, base: &BaseUrl) -> Url {
        let codec = self.codec();
        base.address(&codec.version, &codec.list)
    }

    /// The headers of a request, the key among them.
    ///
    /// # Errors
    /// A key that no header can carry.
    pub fn headers(self, key: Option<&SecretString>) -> Result<HeaderMap, ModelError> {
        (self.codec().headers)(key)
    }

    /// Writes a request. The same prompt always gives the same bytes.
    pub fn encode(self, prompt: &Prompt, model: &str, dialect: &Dialect) -> Bytes {
        let body = (self.codec().encode)(prompt, model, dialect);
        serde_json::to_vec(&body).expect("a JSON value can always be written").into()
    }

    /// Reads what a server answered to a request, whole or as events.
    ///
    /// # Errors
    /// Everything that is not a reply in this format.
    pub fn decode(self, exchange: &Exchange, secrets: &Secrets<'_>) -> Result<Reply, ModelError> {
        (self.codec().decode)(exchange, secrets)
    }

    /// Reads the names of a server's models.
    ///
    /// # Errors
    /// Everything that is not a list in this format.
    pub fn decode_model_list(
        self,
        exchange: &Exchange,
        secrets: &Secrets<'_>,
    ) -> Result<BTreeSet<String>, ModelError> {
        (self.codec().decode_list)(exchange, secrets)
    }
}
