//! The top of the comment: verdict and head, what was not reviewed, who wrote it and who was recused.

use review::attribution::Role;
use review::judge::Verdict;
use review::packet::{EvidenceV1, PacketV1, RecusalV1, family_words};
use review::panel::Relation;
use review::policy::Gate;

use super::build::{Block, Entry, Foreign, Inline, Line};
use super::{NOT_REVIEWED_BYTES, code, count, families, listed, listed_within, own};
use crate::amount::one_or_many;
use crate::parts::{
    GapGroup, by_standing, exempt_groups, gap_groups, not_asked, reasons, severity_counts, strongest_evidence,
};
use crate::words::{author_words, channel_words, role_words, standing_words, strength_words};

/// How many places a gap lists before the rest is counted.
const PLACES: usize = 8;

/// Everything that stands above the claims.
pub(super) fn opening(packet: &PacketV1) -> Vec<Block> {
    let mut blocks = vec![Block::Paragraph(first_line(packet))];
    blocks.extend(below_the_gate(packet).map(Block::Paragraph));
    blocks.extend(why(packet));
    blocks.extend(not_reviewed(packet));
    blocks.extend(people(packet));
    blocks
}

fn first_line(packet: &PacketV1) -> Line {
    let mut line = vec![Inline::Strong(packet.verdict.name())];
    if packet.panel.rules_only {
        line.push(own(" (rules only)"));
    }
    match &packet.subject.head {
        Some(head) => line.extend([own(" at "), code(head.as_str())]),
        None => line.extend([own(" for the diff "), code(packet.subject.diff_digest.as_str())]),
    }
    let (standing, _) = by_standing(packet);
    for (index, (severity, number)) in severity_counts(&standing).into_iter().enumerate() {
        line.extend([
            own(if index == 0 { ": " } else { ", " }),
            count(number),
            own(" "),
            own(severity.name()),
        ]);
    }
    if !packet.panel.rules_only {
        line.extend([own("; "), own(standing_words(packet))]);
    }
    line
}

/// Why a change with findings is not held up.
fn below_the_gate(packet: &PacketV1) -> Option<Line> {
    if packet.verdict != Verdict::Findings || packet.judgement.exit_code != 0 {
        return None;
    }
    Some(match packet.judgement.fail_on {
        Gate::Never => {
            vec![own("These findings hold up nothing: no gate is set ("), code("fail_on"), own(").")]
        }
        gate => vec![
            own("These findings hold up nothing: they are below the gate ("),
            code(gate.name()),
            own(")."),
        ],
    })
}

/// What the verdict rests on beside claims and gaps: failed checks, lenses that nobody could be seated for.
fn why(packet: &PacketV1) -> Vec<Block> {
    let reasons = reasons(packet);
    if reasons.is_empty() {
        return Vec::new();
    }
    vec![
        Block::Heading(vec![own("Why "), own(packet.verdict.name())]),
        listed(
            reasons.into_iter().map(|reason| Entry::from(vec![Inline::Code(Foreign::clipped(reason, 600))])),
        ),
    ]
}

pub(super) fn not_reviewed(packet: &PacketV1) -> Vec<Block> {
    let gaps = gap_groups(packet).into_iter().map(gap);
    let exempt = exempt_groups(packet)
        .into_iter()
        .map(|(reason, files)| Entry { line: vec![own("exempt by "), code(reason)], below: places(&files) });
    let not_asked = not_asked(packet).into_iter().map(|(lens, reason)| {
        Entry::from(vec![own("not asked: "), own(lens.name()), own(": "), code(reason)])
    });
    let entries: Vec<Entry> = gaps.chain(not_asked).chain(exempt).collect();
    if entries.is_empty() {
        let hunks = packet.coverage.hunks as usize;
        return vec![Block::Paragraph(vec![
            own("Nothing is missing: "),
            count(hunks),
            own(one_or_many(hunks, " hunk was looked at.", " hunks were looked at.")),
        ])];
    }
    vec![Block::Heading(vec![own("Not reviewed")]), listed_within(NOT_REVIEWED_BYTES, entries)]
}

fn gap(group: GapGroup<'_>) -> Entry {
    match group.lens_without_panel {
        // The reason stands above, and the places are all places.
        Some(lens) => Entry::from(vec![
            own(lens.name()),
            own(", all of it: "),
            count(group.places.len()),
            own(one_or_many(group.places.len(), " place", " places")),
        ]),
        None => Entry { line: vec![code(group.detail)], below: places(&group.places) },
    }
}

fn places(places: &[String]) -> Vec<Line> {
    let mut lines: Vec<Line> = places.iter().take(PLACES).map(|place| vec![code(place)]).collect();
    if let Some(more @ 1..) = places.len().checked_sub(PLACES) {
        lines.push(vec![count(more), own(one_or_many(more, " more place", " more places"))]);
    }
    lines
}

/// Who wrote it, and who was recused for that.
pub(super) fn people(packet: &PacketV1) -> Vec<Block> {
    let attribution = &packet.attribution;
    let mut line = vec![own(author_words(packet))];
    if !attribution.families.is_empty() {
        line.push(own(": "));
        line.extend(families(&attribution.families));
    }
    let mut blocks = vec![Block::Heading(vec![own("Who wrote it")]), Block::Paragraph(line)];
    if !attribution.evidence.is_empty() {
        blocks.push(listed(strongest_evidence(packet).into_iter().map(|trace| evidence(trace).into())));
    }
    if !attribution.unread.is_empty() {
        let unread = attribution.unread.iter().take(PLACES);
        blocks.push(listed(unread.map(|what| vec![code(what), own(": it may name others")].into())));
    }
    if !packet.panel.recused.is_empty() {
        blocks.push(Block::Heading(vec![own("Recused")]));
        blocks.push(listed(packet.panel.recused.iter().map(|recusal| recused(recusal).into())));
    }
    blocks
}

fn evidence(trace: &EvidenceV1) -> Line {
    let mut line = match trace.role {
        Role::Implementer | Role::Suggester => vec![code(&family_words(&trace.lineage)), own(" ")],
        Role::Bot | Role::Human => Vec::new(),
    };
    line.push(own(role_words(trace.role)));
    line.extend(trace.agent.iter().flat_map(|agent| [own(" through "), code(agent)]));
    line.extend(trace.model.iter().flat_map(|model| [own(" as "), code(model)]));
    line.extend([own(": "), own(strength_words(trace.strength)), own(", ")]);
    line.extend([own(channel_words(trace.channel)), own(" ("), code(&trace.place), own("): ")]);
    line.push(code(&trace.text));
    line
}

fn recused(recusal: &RecusalV1) -> Line {
    let mut line = vec![code(&recusal.engine), own(" ")];
    match &recusal.relation {
        Relation::Related { families: shared } => {
            line.push(own("shares "));
            line.extend(families(shared));
            line.push(own(" with the author"));
        }
        Relation::UnknownLineage => {
            line.push(own("descends from what nobody knows in full, so it cannot be counted as independent"));
        }
        Relation::NoLineage | Relation::Unrelated => line.push(code(&recusal.reason)),
    }
    line
}
