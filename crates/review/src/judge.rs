//! The verdict, computed from coverage, claims and checks (laws 4 and 5). No model's prose reaches this module.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attribution::{Attribution, AuthorState};
use crate::change::{Gap, GapKind};
use crate::coverage::Coverage;
use crate::merge::{Claim, Verification};
use crate::panel::{Asked, Panel, Relation, Seat, UnmetKind, list};
use crate::policy::{Policy, RequiredCheck};
use crate::{CommitId, Digest, Family, Severity};

/// What a review comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything was looked at, and nobody claims anything.
    Clean,
    /// Everything was looked at, and somebody claims something.
    Findings,
    /// Not everything was looked at, or not by whom it should have been.
    Inconclusive,
    /// A check that has to pass did not.
    Blocked,
}

impl Verdict {
    /// Its name in packets and first lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Findings => "findings",
            Self::Inconclusive => "inconclusive",
            Self::Blocked => "blocked",
        }
    }
}

/// A command or a CI run that says something about the head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// How it ended.
    pub state: CheckState,
    /// Who says so.
    pub source: CheckSource,
    /// The command's exit code, if it ended with one.
    pub exit_code: Option<i32>,
    /// How else it ended, or why it does not count; empty where there is nothing to add.
    #[serde(default)]
    pub detail: String,
    /// The app whose check run it is, by its name in addresses. None for a commit status, which names no app, and for
    /// what was run by hand.
    #[serde(default)]
    pub app: Option<String>,
    /// Its page.
    #[serde(default)]
    pub link: Option<String>,
    /// What was recorded of the run, where a record could be read.
    #[serde(default)]
    pub record: Option<CheckRecord>,
}

/// What whoever ran a command recorded of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckRecord {
    /// The record's own digest, without which an edit would not be noticed.
    pub digest: Digest,
    /// The program and its arguments, secrets redacted.
    pub command: Vec<String>,
    /// The commit that the work tree was at when it started.
    pub head: Option<CommitId>,
    /// Seconds since 1970.
    pub started_at: i64,
    /// How long it ran, in milliseconds.
    pub elapsed_ms: u64,
    /// The digest of all that it printed.
    pub log: Digest,
    /// How many bytes that was.
    pub log_bytes: u64,
    /// The last lines of it, secrets redacted.
    pub last_lines: Vec<String>,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// It is about another head, or about a work tree that was not the head's. It does not count.
    Stale,
    /// Its record was edited, or is none. It does not count.
    Altered,
    /// Its record is tracked in the head: code under review cannot vouch for itself. It does not count.
    Refused,
    /// It has not ended yet.
    Pending,
    /// It ended without having run: left out, or neither passed nor failed. It does not count.
    NotRun,
}

/// Who says how a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckSource {
    /// The platform, for a check run of a named app.
    Platform,
    /// Whoever ran the command.
    SelfReported,
}

/// What a verdict is computed from.
#[derive(Debug, Clone, Copy)]
pub struct JudgeInput<'a> {
    /// Who wrote the change.
    pub attribution: &'a Attribution,
    /// Who was seated.
    pub panel: &'a Panel,
    /// Who saw what.
    pub coverage: &'a Coverage,
    /// What is claimed, worst first.
    pub claims: &'a [Claim],
    /// What was run.
    pub checks: &'a [Check],
    /// What the operator and the base ask for.
    pub policy: &'a Policy,
    /// What would help where no model is configured, in words.
    pub no_model_remedy: &'a str,
}

/// The verdict and what it means for whoever waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The first line of every view.
    pub headline: String,
    /// Why, in sentences; the first one is in the headline.
    pub reasons: Vec<String>,
    /// How independent the reviewers were.
    pub independence: Standing,
    /// The same, in a sentence.
    pub independence_words: String,
    /// How many claims are at or above the gate.
    pub gated: usize,
    /// 0, 1 or 3 by the design's table; 2 and 4 are no verdicts.
    pub exit_code: u8,
}

