//! Asks a server one question with retries and tells what came of it:
//! `ask WIRE BASE_URL MODEL [whole|events] [SECONDS]`, where MODEL `?` lists the models instead.
//!
//! For trying the client against other people's servers. The key is taken from `ASK_KEY`, if it is set.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use models::{
    AnswerSchema, BaseUrl, Delivery, Dialect, Endpoint, HttpClient, Limits, MaxTokensField, Message,
    PaceLimits, PlainHttp, Prompt, PromptCacheField, RemoteModel, RetryPolicy, StoreField, StructuredOutput,
    TemperatureField, Traffic, Wire, ask_with_retries, list_models,
};
use serde_json::json;
use tokio::time::Instant;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [wire, url, model, rest @ ..] = arguments.as_slice() else {
        return Err("usage: ask WIRE BASE_URL MODEL [whole|events] [SECONDS]".into());
    };
    let wire = Wire::ALL.into_iter().find(|known| known.name() == wire).ok_or("there is no such format")?;
    let delivery =
        if rest.first().is_some_and(|word| word == "events") { Delivery::Events } else { Delivery::Whole };
    let seconds = rest.get(1).map_or(Ok(60), |text| text.parse())?;
    let endpoint = Endpoint {
        base_url: BaseUrl::parse(url, PlainHttp::LoopbackOnly)?,
        key: std::env::var("ASK_KEY").ok().map(Into::into),
        wire,
        dialect: Dialect {
            structured_output: StructuredOutput::JsonSchema,
            max_tokens_field: MaxTokensField::MaxTokens,
            store_field: StoreField::Absent,
            temperature: TemperatureField::Sent,
            prompt_cache: PromptCacheField::Absent,
            delivery,
        },
    };
    let limits =
        Limits { idle: Duration::from_secs(5), total: Duration::from_secs(seconds), ..Limits::default() };
    let http = HttpClient::new(limits, None)?;
    let mut out = std::io::stdout();
    if model == "?" {
        let key = endpoint.key.as_ref();
        for name in list_models(&http, &endpoint.base_url, wire, key, http.deadline()).await? {
            writeln!(out, "{name}")?;
        }
        return Ok(());
    }
    let remote = Arc::new(RemoteModel::new(http, endpoint, model));
    let model = Traffic::default().regulate("asked", model, PaceLimits::default(), remote);
    let prompt = Prompt {
        system: "Review the change. Answer with JSON: {\"findings\": [{\"line\": 1, \"title\": \"…\"}]}"
            .to_owned(),
        messages: vec![Message::User("+fn last(v: &[u8]) -> u8 { v[v.len()] }".to_owned())],
        cache_prefix: Some(4),
        tools: Vec::new(),
        answer: Some(AnswerSchema {
            name: "review".to_owned(),
            schema: json!({"type": "object", "additionalProperties": false, "required": ["findings"], "properties": {
                "findings": {"type": "array", "items": {"type": "object", "additionalProperties": false,
                    "required": ["line", "title"],
                    "properties": {"line": {"type": "integer"}, "title": {"type": "string"}}}}}}),
        }),
        max_output_tokens: 300,
        temperature: Some(0.0),
    };
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let asked = ask_with_retries(&*model, &prompt, &RetryPolicy::default(), deadline, 1).await;
    write!(out, "attempts {}: ", asked.attempts)?;
    match asked.result {
        Ok(reply) => {
            let (text, usage) = (reply.content.text(), reply.usage);
            let served = reply.served_model.unwrap_or_default();
            writeln!(
                out,
                "{:?}, served by {served:?}, {usage:?}, {} ms: {text}",
                reply.finish, reply.elapsed_ms
            )?;
        }
        Err(error) => writeln!(out, "{error} ({error:?})")?,
    }
    Ok(())
}
