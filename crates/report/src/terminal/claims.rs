//! The claims in a shell: place, quoted lines, what goes wrong, and what speaks for it.

use review::packet::{ClaimV1, PacketV1};
use review::text::visible;

use super::Verbosity;
use super::screen::{Ink, PROSE_COLUMNS, Piece, Screen};
use crate::amount::plural;
use crate::claim::{excerpt, family_beside, lines, named_supporters, place_note, support, uncounted_sources};
use crate::parts::{by_standing, unanchored_by_reason};
use crate::text::{clip, place};
use crate::wrap::wrap;

/// How many quoted lines are shown.
const QUOTED_LINES: usize = 12;

/// How many characters of a title are shown.
const TITLE_CHARACTERS: usize = 200;

/// How many characters of an examiner's reason are shown.
const REASON_CHARACTERS: usize = 400;

/// Where everything of a claim starts: behind the longest severity.
const INDENT: usize = 12;

/// The claims that stand, worst first, then those that were refuted in a line each.
pub(super) fn claims(screen: &mut Screen, packet: &PacketV1, verbosity: Verbosity) {
    let (standing, refuted) = by_standing(packet);
    if !standing.is_empty() {
        screen.heading("Claims");
    }
    for (index, claim) in standing.into_iter().enumerate() {
        if index > 0 {
            screen.gap();
        }
        one(screen, claim, verbosity);
    }
    if !refuted.is_empty() {
        screen.heading("Refuted");
        for claim in refuted {
            let title = clip(&claim.title, TITLE_CHARACTERS);
            let place = place(&claim.file, lines(claim));
            let pieces = [(Ink::Dim, place.as_str()), (Ink::Dim, " "), (Ink::Dim, &title)];
            screen.labelled(2, INDENT - 4, (Ink::Dim, claim.severity.name()), &pieces);
            examination(screen, claim);
        }
    }
}

fn one(screen: &mut Screen, claim: &ClaimV1, verbosity: Verbosity) {
    let place = place(&claim.file, lines(claim));
    let note = place_note(claim).map(|note| format!(" ({note})")).unwrap_or_default();
    let severity = (Ink::Severity(claim.severity), claim.severity.name());
    screen.labelled(2, INDENT - 4, severity, &[(Ink::Plain, &place), (Ink::Dim, &note)]);
    screen.flow(INDENT, INDENT, &[(Ink::Strong, &clip(&claim.title, TITLE_CHARACTERS))]);
    quote(screen, claim, verbosity);
    let scenario = wrap(&visible(&claim.body), screen.room(INDENT).min(PROSE_COLUMNS));
    if !scenario.is_empty() {
        screen.gap();
        for line in scenario {
            screen.row(INDENT, Ink::Plain, &line);
        }
    }
    screen.gap();
    speaks_for(screen, claim, verbosity);
}

fn quote(screen: &mut Screen, claim: &ClaimV1, verbosity: Verbosity) {
    let quoted = excerpt(claim);
    let most = match verbosity {
        Verbosity::Verbose => usize::MAX,
        Verbosity::Quiet | Verbosity::Normal => QUOTED_LINES,
    };
    let numbers = quoted.iter().filter_map(|line| line.number);
    let width = numbers.max().map_or(0, |number| number.to_string().len());
    if !quoted.is_empty() {
        screen.gap();
    }
    for line in quoted.iter().take(most) {
        let number = line.number.map(|number| number.to_string()).unwrap_or_default();
        screen.source(INDENT, &format!("> {number:>width$} | "), line.text);
    }
    if quoted.len() > most {
        screen.source(INDENT, &format!("  {:>width$} | ", ""), "…");
    }
}

fn speaks_for(screen: &mut Screen, claim: &ClaimV1, verbosity: Verbosity) {
    let support = support(claim).to_string();
    let mut names: Vec<String> = named_supporters(claim)
        .iter()
        .map(|supporter| match family_beside(supporter) {
            Some(family) => format!("{} ({family})", supporter.name),
            None => supporter.name.clone(),
        })
        .collect();
    names.extend(
        uncounted_sources(claim).into_iter().map(|name| format!("{name} (not independent, not counted)")),
    );
    let mut pieces: Vec<Piece<'_>> = vec![(Ink::Plain, &support)];
    for (index, name) in names.iter().enumerate() {
        pieces.extend([(Ink::Dim, if index == 0 { ": " } else { ", " }), (Ink::Dim, name)]);
    }
    screen.flow(INDENT, INDENT, &pieces);
    examination(screen, claim);
    screen.flow(
        INDENT,
        INDENT,
        &[(Ink::Dim, &claim.category), (Ink::Dim, ", claim "), (Ink::Dim, &claim.id)],
    );
    if verbosity == Verbosity::Verbose {
        for source in &claim.sources {
            let because = match source.merged_because.as_str() {
                "" => String::new(),
                because => format!(" ({because})"),
            };
            let title = clip(&source.title, TITLE_CHARACTERS);
            let pieces = [
                (Ink::Dim, source.name.as_str()),
                (Ink::Dim, ": "),
                (Ink::Dim, &title),
                (Ink::Dim, &because),
            ];
            screen.flow(INDENT, INDENT + 2, &pieces);
        }
    }
}

