//! What goes into a prompt, as a value. Rendering it is the service's job, sending it the models'.
//!
//! Everything that the author of the change wrote is in [`PromptParts`] as text to be fenced, with hidden
//! characters written out. What does not fit into one prompt is split into parts by whole hunks, or by lines
//! where one hunk is too large; a single line that is too large even so is left out and reported.

use serde::Serialize;

use crate::change::{Change, FileChange, Hunk, Line, LineKind, Operation};
use crate::engine::estimate_tokens;
use crate::panel::Scope;
use crate::text::{shorten, visible};
use crate::{Digest, Lens};

/// The most bytes of one line that a prompt shows; longer ones are minified code or data.
/// `coverage` lists the hunks that hold such a line as not seen.
pub const MAX_LINE_BYTES: usize = 8_000;

/// The most bytes of the author's description that a prompt shows.
pub const MAX_BODY_BYTES: usize = 6_000;

/// One prompt's content.
#[derive(Debug, Clone, Serialize)]
pub struct PromptParts {
    /// The lens that is asked.
    pub lens: Lens,
    /// 128 random bits in hex that occur nowhere in the untrusted text; the fences carry it.
    pub nonce: String,
    /// The author's title, hidden characters written out.
    pub title: String,
    /// The author's description, shortened.
    pub body: String,
    /// The part's number, from 1, and of how many.
    pub part: (usize, usize),
    /// The changed files that are not in this part, by path.
    pub other_files: Vec<String>,
    /// The files of this part.
    pub files: Vec<PromptFile>,
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
    /// The hunks, one numbered line each: `+12| text`, `-9| text`, ` 12| text`.
    pub text: String,
}

/// A run of lines of one hunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Piece {
    /// The changed file, by its index.
    pub file: usize,
    /// The hunk in it, by its index.
    pub hunk: usize,
    /// The first line of the hunk, by its index.
    pub first: usize,
    /// One past the last line.
    pub end: usize,
}

/// How a seat's files are split into prompts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// What each prompt shows.
    pub parts: Vec<Vec<Piece>>,
}

/// Splits the files' hunks that are in scope into prompts of at most `budget_tokens` each, in the change's order.
pub fn plan(change: &Change, files: &[usize], scope: &Scope, budget_tokens: u32) -> Plan {
    let mut plan = Plan::default();
    let mut current: Vec<Piece> = Vec::new();
    let mut used = 0_u32;
    for &file in files {
        for (hunk_index, hunk) in change.files[file].hunks().iter().enumerate() {
            if !scope.holds((file, hunk_index)) {
                continue;
            }
            let mut piece: Option<Piece> = None;
            for (line_index, line) in hunk.lines().enumerate() {
                let too_long = line.text.len() > MAX_LINE_BYTES;
                let cost = if too_long { 10 } else { line_tokens(&line) };
                let new_file = current.last().is_none_or(|last| last.file != file) && piece.is_none();
                let header = if new_file { file_tokens(&change.files[file]) } else { 0 };
                let is_empty = current.is_empty() && piece.is_none();
                if !is_empty && used.saturating_add(cost).saturating_add(header) > budget_tokens {
                    current.extend(piece.take());
                    plan.parts.push(std::mem::take(&mut current));
                    used = file_tokens(&change.files[file]);
                } else {
                    used = used.saturating_add(header);
                }
                used = used.saturating_add(cost);
                let open =
                    piece.get_or_insert(Piece { file, hunk: hunk_index, first: line_index, end: line_index });
                open.end = line_index + 1;
            }
            current.extend(piece);
        }
    }
    if !current.is_empty() {
        plan.parts.push(current);
    }
    plan
}

fn line_tokens(line: &Line<'_>) -> u32 {
    // The number, the markers and the line feed come to some eight bytes.
    estimate_tokens(line.text.len() + 8)
}

fn file_tokens(file: &FileChange) -> u32 {
    estimate_tokens(file.path.as_str().len() * 2 + 60)
}

/// Builds the content of one prompt of a plan.
///
/// `seed` is randomness that the caller draws and records; the nonce is derived from it, again and again until
/// the untrusted text does not hold it.
pub fn build(change: &Change, lens: Lens, plan: &Plan, part: usize, seed: &[u8]) -> PromptParts {
    let pieces = &plan.parts[part];
    let mut files: Vec<(usize, PromptFile)> = Vec::new();
    for piece in pieces {
        let file = &change.files[piece.file];
        let text = render_piece(&file.hunks()[piece.hunk], piece);
        match files.last_mut() {
            Some((index, shown)) if *index == piece.file => shown.text.push_str(&text),
            _ => files.push((
                piece.file,
                PromptFile {
                    path: visible(file.path.as_str()),
                    operation: file.operation,
                    old_path: file.old_path.as_ref().map(|path| visible(path.as_str())),
                    text,
                },
            )),
        }
    }
    let shown: Vec<usize> = files.iter().map(|(index, _)| *index).collect();
    let other_files = change
        .files
        .iter()
        .enumerate()
        .filter(|(index, _)| !shown.contains(index))
        .take(200)
        .map(|(_, file)| visible(file.path.as_str()))
        .collect();
    let mut parts = PromptParts {
        lens,
        nonce: String::new(),
        title: visible(&shorten(&change.title, 300)),
        body: visible(&shorten(&change.body, MAX_BODY_BYTES)),
        part: (part + 1, plan.parts.len()),
        other_files,
        files: files.into_iter().map(|(_, file)| file).collect(),
    };
    parts.nonce = nonce(&parts, seed);
    parts
}

