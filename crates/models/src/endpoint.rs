//! Where a model is asked: base URL, key, format and dialect. All of it comes from the operator.

use std::net::IpAddr;

use reqwest::Url;
use secrecy::SecretString;

use crate::dialect::Dialect;
use crate::error::ModelError;
use crate::wire::{Address, Wire};

/// A server that speaks one of our wire formats.
#[derive(Clone)]
pub struct Endpoint {
    /// Its address.
    pub base_url: BaseUrl,
    /// The key; `None` for a local server without one.
    pub key: Option<SecretString>,
    /// The format that it speaks.
    pub wire: Wire,
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

/// A server's address, to which each format appends its own paths. Holds no credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Takes an address.
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
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// The address of something below it and the format's version.
    pub(crate) fn address(&self, version: &Version, below: &Address) -> Url {
        let base = self.0.path().trim_end_matches('/');
        let version = match version {
            Version::IfBare(version) if base.is_empty() => format!("/{version}"),
            Version::UnlessThere(version) if !ends_with_a_version(base) => format!("/{version}"),
            Version::IfBare(_) | Version::UnlessThere(_) => String::new(),
        };
        let mut url = self.0.clone();
        url.set_path(&format!("{base}{version}/{}", below.path));
        url.set_query(below.query);
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

/// What a format does about the version in its addresses.
pub(crate) enum Version {
    /// It is put behind an address without a path; any other is complete.
    IfBare(&'static str),
    /// It is put behind every address that does not end with one.
    UnlessThere(&'static str),
}

/// Whether the last part of a path is `v` and a number, as in `v1` or `v1beta`.
fn ends_with_a_version(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    last.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether a URL's host is this machine by its number or as `localhost`. Names are not resolved.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Delivery;

    #[test]
    fn each_format_finds_its_paths_below_any_address() {
        let url = |wire: Wire, base: &str, delivery| {
            let base = BaseUrl::parse(base, PlainHttp::LoopbackOnly).expect(base);
            let (asked, listed) = (wire.url(&base, "sol", delivery), wire.list_url(&base));
            [asked.as_str().to_owned(), listed.as_str().to_owned()]
        };
        let table = [
            (Wire::OpenaiChat, "https://a.example", "/v1/chat/completions", "/v1/models"),
            (Wire::OpenaiChat, "https://a.example/api/v1/", "/api/v1/chat/completions", "/api/v1/models"),
            (Wire::OpenaiChat, "https://a.example/compat", "/compat/chat/completions", "/compat/models"),
            (Wire::OpenaiResponses, "https://a.example", "/v1/responses", "/v1/models"),
            (Wire::OpenaiResponses, "https://a.example/v1", "/v1/responses", "/v1/models"),
            (Wire::Anthropic, "https://a.example", "/v1/messages", "/v1/models?limit=1000"),
            (Wire::Anthropic, "https://a.example/v1", "/v1/messages", "/v1/models?limit=1000"),
            (
                Wire::Anthropic,
                "https://a.example/claude/",
                "/claude/v1/messages",
                "/claude/v1/models?limit=1000",
            ),
            (
                Wire::Gemini,
                "https://a.example",
                "/v1beta/models/sol:generateContent",
                "/v1beta/models?pageSize=1000",
            ),
            (
                Wire::Gemini,
                "https://a.example/x/v1",
                "/x/v1/models/sol:generateContent",
                "/x/v1/models?pageSize=1000",
            ),
        ];
        for (wire, base, asked, listed) in table {
            let expected = [asked, listed].map(|path| format!("https://a.example{path}"));
            assert_eq!(url(wire, base, Delivery::Whole), expected, "{base}");
        }
        let base = BaseUrl::parse("https://a.example", PlainHttp::LoopbackOnly).expect("an address");
        let streamed = Wire::Gemini.url(&base, "tunedModels/sol?x", Delivery::Events);
        let expected = "https://a.example/v1beta/tunedModels/sol%3Fx:streamGenerateContent?alt=sse";
        assert_eq!(streamed.as_str(), expected);
    }

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
                (Ok(base), Ok(url)) => {
                    assert_eq!(Wire::OpenaiChat.url(&base, "sol", Delivery::Whole).as_str(), url);
                }
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
