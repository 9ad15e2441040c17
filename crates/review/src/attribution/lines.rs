//! Which lines of a text its author wrote himself, and which of them belong together.

use super::agents::{Agents, Key};
use super::message::TextKind;

/// A key of a trailer is shorter.
const KEY_LIMIT: usize = 40;

/// A longer line is read only up to here; a trailer of real life is a tenth of it.
const LINE_LIMIT: usize = 2_000;

/// A paragraph that is longer goes on in another one.
const PARAGRAPH_LIMIT: usize = 2_000;

/// A shorter line was not wrapped: what stands at its end ends there.
const WRAPPED_LENGTH: usize = 40;

/// Up to so many lines further a statement is looked for behind the place where it begins.
const LINES_OF_STATEMENT: usize = 6;

/// A line that ends with one of these goes on in the next one.
const OPEN_WORDS: [&str; 14] =
    ["with", "by", "of", "from", "using", "via", "and", "or", "the", "a", "an", "to", "in", "for"];

/// Words with a full stop that ends no sentence.
const ABBREVIATIONS: [&str; 7] = ["e.g", "i.e", "vs", "cf", "etc", "incl", "approx"];

/// A line that the author wrote himself, without the blanks round it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OwnLine<'a> {
    /// Its number in the text, from 0.
    pub(super) number: usize,
    pub(super) text: &'a str,
    pub(super) place: LinePlace,
}

/// Where a line of the author stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinePlace {
    /// In the text.
    Text,
    /// In an HTML comment, where tools leave marks and templates their questions.
    Comment,
    /// In a quotation right below a heading that asks about AI: people answer templates so.
    Answer,
}

/// Lines that belong together: up to a blank line, an item of a list, a heading or a trailer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Paragraph<'a> {
    /// At least one.
    pub(super) lines: Vec<OwnLine<'a>>,
}

/// Words of a paragraph that may be a statement of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    /// In one line.
    pub(super) text: String,
    /// What stands before it in the same sentence, if it is one.
    pub(super) before: String,
    /// Whether it goes over more than one line.
    pub(super) wrapped: bool,
}

impl Paragraph<'_> {
    /// What it may state, the longest first where several begin at one place.
    ///
    /// Nobody knows which lines were wrapped and which stand below each other: sentences are read over the ends of
    /// lines, and besides up to the end of a line and from the beginning of one that may be a whole line. So a line
    /// below a statement takes nothing away from it.
    pub(super) fn statements(&self) -> Vec<Statement> {
        let joined = self.joined(self.lines.len());
        let mut ends = Vec::with_capacity(self.lines.len());
        let mut starts = Vec::with_capacity(self.lines.len());
        let mut length = 0;
        for (number, line) in self.lines.iter().enumerate() {
            if number > 0 && self.may_part(number) {
                starts.push(length);
            }
            length += line.text.len();
            if number + 1 < self.lines.len() && self.may_part(number + 1) {
                ends.push(length);
            }
            length += 1;
        }
        let mut all = Vec::new();
        let mut sentence = 0;
        while sentence < joined.len() {
            let end = sentence_end(&joined[sentence..]).map_or(joined.len(), |end| sentence + end);
            let inside = starts.iter().copied().filter(|start| (sentence + 1..end).contains(start));
            for start in std::iter::once(sentence).chain(inside) {
                let near = ends.iter().copied().filter(|other| (start + 1..end).contains(other));
                let mut near: Vec<usize> = near.take(LINES_OF_STATEMENT).collect();
                near.push(end);
                all.extend(near.into_iter().rev().map(|end| Statement {
                    text: joined[start..end].to_owned(),
                    before: joined[sentence..start].to_owned(),
                    wrapped: !self.is_in_one_line(start, end),
                }));
            }
            sentence = end + joined[end..].len() - joined[end..].trim_start().len();
        }
        all
    }

    /// What stands before a line in a sentence that is still open there.
    pub(super) fn open_before(&self, line: usize) -> String {
        let mut rest = self.joined(line);
        while let Some(end) = sentence_end(&rest) {
            rest = rest[end..].trim_start().to_owned();
        }
        rest
    }

    /// Its first lines in one.
    fn joined(&self, count: usize) -> String {
        let lines: Vec<&str> = self.lines.iter().take(count).map(|line| line.text).collect();
        lines.join(" ")
    }

    /// Whether this line may have nothing to do with the one before: that one was not full, or it begins anew.
    fn may_part(&self, number: usize) -> bool {
        let before = self.lines[number - 1].text;
        before.len() < WRAPPED_LENGTH || !goes_on(self.lines[number].text)
    }

    fn is_in_one_line(&self, start: usize, end: usize) -> bool {
        let mut first = 0;
        self.lines.iter().any(|line| {
            let last = first + line.text.len();
            let holds = first <= start && end <= last;
            first = last + 1;
            holds
        })
    }
}

