//! How the review went: questions, checks, who answered, what it cost.

use review::Family;
use review::judge::CheckState;
use review::outcome::EndingKind;
use review::packet::{CallV1, PacketV1, SeatV1};
use review::panel::{Asked, Relation, list};

use super::Verbosity;
use super::screen::{Ink, Piece, Screen};
use crate::amount::{Amount, plural};
use crate::parts::{
    AnsweredAs, not_counted, questions as asked_questions, tokens, told_checks, was_served_as_another,
};
use crate::text::short;
use crate::words::{check_source_words, check_words, ending_words, relation_words};

/// How many of a failed check's last lines are shown; the packet has more.
const LAST_LINES: usize = 5;

/// Everything that stands below the claims.
pub(super) fn proceedings(screen: &mut Screen, packet: &PacketV1, verbosity: Verbosity) {
    questions(screen, packet);
    checks(screen, packet);
    panel(screen, packet, verbosity);
    ledger(screen, packet, verbosity);
    if verbosity == Verbosity::Verbose {
        subject(screen, packet);
    }
}

fn questions(screen: &mut Screen, packet: &PacketV1) {
    if packet.questions.is_empty() {
        return;
    }
    screen.heading("Questions for the author");
    for question in asked_questions(packet) {
        screen.flow(2, 4, &[(Ink::Plain, question.text)]);
        let lenses = question.lenses.iter().map(|lens| lens.name());
        let by: Vec<&str> = lenses.chain(question.names.iter().copied()).collect();
        screen.flow(4, 6, &[(Ink::Dim, &by.join(", "))]);
    }
}

fn checks(screen: &mut Screen, packet: &PacketV1) {
    if packet.checks.is_empty() {
        return;
    }
    screen.heading("Checks");
    let (told, others) = told_checks(packet);
    let width = screen.widest(told.iter().map(|check| check.name.as_str()));
    for check in told {
        let exit = check.exit_code.map(|code| format!(", exit code {code}")).unwrap_or_default();
        let app = check.app.iter().map(|app| format!(", app {app}")).collect::<String>();
        let source = check_source_words(check.source);
        let detail = if check.detail.is_empty() { String::new() } else { format!(": {}", check.detail) };
        let pieces = [
            (Ink::Plain, check_words(check.state)),
            (Ink::Dim, &exit),
            (Ink::Dim, ", "),
            (Ink::Dim, source),
            (Ink::Dim, &app),
            (Ink::Dim, &detail),
        ];
        screen.labelled(2, width, (Ink::Plain, &check.name), &pieces);
        let record = check.record.as_ref().filter(|_| check.state == CheckState::Failed);
        let lines = record.map_or(&[][..], |record| &record.last_lines);
        for line in &lines[lines.len().saturating_sub(LAST_LINES)..] {
            screen.flow(width + 4, width + 6, &[(Ink::Dim, line)]);
        }
    }
    for (count, state) in others {
        screen.flow(2, 4, &[(Ink::Dim, &format!("{count} of the platform: {}", check_words(state)))]);
    }
}

