//! The calls that the fake knows, which are those that recuse may make, and what each needs.

use axum::http::Method;

/// A call, by its method and the shape of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Endpoint {
    App,
    AppHook,
    Installations,
    MintToken,
    Deliveries,
    Redeliver,
    ConvertManifest,
    User,
    Reached,
    RepositoryInstallation,
    Repository,
    Pulls,
    Pull,
    Files,
    Compare,
    /// The same path, asked for as a diff.
    CompareDiff,
    Content,
    Permission,
    CheckRuns,
    Statuses,
    CreateCheckRun,
    UpdateCheckRun,
    Comments,
    CreateComment,
    UpdateComment,
    Reviews,
    CreateReview,
    ReactToComment,
    ReactToReviewComment,
    BranchRules,
    Branch,
    Git,
}

/// Whose right a call is made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// Nobody's.
    Nobodys,
    /// The App's own.
    App,
    /// A token's; any one of these permissions, each with whether it must be `write`.
    Token(&'static [(&'static str, Level)]),
}

/// How much of a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Read,
    Write,
}

/// A call as it came, taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    /// `owner`, `name`; or the number of a repository that was renamed.
    pub(crate) repository: Option<RepositoryKey>,
    /// What stands in the path's other places, in their order.
    pub(crate) captures: Vec<String>,
}

/// How a path names a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RepositoryKey {
    Name(String, String),
    Id(u64),
}

impl Endpoint {
    /// All but git's.
    pub(crate) const API: [Self; 31] = [
        Self::App,
        Self::AppHook,
        Self::Installations,
        Self::MintToken,
        Self::Deliveries,
        Self::Redeliver,
        Self::ConvertManifest,
        Self::User,
        Self::Reached,
        Self::RepositoryInstallation,
        Self::Repository,
        Self::Pulls,
        Self::Pull,
        Self::Files,
        Self::Compare,
        Self::CompareDiff,
        Self::Content,
        Self::Permission,
        Self::CheckRuns,
        Self::Statuses,
        Self::CreateCheckRun,
        Self::UpdateCheckRun,
        Self::Comments,
        Self::CreateComment,
        Self::UpdateComment,
        Self::Reviews,
        Self::CreateReview,
        Self::ReactToComment,
        Self::ReactToReviewComment,
        Self::BranchRules,
        Self::Branch,
    ];

    /// Whether it changes something.
    pub(crate) fn is_write(self) -> bool {
        matches!(
            self,
            Self::MintToken
                | Self::Redeliver
                | Self::ConvertManifest
                | Self::CreateCheckRun
                | Self::UpdateCheckRun
                | Self::CreateComment
                | Self::UpdateComment
                | Self::CreateReview
                | Self::ReactToComment
                | Self::ReactToReviewComment
        )
    }

    pub(crate) fn right(self) -> Right {
        use Level::{Read, Write};
        match self {
            Self::ConvertManifest => Right::Nobodys,
            Self::User => Right::Token(&[]),
            Self::App
            | Self::AppHook
            | Self::Installations
            | Self::MintToken
            | Self::Deliveries
            | Self::Redeliver
            | Self::RepositoryInstallation => Right::App,
            Self::Reached | Self::Repository | Self::Permission | Self::BranchRules => {
                Right::Token(&[("metadata", Read)])
            }
            Self::Pulls | Self::Pull | Self::Files | Self::Reviews => {
                Right::Token(&[("pull_requests", Read)])
            }
            Self::Compare | Self::CompareDiff | Self::Content | Self::Branch | Self::Git => {
                Right::Token(&[("contents", Read)])
            }
            Self::CheckRuns => Right::Token(&[("checks", Read)]),
            Self::Statuses => Right::Token(&[("statuses", Read)]),
            Self::CreateCheckRun | Self::UpdateCheckRun => Right::Token(&[("checks", Write)]),
            Self::Comments => Right::Token(&[("issues", Read), ("pull_requests", Read)]),
            Self::CreateComment | Self::UpdateComment | Self::ReactToComment => {
                Right::Token(&[("issues", Write), ("pull_requests", Write)])
            }
            Self::CreateReview | Self::ReactToReviewComment => Right::Token(&[("pull_requests", Write)]),
        }
    }
}

