//! Measures "the same issue" on pairs of review comments that a judge compared, and prints the result as Markdown.
//!
//!     cargo run --release -p review --example measure_matching PAIRS [CASES]
//!
//! PAIRS has one JSON object a line: `golden`, `candidate`, `match` (0 or 1) and `pr_url`. Neither text has a place, so
//! the rule of `recuse eval` is measured by its words alone, and merging as if both were said about the same line.
//! CASES is a folder of cases: how many *different* known issues of one change within three lines of each other are
//! taken for one.
#![expect(clippy::disallowed_methods, reason = "a measurement reads files; the crate does not")]
#![expect(clippy::disallowed_types, reason = "a measurement reads files; the crate does not")]
#![expect(clippy::print_stdout, reason = "the tables are what it is for")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use review::agreement::{Known, Place, Said, Share, same_issue};
use review::anchor::Anchor;
use review::change::{Content, FileChange, Hunk, Operation, Source, Subject};
use review::merge::{Sourced, merge};
use review::wording::{SAME_ISSUE, Wording};
use review::{Category, Change, Digest, Finding, Lens, Lineage, Severity, Side};
use serde::Deserialize;

#[derive(Deserialize)]
struct PairRow {
    pr_url: String,
    golden: String,
    candidate: String,
    #[serde(rename = "match")]
    verdict: u8,
}

#[derive(Deserialize)]
struct GoldRow {
    file: Option<String>,
    line_start: Option<u32>,
    line_end: Option<u32>,
    text: Option<String>,
}

/// Right and wrong answers to "the same issue?".
#[derive(Clone, Copy, Default)]
struct Answers {
    right: u64,
    wrong: u64,
    missed: u64,
    refused: u64,
}

impl Answers {
    fn of(rows: impl Iterator<Item = (bool, bool)>) -> Self {
        let mut answers = Self::default();
        for (said, is_same) in rows {
            let cell = match (said, is_same) {
                (true, true) => &mut answers.right,
                (true, false) => &mut answers.wrong,
                (false, true) => &mut answers.missed,
                (false, false) => &mut answers.refused,
            };
            *cell += 1;
        }
        answers
    }

    fn precision(self) -> Share {
        Share { hits: self.right, of: self.right + self.wrong }
    }

    fn recall(self) -> Share {
        Share { hits: self.right, of: self.right + self.missed }
    }

    fn f1(self) -> f64 {
        let doubled = 2.0 * number(self.right);
        doubled / (doubled + number(self.wrong + self.missed)).max(1.0)
    }

    fn row(self, name: &str) {
        let false_positives = Share { hits: self.wrong, of: self.wrong + self.refused };
        let shown = |share: Share| {
            let (low, high) = share.interval().unwrap_or_default();
            format!("{:.3} ({low:.3} to {high:.3})", share.value().unwrap_or_default())
        };
        println!(
            "| {name} | {} | {} | {:.3} | {:.3} |",
            shown(self.precision()),
            shown(self.recall()),
            self.f1(),
            false_positives.value().unwrap_or_default()
        );
    }
}

fn number(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of pairs are far below 2^52")]
    let number = count as f64;
    number
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let pairs = arguments.next().expect("usage: measure_matching PAIRS [CASES]");
    let file = File::open(&pairs).unwrap_or_else(|error| panic!("could not open {pairs}: {error}"));
    let rows: Vec<PairRow> = BufReader::new(file)
        .lines()
        .map(|line| serde_json::from_str(&line.expect("UTF-8")).expect("a pair a line"))
        .collect();
    measure_pairs(&rows);
    if let Some(cases) = arguments.next() {
        let mut near = Vec::new();
        neighbours(Path::new(&cases), &mut near);
        let by = |same: &dyn Fn(&(String, String)) -> bool| near.iter().filter(|pair| same(pair)).count();
        println!("\n{} pairs of different known issues within three lines of each other:\n", near.len());
        println!(
            "- taken for one by the rule of `recuse eval`: {}",
            by(&|(a, b)| matched(a, b, Some((1, 1))))
        );
        println!("- merged into one claim: {}", by(&|(a, b)| merged(a, b)));
    }
}

fn measure_pairs(rows: &[PairRow]) {
    let same = rows.iter().filter(|row| row.verdict == 1).count();
    println!("{} pairs, of which the judge calls {same} the same.\n", rows.len());
    let scored: Vec<(f64, bool, &str)> = rows
        .iter()
        .map(|row| {
            let likeness = Wording::of(&row.golden).likeness(&Wording::of(&row.candidate));
            (likeness, row.verdict == 1, row.pr_url.as_str())
        })
        .collect();
    println!("Area under the curve of the likeness: {:.3}\n", area(&scored));
    println!("| rule | precision | recall | F1 | different pairs called the same |\n|---|---|---|---|---|");
    let all = |decide: &dyn Fn(&PairRow) -> bool| {
        Answers::of(rows.iter().map(|row| (decide(row), row.verdict == 1)))
    };
    all(&|row| matched(&row.golden, &row.candidate, None)).row("eval, no place known");
    all(&|row| matched(&row.golden, &row.candidate, Some((1, 1)))).row("eval, as if at one place");
    all(&|row| merged(&row.golden, &row.candidate)).row("merge, as if at one place");
    let (mean, thresholds) = cross_validated(&scored);
    println!(
        "\nThreshold chosen on half of the changes and tested on the other half, 20 times: F1 {mean:.3}, thresholds \
         {thresholds:?}; in use is {SAME_ISSUE}."
    );
}

