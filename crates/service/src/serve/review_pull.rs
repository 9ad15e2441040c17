//! One pull request, from its number to what is told of it. What is reviewed is what GitHub has now, whatever an event
//! said; before anything is told it is looked at once more, and nothing is told of a head that is no more.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use github::RepositoryApi;
use github::app::Permission;
use github::event::PullState;
use github::repository::Pull;
use report::{Earlier, Notice, PacketName, Seal};
use review::change::{Source, text_digest};
use review::packet::PacketV1;
use review::policy::Gate;
use review::{CommitId, Digest, Lens};

use super::Core;
use super::clock::now_ms;
use super::closing::{closed, reopened};
use super::dispatch::CLOSED;
use super::ending::{Done, Trouble, unless_out_of_reach};
use super::recheck::required_checks;
use super::tell::{Conversation, InlineOf, Teller, was_told_by};
use super::work::{Asked, Cause, Place, ReviewWork, Work};
use crate::authorship::{declaration, declared_in_description};
use crate::config::{self, BaseSettings, Forks, Overrides};
use crate::fan_out::Clock;
use crate::office::KeepReceipts;
use crate::pull::{PullReading, read_pull};
use crate::review_one::{ReviewRequest, review_one};
use crate::steps::{NotAnsweredBefore, Steps};
use store::{Claimed, JobId, KeptPacketSummary, PostKind, Progress};

/// What the token that reads may do.
pub(crate) const READER: [Permission; 3] =
    [Permission::MetadataRead, Permission::ContentsRead, Permission::PullRequestsRead];

/// What the token that writes may do.
pub(crate) const WRITER: [Permission; 4] = [
    Permission::MetadataRead,
    Permission::ChecksWrite,
    Permission::PullRequestsWrite,
    Permission::IssuesWrite,
];

/// The name of a run. A job that is taken up again is the same run, so that it finds what it has paid for.
pub(crate) fn run_id(claimed: &Claimed) -> String {
    run_id_of(claimed.lease.job, claimed.created_at_ms, &claimed.subject)
}

/// The name of the run of a job that was enqueued at a time.
pub(crate) fn run_id_of(job: JobId, created_at_ms: i64, subject: &str) -> String {
    Digest::of(format!("{job} {created_at_ms} {subject}").as_bytes()).as_str()[..32].to_owned()
}

/// Reviews a pull request.
pub(crate) async fn review_pull(core: &Core, claimed: &Claimed, work: &ReviewWork) -> Result<Done, Trouble> {
    let place = &work.place;
    let api = match core.repository(place, &READER).await {
        Ok(api) => api,
        Err(error) => {
            return unless_out_of_reach(error, claimed.attempt, "the app is no longer installed there");
        }
    };
    let pull = match api.pull(work.number).await {
        Ok(pull) => pull,
        Err(error) => {
            return unless_out_of_reach(error, claimed.attempt, "the pull request is out of reach");
        }
    };
    let writer = core.repository(place, &WRITER).await?;
    let run_id = run_id(claimed);
    let bot = core.bot().await?;
    let teller = core.teller(&claimed.lease, &writer, place, work.number, &run_id, &bot);
    match &work.asked {
        Asked::Closed { .. } => return closed(core, work, &pull, &teller).await,
        Asked::Event { .. }
        | Asked::Label { .. }
        | Asked::Edited { .. }
        | Asked::Person { .. }
        | Asked::Again { .. } => {}
    }
    if pull.state == PullState::Closed {
        teller.check_gives_up(&work.head, &Notice::Stopped { why: CLOSED }).await?;
        return Ok(Done::cancelled("the pull request is closed"));
    }
    if pull.head != work.head {
        teller.check_gives_up(&work.head, &Notice::Superseded).await?;
        return Ok(superseded(core, work, &pull));
    }
    let told_before = match before(core, work, &pull).await? {
        Before::Told(told) => {
            reopened(core, work, &told, &teller).await?;
            return Ok(Done::succeeded("this head was reviewed before"));
        }
        Before::Unsaid { run } => Some(run),
        Before::Nothing => None,
    };
    if let Some(SkippedBy { rule, what, until }) = skipped(core, &api, &pull, &work.asked).await? {
        let notice = Notice::Skipped { rule, what: &what };
        // Whoever may edit a pull request may not so take back what was said of its head.
        if told_of_head(core, work).await?.is_none() {
            let conclusion = match until {
                Until::ARuleSaysSo => report::Conclusion::Neutral,
                // GitHub would let a neutral one through where the check is required.
                Until::SomebodyAsks => report::Conclusion::ActionRequired,
            };
            teller.check_ends_with(&pull.head, conclusion, &notice).await?;
        }
        return Ok(Done::succeeded(format!("not reviewed: {rule}")));
    }
    let (run, steps) = match (&work.asked, told_before) {
        (Asked::Again { run, cause: Cause::Base, .. }, _) => (run.clone(), Steps::Only),
        (Asked::Again { run, cause: Cause::Checks, .. }, _) => (run.clone(), Steps::Kept),
        (_, Some(run)) => (run, Steps::Kept),
        (_, None) => (run_id.clone(), Steps::Kept),
    };
    if steps != Steps::Only {
        teller.check_begins(&pull.head).await?;
    }
    let reading = Reading { place, api: &api, writer: &writer, pull: &pull };
    let packet = match packet(core, &reading, &Manner { lenses: None, run, steps }, claimed).await {
        Err(Trouble::Failed(error)) if error.is::<NotAnsweredBefore>() => {
            return Ok(Done::succeeded("it stays as it was decided: not all answers are kept"));
        }
        packet => packet?,
    };
    let packet = Reviewed { head: pull.head.clone(), packet };
    tell(core, work, &api, &teller, packet, claimed).await
}

