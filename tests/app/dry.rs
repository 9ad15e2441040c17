//! A dry run writes nothing, says what it would have written, and leaves nothing that a live run would take for its own.

use super::told::{Lines, wrong_check_runs, wrongs};
use super::*;

/// The calls that changed something, but for those that make a token.
fn writes(fake: &FakeGitHub) -> Vec<Endpoint> {
    let is_ours = |endpoint: &Endpoint| endpoint.is_write() && *endpoint != Endpoint::MintToken;
    Endpoint::API.into_iter().filter(is_ours).filter(|endpoint| fake.count(*endpoint) > 0).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_writes_nothing_and_says_what_it_would_have_written() {
    let fake = fake();
    let (home, server) = served(&fake, "", &["--offline", "--dry-run"]);
    let known = opened(&fake, "known", &[RISKY]);
    settled(&fake, &server).await;
    fake.comment(1, known, "ada", "/recuse help");
    settled(&fake, &server).await;
    let said = server.said();
    let head = fake.head(1, known);
    for line in [
        format!("dry run: acme/shop#{known}: check run of {}: in progress: being reviewed", &head[..12]),
        format!("dry run: acme/shop#{known}: check run of {}: success: findings", &head[..12]),
        format!("dry run: acme/shop#{known}: comment: **findings**"),
        format!("dry run: acme/shop#{known}: comment at shop/search.py:2"),
        format!("dry run: acme/shop#{known}: eyes on comment "),
        format!("dry run: acme/shop#{known}: answer to comment "),
    ] {
        assert!(said.contains(&line), "{line}\n{said}");
    }
    server.kill();
    // One whose delivery is lost: asking for it again is a write, too.
    let lost = opened(&fake, "lost", &[HARMLESS]);
    fake.deliveries_settled().await;
    let server = home.serve(&["--offline", "--dry-run"]);
    fake.deliver_to(&server.webhook);
    let line = format!("dry run: acme/shop#{lost}: check run of {}: success", &fake.head(1, lost)[..12]);
    server.until("the lost one was found", || server.said().contains(&line));
    settled(&fake, &server).await;
    assert_eq!(writes(&fake), []);
    server.kill();
    // The same database, live: what nobody was told of was not reviewed.
    let server = home.serve(&["--offline"]);
    fake.deliver_to(&server.webhook);
    fake.close(1, known);
    fake.reopen(1, known);
    settled(&fake, &server).await;
    assert_eq!([wrongs(&fake, known, Lines(1)), wrong_check_runs(&fake)].concat(), Vec::<String>::new());
    fake.finish();
}
