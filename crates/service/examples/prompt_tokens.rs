//! How many tokens a review sends, how far its prompts begin alike, and what a provider's cache makes of that.
//!
//! `prompt_tokens [--all-lenses] [--dump DIR] (--synthetic LINES | --repo DIR COMMIT | FILE.patch)…`
//!
//! Every lens is seated once, all on one model; `--all-lenses` shows every file to every lens, which is the worst
//! case. The calls are made one after another against a cache that keeps the real bytes: what a call begins with and an
//! earlier one sent is read at the cached rate, if it has the model's least length, and what a call is told to have
//! remembered is written at the rate for that. Rates are those of `config/models.toml`; the least lengths are below, as
//! the providers state them. Tokens are `estimate_tokens`, which is on the high side. `--dump` writes each prompt to a
//! file, to be read.

use std::path::Path;

use anyhow::{Context as _, Result};
use git::{RangeRequest, Repository};
use models::{Catalogue, Message, Prompt};
use review::attribution::{AuthorshipInput, Declaration, Share, attribute};
use review::basis::Basis;
use review::classify::classify;
use review::engine::{Engine, LineageSource, Price, estimate_tokens};
use review::panel::{Reviewer, choose};
use review::policy::{Independence, Policy};
use review::{Change, CommitId, Digest, Lens};
use service::asks::{AskMaker, plan_asks};
use service::briefing::{BriefingInput, brief};
use service::fan_out::Ask;
use service::prompts::{Prompts, bytes_of, common_prefixes};
use service::review_one::{Decided, Tables};
use service::rules_pass;

/// Models whose caches are imitated, with the least tokens of a beginning that each keeps.
const CACHES: [(&str, &str, u32, Remembers); 6] = [
    ("openai", "gpt-5.4", 1_024, Remembers::EverythingSent),
    ("openai", "gpt-6-sol", 1_024, Remembers::WhatItIsTold),
    ("anthropic", "claude-opus-5", 512, Remembers::WhatItIsTold),
    ("anthropic", "claude-sonnet-5", 1_024, Remembers::WhatItIsTold),
    ("anthropic", "claude-sonnet-5-5", 1_024, Remembers::WhatItIsTold),
    ("anthropic", "claude-haiku-4-5", 4_096, Remembers::WhatItIsTold),
];

/// What a provider keeps.
#[derive(Clone, Copy)]
enum Remembers {
    /// The beginning of every prompt, without being asked.
    EverythingSent,
    /// The beginning up to a border that the caller names.
    WhatItIsTold,
}

/// Which files the lenses are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// Each lens those that concern it.
    AsClassified,
    /// Every lens every file.
    Everything,
}

struct Subject {
    name: String,
    change: Change,
    repository: Option<Repository>,
    base: Option<CommitId>,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut shown = Shown::AsClassified;
    let mut dump = None;
    let tables = Tables::embedded();
    let prompts = Prompts::embedded()?;
    while let Some(argument) = arguments.next() {
        let mut next = |what: &str| arguments.next().with_context(|| format!("{argument} needs {what}"));
        let subject = match argument.as_str() {
            "--all-lenses" => {
                shown = Shown::Everything;
                continue;
            }
            "--dump" => {
                dump = Some(next("a folder")?);
                continue;
            }
            "--synthetic" => {
                let lines: usize = next("a number of lines")?.parse()?;
                let patch = synthetic(lines);
                let change = review::diff::change_from_patch(patch.as_bytes());
                Subject { name: format!("synthetic {lines}"), change, repository: None, base: None }
            }
            "--repo" => {
                let repository = Repository::open(Path::new(&next("a repository")?))?;
                let range = repository.range(&RangeRequest::Commit(next("a commit")?))?;
                let change = repository.gather(&range)?;
                let (name, base) = (range.head.short().to_owned(), range.base.clone());
                Subject { name, change, repository: Some(repository), base }
            }
            file => {
                let bytes = std::fs::read(file).with_context(|| format!("could not read {file}"))?;
                let change = review::diff::change_from_patch(&bytes);
                Subject { name: file.to_owned(), change, repository: None, base: None }
            }
        };
        measure(&subject, shown, dump.as_deref().map(Path::new), &tables, &prompts)?;
    }
    Ok(())
}

