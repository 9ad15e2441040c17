//! The worker: claims a job, works on it under its lease, ends it. Whatever kills it, the lease runs out and the job is
//! claimed again. One worker sits at the desk: while all others review, it answers commands, and shows that reviews wait.

use std::sync::Arc;
use std::time::Duration;

use review::text::{shorten, visible_line};
use store::{AttemptCounts, Beat, Choice, ClaimLimits, Claimed, Held, JobEnding};
use tokio::sync::watch;
use tokio::time::sleep;

use super::Core;
use super::clock::now_ms;
use super::commands::{command, give_up, merge_group, rerun, stopped};
use super::ending::{Done, Trouble};
use super::heart::{Heart, Moment};
use super::installation::installation;
use super::look::look;
use super::partial::partial;
use super::recheck::{base_changed, recheck};
use super::review_pull::{announce, review_pull};
use super::upkeep::upkeep;
use super::work::Work;

/// How long an idle worker waits for news that come from another process.
const IDLE: Duration = Duration::from_secs(1);

/// How long a job that may have been stopped by this process waits before it asks: much may happen at once.
const SOON: Duration = Duration::from_millis(200);

/// The longest pause between two signs of life: what another process stopped is heard by then.
const SELDOMLY: Duration = Duration::from_secs(5);

/// What a worker is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duty {
    /// Whatever there is.
    All,
    /// What takes a moment. It does not listen for news, which are for the others.
    Desk,
}

/// What is done with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Errand {
    /// It is worked on.
    Work,
    /// It is a review, and its check run is made to say that it waits.
    Announce,
}

/// What a job is told from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    GoOn,
    Stop { reason: String },
    Lost,
}

/// Works until it is told to stop.
pub(crate) async fn work(core: Arc<Core>, name: String, duty: Duty, mut shutdown: watch::Receiver<bool>) {
    while !*shutdown.borrow() {
        match work_once(&core, &name, duty, &shutdown).await {
            Ok(true) => {}
            Ok(false) => {
                tokio::select! {
                    () = core.news.notified(), if duty == Duty::All => {}
                    () = sleep(IDLE) => {}
                    () = super::stopped(&mut shutdown) => {}
                }
            }
            Err(error) => {
                tracing::error!("the queue cannot be read or written: {error:#}");
                tokio::select! {
                    () = sleep(IDLE) => {}
                    () = super::stopped(&mut shutdown) => {}
                }
            }
        }
    }
}

/// Claims one job and works on it; whether there may be another one.
async fn work_once(
    core: &Arc<Core>,
    name: &str,
    duty: Duty,
    shutdown: &watch::Receiver<bool>,
) -> anyhow::Result<bool> {
    let limits = ClaimLimits { per_repository: core.settings.per_repository() };
    let (now, lease_ms) = (now_ms(), core.settings.lease_ms());
    let asked_at = Moment::now();
    let claim = |choice, limits| core.store.claim(name, choice, limits, now, lease_ms);
    let (claimed, errand) = match duty {
        Duty::All => (claim(Choice::Any, limits).await?, Errand::Work),
        Duty::Desk => match claim(Choice::Commands, limits).await? {
            Some(claimed) => (Some(claimed), Errand::Work),
            None => {
                let due_since_ms = now.saturating_sub(core.settings.announce_ms());
                let nobodys = ClaimLimits { per_repository: u32::MAX };
                (claim(Choice::WaitingReviews { due_since_ms }, nobodys).await?, Errand::Announce)
            }
        },
    };
    let Some(claimed) = claimed else { return Ok(false) };
    match errand {
        Errand::Work => core.metrics.claimed(claimed.kind.name()),
        Errand::Announce => {}
    }
    let (tell, told) = watch::channel(Word::GoOn);
    let lease_for = Duration::from_millis(lease_ms.unsigned_abs());
    let beating = core.hearts.begin(&claimed.lease, asked_at, lease_for);
    let heart = tokio::spawn(beat(core.clone(), claimed.clone(), beating.heart.clone(), tell));
    let ended = match &claimed.stop_reason {
        Some(reason) => Ended::Stopped { reason: reason.clone() },
        None => run(core, &claimed, errand, told, shutdown.clone()).await,
    };
    let written = end(core, &claimed, ended).await;
    heart.abort();
    drop(beating);
    written?;
    // GitHub limits how much is written in a minute, and what is found matters more than that somebody waits.
    Ok(errand == Errand::Work)
}

