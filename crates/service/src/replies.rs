//! Replies of models in the form in which they are kept, and back.

use models::{Content, Finish, Reply, ToolCall};
use review::Digest;
use review::reply::{FinishV1, ReplyV1, ToolCallV1};

/// A reply as it is kept beside its bytes.
pub(crate) fn reply_v1(reply: &Reply) -> ReplyV1 {
    let kept = |call: &ToolCall| ToolCallV1 {
        id: call.id.clone(),
        name: call.name.clone(),
        arguments: call.arguments.clone(),
        signature: call.signature.clone(),
    };
    let tool_calls = match &reply.content {
        Content::Text(_) => Vec::new(),
        Content::ToolCalls { calls, .. } => calls.iter().map(kept).collect(),
    };
    ReplyV1 {
        text: reply.content.text().to_owned(),
        tool_calls,
        finish: match &reply.finish {
            Finish::Complete => FinishV1::Complete,
            Finish::ToolCalls => FinishV1::ToolCalls,
            Finish::Truncated => FinishV1::Truncated,
            Finish::Refused(words) => FinishV1::Refused(words.clone()),
            Finish::Filtered(name) => FinishV1::Filtered(name.clone()),
            Finish::Unknown(word) => FinishV1::Unknown(word.clone()),
        },
        usage: reply.usage,
        served_model: reply.served_model.clone(),
        request_id: reply.request_id.clone(),
        request_sha256: reply.request_sha256.clone(),
        raw_sha256: Digest::of(&reply.raw),
        elapsed_ms: reply.elapsed_ms,
    }
}

/// A kept reply with its bytes, as the model gave it.
pub(crate) fn reply(kept: ReplyV1, request: Vec<u8>, raw: Vec<u8>) -> Reply {
    let call = |ToolCallV1 { id, name, arguments, signature }: ToolCallV1| ToolCall {
        id,
        name,
        arguments,
        signature,
    };
    Reply {
        content: if kept.tool_calls.is_empty() {
            Content::Text(kept.text)
        } else {
            Content::ToolCalls { text: kept.text, calls: kept.tool_calls.into_iter().map(call).collect() }
        },
        finish: match kept.finish {
            FinishV1::Complete => Finish::Complete,
            FinishV1::ToolCalls => Finish::ToolCalls,
            FinishV1::Truncated => Finish::Truncated,
            FinishV1::Refused(words) => Finish::Refused(words),
            FinishV1::Filtered(name) => Finish::Filtered(name),
            FinishV1::Unknown(word) => Finish::Unknown(word),
        },
        usage: kept.usage,
        served_model: kept.served_model,
        request_id: kept.request_id,
        request: request.into(),
        request_sha256: kept.request_sha256,
        raw: raw.into(),
        elapsed_ms: kept.elapsed_ms,
    }
}
