//! `recuse attribute --jsonl`: commits as records, one a line, and who wrote each.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{BufRead, Write};

use anyhow::{Context as _, Result};
use jiff::civil;
use review::attribution::{Agents, Attribution, AuthorState, AuthorshipInput, Login, Note, Role, attribute};
use review::change::{Commit, Identity};
use review::packet::{AttributionV1, attribution as attribution_v1};
use review::{CommitId, Digest, Families, Family};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// One commit, with what surrounds it where that is known. Fields that are not here are not read, and `null` is empty.
#[derive(Deserialize)]
struct Record {
    /// Its id; copied into the answer.
    sha: String,
    #[serde(default, deserialize_with = "or_empty")]
    author_date: String,
    #[serde(default, deserialize_with = "or_empty")]
    author_name: String,
    #[serde(default, deserialize_with = "or_empty")]
    author_email: String,
    #[serde(default, deserialize_with = "or_empty")]
    committer_name: String,
    #[serde(default, deserialize_with = "or_empty")]
    committer_email: String,
    #[serde(default, deserialize_with = "or_empty")]
    message: String,
    /// Whether it merges branches.
    #[serde(default, deserialize_with = "or_empty")]
    merge: bool,
    #[serde(default)]
    git_ai_note: Option<String>,
    #[serde(default)]
    head_branch: Option<String>,
    #[serde(default)]
    author_login: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    body: Option<String>,
}

/// Who wrote it.
#[derive(Serialize)]
struct Answer {
    sha: String,
    state: AuthorState,
    /// Families of those who wrote lines of it.
    families: BTreeSet<Family>,
    /// Families of those who only suggested.
    suggested_by: BTreeSet<Family>,
    /// Whether an AI tool wrote some of it whose model nobody knows.
    unknown_agent: bool,
    /// The AI tools that wrote or suggested.
    agents: BTreeSet<String>,
    evidence: Value,
    /// Notes that could not be read, in sentences.
    unread: Vec<String>,
}

/// Answers every line that is a record, and says which are none.
///
/// # Errors
/// Input or output broke. A line that is no record is not an error: their numbers come back, from 1. Nor is it one that
/// whoever reads the answers has enough of them.
pub(crate) fn attribute_lines(
    input: impl BufRead,
    mut output: impl Write,
    agents: &Agents,
    families: &Families,
) -> Result<Vec<(usize, String)>> {
    let mut wrong = Vec::new();
    let is_enough = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    for (index, line) in input.split(b'\n').enumerate() {
        let line = line.context("could not read standard input")?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        // Messages come in any encoding; what is no UTF-8 is replaced.
        match serde_json::from_str::<Record>(&whole_characters(&String::from_utf8_lossy(&line))) {
            Ok(record) => {
                let answer = serde_json::to_string(&answer(record, agents, families))?;
                match writeln!(output, "{answer}") {
                    Err(error) if is_enough(&error) => return Ok(Vec::new()),
                    written => written.context("could not write the answers")?,
                }
            }
            Err(error) => wrong.push((index + 1, error.to_string())),
        }
    }
    match output.flush() {
        Err(error) if is_enough(&error) => return Ok(Vec::new()),
        flushed => flushed.context("could not write the answers")?,
    }
    Ok(wrong)
}

fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(value: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(value)?.unwrap_or_default())
}

/// Writes U+FFFD for half of a surrogate pair, as `\udcfc`, by which Python keeps a byte that is no UTF-8: serde_json
/// refuses the line.
fn whole_characters(json: &str) -> Cow<'_, str> {
    /// The code unit of an escape like `\u00e4` that a text begins with.
    fn unit(text: &str) -> Option<u16> {
        u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
    }
    const ESCAPE: usize = "\\u00e4".len();
    if !json.contains("\\ud") && !json.contains("\\uD") {
        return Cow::Borrowed(json);
    }
    let mut whole = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        whole.push_str(&rest[..at]);
        rest = &rest[at..];
        let next = unit(rest).and_then(|_| unit(&rest[ESCAPE..]));
        let (read, written) = match unit(rest) {
            Some(0xd800..=0xdbff) if matches!(next, Some(0xdc00..=0xdfff)) => {
                (2 * ESCAPE, &rest[..2 * ESCAPE])
            }
            Some(0xd800..=0xdfff) => (ESCAPE, "\\ufffd"),
            Some(_) => (ESCAPE, &rest[..ESCAPE]),
            None => {
                let pair = rest.chars().take(2).map(char::len_utf8).sum();
                (pair, &rest[..pair])
            }
        };
        whole.push_str(written);
        rest = &rest[read..];
    }
    whole.push_str(rest);
    Cow::Owned(whole)
}

