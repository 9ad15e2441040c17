//! OpenAI's Responses format.
//!
//! It says how a reply ended in a status of its own, and the last event of a stream repeats the whole reply. Reasoning
//! is left out of the conversation that is sent back: we ask for nothing to be stored, and send no ids of items.

use review::engine::Usage;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::{Found, name, read_reply, refused};
use super::openai_chat::{decode_model_list, marked};
use super::{Address, Codec};
use crate::dialect::{Delivery, Dialect, PromptCacheField, StructuredOutput, TemperatureField};
use crate::endpoint::Version;
use crate::error::{ModelError, Secrets};
use crate::events::{Events, interrupted};
use crate::http::{Exchange, bearer};
use crate::prompt::{Message, Prompt};
use crate::reply::{Finish, Reply, ToolCall};

/// The format.
pub(super) static CODEC: Codec = Codec {
    version: Version::IfBare("v1"),
    address: |_, _| Address::fixed("responses"),
    list: Address::fixed("models"),
    headers: bearer,
    encode,
    decode,
    decode_list: decode_model_list,
};

fn encode(prompt: &Prompt, model: &str, dialect: &Dialect) -> Value {
    let input: Vec<Value> = prompt.messages.iter().flat_map(encode_message).collect();
    // Without `store: false` the conversation is kept for the account's dashboard.
    let mut body = json!({"model": model, "input": input, "store": false,
        "stream": dialect.delivery == Delivery::Events, "max_output_tokens": prompt.max_output_tokens});
    if !prompt.system.is_empty() {
        body["instructions"] = prompt.system.as_str().into();
    }
    match (dialect.temperature, prompt.temperature) {
        (TemperatureField::Sent, Some(temperature)) => body["temperature"] = temperature.into(),
        (TemperatureField::Sent, None) | (TemperatureField::Absent, _) => {}
    }
    match (dialect.prompt_cache, prompt.shared_and_own()) {
        (PromptCacheField::Sent, Some((shared, own))) => {
            body["prompt_cache_key"] = prompt.cache_key().into();
            body["input"][0]["content"] = marked(json!({"type": "input_text"}), shared, own);
        }
        (PromptCacheField::Sent, None) | (PromptCacheField::Absent, _) => {}
    }
    if !prompt.tools.is_empty() {
        // Here, unlike in Chat Completions, strict is the default, and not every schema can be.
        let tools = prompt.tools.iter().map(|tool| {
            json!({"type": "function", "name": tool.name, "description": tool.description,
                "parameters": tool.parameters, "strict": false})
        });
        body["tools"] = tools.collect();
    }
    match (dialect.structured_output, &prompt.answer) {
        (StructuredOutput::JsonSchema, Some(answer)) => {
            body["text"] = json!({"format": {"type": "json_schema", "name": answer.name, "strict": true,
                "schema": answer.schema}});
        }
        (StructuredOutput::JsonObject, Some(_)) => body["text"] = json!({"format": {"type": "json_object"}}),
        (StructuredOutput::None, Some(_)) | (_, None) => {}
    }
    body
}

fn encode_message(message: &Message) -> Vec<Value> {
    match message {
        Message::User(text) => vec![json!({"role": "user", "content": text})],
        Message::Assistant { text, tool_calls } => {
            let said = (!text.is_empty()).then(|| json!({"role": "assistant", "content": text}));
            let calls = tool_calls.iter().map(|call| {
                json!({"type": "function_call", "call_id": call.id, "name": call.name,
                    "arguments": call.arguments})
            });
            said.into_iter().chain(calls).collect()
        }
        Message::ToolResult { call_id, content } => {
            vec![json!({"type": "function_call_output", "call_id": call_id, "output": content})]
        }
    }
}

#[derive(Deserialize)]
struct Envelope {
    id: Option<String>,
    model: Option<String>,
    status: Option<String>,
    output: Vec<Value>,
    usage: Option<Value>,
    incomplete_details: Option<IncompleteDetails>,
}

