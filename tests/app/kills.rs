//! Kills: the process dies before and after each call that a review makes, and is started again, on either database. In
//! the end everything was told once, and at most one answer of a model was paid for twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::{AnyConnection, Connection as _};
use store::Scope;

use super::databases::{Database, Ledger, On, Questions, billed};
use super::scenarios::Scenarios;
use super::told::{Lines, wrong_check_runs, wrongs};
use super::*;
use crate::support::fake_github::{At, When};
use crate::support::fake_models::{Behaviour, FakeModels};

/// What one review may cost, in micro-USD: room for all that it asks at once to be cut off by a kill, since what nobody
/// knows the price of is counted at the most it may have been, and to be asked again.
const CAP: u64 = 120_000;

/// A world in which a review asks a model.
struct Stage {
    fake: FakeGitHub,
    models: FakeModels,
    home: Home,
    database: Database,
}

impl Stage {
    async fn set(on: On) -> Self {
        let fake = fake();
        let models = FakeModels::start().await;
        models.always("oak", nothing_found());
        let config = format!(
            "{SOON}[review]\nreviewers_per_lens = 1\nmax_usd = {cap}\nmax_usd_per_repository_day = {cap}\n[[model]]\nname = \"local/oak\"\nbase_url = \"{}\"\n\
             families = [\"qwen\"]\ninput_usd = 1.0\noutput_usd = 1.0\n",
            models.base_url(),
            cap = CAP as f64 / 1e6
        );
        let database = on.new_database().await;
        let home = Home::new(&fake, &config).with("RECUSE_DATABASE_URL", &database.url);
        Self { fake, models, home, database }
    }

    fn serve(&self) -> Server {
        self.fake.forget_calls();
        let server = self.home.serve(&[]);
        self.fake.deliver_to(&server.webhook);
        settled_in(&self.fake, &server);
        server
    }

    fn open(&self) -> u64 {
        self.fake.open_pull(
            1,
            &OpenPull {
                body: "Generated with [Claude Code](https://claude.com/claude-code)",
                files: &[RISKY],
                ..OpenPull::default()
            },
        )
    }

    /// What is wrong in the end, given how many answers a review needs and how many may be paid for beyond that.
    async fn end(self, server: Server, number: u64, needed: usize, more: usize) -> Vec<String> {
        settled(&self.fake, &server).await;
        let mut wrongs = [wrongs(&self.fake, number, Lines(1)), wrong_check_runs(&self.fake)].concat();
        let paid = self.models.requests().len();
        if paid > needed + more {
            wrongs.push(format!("{paid} answers were paid for, {needed} were needed"));
        }
        server.kill();
        let ledger = Ledger::read(&self.database.url).await;
        let asked = Questions { answered: paid, refused: 0 };
        wrongs.extend(ledger.wrongs(&[(Scope::Change, CAP), (Scope::Repository, CAP)], asked));
        self.database.remove().await;
        self.models.finish();
        self.fake.finish();
        wrongs
    }
}

fn nothing_found() -> Behaviour {
    let answer = json!({ "examined": ["all that was shown"], "findings": [], "questions": [] });
    billed(Behaviour::Answer(answer))
}

/// How many calls a review makes of GitHub and of the model when nothing happens.
async fn calls_of_a_quiet_review(on: On) -> (usize, usize) {
    let stage = Stage::set(on).await;
    let server = stage.serve();
    stage.fake.forget_calls();
    let number = stage.open();
    settled(&stage.fake, &server).await;
    let of_github = stage.fake.calls().iter().filter(|call| call.endpoint != Some(Endpoint::Git)).count();
    let of_models = stage.models.requests().len();
    assert_eq!(stage.end(server, number, of_models, 0).await, Vec::<String>::new());
    (of_github, of_models)
}

/// The process dies at the nth call of GitHub.
async fn killed_at_github(on: On, nth: usize, when: When, needed: usize) -> Vec<String> {
    let stage = Stage::set(on).await;
    let server = stage.serve();
    let mut pause = stage.fake.pause(At::Nth(nth), when);
    let number = stage.open();
    pause.reached().await;
    server.kill();
    pause.resume();
    let server = stage.serve();
    stage.end(server, number, needed, 0).await
}

