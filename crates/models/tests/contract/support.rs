//! What the tests of all formats share.

use std::collections::BTreeSet;

use bytes::Bytes;
use models::error::{Feature, Persistence, Secrets};
use models::http::Exchange;
use models::{
    AnswerSchema, Delivery, Dialect, MaxTokensField, Message, ModelError, Prompt, PromptCacheField, Reply,
    StoreField, StructuredOutput, TemperatureField, Wire,
};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

/// What the models in the recorded bodies answer.
pub(crate) const ANSWER: &str = r#"{"findings":[],"examined":"src/a.rs"}"#;

/// Everything that a dialect can have.
pub(crate) const DIALECT: Dialect = Dialect {
    structured_output: StructuredOutput::JsonSchema,
    max_tokens_field: MaxTokensField::MaxTokens,
    store_field: StoreField::False,
    temperature: TemperatureField::Sent,
    prompt_cache: PromptCacheField::Sent,
    delivery: Delivery::Events,
};

/// Nothing that a dialect can go without.
pub(crate) const PLAIN: Dialect = Dialect {
    structured_output: StructuredOutput::None,
    max_tokens_field: MaxTokensField::MaxTokens,
    store_field: StoreField::Absent,
    temperature: TemperatureField::Absent,
    prompt_cache: PromptCacheField::Absent,
    delivery: Delivery::Whole,
};

/// A recorded body: `tests/data/FORMAT/NAME`.
pub(crate) fn data(format: &str, name: &str) -> Vec<u8> {
    let name = if name.contains('.') { name.to_owned() } else { format!("{name}.json") };
    let path = format!("{}/tests/data/{format}/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("could not read {path}: {error}"))
}

pub(crate) fn exchange(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Exchange {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap()))
        .collect();
    Exchange {
        request: Bytes::from_static(b"{\"model\":\"sol\"}"),
        status,
        headers,
        body: body.into(),
        elapsed_ms: 7,
    }
}

pub(crate) fn read(wire: Wire, exchange: &Exchange) -> Result<Reply, ModelError> {
    wire.decode(exchange, &Secrets { request: &exchange.request, model: "sol", key: None })
}

pub(crate) fn error(wire: Wire, exchange: &Exchange) -> ModelError {
    match read(wire, exchange) {
        Ok(_) => panic!("there is a reply"),
        Err(error) => error,
    }
}

pub(crate) fn list(wire: Wire, exchange: &Exchange) -> Result<BTreeSet<String>, ModelError> {
    wire.decode_model_list(exchange, &Secrets { request: b"", model: "", key: None })
}

/// A prompt with one of everything but tools.
pub(crate) fn prompt(user: &str) -> Prompt {
    Prompt {
        system: "You review.".to_owned(),
        messages: vec![Message::User(user.to_owned())],
        cache_prefix: None,
        tools: Vec::new(),
        answer: Some(AnswerSchema { name: "review".to_owned(), schema: json!({"type": "object"}) }),
        max_output_tokens: 4000,
        temperature: Some(0.2),
    }
}

pub(crate) fn encoded(wire: Wire, prompt: &Prompt, dialect: &Dialect) -> Value {
    serde_json::from_slice(&wire.encode(prompt, "sol", dialect)).unwrap()
}

/// What kind of error, as a word for tables.
pub(crate) fn class(error: &ModelError) -> String {
    match error {
        ModelError::RateLimited { retry_after, .. } => format!("rate limited {retry_after:?}"),
        ModelError::Overloaded { status, .. } => format!("overloaded {status}"),
        ModelError::Server { status, persistence: Persistence::Passing, .. } => format!("server {status}"),
        ModelError::Server { status, persistence: Persistence::Lasting, .. } => {
            format!("server {status} for good")
        }
        ModelError::Timeout { phase } => format!("timeout {phase:?}"),
        ModelError::Connect { .. } => "connect".to_owned(),
        ModelError::Interrupted { .. } => "interrupted".to_owned(),
        ModelError::CircuitOpen { .. } => "circuit open".to_owned(),
        ModelError::Moderated { status, .. } => format!("moderated {status}"),
        ModelError::Command { detail } => format!("command {detail}"),
        ModelError::Authentication { status, .. } => format!("authentication {status}"),
        ModelError::QuotaExhausted { .. } => "quota".to_owned(),
        ModelError::TooLong { prompt_tokens, context_tokens, .. } => {
            format!("too long {prompt_tokens:?} {context_tokens:?}")
        }
        ModelError::Unsupported { feature, .. } => match feature {
            Feature::StructuredOutput => "no schema".to_owned(),
            Feature::Temperature => "no temperature".to_owned(),
            Feature::Streaming => "no streaming".to_owned(),
            Feature::PromptCache => "no prompt cache".to_owned(),
        },
        ModelError::BadRequest { status, .. } => format!("bad request {status}"),
        ModelError::NotFound { .. } => "not found".to_owned(),
        ModelError::NotJson { .. } => "not json".to_owned(),
        ModelError::BodyTooLarge { .. } => "too large".to_owned(),
        ModelError::Protocol { .. } => "protocol".to_owned(),
        ModelError::Request { .. } => "request".to_owned(),
    }
}
