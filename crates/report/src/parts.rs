//! What views pick from a packet and put together: gaps by reason, the best evidence, sums.

use std::collections::BTreeSet;

use review::attribution::Authors;
use review::judge::{Check, CheckSource, CheckState};
use review::merge::Verification;
use review::outcome::EndingKind;
use review::packet::{CallV1, ClaimV1, EvidenceV1, FileHunksV1, PacketV1, SeatV1, UnanchoredV1};
use review::panel::{Asked, Relation, relation};
use review::{Family, GapKind, Lens, Severity};

use crate::text::place;

/// What the verdict rests on and no other part of a view tells: failed checks, lenses without a sufficient panel
/// and what would help.
///
/// The counts of the claims are told by the first line, and a gap is told in the list of gaps.
pub(crate) fn reasons(packet: &PacketV1) -> Vec<&str> {
    let (standing, _) = by_standing(packet);
    let counts: Vec<String> = severity_counts(&standing)
        .into_iter()
        .map(|(severity, count)| format!("{count} {}", severity.name()))
        .collect();
    let counts = counts.join(", ");
    let told = |reason: &str| {
        reason == counts
            || packet.gaps.iter().any(|gap| !gap.detail.is_empty() && reason.contains(gap.detail.as_str()))
    };
    packet.judgement.reasons.iter().map(String::as_str).filter(|reason| !told(reason)).collect()
}

/// The claims that stand and those that a cross-examiner refuted, each worst first as the packet has them.
pub(crate) fn by_standing(packet: &PacketV1) -> (Vec<&ClaimV1>, Vec<&ClaimV1>) {
    packet.claims.iter().partition(|claim| claim.verification != Verification::Refuted)
}

/// How many claims there are of each severity, worst first, none left out that has any.
pub(crate) fn severity_counts(claims: &[&ClaimV1]) -> Vec<(Severity, usize)> {
    Severity::WORST_FIRST
        .into_iter()
        .map(|severity| (severity, claims.iter().filter(|claim| claim.severity == severity).count()))
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// The best evidence for each author, strongest first: one trace for each role and lineage.
pub(crate) fn strongest_evidence(packet: &PacketV1) -> Vec<&EvidenceV1> {
    let mut evidence: Vec<&EvidenceV1> = packet.attribution.evidence.iter().collect();
    // The sort is stable: of equally strong traces the packet's first one stays first.
    evidence.sort_by_key(|trace| std::cmp::Reverse(trace.strength));
    let mut best: Vec<&EvidenceV1> = Vec::new();
    for trace in evidence {
        let same = |other: &&EvidenceV1| (other.role, &other.lineage) == (trace.role, &trace.lineage);
        if !best.iter().any(same) {
            best.push(trace);
        }
    }
    best
}

/// Unanchored findings by reason, in the packet's order.
pub(crate) fn unanchored_by_reason(packet: &PacketV1) -> Vec<(&str, Vec<&UnanchoredV1>)> {
    let mut groups: Vec<(&str, Vec<&UnanchoredV1>)> = Vec::new();
    for finding in &packet.unanchored {
        match groups.iter_mut().find(|(reason, _)| *reason == finding.reason) {
            Some((_, group)) => group.push(finding),
            None => groups.push((&finding.reason, vec![finding])),
        }
    }
    groups
}

/// Files that nobody has to look at, by the rule that exempts them.
pub(crate) fn exempt_groups(packet: &PacketV1) -> Vec<(&str, Vec<String>)> {
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    for exempt in &packet.coverage.exempt {
        let file = exempt.file.as_str().to_owned();
        match groups.iter_mut().find(|(reason, _)| *reason == exempt.reason) {
            Some((_, files)) => files.push(file),
            None => groups.push((&exempt.reason, vec![file])),
        }
    }
    groups
}

/// The lenses that nobody was asked to look through because only the rules were asked at all.
pub(crate) fn not_asked(packet: &PacketV1) -> Vec<(Lens, &str)> {
    if !packet.panel.rules_only {
        return Vec::new();
    }
    let nobody = packet.panel.lenses.iter().filter(|lens| lens.asked == Asked::Nobody);
    nobody.map(|lens| (lens.lens, lens.reason.as_str())).collect()
}

/// One reason for which something was not looked at, and where.
pub(crate) struct GapGroup<'a> {
    /// The kind.
    pub(crate) kind: GapKind,
    /// The sentence.
    pub(crate) detail: &'a str,
    /// The lens, where the reason is that no sufficient panel could be seated for it: then all of it is missing.
    pub(crate) lens_without_panel: Option<Lens>,
    /// The places; a gap that names no file adds none.
    pub(crate) places: Vec<String>,
}

/// The gaps by reason, in the packet's order.
pub(crate) fn gap_groups(packet: &PacketV1) -> Vec<GapGroup<'_>> {
    let mut groups: Vec<GapGroup<'_>> = Vec::new();
    for gap in &packet.gaps {
        let place = gap.file.as_ref().map(|file| place(file.as_str(), gap.lines));
        match groups.iter_mut().find(|group| (group.kind, group.detail) == (gap.kind, gap.detail.as_str())) {
            Some(group) => group.places.extend(place),
            None => groups.push(GapGroup {
                kind: gap.kind,
                detail: &gap.detail,
                lens_without_panel: lens_without_panel(packet, &gap.detail),
                places: place.into_iter().collect(),
            }),
        }
    }
    groups
}

