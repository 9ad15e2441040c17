//! One pull request, read in the way that tells most: its commits by the API, its files and notes from a copy that is
//! fetched; by the API alone where nothing can be fetched, and what that does not show is a gap.

use std::time::Duration;

use anyhow::Result;
use base64::Engine as _;
use git::{FetchLimits, GitError, ObjectCache, Remote, Repository, Transport};
use github::RepositoryApi;
use github::event::PullState;
use github::repository::Pull;
use review::attribution::{Login, Note};
use review::change::Subject;
use review::{Change, CommitId, Digest, Gap, GapKind};
use secrecy::{ExposeSecret as _, SecretString};

use crate::authorship::{Opened, notes};
use crate::config::{BASE_FILE, ServeSection};
use crate::places::{Environment, state_folder};

/// What fetched objects may take, by default, in MiB.
const CACHE_MIB: u64 = 2_048;

/// What one fetch may add: a shallow copy of a large repository.
const MAX_FETCH_BYTES: u64 = 1024 * 1024 * 1024;

/// How long one fetch may take.
const MAX_FETCH_TIME: Duration = Duration::from_secs(180);

/// The references that are fetched where they are: the notes that agents leave.
const REFERENCES: [&str; 1] = ["refs/notes/ai"];

/// A pull request's change, and what its repository says about it.
pub struct PullReading {
    /// The change.
    pub change: Change,
    /// The fetched copy; `None` where nothing could be fetched.
    pub repository: Option<Repository>,
    /// The git-ai notes about its commits; none without a copy.
    pub notes: Vec<Note>,
    /// The base branch's newest commit: what the base says is read there.
    pub base: CommitId,
    /// `.recuse.toml` of the base branch.
    pub base_file: Option<Vec<u8>>,
    /// Who opened it, and its labels.
    pub opened: Opened,
}

/// The folder of fetched objects, as the configuration names it, else below the state folder.
///
/// # Errors
/// The folder cannot be made, or git is not installed.
pub fn object_cache(section: &ServeSection, environment: Environment<'_>) -> Result<ObjectCache> {
    let folder = match &section.cache_folder {
        Some(folder) => folder.clone(),
        None => state_folder(environment)?.join("objects"),
    };
    let bytes = section.cache_mib.unwrap_or(CACHE_MIB).saturating_mul(1024 * 1024);
    Ok(ObjectCache::new(&folder, bytes)?)
}

/// Reads a pull request between its base branch as it is now and its head as `pull` has it.
///
/// The commit that `pull` has for its base may be an old one: what was made stricter since would not be in force. One that is
/// closed is read from that commit: the branch may have the change by now.
///
/// # Errors
/// [`github::ApiError`] where a call failed; what was fetched cannot be read.
pub async fn read_pull(api: &RepositoryApi, pull: &Pull, cache: &ObjectCache) -> Result<PullReading> {
    let now = match pull.state {
        PullState::Open => api.branch_head(&pull.base_ref).await?,
        PullState::Closed => None,
    };
    let base = now.unwrap_or_else(|| pull.base.clone());
    let comparison = api.compare(&base, &pull.head).await?;
    let wanted = [pull.head.clone(), comparison.merge_base.clone(), base.clone()];
    let repository = match fetch(api, &wanted, cache) {
        Ok(repository) => Some(repository),
        Err(error) => {
            tracing::warn!(%error, "the repository could not be fetched; the change is read by the API");
            None
        }
    };
    let diff = repository.as_ref().map(|copy| copy.diff_between(&comparison.merge_base, &pull.head));
    let change = match diff {
        Some(Ok(diff)) => {
            let parsed = review::diff::parse(&diff);
            let mut gaps = parsed.gaps;
            gaps.extend(unread_commits(comparison.commits.items.len() as u64, comparison.total_commits));
            Change {
                subject: Subject {
                    source: github::change::source(api, pull),
                    base: Some(comparison.merge_base),
                    head: Some(pull.head.clone()),
                    diff_digest: Digest::of(&diff),
                },
                title: pull.title.clone(),
                body: pull.body.clone(),
                branch: Some(pull.head_ref.clone()),
                commits: comparison.commits.items,
                files: parsed.files,
                gaps,
            }
        }
        Some(Err(_)) | None => github::change::gather_compared(api, pull, comparison).await?,
    };
    let (notes, base_file) = match &repository {
        Some(copy) => (notes(copy, &change)?, copy.read_at(&base, &BASE_FILE.into())?.into_bytes()),
        None => (Vec::new(), api.content(BASE_FILE, &base).await?),
    };
    let opened = Opened {
        login: Login { login: pull.author.login.clone(), id: Some(pull.author.id) },
        labels: pull.labels.clone(),
    };
    Ok(PullReading { change, repository, notes, base, base_file, opened })
}

fn unread_commits(seen: u64, total: u64) -> Option<Gap> {
    let more = total.checked_sub(seen).filter(|more| *more > 0)?;
    let detail = format!("{more} of the {total} commits were not read, the newest");
    Some(Gap { kind: GapKind::TooLarge, file: None, lines: None, detail })
}

/// Fetches commits and the notes about them.
fn fetch(api: &RepositoryApi, wanted: &[CommitId], cache: &ObjectCache) -> Result<Repository, GitError> {
    let url = api
        .clone_url()
        .map_err(|_| GitError::BadRemote { why: "whose name cannot be part of an address" })?;
    let pair = format!("x-access-token:{}", api.credential().secret().expose_secret());
    let header = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    // The API's address is http only where the operator said so, or on this machine.
    let allow = match url.scheme() {
        "http" => Transport::HttpOrHttps,
        _ => Transport::Https,
    };
    let remote = Remote { url: url.to_string(), authorization: Some(SecretString::from(header)), allow };
    let limits = FetchLimits { bytes: MAX_FETCH_BYTES, patience: MAX_FETCH_TIME };
    cache.fetch(&remote, wanted, &REFERENCES, &limits)
}
