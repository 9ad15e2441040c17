//! The story of one review: gather, decide, ask, decide, tell. Each step is a call.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use git::Repository;
use models::{Catalogue, HttpClient, ModelError, Traffic};
use review::anchor::{Anchor, FileTexts, anchor, texts_wanted};
use review::answer::Answer;
use review::attribution::{Agents, Attribution, AuthorState, Declaration, Note, Share};
use review::classify::{Classification, ClassifyRules, classify};
use review::coverage::{CoverageInput, compute};
use review::engine::Engine;
use review::examine::ExaminationOutcome;
use review::judge::{JudgeInput, judge};
use review::merge::{Claim, Sourced, merge};
use review::outcome::{Call, Ending, Outcome};
use review::packet::{PacketInput, PacketV1, RULES, ReceiptKindV1, ReceiptV1, RunV1, assemble};
use review::panel::{LensWish, Panel, PanelInput, Relation, Reviewer, choose, relation};
use review::policy::Policy;
use review::wishes::{WishInput, wishes};
use review::{Change, CommitId, Digest, Families, Family, Finding, Lens, Side};
use store::{Booking, Scope, Store};
use tokio::time::Instant;

use crate::asks::{AskMaker, plan_asks, room_tokens};
use crate::authorship::{Authorship, AuthorshipRequest, who_wrote};
use crate::bench::Bench;
use crate::briefing::{Briefing, BriefingInput};
use crate::config::Config;
use crate::examination::{Examining, MOST_EXAMINATION_TOKENS, examine};
use crate::fan_out::{Ask, Asking, CallsOut, Progress, fan_out};
use crate::places::{self, Environment};
use crate::prompts::{Origin, Prompts, Template};
use crate::roster::{self, Roster};
use crate::rules_pass::{self, RulesPass};

/// What is in the name of a receipt that is the operator's own.
pub(crate) const OPERATORS: &str = "the operator's";

/// What the operator's own table of families is called in receipts.
pub const OPERATORS_FAMILIES: &str = "the operator's families";

/// The tables that decisions rest on, and the texts that they were read from.
pub struct Tables {
    /// Name and text of each, for the receipts.
    pub sources: Vec<(&'static str, Cow<'static, str>)>,
    /// Who serves which models.
    pub catalogue: Catalogue,
    /// What names of models mean.
    pub families: Families,
    /// What tools leave behind.
    pub agents: Agents,
    /// What files and lines mean.
    pub classify: ClassifyRules,
    /// What the calls of all reviews to a provider share.
    pub traffic: Traffic,
}

impl Tables {
    /// The tables that this build carries. Reading them is most of a process's start, so it is done side by side.
    pub fn embedded() -> Self {
        std::thread::scope(|scope| {
            let classify = scope.spawn(ClassifyRules::embedded);
            let agents = scope.spawn(Agents::embedded);
            Self {
                sources: vec![
                    ("models.toml", Catalogue::EMBEDDED.into()),
                    ("families.toml", Families::EMBEDDED.into()),
                    ("agents.toml", Agents::EMBEDDED.into()),
                    ("classify.toml", ClassifyRules::EMBEDDED.into()),
                ],
                catalogue: Catalogue::embedded(),
                families: Families::embedded(),
                agents: agents.join().expect("a test reads the embedded table"),
                classify: classify.join().expect("a test reads the embedded table"),
                traffic: Traffic::default(),
            }
        })
    }
}

impl Tables {
    /// Adds the operator's families.
    ///
    /// # Errors
    /// The file cannot be read, or is no table of families: a dangling edge and a cycle are named.
    pub fn with_families(mut self, path: &Path) -> Result<Self> {
        let name = path.display();
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("could not read the families in {name}"))?;
        self.families =
            self.families.extend(&text).with_context(|| format!("could not use the families in {name}"))?;
        self.sources.push((OPERATORS_FAMILIES, text.into()));
        Ok(self)
    }
}

