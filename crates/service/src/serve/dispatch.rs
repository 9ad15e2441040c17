//! What follows from an event: which jobs, and which jobs end. Values in, values out.
//!
//! Nothing here believes more of an event than that something happened: a job reads again what it is about.

use std::collections::BTreeSet;

use github::command::{Command, command};
use github::event::{
    AccountKind, CheckRunAction, CheckRunEvent, CheckSuiteAction, CheckSuiteEvent, CommentAction,
    CommentEvent, CommentPlace, Event, InstallationAction, InstallationEvent, MergeGroupAction,
    MergeGroupEvent, PullRequestAction, PullRequestEvent, PullState, PushEvent,
};
use review::Digest;
use review::attribution::Agents;
use store::Order;

use super::work::{
    Asked, BaseWork, Cause, CommandWork, CommentAt, InstallationWork, MergeGroupWork, Place, RecheckWork,
    RerunWork, ReviewWork, Said, Urgency, Wanted, Work,
};
use crate::config::BASE_FILE;

/// The name of the button that asks for a review.
pub(crate) const REVIEW_BUTTON: &str = "review";

/// Why a review is stopped.
pub(crate) const CLOSED: &str = "the pull request was closed";
pub(crate) const BECAME_DRAFT: &str = "the pull request became a draft";
pub(crate) const SAID_STOP: &str = "somebody with write access said stop";

/// What decides what follows from events.
pub(crate) struct EventRules<'a> {
    /// Our own app.
    pub(crate) app_id: u64,
    /// Labels that ask for a review.
    pub(crate) review_labels: BTreeSet<String>,
    /// Labels that keep a change from being reviewed.
    pub(crate) skip_labels: BTreeSet<String>,
    /// What is done with drafts.
    pub(crate) drafts: Drafts,
    /// How long a new title or description waits for the next, in milliseconds.
    pub(crate) settling_ms: i64,
    /// The tools whose labels say who wrote a change.
    pub(crate) agents: &'a Agents,
}

/// What is done with drafts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drafts {
    /// They wait until they are ready.
    Wait,
    /// The same as with others.
    AreReviewed,
}

/// What follows from an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    /// What is to be done.
    pub(crate) orders: Vec<Order>,
    /// Why, in a few words, for the log.
    pub(crate) reason: &'static str,
}

impl Decision {
    fn nothing(reason: &'static str) -> Self {
        Self { orders: Vec::new(), reason }
    }

    fn enqueue(work: &Work, urgency: Urgency, run_at_ms: i64, reason: &'static str) -> Self {
        Self { orders: vec![Order::Enqueue(work.job(urgency, run_at_ms))], reason }
    }
}

/// Says what follows from an event. `body` names the delivery's bytes.
pub(crate) fn decide(event: &Event, body: &Digest, rules: &EventRules<'_>, now_ms: i64) -> Decision {
    match event {
        Event::PullRequest(event) => pull_request(event, body, rules, now_ms),
        Event::Comment(event) => comment(event, rules, now_ms),
        Event::CheckRun(event) => check_run(event, body, rules, now_ms),
        Event::CheckSuite(event) => check_suite(event, body, rules, now_ms),
        Event::MergeGroup(event) => merge_group(event, now_ms),
        Event::Push(event) => push(event, body, now_ms),
        Event::Installation(event) => installation(event, body, now_ms),
        Event::Ping => Decision::nothing("a ping"),
        Event::Ignored { .. } => Decision::nothing("not an event that we act on"),
    }
}

/// The most repositories of an event that are looked through. GitHub lists no more of an installation either (`App::reached`).
const MOST_ADDED: usize = 5_000;

fn installation(event: &InstallationEvent, body: &Digest, now_ms: i64) -> Decision {
    let (said, reason) = match &event.action {
        InstallationAction::Created => (Said::AllIsNew, "the app was installed"),
        InstallationAction::Unsuspended => (Said::AllIsNew, "an installation goes on"),
        InstallationAction::PermissionsAccepted => (Said::AllIsNew, "permissions were accepted"),
        InstallationAction::Deleted => (Said::Gone, "the app was uninstalled"),
        InstallationAction::Suspended => (Said::Gone, "an installation was suspended"),
        // One that reaches all from now on need not name them.
        InstallationAction::RepositoriesChanged if event.added.is_empty() && event.removed.is_empty() => {
            (Said::AllIsNew, "an installation reaches others")
        }
        InstallationAction::RepositoriesChanged => {
            let added = event.added.iter().take(MOST_ADDED).map(|repository| repository.id).collect();
            (Said::Changed { added }, "an installation reaches others")
        }
        InstallationAction::Other(_) => return Decision::nothing("not an action that we act on"),
    };
    let event_name = body.short().to_owned();
    let work = InstallationWork { installation: event.installation, said, event: event_name };
    Decision::enqueue(&Work::Installation(work), Urgency::Event, now_ms, reason)
}

