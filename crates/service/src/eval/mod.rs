//! Measuring the review on cases whose issues are known: a team's own history, or a published set.
//!
//! Each case goes the way that every change goes ([`review_with`]). What is kept is on disk below one folder, so that a
//! run can be taken up again: `<id>.json` (predictions), `packets/<id>.json`, `done/<id>.json` (what the packet was
//! made from), `replies/` (what models answered), `receipts/` (what a replay needs) and `report.json`. A second run
//! asks nobody and gives the same bytes: the run's name follows from the change, and packets of an evaluation hold no
//! time of day.

pub mod cases;
pub mod history;
pub mod remarks;
pub mod replies;
pub mod report;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use futures::StreamExt as _;
use models::{HttpClient, Limits, Proxy};
use review::outcome::EndingKind;
use review::packet::PacketV1;
use review::policy::Policy;
use review::{Change, CommitId, Digest};
use serde::{Deserialize, Serialize};

use self::cases::{Case, Cases, Material};
use self::history::Ranges;
use self::remarks::{Prediction, remarks};
use self::replies::{Replies, write};
use self::report::{CaseEnd, CaseResult, Filter, ReportV1, Reviewed};
use crate::authorship::declaration;
use crate::config::Config;
use crate::fan_out::Clock;
use crate::office::KeepReceipts;
use crate::places::Environment;
use crate::prompts::Prompts;
use crate::review_one::{ReviewRequest, Tables, review_with};
use crate::roster::{self, Roster, RosterError};
use crate::steps::Steps;

/// What an evaluation starts from.
pub struct EvalRequest<'a> {
    /// Where the cases are.
    pub cases: &'a CasesFrom,
    /// The folder of the result, which is made.
    pub out: &'a Path,
    /// The configuration. Its cap on money is on the evaluation as a whole.
    pub config: &'a Config,
    /// The tables.
    pub tables: &'a Tables,
    /// The environment.
    pub environment: Environment<'a>,
    /// The version of recuse.
    pub version: &'a str,
    /// The most cases at once. Under a cap on money they go one after another.
    pub jobs: usize,
    /// Told as cases end: how many of how many, and which.
    pub progress: &'a (dyn Fn(u64, u64, &str) + Sync),
}

/// Where cases are.
#[derive(Debug, Clone)]
pub enum CasesFrom {
    /// Below a folder.
    Folder(PathBuf),
    /// In a repository's history.
    History(Ranges),
}

/// What an evaluation gave.
pub struct Evaluated {
    /// The report.
    pub report: ReportV1,
    /// How many requests were sent to models in this run.
    pub asked: u64,
    /// How many were answered from what an earlier one left.
    pub remembered: u64,
    /// How many cases were done already.
    pub done_before: u64,
}

/// An evaluation that did not come about.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// The cases cannot be read at all.
    #[error("{0:#}")]
    Cases(anyhow::Error),
    /// The models cannot be used as they are configured.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// The result cannot be written, or something else of ours broke.
    #[error("{0:#}")]
    Ours(#[from] anyhow::Error),
}

/// Reviews all cases and computes the report.
///
/// # Errors
/// The cases cannot be read at all, the models cannot be used, the result cannot be written. What is wrong with one
/// case is a row of the report.
pub async fn evaluate(request: &EvalRequest<'_>) -> Result<Evaluated, EvalError> {
    let (Cases { usable, unusable }, blamed) = match request.cases {
        CasesFrom::Folder(folder) => cases::read(folder).map(|cases| (cases, None)),
        CasesFrom::History(ranges) => history::read(ranges).map(|(cases, blamed)| (cases, Some(blamed))),
    }
    .map_err(EvalError::Cases)?;
    let folders = Folders::make(request.out)?;
    if let Some(blamed) = blamed {
        history::write(&blamed, request.out)?;
    }
    let replies = Replies::in_folder(&folders.replies)?;
    let roster = build_roster(request, &replies).await?;
    let evaluation =
        Evaluation { request, folders: &folders, basis: basis(request, &roster)?, roster: &roster };
    let all = usable.len() as u64;
    let run = run_all(&evaluation, &usable, all).await?;
    let done_before = run.iter().filter(|(_, before)| *before == Before::Done).count() as u64;
    let mut results: Vec<CaseResult> = run.into_iter().map(|(result, _)| result).collect();
    results.extend(unusable.into_iter().map(|case| CaseResult {
        id: case.folder,
        group: case.group,
        end: CaseEnd::Unusable(case.reason),
    }));
    let report = report::report(&results, request.version);
    let mut text = serde_json::to_vec_pretty(&report).context("could not write the report")?;
    text.push(b'\n');
    write(&request.out.join("report.json"), &text)?;
    // Only ledgers of reviews that ended are left in there.
    std::fs::remove_dir_all(&folders.work).ok();
    let (asked, remembered) = replies.counts();
    Ok(Evaluated { report, asked, remembered, done_before })
}

/// What all cases share.
struct Evaluation<'a> {
    request: &'a EvalRequest<'a>,
    folders: &'a Folders,
    roster: &'a Roster,
    /// The digest of everything that a review rests on beside its case.
    basis: Digest,
}