/// What a review starts from.
pub struct ReviewRequest<'a> {
    /// The change as it was read.
    pub change: Change,
    /// Where whole files can be read; `None` where only a diff is at hand.
    pub repository: Option<Repository>,
    /// The tip of the base branch, where conventions are read from; `None` where there is none.
    pub base: Option<CommitId>,
    /// The git-ai notes of the range's commits.
    pub notes: Vec<Note>,
    /// What those with write access say about the author.
    pub declarations: Vec<Declaration>,
    /// The repository's name for the ledger; empty where only a diff is at hand.
    pub repository_key: String,
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
    /// Who wrote which hunks.
    pub shares: Vec<Share>,
    /// What it is.
    pub classification: Classification,
    /// What each lens should look at.
    pub wishes: Vec<LensWish>,
    /// Who can be asked.
    pub roster: Roster,
    /// Every set of families that an unknown author could descend from.
    pub lineage_sets: Vec<BTreeSet<Family>>,
    /// Who is.
    pub panel: Panel,
}

/// Reviews one change.
///
/// # Errors
/// Our own failures only: the configuration, the repository, the store. What reviewers do wrong is in the packet.
pub async fn review_one(request: &ReviewRequest<'_>) -> Result<PacketV1> {
    review(request, None).await
}

/// Reviews one change with a roster that was made before: for whoever reviews many.
///
/// # Errors
/// As [`review_one`].
pub async fn review_with(request: &ReviewRequest<'_>, roster: Roster) -> Result<PacketV1> {
    review(request, Some(roster)).await
}

async fn review(request: &ReviewRequest<'_>, roster: Option<Roster>) -> Result<PacketV1> {
    let started = Instant::now();
    let deadline = started + Duration::from_secs(u64::from(request.config.policy.max_seconds));
    let prompts = Prompts::load(request.config.prompts_folder.as_deref())?;
    let decided = decide_with(request, roster).await?;
    let briefing = brief(&decided, request)?;
    let material = briefing.material(&decided.rules.change);
    let maker = AskMaker::new(&decided.roster.engines, &material, &prompts, &request.run_id);
    let planned = plan_asks(&decided, &maker, request.config.prompt_tokens)?;
    let mut proceedings = Proceedings {
        panel: decided.panel.clone(),
        outcomes: rules_outcomes(&decided).into_iter().chain(planned.too_small).collect(),
        findings: Findings::default(),
        examinations: Vec::new(),
    };
    if planned.asks.is_empty() {
        proceedings.findings = findings(&decided, &proceedings, request)?;
    } else {
        let store = open_store(request.environment).await?;
        let bookings = bookings(request);
        let asking = asking(&decided, request, &store, &bookings, deadline);
        let bench = Bench::new(
            decided.panel_input(&request.config.policy),
            decided.panel.clone(),
            &planned.asks,
            &maker,
        );
        let answered = fan_out(planned.asks, &bench, &asking).await?;
        let down;
        (proceedings.panel, down) = bench.into_panel();
        proceedings.outcomes.extend(answered);
        proceedings.findings = findings(&decided, &proceedings, request)?;
        let Findings { claims, texts, .. } = &mut proceedings.findings;
        let examining = Examining {
            input: decided.panel_input(&request.config.policy),
            panel: &proceedings.panel,
            down,
            material: &material,
            texts,
            prompts: &prompts,
        };
        proceedings.examinations = examine(claims, examining, &asking).await?;
        store.close().await;
    }
    let mut receipts = receipts(request.tables, &prompts);
    receipts.extend(proceedings.outcomes.iter().flat_map(call_receipts));
    receipts.extend(proceedings.examinations.iter().enumerate().flat_map(examination_receipts));
    Ok(conclude(&decided, &briefing, &proceedings, &receipts, request, started.elapsed()))
}

/// What was asked and said.
struct Proceedings {
    /// The panel, with those who stood in.
    panel: Panel,
    /// How every reviewer ended.
    outcomes: Vec<Outcome>,
    /// What they found.
    findings: Findings,
    /// How the examinations of that ended.
    examinations: Vec<ExaminationOutcome>,
}

/// What reviewers found, in its places.
#[derive(Default)]
struct Findings {
    claims: Vec<Claim>,
    unanchored: Vec<Sourced>,
    /// The whole files that were looked into for quotes.
    texts: FileTexts,
}

