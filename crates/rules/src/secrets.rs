//! Secrets in the change: found by the form that their issuers gave them, reported without being repeated.

mod format;
mod name;
mod private_key;
mod redact;
#[cfg(test)]
mod samples;
mod scanner;
mod table;
mod value;

use std::collections::BTreeMap;
use std::ops::Range;

use review::{Category, FileChange, Finding, Lens, Line, LineKind, Severity, Side};

use self::format::{Format, Shape};
use self::scanner::{Hit, scan};
use self::value::Verdict;
use crate::catalogue::{Needs, RuleInfo};
use crate::{Examined, FileReport, place};

pub(crate) use self::redact::Redacted;
pub use self::redact::{redact_hunks, redact_text};

/// Where a secret stands in a file's hunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretSpan {
    /// The rule that knows it, or `not-scanned` for text that was too costly to look at.
    pub rule: &'static str,
    /// The hunk, from 0.
    pub hunk: usize,
    /// The line, from 0, in the order of [`Hunk::lines`](review::Hunk::lines).
    pub line: usize,
    /// The bytes of the line's text.
    pub bytes: Range<usize>,
}

/// What stands for text that was not looked at. It is taken out like a secret, since nobody knows.
const NOT_SCANNED: &str = "not-scanned";

/// The most findings about secrets in one file. More of them is one mistake, not many.
const MAX_FINDINGS: usize = 20;

/// Lists the rules.
pub(crate) fn catalogue() -> impl Iterator<Item = RuleInfo> {
    table::all().map(|format| RuleInfo {
        id: format.id,
        category: category(),
        severity: format.severity,
        summary: format!("{} in the change", format.name),
        reason: "Whoever can read the repository, now or in its history, can use the secret. It has to be revoked: \
                 taking the line out again does not help.",
        needs: Needs::Diff,
        bad: None,
        good: None,
        keywords: format.keywords,
        form: match format.shape {
            Shape::Block => "-----BEGIN … PRIVATE KEY-----, and the lines that follow it",
            Shape::Token(_) | Shape::Issuer(_) | Shape::Assigned(_) | Shape::Within(_) => format.form,
        },
    })
}

fn category() -> Category {
    Category::parse("security/secret", Lens::Security)
}

/// Looks for secrets on both sides, and reports those that the change adds. Returns the file without them.
pub(crate) fn review<'a>(file: &'a FileChange, report: &mut FileReport) -> (Examined, Redacted<'a>) {
    let mut added = Vec::new();
    let mut unscanned = 0;
    for (index, hunk) in file.hunks().iter().enumerate() {
        let lines: Vec<Line<'_>> = hunk.lines().collect();
        let texts: Vec<&str> = lines.iter().map(|line| line.text).collect();
        let scan = scan(&texts);
        unscanned += scan.unscanned.len();
        for hit in scan.hits {
            report.secrets.push(span(hit.format.id, index, hit.line, &hit.bytes));
            if lines[hit.line].kind == LineKind::Added {
                let value = lines[hit.line].text[hit.bytes.clone()].to_owned();
                added.push(AddedSecret::new(index, &lines, &hit, value));
            }
        }
        report.secrets.extend(
            scan.unscanned.iter().map(|line| span(NOT_SCANNED, index, *line, &(0..texts[*line].len()))),
        );
    }
    let redacted = if report.secrets.is_empty() {
        Redacted::unchanged(file)
    } else {
        Redacted::new(file, &report.secrets)
    };
    report_added(added, &redacted.file, report);
    let examined = if unscanned == 0 {
        Examined::All
    } else {
        let lines = if unscanned == 1 { "1 line" } else { &format!("{unscanned} lines") };
        Examined::Failed(format!(
            "{lines} would take more work to search for secrets than a line of that length may; what was not searched \
             is left out of every prompt"
        ))
    };
    (examined, redacted)
}

fn span(rule: &'static str, hunk: usize, line: usize, bytes: &Range<usize>) -> SecretSpan {
    SecretSpan { rule, hunk, line, bytes: bytes.clone() }
}

/// A secret on an added line.
struct AddedSecret {
    format: &'static Format,
    verdict: Verdict,
    /// Whether it stands among tests and examples, and no issuer says that it opens anything.
    is_of_trial: bool,
    value: String,
    hunk: usize,
    /// First and last line of the hunk that it is on.
    lines: (usize, usize),
    /// Their numbers after the change.
    numbers: (u32, u32),
    offset: usize,
}

