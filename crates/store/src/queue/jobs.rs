//! Jobs come and go by orders: what an order does to the live jobs of its subject is a function from values to values.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, Row};

use super::{JobEnding, JobId, JobKind, ROWS_AT_ONCE, Turn, Unfinished, places, rows_of};
use crate::Store;

/// Something that is to be done to the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Wants work done, unless a job for just that is queued or running.
    ///
    /// A review supersedes queued reviews of the same subject with another dedupe key, and asks running ones to stop; but one of
    /// the same head that is more urgent goes first: somebody asked for it, and whatever happened since waits for its end.
    Enqueue(NewJob),
    /// Ends queued jobs of this subject, whatever their kind, and asks running ones to stop; a queued one that ran before
    /// may have left something behind, and is claimed once more to stop; so is a partial review, which owes an answer.
    Cancel {
        /// The subject, as in [`NewJob::subject`].
        subject: String,
        /// Why, in a few words.
        reason: String,
    },
}

/// Work to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// What kind of work.
    pub kind: JobKind,
    /// Whose turn it uses up, like `acme/shop` with its host: fairness and limits are between these.
    pub repository: String,
    /// What it is about, like `acme/shop#12`. One job of a kind and subject runs at a time.
    pub subject: String,
    /// What makes it the same work, like `acme/shop#12@SHA`. One job of a kind, subject and key is live at a time.
    pub dedupe_key: String,
    /// The commit that it is bound to.
    pub head: Option<String>,
    /// What the worker needs to know, as JSON. Not read here.
    pub payload: String,
    /// The higher, the sooner.
    pub priority: i64,
    /// Not before this time.
    pub run_at_ms: i64,
    /// How often it is tried.
    pub max_attempts: u32,
}

/// What became of a job that was to be enqueued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// It is on disk.
    New(JobId),
    /// One for just that is queued, or running and not asked to stop. Nothing was written.
    AlreadyLive(JobId),
}

impl Store {
    /// Carries out one [`Order::Enqueue`].
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn enqueue(&self, job: &NewJob, now_ms: i64) -> Result<Enqueued> {
        let enqueue = async {
            let mut turn = self.begin_turn(1).await?;
            let done = carry_out(&mut turn, &[(&Order::Enqueue(job.clone()), now_ms)]).await?;
            turn.commit().await?;
            let enqueued = done.enqueued.first().copied();
            enqueued.context("an order without an answer")
        };
        enqueue.await.with_context(|| format!("could not enqueue {} of {}", job.kind.name(), job.subject))
    }

    /// Carries out one [`Order::Cancel`]; how many jobs were ended or asked to stop.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn cancel(&self, subject: &str, reason: &str, now_ms: i64) -> Result<u64> {
        let cancel = async {
            let order = Order::Cancel { subject: subject.to_owned(), reason: reason.to_owned() };
            let mut turn = self.begin_turn(0).await?;
            let done = carry_out(&mut turn, &[(&order, now_ms)]).await?;
            turn.commit().await?;
            anyhow::Ok(done.stopped)
        };
        cancel.await.with_context(|| format!("could not cancel the jobs of {subject}"))
    }
}

impl Store {
    /// Ends these jobs where they are queued and asks them to stop where they run, as [`Order::Cancel`] does, since what they
    /// are about is out of reach; how many that were.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn out_of_reach(&self, jobs: &[Unfinished], reason: &str, now_ms: i64) -> Result<u64> {
        let mut count = 0;
        for some in jobs.chunks(ROWS_AT_ONCE) {
            let stop = async {
                let mut turn = self.begin_turn(0).await?;
                let subjects: BTreeSet<&str> = some.iter().map(|job| job.subject.as_str()).collect();
                let mut plan = Plan { live: live_jobs_of(&mut turn, subjects).await?, ..Plan::default() };
                let is_one = |live: &Live| some.iter().any(|job| job.id == live.id);
                let count = plan.stop(JobEnding::OutOfReach, reason, now_ms, is_one);
                plan.write_changes(&mut turn).await?;
                turn.commit().await?;
                anyhow::Ok(count)
            };
            count += stop.await.context("could not end the jobs that are out of reach")?;
        }
        Ok(count)
    }
}

/// What orders did.
pub(super) struct Done {
    /// The answer to each order to enqueue.
    enqueued: Vec<Enqueued>,
    /// How many jobs were ended or asked to stop.
    stopped: u64,
}

