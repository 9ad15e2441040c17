//! The contracts of this crate: what each format writes and reads, how failures are sorted and retried, what comes
//! over HTTP, and what an operator's program may do.

#![expect(clippy::unwrap_used, reason = "where the crate fails, the test does")]

mod anthropic;
mod command;
mod delivered;
mod failures;
mod gemini;
mod hostile;
mod http;
mod openai_chat;
mod responses;
mod support;

#[path = "../../../../tests/support/fake_models.rs"]
mod fake_models;
