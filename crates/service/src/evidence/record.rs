//! A record of one run, as it stands in a file.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use git::Repository;
use review::judge::{CheckRecord, CheckState};
use review::{CommitId, Digest};
use serde::{Deserialize, Serialize};

/// The schema of the records that this version writes and reads.
pub const SCHEMA: &str = "recuse/evidence/v1";

/// How one run of a command went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordV1 {
    /// Which form this is.
    pub schema: String,
    /// The version of recuse that wrote it.
    pub version: String,
    /// What the run is called.
    pub name: String,
    /// The program and its arguments, secrets redacted.
    pub argv: Vec<String>,
    /// The work tree as it was when the command started; `None` outside of a repository.
    pub tree: Option<TreeV1>,
    /// Seconds since 1970.
    pub started_at: i64,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// How it ended.
    pub ended: Ended,
    /// What it printed.
    pub log: LogV1,
    /// How many places of the arguments and the last lines were redacted.
    pub redacted: u64,
    /// The digest of the rest of the record, in its canonical form (RFC 8785).
    pub digest: Option<Digest>,
}

/// The work tree in which a command ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TreeV1 {
    /// The commit that it was checked out from.
    pub head: Option<CommitId>,
    /// The id of that commit's tree.
    pub tree: Option<String>,
    /// How many tracked files were not as in that commit.
    pub changed: u64,
    /// How many files were neither tracked nor ignored.
    pub untracked: u64,
    /// A digest of those files; `None` where there were none, or too many.
    pub difference: Option<Digest>,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case", deny_unknown_fields)]
pub enum Ended {
    /// By itself.
    Exited {
        /// Its exit code.
        code: i32,
    },
    /// By a signal.
    Signalled {
        /// The signal's number.
        signal: i32,
    },
    /// It was ended because it took longer than it may.
    TimedOut {
        /// How long that is, in milliseconds.
        limit_ms: u64,
    },
    /// It could not be started.
    NotStarted {
        /// 127 where there is no such program, 126 where it cannot be run, as shells have it.
        code: i32,
    },
}

impl Ended {
    /// What the process that ran it exits with, as shells have it: a signal counts from 128, a time-out is 124.
    pub fn exit_code(self) -> u8 {
        let code = match self {
            Self::Exited { code } | Self::NotStarted { code } => code,
            Self::Signalled { signal } => 128 + signal,
            Self::TimedOut { .. } => 124,
        };
        u8::try_from(code & 0xff).expect("eight bits")
    }

    /// Whether the check passed.
    pub fn state(self) -> CheckState {
        match self {
            Self::Exited { code: 0 } => CheckState::Passed,
            Self::Exited { .. }
            | Self::Signalled { .. }
            | Self::TimedOut { .. }
            | Self::NotStarted { .. } => CheckState::Failed,
        }
    }

    /// What an exit code does not say; empty where it says all.
    pub fn words(self) -> String {
        match self {
            Self::Exited { .. } => String::new(),
            Self::Signalled { signal } => format!("ended by signal {signal}"),
            Self::TimedOut { limit_ms } => {
                format!("ended because it took longer than {}.{:03} s", limit_ms / 1_000, limit_ms % 1_000)
            }
            Self::NotStarted { .. } => "could not be started".to_owned(),
        }
    }
}

/// What a command printed, standard output and standard error as they came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogV1 {
    /// SHA-256 of all of it.
    pub digest: Digest,
    /// How many bytes that is.
    pub bytes: u64,
    /// Whether it was read to its end; something that the command left behind can hold it open.
    pub complete: bool,
    /// The last lines, secrets redacted.
    pub last_lines: Vec<String>,
}

impl RecordV1 {
    /// The record with the digest of the rest of it.
    pub fn sealed(mut self) -> Self {
        self.digest = Some(self.digest_of_the_rest());
        self
    }

    /// Whether nobody has changed it since it was sealed.
    pub fn is_as_sealed(&self) -> bool {
        self.digest.as_ref() == Some(&self.digest_of_the_rest())
    }

    fn digest_of_the_rest(&self) -> Digest {
        let rest = Self { digest: None, ..self.clone() };
        Digest::of(
            &serde_json_canonicalizer::to_vec(&rest).expect("strings, integers and lists always serialize"),
        )
    }

    /// The part that a packet holds.
    pub fn for_the_packet(&self) -> CheckRecord {
        CheckRecord {
            digest: self.digest_of_the_rest(),
            command: self.argv.clone(),
            head: self.tree.as_ref().and_then(|tree| tree.head.clone()),
            started_at: self.started_at,
            elapsed_ms: self.elapsed_ms,
            log: self.log.digest.clone(),
            log_bytes: self.log.bytes,
            last_lines: self.log.last_lines.clone(),
        }
    }

    /// Writes it to a folder, whole or not at all. A later run of the same name takes its place.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub(super) fn write(&self, folder: &Path) -> Result<PathBuf> {
        let path = folder.join(self.file_name());
        let write = || -> std::io::Result<()> {
            std::fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(format!("{:#}\n", serde_json::to_value(self)?).as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            Ok(())
        };
        write().with_context(|| format!("could not write {}", path.display()))?;
        Ok(path)
    }

    fn file_name(&self) -> String {
        let safe = |character: char| match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' => character,
            _ => '-',
        };
        let name: String = self.name.chars().map(safe).take(60).collect();
        format!("{name}-{}.json", &Digest::of(self.name.as_bytes()).short()[..8])
    }
}

/// Where a repository's records are kept: in its own folder, which no commit can write to.
pub fn folder_of(repository: &Repository) -> PathBuf {
    repository.git_dir().join("recuse").join("evidence")
}
