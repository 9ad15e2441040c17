//! The evidence packet: one document with everything that was decided, seen and said.
//!
//! [`PacketV1`] is what is stored and printed. It is a struct of its own, so that the inside of this crate stays
//! free to change. Its canonical bytes (RFC 8785) are its identity: their SHA-256 is its name. Numbers are
//! integers throughout (money in micro-USD, time in milliseconds), which every JSON reader keeps exactly.

mod assemble;
mod page;
mod read;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use assemble::share;
pub use assemble::{PacketInput, assemble, attribution, classification, family_words};
pub(crate) use assemble::{contract, goal, subject};

pub use page::page;
pub use read::{MAX_PACKET_BYTES, ReadError, ReadPacket, read};

use crate::attribution::{AuthorState, Channel, Role, Strength};
use crate::change::{Gap, Operation, Side, Source};
use crate::classify::{Label, Reversibility, Risk};
use crate::coverage::{Exempt, LensCoverage};
use crate::engine::{LineageSource, Price, Usage};
use crate::examine::Ruling;
use crate::judge::{Check, Standing, Verdict};
use crate::lineage::Edge;
use crate::merge::Verification;
use crate::outcome::EndingKind;
use crate::panel::{Asked, Relation, UnmetKind};
use crate::policy::{Gate, Independence, RequiredCheck};
use crate::{CommitId, Digest, Family, Lens, Lineage, RepoPath, Severity};

/// The name and version of the schema.
pub const SCHEMA: &str = "recuse/packet/v1";

/// What the rules are called where a reviewer is named.
pub const RULES: &str = "rules";

/// The evidence packet, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PacketV1 {
    /// Always `recuse/packet/v1`.
    pub schema: String,
    /// The run that made it.
    pub run: RunV1,
    /// What exactly was reviewed.
    pub subject: SubjectV1,
    /// What was asked for, and under which bounds.
    pub contract: ContractV1,
    /// Who wrote the change.
    pub attribution: AttributionV1,
    /// What the change is.
    pub classification: ClassificationV1,
    /// Who was seated, who was recused.
    pub panel: PanelV1,
    /// Which lens saw what.
    pub coverage: CoverageV1,
    /// What is claimed, worst first.
    pub claims: Vec<ClaimV1>,
    /// What was said and could not be anchored: counted, never told as fact.
    pub unanchored: Vec<UnanchoredV1>,
    /// What the rules say beside their claims; left out by versions that did not tell.
    #[serde(default)]
    pub rules: RulesV1,
    /// Commands and CI runs with how they ended.
    pub checks: Vec<Check>,
    /// What reviewers want to know from the author.
    pub questions: Vec<QuestionV1>,
    /// What nobody saw, and why.
    pub gaps: Vec<Gap>,
    /// The repository's conventions that reviewers were given, as its base branch has them; none where only a diff was
    /// at hand, where no model was asked, or where the base has none.
    #[serde(default)]
    pub house_rules: Vec<HouseRuleV1>,
    /// What was asked of models, and what it cost.
    pub ledger: LedgerV1,
    /// What is kept beside the packet, by digest.
    pub receipts: Vec<ReceiptV1>,
    /// The verdict: `clean`, `findings`, `blocked` or `inconclusive`.
    pub verdict: Verdict,
    /// What the verdict rests on.
    pub judgement: JudgementV1,
}

/// A file of the repository's conventions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HouseRuleV1 {
    /// Its path at the base.
    pub path: RepoPath,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// How many bytes of it were given, without its secrets.
    pub given_bytes: u64,
    /// How many bytes were cut off, to leave room for the change.
    pub cut_bytes: u64,
}

/// The run that made a packet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunV1 {
    /// Random hex that names the run; the nonces of its prompts are derived from it.
    pub id: String,
    /// When it started, in seconds since 1970.
    pub started_at: i64,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// The version of recuse.
    pub version: String,
}

