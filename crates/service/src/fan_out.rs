//! Asks the seated models: bounded concurrency, one deadline, and for each that does not answer what may help.
//!
//! However a call ends, it ends as an [`Outcome`]. An `Err` here is ours: the store cannot be written.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use futures::StreamExt as _;
use models::{Model, Prompt};
use review::engine::{Engine, estimate_tokens};
use review::outcome::{Ending, EndingKind, Outcome};
use review::prompt::Piece;
use review::{Families, Lens};
use store::{Booking, Store};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::bench::Bench;
use crate::metered::{self, Asked, Cause, Said};

pub use crate::metered::CallsOut;

/// One call that a seat needs.
#[derive(Clone)]
pub struct Ask {
    /// The seat, by its index in the panel.
    pub seat: usize,
    /// The part, from 0.
    pub part: usize,
    /// The lens.
    pub lens: Lens,
    /// What the prompt shows.
    pub pieces: Vec<Piece>,
    /// The engine, by its index in the roster.
    pub engine: usize,
    /// The prompt.
    pub prompt: Prompt,
    /// Whether it is asked for the first time.
    pub attempt: Attempt,
}

/// Which time something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// The first.
    First,
    /// Once more, because the first answer could not be read.
    Repair,
}

/// What the calls of one review share.
pub struct Asking<'a> {
    /// The roster.
    pub engines: &'a [Engine],
    /// How each engine is asked, by the same index.
    pub models: &'a [Arc<dyn Model>],
    /// What names mean.
    pub families: &'a Families,
    /// Where money is reserved and receipts are kept.
    pub store: &'a Store,
    /// The run.
    pub run_id: &'a str,
    /// What each call counts towards, and the caps in force.
    pub bookings: &'a [Booking],
    /// When all calls have to be done.
    pub deadline: Instant,
    /// The most calls at once.
    pub concurrency: usize,
    /// Milliseconds since 1970, for the ledger.
    pub now_ms: i64,
    /// The calls that are out.
    pub out: &'a CallsOut,
    /// Told as calls begin and end.
    pub progress: &'a (dyn Fn(Progress<'_>) + Sync),
}

/// What is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress<'a> {
    /// A model is asked.
    Asked {
        /// For what: a lens, or cross-examination.
        what: &'a str,
        /// The engine's id.
        engine: &'a str,
    },
    /// A call ended.
    Ended {
        /// For what it was.
        what: &'a str,
        /// The engine's id.
        engine: &'a str,
        /// How.
        ending: EndingKind,
        /// After how many milliseconds.
        elapsed_ms: u64,
        /// How many calls are still out or waiting.
        left: usize,
    },
}

/// With less time left than this nobody else is asked: no model answers so fast.
const LEAST_TIME: Duration = Duration::from_secs(1);

/// The least tokens of a shared beginning that are worth waiting for: less is kept by no provider's cache.
const LEAST_SHARED_TOKENS: u32 = 1_024;

/// Which asks wait for which: where several send one dear beginning to one model, the first one goes ahead, so that the
/// provider has it in its cache when the others come. By ask, the one that goes ahead of it.
fn leaders(asks: &[Ask], engines: &[Engine]) -> Vec<Option<usize>> {
    let mut first: HashMap<(usize, &str), usize> = HashMap::new();
    asks.iter()
        .enumerate()
        .map(|(index, ask)| {
            let costs =
                engines[ask.engine].price.as_ref().is_some_and(|price| price.worst_case(1_000_000, 0) > 0);
            let beginning = ask.prompt.shared_beginning()?;
            let tokens = estimate_tokens(ask.prompt.system.len() + beginning.len());
            if !costs || tokens < LEAST_SHARED_TOKENS {
                return None;
            }
            let leader = *first.entry((ask.engine, beginning)).or_insert(index);
            (leader != index).then_some(leader)
        })
        .collect()
}

