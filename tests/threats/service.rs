//! What strangers can send to the server and put beside its posts: forged and repeated deliveries, squatted comments,
//! machines that talk to each other.

use github::webhook::Secrets;
use reqwest::StatusCode;

use crate::support::fake_github::{APP_ID, APP_SLUG, Endpoint, FakeGitHub, OpenPull, WEBHOOK_SECRET};
use crate::support::server::{Home, Server};

fn served(fake: &FakeGitHub) -> (Home, Server) {
    let home = Home::new(fake, "[serve]\nlease_seconds = 1\nretry_seconds = 1\n");
    let server = home.serve(&["--offline"]);
    fake.deliver_to(&server.webhook);
    (home, server)
}

fn reviewed(fake: &FakeGitHub, server: &Server, number: u64) {
    server.until("the review ended", || {
        let head = fake.head(1, number);
        fake.check_runs(1, &head).iter().any(|run| run.status == "completed")
    });
}

/// Waits until everything that was sent so far has been worked off: a pull request that came later was reviewed.
fn caught_up(fake: &FakeGitHub, server: &Server, branch: &str) {
    let number = fake.open_pull(1, &OpenPull { branch, ..OpenPull::default() });
    reviewed(fake, server, number);
}

async fn send(server: &Server, event: &str, id: &str, signature: Option<&str>, body: &[u8]) -> StatusCode {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let request =
        client.post(&server.webhook).header("x-github-event", event).header("x-github-delivery", id);
    let request = match signature {
        Some(signature) => request.header("x-hub-signature-256", signature),
        None => request,
    };
    request.body(body.to_vec()).send().await.expect("an answer").status()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forged_is_refused_before_it_is_read_and_starts_nothing() {
    let fake = FakeGitHub::start();
    let (_home, server) = served(&fake);
    let number = fake.open_pull(1, &OpenPull::default());
    reviewed(&fake, &server, number);
    let body =
        fake.deliveries().into_iter().find(|one| one.event == "pull_request").expect("it was told").body;
    let sign = |secret: &str, body: &[u8]| Secrets::new(&secret.into(), None).expect("a secret").sign(body);
    let good = sign(WEBHOOK_SECRET, &body);
    let forged = [
        None,
        Some(String::new()),
        Some("sha256=".to_owned()),
        Some(sign("another secret", &body)),
        Some(sign(WEBHOOK_SECRET, b"another body")),
        Some(good.replace("sha256=", "sha1=")),
        Some(good.to_uppercase()),
        Some(format!("{good}00")),
    ];
    for (index, signature) in forged.iter().enumerate() {
        let status =
            send(&server, "pull_request", &format!("forged-{index}"), signature.as_deref(), &body).await;
        assert!(status.is_client_error(), "{signature:?}: {status}");
    }
    fake.forget_calls();
    caught_up(&fake, &server, "later");
    let runs = fake.check_runs(1, &fake.head(1, number));
    assert_eq!(runs.len(), 1, "nothing was reviewed again");
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_replayed_with_any_id_is_one_review() {
    let fake = FakeGitHub::start();
    let (_home, server) = served(&fake);
    let number = fake.open_pull(1, &OpenPull::default());
    reviewed(&fake, &server, number);
    let delivery =
        fake.deliveries().into_iter().find(|one| one.event == "pull_request").expect("it was told");
    let signature = Secrets::new(&WEBHOOK_SECRET.into(), None).expect("a secret").sign(&delivery.body);
    for index in 0..50 {
        let id = if index % 2 == 0 { delivery.guid.clone() } else { format!("another-{index}") };
        let status = send(&server, &delivery.event, &id, Some(&signature), &delivery.body).await;
        assert_eq!(status, StatusCode::OK, "there is nothing to do");
    }
    caught_up(&fake, &server, "later");
    assert_eq!(fake.check_runs(1, &fake.head(1, number)).len(), 1);
    assert_eq!(fake.comments(1, number).len(), 1);
    fake.finish();
}

#[test]
fn comments_that_others_squat_are_left_alone_and_ours_is_written() {
    let fake = FakeGitHub::start();
    let (home, server) = served(&fake);
    // Our own text, mark and all, as somebody copies it from another pull request, and from this one.
    let first = fake.open_pull(1, &OpenPull { branch: "first", ..OpenPull::default() });
    reviewed(&fake, &server, first);
    server.until("it was told", || fake.comments(1, first).len() == 1);
    let copied = fake.comments(1, first)[0].body.clone();
    server.kill();
    let second = fake.open_pull(1, &OpenPull { branch: "second", ..OpenPull::default() });
    let look_alike = format!("{APP_SLUG}-bot");
    for squatter in ["mallory", &look_alike] {
        fake.comment(1, second, squatter, &copied);
    }
    fake.comment_by_app(1, second, "other[bot]", APP_ID + 1, &copied);
    // Even in our own name a mark of another pull request is not this one's.
    let misplaced = fake.comment_by_app(1, second, &format!("{APP_SLUG}[bot]"), APP_ID, &copied);
    let server = home.serve(&["--offline"]);
    fake.deliver_to(&server.webhook);
    fake.push(1, second, &[("b.py", "b = 1\n")]);
    reviewed(&fake, &server, second);
    server.until("it was told", || fake.comments(1, second).len() == 5);
    let comments = fake.comments(1, second);
    for comment in comments.iter().filter(|comment| comment.by_app != Some(APP_ID) || comment.id == misplaced)
    {
        assert_eq!(comment.body, copied, "it is {}'s", comment.author);
        assert!(comment.former_bodies.is_empty());
    }
    let ours = comments.last().expect("five");
    assert_eq!(ours.by_app, Some(APP_ID));
    assert_ne!(ours.body, copied);
    fake.finish();
}

#[test]
fn what_strangers_and_we_ourselves_say_starts_nothing() {
    let fake = FakeGitHub::start();
    let (_home, server) = served(&fake);
    let number = fake.open_pull(1, &OpenPull::default());
    reviewed(&fake, &server, number);
    server.until("it was told", || fake.comments(1, number).len() == 1);
    for said in ["/recuse review", "/recuse stop", "/recuse help", "/recuse @mallory"] {
        fake.comment(1, number, "mallory", said);
    }
    server.until("access was asked for", || fake.count(Endpoint::Permission) == 4);
    caught_up(&fake, &server, "last");
    assert_eq!(fake.comments(1, number).iter().filter(|comment| comment.by_app == Some(APP_ID)).count(), 1);
    assert_eq!(fake.check_runs(1, &fake.head(1, number)).len(), 1);
    assert!(fake.comments(1, number).iter().all(|comment| comment.reactions.is_empty()), "nor eyes");
    fake.finish();
}

#[test]
fn without_a_secret_nothing_starts() {
    use crate::support::program::Program;
    let folder = tempfile::tempdir().expect("a folder");
    for secret in [None, Some(""), Some(" ")] {
        let mut program = Program::new()
            .env("RECUSE_APP_ID", "1")
            .env("RECUSE_APP_PRIVATE_KEY", "none")
            .env("RECUSE_LISTEN", "127.0.0.1:0");
        if let Some(secret) = secret {
            program = program.env("RECUSE_WEBHOOK_SECRET", secret);
        }
        let ran = program.run(folder.path(), &["serve", "--offline"]);
        assert_ne!(ran.code, 0, "{secret:?}");
        assert!(!ran.stderr.contains("receiving deliveries"), "{secret:?}: {}", ran.stderr);
    }
}
