//! Views of the evidence packet: what people and their tools read of a [`PacketV1`].
//!
//! Values in, text out: nothing in this crate reads a clock, the environment, a disk or a network. Every view is
//! made from the packet alone, so that it can be made again from a stored one.
//!
//! Text of authors and models reaches a view only through the door that the view keeps: [`terminal()`] writes out
//! whatever could move a cursor, [`markdown()`] puts it into code spans and fences, [`sarif()`] keeps it plain text.

mod amount;
mod claim;
mod markdown;
mod parts;
mod proofs;
mod sarif;
mod terminal;
mod text;
mod words;
pub mod workflow;
mod wrap;

use review::Digest;
use review::packet::PacketV1;

pub use markdown::{
    Annotation, AnnotationLevel, CheckReport, Closing, Conclusion, Earlier, InlineComment,
    MAX_ANNOTATION_BYTES, MAX_COMMENT_BYTES, Notice, Reply, annotations, check, closing_comment, comment,
    inline_comments, markdown, notice, reply,
};
pub use proofs::proofs;
pub use sarif::sarif;
pub use terminal::{Colour, TerminalOptions, Verbosity, terminal};
pub use words::channel_words;
pub use wrap::wrap;

/// The packet as JSON for people: indented, with a line feed at the end.
///
/// Its digest is not the packet's; that one is over [`PacketV1::canonical_bytes`].
pub fn json(packet: &PacketV1) -> String {
    let mut text =
        serde_json::to_string_pretty(packet).expect("strings, integers and lists always serialize");
    text.push('\n');
    text
}

/// What a packet is called, and who stands for it. Neither is in its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacketName {
    /// SHA-256 of its canonical bytes.
    pub digest: Digest,
    /// Who signed it.
    pub seal: Seal,
}

/// Who signed a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seal {
    /// Nobody: only whoever has the digest from a place that they trust can tell that it was not altered.
    Unsigned,
    /// The key of this id.
    SignedBy(String),
}
