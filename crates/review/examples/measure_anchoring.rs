//! Measures anchoring on the diffs of a folder of cases, and prints the result as Markdown.
//!
//!     cargo run --release -p review --example measure_anchoring CASES [COUNT]
//!
//! COUNT (1,000) lines that the diffs changed are quoted truly, in ways in which models quote, and corrupted, in ways in
//! which they invent. A true quote should be anchored, a corrupted one should not. Lines of known issues (`gold.json`) are
//! quoted too. The same folder gives the same figures: the draws follow from a fixed seed.
#![expect(clippy::disallowed_methods, reason = "a measurement reads files; the crate does not")]
#![expect(clippy::print_stdout, reason = "the tables are what it is for")]

use std::path::{Path, PathBuf};

use review::agreement::Share;
use review::anchor::{Anchor, FileTexts, anchor};
use review::diff::change_from_patch;
use review::{Category, Change, Finding, Lens, LineKind, Severity, Side};
use serde::Deserialize;

#[derive(Deserialize)]
struct GoldRow {
    file: Option<String>,
    line_start: Option<u32>,
    line_end: Option<u32>,
}

/// One to three lines of a diff that follow each other on one side.
struct Quote {
    case: usize,
    file: usize,
    side: Side,
    lines: (u32, u32),
    text: String,
}

/// Draws numbers: splitmix64.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound.max(1) as u64).expect("it is below the bound")
    }
}

