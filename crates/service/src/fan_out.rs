//! Asks the seated models: bounded concurrency, one deadline, money reserved before each call (law 11).
//!
//! However a call ends, it ends as an [`Outcome`]. An `Err` here is ours: the store cannot be written.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::Result;
use futures::StreamExt as _;
use models::{Finish, Model, ModelError, Phase, Prompt, Reply, RetryPolicy, Usage};
use review::engine::{Engine, LineageSource};
use review::outcome::{Call, Ending, EndingKind, Kept, Outcome};
use review::prompt::Piece;
use review::text::shorten;
use review::{Digest, Families, Lens, Lineage};
use store::{Booking, ReceiptKind, Reservation, ReservationId, Reserved, Scope, Store, TokensUsed};
use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::Instrument as _;

/// One call that a seat needs.
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
    /// What the money is booked on: the change's name.
    pub change_key: &'a str,
    /// The most that the change may cost, in micro-USD.
    pub max_micro_usd: Option<u64>,
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

/// The calls that are out, so that others can wait for their reservations to be settled.
#[derive(Default)]
pub struct CallsOut {
    count: AtomicUsize,
    settled: Notify,
}

impl CallsOut {
    fn is_any(&self) -> bool {
        self.count.load(Ordering::SeqCst) > 0
    }
}

/// One call that is out, however it ends.
struct Out<'a>(&'a CallsOut);

impl<'a> Out<'a> {
    fn begin(asking: &Asking<'a>) -> Self {
        asking.out.count.fetch_add(1, Ordering::SeqCst);
        Self(asking.out)
    }
}

impl Drop for Out<'_> {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::SeqCst);
        self.0.settled.notify_waiters();
    }
}

/// What is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress<'a> {
    /// A model is asked.
    Asked {
        /// The lens.
        lens: Lens,
        /// The engine's id.
        engine: &'a str,
    },
    /// A call ended.
    Ended {
        /// The lens.
        lens: Lens,
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

/// Asks everything and gives the outcomes in the order of the asks.
///
/// # Errors
/// The store could not be written.
pub async fn fan_out(asks: Vec<Ask>, asking: &Asking<'_>) -> Result<Vec<Outcome>> {
    let left = AtomicUsize::new(asks.len());
    let calls = asks.into_iter().map(|ask| {
        let left = &left;
        async move {
            let engine = &asking.engines[ask.engine];
            let lens = ask.lens;
            (asking.progress)(Progress::Asked { lens, engine: &engine.id });
            let span = tracing::info_span!("ask", lens = lens.name(), model = %engine.id, part = ask.part);
            let outcome = ask_one(ask, asking).instrument(span).await?;
            let left = left.fetch_sub(1, Ordering::Relaxed) - 1;
            (asking.progress)(Progress::Ended {
                lens,
                engine: &engine.id,
                ending: outcome.ending.kind(),
                elapsed_ms: outcome.call.as_ref().map_or(0, |call| call.elapsed_ms),
                left,
            });
            Ok(outcome)
        }
    });
    let outcomes: Vec<Result<Outcome>> =
        futures::stream::iter(calls).buffered(asking.concurrency).collect().await;
    outcomes.into_iter().collect()
}

async fn ask_one(ask: Ask, asking: &Asking<'_>) -> Result<Outcome> {
    let engine = &asking.engines[ask.engine];
    let mut call = Call {
        served_model: None,
        lineage: engine.lineage.clone(),
        usage: None,
        reserved_micro_usd: None,
        micro_usd: None,
        elapsed_ms: 0,
        prompt: None,
        reply: None,
    };
    let seed = Digest::of_parts([asking.run_id.as_bytes(), &ask.seat.to_be_bytes(), &ask.part.to_be_bytes()]);
    let seed = u64::from_str_radix(&seed.as_str()[..16], 16).expect("a digest is hex");
    let metered = Metered::new(asking.models[ask.engine].as_ref(), engine, asking);
    let started = Instant::now();
    let asked =
        models::ask_with_retries(&metered, &ask.prompt, &RetryPolicy::default(), asking.deadline, seed).await;
    call.elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let meter = metered.meter.into_inner().expect("nobody panics while holding it");
    if let Some(error) = meter.broken {
        return Err(error);
    }
    call.reserved_micro_usd = meter.reserved_micro_usd;
    call.micro_usd = meter.spent_micro_usd;
    let ending = match (asked.result, meter.over_budget) {
        (_, Some(detail)) => Ending::Unanswered { kind: EndingKind::OverBudget, detail },
        (Ok(reply), None) => {
            call.usage = reply.usage;
            call.lineage = served_lineage(reply.served_model.as_deref(), engine, asking.families);
            call.served_model.clone_from(&reply.served_model);
            call.prompt = Some(keep(asking.store, ReceiptKind::Prompt, &reply.request).await?);
            call.reply = Some(keep(asking.store, ReceiptKind::Reply, &reply.raw).await?);
            ending_of(&reply, ask.lens)
        }
        (Err(error), None) => {
            tracing::debug!(attempts = asked.attempts, %error, "the model gave no reply");
            Ending::Unanswered { kind: kind_of(&error), detail: error.to_string() }
        }
    };
    Ok(Outcome { seat: ask.seat, part: ask.part, pieces: ask.pieces, ending, call: Some(call) })
}

/// A model whose every attempt is paid for from the ledger: reserved before, settled after.
struct Metered<'a> {
    model: &'a dyn Model,
    engine: &'a Engine,
    asking: &'a Asking<'a>,
    meter: Mutex<Meter>,
}

