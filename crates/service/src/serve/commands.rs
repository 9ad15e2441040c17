//! What people ask for in comments and by buttons. Who may ask is asked of GitHub each time, on every path.

use anyhow::anyhow;
use github::RepositoryApi;
use github::app::Permission;
use github::event::PullState;
use github::repository::Access;
use report::{Conclusion, Notice, Reply};
use review::CommitId;
use review::packet::PacketV1;
use store::{Claimed, JobKind};

use super::Core;
use super::clock::now_ms;
use super::dispatch::{BECAME_DRAFT, CLOSED, SAID_STOP};
use super::ending::{BELIEVED_AFTER, Done, Trouble, is_out_of_reach, unless_out_of_reach};
use super::installation::WENT_AWAY;
use super::partial::answer_without;
use super::review_pull::{WRITER, run_id};
use super::work::{
    Asked, CommandWork, MergeGroupWork, PartialWork, Place, RerunWork, ReviewWork, Urgency, Wanted, Work,
    group_subject,
};

/// The end of a job whose repository is not there for us any more.
const OUT_OF_REACH: &str = "the repository is out of reach";

/// The end of a job that was asked for by whoever may not ask.
const WITHOUT_ACCESS: &str = "asked by somebody without write access";

/// Does what a comment asks for.
pub(crate) async fn command(core: &Core, claimed: &Claimed, work: &CommandWork) -> Result<Done, Trouble> {
    let api = match core.repository(&work.place, &WRITER).await {
        Ok(api) => api,
        Err(error) => return unless_out_of_reach(error, claimed.attempt, OUT_OF_REACH),
    };
    let access = access(&api, &work.login, claimed.attempt).await?;
    if access < Access::Write {
        // Whoever may not ask gets no answer, so that nobody can make us talk.
        return Ok(Done::cancelled(WITHOUT_ACCESS));
    }
    let run_id = run_id(claimed);
    let bot = core.bot().await?;
    let teller = core.teller(&claimed.lease, &api, &work.place, work.number, &run_id, &bot);
    teller.eyes(work.comment).await?;
    let subject = work.place.subject(work.number);
    match &work.wanted {
        Wanted::Review { lenses } => {
            let pull = match api.pull(work.number).await {
                Ok(pull) => pull,
                Err(error) => return unless_out_of_reach(error, claimed.attempt, OUT_OF_REACH),
            };
            if pull.state == PullState::Closed {
                return Ok(Done::cancelled("the pull request is closed"));
            }
            let (place, number) = (work.place.clone(), work.number);
            let review = if lenses.is_empty() {
                let asked = Asked::Person { request: work.comment.id.to_string() };
                Work::Review(ReviewWork { place, number, head: pull.head, asked })
            } else {
                let (comment, lenses) = (work.comment, lenses.clone());
                Work::Partial(PartialWork { place, number, comment, lenses, head: Some(pull.head) })
            };
            let then = vec![review.job(Urgency::Asked, now_ms())];
            return Ok(Done::Succeeded { note: "a review is asked for".to_owned(), then });
        }
        Wanted::Stop => {
            let stopped = core.store.cancel(&subject, SAID_STOP, now_ms()).await?;
            core.stir();
            // An attempt before this one may have done it, and not have lived to say so.
            let is_done =
                stopped > 0 || core.store.was_cancelled(&subject, SAID_STOP, claimed.created_at_ms).await?;
            let reply = if is_done { Reply::Stopped } else { Reply::NothingToStop };
            teller.answer(work.comment, &report::reply(&reply)).await?;
        }
        Wanted::Why => {
            let text = match core.store.latest_packet(&subject).await? {
                Some(kept) => match serde_json::from_slice::<PacketV1>(&kept.bytes) {
                    Ok(packet) => report::reply(&Reply::Why(&packet, &kept.digest)),
                    Err(_) => report::reply(&Reply::NothingYet),
                },
                None => report::reply(&Reply::NothingYet),
            };
            teller.answer(work.comment, &text).await?;
        }
        Wanted::Help => teller.answer(work.comment, &report::reply(&Reply::Help)).await?,
        Wanted::Unknown { word } => {
            teller.answer(work.comment, &report::reply(&Reply::Unknown(word))).await?;
        }
    }
    Ok(Done::succeeded("answered"))
}

