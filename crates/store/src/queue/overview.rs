//! Looking at the queue, and forgetting what is long over.

use anyhow::{Context, Result};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{JobEnding, JobId, JobKind};
use crate::Store;

/// For how long a failed job counts as one of late.
const LATELY_MS: i64 = 24 * 60 * 60 * 1000;

/// How full the queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueCounts {
    /// Jobs that wait, due or not.
    pub queued: u64,
    /// Jobs that run, those that are asked to stop and those whose lease has run out too.
    pub running: u64,
    /// Jobs that failed in the last 24 hours.
    pub failed: u64,
    /// For how long the one that waits longest could have run, in milliseconds; `None` if none is due.
    pub oldest_due_age_ms: Option<u64>,
}

/// A live job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSummary {
    /// Its name.
    pub id: JobId,
    /// The commit that it is bound to.
    pub head: Option<String>,
    /// As in [`NewJob::dedupe_key`](super::NewJob::dedupe_key).
    pub dedupe_key: String,
    /// How often it was claimed, less the attempts that did not count.
    pub attempts: u32,
    /// When it was enqueued, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// What it is doing.
    pub state: LiveState,
}

/// A job that has not ended and is not asked to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// Its name.
    pub id: JobId,
    /// As in [`NewJob::subject`](super::NewJob::subject).
    pub subject: String,
    /// As in [`NewJob::payload`](super::NewJob::payload).
    pub payload: String,
}

/// A review that came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostReview {
    /// Its name.
    pub id: JobId,
    /// As in [`NewJob::subject`](super::NewJob::subject).
    pub subject: String,
    /// As in [`NewJob::payload`](super::NewJob::payload).
    pub payload: String,
    /// When it was enqueued, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it ended, in milliseconds since 1970.
    pub finished_at_ms: i64,
    /// How it ended: it failed, or was out of reach.
    pub ending: JobEnding,
    /// How many reviews of its head came to nothing, this one too, of those that are not forgotten ([`Store::forget_old`]).
    pub times: u64,
}

/// What a live job is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveState {
    /// It waits.
    Queued {
        /// Until then at least, in milliseconds since 1970.
        run_at_ms: i64,
    },
    /// Somebody works on it.
    Running {
        /// Who.
        worker: String,
        /// Until when they have to give a sign of life, in milliseconds since 1970.
        lease_until_ms: i64,
    },
    /// It is asked to stop: whoever works on it, or claims it next, cleans up.
    Stopping {
        /// Why.
        reason: String,
    },
}

