//! Sentences in which an author says that AI wrote the change, or helped to.
//!
//! A sentence counts where it fits one of the table's patterns: it is in the first person, or about this change, and
//! says that something was written. Mere talk of a tool counts nowhere.

use std::collections::BTreeMap;
use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::lines::without_list_mark;
use super::table::{AgentsError, ProseEntry};
use super::who::{Place, Tables, Who};

/// Stands in a sentence for a tool or model that can be nothing else.
const NAMED: char = '\u{1}';

/// Stands for AI without a name: `an LLM`, `AI assistance`.
const UNNAMED: char = '\u{2}';

/// Stands for a word that may be a tool or model, and may be a person or a thing.
const PLAIN: char = '\u{3}';

/// Names with these between them are one: `Codex (with GPT 5.5) and Claude`.
const BETWEEN: &str = r"(?:[ ,/+&()']|\b(?:and|or|with|via|using|through|plus|in|by|s|the|an?|from|models?|tools?|cli|code|chat|agents?|assistants?|assistance|help)\b)*";

/// What a sentence says about who wrote the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) who: Vec<Who>,
    /// Whether it says that people wrote a part.
    pub(super) partly: bool,
}

/// The patterns of sentences, compiled.
#[derive(Debug)]
pub(super) struct Prose {
    /// The same as the sentences, whatever stands where a name should: most text is known by it to say nothing.
    may_fit: RegexSet,
    sentences: Vec<Regex>,
    doubt: Regex,
    denial: Regex,
    denial_behind: Regex,
    end: Regex,
    reading: Regex,
    writing: Regex,
    partly: Regex,
    common_words: Vec<String>,
    group: Regex,
    quotation: Regex,
}

impl Prose {
    pub(super) fn compile(entry: &ProseEntry) -> Result<Self, AgentsError> {
        let wrong = |source| AgentsError::Pattern { what: "prose", source: Box::new(source) };
        // Names and patterns are ASCII; without Unicode's classes all this is small and quick to build.
        let compile = |pattern: &str| RegexBuilder::new(pattern).unicode(false).build().map_err(wrong);
        let any = |alternatives: &[String]| format!(r"(?:{})", alternatives.join("|"));
        let sentences = entry.sentences.iter().map(|pattern| compile(&marked_out(pattern, &entry.words)));
        let without_names = entry.sentences.iter().map(|pattern| {
            let written = written_out(pattern, &entry.words);
            ["{ai}", "{sure}", "{named}"].iter().fold(written, |pattern, name| pattern.replace(name, ".+?"))
        });
        Ok(Self {
            may_fit: RegexSetBuilder::new(without_names).unicode(false).build().map_err(wrong)?,
            sentences: sentences.collect::<Result<_, _>>()?,
            doubt: compile(&written_out(&format!(r"\b{}\b", any(&entry.doubts)), &entry.words))?,
            denial: compile(&format!(r"\b{}(?: \S+){{0,4}} ?$", any(&entry.denials)))?,
            denial_behind: compile(&format!(r"^(?: \([^()]*\))?[^\w ]* {}\b", any(&entry.denials_behind)))?,
            end: compile(&written_out("^{end}", &entry.words))?,
            reading: compile(&written_out(&any(&entry.reading), &entry.words))?,
            writing: compile(&written_out(r"\b(?:{write}|{writing}|{written}|{wrote})\b", &entry.words))?,
            partly: compile(&written_out(&format!(r"\b{}\b", any(&entry.partly)), &entry.words))?,
            common_words: entry.common_words.clone(),
            group: compile(&format!(
                "[{NAMED}{UNNAMED}{PLAIN}](?:{BETWEEN}[{NAMED}{UNNAMED}{PLAIN}]| ?\\([^()]{{1,80}}\\))*\\)?(?: v?[0-9]+(?:\\.[0-9]+)*)?(?: (?:models?|tools?|assistants?|agents?))?"
            ))?,
            quotation: compile(r#"`[^`]*`|"[^"]*"|“.*?”"#)?,
        })
    }

    /// Whether a sentence that begins like this may deny what comes next, or speak of what could be.
    pub(super) fn leaves_open(&self, beginning: &str) -> bool {
        let lower = beginning.to_ascii_lowercase();
        self.doubt.is_match(lower.as_bytes()) || self.denial.is_match(lower.as_bytes())
    }

    /// Whether a disclosure says that AI was asked about the change, and does not say that it wrote anything.
    pub(super) fn says_only_read(&self, disclosure: &str) -> bool {
        let lower = disclosure.to_ascii_lowercase();
        self.reading.is_match(lower.as_bytes()) && !self.writing.is_match(lower.as_bytes())
    }

    /// Whether a sentence says that people wrote a part of it.
    pub(super) fn says_partly(&self, sentence: &str) -> bool {
        self.partly.is_match(sentence.to_ascii_lowercase().as_bytes())
    }
}

/// A pattern with the words of the table in the place of their names.
fn written_out(pattern: &str, words: &BTreeMap<String, Vec<String>>) -> String {
    let mut written = pattern.to_owned();
    // Twice, since a list may name another one.
    for (name, alternatives) in words.iter().chain(words) {
        written = written.replace(&format!("{{{name}}}"), &format!("(?:{})", alternatives.join("|")));
    }
    written
}

/// The same, with the marks in the place of those whom the pattern is about.
fn marked_out(pattern: &str, words: &BTreeMap<String, Vec<String>>) -> String {
    written_out(pattern, words)
        .replace("{ai}", &format!("(?P<ai>[{NAMED}{UNNAMED}{PLAIN}])"))
        .replace("{sure}", &format!("(?P<ai>[{NAMED}{UNNAMED}])"))
        .replace("{named}", &format!("(?P<ai>{NAMED})"))
}

/// A word or some that may name a tool or a model.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mention {
    place: Range<usize>,
    mark: char,
}

