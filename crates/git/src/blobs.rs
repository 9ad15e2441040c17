//! Whole files at a commit or in the index, through one `cat-file --batch` process.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use review::change::Operation;
use review::{Change, CommitId, FileChange, RepoPath};

use crate::GitError;
use crate::program;
use crate::repository::Repository;
use crate::trees::{Entry, Tree};

/// Larger files are not read: no reviewer could be shown one. It is also the size up to which GitHub's contents API
/// returns a file's text.
pub const MAX_BLOB_BYTES: u64 = 1024 * 1024;

/// Larger trees are not read: that is some 500,000 entries in one directory.
const MAX_TREE_BYTES: u64 = 32 * 1024 * 1024;

/// The list of the index; 100,000 files take about 10 MB.
const MAX_INDEX_BYTES: u64 = 256 * 1024 * 1024;

/// A state of all files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revision {
    /// No file at all: what is before a first commit.
    Empty,
    /// The files of a commit.
    Commit(CommitId),
    /// What is staged.
    Index,
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileAt {
    /// A file, with its bytes.
    Bytes(Vec<u8>),
    /// Nothing.
    Absent,
    /// A symbolic link, a directory or a submodule. Links are not followed.
    NotAFile,
    /// A file larger than [`MAX_BLOB_BYTES`].
    TooLarge {
        /// Its size in bytes.
        size: u64,
    },
}

impl FileAt {
    /// The bytes of a file that was read.
    pub fn into_bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Absent | Self::NotAFile | Self::TooLarge { .. } => None,
        }
    }
}

/// Reads whole files. Its process ends when it is dropped.
#[derive(Debug)]
pub struct BlobReader<'repository> {
    repository: &'repository Repository,
    process: Process,
    base: Revision,
    head: Revision,
    roots: HashMap<CommitId, String>,
    trees: HashMap<String, Tree>,
    index: Option<HashMap<Vec<u8>, Entry>>,
}

impl Repository {
    /// A reader of the files before and after a change that was gathered from this repository.
    ///
    /// # Errors
    /// Where git cannot be started.
    pub fn blobs(&self, change: &Change) -> Result<BlobReader<'_>, GitError> {
        let base = change.subject.base.clone().map_or(Revision::Empty, Revision::Commit);
        let head = change.subject.head.clone().map_or(Revision::Index, Revision::Commit);
        BlobReader::new(self, base, head)
    }

    /// The file at a path of a commit.
    ///
    /// # Errors
    /// Where the commit or an object on the way is not here.
    pub fn read_at(&self, commit: &CommitId, path: &RepoPath) -> Result<FileAt, GitError> {
        let revision = Revision::Commit(commit.clone());
        BlobReader::new(self, Revision::Empty, Revision::Empty)?.read(&revision, path)
    }

    /// The files at some paths of a commit, in their order, through one process.
    ///
    /// # Errors
    /// Where the commit or an object on the way is not here.
    pub fn read_all_at(&self, commit: &CommitId, paths: &[RepoPath]) -> Result<Vec<FileAt>, GitError> {
        let revision = Revision::Commit(commit.clone());
        let mut reader = BlobReader::new(self, Revision::Empty, Revision::Empty)?;
        paths.iter().map(|path| reader.read(&revision, path)).collect()
    }

    /// The paths of the files in a folder of a commit, by name; none where there is no such folder. Links, folders and
    /// submodules in it are left out.
    ///
    /// # Errors
    /// Where the commit or an object on the way is not here.
    pub fn files_in(&self, commit: &CommitId, folder: &RepoPath) -> Result<Vec<RepoPath>, GitError> {
        let mut reader = BlobReader::new(self, Revision::Empty, Revision::Empty)?;
        let Some(entry) = reader.entry_at(commit, &folder.to_bytes())?.filter(Entry::is_tree) else {
            return Ok(Vec::new());
        };
        let names = reader.tree(&entry.id)?.files();
        let path = |name: &[u8]| RepoPath::from_bytes(&[&*folder.to_bytes(), b"/".as_slice(), name].concat());
        Ok(names.map(path).collect())
    }
}

