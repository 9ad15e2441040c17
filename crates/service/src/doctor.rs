//! `recuse doctor`: what is set up, what is missing, and what helps. It asks no model anything.

mod app;

use std::path::Path;

use git::{RangeRequest, Repository};
use review::policy::Policy;
use review::{Families, Lineage};

use crate::config::Config;
use crate::places::{self, Environment};
use crate::review_one::Tables;
use crate::roster;

pub use app::examine_app;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// What was looked at: `git`, `models`…
    pub subject: &'static str,
    /// How it stands.
    pub state: Health,
    /// A sentence.
    pub finding: String,
    /// What helps, if something is to be done.
    pub remedy: Option<String>,
}

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// It works.
    Good,
    /// It works, and could be better.
    Weak,
    /// A review cannot be complete without it.
    Missing,
}

/// Looks at everything that a review needs.
pub async fn examine(
    folder: &Path,
    config: &Config,
    config_source: &str,
    tables: &Tables,
    environment: Environment<'_>,
) -> Vec<Diagnosis> {
    let mut all =
        vec![good("configuration", config_source.to_owned()), repository(folder), store(environment).await];
    all.extend(models(config, tables, environment).await);
    all
}

/// What is said of the repository at hand is about this.
pub const REPOSITORY: &str = "repository";

fn good(subject: &'static str, finding: String) -> Diagnosis {
    Diagnosis { subject, state: Health::Good, finding, remedy: None }
}

fn repository(folder: &Path) -> Diagnosis {
    let range = Repository::open(folder).and_then(|repository| repository.range(&RangeRequest::Default));
    match range {
        Ok(range) => good(REPOSITORY, format!("a review looks at {}", range.words())),
        Err(error) => missing(REPOSITORY, error.to_string(), "`--diff FILE` works without one"),
    }
}

fn missing(subject: &'static str, finding: String, remedy: &str) -> Diagnosis {
    Diagnosis { subject, state: Health::Missing, finding, remedy: Some(remedy.to_owned()) }
}

async fn store(environment: Environment<'_>) -> Diagnosis {
    let remedy = "set RECUSE_DATABASE_URL to a place that can be written, as in `sqlite:recuse.db`";
    let url = match places::database_url(environment) {
        Ok(url) => url,
        Err(error) => return missing("database", error.to_string(), remedy),
    };
    match store::open(&url).await {
        Ok(store) => {
            store.close().await;
            let kind = url.split(':').next().unwrap_or_default();
            good("database", format!("{kind} can be written; it keeps the ledger and the receipts"))
        }
        Err(error) => missing("database", format!("{error:#}"), remedy),
    }
}

async fn models(config: &Config, tables: &Tables, environment: Environment<'_>) -> Vec<Diagnosis> {
    if config.policy.offline {
        return vec![good("models", "none is to be asked: the rules alone look".to_owned())];
    }
    if !roster::is_configured(&config.models, &tables.catalogue, environment) {
        let remedy = roster::remedy(&tables.catalogue);
        return vec![missing("models", "none is configured, so only the rules can look".to_owned(), &remedy)];
    }
    let engines = match roster::list(config, tables, environment).await {
        Ok(engines) => engines,
        Err(error) => return vec![missing("models", format!("{error:#}"), "mend what the sentence names")],
    };
    let mut all: Vec<Diagnosis> = engines
        .iter()
        .map(|engine| {
            let families = review::packet::family_words(&engine.lineage);
            let price = if engine.price.is_some() { "priced" } else { "no known price" };
            if engine.lineage.is_known() {
                good("models", format!("{}: family {families}, {price}", engine.id))
            } else {
                Diagnosis {
                    subject: "models",
                    state: Health::Weak,
                    finding: format!("{}: not all of its ancestry is known ({families}), {price}", engine.id),
                    remedy: Some("declare it with `families = […]` in its [[model]]".to_owned()),
                }
            }
        })
        .collect();
    all.push(diversity(
        &engines.iter().map(|engine| &engine.lineage).collect::<Vec<_>>(),
        &tables.families,
        &config.policy,
    ));
    all
}

/// Whether the roster is enough whoever wrote a change.
fn diversity(lineages: &[&Lineage], families: &Families, policy: &Policy) -> Diagnosis {
    let known: Vec<&Lineage> = lineages.iter().copied().filter(|lineage| lineage.is_known()).collect();
    let unanswerable: Vec<String> = families
        .lineage_sets()
        .iter()
        .filter(|set| known.iter().all(|lineage| !lineage.families.is_disjoint(set)))
        .map(|set| set.iter().map(review::Family::as_str).collect::<Vec<_>>().join("+"))
        .collect();
    if unanswerable.is_empty() && !known.is_empty() {
        return good(
            "independence",
            "whichever known model writes a change, one of these is unrelated to it".to_owned(),
        );
    }
    let shown = unanswerable.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    Diagnosis {
        subject: "independence",
        state: Health::Weak,
        finding: format!(
            "changes written by {shown} have no unrelated reviewer here; the policy is `{}`",
            policy.independence.name()
        ),
        remedy: Some("add a model of one more family, or a local server".to_owned()),
    }
}
