//! Whether prompt files can be used: what is wrong is told by file and line, all of it at once.
//!
//! A file that fits is rendered with texts that can be told apart, and what comes out is looked at: whatever others
//! wrote has to stand between fences, and the fence's mark nowhere else.

use std::collections::BTreeSet;

use models::{Message, Prompt};
use review::Lens;
use review::change::Operation;
use review::examine::{ExaminationParts, Excerpt, ShownClaim};
use review::prompt::{PromptFile, PromptParts, ShownRule};
use serde_json::Value;

use super::files::{Parsed, Source};
use super::{Problem, Prompts, PromptsError};

/// The words that instructions have to name: the reader of the answer looks for these.
const REVIEW_WORDS: [&str; 18] = [
    "\"examined\"",
    "\"findings\"",
    "\"questions\"",
    "\"file\"",
    "\"line_start\"",
    "\"line_end\"",
    "\"side\"",
    "\"quote\"",
    "\"category\"",
    "\"severity\"",
    "\"title\"",
    "\"scenario\"",
    "head",
    "base",
    "critical",
    "high",
    "medium",
    "low",
];
const EXAMINATION_WORDS: [&str; 8] =
    ["\"answers\"", "\"claim\"", "\"quote\"", "\"reason\"", "\"verdict\"", "upheld", "refuted", "undecided"];

/// What a file may use, has to use and has to say.
struct Rule {
    /// The variables that are there for it.
    variables: &'static [&'static str],
    /// What it has to name, `variable` or `variable.field`.
    uses: &'static [&'static str],
    /// The words that it has to hold.
    words: &'static [&'static str],
}

fn rule(id: &str) -> Rule {
    match id {
        "shared/system" => Rule { variables: &[], uses: &[], words: &REVIEW_WORDS },
        "shared/change" => {
            Rule { variables: &["change"], uses: &["change.nonce", "change.files"], words: &[] }
        }
        "shared/part" => Rule {
            variables: &["part_number", "part_count"],
            uses: &["part_number", "part_count"],
            words: &[],
        },
        "cross-examine/system" => Rule { variables: &[], uses: &[], words: &EXAMINATION_WORDS },
        "cross-examine/case" => {
            Rule { variables: &["case"], uses: &["case.nonce", "case.file", "case.claims"], words: &[] }
        }
        _ => Rule { variables: &["categories"], uses: &["categories"], words: &[] },
    }
}

/// What is wrong with a file by itself, without rendering it.
///
/// `variables` are the names that its tags use.
pub(super) fn file(source: &Source, parsed: &Parsed<'_>, variables: &BTreeSet<&str>) -> Vec<Problem> {
    let rule = rule(source.id);
    let mut problems = Vec::new();
    for unknown in variables.iter().filter(|name| !rule.variables.contains(name)) {
        let known = if rule.variables.is_empty() {
            "none is".to_owned()
        } else {
            format!("there are {}", rule.variables.join(", "))
        };
        let message = format!("`{unknown}` is not known here: {known}");
        problems.push(source.problem(line_of(parsed, unknown), message));
    }
    for (line, variable, field) in fields(parsed) {
        if let Some(known) = fields_of(&variable).filter(|known| !known.contains(&field)) {
            let message = format!("`{variable}.{field}` is not known here: there are {}", known.join(", "));
            problems.push(source.problem(line, message));
        }
    }
    let tags: String = tags(parsed.body).map(|(_, tag)| tag).collect::<Vec<_>>().join(" ");
    for used in rule.uses.iter().filter(|used| !words(&tags).any(|word| begins_with(word, used))) {
        problems.push(source.problem(parsed.lines_before + 1, format!("it does not use `{used}`")));
    }
    for word in rule.words.iter().filter(|word| !parsed.body.contains(**word)) {
        problems.push(source.problem(
            parsed.lines_before + 1,
            format!("it does not name {word}, which the answer is read by"),
        ));
    }
    problems
}

/// What is wrong with what comes out, when everything that can be shown is shown.
pub(super) fn rendered(prompts: &Prompts, sources: &[Source], parsed: &[Parsed<'_>]) -> Vec<Problem> {
    let at = |id: &str, needle: &str, message: String| {
        let found = sources.iter().zip(parsed).find(|(source, _)| source.id == id);
        let (source, parsed) = found.expect("every id has its file");
        source.problem(line_of(parsed, needle), message)
    };
    let look = |id: &str, rendered: Result<Prompt, PromptsError>| match rendered {
        Ok(prompt) => fences(&prompt).into_iter().map(|(needle, message)| at(id, &needle, message)).collect(),
        Err(PromptsError::Wrong(problems)) => problems,
        Err(error) => vec![at(id, "", error.to_string())],
    };
    let mut problems: Vec<Problem> = Vec::new();
    for everything in [true, false] {
        for lens in Lens::ALL {
            problems.extend(look("shared/change", prompts.render(&sample_parts(lens, everything), 1)));
        }
        let case = prompts.render_examination(&sample_case(everything), 1);
        problems.extend(look("cross-examine/case", case));
    }
    problems.sort();
    problems.dedup();
    problems
}

/// The mark of the samples.
const NONCE: &str = "0123456789abcdef0123456789abcdef";

/// What every text of others begins with in the samples; the field's name follows.
const PROBE: &str = "probe:";

/// What is wrong with a rendered sample, and the field that it is about.
fn fences(prompt: &Prompt) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    let text: String = prompt
        .messages
        .iter()
        .map(|message| match message {
            Message::User(text) => text.as_str(),
            Message::Assistant { .. } | Message::ToolResult { .. } => "",
        })
        .collect();
    let (opens, closes) = (format!("<<<{NONCE} "), format!("{NONCE}>>> "));
    let mut is_open = false;
    let mut shown = 0;
    let mut said = |needle: &str, message: &str| problems.push((needle.to_owned(), message.to_owned()));
    for line in prompt.system.lines().chain(text.lines()) {
        if line.starts_with(&opens) {
            if is_open {
                said("nonce", "a fence is opened inside another one");
            }
            is_open = true;
        } else if line.starts_with(&closes) {
            if !is_open {
                said("nonce", "a fence is closed that nobody opened");
            }
            is_open = false;
        } else if line.contains(NONCE) {
            said(
                "nonce",
                "the mark stands outside a fence's line (`<<<MARK …` opens it, `MARK>>> …` closes it)",
            );
        }
        for probe in line.split(PROBE).skip(1) {
            let field: String = probe.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            shown += 1;
            if !is_open {
                said(&field, &format!("`{field}` is text of others and stands outside the fence"));
            }
        }
    }
    if is_open {
        said("nonce", "a fence is not closed");
    }
    if shown == 0 {
        said("", "it shows nothing of what is to be examined");
    }
    problems
}

