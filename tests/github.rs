//! The client of GitHub against the fake.

#![allow(clippy::unwrap_used, reason = "a test fails where something is not what it must be")]

mod app;
mod deliveries;
mod faults;
mod reading;
mod writing;

use std::time::Duration;

use github::app::Permission;
use github::{ApiUrl, App, Connection, Credential, Limits, PlainHttp, RepositoryApi};
use review::CommitId;

use crate::support::fake_github::{APP_ID, FakeGitHub};

/// All that a job may be given.
const PERMISSIONS: [Permission; 6] = [
    Permission::MetadataRead,
    Permission::ContentsRead,
    Permission::PullRequestsWrite,
    Permission::IssuesWrite,
    Permission::ChecksWrite,
    Permission::StatusesRead,
];

/// No pause between writes.
fn limits() -> Limits {
    Limits { write_interval: Duration::ZERO, ..Limits::default() }
}

fn connection(fake: &FakeGitHub, limits: Limits) -> Connection {
    let base = ApiUrl::parse(&fake.api_url(), PlainHttp::LoopbackOnly).expect("an address");
    Connection::new(base, limits).expect("a client")
}

fn app(fake: &FakeGitHub) -> App {
    App::new(connection(fake, limits()), APP_ID, &fake.pem().into()).expect("a key")
}

/// The repository `acme/shop` with all permissions of a job.
async fn shop(fake: &FakeGitHub) -> RepositoryApi {
    shop_within(fake, limits()).await
}

async fn shop_within(fake: &FakeGitHub, limits: Limits) -> RepositoryApi {
    let token = app(fake).mint(9, 1, &PERMISSIONS).await.expect("a token");
    RepositoryApi::new(connection(fake, limits), Credential::Installation(token), "acme", "shop")
}

fn id(commit: &str) -> CommitId {
    CommitId::new(commit).expect("a commit's id")
}
