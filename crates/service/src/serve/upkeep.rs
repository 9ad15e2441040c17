//! Looking for what was missed: deliveries that GitHub could not make, and open heads that nobody ever looked at.

use std::sync::Arc;
use std::time::Duration;

use github::app::Permission;
use github::repository::PullRequests;
use github::{Credential, RepositoryApi};
use store::DELIVERY_WINDOW_MS;
use tokio::sync::watch;
use tokio::time::sleep;

use super::Core;
use super::clock::now_ms;
use super::ending::{Done, Trouble, is_out_of_reach};
use super::work::{Asked, Place, ReviewWork, Urgency, Work};

/// How often is looked.
const EVERY: Duration = Duration::from_secs(300);

/// The most pages of deliveries that are read at once, of a hundred each.
const MAX_PAGES: usize = 20;

/// The most repositories whose open pull requests are looked through at once.
const MAX_REPOSITORIES: usize = 50;

/// How long what is done is remembered, in milliseconds: longer than GitHub can deliver again.
const REMEMBERED_MS: i64 = 2 * DELIVERY_WINDOW_MS;

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
    let redelivered = redeliver(core).await?;
    let found = open_heads(core).await?;
    let forgotten = core.store.forget_old(now_ms().saturating_sub(REMEMBERED_MS)).await?;
    Ok(Done::Succeeded {
        note: format!(
            "{redelivered} deliveries asked for again, {found} heads found, {forgotten} rows forgotten"
        ),
    })
}

/// Asks for deliveries again that never came. GitHub keeps them for three days and never sends one again by itself.
async fn redeliver(core: &Core) -> Result<usize, Trouble> {
    let mut missed: Vec<(u64, String)> = Vec::new();
    let mut came: Vec<String> = Vec::new();
    let mut cursor = None;
    for _ in 0..MAX_PAGES {
        let page = core.app.deliveries(cursor.as_deref()).await?;
        for delivery in page.deliveries {
            // Time-outs have no status code, so anything but OK counts.
            if delivery.status == "OK" {
                came.push(delivery.guid);
            } else if !missed.iter().any(|(_, guid)| *guid == delivery.guid) {
                missed.push((delivery.id, delivery.guid));
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    missed.retain(|(_, guid)| !came.contains(guid));
    let guids: Vec<String> = missed.iter().map(|(_, guid)| guid.clone()).collect();
    let known = core.store.known_deliveries(&guids).await?;
    let mut count = 0;
    for (id, _) in missed.into_iter().filter(|(_, guid)| !known.contains(guid)) {
        core.app.redeliver(id).await?;
        count += 1;
    }
    Ok(count)
}

/// Reviews open heads that no job was ever about, in repositories that were heard of lately.
async fn open_heads(core: &Core) -> Result<usize, Trouble> {
    let since = now_ms().saturating_sub(REMEMBERED_MS);
    let payloads = core.store.latest_reviews(since, MAX_REPOSITORIES).await?;
    let mut count = 0;
    for payload in payloads {
        let Ok(Work::Review(work)) = Work::read(&payload) else { continue };
        count += open_heads_of(core, &work.place).await?;
    }
    Ok(count)
}

async fn open_heads_of(core: &Core, place: &Place) -> Result<usize, Trouble> {
    let reader = [Permission::MetadataRead, Permission::PullRequestsRead];
    let token = match core.app.mint(place.installation, place.id, &reader).await {
        Ok(token) => token,
        Err(error) if is_out_of_reach(&error) => return Ok(0),
        Err(error) => return Err(error.into()),
    };
    let credential = Credential::Installation(token);
    let api = RepositoryApi::new(core.connection.clone(), credential, &place.owner, &place.name);
    let pulls = match api.open_pulls(None).await {
        Ok(PullRequests::Changed { pulls, .. }) => pulls.items,
        Ok(PullRequests::Unchanged) => Vec::new(),
        Err(error) if is_out_of_reach(&error) => return Ok(0),
        Err(error) => return Err(error.into()),
    };
    let mut count = 0;
    for pull in pulls {
        let subject = place.subject(pull.number);
        let seen = core.store.subjects_of_head(&place.key(), pull.head.as_str()).await?;
        if seen.contains(&subject) {
            continue;
        }
        let asked = Asked::Event { text: None };
        let work = ReviewWork { place: place.clone(), number: pull.number, head: pull.head, asked };
        core.enqueue(&Work::Review(work), Urgency::Found).await?;
        count += 1;
    }
    Ok(count)
}
