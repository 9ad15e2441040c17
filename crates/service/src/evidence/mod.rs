//! Evidence by exit code: running a command and recording how it ended, and reading such records as checks of a packet.
//!
//! A record says what whoever ran the command says, no more: it is `self_reported` in the packet, and meets a required
//! check only where the operator allows that. Its own digest shows an edit, not a forgery.

mod log;
mod read;
mod record;
mod run;

pub use read::checks;
pub use record::{Ended, LogV1, RecordV1, SCHEMA, TreeV1, folder_of};
pub use run::{Ran, RunRequest, Sinks, run, secret_values};
