//! The shape of the file of rules, as TOML has it.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Label, Reversibility, Risk};

/// The file of rules.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    #[serde(default)]
    pub(super) code: CodeTable,
    #[serde(default)]
    pub(super) down: DownTable,
    #[serde(default)]
    pub(super) label: Vec<LabelTable>,
    #[serde(default)]
    pub(super) export: Vec<ExportTable>,
}

/// What is source text: extensions, names and interpreters, in lower case.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CodeTable {
    pub(super) extensions: BTreeSet<String>,
    pub(super) names: BTreeSet<String>,
    pub(super) interpreters: BTreeSet<String>,
}

/// Where the part of a migration begins that undoes the other part, and where it ends.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DownTable {
    pub(super) globs: Vec<String>,
    pub(super) starts: Vec<String>,
    pub(super) ends: Vec<String>,
}

/// One label.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LabelTable {
    pub(super) name: Label,
    /// The risk that its rules stand for, unless they say otherwise.
    #[serde(default = "least_risk")]
    pub(super) risk: Risk,
    #[serde(default)]
    pub(super) path: Vec<PathTable>,
    #[serde(default)]
    pub(super) line: Vec<LineTable>,
}

/// Paths that give a label.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PathTable {
    pub(super) reason: String,
    pub(super) globs: Vec<String>,
    /// But not these.
    #[serde(default)]
    pub(super) except: Vec<String>,
    #[serde(default)]
    pub(super) case: Case,
    #[serde(default, rename = "in")]
    pub(super) scope: Scope,
    pub(super) risk: Option<Risk>,
    #[serde(default = "reversible")]
    pub(super) reversibility: Reversibility,
}

/// A line that gives a label.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LineTable {
    pub(super) reason: String,
    pub(super) pattern: String,
    #[serde(default)]
    pub(super) on: Where,
    #[serde(default, rename = "in")]
    pub(super) scope: Scope,
    /// Only in these files; empty means all.
    #[serde(default)]
    pub(super) globs: Vec<String>,
    /// But not in these.
    #[serde(default)]
    pub(super) except: Vec<String>,
    /// Only in so many lines from the top; absent means all.
    pub(super) first_lines: Option<u32>,
    pub(super) risk: Option<Risk>,
    #[serde(default = "reversible")]
    pub(super) reversibility: Reversibility,
}

/// How a language writes what others can use.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExportTable {
    pub(super) language: String,
    pub(super) extensions: BTreeSet<String>,
    /// Matches the whole interface on one line, and captures its `name`.
    pub(super) pattern: String,
}

/// Whether upper and lower case differ in a glob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Case {
    #[default]
    Ignored,
    Respected,
}

/// In which files a rule looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Scope {
    /// Neither documents nor tests.
    #[default]
    Production,
    /// Source text that is not a test.
    ProductionCode,
    /// Source text, tests too.
    Code,
    /// Every file but tests.
    NotTests,
    /// Every file.
    Any,
}

impl Scope {
    /// Whether a rule of this scope looks at documents.
    pub(super) fn reaches_documents(self) -> bool {
        match self {
            Self::NotTests | Self::Any => true,
            Self::Production | Self::ProductionCode | Self::Code => false,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Production => "neither documents nor tests",
            Self::ProductionCode => "source text, not tests",
            Self::Code => "source text, tests too",
            Self::NotTests => "every file but tests",
            Self::Any => "every file",
        }
    }
}

/// On which lines a pattern is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Where {
    #[default]
    Added,
    Removed,
    /// Added or removed.
    Changed,
    /// Added, removed or shown round them.
    Shown,
}

impl Where {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "added or removed",
            Self::Shown => "any shown",
        }
    }
}

fn least_risk() -> Risk {
    Risk::Low
}

fn reversible() -> Reversibility {
    Reversibility::Reversible
}
