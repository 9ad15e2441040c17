//! Who wrote the change: evidence, and what follows from it.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Family, Lineage};

/// Who wrote the change, as far as it left a trace. Several answers may hold at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attribution {
    /// Families of the models that wrote lines of it, with all that those descend from.
    pub families: BTreeSet<Family>,
    /// Families that only suggested changes to it. They recuse, but do not make the change AI-written.
    pub suggested_by: BTreeSet<Family>,
    /// An AI tool wrote some of it, and nobody knows which model that was (or all that it descends from).
    pub unknown_agent: bool,
    /// Somebody with write access declared that people wrote it.
    pub human_declared: bool,
    /// A bot that is no model opened it.
    pub bot: bool,
    /// Whether every AI tool seen is vouched for by the platform or by somebody with write access. Where it is
    /// not, the families above are the author's word: they recuse, and they never lower what is asked for.
    pub vouched: bool,
    /// Only part of the change carries AI evidence.
    pub partial: bool,
    /// What was seen, in a fixed order.
    pub evidence: Vec<Evidence>,
}

impl Attribution {
    /// The state, for display. It is derived, never stored beside what it follows from.
    pub fn state(&self) -> AuthorState {
        let ai = self.unknown_agent || !self.families.is_empty();
        match (self.human_declared, ai) {
            (true, true) => AuthorState::Conflict,
            (true, false) => AuthorState::Human,
            (false, true) if self.partial => AuthorState::Mixed,
            (false, true) if self.families.is_empty() => AuthorState::UnknownAi,
            (false, true) => AuthorState::Ai,
            (false, false) if self.bot => AuthorState::Bot,
            (false, false) => AuthorState::NoEvidence,
        }
    }

    /// Every family that may not review: implementers' and suggesters'.
    pub fn recused(&self) -> BTreeSet<Family> {
        self.families.union(&self.suggested_by).cloned().collect()
    }
}

/// The author's state, for display.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthorState {
    /// Declared human by someone with write access.
    Human,
    /// Written by models whose families are known.
    Ai,
    /// Part of it carries AI evidence.
    Mixed,
    /// Written by an AI tool whose model nobody knows.
    UnknownAi,
    /// No trace; never taken for a human.
    NoEvidence,
    /// A bot that is no model.
    Bot,
    /// A human declaration against AI evidence.
    Conflict,
}

impl AuthorState {
    /// Its name in packets.
    pub fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Ai => "ai",
            Self::Mixed => "mixed",
            Self::UnknownAi => "unknown_ai",
            Self::NoEvidence => "no_evidence",
            Self::Bot => "bot",
            Self::Conflict => "conflict",
        }
    }
}

/// One trace of authorship.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// The tool's id (`claude-code`, `cursor`…), if one is named.
    pub agent: Option<String>,
    /// The model as it was named, if one was.
    pub model: Option<String>,
    /// What the model, or else the tool's default, descends from.
    pub lineage: Lineage,
    /// What the tool did.
    pub role: Role,
    /// Where the trace was.
    pub channel: Channel,
    /// How much it says.
    pub strength: Strength,
    /// Which commit, branch or field, for people.
    pub place: String,
    /// The trace itself, shortened; the author's text.
    pub text: String,
}

/// What somebody did for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Wrote lines of it.
    Implementer,
    /// Suggested changes in a review.
    Suggester,
    /// A bot that is no model.
    Bot,
    /// A person, by declaration of someone with write access.
    Human,
}

/// Where a trace was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Declared by the operator, the base branch, or someone with write access.
    Declaration,
    /// The account that the platform says opened the pull request.
    PlatformLogin,
    /// A commit's author.
    CommitAuthor,
    /// A commit's committer.
    CommitCommitter,
    /// A trailer of a commit message.
    Trailer,
    /// Another line of a commit message that a tool writes.
    Footer,
    /// A git-ai note or an Agent Trace record.
    Note,
    /// The head branch's name.
    Branch,
    /// The pull request's title or body.
    Body,
    /// A label.
    Label,
}

/// How much a trace says, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// A name that a person could have chosen too.
    Weak,
    /// What a tool writes, and anybody could.
    Claimed,
    /// What the platform asserts or someone with write access declared.
    Vouched,
}
pub struct Agents;
impl Agents {
    pub const EMBEDDED: &'static str = "";
    pub fn embedded() -> Self {
        Self
    }
}
pub enum Declaration {
    Human,
    Model(String),
    Agent(String),
}
impl Declaration {
    pub fn parse(w: &str) -> Self {
        if w == "human" { Self::Human } else { Self::Model(w.into()) }
    }
}
pub struct AuthorshipInput<'a> {
    pub notes: &'a [(crate::CommitId, String)],
    pub declaration: Option<&'a Declaration>,
    pub change: &'a crate::Change,
}
impl<'a> AuthorshipInput<'a> {
    pub fn of(change: &'a crate::Change) -> Self {
        Self { notes: &[], declaration: None, change }
    }
}
pub fn attribute(_i: &AuthorshipInput<'_>, _a: &Agents, _f: &crate::lineage::Families) -> Attribution {
    Attribution::default()
}
impl Strength {
    pub fn name(self) -> &'static str {
        "x"
    }
}
