//! What a change is: labels with reasons, size, risk, and how reversible it is.
//!
//! The rules are data (`config/classify.toml`, rendered for people in `docs/classification.md`). Labels are a union
//! over the files, risk and reversibility a maximum, so that adding a file to a change never makes it look safer.

mod braces;
mod exports;
mod file;
mod lenses;
mod page;
mod paths;
mod rules;
mod table;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use lenses::{LensDecision, LensWanted, lenses, model_lenses_for};
pub use rules::{ClassifyError, ClassifyRules};

use crate::{Change, GapKind, RepoPath};
use file::{Sighting, classify_file};

/// How many reasons a label, a risk or a reversibility is given, each of another rule.
const REASONS: usize = 3;

/// With more changed lines outside tests, documents and lockfiles, a change is more than people read with care, and
/// a mistake anywhere in it counts as likely to be missed.
const LINES_PEOPLE_READ: u64 = 2_000;

/// What a change is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classification {
    /// Labels with their reasons, in the order of [`Label`].
    pub labels: Vec<Labelled>,
    /// What each changed file is, in the change's order.
    pub files: Vec<FileClass>,
    /// Added lines.
    pub added: u64,
    /// Removed lines.
    pub removed: u64,
    /// How much harm a mistake in it could do.
    pub risk: Risk,
    /// Why that risk.
    pub risk_reasons: Vec<String>,
    /// Whether what it does can be undone.
    pub reversibility: Reversibility,
    /// Why.
    pub reversibility_reasons: Vec<String>,
}

impl Classification {
    /// Whether the change carries a label.
    pub fn has(&self, label: Label) -> bool {
        self.labels.iter().any(|labelled| labelled.label == label)
    }
}

/// A label of the whole change, and why it has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// The label.
    pub label: Label,
    /// Why: `db/migrate/1.sql: a migration (**/migrate/**)`; at most a few, the first of each rule. Paths are shown
    /// with what is invisible written out, and are the author's text all the same.
    pub reasons: Vec<String>,
}

/// What one changed file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileClass {
    /// The file.
    pub path: RepoPath,
    /// Its labels, sorted.
    pub labels: Vec<Label>,
    /// Whether it is source text of a programming language that has functions.
    pub code: bool,
    /// How much harm a mistake in it could do.
    pub risk: Risk,
}

impl FileClass {
    /// Whether the file carries a label.
    pub fn has(&self, label: Label) -> bool {
        self.labels.contains(&label)
    }
}

/// What a file or a change can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// Paths or calls that security rests on.
    SecuritySensitive,
    /// Schemas, migrations, queries.
    Database,
    /// Prompts, skills and instructions for agents.
    Prompts,
    /// Workflows and build pipelines.
    Ci,
    /// Manifests of dependencies.
    Dependencies,
    /// Files that pin dependencies.
    Lockfile,
    /// Deployment, containers, infrastructure as code.
    Infrastructure,
    /// What others build against.
    PublicApi,
    /// Tests.
    Tests,
    /// Text for people.
    Docs,
    /// Made by a program or copied from elsewhere. It exempts from nothing.
    Generated,
    /// Not text.
    Binary,
}

impl Label {
    /// All labels, in the order in which they are shown.
    pub const ALL: [Self; 12] = [
        Self::SecuritySensitive,
        Self::Database,
        Self::Prompts,
        Self::Ci,
        Self::Dependencies,
        Self::Lockfile,
        Self::Infrastructure,
        Self::PublicApi,
        Self::Tests,
        Self::Docs,
        Self::Generated,
        Self::Binary,
    ];

    /// Its name in files, packets and views.
    pub fn name(self) -> &'static str {
        match self {
            Self::SecuritySensitive => "security-sensitive",
            Self::Database => "database",
            Self::Prompts => "prompts",
            Self::Ci => "ci",
            Self::Dependencies => "dependencies",
            Self::Lockfile => "lockfile",
            Self::Infrastructure => "infrastructure",
            Self::PublicApi => "public-api",
            Self::Tests => "tests",
            Self::Docs => "docs",
            Self::Generated => "generated",
            Self::Binary => "binary",
        }
    }
}

/// How much harm a mistake could do, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Text, tests.
    Low,
    /// Ordinary code.
    Medium,
    /// Security, data, pipelines, what others build against.
    High,
}

impl Risk {
    /// Its name in files, packets and views.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Whether what a change does can be undone by reverting it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reversibility {
    /// A revert undoes it.
    Reversible,
    /// A revert undoes it with care: migrations, public interfaces.
    Costly,
    /// It cannot be undone: dropped data, published artefacts, keys.
    Irreversible,
}

