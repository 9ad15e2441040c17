//! Pull requests from forks, by the operator's rule: reviewed like others, once each head is asked for, or not at all.

use super::told::{Lines, wrong_check_runs, wrongs};
use super::*;
use crate::support::fake_github::{At, When};

const FORK: u64 = 2;

/// Another app.
const CI: u64 = 15_368;

const NONE: Vec<String> = Vec::new();

fn rule(forks: &str) -> String {
    format!("settling_seconds = 0\nreview_labels = [\"review\"]\nforks = \"{forks}\"\n")
}

/// A pull request that mallory, who may not write, opens from a fork.
fn forked(fake: &FakeGitHub) -> u64 {
    fake.add_repository(FORK, "mallory", "shop");
    fake.open_pull(
        1,
        &OpenPull { author: "mallory", fork: Some(FORK), files: &[RISKY], ..OpenPull::default() },
    )
}

fn conclusion(fake: &FakeGitHub, head: &str) -> Option<String> {
    newest_run(fake, head).and_then(|run| run.conclusion)
}

/// What somebody does, and what the check of the head says then: that it was reviewed, or what it says by the rule.
type Step = (&'static str, fn(&FakeGitHub, u64), Then);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Reviewed,
    Not,
}

use Then::{Not, Reviewed};

const EDITED: Step = ("its title is edited", edit_title, Not);
const REBASED: Step = ("its base is edited", other_base, Not);
const BY_STRANGER: Step = ("whoever opened it asks", |fake, number| ask_as(fake, number, "mallory"), Not);
const BY_BUTTON: Step = ("whoever opened it presses the button", press_as_mallory, Not);
const CHECKS_END: Step = ("another app's checks end", other_checks_end, Not);

fn edit_title(fake: &FakeGitHub, number: u64) {
    let title = format!("Sell {number} more");
    fake.edit(1, number, Some(&title), None);
}

fn other_base(fake: &FakeGitHub, number: u64) {
    let main = fake.resolve(1, "refs/heads/main");
    fake.branch(1, "release", &main);
    fake.change_base(1, number, "release");
}

fn ask_as(fake: &FakeGitHub, number: u64, login: &str) {
    fake.comment(1, number, login, "/recuse review");
}

fn press_as_mallory(fake: &FakeGitHub, number: u64) {
    let run = newest_run(fake, &fake.head(1, number)).expect("there is one");
    fake.rerequest_check_as(1, run.id, "mallory");
}

fn press(fake: &FakeGitHub, number: u64) {
    let run = newest_run(fake, &fake.head(1, number)).expect("there is one");
    fake.rerequest_check(1, run.id);
}

fn other_checks_end(fake: &FakeGitHub, number: u64) {
    let run = fake.add_check_run(1, &fake.head(1, number), "lint", CI, "");
    fake.end_check(1, run, "success");
}

fn push(fake: &FakeGitHub, number: u64) {
    fake.push(1, number, &[HARMLESS]);
}

