//! Shows what the claims rules say of sample texts, each as a file that a change adds.
//!
//! `cargo run --release -p rules --example measure_claims -- [--list] SAMPLES.jsonl`
//!
//! Each line of the file is a JSON object with `text`, and perhaps `path` and `label` (`malicious` or `benign`).

#![expect(clippy::print_stdout, reason = "the report is the result")]

use std::collections::BTreeMap;

use review::change::{Content, Operation};
use review::text::{shorten, visible};
use review::{FileChange, Hunk, RepoPath};
use rules::{FileView, RuleOptions, review_file};
use serde::Deserialize;

#[derive(Deserialize)]
struct Sample {
    #[serde(default)]
    path: String,
    #[serde(default)]
    label: String,
    text: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let list = arguments.iter().any(|argument| argument == "--list");
    let path = arguments.last().ok_or("usage: measure_claims [--list] SAMPLES.jsonl")?;
    let mut counts: BTreeMap<(String, bool), u32> = BTreeMap::new();
    for line in std::fs::read_to_string(path)?.lines() {
        let sample: Sample = serde_json::from_str(line)?;
        let found = rules_found(&sample);
        if list {
            let text = shorten(&visible(&sample.text).replace('\n', "⏎"), 120);
            println!("{:10} {:50} {} | {text}", sample.label, sample.path, found.join(" "));
        }
        *counts.entry((sample.label, !found.is_empty())).or_default() += 1;
    }
    for ((label, flagged), count) in counts {
        println!("{count:5} {label} {}", if flagged { "flagged" } else { "left alone" });
    }
    Ok(())
}

fn rules_found(sample: &Sample) -> Vec<String> {
    let body: String = sample.text.split_terminator('\n').map(|line| format!("+{line}\n")).collect();
    let path = if sample.path.is_empty() { "sample.txt" } else { &sample.path };
    let file = FileChange {
        path: RepoPath::from(path),
        old_path: None,
        operation: Operation::Added,
        modes: (None, Some(0o100_644)),
        content: Content::Text(vec![Hunk::new(0, 1, String::new(), body, false)]),
    };
    let report = review_file(&FileView::new(&file, None, None), &RuleOptions::default());
    let found = report.findings.into_iter().filter_map(|finding| {
        let rule =
            finding.rule.filter(|rule| rule.starts_with("claims/") || rule.starts_with("prompt-health/"))?;
        Some(format!("{rule}={}@{}", finding.severity.name(), finding.lines.map_or(0, |(first, _)| first)))
    });
    found.collect()
}
