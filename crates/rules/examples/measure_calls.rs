//! Measures the rules on a set of cases: folders with a `diff.patch`, a `meta.json` and a `gold.json`, beside each other
//! in a folder `cases`.
//!
//! A case counts as found when a finding of the security lens stands within three lines of a line of its gold, or
//! anywhere in the file where the gold names no line; a case without gold counts as flagged when there is any.
//!
//! `cargo run --release -p rules --example measure_calls -- [--list] [--rule PREFIX] [--min SEVERITY] [--whole] FOLDER`
//!
//! With `--whole` a file whose text after the change stands in `after.txt`, or below `after`, is given as a whole, and what it was before
//! is worked out from the diff.

#![expect(clippy::print_stdout, reason = "the report is the result")]

use std::collections::BTreeMap;
use std::path::Path;

use review::{FileChange, Finding, LineKind, Severity};
use rules::{FileView, RuleOptions, review_file};
use serde_json::Value;

/// How far from the gold's lines a finding may stand.
const TOLERANCE: u64 = 3;

struct Options {
    list: bool,
    rule: String,
    least: Severity,
    whole: bool,
}

#[derive(Default)]
struct Group {
    with_gold: usize,
    found: usize,
    without_gold: usize,
    flagged: usize,
    findings: usize,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = Options { list: false, rule: "calls/".to_owned(), least: Severity::Low, whole: false };
    let mut folders = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--list" => options.list = true,
            "--whole" => options.whole = true,
            "--rule" => options.rule = arguments.next().unwrap_or_default(),
            "--min" => {
                let name = arguments.next().unwrap_or_default();
                options.least = Severity::from_name(&name).ok_or("no such severity")?;
            }
            _ => folders.push(argument),
        }
    }
    for folder in folders {
        measure(Path::new(&folder), &options)?;
    }
    Ok(())
}

fn measure(folder: &Path, options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    let mut rules: BTreeMap<String, usize> = BTreeMap::new();
    let mut cases: Vec<_> = std::fs::read_dir(folder.join("cases"))?.collect::<Result<_, _>>()?;
    cases.sort_by_key(std::fs::DirEntry::file_name);
    for case in cases {
        let path = case.path();
        let json = |name: &str| -> Result<Value, Box<dyn std::error::Error>> {
            Ok(serde_json::from_slice(&std::fs::read(path.join(name))?)?)
        };
        let (meta, gold) = (json("meta.json")?, json("gold.json")?);
        let gold = gold.as_array().cloned().unwrap_or_default();
        let findings = findings(&path, options)?;
        let hit = |finding: &Finding| gold.iter().any(|gold| is_near(finding, gold));
        let found = findings.iter().any(hit);
        let text = |key: &str| meta.get(key).and_then(Value::as_str).unwrap_or("-").to_owned();
        let name = case.file_name().to_string_lossy().into_owned();
        for key in ["all".to_owned(), text("language"), format!("{} {}", text("language"), text("cwe"))] {
            let group = groups.entry(key).or_default();
            group.findings += findings.len();
            if gold.is_empty() {
                group.without_gold += 1;
                group.flagged += usize::from(!findings.is_empty());
            } else {
                group.with_gold += 1;
                group.found += usize::from(found);
            }
        }
        for finding in &findings {
            *rules.entry(finding.rule.clone().unwrap_or_default()).or_default() += 1;
        }
        if options.list {
            println!("{name} gold {} found {found}", gold.len());
            for finding in &findings {
                println!(
                    "    {}:{:?} {} {}: {}\n      {}",
                    finding.file,
                    finding.lines.map(|lines| lines.0),
                    finding.severity.name(),
                    finding.rule.as_deref().unwrap_or_default(),
                    finding.quote.trim(),
                    finding.body
                );
            }
        }
    }
    println!(
        "{:24} {:>12} {:>16} {:>9}",
        folder.display().to_string().rsplit('/').next().unwrap_or(""),
        "found",
        "flagged",
        "findings"
    );
    for (name, group) in &groups {
        println!(
            "{name:24} {:4} of {:4} {:7} of {:4} {:9}",
            group.found, group.with_gold, group.flagged, group.without_gold, group.findings
        );
    }
    if let Some(all) = groups.get("all") {
        let (tp, fp) = (all.found as f64, all.flagged as f64);
        let recall = tp / (all.with_gold.max(1)) as f64;
        let precision = tp / (tp + fp).max(1.0);
        let false_rate = fp / (all.without_gold.max(1)) as f64;
        println!(
            "precision {precision:.3} recall {recall:.3} F1 {:.3} Youden {:.3}",
            2.0 * precision * recall / (precision + recall).max(1e-9),
            recall - false_rate
        );
    }
    for (rule, count) in rules {
        println!("{count:6} {rule}");
    }
    Ok(())
}

fn findings(case: &Path, options: &Options) -> Result<Vec<Finding>, Box<dyn std::error::Error>> {
    let diff = std::fs::read(case.join("diff.patch"))?;
    let mut found = Vec::new();
    for file in &review::diff::parse(&diff).files {
        let after = std::fs::read_to_string(case.join("after").join(file.path.as_str()))
            .or_else(|_| std::fs::read_to_string(case.join("after.txt")))
            .ok()
            .filter(|_| options.whole);
        let before = after.as_deref().map(|after| before(file, after));
        let view = FileView::new(file, before.as_deref(), after.as_deref());
        let report = review_file(&view, &RuleOptions::default());
        found.extend(report.findings.into_iter().filter(|finding| {
            finding.severity >= options.least
                && finding.rule.as_deref().is_some_and(|rule| rule.starts_with(&options.rule))
        }));
    }
    Ok(found)
}

/// Undoes a diff.
fn before(file: &FileChange, after: &str) -> String {
    let after: Vec<_> = after.split_inclusive('\n').collect();
    let mut before = String::new();
    let mut next = 1;
    for hunk in file.hunks() {
        let copied = after.iter().skip(next as usize - 1).take(hunk.new_start.saturating_sub(next) as usize);
        before.extend(copied.copied());
        next = hunk.new_start.max(next);
        for line in hunk.lines() {
            if line.kind != LineKind::Added {
                before.push_str(line.text);
                before.push('\n');
            }
            next = line.new.map_or(next, |number| number + 1);
        }
    }
    before.extend(after.iter().skip(next as usize - 1).copied());
    before
}

fn is_near(finding: &Finding, gold: &Value) -> bool {
    if gold.get("file").and_then(Value::as_str) != Some(finding.file.as_str()) {
        return false;
    }
    let number = |key: &str| gold.get(key).and_then(Value::as_u64);
    let (Some(first), Some((line, last_line))) = (number("line_start"), finding.lines) else { return true };
    let last = number("line_end").unwrap_or(first);
    u64::from(line) <= last + TOLERANCE && u64::from(last_line) + TOLERANCE >= first
}
