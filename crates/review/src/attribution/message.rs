//! What tools leave in commit messages and in the text of pull requests.

use std::collections::BTreeSet;

use regex::Regex;

use super::agents::Key;
use super::who::{Place, Tables, Who};
use super::{Channel, Role};

/// A longer line is read only up to here; a trailer of real life is a tenth of it.
const LINE_LIMIT: usize = 2_000;

/// With more distinct traces than this in one text, the rest is not told apart and counts as an unknown tool.
const TRACE_LIMIT: usize = 1_000;

/// A squash repeats its trailers: a trace like one of the last few is left out.
const REPEATS_LOOKED_BACK: usize = 8;

/// What may stand beside a tool's name without meaning anything of its own.
const FILLER_WORDS: [&str; 17] = [
    "cli",
    "agent",
    "and",
    "with",
    "code",
    "assistant",
    "app",
    "ide",
    "session",
    "via",
    "using",
    "the",
    "from",
    "in",
    "chat",
    "help",
    "assistance",
];

/// A key of a trailer is shorter.
const KEY_LIMIT: usize = 40;

/// A trace that was found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trace {
    pub(super) who: Who,
    pub(super) channel: Channel,
    pub(super) line: String,
}

/// What kind of text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextKind {
    /// A commit's message; its first line is a subject, never a trailer.
    Message {
        /// The author's clock, for the days on which a trace means nothing.
        author_time: i64,
    },
    /// The description of a pull request.
    Description,
}

/// Expressions for lines that any tool may write.
#[derive(Debug)]
pub(super) struct LinePatterns {
    made_with: Regex,
    checked_box: Regex,
    merged_branch: Regex,
    copied_message: Regex,
}

impl LinePatterns {
    pub(super) fn new() -> Self {
        let compile =
            |pattern: &str| Regex::new(pattern).expect("the expression is a literal that the tests run");
        Self {
            made_with: compile(
                r"^[^a-z0-9\[<(]*(?:this (?:commit|pr|pull request|change|code|patch|work) (?:was|is|has been) )?(?:co-?)?(?:generated|created|written|authored|implemented|made|built|coded|assisted|produced|drafted|developed|vibe[- ]coded)(?: entirely| mostly| partially| largely)? (?:with the (?:help|assistance|aid) of|with (?:help|assistance) from|with|by|using|via) (.{2,200})$",
            ),
            checked_box: compile(
                r"^[-*+] \[x\] .*\b(?:assisted|assistance|created|generated|written|authored|produced|used|using|use of)\b.{0,60}\b(?:ai|llms?)(?:[- ](?:tools?|assistants?|assistance|agents?|models?|generated|assisted))?(?: \([^)]*\))?[^a-z0-9]*$",
            ),
            merged_branch: compile(
                r#"^merge (?:pull request #\d+ from [^/]{1,60}/(\S+)|(?:remote-tracking )?branch(?:es)? '([^']+)'(?: of \S+)?(?: into (\S+))?)"#,
            ),
            copied_message: compile(
                r"^(?:original (?:commit )?(?:message|change's description|description|pr description)|the original (?:commit )?message)\b.{0,40}:?$",
            ),
        }
    }

    /// The branches that a merge's subject names: the one that came in, and the one that it went into.
    pub(super) fn branches_in(&self, subject: &str) -> Vec<String> {
        let lower = cut(subject.trim(), LINE_LIMIT).to_lowercase();
        let captures = self.merged_branch.captures(&lower);
        let parts = captures.iter().flat_map(|found| found.iter().skip(1).flatten());
        parts.map(|part| part.as_str().to_owned()).collect()
    }
}

/// Reads every line that is not a quotation, a code block, or the copy of another commit's message.
pub(super) fn read_text(text: &str, kind: TextKind, tables: Tables<'_>) -> Vec<Trace> {
    let mut traces: Vec<Trace> = Vec::new();
    let mut lines_read = BTreeSet::new();
    for (number, line) in own_lines(text, tables.agents.line_patterns()) {
        let line = cut(line, LINE_LIMIT);
        let trimmed = line.trim();
        if !lines_read.insert(trimmed) {
            continue;
        }
        for trace in read_line(trimmed, number == 0, kind, tables) {
            if traces.len() == TRACE_LIMIT {
                let line = "more traces than are read".to_owned();
                traces.push(Trace { who: Who::unknown_writer(), channel: trace.channel, line });
                return traces;
            }
            let mut last = traces.iter().rev().take(REPEATS_LOOKED_BACK);
            if !last.any(|other| other.who == trace.who && other.channel == trace.channel) {
                traces.push(trace);
            }
        }
    }
    traces
}