/// Whether a case was done by an earlier run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Done,
    NotDone,
}

/// Where things are kept.
struct Folders {
    predictions: PathBuf,
    packets: PathBuf,
    done: PathBuf,
    replies: PathBuf,
    receipts: PathBuf,
    work: PathBuf,
}

impl Folders {
    fn make(out: &Path) -> Result<Self> {
        let folders = Self {
            predictions: out.to_owned(),
            packets: out.join("packets"),
            done: out.join("done"),
            replies: out.join("replies"),
            receipts: out.join("receipts"),
            work: out.join("work"),
        };
        for folder in [&folders.packets, &folders.done, &folders.work] {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("could not make the folder {}", folder.display()))?;
        }
        Ok(folders)
    }
}

/// The models, once for all cases, each with a memory.
async fn build_roster(request: &EvalRequest<'_>, replies: &Arc<Replies>) -> Result<Roster, EvalError> {
    let config = request.config;
    let catalogue = &request.tables.catalogue;
    if config.policy.offline || !roster::is_configured(&config.models, catalogue, request.environment) {
        return Ok(Roster::default());
    }
    let http = HttpClient::new(Limits::default(), Proxy::from_environment().as_ref())
        .context("could not set up the http client")?;
    let mut roster = roster::build(config, request.tables, &http, request.environment).await?;
    for (engine, model) in roster.engines.iter().zip(&mut roster.models) {
        let section = config.models.iter().find(|section| section.name == engine.id);
        let address = section.and_then(|section| section.base_url.as_deref()).unwrap_or_default();
        *model = replies.around(format!("{} {address}", engine.id), Arc::clone(model));
    }
    Ok(roster)
}

/// The digest of everything that a review rests on beside its case. The cap on money is not part of it: what it kept
/// from being asked makes a case incomplete, and those are run again.
fn basis(request: &EvalRequest<'_>, roster: &Roster) -> Result<Digest> {
    // Files are in it by their texts, and how fast models may be asked changes no answer.
    let Config {
        policy,
        models,
        rules,
        concurrency: _,
        prompt_tokens,
        providers: _,
        families: _,
        caps: _,
        prompts_folder,
        base: _,
        keep_receipts_days: _,
    } = request.config;
    let Policy {
        independence,
        lenses,
        offline,
        reviewers_per_lens,
        fail_on,
        paths,
        required_checks,
        // Cases have no records.
        self_reported_checks: _,
        max_micro_usd: _,
        max_seconds,
    } = policy;
    let decided = format!(
        "{independence:?} {lenses:?} {offline} {reviewers_per_lens} {fail_on:?} {:?} {required_checks:?} \
         {max_seconds} {models:?} {rules:?} {prompt_tokens} {:?}",
        paths.rules(),
        roster.engines
    );
    let prompts = Prompts::load(prompts_folder.as_deref())?;
    let templates = prompts.templates.iter().map(|template| template.digest.as_str());
    let tables = request.tables.sources.iter().map(|(_, text)| text.as_ref());
    let parts = [request.version, &decided].into_iter().chain(templates).chain(tables);
    Ok(Digest::of_parts(parts.map(str::as_bytes)))
}

async fn run_all(
    evaluation: &Evaluation<'_>,
    cases: &[Case],
    all: u64,
) -> Result<Vec<(CaseResult, Before)>, EvalError> {
    let cap = evaluation.request.config.policy.max_micro_usd;
    let mut results = Vec::new();
    let Some(cap) = cap else {
        let jobs = evaluation.request.jobs.max(1);
        let mut running =
            futures::stream::iter(cases).map(|case| run_one(evaluation, case, None)).buffered(jobs);
        while let Some(result) = running.next().await {
            let result = result?;
            (evaluation.request.progress)(results.len() as u64 + 1, all, &result.0.id);
            results.push(result);
        }
        return Ok(results);
    };
    let mut spent = 0_u64;
    for case in cases {
        let result = if spent < cap {
            run_one(evaluation, case, Some(cap - spent)).await?
        } else {
            let why = "the money for this evaluation is spent".to_owned();
            (result(case, CaseEnd::OverBudget(why)), Before::NotDone)
        };
        if let CaseEnd::Reviewed(reviewed) = &result.0.end {
            spent = spent.saturating_add(reviewed.packet.ledger.micro_usd);
        }
        (evaluation.request.progress)(results.len() as u64 + 1, all, &result.0.id);
        results.push(result);
    }
    Ok(results)
}

fn result(case: &Case, end: CaseEnd) -> CaseResult {
    CaseResult { id: case.id.clone(), group: case.group.clone(), end }
}

