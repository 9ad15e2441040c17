//! Deliveries at the door: forged, huge, slow, nasty, late, twice, lost; and a database that is away.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use github::webhook::Secrets;
use sqlx::{Connection as _, Executor as _};
use tokio::task::block_in_place;

use super::told::{Lines, wrong_check_runs, wrongs};
use super::*;
use crate::support::fake_github::{Delivery, Sending, WEBHOOK_SECRET};

fn signature(body: &[u8]) -> String {
    Secrets::new(&WEBHOOK_SECRET.into(), None).expect("it is not empty").sign(body)
}

/// A request as GitHub sends it, but for these headers.
fn request(headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!(
        "POST /webhook HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    [text.as_bytes(), b"\r\n", body].concat()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

/// Sends a delivery once more, under this id.
fn replayed(server: &Server, delivery: &Delivery, guid: &str) -> String {
    let signature = signature(&delivery.body);
    let headers = [
        ("x-github-event", delivery.event.as_str()),
        ("x-github-delivery", guid),
        ("x-hub-signature-256", &signature),
    ];
    server.send(&request(&headers, &delivery.body))
}

/// What is wrong with a delivery, the headers that make it so, and what is answered.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

const NONE: Vec<String> = Vec::new();

#[tokio::test(flavor = "multi_thread")]
async fn replays_and_late_deliveries_make_one_packet() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    fake.set_sending(Sending::Held);
    let number = opened(&fake, "topic", &[RISKY]);
    fake.push(1, number, &[HARMLESS]);
    let deliveries = fake.deliveries();
    // The newest first, each twenty times, under its own id and under new ones.
    for (nth, delivery) in deliveries.iter().rev().enumerate() {
        for replay in 0..20 {
            let guid = if replay % 2 == 0 { delivery.guid.clone() } else { format!("replay-{nth}-{replay}") };
            assert!(matches!(status(&replayed(&server, delivery, &guid)), "200" | "202"));
        }
        settled(&fake, &server).await;
    }
    assert_eq!([wrongs(&fake, number, Lines(1)), wrong_check_runs(&fake)].concat(), NONE);
    assert_eq!(fake.all_check_runs(1).len(), 1, "{:?}", fake.all_check_runs(1));
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_signed_by_the_secret_is_refused() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    fake.set_sending(Sending::Held);
    opened(&fake, "topic", &[RISKY]);
    let Delivery { guid, event, body, .. } = fake.deliveries()[0].clone();
    let right = signature(&body);
    let other = Secrets::new(&"another secret".into(), None).expect("it is not empty").sign(&body);
    let flipped = right.replace(['a', 'b'], "c");
    let named = [("x-github-event", event.as_str()), ("x-github-delivery", guid.as_str())];
    let table: [Row; 9] = [
        ("unsigned", &[], "401"),
        ("forged", &[("x-hub-signature-256", &other)], "401"),
        ("flipped", &[("x-hub-signature-256", &flipped)], "401"),
        ("sha1 only", &[("x-hub-signature", "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59")], "401"),
        (
            "sha1 in its place",
            &[("x-hub-signature-256", "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59")],
            "401",
        ),
        ("empty", &[("x-hub-signature-256", "")], "401"),
        ("twice", &[("x-hub-signature-256", &right), ("x-hub-signature-256", &other)], "401"),
        ("two events", &[("x-hub-signature-256", &right), ("x-github-event", "ping")], "400"),
        ("two ids", &[("x-hub-signature-256", &right), ("x-github-delivery", "another")], "400"),
    ];
    for (name, headers, expected) in table {
        let answer = server.send(&request(&[&named, headers].concat(), &body));
        assert_eq!(status(&answer), expected, "{name}: {answer}");
    }
    let long = "x".repeat(101);
    let headers = [named[0], ("x-github-delivery", long.as_str()), ("x-hub-signature-256", &right)];
    assert_eq!(status(&server.send(&request(&headers, &body))), "400");
    for only in named {
        let headers = [only, ("x-hub-signature-256", right.as_str())];
        assert_eq!(status(&server.send(&request(&headers, &body))), "400");
    }
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn nasty_json_that_is_signed_is_acknowledged_and_nothing_else() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    settled_in(&fake, &server);
    let deep = "[".repeat(100_000);
    let nasty: [&[u8]; 16] = [
        b"",
        b" ",
        b"null",
        b"[]",
        b"{",
        b"{\"action\":",
        b"{\"action\":\"opened\",\"action\":\"closed\"}",
        b"{\"action\":1e999999}",
        b"{\"number\":-1,\"pull_request\":{\"number\":18446744073709551616}}",
        b"{\"action\":\"\\ud800\"}",
        b"{\"action\":\"\xff\xfe\"}",
        b"{\"a\":\"\x00\"}",
        b"\xef\xbb\xbf{}",
        b"{} trailing",
        b"NaN",
        deep.as_bytes(),
    ];
    for body in nasty {
        for event in
            ["pull_request", "issue_comment", "check_run", "merge_group", "installation", "push", "star"]
        {
            let signature = signature(body);
            let headers =
                [("x-github-event", event), ("x-github-delivery", "x"), ("x-hub-signature-256", &signature)];
            let answer = server.send(&request(&headers, body));
            assert_eq!(status(&answer), "200", "{event}: {answer}");
        }
    }
    assert!(server.is_idle());
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn huge_and_slow_requests_end_and_keep_nobody_out() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let huge = vec![b' '; 26 * 1024 * 1024];
    let signature = signature(&huge);
    let headers =
        [("x-github-event", "push"), ("x-github-delivery", "x"), ("x-hub-signature-256", &signature)];
    let answer = server.send(&request(&headers, &huge));
    assert!(matches!(status(&answer), "413" | "none"), "{answer}");
    let connected = |sent: &str| {
        let mut stream = TcpStream::connect(server.address()).expect("it listens");
        stream.write_all(sent.as_bytes()).expect("written");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        stream
    };
    // These promise more than there is room for, and send a byte.
    let head = format!("POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n ", 24 * 1024 * 1024);
    let slow: Vec<TcpStream> = (0..20).map(|_| connected(&head)).collect();
    // And these never come to the end of their headers.
    let endless: Vec<TcpStream> =
        (0..20).map(|_| connected("POST /webhook HTTP/1.1\r\nhost: x\r\nx-oak: ")).collect();
    let number = opened(&fake, "topic", &[RISKY]);
    settled(&fake, &server).await;
    assert_eq!(wrongs(&fake, number, Lines(1)), NONE);
    let begun = Instant::now();
    for (streams, expected) in [(slow, "408"), (endless, "none")] {
        for mut stream in streams {
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).expect("it is hung up");
            assert_eq!(status(&String::from_utf8_lossy(&answer)), expected);
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(60));
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_lost_while_the_server_was_down_comes_again() {
    let fake = fake();
    let (home, server) = served(&fake, "", &["--offline"]);
    let known = opened(&fake, "known", &[("shop/known.py", RISKY.1)]);
    settled(&fake, &server).await;
    server.kill();
    let number = opened(&fake, "topic", &[RISKY]);
    fake.deliveries_settled().await;
    let asked = fake.comment(1, known, "ada", "/recuse help");
    fake.deliveries_settled().await;
    let server = home.serve(&["--offline"]);
    fake.deliver_to(&server.webhook);
    server.until("the lost pull request was found", || ours(&fake, number).len() == 1);
    settled(&fake, &server).await;
    assert_eq!([wrongs(&fake, number, Lines(1)), wrong_check_runs(&fake)].concat(), NONE);
    let body = |id: u64| {
        ours(&fake, known).into_iter().filter(move |comment| comment.body.contains(&format!("answer-{id} ")))
    };
    assert_eq!(body(asked).count(), 1);
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_database_nothing_is_acknowledged() {
    let fake = fake();
    let home = Home::new(&fake, SOON);
    let file = home.path().join("state.db");
    let home = home.with("RECUSE_DATABASE_URL", &format!("sqlite:{}", file.display()));
    let server = home.serve(&["--offline"]);
    settled_in(&fake, &server);
    fake.set_sending(Sending::Held);
    let number = opened(&fake, "topic", &[RISKY]);
    let delivery = fake.deliveries()[0].clone();
    // Another process holds the database and does not let go.
    sqlx::any::install_default_drivers();
    let other = sqlx::AnyConnection::connect(&format!("sqlite://{}", file.display())).await;
    let mut other = other.expect("it is there");
    other.execute("BEGIN IMMEDIATE").await.expect("nobody else writes");
    let answer = block_in_place(|| replayed(&server, &delivery, &delivery.guid));
    assert_eq!(status(&answer), "503", "{answer}");
    other.execute("ROLLBACK").await.expect("it was begun");
    server.until("it is taken now", || {
        matches!(status(&replayed(&server, &delivery, &delivery.guid)), "200" | "202")
    });
    server.until("it was told", || ours(&fake, number).len() == 1);
    settled(&fake, &server).await;
    assert_eq!(wrongs(&fake, number, Lines(1)), NONE);
    fake.finish();
}
