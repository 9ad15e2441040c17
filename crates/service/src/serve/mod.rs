//! `recuse serve`: the GitHub App. Deliveries in, packets out, nothing lost, nothing told twice (law 10).
//!
//! A delivery is verified, decided upon (`dispatch`) and on disk before it is acknowledged (`intake`); workers claim
//! what follows from it (`worker`). Everything between two durable effects can be repeated.

mod clock;
mod closing;
mod commands;
mod dispatch;
mod ending;
mod heart;
mod http;
mod installation;
mod intake;
mod keys;
mod look;
mod metrics;
pub mod needs;
mod partial;
mod recheck;
mod review_pull;
mod setup;
pub mod simulate;
pub(crate) mod tell;
mod upkeep;
mod work;
mod worker;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use git::ObjectCache;
use github::app::Permission;
use github::{ApiError, ApiUrl, App, Connection, Credential, Limits, PlainHttp, RepositoryApi, WriteGuard};
use review::packet::PacketV1;
use review::text::visible_line;
use review::{CommitId, Digest};
use store::{Enqueued, Lease, Store};
use tokio::net::TcpListener;
use tokio::sync::{Notify, OnceCell, watch};

use crate::config::{Offline, OperatorFile, Overrides, ServeSection};
use crate::github_way::connect;
use crate::places::{self, Environment};
use crate::pull::object_cache;
use crate::roster;
use crate::tables::Tables;
use clock::now_ms;
use dispatch::{Drafts, EventRules};
use heart::Hearts;
pub use keys::{AppKeys, app_keys};
use look::Lists;
use metrics::Metrics;
pub(crate) use tell::CHECK_NAME;
use tell::{Marks, Teller, Writing};
use work::{Place, Urgency, Work};
use worker::Duty;

/// Where deliveries are received where nobody says otherwise: by whoever is in front of this machine.
const LISTEN: &str = "127.0.0.1:8080";

/// How many pull requests are reviewed at once, by default. Most of a review is waiting for models.
const WORKERS: usize = 4;

/// How many reviews of one repository run at once, by default.
const PER_REPOSITORY: u32 = 2;

/// How long a process counts as alive without a sign of life, by default.
const LEASE_SECONDS: u32 = 60;

/// How long a review that failed waits before it is tried again, by default.
const RETRY_SECONDS: u32 = 15;

/// How long a review waits before that is shown, by default.
const ANNOUNCE_SECONDS: u32 = 5;

/// How many days back open pull requests are looked for that no event told of, by default.
const LOOK_BACK_DAYS: u32 = 30;

/// How long a new title or description waits for the next, by default: people edit them several times.
const SETTLING_SECONDS: u32 = 60;

/// What a server is started with.
pub struct Settings {
    /// The operator's file.
    pub file: OperatorFile,
    /// What flags say.
    pub overrides: Overrides,
    /// The tables.
    pub tables: Tables,
    /// The version of recuse.
    pub version: &'static str,
    /// Whether anything is written on GitHub.
    pub dry_run: DryRun,
    /// Says a line to the operator: what a dry run would have written.
    pub say: fn(&str),
}

/// Whether anything is written on GitHub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DryRun {
    /// Everything is done but that.
    Yes,
    /// It is.
    No,
}

impl Settings {
    fn per_repository(&self) -> u32 {
        self.file.serve.per_repository.unwrap_or(PER_REPOSITORY).max(1)
    }

    /// How long a job is somebody's without a sign of life, in milliseconds.
    fn lease_ms(&self) -> i64 {
        i64::from(self.file.serve.lease_seconds.unwrap_or(LEASE_SECONDS).max(1)) * 1_000
    }

    /// How long to wait before another attempt: four times as long each time, a quarter of an hour at the most.
    fn backoff(&self, attempt: u32) -> Duration {
        let first = u64::from(self.file.serve.retry_seconds.unwrap_or(RETRY_SECONDS));
        let seconds = first.saturating_mul(4_u64.saturating_pow(attempt.saturating_sub(1)));
        Duration::from_secs(seconds.min(900))
    }

