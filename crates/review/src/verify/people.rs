//! Who wrote the change and who may look at it, recomputed from the traces and the roster.

use super::rebuilt::Rebuilt;
use super::{Facts, Problems, Proof};
use crate::engine::LineageSource;
use crate::judge::plural;
use crate::outcome::EndingKind;
use crate::packet::{PacketV1, RULES, RecusalV1, family_words};
use crate::panel::{Need, Reviewer, Scope, Seat, Unknown, relation, seat_reason, stand_in_reason, whose};
use crate::{Family, Lineage, panel};

/// What follows from the traces of authorship.
pub(super) fn attribution(packet: &PacketV1, rebuilt: &Rebuilt) -> Proof {
    let (says, is) = (&packet.attribution, &rebuilt.attribution);
    let mut problems = Problems::default();
    let words =
        |families: &std::collections::BTreeSet<Family>| panel::list(families.iter().map(Family::as_str));
    problems.same("the state", says.state.name(), is.state().name());
    problems.same("families", words(&says.families), words(&is.families));
    problems.same("suggested_by", words(&says.suggested_by), words(&is.suggested_by));
    problems.same("unknown_agent", says.unknown_agent, is.unknown_agent);
    problems.same("human_declared", says.human_declared, is.human_declared);
    problems.same("vouched", says.vouched, is.vouched);
    let some_ai = is.unknown_agent || !is.families.is_empty();
    problems.expect(!says.partial || some_ai, || {
        "only part of it is of a model, and no trace is of one".to_owned()
    });
    let authors = is.authors();
    for (index, share) in says.shares.iter().enumerate() {
        let within =
            share.families.is_subset(&authors.families) && (authors.unknown_agent || !share.unknown_agent);
        problems.expect(within, || format!("share {index} is of somebody who left no trace"));
    }
    Proof::of(
        "attribution",
        problems,
        format!("{}, from {}", is.state().name(), plural(says.evidence.len(), "trace", "traces")),
    )
}

/// Who was kept from the change, and why.
pub(super) fn recusals(packet: &PacketV1, rebuilt: &Rebuilt, facts: Facts<'_>) -> Proof {
    let mut problems = Problems::default();
    let expected: Vec<RecusalV1> = panel::recusals(&rebuilt.panel_input(), &rebuilt.panel)
        .into_iter()
        .map(|recusal| RecusalV1 {
            engine: rebuilt.engines[recusal.engine].id.clone(),
            relation: recusal.relation,
            reason: recusal.reason,
        })
        .collect();
    let names = |recused: &[RecusalV1]| panel::list(recused.iter().map(|recusal| recusal.engine.as_str()));
    problems.same("the list of the recused", names(&packet.panel.recused), names(&expected));
    for (says, is) in packet.panel.recused.iter().zip(&expected) {
        problems.expect(says.relation == is.relation, || {
            format!("{} stands otherwise to the authors", is.engine)
        });
        if facts.same_version {
            problems.same(format!("why {} is recused", is.engine), says.reason.as_str(), is.reason.as_str());
        }
    }
    let detail = format!("{} of {}", expected.len(), plural(rebuilt.engines.len(), "model", "models"));
    Proof::of("recusals", problems, detail)
}

/// How each seat stands to the authors of what it looks at, and why it was seated.
pub(super) fn seats(packet: &PacketV1, rebuilt: &Rebuilt, facts: Facts<'_>) -> Proof {
    let mut problems = Problems::default();
    let input = rebuilt.panel_input();
    for (index, (says, seat)) in packet.panel.seats.iter().zip(&rebuilt.panel.seats).enumerate() {
        let is = match seat.reviewer {
            Reviewer::Rules => panel::Relation::NoLineage,
            Reviewer::Model(engine) => relation(&rebuilt.engines[engine].lineage, &seat.authors),
        };
        problems.expect(says.relation == is, || {
            format!("seat {index} stands otherwise to the authors of its lines")
        });
        let lens = packet.panel.lenses.iter().find(|lens| lens.lens == seat.lens);
        let asked_of_models = lens.is_some_and(|lens| lens.asked == panel::Asked::Models);
        problems.expect(seat.reviewer == Reviewer::Rules || asked_of_models, || {
            format!("seat {index} is of a model, and its lens was not asked of models")
        });
        if !facts.same_version {
            continue;
        }
        let reasons: Vec<String> = of_unknown(rebuilt, seat)
            .iter()
            .map(|unknown| seat_reason(&is, &seat.authors, *unknown, &input))
            .collect();
        let expected: Vec<String> = match says.stands_in_for {
            Some(other) => {
                let left = &packet.panel.seats[other as usize];
                problems.expect(left.lens == says.lens, || {
                    format!("seat {index} stands in for one of another lens")
                });
                let endings = left.outcomes.iter().map(|outcome| outcome.outcome);
                let endings = endings.filter(|ending| *ending != EndingKind::Answered);
                endings
                    .flat_map(|ending| {
                        reasons.iter().map(move |reason| stand_in_reason(&left.reviewer, ending, reason))
                    })
                    .collect()
            }
            None => match &seat.scope {
                Scope::AllHunks => reasons,
                Scope::Hunks(_) => {
                    reasons.iter().map(|reason| format!("{}{reason}", whose(&seat.authors))).collect()
                }
            },
        };
        problems.expect(expected.contains(&says.reason), || {
            format!("seat {index} was not seated for `{}`", says.reason)
        });
    }
    Proof::of(
        "seats",
        problems,
        format!("{}, each to the authors as it says", plural(packet.panel.seats.len(), "seat", "seats")),
    )
}

