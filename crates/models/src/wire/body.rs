//! Reading bodies, whatever their format: one JSON value, or events of which each is one.

use review::Digest;
use review::answer::Strict;
use review::engine::Usage;
use review::text::{shorten, visible};
use serde::Deserialize;
use serde_json::Value;

use super::failure::{failure, in_band};
use crate::error::{ModelError, Secrets};
use crate::events::{Events, not_this_json};
use crate::http::Exchange;
use crate::reply::{Content, Finish, Reply, ToolCall};

/// The most bytes of a name that a server gives: a model, a request, a filter.
const NAME_LIMIT: usize = 200;

/// The most bytes of a refusal's words.
const REASON_LIMIT: usize = 500;

/// What a format's reader found in a body.
pub(super) struct Found {
    pub(super) text: String,
    pub(super) calls: Vec<ToolCall>,
    pub(super) finish: Finish,
    pub(super) usage: Option<Usage>,
    pub(super) served_model: Option<String>,
    pub(super) id: Option<String>,
}

/// Reads a body as one reply of its format; `assemble` makes one of events. Whatever says that it is an error becomes
/// one.
pub(super) fn read_reply<T: for<'de> Deserialize<'de>>(
    exchange: &Exchange,
    secrets: &Secrets<'_>,
    assemble: fn(Events) -> Result<Value, ModelError>,
) -> Result<T, ModelError> {
    let succeeded = succeeded(exchange, secrets)?;
    let body = if is_event_stream(exchange) {
        let events = Events::read(&exchange.body)?;
        if let Some(error) = events.data.iter().find_map(error_in) {
            return Err(in_band(error, &exchange.headers, secrets));
        }
        assemble(events)?
    } else {
        json(succeeded, secrets)?
    };
    if let Some(error) = error_in(&body) {
        return Err(in_band(error, &exchange.headers, secrets));
    }
    typed(body)
}

/// Reads a body that is never a stream.
pub(super) fn read_whole<T: for<'de> Deserialize<'de>>(
    exchange: &Exchange,
    secrets: &Secrets<'_>,
) -> Result<T, ModelError> {
    typed(json(succeeded(exchange, secrets)?, secrets)?)
}

/// A name that a server gives, made safe to show; `None` if it is empty.
pub(super) fn name(name: &str) -> Option<String> {
    let name = name.trim();
    (!name.is_empty()).then(|| shorten(&visible(name), NAME_LIMIT))
}

/// A refusal in the model's or the provider's words, made safe to show.
pub(super) fn refused(words: &str) -> Finish {
    Finish::Refused(shorten(&visible(words.trim()), REASON_LIMIT))
}

impl Found {
    /// The reply, with the evidence of the exchange.
    pub(super) fn into_reply(self, exchange: &Exchange) -> Reply {
        let header = |name: &str| exchange.headers.get(name).and_then(|value| value.to_str().ok());
        let request_id = header("x-request-id").or(header("request-id")).or(self.id.as_deref());
        let content = if self.calls.is_empty() {
            Content::Text(self.text)
        } else {
            Content::ToolCalls { text: self.text, calls: self.calls }
        };
        Reply {
            content,
            finish: self.finish,
            // Gateways write zeros where they do not know; nothing costs nothing but what was never asked.
            usage: self.usage.filter(|usage| usage.input > 0 || usage.output > 0),
            served_model: self.served_model.as_deref().and_then(name),
            request_id: request_id.and_then(name),
            request_sha256: Digest::of(&exchange.request),
            request: exchange.request.clone(),
            raw: exchange.body.clone(),
            elapsed_ms: exchange.elapsed_ms,
        }
    }
}

fn succeeded<'a>(exchange: &'a Exchange, secrets: &Secrets<'_>) -> Result<&'a Exchange, ModelError> {
    if (200..300).contains(&exchange.status) {
        return Ok(exchange);
    }
    Err(failure(exchange.status, &exchange.headers, &exchange.body, secrets))
}

/// What a body or an event says went wrong, if it does.
fn error_in(value: &Value) -> Option<&Value> {
    match (&value["error"], &value["type"]) {
        // OpenAI's Responses put code and message of such an event at its top.
        (Value::Null, kind) if kind == "error" => Some(value),
        (Value::Null, _) => None,
        (error, _) => Some(error),
    }
}

/// The content type is not trusted either way: `text/plain` in front of good JSON occurs, and JSON in a stream's
/// place too.
fn is_event_stream(exchange: &Exchange) -> bool {
    let body = exchange.body.trim_ascii_start();
    let is_called_so = content_type(exchange).is_some_and(|name| name.starts_with("text/event-stream"));
    let begins_so = [&b"data:"[..], b"event:", b"id:", b":"].iter().any(|start| body.starts_with(start));
    begins_so || (is_called_so && !body.starts_with(b"{"))
}

fn json(exchange: &Exchange, secrets: &Secrets<'_>) -> Result<Value, ModelError> {
    match serde_json::from_slice::<Strict>(&exchange.body) {
        Ok(Strict(value)) => Ok(value),
        Err(error) if error.is_data() || exchange.body.trim_ascii_start().starts_with(b"{") => {
            Err(not_this_json(&error))
        }
        Err(_) => Err(not_json(exchange, secrets)),
    }
}

fn typed<T: for<'de> Deserialize<'de>>(value: Value) -> Result<T, ModelError> {
    serde_json::from_value(value).map_err(|error| not_this_json(&error))
}

fn not_json(exchange: &Exchange, secrets: &Secrets<'_>) -> ModelError {
    let start = match exchange.body.trim_ascii_start() {
        [] => "an empty body".to_owned(),
        start => secrets.message(&String::from_utf8_lossy(&start[..start.len().min(400)])),
    };
    let content_type = content_type(exchange).unwrap_or("no content type");
    ModelError::NotJson { content_type: shorten(&visible(content_type), 80), start }
}

fn content_type(exchange: &Exchange) -> Option<&str> {
    exchange.headers.get("content-type").and_then(|value| value.to_str().ok())
}