    /// How long a review waits before that is shown, in milliseconds.
    fn announce_ms(&self) -> i64 {
        i64::from(self.file.serve.announce_seconds.unwrap_or(ANNOUNCE_SECONDS)) * 1_000
    }

    fn settling_ms(&self) -> i64 {
        i64::from(self.file.serve.settling_seconds.unwrap_or(SETTLING_SECONDS)) * 1_000
    }

    /// How long ago an open pull request may have changed last to be looked for where no event told of it, in milliseconds;
    /// none where nothing is looked for.
    fn look_back_ms(&self) -> Option<i64> {
        let days = self.file.serve.look_back_days.unwrap_or(LOOK_BACK_DAYS);
        (days > 0).then(|| i64::from(days) * 24 * 60 * 60 * 1_000)
    }

    fn workers(&self) -> usize {
        self.file.serve.workers.unwrap_or(WORKERS).clamp(1, 64)
    }

    fn writing(&self) -> Writing {
        match self.dry_run {
            DryRun::Yes => Writing::Dry,
            DryRun::No => Writing::Live,
        }
    }

    /// Where deliveries are received.
    ///
    /// # Errors
    /// It is no address with a port.
    pub fn listen(&self, environment: Environment<'_>) -> Result<SocketAddr> {
        let from_environment = environment("RECUSE_LISTEN");
        listen_address(from_environment.as_deref().or(self.file.serve.listen.as_deref()))
    }

    /// GitHub's API.
    ///
    /// # Errors
    /// The address cannot be used.
    pub fn connection(&self, environment: Environment<'_>) -> Result<Connection> {
        connection(&self.file.serve, environment)
    }
}

/// The address that somebody gave, or the one where nobody did.
fn listen_address(given: Option<&str>) -> Result<SocketAddr> {
    let text = given.unwrap_or(LISTEN);
    text.parse().with_context(|| {
        format!("could not listen on {}: give an address with a port, as in {LISTEN}", visible_line(text))
    })
}

/// GitHub's API, as the configuration and the environment name it.
///
/// # Errors
/// The address cannot be used.
pub fn connection(section: &ServeSection, environment: Environment<'_>) -> Result<Connection> {
    let plain = if section.plain_http { PlainHttp::Allowed } else { PlainHttp::LoopbackOnly };
    let url = environment("RECUSE_GITHUB_URL").or_else(|| section.github_url.clone());
    let base = match url {
        Some(url) => ApiUrl::parse(&url, plain)?,
        None => ApiUrl::github_com(),
    };
    let mut limits = Limits::default();
    // GitHub asks for a second between writes; an Enterprise Server has no such limits by default, nor has a test's.
    if let Some(interval) = millis(environment, "RECUSE_WRITE_INTERVAL_MS")? {
        limits.write_interval = interval;
    }
    if let Some(total) = millis(environment, "RECUSE_CALL_TIMEOUT_MS")? {
        limits.total = total;
    }
    Ok(connect(base, limits)?)
}

/// The repositories that were to be reviewed within so many milliseconds, as `OWNER/NAME`, the latest first.
pub(crate) async fn recent_places(store: &Store, within_ms: i64, most: usize) -> Result<Vec<String>> {
    let payloads = store.latest_reviews(now_ms().saturating_sub(within_ms), most).await?;
    let name = |payload: &String| {
        let work = Work::read(payload).ok()?;
        work.place().map(|place| format!("{}/{}", place.owner, place.name))
    };
    Ok(payloads.iter().filter_map(name).collect())
}

/// A time that a variable gives in milliseconds.
fn millis(environment: Environment<'_>, name: &str) -> Result<Option<Duration>> {
    let Some(text) = environment(name) else { return Ok(None) };
    let millis = text.parse().with_context(|| format!("{name} is no number of milliseconds"))?;
    Ok(Some(Duration::from_millis(millis)))
}

