//! Kills while somebody says stop, on either database: whoever takes it up ends the check run, and answers what was done.

use super::databases::{Database, On};
use super::scenarios::Scenarios;
use super::told::wrong_check_runs;
use super::*;
use crate::support::fake_github::{At, Pause, When};

/// A review that waits for GitHub, and what it waits for.
struct Stage {
    fake: FakeGitHub,
    home: Home,
    number: u64,
    hold: Pause,
    database: Database,
}

impl Stage {
    async fn set(on: On) -> (Self, Server) {
        let fake = fake();
        let database = on.new_database().await;
        let home = Home::new(&fake, SOON).with("RECUSE_DATABASE_URL", &database.url);
        let server = home.serve(&["--offline"]);
        fake.deliver_to(&server.webhook);
        settled_in(&fake, &server);
        let mut hold = fake.pause(At::Next(Endpoint::Compare), When::BeforeEffect);
        let number = opened(&fake, "topic", &[RISKY]);
        hold.reached().await;
        fake.forget_calls();
        (Self { fake, home, number, hold, database }, server)
    }

    fn say_stop(&self) {
        self.fake.comment(1, self.number, "ada", "/recuse stop");
    }

    /// What is wrong in the end.
    async fn end(self, server: Server) -> Vec<String> {
        settled(&self.fake, &server).await;
        drop(self.hold);
        let mut wrongs = wrong_check_runs(&self.fake);
        match newest_run(&self.fake, &self.fake.head(1, self.number)) {
            Some(run) if run.output["summary"].as_str().is_some_and(|text| text.contains("said stop")) => {}
            other => wrongs.push(format!("the check run says otherwise: {other:?}")),
        }
        match ours(&self.fake, self.number).as_slice() {
            [answer] if answer.body.contains("The review of this pull request is stopped.") => {}
            other => wrongs.push(format!("the answers are {other:?}")),
        }
        self.fake.finish();
        server.kill();
        self.database.remove().await;
        wrongs
    }
}

async fn killed(on: On, nth: usize, when: When) -> Vec<String> {
    let (stage, server) = Stage::set(on).await;
    let mut pause = stage.fake.pause(At::Nth(nth), when);
    stage.say_stop();
    pause.reached().await;
    server.kill();
    pause.resume();
    // A review that goes on is held again: else it may come to its end before anybody takes up the stop.
    let _again = stage.fake.pause(At::Next(Endpoint::Compare), When::BeforeEffect);
    let server = stage.home.serve(&["--offline"]);
    stage.fake.deliver_to(&server.webhook);
    stage.end(server).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_is_killed_at_any_call_is_carried_out_and_answered_as_such() {
    killed_at_each_call(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_is_killed_at_any_call_is_carried_out_and_answered_as_such_on_postgres() {
    killed_at_each_call(On::Postgres).await;
}

async fn killed_at_each_call(on: On) {
    let (stage, server) = Stage::set(on).await;
    stage.say_stop();
    settled(&stage.fake, &server).await;
    let calls = stage.fake.calls().iter().filter(|call| call.endpoint != Some(Endpoint::Git)).count();
    assert_eq!(stage.end(server).await, Vec::<String>::new());
    let mut scenarios = Scenarios::new();
    for nth in 1..=calls {
        for when in [When::BeforeEffect, When::AfterEffect] {
            scenarios.begin(format!("{when:?} of call {nth} of {calls}"), killed(on, nth, when));
        }
    }
    scenarios.end_well().await;
}
