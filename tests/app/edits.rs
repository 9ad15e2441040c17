//! What is said of a pull request and changes while its head stays: title, description, base, labels.

use super::told::{Lines, wrong_check_runs, wrongs};
use super::*;
use crate::support::fake_github::{At, When};

/// No edit is waited for.
const AT_ONCE: &str = "settling_seconds = 0\n";

const NONE: Vec<String> = Vec::new();

fn body(fake: &FakeGitHub, number: u64) -> String {
    let comments = ours(fake, number);
    assert_eq!(comments.len(), 1, "{comments:?}");
    comments[0].body.clone()
}

/// How often a pull request's head was reviewed.
fn reviews(fake: &FakeGitHub, number: u64) -> usize {
    fake.check_runs(1, &fake.head(1, number)).len()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_text_waits_for_the_next_edit() {
    let fake = fake();
    let (_home, server) = served(&fake, "settling_seconds = 3600\n", &["--offline"]);
    let number = opened(&fake, "topic", &[RISKY]);
    settled(&fake, &server).await;
    for title in ["Sell pears", "Sell pears and plums", "Sell fruit"] {
        fake.edit(1, number, Some(title), None);
        fake.deliveries_settled().await;
        server.until("one review waits", || server.get("/metrics").contains("recuse_jobs_queued 1\n"));
        assert_eq!(reviews(&fake, number), 1, "{title}");
    }
    // A push waits for nobody, and the new text is reviewed with it.
    fake.push(1, number, &[HARMLESS]);
    settled(&fake, &server).await;
    assert_eq!([wrongs(&fake, number, Lines(1)), wrong_check_runs(&fake)].concat(), NONE);
    assert_eq!(reviews(&fake, number), 1);
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_text_is_reviewed_again_where_it_is_not_what_was_reviewed() {
    let fake = fake();
    let (_home, server) = served(&fake, AT_ONCE, &["--offline"]);
    let number = opened(&fake, "topic", &[RISKY]);
    settled(&fake, &server).await;
    assert!(!body(&fake, number).contains("anthropic"), "{}", body(&fake, number));
    let claude = "Apples are good.\n\nGenerated with [Claude Code](https://claude.com/claude-code)";
    fake.edit(1, number, None, Some(claude));
    settled(&fake, &server).await;
    assert_eq!(reviews(&fake, number), 2);
    assert!(body(&fake, number).contains("`anthropic` wrote lines"), "{}", body(&fake, number));
    // An edit that was taken back before anybody looked.
    fake.forget_calls();
    fake.edit(1, number, Some("Sell apples"), Some(claude));
    settled(&fake, &server).await;
    assert_eq!(fake.count(Endpoint::CreateCheckRun) + fake.count(Endpoint::UpdateComment), 0);
    // Back to what was reviewed first, which is not what the comment is about by now.
    fake.edit(1, number, None, Some("Apples are good."));
    settled(&fake, &server).await;
    assert_eq!(reviews(&fake, number), 3);
    assert!(!body(&fake, number).contains("anthropic"), "{}", body(&fake, number));
    assert_eq!((fake.review_comments(1, number).len(), wrong_check_runs(&fake)), (1, NONE));
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_that_runs_gives_way_to_that_of_an_edited_text_and_says_so() {
    let fake = fake();
    let (_home, server) = served(&fake, AT_ONCE, &["--offline"]);
    let mut hold = fake.pause(At::Next(Endpoint::Compare), When::BeforeEffect);
    let number = opened(&fake, "topic", &[RISKY]);
    hold.reached().await;
    fake.edit(1, number, Some("Sell pears"), None);
    settled(&fake, &server).await;
    drop(hold);
    assert_eq!([wrongs(&fake, number, Lines(1)), wrong_check_runs(&fake)].concat(), NONE);
    let runs = fake.check_runs(1, &fake.head(1, number));
    let summary = runs[0].output["summary"].as_str().unwrap_or_default();
    assert_eq!((runs.len(), runs[0].conclusion.as_deref()), (2, Some("cancelled")));
    assert!(summary.contains("another review of the same head takes its place"), "{summary}");
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_base_is_another_change() {
    let fake = fake();
    let (_home, server) = served(&fake, "settling_seconds = 3600\n", &["--offline"]);
    let released = fake.commit(1, "topic", "Search", &[RISKY]);
    fake.branch(1, "release", &released);
    fake.commit(1, "topic", "More", &[HARMLESS]);
    let number = opened(&fake, "topic", &[]);
    settled(&fake, &server).await;
    assert!(body(&fake, number).contains("security/injection"), "{}", body(&fake, number));
    fake.change_base(1, number, "release");
    settled(&fake, &server).await;
    let text = body(&fake, number);
    assert!(!text.contains("security/injection") && text.contains(&format!("base `{released}`")), "{text}");
    assert_eq!(reviews(&fake, number), 2);
    assert_eq!(wrong_check_runs(&fake), NONE);
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_that_says_who_wrote_it_recuses_and_taking_it_off_changes_nothing() {
    let fake = fake();
    let (_home, server) = served(&fake, AT_ONCE, &["--offline"]);
    let number = opened(&fake, "topic", &[RISKY]);
    settled(&fake, &server).await;
    for label in ["bug", "good first issue"] {
        fake.label(1, number, label);
        settled(&fake, &server).await;
        assert_eq!(reviews(&fake, number), 1, "{label}");
    }
    fake.label(1, number, "Codex");
    settled(&fake, &server).await;
    assert_eq!(reviews(&fake, number), 2);
    assert!(body(&fake, number).contains("openai"), "{}", body(&fake, number));
    fake.unlabel(1, number, "Codex");
    settled(&fake, &server).await;
    assert_eq!(reviews(&fake, number), 2);
    assert!(body(&fake, number).contains("openai"), "{}", body(&fake, number));
    assert_eq!((fake.review_comments(1, number).len(), wrong_check_runs(&fake)), (1, NONE));
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pull_request_may_be_edited_and_labelled_in_peace() {
    let fake = fake();
    let (_home, server) = served(&fake, AT_ONCE, &["--offline"]);
    let number = opened(&fake, "topic", &[RISKY]);
    settled(&fake, &server).await;
    fake.close(1, number);
    settled(&fake, &server).await;
    fake.forget_calls();
    fake.edit(1, number, Some("Sell pears"), None);
    fake.label(1, number, "codex");
    settled(&fake, &server).await;
    assert_eq!(reviews(&fake, number), 1);
    assert_eq!(fake.count(Endpoint::CreateCheckRun) + fake.count(Endpoint::UpdateComment), 0);
    fake.finish();
}
