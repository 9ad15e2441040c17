//! Who is asked about which claims, round by round, and what comes of it.

use std::collections::BTreeSet;

use super::{
    Batch, Examination, ExaminationInput, ExaminationOutcome, ExaminationParts, MAX_CLAIMS, batches,
    build_examination, read, settle, to_be_examined,
};
use crate::anchor::FileTexts;
use crate::attribution::Authors;
use crate::hearing::Heard;
use crate::merge::Claim;
use crate::outcome::{Call, EndingKind};
use crate::panel::{Examiner, Panel, PanelInput, Relation, examiner, relation};
use crate::prompt::Material;
use crate::reply::{Cause, Silence};
use crate::{Families, Lineage};

/// The most tokens of code that an examiner is shown at once.
pub const CODE_TOKENS: u32 = 8_000;

/// Whoever does not answer is replaced once.
const ROUNDS: usize = 2;

/// What examinations start from.
#[derive(Clone, Copy)]
pub struct Examining<'a> {
    /// Who may be asked.
    pub input: PanelInput<'a>,
    /// What names mean.
    pub families: &'a Families,
    /// Who sat.
    pub panel: &'a Panel,
    /// The change and what stands round it.
    pub material: Material<'a>,
    /// Whole files, for claims that are anchored outside the change.
    pub texts: &'a FileTexts,
    /// From which the fences' marks are drawn.
    pub run_id: &'a str,
}

/// Claims that one examiner is asked about in one call.
pub struct Case {
    /// Who is asked.
    pub examiner: Examiner,
    /// What it is shown.
    pub parts: ExaminationParts,
    /// The claims, by their ids.
    pub ids: Vec<String>,
    finders: Vec<Lineage>,
    authors: Authors,
    claims: Vec<usize>,
}

/// The cross-examination of a panel's claims, while it goes on.
pub struct CrossExamination<'a> {
    examining: Examining<'a>,
    claims: Vec<Claim>,
    outcomes: Vec<ExaminationOutcome>,
    /// The claims (by index) that nobody has answered about yet.
    open: Vec<usize>,
    /// Engines that answer nothing in this review.
    down: BTreeSet<usize>,
    rounds: usize,
}

impl Case {
    /// How a call about it ended.
    pub fn ending(&self, heard: &Heard) -> EndingKind {
        said(heard, &self.parts).0.0
    }
}

impl<'a> CrossExamination<'a> {
    /// With nobody asked yet. `down` are engines that answer nothing in this review.
    pub fn begin(examining: Examining<'a>, claims: Vec<Claim>, down: BTreeSet<usize>) -> Self {
        let open = to_be_examined(&claims);
        Self { examining, claims, outcomes: Vec::new(), open, down, rounds: 0 }
    }

    /// Whom to ask about what next; nothing where all is said, or nobody else may be asked.
    pub fn next_round(&self) -> Vec<Case> {
        if self.rounds == ROUNDS { Vec::new() } else { self.cases() }
    }

    /// Takes down what came of a round, case by case.
    pub fn hear(&mut self, cases: &[Case], heard: &[Heard]) {
        self.rounds += 1;
        self.open.clear();
        for (case, heard) in cases.iter().zip(heard) {
            let (ending, examinations, is_down) = said(heard, &case.parts);
            if examinations.is_empty() {
                self.open.extend(&case.claims);
            }
            // Whoever gave no answer is not asked about the next ones either.
            if is_down || examinations.is_empty() {
                self.down.insert(case.examiner.engine);
            }
            let engine = &self.examining.input.engines[case.examiner.engine];
            let outcome = outcome(case, ending, heard.call(engine, self.examining.families));
            for (&claim, examination) in case.claims.iter().zip(examinations) {
                settle(&mut self.claims[claim], self.outcomes.len(), &outcome, examination);
            }
            self.outcomes.push(outcome);
        }
        self.open.sort_unstable();
    }

    /// The claims with what was said of them, and how the calls ended.
    pub fn end(self) -> (Vec<Claim>, Vec<ExaminationOutcome>) {
        (self.claims, self.outcomes)
    }

    /// Finds an examiner for each open claim, and puts claims of one file to one examiner together.
    fn cases(&self) -> Vec<Case> {
        let Examining { input, panel, .. } = &self.examining;
        let mut groups: Vec<(Examiner, Vec<Lineage>, Authors, Vec<usize>)> = Vec::new();
        for &index in &self.open {
            let claim = &self.claims[index];
            let finders: Vec<Lineage> =
                claim.sources.iter().filter_map(|source| source.lineage.clone()).collect();
            let Some(seat) = claim.sources.first().map(|source| source.seat) else { continue };
            let authors = &panel.seats[seat].authors;
            let lineages: Vec<&Lineage> = finders.iter().collect();
            let Some(examiner) = examiner(input, panel, authors, &lineages, &self.down) else { continue };
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
            let of_group: Vec<&Claim> = indices.iter().map(|index| &self.claims[*index]).collect();
            for batch in batches(&of_group) {
                let claims: Vec<usize> = batch.claims.iter().map(|within| indices[*within]).collect();
                cases.push(Case {
                    parts: self.parts(&examiner, &batch, &claims),
                    ids: claims.iter().map(|claim| self.claims[*claim].id.clone()).collect(),
                    examiner: examiner.clone(),
                    finders: finders.clone(),
                    authors: authors.clone(),
                    claims,
                });
            }
        }
        cases
    }

    fn parts(&self, examiner: &Examiner, batch: &Batch, claims: &[usize]) -> ExaminationParts {
        debug_assert!(claims.len() <= MAX_CLAIMS, "batches are no larger");
        let Examining { input, material, texts, run_id, .. } = &self.examining;
        let engine = &input.engines[examiner.engine];
        let room = engine.context_tokens.saturating_sub(engine.max_output_tokens);
        let shown: Vec<&Claim> = claims.iter().map(|index| &self.claims[*index]).collect();
        build_examination(&ExaminationInput {
            material,
            texts,
            file: batch.file,
            claims: &shown,
            budget_tokens: CODE_TOKENS.min(room / 2),
            seed: format!("{run_id} {}", engine.id).as_bytes(),
        })
    }
}

/// How a call ended and why, what was said about each claim, and whether the engine answers nothing at all.
fn said(heard: &Heard, parts: &ExaminationParts) -> ((EndingKind, String), Vec<Examination>, bool) {
    match heard.text() {
        Ok(text) => match read(text, parts) {
            Ok(examinations) => ((EndingKind::Answered, String::new()), examinations, false),
            Err(detail) => ((EndingKind::Unreadable, detail), Vec::new(), false),
        },
        Err(Silence { kind, detail, cause }) => ((kind, detail), Vec::new(), cause == Cause::Down),
    }
}

/// Judged by the model that answered, not by the one that was asked (law 2).
fn outcome(case: &Case, ending: (EndingKind, String), call: Call) -> ExaminationOutcome {
    let relation: Relation = relation(&call.lineage, &case.authors);
    ExaminationOutcome {
        examiner: case.examiner.clone(),
        claims: case.ids.clone(),
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
