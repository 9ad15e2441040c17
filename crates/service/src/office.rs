//! Where a review's money is booked and its receipts are kept, from its first call to its end.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use review::attribution::Login;
use review::record::File;
use store::{Booking, Pruned, ReceiptFolder, Receipts, Scope, Store, ToKeep};
use tokio::time::Instant;

use crate::authorship::Opened;
use crate::fan_out::{Asking, CallsOut};
use crate::places::{self, Environment};
use crate::review_one::{Decided, ReviewRequest};

/// Where receipts are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeepReceipts {
    /// In the database, beside the ledger.
    InDatabase,
    /// In this folder, which is made.
    InFolder(PathBuf),
}

/// The places of one review.
pub(crate) struct Office {
    /// Where money is booked; `None` where no model is asked.
    ledger: Option<Store>,
    /// `None` where they cannot be kept.
    receipts: Option<Receipts>,
}

impl Office {
    /// Opens both places.
    pub(crate) async fn open(request: &ReviewRequest<'_>) -> Result<Self> {
        let ledger = match &request.store {
            Some(store) => store.clone(),
            None => open_store(request.environment).await?,
        };
        let receipts = match request.receipts {
            KeepReceipts::InDatabase => Receipts::Database(ledger.clone()),
            KeepReceipts::InFolder(folder) => Receipts::Folder(ReceiptFolder::make(folder)?),
        };
        Ok(Self { ledger: Some(ledger), receipts: Some(receipts) })
    }

    /// Opens the place for receipts alone, where no model is asked. Nothing was paid for then and all can be had again,
    /// so that a database that cannot be opened costs the receipts, which is said, and not the review.
    pub(crate) async fn without_ledger(request: &ReviewRequest<'_>) -> Result<Self> {
        let receipts = match request.receipts {
            KeepReceipts::InFolder(folder) => Some(Receipts::Folder(ReceiptFolder::make(folder)?)),
            KeepReceipts::InDatabase if let Some(store) = &request.store => {
                Some(Receipts::Database(store.clone()))
            }
            KeepReceipts::InDatabase => match open_store(request.environment).await {
                Ok(store) => Some(Receipts::Database(store)),
                Err(error) => {
                    tracing::warn!(
                        "the receipts are not kept: {error:#}; `--receipts` names a folder for them"
                    );
                    None
                }
            },
        };
        Ok(Self { ledger: None, receipts })
    }

    /// What the calls of a review share.
    pub(crate) fn asking<'a>(
        &'a self,
        decided: &'a Decided,
        request: &'a ReviewRequest<'_>,
        bookings: &'a Bookings,
        deadline: Instant,
    ) -> Asking<'a> {
        const OPENED: &str = "where models are asked, both places are opened";
        Asking {
            engines: &decided.basis.engines,
            models: &decided.models,
            families: &request.tables.families,
            store: self.ledger.as_ref().expect(OPENED),
            receipts: self.receipts.as_ref().expect(OPENED),
            clock: request.clock,
            steps: request.steps,
            run_id: &request.run_id,
            bookings: &bookings.all,
            deadline,
            concurrency: request.config.concurrency,
            now_ms: now_ms(request),
            out: &bookings.out,
            progress: request.progress,
        }
    }

    /// Keeps what is left to be kept, deletes what the policy has deleted, and closes both places.
    pub(crate) async fn close(self, files: &[File], request: &ReviewRequest<'_>) -> Result<()> {
        if let Some(receipts) = &self.receipts {
            let files = files.iter().map(|file| ToKeep {
                kind: file.receipt.kind,
                bytes: &file.bytes,
                digest: &file.receipt.digest,
            });
            receipts.keep(&files.collect::<Vec<_>>(), now_ms(request)).await?;
        }
        let store = match (self.ledger, self.receipts) {
            (Some(store), _) | (None, Some(Receipts::Database(store))) => store,
            (None, Some(Receipts::Folder(_)) | None) => return Ok(()),
        };
        if let Some(days) = request.config.keep_receipts_days {
            prune(&store, days, now_ms(request)).await?;
        }
        if request.store.is_none() {
            store.close().await;
        }
        Ok(())
    }
}

/// Deletes the bytes of receipts that were last kept more than so many days ago; how many.
///
/// # Errors
/// The database cannot be written.
pub async fn prune(store: &Store, days: u32, now_ms: i64) -> Result<u64> {
    let before = now_ms.saturating_sub(i64::from(days) * 86_400_000);
    let because = format!("it was last kept more than {days} days before, and receipts are kept for so many");
    store.prune_receipts(before, &Pruned { at_ms: now_ms, because }).await
}

/// Opens the operator's database.
///
/// # Errors
/// It cannot be opened, or nobody knows where it is.
pub async fn open_store(environment: Environment<'_>) -> Result<Store> {
    let url = places::database_url(environment)?;
    store::open(&url).await.context("could not open the database (RECUSE_DATABASE_URL names another one)")
}

fn now_ms(request: &ReviewRequest<'_>) -> i64 {
    request.now.saturating_mul(1_000)
}

/// What all changes of a day are counted by, at a time in seconds since 1970. Days are UTC's.
pub(crate) fn day_key(now: i64) -> String {
    format!("day {}", now.div_euclid(86_400))
}

/// What every call of a review counts towards.
pub(crate) struct Bookings {
    all: Vec<Booking>,
    out: CallsOut,
}

pub(crate) fn bookings(request: &ReviewRequest<'_>) -> Bookings {
    let caps = request.config.caps;
    let day = day_key(request.now);
    // Whoever opened the pull request, as the platform knows them; anybody can write any address into a commit.
    let author = match &request.opened {
        Some(Opened { login: Login { login, id }, .. }) => {
            id.map_or_else(|| format!("account {}", login.to_lowercase()), |id| format!("account {id}"))
        }
        None => {
            let last = request.change.commits.last();
            last.map_or_else(String::new, |commit| commit.author.email.to_lowercase())
        }
    };
    let booking = |scope, key: String, limit_micro_usd| Booking { scope, key, limit_micro_usd };
    let all = vec![
        booking(Scope::Call, String::new(), caps.call),
        booking(Scope::Change, request.run_id.clone(), request.config.policy.max_micro_usd),
        booking(Scope::Author, format!("{author} on {day}"), caps.author_day),
        booking(Scope::Repository, format!("{} on {day}", request.repository_key), caps.repository_day),
        booking(Scope::Day, day, caps.day),
    ];
    Bookings { all, out: CallsOut::default() }
}
