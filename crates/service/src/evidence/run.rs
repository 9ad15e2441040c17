//! Running a command: its output is passed through, its exit code kept, and how it went is recorded.
//!
//! Whatever becomes of the record, the command's own exit code stands. The command leads a process group of its own, to
//! which signals are passed on, so that what it started ends with it.

use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, IsTerminal as _, Read, Write};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use git::Repository;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

use super::log::{Log, redact};
use super::record::{Ended, RecordV1, SCHEMA, TreeV1, folder_of};

/// How long a command may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(5);

/// How long output is waited for that something which the command left behind could still write.
const LEFT_BEHIND: Duration = Duration::from_secs(2);

/// Values of the environment that are shorter are not looked for: they would be found anywhere.
const SHORTEST_SECRET: usize = 8;

/// What to run, and where its record goes.
pub struct RunRequest<'a> {
    /// What the run is called.
    pub name: &'a str,
    /// The program and its arguments; not empty.
    pub command: &'a [OsString],
    /// The most that it may take.
    pub limit: Option<Duration>,
    /// The folder in which it runs.
    pub here: &'a Path,
    /// Where the record goes; the repository's own folder where nobody says.
    pub folder: Option<&'a Path>,
    /// Values that are never written down.
    pub secrets: &'a [String],
    /// Seconds since 1970.
    pub now: i64,
    /// The version of recuse.
    pub version: &'a str,
}

/// Where the command's output is passed on to.
pub struct Sinks {
    /// Its standard output.
    pub stdout: Box<dyn Write + Send>,
    /// Its standard error.
    pub stderr: Box<dyn Write + Send>,
}

/// How it went.
#[derive(Debug)]
pub struct Ran {
    /// How it ended.
    pub ended: Ended,
    /// Why it could not be started, if it could not.
    pub problem: Option<String>,
    /// Where the record is, or why there is none.
    pub record: Result<PathBuf>,
}

