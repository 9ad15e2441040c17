//! Where a finding stands: what of a line is quoted, and what its path says.

use std::collections::HashMap;

use review::anchor::says_where_it_is_from;
use review::text::visible;
use review::{Finding, Hunk, RepoPath, Side};

use crate::secrets::Redacted;

/// The longest quote, in bytes: enough to find the place, small enough for a comment.
const MAX_QUOTE_BYTES: usize = 300;

/// Quotes a line round a byte offset, with what cannot be seen written out. The line must be redacted already.
///
/// A quote is a whole piece of the line, so that it can be looked for in it.
pub(crate) fn quote(line: &str, offset: usize) -> String {
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.len() <= MAX_QUOTE_BYTES {
        return visible(line);
    }
    let start = floor(line, offset.saturating_sub(MAX_QUOTE_BYTES / 3));
    let end = floor(line, start + MAX_QUOTE_BYTES);
    visible(&line[start..end])
}

/// Quotes of a file's lines without its secrets.
///
/// A line may be a whole program, and hold a thousand findings: secrets are taken out of it once.
pub(crate) struct Quotes<'a> {
    redacted: &'a Redacted<'a>,
    known: HashMap<u32, String>,
}

impl<'a> Quotes<'a> {
    /// Starts without a quote.
    pub(crate) fn of(redacted: &'a Redacted<'_>) -> Self {
        Self { redacted, known: HashMap::new() }
    }

    /// Quotes the beginning of a line, whose text is asked for the first time only.
    pub(crate) fn line<'t>(&mut self, number: u32, text: impl FnOnce() -> &'t str) -> String {
        let redacted = self.redacted;
        self.known.entry(number).or_insert_with(|| quote(&redacted.line(text()), 0)).clone()
    }
}

/// The most lines that a finding is widened to.
const MOST_LINES: u32 = 5;

/// Lets a finding at a line like `---` or `{` quote the lines below it, too; where they say no more, it is about the file as a
/// whole. Hunks without secrets.
pub(crate) fn widen_quotes(findings: &mut [Finding], hunks: &[Hunk]) {
    for finding in findings {
        let Some((first, _)) = finding.lines else { continue };
        if says_where_it_is_from(&finding.quote) {
            continue;
        }
        let below = |hunk: &Hunk| -> Option<(u32, String)> {
            let mut text = String::new();
            for line in hunk.lines() {
                let number = match finding.side {
                    Side::Head => line.new,
                    Side::Base => line.old,
                };
                let Some(number) = number.filter(|number| (first..first + MOST_LINES).contains(number))
                else {
                    continue;
                };
                text.push_str(&quote(line.text, 0));
                if says_where_it_is_from(&text) {
                    return Some((number, text));
                }
                text.push('\n');
            }
            None
        };
        match hunks.iter().find_map(below) {
            Some((last, quote)) => {
                finding.lines = Some((first, last));
                finding.quote = quote;
            }
            None => {
                finding.lines = None;
                finding.quote = String::new();
            }
        }
    }
}

/// The longest line that a person writes, in bytes.
const MAX_WRITTEN_BYTES: usize = 1_000;

/// Whether a line of so many bytes is a program's work: minified, or generated.
pub(crate) fn is_minified(line_bytes: usize) -> bool {
    line_bytes > MAX_WRITTEN_BYTES
}

/// Folders whose files are tried out, not run.
const TRIAL_FOLDERS: [&str; 13] = [
    "__tests__",
    "e2e",
    "example",
    "examples",
    "fixture",
    "fixtures",
    "spec",
    "specs",
    "test",
    "test_data",
    "testdata",
    "testing",
    "tests",
];

/// Whether a file is a test or an example, by its folders or by what its name says.
pub(crate) fn is_trial(path: &RepoPath) -> bool {
    let lowercase = path.as_str().to_ascii_lowercase();
    let (folders, name) = lowercase.rsplit_once('/').unwrap_or(("", &lowercase));
    let stem = name.split('.').next().unwrap_or(name);
    let in_name = name.contains(".test.")
        || name.contains(".spec.")
        || stem.starts_with("test_")
        || ["_test", "_tests", "_spec", "-test"].iter().any(|end| stem.ends_with(end))
        || (path.file_name().contains("Test.") || path.file_name().contains("Tests."));
    in_name || folders.split('/').any(|folder| TRIAL_FOLDERS.contains(&folder))
}

/// The nearest character border at or before an offset.
pub(crate) fn floor(text: &str, offset: usize) -> usize {
    text.floor_char_boundary(offset)
}

/// The nearest character border at or behind an offset.
pub(crate) fn ceil(text: &str, offset: usize) -> usize {
    text.ceil_char_boundary(offset)
}

#[cfg(test)]
mod tests {
    use review::{Category, Lens, Severity};

    use super::*;

    #[test]
    fn a_quote_of_a_long_line_is_a_piece_of_it_round_the_place() {
        let line = format!("{}needle{}", "ä".repeat(500), "b".repeat(500));
        let quote = quote(&line, 1000);
        assert!(quote.contains("needle") && line.contains(&quote) && quote.len() <= MAX_QUOTE_BYTES);
    }

    #[test]
    fn a_test_is_known_by_its_path() {
        for path in [
            "tests/a.rs",
            "src/a_test.go",
            "a/test_b.py",
            "web/a.test.tsx",
            "src/FooTest.java",
            "e2e/login.ts",
        ] {
            assert!(is_trial(&RepoPath::from(path)), "{path}");
        }
        for path in ["src/a.rs", "src/contest.rs", "latest/a.py", "src/attestation.go", "migrations/1.sql"] {
            assert!(!is_trial(&RepoPath::from(path)), "{path}");
        }
    }

    #[test]
    fn a_line_that_says_nothing_is_quoted_with_those_below_it() {
        let hunk = |body: &str| Hunk::new(1, 1, String::new(), body.to_owned(), false);
        let finding = |lines, quote: &str| Finding {
            category: Category::parse("prompt-health/instruction", Lens::PromptHealth),
            severity: Severity::Low,
            file: RepoPath::from("AGENTS.md"),
            lines,
            side: Side::Head,
            quote: quote.to_owned(),
            title: String::new(),
            body: String::new(),
            rule: Some("prompt-health/agents".to_owned()),
        };
        let first = hunk("+{\n-was: 1\n+\n+name: oak\n+{\n+}\n");
        let table = [
            ((1, 1), "{", Some((1, 3)), "{\n\nname: oak"),
            ((3, 3), "name: oak", Some((3, 3)), "name: oak"),
            ((4, 4), "{", None, ""),
        ];
        for (lines, quote, widened, expected) in table {
            let mut findings = [finding(Some(lines), quote)];
            widen_quotes(&mut findings, std::slice::from_ref(&first));
            assert_eq!((findings[0].lines, findings[0].quote.as_str()), (widened, expected), "{lines:?}");
        }
    }

    #[test]
    fn a_quote_shows_what_cannot_be_seen_but_not_the_line_end() {
        assert_eq!(quote("a\u{200b}b\r", 0), "a\\u{200b}b");
    }
}
