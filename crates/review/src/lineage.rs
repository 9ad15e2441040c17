//! Which family a model is of, and what it descends from.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
pub struct Families;
pub struct Resolution {
    pub lineage: Lineage,
}
impl Families {
    pub const EMBEDDED: &'static str = "";
    pub fn embedded() -> Self {
        Self
    }
    pub fn resolve(&self, name: &str) -> Resolution {
        let l = if name.contains("gpt") {
            Lineage::of(["openai"])
        } else if name.contains("claude") {
            Lineage::of(["anthropic"])
        } else if name.contains("qwen") {
            Lineage::of(["qwen"])
        } else {
            Lineage::unknown()
        };
        Resolution { lineage: l }
    }
    pub fn lineage_sets(&self) -> Vec<BTreeSet<Family>> {
        ["openai", "anthropic", "qwen"].map(|f| BTreeSet::from([Family::new(f)])).into()
    }
}
