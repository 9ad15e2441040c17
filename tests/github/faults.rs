//! Everything that can go wrong with a call, with every call.

use std::time::Duration;

use github::app::convert_manifest;
use github::change::gather;
use github::error::ApiError;
use github::event::CommentPlace;
use github::repository::{CheckRunUpdate, CheckState, InlineComment, NewCheckRun};
use github::{App, Connection, Credential, ErrorKind, Limits, RateLimit, RepositoryApi};
use review::{CommitId, Side};

use super::{PERMISSIONS, connection, id, limits};
use crate::support::fake_github::{APP_ID, Elsewhere, Endpoint, FakeGitHub, Fault, OpenPull, Times};

/// Who can make every call once.
struct Everyone {
    connection: Connection,
    app: App,
    shop: RepositoryApi,
    /// The same, by somebody's own token.
    personal: RepositoryApi,
    head: CommitId,
    base: CommitId,
    number: u64,
    comment: u64,
    review_comment: u64,
    check_run: u64,
    delivery: u64,
    code: String,
}

impl Everyone {
    async fn of(fake: &FakeGitHub, limits: Limits) -> Self {
        let calm = connection(fake, super::limits());
        let app = App::new(calm.clone(), APP_ID, &fake.pem().into()).unwrap();
        let token = app.mint(9, 1, &PERMISSIONS).await.unwrap();
        let shop = RepositoryApi::new(calm, Credential::Installation(token.clone()), "acme", "shop");
        let number = fake.open_pull(1, &OpenPull::default());
        let pull = shop.pull(number).await.unwrap();
        let at_line = InlineComment {
            path: "apples.py".to_owned(),
            line: 1,
            side: Side::Head,
            start_line: None,
            body: "b".to_owned(),
        };
        shop.create_review(number, &pull.head, &[at_line], "r").await.unwrap();
        let delivery = fake.deliveries()[0].guid.clone();
        fake.lose(&delivery);
        let connection = connection(fake, limits);
        let app = App::new(connection.clone(), APP_ID, &fake.pem().into()).unwrap();
        let delivery = app.deliveries(None).await.unwrap().deliveries[0].id;
        let comment = shop.create_comment(number, "c").await.unwrap();
        let run = NewCheckRun {
            name: "recuse".to_owned(),
            head: pull.head.clone(),
            external_id: String::new(),
            details_url: None,
            state: CheckState::Queued,
            output: None,
            actions: Vec::new(),
        };
        let check_run = shop.create_check_run(&run).await.unwrap();
        let credential = Credential::Personal(fake.personal_token("kim").into());
        Self {
            personal: RepositoryApi::new(connection.clone(), credential, "acme", "shop"),
            shop: RepositoryApi::new(connection.clone(), Credential::Installation(token), "acme", "shop"),
            connection,
            app,
            head: pull.head,
            base: pull.base,
            number,
            comment,
            review_comment: fake.review_comments(1, number)[0].id,
            check_run,
            delivery,
            code: fake.manifest_code(),
        }
    }

