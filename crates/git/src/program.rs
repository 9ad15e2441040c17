//! The `git` program: where it is, and running it with an environment that holds only what is listed here.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use review::text;

use crate::GitError;

/// At most this much of what git says on stderr is read.
const MAX_STDERR_BYTES: u64 = 4 * 1024;

/// The program and the directories in which it may look for its own parts.
///
/// Only absolute directories of `PATH` count: git runs in directories that others fill, where `.` would find
/// *their* `git`.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    file: PathBuf,
    path: OsString,
}

impl Program {
    pub(crate) fn find() -> Result<Self, GitError> {
        let path = env::var_os("PATH").unwrap_or_default();
        let directories: Vec<_> =
            env::split_paths(&path).filter(|directory| directory.is_absolute()).collect();
        let name = format!("git{}", env::consts::EXE_SUFFIX);
        let file = directories.iter().map(|directory| directory.join(&name)).find(|file| file.is_file());
        let path = env::join_paths(&directories).unwrap_or_default();
        Ok(Self { file: file.ok_or(GitError::NoProgram)?, path })
    }

    /// A command with an environment of almost nothing. Whatever it runs, it may not ask, fetch or lock.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.file);
        command
            .env_clear()
            .env("PATH", &self.path)
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_ATTR_NOSYSTEM", "1")
            // No protocol has this name, so nothing can be fetched (by gits that do not know the above).
            .env("GIT_ALLOW_PROTOCOL", "none")
            .args(["--no-pager", "--literal-pathspecs"])
            .args([
                "-c",
                "core.fsmonitor=false",
                "-c",
                "core.hooksPath=/dev/null",
                "-c",
                "protocol.allow=never",
            ])
            .stdin(Stdio::null());
        command
    }

    /// The same without any configuration of the system or the user.
    pub(crate) fn command_without_config(&self) -> Command {
        let mut command = self.command();
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        command
    }
}

/// What a command wrote, and how it ended.
pub(crate) struct Output {
    pub(crate) stdout: Vec<u8>,
    pub(crate) status: ExitStatus,
    /// What it said on stderr, on one line, for people.
    pub(crate) message: String,
}

impl Output {
    /// The output of a command that must succeed.
    pub(crate) fn success(self, task: &'static str) -> Result<Vec<u8>, GitError> {
        if self.status.success() { Ok(self.stdout) } else { Err(self.failure(task)) }
    }

    /// The error that a failed command stands for.
    pub(crate) fn failure(self, task: &'static str) -> GitError {
        let message = self.message;
        let is_missing =
            ["missing object", "unable to read", "bad object", "missing blob", "could not fetch"]
                .iter()
                .any(|words| message.contains(words));
        if is_missing {
            GitError::MissingObject { task, message }
        } else {
            GitError::Failed { task, status: self.status, message }
        }
    }
}

/// Runs a command to its end, with at most `limit` bytes of output; `None` if there was more.
///
/// What it says on stderr goes to an unnamed file, so that neither pipe can fill up while the other is read.
pub(crate) fn run(command: &mut Command, limit: u64) -> Result<Option<Output>, GitError> {
    let mut stderr = tempfile::tempfile().map_err(GitError::io("make a temporary file"))?;
    let child_stderr = stderr.try_clone().map_err(GitError::io("make a temporary file"))?;
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(child_stderr)
        .spawn()
        .map_err(GitError::io("run the program git"))?;
    let mut stdout = Vec::new();
    let pipe = child.stdout.take().expect("stdout was asked to be a pipe");
    let read = pipe.take(limit + 1).read_to_end(&mut stdout);
    let is_too_large = stdout.len() as u64 > limit;
    if is_too_large || read.is_err() {
        // It may have ended by itself in the meantime, which is as good.
        let _ = child.kill();
    }
    let status = child.wait().map_err(GitError::io("wait for the program git"))?;
    read.map_err(GitError::io("read the answer of the program git"))?;
    if is_too_large {
        return Ok(None);
    }
    Ok(Some(Output { stdout, status, message: message(&mut stderr) }))
}

/// The beginning of what was written to a file, on one line and without hidden characters.
pub(crate) fn message(stderr: &mut File) -> String {
    use std::io::{Seek, SeekFrom};
    let mut bytes = Vec::new();
    let read =
        stderr.seek(SeekFrom::Start(0)).and_then(|_| stderr.take(MAX_STDERR_BYTES).read_to_end(&mut bytes));
    match read {
        Ok(_) => text::visible(&String::from_utf8_lossy(&bytes).trim_end().replace('\n', "; ")),
        Err(_) => "its error message could not be read".to_owned(),
    }
}
