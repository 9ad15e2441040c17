//! From what was asked and said to the packet.
//!
//! [`conclude`] is the only way to a packet. A review calls it at its end, and a replay calls it with what was
//! recorded; it asks nobody and reads no clock, so that both come to the same bytes.

use crate::anchor::{Anchor, FileTexts, anchor, texts_wanted};
use crate::answer::Answer;
use crate::attribution::AuthorState;
use crate::basis::{Basis, Briefing, Seated};
use crate::coverage::{CoverageInput, compute};
use crate::examine::{CrossExamination, ExaminationOutcome, Examining};
use crate::finding::Finding;
use crate::hearing::{Heard, HeardPanel, HeardQuestion, Hearing, NotAsked, Question};
use crate::judge::{JudgeInput, judge};
use crate::merge::{Claim, Sourced, merge};
use crate::outcome::{Call, Ending, EndingKind, Outcome};
use crate::packet::{PacketInput, PacketV1, ReceiptV1, RunV1, assemble};
use crate::panel::{PanelInput, Relation, Reviewer, relation};
use crate::prompt::{Material, Piece};
use crate::{Families, RepoPath};

/// The most files that the rules list as examined on one seat.
pub const MAX_EXAMINED_BY_RULES: usize = 500;

/// A panel that sits over a change.
#[derive(Clone, Copy)]
pub struct Sitting<'a> {
    /// What is known of the change.
    pub basis: &'a Basis,
    /// Who sits.
    pub seated: &'a Seated,
    /// What they are given beside it.
    pub briefing: &'a Briefing,
    /// What names of models mean.
    pub families: &'a Families,
    /// The run, from which the fences' marks are drawn.
    pub run_id: &'a str,
}

/// What was asked, and what came of it: all that a review learns by asking.
#[derive(Debug, Clone, Default)]
pub struct Proceedings {
    /// What is asked in any case, in the order of the seats.
    pub questions: Vec<Question>,
    /// Seats whose model is too small to be shown anything.
    pub too_small: Vec<TooSmall>,
    /// What came of the questions, in the order in which it arrived.
    pub heard: Vec<HeardQuestion>,
    /// The whole files that were looked into for quotes, redacted.
    pub texts: FileTexts,
    /// What came of the cross-examination: rounds of calls.
    pub examined: Vec<Vec<Heard>>,
}

/// A seat that is asked nothing, because no prompt fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooSmall {
    /// The seat, by its index in the panel.
    pub seat: usize,
    /// The engine, by its index in the roster.
    pub engine: usize,
    /// What it would have been shown.
    pub pieces: Vec<Piece>,
    /// Why it is not, in a sentence.
    pub detail: String,
}

/// Proceedings that do not fit together: they were not recorded as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DoesNotFit {
    /// Something came of a question that nobody asked.
    #[error(transparent)]
    NotAsked(#[from] NotAsked),
    /// There are more calls of examiners than cases, or fewer.
    #[error("round {round} of the cross-examination has {cases} cases, and something came of {heard}")]
    Examinations {
        /// The round, from 1.
        round: usize,
        /// How many cases it has.
        cases: usize,
        /// How many calls.
        heard: usize,
    },
}

/// What a review comes to.
#[derive(Debug, Clone)]
pub struct Concluded {
    /// The packet.
    pub packet: PacketV1,
    /// How the panel was heard.
    pub heard: HeardPanel,
    /// What is claimed, with what examiners made of it.
    pub claims: Vec<Claim>,
    /// How the examinations ended.
    pub examinations: Vec<ExaminationOutcome>,
}

/// Decides everything that is decided after the replies.
///
/// # Errors
/// The proceedings do not fit the sitting.
pub fn conclude(
    sitting: &Sitting<'_>,
    proceedings: &Proceedings,
    run: &RunV1,
    receipts: &[ReceiptV1],
) -> Result<Concluded, DoesNotFit> {
    let heard = sitting.hear(proceedings)?;
    let Findings { claims, unanchored } = sitting.findings(&heard, &proceedings.texts);
    let mut examination = sitting.cross_examine(&heard, &proceedings.texts, claims);
    for (index, round) in proceedings.examined.iter().enumerate() {
        let cases = examination.next_round();
        if cases.len() != round.len() {
            return Err(DoesNotFit::Examinations {
                round: index + 1,
                cases: cases.len(),
                heard: round.len(),
            });
        }
        examination.hear(&cases, round);
    }
    let (claims, examinations) = examination.end();
    let told = Told { heard: &heard, claims: &claims, unanchored: &unanchored, examinations: &examinations };
    let packet = sitting.packet(&told, run, receipts);
    Ok(Concluded { packet, heard, claims, examinations })
}

