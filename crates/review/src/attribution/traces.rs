//! Agent Trace records that a change carries in its own files.
//!
//! The reference hook appends every record of a repository's life to one file, and commits it or not. What is there is
//! the author's word, as a note is: it only ever adds writers.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Note;
use super::notes::trace_records;
use crate::change::{Change, CommitId, RepoPath};

/// The folder of the head in which records are read, from its files `*.jsonl`.
pub const TRACE_FOLDER: &str = ".agent-trace";

/// The records of such a file that are about a change, as notes: those of its files, and of its commits where they name
/// one. The hook names the commit that it worked on top of, so the change's base counts too; what names none is about
/// the head. Lines are left out: they may be those before or behind the commit that is named, and may have moved.
///
/// What is no record is handed on as a note that nobody can read, so that it is told. Nothing where the head is no commit
/// of the change.
pub fn trace_notes(text: &str, change: &Change) -> Vec<Note> {
    let commits: BTreeSet<&CommitId> = change.commits.iter().map(|commit| &commit.id).collect();
    let Some(head) = change.subject.head.as_ref().filter(|head| commits.contains(head)) else {
        return Vec::new();
    };
    let mut is_unread = false;
    let mut notes = Vec::new();
    for record in trace_records::<Value>(text) {
        let mut record = record.unwrap_or_default();
        let revision = record.pointer("/vcs/revision").and_then(Value::as_str).and_then(CommitId::new);
        let commit = match revision {
            None => head.clone(),
            Some(revision) if change.subject.base.as_ref() == Some(&revision) => head.clone(),
            Some(revision) if commits.contains(&revision) => revision,
            Some(_) => continue,
        };
        let Some(files) = record.get_mut("files").and_then(Value::as_array_mut) else {
            is_unread = true;
            continue;
        };
        files.retain(|file| is_of(file, change));
        if !files.is_empty() {
            files.iter_mut().for_each(without_lines);
            notes.push(Note { commit, text: record.to_string() });
        }
    }
    if is_unread {
        notes.push(Note::unreadable(head));
    }
    notes
}

/// Whether a record's file is one of the change, under its new name or its old one.
fn is_of(file: &Value, change: &Change) -> bool {
    let Some(path) = file.get("path").and_then(Value::as_str) else { return true };
    let path = RepoPath::from(path.trim_start_matches("./"));
    change.files.iter().any(|changed| changed.path == path || changed.old_path.as_ref() == Some(&path))
}

fn without_lines(file: &mut Value) {
    let conversations = file.get_mut("conversations").and_then(Value::as_array_mut);
    for conversation in conversations.into_iter().flatten() {
        let ranges = conversation.get_mut("ranges").and_then(Value::as_array_mut);
        for range in ranges.into_iter().flatten().filter_map(Value::as_object_mut) {
            range.remove("start_line");
            range.remove("end_line");
        }
    }
}