/// A sentence with a mark in the place of each name.
#[derive(Debug)]
struct Marked {
    text: String,
    /// For each mark, where in the sentence the names stand.
    names: Vec<Range<usize>>,
}

impl Tables<'_> {
    /// Reads a sentence of a text, in which everything else may stand too.
    pub(super) fn said_in_prose(self, sentence: &str) -> Option<Said> {
        let sentence = ticked(without_list_mark(sentence))?;
        let prose = self.agents.prose();
        if !prose.may_fit.is_match(sentence.to_ascii_lowercase().as_bytes()) {
            return None;
        }
        let marked = self.marked(sentence);
        let name = prose.sentences.iter().find_map(|pattern| {
            let text = marked.text.as_bytes();
            let found = pattern.captures(text)?;
            let (whole, ai) = (found.get(0)?, found.name("ai")?);
            let before = &text[..ai.start()];
            let counts = !prose.doubt.is_match(&text[..whole.end()]) && !prose.denial.is_match(before);
            let number = before.iter().filter(|byte| is_mark(char::from(**byte))).count();
            counts.then(|| marked.names[number].clone())
        })?;
        let mut who = self.phrase(&sentence[name], Place::SaysAi);
        if who.is_empty() {
            who.push(Who::unknown_writer());
        }
        Some(Said { who, partly: prose.says_partly(sentence) })
    }

    /// Names in a further sentence of a disclosure, where it talks about AI anyway.
    pub(super) fn named_in_disclosure(self, sentence: &str) -> Vec<Who> {
        let prose = self.agents.prose();
        let marked = self.marked(sentence);
        let mut found = Vec::new();
        for (number, (at, mark)) in marked.text.char_indices().filter(|(_, c)| is_mark(*c)).enumerate() {
            let goes_on = prose.end.is_match(&marked.text.as_bytes()[at + mark.len_utf8()..]);
            if mark == NAMED && goes_on && !prose.denial.is_match(&marked.text.as_bytes()[..at]) {
                found.extend(self.phrase(&sentence[marked.names[number].clone()], Place::SaysAi));
            }
        }
        found
    }

    /// A sentence of a disclosure with blanks in the place of those who, as it says, did not do it.
    pub(super) fn without_denied(self, sentence: &str) -> String {
        let prose = self.agents.prose();
        let lower = sentence.to_ascii_lowercase();
        let mut rest = sentence.to_owned();
        for mention in self.mentions(sentence) {
            let before = &lower.as_bytes()[..mention.place.start];
            let behind = &lower.as_bytes()[mention.place.end..];
            if prose.denial.is_match(before) || prose.denial_behind.is_match(behind) {
                let blanks = " ".repeat(mention.place.len());
                rest.replace_range(mention.place, &blanks);
            }
        }
        rest
    }

    fn marked(self, sentence: &str) -> Marked {
        let prose = self.agents.prose();
        let quoted: Vec<Range<usize>> =
            prose.quotation.find_iter(sentence.as_bytes()).map(|found| found.range()).collect();
        let is_quoted = |place: &Range<usize>| quoted.iter().any(|other| other.contains(&place.start));
        let mentions: Vec<Mention> =
            self.mentions(sentence).into_iter().filter(|mention| !is_quoted(&mention.place)).collect();
        let lower = sentence.to_ascii_lowercase();
        let mut text = String::with_capacity(sentence.len());
        let mut end = 0;
        for mention in &mentions {
            text.extend(lower[end..mention.place.start].chars().filter(|c| !is_mark(*c)));
            text.push(mention.mark);
            end = mention.place.end;
        }
        text.extend(lower[end..].chars().filter(|c| !is_mark(*c)));
        // Names that belong together become one mark.
        let mut marked = Marked { text: String::with_capacity(text.len()), names: Vec::new() };
        let (mut end, mut number) = (0, 0);
        for group in prose.group.find_iter(text.as_bytes()) {
            let marks: Vec<char> = text[group.range()].chars().filter(|c| is_mark(*c)).collect();
            let places = &mentions[number..number + marks.len()];
            number += marks.len();
            // `AI tools (Grok)`, `Claude (Anthropic)`: beside another, an ambiguous word is a name.
            let is_named = marks.contains(&NAMED) || (marks.len() > 1 && marks.contains(&PLAIN));
            let mark = match marks.first() {
                Some(&first) if !is_named => first,
                Some(_) | None => NAMED,
            };
            marked.text.push_str(&text[end..group.start()]);
            marked.text.push(mark);
            end = group.end();
            if let (Some(first), Some(last)) = (places.first(), places.last()) {
                marked.names.push(first.place.start..last.place.end);
            }
        }
        marked.text.push_str(&text[end..]);
        marked
    }

    /// The names in a sentence, from left to right.
    fn mentions(self, sentence: &str) -> Vec<Mention> {
        let lower = sentence.to_ascii_lowercase();
        let mut mentions: Vec<Mention> = self
            .models_named(sentence)
            .into_iter()
            .map(|model| Mention { place: model.place, mark: NAMED })
            .collect();
        let is_free = |mentions: &[Mention], place: &Range<usize>| {
            !mentions.iter().any(|other| other.place.start < place.end && place.start < other.place.end)
        };
        for hit in self.agents.names_in(&lower) {
            let place = hit.start..hit.end;
            if is_free(&mentions, &place) && stands_alone(&lower, &place) {
                let is_unnamed = self.agents.get(hit.agent).is_unnamed();
                if let Some(mark) = self.mark_of_tool(sentence, &place, hit.plain, is_unnamed) {
                    mentions.push(Mention { place, mark });
                }
            }
        }
        for place in self.bare_families(sentence) {
            if is_free(&mentions, &place) && stands_alone(&lower, &place) {
                mentions.push(Mention { place, mark: PLAIN });
            }
        }
        mentions.sort_by_key(|mention| mention.place.start);
        mentions
    }

    /// How much the name of a tool says; `None` where it is an ordinary word.
    fn mark_of_tool(
        self,
        sentence: &str,
        place: &Range<usize>,
        plain: bool,
        is_unnamed: bool,
    ) -> Option<char> {
        let name = &sentence[place.clone()];
        let has_capital = name.contains(|c: char| c.is_ascii_uppercase());
        let lower = name.to_ascii_lowercase();
        if is_unnamed {
            // `ai` alone is a word of other languages.
            return (lower != "ai" || has_capital).then_some(UNNAMED);
        }
        let is_common = self.agents.prose().common_words.contains(&lower);
        if plain && self.families.named_in(&lower).is_some() {
            return Some(PLAIN);
        }
        if !plain && !is_common {
            return Some(NAMED);
        }
        let before = sentence[..place.start].trim_end();
        let has_article = ["a", "an", "the", "The", "A"].iter().any(|article| {
            before
                .strip_suffix(article)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with(char::is_whitespace))
        });
        (has_capital && !before.is_empty() && !has_article).then_some(PLAIN)
    }
}

