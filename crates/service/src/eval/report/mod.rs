//! What an evaluation comes to, as a value: what it is computed from, and the report.
//!
//! [`ReportV1`] is what is stored and printed, a struct of its own like the packet. Shares are rounded to four places.

mod compute;

use std::collections::BTreeMap;

use review::Severity;
use review::agreement::{GoldMode, Known};
use review::merge::Verification;
use review::outcome::EndingKind;
use review::packet::PacketV1;
use serde::Serialize;

pub use compute::report;

use super::remarks::Remark;

/// The name and version of the format.
pub const SCHEMA: &str = "recuse/eval/v1";

/// Below this many trials a share is told with a warning: its 95 % interval may be wider than ten points either way.
pub const SMALL: u64 = 100;

/// A case and what became of it.
pub struct CaseResult {
    /// Its id; of a case that could not be read, its folder.
    pub id: String,
    /// The set that it belongs to.
    pub group: String,
    /// What became of it.
    pub end: CaseEnd,
}

/// What became of a case.
pub enum CaseEnd {
    /// It was reviewed.
    Reviewed(Box<Reviewed>),
    /// The review broke; why, in a line.
    Failed(String),
    /// It could not be read; why, in a line.
    Unusable(String),
    /// It was not reviewed, because the money was spent.
    OverBudget(String),
}

/// A case that was reviewed.
pub struct Reviewed {
    /// The known issues.
    pub known: Vec<Known>,
    /// How they are meant.
    pub mode: GoldMode,
    /// Known issues that were left out.
    pub disputed: usize,
    /// What was said.
    pub remarks: Vec<Remark>,
    /// The packet.
    pub packet: PacketV1,
}

/// The report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportV1 {
    /// Always `recuse/eval/v1`.
    pub schema: &'static str,
    /// The version of recuse.
    pub version: String,
    /// When a finding counts as a known issue.
    pub rule: RuleV1,
    /// How many cases ended how.
    pub cases: CasesV1,
    /// The panel as a whole, filter by filter.
    pub panel: Vec<FilterV1>,
    /// The same by set, with the filter that a verdict rests on.
    pub groups: Vec<GroupV1>,
    /// Each engine alone.
    pub engines: Vec<EngineV1>,
    /// Each two engines.
    pub pairs: Vec<PairV1>,
    /// What each engine adds, best first.
    pub union: Vec<UnionV1>,
    /// What it cost.
    pub cost: CostV1,
    /// What to keep in mind when reading it.
    pub notes: Vec<String>,
    /// The cases, in order.
    pub rows: Vec<RowV1>,
}

/// When a finding counts as a known issue.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleV1 {
    /// How many lines apart they may be.
    pub near_lines: u32,
    /// How alike the wordings have to be where the lines agree.
    pub likeness_at_a_place: f64,
    /// How alike where only the file or nothing does.
    pub likeness: f64,
}

/// How many cases ended how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct CasesV1 {
    /// All of them.
    pub all: u64,
    /// Reviewed, every seat answered.
    pub reviewed: u64,
    /// Reviewed, though some seat did not answer.
    pub incomplete: u64,
    /// The review broke.
    pub failed: u64,
    /// They could not be read.
    pub unusable: u64,
    /// They were not reviewed, because the money was spent.
    pub over_budget: u64,
    /// Reviewed ones in which no issue is known.
    pub clean: u64,
    /// Known issues of the reviewed ones.
    pub known: u64,
    /// Of these, such as are matched by their place alone, since nobody says what they are.
    pub by_place_alone: u64,
    /// Known issues that were left out as disputed.
    pub disputed: u64,
}

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ShareV1 {
    /// So many.
    pub hits: u64,
    /// Of so many.
    pub of: u64,
    /// The share; null of nothing.
    pub value: Option<f64>,
    /// The lower end of the 95 % interval (Wilson).
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
}

/// What a reviewer's findings come to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ScoreV1 {
    /// Changes that it was asked about and answered.
    pub changes: u64,
    /// Findings on them.
    pub findings: u64,
    /// Findings a change.
    pub findings_per_change: Option<f64>,
    /// How many findings are right.
    pub precision: ShareV1,
    /// How many known issues were found.
    pub recall: ShareV1,
    /// The harmonic mean of both.
    pub f1: Option<f64>,
    /// The same with precision weighing twice as much.
    pub f05: Option<f64>,
    /// Findings a clean change: noise.
    pub noise_per_clean_change: Option<f64>,
    /// Clean changes with a finding.
    pub clean_flagged: ShareV1,
}

/// What is left of the findings when a filter is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// All that was said, invented quotes and all.
    Everything,
    /// What has an anchor.
    Anchored,
    /// What has an anchor and was not refuted: what the verdict rests on.
    NotRefuted,
    /// Of that, medium and worse: what may be told inline.
    MediumAndWorse,
    /// What a cross-examiner upheld, or unrelated reviewers agree on.
    UpheldOrAgreed,
    /// What unrelated reviewers agree on.
    Agreed,
}

