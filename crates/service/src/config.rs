//! The configuration: defaults < the operator's file < environment < flags, merged once into one value. Then the
//! base branch's `.recuse.toml` can only narrow it.
//!
//! The two files share key names where they mean the same, but they are two structs: the base's has no key that
//! could hold a URL, a command, a path outside the repository or a credential (law 7).

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use models::Wire;
use review::policy::{
    BasePolicy, Gate, Independence, Origin, PathEffect, PathRule, PathRules, Policy, RequiredCheck,
};
use review::record::Configured;
use review::{Lens, RepoPath};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::toml_error;

/// The name of the base branch's configuration, at the repository's root.
pub const BASE_FILE: &str = ".recuse.toml";

/// The operator's file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OperatorFile {
    /// A folder of prompt files that are used instead of the built-in ones at the same relative path. Relative to the
    /// folder of this file.
    pub prompts_folder: Option<PathBuf>,
    /// The private key (OpenSSH, Ed25519) that signs packets which are written to a file. Relative to the folder of this
    /// file.
    pub signing_key: Option<PathBuf>,
    /// How a change is reviewed.
    pub review: ReviewSection,
    /// The models to ask, in order of preference.
    pub model: Vec<ModelSection>,
    /// How fast each provider may be asked, by its id.
    pub provider: BTreeMap<String, ProviderSection>,
    /// What is said about paths.
    pub path: Vec<PathSection>,
    /// The rules' thresholds.
    pub rules: rules::RuleOptions,
    /// What names of models mean, beside the built-in table.
    pub lineage: LineageSection,
    /// The server of the GitHub App.
    pub serve: ServeSection,
    /// How long receipts are kept.
    pub receipts: ReceiptsSection,
}

/// `[receipts]` of the operator's file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiptsSection {
    /// How many days the receipts of a review are kept in the database; for good where it is left out. What is deleted
    /// leaves its digest, with when and why.
    pub keep_days: Option<NonZeroU32>,
}

/// `[serve]` of the operator's file: the server of the GitHub App.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServeSection {
    /// The address that deliveries are received on; `127.0.0.1:8080` by default.
    pub listen: Option<String>,
    /// GitHub's API, where it is not github.com's: `https://HOST/api/v3`.
    pub github_url: Option<String>,
    /// Allows plain http to that address.
    pub plain_http: bool,
    /// How many pull requests are reviewed at once by this process.
    pub workers: Option<usize>,
    /// How many reviews of one repository run at once, on all machines together.
    pub per_repository: Option<u32>,
    /// Labels that ask for a review.
    pub review_labels: Vec<String>,
    /// Labels that keep a pull request from being reviewed. Only those with triage access can set them.
    pub skip_labels: Vec<String>,
    /// Accounts whose pull requests are not reviewed, such as `dependabot[bot]`, as long as nobody else has commits in
    /// them.
    pub skip_authors: Vec<String>,
    /// Reviews drafts too.
    pub drafts: bool,
    /// What is done with pull requests whose head is in another repository.
    pub forks: Forks,
    /// After how many seconds without a sign of life a process counts as dead, so that another takes up its work; 60 by
    /// default.
    pub lease_seconds: Option<u32>,
    /// How many seconds a review that failed waits before it is tried again, four times as long each time; 15 by
    /// default.
    pub retry_seconds: Option<u32>,
    /// After how many seconds of waiting for a worker the check run of a review says so; 5 by default.
    pub announce_seconds: Option<u32>,
    /// How many seconds after its last edit a new title or description is looked at; 60 by default.
    pub settling_seconds: Option<u32>,
    /// How many days ago an open pull request may have changed last to be looked for where no event told of it; 30 by
    /// default, and with 0 nothing is looked for.
    pub look_back_days: Option<u32>,
    /// Where fetched objects are kept; beside the database by default.
    pub cache_folder: Option<PathBuf>,
    /// The most that they may take, in MiB.
    pub cache_mib: Option<u64>,
}

/// What is done with pull requests whose head is in another repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Forks {
    /// The same as with others.
    #[default]
    Review,
    /// A head is reviewed once somebody with write access says `/recuse review`, presses the button, or sets one of
    /// `review_labels`.
    OnRequest,
    /// A head is reviewed once somebody with write access says `/recuse review` or presses the button.
    Skip,
}

/// `[lineage]` of the operator's file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LineageSection {
    /// A file in the form of the built-in `config/families.toml`, from this file's folder: its families, models and
    /// edges are added, and stand where both tables name the same.
    pub families: Option<PathBuf>,
}

