//! What goes into a prompt, as a value. Rendering it is the service's job, sending it the models'.
//!
//! Everything that the author of the change wrote is in [`PromptParts`] as text to be fenced, with hidden
//! characters written out. What does not fit into one prompt is split into parts, by files and hunks where that is
//! possible; a single line that is too large even so is left out and reported.
//!
//! What stands before the lens's own order is the same, byte for byte, for all lenses that look at the same files:
//! providers keep such a beginning and bill it once.

mod fence;
mod house_rules;
pub(crate) mod lines;
mod plan;
mod surroundings;

use serde::Serialize;

use crate::Lens;
use crate::change::{Change, FileChange, Operation};
use crate::text::{shorten, visible, visible_line};

pub(crate) use fence::nonce;
pub use house_rules::{HouseRule, fit_house_rules, house_rule_paths, house_rules_budget};
pub use plan::{Piece, Plan, plan, reading_order};
pub use surroundings::{ContextLine, FunctionLines, Surroundings};

/// The most bytes of one line that a prompt shows; longer ones are minified code or data.
/// `coverage` lists the hunks that hold such a line as not seen.
pub const MAX_LINE_BYTES: usize = 8_000;

/// The most bytes of the author's description that a prompt shows.
pub const MAX_BODY_BYTES: usize = 6_000;

/// The most bytes of the list of changed files that a prompt shows.
pub const MAX_OVERVIEW_BYTES: usize = 6_000;

/// What prompts about one change are made from: the same for all lenses and models.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// The change, without its secrets.
    pub change: &'a Change,
    /// What stands round its hunks.
    pub surroundings: &'a Surroundings,
    /// The repository's conventions, as its base branch has them.
    pub house_rules: &'a [HouseRule],
}

impl Material<'_> {
    /// Draws the mark that fences carry: 128 bits in hex that occur in none of these texts.
    ///
    /// `seed` is randomness that the caller draws and records. One mark serves all prompts about the change that go
    /// to one model, so that these can share a beginning.
    pub fn nonce(&self, seed: &[u8]) -> String {
        let rules = self.house_rules.iter().flat_map(|rule| [rule.path.as_str(), &rule.text]);
        nonce(texts_of(self.change).chain(self.surroundings.texts()).chain(rules), seed)
    }
}

/// Every text of a change that a prompt can show.
pub(crate) fn texts_of(change: &Change) -> impl Iterator<Item = &str> + Clone {
    let files = change.files.iter().flat_map(|file| {
        let names = [Some(file.path.as_str()), file.old_path.as_ref().map(|path| path.as_str())];
        let hunks = file.hunks().iter().flat_map(|hunk| [hunk.heading.as_str(), hunk.body()]);
        names.into_iter().flatten().chain(hunks)
    });
    [change.title.as_str(), change.body.as_str()].into_iter().chain(files)
}

/// One prompt's content.
#[derive(Debug, Clone, Serialize)]
pub struct PromptParts {
    /// The lens that is asked; what it shares with others does not name it.
    #[serde(skip)]
    pub lens: Lens,
    /// What the fences carry, from [`Material::nonce`].
    pub nonce: String,
    /// The repository's conventions.
    pub house_rules: Vec<ShownRule>,
    /// The author's title in one line, hidden characters written out.
    pub title: String,
    /// The lines of the author's description, shortened.
    pub body: Vec<String>,
    /// Every changed file in a line: its path, what was done to it, and how many lines.
    pub overview: Vec<String>,
    /// How many files the overview leaves out.
    pub more_files: usize,
    /// The files of this part.
    pub files: Vec<PromptFile>,
    /// The part's number, from 1, and of how many; other lenses may have another number.
    #[serde(skip)]
    pub part: (usize, usize),
}

/// A file of the repository's conventions, as a prompt shows it.
#[derive(Debug, Clone, Serialize)]
pub struct ShownRule {
    /// Its path.
    pub path: String,
    /// The lines that fit.
    pub lines: Vec<String>,
    /// How many bytes did not.
    pub cut_bytes: usize,
}

