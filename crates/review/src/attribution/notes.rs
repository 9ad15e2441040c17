//! What git-ai notes and Agent Trace records say about lines.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Role;
use super::who::{Tables, Who};
use crate::Lineage;

/// Notes longer than this are read only up to here, and count as written by an unknown tool: no real one is a tenth.
const NOTE_LIMIT: usize = 8 << 20;

/// What one note says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct NoteReading {
    /// The tools that wrote lines.
    pub(super) writers: Vec<Who>,
    /// Which lines; every writer has some.
    pub(super) lines: Vec<NotedLines>,
    /// Whether it attests lines to people.
    pub(super) human_lines: bool,
    /// Whether some of it is in neither format, so that it may say more than was read.
    pub(super) is_unread: bool,
}

/// Lines of one file that one tool wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotedLines {
    /// The file, as it was called in the noted commit.
    pub(super) path: String,
    /// The writer, by its index.
    pub(super) writer: usize,
    /// First and last lines in the noted commit, from 1; empty where the note does not say which.
    pub(super) ranges: Vec<(u32, u32)>,
}

impl NoteReading {
    fn add(&mut self, path: &str, writer: Who, ranges: Vec<(u32, u32)>) {
        let index = self.writers.iter().position(|known| *known == writer).unwrap_or_else(|| {
            self.writers.push(writer);
            self.writers.len() - 1
        });
        self.lines.push(NotedLines { path: path.to_owned(), writer: index, ranges });
    }
}

