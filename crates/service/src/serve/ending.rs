//! How a job ends, and what follows from what went wrong.

use std::time::Duration;

use github::{ApiError, ErrorKind};
use store::NewJob;

/// How a job ended that was not interrupted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Done {
    /// What it was about is done.
    Succeeded {
        /// A few words for the log.
        note: String,
        /// What follows from it; on disk together with the end, so that it is asked for once.
        then: Vec<NewJob>,
    },
    /// There is a newer head; these jobs look at it.
    Superseded {
        /// The jobs.
        then: Vec<NewJob>,
    },
    /// There is nothing to do any more.
    Cancelled {
        /// Why.
        note: String,
    },
    /// What it was about is not there for us any more. It may come back.
    OutOfReach {
        /// What.
        note: String,
    },
}

/// Why a job did not end.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Somebody else has the job now; nothing more may be done in its name.
    Lost,
    /// Not now, and not this job's fault: a rate limit, a database that is away.
    Later {
        /// How long to wait.
        delay: Duration,
        /// Why.
        note: String,
    },
    /// Something went wrong that may go right another time.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<ApiError>() {
            Ok(error) => error.into(),
            Err(error) => Self::Failed(error),
        }
    }
}

impl From<ApiError> for Trouble {
    fn from(error: ApiError) -> Self {
        match (&error.kind, error.delay()) {
            (ErrorKind::RateLimited { .. }, Some(delay)) => Self::Later { delay, note: error.to_string() },
            _ => Self::Failed(error.into()),
        }
    }
}

impl Done {
    /// It is done, and nothing follows.
    pub(crate) fn succeeded(note: impl Into<String>) -> Self {
        Self::Succeeded { note: note.into(), then: Vec::new() }
    }

    /// There is nothing to do any more.
    pub(crate) fn cancelled(note: impl Into<String>) -> Self {
        Self::Cancelled { note: note.into() }
    }
}

/// How often GitHub has to say that something is out of reach before it is believed: for a moment, while it is amiss or
/// behind, it says so of what is there.
pub(crate) const BELIEVED_AFTER: u32 = 3;

/// The end of a job whose object is out of reach; what went wrong, where it is not or that is not sure yet.
pub(crate) fn unless_out_of_reach(error: ApiError, attempt: u32, note: &str) -> Result<Done, Trouble> {
    if is_out_of_reach(&error) && attempt >= BELIEVED_AFTER {
        return Ok(Done::OutOfReach { note: note.to_owned() });
    }
    Err(error.into())
}

/// Whether GitHub says that we may not see or touch it any more: the app was uninstalled, the repository is gone.
pub(crate) fn is_out_of_reach(error: &ApiError) -> bool {
    match &error.kind {
        ErrorKind::NotFound | ErrorKind::Gone => true,
        ErrorKind::Forbidden { .. }
        | ErrorKind::Unauthorized
        | ErrorKind::Unexpected { .. }
        | ErrorKind::Interrupted
        | ErrorKind::Unreachable
        | ErrorKind::RateLimited { .. }
        | ErrorKind::Invalid { .. }
        | ErrorKind::Conflict { .. }
        | ErrorKind::TooLarge
        | ErrorKind::Server { .. }
        | ErrorKind::Unreadable { .. }
        | ErrorKind::TimedOut
        | ErrorKind::Redirected { .. }
        | ErrorKind::Refused { .. } => false,
    }
}
