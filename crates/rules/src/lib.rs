//! The deterministic reviewers: a changed file in, findings out.
//!
//! Rules are nobody's family and need no key. There is one module a rule family: [`secrets`](catalogue),
//! hidden text, complexity, dangerous calls. Nothing in here reads a clock: limits count bytes and steps, so that the same change
//! always gets the same report.

mod calls;
mod catalogue;
mod complexity;
mod hidden_text;
mod options;
mod place;
mod secrets;

use review::change::Content;
use review::{FileChange, Finding, Lens};

pub use catalogue::{Example, Needs, RuleInfo, catalogue};
pub use hidden_text::{HiddenCharacter, Kind, hidden_characters};
pub use options::RuleOptions;
use secrets::Redacted;
pub use secrets::{SecretSpan, redact_hunks, redact_text};

/// A changed file, with its whole texts where a repository is at hand.
#[derive(Debug, Clone, Copy)]
pub struct FileView<'a> {
    /// What changed.
    pub file: &'a FileChange,
    /// The whole file before the change.
    pub base: Option<&'a str>,
    /// The whole file after it.
    pub head: Option<&'a str>,
}

/// What the rules say about one changed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// What they found, in the order of the lines.
    pub findings: Vec<Finding>,
    /// Where secrets stand in the hunks, on any side; for [`redact_hunks`].
    pub secrets: Vec<SecretSpan>,
    /// Why not every secret in the hunks may be known, where that is so: such a file is not shown to models.
    pub unsafe_to_send: Option<String>,
    /// How far they looked, for each lens that they have a rule for.
    pub examined: Vec<(Lens, Examined)>,
    /// Sentences for people about what the findings do not say.
    pub notes: Vec<String>,
}

impl FileReport {
    /// How far the rules looked through a lens; `None` if they have no rule for it.
    pub fn examined(&self, lens: Lens) -> Option<&Examined> {
        self.examined.iter().find(|(examined, _)| *examined == lens).map(|(_, how)| how)
    }

    /// Adds how far one family looked: a lens failed if any of its families did, and is supported if any is.
    fn add(&mut self, lens: Lens, examined: Examined) {
        let Some((_, known)) = self.examined.iter_mut().find(|(known, _)| *known == lens) else {
            self.examined.push((lens, examined));
            return;
        };
        match (&mut *known, examined) {
            (Examined::Failed(reason), Examined::Failed(more)) => *reason = format!("{reason}; {more}"),
            (Examined::Failed(_), _) | (_, Examined::NotSupported(_)) | (Examined::All, Examined::All) => {}
            (Examined::All | Examined::NotSupported(_), examined) => *known = examined,
        }
    }
}

/// How far the rules of one lens looked at a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Examined {
    /// At all that changed.
    All,
    /// The rules cannot look at such a file, and why.
    NotSupported(String),
    /// They should have, and could not; why.
    Failed(String),
}

/// Whether a family of rules can look at a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Support {
    /// They can. What they need besides the diff is told by [`Examined`].
    Supported,
    /// They cannot, and why.
    NotSupported(&'static str),
}

/// A family of rules: one module, one way of looking at a file.
struct Family {
    /// The lens that it looks through.
    lens: Lens,
    /// Whether it can look at a file at all.
    supports: fn(&FileChange) -> Support,
    /// Whether it is better off with the whole file than with the hunks.
    reads_whole_files: bool,
    /// Looks at a file that it supports. The second file is the first without its secrets, for the quotes.
    review: fn(&FileView<'_>, &Redacted<'_>, &RuleOptions, &mut FileReport) -> Examined,
    /// Lists its rules.
    catalogue: fn() -> Vec<RuleInfo>,
}

/// The families beside [`secrets`], which comes first because the others quote nothing unredacted.
const FAMILIES: [Family; 3] = [hidden_text::FAMILY, complexity::FAMILY, calls::FAMILY];

/// Tells whether some rule sees more of a file when it is given the whole of it.
pub fn reads_whole_file(file: &FileChange) -> bool {
    FAMILIES.iter().any(|family| family.reads_whole_files && (family.supports)(file) == Support::Supported)
}

/// Reviews one changed file by every rule. Findings are about added lines only, and quote no secret.
pub fn review_file(view: &FileView<'_>, options: &RuleOptions) -> FileReport {
    let mut report = FileReport {
        findings: Vec::new(),
        secrets: Vec::new(),
        unsafe_to_send: None,
        examined: Vec::new(),
        notes: Vec::new(),
    };
    // A file that is no text has no line to redact, and the path of every file is looked at.
    let (searched, redacted) = secrets::review(view.file, &mut report);
    if let Examined::Failed(reason) = &searched {
        report.unsafe_to_send = Some(reason.clone());
    }
    report.add(
        Lens::Security,
        match view.file.content {
            Content::Text(_) | Content::Nothing => searched,
            Content::Binary => Examined::NotSupported(BINARY.to_owned()),
        },
    );
    for family in &FAMILIES {
        let examined = match (family.supports)(view.file) {
            Support::Supported => (family.review)(view, &redacted, options, &mut report),
            Support::NotSupported(reason) => Examined::NotSupported(reason.to_owned()),
        };
        report.add(family.lens, examined);
    }
    report.findings.sort_by(|one, other| (one.lines, &one.rule).cmp(&(other.lines, &other.rule)));
    report
}

/// Why no rule reads a binary file.
const BINARY: &str = "the rules read text, and the file is binary";

#[cfg(test)]
mod tests;