const NO_INSTALLATION: &str = "it is of no installation";

fn pull_request(event: &PullRequestEvent, body: &Digest, rules: &EventRules<'_>, now_ms: i64) -> Decision {
    let Some(installation) = event.origin.installation else { return Decision::nothing(NO_INSTALLATION) };
    let place = Place::new(installation, &event.origin.repository);
    let pull = &event.pull;
    let asked = |asked: Asked, run_at_ms: i64, reason: &'static str| {
        if pull.state == PullState::Closed {
            return Decision::nothing("the pull request is closed");
        }
        let urgency = asked.urgency();
        let work = ReviewWork { place: place.clone(), number: pull.number, head: pull.head.clone(), asked };
        Decision::enqueue(&Work::Review(work), urgency, run_at_ms, reason)
    };
    let review = |text: Option<Digest>, reason: &'static str| asked(Asked::Event { text }, now_ms, reason);
    let cancel = |reason: &'static str| {
        let subject = place.subject(pull.number);
        Decision { orders: vec![Order::Cancel { subject, reason: reason.to_owned() }], reason }
    };
    let label_is_in =
        |labels: &BTreeSet<String>| event.label.as_ref().is_some_and(|label| labels.contains(label));
    match &event.action {
        PullRequestAction::Opened => review(None, "opened"),
        PullRequestAction::Reopened => review(None, "reopened"),
        PullRequestAction::Synchronize => review(None, "a new head"),
        PullRequestAction::ReadyForReview => review(None, "ready for review"),
        PullRequestAction::Edited if event.changed.base => review(Some(body.clone()), "another base"),
        PullRequestAction::Edited if event.changed.title || event.changed.body => {
            let at = now_ms.saturating_add(rules.settling_ms);
            asked(Asked::Edited { event: body.clone() }, at, "another title or description")
        }
        PullRequestAction::Edited => Decision::nothing("nothing that we read was edited"),
        PullRequestAction::Labeled if label_is_in(&rules.review_labels) => {
            asked(Asked::Label { event: body.clone() }, now_ms, "a label asks for it")
        }
        // One that is taken off takes nobody back in (law 1).
        PullRequestAction::Labeled
            if event.label.as_ref().is_some_and(|label| rules.agents.tells_who_wrote(label)) =>
        {
            review(Some(body.clone()), "a label says who wrote it")
        }
        PullRequestAction::Unlabeled if label_is_in(&rules.skip_labels) => {
            review(Some(body.clone()), "a label no longer forbids it")
        }
        PullRequestAction::Labeled | PullRequestAction::Unlabeled => {
            Decision::nothing("a label without meaning")
        }
        PullRequestAction::Closed => {
            let (number, head) = (pull.number, pull.head.clone());
            let asked = Asked::Closed { event: body.clone() };
            let work = Work::Review(ReviewWork { place: place.clone(), number, head, asked });
            let mut decision = cancel(CLOSED);
            decision.orders.push(Order::Enqueue(work.job(Urgency::Event, now_ms)));
            decision
        }
        PullRequestAction::ConvertedToDraft => match rules.drafts {
            Drafts::Wait => cancel(BECAME_DRAFT),
            Drafts::AreReviewed => Decision::nothing("drafts are reviewed too"),
        },
        PullRequestAction::Other(_) => Decision::nothing("not an action that we act on"),
    }
}

fn comment(event: &CommentEvent, rules: &EventRules<'_>, now_ms: i64) -> Decision {
    if event.app_id == Some(rules.app_id) {
        return Decision::nothing("our own comment");
    }
    if event.action != CommentAction::Created {
        return Decision::nothing("only new comments hold commands");
    }
    // A bot that quotes a command would start a conversation of machines.
    if event.author.kind != AccountKind::User || event.app_id.is_some() {
        return Decision::nothing("a machine's comment");
    }
    let (Some(installation), Some(number)) = (event.origin.installation, event.pull) else {
        return Decision::nothing("not a comment on a pull request of an installation");
    };
    let Some(command) = command(&event.body) else { return Decision::nothing("no command") };
    let wanted = match command {
        Command::Review { lenses, full: _ } => Wanted::Review { lenses: lenses.into_iter().collect() },
        Command::Stop => Wanted::Stop,
        Command::Why => Wanted::Why,
        Command::Help => Wanted::Help,
        Command::Unknown(word) => Wanted::Unknown { word },
    };
    let in_review_thread = event.place == CommentPlace::ReviewThread;
    let work = CommandWork {
        place: Place::new(installation, &event.origin.repository),
        number,
        comment: CommentAt { in_review_thread, id: event.comment_id },
        login: event.author.login.clone(),
        wanted,
    };
    Decision::enqueue(&Work::Command(work), Urgency::Asked, now_ms, "a command")
}

