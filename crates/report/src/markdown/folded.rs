//! The folded end of the comment: coverage, panel, ledger, digests and version.

use review::packet::{CallV1, PacketV1, SeatV1};
use review::panel::Relation;

use super::build::{Block, Entry, Inline, Line};
use super::{code, count, families, listed, own, table};
use crate::amount::{Amount, one_or_many};
use crate::parts::{AnsweredAs, not_counted, tokens};
use crate::words::{asked_words, ending_words, relation_words};
use crate::{PacketName, Seal};

/// Coverage, panel, ledger and digests, each folded, and what a reader has to know about all of it.
pub(super) fn folded(packet: &PacketV1, name: &PacketName) -> Vec<Block> {
    let mut blocks = vec![
        Block::Details("Coverage", coverage(packet)),
        Block::Details("Panel", panel(packet)),
        Block::Details("Ledger", ledger(packet)),
        Block::Details("Digests and version", digests(packet, name)),
    ];
    blocks.push(Block::Paragraph(vec![own(
        "A review is no approval, and recuse never gives one. What others wrote stands in code; the at sign of a \
         name is written (at) there.",
    )]));
    blocks
}

fn coverage(packet: &PacketV1) -> Vec<Block> {
    let rows = packet.coverage.lenses.iter().map(|lens| {
        let numbers = [lens.hunks, lens.covered, lens.exempt, lens.uncovered];
        let independent = if lens.independent { "yes" } else { "no" };
        let mut row = vec![vec![own(lens.lens.name())], vec![own(asked_words(lens.asked))]];
        row.extend(numbers.map(|number| vec![count(number as usize)]));
        row.push(vec![own(independent)]);
        row
    });
    let mut blocks =
        table(vec!["lens", "asked", "hunks", "covered", "exempt", "not covered", "independent"], rows);
    let redacted = packet.coverage.redacted_secrets as usize;
    blocks.push(Block::Paragraph(vec![
        count(redacted),
        own(one_or_many(
            redacted,
            " secret was redacted before any prompt was built.",
            " secrets were redacted before any prompt was built.",
        )),
    ]));
    blocks
}

/// Who sat, how they ended and what they found.
pub(super) fn panel(packet: &PacketV1) -> Vec<Block> {
    let rows = packet.panel.seats.iter().enumerate().map(|(index, seat)| {
        let mut relation = relation(seat);
        relation.extend(not_counted(packet, index).iter().flat_map(answered_as));
        vec![vec![own(seat.lens.name())], reviewer(packet, seat), relation, ended(seat), found(seat)]
    });
    table(vec!["lens", "reviewer", "to the author", "ended", "findings"], rows)
}

fn reviewer(packet: &PacketV1, seat: &SeatV1) -> Line {
    let mut line = vec![code(&seat.reviewer)];
    let failed = seat.stands_in_for.and_then(|index| packet.panel.seats.get(index as usize));
    line.extend(failed.into_iter().flat_map(|failed| [own(" for "), code(&failed.reviewer)]));
    line
}

fn relation(seat: &SeatV1) -> Line {
    let mut line = vec![own(relation_words(&seat.relation))];
    if let Relation::Related { families: shared } = &seat.relation {
        line.push(own(" by "));
        line.extend(families(shared));
    }
    line
}

/// "; answered as `claude-opus-4-5` of `anthropic`: not counted as independent".
fn answered_as(answered: &AnsweredAs<'_>) -> Line {
    let mut line = vec![own("; answered as ")];
    line.push(answered.model.map_or_else(|| own("a model that was not named"), code));
    match &answered.relation {
        Relation::Related { families: shared } => {
            line.push(own(" of "));
            line.extend(families(shared));
        }
        Relation::NoLineage | Relation::Unrelated | Relation::UnknownLineage => {
            line.push(own(" of unknown lineage"));
        }
    }
    line.push(own(": not counted as independent"));
    line
}