/// A way to quote: what becomes of the text, of the file's name and of the line's number.
type Way = (&'static str, fn(&Quote, &str, &mut Draw) -> (String, String, u32));

const TRUE_WAYS: [Way; 11] = [
    ("word for word", |quote, path, _| (quote.text.clone(), path.into(), quote.lines.0)),
    ("at a wrong line number", |quote, path, draw| {
        (quote.text.clone(), path.into(), quote.lines.0 + 1 + u32::try_from(draw.below(200)).unwrap_or(1))
    }),
    ("without indentation", |quote, path, _| {
        let lines: Vec<&str> = quote.text.lines().map(str::trim).collect();
        (lines.join("\n"), path.into(), quote.lines.0)
    }),
    ("with other white space", |quote, path, _| {
        (quote.text.replace(' ', "  ").replace('\t', "    "), path.into(), quote.lines.0)
    }),
    ("with the prompt's markers", |quote, path, _| {
        let marked =
            (quote.lines.0..).zip(quote.text.lines()).map(|(number, line)| format!("+{number}| {line}"));
        (marked.collect::<Vec<_>>().join("\n"), path.into(), quote.lines.0)
    }),
    ("under the file's name without folders", |quote, path, _| {
        (quote.text.clone(), path.rsplit('/').next().unwrap_or(path).into(), quote.lines.0)
    }),
    ("under the diff's `b/` path", |quote, path, _| (quote.text.clone(), format!("b/{path}"), quote.lines.0)),
    ("with the diff's `+` or `-`", |quote, path, _| {
        let marker = if quote.side == Side::Head { '+' } else { '-' };
        let lines = quote.text.lines().map(|line| format!("{marker}{line}"));
        (lines.collect::<Vec<_>>().join("\n"), path.into(), quote.lines.0)
    }),
    ("in backticks", |quote, path, _| {
        let marks = if quote.text.contains('\n') { ("```\n", "\n```") } else { ("`", "`") };
        (format!("{}{}{}", marks.0, quote.text.trim(), marks.1), path.into(), quote.lines.0)
    }),
    ("cut off with `...`", |quote, path, _| {
        let words: Vec<&str> = quote.text.trim().split(' ').collect();
        let kept = &words[..words.len().div_ceil(2).max(1)];
        (format!("{} ...", kept.join(" ")), path.into(), quote.lines.0)
    }),
    ("part of a line", |quote, path, _| {
        let line = quote.text.lines().next().unwrap_or_default().trim();
        let words: Vec<&str> = line.split(' ').collect();
        let kept = words.len().div_ceil(2).max(1);
        (words[..kept].join(" "), path.into(), quote.lines.0)
    }),
];

/// A way to corrupt a text; `None` where it cannot be done to this one.
type Corruption = (&'static str, fn(&str, &str, &mut Draw) -> Option<String>);

const CORRUPTIONS: [Corruption; 8] = [
    ("a letter changed", |text, _, draw| {
        replace_word(text, draw, |word| {
            let changed = if word.ends_with('x') { 'y' } else { 'x' };
            let mut letters: Vec<char> = word.chars().collect();
            *letters.last_mut()? = changed;
            Some(letters.into_iter().collect())
        })
    }),
    ("a name replaced", |text, _, draw| replace_word(text, draw, |_| Some("previousValue".into()))),
    ("a word left out", |text, _, draw| {
        let words: Vec<&str> = text.split_whitespace().collect();
        if words.len() < 3 {
            return None;
        }
        let out = 1 + draw.below(words.len() - 2);
        Some([&words[..out], &words[out + 1..]].concat().join(" "))
    }),
    ("two words swapped", |text, _, draw| {
        let mut words: Vec<&str> = text.split_whitespace().collect();
        if words.len() < 2 {
            return None;
        }
        let at = draw.below(words.len() - 1);
        words.swap(at, at + 1);
        Some(words.join(" "))
    }),
    ("an operator turned", |text, _, _| {
        let turned = [
            ("==", "!="),
            ("!=", "=="),
            ("<=", "<"),
            (">=", ">"),
            ("&&", "||"),
            (" + ", " - "),
            (" = ", " += "),
        ];
        turned.iter().find(|(from, _)| text.contains(from)).map(|(from, to)| text.replacen(from, to, 1))
    }),
    ("a call added", |text, _, _| Some(format!("{} sanitize(input);", text.trim_end()))),
    ("written in capitals", |text, _, _| Some(text.to_uppercase())),
    ("a line of another change", |_, other, _| Some(other.to_owned())),
];

/// Replaces one word of four letters or more.
fn replace_word(text: &str, draw: &mut Draw, with: fn(&str) -> Option<String>) -> Option<String> {
    let is_word = |word: &&str| word.chars().count() >= 4;
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(is_word).collect();
    let word = words.get(draw.below(words.len()))?;
    let at = text.find(word)?;
    Some(format!("{}{}{}", &text[..at], with(word)?, &text[at + word.len()..]))
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("usage: measure_anchoring CASES [COUNT]");
    let count: usize = arguments.next().map_or(1_000, |count| count.parse().expect("a number"));
    let mut folders = Vec::new();
    cases(Path::new(&folder), &mut folders);
    let changes: Vec<Change> = folders
        .iter()
        .map(|folder| change_from_patch(&std::fs::read(folder.join("diff.patch")).expect("a diff")))
        .collect();
    let known = known_quotes(&folders, &changes);
    let mut draw = Draw(20_261_121);
    let drawn: Vec<Quote> = std::iter::repeat_with(|| draw_quote(&changes, &mut draw))
        .take(count.saturating_mul(1_000))
        .flatten()
        .take(count)
        .collect();
    println!(
        "{} changes; {} lines or runs of lines drawn, {} places of known issues.\n",
        changes.len(),
        drawn.len(),
        known.len()
    );
    println!(
        "| true quotes | of drawn lines: rejected | at another place | of known issues: rejected |\n|---|---|---|---|"
    );
    for way in &TRUE_WAYS {
        let (rejected, moved) = tell_truly(way, &drawn, &changes, &mut draw);
        let (known_rejected, _) = tell_truly(way, &known, &changes, &mut draw);
        println!("| {} | {} | {} | {} |", way.0, shown(rejected), shown(moved), shown(known_rejected));
    }
    println!("\n| corrupted quotes | caught | not caught, but they stand in the change |\n|---|---|---|");
    let mut all = (Share::default(), 0_u64);
    for (index, (name, corrupt)) in CORRUPTIONS.iter().enumerate() {
        // Each begins at another quote, and goes on until it could be done as often as the others.
        let mine = drawn.iter().cycle().skip(index * drawn.len() / CORRUPTIONS.len()).take(drawn.len());
        let (caught, stands) =
            invent(*corrupt, mine, count.div_ceil(CORRUPTIONS.len()), &drawn, &changes, &mut draw);
        all.0.hits += caught.hits;
        all.0.of += caught.of;
        all.1 += stands;
        println!("| {name} | {} | {stands} |", shown(caught));
    }
    println!("| all | {} | {} |", shown(all.0), all.1);
}

fn shown(share: Share) -> String {
    let (low, high) = share.interval().unwrap_or_default();
    let percent = share.value().unwrap_or_default() * 100.0;
    format!("{} of {} ({percent:.1} %, {:.1} to {:.1})", share.hits, share.of, low * 100.0, high * 100.0)
}

/// How many true quotes are rejected, and how many of the others are put at other lines than they are from.
fn tell_truly(way: &Way, quotes: &[Quote], changes: &[Change], draw: &mut Draw) -> (Share, Share) {
    let (mut rejected, mut moved) = (Share::default(), Share::default());
    for quote in quotes {
        let change = &changes[quote.case];
        let path = change.files[quote.file].path_on(quote.side).as_str();
        let (text, path, line) = way.1(quote, path, draw);
        let anchor = anchor(&finding(quote.side, &path, line, text), change, &FileTexts::default());
        rejected.of += 1;
        match anchor {
            Anchor::Unanchored { .. } => rejected.hits += 1,
            Anchor::Line { file, lines, .. } => {
                moved.of += 1;
                moved.hits += u64::from((file, lines.0) != (quote.file, quote.lines.0));
            }
            Anchor::File { .. } | Anchor::Elsewhere { .. } => moved.of += 1,
        }
    }
    (rejected, moved)
}

/// How many corrupted quotes are rejected, and how many of the others stand in the change word for word.
fn invent<'a>(
    corrupt: fn(&str, &str, &mut Draw) -> Option<String>,
    quotes: impl Iterator<Item = &'a Quote>,
    wanted: usize,
    all: &[Quote],
    changes: &[Change],
    draw: &mut Draw,
) -> (Share, u64) {
    let (mut caught, mut stands) = (Share::default(), 0);
    for quote in quotes {
        if caught.of == wanted as u64 {
            break;
        }
        let others: Vec<&Quote> = all.iter().filter(|other| other.case != quote.case).collect();
        let Some(other) = others.get(draw.below(others.len())) else { continue };
        let Some(text) = corrupt(&quote.text, &other.text, draw).filter(|text| *text != quote.text) else {
            continue;
        };
        let change = &changes[quote.case];
        let path = change.files[quote.file].path_on(quote.side).as_str();
        let found =
            anchor(&finding(quote.side, path, quote.lines.0, text.clone()), change, &FileTexts::default());
        caught.of += 1;
        if matches!(found, Anchor::Unanchored { .. }) {
            caught.hits += 1;
        } else {
            stands += u64::from(stands_in(&text, change));
        }
    }
    (caught, stands)
}

/// Whether a text's lines all stand in the change, white space aside.
fn stands_in(text: &str, change: &Change) -> bool {
    let fold = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = change
        .files
        .iter()
        .flat_map(|file| file.hunks())
        .flat_map(|hunk| hunk.lines())
        .map(|line| fold(line.text))
        .collect();
    text.lines().all(|wanted| lines.iter().any(|line| line.contains(&fold(wanted))))
}

fn finding(side: Side, path: &str, line: u32, quote: String) -> Finding {
    Finding {
        category: Category::parse("correctness/logic", Lens::Correctness),
        severity: Severity::Medium,
        file: path.into(),
        lines: Some((line, line)),
        side,
        quote,
        title: "a finding".into(),
        body: String::new(),
        rule: None,
    }
}

/// One to three lines from a changed one on; none where the draw hits nothing that says something.
fn draw_quote(changes: &[Change], draw: &mut Draw) -> Option<Quote> {
    let case = draw.below(changes.len());
    let files = &changes[case].files;
    let file = draw.below(files.len());
    let hunks = files.get(file)?.hunks();
    let hunk = hunks.get(draw.below(hunks.len()))?;
    let changed: Vec<_> = hunk.lines().filter(|line| line.kind != LineKind::Context).collect();
    let first = changed.get(draw.below(changed.len()))?;
    let side = if first.kind == LineKind::Removed { Side::Base } else { Side::Head };
    let from = first.number(side)?;
    quote_at(&changes[case], case, file, side, (from, from + u32::try_from(draw.below(3)).unwrap_or(0)))
}

/// The lines of a file at some numbers, as far as one hunk shows them; none where they say too little.
fn quote_at(change: &Change, case: usize, file: usize, side: Side, (from, to): (u32, u32)) -> Option<Quote> {
    let lines: Vec<(u32, &str)> = change.files[file]
        .hunks()
        .iter()
        .map(|hunk| {
            let numbered = hunk.lines().filter_map(|line| Some((line.number(side)?, line.text)));
            numbered.filter(|(number, _)| (from..=to).contains(number)).collect::<Vec<_>>()
        })
        .find(|lines| !lines.is_empty())?;
    let text = lines.iter().map(|(_, text)| text.trim_end_matches('\r')).collect::<Vec<_>>().join("\n");
    // What starts or ends empty has no place of its own, and a bracket is no quote.
    let says = lines.first()?.1.chars().filter(|c| c.is_alphanumeric()).count() >= 8;
    let ends = !lines.last()?.1.trim().is_empty();
    (says && ends).then(|| Quote { case, file, side, lines: (lines[0].0, lines[lines.len() - 1].0), text })
}

/// Up to three lines of each known issue that has lines in its diff.
fn known_quotes(folders: &[PathBuf], changes: &[Change]) -> Vec<Quote> {
    let mut quotes = Vec::new();
    for (case, folder) in folders.iter().enumerate() {
        let text = std::fs::read_to_string(folder.join("gold.json")).unwrap_or_else(|_| "[]".into());
        let rows: Vec<GoldRow> = serde_json::from_str(&text).expect("known issues");
        for row in rows {
            let (Some(path), Some(start)) = (row.file, row.line_start) else { continue };
            let end = row.line_end.unwrap_or(start).min(start + 2);
            let file = changes[case].files.iter().position(|file| file.path.as_str() == path);
            quotes
                .extend(file.and_then(|file| quote_at(&changes[case], case, file, Side::Head, (start, end))));
        }
    }
    quotes
}

/// The folders below that hold a diff, by name.
fn cases(folder: &Path, found: &mut Vec<PathBuf>) {
    if folder.join("diff.patch").exists() {
        found.push(folder.to_owned());
        return;
    }
    let mut below: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("could not read {}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    below.sort();
    below.iter().for_each(|folder| cases(folder, found));
}
