//! Gathering a change: the diff, the commits, and what they say of themselves.

use std::process::Command;

use review::change::{Source, Subject, title_and_body};
use review::{Change, Commit, CommitId, Digest, Gap, GapKind, diff};

use crate::GitError;
use crate::log;
use crate::program;
use crate::range::ResolvedRange;
use crate::repository::{HeadName, Repository};

/// Larger diffs are refused: reading one takes somewhat more than twice its size in memory, and no panel could be
/// shown a hundredth of this.
pub const MAX_DIFF_BYTES: u64 = 256 * 1024 * 1024;

/// At most this many commits of a range are read, the newest; the rest is a gap.
pub const MAX_COMMITS: usize = 10_000;

/// What the commits of a range may take together.
const MAX_LOG_BYTES: u64 = 64 * 1024 * 1024;

/// How every diff is made. All that a configuration could set is set here.
const DIFF_OPTIONS: [&str; 17] = [
    "-r",
    "--patch",
    "--unified=3",
    "--inter-hunk-context=0",
    "--diff-algorithm=myers",
    "--indent-heuristic",
    "--find-renames=50%",
    // Beyond this many candidates only exact renames are found: the cost is the square of it.
    "-l1000",
    "--full-index",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-relative",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--submodule=short",
    "--ignore-submodules=none",
];

impl Repository {
    /// Gathers the change of a range.
    ///
    /// # Errors
    /// Where objects are missing (shallow and partial clones), and where the diff is larger than
    /// [`MAX_DIFF_BYTES`].
    pub fn gather(&self, range: &ResolvedRange) -> Result<Change, GitError> {
        let base = range.merge_base.as_ref().map_or(self.object_format.empty_tree(), |base| base.as_str());
        let diff = self.diff_of(base, range.head.as_str())?;
        let parsed = diff::parse(&diff);
        let mut gaps = parsed.gaps;
        let commits = self.commits(range, &mut gaps)?;
        let (title, body) = title_and_body(&commits);
        Ok(Change {
            subject: Subject {
                source: Source::Range { base_ref: range.base_ref.clone(), head_ref: range.head_ref.clone() },
                base: range.merge_base.clone(),
                head: Some(range.head.clone()),
                diff_digest: Digest::of(&diff),
            },
            title,
            body,
            branch: range.branch.clone(),
            commits,
            files: parsed.files,
            gaps,
        })
    }

    /// The diff of two commits, whose history need not be here.
    ///
    /// # Errors
    /// As [`gather`](Self::gather).
    pub fn diff_between(&self, base: &CommitId, head: &CommitId) -> Result<Vec<u8>, GitError> {
        self.diff_of(base.as_str(), head.as_str())
    }

    fn diff_of(&self, base: &str, head: &str) -> Result<Vec<u8>, GitError> {
        let mut command = self.object_command();
        command.arg("diff-tree").args(DIFF_OPTIONS).args([base, head]);
        read_diff(&mut command, "diff-tree", "name a nearer base with --base")
    }

    /// Gathers what is staged, against `HEAD`. Nothing is written, the index neither.
    ///
    /// # Errors
    /// Where objects are missing, and where the diff is larger than [`MAX_DIFF_BYTES`].
    pub fn gather_staged(&self) -> Result<Change, GitError> {
        let base = match self.head {
            HeadName::Unborn => None,
            HeadName::Branch(_) | HeadName::Detached => {
                let id = self.commits_named(&["HEAD"])?.pop().flatten();
                Some(id.ok_or(GitError::Unexpected { task: "cat-file --batch-check" })?)
            }
        };
        let mut command = self.index_command()?;
        command.args(["diff-index", "--cached"]).args(DIFF_OPTIONS);
        command.arg(base.as_ref().map_or(self.object_format.empty_tree(), |base| base.as_str()));
        let diff = read_diff(&mut command, "diff-index", "stage less at once")?;
        let parsed = diff::parse(&diff);
        Ok(Change {
            subject: Subject { source: Source::Staged, base, head: None, diff_digest: Digest::of(&diff) },
            title: String::new(),
            body: String::new(),
            branch: self.branch().map(str::to_owned),
            commits: Vec::new(),
            files: parsed.files,
            gaps: parsed.gaps,
        })
    }

    /// The commits that a range's head has and its base does not, newest first, and what could not be read of them.
    ///
    /// # Errors
    /// Where objects are missing.
    pub fn commits_of(&self, range: &ResolvedRange) -> Result<(Vec<Commit>, Vec<Gap>), GitError> {
        let mut gaps = Vec::new();
        let commits = self.commits(range, &mut gaps)?;
        Ok((commits, gaps))
    }

    /// The commits that the head has and the base does not, newest first.
    fn commits(&self, range: &ResolvedRange, gaps: &mut Vec<Gap>) -> Result<Vec<Commit>, GitError> {
        let mut command = self.object_command();
        command.args(["log", "-z", log::FORMAT, "--topo-order", "--encoding=UTF-8", "--no-show-signature"]);
        command.args(["--no-notes", "--no-decorate", "--no-color", "--no-patch", "--no-mailmap"]);
        command.arg(format!("--max-count={}", MAX_COMMITS + 1)).arg(range.head.as_str());
        if let Some(base) = &range.base {
            command.arg(format!("^{base}"));
        }
        let output = program::run(&mut command, MAX_LOG_BYTES)?.ok_or(GitError::TooLarge {
            what: "the list of commits",
            limit: MAX_LOG_BYTES,
            remedy: "name a nearer base with --base",
        })?;
        let mut commits = log::parse(&output.success("log")?)?;
        if commits.len() > MAX_COMMITS {
            commits.truncate(MAX_COMMITS);
            let detail =
                format!("the range has more than {MAX_COMMITS} commits; the older ones were not looked at");
            gaps.push(Gap { kind: GapKind::TooLarge, file: None, lines: None, detail });
        }
        Ok(commits)
    }
}

fn read_diff(command: &mut Command, task: &'static str, remedy: &'static str) -> Result<Vec<u8>, GitError> {
    let output = program::run(command, MAX_DIFF_BYTES)?;
    output.ok_or(GitError::TooLarge { what: "the diff", limit: MAX_DIFF_BYTES, remedy })?.success(task)
}
