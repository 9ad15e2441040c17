//! Lines for a terminal: pieces of text with an ink each, broken to a width, painted at the end.
//!
//! Nothing but this module writes an escape sequence, and whatever it is given passes `visible` first, so that
//! no text of anybody else can move the cursor, colour a line or hide one.

use anstyle::{AnsiColor, Style};
use review::Severity;
use review::judge::Verdict;
use review::text::visible;

use super::Colour;
use crate::wrap::{columns, cut, is_command, without_commands};

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

/// How many columns text gets behind any indent: breaking it into shorter lines would help nobody.
const LEAST_COLUMNS: usize = 20;

/// How wide prose gets at most: longer lines are hard to read, however wide the terminal is.
pub(super) const PROSE_COLUMNS: usize = 100;

/// How wide a column of labels gets at most; a longer label has a line of its own.
const LABEL_COLUMNS: usize = 32;

/// A piece of a line.
pub(super) type Piece<'a> = (Ink, &'a str);

/// What is written so far.
pub(super) struct Screen {
    /// The lines that are done.
    text: String,
    /// The line that is not.
    line: Vec<(Ink, String)>,
    colour: Colour,
    width: usize,
}

impl Screen {
    /// An empty one.
    pub(super) fn new(colour: Colour, width: usize) -> Self {
        Self { text: String::new(), line: Vec::new(), colour, width }
    }

    /// The text.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// How many columns there are behind an indent.
    pub(super) fn room(&self, indent: usize) -> usize {
        self.width.saturating_sub(indent).max(LEAST_COLUMNS)
    }

    /// How wide a column for these labels is: at most two fifths of the screen.
    pub(super) fn widest<'a>(&self, labels: impl IntoIterator<Item = &'a str>) -> usize {
        let most = LABEL_COLUMNS.min(self.width * 2 / 5);
        let widths = labels.into_iter().map(|label| columns(&visible(label)));
        widths.filter(|width| *width <= most).max().unwrap_or(0)
    }

    /// An empty line.
    pub(super) fn gap(&mut self) {
        self.end_line();
    }

    /// An empty line and a heading.
    pub(super) fn heading(&mut self, words: &str) {
        self.gap();
        self.flow(0, 2, &[(Ink::Strong, words)]);
    }

    /// Pieces one behind the other, broken at white space; every line but the first starts at `hang`.
    pub(super) fn flow(&mut self, indent: usize, hang: usize, pieces: &[Piece<'_>]) {
        self.pad(indent);
        self.flow_from(indent, hang, pieces);
    }

    /// A label in a column of `width`, then pieces that stay to the right of it.
    pub(super) fn labelled(&mut self, indent: usize, width: usize, label: Piece<'_>, pieces: &[Piece<'_>]) {
        self.pad(indent);
        let column = self.label(indent, width, label);
        self.flow_from(column, column, pieces);
    }

    /// The same with two columns of labels.
    pub(super) fn labelled_twice(
        &mut self,
        indent: usize,
        (first_width, first): (usize, Piece<'_>),
        (second_width, second): (usize, Piece<'_>),
        pieces: &[Piece<'_>],
    ) {
        self.pad(indent);
        let column = self.label(indent, first_width, first);
        let column = self.label(column, second_width, second);
        self.flow_from(column, column, pieces);
    }

    /// One line that is as long as it is.
    pub(super) fn row(&mut self, indent: usize, ink: Ink, text: &str) {
        self.pad(indent);
        self.put(ink, visible(text).replace(['\n', '\t'], " "));
        self.end_line();
    }

    /// A gutter, then a line of a file, cut where it is too long.
    pub(super) fn source(&mut self, indent: usize, gutter: &str, text: &str) {
        let text = visible(text).replace('\n', "\\n").replace('\t', "    ");
        let text = cut(&text, self.room(indent + columns(gutter)));
        self.pad(indent);
        self.put(Ink::Dim, gutter.to_owned());
        self.put(Ink::Plain, text);
        self.end_line();
    }

    /// Writes a label from `column` on and goes to the column behind it; on the next line, if it is too long.
    fn label(&mut self, column: usize, width: usize, (ink, text): Piece<'_>) -> usize {
        let text = visible(text).replace(['\n', '\t'], " ");
        let taken = columns(&text);
        let behind = column + width + 2;
        self.put(ink, text);
        if taken > width {
            self.end_line();
            self.pad(behind);
        } else {
            self.pad(behind - column - taken);
        }
        behind
    }

    /// Pieces from `column` on, where the line has got to.
    fn flow_from(&mut self, mut column: usize, hang: usize, pieces: &[Piece<'_>]) {
        let end = self.width.max(hang + LEAST_COLUMNS);
        let mut at_start = true;
        for word in words(pieces) {
            let width: usize = word.iter().map(|(_, text)| columns(text)).sum();
            if !at_start && column + 1 + width > end {
                self.end_line();
                self.pad(hang);
                column = hang;
                at_start = true;
            }
            if !at_start {
                self.put(Ink::Plain, " ".to_owned());
                column += 1;
            }
            self.line.extend(word);
            column += width;
            at_start = false;
        }
        self.end_line();
    }

    fn pad(&mut self, columns: usize) {
        self.put(Ink::Plain, " ".repeat(columns));
    }

    fn put(&mut self, ink: Ink, text: String) {
        self.line.push((ink, text));
    }

    /// Paints the line, without white space at its end, and starts the next one.
    fn end_line(&mut self) {
        while let Some((_, text)) = self.line.last_mut() {
            text.truncate(text.trim_end_matches(' ').len());
            if !text.is_empty() {
                break;
            }
            self.line.pop();
        }
        let whole: String = self.line.iter().map(|(_, text)| text.as_str()).collect();
        if is_command(&whole) {
            self.line = vec![(Ink::Plain, without_commands(whole))];
        }
        let mut ink = Ink::Plain;
        for (next, text) in self.line.drain(..) {
            // A space looks the same in every ink, so that words of one ink need no new style between them.
            if next != ink && text != " " && self.colour == Colour::Always {
                self.text.push_str(&format!("{:#}{}", ink.style(), next.style()));
                ink = next;
            }
            self.text.push_str(&text);
        }
        if self.colour == Colour::Always {
            self.text.push_str(&format!("{:#}", ink.style()));
        }
        self.text.push('\n');
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
