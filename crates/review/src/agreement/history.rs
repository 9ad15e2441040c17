//! Known issues from a repository's own history: what a later commit undid because it was wrong.
//!
//! The method, in full. A later commit that *names* a commit of a change as what it reverts, fixes or blames is a fix of
//! that change. The issue is at those lines of the change that the fix removed again; where it only added lines, at
//! the lines of the change that stand next to them; else at the file. What nobody named is taken for clean.
//!
//! Its limits: most fixes name nobody, so clean is a guess; a fix may undo a line for another reason; lines are found
//! again by file and text, so that moved and rewritten ones are missed; nobody says in words what the issue was, so it
//! is matched by its place alone.

use std::collections::BTreeSet;

use super::{Known, Place};
use crate::{Change, CommitId, FileChange, Line, LineKind};

/// The fewest digits that name a commit.
const LEAST_DIGITS: usize = 7;

/// Words before a commit's id that say that the commit was wrong.
const BLAME: [&str; 8] =
    ["revert", "fixes", "fix for", "regression", "introduced", "broken", "broke by", "caused"];

/// The ids, or beginnings of ids, that a message names as what it reverts, fixes or blames, in lower case.
pub fn blamed(message: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for line in message.lines() {
        let line = line.to_lowercase();
        let Some(blame) = BLAME.iter().filter_map(|word| line.find(word)).min() else { continue };
        let words = line[blame..].split(|c: char| !c.is_ascii_alphanumeric());
        let is_id = |word: &&str| {
            (LEAST_DIGITS..=64).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        ids.extend(words.filter(is_id).map(str::to_owned));
    }
    ids
}

/// Whether one of these ids, or beginnings of ids, is of one of these commits.
pub fn names_any(ids: &[String], commits: &[CommitId]) -> bool {
    ids.iter().any(|id| commits.iter().any(|commit| commit.as_str().starts_with(id.as_str())))
}

/// Where in a change the issue is that a fix undid; `None` where it touches none of the change's files.
pub fn issue(change: &Change, fix: &Change) -> Option<Known> {
    let mut places = Vec::new();
    for undone in &fix.files {
        let before = undone.path_on(crate::Side::Base);
        let Some(file) = change.files.iter().find(|file| file.path == *before) else { continue };
        let removed = runs(&matching_lines(file, undone, &|line, _| line.kind == LineKind::Removed));
        let beside = || {
            runs(&matching_lines(file, undone, &|line, beside_added| {
                line.kind == LineKind::Context && beside_added
            }))
        };
        let lines = if removed.is_empty() { beside() } else { removed };
        let path = file.path.to_string();
        if lines.is_empty() {
            places.push(Place { file: path, lines: None });
        } else {
            places.extend(lines.into_iter().map(|lines| Place { file: path.clone(), lines: Some(lines) }));
        }
    }
    // A file as a whole says nothing where others have lines.
    if places.iter().any(|place| place.lines.is_some()) {
        places.retain(|place| place.lines.is_some());
    }
    (!places.is_empty()).then_some(Known { places, lens: None, text: None })
}

/// The numbers of lines that the change added and that the fix has among those that are asked for.
fn matching_lines(
    file: &FileChange,
    fix: &FileChange,
    wanted: &dyn Fn(&Line<'_>, bool) -> bool,
) -> BTreeSet<u32> {
    let added: Vec<(u32, &str)> = file
        .hunks()
        .iter()
        .flat_map(|hunk| hunk.lines())
        .filter(|line| line.kind == LineKind::Added)
        .filter_map(|line| Some((line.new?, line.text.trim())))
        .collect();
    let mut found = BTreeSet::new();
    for hunk in fix.hunks() {
        let lines: Vec<Line<'_>> = hunk.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let is_added = |at: Option<usize>| {
                at.and_then(|at| lines.get(at)).is_some_and(|line| line.kind == LineKind::Added)
            };
            let beside_added = is_added(index.checked_sub(1)) || is_added(Some(index + 1));
            let text = line.text.trim();
            // A bracket is everywhere.
            let says = text.chars().filter(|c| c.is_alphanumeric()).count() >= 3;
            if !says || !wanted(line, beside_added) {
                continue;
            }
            // Of the same text, the nearest one to where the fix found it that is not taken.
            let at = line.old.unwrap_or(0);
            let same = added.iter().filter(|(number, other)| *other == text && !found.contains(number));
            if let Some((number, _)) = same.min_by_key(|(number, _)| number.abs_diff(at)) {
                found.insert(*number);
            }
        }
    }
    found
}

/// Numbers that follow each other as runs.
fn runs(numbers: &BTreeSet<u32>) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some((_, end)) if *end + 1 == number => *end = number,
            Some(_) | None => runs.push((number, number)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::change_from_patch;

    #[test]
    fn a_fix_names_the_commit_that_it_blames() {
        let commits = [CommitId::new("0123abc0123abc0123abc0123abc0123abc01234").expect("an id")];
        for (message, expected) in [
            ("Revert \"x\"\n\nThis reverts commit 0123abc0123abc0123abc0123abc0123abc01234.", true),
            ("Fix x\n\nFixes: 0123abc0123a (\"Add x\")", true),
            ("Fix a regression from 0123ABC", true),
            ("The bug was introduced by 0123abc0.", true),
            ("Fix x\n\nFixes: 0123abd0123a", false),
            ("Fix x\n\nFixes: 0123ab", false),
            ("Fix x\n\nFixes #123", false),
            ("(cherry picked from commit 0123abc0123abc0123abc0123abc0123abc01234)", false),
            ("0123abc0123 is fine, this fixes something else", false),
            ("", false),
        ] {
            assert_eq!(names_any(&blamed(message), &commits), expected, "{message}");
        }
    }

    fn check(fix: &str, expected: Option<&[Option<(u32, u32)>]>) {
        let change = "--- a/a.rs\n+++ b/a.rs\n@@ -1,2 +1,6 @@\n fn a() {}\n+fn b() {\n+    one();\n+    two();\n+}\n fn z() {}\n";
        let change = change_from_patch(change.as_bytes());
        let issue = issue(&change, &change_from_patch(fix.as_bytes()));
        let lines = issue.map(|known| known.places.iter().map(|place| place.lines).collect::<Vec<_>>());
        assert_eq!(lines.as_deref(), expected, "{fix}");
    }

    #[test]
    fn the_issue_is_where_the_fix_undid_the_change() {
        // Lines have moved by ten since.
        check(
            "--- a/a.rs\n+++ b/a.rs\n@@ -12,3 +12,3 @@\n fn b() {\n-    one();\n-    two();\n+    three();\n }\n",
            Some(&[Some((3, 4))]),
        );
        check(
            "--- a/a.rs\n+++ b/a.rs\n@@ -12,3 +12,4 @@\n fn b() {\n     one();\n+    guard();\n     two();\n",
            Some(&[Some((3, 4))]),
        );
        check("--- a/a.rs\n+++ b/a.rs\n@@ -90 +90,2 @@\n elsewhere();\n+    guard();\n", Some(&[None]));
        check("--- a/b.rs\n+++ b/b.rs\n@@ -1 +1 @@\n-    one();\n+    two();\n", None);
        check("--- a/a.rs\n+++ b/a.rs\n@@ -12 +12 @@\n-}\n+};\n", Some(&[None]));
    }
}
