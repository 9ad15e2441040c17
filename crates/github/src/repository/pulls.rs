//! Pull requests, and what GitHub says of their changes.
//!
//! What a review rests on is asked for by commit, not by number: a comparison of two commits stays what it is while the
//! pull request moves on.

use jiff::Timestamp;
use review::change::Identity;
use review::{Commit, CommitId};
use serde::Deserialize;

use super::{Listing, RepositoryApi, Rest};
use crate::error::{ApiError, ErrorKind};
use crate::event::payload::{RawPull, commit_id};
use crate::event::{Account, PullState, PullSummary};
use crate::http::NextPage;
use crate::route::Call;

/// GitHub lists no more files of a pull request than these.
pub const MAX_FILES: usize = 3_000;

/// How many pages of a hundred commits of a comparison are read.
const MAX_COMMIT_PAGES: usize = 20;

/// How many pages of a hundred open pull requests are read.
const MAX_PULL_PAGES: usize = 20;

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Its description.
    pub body: String,
    /// Who opened it.
    pub author: Account,
    /// The commit that would be merged.
    pub head: CommitId,
    /// The head's branch.
    pub head_ref: String,
    /// The repository that the head is in; none if it is deleted.
    pub head_repository: Option<u64>,
    /// Whether that is another one than the base's, or gone.
    pub head_is_fork: bool,
    /// The branch that it would be merged into.
    pub base_ref: String,
    /// That branch's commit, as the pull request has it.
    pub base: CommitId,
    /// Whether its author still works on it.
    pub is_draft: bool,
    /// Whether it is open.
    pub state: PullState,
    /// Whether it is merged.
    pub is_merged: bool,
    /// Its labels.
    pub labels: Vec<String>,
    /// How many files it changes.
    pub changed_files: u64,
    /// How many commits it has.
    pub commits: u64,
    /// How many comments its conversation has, where GitHub says so.
    pub comments: Option<u64>,
}

/// The open pull requests of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullRequests {
    /// As they were when the tag was given out.
    Unchanged,
    /// These.
    Changed {
        /// The most recently changed first.
        pulls: Listing<PullSummary>,
        /// The tag to ask with the next time.
        etag: Option<String>,
    },
}

/// Two commits, and what lies between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Where their histories part.
    pub merge_base: CommitId,
    /// The commits that the head has and the base has not, newest first.
    pub commits: Listing<Commit>,
    /// How many there are.
    pub total_commits: u64,
}

/// A changed file as GitHub lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiFile {
    /// Its path, after the change (before it, for a removed file).
    pub path: String,
    /// Its path before the change, where that differs.
    pub previous_path: Option<String>,
    /// What happened to it.
    pub status: FileStatus,
    /// Its hunks; none for binary files and for what GitHub finds too large.
    pub patch: Option<String>,
    /// Lines that came.
    pub additions: u64,
    /// Lines that went.
    pub deletions: u64,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileStatus {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It changed.
    #[serde(alias = "changed")]
    Modified,
    /// It moved.
    Renamed,
    /// It was copied.
    Copied,
    /// It is as it was.
    Unchanged,
}

impl RepositoryApi {
    /// Reads a pull request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where there is none, or the credential may not know of it.
    pub async fn pull(&self, number: u64) -> Result<Pull, ApiError> {
        #[derive(Deserialize)]
        struct Raw {
            title: String,
            body: Option<String>,
            base: Base,
            #[serde(default)]
            changed_files: u64,
            #[serde(default)]
            commits: u64,
            comments: Option<u64>,
        }
        #[derive(Deserialize)]
        struct Base {
            repo: Repository,
        }
        #[derive(Deserialize)]
        struct Repository {
            id: u64,
        }
        let answer = self.connection.send(self.request(Call::Pull { number })).await?;
        let summary = PullSummary::from(answer.read::<RawPull>()?);
        let raw: Raw = answer.read()?;
        Ok(Pull {
            number: summary.number,
            title: raw.title,
            body: raw.body.unwrap_or_default(),
            author: summary.author,
            head: summary.head,
            head_ref: summary.head_ref,
            head_repository: summary.head_repository,
            head_is_fork: summary.head_repository != Some(raw.base.repo.id),
            base_ref: summary.base_ref,
            base: summary.base,
            is_draft: summary.is_draft,
            state: summary.state,
            is_merged: summary.is_merged,
            labels: summary.labels,
            changed_files: raw.changed_files,
            commits: raw.commits,
            comments: raw.comments,
        })
    }

