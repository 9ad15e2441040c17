//! What can go wrong on the way to the repository's objects, each with what to do about it.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use review::CommitId;
use thiserror::Error;

/// Why something could not be read from a repository.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GitError {
    /// There is no `git` on the `PATH`.
    #[error("could not find the program git in an absolute directory of PATH; install git")]
    NoProgram,
    /// The directory is not inside a repository.
    #[error("{} is not inside a git repository", dir.display())]
    NotARepository {
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// The repository belongs to another user, and git will not trust it unasked.
    #[error(
        "git does not trust the repository at {0}, which belongs to another user; if you do, run \
         `git config --global --add safe.directory {0}`", dir.display()
    )]
    ForeignOwner {
        /// The directory.
        dir: PathBuf,
    },
    /// A name that cannot be a revision.
    #[error("{name:?} cannot be the name of a commit")]
    BadName {
        /// The name as it was given.
        name: String,
    },
    /// A name that names no commit here.
    #[error("could not find the commit {name:?}{}", shallow_hint(*is_shallow))]
    UnknownRevision {
        /// The name as it was given.
        name: String,
        /// Whether the clone is shallow, so that it may exist elsewhere.
        is_shallow: bool,
    },
    /// The current branch has no commit.
    #[error("the repository has no commit yet; review what is staged instead")]
    NoCommit,
    /// Two commits without a common ancestor.
    #[error("{base} and {head} have no common commit{}", shallow_hint(*is_shallow))]
    NoMergeBase {
        /// The base as it was called.
        base: String,
        /// The head as it was called.
        head: String,
        /// Whether the clone is shallow, so that the common commit may exist elsewhere.
        is_shallow: bool,
    },
    /// A commit whose parent was left out of a shallow clone.
    #[error(
        "the parent of the commit {} is not here because the clone is shallow; run `git fetch --deepen=1` \
         (in a workflow: actions/checkout with `fetch-depth: 2`, or 0 for everything)", commit.short()
    )]
    ShallowParent {
        /// The commit at the border.
        commit: CommitId,
    },
    /// An object that a commit needs is not in the repository.
    #[error(
        "an object that is needed for {task} is not here ({message}); if the clone is partial, run \
         `git fetch --refetch --no-filter`, if it is shallow, `git fetch --unshallow`"
    )]
    MissingObject {
        /// What was being done.
        task: &'static str,
        /// What git said.
        message: String,
    },
    /// More than the limit.
    #[error("{what} is larger than {limit} bytes; {remedy}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit in bytes.
        limit: u64,
        /// What to narrow.
        remedy: &'static str,
    },
    /// git took too long.
    #[error("git was ended because it took longer than {seconds} seconds; name a nearer base with --base")]
    TimedOut {
        /// How long it was waited for.
        seconds: u64,
    },
    /// git ended with an error.
    #[error("git {task} failed ({status}): {message}")]
    Failed {
        /// The subcommand.
        task: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// What git said, shortened, on one line.
        message: String,
    },
    /// git said something that is not in its documentation.
    #[error("could not understand the answer of git {task}")]
    Unexpected {
        /// The subcommand.
        task: &'static str,
    },
    /// A remote repository that must not be fetched from.
    #[error("cannot fetch from a remote {why}")]
    BadRemote {
        /// What is wrong with it. The address itself may hold a password, so it is not repeated.
        why: &'static str,
    },
    /// What was wanted could not be fetched.
    #[error("could not fetch {what} from {url}: {failure}")]
    Fetch {
        /// What was wanted.
        what: String,
        /// Where.
        url: String,
        /// Why not.
        failure: FetchFailure,
    },
    /// Reading or writing failed on our side.
    #[error("could not {action}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

/// Why a fetch failed.
#[derive(Debug, Error)]
pub enum FetchFailure {
    /// It took too long, with waiting for others who fetch from the same remote.
    #[error("it took longer than {seconds} seconds")]
    TimedOut {
        /// The limit.
        seconds: u64,
    },
    /// More came than may.
    #[error("it is larger than {bytes} bytes")]
    TooLarge {
        /// The limit.
        bytes: u64,
    },
    /// git gave up: the server refused, said something wrong, or cannot be reached.
    #[error("git ended with {status}: {message}")]
    Failed {
        /// How it ended.
        status: ExitStatus,
        /// What git said, shortened, on one line, without what the server said and without the credential.
        message: String,
    },
}

impl GitError {
    pub(crate) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }
}

fn shallow_hint(is_shallow: bool) -> &'static str {
    if is_shallow {
        "; the clone is shallow, so it may only be missing here: run `git fetch --unshallow` (in a workflow: \
         actions/checkout with `fetch-depth: 0`)"
    } else {
        ""
    }
}
