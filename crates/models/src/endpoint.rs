//! Where a model is asked: base URL, key and dialect. All of it comes from the operator.

use std::net::IpAddr;

use reqwest::Url;
use secrecy::SecretString;

use crate::error::ModelError;
use crate::openai_chat::Dialect;

/// A server that speaks one of our wire formats.
#[derive(Clone)]
pub struct Endpoint {
    /// Its address.
    pub base_url: BaseUrl,
    /// The key; `None` for a local server without one.
    pub key: Option<SecretString>,
    /// How it wants its requests.
    pub dialect: Dialect,
}

/// Whether the operator allowed a key and code to travel without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainHttp {
    /// Only to this machine.
    LoopbackOnly,
    /// To anywhere: the operator said so for this server.
    Allowed,
}

/// The address that `/chat/completions` is appended to. Holds no credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Takes an address. One without a path gets `/v1`, which is where every server of this kind answers.
    ///
    /// Refused: schemes other than `https` (and `http` as far as allowed), user names and passwords, queries,
    /// fragments.
    pub fn parse(text: &str, plain_http: PlainHttp) -> Result<Self, ModelError> {
        // The text itself stays out of the error: whoever puts a password into it would read it in a log.
        let refused = |why: &str| ModelError::Request { detail: format!("the base URL {why}") };
        let mut url = Url::parse(text.trim()).map_err(|error| refused(&format!("is not a URL: {error}")))?;
        match url.scheme() {
            "https" => {}
            "http" if plain_http == PlainHttp::Allowed || is_loopback(&url) => {}
            "http" => return Err(refused("is plain http to another machine, which was not allowed")),
            _ => return Err(refused("is not https")),
        }
        if !url.has_host() {
            return Err(refused("has no host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("holds a user name or password; keys have their own variable"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refused("has a query or a fragment"));
        }
        let path = match url.path().trim_end_matches('/') {
            "" => "/v1".to_owned(),
            path => path.to_owned(),
        };
        url.set_path(&path);
        Ok(Self(url))
    }

    /// The address of something below it.
    pub(crate) fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}/{path}", self.0.path()));
        url
    }

    /// The host, for people.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Whether it is on this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }
}

impl std::fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether a URL's host is this machine by its number or as `localhost`. Names are not resolved.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_leak_a_key_is_a_base_url() {
        let cases = [
            ("https://api.openai.com/v1", Ok("https://api.openai.com/v1/chat/completions")),
            ("https://api.openai.com/v1/", Ok("https://api.openai.com/v1/chat/completions")),
            (
                " https://generativelanguage.googleapis.com/v1beta/openai/ ",
                Ok("https://generativelanguage.googleapis.com/v1beta/openai/chat/completions"),
            ),
            ("https://gateway.example", Ok("https://gateway.example/v1/chat/completions")),
            ("http://127.0.0.1:8080", Ok("http://127.0.0.1:8080/v1/chat/completions")),
            ("http://[::1]:8080/v1", Ok("http://[::1]:8080/v1/chat/completions")),
            ("http://localhost:1234/v1", Ok("http://localhost:1234/v1/chat/completions")),
            ("http://10.0.0.5/v1", Err("plain http")),
            ("http://localhost.evil.example/v1", Err("plain http")),
            ("http://127.0.0.1.evil.example/v1", Err("plain http")),
            ("file:///etc/passwd", Err("not https")),
            ("ftp://models.example/v1", Err("not https")),
            ("https://user:hunter2@api.example/v1", Err("user name or password")),
            ("https://api.example/v1?key=hunter2", Err("query")),
            ("https://api.example/v1#x", Err("fragment")),
            ("api.example", Err("not a URL")),
            ("", Err("not a URL")),
        ];
        for (text, expected) in cases {
            let got = BaseUrl::parse(text, PlainHttp::LoopbackOnly);
            match (got, expected) {
                (Ok(base), Ok(url)) => assert_eq!(base.join("chat/completions").as_str(), url),
                (Err(error), Err(why)) => {
                    let error = error.to_string();
                    assert!(error.contains(why), "{text}: {error}");
                    assert!(!error.contains("hunter2"), "{error}");
                }
                (Ok(base), Err(why)) => panic!("{text} became {base}, though it {why}"),
                (Err(error), Ok(_)) => panic!("{text}: {error}"),
            }
        }
    }

    #[test]
    fn plain_http_to_another_machine_needs_the_operator() {
        let base = BaseUrl::parse("http://10.0.0.5:8000/v1", PlainHttp::Allowed).expect("allowed");
        assert_eq!(base.to_string(), "http://10.0.0.5:8000/v1");
        assert!(!base.is_loopback());
    }
}