/// What somebody may do here, by GitHub's word of now.
async fn access(api: &RepositoryApi, login: &str, attempt: u32) -> Result<Access, Trouble> {
    match api.known_permission(login).await? {
        Some(access) => Ok(access),
        None if attempt >= BELIEVED_AFTER => Ok(Access::None),
        None => Err(Trouble::Failed(anyhow!("github does not know whoever asks"))),
    }
}

/// Reviews again whatever has a head, and says again of a merge queue's group what is known of its pull request.
pub(crate) async fn rerun(core: &Core, claimed: &Claimed, work: &RerunWork) -> Result<Done, Trouble> {
    if let Some(login) = &work.login {
        let access = match core.repository(&work.place, &[Permission::MetadataRead]).await {
            Ok(api) => access(&api, login, claimed.attempt).await?,
            Err(error) => return unless_out_of_reach(error, claimed.attempt, OUT_OF_REACH),
        };
        if access < Access::Write {
            return Ok(Done::cancelled(WITHOUT_ACCESS));
        }
    }
    // Only what GitHub itself called a group is one, whatever a branch is called.
    let (key, head) = (work.place.key(), work.head.as_str());
    let group = core.store.newest_of_head(&key, head, &group_subject(&work.place, &work.head)).await?;
    if let Some(payload) = group {
        let then = vec![Work::read(&payload)?.job(Urgency::Asked, now_ms())];
        return Ok(Done::Succeeded { note: "a merge queue's group".to_owned(), then });
    }
    let mut numbers = work.pulls.clone();
    if numbers.is_empty() {
        // GitHub names no pull requests from forks; we know which ones we were told of.
        let subjects = core.store.subjects_of_head(&key, head).await?;
        let of_pulls = subjects.iter().filter_map(|subject| subject.rsplit_once('#')?.1.parse::<u64>().ok());
        numbers.extend(of_pulls);
    }
    numbers.sort_unstable();
    numbers.dedup();
    let review = |number: u64| {
        let asked = Asked::Person { request: work.request.clone() };
        let review = ReviewWork { place: work.place.clone(), number, head: work.head.clone(), asked };
        Work::Review(review).job(Urgency::Asked, now_ms())
    };
    let then: Vec<_> = numbers.into_iter().map(review).collect();
    Ok(Done::Succeeded { note: format!("{} pull requests", then.len()), then })
}

/// Says of a merge queue's group what is known of its pull request: it was reviewed at its head, or it was not.
pub(crate) async fn merge_group(
    core: &Core,
    claimed: &Claimed,
    work: &MergeGroupWork,
) -> Result<Done, Trouble> {
    let Some(number) = pull_of(&work.head_ref) else {
        return Ok(Done::cancelled("the queue's branch names no pull request"));
    };
    let api = match core.repository(&work.place, &WRITER).await {
        Ok(api) => api,
        Err(error) => return unless_out_of_reach(error, claimed.attempt, OUT_OF_REACH),
    };
    let run_id = run_id(claimed);
    let bot = core.bot().await?;
    let teller = core.teller(&claimed.lease, &api, &work.place, number, &run_id, &bot);
    let pull = api.pull(number).await?;
    let kept = core.store.latest_packet(&work.place.subject(number)).await?;
    let of_head = kept.filter(|kept| CommitId::new(&kept.head).as_ref() == Some(&pull.head));
    match of_head.and_then(|kept| Some((serde_json::from_slice::<PacketV1>(&kept.bytes).ok()?, kept.digest)))
    {
        Some((packet, digest)) => {
            let name = report::PacketName { digest, seal: report::Seal::Unsigned };
            let mut report = report::check(&packet, &name);
            // Its lines are those of the pull request's head.
            report.annotations.clear();
            teller.check_ends(&work.head, report).await?;
        }
        None => {
            let notice =
                Notice::Failed { error: "this pull request's head was not reviewed before it was queued" };
            teller.check_ends_with(&work.head, Conclusion::ActionRequired, &notice).await?;
        }
    }
    Ok(Done::succeeded(format!("the group of pull request {number}")))
}

/// The pull request of a queue's branch: `refs/heads/gh-readonly-queue/main/pr-12-SHA`.
fn pull_of(head_ref: &str) -> Option<u64> {
    let (_, last) = head_ref.rsplit_once("/pr-")?;
    let (number, sha) = last.split_once('-')?;
    CommitId::new(sha)?;
    number.parse().ok()
}