/// What reviewers found, in its places.
pub struct Findings {
    /// What can be shown, merged; not yet examined.
    pub claims: Vec<Claim>,
    /// What stands nowhere.
    pub unanchored: Vec<Sourced>,
}

/// What a packet tells beside what was known before.
pub(crate) struct Told<'a> {
    pub(crate) heard: &'a HeardPanel,
    pub(crate) claims: &'a [Claim],
    pub(crate) unanchored: &'a [Sourced],
    pub(crate) examinations: &'a [ExaminationOutcome],
}

impl<'a> Sitting<'a> {
    /// Begins to hear the panel.
    pub fn begin_hearing(&self, questions: &[Question]) -> Hearing<'a> {
        Hearing::begin(self.panel_input(), self.families, self.seated.panel.clone(), questions)
    }

    /// Adds what was not asked to what was: the rules, and those for whom no prompt fits.
    pub fn with_the_rest(&self, heard: HeardPanel, too_small: &[TooSmall]) -> HeardPanel {
        let unasked = too_small.iter().map(|seat| self.too_small(seat));
        let outcomes = self.rules_outcomes().into_iter().chain(unasked).chain(heard.outcomes).collect();
        HeardPanel { outcomes, ..heard }
    }

    /// The paths whose whole texts could anchor what the hunks alone cannot.
    pub fn texts_wanted(&self, heard: &HeardPanel) -> Vec<RepoPath> {
        let findings: Vec<Finding> = heard.outcomes.iter().flat_map(findings_of).cloned().collect();
        texts_wanted(&findings, &self.basis.change)
    }

    /// Anchors what was found and merges it.
    pub fn findings(&self, heard: &HeardPanel, texts: &FileTexts) -> Findings {
        let (claimed, unanchored): (Vec<Sourced>, Vec<Sourced>) = self
            .sourced(heard, texts)
            .into_iter()
            .partition(|source| !matches!(source.anchor, Anchor::Unanchored { .. }));
        Findings { claims: merge(claimed, &self.basis.change), unanchored }
    }

    /// Begins to examine claims.
    pub fn cross_examine<'h>(
        &self,
        heard: &'h HeardPanel,
        texts: &'h FileTexts,
        claims: Vec<Claim>,
    ) -> CrossExamination<'h>
    where
        'a: 'h,
    {
        let examining = Examining {
            input: self.panel_input(),
            families: self.families,
            panel: &heard.panel,
            material: self.material(),
            texts,
            run_id: self.run_id,
        };
        CrossExamination::begin(examining, claims, heard.down.clone())
    }

    /// What prompts about the change are made from.
    pub fn material(&self) -> Material<'a> {
        self.briefing.material(&self.basis.change)
    }

    fn panel_input(&self) -> PanelInput<'a> {
        self.basis.panel_input(&self.seated.wishes)
    }

    fn hear(&self, proceedings: &Proceedings) -> Result<HeardPanel, NotAsked> {
        let mut hearing = self.begin_hearing(&proceedings.questions);
        for heard in &proceedings.heard {
            hearing.hear(heard)?;
        }
        Ok(self.with_the_rest(hearing.end(), &proceedings.too_small))
    }

    /// The rules' seats as outcomes: they answered, and what they did not get through is told apart.
    fn rules_outcomes(&self) -> Vec<Outcome> {
        let change = &self.basis.change;
        let seats = self.seated.panel.seats.iter().enumerate();
        seats
            .filter(|(_, seat)| seat.reviewer == Reviewer::Rules)
            .map(|(index, seat)| {
                let of_seat = |finding: &&Finding| {
                    let in_files = |file: &usize| change.files[*file].path == finding.file;
                    finding.category.lens() == seat.lens && seat.files.iter().any(in_files)
                };
                let questions = self.basis.rules.questions.iter().filter(|(lens, _)| *lens == seat.lens);
                let examined = |file: &usize| change.files[*file].path.to_string();
                Outcome {
                    seat: index,
                    part: 0,
                    pieces: Vec::new(),
                    ending: Ending::Answered(Answer {
                        findings: self.basis.rules.findings.iter().filter(of_seat).cloned().collect(),
                        questions: questions.map(|(_, text)| text.clone()).collect(),
                        examined: seat.files.iter().take(MAX_EXAMINED_BY_RULES).map(examined).collect(),
                        dropped: 0,
                    }),
                    call: None,
                }
            })
            .collect()
    }

    fn too_small(&self, seat: &TooSmall) -> Outcome {
        Outcome {
            seat: seat.seat,
            part: 0,
            pieces: seat.pieces.clone(),
            ending: Ending::Unanswered { kind: EndingKind::Failed, detail: seat.detail.clone() },
            call: Some(Call::not_made(&self.basis.engines[seat.engine])),
        }
    }

    /// Every finding with its place and with whoever said it.
    fn sourced(&self, heard: &HeardPanel, texts: &FileTexts) -> Vec<Sourced> {
        let mut all = Vec::new();
        for outcome in &heard.outcomes {
            let seat = &heard.panel.seats[outcome.seat];
            let (name, lineage, counts) = match (seat.reviewer, &outcome.call) {
                (Reviewer::Model(engine), Some(call)) => {
                    let counts = match relation(&call.lineage, &seat.authors) {
                        Relation::NoLineage | Relation::Unrelated => true,
                        Relation::Related { .. } => false,
                        // Whoever wrote it, a model of unknown ancestry may be of the same family.
                        Relation::UnknownLineage => self.basis.attribution.state() == AuthorState::Human,
                    };
                    (self.basis.engines[engine].id.clone(), Some(call.lineage.clone()), counts)
                }
                (Reviewer::Rules | Reviewer::Model(_), _) => ("rules".to_owned(), None, true),
            };
            all.extend(findings_of(outcome).iter().map(|finding| Sourced {
                anchor: anchor(finding, &self.basis.change, texts),
                finding: finding.clone(),
                seat: outcome.seat,
                name: name.clone(),
                lineage: lineage.clone(),
                counts,
            }));
        }
        all
    }

    /// Judges, and writes everything down.
    pub(crate) fn packet(&self, told: &Told<'_>, run: &RunV1, receipts: &[ReceiptV1]) -> PacketV1 {
        let basis = self.basis;
        let HeardPanel { panel, outcomes, .. } = told.heard;
        let coverage = compute(&CoverageInput {
            change: &basis.change,
            wishes: &self.seated.wishes,
            panel,
            outcomes,
            rules_misses: &basis.rules.misses(panel),
            policy: &basis.policy,
        });
        let judgement = judge(&JudgeInput {
            attribution: &basis.attribution,
            panel,
            coverage: &coverage,
            claims: told.claims,
            checks: &basis.checks,
            policy: &basis.policy,
            no_model_remedy: &basis.no_model_remedy,
        });
        assemble(&PacketInput {
            run,
            change: &basis.change,
            text_digest: &basis.text_digest,
            attribution: &basis.attribution,
            shares: &basis.shares,
            classification: &basis.classification,
            engines: &basis.engines,
            panel,
            outcomes,
            examinations: told.examinations,
            claims: told.claims,
            unanchored: told.unanchored,
            coverage: &coverage,
            rules: &basis.rules.beside,
            checks: &basis.checks,
            policy: &basis.policy,
            redacted_secrets: basis.rules.redacted,
            house_rules: &self.briefing.house_rules,
            receipts,
            judgement: &judgement,
        })
    }
}

fn findings_of(outcome: &Outcome) -> &[Finding] {
    match &outcome.ending {
        Ending::Answered(answer) => &answer.findings,
        Ending::Unanswered { .. } => &[],
    }
}
