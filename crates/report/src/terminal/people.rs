//! Who wrote the change, who was recused, and what the change is.

use review::attribution::Role;
use review::packet::{EvidenceV1, PacketV1, family_words};

use super::Verbosity;
use super::screen::{Ink, Piece, Screen};
use crate::parts::strongest_evidence;
use crate::words::{
    author_words, channel_words, label_words, reversibility_words, risk_words, role_words, standing_words,
    strength_words,
};

/// The author's state, the evidence for it, and the recusals.
pub(super) fn people(screen: &mut Screen, packet: &PacketV1, verbosity: Verbosity) {
    let evidence = match verbosity {
        Verbosity::Verbose => packet.attribution.evidence.iter().collect(),
        Verbosity::Quiet | Verbosity::Normal => strongest_evidence(packet),
    };
    let names: Vec<String> = evidence.iter().map(|trace| author(trace)).collect();
    let engines = packet.panel.recused.iter().map(|recusal| recusal.engine.as_str());
    let width = screen.widest(names.iter().map(String::as_str).chain(engines));
    screen.heading("Who wrote it");
    let families: Vec<&str> = packet.attribution.families.iter().map(|family| family.as_str()).collect();
    let mut state = author_words(packet).to_owned();
    if !families.is_empty() {
        state = format!("{state}: {}", families.join(", "));
    }
    screen.flow(2, 4, &[(Ink::Plain, &state)]);
    screen.flow(2, 4, &[(Ink::Plain, standing_words(packet))]);
    for (name, trace) in names.iter().zip(evidence) {
        let mut pieces: Vec<Piece<'_>> = Vec::new();
        for part in [&trace.agent, &trace.model].into_iter().flatten() {
            pieces.extend([(Ink::Dim, part.as_str()), (Ink::Dim, ", ")]);
        }
        pieces.extend([
            (Ink::Dim, strength_words(trace.strength)),
            (Ink::Dim, ": "),
            (Ink::Dim, channel_words(trace.channel)),
            (Ink::Dim, " ("),
            (Ink::Dim, &trace.place),
            (Ink::Dim, "): "),
            (Ink::Dim, &trace.text),
        ]);
        screen.labelled(2, width, (Ink::Plain, name), &pieces);
    }
    for unread in &packet.attribution.unread {
        screen.flow(2, 4, &[(Ink::Plain, unread), (Ink::Plain, ": it may name others")]);
    }
    if !packet.panel.recused.is_empty() {
        screen.heading("Recused");
        for recusal in &packet.panel.recused {
            screen.labelled(2, width, (Ink::Plain, &recusal.engine), &[(Ink::Dim, &recusal.reason)]);
        }
    }
    if verbosity == Verbosity::Verbose {
        classification(screen, packet);
    }
}

/// Who a trace speaks of: a family, or what is no model.
fn author(trace: &EvidenceV1) -> String {
    match trace.role {
        Role::Implementer => family_words(&trace.lineage),
        Role::Suggester => format!("{} ({})", family_words(&trace.lineage), role_words(trace.role)),
        Role::Bot | Role::Human => role_words(trace.role).to_owned(),
    }
}

fn classification(screen: &mut Screen, packet: &PacketV1) {
    let classification = &packet.classification;
    screen.heading("What it is");
    let labels: Vec<&str> =
        classification.labels.iter().map(|labelled| label_words(labelled.label)).collect();
    let width = screen.widest(
        labels
            .iter()
            .copied()
            .chain([risk_words(classification.risk), reversibility_words(classification.reversibility)]),
    );
    let mut row = |label: &str, reasons: &[String]| {
        screen.labelled(2, width, (Ink::Plain, label), &[(Ink::Dim, &reasons.join("; "))]);
    };
    row(risk_words(classification.risk), &classification.risk_reasons);
    row(reversibility_words(classification.reversibility), &classification.reversibility_reasons);
    for (label, labelled) in labels.iter().zip(&classification.labels) {
        row(label, &labelled.reasons);
    }
}
