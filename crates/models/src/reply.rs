//! What came back: a model's answer, how it ended and what it used.

use bytes::Bytes;
use review::Digest;
use review::engine::Usage;

/// What a model answered, and the evidence of it.
///
/// Not `Debug`: it holds prompt and reply, which are never logged.
#[derive(Clone)]
pub struct Reply {
    /// What it said, without its reasoning. Untrusted.
    pub content: Content,
    /// How it ended. Only [`Finish::Complete`] and [`Finish::ToolCalls`] are whole.
    pub finish: Finish,
    /// What it used; `None` where the server did not say, which is not zero.
    pub usage: Option<Usage>,
    /// The model that the server says answered.
    pub served_model: Option<String>,
    /// The provider's name for the request, for asking them about it.
    pub request_id: Option<String>,
    /// The bytes that were sent.
    pub request: Bytes,
    /// The digest of the bytes that were sent.
    pub request_sha256: Digest,
    /// The bytes that came back, decompressed.
    pub raw: Bytes,
    /// From sending to the last byte, by our clock.
    pub elapsed_ms: u64,
}

/// What a model said.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// Words; may be empty.
    Text(String),
    /// It wants tools to be run.
    ToolCalls {
        /// What it said beside that; may be empty.
        text: String,
        /// The calls, at least one.
        calls: Vec<ToolCall>,
    },
}

impl Content {
    /// The words.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::ToolCalls { text, .. } => text,
        }
    }
}

/// A tool that a model asks for.
#[derive(Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// The id by which the result refers to it.
    pub id: String,
    /// The tool's name as the model wrote it; may be none of ours.
    pub name: String,
    /// The arguments as the model wrote them: meant to be JSON, not checked.
    pub arguments: String,
    /// What the provider wants back beside the call, unread; only Gemini has it.
    pub signature: Option<String>,
}

/// How a reply ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish {
    /// The model was done.
    Complete,
    /// The model waits for tools.
    ToolCalls,
    /// It ran out of output tokens or of context.
    Truncated,
    /// The model declined, in these words (shortened, untrusted).
    Refused(String),
    /// The provider's filter stepped in, under this name.
    Filtered(String),
    /// A word that we do not know, or none. Never taken for complete.
    Unknown(String),
}
