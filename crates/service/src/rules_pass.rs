//! Runs the rules over a change: findings, what could not be examined, and the redacted change that everything
//! behind this point sees.
//!
//! File by file, so that only the texts of one file per thread are in memory.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use git::{BlobReader, FileAt};
use review::basis::RulesReport;
use review::change::Source;
use review::packet::{NotCoveredV1, RulesNoteV1, RulesV1, SuppressedV1};
use review::text::visible;
use review::{Change, FileChange, Lens, RepoPath};
use rules::{ChangeFacts, Examined, FileReport, FileView, Parsing, ParsingBudget, RuleOptions, SecretSpan};

/// What the rules say about a change, and the change that everybody else is shown.
pub struct RulesPass {
    /// The change with secrets replaced, in files, title, body, messages and names of branches.
    pub change: Change,
    /// What they say.
    pub report: RulesReport,
    /// Where secrets were in the hunks of the change as it was read, by file.
    pub secrets: Vec<Vec<SecretSpan>>,
}

/// Gives a thread its own reader of whole files; `None` where only a diff is at hand.
pub type Open<'o, 'r> = &'o (dyn Fn() -> Result<Option<BlobReader<'r>>> + Sync);

/// Below this many files one thread is quicker than starting another.
const FILES_FOR_A_SECOND_THREAD: usize = 24;

/// Runs the rules.
///
/// # Errors
/// The repository cannot be read.
pub fn run<'r>(change: Change, options: &RuleOptions, open: Open<'_, 'r>) -> Result<RulesPass> {
    let reports = review_files(&change, options, open)?;
    let mut pass = RulesPass { change, report: RulesReport::default(), secrets: Vec::new() };
    let files = std::mem::take(&mut pass.change.files);
    for (index, (file, report)) in files.into_iter().zip(reports).enumerate() {
        for (lens, examined) in &report.examined {
            match examined {
                Examined::All => pass.supports(*lens, index),
                Examined::NotSupported(_) => {}
                Examined::Failed(reason) => {
                    pass.supports(*lens, index);
                    pass.report.failed.push((*lens, index, reason.clone()));
                }
            }
        }
        if report.unsafe_to_send.is_some() {
            pass.report.unsafe_to_send.push(index);
        }
        pass.report.redacted += report.secrets.len();
        beside(&mut pass.report.beside, &file, &report);
        pass.report.findings.extend(report.findings);
        let redacted =
            if report.secrets.is_empty() { file } else { rules::redact_hunks(&file, &report.secrets) };
        pass.change.files.push(redacted);
        pass.secrets.push(report.secrets);
    }
    let mut redact = |text: &mut String| {
        let (redacted, count) = rules::redact_text(text);
        if count > 0 {
            *text = redacted;
            pass.report.redacted += count;
        }
    };
    redact(&mut pass.change.title);
    redact(&mut pass.change.body);
    for commit in &mut pass.change.commits {
        redact(&mut commit.message);
    }
    // Names are not counted: whoever verifies the packet only has them redacted.
    let names = match &mut pass.change.subject.source {
        Source::Range { base_ref, head_ref } | Source::PullRequest { base_ref, head_ref, .. } => {
            vec![base_ref, head_ref]
        }
        Source::Staged | Source::Patch => Vec::new(),
    };
    for name in names.into_iter().chain(&mut pass.change.branch) {
        *name = rules::redact_text(name).0;
    }
    let reader = RefCell::new(None);
    let report = rules::review_change(&pass.change, &|path| exists(path, &reader, open));
    pass.report.findings.extend(report.findings);
    pass.report.questions = report.questions;
    Ok(pass)
}

/// Whether a file is there after the change; `None` where only a diff is at hand, or where it cannot be read.
fn exists<'r>(
    path: &RepoPath,
    reader: &RefCell<Option<Option<BlobReader<'r>>>>,
    open: Open<'_, 'r>,
) -> Option<bool> {
    let mut reader = reader.borrow_mut();
    let reader = reader.get_or_insert_with(|| open().ok().flatten()).as_mut()?;
    reader.is_in_head(path).ok()
}

impl RulesPass {
    fn supports(&mut self, lens: Lens, file: usize) {
        match self.report.supported.iter_mut().find(|(known, _)| *known == lens) {
            Some((_, files)) => files.push(file),
            None => self.report.supported.push((lens, vec![file])),
        }
    }
}

