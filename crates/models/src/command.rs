//! A model behind a program of the operator's: prompt on its standard input, answer on its standard output.
//!
//! The program, its arguments and its whole environment come from the operator and from nowhere else. It runs in an
//! empty temporary folder, never in a repository; that folder is the only thing that this crate writes to a disk.
//! It has a time limit and leads a process group of its own, which is killed when the program ends, whichever way.
//! (A descendant that leaves the group on purpose outlives it: what the operator runs is trusted that far.)

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use review::Digest;
use rustix::process::{Pid, Signal, kill_process_group};
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

use crate::Model;
use crate::error::{ModelError, Phase, Secrets};
use crate::http::BODY_LIMIT;
use crate::prompt::{Message, Prompt};
use crate::reply::{Content, Finish, Reply};

/// How much of what the program says on its standard error is kept: the end of it.
const STDERR_BYTES: usize = 4096;

/// Values of the environment that are shorter are not looked for in what is told: they would be found anywhere.
const SHORTEST_SECRET: usize = 8;

/// What is run.
#[derive(Clone)]
pub struct CommandLine {
    /// The program, as an absolute path: without a `PATH` of its own nothing would be searched for.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub environment: Vec<(String, SecretString)>,
    /// How long one run may take.
    pub limit: Duration,
}

/// A model behind such a program.
pub struct CommandModel(CommandLine);

impl CommandModel {
    /// Names a program. Nothing runs yet.
    pub fn new(command: CommandLine) -> Self {
        Self(command)
    }

    async fn run(&self, input: &[u8]) -> Result<Vec<u8>, ModelError> {
        let failed = |what: &str, error: std::io::Error| ModelError::Command {
            detail: format!("{what}: {}", error.kind()),
        };
        let folder = tempfile::Builder::new()
            .prefix("recuse-command-")
            .tempdir()
            .map_err(|error| failed("could not make an empty folder for it", error))?;
        let variables = self.0.environment.iter().map(|(name, value)| (name, value.expose_secret()));
        let mut child = Command::new(&self.0.program)
            .args(&self.0.arguments)
            .env_clear()
            .envs(variables)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed("it could not be started", error))?;
        let mut group = Group::led_by(&child);
        let mut stdin = child.stdin.take().expect("it was asked for");
        let stdout = child.stdout.take().expect("it was asked for");
        let stderr = child.stderr.take().expect("it was asked for");
        let write = async {
            // A program need not read to the end to know its answer; its exit code says whether it does.
            let _ = stdin.write_all(input).await;
            drop(stdin);
            Ok(())
        };
        let wait = async {
            let status = child.wait().await.map_err(|error| failed("could not wait for it", error))?;
            // What it left behind may hold the pipes open.
            group.kill();
            Ok(status)
        };
        let ((), answer, complaint, status) =
            tokio::try_join!(write, read(stdout, BODY_LIMIT), read_end(stderr), wait)?;
        if status.success() {
            return Ok(answer);
        }
        Err(ModelError::Command { detail: format!("{status}: {}", self.shown(&complaint, input)) })
    }

    /// The program's complaint as an error may hold it.
    fn shown(&self, complaint: &[u8], input: &[u8]) -> String {
        let mut words = String::from_utf8_lossy(complaint).into_owned();
        for (name, value) in &self.0.environment {
            let value = value.expose_secret();
            if value.len() >= SHORTEST_SECRET {
                words = words.replace(value, &format!("[{name}]"));
            }
        }
        if words.trim().is_empty() {
            return "it says nothing".to_owned();
        }
        let secrets = Secrets { request: input, model: "", key: None };
        secrets.message(&words)
    }
}

#[async_trait]
impl Model for CommandModel {
    /// Runs the program once. An exit code of zero means that the answer is whole; it says nothing of what was used or
    /// of which model answered.
    async fn ask(&self, prompt: &Prompt) -> Result<Reply, ModelError> {
        let input = Bytes::from(written_out(prompt)?);
        let started = Instant::now();
        let answer = timeout(self.0.limit, self.run(&input))
            .await
            .map_err(|_| ModelError::Timeout { phase: Phase::Exit })??;
        Ok(Reply {
            content: Content::Text(String::from_utf8_lossy(&answer).trim().to_owned()),
            finish: Finish::Complete,
            usage: None,
            served_model: None,
            request_id: None,
            request_sha256: Digest::of(&input),
            request: input,
            raw: answer.into(),
            elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }
}

/// The conversation as one text. The instructions state the shape of the answer, since nothing else does here.
fn written_out(prompt: &Prompt) -> Result<String, ModelError> {
    let no_tools = || ModelError::Request { detail: "a command cannot be offered tools".to_owned() };
    if !prompt.tools.is_empty() {
        return Err(no_tools());
    }
    let mut text = prompt.system.clone();
    for message in &prompt.messages {
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        match message {
            Message::User(words) => text.push_str(words),
            Message::Assistant { text: words, tool_calls } if tool_calls.is_empty() => {
                text.push_str("You answered:\n\n");
                text.push_str(words);
            }
            Message::Assistant { .. } | Message::ToolResult { .. } => return Err(no_tools()),
        }
    }
    Ok(text)
}

async fn read(mut from: impl AsyncRead + Unpin, limit: usize) -> Result<Vec<u8>, ModelError> {
    let mut bytes = Vec::new();
    let broken = |error: std::io::Error| ModelError::Interrupted { source: error.into() };
    while from.read_buf(&mut bytes).await.map_err(broken)? > 0 {
        if bytes.len() > limit {
            return Err(ModelError::BodyTooLarge { limit });
        }
    }
    Ok(bytes)
}

/// Reads everything and keeps its end.
async fn read_end(mut from: impl AsyncRead + Unpin) -> Result<Vec<u8>, ModelError> {
    let mut bytes = Vec::new();
    let broken = |error: std::io::Error| ModelError::Interrupted { source: error.into() };
    while from.read_buf(&mut bytes).await.map_err(broken)? > 0 {
        let too_many = bytes.len().saturating_sub(STDERR_BYTES);
        bytes.drain(..too_many);
    }
    Ok(bytes)
}

/// A process group, killed once: when its leader ended, or when the call is given up.
struct Group(Option<Pid>);

impl Group {
    fn led_by(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    fn kill(&mut self) {
        if let Some(leader) = self.0.take() {
            // That nobody is left is the usual case.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
