//! Single decisions in words: what a change is, who wrote it, who reviews it, what is set up.

use std::fmt::Write as _;

use anyhow::anyhow;
use review::attribution::{Attribution, Evidence};
use review::classify::{Classification, lenses};
use review::packet::{attribution as attribution_v1, classification as classification_v1, family_words};
use review::panel::{Asked, Relation, Reviewer, list};
use review::text::visible;
use review::{Change, Family};
use serde_json::json;
use service::doctor::{Diagnosis, Health};
use service::init::{Written, WrittenState};
use service::prompts::{Origin, Prompts};
use service::review_one::Decided;

use crate::Failure;
use crate::args::Format;

/// What a change is, and which lenses would look at it.
pub(crate) fn classification(
    change: &Change,
    classification: &Classification,
    format: Format,
) -> Result<String, Failure> {
    let decisions = lenses(change, classification);
    if as_json(format)? {
        let lenses: Vec<_> = decisions
            .iter()
            .map(|decision| json!({ "lens": decision.lens, "seated": decision.seated, "reason": decision.reason }))
            .collect();
        return Ok(pretty(&json!({ "classification": classification_v1(classification), "lenses": lenses })));
    }
    let mut text = String::new();
    let size =
        format!("+{} -{} in {} files", classification.added, classification.removed, change.files.len());
    line(&mut text, "size", &size);
    line(&mut text, "risk", classification.risk.name());
    reasons(&mut text, &classification.risk_reasons);
    line(&mut text, "undo", classification.reversibility.name());
    reasons(&mut text, &classification.reversibility_reasons);
    for labelled in &classification.labels {
        line(&mut text, "label", labelled.label.name());
        reasons(&mut text, &labelled.reasons);
    }
    for decision in &decisions {
        let seated = if decision.seated { "seated" } else { "not seated" };
        line(&mut text, "lens", &format!("{}, {seated}: {}", decision.lens.name(), decision.reason));
    }
    Ok(text)
}

/// Who wrote a change, and every trace of it.
pub(crate) fn attribution(attribution: &Attribution, format: Format) -> Result<String, Failure> {
    if as_json(format)? {
        return Ok(pretty(&json!(attribution_v1(attribution))));
    }
    let mut text = String::new();
    line(&mut text, "author", &author_words(attribution));
    let recused = attribution.recused();
    if !recused.is_empty() {
        line(&mut text, "recused", &list(recused.iter().map(Family::as_str)));
    }
    for evidence in &attribution.evidence {
        line(&mut text, "evidence", &evidence_words(evidence));
    }
    if attribution.evidence.is_empty() {
        line(&mut text, "evidence", "none; that does not mean that a person wrote it");
    }
    Ok(text)
}

fn author_words(attribution: &Attribution) -> String {
    let families = list(attribution.families.iter().map(Family::as_str));
    let mut words = attribution.state().name().to_owned();
    if !attribution.families.is_empty() {
        let _ = write!(words, ": {families}");
    }
    if attribution.unknown_agent && !attribution.families.is_empty() {
        words.push_str(", and a model that nobody knows");
    }
    if !attribution.families.is_empty() && !attribution.vouched {
        words.push_str(" (the author's word; nobody vouches for it)");
    }
    words
}

fn evidence_words(evidence: &Evidence) -> String {
    let mut words = evidence.agent.clone().unwrap_or_else(|| "somebody".to_owned());
    if let Some(model) = &evidence.model {
        let _ = write!(words, " with {}", visible(model));
    }
    let _ = write!(
        words,
        " ({}), {}, at {}: {}",
        family_words(&evidence.lineage),
        evidence.strength.name(),
        visible(&evidence.place),
        visible(&evidence.text)
    );
    words
}

