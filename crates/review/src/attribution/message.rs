//! What tools leave in commit messages and in the text of pull requests.

use std::collections::BTreeSet;

use regex::Regex;

use super::agents::Key;
use super::lines::{LinePlace, Paragraph, goes_on, own_paragraphs, sentences, trailer};
use super::prose::Said;
use super::who::{Place, Tables, Who};
use super::{Channel, Role};

/// With more distinct traces than this in one text, the rest is not told apart and counts as an unknown tool.
const TRACE_LIMIT: usize = 1_000;

/// A description declares no more writers than this.
const DECLARATION_LIMIT: usize = 20;

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

/// A trace that was found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trace {
    pub(super) who: Who,
    pub(super) channel: Channel,
    /// The line, or the sentences.
    pub(super) line: String,
    /// Whether it says that people wrote a part.
    pub(super) partly: bool,
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

impl TextKind {
    /// Whether this line is a topic, where nobody signs.
    pub(super) fn is_subject(self, number: usize) -> bool {
        number == 0 && matches!(self, Self::Message { .. })
    }

    fn channel(self, in_message: Channel) -> Channel {
        match self {
            Self::Message { .. } => in_message,
            Self::Description => Channel::Body,
        }
    }
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
                r"^[^a-z0-9\[<(]*(?:this (?:commit|pr|pull request|change|code|patch|work) (?:was|is|has been) )?(?:co[- ]?)?(?:generated|created|written|authored|implemented|made|built|coded|assisted|produced|drafted|developed|vibe[- ]coded)(?: entirely| mostly| partially| largely)? (?:with the (?:help|assistance|aid) of|with (?:help|assistance) from|with|by|using|via) (.{2,200})$",
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

    /// The heading of another commit's message that was copied.
    pub(super) fn copied_message(&self) -> &Regex {
        &self.copied_message
    }

    /// The branches that a merge's subject names: the one that came in, and the one that it went into.
    pub(super) fn branches_in(&self, subject: &str) -> Vec<String> {
        let lower = subject.trim().to_lowercase();
        let captures = self.merged_branch.captures(&lower);
        let parts = captures.iter().flat_map(|found| found.iter().skip(1).flatten());
        parts.map(|part| part.as_str().to_owned()).collect()
    }
}