/// One file of a prompt.
#[derive(Debug, Clone, Serialize)]
pub struct PromptFile {
    /// Its path, hidden characters written out.
    pub path: String,
    /// What was done to it.
    pub operation: Operation,
    /// Its old path, if it moved.
    pub old_path: Option<String>,
    /// The hunks, one numbered line each: `+12| text`, `-9| text`, ` 12| text`, `.40| text`.
    pub text: String,
}

impl PromptFile {
    /// The heading of a file, before any of its lines is added.
    pub(crate) fn of(file: &FileChange) -> Self {
        Self {
            path: visible_line(file.path.as_str()),
            operation: file.operation,
            old_path: file.old_path.as_ref().map(|path| visible_line(path.as_str())),
            text: String::new(),
        }
    }

    /// Adds the lines of a piece, with what stands round its hunk where the piece is at the hunk's border.
    pub(crate) fn add(&mut self, piece: &Piece, file: &FileChange, surroundings: &Surroundings) {
        let hunk = &file.hunks()[piece.hunk];
        let before = if piece.first == 0 { surroundings.before(piece.file, piece.hunk) } else { &[] };
        let is_last = piece.end == hunk.lines().count();
        let after = if is_last { surroundings.after(piece.file, piece.hunk) } else { &[] };
        self.text.push_str(&lines::piece(hunk, piece, before, after));
    }
}

/// Builds the content of one prompt of a plan. `nonce` is from [`Material::nonce`].
pub fn build(material: &Material<'_>, lens: Lens, plan: &Plan, part: usize, nonce: &str) -> PromptParts {
    let change = material.change;
    let mut files: Vec<(usize, PromptFile)> = Vec::new();
    for piece in &plan.parts[part] {
        let file = &change.files[piece.file];
        if files.last().is_none_or(|(index, _)| *index != piece.file) {
            files.push((piece.file, PromptFile::of(file)));
        }
        if let Some((_, shown)) = files.last_mut() {
            shown.add(piece, file, material.surroundings);
        }
    }
    let overview = overview(change);
    PromptParts {
        lens,
        nonce: nonce.to_owned(),
        house_rules: material.house_rules.iter().map(shown_rule).collect(),
        title: shown_title(change),
        body: shown_lines(&shorten(&change.body, MAX_BODY_BYTES)),
        more_files: change.files.len() - overview.len(),
        overview,
        files: files.into_iter().map(|(_, file)| file).collect(),
        part: (part + 1, plan.parts.len()),
    }
}

/// The author's title, in one line.
pub(crate) fn shown_title(change: &Change) -> String {
    visible_line(&shorten(&change.title, 300))
}

/// A text as lines, hidden characters written out.
pub(crate) fn shown_lines(text: &str) -> Vec<String> {
    text.lines().map(|line| visible(line.trim_end_matches('\r'))).collect()
}

fn shown_rule(rule: &HouseRule) -> ShownRule {
    ShownRule {
        path: visible_line(rule.path.as_str()),
        lines: shown_lines(&rule.text),
        cut_bytes: rule.cut_bytes,
    }
}

