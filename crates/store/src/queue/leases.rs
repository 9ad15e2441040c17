//! Leases: a job is claimed, worked on under a lease that has to be renewed, and given back or ended.
//!
//! Whoever does not beat in time is taken for dead, and the job is claimed again. Each claim has a larger fencing token,
//! and what is written under an older one is refused.

use anyhow::{Context, Result};
use sqlx::any::AnyRow;
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Database, Row};

use super::jobs::{self, Order};
use super::{Held, JobEnding, JobId, JobKind, Lease, NewJob, Turn};
use crate::Store;

/// How much may run at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimLimits {
    /// At most this many jobs of one kind run for one repository, all workers together.
    pub per_repository: u32,
}

/// Which jobs somebody is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// All.
    Any,
    /// Commands.
    Commands,
    /// Reviews that are due since this time, in milliseconds since 1970, and that nobody claimed yet.
    WaitingReviews {
        /// The time.
        due_since_ms: i64,
    },
}

impl Choice {
    /// Which of the jobs `j` that may run these are.
    fn condition(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::Commands => "AND j.kind = 'command' ",
            Self::WaitingReviews { due_since_ms: _ } => {
                "AND j.kind = 'review' AND j.state = 'queued' AND j.token = 0 "
            }
        }
    }

    fn due_since_ms(self, now_ms: i64) -> i64 {
        match self {
            Self::Any | Self::Commands => now_ms,
            Self::WaitingReviews { due_since_ms } => due_since_ms,
        }
    }
}

/// A job to be worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The right to it.
    pub lease: Lease,
    /// What kind of work.
    pub kind: JobKind,
    /// As in [`NewJob::repository`].
    pub repository: String,
    /// As in [`NewJob::subject`].
    pub subject: String,
    /// As in [`NewJob::head`].
    pub head: Option<String>,
    /// As in [`NewJob::payload`].
    pub payload: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// After how many there is none.
    pub max_attempts: u32,
    /// When it was enqueued, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// All attempts are used up: all that is left is to say so and to finish. This is claimed once; if nothing comes of
    /// that either, the job fails in silence.
    pub is_last_word: bool,
    /// It was asked to stop and nobody works on it: all that is left is to clean up and to finish as superseded or
    /// cancelled. Why, in a few words.
    pub stop_reason: Option<String>,
}

/// What a worker that gives a sign of life is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beat {
    /// Go on; the lease is renewed.
    Go,
    /// Clean up and finish as superseded or cancelled; the lease is renewed for that.
    Stop {
        /// Why, in a few words.
        reason: String,
    },
    /// The job is somebody else's, or has ended: stop at once and write nothing.
    Lost,
}

/// Whether the attempt that ends counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptCounts {
    /// It does.
    Yes,
    /// It was not the job's fault: it has as many attempts as before.
    No,
}

/// The most urgent job that may be claimed. What only has to stop comes first, before whatever takes its place; then
/// repositories with the fewest running jobs of the kind, then the highest priority, then what is due longest, then what was
/// enqueued first.
///
/// A job whose lease has run out neither counts as running nor waits for itself.
fn most_urgent(
    choice: Choice,
    limits: ClaimLimits,
    now_ms: i64,
) -> Query<'static, Any, <Any as Database>::Arguments> {
    let sql = format!(
        "WITH busy AS (SELECT repository, kind, COUNT(*) AS jobs FROM jobs \
                       WHERE state = 'running' AND lease_until_ms > $1 GROUP BY repository, kind) \
         SELECT j.id FROM jobs j LEFT JOIN busy b ON b.repository = j.repository AND b.kind = j.kind \
         WHERE ((j.state = 'queued' AND j.run_at_ms <= $3) OR (j.state = 'running' AND j.lease_until_ms <= $1)) \
           AND COALESCE(b.jobs, 0) < $2 {}\
           AND NOT EXISTS (SELECT 1 FROM jobs o \
                           WHERE o.state = 'running' AND o.kind = j.kind AND o.subject = j.subject AND o.id <> j.id) \
         ORDER BY j.stop_as IS NULL, COALESCE(b.jobs, 0), j.priority DESC, j.run_at_ms, j.id LIMIT 1",
        choice.condition()
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(now_ms)
        .bind(i64::from(limits.per_repository))
        .bind(choice.due_since_ms(now_ms))
}

