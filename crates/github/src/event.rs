//! Deliveries as values: what happened, where, and by whom.
//!
//! [`parse`] is total. What recuse has no use for, or what does not look as GitHub describes it, is an
//! [`Event::Ignored`] with the reason. Text in an event is its author's word; whoever acts on it asks the API for the
//! state, because deliveries come late, twice and out of order.

pub(crate) mod payload;

use jiff::Timestamp;
use review::CommitId;
use review::text::{shorten, visible_line};

/// A delivery that is GitHub's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// GitHub tries the webhook.
    Ping,
    /// Something about a pull request.
    PullRequest(PullRequestEvent),
    /// Something about a comment.
    Comment(CommentEvent),
    /// Something about a check run.
    CheckRun(CheckRunEvent),
    /// Something about all check runs of an app at a commit.
    CheckSuite(CheckSuiteEvent),
    /// Something about a merge queue's group.
    MergeGroup(MergeGroupEvent),
    /// Where the app is installed.
    Installation(InstallationEvent),
    /// A branch or tag moved.
    Push(PushEvent),
    /// Nothing that recuse acts on.
    Ignored {
        /// Why not, for the log.
        reason: String,
    },
}

/// Where something happened, and who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The repository.
    pub repository: RepositoryRef,
    /// The app's installation there; none for a webhook of the repository itself.
    pub installation: Option<u64>,
    /// Who did it.
    pub sender: Account,
}

/// A repository as deliveries and the API name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryRef {
    /// Its number, which stays when it is renamed.
    pub id: u64,
    /// Whose it is.
    pub owner: String,
    /// Its name.
    pub name: String,
    /// The branch that pull requests go to by default; empty where the delivery does not say.
    pub default_branch: String,
    /// Whether only some may read it.
    pub is_private: bool,
}

/// A user, bot or organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its number, which stays when it is renamed.
    pub id: u64,
    /// Its name. An app's bot has the name `SLUG[bot]`, which no user can take.
    pub login: String,
    /// Which of them.
    pub kind: AccountKind,
}

impl Account {
    /// Who stands for accounts that are deleted, as GitHub shows them.
    pub fn ghost() -> Self {
        Self { id: 10_137, login: "ghost".to_owned(), kind: AccountKind::User }
    }
}

/// What an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKind {
    /// A person's, or one that a program uses as a person would.
    User,
    /// An app's.
    Bot,
    /// An organization.
    Organization,
}

/// Something about a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequestEvent {
    /// Where and by whom.
    pub origin: Origin,
    /// What.
    pub action: PullRequestAction,
    /// The pull request, after it.
    pub pull: PullSummary,
    /// What was edited.
    pub changed: Edited,
    /// The label that came or went.
    pub label: Option<String>,
}

/// What happened to a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullRequestAction {
    /// It is new.
    Opened,
    /// It was closed and is open again.
    Reopened,
    /// Its head moved, or its base did.
    Synchronize,
    /// It is a draft no more.
    ReadyForReview,
    /// It became a draft.
    ConvertedToDraft,
    /// Its title, body or base was edited.
    Edited,
    /// A label was put on it.
    Labeled,
    /// A label was taken off.
    Unlabeled,
    /// It was closed or merged.
    Closed,
    /// Something else, by GitHub's name.
    Other(String),
}

/// What an edit changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Edited {
    /// The title.
    pub title: bool,
    /// The body.
    pub body: bool,
    /// The base.
    pub base: bool,
}

/// A pull request as deliveries and lists have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullSummary {
    /// Its number.
    pub number: u64,
    /// The commit that would be merged.
    pub head: CommitId,
    /// The head's branch.
    pub head_ref: String,
    /// The repository that the head is in; none if it is deleted.
    pub head_repository: Option<u64>,
    /// The branch that it would be merged into.
    pub base_ref: String,
    /// That branch's commit.
    pub base: CommitId,
    /// Whether its author still works on it.
    pub is_draft: bool,
    /// Whether it is merged.
    pub is_merged: bool,
    /// Whether it is open.
    pub state: PullState,
    /// Its labels.
    pub labels: Vec<String>,
    /// Who opened it.
    pub author: Account,
    /// When something about it last changed, where GitHub says so.
    pub updated_at: Option<Timestamp>,
}

/// Whether a pull request is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullState {
    /// It is.
    Open,
    /// It is closed, or merged.
    Closed,
}

/// Something about a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentEvent {
    /// Where and by whom.
    pub origin: Origin,
    /// Which kind of comment.
    pub place: CommentPlace,
    /// What happened to it.
    pub action: CommentAction,
    /// The pull request; none for a comment on an issue.
    pub pull: Option<u64>,
    /// Its number, counted apart for each place.
    pub comment_id: u64,
    /// Its text.
    pub body: String,
    /// Who wrote it.
    pub author: Account,
    /// The app that it was written through.
    pub app_id: Option<u64>,
}

/// Where a comment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommentPlace {
    /// In the conversation.
    Issue,
    /// At a line of the diff.
    ReviewThread,
}