fn nothing(_: &FakeGitHub, _: u64) {}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_s_head_is_reviewed_by_the_rule_and_by_who_may_ask() {
    let ask: fn(&FakeGitHub, u64) = |fake, number| ask_as(fake, number, "ada");
    let label: fn(&FakeGitHub, u64) = |fake, number| drop(fake.label(1, number, "review"));
    let stories: [(&str, &str, &[Step]); 3] = [
        ("review", "", &[("it is opened", nothing, Reviewed), ("it is pushed to", push, Reviewed)]),
        (
            "on_request",
            "action_required",
            &[
                ("it is opened", nothing, Not),
                EDITED,
                REBASED,
                BY_STRANGER,
                BY_BUTTON,
                CHECKS_END,
                ("a writer asks", ask, Reviewed),
                ("the title is edited afterwards", edit_title, Reviewed),
                ("another app's checks end afterwards", other_checks_end, Reviewed),
                ("it is pushed to afterwards", push, Not),
                ("a label asks", label, Reviewed),
                ("it is pushed to while the label is on", push, Not),
                ("a writer presses the button", press, Reviewed),
            ],
        ),
        (
            "skip",
            "neutral",
            &[
                ("it is opened", nothing, Not),
                EDITED,
                REBASED,
                BY_STRANGER,
                BY_BUTTON,
                CHECKS_END,
                ("a label asks", label, Not),
                ("a writer asks", ask, Reviewed),
                ("it is pushed to afterwards", push, Not),
                ("a writer presses the button", press, Reviewed),
            ],
        ),
    ];
    for (forks, by_rule, steps) in stories {
        let fake = fake();
        let (_home, server) = served(&fake, &rule(forks), &["--offline"]);
        let number = forked(&fake);
        settled(&fake, &server).await;
        for (what, act, then) in steps {
            act(&fake, number);
            settled(&fake, &server).await;
            let head = fake.head(1, number);
            let expected = if *then == Reviewed { "success" } else { by_rule };
            assert_eq!(conclusion(&fake, &head).as_deref(), Some(expected), "{forks}: {what}");
            if *then == Not {
                let summary = newest_run(&fake, &head).expect("there is one").output["summary"].to_string();
                assert!(summary.contains("by a rule of the operator"), "{forks}: {what}: {summary}");
                assert!(summary.contains("fork"), "{forks}: {what}: {summary}");
                assert!(summary.contains("`/recuse review`"), "{forks}: {what}: {summary}");
            }
            // What nobody looked at does not get through a merge queue.
            let group = fake.enqueue(1, number);
            settled(&fake, &server).await;
            let of_group = if *then == Reviewed { "success" } else { "action_required" };
            assert_eq!(conclusion(&fake, &group).as_deref(), Some(of_group), "{forks}: {what}: its group");
        }
        assert_eq!(wrong_check_runs(&fake), NONE, "{forks}");
        assert_eq!((ours(&fake, number).len(), fake.review_comments(1, number).len()), (1, 1), "{forks}");
        fake.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn branches_of_the_repository_itself_are_no_forks() {
    for forks in ["on_request", "skip"] {
        let fake = fake();
        let (_home, server) = served(&fake, &rule(forks), &["--offline"]);
        let number = opened(&fake, "topic", &[RISKY]);
        settled(&fake, &server).await;
        assert_eq!([wrongs(&fake, number, Lines(1)), wrong_check_runs(&fake)].concat(), NONE, "{forks}");
        fake.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_fork_pushes_while_it_is_looked_at_was_not_asked_for() {
    for call in [Endpoint::CreateCheckRun, Endpoint::Compare] {
        let fake = fake();
        let (_home, server) = served(&fake, &rule("on_request"), &["--offline"]);
        let number = forked(&fake);
        settled(&fake, &server).await;
        let asked = fake.head(1, number);
        let mut pause = fake.pause(At::Next(call), When::BeforeEffect);
        ask_as(&fake, number, "ada");
        pause.reached().await;
        let unseen = fake.commit(1, "topic", "Unseen", &[HARMLESS]);
        fake.move_head_silently(1, number, &unseen);
        pause.resume();
        settled(&fake, &server).await;
        assert_eq!(conclusion(&fake, &asked).as_deref(), Some("cancelled"), "{call:?}");
        assert_eq!(conclusion(&fake, &unseen).as_deref(), Some("action_required"), "{call:?}");
        assert_eq!(ours(&fake, number).len(), 0, "{call:?}");
        fake.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_that_was_asked_for_is_decided_again_when_its_checks_end() {
    let fake = fake();
    let config = format!("{}[review]\nrequired_checks = [\"tests\"]\n", rule("on_request"));
    let (_home, server) = served(&fake, &config, &["--offline"]);
    let number = forked(&fake);
    settled(&fake, &server).await;
    let head = fake.head(1, number);
    let run = fake.add_check_run(1, &head, "tests", CI, "");
    ask_as(&fake, number, "ada");
    settled(&fake, &server).await;
    assert_eq!(conclusion(&fake, &head).as_deref(), Some("failure"), "it waits for the check");
    edit_title(&fake, number);
    settled(&fake, &server).await;
    assert_eq!(conclusion(&fake, &head).as_deref(), Some("failure"), "no edit takes that back");
    fake.end_check(1, run, "success");
    settled(&fake, &server).await;
    assert_eq!(conclusion(&fake, &head).as_deref(), Some("success"));
    fake.finish();
}
