//! What a change is: labels with reasons, size, risk, and how reversible it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::RepoPath;

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
    /// Why: `path db/migrate/1.sql matches **/migrate/**`; at most a few, the first ones.
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
