//! Where in the change a finding really is (law 8).
//!
//! A model's line numbers are a hint; its quote decides. The quote is looked for in the named file's hunks, then
//! in the other files of the change, then in whole files at the base and the head. White space is folded, and a
//! line marker or number that the model copied from its prompt is taken off.

use std::collections::BTreeMap;

use crate::change::{Change, FileChange, RepoPath, Side};
use crate::finding::Finding;

/// Whole texts of files that findings name, where a repository is at hand.
#[derive(Debug, Clone, Default)]
pub struct FileTexts {
    texts: BTreeMap<(RepoPath, Side), String>,
}

impl FileTexts {
    /// Adds the text of a file on one side, redacted as the change is.
    pub fn insert(&mut self, path: RepoPath, side: Side, text: String) {
        self.texts.insert((path, side), text);
    }

    /// All of them, in a fixed order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&RepoPath, Side, &str)> {
        self.texts.iter().map(|((path, side), text)| (path, *side, text.as_str()))
    }

    /// The text of a file on one side, if it is known.
    pub(crate) fn get(&self, path: &RepoPath, side: Side) -> Option<&str> {
        self.texts.get(&(path.clone(), side)).map(String::as_str)
    }
}

/// Where a finding is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Anchor {
    /// At lines of the diff, verified by the quote.
    Line {
        /// The changed file, by its index.
        file: usize,
        /// Which version the lines are in.
        side: Side,
        /// First and last line, from 1.
        lines: (u32, u32),
    },
    /// At a changed file as a whole.
    File {
        /// The changed file, by its index.
        file: usize,
    },
    /// The quote stands in a file outside the changed lines; it is told at the hunk that it follows from.
    Elsewhere {
        /// The file that the quote is in.
        path: RepoPath,
        /// At the base or the head.
        side: Side,
        /// First and last line there, from 1.
        lines: (u32, u32),
        /// The changed file, by its index, and its hunk, where the finding is told.
        told_at: (usize, usize),
    },
    /// The quote is found nowhere.
    Unanchored {
        /// Why, in a sentence.
        reason: String,
    },
}

/// The least letters and digits that a quote must have to say where it is from.
const LEAST_QUOTE: usize = 3;

/// Looks for the place of a finding.
///
/// A quote that stands nowhere as it was given is looked for once more without what models put round quotes. What the rules
/// found in a changed file is somewhere: they count lines themselves, so those are believed where their quote is not found.
pub fn anchor(finding: &Finding, change: &Change, texts: &FileTexts) -> Anchor {
    let given = anchor_quote(fold_quote(&finding.quote), finding, change, texts);
    if !matches!(given, Anchor::Unanchored { .. }) {
        return given;
    }
    let undressed = undress(&finding.quote)
        .map(|undressed| anchor_quote(fold_quote(&undressed), finding, change, texts))
        .filter(|anchor| !matches!(anchor, Anchor::Unanchored { .. }));
    undressed.or_else(|| where_a_rule_says(finding, change)).unwrap_or(given)
}

/// The lines that a rule names, or else its file; none for a model's finding.
fn where_a_rule_says(finding: &Finding, change: &Change) -> Option<Anchor> {
    finding.rule.as_ref()?;
    let file = find_file(&finding.file, change)?;
    let at_lines = finding.lines.filter(|(first, last)| {
        change.files[file]
            .hunks()
            .iter()
            .filter_map(|hunk| hunk.range(finding.side))
            .any(|(start, end)| start <= *first && first <= last && *last <= end)
    });
    Some(match at_lines {
        Some(lines) => Anchor::Line { file, side: finding.side, lines },
        None => Anchor::File { file },
    })
}