impl Store {
    /// How full the queue is.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn queue_counts(&self, now_ms: i64) -> Result<QueueCounts> {
        let count = async {
            let row = sqlx::query(
                "SELECT (SELECT COUNT(*) FROM jobs WHERE state = 'queued') AS queued, \
                 (SELECT COUNT(*) FROM jobs WHERE state = 'running') AS running, \
                 (SELECT COUNT(*) FROM jobs WHERE finished_at_ms > $1 AND state = 'failed') AS failed, \
                 (SELECT MIN(run_at_ms) FROM jobs WHERE state = 'queued' AND run_at_ms <= $2) AS oldest",
            )
            .bind(now_ms.saturating_sub(LATELY_MS))
            .bind(now_ms)
            .fetch_one(&self.pool)
            .await?;
            let number = |column: &str| -> Result<u64> { Ok(u64::try_from(row.try_get::<i64, _>(column)?)?) };
            let oldest: Option<i64> = row.try_get("oldest")?;
            anyhow::Ok(QueueCounts {
                queued: number("queued")?,
                running: number("running")?,
                failed: number("failed")?,
                oldest_due_age_ms: oldest.map(|run_at_ms| now_ms.abs_diff(run_at_ms)),
            })
        };
        count.await.context("could not count the jobs")
    }

    /// The live job of a kind and subject: the one that will go on, if there are several, and the one that is asked to
    /// stop only if it is alone.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn live_job(&self, kind: JobKind, subject: &str) -> Result<Option<JobSummary>> {
        let look = async {
            let row = sqlx::query(
                "SELECT id, head, dedupe_key, attempts, created_at_ms, state, run_at_ms, worker, lease_until_ms, stop_reason \
                 FROM jobs WHERE state IN ('queued', 'running') AND kind = $1 AND subject = $2 \
                 ORDER BY CASE WHEN stop_as IS NOT NULL THEN 2 WHEN state = 'queued' THEN 1 ELSE 0 END, id LIMIT 1",
            )
            .bind(kind.name())
            .bind(subject)
            .fetch_optional(&self.pool)
            .await?;
            row.map(|row| summary(&row)).transpose()
        };
        look.await.with_context(|| format!("could not look for a {} of {subject}", kind.name()))
    }

    /// The subjects that jobs of this repository had with this head, in alphabetical order. Only jobs that are not
    /// forgotten ([`Store::forget_old`]) count.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn subjects_of_head(&self, repository: &str, head: &str) -> Result<Vec<String>> {
        let rows = sqlx::query(
            "SELECT DISTINCT subject FROM jobs WHERE repository = $1 AND head = $2 ORDER BY subject",
        )
        .bind(repository)
        .bind(head)
        .fetch_all(&self.pool)
        .await
        .with_context(|| format!("could not look for what {head} belongs to in {repository}"))?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// The newest reviews of their subjects in this repository that failed or were out of reach and ended since then, the
    /// latest first, at most `most`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn lost_reviews(
        &self,
        repository: &str,
        since_ms: i64,
        most: usize,
    ) -> Result<Vec<LostReview>> {
        let rows = sqlx::query(
            "SELECT id, subject, payload, created_at_ms, finished_at_ms, state, \
             (SELECT COUNT(*) FROM jobs e WHERE e.kind = 'review' AND e.subject = jobs.subject AND e.head = jobs.head \
              AND e.state IN ('failed', 'out_of_reach')) AS times FROM jobs \
             WHERE repository = $1 AND kind = 'review' AND state IN ('failed', 'out_of_reach') AND finished_at_ms >= $2 \
             AND NOT EXISTS (SELECT 1 FROM jobs n WHERE n.kind = 'review' AND n.subject = jobs.subject AND n.id > jobs.id) \
             ORDER BY id DESC LIMIT $3",
        )
        .bind(repository)
        .bind(since_ms)
        .bind(i64::try_from(most)?)
        .fetch_all(&self.pool)
        .await
        .with_context(|| format!("could not look for lost reviews in {repository}"))?;
        let lost = |row: &AnyRow| -> Result<LostReview> {
            let has_failed = row.try_get::<&str, _>("state")? == JobEnding::Failed.name();
            Ok(LostReview {
                id: JobId(row.try_get("id")?),
                subject: row.try_get("subject")?,
                payload: row.try_get("payload")?,
                created_at_ms: row.try_get("created_at_ms")?,
                finished_at_ms: row.try_get("finished_at_ms")?,
                ending: if has_failed { JobEnding::Failed } else { JobEnding::OutOfReach },
                times: u64::try_from(row.try_get::<i64, _>("times")?)?,
            })
        };
        rows.iter().map(lost).collect()
    }

    /// All jobs that have not ended and are not asked to stop.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn unfinished(&self) -> Result<Vec<Unfinished>> {
        let rows = sqlx::query(
            "SELECT id, subject, payload FROM jobs WHERE state IN ('queued', 'running') AND stop_as IS NULL ORDER BY id",
        )
        .fetch_all(&self.pool)
        .await
        .context("could not list the jobs that have not ended")?;
        let unfinished = |row: &AnyRow| -> Result<Unfinished> {
            Ok(Unfinished {
                id: JobId(row.try_get("id")?),
                subject: row.try_get("subject")?,
                payload: row.try_get("payload")?,
            })
        };
        rows.iter().map(unfinished).collect()
    }

    /// What the newest job of a subject was to do, of those that were bound to a head.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn newest_of_head(
        &self,
        repository: &str,
        head: &str,
        subject: &str,
    ) -> Result<Option<String>> {
        let row = sqlx::query(
            "SELECT payload FROM jobs WHERE repository = $1 AND head = $2 AND subject = $3 ORDER BY id DESC LIMIT 1",
        )
        .bind(repository)
        .bind(head)
        .bind(subject)
        .fetch_optional(&self.pool)
        .await
        .with_context(|| format!("could not look for a job of {subject} at {head}"))?;
        row.map(|row| Ok(row.try_get(0)?)).transpose()
    }

    /// Whether a job of a subject was ended or asked to stop for this reason, and did not end before `since_ms`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn was_cancelled(&self, subject: &str, reason: &str, since_ms: i64) -> Result<bool> {
        let found = sqlx::query(
            "SELECT id FROM jobs WHERE subject = $1 AND (stop_reason = $2 OR note = $2) \
             AND (finished_at_ms IS NULL OR finished_at_ms >= $3) LIMIT 1",
        )
        .bind(subject)
        .bind(reason)
        .bind(since_ms)
        .fetch_optional(&self.pool)
        .await
        .with_context(|| format!("could not look for cancelled jobs of {subject}"))?;
        Ok(found.is_some())
    }

    /// What the latest review of each repository was to do, of those that were asked for since then; the latest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn latest_reviews(&self, since_ms: i64, most: usize) -> Result<Vec<String>> {
        let rows = sqlx::query(
            "SELECT payload FROM jobs WHERE id IN (SELECT MAX(id) FROM jobs WHERE kind = $1 AND created_at_ms >= $2 \
             GROUP BY repository) ORDER BY id DESC LIMIT $3",
        )
        .bind(JobKind::Review.name())
        .bind(since_ms)
        .bind(i64::try_from(most)?)
        .fetch_all(&self.pool)
        .await
        .context("could not list the latest reviews")?;
        rows.iter().map(|row| Ok(row.try_get("payload")?)).collect()
    }

    /// Forgets jobs that ended before a time, deliveries that came before it, and steps from before it that nobody
    /// forgot; how many rows that were. What was spent, posted and found stays, and so does the newest review of each subject:
    /// by it an open head is known, however old it is.
    ///
    /// The time should lie longer ago than [`DELIVERY_WINDOW_MS`](super::DELIVERY_WINDOW_MS), or deliveries are taken
    /// twice.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn forget_old(&self, before_ms: i64) -> Result<u64> {
        let forget = async {
            let mut turn = self.begin_turn(0).await?;
            let mut forgotten = 0;
            for sql in [
                "DELETE FROM jobs WHERE finished_at_ms < $1 AND (kind <> 'review' OR EXISTS \
                 (SELECT 1 FROM jobs n WHERE n.kind = 'review' AND n.subject = jobs.subject AND n.id > jobs.id))",
                "DELETE FROM deliveries WHERE at_ms < $1",
                "DELETE FROM steps WHERE at_ms < $1",
            ] {
                let done = sqlx::query(sql).bind(before_ms).execute(&mut *turn.transaction).await?;
                forgotten += done.rows_affected();
            }
            turn.commit().await?;
            anyhow::Ok(forgotten)
        };
        forget.await.context("could not forget what is long over")
    }
}

fn summary(row: &AnyRow) -> Result<JobSummary> {
    let stop_reason: Option<String> = row.try_get("stop_reason")?;
    let state = match (row.try_get("state")?, stop_reason) {
        (_, Some(reason)) => LiveState::Stopping { reason },
        ("queued", None) => LiveState::Queued { run_at_ms: row.try_get("run_at_ms")? },
        (_, None) => LiveState::Running {
            worker: row.try_get("worker")?,
            lease_until_ms: row.try_get("lease_until_ms")?,
        },
    };
    Ok(JobSummary {
        id: JobId(row.try_get("id")?),
        head: row.try_get("head")?,
        dedupe_key: row.try_get("dedupe_key")?,
        attempts: u32::try_from(row.try_get::<i64, _>("attempts")?).context("attempts are out of range")?,
        created_at_ms: row.try_get("created_at_ms")?,
        state,
    })
}
