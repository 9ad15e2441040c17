//! How fast and how often at once one provider is asked, all of its models together.
//!
//! In any minute there are no more requests and tokens than allowed: a sliding window, as exact as our own count of
//! tokens is. Who comes first goes first. When the provider asks for a pause, everybody keeps it. Several
//! processes on one account do not know of each other; the provider's own limit tells them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Mutex as Turnstile, Semaphore};
use tokio::time::{Instant, sleep_until};

use crate::Model;
use crate::error::ModelError;
use crate::prompt::Prompt;
use crate::reply::Reply;
use crate::retry::LONGEST_RETRY_AFTER;

/// What limits are counted by.
const MINUTE: Duration = Duration::from_secs(60);

/// What a provider allows; `None` is no limit of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PaceLimits {
    /// Requests in any minute.
    pub requests_per_minute: Option<u32>,
    /// Tokens in any minute, those of the prompt and those of the answer.
    pub tokens_per_minute: Option<u64>,
    /// Calls at once.
    pub concurrency: Option<u32>,
}

/// One provider's pace, shared by all of its models.
pub struct Pace {
    limits: PaceLimits,
    places: Option<Semaphore>,
    /// Held by the first of those who wait, so that none overtakes.
    turnstile: Turnstile<()>,
    window: Mutex<Window>,
}

/// What was sent in the last minute.
#[derive(Default)]
struct Window {
    sent: VecDeque<Sent>,
    count: u64,
    paused_until: Option<Instant>,
}

struct Sent {
    number: u64,
    at: Instant,
    tokens: u64,
}

/// Whether a call may go.
enum Turn {
    /// It may; this is its number.
    Now(u64),
    /// Not before then.
    At(Instant),
}

/// A model that keeps its provider's pace.
pub struct Paced {
    pace: Arc<Pace>,
    model: Arc<dyn Model>,
}

impl Paced {
    /// Makes a model keep a pace.
    pub fn new(pace: Arc<Pace>, model: Arc<dyn Model>) -> Self {
        Self { pace, model }
    }
}

#[async_trait]
impl Model for Paced {
    /// Waits for its turn and asks. The wait ends with the caller's patience, but for a pause that the provider asked
    /// for and that is longer than any retry would wait: that is an error at once.
    async fn ask(&self, prompt: &Prompt) -> Result<Reply, ModelError> {
        let _place = match &self.pace.places {
            Some(places) => Some(places.acquire().await.expect("nobody closes it")),
            None => None,
        };
        // Providers count the most that may be written before they know what is.
        let tokens = prompt.estimated_tokens().saturating_add(u64::from(prompt.max_output_tokens));
        let number = self.pace.turn(tokens).await?;
        let result = self.model.ask(prompt).await;
        self.pace.settle(number, &result);
        result
    }
}

impl Pace {
    /// A pace that nobody has used yet.
    pub fn new(limits: PaceLimits) -> Self {
        let places = limits.concurrency.map(|places| Semaphore::new(places.max(1) as usize));
        Self { limits, places, turnstile: Turnstile::default(), window: Mutex::default() }
    }

    /// What it allows.
    pub fn limits(&self) -> PaceLimits {
        self.limits
    }

    async fn turn(&self, tokens: u64) -> Result<u64, ModelError> {
        let _first = self.turnstile.lock().await;
        loop {
            let turn = self.window().turn(tokens, self.limits, Instant::now())?;
            match turn {
                Turn::Now(number) => return Ok(number),
                Turn::At(time) => sleep_until(time).await,
            }
        }
    }

    /// Puts what a call used in the place of what it might have used, and keeps the pause that it was told to make.
    fn settle(&self, number: u64, result: &Result<Reply, ModelError>) {
        let mut window = self.window();
        match result {
            Ok(reply) => {
                let sent = window.sent.iter_mut().find(|sent| sent.number == number);
                if let (Some(sent), Some(usage)) = (sent, reply.usage) {
                    sent.tokens = usage.input.saturating_add(usage.output);
                }
            }
            Err(error) => {
                let asked = error.retry_after().map(|pause| Instant::now() + pause);
                window.paused_until = window.paused_until.max(asked);
            }
        }
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().expect("nobody panics while holding it")
    }
}

impl Window {
    /// Counts a call that may go, or says when to ask again.
    fn turn(&mut self, tokens: u64, limits: PaceLimits, now: Instant) -> Result<Turn, ModelError> {
        if let Some(until) = self.paused_until.filter(|until| *until > now) {
            let left = until - now;
            if left > LONGEST_RETRY_AFTER {
                let message = "not asked, since it told another call to wait".to_owned();
                return Err(ModelError::RateLimited { retry_after: Some(left), message });
            }
            return Ok(Turn::At(until));
        }
        while self.sent.front().is_some_and(|sent| sent.at + MINUTE <= now) {
            self.sent.pop_front();
        }
        let free = self.requests_free(limits.requests_per_minute).max(self.tokens_free(tokens, limits));
        if let Some(time) = free {
            return Ok(Turn::At(time));
        }
        self.count += 1;
        self.sent.push_back(Sent { number: self.count, at: now, tokens });
        Ok(Turn::Now(self.count))
    }