/// What a review would ask, and what that could cost.
pub struct Preview {
    /// What was decided.
    pub decided: Decided,
    /// The calls.
    pub calls: Vec<PlannedCall>,
    /// The most that those of known price could cost together, in micro-USD.
    pub max_micro_usd: u64,
    /// How many have no known price.
    pub unpriced_calls: usize,
    /// The most that the examination of one finding could cost, in micro-USD; `None` where nobody could examine, or the
    /// price is not known.
    pub examination_max_micro_usd: Option<u64>,
    /// The most that the review may cost, in micro-USD.
    pub cap_micro_usd: Option<u64>,
}

/// A call that a review would make.
pub struct PlannedCall {
    /// The lens.
    pub lens: Lens,
    /// The engine, by its index in the roster.
    pub engine: usize,
    /// The part, from 0.
    pub part: usize,
    /// The tokens of the prompt, estimated on the high side.
    pub input_tokens: u64,
    /// The most tokens of the answer.
    pub max_output_tokens: u32,
    /// The most that it could cost, in micro-USD; `None` where nobody knows the price.
    pub max_micro_usd: Option<u64>,
}

/// Decides everything and asks nobody.
///
/// # Errors
/// As [`decide`].
pub async fn preview(request: &ReviewRequest<'_>) -> Result<Preview> {
    let prompts = Prompts::load(request.config.prompts_folder.as_deref())?;
    let decided = decide(request).await?;
    let briefing = brief(&decided, request)?;
    let material = briefing.material(&decided.rules.change);
    let engines = &decided.roster.engines;
    let maker = AskMaker::new(engines, &material, &prompts, &request.run_id);
    let planned = plan_asks(&decided, &maker, request.config.prompt_tokens)?;
    let examiners = decided.panel.seats.iter().filter_map(|seat| match seat.reviewer {
        Reviewer::Model(engine) => Some(&engines[engine]),
        Reviewer::Rules => None,
    });
    let examination_max_micro_usd = examiners.map(worst_examination).max().flatten();
    let call = |ask: Ask| {
        let input_tokens = ask.prompt.estimated_tokens();
        let max_output_tokens = ask.prompt.max_output_tokens;
        let price = engines[ask.engine].price.as_ref();
        PlannedCall {
            lens: ask.lens,
            engine: ask.engine,
            part: ask.part,
            input_tokens,
            max_output_tokens,
            max_micro_usd: price.map(|price| price.worst_case(input_tokens, u64::from(max_output_tokens))),
        }
    };
    let calls: Vec<PlannedCall> = planned.asks.into_iter().map(call).collect();
    Ok(Preview {
        max_micro_usd: calls.iter().filter_map(|call| call.max_micro_usd).sum(),
        unpriced_calls: calls.iter().filter(|call| call.max_micro_usd.is_none()).count(),
        examination_max_micro_usd,
        cap_micro_usd: request.config.policy.max_micro_usd,
        calls,
        decided,
    })
}

/// Everything that is decided before anybody is asked.
///
/// # Errors
/// The configuration names a model that cannot be used; the repository cannot be read.
pub async fn decide(request: &ReviewRequest<'_>) -> Result<Decided> {
    decide_with(request, None).await
}

async fn decide_with(request: &ReviewRequest<'_>, roster: Option<Roster>) -> Result<Decided> {
    let http = if roster.is_none() { start_http(request) } else { None };
    let Change { title, body, .. } = &request.change;
    let text_digest = Digest::of_parts([title.as_bytes(), body.as_bytes()]);
    let Authorship { attribution, shares } = who_wrote(&AuthorshipRequest {
        change: &request.change,
        repository: request.repository.as_ref(),
        notes: &request.notes,
        declarations: &request.declarations,
        tables: request.tables,
    })?;
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
    let roster = match (roster, http) {
        (Some(roster), _) => roster,
        (None, Some(http)) => build_roster(request, http).await?,
        (None, None) => Roster::default(),
    };
    let lineage_sets = request.tables.families.lineage_sets();
    let panel = choose(&PanelInput {
        attribution: &attribution,
        shares: &shares,
        wishes: &wishes,
        engines: &roster.engines,
        policy,
        lineage_sets: &lineage_sets,
    });
    Ok(Decided {
        rules,
        text_digest,
        attribution,
        shares,
        classification,
        wishes,
        roster,
        lineage_sets,
        panel,
    })
}

