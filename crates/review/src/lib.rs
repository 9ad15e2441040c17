//! The domain and the policy of recuse: plain functions from values to values.
//!
//! Nothing in this crate reads a clock, the environment, a disk or a network, and nothing is async
//! (`clippy.toml` beside the manifest forbids it). What a reviewer did wrong is a value ([`outcome::Outcome`]);
//! an `Err` here always means that *our* input (a table, a policy) is wrong.
//!
//! The way of one change through the modules: [`diff`] → [`attribution`] → [`classify`] → [`panel`] →
//! [`prompt`] → [`hearing`] → [`anchor`] → [`merge`] → [`examine`] → [`judge`] → [`packet`]; all behind the replies
//! is [`conclude`].

pub mod agreement;
pub mod anchor;
pub mod answer;
pub mod attribution;
pub mod basis;
pub mod change;
pub mod classify;
pub mod conclude;
pub mod coverage;
pub mod diff;
pub mod digest;
pub mod engine;
pub mod examine;
pub mod finding;
pub mod hearing;
pub mod judge;
pub mod lineage;
pub mod merge;
pub mod outcome;
pub mod packet;
pub mod panel;
pub mod policy;
pub mod prompt;
pub mod record;
pub mod reply;
pub mod statement;
pub mod text;
pub mod verify;
pub mod what_if;
pub mod wishes;
pub mod wording;

pub use change::{Change, Commit, CommitId, FileChange, Gap, GapKind, Hunk, Line, LineKind, RepoPath, Side};
pub use digest::Digest;
pub use finding::{Category, Finding, Lens, Severity};
pub use lineage::{Families, Family, Lineage};