/// Reads every line that is not a quotation, a code block, or the copy of another commit's message.
pub(super) fn read_text(text: &str, kind: TextKind, tables: Tables<'_>) -> Vec<Trace> {
    let mut traces: Vec<Trace> = Vec::new();
    let mut lines_read = BTreeSet::new();
    let is_revert = text.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("revert"));
    for paragraph in own_paragraphs(text, kind, tables.agents) {
        let mut found = match disclosed(&paragraph, kind, tables) {
            Some(found) => found,
            // What a revert says of AI is about what it takes back.
            None if is_revert => Vec::new(),
            None => said(&paragraph, kind, tables),
        };
        for (number, line) in paragraph.lines.iter().enumerate() {
            if line.place != LinePlace::Answer && lines_read.insert(line.text) {
                let is_subject = kind.is_subject(line.number);
                found.extend(read_line(line.text, is_subject, kind, tables));
                let is_taken_back = is_revert && speaks_of_itself(line.text);
                if !is_subject && !is_taken_back && !is_denied(&paragraph, number, tables) {
                    found.extend(made_in_line(line.text, kind, tables));
                }
            }
        }
        for trace in found {
            if traces.len() == TRACE_LIMIT {
                let line = "more traces than are read".to_owned();
                let who = Who::unknown_writer();
                traces.push(Trace { who, channel: trace.channel, line, partly: false });
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

/// What a trailer about AI says with all of its paragraph; `None` where the paragraph begins with none.
///
/// The first line counts as it stands, unless it breaks off: so what is below it only adds.
fn disclosed(paragraph: &Paragraph<'_>, kind: TextKind, tables: Tables<'_>) -> Option<Vec<Trace>> {
    let first = paragraph.lines.first().filter(|line| line.place != LinePlace::Answer)?;
    let (key, beside) = trailer(first.text)?;
    let mut lines = paragraph.lines.iter().skip(1).map(|line| line.text);
    // The value may stand below its key.
    let value = if beside.is_empty() { lines.next()? } else { beside };
    let says_ai = tables.agents.key(&key) == Some(Key::SaysAi) && !kind.is_subject(first.number);
    if !says_ai || tables.agents.denies(value) {
        return None;
    }
    let sentences = sentences(std::iter::once(value).chain(lines));
    if tables.agents.prose().says_only_read(&sentences.join(" ")) {
        return Some(Vec::new());
    }
    let mut length = 0;
    let is_first = |sentence: &&String| {
        let begins_in_first_line = length < value.len();
        length += sentence.len() + 1;
        begins_in_first_line
    };
    let in_first_line = sentences.iter().take_while(is_first).count();
    let (first_line, further) = sentences.split_at(in_first_line);
    let mut found = disclosed_in(&tables.without_denied(&first_line.join(" ")), kind, tables);
    found.extend(further.iter().flat_map(|sentence| tables.named_in_disclosure(sentence)));
    let line = format!("{}: {}", first.text.split(':').next().unwrap_or_default(), sentences.join(" "));
    let partly = tables.agents.prose().says_partly(&line);
    let trace = |who: Who| Trace { who, channel: kind.channel(Channel::Trailer), line: line.clone(), partly };
    Some(found.into_iter().filter(|who| who.role != Role::Bot).map(trace).collect())
}

/// Who wrote it by the value of a trailer about AI; somebody unknown, unless it denies that.
fn disclosed_in(value: &str, kind: TextKind, tables: Tables<'_>) -> Vec<Who> {
    let mut found = named(value, kind, tables);
    if found.is_empty() {
        found = tables.phrase(value, Place::SaysAi);
    }
    if found.is_empty() && !denies_in_words(&format!(" {} ", value.to_lowercase())) {
        found.push(Who::unknown_writer());
    }
    found
}

/// What the sentences of a paragraph say that is no trailer.
fn said(paragraph: &Paragraph<'_>, kind: TextKind, tables: Tables<'_>) -> Vec<Trace> {
    let is_prose = paragraph.lines.first().is_some_and(|first| {
        let is_trailer = || trailer(first.text).is_some_and(|(key, _)| tables.agents.key(&key).is_some());
        first.place != LinePlace::Comment && !kind.is_subject(first.number) && !is_trailer()
    });
    if !is_prose {
        return Vec::new();
    }
    let mut traces: Vec<Trace> = Vec::new();
    for statement in paragraph.statements() {
        if tables.agents.prose().leaves_open(&statement.before) {
            continue;
        }
        let mut said = tables.said_in_prose(&statement.text);
        if said.is_none() && statement.wrapped {
            let who = made(&statement.text, tables);
            said = (!who.is_empty()).then_some(Said { who, partly: false });
        }
        let Some(Said { who, partly }) = said else { continue };
        for who in who {
            // A part of a statement is left out where it tells nothing that the whole does not.
            let is_told = traces.iter().any(|trace| {
                let is_known = who.lineage.is_known() || !trace.who.lineage.is_known();
                let adds_no_family = who.lineage.families.is_subset(&trace.who.lineage.families);
                trace.line.contains(&statement.text) && is_known && adds_no_family
            });
            if !is_told {
                let (channel, line) = (kind.channel(Channel::Footer), statement.text.clone());
                traces.push(Trace { who, channel, line, partly });
            }
        }
    }
    traces
}

/// `This change was written with …`: in a revert, the change that it takes back.
fn speaks_of_itself(line: &str) -> bool {
    line.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("this "))
}

fn read_line(line: &str, is_subject: bool, kind: TextKind, tables: Tables<'_>) -> Vec<Trace> {
    let traces = |found: Vec<Who>, channel: Channel| {
        let trace = |who: Who| Trace { who, channel, line: line.to_owned(), partly: false };
        found.into_iter().map(trace).collect()
    };
    let trailer = trailer(line);
    if let Some(found) = trailer.and_then(|(key, value)| read_trailer(&key, value, is_subject, kind, tables))
    {
        return traces(found, kind.channel(Channel::Trailer));
    }
    if is_subject {
        return Vec::new();
    }
    let lower = line.to_ascii_lowercase();
    let patterns = tables.agents.line_patterns();
    let mut found: Vec<Who> =
        tables.agents.in_line(&lower).into_iter().map(|index| of_tool(index, tables)).collect();
    let is_checked = kind == TextKind::Description && patterns.checked_box.is_match(&lower);
    if is_checked && !denies_in_words(&lower) {
        found.push(Who::unknown_writer());
    }
    traces(found, kind.channel(Channel::Footer))
}

/// Whom the lines `Written-by: NAME` of a description name, where the tables know the name or it is `human`.
pub(super) fn declared_in(description: &str, tables: Tables<'_>) -> Vec<String> {
    let mut names = Vec::new();
    for paragraph in own_paragraphs(description, TextKind::Description, tables.agents) {
        for line in paragraph.lines.iter().filter(|line| line.place == LinePlace::Text) {
            let Some((key, name)) = trailer(line.text) else { continue };
            let is_told = names.len() == DECLARATION_LIMIT || names.iter().any(|told| told == name);
            if key == "written-by" && !is_told && (name == "human" || tables.knows(name)) {
                names.push(name.to_owned());
            }
        }
    }
    names
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
        Key::Names | Key::NamesSuggester if is_subject => signed(value, kind, tables).unwrap_or_default(),
        Key::Names | Key::NamesSuggester => named(value, kind, tables),
        // It is read with all of its paragraph.
        Key::SaysAi => Vec::new(),
    };
    let role = |who: Who| match (meaning, who.role) {
        (Key::NamesSuggester, Role::Implementer) => Who { role: Role::Suggester, ..who },
        _ => who,
    };
    Some(found.into_iter().filter(|who| who.role != Role::Bot).map(role).collect())
}

/// Reads `Name <address>`, `Name address`, or a phrase without an address.
fn named(value: &str, kind: TextKind, tables: Tables<'_>) -> Vec<Who> {
    signed(value, kind, tables).unwrap_or_else(|| tables.phrase(name_and_address(value).0, Place::Trailer))
}

/// Reads `Name <address>`; `None` where there is no address.
fn signed(value: &str, kind: TextKind, tables: Tables<'_>) -> Option<Vec<Who>> {
    let (name, email) = name_and_address(value);
    if let TextKind::Message { author_time } = kind
        && tables.agents.is_unreliable(name, email, author_time)
    {
        return Some(Vec::new());
    }
    (!email.is_empty()).then(|| tables.identity(name, email, Place::Trailer).into_iter().collect())
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

/// What a line says that is written like those of tools, unless it is a trailer.
fn made_in_line(line: &str, kind: TextKind, tables: Tables<'_>) -> Vec<Trace> {
    let is_trailer = trailer(line).is_some_and(|(key, _)| tables.agents.key(&key).is_some());
    let statements = [Some(line), last_statement(line)];
    let mut made_by = statements.into_iter().flatten().map(|statement| made(statement, tables));
    let who = if is_trailer { None } else { made_by.find(|who| !who.is_empty()) }.unwrap_or_default();
    let channel = kind.channel(Channel::Footer);
    who.into_iter().map(|who| Trace { who, channel, line: line.to_owned(), partly: false }).collect()
}

/// What stands behind the last end of a statement: people put such a footer behind their own words.
fn last_statement(line: &str) -> Option<&str> {
    const ENDS: [&str; 8] = [". ", "! ", "? ", ") ", " - ", " – ", " — ", "🤖 "];
    let behind = |end: &str| line.rfind(end).map(|at| at + end.len());
    ENDS.into_iter().filter_map(behind).max().map(|at| &line[at..])
}

/// Whether a line goes on with a sentence that denies what it says, or speaks of what could be.
fn is_denied(paragraph: &Paragraph<'_>, number: usize, tables: Tables<'_>) -> bool {
    goes_on(paragraph.lines[number].text) && tables.agents.prose().leaves_open(&paragraph.open_before(number))
}

/// Who made it, as a line or statement says that is written like those of tools.
fn made(text: &str, tables: Tables<'_>) -> Vec<Who> {
    let lower = text.to_ascii_lowercase();
    let by = tables.agents.line_patterns().made_with.captures(&lower).and_then(|found| found.get(1));
    by.filter(|by| !denies_in_words(by.as_str()))
        .map(|by| made_with(&text[by.range()], tables))
        .unwrap_or_default()
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
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric()).to_ascii_lowercase();
        !bare.is_empty() && !word.contains("://") && !FILLER_WORDS.contains(&bare.as_str())
    };
    let left = without_parentheses(&tables.without_tools(phrase));
    let words: Vec<&str> =
        left.split_whitespace().chain(behind.split_whitespace()).filter(is_own_word).collect();
    let joined = words.join(" ").to_lowercase();
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
