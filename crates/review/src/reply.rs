//! What a model said, apart from the bytes in which its provider said it, and what that is worth.
//!
//! [`ReplyV1`] is what is kept of a reply beside its bytes, so that it can be read again without knowing the
//! provider's format.

use serde::{Deserialize, Serialize};

use crate::Digest;
use crate::engine::Usage;
use crate::outcome::EndingKind;
use crate::text::shorten;

/// A reply, in no provider's format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplyV1 {
    /// What the model said, without its reasoning. Untrusted.
    pub text: String,
    /// The tools that it asked for.
    pub tool_calls: Vec<ToolCallV1>,
    /// How it ended.
    pub finish: FinishV1,
    /// What it used, as the provider counted it.
    pub usage: Option<Usage>,
    /// The model that the server says answered.
    pub served_model: Option<String>,
    /// The provider's name for the request.
    pub request_id: Option<String>,
    /// SHA-256 of the bytes that were sent.
    pub request_sha256: Digest,
    /// SHA-256 of the bytes that came back.
    pub raw_sha256: Digest,
    /// From sending to the last byte, in milliseconds.
    pub elapsed_ms: u64,
}

/// A tool that a model asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCallV1 {
    /// The id by which a result would refer to it.
    pub id: String,
    /// The tool's name as the model wrote it.
    pub name: String,
    /// The arguments as the model wrote them.
    pub arguments: String,
    /// What the provider wants back beside the call, unread.
    #[serde(default)]
    pub signature: Option<String>,
}

/// How a reply ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishV1 {
    /// The model was done.
    Complete,
    /// The model waits for tools.
    ToolCalls,
    /// It ran out of output tokens or of context.
    Truncated,
    /// The model declined, in these words.
    Refused(String),
    /// The provider's filter stepped in, under this name.
    Filtered(String),
    /// A word that nobody knows, or none.
    Unknown(String),
}

/// Why nothing was said that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Silence {
    /// How it ended.
    pub kind: EndingKind,
    /// Why, in a sentence.
    pub detail: String,
    /// What may help.
    pub cause: Cause,
}

/// Why a model said nothing that counts, as far as it matters for what is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Something in what it was shown, or how much that was.
    WhatItWasShown,
    /// The model or its provider, whatever it is shown: nobody need ask again in this review.
    Down,
    /// It said all that it had to say, and that is no answer.
    UnreadableAnswer,
    /// Anything else.
    Other,
}

impl ReplyV1 {
    /// What was said, if that is all that the model had to say: only a complete reply counts, and a word that we do
    /// not know is not complete.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn complete_text(&self) -> Result<&str, Silence> {
        use EndingKind::{Refused, Truncated, Unreadable};
        let (kind, detail, cause) = match &self.finish {
            FinishV1::Complete => return Ok(&self.text),
            FinishV1::ToolCalls => {
                (Unreadable, "it asked for a tool, and none was offered".to_owned(), Cause::Other)
            }
            FinishV1::Truncated => {
                (Truncated, "the answer reached the limit of its length".to_owned(), Cause::WhatItWasShown)
            }
            FinishV1::Refused(words) => (Refused, shorten(words, 200), Cause::WhatItWasShown),
            FinishV1::Filtered(name) => {
                (Refused, format!("the provider's filter: {}", shorten(name, 100)), Cause::WhatItWasShown)
            }
            FinishV1::Unknown(word) => {
                let detail = format!("it ended with `{}`, which is not known", shorten(word, 60));
                (Truncated, detail, Cause::Other)
            }
        };
        Err(Silence { kind, detail, cause })
    }
}
