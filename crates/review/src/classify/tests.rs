//! Tests of classification, and the small changes that they are made of.

use std::sync::LazyLock;

use super::*;
use crate::change::{Content, Operation, Source, Subject};
use crate::{Digest, FileChange, Hunk, Lens};

mod harm;
mod labels;
mod page;
mod properties;
mod seats;
mod tables;

/// The embedded rules, compiled once for all tests.
static RULES: LazyLock<ClassifyRules> = LazyLock::new(ClassifyRules::embedded);

/// A change of one text file for each `(path, lines)`; lines start with their marker.
fn change(files: &[(&str, &str)]) -> Change {
    change_of(files.iter().map(|(path, lines)| text_file(path, lines)).collect())
}

fn change_of(files: Vec<FileChange>) -> Change {
    let subject =
        Subject { source: Source::Patch, base: None, head: None, diff_digest: Digest::of(b"a diff") };
    Change {
        subject,
        title: String::new(),
        body: String::new(),
        branch: None,
        commits: Vec::new(),
        files,
        gaps: Vec::new(),
    }
}

fn text_file(path: &str, lines: &str) -> FileChange {
    let hunk = Hunk::new(1, 1, String::new(), format!("{lines}\n"), false);
    file_of(path, Content::Text(vec![hunk]))
}

fn binary_file(path: &str) -> FileChange {
    file_of(path, Content::Binary)
}

fn file_of(path: &str, content: Content) -> FileChange {
    FileChange {
        path: RepoPath::from(path),
        old_path: None,
        operation: Operation::Modified,
        modes: (None, None),
        content,
    }
}

fn classified(files: &[(&str, &str)]) -> Classification {
    classify(&change(files), &RULES)
}

fn labels_of(classification: &Classification) -> Vec<Label> {
    classification.labels.iter().map(|labelled| labelled.label).collect()
}

/// The lenses that ask a model about a change of these files.
fn seated(files: &[(&str, &str)]) -> Vec<Lens> {
    let change = change(files);
    let classification = classify(&change, &RULES);
    let decisions = lenses(&change, &classification);
    decisions.into_iter().filter(|decision| decision.seated).map(|decision| decision.lens).collect()
}
