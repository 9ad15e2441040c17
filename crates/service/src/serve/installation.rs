//! What follows where an installation changes. What it reaches is read from GitHub, whatever the event says: what came is
//! looked through, a repository at a time; the jobs of what went away end, and nothing is told there.

use std::collections::BTreeSet;

use github::event::InstalledRepository;
use github::repository::{Listing, Rest};
use github::{ApiError, ErrorKind};
use store::{Claimed, Unfinished};

use super::Core;
use super::clock::now_ms;
use super::ending::{BELIEVED_AFTER, Done, Trouble, is_out_of_reach};
use super::work::{InstallationWork, LookWork, Place, Said, Urgency, Work};

/// Why jobs are stopped whose repository went away. There is no right to tell of it there.
pub(crate) const WENT_AWAY: &str = "the app does not reach the repository any more";

/// How much later the next repository is looked through, in milliseconds: two calls each, so that a thousand of them leave
/// GitHub's limits alone, and reviews their workers.
const APART_MS: i64 = 1_000;

/// Has looked through what an installation reaches anew, and ends the jobs of what it does not reach any more.
pub(crate) async fn installation(
    core: &Core,
    claimed: &Claimed,
    work: &InstallationWork,
) -> Result<Done, Trouble> {
    // Before it is asked what is reached, so that whoever is reached only now keeps theirs.
    let unfinished = core.store.unfinished().await?;
    let reached = match core.app.reached(work.installation).await {
        Ok(reached) => reached,
        Err(error) if is_switched_off(&error) => {
            // Where the event says otherwise, GitHub may be behind.
            if work.said != Said::Gone && claimed.attempt < BELIEVED_AFTER {
                return Err(error.into());
            }
            Listing { items: Vec::new(), rest: Rest::Nothing }
        }
        Err(error) => return Err(error.into()),
    };
    let ended = match reached.rest {
        Rest::Nothing => end_others(core, work.installation, unfinished, &reached.items).await?,
        // Each job finds out by itself.
        Rest::Unread => 0,
    };
    let is_new = |repository: &InstalledRepository| match &work.said {
        Said::AllIsNew => true,
        Said::Changed { added } => added.contains(&repository.id),
        Said::Gone => false,
    };
    let new: Vec<_> = match core.settings.look_back_ms() {
        Some(_) => reached.items.into_iter().filter(is_new).collect(),
        None => Vec::new(),
    };
    let count = new.len();
    let mut at_ms = now_ms();
    for InstalledRepository { id, owner, name } in new {
        let place = Place { installation: work.installation, id, owner, name };
        core.enqueue_at(&Work::Look(LookWork { place }), Urgency::Found, at_ms).await?;
        at_ms = at_ms.saturating_add(APART_MS);
    }
    Ok(Done::succeeded(format!("{count} repositories to look through, {ended} jobs ended")))
}

/// Whether GitHub says that an installation is gone, or suspended.
fn is_switched_off(error: &ApiError) -> bool {
    is_out_of_reach(error) || matches!(error.kind, ErrorKind::Forbidden { .. })
}

/// Ends the jobs of an installation in all repositories but these; how many that were.
async fn end_others(
    core: &Core,
    installation: u64,
    unfinished: Vec<Unfinished>,
    reached: &[InstalledRepository],
) -> Result<u64, Trouble> {
    let reached: BTreeSet<u64> = reached.iter().map(|repository| repository.id).collect();
    let is_out_of_reach = |job: &Unfinished| {
        let work = Work::read(&job.payload).ok();
        // Where it was installed again, the jobs of that one go on.
        work.as_ref()
            .and_then(Work::place)
            .is_some_and(|place| place.installation == installation && !reached.contains(&place.id))
    };
    let gone: Vec<_> = unfinished.into_iter().filter(is_out_of_reach).collect();
    Ok(core.store.out_of_reach(&gone, WENT_AWAY, now_ms()).await?)
}
