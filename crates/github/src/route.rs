//! The calls that recuse can make, and no others.
//!
//! A [`Route`] is the only thing that [`crate::http`] sends. None of them approves, merges, pushes, closes or edits
//! anything but what recuse wrote itself; a review that is sent has the event `COMMENT` by its type
//! ([`crate::repository::InlineComment`]). Names and numbers become parts of the path one by one, percent-encoded, so that
//! no name can reach beyond its part.

use reqwest::{Method, Url};

use crate::error::ErrorKind;

/// One call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Route<'a> {
    App,
    AppHook,
    Installations,
    MintToken { installation: u64 },
    Deliveries,
    Redeliver { delivery: u64 },
    ConvertManifest { code: &'a str },
    User,
    Reached,
    InRepository { owner: &'a str, name: &'a str, call: Call<'a> },
}

/// One call that is about a repository.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Call<'a> {
    Installation,
    Repository,
    Pulls,
    Pull { number: u64 },
    Files { number: u64 },
    Compare { base: &'a str, head: &'a str },
    Content { path: &'a str },
    Permission { login: &'a str },
    CheckRuns { commit: &'a str },
    Statuses { commit: &'a str },
    CreateCheckRun,
    UpdateCheckRun { id: u64 },
    Comments { number: u64 },
    CreateComment { number: u64 },
    UpdateComment { id: u64 },
    Reviews { number: u64 },
    CreateReview { number: u64 },
    ReactToComment { id: u64 },
    ReactToReviewComment { id: u64 },
    BranchRules { branch: &'a str },
    Branch { branch: &'a str },
}

impl Route<'_> {
    /// What it does, behind "could not".
    pub(crate) fn purpose(self) -> &'static str {
        match self {
            Self::App => "read the app's registration",
            Self::AppHook => "read the app's webhook",
            Self::Installations => "list the app's installations",
            Self::MintToken { .. } => "mint an installation token",
            Self::Deliveries => "list the app's deliveries",
            Self::Redeliver { .. } => "ask for a delivery again",
            Self::ConvertManifest { .. } => "register the app",
            Self::User => "read whose token it is",
            Self::Reached => "list the installation's repositories",
            Self::InRepository { call, .. } => call.purpose(),
        }
    }

    pub(crate) fn method(self) -> Method {
        match self {
            Self::App
            | Self::AppHook
            | Self::Installations
            | Self::Deliveries
            | Self::User
            | Self::Reached => Method::GET,
            Self::MintToken { .. } | Self::Redeliver { .. } | Self::ConvertManifest { .. } => Method::POST,
            Self::InRepository { call, .. } => call.method(),
        }
    }

    /// Whether GitHub counts it as making or changing content, of which it wants no more than one a second.
    pub(crate) fn creates_content(self) -> bool {
        match self {
            Self::App
            | Self::AppHook
            | Self::Installations
            | Self::Deliveries
            | Self::MintToken { .. }
            | Self::ConvertManifest { .. }
            | Self::User
            | Self::Reached => false,
            Self::Redeliver { .. } => true,
            Self::InRepository { call, .. } => call.method() != Method::GET,
        }
    }

    /// Its address below the API's.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] where a name is empty, `.`, `..` or has control characters: such a part would be lost or
    /// would change the path.
    pub(crate) fn url(self, base: &Url) -> Result<Url, ErrorKind> {
        let parts = self.parts();
        let is_fit =
            |part: &String| !matches!(part.as_str(), "" | "." | "..") && !part.chars().any(char::is_control);
        if let Some(part) = parts.iter().find(|part| !is_fit(part)) {
            let part = if self.has_a_secret() { "the code" } else { part };
            return Err(ErrorKind::Refused { why: format!("{part:?} cannot be a part of a path") });
        }
        let mut url = base.clone();
        url.path_segments_mut().expect("the API's address has a path").pop_if_empty().extend(&parts);
        Ok(url)
    }

    /// Whether its path is to be kept from errors: a manifest's code stands for the new app's key.
    pub(crate) fn has_a_secret(self) -> bool {
        matches!(self, Self::ConvertManifest { .. })
    }

    /// The method and the path, for people.
    pub(crate) fn shown(self) -> String {
        if self.has_a_secret() {
            return "POST /app-manifests/{code}/conversions".to_owned();
        }
        crate::error::quoted(&format!("{} /{}", self.method(), self.parts().join("/")), None)
    }

    fn parts(self) -> Vec<String> {
        let owned = |parts: &[&str]| parts.iter().map(|&part| part.to_owned()).collect::<Vec<_>>();
        match self {
            Self::App => owned(&["app"]),
            Self::AppHook => owned(&["app", "hook", "config"]),
            Self::Installations => owned(&["app", "installations"]),
            Self::MintToken { installation } => {
                owned(&["app", "installations", &installation.to_string(), "access_tokens"])
            }
            Self::Deliveries => owned(&["app", "hook", "deliveries"]),
            Self::Redeliver { delivery } => {
                owned(&["app", "hook", "deliveries", &delivery.to_string(), "attempts"])
            }
            Self::User => owned(&["user"]),
            Self::Reached => owned(&["installation", "repositories"]),
            Self::ConvertManifest { code } => owned(&["app-manifests", code, "conversions"]),
            Self::InRepository { owner, name, call } => {
                let mut parts = owned(&["repos", owner, name]);
                parts.extend(call.parts());
                parts
            }
        }
    }
}

impl Call<'_> {
    fn purpose(self) -> &'static str {
        match self {
            Self::Installation => "find the app's installation",
            Self::Repository => "read the repository",
            Self::Pulls => "list the open pull requests",
            Self::Pull { .. } => "read the pull request",
            Self::Files { .. } => "list the changed files",
            Self::Compare { .. } => "compare two commits",
            Self::Content { .. } => "read a file",
            Self::Permission { .. } => "read somebody's access",
            Self::CheckRuns { .. } => "list the check runs",
            Self::Statuses { .. } => "list the commit statuses",
            Self::CreateCheckRun => "create a check run",
            Self::UpdateCheckRun { .. } => "update a check run",
            Self::Comments { .. } => "list the comments",
            Self::CreateComment { .. } => "create a comment",
            Self::UpdateComment { .. } => "update a comment",
            Self::Reviews { .. } => "list the reviews",
            Self::CreateReview { .. } => "comment on lines",
            Self::ReactToComment { .. } | Self::ReactToReviewComment { .. } => "react to a comment",
            Self::BranchRules { .. } => "read the branch's rules",
            Self::Branch { .. } => "read the branch",
        }
    }

    fn method(self) -> Method {
        match self {
            Self::Installation
            | Self::Repository
            | Self::Pulls
            | Self::Pull { .. }
            | Self::Files { .. }
            | Self::Compare { .. }
            | Self::Content { .. }
            | Self::Permission { .. }
            | Self::CheckRuns { .. }
            | Self::Statuses { .. }
            | Self::Comments { .. }
            | Self::Reviews { .. }
            | Self::BranchRules { .. }
            | Self::Branch { .. } => Method::GET,
            Self::CreateCheckRun
            | Self::CreateComment { .. }
            | Self::CreateReview { .. }
            | Self::ReactToComment { .. }
            | Self::ReactToReviewComment { .. } => Method::POST,
            Self::UpdateCheckRun { .. } | Self::UpdateComment { .. } => Method::PATCH,
        }
    }

    fn parts(self) -> Vec<String> {
        let parts = |parts: &[&str]| parts.iter().map(|&part| part.to_owned()).collect::<Vec<_>>();
        match self {
            Self::Installation => parts(&["installation"]),
            Self::Repository => Vec::new(),
            Self::Pulls => parts(&["pulls"]),
            Self::Pull { number } => parts(&["pulls", &number.to_string()]),
            Self::Files { number } => parts(&["pulls", &number.to_string(), "files"]),
            Self::Compare { base, head } => parts(&["compare", &format!("{base}...{head}")]),
            Self::Content { path } => {
                let mut all = parts(&["contents"]);
                all.extend(path.split('/').map(str::to_owned));
                all
            }
            Self::Permission { login } => parts(&["collaborators", login, "permission"]),
            Self::CheckRuns { commit } => parts(&["commits", commit, "check-runs"]),
            Self::Statuses { commit } => parts(&["commits", commit, "status"]),
            Self::CreateCheckRun => parts(&["check-runs"]),
            Self::UpdateCheckRun { id } => parts(&["check-runs", &id.to_string()]),
            Self::Comments { number } | Self::CreateComment { number } => {
                parts(&["issues", &number.to_string(), "comments"])
            }
            Self::UpdateComment { id } => parts(&["issues", "comments", &id.to_string()]),
            Self::Reviews { number } | Self::CreateReview { number } => {
                parts(&["pulls", &number.to_string(), "reviews"])
            }
            Self::ReactToComment { id } => parts(&["issues", "comments", &id.to_string(), "reactions"]),
            Self::ReactToReviewComment { id } => parts(&["pulls", "comments", &id.to_string(), "reactions"]),
            Self::BranchRules { branch } => parts(&["rules", "branches", branch]),
            Self::Branch { branch } => parts(&["branches", branch]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url<'a>(owner: &'a str, name: &'a str, call: Call<'a>) -> Result<String, ErrorKind> {
        let base = Url::parse("https://github.example/api/v3").unwrap();
        Route::InRepository { owner, name, call }.url(&base).map(String::from)
    }

    #[test]
    fn every_name_stays_in_its_part_of_the_path() {
        let below = "https://github.example/api/v3/repos";
        let table = [
            ("acme", "shop", Call::Repository, "/acme/shop"),
            ("a/b", "c?d#e", Call::Pulls, "/a%2Fb/c%3Fd%23e/pulls"),
            ("a%2Fb", "..%2f..", Call::Pulls, "/a%252Fb/..%252f../pulls"),
            ("a\\b", "ü x", Call::Pulls, "/a%5Cb/%C3%BC%20x/pulls"),
            (
                "acme",
                "shop",
                Call::Content { path: "a b/c?ref=main#%2e%2e" },
                "/acme/shop/contents/a%20b/c%3Fref=main%23%252e%252e",
            ),
            ("acme", "shop", Call::Branch { branch: "feature/x" }, "/acme/shop/branches/feature%2Fx"),
            (
                "acme",
                "shop",
                Call::Permission { login: "ada/../../x" },
                "/acme/shop/collaborators/ada%2F..%2F..%2Fx/permission",
            ),
        ];
        for (owner, name, call, expected) in table {
            assert_eq!(url(owner, name, call), Ok(format!("{below}{expected}")));
        }
    }

    #[test]
    fn what_would_change_the_path_is_refused() {
        for (owner, name) in [("", "shop"), ("..", "shop"), ("acme", "."), ("acme", "sh\nop"), ("acme", "\t")]
        {
            let refused = url(owner, name, Call::Repository);
            assert!(matches!(refused, Err(ErrorKind::Refused { .. })), "{owner:?} {name:?}: {refused:?}");
        }
        for path in ["../x", "a//b", "/a", "a/./b", "a/../../x", ""] {
            let refused = url("acme", "shop", Call::Content { path });
            assert!(matches!(refused, Err(ErrorKind::Refused { .. })), "{path:?}: {refused:?}");
        }
        // The url crate takes these for dots as well.
        for path in ["%2e%2e/x", ".%2E/x", "%2E/x"] {
            let address = url("acme", "shop", Call::Content { path }).unwrap();
            assert!(address.contains("/acme/shop/contents/"), "{path}: {address}");
        }
    }

    #[test]
    fn what_an_error_shows_of_a_manifests_code_is_nothing() {
        assert_eq!(
            Route::ConvertManifest { code: "hunter2" }.shown(),
            "POST /app-manifests/{code}/conversions"
        );
    }
}