fn check_run(event: &CheckRunEvent, body: &Digest, rules: &EventRules<'_>, now_ms: i64) -> Decision {
    if event.app_id != Some(rules.app_id) {
        return Decision::nothing("another app's check");
    }
    match &event.action {
        CheckRunAction::Rerequested => {}
        CheckRunAction::RequestedAction { identifier } if identifier == REVIEW_BUTTON => {}
        CheckRunAction::Created
        | CheckRunAction::Completed
        | CheckRunAction::RequestedAction { .. }
        | CheckRunAction::Other(_) => {
            return Decision::nothing("not an action that we act on");
        }
    }
    let Some(installation) = event.origin.installation else { return Decision::nothing(NO_INSTALLATION) };
    let work = RerunWork {
        place: Place::new(installation, &event.origin.repository),
        head: event.head.clone(),
        request: body.short().to_owned(),
        pulls: event.pulls.clone(),
        login: Some(event.origin.sender.login.clone()),
    };
    Decision::enqueue(&Work::Rerun(work), Urgency::Asked, now_ms, "the check was asked for again")
}

fn check_suite(event: &CheckSuiteEvent, body: &Digest, rules: &EventRules<'_>, now_ms: i64) -> Decision {
    let Some(installation) = event.origin.installation else { return Decision::nothing(NO_INSTALLATION) };
    let place = Place::new(installation, &event.origin.repository);
    let is_ours = event.app_id == Some(rules.app_id);
    match &event.action {
        CheckSuiteAction::Rerequested if is_ours => {}
        CheckSuiteAction::Completed if !is_ours => {
            let (head, event) = (event.head.clone(), body.short().to_owned());
            let work = RecheckWork { place, head, event, cause: Cause::Checks };
            let reason = "another app's checks have ended";
            return Decision::enqueue(&Work::Recheck(work), Urgency::Event, now_ms, reason);
        }
        // GitHub asks on every push; the pull request's own event says more.
        CheckSuiteAction::Requested
        | CheckSuiteAction::Rerequested
        | CheckSuiteAction::Completed
        | CheckSuiteAction::Other(_) => {
            return Decision::nothing("not an action that we act on");
        }
    }
    let work = RerunWork {
        place,
        head: event.head.clone(),
        request: body.short().to_owned(),
        pulls: event.pulls.clone(),
        login: Some(event.origin.sender.login.clone()),
    };
    Decision::enqueue(&Work::Rerun(work), Urgency::Asked, now_ms, "the checks were asked for again")
}

fn merge_group(event: &MergeGroupEvent, now_ms: i64) -> Decision {
    let Some(installation) = event.origin.installation else { return Decision::nothing(NO_INSTALLATION) };
    match &event.action {
        MergeGroupAction::ChecksRequested => {}
        MergeGroupAction::Destroyed | MergeGroupAction::Other(_) => {
            return Decision::nothing("not an action that we act on");
        }
    }
    let work = MergeGroupWork {
        place: Place::new(installation, &event.origin.repository),
        head: event.head.clone(),
        head_ref: event.head_ref.clone(),
    };
    Decision::enqueue(&Work::MergeGroup(work), Urgency::Asked, now_ms, "a merge queue waits")
}

/// A push of a head is told by its pull request; here it is about what a base branch says.
fn push(event: &PushEvent, body: &Digest, now_ms: i64) -> Decision {
    let Some(installation) = event.origin.installation else { return Decision::nothing(NO_INSTALLATION) };
    let Some(branch) = event.reference.strip_prefix("refs/heads/") else {
        return Decision::nothing("not a branch");
    };
    // Nothing goes into a branch that was not there.
    if event.before.is_none() || event.after.is_none() || !event.may_touch(BASE_FILE) {
        return Decision::nothing("no configuration was pushed");
    }
    let place = Place::new(installation, &event.origin.repository);
    let work = BaseWork { place, branch: branch.to_owned(), event: body.short().to_owned() };
    Decision::enqueue(&Work::Base(work), Urgency::Found, now_ms, "a branch has another configuration")
}
