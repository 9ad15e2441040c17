//! Looking through a repository for open heads that nobody looked at: what was open before the App came, what was missed,
//! and what was given up in silence because the repository was out of reach.
//!
//! GitHub says for nothing that a list has not changed, but only to the token that it gave the list to. So that token is
//! kept, in memory, until it expires. A list is remembered once all that follows from it is on disk, and what was lost since
//! then is not hidden behind it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use github::app::Permission;
use github::repository::PullRequests;
use github::{ApiError, Credential, RepositoryApi};
use jiff::Timestamp;
use store::{Claimed, JobEnding};

use super::clock::now_ms;
use super::ending::{Done, Trouble, is_out_of_reach, unless_out_of_reach};
use super::review_pull::run_id_of;
use super::tell::was_ended_by;
use super::upkeep::REMEMBERED_MS;
use super::work::{Asked, LookWork, Place, ReviewWork, Urgency, Work};
use super::{Core, DryRun};

/// What the token that reads lists may do.
const LISTER: [Permission; 2] = [Permission::MetadataRead, Permission::PullRequestsRead];

/// How long a head whose review came to nothing is left alone, in milliseconds.
const LEFT_ALONE_MS: i64 = 60 * 60 * 1_000;

/// How long before it expires a token is used no more, in milliseconds.
const SPARE_MS: i64 = 5 * 60 * 1_000;

/// The most lists that are remembered. Whatever is forgotten costs one call more.
const MAX_LISTS: usize = 1_000;

/// How often a head is reviewed anew whose reviews come to nothing, in the time for which that is remembered: what an archived
/// repository does not let us write, say, it will not let us write tomorrow.
const MOST_TIMES: u64 = 12;

/// The most reviews of one repository that came to nothing and are looked for at once.
const MAX_LOST: usize = 1_000;

/// When a head whose review came to nothing is reviewed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// An hour later: nobody says that it would do better now.
    AnHourAfter,
    /// Now: GitHub says that the repository is in reach again.
    AtOnce,
}

/// What came of looking through a repository.
#[derive(Debug)]
pub(crate) enum Looked {
    /// It was looked through.
    Through {
        /// How many heads are reviewed now.
        found: usize,
    },
    /// GitHub knows nothing there.
    OutOfReach(ApiError),
}

/// The lists of open pull requests that were read, by repository. In memory only.
#[derive(Default)]
pub(crate) struct Lists(Mutex<BTreeMap<u64, List>>);

/// A list that was read.
#[derive(Clone)]
struct List {
    /// By which right.
    api: RepositoryApi,
    etag: Option<String>,
    /// When, in milliseconds since 1970. What was lost before was looked for in it.
    at_ms: i64,
}

impl Lists {
    /// The list that was read last, if the same right to it still holds.
    fn of(&self, place: &Place, now_ms: i64) -> Option<List> {
        let list = self.all().get(&place.id).cloned()?;
        let is_good = match list.api.credential() {
            Credential::Installation(token) => {
                token.installation == place.installation
                    && token.expires_at.as_millisecond() > now_ms.saturating_add(SPARE_MS)
            }
            Credential::Personal(_) => false,
        };
        is_good.then_some(list)
    }

    fn remember(&self, place: &Place, list: List) {
        let mut all = self.all();
        if all.len() >= MAX_LISTS && !all.contains_key(&place.id) {
            all.clear();
        }
        all.insert(place.id, list);
    }

