//! Open pull requests that no event tells of: those that were there before the App, those whose review came to nothing, and
//! the jobs of repositories that go away.

use super::told::{Lines, wrong_check_runs, wrongs};
use super::*;
use crate::support::fake_github::{At, Fault, Sending, Times, When};
use sqlx::{Connection as _, Executor as _};

const NONE: Vec<String> = Vec::new();

/// Opens a pull request that GitHub never tells of.
fn opened_in_silence(fake: &FakeGitHub, branch: &str, files: &[(&str, &str)]) -> u64 {
    fake.set_sending(Sending::Held);
    let number = opened(fake, branch, files);
    fake.set_sending(Sending::AtOnce);
    number
}

/// What changes so that a repository is in reach.
type Arrival = (&'static str, fn(&FakeGitHub), fn(&FakeGitHub) -> String);

#[tokio::test(flavor = "multi_thread")]
async fn what_was_open_before_a_repository_came_into_reach_is_reviewed() {
    let arrivals: [Arrival; 4] = [
        ("installed", |fake| drop(fake.uninstall(9)), |fake| fake.install(10, "acme", &[1])),
        ("unsuspended", |fake| drop(fake.suspend(9)), |fake| fake.unsuspend(9)),
        ("added", |fake| drop(fake.remove_from_installation(9, 1)), |fake| fake.add_to_installation(9, 1)),
        (
            "permissions accepted",
            |fake| fake.revoke_permission(9, "checks"),
            |fake| fake.accept_permissions(9),
        ),
    ];
    for (what, leave, arrive) in arrivals {
        let fake = fake();
        leave(&fake);
        let (_home, server) = served(&fake, "", &["--offline"]);
        settled(&fake, &server).await;
        let number = opened_in_silence(&fake, "topic", &[RISKY]);
        arrive(&fake);
        settled(&fake, &server).await;
        assert_eq!([wrongs(&fake, number, Lines(1)), wrong_check_runs(&fake)].concat(), NONE, "{what}");
        fake.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_repository_of_an_installation_is_looked_through_once_and_a_process_that_dies_goes_on() {
    let fake = fake();
    fake.uninstall(9);
    let repositories = [1, 12, 13];
    for id in [12, 13] {
        fake.add_repository(id, "acme", &format!("shop{id}"));
        fake.commit(id, "main", "Begin", &[("README.md", "A shop.\n")]);
    }
    let (home, server) = served(&fake, "", &["--offline"]);
    settled(&fake, &server).await;
    fake.set_sending(Sending::Held);
    let files = &[HARMLESS];
    let open = |id: u64| fake.open_pull(id, &OpenPull { files, ..OpenPull::default() });
    let numbers = repositories.map(open);
    fake.set_sending(Sending::AtOnce);
    fake.forget_calls();
    // It dies when it has read a list, before anything that follows is on disk.
    let mut pause = fake.pause(At::Next(Endpoint::Pulls), When::AfterEffect);
    fake.install(10, "acme", &repositories);
    pause.reached().await;
    server.kill();
    pause.resume();
    let server = home.serve(&["--offline"]);
    fake.deliver_to(&server.webhook);
    settled(&fake, &server).await;
    assert_eq!(fake.count(Endpoint::Reached), 1);
    for (id, number) in repositories.into_iter().zip(numbers) {
        let runs = fake.check_runs(id, &fake.head(id, number));
        let conclusions: Vec<_> = runs.iter().map(|run| run.conclusion.as_deref()).collect();
        assert_eq!(conclusions, [Some("success")], "{id}");
    }
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_changed_lately_is_looked_for_and_the_rest_at_its_next_event() {
    for (config, found) in [("", 2), ("look_back_days = 3\n", 1), ("look_back_days = 0\n", 0)] {
        let fake = fake();
        let (_home, server) = served(&fake, config, &["--offline"]);
        settled(&fake, &server).await;
        let ages = [0, 10, 40, 400];
        let stale = ages.map(|days| {
            let branch = format!("topic{days}");
            let number = opened_in_silence(&fake, &branch, &[(branch.as_str(), "1\n")]);
            fake.age_pull(1, number, days);
            number
        });
        fake.unsuspend(9);
        settled(&fake, &server).await;
        let told = |number: u64| ours(&fake, number).len();
        let expected: Vec<usize> = (0..ages.len()).map(|nth| usize::from(nth < found)).collect();
        assert_eq!(stale.map(told).to_vec(), expected, "{config:?}");
        fake.push(1, stale[3], &[HARMLESS]);
        settled(&fake, &server).await;
        assert_eq!(told(stale[3]), 1, "{config:?}");
        assert_eq!(
            stale.map(told).iter().sum::<usize>(),
            found + 1,
            "{config:?}: its review brings no others"
        );
        fake.finish();
    }
}

/// Lets all jobs have ended so many hours earlier.
async fn ended_earlier(url: &str, hours: i64) {
    sqlx::any::install_default_drivers();
    let mut database = sqlx::AnyConnection::connect(url).await.expect("it is there");
    let sql = format!("UPDATE jobs SET finished_at_ms = finished_at_ms - {}", hours * 60 * 60 * 1000);
    database.execute(sqlx::AssertSqlSafe(sql)).await.expect("the jobs can be written");
    database.close().await.expect("it closes");
}

/// What takes a repository away, and what brings it back.
type Leave = (&'static str, fn(&FakeGitHub) -> String, fn(&FakeGitHub) -> String);

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_and_runs_ends_in_silence_when_the_repository_goes_away_and_is_made_when_it_is_back() {
    let leaves: [Leave; 3] = [
        ("uninstalled", |fake| fake.uninstall(9), |fake| fake.install(10, "acme", &[1])),
        ("suspended", |fake| fake.suspend(9), |fake| fake.unsuspend(9)),
        ("removed", |fake| fake.remove_from_installation(9, 1), |fake| fake.add_to_installation(9, 1)),
    ];
    for (what, leave, come_back) in leaves {
        let fake = fake();
        // Attempts that fail would come again at once.
        let home = Home::new(&fake, "[serve]\nlease_seconds = 1\nretry_seconds = 900\nworkers = 2\n");
        let server = home.serve(&["--offline"]);
        fake.deliver_to(&server.webhook);
        settled_in(&fake, &server);
        let mut pause = fake.pause(At::Next(Endpoint::Compare), When::BeforeEffect);
        let runs = opened(&fake, "topic", &[RISKY]);
        pause.reached().await;
        fake.fail(Endpoint::Pull, Times::Once, Fault::Status(500));
        let waits = opened(&fake, "waits", &[HARMLESS]);
        server.until("it waits for another attempt", || {
            let metrics = server.get("/metrics");
            metrics.contains("outcome=\"failed\"") && metrics.contains("recuse_jobs_queued 1\n")
        });
        fake.forget_calls();
        leave(&fake);
        settled(&fake, &server).await;
        drop(pause);
        let written = [Endpoint::CreateCheckRun, Endpoint::UpdateCheckRun, Endpoint::CreateComment];
        assert_eq!(written.map(|call| fake.count(call)), [0; 3], "{what}");
        // Only whoever asks what is reached by now mints.
        assert!(fake.count(Endpoint::MintToken) <= 1, "{what}: {:?}", fake.calls());
        come_back(&fake);
        settled(&fake, &server).await;
        assert_eq!(wrongs(&fake, runs, Lines(1)), NONE, "{what}");
        assert_eq!(ours(&fake, waits).len(), 1, "{what}");
        fake.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_late_takes_nothing_away_from_an_installation_that_goes_on() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    settled(&fake, &server).await;
    fake.set_sending(Sending::Held);
    let late = [fake.suspend(9), fake.remove_from_installation(9, 1)];
    fake.unsuspend(9);
    fake.add_to_installation(9, 1);
    fake.set_sending(Sending::AtOnce);
    let mut pause = fake.pause(At::Next(Endpoint::Compare), When::BeforeEffect);
    let number = opened(&fake, "topic", &[RISKY]);
    pause.reached().await;
    fake.forget_calls();
    for guid in late {
        fake.send(&guid);
    }
    fake.deliveries_settled().await;
    server.until("what is reached was read", || fake.count(Endpoint::Reached) == 2);
    pause.resume();
    settled(&fake, &server).await;
    assert_eq!([wrongs(&fake, number, Lines(1)), wrong_check_runs(&fake)].concat(), NONE);
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_has_not_changed_costs_nothing_and_hides_nothing() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    settled(&fake, &server).await;
    let first = opened_in_silence(&fake, "topic", &[RISKY]);
    fake.unsuspend(9);
    settled(&fake, &server).await;
    assert_eq!(wrongs(&fake, first, Lines(1)), NONE);
    // What is told may change the list once more.
    fake.accept_permissions(9);
    settled(&fake, &server).await;
    fake.forget_calls();
    let before = fake.rate_remaining();
    fake.unsuspend(9);
    settled(&fake, &server).await;
    assert_eq!(
        (fake.count(Endpoint::Pulls), fake.unchanged()),
        (1, 1),
        "the list is asked for, and has not changed"
    );
    // What is reached costs two calls, and nobody minted a token for the list once more.
    assert_eq!((before - fake.rate_remaining(), fake.count(Endpoint::MintToken)), (2, 1));
    // One that nothing tells of changes the list.
    let second = opened_in_silence(&fake, "other", &[HARMLESS]);
    fake.accept_permissions(9);
    settled(&fake, &server).await;
    assert_eq!(ours(&fake, second).len(), 1);
    // A review that is given up in silence changes nothing about the list, and is made all the same.
    fake.fail(Endpoint::Pull, Times::Always, Fault::Status(404));
    let third = opened(&fake, "third", &[("shop/third.py", "1\n")]);
    settled(&fake, &server).await;
    fake.unsuspend(9);
    settled(&fake, &server).await;
    assert_eq!(ours(&fake, third).len(), 0);
    fake.heal();
    fake.forget_calls();
    fake.accept_permissions(9);
    settled(&fake, &server).await;
    assert_eq!(ours(&fake, third).len(), 1);
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_that_failed_in_silence_is_made_when_a_token_is_to_be_had_and_one_that_was_told_is_not() {
    for (call, status, is_silent) in [
        (Endpoint::MintToken, 401, true),
        (Endpoint::MintToken, 403, true),
        (Endpoint::MintToken, 404, true),
        (Endpoint::Pull, 404, true),
        (Endpoint::Compare, 500, false),
    ] {
        let fake = fake();
        let home = Home::new(&fake, SOON);
        let url = format!("sqlite:{}", home.path().join("state.db").display());
        let home = home.with("RECUSE_DATABASE_URL", &url);
        let mut server = home.serve(&["--offline"]);
        fake.deliver_to(&server.webhook);
        settled_in(&fake, &server);
        fake.fail(call, Times::Always, Fault::Status(status));
        let number = opened(&fake, "topic", &[RISKY]);
        settled(&fake, &server).await;
        let head = fake.head(1, number);
        assert_eq!(fake.check_runs(1, &head).is_empty(), is_silent, "{call:?} {status}");
        fake.heal();
        // At the next start nobody knows that it would go better by now; an hour later it is tried.
        for (hours, made) in [(0, false), (1, is_silent)] {
            server.kill();
            ended_earlier(&url, hours).await;
            fake.forget_calls();
            server = home.serve(&["--offline"]);
            fake.deliver_to(&server.webhook);
            settled_in(&fake, &server);
            settled(&fake, &server).await;
            assert_eq!(ours(&fake, number).len(), usize::from(made), "{call:?} {status} {hours}");
        }
        if is_silent {
            assert_eq!(wrongs(&fake, number, Lines(1)), NONE, "{call:?} {status}");
        }
        fake.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_repositories_are_acknowledged_at_once_and_looked_through_one_by_one() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    settled(&fake, &server).await;
    fake.fail(Endpoint::Reached, Times::Once, Fault::Status(500));
    fake.forget_calls();
    let guid = fake.tell_of_many(9, 20_000);
    settled(&fake, &server).await;
    assert_eq!(fake.times_taken(&guid), 1);
    // None of them is there, which is what GitHub is asked.
    assert_eq!((fake.count(Endpoint::Reached), fake.count(Endpoint::Pulls)), (2, 0));
    fake.finish();
}
