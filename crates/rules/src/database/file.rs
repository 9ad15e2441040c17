//! One file of SQL, from its text to findings.

use std::collections::BTreeSet;
use std::ops::Range;

use code::{Cost, Lines, MAX_SOURCE_BYTES, is_bounded};
use review::change::Operation;
use review::{Category, FileChange, Finding, Lens, LineKind, Severity, Side};

use super::dialect::Foreign;
use super::migration::{Parts, Purpose, undo_path};
#[cfg(feature = "postgres")]
use super::statements::read;
use super::table::RULES;
use crate::catalogue::Rule;
use crate::secrets::Redacted;
use crate::{Examined, FileReport, FileView, Parsing, RuleOptions, place};

/// The most findings of one rule in one file: the first ones show what is going on.
const MAX_FINDINGS: usize = 5;

/// What a byte of SQL costs: its parser runs at about one megabyte a second.
const COST_PER_BYTE: u64 = 4 * Cost::PER_BYTE;

/// Something that a statement does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deed {
    /// The rule that is about it.
    pub(crate) rule: &'static str,
    /// Where it stands in the text.
    pub(crate) bytes: Range<usize>,
    /// How bad it is, where that differs from the rule's worst.
    pub(crate) severity: Option<Severity>,
}

/// The statements of a file, as far as they matter.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Statements {
    /// What they do, by place.
    pub(crate) deeds: Vec<Deed>,
    /// Where each begins.
    pub(crate) starts: Vec<usize>,
}

/// Why a text has no statements.
#[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "only the parser makes most of them"))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It is not PostgreSQL's SQL.
    NotPostgres {
        /// The byte at which the parser first stumbled.
        at: usize,
    },
    /// The parser gave up on it.
    Parser,
    /// This build has none.
    #[cfg(not(feature = "postgres"))]
    NoParser,
}

#[cfg(not(feature = "postgres"))]
fn read(_: &str, _: &(dyn Fn(&str) -> bool + Sync)) -> Result<Statements, Unread> {
    Err(Unread::NoParser)
}

/// Reviews one file of SQL.
pub(super) fn review(
    view: &FileView<'_>,
    redacted: &Redacted<'_>,
    _options: &RuleOptions,
    report: &mut FileReport,
) -> Examined {
    let added = added_lines(view.file);
    if added.is_empty() {
        return Examined::All;
    }
    let Some(text) = view.head else {
        return Examined::NotSupported(
            "reading SQL needs the whole file, and only the diff is here".to_owned(),
        );
    };
    let read = read_text(view, text);
    if !matches!(read, Err(Examined::NotSupported(_))) {
        report.cost = report.cost.and(Cost(text.len() as u64 * COST_PER_BYTE));
    }
    match read {
        Ok(statements) => {
            let places = deeds(view, text, &statements);
            let lines: Vec<&str> = text.split('\n').collect();
            report_places(places, &added, &lines, redacted, report);
            Examined::All
        }
        Err(examined) => examined,
    }
}

fn added_lines(file: &FileChange) -> BTreeSet<u32> {
    let lines = file.hunks().iter().flat_map(|hunk| hunk.lines());
    lines.filter(|line| line.kind == LineKind::Added).filter_map(|line| line.new).collect()
}

fn read_text(view: &FileView<'_>, text: &str) -> Result<Statements, Examined> {
    let path = &view.file.path;
    let foreign = |dialect: Foreign| {
        let name = dialect.name();
        Examined::NotSupported(format!("the database rules know PostgreSQL, and this looks like {name}"))
    };
    let told = || Foreign::of_path(path).or_else(|| Foreign::of_text(text));
    if let Some(dialect) = told().or_else(|| view.change.foreign_dialect_beside(path)) {
        return Err(foreign(dialect));
    }
    if text.len() > MAX_SOURCE_BYTES {
        return Err(Examined::NotSupported(format!(
            "SQL of {} bytes is above the limit of {MAX_SOURCE_BYTES}",
            text.len()
        )));
    }
    match view.parsing {
        Parsing::Allowed => {}
        Parsing::OverBudget => return Err(Examined::Failed(Parsing::OVER_BUDGET.to_owned())),
    }
    if !is_bounded(text, |line| line.starts_with("--"), Lines::RunOn) {
        return Err(Examined::Failed("SQL that nests or runs on as no migration does".to_owned()));
    }
    let is_created = |table: &str| view.change.creates_elsewhere(table, path);
    read(text, &is_created).map_err(|unread| match unread {
        Unread::NotPostgres { at } => Examined::NotSupported(format!(
            "the database rules know PostgreSQL, and line {} is not its SQL",
            LineStarts::of(text).line_of(at)
        )),
        Unread::Parser => Examined::Failed("the parser failed on this SQL".to_owned()),
        #[cfg(not(feature = "postgres"))]
        Unread::NoParser => Examined::NotSupported("this build has no parser for SQL".to_owned()),
    })
}

