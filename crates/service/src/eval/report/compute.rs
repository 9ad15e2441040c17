//! Computing the report from what became of the cases. Pure.

use std::collections::{BTreeMap, BTreeSet};

use review::agreement::matching::NEAR_LINES;
use review::agreement::{
    Assignment, GoldMode, Pair, Said, Share, Tally, assign, greedy_union, marginal_recall,
};
use review::outcome::EndingKind;
use review::packet::PacketV1;
use review::wording::{SAME_ISSUE, SAME_ISSUE_AT_A_PLACE};

use super::{
    CaseEnd, CaseResult, CasesV1, CostV1, EngineV1, Filter, FilterV1, GroupV1, PairV1, ReportV1, Reviewed,
    RowState, RowV1, RuleV1, SCHEMA, SMALL, ScoreV1, ShareV1, UnionV1,
};

/// Computes the report.
pub fn report(cases: &[CaseResult], version: &str) -> ReportV1 {
    let reviewed: Vec<(&CaseResult, &Reviewed)> = cases
        .iter()
        .filter_map(|case| match &case.end {
            CaseEnd::Reviewed(reviewed) => Some((case, reviewed.as_ref())),
            CaseEnd::Failed(_) | CaseEnd::Unusable(_) | CaseEnd::OverBudget(_) => None,
        })
        .collect();
    let all = || reviewed.iter().map(|(_, reviewed)| *reviewed);
    let panel = Filter::ALL.map(|filter| FilterV1 { filter, score: panel_score(all(), filter) });
    let names: BTreeSet<&str> = reviewed
        .iter()
        .flat_map(|(_, reviewed)| &reviewed.packet.panel.seats)
        .map(|seat| seat.reviewer.as_str())
        .collect();
    let names: Vec<&str> = names.into_iter().collect();
    let engines: Vec<EngineV1> = names.iter().map(|name| engine(name, &reviewed)).collect();
    let groups: BTreeSet<&str> = reviewed.iter().map(|(case, _)| case.group.as_str()).collect();
    let in_group = |group: &str| {
        let of = reviewed.iter().filter(move |(case, _)| case.group == group);
        panel_score(of.map(|(_, reviewed)| *reviewed), Filter::NotRefuted)
    };
    let counts = count_cases(cases);
    let mut cost = CostV1::default();
    all().for_each(|reviewed| cost.add(reviewed, None));
    ReportV1 {
        schema: SCHEMA,
        version: version.to_owned(),
        rule: RuleV1 {
            near_lines: NEAR_LINES,
            likeness_at_a_place: SAME_ISSUE_AT_A_PLACE,
            likeness: SAME_ISSUE,
        },
        cases: counts,
        notes: notes(&counts, &panel),
        panel: panel.to_vec(),
        groups: groups
            .iter()
            .map(|group| GroupV1 { group: (*group).to_owned(), score: in_group(group) })
            .collect(),
        pairs: pairs(&names, &reviewed),
        union: union(&names, &reviewed),
        engines,
        cost,
        rows: cases.iter().map(row).collect(),
    }
}

/// Adds up what single changes come to.
#[derive(Default)]
struct Sum {
    tally: Tally,
    changes: u64,
    findings: u64,
    clean: u64,
    clean_findings: u64,
    clean_flagged: u64,
}

impl Sum {
    fn add(&mut self, reviewed: &Reviewed, said: &[Said]) {
        let findings = said.len() as u64;
        self.changes += 1;
        self.findings += findings;
        self.tally.add(tally(&assign(said, &reviewed.known, reviewed.mode)));
        if reviewed.is_clean() {
            self.clean += 1;
            self.clean_findings += findings;
            self.clean_flagged += u64::from(findings > 0);
        }
    }