/// The changed files, a line each, as many as fit.
fn overview(change: &Change) -> Vec<String> {
    let mut left = MAX_OVERVIEW_BYTES;
    let lines = change.files.iter().map(|file| {
        let (added, removed) = file.line_counts();
        format!("{} ({}, +{added} -{removed})", visible_line(file.path.as_str()), file.operation.name())
    });
    let fits = |line: &String| {
        left = left.saturating_sub(line.len() + 1);
        left > 0
    };
    lines.take_while(fits).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Digest;
    use crate::change::{Content, Hunk, Source, Subject};
    use crate::panel::Scope;

    /// A change of modified files with one hunk each.
    pub(crate) fn change(files: &[(&str, &str)]) -> Change {
        let file = |(path, body): &(&str, &str)| FileChange {
            path: (*path).into(),
            old_path: None,
            operation: Operation::Modified,
            modes: (None, None),
            content: Content::Text(vec![Hunk::new(1, 1, String::new(), (*body).to_owned(), false)]),
        };
        Change {
            subject: Subject { source: Source::Patch, base: None, head: None, diff_digest: Digest::of(b"") },
            title: "a title".into(),
            body: String::new(),
            branch: None,
            commits: Vec::new(),
            files: files.iter().map(file).collect(),
            gaps: Vec::new(),
        }
    }

    fn shown(change: &Change) -> PromptParts {
        let surroundings = Surroundings::default();
        let material = Material { change, surroundings: &surroundings, house_rules: &[] };
        let files: Vec<usize> = (0..change.files.len()).collect();
        let plan = plan(&material, &files, &Scope::AllHunks, 10_000);
        build(&material, Lens::Security, &plan, 0, &material.nonce(b"seed"))
    }

    #[test]
    fn a_line_that_is_too_long_is_not_shown() {
        let change = change(&[("a.js", &format!("+{}\n+b\n", "x".repeat(MAX_LINE_BYTES + 1)))]);
        assert_eq!(shown(&change).files[0].text, "@@\n+1| [a line of 8001 bytes is left out]\n+2| b\n");
    }

    #[test]
    fn the_mark_is_in_no_text_of_the_change_its_surroundings_or_its_conventions() {
        let mut change = change(&[("a", "+x\n")]);
        let draw = |change: &Change, around: &str, rule: &str| {
            let mut surroundings = Surroundings::default();
            surroundings.add(
                0,
                &change.files[0],
                &format!("x\n{around}\n"),
                &[FunctionLines { first: 1, start: 1, last: 2 }],
                999,
            );
            let rules = [HouseRule {
                path: "AGENTS.md".into(),
                digest: Digest::of(b""),
                text: rule.into(),
                cut_bytes: 0,
            }];
            Material { change, surroundings: &surroundings, house_rules: &rules }.nonce(b"seed")
        };
        let mut taken: Vec<String> = vec![draw(&change, "", "")];
        taken.push(draw(&change, "", &taken.join(" ")));
        taken.push(draw(&change, &taken.join(" "), ""));
        change.title = taken.join(" ");
        taken.push(draw(&change, "", ""));
        change.title = taken[..3].join(" ");
        change.files[0].path = taken[3].as_str().into();
        taken.push(draw(&change, "", ""));
        let distinct: std::collections::BTreeSet<_> = taken.iter().collect();
        assert_eq!(distinct.len(), 5, "{taken:?}");
    }

    #[test]
    fn hidden_characters_are_written_out_and_no_name_takes_two_lines() {
        let mut change = change(&[("a\nfile: b", "+x\u{202e}y\r\n")]);
        change.title = "one\ntwo\u{200b}".into();
        change.body = "first\r\nsecond\u{e0041}".into();
        let parts = shown(&change);
        assert_eq!(parts.files[0].text, "@@\n+1| x\\u{202e}y\n");
        assert_eq!(parts.files[0].path, "a\\nfile: b");
        assert_eq!(parts.title, "one\\ntwo\\u{200b}");
        assert_eq!(parts.body, ["first", "second\\u{e0041}"]);
        assert_eq!(parts.overview, ["a\\nfile: b (modified, +1 -0)"]);
    }

    #[test]
    fn the_whole_change_is_listed_and_a_long_list_says_how_much_it_leaves_out() {
        let names: Vec<String> = (0..1_000).map(|n| format!("folder/file_{n}.rs")).collect();
        let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "+x\n")).collect();
        let parts = shown(&change(&files));
        assert!(parts.overview.len() > 100 && parts.more_files == 1_000 - parts.overview.len());
    }
}
