//! Looking for what was missed: deliveries that GitHub could not make, and open heads that nobody ever looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use github::{ApiError, ErrorKind};
use store::DELIVERY_WINDOW_MS;
use tokio::sync::watch;
use tokio::time::sleep;

use super::clock::now_ms;
use super::ending::{Done, Trouble};
use super::look::{Again, Looked, look_through};
use super::work::{Urgency, Work};
use super::{Core, DryRun};

/// How often is looked.
const EVERY: Duration = Duration::from_secs(300);

/// The most pages of deliveries that are read at once, of a hundred each.
const MAX_PAGES: usize = 20;

/// How many failed attempts of a delivery are enough: it may be one that we refuse, or that our address cannot take.
const MAX_ATTEMPTS: usize = 10;

/// The most repositories whose open pull requests are looked through at once.
const MAX_REPOSITORIES: usize = 50;

/// How long what is done is remembered, in milliseconds: longer than GitHub can deliver again.
pub(crate) const REMEMBERED_MS: i64 = 2 * DELIVERY_WINDOW_MS;

/// Asks for upkeep at the start and from time to time. Only one process does it at a time.
pub(crate) async fn tick(core: Arc<Core>, mut shutdown: watch::Receiver<bool>) {
    loop {
        if let Err(error) = core.enqueue(&Work::Upkeep, Urgency::Found).await {
            tracing::warn!("could not ask for upkeep: {error:#}");
        }
        tokio::select! {
            () = sleep(EVERY) => {}
            () = super::stopped(&mut shutdown) => return,
        }
    }
}

/// Looks for what was missed, and forgets what is old.
pub(crate) async fn upkeep(core: &Core) -> Result<Done, Trouble> {
    let redelivered = match core.settings.dry_run {
        // To ask for one is to write.
        DryRun::Yes => Ok(0),
        DryRun::No => redeliver(core).await,
    };
    // Where one way to what was missed is closed, the other may be open.
    let found = open_heads(core).await?;
    let redelivered = redelivered.map_err(|trouble| match trouble {
        Trouble::Failed(error) if is_unauthorized(&error) => Trouble::Failed(error.context(
            "github does not accept the App's key: is RECUSE_APP_ID the App whose private key this is, and this machine's clock \
             right?",
        )),
        other => other,
    })?;
    let forgotten = core.store.forget_old(now_ms().saturating_sub(REMEMBERED_MS)).await?;
    Ok(Done::succeeded(format!(
        "{redelivered} deliveries asked for again, {found} heads found, {forgotten} rows forgotten"
    )))
}

/// Asks for deliveries again that never came. GitHub keeps them for three days and never sends one again by itself.
async fn redeliver(core: &Core) -> Result<usize, Trouble> {
    /// A delivery that never came: its newest attempt, and how many there were.
    struct Missed {
        id: u64,
        attempts: usize,
    }
    let mut missed: BTreeMap<String, Missed> = BTreeMap::new();
    let mut came: BTreeSet<String> = BTreeSet::new();
    let mut cursor = None;
    for _ in 0..MAX_PAGES {
        let page = core.app.deliveries(cursor.as_deref()).await?;
        for delivery in page.deliveries {
            // Time-outs have no status code, so anything but OK counts.
            if delivery.status == "OK" {
                came.insert(delivery.guid);
            } else {
                missed.entry(delivery.guid).or_insert(Missed { id: delivery.id, attempts: 0 }).attempts += 1;
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    missed.retain(|guid, missed| !came.contains(guid) && missed.attempts < MAX_ATTEMPTS);
    let guids: Vec<String> = missed.keys().cloned().collect();
    let known = core.store.known_deliveries(&guids).await?;
    let mut count = 0;
    for (guid, missed) in missed.into_iter().filter(|(guid, _)| !known.contains(guid)) {
        match core.app.redeliver(missed.id).await {
            Ok(()) => count += 1,
            // One that GitHub does not send again is no reason to leave the others.
            Err(error) => tracing::warn!(%error, delivery = %guid, "a missed delivery does not come again"),
        }
    }
    Ok(count)
}

/// Reviews open heads that nobody looked at, in repositories that were heard of lately.
async fn open_heads(core: &Core) -> Result<usize, Trouble> {
    let since = now_ms().saturating_sub(REMEMBERED_MS);
    let payloads = core.store.latest_reviews(since, MAX_REPOSITORIES).await?;
    let mut count = 0;
    for payload in payloads {
        let Ok(Work::Review(work)) = Work::read(&payload) else { continue };
        match look_through(core, &work.place, Again::AnHourAfter).await {
            Ok(Looked::Through { found }) => count += found,
            Ok(Looked::OutOfReach(_)) => {}
            Err(Trouble::Lost) => return Err(Trouble::Lost),
            // A suspended installation, say; the other repositories have open heads too.
            Err(trouble @ (Trouble::Later { .. } | Trouble::Failed(_))) => {
                tracing::warn!(repository = work.place.id, ?trouble, "could not look for open heads");
            }
        }
    }
    Ok(count)
}

/// Whether GitHub does not know who asks.
fn is_unauthorized(error: &anyhow::Error) -> bool {
    error.downcast_ref::<ApiError>().is_some_and(|error| error.kind == ErrorKind::Unauthorized)
}
