//! Exceptions that stand in the code: `recuse: allow RULE because …`, in a comment.
//!
//! An exception is in force only where the change did not write it: whoever may change the base branch made it. One that
//! the change adds is reported and excuses nothing. What an exception excuses is counted and shown, with its reason.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use review::change::Content;
use review::{Category, Finding, Lens, LineKind, RepoPath, Severity, Side};

use crate::catalogue::{Example, Needs, Rule, RuleInfo};
use crate::secrets::Redacted;
use crate::{BINARY, Examined, Family, FileReport, FileView, RuleOptions, Support, place};

/// A finding that an exception of the base excuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppressed {
    /// The finding.
    pub finding: Finding,
    /// The line after the change that the exception stands on.
    pub line: u32,
    /// Its reason, in the words of whoever wrote it.
    pub reason: String,
}

/// The family: it reports exceptions that the change adds.
pub(crate) const FAMILY: Family = Family {
    lens: Lens::Security,
    supports: |file| match file.content {
        Content::Text(_) | Content::Nothing => Support::Supported,
        Content::Binary => Support::NotSupported(BINARY),
    },
    reads_whole_files: false,
    review,
    catalogue: || vec![RuleInfo::from(&ADDED)],
};

/// The most findings in one file.
const MAX_FINDINGS: usize = 20;

const ADDED: Rule = Rule {
    id: "suppression/added",
    category: "security/authorization",
    severity: Severity::Medium,
    summary: "the change makes an exception for itself",
    reason: "An exception from a rule counts once it stands in the base branch, where somebody agreed to it. Here the \
             change that it is about brings it along; it excuses nothing yet, and whoever merges it excuses what comes \
             after.",
    needs: Needs::Diff,
    bad: Example {
        path: "src/store.py",
        beside: &[],
        before: None,
        after: "# recuse: allow complexity/function because it is one long table\ndef load(row):\n    return row\n",
    },
    good: Example {
        path: "src/store.py",
        beside: &[],
        before: Some(
            "# recuse: allow complexity/function because it is one long table\ndef load(row):\n    pass\n",
        ),
        after: "# recuse: allow complexity/function because it is one long table\ndef load(row):\n    return row\n",
    },
};

/// An exception as it stands in a line.
struct Exception {
    line: u32,
    /// The line that it is about: its own, or the next that is not empty and no exception.
    about: Option<u32>,
    rule: String,
    reason: String,
    is_added: bool,
}

/// Reports the exceptions that the change adds.
fn review(
    view: &FileView<'_>,
    redacted: &Redacted<'_>,
    _options: &RuleOptions,
    report: &mut FileReport,
) -> Examined {
    let added: Vec<_> =
        exceptions(view, redacted).into_iter().filter(|exception| exception.is_added).collect();
    if added.len() > MAX_FINDINGS {
        let unlisted = added.len() - MAX_FINDINGS;
        report.notes.push(format!("{unlisted} more places in this file are what {} finds", ADDED.id));
    }
    let mut quotes = place::Quotes::of(redacted);
    let texts: BTreeMap<u32, &str> = view
        .file
        .hunks()
        .iter()
        .flat_map(|hunk| hunk.lines())
        .filter_map(|line| Some((line.new?, line.text)))
        .collect();
    report.findings.extend(added.iter().take(MAX_FINDINGS).map(|exception| Finding {
        category: Category::parse(ADDED.category, Lens::Security),
        severity: ADDED.severity,
        file: view.file.path.clone(),
        lines: Some((exception.line, exception.line)),
        side: Side::Head,
        quote: quotes.line(exception.line, || texts.get(&exception.line).copied().unwrap_or_default()),
        title: ADDED.summary.to_owned(),
        body: ADDED.reason.to_owned(),
        rule: Some(ADDED.id.to_owned()),
    }));
    Examined::All
}

