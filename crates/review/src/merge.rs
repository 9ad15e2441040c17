//! Findings about the same thing become one claim.
//!
//! By structure first (file, side, lines, category), then by wording. Deterministic: the order of the input does
//! not matter, and the claim says why two findings were taken for one. Support is counted by lineage: two models
//! that share a family are one supporter, the rules are one more.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::anchor::Anchor;
use crate::examine::Ruling;
use crate::text::{shorten, visible};
use crate::wording::Wording;
use crate::{Category, Change, Digest, Family, Finding, Lens, Lineage, Severity, Side};

/// How many lines apart two places may be and still be about the same thing.
const NEAR_LINES: u32 = 3;

/// From which likeness on two wordings at one place say the same. Stricter than for scoring
/// ([`crate::wording::SAME_ISSUE`]), since what is merged by mistake hides a finding and feigns agreement: precision
/// 0.80 and recall 0.67 on the pairs of `docs/eval.md`.
const SAME_WORDS: f64 = 0.46;

/// A finding with its place and with whoever said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced {
    /// What was said.
    pub finding: Finding,
    /// Where it is.
    pub anchor: Anchor,
    /// The seat, by its index in the panel.
    pub seat: usize,
    /// Who said it, for people: `rules` or the model's id.
    pub name: String,
    /// What it descends from; `None` for the rules.
    pub lineage: Option<Lineage>,
    /// Whether it counts: a model that is related to the author supports nothing.
    pub counts: bool,
}

/// One thing that at least one reviewer says about the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Twelve hex digits that stay the same across pushes: see [`claim_id`].
    pub id: String,
    /// What it is about.
    pub category: Category,
    /// The worst severity that a reviewer gave it.
    pub severity: Severity,
    /// Where it is.
    pub anchor: Anchor,
    /// The quote.
    pub quote: String,
    /// One line.
    pub title: String,
    /// The failure scenario.
    pub body: String,
    /// What speaks for it.
    pub verification: Verification,
    /// Who says so and counts.
    pub supporters: Vec<Supporter>,
    /// Everything that was merged into it, the leading finding first.
    pub sources: Vec<Merged>,
    /// What somebody else made of it, if it was examined.
    pub examination: Option<Examined>,
}

/// What a cross-examiner made of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// The examination's call, by its index.
    pub call: usize,
    /// What the examiner said.
    pub ruling: Ruling,
    /// Why, in its words, or in ours where they do not count.
    pub reason: String,
    /// The line that decides it.
    pub quote: String,
}

impl Claim {
    /// The lens that it belongs to.
    pub fn lens(&self) -> Lens {
        self.category.lens()
    }
}

/// What speaks for a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// Two or more unrelated reviewers say so.
    Agreed,
    /// A cross-examiner of another family saw the code and upheld it.
    Upheld,
    /// A cross-examiner refuted it.
    Refuted,
    /// A cross-examiner could not decide.
    Undecided,
    /// Nobody but its finder looked at it.
    NotExamined,
}

/// Somebody who says what a claim says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Supporter {
    /// `rules` or the model's id.
    pub name: String,
    /// What it descends from; `None` for the rules.
    pub lineage: Option<Lineage>,
}

/// A finding that is part of a claim.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Merged {
    /// Who said it.
    pub name: String,
    /// The seat, by its index in the panel.
    pub seat: usize,
    /// What it descends from; `None` for the rules.
    pub lineage: Option<Lineage>,
    /// How it was put.
    pub title: String,
    /// Why it was taken for the same thing; empty for the leading one.
    pub why: String,
}

/// Merges findings into claims, worst first. Unanchored findings are no claims and must not be given.
pub fn merge(mut findings: Vec<Sourced>, change: &Change) -> Vec<Claim> {
    findings.sort_by(|a, b| {
        let key = |s: &Sourced| {
            (std::cmp::Reverse(s.finding.severity), s.anchor.clone(), s.finding.category.clone())
        };
        let rest = |s: &Sourced| (s.name.clone(), s.finding.title.clone(), s.finding.quote.clone(), s.seat);
        key(a).cmp(&key(b)).then_with(|| rest(a).cmp(&rest(b)))
    });
    // Each finding is compared with the leading one of a cluster only, so that clusters do not creep.
    let mut clusters: Vec<Vec<(Sourced, String)>> = Vec::new();
    for finding in findings {
        let same = clusters.iter_mut().find_map(|cluster| {
            let told_apart = cluster.iter().any(|(member, _)| one_reviewer_tells_apart(member, &finding));
            let why = same_thing(&cluster[0].0, &finding).filter(|_| !told_apart)?;
            Some((cluster, why))
        });
        match same {
            Some((cluster, why)) => cluster.push((finding, why)),
            None => clusters.push(vec![(finding, String::new())]),
        }
    }
    let mut claims: Vec<Claim> = clusters.into_iter().map(|cluster| claim(cluster, change)).collect();
    number_twins(claims.iter_mut().map(|claim| &mut claim.id));
    claims
}

