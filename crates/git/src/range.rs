//! Which two commits are compared, and how that was decided.

use review::CommitId;

use crate::GitError;
use crate::program;
use crate::repository::{HeadName, Repository};
use crate::trees;

/// Where the default branch is looked for; the first that exists is taken.
const DEFAULT_BRANCHES: [&str; 5] = [
    "refs/remotes/origin/HEAD",
    "refs/heads/main",
    "refs/heads/master",
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
];

/// At most this much is read of an answer that is one id, or of a commit without its message.
const MAX_COMMIT_BYTES: u64 = 16 * 1024 * 1024;

/// What somebody asked to have reviewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RangeRequest {
    /// The current branch against the default branch; on that branch itself the last commit.
    Default,
    /// A head against its merge base with a base.
    BaseHead {
        /// The base; without one the default branch.
        base: Option<String>,
        /// The head; without one `HEAD`.
        head: Option<String>,
    },
    /// One commit against its first parent.
    Commit(String),
}

/// Two commits, and how they were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedRange {
    /// What is compared.
    pub kind: RangeKind,
    /// What the base was called.
    pub base_ref: String,
    /// What the head was called.
    pub head_ref: String,
    /// The tip of the base, where policy is read from; `None` is the empty tree.
    pub base: Option<CommitId>,
    /// Where the diff starts: the merge base, or the first parent; `None` is the empty tree.
    pub merge_base: Option<CommitId>,
    /// The commit that is reviewed.
    pub head: CommitId,
    /// The head's branch, if it is one.
    pub branch: Option<String>,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeKind {
    /// All that a head has and its base does not.
    Branch,
    /// One commit, because somebody asked for it or because the head adds nothing to the default branch.
    Commit {
        /// How many parents it has; the first one counts.
        parents: usize,
    },
}

impl ResolvedRange {
    /// What is compared, for people: `topic against main (from their merge base 0123456789ab)`.
    pub fn words(&self) -> String {
        // A head that is named by its id needs no id beside it, and neither does a base that is its own merge base.
        let head = match self.head.as_str().starts_with(&self.head_ref) {
            true => self.head.short().to_owned(),
            false => format!("{} ({})", self.head_ref, self.head.short()),
        };
        match (self.kind, &self.merge_base) {
            (RangeKind::Branch, Some(merge_base)) if merge_base.as_str().starts_with(&self.base_ref) => {
                format!("{head} against {}", merge_base.short())
            }
            (RangeKind::Branch, Some(merge_base)) => {
                format!("{head} against {}, from their merge base {}", self.base_ref, merge_base.short())
            }
            (RangeKind::Branch, None) => format!("{head} against nothing"),
            (RangeKind::Commit { parents: 0 }, _) | (RangeKind::Commit { .. }, None) => {
                format!("the first commit {head}, against nothing")
            }
            (RangeKind::Commit { parents: 1 }, Some(parent)) => {
                format!("the commit {head} against its parent {}", parent.short())
            }
            (RangeKind::Commit { parents: _ }, Some(parent)) => {
                format!("the merge {head} against its first parent {}", parent.short())
            }
        }
    }
}

impl Repository {
    /// Finds out which commits are meant.
    ///
    /// # Errors
    /// Where a name names nothing, where there is no common commit, or where a shallow clone lacks what is needed.
    pub fn range(&self, request: &RangeRequest) -> Result<ResolvedRange, GitError> {
        match request {
            RangeRequest::Default => self.branch_range(None, None),
            RangeRequest::BaseHead { base, head } => self.branch_range(base.as_deref(), head.as_deref()),
            RangeRequest::Commit(name) => {
                let [head, local, remote] = self.three_named([name, &local(name), &remote(name)])?;
                let head = head.ok_or_else(|| self.unknown(name))?;
                let branch = self.branch_of(name, &head, local.as_ref(), remote.as_ref());
                self.commit_range(name.clone(), head, branch)
            }
        }
    }

