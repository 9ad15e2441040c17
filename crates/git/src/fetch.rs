//! Fetching: what git is told, and how it is watched while it does it.
//!
//! The commits come without history, tags, submodules and checkout. git gets no configuration but ours, may speak one
//! protocol, follows no redirect, and checks all objects. The credential goes to it through its environment alone, never
//! through its arguments, an address or the disk.

use std::env;
use std::fs::{self, File};
use std::io::{Read, Seek};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use review::CommitId;
use rustix::process::{Pid, Signal, kill_process_group};
use secrecy::{ExposeSecret, SecretString};

use crate::GitError;
use crate::cache::{LOOK_EVERY, bytes_in};
use crate::error::FetchFailure;
use crate::program::{self, Program};

/// Where wanted commits are kept, so that they are known to be complete, and that later fetches can build on them.
const OUR_REFERENCES: &str = "refs/recuse/";

/// More than this is not read of a list of references, and not written by git about its progress.
const MAX_TALK_BYTES: u64 = 1024 * 1024;

/// More memory than this git does not get. It holds the list of a server's references, and files that are not large
/// ([`CONFIGURATION`]); a kernel with all that is in its tree needs a tenth.
#[cfg(target_os = "linux")]
const MAX_MEMORY_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// What an operator may have set for git to find its way to https servers. There is none for http: such a server is near,
/// and its traffic is not for others to read.
const HTTPS_VARIABLES: [&str; 8] = [
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
];

/// All that a fetch is configured with. Flaws of old objects that harm nobody who does not check them out are let
/// through: whole histories have them.
const CONFIGURATION: [(&str, &str); 24] = [
    ("http.followRedirects", "false"),
    // A server that sends less than this many bytes a second for this many seconds is given up.
    ("http.lowSpeedLimit", "1000"),
    ("http.lowSpeedTime", "30"),
    ("credential.helper", ""),
    ("core.askPass", ""),
    ("protocol.version", "2"),
    ("transfer.credentialsInUrl", "die"),
    ("transfer.bundleURI", "false"),
    ("transfer.fsckObjects", "true"),
    ("fetch.fsckObjects", "true"),
    ("fetch.fsck.zeroPaddedFilemode", "ignore"),
    ("fetch.fsck.badTimezone", "ignore"),
    ("fetch.fsck.missingEmail", "ignore"),
    ("fetch.fsck.missingSpaceBeforeDate", "ignore"),
    ("fetch.fsck.missingSpaceBeforeEmail", "ignore"),
    // One pack a fetch, never thousands of files.
    ("fetch.unpackLimit", "1"),
    ("transfer.unpackLimit", "1"),
    ("fetch.recurseSubmodules", "false"),
    ("fetch.writeCommitGraph", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    // Larger files pass through instead of being held in memory.
    ("core.bigFileThreshold", "4m"),
    ("pack.threads", "1"),
    ("core.logAllRefUpdates", "false"),
];

/// A repository on a server.
#[derive(Debug, Clone)]
pub struct Remote {
    /// Its address, without a user or password: `https://github.com/acme/shop.git`.
    pub url: String,
    /// The value of the header `Authorization` that is sent there, and nowhere else.
    pub authorization: Option<SecretString>,
    /// Which addresses may be.
    pub allow: Transport,
}

/// How a server may be spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// By https only.
    Https,
    /// By http too, because the operator configured this server so.
    HttpOrHttps,
}

/// How much a fetch may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchLimits {
    /// So many bytes may be added to the cache. It is looked at often, not at every byte.
    pub bytes: u64,
    /// So long it may take, with waiting for others who fetch from the same remote.
    pub patience: Duration,
}

/// One fetch.
pub(crate) struct Job<'a> {
    program: &'a Program,
    remote: &'a Remote,
    scheme: &'static str,
    wanted: &'a [CommitId],
    references: &'a [&'a str],
    limits: &'a FetchLimits,
    deadline: Instant,
}