fn read_line(line: &str, is_first: bool, kind: TextKind, tables: Tables<'_>) -> Vec<Trace> {
    let channel = |in_message: Channel| match kind {
        TextKind::Message { .. } => in_message,
        TextKind::Description => Channel::Body,
    };
    let is_subject = is_first && matches!(kind, TextKind::Message { .. });
    let traces = |found: Vec<Who>, channel: Channel| {
        found.into_iter().map(|who| Trace { who, channel, line: line.to_owned() }).collect()
    };
    let trailer = trailer(line);
    if let Some(found) = trailer.and_then(|(key, value)| read_trailer(&key, value, is_subject, kind, tables))
    {
        return traces(found, channel(Channel::Trailer));
    }
    if is_subject {
        return Vec::new();
    }
    let lower = line.to_lowercase();
    let patterns = tables.agents.line_patterns();
    let mut found: Vec<Who> =
        tables.agents.in_line(&lower).into_iter().map(|index| of_tool(index, tables)).collect();
    if let Some(made) = patterns.made_with.captures(&lower).and_then(|found| found.get(1)) {
        found.extend(made_with(made.as_str(), tables));
    }
    let is_checked = kind == TextKind::Description && patterns.checked_box.is_match(&lower);
    if is_checked && !denies_in_words(&lower) {
        found.push(Who::unknown_writer());
    }
    traces(found, channel(Channel::Footer))
}

/// What a trailer says; `None` where the line is no trailer that anybody knows.
fn read_trailer(
    key: &str,
    value: &str,
    is_subject: bool,
    kind: TextKind,
    tables: Tables<'_>,
) -> Option<Vec<Who>> {
    let meaning = tables.agents.key(key)?;
    let found = match meaning {
        Key::Of(index) => vec![of_tool(index, tables)],
        Key::OfWithValue(index) if tables.agents.trailer_value_fits(key, value) => {
            vec![of_tool(index, tables)]
        }
        Key::OfWithValue(_) => Vec::new(),
        Key::Names | Key::NamesSuggester => named(value, is_subject, kind, tables),
        Key::SaysAi if is_subject || tables.agents.denies(value) => Vec::new(),
        Key::SaysAi => {
            let mut found = named(value, is_subject, kind, tables);
            if found.is_empty() {
                found = tables.phrase(value, Place::SaysAi);
            }
            if found.is_empty() && !denies_in_words(&format!(" {} ", value.to_lowercase())) {
                found.push(Who::unknown_writer());
            }
            found
        }
    };
    let role = |who: Who| match (meaning, who.role) {
        (Key::NamesSuggester, Role::Implementer) => Who { role: Role::Suggester, ..who },
        _ => who,
    };
    Some(found.into_iter().filter(|who| who.role != Role::Bot).map(role).collect())
}

/// Reads `Name <address>`, `Name address`, or a phrase without an address.
fn named(value: &str, is_subject: bool, kind: TextKind, tables: Tables<'_>) -> Vec<Who> {
    let (name, email) = name_and_address(value);
    if let TextKind::Message { author_time } = kind
        && tables.agents.is_unreliable(name, email, author_time)
    {
        return Vec::new();
    }
    if !email.is_empty() {
        return tables.identity(name, email, Place::Trailer).into_iter().collect();
    }
    if is_subject {
        return Vec::new();
    }
    tables.phrase(name, Place::Trailer)
}

/// Splits `Name <address>`; tolerates doubled brackets, a missing space, and an address without brackets.
fn name_and_address(value: &str) -> (&str, &str) {
    let value = value.trim();
    if let Some((name, rest)) = value.rsplit_once('<') {
        let email = rest.split('>').next().unwrap_or_default().trim().trim_start_matches("mailto:");
        if email.contains(['@', '/']) {
            return (name.trim_end_matches('<').trim(), email);
        }
    }
    match value.rsplit_once(char::is_whitespace) {
        Some((name, last)) if last.contains('@') && last.contains('.') => {
            (name.trim(), last.trim_matches(['(', ')', ',']))
        }
        _ if value.contains('@') && !value.contains(char::is_whitespace) && !value.contains('/') => {
            ("", value)
        }
        _ => (value, ""),
    }
}

