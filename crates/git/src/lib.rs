//! The objects of a git repository, read only: ranges, diffs, commits, notes and files.
//!
//! The `git` program reads them, with a fixed argv and a scrubbed environment; nothing is checked out and
//! nothing of the repository is executed. Three kinds of call exist, and no fourth:
//!
//! - *Names* (which commit is `main`?) are asked of the repository itself, by plumbing that runs nothing:
//!   `rev-parse`, `symbolic-ref` and `cat-file --batch-check`.
//! - *Objects* are read through a bare repository of our own, a temporary directory with a configuration that
//!   we wrote, whose object directory is the repository's. So the configuration, attributes, hooks, filters,
//!   drivers, grafts and replacements of the repository, of the user and of the head have no way in.
//! - *Fetches* bring the objects of a remote repository into a bare repository of our own ([`ObjectCache`]), and do
//!   nothing else with them.

mod blobs;
mod cache;
mod error;
mod fetch;
mod gather;
mod isolation;
mod log;
mod notes;
mod program;
mod range;
mod repository;
mod trees;
mod work_tree;

pub use blobs::{BlobReader, FileAt, MAX_BLOB_BYTES, Revision};
pub use cache::ObjectCache;
pub use error::{FetchFailure, GitError};
pub use fetch::{FetchLimits, Remote, Transport};
pub use gather::{MAX_COMMITS, MAX_DIFF_BYTES};
pub use range::{RangeKind, RangeRequest, ResolvedRange};
pub use repository::Repository;
pub use work_tree::WorkTree;
