//! The fake's door: connections, who calls, what goes wrong, and the record of it all.

use std::convert::Infallible;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, Response, StatusCode};
use futures::{StreamExt as _, stream};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::endpoint::{Endpoint, Target};
use super::fault::{Elsewhere, Fault, When};
use super::git_http;
use super::record;
use super::web;
use super::world::{AnswerBody, Answered, Call, World, now};

/// The version that every call must name.
const API_VERSION: &str = "2022-11-28";

/// What everything in the fake has a hand on.
#[derive(Clone)]
pub(crate) struct Shared {
    world: Arc<Mutex<World>>,
    pub(crate) runtime: Handle,
    pub(crate) client: reqwest::Client,
    /// `http://127.0.0.1:PORT`.
    pub(crate) root: String,
    /// What stands before the API's paths: empty, or `/api/v3`.
    pub(crate) prefix: &'static str,
    /// Another server's address.
    pub(crate) other_host: String,
}

/// The connection is closed instead of an answer.
#[derive(Debug, thiserror::Error)]
#[error("the fake hangs up")]
pub(crate) struct HangUp;

type Reply = Result<Response<Body>, HangUp>;

impl Shared {
    pub(crate) fn new(
        world: World,
        runtime: Handle,
        root: String,
        prefix: &'static str,
        other_host: String,
    ) -> Self {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build();
        let client = client.expect("a client");
        Self { world: Arc::new(Mutex::new(world)), runtime, client, root, prefix, other_host }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no test panics while it holds the lock")
    }
}

/// Takes connections until it is dropped, which ends them all.
pub(crate) async fn accept(listener: TcpListener, shared: Shared) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        let shared = shared.clone();
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let shared = shared.clone();
                async move { serve(&shared, request).await }
            });
            // Whoever hangs up, we or they, meant it.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// The other server: whatever it is asked, it notes whether a credential came along.
pub(crate) async fn accept_elsewhere(listener: TcpListener, shared: Shared) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        let shared = shared.clone();
        connections.spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                if request.headers().contains_key("authorization") {
                    shared.world().violations.push("another server was sent a credential".to_owned());
                }
                async { Ok::<_, Infallible>(Response::new(Body::from("{}"))) }
            });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn serve(shared: &Shared, request: Request<Incoming>) -> Reply {
    let (parts, body) = request.into_parts();
    // Larger than anything that may be sent.
    let body = axum::body::to_bytes(Body::new(body), 16 * 1024 * 1024).await.map_err(|_| HangUp)?;
    if let Some(page) = web::serve(shared, &parts, &body) {
        return Ok(page);
    }
    let path = parts.uri.path().to_owned();
    let Some(below) = path.strip_prefix(shared.prefix).filter(|_| !path.contains(".git/")) else {
        return git_http::serve(shared, &parts, body).await;
    };
    let accept = parts.headers.get("accept").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let target = Target::of(&parts.method, below, accept);
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let full = if query.is_empty() { path.clone() } else { format!("{path}?{query}") };
    let json: Value =
        if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap_or_default() };
    let authorization =
        parts.headers.get("authorization").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut call = Call {
        endpoint: target.as_ref().map(|target| target.endpoint),
        method: parts.method.to_string(),
        path: full.clone(),
        permissions: Vec::new(),
        body: json.clone(),
    };
    let Some(target) = target else {
        let mut world = shared.world();
        world.violations.push(format!("{} {path} is off the list", parts.method));
        world.calls.push(call);
        drop(world);
        return Ok(reply(shared, Answered::not_found()));
    };
    let endpoint = target.endpoint;
    let (number, caller, fault, mut gate, delay) = {
        let mut world = shared.world();
        wrong_with_headers(&parts.headers, &format!("{} {path}", parts.method), &mut world.violations);
        let caller = world.caller(endpoint.right(), authorization.as_deref());
        if let Ok(caller) = &caller {
            call.permissions = caller.permissions();
        }
        world.calls.push(call);
        world.calls_begun += 1;
        let number = world.calls_begun;
        let (fault, gate) = (world.switches.take_fault(endpoint), world.switches.take_gate(endpoint));
        (number, caller, fault, gate, world.switches.delay)
    };
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    if let Some(gate) = &mut gate {
        gate.pass(When::BeforeEffect).await;
    }
    let act = || {
        let answer = match caller {
            Ok(caller) => {
                let etag = parts.headers.get("if-none-match").and_then(|value| value.to_str().ok());
                let authorization = authorization.as_deref();
                let asked = Asking {
                    number_of_call: number,
                    target: &target,
                    query: &query,
                    etag,
                    authorization,
                    body: &json,
                };
                shared.act(&caller, &asked)
            }
            Err(refusal) => refusal,
        };
        record::answer(endpoint, &answer);
        answer
    };
    let answer = match fault {
        None => Ok(reply(shared, act())),
        Some(Fault::ClosedBeforeEffect) => Err(HangUp),
        Some(Fault::ClosedAfterEffect) => {
            act();
            Err(HangUp)
        }
        Some(Fault::SilentBeforeEffect) => pending().await,
        Some(Fault::SilentAfterEffect) => {
            act();
            pending().await
        }
        Some(Fault::StatusAfterEffect(status)) => {
            act();
            Ok(reply(shared, Answered::message(status, "Server Error")))
        }
        Some(Fault::CutJson) => {
            act();
            Ok(raw(
                200,
                &[("content-type", "application/json; charset=utf-8")],
                Body::from("{\"id\": 1, \"nam"),
            ))
        }
        Some(Fault::CutBody) => Ok(cut()),
        Some(Fault::Status(status)) => Ok(reply(shared, Answered::message(status, "The fake says no"))),
        Some(Fault::TooLarge) => {
            let message = "Sorry, the diff exceeded the maximum number of files (300).";
            Ok(reply(shared, Answered::message(406, message)))
        }
        Some(Fault::PrimaryLimit { status, reset_in }) => {
            let mut answer = Answered::message(status, "API rate limit exceeded for installation ID 9.");
            answer.headers.push(("x-ratelimit-remaining", "0".to_owned()));
            answer.headers.push(("x-ratelimit-reset", (now() + reset_in).to_string()));
            Ok(reply(shared, answer))
        }
        Some(Fault::SecondaryLimit { status, retry_after }) => {
            let mut answer = Answered::message(status, "You have exceeded a secondary rate limit.");
            answer.headers.extend(retry_after.map(|seconds| ("retry-after", seconds.to_string())));
            Ok(reply(shared, answer))
        }
        Some(Fault::Html) => {
            let page =
                "<!DOCTYPE html><html><title>Sign in</title><body>Sign in to the network</body></html>";
            Ok(raw(200, &[("content-type", "text/html; charset=utf-8")], Body::from(page)))
        }
        Some(Fault::Huge(bytes)) => Ok(huge(bytes)),
        Some(Fault::Redirect { status, to }) => {
            let host = match to {
                Elsewhere::SameHost => &shared.root,
                Elsewhere::OtherHost => &shared.other_host,
            };
            Ok(raw(status, &[("location", &format!("{host}{full}"))], Body::empty()))
        }
    };
    if let Some(gate) = &mut gate {
        gate.pass(When::AfterEffect).await;
    }
    answer
}

