//! The list of all rules, made from what the rules themselves are made of.

use review::change::{Content, Operation, Source, Subject};
use review::text::visible;
use review::{Category, Change, Digest, FileChange, Finding, Hunk, Lens, RepoPath, Severity};

use crate::{FAMILIES, FileView, RuleOptions, review_change, review_file, secrets};

/// A rule, for lists and documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleInfo {
    /// Its id, `<family>/<rule>`.
    pub id: &'static str,
    /// The category of its findings, which also tells the lens.
    pub category: Category,
    /// The worst severity of its findings; the definition of each severity is [`Severity`]'s.
    pub severity: Severity,
    /// What it finds, in one line.
    pub summary: String,
    /// Why a maintainer should care, in a sentence or two.
    pub reason: &'static str,
    /// What it reads.
    pub needs: Needs,
    /// A change that it reports; none where [`form`](Self::form) says it all.
    pub bad: Option<Example>,
    /// A change that does the same job and that it leaves alone.
    pub good: Option<Example>,
    /// The keywords that make the rule look, where it works by keywords.
    pub keywords: &'static [&'static str],
    /// The form of what a secrets rule finds: text, and classes of characters with their count (`{h40}` is forty hex
    /// digits); empty for other rules.
    pub form: &'static str,
}

/// What a rule reads beside the lines that a change adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: a diff is enough.
    Diff,
    /// The whole file where there is one; with only a diff, the new side of each hunk.
    FileOrHunk,
    /// The whole file; with only a diff it looks at new files alone.
    WholeFile,
    /// All files of the change together; a diff is enough.
    Change,
}

impl Needs {
    /// What it reads, in a sentence's end: "reads …".
    pub fn words(self) -> &'static str {
        match self {
            Self::Diff => "the added lines; a diff is enough",
            Self::FileOrHunk => "the whole file, or with only a diff the new side of each hunk",
            Self::WholeFile => "the whole file, or with only a diff the files that are new",
            Self::Change => "all files of the change together; a diff is enough",
        }
    }
}

/// A changed file that shows a rule at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// Its path.
    pub path: &'static str,
    /// What stands beside it, where the rule looks at that.
    pub beside: &'static [Neighbour],
    /// The whole file before the change; `None` for a new one.
    pub before: Option<&'static str>,
    /// The whole file after it.
    pub after: &'static str,
}

/// A file beside the one of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Neighbour {
    /// Its path.
    pub path: &'static str,
    /// The whole file before the change.
    pub before: &'static str,
    /// The whole file after it, the same where it stays as it is.
    pub after: &'static str,
}

impl Example {
    /// The change as the lines of one hunk, each with its marker and a line feed.
    pub fn diff(&self) -> String {
        diff(self.before, self.after)
    }

    /// The same for people: what cannot be seen or told apart is written out, no line ends with blanks, and a line that
    /// comes again and again stands there once.
    pub fn shown(&self) -> String {
        shown(&self.diff())
    }

    /// The worst severity that a rule gives the example; `None` where it leaves it alone.
    pub fn severity_by(&self, rule: &str) -> Option<Severity> {
        let of_rule = self.findings().into_iter().filter(|finding| finding.rule.as_deref() == Some(rule));
        of_rule.map(|finding| finding.severity).max()
    }

    /// What the rules say about it, as a change of its own.
    fn findings(&self) -> Vec<Finding> {
        let file = file(self.path, self.before, self.after);
        let view = FileView::new(&file, self.before, Some(self.after));
        let mut findings = review_file(&view, &RuleOptions::default()).findings;
        let changed = self.beside.iter().filter(|neighbour| neighbour.before != neighbour.after);
        let others =
            changed.map(|neighbour| self::file(neighbour.path, Some(neighbour.before), neighbour.after));
        let files = std::iter::once(file.clone()).chain(others).collect();
        let exists = |path: &RepoPath| {
            let is_here = path.as_str() == self.path
                || self.beside.iter().any(|neighbour| neighbour.path == path.as_str());
            Some(is_here)
        };
        findings.extend(review_change(&change(files), &exists).findings);
        findings
    }
}

impl Neighbour {
    /// Its change for people; `None` where it stays as it is.
    pub fn shown(&self) -> Option<String> {
        (self.before != self.after).then(|| shown(&diff(Some(self.before), self.after)))
    }
}

/// A changed file, in one hunk.
pub(crate) fn file(path: &str, before: Option<&str>, after: &str) -> FileChange {
    FileChange {
        path: RepoPath::from(path),
        old_path: None,
        operation: if before.is_some() { Operation::Modified } else { Operation::Added },
        modes: (None, None),
        content: Content::Text(vec![Hunk::new(1, 1, String::new(), diff(before, after), false)]),
    }
}

/// A change of these files, of which nothing else is known.
pub(crate) fn change(files: Vec<FileChange>) -> Change {
    Change {
        subject: Subject { source: Source::Patch, base: None, head: None, diff_digest: Digest::of(b"") },
        title: String::new(),
        body: String::new(),
        branch: None,
        commits: Vec::new(),
        files,
        gaps: Vec::new(),
    }
}

/// How often a line may stand below itself before the rest is counted.
const MAX_REPEATED: usize = 3;

