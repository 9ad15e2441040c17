//! Puts what one reviewer alone found to somebody else.

use std::collections::BTreeSet;

use anyhow::Result;
use futures::StreamExt as _;
use models::Prompt;
use review::Lineage;
use review::anchor::FileTexts;
use review::attribution::Authors;
use review::examine::{
    Batch, Examination, ExaminationInput, ExaminationOutcome, ExaminationParts, MAX_CLAIMS, batches,
    build_examination, read, settle, to_be_examined,
};
use review::merge::Claim;
use review::outcome::{Call, EndingKind};
use review::panel::{Examiner, Panel, PanelInput, Relation, examiner, relation};
use review::prompt::Material;
use tokio::time::Instant;

use crate::fan_out::{Asking, Progress};
use crate::metered::{self, Asked, Cause, Said};
use crate::prompts::Prompts;

/// How progress calls it.
const WHAT: &str = "cross-examination";

/// The most tokens of code that an examiner is shown at once.
const CODE_TOKENS: u32 = 8_000;

/// The most tokens of an examiner's prompt: the code, six long claims, and the instructions.
pub(crate) const MOST_EXAMINATION_TOKENS: u64 = CODE_TOKENS as u64 + 12_000;

/// What examinations start from.
pub struct Examining<'a> {
    /// Who may be asked.
    pub input: PanelInput<'a>,
    /// Who sat.
    pub panel: &'a Panel,
    /// Engines that answer nothing in this review.
    pub down: BTreeSet<usize>,
    /// The change and what stands round it.
    pub material: &'a Material<'a>,
    /// Whole files, for claims that are anchored outside the change.
    pub texts: &'a FileTexts,
    /// The prompts' texts.
    pub prompts: &'a Prompts,
}

/// Claims that one examiner is asked about in one call.
struct Case {
    examiner: Examiner,
    finders: Vec<Lineage>,
    authors: Authors,
    batch: Batch,
}

/// One call that was made.
struct Heard {
    outcome: ExaminationOutcome,
    examinations: Vec<Examination>,
    /// Whether its engine answers nothing.
    is_down: bool,
}

/// Has claims examined and writes down what comes of it. Whoever does not answer is replaced once.
///
/// # Errors
/// The store could not be written; a prompt could not be rendered.
pub async fn examine(
    claims: &mut [Claim],
    mut examining: Examining<'_>,
    asking: &Asking<'_>,
) -> Result<Vec<ExaminationOutcome>> {
    let mut outcomes = Vec::new();
    let mut open = to_be_examined(claims);
    for _ in 0..2 {
        let cases = cases(claims, &open, &examining);
        if cases.is_empty() || Instant::now() >= asking.deadline {
            break;
        }
        let heard: Vec<Result<Heard>> = futures::stream::iter(&cases)
            .map(|case| hear(case, claims, &examining, asking))
            .buffered(asking.concurrency)
            .collect()
            .await;
        open.clear();
        for (case, heard) in cases.iter().zip(heard) {
            let Heard { outcome, examinations, is_down } = heard?;
            if examinations.is_empty() {
                open.extend(&case.batch.claims);
            }
            // Whoever gave no answer is not asked about the next ones either.
            if is_down || examinations.is_empty() {
                examining.down.insert(case.examiner.engine);
            }
            for (&claim, examination) in case.batch.claims.iter().zip(examinations) {
                settle(&mut claims[claim], outcomes.len(), &outcome, examination);
            }
            outcomes.push(outcome);
        }
        open.sort_unstable();
    }
    Ok(outcomes)
}