    fn score(&self) -> ScoreV1 {
        ScoreV1 {
            changes: self.changes,
            findings: self.findings,
            findings_per_change: Share { hits: self.findings, of: self.changes }.value().map(round),
            precision: share(self.tally.precision()),
            recall: share(self.tally.recall()),
            f1: self.tally.f1().map(round),
            f05: self.tally.f05().map(round),
            noise_per_clean_change: Share { hits: self.clean_findings, of: self.clean }.value().map(round),
            clean_flagged: share(Share { hits: self.clean_flagged, of: self.clean }),
        }
    }
}

impl Reviewed {
    fn is_clean(&self) -> bool {
        self.known.is_empty() && self.disputed == 0
    }

    /// How many issues there are, when places of one count once.
    fn issues(&self) -> usize {
        match self.mode {
            GoldMode::Each => self.known.len(),
            GoldMode::AnyOf => self.known.len().min(1),
        }
    }

    fn said(&self, filter: Filter) -> Vec<Said> {
        let kept = self.remarks.iter().filter(|remark| filter.keeps(remark));
        kept.map(|remark| remark.said.clone()).collect()
    }

    /// What one engine says that has an anchor.
    fn said_by(&self, engine: &str) -> Vec<Said> {
        let anchored = self.remarks.iter().filter(|remark| remark.verification.is_some());
        anchored.filter_map(|remark| remark.by_engine.get(engine).cloned()).collect()
    }

    /// Whether an engine was seated, and whether all its seats answered.
    fn answered(&self, engine: &str) -> Option<bool> {
        let mut seats = self.packet.panel.seats.iter().filter(|seat| seat.reviewer == engine).peekable();
        seats.peek()?;
        // A seat without an outcome was never asked.
        Some(seats.all(|seat| {
            !seat.outcomes.is_empty()
                && seat.outcomes.iter().all(|outcome| outcome.outcome == EndingKind::Answered)
        }))
    }

    fn found_by(&self, engine: &str) -> Vec<bool> {
        assign(&self.said_by(engine), &self.known, self.mode).found
    }
}

fn tally(assignment: &Assignment) -> Tally {
    Tally {
        found: assignment.found.iter().filter(|found| **found).count() as u64,
        known: assignment.found.len() as u64,
        false_alarms: assignment.false_alarms.len() as u64,
    }
}

fn panel_score<'a>(cases: impl Iterator<Item = &'a Reviewed>, filter: Filter) -> ScoreV1 {
    let mut sum = Sum::default();
    cases.for_each(|reviewed| sum.add(reviewed, &reviewed.said(filter)));
    sum.score()
}

fn engine(name: &str, reviewed: &[(&CaseResult, &Reviewed)]) -> EngineV1 {
    let mut sum = Sum::default();
    let mut cost = CostV1::default();
    let mut endings = BTreeMap::new();
    let (mut unanswered_changes, mut unanchored) = (0, 0);
    for (_, reviewed) in reviewed {
        match reviewed.answered(name) {
            Some(true) => sum.add(reviewed, &reviewed.said_by(name)),
            Some(false) => unanswered_changes += 1,
            None => {}
        }
        let seats = reviewed.packet.panel.seats.iter().filter(|seat| seat.reviewer == name);
        for outcome in seats.flat_map(|seat| &seat.outcomes) {
            *endings.entry(outcome.outcome).or_default() += 1;
        }
        unanchored += reviewed.packet.unanchored.iter().filter(|finding| finding.name == name).count() as u64;
        cost.add(reviewed, Some(name));
    }
    EngineV1 { engine: name.to_owned(), score: sum.score(), unanswered_changes, endings, unanchored, cost }
}

impl CostV1 {
    /// Adds the calls of one case, of one engine or of all.
    fn add(&mut self, reviewed: &Reviewed, engine: Option<&str>) {
        let calls = reviewed.packet.ledger.calls.iter();
        for call in calls.filter(|call| engine.is_none_or(|name| call.engine == name)) {
            let usage = call.usage.unwrap_or_default();
            self.calls += 1;
            self.micro_usd += call.micro_usd.unwrap_or(0);
            self.unpriced_calls += u64::from(call.micro_usd.is_none());
            self.input_tokens += usage.input;
            self.cached_input_tokens += usage.cached_input;
            self.output_tokens += usage.output;
            self.elapsed_ms += call.elapsed_ms;
        }
    }
}

