//! What the seated models are asked: which part of the change goes to whom, in which prompt.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use anyhow::Result;
use review::Digest;
use review::conclude::{Sitting, TooSmall};
use review::engine::{Engine, estimate_tokens};
use review::hearing::{Attempt, Question};
use review::panel::{Reviewer, Scope};
use review::prompt::{Material, Piece, Plan, build, plan, reading_order};

use crate::fan_out::Ask;
use crate::prompts::{Prompts, common_prefixes};

/// A prompt with less room than this for changed lines is not sent: a change would go out line by line.
const LEAST_ROOM_TOKENS: u32 = 400;

/// What is asked, and what cannot be.
#[derive(Default)]
pub struct Planned {
    /// The calls, in the order of the seats.
    pub asks: Vec<Ask>,
    /// Seats whose model is too small to be shown anything.
    pub too_small: Vec<TooSmall>,
}

/// Makes the asks of one review.
pub struct AskMaker<'a> {
    engines: &'a [Engine],
    material: &'a Material<'a>,
    prompts: &'a Prompts,
    run_id: &'a str,
    /// The fence's mark for each engine: drawn once, since all of the change is searched for it.
    nonces: Vec<OnceLock<String>>,
}

impl<'a> AskMaker<'a> {
    /// From the roster, the change, the prompts' texts, and the run from which the fences' marks are drawn.
    pub fn new(
        engines: &'a [Engine],
        material: &'a Material<'a>,
        prompts: &'a Prompts,
        run_id: &'a str,
    ) -> Self {
        let nonces = engines.iter().map(|_| OnceLock::new()).collect();
        Self { engines, material, prompts, run_id, nonces }
    }

    /// Asks a question by itself.
    ///
    /// # Errors
    /// A prompt file asks for something that is not there.
    pub fn about(&self, question: Question) -> Result<Ask> {
        let plan = Plan { parts: vec![question.pieces.clone()] };
        self.part(question, &plan, 0)
    }

    fn part(&self, question: Question, plan: &Plan, part: usize) -> Result<Ask> {
        let engine = question.engine;
        let nonce = self.nonces[engine].get_or_init(|| {
            let seed = Digest::of_parts([self.run_id.as_bytes(), self.engines[engine].id.as_bytes()]);
            self.material.nonce(seed.as_str().as_bytes())
        });
        let parts = build(self.material, question.lens, plan, part, nonce);
        let prompt = self.prompts.render(&parts, self.engines[engine].max_output_tokens)?;
        Ok(Ask { question, prompt })
    }
}

/// Plans the calls of a panel.
///
/// Prompts that go to one model begin alike as far as they can: the same instructions, schema and fence, and the
/// files in one order.
///
/// # Errors
/// A prompt file asks for something that is not there.
pub fn plan_asks(sitting: &Sitting<'_>, maker: &AskMaker<'_>, prompt_tokens: u32) -> Result<Planned> {
    let AskMaker { material, prompts, .. } = maker;
    let Sitting { basis, seated, .. } = sitting;
    let mut planned = Planned::default();
    let overhead = estimate_tokens(prompts.overhead_bytes(material)?);
    let order = reading_order(&seated.wishes, &basis.classification.files);
    for (seat_index, seat) in seated.panel.seats.iter().enumerate() {
        let Reviewer::Model(engine_index) = seat.reviewer else { continue };
        let engine = &basis.engines[engine_index];
        let room = room_tokens(engine).saturating_sub(overhead);
        let files: Vec<usize> = order.iter().copied().filter(|file| seat.files.contains(file)).collect();
        if room < LEAST_ROOM_TOKENS {
            planned.too_small.push(TooSmall {
                seat: seat_index,
                engine: engine_index,
                pieces: whole_hunks(material, &files, &seat.scope),
                detail: format!(
                    "its context of {} tokens, less {} for the answer and {overhead} for the instructions, leaves no \
                     room for the change",
                    engine.context_tokens, engine.max_output_tokens
                ),
            });
            continue;
        }
        let plan = plan(material, &files, &seat.scope, room.min(prompt_tokens));
        for (part, pieces) in plan.parts.iter().enumerate() {
            let question = Question {
                seat: seat_index,
                part,
                lens: seat.lens,
                engine: engine_index,
                pieces: pieces.clone(),
                attempt: Attempt::First,
            };
            planned.asks.push(maker.part(question, &plan, part)?);
        }
    }
    mark_what_is_shared(&mut planned.asks);
    Ok(planned)
}

/// Tells each prompt how much of it others to the same model send too, so that the provider is asked to remember that.
fn mark_what_is_shared(asks: &mut [Ask]) {
    let engines: BTreeSet<usize> = asks.iter().map(|ask| ask.question.engine).collect();
    for engine in engines {
        let mut of_engine: Vec<&mut Ask> =
            asks.iter_mut().filter(|ask| ask.question.engine == engine).collect();
        let borders = common_prefixes(&of_engine.iter().map(|ask| &ask.prompt).collect::<Vec<_>>());
        for (ask, border) in of_engine.iter_mut().zip(borders) {
            ask.prompt.cache_prefix = border;
        }
    }
}

/// How many tokens a prompt for a model may have, its answer set aside.
pub fn room_tokens(engine: &Engine) -> u32 {
    engine.context_tokens.saturating_sub(engine.max_output_tokens)
}

fn whole_hunks(material: &Material<'_>, files: &[usize], scope: &Scope) -> Vec<Piece> {
    let hunks = files.iter().flat_map(|&file| {
        let hunks = material.change.files[file].hunks().iter().enumerate();
        hunks.map(move |(hunk, lines)| Piece { file, hunk, first: 0, end: lines.lines().count() })
    });
    hunks.filter(|piece| scope.holds((piece.file, piece.hunk))).collect()
}
