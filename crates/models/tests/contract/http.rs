//! The client over real HTTP, against a fake server that misbehaves as real ones do.

use std::error::Error as _;
use std::io::Write as _;
use std::time::Duration;

use models::{
    AnswerSchema, BaseUrl, Content, Delivery, Dialect, Endpoint, Finish, HttpClient, Limits, MaxTokensField,
    Message, Model, ModelError, Phase, PlainHttp, Prompt, PromptCacheField, Proxy, RemoteModel, Reply,
    StoreField, StructuredOutput, TemperatureField, Wire, list_models,
};
use review::Digest;
use serde_json::json;
use tokio::io::AsyncReadExt;

use crate::fake_models::{Behaviour, FakeModels};

const KEY: &str = "sk-canary-0123456789abcdef";

const LIMITS: Limits = Limits {
    connect: Duration::from_secs(5),
    idle: Duration::from_secs(10),
    total: Duration::from_secs(20),
    body_bytes: 256 * 1024,
};

const DIALECT: Dialect = Dialect {
    structured_output: StructuredOutput::JsonSchema,
    max_tokens_field: MaxTokensField::MaxTokens,
    store_field: StoreField::Absent,
    temperature: TemperatureField::Sent,
    prompt_cache: PromptCacheField::Absent,
    delivery: Delivery::Whole,
};

fn client(fake: &FakeModels, limits: Limits) -> RemoteModel {
    let endpoint = Endpoint {
        base_url: BaseUrl::parse(&fake.base_url(), PlainHttp::LoopbackOnly).unwrap(),
        key: Some(KEY.into()),
        wire: Wire::OpenaiChat,
        dialect: DIALECT,
    };
    RemoteModel::new(HttpClient::new(limits, None).unwrap(), endpoint, "sol")
}

fn prompt() -> Prompt {
    Prompt {
        system: "You review a change.".to_owned(),
        messages: vec![Message::User(
            "fn a_rather_long_line_of_source_code() -> u32 { 42 }\nelse {\t}".to_owned(),
        )],
        cache_prefix: None,
        tools: Vec::new(),
        answer: Some(AnswerSchema {
            name: "review".to_owned(),
            schema: json!({"type": "object", "properties": {"findings": {"type": "array", "items": {"type": "string"}}},
                "required": ["findings"], "additionalProperties": false}),
        }),
        max_output_tokens: 1000,
        temperature: None,
    }
}

/// Gives up soon where a reply has begun and does not go on.
const IMPATIENT: Limits = Limits { idle: Duration::from_millis(200), ..LIMITS };

async fn ask_once(limits: Limits, behaviour: Behaviour) -> Result<Reply, ModelError> {
    let fake = FakeModels::start().await;
    fake.expects_schema();
    fake.next("sol", behaviour);
    let result = client(&fake, limits).ask(&prompt()).await;
    fake.finish();
    result
}

