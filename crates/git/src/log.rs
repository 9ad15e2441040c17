//! The commits of a range.

use review::change::Identity;
use review::{Commit, CommitId};

use crate::GitError;

/// Eight fields, each closed by a NUL byte (the last one by `-z`). `%an` and not `%aN`: no mailmap.
pub(crate) const FORMAT: &str = "--format=tformat:%H%x00%P%x00%at%x00%an%x00%ae%x00%cn%x00%ce%x00%B";

const FIELDS: usize = 8;

/// Reads what `git log -z` wrote in [`FORMAT`].
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<Commit>, GitError> {
    let fields: Vec<_> = bytes.strip_suffix(b"\0").unwrap_or(bytes).split(|&byte| byte == 0).collect();
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
    let unexpected = || GitError::Unexpected { task: "log" };
    fields
        .chunks(FIELDS)
        .map(|fields| {
            let &[id, parents, time, author, author_email, committer, committer_email, message] = fields
            else {
                return Err(unexpected());
            };
            Ok(Commit {
                id: CommitId::new(&text(id)).ok_or_else(unexpected)?,
                author_time: text(time).parse().unwrap_or(0),
                author: Identity { name: text(author), email: text(author_email) },
                committer: Identity { name: text(committer), email: text(committer_email) },
                message: text(message).trim_end().to_owned(),
                parents: u32::try_from(text(parents).split_whitespace().count()).unwrap_or(u32::MAX),
            })
        })
        .collect()
}