/// Who reviews a change, who is recused, and why.
pub(crate) fn panel(decided: &Decided, format: Format) -> Result<String, Failure> {
    let engines = &decided.roster.engines;
    let name = |reviewer: Reviewer| match reviewer {
        Reviewer::Rules => "rules".to_owned(),
        Reviewer::Model(engine) => engines[engine].id.clone(),
    };
    if as_json(format)? {
        let seats: Vec<_> = decided
            .panel
            .seats
            .iter()
            .map(|seat| {
                json!({ "lens": seat.lens, "reviewer": name(seat.reviewer), "relation": seat.relation,
                    "files": seat.files.len(), "reason": seat.reason })
            })
            .collect();
        let recused: Vec<_> = decided
            .panel
            .recused
            .iter()
            .map(|recusal| {
                json!({ "engine": engines[recusal.engine].id, "relation": recusal.relation, "reason": recusal.reason })
            })
            .collect();
        let lenses: Vec<_> = decided
            .panel
            .lenses
            .iter()
            .map(|lens| {
                json!({ "lens": lens.lens, "asked": lens.asked, "reason": lens.reason,
                    "unmet": lens.unmet.as_ref().map(|unmet| &unmet.reason) })
            })
            .collect();
        let author = attribution_v1(&decided.attribution);
        return Ok(pretty(
            &json!({ "attribution": author, "seats": seats, "recused": recused, "lenses": lenses }),
        ));
    }
    let mut text = String::new();
    line(&mut text, "author", &author_words(&decided.attribution));
    for recusal in &decided.panel.recused {
        let engine = &engines[recusal.engine];
        let families = family_words(&engine.lineage);
        line(&mut text, "recused", &format!("{} ({families}): {}", engine.id, recusal.reason));
    }
    for lens in &decided.panel.lenses {
        let asked = match lens.asked {
            Asked::Models | Asked::Rules => "asked",
            Asked::Nobody => "not asked",
            Asked::NotNeeded => "not needed",
        };
        line(&mut text, "lens", &format!("{}, {asked}: {}", lens.lens.name(), lens.reason));
        for seat in decided.panel.seats.iter().filter(|seat| seat.lens == lens.lens) {
            let related = match &seat.relation {
                Relation::NoLineage | Relation::Unrelated => "",
                Relation::Related { .. } => ", related",
                Relation::UnknownLineage => ", of unknown lineage",
            };
            let files = review::judge::plural(seat.files.len(), "file", "files");
            line(&mut text, "", &format!("{}{related}, {files}: {}", name(seat.reviewer), seat.reason));
        }
        if let Some(unmet) = &lens.unmet {
            line(&mut text, "", &format!("not enough: {}", unmet.reason));
        }
    }
    Ok(text)
}

/// What is set up.
pub(crate) fn diagnoses(diagnoses: &[Diagnosis]) -> String {
    let mut text = String::new();
    for diagnosis in diagnoses {
        let state = match diagnosis.state {
            Health::Good => "ok",
            Health::Weak => "weak",
            Health::Missing => "missing",
        };
        let _ = writeln!(text, "{state:<8} {}: {}", diagnosis.subject, diagnosis.finding);
        if let Some(remedy) = &diagnosis.remedy {
            let _ = writeln!(text, "{:<8} → {remedy}", "");
        }
    }
    text
}

/// Which files `init` wrote, and when each is in force.
pub(crate) fn written(written: &[Written]) -> String {
    let mut text = String::new();
    for file in written {
        let state = match file.state {
            WrittenState::New => "wrote",
            WrittenState::WasThere => "left as it was",
        };
        let _ = writeln!(text, "{state}: {}", file.path.display());
    }
    text.push_str(
        "\nWhat is in force, each over the one before: the built-in defaults; the operator's file (that of --config, \
         else the\none in the user's configuration folder); environment variables; flags. Last, the base branch's \
         .recuse.toml makes\nit stricter, never more lenient. A .recuse.toml in the work tree or in the change under \
         review is in force once it\nis merged.\n",
    );
    text
}

/// Every prompt file in a line.
pub(crate) fn prompts(prompts: &Prompts) -> String {
    let mut text = String::new();
    for template in &prompts.templates {
        let from = match template.origin {
            Origin::BuiltIn => "built in".to_owned(),
            Origin::Operator => template.name.clone(),
        };
        let (version, bytes) = (template.version, template.text.len());
        let digest = template.digest.short();
        let _ = writeln!(text, "{:<21} v{version:<3} {digest} {bytes:>5} bytes  {from}", template.id);
    }
    text
}

/// That prompt files can be used.
pub(crate) fn good_prompts(prompts: &Prompts) -> String {
    let theirs = prompts.templates.iter().filter(|template| template.origin == Origin::Operator);
    let names: Vec<&str> = theirs.map(|template| template.name.as_str()).collect();
    let mut text = format!("{} prompts can be used", prompts.templates.len());
    let _ = match names.len() {
        0 => writeln!(text, ", all of them built in"),
        count => writeln!(text, ", {count} of them the operator's: {}", names.join(", ")),
    };
    text
}

fn as_json(format: Format) -> Result<bool, Failure> {
    match format {
        Format::Text => Ok(false),
        Format::Json => Ok(true),
        Format::Markdown | Format::Sarif => Err(Failure::usage(anyhow!(
            "this command prints text or json; markdown and sarif are views of a review"
        ))),
    }
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{name:<9} {value}");
}

fn reasons(text: &mut String, reasons: &[String]) {
    for reason in reasons {
        line(text, "", &visible(reason));
    }
}
