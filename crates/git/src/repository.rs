//! Finding a repository, and asking it for names.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use review::CommitId;

use crate::GitError;
use crate::isolation::Isolation;
use crate::program::{self, Output, Program};

/// At most this much is read where names and ids are asked.
const MAX_ANSWER_BYTES: u64 = 1024 * 1024;

/// What the user may have set for git to find repositories, and to trust those of others. It is passed on to the
/// calls that find the repository and look at its work tree, and to no other.
const DISCOVERY_VARIABLES: [&str; 8] = [
    "HOME",
    "XDG_CONFIG_HOME",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "SUDO_UID",
];

/// A repository whose objects can be read.
#[derive(Debug)]
pub struct Repository {
    pub(crate) program: Program,
    pub(crate) isolation: Isolation,
    git_dir: PathBuf,
    index: PathBuf,
    pub(crate) is_shallow: bool,
    pub(crate) object_format: ObjectFormat,
    pub(crate) head: HeadName,
    /// What keeps it in the cache that it is from, until this is dropped.
    _kept: Option<File>,
}

/// How a repository names its objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ObjectFormat {
    Sha1,
    Sha256,
}

impl ObjectFormat {
    /// The id of the tree without entries, which git knows without having it.
    pub(crate) fn empty_tree(self) -> &'static str {
        match self {
            Self::Sha1 => "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
            Self::Sha256 => "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
        }
    }

    /// How many bytes an id has.
    pub(crate) fn id_bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

/// What `HEAD` is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HeadName {
    /// A branch, by its full name.
    Branch(String),
    /// A branch without a commit.
    Unborn,
    /// A commit.
    Detached,
}

impl Repository {
    /// Finds the repository that a directory is in.
    ///
    /// # Errors
    /// Where there is none, where it belongs to somebody else (and the user has not said that it is to be
    /// trusted), or where git is not installed.
    pub fn open(dir: &Path) -> Result<Self, GitError> {
        let program = Program::find()?;
        if !dir.is_dir() {
            return Err(GitError::NotARepository { dir: dir.to_owned() });
        }
        let mut command = program.command();
        command.current_dir(dir);
        discover_as_the_user(&mut command);
        let output = ask_where(&mut command)?;
        if output.message.contains("dubious ownership") {
            // git names the directory that counts, which can be above the one that was asked for.
            let advice = output.message.rsplit_once("--add safe.directory ").map(|(_, path)| path.trim());
            return Err(GitError::ForeignOwner { dir: advice.map_or(dir.to_owned(), PathBuf::from) });
        }
        if output.message.contains("not a git repository") {
            return Err(GitError::NotARepository { dir: dir.to_owned() });
        }
        Self::from_answer(program, output, None)
    }

    /// Opens a repository that we made ourselves, whatever the user's configuration says. `kept` is dropped with it.
    pub(crate) fn open_own(program: Program, git_dir: &Path, kept: File) -> Result<Self, GitError> {
        let mut command = program.command_without_config();
        command.current_dir(git_dir).env("GIT_DIR", git_dir);
        let output = ask_where(&mut command)?;
        Self::from_answer(program, output, Some(kept))
    }

    fn from_answer(program: Program, output: Output, kept: Option<File>) -> Result<Self, GitError> {
        // A branch without a commit is an error for git, after it has said all that was asked.
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines: Vec<_> = text.lines().collect();
        let &[git_dir, objects, index, shallow, object_format, is_shallow, head] = lines.as_slice() else {
            return Err(output.failure("rev-parse"));
        };
        let head = match (head, output.status.success()) {
            ("HEAD", true) => HeadName::Detached,
            (name, true) => HeadName::Branch(name.to_owned()),
            (_, false) => HeadName::Unborn,
        };
        let (format_name, object_format) = match object_format {
            "sha1" => ("sha1", ObjectFormat::Sha1),
            "sha256" => ("sha256", ObjectFormat::Sha256),
            _ => return Err(GitError::Unexpected { task: "rev-parse --show-object-format" }),
        };
        let git_dir = PathBuf::from(git_dir);
        let isolation = Isolation::new(Path::new(objects), format_name, Path::new(shallow))?;
        Ok(Self {
            program,
            isolation,
            index: index_of_hook(&git_dir, env::var_os("GIT_INDEX_FILE"))
                .unwrap_or_else(|| PathBuf::from(index)),
            git_dir,
            is_shallow: is_shallow == "true",
            object_format,
            head,
            _kept: kept,
        })
    }

    /// The current branch without `refs/heads/`; `None` where `HEAD` is a commit.
    pub(crate) fn branch(&self) -> Option<&str> {
        match &self.head {
            HeadName::Branch(name) => Some(name.strip_prefix("refs/heads/").unwrap_or(name)),
            HeadName::Unborn | HeadName::Detached => None,
        }
    }

    /// The repository's own folder, which no commit can write to.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// A git command in a directory of the work tree, with the configuration of the repository and of the user.
    pub(crate) fn command_in(&self, dir: &Path) -> Command {
        let mut command = self.program.command();
        command.current_dir(dir);
        discover_as_the_user(&mut command);
        command
    }