/// `[review]` of the operator's file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReviewSection {
    /// `require`, `prefer` or `off`.
    pub independence: Option<Independence>,
    /// `low`, `medium`, `high`, `critical` or `never`.
    pub fail_on: Option<Gate>,
    /// The lenses that may be seated; all by default.
    pub lenses: Option<BTreeSet<Lens>>,
    /// How many mutually unrelated models look through each lens, where the roster has them.
    pub reviewers_per_lens: Option<usize>,
    /// The most that one review may cost, in USD.
    pub max_usd: Option<f64>,
    /// The most that one call may cost, in USD.
    pub max_usd_per_call: Option<f64>,
    /// The most that the changes of one author may cost on one day, in USD. Days are UTC's.
    pub max_usd_per_author_day: Option<f64>,
    /// The most that the changes of one repository may cost on one day, in USD.
    pub max_usd_per_repository_day: Option<f64>,
    /// The most that all changes may cost on one day, in USD.
    pub max_usd_per_day: Option<f64>,
    /// The most that one review may take, in seconds.
    pub max_seconds: Option<u32>,
    /// The most model calls at once.
    pub concurrency: Option<usize>,
    /// The most tokens of one prompt; larger changes are split.
    pub prompt_tokens: Option<u32>,
    /// Checks that must have passed: a name, or `{ name = "tests", app = "github-actions" }` where only that app's word
    /// counts.
    pub required_checks: Vec<RequiredCheck>,
    /// Whether such a check is met by a record of `recuse run`, which says only what whoever ran it says.
    pub self_reported_checks: Option<bool>,
}

/// One `[[model]]` of the operator's file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelSection {
    /// `PROVIDER/NAME`, as in `openai/gpt-6.1-sol` or `local/qwen3-coder`.
    pub name: String,
    /// The server's address, where it is not the provider's own.
    pub base_url: Option<String>,
    /// The environment variable that holds the key, where it is not the provider's usual one.
    pub key_env: Option<String>,
    /// Allows plain http to another machine.
    #[serde(default)]
    pub plain_http: bool,
    /// The format that the server speaks, where it is not the provider's usual one: `openai-chat`,
    /// `openai-responses`, `anthropic` or `gemini`.
    #[schemars(with = "Option<String>")]
    pub wire: Option<Wire>,
    /// The program of a model `command/NAME`, and its arguments.
    pub command: Option<Vec<String>>,
    /// The environment variables that the program is given; it gets no other.
    #[serde(default)]
    pub environment: Vec<String>,
    /// How long the program may take for one answer, in seconds.
    pub max_seconds: Option<NonZeroU32>,
    /// The families that the model descends from, where its name does not tell.
    pub families: Option<Vec<String>>,
    /// How many tokens prompt and answer may have together.
    pub context_tokens: Option<u32>,
    /// How many tokens an answer may have.
    pub max_output_tokens: Option<u32>,
    /// What input costs, in USD per million tokens.
    pub input_usd: Option<f64>,
    /// What output costs, in USD per million tokens.
    pub output_usd: Option<f64>,
}

/// One `[provider.ID]` of the operator's file: limits for all models of the provider together.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProviderSection {
    /// The most requests in any minute.
    pub requests_per_minute: Option<NonZeroU32>,
    /// The most tokens in any minute, of prompts and answers together.
    pub tokens_per_minute: Option<NonZeroU64>,
    /// The most calls at once.
    pub concurrency: Option<NonZeroU32>,
}

/// One `[[path]]`, of the operator's file or of the base's.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PathSection {
    /// Globs; one without a slash matches at any depth.
    #[serde(rename = "match")]
    pub globs: Vec<String>,
    /// Nobody has to look at these files, for this reason.
    pub exempt: Option<String>,
    /// These files are never part of a prompt, for this reason.
    pub never_send: Option<String>,
    /// These lenses are not asked about these files.
    pub without: Option<BTreeSet<Lens>>,
    /// Why, for `without`.
    pub reason: Option<String>,
}

/// The base branch's `.recuse.toml`: it can only narrow.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BaseFile {
    /// How a change is reviewed.
    pub review: BaseReviewSection,
    /// Who writes the changes of this repository.
    pub authorship: AuthorshipSection,
    /// What is said about paths.
    pub path: Vec<PathSection>,
}

/// `[authorship]` of the base's file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuthorshipSection {
    /// `human`, models' names or tools'. Each counts as declared for every change: it recuses, and it says which model a
    /// tool uses that names none. It takes no other evidence away.
    pub written_by: Vec<String>,
}

/// What the base's file asks for.
#[derive(Debug, Clone, Default)]
pub struct BaseSettings {
    /// What it narrows.
    pub policy: BasePolicy,
    /// Who it says writes the changes.
    pub written_by: Vec<String>,
}

