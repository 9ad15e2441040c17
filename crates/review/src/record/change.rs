//! The change as reviewers saw it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::change::{Content, Hunk, Identity, Operation, Source, Subject};
use crate::{Change, Commit, CommitId, Digest, FileChange, Gap, RepoPath};

/// The change, without its secrets. Git's own words behind `@@` are left out: no decision rests on them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeV1<'a> {
    schema: Cow<'a, str>,
    source: Source,
    base: Option<CommitId>,
    head: Option<CommitId>,
    diff_digest: Digest,
    title: Cow<'a, str>,
    body: Cow<'a, str>,
    branch: Option<Cow<'a, str>>,
    commits: Vec<CommitV1<'a>>,
    files: Vec<FileV1<'a>>,
    gaps: Vec<Gap>,
}

const SCHEMA: &str = "recuse/change/v1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CommitV1<'a> {
    id: CommitId,
    author_time: i64,
    author: IdentityV1<'a>,
    committer: IdentityV1<'a>,
    message: Cow<'a, str>,
    parents: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentityV1<'a> {
    name: Cow<'a, str>,
    email: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileV1<'a> {
    path: RepoPath,
    old_path: Option<RepoPath>,
    operation: Operation,
    modes: (Option<u32>, Option<u32>),
    content: ContentV1<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ContentV1<'a> {
    Text(Vec<HunkV1<'a>>),
    Binary,
    Nothing,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HunkV1<'a> {
    old_start: u32,
    new_start: u32,
    lossy: bool,
    body: Cow<'a, str>,
}

impl<'a> ChangeV1<'a> {
    pub(super) fn of(change: &'a Change) -> Self {
        let identity =
            |who: &'a Identity| IdentityV1 { name: (&*who.name).into(), email: (&*who.email).into() };
        let commit = |commit: &'a Commit| CommitV1 {
            id: commit.id.clone(),
            author_time: commit.author_time,
            author: identity(&commit.author),
            committer: identity(&commit.committer),
            message: (&*commit.message).into(),
            parents: commit.parents,
        };
        let hunk = |hunk: &'a Hunk| HunkV1 {
            old_start: hunk.old_start,
            new_start: hunk.new_start,
            lossy: hunk.lossy,
            body: hunk.body().into(),
        };
        let file = |file: &'a FileChange| FileV1 {
            path: file.path.clone(),
            old_path: file.old_path.clone(),
            operation: file.operation,
            modes: file.modes,
            content: match &file.content {
                Content::Text(hunks) => ContentV1::Text(hunks.iter().map(hunk).collect()),
                Content::Binary => ContentV1::Binary,
                Content::Nothing => ContentV1::Nothing,
            },
        };
        Self {
            schema: SCHEMA.into(),
            source: change.subject.source.clone(),
            base: change.subject.base.clone(),
            head: change.subject.head.clone(),
            diff_digest: change.subject.diff_digest.clone(),
            title: (&*change.title).into(),
            body: (&*change.body).into(),
            branch: change.branch.as_deref().map(Cow::from),
            commits: change.commits.iter().map(commit).collect(),
            files: change.files.iter().map(file).collect(),
            gaps: change.gaps.clone(),
        }
    }
}

impl From<ChangeV1<'_>> for Change {
    fn from(kept: ChangeV1<'_>) -> Self {
        let identity =
            |who: IdentityV1<'_>| Identity { name: who.name.into_owned(), email: who.email.into_owned() };
        let commit = |commit: CommitV1<'_>| Commit {
            id: commit.id,
            author_time: commit.author_time,
            author: identity(commit.author),
            committer: identity(commit.committer),
            message: commit.message.into_owned(),
            parents: commit.parents,
        };
        let hunk = |hunk: HunkV1<'_>| {
            Hunk::new(hunk.old_start, hunk.new_start, String::new(), hunk.body.into_owned(), hunk.lossy)
        };
        let file = |file: FileV1<'_>| FileChange {
            path: file.path,
            old_path: file.old_path,
            operation: file.operation,
            modes: file.modes,
            content: match file.content {
                ContentV1::Text(hunks) => Content::Text(hunks.into_iter().map(hunk).collect()),
                ContentV1::Binary => Content::Binary,
                ContentV1::Nothing => Content::Nothing,
            },
        };
        Self {
            subject: Subject {
                source: kept.source,
                base: kept.base,
                head: kept.head,
                diff_digest: kept.diff_digest,
            },
            title: kept.title.into_owned(),
            body: kept.body.into_owned(),
            branch: kept.branch.map(Cow::into_owned),
            commits: kept.commits.into_iter().map(commit).collect(),
            files: kept.files.into_iter().map(file).collect(),
            gaps: kept.gaps,
        }
    }
}