fn measure(
    subject: &Subject,
    shown: Shown,
    dump: Option<&Path>,
    tables: &Tables,
    prompts: &Prompts,
) -> Result<()> {
    let decided = decide(subject, shown, tables)?;
    let shown_files: Vec<usize> = (0..subject.change.files.len())
        .filter(|file| decided.seated.wishes.iter().any(|wish| wish.model_files.contains(file)))
        .collect();
    let briefing = brief(&BriefingInput {
        original: &subject.change,
        redacted: &decided.basis.change,
        secrets: &decided.secrets,
        repository: subject.repository.as_ref(),
        base: subject.base.as_ref(),
        policy: &decided.basis.policy,
        shown: &shown_files,
        least_room_tokens: 200_000,
    })?;
    let run_id = "5".repeat(32);
    let sitting = decided.sitting(&briefing, &tables.families, &run_id);
    let material = sitting.material();
    let maker = AskMaker::new(&decided.basis.engines, &material, prompts, &run_id);
    let planned = plan_asks(&sitting, &maker, 24_000)?;
    let asks = &planned.asks;
    let all: Vec<&Prompt> = asks.iter().map(|ask| &ask.prompt).collect();
    let borders = common_prefixes(&all);
    let (added, removed) = subject.change.line_counts();
    let files = subject.change.files.len();
    say(&format!("\n{}: {files} files, +{added} -{removed}, {} calls", subject.name, asks.len()));
    let (mut most, mut largest) = (0, None);
    for lens in Lens::ALL {
        let of_lens: Vec<&Ask> = asks.iter().filter(|ask| ask.question.lens == lens).collect();
        let sent: u32 = of_lens.iter().map(|ask| tokens_of(&ask.prompt)).sum();
        if sent > most {
            (most, largest) = (sent, Some(lens));
        }
        if !of_lens.is_empty() {
            say(&format!("  {:<14} {sent:>7} tokens in {} calls", lens.name(), of_lens.len()));
        }
    }
    let sent: u32 = all.iter().map(|prompt| tokens_of(prompt)).sum();
    let shared: u32 = all
        .iter()
        .zip(&borders)
        .map(|(prompt, border)| border.map_or(0, |end| beginning(prompt, end).1))
        .sum();
    say(&format!(
        "  {:<14} {sent:>7} tokens, {} % of them in a shared beginning",
        "all",
        percent(shared, sent)
    ));
    for (provider, model, least, remembers) in CACHES {
        let price = price_of(provider, model, &tables.catalogue)?;
        let billed = bill(&all, &borders, &price, least, remembers);
        let alone: Vec<&Prompt> =
            asks.iter().filter(|ask| Some(ask.question.lens) == largest).map(|ask| &ask.prompt).collect();
        let alone = bill(&alone, &common_prefixes(&alone), &price, least, remembers);
        let ratio = billed as f64 / alone.max(1) as f64;
        say(&format!(
            "  {model:<18} billed as {billed:>7} tokens, the largest lens alone as {alone:>7}: {ratio:.2}"
        ));
    }
    if let Some(folder) = dump {
        std::fs::create_dir_all(folder)?;
        for ask in asks {
            let name = format!("{}-{}.txt", ask.question.lens.name(), ask.question.part + 1);
            std::fs::write(folder.join(name), beginning(&ask.prompt, usize::MAX).0)?;
        }
    }
    Ok(())
}

/// What is decided before anybody is asked, with one model in every seat.
fn decide(subject: &Subject, shown: Shown, tables: &Tables) -> Result<Decided> {
    let change = &subject.change;
    let repository = subject.repository.as_ref();
    let open = || Ok(repository.map(|repository| repository.blobs(change)).transpose()?);
    let rules = rules_pass::run(change.clone(), &rules::RuleOptions::default(), &open)?;
    let input = AuthorshipInput { declarations: &[Declaration::Human], ..AuthorshipInput::default() };
    let attribution = attribute(&input, &tables.agents, &tables.families);
    let engine = Engine {
        id: "provider/model".into(),
        preference: 0,
        provider: "provider".into(),
        model: "model".into(),
        lineage: review::Lineage::of(["qwen"]),
        lineage_source: LineageSource::Declared,
        edges: Vec::new(),
        context_tokens: 200_000,
        max_output_tokens: 8_192,
        price: None,
        price_as_of: None,
    };
    let basis = Basis {
        text_digest: Digest::of(b""),
        shares: vec![Share::whole(change, attribution.authors())],
        classification: classify(change, &tables.classify),
        lineage_sets: tables.families.lineage_sets(),
        policy: Policy { independence: Independence::Off, reviewers_per_lens: 1, ..Policy::default() },
        no_model_remedy: String::new(),
        checks: Vec::new(),
        engines: vec![engine],
        change: rules.change,
        rules: rules.report,
        attribution,
    };
    let mut seated = basis.seat();
    if shown == Shown::Everything {
        let all: Vec<usize> =
            (0..change.files.len()).filter(|&file| !change.files[file].hunks().is_empty()).collect();
        for wish in &mut seated.wishes {
            wish.model_files.clone_from(&all);
            wish.needed = true;
        }
        seated.panel = choose(&basis.panel_input(&seated.wishes));
    }
    seated.panel.seats.retain(|seat| seat.reviewer != Reviewer::Rules);
    Ok(Decided { basis, seated, models: Vec::new(), secrets: rules.secrets })
}

