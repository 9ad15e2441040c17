//! The deterministic reviewers: a changed file in, findings out.
//!
//! Rules are nobody's family and need no key. There is one module a rule family: [`secrets`](catalogue),
//! hidden text, dangerous calls, complexity, migrations. Nothing in here reads a clock: limits count bytes and steps, so that the same change
//! always gets the same report.

mod calls;
mod catalogue;
mod change_facts;
mod claims;
mod commands;
mod complexity;
mod database;
mod dependencies;
mod hidden_text;
mod moved;
mod new_side;
mod options;
mod page;
mod parsing;
mod place;
mod prompt_health;
mod secrets;
mod suppression;
mod tree;
mod whole_change;
mod workflows;

use std::collections::BTreeMap;

use code::Cost;
use review::change::{Content, Operation};
use review::{FileChange, Finding, Lens, LineKind};

pub use catalogue::{Example, Needs, Neighbour, RuleInfo, catalogue};
pub use change_facts::ChangeFacts;
pub use hidden_text::{HiddenCharacter, Kind, hidden_characters};
pub use options::RuleOptions;
pub use page::{families, index, page};
pub use parsing::{Parsing, ParsingBudget};
use secrets::Redacted;
pub use secrets::{SecretSpan, redact_hunks, redact_text};
pub use suppression::Suppressed;
pub use whole_change::{ChangeReport, Exists, review_change};

/// A changed file, with its whole texts where a repository is at hand.
#[derive(Debug, Clone, Copy)]
pub struct FileView<'a> {
    /// What changed.
    pub file: &'a FileChange,
    /// The whole file before the change.
    pub base: Option<&'a str>,
    /// The whole file after it. Of a new file it may be left out: the diff has it.
    pub head: Option<&'a str>,
    /// What is known of the whole change.
    pub change: &'a ChangeFacts,
    /// Whether its texts may be parsed.
    pub parsing: Parsing,
}

impl<'a> FileView<'a> {
    /// A file by itself, parsed whatever it costs.
    pub fn new(file: &'a FileChange, base: Option<&'a str>, head: Option<&'a str>) -> Self {
        static NO_OTHERS: ChangeFacts = ChangeFacts::NONE;
        Self { file, base, head, change: &NO_OTHERS, parsing: Parsing::Allowed }
    }
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
    /// Lenses whose rules look at files of its kind and could not look at this one, and why.
    pub not_covered: Vec<(Lens, String)>,
    /// What exceptions in the base excuse.
    pub suppressed: Vec<Suppressed>,
    /// What parsing it cost.
    pub cost: Cost,
    /// For findings about a function: the line of the finding, and the line that declares the function.
    declared_at: BTreeMap<u32, u32>,
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
const FAMILIES: [Family; 9] = [
    hidden_text::FAMILY,
    claims::FAMILY,
    calls::FAMILY,
    complexity::FAMILY,
    workflows::FAMILY,
    dependencies::FAMILY,
    prompt_health::FAMILY,
    database::FAMILY,
    suppression::FAMILY,
];

/// Tells whether some rule sees more of a file when it is given the whole of it.
pub fn reads_whole_file(file: &FileChange) -> bool {
    FAMILIES.iter().any(|family| family.reads_whole_files && (family.supports)(file) == Support::Supported)
}

/// Reviews one changed file by every rule. Findings are about added lines only, and quote no secret.
pub fn review_file(view: &FileView<'_>, options: &RuleOptions) -> FileReport {
    let new_file = if view.head.is_none() { whole_if_new(view.file) } else { None };
    let view = &FileView { head: view.head.or(new_file.as_deref()), ..*view };
    let mut report = FileReport {
        findings: Vec::new(),
        secrets: Vec::new(),
        unsafe_to_send: None,
        examined: Vec::new(),
        notes: Vec::new(),
        not_covered: Vec::new(),
        suppressed: Vec::new(),
        cost: Cost::default(),
        declared_at: BTreeMap::new(),
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
            Support::Supported => {
                let examined = (family.review)(view, &redacted, options, &mut report);
                if let Examined::NotSupported(reason) = &examined {
                    report.not_covered.push((family.lens, reason.clone()));
                }
                examined
            }
            Support::NotSupported(reason) => Examined::NotSupported(reason.to_owned()),
        };
        report.add(family.lens, examined);
    }
    place::widen_quotes(&mut report.findings, redacted.file.hunks());
    suppression::apply(view, &redacted, &mut report);
    report.findings.sort_by(|one, other| (one.lines, &one.rule).cmp(&(other.lines, &other.rule)));
    report
}

/// The whole text of a file that is new: its diff has all of it.
fn whole_if_new(file: &FileChange) -> Option<String> {
    let [hunk] = file.hunks() else { return None };
    let is_whole = file.operation == Operation::Added
        && hunk.new_start == 1
        && hunk.lines().all(|line| line.kind == LineKind::Added);
    is_whole.then(|| hunk.lines().map(|line| format!("{}\n", line.text)).collect())
}

/// Why no rule reads a binary file.
const BINARY: &str = "the rules read text, and the file is binary";

#[cfg(test)]
mod tests;