    async fn call(&self, endpoint: Endpoint) -> Result<(), ApiError> {
        let Self { app, shop, head, base, number, .. } = self;
        let number = *number;
        match endpoint {
            Endpoint::App => app.describe().await.map(drop),
            Endpoint::AppHook => app.webhook_url().await.map(drop),
            Endpoint::Installations => app.installations().await.map(drop),
            Endpoint::MintToken => app.mint(9, 1, &PERMISSIONS).await.map(drop),
            Endpoint::Deliveries => app.deliveries(None).await.map(drop),
            Endpoint::Redeliver => app.redeliver(self.delivery).await,
            Endpoint::ConvertManifest => convert_manifest(&self.connection, &self.code).await.map(drop),
            Endpoint::User => self.personal.own_login().await.map(drop),
            Endpoint::Reached => app.reached(9).await.map(drop),
            Endpoint::RepositoryInstallation => app.installation_of("acme", "shop").await.map(drop),
            Endpoint::Repository => shop.repository().await.map(drop),
            Endpoint::Pulls => shop.open_pulls(None, None).await.map(drop),
            Endpoint::Pull => shop.pull(number).await.map(drop),
            Endpoint::Files => shop.files(number, head).await.map(drop),
            Endpoint::Compare => shop.compare(base, head).await.map(drop),
            Endpoint::CompareDiff => shop.diff(base, head).await.map(drop),
            Endpoint::Content => shop.content("README.md", head).await.map(drop),
            Endpoint::Permission => shop.permission("ada").await.map(drop),
            Endpoint::CheckRuns => shop.check_runs(head, None).await.map(drop),
            Endpoint::Statuses => shop.statuses(head).await.map(drop),
            Endpoint::CreateCheckRun => {
                let run = NewCheckRun {
                    name: "recuse".to_owned(),
                    head: head.clone(),
                    external_id: String::new(),
                    details_url: None,
                    state: CheckState::Queued,
                    output: None,
                    actions: Vec::new(),
                };
                shop.create_check_run(&run).await.map(drop)
            }
            Endpoint::UpdateCheckRun => {
                let update =
                    CheckRunUpdate { state: CheckState::InProgress, output: None, actions: Vec::new() };
                shop.update_check_run(self.check_run, &update).await
            }
            Endpoint::Comments => shop.comments(number).await.map(drop),
            Endpoint::CreateComment => shop.create_comment(number, "c").await.map(drop),
            Endpoint::UpdateComment => shop.update_comment(self.comment, "d").await,
            Endpoint::Reviews => shop.reviews(number).await.map(drop),
            Endpoint::CreateReview => shop.create_review(number, head, &[], "r").await.map(drop),
            Endpoint::ReactToComment => shop.react_with_eyes(CommentPlace::Issue, self.comment).await,
            Endpoint::ReactToReviewComment => {
                shop.react_with_eyes(CommentPlace::ReviewThread, self.review_comment).await
            }
            Endpoint::BranchRules | Endpoint::Branch => shop.branch_rules("main").await.map(drop),
            Endpoint::Git => unreachable!("git makes it"),
        }
    }
}

/// What a fault must come out as; none where the call succeeds all the same.
fn expected(endpoint: Endpoint, fault: Fault) -> Option<ErrorKind> {
    let limited =
        |seconds, which| ErrorKind::RateLimited { retry_after: Duration::from_secs(seconds), which };
    let message = || "The fake says no".to_owned();
    let is_read = !endpoint.is_write();
    match fault {
        Fault::ClosedBeforeEffect | Fault::ClosedAfterEffect | Fault::CutBody => Some(ErrorKind::Interrupted),
        Fault::SilentBeforeEffect | Fault::SilentAfterEffect => Some(ErrorKind::TimedOut),
        // Whoever GitHub does not know may do nothing, and what is not there has no content.
        Fault::Status(404) if matches!(endpoint, Endpoint::Permission | Endpoint::Content) => None,
        Fault::Status(401) => Some(ErrorKind::Unauthorized),
        Fault::Status(403) => Some(ErrorKind::Forbidden { message: message() }),
        Fault::Status(404) => Some(ErrorKind::NotFound),
        Fault::Status(409) => Some(ErrorKind::Conflict { message: message() }),
        Fault::Status(410) => Some(ErrorKind::Gone),
        Fault::Status(422) => Some(ErrorKind::Invalid { message: message() }),
        Fault::Status(status) | Fault::StatusAfterEffect(status) => Some(ErrorKind::Server { status }),
        Fault::PrimaryLimit { reset_in, .. } => Some(limited(reset_in + 1, RateLimit::Primary)),
        Fault::SecondaryLimit { retry_after, .. } => {
            Some(limited(retry_after.unwrap_or(60), RateLimit::Secondary))
        }
        Fault::TooLarge | Fault::Huge(_) => Some(ErrorKind::TooLarge),
        Fault::Html | Fault::CutJson => Some(ErrorKind::Unreadable { detail: String::new() }),
        Fault::Redirect { to: Elsewhere::SameHost, .. } if is_read => None,
        Fault::Redirect { .. } => Some(ErrorKind::Redirected { to: String::new() }),
    }
}

