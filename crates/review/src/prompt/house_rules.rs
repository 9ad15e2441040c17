//! The repository's own conventions: which files hold them, and how much of them a prompt shows.
//!
//! They are read from the base branch only: a change to them is reviewed against what they were. They say what the
//! repository's maintainers ask of code; they change neither the reviewers' task nor the verdict.

use crate::change::{Change, RepoPath};
use crate::engine::estimate_tokens;
use crate::{Digest, text};

/// The most tokens of conventions in a prompt: some 200 lines. They are in every prompt, and what a reviewer needs of
/// them is at their beginning or in a file of its own.
const MOST_TOKENS: u32 = 3_000;

/// However small the change is, its conventions may have so many tokens.
const LEAST_TOKENS: u32 = 1_000;

/// How many tokens of conventions a prompt may have: as many as the change itself, within bounds, and no more than an
/// eighth of the room that there is.
pub fn house_rules_budget(change_tokens: u32, room_tokens: u32) -> u32 {
    change_tokens.clamp(LEAST_TOKENS, MOST_TOKENS).min(room_tokens / 8)
}

/// Files at the root that hold conventions, those for reviewers first. A path that ends in `/` is a folder.
const AT_THE_ROOT: [&str; 9] = [
    "REVIEW.md",
    ".github/REVIEW.md",
    "AGENTS.md",
    "CLAUDE.md",
    "GEMINI.md",
    ".github/copilot-instructions.md",
    ".github/instructions/",
    ".cursor/rules/",
    ".cursorrules",
];

/// Files that hold conventions for the folder that they are in.
const IN_FOLDERS: [&str; 3] = ["REVIEW.md", "AGENTS.md", "CLAUDE.md"];

/// How many folders below the root are asked for conventions of their own, at most.
const MAX_FOLDERS: usize = 40;

/// A file of conventions, and what of it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HouseRule {
    /// Its path.
    pub path: RepoPath,
    /// SHA-256 of the file as it was read.
    pub digest: Digest,
    /// What is shown of it, without its secrets.
    pub text: String,
    /// How many bytes are not shown.
    pub cut_bytes: usize,
}

/// Where conventions can be that hold for a change, those for reviewers and for its own folders first. A path that
/// ends in `/` is a folder whose files count.
pub fn house_rule_paths(change: &Change) -> Vec<RepoPath> {
    let mut folders: Vec<&str> = Vec::new();
    for file in &change.files {
        let mut folder = file.path.as_str();
        while let Some((parent, _)) = folder.rsplit_once('/') {
            if !folders.contains(&parent) && folders.len() < MAX_FOLDERS {
                folders.push(parent);
            }
            folder = parent;
        }
    }
    // The nearest folder says most; a stable sort keeps the change's order.
    folders.sort_by_key(|folder| std::cmp::Reverse(folder.matches('/').count()));
    let nested = folders.iter().flat_map(|folder| {
        IN_FOLDERS.into_iter().map(move |name| RepoPath::from(format!("{folder}/{name}").as_str()))
    });
    let mut paths: Vec<RepoPath> = Vec::new();
    let root = AT_THE_ROOT.into_iter().map(RepoPath::from);
    for path in root.clone().take(2).chain(nested).chain(root.skip(2)) {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

/// Cuts files of conventions to a budget, whole lines only. Short ones are shown whole, what they leave is shared
/// among the long ones. A file whose text another one has already is left out.
///
/// Each comes with its path, the digest of the file and its text without secrets.
pub fn fit_house_rules(files: Vec<(RepoPath, Digest, String)>, budget_tokens: u32) -> Vec<HouseRule> {
    let mut rules: Vec<HouseRule> = Vec::new();
    for (path, digest, text) in files {
        if text.trim().is_empty() || rules.iter().any(|known| known.digest == digest) {
            continue;
        }
        rules.push(HouseRule { path, digest, text, cut_bytes: 0 });
    }
    let mut by_size: Vec<usize> = (0..rules.len()).collect();
    by_size.sort_by_key(|&index| rules[index].text.len());
    let mut left = budget_tokens;
    for (done, &index) in by_size.iter().enumerate() {
        let others = u32::try_from(by_size.len() - done).unwrap_or(u32::MAX);
        let rule = &mut rules[index];
        let shown = fitting_lines(&rule.text, left / others);
        rule.cut_bytes = rule.text.len() - shown;
        rule.text.truncate(shown);
        left -= cost(&rule.text).min(left);
    }
    rules
}

/// How many bytes of a text are whole lines within a budget.
fn fitting_lines(text: &str, budget_tokens: u32) -> usize {
    let mut end = 0;
    let mut spent = 0_u32;
    for line in text.split_inclusive('\n') {
        spent = spent.saturating_add(cost(line));
        if spent > budget_tokens {
            break;
        }
        end += line.len();
    }
    end
}

/// What a text costs when each of its lines has a mark before it and what is hidden is written out.
fn cost(text: &str) -> u32 {
    estimate_tokens(text::visible(text).len() + 2 * text.lines().count())
}

#[cfg(test)]
mod tests {
    use super::super::tests::change;
    use super::*;

    #[test]
    fn conventions_of_the_changes_own_folders_come_before_those_of_the_root() {
        let change = change(&[("a/b/c.rs", "+x\n"), ("a/d.rs", "+x\n"), ("e.rs", "+x\n")]);
        let paths = house_rule_paths(&change);
        let position = |path: &str| paths.iter().position(|known| known.as_str() == path);
        assert_eq!(position("REVIEW.md"), Some(0));
        assert!(position("a/b/AGENTS.md") < position("a/AGENTS.md"));
        assert!(position("a/AGENTS.md") < position("AGENTS.md"));
        assert!(position(".cursor/rules/").is_some() && position("a/b/c.rs/AGENTS.md").is_none());
    }

    #[test]
    fn the_folders_that_are_asked_are_limited() {
        let deep = "x/".repeat(10_000) + "y.rs";
        assert!(house_rule_paths(&change(&[(&deep, "+x\n")])).len() <= MAX_FOLDERS * 3 + AT_THE_ROOT.len());
    }

    #[test]
    fn short_conventions_are_whole_and_long_ones_share_what_is_left() {
        let file = |name: &str, line: &str, count: usize| {
            let text = format!("{line}\n").repeat(count);
            (RepoPath::from(name), Digest::of(text.as_bytes()), text)
        };
        let files = vec![
            file("AGENTS.md", "a long one", 1_000),
            file("REVIEW.md", "short", 3),
            file("CLAUDE.md", "a long one", 1_000),
            file("GEMINI.md", "another", 1_000),
            file("empty.md", " ", 3),
        ];
        let rules = fit_house_rules(files, 300);
        let names: Vec<&str> = rules.iter().map(|rule| rule.path.as_str()).collect();
        assert_eq!(names, ["AGENTS.md", "REVIEW.md", "GEMINI.md"]);
        assert_eq!(rules[1].cut_bytes, 0);
        for long in [&rules[0], &rules[2]] {
            assert!(long.text.len() > 200 && long.text.ends_with('\n'), "{}", long.text.len());
        }
        assert_eq!(rules[0].text.len() + rules[0].cut_bytes, 11_000);
        assert!(rules.iter().map(|rule| cost(&rule.text)).sum::<u32>() <= 300);
    }
}
