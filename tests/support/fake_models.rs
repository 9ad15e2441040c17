//! A fake of an OpenAI-compatible server, in the test's own process: state, switches and a long memory.
//!
//! Each model has a script: a queue of behaviours, then a standing one. Whatever it is asked, it writes down what must
//! hold of every request (see [`FakeModels::finish`], which every test calls at its end): a known route, a model that
//! has a script, a limit on the output, the schema where one is expected, and no key and no canary in the body.

#![allow(dead_code, reason = "each test binary uses its own part of the fake")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::convert::Infallible;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// What the server does when a model is asked.
#[derive(Clone)]
pub(crate) enum Behaviour {
    /// Answers with this JSON as its text.
    Answer(Value),
    /// Answers with this text.
    Say(String),
    /// Answers with this JSON and prose round it.
    Prose(Value),
    /// Answers with this JSON in a code fence, with prose round it.
    Fenced(Value),
    /// Answers with this JSON behind reasoning: a `<think>` block, and the field that some servers have for it.
    Reasoned(Value),
    /// Asks for a tool.
    CallTool {
        /// The tool.
        name: String,
        /// The arguments.
        arguments: Value,
    },
    /// Says this text and ends with this `finish_reason`.
    Finish {
        /// As on the wire; `None` is null.
        reason: Option<String>,
        /// What was said until then.
        text: String,
    },
    /// Declines in `message.refusal`.
    Refuse(String),
    /// Answers as another behaviour, under another model's name; `None` leaves the name out.
    ServedAs(Option<String>, Box<Self>),
    /// Answers as another behaviour, with this `usage`; null leaves it out.
    Used(Value, Box<Self>),
    /// Answers with all that it was sent.
    Echo,
    /// Refuses the request with 400 and all that it was sent as the message.
    EchoAsError,
    /// Waits, then does something else.
    After(Duration, Box<Self>),
    /// Answers with exactly this.
    Raw {
        /// The status.
        status: u16,
        /// Headers.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: Bytes,
    },
    /// A web page with status 200, as a captive portal has it.
    WebPage,
    /// JSON that ends in the middle, in a whole HTTP answer.
    CutJson,
    /// Breaks the connection in the middle of the body.
    Hangup,
    /// Never answers.
    Stall,
    /// Begins to answer and never goes on.
    StallInBody,
    /// A body of this many bytes.
    Huge(usize),
}

