//! References of instructions to files, where somebody knows which files there are.

use std::sync::LazyLock;

use regex::Regex;
use review::change::Operation;
use review::{Change, FileChange, Finding, LineKind, RepoPath, Severity};

use crate::new_side::finding;
use crate::{Exists, place};

use super::kind::Kind;
use super::table;

/// The most references of a change that are looked up, and the most that are reported of a file.
const MAX_LOOKED_UP: usize = 500;
const MAX_FINDINGS: usize = 5;

/// `[text](path)`, and `@path` as agents import files.
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\]\(<?([^)\s<>#?:$*{}]+\.\w{1,5})(?:[#?][^)\s]*)?>?\)|(?:^|\s)@((?:\.{0,2}/)?(?:[\w.-]+/)*[\w.-]+\.(?:md|mdc|txt|json|ya?ml|toml))\b")
        .expect("a test compiles it")
});

/// Looks up what the added lines of instructions refer to.
pub(crate) fn review_references(change: &Change, exists: Exists<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut looked_up = 0;
    for file in &change.files {
        let is_text = matches!(file.path.extension().as_str(), "md" | "mdc" | "txt" | "cursorrules");
        let instructs = Kind::of_path(file.path.as_str()) == Some(Kind::Instructions);
        if instructs && is_text && file.operation != Operation::Deleted {
            findings.extend(broken(file, change, exists, &mut looked_up).into_iter().take(MAX_FINDINGS));
        }
    }
    findings
}

fn broken(file: &FileChange, change: &Change, exists: Exists<'_>, looked_up: &mut usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    for hunk in file.hunks() {
        let mut in_code = false;
        for line in hunk.lines().filter(|line| line.kind != LineKind::Removed) {
            if line.text.trim_start().starts_with("```") {
                in_code = !in_code;
            }
            if in_code || line.kind != LineKind::Added || line.text.len() > 4_000 {
                continue;
            }
            for reference in REFERENCE.captures_iter(line.text) {
                let (Some(found), imports) =
                    (reference.get(1).or(reference.get(2)), reference.get(2).is_some())
                else {
                    continue;
                };
                // In a span of code it is an example of syntax.
                if line.text[..found.start()].matches('`').count() % 2 == 1 || *looked_up >= MAX_LOOKED_UP {
                    continue;
                }
                *looked_up += 1;
                if is_missing(found.as_str(), file, change, exists) {
                    let severity = if imports { Severity::Medium } else { Severity::Low };
                    let body = format!("There is no `{}`.", review::text::visible(found.as_str()));
                    let quote = place::quote(line.text, found.start());
                    let lines = line.new.map(|number| (number, number));
                    findings.push(finding(
                        &table::BROKEN_REFERENCE,
                        severity,
                        &file.path,
                        (lines, quote),
                        &body,
                    ));
                }
            }
        }
    }
    findings
}

/// Whether a path is known to be nowhere: neither beside the file, nor from the root, nor in the change.
fn is_missing(reference: &str, file: &FileChange, change: &Change, exists: Exists<'_>) -> bool {
    let folder = file.path.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
    let places = [joined(folder, reference), joined("", reference.trim_start_matches('/'))];
    let mut known = false;
    for path in places.iter().flatten() {
        if change.files.iter().any(|other| other.path == *path && other.operation != Operation::Deleted) {
            return false;
        }
        match exists(path) {
            Some(true) | None => return false,
            Some(false) => known = true,
        }
    }
    known
}

/// A path from a folder, without `.` and `..`; `None` if it leaves the repository.
fn joined(folder: &str, reference: &str) -> Option<RepoPath> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in reference.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(RepoPath::from(parts.join("/").as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{change_of, changed};

    #[test]
    fn a_path_is_looked_up_beside_the_file_and_from_the_root() {
        let text = "See [a](a.md), [b](../b.md), [c](docs/c.md#part), [v](${DIR}/v.md), [d](https://x.example/d.md).\n@missing/e.md\n`@f.md` and ```\n";
        let change = change_of(changed("docs/AGENTS.md", None, text));
        let there = ["docs/a.md", "b.md", "docs/c.md"];
        let exists = |path: &RepoPath| Some(there.contains(&path.as_str()));
        let found = review_references(&change, &exists);
        let told: Vec<_> = found.iter().map(|finding| (finding.lines, finding.severity)).collect();
        assert_eq!(told, [(Some((2, 2)), Severity::Medium)]);
        assert!(review_references(&change, &|_| None).is_empty());
    }
}
