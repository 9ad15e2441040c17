//! What manifests and lockfiles of a change say about each other.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use review::change::Operation;
use review::{Change, FileChange, Finding, Hunk, LineKind, RepoPath, Severity};

use crate::new_side::finding;
use crate::{Exists, place};

use super::kind::{Ecosystem, Kind};
use super::scan::{Dependency, dependencies};
use super::sources::is_local;
use super::table;

/// The most lockfiles that are reported one by one.
const MAX_FINDINGS: usize = 5;

/// Compares the manifests and the lockfiles of a change.
pub(crate) fn review_together(change: &Change, exists: Exists<'_>) -> Vec<Finding> {
    let kinds: Vec<(&FileChange, Kind)> = change
        .files
        .iter()
        .filter(|file| file.operation != Operation::Deleted)
        .filter_map(|file| Some((file, Kind::of(file.path.as_str())?)))
        .collect();
    let manifests: BTreeSet<Ecosystem> = kinds
        .iter()
        .filter(|(_, kind)| matches!(kind, Kind::Manifest(_) | Kind::BuildScript(Ecosystem::Python)))
        .map(|(_, kind)| kind.ecosystem())
        .collect();
    let mut findings = Vec::new();
    for (file, kind) in &kinds {
        let Kind::Lock(ecosystem) = kind else { continue };
        if file.operation != Operation::Modified || manifests.contains(ecosystem) {
            continue;
        }
        let new = new_packages(file.hunks());
        if let Some((line, quote, _)) = new.first() {
            let names: Vec<String> = new.iter().map(|(.., name)| format!("`{name}`")).collect();
            let more = match names.len().saturating_sub(MAX_NAMED) {
                0 => String::new(),
                more => format!(", {more} more"),
            };
            let body = format!("New here: {}{more}.", names[..names.len().min(MAX_NAMED)].join(", "));
            let place = (Some((*line, *line)), quote.clone());
            findings.push(finding(&table::LOCK_WITHOUT_MANIFEST, Severity::Low, &file.path, place, &body));
        }
    }
    for (file, kind) in &kinds {
        let Kind::Manifest(ecosystem) = kind else { continue };
        let Some((line, quote)) = changed_dependency(*ecosystem, file) else { continue };
        let changed = |path: &RepoPath| change.files.iter().any(|file| file.path == *path);
        let locks = locks_of(*ecosystem, &file.path);
        if locks.iter().any(&changed) {
            continue;
        }
        // Where nobody can say whether there is a lockfile, there is nothing to say.
        let Some(lock) = locks.iter().find(|lock| exists(lock) == Some(true)) else { continue };
        let body = format!("`{}` stays as it was.", review::text::visible(lock.as_str()));
        let place = (Some((line, line)), quote);
        findings.push(finding(&table::MANIFEST_WITHOUT_LOCK, Severity::Low, &file.path, place, &body));
    }
    findings.truncate(MAX_FINDINGS);
    findings
}

/// The most names that one finding lists.
const MAX_NAMED: usize = 8;

/// How lockfiles write the name of a package that they pin.
static NAMES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)^name\s=\s"(?<toml>[^"]+)" | ^\s+"(?:[^"]*/)?node_modules/(?<npm>[^"]+)":\s\{ | ^"?(?<yarn>@?[^@"\s]+)@[^:]+:[^:]*:?$
        | ^\s\s'?/?(?<pnpm>@?[^@'\s]+)@[^:]+:$ | ^(?<go>\S+)\sv\S+\sh1: | ^\s{4}(?<gem>[\w.-]+)\s\( | ^\s{8,12}"name":\s"(?<composer>[\w.-]+/[\w.-]+)""#,
    )
    .expect("a test compiles it")
});