impl Behaviour {
    /// An error as OpenAI words it.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        let body = json!({"error": {"message": message, "type": code, "param": null, "code": code}});
        Self::json(status, &[], &body)
    }

    /// 429 until so many seconds have passed.
    pub(crate) fn rate_limited(retry_after_seconds: u64) -> Self {
        let body = json!({"error": {"message": "Rate limit reached for requests", "type": "requests", "param": null,
            "code": "rate_limit_exceeded"}});
        Self::json(429, &[("retry-after", &retry_after_seconds.to_string())], &body)
    }

    /// 429 that waiting does not help.
    pub(crate) fn quota_exhausted() -> Self {
        Self::error(429, "insufficient_quota", "You exceeded your current quota")
    }

    /// 529, as Anthropic words it.
    pub(crate) fn overloaded() -> Self {
        let body = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
        Self::json(529, &[], &body)
    }

    /// 400, as a server words it that does not know `response_format`.
    pub(crate) fn no_schema() -> Self {
        let body = json!({"error": {"message": "This model does not support response_format json_schema",
            "type": "invalid_request_error", "param": "response_format", "code": null}});
        Self::json(400, &[], &body)
    }

    /// JSON in which a key is there twice, with another value.
    pub(crate) fn duplicate_keys() -> Self {
        Self::Say(r#"{"findings":[{"file":"a.rs"}],"findings":[],"covered":true,"covered":false}"#.to_owned())
    }

    /// Runs out of output tokens in the middle of this JSON.
    pub(crate) fn truncated(answer: &Value) -> Self {
        let text = answer.to_string();
        let half = (0..=text.len() / 2).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        Self::Finish { reason: Some("length".to_owned()), text: text[..half].to_owned() }
    }

    /// The provider's filter steps in.
    pub(crate) fn filtered() -> Self {
        Self::Finish { reason: Some("content_filter".to_owned()), text: String::new() }
    }

    fn json(status: u16, headers: &[(&'static str, &str)], body: &Value) -> Self {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let headers = headers.chain([("content-type", "application/json".to_owned())]).collect();
        Self::Raw { status, headers, body: body.to_string().into() }
    }
}

/// A request as it came in.
#[derive(Clone)]
pub(crate) struct Asked {
    /// A word for it: the first is `oak`.
    pub(crate) id: String,
    /// The model.
    pub(crate) model: String,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body as bytes.
    pub(crate) bytes: Bytes,
    /// The body as JSON.
    pub(crate) body: Value,
    /// When it came, since the server began.
    pub(crate) at: Duration,
}

impl Asked {
    /// All texts of all messages.
    pub(crate) fn text(&self) -> String {
        let messages = self.body["messages"].as_array().into_iter().flatten();
        messages.filter_map(|message| message["content"].as_str()).collect::<Vec<_>>().join("\n")
    }
}

type Answerer = Arc<dyn Fn(&Asked) -> Behaviour + Send + Sync>;

#[derive(Default)]
struct Script {
    queue: VecDeque<Behaviour>,
    standing: Option<Answerer>,
}

struct World {
    began: Instant,
    scripts: BTreeMap<String, Script>,
    key: Option<String>,
    canaries: BTreeSet<String>,
    expects_schema: bool,
    requests: Vec<Asked>,
    violations: Vec<String>,
}

/// The server. It stops when it is dropped.
pub(crate) struct FakeModels {
    address: String,
    world: Arc<Mutex<World>>,
    server: JoinHandle<()>,
    finished: bool,
}

impl FakeModels {
    /// Starts a server that knows no model yet.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port on the loopback");
        let address = listener.local_addr().expect("a bound address").to_string();
        let world = Arc::new(Mutex::new(World {
            began: Instant::now(),
            scripts: BTreeMap::new(),
            key: None,
            canaries: BTreeSet::new(),
            expects_schema: false,
            requests: Vec::new(),
            violations: Vec::new(),
        }));
        let router = Router::new().fallback(serve).with_state(world.clone());
        let server =
            tokio::spawn(async move { axum::serve(listener, router).await.expect("the server runs") });
        Self { address, world, server, finished: false }
    }

    /// What a client is given as its base URL.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Does this once when a model is asked, after what is queued already.
    pub(crate) fn next(&self, model: &str, behaviour: Behaviour) {
        self.world().scripts.entry(model.to_owned()).or_default().queue.push_back(behaviour);
    }

    /// Does this whenever a model is asked and nothing is queued.
    pub(crate) fn always(&self, model: &str, behaviour: Behaviour) {
        self.answers_with(model, move |_| behaviour.clone());
    }

    /// Decides by the request whenever a model is asked and nothing is queued.
    pub(crate) fn answers_with(
        &self,
        model: &str,
        answerer: impl Fn(&Asked) -> Behaviour + Send + Sync + 'static,
    ) {
        self.world().scripts.entry(model.to_owned()).or_default().standing = Some(Arc::new(answerer));
    }

    /// Accepts only this key; any other is answered with 401.
    pub(crate) fn accepts_only(&self, key: &str) {
        self.world().key = Some(key.to_owned());
    }

    /// A text that must never be in a request's body.
    pub(crate) fn plant_canary(&self, canary: &str) {
        self.world().canaries.insert(canary.to_owned());
    }

    /// From now on, every request must carry a strict schema for its answer.
    pub(crate) fn expects_schema(&self) {
        self.world().expects_schema = true;
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Asked> {
        self.world().requests.clone()
    }

    /// What was wrong with requests so far, forgotten from then on: for tests that are about a wrong request.
    pub(crate) fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.world().violations)
    }

    /// Checks that every request was as it must be, and that no queued behaviour is left over.
    pub(crate) fn finish(mut self) {
        self.finished = true;
        let world = self.world();
        let left = world.scripts.iter().filter(|(_, script)| !script.queue.is_empty());
        let left =
            left.map(|(model, script)| format!("{model} was not asked {} more times", script.queue.len()));
        let wrong: Vec<_> = world.violations.iter().cloned().chain(left).collect();
        drop(world);
        assert!(wrong.is_empty(), "the fake models saw:\n{}", wrong.join("\n"));
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no test panics while it holds the lock")
    }
}