/// Something to report: the rule, how bad it is, and the first and last line of it.
struct Place {
    rule: &'static Rule,
    severity: Severity,
    lines: (u32, u32),
}

fn rule(id: &str) -> &'static Rule {
    RULES.iter().find(|rule| rule.id == id).expect("a test reads every rule's bad example")
}

/// What the statements do that go forward, and whether there is a way back.
fn deeds(view: &FileView<'_>, text: &str, statements: &Statements) -> Vec<Place> {
    let no_way_back = |line: u32| {
        let rule = rule("database/no-way-back");
        Place { rule, severity: rule.severity, lines: (line, line) }
    };
    let lines_of = LineStarts::of(text);
    let starts: Vec<u32> = statements.starts.iter().map(|start| lines_of.line_of(*start)).collect();
    if Purpose::of(view.file) == Purpose::Undo {
        return if starts.is_empty() { vec![no_way_back(1)] } else { Vec::new() };
    }
    let parts = Parts::of(text);
    let down = parts.as_ref().and_then(|parts| parts.down.clone());
    let mut places: Vec<Place> = Vec::new();
    for deed in &statements.deeds {
        let lines = (lines_of.line_of(deed.bytes.start), lines_of.line_of(deed.bytes.end.saturating_sub(1)));
        if down.as_ref().is_none_or(|down| !down.contains(&lines.0)) {
            let rule = rule(deed.rule);
            places.push(Place { rule, severity: deed.severity.unwrap_or(rule.severity), lines });
        }
    }
    if let Some(parts) = parts {
        let is_undone = down.is_some_and(|down| starts.iter().any(|start| down.contains(start)));
        if !is_undone {
            places.push(no_way_back(parts.up));
        }
    } else if let Some(undo) = undo_path(&view.file.path)
        && view.file.operation == Operation::Added
        && !view.change.has_path(&undo)
    {
        places.push(no_way_back(starts.first().copied().unwrap_or(1)));
    }
    places
}

/// Where each line of a text begins, to tell lines of bytes.
struct LineStarts(Vec<usize>);

impl LineStarts {
    fn of(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(end, _)| end + 1)).collect())
    }

    /// The number of the line that a byte is on.
    fn line_of(&self, byte: usize) -> u32 {
        u32::try_from(self.0.partition_point(|start| *start <= byte)).unwrap_or(u32::MAX)
    }
}

/// Reports what stands on added lines.
fn report_places(
    places: Vec<Place>,
    added: &BTreeSet<u32>,
    lines: &[&str],
    redacted: &Redacted<'_>,
    report: &mut FileReport,
) {
    let mut quotes = place::Quotes::of(redacted);
    for rule in &RULES {
        let of_rule = places.iter().filter(|place| place.rule.id == rule.id);
        let on_added: Vec<_> = of_rule
            .filter_map(|place| Some((place, *added.range(place.lines.0..=place.lines.1).next()?)))
            .collect();
        for (place, line) in on_added.iter().take(MAX_FINDINGS) {
            report.findings.push(Finding {
                category: Category::parse(rule.category, Lens::Database),
                severity: place.severity,
                file: redacted.file.path.clone(),
                lines: Some((*line, *line)),
                side: Side::Head,
                quote: quotes.line(*line, || lines.get(*line as usize - 1).copied().unwrap_or_default()),
                title: rule.summary.to_owned(),
                body: rule.reason.to_owned(),
                rule: Some(rule.id.to_owned()),
            });
        }
        if on_added.len() > MAX_FINDINGS {
            let unlisted = on_added.len() - MAX_FINDINGS;
            report.notes.push(format!("{unlisted} more statements of this file are what {} finds", rule.id));
        }
    }
}