fn ended(seat: &SeatV1) -> Line {
    if seat.outcomes.is_empty() {
        return vec![own("not asked")];
    }
    let mut line = Line::new();
    for (index, outcome) in seat.outcomes.iter().take(6).enumerate() {
        line.extend([own(if index == 0 { "" } else { ", " }), own(ending_words(outcome.outcome))]);
        if !outcome.detail.is_empty() {
            line.extend([own(" "), code(&outcome.detail)]);
        }
    }
    if seat.outcomes.len() > 6 {
        line.extend([own(" and "), count(seat.outcomes.len() - 6), own(" more parts")]);
    }
    line
}

fn found(seat: &SeatV1) -> Line {
    let sum = |numbers: &dyn Fn(&review::packet::OutcomeV1) -> u32| {
        seat.outcomes.iter().map(|outcome| numbers(outcome) as usize).sum::<usize>()
    };
    let (findings, dropped) = (sum(&|outcome| outcome.findings), sum(&|outcome| outcome.dropped));
    let mut line = vec![count(findings)];
    if dropped > 0 {
        line.extend([own(", and "), count(dropped), own(" left out")]);
    }
    line
}

fn ledger(packet: &PacketV1) -> Vec<Block> {
    let known = |amount: Option<Amount>| match amount {
        Some(amount) => vec![Inline::Amount(amount)],
        None => vec![own("not known")],
    };
    let row = |call: &CallV1| {
        vec![
            vec![code(&call.engine)],
            call.served_model.as_ref().map_or_else(|| vec![own("not reported")], |served| vec![code(served)]),
            vec![own(ending_words(call.outcome))],
            known(call.usage.map(|usage| Amount::Count(usage.input))),
            known(call.usage.map(|usage| Amount::Count(usage.output))),
            known(call.micro_usd.map(Amount::MicroUsd)),
            vec![Inline::Amount(Amount::Millis(call.elapsed_ms))],
        ]
    };
    let head = vec!["asked", "served as", "ended", "tokens in", "tokens out", "cost", "time"];
    let mut blocks = table(head, packet.ledger.calls.iter().map(row));
    let sum = tokens(packet);
    let calls = packet.ledger.calls.len();
    let mut line = vec![
        count(calls),
        own(one_or_many(calls, " call, ", " calls, ")),
        Inline::Amount(Amount::Count(sum.input)),
        own(" tokens in, "),
        Inline::Amount(Amount::Count(sum.output)),
        own(" out, "),
        Inline::Amount(Amount::MicroUsd(packet.ledger.micro_usd)),
        own(" (estimate)"),
    ];
    let unpriced = packet.ledger.unpriced_calls as usize;
    if unpriced > 0 {
        line.extend([
            own(", "),
            count(unpriced),
            own(one_or_many(unpriced, " call of unknown cost", " calls of unknown cost")),
        ]);
    }
    line.extend([own(", "), Inline::Amount(Amount::Millis(packet.run.elapsed_ms)), own(" in all.")]);
    blocks.push(Block::Paragraph(line));
    blocks
}

fn digests(packet: &PacketV1, name: &PacketName) -> Vec<Block> {
    let subject = &packet.subject;
    let mut lines = vec![vec![own("packet "), code(name.digest.as_str()), own(", ")]];
    lines[0].extend(match &name.seal {
        Seal::Unsigned => vec![own("unsigned")],
        Seal::SignedBy(id) => vec![own("signed by "), code(id), own("; recuse verify checks it")],
    });
    lines.extend(subject.base.as_ref().map(|base| vec![own("base "), code(base.as_str())]));
    lines.extend(subject.head.as_ref().map(|head| vec![own("head "), code(head.as_str())]));
    lines.push(vec![own("diff "), code(subject.diff_digest.as_str())]);
    lines.push(vec![own("title and description "), code(subject.text_digest.as_str())]);
    let receipts = packet.receipts.len();
    lines.push(vec![
        count(receipts),
        own(one_or_many(receipts, " receipt is named in the packet", " receipts are named in the packet")),
    ]);
    lines.push(vec![
        own("recuse "),
        code(&packet.run.version),
        own(", run "),
        code(&packet.run.id),
        own(", "),
        Inline::Amount(Amount::UnixSeconds(packet.run.started_at)),
    ]);
    vec![listed(lines.into_iter().map(Entry::from))]
}
