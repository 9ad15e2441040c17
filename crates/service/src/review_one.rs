//! The story of one review: gather, decide, ask, decide, tell. Each step is a call.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Result, anyhow};
use git::Repository;
use models::{HttpClient, Model, ModelError};
use review::anchor::FileTexts;
use review::attribution::{Declaration, Note};
use review::basis::{Basis, Briefing, Seated};
use review::change::text_digest;
use review::classify::classify;
use review::conclude::{Concluded, Proceedings, Sitting, conclude};
use review::hearing::HeardPanel;
use review::judge::Check;
use review::packet::{PacketV1, ReceiptKindV1, RunV1};
use review::panel::Reviewer;
use review::record::{self, File, Recording, Written};
use review::{Change, CommitId, Families, Side};
use rules::SecretSpan;
use store::Store;
use tokio::time::Instant;

use crate::asks::{AskMaker, Planned, plan_asks, room_tokens};
use crate::authorship::{Authorship, AuthorshipRequest, Opened, who_wrote};
use crate::briefing::{self, BriefingInput};
use crate::config::Config;
use crate::examination::examine;
use crate::fan_out::{Clock, Progress, fan_out};
use crate::office::{KeepReceipts, Office, bookings};
use crate::places::Environment;
use crate::prompts::{Prompts, Template};
use crate::roster::{self, Roster};
use crate::rules_pass::{self, RulesPass};
use crate::steps::Steps;
pub use crate::tables::Tables;

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
    /// What the platform says; `None` where the change is no pull request.
    pub opened: Option<Opened>,
    /// The repository's name for the ledger; empty where only a diff is at hand.
    pub repository_key: String,
    /// What was run on the head and how it ended.
    pub checks: &'a [Check],
    /// The configuration, already narrowed by the base.
    pub config: &'a Config,
    /// The tables.
    pub tables: &'a Tables,
    /// The database, where it is open already; else it is opened where models are asked.
    pub store: Option<Store>,
    /// Whether the replies of this run are kept as its steps, so that nobody pays twice when it is taken up again.
    pub steps: Steps,
    /// The environment.
    pub environment: Environment<'a>,
    /// Where receipts are kept.
    pub receipts: &'a KeepReceipts,
    /// 32 random hex digits that name the run.
    pub run_id: String,
    /// Seconds since 1970.
    pub now: i64,
    /// Whose time the packet tells.
    pub clock: Clock,
    /// The version of recuse.
    pub version: &'a str,
    /// Told as calls begin and end.
    pub progress: &'a (dyn Fn(Progress<'_>) + Sync),
}

/// What was decided before anybody was asked.
pub struct Decided {
    /// All that is known.
    pub basis: Basis,
    /// Who is seated.
    pub seated: Seated,
    /// How each engine is asked, by its index.
    pub models: Vec<Arc<dyn Model>>,
    /// Where secrets were in the hunks of the change as it was read, by file.
    pub secrets: Vec<Vec<SecretSpan>>,
}

impl Decided {
    /// The panel, with what it is given.
    pub fn sitting<'a>(
        &'a self,
        briefing: &'a Briefing,
        families: &'a Families,
        run_id: &'a str,
    ) -> Sitting<'a> {
        Sitting { basis: &self.basis, seated: &self.seated, briefing, families, run_id }
    }
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
    let prompts = Prompts::load(request.config.prompts_folder.as_deref())?;
    let decided = decide_with(request, roster).await?;
    let briefing = brief(&decided, request)?;
    let sitting = decided.sitting(&briefing, &request.tables.families, &request.run_id);
    let (proceedings, office) = hear(&sitting, &decided, &prompts, request, started).await?;
    let run = run(request, started);
    let Written { files, receipts } = record(&sitting, &proceedings, &run, &prompts, request);
    office.close(&files, request).await?;
    let Concluded { packet, .. } = conclude(&sitting, &proceedings, &run, &receipts)?;
    Ok(packet)
}

/// Asks the panel, then puts to others what one alone found.
async fn hear(
    sitting: &Sitting<'_>,
    decided: &Decided,
    prompts: &Prompts,
    request: &ReviewRequest<'_>,
    started: Instant,
) -> Result<(Proceedings, Office)> {
    let material = sitting.material();
    let maker = AskMaker::new(&decided.basis.engines, &material, prompts, &request.run_id);
    let Planned { asks, too_small } = plan_asks(sitting, &maker, request.config.prompt_tokens)?;
    let questions = asks.iter().map(|ask| ask.question.clone()).collect();
    let mut proceedings = Proceedings { questions, too_small, ..Proceedings::default() };
    let hearing = sitting.begin_hearing(&proceedings.questions);
    if asks.is_empty() {
        let heard = sitting.with_the_rest(hearing.end(), &proceedings.too_small);
        proceedings.texts = texts(sitting, &heard, request)?;
        return Ok((proceedings, Office::without_ledger(request).await?));
    }
    let office = Office::open(request).await?;
    let deadline = started + Duration::from_secs(u64::from(request.config.policy.max_seconds));
    let bookings = bookings(request);
    let asking = office.asking(decided, request, &bookings, deadline);
    let (heard, panel) = fan_out(asks, hearing, &maker, &asking).await?;
    proceedings.heard = heard;
    let panel = sitting.with_the_rest(panel, &proceedings.too_small);
    proceedings.texts = texts(sitting, &panel, request)?;
    let found = sitting.findings(&panel, &proceedings.texts);
    let examination = sitting.cross_examine(&panel, &proceedings.texts, found.claims);
    proceedings.examined = examine(examination, prompts, &asking).await?;
    Ok((proceedings, office))
}

