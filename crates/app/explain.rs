//! Single decisions in words: what a change is, who wrote it, who reviews it, what is set up.

mod attribution;
mod models;
mod panel;

use std::fmt::Write as _;

use review::Change;
use review::classify::{Classification, lenses};
use review::packet::classification as classification_v1;
use review::text::visible;
use serde_json::json;
use service::doctor::{Diagnosis, Health};
use service::init::{Written, WrittenState};
use service::prompts::{Origin, Prompts};

use crate::args::ListFormat;
use crate::terminal;

pub(crate) use attribution::attribution;
pub(crate) use models::{model_warnings, models};
pub(crate) use panel::{panel, preview};

/// What a change is, and which lenses would look at it.
pub(crate) fn classification(change: &Change, classification: &Classification, format: ListFormat) -> String {
    let decisions = lenses(change, classification);
    if format == ListFormat::Json {
        let lenses: Vec<_> = decisions
            .iter()
            .map(|decision| json!({ "lens": decision.lens, "seated": decision.seated, "reason": decision.reason }))
            .collect();
        return pretty(&json!({ "classification": classification_v1(classification), "lenses": lenses }));
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
    text
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

/// `name      value`, with the value broken into lines as wide as the terminal; an empty name goes on from the line before.
pub(crate) fn line(text: &mut String, name: &str, value: &str) {
    hanging(text, &format!("{name:<9} "), "          ", value);
}

/// Breaks a value into lines, the first behind one beginning and the others behind another of the same width.
fn hanging(text: &mut String, first: &str, others: &str, value: &str) {
    let width = terminal::width().saturating_sub(others.len());
    let lines = report::wrap(value, width);
    if lines.is_empty() {
        let _ = writeln!(text, "{}", first.trim_end());
    }
    for (number, line) in lines.iter().enumerate() {
        let _ = writeln!(text, "{}{line}", if number == 0 { first } else { others });
    }
}

fn reasons(text: &mut String, reasons: &[String]) {
    for reason in reasons {
        line(text, "", &visible(reason));
    }
}
