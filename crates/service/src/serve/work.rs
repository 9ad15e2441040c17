//! What a job of the queue is to do, as it is kept there.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use github::event::{CommentPlace, RepositoryRef};
use review::text::visible_line;
use review::{CommitId, Digest, Lens};
use serde::{Deserialize, Serialize};
use store::{JobKind, NewJob};

/// How often a review is tried before that is said to have failed: with the pauses between, for an hour at least.
const REVIEW_ATTEMPTS: u32 = 8;

/// How often an answer to a command is tried. It is cheap, and somebody waits for it.
const COMMAND_ATTEMPTS: u32 = 8;

/// Who waits for a job decides how soon it is done; more is sooner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// Nobody waits: something was found lying about.
    Found,
    /// A push or a new pull request.
    Event,
    /// A person asked.
    Asked,
}

impl Urgency {
    fn priority(self) -> i64 {
        match self {
            Self::Found => 10,
            Self::Event => 50,
            Self::Asked => 100,
        }
    }
}

/// One job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "snake_case")]
pub(crate) enum Work {
    /// Review a pull request.
    Review(ReviewWork),
    /// Look at a pull request through some lenses, and answer whoever asked.
    Partial(PartialWork),
    /// Do what a comment asks for.
    Command(CommandWork),
    /// Review again whatever has this head.
    Rerun(RerunWork),
    /// See whether a review is to be decided again.
    Recheck(RecheckWork),
    /// Look for the reviews that a base branch's new configuration is in force for.
    Base(BaseWork),
    /// Say of a merge queue's group what is known of its pull request.
    MergeGroup(MergeGroupWork),
    /// Look through a repository for open heads that nobody looked at.
    Look(LookWork),
    /// See what an installation reaches by now, and what it does not reach any more.
    Installation(InstallationWork),
    /// Look for what was missed, and forget what is old.
    Upkeep,
}

/// A repository, and by which right it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The installation.
    pub(crate) installation: u64,
    /// The repository's id, which stays when it is renamed.
    pub(crate) id: u64,
    /// Its owner, when the event came.
    pub(crate) owner: String,
    /// Its name, when the event came.
    pub(crate) name: String,
}

impl Place {
    /// The repository of an event.
    pub(crate) fn new(installation: u64, repository: &RepositoryRef) -> Self {
        Self {
            installation,
            id: repository.id,
            owner: repository.owner.clone(),
            name: repository.name.clone(),
        }
    }

    /// What limits and fairness count by.
    pub(crate) fn key(&self) -> String {
        self.id.to_string()
    }

    /// What jobs, posts and packets of a pull request are kept by.
    pub(crate) fn subject(&self, number: u64) -> String {
        format!("{}#{number}", self.id)
    }
}

/// Which pull request to review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReviewWork {
    /// The repository.
    pub(crate) place: Place,
    /// The pull request.
    pub(crate) number: u64,
    /// Its head when the event came; what is reviewed is the head that it has then.
    pub(crate) head: CommitId,
    /// Who asked.
    pub(crate) asked: Asked,
}

/// Who asked for a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub(crate) enum Asked {
    /// Something that happened to the pull request.
    Event {
        /// What tells the event from others, where the head stays and yet something is reviewed that was not before.
        text: Option<Digest>,
    },
    /// One of the labels that ask for a review was put on.
    Label {
        /// What tells the event from others.
        event: Digest,
    },
    /// A new title or description: it is reviewed again where that is not what was reviewed.
    Edited {
        /// What tells this edit from others.
        event: Digest,
    },
    /// It was closed or merged: the comment is to say what still stands. Nothing is reviewed.
    Closed {
        /// What tells this event from others.
        event: Digest,
    },
    /// A person with write access. Rules about what is skipped do not hold.
    Person {
        /// What tells this request from others.
        request: String,
    },
    /// A review is to be decided again, by what is so now. Its replies are taken from there.
    #[serde(rename = "checks")]
    Again {
        /// That review's run.
        run: String,
        /// What happened.
        #[serde(default)]
        cause: Cause,
        /// What is so now: the checks that there are, or the event by which it changed.
        #[serde(rename = "checks")]
        now: Digest,
    },
}

/// Which pull request to look at through some lenses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartialWork {
    /// The repository.
    pub(crate) place: Place,
    /// The pull request.
    pub(crate) number: u64,
    /// The comment that asks.
    pub(crate) comment: CommentAt,
    /// The lenses.
    pub(crate) lenses: BTreeSet<Lens>,
    /// The head when they were asked for; not written down by versions before.
    #[serde(default)]
    pub(crate) head: Option<CommitId>,
}

/// What a comment asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CommandWork {
    /// The repository.
    pub(crate) place: Place,
    /// The pull request.
    pub(crate) number: u64,
    /// Where the comment is.
    pub(crate) comment: CommentAt,
    /// Who wrote it.
    pub(crate) login: String,
    /// What is asked for.
    pub(crate) wanted: Wanted,
}

