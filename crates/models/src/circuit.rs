//! A circuit breaker round one model: what fails again and again is left alone for a while, so that whoever asks
//! turns to another model at once instead of waiting for one that is down.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use tracing::warn;

use crate::Model;
use crate::error::ModelError;
use crate::prompt::Prompt;
use crate::reply::Reply;

/// How many failures in a row open the circuit: as many as one call has attempts. Calls that fail together count
/// once, so that a short outage, which meets all calls that are out, leaves them their retries.
pub const FAILURES_TO_OPEN: u32 = 3;

/// How long the model is left alone before one call may try it again.
pub const COOL_DOWN: Duration = Duration::from_secs(30);

/// How a model does at the moment, shared by all who ask it.
#[derive(Default)]
pub struct Circuit(Mutex<State>);

enum State {
    /// It is asked. What the last failures were, if there were any since the last success.
    Closed(Option<Failures>),
    /// It is left alone until then; from then on one call may try.
    Open { failures: Failures, until: Instant },
    /// That one call is out.
    Probed(Failures),
}

impl Default for State {
    fn default() -> Self {
        Self::Closed(None)
    }
}

#[derive(Clone)]
struct Failures {
    count: u32,
    last_at: Instant,
    cause: String,
}

/// A model behind its circuit.
pub struct Guarded {
    circuit: Arc<Circuit>,
    model: Arc<dyn Model>,
}

impl Guarded {
    /// Puts a model behind a circuit.
    pub fn new(circuit: Arc<Circuit>, model: Arc<dyn Model>) -> Self {
        Self { circuit, model }
    }
}

#[async_trait]
impl Model for Guarded {
    async fn ask(&self, prompt: &Prompt) -> Result<Reply, ModelError> {
        let call = self.circuit.enter()?;
        let result = self.model.ask(prompt).await;
        call.end(&result);
        result
    }
}

impl Circuit {
    /// Lets a call through, or says why not.
    fn enter(&self) -> Result<Call<'_>, ModelError> {
        let now = Instant::now();
        let mut state = self.state();
        let is_probe = match &*state {
            State::Closed(_) => false,
            State::Open { failures, until } if *until <= now => {
                *state = State::Probed(failures.clone());
                true
            }
            State::Open { failures, until } => return Err(failures.error(*until - now)),
            // It will be known soon.
            State::Probed(failures) => return Err(failures.error(Duration::ZERO)),
        };
        Ok(Call { circuit: self, began_at: now, is_probe })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics while holding it")
    }
}

impl Failures {
    fn error(&self, retry_after: Duration) -> ModelError {
        ModelError::CircuitOpen { failures: self.count, retry_after, cause: self.cause.clone() }
    }
}

/// One call that was let through. A probe that is dropped without an end leaves the circuit open.
struct Call<'a> {
    circuit: &'a Circuit,
    began_at: Instant,
    is_probe: bool,
}

impl Call<'_> {
    fn end(mut self, result: &Result<Reply, ModelError>) {
        let is_probe = std::mem::replace(&mut self.is_probe, false);
        let now = Instant::now();
        let mut state = self.circuit.state();
        let cause = match result {
            Err(ModelError::RateLimited { .. }) if !is_probe => return,
            Err(error) if is_ill(error) => error.to_string(),
            // It answered, whatever it said.
            Ok(_) | Err(_) => {
                *state = State::Closed(None);
                return;
            }
        };
        let before = match &*state {
            State::Closed(failures) => failures.as_ref(),
            State::Probed(failures) if is_probe => Some(failures),
            // Calls from before it opened; they say nothing new.
            State::Open { .. } | State::Probed(_) => return,
        };
        let count = match before {
            Some(failures) if failures.last_at > self.began_at => failures.count,
            Some(failures) => failures.count + 1,
            None => 1,
        };
        let failures = Failures { count, last_at: now, cause };
        *state = if count >= FAILURES_TO_OPEN {
            warn!(failures = count, cause = %failures.cause, "the model is left alone for a while");
            State::Open { failures, until: now + COOL_DOWN }
        } else {
            State::Closed(Some(failures))
        };
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.is_probe {
            return;
        }
        let mut state = self.circuit.state();
        if let State::Probed(failures) = &*state {
            *state = State::Open { failures: failures.clone(), until: Instant::now() + COOL_DOWN };
        }
    }
}