impl<'repository> BlobReader<'repository> {
    pub(crate) fn new(
        repository: &'repository Repository,
        base: Revision,
        head: Revision,
    ) -> Result<Self, GitError> {
        let process = Process::start(repository)?;
        let (roots, trees) = (HashMap::new(), HashMap::new());
        Ok(Self { repository, process, base, head, roots, trees, index: None })
    }

    /// The whole file before the change.
    ///
    /// # Errors
    /// Where an object is not here, as in a partial clone.
    pub fn before(&mut self, file: &FileChange) -> Result<FileAt, GitError> {
        if file.operation == Operation::Added {
            return Ok(FileAt::Absent);
        }
        let base = self.base.clone();
        self.read(&base, file.old_path.as_ref().unwrap_or(&file.path))
    }

    /// The whole file after the change.
    ///
    /// # Errors
    /// Where an object is not here, as in a partial clone.
    pub fn after(&mut self, file: &FileChange) -> Result<FileAt, GitError> {
        if file.operation == Operation::Deleted {
            return Ok(FileAt::Absent);
        }
        let head = self.head.clone();
        self.read(&head, &file.path)
    }

    /// The file at a path of a revision.
    ///
    /// # Errors
    /// Where the commit or an object on the way is not here.
    pub fn read(&mut self, revision: &Revision, path: &RepoPath) -> Result<FileAt, GitError> {
        let path = path.to_bytes();
        let entry = match revision {
            Revision::Empty => None,
            Revision::Commit(commit) => self.entry_at(commit, &path)?,
            Revision::Index => self.index()?.get(&*path).cloned(),
        };
        match entry {
            None => Ok(FileAt::Absent),
            Some(entry) if !entry.is_regular_file() => Ok(FileAt::NotAFile),
            Some(entry) => self.blob(&entry.id),
        }
    }

    /// Files before the change that stand beside a path, the last names first, `most` of them: those of its folder that
    /// end like it (`.sql`), or, where it has a folder of its own, those of the folders beside that one. What is not here
    /// or too large is passed over: they are looked at for what they tell, not reviewed.
    ///
    /// # Errors
    /// Where git fails.
    pub fn beside(&mut self, path: &RepoPath, most: usize) -> Result<Vec<Vec<u8>>, GitError> {
        let Revision::Commit(base) = self.base.clone() else { return Ok(Vec::new()) };
        let path = path.to_bytes().into_owned();
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let Some(dot) = name.iter().rposition(|&byte| byte == b'.') else { return Ok(Vec::new()) };
        let ending = name[dot..].to_vec();
        let folder = path[..path.len() - name.len()].strip_suffix(b"/").unwrap_or_default().to_vec();
        let mut files = self.files_in(&base, &folder, &ending, most)?;
        if files.is_empty() && !folder.is_empty() {
            let start = folder.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
            for subfolder in self.folders_in(&base, &folder[..start], most)? {
                files.extend(self.files_in(&base, &subfolder, &ending, most - files.len())?);
            }
        }
        let read = |id: &String| self.blob(id).ok().and_then(FileAt::into_bytes);
        Ok(files.iter().filter_map(read).collect())
    }

    /// The ids of a folder's last files of an ending.
    fn files_in(
        &mut self,
        commit: &CommitId,
        folder: &[u8],
        ending: &[u8],
        most: usize,
    ) -> Result<Vec<String>, GitError> {
        let Some(tree) = self.tree_at(commit, folder)? else { return Ok(Vec::new()) };
        let files =
            tree.entries().rev().filter(|(name, entry)| entry.is_regular_file() && name.ends_with(ending));
        Ok(files.take(most).map(|(_, entry)| entry.id.clone()).collect())
    }

    /// The paths of a folder's last folders.
    fn folders_in(
        &mut self,
        commit: &CommitId,
        folder: &[u8],
        most: usize,
    ) -> Result<Vec<Vec<u8>>, GitError> {
        let Some(tree) = self.tree_at(commit, folder)? else { return Ok(Vec::new()) };
        let folders = tree.entries().rev().filter(|(_, entry)| entry.is_tree()).take(most);
        let path =
            |name: &[u8]| if folder.is_empty() { name.to_vec() } else { [folder, b"/", name].concat() };
        Ok(folders.map(|(name, _)| path(name)).collect())
    }

