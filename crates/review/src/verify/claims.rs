//! Claims: their names, who supports them, and what examiners made of them.

use std::collections::BTreeSet;

use super::rebuilt::Rebuilt;
use super::{Facts, Problems, Proof};
use crate::attribution::{AuthorState, Authors};
use crate::examine::Ruling;
use crate::judge::plural;
use crate::merge::{Supporter, Verification, claim_id, number_twins, unrelated_supporters};
use crate::packet::{AnchorV1, ClaimV1, PacketV1, SupporterKindV1, SupporterV1, family_words};
use crate::panel::{Relation, Reviewer, examiner_reason, relation};
use crate::{Lineage, Severity};

/// Every claim's name, order and shape.
pub(super) fn claims(packet: &PacketV1, _: &Rebuilt) -> Proof {
    let mut problems = Problems::default();
    let head_path = |claim: &ClaimV1| {
        let file = packet.subject.files.iter().find(|file| {
            file.path.as_str() == claim.file
                || file.old_path.as_ref().is_some_and(|old| old.as_str() == claim.file)
        });
        match claim.anchor {
            AnchorV1::Elsewhere => claim.file.clone(),
            AnchorV1::Line | AnchorV1::File => file.map(|file| file.path.to_string()).unwrap_or_default(),
        }
    };
    let mut ids: Vec<String> = packet
        .claims
        .iter()
        .map(|claim| claim_id(&claim.category, &head_path(claim), &claim.quote))
        .collect();
    number_twins(ids.iter_mut());
    for (claim, id) in packet.claims.iter().zip(&ids) {
        problems.same("the id of a claim", claim.id.as_str(), id.as_str());
        let has_lines = match (claim.line_start, claim.line_end) {
            (Some(first), Some(last)) => first >= 1 && first <= last,
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        let as_anchored = claim.line_start.is_none() == (claim.anchor == AnchorV1::File);
        problems
            .expect(has_lines && as_anchored, || format!("claim {id} has lines that do not fit its anchor"));
        let lead = claim.sources.first();
        problems.expect(
            lead.is_some_and(|lead| lead.title == claim.title && lead.merged_because.is_empty()),
            || format!("claim {id} has another title than the finding that leads it"),
        );
        for merged in claim.sources.iter().skip(1) {
            let same_category = format!("same lines and category {}", claim.category);
            let why = merged.merged_because == same_category
                || merged.merged_because.starts_with("same lines and wordings ");
            problems.expect(why, || format!("a finding is part of claim {id} for no reason that there is"));
        }
    }
    let worst_first = packet.claims.is_sorted_by(|one, next| one.severity >= next.severity);
    problems.expect(worst_first, || "the claims are not in their order, worst first".to_owned());
    Proof::of(
        "claims",
        problems,
        format!("{} named as follows from it", plural(packet.claims.len(), "claim", "claims")),
    )
}

/// Who supports each claim, counted by lineage, and what follows for it.
pub(super) fn support(packet: &PacketV1, rebuilt: &Rebuilt) -> Proof {
    let mut problems = Problems::default();
    let mut untold = 0;
    for claim in &packet.claims {
        let Some(mut supporters) = supporters(claim, packet, rebuilt) else {
            untold += 1;
            continue;
        };
        supporters.sort();
        supporters.dedup();
        let expected: Vec<SupporterV1> = supporters.iter().map(supporter_v1).collect();
        problems.expect(claim.supporters == expected, || {
            format!("claim {} has other supporters than those of its sources that count", claim.id)
        });
        let agreed = unrelated_supporters(&supporters) > 1;
        let is = match (agreed, claim.examination.as_ref().map(|examination| examination.ruling)) {
            (true, _) => Verification::Agreed,
            (false, None) => Verification::NotExamined,
            (false, Some(Ruling::Upheld)) => Verification::Upheld,
            (false, Some(Ruling::Refuted)) => Verification::Refuted,
            (false, Some(Ruling::Undecided)) => Verification::Undecided,
        };
        problems.expect(claim.verification == is, || {
            format!("claim {} is said to be {:?}, and {is:?} follows", claim.id, claim.verification)
        });
    }
    let detail = match untold {
        0 => format!(
            "{} with the supporters that its sources give it",
            plural(packet.claims.len(), "claim", "claims")
        ),
        _ => format!(
            "{} of {} claims; of the others the packet does not tell which model answered which part",
            packet.claims.len() - untold,
            packet.claims.len()
        ),
    };
    if untold > 0 && problems.0.is_empty() {
        return Proof::not_checked("support", detail);
    }
    Proof::of("support", problems, detail)
}

/// Those of a claim's sources that count; `None` where the packet does not tell who answered.
fn supporters(claim: &ClaimV1, packet: &PacketV1, rebuilt: &Rebuilt) -> Option<Vec<Supporter>> {
    let mut supporters = Vec::new();
    for source in &claim.sources {
        let seat = &rebuilt.panel.seats[source.seat as usize];
        let lineage = match seat.reviewer {
            Reviewer::Rules => None,
            Reviewer::Model(_) => Some(rebuilt.lineage_of_seat(packet, source.seat as usize)?.clone()),
        };
        let counts = lineage.as_ref().is_none_or(|lineage| match relation(lineage, &seat.authors) {
            Relation::NoLineage | Relation::Unrelated => true,
            Relation::Related { .. } => false,
            Relation::UnknownLineage => rebuilt.attribution.state() == AuthorState::Human,
        });
        if counts {
            supporters.push(Supporter { name: source.name.clone(), lineage });
        }
    }
    Some(supporters)
}

fn supporter_v1(supporter: &Supporter) -> SupporterV1 {
    SupporterV1 {
        kind: match supporter.lineage {
            Some(_) => SupporterKindV1::Model,
            None => SupporterKindV1::Rules,
        },
        name: supporter.name.clone(),
        family: supporter.lineage.as_ref().map(family_words),
        lineage: supporter.lineage.clone(),
    }
}

/// Who examined, how they stand to authors and finders, and what their word is worth.
pub(super) fn examinations(packet: &PacketV1, rebuilt: &Rebuilt, facts: Facts<'_>) -> Proof {
    let mut problems = Problems::default();
    for (index, examination) in packet.panel.examinations.iter().enumerate() {
        let of_it = |claim: &&ClaimV1| examination.claims.contains(&claim.id);
        let about: Vec<&ClaimV1> = packet.claims.iter().filter(of_it).collect();
        problems.expect(!about.is_empty(), || format!("examination {index} is about nothing"));
        let call =
            packet.ledger.calls.iter().find(|call| call.examination.is_some_and(|it| it as usize == index));
        let (Some(first), Some(call)) = (about.first(), call) else { continue };
        let authors = &rebuilt.panel.seats[first.sources[0].seat as usize].authors;
        let is = match relation(&call.lineage, authors) {
            Relation::UnknownLineage if *authors == Authors::default() => Relation::Unrelated,
            other @ (Relation::NoLineage
            | Relation::Unrelated
            | Relation::Related { .. }
            | Relation::UnknownLineage) => other,
        };
        problems.expect(examination.relation == is, || {
            format!("the examiner of examination {index} stands otherwise to the authors")
        });
        let finders: Option<BTreeSet<&Lineage>> = first
            .sources
            .iter()
            .filter(|source| rebuilt.panel.seats[source.seat as usize].reviewer != Reviewer::Rules)
            .map(|source| rebuilt.lineage_of_seat(packet, source.seat as usize))
            .collect();
        if let Some(finders) = finders {
            let unrelated = finders.iter().all(|finder| finder.is_unrelated_to(&call.lineage));
            problems.same(
                format!("unrelated_to_finder of examination {index}"),
                examination.unrelated_to_finder,
                unrelated,
            );
            let engine = rebuilt.engines.iter().find(|engine| engine.id == examination.examiner);
            if let (true, Some(engine)) = (facts.same_version, engine) {
                // Chosen by what was asked for, before anybody answered.
                let finders: Vec<&Lineage> = finders.into_iter().collect();
                let unrelated = finders.iter().all(|finder| finder.is_unrelated_to(&engine.lineage));
                let why = examiner_reason(unrelated, &relation(&engine.lineage, authors), &finders);
                problems.same(
                    format!("the reason for examination {index}"),
                    examination.reason.as_str(),
                    why.as_str(),
                );
            }
        }
        for claim in about {
            settled(claim, index, packet, &mut problems);
        }
    }
    examined_at_all(packet, &mut problems);
    let count = plural(packet.panel.examinations.len(), "examination", "examinations");
    Proof::of("examinations", problems, format!("{count}, each for what it is worth"))
}

fn settled(claim: &ClaimV1, index: usize, packet: &PacketV1, problems: &mut Problems) {
    let examination = &packet.panel.examinations[index];
    let Some(examined) = claim.examination.as_ref().filter(|examined| examined.call as usize == index) else {
        let unanswered = examination.outcome != crate::outcome::EndingKind::Answered;
        problems.expect(unanswered, || {
            format!("examination {index} was answered, and claim {} has none", claim.id)
        });
        return;
    };
    problems.same(
        format!("unrelated_to_finder of claim {}", claim.id),
        examined.unrelated_to_finder,
        examination.unrelated_to_finder,
    );
    let counts = matches!(examination.relation, Relation::Unrelated | Relation::NoLineage);
    problems.expect(counts || examined.ruling == Ruling::Undecided, || {
        format!("claim {} was decided by an examiner that is not independent of the author", claim.id)
    });
    let decided_by_code = examined.ruling == Ruling::Undecided || !examined.quote.trim().is_empty();
    problems.expect(decided_by_code, || format!("claim {} was decided without a line of code", claim.id));
}

/// What has to be examined and was not, though somebody could have been asked.
fn examined_at_all(packet: &PacketV1, problems: &mut Problems) {
    for claim in packet.claims.iter().filter(|claim| claim.examination.is_some()) {
        let by_rules = claim.sources.iter().any(|source| super::people::is_rules(&source.name));
        problems.expect(!by_rules && claim.severity >= Severity::Medium, || {
            format!("claim {} was examined and did not have to be", claim.id)
        });
    }
}