/// Why two findings are about the same thing, if they are.
fn same_thing(a: &Sourced, b: &Sourced) -> Option<String> {
    let near = match (&a.anchor, &b.anchor) {
        (
            Anchor::Line { file, side, lines },
            Anchor::Line { file: other_file, side: other_side, lines: other_lines },
        ) => (file, side) == (other_file, other_side) && distance(*lines, *other_lines) <= NEAR_LINES,
        (
            Anchor::Elsewhere { path, side, lines, .. },
            Anchor::Elsewhere { path: other_path, side: other_side, lines: other_lines, .. },
        ) => (path, side) == (other_path, other_side) && distance(*lines, *other_lines) <= NEAR_LINES,
        (Anchor::File { file }, Anchor::File { file: other_file }) => file == other_file,
        (
            Anchor::Line { .. } | Anchor::Elsewhere { .. } | Anchor::File { .. } | Anchor::Unanchored { .. },
            _,
        ) => false,
    };
    if !near {
        return None;
    }
    let is_other = |finding: &Finding| finding.category.as_str().ends_with("/other");
    if a.finding.category == b.finding.category && !is_other(&a.finding) {
        return Some(format!("same lines and category {}", a.finding.category.as_str()));
    }
    let wording = |finding: &Finding| Wording::of(&format!("{} {}", finding.title, finding.body));
    let likeness = wording(&a.finding).likeness(&wording(&b.finding));
    (likeness >= SAME_WORDS).then(|| format!("same lines and wordings {:.0} % alike", likeness * 100.0))
}

/// One rule tells two things apart by itself, and so does one answer of a model, whoever else says the same.
fn one_reviewer_tells_apart(a: &Sourced, b: &Sourced) -> bool {
    a.seat == b.seat && (a.finding.rule.is_some() || a.finding.quote != b.finding.quote)
}

fn distance((a_start, a_end): (u32, u32), (b_start, b_end): (u32, u32)) -> u32 {
    if a_end < b_start { b_start - a_end } else { a_start.saturating_sub(b_end) }
}

fn claim(cluster: Vec<(Sourced, String)>, change: &Change) -> Claim {
    let lead = &cluster[0].0;
    let mut supporters: Vec<Supporter> = cluster
        .iter()
        .filter(|(source, _)| source.counts)
        .map(|(source, _)| Supporter { name: source.name.clone(), lineage: source.lineage.clone() })
        .collect();
    supporters.sort();
    supporters.dedup();
    let agreed = unrelated_supporters(&supporters) > 1;
    let place = match &lead.anchor {
        Anchor::Line { file, .. } | Anchor::File { file } => change.files[*file].path.as_str(),
        Anchor::Elsewhere { path, .. } => path.as_str(),
        Anchor::Unanchored { .. } => "",
    };
    Claim {
        id: claim_id(
            lead.finding.category.as_str(),
            place,
            &quote(&lead.anchor, &lead.finding.quote, change),
        ),
        category: lead.finding.category.clone(),
        severity: lead.finding.severity,
        anchor: lead.anchor.clone(),
        quote: lead.finding.quote.clone(),
        title: lead.finding.title.clone(),
        body: lead.finding.body.clone(),
        verification: if agreed { Verification::Agreed } else { Verification::NotExamined },
        supporters,
        sources: cluster
            .iter()
            .map(|(source, why)| Merged {
                name: source.name.clone(),
                seat: source.seat,
                lineage: source.lineage.clone(),
                title: source.finding.title.clone(),
                why: why.clone(),
            })
            .collect(),
        examination: None,
    }
}

/// What a claim quotes, as it is shown: the lines of the change that it is about as they stand there (a reviewer may
/// have folded them or left out their ends), or else the reviewer's words.
pub fn quote(anchor: &Anchor, words: &str, change: &Change) -> String {
    visible(&quoted_lines(anchor, change).unwrap_or_else(|| words.to_owned()))
}

