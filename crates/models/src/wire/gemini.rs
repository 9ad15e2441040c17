//! Google's generateContent format.
//!
//! It caches prefixes by itself, without being told. It can end without a single candidate, where the prompt was
//! blocked.

use std::borrow::Cow;
use std::collections::BTreeSet;

use reqwest::header::HeaderMap;
use review::engine::Usage;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::{Found, name, read_reply, read_whole};
use super::{Address, Codec};
use crate::dialect::{Delivery, Dialect, StructuredOutput, TemperatureField};
use crate::endpoint::Version;
use crate::error::{ModelError, Secrets};
use crate::events::{Events, interrupted};
use crate::http::{Exchange, key_header};
use crate::prompt::{Message, Prompt};
use crate::reply::{Finish, Reply, ToolCall};

/// The format.
pub(super) static CODEC: Codec = Codec {
    version: Version::UnlessThere("v1beta"),
    address,
    // A thousand is the longest page, and more than there are.
    list: Address { path: Cow::Borrowed("models"), query: Some("pageSize=1000") },
    headers,
    encode,
    decode,
    decode_list,
};

fn address(model: &str, delivery: Delivery) -> Address {
    // `models/` is taken for granted; `tunedModels/x` says what it is.
    let name = if model.contains('/') { Cow::Borrowed(model) } else { Cow::Owned(format!("models/{model}")) };
    match delivery {
        Delivery::Whole => Address { path: format!("{name}:generateContent").into(), query: None },
        // Without the query it streams as one JSON array.
        Delivery::Events => {
            Address { path: format!("{name}:streamGenerateContent").into(), query: Some("alt=sse") }
        }
    }
}

fn headers(key: Option<&SecretString>) -> Result<HeaderMap, ModelError> {
    key_header("x-goog-api-key", "", key)
}

fn encode(prompt: &Prompt, _model: &str, dialect: &Dialect) -> Value {
    let mut contents: Vec<Value> = Vec::with_capacity(prompt.messages.len());
    // A result names its function, which our messages do by the id of the call alone.
    let mut names: Vec<(&str, &str)> = Vec::new();
    for message in &prompt.messages {
        if let Message::Assistant { tool_calls, .. } = message {
            names.extend(tool_calls.iter().map(|call| (call.id.as_str(), call.name.as_str())));
        }
        let (role, parts) = encode_message(message, &names);
        match contents.last_mut() {
            // Results of calls that were made together have to come together.
            Some(last) if last["role"] == role => {
                last["parts"].as_array_mut().expect("we made it an array").extend(parts);
            }
            Some(_) | None => contents.push(json!({"role": role, "parts": parts})),
        }
    }
    let mut body =
        json!({"contents": contents, "generationConfig": {"maxOutputTokens": prompt.max_output_tokens}});
    if !prompt.system.is_empty() {
        body["systemInstruction"] = json!({"parts": [{"text": prompt.system}]});
    }
    if !prompt.tools.is_empty() {
        let tools = prompt.tools.iter().map(|tool| {
            json!({"name": tool.name, "description": tool.description,
                "parametersJsonSchema": tool.parameters})
        });
        body["tools"] = json!([{"functionDeclarations": tools.collect::<Vec<_>>()}]);
    }
    let generation = &mut body["generationConfig"];
    match (dialect.temperature, prompt.temperature) {
        (TemperatureField::Sent, Some(temperature)) => generation["temperature"] = temperature.into(),
        (TemperatureField::Sent, None) | (TemperatureField::Absent, _) => {}
    }
    match (dialect.structured_output, &prompt.answer) {
        (StructuredOutput::JsonSchema, Some(answer)) => {
            generation["responseMimeType"] = "application/json".into();
            // `responseSchema` is an older dialect of schemas, which refuses `additionalProperties`.
            generation["responseJsonSchema"] = answer.schema.clone();
        }
        (StructuredOutput::JsonObject, Some(_)) => {
            generation["responseMimeType"] = "application/json".into();
        }
        (StructuredOutput::None, Some(_)) | (_, None) => {}
    }
    body
}

