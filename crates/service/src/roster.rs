//! The operator's roster: which models can be asked, and what they descend from.
//!
//! From the configuration and the flags where they name models; else from the environment: a key alone seats that
//! provider's default, a base URL alone asks its server what it has and refuses to guess among several.

use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use models::{
    BaseUrl, Catalogue, CommandLine, CommandModel, Endpoint, HttpClient, Model, PaceLimits, PlainHttp,
    PromptCacheField, Provider, RemoteModel,
};
use review::engine::{Engine, LineageSource, Price};
use review::lineage::{Edge, Resolution};
use review::panel::ShareNeed;
use review::{Families, Family, Lineage};
use secrecy::SecretString;

use crate::config::{Config, ModelSection, micro_usd};
use crate::places::Environment;
use crate::review_one::Tables;

/// How long a server may take to say which models it has.
const LIST_PATIENCE: Duration = Duration::from_secs(10);

/// What is assumed of a model that no table knows: small enough for most local servers.
const UNKNOWN_CONTEXT_TOKENS: u32 = 32_768;

/// How many tokens an answer may have: some forty long findings. The wire's own bound is 16,384.
const ANSWER_TOKENS: u32 = 8_192;

/// The provider of models that are programs of the operator's. It is in no table, since only he knows it.
pub(crate) const COMMAND: &str = "command";

/// How long such a program may take, by default.
const COMMAND_SECONDS: u32 = 300;

/// The models that can be asked.
#[derive(Clone, Default)]
pub struct Roster {
    /// What is known of each, in order of preference.
    pub engines: Vec<Engine>,
    /// How each is asked, by the same index.
    pub models: Vec<Arc<dyn Model>>,
}

/// A roster that cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
#[error("{0:#}")]
pub struct RosterError(anyhow::Error);

/// Builds the roster.
///
/// # Errors
/// A model whose provider is not known or whose key is missing; a base URL that cannot be used; a server that
/// cannot be asked for its models, or has several; a program that is not there, or whose families are not declared.
pub async fn build(
    config: &Config,
    tables: &Tables,
    http: &HttpClient,
    environment: Environment<'_>,
) -> Result<Roster, RosterError> {
    build_from(config, tables, http, environment).await.map_err(RosterError)
}

async fn build_from(
    config: &Config,
    tables: &Tables,
    http: &HttpClient,
    environment: Environment<'_>,
) -> Result<Roster> {
    let Tables { catalogue, traffic, .. } = tables;
    for id in config.providers.keys() {
        if id != COMMAND && catalogue.provider(id).is_none() {
            bail!("[provider.{id}] is about no provider; known are {}", known_providers(catalogue));
        }
    }
    let found_in_environment = match config.models.as_slice() {
        [] => Some(from_environment(catalogue, http, environment).await?),
        [_, ..] => None,
    };
    let is_ordered = found_in_environment.is_none();
    let sections = found_in_environment.as_deref().unwrap_or(&config.models);
    let mut roster = Roster::default();
    for section in sections {
        if roster.engines.iter().any(|engine| engine.id == section.name) {
            bail!("the model `{}` is named twice", section.name);
        }
        let preference = if is_ordered { roster.engines.len() } else { 0 };
        let (engine, model) = model(section, preference, tables, http, environment)
            .with_context(|| format!("could not use the model `{}`", section.name))?;
        let limits = limits(&engine.provider, config, catalogue);
        roster.models.push(traffic.regulate(&engine.provider, &engine.model, limits, model));
        roster.engines.push(engine);
    }
    Ok(roster)
}

/// The engines of the roster, with an HTTP client of its own for servers that have to be asked what they have.
///
/// # Errors
/// As [`build`]; the HTTP client cannot be set up.
pub async fn list(config: &Config, tables: &Tables, environment: Environment<'_>) -> Result<Vec<Engine>> {
    let http = HttpClient::new(models::Limits::default(), models::Proxy::from_environment().as_ref())?;
    Ok(build(config, tables, &http, environment).await?.engines)
}

/// What to set where no model is configured, for people.
pub fn remedy(catalogue: &Catalogue) -> String {
    let keys: Vec<&str> = catalogue
        .providers
        .iter()
        .filter_map(|provider| provider.key_variables.first())
        .map(String::as_str)
        .collect();
    let shown = keys.iter().take(4).copied().collect::<Vec<_>>().join(", ");
    format!(
        "set {shown} or another provider's key, or OPENAI_BASE_URL of a local server, or ask for `--offline`"
    )
}

