//! The one place that sends: limits, credentials, redirects, and what an answer means.
//!
//! A credential goes to the origin that the operator configured and nowhere else. A redirect is followed only to the same
//! scheme, host and port, below the API's address, and only with GET; addresses in answers (`Link`, `url`) are not used at
//! all. Bodies are bounded after decompression, and a call has one time limit altogether.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH, LINK,
    LOCATION, RETRY_AFTER,
};
use reqwest::{Method, NoProxy, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::address::ApiUrl;
use crate::error::{ApiError, ErrorKind, RateLimit, quoted};
use crate::json;
use crate::pace::{Actor, Pacer};
use crate::route::Route;

/// The version of the API that every call names.
const API_VERSION: HeaderValue = HeaderValue::from_static("2022-11-28");
const API_VERSION_NAME: HeaderName = HeaderName::from_static("x-github-api-version");

/// How often a redirect is followed: a renamed owner and a renamed repository make two.
const MAX_REDIRECTS: usize = 3;

/// How much of an error's body is read for its words.
const ERROR_BODY_BYTES: usize = 64 * 1024;

/// How long to leave GitHub alone where it says that we are too fast and not for how long: its documentation asks for a
/// minute at least.
const UNSTATED_DELAY: Duration = Duration::from_secs(60);

/// The longest that we take GitHub's word for: its limits are by the hour.
const LONGEST_DELAY: Duration = Duration::from_secs(2 * 60 * 60);

/// How long anything may take, and how large it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// For one call altogether, redirects included; the pause before a write is not.
    pub total: Duration,
    /// The largest body of an answer, decompressed.
    pub body_bytes: usize,
    /// Between two writes of one actor; GitHub asks for a second at least.
    pub write_interval: Duration,
}

impl Default for Limits {
    /// GitHub ends a call of its own accord after 10 seconds; a diff of 20,000 lines is about a megabyte, a page of a
    /// hundred files with their patches at most 50.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            total: Duration::from_secs(30),
            body_bytes: 64 * 1024 * 1024,
            write_interval: Duration::from_secs(1),
        }
    }
}

/// The proxy for https, and what goes past it.
#[derive(Clone)]
pub struct Proxy {
    /// Its address; may hold a password.
    pub url: SecretString,
    /// Hosts that are reached directly, as `NO_PROXY` lists them.
    pub except: String,
}

/// The way to one GitHub. Cheap to clone; clones share their connections and their pauses.
#[derive(Clone)]
pub struct Connection {
    client: reqwest::Client,
    base: ApiUrl,
    limits: Limits,
    pacer: Arc<Pacer>,
    guard: Option<WriteGuard>,
}

/// Says, right before something is written and after all waiting, whether it still may be.
#[derive(Clone)]
pub struct WriteGuard(Arc<dyn Fn() -> bool + Send + Sync>);

impl WriteGuard {
    /// Asks `may_write` each time.
    pub fn new(may_write: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(may_write))
    }
}

/// The client cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the http client for github cannot be set up: {0}")]
pub struct BadConnection(String);

impl Connection {
    /// Makes the way to the API at an address.
    ///
    /// # Errors
    /// Where this machine has no working TLS.
    pub fn new(base: ApiUrl, limits: Limits) -> Result<Self, BadConnection> {
        Self::build(base, limits, client(&limits))
    }

    /// The same through a proxy.
    ///
    /// # Errors
    /// Where the proxy's address is none, or this machine has no working TLS.
    pub fn through(base: ApiUrl, limits: Limits, proxy: &Proxy) -> Result<Self, BadConnection> {
        let https = reqwest::Proxy::https(proxy.url.expose_secret()).map_err(unusable)?;
        let https = https.no_proxy(NoProxy::from_string(&proxy.except));
        Self::build(base, limits, client(&limits).proxy(https))
    }

