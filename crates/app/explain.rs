//! Single decisions in words: what a change is, who wrote it, who reviews it, what is set up.

mod attribution;
mod models;
mod panel;

use std::fmt::Write as _;

use anyhow::anyhow;
use review::Change;
use review::classify::{Classification, lenses};
use review::packet::classification as classification_v1;
use review::text::visible;
use serde_json::json;
use service::doctor::{Diagnosis, Health};
use service::init::{Written, WrittenState};
use service::prompts::{Origin, Prompts};

use crate::Failure;
use crate::args::Format;

pub(crate) use attribution::attribution;
pub(crate) use models::{model_warnings, models};
pub(crate) use panel::{panel, preview};

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

/// Whether JSON is wanted, of a command that has text and JSON only.
pub(crate) fn as_json(format: Format) -> Result<bool, Failure> {
    match format {
        Format::Text => Ok(false),
        Format::Json => Ok(true),
        Format::Markdown | Format::Sarif => Err(Failure::usage(anyhow!(
            "this command prints text or json; markdown and sarif are views of a review"
        ))),
    }
}

/// Micro-USD as USD with cents, and more digits below one cent.
fn usd(micro: u64) -> String {
    if micro < 10_000 {
        format!("{}.{:06} USD", 0, micro)
    } else {
        format!("{}.{:04} USD", micro / 1_000_000, micro % 1_000_000 / 100)
    }
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

/// A line with a name before it; an empty name goes on from the line before.
pub(crate) fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{name:<9} {value}");
}

fn reasons(text: &mut String, reasons: &[String]) {
    for reason in reasons {
        line(text, "", &visible(reason));
    }
}