/// Values of the environment that may be secret, by the names of the variables.
pub fn secret_values(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<String> {
    let is_secret = |name: &OsStr| {
        let name = name.to_string_lossy().to_uppercase();
        ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL"].iter().any(|word| name.contains(word))
    };
    let long_enough = |value: &String| value.len() >= SHORTEST_SECRET;
    let secret = variables.into_iter().filter(|(name, _)| is_secret(name));
    let mut values: Vec<String> =
        secret.map(|(_, value)| value.to_string_lossy().into_owned()).filter(long_enough).collect();
    // The longest first, so that none is cut by another that is in it.
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values
}

/// Runs a command to its end and records it.
///
/// # Errors
/// Signals cannot be listened to; nothing was run.
pub async fn run(request: &RunRequest<'_>, sinks: Sinks) -> Result<Ran> {
    let (place, tree) = match where_it_runs(request) {
        Ok((folder, tree)) => (Ok(folder), tree),
        Err(error) => (Err(error), None),
    };
    let started = Instant::now();
    let log = Arc::new(Mutex::new(Log::default()));
    let (ended, complete, problem) = match start(request.command, request.here) {
        Ok(child) => {
            let (ended, complete) = attend(child, request.limit, sinks, &log).await?;
            (ended, complete, None)
        }
        Err(error) => {
            let code = if error.kind() == ErrorKind::NotFound { 127 } else { 126 };
            (Ended::NotStarted { code }, true, Some(error.to_string()))
        }
    };
    let elapsed = started.elapsed();
    let (argv, in_argv) = argv(request.command, request.secrets);
    let (log, in_log) =
        log.lock().unwrap_or_else(PoisonError::into_inner).recorded(complete, request.secrets);
    let record = RecordV1 {
        schema: SCHEMA.to_owned(),
        version: request.version.to_owned(),
        name: request.name.to_owned(),
        argv,
        tree,
        started_at: request.now,
        elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        ended,
        log,
        redacted: (in_argv + in_log) as u64,
        digest: None,
    };
    Ok(Ran { ended, problem, record: place.and_then(|folder| record.sealed().write(&folder)) })
}

/// The record's folder, and the work tree as it is.
fn where_it_runs(request: &RunRequest<'_>) -> Result<(PathBuf, Option<TreeV1>)> {
    let named = request.folder.map(|folder| request.here.join(folder));
    let repository = match (Repository::open(request.here), &named) {
        (Ok(repository), _) => repository,
        (Err(_), Some(folder)) => return Ok((folder.clone(), None)),
        (Err(error), None) => {
            return Err(anyhow!(error).context("could not find a place for the record: give --evidence-dir"));
        }
    };
    let folder = named.unwrap_or_else(|| folder_of(&repository));
    let seen = repository.work_tree(request.here, &folder)?;
    let tree = TreeV1 {
        head: seen.head,
        tree: seen.tree,
        changed: seen.changed as u64,
        untracked: seen.untracked as u64,
        difference: seen.difference,
    };
    Ok((folder, Some(tree)))
}

/// The arguments as they are recorded. What follows a flag that names a secret is one.
fn argv(command: &[OsString], secrets: &[String]) -> (Vec<String>, usize) {
    let mut count = 0;
    let mut shown: Vec<String> = Vec::new();
    let mut follows_a_flag = false;
    for argument in command {
        let text = argument.to_string_lossy();
        let (mut redacted, found) = redact(&text, secrets);
        count += found;
        let flag = text.split_once('=').map_or(&*text, |(flag, _)| flag).to_lowercase();
        let names_a_secret = flag.starts_with('-')
            && ["password", "passwd", "token", "secret", "api-key", "apikey"]
                .iter()
                .any(|word| flag.ends_with(word));
        if follows_a_flag && !text.starts_with('-') {
            count += usize::from(found == 0);
            redacted = "[redacted:argument]".to_owned();
        } else if names_a_secret && let Some((name, _)) = redacted.split_once('=') {
            count += usize::from(found == 0);
            redacted = format!("{name}=[redacted:argument]");
        }
        follows_a_flag = names_a_secret && !text.contains('=');
        shown.push(redacted);
    }
    (shown, count)
}

fn start(command: &[OsString], here: &Path) -> std::io::Result<Child> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(std::io::Error::new(ErrorKind::NotFound, "no command was given"));
    };
    // In a group of its own it may not read from the terminal, which would stop it for ever.
    let stdin = if std::io::stdin().is_terminal() { Stdio::null() } else { Stdio::inherit() };
    Command::new(program)
        .args(arguments)
        .current_dir(here)
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
}

/// Passes output and signals on until the command has ended; tells whether the output was read to its end.
async fn attend(
    mut child: Child,
    limit: Option<Duration>,
    sinks: Sinks,
    log: &Arc<Mutex<Log>>,
) -> Result<(Ended, bool)> {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let send = |signal: Signal| {
        if let Some(group) = group {
            // It may have ended by itself in the meantime.
            let _ = kill_process_group(group, signal);
        }
    };
    let mut signals = signals()?;
    let copies = Copies::start(&mut child, sinks, log);
    let (exit, mut exited) = oneshot::channel();
    thread::spawn(move || exit.send(child.wait()).is_ok());
    let mut deadline = limit.map(|limit| Instant::now() + limit);
    let mut is_late = false;
    let status = loop {
        let late = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            status = &mut exited => break status,
            Some(signal) = signals.recv() => send(signal),
            () = late => {
                send(if is_late { Signal::KILL } else { Signal::TERM });
                deadline = (!is_late).then(|| Instant::now() + GRACE);
                is_late = true;
            }
        }
    };
    if is_late {
        // What the command started and did not end.
        send(Signal::KILL);
    }
    let status = status.map_err(|_| anyhow!("could not wait for the command"))??;
    let complete = copies.finish(log).await;
    let limit_ms = limit.map_or(0, |limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
    Ok((if is_late { Ended::TimedOut { limit_ms } } else { ended(status) }, complete))
}

fn ended(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Exited { code },
        (None, signal) => Ended::Signalled { signal: signal.unwrap_or_default() },
    }
}