    /// The tree of a folder; the empty path is the root.
    fn tree_at(&mut self, commit: &CommitId, folder: &[u8]) -> Result<Option<&Tree>, GitError> {
        let id = if folder.is_empty() {
            Some(self.root(commit)?)
        } else {
            self.entry_at(commit, folder)?.filter(Entry::is_tree).map(|entry| entry.id)
        };
        id.map(|id| self.tree(&id)).transpose()
    }

    /// Whether anything is at a path after the change: a file, a link, a directory or a submodule. Links are not
    /// followed.
    ///
    /// # Errors
    /// Where an object is not here, as in a partial clone.
    pub fn is_in_head(&mut self, path: &RepoPath) -> Result<bool, GitError> {
        let path = path.to_bytes();
        match self.head.clone() {
            Revision::Empty => Ok(false),
            Revision::Commit(commit) => Ok(self.entry_at(&commit, &path)?.is_some()),
            Revision::Index => {
                let folder = [&*path, b"/"].concat();
                Ok(self.index()?.keys().any(|name| *name == *path || name.starts_with(&folder)))
            }
        }
    }

    /// The content of a blob.
    pub(crate) fn blob(&mut self, id: &str) -> Result<FileAt, GitError> {
        match self.process.ask(id, MAX_BLOB_BYTES)? {
            Object::Content { bytes, .. } => Ok(FileAt::Bytes(bytes)),
            Object::TooLarge { size } => {
                self.process = Process::start(self.repository)?;
                Ok(FileAt::TooLarge { size })
            }
            Object::Missing => Err(missing(id)),
        }
    }

    /// The entry at a path of a commit, found tree by tree, so that no link is followed and any byte can be in a
    /// name.
    fn entry_at(&mut self, commit: &CommitId, path: &[u8]) -> Result<Option<Entry>, GitError> {
        let mut tree = self.root(commit)?;
        let mut parts = path.split(|&byte| byte == b'/').peekable();
        while let Some(part) = parts.next() {
            let Some(entry) = self.tree(&tree)?.entry(part).cloned() else { return Ok(None) };
            if parts.peek().is_none() {
                return Ok(Some(entry));
            }
            if !entry.is_tree() {
                return Ok(None);
            }
            tree = entry.id;
        }
        Ok(None)
    }

    /// The id of a commit's tree.
    pub(crate) fn root(&mut self, commit: &CommitId) -> Result<String, GitError> {
        if let Some(id) = self.roots.get(commit) {
            return Ok(id.clone());
        }
        let name = format!("{commit}^{{tree}}");
        match self.process.ask(&name, MAX_TREE_BYTES)? {
            Object::Content { id, bytes } => {
                self.keep_tree(id.clone(), &bytes)?;
                self.roots.insert(commit.clone(), id.clone());
                Ok(id)
            }
            Object::TooLarge { .. } => Err(self.tree_too_large()?),
            Object::Missing => Err(missing(&name)),
        }
    }

    /// A tree by its id.
    pub(crate) fn tree(&mut self, id: &str) -> Result<&Tree, GitError> {
        if !self.trees.contains_key(id) {
            match self.process.ask(id, MAX_TREE_BYTES)? {
                Object::Content { bytes, .. } => self.keep_tree(id.to_owned(), &bytes)?,
                Object::TooLarge { .. } => return Err(self.tree_too_large()?),
                Object::Missing => return Err(missing(id)),
            }
        }
        Ok(&self.trees[id])
    }

    fn keep_tree(&mut self, id: String, bytes: &[u8]) -> Result<(), GitError> {
        let tree = Tree::parse(bytes, self.repository.object_format.id_bytes());
        self.trees.insert(id, tree.ok_or(GitError::Unexpected { task: "cat-file --batch" })?);
        Ok(())
    }