fn pairs(names: &[&str], reviewed: &[(&CaseResult, &Reviewed)]) -> Vec<PairV1> {
    let mut pairs = Vec::new();
    for (index, first) in names.iter().enumerate() {
        for second in &names[index + 1..] {
            let mut pair = Pair::default();
            for (_, reviewed) in reviewed {
                if reviewed.answered(first) == Some(true) && reviewed.answered(second) == Some(true) {
                    let both = reviewed.found_by(first).into_iter().zip(reviewed.found_by(second));
                    both.for_each(|(first, second)| pair.count(first, second));
                }
            }
            pairs.push(PairV1 {
                first: (*first).to_owned(),
                second: (*second).to_owned(),
                known: pair.of(),
                counts: [pair.both, pair.only_first, pair.only_second, pair.neither],
                phi: pair.phi().map(round),
                kappa: pair.kappa().map(round),
                double_faults: share(pair.double_faults()),
                double_faults_over_chance: pair.double_faults_over_chance().map(round),
                overlap: share(pair.overlap()),
            });
        }
    }
    pairs
}

fn union(names: &[&str], reviewed: &[(&CaseResult, &Reviewed)]) -> Vec<UnionV1> {
    let answered = |name: &str, reviewed: &Reviewed| reviewed.answered(name) == Some(true);
    // An engine that never answered would leave no change that all did.
    let ever = |name: &&str| reviewed.iter().any(|(_, reviewed)| answered(name, reviewed));
    let names: Vec<&str> = names.iter().copied().filter(ever).collect();
    let by_all = reviewed.iter().filter(|(_, reviewed)| names.iter().all(|name| answered(name, reviewed)));
    let mut found: Vec<Vec<bool>> = vec![Vec::new(); names.len()];
    for (_, reviewed) in by_all {
        for (engine, name) in names.iter().enumerate() {
            found[engine].extend(reviewed.found_by(name));
        }
    }
    let marginal = marginal_recall(&found);
    let order = greedy_union(&found).into_iter();
    order
        .map(|(engine, so_far)| UnionV1 {
            engine: names[engine].to_owned(),
            recall_so_far: share(so_far),
            marginal_recall: share(marginal[engine]),
        })
        .collect()
}

fn count_cases(cases: &[CaseResult]) -> CasesV1 {
    let mut counts = CasesV1 { all: cases.len() as u64, ..CasesV1::default() };
    for case in cases {
        match &case.end {
            CaseEnd::Reviewed(reviewed) => {
                if unanswered(&reviewed.packet).is_empty() {
                    counts.reviewed += 1;
                } else {
                    counts.incomplete += 1;
                }
                counts.clean += u64::from(reviewed.is_clean());
                counts.known += reviewed.issues() as u64;
                counts.disputed += reviewed.disputed as u64;
                if reviewed.known.iter().all(|known| known.text.is_none()) {
                    counts.by_place_alone += reviewed.issues() as u64;
                } else {
                    let without_text = reviewed.known.iter().filter(|known| known.text.is_none());
                    counts.by_place_alone += without_text.count() as u64;
                }
            }
            CaseEnd::Failed(_) => counts.failed += 1,
            CaseEnd::Unusable(_) => counts.unusable += 1,
            CaseEnd::OverBudget(_) => counts.over_budget += 1,
        }
    }
    counts
}