    /// When there is room for one more request; `None` if there is.
    fn requests_free(&self, limit: Option<u32>) -> Option<Instant> {
        let too_many = self.sent.len().checked_sub(limit?.max(1) as usize)?;
        Some(self.sent[too_many].at + MINUTE)
    }

    /// When there is room for so many tokens; `None` if there is. A call that never has room goes when it is alone.
    fn tokens_free(&self, tokens: u64, limits: PaceLimits) -> Option<Instant> {
        let limit = limits.tokens_per_minute?;
        let mut used: u64 = self.sent.iter().map(|sent| sent.tokens).fold(tokens, u64::saturating_add);
        let mut free = None;
        for sent in &self.sent {
            if used <= limit {
                break;
            }
            used = used.saturating_sub(sent.tokens);
            free = Some(sent.at + MINUTE);
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::testing::{Step, Steps, ask, limited, prompt, used};

    /// When each of so many calls was asked, in seconds, if all come at once.
    async fn asked_at(limits: PaceLimits, calls: usize, steps: Vec<Step>) -> Vec<u64> {
        let inner = Arc::new(Steps::new(steps));
        let model = Paced::new(Arc::new(Pace::new(limits)), inner.clone());
        futures::future::join_all((0..calls).map(|_| ask(&model))).await;
        inner.asked_at_seconds()
    }

    #[tokio::test(start_paused = true)]
    async fn no_minute_has_more_requests_than_allowed() {
        let limits = PaceLimits { requests_per_minute: Some(3), ..PaceLimits::default() };
        assert_eq!(asked_at(limits, 8, Vec::new()).await, [0, 0, 0, 60, 60, 60, 120, 120]);
        let inner = Arc::new(Steps::new(Vec::new()));
        let model = Paced::new(Arc::new(Pace::new(limits)), inner.clone());
        // Not in any minute, rather than in each minute of the clock.
        for seconds in [0, 30, 29, 0, 0, 0] {
            advance(Duration::from_secs(seconds)).await;
            ask(&model).await.unwrap();
        }
        assert_eq!(inner.asked_at_seconds(), [0, 30, 59, 60, 90, 119]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_minute_has_more_tokens_than_allowed() {
        // The prompt of these tests may come to 1,000 tokens with its answer.
        let most = prompt().estimated_tokens() + u64::from(prompt().max_output_tokens);
        let limits = PaceLimits { tokens_per_minute: Some(most * 2), ..PaceLimits::default() };
        assert_eq!(asked_at(limits, 5, Vec::new()).await, [0, 0, 60, 60, 120]);
        // What was used counts, once that is known.
        let steps = vec![Step::AfterSeconds(1, Box::new(used(most / 2))), used(most), used(most)];
        let inner = Arc::new(Steps::new(steps));
        let model = Paced::new(Arc::new(Pace::new(limits)), inner.clone());
        for _ in 0..3 {
            ask(&model).await.unwrap();
        }
        assert_eq!(inner.asked_at_seconds(), [0, 1, 60]);
        // What never fits goes alone.
        let tight = PaceLimits { tokens_per_minute: Some(1), ..PaceLimits::default() };
        assert_eq!(asked_at(tight, 3, Vec::new()).await, [0, 60, 120]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_calls_are_out_at_once_than_allowed() {
        let limits = PaceLimits { concurrency: Some(2), ..PaceLimits::default() };
        let steps = (0..5).map(|_| Step::AfterSeconds(10, Box::new(Step::Answer))).collect();
        assert_eq!(asked_at(limits, 5, steps).await, [0, 0, 10, 10, 20]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_one_model_is_told_holds_for_all_of_its_provider() {
        let pace = Arc::new(Pace::new(PaceLimits::default()));
        let told = Paced::new(pace.clone(), Arc::new(Steps::new([limited(Some(20))])));
        let inner = Arc::new(Steps::new(Vec::new()));
        let other = Paced::new(pace, inner.clone());
        assert!(ask(&told).await.is_err());
        assert!(ask(&other).await.is_ok());
        assert_eq!(inner.asked_at_seconds(), [20]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_nobody_would_wait_for_is_an_error_at_once() {
        let inner = Arc::new(Steps::new([limited(Some(3600))]));
        let model = Paced::new(Arc::new(Pace::new(PaceLimits::default())), inner.clone());
        assert!(ask(&model).await.is_err());
        advance(Duration::from_secs(600)).await;
        let error = ask(&model).await.err().expect("the pause is not over");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(3000)));
        assert_eq!(inner.asked(), 1);
        advance(Duration::from_secs(3000)).await;
        assert!(ask(&model).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_waiting_takes_nobodys_turn() {
        let limits = PaceLimits { requests_per_minute: Some(1), ..PaceLimits::default() };
        let inner = Arc::new(Steps::new(Vec::new()));
        let model = Paced::new(Arc::new(Pace::new(limits)), inner.clone());
        ask(&model).await.unwrap();
        assert!(tokio::time::timeout(Duration::from_secs(5), ask(&model)).await.is_err());
        ask(&model).await.unwrap();
        assert_eq!(inner.asked_at_seconds(), [0, 60]);
    }
}