fn answer(record: Record, agents: &Agents, families: &Families) -> Answer {
    // Notes are matched by the commit's id; a record may name its commit in any way.
    let id = CommitId::new(&record.sha).unwrap_or_else(|| {
        CommitId::new(Digest::of(record.sha.as_bytes()).as_str()).expect("a digest is 64 hex digits")
    });
    let commits = [Commit {
        id: id.clone(),
        author_time: seconds(&record.author_date),
        author: Identity { name: record.author_name, email: record.author_email },
        committer: Identity { name: record.committer_name, email: record.committer_email },
        message: record.message,
        parents: if record.merge { 2 } else { 1 },
    }];
    let notes: Vec<Note> =
        record.git_ai_note.into_iter().map(|text| Note { commit: id.clone(), text }).collect();
    let login = record.author_login.map(|login| Login { login, id: None });
    let found = attribute(
        &AuthorshipInput {
            commits: &commits,
            branch: record.head_branch.as_deref(),
            title: record.title.as_deref().unwrap_or_default(),
            body: record.body.as_deref().unwrap_or_default(),
            author_login: login.as_ref(),
            notes: &notes,
            ..AuthorshipInput::default()
        },
        agents,
        families,
    );
    let AttributionV1 { evidence, unread, .. } = attribution_v1(&found, &[]);
    Answer {
        sha: record.sha,
        state: found.state(),
        agents: ai_tools(&found),
        families: found.families,
        suggested_by: found.suggested_by,
        unknown_agent: found.unknown_agent,
        evidence: serde_json::to_value(evidence).unwrap_or_default(),
        unread,
    }
}

fn ai_tools(found: &Attribution) -> BTreeSet<String> {
    let is_ai = |role: Role| matches!(role, Role::Implementer | Role::Suggester);
    found.evidence.iter().filter(|seen| is_ai(seen.role)).filter_map(|seen| seen.agent.clone()).collect()
}

/// A date as seconds since 1970: with a time and an offset, without an offset in UTC, or the day alone at noon. The start
/// of 1970 where it is none of these: the time only tells whether a trailer was written while an editor wrote it wrongly.
fn seconds(date: &str) -> i64 {
    if let Ok(at) = date.parse::<jiff::Timestamp>() {
        return at.as_second();
    }
    let noon = |day: civil::Date| day.at(12, 0, 0, 0);
    // A day alone reads as midnight too.
    let civil = if date.len() == 10 { date.parse().map(noon) } else { date.parse::<civil::DateTime>() };
    let utc = civil.and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC));
    utc.map_or(0, |at| at.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_surrogate_pair_is_a_replacement_and_nothing_else_is_touched() {
        for (json, expected) in [
            (r#""Gr\udcfc\uDCDFe""#, "Gr\u{fffd}\u{fffd}e"),
            (r#""\ud83d\ude00\ud83d""#, "\u{1f600}\u{fffd}"),
            (r#""\ud83d\n\\udcfc\\\udcfc""#, "\u{fffd}\n\\udcfc\\\u{fffd}"),
            (r#""\u00fc\ud800\u0041é""#, "ü\u{fffd}Aé"),
        ] {
            let read: String = serde_json::from_str(&whole_characters(json)).expect(json);
            assert_eq!(read, expected, "{json}");
        }
        // What is no JSON stays none.
        for broken in [r#""\ud8"#, r#""\"#, r#""\ud83d\u12"#] {
            assert!(serde_json::from_str::<String>(&whole_characters(broken)).is_err(), "{broken}");
        }
    }

    #[test]
    fn whoever_has_read_enough_ends_it_quietly() {
        /// A pipe that nobody reads any more, once this many bytes went through.
        struct Closed(usize);
        impl Write for Closed {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::BrokenPipe)?;
                Ok(bytes.len())
            }

            fn flush(&mut self) -> std::io::Result<()> {
                if self.0 == 0 { Err(std::io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
            }
        }
        let (agents, families) = (Agents::embedded(), Families::embedded());
        let answered = |input: &str, closed: Closed| {
            attribute_lines(input.as_bytes(), closed, &agents, &families).map(|wrong| wrong.len())
        };
        let input = "{\"sha\": \"a\"}\n".repeat(3);
        assert_eq!(answered(&format!("{input}no"), Closed(200)).expect("it ends quietly"), 0);
        assert_eq!(answered("", Closed(0)).expect("it ends quietly"), 0);
        assert_eq!(answered(&format!("{input}no"), Closed(4_000)).expect("all of it is read"), 1);
    }

    #[test]
    fn dates_are_read_as_people_write_them() {
        assert_eq!(seconds("1970-01-02T00:00:00Z"), 86_400);
        assert_eq!(seconds("2026-03-18T21:45:32-07:00"), 1_773_895_532);
        assert_eq!(seconds("1970-01-02T00:00:00"), 86_400);
        assert_eq!(seconds("1970-01-02"), 86_400 + 43_200);
        assert_eq!(seconds("yesterday"), 0);
    }
}
