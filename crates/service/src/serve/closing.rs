//! What the comment says of a pull request that is closed: which claims still stand. It is a review's job, so that no review
//! of the pull request writes the comment at the same time, and one that follows takes its place.

use github::event::PullState;
use github::repository::Pull;
use report::{Closing, PacketName, Seal};
use review::packet::PacketV1;
use store::KeptPacketSummary;

use super::Core;
use super::clock::now_ms;
use super::ending::{Done, Trouble};
use super::review_pull::earlier;
use super::tell::Teller;
use super::work::{Asked, ReviewWork, Urgency, Work};

/// Lets our comment, if there is one, say what still stands.
pub(crate) async fn closed(
    core: &Core,
    work: &ReviewWork,
    pull: &Pull,
    teller: &Teller<'_>,
) -> Result<Done, Trouble> {
    if pull.state == PullState::Open {
        // It was opened again meanwhile; a review that the closing stopped is made after all.
        let asked = Asked::Event { text: None };
        let review = ReviewWork { head: pull.head.clone(), asked, ..work.clone() };
        let then = vec![Work::Review(review).job(Urgency::Event, now_ms())];
        return Ok(Done::Succeeded { note: "it is open".to_owned(), then });
    }
    let closing = if pull.is_merged { Closing::Merged } else { Closing::Closed };
    let subject = work.place.subject(work.number);
    let Some(newest) = core.store.packets_of(&subject).await?.into_iter().next() else {
        return Ok(Done::succeeded("closed before anything was told"));
    };
    let text = |packet: &PacketV1, name: &PacketName, before: &[_]| {
        report::closing_comment(packet, name, before, closing)
    };
    rewrite(core, &subject, &newest, teller, text).await?;
    Ok(Done::succeeded("closed"))
}

/// Lets our comment say what it said before the pull request was closed.
pub(crate) async fn reopened(
    core: &Core,
    work: &ReviewWork,
    told: &KeptPacketSummary,
    teller: &Teller<'_>,
) -> Result<(), Trouble> {
    let text =
        |packet: &PacketV1, name: &PacketName, before: &[_]| Some(report::comment(packet, name, before));
    rewrite(core, &work.place.subject(work.number), told, teller, text).await
}

async fn rewrite(
    core: &Core,
    subject: &str,
    kept: &KeptPacketSummary,
    teller: &Teller<'_>,
    text: impl Fn(&PacketV1, &PacketName, &[report::Earlier]) -> Option<String>,
) -> Result<(), Trouble> {
    let Some(bytes) = core.store.packet(&kept.digest).await? else { return Ok(()) };
    // One that was made by a version that we do not read any more stays as it was told.
    let Ok(packet) = serde_json::from_slice::<PacketV1>(&bytes) else { return Ok(()) };
    let before = earlier(core, subject, &packet).await?;
    let name = PacketName { digest: kept.digest.clone(), seal: Seal::Unsigned };
    match text(&packet, &name, &before) {
        Some(text) => teller.comment_says(&text).await,
        None => Ok(()),
    }
}
