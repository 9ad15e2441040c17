//! The hearing of a panel: what came of each question, and what is asked next because of it.
//!
//! Somebody who does not answer is asked about less at a time, or once more in plain words, or somebody else is asked.
//! Who stands in depends on who failed before, so on the order in which replies arrive. That order is the only thing
//! that time decides: given the same replies in the same order, a [`Hearing`] asks the same and ends the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::answer;
use crate::engine::Engine;
use crate::outcome::{Call, Ending, EndingKind, Kept, Outcome};
use crate::panel::{Panel, PanelInput, Reviewer, Substitution, substitute};
use crate::prompt::Piece;
use crate::reply::{Cause, ReplyV1, Silence};
use crate::{Families, Lens};

/// How often the prompts of one seat are cut in half to find what a model refuses: six halvings find one hunk of 64.
const MAX_SPLITS: usize = 12;

/// One thing that a seat is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The seat, by its index in the panel.
    pub seat: usize,
    /// The part, from 0.
    pub part: usize,
    /// The lens.
    pub lens: Lens,
    /// The engine, by its index in the roster.
    pub engine: usize,
    /// What it is shown.
    pub pieces: Vec<Piece>,
    /// Whether it is asked for the first time.
    pub attempt: Attempt,
}

/// Which time something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// The first.
    First,
    /// Once more, because the first answer could not be read.
    Repair,
}

/// What came of one call of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// What was said.
    pub said: Said,
    /// The prompt as it was sent.
    pub prompt: Option<Kept>,
    /// The reply as it was received.
    pub reply: Option<Kept>,
    /// What was reserved for it, in micro-USD; `None` where nobody knows the price.
    pub reserved_micro_usd: Option<u64>,
    /// What it cost, in micro-USD.
    pub micro_usd: Option<u64>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// What a model said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A reply, whatever it is worth.
    Reply(Box<ReplyV1>),
    /// None.
    Nothing(Silence),
}

impl Heard {
    /// What was said, if it counts.
    ///
    /// # Errors
    /// Why it does not.
    pub fn text(&self) -> Result<&str, Silence> {
        match &self.said {
            Said::Reply(reply) => reply.complete_text(),
            Said::Nothing(silence) => Err(silence.clone()),
        }
    }

    /// The call, as the packet tells it.
    pub fn call(&self, engine: &Engine, families: &Families) -> Call {
        let reply = match &self.said {
            Said::Reply(reply) => Some(reply),
            Said::Nothing(_) => None,
        };
        let served = reply.and_then(|reply| reply.served_model.as_deref());
        Call {
            served_model: served.map(str::to_owned),
            lineage: engine.served_lineage(served, families),
            usage: reply.and_then(|reply| reply.usage),
            reserved_micro_usd: self.reserved_micro_usd,
            micro_usd: self.micro_usd,
            elapsed_ms: self.elapsed_ms,
            prompt: self.prompt.clone(),
            reply: self.reply.clone(),
        }
    }
}

/// What came of one question of a hearing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardQuestion {
    /// The seat, by its index in the panel.
    pub seat: usize,
    /// The part, from 0.
    pub part: usize,
    /// How many tokens the prompt was estimated to have: who has no room for them cannot stand in.
    pub prompt_tokens: u32,
    /// Whether there was time to ask somebody else.
    pub time: TimeLeft,
    /// What came of it.
    pub heard: Heard,
}

/// Whether there is time to ask somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeLeft {
    /// There is.
    Enough,
    /// No model answers so fast.
    TooLittle,
}

/// A call that belongs to no open question: the record of a hearing is not whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("seat {seat} was not asked about its part {part}, and something came of it")]
pub struct NotAsked {
    seat: usize,
    part: usize,
}

/// What follows from what was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// How the call ended.
    pub ending: Ending,
    /// What is asked because of it, in this order.
    pub questions: Vec<Question>,
}

/// A panel while it is heard.
pub struct Hearing<'a> {
    input: PanelInput<'a>,
    families: &'a Families,
    panel: Panel,
    questions: Vec<Asked>,
    /// The questions that nothing has come of yet, by seat and part.
    open: BTreeMap<(usize, usize), usize>,
    /// How many of the questions were asked in any case.
    first: usize,
    /// The number of the next part, by seat.
    next_part: BTreeMap<usize, usize>,
    /// How often a seat's prompts were cut in half.
    splits: BTreeMap<usize, usize>,
    /// Who stands in for a seat.
    stand_ins: BTreeMap<usize, usize>,
    /// Engines that answer nothing in this review.
    down: BTreeSet<usize>,
}

struct Asked {
    question: Question,
    outcome: Option<Outcome>,
    /// The questions that it led to.
    led_to: Vec<usize>,
}

/// How a panel was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardPanel {
    /// The panel, with those who stood in.
    pub panel: Panel,
    /// How every call ended, each followed by what it led to.
    pub outcomes: Vec<Outcome>,
    /// Engines that answer nothing in this review.
    pub down: BTreeSet<usize>,
}

