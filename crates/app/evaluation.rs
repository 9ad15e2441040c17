//! `recuse eval`: what was asked for, and the report for people.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use review::outcome::EndingKind;
use service::config::{self, Config, Offline, Overrides};
use service::eval::history::Ranges;
use service::eval::report::{CostV1, ReportV1, RowState, ScoreV1, ShareV1};
use service::eval::{CasesFrom, EvalError, EvalRequest, Evaluated, evaluate};
use service::review_one::Tables;

use crate::args::{EvalArgs, EvalFormat, Verbosity};
use crate::commands::{environment, operator_file};
use crate::{Exit, Failure, terminal};

/// Runs an evaluation and prints its report. What is wrong with single cases goes to stderr.
pub(crate) async fn run(args: &EvalArgs, verbosity: Verbosity) -> Result<Exit, Failure> {
    let config = configure(args)?;
    let cases = cases(args)?;
    let tables = match &config.families {
        Some(path) => Tables::embedded().with_families(path).map_err(Failure::usage)?,
        None => Tables::embedded(),
    };
    let progress = |done: u64, all: u64, id: &str| {
        if verbosity > Verbosity::Quiet {
            terminal::say_in_place(&format!("{done} of {all}: {id}"));
        }
    };
    let request = EvalRequest {
        cases: &cases,
        out: &args.out,
        config: &config,
        tables: &tables,
        environment: &environment,
        version: env!("CARGO_PKG_VERSION"),
        jobs: args.jobs,
        progress: &progress,
    };
    let evaluated = evaluate(&request).await.map_err(failure)?;
    terminal::say_in_place("");
    let report = &evaluated.report;
    for row in report.rows.iter().filter(|row| is_bad(row.state)) {
        terminal::say(&format!("{}: {}: {}", state_words(row.state), row.id, row.detail));
    }
    let text = match args.format {
        EvalFormat::Text => text(&evaluated, &args.out, verbosity),
        EvalFormat::Json => {
            let json = serde_json::to_string_pretty(report).map_err(Failure::ours)?;
            format!("{json}\n")
        }
    };
    terminal::write_result(&text, None).map_err(Failure::ours)?;
    Ok(exit(report))
}

fn cases(args: &EvalArgs) -> Result<CasesFrom, Failure> {
    let here = || PathBuf::from(".");
    let Some(list) = &args.ranges else {
        return Ok(CasesFrom::Folder(args.cases.clone().unwrap_or_else(here)));
    };
    let text = std::fs::read_to_string(list)
        .with_context(|| format!("could not read the list of ranges {}", list.display()))
        .map_err(Failure::usage)?;
    let repository = args.repository.clone().unwrap_or_else(here);
    Ok(CasesFrom::History(Ranges { repository, text, until: args.until.clone() }))
}

fn configure(args: &EvalArgs) -> Result<Config, Failure> {
    let (file, _) = operator_file(&args.config.file).map_err(Failure::usage)?;
    let models = if args.panel.is_empty() { args.config.models.clone() } else { args.panel.clone() };
    let overrides = Overrides {
        independence: args.independence,
        lenses: (!args.lenses.is_empty()).then(|| args.lenses.iter().copied().collect()),
        max_usd: args.max_usd,
        max_seconds: args.max_seconds,
        offline: if args.offline { Offline::Yes } else { Offline::No },
        models,
        ..Overrides::default()
    };
    let mut config = config::merge(file, &overrides).map_err(Failure::usage)?;
    if !args.panel.is_empty() {
        config.policy.reviewers_per_lens = args.panel.len();
    }
    Ok(config)
}

fn failure(error: EvalError) -> Failure {
    match error {
        EvalError::Cases(error) => Failure::usage(error),
        EvalError::Roster(error) => Failure::usage(error),
        EvalError::Ours(error) => Failure::ours(error),
    }
}

/// 2 where a case cannot be used, 4 where a review broke, 3 where not everything was looked at.
fn exit(report: &ReportV1) -> Exit {
    let cases = &report.cases;
    if cases.unusable > 0 {
        Exit::Usage
    } else if cases.failed > 0 {
        Exit::Ours
    } else if cases.incomplete + cases.over_budget > 0 {
        Exit::Verdict(3)
    } else {
        Exit::Verdict(0)
    }
}

fn is_bad(state: RowState) -> bool {
    match state {
        RowState::Reviewed => false,
        RowState::Incomplete | RowState::Failed | RowState::Unusable | RowState::OverBudget => true,
    }
}

fn state_words(state: RowState) -> &'static str {
    match state {
        RowState::Reviewed => "reviewed",
        RowState::Incomplete => "incomplete",
        RowState::Failed => "failed",
        RowState::Unusable => "not used",
        RowState::OverBudget => "over budget",
    }
}

