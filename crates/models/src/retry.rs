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

/// The longest pause that a provider may ask for. If it asks for more, the caller gets the error at once.
pub(crate) const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);

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
            longest_retry_after: LONGEST_RETRY_AFTER,
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
    // Callers who failed together must not come back together: up to a quarter less than ours, a little more than
    // what the provider asks for.
    let jitter = fraction(seed, retries);
    let ours = doubled - doubled.mul_f64(0.25 * jitter);
    match error.retry_after() {
        Some(asked) if asked > policy.longest_retry_after => None,
        Some(asked) => Some(ours.max(asked + policy.first_pause.mul_f64(jitter))),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Persistence;
    use crate::testing::{Step, Steps, failed, limited, prompt};

    fn server() -> ModelError {
        server_500(Persistence::Passing)
    }

    fn server_500(persistence: Persistence) -> ModelError {
        ModelError::Server { status: 500, retry_after: None, persistence, message: String::new() }
    }

    async fn ask(model: &Steps, deadline: Duration, seed: u64) -> Asked {
        ask_with_retries(model, &prompt(), &RetryPolicy::default(), Instant::now() + deadline, seed).await
    }

    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_tried_again_with_growing_pauses() {
        let model = Steps::new([failed(), limited(None)]);
        let asked = ask(&model, LONG, 1).await;
        assert!(asked.result.is_ok());
        assert_eq!(asked.attempts, 3);
        let pauses = model.pauses();
        assert!((375..=500).contains(&pauses[0]) && (750..=1000).contains(&pauses[1]), "{pauses:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn two_retries_are_enough() {
        let model = Steps::new([failed(), failed(), failed(), failed()]);
        let asked = ask(&model, LONG, 1).await;
        assert!(matches!(asked.result, Err(ModelError::Server { .. })));
        assert_eq!(asked.attempts, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_pass_is_not_tried_again() {
        let lasting = [
            ModelError::QuotaExhausted { message: String::new() },
            ModelError::Authentication { status: 401, message: String::new() },
            ModelError::BadRequest { status: 400, message: String::new() },
            ModelError::TooLong { prompt_tokens: None, context_tokens: None, message: String::new() },
            ModelError::NotFound { message: String::new() },
            ModelError::NotJson { content_type: String::new(), start: String::new() },
            ModelError::Protocol { detail: String::new() },
            ModelError::BodyTooLarge { limit: 1 },
            server_500(Persistence::Lasting),
            ModelError::Timeout { phase: Phase::Exit },
            ModelError::Command { detail: String::new() },
            ModelError::Moderated { status: 400, message: String::new() },
            // Whoever asks has another model at hand, or waits for nothing.
            ModelError::CircuitOpen { failures: 3, retry_after: Duration::ZERO, cause: String::new() },
        ];
        for error in lasting {
            let model = Steps::new([Step::Fail(error)]);
            let asked = ask(&model, LONG, 1).await;
            assert!(asked.result.is_err());
            assert_eq!(asked.attempts, 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_providers_pause_is_kept_up_to_a_cap() {
        let model = Steps::new([limited(Some(20)), limited(Some(60))]);
        assert!(ask(&model, LONG, 1).await.result.is_ok());
        let pauses = model.pauses();
        assert!(
            (20_000..=20_500).contains(&pauses[0]) && (60_000..=60_500).contains(&pauses[1]),
            "{pauses:?}"
        );
        let model = Steps::new([limited(Some(61))]);
        let asked = ask(&model, LONG, 1).await;
        assert!(asked.result.is_err());
        assert_eq!(asked.attempts, 1);
        // "At once" is not taken for a reason to hurry.
        let model = Steps::new([limited(Some(0))]);
        assert!(ask(&model, LONG, 1).await.result.is_ok());
        assert!(model.pauses()[0] >= 375);
    }

    #[tokio::test(start_paused = true)]
    async fn no_pause_goes_past_the_deadline() {
        let model = Steps::new([limited(Some(30))]);
        let began = Instant::now();
        let asked = ask(&model, Duration::from_secs(30), 1).await;
        // The error comes at once, not after waiting in vain.
        assert!(matches!(asked.result, Err(ModelError::RateLimited { .. })));
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_model_is_given_up_at_the_deadline() {
        let model = Steps::new([failed(), Step::Silence]);
        let began = Instant::now();
        let asked = ask(&model, Duration::from_secs(30), 1).await;
        assert!(matches!(asked.result, Err(ModelError::Timeout { phase: Phase::Deadline })));
        assert_eq!((asked.attempts, began.elapsed()), (2, Duration::from_secs(30)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_jitter_depends_on_the_seed_alone() {
        let mut pauses = Vec::new();
        for seed in [1, 1, 2, 3] {
            let model = Steps::new([failed(), failed()]);
            ask(&model, LONG, seed).await;
            pauses.push(model.pauses());
        }
        assert_eq!(pauses[0], pauses[1]);
        assert_ne!(pauses[0], pauses[2]);
        assert_ne!(pauses[2], pauses[3]);
    }

    #[test]
    fn pauses_stop_growing_and_stay_in_their_range() {
        let policy = RetryPolicy { max_retries: 100, ..RetryPolicy::default() };
        for seed in 0..500 {
            for (retries, longest_ms) in [(0, 500), (1, 1000), (3, 4000), (4, 8000), (40, 8000), (99, 8000)] {
                let pause = pause_before_retry(&server(), &policy, retries, seed).unwrap().as_millis();
                assert!(pause <= longest_ms && pause >= longest_ms * 3 / 4, "{pause} {longest_ms}");
            }
        }
    }
}
