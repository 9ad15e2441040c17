//! The claims in a shell: place, quoted lines, what goes wrong, and what speaks for it.

use review::packet::{ClaimV1, PacketV1};

use super::Verbosity;
use super::screen::{Ink, Screen};
use crate::excerpt::excerpt;
use crate::words::{by_standing, clip, lines, place, place_note, support, uncounted_sources};
use crate::wrap::wrap;

/// How many quoted lines are shown.
const QUOTED_LINES: usize = 12;

/// The claims that stand, worst first, then those that were refuted in a line each.
pub(super) fn claims(screen: &mut Screen, packet: &PacketV1, verbosity: Verbosity) {
    let (standing, refuted) = by_standing(packet);
    for claim in standing {
        screen.gap();
        one(screen, claim, verbosity);
    }
    if !refuted.is_empty() {
        screen.gap();
        screen.flow(0, 2, &[(Ink::Dim, "Refuted")]);
        for claim in refuted {
            let line =
                format!("{} {} {}", claim.severity.name(), place(&claim.file, lines(claim)), claim.title);
            screen.flow(2, 4, &[(Ink::Dim, &line)]);
        }
    }
}

fn one(screen: &mut Screen, claim: &ClaimV1, verbosity: Verbosity) {
    let place = place(&claim.file, lines(claim));
    let note = place_note(claim).map(|note| format!(" ({note})")).unwrap_or_default();
    let severity = format!("{:<8}", claim.severity.name());
    screen.flow(
        0,
        9,
        &[
            (Ink::Severity(claim.severity), &severity),
            (Ink::Plain, " "),
            (Ink::Strong, &place),
            (Ink::Dim, &note),
            (Ink::Dim, "  "),
            (Ink::Dim, &claim.category),
        ],
    );
    screen.flow(9, 9, &[(Ink::Strong, &clip(&claim.title, 200))]);
    let quoted = excerpt(claim);
    let most = match verbosity {
        Verbosity::Verbose => usize::MAX,
        Verbosity::Quiet | Verbosity::Normal => QUOTED_LINES,
    };
    let width =
        quoted.iter().filter_map(|line| line.number).max().map_or(0, |number| number.to_string().len());
    if !quoted.is_empty() {
        screen.gap();
        for line in quoted.iter().take(most) {
            let number = line.number.map(|number| number.to_string()).unwrap_or_default();
            screen.source(9, &format!("> {number:>width$} | "), line.text, verbosity == Verbosity::Verbose);
        }
        if quoted.len() > most {
            screen.source(9, &format!("  {:>width$} | ", ""), "…", false);
        }
    }
    let scenario = wrap(&review::text::visible(&claim.body), screen.room(9));
    if !scenario.is_empty() {
        screen.gap();
        for line in scenario {
            screen.row(9, Ink::Plain, &line);
        }
    }
    screen.gap();
    let mut words = support(claim).to_string();
    let names: Vec<String> = claim
        .supporters
        .iter()
        .map(|supporter| match &supporter.family {
            Some(family) => format!("{} ({family})", supporter.name),
            None => supporter.name.clone(),
        })
        .collect();
    if !names.is_empty() {
        words = format!("{words}: {}", names.join(", "));
    }
    let uncounted = uncounted_sources(claim);
    if !uncounted.is_empty() {
        words = format!("{words}; related and not counted: {}", uncounted.join(", "));
    }
    screen.flow(9, 9, &[(Ink::Dim, &words)]);
}