impl AddedSecret {
    /// For a block, the finding starts at its mark if the change adds that too.
    fn new(hunk: usize, lines: &[Line<'_>], hit: &Hit, value: String) -> Self {
        let starts_added = lines[hit.starts_at].kind == LineKind::Added;
        let first = if starts_added { hit.starts_at } else { hit.line };
        let number = |at: usize| lines[at].new.expect("an added line has a number after the change");
        Self {
            format: hit.format,
            verdict: hit.verdict,
            is_of_trial: false,
            value,
            hunk,
            lines: (first, hit.line),
            numbers: (number(first), number(hit.line)),
            offset: if first == hit.line { hit.bytes.start } else { 0 },
        }
    }

    /// Whether another one is the next line of the same block.
    fn is_continued_by(&self, next: &Self) -> bool {
        self.hunk == next.hunk
            && self.format.id == next.format.id
            && next.lines.0 < next.lines.1
            && (self.lines.0 == next.lines.0 || self.lines.1 == next.lines.0)
    }
}

/// One finding for each secret: lines of a block are one, and so are the places of one value.
fn report_added(added: Vec<AddedSecret>, redacted: &FileChange, report: &mut FileReport) {
    let mut secrets: Vec<(AddedSecret, usize)> = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for secret in added {
        if let Some((last, _)) = secrets.last_mut().filter(|(last, _)| last.is_continued_by(&secret)) {
            last.lines.1 = secret.lines.1;
            last.numbers.1 = secret.numbers.1;
            continue;
        }
        if let Some(&first) = seen.get(&secret.value) {
            secrets[first].1 += 1;
            continue;
        }
        seen.insert(secret.value.clone(), secrets.len());
        secrets.push((secret, 0));
    }
    if secrets.len() > MAX_FINDINGS {
        let unlisted = secrets.len() - MAX_FINDINGS;
        report.notes.push(format!("secrets in this file that are not listed one by one: {unlisted}"));
    }
    let is_trial = place::is_trial(&redacted.path);
    for (secret, _) in &mut secrets {
        secret.is_of_trial = is_trial && secret.format.is_nobodys();
    }
    secrets.sort_by_key(|(secret, _)| std::cmp::Reverse(severity(secret)));
    let findings = secrets.iter().take(MAX_FINDINGS).map(|(secret, more)| finding(secret, *more, redacted));
    report.findings.extend(findings);
}

fn severity(secret: &AddedSecret) -> Severity {
    match secret.verdict {
        Verdict::Doubtful => Severity::Low,
        Verdict::Likely | Verdict::No if secret.is_of_trial => Severity::Low,
        Verdict::Likely | Verdict::No => secret.format.severity,
    }
}

fn finding(secret: &AddedSecret, more: usize, redacted: &FileChange) -> Finding {
    let quoted = redacted.hunks().get(secret.hunk).and_then(|hunk| hunk.lines().nth(secret.lines.0));
    let name = secret.format.name;
    let mut body = match severity(secret) {
        Severity::Critical | Severity::High => format!(
            "Everybody who can read this repository, a fork of it or its CI logs can use this {name} until it is \
             revoked. Taking the line out again does not help, since the history keeps it: revoke it where it was \
             issued, and read its successor from the environment or a secret store."
        ),
        Severity::Medium => format!(
            "This looks like a {name}. If it guards anything, everybody who can read this repository or a fork of \
             it can use it, and taking the line out again does not help. If it guards nothing, a placeholder \
             would say so."
        ),
        Severity::Low if secret.is_of_trial => format!(
            "This {name} stands among tests or examples. If it opens nothing else, nothing is lost; if it does, everybody \
             who can read this repository or a fork of it can use it, and it has to be revoked."
        ),
        Severity::Low => format!(
            "This has the form of a {name}, but its checksum does not fit: it is made up, or it was mistyped. If it \
             is made up, a placeholder would say so; if not, it has to be revoked."
        ),
    };
    if more > 0 {
        let lines = if more == 1 { "1 more line".to_owned() } else { format!("{more} more lines") };
        body.push_str(&format!(" It stands on {lines} of this file."));
    }
    Finding {
        category: category(),
        severity: severity(secret),
        file: redacted.path.clone(),
        lines: Some(secret.numbers),
        side: Side::Head,
        quote: quoted.map_or_else(String::new, |line| place::quote(line.text, secret.offset)),
        title: format!("{name} in the change"),
        body,
        rule: Some(secret.format.id.to_owned()),
    }
}
