//! What a review is decided from before anybody is asked, and who is seated for it.

use std::collections::BTreeSet;

use crate::attribution::{Attribution, Share};
use crate::classify::{Classification, lenses};
use crate::engine::Engine;
use crate::finding::{Finding, Lens};
use crate::judge::Check;
use crate::outcome::RulesMiss;
use crate::packet::RulesV1;
use crate::panel::{LensWish, Panel, PanelInput, Reviewer, choose};
use crate::policy::Policy;
use crate::prompt::{HouseRule, Material, Surroundings};
use crate::wishes::{WishInput, wishes};
use crate::{Change, Digest, Family};

/// All that is known before anybody is asked.
#[derive(Debug, Clone)]
pub struct Basis {
    /// The change, without its secrets.
    pub change: Change,
    /// SHA-256 of title and body as they were read.
    pub text_digest: Digest,
    /// Who wrote it.
    pub attribution: Attribution,
    /// Who wrote which hunks.
    pub shares: Vec<Share>,
    /// What it is.
    pub classification: Classification,
    /// What the rules say about it.
    pub rules: RulesReport,
    /// Who can be asked.
    pub engines: Vec<Engine>,
    /// Every set of families that an unknown author could descend from.
    pub lineage_sets: Vec<BTreeSet<Family>>,
    /// What was run on the head and how it ended.
    pub checks: Vec<Check>,
    /// What the operator and the base ask for.
    pub policy: Policy,
    /// What would help where no model is configured, in words.
    pub no_model_remedy: String,
}

/// What the rules say about a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RulesReport {
    /// What was found, in the change's order.
    pub findings: Vec<Finding>,
    /// Per lens of the rules, the files (by index) that they can look at.
    pub supported: Vec<(Lens, Vec<usize>)>,
    /// What they could look at and did not get through: lens, file (by index) and why.
    pub failed: Vec<(Lens, usize, String)>,
    /// Files (by index) in which not every secret may have been found: they are not shown to models.
    pub unsafe_to_send: Vec<usize>,
    /// How many secrets were replaced.
    pub redacted: usize,
    /// What they say beside their findings.
    pub beside: RulesV1,
    /// What the rules ask the author, by lens.
    pub questions: Vec<(Lens, String)>,
}

/// Who is seated, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seated {
    /// What each lens should look at.
    pub wishes: Vec<LensWish>,
    /// Who looks.
    pub panel: Panel,
}

/// What reviewers are given beside the change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Briefing {
    /// What stands round the hunks.
    pub surroundings: Surroundings,
    /// The repository's conventions, as much as is given.
    pub house_rules: Vec<HouseRule>,
}

impl Basis {
    /// Decides who looks at what.
    pub fn seat(&self) -> Seated {
        let decisions = lenses(&self.change, &self.classification);
        let wishes = wishes(&WishInput {
            change: &self.change,
            decisions: &decisions,
            rules: &self.rules.supported,
            unsafe_to_send: &self.rules.unsafe_to_send,
            policy: &self.policy,
        });
        let panel = choose(&self.panel_input(&wishes));
        Seated { wishes, panel }
    }

    /// What a panel is chosen from.
    pub fn panel_input<'a>(&'a self, wishes: &'a [LensWish]) -> PanelInput<'a> {
        PanelInput {
            attribution: &self.attribution,
            shares: &self.shares,
            wishes,
            engines: &self.engines,
            policy: &self.policy,
            lineage_sets: &self.lineage_sets,
        }
    }
}

impl RulesReport {
    /// What the rules did not get through, for the seats of a panel.
    pub fn misses(&self, panel: &Panel) -> Vec<RulesMiss> {
        let seat_of = |lens: Lens| {
            panel.seats.iter().position(|seat| seat.lens == lens && seat.reviewer == Reviewer::Rules)
        };
        self.failed
            .iter()
            .filter_map(|(lens, file, reason)| {
                Some(RulesMiss { seat: seat_of(*lens)?, file: *file, reason: reason.clone() })
            })
            .collect()
    }
}

impl Briefing {
    /// What prompts about the change are made from.
    pub fn material<'a>(&'a self, change: &'a Change) -> Material<'a> {
        Material { change, surroundings: &self.surroundings, house_rules: &self.house_rules }
    }
}
