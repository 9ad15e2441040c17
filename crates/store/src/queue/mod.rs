//! The durable side of the App: what came in, the jobs that follow from it, and the acts that must not happen twice.
//!
//! Writers take turns ([`Turn`]), on SQLite as on PostgreSQL, so that each file here can be read as if nobody else
//! were there. A turn is a handful of short statements; the work of a job is done without one, under a lease
//! (`leases`). Only `beat` does without, since it changes one row under its own condition.
//!
//! All times come from the caller, in milliseconds since 1970: nothing here reads a clock.

mod deliveries;
mod jobs;
mod leases;
mod overview;
mod packets;
mod posts;
mod steps;

use std::fmt;

use anyhow::{Context, Result};
use sqlx::{Any, Row, Transaction};

pub use deliveries::{DELIVERY_WINDOW_MS, Received, Taken};
pub use jobs::{Enqueued, NewJob, Order};
pub use leases::{AttemptCounts, Beat, Choice, ClaimLimits, Claimed};
pub use overview::{JobSummary, LiveState, LostReview, QueueCounts, Unfinished};
pub use packets::{KeptPacket, KeptPacketSummary};
pub use posts::{Intended, PostKey, PostKind, Progress};

use crate::{Engine, Store};

/// What kind of work a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobKind {
    /// Reviews a pull request at a head. Only the newest head counts, so a newer job supersedes an older one.
    Review,
    /// Looks at a pull request through some lenses, because somebody asked for these. Each is answered, one after the other,
    /// and none takes the place of a review.
    PartialReview,
    /// Answers what somebody asked for in a comment. Each is answered, one after the other.
    Command,
    /// Looks through a repository for open heads that nobody looked at.
    Look,
    /// Keeps things in order. Each is done, one after the other.
    Upkeep,
}

impl JobKind {
    const ALL: [Self; 5] = [Self::Review, Self::PartialReview, Self::Command, Self::Look, Self::Upkeep];

    /// Its name in tables and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::PartialReview => "partial_review",
            Self::Command => "command",
            Self::Look => "look",
            Self::Upkeep => "upkeep",
        }
    }

    /// Whether a newer job makes older ones of the same subject pointless.
    fn is_superseded_by_newer(self) -> bool {
        match self {
            Self::Review => true,
            Self::PartialReview | Self::Command | Self::Look | Self::Upkeep => false,
        }
    }

    fn parse(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .with_context(|| format!("could not understand the kind of job {name:?}"))
    }
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobEnding {
    /// It did what it was for.
    Succeeded,
    /// A newer one took its place.
    Superseded,
    /// Nobody wants it any more.
    Cancelled,
    /// What it was about is not there for us any more; it may come back.
    OutOfReach,
    /// It did not do what it was for, and is not tried again.
    Failed,
}

impl JobEnding {
    /// Its name in tables and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Superseded => "superseded",
            Self::Cancelled => "cancelled",
            Self::OutOfReach => "out_of_reach",
            Self::Failed => "failed",
        }
    }
}

/// The name of a job. Never given to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(i64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The right to work on a job, until it runs out and somebody else claims the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// Which claim it was: the fencing token, which grows with each claim.
    token: i64,
}

/// Whether the lease was still held when something was to be written under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// It was, and the thing is on disk.
    Yes,
    /// It was not, and nothing was changed. The job is somebody else's, or has ended.
    Lost,
}

/// A transaction that no other writer of the queue can pass, with numbers that nobody else has.
struct Turn {
    transaction: Transaction<'static, Any>,
    next: i64,
    last: i64,
}

impl Turn {
    /// A number that was never given before and is larger than all that were.
    fn number(&mut self) -> Result<i64> {
        let number = self.next;
        anyhow::ensure!(number <= self.last, "a turn needs more numbers than it asked for");
        self.next += 1;
        Ok(number)
    }

    async fn commit(self) -> Result<()> {
        Ok(self.transaction.commit().await?)
    }

    async fn rollback(self) -> Result<()> {
        Ok(self.transaction.rollback().await?)
    }

    /// Whether a lease is still held; nobody can change that before the turn is over.
    async fn is_held(&mut self, lease: &Lease) -> Result<bool> {
        let row = sqlx::query("SELECT id FROM jobs WHERE id = $1 AND token = $2 AND state = 'running'")
            .bind(lease.job.0)
            .bind(lease.token)
            .fetch_optional(&mut *self.transaction)
            .await?;
        Ok(row.is_some())
    }
}

impl Store {
    /// Waits for its turn, and takes as many numbers as may be needed.
    async fn begin_turn(&self, numbers: usize) -> Result<Turn> {
        let mut transaction = match self.engine {
            Engine::Sqlite => self.pool.begin_with("BEGIN IMMEDIATE").await?,
            Engine::Postgres => self.pool.begin().await?,
        };
        let numbers = i64::try_from(numbers).context("too many numbers at once")?;
        // On PostgreSQL the row is locked until the end; each later statement sees what was committed before.
        let row = sqlx::query("UPDATE queue_turns SET last = last + $1 WHERE id = 1 RETURNING last")
            .bind(numbers)
            .fetch_one(&mut *transaction)
            .await?;
        let last: i64 = row.try_get(0)?;
        Ok(Turn { transaction, next: last - numbers + 1, last })
    }
}

/// Lists of values go to the database in pieces of this many rows. Binding to SQLite takes the square of the number of
/// parameters (500 rows at once took three times as long a row), and databases bound that number.
const ROWS_AT_ONCE: usize = 50;

/// `($1, $2), ($3, $4)`: places for the values of so many rows.
fn rows_of(rows: usize, columns: usize) -> String {
    let row = |row: usize| format!("({})", places(row * columns + 1, columns));
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// `$3, $4, $5`: places for values.
fn places(first: usize, count: usize) -> String {
    (first..first + count).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ")
}