fn lens_without_panel(packet: &PacketV1, detail: &str) -> Option<Lens> {
    let lens = packet.panel.lenses.iter().find(|lens| {
        let unmet = lens.unmet.as_ref();
        unmet.is_some_and(|unmet| detail == format!("{}: {unmet}", lens.lens.name()))
    });
    lens.map(|lens| lens.lens)
}

/// Whether the model that answered a call is of another lineage than the one that was asked.
pub(crate) fn was_served_as_another(packet: &PacketV1, call: &CallV1) -> bool {
    packet.panel.roster.iter().any(|engine| engine.id == call.engine && engine.lineage != call.lineage)
}

/// An answer of another model than the one that was asked.
pub(crate) struct AnsweredAs<'a> {
    /// What the provider calls it, if it says so.
    pub(crate) model: Option<&'a str>,
    /// How it stands to the authors of the lines that the seat looks at.
    pub(crate) relation: Relation,
}

/// The models that answered in the place of the one that a seat asked, and are not counted as independent, each once.
pub(crate) fn not_counted<'a>(packet: &'a PacketV1, seat: usize) -> Vec<AnsweredAs<'a>> {
    let authors = Authors { families: authors(packet, &packet.panel.seats[seat]), unknown_agent: false };
    let mut all: Vec<AnsweredAs<'a>> = Vec::new();
    for call in &packet.ledger.calls {
        let is_of_seat = call.seat.is_some_and(|index| index as usize == seat);
        if !is_of_seat || call.outcome != EndingKind::Answered || !was_served_as_another(packet, call) {
            continue;
        }
        let model = call.served_model.as_deref();
        let relation = relation(&call.lineage, &authors);
        if relation != Relation::Unrelated && all.iter().all(|known| known.model != model) {
            all.push(AnsweredAs { model, relation });
        }
    }
    all
}

/// The families of those who wrote what a seat looks at, as far as that is known.
fn authors(packet: &PacketV1, seat: &SeatV1) -> BTreeSet<Family> {
    let attribution = &packet.attribution;
    let overlaps = |theirs: &[FileHunksV1], own: &[FileHunksV1]| {
        let meets = |file: &FileHunksV1, other: &FileHunksV1| {
            file.file == other.file && file.hunks.iter().any(|hunk| other.hunks.contains(hunk))
        };
        theirs.iter().any(|file| own.iter().any(|other| meets(file, other)))
    };
    match &seat.only_hunks {
        Some(own) if !attribution.shares.is_empty() => {
            let shares = attribution.shares.iter().filter(|share| overlaps(&share.hunks, own));
            shares.flat_map(|share| share.families.iter().cloned()).collect()
        }
        Some(_) | None => attribution.families.union(&attribution.suggested_by).cloned().collect(),
    }
}

/// A question for the author, and all who ask it.
pub(crate) struct AskedQuestion<'a> {
    /// The question.
    pub(crate) text: &'a str,
    /// Of which lenses they are, each once.
    pub(crate) lenses: Vec<Lens>,
    /// Who asks, each once.
    pub(crate) names: Vec<&'a str>,
}

/// The questions in the packet's order, each once.
pub(crate) fn questions(packet: &PacketV1) -> Vec<AskedQuestion<'_>> {
    let mut all: Vec<AskedQuestion<'_>> = Vec::new();
    for question in &packet.questions {
        let index = all.iter().position(|known| known.text == question.text).unwrap_or_else(|| {
            all.push(AskedQuestion { text: &question.text, lenses: Vec::new(), names: Vec::new() });
            all.len() - 1
        });
        let known = &mut all[index];
        if !known.lenses.contains(&question.lens) {
            known.lenses.push(question.lens);
        }
        if !known.names.contains(&question.name.as_str()) {
            known.names.push(&question.name);
        }
    }
    all
}

/// Tokens of all calls together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tokens {
    /// Input, cached input included.
    pub(crate) input: u64,
    /// Of it, read from a cache.
    pub(crate) cached: u64,
    /// Output.
    pub(crate) output: u64,
}

/// Tokens of all calls together, as far as providers counted them.
pub(crate) fn tokens(packet: &PacketV1) -> Tokens {
    let mut tokens = Tokens::default();
    for usage in packet.ledger.calls.iter().filter_map(|call| call.usage.as_ref()) {
        tokens.input = tokens.input.saturating_add(usage.input);
        tokens.cached = tokens.cached.saturating_add(usage.cached_input);
        tokens.output = tokens.output.saturating_add(usage.output);
    }
    tokens
}

/// The checks that a view tells one by one; and how many others there are, by how they ended.
///
/// A platform may run hundreds: of those that nobody requires, only the ones that went wrong are told.
pub(crate) fn told_checks(packet: &PacketV1) -> (Vec<&Check>, Vec<(usize, CheckState)>) {
    let is_required =
        |check: &Check| packet.judgement.required_checks.iter().any(|required| required.name() == check.name);
    let is_quiet = |check: &Check| match (check.source, check.state) {
        (CheckSource::Platform, CheckState::Passed | CheckState::Pending | CheckState::NotRun) => {
            !is_required(check)
        }
        (CheckSource::Platform | CheckSource::SelfReported, _) => false,
    };
    let (quiet, told): (Vec<&Check>, Vec<&Check>) = packet.checks.iter().partition(|check| is_quiet(check));
    let counts = [CheckState::Passed, CheckState::Pending, CheckState::NotRun]
        .map(|state| (quiet.iter().filter(|check| check.state == state).count(), state));
    (told, counts.into_iter().filter(|(count, _)| *count > 0).collect())
}