/// `Generated with [Claude Code](https://…)` and its like: the line must say who, and nothing else.
fn made_with(rest: &str, tables: Tables<'_>) -> Vec<Who> {
    let rest = rest.trim_end_matches(['.', '!', ' ']);
    let rest = ["an ", "a ", "the "].iter().find_map(|article| rest.strip_prefix(article)).unwrap_or(rest);
    let (phrase, behind) = match rest.strip_prefix('[').map(|linked| (linked, linked.split_once("]("))) {
        Some((_, Some((phrase, link)))) => (phrase, link.split_once(')').map_or("", |(_, behind)| behind)),
        Some((linked, None)) => (linked.trim_end_matches(']'), ""),
        None => (rest, ""),
    };
    let is_own_word = |word: &&str| {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        !bare.is_empty() && !word.contains("://") && !FILLER_WORDS.contains(&bare)
    };
    let left = without_parentheses(&tables.without_tools(phrase));
    let words: Vec<&str> =
        left.split_whitespace().chain(behind.split_whitespace()).filter(is_own_word).collect();
    let joined = words.join(" ");
    let says_only_who = words.is_empty()
        || tables.agents.by_name(&joined).is_some()
        || tables.families.is_model_name(&joined)
        || words.len() <= 2 && tables.families.named_in(&joined).is_some();
    if says_only_who { tables.phrase(phrase, Place::Trailer) } else { Vec::new() }
}

fn without_parentheses(text: &str) -> String {
    text.split('(')
        .map(|part| part.split_once(')').map_or(part, |(_, behind)| behind))
        .collect::<Vec<_>>()
        .join(" ")
}

fn of_tool(index: usize, tables: Tables<'_>) -> Who {
    let agent = tables.agents.get(index);
    Who::with_default(agent, agent.role())
}

fn denies_in_words(line: &str) -> bool {
    [" not ", " no ", " without ", "n't ", " never ", " none "].iter().any(|word| line.contains(word))
}

/// Splits `Key: value` where the key is a word with hyphens; spaces count as hyphens.
fn trailer(line: &str) -> Option<(String, &str)> {
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

/// The lines that the author wrote himself, with their numbers.
///
/// Left out are quotations (`>`), closed code blocks, indented code that prose follows, and what a revert or a
/// re-landing copies from the commit that it is about. A block that is never closed hides nothing: else a single
/// mark would hide every trace below it.
fn own_lines<'a>(text: &'a str, patterns: &LinePatterns) -> Vec<(usize, &'a str)> {
    let lines: Vec<&str> = text.lines().collect();
    let fenced = fenced_lines(&lines);
    let last_prose = lines.iter().enumerate().rposition(|(number, line)| {
        !fenced[number]
            && !line.starts_with([' ', '\t', '>'])
            && !line.trim().is_empty()
            && trailer(line).is_none()
    });
    let mut own = Vec::with_capacity(lines.len());
    let squashed = text.contains("Squashed commit of the following");
    for (number, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        if fenced[number] || trimmed.starts_with('>') || trimmed.is_empty() {
            continue;
        }
        let is_code = line.starts_with("    ") || line.starts_with('\t');
        if is_code && !squashed && last_prose.is_some_and(|last| number < last) {
            continue;
        }
        let is_heading = number > 0
            && line.len() < 80
            && patterns.copied_message.is_match(&trimmed.trim_end().to_lowercase());
        let mut below =
            lines[number + 1..].iter().map(|next| next.trim_start()).filter(|next| !next.is_empty());
        if is_heading && !below.next().is_some_and(|next| next.starts_with('>')) {
            break;
        }
        own.push((number, *line));
    }
    own
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

fn cut(line: &str, limit: usize) -> &str {
    let end = (0..=limit.min(line.len())).rev().find(|&end| line.is_char_boundary(end)).unwrap_or(0);
    &line[..end]
}
