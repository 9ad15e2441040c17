//! What another policy would have made of the same replies. Nobody is asked: a seat of which no reply is recorded is
//! told as such.

use std::collections::{BTreeMap, BTreeSet};

use crate::Lens;
use crate::basis::Basis;
use crate::conclude::{Concluded, Sitting, Told};
use crate::examine::to_be_examined;
use crate::hearing::HeardPanel;
use crate::merge::Claim;
use crate::outcome::Outcome;
use crate::packet::PacketV1;
use crate::panel::{Panel, Reviewer, Seat};
use crate::policy::Policy;
use crate::record::Recorded;

/// What another policy comes to.
#[derive(Debug, Clone)]
pub struct WhatIf {
    /// What a packet would say. It is none: nothing of it was reviewed under that policy.
    pub packet: PacketV1,
    /// Seats of models of which no reply is recorded: lens, and the engine's id.
    pub unheard: Vec<(Lens, String)>,
    /// Claims that would be put to an examiner, and of which no examination is recorded.
    pub unexamined: usize,
}

/// Decides again under another policy. `concluded` is what the record comes to under its own.
pub fn what_if(recorded: &Recorded, concluded: &Concluded, policy: Policy) -> WhatIf {
    let basis = Basis { policy, ..recorded.basis.clone() };
    let seated = basis.seat();
    let sitting = Sitting {
        basis: &basis,
        seated: &seated,
        briefing: &recorded.briefing,
        families: &recorded.families,
        run_id: &recorded.run.id,
    };
    let heard = sitting.with_the_rest(reseated(&seated.panel, &concluded.heard), &[]);
    let answered: BTreeSet<usize> = heard.outcomes.iter().map(|outcome| outcome.seat).collect();
    let unheard = heard.panel.seats.iter().enumerate().filter_map(|(index, seat)| match seat.reviewer {
        Reviewer::Model(engine) if !answered.contains(&index) => {
            Some((seat.lens, basis.engines[engine].id.clone()))
        }
        Reviewer::Model(_) | Reviewer::Rules => None,
    });
    let found = sitting.findings(&heard, &recorded.proceedings.texts);
    let claims = examined(found.claims, concluded, &heard.panel);
    let told = Told {
        heard: &heard,
        claims: &claims,
        unanchored: &found.unanchored,
        examinations: &concluded.examinations,
    };
    let packet = sitting.packet(&told, &recorded.run, &concluded.packet.receipts);
    WhatIf { packet, unheard: unheard.collect(), unexamined: to_be_examined(&claims).len() }
}

/// Gives each seat of another panel what its model said through its lens, and seats those who stood in for its models
/// where they may look.
fn reseated(panel: &Panel, heard: &HeardPanel) -> HeardPanel {
    let mut panel = panel.clone();
    let recused: BTreeSet<usize> = panel.recused.iter().map(|recusal| recusal.engine).collect();
    // Whose place a seat of the record has in the other panel.
    let mut places: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, seat) in heard.panel.seats.iter().enumerate() {
        let is_same = |other: &Seat| (other.lens, other.reviewer) == (seat.lens, seat.reviewer);
        let same: Vec<usize> = (0..panel.seats.len()).filter(|other| is_same(&panel.seats[*other])).collect();
        let stands_in = seat.stands_in_for.and_then(|of| places.get(&of)?.first().copied());
        match (same.as_slice(), stands_in, seat.reviewer) {
            ([], Some(of), Reviewer::Model(engine)) if !recused.contains(&engine) => {
                places.insert(index, vec![panel.seats.len()]);
                panel.seats.push(Seat { stands_in_for: Some(of), ..seat.clone() });
            }
            ([], ..) => {}
            ([_, ..], ..) => {
                places.insert(index, same);
            }
        }
    }
    let mut outcomes: Vec<Outcome> = Vec::new();
    for outcome in heard.outcomes.iter().filter(|outcome| outcome.call.is_some()) {
        let shows = |seat: &usize| {
            outcome.pieces.iter().any(|piece| panel.seats[*seat].scope.holds((piece.file, piece.hunk)))
        };
        // Where two seats of one model share the lines, what it said once counts once.
        let seat = places.get(&outcome.seat).and_then(|seats| seats.iter().copied().find(shows));
        outcomes.extend(seat.map(|seat| Outcome { seat, ..outcome.clone() }));
    }
    HeardPanel { panel, outcomes, down: heard.down.clone() }
}

/// Claims with what examiners who may look said of them.
fn examined(mut claims: Vec<Claim>, concluded: &Concluded, panel: &Panel) -> Vec<Claim> {
    let open: BTreeSet<usize> = to_be_examined(&claims).into_iter().collect();
    for (_, claim) in claims.iter_mut().enumerate().filter(|(index, _)| open.contains(index)) {
        let Some(before) = concluded.claims.iter().find(|before| before.id == claim.id) else { continue };
        let Some(examination) = &before.examination else { continue };
        let examiner = concluded.examinations[examination.call].examiner.engine;
        if panel.recused.iter().all(|recusal| recusal.engine != examiner) {
            claim.verification = before.verification;
            claim.examination = Some(examination.clone());
        }
    }
    claims
}