/// The signals that end a program, as they come to this one.
fn signals() -> Result<mpsc::UnboundedReceiver<Signal>> {
    let (tell, told) = mpsc::unbounded_channel();
    let kinds = [
        (SignalKind::interrupt(), Signal::INT),
        (SignalKind::terminate(), Signal::TERM),
        (SignalKind::hangup(), Signal::HUP),
        (SignalKind::quit(), Signal::QUIT),
    ];
    for (kind, passed_on) in kinds {
        let mut stream = signal(kind)?;
        let tell = tell.clone();
        tokio::spawn(async move { while stream.recv().await.is_some() && tell.send(passed_on).is_ok() {} });
    }
    Ok(told)
}

/// The two threads that pass output on.
struct Copies {
    ended: mpsc::UnboundedReceiver<()>,
    /// How many of them are writing; a slow reader is waited for.
    writing: Arc<AtomicUsize>,
}

impl Copies {
    fn start(child: &mut Child, sinks: Sinks, log: &Arc<Mutex<Log>>) -> Self {
        let (tell, ended) = mpsc::unbounded_channel();
        let writing = Arc::new(AtomicUsize::new(0));
        let stdout: Box<dyn Read + Send> = Box::new(child.stdout.take().expect("it was asked to be piped"));
        let stderr: Box<dyn Read + Send> = Box::new(child.stderr.take().expect("it was asked to be piped"));
        for (pipe, sink) in [(stdout, sinks.stdout), (stderr, sinks.stderr)] {
            let (log, writing, tell) = (Arc::clone(log), Arc::clone(&writing), tell.clone());
            thread::spawn(move || {
                copy(pipe, sink, &log, &writing);
                // Nobody may be waiting any more.
                let _ = tell.send(());
            });
        }
        Self { ended, writing }
    }

    /// Waits until both have come to the end of the output, or until nothing has come for a while.
    async fn finish(mut self, log: &Mutex<Log>) -> bool {
        let bytes = || log.lock().unwrap_or_else(PoisonError::into_inner).bytes();
        let mut before = bytes();
        loop {
            match timeout(LEFT_BEHIND, self.ended.recv()).await {
                Ok(Some(())) => {}
                // The last sender is gone: both have ended.
                Ok(None) => return true,
                Err(_) => {
                    let now = bytes();
                    if now == before && self.writing.load(Ordering::SeqCst) == 0 {
                        return false;
                    }
                    before = now;
                }
            }
        }
    }
}

/// Copies until the end, or until nobody reads any more; the command then learns of that as it would without us.
fn copy(mut pipe: impl Read, mut sink: impl Write, log: &Mutex<Log>, writing: &AtomicUsize) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = match pipe.read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        writing.fetch_add(1, Ordering::SeqCst);
        log.lock().unwrap_or_else(PoisonError::into_inner).take(&buffer[..read]);
        let written = sink.write_all(&buffer[..read]).and_then(|()| sink.flush());
        writing.fetch_sub(1, Ordering::SeqCst);
        if written.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_stand_in_the_recorded_arguments() {
        let command: Vec<OsString> =
            ["deploy", "--token", "abc", "--password=hunter2", "-x", "swordfish-42", "--retry", "3"]
                .map(OsString::from)
                .into();
        let (shown, count) = argv(&command, &["swordfish-42".to_owned()]);
        let expected = [
            "deploy",
            "--token",
            "[redacted:argument]",
            "--password=[redacted:argument]",
            "-x",
            "[redacted:environment]",
            "--retry",
            "3",
        ];
        assert_eq!(shown, expected);
        assert!(count >= 3, "{count}");
    }

    #[test]
    fn secrets_of_the_environment_are_told_by_their_names() {
        let variable = |name: &str, value: &str| (OsString::from(name), OsString::from(value));
        let values = secret_values([
            variable("OPENAI_API_KEY", "sk-0123456789"),
            variable("npm_config_token", "0123456789abcdef"),
            variable("HOME", "/somewhere/long"),
            variable("SHORT_KEY", "1234567"),
        ]);
        assert_eq!(values, ["0123456789abcdef", "sk-0123456789"]);
    }
}
