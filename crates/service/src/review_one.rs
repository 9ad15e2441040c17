//! The story of one review: gather, decide, ask, decide, tell. Each step is a call.

use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use git::Repository;
use models::{Catalogue, HttpClient, ModelError};
use review::anchor::{Anchor, FileTexts, anchor, texts_wanted};
use review::answer::Answer;
use review::attribution::{Agents, Attribution, AuthorState, AuthorshipInput, Declaration, Note, attribute};
use review::classify::{Classification, ClassifyRules, classify};
use review::coverage::{CoverageInput, compute};
use review::engine::estimate_tokens;
use review::judge::{JudgeInput, judge};
use review::merge::{Sourced, merge};
use review::outcome::{Ending, Outcome};
use review::packet::{PacketInput, PacketV1, ReceiptKindV1, ReceiptV1, RunV1, assemble};
use review::panel::{LensWish, Panel, PanelInput, Relation, Reviewer, choose, relation};
use review::prompt::{MAX_BODY_BYTES, build, plan};
use review::wishes::{WishInput, wishes};
use review::{Change, Digest, Families, Finding, Side};
use store::Store;
use tokio::time::Instant;

use crate::config::Config;
use crate::fan_out::{Ask, Asking, CallsOut, Progress, fan_out};
use crate::places::{self, Environment};
use crate::prompts::Prompts;
use crate::roster::{self, Roster};
use crate::rules_pass::{self, RulesPass};

/// The tables that decisions rest on, and the texts that they were read from.
pub struct Tables {
    /// Name and text of each, for the receipts.
    pub sources: Vec<(&'static str, &'static str)>,
    /// Who serves which models.
    pub catalogue: Catalogue,
    /// What names of models mean.
    pub families: Families,
    /// What tools leave behind.
    pub agents: Agents,
    /// What files and lines mean.
    pub classify: ClassifyRules,
}

impl Tables {
    /// The tables that this build carries. Reading them is most of a process's start, so it is done side by side.
    pub fn embedded() -> Self {
        std::thread::scope(|scope| {
            let classify = scope.spawn(ClassifyRules::embedded);
            let agents = scope.spawn(Agents::embedded);
            Self {
                sources: vec![
                    ("models.toml", Catalogue::EMBEDDED),
                    ("families.toml", Families::EMBEDDED),
                    ("agents.toml", Agents::EMBEDDED),
                    ("classify.toml", ClassifyRules::EMBEDDED),
                ],
                catalogue: Catalogue::embedded(),
                families: Families::embedded(),
                agents: agents.join().expect("a test reads the embedded table"),
                classify: classify.join().expect("a test reads the embedded table"),
            }
        })
    }
}

/// What a review starts from.
pub struct ReviewRequest<'a> {
    /// The change as it was read.
    pub change: Change,
    /// Where whole files can be read; `None` where only a diff is at hand.
    pub repository: Option<Repository>,
    /// The git-ai notes of the range's commits.
    pub notes: Vec<Note>,
    /// What somebody with write access says about the author.
    pub declaration: Option<Declaration>,
    /// The configuration, already narrowed by the base.
    pub config: &'a Config,
    /// The tables.
    pub tables: &'a Tables,
    /// The environment.
    pub environment: Environment<'a>,
    /// 32 random hex digits that name the run.
    pub run_id: String,
    /// Seconds since 1970.
    pub now: i64,
    /// The version of recuse.
    pub version: &'a str,
    /// Told as calls begin and end.
    pub progress: &'a (dyn Fn(Progress<'_>) + Sync),
}

/// What was decided before anybody was asked.
pub struct Decided {
    /// The rules' part, with the redacted change.
    pub rules: RulesPass,
    /// SHA-256 of title and body as they were read.
    pub text_digest: Digest,
    /// Who wrote it.
    pub attribution: Attribution,
    /// What it is.
    pub classification: Classification,
    /// What each lens should look at.
    pub wishes: Vec<LensWish>,
    /// Who can be asked.
    pub roster: Roster,
    /// Who is.
    pub panel: Panel,
}