impl Decided {
    /// What the panel was chosen from.
    fn panel_input<'a>(&'a self, policy: &'a Policy) -> PanelInput<'a> {
        PanelInput {
            attribution: &self.attribution,
            shares: &self.shares,
            wishes: &self.wishes,
            engines: &self.roster.engines,
            policy,
            lineage_sets: &self.lineage_sets,
        }
    }
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
    Ok(roster::build(request.config, request.tables, &http, request.environment).await?)
}

/// Opens the database in which the ledger and the receipts are kept.
///
/// # Errors
/// It cannot be opened, or no place for it is known.
pub async fn open_store(environment: Environment<'_>) -> Result<Store> {
    let url = places::database_url(environment)?;
    store::open(&url).await.context("could not open the database (RECUSE_DATABASE_URL names another one)")
}

/// Reads what the seated models are given beside the change.
fn brief(decided: &Decided, request: &ReviewRequest<'_>) -> Result<Briefing> {
    let seats = decided.panel.seats.iter().filter_map(|seat| match seat.reviewer {
        Reviewer::Model(engine) => Some((seat, &decided.roster.engines[engine])),
        Reviewer::Rules => None,
    });
    let shown: BTreeSet<usize> = seats.clone().flat_map(|(seat, _)| seat.files.iter().copied()).collect();
    let Some(least_room_tokens) = seats.map(|(_, engine)| room_tokens(engine)).min() else {
        return Ok(Briefing::default());
    };
    Briefing::gather(&BriefingInput {
        original: &request.change,
        rules: &decided.rules,
        repository: request.repository.as_ref(),
        base: request.base.as_ref(),
        policy: &request.config.policy,
        shown: &shown.into_iter().collect::<Vec<_>>(),
        least_room_tokens,
    })
}

fn asking<'a>(
    decided: &'a Decided,
    request: &'a ReviewRequest<'_>,
    store: &'a Store,
    bookings: &'a Bookings,
    deadline: Instant,
) -> Asking<'a> {
    Asking {
        engines: &decided.roster.engines,
        models: &decided.roster.models,
        families: &request.tables.families,
        store,
        run_id: &request.run_id,
        bookings: &bookings.all,
        deadline,
        concurrency: request.config.concurrency,
        now_ms: request.now.saturating_mul(1_000),
        out: &bookings.out,
        progress: request.progress,
    }
}

/// What every call of a review counts towards.
struct Bookings {
    all: Vec<Booking>,
    out: CallsOut,
}

fn bookings(request: &ReviewRequest<'_>) -> Bookings {
    let caps = request.config.caps;
    let day = request.now.div_euclid(86_400);
    // The last commit's author is the one who asks for this review.
    let author = request.change.commits.last().map_or("", |commit| commit.author.email.as_str());
    let booking = |scope, key: String, limit_micro_usd| Booking { scope, key, limit_micro_usd };
    let all = vec![
        booking(Scope::Call, String::new(), caps.call),
        booking(Scope::Change, request.run_id.clone(), request.config.policy.max_micro_usd),
        booking(Scope::Author, format!("{} on day {day}", author.to_lowercase()), caps.author_day),
        booking(Scope::Repository, format!("{} on day {day}", request.repository_key), caps.repository_day),
        booking(Scope::Day, format!("day {day}"), caps.day),
    ];
    Bookings { all, out: CallsOut::default() }
}

/// The most that one examination by a model could cost, in micro-USD; `None` where nobody knows its price.
fn worst_examination(engine: &Engine) -> Option<u64> {
    let price = engine.price.as_ref()?;
    Some(price.worst_case(MOST_EXAMINATION_TOKENS, u64::from(engine.max_output_tokens)))
}

/// The most files that the rules list as examined on one seat.
pub const MAX_EXAMINED_BY_RULES: usize = 500;

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
                    examined: seat.files.iter().take(MAX_EXAMINED_BY_RULES).map(examined).collect(),
                    dropped: 0,
                }),
                call: None,
            }
        })
        .collect()
}

/// Anchors what was found and merges it.
fn findings(decided: &Decided, proceedings: &Proceedings, request: &ReviewRequest<'_>) -> Result<Findings> {
    let change = &decided.rules.change;
    let texts = texts(&proceedings.outcomes, change, request.repository.as_ref())?;
    let (claimed, unanchored): (Vec<Sourced>, Vec<Sourced>) = sourced(decided, proceedings, &texts)
        .into_iter()
        .partition(|source| !matches!(source.anchor, Anchor::Unanchored { .. }));
    Ok(Findings { claims: merge(claimed, change), unanchored, texts })
}

