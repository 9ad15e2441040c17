//! What a review would ask, and what that could cost.

use anyhow::Result;
use review::Lens;
use review::engine::Engine;
use review::hearing::Question;
use review::panel::Reviewer;

use crate::asks::{AskMaker, plan_asks};
use crate::examination::MOST_EXAMINATION_TOKENS;
use crate::fan_out::Ask;
use crate::prompts::Prompts;
use crate::review_one::{Decided, ReviewRequest, brief, decide};

/// What a review would ask, and what that could cost.
pub struct Preview {
    /// What was decided.
    pub decided: Decided,
    /// The calls.
    pub calls: Vec<PlannedCall>,
    /// The most that those of known price could cost together, in micro-USD.
    pub max_micro_usd: u64,
    /// How many have no known price.
    pub unpriced_calls: usize,
    /// The most that the examination of one finding could cost, in micro-USD; `None` where nobody could examine, or the
    /// price is not known.
    pub examination_max_micro_usd: Option<u64>,
    /// The most that the review may cost, in micro-USD.
    pub cap_micro_usd: Option<u64>,
}

/// A call that a review would make.
pub struct PlannedCall {
    /// The lens.
    pub lens: Lens,
    /// The engine, by its index in the roster.
    pub engine: usize,
    /// The part, from 0.
    pub part: usize,
    /// The tokens of the prompt, estimated on the high side.
    pub input_tokens: u64,
    /// The most tokens of the answer.
    pub max_output_tokens: u32,
    /// The most that it could cost, in micro-USD; `None` where nobody knows the price.
    pub max_micro_usd: Option<u64>,
}

/// Decides everything and asks nobody.
///
/// # Errors
/// As [`decide`].
pub async fn preview(request: &ReviewRequest<'_>) -> Result<Preview> {
    let prompts = Prompts::load(request.config.prompts_folder.as_deref())?;
    let decided = decide(request).await?;
    let briefing = brief(&decided, request)?;
    let sitting = decided.sitting(&briefing, &request.tables.families, &request.run_id);
    let material = sitting.material();
    let engines = &decided.basis.engines;
    let maker = AskMaker::new(engines, &material, &prompts, &request.run_id);
    let planned = plan_asks(&sitting, &maker, request.config.prompt_tokens)?;
    let examiners = decided.seated.panel.seats.iter().filter_map(|seat| match seat.reviewer {
        Reviewer::Model(engine) => Some(&engines[engine]),
        Reviewer::Rules => None,
    });
    let examination_max_micro_usd = examiners.map(worst_examination).max().flatten();
    let call = |ask: Ask| {
        let input_tokens = ask.prompt.estimated_tokens();
        let max_output_tokens = ask.prompt.max_output_tokens;
        let Question { lens, engine, part, .. } = ask.question;
        let price = engines[engine].price.as_ref();
        PlannedCall {
            lens,
            engine,
            part,
            input_tokens,
            max_output_tokens,
            max_micro_usd: price.map(|price| price.worst_case(input_tokens, u64::from(max_output_tokens))),
        }
    };
    let calls: Vec<PlannedCall> = planned.asks.into_iter().map(call).collect();
    Ok(Preview {
        max_micro_usd: calls.iter().filter_map(|call| call.max_micro_usd).sum(),
        unpriced_calls: calls.iter().filter(|call| call.max_micro_usd.is_none()).count(),
        examination_max_micro_usd,
        cap_micro_usd: request.config.policy.max_micro_usd,
        calls,
        decided,
    })
}

/// The most that one examination by a model could cost, in micro-USD; `None` where nobody knows its price.
fn worst_examination(engine: &Engine) -> Option<u64> {
    let price = engine.price.as_ref()?;
    Some(price.worst_case(MOST_EXAMINATION_TOKENS, u64::from(engine.max_output_tokens)))
}
