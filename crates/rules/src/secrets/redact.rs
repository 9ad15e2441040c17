//! Takes secrets out of text, so that what is left can be shown and sent.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};
use review::change::Content;
use review::{FileChange, Hunk};

use super::scanner::scan;
use super::{NOT_SCANNED, SecretSpan, table};

/// Takes secrets out of every line of a file's hunks, whichever side it is on: `[redacted:<rule>]` stands in for
/// each. Numbers and markers stay.
///
/// `spans` are those of [`FileReport`](crate::FileReport). What they hold is taken out wherever else it stands in
/// the file, if it has at least eight characters.
pub fn redact_hunks(file: &FileChange, spans: &[SecretSpan]) -> FileChange {
    Redacted::new(file, spans).file.into_owned()
}

/// A file without its secrets, and what is needed to take them out of other lines.
pub(crate) struct Redacted<'a> {
    /// The file without its secrets.
    pub(crate) file: Cow<'a, FileChange>,
    values: Values,
}

impl<'a> Redacted<'a> {
    pub(super) fn new(file: &'a FileChange, spans: &[SecretSpan]) -> Self {
        let mut spans = spans.to_vec();
        spans.sort_by_key(|span| span.hunk);
        let values = Values::of(file.hunks(), &spans);
        let hunks = file.hunks().iter().enumerate().map(|(index, hunk)| {
            let from = spans.partition_point(|span| span.hunk < index);
            redact_hunk(hunk, spans[from..].iter().take_while(|span| span.hunk == index), &values)
        });
        let content = match &file.content {
            Content::Text(_) => Content::Text(hunks.collect()),
            Content::Binary => Content::Binary,
            Content::Nothing => Content::Nothing,
        };
        Self { file: Cow::Owned(FileChange { content, ..file.clone() }), values }
    }

    /// A file that holds no secret.
    pub(super) fn unchanged(file: &'a FileChange) -> Self {
        Self { file: Cow::Borrowed(file), values: Values::none() }
    }

    /// Takes secrets out of a line that need not be in the hunks.
    pub(crate) fn line(&self, line: &str) -> String {
        let mut lines = [line.to_owned()];
        redact_lines(&mut lines, &self.values);
        let [line] = lines;
        line
    }
}

/// Takes secrets out of a text of lines; tells how many places were taken out.
pub fn redact_text(text: &str) -> (String, usize) {
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let count = redact_lines(&mut lines, &Values::none());
    (lines.join("\n"), count)
}

fn redact_hunk<'a>(hunk: &Hunk, spans: impl Iterator<Item = &'a SecretSpan>, values: &Values) -> Hunk {
    let mut lines: Vec<String> = hunk.lines().map(|line| line.text.to_owned()).collect();
    let mut by_line: Vec<Vec<(Range<usize>, &str)>> = vec![Vec::new(); lines.len()];
    for span in spans {
        if let Some(ranges) = by_line.get_mut(span.line) {
            ranges.push((span.bytes.clone(), span.rule));
        }
    }
    for (line, ranges) in lines.iter_mut().zip(by_line) {
        replace(line, ranges);
    }
    redact_lines(&mut lines, values);
    let mut texts = lines.into_iter();
    let mut redacted = hunk.with_lines_replaced(|_| texts.next());
    redacted.heading = redact_text(&hunk.heading).0;
    redacted
}

/// Takes out until nothing more is found: a secret may only show when the one before it is gone.
fn redact_lines(lines: &mut [String], values: &Values) -> usize {
    let mut count = 0;
    let mut values_of_lines = Values::none();
    loop {
        for line in lines.iter_mut() {
            let mut found = values.find(line);
            found.extend(values_of_lines.find(line));
            count += found.len();
            replace(line, found);
        }
        let texts: Vec<&str> = lines.iter().map(String::as_str).collect();
        let scan = scan(&texts);
        if scan.hits.is_empty() && scan.unscanned.is_empty() {
            return count;
        }
        count += scan.hits.len() + scan.unscanned.len();
        values_of_lines
            .extend(scan.hits.iter().map(|hit| (&texts[hit.line][hit.bytes.clone()], hit.format.id)));
        let mut by_line: Vec<Vec<(Range<usize>, &str)>> = vec![Vec::new(); lines.len()];
        for hit in scan.hits {
            by_line[hit.line].push((hit.bytes, hit.format.id));
        }
        for line in scan.unscanned {
            by_line[line].push((0..texts[line].len(), NOT_SCANNED));
        }
        for (line, ranges) in lines.iter_mut().zip(by_line) {
            replace(line, ranges);
        }
    }
}