/// What workers share.
pub(crate) struct Core {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) connection: Connection,
    pub(crate) app: App,
    pub(crate) app_id: u64,
    pub(crate) marks: Marks,
    pub(crate) metrics: Metrics,
    /// Told where a job was enqueued by this process.
    pub(crate) news: Notify,
    /// Told as well, for those who work: what they do may not be wanted any more.
    pub(crate) stirred: watch::Sender<()>,
    pub(crate) hearts: Hearts,
    pub(crate) cache: ObjectCache,
    pub(crate) lists: Lists,
    bot: OnceCell<String>,
}

impl Core {
    fn new(
        settings: Settings,
        store: Store,
        connection: Connection,
        keys: &AppKeys,
        cache: ObjectCache,
    ) -> Result<Self> {
        let app = App::new(connection.clone(), keys.id, &keys.private_key)
            .with_context(|| format!("could not use the private key of app {}", keys.id))?;
        Ok(Self {
            settings,
            store,
            connection,
            app,
            app_id: keys.id,
            marks: Marks::new(&keys.private_key),
            metrics: Metrics::default(),
            news: Notify::new(),
            stirred: watch::Sender::new(()),
            hearts: Hearts::default(),
            cache,
            lists: Lists::default(),
            bot: OnceCell::new(),
        })
    }

    /// The login of the App's bot.
    pub(crate) async fn bot(&self) -> Result<String, ApiError> {
        let look = || async { Ok(format!("{}[bot]", self.app.describe().await?.slug)) };
        self.bot.get_or_try_init(look).await.cloned()
    }

    /// The API of a repository under the name that it has now, by a token that may do this much.
    pub(crate) async fn repository(
        &self,
        place: &Place,
        permissions: &[Permission],
    ) -> Result<RepositoryApi, ApiError> {
        let token = self.app.mint(place.installation, place.id, permissions).await?;
        let named = token.repository.clone();
        let (owner, name) = named.unwrap_or_else(|| (place.owner.clone(), place.name.clone()));
        Ok(RepositoryApi::new(self.connection.clone(), Credential::Installation(token), &owner, &name))
    }

    pub(crate) fn teller<'a>(
        &'a self,
        lease: &'a Lease,
        api: &'a RepositoryApi,
        place: &'a Place,
        number: u64,
        run_id: &'a str,
        bot: &'a str,
    ) -> Teller<'a> {
        let (hearts, held) = (self.hearts.clone(), lease.clone());
        Teller {
            store: &self.store,
            lease,
            api: api.writing_while(WriteGuard::new(move || hearts.may_write(&held))),
            place,
            number,
            run_id,
            app_id: self.app_id,
            bot,
            marks: &self.marks,
            writing: self.settings.writing(),
            say: self.settings.say,
        }
    }

    /// Tells the workers of this process that there may be something new in the queue.
    pub(crate) fn stir(&self) {
        self.news.notify_one();
        self.stirred.send_replace(());
    }

    /// Enqueues what is to be done now.
    pub(crate) async fn enqueue(&self, work: &Work, urgency: Urgency) -> Result<Enqueued> {
        self.enqueue_at(work, urgency, now_ms()).await
    }

    /// Enqueues what is to be done at a time, in milliseconds since 1970.
    pub(crate) async fn enqueue_at(&self, work: &Work, urgency: Urgency, run_at_ms: i64) -> Result<Enqueued> {
        let enqueued = self.store.enqueue(&work.job(urgency, run_at_ms), now_ms()).await?;
        self.stir();
        Ok(enqueued)
    }

    /// Keeps a packet, unless nothing is told of it: a head that nobody was told of was not reviewed.
    pub(crate) async fn keep_packet(
        &self,
        subject: &str,
        head: &CommitId,
        packet: &PacketV1,
    ) -> Result<Digest> {
        let bytes = packet.canonical_bytes();
        match self.settings.dry_run {
            DryRun::Yes => Ok(Digest::of(&bytes)),
            DryRun::No => {
                self.store.keep_packet(subject, head.as_str(), &packet.run.id, &bytes, now_ms()).await
            }
        }
    }

    fn event_rules(&self) -> EventRules<'_> {
        let labels = |labels: &[String]| labels.iter().cloned().collect::<BTreeSet<_>>();
        EventRules {
            app_id: self.app_id,
            review_labels: labels(&self.settings.file.serve.review_labels),
            skip_labels: labels(&self.settings.file.serve.skip_labels),
            drafts: if self.settings.file.serve.drafts { Drafts::AreReviewed } else { Drafts::Wait },
            settling_ms: self.settings.settling_ms(),
            agents: &self.settings.tables.agents,
        }
    }
}

