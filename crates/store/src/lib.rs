//! What is kept: the ledger of what was spent, the receipts, and the App's queue. SQL does not leave this crate.
//!
//! One SQL serves SQLite and PostgreSQL (`sqlx::Any`); where they differ is `Engine`. Its rules: columns are TEXT,
//! BIGINT or BYTEA; sums are cast to BIGINT; an `Option<f64>` is never bound, since sqlx 0.9 mixes up the types of its
//! NULLs.

mod folder;
mod ledger;
mod open;
mod queue;
mod receipts;

use sqlx::AnyPool;

pub use folder::ReceiptFolder;
pub use ledger::{Booking, OverCap, Reservation, ReservationId, Reserved, Scope, TokensUsed};
pub use open::open;
pub use queue::{
    AttemptCounts, Beat, Choice, ClaimLimits, Claimed, DELIVERY_WINDOW_MS, Enqueued, Held, Intended,
    JobEnding, JobId, JobKind, JobSummary, KeptPacket, KeptPacketSummary, Lease, LiveState, LostReview,
    NewJob, Order, PostKey, PostKind, Progress, QueueCounts, Received, Taken, Unfinished,
};
pub use receipts::{Fetched, Pruned, ReceiptRow, Receipts, ToKeep};

/// An open database. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    engine: Engine,
}

/// Which database it is, for the few statements that differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

impl Store {
    /// Closes all connections. What was acknowledged is on disk with or without this.
    pub async fn close(self) {
        self.pool.close().await;
    }
}
