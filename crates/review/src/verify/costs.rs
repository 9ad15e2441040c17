//! How reviewers ended and what they cost: the seats' outcomes against the ledger, and the ledger against the prices.

use std::collections::{BTreeMap, BTreeSet};

use super::people::is_rules;
use super::{Problems, Proof};
use crate::judge::plural;
use crate::outcome::EndingKind;
use crate::packet::{CallV1, PacketV1, ReceiptKindV1, SeatV1};

/// Every outcome of a model has its call, every call its outcome, and every finding is told.
pub(super) fn outcomes(packet: &PacketV1) -> Proof {
    let mut problems = Problems::default();
    for (index, seat) in packet.panel.seats.iter().enumerate() {
        seat_outcomes(packet, index, seat, &mut problems);
    }
    for (index, examination) in packet.panel.examinations.iter().enumerate() {
        let calls: Vec<&CallV1> = examination_calls(packet, index).collect();
        let fits = matches!(calls[..], [call] if call.part == 1 && call.outcome == examination.outcome);
        problems.expect(fits, || format!("examination {index} has no call that ended as it says"));
        let is_answered = examination.outcome == EndingKind::Answered;
        problems.expect(is_answered == examination.detail.is_empty(), || {
            format!(
                "examination {index} says why it was not answered, or does not, and should not, or should"
            )
        });
    }
    let reviewers: BTreeSet<&str> = packet.panel.seats.iter().map(|seat| seat.reviewer.as_str()).collect();
    for reviewer in reviewers {
        let seats = packet.panel.seats.iter().filter(|seat| seat.reviewer == reviewer);
        let found: u64 =
            seats.flat_map(|seat| &seat.outcomes).map(|outcome| u64::from(outcome.findings)).sum();
        let sources = packet.claims.iter().flat_map(|claim| &claim.sources);
        let told = sources.filter(|source| source.name == reviewer).count()
            + packet.unanchored.iter().filter(|finding| finding.name == reviewer).count();
        problems.same(format!("the number of findings of {reviewer}"), found, told as u64);
    }
    let calls = plural(packet.ledger.calls.len(), "call", "calls");
    Proof::of("outcomes", problems, format!("{calls} ended as their seats say, and every finding is told"))
}

fn examination_calls(packet: &PacketV1, examination: usize) -> impl Iterator<Item = &CallV1> {
    let is_of = move |call: &&CallV1| call.examination.is_some_and(|it| it as usize == examination);
    packet.ledger.calls.iter().filter(is_of)
}

fn seat_outcomes(packet: &PacketV1, index: usize, seat: &SeatV1, problems: &mut Problems) {
    let mut calls: Vec<&CallV1> =
        packet.ledger.calls.iter().filter(|call| call.seat.is_some_and(|it| it as usize == index)).collect();
    let parts: BTreeSet<u32> = seat.outcomes.iter().map(|outcome| outcome.part).collect();
    let numbered =
        parts.len() == seat.outcomes.len() && parts.iter().zip(1..).all(|(part, number)| *part == number);
    problems.expect(numbered, || format!("the parts of seat {index} are not numbered from 1"));
    for outcome in &seat.outcomes {
        let part = outcome.part;
        let is_answered = outcome.outcome == EndingKind::Answered;
        let says_what = !outcome.examined.is_empty();
        problems.expect(
            is_answered == outcome.detail.is_empty() && (is_answered || outcome.findings == 0),
            || format!("part {part} of seat {index} is answered and not, or says why not and was"),
        );
        // What the rules examined may be no file at all; a model that says nothing of it has not answered.
        problems.expect(is_rules(&seat.reviewer) || is_answered == says_what, || {
            format!("part {part} of seat {index} does not say what was examined")
        });
        if is_rules(&seat.reviewer) {
            let files: BTreeSet<&str> = outcome.examined.iter().map(String::as_str).collect();
            let are_files =
                files.iter().all(|name| packet.subject.files.iter().any(|file| file.path.as_str() == *name));
            problems.expect(are_files && files.len() == outcome.examined.len(), || {
                format!("the rules of seat {index} examined something that is no changed file, or one twice")
            });
            continue;
        }
        let call = calls.iter().position(|call| call.part == part);
        match call.map(|call| calls.remove(call)) {
            Some(call) => problems.expect(call.outcome == outcome.outcome, || {
                format!("part {part} of seat {index} ended in one way, and its call in another")
            }),
            None => problems.expect(false, || format!("part {part} of seat {index} has no call")),
        }
    }
    problems.expect(calls.is_empty(), || format!("seat {index} has calls of parts that it does not have"));
}

