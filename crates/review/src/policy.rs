//! What the operator and the base branch ask for. Nothing of the head reaches this module.

use std::collections::BTreeSet;
use std::fmt;

use globset::{Glob, GlobSet, GlobSetBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Lens, RepoPath, Severity};

/// How strictly reviewers must be unrelated to the author (law 3).
///
/// Ordered from lenient to strict, so that a base branch can only raise it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Independence {
    /// Related models may be seated in any place, marked.
    Off,
    /// Unrelated ones first; a related one, marked, where there is no other.
    Prefer,
    /// Unrelated ones only; where that cannot be met the verdict is inconclusive.
    Require,
}

impl Independence {
    /// Its name in flags, files and packets.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Prefer => "prefer",
            Self::Require => "require",
        }
    }
}

/// From which severity on a claim makes the exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// From low on.
    Low,
    /// From medium on.
    Medium,
    /// From high on.
    High,
    /// Only critical ones.
    Critical,
    /// No claim gates.
    Never,
}

impl Gate {
    /// Whether a claim of that severity is at or above the gate.
    pub fn catches(self, severity: Severity) -> bool {
        match self {
            Self::Low => true,
            Self::Medium => severity >= Severity::Medium,
            Self::High => severity >= Severity::High,
            Self::Critical => severity >= Severity::Critical,
            Self::Never => false,
        }
    }

    /// Its name in flags and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
            Self::Never => "never",
        }
    }
}

/// All that decides how a change is reviewed, merged from its sources.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How strictly reviewers must be unrelated to the author.
    pub independence: Independence,
    /// The lenses that may be seated.
    pub lenses: BTreeSet<Lens>,
    /// Rules only: no model is asked.
    pub offline: bool,
    /// How many mutually unrelated models are wanted for each lens, where the roster has them.
    pub reviewers_per_lens: usize,
    /// From which severity on a claim fails the run.
    pub fail_on: Gate,
    /// What is said about paths.
    pub paths: PathRules,
    /// Checks that must have passed, by name.
    pub required_checks: Vec<RequiredCheck>,
    /// Whether a required check is met by the record of whoever ran it. The operator's alone to say.
    pub self_reported_checks: bool,
    /// The most that one review may cost, in micro-USD.
    pub max_micro_usd: Option<u64>,
    /// The most that one review may take, in seconds.
    pub max_seconds: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            independence: Independence::Require,
            lenses: BTreeSet::from(Lens::ALL),
            offline: false,
            reviewers_per_lens: 2,
            fail_on: Gate::High,
            paths: PathRules::default(),
            required_checks: Vec::new(),
            self_reported_checks: false,
            max_micro_usd: None,
            max_seconds: 600,
        }
    }
}

/// A check that must have passed: a name, or one with the app that has to say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "expected the name of a check, or { name = \"...\", app = \"...\" }"
)]
pub enum RequiredCheck {
    /// Whoever reports it.
    Named(String),
    /// Reported by one app: nobody else's word counts.
    OfApp {
        /// The check's name.
        name: String,
        /// The app's name in addresses, as in `github-actions`.
        app: String,
    },
}

impl RequiredCheck {
    /// The check's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Named(name) | Self::OfApp { name, .. } => name,
        }
    }

    /// The only app whose word counts.
    pub fn app(&self) -> Option<&str> {
        match self {
            Self::Named(_) => None,
            Self::OfApp { app, .. } => Some(app),
        }
    }
}

impl fmt::Display for RequiredCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => write!(f, "`{name}`"),
            Self::OfApp { name, app } => write!(f, "`{name}` of `{app}`"),
        }
    }
}

/// What a repository's own base branch asks for. It can only narrow the operator's policy.
#[derive(Debug, Clone, Default)]
pub struct BasePolicy {
    /// At least this strict.
    pub independence: Option<Independence>,
    /// At most this lenient.
    pub fail_on: Option<Gate>,
    /// At most this much, in micro-USD.
    pub max_micro_usd: Option<u64>,
    /// At most this long, in seconds.
    pub max_seconds: Option<u32>,
    /// More checks that must have passed.
    pub required_checks: Vec<RequiredCheck>,
    /// More path rules.
    pub paths: Vec<PathRule>,
}

impl Policy {
    /// Applies what the base branch asks for: every value moves to its stricter side or stays.
    ///
    /// # Errors
    /// A glob that cannot be read.
    pub fn narrowed(mut self, base: &BasePolicy) -> Result<Self, globset::Error> {
        self.independence = base.independence.map_or(self.independence, |asked| asked.max(self.independence));
        self.fail_on = base.fail_on.map_or(self.fail_on, |asked| asked.min(self.fail_on));
        self.max_micro_usd = match (self.max_micro_usd, base.max_micro_usd) {
            (Some(operator), Some(base)) => Some(operator.min(base)),
            (operator, base) => operator.or(base),
        };
        self.max_seconds = base.max_seconds.map_or(self.max_seconds, |asked| asked.min(self.max_seconds));
        for check in &base.required_checks {
            if !self.required_checks.contains(check) {
                self.required_checks.push(check.clone());
            }
        }
        let rules = self.paths.rules.iter().cloned().chain(base.paths.iter().cloned()).collect();
        self.paths = PathRules::new(rules)?;
        Ok(self)
    }
}

/// Who wrote a path rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The operator's configuration.
    Operator,
    /// `.recuse.toml` of the base branch.
    Base,
}

impl Origin {
    /// For sentences: "the operator's", "the base branch's".
    pub fn possessive(self) -> &'static str {
        match self {
            Self::Operator => "the operator's",
            Self::Base => "the base branch's",
        }
    }
}

