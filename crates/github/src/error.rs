//! Why a call of GitHub's API gave nothing, in variants that hold the fact.
//!
//! No error holds a credential, a query or a body in full: GitHub's words are cut to [`MESSAGE_LIMIT`] bytes, and what
//! was sent as `Authorization` is replaced wherever it comes back.

use std::time::Duration;

use review::text::{shorten, visible_line};

/// The most bytes of GitHub's words that an error holds.
pub const MESSAGE_LIMIT: usize = 300;

/// A call that gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not {call} ({route}): {kind}")]
pub struct ApiError {
    /// What was tried: `create a check run`.
    pub call: &'static str,
    /// The method and the path, without the query and without anything secret.
    pub route: String,
    /// What happened.
    pub kind: ErrorKind,
}

/// What happened to a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// There is nothing there, or this credential may not know of it (404).
    #[error("github knows nothing there, or does not show it to this credential")]
    NotFound,
    /// It was there and is gone for good (410).
    #[error("it is gone")]
    Gone,
    /// The credential is wrong or has expired (401).
    #[error("github does not accept the credential")]
    Unauthorized,
    /// The credential does not allow it (403).
    #[error("github does not allow it: {message}")]
    Forbidden {
        /// GitHub's words, shortened.
        message: String,
    },
    /// Too many calls for now (403 or 429).
    #[error("github's {which} rate limit is reached for {} s", .retry_after.as_secs())]
    RateLimited {
        /// How long not to call again.
        retry_after: Duration,
        /// Which limit.
        which: RateLimit,
    },
    /// GitHub refuses the request as it is (400, 422).
    #[error("github refuses the request: {message}")]
    Invalid {
        /// GitHub's words, shortened.
        message: String,
    },
    /// It contradicts what is there by now (409).
    #[error("it contradicts what is there by now: {message}")]
    Conflict {
        /// GitHub's words, or ours, shortened.
        message: String,
    },
    /// More than GitHub renders in this form (406), or than we read.
    #[error("it is too large")]
    TooLarge,
    /// GitHub failed (5xx).
    #[error("github failed with status {status}")]
    Server {
        /// The status.
        status: u16,
    },
    /// Another status that is no success.
    #[error("github answered with the status {status}: {message}")]
    Unexpected {
        /// The status.
        status: u16,
        /// GitHub's words, shortened.
        message: String,
    },
    /// An answer that says success and cannot be read.
    #[error("the answer cannot be read: {detail}")]
    Unreadable {
        /// Where and why; nothing of the answer itself.
        detail: String,
    },
    /// No answer within the time. The call may have had its effect.
    #[error("no answer came in time")]
    TimedOut,
    /// The connection broke before the answer was whole. The call may have had its effect.
    #[error("the connection broke before the answer was whole")]
    Interrupted,
    /// No connection came about: the call had no effect.
    #[error("could not connect")]
    Unreachable,
    /// GitHub sends us elsewhere, where this call may not follow: to another server, or with a write.
    #[error("it is elsewhere now: {to}")]
    Redirected {
        /// Where: scheme, host and path.
        to: String,
    },
    /// We do not send it: it would be outside of GitHub's limits or of the calls that recuse makes.
    #[error("not sent: {why}")]
    Refused {
        /// Why not.
        why: String,
    },
}

/// Which of GitHub's two limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimit {
    /// The calls of an hour.
    Primary,
    /// Too many at once, too many writes, or what else GitHub thinks of.
    Secondary,
}

impl std::fmt::Display for RateLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
        })
    }
}

impl ApiError {
    /// How long GitHub asks us not to call again.
    pub fn delay(&self) -> Option<Duration> {
        match &self.kind {
            ErrorKind::RateLimited { retry_after, .. } => Some(*retry_after),
            ErrorKind::NotFound
            | ErrorKind::Gone
            | ErrorKind::Unauthorized
            | ErrorKind::Forbidden { .. }
            | ErrorKind::Invalid { .. }
            | ErrorKind::Conflict { .. }
            | ErrorKind::TooLarge
            | ErrorKind::Server { .. }
            | ErrorKind::Unexpected { .. }
            | ErrorKind::Unreadable { .. }
            | ErrorKind::TimedOut
            | ErrorKind::Interrupted
            | ErrorKind::Unreachable
            | ErrorKind::Redirected { .. }
            | ErrorKind::Refused { .. } => None,
        }
    }

    /// Whether the same call with the same credential may succeed later. After one that
    /// [may have happened](Self::may_have_happened), look for its effect first.
    pub fn is_worth_retrying(&self) -> bool {
        match &self.kind {
            ErrorKind::RateLimited { .. }
            | ErrorKind::Conflict { .. }
            | ErrorKind::Server { .. }
            | ErrorKind::Unreadable { .. }
            | ErrorKind::TimedOut
            | ErrorKind::Interrupted
            | ErrorKind::Unreachable => true,
            ErrorKind::NotFound
            | ErrorKind::Gone
            | ErrorKind::Unauthorized
            | ErrorKind::Forbidden { .. }
            | ErrorKind::Invalid { .. }
            | ErrorKind::TooLarge
            | ErrorKind::Unexpected { .. }
            | ErrorKind::Redirected { .. }
            | ErrorKind::Refused { .. } => false,
        }
    }

    /// Whether a write may have had its effect all the same.
    pub fn may_have_happened(&self) -> bool {
        match &self.kind {
            ErrorKind::TooLarge
            | ErrorKind::Server { .. }
            | ErrorKind::Unreadable { .. }
            | ErrorKind::TimedOut
            | ErrorKind::Interrupted => true,
            ErrorKind::NotFound
            | ErrorKind::Gone
            | ErrorKind::Unauthorized
            | ErrorKind::Forbidden { .. }
            | ErrorKind::RateLimited { .. }
            | ErrorKind::Invalid { .. }
            | ErrorKind::Conflict { .. }
            | ErrorKind::Unexpected { .. }
            | ErrorKind::Unreachable
            | ErrorKind::Redirected { .. }
            | ErrorKind::Refused { .. } => false,
        }
    }
}

/// Somebody else's words as an error may hold them: in one line, hidden characters written out, shortened, without the
/// secret that was sent along.
pub(crate) fn quoted(words: &str, secret: Option<&str>) -> String {
    let words = match secret {
        Some(secret) if !secret.is_empty() => words.replace(secret, "[credential]"),
        Some(_) | None => words.to_owned(),
    };
    shorten(&visible_line(words.trim()), MESSAGE_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_shown_without_the_credential_in_one_short_line() {
        assert_eq!(
            quoted(" Bad ghs_oak\ncredential\u{202e} ", Some("ghs_oak")),
            "Bad [credential]\\ncredential\\u{202e}"
        );
        assert_eq!(quoted("a", Some("")), "a");
        assert!(quoted(&"x".repeat(9000), None).len() <= MESSAGE_LIMIT + '…'.len_utf8());
    }

    #[test]
    fn an_error_says_what_was_tried_where_and_what_happened() {
        let error = ApiError {
            call: "create a check run",
            route: "POST /repos/acme/shop/check-runs".to_owned(),
            kind: ErrorKind::RateLimited {
                retry_after: Duration::from_secs(61),
                which: RateLimit::Secondary,
            },
        };
        assert_eq!(
            error.to_string(),
            "could not create a check run (POST /repos/acme/shop/check-runs): github's secondary rate limit is \
             reached for 61 s"
        );
        assert_eq!(error.delay(), Some(Duration::from_secs(61)));
    }
}