/// An item of a form that is ticked, or a text that is none.
fn ticked(text: &str) -> Option<&str> {
    match text.strip_prefix('[') {
        Some(rest) if rest.starts_with([' ', ']']) => None,
        Some(rest) => Some(
            rest.strip_prefix(['x', 'X']).and_then(|rest| rest.strip_prefix(']')).map_or(text, str::trim),
        ),
        None => Some(text),
    }
}

/// Whether a name is a word of its own, and not a part of an address, a path, a file's name or another word.
fn stands_alone(lower: &str, place: &Range<usize>) -> bool {
    let before = lower[..place.start].chars().next_back();
    let mut behind = lower[place.end..].chars();
    let (first, second) = (behind.next(), behind.next());
    let joins = |c: char| matches!(c, '-' | '.' | '/' | '_' | ':' | '@');
    let joined_behind = first.is_some_and(joins) && second.is_some_and(char::is_alphanumeric);
    let made_by = ["-generated", "-written", "-assisted", "-authored", "-coded"];
    let is_maker = made_by.iter().any(|tail| lower[place.end..].starts_with(tail));
    !before.is_some_and(|c| matches!(c, '-' | '.' | '/' | '_' | '@' | '#' | '$'))
        && (!joined_behind || is_maker)
}

fn is_mark(character: char) -> bool {
    matches!(character, NAMED | UNNAMED | PLAIN)
}