    fn forget(&self, place: &Place) {
        self.all().remove(&place.id);
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<u64, List>> {
        self.0.lock().expect("nobody panics while holding it")
    }
}

/// Looks through a repository that GitHub says is in reach now.
pub(crate) async fn look(core: &Core, claimed: &Claimed, work: &LookWork) -> Result<Done, Trouble> {
    match look_through(core, &work.place, Again::AtOnce).await? {
        Looked::Through { found } => Ok(Done::succeeded(format!("{found} heads found"))),
        Looked::OutOfReach(error) => {
            unless_out_of_reach(error, claimed.attempt, "the repository is out of reach")
        }
    }
}

/// Has the open heads reviewed that nobody looked at, the latest first.
pub(crate) async fn look_through(core: &Core, place: &Place, again: Again) -> Result<Looked, Trouble> {
    let Some(look_back_ms) = core.settings.look_back_ms() else { return Ok(Looked::Through { found: 0 }) };
    let now = now_ms();
    let lost = lost(core, place, again, now).await?;
    let (api, etag) = match core.lists.of(place, now) {
        Some(List { api, etag, at_ms }) => {
            let was_looked_for = |lost: &Lost| lost.due_at_ms <= at_ms;
            (api, etag.filter(|_| lost.iter().all(was_looked_for)))
        }
        None => match core.repository(place, &LISTER).await {
            Ok(api) => (api, None),
            Err(error) if is_out_of_reach(&error) => return Ok(Looked::OutOfReach(error)),
            Err(error) => return Err(error.into()),
        },
    };
    let since = Timestamp::from_millisecond(now.saturating_sub(look_back_ms)).ok();
    let (pulls, etag) = match api.open_pulls(etag.as_deref(), since).await {
        Ok(PullRequests::Unchanged) => return Ok(Looked::Through { found: 0 }),
        Ok(PullRequests::Changed { pulls, etag }) => (pulls.items, etag),
        Err(error) => {
            // The right to it may be gone.
            core.lists.forget(place);
            return if is_out_of_reach(&error) { Ok(Looked::OutOfReach(error)) } else { Err(error.into()) };
        }
    };
    let mut found = 0;
    for pull in pulls {
        let head = pull.head.as_str();
        let is_it = |lost: &&Lost| lost.work.number == pull.number && lost.work.head == pull.head;
        let asked = match lost.iter().find(is_it) {
            Some(lost) => lost.work.asked.clone(),
            None => {
                let subjects = core.store.subjects_of_head(&place.key(), head).await?;
                if subjects.contains(&place.subject(pull.number)) {
                    continue;
                }
                Asked::Event { text: None }
            }
        };
        let work = ReviewWork { place: place.clone(), number: pull.number, head: pull.head, asked };
        core.enqueue(&Work::Review(work), Urgency::Found).await?;
        found += 1;
    }
    // All of it is on disk.
    core.lists.remember(place, List { api, etag, at_ms: now });
    Ok(Looked::Through { found })
}

/// A review that came to nothing, in silence.
struct Lost {
    /// What it was to do.
    work: ReviewWork,
    /// When it is to be made again, in milliseconds since 1970.
    due_at_ms: i64,
}

/// The reviews of a repository that came to nothing, of which GitHub was told nothing, and that are to be made again by now.
async fn lost(core: &Core, place: &Place, again: Again, now_ms: i64) -> Result<Vec<Lost>, Trouble> {
    let (since_ms, left_alone_ms, most_times) = match again {
        Again::AnHourAfter => (now_ms.saturating_sub(REMEMBERED_MS), LEFT_ALONE_MS, MOST_TIMES),
        Again::AtOnce => (0, 0, u64::MAX),
    };
    let mut all = Vec::new();
    for review in core.store.lost_reviews(&place.key(), since_ms, MAX_LOST).await? {
        let due_at_ms = review.finished_at_ms.saturating_add(left_alone_ms);
        let Ok(Work::Review(mut work)) = Work::read(&review.payload) else { continue };
        if due_at_ms > now_ms || review.times > most_times {
            continue;
        }
        if review.ending == JobEnding::Failed {
            let run_id = run_id_of(review.id, review.created_at_ms, &review.subject);
            let head = work.head.as_str();
            // A dry run tells nothing of any.
            if core.settings.dry_run == DryRun::Yes
                || was_ended_by(&core.store, place, work.number, head, &run_id).await?
            {
                continue;
            }
        }
        if let Asked::Closed { .. } = work.asked {
            // It is open, or it is not found.
            work.asked = Asked::Event { text: None };
        }
        all.push(Lost { work, due_at_ms });
    }
    Ok(all)
}
