//! The run: what was known, what was asked of whom, what came of it and in which order.

use serde::{Deserialize, Serialize};

use crate::basis::RulesReport;
use crate::classify::{Classification, FileClass, Label, Labelled, Risk};
use crate::conclude::TooSmall;
use crate::finding::{Category, Finding, Lens, Severity};
use crate::hearing::{Attempt, Heard, HeardQuestion, Question, Said, TimeLeft};
use crate::judge::Check;
use crate::outcome::Kept;
use crate::packet::{self, ClassificationV1, ReceiptV1, RunV1};
use crate::panel::{Reviewer, Seat};
use crate::prompt::Piece;
use crate::reply::{ReplyV1, Silence};
use crate::{CommitId, Digest, RepoPath, Side};

/// Where a replay begins: all that it needs, or the digest of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordV1 {
    pub(super) schema: String,
    pub(super) run: RunV1,
    /// The tip of the base branch, from which conventions are read.
    pub(super) base: Option<CommitId>,
    /// SHA-256 of title and body before redaction.
    pub(super) text_digest: Digest,
    pub(super) classification: ClassificationV1,
    /// What each changed file is.
    pub(super) classes: Vec<FileClassV1>,
    pub(super) rules: RulesReportV1,
    pub(super) no_model_remedy: String,
    /// What was run on the head.
    pub(super) checks: Vec<Check>,
    /// What was asked in any case.
    pub(super) questions: Vec<QuestionV1>,
    pub(super) too_small: Vec<TooSmallV1>,
    /// What came of the questions, in the order in which it arrived.
    pub(super) heard: Vec<HeardQuestionV1>,
    /// What came of the cross-examination, round by round.
    pub(super) examined: Vec<Vec<HeardV1>>,
    /// All other receipts.
    pub(super) receipts: Vec<ReceiptV1>,
}

