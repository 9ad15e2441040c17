//! Which exported items a file lost or changed, by their lines.
//!
//! A heuristic: an item is one line. What is spread over several lines is seen when its first line changes.

use std::collections::{BTreeMap, BTreeSet};

use super::rules::{ClassifyRules, Export};
use crate::{FileChange, Line, LineKind};

/// An exported item that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LostExport {
    /// Its name, as the file had it.
    pub(super) name: String,
    /// Where it was, before the change.
    pub(super) line: u32,
    /// Whether something exported under its name is among the added lines.
    pub(super) fate: Fate,
}

/// What became of an exported item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Removed,
    Changed,
}

/// Finds the exported items that the file lost or changed, in the order of their lines. One that only moved within
/// the file is neither.
pub(super) fn lost_exports(file: &FileChange, rules: &ClassifyRules) -> Vec<LostExport> {
    let extensions =
        [file.path.extension(), file.old_path.as_ref().map_or_else(String::new, |path| path.extension())];
    let exports: Vec<&Export> = rules
        .exports
        .iter()
        .filter(|export| extensions.iter().any(|extension| export.extensions.contains(extension)))
        .collect();
    if exports.is_empty() {
        return Vec::new();
    }
    let removed = items(file, &exports, LineKind::Removed);
    if removed.is_empty() {
        return Vec::new();
    }
    let mut kept: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for item in items(file, &exports, LineKind::Added) {
        kept.entry(item.name).or_default().insert(item.interface);
    }
    removed
        .into_iter()
        .filter_map(|item| {
            let fate = match kept.get(&item.name) {
                Some(interfaces) if interfaces.contains(&item.interface) => return None,
                Some(_) => Fate::Changed,
                None => Fate::Removed,
            };
            Some(LostExport { name: item.name, line: item.line, fate })
        })
        .collect()
}

struct Item {
    name: String,
    interface: String,
    line: u32,
}

fn items(file: &FileChange, exports: &[&Export], kind: LineKind) -> Vec<Item> {
    let lines = file.hunks().iter().flat_map(|hunk| hunk.lines()).filter(|line| line.kind == kind);
    lines.filter_map(|line| exports.iter().find_map(|export| item(&line, export))).collect()
}

fn item(line: &Line<'_>, export: &Export) -> Option<Item> {
    let captures = export.pattern().captures(line.text.as_bytes())?;
    let name = String::from_utf8_lossy(captures.name("name")?.as_bytes()).into_owned();
    let interface = String::from_utf8_lossy(captures.get(0)?.as_bytes())
        .split(|character: char| character.is_ascii_whitespace())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    Some(Item { name, interface, line: line.old.or(line.new).unwrap_or(0) })
}