fn nonce(parts: &PromptParts, seed: &[u8]) -> String {
    let holds = |nonce: &str| {
        let in_files = parts.files.iter().any(|file| file.text.contains(nonce) || file.path.contains(nonce));
        in_files || parts.title.contains(nonce) || parts.body.contains(nonce)
    };
    (0_u64..)
        .map(|counter| Digest::of_parts([seed, &counter.to_be_bytes()]).as_str()[..32].to_owned())
        .find(|nonce| !holds(nonce))
        .expect("a text holds finitely many nonces")
}

fn render_piece(hunk: &Hunk, piece: &Piece) -> String {
    let mut text = String::new();
    if hunk.heading.is_empty() {
        text.push_str("@@\n");
    } else {
        text.push_str(&format!("@@ {}\n", visible(&hunk.heading)));
    }
    for line in hunk.lines().skip(piece.first).take(piece.end - piece.first) {
        let number = match line.kind {
            LineKind::Added | LineKind::Context => line.new,
            LineKind::Removed => line.old,
        };
        let shown = if line.text.len() > MAX_LINE_BYTES {
            format!("[a line of {} bytes is left out]", line.text.len())
        } else {
            visible(line.text.trim_end_matches('\r'))
        };
        text.push_str(&format!("{}{}| {shown}\n", line.kind.marker(), number.unwrap_or(0)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Content, Source, Subject};

    fn change(files: &[(&str, &str)]) -> Change {
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

    /// Every line of every hunk, whatever the budget, is in exactly one part.
    #[test]
    fn a_plan_covers_every_line_exactly_once() {
        let long: String = (0..400).map(|n| format!("+line number {n}\n")).collect();
        let change = change(&[("a.rs", " x\n+y\n"), ("b.rs", &long), ("c.rs", "-gone\n")]);
        for budget in [1, 50, 300, 100_000] {
            let plan = plan(&change, &[0, 1, 2], &Scope::AllHunks, budget);
            let mut seen = Vec::new();
            for piece in plan.parts.iter().flatten() {
                seen.extend((piece.first..piece.end).map(|line| (piece.file, piece.hunk, line)));
            }
            let expected: Vec<_> = (0..2)
                .map(|line| (0, 0, line))
                .chain((0..400).map(|line| (1, 0, line)))
                .chain([(2, 0, 0)])
                .collect();
            assert_eq!(seen, expected, "budget {budget}");
        }
        assert_eq!(plan(&change, &[0, 1, 2], &Scope::AllHunks, 100_000).parts.len(), 1);
        assert!(plan(&change, &[0, 1, 2], &Scope::AllHunks, 300).parts.len() > 5);
    }

    #[test]
    fn a_line_that_is_too_long_is_not_shown() {
        let change = change(&[("a.js", &format!("+{}\n+b\n", "x".repeat(MAX_LINE_BYTES + 1)))]);
        let plan = plan(&change, &[0], &Scope::AllHunks, 1_000);
        let parts = build(&change, Lens::Security, &plan, 0, b"seed");
        assert_eq!(parts.files[0].text, "@@\n+1| [a line of 8001 bytes is left out]\n+2| b\n");
    }

    #[test]
    fn the_nonce_is_drawn_again_when_the_author_guessed_it() {
        let first = build(
            &change(&[("a", "+x\n")]),
            Lens::Security,
            &plan(&change(&[("a", "+x\n")]), &[0], &Scope::AllHunks, 99),
            0,
            b"s",
        );
        let guessing = change(&[("a", &format!("+{}\n", first.nonce))]);
        let second = build(&guessing, Lens::Security, &plan(&guessing, &[0], &Scope::AllHunks, 99), 0, b"s");
        assert_ne!(first.nonce, second.nonce);
        assert!(!second.files[0].text.contains(&second.nonce));
    }

    #[test]
    fn hidden_characters_are_written_out() {
        let change = change(&[("a", "+x\u{202e}y\r\n")]);
        let parts = build(&change, Lens::Security, &plan(&change, &[0], &Scope::AllHunks, 99), 0, b"s");
        assert_eq!(parts.files[0].text, "@@\n+1| x\\u{202e}y\n");
    }
}