pub(super) const SCHEMA: &str = "recuse/record/v1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileClassV1 {
    labels: Vec<Label>,
    code: bool,
    risk: Risk,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RulesReportV1 {
    findings: Vec<FindingV1>,
    pub(super) supported: Vec<(Lens, Vec<usize>)>,
    pub(super) failed: Vec<(Lens, usize, String)>,
    pub(super) unsafe_to_send: Vec<usize>,
    redacted: usize,
    beside: packet::RulesV1,
    questions: Vec<(Lens, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FindingV1 {
    category: Category,
    severity: Severity,
    file: RepoPath,
    lines: Option<(u32, u32)>,
    side: Side,
    quote: String,
    title: String,
    body: String,
    rule: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QuestionV1 {
    pub(super) seat: usize,
    pub(super) part: usize,
    pub(super) pieces: Vec<PieceV1>,
}

/// File, hunk, first line and one past the last, all from 0.
pub(super) type PieceV1 = (usize, usize, usize, usize);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TooSmallV1 {
    pub(super) seat: usize,
    pub(super) pieces: Vec<PieceV1>,
    detail: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeardQuestionV1 {
    pub(super) seat: usize,
    pub(super) part: usize,
    prompt_tokens: u32,
    /// Whether there was time to ask somebody else.
    time_left: bool,
    pub(super) heard: HeardV1,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeardV1 {
    pub(super) said: SaidV1,
    prompt: Option<KeptV1>,
    reply: Option<KeptV1>,
    reserved_micro_usd: Option<u64>,
    micro_usd: Option<u64>,
    elapsed_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SaidV1 {
    /// SHA-256 of the receipt that holds what was said.
    Answer(Digest),
    Nothing(Silence),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptV1 {
    digest: Digest,
    bytes: u64,
}

pub(super) fn classes_v1(classification: &Classification) -> Vec<FileClassV1> {
    let class =
        |class: &FileClass| FileClassV1 { labels: class.labels.clone(), code: class.code, risk: class.risk };
    classification.files.iter().map(class).collect()
}

pub(super) fn classification_v1(classification: &Classification) -> ClassificationV1 {
    packet::classification(classification)
}

/// `paths` are the changed files', in their order.
pub(super) fn classification(
    kept: ClassificationV1,
    classes: Vec<FileClassV1>,
    paths: impl Iterator<Item = RepoPath>,
) -> Classification {
    Classification {
        labels: kept
            .labels
            .into_iter()
            .map(|label| Labelled { label: label.label, reasons: label.reasons })
            .collect(),
        files: classes
            .into_iter()
            .zip(paths)
            .map(|(class, path)| FileClass { path, labels: class.labels, code: class.code, risk: class.risk })
            .collect(),
        added: kept.added,
        removed: kept.removed,
        risk: kept.risk,
        risk_reasons: kept.risk_reasons,
        reversibility: kept.reversibility,
        reversibility_reasons: kept.reversibility_reasons,
    }
}

impl RulesReportV1 {
    pub(super) fn of(report: &RulesReport) -> Self {
        let RulesReport { findings, supported, failed, unsafe_to_send, redacted, beside, questions } =
            report.clone();
        let finding = |finding: Finding| FindingV1 {
            category: finding.category,
            severity: finding.severity,
            file: finding.file,
            lines: finding.lines,
            side: finding.side,
            quote: finding.quote,
            title: finding.title,
            body: finding.body,
            rule: finding.rule,
        };
        let findings = findings.into_iter().map(finding).collect();
        Self { findings, supported, failed, unsafe_to_send, redacted, beside, questions }
    }
}

impl From<RulesReportV1> for RulesReport {
    fn from(kept: RulesReportV1) -> Self {
        let finding = |finding: FindingV1| Finding {
            category: finding.category,
            severity: finding.severity,
            file: finding.file,
            lines: finding.lines,
            side: finding.side,
            quote: finding.quote,
            title: finding.title,
            body: finding.body,
            rule: finding.rule,
        };
        Self {
            findings: kept.findings.into_iter().map(finding).collect(),
            supported: kept.supported,
            failed: kept.failed,
            unsafe_to_send: kept.unsafe_to_send,
            redacted: kept.redacted,
            beside: kept.beside,
            questions: kept.questions,
        }
    }
}

impl QuestionV1 {
    pub(super) fn of(question: &Question) -> Self {
        Self { seat: question.seat, part: question.part, pieces: pieces_v1(&question.pieces) }
    }

    /// `None` where the seat is not a model's.
    pub(super) fn read(self, seats: &[Seat]) -> Option<Question> {
        let seat = seats.get(self.seat)?;
        let Reviewer::Model(engine) = seat.reviewer else { return None };
        Some(Question {
            seat: self.seat,
            part: self.part,
            lens: seat.lens,
            engine,
            pieces: pieces(self.pieces),
            attempt: Attempt::First,
        })
    }
}

impl TooSmallV1 {
    pub(super) fn of(too_small: &TooSmall) -> Self {
        Self { seat: too_small.seat, pieces: pieces_v1(&too_small.pieces), detail: too_small.detail.clone() }
    }

    /// `None` where the seat is not a model's.
    pub(super) fn read(self, seats: &[Seat]) -> Option<TooSmall> {
        let Reviewer::Model(engine) = seats.get(self.seat)?.reviewer else { return None };
        Some(TooSmall { seat: self.seat, engine, pieces: pieces(self.pieces), detail: self.detail })
    }
}

fn pieces_v1(pieces: &[Piece]) -> Vec<PieceV1> {
    pieces.iter().map(|piece| (piece.file, piece.hunk, piece.first, piece.end)).collect()
}

fn pieces(pieces: Vec<PieceV1>) -> Vec<Piece> {
    pieces.into_iter().map(|(file, hunk, first, end)| Piece { file, hunk, first, end }).collect()
}

impl HeardQuestionV1 {
    /// `answer` gives the digest under which a reply is kept.
    pub(super) fn of(heard: &HeardQuestion, answer: impl FnOnce(&ReplyV1) -> Digest) -> Self {
        Self {
            seat: heard.seat,
            part: heard.part,
            prompt_tokens: heard.prompt_tokens,
            time_left: heard.time == TimeLeft::Enough,
            heard: HeardV1::of(&heard.heard, answer),
        }
    }

    pub(super) fn read<E>(self, said: impl FnOnce(SaidV1) -> Result<Said, E>) -> Result<HeardQuestion, E> {
        Ok(HeardQuestion {
            seat: self.seat,
            part: self.part,
            prompt_tokens: self.prompt_tokens,
            time: if self.time_left { TimeLeft::Enough } else { TimeLeft::TooLittle },
            heard: self.heard.read(said)?,
        })
    }
}

impl HeardV1 {
    /// What it cost, or nothing where that is not known; in micro-USD.
    pub(super) fn costs(&self) -> u64 {
        self.micro_usd.unwrap_or(0)
    }

    pub(super) fn of(heard: &Heard, answer: impl FnOnce(&ReplyV1) -> Digest) -> Self {
        let kept = |kept: &Kept| KeptV1 { digest: kept.digest.clone(), bytes: kept.bytes };
        Self {
            said: match &heard.said {
                Said::Reply(reply) => SaidV1::Answer(answer(reply)),
                Said::Nothing(silence) => SaidV1::Nothing(silence.clone()),
            },
            prompt: heard.prompt.as_ref().map(kept),
            reply: heard.reply.as_ref().map(kept),
            reserved_micro_usd: heard.reserved_micro_usd,
            micro_usd: heard.micro_usd,
            elapsed_ms: heard.elapsed_ms,
        }
    }

    pub(super) fn read<E>(self, said: impl FnOnce(SaidV1) -> Result<Said, E>) -> Result<Heard, E> {
        let kept = |kept: KeptV1| Kept { digest: kept.digest, bytes: kept.bytes };
        Ok(Heard {
            said: said(self.said)?,
            prompt: self.prompt.map(kept),
            reply: self.reply.map(kept),
            reserved_micro_usd: self.reserved_micro_usd,
            micro_usd: self.micro_usd,
            elapsed_ms: self.elapsed_ms,
        })
    }
}
