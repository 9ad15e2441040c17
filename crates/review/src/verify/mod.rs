//! Recomputing a packet: everything in it that follows from the rest of it, or from the change that it is about.
//!
//! Nothing here trusts the packet. What cannot be recomputed (a model's words, a clock's time) is listed in
//! [`UNCHECKED`]: only the packet's digest and its signature protect it.

mod change;
mod claims;
mod costs;
mod coverage;
mod people;
mod places;
mod rebuilt;
mod verdict;
mod words;

use std::fmt::Display;

use crate::Families;
use crate::packet::PacketV1;

pub use change::{ChangeFacts, against_change, texts_needed};
use rebuilt::Rebuilt;
pub use words::{FoldedReply, said};

/// One check and how it came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// What was checked.
    pub name: &'static str,
    /// How it came out.
    pub state: ProofState,
    /// What was compared, what broke, or why it could not be checked.
    pub detail: String,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProofState {
    /// It holds.
    Holds,
    /// It could not be checked here.
    NotChecked,
    /// It does not hold.
    Failed,
}

impl Proof {
    /// A check that holds.
    pub fn holds(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, state: ProofState::Holds, detail: detail.into() }
    }

    /// A check that could not be made.
    pub fn not_checked(name: &'static str, why: impl Into<String>) -> Self {
        Self { name, state: ProofState::NotChecked, detail: why.into() }
    }

    /// A check that does not hold.
    pub fn failed(name: &'static str, why: impl Into<String>) -> Self {
        Self { name, state: ProofState::Failed, detail: why.into() }
    }

    /// A check that holds if there is no problem; the first few of them otherwise.
    pub fn of(name: &'static str, problems: Problems, detail: impl Into<String>) -> Self {
        const SHOWN: usize = 3;
        let Problems(problems) = problems;
        if problems.is_empty() {
            return Self::holds(name, detail);
        }
        let mut words = problems.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
        if problems.len() > SHOWN {
            words.push_str(&format!("; and {} more", problems.len() - SHOWN));
        }
        Self::failed(name, crate::text::visible_line(&words))
    }
}

/// What was found to be wrong in one check.
#[derive(Debug, Clone, Default)]
pub struct Problems(Vec<String>);

impl Problems {
    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes a problem where something does not hold.
    pub fn expect(&mut self, holds: bool, problem: impl FnOnce() -> String) {
        if !holds {
            self.0.push(problem());
        }
    }

    /// Notes a problem where the packet says something else than what was recomputed.
    pub fn same<T: PartialEq + Display>(&mut self, what: impl Display, says: T, is: T) {
        if says != is {
            self.0.push(format!("{what} is `{says}` and should be `{is}`"));
        }
    }
}

/// What this program knows that a packet rests on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    /// The families, where the packet was made with the same table.
    pub families: Option<&'a Families>,
    /// Whether the packet was made by this version, so that its sentences are worded as this program words them.
    pub same_version: bool,
}

/// Recomputes all that follows from the packet itself, one line for each check.
pub fn recompute(packet: &PacketV1, facts: Facts<'_>) -> Vec<Proof> {
    // What follows rests on the places that the packet names; where one is out of range nothing else can be said.
    let places = places::check(packet);
    if places.state == ProofState::Failed {
        return vec![places];
    }
    let rebuilt = Rebuilt::of(packet, facts);
    vec![
        places,
        people::attribution(packet, &rebuilt),
        people::recusals(packet, &rebuilt, facts),
        people::seats(packet, &rebuilt, facts),
        people::lineages(packet, &rebuilt, facts),
        costs::outcomes(packet),
        claims::claims(packet, &rebuilt),
        claims::support(packet, &rebuilt),
        claims::examinations(packet, &rebuilt, facts),
        coverage::coverage(packet, &rebuilt),
        costs::costs(packet),
        costs::receipts_named(packet),
        verdict::contract(packet, facts),
        verdict::verdict(packet, &rebuilt, facts),
    ]
}

/// What nobody can recompute without the record of the review, by its path, and what it is: otherwise protected by the
/// packet's digest and its signature alone.
pub const UNCHECKED: &[(&str, &str)] = &[
    ("claims[].side", "where the quoted line outside the change is the same before and after it"),
    ("contract.budget.max_micro_usd", "the operator's bound; what was spent is within it"),
    ("contract.budget.max_seconds", "the operator's bound"),
    ("coverage.exempt[].reason", "the operator's words"),
    ("gaps[].detail", "why a hunk was not covered, where it is not the first reason"),
    ("house_rules[].path", "said not to be checked where the base has no such file today"),
    ("judgement.fail_on", "the operator's gate, where no claim stands between the one and the other"),
    ("judgement.self_reported_checks", "the operator's word, where no check is required"),
    ("ledger.calls", "the order of the calls"),
    ("ledger.calls[].elapsed_ms", "the clock's; no more than the review took"),
    ("ledger.calls[].reserved_micro_usd", "the estimate before the call"),
    ("ledger.calls[].served_model", "of a call without an answer, where none is said"),
    ("ledger.calls[].usage", "the provider's count, where none is said and the model costs nothing"),
    ("ledger.calls[].usage.cache_write", "the provider's count, where it costs nothing else"),
    ("ledger.calls[].usage.cached_input", "the provider's count, where it costs nothing else"),
    ("ledger.calls[].usage.input", "the provider's count, of a model that costs nothing"),
    ("ledger.calls[].usage.output", "the provider's count, of a model that costs nothing"),
    ("ledger.calls[].usage.reasoning", "the provider's count, which is part of the output"),
    ("panel.lenses[].reason", "why a lens was asked, in words"),
    ("panel.examinations[].claims", "the order of the claims"),
    ("panel.roster", "the order of the models"),
    ("panel.roster[].lineage.families", "one family more that the operator may have declared"),
    ("panel.roster[].price", "what the operator states, of a model that was asked nothing"),
    ("panel.roster[].price[].input", "what the operator states, of a model that was asked nothing"),
    ("panel.roster[].price[].output", "what the operator states, of a model that was asked nothing"),
    ("panel.seats[].outcomes", "the order of the parts"),
    ("panel.seats[].outcomes[].detail", "why a model gave no answer, in words"),
    ("panel.seats[].outcomes[].dropped", "how many findings were too many or said nothing"),
    ("panel.seats[].outcomes[].examined", "the order, one item twice, or all of several left out"),
    ("panel.seats[].outcomes[].examined[]", "one item of several that was left out"),
    ("questions", "the order, one question twice, or all of them left out"),
    ("questions[]", "one question that was left out"),
    ("questions[].name", "who asked, where two asked the same"),
    ("receipts", "the order, or one of them twice"),
    ("run.elapsed_ms", "the clock's"),
    ("run.started_at", "the clock's"),
    ("run.version", "said; what is not checked of another version is told"),
    ("subject.branch", "a name, which may be another one today"),
    ("subject.source.base_ref", "a name, which may mean another commit today"),
    ("subject.source.head_ref", "a name, which may mean another commit today"),
    ("unanchored[].file", "the model's word, where it is said to have named none"),
    ("unanchored[].severity", "the model's word"),
];
