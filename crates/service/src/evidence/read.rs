//! Reading records as checks of a packet. Nothing is passed over in silence: what does not count is shown, with the reason.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use git::Repository;
use review::judge::{Check, CheckSource, CheckState};
use review::text::visible_line;
use review::{CommitId, RepoPath};

use super::record::{RecordV1, SCHEMA};

/// The most bytes of a record. One that this program writes has some 20 kB at most.
const MAX_RECORD_BYTES: u64 = 1024 * 1024;

/// The most records of a folder.
const MOST_RECORDS: usize = 1_000;

/// The records in a folder and in the folders right below it, as checks of a head.
///
/// # Errors
/// The folder cannot be read, or holds more than a thousand records; the repository cannot be read.
pub fn checks(
    folder: &Path,
    head: Option<&CommitId>,
    at: Option<(&Repository, &Path)>,
) -> Result<Vec<Check>> {
    let files = record_files(folder)
        .with_context(|| format!("could not read the folder {} of records", folder.display()))?;
    if files.len() > MOST_RECORDS {
        bail!("there are more than {MOST_RECORDS} records in {}", folder.display());
    }
    let tracked = Tracked::of(head, at)?;
    let mut checks = Vec::new();
    for file in files {
        let mut check = check(&file, head);
        if tracked.has(&file)? {
            check.state = CheckState::Refused;
            check.detail =
                "its record is tracked in the head: code under review cannot vouch for itself".to_owned();
        }
        checks.push(check);
    }
    checks.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(checks)
}

/// The files whose names end as a record's, in the folder and one below, in their order.
fn record_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    for folder in folders {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "json") && !path.is_dir() {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// What one file says.
fn check(file: &Path, head: Option<&CommitId>) -> Check {
    let record = match read(file) {
        Ok(record) => record,
        Err(why) => {
            return Check {
                name: visible_line(&file.file_stem().unwrap_or_default().to_string_lossy()),
                state: CheckState::Altered,
                source: CheckSource::SelfReported,
                exit_code: None,
                detail: format!("it is no record: {}", visible_line(&format!("{why:#}"))),
                app: None,
                link: None,
                record: None,
            };
        }
    };
    let (state, detail) = standing(&record, head);
    let exit_code = match record.ended {
        super::Ended::Exited { code } => Some(code),
        super::Ended::Signalled { .. } | super::Ended::TimedOut { .. } | super::Ended::NotStarted { .. } => {
            None
        }
    };
    Check {
        name: visible_line(&record.name),
        state,
        source: CheckSource::SelfReported,
        exit_code,
        detail,
        app: None,
        link: None,
        record: Some(record.for_the_packet()),
    }
}

/// Whether a record counts for a head, and what else there is to say.
fn standing(record: &RecordV1, head: Option<&CommitId>) -> (CheckState, String) {
    if !record.is_as_sealed() {
        return (CheckState::Altered, "its record was edited: its digest is of something else".to_owned());
    }
    let stale = |detail: String| (CheckState::Stale, detail);
    let Some(tree) = &record.tree else {
        return stale("it ran outside of a repository".to_owned());
    };
    match (&tree.head, head) {
        (Some(of), Some(head)) if of == head => {}
        (Some(of), Some(_)) => return stale(format!("it ran on another head, {}", of.short())),
        (None, _) => return stale("it ran before the first commit".to_owned()),
        (Some(_), None) => return stale("what is reviewed is no commit".to_owned()),
    }
    if tree.changed + tree.untracked > 0 {
        let (changed, untracked) = (tree.changed, tree.untracked);
        return stale(format!(
            "the work tree was not the head's: {changed} changed and {untracked} untracked files"
        ));
    }
    let mut words = vec![record.ended.words()];
    if !record.log.complete {
        words.push("it left something behind that went on printing".to_owned());
    }
    words.retain(|word| !word.is_empty());
    (record.ended.state(), words.join("; "))
}

/// Reads no more of a file than a record may have.
fn read(file: &Path) -> Result<RecordV1> {
    let mut bytes = Vec::new();
    fs::File::open(file)?.take(MAX_RECORD_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_RECORD_BYTES {
        bail!("it has more than {MAX_RECORD_BYTES} bytes");
    }
    let record: RecordV1 = serde_json::from_slice(&bytes)?;
    if record.schema != SCHEMA {
        bail!("this version reads {SCHEMA}");
    }
    Ok(record)
}

/// Which files are the head's own.
enum Tracked<'a> {
    /// There is no head or no work tree whose files could be.
    Nothing,
    In {
        repository: &'a Repository,
        root: PathBuf,
        head: &'a CommitId,
    },
}

impl<'a> Tracked<'a> {
    fn of(head: Option<&'a CommitId>, at: Option<(&'a Repository, &Path)>) -> Result<Self> {
        let (Some(head), Some((repository, dir))) = (head, at) else { return Ok(Self::Nothing) };
        // A bare repository has no work tree in which a record could be tracked.
        let Ok(root) = repository.work_tree_root(dir) else { return Ok(Self::Nothing) };
        let root = root.canonicalize().with_context(|| format!("could not find {}", root.display()))?;
        Ok(Self::In { repository, root, head })
    }

    /// Whether the head has the file, or what it links to.
    fn has(&self, file: &Path) -> Result<bool> {
        let Self::In { repository, root, head } = self else { return Ok(false) };
        let Ok(file) = file.canonicalize() else { return Ok(false) };
        let Ok(path) = file.strip_prefix(root) else { return Ok(false) };
        let path = RepoPath::from_bytes(std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()));
        Ok(!matches!(repository.read_at(head, &path)?, git::FileAt::Absent))
    }
}
