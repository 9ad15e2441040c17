//! Lines of a hunk as prompts show them: a marker, the number, the text.
//!
//! `+12| text` was added, `-9| text` was removed, ` 12| text` stands round it in the diff, and `.40| text` stands
//! further off, in a function that the change is in. Every line of the author's has such a beginning, so that
//! none can pass for a heading of ours.

use super::surroundings::ContextLine;
use super::{MAX_LINE_BYTES, Piece};
use crate::change::{Hunk, Line, LineKind};
use crate::engine::estimate_tokens;
use crate::text::visible;

/// The lines of a piece, below the heading that git gives their hunk.
pub(super) fn piece(hunk: &Hunk, piece: &Piece, before: &[ContextLine], after: &[ContextLine]) -> String {
    let mut text =
        if hunk.heading.is_empty() { "@@\n".to_owned() } else { format!("@@ {}\n", visible(&hunk.heading)) };
    context(&mut text, before);
    for line in hunk.lines().skip(piece.first).take(piece.end - piece.first) {
        let number = match line.kind {
            LineKind::Added | LineKind::Context => line.new,
            LineKind::Removed => line.old,
        };
        push(&mut text, line.kind.marker(), number.unwrap_or(0), line.text);
    }
    context(&mut text, after);
    text
}

/// Lines from outside the diff; where some between them are left out, a line says so.
pub(crate) fn context(text: &mut String, lines: &[ContextLine]) {
    let mut last = None;
    for line in lines {
        if last.is_some_and(|last| line.number > last + 1) {
            text.push_str(" …\n");
        }
        push(text, '.', line.number, &line.text);
        last = Some(line.number);
    }
}

fn push(shown: &mut String, marker: char, number: u32, text: &str) {
    let text = if text.len() > MAX_LINE_BYTES {
        format!("[a line of {} bytes is left out]", text.len())
    } else {
        visible(text.trim_end_matches('\r'))
    };
    shown.push_str(&format!("{marker}{number}| {text}\n"));
}

/// What a line of a hunk costs.
pub(super) fn tokens(line: &Line<'_>) -> u32 {
    if line.text.len() > MAX_LINE_BYTES { 10 } else { text_tokens(line.text) }
}

/// What a line costs: the number, the markers and the line feed come to some eight bytes.
pub(crate) fn text_tokens(text: &str) -> u32 {
    estimate_tokens(text.len() + 8)
}
