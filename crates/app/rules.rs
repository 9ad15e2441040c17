//! `recuse rules`: what the deterministic reviewer looks for.

use anyhow::anyhow;
use review::Lens;
use rules::{Example, Neighbour, RuleInfo, catalogue};
use serde_json::{Value, json};

use crate::args::{ListFormat, RulesCommand};
use crate::{Exit, Failure, terminal};

/// Lists the rules or shows one.
pub(crate) fn run(command: &RulesCommand) -> Result<Exit, Failure> {
    let text = match command {
        RulesCommand::List { format, lens } => list(*format, *lens),
        RulesCommand::Show { id } => show(id)?,
    };
    terminal::write_result(&text, None).map_err(Failure::ours)?;
    Ok(Exit::Verdict(0))
}

fn list(format: ListFormat, lens: Option<Lens>) -> String {
    let rules: Vec<RuleInfo> =
        catalogue().into_iter().filter(|rule| lens.is_none_or(|lens| rule.category.lens() == lens)).collect();
    match format {
        ListFormat::Json => {
            let rules: Vec<Value> = rules.iter().map(as_json).collect();
            format!("{:#}\n", json!({ "schema": "recuse/rules/v1", "rules": rules }))
        }
        ListFormat::Text => {
            let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
            let line = |rule: &RuleInfo| {
                format!("{:width$}  {:8}  {}\n", rule.id, rule.severity.name(), rule.summary)
            };
            let lines: String = rules.iter().map(line).collect();
            format!("{lines}\n{} rules; `recuse rules show ID` tells why one is there\n", rules.len())
        }
    }
}

fn as_json(rule: &RuleInfo) -> Value {
    let neighbour = |one: &Neighbour| json!({ "path": one.path, "before": one.before, "after": one.after });
    let example = |example: &Example| {
        json!({
            "path": example.path,
            "beside": example.beside.iter().map(neighbour).collect::<Vec<_>>(),
            "before": example.before,
            "after": example.after,
        })
    };
    json!({
        "id": rule.id,
        "lens": rule.category.lens().name(),
        "category": rule.category.as_str(),
        "severity": rule.severity.name(),
        "summary": rule.summary,
        "reason": rule.reason,
        "reads": rule.needs.words(),
        "keywords": rule.keywords,
        "form": rule.form,
        "bad": rule.bad.as_ref().map(example),
        "good": rule.good.as_ref().map(example),
    })
}

fn show(id: &str) -> Result<String, Failure> {
    let rules = catalogue();
    let Some(rule) = rules.iter().find(|rule| rule.id == id) else {
        let distance = |rule: &&RuleInfo| strsim::damerau_levenshtein(id, rule.id);
        let nearest = rules.iter().min_by_key(distance).map_or("", |rule| rule.id);
        return Err(Failure::usage(anyhow!(
            "`{id}` is no rule; the nearest is `{nearest}` (`recuse rules list` has all)"
        )));
    };
    let mut text = format!(
        "{}\n{}\n\nseverity  {}\nlens      {}\ncategory  {}\nreads     {}\n\n{}\n",
        rule.id,
        rule.summary,
        rule.severity.name(),
        rule.category.lens().name(),
        rule.category.as_str(),
        rule.needs.words(),
        rule.reason
    );
    if !rule.form.is_empty() {
        text.push_str(&format!("\nform      {}\nkeywords  {}\n", rule.form, rule.keywords.join(", ")));
    }
    for (words, example) in [("Reported", &rule.bad), ("Left alone", &rule.good)] {
        let indented = |diff: &str| diff.lines().map(|line| format!("  {line}\n")).collect::<String>();
        let beside = |one: &Neighbour| match one.shown() {
            Some(diff) => format!("together with {}:\n{}", one.path, indented(&diff)),
            None => format!("beside {}, which stays as it was\n", one.path),
        };
        let shown = |example: &Example| {
            let beside: String = example.beside.iter().map(beside).collect();
            format!("\n{words}, in {}:\n{}{beside}", example.path, indented(&example.shown()))
        };
        text.extend(example.iter().map(shown));
    }
    Ok(text)
}