/// Whether a line begins as the middle of a sentence does.
pub(super) fn goes_on(line: &str) -> bool {
    line.starts_with(|first: char| first.is_lowercase())
}

/// Splits `Key: value` where the key is a word with hyphens; spaces count as hyphens.
pub(super) fn trailer(line: &str) -> Option<(String, &str)> {
    let (key, value) = line.split_once(':')?;
    let key = key.trim_matches(['*', '_', '`']).trim();
    let is_key = key.len() <= KEY_LIMIT
        && key.starts_with(|first: char| first.is_ascii_alphabetic())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b' ' | b'_'));
    if !is_key || value.starts_with("//") {
        return None;
    }
    let key = key.to_ascii_lowercase().replace([' ', '_'], "-");
    Some((key, value.trim().trim_matches('*').trim()))
}

/// The paragraphs of what the author wrote himself.
///
/// Left out are quotations (`>`), closed code blocks, indented code that prose follows, and what a revert or a
/// re-landing copies from the commit that it is about. A block that is never closed hides nothing: else a single
/// mark would hide every trace below it.
pub(super) fn own_paragraphs<'a>(text: &'a str, kind: TextKind, agents: &Agents) -> Vec<Paragraph<'a>> {
    let mut paragraphs: Vec<Paragraph<'a>> = Vec::new();
    let mut length = 0;
    for line in own_lines(text, agents) {
        let goes_on = paragraphs.last().and_then(|paragraph| paragraph.lines.last()).is_some_and(|last| {
            !kind.is_subject(last.number)
                && last.number + 1 == line.number
                && (last.place == line.place || last.place == LinePlace::Answer)
                && length + line.text.len() <= PARAGRAPH_LIMIT
                && !last.text.starts_with('#')
                && !begins_something(line.text, agents)
        });
        match paragraphs.last_mut().filter(|_| goes_on) {
            Some(paragraph) => {
                length += line.text.len();
                paragraph.lines.push(line);
            }
            None => {
                length = line.text.len();
                paragraphs.push(Paragraph { lines: vec![line] });
            }
        }
    }
    paragraphs
}

/// Whether a line belongs to nothing before it: a heading, an item of a list, a row of a table, a comment, a trailer.
fn begins_something(line: &str, agents: &Agents) -> bool {
    if line.starts_with(['#', '|']) || line.starts_with("<!--") || without_list_mark(line) != line {
        return true;
    }
    let one_word = || !line.split(':').next().unwrap_or_default().contains(' ');
    trailer(line).is_some_and(|(key, _)| agents.key(&key).is_some() || one_word())
}

/// A line without the mark of a list before it.
pub(super) fn without_list_mark(line: &str) -> &str {
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = if rest.len() < line.len() { rest.strip_prefix(['.', ')']) } else { None };
    let behind = numbered.or_else(|| line.strip_prefix(['-', '*', '+', '•']));
    behind.and_then(|behind| behind.strip_prefix(' ')).map_or(line, str::trim_start)
}

