//! What a run has paid for already: replies, kept as its steps, so that a run that is taken up again does not pay twice.

use anyhow::{Context as _, Result};
use models::Prompt;
use review::Digest;
use review::hearing::{Heard, Said};
use review::outcome::Kept;
use review::reply::ReplyV1;
use serde::{Deserialize, Serialize};

use crate::eval::replies::question_digest;
use crate::fan_out::Asking;

/// Whether the replies of a run are kept as its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Steps {
    /// They are, and are taken from there where they are.
    Kept,
    /// They are taken from there, and nobody is asked what is not there: that is [`NotAnsweredBefore`].
    Only,
    /// The run has a name that no other run has, so nobody will ever look for them.
    NotKept,
}

/// A run that is to ask nobody needs an answer that is not kept: none was given, or what would be asked is another question now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an answer that the review needs was not kept")]
pub struct NotAnsweredBefore;

/// A reply that was paid for.
#[derive(Serialize, Deserialize)]
struct StepV1 {
    reply: ReplyV1,
    prompt: Option<KeptV1>,
    raw: Option<KeptV1>,
    reserved_micro_usd: Option<u64>,
    micro_usd: Option<u64>,
    elapsed_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct KeptV1 {
    digest: Digest,
    bytes: u64,
}

impl KeptV1 {
    fn of(kept: &Kept) -> Self {
        Self { digest: kept.digest.clone(), bytes: kept.bytes }
    }

    fn kept(self) -> Kept {
        Kept { digest: self.digest, bytes: self.bytes }
    }
}

/// The place of one call among a run's steps; `None` where no steps are kept.
pub(crate) fn key(engine: &str, prompt: &Prompt, call: &str, asking: &Asking<'_>) -> Option<Digest> {
    match asking.steps {
        Steps::Kept | Steps::Only => {
            let question = question_digest(engine, prompt);
            Some(Digest::of_parts([question.as_str().as_bytes(), call.as_bytes()]))
        }
        Steps::NotKept => None,
    }
}

/// What came of a call, if it was made and answered before.
///
/// # Errors
/// The database cannot be read.
pub(crate) async fn taken(key: &Digest, asking: &Asking<'_>) -> Result<Option<Heard>> {
    let Some(bytes) = asking.store.step(asking.run_id, key).await? else { return Ok(None) };
    // What another version wrote may mean something else: then it is asked again.
    let Ok(step) = serde_json::from_slice::<StepV1>(&bytes) else { return Ok(None) };
    Ok(Some(Heard {
        said: Said::Reply(Box::new(step.reply)),
        prompt: step.prompt.map(KeptV1::kept),
        reply: step.raw.map(KeptV1::kept),
        reserved_micro_usd: step.reserved_micro_usd,
        micro_usd: step.micro_usd,
        elapsed_ms: step.elapsed_ms,
    }))
}

/// Keeps what came of a call that was answered.
///
/// # Errors
/// The database cannot be written.
pub(crate) async fn keep(key: &Digest, heard: &Heard, asking: &Asking<'_>) -> Result<()> {
    let Said::Reply(reply) = &heard.said else { return Ok(()) };
    let step = StepV1 {
        reply: ReplyV1::clone(reply),
        prompt: heard.prompt.as_ref().map(KeptV1::of),
        raw: heard.reply.as_ref().map(KeptV1::of),
        reserved_micro_usd: heard.reserved_micro_usd,
        micro_usd: heard.micro_usd,
        elapsed_ms: heard.elapsed_ms,
    };
    let bytes = serde_json::to_vec(&step).context("could not write down a reply")?;
    asking.store.keep_step(asking.run_id, key, &bytes, asking.now_ms).await
}
