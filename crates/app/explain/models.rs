//! The roster: what each model descends from, what it costs, and when it would be recused.

use review::Family;
use review::attribution::Attribution;
use review::engine::{Engine, LineageSource, Price, Rates};
use review::lineage::EdgeKind;
use review::packet::family_words;
use review::panel::{Relation, list, relation};
use serde_json::json;
use service::models_check::Warning;

use super::attribution::author_words;
use super::{line, pretty};
use crate::args::ListFormat;

/// The roster, and who of it would be recused if this author had written a change.
pub(crate) fn models(engines: &[Engine], author: Option<&Attribution>, format: ListFormat) -> String {
    let relation_of = |engine: &Engine| author.map(|author| relation(&engine.lineage, &author.authors()));
    if format == ListFormat::Json {
        let models: Vec<_> = engines
            .iter()
            .map(|engine| {
                json!({ "id": engine.id, "lineage": engine.lineage, "lineage_source": engine.lineage_source,
                    "edges": engine.edges, "context_tokens": engine.context_tokens,
                    "max_output_tokens": engine.max_output_tokens, "price": engine.price,
                    "price_as_of": engine.price_as_of, "relation_to_author": relation_of(engine) })
            })
            .collect();
        return pretty(&json!({ "models": models }));
    }
    let mut text = String::new();
    if let Some(author) = author {
        line(&mut text, "author", &author_words(author));
    }
    if engines.is_empty() {
        line(&mut text, "models", "none is configured: only the rules can look");
    }
    for engine in engines {
        let how = match engine.lineage_source {
            LineageSource::Table => "by its name",
            LineageSource::Declared => "as declared",
            LineageSource::Unknown => "its name tells nothing",
        };
        text.push_str(&format!("{}\n", engine.id));
        let known = if engine.lineage.is_known() { "" } else { "; never counted as independent" };
        row(&mut text, "family", &format!("{}, {how}{known}", family_words(&engine.lineage)));
        for edge in engine.edges.iter().filter(|edge| edge.kind != EdgeKind::MadeBy) {
            let doubt = if edge.certain { "" } else { ", uncertain" };
            let counts = if edge.kind.is_descent() { "" } else { "; not counted as descent" };
            let words = format!(
                "{} {} {} ({}, {}{doubt}{counts})",
                edge.model,
                edge.kind.words(),
                edge.from,
                edge.source,
                edge.date
            );
            row(&mut text, "descent", &words);
        }
        let sizes = format!(
            "{} tokens, {} of them kept for the answer",
            engine.context_tokens, engine.max_output_tokens
        );
        row(&mut text, "context", &sizes);
        row(&mut text, "price", &price_words(engine));
        if let Some(relation) = relation_of(engine) {
            let of_unknown = author.is_some_and(|author| author.unknown_agent);
            let words = if of_unknown && relation == Relation::Unrelated {
                "cannot be said: nobody knows which model that author used".to_owned()
            } else {
                relation_words(&relation)
            };
            row(&mut text, "here", &words);
        }
    }
    text
}

fn row(text: &mut String, name: &str, value: &str) {
    line(text, &format!("  {name}"), value);
}

fn relation_words(relation: &Relation) -> String {
    match relation {
        Relation::NoLineage | Relation::Unrelated => {
            "not recused: it shares no family with that author".to_owned()
        }
        Relation::Related { families } => {
            format!("recused: it shares {} with that author", list(families.iter().map(Family::as_str)))
        }
        Relation::UnknownLineage => {
            "not counted as independent: nobody knows all that it descends from".to_owned()
        }
    }
}

fn price_words(engine: &Engine) -> String {
    let Some(price) = &engine.price else {
        return "unknown; under a cap it is not asked unless `input_usd` and `output_usd` are given"
            .to_owned();
    };
    let since = engine.price_as_of.as_ref().map(|month| format!(", as of {month}")).unwrap_or_default();
    let tiers: Vec<String> = Vec::<Rates>::from(Price::clone(price)).iter().map(tier_words).collect();
    match tiers.as_slice() {
        [only] if only == "0 USD in, 0 out" => "free".to_owned(),
        tiers => format!("per million tokens: {}{since}", tiers.join("; ")),
    }
}

fn tier_words(rates: &Rates) -> String {
    let cached = rates.cached_input.map(|rate| format!(" ({} cached)", rounded(rate))).unwrap_or_default();
    let words = format!("{} USD in{cached}, {} out", rounded(rates.input), rounded(rates.output));
    match rates.above_input_tokens {
        0 => words,
        above => format!("above {above} tokens in, {words}"),
    }
}

/// Micro-USD as USD without trailing zeros.
fn rounded(micro: u64) -> String {
    let text = format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What `recuse models check` found.
pub(crate) fn model_warnings(warnings: &[Warning], looked_at: usize) -> String {
    let mut text = String::new();
    for warning in warnings {
        line(&mut text, "warning", &format!("{}: {}", warning.subject, warning.finding));
        line(&mut text, "", &format!("→ {}", warning.remedy));
    }
    if warnings.is_empty() {
        line(&mut text, "ok", &format!("{looked_at} names and prices looked at, nothing to say"));
    }
    text
}