fn anchor_quote(quote: Vec<String>, finding: &Finding, change: &Change, texts: &FileTexts) -> Anchor {
    let named = find_file(&finding.file, change);
    if quote.is_empty() {
        return match named {
            // Only the rules speak about a file as a whole; a model has to quote.
            Some(file) if finding.rule.is_some() => Anchor::File { file },
            Some(_) | None => unanchored("it quotes nothing"),
        };
    }
    if is_too_short(&quote) {
        return unanchored("its quote is too short to say where it is from");
    }
    let hint = finding.lines.map(|(start, _)| start);
    let in_file = |index: usize| {
        let file = &change.files[index];
        let sides = [finding.side, other(finding.side)];
        sides.into_iter().find_map(|side| {
            let lines = find_in_hunks(&quote, file, side, hint)?;
            Some(Anchor::Line { file: index, side, lines })
        })
    };
    if let Some(anchor) = named.and_then(in_file) {
        return anchor;
    }
    let elsewhere = || {
        let path = named.map_or(&finding.file, |index| &change.files[index].path);
        [finding.side, other(finding.side)].into_iter().find_map(|side| {
            let lines = find_in_text(&quote, texts.get(path, side)?, hint)?;
            let told_at = told_at(change, named, lines.0, side)?;
            Some(Anchor::Elsewhere { path: path.clone(), side, lines, told_at })
        })
    };
    elsewhere()
        .or_else(|| relocate(change, named, in_file))
        .unwrap_or_else(|| unanchored("its quote stands nowhere in the change or in the file that it names"))
}

/// Whether a quote holds enough letters and digits to be looked for.
pub fn says_where_it_is_from(quote: &str) -> bool {
    !is_too_short(&fold_quote(quote))
}

/// Whether a quote stands in a text that was shown, with or without the markers that a prompt puts before lines.
pub(crate) fn stands_in(quote: &str, shown: &str) -> bool {
    let quote = fold_quote(quote);
    let lines: Vec<(u32, String)> = (1..).zip(shown.lines().map(|line| fold(strip_marker(line)))).collect();
    !is_too_short(&quote) && !find_runs(&quote, &lines).is_empty()
}

/// Whether a quote stands at these lines of a whole text, nearest to where it was said to be.
pub(crate) fn stands_at(quote: &str, text: &str, lines: (u32, u32)) -> bool {
    let given = fold_quote(quote);
    let undressed = undress(quote).map(|quote| fold_quote(&quote));
    std::iter::once(given)
        .chain(undressed)
        .any(|quote| !is_too_short(&quote) && find_in_text(&quote, text, Some(lines.0)) == Some(lines))
}

/// The paths whose whole texts could anchor a finding that the hunks alone cannot.
pub fn texts_wanted(findings: &[Finding], change: &Change) -> Vec<RepoPath> {
    let mut wanted: Vec<RepoPath> = findings
        .iter()
        .filter(|finding| matches!(anchor(finding, change, &FileTexts::default()), Anchor::Unanchored { .. }))
        .filter(|finding| !finding.quote.trim().is_empty() && !finding.file.as_str().is_empty())
        .map(|finding| match find_file(&finding.file, change) {
            Some(index) => change.files[index].path.clone(),
            None => finding.file.clone(),
        })
        .collect();
    wanted.sort();
    wanted.dedup();
    wanted
}

fn is_too_short(quote: &[String]) -> bool {
    quote.iter().flat_map(|line| line.chars()).filter(|c| c.is_alphanumeric()).count() < LEAST_QUOTE
}

fn unanchored(reason: &str) -> Anchor {
    Anchor::Unanchored { reason: reason.to_owned() }
}

fn other(side: Side) -> Side {
    match side {
        Side::Base => Side::Head,
        Side::Head => Side::Base,
    }
}

/// The file of that path; or the only one whose path ends in it, since models leave folders out.
fn find_file(path: &RepoPath, change: &Change) -> Option<usize> {
    let name = path.as_str();
    if name.is_empty() {
        return None;
    }
    let exact = |file: &FileChange| file.path == *path || file.old_path.as_ref() == Some(path);
    if let Some(index) = change.files.iter().position(exact) {
        return Some(index);
    }
    let prefixed = name.strip_prefix("a/").or_else(|| name.strip_prefix("b/")).unwrap_or(name);
    let tail = format!("/{prefixed}");
    let mut matching = (0..change.files.len()).filter(|&index| {
        let path = change.files[index].path.as_str();
        path == prefixed || path.ends_with(&tail)
    });
    let first = matching.next()?;
    matching.next().is_none().then_some(first)
}

