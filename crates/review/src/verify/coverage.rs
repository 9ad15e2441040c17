//! Coverage: its sums, what nobody saw, and whether those who answered are enough for what is said of them.

use std::collections::BTreeSet;

use super::people::is_rules;
use super::rebuilt::Rebuilt;
use super::{Problems, Proof};
use crate::attribution::Authors;
use crate::change::GapKind;
use crate::coverage::LensCoverage;
use crate::judge::plural;
use crate::outcome::EndingKind;
use crate::packet::PacketV1;
use crate::panel::{Asked, Need, Reviewer};
use crate::policy::Independence;
use crate::{Lens, Lineage};

pub(super) fn coverage(packet: &PacketV1, rebuilt: &Rebuilt) -> Proof {
    let mut problems = Problems::default();
    let lenses = |lenses: Vec<Lens>| lenses.into_iter().map(Lens::name).collect::<Vec<_>>().join(", ");
    problems.same(
        "the list of lenses",
        lenses(packet.coverage.lenses.iter().map(|lens| lens.lens).collect()),
        lenses(packet.panel.lenses.iter().map(|lens| lens.lens).collect()),
    );
    let mut enough = true;
    for (lens, panel) in packet.coverage.lenses.iter().zip(&packet.panel.lenses) {
        let name = lens.lens.name();
        problems
            .expect(lens.asked == panel.asked, || format!("{name} was asked of others than the panel says"));
        problems.expect(panel.unmet.is_some() == panel.unmet_kind.is_some(), || {
            format!("what {name} lacks is said once and not twice")
        });
        sums(lens, packet, &mut problems);
        enough &= answered(lens, packet, rebuilt, &mut problems);
    }
    let exempt = packet.coverage.lenses.iter().any(|lens| lens.exempt > 0);
    problems.expect(!exempt || !packet.coverage.exempt.is_empty(), || {
        "hunks are exempt, and no file is listed as such".to_owned()
    });
    for gap in packet.gaps.iter().filter(|gap| gap.kind == GapKind::Unanswered) {
        let lens = gap.detail.split(": ").next().and_then(Lens::from_name);
        let of = packet.coverage.lenses.iter().find(|it| Some(it.lens) == lens);
        problems.expect(of.is_some_and(|lens| lens.uncovered > 0) && gap.file.is_some(), || {
            format!("a gap is of no lens that left something open: {}", gap.detail)
        });
        let known = packet.subject.files.iter().any(|file| gap.file.as_ref() == Some(&file.path));
        problems.expect(known, || "a gap is in a file that the change has not".to_owned());
    }
    let detail = format!(
        "{} through {}",
        plural(packet.coverage.hunks as usize, "hunk", "hunks"),
        plural(packet.coverage.lenses.len(), "lens", "lenses")
    );
    let failed = !problems.0.is_empty();
    match enough || failed {
        true => Proof::of("coverage", problems, detail),
        false => Proof::not_checked(
            "coverage",
            "the sums hold; the packet was made with another table of families, which independence of an unknown \
             author rests on",
        ),
    }
}

fn sums(lens: &LensCoverage, packet: &PacketV1, problems: &mut Problems) {
    let name = lens.lens.name();
    let sum = u64::from(lens.covered) + u64::from(lens.exempt) + u64::from(lens.uncovered);
    problems.same(format!("covered, exempt and uncovered of {name} together"), sum, u64::from(lens.hunks));
    problems.expect(lens.hunks <= packet.coverage.hunks, || format!("{name} has more hunks than the change"));
    let nobody = matches!(lens.asked, Asked::Nobody | Asked::NotNeeded);
    problems
        .expect(!nobody || lens.hunks == 0, || format!("{name} was asked of nobody, and covers something"));
    let prefix = format!("{name}: ");
    let listed =
        packet.gaps.iter().filter(|gap| gap.kind == GapKind::Unanswered && gap.detail.starts_with(&prefix));
    let listed = listed.count() as u64;
    let uncovered = u64::from(lens.uncovered);
    // One gap stands for the hunks that follow each other and are missing for one reason.
    problems.expect(listed <= uncovered && (listed > 0) == (uncovered > 0), || {
        format!("{name} left {uncovered} hunks uncovered, and {listed} gaps are listed")
    });
}

/// Whether somebody answered where something is covered, and was enough; `false` where that cannot be told.
fn answered(lens: &LensCoverage, packet: &PacketV1, rebuilt: &Rebuilt, problems: &mut Problems) -> bool {
    let name = lens.lens.name();
    let seats = || packet.panel.seats.iter().enumerate().filter(|(_, seat)| seat.lens == lens.lens);
    let answers = |seat: usize| {
        let outcomes = &packet.panel.seats[seat].outcomes;
        outcomes.iter().any(|outcome| outcome.outcome == EndingKind::Answered)
    };
    let by_rules = seats().any(|(index, seat)| is_rules(&seat.reviewer) && answers(index));
    let by_models = seats().any(|(index, seat)| !is_rules(&seat.reviewer) && answers(index));
    match lens.asked {
        Asked::Models | Asked::Rules => problems.expect(lens.covered == 0 || by_rules || by_models, || {
            format!("{name} is covered, and nobody answered")
        }),
        Asked::Nobody | Asked::NotNeeded => {}
    }
    if lens.asked != Asked::Models {
        problems
            .expect(lens.independent, || format!("{name} was not asked of models, which cannot be related"));
        return true;
    }
    // The hunks of each share need answers of their own.
    let whole = (rebuilt.attribution.authors(), None);
    let shares: Vec<(Authors, Option<&BTreeSet<_>>)> = match rebuilt.shares.as_slice() {
        [] => vec![whole],
        shares => shares.iter().map(|share| (share.authors.clone(), Some(&share.hunks))).collect(),
    };
    let (mut all_met, mut any_met, mut all_single) = (true, false, true);
    for (authors, hunks) in shares {
        if authors.unknown_agent && rebuilt.lineage_sets.is_none() {
            return false;
        }
        let sets = rebuilt.lineage_sets.as_deref().unwrap_or_default();
        let need = Need::strict(&authors, sets);
        let lineages: Vec<&Lineage> = packet
            .ledger
            .calls
            .iter()
            .filter(|call| call.outcome == EndingKind::Answered)
            .filter(|call| {
                call.seat.is_some_and(|seat| {
                    let seat = &rebuilt.panel.seats[seat as usize];
                    let looks = |all: &BTreeSet<_>| all.iter().any(|hunk| seat.scope.holds(*hunk));
                    seat.lens == lens.lens
                        && matches!(seat.reviewer, Reviewer::Model(_))
                        && hunks.is_none_or(looks)
                })
            })
            .map(|call| &call.lineage)
            .collect();
        let met = need.is_met_by(&lineages);
        all_met &= met;
        any_met |= met;
        all_single &= lineages.iter().all(|lineage| need.is_met_by(&[lineage]));
    }
    let strict = packet.panel.policy == Independence::Require;
    // Hunks of a file that only the rules look at are covered by them.
    problems.expect(!strict || lens.covered == 0 || any_met || by_rules, || {
        format!("{name} is covered, and nobody independent answered")
    });
    if all_single {
        problems.expect(lens.independent, || {
            format!("{name} is said not to be independent, and everybody who answered was")
        });
    }
    if !all_met && !any_met && by_models && lens.covered > 0 && !strict {
        problems.expect(!lens.independent, || {
            format!("{name} is said to be independent, and nobody who answered was")
        });
    }
    true
}