fn panel(screen: &mut Screen, packet: &PacketV1, verbosity: Verbosity) {
    screen.heading("Panel");
    let lens_width = screen.widest(packet.panel.lenses.iter().map(|lens| lens.lens.name()));
    let width = screen.widest(packet.panel.seats.iter().map(|seat| seat.reviewer.as_str()));
    for lens in &packet.panel.lenses {
        let all = packet.panel.seats.iter().enumerate();
        let seats: Vec<(usize, &SeatV1)> = all.filter(|(_, seat)| seat.lens == lens.lens).collect();
        for (index, (place, seat)) in seats.iter().enumerate() {
            let name = if index == 0 { lens.lens.name() } else { "" };
            let mut ended = ended(seat);
            for answered in not_counted(packet, *place) {
                ended.push_str(&format!("; {}", answered_as(&answered)));
            }
            let pieces: [Piece<'_>; 1] = [(Ink::Dim, &ended)];
            screen.labelled_twice(
                2,
                (lens_width, (Ink::Plain, name)),
                (width, (Ink::Plain, &seat.reviewer)),
                &pieces,
            );
            if verbosity == Verbosity::Verbose {
                let indent = 2 + lens_width + 2 + width + 2;
                for examined in seat.outcomes.iter().flat_map(|outcome| &outcome.examined) {
                    screen.flow(indent, indent + 2, &[(Ink::Dim, "examined: "), (Ink::Dim, examined)]);
                }
            }
        }
        let why: &str = match (lens.asked, &lens.unmet) {
            (_, Some(unmet)) => unmet,
            (Asked::Nobody | Asked::NotNeeded, None) => &lens.reason,
            (Asked::Models | Asked::Rules, None) if seats.is_empty() => "nobody was seated",
            (Asked::Models | Asked::Rules, None) => continue,
        };
        let name = if seats.is_empty() { lens.lens.name() } else { "" };
        screen.labelled(2, lens_width, (Ink::Plain, name), &[(Ink::Dim, why)]);
    }
}

/// "answered as claude-opus-4-5 of anthropic: not counted as independent".
fn answered_as(answered: &AnsweredAs<'_>) -> String {
    let model = answered.model.unwrap_or("a model that was not named");
    let of = match &answered.relation {
        Relation::Related { families } => list(families.iter().map(Family::as_str)),
        Relation::NoLineage | Relation::Unrelated | Relation::UnknownLineage => "unknown lineage".to_owned(),
    };
    format!("answered as {model} of {of}: not counted as independent")
}

/// "answered, 3 findings"; "answered 2 of 3 parts, 1 finding; part 3 timed out: no answer within 120 s".
fn ended(seat: &SeatV1) -> String {
    let parts = seat.outcomes.len();
    let answered = seat.outcomes.iter().filter(|outcome| outcome.outcome == EndingKind::Answered).count();
    let findings: usize = seat.outcomes.iter().map(|outcome| outcome.findings as usize).sum();
    let dropped: usize = seat.outcomes.iter().map(|outcome| outcome.dropped as usize).sum();
    let mut words = Vec::new();
    if parts == 0 {
        words.push("not asked".to_owned());
    }
    if answered > 0 {
        let all = if answered == parts {
            "answered".to_owned()
        } else {
            format!("answered {answered} of {parts} parts")
        };
        let left_out = if dropped > 0 { format!(", {dropped} left out") } else { String::new() };
        words.push(format!("{all}, {}{left_out}", plural(findings, "finding", "findings")));
    }
    for outcome in seat.outcomes.iter().filter(|outcome| outcome.outcome != EndingKind::Answered) {
        let part = if parts > 1 { format!("part {} ", outcome.part) } else { String::new() };
        let detail = if outcome.detail.is_empty() { String::new() } else { format!(": {}", outcome.detail) };
        words.push(format!("{part}{}{detail}", ending_words(outcome.outcome)));
    }
    match &seat.relation {
        Relation::NoLineage | Relation::Unrelated => {}
        Relation::Related { .. } | Relation::UnknownLineage => {
            words.push(relation_words(&seat.relation).to_owned())
        }
    }
    words.join("; ")
}

fn ledger(screen: &mut Screen, packet: &PacketV1, verbosity: Verbosity) {
    let ledger = &packet.ledger;
    screen.heading("Ledger");
    let sum = tokens(packet);
    let mut parts = vec![plural(ledger.calls.len(), "call", "calls")];
    if !ledger.calls.is_empty() {
        let cached =
            if sum.cached > 0 { format!(" ({} cached)", Amount::Count(sum.cached)) } else { String::new() };
        parts.push(format!(
            "{} tokens in{cached}, {} out",
            Amount::Count(sum.input),
            Amount::Count(sum.output)
        ));
        parts.push(format!("{} (estimate)", Amount::MicroUsd(ledger.micro_usd)));
    }
    if ledger.unpriced_calls > 0 {
        parts.push(plural(ledger.unpriced_calls as usize, "call of unknown cost", "calls of unknown cost"));
    }
    parts.push(Amount::Millis(packet.run.elapsed_ms).to_string());
    screen.flow(2, 4, &[(Ink::Plain, &parts.join(", "))]);
    let redacted = packet.coverage.redacted_secrets as usize;
    if redacted > 0 {
        let words = plural(redacted, "secret was", "secrets were");
        screen.flow(2, 4, &[(Ink::Plain, &words), (Ink::Plain, " redacted before any prompt was built")]);
    }
    // A model of another lineage than the one that was asked is told in any case (law 2).
    let told = |call: &&CallV1| verbosity == Verbosity::Verbose || was_served_as_another(packet, call);
    let calls: Vec<&CallV1> = ledger.calls.iter().filter(told).collect();
    let width = screen.widest(calls.iter().map(|call| call.engine.as_str()));
    for call in calls {
        let served = call.served_model.as_deref().unwrap_or("a model it did not name");
        let cost = call.micro_usd.map(|cost| Amount::MicroUsd(cost).to_string());
        let rest = format!(
            ", part {}, {}, {}, {}",
            call.part,
            ending_words(call.outcome),
            cost.as_deref().unwrap_or("unknown cost"),
            Amount::Millis(call.elapsed_ms)
        );
        let pieces = [(Ink::Dim, "served as "), (Ink::Dim, served), (Ink::Dim, &rest)];
        screen.labelled(2, width, (Ink::Plain, &call.engine), &pieces);
    }
}

fn subject(screen: &mut Screen, packet: &PacketV1) {
    let subject = &packet.subject;
    screen.heading("Subject");
    let mut row = |label: &str, text: &str| screen.labelled(2, 11, (Ink::Plain, label), &[(Ink::Dim, text)]);
    if let Some(branch) = &subject.branch {
        row("branch", branch);
    }
    if let Some(base) = &subject.base {
        row("base", base.as_str());
    }
    row("diff", subject.diff_digest.as_str());
    row("description", subject.text_digest.as_str());
    row("run", &format!("{}, {}", packet.run.id, Amount::UnixSeconds(packet.run.started_at)));
    row("recuse", &packet.run.version);
    for receipt in &packet.receipts {
        row("receipt", &format!("{} {}", short(receipt.digest.as_str()), receipt.name));
    }
}