/// Whether an error says that the server is not well. One that limits us is, and one that refuses us answered.
fn is_ill(error: &ModelError) -> bool {
    error.is_transient() && !matches!(error, ModelError::RateLimited { .. })
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::testing::{Step, Steps, ask, failed, limited, refused};

    fn guarded(steps: impl IntoIterator<Item = Step>) -> (Guarded, Arc<Steps>) {
        let model = Arc::new(Steps::new(steps));
        (Guarded::new(Arc::default(), model.clone()), model)
    }

    fn is_open(result: &Result<Reply, ModelError>) -> bool {
        matches!(result, Err(ModelError::CircuitOpen { .. }))
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_failures_in_a_row_and_closes_when_a_probe_succeeds() {
        let (model, inner) = guarded([failed(), failed(), failed(), Step::Answer]);
        for _ in 0..FAILURES_TO_OPEN {
            advance(Duration::from_secs(1)).await;
            assert!(matches!(ask(&model).await, Err(ModelError::Server { .. })));
        }
        let Err(ModelError::CircuitOpen { failures, retry_after, cause }) = ask(&model).await else {
            panic!("the circuit is open")
        };
        assert_eq!((failures, retry_after), (3, COOL_DOWN));
        assert!(cause.contains("status 500"), "{cause}");
        advance(COOL_DOWN - Duration::from_millis(1)).await;
        assert!(is_open(&ask(&model).await));
        assert_eq!(inner.asked(), 3);
        advance(Duration::from_millis(1)).await;
        assert!(ask(&model).await.is_ok());
        assert!(ask(&model).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_probe_opens_it_again_and_only_one_call_probes() {
        let (model, inner) =
            guarded([failed(), failed(), failed(), Step::AfterSeconds(5, Box::new(failed())), Step::Answer]);
        for _ in 0..3 {
            advance(Duration::from_secs(1)).await;
            assert!(ask(&model).await.is_err());
        }
        advance(COOL_DOWN).await;
        let (probe, other) = tokio::join!(ask(&model), ask(&model));
        assert!(matches!(probe, Err(ModelError::Server { .. })) && is_open(&other));
        assert!(is_open(&ask(&model).await));
        assert_eq!(inner.asked(), 4);
        advance(COOL_DOWN).await;
        assert!(ask(&model).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_given_up_leaves_it_open() {
        let (model, inner) = guarded([failed(), failed(), failed(), Step::Silence, Step::Answer]);
        for _ in 0..3 {
            advance(Duration::from_secs(1)).await;
            assert!(ask(&model).await.is_err());
        }
        advance(COOL_DOWN).await;
        assert!(tokio::time::timeout(Duration::from_secs(5), ask(&model)).await.is_err());
        assert!(is_open(&ask(&model).await));
        advance(COOL_DOWN).await;
        assert!(ask(&model).await.is_ok());
        assert_eq!(inner.asked(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_fail_together_count_once() {
        let steps = (0..12).map(|_| Step::AfterSeconds(1, Box::new(failed())));
        let (model, _) = guarded(steps);
        let together = futures::future::join_all((0..12).map(|_| ask(&model))).await;
        assert!(together.iter().all(|result| matches!(result, Err(ModelError::Server { .. }))));
        assert!(ask(&model).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_answers_is_not_ill() {
        // Two failures, then a sign of life or a limit, then two more: never three in a row.
        for sign in [Step::Answer, refused()] {
            let (model, _) = guarded([failed(), failed(), sign, failed(), failed(), Step::Answer]);
            for _ in 0..5 {
                advance(Duration::from_secs(1)).await;
                assert!(!is_open(&ask(&model).await));
            }
            assert!(ask(&model).await.is_ok());
        }
        let (model, _) = guarded((0..20).map(|_| limited(None)));
        for _ in 0..20 {
            advance(Duration::from_secs(1)).await;
            assert!(matches!(ask(&model).await, Err(ModelError::RateLimited { .. })));
        }
        // A limit in between does not make anything well either.
        let (model, _) = guarded([failed(), failed(), limited(None), failed()]);
        for _ in 0..4 {
            advance(Duration::from_secs(1)).await;
            assert!(!is_open(&ask(&model).await));
        }
        assert!(is_open(&ask(&model).await));
    }
}