/// What exactly was reviewed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectV1 {
    /// Where the change came from.
    pub source: Source,
    /// The commit that the diff starts from.
    pub base: Option<CommitId>,
    /// The commit that was reviewed.
    pub head: Option<CommitId>,
    /// SHA-256 of the diff's bytes as they were read.
    pub diff_digest: Digest,
    /// SHA-256 of title and body as they were read.
    pub text_digest: Digest,
    /// The head's branch.
    pub branch: Option<String>,
    /// How many commits the range has.
    pub commits: u32,
    /// The changed files.
    pub files: Vec<FileV1>,
}

/// One changed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileV1 {
    /// Its path.
    pub path: RepoPath,
    /// Its old path, if it moved.
    pub old_path: Option<RepoPath>,
    /// What was done to it.
    pub operation: Operation,
    /// Added lines.
    pub added: u64,
    /// Removed lines.
    pub removed: u64,
    /// What it is.
    pub labels: Vec<Label>,
}

/// What was asked for, and under which bounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractV1 {
    /// The author's title and description: a claim, quoted, never an instruction.
    pub goal: GoalV1,
    /// What is reviewed.
    pub scope: Vec<String>,
    /// What is not.
    pub non_goals: Vec<String>,
    /// What reviewers may use.
    pub tools_and_permissions: Vec<String>,
    /// When the review ends.
    pub stopping_condition: String,
    /// What counts as evidence.
    pub evidence_asked_for: Vec<String>,
    /// What happens where the review cannot say.
    pub escalation: String,
    /// The bounds.
    pub budget: BudgetV1,
}

/// What the author says that the change is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GoalV1 {
    /// The title, hidden characters written out.
    pub title: String,
    /// The description, shortened.
    pub body: String,
}

/// The bounds of a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetV1 {
    /// The most that it may cost, in micro-USD.
    pub max_micro_usd: Option<u64>,
    /// The most that it may take, in seconds.
    pub max_seconds: u32,
}

/// Who wrote the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttributionV1 {
    /// The state, derived from the rest.
    pub state: AuthorState,
    /// Families of those who wrote lines.
    pub families: BTreeSet<Family>,
    /// Families of those who only suggested.
    pub suggested_by: BTreeSet<Family>,
    /// Whether an AI tool wrote some of it whose model nobody knows.
    pub unknown_agent: bool,
    /// Whether somebody with write access declared that people wrote it.
    pub human_declared: bool,
    /// Whether a bot that is no model opened it.
    pub bot: bool,
    /// Whether all of that is vouched for by the platform or by someone with write access.
    pub vouched: bool,
    /// Whether only part of the change carries AI evidence.
    pub partial: bool,
    /// Who wrote which lines, where not all lines have the same authors.
    pub shares: Vec<ShareV1>,
    /// What was seen.
    pub evidence: Vec<EvidenceV1>,
    /// Notes and trace records that could not be read, in sentences: they may say more than is known.
    #[serde(default)]
    pub unread: Vec<String>,
}

/// Hunks that the same authors wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShareV1 {
    /// Families of those who wrote them or suggested something.
    pub families: BTreeSet<Family>,
    /// Whether an AI tool wrote some of them whose model nobody knows.
    pub unknown_agent: bool,
    /// The hunks.
    pub hunks: Vec<FileHunksV1>,
}

/// Some hunks of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileHunksV1 {
    /// The changed file, by its index in `subject.files`.
    pub file: u32,
    /// The hunks, by their order in the diff, from 1.
    pub hunks: Vec<u32>,
}

/// One trace of authorship.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceV1 {
    /// The tool.
    pub agent: Option<String>,
    /// The model as it was named.
    pub model: Option<String>,
    /// What it descends from.
    pub lineage: Lineage,
    /// What the tool did.
    pub role: Role,
    /// Where the trace was.
    pub channel: Channel,
    /// How much it says.
    pub strength: Strength,
    /// Which commit, branch or field.
    pub place: String,
    /// The trace, hidden characters written out.
    pub text: String,
}

