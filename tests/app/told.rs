//! What must hold of a pull request once everything is quiet, whatever went wrong on the way.

use std::collections::BTreeSet;

use super::*;

/// How many claims a change has that are worth a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lines(pub(super) usize);

/// What is wrong with what was told of an open pull request: nothing is missing, twice, half or of another head.
pub(super) fn wrongs(fake: &FakeGitHub, number: u64, lines: Lines) -> Vec<String> {
    let mut wrongs = Vec::new();
    let head = fake.head(1, number);
    let comments: Vec<_> = ours(fake, number)
        .into_iter()
        .filter(|comment| comment.body.contains("<!-- recuse packet "))
        .collect();
    match comments.as_slice() {
        [only] if only.body.contains(&head[..7]) => {}
        [only] => wrongs.push(format!("#{number}: the comment is not of {head}: {}", only.body)),
        other => wrongs.push(format!("#{number} has {} comments", other.len())),
    }
    match newest_run(fake, &head) {
        Some(run) if run.conclusion.as_deref() == Some("success") => {}
        Some(run) => {
            wrongs.push(format!("#{number}: the check run ended as {:?}: {}", run.conclusion, run.output))
        }
        None => wrongs.push(format!("#{number} has no check run")),
    }
    let good =
        fake.check_runs(1, &head).into_iter().filter(|run| run.conclusion.as_deref() == Some("success"));
    let good = good.count();
    if good > 1 {
        wrongs.push(format!("#{number}: {good} check runs of {head} say what was found"));
    }
    let at_lines = fake.review_comments(1, number);
    if at_lines.len() != lines.0 {
        wrongs.push(format!("#{number} has {} comments at lines: {at_lines:?}", at_lines.len()));
    }
    wrongs
}

/// What is wrong with any check run there is: one that never ended, or one that says the same twice.
pub(super) fn wrong_check_runs(fake: &FakeGitHub) -> Vec<String> {
    let mut wrongs = Vec::new();
    for run in fake.all_check_runs(1).into_iter().filter(|run| run.app == APP_ID) {
        if run.status != "completed" {
            wrongs.push(format!("the check run {} of {} never ended: {:?}", run.id, run.head, run.history));
        }
        let texts: BTreeSet<String> = run.annotations.iter().map(ToString::to_string).collect();
        if texts.len() < run.annotations.len() {
            wrongs.push(format!("the check run {} says the same twice: {:?}", run.id, run.annotations));
        }
    }
    wrongs
}
