//! Which lens saw which hunk, and what nobody saw (law 4).
//!
//! A hunk is covered through a lens when reviewers of that lens that ended `answered` had all of it before them,
//! and these reviewers are enough for what independence asks. The rules cover only what models are not asked
//! about. Everything else is listed, with its reason.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::change::{Change, Content, Gap, GapKind, Hunk, Side};
use crate::outcome::{Ending, Outcome, RulesMiss};
use crate::panel::{Asked, LensPanel, LensWish, Need, Panel, Reviewer, ShareNeed};
use crate::policy::{PathRule, Policy};
use crate::prompt::MAX_LINE_BYTES;
use crate::{Lens, Lineage, RepoPath};

/// What coverage is computed from.
#[derive(Debug, Clone, Copy)]
pub struct CoverageInput<'a> {
    /// The change.
    pub change: &'a Change,
    /// What each lens should have looked at.
    pub wishes: &'a [LensWish],
    /// Who was seated.
    pub panel: &'a Panel,
    /// How they ended.
    pub outcomes: &'a [Outcome],
    /// What the rules could not look at.
    pub rules_misses: &'a [RulesMiss],
    /// What the operator and the base ask for.
    pub policy: &'a Policy,
}

/// Which lens saw what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// All hunks of the change.
    pub hunks: usize,
    /// The lenses in the panel's order.
    pub lenses: Vec<LensCoverage>,
    /// What nobody saw, and why: gaps of the reading and of the reviewing.
    pub gaps: Vec<Gap>,
    /// Files that a path rule exempts, with the rule's reason.
    pub exempt: Vec<Exempt>,
}

impl Coverage {
    /// Whether anything was examined, and nothing is missing.
    pub fn is_complete(&self) -> bool {
        self.gaps.is_empty() && self.hunks > 0
    }
}

/// What one lens saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LensCoverage {
    /// The lens.
    pub lens: Lens,
    /// Of whom it was asked.
    pub asked: Asked,
    /// Hunks that it was asked about.
    pub hunks: u32,
    /// Of them, seen.
    pub covered: u32,
    /// Of them, exempt by a path rule.
    pub exempt: u32,
    /// Of them, not seen; each is among the gaps.
    pub uncovered: u32,
    /// Whether all that was seen was seen by reviewers that are unrelated to the author as law 3 asks.
    pub independent: bool,
}

/// A file that nobody has to look at, by a rule of the operator or the base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exempt {
    /// The file.
    pub file: RepoPath,
    /// Whose rule, and its reason.
    pub reason: String,
}

/// Computes the coverage.
pub fn compute(input: &CoverageInput<'_>) -> Coverage {
    let change = input.change;
    let mut gaps = change.gaps.clone();
    let mut exempt = Vec::new();
    for file in &change.files {
        let rule = input.policy.paths.exempts(&file.path);
        exempt.extend(rule.map(|rule| Exempt { file: file.path.clone(), reason: rule_reason(rule) }));
        if matches!(file.content, Content::Binary) && rule.is_none() {
            gaps.push(Gap {
                kind: GapKind::Binary,
                file: Some(file.path.clone()),
                lines: None,
                detail: "a binary file: nobody can read it".into(),
            });
        }
    }
    gaps.retain(|gap| gap.file.as_ref().is_none_or(|file| exempt.iter().all(|exempt| exempt.file != *file)));
    let lenses = input
        .panel
        .lenses
        .iter()
        .filter_map(|lens| {
            let wish = input.wishes.iter().find(|wish| wish.lens == lens.lens)?;
            Some(cover_lens(input, lens, wish, &mut gaps))
        })
        .collect();
    let hunks = change.files.iter().map(|file| file.hunks().len()).sum();
    Coverage { hunks, lenses, gaps, exempt }
}

/// "the operator's rule: images are looked at by people".
pub fn rule_reason(rule: &PathRule) -> String {
    format!("{} rule: {}", rule.origin.possessive(), rule.reason)
}

fn cover_lens(
    input: &CoverageInput<'_>,
    lens: &LensPanel,
    wish: &LensWish,
    gaps: &mut Vec<Gap>,
) -> LensCoverage {
    let mut coverage = LensCoverage {
        lens: lens.lens,
        asked: lens.asked,
        hunks: 0,
        covered: 0,
        exempt: 0,
        uncovered: 0,
        independent: true,
    };
    if matches!(lens.asked, Asked::Nobody | Asked::NotNeeded) {
        return coverage;
    }
    let shown = Shown::of(input, lens.lens);
    for (index, file) in input.change.files.iter().enumerate() {
        let by_models = lens.asked == Asked::Models && wish.model_files.contains(&index);
        let kept_back = wish.kept_back.iter().find(|(file, _)| *file == index);
        let by_rules = wish.rules_files.contains(&index);
        if !by_models && !by_rules && kept_back.is_none() {
            continue;
        }
        let exempt = input.policy.paths.exempts(&file.path).is_some();
        let mut missing: Vec<(usize, String)> = Vec::new();
        for (hunk_index, hunk) in file.hunks().iter().enumerate() {
            coverage.hunks += 1;
            if exempt {
                coverage.exempt += 1;
                continue;
            }
            let problem = match kept_back {
                Some((_, reason)) if lens.asked == Asked::Models => Some(reason.clone()),
                Some(_) | None if by_models && too_long(hunk).is_some() => too_long(hunk),
                Some(_) | None if by_models => {
                    let seen = shown.lineages(index, hunk_index, hunk.lines().count());
                    let share = input.panel.need_of((index, hunk_index));
                    let meets =
                        |need: fn(&ShareNeed) -> &Need| share.is_some_and(|it| need(it).is_met_by(&seen));
                    coverage.independent &= seen.is_empty() || meets(|share| &share.strict);
                    (!meets(|share| &share.need)).then(|| shown.why_not(lens, index, hunk_index, &seen))
                }
                Some(_) | None => shown.rules_problem(index),
            };
            match problem {
                None => coverage.covered += 1,
                Some(problem) => {
                    coverage.uncovered += 1;
                    missing.push((hunk_index, problem));
                }
            }
        }
        gaps.extend(group(file, lens.lens, &missing));
    }
    coverage
}

