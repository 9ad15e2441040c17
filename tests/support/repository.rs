//! Real git repositories in temporary folders.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A repository with a `main` branch; its folder is removed in the end.
pub(crate) struct TestRepository {
    folder: TempDir,
}

impl TestRepository {
    /// A repository whose `main` holds these files, and which stands on the branch `topic`.
    pub(crate) fn with_main(files: &[(&str, &str)]) -> Self {
        let repository = Self { folder: TempDir::new().expect("a folder") };
        repository.git(&["init", "-q", "-b", "main"]);
        repository.commit("Begin", files);
        repository.git(&["checkout", "-q", "-b", "topic"]);
        repository
    }

    /// Its folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes files and commits all that changed.
    pub(crate) fn commit(&self, message: &str, files: &[(&str, &str)]) {
        for (name, text) in files {
            self.write(name, text);
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
    }

    /// Writes a file of the work tree.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it is inside")).expect("a folder");
        std::fs::write(&path, text).expect("written");
        path
    }

    /// Runs git, which has to succeed, and gives what it printed.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(self.path())
            .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"])
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_DATE", "2026-11-01T12:00:00Z")
            .env("GIT_COMMITTER_DATE", "2026-11-01T12:00:00Z")
            .output()
            .expect("git runs");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
