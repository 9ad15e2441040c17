//! Heads that move, and pull requests that close, while they are reviewed: nothing is told of what is no more.

use super::told::{Lines, wrong_check_runs, wrongs};
use super::*;
use crate::support::fake_github::{At, When};
use sqlx::{Connection as _, Executor as _};

fn all_wrongs(fake: &FakeGitHub, number: u64, lines: Lines) -> Vec<String> {
    [wrongs(fake, number, lines), wrong_check_runs(fake)].concat()
}

const NONE: Vec<String> = Vec::new();

/// The calls between which a head may move.
const CALLS: [Endpoint; 7] = [
    Endpoint::MintToken,
    Endpoint::Pull,
    Endpoint::CreateCheckRun,
    Endpoint::Compare,
    Endpoint::CreateComment,
    Endpoint::CreateReview,
    Endpoint::UpdateCheckRun,
];

#[tokio::test(flavor = "multi_thread")]
async fn a_forced_push_whose_delivery_is_late_is_reviewed_and_told_once() {
    for call in CALLS {
        for when in [When::BeforeEffect, When::AfterEffect] {
            let fake = fake();
            let (_home, server) = served(&fake, "", &["--offline"]);
            settled_in(&fake, &server);
            let mut pause = fake.pause(At::Next(call), when);
            let number = opened(&fake, "topic", &[RISKY]);
            let old = fake.head(1, number);
            pause.reached().await;
            let new = fake.commit(1, "topic", "Forced", &[HARMLESS]);
            fake.move_head_silently(1, number, &new);
            pause.resume();
            settled(&fake, &server).await;
            // Until its delivery comes, what was told after the last look is of the old head and says so.
            let newest = newest_run(&fake, &new);
            let is_told = newest.as_ref().is_some_and(|run| run.conclusion.as_deref() == Some("success"));
            assert!(is_told || newest.is_none(), "{call:?} {when:?}: {newest:?}");
            fake.move_head(1, number, &new);
            settled(&fake, &server).await;
            let lines = Lines(fake.review_comments(1, number).len());
            assert_eq!(all_wrongs(&fake, number, lines), NONE, "{call:?} {when:?}");
            assert!(lines.0 <= 1, "{call:?} {when:?}");
            for review in fake.reviews(1, number) {
                assert!([&old, &new].contains(&&review.head), "{call:?} {when:?}");
            }
            fake.finish();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_stops_the_review_that_runs_and_the_new_head_is_reviewed() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let mut pause = fake.pause(At::Next(Endpoint::Compare), When::BeforeEffect);
    let number = opened(&fake, "topic", &[RISKY]);
    let old = fake.head(1, number);
    pause.reached().await;
    fake.push(1, number, &[HARMLESS]);
    ended(&fake, &server, number);
    drop(pause);
    settled(&fake, &server).await;
    let run = newest_run(&fake, &old).expect("it was begun");
    assert_eq!(run.conclusion.as_deref(), Some("cancelled"));
    assert_eq!(run.output["title"], "superseded by a newer head");
    assert_eq!(all_wrongs(&fake, number, Lines(1)), NONE);
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_closed_in_the_middle_is_told_nothing_and_reviewed_once_it_is_open_again() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let mut pause = fake.pause(At::Next(Endpoint::Compare), When::BeforeEffect);
    let number = opened(&fake, "topic", &[RISKY]);
    pause.reached().await;
    fake.close(1, number);
    settled(&fake, &server).await;
    drop(pause);
    let run = newest_run(&fake, &fake.head(1, number)).expect("it was begun");
    assert_eq!(run.conclusion.as_deref(), Some("cancelled"));
    assert!(run.output["summary"].as_str().is_some_and(|text| text.contains("the pull request was closed")));
    assert_eq!(ours(&fake, number).len(), 0);
    fake.reopen(1, number);
    settled(&fake, &server).await;
    assert_eq!(all_wrongs(&fake, number, Lines(1)), NONE);
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_a_draft_in_the_middle_is_told_nothing_and_reviewed_once_it_is_ready() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let mut pause = fake.pause(At::Next(Endpoint::Compare), When::BeforeEffect);
    let number = opened(&fake, "topic", &[RISKY]);
    pause.reached().await;
    fake.to_draft(1, number);
    settled(&fake, &server).await;
    drop(pause);
    let run = newest_run(&fake, &fake.head(1, number)).expect("it was begun");
    assert_eq!(run.conclusion.as_deref(), Some("cancelled"));
    let summary = run.output["summary"].as_str().unwrap_or_default();
    assert!(summary.contains("the pull request became a draft"), "{summary}");
    assert_eq!(ours(&fake, number).len(), 0);
    fake.ready(1, number);
    settled(&fake, &server).await;
    assert_eq!(all_wrongs(&fake, number, Lines(1)), NONE);
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_a_draft_is_reviewed_all_the_same_where_drafts_are() {
    let fake = fake();
    let (_home, server) = served(&fake, "drafts = true\n", &["--offline"]);
    let mut pause = fake.pause(At::Next(Endpoint::Compare), When::BeforeEffect);
    let number = opened(&fake, "topic", &[RISKY]);
    pause.reached().await;
    fake.to_draft(1, number);
    fake.deliveries_settled().await;
    pause.resume();
    settled(&fake, &server).await;
    assert_eq!(all_wrongs(&fake, number, Lines(1)), NONE);
    fake.finish();
}

/// Lets everything that the queue did lie so many days longer ago.
async fn age(url: &str, days: i64) {
    sqlx::any::install_default_drivers();
    let mut database = sqlx::AnyConnection::connect(url).await.expect("it is there");
    let ms = days * 24 * 60 * 60 * 1000;
    let sql = format!(
        "UPDATE jobs SET created_at_ms = created_at_ms - {ms}, finished_at_ms = finished_at_ms - {ms}, \
         run_at_ms = run_at_ms - {ms}"
    );
    database.execute(sqlx::AssertSqlSafe(sql)).await.expect("the jobs can be written");
    database.close().await.expect("it closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_long_ago_is_told_no_more_and_still_known() {
    let fake = fake();
    fake.add_repository(2, "mallory", "shop");
    let home = Home::new(&fake, SOON);
    let url = format!("sqlite:{}", home.path().join("state.db").display());
    let home = home.with("RECUSE_DATABASE_URL", &url);
    let mut server = home.serve(&["--offline"]);
    fake.deliver_to(&server.webhook);
    let number = fake.open_pull(1, &OpenPull { fork: Some(2), files: &[RISKY], ..OpenPull::default() });
    settled(&fake, &server).await;
    let head = fake.head(1, number);
    let told = fake.check_runs(1, &head);
    server.kill();
    age(&url, 30).await;
    // The first upkeep forgets, the second would find what was forgotten; the repository is heard of lately.
    for branch in ["once", "twice"] {
        server = home.serve(&["--offline"]);
        fake.deliver_to(&server.webhook);
        fake.open_pull(1, &OpenPull { branch, files: &[(branch, "1\n")], ..OpenPull::default() });
        settled(&fake, &server).await;
        server.kill();
    }
    fake.forget_calls();
    server = home.serve(&["--offline"]);
    fake.deliver_to(&server.webhook);
    settled_in(&fake, &server);
    assert!(fake.count(Endpoint::Pulls) > 0, "open heads were looked at");
    assert_eq!(format!("{:?}", fake.check_runs(1, &head)), format!("{told:?}"));
    // An event that comes late tells nothing either.
    fake.reopen(1, number);
    settled(&fake, &server).await;
    assert_eq!(fake.count(Endpoint::CreateCheckRun) + fake.count(Endpoint::UpdateComment), 0);
    assert_eq!(all_wrongs(&fake, number, Lines(1)), NONE);
    // The check of a fork, which names no pull request, leads to it all the same.
    fake.rerequest_check(1, told[0].id);
    settled(&fake, &server).await;
    assert_eq!(fake.check_runs(1, &head).len(), 2);
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_was_reviewed_is_not_reviewed_again_by_a_late_delivery() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let number = opened(&fake, "topic", &[RISKY]);
    settled(&fake, &server).await;
    fake.close(1, number);
    settled(&fake, &server).await;
    fake.forget_calls();
    fake.reopen(1, number);
    settled(&fake, &server).await;
    assert_eq!(all_wrongs(&fake, number, Lines(1)), NONE);
    // The comment no longer says that it was closed.
    assert_eq!((fake.count(Endpoint::CreateCheckRun), fake.count(Endpoint::UpdateComment)), (0, 1));
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_pull_requests_with_one_head_are_both_told() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let first = opened(&fake, "topic", &[RISKY]);
    let second = fake.open_pull(1, &OpenPull { branch: "topic", files: &[], ..OpenPull::default() });
    settled(&fake, &server).await;
    assert_eq!(fake.head(1, first), fake.head(1, second));
    for number in [first, second] {
        assert_eq!((ours(&fake, number).len(), fake.review_comments(1, number).len()), (1, 1));
    }
    assert_eq!(wrong_check_runs(&fake), NONE);
    fake.finish();
}
