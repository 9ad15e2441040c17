//! What must hold of a pull request once everything is quiet, whatever went wrong on the way: in the end, and of each write
//! when it was made.

use std::collections::BTreeSet;

use super::*;
use crate::support::fake_github::{Words, Written};

/// How many claims a change has that are worth a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lines(pub(super) usize);

/// How the check run of a head ended that was reviewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Everything was looked at.
    Whole,
    /// Something was not looked at, and its comment says what and why.
    WithGaps,
}

impl End {
    fn conclusion(self) -> &'static str {
        match self {
            Self::Whole => "success",
            Self::WithGaps => "action_required",
        }
    }

    /// How the newest check run of a pull request's head ended, if it did one of these ways.
    pub(super) fn of(fake: &FakeGitHub, number: u64) -> Option<Self> {
        let run = newest_run(fake, &fake.head(1, number))?;
        [Self::Whole, Self::WithGaps].into_iter().find(|end| end.is_of(&run))
    }

    /// Whether a check run ended so.
    pub(super) fn is_of(self, run: &CheckRun) -> bool {
        run.conclusion.as_deref() == Some(self.conclusion())
    }
}

/// What is wrong with what was told of an open pull request: nothing is missing, twice, half or of another head.
pub(super) fn wrongs(fake: &FakeGitHub, number: u64, lines: Lines) -> Vec<String> {
    let mut wrongs = wrongs_of_packet(fake, number, &[End::Whole]);
    let at_lines = fake.review_comments(1, number);
    if at_lines.len() != lines.0 {
        wrongs.push(format!("#{number} has {} comments at lines: {at_lines:?}", at_lines.len()));
    }
    wrongs.extend(told_of_stale_heads(fake, number));
    wrongs
}

/// What is wrong with the comment and the check run of an open pull request, which has to have ended one of these ways.
pub(super) fn wrongs_of_packet(fake: &FakeGitHub, number: u64, ends: &[End]) -> Vec<String> {
    let mut wrongs = Vec::new();
    let head = fake.head(1, number);
    let comments: Vec<_> = ours(fake, number)
        .into_iter()
        .filter(|comment| comment.body.contains("<!-- recuse packet "))
        .collect();
    match comments.as_slice() {
        [only] if only.body.contains(&head[..7]) => {
            if End::of(fake, number) == Some(End::WithGaps) && !only.body.contains("Not reviewed") {
                wrongs.push(format!("#{number}: the comment says nothing of what is missing: {}", only.body));
            }
        }
        [only] => wrongs.push(format!("#{number}: the comment is not of {head}: {}", only.body)),
        other => wrongs.push(format!("#{number} has {} comments", other.len())),
    }
    let is_end = |run: &CheckRun| ends.iter().any(|end| end.is_of(run));
    match newest_run(fake, &head) {
        Some(run) if is_end(&run) => {}
        Some(run) => {
            wrongs.push(format!("#{number}: the check run ended as {:?}: {}", run.conclusion, run.output))
        }
        None => wrongs.push(format!("#{number} has no check run")),
    }
    let ended = fake.check_runs(1, &head).iter().filter(|run| is_end(run)).count();
    if ended > 1 {
        wrongs.push(format!("#{number}: {ended} check runs of {head} say what was found"));
    }
    wrongs
}

/// What was told of a head that recuse knew to be no more: the pull request had been read with a newer one before. Whatever
/// moves between the last look and the write is nobody's fault; to end the check run of such a head as cancelled is right, and
/// so is to say of a closed pull request what was found before.
pub(super) fn told_of_stale_heads(fake: &FakeGitHub, number: u64) -> Vec<String> {
    let tells = |written: &Written| match &written.what {
        Words::CheckRun { conclusion, annotations } => {
            conclusion.as_ref().is_some_and(|end| end != "cancelled") || *annotations > 0
        }
        Words::Comment { body } => written.is_open && body.contains("<!-- recuse packet "),
        Words::Review => true,
    };
    let stale = fake.written(1, number).into_iter().filter(|written| written.was_known && tells(written));
    stale
        .map(|written| format!("#{number} was told of a head that was known to be no more: {written:?}"))
        .collect()
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
