//! The OpenAI-compatible Chat Completions format, as a codec: values to bytes and bytes to values, no network.
//!
//! OpenAI, Anthropic, Gemini, xAI, Mistral, DeepSeek, OpenRouter, Groq, Together, LiteLLM, vLLM and llama.cpp
//! all speak it, each a little differently. What differs in requests is data ([`Dialect`]); what differs in
//! replies is read tolerantly, but for one thing: how the reply ended is never guessed in the model's favour.

mod decode;
mod failure;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::prompt::{Message, Prompt};

pub use decode::{decode, decode_model_list};

/// How a server wants its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// How it is told the shape of the answer.
    pub structured_output: StructuredOutput,
    /// How it is told the most tokens to write.
    pub max_tokens_field: MaxTokensField,
    /// Whether it is told not to keep the conversation.
    pub store_field: StoreField,
    /// Whether it is told a temperature.
    pub temperature: TemperatureField,
}

/// How a server is told the shape of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StructuredOutput {
    /// `response_format: {type: json_schema, …, strict: true}`.
    JsonSchema,
    /// `response_format: {type: json_object}`; the schema is only in the instructions.
    JsonObject,
    /// Not at all; the schema is only in the instructions.
    None,
}

/// The field that limits the output. OpenAI's reasoning models refuse the old one, many others do not know the
/// new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxTokensField {
    /// `max_tokens`.
    MaxTokens,
    /// `max_completion_tokens`.
    MaxCompletionTokens,
}

/// Whether `store: false` is sent. OpenAI asks for it to be explicit; other servers may refuse a field that they
/// do not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreField {
    /// `store: false`.
    False,
    /// The field is left out.
    Absent,
}

/// Whether a prompt's temperature is sent. OpenAI's reasoning models take none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemperatureField {
    /// `temperature`, where the prompt has one.
    Sent,
    /// The field is left out.
    Absent,
}

/// Writes a request.
pub fn encode(prompt: &Prompt, model: &str, dialect: &Dialect) -> Bytes {
    let mut messages = Vec::with_capacity(prompt.messages.len() + 1);
    if !prompt.system.is_empty() {
        messages.push(json!({"role": "system", "content": prompt.system}));
    }
    messages.extend(prompt.messages.iter().map(encode_message));
    let mut body = json!({"model": model, "messages": messages, "stream": false});
    match dialect.max_tokens_field {
        MaxTokensField::MaxTokens => body["max_tokens"] = prompt.max_output_tokens.into(),
        MaxTokensField::MaxCompletionTokens => {
            body["max_completion_tokens"] = prompt.max_output_tokens.into();
        }
    }
    match dialect.store_field {
        StoreField::False => body["store"] = Value::Bool(false),
        StoreField::Absent => {}
    }
    match (dialect.temperature, prompt.temperature) {
        (TemperatureField::Sent, Some(temperature)) => body["temperature"] = temperature.into(),
        (TemperatureField::Sent, None) | (TemperatureField::Absent, _) => {}
    }
    if !prompt.tools.is_empty() {
        let tools = prompt.tools.iter().map(|tool| {
            json!({"type": "function", "function": {
                "name": tool.name, "description": tool.description, "parameters": tool.parameters,
            }})
        });
        body["tools"] = tools.collect();
    }
    match (dialect.structured_output, &prompt.answer) {
        (StructuredOutput::JsonSchema, Some(answer)) => {
            body["response_format"] = json!({"type": "json_schema", "json_schema": {
                "name": answer.name, "strict": true, "schema": answer.schema,
            }});
        }
        (StructuredOutput::JsonObject, Some(_)) => {
            body["response_format"] = json!({"type": "json_object"});
        }
        (StructuredOutput::None, Some(_)) | (_, None) => {}
    }
    serde_json::to_vec(&body).expect("a JSON value can always be written").into()
}

fn encode_message(message: &Message) -> Value {
    match message {
        Message::User(text) => json!({"role": "user", "content": text}),
        Message::Assistant { text, tool_calls } if tool_calls.is_empty() => {
            json!({"role": "assistant", "content": text})
        }
        Message::Assistant { text, tool_calls } => {
            let calls: Vec<_> = tool_calls
                .iter()
                .map(|call| {
                    json!({"id": call.id, "type": "function", "function": {
                        "name": call.name, "arguments": call.arguments,
                    }})
                })
                .collect();
            // Some servers refuse an empty text beside tool calls.
            let content = if text.is_empty() { Value::Null } else { Value::from(text.as_str()) };
            json!({"role": "assistant", "content": content, "tool_calls": calls})
        }
        Message::ToolResult { call_id, content } => {
            json!({"role": "tool", "tool_call_id": call_id, "content": content})
        }
    }
}