/// `[review]` of the base's file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BaseReviewSection {
    /// At least this strict.
    pub independence: Option<Independence>,
    /// At most this lenient.
    pub fail_on: Option<Gate>,
    /// At most this much, in USD.
    pub max_usd: Option<f64>,
    /// At most this long, in seconds.
    pub max_seconds: Option<u32>,
    /// More checks that must have passed, as the operator names them.
    pub required_checks: Vec<RequiredCheck>,
}

/// What flags and environment ask for; `None` leaves it to the file.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--independence`.
    pub independence: Option<Independence>,
    /// `--fail-on`.
    pub fail_on: Option<Gate>,
    /// `--lens`.
    pub lenses: Option<BTreeSet<Lens>>,
    /// `--max-usd`.
    pub max_usd: Option<f64>,
    /// `--max-seconds`.
    pub max_seconds: Option<u32>,
    /// `--offline`.
    pub offline: Offline,
    /// `--model`, `RECUSE_MODELS`: names only.
    pub models: Vec<String>,
    /// `--prompts`.
    pub prompts_folder: Option<PathBuf>,
}

/// Whether models are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Offline {
    /// Models are asked.
    #[default]
    No,
    /// The rules only.
    Yes,
}

/// The merged configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// What decides.
    pub policy: Policy,
    /// The models that the operator named, in order of preference; empty where none was.
    pub models: Vec<ModelSection>,
    /// How fast each provider may be asked, by its id.
    pub providers: BTreeMap<String, ProviderSection>,
    /// The rules' thresholds.
    pub rules: rules::RuleOptions,
    /// More families, as a file.
    pub families: Option<PathBuf>,
    /// What may be spent beside the cap of one change.
    pub caps: Caps,
    /// The most model calls at once.
    pub concurrency: usize,
    /// The most tokens of one prompt.
    pub prompt_tokens: u32,
    /// The operator's own prompt files.
    pub prompts_folder: Option<PathBuf>,
    /// What the base branch asked for; the policy holds it already.
    pub base: BasePolicy,
    /// How many days receipts are kept in the database; for good where there is none.
    pub keep_receipts_days: Option<u32>,
}

impl Config {
    /// What is recorded of it: what decides, and no address, key or command.
    pub fn configured(&self) -> Configured {
        let Caps { call, author_day, repository_day, day } = self.caps;
        let caps =
            [("call", call), ("author_day", author_day), ("repository_day", repository_day), ("day", day)];
        Configured {
            base: self.base.clone(),
            thresholds: self.rules.by_name(),
            prompt_tokens: self.prompt_tokens,
            concurrency: u32::try_from(self.concurrency).unwrap_or(u32::MAX),
            caps: caps.into_iter().filter_map(|(name, cap)| Some((name.to_owned(), cap?))).collect(),
        }
    }

    /// Narrows the policy by what the base branch asks for.
    ///
    /// # Errors
    /// A glob that cannot be read.
    pub fn narrow(&mut self, base: BasePolicy) -> Result<()> {
        self.policy = std::mem::take(&mut self.policy).narrowed(&base)?;
        self.base = base;
        Ok(())
    }
}

/// A policy with what an operator's file says of it in the place of what it was; what the file leaves out stays. The
/// base's narrowing holds as before.
///
/// # Errors
/// A value that cannot be used.
pub fn policy_with(policy: &Policy, base: &BasePolicy, file: &OperatorFile) -> Result<Policy> {
    let review = &file.review;
    let paths = match file.path.as_slice() {
        [] => policy.paths.rules().iter().filter(|rule| rule.origin == Origin::Operator).cloned().collect(),
        [_, ..] => path_rules(&file.path, Origin::Operator)?,
    };
    let wanted = Policy {
        independence: review.independence.unwrap_or(policy.independence),
        lenses: review.lenses.clone().unwrap_or_else(|| policy.lenses.clone()),
        offline: policy.offline,
        reviewers_per_lens: review.reviewers_per_lens.unwrap_or(policy.reviewers_per_lens).clamp(1, 4),
        fail_on: review.fail_on.unwrap_or(policy.fail_on),
        paths: PathRules::new(paths)?,
        required_checks: match review.required_checks.as_slice() {
            [] => policy.required_checks.clone(),
            [_, ..] => review.required_checks.clone(),
        },
        self_reported_checks: review.self_reported_checks.unwrap_or(policy.self_reported_checks),
        max_micro_usd: policy.max_micro_usd,
        max_seconds: policy.max_seconds,
    };
    Ok(wanted.narrowed(base)?)
}