fn quoted_lines(anchor: &Anchor, change: &Change) -> Option<String> {
    let Anchor::Line { file, side, lines: (first, last) } = anchor else { return None };
    let all = change.files.get(*file)?.hunks().iter().flat_map(crate::Hunk::lines);
    let quoted =
        all.filter(|line| line.number(*side).is_some_and(|number| (first..=last).contains(&&number)));
    let lines: Vec<&str> = quoted.map(|line| line.text.trim_end_matches('\r')).collect();
    (!lines.is_empty()).then(|| shorten(&lines.join("\n"), MAX_QUOTE_BYTES))
}

/// The most bytes of the lines that a claim quotes.
const MAX_QUOTE_BYTES: usize = 4_000;

/// The id of a claim: from its category, its file as the head names it, and what it quotes as it is shown. White space
/// does not matter.
pub fn claim_id(category: &str, file: &str, quote: &str) -> String {
    let folded: Vec<&str> = quote.split_whitespace().collect();
    Digest::of_parts([category, file, &folded.join(" ")].map(str::as_bytes)).short().to_owned()
}

/// How many supporters there are when those that share a family count once. The rules share none.
pub fn unrelated_supporters(supporters: &[Supporter]) -> usize {
    let mut groups: Vec<BTreeSet<Family>> = Vec::new();
    let mut rules = 0;
    for supporter in supporters {
        let Some(lineage) = &supporter.lineage else {
            rules = 1;
            continue;
        };
        let mut merged = lineage.families.clone();
        let mut unknown = !lineage.is_known();
        groups.retain(|group| {
            let related = unknown || group.is_empty() || !group.is_disjoint(&merged);
            if related {
                unknown |= group.is_empty();
                merged.extend(group.iter().cloned());
            }
            !related
        });
        // An unknown lineage could be any, so it joins whatever is there.
        groups.push(if unknown && groups.is_empty() && merged.is_empty() { BTreeSet::new() } else { merged });
    }
    groups.len() + rules
}

/// Tells claims with the same id apart by their order.
pub(crate) fn number_twins<'a>(ids: impl Iterator<Item = &'a mut String>) {
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for id in ids {
        let twins = seen.entry(id.clone()).or_default();
        if *twins > 0 {
            *id = Digest::of_parts([id.as_bytes(), &twins.to_be_bytes()]).short().to_owned();
        }
        *twins += 1;
    }
}