/// How independent of the author the reviewers were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// No model was asked.
    NoModelAsked,
    /// People wrote the change, by a declaration that counts.
    NotNeeded,
    /// Nobody knows who wrote it.
    NotEstablished,
    /// Every lens was answered by models that share no family with any author.
    Established,
    /// A lens was answered by related models only; the policy allows it.
    NotIndependent,
    /// It was asked for and not reached.
    NotReached,
}

/// Computes the verdict.
pub fn judge(input: &JudgeInput<'_>) -> Judgement {
    let independence = standing(input);
    let independence_words = independence_words(independence, input);
    let blocked = blocked_by(input);
    let missing = missing(input);
    let counted: Vec<&Claim> =
        input.claims.iter().filter(|claim| claim.verification != Verification::Refuted).collect();
    let gated = counted.iter().filter(|claim| input.policy.fail_on.catches(claim.severity)).count();
    let verdict = if !blocked.is_empty() {
        Verdict::Blocked
    } else if !missing.is_empty() {
        Verdict::Inconclusive
    } else if !counted.is_empty() {
        Verdict::Findings
    } else {
        Verdict::Clean
    };
    let found = (!counted.is_empty()).then(|| counts(&counted));
    let reasons: Vec<String> = blocked.into_iter().chain(missing).chain(found.clone()).collect();
    let main = reasons.first().cloned().unwrap_or_else(|| {
        format!("{} looked at, nothing found", plural(input.coverage.hunks, "hunk", "hunks"))
    });
    let mut headline = String::new();
    if input.policy.offline {
        headline.push_str("rules only: ");
    }
    headline.push_str(&format!("{}: {main}", verdict.name()));
    if verdict != Verdict::Findings
        && let Some(found) = found
    {
        headline.push_str(&format!("; {found}"));
    }
    if !input.policy.offline && independence != Standing::NotReached && independence != Standing::NoModelAsked
    {
        headline.push_str(&format!("; {independence_words}"));
    }
    let exit_code = if verdict == Verdict::Blocked || gated > 0 {
        1
    } else if verdict == Verdict::Inconclusive {
        3
    } else {
        0
    };
    Judgement { verdict, headline, reasons, independence, independence_words, gated, exit_code }
}

/// "1 high, 2 low".
fn counts(claims: &[&Claim]) -> String {
    let parts: Vec<String> = Severity::WORST_FIRST
        .into_iter()
        .map(|severity| (claims.iter().filter(|claim| claim.severity == severity).count(), severity))
        .filter(|(count, _)| *count > 0)
        .map(|(count, severity)| format!("{count} {}", severity.name()))
        .collect();
    parts.join(", ")
}

/// "1 hunk", "2 hunks".
pub fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn blocked_by(input: &JudgeInput<'_>) -> Vec<String> {
    let required = input.policy.required_checks.iter();
    required.filter_map(|name| unmet_check(name, input.checks, input.policy)).collect()
}

/// Why a required check blocks: one run of that name that failed is enough, and one that passed has to be there.
fn unmet_check(required: &RequiredCheck, checks: &[Check], policy: &Policy) -> Option<String> {
    let is_by_the_app = |check: &Check| match (check.source, required.app()) {
        (CheckSource::Platform, Some(app)) => check.app.as_deref() == Some(app),
        (CheckSource::Platform, None) | (CheckSource::SelfReported, _) => true,
    };
    let of_name = || checks.iter().filter(|check| check.name == required.name() && is_by_the_app(check));
    if of_name().any(|check| check.state == CheckState::Failed) {
        return Some(format!("the required check {required} failed"));
    }
    if of_name().any(|check| check.state == CheckState::Pending) {
        return Some(format!("the required check {required} has not ended yet"));
    }
    let mut passed = of_name().filter(|check| check.state == CheckState::Passed).peekable();
    let is_self_reported = passed.peek().is_some();
    let counts = |check: &Check| match check.source {
        CheckSource::Platform => true,
        CheckSource::SelfReported => policy.self_reported_checks && required.app().is_none(),
    };
    if passed.any(counts) {
        return None;
    }
    if is_self_reported {
        let remedy = match required.app() {
            Some(_) => "and it has to be that app's word",
            None => "which counts where the operator sets `self_reported_checks = true`",
        };
        return Some(format!("the required check {required} passed by its own report only, {remedy}"));
    }
    Some(match of_name().next() {
        Some(other) => format!("the required check {required} does not count: {}", other.detail),
        None => format!("the required check {required} left no record"),
    })
}