impl Store {
    /// Takes the most urgent job of those chosen that is due or whose lease has run out; `None` if there is none that may run now.
    ///
    /// What only has to stop comes first, then repositories with the fewest running jobs of a kind, then the highest
    /// priority, then what is due longest. One that did not even get to its last word ends here.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub async fn claim(
        &self,
        worker: &str,
        choice: Choice,
        limits: ClaimLimits,
        now_ms: i64,
        lease_ms: i64,
    ) -> Result<Option<Claimed>> {
        self.try_claim(worker, choice, limits, now_ms, lease_ms).await.context("could not claim a job")
    }

    async fn try_claim(
        &self,
        worker: &str,
        choice: Choice,
        limits: ClaimLimits,
        now_ms: i64,
        lease_ms: i64,
    ) -> Result<Option<Claimed>> {
        // Most of the time there is nothing to do, which can be seen without a turn.
        if most_urgent(choice, limits, now_ms).fetch_optional(&self.pool).await?.is_none() {
            return Ok(None);
        }
        let mut turn = self.begin_turn(1).await?;
        let token = turn.number()?;
        end_the_dead(&mut turn, now_ms).await?;
        loop {
            let found = most_urgent(choice, limits, now_ms).fetch_optional(&mut *turn.transaction).await?;
            let Some(row) = found else {
                turn.commit().await?;
                return Ok(None);
            };
            // A worker that was taken for dead may have given a sign of life since the line above: then its job is not
            // taken, and the next most urgent one is looked for.
            let claimed = sqlx::query(
                "UPDATE jobs SET state = 'running', attempts = attempts + 1, token = $1, worker = $2, lease_until_ms = $3 \
                 WHERE id = $4 AND (state = 'queued' OR lease_until_ms <= $5) \
                 RETURNING id, kind, repository, subject, head, payload, attempts, max_attempts, created_at_ms, stop_reason",
            )
            .bind(token)
            .bind(worker)
            .bind(now_ms.saturating_add(lease_ms))
            .bind(row.try_get::<i64, _>(0)?)
            .bind(now_ms)
            .fetch_optional(&mut *turn.transaction)
            .await?;
            if let Some(row) = claimed {
                let claimed = claimed_row(&row, token)?;
                turn.commit().await?;
                return Ok(Some(claimed));
            }
        }
    }

    /// Gives a sign of life, and learns whether to go on.
    ///
    /// # Errors
    /// The database cannot be written. The lease then runs out as if there had been no sign of life.
    pub async fn beat(&self, lease: &Lease, now_ms: i64, lease_ms: i64) -> Result<Beat> {
        let row = sqlx::query(
            "UPDATE jobs SET lease_until_ms = $1 WHERE id = $2 AND token = $3 AND state = 'running' RETURNING stop_reason",
        )
        .bind(now_ms.saturating_add(lease_ms))
        .bind(lease.job.0)
        .bind(lease.token)
        .fetch_optional(&self.pool)
        .await
        .with_context(|| format!("could not renew the lease of job {}", lease.job))?;
        let Some(row) = row else { return Ok(Beat::Lost) };
        Ok(match row.try_get(0)? {
            Some(reason) => Beat::Stop { reason },
            None => Beat::Go,
        })
    }

    /// Ends a job, and enqueues `then` in the same transaction as [`Order::Enqueue`] does.
    ///
    /// One that was asked to stop and ends as superseded, cancelled or out of reach ends as the one of them that it was asked
    /// for.
    ///
    /// # Errors
    /// The database cannot be written. Nothing has changed then.
    pub async fn finish(
        &self,
        lease: &Lease,
        ending: JobEnding,
        note: &str,
        then: &[NewJob],
        now_ms: i64,
    ) -> Result<Held> {
        let finish = async {
            let mut turn = self.begin_turn(then.len()).await?;
            let is_stopped = match ending {
                JobEnding::Superseded | JobEnding::Cancelled | JobEnding::OutOfReach => 1,
                JobEnding::Succeeded | JobEnding::Failed => 0,
            };
            let ended = sqlx::query(
                "UPDATE jobs SET state = CASE WHEN $1 = 1 THEN COALESCE(stop_as, $2) ELSE $2 END, note = $3, \
                 lease_until_ms = NULL, finished_at_ms = $4 WHERE id = $5 AND token = $6 AND state = 'running'",
            )
            .bind(is_stopped)
            .bind(ending.name())
            .bind(note)
            .bind(now_ms)
            .bind(lease.job.0)
            .bind(lease.token)
            .execute(&mut *turn.transaction)
            .await?;
            if ended.rows_affected() == 0 {
                turn.rollback().await?;
                return Ok(Held::Lost);
            }
            let orders: Vec<_> = then.iter().cloned().map(Order::Enqueue).collect();
            jobs::carry_out(&mut turn, &orders.iter().map(|order| (order, now_ms)).collect::<Vec<_>>())
                .await?;
            turn.commit().await?;
            anyhow::Ok(Held::Yes)
        };
        finish.await.with_context(|| format!("could not finish job {} as {}", lease.job, ending.name()))
    }

    /// Puts a job back, to be claimed again at `run_at_ms` at the earliest.
    ///
    /// One that was asked to stop is claimed again at once, to clean up; one whose last word counts ends instead.
    ///
    /// # Errors
    /// The database cannot be written. Nothing has changed then.
    pub async fn put_back(
        &self,
        lease: &Lease,
        run_at_ms: i64,
        note: &str,
        attempt: AttemptCounts,
        now_ms: i64,
    ) -> Result<Held> {
        let given_back = match attempt {
            AttemptCounts::Yes => 0_i64,
            AttemptCounts::No => 1,
        };
        let put_back = async {
            let mut turn = self.begin_turn(0).await?;
            let done = sqlx::query(
                "UPDATE jobs SET attempts = attempts - $1, note = $3, lease_until_ms = NULL, \
                 run_at_ms = CASE WHEN stop_as IS NULL THEN $2 ELSE created_at_ms END, \
                 state = CASE WHEN attempts - $1 > max_attempts THEN COALESCE(stop_as, 'failed') ELSE 'queued' END, \
                 finished_at_ms = CASE WHEN attempts - $1 > max_attempts THEN $4 END \
                 WHERE id = $5 AND token = $6 AND state = 'running'",
            )
            .bind(given_back)
            .bind(run_at_ms)
            .bind(note)
            .bind(now_ms)
            .bind(lease.job.0)
            .bind(lease.token)
            .execute(&mut *turn.transaction)
            .await?;
            turn.commit().await?;
            anyhow::Ok(if done.rows_affected() == 0 { Held::Lost } else { Held::Yes })
        };
        put_back.await.with_context(|| format!("could not put back job {}", lease.job))
    }
}