/// Takes out of the findings what an exception of the base excuses, and keeps it apart. A secret is taken out of the
/// prompts all the same.
pub(crate) fn apply(view: &FileView<'_>, redacted: &Redacted<'_>, report: &mut FileReport) {
    let in_force: Vec<_> =
        exceptions(view, redacted).into_iter().filter(|exception| !exception.is_added).collect();
    if in_force.is_empty() {
        return;
    }
    let declared_at = std::mem::take(&mut report.declared_at);
    let excuse = |finding: &Finding| {
        let (first, last) = finding.lines?;
        let declared = declared_at.get(&first).copied();
        in_force.iter().find(|exception| {
            let covers =
                exception.about.is_some_and(|line| (first..=last).contains(&line) || declared == Some(line));
            finding.rule.as_deref() == Some(&exception.rule) && exception.rule != ADDED.id && covers
        })
    };
    for finding in std::mem::take(&mut report.findings) {
        match excuse(&finding) {
            Some(exception) => report.suppressed.push(Suppressed {
                finding,
                line: exception.line,
                reason: exception.reason.clone(),
            }),
            None => report.findings.push(finding),
        }
    }
}

/// The exceptions of a file: of the whole of it where it is there, else of the hunks.
fn exceptions(view: &FileView<'_>, redacted: &Redacted<'_>) -> Vec<Exception> {
    let hunk_lines = || view.file.hunks().iter().flat_map(|hunk| hunk.lines());
    let is_told = |text: &str| text.contains(MARK);
    if !view.head.map_or_else(|| hunk_lines().any(|line| is_told(line.text)), is_told) {
        return Vec::new();
    }
    let added: Vec<u32> =
        hunk_lines().filter(|line| line.kind == LineKind::Added).filter_map(|line| line.new).collect();
    let lines: Vec<(u32, &str)> = match view.head {
        Some(head) => (1..).zip(head.lines()).collect(),
        None => hunk_lines().filter_map(|line| Some((line.new?, line.text))).collect(),
    };
    let form = form(&view.file.path);
    let is_about_next = |text: &str| {
        is_told(text) && form.find(text).is_some_and(|found| text[..found.start()].trim().is_empty())
    };
    // From the end, since a file may be nothing but exceptions.
    let mut about: Vec<Option<u32>> = vec![None; lines.len()];
    let mut next = None;
    for (place, (number, text)) in about.iter_mut().zip(&lines).rev() {
        if !text.trim().is_empty() && !is_about_next(text) {
            next = Some(*number);
        }
        *place = next;
    }
    let exception = |(index, (number, text)): (usize, &(u32, &str))| {
        let found = form.captures(text)?;
        let reason = redacted.line(found.get(2)?.as_str());
        Some(Exception {
            line: *number,
            about: about[index],
            rule: found.get(1)?.as_str().to_owned(),
            reason,
            is_added: added.binary_search(number).is_ok(),
        })
    };
    let marked = lines.iter().enumerate().filter(|(_, (_, text))| is_told(text));
    marked.filter_map(exception).collect()
}

const MARK: &str = "recuse:";

/// How an exception is written in a file: in prose only a hidden comment is one, and anything else is text about one.
fn form(path: &RepoPath) -> &'static Regex {
    static IN_CODE: LazyLock<Regex> = LazyLock::new(|| written_behind(r"(?:#|//|--|/\*|\*|;|%|<!--)"));
    static IN_PROSE: LazyLock<Regex> = LazyLock::new(|| written_behind("<!--"));
    match path.extension().as_str() {
        "md" | "mdx" | "markdown" | "html" | "htm" | "xml" | "rst" | "txt" => &IN_PROSE,
        _ => &IN_CODE,
    }
}