/// Caps on spending that hold across changes, in micro-USD.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Caps {
    /// One call.
    pub call: Option<u64>,
    /// One author on one day.
    pub author_day: Option<u64>,
    /// One repository on one day.
    pub repository_day: Option<u64>,
    /// One day.
    pub day: Option<u64>,
}

/// The most model calls at once, by default: enough for five lenses, few enough for a small account's limits.
const CONCURRENCY: usize = 6;

/// The most tokens of one prompt, by default. Reviewers miss more in longer prompts, and each part costs its
/// instructions again; 24,000 holds some 1,500 changed lines.
const PROMPT_TOKENS: u32 = 24_000;

/// The JSON Schema of the operator's file.
pub fn operator_schema() -> serde_json::Value {
    schemars::schema_for!(OperatorFile).to_value()
}

/// The JSON Schema of the base's file.
pub fn base_schema() -> serde_json::Value {
    schemars::schema_for!(BaseFile).to_value()
}

/// Reads the operator's file. `name` is what errors call it.
///
/// # Errors
/// What is wrong with it, with line and caret.
pub fn read_operator_file(text: &str, name: &str) -> Result<OperatorFile> {
    Ok(toml_error::parse(text, name)?)
}

/// Reads the base branch's file.
///
/// # Errors
/// What is wrong with it, with line and caret.
pub fn read_base_file(text: &str) -> Result<BaseSettings> {
    let file: BaseFile = toml_error::parse(text, BASE_FILE)?;
    let paths = path_rules(&file.path, Origin::Base).with_context(|| format!("could not use {BASE_FILE}"))?;
    if file.authorship.written_by.iter().any(|who| who.trim().is_empty()) {
        bail!("an entry of `written_by` in {BASE_FILE} is empty: name `human`, a model or a tool");
    }
    let policy = BasePolicy {
        independence: file.review.independence,
        fail_on: file.review.fail_on,
        max_micro_usd: file.review.max_usd.map(micro_usd).transpose()?,
        max_seconds: file.review.max_seconds,
        required_checks: file.review.required_checks,
        paths,
    };
    Ok(BaseSettings { policy, written_by: file.authorship.written_by })
}

/// Merges the operator's file with flags and environment.
///
/// # Errors
/// A value that cannot be used.
pub fn merge(file: OperatorFile, flags: &Overrides) -> Result<Config> {
    let defaults = Policy::default();
    let review = file.review;
    let rules = path_rules(&file.path, Origin::Operator)?;
    let max_usd = flags.max_usd.or(review.max_usd);
    let models = if flags.models.is_empty() {
        file.model
    } else {
        // A flag names a model; what the file says about that model still holds.
        let named = |name: &String| {
            let known = file.model.iter().find(|section| section.name == *name).cloned();
            known.unwrap_or_else(|| ModelSection::named(name))
        };
        flags.models.iter().map(named).collect()
    };
    let policy = Policy {
        independence: flags.independence.or(review.independence).unwrap_or(defaults.independence),
        lenses: flags.lenses.clone().or(review.lenses).unwrap_or(defaults.lenses),
        offline: flags.offline == Offline::Yes,
        reviewers_per_lens: review.reviewers_per_lens.unwrap_or(defaults.reviewers_per_lens).clamp(1, 4),
        fail_on: flags.fail_on.or(review.fail_on).unwrap_or(defaults.fail_on),
        paths: PathRules::new(rules)?,
        required_checks: review.required_checks,
        self_reported_checks: review.self_reported_checks.unwrap_or(defaults.self_reported_checks),
        max_micro_usd: max_usd.map(micro_usd).transpose()?,
        max_seconds: flags.max_seconds.or(review.max_seconds).unwrap_or(defaults.max_seconds),
    };
    Ok(Config {
        policy,
        models,
        providers: file.provider,
        rules: file.rules,
        families: file.lineage.families,
        caps: Caps {
            call: review.max_usd_per_call.map(micro_usd).transpose()?,
            author_day: review.max_usd_per_author_day.map(micro_usd).transpose()?,
            repository_day: review.max_usd_per_repository_day.map(micro_usd).transpose()?,
            day: review.max_usd_per_day.map(micro_usd).transpose()?,
        },
        concurrency: review.concurrency.unwrap_or(CONCURRENCY).clamp(1, 64),
        prompt_tokens: review.prompt_tokens.unwrap_or(PROMPT_TOKENS).max(1_000),
        prompts_folder: flags.prompts_folder.clone().or(file.prompts_folder),
        base: BasePolicy::default(),
        keep_receipts_days: file.receipts.keep_days.map(NonZeroU32::get),
    })
}

