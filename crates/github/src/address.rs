//! Where GitHub is: its API's address, and what follows from it. It comes from the operator, never from a delivery.

use std::net::IpAddr;

use reqwest::Url;

/// Whether the operator allowed credentials to travel without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainHttp {
    /// Only to this machine.
    LoopbackOnly,
    /// To anywhere: the operator said so for this server.
    Allowed,
}

/// The address of GitHub's API: `https://api.github.com`, or `https://HOST/api/v3` of an Enterprise Server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiUrl(Url);

impl ApiUrl {
    /// github.com's.
    pub fn github_com() -> Self {
        Self(Url::parse("https://api.github.com").expect("a fixed address"))
    }

    /// Takes an address.
    ///
    /// # Errors
    /// Schemes other than `https` (and `http` as far as allowed), user names and passwords, queries, fragments. The
    /// error never repeats the text.
    pub fn parse(text: &str, plain_http: PlainHttp) -> Result<Self, BadAddress> {
        let mut url = Url::parse(text.trim()).map_err(|_| BadAddress("is not a URL"))?;
        match url.scheme() {
            "https" => {}
            "http" if plain_http == PlainHttp::Allowed || is_loopback(&url) => {}
            "http" => return Err(BadAddress("is plain http to another machine, which was not allowed")),
            _ => return Err(BadAddress("is not https")),
        }
        if !url.has_host() {
            return Err(BadAddress("has no host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadAddress("holds a user name or a password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BadAddress("has a query or a fragment"));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// The API's own address.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Where people look: `https://github.com`, or the Enterprise Server's root.
    pub fn web_root(&self) -> Url {
        let mut root = self.0.clone();
        root.set_path(self.0.path().strip_suffix("/api/v3").unwrap_or(self.0.path()));
        // github.com and Enterprise Cloud with its own domain have the API on a host of its own.
        let host = self.0.host_str().and_then(|host| host.strip_prefix("api."));
        if let Some(host) = host.filter(|host| *host == "github.com" || host.ends_with(".ghe.com")) {
            root.set_host(Some(host)).expect("a part of a host is one");
        }
        root
    }

    /// Where git fetches a repository from.
    ///
    /// # Errors
    /// Names that cannot be parts of a path.
    pub fn clone_url(&self, owner: &str, name: &str) -> Result<Url, BadAddress> {
        let is_fit = |part: &str| !matches!(part, "" | "." | "..") && !part.chars().any(char::is_control);
        if !is_fit(owner) || !is_fit(name) {
            return Err(BadAddress("would have a name in it that cannot be a part of a path"));
        }
        let mut url = self.web_root();
        url.path_segments_mut()
            .expect("the API's address has a path")
            .pop_if_empty()
            .extend([owner, &format!("{name}.git")]);
        Ok(url)
    }
}

impl std::fmt::Display for ApiUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

/// An address that credentials are not sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("github's address {0}")]
pub struct BadAddress(&'static str);

/// Whether a URL's host is this machine by its number or as `localhost`. Names are not resolved.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_from_an_address_follows_from_its_host() {
        let table = [
            ("https://api.github.com", "https://github.com/acme/shop.git"),
            ("https://api.github.com/", "https://github.com/acme/shop.git"),
            ("https://api.octo.ghe.com", "https://octo.ghe.com/acme/shop.git"),
            ("https://github.example/api/v3/", "https://github.example/acme/shop.git"),
            ("https://api.example/git/api/v3", "https://api.example/git/acme/shop.git"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/acme/shop.git"),
            ("http://[::1]:80/api/v3", "http://[::1]/acme/shop.git"),
        ];
        for (api, git) in table {
            let api = ApiUrl::parse(api, PlainHttp::LoopbackOnly).expect(api);
            assert_eq!(api.clone_url("acme", "shop").map(String::from), Ok(git.to_owned()));
        }
        let github = ApiUrl::github_com();
        assert_eq!(github.to_string(), "https://api.github.com");
        assert_eq!(github.clone_url("a/b", "c").unwrap().as_str(), "https://github.com/a%2Fb/c.git");
        assert!(github.clone_url("..", "c").is_err());
    }

    #[test]
    fn only_what_cannot_leak_a_credential_is_an_address() {
        for (text, why) in [
            ("http://github.example/api/v3", "plain http"),
            ("http://127.0.0.1.evil.example", "plain http"),
            ("ftp://github.example", "not https"),
            ("https://kim:hunter2@github.example", "user name"),
            ("https://github.example/?token=hunter2", "query"),
            ("https://github.example/#hunter2", "fragment"),
            ("hunter2", "not a URL"),
        ] {
            let error = ApiUrl::parse(text, PlainHttp::LoopbackOnly).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("hunter2"), "{text}: {error}");
        }
        assert!(ApiUrl::parse("http://github.example/api/v3", PlainHttp::Allowed).is_ok());
    }
}