/// Where a comment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CommentAt {
    /// Whether it is at lines.
    pub(crate) in_review_thread: bool,
    /// Its id.
    pub(crate) id: u64,
}

impl CommentAt {
    /// What GitHub calls such comments.
    pub(crate) fn place(self) -> CommentPlace {
        if self.in_review_thread { CommentPlace::ReviewThread } else { CommentPlace::Issue }
    }
}

/// What a command asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub(crate) enum Wanted {
    /// A review of the head as it is.
    Review {
        /// Only these lenses; all where none is named.
        lenses: BTreeSet<Lens>,
    },
    /// No review.
    Stop,
    /// Who wrote it and who reviews it.
    Why,
    /// What can be asked for.
    Help,
    /// Something that we do not know.
    Unknown {
        /// The word.
        word: String,
    },
}

/// Which commit to review again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RerunWork {
    /// The repository.
    pub(crate) place: Place,
    /// The commit.
    pub(crate) head: CommitId,
    /// What tells this request from others.
    pub(crate) request: String,
    /// The pull requests that the event names; GitHub leaves those from forks out.
    pub(crate) pulls: Vec<u64>,
    /// Who asks; nobody in jobs of versions that did not write it down.
    #[serde(default)]
    pub(crate) login: Option<String>,
}

/// Which head's review may be decided otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecheckWork {
    /// The repository.
    pub(crate) place: Place,
    /// The commit.
    pub(crate) head: CommitId,
    /// What tells this event from others.
    pub(crate) event: String,
    /// What happened.
    #[serde(default)]
    pub(crate) cause: Cause,
}

/// Why a review may be decided otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cause {
    /// Another app's checks of the head have ended.
    #[default]
    Checks,
    /// The base branch has another configuration.
    Base,
}

/// Which base branch has another configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BaseWork {
    /// The repository.
    pub(crate) place: Place,
    /// The branch.
    pub(crate) branch: String,
    /// What tells this event from others.
    pub(crate) event: String,
}

/// A group of a merge queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MergeGroupWork {
    /// The repository.
    pub(crate) place: Place,
    /// The commit that waits for a check.
    pub(crate) head: CommitId,
    /// The queue's branch, which names the pull request.
    pub(crate) head_ref: String,
}

/// Which repository to look through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LookWork {
    /// The repository.
    pub(crate) place: Place,
}

/// An installation that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InstallationWork {
    /// The installation.
    pub(crate) installation: u64,
    /// What the event says; what there is to do is read from GitHub.
    pub(crate) said: Said,
    /// What tells this event from others.
    pub(crate) event: String,
}

/// What an event says of an installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "snake_case")]
pub(crate) enum Said {
    /// All that it reaches may be new to us.
    AllIsNew,
    /// These repositories are new to us, and others may be gone.
    Changed {
        /// The new ones, by their ids.
        added: BTreeSet<u64>,
    },
    /// It reaches nothing any more, for now or for good.
    Gone,
}

/// What the job of a merge queue's group is about.
pub(crate) fn group_subject(place: &Place, head: &CommitId) -> String {
    format!("{}@{head}", place.key())
}

impl Asked {
    /// Who waits for it.
    pub(crate) fn urgency(&self) -> Urgency {
        match self {
            Self::Person { .. } | Self::Label { .. } => Urgency::Asked,
            Self::Event { .. } | Self::Edited { .. } | Self::Closed { .. } => Urgency::Event,
            Self::Again { cause: Cause::Checks, .. } => Urgency::Event,
            Self::Again { cause: Cause::Base, .. } => Urgency::Found,
        }
    }
}

impl Work {
    /// Reads what the queue kept.
    ///
    /// # Errors
    /// It was written by a version that meant something else.
    pub(crate) fn read(payload: &str) -> Result<Self> {
        serde_json::from_str(payload).context("could not read what the job is to do")
    }

    /// The repository that it is about, and by which installation; none where it is about no single one.
    pub(crate) fn place(&self) -> Option<&Place> {
        match self {
            Self::Review(work) => Some(&work.place),
            Self::Partial(work) => Some(&work.place),
            Self::Command(work) => Some(&work.place),
            Self::Rerun(work) => Some(&work.place),
            Self::Recheck(work) => Some(&work.place),
            Self::MergeGroup(work) => Some(&work.place),
            Self::Look(work) => Some(&work.place),
            Self::Base(work) => Some(&work.place),
            Self::Installation(_) | Self::Upkeep => None,
        }
    }

    /// What it is about, for the operator.
    pub(crate) fn shown(&self) -> String {
        let pull = |place: &Place, number: u64| format!("{}/{}#{number}", place.owner, place.name);
        let head =
            |place: &Place, head: &CommitId| format!("{}/{}@{}", place.owner, place.name, head.short());
        let shown = match self {
            Self::Review(work) => pull(&work.place, work.number),
            Self::Partial(work) => pull(&work.place, work.number),
            Self::Command(work) => pull(&work.place, work.number),
            Self::Rerun(work) => head(&work.place, &work.head),
            Self::Recheck(work) => head(&work.place, &work.head),
            Self::MergeGroup(work) => head(&work.place, &work.head),
            Self::Base(BaseWork { place, branch, .. }) => format!("{}/{}@{branch}", place.owner, place.name),
            Self::Look(LookWork { place }) => format!("{}/{}", place.owner, place.name),
            Self::Installation(work) => format!("installation {}", work.installation),
            Self::Upkeep => "upkeep".to_owned(),
        };
        visible_line(&shown)
    }

