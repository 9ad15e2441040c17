//! The configuration in force, as far as it decides anything: no address, no key, no command.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::engine::{Engine, LineageSource, Price};
use crate::lineage::Edge;
use crate::policy::{
    BasePolicy, Gate, Independence, Origin, PathEffect, PathRule, PathRules, Policy, RequiredCheck,
};
use crate::{Lens, Lineage};

/// What a review was configured with.
#[derive(Debug, Clone)]
pub struct Configured {
    /// What the base branch asked for; the policy in force holds it already.
    pub base: BasePolicy,
    /// The rules' thresholds, by name.
    pub thresholds: BTreeMap<String, u32>,
    /// The most tokens of one prompt.
    pub prompt_tokens: u32,
    /// The most model calls at once.
    pub concurrency: u32,
    /// Caps on spending beside that of one change, in micro-USD, by what they are on.
    pub caps: BTreeMap<String, u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigurationV1 {
    schema: String,
    policy: PolicyV1,
    base: BasePolicyV1,
    thresholds: BTreeMap<String, u32>,
    prompt_tokens: u32,
    concurrency: u32,
    caps: BTreeMap<String, u64>,
    roster: Vec<EngineV1>,
}

const SCHEMA: &str = "recuse/configuration/v1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyV1 {
    independence: Independence,
    lenses: BTreeSet<Lens>,
    offline: bool,
    reviewers_per_lens: usize,
    fail_on: Gate,
    paths: Vec<PathRuleV1>,
    required_checks: Vec<RequiredCheck>,
    self_reported_checks: bool,
    max_micro_usd: Option<u64>,
    max_seconds: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BasePolicyV1 {
    independence: Option<Independence>,
    fail_on: Option<Gate>,
    max_micro_usd: Option<u64>,
    max_seconds: Option<u32>,
    required_checks: Vec<RequiredCheck>,
    paths: Vec<PathRuleV1>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PathRuleV1 {
    globs: Vec<String>,
    effect: PathEffectV1,
    reason: String,
    origin: Origin,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PathEffectV1 {
    Exempt,
    NeverSend,
    Without(BTreeSet<Lens>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EngineV1 {
    id: String,
    preference: usize,
    provider: String,
    model: String,
    lineage: Lineage,
    lineage_source: LineageSource,
    edges: Vec<Edge>,
    context_tokens: u32,
    max_output_tokens: u32,
    price: Option<Price>,
    price_as_of: Option<String>,
}

impl ConfigurationV1 {
    pub(super) fn of(configured: &Configured, policy: &Policy, engines: &[Engine]) -> Self {
        let Configured { base, thresholds, prompt_tokens, concurrency, caps } = configured.clone();
        let Policy {
            independence,
            lenses,
            offline,
            reviewers_per_lens,
            fail_on,
            paths,
            required_checks,
            self_reported_checks,
            max_micro_usd,
            max_seconds,
        } = policy.clone();
        Self {
            schema: SCHEMA.to_owned(),
            policy: PolicyV1 {
                independence,
                lenses,
                offline,
                reviewers_per_lens,
                fail_on,
                paths: paths.rules().iter().map(path_rule_v1).collect(),
                required_checks,
                self_reported_checks,
                max_micro_usd,
                max_seconds,
            },
            base: BasePolicyV1 {
                independence: base.independence,
                fail_on: base.fail_on,
                max_micro_usd: base.max_micro_usd,
                max_seconds: base.max_seconds,
                required_checks: base.required_checks,
                paths: base.paths.iter().map(path_rule_v1).collect(),
            },
            thresholds,
            prompt_tokens,
            concurrency,
            caps,
            roster: engines.iter().cloned().map(engine_v1).collect(),
        }
    }

    pub(super) fn read(self) -> Result<(Configured, Policy, Vec<Engine>), globset::Error> {
        let (policy, base) = (self.policy, self.base);
        let configured = Configured {
            base: BasePolicy {
                independence: base.independence,
                fail_on: base.fail_on,
                max_micro_usd: base.max_micro_usd,
                max_seconds: base.max_seconds,
                required_checks: base.required_checks,
                paths: base.paths.into_iter().map(path_rule).collect(),
            },
            thresholds: self.thresholds,
            prompt_tokens: self.prompt_tokens,
            concurrency: self.concurrency,
            caps: self.caps,
        };
        let policy = Policy {
            independence: policy.independence,
            lenses: policy.lenses,
            offline: policy.offline,
            reviewers_per_lens: policy.reviewers_per_lens,
            fail_on: policy.fail_on,
            paths: PathRules::new(policy.paths.into_iter().map(path_rule).collect())?,
            required_checks: policy.required_checks,
            self_reported_checks: policy.self_reported_checks,
            max_micro_usd: policy.max_micro_usd,
            max_seconds: policy.max_seconds,
        };
        Ok((configured, policy, self.roster.into_iter().map(engine).collect()))
    }
}

fn path_rule_v1(rule: &PathRule) -> PathRuleV1 {
    PathRuleV1 {
        globs: rule.globs.clone(),
        effect: match &rule.effect {
            PathEffect::Exempt => PathEffectV1::Exempt,
            PathEffect::NeverSend => PathEffectV1::NeverSend,
            PathEffect::Without(lenses) => PathEffectV1::Without(lenses.clone()),
        },
        reason: rule.reason.clone(),
        origin: rule.origin,
    }
}

fn path_rule(rule: PathRuleV1) -> PathRule {
    PathRule {
        globs: rule.globs,
        effect: match rule.effect {
            PathEffectV1::Exempt => PathEffect::Exempt,
            PathEffectV1::NeverSend => PathEffect::NeverSend,
            PathEffectV1::Without(lenses) => PathEffect::Without(lenses),
        },
        reason: rule.reason,
        origin: rule.origin,
    }
}

fn engine_v1(engine: Engine) -> EngineV1 {
    let Engine {
        id,
        preference,
        provider,
        model,
        lineage,
        lineage_source,
        edges,
        context_tokens,
        max_output_tokens,
        price,
        price_as_of,
    } = engine;
    EngineV1 {
        id,
        preference,
        provider,
        model,
        lineage,
        lineage_source,
        edges,
        context_tokens,
        max_output_tokens,
        price,
        price_as_of,
    }
}

fn engine(engine: EngineV1) -> Engine {
    Engine {
        id: engine.id,
        preference: engine.preference,
        provider: engine.provider,
        model: engine.model,
        lineage: engine.lineage,
        lineage_source: engine.lineage_source,
        edges: engine.edges,
        context_tokens: engine.context_tokens,
        max_output_tokens: engine.max_output_tokens,
        price: engine.price,
        price_as_of: engine.price_as_of,
    }
}