/// The packages that a lockfile names now and did not name in what the hunks show of it before: line, quote and name.
fn new_packages(hunks: &[Hunk]) -> Vec<(u32, String, String)> {
    let name = |line: &str| -> Option<String> {
        let found = NAMES.captures(line)?;
        found.iter().skip(1).flatten().next().map(|name| name.as_str().to_owned())
    };
    let lines = || hunks.iter().flat_map(Hunk::lines);
    let mut known: BTreeSet<String> =
        lines().filter(|line| line.kind != LineKind::Added).filter_map(|line| name(line.text)).collect();
    let mut new = Vec::new();
    for line in lines().filter(|line| line.kind == LineKind::Added) {
        if let (Some(number), Some(name)) = (line.new, name(line.text))
            && known.insert(name.clone())
        {
            new.push((number, place::quote(line.text, 0), review::text::visible(&name)));
        }
    }
    new
}

/// The lockfiles that could pin a manifest: beside it, or in a folder above it.
fn locks_of(ecosystem: Ecosystem, manifest: &RepoPath) -> Vec<RepoPath> {
    let mut folder = manifest.as_str();
    let mut locks = Vec::new();
    loop {
        folder = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        locks.extend(ecosystem.lock_names().iter().map(|name| RepoPath::from(&*format!("{prefix}{name}"))));
        if folder.is_empty() {
            return locks;
        }
    }
}

/// The part of what is wanted that a lockfile answers to: not the features.
fn version(wanted: &str) -> &str {
    wanted.split("features").next().unwrap_or(wanted).trim_matches([' ', ',', '{', '}', '"'])
}

/// The first line that names a dependency or a version that the old lines did not.
fn changed_dependency(ecosystem: Ecosystem, file: &FileChange) -> Option<(u32, String)> {
    if file.operation != Operation::Modified {
        return None;
    }
    let path = file.path.as_str();
    for hunk in file.hunks() {
        let side = |other: LineKind| -> Vec<Dependency> {
            let lines = hunk.lines().filter(|line| line.kind != other);
            dependencies(
                ecosystem,
                path,
                lines.map(|line| (line.new.or(line.old).unwrap_or_default(), line.text)),
                false,
            )
        };
        let of = |one: Dependency| (one.name, version(&one.wanted).to_owned());
        let old: Vec<(String, String)> = side(LineKind::Added).into_iter().map(of).collect();
        for one in side(LineKind::Removed) {
            let line = hunk.lines().find(|line| line.kind == LineKind::Added && line.new == Some(one.line));
            // What was indirect before is pinned already.
            let mut lines = file.hunks().iter().flat_map(Hunk::lines);
            let was_there = lines.any(|line| {
                line.kind != LineKind::Added
                    && line.text.contains(&one.name)
                    && line.text.contains(version(&one.wanted))
            });
            if was_there {
                continue;
            }
            let number = one.line;
            if let (Some(line), false) = (line, is_local(&one.wanted) || old.contains(&of(one))) {
                return Some((number, place::quote(line.text, 0)));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_new_where_the_lockfile_did_not_name_it_before() {
        let new = |body: &str| -> Vec<String> {
            let hunk = Hunk::new(1, 1, String::new(), body.to_owned(), false);
            new_packages(&[hunk]).into_iter().map(|(.., name)| name).collect()
        };
        assert_eq!(new(" [[package]]\n name = \"a\"\n-version = \"1\"\n+version = \"2\"\n"), [] as [&str; 0]);
        assert_eq!(new("+[[package]]\n+name = \"b\"\n+version = \"2\"\n"), ["b"]);
        assert_eq!(new("+    \"node_modules/@a/b\": {\n"), ["@a/b"]);
        assert_eq!(
            new("-a@^1.0.0:\n-  version \"1.0.0\"\n+a@^1.1.0:\n+  version \"1.1.0\"\n+\"@c/d@^1.0.0\":\n"),
            ["@c/d"]
        );
        assert_eq!(
            new("-x.example/a v1.0.0 h1:x=\n+x.example/a v1.1.0 h1:y=\n+x.example/b v1.0.0 h1:z=\n"),
            ["x.example/b"]
        );
        assert_eq!(new("-    rails (7.0)\n+    rails (8.0)\n+    zeitwerk (2.6)\n"), ["zeitwerk"]);
    }
}
