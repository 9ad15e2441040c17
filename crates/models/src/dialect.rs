//! What differs between servers that speak one format, as data. It comes from the catalogue and the operator.

use serde::Deserialize;

/// How a server wants its requests. A format that has one way only does not look at the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// How it is told the shape of the answer.
    pub structured_output: StructuredOutput,
    /// How it is told the most tokens to write; Chat Completions only.
    pub max_tokens_field: MaxTokensField,
    /// Whether it is told not to keep the conversation; Chat Completions only.
    pub store_field: StoreField,
    /// Whether it is told a temperature.
    pub temperature: TemperatureField,
    /// Whether it is told which part of a prompt others share; OpenAI's formats only.
    pub prompt_cache: PromptCacheField,
    /// Whether the reply comes as it is written or when it is done.
    pub delivery: Delivery,
}

/// How a server is told the shape of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StructuredOutput {
    /// By the schema itself, in the format's own field.
    JsonSchema,
    /// By asking for some JSON object; the schema is only in the instructions.
    JsonObject,
    /// Not at all; the schema is only in the instructions.
    None,
}

/// The field that limits the output. OpenAI's reasoning models refuse the old one, many others do not know the
/// new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxTokensField {
    /// `max_tokens`.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`.
    MaxCompletionTokens,
}

/// Whether `store: false` is sent. OpenAI asks for it to be explicit; other servers may refuse a field that they
/// do not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreField {
    /// `store: false`.
    False,
    /// The field is left out.
    #[default]
    Absent,
}

/// Whether a prompt's temperature is sent. OpenAI's reasoning models take none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemperatureField {
    /// `temperature`, where the prompt has one.
    #[default]
    Sent,
    /// The field is left out.
    Absent,
}

/// Whether `prompt_cache_key` and a `prompt_cache_breakpoint` are sent where a prompt says what others share.
/// OpenAI has them (models before gpt-5.6 only the key); other servers of its formats may refuse them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptCacheField {
    /// Both.
    Sent,
    /// Neither.
    #[default]
    Absent,
}

/// Whether a reply comes as it is written or when it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// In one piece. Every server can; it is silent until then.
    #[default]
    Whole,
    /// As server-sent events. A connection that died is noticed by its silence.
    Events,
}
