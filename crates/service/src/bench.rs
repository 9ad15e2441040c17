//! Who is asked when somebody does not answer: the same model about less at a time, or once more in plain words, or
//! somebody else. The choices are `review`'s; what is kept here is who has failed so far.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use anyhow::Result;
use models::Message;
use review::outcome::{Ending, Outcome};
use review::panel::{Panel, PanelInput, Reviewer, Substitution, substitute};
use review::prompt::Piece;

use crate::asks::AskMaker;
use crate::fan_out::{Ask, Attempt};
use crate::metered::Cause;

/// How often the prompts of one seat are cut in half to find what a model refuses: six halvings find one hunk of 64.
const MAX_SPLITS: usize = 12;

/// Knows who is seated, and who can be.
pub struct Bench<'a> {
    input: PanelInput<'a>,
    maker: &'a AskMaker<'a>,
    state: Mutex<State>,
}

struct State {
    panel: Panel,
    /// The number of the next part, by seat.
    next_part: BTreeMap<usize, usize>,
    /// How often a seat's prompts were cut in half.
    splits: BTreeMap<usize, usize>,
    /// Who stands in for a seat.
    stand_ins: BTreeMap<usize, usize>,
    /// Engines that answer nothing in this review.
    down: BTreeSet<usize>,
}

impl<'a> Bench<'a> {
    /// With nobody failed yet. `asks` are those that are made in any case.
    pub fn new(input: PanelInput<'a>, panel: Panel, asks: &[Ask], maker: &'a AskMaker<'a>) -> Self {
        let mut next_part = BTreeMap::new();
        for ask in asks {
            let next = next_part.entry(ask.seat).or_insert(0);
            *next = (*next).max(ask.part + 1);
        }
        let state = State {
            panel,
            next_part,
            splits: BTreeMap::new(),
            stand_ins: BTreeMap::new(),
            down: BTreeSet::new(),
        };
        Self { input, maker, state: Mutex::new(state) }
    }

    /// The panel with those who stood in, and the engines that answer nothing.
    pub fn into_panel(self) -> (Panel, BTreeSet<usize>) {
        let state = self.state.into_inner().expect("nobody panics while holding it");
        (state.panel, state.down)
    }

    /// What is asked next, because somebody did not answer; nothing where nothing helps.
    pub(crate) fn relieve(&self, ask: &Ask, outcome: &Outcome, cause: Cause) -> Result<Vec<Ask>> {
        let mut state = self.state.lock().expect("nobody panics while holding it");
        match cause {
            Cause::UnreadableAnswer if ask.attempt == Attempt::First => {
                return Ok(vec![state.repair(ask, outcome)]);
            }
            Cause::WhatItWasShown => {
                if let Some(halves) = halves(ask).filter(|_| state.may_split(ask.seat)) {
                    return halves.into_iter().map(|pieces| self.ask(&mut state, ask.seat, pieces)).collect();
                }
            }
            Cause::Down => {
                state.down.insert(ask.engine);
            }
            Cause::UnreadableAnswer | Cause::Other => {}
        }
        let needed_tokens = u32::try_from(ask.prompt.estimated_tokens()).unwrap_or(u32::MAX);
        let Some(seat) = state.stand_in(ask, outcome, needed_tokens, &self.input) else {
            return Ok(Vec::new());
        };
        Ok(vec![self.ask(&mut state, seat, ask.pieces.clone())?])
    }

    fn ask(&self, state: &mut State, seat: usize, pieces: Vec<Piece>) -> Result<Ask> {
        let part = state.take_part(seat);
        self.maker.about(&state.panel.seats[seat], (seat, part), pieces)
    }
}

impl State {
    fn take_part(&mut self, seat: usize) -> usize {
        let next = self.next_part.entry(seat).or_insert(0);
        *next += 1;
        *next - 1
    }

    fn may_split(&mut self, seat: usize) -> bool {
        let splits = self.splits.entry(seat).or_insert(0);
        *splits += 1;
        *splits <= MAX_SPLITS
    }

    /// The same question, with what was wrong with the answer.
    fn repair(&mut self, ask: &Ask, outcome: &Outcome) -> Ask {
        let problem = match &outcome.ending {
            Ending::Unanswered { detail, .. } => detail.as_str(),
            Ending::Answered(_) => "it could not be read",
        };
        let mut prompt = ask.prompt.clone();
        // What it said is not repeated: it may be as long as it likes, and the author's words may have led it astray.
        let said = "(an answer that could not be read)".to_owned();
        prompt.messages.push(Message::Assistant { text: said, tool_calls: Vec::new() });
        prompt.messages.push(Message::User(format!(
            "That answer cannot be used: {problem}. Answer again: one JSON object in the form described above, and \
             nothing else."
        )));
        Ask { part: self.take_part(ask.seat), prompt, attempt: Attempt::Repair, ..ask.clone() }
    }

    /// The seat of whoever stands in for a seat.
    fn stand_in(
        &mut self,
        ask: &Ask,
        outcome: &Outcome,
        needed_tokens: u32,
        input: &PanelInput<'_>,
    ) -> Option<usize> {
        if let Some(known) = self.stand_ins.get(&ask.seat) {
            let engine = match self.panel.seats[*known].reviewer {
                Reviewer::Model(engine) => engine,
                Reviewer::Rules => return None,
            };
            let has_room = needed_tokens <= input.engines[engine].context_tokens;
            return Some(*known).filter(|_| has_room && !self.down.contains(&engine));
        }
        let ending = outcome.ending.kind();
        let wanted = Substitution { seat: ask.seat, ending, down: &self.down, needed_tokens };
        let seat = substitute(input, &self.panel, &wanted)?;
        self.panel.seats.push(seat);
        let index = self.panel.seats.len() - 1;
        self.stand_ins.insert(ask.seat, index);
        Some(index)
    }
}

/// What an ask shows in two halves: by hunks, and one hunk alone not at all.
fn halves(ask: &Ask) -> Option<[Vec<Piece>; 2]> {
    let middle = ask.pieces.len() / 2;
    (middle > 0).then(|| [ask.pieces[..middle].to_vec(), ask.pieces[middle..].to_vec()])
}
