//! The packet as a comment in Markdown (design section 6): the verdict, what was not reviewed, who wrote it and
//! who was recused, the claims, and the rest folded.
//!
//! Each part has a budget in bytes that it keeps by counting what it leaves out, so that the whole fits and
//! nothing is ever cut in the middle of a block.

mod build;
mod claims;
mod folded;
mod github;
mod opening;

use std::collections::BTreeSet;

use review::Family;
use review::packet::PacketV1;

pub use github::{
    Annotation, AnnotationLevel, CheckReport, Closing, Conclusion, Earlier, InlineComment,
    MAX_ANNOTATION_BYTES, Notice, Reply, annotations, check, closing_comment, comment, inline_comments,
    notice, reply,
};

use build::{Block, Entry, Foreign, Inline, Line, render};

use crate::PacketName;
use crate::amount::Amount;

/// The most bytes of a comment.
///
/// GitHub refuses a body of more than 65,536 characters, and tools disagree on what it counts; bytes are never
/// fewer. The rest is left for what the poster adds: its marker.
pub const MAX_COMMENT_BYTES: usize = 60_000;

/// What each list and each table may take. There are a dozen of them, so that a third is left for the claims.
const LIST_BYTES: usize = 3_000;

/// What the list of what was not reviewed may take: it matters more than the others.
const NOT_REVIEWED_BYTES: usize = 6_000;

/// How many names a line lists.
const NAMES: usize = 9;

/// The packet as a comment.
pub fn markdown(packet: &PacketV1, name: &PacketName) -> String {
    whole(packet, name, Vec::new(), Vec::new())
}

/// The packet with something more at its beginning and its end.
fn whole(packet: &PacketV1, name: &PacketName, mut first: Vec<Block>, last: Vec<Block>) -> String {
    first.extend(opening::opening(packet));
    let opening = render(&first);
    let body = body(packet, name, last, opening.len());
    join([opening, body])
}

/// What stands below the opening, within what the opening leaves of a comment: the claims, and all that is folded.
fn body(packet: &PacketV1, name: &PacketName, last: Vec<Block>, taken: usize) -> String {
    let mut after = claims::after_claims(packet);
    after.extend(folded::folded(packet, name));
    after.extend(last);
    let after = render(&after);
    let room = MAX_COMMENT_BYTES.saturating_sub(taken + after.len() + 2);
    join([claims::claims(packet, room), after])
}

fn join(parts: [String; 2]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

/// As many entries as fit into a list's budget; the rest is counted.
fn listed(entries: impl IntoIterator<Item = Entry>) -> Block {
    listed_within(LIST_BYTES, entries)
}

fn listed_within(most_bytes: usize, entries: impl IntoIterator<Item = Entry>) -> Block {
    let mut kept: Vec<Entry> = Vec::new();
    let mut bytes = 0;
    let mut left_out = 0;
    for entry in entries {
        bytes += render(&[Block::List(vec![entry.clone()])]).len();
        if left_out > 0 || bytes > most_bytes {
            left_out += 1;
        } else {
            kept.push(entry);
        }
    }
    if left_out > 0 {
        kept.push(vec![count(left_out), Inline::Own(" more are in the packet")].into());
    }
    Block::List(kept)
}

/// As many rows as fit into a table's budget, and how many do not.
fn table(head: Vec<&'static str>, rows: impl IntoIterator<Item = Vec<Line>>) -> Vec<Block> {
    let mut kept: Vec<Vec<Line>> = Vec::new();
    let mut bytes = 0;
    let mut left_out = 0;
    for row in rows {
        bytes += render(&[Block::Table(vec![], vec![row.clone()])]).len();
        if left_out > 0 || bytes > LIST_BYTES {
            left_out += 1;
        } else {
            kept.push(row);
        }
    }
    let mut blocks = vec![Block::Table(head, kept)];
    if left_out > 0 {
        blocks.push(Block::Paragraph(vec![count(left_out), Inline::Own(" more are in the packet")]));
    }
    blocks
}

fn own(words: &'static str) -> Inline {
    Inline::Own(words)
}

fn count(count: usize) -> Inline {
    Inline::Amount(Amount::Count(count as u64))
}

/// Foreign text of one line, at most as long as a sentence.
fn code(text: &str) -> Inline {
    Inline::Code(Foreign::clipped(text, 300))
}

/// Several pieces with a comma between them; the tenth and all behind it are counted.
fn comma_separated(pieces: impl ExactSizeIterator<Item = Inline>) -> Line {
    let more = pieces.len().saturating_sub(NAMES);
    let mut line = Line::new();
    for piece in pieces.take(NAMES) {
        if !line.is_empty() {
            line.push(own(", "));
        }
        line.push(piece);
    }
    if more > 0 {
        line.extend([own(" and "), count(more), own(" more")]);
    }
    line
}

fn families(families: &BTreeSet<Family>) -> Line {
    comma_separated(families.iter().map(|family| Inline::Code(Foreign::clipped(family.as_str(), 60))))
}