/// Reviews one change.
///
/// # Errors
/// Our own failures only: the configuration, the repository, the store. What reviewers do wrong is in the packet.
pub async fn review_one(request: &ReviewRequest<'_>) -> Result<PacketV1> {
    let started = Instant::now();
    let deadline = started + Duration::from_secs(u64::from(request.config.policy.max_seconds));
    let prompts = Prompts::embedded()?;
    let decided = decide(request).await?;
    let mut receipts = receipts(request.tables, &prompts);
    let mut outcomes = rules_outcomes(&decided);
    let asks = plan_asks(&decided, request, &prompts)?;
    if !asks.is_empty() {
        let store = open_store(request.environment).await?;
        let answered = ask_models(asks, &decided, request, &store, deadline).await?;
        receipts.extend(answered.iter().flat_map(call_receipts));
        outcomes.extend(answered);
        store.close().await;
    }
    conclude(&decided, &outcomes, &receipts, request, started.elapsed())
}

/// Everything that is decided before anybody is asked: what a preview shows.
///
/// # Errors
/// The configuration names a model that cannot be used; the repository cannot be read.
pub async fn decide(request: &ReviewRequest<'_>) -> Result<Decided> {
    let http = start_http(request);
    let Change { title, body, .. } = &request.change;
    let text_digest = Digest::of_parts([title.as_bytes(), body.as_bytes()]);
    let attribution =
        who_wrote(&request.change, &request.notes, request.declaration.as_ref(), request.tables);
    let classification = classify(&request.change, &request.tables.classify);
    let decisions = review::classify::lenses(&request.change, &classification);
    let policy = &request.config.policy;
    let (repository, change) = (request.repository.as_ref(), &request.change);
    let open = || Ok(repository.map(|repository| repository.blobs(change)).transpose()?);
    let rules = rules_pass::run(request.change.clone(), &request.config.rules, &open)?;
    let wishes = wishes(&WishInput {
        change: &rules.change,
        decisions: &decisions,
        rules: &rules.supported,
        unsafe_to_send: &rules.unsafe_to_send,
        policy,
    });
    let roster = match http {
        Some(http) => build_roster(request, http).await?,
        None => Roster::default(),
    };
    let panel = choose(&PanelInput {
        attribution: &attribution,
        wishes: &wishes,
        engines: &roster.engines,
        policy,
        lineage_sets: &request.tables.families.lineage_sets(),
    });
    Ok(Decided { rules, text_digest, attribution, classification, wishes, roster, panel })
}

/// What `--written-by` says: `human`, or a model or a family that the table knows, or else a tool.
pub fn declaration(who: &str, tables: &Tables) -> Declaration {
    let is_model = !tables.families.resolve(who).lineage.families.is_empty();
    match who {
        "human" => Declaration::Human,
        _ if is_model => Declaration::Model(who.to_owned()),
        _ => Declaration::Agent(who.to_owned()),
    }
}

/// Who wrote a change, by all that is at hand.
pub fn who_wrote(
    change: &Change,
    notes: &[Note],
    declaration: Option<&Declaration>,
    tables: &Tables,
) -> Attribution {
    // Title and body of a range are its commits' own words, and those are read with the commits.
    let input = AuthorshipInput {
        commits: &change.commits,
        branch: change.branch.as_deref(),
        notes,
        declaration,
        ..AuthorshipInput::default()
    };
    attribute(&input, &tables.agents, &tables.families)
}

/// Makes the HTTP client on a thread of its own, since it reads the system's certificates; nothing where no model
/// is asked.
fn start_http(request: &ReviewRequest<'_>) -> Option<JoinHandle<Result<HttpClient, ModelError>>> {
    let config = request.config;
    let asked = !config.policy.offline
        && roster::is_configured(&config.models, &request.tables.catalogue, request.environment);
    let make = || HttpClient::new(models::Limits::default(), models::Proxy::from_environment().as_ref());
    asked.then(|| std::thread::spawn(make))
}

async fn build_roster(
    request: &ReviewRequest<'_>,
    http: JoinHandle<Result<HttpClient, ModelError>>,
) -> Result<Roster> {
    let http = http.join().map_err(|_| anyhow!("could not set up the http client"))??;
    let (tables, models) = (request.tables, &request.config.models);
    Ok(roster::build(models, &tables.catalogue, &tables.families, &http, request.environment).await?)
}

async fn open_store(environment: Environment<'_>) -> Result<Store> {
    let url = places::database_url(environment)?;
    store::open(&url).await.context("could not open the database (RECUSE_DATABASE_URL names another one)")
}

