//! The story of one review: gather, decide, ask, decide, tell. Each step is a call.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result};
use git::{BlobReader, Repository};
use models::{Catalogue, HttpClient};
use review::anchor::{Anchor, FileTexts, anchor, texts_wanted};
use review::answer::Answer;
use review::attribution::{Agents, Attribution, AuthorshipInput, Declaration, attribute};
use review::classify::{Classification, ClassifyRules, classify};
use review::coverage::CoverageInput;
use review::judge::JudgeInput;
use review::merge::{Sourced, merge};
use review::outcome::{Ending, Outcome, RulesMiss};
use review::packet::{PacketInput, PacketV1, ReceiptKindV1, ReceiptV1, RunV1};
use review::panel::{LensWish, Panel, PanelInput, Relation, Reviewer, choose, relation};
use review::policy::Policy;
use review::{Change, Digest, Families, Finding, Lens, Side};
use store::Store;
use tokio::time::Instant;

use crate::config::Config;
use crate::fan_out::{Ask, Asking, CallsOut, Progress, fan_out};
use crate::places::{self, Environment};
use crate::prompts::Prompts;
use crate::roster::{self, Roster};
use crate::rules_pass::{self, RulesPass};

/// The tables that decisions rest on.
pub struct Tables {
    /// Who serves which models.
    pub catalogue: Catalogue,
    /// What names of models mean.
    pub families: Families,
    /// What tools leave behind.
    pub agents: Agents,
    /// What files and lines mean.
    pub classify: ClassifyRules,
}

impl Tables {
    /// The tables that this build carries.
    pub fn embedded() -> Self {
        Self {
            catalogue: Catalogue::embedded(),
            families: Families::embedded(),
            agents: Agents::embedded(),
            classify: ClassifyRules::embedded(),
        }
    }
}

/// What a review starts from.
pub struct ReviewRequest<'a> {
    /// The change as it was read.
    pub change: Change,
    /// Where whole files can be read; `None` where only a diff is at hand.
    pub repository: Option<&'a Repository>,
    /// The git-ai notes of the range's commits.
    pub notes: Vec<(review::CommitId, String)>,
    /// What somebody with write access says about the author.
    pub declaration: Option<Declaration>,
    /// The configuration, already narrowed by the base.
    pub config: &'a Config,
    /// The tables.
    pub tables: &'a Tables,
    /// The environment.
    pub environment: Environment<'a>,
    /// 32 random hex digits that name the run.
    pub run_id: String,
    /// Seconds since 1970.
    pub now: i64,
    /// The version of recuse.
    pub version: &'a str,
    /// Told as calls begin and end.
    pub progress: &'a (dyn Fn(Progress<'_>) + Sync),
}

/// What was decided before anybody was asked.
pub struct Decided {
    /// The rules' part, with the redacted change.
    pub rules: RulesPass,
    /// SHA-256 of title and body as they were read.
    pub text_digest: Digest,
    /// Who wrote it.
    pub attribution: Attribution,
    /// What it is.
    pub classification: Classification,
    /// What each lens should look at.
    pub wishes: Vec<LensWish>,
    /// Who can be asked.
    pub roster: Roster,
    /// Who is.
    pub panel: Panel,
}

/// Reviews one change.
///
/// # Errors
/// Our own failures only: the configuration, the repository, the store. What reviewers do wrong is in the packet.
pub async fn review_one(request: ReviewRequest<'_>) -> Result<PacketV1> {
    let started = Instant::now();
    let deadline = started + Duration::from_secs(u64::from(request.config.policy.max_seconds));
    let prompts = Prompts::embedded()?;
    let story = Story { request: &request, prompts: &prompts };
    let decided = story.decide(request.change.clone()).await?;
    let asks = story.asks(&decided)?;
    let mut receipts = story.receipts();
    let mut outcomes = rules_outcomes(&decided);
    if !asks.is_empty() {
        let store = story.open_store().await?;
        let change_key = decided.rules.change.subject.diff_digest.as_str();
        let answered = story.ask(asks, &decided.roster, &store, change_key, deadline).await?;
        receipts.extend(answered.iter().flat_map(call_receipts));
        outcomes.extend(answered);
        store.close().await;
    }
    let packet = story.conclude(&decided, &outcomes, receipts, started.elapsed())?;
    Ok(packet)
}