#[derive(Deserialize)]
struct IncompleteDetails {
    reason: Option<String>,
}

fn decode(exchange: &Exchange, secrets: &Secrets<'_>) -> Result<Reply, ModelError> {
    let envelope: Envelope = read_reply(exchange, secrets, assemble)?;
    let (mut text, mut refusal, mut calls) = (String::new(), String::new(), Vec::new());
    for item in &envelope.output {
        match item["type"].as_str() {
            // What the model tells on its way is not its answer.
            Some("message") if item["phase"] != "commentary" => {
                for part in item["content"].as_array().into_iter().flatten() {
                    match part["type"].as_str() {
                        Some("output_text") => text.push_str(part["text"].as_str().unwrap_or_default()),
                        Some("refusal") => refusal.push_str(part["refusal"].as_str().unwrap_or_default()),
                        // A kind of content that nobody asked for.
                        Some(_) | None => {}
                    }
                }
            }
            Some("function_call") => calls.push(tool_call(item)),
            // Reasoning, and items of tools that nobody offered.
            Some(_) | None => {}
        }
    }
    let reason = envelope.incomplete_details.and_then(|details| details.reason);
    let finish = if refusal.trim().is_empty() {
        finish(envelope.status.as_deref(), reason.as_deref(), !calls.is_empty())
    } else {
        refused(&refusal)
    };
    let found = Found {
        text: text.trim().to_owned(),
        calls,
        finish,
        usage: envelope.usage.as_ref().and_then(usage),
        served_model: envelope.model,
        id: envelope.id,
    };
    Ok(found.into_reply(exchange))
}

/// The reply that a stream's last event repeats. Items that it leaves out are taken from their own events.
fn assemble(events: Events) -> Result<Value, ModelError> {
    let mut items = Vec::new();
    for mut event in events.data {
        match event["type"].as_str() {
            Some("response.output_item.done") => items.push(event["item"].take()),
            Some("response.completed" | "response.incomplete" | "response.failed") => {
                let mut reply = event["response"].take();
                if reply["output"].as_array().is_none_or(Vec::is_empty) && reply.is_object() {
                    reply["output"] = items.into();
                }
                return Ok(reply);
            }
            // The pieces that the items consist of.
            Some(_) | None => {}
        }
    }
    Err(interrupted("the stream ended before the event that ends it"))
}

fn tool_call(item: &Value) -> ToolCall {
    let text = |field: &str| item[field].as_str().unwrap_or_default().to_owned();
    ToolCall { id: text("call_id"), name: text("name"), arguments: text("arguments"), signature: None }
}

fn finish(status: Option<&str>, reason: Option<&str>, has_calls: bool) -> Finish {
    let word = |word: Option<&str>| word.and_then(name).unwrap_or_else(|| "none".to_owned());
    match (status, reason) {
        (Some("completed"), _) if has_calls => Finish::ToolCalls,
        (Some("completed"), _) => Finish::Complete,
        (Some("incomplete"), Some("max_output_tokens")) => Finish::Truncated,
        (Some("incomplete"), Some("content_filter")) => Finish::Filtered("content_filter".to_owned()),
        // Incomplete for another reason, cancelled, queued, still in progress, or a word to come.
        (status, reason) => Finish::Unknown(word(reason.or(status))),
    }
}

/// Reads what was used; `None` where input or output are missing or make no sense.
fn usage(usage: &Value) -> Option<Usage> {
    let number = |pointer: &str| usage.pointer(pointer).and_then(Value::as_u64);
    Some(Usage {
        input: number("/input_tokens")?,
        cached_input: number("/input_tokens_details/cached_tokens").unwrap_or(0),
        cache_write: number("/input_tokens_details/cache_write_tokens").unwrap_or(0),
        output: number("/output_tokens")?,
        reasoning: number("/output_tokens_details/reasoning_tokens").unwrap_or(0),
    })
}
