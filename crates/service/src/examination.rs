//! Puts what one reviewer alone found to somebody else. Who that is and what follows is decided by a
//! [`CrossExamination`]; here it is asked.

use anyhow::Result;
use futures::StreamExt as _;
use review::examine::{CODE_TOKENS, Case, CrossExamination};
use review::hearing::Heard;
use tokio::time::Instant;

use crate::fan_out::{Asking, Progress};
use crate::metered;
use crate::prompts::Prompts;

/// How progress calls it.
const WHAT: &str = "cross-examination";

/// The most tokens of an examiner's prompt: the code, six long claims, and the instructions.
pub(crate) const MOST_EXAMINATION_TOKENS: u64 = CODE_TOKENS as u64 + 12_000;

/// Has claims examined, round by round, until all is said, nobody else may be asked, or the time is over. Gives what
/// came of it.
///
/// # Errors
/// The store could not be written; a prompt could not be rendered.
pub async fn examine(
    mut examination: CrossExamination<'_>,
    prompts: &Prompts,
    asking: &Asking<'_>,
) -> Result<Vec<Vec<Heard>>> {
    let mut rounds = Vec::new();
    loop {
        let cases = examination.next_round();
        if cases.is_empty() || Instant::now() >= asking.deadline {
            return Ok(rounds);
        }
        let heard: Vec<Result<Heard>> = futures::stream::iter(&cases)
            .map(|case| ask(case, prompts, asking))
            .buffered(asking.concurrency)
            .collect()
            .await;
        let heard = heard.into_iter().collect::<Result<Vec<_>>>()?;
        examination.hear(&cases, &heard);
        rounds.push(heard);
    }
}

async fn ask(case: &Case, prompts: &Prompts, asking: &Asking<'_>) -> Result<Heard> {
    let engine = &asking.engines[case.examiner.engine];
    let prompt = prompts.render_examination(&case.parts, engine.max_output_tokens)?;
    (asking.progress)(Progress::Asked { what: WHAT, engine: &engine.id });
    let name = format!("examination of {}", case.ids.concat());
    let heard = metered::ask(case.examiner.engine, &prompt, &name, asking).await?;
    (asking.progress)(Progress::Ended {
        what: WHAT,
        engine: &engine.id,
        ending: case.ending(&heard),
        elapsed_ms: heard.elapsed_ms,
        left: 0,
    });
    Ok(heard)
}
