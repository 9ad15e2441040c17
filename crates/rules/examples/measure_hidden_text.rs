//! Shows what the hidden-text rules say of sample files, each as a file that a change adds.
//!
//! `cargo run --release -p rules --example measure_hidden_text -- SAMPLES.jsonl`
//!
//! Each line of the file is a JSON object with `path` and `text`.

#![expect(clippy::print_stdout, reason = "the report is the result")]

use review::change::{Content, Operation};
use review::{FileChange, Hunk, RepoPath};
use rules::{FileView, RuleOptions, review_file};
use serde::Deserialize;

#[derive(Deserialize)]
struct Sample {
    path: String,
    text: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: measure_hidden_text SAMPLES.jsonl")?;
    let (mut flagged, mut total) = (0, 0);
    for line in std::fs::read_to_string(path)?.lines() {
        let sample: Sample = serde_json::from_str(line)?;
        let found = rules_found(&sample);
        total += 1;
        flagged += u32::from(!found.is_empty());
        println!("{:50} {}", sample.path, found.join(" "));
    }
    println!("{flagged} of {total} files have hidden text");
    Ok(())
}

fn rules_found(sample: &Sample) -> Vec<String> {
    let body: String = sample.text.split_terminator('\n').map(|line| format!("+{line}\n")).collect();
    let file = FileChange {
        path: RepoPath::from(sample.path.as_str()),
        old_path: None,
        operation: Operation::Added,
        modes: (None, Some(0o100_644)),
        content: Content::Text(vec![Hunk::new(0, 1, String::new(), body, false)]),
    };
    let report = review_file(&FileView::new(&file, None, None), &RuleOptions::default());
    let hidden = report.findings.into_iter().filter_map(|finding| {
        let rule = finding.rule?;
        rule.starts_with("hidden-text/").then(|| format!("{rule}={}", finding.severity.name()))
    });
    let mut found: Vec<String> = hidden.collect();
    found.dedup();
    found
}