/// What the attempts of one call came to.
#[derive(Default)]
struct Meter {
    /// The largest reservation of one attempt.
    reserved_micro_usd: Option<u64>,
    /// What the attempts cost, as far as that is known.
    spent_micro_usd: Option<u64>,
    /// Why an attempt was not allowed.
    over_budget: Option<String>,
    /// What broke on our side.
    broken: Option<anyhow::Error>,
}

impl<'a> Metered<'a> {
    fn new(model: &'a dyn Model, engine: &'a Engine, asking: &'a Asking<'a>) -> Self {
        Self { model, engine, asking, meter: Mutex::default() }
    }

    /// Reserves the worst case; waits for calls that are out where only their reservations are in the way.
    async fn reserve(&self, micro_usd: u64) -> Result<Result<ReservationId, String>> {
        loop {
            let settled = self.asking.out.settled.notified();
            let wanted = Reservation {
                run_id: self.asking.run_id,
                engine: &self.engine.id,
                micro_usd,
                bookings: &[Booking {
                    scope: Scope::Change,
                    key: self.asking.change_key.to_owned(),
                    limit_micro_usd: self.asking.max_micro_usd,
                }],
                at_ms: self.asking.now_ms,
            };
            match self.asking.store.reserve(&wanted).await? {
                Reserved::Yes(id) => return Ok(Ok(id)),
                Reserved::No(_) if self.asking.out.is_any() => settled.await,
                Reserved::No(over) => {
                    return Ok(Err(format!(
                        "up to {} more on the {} of {} would pass the cap of {}",
                        usd(micro_usd),
                        over.scope.name(),
                        usd(over.spent_micro_usd),
                        usd(over.limit_micro_usd),
                    )));
                }
            }
        }
    }

    async fn attempt(&self, prompt: &Prompt) -> Result<Result<Reply, ModelError>> {
        let Some(price) = &self.engine.price else {
            if self.asking.max_micro_usd.is_some() {
                let detail = "nobody knows its price, and a cap is set: give `input_usd` and `output_usd`";
                return Ok(self.refuse(detail.to_owned()));
            }
            return Ok(self.model.ask(prompt).await);
        };
        let worst = price.worst_case(prompt.estimated_tokens(), u64::from(prompt.max_output_tokens));
        let id = match self.reserve(worst).await? {
            Ok(id) => id,
            Err(detail) => return Ok(self.refuse(detail)),
        };
        // Until the provider says otherwise all of it is spent: the deadline may drop this call at any moment.
        self.with_meter(|meter| {
            meter.reserved_micro_usd = meter.reserved_micro_usd.max(Some(worst));
            meter.spent_micro_usd = Some(meter.spent_micro_usd.unwrap_or(0).saturating_add(worst));
        });
        let out = Out::begin(self.asking);
        let result = self.model.ask(prompt).await;
        let usage = result.as_ref().ok().and_then(|reply| reply.usage);
        let cost = match (&result, usage) {
            (Ok(_) | Err(_), Some(usage)) => price.cost(&usage),
            (Ok(_), None) => worst,
            (Err(error), None) => {
                if may_have_been_billed(error) {
                    worst
                } else {
                    0
                }
            }
        };
        self.with_meter(|meter| {
            meter.spent_micro_usd =
                meter.spent_micro_usd.map(|spent| spent.saturating_sub(worst).saturating_add(cost));
        });
        self.asking.store.settle(id, cost, usage.map(tokens_used), self.asking.now_ms).await?;
        drop(out);
        Ok(result)
    }

    fn with_meter(&self, change: impl FnOnce(&mut Meter)) {
        change(&mut self.meter.lock().expect("nobody panics while holding it"));
    }

    fn refuse(&self, detail: String) -> Result<Reply, ModelError> {
        self.with_meter(|meter| meter.over_budget = Some(detail.clone()));
        Err(ModelError::Request { detail })
    }
}