/// What the change is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassificationV1 {
    /// Labels with their reasons.
    pub labels: Vec<LabelV1>,
    /// Added lines.
    pub added: u64,
    /// Removed lines.
    pub removed: u64,
    /// How much harm a mistake could do.
    pub risk: Risk,
    /// Why.
    pub risk_reasons: Vec<String>,
    /// Whether it can be undone.
    pub reversibility: Reversibility,
    /// Why.
    pub reversibility_reasons: Vec<String>,
}

/// A label and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelV1 {
    /// The label.
    pub label: Label,
    /// Why the change has it.
    pub reasons: Vec<String>,
}

/// Who was seated, who was recused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PanelV1 {
    /// The policy in force.
    pub policy: Independence,
    /// Whether only the rules were asked.
    pub rules_only: bool,
    /// The operator's roster.
    pub roster: Vec<EngineV1>,
    /// The seats; others name them by their index.
    pub seats: Vec<SeatV1>,
    /// Who may not review this change, and why.
    pub recused: Vec<RecusalV1>,
    /// Every lens: seated or not, and why.
    pub lenses: Vec<LensV1>,
    /// Who examined what one reviewer alone had found.
    pub examinations: Vec<ExaminationCallV1>,
}

/// One examination of some claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExaminationCallV1 {
    /// The examiner's id.
    pub examiner: String,
    /// Why it was chosen.
    pub reason: String,
    /// How the model that answered stands to the authors of the lines.
    pub relation: Relation,
    /// Whether it shares no family with those who found them. Where it does, its word is worth less.
    pub unrelated_to_finder: bool,
    /// The claims, by their ids.
    pub claims: Vec<String>,
    /// How it ended.
    pub outcome: EndingKind,
    /// Why, where it did not answer.
    pub detail: String,
}

/// One model of the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EngineV1 {
    /// `provider/model`.
    pub id: String,
    /// What it descends from.
    pub lineage: Lineage,
    /// How that is known.
    pub lineage_source: LineageSource,
    /// The steps of its descent, with source and date, those that do not count included.
    pub edges: Vec<Edge>,
    /// What it costs.
    pub price: Option<Price>,
    /// The month in which the price was looked up; absent where the operator states it.
    pub price_as_of: Option<String>,
}

/// One seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeatV1 {
    /// The lens.
    pub lens: Lens,
    /// `rules`, or the engine's id.
    pub reviewer: String,
    /// How it stands to the authors of the lines that it looks at.
    pub relation: Relation,
    /// The seat, by its index, for whose reviewer it stands in.
    pub stands_in_for: Option<u32>,
    /// The hunks that it looks at, where that is not all of its files.
    pub only_hunks: Option<Vec<FileHunksV1>>,
    /// Why it was seated.
    pub reason: String,
    /// How it ended, part by part.
    pub outcomes: Vec<OutcomeV1>,
}

/// How a reviewer ended on one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutcomeV1 {
    /// The part, from 1.
    pub part: u32,
    /// How it ended.
    pub outcome: EndingKind,
    /// Why, where it did not answer.
    pub detail: String,
    /// How many findings it gave.
    pub findings: u32,
    /// How many findings were left out because they were too many or said nothing.
    pub dropped: u32,
    /// What it says that it examined.
    pub examined: Vec<String>,
}

/// A recusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecusalV1 {
    /// The engine's id.
    pub engine: String,
    /// How it stands to the author.
    pub relation: Relation,
    /// Why, in a sentence.
    pub reason: String,
}

/// A lens of the panel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LensV1 {
    /// The lens.
    pub lens: Lens,
    /// Of whom it was asked.
    pub asked: Asked,
    /// Why.
    pub reason: String,
    /// What keeps it from being enough, if anything does.
    pub unmet: Option<String>,
    /// The same as a kind.
    pub unmet_kind: Option<UnmetKind>,
}

/// Which lens saw what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoverageV1 {
    /// All hunks of the change.
    pub hunks: u32,
    /// The lenses.
    pub lenses: Vec<LensCoverage>,
    /// Files that nobody has to look at, by a rule of the operator or the base.
    pub exempt: Vec<Exempt>,
    /// How many secrets were redacted before any prompt was built.
    pub redacted_secrets: u32,
}