/// Asks everything, and others or less at a time where somebody does not answer. The outcomes are in the order of the
/// asks, each followed by what it led to.
///
/// # Errors
/// The store could not be written; a prompt could not be rendered.
pub async fn fan_out(asks: Vec<Ask>, bench: &Bench<'_>, asking: &Asking<'_>) -> Result<Vec<Outcome>> {
    let left = AtomicUsize::new(asks.len());
    let leaders = leaders(&asks, asking.engines);
    let gone: Vec<Semaphore> = asks.iter().map(|_| Semaphore::new(0)).collect();
    let (gone, left) = (&gone, &left);
    // Those who wait come last, so that they never keep whom they wait for from beginning.
    let mut order: Vec<(usize, Ask)> = asks.into_iter().enumerate().collect();
    order.sort_by_key(|(index, _)| (leaders[*index].is_some(), *index));
    let calls = order.into_iter().map(|(index, ask)| {
        let leader = leaders[index];
        async move {
            if let Some(leader) = leader {
                let _permit = gone[leader].acquire().await.expect("nobody closes it");
            }
            let outcomes = ask_until_answered(ask, bench, asking, left).await;
            // One permit is enough: each who waits gives it back.
            gone[index].add_permits(1);
            (index, outcomes)
        }
    });
    let mut outcomes: Vec<(usize, Result<Vec<Outcome>>)> =
        futures::stream::iter(calls).buffer_unordered(asking.concurrency).collect().await;
    outcomes.sort_by_key(|(index, _)| *index);
    Ok(outcomes.into_iter().map(|(_, outcomes)| outcomes).collect::<Result<Vec<_>>>()?.concat())
}

async fn ask_until_answered(
    ask: Ask,
    bench: &Bench<'_>,
    asking: &Asking<'_>,
    left: &AtomicUsize,
) -> Result<Vec<Outcome>> {
    let mut open = vec![ask];
    let mut outcomes = Vec::new();
    while let Some(ask) = open.pop() {
        let (outcome, cause) = ask_one(&ask, asking, left).await?;
        let mut more = Vec::new();
        if let (Some(cause), true) = (cause, Instant::now() + LEAST_TIME < asking.deadline) {
            more = bench.relieve(&ask, &outcome, cause)?;
        }
        left.fetch_add(more.len(), Ordering::Relaxed);
        outcomes.push(outcome);
        open.extend(more.into_iter().rev());
    }
    Ok(outcomes)
}

/// Asks once; with the outcome, why it was no answer.
async fn ask_one(ask: &Ask, asking: &Asking<'_>, left: &AtomicUsize) -> Result<(Outcome, Option<Cause>)> {
    let engine = asking.engines[ask.engine].id.as_str();
    let what = ask.lens.name();
    (asking.progress)(Progress::Asked { what, engine });
    let span = tracing::info_span!("ask", lens = what, model = %engine, part = ask.part);
    let name = format!("seat {} part {}", ask.seat, ask.part);
    let Asked { call, said } = metered::ask(ask.engine, &ask.prompt, &name, asking).instrument(span).await?;
    let (ending, cause) = match said {
        Said::Everything(reply) => match review::answer::read(reply.content.text(), ask.lens) {
            Ok(answer) => (Ending::Answered(answer), None),
            Err(detail) => {
                (Ending::Unanswered { kind: EndingKind::Unreadable, detail }, Some(Cause::UnreadableAnswer))
            }
        },
        Said::Nothing(silence) => {
            (Ending::Unanswered { kind: silence.kind, detail: silence.detail }, Some(silence.cause))
        }
    };
    (asking.progress)(Progress::Ended {
        what,
        engine,
        ending: ending.kind(),
        elapsed_ms: call.elapsed_ms,
        left: left.fetch_sub(1, Ordering::Relaxed) - 1,
    });
    let outcome =
        Outcome { seat: ask.seat, part: ask.part, pieces: ask.pieces.clone(), ending, call: Some(call) };
    Ok((outcome, cause))
}