    fn build(base: ApiUrl, limits: Limits, client: reqwest::ClientBuilder) -> Result<Self, BadConnection> {
        let pacer = Arc::new(Pacer::new(limits.write_interval));
        Ok(Self { client: client.build().map_err(unusable)?, base, limits, pacer, guard: None })
    }

    /// The same way, on which nothing is written while the guard says no.
    pub(crate) fn guarded(&self, guard: WriteGuard) -> Self {
        Self { guard: Some(guard), ..self.clone() }
    }

    /// Where it leads.
    pub fn base(&self) -> &ApiUrl {
        &self.base
    }

    /// Makes a call and reads the JSON that it gives.
    pub(crate) async fn json<T: DeserializeOwned>(&self, request: Request<'_>) -> Result<T, ApiError> {
        Ok(self.json_page(request).await?.0)
    }

    /// The same, with what its `Link` says of a next page.
    pub(crate) async fn json_page<T: DeserializeOwned>(
        &self,
        request: Request<'_>,
    ) -> Result<(T, NextPage), ApiError> {
        let answer = self.send(request).await?;
        let value = answer.read()?;
        Ok((value, NextPage::of(&answer.headers)))
    }

    /// Makes a call. An answer is a success, or 304 where an `etag` was sent along.
    pub(crate) async fn send(&self, request: Request<'_>) -> Result<Answer, ApiError> {
        let route = request.route;
        if route.creates_content() {
            self.pacer.wait(request.authorization.actor()).await;
        }
        let may_write = || self.guard.as_ref().is_none_or(|WriteGuard(may_write)| may_write());
        let kind = if route.method() != Method::GET && !may_write() {
            ErrorKind::Refused { why: "the right to write it may have gone to somebody else".to_owned() }
        } else {
            match timeout(self.limits.total, self.exchange(&request)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(kind)) => kind,
                Err(_) => ErrorKind::TimedOut,
            }
        };
        Err(ApiError { call: route.purpose(), route: route.shown(), kind })
    }

    async fn exchange(&self, request: &Request<'_>) -> Result<Answer, ErrorKind> {
        let method = request.route.method();
        let mut url = request.route.url(self.base.url())?;
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let headers = request.headers()?;
        for _ in 0..=MAX_REDIRECTS {
            let mut builder = self.client.request(method.clone(), url.clone()).headers(headers.clone());
            if let Some(body) = &request.body {
                builder = builder.header(CONTENT_TYPE, "application/json").body(body.clone());
            }
            let response = builder.send().await.map_err(from_reqwest)?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return self.understand(request, response).await;
            }
            let target = redirect_target(&url, response.headers())?;
            if method != Method::GET || !self.is_below_base(&target) {
                return Err(ErrorKind::Redirected { to: told(request.route, &target) });
            }
            url = target;
        }
        Err(ErrorKind::Redirected { to: told(request.route, &url) })
    }

    /// Whether a credential may go there.
    fn is_below_base(&self, url: &Url) -> bool {
        let base = self.base.url();
        let is_userless = url.username().is_empty() && url.password().is_none();
        let path = base.path().trim_end_matches('/');
        let is_below = url.path().strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        url.origin() == base.origin() && is_userless && is_below
    }

    async fn understand(
        &self,
        request: &Request<'_>,
        response: reqwest::Response,
    ) -> Result<Answer, ErrorKind> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        if response.status().is_success() || (status == 304 && request.etag.is_some()) {
            let body = read_body(response, self.limits.body_bytes).await?;
            return Ok(Answer {
                route: request.route.shown(),
                call: request.route.purpose(),
                status,
                headers,
                body,
            });
        }
        // Whoever answers so may not stop; its first words will do.
        let body = match read_body(response, ERROR_BODY_BYTES).await {
            Ok(body) => body,
            Err(ErrorKind::TooLarge) => Bytes::new(),
            Err(broken) => return Err(broken),
        };
        let secret = request.authorization.secret().map(ExposeSecret::expose_secret);
        Err(failure(status, &headers, &words(&body, secret), SystemTime::now()))
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("base", &self.base.to_string()).finish_non_exhaustive()
    }
}

