//! What is sent: the whole conversation as a value, in nobody's wire format.

use serde_json::Value;

use crate::reply::ToolCall;

/// The whole conversation, and what may come back.
///
/// Not `Debug`: it holds source code, which is never logged.
#[derive(Clone, PartialEq)]
pub struct Prompt {
    /// The instructions.
    pub system: String,
    /// What was said so far, oldest first.
    pub messages: Vec<Message>,
    /// The tools that the model may ask for.
    pub tools: Vec<ToolSpec>,
    /// The shape of the answer, where one is wanted.
    ///
    /// Not every server enforces it and none shows it to the model, so the instructions state it too.
    pub answer: Option<AnswerSchema>,
    /// The most tokens that the model may write, reasoning included. At most 16,384, so that an answer which
    /// does not stream is done before anybody's network drops the idle connection.
    pub max_output_tokens: u32,
    /// The temperature; `None` leaves it to the provider, and some models take no other.
    pub temperature: Option<f64>,
}

/// One turn of the conversation.
#[derive(Clone, PartialEq, Eq)]
pub enum Message {
    /// What we say.
    User(String),
    /// What the model said in an earlier turn.
    Assistant {
        /// Its words; may be empty beside tool calls.
        text: String,
        /// The tools that it asked for.
        tool_calls: Vec<ToolCall>,
    },
    /// What a tool gave.
    ToolResult {
        /// The id of the call that it answers.
        call_id: String,
        /// The result as text.
        content: String,
    },
}

/// A tool that the model may ask for. Asking is all it can do: we run it, or not.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolSpec {
    /// Its name: letters, digits, `_` and `-`, at most 64.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// The JSON schema of its arguments.
    pub parameters: Value,
}

/// The JSON schema that the answer should fit.
///
/// Providers share a small subset: objects, arrays, strings, integers and enums, every field required and
/// `additionalProperties: false`, no bounds, patterns or recursion.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerSchema {
    /// Its name: letters, digits, `_` and `-`, at most 64.
    pub name: String,
    /// The schema.
    pub schema: Value,
}