/// What is said about the files that some globs match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathRule {
    /// Globs over repository paths (`vendor/**`, `*.png` at any depth).
    pub globs: Vec<String>,
    /// What follows.
    pub effect: PathEffect,
    /// The reason, shown wherever the rule takes effect.
    pub reason: String,
    /// Who wrote it.
    pub origin: Origin,
}

/// What a path rule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathEffect {
    /// Nobody has to look at it. The security rules still do, and it is listed.
    Exempt,
    /// It is never part of a prompt.
    NeverSend,
    /// These lenses are not asked about it.
    Without(BTreeSet<Lens>),
}

/// Path rules with their globs compiled. Later rules do not undo earlier ones.
#[derive(Debug, Clone, Default)]
pub struct PathRules {
    rules: Vec<PathRule>,
    sets: Vec<GlobSet>,
}

impl PathRules {
    /// Compiles rules.
    ///
    /// # Errors
    /// A glob that cannot be read; the error names it.
    pub fn new(rules: Vec<PathRule>) -> Result<Self, globset::Error> {
        let sets = rules.iter().map(|rule| compile(&rule.globs)).collect::<Result<_, _>>()?;
        Ok(Self { rules, sets })
    }

    /// The rules, in order.
    pub fn rules(&self) -> &[PathRule] {
        &self.rules
    }

    /// The first rule that exempts a path.
    pub fn exempts(&self, path: &RepoPath) -> Option<&PathRule> {
        self.matching(path).find(|rule| rule.effect == PathEffect::Exempt)
    }

    /// The first rule that keeps a path from models.
    pub fn keeps_from_models(&self, path: &RepoPath) -> Option<&PathRule> {
        self.matching(path).find(|rule| rule.effect == PathEffect::NeverSend)
    }

    /// The first rule that takes a lens off a path.
    pub fn without(&self, path: &RepoPath, lens: Lens) -> Option<&PathRule> {
        self.matching(path).find(|rule| match &rule.effect {
            PathEffect::Without(lenses) => lenses.contains(&lens),
            PathEffect::Exempt | PathEffect::NeverSend => false,
        })
    }

    fn matching<'s, 'p>(&'s self, path: &'p RepoPath) -> impl Iterator<Item = &'s PathRule> + use<'s, 'p> {
        let pairs = self.rules.iter().zip(&self.sets);
        pairs.filter(move |(_, set)| set.is_match(path.as_str())).map(|(rule, _)| rule)
    }
}

/// A glob without a slash matches at any depth, as in `.gitignore`.
fn compile(globs: &[String]) -> Result<GlobSet, globset::Error> {
    let mut builder = GlobSetBuilder::new();
    for glob in globs {
        let anywhere = if glob.contains('/') { glob.clone() } else { format!("**/{glob}") };
        builder.add(Glob::new(&anywhere)?);
    }
    builder.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> RequiredCheck {
        RequiredCheck::Named(name.to_owned())
    }

    fn rule(glob: &str, effect: PathEffect, origin: Origin) -> PathRule {
        PathRule { globs: vec![glob.into()], effect, reason: "because".into(), origin }
    }

    #[test]
    fn a_base_branch_can_only_make_the_policy_stricter() {
        let operator = Policy {
            independence: Independence::Prefer,
            max_micro_usd: Some(1_000_000),
            required_checks: vec![named("tests")],
            ..Policy::default()
        };
        let lenient = BasePolicy {
            independence: Some(Independence::Off),
            fail_on: Some(Gate::Never),
            max_micro_usd: Some(9_000_000),
            max_seconds: Some(9_999),
            ..BasePolicy::default()
        };
        let same = operator.clone().narrowed(&lenient).expect("no glob");
        assert_eq!(same.independence, Independence::Prefer);
        assert_eq!(same.fail_on, Gate::High);
        assert_eq!(same.max_micro_usd, Some(1_000_000));
        assert_eq!(same.max_seconds, 600);

        let strict = BasePolicy {
            independence: Some(Independence::Require),
            fail_on: Some(Gate::Low),
            max_micro_usd: Some(5),
            max_seconds: Some(30),
            required_checks: vec![named("lint"), named("tests")],
            paths: vec![rule("*.snap", PathEffect::Exempt, Origin::Base)],
        };
        let narrowed = operator.narrowed(&strict).expect("a good glob");
        assert_eq!(narrowed.independence, Independence::Require);
        assert_eq!(narrowed.fail_on, Gate::Low);
        assert_eq!((narrowed.max_micro_usd, narrowed.max_seconds), (Some(5), 30));
        assert_eq!(narrowed.required_checks, [named("tests"), named("lint")]);
        assert!(narrowed.paths.exempts(&RepoPath::from("a/b.snap")).is_some());
    }

    #[test]
    fn path_rules_say_what_they_match() {
        let database_off = PathEffect::Without(BTreeSet::from([Lens::Database]));
        let rules = PathRules::new(vec![
            rule("vendor/**", PathEffect::Exempt, Origin::Operator),
            rule("*.pem", PathEffect::NeverSend, Origin::Base),
            rule("fixtures/**", database_off, Origin::Base),
        ])
        .expect("good globs");
        assert!(rules.exempts(&"vendor/a/b.js".into()).is_some());
        assert!(rules.exempts(&"src/vendor.js".into()).is_none());
        assert!(rules.keeps_from_models(&"deep/key.pem".into()).is_some());
        assert!(rules.without(&"fixtures/1.sql".into(), Lens::Database).is_some());
        assert!(rules.without(&"fixtures/1.sql".into(), Lens::Security).is_none());
    }

    #[test]
    fn a_bad_glob_is_an_error() {
        assert!(PathRules::new(vec![rule("a[", PathEffect::Exempt, Origin::Base)]).is_err());
    }
}