    /// A git command that reads objects, cut off from every configuration but ours.
    pub(crate) fn object_command(&self) -> Command {
        self.isolation.command(&self.program)
    }

    /// The same, with the repository's index.
    pub(crate) fn index_command(&self) -> Result<Command, GitError> {
        let link = || {
            // A split index keeps most of itself in files beside it, which git looks for in its directory.
            for entry in fs::read_dir(&self.git_dir)? {
                let entry = entry?;
                let target = self.isolation.path().join(entry.file_name());
                if entry.file_name().to_string_lossy().starts_with("sharedindex.") && !target.exists() {
                    fs::copy(entry.path(), target)?;
                }
            }
            Ok(())
        };
        link().map_err(GitError::io("read the index of the repository"))?;
        let mut command = self.object_command();
        command.env("GIT_INDEX_FILE", &self.index);
        Ok(command)
    }

    /// What each name names, as a commit; `None` for a name of nothing, or of no commit.
    ///
    /// Names go through a pipe, so that none can become an option; they are asked in one call.
    pub(crate) fn commits_named(&self, names: &[&str]) -> Result<Vec<Option<CommitId>>, GitError> {
        for name in names {
            if !may_be_a_revision(name) {
                return Err(GitError::BadName { name: (*name).to_owned() });
            }
        }
        let queries: String = names.iter().map(|name| format!("{name}^{{commit}}\n")).collect();
        let mut command = self.program.command_without_config();
        command.current_dir(&self.git_dir).env("GIT_DIR", &self.git_dir);
        command.args(["cat-file", "--batch-check=%(objectname)"]);
        let answer = ask(&mut command, queries.as_bytes(), "cat-file --batch-check")?;
        let ids: Vec<_> = answer.lines().map(CommitId::new).collect();
        if ids.len() == names.len() { Ok(ids) } else { Err(GitError::Unexpected { task: "cat-file" }) }
    }
}

/// Passes on what the user set for git to find repositories by.
fn discover_as_the_user(command: &mut Command) {
    for variable in DISCOVERY_VARIABLES {
        if let Some(value) = env::var_os(variable) {
            command.env(variable, value);
        }
    }
}

/// Asks a repository for its folders and its head.
fn ask_where(command: &mut Command) -> Result<Output, GitError> {
    command.args(["rev-parse", "--path-format=absolute"]);
    command.args(["--git-dir", "--git-path", "objects", "--git-path", "index", "--git-path", "shallow"]);
    command.args(["--show-object-format", "--is-shallow-repository", "--symbolic-full-name", "HEAD"]);
    program::run(command, MAX_ANSWER_BYTES)?.ok_or(GitError::Unexpected { task: "rev-parse" })
}

/// Runs a command that reads lines of names and answers a line to each.
fn ask(command: &mut Command, queries: &[u8], task: &'static str) -> Result<String, GitError> {
    // A file instead of a pipe: nothing has to be written while the answer is read.
    let mut stdin = tempfile::tempfile().map_err(GitError::io("make a temporary file"))?;
    let written = stdin.write_all(queries).and_then(|()| std::io::Seek::rewind(&mut stdin));
    written.map_err(GitError::io("write a temporary file"))?;
    let output = program::run(command.stdin(Stdio::from(stdin)), MAX_ANSWER_BYTES)?;
    let stdout = output.ok_or(GitError::Unexpected { task })?.success(task)?;
    Ok(String::from_utf8_lossy(&stdout).into_owned())
}

/// Whether a name can go on a line of its own to git, and is no option.
fn may_be_a_revision(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('-') && !name.chars().any(char::is_control)
}

/// The index that git prepared for the hook that we run in (`git commit FILE` has one of its own).
///
/// It counts only if it lies in the directory of the repository that was opened.
fn index_of_hook(git_dir: &Path, variable: Option<OsString>) -> Option<PathBuf> {
    let index = std::path::absolute(variable?).ok()?;
    (fs::canonicalize(index.parent()?).ok()? == fs::canonicalize(git_dir).ok()?).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_of_a_hook_counts_for_its_own_repository_only() {
        let (ours, other) = (tempfile::tempdir().expect("writable"), tempfile::tempdir().expect("writable"));
        let index = ours.path().join("next-index-1.lock");
        assert_eq!(index_of_hook(ours.path(), Some(index.clone().into())), Some(index.clone()));
        assert_eq!(index_of_hook(other.path(), Some(index.into())), None);
        assert_eq!(index_of_hook(ours.path(), None), None);
        assert_eq!(index_of_hook(ours.path(), Some("".into())), None);
    }

    #[test]
    fn what_could_be_an_option_or_a_second_line_is_no_name() {
        for name in ["", "-x", "--upload-pack=x", "a\nb", "a\0b", "\u{1b}"] {
            assert!(!may_be_a_revision(name), "{name:?}");
        }
        for name in ["HEAD", "feature/x", "HEAD~2", "v1.0^{commit}", "@{u}", "$(touch x)", "a b;c"] {
            assert!(may_be_a_revision(name), "{name:?}");
        }
    }
}