/// A provider's default model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition<'t> {
    /// As `--model` takes it.
    pub name: String,
    /// The variable of its key.
    pub key: &'t str,
    lineage: Lineage,
}

/// What would make a panel enough: the models of which one is, or else the first two that are together. Empty where
/// more is missing.
pub fn additions<'t>(tables: &'t Tables, engines: &[Engine], needs: &[ShareNeed]) -> Vec<Vec<Addition<'t>>> {
    let candidates = tables.catalogue.providers.iter().filter_map(|provider| {
        let (name, key) = (provider.default_model.as_deref()?, provider.key_variables.first()?);
        let lineage = tables.families.resolve(name).lineage;
        Some(Addition { name: format!("{}/{name}", provider.id), key, lineage })
    });
    let candidates: Vec<Addition<'t>> = candidates.collect();
    let is_enough = |added: &[&Addition<'t>]| {
        let there = engines.iter().map(|engine| &engine.lineage);
        let lineages: Vec<&Lineage> = there.chain(added.iter().map(|addition| &addition.lineage)).collect();
        needs.iter().all(|share| share.need.is_met_by(&lineages))
    };
    let alone: Vec<Vec<Addition<'t>>> =
        candidates.iter().filter(|one| is_enough(&[one])).map(|one| vec![one.clone()]).collect();
    if !alone.is_empty() {
        return alone;
    }
    let pairs = candidates
        .iter()
        .enumerate()
        .flat_map(|(index, one)| candidates[index + 1..].iter().map(move |other| (one, other)));
    let mut enough = pairs.filter(|(one, other)| is_enough(&[one, other]));
    enough.next().map(|(one, other)| vec![one.clone(), other.clone()]).into_iter().collect()
}

/// Whether the environment names any model at all; says nothing about whether it works.
pub fn is_configured(sections: &[ModelSection], catalogue: &Catalogue, environment: Environment<'_>) -> bool {
    let named = |provider: &Provider| {
        key_of(provider, None, environment).is_some() || environment(&provider.base_url_variable).is_some()
    };
    !sections.is_empty() || catalogue.providers.iter().any(named)
}

async fn from_environment(
    catalogue: &Catalogue,
    http: &HttpClient,
    environment: Environment<'_>,
) -> Result<Vec<ModelSection>> {
    let mut sections = Vec::new();
    for provider in &catalogue.providers {
        let key = key_of(provider, None, environment);
        let Some(base_url) = environment(&provider.base_url_variable) else {
            if key.is_some()
                && let Some(name) = &provider.default_model
            {
                sections.push(ModelSection::named(&format!("{}/{name}", provider.id)));
            }
            continue;
        };
        let name = ask_for_its_model(provider, &base_url, key.as_ref(), http).await.with_context(|| {
            format!("could not choose a model at {} ({base_url})", provider.base_url_variable)
        })?;
        sections.push(ModelSection::named(&format!("{}/{name}", provider.id)));
    }
    Ok(sections)
}

/// The provider's default where the server has it, else the only one that it has.
async fn ask_for_its_model(
    provider: &Provider,
    base_url: &str,
    key: Option<&SecretString>,
    http: &HttpClient,
) -> Result<String> {
    let base_url = BaseUrl::parse(base_url, PlainHttp::LoopbackOnly)?;
    let deadline = http.deadline().min(tokio::time::Instant::now() + LIST_PATIENCE);
    let names = models::list_models(http, &base_url, provider.wire, key, deadline).await?;
    if let Some(default) = provider.default_model.iter().find(|name| names.contains(*name)) {
        return Ok(default.clone());
    }
    let mut all = names.into_iter();
    match (all.next(), all.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => bail!("the server lists no model: name one with `--model {}/NAME`", provider.id),
        (Some(first), Some(second)) => bail!(
            "the server has several models ({first}, {second}{}): name one with `--model {}/NAME`",
            if all.next().is_some() { ", …" } else { "" },
            provider.id
        ),
    }
}

fn key_of(provider: &Provider, variable: Option<&str>, environment: Environment<'_>) -> Option<SecretString> {
    let names: Vec<&str> = match variable {
        Some(variable) => vec![variable],
        None => provider.key_variables.iter().map(String::as_str).collect(),
    };
    names.into_iter().find_map(environment).map(SecretString::from)
}

fn known_providers(catalogue: &Catalogue) -> String {
    let ids = catalogue.providers.iter().map(|provider| provider.id.as_str());
    ids.chain([COMMAND]).collect::<Vec<_>>().join(", ")
}

