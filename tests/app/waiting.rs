//! While all workers review: what waits says so, and people are answered all the same.

use super::told::{Lines, wrong_check_runs, wrongs};
use super::*;
use crate::support::fake_github::{At, Pause, When};

/// One worker, and a desk that shows at once that something waits.
const BUSY: &str = "workers = 1\nannounce_seconds = 0\n";

/// Of another head than the one that is reviewed.
const OTHER: (&str, &str) = ("shop/find.py", RISKY.1);

const NONE: Vec<String> = Vec::new();

/// A server whose only worker is held in the middle of a review, and the pull request that it reviews.
async fn busy(fake: &FakeGitHub) -> (Home, Server, Pause, u64) {
    let (home, server) = served(fake, BUSY, &["--offline"]);
    settled_in(fake, &server);
    let mut pause = fake.pause(At::Next(Endpoint::Compare), When::BeforeEffect);
    let number = opened(fake, "topic", &[RISKY]);
    pause.reached().await;
    (home, server, pause, number)
}

/// Our check run of a head, once it says that the review waits.
fn waiting(fake: &FakeGitHub, server: &Server, head: &str) -> CheckRun {
    let run = || newest_run(fake, head).filter(|run| run.status == "queued");
    server.until("the check run waits", || run().is_some());
    run().expect("it was there just now")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_that_waits_says_so_and_is_told_once() {
    let fake = fake();
    let (_home, server, pause, first) = busy(&fake).await;
    let second = opened(&fake, "other", &[OTHER]);
    let run = waiting(&fake, &server, &fake.head(1, second));
    assert_eq!(run.output["title"], "waiting for a reviewer");
    pause.resume();
    settled(&fake, &server).await;
    let run = ended(&fake, &server, second);
    let history: Vec<&str> = run.history.iter().map(|(status, _)| status.as_str()).collect();
    assert_eq!(history, ["queued", "in_progress", "completed"]);
    assert_eq!(fake.check_runs(1, &run.head).len(), 1);
    assert_eq!(
        [wrongs(&fake, first, Lines(1)), wrongs(&fake, second, Lines(1)), wrong_check_runs(&fake)].concat(),
        NONE
    );
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_answered_while_all_workers_review() {
    let fake = fake();
    let (_home, server, pause, first) = busy(&fake).await;
    fake.comment(1, first, "ada", "/recuse help");
    server.until("the answer is there", || ours(&fake, first).len() == 1);
    // The review that runs is the one that is to stop.
    fake.comment(1, first, "ada", "/recuse stop");
    assert_eq!(ended(&fake, &server, first).conclusion.as_deref(), Some("cancelled"));
    drop(pause);
    settled(&fake, &server).await;
    assert_eq!(wrong_check_runs(&fake), NONE);
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_to_while_it_waits_ends_the_check_run_that_waited() {
    let fake = fake();
    let (_home, server, pause, _) = busy(&fake).await;
    let second = opened(&fake, "other", &[OTHER]);
    let old = fake.head(1, second);
    waiting(&fake, &server, &old);
    fake.push(1, second, &[HARMLESS]);
    fake.deliveries_settled().await;
    pause.resume();
    settled(&fake, &server).await;
    let run = newest_run(&fake, &old).expect("it waited");
    assert_eq!(run.conclusion.as_deref(), Some("cancelled"));
    assert_eq!(run.output["title"], "superseded by a newer head");
    assert_eq!([wrongs(&fake, second, Lines(1)), wrong_check_runs(&fake)].concat(), NONE);
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_while_it_shows_what_waits_shows_it_once() {
    for when in [When::BeforeEffect, When::AfterEffect] {
        let fake = fake();
        let (home, server, pause, first) = busy(&fake).await;
        let mut showing = fake.pause(At::Next(Endpoint::CreateCheckRun), when);
        let second = opened(&fake, "other", &[OTHER]);
        showing.reached().await;
        server.kill();
        showing.resume();
        pause.resume();
        let server = home.serve(&["--offline"]);
        fake.deliver_to(&server.webhook);
        settled_in(&fake, &server);
        settled(&fake, &server).await;
        assert_eq!(fake.check_runs(1, &fake.head(1, second)).len(), 1, "{when:?}");
        assert_eq!(
            [wrongs(&fake, first, Lines(1)), wrongs(&fake, second, Lines(1)), wrong_check_runs(&fake)]
                .concat(),
            NONE,
            "{when:?}"
        );
        fake.finish();
    }
}