    /// The job that does this.
    pub(crate) fn job(&self, urgency: Urgency, run_at_ms: i64) -> NewJob {
        let (kind, repository, subject, dedupe_key, head, max_attempts) = match self {
            Self::Review(work) => {
                let subject = work.place.subject(work.number);
                let why = match &work.asked {
                    Asked::Event { text: None } => String::new(),
                    Asked::Event { text: Some(event) } | Asked::Label { event } | Asked::Edited { event } => {
                        format!("~{}", event.short())
                    }
                    Asked::Closed { event } => format!("-{}", event.short()),
                    Asked::Person { request, .. } => format!("+{request}"),
                    Asked::Again { now, .. } => format!("={}", now.short()),
                };
                let key = format!("{subject}@{}{why}", work.head);
                (JobKind::Review, work.place.key(), subject, key, Some(&work.head), REVIEW_ATTEMPTS)
            }
            Self::Partial(work) => {
                // What ends the reviews of a pull request ends this with them.
                let subject = work.place.subject(work.number);
                let key = format!("{subject}!{}", work.comment.id);
                (JobKind::PartialReview, work.place.key(), subject, key, None, REVIEW_ATTEMPTS)
            }
            Self::Command(work) => {
                let subject = format!("{}!{}", work.place.subject(work.number), work.comment.id);
                (JobKind::Command, work.place.key(), subject.clone(), subject, None, COMMAND_ATTEMPTS)
            }
            Self::Rerun(work) => {
                let subject = format!("{}@{}!{}", work.place.key(), work.head, work.request);
                (
                    JobKind::Command,
                    work.place.key(),
                    subject.clone(),
                    subject,
                    Some(&work.head),
                    COMMAND_ATTEMPTS,
                )
            }
            Self::Recheck(work) => {
                let subject = format!("{}@{}?{}", work.place.key(), work.head, work.event);
                (JobKind::Command, work.place.key(), subject.clone(), subject, None, COMMAND_ATTEMPTS)
            }
            Self::Base(work) => {
                let subject = format!("{}~{}?{}", work.place.key(), work.branch, work.event);
                (JobKind::Command, work.place.key(), subject.clone(), subject, None, COMMAND_ATTEMPTS)
            }
            Self::MergeGroup(work) => {
                let subject = group_subject(&work.place, &work.head);
                (
                    JobKind::Command,
                    work.place.key(),
                    subject.clone(),
                    subject,
                    Some(&work.head),
                    COMMAND_ATTEMPTS,
                )
            }
            Self::Look(work) => {
                let key = work.place.key();
                let subject = format!("{key}:open-heads");
                // What one installation does not reach any more another one may.
                let dedupe_key = format!("{subject}:{}", work.place.installation);
                (JobKind::Look, key, subject, dedupe_key, None, REVIEW_ATTEMPTS)
            }
            Self::Installation(work) => {
                let subject = format!("installation {}", work.installation);
                let key = format!("{subject}!{}", work.event);
                (JobKind::Upkeep, subject.clone(), subject, key, None, REVIEW_ATTEMPTS)
            }
            Self::Upkeep => {
                (JobKind::Upkeep, String::new(), "upkeep".to_owned(), "upkeep".to_owned(), None, 1)
            }
        };
        NewJob {
            kind,
            repository,
            subject,
            dedupe_key,
            head: head.map(|head| head.as_str().to_owned()),
            payload: serde_json::to_string(self).expect("strings, numbers and lists always serialize"),
            priority: urgency.priority(),
            run_at_ms,
            max_attempts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the version before kept in the queue.
    #[test]
    fn jobs_that_were_queued_before_an_upgrade_are_done_and_never_as_less() {
        let place = r#"{"installation":9,"id":1,"owner":"acme","name":"shop"}"#;
        let head = "a".repeat(40);
        let rerun =
            format!(r#"{{"work":"rerun","place":{place},"head":"{head}","request":"r","pulls":[7]}}"#);
        let Work::Rerun(rerun) = Work::read(&rerun).expect("it is read") else { panic!("another job") };
        assert_eq!((rerun.login, rerun.pulls), (None, vec![7]));
        // A review of some lenses that would have been taken for the head's is made as one of all lenses.
        let review = format!(
            r#"{{"work":"review","place":{place},"number":7,"head":"{head}","asked":{{"by":"person","request":"5","lenses":["security"]}}}}"#
        );
        let Work::Review(review) = Work::read(&review).expect("it is read") else { panic!("another job") };
        assert_eq!(review.asked, Asked::Person { request: "5".to_owned() });
    }
}