/// What the operator allows, else what the table says of every account.
fn limits(provider: &str, config: &Config, catalogue: &Catalogue) -> PaceLimits {
    let asked = config.providers.get(provider).cloned().unwrap_or_default();
    let table = catalogue.provider(provider);
    PaceLimits {
        requests_per_minute: asked
            .requests_per_minute
            .map(NonZeroU32::get)
            .or(table.and_then(|table| table.requests_per_minute)),
        tokens_per_minute: asked
            .tokens_per_minute
            .map(NonZeroU64::get)
            .or(table.and_then(|table| table.tokens_per_minute)),
        concurrency: asked.concurrency.map(NonZeroU32::get).or(table.and_then(|table| table.concurrency)),
    }
}

/// A model, and what is known of it.
fn model(
    section: &ModelSection,
    preference: usize,
    Tables { catalogue, families, .. }: &Tables,
    http: &HttpClient,
    environment: Environment<'_>,
) -> Result<(Engine, Arc<dyn Model>)> {
    let (provider, name) = section
        .name
        .split_once('/')
        .filter(|(_, name)| !name.is_empty())
        .context("give it as PROVIDER/NAME")?;
    if provider == COMMAND {
        let (engine, command) = command(section, name, preference, families, environment)?;
        return Ok((engine, Arc::new(CommandModel::new(command))));
    }
    if section.command.is_some() || !section.environment.is_empty() || section.max_seconds.is_some() {
        bail!("`command`, `environment` and `max_seconds` are for models named {COMMAND}/NAME");
    }
    let (engine, endpoint) = remote(section, (provider, name), preference, catalogue, families, environment)?;
    Ok((engine, Arc::new(RemoteModel::new(http.clone(), endpoint, name))))
}

fn command(
    section: &ModelSection,
    name: &str,
    preference: usize,
    families: &Families,
    environment: Environment<'_>,
) -> Result<(Engine, CommandLine)> {
    if section.families.is_none() {
        bail!("nobody can tell which model a program asks: declare it with `families = [\"…\"]`");
    }
    let is_remote = section.base_url.is_some() || section.key_env.is_some() || section.wire.is_some();
    if is_remote || section.plain_http {
        bail!("a program has no `base_url`, `key_env`, `wire` or `plain_http`");
    }
    let [program, arguments @ ..] = section.command.as_deref().unwrap_or_default() else {
        bail!("say which program it is, as in `command = [\"my-agent\", \"--print\"]`")
    };
    let variable = |name: &String| {
        let value = environment(name).with_context(|| format!("it is given {name}, which is not set"))?;
        Ok((name.clone(), SecretString::from(value)))
    };
    let seconds = section.max_seconds.map_or(COMMAND_SECONDS, NonZeroU32::get);
    let command = CommandLine {
        program: find_program(program, environment)?,
        arguments: arguments.to_vec(),
        environment: section.environment.iter().map(variable).collect::<Result<_>>()?,
        limit: Duration::from_secs(u64::from(seconds)),
    };
    let (lineage, lineage_source, edges) = lineage(section, name, families)?;
    let context_tokens = section.context_tokens.unwrap_or(UNKNOWN_CONTEXT_TOKENS);
    let engine = Engine {
        id: section.name.clone(),
        preference,
        provider: COMMAND.to_owned(),
        model: name.to_owned(),
        lineage,
        lineage_source,
        edges,
        context_tokens,
        max_output_tokens: output_tokens(section, ANSWER_TOKENS, context_tokens),
        // What it spends elsewhere is between its operator and whom he pays.
        price: Some(own_price(section)?.unwrap_or_else(|| Price::flat(0, 0))),
        price_as_of: None,
    };
    Ok((engine, command))
}

/// A program by its absolute path, or by its name in one of the folders of `PATH`.
fn find_program(program: &str, environment: Environment<'_>) -> Result<PathBuf> {
    let path = PathBuf::from(program);
    if path.is_absolute() {
        return Ok(path);
    }
    if program.is_empty() || program.contains('/') {
        bail!("`{program}` is neither a name nor an absolute path");
    }
    let folders = environment("PATH").unwrap_or_default();
    std::env::split_paths(&folders)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .with_context(|| format!("the program `{program}` is in no folder of PATH"))
}

/// The price that the operator gives, in both parts.
fn own_price(section: &ModelSection) -> Result<Option<Price>> {
    match (section.input_usd, section.output_usd) {
        (Some(input), Some(output)) => Ok(Some(Price::flat(micro_usd(input)?, micro_usd(output)?))),
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => bail!("give `input_usd` and `output_usd`, or neither"),
    }
}