/// Joins lines where they were wrapped, and splits what they say into sentences.
///
/// A short line ends its sentence unless it breaks off or the next one goes on in lower case, so that a line below a
/// whole statement does not become a part of it.
pub(super) fn sentences<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut all = Vec::new();
    let mut open = String::new();
    let mut lines = lines.peekable();
    while let Some(line) = lines.next() {
        open.push_str(line.trim());
        let mut rest = open.as_str();
        while let Some(end) = sentence_end(rest) {
            all.push(rest[..end].to_owned());
            rest = rest[end..].trim_start();
        }
        open = rest.to_owned();
        let ends = !breaks_off(&open) && !lines.peek().is_some_and(|next| goes_on(next));
        if ends && line.trim().len() < WRAPPED_LENGTH {
            all.push(std::mem::take(&mut open));
        } else if !open.is_empty() {
            open.push(' ');
        }
    }
    all.push(open.trim_end().to_owned());
    all.retain(|sentence| !sentence.is_empty());
    all
}

/// Whether a sentence cannot end here: within parentheses, behind a comma or before what a word asks for.
fn breaks_off(open: &str) -> bool {
    let last = open.trim_end().rsplit(' ').next().unwrap_or_default().to_ascii_lowercase();
    let is_in_parentheses = open.matches('(').count() > open.matches(')').count();
    is_in_parentheses || last.ends_with(',') || OPEN_WORDS.contains(&last.as_str())
}

/// Where the first sentence of a text ends, if it does before or at the text's end.
fn sentence_end(text: &str) -> Option<usize> {
    text.match_indices(['.', '!', '?']).find_map(|(at, mark)| {
        let end = at + mark.len();
        let closing = text[end..].len() - text[end..].trim_start_matches([')', '"', '\'', '*', '_']).len();
        let end = end + closing;
        let last_word = text[..at].rsplit([' ', '(']).next().unwrap_or_default().to_ascii_lowercase();
        let ends = text[end..].is_empty() || text[end..].starts_with(char::is_whitespace);
        (ends && !ABBREVIATIONS.contains(&last_word.as_str())).then_some(end)
    })
}

fn own_lines<'a>(text: &'a str, agents: &Agents) -> Vec<OwnLine<'a>> {
    let lines: Vec<&str> = text.lines().collect();
    let fenced = fenced_lines(&lines);
    let commented = commented_lines(&lines);
    let last_prose = lines.iter().enumerate().rposition(|(number, line)| {
        !fenced[number]
            && !line.starts_with([' ', '\t', '>'])
            && !line.trim().is_empty()
            && trailer(line).is_none()
    });
    let mut own: Vec<OwnLine<'a>> = Vec::with_capacity(lines.len());
    let squashed = text.contains("Squashed commit of the following");
    for (number, line) in lines.iter().enumerate() {
        let trimmed = line.trim();
        if fenced[number] || trimmed.is_empty() {
            continue;
        }
        let own_line = |text: &'a str, place: LinePlace| OwnLine { number, text: cut(text), place };
        if let Some(quoted) = trimmed.strip_prefix('>') {
            if own
                .last()
                .is_some_and(|last| last.place == LinePlace::Answer || asks_about_ai(last.text, agents))
            {
                own.push(own_line(quoted.trim(), LinePlace::Answer));
            }
            continue;
        }
        let is_code = line.starts_with("    ") || line.starts_with('\t');
        if is_code && !squashed && last_prose.is_some_and(|last| number < last) {
            continue;
        }
        let copied_message = agents.line_patterns().copied_message();
        let is_heading = number > 0 && line.len() < 80 && copied_message.is_match(&trimmed.to_lowercase());
        let mut below =
            lines[number + 1..].iter().map(|next| next.trim_start()).filter(|next| !next.is_empty());
        if is_heading && !below.next().is_some_and(|next| next.starts_with('>')) {
            break;
        }
        let place = if commented[number] { LinePlace::Comment } else { LinePlace::Text };
        own.push(own_line(trimmed, place));
    }
    own
}

