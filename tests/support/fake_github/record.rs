//! What the fake said, written down to be held against GitHub's own description (`scripts/check-github-api`).
//!
//! Where `RECUSE_FAKE_GITHUB_RECORD` names a file, each answer of the API and each delivery is appended to it as a line of
//! JSON. Answers of injected faults are not: they are wrong on purpose.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::endpoint::Endpoint;
use super::world::{AnswerBody, Answered};

static RECORD: LazyLock<Option<File>> = LazyLock::new(|| {
    let path = std::env::var_os("RECUSE_FAKE_GITHUB_RECORD")?;
    let file = OpenOptions::new().create(true).append(true).open(path);
    Some(file.expect("the record can be written"))
});

/// Writes an answer down.
pub(crate) fn answer(endpoint: Endpoint, answered: &Answered) {
    let Some((method, path)) = operation(endpoint) else { return };
    let (content_type, body) = match &answered.body {
        AnswerBody::Json(value) => ("application/json", value),
        AnswerBody::Bytes(content_type, _) => (*content_type, &Value::Null),
    };
    write(|| {
        json!({"method": method, "path": path, "status": answered.status, "content_type": content_type,
            "body": body})
    });
}

/// Writes an event down.
pub(crate) fn delivery(event: &str, payload: &Value) {
    write(|| json!({"event": event, "body": payload}));
}

fn write(line: impl FnOnce() -> Value) {
    if let Some(mut file) = RECORD.as_ref() {
        // One write: tests run beside each other, and appending keeps lines whole.
        file.write_all(format!("{}\n", line()).as_bytes()).expect("the record can be written");
    }
}

/// A call as GitHub's description names it; none for what is not of its API.
fn operation(endpoint: Endpoint) -> Option<(&'static str, &'static str)> {
    Some(match endpoint {
        Endpoint::App => ("get", "/app"),
        Endpoint::AppHook => ("get", "/app/hook/config"),
        Endpoint::Installations => ("get", "/app/installations"),
        Endpoint::MintToken => ("post", "/app/installations/{installation_id}/access_tokens"),
        Endpoint::Deliveries => ("get", "/app/hook/deliveries"),
        Endpoint::Redeliver => ("post", "/app/hook/deliveries/{delivery_id}/attempts"),
        Endpoint::ConvertManifest => ("post", "/app-manifests/{code}/conversions"),
        Endpoint::User => ("get", "/user"),
        Endpoint::RepositoryInstallation => ("get", "/repos/{owner}/{repo}/installation"),
        Endpoint::Repository => ("get", "/repos/{owner}/{repo}"),
        Endpoint::Pulls => ("get", "/repos/{owner}/{repo}/pulls"),
        Endpoint::Pull => ("get", "/repos/{owner}/{repo}/pulls/{pull_number}"),
        Endpoint::Files => ("get", "/repos/{owner}/{repo}/pulls/{pull_number}/files"),
        Endpoint::Compare | Endpoint::CompareDiff => ("get", "/repos/{owner}/{repo}/compare/{basehead}"),
        Endpoint::Content => ("get", "/repos/{owner}/{repo}/contents/{path}"),
        Endpoint::Permission => ("get", "/repos/{owner}/{repo}/collaborators/{username}/permission"),
        Endpoint::CheckRuns => ("get", "/repos/{owner}/{repo}/commits/{ref}/check-runs"),
        Endpoint::Statuses => ("get", "/repos/{owner}/{repo}/commits/{ref}/status"),
        Endpoint::CreateCheckRun => ("post", "/repos/{owner}/{repo}/check-runs"),
        Endpoint::UpdateCheckRun => ("patch", "/repos/{owner}/{repo}/check-runs/{check_run_id}"),
        Endpoint::Comments => ("get", "/repos/{owner}/{repo}/issues/{issue_number}/comments"),
        Endpoint::CreateComment => ("post", "/repos/{owner}/{repo}/issues/{issue_number}/comments"),
        Endpoint::UpdateComment => ("patch", "/repos/{owner}/{repo}/issues/comments/{comment_id}"),
        Endpoint::Reviews => ("get", "/repos/{owner}/{repo}/pulls/{pull_number}/reviews"),
        Endpoint::CreateReview => ("post", "/repos/{owner}/{repo}/pulls/{pull_number}/reviews"),
        Endpoint::ReactToComment => ("post", "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions"),
        Endpoint::ReactToReviewComment => {
            ("post", "/repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions")
        }
        Endpoint::BranchRules => ("get", "/repos/{owner}/{repo}/rules/branches/{branch}"),
        Endpoint::Branch => ("get", "/repos/{owner}/{repo}/branches/{branch}"),
        Endpoint::Reached => ("get", "/installation/repositories"),
        Endpoint::Git => return None,
    })
}