/// Finds an examiner for each claim, and puts claims of one file to one examiner together.
fn cases(claims: &[Claim], open: &[usize], examining: &Examining<'_>) -> Vec<Case> {
    let mut groups: Vec<(Examiner, Vec<Lineage>, Authors, Vec<usize>)> = Vec::new();
    for &index in open {
        let claim = &claims[index];
        let finders: Vec<Lineage> =
            claim.sources.iter().filter_map(|source| source.lineage.clone()).collect();
        let Some(seat) = claim.sources.first().map(|source| source.seat) else { continue };
        let authors = &examining.panel.seats[seat].authors;
        let lineages: Vec<&Lineage> = finders.iter().collect();
        let Some(examiner) = examiner(&examining.input, examining.panel, authors, &lineages, &examining.down)
        else {
            continue;
        };
        let same = groups
            .iter_mut()
            .find(|(known, of, by, _)| (known.engine, of, by) == (examiner.engine, &finders, authors));
        match same {
            Some((_, _, _, claims)) => claims.push(index),
            None => groups.push((examiner, finders, authors.clone(), vec![index])),
        }
    }
    let mut cases = Vec::new();
    for (examiner, finders, authors, indices) in groups {
        let of_group: Vec<&Claim> = indices.iter().map(|index| &claims[*index]).collect();
        for batch in batches(&of_group) {
            let claims = batch.claims.iter().map(|within| indices[*within]).collect();
            cases.push(Case {
                examiner: examiner.clone(),
                finders: finders.clone(),
                authors: authors.clone(),
                batch: Batch { claims, ..batch },
            });
        }
    }
    cases
}

async fn hear(
    case: &Case,
    claims: &[Claim],
    examining: &Examining<'_>,
    asking: &Asking<'_>,
) -> Result<Heard> {
    let engine = &asking.engines[case.examiner.engine];
    let shown: Vec<&Claim> = case.batch.claims.iter().map(|index| &claims[*index]).collect();
    let (parts, prompt) = prompt(case, &shown, examining, asking)?;
    (asking.progress)(Progress::Asked { what: WHAT, engine: &engine.id });
    let name = format!("examination of {}", shown.iter().map(|claim| claim.id.as_str()).collect::<String>());
    let Asked { call, said } = metered::ask(case.examiner.engine, &prompt, &name, asking).await?;
    let (ending, examinations, is_down) = match said {
        Said::Everything(reply) => match read(reply.content.text(), &parts) {
            Ok(examinations) => ((EndingKind::Answered, String::new()), examinations, false),
            Err(detail) => ((EndingKind::Unreadable, detail), Vec::new(), false),
        },
        Said::Nothing(silence) => ((silence.kind, silence.detail), Vec::new(), silence.cause == Cause::Down),
    };
    (asking.progress)(Progress::Ended {
        what: WHAT,
        engine: &engine.id,
        ending: ending.0,
        elapsed_ms: call.elapsed_ms,
        left: 0,
    });
    let outcome = outcome(case, &shown, ending, call);
    Ok(Heard { outcome, examinations, is_down })
}

/// Judged by the model that answered, not by the one that was asked (law 2).
fn outcome(case: &Case, shown: &[&Claim], ending: (EndingKind, String), call: Call) -> ExaminationOutcome {
    let relation: Relation = relation(&call.lineage, &case.authors);
    ExaminationOutcome {
        examiner: case.examiner.clone(),
        claims: shown.iter().map(|claim| claim.id.clone()).collect(),
        ending,
        // Where nobody has to be independent of anybody, an unknown model may examine as it may review.
        relation: match relation {
            Relation::UnknownLineage if case.authors == Authors::default() => Relation::Unrelated,
            Relation::NoLineage
            | Relation::Unrelated
            | Relation::Related { .. }
            | Relation::UnknownLineage => relation,
        },
        unrelated_to_finder: case.finders.iter().all(|finder| finder.is_unrelated_to(&call.lineage)),
        call,
    }
}

fn prompt(
    case: &Case,
    shown: &[&Claim],
    examining: &Examining<'_>,
    asking: &Asking<'_>,
) -> Result<(ExaminationParts, Prompt)> {
    debug_assert!(shown.len() <= MAX_CLAIMS, "batches are no larger");
    let engine = &asking.engines[case.examiner.engine];
    let room = engine.context_tokens.saturating_sub(engine.max_output_tokens);
    let parts = build_examination(&ExaminationInput {
        material: examining.material,
        texts: examining.texts,
        file: case.batch.file,
        claims: shown,
        budget_tokens: CODE_TOKENS.min(room / 2),
        seed: format!("{} {}", asking.run_id, engine.id).as_bytes(),
    });
    let prompt = examining.prompts.render_examination(&parts, engine.max_output_tokens)?;
    Ok((parts, prompt))
}
