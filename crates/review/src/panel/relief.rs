//! Who comes in later: for a reviewer that did not answer, and to examine what one reviewer found.

use std::collections::BTreeSet;

use super::{
    Need, Panel, PanelInput, Relation, Reviewer, Seat, Unknown, bar, chosen_engine, list, ranked, relation,
};
use crate::attribution::Authors;
use crate::outcome::EndingKind;
use crate::{Family, Lineage};

/// What a substitute is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Substitution<'a> {
    /// The seat (by index) whose reviewer did not answer.
    pub seat: usize,
    /// How it ended.
    pub ending: EndingKind,
    /// Engines that are known not to answer in this review.
    pub down: &'a BTreeSet<usize>,
    /// How many tokens the prompt and its answer need.
    pub needed_tokens: u32,
}

/// Who takes the place of a reviewer that did not answer, if the roster has somebody who may.
///
/// The substitute is under the same bar as everybody: it is nobody who would have been recused. Among those, one that
/// keeps the lens independent together with its other reviewers stands first.
pub fn substitute(input: &PanelInput<'_>, panel: &Panel, wanted: &Substitution<'_>) -> Option<Seat> {
    let failed = &panel.seats[wanted.seat];
    let of_lens = |seat: &&Seat| {
        let shares_hunks = seat.scope == failed.scope;
        seat.lens == failed.lens && shares_hunks
    };
    let seated: Vec<usize> = panel.seats.iter().filter(of_lens).filter_map(engine_of).collect();
    let others: Vec<&Lineage> = seated
        .iter()
        .filter(|engine| !wanted.down.contains(engine) && Some(**engine) != engine_of(failed))
        .map(|engine| &input.engines[*engine].lineage)
        .collect();
    let need = Need::strict(&failed.authors, input.lineage_sets);
    let mut candidates: Vec<usize> = ranked(input, &failed.authors, &panel.seats)
        .into_iter()
        .filter(|engine| !seated.contains(engine) && !wanted.down.contains(engine))
        .filter(|engine| wanted.needed_tokens <= input.engines[*engine].context_tokens)
        .collect();
    candidates.sort_by_key(|engine| {
        let lineage = &input.engines[*engine].lineage;
        let with_others: Vec<&Lineage> = others.iter().copied().chain([lineage]).collect();
        let adds = others.iter().all(|other| other.is_unrelated_to(lineage));
        (!need.is_met_by(&with_others), !adds)
    });
    let engine = *candidates.first()?;
    let with_others: Vec<&Lineage> = others.iter().copied().chain([&input.engines[engine].lineage]).collect();
    let unknown = Unknown::with(&with_others, &need);
    let chosen = chosen_engine(engine, &failed.authors, unknown, input);
    let left = engine_of(failed).map_or("rules", |engine| input.engines[engine].id.as_str());
    Some(Seat {
        reviewer: Reviewer::Model(chosen.engine),
        relation: chosen.relation,
        stands_in_for: Some(wanted.seat),
        reason: stand_in_reason(left, wanted.ending, &chosen.reason),
        ..failed.clone()
    })
}

fn engine_of(seat: &Seat) -> Option<usize> {
    match seat.reviewer {
        Reviewer::Rules => None,
        Reviewer::Model(engine) => Some(engine),
    }
}

/// A model that examines what another one found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examiner {
    /// The engine, by its index in the roster.
    pub engine: usize,
    /// How it stands to the authors of the lines.
    pub relation: Relation,
    /// Whether it shares no family with the finder.
    pub unrelated_to_finder: bool,
    /// Why it was chosen, in a sentence.
    pub reason: String,
}

/// Who examines what reviewers of these lineages found in lines of these authors.
///
/// Somebody unrelated to both, where the roster has one. Else somebody who may review the lines and is of the finder's
/// family: a fresh look, and weaker. Nobody who is recused.
pub fn examiner(
    input: &PanelInput<'_>,
    panel: &Panel,
    authors: &Authors,
    finders: &[&Lineage],
    down: &BTreeSet<usize>,
) -> Option<Examiner> {
    let unrelated_to_finder =
        |engine: usize| finders.iter().all(|finder| finder.is_unrelated_to(&input.engines[engine].lineage));
    let mut candidates = ranked(input, authors, &panel.seats);
    candidates.retain(|engine| !down.contains(engine));
    candidates.sort_by_key(|engine| {
        let unrelated = relation(&input.engines[*engine].lineage, authors) == Relation::Unrelated;
        (!unrelated_to_finder(*engine), !unrelated)
    });
    let engine = *candidates.first()?;
    let relation = relation(&input.engines[engine].lineage, authors);
    debug_assert!(bar(&relation, authors, input).is_none(), "only those who may look are ranked");
    let reason = examiner_reason(unrelated_to_finder(engine), &relation, finders);
    Some(Examiner { engine, relation, unrelated_to_finder: unrelated_to_finder(engine), reason })
}

/// Why somebody examines what reviewers of these lineages found.
pub(crate) fn examiner_reason(
    unrelated_to_finder: bool,
    relation: &Relation,
    finders: &[&Lineage],
) -> String {
    let families: BTreeSet<&Family> = finders.iter().flat_map(|finder| &finder.families).collect();
    let names = list(families.into_iter().map(Family::as_str));
    match (unrelated_to_finder, relation) {
        (true, Relation::Unrelated) => format!("shares no family with the finder ({names}) or the author"),
        (true, Relation::NoLineage | Relation::Related { .. } | Relation::UnknownLineage) => {
            format!("shares no family with the finder ({names}); it is not independent of the author")
        }
        (false, _) => {
            format!("a fresh look of the finder's own family ({names}), which is weaker: nobody else may")
        }
    }
}

/// Why a stand-in was seated.
pub(crate) fn stand_in_reason(left: &str, ending: EndingKind, reason: &str) -> String {
    format!("stands in for {left}, which {}; {reason}", ending.words())
}
