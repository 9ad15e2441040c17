//! A bare repository of our own that lends another one's objects, and nothing else of it.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::GitError;
use crate::program::Program;

/// Makes an empty directory what git takes for a bare repository, once it has a directory `objects` too. The last thing
/// that is written is `HEAD`.
pub(crate) fn make_bare(dir: &Path, object_format: &str) -> io::Result<()> {
    fs::create_dir(dir.join("refs"))?;
    let format = match object_format {
        "sha1" => "\trepositoryformatversion = 0\n".to_owned(),
        other => format!("\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = {other}\n[core]\n"),
    };
    fs::write(dir.join("config"), format!("[core]\n{format}\tbare = true\n"))?;
    // A head without a commit, so that no tree can lend its attributes.
    fs::write(dir.join("HEAD"), "ref: refs/heads/none\n")
}

/// A temporary directory that git takes for a repository. It is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Isolation {
    dir: TempDir,
    objects: std::path::PathBuf,
}

impl Isolation {
    /// Lends the objects of a directory. `shallow` is the repository's list of commits without parents.
    pub(crate) fn new(objects: &Path, object_format: &str, shallow: &Path) -> Result<Self, GitError> {
        let make = || {
            let dir = tempfile::Builder::new().prefix("recuse-git-").tempdir()?;
            make_bare(dir.path(), object_format)?;
            match fs::copy(shallow, dir.path().join("shallow")) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                copied => drop(copied?),
            }
            Ok(Self { dir, objects: objects.to_owned() })
        };
        make().map_err(GitError::io("make a temporary directory for git"))
    }

    /// A git command that sees these objects and no configuration but ours.
    pub(crate) fn command(&self, program: &Program) -> Command {
        let mut command = program.command_without_config();
        command
            .current_dir(self.dir.path())
            .env("GIT_DIR", self.dir.path())
            .env("GIT_OBJECT_DIRECTORY", &self.objects);
        command
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }
}