/// What keeps the review from saying anything about the whole change.
fn missing(input: &JudgeInput<'_>) -> Vec<String> {
    let mut missing = Vec::new();
    let gaps = &input.coverage.gaps;
    if input.coverage.hunks == 0 && gaps.is_empty() {
        missing.push("there is nothing to look at: no line of text changed".to_owned());
    }
    let mut unmet: Vec<(UnmetKind, &str, Vec<&str>)> = Vec::new();
    for (lens, problem) in input.panel.unmet() {
        match unmet.iter_mut().find(|(kind, ..)| *kind == problem.problem) {
            Some((_, _, lenses)) => lenses.push(lens.lens.name()),
            None => unmet.push((problem.problem, &problem.reason, vec![lens.lens.name()])),
        }
    }
    for (kind, reason, lenses) in unmet {
        let remedy = kind.remedy(input.no_model_remedy);
        let how = match kind {
            UnmetKind::NoModel | UnmetKind::AllRelated => "not answered",
            UnmetKind::NotDiverseEnough => "not answered independently",
        };
        missing.push(format!("{} {how}: {reason}; {remedy}", list(lenses)));
    }
    // What an unmet lens left open is told above, once; the gaps of the reading and of failed reviewers are left.
    let told = |gap: &Gap| {
        gap.kind == GapKind::Unanswered
            && input.panel.unmet().any(|(lens, _)| gap.detail.starts_with(&format!("{}: ", lens.lens.name())))
    };
    let untold: Vec<&Gap> = gaps.iter().filter(|gap| !told(gap)).collect();
    if let Some(first) = untold.first() {
        let place = first.file.as_ref().map(|file| format!("{file}: ")).unwrap_or_default();
        let more = match untold.len() {
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        missing.push(format!("not everything was looked at: {place}{}{more}", first.detail));
    }
    missing
}

fn standing(input: &JudgeInput<'_>) -> Standing {
    let by_models: Vec<_> = input.coverage.lenses.iter().filter(|lens| lens.asked == Asked::Models).collect();
    if by_models.is_empty() {
        return Standing::NoModelAsked;
    }
    if by_models.iter().all(|lens| lens.covered == 0) || input.panel.unmet().next().is_some() {
        return Standing::NotReached;
    }
    match input.attribution.state() {
        AuthorState::Human => Standing::NotNeeded,
        AuthorState::NoEvidence | AuthorState::Bot => Standing::NotEstablished,
        AuthorState::Ai | AuthorState::Mixed | AuthorState::UnknownAi | AuthorState::Conflict => {
            if by_models.iter().all(|lens| lens.independent) {
                Standing::Established
            } else {
                Standing::NotIndependent
            }
        }
    }
}

fn independence_words(standing: Standing, input: &JudgeInput<'_>) -> String {
    let recused = input.attribution.recused();
    let families = list(recused.iter().map(Family::as_str));
    match standing {
        Standing::NoModelAsked => "no model was asked".to_owned(),
        Standing::NotNeeded => "declared human, so nobody is recused".to_owned(),
        Standing::NotEstablished if input.attribution.bot => {
            "independence not established: a bot opened it".to_owned()
        }
        Standing::NotEstablished => "independence not established: no trace of who wrote it".to_owned(),
        Standing::Established if input.attribution.unknown_agent => {
            "an unknown model wrote it; whichever it was, one reviewer of each lens is unrelated to it"
                .to_owned()
        }
        Standing::Established if input.attribution.vouched => {
            format!("written by {families}, reviewed by others")
        }
        Standing::Established => format!("written by {families} by its own account, reviewed by others"),
        Standing::NotIndependent => {
            let lenses: Vec<&str> = input
                .coverage
                .lenses
                .iter()
                .filter(|lens| lens.asked == Asked::Models && !lens.independent)
                .map(|lens| lens.lens.name())
                .collect();
            let is_related = |seat: &Seat| {
                lenses.contains(&seat.lens.name()) && matches!(seat.relation, Relation::Related { .. })
            };
            let lenses = list(lenses.iter().copied());
            if input.panel.seats.iter().any(is_related) {
                format!("not independent ({lenses}): the reviewers share a family with the author")
            } else if input.attribution.unknown_agent {
                "independence not established: an unknown model wrote it, and may be of the reviewers' family"
                    .to_owned()
            } else {
                format!(
                    "not independent ({lenses}): the models that answered share a family with the author, or nobody knows theirs"
                )
            }
        }
        Standing::NotReached => "independence was asked for and not reached".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(state: CheckState, source: CheckSource) -> Check {
        let (name, detail) = ("tests".to_owned(), "because".to_owned());
        Check { name, state, source, exit_code: None, detail, app: None, link: None, record: None }
    }

    /// The runs, and why the check is unmet under a strict and under a trusting policy.
    type Row = (&'static [(CheckState, CheckSource)], Option<&'static str>, Option<&'static str>);

    #[test]
    fn a_required_check_is_met_by_a_run_that_passed_and_counts_and_by_nothing_else() {
        use CheckSource::{Platform, SelfReported};
        use CheckState::{Altered, Failed, NotRun, Passed, Pending, Refused, Stale};
        let strict = Policy::default();
        let trusting = Policy { self_reported_checks: true, ..Policy::default() };
        let by_own_report = "passed by its own report only";
        let rows: [Row; 12] = [
            (&[], Some("left no record"), Some("left no record")),
            (&[(Passed, Platform)], None, None),
            (&[(Passed, SelfReported)], Some(by_own_report), None),
            (&[(Failed, SelfReported)], Some("failed"), Some("failed")),
            (&[(Passed, Platform), (Failed, SelfReported)], Some("failed"), Some("failed")),
            (&[(Stale, SelfReported)], Some("does not count: because"), Some("does not count: because")),
            (&[(Altered, SelfReported)], Some("does not count: because"), Some("does not count: because")),
            (&[(Refused, SelfReported)], Some("does not count: because"), Some("does not count: because")),
            (&[(Stale, SelfReported), (Passed, SelfReported)], Some(by_own_report), None),
            (&[(Pending, Platform)], Some("has not ended yet"), Some("has not ended yet")),
            (&[(Pending, Platform), (Passed, SelfReported)], Some("has not"), Some("has not")),
            (&[(NotRun, Platform)], Some("does not count: because"), Some("does not count: because")),
        ];
        for (states, expect_strict, expect_trusting) in rows {
            let checks: Vec<Check> = states.iter().map(|(state, source)| check(*state, *source)).collect();
            for (policy, expect) in [(&strict, expect_strict), (&trusting, expect_trusting)] {
                let unmet = unmet_check(&RequiredCheck::Named("tests".to_owned()), &checks, policy);
                assert_eq!(unmet.is_some(), expect.is_some(), "{states:?}: {unmet:?}");
                assert!(unmet.unwrap_or_default().contains(expect.unwrap_or_default()), "{states:?}");
                let other = RequiredCheck::Named("lint".to_owned());
                assert!(unmet_check(&other, &checks, policy).is_some(), "another check's run meets nothing");
            }
        }
    }

    #[test]
    fn a_check_of_one_app_is_met_by_that_app_alone() {
        use CheckSource::{Platform, SelfReported};
        use CheckState::{Failed, Passed};
        let required = RequiredCheck::OfApp { name: "tests".to_owned(), app: "actions".to_owned() };
        let trusting = Policy { self_reported_checks: true, ..Policy::default() };
        let by = |app: Option<&str>, check: Check| Check { app: app.map(str::to_owned), ..check };
        let meets = |checks: &[Check]| unmet_check(&required, checks, &trusting).is_none();
        let theirs = |state| by(Some("actions"), check(state, Platform));
        let anothers = |state| by(Some("another"), check(state, Platform));
        assert!(meets(&[theirs(Passed)]));
        assert!(meets(&[theirs(Passed), anothers(Failed)]), "who else reports under that name means nothing");
        for unmet in [anothers(Passed), check(Passed, Platform), check(Passed, SelfReported), theirs(Failed)]
        {
            assert!(!meets(std::slice::from_ref(&unmet)), "{unmet:?}");
        }
    }
}
