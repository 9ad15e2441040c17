//! Anthropic's Messages format.
//!
//! What several calls share is marked for the cache, which costs a quarter more to write and a tenth to read: only
//! where a prompt says that somebody will read it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use reqwest::header::{HeaderMap, HeaderValue};
use review::engine::Usage;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::{Found, name, read_reply, read_whole, refused};
use super::{Address, Codec};
use crate::dialect::{Delivery, Dialect, StructuredOutput, TemperatureField};
use crate::endpoint::Version;
use crate::error::{ModelError, Secrets};
use crate::events::{Events, interrupted};
use crate::http::{Exchange, key_header};
use crate::prompt::{Message, Prompt};
use crate::reply::{Finish, Reply, ToolCall};

/// The version of the API that this file speaks; there is no later one.
const API_VERSION: &str = "2023-06-01";

/// The format.
pub(super) static CODEC: Codec = Codec {
    // Its own client takes an address without the version.
    version: Version::UnlessThere("v1"),
    address: |_, _| Address::fixed("messages"),
    // A thousand is the longest page, and more than there are.
    list: Address { path: Cow::Borrowed("models"), query: Some("limit=1000") },
    headers,
    encode,
    decode,
    decode_list,
};

fn headers(key: Option<&SecretString>) -> Result<HeaderMap, ModelError> {
    let mut headers = key_header("x-api-key", "", key)?;
    headers.insert("anthropic-version", HeaderValue::from_static(API_VERSION));
    Ok(headers)
}

fn encode(prompt: &Prompt, model: &str, dialect: &Dialect) -> Value {
    let mut messages: Vec<Value> = Vec::with_capacity(prompt.messages.len());
    for message in &prompt.messages {
        let (role, blocks) = encode_message(message);
        match messages.last_mut() {
            // Results of tools that were asked for together have to come together.
            Some(last) if last["role"] == role => {
                last["content"].as_array_mut().expect("we made it an array").extend(blocks);
            }
            Some(_) | None => messages.push(json!({"role": role, "content": blocks})),
        }
    }
    let mut system = text_block(&prompt.system);
    match prompt.shared_and_own() {
        Some((shared, own)) if !shared.is_empty() => {
            // The first message may have grown by what follows it.
            let rest = messages[0]["content"].as_array().expect("we made it an array")[1..].to_vec();
            let own = (!own.is_empty()).then(|| text_block(own));
            let blocks = [marked(text_block(shared))].into_iter().chain(own).chain(rest);
            messages[0]["content"] = blocks.collect();
        }
        // Only the instructions are shared.
        Some(_) => system = marked(system),
        None => {}
    }
    let mut body = json!({"model": model, "max_tokens": prompt.max_output_tokens, "messages": messages,
        "stream": dialect.delivery == Delivery::Events});
    if !prompt.system.is_empty() {
        body["system"] = json!([system]);
    }
    match (dialect.temperature, prompt.temperature) {
        (TemperatureField::Sent, Some(temperature)) => body["temperature"] = temperature.into(),
        (TemperatureField::Sent, None) | (TemperatureField::Absent, _) => {}
    }
    if !prompt.tools.is_empty() {
        let tools = prompt.tools.iter().map(|tool| {
            json!({"name": tool.name, "description": tool.description, "input_schema": tool.parameters})
        });
        body["tools"] = tools.collect();
    }
    match (dialect.structured_output, &prompt.answer) {
        (StructuredOutput::JsonSchema, Some(answer)) => {
            body["output_config"] = json!({"format": {"type": "json_schema", "schema": answer.schema}});
        }
        // This format has no other way to ask for JSON.
        (StructuredOutput::JsonObject | StructuredOutput::None, Some(_)) | (_, None) => {}
    }
    body
}

fn text_block(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

/// Asks for everything up to and with this block to be kept for the next calls, for five minutes.
fn marked(mut block: Value) -> Value {
    block["cache_control"] = json!({"type": "ephemeral"});
    block
}

fn encode_message(message: &Message) -> (&'static str, Vec<Value>) {
    match message {
        Message::User(text) => ("user", vec![text_block(text)]),
        Message::Assistant { text, tool_calls } => {
            // An empty block of text is refused.
            let said = (!text.is_empty()).then(|| text_block(text));
            let calls = tool_calls.iter().map(|call| {
                // It has to be an object; what the model wrote may be none.
                let input: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
                let input = if input.is_object() { input } else { json!({}) };
                json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input})
            });
            ("assistant", said.into_iter().chain(calls).collect())
        }
        Message::ToolResult { call_id, content } => {
            ("user", vec![json!({"type": "tool_result", "tool_use_id": call_id, "content": content})])
        }
    }
}

#[derive(Deserialize)]
struct Envelope {
    id: Option<String>,
    model: Option<String>,
    content: Vec<Value>,
    stop_reason: Option<String>,
    stop_details: Option<StopDetails>,
    usage: Option<Value>,
}

#[derive(Deserialize)]
struct StopDetails {
    category: Option<String>,
    explanation: Option<String>,
}

