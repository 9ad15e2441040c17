//! Deliveries of the fake, received as the service receives them; git and pauses, for those who test with them.

use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use github::Event;
use github::event::{PullRequestAction, parse};
use github::webhook::{Rejected, Secrets};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::{PERMISSIONS, app, shop};
use crate::support::fake_github::{
    At, Endpoint, FakeGitHub, Fault, OpenPull, Sending, Times, WEBHOOK_SECRET, When,
};

/// What came in: guid and event.
type Inbox = Arc<Mutex<Vec<(String, Event)>>>;

/// Takes deliveries as the service does: the signature first.
async fn receiver(fake: &FakeGitHub) -> Inbox {
    async fn take(State(inbox): State<Inbox>, headers: HeaderMap, body: Bytes) -> StatusCode {
        let secrets = Secrets::new(&WEBHOOK_SECRET.into(), None).unwrap();
        let signature = headers.get("x-hub-signature-256").map(|value| value.as_bytes());
        if secrets.verify(signature, &body).is_err() {
            return StatusCode::UNAUTHORIZED;
        }
        let name = headers["x-github-event"].to_str().unwrap();
        let guid = headers["x-github-delivery"].to_str().unwrap().to_owned();
        inbox.lock().unwrap().push((guid, parse(name, &body)));
        StatusCode::ACCEPTED
    }
    let inbox = Inbox::default();
    let router = Router::new().fallback(take).with_state(inbox.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    fake.deliver_to(&format!("http://{}/webhook", listener.local_addr().unwrap()));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    inbox
}

#[tokio::test]
async fn every_act_is_told_signed_and_can_be_read() {
    let fake = FakeGitHub::start();
    let inbox = receiver(&fake).await;
    let number = fake.open_pull(1, &OpenPull { is_draft: true, ..OpenPull::default() });
    let head = fake.push(1, number, &[("apples.py", "more\n")]);
    fake.edit(1, number, Some("Sell pears"), None);
    fake.ready(1, number);
    fake.label(1, number, "skip");
    fake.unlabel(1, number, "skip");
    let comment = fake.comment(1, number, "ada", "/recuse review");
    fake.delete_comment(1, comment);
    let check = fake.add_check_run(1, &head, "recuse", 77, "job-1");
    fake.rerequest_check(1, check);
    fake.press(1, check, "again");
    fake.rerequest_suite(1, &head);
    fake.enqueue(1, number);
    fake.push_branch(1, "main", &[(".recuse.toml", "")]);
    fake.close(1, number);
    fake.reopen(1, number);
    fake.merge(1, number);
    fake.suspend(9);
    fake.unsuspend(9);
    fake.uninstall(9);
    fake.deliveries_settled().await;
    let taken = inbox.lock().unwrap();
    let ignored: Vec<_> = taken.iter().filter(|(_, event)| matches!(event, Event::Ignored { .. })).collect();
    assert!(ignored.is_empty(), "{ignored:?}");
    assert_eq!(taken.len(), fake.deliveries().len());
    let edits = taken.iter().filter_map(|(_, event)| match event {
        Event::PullRequest(event) if event.action == PullRequestAction::Edited => Some(event.changed),
        _ => None,
    });
    assert_eq!(edits.map(|changed| (changed.title, changed.body)).collect::<Vec<_>>(), [(true, false)]);
    drop(taken);
    fake.finish();
}

#[tokio::test]
async fn deliveries_can_be_late_twice_out_of_order_or_lost_and_asked_for_again() {
    let fake = FakeGitHub::start();
    let inbox = receiver(&fake).await;
    fake.set_sending(Sending::Held);
    let number = fake.open_pull(1, &OpenPull::default());
    fake.push(1, number, &[("apples.py", "more\n")]);
    fake.close(1, number);
    let guids: Vec<_> = fake.deliveries().into_iter().map(|delivery| delivery.guid).collect();
    let [opened, pushed, closed] = &guids[..] else { panic!("{guids:?}") };
    for guid in [closed, opened, opened] {
        fake.send(guid);
        fake.deliveries_settled().await;
    }
    fake.lose(pushed);
    let seen = |inbox: &Inbox| inbox.lock().unwrap().iter().map(|(guid, _)| guid.clone()).collect::<Vec<_>>();
    assert_eq!(seen(&inbox), [closed, opened, opened].map(String::clone));
    let app = app(&fake);
    let page = app.deliveries(None).await.unwrap();
    assert_eq!((page.deliveries.len(), page.next.as_deref()), (4, None));
    let lost: Vec<_> = page.deliveries.iter().filter(|delivery| delivery.status != "OK").collect();
    assert_eq!((lost.len(), &lost[0].guid, lost[0].status_code), (1, pushed, 0));
    assert_eq!((lost[0].event.as_str(), lost[0].action.as_deref()), ("pull_request", Some("synchronize")));
    assert_eq!((lost[0].installation_id, lost[0].repository_id), (Some(9), Some(1)));
    app.redeliver(lost[0].id).await.unwrap();
    fake.deliveries_settled().await;
    assert_eq!(seen(&inbox).last(), Some(pushed));
    assert_eq!((fake.times_taken(pushed), fake.times_taken(opened)), (1, 2));
    let newest = app.deliveries(None).await.unwrap().deliveries.remove(0);
    assert!(newest.is_redelivery && newest.guid == *pushed && newest.status == "OK");
    fake.finish();
}

#[tokio::test]
async fn the_log_of_deliveries_is_read_by_cursor() {
    let fake = FakeGitHub::start();
    let number = fake.open_pull(1, &OpenPull::default());
    let guids: Vec<_> = (0..230).map(|index| fake.label(1, number, &format!("label-{index}"))).collect();
    guids.iter().for_each(|guid| fake.lose(guid));
    let app = app(&fake);
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page = app.deliveries(cursor.as_deref()).await.unwrap();
        seen.extend(page.deliveries.into_iter().map(|delivery| delivery.guid));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    seen.reverse();
    assert_eq!(seen, guids);
    assert_eq!(fake.count(Endpoint::Deliveries), 3);
    fake.finish();
}

#[tokio::test]
async fn what_was_changed_on_the_way_is_refused() {
    let fake = FakeGitHub::start();
    fake.set_sending(Sending::Held);
    fake.open_pull(1, &OpenPull::default());
    let body = fake.deliveries()[0].body.clone();
    let secrets = Secrets::new(&WEBHOOK_SECRET.into(), None).unwrap();
    let signature = secrets.sign(&body);
    assert_eq!(secrets.verify(Some(signature.as_bytes()), &body), Ok(()));
    let mut other = body.clone();
    other.push(b' ');
    assert_eq!(secrets.verify(Some(signature.as_bytes()), &other), Err(Rejected::Forged));
    assert_eq!(secrets.verify(Some(signature.as_bytes()), &body[1..]), Err(Rejected::Forged));
    fake.finish();
}

#[tokio::test]
async fn git_fetches_with_a_token_from_its_environment_and_with_no_other() {
    let fake = FakeGitHub::start();
    let number = fake.open_pull(1, &OpenPull::default());
    let token = app(&fake).mint(9, 1, &PERMISSIONS).await.unwrap();
    let folder = TempDir::new().unwrap();
    let fetch = |secret: &str, reference: &str| {
        use base64::Engine as _;
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("x-access-token:{secret}"));
        let base = github::ApiUrl::parse(&fake.api_url(), github::PlainHttp::LoopbackOnly).unwrap();
        let url = base.clone_url("acme", "shop").unwrap();
        let output = Command::new("git")
            .current_dir(folder.path())
            .args(["-c", "init.defaultBranch=main", "fetch", "-q", "--depth=1", url.as_str(), reference])
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "http.extraHeader")
            .env("GIT_CONFIG_VALUE_0", format!("Authorization: Basic {basic}"))
            .output()
            .unwrap();
        output.status.success()
    };
    assert!(Command::new("git").current_dir(folder.path()).args(["init", "-q"]).status().unwrap().success());
    assert!(fetch(token.secret.expose_secret(), &format!("refs/pull/{number}/head")));
    assert!(fetch(token.secret.expose_secret(), &fake.head(1, number)));
    assert!(!fetch("ghs_wrong", "main"));
    assert!(fake.count(Endpoint::Git) >= 4);
    fake.finish();
}