/// `## AI usage disclosure`: a heading in the words of a trailer.
fn asks_about_ai(line: &str, agents: &Agents) -> bool {
    let is_heading = line.starts_with('#') || line.starts_with("**");
    let words = line.trim_matches(['#', '*', ':', '?', ' ']).to_ascii_lowercase().replace([' ', '_'], "-");
    is_heading && agents.key(&words) == Some(Key::SaysAi)
}

/// Which lines are inside a code block that is closed, its marks included.
fn fenced_lines(lines: &[&str]) -> Vec<bool> {
    let mut fenced = vec![false; lines.len()];
    let mut open: Option<(usize, char, usize)> = None;
    for (number, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let Some(mark) = trimmed.chars().next().filter(|first| matches!(first, '`' | '~')) else { continue };
        let length = trimmed.chars().take_while(|&other| other == mark).count();
        if length < 3 {
            continue;
        }
        match open {
            None => open = Some((number, mark, length)),
            Some((start, opened_with, opened_length)) => {
                let closes =
                    mark == opened_with && length >= opened_length && trimmed[length..].trim().is_empty();
                if closes {
                    fenced[start..=number].fill(true);
                    open = None;
                }
            }
        }
    }
    fenced
}

/// Which lines are inside an HTML comment that is closed, its marks included.
fn commented_lines(lines: &[&str]) -> Vec<bool> {
    let mut commented = vec![false; lines.len()];
    let mut open = None;
    for (number, line) in lines.iter().enumerate() {
        if open.is_none() && line.trim_start().starts_with("<!--") {
            open = Some(number);
        }
        if let (Some(start), true) = (open, line.contains("-->")) {
            commented[start..=number].fill(true);
            open = None;
        }
    }
    commented
}

fn cut(line: &str) -> &str {
    let end = (0..=LINE_LIMIT.min(line.len())).rev().find(|&end| line.is_char_boundary(end)).unwrap_or(0);
    &line[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_joined_where_a_line_was_wrapped() {
        let cases: [(&str, &[&str]); 7] = [
            ("One. Two (e.g. three). Four", &["One.", "Two (e.g. three).", "Four"]),
            (
                "The queue of the importer was bounded by GLM\n5.1 and by hand.",
                &["The queue of the importer was bounded by GLM 5.1 and by hand."],
            ),
            ("Short\nLines", &["Short", "Lines"]),
            ("Short\nlines, and\nMore (of\nThem)", &["Short lines, and More (of Them)"]),
            ("Version 4.6 (new!) Yes", &["Version 4.6 (new!)", "Yes"]),
            ("", &[]),
            ("...", &["..."]),
        ];
        for (text, expected) in cases {
            assert_eq!(sentences(text.lines()), expected, "{text}");
        }
    }

    #[test]
    fn paragraphs_end_where_something_else_begins() {
        let agents = Agents::embedded();
        let text = "subject\nbody one\nbody two\n- an item\n  goes on\n2. another\nFixes: #7\n\n# heading\nbelow\n\
                    <!-- a comment\ngoes on -->\nbehind\n> quoted\n## AI disclosure\n> answered\n> twice\nlast";
        let read: Vec<String> = own_paragraphs(text, TextKind::Message { author_time: 0 }, &agents)
            .iter()
            .map(|paragraph| paragraph.lines.iter().map(|line| line.text).collect::<Vec<_>>().join(" / "))
            .collect();
        let expected = [
            "subject",
            "body one / body two",
            "- an item / goes on",
            "2. another",
            "Fixes: #7",
            "# heading",
            "below",
            "<!-- a comment / goes on -->",
            "behind",
            "## AI disclosure",
            "answered / twice / last",
        ];
        assert_eq!(read, expected);
    }
}
