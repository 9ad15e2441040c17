//! A pull request as a [`Change`], by the API alone: three calls for a usual one.
//!
//! Everything is asked for by commit, so that all of it is about one head, whatever is pushed meanwhile. A change that
//! GitHub does not render as one diff is put together from the patches of its files; each file without a patch is a gap.

use review::change::{Content, FileChange, Operation, Source, Subject};
use review::{Change, Digest, Gap, GapKind, RepoPath, diff};

use crate::error::{ApiError, ErrorKind};
use crate::repository::{ApiFile, Comparison, FileStatus, Listing, Pull, RepositoryApi, Rest};

/// What the patches of all files may take together; the files behind that are gaps.
const MAX_PATCH_BYTES: usize = 64 * 1024 * 1024;

/// Reads what a pull request changes, between its base and its head as `pull` has them.
///
/// # Errors
/// [`ErrorKind::Conflict`] where the pull request has another head by now and GitHub does not render the diff of this
/// one; else as any call.
pub async fn gather(api: &RepositoryApi, pull: &Pull) -> Result<Change, ApiError> {
    gather_compared(api, pull, api.compare(&pull.base, &pull.head).await?).await
}

/// Reads what a pull request changes, where its base and its head were compared already.
///
/// # Errors
/// As [`gather`].
pub async fn gather_compared(
    api: &RepositoryApi,
    pull: &Pull,
    comparison: Comparison,
) -> Result<Change, ApiError> {
    let (parsed, digest) = match api.diff(&comparison.merge_base, &pull.head).await {
        Ok(bytes) => (diff::parse(&bytes), Digest::of(&bytes)),
        // GitHub also answers 5xx where a diff takes it too long.
        Err(ApiError { kind: ErrorKind::TooLarge | ErrorKind::Server { .. }, .. }) => {
            let files = api.files(pull.number, &pull.head).await?;
            let digest = digest_of(&files.items);
            (put_together(files, pull.changed_files), digest)
        }
        Err(error) => return Err(error),
    };
    let mut gaps = parsed.gaps;
    if comparison.commits.rest == Rest::Unread {
        let read = comparison.commits.items.len();
        let detail = format!("of the {} commits only {read} were looked at", comparison.total_commits);
        gaps.push(Gap { kind: GapKind::TooLarge, file: None, lines: None, detail });
    }
    Ok(Change {
        subject: Subject {
            source: source(api, pull),
            base: Some(comparison.merge_base),
            head: Some(pull.head.clone()),
            diff_digest: digest,
        },
        title: pull.title.clone(),
        body: pull.body.clone(),
        branch: Some(pull.head_ref.clone()),
        commits: comparison.commits.items,
        files: parsed.files,
        gaps,
    })
}

/// What a pull request is called.
pub fn source(api: &RepositoryApi, pull: &Pull) -> Source {
    Source::PullRequest {
        repository: format!("{}/{}", api.owner(), api.name()),
        number: pull.number,
        base_ref: pull.base_ref.clone(),
        head_ref: pull.head_ref.clone(),
    }
}

/// Makes files of their patches, and gaps of what has none.
fn put_together(files: Listing<ApiFile>, changed_files: u64) -> diff::Parsed {
    let mut parsed = diff::Parsed::default();
    let listed = files.items.len() as u64;
    let mut room = MAX_PATCH_BYTES;
    for file in files.items {
        let path = RepoPath::from(file.path.as_str());
        let mut gap = |kind, detail: &str| {
            let file = Some(path.clone());
            parsed.gaps.push(Gap { kind, file, lines: None, detail: detail.to_owned() });
        };
        let content = match &file.patch {
            None if file.additions + file.deletions == 0 => {
                gap(
                    GapKind::Binary,
                    "github shows no lines of the file: it is binary, or only its mode or name changed",
                );
                Content::Nothing
            }
            None => {
                gap(GapKind::TooLarge, "github shows no lines of the file: it finds them too many");
                Content::Nothing
            }
            Some(patch) if patch.len() > room => {
                gap(
                    GapKind::TooLarge,
                    "the change is larger than what is read of one, and this file was left out",
                );
                Content::Nothing
            }
            Some(patch) => {
                room -= patch.len();
                match hunks(patch, file.status) {
                    Some((content, gaps)) => {
                        for (kind, lines, detail) in gaps {
                            parsed.gaps.push(Gap { kind, file: Some(path.clone()), lines, detail });
                        }
                        content
                    }
                    None => {
                        gap(GapKind::Unreadable, "what github shows of the file is no diff of one file");
                        Content::Nothing
                    }
                }
            }
        };
        let (operation, old_path) = match file.status {
            FileStatus::Added => (Operation::Added, None),
            FileStatus::Removed => (Operation::Deleted, None),
            FileStatus::Modified | FileStatus::Unchanged => (Operation::Modified, None),
            FileStatus::Renamed => (Operation::Renamed, file.previous_path),
            FileStatus::Copied => (Operation::Copied, file.previous_path),
        };
        let old_path = old_path.map(|old| RepoPath::from(old.as_str()));
        parsed.files.push(FileChange { path, old_path, operation, modes: (None, None), content });
    }
    if changed_files > listed || files.rest == Rest::Unread {
        let detail = format!("the change has {changed_files} files, of which github lists {listed}");
        parsed.gaps.push(Gap { kind: GapKind::TooLarge, file: None, lines: None, detail });
    }
    parsed
}

