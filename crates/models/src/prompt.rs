//! What is sent: the whole conversation as a value, in nobody's wire format.

use review::Digest;
use review::engine::estimate_tokens;
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
    /// How many bytes at the beginning of the first message other calls send too, behind the same instructions, tools
    /// and schema: up to there the provider is asked to remember. `None` where nobody else sends them; to remember
    /// what nobody asks for again costs more than to forget it.
    pub cache_prefix: Option<usize>,
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

impl Prompt {
    /// What other calls send too: the beginning of the first message. `None` where nothing is shared.
    pub fn shared_beginning(&self) -> Option<&str> {
        self.shared_and_own().map(|(shared, _)| shared)
    }

    /// The first message in two: what other calls send too, and what is this call's own. `None` where nothing is
    /// shared, or where the first message is not ours.
    pub(crate) fn shared_and_own(&self) -> Option<(&str, &str)> {
        let Some(Message::User(first)) = self.messages.first() else { return None };
        let end = first.floor_char_boundary(self.cache_prefix?);
        Some(first.split_at(end))
    }

    /// A name for what other calls send too, the same for all of them; `None` where nothing is shared.
    pub(crate) fn cache_key(&self) -> Option<String> {
        let shared = self.shared_beginning()?;
        let digest = Digest::of_parts([self.system.as_bytes(), shared.as_bytes()]);
        // OpenAI takes at most 64 characters.
        Some(format!("recuse-{}", &digest.as_str()[..32]))
    }

    /// An estimate of its tokens, on the high side; those of the answer are not in it.
    pub fn estimated_tokens(&self) -> u64 {
        let messages = self.messages.iter().map(|message| match message {
            Message::User(text) => text.len(),
            Message::Assistant { text, tool_calls } => {
                text.len() + tool_calls.iter().map(|call| call.arguments.len()).sum::<usize>()
            }
            Message::ToolResult { content, .. } => content.len(),
        });
        let schema = self.answer.as_ref().map_or(0, |answer| answer.schema.to_string().len());
        u64::from(estimate_tokens(self.system.len() + messages.sum::<usize>() + schema))
    }
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