/// Judges and writes the packet.
fn conclude(
    decided: &Decided,
    briefing: &Briefing,
    proceedings: &Proceedings,
    receipts: &[ReceiptV1],
    request: &ReviewRequest<'_>,
    elapsed: Duration,
) -> PacketV1 {
    let change = &decided.rules.change;
    let policy = &request.config.policy;
    let Proceedings { panel, outcomes, findings, examinations } = proceedings;
    let misses = decided.rules.misses(panel);
    let coverage = compute(&CoverageInput {
        change,
        wishes: &decided.wishes,
        panel,
        outcomes,
        rules_misses: &misses,
        policy,
    });
    let checks = Vec::new();
    let judgement = judge(&JudgeInput {
        attribution: &decided.attribution,
        panel,
        coverage: &coverage,
        claims: &findings.claims,
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
    assemble(&PacketInput {
        run: &run,
        change,
        text_digest: &decided.text_digest,
        attribution: &decided.attribution,
        shares: &decided.shares,
        classification: &decided.classification,
        engines: &decided.roster.engines,
        panel,
        outcomes,
        examinations,
        claims: &findings.claims,
        unanchored: &findings.unanchored,
        coverage: &coverage,
        rules: &decided.rules.beside,
        checks: &checks,
        policy,
        redacted_secrets: decided.rules.redacted,
        house_rules: &briefing.house_rules,
        receipts,
        judgement: &judgement,
    })
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
fn sourced(decided: &Decided, proceedings: &Proceedings, texts: &FileTexts) -> Vec<Sourced> {
    let mut all = Vec::new();
    for outcome in &proceedings.outcomes {
        let seat = &proceedings.panel.seats[outcome.seat];
        let (name, lineage, counts) = match (seat.reviewer, &outcome.call) {
            (Reviewer::Model(engine), Some(call)) => {
                let counts = match relation(&call.lineage, &seat.authors) {
                    Relation::NoLineage | Relation::Unrelated => true,
                    Relation::Related { .. } => false,
                    // Whoever wrote it, a model of unknown ancestry may be of the same family.
                    Relation::UnknownLineage => decided.attribution.state() == AuthorState::Human,
                };
                (decided.roster.engines[engine].id.clone(), Some(call.lineage.clone()), counts)
            }
            (Reviewer::Rules | Reviewer::Model(_), _) => (RULES.to_owned(), None, true),
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
        name: receipt_name(template),
        digest: template.digest.clone(),
        bytes: template.text.len() as u64,
    });
    let tables = tables.sources.iter().map(|(name, text)| ReceiptV1 {
        kind: ReceiptKindV1::Table,
        name: (*name).to_owned(),
        digest: Digest::of(text.as_bytes()),
        bytes: text.len() as u64,
    });
    templates.chain(tables).collect()
}

/// What a prompt file is called in receipts.
pub(crate) fn receipt_name(template: &Template) -> String {
    match template.origin {
        Origin::BuiltIn => format!("{} v{}", template.id, template.version),
        Origin::Operator => format!("{} v{} ({OPERATORS})", template.id, template.version),
    }
}

/// What is kept of one call.
fn call_receipts(outcome: &Outcome) -> Vec<ReceiptV1> {
    let name = format!("seat {} part {}", outcome.seat, outcome.part + 1);
    outcome.call.iter().flat_map(|call| kept(call, &name)).collect()
}

/// What is kept of one examination.
fn examination_receipts((index, outcome): (usize, &ExaminationOutcome)) -> Vec<ReceiptV1> {
    kept(&outcome.call, &format!("examination {index}"))
}

fn kept(call: &Call, name: &str) -> Vec<ReceiptV1> {
    let prompt = call.prompt.iter().map(|kept| (ReceiptKindV1::Prompt, kept));
    let kept = prompt.chain(call.reply.iter().map(|kept| (ReceiptKindV1::Reply, kept)));
    kept.map(|(kind, kept)| ReceiptV1 {
        kind,
        name: name.to_owned(),
        digest: kept.digest.clone(),
        bytes: kept.bytes,
    })
    .collect()
}
