//! The list of all rules, made from what the rules themselves are made of.

use review::text::visible;
use review::{Category, Lens, Severity};

use crate::{FAMILIES, secrets};

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
    /// The whole file before the change; `None` for a new one.
    pub before: Option<&'static str>,
    /// The whole file after it.
    pub after: &'static str,
}

impl Example {
    /// The change as the lines of one hunk, each with its marker and a line feed.
    pub fn diff(&self) -> String {
        diff(self.before, self.after)
    }

    /// The same for people: what cannot be seen is written out, and no line ends with blanks.
    pub fn shown(&self) -> String {
        self.diff().lines().map(|line| format!("{}\n", visible(line).trim_end())).collect()
    }
}

/// The lines of one hunk that turns a text into another: a line that both have stays where it is.
pub(crate) fn diff(before: Option<&str>, after: &str) -> String {
    let old: Vec<&str> = before.unwrap_or_default().lines().collect();
    let mut rest = old.as_slice();
    let mut body = String::new();
    for line in after.lines() {
        if let Some(same) = rest.iter().position(|it| *it == line) {
            body.extend(rest[..same].iter().map(|gone| format!("-{gone}\n")));
            body.push_str(&format!(" {line}\n"));
            rest = &rest[same + 1..];
        } else {
            body.push_str(&format!("+{line}\n"));
        }
    }
    body.extend(rest.iter().map(|gone| format!("-{gone}\n")));
    body
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
    use crate::tests::{change_of, changed};
    use crate::{FileView, RuleOptions, review_change, review_file};

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

    /// What the rules say about an example, as a change of one file.
    fn rules_that_fire(example: &Example) -> BTreeSet<String> {
        let file = changed(example.path, example.before, example.after);
        let view = FileView::new(&file, example.before, Some(example.after));
        let report = review_file(&view, &RuleOptions::default());
        let together =
            review_change(&change_of(file.clone()), &|path| Some(path.as_str().ends_with("lock.json")));
        report.findings.into_iter().chain(together.findings).filter_map(|finding| finding.rule).collect()
    }

    #[test]
    fn every_rule_reports_its_bad_example_and_leaves_its_good_one_alone() {
        for rule in catalogue() {
            match (&rule.bad, &rule.good) {
                (Some(bad), Some(good)) => {
                    assert!(
                        rules_that_fire(bad).contains(rule.id),
                        "{} leaves its bad example alone",
                        rule.id
                    );
                    assert!(!rules_that_fire(good).contains(rule.id), "{} reports its good example", rule.id);
                }
                // Nothing in the repository may look like a secret: another test fills the form and looks for it.
                (None, None) => assert!(!rule.form.is_empty(), "{} has no examples", rule.id),
                (Some(_), None) | (None, Some(_)) => panic!("{} has one example without the other", rule.id),
            }
        }
    }
}