impl Drop for FakeModels {
    fn drop(&mut self) {
        self.server.abort();
        assert!(
            self.finished || std::thread::panicking(),
            "the test did not call finish() on its fake models"
        );
    }
}

type Answer = Response<Body>;

async fn serve(State(world): State<Arc<Mutex<World>>>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    // Larger than any prompt that may be sent.
    let bytes = axum::body::to_bytes(body, 64 * 1024 * 1024).await.unwrap_or_default();
    let decided = {
        let mut world = world.lock().expect("no test panics while it holds the lock");
        world.decide(&parts.method, &parts.uri, &parts.headers, bytes)
    };
    match decided {
        Decided::Answered(answer) => answer,
        Decided::Behave(asked, behaviour) => behave(&asked, behaviour).await,
    }
}

enum Decided {
    Answered(Answer),
    Behave(Asked, Behaviour),
}

impl World {
    fn decide(&mut self, method: &Method, uri: &Uri, headers: &HeaderMap, bytes: Bytes) -> Decided {
        let key = headers.get("authorization").and_then(|value| value.to_str().ok());
        let key = key.and_then(|value| value.strip_prefix("Bearer "));
        if let Some(query) = uri.query() {
            self.violations.push(format!("{method} {} has the query {query}", uri.path()));
        }
        match (method.as_str(), uri.path()) {
            ("GET", "/v1/models" | "/v1/chat/completions") | ("POST", "/v1/chat/completions")
                if self.key.as_deref().is_some_and(|wanted| key != Some(wanted)) =>
            {
                let masked = key.map(|key| format!("{}****", &key[..key.len().min(3)])).unwrap_or_default();
                let message = format!("Incorrect API key provided: {masked}.");
                let body = json!({"error": {"message": message, "type": "invalid_request_error", "param": null,
                    "code": "invalid_api_key"}});
                Decided::Answered(json_answer(401, &body))
            }
            ("GET", "/v1/models") => {
                let models: Vec<_> =
                    self.scripts.keys().map(|name| json!({"id": name, "object": "model"})).collect();
                Decided::Answered(json_answer(200, &json!({"object": "list", "data": models})))
            }
            ("POST", "/v1/chat/completions") => self.chat(headers, key, bytes),
            (method, path) => {
                self.violations.push(format!("{method} {path} is not a route of this API"));
                Decided::Answered(json_answer(404, &json!({"error": {"message": "Not found", "code": null}})))
            }
        }
    }

    fn chat(&mut self, headers: &HeaderMap, key: Option<&str>, bytes: Bytes) -> Decided {
        let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let asked = Asked {
            id: word(self.requests.len()),
            model: body["model"].as_str().unwrap_or_default().to_owned(),
            headers: headers.clone(),
            bytes,
            body,
            at: self.began.elapsed(),
        };
        let mut wrong = wrong_with_body(&asked.body);
        if headers.get("content-type").is_none_or(|value| value != "application/json") {
            wrong.push("its content type is not application/json".to_owned());
        }
        let text = format!("{}\n{}", String::from_utf8_lossy(&asked.bytes), asked.text());
        if key.is_some_and(|key| text.contains(key)) {
            wrong.push("its body holds the key".to_owned());
        }
        wrong.extend(
            self.canaries
                .iter()
                .filter(|&canary| text.contains(canary))
                .map(|c| format!("its body holds {c}")),
        );
        if self.expects_schema {
            wrong.extend(wrong_with_schema(&asked.body["response_format"]));
        }
        self.requests.push(asked.clone());
        self.violations.extend(wrong.iter().map(|what| format!("request {}: {what}", asked.id)));
        let Some(script) = self.scripts.get_mut(&asked.model) else {
            self.violations.push(format!("request {}: nobody expects the model {:?}", asked.id, asked.model));
            let message = format!("The model `{}` does not exist", asked.model);
            let body = json!({"error": {"message": message, "type": "invalid_request_error", "param": null,
                "code": "model_not_found"}});
            return Decided::Answered(json_answer(404, &body));
        };
        let standing = script.standing.clone();
        match script.queue.pop_front().or_else(|| standing.map(|answerer| answerer(&asked))) {
            Some(behaviour) => Decided::Behave(asked, behaviour),
            None => {
                self.violations
                    .push(format!("request {}: the script of {} is at its end", asked.id, asked.model));
                Decided::Answered(json_answer(500, &json!({"error": {"message": "end of the script"}})))
            }
        }
    }
}

