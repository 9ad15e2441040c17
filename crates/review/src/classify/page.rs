//! The rules of classification as a page for people.

use std::fmt::Write as _;

use super::rules::ClassifyRules;
use super::table::{Case, LineTable, PathTable};
use super::{LINES_PEOPLE_READ, Reversibility, Risk};

impl ClassifyRules {
    /// The rules in force, as a page in Markdown: every label with its globs and patterns, and why each is there.
    pub fn page(&self) -> String {
        let mut page = INTRODUCTION.replace("LINES_PEOPLE_READ", &LINES_PEOPLE_READ.to_string());
        for label in &self.table.label {
            section(&mut page, &format!("## {}", label.name.name()), "");
            push(&mut page, &format!("Risk: {}, unless a rule below says otherwise.", label.risk.name()));
            for path in &label.path {
                path_rule(&mut page, path);
            }
            for line in &label.line {
                line_rule(&mut page, line);
            }
        }
        section(&mut page, "## Exported items", EXPORTS);
        for export in &self.table.export {
            let extensions = export.extensions.iter().map(|extension| format!("`.{extension}`"));
            let extensions = extensions.collect::<Vec<_>>().join(" ");
            push(&mut page, &format!("- {} ({extensions}): {}", export.language, code(&export.pattern)));
        }
        section(&mut page, "## The part of a migration that undoes it", DOWN);
        for (what, patterns) in [
            ("file", &self.table.down.globs),
            ("it begins at", &self.table.down.starts),
            ("it ends at", &self.table.down.ends),
        ] {
            for pattern in patterns {
                push(&mut page, &format!("- {what} {}", code(pattern)));
            }
        }
        section(&mut page, "## Source text", SOURCE_TEXT);
        let table = &self.table.code;
        for (what, words) in [
            ("Extensions", &table.extensions),
            ("Names", &table.names),
            ("Interpreters in a first line `#!`", &table.interpreters),
        ] {
            let words = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" ");
            push(&mut page, &format!("- {what}: {words}"));
        }
        page
    }
}

const INTRODUCTION: &str = "\
# What a change is

This page is made from `config/classify.toml` by a test; change that file, not this one.

A change gets labels, a risk and a word on whether it can be undone. Labels are a union over its files; risk and
reversibility are the worst of them. Each comes with the reasons: which path matched which glob, or which line was
seen. The rules look at the paths and the changed lines alone, so they are quick and always say the same, and they are
no judgement: a label says where to look.

- Risk. A file that is a document or a test starts at low, every other at medium, and each rule that matches may raise
  it. A test counts as medium at most, unless it instructs a model. Part of a change that could not be read makes it
  high, and so do more than LINES_PEOPLE_READ changed lines outside tests, documents and lockfiles.
- Reversibility. `costly`: a revert undoes it with care. `irreversible`: a revert does not bring back what is lost, or
  take back what went out.
- A file is a document, or a test, when all its paths (old and new) are. What instructs a model is no document.
- Globs match the whole path, whatever the case of its letters, unless said otherwise. `*` stops at `/`.
- Patterns match one line at a time.

Which lenses ask a model about a file:

| file | lenses |
|---|---|
| source text | security, correctness, complexity |
| a test | correctness; security too if it is security-sensitive |
| a prompt or an instruction for agents, Markdown too | prompt-health, security |
| a pipeline, infrastructure, a manifest of dependencies | security, correctness |
| a lockfile | security |
| a schema, a migration, a query | database, beside what else the file is |
| a document | none: the rules look at it |
| not text, or no line changed | none |
| any other text | security, correctness |
";

const EXPORTS: &str = "\
In source text outside tests, a removed line with one of these interfaces makes the change `public-api`, unless the
same interface is among the file's added lines. What is gone altogether is costly to bring back for those who built
against it.";

const DOWN: &str = "\
What is dropped there was made by the migration itself, so it is costly and not irreversible.";

const SOURCE_TEXT: &str = "What has functions, by its extension, its name or its first line.";

fn path_rule(page: &mut String, rule: &PathTable) {
    let mut notes = vec![format!("in {}", rule.scope.name())];
    if rule.case == Case::Respected {
        notes.push("upper and lower case differ".to_owned());
    }
    push(
        page,
        &format!("\nA path: **{}** ({})\n", rule.reason, effects(notes, rule.risk, rule.reversibility)),
    );
    for glob in &rule.globs {
        push(page, &format!("- {}", code(glob)));
    }
    for glob in &rule.except {
        push(page, &format!("- but not {}", code(glob)));
    }
}

fn line_rule(page: &mut String, rule: &LineTable) {
    let mut notes = vec![rule.on.name().to_owned(), format!("in {}", rule.scope.name())];
    if let Some(lines) = rule.first_lines {
        notes.push(format!("in the first {lines} lines"));
    }
    push(
        page,
        &format!("\nA line: **{}** ({})\n", rule.reason, effects(notes, rule.risk, rule.reversibility)),
    );
    push(page, &format!("- {}", code(&rule.pattern)));
    if !rule.globs.is_empty() {
        let globs = rule.globs.iter().map(|glob| code(glob)).collect::<Vec<_>>();
        push(page, &format!("- only in {}", globs.join(" ")));
    }
    if !rule.except.is_empty() {
        let globs = rule.except.iter().map(|glob| code(glob)).collect::<Vec<_>>();
        push(page, &format!("- but not in {}", globs.join(" ")));
    }
}

fn effects(mut notes: Vec<String>, risk: Option<Risk>, reversibility: Reversibility) -> String {
    notes.extend(risk.map(|risk| format!("risk {}", risk.name())));
    match reversibility {
        Reversibility::Reversible => {}
        Reversibility::Costly | Reversibility::Irreversible => notes.push(reversibility.name().to_owned()),
    }
    notes.join("; ")
}

fn section(page: &mut String, title: &str, text: &str) {
    push(page, &format!("\n{title}\n"));
    if !text.is_empty() {
        push(page, &format!("{text}\n"));
    }
}

fn push(page: &mut String, line: &str) {
    writeln!(page, "{line}").expect("writing to a string does not fail");
}

/// A code span, fenced with more backticks than the text has in a row.
fn code(text: &str) -> String {
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    match longest {
        0 => format!("{fence}{text}{fence}"),
        _ => format!("{fence} {text} {fence}"),
    }
}