/// Carries out orders, each at its time, as if one after the other. Uses at most one number of the turn an order.
pub(super) async fn carry_out(turn: &mut Turn, orders: &[(&Order, i64)]) -> Result<Done> {
    let subjects = orders.iter().map(|(order, _)| subject_of(order)).collect();
    let mut plan = Plan { live: live_jobs_of(turn, subjects).await?, ..Plan::default() };
    let mut done = Done { enqueued: Vec::new(), stopped: 0 };
    for (order, now_ms) in orders {
        match order {
            Order::Enqueue(job) => {
                let enqueued = match plan.twin_of(job) {
                    Some(id) => Enqueued::AlreadyLive(id),
                    None => Enqueued::New(JobId(turn.number()?)),
                };
                plan.enqueue(job, enqueued, *now_ms);
                done.enqueued.push(enqueued);
            }
            Order::Cancel { subject, reason } => {
                done.stopped +=
                    plan.stop(JobEnding::Cancelled, reason, *now_ms, |live| live.subject == *subject);
            }
        }
    }
    // The ones that end make room for new ones under the unique indexes.
    plan.write_changes(turn).await?;
    plan.write_new(turn).await?;
    Ok(done)
}

/// The live jobs of some subjects, and what is to become of them.
#[derive(Default)]
struct Plan<'a> {
    live: Vec<Live>,
    changes: Vec<Change>,
    new: Vec<NewRow<'a>>,
}

/// A job that is queued or running.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Live {
    id: JobId,
    kind: JobKind,
    subject: String,
    dedupe_key: String,
    head: Option<String>,
    priority: i64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Queued,
    Running,
    Stopping,
}

/// A queued job that ends, or a running one that is asked to.
struct Change {
    id: JobId,
    was: State,
    ending: JobEnding,
    reason: String,
    at_ms: i64,
}

impl Change {
    /// Lets a queued job that was claimed before be claimed once more, to clean up what it left, and one that somebody waits
    /// for an answer of; whether it is such a one.
    async fn to_clean_up(&self, turn: &mut Turn) -> Result<bool> {
        let stopping = sqlx::query(
            "UPDATE jobs SET stop_as = $1, stop_reason = $2, run_at_ms = created_at_ms \
             WHERE id = $3 AND state = 'queued' AND (token > 0 OR kind = 'partial_review')",
        )
        .bind(self.ending.name())
        .bind(self.reason.as_str())
        .bind(self.id.0)
        .execute(&mut *turn.transaction)
        .await?;
        Ok(stopping.rows_affected() > 0)
    }
}

struct NewRow<'a> {
    id: JobId,
    job: &'a NewJob,
    created_at_ms: i64,
    /// Where a later order of the same batch ended it: how, why, when.
    ended: Option<(JobEnding, String, i64)>,
}

impl<'a> Plan<'a> {
    /// The live job that does just what this one would do.
    fn twin_of(&self, job: &NewJob) -> Option<JobId> {
        let is_twin = |live: &&Live| {
            live.kind == job.kind
                && live.subject == job.subject
                && live.dedupe_key == job.dedupe_key
                && live.state != State::Stopping
        };
        self.live.iter().find(is_twin).map(|live| live.id)
    }

    fn enqueue(&mut self, job: &'a NewJob, enqueued: Enqueued, now_ms: i64) {
        if job.kind.is_superseded_by_newer() {
            let reason = format!("superseded by {}", job.dedupe_key);
            self.stop(JobEnding::Superseded, &reason, now_ms, |live| {
                let goes_first = live.head == job.head && live.priority > job.priority;
                live.kind == job.kind
                    && live.subject == job.subject
                    && live.dedupe_key != job.dedupe_key
                    && !goes_first
            });
        }
        match enqueued {
            Enqueued::AlreadyLive(_) => {}
            Enqueued::New(id) => {
                self.new.push(NewRow { id, job, created_at_ms: now_ms, ended: None });
                self.live.push(Live {
                    id,
                    kind: job.kind,
                    subject: job.subject.clone(),
                    dedupe_key: job.dedupe_key.clone(),
                    head: job.head.clone(),
                    priority: job.priority,
                    state: State::Queued,
                });
            }
        }
    }

