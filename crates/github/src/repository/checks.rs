//! Check runs: what we tell, and what others told.

use review::CommitId;
use serde::{Deserialize, Serialize};

use super::{Listing, RepositoryApi};
use crate::error::ApiError;
use crate::event::payload::commit_id;
use crate::route::Call;

/// The most bytes of a check's summary and of its text. GitHub counts characters.
pub const MAX_CHECK_TEXT: usize = 65_535;

/// The most characters of a title, a check's or an annotation's.
const MAX_TITLE: usize = 255;

/// The most bytes of an annotation's message (64 KB).
const MAX_MESSAGE: usize = 64 * 1024;

/// How many pages of a hundred check runs are read.
const MAX_CHECK_PAGES: usize = 10;

/// A check run that is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewCheckRun {
    /// Its name, by which branches require it.
    pub name: String,
    /// The commit.
    #[serde(rename = "head_sha")]
    pub head: CommitId,
    /// What we call it, to find it again.
    pub external_id: String,
    /// Where people read more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details_url: Option<String>,
    /// How far it is.
    #[serde(flatten)]
    pub state: CheckState,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<CheckOutput>,
    /// Its buttons, at most three; only those with a conclusion have effect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<CheckAction>,
}

/// What changes of a check run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckRunUpdate {
    /// How far it is.
    #[serde(flatten)]
    pub state: CheckState,
    /// What it says. Annotations are added to those that it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<CheckOutput>,
    /// Its buttons, at most three.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<CheckAction>,
}

/// How far a check run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum CheckState {
    /// It waits.
    Queued,
    /// It runs.
    InProgress,
    /// It is done.
    Completed {
        /// With this.
        conclusion: Conclusion,
    },
}

/// How a check run ended. GitHub takes `success` and `neutral` for a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// It passed.
    Success,
    /// It did not pass.
    Failure,
    /// Somebody has to do something.
    ActionRequired,
    /// It was given up.
    Cancelled,
    /// It was not asked.
    Neutral,
    /// It was left out; not ours.
    Skipped,
    /// It took too long; not ours.
    TimedOut,
    /// GitHub gave up waiting for it; not ours.
    Stale,
    /// Its workflow did not start; not ours.
    StartupFailure,
}

impl Conclusion {
    /// What GitHub calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::ActionRequired => "action_required",
            Self::Cancelled => "cancelled",
            Self::Neutral => "neutral",
            Self::Skipped => "skipped",
            Self::TimedOut => "timed_out",
            Self::Stale => "stale",
            Self::StartupFailure => "startup_failure",
        }
    }
}

/// What a check run says, in Markdown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckOutput {
    /// At most 255 characters.
    pub title: String,
    /// At most [`MAX_CHECK_TEXT`] bytes.
    pub summary: String,
    /// At most [`MAX_CHECK_TEXT`] bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What it says at lines.
    #[serde(skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
}

/// As many annotations as GitHub takes in one call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Annotations(Vec<Annotation>);

impl Annotations {
    /// The most in one call; each further call adds as many.
    pub const MOST: usize = 50;

    /// Splits annotations into batches for one call each.
    pub fn batches(all: Vec<Annotation>) -> Vec<Self> {
        let mut all = all.into_iter().peekable();
        let mut batches = Vec::new();
        while all.peek().is_some() {
            batches.push(Self(all.by_ref().take(Self::MOST).collect()));
        }
        batches
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a check run says at lines of the head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Annotation {
    /// The file.
    pub path: String,
    /// The first line, from 1.
    pub start_line: u32,
    /// The last line.
    pub end_line: u32,
    /// How bad it is.
    #[serde(rename = "annotation_level")]
    pub level: AnnotationLevel,
    /// At most 64 KB of plain text.
    pub message: String,
    /// At most 255 characters.
    pub title: String,
}

/// How bad it is, for the colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AnnotationLevel {
    /// Worth knowing.
    Notice,
    /// Worth doing something about.
    Warning,
    /// Wrong.
    Failure,
}

/// A button on a check run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckAction {
    /// What stands on it, at most 20 characters.
    pub label: String,
    /// What it does, at most 40 characters.
    pub description: String,
    /// What we are told when it is pressed, at most 20 characters.
    pub identifier: String,
}

