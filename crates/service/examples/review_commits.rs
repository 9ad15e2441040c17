//! Lets the rules look at commits of a repository, each against its first parent and with whole files at hand.
//!
//! `review_commits [--only RULES] REPOSITORY COMMIT…` prints what they say, and counts it by rule and severity. `--only`
//! takes the rules whose id starts with one of a list, separated by commas. Commits whose objects are not all here, as in
//! a partial copy, are counted and skipped.

#![expect(clippy::print_stdout, reason = "the report is the result")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use git::{RangeRequest, Repository};
use review::text::visible;
use review::{Finding, Severity};
use rules::RuleOptions;
use service::rules_pass::{self, RulesPass};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    let mut only = String::new();
    if arguments.next_if(|argument| argument == "--only").is_some() {
        only = arguments.next().unwrap_or_default();
    }
    let folder = arguments.next().unwrap_or_default();
    let repository = Repository::open(Path::new(&folder))?;
    let wanted = |finding: &Finding| {
        let rule = finding.rule.as_deref().unwrap_or_default();
        only.split(',').any(|prefix| rule.starts_with(prefix))
    };
    let mut counts: BTreeMap<(String, Severity), usize> = BTreeMap::new();
    let (mut reviewed, mut skipped, mut medium_and_up, mut time) = (0, 0, 0, Duration::ZERO);
    for commit in arguments {
        let started = Instant::now();
        let Ok(pass) = review(&repository, &commit) else {
            skipped += 1;
            continue;
        };
        time += started.elapsed();
        reviewed += 1;
        for finding in pass.report.findings.iter().filter(|finding| wanted(finding)) {
            let rule = finding.rule.clone().unwrap_or_default();
            let (line, severity) = (finding.lines.map_or(0, |(first, _)| first), finding.severity.name());
            println!("{commit} {}:{line} {severity} {rule}", visible(finding.file.as_str()));
            println!("    {}\n    {}", finding.quote.trim(), finding.body);
            medium_and_up += usize::from(finding.severity >= Severity::Medium);
            *counts.entry((rule, finding.severity)).or_default() += 1;
        }
        for (_, question) in &pass.report.questions {
            println!("{commit} asks: {question}");
        }
        for (lens, file, reason) in &pass.report.failed {
            println!(
                "{commit} {} {} failed: {reason}",
                visible(pass.change.files[*file].path.as_str()),
                lens.name()
            );
        }
    }
    for ((rule, severity), count) in &counts {
        println!("{count:7} {:8} {rule}", severity.name());
    }
    println!(
        "{reviewed} commits in {time:.2?}, {skipped} skipped; {medium_and_up} findings of medium and up"
    );
    Ok(())
}

fn review(repository: &Repository, commit: &str) -> anyhow::Result<RulesPass> {
    let range = repository.range(&RangeRequest::Commit(commit.to_owned()))?;
    let change = repository.gather(&range)?;
    let shape = change.clone();
    let open = || Ok(Some(repository.blobs(&shape)?));
    rules_pass::run(change, &RuleOptions::default(), &open)
}