/// How many tokens an answer may have: what is asked for, and never more than half of the context.
fn output_tokens(section: &ModelSection, most: u32, context_tokens: u32) -> u32 {
    section.max_output_tokens.unwrap_or(most).min(context_tokens / 2).max(256)
}

fn remote(
    section: &ModelSection,
    (provider_id, model): (&str, &str),
    preference: usize,
    catalogue: &Catalogue,
    families: &Families,
    environment: Environment<'_>,
) -> Result<(Engine, Endpoint)> {
    let provider = catalogue.provider(provider_id).with_context(|| {
        format!("`{provider_id}` is no provider; known are {}", known_providers(catalogue))
    })?;
    let own_url = section.base_url.clone().or_else(|| environment(&provider.base_url_variable));
    let is_custom = own_url.is_some();
    let address = own_url.or_else(|| provider.base_url.clone()).with_context(|| {
        format!("it has no address of its own: set {} or `base_url`", provider.base_url_variable)
    })?;
    let plain_http = if section.plain_http { PlainHttp::Allowed } else { PlainHttp::LoopbackOnly };
    let base_url = BaseUrl::parse(&address, plain_http)?;
    let key = key_of(provider, section.key_env.as_deref(), environment);
    if key.is_none() && !is_custom {
        let variable = section.key_env.as_ref().or(provider.key_variables.first());
        bail!("it has no key: set {}", variable.map_or("the provider's variable", String::as_str));
    }
    let entry = catalogue.model(provider_id, model);
    let (lineage, lineage_source, edges) = lineage(section, model, families)?;
    let context =
        entry.map_or(UNKNOWN_CONTEXT_TOKENS, |entry| u32::try_from(entry.context_tokens).unwrap_or(u32::MAX));
    let most_output = entry.map_or(ANSWER_TOKENS, |entry| entry.max_output_tokens.min(ANSWER_TOKENS));
    let price = match own_price(section)? {
        Some(price) => Some(price),
        None if base_url.is_loopback() => Some(Price::flat(0, 0)),
        None if is_custom => None,
        None => entry.and_then(|entry| entry.price.clone()),
    };
    let is_listed = section.input_usd.is_none() && !is_custom;
    let price_as_of =
        entry.filter(|entry| is_listed && entry.price.is_some()).map(|entry| entry.as_of.clone());
    let context_tokens = section.context_tokens.unwrap_or(context);
    let engine = Engine {
        id: section.name.clone(),
        preference,
        provider: provider_id.to_owned(),
        model: model.to_owned(),
        lineage,
        lineage_source,
        edges,
        context_tokens,
        max_output_tokens: output_tokens(section, most_output, context_tokens),
        price,
        price_as_of,
    };
    let mut dialect = provider.dialect();
    if is_custom {
        // What the provider's own server takes, others of its format may refuse.
        dialect.prompt_cache = PromptCacheField::Absent;
    }
    Ok((engine, Endpoint { base_url, key, wire: section.wire.unwrap_or(provider.wire), dialect }))
}

/// By name from the table; what the operator declares is added, and completes what the table does not know.
///
/// # Errors
/// A declared name is no family: a slip of the pen would make a model unrelated to its own maker's.
fn lineage(
    section: &ModelSection,
    model: &str,
    families: &Families,
) -> Result<(Lineage, LineageSource, Vec<Edge>)> {
    let Resolution { lineage: by_name, edges, .. } = families.resolve(model);
    let (lineage, source) = match &section.families {
        Some(declared) => {
            let mut lineage = declared_lineage(declared, families)?;
            lineage.families.extend(by_name.families);
            (lineage, LineageSource::Declared)
        }
        None if by_name.families.is_empty() => (by_name, LineageSource::Unknown),
        None => (by_name, LineageSource::Table),
    };
    Ok((lineage, source, edges))
}

