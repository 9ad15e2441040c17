//! What one changed file is: tries the rules on its paths and its lines.

use std::collections::BTreeMap;

use super::exports::{Fate, lost_exports};
use super::rules::{ClassifyRules, Mark};
use super::table::Scope;
use super::{FileClass, Label, Reversibility, Risk};
use crate::change::Content;
use crate::{FileChange, LineKind, RepoPath, text};

/// Git's modes of what is no plain text: a symbolic link and a program.
const NO_DOCUMENT: [u32; 2] = [0o120_000, 0o100_755];

/// How much of a path a reason shows, in bytes.
const PATH_SHOWN: usize = 200;

/// One reason for a label of a file.
#[derive(Debug, Clone)]
pub(super) struct Sighting {
    pub(super) label: Label,
    /// The rule, by what it says. Reasons of one rule are one reason, told once.
    pub(super) rule: String,
    /// The reason with its place.
    pub(super) text: String,
    pub(super) risk: Risk,
    pub(super) reversibility: Reversibility,
}

/// Classifies one file, and says why.
pub(super) fn classify_file(file: &FileChange, rules: &ClassifyRules) -> (FileClass, Vec<Sighting>) {
    let mut paths = vec![file.path.as_str()];
    paths.extend(file.old_path.as_ref().map(RepoPath::as_str));
    let lines = read_lines(file, rules);
    let named = match_paths(&paths, rules);

    let code = paths.iter().any(|path| rules.is_code_path(&RepoPath::from(*path))) || lines.shebang;
    let everywhere = |label: Label| {
        paths.iter().all(|path| named.iter().any(|found| found.label == label && found.path == *path))
    };
    let mut kind = Kind { code, tests: everywhere(Label::Tests), docs: false };
    // What instructs a model is no document, whatever its extension.
    let instructs = named.iter().any(|found| found.label == Label::Prompts && kind.is_in(found.scope))
        || lines.first.keys().map(|&rule| &rules.lines[rule]).any(|rule| {
            rule.label == Label::Prompts
                && rule.scope.reaches_documents()
                && kind.is_in(rule.scope)
                && rule.applies_to(&paths)
        });
    let no_document =
        [file.modes.0, file.modes.1].into_iter().flatten().any(|mode| NO_DOCUMENT.contains(&mode));
    kind.docs = everywhere(Label::Docs) && !code && !instructs && !no_document;
    // A document beside tests is a document.
    kind.tests &= !kind.docs;
    let Kind { code, tests, docs } = kind;
    let binary = matches!(file.content, Content::Binary);

    let shown = text::shorten(&text::visible(file.path.as_str()), PATH_SHOWN);
    let mut sightings = Vec::new();
    for found in &named {
        // These three leave lenses out, so that half a match or a name alone does not give them.
        let half = [(Label::Docs, docs), (Label::Tests, tests), (Label::Binary, binary)];
        if half.contains(&(found.label, false)) || !kind.is_in(found.scope) {
            continue;
        }
        let place = text::shorten(&text::visible(found.path), PATH_SHOWN);
        sightings.push(Sighting {
            label: found.label,
            rule: found.reason.to_owned(),
            text: format!("{place}: {} ({})", found.reason, found.glob),
            risk: found.risk,
            reversibility: found.reversibility,
        });
    }
    let down_file = paths.iter().all(|path| rules.down_paths.is_match(path));
    for (&index, seen) in &lines.first {
        let rule = &rules.lines[index];
        if !kind.is_in(rule.scope) || !rule.applies_to(&paths) {
            continue;
        }
        let undoes = down_file || seen.only_in_down;
        sightings.push(Sighting {
            label: rule.label,
            rule: rule.reason.clone(),
            text: match seen.kind {
                LineKind::Removed => format!("{shown}, removed line {}: {}", seen.line, rule.reason),
                LineKind::Added | LineKind::Context => {
                    format!("{shown}, line {}: {}", seen.line, rule.reason)
                }
            },
            risk: rule.risk,
            // What the down part of a migration drops is what its up part made.
            reversibility: if rule.label == Label::Database && undoes {
                rule.reversibility.min(Reversibility::Costly)
            } else {
                rule.reversibility
            },
        });
    }
    if code && !tests {
        sightings.extend(export_sightings(file, rules, &shown));
    }
    if binary && (code || sightings.iter().all(|sighting| sighting.label != Label::Binary)) {
        sightings.push(binary_sighting(&shown, code, docs, rules));
    }
    if tests {
        for sighting in sightings.iter_mut().filter(|sighting| sighting.label != Label::Prompts) {
            sighting.risk = sighting.risk.min(Risk::Medium);
        }
    }
    let mut labels: Vec<Label> = sightings.iter().map(|sighting| sighting.label).collect();
    labels.sort_unstable();
    labels.dedup();
    // What is not text is as risky as its kind says.
    let base = if docs || tests || binary { Risk::Low } else { Risk::Medium };
    let risk = sightings.iter().map(|sighting| sighting.risk).fold(base, Risk::max);
    (FileClass { path: file.path.clone(), labels, code, risk }, sightings)
}