    fn tree_too_large(&mut self) -> Result<GitError, GitError> {
        self.process = Process::start(self.repository)?;
        let remedy = "it has more entries than any real directory";
        Ok(GitError::TooLarge { what: "a directory of the repository", limit: MAX_TREE_BYTES, remedy })
    }

    fn index(&mut self) -> Result<&HashMap<Vec<u8>, Entry>, GitError> {
        if self.index.is_none() {
            self.index = Some(list_index(self.repository)?);
        }
        Ok(self.index.as_ref().expect("it was set above"))
    }
}

fn missing(name: &str) -> GitError {
    GitError::MissingObject { task: "reading a file", message: format!("there is no object {name}") }
}

/// The entries of the index that have no conflict.
fn list_index(repository: &Repository) -> Result<HashMap<Vec<u8>, Entry>, GitError> {
    let mut command = repository.index_command()?;
    command.args(["ls-files", "--stage", "-z"]);
    let output = program::run(&mut command, MAX_INDEX_BYTES)?.ok_or(GitError::TooLarge {
        what: "the list of the index",
        limit: MAX_INDEX_BYTES,
        remedy: "commit, and review a range",
    })?;
    let stdout = output.success("ls-files")?;
    let mut entries = HashMap::new();
    for line in stdout.split(|&byte| byte == 0).filter(|line| !line.is_empty()) {
        let unexpected = || GitError::Unexpected { task: "ls-files" };
        let tab = line.iter().position(|&byte| byte == b'\t').ok_or_else(unexpected)?;
        let words = std::str::from_utf8(&line[..tab]).map_err(|_| unexpected())?;
        let mut words = words.split(' ');
        let mode = words.next().and_then(|mode| u32::from_str_radix(mode, 8).ok()).ok_or_else(unexpected)?;
        let id = words.next().ok_or_else(unexpected)?.to_owned();
        if words.next() == Some("0") {
            entries.insert(line[tab + 1..].to_vec(), Entry { mode, id });
        }
    }
    Ok(entries)
}

/// A running `cat-file --batch`.
#[derive(Debug)]
struct Process {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

/// An answer of `cat-file --batch`.
enum Object {
    Content {
        id: String,
        bytes: Vec<u8>,
    },
    /// It was announced, and not read; the process is of no more use.
    TooLarge {
        size: u64,
    },
    Missing,
}

impl Process {
    fn start(repository: &Repository) -> Result<Self, GitError> {
        let mut child = repository
            .object_command()
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(GitError::io("run the program git"))?;
        let stdin = child.stdin.take().expect("stdin was asked to be a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("stdout was asked to be a pipe"));
        Ok(Self { child, stdin, stdout })
    }

    fn ask(&mut self, name: &str, limit: u64) -> Result<Object, GitError> {
        let unexpected = || GitError::Unexpected { task: "cat-file --batch" };
        let written = self.stdin.write_all(format!("{name}\n").as_bytes()).and_then(|()| self.stdin.flush());
        written.map_err(GitError::io("ask git cat-file"))?;
        let mut header = String::new();
        self.stdout.read_line(&mut header).map_err(GitError::io("read the answer of git cat-file"))?;
        let words: Vec<_> = header.split_whitespace().collect();
        let &[id, _kind, size] = words.as_slice() else {
            return if header.ends_with("missing\n") { Ok(Object::Missing) } else { Err(unexpected()) };
        };
        let size: u64 = size.parse().map_err(|_| unexpected())?;
        if size > limit {
            return Ok(Object::TooLarge { size });
        }
        let mut bytes = Vec::new();
        let wanted = size + 1; // A line feed follows.
        let read = (&mut self.stdout).take(wanted).read_to_end(&mut bytes);
        read.map_err(GitError::io("read the answer of git cat-file"))?;
        if bytes.len() as u64 != wanted || bytes.pop() != Some(b'\n') {
            return Err(unexpected());
        }
        Ok(Object::Content { id: id.to_owned(), bytes })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It holds nothing that could be lost; without the wait it would stay a zombie.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