fn sample_parts(lens: Lens, everything: bool) -> PromptParts {
    let probe = |field: &str| format!("{PROBE}{field}");
    let some = usize::from(everything);
    PromptParts {
        lens,
        nonce: NONCE.into(),
        house_rules: vec![ShownRule { path: probe("path"), lines: vec![probe("lines")], cut_bytes: some }]
            .into_iter()
            .take(some)
            .collect(),
        title: probe("title"),
        body: vec![probe("body"); some],
        overview: vec![probe("overview")],
        more_files: some,
        files: vec![sample_file(everything)],
        part: (1, 1 + some),
    }
}

fn sample_case(everything: bool) -> ExaminationParts {
    let probe = |field: &str| format!("{PROBE}{field}");
    let some = usize::from(everything);
    let claim = ShownClaim {
        id: "c1".into(),
        category: "correctness/logic".into(),
        severity: "high",
        place: "line 1 after the change".into(),
        quote: vec![probe("quote"); some],
        title: probe("title"),
        scenario: vec![probe("scenario"); some],
    };
    ExaminationParts {
        nonce: NONCE.into(),
        title: probe("title"),
        body: vec![probe("body"); some],
        file: sample_file(everything),
        hidden_hunks: some,
        elsewhere: vec![Excerpt { path: probe("path"), side: "head", text: format!(".1| {PROBE}text\n") }]
            .into_iter()
            .take(some)
            .collect(),
        claims: vec![claim; 1 + some],
    }
}

fn sample_file(everything: bool) -> PromptFile {
    PromptFile {
        path: format!("{PROBE}path"),
        operation: Operation::Renamed,
        old_path: everything.then(|| format!("{PROBE}old_path")),
        text: format!("@@\n+1| {PROBE}text\n"),
    }
}

/// The fields of a variable, from the value itself; `None` for one that has none.
fn fields_of(variable: &str) -> Option<Vec<String>> {
    let sample = match variable {
        "change" => serde_json::to_value(sample_parts(Lens::Security, true)),
        "case" => serde_json::to_value(sample_case(true)),
        _ => return None,
    };
    match sample {
        Ok(Value::Object(fields)) => Some(fields.keys().cloned().collect()),
        Ok(_) | Err(_) => None,
    }
}

/// Every `variable.field` in the tags, with its line in the file.
fn fields(parsed: &Parsed<'_>) -> Vec<(usize, String, String)> {
    let mut found = Vec::new();
    for (line, tag) in tags(parsed.body) {
        for word in words(tag) {
            let mut names = word.split('.');
            if let (Some(variable), Some(field)) = (names.next(), names.next()) {
                found.push((parsed.lines_before + line, variable.to_owned(), field.to_owned()));
            }
        }
    }
    found
}

/// What stands between `{{` and `}}` or between `{%` and `%}`, with the line in the template, from 1.
fn tags(body: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = 0;
    std::iter::from_fn(move || {
        let start = ["{{", "{%"].iter().filter_map(|open| body[rest..].find(open)).min()? + rest;
        let length = ["}}", "%}"].iter().filter_map(|close| body[start..].find(close)).min()?;
        rest = start + length;
        Some((body[..start].matches('\n').count() + 1, &body[start + 2..rest]))
    })
}

/// The names in a tag; text in quotes is none.
fn words(tag: &str) -> impl Iterator<Item = &str> {
    let outside = tag.split(['"', '\'', '`']).step_by(2);
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    outside.flat_map(move |part| part.split(move |c| !is_name(c))).filter(|word| !word.is_empty())
}

/// Whether a name is another one or a field of it.
fn begins_with(word: &str, name: &str) -> bool {
    word.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The line of the file where a tag names something, or where the template begins.
fn line_of(parsed: &Parsed<'_>, name: &str) -> usize {
    let named =
        tags(parsed.body).find(|(_, tag)| words(tag).any(|word| word.split('.').any(|part| part == name)));
    named.map_or(parsed.lines_before + 1, |(line, _)| parsed.lines_before + line)
}