/// What the models are asked, in the order of the seats.
fn plan_asks(decided: &Decided, request: &ReviewRequest<'_>, prompts: &Prompts) -> Result<Vec<Ask>> {
    let change = &decided.rules.change;
    let overhead = estimate_tokens(prompts.overhead_bytes() + MAX_BODY_BYTES);
    let mut asks = Vec::new();
    for (seat_index, seat) in decided.panel.seats.iter().enumerate() {
        let Reviewer::Model(engine_index) = seat.reviewer else { continue };
        let engine = &decided.roster.engines[engine_index];
        let room = engine.context_tokens.saturating_sub(engine.max_output_tokens).saturating_sub(overhead);
        let plan = plan(change, &seat.files, room.min(request.config.prompt_tokens));
        for part in 0..plan.parts.len() {
            let seed = request.run_id.as_bytes();
            let parts = build(change, seat.lens, &plan, part, seed);
            asks.push(Ask {
                seat: seat_index,
                part,
                lens: seat.lens,
                pieces: plan.parts[part].clone(),
                engine: engine_index,
                prompt: prompts.render(&parts, engine.max_output_tokens)?,
            });
        }
    }
    Ok(asks)
}

async fn ask_models(
    asks: Vec<Ask>,
    decided: &Decided,
    request: &ReviewRequest<'_>,
    store: &Store,
    deadline: Instant,
) -> Result<Vec<Outcome>> {
    let asking = Asking {
        engines: &decided.roster.engines,
        models: &decided.roster.models,
        families: &request.tables.families,
        store,
        run_id: &request.run_id,
        change_key: &request.run_id,
        max_micro_usd: request.config.policy.max_micro_usd,
        deadline,
        concurrency: request.config.concurrency,
        now_ms: request.now.saturating_mul(1_000),
        out: &CallsOut::default(),
        progress: request.progress,
    };
    fan_out(asks, &asking).await
}

/// The rules' seats as outcomes: they answered, and what they did not get through is told apart.
fn rules_outcomes(decided: &Decided) -> Vec<Outcome> {
    let change = &decided.rules.change;
    let seats = decided.panel.seats.iter().enumerate().filter(|(_, seat)| seat.reviewer == Reviewer::Rules);
    seats
        .map(|(index, seat)| {
            let of_seat = |finding: &&Finding| {
                let in_files = |file: &usize| change.files[*file].path == finding.file;
                finding.category.lens() == seat.lens && seat.files.iter().any(in_files)
            };
            let questions = decided.rules.questions.iter().filter(|(lens, _)| *lens == seat.lens);
            let examined = |file: &usize| change.files[*file].path.to_string();
            Outcome {
                seat: index,
                part: 0,
                pieces: Vec::new(),
                ending: Ending::Answered(Answer {
                    findings: decided.rules.findings.iter().filter(of_seat).cloned().collect(),
                    questions: questions.map(|(_, text)| text.clone()).collect(),
                    examined: seat.files.iter().take(500).map(examined).collect(),
                    dropped: 0,
                }),
                call: None,
            }
        })
        .collect()
}

/// Anchors, merges, judges and writes the packet.
fn conclude(
    decided: &Decided,
    outcomes: &[Outcome],
    receipts: &[ReceiptV1],
    request: &ReviewRequest<'_>,
    elapsed: Duration,
) -> Result<PacketV1> {
    let change = &decided.rules.change;
    let policy = &request.config.policy;
    let texts = texts(outcomes, change, request.repository.as_ref())?;
    let (claimed, unanchored): (Vec<Sourced>, Vec<Sourced>) = sourced(decided, outcomes, &texts)
        .into_iter()
        .partition(|source| !matches!(source.anchor, Anchor::Unanchored { .. }));
    let claims = merge(claimed, change);
    let misses = decided.rules.misses(&decided.panel);
    let coverage = compute(&CoverageInput {
        change,
        wishes: &decided.wishes,
        panel: &decided.panel,
        outcomes,
        rules_misses: &misses,
        policy,
    });
    let checks = Vec::new();
    let judgement = judge(&JudgeInput {
        attribution: &decided.attribution,
        panel: &decided.panel,
        coverage: &coverage,
        claims: &claims,
        checks: &checks,
        policy,
        no_model_remedy: &roster::remedy(&request.tables.catalogue),
    });
    let run = RunV1 {
        id: request.run_id.clone(),
        started_at: request.now,
        elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        version: request.version.to_owned(),
    };
    Ok(assemble(&PacketInput {
        run: &run,
        change,
        text_digest: &decided.text_digest,
        attribution: &decided.attribution,
        classification: &decided.classification,
        engines: &decided.roster.engines,
        panel: &decided.panel,
        outcomes,
        coverage: &coverage,
        claims: &claims,
        unanchored: &unanchored,
        checks: &checks,
        policy,
        redacted_secrets: decided.rules.redacted,
        receipts,
        judgement: &judgement,
    }))
}

