//! Lines for a terminal: pieces of text with an ink each, broken to a width, painted at the end.
//!
//! Nothing but this module writes an escape sequence, and whatever it is given passes `visible` first, so that
//! no text of anybody else can move the cursor, colour a line or hide one.

use anstyle::{AnsiColor, Style};
use review::Severity;
use review::judge::Verdict;
use review::text::visible;

use super::Colour;
use crate::wrap::{columns, cut};

/// What a piece of text is, which decides how it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// As it is.
    Plain,
    /// A heading, a title.
    Strong,
    /// What is only read when it is looked for.
    Dim,
    /// The verdict.
    Verdict(Verdict),
    /// A severity.
    Severity(Severity),
}

impl Ink {
    fn style(self) -> Style {
        let colour = |colour: AnsiColor| Style::new().bold().fg_color(Some(colour.into()));
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Dim => Style::new().dimmed(),
            Self::Verdict(Verdict::Clean) => colour(AnsiColor::Green),
            Self::Verdict(Verdict::Findings | Verdict::Inconclusive) => colour(AnsiColor::Yellow),
            Self::Verdict(Verdict::Blocked) => colour(AnsiColor::Red),
            Self::Severity(Severity::Critical | Severity::High) => colour(AnsiColor::Red),
            Self::Severity(Severity::Medium) => colour(AnsiColor::Yellow),
            Self::Severity(Severity::Low) => colour(AnsiColor::Cyan),
        }
    }
}

/// A piece of a line.
pub(super) type Piece<'a> = (Ink, &'a str);

/// What is written so far.
pub(super) struct Screen {
    text: String,
    colour: Colour,
    width: usize,
}

impl Screen {
    /// An empty one.
    pub(super) fn new(colour: Colour, width: usize) -> Self {
        Self { text: String::new(), colour, width }
    }

    /// The text.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// How many columns there are behind an indent; at least 20, below which breaking lines helps nobody.
    pub(super) fn room(&self, indent: usize) -> usize {
        self.width.saturating_sub(indent).max(20)
    }

    /// An empty line.
    pub(super) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// Pieces one behind the other, broken at white space; every line but the first starts at `hang`.
    pub(super) fn flow(&mut self, indent: usize, hang: usize, pieces: &[Piece<'_>]) {
        let words = words(pieces);
        let mut column = indent;
        let mut at_start = true;
        self.pad(indent);
        let mut line: Vec<(Ink, String)> = Vec::new();
        for word in words {
            let width: usize = word.iter().map(|(_, text)| columns(text)).sum();
            let space = usize::from(!at_start);
            if !at_start && column + space + width > self.width.max(hang + 20) {
                self.paint(&line);
                self.text.push('\n');
                line.clear();
                self.pad(hang);
                column = hang;
                at_start = true;
            }
            if !at_start {
                line.push((Ink::Plain, " ".to_owned()));
                column += 1;
            }
            line.extend(word);
            column += width;
            at_start = false;
        }
        self.paint(&line);
        self.text.push('\n');
    }

    /// One line that is cut where it is too long.
    pub(super) fn row(&mut self, indent: usize, ink: Ink, text: &str) {
        let text = visible(text).replace('\n', " ").replace('\t', "    ");
        self.pad(indent);
        let text = cut(text.trim_end(), self.room(indent));
        self.paint(&[(ink, text)]);
        self.text.push('\n');
    }

    /// A line that keeps its width: a gutter, then text that is cut where it is too long.
    pub(super) fn source(&mut self, indent: usize, gutter: &str, text: &str, whole: bool) {
        let text = visible(text).replace('\n', "\\n").replace('\t', "    ");
        let room = self.room(indent + columns(gutter));
        let text = if whole { text } else { cut(&text, room) };
        self.pad(indent);
        self.paint(&[(Ink::Dim, gutter.to_owned()), (Ink::Plain, text.trim_end().to_owned())]);
        while self.text.ends_with(' ') {
            self.text.pop();
        }
        self.text.push('\n');
    }

    fn pad(&mut self, indent: usize) {
        self.text.extend(std::iter::repeat_n(' ', indent));
    }

    fn paint(&mut self, pieces: &[(Ink, String)]) {
        for (ink, text) in pieces {
            let style = ink.style();
            match self.colour {
                Colour::Always if style != Style::new() => {
                    self.text.push_str(&format!("{style}{text}{style:#}"));
                }
                Colour::Always | Colour::Never => self.text.push_str(text),
            }
        }
    }
}

/// A word; it may change its ink in the middle.
type Word = Vec<(Ink, String)>;

/// Splits pieces at white space. Two pieces without white space between them are one word.
fn words(pieces: &[Piece<'_>]) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut open = false;
    for (ink, text) in pieces {
        let text = visible(text);
        for (index, part) in text.split(char::is_whitespace).enumerate() {
            if index > 0 {
                open = false;
            }
            if part.is_empty() {
                continue;
            }
            match words.last_mut() {
                Some(word) if open => word.push((*ink, part.to_owned())),
                Some(_) | None => words.push(vec![(*ink, part.to_owned())]),
            }
            open = true;
        }
    }
    words
}