/// What happened to a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommentAction {
    /// It is new.
    Created,
    /// Its text was edited.
    Edited,
    /// It is gone.
    Deleted,
    /// Something else, by GitHub's name.
    Other(String),
}

/// Something about a check run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRunEvent {
    /// Where and by whom.
    pub origin: Origin,
    /// What.
    pub action: CheckRunAction,
    /// Its number.
    pub check_run_id: u64,
    /// Its name.
    pub name: String,
    /// What its app calls it.
    pub external_id: String,
    /// The commit.
    pub head: CommitId,
    /// The app that it belongs to.
    pub app_id: Option<u64>,
    /// The pull requests that GitHub knows of; none for those from forks, and for some re-runs.
    pub pulls: Vec<u64>,
}

/// What happened to a check run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckRunAction {
    /// It is new.
    Created,
    /// It has its conclusion.
    Completed,
    /// Somebody asks for it once more. GitHub does not reset it; its app has to.
    Rerequested,
    /// Somebody pressed one of its buttons.
    RequestedAction {
        /// Which one.
        identifier: String,
    },
    /// Something else, by GitHub's name.
    Other(String),
}

/// Something about all check runs of an app at a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckSuiteEvent {
    /// Where and by whom.
    pub origin: Origin,
    /// What.
    pub action: CheckSuiteAction,
    /// The commit.
    pub head: CommitId,
    /// Its branch, where GitHub knows one.
    pub head_branch: Option<String>,
    /// The app that they belong to.
    pub app_id: Option<u64>,
    /// The pull requests that GitHub knows of; none for those from forks.
    pub pulls: Vec<u64>,
}

/// What happened to a check suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckSuiteAction {
    /// A push asks for checks.
    Requested,
    /// Somebody asks for all of them once more.
    Rerequested,
    /// All of them have their conclusions.
    Completed,
    /// Something else, by GitHub's name.
    Other(String),
}

/// Something about a merge queue's group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeGroupEvent {
    /// Where and by whom.
    pub origin: Origin,
    /// What.
    pub action: MergeGroupAction,
    /// The commit that would become the branch.
    pub head: CommitId,
    /// The queue's branch: `refs/heads/gh-readonly-queue/main/pr-N-SHA`.
    pub head_ref: String,
    /// The commit that it would go onto.
    pub base: CommitId,
    /// The branch that it would become, as `refs/heads/…`.
    pub base_ref: String,
}

/// What happened to a merge group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MergeGroupAction {
    /// It waits for its checks.
    ChecksRequested,
    /// It is no more.
    Destroyed,
    /// Something else, by GitHub's name.
    Other(String),
}

/// Where the app is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationEvent {
    /// The installation.
    pub installation: u64,
    /// What.
    pub action: InstallationAction,
    /// Whose installation it is.
    pub account: Account,
    /// Repositories that it now reaches.
    pub added: Vec<InstalledRepository>,
    /// Repositories that it reaches no more.
    pub removed: Vec<InstalledRepository>,
    /// Who did it.
    pub sender: Account,
}

/// What happened to an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstallationAction {
    /// It is new.
    Created,
    /// It is gone, and so is all access.
    Deleted,
    /// Access is off for now.
    Suspended,
    /// Access is on again.
    Unsuspended,
    /// It reaches other repositories than before.
    RepositoriesChanged,
    /// Permissions that the app asked for later were given.
    PermissionsAccepted,
    /// Something else, by GitHub's name.
    Other(String),
}

/// A repository in the list of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledRepository {
    /// Its number.
    pub id: u64,
    /// Whose it is.
    pub owner: String,
    /// Its name.
    pub name: String,
}

/// A branch or tag moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushEvent {
    /// Where and by whom.
    pub origin: Origin,
    /// What moved: `refs/heads/main`.
    pub reference: String,
    /// Where it was; none if it is new.
    pub before: Option<CommitId>,
    /// Where it is; none if it is deleted.
    pub after: Option<CommitId>,
    /// The files that its commits touched.
    paths: Vec<String>,
    /// Whether there may be more than these.
    paths_are_cut: bool,
}

impl PushEvent {
    /// Whether the push may have changed a file: its commits name it, or not all of them are known.
    pub fn may_touch(&self, path: &str) -> bool {
        self.paths_are_cut || self.paths.iter().any(|touched| touched == path)
    }
}

/// Reads a delivery: its event's name (`X-GitHub-Event`) and its body.
pub fn parse(event_name: &str, body: &[u8]) -> Event {
    match event_name {
        "ping" => Ok(Event::Ping),
        "pull_request" => payload::pull_request(body),
        "issue_comment" => payload::issue_comment(body),
        "pull_request_review_comment" => payload::review_comment(body),
        "check_run" => payload::check_run(body),
        "check_suite" => payload::check_suite(body),
        "merge_group" => payload::merge_group(body),
        "installation" => payload::installation(body),
        "installation_repositories" => payload::installation_repositories(body),
        "push" => payload::push(body),
        _ => Err(format!("recuse does not listen to {}", shorten(&visible_line(event_name), 60))),
    }
    .unwrap_or_else(|reason| Event::Ignored { reason })
}

#[cfg(test)]
mod tests;