/// Compares what is not words.
fn is_same(got: &ErrorKind, expected: &ErrorKind) -> bool {
    match (got, expected) {
        (ErrorKind::Unreadable { .. }, ErrorKind::Unreadable { .. })
        | (ErrorKind::Redirected { .. }, ErrorKind::Redirected { .. }) => true,
        // The reset is told in whole seconds of a clock that goes on.
        (
            ErrorKind::RateLimited { retry_after: got, which: RateLimit::Primary },
            ErrorKind::RateLimited { retry_after: expected, which: RateLimit::Primary },
        ) => *got <= *expected && *got + Duration::from_secs(2) >= *expected,
        (got, expected) => got == expected,
    }
}

async fn check(limits: Limits, faults: &[Fault]) {
    let fake = FakeGitHub::start();
    let everyone = Everyone::of(&fake, limits).await;
    for endpoint in Endpoint::API {
        for &fault in faults {
            fake.fail(endpoint, Times::Once, fault);
            let got = everyone.call(endpoint).await;
            match (got, expected(endpoint, fault)) {
                (Ok(()), None) => {}
                (Err(error), Some(kind)) => {
                    assert!(is_same(&error.kind, &kind), "{endpoint:?} {fault:?}: {error}");
                    let shown = format!("{error} {error:?}");
                    assert!(!fake.tokens().iter().any(|token| shown.contains(token)), "{shown}");
                    assert!(!shown.contains("Bearer") && !shown.contains(&everyone.code), "{shown}");
                    let has_effect = matches!(
                        fault,
                        Fault::ClosedAfterEffect
                            | Fault::SilentAfterEffect
                            | Fault::StatusAfterEffect(_)
                            | Fault::CutJson
                    );
                    assert!(error.may_have_happened() || !has_effect, "{endpoint:?} {fault:?}: {error}");
                }
                (got, kind) => panic!("{endpoint:?} {fault:?}: {got:?}, not {kind:?}"),
            }
        }
    }
    fake.finish();
}

#[tokio::test]
async fn every_call_tells_every_status_for_what_it_is() {
    let statuses = [401, 403, 404, 409, 410, 422, 500, 502, 503];
    let faults: Vec<_> = statuses.map(Fault::Status).into_iter().chain([Fault::TooLarge]).collect();
    check(limits(), &faults).await;
}

#[tokio::test]
async fn every_call_tells_both_rate_limits_and_how_long_they_hold() {
    check(
        limits(),
        &[
            Fault::PrimaryLimit { status: 403, reset_in: 90 },
            Fault::PrimaryLimit { status: 429, reset_in: 3_000 },
            Fault::SecondaryLimit { status: 403, retry_after: Some(30) },
            Fault::SecondaryLimit { status: 429, retry_after: Some(5) },
            Fault::SecondaryLimit { status: 403, retry_after: None },
            Fault::SecondaryLimit { status: 429, retry_after: None },
        ],
    )
    .await;
}

#[tokio::test]
async fn every_call_tells_when_it_may_have_had_its_effect() {
    check(
        limits(),
        &[
            Fault::ClosedBeforeEffect,
            Fault::StatusAfterEffect(502),
            Fault::CutBody,
            Fault::Html,
            Fault::CutJson,
            Fault::ClosedAfterEffect,
        ],
    )
    .await;
}

#[tokio::test]
async fn every_call_ends_in_its_time() {
    let short = Limits { total: Duration::from_millis(60), ..limits() };
    let fake = FakeGitHub::start();
    let everyone = Everyone::of(&fake, limits()).await;
    let hurried = Everyone { connection: connection(&fake, short), ..everyone };
    let app = App::new(hurried.connection.clone(), APP_ID, &fake.pem().into()).unwrap();
    let token = hurried.app.mint(9, 1, &PERMISSIONS).await.unwrap();
    let shop =
        RepositoryApi::new(hurried.connection.clone(), Credential::Installation(token), "acme", "shop");
    let hurried = Everyone { app, shop, ..hurried };
    for endpoint in Endpoint::API {
        // These are asked for behind another call, which may take longer than this on a busy machine.
        if matches!(endpoint, Endpoint::Branch | Endpoint::Reached) {
            continue;
        }
        for fault in [Fault::SilentBeforeEffect, Fault::SilentAfterEffect] {
            fake.fail(endpoint, Times::Once, fault);
            let error = hurried.call(endpoint).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::TimedOut, "{endpoint:?}");
            assert!(error.may_have_happened() && error.is_worth_retrying());
        }
    }
    fake.finish();
}

