//! A GitHub to try recuse out with: the fake of the tests, kept running. It says what to set, sends signed deliveries, and
//! prints what recuse tells it. Each line on its standard input opens a pull request, whose description it is; the rules find
//! something in it, but for the line `clean`. The end of the input is the end.
//!
//! `cargo run --example fake_github -- [--webhook URL] [--delay-ms N] [--key FILE] [--runner FOLDER]`
//!
//! With `--runner` it also does for `recuse ci` what GitHub's runner does for a step: it says what to set, and writes the event of
//! each pull request that is opened to FOLDER/event.json.

#![allow(clippy::print_stdout, reason = "it talks to a person")]

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

#[allow(unused_imports, reason = "it is the tests' fake, of which this uses a part")]
#[path = "../tests/support/fake_github/mod.rs"]
mod fake_github;

use fake_github::{APP_ID, FakeGitHub, OpenPull, WEBHOOK_SECRET};

/// What the pull requests bring: something that the rules have an opinion about.
const SEARCH: &str = "def search(connection, name):\n    return connection.execute(\"SELECT * FROM goods WHERE name = '\" + name + \"'\")\n";

/// What a pull request brings in which the rules find nothing.
const PRICE: &str = "def price(weight):\n    return 2 * weight\n";

/// The line that asks for one.
const CLEAN: &str = "clean";

fn main() {
    let mut flags = BTreeMap::new();
    let mut arguments = std::env::args().skip(1);
    while let (Some(flag), Some(value)) = (arguments.next(), arguments.next()) {
        flags.insert(flag, value);
    }
    let fake = FakeGitHub::start();
    let webhook = flags.get("--webhook").map_or("http://127.0.0.1:8080/webhook", String::as_str);
    fake.deliver_to(webhook);
    if let Some(delay) = flags.get("--delay-ms") {
        fake.set_delay(Duration::from_millis(delay.parse().expect("--delay-ms is a number")));
    }
    println!("export RECUSE_GITHUB_URL={}", fake.api_url());
    if let Some(file) = flags.get("--key") {
        std::fs::write(file, fake.pem()).expect("the key can be written");
        println!("export RECUSE_APP_ID={APP_ID}");
        let file = std::path::absolute(file).expect("a written file has a path");
        println!("export RECUSE_APP_PRIVATE_KEY_FILE={}", file.display());
        println!("export RECUSE_WEBHOOK_SECRET={WEBHOOK_SECRET}");
    }
    if let Some(folder) = flags.get("--runner") {
        let may = [("contents", "read"), ("pull_requests", "write"), ("checks", "write")];
        println!("export GITHUB_ACTIONS=true GITHUB_EVENT_NAME=pull_request GITHUB_REPOSITORY=acme/shop");
        println!("export GITHUB_API_URL={} GITHUB_TOKEN={}", fake.api_url(), fake.workflow_token(&may));
        println!("export GITHUB_EVENT_PATH={folder}/event.json GITHUB_OUTPUT={folder}/output");
        println!("export GITHUB_STEP_SUMMARY={folder}/summary.md RUNNER_TEMP={folder}");
    }
    println!("# acme/shop is repository 1 of installation 9; deliveries go to {webhook}");
    println!(
        "# press Enter to open a pull request; what you type before is its description, `{CLEAN}` has nothing to find"
    );
    let (said, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            // Nobody waits for lines any more once the fake has ended.
            let _ = said.send(line);
        }
    });
    let mut told = BTreeMap::new();
    let mut opened = Vec::new();
    loop {
        match lines.recv_timeout(Duration::from_millis(100)) {
            Ok(line) => {
                let branch = &format!("topic-{}", opened.len());
                let (what, text) = if line == CLEAN { ("price", PRICE) } else { ("search", SEARCH) };
                let files = [(&*format!("shop/{what}_{}.py", opened.len()), text)];
                let pull = OpenPull { branch, body: &line, files: &files, ..OpenPull::default() };
                let number = fake.open_pull(1, &pull);
                println!("# pull request {number}, head {}", fake.head(1, number));
                if let Some(folder) = flags.get("--runner") {
                    // A workflow's run is told what the webhook is told.
                    let told = fake.deliveries().into_iter().rfind(|told| told.event == "pull_request");
                    let event = told.expect("it was told that it was opened").body;
                    std::fs::write(format!("{folder}/event.json"), event).expect("the event can be written");
                }
                opened.push(number);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        for &number in &opened {
            let news = fake
                .comments(1, number)
                .into_iter()
                .map(|comment| (format!("comment {}", comment.id), comment.body))
                .chain(fake.check_runs(1, &fake.head(1, number)).into_iter().map(|run| {
                    let conclusion = run.conclusion.unwrap_or_default();
                    (
                        format!("check {} ({})", run.name, run.id),
                        format!("{} {conclusion}: {}", run.status, run.output["title"]),
                    )
                }));
            for (what, text) in news {
                let key = (number, what);
                if told.get(&key) != Some(&text) {
                    println!("── pull request {number}, {}\n{text}", key.1);
                    told.insert(key, text);
                }
            }
        }
    }
    fake.finish();
}
