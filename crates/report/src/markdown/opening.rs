//! The top of the comment: verdict and head, what was not reviewed, who wrote it and who was recused.

use review::packet::{EvidenceV1, PacketV1, RecusalV1, family_words};
use review::panel::Relation;

use super::build::{Block, Entry, Inline, Line};
use super::{code, comma_separated, count, listed, own};
use crate::words::{
    author_words, by_standing, channel_words, gap_groups, gap_words, one_or_many, reasons, role_words,
    severity_counts, standing_words, strength_words, strongest_evidence,
};

/// How many places a gap lists before the rest is counted.
const PLACES: usize = 8;

/// Everything that stands above the claims.
pub(super) fn opening(packet: &PacketV1) -> Vec<Block> {
    let mut blocks = vec![Block::Paragraph(first_line(packet))];
    blocks.extend(not_reviewed(packet));
    blocks.extend(authors(packet));
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
    let counts = severity_counts(&standing);
    for (index, (severity, number)) in counts.into_iter().enumerate() {
        line.extend([
            own(if index == 0 { ": " } else { ", " }),
            count(number),
            own(" "),
            own(severity.name()),
        ]);
    }
    line
}

fn not_reviewed(packet: &PacketV1) -> Vec<Block> {
    let reasons = reasons(packet).into_iter().map(|reason| Entry::from(vec![code(reason)]));
    let gaps = gap_groups(packet).into_iter().map(|group| {
        let mut below: Vec<Line> = group.places.iter().take(PLACES).map(|place| vec![code(place)]).collect();
        if group.places.len() > PLACES {
            below.push(vec![count(group.places.len() - PLACES), own(" more places")]);
        }
        Entry { line: vec![own(gap_words(group.kind)), own(": "), code(group.detail)], below }
    });
    let entries: Vec<Entry> = reasons.chain(gaps).collect();
    if entries.is_empty() {
        return vec![Block::Paragraph(vec![
            Inline::Strong("Not reviewed:"),
            own(" nothing is missing; "),
            count(packet.coverage.hunks as usize),
            own(one_or_many(packet.coverage.hunks as usize, " hunk was", " hunks were")),
            own(" looked at"),
        ])];
    }
    vec![Block::Heading(vec![own("Not reviewed")]), listed(entries)]
}

fn authors(packet: &PacketV1) -> Vec<Block> {
    let attribution = &packet.attribution;
    let mut line = vec![own(author_words(packet))];
    if !attribution.families.is_empty() {
        line.push(own(": "));
        line.extend(comma_separated(attribution.families.iter().map(|family| code(family.as_str()))));
    }
    line.extend([own("; "), own(standing_words(packet))]);
    let mut blocks = vec![Block::Heading(vec![own("Who wrote it")]), Block::Paragraph(line)];
    if !attribution.evidence.is_empty() {
        blocks.push(listed(strongest_evidence(packet).into_iter().map(|trace| evidence(trace).into())));
    }
    if !packet.panel.recused.is_empty() {
        blocks.push(Block::Heading(vec![own("Recused")]));
        blocks.push(listed(packet.panel.recused.iter().map(|recusal| recused(recusal).into())));
    }
    blocks
}

fn evidence(trace: &EvidenceV1) -> Line {
    let mut line = vec![code(&family_words(&trace.lineage)), own(" "), own(role_words(trace.role))];
    line.extend(trace.agent.iter().flat_map(|agent| [own(" through "), code(agent)]));
    line.extend(trace.model.iter().flat_map(|model| [own(" as "), code(model)]));
    line.extend([own(": "), own(strength_words(trace.strength)), own(", ")]);
    line.extend([
        own(channel_words(trace.channel)),
        own(" of "),
        code(&trace.place),
        own(": "),
        code(&trace.text),
    ]);
    line
}

fn recused(recusal: &RecusalV1) -> Line {
    let mut line = vec![code(&recusal.engine), own(" ")];
    match &recusal.relation {
        Relation::Related { families } => {
            line.push(own("shares "));
            line.extend(comma_separated(families.iter().map(|family| code(family.as_str()))));
            line.push(own(" with the author"));
        }
        Relation::UnknownLineage => {
            line.push(own("descends from what nobody knows in full, so it cannot be counted as independent"));
        }
        Relation::NoLineage | Relation::Unrelated => line.push(code(&recusal.reason)),
    }
    line
}