/// Whether the rule of `recuse eval` takes two texts for the same, at one place or at none.
fn matched(known: &str, said: &str, lines: Option<(u32, u32)>) -> bool {
    let place = Place { file: "a".into(), lines };
    let places = lines.map(|_| place.clone()).into_iter().collect();
    let known = Known { places, lens: None, text: Some(Wording::of(known)) };
    same_issue(&Said { place, lens: Lens::Correctness, text: Wording::of(said) }, &known)
}

/// Whether two texts about the same line become one claim, when the category does not decide.
fn merged(a: &str, b: &str) -> bool {
    let sourced = |seat: usize, family: &str, text: &str| Sourced {
        finding: Finding {
            category: Category::parse("correctness/other", Lens::Correctness),
            severity: Severity::Medium,
            file: "a".into(),
            lines: Some((1, 1)),
            side: Side::Head,
            quote: "a line".into(),
            title: text.into(),
            body: String::new(),
            rule: None,
        },
        anchor: Anchor::Line { file: 0, side: Side::Head, lines: (1, 1) },
        seat,
        name: family.into(),
        lineage: Some(Lineage::of([family])),
        counts: true,
    };
    let change = Change {
        subject: Subject { source: Source::Patch, base: None, head: None, diff_digest: Digest::of(b"") },
        title: String::new(),
        body: String::new(),
        branch: None,
        commits: Vec::new(),
        files: vec![FileChange {
            path: "a".into(),
            old_path: None,
            operation: Operation::Added,
            modes: (None, None),
            content: Content::Text(vec![Hunk::new(0, 1, String::new(), "+a line\n".into(), false)]),
        }],
        gaps: Vec::new(),
    };
    merge(vec![sourced(0, "openai", a), sourced(1, "qwen", b)], &change).len() == 1
}

/// How often a pair that is the same is scored above one that is not; ties count half.
fn area(scored: &[(f64, bool, &str)]) -> f64 {
    let mut sorted: Vec<(f64, bool)> = scored.iter().map(|(score, same, _)| (*score, *same)).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut wins, mut start) = (0_u64, 0.0, 0);
    while start < sorted.len() {
        let tied = sorted[start..].iter().take_while(|row| row.0.total_cmp(&sorted[start].0).is_eq()).count();
        let same = sorted[start..start + tied].iter().filter(|row| row.1).count() as u64;
        let different = tied as u64 - same;
        wins += number(same) * (number(below) + number(different) / 2.0);
        below += different;
        start += tied;
    }
    wins / (number(below) * number(sorted.len() as u64 - below)).max(1.0)
}

/// The mean F1 on the halves that a threshold was not chosen on, and how often each threshold was chosen.
fn cross_validated(scored: &[(f64, bool, &str)]) -> (f64, BTreeMap<String, u32>) {
    let thresholds: Vec<f64> = (5..=35).map(|step| f64::from(step) / 50.0).collect();
    let f1 = |threshold: f64, half: &dyn Fn(&str) -> bool| {
        let rows = scored.iter().filter(|(_, _, change)| half(change));
        Answers::of(rows.map(|(score, same, _)| (*score >= threshold, *same))).f1()
    };
    let (mut sum, mut chosen) = (0.0, BTreeMap::new());
    for round in 0_u8..20 {
        // Which half a change is in follows from its name and the round.
        let first = move |change: &str| {
            Digest::of_parts([change.as_bytes(), &[round]]).as_str().as_bytes()[0].is_multiple_of(2)
        };
        let second = |change: &str| !first(change);
        let best = thresholds.iter().copied().max_by(|a, b| f1(*a, &first).total_cmp(&f1(*b, &first)));
        let best = best.expect("there are thresholds");
        *chosen.entry(format!("{best:.2}")).or_default() += 1;
        sum += f1(best, &second);
    }
    (sum / 20.0, chosen)
}

/// Pairs of known issues of one change, in one file, at most three lines apart, differently worded.
fn neighbours(folder: &Path, near: &mut Vec<(String, String)>) {
    let mut folders: Vec<_> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("could not read {}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .collect();
    folders.sort();
    for path in folders.iter().filter(|path| path.is_dir()) {
        neighbours(path, near);
    }
    let Ok(text) = std::fs::read_to_string(folder.join("gold.json")) else { return };
    let rows: Vec<GoldRow> = serde_json::from_str(&text).expect("known issues");
    for (index, a) in rows.iter().enumerate() {
        for b in &rows[index + 1..] {
            let (Some(a_start), Some(b_start)) = (a.line_start, b.line_start) else { continue };
            let (Some(a_text), Some(b_text)) = (&a.text, &b.text) else { continue };
            let (a_end, b_end) = (a.line_end.unwrap_or(a_start), b.line_end.unwrap_or(b_start));
            let close = a_start.saturating_sub(3) <= b_end && b_start.saturating_sub(3) <= a_end;
            if a.file == b.file && close && a_text != b_text {
                near.push((a_text.clone(), b_text.clone()));
            }
        }
    }
}
