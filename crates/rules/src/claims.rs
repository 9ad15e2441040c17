//! Text that speaks to whoever reviews: orders to people or models, claims of approval, and faked turns of a
//! conversation.
//!
//! Such text is shown as what it is, an unverified claim. It never changes what another rule says. A phrase counts
//! where it is used, not where it is quoted: documents and programs about such text name it all the time.

mod phrases;
mod prose;
mod table;

use review::change::{Content, Operation};
use review::{Lens, Severity};

use crate::catalogue::{Rule, RuleInfo};
use crate::new_side::{AddedLines, Found};
use crate::secrets::Redacted;
use crate::{BINARY, Examined, Family, FileReport, FileView, RuleOptions, Support};

use self::phrases::{Said, said_in};
use self::prose::Prose;

/// The family.
pub(crate) const FAMILY: Family = Family {
    lens: Lens::Security,
    supports: |file| match file.content {
        Content::Binary => Support::NotSupported(BINARY),
        Content::Text(_) | Content::Nothing => Support::Supported,
    },
    reads_whole_files: false,
    review,
    catalogue,
};

fn catalogue() -> Vec<RuleInfo> {
    table::RULES.iter().map(|rule| RuleInfo::from(*rule)).collect()
}

/// Looks for claims in the lines that a change adds.
fn review(
    view: &FileView<'_>,
    redacted: &Redacted<'_>,
    _options: &RuleOptions,
    report: &mut FileReport,
) -> Examined {
    if view.file.operation == Operation::Deleted {
        return Examined::All;
    }
    let added = AddedLines::of(view.file, redacted);
    let mut found = Found::new(&added);
    let rehearsal = is_rehearsal(view.file.path.as_str());
    let mut unread = 0;
    for hunk in view.file.hunks() {
        let prose = Prose::of_hunk(hunk);
        let Heard { said, skipped } = hear(&prose);
        unread += skipped;
        for (line, offset, said) in said {
            found.at(said.rule, severity(&said, rehearsal), line, offset, &said.body());
        }
    }
    found.report(report);
    match unread {
        0 => Examined::All,
        count => Examined::Failed(format!(
            "{count} places that look like text for reviewers are more than the search goes through"
        )),
    }
}

/// The most places of one hunk that are looked at closely.
const MAX_PLACES: usize = 2_000;

/// What some prose says, and how much of it was left out.
struct Heard<'a> {
    /// Line, place in the line and what is said there; each rule once a line.
    said: Vec<(u32, usize, Said<'a>)>,
    skipped: usize,
}

fn hear(prose: &Prose) -> Heard<'_> {
    let places = prose.places();
    let mut heard = Heard { said: Vec::new(), skipped: places.len().saturating_sub(MAX_PLACES) };
    let mut read_to = 0;
    for place in places.into_iter().take(MAX_PLACES) {
        // What one place says was heard with the one before if they share a window.
        let window = prose.window(place);
        if window.end <= read_to {
            continue;
        }
        for said in said_in(prose.text(), window.clone()) {
            let Some((line, offset)) = prose.added_line(&said.place) else { continue };
            let known = |(number, _, other): &(u32, usize, Said<'_>)| {
                *number == line && other.rule.id == said.rule.id
            };
            if !heard.said.iter().any(known) {
                heard.said.push((line, offset, said));
            }
        }
        read_to = window.end;
    }
    heard
}

/// Whether the file at a path tries things out: tests, evaluations, and data for either.
pub(crate) fn is_rehearsal(path: &str) -> bool {
    const FOLDERS: [&str; 16] = [
        "test",
        "tests",
        "__tests__",
        "testdata",
        "fixtures",
        "__fixtures__",
        "__snapshots__",
        "spec",
        "specs",
        "eval",
        "evals",
        "evaluation",
        "benchmark",
        "benchmarks",
        "datasets",
        "corpora",
    ];
    let path = path.to_ascii_lowercase();
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    let tests = [".test.", ".tests.", ".spec.", ".eval."].iter().any(|mark| name.contains(mark))
        || stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
        || stem == "tests";
    tests || parts.any(|folder| FOLDERS.contains(&folder))
}

fn severity(said: &Said<'_>, rehearsal: bool) -> Severity {
    if rehearsal { Severity::Low } else { said.severity }
}

/// A claim in a text that is no file: a title, a description, a commit message.
#[derive(Debug, Clone)]
pub(crate) struct ClaimInText {
    /// The rule that found it.
    pub(crate) rule: &'static Rule,
    /// The line that says it, which may hold secrets.
    pub(crate) line: String,
}

/// Looks for claims in a text that somebody wrote about the change.
pub(crate) fn claims_in_text(text: &str) -> Vec<ClaimInText> {
    let prose = Prose::of_text(text);
    let claims = hear(&prose).said.into_iter().map(|(line, _, said)| ClaimInText {
        rule: said.rule,
        line: text.split('\n').nth(line as usize - 1).unwrap_or_default().trim().to_owned(),
    });
    claims.collect()
}

#[cfg(test)]
mod tests;