/// Who examined a claim, and why it decided as it did.
fn examination(screen: &mut Screen, claim: &ClaimV1) {
    if let Some(examination) = &claim.examination {
        let reason = clip(&examination.reason, REASON_CHARACTERS);
        let pieces = [(Ink::Dim, examination.by.as_str()), (Ink::Dim, ": "), (Ink::Dim, &reason)];
        screen.flow(INDENT, INDENT, &pieces);
    }
}

/// What was said and quotes nothing that could be found: counted, and listed only where all is asked for.
pub(super) fn unanchored(screen: &mut Screen, packet: &PacketV1, verbosity: Verbosity) {
    if packet.unanchored.is_empty() {
        return;
    }
    screen.gap();
    let count = plural(
        packet.unanchored.len(),
        "finding could not be anchored and is not told as fact",
        "findings could not be anchored and are not told as fact",
    );
    screen.flow(0, 2, &[(Ink::Dim, &count)]);
    if verbosity == Verbosity::Verbose {
        for (reason, findings) in unanchored_by_reason(packet) {
            screen.flow(2, 4, &[(Ink::Dim, reason)]);
            for finding in findings {
                let title = clip(&finding.title, TITLE_CHARACTERS);
                let line = format!("{}: {}: {title}", finding.name, finding.file);
                screen.flow(4, 6, &[(Ink::Dim, &line)]);
            }
        }
    }
}

/// How many excused findings, and places of files that were not read, are shown before the rest is counted.
const MOST_BESIDE: usize = 10;

/// What the rules say beside their claims: what exceptions in the base excuse, and what they could not read.
pub(super) fn beside(screen: &mut Screen, packet: &PacketV1, verbosity: Verbosity) {
    let rules = &packet.rules;
    if rules.suppressed.is_empty() && rules.not_covered.is_empty() && rules.notes.is_empty() {
        return;
    }
    let most = match verbosity {
        Verbosity::Verbose => usize::MAX,
        Verbosity::Quiet | Verbosity::Normal => MOST_BESIDE,
    };
    screen.heading("Beside the rules' claims");
    for excused in rules.suppressed.iter().take(most) {
        let place = place(excused.file.as_str(), excused.line.map(|line| (line, line)));
        let pieces = [
            (Ink::Plain, excused.rule.as_str()),
            (Ink::Dim, " at "),
            (Ink::Plain, &place),
            (Ink::Dim, &format!(" is excused by line {}: ", excused.allowed_at)),
            (Ink::Plain, &clip(&excused.reason, TITLE_CHARACTERS)),
        ];
        screen.flow(2, 4, &pieces);
    }
    for missed in rules.not_covered.iter().take(most) {
        let files = match missed.files.as_slice() {
            [only] => only.to_string(),
            several => plural(several.len(), "file", "files"),
        };
        let pieces = [
            (Ink::Plain, missed.lens.name()),
            (Ink::Dim, " rules did not look at "),
            (Ink::Plain, &files),
            (Ink::Dim, ": "),
            (Ink::Dim, &missed.reason),
        ];
        screen.flow(2, 4, &pieces);
    }
    for note in rules.notes.iter().take(most) {
        screen.flow(2, 4, &[(Ink::Plain, note.file.as_str()), (Ink::Dim, ": "), (Ink::Dim, &note.note)]);
    }
    let over = |length: usize| length.saturating_sub(most);
    let more = over(rules.suppressed.len()) + over(rules.not_covered.len()) + over(rules.notes.len());
    if more > 0 {
        screen.flow(
            2,
            4,
            &[(Ink::Dim, "and "), (Ink::Dim, &plural(more, "more", "more")), (Ink::Dim, ", listed with -v")],
        );
    }
}
