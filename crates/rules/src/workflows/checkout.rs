//! Workflows that outsiders start, that have the repository's secrets, and that fetch what the outsider wrote.

use std::sync::LazyLock;

use regex::Regex;
use review::Severity;

use crate::new_side::Found;
use crate::tree::Node;

use super::model::{Step, Workflow};
use super::table;

/// What names the outsider's commit.
static FOREIGN_COMMIT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?xi)github\.event\.pull_request\.(?:head\.(?:sha|ref|label|repo)|merge_commit_sha) | github\.head_ref
        | refs/pull/ | github\.event\.workflow_run\.(?:head_sha|head_branch|head_repository|head_commit)
        | (?:steps|needs)\.[\w.-]+\.(?:head_sha|head_ref|pr_head_sha|pr_head_ref)\b",
    )
    .expect("a test compiles it")
});

/// Commands that fetch it.
static FETCHES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\bgh\s+pr\s+checkout\b|\bhub\s+pr\s+checkout\b|\bgit\s+(?:fetch|pull)\b[^\n]*\bpull/|\bgit\s+(?:fetch|pull|checkout|switch|clone)\b[^\n]*(?:github\.event\.pull_request\.head|github\.head_ref)")
        .expect("a test compiles it")
});

/// Reports the steps of a job that fetch what an outsider wrote.
pub(super) fn check(workflow: &Workflow<'_>, job: &Node, steps: &[Step<'_>], found: &mut Found<'_>) {
    let Some(trigger @ ("pull_request_target" | "workflow_run" | "issue_comment")) =
        workflow.privileged_trigger()
    else {
        return;
    };
    let job_condition = job.get("if").and_then(Node::text).unwrap_or_default();
    for step in steps {
        let fetched = match step.action() {
            Some("actions/checkout") => ["ref", "repository"]
                .into_iter()
                .filter_map(|input| step.input(input)?.text())
                .any(|value| FOREIGN_COMMIT.is_match(value)),
            Some(_) | None => step.run().is_some_and(|run| FETCHES.is_match(run)),
        };
        let step_condition = step.node.get("if").and_then(Node::text).unwrap_or_default();
        let guard = guard(&format!("{job_condition} {step_condition}"));
        let (true, Some(severity)) = (fetched, severity(trigger, guard, job)) else { continue };
        let body = format!("The workflow runs on `{trigger}` and fetches the outsider's commit.");
        found.in_range(&table::PRIVILEGED_CHECKOUT, severity, step.lines(), &body);
        if let Some(line) = workflow.trigger_line(trigger) {
            found.at(&table::PRIVILEGED_CHECKOUT, severity, line, 0, &body);
        }
    }
}

/// What keeps outsiders out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    /// Nothing that is known.
    None,
    /// Somebody has to set a label, or have a role.
    SomebodyAllows,
    /// Only the repository's own branches.
    OwnBranches,
}

fn guard(condition: &str) -> Guard {
    let dense: String = condition.split_whitespace().collect();
    if dense.contains("head.repo.full_name==github.repository")
        || dense.contains("head_repository.full_name==github.repository")
        || dense.contains("head.repo.fork==false")
        || dense.contains("!github.event.pull_request.head.repo.fork")
    {
        Guard::OwnBranches
    } else if dense.contains("labels") || dense.contains("label.name") || dense.contains("author_association")
    {
        Guard::SomebodyAllows
    } else {
        Guard::None
    }
}

fn severity(trigger: &str, guard: Guard, job: &Node) -> Option<Severity> {
    let waits = job.get("environment").is_some();
    match (guard, trigger) {
        (Guard::OwnBranches, _) => None,
        (Guard::SomebodyAllows, _) => Some(Severity::Medium),
        (Guard::None, "issue_comment") => Some(Severity::Medium),
        (Guard::None, _) if waits => Some(Severity::Medium),
        (Guard::None, _) => Some(Severity::High),
    }
}
