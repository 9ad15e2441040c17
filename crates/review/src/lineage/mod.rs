//! Which family a model is of, and what it descends from.

mod resolve;
mod table;

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use resolve::Families;
pub use table::FamiliesError;

/// A maker's line of models: `anthropic`, `openai`, `qwen`…
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Family(String);

impl Family {
    /// Names a family; the name is folded to lower case.
    pub fn new(name: &str) -> Self {
        Self(name.trim().to_ascii_lowercase())
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a name was found to stand for, and how that was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// The families.
    pub lineage: Lineage,
    /// The steps of the decision, in words for a maintainer.
    pub explanation: Vec<String>,
    /// The edges that were followed, those that do not count as descent included.
    pub edges: Vec<Edge>,
}

/// One step of a model's descent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Edge {
    /// The model or family that descends.
    pub model: String,
    /// What it descends from: a family, or another derived model.
    pub from: String,
    /// In which way.
    pub kind: EdgeKind,
    /// Who says so.
    pub source: String,
    /// The day on which it was said or last seen, as `2026-11-21`.
    pub date: String,
    /// Whether the maker or a paper says so. An uncertain edge counts as related all the same.
    pub certain: bool,
}

/// How a model descends from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// Built by the family's maker.
    MadeBy,
    /// Trained further from its weights.
    TunedFrom,
    /// Trained to imitate it.
    DistilledFrom,
    /// Its weights were mixed in.
    MergedFrom,
    /// Trained on texts that it wrote, among others. Shown to people, and not counted as descent: nearly every
    /// model has read nearly every other one.
    OutputsOf,
}

impl EdgeKind {
    /// Whether the edge makes two models relatives.
    pub fn is_descent(self) -> bool {
        match self {
            Self::MadeBy | Self::TunedFrom | Self::DistilledFrom | Self::MergedFrom => true,
            Self::OutputsOf => false,
        }
    }

    /// The edge in words: `x is tuned from y`.
    pub fn words(self) -> &'static str {
        match self {
            Self::MadeBy => "is made by",
            Self::TunedFrom => "is tuned from",
            Self::DistilledFrom => "is distilled from",
            Self::MergedFrom => "is merged from",
            Self::OutputsOf => "learned from outputs of",
        }
    }
}

/// The families that a model descends from: its maker's, and those of what it was tuned or distilled from.
///
/// Uncertain edges are in the set (an uncertain edge counts as related). `complete` is false where part of
/// the ancestry is undisclosed or the name is not known: such a model is never counted as independent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Lineage {
    /// The families that are known.
    pub families: BTreeSet<Family>,
    /// Whether these are all.
    pub complete: bool,
}

impl Lineage {
    /// Nothing is known.
    pub fn unknown() -> Self {
        Self { families: BTreeSet::new(), complete: false }
    }

    /// Exactly these families.
    pub fn of<'a>(families: impl IntoIterator<Item = &'a str>) -> Self {
        Self { families: families.into_iter().map(Family::new).collect(), complete: true }
    }

    /// Adds another's families; complete only if both are.
    #[must_use]
    pub fn joined_with(mut self, other: &Self) -> Self {
        self.families.extend(other.families.iter().cloned());
        self.complete &= other.complete;
        self
    }

    /// Whether every ancestor is known.
    pub fn is_known(&self) -> bool {
        self.complete && !self.families.is_empty()
    }

    /// The families shared with a set.
    pub fn shared_with<'a>(&'a self, families: &'a BTreeSet<Family>) -> impl Iterator<Item = &'a Family> {
        self.families.intersection(families)
    }

    /// Whether both are known and share no family.
    pub fn is_unrelated_to(&self, other: &Self) -> bool {
        self.is_known() && other.is_known() && self.families.is_disjoint(&other.families)
    }
}

#[cfg(test)]
mod tests;
