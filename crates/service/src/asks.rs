//! What the seated models are asked: which part of the change goes to whom, in which prompt.

use std::collections::BTreeSet;

use anyhow::Result;
use review::Digest;
use review::engine::{Engine, estimate_tokens};
use review::outcome::{Call, Ending, EndingKind, Outcome};
use review::panel::{Reviewer, Scope};
use review::prompt::{Material, Piece, build, plan, reading_order};

use crate::fan_out::Ask;
use crate::prompts::{Prompts, common_prefixes};
use crate::review_one::Decided;

/// A prompt with less room than this for changed lines is not sent: a change would go out line by line.
const LEAST_ROOM_TOKENS: u32 = 400;

/// What is asked, and what cannot be.
#[derive(Default)]
pub struct Planned {
    /// The calls, in the order of the seats.
    pub asks: Vec<Ask>,
    /// Seats whose model is too small to be shown anything.
    pub too_small: Vec<Outcome>,
}

/// Plans the calls of a panel.
///
/// Prompts that go to one model begin alike as far as they can: the same instructions, schema and fence, and the
/// files in one order.
///
/// # Errors
/// A prompt file asks for something that is not there.
pub fn plan_asks(
    decided: &Decided,
    material: &Material<'_>,
    prompts: &Prompts,
    run_id: &str,
    prompt_tokens: u32,
) -> Result<Planned> {
    let mut planned = Planned::default();
    let overhead = estimate_tokens(prompts.overhead_bytes(material)?);
    let order = reading_order(&decided.wishes, &decided.classification.files);
    for (seat_index, seat) in decided.panel.seats.iter().enumerate() {
        let Reviewer::Model(engine_index) = seat.reviewer else { continue };
        let engine = &decided.roster.engines[engine_index];
        let room = room_tokens(engine).saturating_sub(overhead);
        let files: Vec<usize> = order.iter().copied().filter(|file| seat.files.contains(file)).collect();
        if room < LEAST_ROOM_TOKENS {
            planned.too_small.push(too_small(
                seat_index,
                engine,
                overhead,
                whole_hunks(material, &files, &seat.scope),
            ));
            continue;
        }
        let plan = plan(material, &files, &seat.scope, room.min(prompt_tokens));
        let seed = Digest::of_parts([run_id.as_bytes(), engine.id.as_bytes()]);
        let nonce = material.nonce(seed.as_str().as_bytes());
        for part in 0..plan.parts.len() {
            let parts = build(material, seat.lens, &plan, part, &nonce);
            planned.asks.push(Ask {
                seat: seat_index,
                part,
                lens: seat.lens,
                pieces: plan.parts[part].clone(),
                engine: engine_index,
                prompt: prompts.render(&parts, engine.max_output_tokens)?,
            });
        }
    }
    mark_what_is_shared(&mut planned.asks);
    Ok(planned)
}

/// Tells each prompt how much of it others to the same model send too, so that the provider is asked to remember that.
fn mark_what_is_shared(asks: &mut [Ask]) {
    let engines: BTreeSet<usize> = asks.iter().map(|ask| ask.engine).collect();
    for engine in engines {
        let mut of_engine: Vec<&mut Ask> = asks.iter_mut().filter(|ask| ask.engine == engine).collect();
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

fn too_small(seat: usize, engine: &Engine, overhead: u32, pieces: Vec<Piece>) -> Outcome {
    let detail = format!(
        "its context of {} tokens, less {} for the answer and {overhead} for the instructions, leaves no room for \
         the change",
        engine.context_tokens, engine.max_output_tokens
    );
    Outcome {
        seat,
        part: 0,
        pieces,
        ending: Ending::Unanswered { kind: EndingKind::Failed, detail },
        call: Some(Call {
            served_model: None,
            lineage: engine.lineage.clone(),
            usage: None,
            reserved_micro_usd: None,
            micro_usd: None,
            elapsed_ms: 0,
            prompt: None,
            reply: None,
        }),
    }
}
