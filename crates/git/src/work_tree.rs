//! What stands in the work tree: whose head it is, and how far it is from it.
//!
//! This is asked for somebody who runs a command of their own there, so that git may use the repository's configuration
//! (it has to know what is ignored, and how lines end). Hooks and file monitors stay off, and nothing is written.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use review::digest::Digesting;
use review::{CommitId, Digest};

use crate::program;
use crate::repository::Repository;
use crate::{GitError, blobs::BlobReader, blobs::Revision};

/// At most this much is read of the list of files that differ.
const MAX_STATUS_BYTES: u64 = 64 * 1024 * 1024;

/// Of more files that differ no digest is made.
const MOST_DIGESTED_FILES: usize = 10_000;

/// Of more bytes that differ no digest is made.
const MOST_DIGESTED_BYTES: u64 = 512 * 1024 * 1024;

/// A work tree at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkTree {
    /// Its folder.
    pub root: PathBuf,
    /// The commit that it was checked out from; `None` before the first one.
    pub head: Option<CommitId>,
    /// The id of that commit's tree.
    pub tree: Option<String>,
    /// How many tracked files are not as in that commit.
    pub changed: usize,
    /// How many files are neither tracked nor ignored.
    pub untracked: usize,
    /// A digest of those files' names and contents; `None` where there are none, or too many to read.
    pub difference: Option<Digest>,
}

impl Repository {
    /// The commit that `HEAD` names; `None` before the first one.
    ///
    /// # Errors
    /// Where git fails.
    pub fn head_commit(&self) -> Result<Option<CommitId>, GitError> {
        Ok(self.commits_named(&["HEAD"])?.remove(0))
    }

    /// The work tree's folder that a directory is in.
    ///
    /// # Errors
    /// Where there is none, as in a bare repository.
    pub fn work_tree_root(&self, dir: &Path) -> Result<PathBuf, GitError> {
        let mut command = self.command_in(dir);
        command.args(["rev-parse", "--path-format=absolute", "--show-toplevel"]);
        let output = program::run(&mut command, MAX_STATUS_BYTES)?;
        let mut bytes = output.ok_or(GitError::Unexpected { task: "rev-parse" })?.success("rev-parse")?;
        bytes.pop_if(|last| *last == b'\n');
        Ok(PathBuf::from(std::ffi::OsStr::from_bytes(&bytes)))
    }

    /// Looks at the work tree that a directory is in. Untracked files in the folder `except` are passed over.
    ///
    /// # Errors
    /// Where there is no work tree, or git fails.
    pub fn work_tree(&self, dir: &Path, except: &Path) -> Result<WorkTree, GitError> {
        let root = self.work_tree_root(dir)?;
        let head = self.head_commit()?;
        let tree = match &head {
            Some(head) => Some(BlobReader::new(self, Revision::Empty, Revision::Empty)?.root(head)?),
            None => None,
        };
        let mut command = self.command_in(dir);
        command.args(["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"]);
        let output = program::run(&mut command, MAX_STATUS_BYTES)?;
        let remedy = "commit or ignore what differs";
        let too_large =
            GitError::TooLarge { what: "the list of changed files", limit: MAX_STATUS_BYTES, remedy };
        let bytes = output.ok_or(too_large)?.success("status")?;
        let entries: Vec<(&[u8], PathBuf)> = bytes
            .split(|byte| *byte == 0)
            .filter_map(|entry| {
                Some((entry.get(..2)?, root.join(std::ffi::OsStr::from_bytes(entry.get(3..)?))))
            })
            .filter(|(state, path)| *state != UNTRACKED || !path.starts_with(except))
            .collect();
        let untracked = entries.iter().filter(|(state, _)| *state == UNTRACKED).count();
        Ok(WorkTree {
            head,
            tree,
            changed: entries.len() - untracked,
            untracked,
            difference: if entries.is_empty() { None } else { difference(&root, &entries) },
            root,
        })
    }
}

/// How `git status` marks a file that is not tracked.
const UNTRACKED: &[u8] = b"??";

/// Digests states, names and contents, each with its length before it.
fn difference(root: &Path, entries: &[(&[u8], PathBuf)]) -> Option<Digest> {
    if entries.len() > MOST_DIGESTED_FILES {
        return None;
    }
    let mut room = MOST_DIGESTED_BYTES;
    let mut digest = Digesting::default();
    let mut part = |bytes: &[u8]| {
        digest.update(&(bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    };
    for (state, path) in entries {
        let name = path.strip_prefix(root).unwrap_or(path).as_os_str().as_bytes();
        part(state);
        part(name);
        part(content(path, &mut room)?.as_bytes());
    }
    Some(digest.finish())
}

/// What stands at a path, as a word; `None` where there is no room left to read it.
fn content(path: &Path, room: &mut u64) -> Option<String> {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Some("absent".to_owned()) };
    if metadata.is_symlink() {
        let target = fs::read_link(path).unwrap_or_default();
        return Some(format!("link {}", Digest::of(target.as_os_str().as_bytes())));
    }
    if !metadata.is_file() {
        return Some("no file".to_owned());
    }
    *room = room.checked_sub(metadata.len())?;
    let Ok(mut file) = File::open(path) else { return Some("unreadable".to_owned()) };
    let mut digest = Digesting::default();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Some(format!("file {}", digest.finish())),
            Ok(read) => digest.update(&buffer[..read]),
            Err(_) => return Some("unreadable".to_owned()),
        }
    }
}
