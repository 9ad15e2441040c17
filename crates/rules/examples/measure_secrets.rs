//! Scores the secrets rules on labelled strings: precision, recall, and what was missed or taken for a secret.
//!
//! `cargo run --release -p rules --example measure_secrets -- STRINGS.jsonl`
//!
//! Each line of the file is a JSON object with `id`, `rule`, `label` (`secret` or `not-secret`) and `text`. Each text
//! becomes a file that a change adds.

#![expect(clippy::print_stdout, reason = "the score is the result")]

use review::change::{Content, Operation};
use review::text::{shorten, visible};
use review::{FileChange, Hunk, RepoPath};
use rules::{FileView, RuleOptions, review_file};
use serde::Deserialize;

#[derive(Deserialize)]
struct Labelled {
    id: String,
    rule: String,
    label: String,
    text: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: measure_secrets STRINGS.jsonl")?;
    let (mut hit, mut missed, mut wrong, mut quiet) = (0, 0, 0, 0);
    for line in std::fs::read_to_string(path)?.lines() {
        let labelled: Labelled = serde_json::from_str(line)?;
        let found = rules_found(&labelled.text);
        let shown = shorten(&visible(&labelled.text).replace('\n', "⏎"), 160);
        match (labelled.label.as_str(), found.as_slice()) {
            ("secret", []) => {
                missed += 1;
                println!("missed {} {}: {shown}", labelled.id, labelled.rule);
            }
            ("secret", _) => hit += 1,
            (_, []) => quiet += 1,
            (_, rules) => {
                wrong += 1;
                println!("wrong {} {} {rules:?}: {shown}", labelled.id, labelled.rule);
            }
        }
    }
    println!(
        "secrets found {hit}, missed {missed}; look-alikes left alone {quiet}, taken for secrets {wrong}"
    );
    println!(
        "precision {:.3}, recall {:.3}",
        f64::from(hit) / f64::from((hit + wrong).max(1)),
        f64::from(hit) / f64::from((hit + missed).max(1))
    );
    Ok(())
}

fn rules_found(text: &str) -> Vec<String> {
    let body: String = text.lines().map(|line| format!("+{line}\n")).collect();
    let file = FileChange {
        path: RepoPath::from("sample.txt"),
        old_path: None,
        operation: Operation::Added,
        modes: (None, Some(0o100_644)),
        content: Content::Text(vec![Hunk::new(0, 1, String::new(), body, false)]),
    };
    let report = review_file(&FileView::new(&file, None, None), &RuleOptions::default());
    let secrets = report.findings.into_iter().filter_map(|finding| finding.rule);
    secrets.filter(|rule| rule.starts_with("secrets/")).collect()
}
