//! Why there is no reply, in variants that hold the fact.
//!
//! No error holds a key, a prompt or a body in full: providers' messages are cut to
//! [`MESSAGE_LIMIT`] bytes, and replaced where they repeat what we sent ([`Secrets::message`]).

use std::collections::HashSet;
use std::error::Error;
use std::time::Duration;

use review::text::{shorten, visible};
use secrecy::{ExposeSecret, SecretString};

/// The most bytes of a provider's message that an error holds: enough for a sentence, too little for a prompt.
pub const MESSAGE_LIMIT: usize = 300;

/// How many bytes of our request in a row make a message a repetition of it. Short enough for a line of code,
/// long enough that parameter names and model names pass.
const REPEATED_BYTES: usize = 32;

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Too many requests or tokens for now (429).
    #[error("the provider limits the rate of requests: {message}")]
    RateLimited {
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
        /// Its words, shortened.
        message: String,
    },
    /// The provider has no capacity for now (503, 529, or said within a 200).
    #[error("the provider is overloaded (status {status}): {message}")]
    Overloaded {
        /// The status.
        status: u16,
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
        /// Its words, shortened.
        message: String,
    },
    /// The provider failed (another 5xx, 408, 409, or said within a 200).
    #[error("the provider failed (status {status}): {message}")]
    Server {
        /// The status.
        status: u16,
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
        /// Whether it says that it will go on failing.
        persistence: Persistence,
        /// Its words, shortened.
        message: String,
    },
    /// It took longer than we wait.
    #[error("timed out {phase}")]
    Timeout {
        /// What we were waiting for.
        phase: Phase,
    },
    /// No connection came about.
    #[error("could not connect to the provider")]
    Connect {
        /// What went wrong, without the address.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The connection broke before the reply was whole.
    #[error("the connection broke before the reply was whole")]
    Interrupted {
        /// What went wrong, without the address.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The key is missing, wrong or not allowed to do this (401, 403).
    #[error("the provider refuses the key (status {status}): {message}")]
    Authentication {
        /// The status.
        status: u16,
        /// Its words, shortened.
        message: String,
    },
    /// The account has no money or quota left (402, or 429 with such a code). Waiting does not help.
    #[error("the account at the provider has no quota left: {message}")]
    QuotaExhausted {
        /// Its words, shortened.
        message: String,
    },
    /// It was not asked: the calls before this one failed, and it gets a while to recover. Another model may do.
    #[error("not asked, since it failed {failures} times in a row: {cause}")]
    CircuitOpen {
        /// How many calls failed in a row.
        failures: u32,
        /// How long it is left alone from now on.
        retry_after: Duration,
        /// What the last of them ended with.
        cause: String,
    },
    /// A filter of the provider stopped the request (400, 403, or 200 where it stopped the answer). A part of the
    /// prompt may pass.
    #[error("the provider's filter refuses the request (status {status}): {message}")]
    Moderated {
        /// The status.
        status: u16,
        /// Its words, shortened.
        message: String,
    },
    /// The operator's command did not do its work.
    #[error("the command failed: {detail}")]
    Command {
        /// How, in a few words; never the prompt.
        detail: String,
    },
    /// The prompt does not fit the model's context, or the request the provider's size limit (413).
    #[error("the prompt is too long for the model: {message}")]
    TooLong {
        /// The prompt's tokens, where the server says so.
        prompt_tokens: Option<u64>,
        /// The context's tokens, where the server says so.
        context_tokens: Option<u64>,
        /// Its words, shortened.
        message: String,
    },
    /// The server does not take a feature that a request can go without.
    #[error("the server does not take {}: {message}", .feature.name())]
    Unsupported {
        /// Which one.
        feature: Feature,
        /// Its words, shortened.
        message: String,
    },
    /// The provider refuses the request as it is (another 4xx).
    #[error("the provider refuses the request (status {status}): {message}")]
    BadRequest {
        /// The status.
        status: u16,
        /// Its words, shortened.
        message: String,
    },
    /// There is no such model or path (404).
    #[error("the provider knows no such model or path: {message}")]
    NotFound {
        /// Its words, shortened.
        message: String,
    },
    /// Something else than the provider's API answered.
    #[error("the server answered with {content_type} instead of JSON: {start}")]
    NotJson {
        /// The content type as stated, shortened.
        content_type: String,
        /// How the body starts.
        start: String,
    },
    /// The body is larger than we take.
    #[error("the reply is larger than {limit} bytes")]
    BodyTooLarge {
        /// The most we take.
        limit: usize,
    },
    /// JSON came that is not a reply in this format.
    #[error("the reply does not follow the API: {detail}")]
    Protocol {
        /// What is wrong with it; never the body.
        detail: String,
    },
    /// The request could not even be made.
    #[error("could not make the request: {detail}")]
    Request {
        /// What is wrong; never the key.
        detail: String,
    },
}

/// What we were waiting for when the time was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// A connection.
    Connect,
    /// The first byte of the answer.
    FirstByte,
    /// The next byte of the answer.
    NextByte,
    /// The end of the answer, when the caller's deadline came.
    Deadline,
    /// The end of the operator's command.
    Exit,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connect => "while connecting",
            Self::FirstByte => "before the first byte of the reply",
            Self::NextByte => "in the middle of the reply",
            Self::Deadline => "at the deadline of the call",
            Self::Exit => "before the command ended",
        })
    }
}