/// Writes down all that a replay needs, and what it rests on.
fn record(
    sitting: &Sitting<'_>,
    proceedings: &Proceedings,
    run: &RunV1,
    prompts: &Prompts,
    request: &ReviewRequest<'_>,
) -> Written {
    let note = |note: &Note| Note { commit: note.commit.clone(), text: rules::redact_text(&note.text).0 };
    let notes: Vec<Note> = request.notes.iter().map(note).collect();
    let mut documents = documents(request.tables, prompts);
    let mut written = record::write(&Recording {
        basis: sitting.basis,
        briefing: sitting.briefing,
        proceedings,
        run,
        base: request.base.as_ref(),
        configured: &request.config.configured(),
        notes: &notes,
        declarations: &request.declarations,
        documents: &documents,
    });
    documents.append(&mut written.files);
    Written { files: documents, receipts: written.receipts }
}

/// The tables and templates that a review rests on.
fn documents(tables: &Tables, prompts: &Prompts) -> Vec<File> {
    let template = |template: &Template| {
        File::new(ReceiptKindV1::Template, template.receipt_name(), template.text.clone().into_bytes())
    };
    let table = |(name, text): &(&str, Cow<'static, str>)| {
        File::new(ReceiptKindV1::Table, *name, text.clone().into_owned().into_bytes())
    };
    let templates = prompts.templates.iter().map(template);
    templates.chain(tables.sources.iter().map(table)).collect()
}

fn run(request: &ReviewRequest<'_>, started: Instant) -> RunV1 {
    RunV1 {
        id: request.run_id.clone(),
        started_at: request.now,
        elapsed_ms: match request.clock {
            Clock::Running => u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            Clock::OfTheReplies => 0,
        },
        version: request.version.to_owned(),
    }
}

/// Everything that is decided before anybody is asked.
///
/// # Errors
/// The configuration names a model that cannot be used; the repository cannot be read.
pub async fn decide(request: &ReviewRequest<'_>) -> Result<Decided> {
    decide_with(request, None).await
}

pub(crate) async fn decide_with(request: &ReviewRequest<'_>, roster: Option<Roster>) -> Result<Decided> {
    let http = if roster.is_none() { start_http(request) } else { None };
    let change = &request.change;
    let Authorship { attribution, shares } = who_wrote(&AuthorshipRequest {
        change,
        repository: request.repository.as_ref(),
        notes: &request.notes,
        declarations: &request.declarations,
        opened: request.opened.as_ref(),
        tables: request.tables,
    })?;
    let classification = classify(change, &request.tables.classify);
    let repository = request.repository.as_ref();
    let open = || Ok(repository.map(|repository| repository.blobs(change)).transpose()?);
    let text_digest = text_digest(&change.title, &change.body);
    let RulesPass { change, report, secrets } =
        rules_pass::run(change.clone(), &request.config.rules, &open)?;
    let Roster { engines, models } = match (roster, http) {
        (Some(roster), _) => roster,
        (None, Some(http)) => build_roster(request, http).await?,
        (None, None) => Roster::default(),
    };
    let basis = Basis {
        change,
        text_digest,
        attribution,
        shares,
        classification,
        rules: report,
        engines,
        lineage_sets: request.tables.families.lineage_sets(),
        checks: request.checks.to_vec(),
        policy: request.config.policy.clone(),
        no_model_remedy: roster::remedy(&request.tables.catalogue),
    };
    Ok(Decided { seated: basis.seat(), basis, models, secrets })
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

/// Reads what the seated models are given beside the change.
pub(crate) fn brief(decided: &Decided, request: &ReviewRequest<'_>) -> Result<Briefing> {
    let seats = decided.seated.panel.seats.iter().filter_map(|seat| match seat.reviewer {
        Reviewer::Model(engine) => Some((seat, &decided.basis.engines[engine])),
        Reviewer::Rules => None,
    });
    let shown: BTreeSet<usize> = seats.clone().flat_map(|(seat, _)| seat.files.iter().copied()).collect();
    let Some(least_room_tokens) = seats.map(|(_, engine)| room_tokens(engine)).min() else {
        return Ok(Briefing::default());
    };
    briefing::brief(&BriefingInput {
        original: &request.change,
        redacted: &decided.basis.change,
        secrets: &decided.secrets,
        repository: request.repository.as_ref(),
        base: request.base.as_ref(),
        policy: &request.config.policy,
        shown: &shown.into_iter().collect::<Vec<_>>(),
        least_room_tokens,
    })
}

/// The whole files that findings name and the hunks do not hold, redacted as the change is.
pub(crate) fn texts(
    sitting: &Sitting<'_>,
    heard: &HeardPanel,
    request: &ReviewRequest<'_>,
) -> Result<FileTexts> {
    let mut texts = FileTexts::default();
    let Some(repository) = &request.repository else { return Ok(texts) };
    let subject = &sitting.basis.change.subject;
    for path in sitting.texts_wanted(heard) {
        for (side, commit) in [(Side::Head, &subject.head), (Side::Base, &subject.base)] {
            let Some(commit) = commit else { continue };
            if let Some(bytes) = repository.read_at(commit, &path)?.into_bytes() {
                let (text, _) = rules::redact_text(&String::from_utf8_lossy(&bytes));
                texts.insert(path.clone(), side, text);
            }
        }
    }
    Ok(texts)
}
