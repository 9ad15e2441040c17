//! Replies of Chat Completions servers: what was said, how it ended, what it used.

use std::collections::{BTreeMap, BTreeSet};

use review::engine::Usage;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::{ModelError, Persistence, Secrets};
use crate::events::{Events, interrupted};
use crate::http::Exchange;
use crate::reply::{Finish, Reply, ToolCall};
use crate::wire::body::{Found, name, read_reply, read_whole, refused};
use crate::wire::failure::in_band;

#[derive(Deserialize)]
struct Envelope {
    id: Option<Value>,
    model: Option<String>,
    choices: Option<Vec<Choice>>,
    usage: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    message: Option<Said>,
    finish_reason: Option<String>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Said {
    content: Option<Value>,
    refusal: Option<String>,
    tool_calls: Option<Vec<RawCall>>,
}

#[derive(Default, Deserialize)]
struct RawCall {
    id: Option<String>,
    function: RawFunction,
}

#[derive(Default, Deserialize)]
struct RawFunction {
    name: String,
    arguments: Option<Value>,
}

impl RawCall {
    /// Adds what one chunk has of it: id and name come once, the arguments in pieces.
    fn add(&mut self, part: &Value) {
        if let Some(id) = part["id"].as_str().filter(|id| !id.is_empty()) {
            self.id = Some(id.to_owned());
        }
        let function = &part["function"];
        self.function.name.push_str(function["name"].as_str().unwrap_or_default());
        match (&mut self.function.arguments, &function["arguments"]) {
            (_, Value::Null) => {}
            (Some(Value::String(begun)), Value::String(more)) => begun.push_str(more),
            (arguments, whole) => *arguments = Some(whole.clone()),
        }
    }

    fn into_json(self) -> Value {
        json!({"id": self.id, "function": {"name": self.function.name, "arguments": self.function.arguments}})
    }
}

pub(super) fn decode(exchange: &Exchange, secrets: &Secrets<'_>) -> Result<Reply, ModelError> {
    let envelope: Envelope = read_reply(exchange, secrets, assemble)?;
    let choice = envelope
        .choices
        .unwrap_or_default()
        .into_iter()
        .next()
        .ok_or_else(|| ModelError::Protocol { detail: "the reply has no choices".to_owned() })?;
    if let Some(error) = choice.error.filter(|error| !error.is_null()) {
        return Err(in_band(&error, &exchange.headers, secrets));
    }
    let said = choice
        .message
        .ok_or_else(|| ModelError::Protocol { detail: "the choice has no message".to_owned() })?;
    let calls: Vec<_> = said.tool_calls.unwrap_or_default().into_iter().map(tool_call).collect();
    let finish =
        finish(choice.finish_reason.as_deref(), said.refusal.as_deref(), !calls.is_empty(), secrets)?;
    let found = Found {
        text: without_reasoning(&text_of(said.content.as_ref())).to_owned(),
        calls,
        finish,
        usage: envelope.usage.as_ref().and_then(usage),
        served_model: envelope.model,
        id: envelope.id.as_ref().and_then(Value::as_str).map(str::to_owned),
    };
    Ok(found.into_reply(exchange))
}

/// Reads a list of models.
pub(in crate::wire) fn decode_model_list(
    exchange: &Exchange,
    secrets: &Secrets<'_>,
) -> Result<BTreeSet<String>, ModelError> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum List {
        Wrapped { data: Vec<Entry> },
        // Together sends the bare list.
        Bare(Vec<Entry>),
    }
    #[derive(Deserialize)]
    struct Entry {
        id: String,
    }
    let (List::Wrapped { data: entries } | List::Bare(entries)) = read_whole(exchange, secrets)?;
    // Gemini's list writes `models/` before its names and takes them without.
    Ok(entries
        .iter()
        .filter_map(|entry| name(entry.id.strip_prefix("models/").unwrap_or(&entry.id)))
        .collect())
}

/// Puts the chunks of a stream together as the reply would have come in one piece.
fn assemble(events: Events) -> Result<Value, ModelError> {
    let (mut text, mut refusal) = (String::new(), String::new());
    let mut calls: BTreeMap<u64, RawCall> = BTreeMap::new();
    let mut reply = json!({});
    let mut choice = json!({});
    for chunk in &events.data {
        for field in ["id", "model", "usage"] {
            if !chunk[field].is_null() {
                reply[field] = chunk[field].clone();
            }
        }
        let first = &chunk["choices"][0];
        for field in ["finish_reason", "error"] {
            if !first[field].is_null() {
                choice[field] = first[field].clone();
            }
        }
        let delta = &first["delta"];
        text.push_str(&text_of(delta.get("content")));
        refusal.push_str(delta["refusal"].as_str().unwrap_or_default());
        for (position, part) in delta["tool_calls"].as_array().into_iter().flatten().enumerate() {
            let index = part["index"].as_u64().unwrap_or(position as u64);
            let call = calls.entry(index).or_default();
            call.add(part);
        }
    }
    if choice["finish_reason"].is_null() && choice["error"].is_null() && !events.is_marked_done {
        return Err(interrupted("the stream ended without a reason to finish"));
    }
    let calls: Vec<Value> = calls.into_values().map(RawCall::into_json).collect();
    choice["message"] = json!({"content": text, "refusal": refusal, "tool_calls": calls});
    reply["choices"] = json!([choice]);
    Ok(reply)
}