/// Adds what the rules say of a file beside their findings.
fn beside(beside: &mut RulesV1, file: &FileChange, report: &FileReport) {
    for (lens, reason) in &report.not_covered {
        match beside.not_covered.iter_mut().find(|known| known.lens == *lens && known.reason == *reason) {
            Some(known) => known.files.push(file.path.clone()),
            None => beside.not_covered.push(NotCoveredV1 {
                lens: *lens,
                reason: reason.clone(),
                files: vec![file.path.clone()],
            }),
        }
    }
    beside.suppressed.extend(report.suppressed.iter().map(|suppressed| SuppressedV1 {
        rule: suppressed.finding.rule.clone().unwrap_or_default(),
        severity: suppressed.finding.severity,
        file: file.path.clone(),
        line: suppressed.finding.lines.map(|(first, _)| first),
        title: suppressed.finding.title.clone(),
        reason: visible(&suppressed.reason),
        allowed_at: suppressed.line,
    }));
    let notes = report.notes.iter().map(|note| RulesNoteV1 { file: file.path.clone(), note: note.clone() });
    beside.notes.extend(notes);
}

fn review_files<'r>(change: &Change, options: &RuleOptions, open: Open<'_, 'r>) -> Result<Vec<FileReport>> {
    let threads = if change.files.len() < FILES_FOR_A_SECOND_THREAD {
        1
    } else {
        std::thread::available_parallelism().map_or(1, usize::from).min(8)
    };
    let facts = facts(change, open)?;
    let budget = ParsingBudget::default();
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<(usize, Parsing, FileReport)>> {
        let mut worker = Worker { facts: &facts, options, reader: None, open };
        let mut reports = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = change.files.get(index) else { return Ok(reports) };
            let parsing = budget.ask();
            let report = worker.review(file, parsing)?;
            budget.spend(index, report.cost);
            reports.push((index, parsing, report));
        }
    };
    let mut reports = std::thread::scope(|scope| -> Result<Vec<(usize, Parsing, FileReport)>> {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut reports = work()?;
        for other in others {
            reports.extend(other.join().expect("the rules never panic")?);
        }
        Ok(reports)
    })?;
    reports.sort_by_key(|(index, ..)| *index);
    // A thread that was ahead of the others may have parsed what the files before it left no budget for.
    let settled: Vec<_> = ParsingBudget::settled(reports.iter().map(|(.., report)| report.cost)).collect();
    let mut worker = Worker { facts: &facts, options, reader: None, open };
    let reports = reports.into_iter().zip(settled).map(|((index, parsing, report), settled)| {
        if parsing == settled { Ok(report) } else { worker.review(&change.files[index], settled) }
    });
    reports.collect()
}

/// How many files beside one of SQL are asked for their dialect.
const NEIGHBOURS: usize = 6;

/// What is known of the whole change, and of the SQL that stands beside what it changes.
fn facts<'r>(change: &Change, open: Open<'_, 'r>) -> Result<ChangeFacts> {
    let mut facts = ChangeFacts::of(&change.files);
    let asked = facts.without_dialect(&change.files);
    if asked.is_empty() {
        return Ok(facts);
    }
    let Some(mut reader) = open()? else { return Ok(facts) };
    for path in asked {
        for bytes in reader.beside(path, NEIGHBOURS)? {
            facts.learn_dialect(path, &String::from_utf8_lossy(&bytes));
        }
    }
    Ok(facts)
}

/// What one thread reviews files with.
struct Worker<'a, 'r> {
    facts: &'a ChangeFacts,
    options: &'a RuleOptions,
    /// Opened for the first file that needs it.
    reader: Option<Option<BlobReader<'r>>>,
    open: Open<'a, 'r>,
}

impl Worker<'_, '_> {
    fn review(&mut self, file: &FileChange, parsing: Parsing) -> Result<FileReport> {
        let (base, head) = if rules::reads_whole_file(file) { self.texts(file)? } else { (None, None) };
        let (base, head) = (base.as_deref(), head.as_deref());
        let view = FileView { file, base, head, change: self.facts, parsing };
        Ok(rules::review_file(&view, self.options))
    }

    /// The whole file before and after, where a repository is at hand.
    fn texts(&mut self, file: &FileChange) -> Result<(Option<String>, Option<String>)> {
        if self.reader.is_none() {
            self.reader = Some((self.open)()?);
        }
        Ok(match self.reader.as_mut().and_then(Option::as_mut) {
            Some(reader) => (text(reader.before(file)?), text(reader.after(file)?)),
            None => (None, None),
        })
    }
}

/// A file's text; none for what is absent, too large or no file.
fn text(file: FileAt) -> Option<String> {
    let bytes = file.into_bytes()?;
    Some(
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    )
}
