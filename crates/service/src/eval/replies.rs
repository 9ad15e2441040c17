//! A model that remembers: what it was asked before, it answers from disk, for nothing.
//!
//! A reply is kept under the digest of who was asked and all that was asked. What gave no reply (a time-out, an error)
//! is not kept, so that the next run asks again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result};
use models::{AnswerSchema, Message, Model, ModelError, Prompt, Reply, ToolCall};
use review::Digest;
use review::reply::ReplyV1;

use crate::replies::{reply, reply_v1};

/// The replies of one evaluation, on disk.
pub struct Replies {
    folder: PathBuf,
    asked: AtomicU64,
    remembered: AtomicU64,
}

impl Replies {
    /// Keeps replies in a folder, which is made.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn in_folder(folder: &Path) -> Result<Arc<Self>> {
        std::fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
        Ok(Arc::new(Self {
            folder: folder.to_owned(),
            asked: AtomicU64::new(0),
            remembered: AtomicU64::new(0),
        }))
    }

    /// Wraps a model. `name` tells it from all others: its id, and its address where it has one of its own.
    pub fn around(self: &Arc<Self>, name: String, model: Arc<dyn Model>) -> Arc<dyn Model> {
        Arc::new(Remembering { replies: Arc::clone(self), name, model })
    }

    /// How many requests were really sent, and how many were answered from disk.
    pub fn counts(&self) -> (u64, u64) {
        (self.asked.load(Ordering::Relaxed), self.remembered.load(Ordering::Relaxed))
    }

    fn path(&self, key: &Digest, what: &str) -> PathBuf {
        self.folder.join(format!("{key}.{what}"))
    }

    /// The reply that is kept; none where there is none, or where one of its files is damaged.
    fn load(&self, key: &Digest) -> Option<Reply> {
        let kept: ReplyV1 = serde_json::from_slice(&std::fs::read(self.path(key, "json")).ok()?).ok()?;
        let request = std::fs::read(self.path(key, "request")).ok()?;
        let raw = std::fs::read(self.path(key, "reply")).ok()?;
        let is_whole = Digest::of(&request) == kept.request_sha256 && Digest::of(&raw) == kept.raw_sha256;
        is_whole.then(|| reply(kept, request, raw))
    }

    fn save(&self, key: &Digest, reply: &Reply) -> Result<()> {
        write(&self.path(key, "request"), &reply.request)?;
        write(&self.path(key, "reply"), &reply.raw)?;
        // Last, since it is what makes the others count.
        write(&self.path(key, "json"), &serde_json::to_vec(&reply_v1(reply))?)
    }
}

/// Writes a file as a whole or not at all.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let partial = path.with_added_extension("part");
    std::fs::write(&partial, bytes)
        .and_then(|()| std::fs::rename(&partial, path))
        .with_context(|| format!("could not write {}", path.display()))
}

struct Remembering {
    replies: Arc<Replies>,
    name: String,
    model: Arc<dyn Model>,
}

#[async_trait::async_trait]
impl Model for Remembering {
    async fn ask(&self, prompt: &Prompt) -> Result<Reply, ModelError> {
        let key = question_digest(&self.name, prompt);
        if let Some(reply) = self.replies.load(&key) {
            self.replies.remembered.fetch_add(1, Ordering::Relaxed);
            return Ok(reply);
        }
        self.replies.asked.fetch_add(1, Ordering::Relaxed);
        let reply = self.model.ask(prompt).await?;
        if let Err(error) = self.replies.save(&key, &reply) {
            // The reply is good; only the next run has to pay for it again.
            tracing::warn!("{error:#}");
        }
        Ok(reply)
    }
}

/// The name of a question: who is asked, and everything that is asked.
pub(crate) fn question_digest(name: &str, prompt: &Prompt) -> Digest {
    // What the provider is asked to remember changes no answer.
    let Prompt { system, messages, cache_prefix: _, tools, answer, max_output_tokens, temperature } = prompt;
    let mut parts: Vec<Vec<u8>> = vec![name.into(), system.as_str().into()];
    for message in messages {
        match message {
            Message::User(text) => parts.extend([b"user".to_vec(), text.as_str().into()]),
            Message::Assistant { text, tool_calls } => {
                parts.extend([b"assistant".to_vec(), text.as_str().into()]);
                for ToolCall { id, name, arguments, signature: _ } in tool_calls {
                    parts.extend([id, name, arguments].map(|text| text.as_bytes().to_vec()));
                }
            }
            Message::ToolResult { call_id, content } => {
                parts.extend([b"result".to_vec(), call_id.as_str().into(), content.as_str().into()]);
            }
        }
    }
    for tool in tools {
        parts.extend([b"tool".to_vec(), tool.name.as_str().into(), tool.description.as_str().into()]);
        parts.push(tool.parameters.to_string().into());
    }
    if let Some(AnswerSchema { name, schema }) = answer {
        parts.extend([b"answer".to_vec(), name.as_str().into(), schema.to_string().into()]);
    }
    parts.push(format!("{max_output_tokens} {temperature:?}").into());
    Digest::of_parts(parts.iter().map(Vec::as_slice))
}

