//! Which lines a change touches, and which text stands for a file where only its hunks are at hand.

use code::Language;
use review::change::{Operation, RepoPath};
use review::{FileChange, LineKind, Side};

/// A text to read, and where its lines stand in the file.
pub(super) struct Piece {
    pub(super) text: String,
    /// The number of each line in the file; empty where they are the same.
    numbers: Vec<u32>,
    /// Whether there is more of the file than this.
    pub(super) is_part: bool,
}

impl Piece {
    /// A text put together from lines of a file, each with its number there.
    pub(super) fn of_lines(text: String, numbers: Vec<u32>) -> Self {
        Self { text, numbers, is_part: false }
    }

    /// The line of the file that a line of the text is.
    pub(super) fn line(&self, line: u32) -> u32 {
        match self.numbers.as_slice() {
            [] => line,
            [.., last] => self.numbers.get(line.saturating_sub(1) as usize).copied().unwrap_or(*last),
        }
    }
}

/// What there is to read of one side of a file: the whole of it, or that side of each hunk.
pub(super) fn pieces(language: Language, file: &FileChange, whole: Option<&str>, side: Side) -> Vec<Piece> {
    if let Some(text) = whole {
        return vec![Piece { text: text.to_owned(), numbers: Vec::new(), is_part: false }];
    }
    let is_whole = file.operation == Operation::Added && file.hunks().len() <= 1;
    let of_hunk = |hunk: &review::Hunk| {
        let lines: Vec<_> = hunk
            .lines()
            .filter_map(|line| Some((line.number(side)?, line.text.trim_end_matches('\r'))))
            .collect();
        let indent = if language == Language::Python {
            let indents = lines.iter().filter(|(_, text)| !text.trim().is_empty());
            indents.map(|(_, text)| text.len() - text.trim_start().len()).min().unwrap_or(0)
        } else {
            0
        };
        let mut text = String::new();
        if language == Language::Php && !lines.iter().any(|(_, text)| text.contains("<?")) {
            text.push_str("<?php ");
        }
        for (_, line) in &lines {
            text.push_str(line.get(indent..).unwrap_or_default());
            text.push('\n');
        }
        Piece { text, numbers: lines.iter().map(|(number, _)| *number).collect(), is_part: !is_whole }
    };
    file.hunks().iter().map(of_hunk).collect()
}

/// The lines of the head that a change has to do with.
pub(super) struct Touched {
    added: Vec<u32>,
    /// Lines of the head that stand where lines were removed.
    removed_before: Vec<u32>,
    everything: bool,
}

/// How far from a value's way a line may have been removed that guarded it.
const GUARD_DISTANCE: u32 = 3;

impl Touched {
    pub(super) fn of(file: &FileChange) -> Self {
        let mut touched = Self { added: Vec::new(), removed_before: Vec::new(), everything: false };
        for hunk in file.hunks() {
            let mut next = hunk.new_start;
            for line in hunk.lines() {
                match line.kind {
                    LineKind::Added => touched.added.extend(line.new),
                    LineKind::Removed => touched.removed_before.push(next),
                    LineKind::Context => {}
                }
                next = line.new.map_or(next, |number| number.saturating_add(1));
            }
        }
        touched
    }

    /// For a text all of which counts.
    pub(super) fn everything() -> Self {
        Self { added: Vec::new(), removed_before: Vec::new(), everything: true }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed_before.is_empty()
    }

    pub(super) fn touches(&self, first: u32, last: u32) -> bool {
        self.everything
            || first_in(&self.added, first, last).is_some()
            || first_in(&self.removed_before, first, last).is_some()
    }

    /// Where a danger is shown: where it happens if that is new, else the first new line that led to it, else, where
    /// a line was removed on the way, where it happens.
    pub(super) fn place(&self, lines: (u32, u32), way: &[u32]) -> Option<u32> {
        if let Some(line) = first_in(&self.added, lines.0, lines.1) {
            return Some(line);
        }
        if let Some(line) = way.iter().copied().find(|line| self.added.binary_search(line).is_ok()) {
            return Some(line);
        }
        let first = way.iter().copied().chain([lines.0]).min().unwrap_or(lines.0);
        let (first, last) = (first.min(lines.0).saturating_sub(GUARD_DISTANCE), lines.1);
        first_in(&self.removed_before, first, last).map(|_| lines.0)
    }
}

fn first_in(sorted: &[u32], first: u32, last: u32) -> Option<u32> {
    let from = sorted.partition_point(|line| *line < first);
    sorted.get(from).copied().filter(|line| *line <= last)
}

/// The text of a line of the head.
pub(super) fn text_of<'a>(file: &'a FileChange, head: Option<&'a str>, line: u32) -> &'a str {
    let in_hunks = file.hunks().iter().flat_map(review::Hunk::lines).find(|it| it.new == Some(line));
    match (in_hunks, head) {
        (Some(found), _) => found.text,
        (None, Some(head)) => head.split('\n').nth(line.saturating_sub(1) as usize).unwrap_or_default(),
        (None, None) => "",
    }
}

/// Whether a file is a test, or something that tests use, by its path.
pub(super) fn is_test_path(path: &RepoPath) -> bool {
    const FOLDERS: [&str; 27] = [
        "test",
        "tests",
        "__tests__",
        "__test__",
        "testdata",
        "test-data",
        "test_data",
        "testing",
        "spec",
        "specs",
        "e2e",
        "fixtures",
        "__fixtures__",
        "__mocks__",
        "mocks",
        "cypress",
        "playwright",
        "integration-tests",
        "integration_tests",
        "unittests",
        "unit-tests",
        "testsuite",
        "androidTest",
        "benches",
        "benchmarks",
        "integrationTest",
        "testlib",
    ];
    let name = path.file_name();
    let stem = name.split('.').next().unwrap_or(name);
    let in_folder = path.as_str().split('/').rev().skip(1).any(|folder| FOLDERS.contains(&folder));
    let inner = name.rsplit('.').nth(1).unwrap_or_default();
    in_folder
        || stem.starts_with("test_")
        || ["_test", "_tests", "_spec", "-test", "-spec"].iter().any(|end| stem.ends_with(end))
        || ["Test", "Tests", "TestCase", "Spec", "IT"]
            .iter()
            .any(|end| stem.ends_with(end) && stem.len() > end.len() && name.ends_with(".java"))
        || matches!(inner, "test" | "tests" | "spec" | "specs" | "e2e" | "cy" | "stories")
        || name == "conftest.py"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_told_by_their_paths() {
        for path in [
            "a/tests/b.py",
            "src/x.test.ts",
            "pkg/a_test.go",
            "spec/models/a_spec.rb",
            "FooTest.java",
            "test_a.py",
        ] {
            assert!(is_test_path(&RepoPath::from(path)), "{path}");
        }
        for path in
            ["src/attest.py", "latest/a.go", "contest.js", "src/main/java/Testing.java", "src/testament/a.rs"]
        {
            assert!(!is_test_path(&RepoPath::from(path)), "{path}");
        }
    }

    #[test]
    fn a_danger_is_shown_where_the_change_made_it() {
        let touched = Touched { added: vec![5, 9], removed_before: vec![20], everything: false };
        assert_eq!(touched.place((8, 10), &[2]), Some(9));
        assert_eq!(touched.place((12, 12), &[2, 5]), Some(5));
        assert_eq!(touched.place((12, 12), &[2]), None);
        assert_eq!(touched.place((22, 22), &[21]), Some(22));
    }
}