#[async_trait::async_trait]
impl Model for Metered<'_> {
    async fn ask(&self, prompt: &Prompt) -> Result<Reply, ModelError> {
        match self.attempt(prompt).await {
            Ok(result) => result,
            Err(error) => {
                self.with_meter(|meter| meter.broken = Some(error));
                Err(ModelError::Request { detail: "the ledger could not be written".to_owned() })
            }
        }
    }
}

async fn keep(store: &Store, kind: ReceiptKind, bytes: &[u8]) -> Result<Kept> {
    Ok(Kept { digest: store.keep(kind, bytes).await?, bytes: bytes.len() as u64 })
}

fn tokens_used(usage: Usage) -> TokensUsed {
    TokensUsed {
        input: usage.input,
        cached_input: usage.cached_input,
        cache_write: usage.cache_write,
        output: usage.output,
        reasoning: usage.reasoning,
    }
}

/// Whether a provider may bill an attempt that ended so: it may have generated something.
fn may_have_been_billed(error: &ModelError) -> bool {
    match error {
        ModelError::Timeout { phase } => *phase != Phase::Connect,
        // A filter that stopped the answer stopped what was being written.
        ModelError::Moderated { status, .. } => *status == 200,
        ModelError::Server { .. }
        | ModelError::Command { .. }
        | ModelError::Interrupted { .. }
        | ModelError::NotJson { .. }
        | ModelError::BodyTooLarge { .. }
        | ModelError::Protocol { .. } => true,
        ModelError::RateLimited { .. }
        | ModelError::Overloaded { .. }
        | ModelError::Connect { .. }
        | ModelError::CircuitOpen { .. }
        | ModelError::Authentication { .. }
        | ModelError::QuotaExhausted { .. }
        | ModelError::TooLong { .. }
        | ModelError::Unsupported { .. }
        | ModelError::BadRequest { .. }
        | ModelError::NotFound { .. }
        | ModelError::Request { .. } => false,
    }
}

fn kind_of(error: &ModelError) -> EndingKind {
    match error {
        ModelError::Timeout { .. } => EndingKind::TimedOut,
        ModelError::Interrupted { .. } => EndingKind::Truncated,
        ModelError::Moderated { .. } => EndingKind::Refused,
        ModelError::NotJson { .. } | ModelError::BodyTooLarge { .. } | ModelError::Protocol { .. } => {
            EndingKind::Unreadable
        }
        ModelError::RateLimited { .. }
        | ModelError::Overloaded { .. }
        | ModelError::Server { .. }
        | ModelError::Connect { .. }
        | ModelError::CircuitOpen { .. }
        | ModelError::Command { .. }
        | ModelError::Authentication { .. }
        | ModelError::QuotaExhausted { .. }
        | ModelError::TooLong { .. }
        | ModelError::Unsupported { .. }
        | ModelError::BadRequest { .. }
        | ModelError::NotFound { .. }
        | ModelError::Request { .. } => EndingKind::Failed,
    }
}

/// What a reply comes to. Only a complete one is read; a word that we do not know is not complete.
fn ending_of(reply: &Reply, lens: Lens) -> Ending {
    let (kind, detail) = match &reply.finish {
        Finish::Complete => match review::answer::read(reply.content.text(), lens) {
            Ok(answer) => return Ending::Answered(answer),
            Err(detail) => (EndingKind::Unreadable, detail),
        },
        Finish::ToolCalls => (EndingKind::Unreadable, "it asked for a tool, and none was offered".to_owned()),
        Finish::Truncated => (EndingKind::Truncated, "the answer reached the limit of its length".to_owned()),
        Finish::Refused(words) => (EndingKind::Refused, shorten(words, 200)),
        Finish::Filtered(name) => {
            (EndingKind::Refused, format!("the provider's filter: {}", shorten(name, 100)))
        }
        Finish::Unknown(word) => {
            (EndingKind::Truncated, format!("it ended with `{}`, which is not known", shorten(word, 60)))
        }
    };
    Ending::Unanswered { kind, detail }
}

/// The lineage of the model that answered (law 2).
///
/// A reported name that contradicts the one asked for wins. A name that says nothing leaves what was declared for
/// this endpoint, or what the asked name means where the reported one is that name.
fn served_lineage(served: Option<&str>, engine: &Engine, families: &Families) -> Lineage {
    let Some(served) = served.filter(|served| *served != engine.model) else {
        return engine.lineage.clone();
    };
    let reported = families.resolve(served).lineage;
    match engine.lineage_source {
        LineageSource::Declared if reported.families.is_empty() => engine.lineage.clone(),
        LineageSource::Declared if reported.families.is_subset(&engine.lineage.families) => {
            engine.lineage.clone()
        }
        LineageSource::Declared | LineageSource::Table | LineageSource::Unknown => reported,
    }
}

/// Micro-USD for people.
fn usd(micro_usd: u64) -> String {
    format!("{}.{:06} USD", micro_usd / 1_000_000, micro_usd % 1_000_000)
}
