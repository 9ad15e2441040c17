//! What manifests and lockfiles of a change say about each other.

use std::collections::BTreeSet;

use review::change::{Content, Operation};
use review::{Change, FileChange, Finding, LineKind, RepoPath, Severity};

use crate::Exists;
use crate::new_side::finding;

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
        let changed = file.operation == Operation::Modified && !matches!(file.content, Content::Nothing);
        if changed && !manifests.contains(ecosystem) {
            let rule = &table::LOCK_WITHOUT_MANIFEST;
            findings.push(finding(rule, Severity::Low, &file.path, (None, String::new()), ""));
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
            let was_there = hunk.lines().any(|line| {
                line.kind != LineKind::Added
                    && line.text.contains(&one.name)
                    && line.text.contains(version(&one.wanted))
            });
            if was_there {
                continue;
            }
            let number = one.line;
            if let (Some(line), false) = (line, is_local(&one.wanted) || old.contains(&of(one))) {
                return Some((number, crate::place::quote(line.text, 0)));
            }
        }
    }
    None
}