async fn error_of(behaviour: Behaviour) -> ModelError {
    match ask_once(IMPATIENT, behaviour).await {
        Ok(_) => panic!("there is a reply"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_reply_comes_with_all_its_evidence() {
    let fake = FakeModels::start().await;
    fake.accepts_only(KEY);
    let usage = json!({"prompt_tokens": 100, "completion_tokens": 30, "total_tokens": 130,
        "prompt_tokens_details": {"cached_tokens": 60}, "completion_tokens_details": {"reasoning_tokens": 20}});
    let answer = Behaviour::Answer(json!({"findings": []}));
    fake.next(
        "sol",
        Behaviour::ServedAs(
            Some("sol-2026-11-01".to_owned()),
            Box::new(Behaviour::Used(usage, Box::new(answer))),
        ),
    );
    let reply = client(&fake, LIMITS).ask(&prompt()).await.unwrap();
    assert_eq!(reply.content.text(), r#"{"findings":[]}"#);
    assert_eq!(reply.finish, Finish::Complete);
    assert_eq!(reply.served_model.as_deref(), Some("sol-2026-11-01"));
    assert_eq!(reply.request_id.as_deref(), Some("req-oak"));
    let usage = reply.usage.unwrap();
    assert_eq!((usage.input, usage.cached_input, usage.output, usage.reasoning), (100, 60, 30, 20));
    let asked = &fake.requests()[0];
    assert_eq!(reply.request, asked.bytes);
    assert_eq!(reply.request_sha256, Digest::of(&asked.bytes));
    assert!(reply.raw.starts_with(b"{") && reply.raw.ends_with(b"}"));
    assert_eq!(asked.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(asked.headers["user-agent"], concat!("recuse/", env!("CARGO_PKG_VERSION")));
    fake.finish();
}

#[tokio::test]
async fn however_a_reply_ends_the_finish_says_so() {
    let answer = json!({"findings": ["one", "two", "three"]});
    let table = [
        (Behaviour::Answer(answer.clone()), Finish::Complete),
        (Behaviour::Prose(answer.clone()), Finish::Complete),
        (Behaviour::Fenced(answer.clone()), Finish::Complete),
        (Behaviour::duplicate_keys(), Finish::Complete),
        (Behaviour::truncated(&answer), Finish::Truncated),
        (Behaviour::filtered(), Finish::Filtered("content_filter".to_owned())),
        (Behaviour::Refuse("I cannot help.".to_owned()), Finish::Refused("I cannot help.".to_owned())),
        (
            Behaviour::Finish { reason: Some("pause_turn".to_owned()), text: "{}".to_owned() },
            Finish::Unknown("pause_turn".to_owned()),
        ),
        (Behaviour::Finish { reason: None, text: "{}".to_owned() }, Finish::Unknown("none".to_owned())),
        (Behaviour::CallTool { name: "read".to_owned(), arguments: json!({}) }, Finish::ToolCalls),
    ];
    for (behaviour, finish) in table {
        assert_eq!(ask_once(LIMITS, behaviour).await.unwrap().finish, finish);
    }
}

#[tokio::test]
async fn reasoning_is_not_part_of_the_answer_but_of_the_evidence() {
    let reply = ask_once(LIMITS, Behaviour::Reasoned(json!({"findings": []}))).await.unwrap();
    assert_eq!(reply.content.text(), r#"{"findings":[]}"#);
    assert!(String::from_utf8_lossy(&reply.raw).contains("Let me see"));
}

#[tokio::test]
async fn a_tool_call_and_its_result_make_a_conversation() {
    let fake = FakeModels::start().await;
    fake.next("sol", Behaviour::CallTool { name: "read".to_owned(), arguments: json!({"path": "a.rs"}) });
    fake.next("sol", Behaviour::Answer(json!({"findings": []})));
    let model = client(&fake, LIMITS);
    let mut prompt = prompt();
    prompt.tools.push(models::ToolSpec {
        name: "read".to_owned(),
        description: "Reads a file of the repository.".to_owned(),
        parameters: json!({"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"],
            "additionalProperties": false}),
    });
    let Content::ToolCalls { text, calls } = model.ask(&prompt).await.unwrap().content else {
        panic!("calls")
    };
    assert_eq!((calls[0].name.as_str(), calls[0].arguments.as_str()), ("read", r#"{"path":"a.rs"}"#));
    let call_id = calls[0].id.clone();
    prompt.messages.push(Message::Assistant { text, tool_calls: calls });
    prompt.messages.push(Message::ToolResult { call_id, content: "fn a() {}".to_owned() });
    assert_eq!(model.ask(&prompt).await.unwrap().finish, Finish::Complete);
    let second = &fake.requests()[1].body;
    assert_eq!(second["tools"][0]["function"]["name"], "read");
    assert_eq!(second["messages"][2]["tool_calls"][0]["function"]["arguments"], r#"{"path":"a.rs"}"#);
    fake.finish();
}

#[tokio::test]
async fn what_goes_wrong_on_the_wire_is_told_apart() {
    assert!(matches!(error_of(Behaviour::rate_limited(7)).await,
        ModelError::RateLimited { retry_after: Some(wait), .. } if wait == Duration::from_secs(7)));
    assert!(matches!(error_of(Behaviour::quota_exhausted()).await, ModelError::QuotaExhausted { .. }));
    assert!(matches!(error_of(Behaviour::overloaded()).await, ModelError::Overloaded { status: 529, .. }));
    assert!(matches!(error_of(Behaviour::WebPage).await,
        ModelError::NotJson { content_type, start } if content_type.starts_with("text/html") && start.contains("Sign in")));
    assert!(
        matches!(error_of(Behaviour::CutJson).await, ModelError::Protocol { detail } if detail.contains("cut off"))
    );
    assert!(matches!(error_of(Behaviour::Hangup).await, ModelError::Interrupted { .. }));
    assert!(matches!(error_of(Behaviour::StallInBody).await, ModelError::Timeout { phase: Phase::NextByte }));
    assert!(matches!(
        error_of(Behaviour::Huge(50_000_000)).await,
        ModelError::BodyTooLarge { limit: 262_144 }
    ));
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_at_the_total() {
    for behaviour in [Behaviour::Stall, Behaviour::After(Duration::from_secs(60), Box::new(Behaviour::Echo))]
    {
        let fake = FakeModels::start().await;
        fake.next("sol", behaviour);
        let hurried = Limits { total: Duration::from_millis(400), ..LIMITS };
        let result = client(&fake, hurried).ask(&prompt()).await;
        assert!(matches!(result, Err(ModelError::Timeout { phase: Phase::FirstByte })));
        fake.finish();
    }
}

#[tokio::test]
async fn a_slow_reply_is_not_an_idle_one() {
    // Silence before the reply is thinking; only the total ends it.
    let slow =
        Behaviour::After(Duration::from_millis(500), Box::new(Behaviour::Answer(json!({"findings": []}))));
    assert_eq!(ask_once(IMPATIENT, slow).await.unwrap().finish, Finish::Complete);
}

#[tokio::test]
async fn a_small_body_that_unpacks_to_a_large_one_is_stopped() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![b' '; 20_000_000]).unwrap();
    let body = encoder.finish().unwrap();
    assert!(body.len() < 50_000);
    let headers =
        vec![("content-type", "application/json".to_owned()), ("content-encoding", "gzip".to_owned())];
    let bomb = Behaviour::Raw { status: 200, headers, body: body.into() };
    assert!(matches!(error_of(bomb).await, ModelError::BodyTooLarge { .. }));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let fake = FakeModels::start().await;
    let elsewhere = FakeModels::start().await;
    let headers = vec![("location", format!("{}/chat/completions", elsewhere.base_url()))];
    for status in [301, 302, 303, 307, 308] {
        fake.next("sol", Behaviour::Raw { status, headers: headers.clone(), body: Default::default() });
        let error = client(&fake, LIMITS).ask(&prompt()).await.err().unwrap();
        assert!(matches!(error, ModelError::Protocol { .. }), "{error}");
        assert!(error.to_string().contains("redirects are not followed"));
    }
    assert!(elsewhere.requests().is_empty());
    fake.finish();
    elsewhere.finish();
}

#[tokio::test]
async fn a_server_without_schemas_is_asked_without_from_then_on() {
    let fake = FakeModels::start().await;
    fake.answers_with("sol", |asked| match asked.body.get("response_format") {
        Some(_) => Behaviour::no_schema(),
        None => Behaviour::Answer(json!({"findings": []})),
    });
    let model = client(&fake, LIMITS);
    for _ in 0..2 {
        assert_eq!(model.ask(&prompt()).await.unwrap().finish, Finish::Complete);
    }
    let with_schema: Vec<_> =
        fake.requests().iter().map(|asked| asked.body.get("response_format").is_some()).collect();
    assert_eq!(with_schema, [true, false, false]);
    fake.finish();
}

#[tokio::test]
async fn a_server_that_goes_on_refusing_is_not_asked_for_ever() {
    let fake = FakeModels::start().await;
    fake.always("sol", Behaviour::no_schema());
    let result = client(&fake, LIMITS).ask(&prompt()).await;
    assert!(matches!(result, Err(ModelError::Unsupported { .. })));
    assert_eq!(fake.requests().len(), 2);
    fake.finish();
}

#[tokio::test]
async fn callers_who_meet_a_server_without_schemas_together_all_get_their_reply() {
    let fake = FakeModels::start().await;
    fake.answers_with("sol", |asked| match asked.body.get("response_format") {
        Some(_) => Behaviour::After(Duration::from_millis(50), Box::new(Behaviour::no_schema())),
        None => Behaviour::Answer(json!({"findings": []})),
    });
    let model = client(&fake, LIMITS);
    let prompt = prompt();
    let replies = futures::future::join_all((0..4).map(|_| model.ask(&prompt))).await;
    assert!(replies.iter().all(Result::is_ok));
    assert_eq!(fake.requests().len(), 8);
    fake.finish();
}

#[tokio::test]
async fn neither_key_nor_prompt_nor_address_gets_into_an_error() {
    let fake = FakeModels::start().await;
    let address = fake.base_url();
    let key_in_error =
        Behaviour::error(401, "invalid_api_key", &format!("Incorrect API key provided: {KEY}."));
    let page_with_key = Behaviour::Raw {
        status: 200,
        headers: vec![("content-type", "text/html".to_owned())],
        body: format!("<p>You sent {KEY}</p>").into(),
    };
    let behaviours = [
        key_in_error,
        page_with_key,
        Behaviour::EchoAsError,
        Behaviour::Hangup,
        Behaviour::StallInBody,
        Behaviour::CutJson,
        Behaviour::rate_limited(1),
    ];
    let mut told = Vec::new();
    for behaviour in behaviours {
        fake.next("sol", behaviour);
        told.push(client(&fake, IMPATIENT).ask(&prompt()).await.err().unwrap());
    }
    fake.finish();
    // And one where nobody listens any more.
    let endpoint = Endpoint {
        base_url: BaseUrl::parse(&address, PlainHttp::LoopbackOnly).unwrap(),
        key: Some(KEY.into()),
        wire: Wire::OpenaiChat,
        dialect: DIALECT,
    };
    let gone = RemoteModel::new(HttpClient::new(LIMITS, None).unwrap(), endpoint, "sol");
    told.push(gone.ask(&prompt()).await.err().unwrap());
    assert!(matches!(told.last(), Some(ModelError::Connect { .. })));
    for error in told {
        let mut text = format!("{error} {error:?}");
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(&format!(" {cause} {cause:?}"));
            source = cause.source();
        }
        assert!(!text.contains(KEY), "{text}");
        assert!(!text.contains("a_rather_long_line"), "{text}");
        assert!(!text.contains("chat/completions"), "{text}");
        assert!(text.len() < 3000, "{text}");
    }
}

#[tokio::test]
async fn https_goes_through_the_proxy_and_loopback_http_does_not() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 1024];
        let length = stream.read(&mut head).await.unwrap();
        String::from_utf8_lossy(&head[..length]).into_owned()
    });
    let list = |proxy: Proxy, base_url: &str| {
        let base_url = BaseUrl::parse(base_url, PlainHttp::LoopbackOnly).unwrap();
        let http = HttpClient::new(LIMITS, Some(&proxy)).unwrap();
        async move { list_models(&http, &base_url, Wire::OpenaiChat, Some(&KEY.into()), http.deadline()).await }
    };
    let fake = FakeModels::start().await;
    fake.always("sol", Behaviour::Echo);
    let proxy = Proxy { url: url.into(), except: "127.0.0.2, shop.example".to_owned() };
    // Neither of these gets to the proxy, which takes one connection only.
    assert!(list(proxy.clone(), &fake.base_url()).await.unwrap().contains("sol"));
    assert!(matches!(list(proxy.clone(), "https://127.0.0.2:1").await, Err(ModelError::Connect { .. })));
    // This one does, and the proxy hangs up. It learns the host and nothing else.
    assert!(list(proxy, "https://models.example").await.is_err());
    let head = asked.await.unwrap();
    assert!(head.starts_with("CONNECT models.example:443 HTTP/1.1"), "{head}");
    assert!(!head.contains(KEY));
    fake.finish();
}

#[tokio::test]
async fn the_models_of_a_server_are_listed() {
    let fake = FakeModels::start().await;
    fake.accepts_only(KEY);
    fake.always("terra", Behaviour::Echo);
    fake.always("models/argon", Behaviour::Echo);
    let http = HttpClient::new(LIMITS, None).unwrap();
    let base_url = BaseUrl::parse(&fake.base_url(), PlainHttp::LoopbackOnly).unwrap();
    let names =
        list_models(&http, &base_url, Wire::OpenaiChat, Some(&KEY.into()), http.deadline()).await.unwrap();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["argon", "terra"]);
    let refused = list_models(&http, &base_url, Wire::OpenaiChat, None, http.deadline()).await;
    assert!(matches!(refused, Err(ModelError::Authentication { status: 401, .. })));
    fake.finish();
}

#[tokio::test]
async fn the_fake_notices_what_a_request_must_not_be() {
    let fake = FakeModels::start().await;
    fake.plant_canary("AKIAPLANTEDPLANTED00");
    fake.expects_schema();
    fake.always("sol", Behaviour::Echo);
    let model = client(&fake, LIMITS);
    let mut wrong = prompt();
    wrong.messages = vec![Message::User(format!("key = {KEY}\nid = AKIAPLANTEDPLANTED00"))];
    wrong.answer = None;
    wrong.max_output_tokens = 100_000;
    assert!(model.ask(&wrong).await.unwrap().content.text().contains("AKIAPLANTEDPLANTED00"));
    let mut violations = fake.take_violations();
    violations.sort();
    assert_eq!(
        violations,
        [
            "request oak: it has no strict schema",
            "request oak: its body holds AKIAPLANTEDPLANTED00",
            "request oak: its body holds the key",
            "request oak: its output limit is 100000",
        ]
    );
    fake.finish();
}