impl<'a> Job<'a> {
    /// Checks all that git will be told.
    pub(crate) fn new(
        program: &'a Program,
        remote: &'a Remote,
        wanted: &'a [CommitId],
        references: &'a [&'a str],
        limits: &'a FetchLimits,
    ) -> Result<Self, GitError> {
        let scheme = scheme_of(remote)?;
        let is_header = |value: &SecretString| !value.expose_secret().chars().any(char::is_control);
        if !remote.authorization.as_ref().is_none_or(is_header) {
            return Err(GitError::BadRemote { why: "whose authorization is no value of a header" });
        }
        if let Some(name) = references.iter().find(|name| !may_be_fetched(name)) {
            return Err(GitError::BadName { name: (*name).to_owned() });
        }
        let deadline = Instant::now() + limits.patience;
        Ok(Self { program, remote, scheme, wanted, references, limits, deadline })
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// How the remote names its objects, by the length of the ids that are wanted of it.
    pub(crate) fn object_format(&self) -> &'static str {
        if self.wanted.first().is_some_and(|id| id.as_str().len() == 64) { "sha256" } else { "sha1" }
    }

    pub(crate) fn timed_out(&self) -> GitError {
        self.failed(FetchFailure::TimedOut { seconds: self.limits.patience.as_secs() })
    }

    /// Fetches what is not here. `lock` is held by git too, so that it outlives this process if git does.
    pub(crate) fn run(&self, git_dir: &Path, lock: &File) -> Result<(), GitError> {
        let mut specs: Vec<String> = self
            .wanted
            .iter()
            .filter(|id| !is_here(git_dir, id))
            .map(|id| format!("{id}:{OUR_REFERENCES}{id}"))
            .collect();
        for (name, id) in self.references.iter().zip(self.ids_there(git_dir, lock)?) {
            match id {
                Some(id) if id_of(git_dir, name).as_ref() == Some(&id) => {}
                Some(_) => specs.push(format!("+{name}:{name}")),
                None => forget(git_dir, name)?,
            }
        }
        if !specs.is_empty() {
            let mut command = self.command(git_dir, lock)?;
            command.args(["fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules"]);
            command.args(["--no-auto-maintenance", "--no-write-fetch-head", "--no-write-commit-graph"]);
            command.arg("--").arg(&self.remote.url).args(specs);
            self.watch(&mut command, git_dir)?;
        }
        match self.wanted.iter().find(|id| !is_here(git_dir, id)) {
            Some(_) => Err(GitError::Unexpected { task: "fetch" }),
            None => Ok(()),
        }
    }

    /// What the wanted references are on the server.
    fn ids_there(&self, git_dir: &Path, lock: &File) -> Result<Vec<Option<CommitId>>, GitError> {
        if self.references.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = self.command(git_dir, lock)?;
        command.args(["ls-remote", "--quiet", "--", &self.remote.url]).args(self.references);
        let answer = self.watch(&mut command, git_dir)?;
        let id_of = |name: &&str| {
            let mut lines = answer.lines().filter_map(|line| line.split_once('\t'));
            // The server may list references whose names only end so.
            lines.find(|(_, other)| other == name).and_then(|(id, _)| CommitId::new(id))
        };
        Ok(self.references.iter().map(id_of).collect())
    }

    fn command(&self, git_dir: &Path, lock: &File) -> Result<Command, GitError> {
        let lock = lock.try_clone().map_err(GitError::io("lock a repository of the cache"))?;
        let mut command = self.program.command_without_config();
        command
            .current_dir(git_dir)
            .env("GIT_DIR", git_dir)
            .env("GIT_ALLOW_PROTOCOL", self.scheme)
            .stdin(Stdio::from(lock))
            .process_group(0);
        if self.scheme == "https" {
            let variables =
                HTTPS_VARIABLES.iter().filter_map(|name| env::var_os(name).map(|value| (name, value)));
            command.envs(variables);
        }
        let header = self.remote.authorization.as_ref().map(|authorization| {
            let key = format!("http.{}.extraHeader", self.remote.url);
            (key, format!("Authorization: {}", authorization.expose_secret()))
        });
        let pairs =
            CONFIGURATION.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).chain(header);
        let mut count = 0;
        for (key, value) in pairs {
            command.env(format!("GIT_CONFIG_KEY_{count}"), key);
            command.env(format!("GIT_CONFIG_VALUE_{count}"), value);
            count += 1;
        }
        command.env("GIT_CONFIG_COUNT", count.to_string());
        Ok(command)
    }

    /// Runs a command to its end, or ends it with all that it started when it has taken too much; gives what it printed.
    fn watch(&self, command: &mut Command, git_dir: &Path) -> Result<String, GitError> {
        let temporary = || tempfile::tempfile().map_err(GitError::io("make a temporary file"));
        let (mut stdout, mut stderr) = (temporary()?, temporary()?);
        let clone = |file: &File| file.try_clone().map_err(GitError::io("make a temporary file"));
        let before = bytes_in(git_dir).map_err(GitError::io("measure a repository of the cache"))?;
        let child = command.stdout(clone(&stdout)?).stderr(clone(&stderr)?).spawn();
        let mut child = Running(child.map_err(GitError::io("run the program git"))?);
        child.limit(self.limits.bytes);
        let status = loop {
            if let Some(status) = child.0.try_wait().map_err(GitError::io("wait for the program git"))? {
                break status;
            }
            if Instant::now() >= self.deadline {
                return Err(self.timed_out());
            }
            self.check_size(git_dir, before, &[&stdout, &stderr])?;
            thread::sleep(LOOK_EVERY);
        };
        self.check_size(git_dir, before, &[&stdout, &stderr])?;
        if !status.success() {
            return Err(self.refused(status, &mut stderr));
        }
        let mut answer = Vec::new();
        let read = stdout.rewind().and_then(|()| stdout.take(MAX_TALK_BYTES).read_to_end(&mut answer));
        read.map_err(GitError::io("read the answer of the program git"))?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    fn check_size(&self, git_dir: &Path, before: u64, talk: &[&File]) -> Result<(), GitError> {
        let measure = || {
            let talked = talk.iter().map(|file| Ok(file.metadata()?.len()));
            let talked = talked.sum::<std::io::Result<u64>>()?;
            Ok((bytes_in(git_dir)?.saturating_sub(before), talked))
        };
        let (fetched, talked) = measure().map_err(GitError::io("measure what is being fetched"))?;
        if fetched > self.limits.bytes {
            return Err(self.failed(FetchFailure::TooLarge { bytes: self.limits.bytes }));
        }
        if talked > MAX_TALK_BYTES {
            return Err(self.failed(FetchFailure::TooLarge { bytes: MAX_TALK_BYTES }));
        }
        Ok(())
    }

    fn refused(&self, status: ExitStatus, stderr: &mut File) -> GitError {
        let said = program::message(stderr);
        // What the server says through git could hold anything, also what it was sent.
        let lines = said.split("; ").filter(|line| !line.starts_with("remote:"));
        let mut message = lines.collect::<Vec<_>>().join("; ");
        if let Some(authorization) = &self.remote.authorization {
            let secret = authorization.expose_secret();
            for part in std::iter::once(secret)
                .chain(secret.split_whitespace().skip(1))
                .filter(|part| !part.is_empty())
            {
                message = message.replace(part, "…");
            }
        }
        self.failed(FetchFailure::Failed { status, message })
    }

    fn failed(&self, failure: FetchFailure) -> GitError {
        let ids = self.wanted.iter().map(CommitId::short);
        let what = ids.chain(self.references.iter().copied()).collect::<Vec<_>>().join(", ");
        GitError::Fetch { what, url: self.remote.url.clone(), failure }
    }
}