/// A check run as GitHub has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRun {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// The commit.
    pub head: CommitId,
    /// `queued`, `in_progress`, `completed`, or another of GitHub's.
    pub status: String,
    /// How it ended; none before, or for a conclusion that we do not know.
    pub conclusion: Option<Conclusion>,
    /// The app that it belongs to.
    pub app_id: Option<u64>,
    /// That app's name in addresses.
    pub app_slug: Option<String>,
    /// What its app calls it.
    pub external_id: String,
    /// Its page.
    pub html_url: String,
    /// How many annotations it has.
    pub annotations: u64,
}

/// What somebody said of a commit by the older way.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CommitStatus {
    /// Its name.
    pub context: String,
    /// `error`, `failure`, `pending` or `success`.
    pub state: String,
    /// What it says.
    #[serde(default)]
    pub description: Option<String>,
    /// Its page.
    #[serde(default)]
    pub target_url: Option<String>,
}

impl RepositoryApi {
    /// Lists a commit's check runs, at most 1,000: all of a name, old ones too, or the latest of every name.
    ///
    /// # Errors
    /// As any call.
    pub async fn check_runs(
        &self,
        head: &CommitId,
        name: Option<&str>,
    ) -> Result<Listing<CheckRun>, ApiError> {
        #[derive(Deserialize)]
        struct Page {
            check_runs: Vec<RawCheckRun>,
        }
        let call = Call::CheckRuns { commit: head.as_str() };
        let query = match name {
            Some(name) => vec![("check_name", name), ("filter", "all")],
            None => vec![("filter", "latest")],
        };
        self.pages(call, &query, MAX_CHECK_PAGES, |page: Page| {
            page.check_runs.into_iter().map(CheckRun::from).collect()
        })
        .await
    }

    /// Lists what was said of a commit by the older way, the latest of every name, at most 1,000.
    ///
    /// # Errors
    /// As any call.
    pub async fn statuses(&self, head: &CommitId) -> Result<Listing<CommitStatus>, ApiError> {
        #[derive(Deserialize)]
        struct Page {
            statuses: Vec<CommitStatus>,
        }
        let call = Call::Statuses { commit: head.as_str() };
        self.pages(call, &[], MAX_CHECK_PAGES, |page: Page| page.statuses).await
    }

    /// Makes a check run; its number.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused) for what is beyond GitHub's limits.
    pub async fn create_check_run(&self, run: &NewCheckRun) -> Result<u64, ApiError> {
        let call = Call::CreateCheckRun;
        check(run.output.as_ref(), &run.actions).map_err(|why| self.refused(call, why))?;
        Ok(self.connection.json::<Created>(self.request(call).body(run)).await?.id)
    }

    /// Changes a check run.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused) for what is beyond GitHub's limits.
    pub async fn update_check_run(&self, id: u64, update: &CheckRunUpdate) -> Result<(), ApiError> {
        let call = Call::UpdateCheckRun { id };
        check(update.output.as_ref(), &update.actions).map_err(|why| self.refused(call, why))?;
        self.connection.json::<Created>(self.request(call).body(update)).await?;
        Ok(())
    }
}

/// What GitHub answers a write with.
#[derive(Deserialize)]
pub(super) struct Created {
    pub(super) id: u64,
}

#[derive(Deserialize)]
struct RawCheckRun {
    id: u64,
    name: String,
    #[serde(deserialize_with = "commit_id")]
    head_sha: CommitId,
    status: String,
    conclusion: Option<serde_json::Value>,
    app: Option<RawApp>,
    external_id: Option<String>,
    html_url: Option<String>,
    output: Option<RawOutput>,
}

#[derive(Deserialize)]
struct RawApp {
    id: Option<u64>,
    slug: Option<String>,
}

#[derive(Deserialize)]
struct RawOutput {
    #[serde(default)]
    annotations_count: u64,
}

