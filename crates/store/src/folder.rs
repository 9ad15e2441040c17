//! Receipts in a folder: a file each, `DIGEST.gz`, so that a CI run can upload them and `gunzip` can show them. What
//! was deleted has a file `DIGEST.pruned` that says when and why.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use review::Digest;

use crate::receipts::checked;
use crate::{Fetched, Pruned};

/// The most bytes of a note on what was deleted.
const MAX_NOTE_BYTES: u64 = 4_096;

/// A folder of receipts.
#[derive(Debug, Clone)]
pub struct ReceiptFolder {
    path: PathBuf,
}

impl ReceiptFolder {
    /// A folder that is there, to be read.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// A folder that is made where it is missing, for this user only: receipts hold source code.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn make(path: &Path) -> Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| format!("could not make the folder {}", path.display()))?;
        Ok(Self::at(path))
    }

    /// Keeps bytes under their digest. Keeping the same bytes again changes nothing.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep(&self, digest: &Digest, bytes: &[u8]) -> Result<()> {
        let path = self.file(digest, "gz");
        if path.exists() {
            return Ok(());
        }
        let written = || -> std::io::Result<()> {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(bytes)?;
            write(&path, &encoder.finish()?)
        };
        written().with_context(|| format!("could not write {}", path.display()))
    }

    /// Notes that bytes were deleted, and when and why.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn note(&self, digest: &Digest, pruned: &Pruned) -> Result<()> {
        let path = self.file(digest, "pruned");
        let text = format!("{}\n{}\n", pruned.at_ms, pruned.because);
        write(&path, text.as_bytes()).with_context(|| format!("could not write {}", path.display()))
    }

    /// Gets what is there under a digest.
    ///
    /// # Errors
    /// A file that is there cannot be read.
    pub fn fetch(&self, digest: &Digest, most_bytes: u64) -> Result<Fetched> {
        if let Some(file) = open(&self.file(digest, "gz"))? {
            return Ok(checked(GzDecoder::new(BufReader::new(file)), digest, most_bytes));
        }
        let path = self.file(digest, "pruned");
        let Some(file) = open(&path)? else { return Ok(Fetched::Missing) };
        let mut text = String::new();
        file.take(MAX_NOTE_BYTES)
            .read_to_string(&mut text)
            .with_context(|| format!("could not read {}", path.display()))?;
        let (at_ms, because) = text.split_once('\n').unwrap_or((&text, ""));
        let at_ms = at_ms.parse().with_context(|| format!("{} begins with no time", path.display()))?;
        Ok(Fetched::Pruned(Pruned { at_ms, because: because.trim_end().to_owned() }))
    }

    /// The digests that begin with these hex digits, at most two.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn beginning_with(&self, digits: &str) -> Result<Vec<Digest>> {
        let what = || format!("could not read the folder {}", self.path.display());
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path).with_context(what)? {
            let name = entry.with_context(what)?.file_name();
            let digest = name.to_str().and_then(|name| name.strip_suffix(".gz")).and_then(Digest::new);
            found.extend(digest.filter(|digest| digest.as_str().starts_with(digits)));
            if found.len() == 2 {
                break;
            }
        }
        Ok(found)
    }

    fn file(&self, digest: &Digest, kind: &str) -> PathBuf {
        self.path.join(format!("{digest}.{kind}"))
    }
}

fn open(path: &Path) -> Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("could not read {}", path.display())),
    }
}

/// Writes a file as a whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let partial = path.with_added_extension("part");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&partial, path)
}
