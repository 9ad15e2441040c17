//! GitHub's payloads, as far as we read them.
//!
//! Only what an event cannot do without is required; all else may be missing or null, so that a version of the API that
//! drops a field does not deafen us.

use review::CommitId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::*;

/// An event, or why there is none.
type Parsed = Result<Event, String>;

pub(super) fn pull_request(body: &[u8]) -> Parsed {
    #[derive(Deserialize)]
    struct Payload {
        action: String,
        pull_request: RawPull,
        #[serde(default)]
        changes: Changes,
        label: Option<Label>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Changes {
        title: Option<serde_json::Value>,
        body: Option<serde_json::Value>,
        base: Option<serde_json::Value>,
    }
    let payload: Payload = read(body)?;
    let action = match payload.action.as_str() {
        "opened" => PullRequestAction::Opened,
        "reopened" => PullRequestAction::Reopened,
        "synchronize" => PullRequestAction::Synchronize,
        "ready_for_review" => PullRequestAction::ReadyForReview,
        "converted_to_draft" => PullRequestAction::ConvertedToDraft,
        "edited" => PullRequestAction::Edited,
        "labeled" => PullRequestAction::Labeled,
        "unlabeled" => PullRequestAction::Unlabeled,
        "closed" => PullRequestAction::Closed,
        _ => PullRequestAction::Other(payload.action),
    };
    let changes = payload.changes;
    Ok(Event::PullRequest(PullRequestEvent {
        origin: origin(body)?,
        action,
        pull: payload.pull_request.into(),
        changed: Edited {
            title: changes.title.is_some(),
            body: changes.body.is_some(),
            base: changes.base.is_some(),
        },
        label: payload.label.map(|label| label.name),
    }))
}

pub(super) fn issue_comment(body: &[u8]) -> Parsed {
    #[derive(Deserialize)]
    struct Payload {
        action: String,
        issue: Issue,
        comment: RawComment,
    }
    #[derive(Deserialize)]
    struct Issue {
        number: u64,
        pull_request: Option<serde::de::IgnoredAny>,
    }
    let payload: Payload = read(body)?;
    let pull = payload.issue.pull_request.map(|_| payload.issue.number);
    Ok(comment(origin(body)?, CommentPlace::Issue, payload.action, pull, payload.comment))
}

pub(super) fn review_comment(body: &[u8]) -> Parsed {
    #[derive(Deserialize)]
    struct Payload {
        action: String,
        pull_request: Number,
        comment: RawComment,
    }
    let payload: Payload = read(body)?;
    let pull = Some(payload.pull_request.number);
    Ok(comment(origin(body)?, CommentPlace::ReviewThread, payload.action, pull, payload.comment))
}

pub(super) fn check_run(body: &[u8]) -> Parsed {
    #[derive(Deserialize)]
    struct Payload {
        action: String,
        check_run: Run,
        requested_action: Option<Requested>,
    }
    #[derive(Deserialize)]
    struct Run {
        id: u64,
        #[serde(default)]
        name: String,
        external_id: Option<String>,
        #[serde(deserialize_with = "commit_id")]
        head_sha: CommitId,
        app: Option<AppId>,
        #[serde(default)]
        pull_requests: Vec<Number>,
    }
    #[derive(Deserialize)]
    struct Requested {
        #[serde(default)]
        identifier: String,
    }
    let payload: Payload = read(body)?;
    let action = match payload.action.as_str() {
        "created" => CheckRunAction::Created,
        "completed" => CheckRunAction::Completed,
        "rerequested" => CheckRunAction::Rerequested,
        "requested_action" => {
            let identifier = payload.requested_action.map(|action| action.identifier).unwrap_or_default();
            CheckRunAction::RequestedAction { identifier }
        }
        _ => CheckRunAction::Other(payload.action),
    };
    let run = payload.check_run;
    Ok(Event::CheckRun(CheckRunEvent {
        origin: origin(body)?,
        action,
        check_run_id: run.id,
        name: run.name,
        external_id: run.external_id.unwrap_or_default(),
        head: run.head_sha,
        app_id: run.app.and_then(|app| app.id),
        pulls: run.pull_requests.into_iter().map(|pull| pull.number).collect(),
    }))
}

pub(super) fn check_suite(body: &[u8]) -> Parsed {
    #[derive(Deserialize)]
    struct Payload {
        action: String,
        check_suite: Suite,
    }
    #[derive(Deserialize)]
    struct Suite {
        #[serde(deserialize_with = "commit_id")]
        head_sha: CommitId,
        head_branch: Option<String>,
        app: Option<AppId>,
        #[serde(default)]
        pull_requests: Vec<Number>,
    }
    let payload: Payload = read(body)?;
    let action = match payload.action.as_str() {
        "requested" => CheckSuiteAction::Requested,
        "rerequested" => CheckSuiteAction::Rerequested,
        "completed" => CheckSuiteAction::Completed,
        _ => CheckSuiteAction::Other(payload.action),
    };
    let suite = payload.check_suite;
    Ok(Event::CheckSuite(CheckSuiteEvent {
        origin: origin(body)?,
        action,
        head: suite.head_sha,
        head_branch: suite.head_branch,
        app_id: suite.app.and_then(|app| app.id),
        pulls: suite.pull_requests.into_iter().map(|pull| pull.number).collect(),
    }))
}

pub(super) fn merge_group(body: &[u8]) -> Parsed {
    #[derive(Deserialize)]
    struct Payload {
        action: String,
        merge_group: Group,
    }
    #[derive(Deserialize)]
    struct Group {
        #[serde(deserialize_with = "commit_id")]
        head_sha: CommitId,
        head_ref: String,
        #[serde(deserialize_with = "commit_id")]
        base_sha: CommitId,
        base_ref: String,
    }
    let payload: Payload = read(body)?;
    let action = match payload.action.as_str() {
        "checks_requested" => MergeGroupAction::ChecksRequested,
        "destroyed" => MergeGroupAction::Destroyed,
        _ => MergeGroupAction::Other(payload.action),
    };
    let group = payload.merge_group;
    Ok(Event::MergeGroup(MergeGroupEvent {
        origin: origin(body)?,
        action,
        head: group.head_sha,
        head_ref: group.head_ref,
        base: group.base_sha,
        base_ref: group.base_ref,
    }))
}

pub(super) fn installation(body: &[u8]) -> Parsed {
    #[derive(Deserialize)]
    struct Payload {
        action: String,
        installation: RawInstallation,
        repositories: Option<Vec<RawInstalled>>,
        sender: Option<RawAccount>,
    }
    let payload: Payload = read(body)?;
    let repositories = payload.repositories.unwrap_or_default().into_iter().filter_map(RawInstalled::named);
    let repositories: Vec<_> = repositories.collect();
    let (action, added, removed) = match payload.action.as_str() {
        "created" => (InstallationAction::Created, repositories, Vec::new()),
        "deleted" => (InstallationAction::Deleted, Vec::new(), repositories),
        "suspend" => (InstallationAction::Suspended, Vec::new(), Vec::new()),
        "unsuspend" => (InstallationAction::Unsuspended, Vec::new(), Vec::new()),
        "new_permissions_accepted" => (InstallationAction::PermissionsAccepted, Vec::new(), Vec::new()),
        _ => (InstallationAction::Other(payload.action), Vec::new(), Vec::new()),
    };
    Ok(Event::Installation(InstallationEvent {
        installation: payload.installation.id,
        action,
        account: account(payload.installation.account),
        added,
        removed,
        sender: account(payload.sender),
    }))
}

pub(super) fn installation_repositories(body: &[u8]) -> Parsed {
    #[derive(Deserialize)]
    struct Payload {
        installation: RawInstallation,
        #[serde(default)]
        repositories_added: Vec<RawInstalled>,
        #[serde(default)]
        repositories_removed: Vec<RawInstalled>,
        sender: Option<RawAccount>,
    }
    let payload: Payload = read(body)?;
    let named = |list: Vec<RawInstalled>| list.into_iter().filter_map(RawInstalled::named).collect();
    Ok(Event::Installation(InstallationEvent {
        installation: payload.installation.id,
        action: InstallationAction::RepositoriesChanged,
        account: account(payload.installation.account),
        added: named(payload.repositories_added),
        removed: named(payload.repositories_removed),
        sender: account(payload.sender),
    }))
}

pub(super) fn push(body: &[u8]) -> Parsed {
    /// GitHub lists no more commits than these in a push.
    const MOST_COMMITS: usize = 2048;
    #[derive(Deserialize)]
    struct Payload {
        #[serde(rename = "ref")]
        reference: String,
        before: String,
        after: String,
        #[serde(default)]
        forced: bool,
        #[serde(default)]
        created: bool,
        #[serde(default)]
        commits: Vec<RawCommit>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct RawCommit {
        added: Vec<String>,
        modified: Vec<String>,
        removed: Vec<String>,
    }
    let payload: Payload = read(body)?;
    // A branch that is new or gone has an id of zeros there.
    let id = |id: &str| CommitId::new(id).filter(|id| id.as_str().bytes().any(|digit| digit != b'0'));
    let paths_are_cut = payload.forced || payload.created || payload.commits.len() >= MOST_COMMITS;
    let touched = |commit: RawCommit| [commit.added, commit.modified, commit.removed].into_iter().flatten();
    Ok(Event::Push(PushEvent {
        origin: origin(body)?,
        reference: payload.reference,
        before: id(&payload.before),
        after: id(&payload.after),
        paths: payload.commits.into_iter().flat_map(touched).collect(),
        paths_are_cut,
    }))
}

fn comment(
    origin: Origin,
    place: CommentPlace,
    action: String,
    pull: Option<u64>,
    comment: RawComment,
) -> Event {
    let action = match action.as_str() {
        "created" => CommentAction::Created,
        "edited" => CommentAction::Edited,
        "deleted" => CommentAction::Deleted,
        _ => CommentAction::Other(action),
    };
    Event::Comment(CommentEvent {
        origin,
        place,
        action,
        pull,
        comment_id: comment.id,
        body: comment.body.unwrap_or_default(),
        author: account(comment.user),
        app_id: comment.performed_via_github_app.and_then(|app| app.id),
    })
}

/// Reads where it happened. A pass of its own, because a flattened struct would keep all of a payload in memory.
fn origin(body: &[u8]) -> Result<Origin, String> {
    read::<RawOrigin>(body).map(Origin::from)
}

/// Reads JSON. The reason names the place and never the text.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| crate::json::fault(&error))
}

fn account(raw: Option<RawAccount>) -> Account {
    raw.map_or_else(Account::ghost, Account::from)
}

#[derive(Deserialize)]
struct RawOrigin {
    repository: RawRepository,
    installation: Option<InstallationId>,
    sender: Option<RawAccount>,
}

impl From<RawOrigin> for Origin {
    fn from(raw: RawOrigin) -> Self {
        Self {
            repository: raw.repository.into(),
            installation: raw.installation.map(|installation| installation.id),
            sender: account(raw.sender),
        }
    }
}

/// A repository in GitHub's JSON.
#[derive(Deserialize)]
pub(crate) struct RawRepository {
    id: u64,
    name: String,
    full_name: Option<String>,
    owner: Option<Owner>,
    default_branch: Option<String>,
    #[serde(default)]
    private: bool,
}

/// An owner; in pushes it has a `name` beside its `login`, in old ones only that.
#[derive(Deserialize)]
struct Owner {
    login: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

impl From<RawRepository> for RepositoryRef {
    fn from(raw: RawRepository) -> Self {
        // A push may name no owner, but it says where the repository is.
        let in_full = || Some(raw.full_name.as_deref()?.split_once('/')?.0.to_owned());
        let owner = raw.owner.and_then(|owner| owner.login.or(owner.name));
        Self {
            id: raw.id,
            owner: owner.or_else(in_full).unwrap_or_default(),
            name: raw.name,
            default_branch: raw.default_branch.unwrap_or_default(),
            is_private: raw.private,
        }
    }
}

/// An account in GitHub's JSON. An enterprise, which may have installed the App too, has a `slug` and no `login`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RawAccount {
    id: u64,
    login: Option<String>,
    slug: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl From<RawAccount> for Account {
    fn from(raw: RawAccount) -> Self {
        let kind = match raw.kind.as_deref() {
            Some("Bot") => AccountKind::Bot,
            Some("Organization") => AccountKind::Organization,
            Some(_) | None => AccountKind::User,
        };
        Self { id: raw.id, login: raw.login.or(raw.slug).unwrap_or_default(), kind }
    }
}

/// A pull request in GitHub's JSON.
#[derive(Deserialize)]
pub(crate) struct RawPull {
    number: u64,
    head: Tip,
    base: Tip,
    #[serde(default)]
    draft: Option<bool>,
    /// Lists have only the time.
    merged: Option<bool>,
    merged_at: Option<String>,
    state: Option<String>,
    #[serde(default)]
    labels: Vec<Label>,
    user: Option<RawAccount>,
    updated_at: Option<String>,
}

#[derive(Deserialize)]
struct Tip {
    #[serde(deserialize_with = "commit_id")]
    sha: CommitId,
    #[serde(rename = "ref")]
    reference: String,
    repo: Option<RepositoryId>,
}

impl From<RawPull> for PullSummary {
    fn from(raw: RawPull) -> Self {
        Self {
            number: raw.number,
            head: raw.head.sha,
            head_ref: raw.head.reference,
            head_repository: raw.head.repo.map(|repository| repository.id),
            base_ref: raw.base.reference,
            base: raw.base.sha,
            is_draft: raw.draft.unwrap_or(false),
            is_merged: raw.merged.unwrap_or(raw.merged_at.is_some()),
            state: if raw.state.as_deref() == Some("closed") { PullState::Closed } else { PullState::Open },
            labels: raw.labels.into_iter().map(|label| label.name).collect(),
            author: account(raw.user),
            updated_at: raw.updated_at.and_then(|time| time.parse().ok()),
        }
    }
}

#[derive(Deserialize)]
struct RawComment {
    id: u64,
    body: Option<String>,
    user: Option<RawAccount>,
    performed_via_github_app: Option<AppId>,
}

#[derive(Deserialize)]
struct RawInstallation {
    id: u64,
    account: Option<RawAccount>,
}

#[derive(Deserialize)]
pub(crate) struct RawInstalled {
    id: u64,
    full_name: String,
}

impl RawInstalled {
    pub(crate) fn named(self) -> Option<InstalledRepository> {
        let (owner, name) = self.full_name.split_once('/')?;
        Some(InstalledRepository { id: self.id, owner: owner.to_owned(), name: name.to_owned() })
    }
}

#[derive(Deserialize)]
struct Label {
    name: String,
}

#[derive(Deserialize)]
struct Number {
    number: u64,
}

#[derive(Deserialize)]
struct RepositoryId {
    id: u64,
}

#[derive(Deserialize)]
struct InstallationId {
    id: u64,
}

#[derive(Deserialize)]
struct AppId {
    id: Option<u64>,
}

/// Reads a commit's id.
pub(crate) fn commit_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CommitId, D::Error> {
    let text = String::deserialize(deserializer)?;
    CommitId::new(&text).ok_or_else(|| serde::de::Error::custom("this is no commit id"))
}