#[cfg(test)]
mod tests {
    use super::*;
    use models::{Content, Finish, Usage};

    /// Answers with a reply of its own each time, or with nothing.
    struct Counting {
        finish: Option<Finish>,
        asked: AtomicU64,
    }

    #[async_trait::async_trait]
    impl Model for Counting {
        async fn ask(&self, prompt: &Prompt) -> Result<Reply, ModelError> {
            let number = self.asked.fetch_add(1, Ordering::SeqCst);
            let Some(finish) = self.finish.clone() else {
                return Err(ModelError::Request { detail: "no".into() });
            };
            let request = format!("{} {number}", prompt.system).into_bytes();
            let call =
                ToolCall { id: "1".into(), name: "look".into(), arguments: "{}".into(), signature: None };
            let content = match finish {
                Finish::ToolCalls => Content::ToolCalls { text: format!("{number}"), calls: vec![call] },
                Finish::Complete
                | Finish::Truncated
                | Finish::Refused(_)
                | Finish::Filtered(_)
                | Finish::Unknown(_) => Content::Text(format!("{number}")),
            };
            Ok(Reply {
                content,
                finish,
                usage: Some(Usage { input: 3, output: number, ..Usage::default() }),
                served_model: Some("oak".into()),
                request_id: None,
                request_sha256: Digest::of(&request),
                request: request.into(),
                raw: vec![0xff, 0, b'{'].into(),
                elapsed_ms: 1_234,
            })
        }
    }

    fn prompt(system: &str) -> Prompt {
        Prompt {
            system: system.into(),
            messages: vec![Message::User("x".into())],
            cache_prefix: None,
            tools: Vec::new(),
            answer: None,
            max_output_tokens: 100,
            temperature: None,
        }
    }

    fn model(finish: Option<Finish>) -> Arc<Counting> {
        Arc::new(Counting { finish, asked: AtomicU64::new(0) })
    }

    #[tokio::test]
    async fn what_was_asked_before_is_answered_from_disk_however_it_ended() {
        for finish in [
            Finish::Complete,
            Finish::ToolCalls,
            Finish::Truncated,
            Finish::Refused("no".into()),
            Finish::Filtered("f".into()),
            Finish::Unknown("u".into()),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            let inner = model(Some(finish.clone()));
            let first = {
                let replies = Replies::in_folder(folder.path()).expect("a folder");
                let model = replies.around("oak".into(), inner.clone());
                let first = model.ask(&prompt("a")).await.unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(replies.counts(), (1, 0));
                first
            };
            // As another process would see it.
            let replies = Replies::in_folder(folder.path()).expect("a folder");
            let again = replies.around("oak".into(), inner.clone());
            let second = again.ask(&prompt("a")).await.unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(inner.asked.load(Ordering::SeqCst), 1);
            assert!(first.content == second.content && first.raw == second.raw);
            assert_eq!(
                (first.finish, first.usage, first.request),
                (second.finish, second.usage, second.request)
            );
            assert_eq!(replies.counts(), (0, 1));
            assert_eq!(second.elapsed_ms, 1_234);
        }
    }

    #[tokio::test]
    async fn another_question_another_model_or_a_damaged_file_is_asked_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let replies = Replies::in_folder(folder.path()).expect("a folder");
        let inner = model(Some(Finish::Complete));
        let oak = replies.around("oak".into(), inner.clone());
        let elm = replies.around("elm".into(), inner.clone());
        let mut cooler = prompt("a");
        cooler.temperature = Some(0.0);
        for (model, prompt, asked) in [
            (&oak, prompt("a"), 1),
            (&oak, prompt("a"), 1),
            (&oak, prompt("b"), 2),
            (&elm, prompt("a"), 3),
            (&oak, cooler, 4),
        ] {
            assert!(model.ask(&prompt).await.is_ok());
            assert_eq!(inner.asked.load(Ordering::SeqCst), asked);
        }
        for entry in std::fs::read_dir(folder.path()).expect("a folder") {
            std::fs::write(entry.expect("an entry").path(), "damaged").expect("written");
        }
        assert!(oak.ask(&prompt("a")).await.is_ok());
        assert_eq!(inner.asked.load(Ordering::SeqCst), 5);
    }

    #[tokio::test]
    async fn what_gave_no_reply_is_not_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let replies = Replies::in_folder(folder.path()).expect("a folder");
        let inner = model(None);
        let model = replies.around("oak".into(), inner.clone());
        for asked in 1..=2 {
            assert!(model.ask(&prompt("a")).await.is_err());
            assert_eq!(inner.asked.load(Ordering::SeqCst), asked);
        }
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}
