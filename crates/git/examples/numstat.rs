//! Compares the reader of diffs with git itself, on every commit of real repositories.
//!
//! `numstat [--last N] REPO... [-- DIFF-OPTION...]` reads the diff of each commit against its first parent and
//! demands of each file the same path and the same counts of added and removed lines as `git diff-tree --numstat
//! -z` (a binary file has none). It prints every difference and a line of totals for each repository; its exit
//! code is 1 if there was a difference or a gap.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Seek, Write};
use std::process::{ChildStdout, Command, ExitCode, Stdio};

use review::change::Content;
use review::diff::{self, Parsed};
use review::{GapKind, RepoPath};

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
        let Totals { commits, files, lines, .. } = totals;
        writeln!(
            stdout,
            "{repository}: {commits} commits, {files} files, {lines} changed lines, {} differences",
            totals.differences
        )?;
        differences += totals.differences;
    }
    Ok(if differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn compare(repository: &str, last: u64, options: &[String], out: &mut impl Write) -> io::Result<Totals> {
    let commits = list_commits(repository, last)?;
    let mut patches = diff_tree(repository, &commits, &["--patch", "--full-index"], options)?;
    let mut numstats = diff_tree(repository, &commits, &["--numstat", "-z"], options)?;
    let mut totals = Totals::default();
    let (mut patch, mut numstat) = (Vec::new(), Vec::new());
    let mut numstat_ids = commits.iter().peekable();
    let mut patch_ids = commits.iter().peekable();
    while let Some(commit) = patch_ids.next() {
        read_until_commit(&mut patches, commit, patch_ids.peek().copied(), b'\n', &mut patch)?;
        numstat_ids.next();
        read_until_commit(&mut numstats, commit, numstat_ids.peek().copied(), 0, &mut numstat)?;
        let parsed = diff::parse(&patch);
        totals.commits += 1;
        totals.files += parsed.files.len() as u64;
        totals.lines += parsed.files.iter().map(|file| file.line_counts()).map(|(a, r)| a + r).sum::<u64>();
        for gap in parsed.gaps.iter().filter(|gap| gap.kind != GapKind::Submodule) {
            totals.differences += 1;
            writeln!(out, "{commit}: gap: {:?} {}", gap.file, gap.detail)?;
        }
        let (ours, theirs) = (our_counts(&parsed), git_counts(&numstat));
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

fn our_counts(parsed: &Parsed) -> Counts {
    let mut counts = Counts::new();
    for file in &parsed.files {
        let is_submodule = |mode: Option<u32>| mode == Some(0o160_000);
        let count = match file.content {
            Content::Binary => None,
            // git counts the line that names the submodule's commit; for us it is no text.
            Content::Nothing if is_submodule(file.modes.0) || is_submodule(file.modes.1) => {
                Some((u64::from(is_submodule(file.modes.1)), u64::from(is_submodule(file.modes.0))))
            }
            Content::Text(_) | Content::Nothing => Some(file.line_counts()),
        };
        counts.entry(file.path.clone()).or_default().add(count);
    }
    counts
}

/// Reads `ADDED TAB REMOVED TAB PATH NUL`, or `… TAB NUL OLD NUL NEW NUL` for a file that moved.
fn git_counts(bytes: &[u8]) -> Counts {
    let mut counts = Counts::new();
    let mut fields = bytes.split(|&byte| byte == 0);
    while let Some(field) = fields.next() {
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

/// Reads what git wrote for one commit, which starts with its id and ends at the next one's.
///
/// No line of a diff is a bare id: every line of a hunk starts with a marker.
fn read_until_commit(
    reader: &mut impl BufRead,
    commit: &str,
    next: Option<&String>,
    separator: u8,
    bytes: &mut Vec<u8>,
) -> io::Result<()> {
    bytes.clear();
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(separator, &mut line)? == 0 {
            return Ok(());
        }
        let text = line.strip_suffix(&[separator]).unwrap_or(&line);
        if next.is_some_and(|next| text == next.as_bytes()) {
            return Ok(());
        }
        if text != commit.as_bytes() {
            bytes.extend_from_slice(&line);
        }
    }
}

fn list_commits(repository: &str, last: u64) -> io::Result<Vec<String>> {
    let mut command = git(repository);
    command.args(["rev-list", "HEAD"]);
    if last < u64::MAX {
        command.arg(format!("--max-count={last}"));
    }
    Ok(String::from_utf8_lossy(&command.output()?.stdout).lines().map(str::to_owned).collect())
}

/// Starts a `git diff-tree` over all commits, which writes an id before each one's diff.
fn diff_tree(
    repository: &str,
    commits: &[String],
    format: &[&str],
    options: &[String],
) -> io::Result<BufReader<ChildStdout>> {
    let mut stdin = tempfile::tempfile()?;
    stdin.write_all(commits.join("\n").as_bytes())?;
    stdin.write_all(b"\n")?;
    stdin.rewind()?;
    let mut command = git(repository);
    command.args(["diff-tree", "--stdin", "--always", "--root", "-r", "--diff-merges=first-parent", "-M"]);
    let child = command.args(format).args(options).stdin(stdin).stdout(Stdio::piped()).spawn()?;
    Ok(BufReader::new(child.stdout.expect("stdout was asked to be a pipe")))
}

fn git(repository: &str) -> Command {
    let mut command = Command::new("git");
    command.args(["-C", repository]).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.stderr(Stdio::inherit());
    command
}
