//! Lines of a file or a message as one running text, so that a sentence can be read across its line ends.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use review::{Hunk, LineKind};

use super::phrases::{KEYWORDS, TURN_MARKS};

/// How far round a keyword a sentence is read, in bytes.
const REACH: usize = 240;

/// Running text, and where its lines came from.
pub(super) struct Prose {
    text: String,
    lines: Vec<Line>,
}

struct Line {
    /// Where it starts in the running text.
    start: usize,
    /// Its number.
    number: u32,
    /// Whether the change adds it.
    added: bool,
    /// How many bytes of marks were taken off its start.
    trimmed: usize,
}

static SEARCH: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let words = KEYWORDS.iter().chain(&TURN_MARKS);
    AhoCorasick::builder().ascii_case_insensitive(true).build(words).expect("a test builds it")
});

impl Prose {
    /// The new side of a hunk.
    pub(super) fn of_hunk(hunk: &Hunk) -> Self {
        let lines = hunk.lines().filter_map(|line| match (line.kind, line.new) {
            (LineKind::Removed, _) | (_, None) => None,
            (kind, Some(number)) => Some((number, kind == LineKind::Added, line.text)),
        });
        Self::of(lines)
    }

    /// A message, whose lines are all new.
    pub(super) fn of_text(text: &str) -> Self {
        Self::of((1..).zip(text.split('\n')).map(|(number, line)| (number, true, line)))
    }

    fn of<'a>(lines: impl Iterator<Item = (u32, bool, &'a str)>) -> Self {
        let mut prose = Self { text: String::new(), lines: Vec::new() };
        for (number, added, raw) in lines {
            let words = raw.trim_start_matches(is_mark);
            let trimmed = raw.len() - words.len();
            prose.lines.push(Line { start: prose.text.len(), number, added, trimmed });
            prose.text.push_str(words.trim_end_matches(['\r', ' ', '\t', '\\']));
            prose.text.push('\n');
        }
        prose
    }

    /// The running text. Line ends are single line feeds.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where keywords are, in order.
    pub(super) fn places(&self) -> Vec<usize> {
        SEARCH.find_iter(&self.text).map(|found| found.start()).collect()
    }

    /// What is read round a place.
    pub(super) fn window(&self, place: usize) -> Range<usize> {
        let start = self.text.floor_char_boundary(place.saturating_sub(REACH));
        let end = self.text.ceil_char_boundary((place + REACH).min(self.text.len()));
        start..end
    }

    /// The first line that the change adds among those of a range: its number, and where in it to quote.
    pub(super) fn added_line(&self, range: &Range<usize>) -> Option<(u32, usize)> {
        let first = self.lines.partition_point(|line| line.start <= range.start).saturating_sub(1);
        let mut touched = self.lines[first..].iter().take_while(|line| line.start < range.end);
        let line = touched.find(|line| line.added)?;
        Some((line.number, range.start.saturating_sub(line.start) + line.trimmed))
    }
}

/// Indentation, and the marks of comments and quotations.
fn is_mark(character: char) -> bool {
    character.is_whitespace() || matches!(character, '#' | '/' | '*' | ';' | '%' | '>' | '|' | '!')
}
