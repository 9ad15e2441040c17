//! What git-ai wrote about the commits of a range: `refs/notes/ai`.

use review::CommitId;

use crate::GitError;
use crate::blobs::{BlobReader, FileAt, Revision};
use crate::repository::Repository;

/// The reference under which git-ai keeps its notes.
const AI_NOTES: &str = "refs/notes/ai";

impl Repository {
    /// The notes of git-ai on these commits, as they are; commits without a note are left out. Notes larger than a file may
    /// be ([`MAX_BLOB_BYTES`](crate::MAX_BLOB_BYTES)) are empty.
    ///
    /// # Errors
    /// Where the notes exist and cannot be read.
    pub fn ai_notes(&self, commits: &[CommitId]) -> Result<Vec<(CommitId, String)>, GitError> {
        let Some(notes) = self.commits_named(&[AI_NOTES])?.pop().flatten() else { return Ok(Vec::new()) };
        let mut reader = BlobReader::new(self, Revision::Empty, Revision::Empty)?;
        let root = reader.root(&notes)?;
        let mut found = Vec::new();
        for commit in commits {
            if let Some(bytes) = note(&mut reader, &root, commit.as_str())? {
                found.push((commit.clone(), String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
        Ok(found)
    }
}

/// The note on a commit. With many notes git folds them into directories of two digits each.
fn note(reader: &mut BlobReader<'_>, root: &str, commit: &str) -> Result<Option<Vec<u8>>, GitError> {
    let (mut tree, mut rest) = (root.to_owned(), commit);
    loop {
        let entries = reader.tree(&tree)?;
        if let Some(entry) = entries.entry(rest.as_bytes()).filter(|entry| entry.is_regular_file()) {
            let id = entry.id.clone();
            return Ok(match reader.blob(&id)? {
                FileAt::Bytes(bytes) => Some(bytes),
                FileAt::TooLarge { .. } => Some(Vec::new()),
                FileAt::Absent | FileAt::NotAFile => None,
            });
        }
        let Some((front, back)) = rest.split_at_checked(2) else { return Ok(None) };
        let Some(entry) = entries.entry(front.as_bytes()).filter(|entry| entry.is_tree()) else {
            return Ok(None);
        };
        (tree, rest) = (entry.id.clone(), back);
    }
}
