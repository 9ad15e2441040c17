//! What a change takes away, so that what it only moves from one file to another is not told as new.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use code::{CodeError, Cost, FunctionMetrics, Language, functions, language_of};
use review::{FileChange, LineKind, RepoPath};

/// The lines that a change removes, without what is blank in them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Removed {
    /// Each file with its removed lines, one after the other.
    files: Vec<(RepoPath, String)>,
    /// What each hunk loses, as it was written, with its file.
    hunks: Vec<(usize, String)>,
    /// For the digest of a line, the first files that it leaves.
    lines: HashMap<u64, Vec<usize>>,
}

/// How many of the files that a line leaves are kept.
const MAX_FILES: usize = 2;

impl Removed {
    /// Collects the removed lines of a change.
    pub(crate) fn of(files: &[FileChange]) -> Self {
        let mut removed = Self::default();
        for file in files {
            let mut text = String::new();
            for hunk in file.hunks() {
                let mut written = String::new();
                for line in hunk.lines().filter(|line| line.kind == LineKind::Removed) {
                    written.extend([line.text, "\n"]);
                    let line = folded(line.text);
                    if line.is_empty() {
                        continue;
                    }
                    let known = removed.lines.entry(digest(&line)).or_default();
                    if known.len() < MAX_FILES && known.last() != Some(&removed.files.len()) {
                        known.push(removed.files.len());
                    }
                    text.push('\n');
                    text.push_str(&line);
                }
                if !written.is_empty() {
                    removed.hunks.push((removed.files.len(), written));
                }
                // What two hunks lose does not follow on each other.
                text.push_str("\n\n");
            }
            removed.files.push((file.path.clone(), text));
        }
        removed
    }

    /// Another file that a line leaves.
    pub(crate) fn line_left(&self, path: &RepoPath, line: &str) -> Option<&RepoPath> {
        let files = self.lines.get(&digest(&folded(line)))?;
        files.iter().map(|file| &self.files[*file].0).find(|other| *other != path)
    }

    /// Whether a function, given by its name and its lines, leaves another place of the change as it is: its lines below
    /// the first, under a line with its name. Adds what the search cost.
    pub(crate) fn has_function(&self, name: &str, lines: &[&str], cost: &mut Cost) -> bool {
        let Some((_, below)) = lines.split_first() else { return false };
        let below: Vec<String> =
            below.iter().map(|line| folded(line)).filter(|line| !line.is_empty()).collect();
        let is_known = !below.is_empty() && below.iter().all(|line| self.lines.contains_key(&digest(line)));
        if !is_known {
            return false;
        }
        let body = format!("\n{}\n", below.join("\n"));
        self.files.iter().any(|(_, text)| {
            *cost = cost.and(Cost(text.len() as u64));
            text.match_indices(&body).any(|(at, _)| {
                let first = text[..at].rsplit('\n').next().unwrap_or_default();
                first.split(|character: char| !is_of_name(character)).any(|word| word == name)
            })
        })
    }

    /// What a function was in the place that it leaves, if most of its lines do: where it was changed on the way. Adds what
    /// the search cost.
    pub(crate) fn function_before(
        &self,
        language: Language,
        name: &str,
        lines: &[&str],
        cost: &mut Cost,
    ) -> Option<FunctionMetrics> {
        let written: Vec<String> =
            lines.iter().map(|line| folded(line)).filter(|line| !line.is_empty()).collect();
        let known = written.iter().filter(|line| self.lines.contains_key(&digest(line))).count();
        if known * 4 < written.len() * 3 {
            return None;
        }
        let has_name =
            |line: &str| line.split(|character: char| !is_of_name(character)).any(|word| word == name);
        let of_language = |(file, _): &&(usize, String)| language_of(&self.files[*file].0) == Some(language);
        let mut tried = 0;
        for (_, hunk) in self.hunks.iter().filter(of_language) {
            *cost = cost.and(Cost(hunk.len() as u64));
            let mut offset = 0;
            for line in hunk.split_inclusive('\n') {
                let start = offset;
                offset += line.len();
                if !has_name(line) || tried == MAX_TRIED {
                    continue;
                }
                tried += 1;
                let most = lines.len() * 2 + LINES_BESIDE;
                let piece: String = hunk[start..].split_inclusive('\n').take(most).collect();
                let report = functions(language, &piece);
                *cost = cost.and(report.as_ref().map_or_else(CodeError::cost, |report| report.cost));
                let first = report.ok().and_then(|report| {
                    report
                        .functions
                        .into_iter()
                        .find(|one| one.start_line == 1 && one.name.as_deref() == Some(name))
                });
                if first.is_some() {
                    return first;
                }
            }
        }
        None
    }
}

/// How many lines with a function's name are read as its beginning.
const MAX_TRIED: usize = 4;

/// How many lines a short function may have had more.
const LINES_BESIDE: usize = 50;

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$')
}

/// A line with one blank where it has some, and none round it.
fn folded(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn digest(line: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::changed;

    #[test]
    fn what_leaves_one_file_is_known_in_another_whatever_its_blanks_and_its_export() {
        let files = [
            changed(
                "old.ts",
                Some("const a = 1;\nfunction f(x) {\n  if (x) {\n\n    g();\n  }\n}\n"),
                "const a = 1;\n",
            ),
            changed("new.ts", None, ""),
        ];
        let removed = Removed::of(&files);
        let has = |name: &str, text: &str| {
            removed.has_function(name, &text.lines().collect::<Vec<_>>(), &mut Cost::default())
        };
        assert!(has("f", "export function f(x) {\n    if (x) {\n        g();\n    }\n}"));
        assert!(!has("h", "function h(x) {\n  if (x) {\n    g();\n  }\n}"));
        assert!(!has("f", "function f(x) {\n  if (x) {\n    h();\n  }\n}"));
        assert!(!has("f", "function f(x) {"));
        assert_eq!(removed.line_left(&files[1].path, "\tg();"), Some(&files[0].path));
        assert_eq!(removed.line_left(&files[0].path, "g();"), None);
    }
}
