//! The OpenAI-compatible Chat Completions format.
//!
//! OpenAI, Anthropic, Gemini, xAI, Mistral, DeepSeek, OpenRouter, Groq, Together, LiteLLM, vLLM and llama.cpp
//! all speak it, each a little differently. What differs in requests is data ([`Dialect`]); what differs in
//! replies is read tolerantly, but for one thing: how the reply ended is never guessed in the model's favour.

mod decode;

use serde_json::{Value, json};

use super::{Address, Codec};
use crate::dialect::{
    Delivery, Dialect, MaxTokensField, PromptCacheField, StoreField, StructuredOutput, TemperatureField,
};
use crate::endpoint::Version;
use crate::http::bearer;
use crate::prompt::{Message, Prompt};

/// The format.
pub(super) static CODEC: Codec = Codec {
    // An address with a path is complete: these servers put the version anywhere in it.
    version: Version::IfBare("v1"),
    address: |_, _| Address::fixed("chat/completions"),
    list: Address::fixed("models"),
    headers: bearer,
    encode,
    decode: decode::decode,
    decode_list: decode::decode_model_list,
};

/// Reads the list of models that OpenAI's two formats share.
pub(super) use decode::decode_model_list;

fn encode(prompt: &Prompt, model: &str, dialect: &Dialect) -> Value {
    let mut messages = Vec::with_capacity(prompt.messages.len() + 1);
    if !prompt.system.is_empty() {
        messages.push(json!({"role": "system", "content": prompt.system}));
    }
    messages.extend(prompt.messages.iter().map(encode_message));
    let mut body = json!({"model": model, "messages": messages, "stream": false});
    match dialect.delivery {
        Delivery::Whole => {}
        Delivery::Events => {
            body["stream"] = Value::Bool(true);
            body["stream_options"] = json!({"include_usage": true});
        }
    }
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
    match (dialect.prompt_cache, prompt.shared_and_own()) {
        (PromptCacheField::Sent, Some((shared, own))) => {
            body["prompt_cache_key"] = prompt.cache_key().into();
            let first = usize::from(!prompt.system.is_empty());
            body["messages"][first]["content"] = marked(json!({"type": "text"}), shared, own);
        }
        (PromptCacheField::Sent, None) | (PromptCacheField::Absent, _) => {}
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
    body
}

/// A text in two parts of this shape, of which the first is marked as one that other calls begin with too.
pub(super) fn marked(shape: Value, shared: &str, own: &str) -> Value {
    let part = |text: &str| {
        let mut part = shape.clone();
        part["text"] = text.into();
        part
    };
    let mut parts: Vec<Value> = [shared, own].into_iter().filter(|text| !text.is_empty()).map(part).collect();
    if let Some(first) = parts.first_mut().filter(|_| !shared.is_empty()) {
        first["prompt_cache_breakpoint"] = json!({"mode": "explicit"});
    }
    parts.into()
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