#[tokio::test]
async fn a_call_can_be_held_before_and_after_its_effect() {
    let fake = FakeGitHub::start();
    let number = fake.open_pull(1, &OpenPull::default());
    let shop = shop(&fake).await;
    for (when, made) in [(When::BeforeEffect, 0), (When::AfterEffect, 2)] {
        let mut pause = fake.pause(At::Next(Endpoint::CreateComment), when);
        let writing = tokio::spawn({
            let shop = shop.clone();
            async move { shop.create_comment(number, "Hello").await }
        });
        pause.reached().await;
        assert_eq!(fake.comments(1, number).len(), made);
        pause.resume();
        writing.await.unwrap().unwrap();
    }
    fake.finish();
}

#[tokio::test]
async fn the_fake_remembers_what_must_never_be_sent() {
    let fake = FakeGitHub::start();
    let number = fake.open_pull(1, &OpenPull::default());
    let token = fake.personal_token("ada");
    let client = reqwest::Client::builder().no_proxy().user_agent("recuse/0").build().unwrap();
    let send = |method: reqwest::Method, path: String, body: &'static str| {
        let request = client.request(method, format!("{}{path}", fake.api_url())).bearer_auth(&token);
        let request = request.header("accept", "application/vnd.github+json");
        request.header("x-github-api-version", "2022-11-28").body(body).send()
    };
    let merge =
        send(reqwest::Method::PUT, format!("/repos/acme/shop/pulls/{number}/merge"), "{}").await.unwrap();
    assert_eq!(merge.status(), 404);
    let reviews = format!("/repos/acme/shop/pulls/{number}/reviews");
    let approve = send(reqwest::Method::POST, reviews, r#"{"event": "APPROVE"}"#).await.unwrap();
    assert_eq!(approve.status(), 422);
    let bare = client.get(format!("{}/app", fake.api_url())).send().await.unwrap();
    assert_eq!(bare.status(), 401);
    assert_eq!(
        fake.take_violations(),
        [
            "PUT /repos/acme/shop/pulls/1/merge is off the list",
            "a review with the event \"APPROVE\" was sent",
            "GET /app names the API's version \"\"",
            "GET /app accepts \"*/*\"",
            "a call came without a credential",
        ]
    );
    fake.fail(Endpoint::App, Times::Once, Fault::Html);
    app(&fake).describe().await.unwrap_err();
    fake.finish();
}
