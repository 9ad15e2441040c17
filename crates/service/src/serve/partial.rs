//! Some lenses that somebody asked for by name. What they find is the answer to that comment, and stands at the lines; it has
//! no part in the check run, in the comment or in what counts as the head's review: who looks through one lens says nothing
//! about the others (law 4).

use github::event::PullState;
use github::repository::Pull;
use github::{ApiError, RepositoryApi};
use report::{Notice, PacketName, Reply, Seal};
use store::Claimed;

use super::Core;
use super::dispatch::CLOSED;
use super::ending::{Done, Trouble, unless_out_of_reach};
use super::review_pull::{Manner, READER, Reading, WRITER, packet, run_id};
use super::tell::{InlineOf, Teller};
use super::work::PartialWork;
use crate::config::Forks;
use crate::steps::Steps;

/// Why an answer says nothing of the head.
const MOVED_ON: &str = "the pull request has a newer head; ask again for that one";

/// Looks through the lenses, and answers.
pub(crate) async fn partial(core: &Core, claimed: &Claimed, work: &PartialWork) -> Result<Done, Trouble> {
    let place = &work.place;
    let reached = async {
        let api = core.repository(place, &READER).await?;
        let pull = api.pull(work.number).await?;
        Ok::<_, ApiError>((api, pull))
    };
    let (api, pull) = match reached.await {
        Ok(reached) => reached,
        Err(error) => {
            return unless_out_of_reach(error, claimed.attempt, "the pull request is out of reach");
        }
    };
    let writer = core.repository(place, &WRITER).await?;
    let run_id = run_id(claimed);
    let bot = core.bot().await?;
    let teller = core.teller(&claimed.lease, &writer, place, work.number, &run_id, &bot);
    if pull.state == PullState::Closed {
        return not_looked(&teller, work, CLOSED).await;
    }
    // Whoever asked has not seen what a fork pushed since.
    let rule = core.settings.file.serve.forks;
    let is_other = work.head.as_ref().is_some_and(|head| *head != pull.head);
    if is_other && pull.head_is_fork && rule != Forks::Review {
        return not_looked(&teller, work, MOVED_ON).await;
    }
    let reading = Reading { place, api: &api, writer: &writer, pull: &pull };
    let manner = Manner { lenses: Some(work.lenses.clone()), run: run_id.clone(), steps: Steps::Kept };
    let packet = packet(core, &reading, &manner, claimed).await?;
    if let Some(why) = moved_on(&api, work, &pull).await? {
        return not_looked(&teller, work, why).await;
    }
    // A subject of its own: nobody who asks for the head's review finds it.
    let subject = format!("{}!{}", place.subject(work.number), work.comment.id);
    let digest = core.keep_packet(&subject, &pull.head, &packet).await?;
    let name = PacketName { digest, seal: Seal::Unsigned };
    teller.answer(work.comment, &report::reply(&Reply::Lenses(&packet, &name))).await?;
    teller.inline(&pull.head, InlineOf::Answer(work.comment), report::inline_comments(&packet)).await?;
    core.store.forget_steps(&packet.run.id).await?;
    tracing::info!(job = %claimed.lease.job, "answered with what some lenses found");
    Ok(Done::succeeded("some lenses"))
}

/// Why nothing may be told of a head any more.
async fn moved_on(
    api: &RepositoryApi,
    work: &PartialWork,
    before: &Pull,
) -> Result<Option<&'static str>, Trouble> {
    let now = api.pull(work.number).await?;
    Ok(match now.state {
        PullState::Closed => Some(CLOSED),
        PullState::Open if now.head != before.head => Some(MOVED_ON),
        PullState::Open => None,
    })
}

async fn not_looked(teller: &Teller<'_>, work: &PartialWork, why: &'static str) -> Result<Done, Trouble> {
    answer_without(teller, work, &Notice::Stopped { why }).await?;
    Ok(Done::cancelled(why))
}

/// Answers that the lenses did not look to the end.
pub(crate) async fn answer_without(
    teller: &Teller<'_>,
    work: &PartialWork,
    notice: &Notice<'_>,
) -> Result<(), Trouble> {
    teller.answer(work.comment, &report::reply(&Reply::NoLenses(notice))).await
}