/// The seats of a packet that did not answer, in words.
fn unanswered(packet: &PacketV1) -> Vec<String> {
    let mut told = Vec::new();
    for seat in &packet.panel.seats {
        for outcome in seat.outcomes.iter().filter(|outcome| outcome.outcome != EndingKind::Answered) {
            let words = outcome.outcome.words();
            told.push(format!("{} ({}) {words}: {}", seat.lens.name(), seat.reviewer, outcome.detail));
        }
    }
    told
}

fn notes(cases: &CasesV1, panel: &[FilterV1]) -> Vec<String> {
    let mut notes = Vec::new();
    if cases.known < SMALL {
        notes.push(format!(
            "n is small: {} known issues; recall is uncertain by more than ten points either way, see the \
             intervals",
            cases.known
        ));
    }
    let said = panel.iter().find(|filter| filter.filter == Filter::NotRefuted);
    match said.map_or(0, |said| said.score.findings) {
        0 => notes.push("nothing was found, so there is no precision".to_owned()),
        findings @ 1..SMALL => notes.push(format!(
            "n is small: {findings} findings; precision is uncertain by more than ten points either way, see the \
             intervals"
        )),
        SMALL.. => {}
    }
    if cases.by_place_alone > 0 {
        notes.push(format!(
            "{} of {} known issues have no description and are matched by their place alone, which a reviewer that \
             comments on every line would win",
            cases.by_place_alone, cases.known
        ));
    }
    if cases.incomplete > 0 {
        notes.push(format!(
            "{} changes were reviewed though some seat did not answer: they count for the panel and not for that \
             engine",
            cases.incomplete
        ));
    }
    if cases.unusable + cases.failed + cases.over_budget > 0 {
        notes.push(format!(
            "{} cases are in no figure: {} could not be read, {} failed, {} were over budget",
            cases.unusable + cases.failed + cases.over_budget,
            cases.unusable,
            cases.failed,
            cases.over_budget
        ));
    }
    if said.is_some_and(|said| said.score.findings > 0) && cases.known > 0 {
        notes.push(
            "a true finding that nobody listed counts as wrong, so precision is a lower bound".to_owned(),
        );
    }
    notes
}

fn row(case: &CaseResult) -> RowV1 {
    let mut row = RowV1 {
        id: case.id.clone(),
        group: case.group.clone(),
        state: RowState::Reviewed,
        detail: String::new(),
        known: 0,
        found: 0,
        false_alarms: 0,
        unanchored: 0,
        micro_usd: 0,
        packet: None,
    };
    match &case.end {
        CaseEnd::Reviewed(reviewed) => {
            let tally = tally(&assign(&reviewed.said(Filter::NotRefuted), &reviewed.known, reviewed.mode));
            (row.known, row.found, row.false_alarms) = (tally.known, tally.found, tally.false_alarms);
            row.unanchored = reviewed.packet.unanchored.len() as u64;
            row.micro_usd = reviewed.packet.ledger.micro_usd;
            row.packet = Some(reviewed.packet.digest().to_string());
            let unanswered = unanswered(&reviewed.packet);
            if let Some(first) = unanswered.first() {
                row.state = RowState::Incomplete;
                let more = unanswered.len() - 1;
                let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
                row.detail = format!("{first}{more}");
            }
        }
        CaseEnd::Failed(why) => (row.state, row.detail) = (RowState::Failed, why.clone()),
        CaseEnd::Unusable(why) => (row.state, row.detail) = (RowState::Unusable, why.clone()),
        CaseEnd::OverBudget(why) => (row.state, row.detail) = (RowState::OverBudget, why.clone()),
    }
    row
}

fn share(share: Share) -> ShareV1 {
    let interval = share.interval();
    ShareV1 {
        hits: share.hits,
        of: share.of,
        value: share.value().map(round),
        low: interval.map(|(low, _)| round(low)),
        high: interval.map(|(_, high)| round(high)),
    }
}

/// To four places, so that a report does not feign more.
fn round(value: f64) -> f64 {
    // Adding nothing turns -0 into 0.
    (value * 10_000.0).round() / 10_000.0 + 0.0
}
