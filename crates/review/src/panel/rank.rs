//! In which order engines are asked to take a seat.

use std::cmp::Reverse;

use super::{PanelInput, Relation, Reviewer, Seat, bar, relation};
use crate::attribution::Authors;
use crate::engine::Engine;
use crate::policy::Independence;

/// The tokens by whose cost prices are compared: a prompt of ordinary length and a short answer.
const COMPARED_TOKENS: (u64, u64) = (20_000, 2_000);

/// The engines that may look at lines of these authors, the best one first.
///
/// Unrelated ones stand before others; then whoever shares a family with the fewest seats taken so far; then the
/// operator's preference; then the cheapest, where unpriced is dearest; then the longest context; then the roster's
/// order.
pub(super) fn ranked(input: &PanelInput<'_>, authors: &Authors, seats: &[Seat]) -> Vec<usize> {
    let may_look = |engine: &usize| {
        let relation = relation(&input.engines[*engine].lineage, authors);
        bar(&relation, authors, input).is_none()
    };
    let mut engines: Vec<usize> = (0..input.engines.len()).filter(may_look).collect();
    engines.sort_by_key(|index| {
        let engine = &input.engines[*index];
        let tainted = input.policy.independence != Independence::Off
            && relation(&engine.lineage, authors) != Relation::Unrelated;
        let (price, context) = (cost(engine), Reverse(engine.context_tokens));
        (tainted, seats_of_kin(*index, input, seats), engine.preference, price, context, *index)
    });
    engines
}

/// How many seats are taken by models that share a family with this one, itself included.
fn seats_of_kin(engine: usize, input: &PanelInput<'_>, seats: &[Seat]) -> usize {
    let lineage = &input.engines[engine].lineage;
    let is_kin = |seat: &&Seat| match seat.reviewer {
        Reviewer::Rules => false,
        Reviewer::Model(other) => {
            other == engine || !input.engines[other].lineage.families.is_disjoint(&lineage.families)
        }
    };
    seats.iter().filter(is_kin).count()
}

fn cost(engine: &Engine) -> u64 {
    let (input, output) = COMPARED_TOKENS;
    engine.price.as_ref().map_or(u64::MAX, |price| price.worst_case(input, output))
}