/// Makes the check run of a review that waits for its turn.
pub(crate) async fn announce(core: &Core, claimed: &Claimed) -> Result<(), Trouble> {
    let Work::Review(work) = Work::read(&claimed.payload)? else { return Ok(()) };
    let is_told = match &work.asked {
        // Whether the new text is another one is only seen by reading it, and nobody waits to have decided again.
        Asked::Edited { .. } | Asked::Closed { .. } | Asked::Again { .. } => return Ok(()),
        Asked::Event { text: None } => told_of_head(core, &work).await?.is_some(),
        Asked::Event { text: Some(_) } | Asked::Label { .. } | Asked::Person { .. } => false,
    };
    if is_told {
        return Ok(());
    }
    let writer = core.repository(&work.place, &WRITER).await?;
    let (run_id, bot) = (run_id(claimed), core.bot().await?);
    let teller = core.teller(&claimed.lease, &writer, &work.place, work.number, &run_id, &bot);
    teller.check_waits(&work.head).await
}

/// What was told of a head before.
enum Before {
    /// Nothing that still holds.
    Nothing,
    /// What this run found holds, and its check run is not the newest: it is to be said again.
    Unsaid {
        /// The run.
        run: String,
    },
    /// What this packet says holds, and is what the newest check run says.
    Told(KeptPacketSummary),
}

/// What was asked for and told before: deliveries come late, twice and out of order, and drafts become ready.
async fn before(core: &Core, work: &ReviewWork, pull: &Pull) -> Result<Before, Trouble> {
    match &work.asked {
        Asked::Event { text: None } | Asked::Edited { .. } => {}
        Asked::Event { text: Some(_) }
        | Asked::Label { .. }
        | Asked::Person { .. }
        | Asked::Again { .. }
        | Asked::Closed { .. } => return Ok(Before::Nothing),
    }
    let subject = work.place.subject(work.number);
    let (Some(told), Some(kept)) =
        (told_of_head(core, work).await?, core.store.latest_packet(&subject).await?)
    else {
        return Ok(Before::Nothing);
    };
    // What the comment says by now is what the last packet says.
    let is_of_edit = matches!(work.asked, Asked::Edited { .. });
    if is_of_edit && told.digest != kept.digest {
        return Ok(Before::Nothing);
    }
    let Some(bytes) = core.store.packet(&told.digest).await? else { return Ok(Before::Nothing) };
    let Ok(packet) = serde_json::from_slice::<PacketV1>(&bytes) else {
        // One that was made by a version that we do not read any more: another text is looked at, and nothing else is.
        return Ok(if is_of_edit { Before::Nothing } else { Before::Told(told) });
    };
    let is_same_base =
        matches!(&packet.subject.source, Source::PullRequest { base_ref, .. } if *base_ref == pull.base_ref);
    if !is_same_base || packet.subject.text_digest != text_digest(&pull.title, &pull.body) {
        return Ok(Before::Nothing);
    }
    let name = PacketName { digest: told.digest.clone(), seal: Seal::Unsigned };
    let says = Digest::of(report::check(&packet, &name).title.as_bytes());
    let (key, prefix) = (work.place.key(), format!("{}/", work.head));
    match core.store.newest_post(&key, &subject, PostKind::CheckRun, &prefix).await? {
        Progress::Done { content } if content == says => Ok(Before::Told(told)),
        Progress::Done { .. } | Progress::ChangeBegun | Progress::Begun | Progress::NeverBegun => {
            Ok(Before::Unsaid { run: packet.run.id })
        }
    }
}