impl From<RawCheckRun> for CheckRun {
    fn from(raw: RawCheckRun) -> Self {
        let (app_id, app_slug) = raw.app.map_or((None, None), |app| (app.id, app.slug));
        Self {
            id: raw.id,
            name: raw.name,
            head: raw.head_sha,
            status: raw.status,
            conclusion: raw.conclusion.and_then(|word| serde_json::from_value(word).ok()),
            app_id,
            app_slug,
            external_id: raw.external_id.unwrap_or_default(),
            html_url: raw.html_url.unwrap_or_default(),
            annotations: raw.output.map_or(0, |output| output.annotations_count),
        }
    }
}

/// Checks what a run says against GitHub's limits.
fn check(output: Option<&CheckOutput>, actions: &[CheckAction]) -> Result<(), String> {
    let within = |what: &str, length: usize, most: usize| {
        if length <= most { Ok(()) } else { Err(format!("{what} is {length} long, and github takes {most}")) }
    };
    if let Some(output) = output {
        within("the check's title", output.title.chars().count(), MAX_TITLE)?;
        within("the check's summary", output.summary.len(), MAX_CHECK_TEXT)?;
        within("the check's text", output.text.as_ref().map_or(0, String::len), MAX_CHECK_TEXT)?;
        for annotation in &output.annotations.0 {
            within("an annotation's message", annotation.message.len(), MAX_MESSAGE)?;
            within("an annotation's title", annotation.title.chars().count(), MAX_TITLE)?;
        }
    }
    within("the list of buttons", actions.len(), 3)?;
    for action in actions {
        within("a button's label", action.label.chars().count(), 20)?;
        within("a button's description", action.description.chars().count(), 40)?;
        within("a button's identifier", action.identifier.chars().count(), 20)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_go_in_batches_that_github_takes() {
        let annotation = |line| Annotation {
            path: "a.rs".to_owned(),
            start_line: line,
            end_line: line,
            level: AnnotationLevel::Warning,
            message: "m".to_owned(),
            title: "t".to_owned(),
        };
        let sizes = |count| {
            Annotations::batches((1..=count).map(annotation).collect())
                .iter()
                .map(|batch| batch.0.len())
                .collect::<Vec<_>>()
        };
        assert_eq!(sizes(0), [0; 0]);
        assert_eq!(sizes(50), [50]);
        assert_eq!(sizes(120), [50, 50, 20]);
    }

    #[test]
    fn what_is_sent_has_githubs_form() {
        let update = CheckRunUpdate {
            state: CheckState::Completed { conclusion: Conclusion::ActionRequired },
            output: Some(CheckOutput {
                title: "t".to_owned(),
                summary: "s".to_owned(),
                text: None,
                annotations: Annotations::default(),
            }),
            actions: Vec::new(),
        };
        assert_eq!(
            serde_json::to_value(&update).unwrap(),
            serde_json::json!({"status": "completed", "conclusion": "action_required",
                "output": {"title": "t", "summary": "s"}})
        );
        let queued = CheckRunUpdate { state: CheckState::Queued, output: None, actions: Vec::new() };
        assert_eq!(serde_json::to_value(&queued).unwrap(), serde_json::json!({"status": "queued"}));
    }

    #[test]
    fn what_github_would_not_take_is_not_sent() {
        let output = |title: usize, summary: usize, text: usize| CheckOutput {
            title: "ü".repeat(title),
            summary: "s".repeat(summary),
            text: Some("t".repeat(text)),
            annotations: Annotations::default(),
        };
        assert_eq!(check(Some(&output(255, MAX_CHECK_TEXT, MAX_CHECK_TEXT)), &[]), Ok(()));
        for wrong in [output(256, 1, 1), output(1, MAX_CHECK_TEXT + 1, 1), output(1, 1, MAX_CHECK_TEXT + 1)] {
            assert!(check(Some(&wrong), &[]).is_err());
        }
        let action = |label: usize| CheckAction {
            label: "l".repeat(label),
            description: String::new(),
            identifier: "i".to_owned(),
        };
        assert_eq!(check(None, &[action(20), action(1), action(1)]), Ok(()));
        assert!(check(None, &[action(21)]).is_err());
        assert!(check(None, &[action(1), action(1), action(1), action(1)]).is_err());
    }
}
