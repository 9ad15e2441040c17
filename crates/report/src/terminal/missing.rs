//! What was not reviewed, told before what was found.

use review::packet::PacketV1;

use super::Verbosity;
use super::screen::{Ink, Screen};
use crate::amount::plural;
use crate::parts::{GapGroup, exempt_groups, gap_groups, not_asked, reasons};

/// How many reasons, and how many places of each, are shown before the rest is counted.
const MOST: usize = 10;

/// Why the verdict is not better, and every part of the change that nobody saw.
pub(super) fn missing(screen: &mut Screen, packet: &PacketV1, verbosity: Verbosity) {
    let most = match verbosity {
        Verbosity::Verbose => usize::MAX,
        Verbosity::Quiet | Verbosity::Normal => MOST,
    };
    // The headline has the first reason; it is not told twice.
    let reasons: Vec<&str> =
        reasons(packet).into_iter().filter(|reason| !packet.judgement.headline.contains(reason)).collect();
    if !reasons.is_empty() {
        screen.heading("Also");
        for reason in reasons {
            screen.flow(2, 4, &[(Ink::Plain, reason)]);
        }
    }
    let groups = gap_groups(packet);
    let exempt = exempt_groups(packet);
    let not_asked = not_asked(packet);
    if groups.is_empty() && exempt.is_empty() && not_asked.is_empty() {
        let hunks = plural(packet.coverage.hunks as usize, "hunk was", "hunks were");
        screen.gap();
        screen.flow(
            0,
            2,
            &[(Ink::Dim, "Nothing is missing: "), (Ink::Dim, &hunks), (Ink::Dim, " looked at")],
        );
        return;
    }
    screen.heading("Not reviewed");
    for group in groups.iter().take(most) {
        one(screen, group, most);
    }
    if groups.len() > most {
        let more = plural(groups.len() - most, "more reason", "more reasons");
        screen.flow(2, 4, &[(Ink::Dim, "and "), (Ink::Dim, &more), (Ink::Dim, ", listed with -v")]);
    }
    for (lens, reason) in not_asked {
        screen.flow(2, 4, &[(Ink::Plain, lens.name()), (Ink::Plain, ": "), (Ink::Plain, reason)]);
    }
    for (reason, files) in exempt {
        screen.flow(2, 4, &[(Ink::Plain, "exempt by "), (Ink::Plain, reason)]);
        places(screen, &files, most);
    }
}

fn one(screen: &mut Screen, group: &GapGroup<'_>, most: usize) {
    let Some(lens) = group.lens_without_panel else {
        screen.flow(2, 4, &[(Ink::Plain, group.detail)]);
        places(screen, &group.places, most);
        return;
    };
    // Nobody was seated for this lens, which the headline says; its places are all places.
    let count = plural(group.places.len(), "place", "places");
    screen.flow(2, 4, &[(Ink::Plain, lens.name()), (Ink::Dim, ", all of it: "), (Ink::Dim, &count)]);
    if most == usize::MAX {
        places(screen, &group.places, most);
    }
}

fn places(screen: &mut Screen, places: &[String], most: usize) {
    for place in places.iter().take(most) {
        screen.flow(4, 6, &[(Ink::Dim, place)]);
    }
    if places.len() > most {
        let more = plural(places.len() - most, "more place", "more places");
        screen.flow(4, 6, &[(Ink::Dim, "and "), (Ink::Dim, &more), (Ink::Dim, ", listed with -v")]);
    }
}
