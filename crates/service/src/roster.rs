//! The operator's roster: which models can be asked, and what they descend from.
//!
//! From the configuration and the flags where they name models; else from the environment: a key alone seats that
//! provider's default, a base URL alone asks its server what it has and refuses to guess among several.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use models::{BaseUrl, Catalogue, ChatModel, Endpoint, HttpClient, Model, PlainHttp, Provider};
use review::engine::{Engine, LineageSource, Price};
use review::{Families, Lineage};
use secrecy::SecretString;

use crate::config::{ModelSection, micro_usd};
use crate::places::Environment;

/// How long a server may take to say which models it has.
const LIST_PATIENCE: Duration = Duration::from_secs(10);

/// What is assumed of a model that no table knows: small enough for most local servers.
const UNKNOWN_CONTEXT_TOKENS: u32 = 32_768;

/// How many tokens an answer may have: some forty long findings. The wire's own bound is 16,384.
const ANSWER_TOKENS: u32 = 8_192;

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
/// cannot be asked for its models, or has several.
pub async fn build(
    sections: &[ModelSection],
    catalogue: &Catalogue,
    families: &Families,
    http: &HttpClient,
    environment: Environment<'_>,
) -> Result<Roster, RosterError> {
    build_from(sections, catalogue, families, http, environment).await.map_err(RosterError)
}

async fn build_from(
    sections: &[ModelSection],
    catalogue: &Catalogue,
    families: &Families,
    http: &HttpClient,
    environment: Environment<'_>,
) -> Result<Roster> {
    let found;
    let sections = if sections.is_empty() {
        found = from_environment(catalogue, http, environment).await?;
        &found
    } else {
        sections
    };
    let mut roster = Roster::default();
    for section in sections {
        if roster.engines.iter().any(|engine| engine.id == section.name) {
            bail!("the model `{}` is named twice", section.name);
        }
        let (engine, endpoint) = engine(section, catalogue, families, environment)
            .with_context(|| format!("could not use the model `{}`", section.name))?;
        roster.models.push(Arc::new(ChatModel::new(http.clone(), endpoint, &engine.model)));
        roster.engines.push(engine);
    }
    Ok(roster)
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
    let names = models::list_models(http, &base_url, key, deadline).await?;
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

fn engine(
    section: &ModelSection,
    catalogue: &Catalogue,
    families: &Families,
    environment: Environment<'_>,
) -> Result<(Engine, Endpoint)> {
    let (provider_id, model) = section
        .name
        .split_once('/')
        .filter(|(_, model)| !model.is_empty())
        .context("give it as PROVIDER/NAME")?;
    let provider = catalogue.provider(provider_id).with_context(|| {
        let known: Vec<&str> = catalogue.providers.iter().map(|provider| provider.id.as_str()).collect();
        format!("`{provider_id}` is no provider; known are {}", known.join(", "))
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
    let (lineage, lineage_source) = lineage(section, model, families);
    let context =
        entry.map_or(UNKNOWN_CONTEXT_TOKENS, |entry| u32::try_from(entry.context_tokens).unwrap_or(u32::MAX));
    let most_output = entry.map_or(ANSWER_TOKENS, |entry| entry.max_output_tokens.min(ANSWER_TOKENS));
    let price = match (section.input_usd, section.output_usd) {
        (Some(input), Some(output)) => Some(Price::flat(micro_usd(input)?, micro_usd(output)?)),
        (None, None) if base_url.is_loopback() => Some(Price::flat(0, 0)),
        (None, None) if is_custom => None,
        (None, None) => entry.and_then(|entry| entry.price.clone()),
        (Some(_), None) | (None, Some(_)) => bail!("give `input_usd` and `output_usd`, or neither"),
    };
    let is_listed = section.input_usd.is_none() && !is_custom;
    let price_as_of =
        entry.filter(|entry| is_listed && entry.price.is_some()).map(|entry| entry.as_of.clone());
    let context_tokens = section.context_tokens.unwrap_or(context);
    let engine = Engine {
        id: section.name.clone(),
        provider: provider_id.to_owned(),
        model: model.to_owned(),
        lineage,
        lineage_source,
        context_tokens,
        max_output_tokens: section.max_output_tokens.unwrap_or(most_output).min(context_tokens / 2).max(256),
        price,
        price_as_of,
    };
    Ok((engine, Endpoint { base_url, key, dialect: provider.dialect() }))
}

/// By name from the table; what the operator declares is added, and completes what the table does not know.
fn lineage(section: &ModelSection, model: &str, families: &Families) -> (Lineage, LineageSource) {
    let by_name = families.resolve(model).lineage;
    match &section.families {
        Some(declared) => {
            let mut lineage = Lineage::of(declared.iter().map(String::as_str));
            lineage.families.extend(by_name.families);
            (lineage, LineageSource::Declared)
        }
        None if by_name.families.is_empty() => (by_name, LineageSource::Unknown),
        None => (by_name, LineageSource::Table),
    }
}
