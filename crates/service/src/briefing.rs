//! What reviewers are given beside the change: the repository's conventions as the base branch has them, and the
//! functions that the change is in as the head has them. Both are read as objects, neither configures anything.

use anyhow::Result;
use code::{function_lines, language_of};
use git::{BlobReader, Repository};
use review::basis::Briefing;
use review::change::{Content, Operation};
use review::engine::estimate_tokens;
use review::policy::Policy;
use review::prompt::{HouseRule, Surroundings, fit_house_rules, house_rule_paths, house_rules_budget};
use review::{Change, CommitId, Digest, FileChange, Hunk, RepoPath};
use rules::SecretSpan;

/// The most tokens of surroundings for one hunk: some 50 lines.
const TOKENS_PER_HUNK: u32 = 600;

/// With fewer tokens a hunk gets none: three lines help nobody.
const LEAST_TOKENS_PER_HUNK: u32 = 60;

/// The least that all surroundings together may cost, however small the change.
const LEAST_TOKENS: u32 = 3_000;

/// The most files of conventions that a folder like `.cursor/rules` gives.
const MAX_FILES_PER_FOLDER: usize = 20;

/// What a briefing is made from.
pub struct BriefingInput<'a> {
    /// The change as it was read, with its secrets.
    pub original: &'a Change,
    /// The change without them.
    pub redacted: &'a Change,
    /// Where they are in its hunks, by file.
    pub secrets: &'a [Vec<SecretSpan>],
    /// Where whole files can be read; `None` where only a diff is at hand.
    pub repository: Option<&'a Repository>,
    /// The tip of the base branch.
    pub base: Option<&'a CommitId>,
    /// Which files are never sent.
    pub policy: &'a Policy,
    /// The changed files (by index) that a model is shown.
    pub shown: &'a [usize],
    /// The least room that a seated model has for a prompt, in tokens.
    pub least_room_tokens: u32,
}

/// Reads what there is.
///
/// # Errors
/// The repository cannot be read.
pub fn brief(input: &BriefingInput<'_>) -> Result<Briefing> {
    let Some(repository) = input.repository else { return Ok(Briefing::default()) };
    Ok(Briefing {
        surroundings: surroundings(input, repository)?,
        house_rules: match input.base {
            Some(base) => house_rules(input, repository, base)?,
            None => Vec::new(),
        },
    })
}

fn house_rules(
    input: &BriefingInput<'_>,
    repository: &Repository,
    base: &CommitId,
) -> Result<Vec<HouseRule>> {
    let mut paths: Vec<RepoPath> = Vec::new();
    for path in house_rule_paths(input.original) {
        match path.as_str().strip_suffix('/') {
            Some(folder) => {
                let listed = repository.files_in(base, &RepoPath::from(folder))?;
                let texts =
                    listed.into_iter().filter(|path| matches!(path.extension().as_str(), "md" | "mdc"));
                paths.extend(texts.take(MAX_FILES_PER_FOLDER));
            }
            None => paths.push(path),
        }
    }
    let mut files = Vec::new();
    for (path, file) in paths.iter().zip(repository.read_all_at(base, &paths)?) {
        let Some(bytes) = file.into_bytes() else { continue };
        if input.policy.paths.keeps_from_models(path).is_some() {
            continue;
        }
        let (text, _) = rules::redact_text(&String::from_utf8_lossy(&bytes));
        files.push((path.clone(), Digest::of(&bytes), text));
    }
    Ok(fit_house_rules(files, house_rules_budget(change_tokens(input), input.least_room_tokens)))
}

fn surroundings(input: &BriefingInput<'_>, repository: &Repository) -> Result<Surroundings> {
    let mut surroundings = Surroundings::default();
    let hunks: usize = input.shown.iter().map(|&file| input.original.files[file].hunks().len()).sum();
    let all = LEAST_TOKENS.max(change_tokens(input) / 2).min(input.least_room_tokens / 4);
    let each = (all / u32::try_from(hunks.max(1)).unwrap_or(u32::MAX)).min(TOKENS_PER_HUNK);
    if each < LEAST_TOKENS_PER_HUNK {
        return Ok(surroundings);
    }
    let mut reader: Option<BlobReader<'_>> = None;
    for &index in input.shown {
        let file = &input.original.files[index];
        let Some(language) = language_of(&file.path) else { continue };
        match file.operation {
            // All of it is in the diff, or none of it is in the head.
            Operation::Added | Operation::Deleted => continue,
            Operation::Modified | Operation::Renamed | Operation::Copied => {}
        }
        let reader = match &mut reader {
            Some(reader) => reader,
            None => reader.insert(repository.blobs(input.original)?),
        };
        let Some(bytes) = reader.after(file)?.into_bytes() else { continue };
        let head = String::from_utf8_lossy(&bytes);
        // What cannot be parsed is reviewed with the lines of the diff alone.
        let Ok(functions) = function_lines(language, &head) else { continue };
        let head = redacted_as(file, &input.secrets[index], &head);
        surroundings.add(index, &input.redacted.files[index], &head, &functions, each);
    }
    Ok(surroundings)
}

/// How many tokens the changed lines have that models are shown.
fn change_tokens(input: &BriefingInput<'_>) -> u32 {
    let hunks = input.shown.iter().flat_map(|&file| input.original.files[file].hunks());
    estimate_tokens(hunks.map(|hunk| hunk.body().len()).sum())
}

/// A whole file without the secrets that its hunks hold, and without those that the rules find in it.
fn redacted_as(file: &FileChange, secrets: &[SecretSpan], text: &str) -> String {
    if secrets.is_empty() {
        return rules::redact_text(text).0;
    }
    let lines: String = text.lines().flat_map(|line| [" ", line, "\n"]).collect();
    let mut hunks = file.hunks().to_vec();
    hunks.push(Hunk::new(1, 1, String::new(), lines, false));
    let with_text = FileChange { content: Content::Text(hunks), ..file.clone() };
    let redacted = rules::redact_hunks(&with_text, secrets);
    let lines = redacted.hunks().last().into_iter().flat_map(Hunk::lines);
    lines.flat_map(|line| [line.text, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::{FileView, RuleOptions};

    /// A value that is known for a secret by the line that the change adds is none the less one elsewhere in the file.
    #[test]
    fn what_a_hunk_gives_away_is_taken_out_of_the_rest_of_the_file() {
        let value = ["Tr0ub4dor", "And3xKq9vLw"].concat();
        let body = format!(" fn connect() {{\n+    let password = \"{value}\";\n }}\n");
        let file = FileChange {
            path: "a.rs".into(),
            old_path: None,
            operation: Operation::Modified,
            modes: (None, None),
            content: Content::Text(vec![Hunk::new(10, 10, String::new(), body, false)]),
        };
        let view = FileView::new(&file, None, None);
        let report = rules::review_file(&view, &RuleOptions::default());
        assert_eq!(report.secrets.len(), 1, "{:?}", report.findings);
        let head = format!("line 1\nopen(\"{value}\")\nline 3\n");
        let redacted = redacted_as(&file, &report.secrets, &head);
        assert!(!redacted.contains(&value), "{redacted}");
        assert_eq!(redacted.lines().count(), 3);
        assert!(redacted.starts_with("line 1\nopen(\"[redacted:") && redacted.ends_with("line 3\n"));
        assert!(redacted_as(&file, &[], &head).contains(&value), "nothing else tells that it is one");
    }
}