/// A git that is ended, with all that it started, if nobody waited for its end.
struct Running(Child);

impl Running {
    fn group(&self) -> Option<Pid> {
        i32::try_from(self.0.id()).ok().and_then(Pid::from_raw)
    }

    /// Bounds its memory, and its files to twice the limit, also if this process is killed and nobody looks any more.
    #[cfg(target_os = "linux")]
    fn limit(&self, file_bytes: u64) {
        use rustix::process::{Resource, Rlimit, prlimit};
        let file_bytes = file_bytes.saturating_mul(2).max(MAX_TALK_BYTES);
        for (resource, most) in [(Resource::Fsize, file_bytes), (Resource::Data, MAX_MEMORY_BYTES)] {
            // It fails where git has ended already.
            let _ = prlimit(self.group(), resource, Rlimit { current: Some(most), maximum: Some(most) });
        }
    }

    /// Other systems cannot limit a process that runs.
    #[cfg(not(target_os = "linux"))]
    fn limit(&self, _file_bytes: u64) {}
}

impl Drop for Running {
    fn drop(&mut self) {
        if let (Ok(None), Some(group)) = (self.0.try_wait(), self.group()) {
            // It may have ended by itself in the meantime, which is as good.
            let _ = kill_process_group(group, Signal::KILL);
            let _ = self.0.wait();
        }
    }
}