/// What those who were seated with somebody can have been towards an unknown author.
///
/// Both, where the table of families is another one, and for a stand-in: who was known not to answer by then is not in
/// the packet.
fn of_unknown(rebuilt: &Rebuilt, seat: &Seat) -> Vec<Unknown> {
    let (Some(sets), None) = (&rebuilt.lineage_sets, seat.stands_in_for) else {
        return vec![Unknown::Covered, Unknown::NotCovered];
    };
    let chosen_together = rebuilt.panel.seats.iter().filter(|other| {
        other.lens == seat.lens && other.scope == seat.scope && other.stands_in_for.is_none()
    });
    let lineages: Vec<&Lineage> = chosen_together
        .filter_map(|other| match other.reviewer {
            Reviewer::Rules => None,
            Reviewer::Model(engine) => Some(&rebuilt.engines[engine].lineage),
        })
        .collect();
    vec![Unknown::with(&lineages, &Need::strict(&seat.authors, sets))]
}

/// What every model descends from, by the table of families.
pub(super) fn lineages(packet: &PacketV1, rebuilt: &Rebuilt, facts: Facts<'_>) -> Proof {
    const NAME: &str = "lineages";
    let Some(families) = facts.families else {
        return Proof::not_checked(
            NAME,
            "the packet was made with another table of families than this program has",
        );
    };
    let mut problems = Problems::default();
    for engine in &rebuilt.engines {
        let found = families.resolve(&engine.model);
        let id = &engine.id;
        let source = match (engine.lineage_source, found.lineage.families.is_empty()) {
            (LineageSource::Declared, _) => LineageSource::Declared,
            (LineageSource::Table | LineageSource::Unknown, true) => LineageSource::Unknown,
            (LineageSource::Table | LineageSource::Unknown, false) => LineageSource::Table,
        };
        problems.expect(engine.lineage_source == source, || {
            format!("the lineage of {id} is known in another way")
        });
        match source {
            LineageSource::Declared => {
                let holds =
                    engine.lineage.complete && engine.lineage.families.is_superset(&found.lineage.families);
                problems.expect(holds, || {
                    format!("what was declared of {id} takes away from what its name says")
                });
            }
            LineageSource::Table | LineageSource::Unknown => {
                problems.same(
                    format!("the lineage of {id}"),
                    family_words(&engine.lineage),
                    family_words(&found.lineage),
                );
            }
        }
        problems
            .expect(engine.edges == found.edges, || format!("the table has other steps of descent for {id}"));
        let known = engine.lineage.families.iter().all(|family| families.knows(family));
        problems.expect(known, || format!("{id} is of a family that the table does not know"));
    }
    for (index, call) in packet.ledger.calls.iter().enumerate() {
        let Some(engine) = rebuilt.engines.iter().find(|engine| engine.id == call.engine) else { continue };
        // A name that the packet shortened says no more what it was.
        if call.served_model.as_ref().is_some_and(|name| name.ends_with('…')) {
            continue;
        }
        let is = engine.served_lineage(call.served_model.as_deref(), families);
        problems.same(format!("the lineage of call {index}"), family_words(&call.lineage), family_words(&is));
    }
    for evidence in &packet.attribution.evidence {
        let known = evidence.lineage.families.iter().all(|family| families.knows(family));
        problems.expect(known, || "a trace is of a family that the table does not know".to_owned());
    }
    let declared =
        packet.panel.roster.iter().filter(|engine| engine.lineage_source == LineageSource::Declared);
    let detail = match declared.count() {
        0 => format!("{} as the table has them", plural(packet.panel.roster.len(), "model", "models")),
        count => format!("as the table has them; {count} rest on the operator's declaration"),
    };
    Proof::of(NAME, problems, detail)
}

/// Whether somebody is the rules.
pub(super) fn is_rules(name: &str) -> bool {
    name == RULES
}
