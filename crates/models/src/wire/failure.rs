//! Failures: each provider's error body and headers, sorted into our errors. One sorter for all formats, since gateways
//! pass one provider's errors through another's format.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::error::{Feature, ModelError, Persistence, Secrets};

/// Codes of a 429 that waiting does not help: OpenAI's `insufficient_quota`, Anthropic's
/// `enforced_spend_limit_reached`, and their kin.
const NO_QUOTA: [&str; 4] = ["insufficient_quota", "billing", "spend_limit", "insufficient_balance"];

/// Codes of filters that stop a request before or while it is answered: Azure's, OpenAI's and their kin.
const MODERATED: [&str; 5] =
    ["content_filter", "content_policy", "invalid_prompt", "bio_policy", "responsibleaipolicy"];

/// What an error body says, whoever wrote it.
struct Told {
    message: String,
    /// `code`, `type` and `error_code`s in lower case.
    names: Vec<String>,
    param: String,
    retry_delay: Option<Duration>,
    /// Whether a filter stopped the request.
    is_moderated: bool,
    prompt_tokens: Option<u64>,
    context_tokens: Option<u64>,
}

/// Sorts an answer whose status is not 2xx.
pub(super) fn failure(status: u16, headers: &HeaderMap, body: &[u8], secrets: &Secrets<'_>) -> ModelError {
    let told = match serde_json::from_slice::<Value>(body) {
        // Gemini wraps its error in an array; FastAPI calls it `detail`, others put the fields at the top.
        Ok(Value::Array(items)) => items.first().map_or_else(Told::nothing, Told::from_body),
        Ok(body) => Told::from_body(&body),
        Err(_) => Told::nothing(),
    };
    sort(status, headers, &told, secrets)
}

/// Sorts an error object inside a 200. Its code is the status that it should have had.
pub(super) fn in_band(error: &Value, headers: &HeaderMap, secrets: &Secrets<'_>) -> ModelError {
    let told = Told::from_error(error);
    let code = told.names.iter().find_map(|name| name.parse().ok()).filter(|code| (400..600).contains(code));
    let status = code.unwrap_or_else(|| match () {
        () if told.is_about(&MODERATED) => 200,
        () if told.is_about(&["rate_limit", "resource_exhausted"]) || told.is_about(&NO_QUOTA) => 429,
        () if told.is_about(&["overloaded", "capacity", "unavailable"]) => 529,
        () if told.is_about(&["timeout", "deadline_exceeded"]) => 504,
        () if told.is_about(&["authentication", "unauthenticated", "permission"]) => 401,
        () if told.is_about(&["not_found"]) => 404,
        () if told.is_about(&["request_too_large"]) => 413,
        () if told.is_about(&["invalid_request", "bad_request", "invalid_argument", "precondition"]) => 400,
        () => 500,
    });
    sort(status, headers, &told, secrets)
}

fn sort(status: u16, headers: &HeaderMap, told: &Told, secrets: &Secrets<'_>) -> ModelError {
    let message = match told.message.trim() {
        "" => format!("status {status} without a message"),
        message => secrets.message(message),
    };
    let retry_after = retry_after(headers).or(told.retry_delay);
    // Anthropic and OpenAI say it outright where they know better than the status does.
    let should_retry = headers.get("x-should-retry").and_then(|value| value.to_str().ok());
    match status {
        400.. if should_retry == Some("false") && told.is_a_limit(status) => {
            ModelError::QuotaExhausted { message }
        }
        408 | 409 | 500.. if should_retry == Some("false") => {
            ModelError::Server { status, retry_after: None, persistence: Persistence::Lasting, message }
        }
        400..500 if should_retry == Some("true") && status != 429 => {
            ModelError::Server { status, retry_after, persistence: Persistence::Passing, message }
        }
        _ if told.is_moderated => ModelError::Moderated { status, message },
        429 | 402 if status == 402 || told.is_about(&NO_QUOTA) => ModelError::QuotaExhausted { message },
        429 => ModelError::RateLimited { retry_after, message },
        401 | 403 => ModelError::Authentication { status, message },
        404 => ModelError::NotFound { message },
        413 => ModelError::TooLong { prompt_tokens: None, context_tokens: None, message },
        503 | 529 => ModelError::Overloaded { status, retry_after, message },
        // The server says that it will never do this.
        501 => ModelError::Server { status, retry_after: None, persistence: Persistence::Lasting, message },
        408 | 409 | 500.. => {
            ModelError::Server { status, retry_after, persistence: Persistence::Passing, message }
        }
        300..400 => ModelError::Protocol { detail: format!("status {status}: redirects are not followed") },
        400 | 422 if told.is_too_long() => ModelError::TooLong {
            prompt_tokens: told.prompt_tokens,
            context_tokens: told.context_tokens,
            message,
        },
        400 | 422 if told.is_about_the_key() => ModelError::Authentication { status, message },
        400 | 422 => match told.refused_feature() {
            Some(feature) => ModelError::Unsupported { feature, message },
            None => ModelError::BadRequest { status, message },
        },
        _ => ModelError::BadRequest { status, message },
    }
}

impl Told {
    fn nothing() -> Self {
        Self {
            message: String::new(),
            names: Vec::new(),
            param: String::new(),
            retry_delay: None,
            is_moderated: false,
            prompt_tokens: None,
            context_tokens: None,
        }
    }

    fn from_body(body: &Value) -> Self {
        match &body["error"] {
            Value::Null => Self::from_error(body),
            error => Self::from_error(error),
        }
    }