/// What is sent.
pub(crate) struct Request<'a> {
    route: Route<'a>,
    authorization: Authorization<'a>,
    accept: &'static str,
    query: Vec<(&'static str, String)>,
    etag: Option<&'a str>,
    body: Option<Bytes>,
}

/// By whose right a call is made.
#[derive(Clone, Copy)]
pub(crate) enum Authorization<'a> {
    /// By nobody's.
    None,
    /// By the holder of a secret.
    Bearer(&'a SecretString, Actor),
}

impl<'a> Authorization<'a> {
    fn secret(self) -> Option<&'a SecretString> {
        match self {
            Self::None => None,
            Self::Bearer(secret, _) => Some(secret),
        }
    }

    fn actor(self) -> Actor {
        match self {
            Self::None => Actor::App,
            Self::Bearer(_, actor) => actor,
        }
    }
}

impl<'a> Request<'a> {
    pub(crate) fn new(route: Route<'a>, authorization: Authorization<'a>) -> Self {
        let accept = "application/vnd.github+json";
        Self { route, authorization, accept, query: Vec::new(), etag: None, body: None }
    }

    /// Asks for another form than JSON.
    pub(crate) fn accept(self, accept: &'static str) -> Self {
        Self { accept, ..self }
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    /// Asks for an answer only if it is not the one that had this tag.
    pub(crate) fn unless(self, etag: Option<&'a str>) -> Self {
        Self { etag, ..self }
    }

    pub(crate) fn body(self, body: &impl serde::Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("our own structs are always JSON");
        Self { body: Some(body.into()), ..self }
    }

    fn headers(&self) -> Result<HeaderMap, ErrorKind> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(self.accept));
        headers.insert(API_VERSION_NAME, API_VERSION);
        if let Some(secret) = self.authorization.secret() {
            let value = HeaderValue::from_str(&format!("Bearer {}", secret.expose_secret()));
            let mut value = value.map_err(|_| ErrorKind::Refused {
                why: "the credential holds characters that a header cannot carry".to_owned(),
            })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        if let Some(etag) = self.etag {
            let value = HeaderValue::from_str(etag);
            let why = || "the etag holds characters that a header cannot carry".to_owned();
            headers.insert(IF_NONE_MATCH, value.map_err(|_| ErrorKind::Refused { why: why() })?);
        }
        Ok(headers)
    }
}

/// A success, or 304.
pub(crate) struct Answer {
    call: &'static str,
    route: String,
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    /// Whether nothing changed since the `etag` that was sent along.
    pub(crate) fn is_unchanged(&self) -> bool {
        self.status == 304
    }

    pub(crate) fn etag(&self) -> Option<String> {
        self.headers.get(ETAG)?.to_str().ok().map(str::to_owned)
    }

    pub(crate) fn next_page(&self) -> NextPage {
        NextPage::of(&self.headers)
    }

    /// The body, which must be of the form that was asked for.
    pub(crate) fn into_text(self) -> Result<Bytes, ApiError> {
        // A web page or an error with status 200 would otherwise be taken for a diff.
        match self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) {
            Some(form) if form.starts_with("text/html") || form.starts_with("application/json") => {
                let detail = "it has another form than was asked for".to_owned();
                Err(self.error(ErrorKind::Unreadable { detail }))
            }
            Some(_) | None => Ok(self.body),
        }
    }

    /// The JSON of the body.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_json::from_slice(&self.body)
            .map_err(|error| self.error(ErrorKind::Unreadable { detail: json::fault(&error) }))
    }

    /// An error about this answer.
    pub(crate) fn error(&self, kind: ErrorKind) -> ApiError {
        ApiError { call: self.call, route: self.route.clone(), kind }
    }
}

/// What an answer's `Link` says of the next page. Only whether there is one and its cursor are taken from it; the address
/// is always ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NextPage {
    /// This was the last.
    None,
    /// There is one more.
    Numbered,
    /// There is one more, behind this cursor.
    Behind(String),
}