/// Ends jobs whose worker is taken for dead and that used up their last word too.
async fn end_the_dead(turn: &mut Turn, now_ms: i64) -> Result<()> {
    sqlx::query(
        "UPDATE jobs SET state = COALESCE(stop_as, 'failed'), lease_until_ms = NULL, finished_at_ms = $1, \
         note = COALESCE(stop_reason, 'gave no sign of life in any attempt, nor for its last word') \
         WHERE state = 'running' AND lease_until_ms <= $1 AND attempts > max_attempts",
    )
    .bind(now_ms)
    .execute(&mut *turn.transaction)
    .await?;
    Ok(())
}

fn claimed_row(row: &AnyRow, token: i64) -> Result<Claimed> {
    let number = |column: &str| -> Result<u32> {
        u32::try_from(row.try_get::<i64, _>(column)?).with_context(|| format!("{column} is out of range"))
    };
    let (attempt, max_attempts) = (number("attempts")?, number("max_attempts")?);
    Ok(Claimed {
        lease: Lease { job: JobId(row.try_get("id")?), token },
        kind: JobKind::parse(row.try_get("kind")?)?,
        repository: row.try_get("repository")?,
        subject: row.try_get("subject")?,
        head: row.try_get("head")?,
        payload: row.try_get("payload")?,
        attempt,
        max_attempts,
        created_at_ms: row.try_get("created_at_ms")?,
        is_last_word: attempt > max_attempts,
        stop_reason: row.try_get("stop_reason")?,
    })
}