    /// Lists the open pull requests into a branch, at most 2,000.
    ///
    /// # Errors
    /// As any call.
    pub async fn open_pulls_into(&self, branch: &str) -> Result<Listing<PullSummary>, ApiError> {
        let query = [("state", "open"), ("base", branch)];
        let pulls = |page: Vec<RawPull>| page.into_iter().map(PullSummary::from).collect();
        self.pages(Call::Pulls, &query, MAX_PULL_PAGES, pulls).await
    }

    /// Lists the open pull requests that changed since a time, at most 2,000, unless nothing changed since the tag. That
    /// costs nothing of the rate limit, as long as it is asked with the token that the tag was given to: a tag is good for
    /// one token only (GitHub's support, as cited in eclipse-csi/otterdog#201).
    ///
    /// # Errors
    /// As any call.
    pub async fn open_pulls(
        &self,
        etag: Option<&str>,
        since: Option<Timestamp>,
    ) -> Result<PullRequests, ApiError> {
        let mut pulls: Vec<PullSummary> = Vec::new();
        let mut new_etag = None;
        for page in 1..=MAX_PULL_PAGES {
            // Whatever changes comes to the first page, whose tag is the one that counts.
            let query = [("state", "open"), ("sort", "updated"), ("direction", "desc")];
            let request = query
                .iter()
                .fold(self.request(Call::Pulls), |request, (name, value)| request.query(name, value));
            let request = request.query("per_page", super::PAGE_SIZE).query("page", page);
            let request = if page == 1 { request.unless(etag) } else { request };
            let answer = self.connection.send(request).await?;
            if answer.is_unchanged() {
                return Ok(PullRequests::Unchanged);
            }
            if page == 1 {
                new_etag = answer.etag();
            }
            for raw in answer.read::<Vec<RawPull>>()? {
                let pull = PullSummary::from(raw);
                if pull.updated_at < since && pull.updated_at.is_some() {
                    // All that follow have waited longer.
                    let pulls = Listing { items: pulls, rest: Rest::Nothing };
                    return Ok(PullRequests::Changed { pulls, etag: new_etag });
                }
                // Those that change while we read move over the border of a page.
                if pulls.iter().all(|known| known.number != pull.number) {
                    pulls.push(pull);
                }
            }
            if answer.next_page() == NextPage::None {
                let pulls = Listing { items: pulls, rest: Rest::Nothing };
                return Ok(PullRequests::Changed { pulls, etag: new_etag });
            }
        }
        Ok(PullRequests::Changed { pulls: Listing { items: pulls, rest: Rest::Unread }, etag: new_etag })
    }

    /// Finds where two commits' histories part.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where GitHub has not both of them, or they have nothing in common.
    pub async fn merge_base(&self, base: &CommitId, head: &CommitId) -> Result<CommitId, ApiError> {
        let call = Call::Compare { base: base.as_str(), head: head.as_str() };
        // The second page has no files, which would be most of the answer.
        let request = self.request(call).query("per_page", 1).query("page", 2);
        Ok(self.connection.json::<RawComparison>(request).await?.merge_base_commit.sha)
    }

    /// Compares two commits: where they part, and the commits since then, at most 2,000.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where GitHub has not both of them, or they have nothing in common.
    pub async fn compare(&self, base: &CommitId, head: &CommitId) -> Result<Comparison, ApiError> {
        let call = Call::Compare { base: base.as_str(), head: head.as_str() };
        let mut commits = Vec::new();
        let mut page = 1;
        loop {
            let request = self.request(call).query("per_page", super::PAGE_SIZE).query("page", page);
            let answer = self.connection.send(request).await?;
            let raw: RawComparison = answer.read()?;
            commits.extend(raw.commits.into_iter().map(Commit::from));
            let is_last = answer.next_page() == NextPage::None;
            if is_last || page == MAX_COMMIT_PAGES {
                let is_whole = commits.len() as u64 >= raw.total_commits;
                // GitHub has the oldest first.
                commits.reverse();
                let rest = if is_whole { Rest::Nothing } else { Rest::Unread };
                return Ok(Comparison {
                    merge_base: raw.merge_base_commit.sha,
                    commits: Listing { items: commits, rest },
                    total_commits: raw.total_commits,
                });
            }
            page += 1;
        }
    }

