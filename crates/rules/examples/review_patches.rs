//! Reviews patches by the rules, each with only the diff at hand, and counts what they say.
//!
//! `cargo run --release -p rules --example review_patches -- [--list] [--only RULES] [--predictions FOLDER] PATH…`
//!
//! Each path is a patch or a folder that is searched for `diff.patch`; the folder's name is the case's. `--only` takes the
//! rules whose id starts so. Predictions are written as `<case>.json`, a list of `{file, line_start, line_end,
//! severity, category, text}`.

#![expect(clippy::print_stdout, reason = "the report is the result")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use review::{Finding, Severity};
use rules::{FileView, RuleOptions, review_file};

#[derive(Default)]
struct Totals {
    changes: usize,
    files: usize,
    bytes: usize,
    time: Duration,
    medium_and_up: usize,
    by_rule: BTreeMap<(String, Severity), usize>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (mut list, mut only, mut predictions, mut paths) = (false, String::new(), None, Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--list" => list = true,
            "--only" => only = arguments.next().unwrap_or_default(),
            "--predictions" => predictions = arguments.next().map(PathBuf::from),
            path => paths.extend(patches(Path::new(path))?),
        }
    }
    let mut totals = Totals::default();
    for path in &paths {
        let case = path
            .parent()
            .and_then(Path::file_name)
            .map_or_else(String::new, |name| name.to_string_lossy().into());
        let findings = review_patch(path, &only, &mut totals)?;
        if list {
            for finding in &findings {
                let rule = finding.rule.as_deref().unwrap_or_default();
                let line = finding.lines.map_or(0, |(first, _)| first);
                let severity = finding.severity.name();
                println!(
                    "{case} {}:{line} {severity} {rule}\n    {}\n    {}",
                    finding.file, finding.quote, finding.body
                );
            }
        }
        if let Some(folder) = &predictions {
            std::fs::create_dir_all(folder)?;
            let rows: Vec<_> = findings.iter().map(prediction).collect();
            std::fs::write(folder.join(format!("{case}.json")), serde_json::to_string(&rows)?)?;
        }
    }
    for ((rule, severity), count) in &totals.by_rule {
        println!("{count:7} {:8} {rule}", severity.name());
    }
    println!(
        "{} changes, {} files, {:.1} MB in {:.2?}; {} findings of medium and up, {:.3} a change",
        totals.changes,
        totals.files,
        totals.bytes as f64 / 1e6,
        totals.time,
        totals.medium_and_up,
        totals.medium_and_up as f64 / totals.changes.max(1) as f64
    );
    Ok(())
}

fn patches(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(patches(&path)?);
        } else if path.file_name().is_some_and(|name| name == "diff.patch") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn review_patch(path: &Path, only: &str, totals: &mut Totals) -> std::io::Result<Vec<Finding>> {
    let bytes = std::fs::read(path)?;
    let parsed = review::diff::parse(&bytes);
    let options = RuleOptions::default();
    let started = Instant::now();
    let mut findings = Vec::new();
    for file in &parsed.files {
        findings.extend(review_file(&FileView::new(file, None, None), &options).findings);
    }
    totals.time += started.elapsed();
    findings.retain(|finding| finding.rule.as_deref().is_some_and(|rule| rule.starts_with(only)));
    totals.changes += 1;
    totals.files += parsed.files.len();
    totals.bytes += bytes.len();
    for finding in &findings {
        totals.medium_and_up += usize::from(finding.severity >= Severity::Medium);
        let rule = finding.rule.clone().unwrap_or_default();
        *totals.by_rule.entry((rule, finding.severity)).or_default() += 1;
    }
    Ok(findings)
}

fn prediction(finding: &Finding) -> serde_json::Value {
    serde_json::json!({
        "file": finding.file.as_str(),
        "line_start": finding.lines.map(|(first, _)| first),
        "line_end": finding.lines.map(|(_, last)| last),
        "severity": finding.severity.name(),
        "category": finding.category.as_str(),
        "rule": finding.rule,
        "text": format!("{}. {}", finding.title, finding.body),
    })
}
