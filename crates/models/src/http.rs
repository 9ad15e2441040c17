//! One HTTP client for all models: every limit, and nothing of any format.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{NoProxy, RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};

use crate::error::{ModelError, Phase};
use crate::events::Watch;

/// The largest reply that is taken, decompressed: 16,384 output tokens are about 64 KiB of text; with reasoning
/// and token probabilities that a gateway may add, the largest seen stays far below 8 MiB.
pub const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// How long anything may take, and how large it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// Between two bytes of a reply that has begun. Before its first byte only the total counts: the server is
    /// silent while the model thinks.
    pub idle: Duration,
    /// For one call altogether.
    pub total: Duration,
    /// The largest body.
    pub body_bytes: usize,
}

impl Default for Limits {
    /// Ten minutes altogether is what the vendors' own clients wait.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(120),
            total: Duration::from_secs(600),
            body_bytes: BODY_LIMIT,
        }
    }
}

/// The proxy for https, and what goes past it. Plain http never goes through a proxy: it is for this machine.
#[derive(Clone)]
pub struct Proxy {
    /// Its address; may hold a password.
    pub url: SecretString,
    /// Hosts that are reached directly, as `NO_PROXY` lists them.
    pub except: String,
}

impl Proxy {
    /// The proxy that the process's environment names; see [`Proxy::from_variables`].
    pub fn from_environment() -> Option<Self> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// The proxy that `HTTPS_PROXY` or `ALL_PROXY` names, past which `NO_PROXY` leads; lower case counts too.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let first = |names: &[&str]| {
            names.iter().filter_map(|name| variable(name)).find(|value| !value.trim().is_empty())
        };
        Some(Self {
            url: first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])?.into(),
            except: first(&["NO_PROXY", "no_proxy"]).unwrap_or_default(),
        })
    }
}

/// The client. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: reqwest::Client,
    limits: Limits,
}

/// One request and what came back, before anybody understood it.
pub struct Exchange {
    /// The bytes that were sent.
    pub request: Bytes,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: Bytes,
    /// From sending to the last byte.
    pub elapsed_ms: u64,
}