/// A job that owes somebody a word about how it ended.
enum Owing<'a> {
    /// The check run of a head.
    Review(&'a ReviewWork),
    /// An answer.
    Partial(&'a PartialWork),
    /// The check run of a merge queue's group, and which pull request's group it is.
    Group(&'a MergeGroupWork, u64),
}

impl<'a> Owing<'a> {
    fn of(work: &'a Work) -> Option<Self> {
        match work {
            // Nothing was to be reviewed, and the head's check run says what was found.
            Work::Review(ReviewWork { asked: Asked::Closed { .. }, .. }) => None,
            Work::Review(work) => Some(Self::Review(work)),
            Work::Partial(work) => Some(Self::Partial(work)),
            Work::MergeGroup(work) => pull_of(&work.head_ref).map(|number| Self::Group(work, number)),
            Work::Command(_)
            | Work::Rerun(_)
            | Work::Recheck(_)
            | Work::Base(_)
            | Work::Look(_)
            | Work::Installation(_)
            | Work::Upkeep => None,
        }
    }

    fn pull(&self) -> (&'a Place, u64) {
        match self {
            Self::Review(work) => (&work.place, work.number),
            Self::Partial(work) => (&work.place, work.number),
            Self::Group(work, number) => (&work.place, *number),
        }
    }
}

/// Tells that a job was tried as often as it may be.
pub(crate) async fn give_up(core: &Core, claimed: &Claimed, work: &Work, error: &str) -> Result<(), Trouble> {
    let Some(owing) = Owing::of(work) else { return Ok(()) };
    let (place, number) = owing.pull();
    let api = match core.repository(place, &WRITER).await {
        Ok(api) => api,
        Err(error) if is_out_of_reach(&error) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let run_id = run_id(claimed);
    let bot = core.bot().await?;
    let teller = core.teller(&claimed.lease, &api, place, number, &run_id, &bot);
    let notice = Notice::Failed { error };
    match owing {
        Owing::Review(ReviewWork { head, .. }) | Owing::Group(MergeGroupWork { head, .. }, _) => {
            teller.check_ends_with(head, Conclusion::ActionRequired, &notice).await
        }
        Owing::Partial(work) => answer_without(&teller, work, &notice).await,
    }
}

/// Tells that a review was stopped before it came to an end.
pub(crate) async fn stopped(
    core: &Core,
    claimed: &Claimed,
    work: &Work,
    reason: &str,
) -> Result<(), Trouble> {
    if reason == WENT_AWAY {
        // There is no right to write there any more.
        return Ok(());
    }
    let Some(owing) = Owing::of(work) else { return Ok(()) };
    let (place, number) = owing.pull();
    let api = match core.repository(place, &WRITER).await {
        Ok(api) => api,
        Err(error) if is_out_of_reach(&error) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let run_id = run_id(claimed);
    let bot = core.bot().await?;
    let teller = core.teller(&claimed.lease, &api, place, number, &run_id, &bot);
    tracing::info!(job = %claimed.lease.job, reason, "stopped");
    let known = [CLOSED, BECAME_DRAFT, SAID_STOP].into_iter().find(|known| *known == reason);
    let as_said = Notice::Stopped { why: known.unwrap_or("it is not wanted any more") };
    match owing {
        Owing::Review(work) => {
            let live = core.store.live_job(JobKind::Review, &claimed.subject).await?;
            let next = live.filter(|next| known.is_none() && next.id != claimed.lease.job);
            let notice = match next {
                Some(next) if next.head.as_deref() == Some(work.head.as_str()) => {
                    Notice::Stopped { why: "another review of the same head takes its place" }
                }
                Some(_) => Notice::Superseded,
                None => as_said,
            };
            teller.check_gives_up(&work.head, &notice).await
        }
        Owing::Partial(work) => answer_without(&teller, work, &as_said).await,
        Owing::Group(work, _) => teller.check_gives_up(&work.head, &as_said).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_s_branch_names_its_pull_request() {
        let sha = "a".repeat(40);
        let named = |branch: &str| pull_of(&format!("refs/heads/gh-readonly-queue/{branch}-{sha}"));
        assert_eq!(named("main/pr-12"), Some(12));
        assert_eq!(named("release/pr-1/pr-7"), Some(7));
        assert_eq!(named("main/pr-x"), None);
        assert_eq!(pull_of("refs/heads/gh-readonly-queue/main/pr-12-main"), None);
        assert_eq!(pull_of("refs/heads/main"), None);
    }
}