/// Replaces ranges of a line; of those that overlap the first wins and takes the others' bytes with it.
fn replace(line: &mut String, mut ranges: Vec<(Range<usize>, &str)>) {
    if ranges.is_empty() {
        return;
    }
    ranges.sort_by_key(|(range, _)| (range.start, usize::MAX - range.end));
    let mut replaced = String::with_capacity(line.len());
    let mut done = 0;
    for (range, rule) in ranges {
        if range.start >= done {
            replaced.push_str(&line[done..range.start]);
            replaced.push_str(&mark(rule));
        }
        done = done.max(range.end);
    }
    replaced.push_str(&line[done..]);
    *line = replaced;
}

const MARK_START: &str = "[redacted:";

fn mark(rule: &str) -> String {
    format!("{MARK_START}{rule}]")
}

/// Finds the marks that stand for secrets taken out before. Only the names of rules make one: what else an author
/// writes between such brackets is text.
pub(super) fn marks(line: &str) -> Vec<Range<usize>> {
    line.match_indices(MARK_START)
        .filter_map(|(start, _)| {
            let name = &line[start + MARK_START.len()..];
            let name = &name[..name.find(']')?];
            let known = name == NOT_SCANNED || table::all().any(|format| format.id == name);
            known.then(|| start..start + MARK_START.len() + name.len() + 1)
        })
        .collect()
}

/// The shortest secret that is looked for by its value; shorter ones are words too.
const MIN_VALUE_BYTES: usize = 8;

/// Secrets that were found, to be taken out wherever they stand.
#[derive(Debug, Default)]
struct Values {
    known: BTreeMap<String, &'static str>,
    finder: Option<AhoCorasick>,
    /// The rule of each pattern of the finder.
    rules: Vec<&'static str>,
}

impl Values {
    fn none() -> Self {
        Self::default()
    }

    fn of(hunks: &[Hunk], spans: &[SecretSpan]) -> Self {
        let mut values = Self::none();
        let mut spans = spans.iter().filter(|span| span.rule != NOT_SCANNED).peekable();
        for (index, hunk) in hunks.iter().enumerate() {
            let mut here = Vec::new();
            while let Some(span) = spans.next_if(|span| span.hunk <= index) {
                here.push(span);
            }
            if !here.is_empty() {
                let lines: Vec<_> = hunk.lines().collect();
                values.extend(here.into_iter().filter_map(|span| {
                    Some((lines.get(span.line)?.text.get(span.bytes.clone())?, span.rule))
                }));
            }
        }
        values
    }

    fn extend<'a>(&mut self, values: impl Iterator<Item = (&'a str, &'static str)>) {
        let before = self.known.len();
        let long_enough = values.filter(|(value, _)| value.len() >= MIN_VALUE_BYTES);
        self.known.extend(long_enough.map(|(value, rule)| (value.to_owned(), rule)));
        if self.known.len() > before {
            let finder = AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(self.known.keys())
                .expect("secrets of one file fit an automaton");
            self.finder = Some(finder);
            self.rules = self.known.values().copied().collect();
        }
    }

    fn find(&self, line: &str) -> Vec<(Range<usize>, &'static str)> {
        let Some(finder) = &self.finder else { return Vec::new() };
        let redacted = marks(line);
        finder
            .find_iter(line)
            .filter(|found| !redacted.iter().any(|mark| mark.start < found.end() && found.start() < mark.end))
            .map(|found| (found.range(), self.rules[found.pattern().as_usize()]))
            .collect()
    }
}
