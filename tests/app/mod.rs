//! The GitHub App through its door: a real server, a fake GitHub that keeps state, and what a maintainer would see.

mod bases;
mod checks;
mod closing;
mod commands;
mod databases;
mod deliveries;
mod dry;
mod edits;
mod faults;
mod forks;
mod heads;
mod holds;
mod kills;
mod looks;
mod packet;
mod random_kills;
mod reach;
mod reruns;
mod rules;
mod scenarios;
mod squatters;
mod starts;
mod stops;
mod told;
mod waiting;
mod whole;

use crate::support::fake_github::{APP_ID, CheckRun, Comment, Endpoint, FakeGitHub, OpenPull};
use crate::support::server::{Home, Server};

/// Leases that run out soon and no pause before another attempt, so that a story is told in seconds.
const SOON: &str = "[serve]\nlease_seconds = 1\nretry_seconds = 0\n";

/// A change that the rules have something to say about.
const RISKY: (&str, &str) = (
    "shop/search.py",
    "def search(connection, name):\n    return connection.execute(\"SELECT * FROM goods WHERE name = '\" + name + \"'\")\n",
);

/// A change that they have nothing to say about.
const HARMLESS: (&str, &str) = ("shop/other.py", "def other():\n    return 1\n");

fn fake() -> FakeGitHub {
    FakeGitHub::start()
}

/// A server for the fake, reviewing with the rules alone unless `arguments` say otherwise.
fn served(fake: &FakeGitHub, config: &str, arguments: &[&str]) -> (Home, Server) {
    let home = Home::new(fake, &format!("{SOON}{config}"));
    let server = home.serve(arguments);
    fake.deliver_to(&server.webhook);
    (home, server)
}

fn opened(fake: &FakeGitHub, branch: &str, files: &[(&str, &str)]) -> u64 {
    fake.open_pull(1, &OpenPull { branch, files, ..OpenPull::default() })
}

/// Our check run of a pull request's head, once it has ended.
fn ended(fake: &FakeGitHub, server: &Server, number: u64) -> CheckRun {
    let head = fake.head(1, number);
    let run = || newest_run(fake, &head).filter(|run| run.status == "completed");
    server.until("the check run ended", || run().is_some());
    run().expect("it was there just now")
}

/// Our newest check run of a commit, the one that GitHub shows.
fn newest_run(fake: &FakeGitHub, head: &str) -> Option<CheckRun> {
    fake.check_runs(1, head).into_iter().filter(|run| run.app == APP_ID).max_by_key(|run| run.id)
}

/// What our app wrote in a conversation.
fn ours(fake: &FakeGitHub, number: u64) -> Vec<Comment> {
    fake.comments(1, number).into_iter().filter(|comment| comment.by_app == Some(APP_ID)).collect()
}

/// Waits until all deliveries arrived and nothing is left to do.
async fn settled(fake: &FakeGitHub, server: &Server) {
    fake.deliveries_settled().await;
    server.until("everything was done", || server.is_idle());
}

/// Waits until a server that was just started has looked for what was missed.
fn settled_in(fake: &FakeGitHub, server: &Server) {
    server.until("upkeep was done", || fake.count(Endpoint::Deliveries) > 0 && server.is_idle());
}