/// How a job's run ended.
enum Ended {
    /// By itself.
    Done(Result<Done, Trouble>),
    /// It was told to stop.
    Stopped { reason: String },
    /// Somebody else goes on.
    PutBack {
        /// Why, in a few words.
        note: &'static str,
        /// When it may be claimed again.
        at_ms: i64,
    },
}

async fn run(
    core: &Arc<Core>,
    claimed: &Claimed,
    errand: Errand,
    mut told: watch::Receiver<Word>,
    mut shutdown: watch::Receiver<bool>,
) -> Ended {
    let job = {
        let (core, claimed) = (core.clone(), claimed.clone());
        // Rules and git keep a thread busy: they get one of their own, and the server goes on answering.
        tokio::task::spawn_blocking(move || {
            tokio::runtime::Handle::current().block_on(async move {
                tokio::select! {
                    ended = Box::pin(do_errand(&core, &claimed, errand)) => ended,
                    word = told.wait_for(|word| *word != Word::GoOn) => match word.as_deref() {
                        Ok(Word::Stop { reason }) => Ended::Stopped { reason: reason.clone() },
                        Ok(Word::Lost | Word::GoOn) | Err(_) => Ended::Done(Err(Trouble::Lost)),
                    },
                    () = super::stopped(&mut shutdown) => {
                        Ended::PutBack { note: "the process stopped", at_ms: now_ms() }
                    }
                }
            })
        })
    };
    job.await.unwrap_or_else(|panic| {
        Ended::Done(Err(Trouble::Failed(anyhow::anyhow!("the review broke off: {panic}"))))
    })
}

/// Gives signs of life from time to time, and where something happened in the queue, and tells the job what that says.
async fn beat(core: Arc<Core>, claimed: Claimed, heart: Arc<Heart>, tell: watch::Sender<Word>) {
    let lease_ms = core.settings.lease_ms();
    let mut stirred = core.stirred.subscribe();
    loop {
        tokio::select! {
            () = sleep(Duration::from_millis(lease_ms.unsigned_abs() / 4).min(SELDOMLY)) => {}
            // This process did something to the queue, and that may have been to stop this job.
            _ = stirred.changed() => sleep(SOON).await,
        }
        stirred.mark_unchanged();
        let at = Moment::now();
        match core.store.beat(&claimed.lease, now_ms(), lease_ms).await {
            Ok(Beat::Go) => heart.beats(at),
            Ok(Beat::Stop { reason }) => {
                heart.beats(at);
                tell.send_replace(Word::Stop { reason });
            }
            Ok(Beat::Lost) => {
                tell.send_replace(Word::Lost);
                return;
            }
            // The lease may still be good when the database is back; each write asks anyway.
            Err(error) => tracing::warn!("could not renew the lease of job {}: {error:#}", claimed.lease.job),
        }
    }
}

async fn do_errand(core: &Core, claimed: &Claimed, errand: Errand) -> Ended {
    match errand {
        Errand::Work => Ended::Done(carry_out(core, claimed).await),
        Errand::Announce => {
            // The review itself does without, and tells what is wrong.
            if let Err(trouble) = announce(core, claimed).await {
                tracing::info!(job = %claimed.lease.job, ?trouble, "could not tell that the review waits");
            }
            // It keeps its place among those that wait.
            Ended::PutBack { note: "waits for its turn", at_ms: claimed.created_at_ms }
        }
    }
}

async fn carry_out(core: &Core, claimed: &Claimed) -> Result<Done, Trouble> {
    let work = Work::read(&claimed.payload)?;
    // Nobody waits for a last word about upkeep; it is done.
    if claimed.is_last_word && work != Work::Upkeep {
        let error = "the process ended before it could say what happened";
        give_up(core, claimed, &work, error).await?;
        return Err(Trouble::Failed(anyhow::anyhow!(error)));
    }
    match &work {
        Work::Review(work) => review_pull(core, claimed, work).await,
        Work::Partial(work) => partial(core, claimed, work).await,
        Work::Command(work) => command(core, claimed, work).await,
        Work::Rerun(work) => rerun(core, claimed, work).await,
        Work::Recheck(work) => recheck(core, work).await,
        Work::Base(work) => base_changed(core, claimed, work).await,
        Work::MergeGroup(work) => merge_group(core, claimed, work).await,
        Work::Look(work) => look(core, claimed, work).await,
        Work::Installation(work) => installation(core, claimed, work).await,
        Work::Upkeep => upkeep(core).await,
    }
}