/// What the rules say beside their claims.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesV1 {
    /// Findings that an exception in the base excuses: no claims, and not hidden.
    pub suppressed: Vec<SuppressedV1>,
    /// Files of a kind that the rules read, which they could not read here.
    pub not_covered: Vec<NotCoveredV1>,
    /// What the claims do not say, such as how many more of a kind there are.
    pub notes: Vec<RulesNoteV1>,
}

/// A finding that an exception in the base excuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuppressedV1 {
    /// The rule's id.
    pub rule: String,
    /// How bad the finding would be.
    pub severity: Severity,
    /// The file.
    pub file: RepoPath,
    /// The line after the change.
    pub line: Option<u32>,
    /// What was found, in one line.
    pub title: String,
    /// Why it is excused, in the words of the exception.
    pub reason: String,
    /// The line after the change on which the exception stands.
    pub allowed_at: u32,
}

/// Files that the rules of a lens could not read, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotCoveredV1 {
    /// The lens.
    pub lens: Lens,
    /// Why.
    pub reason: String,
    /// The files.
    pub files: Vec<RepoPath>,
}

/// A sentence about a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesNoteV1 {
    /// The file.
    pub file: RepoPath,
    /// The sentence.
    pub note: String,
}

/// One claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimV1 {
    /// Stays the same across pushes.
    pub id: String,
    /// The lens that it belongs to.
    pub lens: Lens,
    /// `<lens>/<kind>`.
    pub category: String,
    /// The worst severity that a reviewer gave it.
    pub severity: Severity,
    /// The file.
    pub file: String,
    /// First line, from 1; absent for a claim about a file as a whole.
    pub line_start: Option<u32>,
    /// Last line.
    pub line_end: Option<u32>,
    /// Which version of the file.
    pub side: Side,
    /// The line or lines, word for word as they were shown to the reviewer, redacted.
    pub quote: String,
    /// One line.
    pub title: String,
    /// The failure scenario.
    pub body: String,
    /// How it is anchored.
    pub anchor: AnchorV1,
    /// What speaks for it.
    pub verification: Verification,
    /// Who says so and counts.
    pub supporters: Vec<SupporterV1>,
    /// What was merged into it, and why.
    pub sources: Vec<SourceV1>,
    /// What a cross-examiner made of it, if it was examined.
    pub examination: Option<ExaminationV1>,
}

/// What a cross-examiner made of a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExaminationV1 {
    /// The examination, by its index in `panel.examinations`.
    pub call: u32,
    /// The examiner's id.
    pub by: String,
    /// Whether it shares no family with those who found it. Where it does, its word is worth less.
    pub unrelated_to_finder: bool,
    /// What counts of what it said.
    pub ruling: Ruling,
    /// Why.
    pub reason: String,
    /// The line that decides it, word for word.
    pub quote: String,
}

/// How a claim is anchored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnchorV1 {
    /// The quote stands at these lines of the diff.
    Line,
    /// The claim is about the file as a whole.
    File,
    /// The quote stands in a file outside the changed lines.
    Elsewhere,
}

/// Who says what a claim says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SupporterV1 {
    /// What it is.
    pub kind: SupporterKindV1,
    /// `rules` or the engine's id.
    pub name: String,
    /// Its families, joined by `+`; absent for the rules.
    pub family: Option<String>,
    /// What it descends from; absent for the rules.
    pub lineage: Option<Lineage>,
}

/// What a supporter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SupporterKindV1 {
    /// The deterministic rules.
    Rules,
    /// A model.
    Model,
    /// Another program.
    Tool,
}

/// A finding that is part of a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceV1 {
    /// Who said it.
    pub name: String,
    /// The seat, by its index.
    pub seat: u32,
    /// How it was put.
    pub title: String,
    /// Why it was taken for the same thing; empty for the leading one.
    pub merged_because: String,
}

