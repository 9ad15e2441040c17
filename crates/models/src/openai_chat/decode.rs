//! Replies of Chat Completions servers: what was said, how it ended, what it used.

use std::collections::BTreeSet;

use review::Digest;
use review::text::{shorten, visible};
use serde::Deserialize;
use serde_json::Value;

use super::failure::{failure, in_band};
use crate::error::{ModelError, Secrets};
use crate::http::Exchange;
use review::engine::Usage;

use crate::reply::{Content, Finish, Reply, ToolCall};

/// The most bytes of a name that a server gives: a model, a request, a filter.
const NAME_LIMIT: usize = 200;

/// The most bytes of a refusal's words.
const REASON_LIMIT: usize = 500;

#[derive(Deserialize)]
struct Envelope {
    id: Option<Value>,
    model: Option<String>,
    choices: Option<Vec<Choice>>,
    usage: Option<Value>,
    error: Option<Value>,
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

#[derive(Deserialize)]
struct RawCall {
    id: Option<String>,
    function: RawFunction,
}

#[derive(Deserialize)]
struct RawFunction {
    name: String,
    arguments: Option<Value>,
}

/// Reads what a server answered to a request.
pub fn decode(exchange: &Exchange, secrets: &Secrets<'_>) -> Result<Reply, ModelError> {
    let envelope: Envelope = read(exchange, secrets)?;
    if let Some(error) = envelope.error.filter(|error| !error.is_null()) {
        return Err(in_band(&error, &exchange.headers, secrets));
    }
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
    let text = without_reasoning(&text_of(said.content.as_ref())).to_owned();
    let calls: Vec<_> = said.tool_calls.unwrap_or_default().into_iter().map(tool_call).collect();
    let finish =
        finish(choice.finish_reason.as_deref(), said.refusal.as_deref(), !calls.is_empty(), secrets)?;
    let content = if calls.is_empty() { Content::Text(text) } else { Content::ToolCalls { text, calls } };
    let header = |name: &str| exchange.headers.get(name).and_then(|value| value.to_str().ok());
    Ok(Reply {
        content,
        finish,
        usage: envelope.usage.as_ref().and_then(usage),
        served_model: envelope.model.as_deref().and_then(name),
        request_id: header("x-request-id")
            .or(header("request-id"))
            .or(envelope.id.as_ref().and_then(Value::as_str))
            .and_then(name),
        request_sha256: Digest::of(&exchange.request),
        request: exchange.request.clone(),
        raw: exchange.body.clone(),
        elapsed_ms: exchange.elapsed_ms,
    })
}

/// Reads a list of models.
pub fn decode_model_list(exchange: &Exchange, secrets: &Secrets<'_>) -> Result<BTreeSet<String>, ModelError> {
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
    let (List::Wrapped { data: entries } | List::Bare(entries)) = read(exchange, secrets)?;
    // Gemini's list writes `models/` before its names and takes them without.
    Ok(entries
        .iter()
        .filter_map(|entry| name(entry.id.strip_prefix("models/").unwrap_or(&entry.id)))
        .collect())
}

/// Reads a 2xx body as JSON; everything else is a failure.
fn read<T: for<'de> Deserialize<'de>>(exchange: &Exchange, secrets: &Secrets<'_>) -> Result<T, ModelError> {
    if !(200..300).contains(&exchange.status) {
        return Err(failure(exchange.status, &exchange.headers, &exchange.body, secrets));
    }
    // The content type is not trusted either way: `text/plain` in front of good JSON occurs.
    serde_json::from_slice(&exchange.body).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Data => "the JSON has other fields than expected",
            _ if !exchange.body.trim_ascii_start().starts_with(b"{") => return not_json(exchange, secrets),
            serde_json::error::Category::Eof => "the JSON is cut off",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "the JSON is broken",
        };
        // serde's own text may quote a value, so only the class and the place are told.
        let detail = format!("{what} at line {}, column {}", error.line(), error.column());
        ModelError::Protocol { detail }
    })
}

fn not_json(exchange: &Exchange, secrets: &Secrets<'_>) -> ModelError {
    let content_type = exchange.headers.get("content-type").and_then(|value| value.to_str().ok());
    let start = match exchange.body.trim_ascii_start() {
        [] => "an empty body".to_owned(),
        start => secrets.message(&String::from_utf8_lossy(&start[..start.len().min(400)])),
    };
    ModelError::NotJson {
        content_type: shorten(&visible(content_type.unwrap_or("no content type")), 80),
        start,
    }
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
    ToolCall { id: raw.id.unwrap_or_default(), name: raw.function.name, arguments }
}

/// How the reply ended. Words of other formats are here because gateways pass them through.
fn finish(
    reason: Option<&str>,
    refusal: Option<&str>,
    has_calls: bool,
    secrets: &Secrets<'_>,
) -> Result<Finish, ModelError> {
    if let Some(words) = refusal.filter(|words| !words.trim().is_empty()) {
        return Ok(Finish::Refused(shorten(&visible(words.trim()), REASON_LIMIT)));
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

/// A name that a server gives, made safe to show; `None` if it is empty.
fn name(name: &str) -> Option<String> {
    let name = name.trim();
    (!name.is_empty()).then(|| shorten(&visible(name), NAME_LIMIT))
}
