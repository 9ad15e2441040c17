//! A folder of bare repositories, one for each remote: where they are, who uses them, and which are removed.
//!
//! Beside each repository lie two lock files. Whoever reads or fetches holds the first one shared, so that it is removed
//! only while nobody does; whoever fetches holds the second one alone. What a process that was killed left behind is
//! swept away by the next one that fetches.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use review::{CommitId, Digest};

use crate::GitError;
use crate::fetch::{FetchLimits, Job, Remote};
use crate::isolation::make_bare;
use crate::program::Program;
use crate::repository::Repository;

/// Each fetch leaves a pack, and each pack has to be looked through; a repository with more starts anew.
const MAX_PACKS: usize = 100;

/// How often a lock that is held, and the size of what is fetched, are looked at.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The objects of remote repositories, bounded in bytes.
#[derive(Debug)]
pub struct ObjectCache {
    folder: PathBuf,
    max_bytes: u64,
    program: Program,
}

impl ObjectCache {
    /// A cache in a folder, which is made if it is missing, for this user only.
    ///
    /// `max_bytes` is what its repositories take together; what is just being fetched and what is being read comes on
    /// top of that.
    ///
    /// # Errors
    /// The folder cannot be made, or git is not installed.
    pub fn new(folder: &Path, max_bytes: u64) -> Result<Self, GitError> {
        let program = Program::find()?;
        let make = || {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            fs::canonicalize(folder)
        };
        let folder = make().map_err(GitError::io("make the folder for fetched objects"))?;
        Ok(Self { folder, max_bytes, program })
    }

    /// Fetches commits, without their history, and references that may be missing there (`refs/notes/ai`); what is here
    /// already is not fetched again. The repository stays in the cache until it is dropped.
    ///
    /// # Errors
    /// The remote or a reference is not one that may be fetched; a limit was reached; the server has not all of the
    /// commits, refuses or cannot be reached; the cache cannot be written.
    pub fn fetch(
        &self,
        remote: &Remote,
        wanted: &[CommitId],
        references: &[&str],
        limits: &FetchLimits,
    ) -> Result<Repository, GitError> {
        let job = Job::new(&self.program, remote, wanted, references, limits)?;
        self.make_room(None)?;
        let name = Digest::of(remote.url.as_bytes());
        let place = Place { folder: &self.folder, name: name.as_str() };
        place.renew_if_worn().map_err(GitError::io("look after the cache of fetched objects"))?;
        let used = place.use_it().map_err(GitError::io("lock a repository of the cache"))?;
        let fetching = place
            .lock_for_fetching(job.deadline())
            .map_err(GitError::io("lock a repository of the cache"))?
            .ok_or_else(|| job.timed_out())?;
        let git_dir = place.repository();
        place.make(job.object_format()).map_err(GitError::io("make a repository in the cache"))?;
        let fetched = job.run(&git_dir, &fetching);
        // Nothing of what was begun and not finished is left.
        place.sweep().map_err(GitError::io("clean up a repository of the cache"))?;
        fetched?;
        let repository = Repository::open_own(self.program.clone(), &git_dir, used)?;
        drop(fetching);
        self.make_room(Some(name.as_str()))?;
        Ok(repository)
    }

    /// Removes the repositories that were not used for longest, until the rest fits; never one in use.
    fn make_room(&self, but: Option<&str>) -> Result<(), GitError> {
        let make_room = || {
            let mut kept = Vec::new();
            for entry in fs::read_dir(&self.folder)? {
                let path = entry?.path();
                let name = path.file_stem().and_then(OsStr::to_str).map(str::to_owned);
                if let (Some(name), Some("git")) = (name, path.extension().and_then(OsStr::to_str)) {
                    let place = Place { folder: &self.folder, name: &name };
                    kept.push((place.last_used(), bytes_in(&path)?, name));
                }
            }
            kept.sort();
            let mut total: u64 = kept.iter().map(|(_, bytes, _)| bytes).sum();
            for (_, bytes, name) in kept {
                if total <= self.max_bytes {
                    break;
                }
                let place = Place { folder: &self.folder, name: &name };
                if but != Some(name.as_str()) && place.remove_unless_used()? {
                    total -= bytes;
                }
            }
            Ok(())
        };
        make_room().map_err(GitError::io("make room in the cache of fetched objects"))
    }
}