/// Lines of a diff for people.
fn shown(diff: &str) -> String {
    let lines: Vec<&str> = diff.lines().collect();
    let mut shown = String::new();
    for same in lines.chunk_by(|one, next| one == next) {
        let line = format!("{}\n", written_out(same[0]).trim_end());
        if same.len() > MAX_REPEATED {
            shown.push_str(&line);
            shown.push_str(&format!("{}… and {} more of this line\n", &same[0][..1], same.len() - 1));
        } else {
            shown.extend(same.iter().map(|_| line.as_str()));
        }
    }
    shown
}

/// A line with everything written out that cannot be seen, and with the blanks and letters that look like others.
fn written_out(line: &str) -> String {
    let looks_like_another = |character: char| {
        (character.is_whitespace() && !character.is_ascii())
            || (character.is_alphabetic() && u32::from(character) > LAST_LATIN)
    };
    visible(line).chars().fold(String::new(), |mut shown, character| {
        match looks_like_another(character) {
            true => shown.extend(character.escape_unicode()),
            false => shown.push(character),
        }
        shown
    })
}

/// The last letter of Unicode's block Latin Extended-B.
const LAST_LATIN: u32 = 0x24f;

/// The lines of one hunk that turns a text into another: a line that both have stays where it is, and what goes stands
/// before what comes in its place.
pub(crate) fn diff(before: Option<&str>, after: &str) -> String {
    let old: Vec<&str> = before.unwrap_or_default().lines().collect();
    let mut rest = old.as_slice();
    let (mut body, mut added) = (String::new(), String::new());
    for line in after.lines() {
        if let Some(same) = rest.iter().position(|it| *it == line) {
            body.extend(rest[..same].iter().map(|gone| format!("-{gone}\n")));
            body.push_str(&std::mem::take(&mut added));
            body.push_str(&format!(" {line}\n"));
            rest = &rest[same + 1..];
        } else {
            added.push_str(&format!("+{line}\n"));
        }
    }
    body.extend(rest.iter().map(|gone| format!("-{gone}\n")));
    body + &added
}

/// A rule as a row of its family's table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    /// Its id, `<family>/<rule>`.
    pub(crate) id: &'static str,
    /// The category of its findings.
    pub(crate) category: &'static str,
    /// The worst severity of its findings.
    pub(crate) severity: Severity,
    /// What it finds, in one line; the title of its findings.
    pub(crate) summary: &'static str,
    /// Why a maintainer should care; the scenario of its findings, unless they have a better one.
    pub(crate) reason: &'static str,
    /// What it reads.
    pub(crate) needs: Needs,
    /// A change that it reports.
    pub(crate) bad: Example,
    /// A change that it leaves alone.
    pub(crate) good: Example,
}

impl From<&Rule> for RuleInfo {
    fn from(rule: &Rule) -> Self {
        let lens = Lens::from_name(rule.category.split('/').next().unwrap_or_default());
        Self {
            id: rule.id,
            category: Category::parse(rule.category, lens.expect("a test reads every category")),
            severity: rule.severity,
            summary: rule.summary.to_owned(),
            reason: rule.reason,
            needs: rule.needs,
            bad: Some(rule.bad),
            good: Some(rule.good),
            keywords: &[],
            form: "",
        }
    }
}

/// Lists every rule, by family and id.
pub fn catalogue() -> Vec<RuleInfo> {
    let mut rules: Vec<_> =
        secrets::catalogue().chain(FAMILIES.iter().flat_map(|family| (family.catalogue)())).collect();
    rules.sort_by_key(|rule| rule.id);
    rules
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_rule_has_an_id_of_its_own_and_belongs_to_the_lens_of_its_category() {
        let rules = catalogue();
        let ids: BTreeSet<_> = rules.iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), rules.len());
        for rule in &rules {
            let shape = |part: &str| {
                !part.is_empty() && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            };
            assert!(rule.id.split('/').count() == 2 && rule.id.split('/').all(shape), "{}", rule.id);
            assert!(!rule.category.as_str().ends_with("/other"), "{}", rule.id);
            assert!(!rule.summary.is_empty() && !rule.summary.ends_with('.'), "{}", rule.id);
            assert!(rule.reason.ends_with('.'), "{}", rule.id);
        }
    }

    #[test]
    fn every_rule_reports_its_bad_example_and_leaves_its_good_one_alone() {
        for rule in catalogue() {
            match (&rule.bad, &rule.good) {
                (Some(bad), Some(good)) => {
                    let severity = bad.severity_by(rule.id);
                    assert!(severity.is_some(), "{} leaves its bad example alone", rule.id);
                    assert!(severity <= Some(rule.severity), "{} is worse than it says", rule.id);
                    assert_eq!(good.severity_by(rule.id), None, "{} reports its good example", rule.id);
                }
                // Nothing in the repository may look like a secret: another test fills the form and looks for it.
                (None, None) => assert!(!rule.form.is_empty(), "{} has no examples", rule.id),
                (Some(_), None) | (None, Some(_)) => panic!("{} has one example without the other", rule.id),
            }
        }
    }

    #[test]
    fn what_goes_stands_before_what_comes_in_its_place() {
        assert_eq!(diff(Some("a\nb\nc\n"), "a\nx\ny\nc\nz\n"), " a\n-b\n+x\n+y\n c\n+z\n");
    }

    #[test]
    fn an_example_is_shown_short_and_with_what_looks_like_something_else_written_out() {
        let example =
            Example { path: "a", beside: &[], before: None, after: "a\na\na\na\na\n\u{a0}p\u{430}y é\n" };
        assert_eq!(example.shown(), "+a\n+… and 4 more of this line\n+\\u{a0}p\\u{430}y é\n");
    }
}
