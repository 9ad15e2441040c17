//! `--pr`: a pull request that is named on the command line, read from GitHub and told what was found.

use std::path::Path;

use crate::support::fake_github::{Endpoint, FakeGitHub, Fault, OpenPull, Times};
use crate::support::program::Program;

/// A change that the rules have something to say about, the interesting line outside of its hunk's context.
const RISKY: (&str, &str) = (
    "shop/search.py",
    "def search(connection, name):\n    return connection.execute(f\"select * from item where name = '{name}'\")\n",
);

fn opened(fake: &FakeGitHub) -> u64 {
    let body = "Generated with [Claude Code](https://claude.com/claude-code)";
    fake.open_pull(1, &OpenPull { author: "ada", body, files: &[RISKY], ..OpenPull::default() })
}

fn program(fake: &FakeGitHub, login: &str) -> Program {
    Program::new()
        .env("RECUSE_GITHUB_URL", &fake.api_url())
        .env("RECUSE_WRITE_INTERVAL_MS", "0")
        .env("GITHUB_TOKEN", &fake.personal_token(login))
}

/// No repository is here.
fn elsewhere() -> &'static Path {
    Path::new("/")
}

#[test]
fn a_pull_request_is_reviewed_from_afar_and_nothing_is_written() {
    let fake = FakeGitHub::start();
    let number = opened(&fake);
    let place = format!("acme/shop#{number}");
    let ran =
        program(&fake, "kim").run(elsewhere(), &["review", "--pr", &place, "--offline", "--format", "json"]);
    let packet = ran.packet();
    let subject = &packet["subject"]["source"];
    assert_eq!(
        (&subject["number"], &subject["repository"]),
        (&number.into(), &"acme/shop".into()),
        "{subject}"
    );
    assert_eq!(packet["subject"]["head"], fake.head(1, number));
    assert_eq!(packet["attribution"]["state"], "ai", "{}", packet["attribution"]);
    assert!(packet["claims"].as_array().is_some_and(|claims| claims.len() == 1), "{}", packet["claims"]);
    assert!(fake.calls().iter().any(|call| call.endpoint == Some(Endpoint::Git)), "whole files come by git");
    assert!(fake.calls().iter().all(|call| call.endpoint.is_some_and(|endpoint| !endpoint.is_write())));
    assert!(fake.comments(1, number).is_empty());
    let who = program(&fake, "kim").run(elsewhere(), &["attribute", "--pr", &place]);
    assert!(who.code == 0 && who.stdout.contains("AI: anthropic"), "{} {}", who.stdout, who.stderr);
    fake.finish();
}

#[test]
fn where_nothing_can_be_fetched_it_is_read_by_the_api_and_that_is_said() {
    let fake = FakeGitHub::start();
    let number = opened(&fake);
    fake.fail(Endpoint::Git, Times::Always, Fault::Status(503));
    let address = format!("https://github.com/acme/shop/pull/{number}");
    let ran = program(&fake, "kim")
        .run(elsewhere(), &["review", "--pr", &address, "--offline", "--format", "json"]);
    assert_eq!(ran.packet()["claims"].as_array().map(Vec::len), Some(1), "{}", ran.stdout);
    assert!(ran.stderr.contains("could not be fetched"), "{}", ran.stderr);
    fake.heal();
    fake.finish();
}

#[test]
fn it_is_told_once_by_whoever_the_token_belongs_to() {
    let fake = FakeGitHub::start();
    let number = opened(&fake);
    let place = format!("acme/shop#{number}");
    for _ in 0..2 {
        let ran = program(&fake, "kim").run(elsewhere(), &["review", "--pr", &place, "--offline", "--post"]);
        assert!(ran.stderr.contains("posted the comment"), "{}", ran.stderr);
        // Check runs are for apps; a person's token cannot make one.
        assert!(ran.stderr.contains("did not post the check run"), "{}", ran.stderr);
    }
    let comments = fake.comments(1, number);
    assert_eq!(comments.len(), 1, "{comments:?}");
    assert_eq!(comments[0].author, "kim");
    assert!(comments[0].body.contains("security/injection"), "{}", comments[0].body);
    fake.finish();
}

#[test]
fn a_required_check_is_looked_for_at_the_head() {
    let fake = FakeGitHub::start();
    let policy =
        (".recuse.toml", "[review]\nrequired_checks = [{ name = \"tests\", app = \"app-15368\" }]\n");
    fake.commit(1, "main", "Require the tests", &[policy]);
    let number = opened(&fake);
    let run = fake.add_check_run(1, &fake.head(1, number), "tests", 15_368, "");
    let place = format!("acme/shop#{number}");
    let verdict = || {
        let arguments = ["review", "--pr", &place, "--offline", "--fail-on", "never", "--format", "json"];
        program(&fake, "kim").run(elsewhere(), &arguments).packet()["verdict"].clone()
    };
    assert_eq!(verdict(), "blocked");
    fake.end_check(1, run, "success");
    assert_eq!(verdict(), "findings");
    fake.finish();
}

#[test]
fn what_was_merged_is_the_change_that_it_was() {
    let fake = FakeGitHub::start();
    let number = opened(&fake);
    fake.merge(1, number);
    fake.branch(1, "main", &fake.head(1, number));
    let place = format!("acme/shop#{number}");
    let ran =
        program(&fake, "kim").run(elsewhere(), &["review", "--pr", &place, "--offline", "--format", "json"]);
    assert_eq!(ran.packet()["claims"].as_array().map(Vec::len), Some(1), "{}", ran.stdout);
    fake.finish();
}

#[test]
fn what_a_description_declares_is_worth_what_its_author_may() {
    let fake = FakeGitHub::start();
    let attribution = |author: &str, branch: &str| {
        let body = "Sells apples.\n\n> Written-by: human\n\nWritten-by: gpt-5.5\nWritten-by: Ada Lovelace\n";
        let message = "Sell apples\n\nMade-with: Cursor";
        let pull = OpenPull { author, branch, body, message, files: &[RISKY], ..OpenPull::default() };
        let place = format!("acme/shop#{}", fake.open_pull(1, &pull));
        let ran = program(&fake, "kim").run(elsewhere(), &["attribute", "--pr", &place, "--format", "json"]);
        let told: serde_json::Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
        (told["families"].clone(), told["unknown_agent"].clone(), told["human_declared"].clone())
    };
    let openai = || serde_json::json!(["openai"]);
    assert_eq!(attribution("ada", "topic"), (openai(), false.into(), false.into()));
    // Whoever may not write to the repository lowers nothing by a line in a description.
    assert_eq!(attribution("mallory", "other"), (openai(), true.into(), false.into()));
    fake.finish();
}

#[test]
fn what_cannot_be_read_is_one_line() {
    let fake = FakeGitHub::start();
    let here = || Program::new().env("RECUSE_GITHUB_URL", &fake.api_url());
    let cases = [
        (here(), "acme/shop#1", "GITHUB_TOKEN"),
        (program(&fake, "kim"), "acme/shop#4711", "knows nothing there"),
        (program(&fake, "kim"), "acme", "OWNER/REPO#NUMBER"),
    ];
    for (program, place, word) in cases {
        let ran = program.run(elsewhere(), &["review", "--pr", place, "--offline"]);
        assert_eq!(ran.code, 2, "{place}: {}", ran.stderr);
        assert!(ran.stderr.contains(word), "{place}: {}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
    let ran = program(&fake, "kim").run(elsewhere(), &["review", "--post"]);
    assert!(ran.code == 2 && ran.stderr.contains("--pr"), "{}", ran.stderr);
    fake.finish();
}
