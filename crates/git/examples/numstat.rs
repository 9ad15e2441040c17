//! Compares the reader of diffs with git itself, on every commit of real repositories.
//!
//! `numstat [--last N] REPO... [-- DIFF-OPTION...]` reads the diff of each commit against its first parent and
//! demands of each file the same path and the same counts of added and removed lines as `git diff-tree --numstat
//! -z` (a binary file has none). It prints every difference and a line of totals for each repository; its exit
//! code is 1 if there was a difference or a gap.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::{Command, ExitCode};

use review::change::Content;
use review::diff::{self, Parsed};
use review::{FileChange, GapKind, RepoPath};

/// What one side says of one commit. A path that occurs twice (a change of type is a deletion and an addition in
/// a diff, and one line of a numstat) is added up.
type Counts = BTreeMap<RepoPath, Count>;

#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    added: u64,
    removed: u64,
    is_binary: bool,
}

impl Count {
    /// Adds what a file has; `None` for a binary one.
    fn add(&mut self, lines: Option<(u64, u64)>) {
        let (added, removed) = lines.unwrap_or_default();
        self.added += added;
        self.removed += removed;
        self.is_binary |= lines.is_none();
    }
}

#[derive(Default)]
struct Totals {
    commits: u64,
    files: u64,
    lines: u64,
    differences: u64,
    /// Commits of which git itself lacks objects (in a partial copy).
    unreadable: u64,
}

fn main() -> io::Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let (mut last, mut repositories) = (u64::MAX, Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--" => break,
            "--last" => last = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(last),
            _ => repositories.push(argument),
        }
    }
    let options: Vec<_> = arguments.collect();
    let mut stdout = io::stdout();
    let mut differences = 0;
    for repository in repositories {
        let totals = compare(&repository, last, &options, &mut stdout)?;
        let Totals { commits, files, lines, unreadable, .. } = totals;
        let counts = format!("{commits} commits, {files} files, {lines} changed lines");
        let rest = format!("{} differences, {unreadable} commits that git cannot diff", totals.differences);
        writeln!(stdout, "{repository}: {counts}: {rest}")?;
        differences += totals.differences;
    }
    Ok(if differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn compare(repository: &str, last: u64, options: &[String], out: &mut impl Write) -> io::Result<Totals> {
    let mut totals = Totals::default();
    for commit in list_commits(repository, last)? {
        let patch = diff_tree(repository, &commit, &["--patch", "--full-index"], options)?;
        let numstat = diff_tree(repository, &commit, &["--numstat", "-z"], options)?;
        let (Some(patch), Some(numstat)) = (patch, numstat) else {
            totals.unreadable += 1;
            continue;
        };
        let parsed = diff::parse(&patch);
        totals.commits += 1;
        totals.files += parsed.files.len() as u64;
        let counts = parsed.files.iter().map(FileChange::line_counts);
        totals.lines += counts.map(|(added, removed)| added + removed).sum::<u64>();
        for gap in parsed.gaps.iter().filter(|gap| gap.kind != GapKind::Submodule) {
            totals.differences += 1;
            writeln!(out, "{commit}: gap: {:?} {}", gap.file, gap.detail)?;
        }
        let theirs = git_counts(&numstat);
        let ours = our_counts(&parsed, &theirs);
        for path in ours.keys().chain(theirs.keys().filter(|path| !ours.contains_key(path))) {
            if ours.get(path) != theirs.get(path) {
                totals.differences += 1;
                writeln!(
                    out,
                    "{commit}: {path}: read {:?}, git says {:?}",
                    ours.get(path),
                    theirs.get(path)
                )?;
            }
        }
    }
    Ok(totals)
}

fn our_counts(parsed: &Parsed, theirs: &Counts) -> Counts {
    let mut counts = Counts::new();
    for file in &parsed.files {
        let is_submodule = |mode: Option<u32>| mode == Some(0o160_000);
        let count = match file.content {
            Content::Binary => None,
            // git counts the line that names the submodule's commit; for us it is no text.
            Content::Nothing if is_submodule(file.modes.0) || is_submodule(file.modes.1) => {
                Some((u64::from(is_submodule(file.modes.1)), u64::from(is_submodule(file.modes.0))))
            }
            // A binary file that only moved or changed its mode: the diff shows nothing of what it is.
            Content::Nothing if theirs.get(&file.path).is_some_and(|count| count.is_binary) => None,
            Content::Text(_) | Content::Nothing => Some(file.line_counts()),
        };
        counts.entry(file.path.clone()).or_default().add(count);
    }
    counts
}

/// Reads `ADDED TAB REMOVED TAB PATH NUL`, or `… TAB NUL OLD NUL NEW NUL` for a file that moved, up to an empty
/// field: options like `-U0` make git write the patch as well, behind one.
fn git_counts(bytes: &[u8]) -> Counts {
    let mut counts = Counts::new();
    let mut fields = bytes.split(|&byte| byte == 0);
    while let Some(field) = fields.next().filter(|field| !field.is_empty()) {
        let mut parts = field.splitn(3, |&byte| byte == b'\t');
        let (Some(added), Some(removed), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let path = if path.is_empty() { fields.nth(1).unwrap_or_default() } else { path };
        let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse::<u64>().ok();
        let count = number(added).zip(number(removed));
        counts.entry(RepoPath::from_bytes(path)).or_default().add(count);
    }
    counts
}

fn list_commits(repository: &str, last: u64) -> io::Result<Vec<String>> {
    let mut command = git(repository);
    command.args(["rev-list", "HEAD"]);
    if last < u64::MAX {
        command.arg(format!("--max-count={last}"));
    }
    Ok(String::from_utf8_lossy(&command.output()?.stdout).lines().map(str::to_owned).collect())
}

/// The diff of a commit against its first parent; `None` where git has not got all objects.
fn diff_tree(
    repository: &str,
    commit: &str,
    format: &[&str],
    options: &[String],
) -> io::Result<Option<Vec<u8>>> {
    let mut command = git(repository);
    command.args(["diff-tree", "--no-commit-id", "--root", "-r", "--diff-merges=first-parent", "-M"]);
    let output = command.args(format).args(options).arg(commit).output()?;
    Ok(output.status.success().then_some(output.stdout))
}

fn git(repository: &str) -> Command {
    let mut command = Command::new("git");
    command.args(["-C", repository]).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    command
}