/// What decides which rules look at a file.
#[derive(Clone, Copy)]
struct Kind {
    code: bool,
    tests: bool,
    docs: bool,
}

impl Kind {
    fn is_in(self, scope: Scope) -> bool {
        match scope {
            Scope::Production => !self.docs && !self.tests,
            Scope::ProductionCode => self.code && !self.tests,
            Scope::Code => self.code,
            Scope::NotTests => !self.tests,
            Scope::Any => true,
        }
    }
}

/// A glob that one of the file's paths matches.
struct NamedPath<'a> {
    label: Label,
    path: &'a str,
    glob: &'a str,
    reason: &'a str,
    scope: Scope,
    risk: Risk,
    reversibility: Reversibility,
}

/// The first matching glob of each rule, for each path.
fn match_paths<'a>(paths: &[&'a str], rules: &'a ClassifyRules) -> Vec<NamedPath<'a>> {
    let mut named = Vec::new();
    for set in &rules.paths {
        let Some(label) = rules.label(set.label) else { continue };
        for &path in paths {
            let mut last_rule = None;
            for glob in set.set.matches(path) {
                let (rule_index, glob) = &set.globs[glob];
                let seen_before = last_rule.replace(*rule_index) == Some(*rule_index);
                if seen_before || set.except[*rule_index].is_match(path) {
                    continue;
                }
                let rule = &label.path[*rule_index];
                named.push(NamedPath {
                    label: set.label,
                    path,
                    glob,
                    reason: &rule.reason,
                    scope: rule.scope,
                    risk: rule.risk.unwrap_or(label.risk),
                    reversibility: rule.reversibility,
                });
            }
        }
    }
    named
}

/// What the patterns saw in a file.
#[derive(Default)]
struct LinesSeen {
    /// By rule, where it matched first.
    first: BTreeMap<usize, Seen>,
    /// Whether the first line of the file names an interpreter.
    shebang: bool,
}

struct Seen {
    line: u32,
    kind: LineKind,
    /// Whether every match was in a part of a migration that undoes the other part.
    only_in_down: bool,
}

fn read_lines(file: &FileChange, rules: &ClassifyRules) -> LinesSeen {
    let mut seen = LinesSeen::default();
    for hunk in file.hunks() {
        let mut down = false;
        rules.context.matches(&hunk.heading, |mark| match mark {
            Mark::DownStarts => down = true,
            Mark::DownEnds => down = false,
            Mark::Rule(_) => {}
        });
        for line in hunk.lines() {
            let set = match line.kind {
                LineKind::Added => &rules.added,
                LineKind::Removed => &rules.removed,
                LineKind::Context => &rules.context,
            };
            let number = line.new.or(line.old).unwrap_or(0);
            if number == 1 && rules.is_code_shebang(line.text) {
                seen.shebang = true;
            }
            let mut rules_seen = Vec::new();
            set.matches(line.text, |mark| match mark {
                Mark::DownStarts => down = true,
                Mark::DownEnds => down = false,
                Mark::Rule(rule) => rules_seen.push(rule),
            });
            for rule in rules_seen {
                if rules.lines[rule].first_lines.is_some_and(|limit| number > limit) {
                    continue;
                }
                let first = seen.first.entry(rule).or_insert(Seen {
                    line: number,
                    kind: line.kind,
                    only_in_down: down,
                });
                if first.only_in_down && !down {
                    *first = Seen { line: number, kind: line.kind, only_in_down: false };
                }
            }
        }
    }
    seen
}

fn export_sightings(file: &FileChange, rules: &ClassifyRules, shown: &str) -> Vec<Sighting> {
    let risk = rules.label(Label::PublicApi).map_or(Risk::Medium, |label| label.risk);
    lost_exports(file, rules)
        .into_iter()
        .map(|item| {
            // Whoever calls what has changed is told by his compiler, more often than not; what is gone is gone.
            let (rule, reversibility) = match item.fate {
                Fate::Removed => ("an exported item is gone", Reversibility::Costly),
                Fate::Changed => ("an exported item has another interface", Reversibility::Reversible),
            };
            let name = text::shorten(&text::visible(&item.name), PATH_SHOWN);
            Sighting {
                label: Label::PublicApi,
                rule: rule.to_owned(),
                text: format!("{shown}, removed line {}: {rule}: {name}", item.line),
                risk,
                reversibility,
            }
        })
        .collect()
}

fn binary_sighting(shown: &str, code: bool, docs: bool, rules: &ClassifyRules) -> Sighting {
    let (rule, risk) = match (code, docs) {
        (true, _) => ("the diff calls source text binary, so nobody can read it", Risk::High),
        (false, true) => ("not text, in the documentation", Risk::Low),
        (false, false) => ("not text", rules.label(Label::Binary).map_or(Risk::Medium, |label| label.risk)),
    };
    Sighting {
        label: Label::Binary,
        rule: rule.to_owned(),
        text: format!("{shown}: {rule}"),
        risk,
        reversibility: Reversibility::Reversible,
    }
}
