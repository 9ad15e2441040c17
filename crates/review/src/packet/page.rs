//! The page about the packet: every field with what it holds and who it is from, made from the published schema, behind
//! a beginning that people wrote.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::PacketV1;
use crate::verify::UNCHECKED;

/// The page in Markdown.
pub fn page() -> String {
    let schema = PacketV1::json_schema();
    let mut page = include_str!("page.md").to_owned();
    page.push_str("\n## What only the record and the signature protect\n\n");
    page.push_str(
        "With the record (`--receipts`) `recuse verify` finds a change of any field; so it does with a signature or a \
         digest that somebody was told. The check `replay` apart, these are what a change goes unnoticed of. A test \
         changes every field of two packets, one at a time, and holds this list to what it finds.\n\n",
    );
    page.push_str("| field | what it is |\n|---|---|\n");
    for (field, what) in UNCHECKED {
        let _ = writeln!(page, "| `{field}` | {what} |");
    }
    page.push_str("\n## Fields\n");
    let mut seen = BTreeSet::new();
    section(&schema, "PacketV1", &schema, &mut seen, &mut page);
    page
}

/// A kind of value, then those that it holds.
fn section(schema: &Value, name: &str, kind: &Value, seen: &mut BTreeSet<String>, page: &mut String) {
    if !seen.insert(name.to_owned()) {
        return;
    }
    let title = name.strip_suffix("V1").unwrap_or(name);
    let _ = write!(page, "\n### {title}\n\n{}\n\n", described(kind));
    if let Some(fields) = kind["properties"].as_object() {
        page.push_str("| field | type | what | from |\n|---|---|---|---|\n");
        for (field, value) in fields {
            let (what, is) = (described(value).replace('\n', " "), type_of(value));
            let _ = writeln!(page, "| `{field}` | {is} | {what} | {} |", source(name, field));
        }
    }
    for variant in kind["oneOf"].as_array().into_iter().flatten() {
        let what = described(variant);
        match (&variant["const"], &variant["properties"]) {
            (Value::String(constant), _) => {
                let _ = writeln!(page, "- `{constant}`: {what}");
            }
            (_, Value::Object(fields)) => {
                let _ = writeln!(page, "- {}: {what}", variant_fields(fields));
            }
            (_, _) => {}
        }
    }
    let mut references = Vec::new();
    collect(kind, &mut references);
    for name in references {
        section(schema, &name, &schema["$defs"][&name], seen, page);
    }
}

/// `kind` = `related`, `families`: list of Family.
fn variant_fields(fields: &Map<String, Value>) -> String {
    let one = |(name, value): (&String, &Value)| match value["const"].as_str() {
        Some(constant) => format!("`{name}` = `{constant}`"),
        None => format!("`{name}` ({})", type_of(value)),
    };
    let (constant, others): (Vec<_>, Vec<_>) =
        fields.iter().partition(|(_, value)| value["const"].is_string());
    constant.into_iter().chain(others).map(one).collect::<Vec<_>>().join(", ")
}

fn described(value: &Value) -> &str {
    value["description"].as_str().unwrap_or_default()
}

fn type_of(value: &Value) -> String {
    if let Some(name) = value["$ref"].as_str() {
        return linked(name);
    }
    if let Some(options) = value["anyOf"].as_array() {
        let some = options.iter().find(|option| option["type"] != "null").map(type_of);
        return format!("{} or null", some.unwrap_or_default());
    }
    let (name, or_null) = match &value["type"] {
        Value::String(name) => (name.as_str(), ""),
        Value::Array(names) => (names[0].as_str().unwrap_or_default(), " or null"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => ("", ""),
    };
    let is = match (name, &value["items"], &value["prefixItems"]) {
        ("array", _, Value::Array(items)) => format!("list of {} {}", items.len(), type_of(&items[0])),
        ("array", items, _) => format!("list of {}", type_of(items)),
        (name, _, _) => name.to_owned(),
    };
    format!("{is}{or_null}")
}

fn linked(reference: &str) -> String {
    let name = reference.rsplit('/').next().unwrap_or_default();
    let title = name.strip_suffix("V1").unwrap_or(name);
    format!("[{title}](#{})", title.to_ascii_lowercase())
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("$defs", _) => {}
                    ("$ref", Value::String(name)) => {
                        references.push(name.rsplit('/').next().unwrap_or_default().to_owned());
                    }
                    (_, _) => collect(value, references),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Who a field is from: `recuse` where our code computed it.
fn source(kind: &str, field: &str) -> &'static str {
    const AUTHOR: &str = "the author, quoted";
    const MODEL: &str = "a model, quoted";
    const PROVIDER: &str = "the provider";
    const OPERATOR: &str = "the operator";
    const REPOSITORY: &str = "the repository";
    const TABLE: &str = "a table, with its source";
    const REVIEWER: &str = "the leading reviewer, quoted";
    const CLOCK: &str = "the clock";
    match (kind, field) {
        ("RunV1", "id") => "chance",
        ("RunV1", "started_at" | "elapsed_ms") | ("CallV1", "elapsed_ms") => CLOCK,
        ("SubjectV1", "source") => OPERATOR,
        ("SubjectV1" | "FileV1" | "HouseRuleV1", "labels" | "given_bytes" | "cut_bytes") => "recuse",
        ("SubjectV1" | "FileV1" | "HouseRuleV1", _) => REPOSITORY,
        ("GoalV1", _) | ("EvidenceV1", "text") => AUTHOR,
        ("EvidenceV1", "agent" | "model" | "place") => "the traces that the author left",
        ("BudgetV1", _)
        | ("PanelV1", "policy" | "rules_only")
        | ("JudgementV1", "fail_on" | "required_checks" | "self_reported_checks")
        | ("EngineV1", "id") => OPERATOR,
        ("Check" | "CheckRecord", _) => "whoever `source` names",
        ("EngineV1", "lineage" | "lineage_source") => "a table, or the operator's declaration",
        ("EngineV1", "price" | "price_as_of") | ("Rates", _) => "a table, or the operator",
        ("EngineV1", "edges") | ("Edge", _) => TABLE,
        ("CallV1", "served_model" | "usage") | ("Usage", _) => PROVIDER,
        ("ClaimV1", "title" | "body" | "severity" | "category") => REVIEWER,
        ("ClaimV1", "quote") => "the change where `anchor` is `line`, else the reviewer",
        ("ExaminationV1", "reason" | "quote") | ("QuestionV1", "text") | ("SourceV1", "title") => MODEL,
        ("UnanchoredV1", "name" | "reason") => "recuse",
        ("UnanchoredV1", _) => MODEL,
        ("OutcomeV1", "examined") => "the reviewer, quoted",
        ("Exempt", "reason") => OPERATOR,
        _ => "recuse",
    }
}
