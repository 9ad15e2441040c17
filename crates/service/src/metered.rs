//! One call of a model, paid for from the ledger (law 11): reserved before each attempt, settled after.
//!
//! However a call ends, it ends as a value. An `Err` here is ours: the store cannot be written.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use models::{Model, ModelError, Phase, Prompt, Reply, RetryPolicy};
use review::Digest;
use review::engine::{Engine, Usage};
use review::hearing::{Heard, Said};
use review::outcome::{EndingKind, Kept};
use review::packet::ReceiptKindV1;
use review::reply::{Cause, ReplyV1, Silence};
use store::{Reservation, ReservationId, Reserved, ToKeep, TokensUsed};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::fan_out::{Asking, Clock};
use crate::replies::reply_v1;
use crate::steps::{self, NotAnsweredBefore, Steps};

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

/// Asks an engine, as often as its failures may pass. `name` tells this call from the run's others.
pub(crate) async fn ask(engine: usize, prompt: &Prompt, name: &str, asking: &Asking<'_>) -> Result<Heard> {
    let (model, engine) = (asking.models[engine].as_ref(), &asking.engines[engine]);
    let step = steps::key(&engine.id, prompt, name, asking);
    if let Some(key) = &step
        && let Some(heard) = steps::taken(key, asking).await?
    {
        return Ok(heard);
    }
    match asking.steps {
        Steps::Only => return Err(NotAnsweredBefore.into()),
        Steps::Kept | Steps::NotKept => {}
    }
    let seed = Digest::of_parts([asking.run_id.as_bytes(), name.as_bytes()]);
    let seed = u64::from_str_radix(&seed.as_str()[..16], 16).expect("a digest is hex");
    let metered = Metered { model, engine, asking, meter: Mutex::default() };
    let started = Instant::now();
    let asked =
        models::ask_with_retries(&metered, prompt, &RetryPolicy::default(), asking.deadline, seed).await;
    let meter = metered.meter.into_inner().expect("nobody panics while holding it");
    if let Some(error) = meter.broken {
        return Err(error);
    }
    let mut heard = Heard {
        said: Said::Nothing(silence(
            EndingKind::OverBudget,
            meter.over_budget.clone().unwrap_or_default(),
            Cause::Other,
        )),
        prompt: None,
        reply: None,
        reserved_micro_usd: meter.reserved_micro_usd,
        micro_usd: meter.spent_micro_usd,
        elapsed_ms: match (asking.clock, &asked.result) {
            (Clock::Running, _) => u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            (Clock::OfTheReplies, Ok(reply)) => reply.elapsed_ms,
            (Clock::OfTheReplies, Err(_)) => 0,
        },
    };
    match (asked.result, meter.over_budget) {
        (_, Some(_)) => {}
        (Ok(reply), None) => {
            let said = reply_v1(&reply);
            let kept =
                |digest: &Digest, bytes: usize| Some(Kept { digest: digest.clone(), bytes: bytes as u64 });
            heard.prompt = kept(&said.request_sha256, reply.request.len());
            heard.reply = kept(&said.raw_sha256, reply.raw.len());
            keep(&reply, &said, asking).await?;
            heard.said = Said::Reply(Box::new(said));
            if let Some(key) = &step {
                steps::keep(key, &heard, asking).await?;
            }
        }
        (Err(error), None) => {
            tracing::debug!(attempts = asked.attempts, %error, "the model gave no reply");
            heard.said = Said::Nothing(silence(kind_of(&error), error.to_string(), cause_of(&error)));
        }
    }
    Ok(heard)
}

fn silence(kind: EndingKind, detail: String, cause: Cause) -> Silence {
    Silence { kind, detail, cause }
}

/// A model whose every attempt is paid for from the ledger.
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

impl Metered<'_> {
    /// Reserves the worst case; waits for calls that are out where only their reservations are in the way.
    async fn reserve(&self, micro_usd: u64) -> Result<Result<ReservationId, String>> {
        loop {
            let settled = self.asking.out.settled.notified();
            let wanted = Reservation {
                run_id: self.asking.run_id,
                engine: &self.engine.id,
                micro_usd,
                bookings: self.asking.bookings,
                at_ms: self.asking.now_ms,
            };
            match self.asking.store.reserve(&wanted).await? {
                Reserved::Yes(id) => return Ok(Ok(id)),
                Reserved::No(over)
                    if over.wanted_micro_usd <= over.limit_micro_usd && self.asking.out.is_any() =>
                {
                    settled.await;
                }
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
            if self.asking.bookings.iter().any(|booking| booking.limit_micro_usd.is_some()) {
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

/// Keeps what was sent and what came back at once: it was paid for.
async fn keep(reply: &Reply, said: &ReplyV1, asking: &Asking<'_>) -> Result<()> {
    let sent = ToKeep { kind: ReceiptKindV1::Prompt, bytes: &reply.request, digest: &said.request_sha256 };
    let came = ToKeep { kind: ReceiptKindV1::Reply, bytes: &reply.raw, digest: &said.raw_sha256 };
    asking.receipts.keep(&[sent, came], asking.now_ms).await
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

/// What may help against an error.
fn cause_of(error: &ModelError) -> Cause {
    match error {
        ModelError::TooLong { .. } | ModelError::Moderated { .. } => Cause::WhatItWasShown,
        ModelError::Authentication { .. }
        | ModelError::QuotaExhausted { .. }
        | ModelError::NotFound { .. }
        | ModelError::Connect { .. }
        | ModelError::CircuitOpen { .. } => Cause::Down,
        ModelError::Timeout { .. }
        | ModelError::Server { .. }
        | ModelError::Command { .. }
        | ModelError::Interrupted { .. }
        | ModelError::NotJson { .. }
        | ModelError::BodyTooLarge { .. }
        | ModelError::Protocol { .. }
        | ModelError::RateLimited { .. }
        | ModelError::Overloaded { .. }
        | ModelError::Unsupported { .. }
        | ModelError::BadRequest { .. }
        | ModelError::Request { .. } => Cause::Other,
    }
}

/// Micro-USD for people.
fn usd(micro_usd: u64) -> String {
    format!("{}.{:06} USD", micro_usd / 1_000_000, micro_usd % 1_000_000)
}
