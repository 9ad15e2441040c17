//! How one reviewer ended. What a reviewer did wrong is a value, never an error of ours.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::engine::{Engine, Usage};
use crate::prompt::Piece;
use crate::{Digest, Lineage};

/// How one reviewer ended on one part of what it was to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The seat, by its index in the panel.
    pub seat: usize,
    /// The part, from 0.
    pub part: usize,
    /// What it was shown.
    pub pieces: Vec<Piece>,
    /// How it ended.
    pub ending: Ending,
    /// What the call was, if a model was asked.
    pub call: Option<Call>,
}

/// How a reviewer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// With an answer that could be read and says what was examined.
    Answered(Answer),
    /// Without one, for this reason.
    Unanswered {
        /// The kind.
        kind: EndingKind,
        /// A sentence for people.
        detail: String,
    },
}

impl Ending {
    /// The kind of ending.
    pub fn kind(&self) -> EndingKind {
        match self {
            Self::Answered(_) => EndingKind::Answered,
            Self::Unanswered { kind, .. } => *kind,
        }
    }
}

/// The kinds of ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndingKind {
    /// It answered, and said what it examined.
    Answered,
    /// It would not look.
    Refused,
    /// It was cut off.
    Truncated,
    /// What it said could not be read as an answer.
    Unreadable,
    /// It took too long.
    TimedOut,
    /// It could not be reached or broke.
    Failed,
    /// It was not asked, because that could have cost too much.
    OverBudget,
}

impl EndingKind {
    /// For sentences: "timed out".
    pub fn words(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Truncated => "was cut off",
            Self::Unreadable => "gave no readable answer",
            Self::TimedOut => "timed out",
            Self::Failed => "failed",
            Self::OverBudget => "was over budget",
        }
    }
}

/// What is known of one call of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The model's name as the provider reported it.
    pub served_model: Option<String>,
    /// What the model that answered descends from: the reported one's where that contradicts the one asked for.
    pub lineage: Lineage,
    /// Tokens, as the provider counted them.
    pub usage: Option<Usage>,
    /// What was reserved for it, in micro-USD; `None` where nobody knows the price.
    pub reserved_micro_usd: Option<u64>,
    /// What it cost, in micro-USD.
    pub micro_usd: Option<u64>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// The prompt as it was sent.
    pub prompt: Option<Kept>,
    /// The reply as it was received.
    pub reply: Option<Kept>,
}

impl Call {
    /// A call that was not made.
    pub fn not_made(engine: &Engine) -> Self {
        Self {
            served_model: None,
            lineage: engine.lineage.clone(),
            usage: None,
            reserved_micro_usd: None,
            micro_usd: None,
            elapsed_ms: 0,
            prompt: None,
            reply: None,
        }
    }
}

/// Bytes that are kept and can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Their digest.
    pub digest: Digest,
    /// How many they are.
    pub bytes: u64,
}

/// A changed file that the rules could not look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesMiss {
    /// The seat, by its index in the panel.
    pub seat: usize,
    /// The changed file, by its index.
    pub file: usize,
    /// Why, in a sentence.
    pub reason: String,
}