impl Reversibility {
    /// Its name in files, packets and views.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reversible => "reversible",
            Self::Costly => "costly",
            Self::Irreversible => "irreversible",
        }
    }
}

/// Classifies a change. Total: any path and any text will do.
pub fn classify(change: &Change, rules: &ClassifyRules) -> Classification {
    let (files, sightings): (Vec<FileClass>, Vec<Vec<Sighting>>) =
        change.files.iter().map(|file| classify_file(file, rules)).unzip();
    let sightings: Vec<Sighting> = sightings.into_iter().flatten().collect();
    let (added, removed) = change.line_counts();
    let (risk, risk_reasons) = judge_risk(change, &files, &sightings);
    let (reversibility, reversibility_reasons) = judge_reversibility(&sightings);
    let mut by_label: BTreeMap<Label, Vec<&Sighting>> = BTreeMap::new();
    for sighting in &sightings {
        by_label.entry(sighting.label).or_default().push(sighting);
    }
    let labels = by_label
        .into_iter()
        .map(|(label, sightings)| Labelled { label, reasons: first_of_each_rule(sightings) })
        .collect();
    Classification { labels, files, added, removed, risk, risk_reasons, reversibility, reversibility_reasons }
}

/// Whether the change is documentation and nothing else, all of which could be read.
pub fn is_docs_only(change: &Change, classification: &Classification) -> bool {
    let docs =
        classification.files.iter().all(|file| file.has(Label::Docs) && model_lenses_for(file).is_empty());
    docs && !classification.files.is_empty() && unread(change).is_empty()
}

/// What of the change could not be read, so that nobody knows what it is.
fn unread(change: &Change) -> Vec<&str> {
    let kinds = change.gaps.iter().filter(|gap| match gap.kind {
        GapKind::Unreadable | GapKind::TooLarge | GapKind::Submodule => true,
        // A binary file is known as such, and the other two are about reviewers.
        GapKind::Binary | GapKind::Unanswered => false,
    });
    kinds.map(|gap| gap.detail.as_str()).collect()
}

fn judge_risk(change: &Change, files: &[FileClass], sightings: &[Sighting]) -> (Risk, Vec<String>) {
    let mut risk = files.iter().map(|file| file.risk).max().unwrap_or(Risk::Low);
    let mut reasons = Vec::new();
    let unread = unread(change);
    if let Some(first) = unread.first() {
        risk = Risk::High;
        reasons.push(format!("part of the change could not be read, so it may hold anything: {first}"));
    }
    let lines: u64 = change
        .files
        .iter()
        .zip(files)
        .filter(|(_, class)| class.risk > Risk::Low && !class.has(Label::Lockfile))
        .map(|(file, _)| file.line_counts())
        .map(|(added, removed)| added + removed)
        .sum();
    if lines > LINES_PEOPLE_READ {
        risk = Risk::High;
        reasons.push(format!(
            "{lines} changed lines outside tests, documents and lockfiles: more than people read with care"
        ));
    }
    reasons.extend(first_of_each_rule(sightings.iter().filter(|sighting| sighting.risk == risk)));
    if reasons.is_empty() {
        reasons.push(
            match risk {
                Risk::Low if files.is_empty() => "no file changed",
                Risk::Low => "only documents and tests changed",
                Risk::Medium | Risk::High => "code or configuration changed, and no rule says more",
            }
            .to_owned(),
        );
    }
    (risk, reasons)
}

fn judge_reversibility(sightings: &[Sighting]) -> (Reversibility, Vec<String>) {
    let worst =
        sightings.iter().map(|sighting| sighting.reversibility).max().unwrap_or(Reversibility::Reversible);
    let reasons = match worst {
        Reversibility::Reversible => vec!["a revert undoes it, as far as the rules know".to_owned()],
        Reversibility::Costly | Reversibility::Irreversible => {
            first_of_each_rule(sightings.iter().filter(|sighting| sighting.reversibility == worst))
        }
    };
    (worst, reasons)
}

fn first_of_each_rule<'a>(sightings: impl IntoIterator<Item = &'a Sighting>) -> Vec<String> {
    let mut worst_first: Vec<&Sighting> = sightings.into_iter().collect();
    worst_first.sort_by_key(|sighting| std::cmp::Reverse((sighting.reversibility, sighting.risk)));
    let mut first: Vec<&Sighting> = Vec::new();
    for sighting in worst_first {
        if first.iter().all(|known| known.rule != sighting.rule) {
            first.push(sighting);
        }
        if first.len() == REASONS {
            break;
        }
    }
    first.into_iter().map(|sighting| sighting.text.clone()).collect()
}

#[cfg(test)]
mod tests;