fn encode_message(message: &Message, names: &[(&str, &str)]) -> (&'static str, Vec<Value>) {
    match message {
        Message::User(text) => ("user", vec![json!({"text": text})]),
        Message::Assistant { text, tool_calls } => {
            let said = (!text.is_empty()).then(|| json!({"text": text}));
            let calls = tool_calls.iter().map(|call| {
                let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
                let arguments = if arguments.is_object() { arguments } else { json!({}) };
                let mut part = json!({"functionCall": {"name": call.name, "args": arguments}});
                if !call.id.is_empty() {
                    part["functionCall"]["id"] = call.id.as_str().into();
                }
                // Its newer models refuse a call that comes back without it.
                if let Some(signature) = &call.signature {
                    part["thoughtSignature"] = signature.as_str().into();
                }
                part
            });
            ("model", said.into_iter().chain(calls).collect())
        }
        Message::ToolResult { call_id, content } => {
            let name = names.iter().rev().find(|(id, _)| id == call_id).map_or("", |(_, name)| name);
            let mut part = json!({"functionResponse": {"name": name, "response": {"result": content}}});
            if !call_id.is_empty() {
                part["functionResponse"]["id"] = call_id.as_str().into();
            }
            ("user", vec![part])
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    #[serde(default)]
    candidates: Vec<Candidate>,
    prompt_feedback: Option<PromptFeedback>,
    usage_metadata: Option<Value>,
    model_version: Option<String>,
    response_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    content: Option<Parts>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Parts {
    #[serde(default)]
    parts: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromptFeedback {
    block_reason: Option<String>,
}

fn decode(exchange: &Exchange, secrets: &Secrets<'_>) -> Result<Reply, ModelError> {
    let envelope: Envelope = read_reply(exchange, secrets, assemble)?;
    let blocked = envelope.prompt_feedback.and_then(|feedback| feedback.block_reason);
    let candidate = envelope.candidates.into_iter().next();
    if candidate.is_none() && blocked.is_none() {
        return Err(ModelError::Protocol { detail: "the reply has no candidates".to_owned() });
    }
    let reason = candidate.as_ref().and_then(|candidate| candidate.finish_reason.clone());
    let parts = candidate.and_then(|candidate| candidate.content).map_or_else(Vec::new, |c| c.parts);
    let (mut text, mut calls) = (String::new(), Vec::new());
    // Thoughts are not the answer.
    for part in parts.iter().filter(|part| part["thought"] != true) {
        text.push_str(part["text"].as_str().unwrap_or_default());
        if part["functionCall"].is_object() {
            calls.push(tool_call(part));
        }
    }
    let found = Found {
        text: text.trim().to_owned(),
        finish: finish(reason.as_deref(), blocked.as_deref(), !calls.is_empty()),
        calls,
        usage: envelope.usage_metadata.as_ref().and_then(usage),
        served_model: envelope.model_version,
        id: envelope.response_id,
    };
    Ok(found.into_reply(exchange))
}

/// Puts the chunks of a stream together as the reply would have come in one piece.
fn assemble(events: Events) -> Result<Value, ModelError> {
    let mut reply = json!({});
    let mut candidate = json!({});
    let mut parts = Vec::new();
    for mut chunk in events.data {
        for field in ["promptFeedback", "usageMetadata", "modelVersion", "responseId"] {
            if !chunk[field].is_null() {
                reply[field] = chunk[field].take();
            }
        }
        let Some(first) = chunk.pointer_mut("/candidates/0") else { continue };
        if !first["finishReason"].is_null() {
            candidate["finishReason"] = first["finishReason"].take();
        }
        if let Some(more) = first.pointer_mut("/content/parts").and_then(Value::as_array_mut) {
            parts.append(more);
        }
    }
    if candidate["finishReason"].is_null() && reply["promptFeedback"]["blockReason"].is_null() {
        return Err(interrupted("the stream ended without a reason to finish"));
    }
    candidate["content"] = json!({"parts": parts});
    reply["candidates"] = json!([candidate]);
    Ok(reply)
}

fn tool_call(part: &Value) -> ToolCall {
    let call = &part["functionCall"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let arguments = if call["args"].is_null() { String::new() } else { call["args"].to_string() };
    ToolCall {
        id: text(&call["id"]).unwrap_or_default(),
        name: text(&call["name"]).unwrap_or_default(),
        arguments,
        signature: text(&part["thoughtSignature"]),
    }
}

fn finish(reason: Option<&str>, blocked: Option<&str>, has_calls: bool) -> Finish {
    match (reason, blocked.and_then(name)) {
        (_, Some(blocked)) => Finish::Filtered(blocked),
        (Some("STOP"), None) if has_calls => Finish::ToolCalls,
        (Some("STOP"), None) => Finish::Complete,
        (Some("MAX_TOKENS"), None) => Finish::Truncated,
        (
            Some(
                word @ ("SAFETY" | "RECITATION" | "LANGUAGE" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII"
                | "IMAGE_SAFETY" | "MODEL_ARMOR"),
            ),
            None,
        ) => Finish::Filtered(word.to_owned()),
        // A call that went wrong, `OTHER`, or a word to come.
        (reason, None) => Finish::Unknown(reason.and_then(name).unwrap_or_else(|| "none".to_owned())),
    }
}

/// Reads what was used; `None` where the prompt's count is missing or makes no sense.
fn usage(usage: &Value) -> Option<Usage> {
    let number = |field: &str| usage[field].as_u64();
    let input = number("promptTokenCount")?.saturating_add(number("toolUsePromptTokenCount").unwrap_or(0));
    let reasoning = number("thoughtsTokenCount").unwrap_or(0);
    let rest_of_total = number("totalTokenCount").map_or(0, |total| total.saturating_sub(input));
    Some(Usage {
        input,
        cached_input: number("cachedContentTokenCount").unwrap_or(0),
        // It bills no writing to its own cache.
        cache_write: 0,
        // A prompt that was blocked has no candidates, and says nothing of their tokens.
        output: number("candidatesTokenCount").unwrap_or(0).saturating_add(reasoning).max(rest_of_total),
        reasoning,
    })
}

fn decode_list(exchange: &Exchange, secrets: &Secrets<'_>) -> Result<BTreeSet<String>, ModelError> {
    #[derive(Deserialize)]
    struct List {
        #[serde(default)]
        models: Vec<Entry>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Entry {
        name: String,
        supported_generation_methods: Option<Vec<String>>,
    }
    let list: List = read_whole(exchange, secrets)?;
    // The list has models that only embed or draw; those cannot be asked.
    let can_be_asked = |entry: &&Entry| {
        let methods = entry.supported_generation_methods.as_ref();
        methods.is_none_or(|methods| methods.iter().any(|method| method == "generateContent"))
    };
    let names = list.models.iter().filter(can_be_asked);
    Ok(names.filter_map(|entry| name(entry.name.strip_prefix("models/").unwrap_or(&entry.name))).collect())
}