/// The process dies while it waits for the nth answer of a model.
async fn killed_at_model(on: On, nth: usize, needed: usize) -> Vec<String> {
    let stage = Stage::set(on).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    stage.models.answers_with("oak", move |_| {
        if counted.fetch_add(1, Ordering::SeqCst) + 1 == nth { Behaviour::Stall } else { nothing_found() }
    });
    let server = stage.serve();
    let number = stage.open();
    server.until("the model was asked", || asked.load(Ordering::SeqCst) >= nth);
    server.kill();
    let server = stage.serve();
    // The one that nobody waited for; those that were asked at the same time may have been answered into the void too.
    stage.end(server, number, needed, needed.min(4)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_and_after_each_call_it_tells_everything_once() {
    killed_at_each_call(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_and_after_each_call_it_tells_everything_once_on_postgres() {
    killed_at_each_call(On::Postgres).await;
}

async fn killed_at_each_call(on: On) {
    let (of_github, of_models) = calls_of_a_quiet_review(on).await;
    assert!(of_github >= 9 && of_models >= 1, "{of_github} calls of GitHub, {of_models} of models");
    let mut scenarios = Scenarios::new();
    for nth in 1..=of_github {
        for when in [When::BeforeEffect, When::AfterEffect] {
            let name = format!("{when:?} of call {nth} of GitHub");
            scenarios.begin(name, killed_at_github(on, nth, when, of_models));
        }
    }
    for nth in 1..=of_models {
        scenarios.begin(format!("at answer {nth} of a model"), killed_at_model(on, nth, of_models));
    }
    scenarios.end_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_asked_to_end_gives_its_review_back_at_once() {
    let stage = Stage::set(On::Sqlite).await;
    let server = stage.serve();
    let mut pause = stage.fake.pause(At::Next(Endpoint::Compare), When::BeforeEffect);
    let number = stage.open();
    pause.reached().await;
    assert!(tokio::task::block_in_place(|| server.terminate()).success());
    drop(pause);
    let server = stage.serve();
    let run = ended(&stage.fake, &server, number);
    assert_eq!(run.history.len(), 2, "the same check run goes on: {:?}", run.history);
    let needed = stage.models.requests().len();
    assert_eq!(stage.end(server, number, needed, 0).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_at_a_line_by_a_process_that_died_is_not_told_again_of_the_next_head() {
    for when in [When::BeforeEffect, When::AfterEffect] {
        let fake = fake();
        let (home, server) = served(&fake, "", &["--offline"]);
        settled_in(&fake, &server);
        let mut pause = fake.pause(At::Next(Endpoint::CreateReview), when);
        let number = opened(&fake, "topic", &[RISKY]);
        pause.reached().await;
        server.kill();
        pause.resume();
        fake.push(1, number, &[HARMLESS]);
        let server = home.serve(&["--offline"]);
        fake.deliver_to(&server.webhook);
        settled_in(&fake, &server);
        settled(&fake, &server).await;
        let wrongs = [wrongs(&fake, number, Lines(1)), wrong_check_runs(&fake)].concat();
        assert_eq!(wrongs, Vec::<String>::new(), "{when:?}");
        fake.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn upkeep_that_was_killed_is_done_by_the_next_process_at_once() {
    let fake = fake();
    let home = Home::new(&fake, SOON);
    let mut pause = fake.pause(At::Next(Endpoint::Deliveries), When::BeforeEffect);
    let server = home.serve(&["--offline"]);
    pause.reached().await;
    server.kill();
    pause.resume();
    fake.forget_calls();
    let server = home.serve(&["--offline"]);
    settled_in(&fake, &server);
    fake.finish();
}

/// Waits until somebody means to write comments at lines and has not written them.
async fn until_lines_are_meant(url: &str) {
    sqlx::any::install_default_drivers();
    let mut database = AnyConnection::connect(url).await.expect("it is there");
    let meant = "SELECT 1 FROM posts WHERE kind = 'inline' AND remote_id IS NULL";
    let patience = Instant::now() + Duration::from_secs(60);
    while sqlx::query(meant).fetch_optional(&mut database).await.expect("it can be read").is_none() {
        assert!(Instant::now() < patience, "nobody meant to write at lines");
        tokio::task::yield_now().await;
    }
    database.close().await.expect("it closes");
}

/// PostgreSQL alone: a process that stands still in a transaction of SQLite's holds up all others, and there is no other one.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stood_still_writes_nothing_that_another_one_has_written_since() {
    let fake = fake();
    let database = On::Postgres.new_database().await;
    // Between two writes there are seconds in which a process can stand still: it means to write and has not written.
    let home = Home::new(&fake, SOON)
        .with("RECUSE_DATABASE_URL", &database.url)
        .with("RECUSE_WRITE_INTERVAL_MS", "3000");
    let still = home.serve(&["--offline"]);
    fake.deliver_to(&still.webhook);
    settled_in(&fake, &still);
    let number = opened(&fake, "topic", &[RISKY]);
    until_lines_are_meant(&database.url).await;
    still.signal("STOP");
    assert_eq!(fake.review_comments(1, number).len(), 0, "it stands still before it wrote");
    let other = home.serve(&["--offline"]);
    fake.deliver_to(&other.webhook);
    ended(&fake, &other, number);
    settled(&fake, &other).await;
    assert_eq!(fake.review_comments(1, number).len(), 1);
    still.signal("CONT");
    // Right before the write, by a sign of life that nobody took, or because its transaction was ended.
    still.until("it gave up", || {
        still.said().contains("the job failed") || still.get("/metrics").contains("\"lost\"")
    });
    assert_eq!([wrongs(&fake, number, Lines(1)), wrong_check_runs(&fake)].concat(), Vec::<String>::new());
    fake.finish();
    still.kill();
    other.kill();
    database.remove().await;
}