/// The scheme of an address that may be fetched from.
fn scheme_of(remote: &Remote) -> Result<&'static str, GitError> {
    let bad = |why| Err(GitError::BadRemote { why });
    let url = remote.url.as_str();
    let (scheme, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://"), remote.allow) {
        (Some(rest), _, Transport::Https | Transport::HttpOrHttps) => ("https", rest),
        (None, Some(rest), Transport::HttpOrHttps) => ("http", rest),
        (None, Some(_), Transport::Https) => return bad("by http, which the operator has not allowed"),
        (None, None, Transport::Https | Transport::HttpOrHttps) => {
            return bad("that is not at an https address");
        }
    };
    let host = rest.split('/').next().unwrap_or_default();
    if host.contains('@') {
        return bad("whose address holds a user or a password");
    }
    if host.is_empty()
        || !rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>\\^`{|}?#".contains(&byte))
    {
        return bad("whose address is not one of a repository");
    }
    Ok(scheme)
}

/// Whether a name is a reference of somebody else, in letters that have no other meaning.
fn may_be_fetched(name: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    name.strip_prefix("refs/").is_some_and(|rest| rest.split('/').all(is_part) && rest.contains('/'))
        && !name.starts_with(OUR_REFERENCES)
        && !name.contains("..")
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte))
}

/// Whether a commit is here with all that belongs to it: its reference is written last.
fn is_here(git_dir: &Path, id: &CommitId) -> bool {
    id_of(git_dir, &format!("{OUR_REFERENCES}{id}")).as_ref() == Some(id)
}

/// The commit of a reference that was fetched. References are files here, since nothing ever packs them.
fn id_of(git_dir: &Path, name: &str) -> Option<CommitId> {
    CommitId::new(fs::read_to_string(git_dir.join(name)).ok()?.trim_end())
}

/// Removes a reference that is gone on the server.
fn forget(git_dir: &Path, name: &str) -> Result<(), GitError> {
    match fs::remove_file(git_dir.join(name)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(GitError::io("remove a reference that is gone on the server")(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_credential_is_in_the_environment_alone_and_no_variable_is_there_by_chance() {
        let program = Program::find().expect("git is installed");
        let authorization = Some(SecretString::from("Bearer hunter2"));
        let remote = |url: &str| Remote {
            url: url.to_owned(),
            authorization: authorization.clone(),
            allow: Transport::HttpOrHttps,
        };
        let limits = FetchLimits { bytes: 1, patience: Duration::from_secs(1) };
        let dir = tempfile::tempdir().expect("writable");
        for url in ["http://host/a.git", "https://host/a.git"] {
            let remote = remote(url);
            let job = Job::new(&program, &remote, &[], &[], &limits).expect("it may be fetched from");
            let command =
                job.command(dir.path(), &tempfile::tempfile().expect("writable")).expect("it is made");
            assert!(command.get_args().all(|argument| !argument.to_string_lossy().contains("hunter2")));
            let of = |name: &str| {
                let mut all = command.get_envs();
                let value = all.find(|(other, _)| *other == name).and_then(|(_, value)| value);
                value.expect("it is set").to_string_lossy().into_owned()
            };
            let last = CONFIGURATION.len();
            assert_eq!(of("GIT_CONFIG_COUNT"), (last + 1).to_string());
            assert_eq!(of(&format!("GIT_CONFIG_KEY_{last}")), format!("http.{url}.extraHeader"));
            assert_eq!(of(&format!("GIT_CONFIG_VALUE_{last}")), "Authorization: Bearer hunter2");
            let (scheme, _) = url.split_once(':').expect("it has a scheme");
            assert_eq!(of("GIT_ALLOW_PROTOCOL"), scheme);
            assert_eq!(
                (of("GIT_CONFIG_GLOBAL").as_str(), of("GIT_CONFIG_NOSYSTEM").as_str()),
                ("/dev/null", "1")
            );
            let holders = command
                .get_envs()
                .filter(|(_, value)| value.is_some_and(|value| value.to_string_lossy().contains("hunter2")));
            assert_eq!(holders.count(), 1);
        }
    }

    #[test]
    fn git_is_bounded_by_the_kernel_and_ended_with_all_that_it_started() {
        let mut command = Command::new("sh");
        // A child that holds the other end of a pipe open for as long as it lives.
        command.args(["-c", "sleep 600 & echo started; wait"]).process_group(0).stdout(Stdio::piped());
        let mut running = Running(command.spawn().expect("sh runs"));
        let mut stdout = std::io::BufReader::new(running.0.stdout.take().expect("it is a pipe"));
        let mut line = String::new();
        std::io::BufRead::read_line(&mut stdout, &mut line).expect("it says so");
        running.limit(5_000_000);
        if cfg!(target_os = "linux") {
            let limits = fs::read_to_string(format!("/proc/{}/limits", running.0.id())).expect("it runs");
            let of = |name: &str| limits.lines().find(|line| line.starts_with(name)).map(str::to_owned);
            assert!(of("Max file size").is_some_and(|line| line.contains("10000000")), "{limits}");
            assert!(of("Max data size").is_some_and(|line| line.contains("2147483648")), "{limits}");
        }
        drop(running);
        // The pipe ends only when the child has, too.
        assert_eq!(stdout.read_to_end(&mut Vec::new()).expect("it can be read"), 0);
    }
}