/// The newest packet of the head that was told to the end. One that was skipped by a rule was told without a packet.
async fn told_of_head(core: &Core, work: &ReviewWork) -> Result<Option<KeptPacketSummary>, Trouble> {
    let head = work.head.as_str();
    for kept in core.store.packets_of(&work.place.subject(work.number)).await? {
        if kept.head == head && was_told_by(&core.store, &work.place, work.number, head, &kept.run_id).await?
        {
            return Ok(Some(kept));
        }
    }
    Ok(None)
}

/// A newer head is looked at instead. Where heads of forks are only reviewed once they are asked for, whoever asked has not
/// seen that one.
fn superseded(core: &Core, work: &ReviewWork, pull: &Pull) -> Done {
    let asked = match (&work.asked, core.settings.file.serve.forks, pull.head_is_fork) {
        // What was decided of the head before has no part in this one's review.
        (Asked::Again { .. }, _, _) | (_, Forks::OnRequest | Forks::Skip, true) => {
            Asked::Event { text: None }
        }
        (asked, Forks::Review, _) | (asked, Forks::OnRequest | Forks::Skip, false) => asked.clone(),
    };
    let urgency = asked.urgency();
    let work = ReviewWork { head: pull.head.clone(), asked, ..work.clone() };
    Done::Superseded { then: vec![Work::Review(work).job(urgency, now_ms())] }
}

/// A rule of the operator that keeps a pull request from being reviewed.
struct SkippedBy {
    rule: &'static str,
    /// What met it.
    what: String,
    until: Until,
}

/// How long nothing is reviewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// For as long as the rule holds: nothing is to be reviewed.
    ARuleSaysSo,
    /// Until somebody who may asks: it is to be reviewed, and not without a word.
    SomebodyAsks,
}

/// Which rule of the operator keeps a pull request from being reviewed.
async fn skipped(
    core: &Core,
    api: &RepositoryApi,
    pull: &Pull,
    asked: &Asked,
) -> Result<Option<SkippedBy>, Trouble> {
    let by_label = match asked {
        Asked::Event { .. } | Asked::Edited { .. } => false,
        Asked::Label { .. } => true,
        Asked::Person { .. } | Asked::Again { .. } | Asked::Closed { .. } => return Ok(None),
    };
    let rules = &core.settings.file.serve;
    let skipped = |rule: &'static str, what: &str, until: Until| {
        Ok(Some(SkippedBy { rule, what: what.to_owned(), until }))
    };
    let by = |rule: &'static str, what: &str| skipped(rule, what, Until::ARuleSaysSo);
    if let Some(label) = pull.labels.iter().find(|label| rules.skip_labels.contains(label)) {
        return by("a label says so", label);
    }
    if pull.is_draft && !rules.drafts {
        return by("drafts are reviewed once they are ready", &pull.head_ref);
    }
    let author = &pull.author.login;
    match rules.forks {
        Forks::OnRequest if pull.head_is_fork && !by_label => {
            let rule = "each head from a fork is reviewed once it is asked for";
            return skipped(rule, author, Until::SomebodyAsks);
        }
        Forks::Skip if pull.head_is_fork => return by("pull requests from forks are not reviewed", author),
        Forks::Review | Forks::OnRequest | Forks::Skip => {}
    }
    if !rules.skip_authors.contains(author) {
        return Ok(None);
    }
    // Whoever pushes to a bot's branch is not that bot.
    let comparison = api.compare(&pull.base, &pull.head).await?;
    let is_all_theirs = comparison.commits.items.iter().all(|commit| commit.author.name == *author);
    if is_all_theirs { by("changes of this author are not reviewed", author) } else { Ok(None) }
}

/// What is reviewed, and by which rights it is read.
pub(crate) struct Reading<'a> {
    pub(crate) place: &'a Place,
    /// By the token that reads.
    pub(crate) api: &'a RepositoryApi,
    /// By the token that writes.
    pub(crate) writer: &'a RepositoryApi,
    pub(crate) pull: &'a Pull,
}

/// How it is reviewed.
pub(crate) struct Manner {
    /// Through these lenses; through all that the change needs where none are named.
    pub(crate) lenses: Option<BTreeSet<Lens>>,
    /// In the name of this run.
    pub(crate) run: String,
    /// With what was answered to it before.
    pub(crate) steps: Steps,
}