/// The whole files that findings name and the hunks do not hold, redacted as the change is.
fn texts(outcomes: &[Outcome], change: &Change, repository: Option<&Repository>) -> Result<FileTexts> {
    let mut texts = FileTexts::default();
    let Some(repository) = repository else { return Ok(texts) };
    let findings: Vec<Finding> = outcomes.iter().flat_map(findings_of).cloned().collect();
    for path in texts_wanted(&findings, change) {
        for (side, commit) in [(Side::Head, &change.subject.head), (Side::Base, &change.subject.base)] {
            let Some(commit) = commit else { continue };
            if let Some(bytes) = repository.read_at(commit, &path)?.into_bytes() {
                let (text, _) = rules::redact_text(&String::from_utf8_lossy(&bytes));
                texts.insert(path.clone(), side, text);
            }
        }
    }
    Ok(texts)
}

fn findings_of(outcome: &Outcome) -> &[Finding] {
    match &outcome.ending {
        Ending::Answered(answer) => &answer.findings,
        Ending::Unanswered { .. } => &[],
    }
}

/// Every finding with its place and with whoever said it.
fn sourced(decided: &Decided, outcomes: &[Outcome], texts: &FileTexts) -> Vec<Sourced> {
    let mut all = Vec::new();
    for outcome in outcomes {
        let seat = &decided.panel.seats[outcome.seat];
        let (name, lineage, counts) = match (seat.reviewer, &outcome.call) {
            (Reviewer::Model(engine), Some(call)) => {
                let counts = match relation(&call.lineage, &decided.attribution) {
                    Relation::NoLineage | Relation::Unrelated => true,
                    Relation::Related { .. } => false,
                    // Whoever wrote it, a model of unknown ancestry may be of the same family.
                    Relation::UnknownLineage => decided.attribution.state() == AuthorState::Human,
                };
                (decided.roster.engines[engine].id.clone(), Some(call.lineage.clone()), counts)
            }
            (Reviewer::Rules | Reviewer::Model(_), _) => ("rules".to_owned(), None, true),
        };
        all.extend(findings_of(outcome).iter().map(|finding| Sourced {
            anchor: anchor(finding, &decided.rules.change, texts),
            finding: finding.clone(),
            seat: outcome.seat,
            name: name.clone(),
            lineage: lineage.clone(),
            counts,
        }));
    }
    all
}

/// The tables and templates that the review rests on.
fn receipts(tables: &Tables, prompts: &Prompts) -> Vec<ReceiptV1> {
    let templates = prompts.templates.iter().map(|template| ReceiptV1 {
        kind: ReceiptKindV1::Template,
        name: format!("{} v{}", template.id, template.version),
        digest: template.digest.clone(),
        bytes: template.bytes as u64,
    });
    let tables = tables.sources.iter().map(|(name, text)| ReceiptV1 {
        kind: ReceiptKindV1::Table,
        name: (*name).to_owned(),
        digest: Digest::of(text.as_bytes()),
        bytes: text.len() as u64,
    });
    templates.chain(tables).collect()
}

/// What is kept of one call.
fn call_receipts(outcome: &Outcome) -> impl Iterator<Item = ReceiptV1> {
    let kept = outcome.call.iter().flat_map(|call| {
        let prompt = call.prompt.iter().map(|kept| (ReceiptKindV1::Prompt, kept));
        prompt.chain(call.reply.iter().map(|kept| (ReceiptKindV1::Reply, kept)))
    });
    kept.map(|(kind, kept)| ReceiptV1 {
        kind,
        name: format!("seat {} part {}", outcome.seat, outcome.part + 1),
        digest: kept.digest.clone(),
        bytes: kept.bytes,
    })
}