/// Reviews one case, or takes it from an earlier run. An error is that the result cannot be written.
async fn run_one(
    evaluation: &Evaluation<'_>,
    case: &Case,
    cap: Option<u64>,
) -> Result<(CaseResult, Before), EvalError> {
    let material = match case.material() {
        Ok(material) => material,
        Err(error) => return Ok((result(case, CaseEnd::Failed(format!("{error:#}"))), Before::NotDone)),
    };
    let change = material.change.clone();
    let inputs = inputs(evaluation, case, &change);
    let (packet, before) = match kept_packet(evaluation.folders, case, &inputs) {
        Some(packet) => (packet, Before::Done),
        None => match review(evaluation, case, material, cap).await {
            Ok(packet) => {
                keep_packet(evaluation.folders, case, &inputs, &packet)?;
                (packet, Before::NotDone)
            }
            Err(error) => return Ok((result(case, CaseEnd::Failed(format!("{error:#}"))), Before::NotDone)),
        },
    };
    let remarks = remarks(&packet, &change);
    let counted = remarks.iter().filter(|remark| Filter::NotRefuted.keeps(remark));
    let predictions: Vec<&Prediction> = counted.map(|remark| &remark.prediction).collect();
    let mut text = serde_json::to_vec_pretty(&predictions).context("could not write predictions")?;
    text.push(b'\n');
    write(&evaluation.folders.predictions.join(format!("{}.json", case.id)), &text)?;
    let end = CaseEnd::Reviewed(Box::new(Reviewed {
        known: case.known.clone(),
        mode: case.mode,
        disputed: case.disputed,
        remarks,
        packet,
    }));
    Ok((result(case, end), before))
}

/// The digest of all that a case's packet is made from.
fn inputs(evaluation: &Evaluation<'_>, case: &Case, change: &Change) -> Digest {
    let parts = [
        evaluation.basis.as_str(),
        change.subject.diff_digest.as_str(),
        &change.title,
        &change.body,
        case.written_by.as_deref().unwrap_or_default(),
        change.subject.head.as_ref().map_or("", CommitId::as_str),
    ];
    Digest::of_parts(parts.map(str::as_bytes))
}

async fn review(
    evaluation: &Evaluation<'_>,
    case: &Case,
    material: Material,
    cap: Option<u64>,
) -> Result<PacketV1> {
    let request = evaluation.request;
    let mut config = request.config.clone();
    // The ledger is the case's own, so that what may be spent on one day is what may be spent on it.
    config.caps.day = cap.into_iter().chain(config.caps.day).min();
    // The marks round untrusted text follow from it. It is the change's own, so that a model that is added later
    // does not make the others' replies worthless.
    let Material { change, repository, notes } = material;
    let run_id = change.subject.diff_digest.as_str()[..32].to_owned();
    // A ledger of its own: a cap is on this run, and what an earlier one paid for is not spent twice.
    let work = evaluation.folders.work.join(&case.id);
    std::fs::remove_dir_all(&work).ok();
    let database = format!("sqlite:{}", work.join("ledger.db").display());
    let environment = |name: &str| {
        if name == "RECUSE_DATABASE_URL" { Some(database.clone()) } else { (request.environment)(name) }
    };
    let declarations = case.written_by.iter().map(|who| declaration(who.trim(), request.tables)).collect();
    let packet = review_with(
        &ReviewRequest {
            change,
            repository,
            notes,
            declarations,
            opened: None,
            store: None,
            steps: Steps::NotKept,
            repository_key: String::new(),
            base: None,
            checks: &[],
            config: &config,
            tables: request.tables,
            environment: &environment,
            receipts: &KeepReceipts::InFolder(evaluation.folders.receipts.clone()),
            run_id,
            now: 0,
            clock: Clock::OfTheReplies,
            version: request.version,
            progress: &|_| (),
        },
        evaluation.roster.clone(),
    )
    .await?;
    std::fs::remove_dir_all(&work).ok();
    Ok(packet)
}

/// What a packet was made from, and the digest of its bytes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Done {
    inputs: Digest,
    packet: Digest,
}

/// The packet of an earlier run, where it was made from the same and nothing kept its models from answering.
fn kept_packet(folders: &Folders, case: &Case, inputs: &Digest) -> Option<PacketV1> {
    let name = format!("{}.json", case.id);
    let done: Done = serde_json::from_slice(&std::fs::read(folders.done.join(&name)).ok()?).ok()?;
    if done.inputs != *inputs {
        return None;
    }
    let bytes = std::fs::read(folders.packets.join(&name)).ok()?;
    if Digest::of(&bytes) != done.packet {
        return None;
    }
    let packet: PacketV1 = serde_json::from_slice(&bytes).ok()?;
    let outcomes = || packet.panel.seats.iter().flat_map(|seat| &seat.outcomes);
    let may_end_otherwise = outcomes().any(|outcome| match outcome.outcome {
        EndingKind::TimedOut | EndingKind::Failed | EndingKind::OverBudget => true,
        EndingKind::Answered | EndingKind::Refused | EndingKind::Truncated | EndingKind::Unreadable => false,
    });
    (!may_end_otherwise).then_some(packet)
}

fn keep_packet(folders: &Folders, case: &Case, inputs: &Digest, packet: &PacketV1) -> Result<()> {
    let name = format!("{}.json", case.id);
    let bytes = packet.canonical_bytes();
    write(&folders.packets.join(&name), &bytes)?;
    let done = Done { inputs: inputs.clone(), packet: Digest::of(&bytes) };
    write(&folders.done.join(&name), &serde_json::to_vec(&done)?)
}