    /// Reads the newest commit of a branch; none where there is no such branch any more.
    ///
    /// A pull request's own `base.sha` may be an older one
    /// ([rest-api-description 5978](https://github.com/github/rest-api-description/issues/5978)).
    ///
    /// # Errors
    /// As any call, but [`ErrorKind::NotFound`].
    pub async fn branch_head(&self, branch: &str) -> Result<Option<CommitId>, ApiError> {
        #[derive(Deserialize)]
        struct Branch {
            commit: RawId,
        }
        match self.connection.json::<Branch>(self.request(Call::Branch { branch })).await {
            Ok(branch) => Ok(Some(branch.commit.sha)),
            Err(ApiError { kind: ErrorKind::NotFound, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the diff between two commits' merge base and the second one, as git prints it.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] where GitHub does not render it (more than 300 files or 20,000 lines), or it is larger
    /// than we read.
    pub async fn diff(&self, base: &CommitId, head: &CommitId) -> Result<Vec<u8>, ApiError> {
        let call = Call::Compare { base: base.as_str(), head: head.as_str() };
        let request = self.request(call).accept("application/vnd.github.diff");
        Ok(self.connection.send(request).await?.into_text()?.to_vec())
    }

    /// Lists the changed files of a pull request at its head, at most [`MAX_FILES`].
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where the pull request has another head by now.
    pub async fn files(&self, number: u64, head: &CommitId) -> Result<Listing<ApiFile>, ApiError> {
        let call = Call::Files { number };
        let take = |page: Vec<RawFile>| page;
        let raw = self.pages(call, &[], MAX_FILES / super::PAGE_SIZE, take).await?;
        if raw.items.iter().any(|file| !file.is_of(head)) {
            let message = format!("the pull request has not the head {} any more", head.short());
            return Err(self.error(call, ErrorKind::Conflict { message }));
        }
        Ok(Listing { items: raw.items.into_iter().map(ApiFile::from).collect(), rest: raw.rest })
    }
}

#[derive(Deserialize)]
struct RawComparison {
    merge_base_commit: RawId,
    #[serde(default)]
    total_commits: u64,
    #[serde(default)]
    commits: Vec<RawCommit>,
}

#[derive(Deserialize)]
struct RawId {
    #[serde(deserialize_with = "commit_id")]
    sha: CommitId,
}

#[derive(Deserialize)]
struct RawCommit {
    #[serde(deserialize_with = "commit_id")]
    sha: CommitId,
    commit: Said,
    #[serde(default)]
    parents: Vec<serde::de::IgnoredAny>,
}

/// What a commit says of itself.
#[derive(Deserialize)]
struct Said {
    message: String,
    author: Option<Signature>,
    committer: Option<Signature>,
}

#[derive(Default, Deserialize)]
struct Signature {
    name: Option<String>,
    email: Option<String>,
    date: Option<String>,
}

impl From<RawCommit> for Commit {
    fn from(raw: RawCommit) -> Self {
        let author = raw.commit.author.unwrap_or_default();
        let time = author.date.as_deref().and_then(|date| date.parse::<jiff::Timestamp>().ok());
        let identity = |signature: Signature| Identity {
            name: signature.name.unwrap_or_default(),
            email: signature.email.unwrap_or_default(),
        };
        Self {
            id: raw.sha,
            author_time: time.map_or(0, |time| time.as_second()),
            author: identity(author),
            committer: identity(raw.commit.committer.unwrap_or_default()),
            message: raw.commit.message.trim_end().to_owned(),
            parents: u32::try_from(raw.parents.len()).unwrap_or(u32::MAX),
        }
    }
}

#[derive(Deserialize)]
struct RawFile {
    filename: String,
    previous_filename: Option<String>,
    status: FileStatus,
    patch: Option<String>,
    #[serde(default)]
    additions: u64,
    #[serde(default)]
    deletions: u64,
    /// Ends with `?ref=` and the head's id.
    #[serde(default)]
    contents_url: String,
}

impl RawFile {
    fn is_of(&self, head: &CommitId) -> bool {
        self.contents_url.rsplit_once("?ref=").is_some_and(|(_, commit)| commit == head.as_str())
    }
}

impl From<RawFile> for ApiFile {
    fn from(raw: RawFile) -> Self {
        Self {
            path: raw.filename,
            previous_path: raw.previous_filename,
            status: raw.status,
            patch: raw.patch,
            additions: raw.additions,
            deletions: raw.deletions,
        }
    }
}