#[tokio::test]
async fn no_call_reads_more_than_it_may() {
    check(Limits { body_bytes: 1024 * 1024, ..limits() }, &[Fault::Huge(4 * 1024 * 1024)]).await;
}

#[tokio::test]
async fn no_call_follows_a_redirect_to_another_server_and_no_write_follows_one_at_all() {
    let redirects = [301, 302, 307, 308].into_iter().flat_map(|status| {
        [Elsewhere::SameHost, Elsewhere::OtherHost].map(|to| Fault::Redirect { status, to })
    });
    check(limits(), &redirects.collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn a_redirect_in_a_circle_ends() {
    let fake = FakeGitHub::start();
    let everyone = Everyone::of(&fake, limits()).await;
    fake.forget_calls();
    fake.fail(Endpoint::Pull, Times::Always, Fault::Redirect { status: 301, to: Elsewhere::SameHost });
    let error = everyone.call(Endpoint::Pull).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Redirected { .. }), "{error}");
    assert_eq!(fake.count(Endpoint::Pull), 4);
    fake.finish();
}

#[tokio::test]
async fn without_a_connection_nothing_happened() {
    let mut fake = FakeGitHub::start();
    let everyone = Everyone::of(&fake, limits()).await;
    fake.refuse_connections().await;
    let fresh = Everyone { connection: connection(&fake, limits()), ..everyone };
    let error = convert_manifest(&fresh.connection, &fresh.code).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(!error.may_have_happened() && error.is_worth_retrying());
    fake.accept_connections();
    convert_manifest(&fresh.connection, &fresh.code).await.unwrap();
    fake.finish();
}

#[tokio::test]
async fn what_was_written_without_an_answer_is_found_again() {
    let fake = FakeGitHub::start();
    let everyone = Everyone::of(&fake, limits()).await;
    for fault in [Fault::ClosedAfterEffect, Fault::StatusAfterEffect(502), Fault::CutJson] {
        fake.fail(Endpoint::CreateComment, Times::Once, fault);
        let body = format!("{fault:?}");
        let error = everyone.shop.create_comment(everyone.number, &body).await.unwrap_err();
        assert!(error.may_have_happened(), "{error}");
        let comments = everyone.shop.comments(everyone.number).await.unwrap().items;
        let found = comments.iter().filter(|comment| comment.body == body && comment.app_id == Some(APP_ID));
        assert_eq!(found.count(), 1, "{fault:?}");
    }
    assert_eq!(everyone.head, id(&fake.head(1, everyone.number)));
    fake.finish();
}

#[tokio::test]
async fn a_diff_that_is_a_web_page_is_no_diff() {
    let fake = FakeGitHub::start();
    let everyone = Everyone::of(&fake, limits()).await;
    for fault in [Fault::Html, Fault::CutJson] {
        fake.fail(Endpoint::CompareDiff, Times::Once, fault);
        let error = everyone.shop.diff(&everyone.base, &everyone.head).await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::Unreadable { .. }), "{error}");
    }
    fake.finish();
}

#[tokio::test]
async fn a_diff_that_takes_github_too_long_is_read_by_its_files() {
    let fake = FakeGitHub::start();
    let everyone = Everyone::of(&fake, limits()).await;
    let pull = everyone.shop.pull(everyone.number).await.unwrap();
    for fault in [Fault::Status(503), Fault::TooLarge] {
        fake.forget_calls();
        fake.fail(Endpoint::CompareDiff, Times::Once, fault);
        let change = gather(&everyone.shop, &pull).await.unwrap();
        assert_eq!((change.files.len(), change.line_counts(), change.gaps.len()), (1, (2, 0), 0));
        assert_eq!(fake.count(Endpoint::Files), 1);
    }
    fake.fail(Endpoint::CompareDiff, Times::Once, Fault::ClosedBeforeEffect);
    assert_eq!(gather(&everyone.shop, &pull).await.unwrap_err().kind, ErrorKind::Interrupted);
    fake.finish();
}
