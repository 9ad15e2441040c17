//! What a change lets in: new packages, where they come from, what runs when they are installed, and whether their
//! digests still hold.

mod kind;
mod locks;
mod names;
mod readable;
mod scan;
mod scripts;
mod sources;
mod table;
mod together;

use std::collections::BTreeSet;

use review::change::{Content, Operation};
use review::{FileChange, Lens, LineKind, Severity};

use crate::catalogue::RuleInfo;
use crate::new_side::{AddedLines, Found, whole_base, whole_head};
use crate::secrets::Redacted;
use crate::{BINARY, Examined, Family, FileReport, FileView, RuleOptions, Support};

pub(crate) use self::together::review_together;

use self::kind::Kind;
use self::locks::{OddityKind, changed_digests, new_hosts};
use self::scan::{Dependency, dependencies};

/// The family.
pub(crate) const FAMILY: Family =
    Family { lens: Lens::Security, supports, reads_whole_files: true, review, catalogue };

const NOT_SUPPORTED: &str = "it names no dependencies";

/// The most names that one finding lists.
const MAX_NAMED: usize = 8;

fn supports(file: &FileChange) -> Support {
    match (&file.content, Kind::of(file.path.as_str())) {
        (Content::Binary, _) => Support::NotSupported(BINARY),
        (Content::Nothing | Content::Text(_), Some(_)) => Support::Supported,
        (Content::Nothing | Content::Text(_), None) => Support::NotSupported(NOT_SUPPORTED),
    }
}

fn catalogue() -> Vec<RuleInfo> {
    table::RULES.iter().map(|rule| RuleInfo::from(*rule)).collect()
}

/// Looks at what a change adds to a file about dependencies.
fn review(
    view: &FileView<'_>,
    redacted: &Redacted<'_>,
    _options: &RuleOptions,
    report: &mut FileReport,
) -> Examined {
    let Some(kind) = Kind::of(view.file.path.as_str()) else {
        return Examined::NotSupported(NOT_SUPPORTED.to_owned());
    };
    if view.file.operation == Operation::Deleted {
        return Examined::All;
    }
    let added = AddedLines::of(view.file, redacted);
    let mut found = Found::new(&added);
    match kind {
        Kind::Manifest(_) => manifest(kind, view, &added, &mut found),
        Kind::Lock(ecosystem) => {
            let hunks = view.file.hunks();
            // A new lockfile has nothing to compare with.
            let mut oddities = changed_digests(ecosystem, hunks);
            if view.file.operation != Operation::Added {
                oddities.extend(new_hosts(ecosystem, hunks, view.base));
            }
            for oddity in oddities {
                let rule = match oddity.kind {
                    OddityKind::Digest => &table::CHANGED_DIGEST,
                    OddityKind::Host => &table::NEW_HOST,
                };
                match oddity.line {
                    Some(line) => found.at(rule, oddity.severity, line, 0, &oddity.told),
                    None => found.about_file(rule, oddity.severity, &oddity.told),
                }
            }
        }
        Kind::Sources(_) | Kind::BuildScript(_) => {}
    }
    for line in added.iter() {
        if matches!(kind, Kind::Lock(_)) {
            break;
        }
        if let Some((severity, told)) = sources::setting(kind, line.text) {
            found.at(&table::WEAKENED_CHECKS, severity, line.number, 0, told);
        }
        if let Some((severity, told)) = scripts::installs(kind, line.text) {
            found.at(&table::RUNS_ON_INSTALL, severity, line.number, 0, &told);
        }
    }
    found.report(report);
    match whole_head(view).map_or(Ok(()), |head| readable::check(view.file.path.file_name(), &head)) {
        Ok(()) => Examined::All,
        Err(problem) => Examined::Failed(format!("what it names could not be read: {problem}")),
    }
}

fn manifest(kind: Kind, view: &FileView<'_>, added: &AddedLines<'_>, found: &mut Found<'_>) {
    let wanted = named(kind, view);
    let before = named_before(kind, view);
    let changed: Vec<&Dependency> = wanted.iter().filter(|one| added.get(one.line).is_some()).collect();
    let known: BTreeSet<&str> = before.iter().map(|one| one.name.as_str()).collect();
    for one in &changed {
        let same =
            before.iter().any(|old| old.name == one.name && sources::is_same(&old.wanted, &one.wanted));
        if let (Some((severity, told)), false) = (sources::unusual(kind.ecosystem(), one), same) {
            found.at(&table::UNUSUAL_SOURCE, severity, one.line, 0, told);
        }
        if let (Some(like), false) =
            (names::looks_like(kind.ecosystem(), &one.name), known.contains(&*one.name))
        {
            let told = format!("`{}` is not `{like}`.", review::text::visible(&one.name));
            found.at(&table::LOOKALIKE_NAME, Severity::Medium, one.line, 0, &told);
        }
    }
    // All of a new project's dependencies are new.
    if view.file.operation != Operation::Modified {
        return;
    }
    let mut new: Vec<&Dependency> = Vec::new();
    for one in changed {
        let listed = new.iter().any(|other| other.name == one.name);
        let foreign =
            !one.name.is_empty() && !sources::is_local(&one.wanted) && !one.wanted.starts_with("=>");
        if foreign && !known.contains(&*one.name) && !listed {
            new.push(one);
        }
    }
    if let Some(first) = new.first() {
        let mut names: Vec<String> =
            new.iter().take(MAX_NAMED).map(|one| format!("`{}`", review::text::visible(&one.name))).collect();
        if new.len() > MAX_NAMED {
            names.push(format!("{} more", new.len() - MAX_NAMED));
        }
        let told = format!("New here: {}.", names.join(", "));
        found.at(&table::NEW_DEPENDENCY, Severity::Low, first.line, 0, &told);
    }
}

/// What the new file names, or the new side of the hunks.
fn named(kind: Kind, view: &FileView<'_>) -> Vec<Dependency> {
    let path = view.file.path.as_str();
    match whole_head(view) {
        Some(head) => dependencies(kind.ecosystem(), path, (1..).zip(head.lines()), true),
        None => of_hunks(kind, view.file, LineKind::Removed),
    }
}

/// What the old file named, or the old side of the hunks.
fn named_before(kind: Kind, view: &FileView<'_>) -> Vec<Dependency> {
    let path = view.file.path.as_str();
    match whole_base(view) {
        Some(base) => dependencies(kind.ecosystem(), path, (1..).zip(base.lines()), true),
        None => of_hunks(kind, view.file, LineKind::Added),
    }
}

/// What the lines of one side name: those that are not of the other side.
fn of_hunks(kind: Kind, file: &FileChange, other_side: LineKind) -> Vec<Dependency> {
    let of_hunk = |hunk: &review::Hunk| {
        let lines = hunk.lines().filter(|line| line.kind != other_side);
        let numbered = lines.map(|line| (line.new.or(line.old).unwrap_or_default(), line.text));
        dependencies(kind.ecosystem(), file.path.as_str(), numbered, false)
    };
    file.hunks().iter().flat_map(of_hunk).collect()
}

#[cfg(test)]
mod tests;