    fn branch_range(&self, base: Option<&str>, head: Option<&str>) -> Result<ResolvedRange, GitError> {
        let head_name = head.unwrap_or("HEAD");
        if head_name == "HEAD" && self.head == HeadName::Unborn {
            return Err(GitError::NoCommit);
        }
        let (head_local, head_remote) = (local(head_name), remote(head_name));
        let base_remote = base.map(|name| format!("refs/remotes/origin/{name}"));
        let mut names = vec![head_name, &head_local, &head_remote];
        match (base, &base_remote) {
            (Some(base), Some(base_remote)) => names.extend([base, base_remote.as_str()]),
            (_, _) => names.extend(DEFAULT_BRANCHES),
        }
        let ids = self.commits_named(&names)?;
        let head = ids[0].clone().ok_or_else(|| self.unknown(head_name))?;
        let branch = self.branch_of(head_name, &head, ids[1].as_ref(), ids[2].as_ref());
        let found = names[3..].iter().zip(&ids[3..]).find_map(|(name, id)| Some((*name, id.clone()?)));
        let Some((base_name, base_id)) = found else {
            return match base {
                Some(name) => Err(self.unknown(name)),
                None => self.commit_range(head_name.to_owned(), head, branch),
            };
        };
        let merge_base = self.merge_base(&base_id, &head)?.ok_or_else(|| GitError::NoMergeBase {
            base: short_name(base_name).to_owned(),
            head: head_name.to_owned(),
            is_shallow: self.is_shallow,
        })?;
        if base.is_none() && merge_base == head {
            return self.commit_range(head_name.to_owned(), head, branch);
        }
        Ok(ResolvedRange {
            kind: RangeKind::Branch,
            base_ref: short_name(base_name).to_owned(),
            head_ref: self.head_ref(head_name),
            base: Some(base_id),
            merge_base: Some(merge_base),
            head,
            branch,
        })
    }

    fn commit_range(
        &self,
        name: String,
        head: CommitId,
        branch: Option<String>,
    ) -> Result<ResolvedRange, GitError> {
        let parents = self.parents(&head)?;
        let parent = parents.first().cloned();
        if self.is_shallow
            && let Some(parent) = &parent
            && self.commits_named(&[parent.as_str()])?[0].is_none()
        {
            return Err(GitError::ShallowParent { commit: head });
        }
        Ok(ResolvedRange {
            kind: RangeKind::Commit { parents: parents.len() },
            base_ref: parent.as_ref().map_or("nothing", CommitId::short).to_owned(),
            head_ref: self.head_ref(&name),
            base: parent.clone(),
            merge_base: parent,
            head,
            branch,
        })
    }

    /// The parents of a commit as it names them, whether they are here or not.
    fn parents(&self, commit: &CommitId) -> Result<Vec<CommitId>, GitError> {
        let mut command = self.object_command();
        command.args(["cat-file", "commit", commit.as_str()]);
        let output = program::run(&mut command, MAX_COMMIT_BYTES)?;
        let bytes = output.ok_or(GitError::Unexpected { task: "cat-file" })?.success("cat-file")?;
        Ok(trees::parents(&bytes))
    }

    fn merge_base(&self, base: &CommitId, head: &CommitId) -> Result<Option<CommitId>, GitError> {
        if base == head {
            return Ok(Some(head.clone()));
        }
        let mut command = self.object_command();
        command.args(["merge-base", base.as_str(), head.as_str()]);
        let output = program::run(&mut command, MAX_COMMIT_BYTES)?
            .ok_or(GitError::Unexpected { task: "merge-base" })?;
        if output.status.code() == Some(1) && output.stdout.is_empty() {
            return Ok(None);
        }
        let stdout = output.success("merge-base")?;
        let id = std::str::from_utf8(&stdout).ok().and_then(|id| CommitId::new(id.trim_end()));
        id.map(Some).ok_or(GitError::Unexpected { task: "merge-base" })
    }

    fn three_named(&self, names: [&str; 3]) -> Result<[Option<CommitId>; 3], GitError> {
        self.commits_named(&names)?.try_into().map_err(|_| GitError::Unexpected { task: "cat-file" })
    }

    /// The branch that a name stands for, local or of a remote.
    fn branch_of(
        &self,
        name: &str,
        head: &CommitId,
        local: Option<&CommitId>,
        remote: Option<&CommitId>,
    ) -> Option<String> {
        let name = short_name(name);
        if name == "HEAD" || name == "@" {
            return self.branch().map(str::to_owned);
        }
        if local == Some(head) {
            return Some(name.to_owned());
        }
        (remote == Some(head)).then(|| name.split_once('/').map_or(name, |(_, branch)| branch).to_owned())
    }

    /// What to call the head: the branch where `HEAD` was asked for.
    fn head_ref(&self, name: &str) -> String {
        match self.branch() {
            Some(branch) if name == "HEAD" => branch.to_owned(),
            Some(_) | None => short_name(name).to_owned(),
        }
    }

    fn unknown(&self, name: &str) -> GitError {
        GitError::UnknownRevision { name: name.to_owned(), is_shallow: self.is_shallow }
    }
}

fn local(name: &str) -> String {
    format!("refs/heads/{}", short_name(name))
}

fn remote(name: &str) -> String {
    format!("refs/remotes/{}", short_name(name))
}

/// A reference's name without `refs/heads/` or `refs/remotes/`.
fn short_name(name: &str) -> &str {
    name.strip_prefix("refs/heads/").or_else(|| name.strip_prefix("refs/remotes/")).unwrap_or(name)
}