/// Reads the change and reviews it.
pub(crate) async fn packet(
    core: &Core,
    reading: &Reading<'_>,
    manner: &Manner,
    claimed: &Claimed,
) -> Result<PacketV1, Trouble> {
    let Reading { place, api, writer, pull } = *reading;
    let PullReading { change, repository, notes, base, base_file, opened } =
        read_pull(api, pull, &core.cache).await?;
    let BaseSettings { policy, written_by } = match base_file {
        Some(bytes) => config::read_base_file(&String::from_utf8_lossy(&bytes))?,
        None => BaseSettings::default(),
    };
    let mut file = core.settings.file.clone();
    // Whoever installs the App chooses a gate before anything is held up.
    file.review.fail_on = file.review.fail_on.or(Some(Gate::Never));
    let overrides = Overrides { lenses: manner.lenses.clone(), ..core.settings.overrides.clone() };
    let mut config = config::merge(file, &overrides)?;
    config.policy = config.policy.narrowed(&policy).map_err(anyhow::Error::from)?;
    // The token that writes check runs reads them, too.
    let required = &config.policy.required_checks;
    let checks = required_checks(core, place, writer, &pull.head, required).await?;
    let tables = &core.settings.tables;
    let mut declarations = declared_in_description(api, &opened, &change.body, tables).await?;
    declarations.extend(written_by.iter().map(|who| declaration(who.trim(), tables)));
    let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let request = ReviewRequest {
        change,
        repository,
        base: Some(base),
        checks: &checks,
        notes,
        declarations,
        opened: Some(opened),
        store: Some(core.store.clone()),
        steps: manner.steps,
        repository_key: place.key(),
        config: &config,
        tables,
        environment: &environment,
        receipts: &KeepReceipts::InDatabase,
        run_id: manner.run.clone(),
        // An attempt that is taken up again tells the time of the first one.
        now: claimed.created_at_ms.div_euclid(1_000),
        clock: Clock::Running,
        version: core.settings.version,
        progress: &|_| (),
    };
    Ok(review_one(&request).await.context("could not review the pull request")?)
}

/// A packet, and the head that it is about.
struct Reviewed {
    head: CommitId,
    packet: PacketV1,
}

/// Keeps the packet and tells it, unless the pull request has moved on.
async fn tell(
    core: &Core,
    work: &ReviewWork,
    api: &RepositoryApi,
    teller: &Teller<'_>,
    reviewed: Reviewed,
    claimed: &Claimed,
) -> Result<Done, Trouble> {
    let Reviewed { head, packet } = reviewed;
    let now = api.pull(work.number).await?;
    if now.head != head || now.state == PullState::Closed {
        let notice = match now.state {
            PullState::Closed => Notice::Stopped { why: CLOSED },
            PullState::Open => Notice::Superseded,
        };
        teller.check_ends_with(&head, report::Conclusion::Cancelled, &notice).await?;
        return Ok(match now.state {
            PullState::Closed => Done::cancelled("the pull request was closed meanwhile"),
            PullState::Open => superseded(core, work, &now),
        });
    }
    let subject = work.place.subject(work.number);
    let earlier = earlier(core, &subject, &packet).await?;
    let digest = core.keep_packet(&subject, &head, &packet).await?;
    let name = PacketName { digest, seal: Seal::Unsigned };
    // The comment first: where the check is required, whoever reads its end finds the comment there.
    let conversation = match now.comments {
        Some(0) => Conversation::Empty,
        Some(_) | None => Conversation::MayHoldOurs,
    };
    teller.comment(&report::comment(&packet, &name, &earlier), conversation).await?;
    teller.inline(&head, InlineOf::Review, report::inline_comments(&packet)).await?;
    teller.check_ends(&head, report::check(&packet, &name)).await?;
    let after = Duration::from_millis(now_ms().abs_diff(claimed.created_at_ms));
    core.metrics.told(packet.verdict.name(), after);
    let about = Work::Review(work.clone()).shown();
    tracing::info!(job = %claimed.lease.job, about, head = head.short(), verdict = packet.verdict.name(), "told");
    Ok(Done::succeeded(packet.verdict.name()))
}

/// What was said of earlier heads, newest first; each head once.
pub(crate) async fn earlier(core: &Core, subject: &str, packet: &PacketV1) -> Result<Vec<Earlier>, Trouble> {
    let mut seen: BTreeSet<String> =
        packet.subject.head.iter().map(|head| head.as_str().to_owned()).collect();
    let mut all = Vec::new();
    for kept in core.store.packets_of(subject).await? {
        if kept.run_id == packet.run.id || !seen.insert(kept.head.clone()) {
            continue;
        }
        let Some(bytes) = core.store.packet(&kept.digest).await? else { continue };
        // A packet of a version that we do not read any more is history that we do not tell.
        let Ok(earlier) = serde_json::from_slice::<PacketV1>(&bytes) else { continue };
        let head = CommitId::new(&kept.head).ok_or_else(|| anyhow!("a packet was kept without its head"))?;
        all.push(Earlier::of(&earlier, head, kept.digest));
    }
    Ok(all)
}
