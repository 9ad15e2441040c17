//! Comparing what was said with what is known, and reviewers with each other: values in, figures out.
//!
//! [`matching`] decides which known issue a finding is about, [`statistics`] what the counts come to, [`history`] what is
//! known of a repository's own past.

pub mod history;
pub mod matching;
pub mod statistics;

pub use matching::{Assignment, GoldMode, Known, Place, Said, assign, same_issue};
pub use statistics::{Pair, Share, Tally, greedy_union, marginal_recall};
