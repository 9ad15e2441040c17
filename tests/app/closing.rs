//! What the comment says once a pull request is closed, and once it is open again.

use super::told::{Lines, wrong_check_runs, wrongs};
use super::*;
use crate::support::fake_github::{At, Fault, Times, When};

fn body(fake: &FakeGitHub, number: u64) -> String {
    let comments = ours(fake, number);
    assert_eq!(comments.len(), 1, "{comments:?}");
    comments[0].body.clone()
}

const NONE: Vec<String> = Vec::new();

#[tokio::test(flavor = "multi_thread")]
async fn what_is_closed_or_merged_says_first_what_still_stands_and_no_longer_once_it_is_open() {
    type Verb = fn(&FakeGitHub, u64) -> String;
    let table: [(&str, Verb); 2] =
        [("Merged", |fake, number| fake.merge(1, number)), ("Closed", |fake, number| fake.close(1, number))];
    for (word, verb) in table {
        let fake = fake();
        let (_home, server) = served(&fake, "", &["--offline"]);
        let number = opened(&fake, "topic", &[RISKY]);
        settled(&fake, &server).await;
        let before = body(&fake, number);
        fake.forget_calls();
        verb(&fake, number);
        settled(&fake, &server).await;
        let begin = format!("**{word}** with 1 claim still standing:\n\n- medium, `shop/search.py:2`\n");
        let closed = body(&fake, number);
        assert!(closed.starts_with(&begin), "{closed}");
        assert!(closed.ends_with(&before), "{closed}");
        // Once, and nothing else.
        assert_eq!((fake.count(Endpoint::UpdateComment), fake.count(Endpoint::CreateCheckRun)), (1, 0));
        if word == "Closed" {
            fake.reopen(1, number);
            settled(&fake, &server).await;
            assert_eq!(body(&fake, number), before);
            assert_eq!([wrongs(&fake, number, Lines(1)), wrong_check_runs(&fake)].concat(), NONE);
        }
        fake.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_stands_or_nothing_was_told_nothing_is_said() {
    let fake = fake();
    let (_home, server) = served(&fake, "skip_labels = [\"later\"]\n", &["--offline"]);
    let harmless = opened(&fake, "harmless", &[HARMLESS]);
    settled(&fake, &server).await;
    let draft = OpenPull { branch: "draft", is_draft: true, files: &[RISKY], ..OpenPull::default() };
    let draft = fake.open_pull(1, &draft);
    settled(&fake, &server).await;
    fake.forget_calls();
    for number in [harmless, draft] {
        fake.close(1, number);
        settled(&fake, &server).await;
    }
    assert_eq!(fake.count(Endpoint::UpdateComment) + fake.count(Endpoint::CreateComment), 0);
    assert_eq!(ours(&fake, draft).len(), 0);
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closing_that_cannot_be_told_changes_no_check_run() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let number = opened(&fake, "topic", &[RISKY]);
    settled(&fake, &server).await;
    let before = body(&fake, number);
    fake.fail(Endpoint::UpdateComment, Times::Always, Fault::Status(500));
    fake.close(1, number);
    settled(&fake, &server).await;
    assert!(fake.count(Endpoint::UpdateComment) > 1);
    fake.heal();
    assert_eq!(body(&fake, number), before);
    let runs = fake.check_runs(1, &fake.head(1, number));
    assert_eq!((runs.len(), runs[0].conclusion.as_deref()), (1, Some("success")));
    // What was not told at the closing is no hindrance when it is opened again.
    fake.reopen(1, number);
    settled(&fake, &server).await;
    assert_eq!([wrongs(&fake, number, Lines(1)), wrong_check_runs(&fake)].concat(), NONE);
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closing_that_is_killed_at_its_write_is_told_once() {
    for when in [When::BeforeEffect, When::AfterEffect] {
        let fake = fake();
        let (home, server) = served(&fake, "", &["--offline"]);
        let number = opened(&fake, "topic", &[RISKY]);
        settled(&fake, &server).await;
        let mut pause = fake.pause(At::Next(Endpoint::UpdateComment), when);
        fake.close(1, number);
        pause.reached().await;
        server.kill();
        pause.resume();
        let server = home.serve(&["--offline"]);
        fake.deliver_to(&server.webhook);
        settled(&fake, &server).await;
        assert!(body(&fake, number).starts_with("**Closed** with 1 claim"), "{}", body(&fake, number));
        fake.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closing_that_comes_after_the_reopening_hinders_no_review() {
    use crate::support::fake_github::Sending;
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    settled_in(&fake, &server);
    fake.set_sending(Sending::Held);
    let number = opened(&fake, "topic", &[RISKY]);
    let closed = fake.close(1, number);
    fake.reopen(1, number);
    let others: Vec<_> = fake.deliveries().into_iter().filter(|delivery| delivery.guid != closed).collect();
    let mut pause = fake.pause(At::Next(Endpoint::Compare), When::BeforeEffect);
    for delivery in &others {
        fake.send(&delivery.guid);
    }
    pause.reached().await;
    fake.send(&closed);
    fake.deliveries_settled().await;
    pause.resume();
    settled(&fake, &server).await;
    assert_eq!([wrongs(&fake, number, Lines(1)), wrong_check_runs(&fake)].concat(), NONE);
    fake.finish();
}