fn written_behind(comment: &str) -> Regex {
    let form = r"\s*recuse:\s+allow\s+([a-z0-9-]+/[a-z0-9-]+)\s+because\s+(\S.*?)\s*(?:\*/|-->)?\s*$";
    Regex::new(&format!("{comment}{form}")).expect("a test compiles it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::changed;
    use crate::{redact_hunks, review_file};

    const EXCEPTION: &str = "# recuse: allow secrets/assigned-password because it opens nothing\n";

    fn token_line() -> String {
        format!("TOKEN = \"{}\"\n", ["ghp", "_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17"].concat())
    }

    fn allow(rule: &str) -> String {
        EXCEPTION.replace("secrets/assigned-password", rule)
    }

    fn report(path: &str, before: &str, after: &str) -> FileReport {
        let file = changed(path, Some(before), after);
        review_file(&FileView::new(&file, None, None), &RuleOptions::default())
    }

    fn rules(report: &FileReport) -> Vec<&str> {
        report.findings.iter().filter_map(|finding| finding.rule.as_deref()).collect()
    }

    #[test]
    fn an_exception_of_the_base_excuses_and_is_shown() {
        let exception = allow("secrets/github-token");
        for between in ["", "\n", &allow("other/rule")] {
            let before = format!("{exception}{between}");
            let after = format!("{before}{}", token_line());
            let report = report("a.py", &before, &after);
            assert_eq!(rules(&report), [""; 0]);
            let [suppressed] = report.suppressed.as_slice() else { panic!("{report:?}") };
            assert_eq!(suppressed.finding.rule.as_deref(), Some("secrets/github-token"));
            assert_eq!((suppressed.line, suppressed.reason.as_str()), (1, "it opens nothing"));
        }
    }

    #[test]
    fn an_exception_never_brings_a_secret_back() {
        let before = allow("secrets/github-token");
        let file = changed("a.py", Some(&before), &format!("{before}{}", token_line()));
        let report = review_file(&FileView::new(&file, None, None), &RuleOptions::default());
        let redacted = redact_hunks(&file, &report.secrets);
        assert!(redacted.hunks()[0].body().contains("[redacted:secrets/github-token]"));
        assert!(!format!("{:?}", report.suppressed).contains("zQWBuTSO"));
    }

    #[test]
    fn an_exception_that_the_change_adds_is_reported_and_excuses_nothing() {
        let after = format!("{}{}", allow("secrets/github-token"), token_line());
        let found = report("a.py", "", &after);
        assert_eq!(rules(&found), ["suppression/added", "secrets/github-token"]);
        assert_eq!(found.suppressed, []);
        let excused = format!("{}{}", allow("suppression/added"), EXCEPTION);
        assert_eq!(rules(&report("a.py", &allow("suppression/added"), &excused)), ["suppression/added"]);
    }

    #[test]
    fn an_exception_is_about_its_rule_and_its_line_alone() {
        let token = token_line();
        let cases = [
            (allow("secrets/github-token"), format!("x = 1\n{token}")),
            (allow("secrets/gitlab-token"), token.clone()),
            (allow("secrets/github-token").replace(" because it opens nothing", ""), token.clone()),
            ("recuse: allow secrets/github-token because it is prose\n".to_owned(), token),
        ];
        for (before, added) in cases {
            let report = report("a.py", &before, &format!("{before}{added}"));
            assert_eq!(rules(&report), ["secrets/github-token"], "{before}{added}");
        }
    }

    #[test]
    fn a_file_of_nothing_but_exceptions_is_read_once() {
        let before = allow("secrets/github-token").repeat(20_000);
        let report = report("a.py", &before, &format!("{before}{}", token_line()));
        assert_eq!((rules(&report), report.suppressed.len()), (vec![], 1));
        let added = super::tests::report("a.py", "", &before);
        assert_eq!(added.findings.len(), MAX_FINDINGS);
        let told = "19980 more places in this file are what suppression/added finds";
        assert!(added.notes.iter().any(|note| note == told), "{:?}", added.notes);
    }

    #[test]
    fn prose_about_exceptions_is_none() {
        assert_eq!(rules(&report("a.md", "", EXCEPTION)), [""; 0]);
        let hidden = EXCEPTION.replace("# ", "<!-- ").replace("nothing\n", "nothing -->\n");
        assert_eq!(rules(&report("a.md", "", &hidden)), ["suppression/added"]);
    }

    #[test]
    fn an_exception_above_a_declaration_is_about_the_function() {
        let exception = "// recuse: allow complexity/function because it is a table\n";
        let function = |inner: usize| {
            let (open, close) = ("    if a > 0 {\n".repeat(inner), "    }\n".repeat(inner));
            format!("{exception}fn f(a: u32) {{\n{open}{close}}}\n")
        };
        let (before, after) = (function(3), function(9));
        let file = changed("a.rs", Some(&before), &after);
        let view = FileView::new(&file, Some(&before), Some(&after));
        let report = review_file(&view, &RuleOptions::default());
        assert_eq!((rules(&report).len(), report.suppressed.len()), (0, 1), "{report:?}");
    }
}
