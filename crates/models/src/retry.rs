//! Retries, the only place that has them: a function round [`Model::ask`].
//!
//! No provider lets a generation be repeated without paying twice, so a retry is a new paid attempt: the
//! number of attempts is part of the result, and whoever reserves money does it inside `ask`, once an attempt.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use tracing::debug;

use crate::Model;
use crate::error::{ModelError, Phase};
use crate::prompt::Prompt;
use crate::reply::Reply;

/// How often and how soon something that may pass is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries after the first.
    pub max_retries: u32,
    /// The pause before the first retry; doubled for each further one.
    pub first_pause: Duration,
    /// The longest pause of our own choice.
    pub longest_pause: Duration,
    /// The longest pause that a provider may ask for. If it asks for more, the caller gets the error at once.
    pub longest_retry_after: Duration,
}

impl Default for RetryPolicy {
    /// As the vendors' own clients do: two retries, 0.5 s to 8 s.
    fn default() -> Self {
        Self {
            max_retries: 2,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(8),
            longest_retry_after: Duration::from_secs(60),
        }
    }
}

/// What came of asking, and how often it was asked.
pub struct Asked {
    /// The reply, or the last error.
    pub result: Result<Reply, ModelError>,
    /// How many attempts were made, from 1; each may have been billed.
    pub attempts: u32,
}

/// Asks, and asks again while the error may pass, the policy allows it and the deadline is not reached.
///
/// `seed` decides the jitter, so that a replay waits as long.
pub async fn ask_with_retries(
    model: &dyn Model,
    prompt: &Prompt,
    policy: &RetryPolicy,
    deadline: Instant,
    seed: u64,
) -> Asked {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let result = timeout_at(deadline, model.ask(prompt))
            .await
            .unwrap_or(Err(ModelError::Timeout { phase: Phase::Deadline }));
        let Err(error) = &result else { return Asked { result, attempts } };
        let retries = attempts - 1;
        let Some(pause) = pause_before_retry(error, policy, retries, seed) else {
            return Asked { result, attempts };
        };
        if Instant::now() + pause >= deadline {
            return Asked { result, attempts };
        }
        debug!(attempts, pause_ms = pause.as_millis(), %error, "asking the model again");
        sleep(pause).await;
    }
}

/// How long to wait before the next retry; `None` if there is none.
fn pause_before_retry(error: &ModelError, policy: &RetryPolicy, retries: u32, seed: u64) -> Option<Duration> {
    if retries >= policy.max_retries || !error.is_transient() {
        return None;
    }
    let doubled = policy.first_pause.saturating_mul(2_u32.saturating_pow(retries)).min(policy.longest_pause);
    // Up to a quarter less, so that callers who failed together do not come back together.
    let ours = doubled - doubled.mul_f64(0.25 * fraction(seed, retries));
    match error.retry_after() {
        Some(asked) if asked > policy.longest_retry_after => None,
        Some(asked) => Some(asked.max(ours)),
        None => Some(ours),
    }
}

/// A number from 0 to 1 that depends on nothing else (SplitMix64's mixing).
fn fraction(seed: u64, retries: u32) -> f64 {
    let mut mixed = seed.wrapping_add(u64::from(retries + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}
