//! Asks a server one question with retries and tells what came of it: `ask BASE_URL MODEL [SECONDS]`.
//!
//! For trying the client against other people's servers. The key is taken from `ASK_KEY`, if it is set.

use std::io::Write;
use std::time::Duration;

use models::{
    AnswerSchema, BaseUrl, ChatModel, Dialect, Endpoint, HttpClient, Limits, MaxTokensField, Message,
    PlainHttp, Prompt, RetryPolicy, StoreField, StructuredOutput, TemperatureField, ask_with_retries,
};
use serde_json::json;
use tokio::time::Instant;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [url, model, rest @ ..] = arguments.as_slice() else {
        return Err("usage: ask BASE_URL MODEL [SECONDS]".into());
    };
    let seconds = rest.first().map_or(Ok(60), |text| text.parse())?;
    let endpoint = Endpoint {
        base_url: BaseUrl::parse(url, PlainHttp::LoopbackOnly)?,
        key: std::env::var("ASK_KEY").ok().map(Into::into),
        dialect: Dialect {
            structured_output: StructuredOutput::JsonSchema,
            max_tokens_field: MaxTokensField::MaxTokens,
            store_field: StoreField::Absent,
            temperature: TemperatureField::Sent,
        },
    };
    let limits =
        Limits { idle: Duration::from_secs(5), total: Duration::from_secs(seconds), ..Limits::default() };
    let model = ChatModel::new(HttpClient::new(limits, None)?, endpoint, model);
    let prompt = Prompt {
        system: "Review the change. Answer with JSON: {\"findings\": [{\"line\": 1, \"title\": \"…\"}]}"
            .to_owned(),
        messages: vec![Message::User("+fn last(v: &[u8]) -> u8 { v[v.len()] }".to_owned())],
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
    let asked = ask_with_retries(&model, &prompt, &RetryPolicy::default(), deadline, 1).await;
    let mut out = std::io::stdout();
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