/// Every cost from usage and price, and their sums.
pub(super) fn costs(packet: &PacketV1) -> Proof {
    let mut problems = Problems::default();
    let mut recomputed = 0;
    for (index, call) in packet.ledger.calls.iter().enumerate() {
        let engine = packet.panel.roster.iter().find(|engine| engine.id == call.engine);
        let price = engine.and_then(|engine| engine.price.as_ref());
        if let (Some(price), Some(usage)) = (price, &call.usage) {
            recomputed += 1;
            let cost = price.cost(usage);
            // Attempts before the one that answered count as they were reserved, or not at all.
            let (says, reserved) = (call.micro_usd.unwrap_or(0), call.reserved_micro_usd.unwrap_or(0).max(1));
            let holds = call.micro_usd.is_some() && says >= cost && (says - cost) % reserved == 0;
            problems.expect(holds, || {
                format!("call {index} cost {says} micro-USD, and by usage and price it costs {cost}")
            });
        }
        if price.is_none() {
            let unpriced = call.micro_usd.is_none() && call.reserved_micro_usd.is_none();
            problems.expect(unpriced, || format!("call {index} has a cost, and its model no price"));
        }
    }
    let sum = packet.ledger.calls.iter().filter_map(|call| call.micro_usd).fold(0, u64::saturating_add);
    let unpriced = packet.ledger.calls.iter().filter(|call| call.micro_usd.is_none()).count();
    problems.same("the sum of all costs, in micro-USD", packet.ledger.micro_usd, sum);
    problems.same("the number of calls of unknown cost", packet.ledger.unpriced_calls as usize, unpriced);
    if let Some(most) = packet.contract.budget.max_micro_usd {
        problems.expect(sum <= most, || format!("{sum} micro-USD were spent, and the most is {most}"));
    }
    for (index, call) in packet.ledger.calls.iter().enumerate() {
        // A packet of an evaluation does not tell its own time.
        let within = packet.run.elapsed_ms == 0 || call.elapsed_ms <= packet.run.elapsed_ms;
        problems.expect(within, || format!("call {index} took longer than the whole review"));
    }
    Proof::of(
        "costs",
        problems,
        format!("{} from usage and price, {sum} micro-USD together", plural(recomputed, "cost", "costs")),
    )
}

/// Whether the receipts of prompts and replies are those of the ledger's calls, by their names.
pub(super) fn receipts_named(packet: &PacketV1) -> Proof {
    let mut problems = Problems::default();
    let mut expected = Vec::new();
    for call in &packet.ledger.calls {
        let name = match (call.seat, call.examination) {
            (Some(seat), _) => format!("seat {seat} part {}", call.part),
            (None, examination) => format!("examination {}", examination.unwrap_or_default()),
        };
        expected.extend(call.prompt.as_ref().map(|digest| (ReceiptKindV1::Prompt, name.clone(), digest)));
        expected.extend(call.reply.as_ref().map(|digest| (ReceiptKindV1::Reply, name.clone(), digest)));
        problems
            .expect(call.reply.is_some() || (call.served_model.is_none() && call.usage.is_none()), || {
                format!("nobody replied to the {name}, and a model and its tokens are named")
            });
        let needs = call.outcome == EndingKind::Answered;
        problems.expect(!needs || (call.prompt.is_some() && call.reply.is_some()), || {
            "a call was answered and its prompt or reply was not kept".to_owned()
        });
    }
    // The one list is in the order of the hearing, the other in that of the seats.
    expected.sort();
    let mut kept: Vec<_> = packet
        .receipts
        .iter()
        .filter(|receipt| matches!(receipt.kind, ReceiptKindV1::Prompt | ReceiptKindV1::Reply))
        .map(|receipt| (receipt.kind, receipt.name.clone(), &receipt.digest))
        .collect();
    kept.sort();
    problems.expect(kept == expected, || {
        "the receipts of prompts and replies are not those of the ledger's calls".to_owned()
    });
    // A record has what was said in each reply; a packet of before there were records has neither.
    let names = |kind: ReceiptKindV1| -> BTreeMap<&str, usize> {
        let mut names = BTreeMap::new();
        for receipt in packet.receipts.iter().filter(|receipt| receipt.kind == kind) {
            *names.entry(receipt.name.as_str()).or_default() += 1;
        }
        names
    };
    let is_recorded = packet.receipts.iter().any(|receipt| receipt.kind == ReceiptKindV1::Record);
    problems.expect(!is_recorded || names(ReceiptKindV1::Answer) == names(ReceiptKindV1::Reply), || {
        "the receipts of answers are not those of the replies".to_owned()
    });
    Proof::of("ledger", problems, format!("{} prompts and replies are among the receipts", expected.len()))
}
