//! The new side of a changed file: its text, the lines that are added to it, and findings that stand on them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use review::change::{Content, Operation};
use review::{Category, FileChange, Finding, Lens, LineKind, RepoPath, Severity, Side};

use crate::catalogue::Rule;
use crate::secrets::Redacted;
use crate::{FileReport, FileView, place};

/// The most findings of one rule in one file: the first ones show what is going on.
const MAX_FINDINGS: usize = 5;

/// A line that a change adds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AddedLine<'a> {
    /// Its number in the new file.
    pub(crate) number: u32,
    /// Its text, which may hold secrets.
    pub(crate) text: &'a str,
    /// Its text without them, for quotes.
    shown: &'a str,
}

/// The lines that a change adds to a file, by their numbers.
pub(crate) struct AddedLines<'a> {
    path: &'a RepoPath,
    lines: Vec<AddedLine<'a>>,
}

impl<'a> AddedLines<'a> {
    /// Collects the added lines of a file and of the same file without its secrets.
    pub(crate) fn of(file: &'a FileChange, redacted: &'a Redacted<'_>) -> Self {
        let mut lines = Vec::new();
        for (hunk, redacted_hunk) in file.hunks().iter().zip(redacted.file.hunks()) {
            for (line, shown) in hunk.lines().zip(redacted_hunk.lines()) {
                if let (LineKind::Added, Some(number)) = (line.kind, line.new) {
                    lines.push(AddedLine { number, text: line.text, shown: shown.text });
                }
            }
        }
        lines.sort_by_key(|line| line.number);
        Self { path: &file.path, lines }
    }

    /// Tells whether the change adds nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The added lines in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &AddedLine<'a>> {
        self.lines.iter()
    }

    /// The first added line in a range of the new file.
    pub(crate) fn first_in(&self, range: RangeInclusive<u32>) -> Option<&AddedLine<'a>> {
        let from = self.lines.partition_point(|line| line.number < *range.start());
        self.lines.get(from).filter(|line| range.contains(&line.number))
    }

    /// The added line of that number.
    pub(crate) fn get(&self, number: u32) -> Option<&AddedLine<'a>> {
        self.first_in(number..=number)
    }
}

/// Findings of one family in one file. Of each rule the first few are listed and the others are counted.
pub(crate) struct Found<'a> {
    added: &'a AddedLines<'a>,
    findings: Vec<Finding>,
    unlisted: BTreeMap<&'static str, usize>,
}

impl<'a> Found<'a> {
    /// Starts without a finding.
    pub(crate) fn new(added: &'a AddedLines<'a>) -> Self {
        Self { added, findings: Vec::new(), unlisted: BTreeMap::new() }
    }

    /// Adds what a rule says about an added line, quoted round a byte offset. Nothing happens where the change does
    /// not add that line; of two things that a rule says about a line the worse one stays.
    pub(crate) fn at(&mut self, rule: &Rule, severity: Severity, number: u32, offset: usize, body: &str) {
        let Some(line) = self.added.get(number) else { return };
        let quote = place::quote(line.shown, offset.min(line.shown.len()));
        self.add(rule, severity, Some(number), quote, body);
    }

    /// Adds what a rule says about the first added line of a range; nothing where the range has none.
    pub(crate) fn in_range(
        &mut self,
        rule: &Rule,
        severity: Severity,
        range: RangeInclusive<u32>,
        body: &str,
    ) {
        if let Some(line) = self.added.first_in(range) {
            self.at(rule, severity, line.number, 0, body);
        }
    }

    /// Tells whether the change adds a line.
    pub(crate) fn adds(&self, number: u32) -> bool {
        self.added.get(number).is_some()
    }

    /// Adds what a rule says about the file as a whole.
    pub(crate) fn about_file(&mut self, rule: &Rule, severity: Severity, body: &str) {
        self.add(rule, severity, None, String::new(), body);
    }

    fn add(&mut self, rule: &Rule, severity: Severity, line: Option<u32>, quote: String, body: &str) {
        let lines = line.map(|line| (line, line));
        let new = finding(rule, severity, self.added.path, (lines, quote), body);
        let of_rule = || self.findings.iter().enumerate().filter(|(_, old)| old.rule == new.rule);
        if let Some((index, old)) = of_rule().find(|(_, old)| old.lines == lines) {
            if old.severity < severity {
                self.findings[index] = new;
            }
        } else if of_rule().count() >= MAX_FINDINGS {
            *self.unlisted.entry(rule.id).or_default() += 1;
        } else {
            self.findings.push(new);
        }
    }

    /// Hands everything to the report.
    pub(crate) fn report(self, report: &mut FileReport) {
        report.findings.extend(self.findings);
        for (rule, count) in self.unlisted {
            report.notes.push(format!("{count} more places in this file are what {rule} finds"));
        }
    }
}

/// A finding of a rule. An empty body stands for the rule's reason; any other one is followed by it.
pub(crate) fn finding(
    rule: &Rule,
    severity: Severity,
    file: &RepoPath,
    (lines, quote): (Option<(u32, u32)>, String),
    body: &str,
) -> Finding {
    let lens = Lens::from_name(rule.category.split('/').next().unwrap_or_default());
    Finding {
        category: Category::parse(rule.category, lens.expect("a test reads every category")),
        severity,
        file: file.clone(),
        lines,
        side: Side::Head,
        quote,
        title: rule.summary.to_owned(),
        body: if body.is_empty() { rule.reason.to_owned() } else { format!("{body} {}", rule.reason) },
        rule: Some(rule.id.to_owned()),
    }
}

/// The whole new file: as it was handed over, or, where the change adds it, put together from its only hunk.
pub(crate) fn whole_head<'a>(view: &FileView<'a>) -> Option<Cow<'a, str>> {
    if let Some(head) = view.head {
        return Some(Cow::Borrowed(head));
    }
    let (Operation::Added, Content::Text(hunks)) = (view.file.operation, &view.file.content) else {
        return None;
    };
    let [hunk] = hunks.as_slice() else { return None };
    let lines: Vec<&str> = hunk.lines().map(|line| line.text).collect();
    Some(Cow::Owned(lines.join("\n") + "\n"))
}

/// The whole old file; empty for one that the change adds or copies.
pub(crate) fn whole_base<'a>(view: &FileView<'a>) -> Option<&'a str> {
    match view.file.operation {
        Operation::Added | Operation::Copied => Some(""),
        Operation::Modified | Operation::Renamed | Operation::Deleted => view.base,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::changed;

    #[test]
    fn a_new_file_is_known_as_a_whole_from_its_diff_and_another_is_not() {
        let new = changed("a.yml", None, "a: 1\nb: 2\n");
        let view = FileView::new(&new, None, None);
        assert_eq!(whole_head(&view).as_deref(), Some("a: 1\nb: 2\n"));
        assert_eq!(whole_base(&view), Some(""));
        let old = changed("a.yml", Some("a: 1\n"), "a: 1\nb: 2\n");
        let view = FileView::new(&old, None, None);
        assert_eq!((whole_head(&view), whole_base(&view)), (None, None));
    }
}