fn decode(exchange: &Exchange, secrets: &Secrets<'_>) -> Result<Reply, ModelError> {
    let envelope: Envelope = read_reply(exchange, secrets, assemble)?;
    let (mut text, mut calls) = (String::new(), Vec::new());
    for block in &envelope.content {
        match block["type"].as_str() {
            Some("text") => text.push_str(block["text"].as_str().unwrap_or_default()),
            Some("tool_use") => calls.push(tool_call(block)),
            // Thinking, and blocks of tools that nobody offered.
            Some(_) | None => {}
        }
    }
    let found = Found {
        text: text.trim().to_owned(),
        finish: finish(envelope.stop_reason.as_deref(), envelope.stop_details.as_ref(), !calls.is_empty()),
        calls,
        usage: envelope.usage.as_ref().and_then(usage),
        served_model: envelope.model,
        id: envelope.id,
    };
    Ok(found.into_reply(exchange))
}

/// Puts the events of a stream together as the reply would have come in one piece.
fn assemble(events: Events) -> Result<Value, ModelError> {
    let mut reply = Value::Null;
    let mut blocks: BTreeMap<u64, Value> = BTreeMap::new();
    for mut event in events.data {
        let index = event["index"].as_u64().unwrap_or(0);
        match event["type"].as_str() {
            Some("message_start") => reply = event["message"].take(),
            Some("content_block_start") => {
                let mut block = event["content_block"].take();
                if block["type"] == "tool_use" {
                    // It comes in pieces of text, of which this empty object is none.
                    block["input"] = Value::String(String::new());
                }
                blocks.insert(index, block);
            }
            Some("content_block_delta") => {
                let Some(block) = blocks.get_mut(&index) else { continue };
                let delta = &event["delta"];
                for (field, piece) in [("text", "text"), ("input", "partial_json")] {
                    if let (Some(Value::String(begun)), Some(more)) =
                        (block.get_mut(field), delta[piece].as_str())
                    {
                        begun.push_str(more);
                    }
                }
            }
            Some("message_delta") if reply.is_object() => {
                for field in ["stop_reason", "stop_details"] {
                    if !event["delta"][field].is_null() {
                        reply[field] = event["delta"][field].take();
                    }
                }
                // Each number is the sum up to here.
                for (field, sum) in event["usage"].as_object().into_iter().flatten() {
                    if !sum.is_null() && (reply["usage"].is_object() || reply["usage"].is_null()) {
                        reply["usage"][field] = sum.clone();
                    }
                }
            }
            Some("message_stop") if reply.is_object() => {
                reply["content"] = blocks.into_values().collect();
                return Ok(reply);
            }
            // A ping, the end of a block, or an event to come.
            Some(_) | None => {}
        }
    }
    Err(interrupted("the stream ended before the event that ends it"))
}

fn tool_call(block: &Value) -> ToolCall {
    let text = |field: &str| block[field].as_str().unwrap_or_default().to_owned();
    let arguments = match &block["input"] {
        Value::String(pieces) => pieces.clone(),
        Value::Null => String::new(),
        input => input.to_string(),
    };
    ToolCall { id: text("id"), name: text("name"), arguments, signature: None }
}

fn finish(reason: Option<&str>, details: Option<&StopDetails>, has_calls: bool) -> Finish {
    match reason {
        Some("tool_use" | "end_turn") if has_calls => Finish::ToolCalls,
        Some("end_turn" | "stop_sequence") => Finish::Complete,
        Some("max_tokens" | "model_context_window_exceeded") => Finish::Truncated,
        Some("refusal") => {
            let category = details.and_then(|details| details.category.as_deref());
            let words = details.and_then(|details| details.explanation.as_deref());
            match (category, words) {
                (Some(category), Some(words)) => refused(&format!("{category}: {words}")),
                (Some(word), None) | (None, Some(word)) => refused(word),
                (None, None) => refused("refusal"),
            }
        }
        // `pause_turn`, a call that is not there, or a word to come.
        reason => Finish::Unknown(reason.and_then(name).unwrap_or_else(|| "none".to_owned())),
    }
}

/// Reads what was used; `None` where input or output are missing or make no sense. This format counts what the
/// cache gave and took beside the input.
fn usage(usage: &Value) -> Option<Usage> {
    let number = |pointer: &str| usage.pointer(pointer).and_then(Value::as_u64);
    let cached_input = number("/cache_read_input_tokens").unwrap_or(0);
    let cache_write = number("/cache_creation_input_tokens").unwrap_or(0);
    Some(Usage {
        input: number("/input_tokens")?.saturating_add(cached_input).saturating_add(cache_write),
        cached_input,
        cache_write,
        output: number("/output_tokens")?,
        reasoning: number("/output_tokens_details/thinking_tokens").unwrap_or(0),
    })
}

fn decode_list(exchange: &Exchange, secrets: &Secrets<'_>) -> Result<BTreeSet<String>, ModelError> {
    #[derive(Deserialize)]
    struct List {
        data: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        id: String,
    }
    let list: List = read_whole(exchange, secrets)?;
    Ok(list.data.iter().filter_map(|entry| name(&entry.id)).collect())
}
