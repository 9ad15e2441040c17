//! Dangerous calls, by the syntax tree: what a change hands to a database, a shell, a page, a file system.
//!
//! Values are followed inside each function, from what comes in to what is done with it. A value that the program has
//! written itself is no danger, and tests are not looked at. With only a diff at hand, the new side of each hunk is
//! read as a piece of its language.

mod cleaner;
mod command;
mod cryptography;
mod danger;
mod deserialization;
mod directory;
mod evaluation;
mod form;
mod format;
mod lines;
mod markup;
mod memory;
mod notebook;
mod path;
mod removed;
mod request;
mod source;
mod sql;
mod tls;
mod value;
mod walk;

use std::collections::HashMap;

use code::{CodeError, Cost, Language, MAX_SOURCE_BYTES};
use review::change::{Content, Operation};
use review::text::visible;
use review::{Category, FileChange, Finding, Lens, Severity, Side};

use self::danger::{Danger, Site};
use self::form::Form;
use self::lines::{Piece, Touched, is_test_path, pieces};
use self::value::Origin;
use crate::catalogue::{Rule, RuleInfo};
use crate::secrets::Redacted;
use crate::{BINARY, Examined, Family, FileReport, FileView, Parsing, RuleOptions, Support, place};

/// The most findings of one rule in one file.
const MAX_FINDINGS: usize = 8;

/// The family.
pub(crate) const FAMILY: Family =
    Family { lens: Lens::Security, supports, reads_whole_files: true, review, catalogue };

/// Every rule of the family, in the order of their ids.
static RULES: [&Rule; 25] = [
    &removed::ACCESS,
    &removed::BOUNDS,
    &evaluation::CODE,
    &command::INJECTION,
    &markup::SCRIPTING,
    &removed::ESCAPING,
    &memory::FORMAT,
    &cryptography::HARD_CODED_KEY,
    &request::COOKIE,
    &directory::LDAP,
    &request::REDIRECT,
    &removed::PATH,
    &path::TRAVERSAL,
    &request::FORGERY,
    &memory::OVERFLOW,
    &sql::INJECTION,
    &evaluation::TEMPLATE,
    &tls::DISABLED,
    &request::TRUST,
    &memory::UNBOUNDED,
    &deserialization::UNSAFE,
    &cryptography::WEAK_CIPHER,
    &cryptography::WEAK_HASH,
    &cryptography::WEAK_RANDOM,
    &request::ENTITIES,
];

