//! Reviews in CI: which change an event is about, and what is told on GitHub with the workflow's own token.

pub mod event;
pub mod post;