/// The file, side and lines at which a claim is shown.
pub fn place<'a>(claim: &'a Claim, change: &'a Change) -> (&'a str, Side, Option<(u32, u32)>) {
    match &claim.anchor {
        Anchor::Line { file, side, lines } => {
            (change.files[*file].path_on(*side).as_str(), *side, Some(*lines))
        }
        Anchor::File { file } => (change.files[*file].path.as_str(), Side::Head, None),
        Anchor::Elsewhere { path, side, lines, .. } => (path.as_str(), *side, Some(*lines)),
        Anchor::Unanchored { .. } => ("", Side::Head, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Content, FileChange, Hunk, Operation, Source, Subject};

    fn change() -> Change {
        change_below(0)
    }

    /// The change with other lines above its own.
    fn change_below(above: u32) -> Change {
        let body: String = (1..=60).map(|n| format!("+line {n}\n")).collect();
        let body = "+another\n".repeat(above as usize) + &body;
        let file = |path: &str| FileChange {
            path: path.into(),
            old_path: None,
            operation: Operation::Added,
            modes: (None, None),
            content: Content::Text(vec![Hunk::new(0, 1, String::new(), body.clone(), false)]),
        };
        Change {
            subject: Subject { source: Source::Patch, base: None, head: None, diff_digest: Digest::of(b"") },
            title: String::new(),
            body: String::new(),
            branch: None,
            commits: Vec::new(),
            files: vec![file("a.rs"), file("b.rs")],
            gaps: Vec::new(),
        }
    }

    /// A finding of a model whose name is its family's, at a line of the first file.
    fn says(seat: usize, family: &str, line: u32, category: &str, title: &str) -> Sourced {
        let lineage = (family != "rules").then(|| Lineage::of(family.split('+')));
        Sourced {
            finding: Finding {
                category: Category::parse(category, Lens::Correctness),
                severity: Severity::Medium,
                file: "a.rs".into(),
                lines: Some((line, line)),
                side: Side::Head,
                quote: format!("line {line}"),
                title: title.into(),
                body: String::new(),
                rule: lineage.is_none().then(|| "x/y".into()),
            },
            anchor: Anchor::Line { file: 0, side: Side::Head, lines: (line, line) },
            seat,
            name: family.into(),
            lineage,
            counts: true,
        }
    }

    fn check(findings: &[Sourced], expected: &[(usize, Verification)]) {
        let claims = merge(findings.to_vec(), &change());
        let got: Vec<_> = claims.iter().map(|claim| (claim.sources.len(), claim.verification)).collect();
        assert_eq!(got, expected, "{claims:#?}");
        let mut reversed = findings.to_vec();
        reversed.reverse();
        assert_eq!(merge(reversed, &change()), claims, "the order of the findings does not matter");
        let ids: BTreeSet<_> = claims.iter().map(|claim| &claim.id).collect();
        assert_eq!(ids.len(), claims.len(), "every claim has a name of its own");
    }

    #[test]
    fn the_same_category_at_the_same_lines_is_one_claim() {
        use Verification::{Agreed, NotExamined};
        let logic = "correctness/logic";
        check(&[says(0, "openai", 7, logic, "a"), says(1, "qwen", 9, logic, "b")], &[(2, Agreed)]);
        check(
            &[says(0, "openai", 7, logic, "a"), says(1, "qwen", 20, logic, "b")],
            &[(1, NotExamined), (1, NotExamined)],
        );
        let bounds = "correctness/null-or-bounds";
        check(
            &[says(0, "openai", 7, logic, "an empty slice panics"), says(1, "qwen", 7, bounds, "wrong unit")],
            &[(1, NotExamined), (1, NotExamined)],
        );
        check(
            &[
                says(0, "openai", 7, logic, "panics when the slice is empty"),
                says(1, "qwen", 7, bounds, "slice may be empty: panics"),
            ],
            &[(2, Agreed)],
        );
    }

    #[test]
    fn what_one_reviewer_tells_apart_is_not_merged_through_another_s_words() {
        use Verification::{Agreed, NotExamined};
        let logic = "correctness/logic";
        let all = [
            says(0, "openai", 7, logic, "a"),
            says(1, "qwen", 7, logic, "b"),
            says(1, "qwen", 9, logic, "c"),
        ];
        check(&all, &[(2, Agreed), (1, NotExamined)]);
    }

    #[test]
    fn those_that_share_a_family_are_one_supporter() {
        use Verification::{Agreed, NotExamined};
        let logic = "correctness/logic";
        check(
            &[says(0, "qwen", 7, logic, "a"), says(1, "qwen+deepseek", 7, logic, "b")],
            &[(2, NotExamined)],
        );
        check(
            &[
                says(0, "qwen", 7, logic, "a"),
                says(1, "qwen+deepseek", 7, logic, "b"),
                says(2, "deepseek", 7, logic, "c"),
            ],
            &[(3, NotExamined)],
        );
        check(&[says(0, "qwen", 7, logic, "a"), says(1, "rules", 7, logic, "b")], &[(2, Agreed)]);
    }

    #[test]
    fn a_related_or_unknown_model_supports_nothing() {
        let logic = "correctness/logic";
        let mut related = says(1, "anthropic", 7, logic, "b");
        related.counts = false;
        let claims = merge(vec![says(0, "openai", 7, logic, "a"), related.clone()], &change());
        assert_eq!(claims[0].verification, Verification::NotExamined);
        assert_eq!(claims[0].supporters.len(), 1);
        let alone = merge(vec![related], &change());
        assert!(alone[0].supporters.is_empty(), "it is shown, and nobody supports it");
        let mut unknown = says(1, "mystery", 7, logic, "b");
        unknown.lineage = Some(Lineage::unknown());
        check(&[says(0, "openai", 7, logic, "a"), unknown], &[(2, Verification::NotExamined)]);
    }

    #[test]
    fn a_claim_keeps_its_name_when_lines_move() {
        let mut moved = says(0, "openai", 30, "correctness/logic", "reworded");
        moved.finding.quote = "  line   7".into();
        let before = merge(vec![says(0, "openai", 7, "correctness/logic", "a")], &change());
        let after = merge(vec![moved.clone()], &change_below(23));
        assert_eq!(before[0].id, after[0].id);
        let another = merge(vec![moved], &change());
        assert_ne!(before[0].id, another[0].id, "the line is what it is known by, and not its words");
    }
}