    /// Ends queued jobs and asks running ones to stop, once; how many that were.
    fn stop(&mut self, ending: JobEnding, reason: &str, at_ms: i64, which: impl Fn(&Live) -> bool) -> u64 {
        let mut count = 0;
        for live in std::mem::take(&mut self.live) {
            if live.state == State::Stopping || !which(&live) {
                self.live.push(live);
                continue;
            }
            count += 1;
            match self.new.iter_mut().find(|new| new.id == live.id) {
                Some(new) => new.ended = Some((ending, reason.to_owned(), at_ms)),
                None => {
                    let reason = reason.to_owned();
                    self.changes.push(Change { id: live.id, was: live.state, ending, reason, at_ms });
                }
            }
            match live.state {
                State::Queued => {}
                State::Running | State::Stopping => self.live.push(Live { state: State::Stopping, ..live }),
            }
        }
        count
    }

    async fn write_changes(&self, turn: &mut Turn) -> Result<()> {
        for change in &self.changes {
            if change.was == State::Queued && change.to_clean_up(turn).await? {
                continue;
            }
            let query = match change.was {
                State::Queued => sqlx::query(
                    "UPDATE jobs SET state = $1, note = $2, finished_at_ms = $3 WHERE id = $4 AND state = 'queued'",
                )
                .bind(change.ending.name())
                .bind(change.reason.as_str())
                .bind(change.at_ms),
                State::Running | State::Stopping => sqlx::query(
                    "UPDATE jobs SET stop_as = $1, stop_reason = $2 WHERE id = $3 AND state = 'running'",
                )
                .bind(change.ending.name())
                .bind(change.reason.as_str()),
            };
            query.bind(change.id.0).execute(&mut *turn.transaction).await?;
        }
        Ok(())
    }

    async fn write_new(&self, turn: &mut Turn) -> Result<()> {
        const COLUMNS: [&str; 16] = [
            "id",
            "kind",
            "repository",
            "subject",
            "dedupe_key",
            "head",
            "payload",
            "state",
            "priority",
            "run_at_ms",
            "attempts",
            "max_attempts",
            "token",
            "note",
            "created_at_ms",
            "finished_at_ms",
        ];
        for some in self.new.chunks(ROWS_AT_ONCE) {
            let sql = format!(
                "INSERT INTO jobs ({}) VALUES {}",
                COLUMNS.join(", "),
                rows_of(some.len(), COLUMNS.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for NewRow { id, job, created_at_ms, ended } in some {
                query = query
                    .bind(id.0)
                    .bind(job.kind.name())
                    .bind(job.repository.as_str())
                    .bind(job.subject.as_str())
                    .bind(job.dedupe_key.as_str())
                    .bind(job.head.as_deref())
                    .bind(job.payload.as_str())
                    .bind(ended.as_ref().map_or("queued", |(ending, _, _)| ending.name()))
                    .bind(job.priority)
                    .bind(job.run_at_ms)
                    .bind(0_i64)
                    .bind(i64::from(job.max_attempts))
                    .bind(0_i64)
                    .bind(ended.as_ref().map(|(_, reason, _)| reason.as_str()))
                    .bind(*created_at_ms)
                    .bind(ended.as_ref().map(|(_, _, at_ms)| *at_ms));
            }
            query.execute(&mut *turn.transaction).await?;
        }
        Ok(())
    }
}

/// What an order is about.
fn subject_of(order: &Order) -> &str {
    match order {
        Order::Enqueue(job) => &job.subject,
        Order::Cancel { subject, reason: _ } => subject,
    }
}

/// The live jobs of some subjects.
async fn live_jobs_of(turn: &mut Turn, subjects: BTreeSet<&str>) -> Result<Vec<Live>> {
    let subjects: Vec<_> = subjects.into_iter().collect();
    let mut live = Vec::new();
    for some in subjects.chunks(ROWS_AT_ONCE) {
        let sql = format!(
            "SELECT id, kind, subject, dedupe_key, head, priority, state, stop_as FROM jobs \
             WHERE state IN ('queued', 'running') AND subject IN ({})",
            places(1, some.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for subject in some {
            query = query.bind((*subject).to_owned());
        }
        for row in query.fetch_all(&mut *turn.transaction).await? {
            let is_queued = row.try_get::<&str, _>("state")? == "queued";
            let is_stopping = row.try_get::<Option<String>, _>("stop_as")?.is_some();
            live.push(Live {
                id: JobId(row.try_get("id")?),
                kind: JobKind::parse(row.try_get("kind")?)?,
                subject: row.try_get("subject")?,
                dedupe_key: row.try_get("dedupe_key")?,
                head: row.try_get("head")?,
                priority: row.try_get("priority")?,
                state: match (is_stopping, is_queued) {
                    (true, _) => State::Stopping,
                    (false, true) => State::Queued,
                    (false, false) => State::Running,
                },
            });
        }
    }
    Ok(live)
}