/// Letter case and white space round a name do not count.
fn declared_lineage(declared: &[String], families: &Families) -> Result<Lineage> {
    const OWN: &str = "a family of your own goes into the table under [lineage] families";
    if declared.is_empty() {
        bail!("`families = []` names no family: leave it out where the families are not known");
    }
    for (index, name) in declared.iter().enumerate() {
        let family = Family::new(name);
        if families.knows(&family) {
            continue;
        }
        let near = families
            .names()
            .map(|known| (strsim::damerau_levenshtein(family.as_str(), known), known))
            .min()
            .filter(|(distance, _)| *distance <= family.as_str().len() / 2);
        let guess = near.map(|(_, known)| format!(" did you mean `{known}`?")).unwrap_or_default();
        bail!("at `families[{index}]`: `{name}` is no family;{guess} {OWN}");
    }
    Ok(Lineage::of(declared.iter().map(String::as_str)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Overrides, merge, read_operator_file};

    /// Builds a roster with these variables set.
    async fn roster(config: &str, variables: &[(&str, &str)]) -> Result<Roster, String> {
        let file = read_operator_file(config, "c.toml").map_err(|error| error.to_string())?;
        let config = merge(file, &Overrides::default()).expect("a good configuration");
        let http = HttpClient::new(models::Limits::default(), None).expect("a client");
        let environment =
            |name: &str| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned());
        build(&config, &Tables::embedded(), &http, &environment).await.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_program_is_a_model_once_its_families_are_declared() {
        let program = "[[model]]\nname = \"command/agent\"\ncommand = [\"sh\", \"-c\", \"true\"]\n";
        let path = ("PATH", "relative:/usr/bin:/bin");
        let declared = format!("{program}families = [\"mistral\"]\n");
        let Roster { engines, .. } = roster(&declared, &[path]).await.expect("a roster");
        assert_eq!((&*engines[0].id, &*engines[0].provider), ("command/agent", "command"));
        assert_eq!(engines[0].price, Some(Price::flat(0, 0)));
        assert_eq!(engines[0].lineage_source, LineageSource::Declared);
        assert!(engines[0].lineage.is_known());
        let priced = format!("{declared}input_usd = 1.0\noutput_usd = 2.0\n");
        let Roster { engines, .. } = roster(&priced, &[path]).await.expect("a roster");
        assert_eq!(engines[0].price, Some(Price::flat(1_000_000, 2_000_000)));

        let line = |line: &str| format!("{declared}{line}\n");
        let table = [
            (program.to_owned(), "declare it with `families"),
            (declared.replace("\"sh\"", "\"no-such-agent\""), "`no-such-agent` is in no folder of PATH"),
            (declared.replace("\"sh\"", "\"./sh\""), "neither a name nor an absolute path"),
            (declared.replace("\"sh\", \"-c\", \"true\"", ""), "say which program it is"),
            (line("environment = [\"AGENT_KEY\"]"), "it is given AGENT_KEY, which is not set"),
            (line("base_url = \"http://127.0.0.1:1\""), "a program has no `base_url`"),
            (line("wire = \"gemini\""), "a program has no `base_url`"),
            (line("max_seconds = 0"), "nonzero"),
            (line("input_usd = 1.0"), "or neither"),
            (
                declared.replace("mistral", "mistrall"),
                "at `families[0]`: `mistrall` is no family; did you mean",
            ),
            (declared.replace("command/agent", "local/agent"), "are for models named command/NAME"),
        ];
        for (config, expected) in table {
            let error = roster(&config, &[path]).await.err().expect(&config);
            assert!(error.contains(expected), "{error}\n{config}");
        }
    }

    #[tokio::test]
    async fn limits_are_the_operators_then_the_tables_and_names_are_checked() {
        let config = "[provider.anthropic]\ntokens_per_minute = 9\n[provider.openai]\nconcurrency = 3\n";
        let file = read_operator_file(config, "c.toml").expect("a good file");
        let config = merge(file, &Overrides::default()).expect("a good configuration");
        let catalogue = Catalogue::embedded();
        let limits = |provider| limits(provider, &config, &catalogue);
        let expected =
            PaceLimits { requests_per_minute: Some(50), tokens_per_minute: Some(9), concurrency: None };
        assert_eq!(limits("anthropic"), expected);
        assert_eq!(limits("openai"), PaceLimits { concurrency: Some(3), ..PaceLimits::default() });
        assert_eq!(limits(COMMAND), PaceLimits::default());
        let error = roster("[provider.antropic]\nconcurrency = 3\n", &[]).await.err().expect("a typo");
        assert!(error.contains("[provider.antropic]") && error.contains("anthropic, gemini"), "{error}");
        let error = roster("[provider.openai]\nconcurrency = 0\n", &[]).await.err().expect("zero");
        assert!(error.contains("nonzero"), "{error}");
    }

    #[tokio::test]
    async fn a_formats_name_is_checked() {
        let model = "[[model]]\nname = \"local/a\"\nbase_url = \"http://127.0.0.1:1\"\n";
        assert!(roster(&format!("{model}wire = \"anthropic\"\n"), &[]).await.is_ok());
        let error = roster(&format!("{model}wire = \"soap\"\n"), &[]).await.err().expect("unknown");
        assert!(error.contains("openai-responses"), "{error}");
    }
}