/// Returns once the process is to stop.
pub(crate) async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    // Where nobody is left who could say it, nobody wants this to go on.
    let _ = shutdown.wait_for(|stop| *stop).await;
}

/// Why a server did not start, or went down.
#[derive(Debug)]
pub enum ServeError {
    /// What it was given cannot be used: an address that is taken, a key, a secret.
    Configuration(anyhow::Error),
    /// Anything else: a database that is away.
    Other(anyhow::Error),
}

impl From<anyhow::Error> for ServeError {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

/// What is told of a server that runs.
pub struct Running<'a> {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where an App can be registered, if there is none yet.
    pub setup_path: Option<&'a str>,
}

/// Serves until `shutdown` says true. `told` is called when it listens.
///
/// # Errors
/// The configuration cannot be used; the address is taken; the database cannot be opened.
pub async fn serve(
    settings: Settings,
    environment: Environment<'_>,
    shutdown: watch::Receiver<bool>,
    told: &(dyn Fn(Running<'_>) + Sync),
) -> Result<(), ServeError> {
    let address = settings.listen(environment).map_err(ServeError::Configuration)?;
    let connection = settings.connection(environment).map_err(ServeError::Configuration)?;
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("could not listen on {address} (RECUSE_LISTEN or `listen` in [serve] names another address)")
    });
    let listener = listener.map_err(ServeError::Configuration)?;
    let address = listener.local_addr().context("could not see where it listens")?;
    let listener = Arc::new(listener);
    let keys = match app_keys(environment).map_err(ServeError::Configuration)? {
        Some(keys) => keys,
        None => {
            let file = keys::file(environment)?;
            let setup = setup::Setup::new(connection.clone(), file)?;
            told(Running { address, setup_path: Some(&setup.path()) });
            match setup.until_registered(&listener, shutdown.clone()).await? {
                Some(keys) => keys,
                None => return Ok(()),
            }
        }
    };
    let url = places::database_url(environment)?;
    let store = store::open(&url)
        .await
        .context("could not open the database (RECUSE_DATABASE_URL names another one)")?;
    let cache = object_cache(&settings.file.serve, environment)?;
    let workers = settings.workers();
    let core = Core::new(settings, store, connection, &keys, cache).map_err(ServeError::Configuration)?;
    let core = Arc::new(core);
    told(Running { address, setup_path: None });
    let models = &core.settings.file.model;
    let is_offline = core.settings.overrides.offline == Offline::Yes;
    if !is_offline && !roster::is_configured(models, &core.settings.tables.catalogue, environment) {
        let remedy = roster::remedy(&core.settings.tables.catalogue);
        tracing::warn!("no model is configured, so that no review will be complete: {remedy}");
    }
    let name = format!("{}-{}", std::process::id(), now_ms());
    let mut tasks = Vec::new();
    for number in 0..workers {
        let worker = worker::work(core.clone(), format!("{name}-{number}"), Duty::All, shutdown.clone());
        tasks.push(tokio::spawn(worker));
    }
    tasks.push(tokio::spawn(worker::work(
        core.clone(),
        format!("{name}-desk"),
        Duty::Desk,
        shutdown.clone(),
    )));
    tasks.push(tokio::spawn(upkeep::tick(core.clone(), shutdown.clone())));
    let served = http::serve(&listener, core.clone(), keys.webhook, shutdown).await;
    for task in tasks {
        task.await.map_err(|error| anyhow!("a worker broke off: {error}"))?;
    }
    Ok(served?)
}