/// What must hold of every request.
fn wrong_with_body(body: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    if !body.is_object() {
        return vec!["its body is not a JSON object".to_owned()];
    }
    if body["model"].as_str().is_none_or(str::is_empty) {
        wrong.push("it names no model".to_owned());
    }
    let limits: Vec<_> =
        ["max_tokens", "max_completion_tokens"].iter().filter_map(|field| body.get(field)).collect();
    match limits.as_slice() {
        [limit] if limit.as_u64().is_some_and(|limit| (1..=16_384).contains(&limit)) => {}
        [limit] => wrong.push(format!("its output limit is {limit}")),
        [] => wrong.push("it has no output limit".to_owned()),
        _ => wrong.push("it has two output limits".to_owned()),
    }
    if body["stream"] == true {
        wrong.push("it asks for a stream".to_owned());
    }
    let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    if messages.is_empty() {
        wrong.push("it has no messages".to_owned());
    }
    let mut calls = BTreeSet::new();
    for message in messages {
        match message["role"].as_str().unwrap_or_default() {
            "system" | "user" if message["content"].is_string() => {}
            "assistant" => {
                for call in message["tool_calls"].as_array().into_iter().flatten() {
                    calls.insert(call["id"].to_string());
                }
            }
            "tool" if calls.contains(&message["tool_call_id"].to_string()) => {}
            role => wrong.push(format!("a message of role {role:?} is out of place")),
        }
    }
    wrong
}