impl Target {
    /// Takes a path below the API apart; none for what is off the list.
    pub(crate) fn of(method: &Method, path: &str, accept: &str) -> Option<Self> {
        let parts: Vec<String> = path.strip_prefix('/')?.split('/').map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let bare = |endpoint, captures: &[&str]| {
            Some(Self {
                endpoint,
                repository: None,
                captures: captures.iter().map(|&c| c.to_owned()).collect(),
            })
        };
        match (method.as_str(), &parts[..]) {
            ("GET", ["app"]) => bare(Endpoint::App, &[]),
            ("GET", ["app", "hook", "config"]) => bare(Endpoint::AppHook, &[]),
            ("GET", ["app", "installations"]) => bare(Endpoint::Installations, &[]),
            ("POST", ["app", "installations", id, "access_tokens"]) => bare(Endpoint::MintToken, &[id]),
            ("GET", ["app", "hook", "deliveries"]) => bare(Endpoint::Deliveries, &[]),
            ("POST", ["app", "hook", "deliveries", id, "attempts"]) => bare(Endpoint::Redeliver, &[id]),
            ("GET", ["user"]) => bare(Endpoint::User, &[]),
            ("GET", ["installation", "repositories"]) => bare(Endpoint::Reached, &[]),
            ("POST", ["app-manifests", code, "conversions"]) => bare(Endpoint::ConvertManifest, &[code]),
            (method, ["repos", owner, name, rest @ ..]) => {
                let key = RepositoryKey::Name((*owner).to_owned(), (*name).to_owned());
                Self::in_repository(method, key, rest, accept)
            }
            (method, ["repositories", id, rest @ ..]) => {
                Self::in_repository(method, RepositoryKey::Id(id.parse().ok()?), rest, accept)
            }
            _ => None,
        }
    }

    fn in_repository(method: &str, key: RepositoryKey, rest: &[&str], accept: &str) -> Option<Self> {
        let (endpoint, captures): (_, Vec<&str>) = match (method, rest) {
            ("GET", []) => (Endpoint::Repository, vec![]),
            ("GET", ["installation"]) => (Endpoint::RepositoryInstallation, vec![]),
            ("GET", ["pulls"]) => (Endpoint::Pulls, vec![]),
            ("GET", ["pulls", number]) => (Endpoint::Pull, vec![number]),
            ("GET", ["pulls", number, "files"]) => (Endpoint::Files, vec![number]),
            ("GET", ["pulls", number, "reviews"]) => (Endpoint::Reviews, vec![number]),
            ("POST", ["pulls", number, "reviews"]) => (Endpoint::CreateReview, vec![number]),
            ("POST", ["pulls", "comments", id, "reactions"]) => (Endpoint::ReactToReviewComment, vec![id]),
            ("GET", ["compare", range]) if accept.contains("diff") => (Endpoint::CompareDiff, vec![range]),
            ("GET", ["compare", range]) => (Endpoint::Compare, vec![range]),
            ("GET", ["contents", path @ ..]) => {
                let path = path.join("/");
                return Some(Self {
                    endpoint: Endpoint::Content,
                    repository: Some(key),
                    captures: vec![path],
                });
            }
            ("GET", ["collaborators", login, "permission"]) => (Endpoint::Permission, vec![login]),
            ("GET", ["commits", commit, "check-runs"]) => (Endpoint::CheckRuns, vec![commit]),
            ("GET", ["commits", commit, "status"]) => (Endpoint::Statuses, vec![commit]),
            ("POST", ["check-runs"]) => (Endpoint::CreateCheckRun, vec![]),
            ("PATCH", ["check-runs", id]) => (Endpoint::UpdateCheckRun, vec![id]),
            ("GET", ["issues", number, "comments"]) => (Endpoint::Comments, vec![number]),
            ("POST", ["issues", number, "comments"]) => (Endpoint::CreateComment, vec![number]),
            ("PATCH", ["issues", "comments", id]) => (Endpoint::UpdateComment, vec![id]),
            ("POST", ["issues", "comments", id, "reactions"]) => (Endpoint::ReactToComment, vec![id]),
            ("GET", ["rules", "branches", branch]) => (Endpoint::BranchRules, vec![branch]),
            ("GET", ["branches", branch]) => (Endpoint::Branch, vec![branch]),
            _ => return None,
        };
        let captures = captures.into_iter().map(str::to_owned).collect();
        Some(Self { endpoint, repository: Some(key), captures })
    }
}

/// Undoes percent-encoding.
fn decoded(part: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = part.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = || u8::from_str_radix(std::str::from_utf8(after.get(..2)?).ok()?, 16).ok();
        match (byte, hex()) {
            (b'%', Some(value)) => {
                bytes.push(value);
                rest = &after[2..];
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
