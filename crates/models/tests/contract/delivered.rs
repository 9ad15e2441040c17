//! The formats over real HTTP: where each asks, with which headers, and what it does without when a server refuses it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response};
use models::{
    BaseUrl, Endpoint, Finish, HttpClient, Limits, Model, PlainHttp, RemoteModel, Wire, list_models,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{ANSWER, DIALECT, class, data, prompt};

const KEY: &str = "sk-canary-0123456789abcdef";

/// What was asked, and what is answered next: status, content type, body.
#[derive(Default)]
struct Seen {
    answers: VecDeque<(u16, &'static str, Vec<u8>)>,
    asked: Vec<(String, HeaderMap, Value)>,
}

type Shared = Arc<Mutex<Seen>>;

async fn start(answers: Vec<(u16, &'static str, Vec<u8>)>) -> (BaseUrl, Shared) {
    let seen = Arc::new(Mutex::new(Seen { answers: answers.into(), asked: Vec::new() }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(seen.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (BaseUrl::parse(&url, PlainHttp::LoopbackOnly).unwrap(), seen)
}

async fn answer(State(seen): State<Shared>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, 1024 * 1024).await.unwrap();
    let mut seen = seen.lock().unwrap();
    let body = serde_json::from_slice(&bytes).unwrap_or_default();
    seen.asked.push((format!("{} {}", parts.method, parts.uri), parts.headers, body));
    let (status, content_type, body) = seen.answers.pop_front().expect("nobody asks more often");
    Response::builder().status(status).header("content-type", content_type).body(body.into()).unwrap()
}

fn client(base_url: BaseUrl, wire: Wire) -> RemoteModel {
    let limits = Limits { total: Duration::from_secs(20), ..Limits::default() };
    let endpoint = Endpoint { base_url, key: Some(KEY.into()), wire, dialect: DIALECT };
    RemoteModel::new(HttpClient::new(limits, None).unwrap(), endpoint, "sol")
}

#[tokio::test]
async fn each_format_asks_at_its_own_address_with_its_own_headers() {
    let bearer = format!("Bearer {KEY}");
    let table = [
        (Wire::OpenaiChat, "openai_chat", "/v1/chat/completions", ("authorization", &*bearer)),
        (Wire::OpenaiResponses, "responses", "/v1/responses", ("authorization", &*bearer)),
        (Wire::Anthropic, "anthropic", "/v1/messages", ("x-api-key", KEY)),
        (Wire::Gemini, "gemini", "/v1beta/models/sol:streamGenerateContent?alt=sse", ("x-goog-api-key", KEY)),
    ];
    for (wire, format, path, (header, value)) in table {
        // A server may answer in one piece to a request for events.
        let whole = (200, "application/json", data(format, "complete"));
        let stream = (200, "text/event-stream", data(format, "complete.sse"));
        let (base_url, seen) = start(vec![stream, whole]).await;
        let model = client(base_url, wire);
        for _ in 0..2 {
            let reply = model.ask(&prompt("diff")).await.unwrap();
            assert_eq!((reply.content.text(), &reply.finish), (ANSWER, &Finish::Complete), "{format}");
            assert_eq!(reply.usage.unwrap().input, 2006, "{format}");
            assert!(!String::from_utf8_lossy(&reply.request).contains(KEY));
        }
        let seen = seen.lock().unwrap();
        let (asked, headers, _) = &seen.asked[0];
        assert_eq!(*asked, format!("POST {path}"));
        assert_eq!(headers[header], value);
        let keys = headers.values().filter(|value| value.to_str().unwrap().contains(KEY)).count();
        assert_eq!(keys, 1, "{format}");
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(headers.get("anthropic-version").is_some(), wire == Wire::Anthropic);
    }
}

#[tokio::test]
async fn each_format_lists_models_at_its_own_address() {
    let table = [
        (Wire::OpenaiChat, "openai_chat", "/v1/models", "gpt-6.1-sol"),
        (Wire::OpenaiResponses, "openai_chat", "/v1/models", "gpt-6.1-sol"),
        (Wire::Anthropic, "anthropic", "/v1/models?limit=1000", "claude-sonnet-5-5"),
        (Wire::Gemini, "gemini", "/v1beta/models?pageSize=1000", "gemini-4-argon"),
    ];
    for (wire, format, path, name) in table {
        let (base_url, seen) = start(vec![(200, "application/json", data(format, "models"))]).await;
        let http = HttpClient::new(Limits::default(), None).unwrap();
        let names = list_models(&http, &base_url, wire, Some(&KEY.into()), http.deadline()).await.unwrap();
        assert!(names.contains(name), "{names:?}");
        assert_eq!(seen.lock().unwrap().asked[0].0, format!("GET {path}"));
    }
}

#[tokio::test]
async fn what_a_server_refuses_is_left_out_one_by_one_and_from_then_on() {
    let refusal = |name| (400, "application/json", data("openai_chat", name));
    let answers = vec![
        refusal("openai_unverified"),
        refusal("openai_no_breakpoint"),
        refusal("openai_temperature"),
        refusal("openai_bad_schema"),
        (200, "application/json", data("openai_chat", "complete")),
        (200, "application/json", data("openai_chat", "complete")),
    ];
    let (base_url, seen) = start(answers).await;
    let model = client(base_url, Wire::OpenaiChat);
    let mut prompt = prompt("diff task");
    prompt.cache_prefix = Some(5);
    for _ in 0..2 {
        assert_eq!(model.ask(&prompt).await.unwrap().finish, Finish::Complete);
    }
    let sent = |body: &Value| {
        [
            body["stream"] == json!(true),
            body.get("prompt_cache_key").is_some(),
            body.get("temperature").is_some(),
            body.get("response_format").is_some(),
        ]
    };
    let all: Vec<_> = seen.lock().unwrap().asked.iter().map(|(_, _, body)| sent(body)).collect();
    assert_eq!(
        all,
        [
            [true, true, true, true],
            [false, true, true, true],
            [false, false, true, true],
            [false, false, false, true],
            [false, false, false, false],
            [false, false, false, false],
        ]
    );
}

#[tokio::test]
async fn a_strict_servers_refusal_of_a_mark_is_understood_too() {
    let answers = vec![
        (422, "application/json", data("openai_chat", "vllm_no_breakpoint")),
        (200, "application/json", data("openai_chat", "complete")),
    ];
    let (base_url, seen) = start(answers).await;
    let mut prompt = prompt("diff task");
    prompt.cache_prefix = Some(5);
    assert!(client(base_url, Wire::OpenaiChat).ask(&prompt).await.is_ok());
    assert_eq!(seen.lock().unwrap().asked.len(), 2);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_stopped_in_every_format() {
    for wire in Wire::ALL {
        let (base_url, _) = start(vec![(200, "text/event-stream", vec![b' '; 50_000_000])]).await;
        let error = client(base_url, wire).ask(&prompt("diff")).await.err().unwrap();
        assert_eq!(class(&error), "too large", "{}", wire.name());
    }
}