/// Where one repository and its locks are.
struct Place<'a> {
    folder: &'a Path,
    name: &'a str,
}

impl Place<'_> {
    fn repository(&self) -> PathBuf {
        self.folder.join(format!("{}.git", self.name))
    }

    fn lock_file(&self, what: &str) -> io::Result<File> {
        let path = self.folder.join(format!("{}.{what}", self.name));
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
    }

    fn last_used(&self) -> SystemTime {
        let used = fs::metadata(self.folder.join(format!("{}.used", self.name)));
        used.and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// Keeps it from being removed for as long as the file is open.
    fn use_it(&self) -> io::Result<File> {
        let used = self.lock_file("used")?;
        used.lock_shared()?;
        used.set_modified(SystemTime::now())?;
        Ok(used)
    }

    /// Waits until nobody else fetches into it; `None` if that takes too long.
    fn lock_for_fetching(&self, deadline: Instant) -> io::Result<Option<File>> {
        let fetching = self.lock_file("fetching")?;
        loop {
            match fetching.try_lock() {
                Ok(()) => return Ok(Some(fetching)),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(LOOK_EVERY),
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// Makes an empty repository if there is none that is whole, and sweeps one that there is.
    fn make(&self, object_format: &str) -> io::Result<()> {
        let dir = self.repository();
        if dir.join("HEAD").exists() {
            return self.sweep();
        }
        remove(&dir)?;
        DirBuilder::new().mode(0o700).create(&dir)?;
        fs::create_dir(dir.join("objects"))?;
        make_bare(&dir, object_format)
    }

    /// Removes what a git that was ended leaves behind: locks, and packs that were not complete. Only for whoever
    /// fetches.
    fn sweep(&self) -> io::Result<()> {
        let dir = self.repository();
        for entry in fs::read_dir(&dir)? {
            remove_lock(&entry?.path())?;
        }
        let references = files_in(&dir.join("refs"))?;
        references.iter().try_for_each(|(path, _)| remove_lock(path))?;
        let is_unfinished = |path: &Path| {
            let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
            name.starts_with("tmp_") || name.starts_with(".tmp-")
        };
        let objects = files_in(&dir.join("objects"))?;
        objects.iter().filter(|(path, _)| is_unfinished(path)).try_for_each(|(path, _)| remove(path))
    }

    /// Removes it if it has many packs and nobody uses it.
    fn renew_if_worn(&self) -> io::Result<()> {
        let packs = files_in(&self.repository().join("objects/pack"))?;
        let is_pack = |path: &Path| path.extension() == Some(OsStr::new("pack"));
        if packs.iter().filter(|(path, _)| is_pack(path)).count() > MAX_PACKS {
            self.remove_unless_used()?;
        }
        Ok(())
    }

    /// Whether it was removed.
    fn remove_unless_used(&self) -> io::Result<bool> {
        // The file stays, since somebody may be waiting for it.
        let used = self.lock_file("used")?;
        match used.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let dir = self.repository();
        // Without a head it is no repository any more, should the rest be interrupted.
        remove(&dir.join("HEAD"))?;
        remove(&dir)?;
        drop(used);
        Ok(true)
    }
}

/// How many bytes the files of a folder take, without what vanishes meanwhile.
pub(crate) fn bytes_in(folder: &Path) -> io::Result<u64> {
    Ok(files_in(folder)?.iter().map(|(_, bytes)| bytes).sum())
}

/// The files below a folder with their sizes; none where there is no such folder. Links are not followed.
fn files_in(folder: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Some(entries) = if_there(fs::read_dir(&folder))? else { continue };
        for entry in entries {
            let entry = entry?;
            let Some(metadata) = if_there(entry.metadata())? else { continue };
            if metadata.is_dir() {
                folders.push(entry.path());
            } else {
                files.push((entry.path(), metadata.len()));
            }
        }
    }
    Ok(files)
}

fn remove_lock(path: &Path) -> io::Result<()> {
    if path.extension() == Some(OsStr::new("lock")) { remove(path) } else { Ok(()) }
}

/// Removes a file or a folder with all that is in it, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    let Some(metadata) = if_there(fs::symlink_metadata(path))? else { return Ok(()) };
    if_there(if metadata.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }).map(drop)
}

fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