type LineGap = (GapKind, Option<(u32, u32)>, String);

/// Reads the hunks of one file's patch. The file has no name here, so that no name can be taken for a part of the diff.
fn hunks(patch: &str, status: FileStatus) -> Option<(Content, Vec<LineGap>)> {
    let (old, new) = match status {
        FileStatus::Added => ("/dev/null", "b/file"),
        FileStatus::Removed => ("a/file", "/dev/null"),
        FileStatus::Modified | FileStatus::Unchanged | FileStatus::Renamed | FileStatus::Copied => {
            ("a/file", "b/file")
        }
    };
    let parsed = diff::parse(format!("--- {old}\n+++ {new}\n{patch}\n").as_bytes());
    let [file] = <[FileChange; 1]>::try_from(parsed.files).ok()?;
    let gaps = parsed.gaps.into_iter().map(|gap| (gap.kind, gap.lines, gap.detail)).collect();
    Some((file.content, gaps))
}

/// Digests what was listed, where there is no diff to digest.
fn digest_of(files: &[ApiFile]) -> Digest {
    let parts = files.iter().flat_map(|file| {
        [
            file.path.as_bytes(),
            file.previous_path.as_deref().unwrap_or_default().as_bytes(),
            file.patch.as_deref().unwrap_or_default().as_bytes(),
        ]
    });
    Digest::of_parts(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, status: FileStatus, patch: Option<&str>, lines: u64) -> ApiFile {
        ApiFile {
            path: path.to_owned(),
            previous_path: (status == FileStatus::Renamed).then(|| "old.rs".to_owned()),
            status,
            patch: patch.map(str::to_owned),
            additions: lines,
            deletions: 0,
        }
    }

    fn together(files: Vec<ApiFile>) -> diff::Parsed {
        let count = files.len() as u64;
        put_together(Listing { items: files, rest: Rest::Nothing }, count)
    }

    #[test]
    fn a_patch_becomes_the_hunks_of_its_file() {
        let patch = "@@ -1,2 +1,2 @@ fn main() {\n a\n-b\n+c\n\\ No newline at end of file";
        let table = [
            (FileStatus::Modified, Operation::Modified, None),
            (FileStatus::Renamed, Operation::Renamed, Some("old.rs")),
        ];
        for (status, operation, old_path) in table {
            let parsed = together(vec![file("a.rs", status, Some(patch), 1)]);
            assert_eq!(parsed.gaps, []);
            let file = &parsed.files[0];
            assert_eq!((file.path.as_str(), file.operation), ("a.rs", operation));
            assert_eq!(file.old_path.as_ref().map(RepoPath::as_str), old_path);
            assert_eq!(file.line_counts(), (1, 1));
            assert_eq!(file.hunks()[0].heading.trim(), "fn main() {");
        }
        let parsed = together(vec![
            file("new.rs", FileStatus::Added, Some("@@ -0,0 +1 @@\n+a"), 1),
            file("gone.rs", FileStatus::Removed, Some("@@ -1 +0,0 @@\n-a"), 1),
        ]);
        assert_eq!(parsed.gaps, []);
        let told: Vec<_> = parsed.files.iter().map(|file| (file.operation, file.line_counts())).collect();
        assert_eq!(told, [(Operation::Added, (1, 0)), (Operation::Deleted, (0, 1))]);
    }

    #[test]
    fn a_name_is_never_taken_for_a_diff() {
        let name = "x\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-a\n+b";
        let parsed = together(vec![file(name, FileStatus::Modified, Some("@@ -1 +1 @@\n-a\n+b"), 1)]);
        assert_eq!(parsed.files.len(), 1);
        assert_eq!(parsed.files[0].path.as_str(), name);
    }

    #[test]
    fn every_file_without_lines_is_a_gap_that_names_it() {
        let two = "@@ -1 +1 @@\n-a\n+b\n--- a/other\n+++ b/other\n@@ -1 +1 @@\n-a\n+b";
        let parsed = together(vec![
            file("image.png", FileStatus::Added, None, 0),
            file("huge.json", FileStatus::Modified, None, 90_000),
            file("moved.rs", FileStatus::Renamed, None, 0),
            file("broken.rs", FileStatus::Modified, Some("not a diff"), 1),
            file("two.rs", FileStatus::Modified, Some(two), 1),
        ]);
        assert_eq!(parsed.files.len(), 5);
        let gaps: Vec<_> = parsed
            .gaps
            .iter()
            .map(|gap| (gap.kind, gap.file.as_ref().map_or("", |file| file.as_str())))
            .collect();
        assert_eq!(
            gaps,
            [
                (GapKind::Binary, "image.png"),
                (GapKind::TooLarge, "huge.json"),
                (GapKind::Binary, "moved.rs"),
                (GapKind::Unreadable, "broken.rs"),
                (GapKind::Unreadable, "two.rs"),
            ]
        );
    }

    #[test]
    fn files_that_github_does_not_list_are_a_gap() {
        let one = || vec![file("a.rs", FileStatus::Modified, Some("@@ -1 +1 @@\n-a\n+b"), 1)];
        let parsed = put_together(Listing { items: one(), rest: Rest::Nothing }, 3_001);
        assert_eq!(parsed.gaps[0].detail, "the change has 3001 files, of which github lists 1");
        let parsed = put_together(Listing { items: one(), rest: Rest::Unread }, 1);
        assert_eq!(parsed.gaps.len(), 1);
    }
}