/// What looks at each call, assignment and entry.
const LOOKS: [fn(&Site<'_>, &mut Vec<Danger>); 11] = [
    sql::look,
    command::look,
    evaluation::look,
    path::look,
    deserialization::look,
    cryptography::look,
    tls::look,
    markup::look,
    request::look,
    directory::look,
    memory::look,
];

fn supports(file: &FileChange) -> Support {
    match (&file.content, file.operation) {
        (Content::Binary, _) => Support::NotSupported(BINARY),
        (Content::Nothing, _) | (_, Operation::Deleted) => Support::Supported,
        (
            Content::Text(_),
            Operation::Added | Operation::Modified | Operation::Renamed | Operation::Copied,
        ) => match Form::of(file) {
            // That it is a program which nobody reads is worth saying.
            Form::Source(_) | Form::Notebook | Form::Unread(_) => Support::Supported,
            Form::NoProgram => Support::NotSupported("it is no program"),
        },
    }
}

fn catalogue() -> Vec<RuleInfo> {
    RULES.into_iter().map(RuleInfo::from).collect()
}

/// Looks at the calls of a changed file.
fn review(
    view: &FileView<'_>,
    redacted: &Redacted<'_>,
    _options: &RuleOptions,
    report: &mut FileReport,
) -> Examined {
    let file = view.file;
    if matches!(file.content, Content::Nothing)
        || file.operation == Operation::Deleted
        || is_test_path(&file.path)
    {
        return Examined::All;
    }
    let touched = Touched::of(file);
    if touched.is_empty() {
        return Examined::All;
    }
    let form = Form::of(file);
    let language = match form {
        Form::Source(language) => language,
        Form::Notebook => Language::Python,
        Form::Unread(what) => {
            return Examined::NotSupported(format!("the rules follow no calls in {what}"));
        }
        Form::NoProgram => return Examined::All,
    };
    match view.parsing {
        Parsing::Allowed => {}
        Parsing::OverBudget => return Examined::Failed(Parsing::OVER_BUDGET.to_owned()),
    }
    let (heads, bases) = match form {
        Form::Notebook => match notebook::sides(view) {
            Ok(sides) => sides,
            Err(examined) => return examined,
        },
        Form::Source(_) | Form::Unread(_) | Form::NoProgram => sources(language, view, report),
    };
    let mut found = Vec::new();
    let mut trouble = Vec::new();
    // How many more there are of each danger than before; what is kept counts them down.
    let mut counts: HashMap<String, i64> = HashMap::new();
    for head in &heads {
        match follow(language, head, &touched, &mut report.cost) {
            Ok(seen) => {
                if seen.is_over_budget {
                    trouble.push("it takes more steps to follow than a text of its size deserves".to_owned());
                }
                for danger in &seen.dangers {
                    *counts.entry(danger.key.clone()).or_default() += 1;
                }
                found.extend(seen.dangers.into_iter().filter_map(|danger| {
                    let line = touched.place(danger.lines, &danger.way)?;
                    Some(Danger { lines: (line, line), ..danger })
                }));
            }
            Err(error) => trouble.push(error.to_string()),
        }
    }
    // What was there before is not this change's doing. A base that cannot be read excuses nothing.
    if !found.is_empty() {
        for base in &bases {
            if let Ok(seen) = follow(language, base, &Touched::everything(), &mut report.cost) {
                for danger in seen.dangers {
                    for key in danger.other_keys.into_iter().chain([danger.key]) {
                        *counts.entry(key).or_default() -= 1;
                    }
                }
            }
        }
        found.retain(|danger| {
            let more = counts.entry(danger.key.clone()).or_default();
            *more -= 1;
            *more >= 0
        });
    }
    match form {
        Form::Source(_) => found.extend(removed::look(language, file, &found)),
        // Its lines are those of JSON.
        Form::Notebook | Form::Unread(_) | Form::NoProgram => {}
    }
    for danger in &mut found {
        lower_if_moved(view, danger);
    }
    tell(file, view.head, redacted, found, report);
    match trouble.first() {
        Some(reason) => Examined::Failed(format!("calls could not be followed to the end: {reason}")),
        None => Examined::All,
    }
}

/// A line that leaves another file of the change is not new; what reaches it may be.
fn lower_if_moved(view: &FileView<'_>, danger: &mut Danger) {
    let Some(removed) = view.change.removed() else { return };
    let line = lines::text_of(view.file, view.head, danger.lines.0);
    if let Some(from) = removed.line_left(&view.file.path, line) {
        danger.severity = Severity::Low;
        danger.body = format!(
            "The same line leaves `{}`, so that it seems to have moved. {}",
            visible(from.as_str()),
            danger.body
        );
    }
}

/// What there is to read of a source: both sides of it as a whole, or, where one is not at hand or too large, of its hunks.
fn sources(language: Language, view: &FileView<'_>, report: &mut FileReport) -> (Vec<Piece>, Vec<Piece>) {
    let is_large = [view.head, view.base].into_iter().flatten().any(|text| text.len() > MAX_SOURCE_BYTES);
    let (head, base) = if is_large { (None, None) } else { (view.head, view.base) };
    let heads = pieces(language, view.file, head, Side::Head);
    if heads.iter().any(|piece| piece.is_part) {
        let why = if is_large { "it is too large to be read as a whole" } else { "only the diff is at hand" };
        report.notes.push(format!("{why}: calls are followed inside each hunk"));
    }
    (heads, pieces(language, view.file, base, Side::Base))
}

/// What a piece of source does, where the change has to do with it, by the lines of the file.
fn follow(
    language: Language,
    piece: &Piece,
    touched: &Touched,
    cost: &mut Cost,
) -> Result<walk::Seen, CodeError> {
    let program = code::steps(language, &piece.text);
    *cost = cost.and(program.as_ref().map_or_else(CodeError::cost, |program| program.cost));
    let program = program?;
    let is_touched = |(first, last): (u32, u32)| touched.touches(piece.line(first), piece.line(last));
    let mut seen = walk::walk(language, &piece.text, &program, &LOOKS, &is_touched, &|line| piece.line(line));
    seen.dangers.retain(|danger| {
        // Nobody calls a function of a minified program but the program.
        danger.origin != Origin::Parameter || !is_minified(&piece.text, danger.bytes.0 as usize)
    });
    for danger in &mut seen.dangers {
        danger.lines = (piece.line(danger.lines.0), piece.line(danger.lines.1));
        danger.way = danger.way.iter().map(|line| piece.line(*line)).collect();
    }
    Ok(seen)
}

/// Whether a place stands in a line that no person writes.
fn is_minified(text: &str, at: usize) -> bool {
    let (before, behind) = text.split_at(text.floor_char_boundary(at));
    let start = before.rfind('\n').map_or(before.len(), |end| before.len() - end);
    place::is_minified(start + behind.find('\n').unwrap_or(behind.len()))
}

/// Makes findings of dangers.
fn tell(
    file: &FileChange,
    head: Option<&str>,
    redacted: &Redacted<'_>,
    mut dangers: Vec<Danger>,
    report: &mut FileReport,
) {
    dangers.sort_by_key(|danger| (danger.lines, danger.rule.id));
    dangers.dedup_by_key(|danger| (danger.lines, danger.rule.id));
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut quotes = place::Quotes::of(redacted);
    for danger in dangers {
        let count = counts.entry(danger.rule.id).or_default();
        *count += 1;
        if *count > MAX_FINDINGS {
            continue;
        }
        let lens = Lens::from_name(danger.rule.category.split('/').next().unwrap_or_default());
        report.findings.push(Finding {
            category: Category::parse(danger.rule.category, lens.unwrap_or(Lens::Security)),
            severity: danger.severity,
            file: file.path.clone(),
            lines: Some(danger.lines),
            side: Side::Head,
            quote: quotes.line(danger.lines.0, || lines::text_of(file, head, danger.lines.0)),
            title: danger.rule.summary.to_owned(),
            // It repeats names of the source, and a name can be a secret.
            body: redacted.line(&danger.body),
            rule: Some(danger.rule.id.to_owned()),
        });
    }
    let mut more: Vec<_> = counts.into_iter().filter(|(_, count)| *count > MAX_FINDINGS).collect();
    more.sort_unstable();
    for (rule, count) in more {
        report.notes.push(format!("{} more places of this file are what {rule} finds", count - MAX_FINDINGS));
    }
}

#[cfg(test)]
mod tests;
