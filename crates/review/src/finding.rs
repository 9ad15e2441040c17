//! What one reviewer says: lenses, categories, severities and findings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::change::{RepoPath, Side};

/// One thing to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Lens {
    /// What an attacker could use.
    Security,
    /// What does not do what it should.
    Correctness,
    /// What people will find hard to change.
    Complexity,
    /// What instructs a model: prompts, skills, agent files.
    PromptHealth,
    /// Schemas, migrations and queries.
    Database,
}

impl Lens {
    /// All lenses, in the order in which they are shown.
    pub const ALL: [Self; 5] =
        [Self::Security, Self::Correctness, Self::Complexity, Self::PromptHealth, Self::Database];

    /// Its name in files, flags and packets.
    pub fn name(self) -> &'static str {
        match self {
            Self::Security => "security",
            Self::Correctness => "correctness",
            Self::Complexity => "complexity",
            Self::PromptHealth => "prompt-health",
            Self::Database => "database",
        }
    }

    /// The lens of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lens| lens.name() == name)
    }
}

/// How bad a finding is if it is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A wart: nobody would be woken for it.
    Low,
    /// Wrong in a case that will occur, with limited harm.
    Medium,
    /// Wrong in ordinary use, or a hole that somebody can use.
    High,
    /// Loses data, leaks secrets or lets strangers in, as it stands.
    Critical,
}

impl Severity {
    /// All severities, worst first.
    pub const WORST_FIRST: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// Its name in flags and packets.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::WORST_FIRST.into_iter().find(|severity| severity.name() == name)
    }
}

/// What a finding is about: `<lens>/<kind>`, one of [`CATEGORIES`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Category(String);

/// The closed list of categories, `<lens>/other` among them for each lens.
pub const CATEGORIES: [&str; 33] = [
    "security/secret",
    "security/hidden-text",
    "security/manipulation",
    "security/injection",
    "security/path-traversal",
    "security/deserialization",
    "security/authorization",
    "security/cryptography",
    "security/xss",
    "security/memory",
    "security/supply-chain",
    "security/ci-workflow",
    "security/information-leak",
    "security/other",
    "correctness/logic",
    "correctness/error-handling",
    "correctness/null-or-bounds",
    "correctness/concurrency",
    "correctness/resource-leak",
    "correctness/api-contract",
    "correctness/test",
    "correctness/other",
    "complexity/function",
    "complexity/duplication",
    "complexity/other",
    "prompt-health/instruction",
    "prompt-health/injection",
    "prompt-health/permissions",
    "prompt-health/other",
    "database/locking",
    "database/data-loss",
    "database/query",
    "database/other",
];

impl Category {
    /// The category of that name. An unknown kind of a known lens becomes `<lens>/other`; `lens` says which
    /// lens asked, for a name that has none.
    pub fn parse(name: &str, lens: Lens) -> Self {
        let name = name.trim().to_ascii_lowercase();
        if CATEGORIES.contains(&name.as_str()) {
            return Self(name);
        }
        let known_lens = name.split('/').next().and_then(Lens::from_name);
        Self(format!("{}/other", known_lens.unwrap_or(lens).name()))
    }

    /// The lens that it belongs to.
    pub fn lens(&self) -> Lens {
        self.0.split('/').next().and_then(Lens::from_name).expect("a category starts with the name of a lens")
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What one reviewer says about one place.
///
/// For a model's finding every text here is untrusted; for a rule's finding only the quote is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub category: Category,
    /// How bad it is.
    pub severity: Severity,
    /// The file as the reviewer named it.
    pub file: RepoPath,
    /// First and last line as the reviewer counted them, from 1.
    pub lines: Option<(u32, u32)>,
    /// Which version of the file the quote is from.
    pub side: Side,
    /// The line or lines that it is about, word for word.
    pub quote: String,
    /// One line.
    pub title: String,
    /// The failure scenario: what input or state, what goes wrong.
    pub body: String,
    /// The rule's id, for a finding of the rules.
    pub rule: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_belongs_to_a_lens_and_every_lens_has_other() {
        for name in CATEGORIES {
            let category = Category::parse(name, Lens::Security);
            assert_eq!(category.as_str(), name);
            assert!(name.starts_with(category.lens().name()));
        }
        for lens in Lens::ALL {
            assert!(CATEGORIES.contains(&format!("{}/other", lens.name()).as_str()));
        }
    }

    #[test]
    fn an_unknown_category_becomes_other_of_its_lens() {
        assert_eq!(Category::parse("database/vibes", Lens::Security).as_str(), "database/other");
        assert_eq!(Category::parse("SQLi!", Lens::Security).as_str(), "security/other");
        assert_eq!(Category::parse(" Security/XSS ", Lens::Correctness).as_str(), "security/xss");
    }
}