    fn from_error(error: &Value) -> Self {
        // Ollama's error is a string.
        if let Some(message) = error.as_str() {
            return Self { message: message.to_owned(), ..Self::nothing() };
        }
        let text = |pointer: &str| match error.pointer(pointer) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let names =
            ["/code", "/type", "/status", "/details/error_code", "/details/0/reason", "/innererror/code"];
        let names: Vec<String> =
            names.iter().filter_map(|pointer| text(pointer)).map(|name| name.to_ascii_lowercase()).collect();
        let message = ["/message", "/detail", "/detail/0/msg", "/message/detail/0/msg"]
            .iter()
            .find_map(|pointer| text(pointer));
        Self {
            message: message.unwrap_or_default(),
            // FastAPI says where in the request something is that it does not take.
            param: text("/param").unwrap_or_else(|| match error.pointer("/detail/0/loc") {
                Some(place) => place.to_string(),
                None => String::new(),
            }),
            // Gemini's RetryInfo, among its details.
            retry_delay: error["details"]
                .as_array()
                .into_iter()
                .flatten()
                .find_map(|detail| go_duration(detail["retryDelay"].as_str()?)),
            // OpenRouter's moderation gives its reasons, and says 403 as if it were the key.
            is_moderated: error.pointer("/metadata/reasons").is_some() || is_about(&names, &MODERATED),
            names,
            prompt_tokens: error["n_prompt_tokens"].as_u64(),
            context_tokens: error["n_ctx"].as_u64(),
        }
    }

    fn is_about(&self, parts: &[&str]) -> bool {
        is_about(&self.names, parts)
    }

    fn is_a_limit(&self, status: u16) -> bool {
        status == 429 || self.is_about(&NO_QUOTA)
    }

    /// OpenAI and llama.cpp have codes for it; the others have only their words.
    fn is_too_long(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        let words = [
            "maximum context length",
            "maximum prompt length",
            "prompt is too long",
            "context window",
            "contextwindowexceeded",
            "exceed context limit",
            "exceeds the maximum number of tokens",
        ];
        self.is_about(&["context_length_exceeded", "exceed_context_size", "string_above_max_length"])
            || words.iter().any(|words| message.contains(words))
    }

    /// Gemini and xAI answer 400 to a wrong key.
    fn is_about_the_key(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        let words = ["incorrect api key", "invalid api key", "api key not valid"];
        self.is_about(&["api_key"]) || words.iter().any(|words| message.contains(words))
    }

    /// What a server complains about that a request can go without.
    fn refused_feature(&self) -> Option<Feature> {
        let words = format!("{} {}", self.param, self.message).to_ascii_lowercase();
        let schema =
            ["response_format", "response format", "json_schema", "json schema", "structured output"];
        let schema_fields =
            ["response_schema", "output_schema", "output_config", "output_format", "text.format"];
        let gemini =
            ["responsejsonschema", "response_json_schema", "response_mime_type", "response mime type"];
        let streaming = ["stream_options", "to stream this model", "not support stream"];
        let is_about = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
        match () {
            () if is_about(&schema) || is_about(&schema_fields) || is_about(&gemini) => {
                Some(Feature::StructuredOutput)
            }
            () if is_about(&["prompt_cache"]) => Some(Feature::PromptCache),
            () if self.param == "stream" || is_about(&streaming) => Some(Feature::Streaming),
            () if is_about(&["temperature"]) => Some(Feature::Temperature),
            () => None,
        }
    }
}

fn is_about(names: &[String], parts: &[&str]) -> bool {
    names.iter().any(|name| parts.iter().any(|part| name.contains(part)))
}

/// How long the headers ask to wait: `retry-after-ms`, else `retry-after` in seconds or as a date, else the
/// time until a limit that is used up is reset (OpenAI's `x-ratelimit-*`), the longest of them.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(milliseconds) = header("retry-after-ms").and_then(|text| text.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(milliseconds / 1000.0).ok();
    }
    if let Some(text) = header("retry-after") {
        if let Ok(seconds) = text.parse::<f64>() {
            return Duration::try_from_secs_f64(seconds).ok();
        }
        // The server's own clock tells how far off its date is.
        let wait = http_date(text)?.saturating_sub(header("date").and_then(http_date)?);
        return Some(Duration::from_secs(wait));
    }
    ["requests", "tokens"]
        .iter()
        .filter(|kind| header(&format!("x-ratelimit-remaining-{kind}")) == Some("0"))
        .filter_map(|kind| go_duration(header(&format!("x-ratelimit-reset-{kind}"))?))
        .max()
}

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT` as seconds since 1970.
fn http_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let parts: Vec<_> = text.split_ascii_whitespace().collect();
    let [_, day, month, year, time, "GMT"] = parts.as_slice() else { return None };
    let (day, year): (u64, u64) = (day.parse().ok()?, year.parse().ok()?);
    let month = MONTHS.iter().position(|name| name == month)? as u64 + 1;
    let clock: Vec<u64> = time.split(':').filter_map(|part| part.parse().ok()).collect();
    let [hours, minutes, seconds] = clock.as_slice() else { return None };
    if !(1970..10_000).contains(&year) || !(1..=31).contains(&day) {
        return None;
    }
    // Days of the civil calendar, counted from March so that the leap day is the year's last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    const DAYS_TO_1970: u64 = 719_468;
    Some((days - DAYS_TO_1970) * 86_400 + hours * 3600 + minutes * 60 + seconds)
}

/// Reads `6m0s`, `1.5s` or `250ms`.
fn go_duration(text: &str) -> Option<Duration> {
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let unit_end = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |at| digits + at);
        total += number
            * match &rest[digits..unit_end] {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 0.001,
                _ => return None,
            };
        rest = &rest[unit_end..];
    }
    Duration::try_from_secs_f64(total).ok()
}
