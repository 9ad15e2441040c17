//! `recuse serve` as a process of its own, that can be killed and started again.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::task::block_in_place;

use super::fake_github::{APP_ID, FakeGitHub, WEBHOOK_SECRET};

/// How long anything may take until a test gives up.
const PATIENCE: Duration = Duration::from_secs(90);

/// Where a server keeps what it has, over its deaths.
pub(crate) struct Home {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

/// A server that runs. It is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it receives deliveries.
    pub(crate) webhook: String,
    said: Arc<Mutex<String>>,
}

impl Home {
    /// A home with the operator's configuration, and the keys of the fake's App.
    pub(crate) fn new(fake: &FakeGitHub, config: &str) -> Self {
        let home = Self::without_app(fake, config);
        home.with("RECUSE_APP_ID", &APP_ID.to_string())
            .with("RECUSE_APP_PRIVATE_KEY", &fake.pem())
            .with("RECUSE_WEBHOOK_SECRET", WEBHOOK_SECRET)
    }

    /// A home where no App is registered.
    pub(crate) fn without_app(fake: &FakeGitHub, config: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join(".config/recuse/config.toml");
        std::fs::create_dir_all(file.parent().expect("it is inside")).expect("a folder");
        std::fs::write(file, config).expect("written");
        let environment = Vec::new();
        Self { folder, environment }
            .with("RECUSE_GITHUB_URL", &fake.api_url())
            .with("RECUSE_LISTEN", "127.0.0.1:0")
            .with("RECUSE_WRITE_INTERVAL_MS", "0")
    }

    /// With one more environment variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Its folder.
    pub(crate) fn path(&self) -> &std::path::Path {
        self.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_recuse"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").expect("a PATH"))
            .env("HOME", self.folder.path())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// Starts a server and waits until it listens.
    pub(crate) fn serve(&self, arguments: &[&str]) -> Server {
        let mut child =
            self.command(&[&["serve"], arguments].concat()).spawn().expect("the program can be started");
        let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let said = Arc::new(Mutex::new(String::new()));
        let (told, listening) = mpsc::channel();
        let heard = said.clone();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if let Some(url) = line.split_whitespace().find(|word| word.starts_with("http://127.0.0.1:"))
                {
                    // Nobody waits any more once it listens.
                    let _ = told.send(url.trim_end_matches([';', ')']).to_owned());
                }
                let mut said = heard.lock().expect("nobody panics while holding it");
                said.push_str(&line);
                said.push('\n');
            }
        });
        match block_in_place(|| listening.recv_timeout(PATIENCE)) {
            Ok(webhook) => Server { child, webhook, said },
            Err(_) => panic!("the server did not start: {}", said.lock().expect("a lock")),
        }
    }
}

impl Server {
    /// Kills it without a word.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// What it said on standard error so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().expect("nobody panics while holding it").clone()
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn terminate(mut self) -> std::process::ExitStatus {
        self.signal("TERM");
        self.child.wait().expect("it ends")
    }

    /// Sends it a signal: `STOP` lets it stand still, `CONT` go on.
    pub(crate) fn signal(&self, name: &str) {
        let (signal, pid) = (format!("-{name}"), self.child.id().to_string());
        assert!(Command::new("kill").args([&signal, &pid]).status().expect("kill runs").success());
    }

    /// What it answers to a GET, headers and all; nothing where it does not answer.
    pub(crate) fn get(&self, path: &str) -> String {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes())
    }

    /// What it answers to these bytes, until it closes the connection.
    pub(crate) fn send(&self, request: &[u8]) -> String {
        let mut answer = Vec::new();
        if let Ok(mut stream) = TcpStream::connect(self.address()) {
            // It may close before it has read everything, and what it said is still there to be read.
            let _ = stream.write_all(request);
            let _ = stream.read_to_end(&mut answer);
        }
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        self.webhook.trim_start_matches("http://").trim_end_matches("/webhook")
    }

    /// Whether no job waits or runs, in any process.
    pub(crate) fn is_idle(&self) -> bool {
        let metrics = self.get("/metrics");
        ["recuse_jobs_queued 0\n", "recuse_jobs_running 0\n"].iter().all(|line| metrics.contains(line))
    }

    /// Waits until something holds; what the server said otherwise.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, holds: impl Fn() -> bool) {
        self.until_within(PATIENCE, what, holds);
    }

    /// Waits so long until something holds; what the server said and has to do otherwise.
    #[track_caller]
    pub(crate) fn until_within(&self, patience: Duration, what: &str, holds: impl Fn() -> bool) {
        let begun = Instant::now();
        let wait = || {
            while !holds() {
                if begun.elapsed() > patience {
                    return false;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            true
        };
        // The fakes may be tasks of the thread that waits here.
        if !block_in_place(wait) {
            let metrics = self.get("/metrics");
            let jobs: Vec<&str> = metrics.lines().filter(|line| line.starts_with("recuse_jobs_")).collect();
            panic!("not {what} in time; {jobs:?}; the server said:\n{}", self.said());
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