fn text(evaluated: &Evaluated, out: &Path, verbosity: Verbosity) -> String {
    let report = &evaluated.report;
    let cases = &report.cases;
    let mut text = format!(
        "{} of {} changes reviewed, {} of them clean, with {} known issues{}\n",
        cases.reviewed + cases.incomplete,
        cases.all,
        cases.clean,
        cases.known,
        if cases.disputed > 0 {
            format!("; {} disputed ones left out", cases.disputed)
        } else {
            String::new()
        }
    );
    for note in &report.notes {
        text.push_str(&format!("! {note}\n"));
    }
    let mut rows = vec![score_head("the panel")];
    rows.extend(report.panel.iter().map(|filter| score_row(filter.filter.words(), &filter.score)));
    text.push_str(&table(&rows));
    if report.groups.len() > 1 {
        let mut rows = vec![score_head("by set")];
        rows.extend(report.groups.iter().map(|group| score_row(&group.group, &group.score)));
        text.push_str(&table(&rows));
    }
    let mut rows = vec![score_head("each alone")];
    rows.extend(report.engines.iter().map(|engine| score_row(&engine.engine, &engine.score)));
    text.push_str(&table(&rows));
    if verbosity > Verbosity::Quiet {
        text.push_str(&engines(report));
    }
    text.push_str(&pairs(report));
    text.push_str(&format!(
        "\ncost: {}; asked in this run: {}, answered from earlier replies: {}, cases done before: {}\n",
        cost(&report.cost),
        evaluated.asked,
        evaluated.remembered,
        evaluated.done_before
    ));
    text.push_str(&format!(
        "a finding counts when it is within {} lines and its words are alike ({} where the lines agree, {} else)\n",
        report.rule.near_lines, report.rule.likeness_at_a_place, report.rule.likeness
    ));
    text.push_str(&format!("kept in {}: report.json, packets, predictions, replies\n", out.display()));
    text
}

fn score_head(first: &str) -> Vec<String> {
    let heads = [
        first,
        "changes",
        "findings",
        "a change",
        "precision (95 %)",
        "recall (95 %)",
        "F1",
        "F0.5",
        "noise",
        "clean flagged",
    ];
    heads.map(str::to_owned).to_vec()
}

fn score_row(name: &str, score: &ScoreV1) -> Vec<String> {
    vec![
        name.to_owned(),
        score.changes.to_string(),
        score.findings.to_string(),
        number(score.findings_per_change),
        share(&score.precision),
        share(&score.recall),
        number(score.f1),
        number(score.f05),
        number(score.noise_per_clean_change),
        share(&score.clean_flagged),
    ]
}

fn engines(report: &ReportV1) -> String {
    let mut text = String::new();
    for engine in &report.engines {
        let unanswered = engine.endings.iter().filter(|(kind, _)| **kind != EndingKind::Answered);
        let endings: Vec<String> = unanswered.map(|(kind, n)| format!("{n} × {}", kind.words())).collect();
        let endings = if endings.is_empty() { String::new() } else { format!("; {}", endings.join(", ")) };
        text.push_str(&format!(
            "  {}: {}; {} invented quotes{endings}\n",
            engine.engine,
            cost(&engine.cost),
            engine.unanchored
        ));
    }
    text
}

fn pairs(report: &ReportV1) -> String {
    if report.pairs.is_empty() {
        return String::new();
    }
    let heads = [
        "two engines",
        "issues",
        "both",
        "first",
        "second",
        "neither",
        "phi",
        "kappa",
        "over chance",
        "overlap",
    ];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for pair in &report.pairs {
        let mut row = vec![format!("{} and {}", pair.first, pair.second), pair.known.to_string()];
        row.extend(pair.counts.map(|count| count.to_string()));
        row.extend([pair.phi, pair.kappa, pair.double_faults_over_chance].map(signed));
        row.push(share(&pair.overlap));
        rows.push(row);
    }
    let mut text = table(&rows);
    let heads = ["what each adds", "recall so far", "found by it alone"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    rows.extend(
        report
            .union
            .iter()
            .map(|step| vec![step.engine.clone(), share(&step.recall_so_far), share(&step.marginal_recall)]),
    );
    text.push_str(&table(&rows));
    text
}

fn cost(cost: &CostV1) -> String {
    if cost.calls == 0 {
        return "no calls".to_owned();
    }
    let unpriced = match cost.unpriced_calls {
        0 => String::new(),
        calls => format!(", {calls} of them of unknown price"),
    };
    format!(
        "{} calls{unpriced}, {}.{:06} USD, {} tokens in ({} cached), {} out, {} s",
        cost.calls,
        cost.micro_usd / 1_000_000,
        cost.micro_usd % 1_000_000,
        cost.input_tokens,
        cost.cached_input_tokens,
        cost.output_tokens,
        cost.elapsed_ms / 1_000
    )
}

/// `12.5 % (3.1 to 38.2)`, or `-` of nothing.
fn share(share: &ShareV1) -> String {
    match (share.value, share.low, share.high) {
        (Some(value), Some(low), Some(high)) => {
            format!("{:.1} % ({:.1} to {:.1})", value * 100.0, low * 100.0, high * 100.0)
        }
        _ => "-".to_owned(),
    }
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"))
}

fn signed(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:+.2}"))
}

/// Columns as wide as their widest cell, the first row as the head; a blank line before.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::from("\n");
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}
