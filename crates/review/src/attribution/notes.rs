//! What git-ai notes and Agent Trace records say about lines.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Whether it attests lines to people.
    pub(super) human_lines: bool,
}

/// Reads a note of either format.
///
/// A session counts only where lines are attested to it; what is attested to a key without a description counts as
/// an unknown tool. Text in neither format says nothing.
pub(super) fn read_note(text: &str, tables: Tables<'_>) -> NoteReading {
    if text.len() > NOTE_LIMIT {
        return NoteReading { writers: vec![Who::unknown_writer()], human_lines: false };
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
        return NoteReading::default();
    };
    let note: GitAiNote = serde_json::from_str(json).unwrap_or_default();
    let mut reading = NoteReading::default();
    let mut seen = BTreeSet::new();
    for line in attested.lines() {
        let Some((key, ranges)) = line.strip_prefix("  ").and_then(|entry| entry.split_once(' ')) else {
            continue;
        };
        if !ranges.starts_with(|first: char| first.is_ascii_digit()) || !seen.insert(key.to_owned()) {
            continue;
        }
        if key == "human" || key.starts_with("h_") {
            reading.human_lines = true;
            continue;
        }
        let session = key.split("::").next().unwrap_or(key);
        let described = note.sessions.get(session).or_else(|| note.prompts.get(key));
        let writer = match described {
            Some(session) => writer(&session.agent_id.tool, &session.agent_id.model, tables),
            None => Who::unknown_writer(),
        };
        if !reading.writers.contains(&writer) {
            reading.writers.push(writer);
        }
    }
    reading
}

#[derive(Debug, Deserialize)]
struct TraceRecord {
    #[serde(default)]
    tool: Option<TraceTool>,
    #[serde(default)]
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
    contributor: Option<Contributor>,
}

#[derive(Debug, Deserialize)]
struct Contributor {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    model_id: Option<String>,
}

/// Agent Trace 0.1.0: one record, or one a line. A range's contributor stands before its conversation's.
fn read_agent_trace(text: &str, tables: Tables<'_>) -> NoteReading {
    let mut reading = NoteReading::default();
    let records = serde_json::Deserializer::from_str(text).into_iter::<TraceRecord>();
    for record in records.map_while(Result::ok) {
        let tool = record.tool.map(|tool| tool.name).unwrap_or_default();
        for conversation in record.files.iter().flat_map(|file| &file.conversations) {
            let of_ranges = conversation.ranges.iter().filter_map(|range| range.contributor.as_ref());
            let whole = conversation.contributor.iter().filter(|_| {
                conversation.ranges.is_empty()
                    || conversation.ranges.iter().any(|range| range.contributor.is_none())
            });
            for contributor in of_ranges.chain(whole) {
                match contributor.kind.as_str() {
                    "human" => reading.human_lines = true,
                    "ai" | "mixed" => {
                        let model = contributor.model_id.as_deref().unwrap_or_default();
                        let writer = writer(&tool, model, tables);
                        if !reading.writers.contains(&writer) {
                            reading.writers.push(writer);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    reading
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
