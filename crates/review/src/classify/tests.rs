//! Tests of classification: one table a label, risk, reversibility, lenses, and what must hold of every change.

use super::*;
use crate::change::{Content, Operation, Source, Subject};
use crate::{Digest, FileChange, Hunk};

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
    let body = format!("{lines}\n");
    FileChange {
        path: RepoPath::from(path),
        old_path: None,
        operation: Operation::Modified,
        modes: (None, None),
        content: Content::Text(vec![Hunk::new(1, 1, String::new(), body, false)]),
    }
}

#[test]
fn a_migration_is_a_database_change() {
    let rules = ClassifyRules::embedded();
    let classified = classify(&change(&[("db/migrate/1_users.sql", "+select 1;")]), &rules);
    assert!(classified.has(Label::Database));
    let reasons = &classified.labels[0].reasons;
    assert_eq!(reasons[0], "db/migrate/1_users.sql: a migration (**/migrate/**)");
}