/// A finding that could not be anchored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnanchoredV1 {
    /// Who said it.
    pub name: String,
    /// `<lens>/<kind>`.
    pub category: String,
    /// The severity that it was given.
    pub severity: Severity,
    /// The file that it names.
    pub file: String,
    /// What it quotes.
    pub quote: String,
    /// One line.
    pub title: String,
    /// Why it could not be anchored.
    pub reason: String,
}

/// A question to the author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuestionV1 {
    /// The lens.
    pub lens: Lens,
    /// Who asks.
    pub name: String,
    /// The question.
    pub text: String,
}

/// What was asked of models, and what it cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LedgerV1 {
    /// The calls.
    pub calls: Vec<CallV1>,
    /// What they cost together, in micro-USD, as far as prices are known.
    pub micro_usd: u64,
    /// How many calls have no known price.
    pub unpriced_calls: u32,
}

/// One call of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallV1 {
    /// The seat, by its index; absent for an examination.
    pub seat: Option<u32>,
    /// The examination, by its index in `panel.examinations`; absent for a seat.
    pub examination: Option<u32>,
    /// The part of the seat's question, from 1; 1 for an examination.
    pub part: u32,
    /// The engine that was asked.
    pub engine: String,
    /// The model's name as the provider reported it.
    pub served_model: Option<String>,
    /// What the model that answered descends from.
    pub lineage: Lineage,
    /// How it ended.
    pub outcome: EndingKind,
    /// Tokens.
    pub usage: Option<Usage>,
    /// What was reserved for it, in micro-USD.
    pub reserved_micro_usd: Option<u64>,
    /// What it cost, in micro-USD.
    pub micro_usd: Option<u64>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// The prompt's digest.
    pub prompt: Option<Digest>,
    /// The reply's digest.
    pub reply: Option<Digest>,
}

/// Something that is kept beside the packet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiptV1 {
    /// What it is.
    pub kind: ReceiptKindV1,
    /// Its name, for people: a prompt template's id, a table's file name.
    pub name: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// How many bytes it has.
    pub bytes: u64,
}

/// What a receipt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKindV1 {
    /// A prompt as it was sent.
    Prompt,
    /// A reply as it was received.
    Reply,
    /// What was said in a reply, in no provider's format.
    Answer,
    /// A prompt template.
    Template,
    /// A table that decisions rest on.
    Table,
    /// The configuration in force, without addresses and keys, and the models that could be asked.
    Configuration,
    /// The change as reviewers saw it, its secrets replaced.
    Change,
    /// What says who wrote the change, and what followed from it.
    Authorship,
    /// What reviewers were given beside the change, and the files in which quotes were looked for.
    Briefing,
    /// The run: what was asked of whom, what came of it and in which order. A replay begins with it.
    Record,
}

impl ReceiptKindV1 {
    /// Its name in packets and lists.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Reply => "reply",
            Self::Answer => "answer",
            Self::Template => "template",
            Self::Table => "table",
            Self::Configuration => "configuration",
            Self::Change => "change",
            Self::Authorship => "authorship",
            Self::Briefing => "briefing",
            Self::Record => "record",
        }
    }
}

/// What the verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JudgementV1 {
    /// The first line of every view.
    pub headline: String,
    /// Why.
    pub reasons: Vec<String>,
    /// How independent the reviewers were.
    pub independence: Standing,
    /// The same, in a sentence.
    pub independence_words: String,
    /// From which severity on a claim fails the run.
    pub fail_on: Gate,
    /// The checks that had to pass: names, or names with the app whose word counts.
    #[serde(default)]
    pub required_checks: Vec<RequiredCheck>,
    /// Whether one is met by the record of whoever ran it.
    #[serde(default)]
    pub self_reported_checks: bool,
    /// How many claims do.
    pub gated: u32,
    /// 0, 1 or 3.
    pub exit_code: u8,
}

impl PacketV1 {
    /// The canonical bytes (RFC 8785).
    pub fn canonical_bytes(&self) -> Vec<u8> {
        serde_json_canonicalizer::to_vec(self).expect("strings, integers and lists always serialize")
    }

    /// The packet's name: SHA-256 of its canonical bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.canonical_bytes())
    }

    /// The published JSON Schema.
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }
}
