//! Cases from a repository's own history: ranges, and what later commits said of them.
//!
//! What counts as a known issue is decided in [`review::agreement::history`]; its head says how, and what that misses.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use git::{RangeRequest, Repository, ResolvedRange};
use review::agreement::{GoldMode, Known, history};
use review::{Commit, CommitId};

use super::cases::{Case, Cases, Origin, Unusable};

/// Which ranges of which repository.
#[derive(Debug, Clone)]
pub struct Ranges {
    /// The repository.
    pub repository: PathBuf,
    /// One range a line: a commit, or `BASE..HEAD`. `#` begins a comment.
    pub text: String,
    /// Up to where later commits are read.
    pub until: String,
}

/// A known issue of a range as it is written down beside the report, for people to check.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Blamed {
    /// The case.
    pub id: String,
    /// The commit that undid it.
    pub fixed_by: CommitId,
    /// Its subject.
    pub subject: String,
    /// Where it was: files with first and last line.
    pub places: Vec<(String, Option<(u32, u32)>)>,
}

/// Reads the ranges and looks for those that came to fix them.
///
/// # Errors
/// The repository cannot be read, or no range is given. What is wrong with one range is told by [`Cases::unusable`].
pub fn read(ranges: &Ranges) -> Result<(Cases, Vec<Blamed>)> {
    let repository = Repository::open(&ranges.repository)?;
    let lines = ranges.text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let wanted: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    if wanted.is_empty() {
        bail!("could not find a range in the list: give a commit or BASE..HEAD a line");
    }
    let past = Past::read(&repository, &ranges.until)?;
    let (mut cases, mut blamed) = (Cases::default(), Vec::new());
    for range in wanted {
        let read = read_range(range, ranges, &repository, &past).and_then(|(case, found)| {
            if cases.usable.iter().any(|other| other.id == case.id) {
                bail!("another line of the list has the same head");
            }
            Ok((case, found))
        });
        match read {
            Ok((case, found)) => {
                cases.usable.push(case);
                blamed.extend(found);
            }
            Err(error) => cases.unusable.push(Unusable {
                folder: range.to_owned(),
                group: String::new(),
                reason: format!("{error:#}"),
            }),
        }
    }
    Ok((cases, blamed))
}

/// The commits up to where the history is read, newest first, each with the ids that it blames.
struct Past {
    until: String,
    commits: Vec<(Commit, Vec<String>)>,
    ids: BTreeSet<CommitId>,
}

impl Past {
    /// Reads them, the newest [`git::MAX_COMMITS`]: no commit before one that comes after it.
    fn read(repository: &Repository, until: &str) -> Result<Self> {
        let range = repository.range(&RangeRequest::Commit(until.to_owned()))?;
        let (commits, _) = repository.commits_of(&ResolvedRange { base: None, merge_base: None, ..range })?;
        let ids = commits.iter().map(|commit| commit.id.clone()).collect();
        let commits = commits.into_iter().map(|commit| {
            let ids = history::blamed(&commit.message);
            (commit, ids)
        });
        Ok(Self { until: until.to_owned(), commits: commits.collect(), ids })
    }
}

fn read_range(
    range: &str,
    ranges: &Ranges,
    repository: &Repository,
    past: &Past,
) -> Result<(Case, Vec<Blamed>)> {
    let request = match range.split_once("..") {
        Some((base, head)) if !base.is_empty() && !head.is_empty() => {
            RangeRequest::BaseHead { base: Some(base.to_owned()), head: Some(head.to_owned()) }
        }
        Some(_) => bail!("it names no base or no head: give BASE..HEAD"),
        None => RangeRequest::Commit(range.to_owned()),
    };
    let resolved = repository.range(&request)?;
    let change = repository.gather(&resolved)?;
    if change.files.is_empty() {
        bail!("its diff is empty");
    }
    let commits: Vec<CommitId> = change.commits.iter().map(|commit| commit.id.clone()).collect();
    // All that came after a commit is read before it, so a head that was read is one whose later commits are known.
    if !past.ids.contains(&resolved.head) {
        bail!("its head is not among the newest {} commits of {}", past.ids.len(), past.until);
    }
    let id = resolved.head.short().to_owned();
    let (mut known, mut blamed) = (Vec::<Known>::new(), Vec::new());
    let blaming = past.commits.iter().rev().filter(|(_, ids)| history::names_any(ids, &commits));
    let fixes: Vec<&Commit> = blaming.map(|(commit, _)| commit).collect();
    for fix in &fixes {
        let of_fix = repository.range(&RangeRequest::Commit(fix.id.to_string()))?;
        let Some(issue) = history::issue(&change, &repository.gather(&of_fix)?) else { continue };
        blamed.push(Blamed {
            id: id.clone(),
            fixed_by: fix.id.clone(),
            subject: fix.message.lines().next().unwrap_or_default().to_owned(),
            places: issue.places.iter().map(|place| (place.file.clone(), place.lines)).collect(),
        });
        known.push(issue);
    }
    if known.is_empty() && !fixes.is_empty() {
        bail!(
            "{} blames it and touches none of its files, so nobody knows where the issue is",
            fixes[0].id.short()
        );
    }
    let case = Case {
        id,
        group: String::new(),
        origin: Origin::Range { repository: ranges.repository.clone(), request },
        title: String::new(),
        body: String::new(),
        written_by: None,
        mode: GoldMode::Each,
        known,
        disputed: 0,
    };
    Ok((case, blamed))
}

/// The file in which issues of a history are written down, for people to check.
pub fn path(out: &Path) -> PathBuf {
    out.join("history.json")
}

/// Writes down what was taken for an issue.
///
/// # Errors
/// It cannot be written.
pub fn write(blamed: &[Blamed], out: &Path) -> Result<()> {
    let mut text = serde_json::to_vec_pretty(blamed).context("could not write the issues of the history")?;
    text.push(b'\n');
    super::replies::write(&path(out), &text)
}
