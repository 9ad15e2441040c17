//! What was said of a head holds: whoever may only edit a pull request, or open one, cannot edit it away.

use super::told::wrong_check_runs;
use super::*;
use crate::support::fake_github::{At, When};

const NONE: Vec<String> = Vec::new();

/// Everything that is found holds up merging, and no edit is waited for.
const GATED: &str = "settling_seconds = 0\n[review]\nfail_on = \"low\"\n";

const FORK: u64 = 2;

fn conclusion(fake: &FakeGitHub, number: u64) -> Option<String> {
    newest_run(fake, &fake.head(1, number))?.conclusion
}

type Act = fn(&FakeGitHub, u64);

const DRAFT: Act = |fake, number| drop(fake.to_draft(1, number));
const READY: Act = |fake, number| drop(fake.ready(1, number));
const TO_RELEASE: Act = |fake, number| {
    let main = fake.resolve(1, "refs/heads/main");
    fake.branch(1, "release", &main);
    fake.change_base(1, number, "release");
};
const TO_MAIN: Act = |fake, number| drop(fake.change_base(1, number, "main"));
const TITLE: Act = |fake, number| drop(fake.edit(1, number, Some("Sell pears"), None));
const CLOSE: Act = |fake, number| drop(fake.close(1, number));
const REOPEN: Act = |fake, number| drop(fake.reopen(1, number));

#[tokio::test(flavor = "multi_thread")]
async fn no_edit_of_a_draft_makes_a_failure_anything_else() {
    // What is done, and of which base the comment tells in the end.
    let stories: [(&[Act], &str); 5] = [
        (&[DRAFT, READY], "main"),
        (&[DRAFT, TO_RELEASE, TO_MAIN, READY], "main"),
        (&[DRAFT, TO_RELEASE, READY], "release"),
        (&[DRAFT, TITLE, READY], "main"),
        (&[DRAFT, TO_RELEASE, CLOSE, REOPEN, TO_MAIN, READY], "main"),
    ];
    for (index, (acts, base)) in stories.into_iter().enumerate() {
        let fake = fake();
        let (_home, server) = served(&fake, GATED, &["--offline"]);
        let number = opened(&fake, "topic", &[RISKY]);
        settled(&fake, &server).await;
        assert_eq!(conclusion(&fake, number).as_deref(), Some("failure"));
        for act in acts {
            act(&fake, number);
            settled(&fake, &server).await;
            assert_eq!(conclusion(&fake, number).as_deref(), Some("failure"), "story {index}");
        }
        let packet = &ours(&fake, number)[0].body;
        let commit = fake.resolve(1, &format!("refs/heads/{base}"));
        assert!(packet.contains(&format!("base `{commit}`")), "story {index}: {packet}");
        assert_eq!(wrong_check_runs(&fake), NONE, "story {index}");
        fake.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_s_author_edits_nothing_away_and_stops_no_review_that_was_asked_for() {
    for forks in ["on_request", "skip"] {
        let fake = fake();
        let (_home, server) = served(&fake, &format!("forks = \"{forks}\"\n{GATED}"), &["--offline"]);
        fake.add_repository(FORK, "mallory", "shop");
        let pull = OpenPull { author: "mallory", fork: Some(FORK), files: &[RISKY], ..OpenPull::default() };
        let number = fake.open_pull(1, &pull);
        settled(&fake, &server).await;
        let mut pause = fake.pause(At::Next(Endpoint::Compare), When::BeforeEffect);
        fake.comment(1, number, "ada", "/recuse review");
        pause.reached().await;
        TITLE(&fake, number);
        TO_RELEASE(&fake, number);
        fake.deliveries_settled().await;
        pause.resume();
        settled(&fake, &server).await;
        for act in [TO_MAIN, TO_RELEASE, DRAFT, TO_MAIN, READY] {
            assert_eq!(conclusion(&fake, number).as_deref(), Some("failure"), "{forks}");
            act(&fake, number);
            settled(&fake, &server).await;
        }
        assert_eq!(ours(&fake, number).len(), 1, "{forks}");
        fake.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_is_taken_back_while_it_is_reviewed_leaves_the_check_as_it_was() {
    let fake = fake();
    let (_home, server) = served(&fake, GATED, &["--offline"]);
    let number = opened(&fake, "topic", &[HARMLESS]);
    settled(&fake, &server).await;
    let _pause = fake.pause(At::Next(Endpoint::Compare), When::BeforeEffect);
    let asked = fake.count(Endpoint::Compare);
    TITLE(&fake, number);
    server.until("the new title is looked at", || fake.count(Endpoint::Compare) > asked);
    fake.edit(1, number, Some("Sell apples"), None);
    settled(&fake, &server).await;
    assert_eq!(conclusion(&fake, number).as_deref(), Some("success"));
    assert_eq!((wrong_check_runs(&fake), ours(&fake, number).len()), (NONE, 1));
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn lenses_that_were_asked_for_do_not_look_at_what_a_fork_pushed_since() {
    for (forks, words) in [("on_request", "newer head"), ("skip", "newer head"), ("review", "claim `")] {
        let fake = fake();
        let (_home, server) = served(&fake, &format!("forks = \"{forks}\"\n"), &["--offline"]);
        fake.add_repository(FORK, "mallory", "shop");
        let pull =
            OpenPull { author: "mallory", fork: Some(FORK), files: &[HARMLESS], ..OpenPull::default() };
        let number = fake.open_pull(1, &pull);
        settled(&fake, &server).await;
        let mut of_command = fake.pause(At::Next(Endpoint::Pull), When::BeforeEffect);
        let id = fake.comment(1, number, "ada", "/recuse review security");
        of_command.reached().await;
        let mut of_review = fake.pause(At::Next(Endpoint::Pull), When::BeforeEffect);
        of_command.resume();
        of_review.reached().await;
        let unseen = fake.commit(1, "topic", "Unseen", &[RISKY]);
        fake.move_head_silently(1, number, &unseen);
        of_review.resume();
        settled(&fake, &server).await;
        let mark = format!("recuse answer-{id} ");
        let answers = ours(&fake, number).into_iter().filter(|comment| comment.body.contains(&mark));
        let answers: Vec<_> = answers.map(|comment| comment.body).collect();
        assert!(answers.len() == 1 && answers[0].contains(words), "{forks}: {answers:?}");
        fake.finish();
    }
}