/// What a call asks, beside who makes it.
pub(crate) struct Asking<'a> {
    /// Which call it is, since the beginning.
    pub(crate) number_of_call: u64,
    pub(crate) target: &'a Target,
    pub(crate) query: &'a str,
    pub(crate) etag: Option<&'a str>,
    pub(crate) authorization: Option<&'a str>,
    pub(crate) body: &'a Value,
}

impl Asking<'_> {
    /// A parameter of the query.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let url = reqwest::Url::parse(&format!("http://x/?{}", self.query)).expect("a query");
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The nth place of the path as a number.
    pub(crate) fn number(&self) -> u64 {
        self.target.captures.first().and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// The first place of the path.
    pub(crate) fn name(&self) -> &str {
        self.target.captures.first().map_or("", String::as_str)
    }
}

fn wrong_with_headers(headers: &HeaderMap, call: &str, violations: &mut Vec<String>) {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if header("x-github-api-version") != API_VERSION {
        violations.push(format!("{call} names the API's version {:?}", header("x-github-api-version")));
    }
    if !header("user-agent").starts_with("recuse/") {
        violations.push(format!("{call} comes from {:?}", header("user-agent")));
    }
    if !header("accept").starts_with("application/vnd.github") {
        violations.push(format!("{call} accepts {:?}", header("accept")));
    }
}

pub(crate) fn reply(shared: &Shared, answered: Answered) -> Response<Body> {
    let (content_type, body) = match answered.body {
        AnswerBody::Json(_) if answered.status == 304 => ("", Body::empty()),
        AnswerBody::Json(value) => ("application/json; charset=utf-8", Body::from(value.to_string())),
        AnswerBody::Bytes(content_type, bytes) => (content_type, Body::from(bytes)),
    };
    let mut world = shared.world();
    if answered.status == 304 {
        world.unchanged += 1;
    } else {
        world.rate_remaining = world.rate_remaining.saturating_sub(1);
    }
    let limits = [
        ("x-ratelimit-limit", "5000".to_owned()),
        ("x-ratelimit-remaining", world.rate_remaining.to_string()),
        ("x-ratelimit-reset", (now() + 3_000).to_string()),
        ("x-github-request-id", format!("FAKE:{}", world.calls.len())),
        ("content-type", content_type.to_owned()),
    ];
    drop(world);
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answered.status).expect("a status");
    for (name, value) in limits.into_iter().chain(answered.headers) {
        if !value.is_empty() {
            response.headers_mut().insert(name, value.parse().expect("a header"));
        }
    }
    response
}

pub(crate) fn raw(status: u16, headers: &[(&str, &str)], body: Body) -> Response<Body> {
    let builder = headers
        .iter()
        .fold(Response::builder().status(status), |builder, (name, value)| builder.header(*name, *value));
    builder.body(body).expect("a fixed answer")
}

fn cut() -> Response<Body> {
    let parts = stream::iter([Ok(Bytes::from_static(b"{\"id\": 1, ")), Err(HangUp)]);
    // A turn of the runtime lets the first part leave before the connection breaks.
    let parts = parts.then(|part| async {
        tokio::task::yield_now().await;
        part
    });
    raw(200, &[("content-type", "application/json")], Body::from_stream(parts))
}

fn huge(bytes: usize) -> Response<Body> {
    let spaces = Bytes::from(vec![b' '; 64 * 1024]);
    let chunks = bytes.div_ceil(spaces.len());
    let parts = stream::repeat(spaces).take(chunks).map(Ok::<_, Infallible>);
    raw(200, &[("content-type", "application/json")], Body::from_stream(parts))
}

impl Endpoint {
    /// The status of a write that made something.
    pub(crate) fn created(self) -> u16 {
        match self {
            Self::CreateCheckRun
            | Self::CreateComment
            | Self::MintToken
            | Self::ConvertManifest
            | Self::ReactToComment
            | Self::ReactToReviewComment => 201,
            _ => 200,
        }
    }
}
