//! The deterministic reviewers: a changed file in, findings out.
//!
//! Rules are nobody's family and need no key. There is one module a rule family: [`secrets`](catalogue),
//! hidden text, complexity. Nothing in here reads a clock: limits count bytes and steps, so that the same change
//! always gets the same report.

mod catalogue;
mod complexity;
mod hidden_text;
mod options;
mod place;
mod secrets;

use code::language_of;
use review::change::{Content, Operation};
use review::{FileChange, Finding, Lens};

pub use catalogue::{RuleInfo, catalogue};
pub use hidden_text::{HiddenCharacter, Kind, hidden_characters};
pub use options::RuleOptions;
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

/// Whether the rules of a lens can look at a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// They can. What they need besides the diff is told by [`Examined`].
    Supported,
    /// They cannot, and why.
    NotSupported(&'static str),
}

/// Tells whether the rules of a lens can look at a file.
pub fn supports(lens: Lens, file: &FileChange) -> Support {
    match lens {
        Lens::Security => match file.content {
            Content::Text(_) | Content::Nothing => Support::Supported,
            Content::Binary => Support::NotSupported("the rules read text, and the file is binary"),
        },
        Lens::Complexity => match (&file.content, file.operation) {
            (Content::Binary, _) => Support::NotSupported("the rules read text, and the file is binary"),
            (Content::Nothing, _) | (_, Operation::Deleted) => Support::Supported,
            (
                Content::Text(_),
                Operation::Added | Operation::Modified | Operation::Renamed | Operation::Copied,
            ) => match language_of(&file.path) {
                Some(_) => Support::Supported,
                None => Support::NotSupported("the rules measure no functions in files of this kind"),
            },
        },
        Lens::Correctness | Lens::PromptHealth | Lens::Database => {
            Support::NotSupported("no rule looks through this lens")
        }
    }
}

/// Reviews one changed file by every rule. Findings are about added lines only, and quote no secret.
pub fn review_file(view: &FileView<'_>, options: &RuleOptions) -> FileReport {
    let mut report =
        FileReport { findings: Vec::new(), secrets: Vec::new(), examined: Vec::new(), notes: Vec::new() };
    // A file that is no text has no line to redact, and the path of every file is looked at.
    let (searched, redacted) = secrets::review(view.file, &mut report);
    hidden_text::review(view.file, &redacted.file, &mut report);
    let security = match supports(Lens::Security, view.file) {
        Support::Supported => searched,
        Support::NotSupported(reason) => Examined::NotSupported(reason.to_owned()),
    };
    let complexity = match supports(Lens::Complexity, view.file) {
        Support::Supported => complexity::review(view, &redacted, options, &mut report),
        Support::NotSupported(reason) => Examined::NotSupported(reason.to_owned()),
    };
    report.examined = vec![(Lens::Security, security), (Lens::Complexity, complexity)];
    report.findings.sort_by(|one, other| (one.lines, &one.rule).cmp(&(other.lines, &other.rule)));
    report
}

#[cfg(test)]
mod tests;