impl<'a> Hearing<'a> {
    /// With nobody heard yet. `questions` are those that are asked in any case.
    pub fn begin(
        input: PanelInput<'a>,
        families: &'a Families,
        panel: Panel,
        questions: &[Question],
    ) -> Self {
        let mut hearing = Self {
            input,
            families,
            panel,
            questions: Vec::new(),
            open: BTreeMap::new(),
            first: questions.len(),
            next_part: BTreeMap::new(),
            splits: BTreeMap::new(),
            stand_ins: BTreeMap::new(),
            down: BTreeSet::new(),
        };
        for question in questions {
            let next = hearing.next_part.entry(question.seat).or_insert(0);
            *next = (*next).max(question.part + 1);
            hearing.ask(question.clone());
        }
        hearing
    }

    /// Takes down what came of a question, and says what is asked next.
    ///
    /// # Errors
    /// Nobody asked that, or something came of it already.
    pub fn hear(&mut self, heard: &HeardQuestion) -> Result<Next, NotAsked> {
        let HeardQuestion { seat, part, .. } = *heard;
        let index = self.open.remove(&(seat, part)).ok_or(NotAsked { seat, part })?;
        let question = self.questions[index].question.clone();
        let (ending, cause) = match heard.heard.text() {
            Ok(text) => match answer::read(text, question.lens) {
                Ok(answer) => (Ending::Answered(answer), None),
                Err(detail) => (
                    Ending::Unanswered { kind: EndingKind::Unreadable, detail },
                    Some(Cause::UnreadableAnswer),
                ),
            },
            Err(Silence { kind, detail, cause }) => (Ending::Unanswered { kind, detail }, Some(cause)),
        };
        let questions = match (cause, heard.time) {
            (Some(cause), TimeLeft::Enough) => self.relieve(&question, &ending, cause, heard.prompt_tokens),
            (None, _) | (Some(_), TimeLeft::TooLittle) => Vec::new(),
        };
        for question in &questions {
            let led_to = self.ask(question.clone());
            self.questions[index].led_to.push(led_to);
        }
        self.questions[index].outcome = Some(Outcome {
            seat,
            part,
            pieces: question.pieces,
            ending: ending.clone(),
            call: Some(heard.heard.call(&self.input.engines[question.engine], self.families)),
        });
        Ok(Next { ending, questions })
    }

    /// Ends the hearing. A question that nothing came of has no outcome.
    pub fn end(mut self) -> HeardPanel {
        let mut outcomes = Vec::new();
        let mut left: Vec<usize> = (0..self.first).rev().collect();
        while let Some(index) = left.pop() {
            let asked = &mut self.questions[index];
            outcomes.extend(asked.outcome.take());
            left.extend(asked.led_to.iter().rev());
        }
        HeardPanel { panel: self.panel, outcomes, down: self.down }
    }

    fn ask(&mut self, question: Question) -> usize {
        let index = self.questions.len();
        self.open.insert((question.seat, question.part), index);
        self.questions.push(Asked { question, outcome: None, led_to: Vec::new() });
        index
    }

    /// What is asked next, because somebody did not answer; nothing where nothing helps.
    fn relieve(
        &mut self,
        question: &Question,
        ending: &Ending,
        cause: Cause,
        prompt_tokens: u32,
    ) -> Vec<Question> {
        match cause {
            Cause::UnreadableAnswer if question.attempt == Attempt::First => {
                let part = self.take_part(question.seat);
                return vec![Question { part, attempt: Attempt::Repair, ..question.clone() }];
            }
            Cause::WhatItWasShown => {
                if let Some(halves) = halves(question).filter(|_| self.may_split(question.seat)) {
                    return halves.into_iter().map(|pieces| self.question(question.seat, pieces)).collect();
                }
            }
            Cause::Down => {
                self.down.insert(question.engine);
            }
            Cause::UnreadableAnswer | Cause::Other => {}
        }
        let stand_in = self.stand_in(question, ending, prompt_tokens);
        stand_in.map(|seat| self.question(seat, question.pieces.clone())).into_iter().collect()
    }

    fn question(&mut self, seat: usize, pieces: Vec<Piece>) -> Question {
        let part = self.take_part(seat);
        let Reviewer::Model(engine) = self.panel.seats[seat].reviewer else {
            unreachable!("only models are asked questions, and only models stand in for them")
        };
        Question { seat, part, lens: self.panel.seats[seat].lens, engine, pieces, attempt: Attempt::First }
    }

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

    /// The seat of whoever stands in for the one that was asked.
    fn stand_in(&mut self, question: &Question, ending: &Ending, needed_tokens: u32) -> Option<usize> {
        if let Some(known) = self.stand_ins.get(&question.seat) {
            let engine = match self.panel.seats[*known].reviewer {
                Reviewer::Model(engine) => engine,
                Reviewer::Rules => return None,
            };
            let has_room = needed_tokens <= self.input.engines[engine].context_tokens;
            return Some(*known).filter(|_| has_room && !self.down.contains(&engine));
        }
        let wanted =
            Substitution { seat: question.seat, ending: ending.kind(), down: &self.down, needed_tokens };
        let seat = substitute(&self.input, &self.panel, &wanted)?;
        self.panel.seats.push(seat);
        let index = self.panel.seats.len() - 1;
        self.stand_ins.insert(question.seat, index);
        Some(index)
    }
}

/// What a question shows in two halves: by hunks, and one hunk alone not at all.
fn halves(question: &Question) -> Option<[Vec<Piece>; 2]> {
    let middle = question.pieces.len() / 2;
    (middle > 0).then(|| [question.pieces[..middle].to_vec(), question.pieces[middle..].to_vec()])
}
