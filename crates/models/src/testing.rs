//! A model of steps for the tests of what goes round models.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use review::Digest;
use review::engine::Usage;
use tokio::time::{Instant, sleep};

use crate::Model;
use crate::error::{ModelError, Persistence};
use crate::prompt::{Message, Prompt};
use crate::reply::{Content, Finish, Reply};

/// What a model does when it is asked.
pub(crate) enum Step {
    /// It answers.
    Answer,
    /// It answers and says what it used.
    Used(Usage),
    /// It ends with an error.
    Fail(ModelError),
    /// It does something else after so many seconds.
    AfterSeconds(u64, Box<Self>),
    /// It never ends.
    Silence,
}

/// A model that does one step after the other, and answers when there are no more.
pub(crate) struct Steps {
    began: Instant,
    left: Mutex<VecDeque<Step>>,
    asked_at: Mutex<Vec<Instant>>,
}

impl Steps {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        let left = Mutex::new(steps.into_iter().collect());
        Self { began: Instant::now(), left, asked_at: Mutex::default() }
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked_at.lock().unwrap().len()
    }

    /// When it was asked, in seconds since it was made.
    pub(crate) fn asked_at_seconds(&self) -> Vec<u64> {
        self.asked_at.lock().unwrap().iter().map(|at| (*at - self.began).as_secs()).collect()
    }

    /// Milliseconds between the attempts.
    pub(crate) fn pauses(&self) -> Vec<u128> {
        let asked_at = self.asked_at.lock().unwrap();
        asked_at.windows(2).map(|pair| (pair[1] - pair[0]).as_millis()).collect()
    }
}

#[async_trait]
impl Model for Steps {
    async fn ask(&self, _: &Prompt) -> Result<Reply, ModelError> {
        self.asked_at.lock().unwrap().push(Instant::now());
        let mut step = self.left.lock().unwrap().pop_front().unwrap_or(Step::Answer);
        loop {
            step = match step {
                Step::Answer => return Ok(reply(None)),
                Step::Used(usage) => return Ok(reply(Some(usage))),
                Step::Fail(error) => return Err(error),
                Step::Silence => pending().await,
                Step::AfterSeconds(seconds, then) => {
                    sleep(Duration::from_secs(seconds)).await;
                    *then
                }
            };
        }
    }
}

pub(crate) fn failed() -> Step {
    let message = String::new();
    Step::Fail(ModelError::Server {
        status: 500,
        retry_after: None,
        persistence: Persistence::Passing,
        message,
    })
}

pub(crate) fn limited(seconds: Option<u64>) -> Step {
    let retry_after = seconds.map(Duration::from_secs);
    Step::Fail(ModelError::RateLimited { retry_after, message: String::new() })
}

pub(crate) fn refused() -> Step {
    Step::Fail(ModelError::BadRequest { status: 400, message: String::new() })
}

pub(crate) fn used(tokens: u64) -> Step {
    Step::Used(Usage { input: tokens, cached_input: 0, cache_write: 0, output: 0, reasoning: 0 })
}

pub(crate) fn prompt() -> Prompt {
    Prompt {
        system: String::new(),
        messages: vec![Message::User("+let x = 1;".to_owned())],
        cache_prefix: None,
        tools: Vec::new(),
        answer: None,
        max_output_tokens: 996,
        temperature: None,
    }
}

pub(crate) async fn ask(model: &dyn Model) -> Result<Reply, ModelError> {
    model.ask(&prompt()).await
}

fn reply(usage: Option<Usage>) -> Reply {
    Reply {
        content: Content::Text("{}".to_owned()),
        finish: Finish::Complete,
        usage,
        served_model: None,
        request_id: None,
        request: Bytes::new(),
        request_sha256: Digest::of(b""),
        raw: Bytes::new(),
        elapsed_ms: 0,
    }
}
