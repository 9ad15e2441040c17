//! The `git` program: where it is, and running it with an environment that holds only what is listed here.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Seek};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use review::text;

use crate::GitError;

/// At most this much of what git says on stderr is read.
const MAX_STDERR_BYTES: u64 = 4 * 1024;

/// A program that takes longer is ended. The slowest diff that was tried (a thousand files of 50 kB exchanged for a
/// thousand others, each compared with each for a move) took 15 seconds; worse can be made on purpose.
const PATIENCE: Duration = Duration::from_secs(300);

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
    /// Finds it by the `PATH` of this process.
    pub(crate) fn find() -> Result<Self, GitError> {
        Self::in_path(&env::var_os("PATH").unwrap_or_default())
    }

    fn in_path(path: &OsStr) -> Result<Self, GitError> {
        let directories: Vec<_> =
            env::split_paths(path).filter(|directory| directory.is_absolute()).collect();
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

/// What becomes of a program whose output was read.
#[derive(Debug, PartialEq, Eq)]
enum Finish {
    Wait,
    Kill,
}

/// Runs a command to its end, with at most `limit` bytes of output; `None` if there was more.
///
/// What it says on stderr goes to an unnamed file, so that neither pipe can fill up while the other is read.
pub(crate) fn run(command: &mut Command, limit: u64) -> Result<Option<Output>, GitError> {
    run_patiently(command, limit, PATIENCE)
}

fn run_patiently(command: &mut Command, limit: u64, patience: Duration) -> Result<Option<Output>, GitError> {
    let mut stderr = tempfile::tempfile().map_err(GitError::io("make a temporary file"))?;
    let child_stderr = stderr.try_clone().map_err(GitError::io("make a temporary file"))?;
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(child_stderr)
        .spawn()
        .map_err(GitError::io("run the program git"))?;
    let mut pipe = child.stdout.take().expect("stdout was asked to be a pipe").take(limit + 1);
    let (finish, finished) = mpsc::channel();
    let watch = thread::spawn(move || {
        let finish = finished.recv_timeout(patience);
        if finish != Ok(Finish::Wait) {
            // It may have ended by itself in the meantime, which is as good.
            let _ = child.kill();
        }
        (child.wait(), finish == Err(RecvTimeoutError::Timeout))
    });
    let mut stdout = Vec::new();
    let read = pipe.read_to_end(&mut stdout);
    let is_too_large = stdout.len() as u64 > limit;
    let wish = if is_too_large || read.is_err() { Finish::Kill } else { Finish::Wait };
    // The watch is gone only if it has ended the program already.
    let _ = finish.send(wish);
    let (status, is_late) = watch.join().expect("the watch does not panic");
    if is_late {
        return Err(GitError::TimedOut { seconds: patience.as_secs() });
    }
    read.map_err(GitError::io("read the answer of the program git"))?;
    let status = status.map_err(GitError::io("wait for the program git"))?;
    if is_too_large {
        return Ok(None);
    }
    Ok(Some(Output { stdout, status, message: message(&mut stderr) }))
}

/// The beginning of what was written to a file, on one line and without hidden characters.
pub(crate) fn message(stderr: &mut File) -> String {
    let mut bytes = Vec::new();
    let read = stderr.rewind().and_then(|()| stderr.take(MAX_STDERR_BYTES).read_to_end(&mut bytes));
    match read {
        Ok(_) => text::visible(&String::from_utf8_lossy(&bytes).trim_end().replace('\n', "; ")),
        Err(_) => "its error message could not be read".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_git_in_a_relative_directory_of_the_path_is_not_taken() {
        let here = env::current_dir().expect("tests run in a directory");
        let dir = tempfile::tempdir_in(&here).expect("the directory is writable");
        std::fs::write(dir.path().join("git"), "").expect("the directory is writable");
        let relative = dir.path().strip_prefix(&here).expect("it is in here");
        let paths = |paths: &[&std::path::Path]| env::join_paths(paths).expect("no colons in it");
        let lookup = |path: OsString| Program::in_path(&path);
        assert!(matches!(lookup(paths(&[relative, ".".as_ref(), "".as_ref()])), Err(GitError::NoProgram)));
        let found = lookup(paths(&[relative, dir.path()])).expect("an absolute directory has it");
        assert_eq!((found.file, found.path), (dir.path().join("git"), dir.path().as_os_str().to_owned()));
    }

    #[test]
    fn a_command_gets_no_variable_that_is_not_listed() {
        let program = Program::find().expect("git is installed");
        let command = program.command_without_config();
        let mut names: Vec<_> = command.get_envs().map(|(name, _)| name.to_string_lossy()).collect();
        names.sort();
        let expected = [
            "GIT_ALLOW_PROTOCOL",
            "GIT_ATTR_NOSYSTEM",
            "GIT_CONFIG_GLOBAL",
            "GIT_CONFIG_NOSYSTEM",
            "GIT_NO_LAZY_FETCH",
            "GIT_NO_REPLACE_OBJECTS",
            "GIT_OPTIONAL_LOCKS",
            "GIT_TERMINAL_PROMPT",
            "LC_ALL",
            "PATH",
        ];
        assert_eq!(names, expected);
        let mut echo = Command::new("env");
        echo.env_clear().env("ONLY", "1");
        let output = run(&mut echo, 1024).expect("env runs").expect("it is short");
        assert_eq!(output.stdout, b"ONLY=1\n");
    }

    #[test]
    fn an_answer_beyond_the_limit_is_none_and_its_program_ends() {
        let mut endless = Command::new("yes");
        assert!(run(&mut endless, 10_000).expect("yes runs").is_none());
        let mut exact = Command::new("printf");
        assert_eq!(run(exact.arg("12345"), 5).expect("it runs").map(|output| output.stdout.len()), Some(5));
        assert!(run(Command::new("printf").arg("12345"), 4).expect("it runs").is_none());
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended() {
        let mut slow = Command::new("sleep");
        let result = run_patiently(slow.arg("600"), 10, Duration::from_millis(20));
        assert!(matches!(result, Err(GitError::TimedOut { seconds: 0 })));
    }

    #[test]
    fn what_is_said_on_stderr_becomes_one_safe_line() {
        let mut command = Command::new("sh");
        command.args(["-c", "printf 'fatal: \\033[1mno\\nsecond\\n' >&2; exit 3"]);
        let output = run(&mut command, 10).expect("sh runs").expect("it is short");
        assert_eq!(output.message, "fatal: \\u{1b}[1mno; second");
        assert!(matches!(output.success("x"), Err(GitError::Failed { task: "x", .. })));
    }
}