/// Why part of a hunk is in no prompt.
fn too_long(hunk: &Hunk) -> Option<String> {
    let line = hunk.lines().find(|line| line.text.len() > MAX_LINE_BYTES)?;
    let number = line.new.or(line.old).unwrap_or(0);
    Some(format!("line {number} has {} bytes, too long to be shown to a model", line.text.len()))
}

/// A model that answered.
struct Answered {
    seat: usize,
    lineage: Lineage,
    /// How many lines it saw, by file and hunk.
    lines: BTreeMap<(usize, usize), usize>,
}

/// What the reviewers of one lens were shown, and how they ended.
struct Shown<'a> {
    answered: Vec<Answered>,
    /// Not answered: for each hunk, who and how.
    failed: BTreeMap<(usize, usize), Vec<String>>,
    rules_misses: Vec<&'a RulesMiss>,
    rules_ran: bool,
}

impl<'a> Shown<'a> {
    fn of(input: &CoverageInput<'a>, lens: Lens) -> Self {
        let panel = input.panel;
        let mut answered: Vec<Answered> = Vec::new();
        let mut failed: BTreeMap<(usize, usize), Vec<String>> = BTreeMap::new();
        let mut rules_ran = false;
        for outcome in input.outcomes.iter().filter(|outcome| panel.seats[outcome.seat].lens == lens) {
            let Some(call) = &outcome.call else {
                rules_ran |= panel.seats[outcome.seat].reviewer == Reviewer::Rules;
                continue;
            };
            match &outcome.ending {
                Ending::Answered(_) => {
                    // The parts of one seat may have been served by different models.
                    let is_same =
                        |known: &Answered| known.seat == outcome.seat && known.lineage == call.lineage;
                    let index = answered.iter().position(is_same).unwrap_or_else(|| {
                        let (seat, lineage) = (outcome.seat, call.lineage.clone());
                        answered.push(Answered { seat, lineage, lines: BTreeMap::new() });
                        answered.len() - 1
                    });
                    let lines = &mut answered[index].lines;
                    for piece in &outcome.pieces {
                        *lines.entry((piece.file, piece.hunk)).or_default() += piece.end - piece.first;
                    }
                }
                Ending::Unanswered { kind, detail } => {
                    for piece in &outcome.pieces {
                        let why = failed.entry((piece.file, piece.hunk)).or_default();
                        let words = format!("{} ({detail})", kind.words());
                        if !why.contains(&words) {
                            why.push(words);
                        }
                    }
                }
            }
        }
        let of_lens = |miss: &&RulesMiss| panel.seats[miss.seat].lens == lens;
        let rules_misses = input.rules_misses.iter().filter(of_lens).collect();
        Self { answered, failed, rules_misses, rules_ran }
    }

    /// The lineages of the models that had a whole hunk before them.
    fn lineages(&self, file: usize, hunk: usize, lines: usize) -> Vec<&Lineage> {
        let saw_all = |answered: &&Answered| answered.lines.get(&(file, hunk)) == Some(&lines);
        self.answered.iter().filter(saw_all).map(|answered| &answered.lineage).collect()
    }

    fn why_not(&self, lens: &LensPanel, file: usize, hunk: usize, seen: &[&Lineage]) -> String {
        if let Some(unmet) = &lens.unmet {
            return unmet.reason.clone();
        }
        match (self.failed.get(&(file, hunk)), seen.is_empty()) {
            (Some(why), true) => format!("the reviewer {}", why.join("; the other ")),
            (Some(why), false) => {
                format!("not enough independent answers: a reviewer {}", why.join("; another "))
            }
            (None, true) => "no model was asked about it".to_owned(),
            (None, false) => "the model that answered is not independent of the author".to_owned(),
        }
    }

    fn rules_problem(&self, file: usize) -> Option<String> {
        if !self.rules_ran {
            return Some("the rules did not run".to_owned());
        }
        self.rules_misses.iter().find(|miss| miss.file == file).map(|miss| miss.reason.clone())
    }
}

/// One gap for each run of hunks that are missing for the same reason.
fn group(file: &crate::FileChange, lens: Lens, missing: &[(usize, String)]) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    let mut last: Option<(usize, &str)> = None;
    for (hunk, reason) in missing {
        let hunk_lines = &file.hunks()[*hunk];
        let lines = hunk_lines.range(Side::Head).or_else(|| hunk_lines.range(Side::Base));
        match (gaps.last_mut(), last) {
            (Some(gap), Some((before, same))) if before + 1 == *hunk && same == reason => {
                let end = lines.map(|(_, end)| end);
                gap.lines = gap.lines.map(|(start, old_end)| (start, end.unwrap_or(old_end)));
            }
            (Some(_) | None, Some(_) | None) => gaps.push(Gap {
                kind: GapKind::Unanswered,
                file: Some(file.path.clone()),
                lines,
                detail: format!("{}: {reason}", lens.name()),
            }),
        }
        last = Some((*hunk, reason));
    }
    gaps
}