/// Whether a failure may pass by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// It may.
    Passing,
    /// The provider says that it will not (501, or `x-should-retry: false`).
    Lasting,
}

/// What a request can go without when a server does not take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// The schema of the answer.
    StructuredOutput,
    /// A temperature.
    Temperature,
    /// The reply as it is written.
    Streaming,
    /// What other calls share.
    PromptCache,
}

impl Feature {
    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::StructuredOutput => "a schema for the answer",
            Self::Temperature => "a temperature",
            Self::Streaming => "streaming",
            Self::PromptCache => "marks for its cache",
        }
    }
}

impl ModelError {
    /// Whether the same request may succeed a little later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::RateLimited { .. }
            | Self::Overloaded { .. }
            | Self::Connect { .. }
            | Self::Interrupted { .. } => true,
            // A command that did not end in its time has spent that time, and would again.
            Self::Timeout { phase } => *phase != Phase::Exit,
            Self::Server { persistence, .. } => *persistence == Persistence::Passing,
            Self::CircuitOpen { .. }
            | Self::Moderated { .. }
            | Self::Command { .. }
            | Self::Authentication { .. }
            | Self::QuotaExhausted { .. }
            | Self::TooLong { .. }
            | Self::Unsupported { .. }
            | Self::BadRequest { .. }
            | Self::NotFound { .. }
            | Self::NotJson { .. }
            | Self::BodyTooLarge { .. }
            | Self::Protocol { .. }
            | Self::Request { .. } => false,
        }
    }

    /// How long the provider asks us to wait before the next try.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. }
            | Self::Overloaded { retry_after, .. }
            | Self::Server { retry_after, .. } => *retry_after,
            Self::CircuitOpen { retry_after, .. } => Some(*retry_after),
            Self::Timeout { .. }
            | Self::Connect { .. }
            | Self::Interrupted { .. }
            | Self::Moderated { .. }
            | Self::Command { .. }
            | Self::Authentication { .. }
            | Self::QuotaExhausted { .. }
            | Self::TooLong { .. }
            | Self::Unsupported { .. }
            | Self::BadRequest { .. }
            | Self::NotFound { .. }
            | Self::NotJson { .. }
            | Self::BodyTooLarge { .. }
            | Self::Protocol { .. }
            | Self::Request { .. } => None,
        }
    }
}

/// What a request held that no error may repeat.
#[derive(Clone, Copy)]
pub struct Secrets<'a> {
    /// The bytes that were sent.
    pub request: &'a [u8],
    /// The model that was asked for, which a message may well name.
    pub model: &'a str,
    /// The key that was sent along.
    pub key: Option<&'a SecretString>,
}

impl Secrets<'_> {
    /// A server's words as an error may hold them: shortened, with invisible characters written out, and
    /// without what we sent.
    pub fn message(&self, words: &str) -> String {
        let words = match self.key.map(ExposeSecret::expose_secret) {
            Some(key) if !key.is_empty() => words.replace(key, "[key]"),
            Some(_) | None => words.to_owned(),
        };
        let shown = shorten(&visible(words.trim()), MESSAGE_LIMIT);
        let without_model =
            if self.model.is_empty() { shown.clone() } else { shown.replace(self.model, " ") };
        if self.repeats_the_request(&without_model) {
            return "its message repeats the request and is not shown".to_owned();
        }
        shown.replace(['\n', '\t'], " ")
    }

    /// Whether some run of bytes of a message is also in what we sent.
    ///
    /// The request is JSON, so its quotes and line feeds are escaped; a server may repeat it either way, and
    /// both forms of the message are compared.
    fn repeats_the_request(&self, message: &str) -> bool {
        let escaped = serde_json::to_string(message).expect("a string is always JSON");
        let runs: HashSet<&[u8]> = message
            .as_bytes()
            .windows(REPEATED_BYTES)
            .chain(escaped.as_bytes().windows(REPEATED_BYTES))
            .collect();
        !runs.is_empty() && self.request.windows(REPEATED_BYTES).any(|run| runs.contains(run))
    }
}
