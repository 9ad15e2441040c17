//! The packet for a shell: the verdict, what was not reviewed, who wrote it and who was recused, the claims, and
//! how the review went.

mod claims;
mod screen;

use review::Digest;
use review::packet::{PacketV1, family_words};

use claims::claims;
use screen::{Ink, Piece, Screen};

use crate::words::{
    Amount, author_words, channel_words, check_source_words, check_words, ending_words, gap_groups,
    one_or_many, reasons, short, standing_words, strength_words, strongest_evidence, tokens,
    unanchored_by_reason,
};

/// How the packet is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalOptions {
    /// Whether escape sequences for colours are written; `NO_COLOR` and terminals are the caller's to know.
    pub colour: Colour,
    /// How many columns a line may have.
    pub width: usize,
    /// How much is shown.
    pub verbosity: Verbosity,
}

/// Whether colours are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// They are.
    Always,
    /// Not one escape sequence is.
    Never,
}

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    /// The headline and the claims.
    Quiet,
    /// What a maintainer reads.
    Normal,
    /// All that the packet lists.
    Verbose,
}

/// How many groups of gaps, and how many places of each, are shown before the rest is counted.
const GAPS: usize = 10;

/// The packet for a shell.
pub fn terminal(packet: &PacketV1, digest: &Digest, options: &TerminalOptions) -> String {
    let mut screen = Screen::new(options.colour, options.width);
    headline(&mut screen, packet);
    match options.verbosity {
        Verbosity::Quiet => claims(&mut screen, packet, options.verbosity),
        Verbosity::Normal | Verbosity::Verbose => {
            not_reviewed(&mut screen, packet, options.verbosity);
            authors(&mut screen, packet, options.verbosity);
            claims(&mut screen, packet, options.verbosity);
            unanchored(&mut screen, packet, options.verbosity);
            questions(&mut screen, packet);
            checks(&mut screen, packet);
            panel(&mut screen, packet);
            ledger(&mut screen, packet);
            screen.gap();
            screen.flow(0, 7, &[(Ink::Dim, "packet "), (Ink::Dim, digest.as_str())]);
        }
    }
    screen.into_text()
}

fn headline(screen: &mut Screen, packet: &PacketV1) {
    let headline = &packet.judgement.headline;
    let verdict = packet.verdict.name();
    let pieces: Vec<Piece<'_>> = match headline.split_once(verdict) {
        Some((before, after)) => {
            vec![(Ink::Strong, before), (Ink::Verdict(packet.verdict), verdict), (Ink::Strong, after)]
        }
        None => vec![(Ink::Verdict(packet.verdict), verdict), (Ink::Strong, " "), (Ink::Strong, headline)],
    };
    screen.flow(0, 2, &pieces);
    let subject = &packet.subject;
    let files = subject.files.len();
    let size = format!(
        "{files} {}, +{} -{}",
        one_or_many(files, "file", "files"),
        Amount::Count(packet.classification.added),
        Amount::Count(packet.classification.removed)
    );
    let name = match &subject.head {
        Some(head) => format!("head {}", head.as_str()),
        None => format!("diff {}", short(subject.diff_digest.as_str())),
    };
    screen.flow(0, 2, &[(Ink::Dim, &format!("{name} · {size}"))]);
}

fn heading(screen: &mut Screen, words: &str) {
    screen.gap();
    screen.flow(0, 2, &[(Ink::Strong, words)]);
}

fn not_reviewed(screen: &mut Screen, packet: &PacketV1, verbosity: Verbosity) {
    let reasons = reasons(packet);
    let groups = gap_groups(packet);
    if reasons.is_empty() && groups.is_empty() {
        return;
    }
    heading(screen, "Not reviewed");
    for reason in reasons {
        screen.flow(2, 4, &[(Ink::Plain, reason)]);
    }
    let most = match verbosity {
        Verbosity::Verbose => usize::MAX,
        Verbosity::Quiet | Verbosity::Normal => GAPS,
    };
    for group in groups.iter().take(most) {
        screen.flow(2, 4, &[(Ink::Plain, group.detail)]);
        for place in group.places.iter().take(most) {
            screen.flow(4, 6, &[(Ink::Dim, place)]);
        }
        if group.places.len() > most {
            let more = format!("and {} more places (-v lists them)", group.places.len() - most);
            screen.flow(4, 6, &[(Ink::Dim, &more)]);
        }
    }
    if groups.len() > most {
        let more = format!("and {} more reasons (-v lists them)", groups.len() - most);
        screen.flow(2, 4, &[(Ink::Dim, &more)]);
    }
}