/// Writes down how a job ended.
async fn end(core: &Core, claimed: &Claimed, ended: Ended) -> anyhow::Result<()> {
    let lease = &claimed.lease;
    let (store, now) = (&core.store, now_ms());
    let job = lease.job;
    let held = match ended {
        Ended::Done(Ok(Done::Succeeded { note, then })) => {
            core.metrics.ended("succeeded");
            let held = store.finish(lease, JobEnding::Succeeded, &note, &then, now).await?;
            core.stir();
            held
        }
        Ended::Done(Ok(Done::Superseded { then })) => {
            core.metrics.ended("superseded");
            let held =
                store.finish(lease, JobEnding::Superseded, "there is a newer head", &then, now).await?;
            core.stir();
            held
        }
        Ended::Done(Ok(Done::Cancelled { note })) => {
            core.metrics.ended("cancelled");
            store.finish(lease, JobEnding::Cancelled, &note, &[], now).await?
        }
        Ended::Done(Ok(Done::OutOfReach { note })) => {
            core.metrics.ended("out_of_reach");
            store.finish(lease, JobEnding::OutOfReach, &note, &[], now).await?
        }
        Ended::Done(Err(Trouble::Lost)) => {
            core.metrics.ended("lost");
            tracing::info!(%job, "somebody else has the job");
            Held::Lost
        }
        Ended::Done(Err(Trouble::Later { delay, note })) => {
            core.metrics.ended("later");
            let at = now.saturating_add(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX / 2));
            store.put_back(lease, at, &note, AttemptCounts::No, now).await?
        }
        Ended::Done(Err(Trouble::Failed(error))) => failed(core, claimed, &error).await?,
        Ended::Stopped { reason } => {
            core.metrics.ended("stopped");
            let told = match Work::read(&claimed.payload) {
                Ok(work) => stopped(core, claimed, &work, &reason).await,
                // What we cannot read, we did not begin.
                Err(_) => Ok(()),
            };
            match told {
                Ok(()) => {
                    let held = store.finish(lease, JobEnding::Cancelled, &reason, &[], now_ms()).await?;
                    // What took its place was waiting for this.
                    core.stir();
                    held
                }
                Err(Trouble::Lost) => Held::Lost,
                Err(trouble @ (Trouble::Later { .. } | Trouble::Failed(_))) => {
                    tracing::warn!(%job, ?trouble, "could not tell that the review was stopped");
                    // Its lease ends sooner, and whoever claims it then tells.
                    let delay = core.settings.backoff(claimed.attempt).as_millis();
                    store.beat(lease, now_ms(), i64::try_from(delay).unwrap_or(i64::MAX / 2)).await?;
                    Held::Yes
                }
            }
        }
        Ended::PutBack { note, at_ms } => {
            let held = store.put_back(lease, at_ms, note, AttemptCounts::No, now).await?;
            core.stir();
            held
        }
    };
    if held == Held::Lost {
        tracing::info!(%job, "the lease was lost before the end was written");
    }
    Ok(())
}

async fn failed(core: &Core, claimed: &Claimed, error: &anyhow::Error) -> anyhow::Result<Held> {
    let lease = &claimed.lease;
    let words = shorten(&visible_line(&format!("{error:#}")), 500);
    let about = Work::read(&claimed.payload).map(|work| work.shown()).unwrap_or_default();
    tracing::warn!(job = %lease.job, attempt = claimed.attempt, about, "the job failed: {words}");
    core.metrics.ended("failed");
    if claimed.attempt < claimed.max_attempts {
        let delay = core.settings.backoff(claimed.attempt);
        let at = now_ms().saturating_add(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX / 2));
        return core.store.put_back(lease, at, &words, AttemptCounts::Yes, now_ms()).await;
    }
    if !claimed.is_last_word
        && let Ok(work) = Work::read(&claimed.payload)
        // The causes below the first name paths and addresses of ours: they are for the log.
        && let Err(trouble) = give_up(core, claimed, &work, &shorten(&visible_line(&error.to_string()), 300)).await
    {
        tracing::error!(job = %lease.job, ?trouble, "could not tell that the review failed");
    }
    core.store.finish(lease, JobEnding::Failed, &words, &[], now_ms()).await
}