impl HttpClient {
    /// Makes a client. Redirects are not followed: they would carry the prompt to another host.
    pub fn new(limits: Limits, proxy: Option<&Proxy>) -> Result<Self, ModelError> {
        let unusable = |error: reqwest::Error| ModelError::Request {
            detail: format!("the http client cannot be set up: {}", error.without_url()),
        };
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("recuse/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(limits.connect)
            // Networks drop connections that are silent for minutes, as one is while a model thinks.
            .tcp_keepalive(Duration::from_secs(30))
            // Otherwise reqwest reads the environment itself, and would send loopback calls to HTTP_PROXY.
            .no_proxy();
        if let Some(Proxy { url, except }) = proxy {
            let https = reqwest::Proxy::https(url.expose_secret()).map_err(unusable)?;
            builder = builder.proxy(https.no_proxy(NoProxy::from_string(except)));
        }
        Ok(Self { client: builder.build().map_err(unusable)?, limits })
    }

    /// Sends JSON.
    pub async fn post(
        &self,
        url: Url,
        headers: HeaderMap,
        body: Bytes,
        deadline: Instant,
    ) -> Result<Exchange, ModelError> {
        let request = self.client.post(url).headers(headers).header(CONTENT_TYPE, "application/json");
        self.exchange(request.body(body.clone()), body, deadline).await
    }

    /// Asks for something.
    pub async fn get(&self, url: Url, headers: HeaderMap, deadline: Instant) -> Result<Exchange, ModelError> {
        self.exchange(self.client.get(url).headers(headers), Bytes::new(), deadline).await
    }

    /// The deadline of a call that begins now.
    pub fn deadline(&self) -> Instant {
        Instant::now() + self.limits.total
    }

    async fn exchange(
        &self,
        request: RequestBuilder,
        sent: Bytes,
        deadline: Instant,
    ) -> Result<Exchange, ModelError> {
        let started = Instant::now();
        let mut response = timeout_at(deadline, request.send())
            .await
            .map_err(|_| ModelError::Timeout { phase: Phase::FirstByte })?
            .map_err(from_reqwest)?;
        let too_large = ModelError::BodyTooLarge { limit: self.limits.body_bytes };
        if response.content_length().is_some_and(|length| length > self.limits.body_bytes as u64) {
            return Err(too_large);
        }
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let mut watch =
            content_type.is_some_and(|name| name.starts_with("text/event-stream")).then(Watch::default);
        let mut body = BytesMut::new();
        loop {
            // A stream may send its headers at once and then think.
            let until =
                if body.is_empty() { deadline } else { deadline.min(Instant::now() + self.limits.idle) };
            let phase = if until < deadline { Phase::NextByte } else { Phase::Deadline };
            let chunk = timeout_at(until, response.chunk())
                .await
                .map_err(|_| ModelError::Timeout { phase })?
                .map_err(from_reqwest)?;
            let Some(chunk) = chunk else { break };
            if body.len() + chunk.len() > self.limits.body_bytes {
                return Err(too_large);
            }
            body.extend_from_slice(&chunk);
            if watch.as_mut().is_some_and(|watch| watch.sees_a_broken_event(&body)) {
                break;
            }
        }
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(Exchange {
            request: sent,
            status: response.status().as_u16(),
            headers: std::mem::take(response.headers_mut()),
            body: body.freeze(),
            elapsed_ms,
        })
    }
}

/// The header `Authorization: Bearer KEY`; none without a key.
pub(crate) fn bearer(key: Option<&SecretString>) -> Result<HeaderMap, ModelError> {
    key_header("authorization", "Bearer ", key)
}

/// A header that holds a key behind a prefix; none without a key.
pub(crate) fn key_header(
    name: &'static str,
    prefix: &str,
    key: Option<&SecretString>,
) -> Result<HeaderMap, ModelError> {
    let mut headers = HeaderMap::new();
    if let Some(key) = key {
        let refused = |_| ModelError::Request {
            detail: "the key holds characters that a header cannot carry".to_owned(),
        };
        let mut value =
            HeaderValue::from_str(&format!("{prefix}{}", key.expose_secret())).map_err(refused)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// Sorts an error of the transport. The URL is left out of it.
fn from_reqwest(error: reqwest::Error) -> ModelError {
    let error = error.without_url();
    if error.is_connect() {
        if error.is_timeout() {
            return ModelError::Timeout { phase: Phase::Connect };
        }
        return ModelError::Connect { source: error.into() };
    }
    if error.is_builder() {
        return ModelError::Request { detail: error.to_string() };
    }
    ModelError::Interrupted { source: error.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_is_the_one_for_https() {
        let proxy = |variables: &[(&str, &str)]| {
            let get = |name: &str| {
                variables.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned())
            };
            Proxy::from_variables(get).map(|proxy| (proxy.url.expose_secret().to_owned(), proxy.except))
        };
        let is = |url: &str, except: &str| Some((url.to_owned(), except.to_owned()));
        assert_eq!(proxy(&[]), None);
        // This one is for plain http, of which there is none that a proxy should see.
        assert_eq!(proxy(&[("HTTP_PROXY", "http://a:1"), ("http_proxy", "http://a:1")]), None);
        assert_eq!(proxy(&[("HTTPS_PROXY", " "), ("NO_PROXY", "b")]), None);
        assert_eq!(proxy(&[("https_proxy", "http://a:1")]), is("http://a:1", ""));
        assert_eq!(
            proxy(&[("ALL_PROXY", "http://z:9"), ("HTTPS_PROXY", "http://a:1"), ("no_proxy", "b,.c")]),
            is("http://a:1", "b,.c")
        );
    }

    #[test]
    fn a_key_in_a_header_is_marked_and_a_broken_one_is_refused() {
        assert!(bearer(Some(&"sk-oak".into())).unwrap()["authorization"].is_sensitive());
        let error = bearer(Some(&"sk-oak\nX-Other: 1".into())).unwrap_err().to_string();
        assert!(error.contains("the key holds characters") && !error.contains("sk-oak"), "{error}");
    }

    #[test]
    fn a_proxy_that_is_no_url_is_refused_without_its_password() {
        let proxy = Proxy { url: "http://kim:hunter2@[x".into(), except: String::new() };
        let error = HttpClient::new(Limits::default(), Some(&proxy)).unwrap_err().to_string();
        assert!(error.contains("cannot be set up") && !error.contains("hunter2"), "{error}");
    }
}
