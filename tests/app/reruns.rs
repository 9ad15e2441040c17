//! Checks that are asked for again, and merge queues.

use super::told::wrong_check_runs;
use super::*;
use crate::support::fake_github::{Fault, Times};

fn conclusions(fake: &FakeGitHub, head: &str) -> Vec<Option<String>> {
    fake.check_runs(1, head).into_iter().map(|run| run.conclusion).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_is_asked_for_again_is_run_again_also_from_a_fork() {
    for fork in [None, Some(2)] {
        let fake = fake();
        let (_home, server) = served(&fake, "", &["--offline"]);
        if fork.is_some() {
            fake.add_repository(2, "mallory", "shop");
        }
        let number = fake.open_pull(1, &OpenPull { fork, files: &[RISKY], ..OpenPull::default() });
        settled(&fake, &server).await;
        let head = fake.head(1, number);
        let first = newest_run(&fake, &head).expect("there is one");
        assert_eq!(first.actions.len(), 1, "it can be asked for again by a button");
        fake.rerequest_check(1, first.id);
        settled(&fake, &server).await;
        fake.rerequest_suite(1, &head);
        settled(&fake, &server).await;
        fake.press(1, first.id, "review");
        settled(&fake, &server).await;
        fake.press(1, first.id, "something-else");
        settled(&fake, &server).await;
        assert_eq!(conclusions(&fake, &head), vec![Some("success".to_owned()); 4], "{fork:?}");
        assert_eq!((ours(&fake, number).len(), fake.review_comments(1, number).len()), (1, 1), "{fork:?}");
        assert_eq!(wrong_check_runs(&fake), Vec::<String>::new());
        fake.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_write_has_nothing_run_again() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let number = opened(&fake, "topic", &[RISKY]);
    settled(&fake, &server).await;
    let head = fake.head(1, number);
    let first = newest_run(&fake, &head).expect("there is one").id;
    for login in ["mallory", "ada"] {
        let before = fake.check_runs(1, &head).len();
        fake.rerequest_check_as(1, first, login);
        settled(&fake, &server).await;
        fake.press_as(1, first, "review", login);
        settled(&fake, &server).await;
        fake.rerequest_suite_as(1, &head, login);
        settled(&fake, &server).await;
        let more = if login == "ada" { 3 } else { 0 };
        assert_eq!(fake.check_runs(1, &head).len() - before, more, "{login}");
    }
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_queue_whose_question_fails_is_told_so_and_may_ask_again() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let number = opened(&fake, "topic", &[RISKY]);
    settled(&fake, &server).await;
    fake.fail(Endpoint::Pull, Times::Always, Fault::Status(500));
    let group = fake.enqueue(1, number);
    settled(&fake, &server).await;
    assert_eq!(conclusions(&fake, &group), [Some("action_required".to_owned())]);
    fake.heal();
    let run = newest_run(&fake, &group).expect("there is one");
    fake.rerequest_check(1, run.id);
    settled(&fake, &server).await;
    let both = ["action_required", "success"].map(|conclusion| Some(conclusion.to_owned()));
    assert_eq!(conclusions(&fake, &group), both);
    assert_eq!(conclusions(&fake, &fake.head(1, number)), [Some("success".to_owned())]);
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_apps_check_is_nothing_to_us() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let number = opened(&fake, "topic", &[RISKY]);
    settled(&fake, &server).await;
    let head = fake.head(1, number);
    let theirs = fake.add_check_run(1, &head, "recuse", 4_711, "");
    fake.rerequest_check(1, theirs);
    settled(&fake, &server).await;
    let theirs: Vec<_> = fake.check_runs(1, &head).into_iter().filter(|run| run.app != APP_ID).collect();
    assert_eq!((theirs.len(), theirs[0].history.len()), (1, 0));
    assert_eq!(fake.check_runs(1, &head).len(), 2);
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_queue_is_told_what_is_known_of_the_head() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let number = opened(&fake, "topic", &[RISKY]);
    settled(&fake, &server).await;
    let group = fake.enqueue(1, number);
    settled(&fake, &server).await;
    assert_eq!(conclusions(&fake, &group), [Some("success".to_owned())]);
    // A head that nobody reviewed does not get through on the review of another one.
    let unseen = fake.commit(1, "topic", "Unseen", &[HARMLESS]);
    fake.move_head_silently(1, number, &unseen);
    fake.push_branch(1, "main", &[("other.txt", "other\n")]);
    let group = fake.enqueue(1, number);
    settled(&fake, &server).await;
    assert_eq!(conclusions(&fake, &group), [Some("action_required".to_owned())]);
    assert_eq!(ours(&fake, number).len(), 1);
    fake.finish();
}