/// What OpenAI's strict mode asks of a schema.
fn wrong_with_schema(format: &Value) -> Vec<String> {
    if format["type"] != "json_schema" || format["json_schema"]["strict"] != true {
        return vec!["it has no strict schema".to_owned()];
    }
    let schema = &format["json_schema"]["schema"];
    let mut wrong = Vec::new();
    if let Err(error) = jsonschema::meta::validate(schema) {
        wrong.push(format!("its schema is not a JSON schema: {error}"));
    }
    let mut rest = vec![schema];
    while let Some(node) = rest.pop() {
        if let Some(properties) = node["properties"].as_object() {
            let required: BTreeSet<_> =
                node["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            if node["additionalProperties"] != false
                || properties.keys().any(|name| !required.contains(&**name))
            {
                wrong.push("its schema has an object that is not closed".to_owned());
            }
        }
        rest.extend(node.as_array().into_iter().flatten());
        rest.extend(node.as_object().into_iter().flat_map(|object| object.values()));
    }
    wrong
}

async fn behave(asked: &Asked, mut behaviour: Behaviour) -> Answer {
    let mut served = Some(asked.model.clone());
    let input = asked.bytes.len() / 3;
    let mut usage = Value::Null;
    let mut usage_is_set = false;
    loop {
        behaviour = match behaviour {
            Behaviour::After(time, then) => {
                sleep(time).await;
                *then
            }
            Behaviour::ServedAs(name, then) => {
                served = name;
                *then
            }
            Behaviour::Used(other, then) => {
                (usage, usage_is_set) = (other, true);
                *then
            }
            done => {
                behaviour = done;
                break;
            }
        };
    }
    let chat = |message: Value, reason: Option<&str>| {
        let output = message.to_string().len() / 3;
        let counted =
            json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output});
        let mut body = json!({"id": format!("chatcmpl-{}", asked.id), "object": "chat.completion", "created": 1,
            "choices": [{"index": 0, "message": message, "finish_reason": reason}]});
        if let Some(name) = &served {
            body["model"] = json!(name);
        }
        match (usage_is_set, usage.is_null()) {
            (true, true) => {}
            (true, false) => body["usage"] = usage.clone(),
            (false, _) => body["usage"] = counted,
        }
        let mut answer = json_answer(200, &body);
        let id = format!("req-{}", asked.id).parse().expect("a word is a header");
        answer.headers_mut().insert("x-request-id", id);
        answer
    };
    let say = |text: &str| chat(json!({"role": "assistant", "content": text}), Some("stop"));
    match behaviour {
        Behaviour::Answer(value) => say(&value.to_string()),
        Behaviour::Say(text) => say(&text),
        Behaviour::Prose(value) => {
            say(&format!("Here is my review.\n\n{value}\n\nLet me know {{if}} you need more!"))
        }
        Behaviour::Fenced(value) => say(&format!("Sure!\n```json\n{value}\n```\nAnything else?")),
        Behaviour::Reasoned(value) => chat(
            json!({"role": "assistant", "reasoning_content": "Hmm {\"findings\": 1}",
                "content": format!("<think>\nLet me see {{\"findings\": [1]}}\n</think>\n\n{value}")}),
            Some("stop"),
        ),
        Behaviour::CallTool { name, arguments } => {
            let call = json!({"id": format!("call-{}", asked.id), "type": "function",
                "function": {"name": name, "arguments": arguments.to_string()}});
            chat(json!({"role": "assistant", "content": null, "tool_calls": [call]}), Some("tool_calls"))
        }
        Behaviour::Finish { reason, text } => {
            chat(json!({"role": "assistant", "content": text}), reason.as_deref())
        }
        Behaviour::Refuse(words) => {
            chat(json!({"role": "assistant", "content": null, "refusal": words}), Some("stop"))
        }
        Behaviour::Echo => say(&asked.text()),
        Behaviour::EchoAsError => {
            let message = format!("Invalid input: {}", asked.text());
            json_answer(400, &json!({"error": {"message": message, "type": "invalid_request_error"}}))
        }
        Behaviour::Raw { status, headers, body } => {
            let builder = Response::builder().status(status);
            let builder =
                headers.into_iter().fold(builder, |builder, (name, value)| builder.header(name, value));
            builder.body(Body::from(body)).expect("the test gave a valid answer")
        }
        Behaviour::WebPage => {
            let page =
                "<!DOCTYPE html><html><title>Sign in</title><body>Sign in to the network</body></html>";
            let builder = Response::builder().header("content-type", "text/html; charset=utf-8");
            builder.body(Body::from(page)).expect("a fixed answer")
        }
        Behaviour::CutJson => {
            let builder = Response::builder().header("content-type", "application/json");
            builder
                .body(Body::from(r#"{"id":"chatcmpl-cut","choices":[{"message":{"con"#))
                .expect("a fixed answer")
        }
        Behaviour::Hangup => {
            let broken = std::io::Error::other("the fake hangs up");
            let parts = stream::iter([Ok(Bytes::from_static(b"{\"id\":\"chatcmpl-")), Err(broken)]);
            // A turn of the runtime lets the first part leave before the connection breaks.
            streamed(parts.then(|part| async {
                tokio::task::yield_now().await;
                part
            }))
        }
        Behaviour::Stall => pending().await,
        Behaviour::StallInBody => {
            let begun = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{\"id\":"))]);
            streamed(begun.chain(stream::pending()))
        }
        Behaviour::Huge(bytes) => {
            let spaces = Bytes::from(vec![b' '; 64 * 1024]);
            let chunks = bytes.div_ceil(spaces.len());
            streamed(stream::repeat(spaces).take(chunks).map(Ok::<_, Infallible>))
        }
        Behaviour::After(..) | Behaviour::ServedAs(..) | Behaviour::Used(..) => {
            unreachable!("the loop above has taken it off")
        }
    }
}

fn streamed<E: Into<axum::BoxError> + 'static>(
    parts: impl stream::Stream<Item = Result<Bytes, E>> + Send + 'static,
) -> Answer {
    let builder = Response::builder().header("content-type", "application/json");
    builder.body(Body::from_stream(parts)).expect("a fixed answer")
}

fn json_answer(status: u16, body: &Value) -> Answer {
    let status = StatusCode::from_u16(status).expect("a status");
    let builder = Response::builder().status(status).header("content-type", "application/json");
    builder.body(Body::from(body.to_string())).expect("a fixed answer")
}

/// A word for a number, so that an id in a failed test can be told from another.
fn word(number: usize) -> String {
    const WORDS: [&str; 12] =
        ["oak", "elm", "fir", "ash", "yew", "bay", "fig", "box", "may", "nut", "rue", "hop"];
    match number / WORDS.len() {
        0 => WORDS[number].to_owned(),
        round => format!("{}-{}", WORDS[number % WORDS.len()], WORDS[(round - 1) % WORDS.len()]),
    }
}