/// Reads a note of either format.
///
/// A session counts only where lines are attested to it; what is attested to a key without a description counts as
/// an unknown tool. Text in neither format says nothing, and is told.
pub(super) fn read_note(text: &str, tables: Tables<'_>) -> NoteReading {
    if text.len() > NOTE_LIMIT {
        let mut reading = NoteReading { is_unread: true, ..NoteReading::default() };
        reading.add("", Who::unknown_writer(), Vec::new());
        return reading;
    }
    match text.trim_start().starts_with('{') {
        true => read_agent_trace(text, tables),
        false => read_git_ai(text, tables),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct GitAiNote {
    prompts: BTreeMap<String, Session>,
    sessions: BTreeMap<String, Session>,
    tools: Vec<SummarizedTool>,
}

/// What exports of notes have in place of the sessions: tool, model, and whether lines are attested to it.
type SummarizedTool = (String, String, bool);

impl GitAiNote {
    /// And whether all of it could be read.
    fn read(json: &str) -> (Self, bool) {
        match serde_json::from_str(json) {
            Ok(note) => (note, true),
            Err(_) => (Self { tools: whole_tools(json), ..Self::default() }, false),
        }
    }

    /// The tools that wrote the lines of a key.
    fn writers(&self, key: &str, tables: Tables<'_>) -> Vec<Who> {
        let session = key.split("::").next().unwrap_or(key);
        if let Some(Session { agent_id }) = self.sessions.get(session).or_else(|| self.prompts.get(key)) {
            return vec![writer(&agent_id.tool, &agent_id.model, tables)];
        }
        // A summary does not say which key is whose, so each is everybody's.
        let attested = self.tools.iter().filter(|(_, _, attested)| *attested);
        let writers: Vec<Who> = attested.map(|(tool, model, _)| writer(tool, model, tables)).collect();
        if writers.is_empty() { vec![Who::unknown_writer()] } else { writers }
    }
}

/// The whole entries of a summary that was cut off.
fn whole_tools(json: &str) -> Vec<SummarizedTool> {
    let Some((_, mut rest)) = json.split_once("\"tools\"").and_then(|(_, rest)| rest.split_once('[')) else {
        return Vec::new();
    };
    let mut tools = Vec::new();
    loop {
        let mut entries = serde_json::Deserializer::from_str(rest).into_iter::<SummarizedTool>();
        let Some(Ok(tool)) = entries.next() else { return tools };
        tools.push(tool);
        rest = rest[entries.byte_offset()..].trim_start().trim_start_matches(',');
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Session {
    agent_id: AgentId,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AgentId {
    tool: String,
    model: String,
}

/// Git AI standard 3.0.0: paths with indented `KEY RANGES`, a line `---`, JSON.
fn read_git_ai(text: &str, tables: Tables<'_>) -> NoteReading {
    let text = text.replace("\r\n", "\n");
    let Some((attested, json)) =
        text.split_once("\n---\n").or_else(|| Some(("", text.strip_prefix("---\n")?)))
    else {
        return NoteReading { is_unread: true, ..NoteReading::default() };
    };
    let (note, is_whole) = GitAiNote::read(json);
    let mut reading = NoteReading { is_unread: !is_whole, ..NoteReading::default() };
    let mut path = "";
    for line in attested.lines() {
        let Some((key, ranges)) = line.strip_prefix("  ").and_then(|entry| entry.split_once(' ')) else {
            // A path with spaces stands in quotes.
            path = line.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(line);
            continue;
        };
        if !ranges.starts_with(|first: char| first.is_ascii_digit()) {
            continue;
        }
        if key == "human" || key.starts_with("h_") {
            reading.human_lines = true;
            continue;
        }
        let ranges = git_ai_ranges(ranges);
        for writer in note.writers(key, tables) {
            reading.add(path, writer, ranges.clone());
        }
    }
    reading
}

/// `1,2,19-222`; nothing where any of it is no range, since then it is not known which lines are meant.
fn git_ai_ranges(text: &str) -> Vec<(u32, u32)> {
    let range = |part: &str| -> Option<(u32, u32)> {
        let (start, end) = part.split_once('-').unwrap_or((part, part));
        Some((start.trim().parse().ok()?, end.trim().parse().ok()?))
    };
    text.split(',').map(range).collect::<Option<Vec<_>>>().unwrap_or_default()
}

#[derive(Debug, Deserialize)]
struct TraceRecord {
    #[serde(default)]
    tool: Option<TraceTool>,
    files: Vec<TraceFile>,
}

#[derive(Debug, Deserialize)]
struct TraceTool {
    #[serde(default)]
    name: String,
}

#[derive(Debug, Deserialize)]
struct TraceFile {
    #[serde(default)]
    path: String,
    #[serde(default)]
    conversations: Vec<Conversation>,
}

#[derive(Debug, Deserialize)]
struct Conversation {
    #[serde(default)]
    contributor: Option<Contributor>,
    #[serde(default)]
    ranges: Vec<TraceRange>,
}

#[derive(Debug, Deserialize)]
struct TraceRange {
    #[serde(default)]
    start_line: Option<u32>,
    #[serde(default)]
    end_line: Option<u32>,
    #[serde(default)]
    contributor: Option<Contributor>,
}

impl TraceRange {
    fn lines(&self) -> Option<(u32, u32)> {
        Some((self.start_line?, self.end_line?))
    }
}

#[derive(Debug, Deserialize)]
struct Contributor {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    model_id: Option<String>,
}

/// Agent Trace 0.1.0: one record, or one a line. A range's contributor stands before its conversation's. What is no
/// record hides none behind it.
fn read_agent_trace(text: &str, tables: Tables<'_>) -> NoteReading {
    let mut reading = NoteReading::default();
    for record in trace_records::<TraceRecord>(text) {
        let Ok(record) = record else {
            reading.is_unread = true;
            continue;
        };
        let tool = record.tool.map(|tool| tool.name).unwrap_or_default();
        for file in &record.files {
            for conversation in &file.conversations {
                read_conversation(&file.path, conversation, &tool, &mut reading, tables);
            }
        }
    }
    reading
}

/// The records in a text, and an error for each place where there is none. Behind one it goes on at the next line that
/// begins a record. serde_json follows nested values 128 deep, so no text takes more than that many passes.
pub(super) fn trace_records<'t, R: Deserialize<'t>>(
    text: &'t str,
) -> impl Iterator<Item = serde_json::Result<R>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut records = serde_json::Deserializer::from_str(rest).into_iter::<R>();
        let record = records.next()?;
        rest = match &record {
            Ok(_) => &rest[records.byte_offset()..],
            Err(_) => {
                let mut lines = rest.trim_start().split_inclusive('\n');
                let wrong = lines.next().map_or(0, str::len);
                let between: usize = lines.take_while(|line| !line.starts_with('{')).map(str::len).sum();
                &rest.trim_start()[wrong + between..]
            }
        };
        Some(record)
    })
}

fn read_conversation(
    path: &str,
    conversation: &Conversation,
    tool: &str,
    reading: &mut NoteReading,
    tables: Tables<'_>,
) {
    let mut add = |contributor: &Contributor, ranges: Option<Vec<(u32, u32)>>| match contributor.kind.as_str()
    {
        "human" => reading.human_lines = true,
        "ai" | "mixed" => {
            let model = contributor.model_id.as_deref().unwrap_or_default();
            reading.add(path, writer(tool, model, tables), ranges.unwrap_or_default());
        }
        _ => {}
    };
    if let (true, Some(contributor)) = (conversation.ranges.is_empty(), &conversation.contributor) {
        add(contributor, None);
    }
    for range in &conversation.ranges {
        if let Some(contributor) = range.contributor.as_ref().or(conversation.contributor.as_ref()) {
            add(contributor, range.lines().map(|lines| vec![lines]));
        }
    }
}

/// Who wrote, from a tool's name and a model's: the model's lineage, else the tool's default, else unknown.
fn writer(tool: &str, model: &str, tables: Tables<'_>) -> Who {
    let agent = tables.agents.by_note_tool(tool);
    let id =
        agent.map(|agent| agent.id.clone()).or_else(|| Some(tool.to_owned()).filter(|tool| !tool.is_empty()));
    if tables.families.is_placeholder(&model.to_lowercase()) {
        let lineage = agent.map_or_else(Lineage::unknown, |agent| agent.default_lineage());
        return Who { agent: id, model: None, lineage, role: Role::Implementer };
    }
    let mut lineage = tables.families.resolve(model).lineage;
    if lineage.families.is_empty() {
        // A name that nobody knows may still be of the tool's own maker.
        lineage.families = agent.map(|agent| agent.default_lineage().families).unwrap_or_default();
    }
    Who { agent: id, model: Some(model.to_owned()), lineage, role: Role::Implementer }
}