impl ModelSection {
    /// A model of which only the name is given.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            base_url: None,
            key_env: None,
            plain_http: false,
            wire: None,
            command: None,
            environment: Vec::new(),
            max_seconds: None,
            families: None,
            context_tokens: None,
            max_output_tokens: None,
            input_usd: None,
            output_usd: None,
        }
    }
}

fn path_rules(sections: &[PathSection], origin: Origin) -> Result<Vec<PathRule>> {
    let mut rules = Vec::new();
    for section in sections {
        let globs = section.globs.clone();
        let shown = || globs.join("`, `");
        if globs.is_empty() {
            bail!("a [[path]] matches nothing: give `match = [\"…\"]`");
        }
        for glob in &globs {
            if glob.starts_with('/')
                || RepoPath::from(glob.as_str()).as_str().split('/').any(|part| part == "..")
            {
                bail!("the glob `{glob}` leaves the repository: give it relative to the root");
            }
        }
        let mut push = |effect, reason: &str| {
            rules.push(PathRule { globs: globs.clone(), effect, reason: reason.to_owned(), origin });
        };
        if let Some(reason) = &section.exempt {
            push(PathEffect::Exempt, reason);
        }
        if let Some(reason) = &section.never_send {
            push(PathEffect::NeverSend, reason);
        }
        if let Some(lenses) = &section.without {
            push(PathEffect::Without(lenses.clone()), section.reason.as_deref().unwrap_or("no reason given"));
        }
        if section.exempt.is_none() && section.never_send.is_none() && section.without.is_none() {
            bail!("the [[path]] for `{}` says nothing: give `exempt`, `never_send` or `without`", shown());
        }
    }
    PathRules::new(rules.clone())?;
    Ok(rules)
}

/// USD as micro-USD.
///
/// # Errors
/// Not a number, negative, or more than a billion.
pub fn micro_usd(usd: f64) -> Result<u64> {
    if !usd.is_finite() || !(0.0..=1e9).contains(&usd) {
        bail!("{usd} is not an amount of USD");
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above: 0 to 1e15")]
    let micro = (usd * 1e6).round() as u64;
    Ok(micro)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_the_file_and_the_file_over_the_defaults() {
        let file = read_operator_file(
            "[review]\nfail_on = \"low\"\nmax_usd = 0.25\nindependence = \"off\"\n\
             [[model]]\nname = \"local/a\"\nfamilies = [\"qwen\"]\n",
            "c.toml",
        )
        .expect("a good file");
        let flags = Overrides {
            independence: Some(Independence::Prefer),
            models: vec!["openai/b".into(), "local/a".into()],
            ..Overrides::default()
        };
        let config = merge(file, &flags).expect("a good configuration");
        assert_eq!(config.policy.fail_on, Gate::Low);
        assert_eq!(config.policy.independence, Independence::Prefer);
        assert_eq!(config.policy.max_micro_usd, Some(250_000));
        assert_eq!(config.policy.max_seconds, Policy::default().max_seconds);
        assert_eq!(config.models.len(), 2);
        assert_eq!(config.models[1].families.as_deref(), Some(&["qwen".to_owned()][..]));
    }

    #[test]
    fn the_base_file_has_no_key_that_could_widen_anything() {
        for widening in [
            "[[model]]\nname = \"x/y\"",
            "[review]\nlenses = []",
            "[review]\nconcurrency = 99",
            "[review]\nself_reported_checks = true",
            "[review]\nbase_url = \"https://evil.example\"",
            "[rules]\ncognitive = 999",
            "base_url = \"x\"",
            "[[path]]\nmatch = [\"../x\"]\nexempt = \"y\"",
            "[[path]]\nmatch = [\"/etc/*\"]\nexempt = \"y\"",
            "[[path]]\nmatch = [\"*.x\"]",
            "[[path]]\nmatch = []\nexempt = \"y\"",
        ] {
            assert!(read_base_file(widening).is_err(), "{widening}");
        }
        let BaseSettings { policy, .. } = read_base_file(
            "[review]\nfail_on = \"medium\"\n[[path]]\nmatch = [\"*.snap\"]\nexempt = \"y\"\n",
        )
        .expect("narrowing");
        assert_eq!(policy.fail_on, Some(Gate::Medium));
        assert_eq!(policy.paths[0].origin, Origin::Base);
    }

    #[test]
    fn money_is_checked() {
        assert_eq!(micro_usd(0.000_001).expect("one"), 1);
        for wrong in [-1.0, f64::NAN, f64::INFINITY, 2e9] {
            assert!(micro_usd(wrong).is_err());
        }
    }
}
