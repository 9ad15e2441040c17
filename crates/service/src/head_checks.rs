//! What others say of a head: its check runs, and its statuses of the older way.

use github::repository::{CheckRun, CommitStatus, Conclusion};
use github::{ApiError, RepositoryApi};
use review::CommitId;
use review::judge::{Check, CheckSource, CheckState};
use review::policy::RequiredCheck;
use review::text::{shorten, visible_line};

use crate::serve::CHECK_NAME;

/// The most characters of a name and of a link.
const LONGEST: usize = 300;

/// The newest check run of every app and name; ours is not evidence for ourselves.
///
/// # Errors
/// As any call; it takes `checks: read`.
pub async fn check_runs(api: &RepositoryApi, head: &CommitId) -> Result<Vec<Check>, ApiError> {
    let runs = api.check_runs(head, None).await?.items;
    Ok(runs.iter().filter(|run| run.name != CHECK_NAME).map(of_run).collect())
}

/// Whether a required check may be among the statuses: no check run has its name, and no app is named for it.
pub fn may_be_a_status(required: &[RequiredCheck], runs: &[Check]) -> bool {
    let is_run = |required: &RequiredCheck| runs.iter().any(|run| run.name == required.name());
    required.iter().any(|required| required.app().is_none() && !is_run(required))
}

/// The newest commit status of every name. They name no app.
///
/// # Errors
/// As any call; it takes `statuses: read`.
pub async fn statuses(api: &RepositoryApi, head: &CommitId) -> Result<Vec<Check>, ApiError> {
    Ok(api.statuses(head).await?.items.iter().map(of_status).collect())
}

fn of_run(run: &CheckRun) -> Check {
    let state = match run.conclusion {
        Some(Conclusion::Success) => CheckState::Passed,
        Some(
            Conclusion::Failure
            | Conclusion::ActionRequired
            | Conclusion::Cancelled
            | Conclusion::TimedOut
            | Conclusion::StartupFailure,
        ) => CheckState::Failed,
        Some(Conclusion::Neutral | Conclusion::Skipped | Conclusion::Stale) => CheckState::NotRun,
        // A conclusion that we do not know is no success.
        None if run.status == "completed" => CheckState::NotRun,
        None => CheckState::Pending,
    };
    let detail = match (state, run.conclusion) {
        (CheckState::Passed, _) => "",
        (_, Some(Conclusion::Cancelled)) => "it was cancelled",
        (_, Some(Conclusion::TimedOut)) => "it took too long",
        (_, Some(Conclusion::ActionRequired)) => "somebody has to do something",
        (_, Some(Conclusion::StartupFailure)) => "it did not start",
        (_, Some(Conclusion::Neutral)) => "it neither passed nor failed",
        (_, Some(Conclusion::Skipped)) => "it was left out",
        (_, Some(Conclusion::Stale)) => "it was given up",
        (_, Some(Conclusion::Success | Conclusion::Failure)) => "",
        (CheckState::Pending, None) => "it has not ended",
        (_, None) => "it ended in a way that is not known here",
    };
    platform(&run.name, state, detail.to_owned(), run.app_slug.as_deref(), Some(&run.html_url))
}

fn of_status(status: &CommitStatus) -> Check {
    let state = match status.state.as_str() {
        "success" => CheckState::Passed,
        "failure" | "error" => CheckState::Failed,
        _ => CheckState::Pending,
    };
    let detail = status.description.as_deref().unwrap_or_default();
    platform(&status.context, state, text(detail), None, status.target_url.as_deref())
}

fn platform(name: &str, state: CheckState, detail: String, app: Option<&str>, link: Option<&str>) -> Check {
    Check {
        name: text(name),
        state,
        source: CheckSource::Platform,
        exit_code: None,
        detail,
        app: app.map(text),
        link: link.filter(|link| !link.is_empty()).map(text),
        record: None,
    }
}

/// Anybody's words, on one line.
fn text(words: &str) -> String {
    shorten(&visible_line(words), LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_success_is_a_pass() {
        let head = CommitId::new(&"a".repeat(40)).expect("an id");
        let run = |status: &str, conclusion| CheckRun {
            id: 1,
            name: "tests\u{202e}".to_owned(),
            head: head.clone(),
            status: status.to_owned(),
            conclusion,
            app_id: Some(15_368),
            app_slug: Some("github-actions".to_owned()),
            external_id: String::new(),
            html_url: "https://github.example/run/1".to_owned(),
            annotations: 0,
        };
        use CheckState::{Failed, NotRun, Passed, Pending};
        for (status, conclusion, state) in [
            ("completed", Some(Conclusion::Success), Passed),
            ("completed", Some(Conclusion::Failure), Failed),
            ("completed", Some(Conclusion::TimedOut), Failed),
            ("completed", Some(Conclusion::Cancelled), Failed),
            ("completed", Some(Conclusion::ActionRequired), Failed),
            ("completed", Some(Conclusion::StartupFailure), Failed),
            ("completed", Some(Conclusion::Neutral), NotRun),
            ("completed", Some(Conclusion::Skipped), NotRun),
            ("completed", Some(Conclusion::Stale), NotRun),
            ("completed", None, NotRun),
            ("queued", None, Pending),
            ("in_progress", None, Pending),
        ] {
            let check = of_run(&run(status, conclusion));
            assert_eq!(check.state, state, "{status} {conclusion:?}");
            assert_eq!(
                check.detail.is_empty(),
                matches!(state, Passed) || conclusion == Some(Conclusion::Failure)
            );
            assert!(!check.name.contains('\u{202e}'), "{}", check.name);
            assert_eq!(check.app.as_deref(), Some("github-actions"));
        }
    }
}