impl Filter {
    /// All filters, from none to the strictest.
    pub const ALL: [Self; 6] = [
        Self::Everything,
        Self::Anchored,
        Self::NotRefuted,
        Self::MediumAndWorse,
        Self::UpheldOrAgreed,
        Self::Agreed,
    ];

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Everything => "all that was said",
            Self::Anchored => "anchored",
            Self::NotRefuted => "anchored, not refuted",
            Self::MediumAndWorse => "… medium and worse",
            Self::UpheldOrAgreed => "upheld or agreed",
            Self::Agreed => "agreed",
        }
    }

    /// Whether it keeps a remark.
    pub fn keeps(self, remark: &Remark) -> bool {
        use Verification::{Agreed, NotExamined, Refuted, Undecided, Upheld};
        let Some(verification) = remark.verification else { return self == Self::Everything };
        let (refuted, upheld, agreed) = match verification {
            Agreed => (false, true, true),
            Upheld => (false, true, false),
            Refuted => (true, false, false),
            Undecided | NotExamined => (false, false, false),
        };
        match self {
            Self::Everything | Self::Anchored => true,
            Self::NotRefuted => !refuted,
            Self::MediumAndWorse => !refuted && remark.severity >= Severity::Medium,
            Self::UpheldOrAgreed => upheld,
            Self::Agreed => agreed,
        }
    }
}

/// The panel with one filter.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FilterV1 {
    /// The filter.
    pub filter: Filter,
    /// What is left comes to this.
    pub score: ScoreV1,
}

/// One set of cases.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupV1 {
    /// The set.
    pub group: String,
    /// What was anchored and not refuted comes to this.
    pub score: ScoreV1,
}

/// One engine alone: what it said that could be anchored, merged or not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EngineV1 {
    /// `rules`, or the engine's id.
    pub engine: String,
    /// Over the changes on which all its seats answered.
    pub score: ScoreV1,
    /// Changes on which one of its seats did not.
    pub unanswered_changes: u64,
    /// How its seats ended, by kind.
    pub endings: BTreeMap<EndingKind, u64>,
    /// Findings with a quote that stands nowhere.
    pub unanchored: u64,
    /// What it cost.
    pub cost: CostV1,
}

/// What two engines have in common, over known issues of changes that both answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairV1 {
    /// The one.
    pub first: String,
    /// The other.
    pub second: String,
    /// How many known issues.
    pub known: u64,
    /// Found by both, only the first, only the second, neither.
    pub counts: [u64; 4],
    /// The correlation of hits.
    pub phi: Option<f64>,
    /// Cohen's kappa.
    pub kappa: Option<f64>,
    /// Missed by both.
    pub double_faults: ShareV1,
    /// By how much that is above what independent reviewers of these recalls would miss.
    pub double_faults_over_chance: Option<f64>,
    /// Of what either found, what both found.
    pub overlap: ShareV1,
}

/// What one engine adds to those before it, over known issues of changes that all engines answered. One that never
/// did is left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnionV1 {
    /// The engine.
    pub engine: String,
    /// The recall of all up to and with it.
    pub recall_so_far: ShareV1,
    /// The issues that only it found.
    pub marginal_recall: ShareV1,
}

/// What calls cost. Calls that an earlier run paid for are counted as what they cost then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct CostV1 {
    /// Calls.
    pub calls: u64,
    /// What they cost, in micro-USD, as far as prices are known.
    pub micro_usd: u64,
    /// Calls whose price nobody knows.
    pub unpriced_calls: u64,
    /// Tokens read.
    pub input_tokens: u64,
    /// Of these, from the provider's cache.
    pub cached_input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// How long the calls took, one after the other, in milliseconds.
    pub elapsed_ms: u64,
}

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowState {
    /// Reviewed, every seat answered.
    Reviewed,
    /// Reviewed, though some seat did not answer.
    Incomplete,
    /// The review broke.
    Failed,
    /// It could not be read.
    Unusable,
    /// It was not reviewed, because the money was spent.
    OverBudget,
}

/// One case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RowV1 {
    /// Its id; of a case that could not be read, its folder.
    pub id: String,
    /// The set that it belongs to.
    pub group: String,
    /// How it ended.
    pub state: RowState,
    /// Why, where it was not reviewed as a whole.
    pub detail: String,
    /// Known issues.
    pub known: u64,
    /// Of these, found.
    pub found: u64,
    /// Findings that match none.
    pub false_alarms: u64,
    /// Findings that could not be anchored.
    pub unanchored: u64,
    /// What it cost, in micro-USD.
    pub micro_usd: u64,
    /// The digest of its packet.
    pub packet: Option<String>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use review::Lens;
    use review::agreement::{Place, Said};
    use review::wording::Wording;

    use super::super::remarks::Prediction;
    use super::*;

    fn remark(verification: Option<Verification>, severity: Severity) -> Remark {
        let place = Place { file: "a.rs".into(), lines: None };
        Remark {
            said: Said { place, lens: Lens::Security, text: Wording::of("x") },
            prediction: Prediction {
                file: "a.rs".into(),
                line_start: None,
                line_end: None,
                severity,
                category: "security/other".into(),
                text: "x".into(),
            },
            verification,
            severity,
            by_engine: BTreeMap::new(),
        }
    }

    #[test]
    fn each_filter_keeps_what_its_name_says_and_nothing_invented_passes_any() {
        use Verification::{Agreed, NotExamined, Refuted, Undecided, Upheld};
        // Everything, anchored, not refuted, medium and worse, upheld or agreed, agreed.
        for (verification, severity, expected) in [
            (None, Severity::Critical, [true, false, false, false, false, false]),
            (Some(Refuted), Severity::Critical, [true, true, false, false, false, false]),
            (Some(NotExamined), Severity::Low, [true, true, true, false, false, false]),
            (Some(Undecided), Severity::Medium, [true, true, true, true, false, false]),
            (Some(Upheld), Severity::Low, [true, true, true, false, true, false]),
            (Some(Agreed), Severity::High, [true, true, true, true, true, true]),
        ] {
            let remark = remark(verification, severity);
            assert_eq!(Filter::ALL.map(|filter| filter.keeps(&remark)), expected, "{verification:?}");
        }
    }
}
