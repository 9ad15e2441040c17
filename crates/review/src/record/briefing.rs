//! What reviewers were given beside the change, and the files in which quotes were looked for.

use serde::{Deserialize, Serialize};

use crate::anchor::FileTexts;
use crate::basis::Briefing;
use crate::change::Side;
use crate::prompt::{ContextLine, HouseRule, Surroundings};
use crate::{Digest, RepoPath};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BriefingV1 {
    schema: String,
    surroundings: Vec<AroundV1>,
    house_rules: Vec<HouseRuleV1>,
    files: Vec<WholeFileV1>,
}

const SCHEMA: &str = "recuse/briefing/v1";

/// The lines round one hunk: each its number in the head and its text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AroundV1 {
    file: usize,
    hunk: usize,
    before: Vec<(u32, String)>,
    after: Vec<(u32, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HouseRuleV1 {
    path: RepoPath,
    digest: Digest,
    text: String,
    cut_bytes: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WholeFileV1 {
    path: RepoPath,
    side: Side,
    text: String,
}

impl BriefingV1 {
    pub(super) fn of(briefing: &Briefing, texts: &FileTexts) -> Self {
        let lines = |lines: &[ContextLine]| -> Vec<(u32, String)> {
            lines.iter().map(|line| (line.number, line.text.clone())).collect()
        };
        let around = |(file, hunk): (usize, usize)| AroundV1 {
            file,
            hunk,
            before: lines(briefing.surroundings.before(file, hunk)),
            after: lines(briefing.surroundings.after(file, hunk)),
        };
        let house_rule = |rule: &HouseRule| HouseRuleV1 {
            path: rule.path.clone(),
            digest: rule.digest.clone(),
            text: rule.text.clone(),
            cut_bytes: rule.cut_bytes,
        };
        let whole = |(path, side, text): (&RepoPath, Side, &str)| WholeFileV1 {
            path: path.clone(),
            side,
            text: text.to_owned(),
        };
        Self {
            schema: SCHEMA.to_owned(),
            surroundings: briefing.surroundings.hunks().map(around).collect(),
            house_rules: briefing.house_rules.iter().map(house_rule).collect(),
            files: texts.iter().map(whole).collect(),
        }
    }
}

impl From<BriefingV1> for (Briefing, FileTexts) {
    fn from(kept: BriefingV1) -> Self {
        let lines = |lines: Vec<(u32, String)>| -> Vec<ContextLine> {
            lines.into_iter().map(|(number, text)| ContextLine { number, text }).collect()
        };
        let mut surroundings = Surroundings::default();
        for around in kept.surroundings {
            surroundings.set((around.file, around.hunk), lines(around.before), lines(around.after));
        }
        let house_rule = |rule: HouseRuleV1| HouseRule {
            path: rule.path,
            digest: rule.digest,
            text: rule.text,
            cut_bytes: rule.cut_bytes,
        };
        let house_rules = kept.house_rules.into_iter().map(house_rule).collect();
        let mut texts = FileTexts::default();
        for file in kept.files {
            texts.insert(file.path, file.side, file.text);
        }
        (Briefing { surroundings, house_rules }, texts)
    }
}