/// Other files of the change, if the quote stands in exactly one of them.
fn relocate(
    change: &Change,
    named: Option<usize>,
    in_file: impl Fn(usize) -> Option<Anchor>,
) -> Option<Anchor> {
    let mut found = (0..change.files.len()).filter(|index| Some(*index) != named).filter_map(in_file);
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// The hunk at which a finding about another place is told: the nearest one of the same file.
fn told_at(change: &Change, named: Option<usize>, line: u32, side: Side) -> Option<(usize, usize)> {
    let file = named?;
    let hunks = change.files[file].hunks();
    let distance = |hunk: usize| {
        hunks[hunk].range(side).map_or(u32::MAX, |(first, last)| {
            if line < first { first - line } else { line.saturating_sub(last) }
        })
    };
    (0..hunks.len()).min_by_key(|&hunk| distance(hunk)).map(|hunk| (file, hunk))
}

/// The lines of a quote, folded; empty ones at both ends are left out.
fn fold_quote(quote: &str) -> Vec<String> {
    let lines: Vec<String> = quote.lines().map(|line| fold(strip_marker(line))).collect();
    let first = lines.iter().position(|line| !line.is_empty()).unwrap_or(lines.len());
    let last = lines.iter().rposition(|line| !line.is_empty()).map_or(first, |index| index + 1);
    lines[first..last].to_vec()
}

/// A quote without a code fence or backticks round it, without a diff's `+` or `-` before each of its lines, and
/// without `...` at its end; `None` where it has none of these. What is left has to be found all the same.
fn undress(quote: &str) -> Option<String> {
    let mut lines: Vec<&str> = quote.trim().lines().collect();
    if let [first, .., last] = lines.as_slice()
        && first.trim_start().starts_with("```")
        && last.trim() == "```"
    {
        lines = lines[1..lines.len() - 1].to_vec();
    }
    if let [only] = lines.as_mut_slice()
        && let Some(inside) = only.trim().strip_prefix('`').and_then(|rest| rest.strip_suffix('`'))
    {
        *only = inside;
    }
    let marked = |line: &&str| line.starts_with(['+', '-']);
    if lines.iter().all(marked) {
        lines.iter_mut().for_each(|line| *line = &line[1..]);
    }
    let cut = |line: &str| line.strip_suffix("...").or_else(|| line.strip_suffix('…')).map(str::len);
    if let Some(end) = lines.last().and_then(|last| cut(last.trim_end())) {
        let last = lines.len() - 1;
        lines[last] = &lines[last][..end];
        // Lines are compared whole where there are several, so one that was cut says nothing.
        if last > 0 {
            lines.truncate(last);
        }
    }
    let undressed = lines.join("\n");
    (undressed != quote.trim()).then_some(undressed)
}

/// Writes out what is hidden, as the prompt did, and folds white space; in this order, since some of it is hidden, too.
fn fold(line: &str) -> String {
    let line = crate::text::visible(line.strip_suffix('\r').unwrap_or(line));
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Takes off the `+12| ` that a prompt puts before a line.
fn strip_marker(line: &str) -> &str {
    let Some((before, after)) = line.split_once("| ") else {
        return line;
    };
    let digits = before.trim_start_matches(['+', '-', ' ', '.']);
    let is_marker = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_marker { after } else { line }
}

fn find_in_hunks(quote: &[String], file: &FileChange, side: Side, hint: Option<u32>) -> Option<(u32, u32)> {
    let candidates = file.hunks().iter().flat_map(|hunk| {
        let lines: Vec<(u32, String)> =
            hunk.lines().filter_map(|line| Some((line.number(side)?, fold(line.text)))).collect();
        find_runs(quote, &lines)
    });
    nearest(candidates, hint)
}

fn find_in_text(quote: &[String], text: &str, hint: Option<u32>) -> Option<(u32, u32)> {
    let lines: Vec<(u32, String)> = (1..).zip(text.lines().map(fold)).collect();
    nearest(find_runs(quote, &lines).into_iter(), hint)
}

/// Where the quote's lines follow each other. A quote of one line may be part of a longer line.
fn find_runs(quote: &[String], lines: &[(u32, String)]) -> Vec<(u32, u32)> {
    let matches = |have: &str, want: &str| {
        if quote.len() == 1 { have.contains(want) } else { have == want }
    };
    lines
        .windows(quote.len())
        .filter(|window| window.iter().zip(quote).all(|((_, have), want)| matches(have, want)))
        .map(|window| (window[0].0, window[quote.len() - 1].0))
        .collect()
}

fn nearest(candidates: impl Iterator<Item = (u32, u32)>, hint: Option<u32>) -> Option<(u32, u32)> {
    match hint {
        Some(hint) => candidates.min_by_key(|(start, _)| start.abs_diff(hint)),
        None => candidates.min(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Content, Hunk, Operation, Source, Subject};
    use crate::{Category, Digest, Lens, Severity};

    fn file(path: &str, old_start: u32, new_start: u32, body: &str) -> FileChange {
        FileChange {
            path: path.into(),
            old_path: None,
            operation: Operation::Modified,
            modes: (None, None),
            content: Content::Text(vec![Hunk::new(old_start, new_start, String::new(), body.into(), false)]),
        }
    }

    fn change() -> Change {
        Change {
            subject: Subject { source: Source::Patch, base: None, head: None, diff_digest: Digest::of(b"") },
            title: String::new(),
            body: String::new(),
            branch: None,
            commits: Vec::new(),
            files: vec![
                file("src/a.rs", 10, 10, " fn f() {\n-    old(1);\n+    new(1);\n+    new(2);\n }\n"),
                file("src/b.rs", 1, 1, "+    unique_call(x,  y);\n+}\n"),
                file("lib/b.rs", 1, 1, "+    new(2);\n"),
            ],
            gaps: Vec::new(),
        }
    }

    fn finding(file: &str, line: u32, quote: &str) -> Finding {
        Finding {
            category: Category::parse("", Lens::Correctness),
            severity: Severity::Low,
            file: file.into(),
            lines: Some((line, line)),
            side: Side::Head,
            quote: quote.into(),
            title: "t".into(),
            body: "b".into(),
            rule: None,
        }
    }

    fn line(file: usize, side: Side, start: u32, end: u32) -> Anchor {
        Anchor::Line { file, side, lines: (start, end) }
    }

    #[test]
    fn a_quote_is_found_where_it_is_whatever_line_was_said() {
        let cases = [
            ("src/a.rs", 11, "new(1);", line(0, Side::Head, 11, 11)),
            ("src/a.rs", 99, "    new(1);", line(0, Side::Head, 11, 11)),
            ("src/a.rs", 11, "+11|     new(1);", line(0, Side::Head, 11, 11)),
            ("src/a.rs", 11, "old(1);", line(0, Side::Base, 11, 11)),
            ("src/a.rs", 1, "new(1);\n  new(2);", line(0, Side::Head, 11, 12)),
            ("b/src/a.rs", 11, "new(2);", line(0, Side::Head, 12, 12)),
            ("a.rs", 11, "new(2);", line(0, Side::Head, 12, 12)),
            ("src/a.rs", 1, "unique_call(x, y)", line(1, Side::Head, 1, 1)),
            ("src/a.rs", 11, "+    new(1);", line(0, Side::Head, 11, 11)),
            ("src/a.rs", 11, "-    old(1);", line(0, Side::Base, 11, 11)),
            ("src/a.rs", 11, "+    new(1);\n+    new(2);", line(0, Side::Head, 11, 12)),
            ("src/a.rs", 11, "`new(1);`", line(0, Side::Head, 11, 11)),
            ("src/a.rs", 11, "```rust\nnew(1);\nnew(2);\n```", line(0, Side::Head, 11, 12)),
            ("src/a.rs", 11, "`+    new(1);`", line(0, Side::Head, 11, 11)),
            ("src/b.rs", 1, "unique_call(x, ...", line(1, Side::Head, 1, 1)),
            ("src/a.rs", 11, "new(1);\nnew(…", line(0, Side::Head, 11, 11)),
        ];
        for (file, said, quote, expected) in cases {
            assert_eq!(
                anchor(&finding(file, said, quote), &change(), &FileTexts::default()),
                expected,
                "{quote}"
            );
        }
    }

    #[test]
    fn a_quote_that_is_nowhere_or_says_nothing_is_unanchored() {
        for (file, quote) in [
            ("src/a.rs", "rm -rf"),
            ("src/a.rs", ""),
            ("src/a.rs", "}"),
            ("", "invented(quote)"),
            ("src/a.rs", "+    new(9);"),
            ("src/a.rs", "`"),
            ("src/a.rs", "``"),
            ("src/a.rs", "```\n```"),
            ("src/a.rs", "..."),
            ("src/a.rs", "}..."),
            ("src/a.rs", "`new(9);`"),
            ("src/a.rs", "new(1); ... new(9);"),
            ("b.rs", "new(3);"),
            ("src/b.rs", "new("), // in two other files, so nobody knows which one is meant
        ] {
            let anchor = anchor(&finding(file, 11, quote), &change(), &FileTexts::default());
            assert!(matches!(anchor, Anchor::Unanchored { .. }), "{file} {quote}: {anchor:?}");
        }
    }

    #[test]
    fn white_space_that_cannot_be_seen_hides_no_finding() {
        for space in
            ['\u{b}', '\u{c}', '\u{1c}', '\u{1f}', '\u{85}', '\u{a0}', '\u{2028}', '\u{2029}', '\u{3000}']
        {
            for text in [format!("new(1);{space}"), format!("new({space}1);"), format!("{space}new(1);")] {
                let mut change = change();
                change.files = vec![file("src/a.rs", 10, 10, &format!(" fn f() {{\n+    {text}\n }}\n"))];
                for quote in [crate::text::visible(&text), text.clone()] {
                    let found = anchor(&finding("src/a.rs", 11, &quote), &change, &FileTexts::default());
                    assert_eq!(found, line(0, Side::Head, 11, 11), "{quote:?}");
                }
            }
        }
    }

    #[test]
    fn what_a_rule_found_is_told_whatever_its_quote_is() {
        let texts = FileTexts::default();
        let by_rule = |at: u32| {
            let mut found = finding("src/a.rs", at, "quotes what stands nowhere");
            found.rule = Some("secrets/oak".into());
            anchor(&found, &change(), &texts)
        };
        assert_eq!(by_rule(11), line(0, Side::Head, 11, 11));
        assert_eq!(by_rule(900), Anchor::File { file: 0 });
    }

    #[test]
    fn a_quote_outside_the_hunks_is_told_at_the_nearest_hunk_of_its_file() {
        let mut texts = FileTexts::default();
        texts.insert("src/a.rs".into(), Side::Head, "use x;\n\nstatic LIMIT: u8 = 0;\n".into());
        let found = finding("src/a.rs", 3, "static LIMIT: u8 = 0;");
        assert_eq!(texts_wanted(std::slice::from_ref(&found), &change()), [RepoPath::from("src/a.rs")]);
        assert_eq!(
            anchor(&found, &change(), &texts),
            Anchor::Elsewhere { path: "src/a.rs".into(), side: Side::Head, lines: (3, 3), told_at: (0, 0) }
        );
    }

    #[test]
    fn only_the_rules_may_speak_about_a_file_as_a_whole() {
        let mut found = finding("src/a.rs", 1, "");
        found.rule = Some("files/mode".into());
        assert_eq!(anchor(&found, &change(), &FileTexts::default()), Anchor::File { file: 0 });
    }
}