/// The words of a message: a string, or parts of which those of type `text` count (Mistral's reasoning models
/// send parts).
fn text_of(content: Option<&Value>) -> String {
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts
            .iter()
            .filter(|part| part["type"] == "text")
            .filter_map(|part| part["text"].as_str())
            .collect(),
        Some(_) | None => String::new(),
    }
}

/// Cuts the reasoning that some servers leave in front of the answer as a `<think>` block. A block that is not
/// closed takes everything with it: the model never came to its answer.
fn without_reasoning(text: &str) -> &str {
    const CLOSE: &str = "</think>";
    let text = text.trim();
    if text.starts_with("<think>") {
        return text.split_once(CLOSE).map_or("", |(_, answer)| answer.trim());
    }
    // Templates that open the block for the model leave only its end in the reply. An answer may quote the tag
    // (the code under review may hold it), so it is an end only if an answer begins behind and none before.
    let is_answer = |text: &str| text.starts_with(['{', '[']) || text.starts_with("```");
    match text.split_once(CLOSE) {
        Some((_, answer)) if !is_answer(text) && is_answer(answer.trim()) => answer.trim(),
        Some(_) | None => text,
    }
}

fn tool_call(raw: RawCall) -> ToolCall {
    let arguments = match raw.function.arguments {
        Some(Value::String(text)) => text,
        // Ollama and others send an object instead of its text.
        Some(Value::Null) | None => String::new(),
        Some(value) => value.to_string(),
    };
    ToolCall { id: raw.id.unwrap_or_default(), name: raw.function.name, arguments, signature: None }
}

/// How the reply ended. Words of other formats are here because gateways pass them through.
fn finish(
    reason: Option<&str>,
    refusal: Option<&str>,
    has_calls: bool,
    secrets: &Secrets<'_>,
) -> Result<Finish, ModelError> {
    if let Some(words) = refusal.filter(|words| !words.trim().is_empty()) {
        return Ok(refused(words));
    }
    let Some(reason) = reason.and_then(name) else { return Ok(Finish::Unknown("none".to_owned())) };
    Ok(match reason.to_ascii_lowercase().as_str() {
        // Some servers say `stop` beside tool calls.
        "stop" | "tool_calls" | "end_turn" | "tool_use" if has_calls => Finish::ToolCalls,
        "stop" | "end_turn" | "stop_sequence" | "eos" => Finish::Complete,
        "length" | "max_tokens" | "model_length" | "model_context_window_exceeded" => Finish::Truncated,
        "refusal" => Finish::Refused(reason),
        "content_filter" | "safety" | "recitation" | "blocklist" | "prohibited_content" | "spii" => {
            Finish::Filtered(reason)
        }
        // DeepSeek broke off for want of capacity; Mistral and OpenRouter broke off with an error.
        "insufficient_system_resource" => {
            return Err(ModelError::Overloaded {
                status: 200,
                retry_after: None,
                message: secrets.message(&reason),
            });
        }
        "error" => {
            return Err(ModelError::Server {
                status: 200,
                retry_after: None,
                persistence: Persistence::Passing,
                message: "it broke off with an error".to_owned(),
            });
        }
        _ => Finish::Unknown(reason),
    })
}

/// Reads what was used; `None` where prompt or completion are missing or make no sense.
fn usage(usage: &Value) -> Option<Usage> {
    let number = |pointer: &str| usage.pointer(pointer).and_then(Value::as_u64);
    let input = number("/prompt_tokens")?;
    let completion = number("/completion_tokens")?;
    let cached = number("/prompt_tokens_details/cached_tokens").or(number("/prompt_cache_hit_tokens"));
    let cached_input = cached.unwrap_or(0);
    let cache_write = number("/prompt_tokens_details/cache_write_tokens")
        .or(number("/cache_creation_input_tokens"))
        .unwrap_or(0);
    let reasoning = number("/completion_tokens_details/reasoning_tokens").unwrap_or(0);
    // xAI and Gemini leave reasoning out of the completion; the total has it.
    let rest_of_total = number("/total_tokens").map_or(0, |total| total.saturating_sub(input));
    Some(Usage {
        // Input that is less than its parts leaves the cache out, as Anthropic's own format does.
        input: if input < cached_input.saturating_add(cache_write) {
            input.saturating_add(cached_input).saturating_add(cache_write)
        } else {
            input
        },
        cached_input,
        cache_write,
        output: completion.max(rest_of_total).max(reasoning),
        reasoning,
    })
}