impl NextPage {
    fn of(headers: &HeaderMap) -> Self {
        let links = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
        let next = links.flat_map(|value| value.split(',')).find_map(|link| {
            let (address, relations) = link.split_once('>')?;
            relations.contains("rel=\"next\"").then(|| address.trim().trim_start_matches('<').to_owned())
        });
        let Some(next) = next else { return Self::None };
        let cursor = Url::parse(&next).ok().and_then(|url| {
            url.query_pairs().find(|(name, _)| name == "cursor").map(|(_, value)| value.into_owned())
        });
        cursor.map_or(Self::Numbered, Self::Behind)
    }
}

fn client(limits: &Limits) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("recuse/", env!("CARGO_PKG_VERSION")))
        // They are followed by hand; see `is_below_base`.
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(limits.connect)
        .referer(false)
        // Whether a write happened is looked up before it is sent again; never twice unasked.
        .retry(reqwest::retry::never())
        // Otherwise reqwest reads the environment itself.
        .no_proxy()
}

fn unusable(error: reqwest::Error) -> BadConnection {
    BadConnection(error.without_url().to_string())
}

fn redirect_target(from: &Url, headers: &HeaderMap) -> Result<Url, ErrorKind> {
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    location
        .and_then(|location| from.join(location).ok())
        .ok_or_else(|| ErrorKind::Unreadable { detail: "it is a redirect without a target".to_owned() })
}

/// Where a redirect leads, as an error may hold it: queries of such targets often carry a signature, and a path repeats
/// what was secret in ours.
fn told(route: Route<'_>, target: &Url) -> String {
    let origin = target.origin().ascii_serialization();
    if route.has_a_secret() { origin } else { quoted(&format!("{origin}{}", target.path()), None) }
}

