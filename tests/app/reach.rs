//! Repositories that go out of reach, come back or get another name.

use super::told::{Lines, wrong_check_runs, wrongs};
use super::*;
use crate::support::fake_github::{At, Fault, Times, When};

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_is_renamed_in_the_middle_is_told_under_its_new_name() {
    for call in [Endpoint::MintToken, Endpoint::Compare, Endpoint::CreateComment] {
        let fake = fake();
        let (_home, server) = served(&fake, "", &["--offline"]);
        settled_in(&fake, &server);
        let mut pause = fake.pause(At::Next(call), When::BeforeEffect);
        let number = opened(&fake, "topic", &[RISKY]);
        pause.reached().await;
        fake.rename(1, "store");
        pause.resume();
        settled(&fake, &server).await;
        let wrongs = [wrongs(&fake, number, Lines(1)), wrong_check_runs(&fake)].concat();
        assert_eq!(wrongs, Vec::<String>::new(), "{call:?}");
        fake.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_uninstalled_in_the_middle_gives_up_in_silence() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let mut pause = fake.pause(At::Next(Endpoint::Compare), When::BeforeEffect);
    let number = opened(&fake, "topic", &[RISKY]);
    pause.reached().await;
    fake.uninstall(9);
    pause.resume();
    settled(&fake, &server).await;
    assert_eq!(ours(&fake, number).len(), 0);
    // It was told so, or has found out.
    let metrics = server.get("/metrics");
    let is_there = |outcome: &str| metrics.contains(&format!("outcome=\"{outcome}\""));
    assert!(["stopped", "out_of_reach"].into_iter().any(is_there), "{metrics}");
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_gets_no_token_is_silent_and_goes_on_when_it_gets_one() {
    for status in [401, 403, 404] {
        let fake = fake();
        let (_home, server) = served(&fake, "", &["--offline"]);
        let known = opened(&fake, "known", &[("shop/known.py", RISKY.1)]);
        settled(&fake, &server).await;
        fake.fail(Endpoint::MintToken, Times::Always, Fault::Status(status));
        fake.forget_calls();
        let number = opened(&fake, "topic", &[RISKY]);
        fake.comment(1, known, "ada", "/recuse review");
        fake.enqueue(1, known);
        settled(&fake, &server).await;
        let written = [Endpoint::CreateCheckRun, Endpoint::CreateComment, Endpoint::UpdateComment];
        assert_eq!(written.map(|call| fake.count(call)), [0; 3], "{status}");
        // Neither for ever nor in a loop: three jobs, each tried as often as it may be and given up once.
        assert!(
            fake.count(Endpoint::MintToken) <= 3 * 9 + 2,
            "{status}: {}",
            fake.count(Endpoint::MintToken)
        );
        fake.heal();
        fake.push(1, number, &[HARMLESS]);
        settled(&fake, &server).await;
        assert_eq!(wrongs(&fake, number, Lines(1)), Vec::<String>::new(), "{status}");
        fake.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_repository_is_given_up() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let mut pause = fake.pause(At::Next(Endpoint::Compare), When::BeforeEffect);
    opened(&fake, "topic", &[RISKY]);
    pause.reached().await;
    fake.delete_repository(1);
    pause.resume();
    settled(&fake, &server).await;
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_suspended_installation_does_not_keep_upkeep_from_the_others() {
    let fake = fake();
    fake.add_repository(2, "globex", "tools");
    fake.commit(2, "main", "Begin", &[("README.md", "Tools.\n")]);
    fake.install(8, "globex", &[2]);
    let (home, server) = served(&fake, "", &["--offline"]);
    let other = fake.open_pull(2, &OpenPull::default());
    let number = opened(&fake, "topic", &[RISKY]);
    settled(&fake, &server).await;
    server.kill();
    fake.suspend(8);
    // Its delivery is lost with the server, and nothing but the pull request itself tells of it.
    let unseen = fake.commit(1, "topic", "Unseen", &[HARMLESS]);
    fake.move_head_silently(1, number, &unseen);
    fake.forget_calls();
    let server = home.serve(&["--offline"]);
    settled_in(&fake, &server);
    assert_eq!(wrongs(&fake, number, Lines(1)), Vec::<String>::new());
    assert!(other > 0);
    fake.finish();
}