/// What the calls come to, one after another, in tokens at the full rate.
fn bill(
    prompts: &[&Prompt],
    borders: &[Option<usize>],
    price: &Price,
    least: u32,
    remembers: Remembers,
) -> u64 {
    let mut kept: Vec<String> = Vec::new();
    let mut cost = 0;
    for (prompt, border) in prompts.iter().zip(borders) {
        let whole = beginning(prompt, usize::MAX);
        let (cached, written) = match remembers {
            Remembers::EverythingSent => {
                let longest = kept.iter().map(|kept| common_bytes(kept, &whole.0)).max().unwrap_or(0);
                // It is kept in steps of 128 tokens.
                let cached = estimate_tokens(longest) / 128 * 128;
                kept.push(whole.0.clone());
                (if cached < least { 0 } else { cached }, 0)
            }
            Remembers::WhatItIsTold => match border.map(|end| beginning(prompt, end)) {
                Some((text, tokens)) if tokens >= least && kept.contains(&text) => (tokens, 0),
                Some((text, tokens)) if tokens >= least => {
                    kept.push(text);
                    (0, tokens)
                }
                Some(_) | None => (0, 0),
            },
        };
        cost += price.cost(&review::engine::Usage {
            input: u64::from(whole.1),
            cached_input: u64::from(cached),
            cache_write: u64::from(written),
            output: 0,
            reasoning: 0,
        });
    }
    let full = price.cost(&review::engine::Usage { input: 1_000, ..Default::default() });
    cost * 1_000 / full.max(1)
}

/// What a prompt begins with, as a provider reads it: schema, instructions, and the message up to a border.
fn beginning(prompt: &Prompt, end: usize) -> (String, u32) {
    let schema = prompt.answer.as_ref().map_or_else(String::new, |answer| answer.schema.to_string());
    let user = match &prompt.messages[0] {
        Message::User(text) => &text[..end.min(text.len())],
        Message::Assistant { .. } | Message::ToolResult { .. } => "",
    };
    let text = [&schema, &prompt.system, user].concat();
    let tokens = estimate_tokens(text.len());
    (text, tokens)
}

fn tokens_of(prompt: &Prompt) -> u32 {
    estimate_tokens(bytes_of(prompt))
}

fn common_bytes(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

fn price_of(provider: &str, model: &str, catalogue: &Catalogue) -> Result<Price> {
    let known =
        catalogue.model(provider, model).with_context(|| format!("{provider}/{model} is not known"))?;
    known.price.clone().with_context(|| format!("{provider}/{model} has no price"))
}

fn percent(part: u32, whole: u32) -> u64 {
    u64::from(part) * 100 / u64::from(whole.max(1))
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn say(line: &str) {
    println!("{line}");
}

/// Makes a line of text from a number.
type MakeLine = fn(usize) -> String;

/// A diff of about so many changed lines: code, tests, a migration, a workflow and instructions for agents, always the
/// same.
fn synthetic(lines: usize) -> String {
    let kinds: [(&str, usize, MakeLine); 5] = [
        ("src/orders/part_%.rs", 62, |n| {
            format!("    let total_{n} = order.items[{n}].price * rate.checked_mul({n})?;")
        }),
        ("tests/orders/part_%.rs", 22, |n| {
            format!("    assert_eq!(total(&order({n})), Some({}), \"order {n}\");", n * 7)
        }),
        ("migrations/%_orders.sql", 6, |n| {
            format!("ALTER TABLE orders ADD COLUMN rate_{n} numeric(12, 4) NOT NULL DEFAULT {n};")
        }),
        (".github/workflows/part_%.yml", 5, |n| {
            format!("      - run: cargo test --package orders --test part_{n} -- --nocapture")
        }),
        (".claude/skills/orders/SKILL_%.md", 5, |n| {
            format!("- When an order has {n} items, ask the tool `orders.rate` before you answer.")
        }),
    ];
    let mut patch = String::new();
    for (path, share, line) in kinds {
        let mut left = (lines * share).div_ceil(100);
        let mut number = 0;
        while left > 0 {
            let in_file = left.min(120);
            let path = path.replace('%', &number.to_string());
            patch.push_str(&format!("diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n"));
            for (hunk, first) in (0..in_file).step_by(24).enumerate() {
                let changed = 24.min(in_file - first);
                let removed = changed / 4;
                let start = hunk * 60 + 1;
                patch.push_str(&format!(
                    "@@ -{start},{} +{start},{} @@ fn part_{number}\n",
                    removed + 6,
                    changed - removed + 6
                ));
                let context = |from: usize| {
                    (from..from + 3).map(|n| format!(" {}\n", line(n + 1_000))).collect::<String>()
                };
                patch.push_str(&context(start));
                patch.extend((0..removed).map(|n| format!("-{}\n", line(start + n + 500))));
                patch.extend((0..changed - removed).map(|n| format!("+{}\n", line(start + n))));
                patch.push_str(&context(start + 30));
            }
            left -= in_file;
            number += 1;
        }
    }
    patch
}
