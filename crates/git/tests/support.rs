//! A repository to try things on.

use std::cell::Cell;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use git::{RangeRequest, Repository};
use review::{Change, CommitId};
use tempfile::TempDir;

/// A repository in a temporary directory. Its commits are made by `Ann <ann@example.org>`, an hour apart.
pub(crate) struct Fixture {
    dir: TempDir,
    clock: Cell<u32>,
}

impl Fixture {
    /// An empty repository whose branch is `main`.
    pub(crate) fn new() -> Self {
        Self::init(&["-b", "main"])
    }

    /// An empty repository made with these options of `git init`.
    pub(crate) fn init(options: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        let fixture = Self { dir, clock: Cell::new(0) };
        fs::create_dir(fixture.path()).expect("the directory is new");
        fixture.git(["init", "--quiet"].iter().chain(options));
        fixture
    }

    /// The work tree.
    pub(crate) fn path(&self) -> PathBuf {
        self.outside("repository")
    }

    /// A path beside the work tree.
    pub(crate) fn outside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs git as its user would, but without configuration of this machine, and expects it to succeed.
    #[track_caller]
    pub(crate) fn git(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> String {
        let output = self.try_git(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Runs git, which may fail.
    pub(crate) fn try_git(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
        let time = format!("{} +0000", 1_700_000_000 + 3_600 * self.clock.get());
        let mut command = Command::new("git");
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .current_dir(self.path());
        command
            .env("HOME", self.dir.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "Ann")
                .env(format!("GIT_{role}_EMAIL"), "ann@example.org");
            command.env(format!("GIT_{role}_DATE"), &time);
        }
        command.args(arguments).output().expect("git is installed")
    }

    /// Writes a file of the work tree.
    pub(crate) fn write(&self, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("it is below the work tree"))
            .expect("a directory can be made");
        fs::write(path, bytes).expect("a file can be written");
    }

    /// Commits all that is in the work tree.
    #[track_caller]
    pub(crate) fn commit(&self, message: &str) -> CommitId {
        self.git(["add", "--all"]);
        self.commit_staged(message)
    }

    /// Commits what is staged.
    #[track_caller]
    pub(crate) fn commit_staged(&self, message: &str) -> CommitId {
        self.clock.set(self.clock.get() + 1);
        self.git([
            "commit",
            "--quiet",
            "--allow-empty",
            "--allow-empty-message",
            "--no-verify",
            "-m",
            message,
        ]);
        self.id("HEAD")
    }

    /// Writes a file with one line, and commits it.
    #[track_caller]
    pub(crate) fn commit_file(&self, path: &str, line: &str, message: &str) -> CommitId {
        self.write(path, format!("{line}\n"));
        self.commit(message)
    }

    /// The commit of a name, as git says it.
    #[track_caller]
    pub(crate) fn id(&self, name: &str) -> CommitId {
        CommitId::new(&self.git(["rev-parse", name])).expect("git prints ids")
    }

    pub(crate) fn open(&self) -> Repository {
        Repository::open(&self.path()).expect("it is a repository")
    }

    /// The change of a request.
    #[track_caller]
    pub(crate) fn gather(&self, request: &RangeRequest) -> Change {
        let repository = self.open();
        let range = repository.range(request).expect("the range exists");
        repository.gather(&range).expect("all objects are here")
    }
}

/// A request for a base and a head.
pub(crate) fn base_head(base: &str, head: &str) -> RangeRequest {
    RangeRequest::BaseHead { base: Some(base.to_owned()), head: Some(head.to_owned()) }
}

/// `path +added -removed` of each file, and the gaps.
pub(crate) fn summary(change: &Change) -> Vec<String> {
    let files = change.files.iter().map(|file| {
        let (added, removed) = file.line_counts();
        format!("{} +{added} -{removed}", file.path)
    });
    let gaps = change.gaps.iter().map(|gap| {
        let file = gap.file.as_ref().map(|file| format!(" {file}")).unwrap_or_default();
        format!("gap {:?}{file}", gap.kind)
    });
    files.chain(gaps).collect()
}
