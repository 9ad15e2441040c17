//! Reviews every file below a folder as if a change added it, to see what the rules say of text that nobody suspects,
//! and how fast.
//!
//! `cargo run --release -p rules --example review_folder -- [--list] FOLDER…`

#![expect(clippy::print_stdout, reason = "the report is the result")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use review::change::{Content, Operation};
use review::{FileChange, Hunk, RepoPath};
use rules::{Examined, FileView, RuleOptions, review_file};

#[derive(Default)]
struct Totals {
    files: usize,
    bytes: usize,
    time: Duration,
    slowest: (Duration, PathBuf),
    by_rule: BTreeMap<String, usize>,
    not_examined: usize,
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let list = arguments.iter().any(|argument| argument == "--list");
    let mut totals = Totals::default();
    for folder in arguments.iter().filter(|argument| *argument != "--list") {
        visit(Path::new(folder), list, &mut totals)?;
    }
    for (rule, count) in &totals.by_rule {
        println!("{count:7} {rule}");
    }
    println!(
        "{} files, {:.1} MB in {:.2?} ({:.0} MB/s); {} not examined for lack of budget; slowest {:.0?} {}",
        totals.files,
        totals.bytes as f64 / 1e6,
        totals.time,
        totals.bytes as f64 / 1e6 / totals.time.as_secs_f64(),
        totals.not_examined,
        totals.slowest.0,
        totals.slowest.1.display()
    );
    Ok(())
}

fn visit(path: &Path, list: bool, totals: &mut Totals) -> std::io::Result<()> {
    if path.is_symlink() {
        return Ok(());
    }
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            visit(&entry?.path(), list, totals)?;
        }
        return Ok(());
    }
    let Ok(text) = String::from_utf8(std::fs::read(path)?) else { return Ok(()) };
    let body: String = text.split_terminator('\n').map(|line| format!("+{line}\n")).collect();
    let file = FileChange {
        path: RepoPath::from(&*path.to_string_lossy()),
        old_path: None,
        operation: Operation::Added,
        modes: (None, Some(0o100_644)),
        content: Content::Text(vec![Hunk::new(0, 1, String::new(), body, false)]),
    };
    let started = Instant::now();
    let report = review_file(&FileView::new(&file, None, Some(&text)), &RuleOptions::default());
    let took = started.elapsed();
    totals.files += 1;
    totals.bytes += text.len();
    totals.time += took;
    if took > totals.slowest.0 {
        totals.slowest = (took, path.to_owned());
    }
    totals.not_examined +=
        report.examined.iter().filter(|(_, how)| matches!(how, Examined::Failed(_))).count();
    for finding in report.findings {
        let rule = finding.rule.unwrap_or_default();
        if list {
            println!("{}:{:?} {rule} {}", path.display(), finding.lines, finding.quote);
        }
        *totals.by_rule.entry(rule).or_default() += 1;
    }
    Ok(())
}
