//! The program, run as a user would, with nothing of this machine's environment but `PATH`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use review::Families;
use review::packet::read;
use review::record::OWN_FAMILIES;
use review::verify::{Facts, ProofState, recompute};
use tempfile::TempDir;

/// How to run the program once.
pub(crate) struct Program {
    home: TempDir,
    environment: Vec<(String, String)>,
}

/// What it printed and how it ended.
pub(crate) struct Ran {
    /// The exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Program {
    /// With an empty home of its own.
    pub(crate) fn new() -> Self {
        Self { home: TempDir::new().expect("a folder"), environment: Vec::new() }
    }

    /// With one more environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Its home.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Writes the operator's configuration.
    pub(crate) fn config(self, text: &str) -> Self {
        let folder = self.home().join(".config/recuse");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("config.toml"), text).expect("written");
        self
    }

    /// Runs it in a folder.
    pub(crate) fn run(&self, folder: &Path, arguments: &[&str]) -> Ran {
        self.run_with_input(folder, arguments, b"")
    }

    /// Runs it in a folder, with this on standard input.
    pub(crate) fn run_with_input(&self, folder: &Path, arguments: &[&str], input: &[u8]) -> Ran {
        let mut child = Command::new(env!("CARGO_BIN_EXE_recuse"))
            .current_dir(folder)
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").expect("a PATH"))
            .env("HOME", self.home())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut stdin = child.stdin.take().expect("it is piped");
        let input = input.to_vec();
        // The program may end without reading all of it.
        let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, &input).is_ok());
        let output = child.wait_with_output().expect("it ends");
        writer.join().expect("the writer ends");
        Ran {
            code: output.status.code().expect("it was not killed"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

impl Ran {
    /// The packet that it printed. Whatever the test is about, all that can be recomputed in it has to hold.
    #[track_caller]
    pub(crate) fn packet(&self) -> serde_json::Value {
        static FAMILIES: LazyLock<Families> = LazyLock::new(Families::embedded);
        let read = read(self.stdout.as_bytes())
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr));
        let is_built_in = !read.packet.receipts.iter().any(|receipt| receipt.name == OWN_FAMILIES);
        let facts = Facts { families: is_built_in.then_some(&FAMILIES), same_version: true };
        for proof in recompute(&read.packet, facts) {
            let failed = proof.state == ProofState::Failed;
            assert!(!failed, "{}: {}\n{}", proof.name, proof.detail, self.stdout);
        }
        serde_json::from_str(&self.stdout).expect("it was read")
    }
}