fn authors(screen: &mut Screen, packet: &PacketV1, verbosity: Verbosity) {
    heading(screen, "Who wrote it");
    screen.flow(
        2,
        4,
        &[(Ink::Plain, author_words(packet)), (Ink::Dim, "; "), (Ink::Plain, standing_words(packet))],
    );
    let evidence = match verbosity {
        Verbosity::Verbose => packet.attribution.evidence.iter().collect(),
        Verbosity::Quiet | Verbosity::Normal => strongest_evidence(packet),
    };
    for trace in evidence {
        let family = family_words(&trace.lineage);
        screen.flow(
            2,
            4,
            &[
                (Ink::Plain, &family),
                (Ink::Dim, " "),
                (Ink::Dim, strength_words(trace.strength)),
                (Ink::Dim, ", "),
                (Ink::Dim, channel_words(trace.channel)),
                (Ink::Dim, " of "),
                (Ink::Dim, &trace.place),
                (Ink::Dim, ": "),
                (Ink::Dim, &trace.text),
            ],
        );
    }
    if !packet.panel.recused.is_empty() {
        heading(screen, "Recused");
        for recusal in &packet.panel.recused {
            screen.flow(2, 4, &[(Ink::Plain, &recusal.engine), (Ink::Dim, " "), (Ink::Dim, &recusal.reason)]);
        }
    }
}

fn unanchored(screen: &mut Screen, packet: &PacketV1, verbosity: Verbosity) {
    let count = packet.unanchored.len();
    if count == 0 {
        return;
    }
    screen.gap();
    let words = one_or_many(
        count,
        "finding could not be anchored and is not told as fact",
        "findings could not be anchored and are not told as fact",
    );
    screen.flow(0, 2, &[(Ink::Dim, &format!("{count} {words}"))]);
    if verbosity == Verbosity::Verbose {
        for (reason, findings) in unanchored_by_reason(packet) {
            screen.flow(2, 4, &[(Ink::Dim, reason)]);
            for finding in findings {
                screen.flow(
                    4,
                    6,
                    &[(Ink::Dim, &format!("{}: {}: {}", finding.name, finding.file, finding.title))],
                );
            }
        }
    }
}

fn questions(screen: &mut Screen, packet: &PacketV1) {
    if packet.questions.is_empty() {
        return;
    }
    heading(screen, "Questions for the author");
    for question in &packet.questions {
        screen.flow(2, 4, &[(Ink::Plain, &question.text), (Ink::Dim, " "), (Ink::Dim, &question.name)]);
    }
}

fn checks(screen: &mut Screen, packet: &PacketV1) {
    if packet.checks.is_empty() {
        return;
    }
    heading(screen, "Checks");
    for check in &packet.checks {
        let exit = check.exit_code.map(|code| format!(", exit code {code}")).unwrap_or_default();
        let words = format!(" {}{exit}, {}", check_words(check.state), check_source_words(check.source));
        screen.flow(2, 4, &[(Ink::Plain, &check.name), (Ink::Dim, &words)]);
    }
}

fn panel(screen: &mut Screen, packet: &PacketV1) {
    heading(screen, "Panel");
    for seat in &packet.panel.seats {
        let ended: Vec<&str> = seat.outcomes.iter().map(|outcome| ending_words(outcome.outcome)).collect();
        let line = format!("{:<14} {} {}", seat.lens.name(), seat.reviewer, ended.join(", "));
        screen.row(2, Ink::Plain, &line);
    }
}

fn ledger(screen: &mut Screen, packet: &PacketV1) {
    let sum = tokens(packet);
    heading(screen, "Ledger");
    let line = format!(
        "{} calls, {} tokens in, {} out, {} (estimate), {}",
        packet.ledger.calls.len(),
        Amount::Count(sum.input),
        Amount::Count(sum.output),
        Amount::MicroUsd(packet.ledger.micro_usd),
        Amount::Millis(packet.run.elapsed_ms)
    );
    screen.flow(2, 4, &[(Ink::Dim, &line)]);
}