async fn read_body(mut response: reqwest::Response, limit: usize) -> Result<Bytes, ErrorKind> {
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(ErrorKind::TooLarge);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(from_reqwest)? {
        if body.len() + chunk.len() > limit {
            return Err(ErrorKind::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Sorts an error of the transport.
fn from_reqwest(error: reqwest::Error) -> ErrorKind {
    if error.is_connect() {
        ErrorKind::Unreachable
    } else if error.is_timeout() {
        ErrorKind::TimedOut
    } else if error.is_builder() {
        ErrorKind::Refused { why: quoted(&error.without_url().to_string(), None) }
    } else {
        ErrorKind::Interrupted
    }
}

/// GitHub's words about a failure: its message and what it says of single fields, never their values.
fn words(body: &[u8], secret: Option<&str>) -> String {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Failure {
        message: String,
        errors: Vec<serde_json::Value>,
    }
    let failure: Failure = serde_json::from_slice(body).unwrap_or_default();
    let mut words = failure.message;
    for error in &failure.errors {
        let parts = ["resource", "field", "code", "message"];
        let parts: Vec<_> = parts.iter().filter_map(|name| error.get(name)?.as_str()).collect();
        let said = error.as_str().map_or_else(|| parts.join(" "), str::to_owned);
        words = format!("{words}; {said}");
    }
    quoted(&words, secret)
}

/// What a status that is no success means.
fn failure(status: u16, headers: &HeaderMap, message: &str, now: SystemTime) -> ErrorKind {
    let message = message.to_owned();
    match status {
        401 => ErrorKind::Unauthorized,
        403 | 429 => match rate_limit(status, headers, &message, now) {
            Some(limit) => limit,
            None => ErrorKind::Forbidden { message },
        },
        404 => ErrorKind::NotFound,
        406 => ErrorKind::TooLarge,
        409 => ErrorKind::Conflict { message },
        410 => ErrorKind::Gone,
        400 | 422 => ErrorKind::Invalid { message },
        500..=599 => ErrorKind::Server { status },
        _ => ErrorKind::Unexpected { status, message },
    }
}

/// Reads GitHub's two rate limits, both of which come as 403 or 429: the primary one has nothing remaining and a time of
/// reset, the secondary one has `Retry-After`, or only words.
fn rate_limit(status: u16, headers: &HeaderMap, message: &str, now: SystemTime) -> Option<ErrorKind> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let bounded = |delay: Duration| delay.clamp(Duration::from_secs(1), LONGEST_DELAY);
    let retry_after = number(RETRY_AFTER.as_str()).map(Duration::from_secs);
    if number("x-ratelimit-remaining") == Some(0) {
        let reset = number("x-ratelimit-reset").map(|reset| {
            let reset = Duration::from_secs(reset);
            // A second more, since the reset is told in whole seconds.
            reset.saturating_sub(github_time(headers, now)) + Duration::from_secs(1)
        });
        let delay = retry_after.or(reset).unwrap_or(UNSTATED_DELAY);
        return Some(ErrorKind::RateLimited { retry_after: bounded(delay), which: RateLimit::Primary });
    }
    let message = message.to_lowercase();
    let is_told = ["rate limit", "abuse detection"].iter().any(|words| message.contains(words));
    (retry_after.is_some() || status == 429 || is_told).then(|| ErrorKind::RateLimited {
        retry_after: bounded(retry_after.unwrap_or(UNSTATED_DELAY)),
        which: RateLimit::Secondary,
    })
}

/// The time by GitHub's clock, which its reset is told by; by ours where it does not say.
fn github_time(headers: &HeaderMap, now: SystemTime) -> Duration {
    let date = headers.get(DATE).and_then(|value| value.to_str().ok());
    let stated = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    let stated = stated.and_then(|time| u64::try_from(time.timestamp().as_second()).ok());
    let ours = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    stated.map_or(ours, Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn every_status_means_one_thing() {
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let limited = |seconds, which| {
            let retry_after = Duration::from_secs(seconds);
            ErrorKind::RateLimited { retry_after, which }
        };
        let (primary, secondary) = (RateLimit::Primary, RateLimit::Secondary);
        let message = || "no".to_owned();
        const SPENT: (&str, &str) = ("x-ratelimit-remaining", "0");
        const DATE: (&str, &str) = ("date", "Mon, 12 Jan 1970 13:46:40 GMT");
        type Row = (u16, &'static [(&'static str, &'static str)], &'static str, ErrorKind);
        let table: &[Row] = &[
            (400, &[], "no", ErrorKind::Invalid { message: message() }),
            (401, &[], "no", ErrorKind::Unauthorized),
            (403, &[], "no", ErrorKind::Forbidden { message: message() }),
            (403, &[("x-ratelimit-remaining", "4999")], "no", ErrorKind::Forbidden { message: message() }),
            (403, &[SPENT, ("x-ratelimit-reset", "1000090")], "no", limited(91, primary)),
            (429, &[SPENT, ("x-ratelimit-reset", "1000090")], "no", limited(91, primary)),
            (403, &[SPENT, ("x-ratelimit-reset", "1000090"), DATE], "no", limited(91, primary)),
            (403, &[SPENT, ("x-ratelimit-reset", "5")], "no", limited(1, primary)),
            (403, &[SPENT, ("x-ratelimit-reset", "99999999999")], "no", limited(7200, primary)),
            (403, &[SPENT], "no", limited(60, primary)),
            (403, &[("retry-after", "30")], "no", limited(30, secondary)),
            (429, &[("retry-after", "0")], "no", limited(1, secondary)),
            (429, &[("retry-after", "999999")], "no", limited(7200, secondary)),
            (429, &[], "no", limited(60, secondary)),
            (403, &[], "You have exceeded a secondary rate limit. Please wait.", limited(60, secondary)),
            (404, &[], "no", ErrorKind::NotFound),
            (406, &[], "no", ErrorKind::TooLarge),
            (409, &[], "no", ErrorKind::Conflict { message: message() }),
            (410, &[], "no", ErrorKind::Gone),
            (422, &[], "no", ErrorKind::Invalid { message: message() }),
            (451, &[], "no", ErrorKind::Unexpected { status: 451, message: message() }),
            (500, &[], "no", ErrorKind::Server { status: 500 }),
            (503, &[("retry-after", "5")], "no", ErrorKind::Server { status: 503 }),
        ];
        for (status, pairs, words, expected) in table {
            assert_eq!(failure(*status, &headers(pairs), words, now), *expected, "{status} {pairs:?}");
        }
        // Our clock may be a minute late; GitHub's counts.
        let late = now - Duration::from_secs(60);
        let kind = failure(403, &headers(&[SPENT, ("x-ratelimit-reset", "1000090"), DATE]), "no", late);
        assert_eq!(kind, limited(91, primary));
    }

    #[test]
    fn words_tell_fields_and_never_values() {
        let body = br#"{"message": "Validation Failed", "errors": [
            {"resource": "IssueComment", "field": "body", "code": "custom", "message": "body is too long",
             "value": "hunter2"}, "a sentence"], "documentation_url": "https://docs.example"}"#;
        assert_eq!(
            words(body, None),
            "Validation Failed; IssueComment body custom body is too long; a sentence"
        );
        assert_eq!(words(b"<html>hunter2", None), "");
        assert_eq!(words(br#"{"message": "Bad ghs_oak"}"#, Some("ghs_oak")), "Bad [credential]");
    }

    #[test]
    fn only_the_same_origin_below_the_api_is_followed() {
        let base = ApiUrl::parse("https://github.example/api/v3", crate::address::PlainHttp::LoopbackOnly);
        let connection = Connection::new(base.unwrap(), Limits::default()).unwrap();
        for (target, expected) in [
            ("https://github.example/api/v3/repositories/1", true),
            ("https://github.example:443/api/v3/repositories/1", true),
            ("https://github.example/api/v3", false),
            ("https://github.example/api/v30/x", false),
            ("https://github.example/login", false),
            ("https://github.example/api/v3/../../login", false),
            ("http://github.example/api/v3/repositories/1", false),
            ("https://github.example:8443/api/v3/x", false),
            ("https://evil.example/api/v3/x", false),
            ("https://github.example.evil.example/api/v3/x", false),
            ("https://github.example@evil.example/api/v3/x", false),
            ("https://kim@github.example/api/v3/x", false),
        ] {
            assert_eq!(connection.is_below_base(&Url::parse(target).unwrap()), expected, "{target}");
        }
    }

    #[test]
    fn of_a_link_only_the_fact_and_the_cursor_are_taken() {
        let next = |link: &str| NextPage::of(&headers(&[("link", link)]));
        assert_eq!(NextPage::of(&HeaderMap::new()), NextPage::None);
        let numbered =
            r#"<https://evil.example/x?page=1>; rel="prev", <https://evil.example/x?page=3>; rel="next""#;
        assert_eq!(next(numbered), NextPage::Numbered);
        assert_eq!(next(r#"<https://api.github.com/x?page=1>; rel="first""#), NextPage::None);
        let cursor = r#"<https://api.github.com/app/hook/deliveries?per_page=1&cursor=v1_12%2B>; rel="next""#;
        assert_eq!(next(cursor), NextPage::Behind("v1_12+".to_owned()));
    }

    #[test]
    fn a_credential_that_no_header_can_carry_is_refused_without_being_shown() {
        let secret = SecretString::from("ghs_oak\r\nX-Other: 1");
        let request = Request::new(Route::App, Authorization::Bearer(&secret, Actor::App));
        let error = request.headers().unwrap_err().to_string();
        assert!(error.contains("credential") && !error.contains("oak"), "{error}");
        let secret = SecretString::from("ghs_oak");
        let request = Request::new(Route::App, Authorization::Bearer(&secret, Actor::App));
        let headers = request.headers().unwrap();
        assert!(headers[AUTHORIZATION].is_sensitive() && !format!("{headers:?}").contains("oak"));
    }
}
