//! What follows where others' checks of a head have ended, or its base branch has another configuration: a review that may
//! be decided otherwise is decided again, from its own replies.

use std::time::Duration;

use github::RepositoryApi;
use github::app::Permission;
use github::event::PullSummary;
use review::judge::Check;
use review::packet::PacketV1;
use review::policy::RequiredCheck;
use review::{CommitId, Digest};
use store::{Claimed, JobKind};

use super::Core;
use super::clock::now_ms;
use super::ending::{Done, Trouble, is_out_of_reach, unless_out_of_reach};
use super::work::{Asked, BaseWork, Cause, Place, RecheckWork, ReviewWork, Urgency, Work};
use crate::head_checks::{check_runs, may_be_a_status, statuses};

/// How long a review that is being made is waited for.
const UNDER_WAY: Duration = Duration::from_secs(10);

/// Has a head's review decided again, if what happened matters to it.
pub(crate) async fn recheck(core: &Core, work: &RecheckWork) -> Result<Done, Trouble> {
    let mut then = Vec::new();
    for subject in core.store.subjects_of_head(&work.place.key(), work.head.as_str()).await? {
        let Some(number) = subject.rsplit_once('#').and_then(|(_, number)| number.parse().ok()) else {
            continue;
        };
        if core.store.live_job(JobKind::Review, &subject).await?.is_some() {
            return Err(Trouble::Later { delay: UNDER_WAY, note: "its review is being made".to_owned() });
        }
        let Some(kept) = core.store.latest_packet(&subject).await? else { continue };
        // One that was made by a version that we do not read any more stays as it is.
        let Ok(packet) = serde_json::from_slice::<PacketV1>(&kept.bytes) else { continue };
        if CommitId::new(&kept.head).as_ref() != Some(&work.head) {
            continue;
        }
        let now = match work.cause {
            Cause::Checks => match other_checks(core, work, &packet).await? {
                Some(now) => now,
                None => continue,
            },
            Cause::Base => Digest::of(work.event.as_bytes()),
        };
        let asked = Asked::Again { run: packet.run.id, cause: work.cause, now };
        let urgency = asked.urgency();
        let review = ReviewWork { place: work.place.clone(), number, head: work.head.clone(), asked };
        then.push(Work::Review(review).job(urgency, now_ms()));
    }
    Ok(Done::Succeeded { note: format!("{} reviews are decided again", then.len()), then })
}

/// What the head's checks are known by, where a review requires some and knew them otherwise.
async fn other_checks(core: &Core, work: &RecheckWork, packet: &PacketV1) -> Result<Option<Digest>, Trouble> {
    let required = &packet.judgement.required_checks;
    if required.is_empty() {
        return Ok(None);
    }
    let reader = [Permission::MetadataRead, Permission::ChecksRead];
    let api = match core.repository(&work.place, &reader).await {
        Ok(api) => api,
        Err(error) if is_out_of_reach(&error) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let checks = required_checks(core, &work.place, &api, &work.head, required).await?;
    if checks == packet.checks {
        return Ok(None);
    }
    Ok(Some(Digest::of(&serde_json::to_vec(&checks).map_err(anyhow::Error::from)?)))
}

/// Has the reviews of all open pull requests into a branch decided again: its configuration is another one.
pub(crate) async fn base_changed(core: &Core, claimed: &Claimed, work: &BaseWork) -> Result<Done, Trouble> {
    let reader = [Permission::MetadataRead, Permission::PullRequestsRead];
    let listed = async {
        let api = core.repository(&work.place, &reader).await?;
        api.open_pulls_into(&work.branch).await
    };
    let pulls = match listed.await {
        Ok(pulls) => pulls.items,
        Err(error) => return unless_out_of_reach(error, claimed.attempt, "the repository is out of reach"),
    };
    let recheck = |pull: PullSummary| {
        let (place, event) = (work.place.clone(), work.event.clone());
        let recheck = RecheckWork { place, head: pull.head, event, cause: Cause::Base };
        Work::Recheck(recheck).job(Urgency::Found, now_ms())
    };
    let then: Vec<_> = pulls.into_iter().map(recheck).collect();
    Ok(Done::Succeeded { note: format!("{} open pull requests", then.len()), then })
}

/// What the platform says of the checks of a head; nothing is read where none is required.
pub(crate) async fn required_checks(
    core: &Core,
    place: &Place,
    api: &RepositoryApi,
    head: &CommitId,
    required: &[RequiredCheck],
) -> Result<Vec<Check>, Trouble> {
    if required.is_empty() {
        return Ok(Vec::new());
    }
    let mut checks = check_runs(api, head).await?;
    if !may_be_a_status(required, &checks) {
        return Ok(checks);
    }
    let reader = [Permission::MetadataRead, Permission::StatusesRead];
    match core.repository(place, &reader).await {
        Ok(api) => checks.extend(statuses(&api, head).await?),
        // An installation that was not asked for that permission: the check is missing, and that is said.
        Err(error) => tracing::warn!(%error, "the statuses of {} were not read", head.short()),
    }
    Ok(checks)
}
