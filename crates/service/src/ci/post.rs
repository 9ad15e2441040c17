//! Telling a pull request with the workflow's own token: one comment and one check run.
//!
//! The comment is found again by its author and by a mark that anybody could write; so it is a view, and the check run,
//! which only this workflow's app can make, is the record. What the token may not do is left out and said.

use github::repository::{Annotations, CheckOutput, CheckRunUpdate, CheckState, NewCheckRun};
use github::{ApiError, RepositoryApi};
use report::{PacketName, check, comment};
use review::CommitId;
use review::packet::PacketV1;

use crate::serve::tell::{CHECK_NAME, annotation, conclusion};

/// The line by which the comment is found again. It is not signed.
const MARK: &str = "<!-- recuse packet, by a workflow -->";

/// A pull request that is told what was found.
pub struct Posting<'a> {
    /// The repository, with the workflow's token.
    pub api: &'a RepositoryApi,
    /// The pull request.
    pub number: u64,
    /// The commit that was reviewed.
    pub head: &'a CommitId,
    /// The login that the token writes as.
    pub login: &'a str,
    /// What the run is called.
    pub run_id: &'a str,
}

/// What came of one thing that was to be told.
#[derive(Debug)]
pub struct Told {
    /// What it was.
    pub what: &'static str,
    /// The permission that it takes.
    pub permission: &'static str,
    /// Whether it was told.
    pub outcome: Result<(), ApiError>,
}

/// What was told, or why nothing was.
#[derive(Debug)]
pub enum Posted {
    /// Each thing with what came of it.
    Tried(Vec<Told>),
    /// The pull request has another head by now, or is closed.
    Moved,
}

/// Tells the pull request, unless it has moved on.
pub async fn post(posting: &Posting<'_>, packet: &PacketV1, name: &PacketName) -> Posted {
    // Where even that cannot be read, the writes say why.
    if let Ok(pull) = posting.api.pull(posting.number).await
        && pull.head != *posting.head
    {
        return Posted::Moved;
    }
    let outcome = post_check(posting, packet, name).await;
    let check = Told { what: "the check run", permission: "checks: write", outcome };
    let outcome = post_comment(posting, packet, name).await;
    let comment = Told { what: "the comment", permission: "pull-requests: write", outcome };
    Posted::Tried(vec![check, comment])
}

async fn post_check(posting: &Posting<'_>, packet: &PacketV1, name: &PacketName) -> Result<(), ApiError> {
    let report = check(packet, name);
    let output = CheckOutput {
        title: report.title,
        summary: report.summary,
        text: Some(report.text).filter(|text| !text.is_empty()),
        annotations: Annotations::default(),
    };
    let mut batches = Annotations::batches(report.annotations.into_iter().map(annotation).collect());
    let last = batches.pop().unwrap_or_default();
    let begun = NewCheckRun {
        name: CHECK_NAME.to_owned(),
        head: posting.head.clone(),
        external_id: posting.run_id.to_owned(),
        details_url: None,
        state: CheckState::InProgress,
        output: Some(output.clone()),
        actions: Vec::new(),
    };
    let id = posting.api.create_check_run(&begun).await?;
    let step = |state, annotations| CheckRunUpdate {
        state,
        output: Some(CheckOutput { annotations, ..output.clone() }),
        actions: Vec::new(),
    };
    for annotations in batches {
        posting.api.update_check_run(id, &step(CheckState::InProgress, annotations)).await?;
    }
    // It is ended by its last part, so that nobody reads half of it as all.
    let state = CheckState::Completed { conclusion: conclusion(report.conclusion) };
    posting.api.update_check_run(id, &step(state, last)).await
}

async fn post_comment(posting: &Posting<'_>, packet: &PacketV1, name: &PacketName) -> Result<(), ApiError> {
    let body = format!("{}\n{MARK}\n", comment(packet, name, &[]));
    let comments = posting.api.comments(posting.number).await?;
    let own = comments
        .items
        .iter()
        .find(|comment| comment.author.login == posting.login && comment.body.trim_end().ends_with(MARK));
    match own {
        Some(own) => posting.api.update_comment(own.id, &body).await,
        None => posting.api.create_comment(posting.number, &body).await.map(drop),
    }
}
