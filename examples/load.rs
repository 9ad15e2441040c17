//! How much `recuse serve` takes, and how fast it tells: signed deliveries acknowledged per second, also while 40 changes are being
//! reviewed, memory idle and with queued jobs, and the time from a delivery to the last write at 30 ms for each call of GitHub's API.
//!
//! `cargo run --release --example load -- RECUSE [DATABASE_URL DATABASE_URL]`: the program, and two empty databases (SQLite by
//! default). Client and fake GitHub run on the same machine and take their share of its cores.

#![allow(clippy::print_stdout, reason = "it prints figures")]
#![allow(dead_code, unused_imports, reason = "it uses a part of the tests' fake")]

#[path = "../tests/support/fake_github/mod.rs"]
mod fake_github;

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fake_github::{APP_ID, Endpoint, FakeGitHub, Fault, OpenPull, Times, WEBHOOK_SECRET};
use github::webhook::Secrets;
use serde_json::json;

/// How large GitHub's deliveries about pull requests are.
const BODY_BYTES: usize = 24 * 1024;
const DELIVERIES: usize = 10_000;
const CONNECTIONS: usize = 64;
/// How many changes are reviewed at once beside the deliveries.
const REVIEWS: usize = 40;

struct Server {
    child: Child,
    webhook: String,
}

impl Server {
    fn start(program: &Path, home: &Path, fake: &FakeGitHub, database: Option<&str>) -> Self {
        let mut command = Command::new(program);
        command
            .args(["serve", "--offline", "--quiet"])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").expect("a PATH"))
            .env("HOME", home)
            .env("RECUSE_GITHUB_URL", fake.api_url())
            .env("RECUSE_LISTEN", "127.0.0.1:0")
            .env("RECUSE_WRITE_INTERVAL_MS", "0")
            .env("RECUSE_APP_ID", APP_ID.to_string())
            .env("RECUSE_APP_PRIVATE_KEY", fake.pem())
            .env("RECUSE_WEBHOOK_SECRET", WEBHOOK_SECRET)
            .envs(database.map(|url| ("RECUSE_DATABASE_URL", url)))
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program runs");
        let mut lines =
            BufReader::new(child.stderr.take().expect("it is piped")).lines().map_while(Result::ok);
        let url = lines
            .find_map(|line| {
                line.split_whitespace().find(|word| word.starts_with("http://127")).map(str::to_owned)
            })
            .expect("it listens");
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, webhook: url.trim_end_matches(';').to_owned() }
    }

    /// Its resident memory, in MiB.
    fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("Linux");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it is told");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).expect("a number") / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A delivery of another pull request each, one that was just opened or whose title was edited: its id, its signature and its
/// body.
fn deliveries(count: usize, action: &str, secrets: &Secrets) -> VecDeque<(String, String, Vec<u8>)> {
    let account = json!({"id": 1, "login": "ada", "type": "User"});
    let repository = json!({"id": 1, "name": "shop", "full_name": "acme/shop", "owner": account, "private": false,
        "default_branch": "main"});
    let body = |number: usize| {
        let side = |sha: String| json!({"sha": sha, "ref": "topic", "repo": {"id": 1}});
        let pull = json!({"number": number, "state": "open", "draft": false, "merged": false, "labels": [],
            "user": account, "head": side(format!("{number:040x}")), "base": side("b".repeat(40))});
        let mut all = json!({"action": action, "number": number, "pull_request": pull, "repository": repository,
            "changes": {"title": {"from": "Sell"}}, "sender": account, "installation": {"id": 9}});
        let length = all.to_string().len();
        all["pad"] = json!("x".repeat(BODY_BYTES - length - 9));
        all.to_string().into_bytes()
    };
    let one = |number: usize| {
        let body = body(number);
        (format!("load-{action}-{number}"), secrets.sign(&body), body)
    };
    // Other numbers than those of the pull requests that there are.
    (10_000..10_000 + count).map(one).collect()
}

/// Opens pull requests until the end, so that so many reviews are under way, and takes the time of the deliveries meanwhile.
fn beside_reviews(server: &Server, fake: &FakeGitHub, runtime: &tokio::runtime::Runtime, secrets: &Secrets) {
    fake.deliver_to(&server.webhook);
    // As long as a review by models takes, most of it is waiting.
    fake.set_delay(Duration::from_millis(500));
    let open = |from: usize| {
        for index in from..from + REVIEWS {
            let (branch, file) = (format!("beside-{index}"), format!("shop/pears_{index}.py"));
            let files = [(file.as_str(), "def price():\n    return 1\n")];
            fake.open_pull(1, &OpenPull { branch: &branch, files: &files, ..OpenPull::default() });
        }
    };
    let under_way = || fake.all_check_runs(1).iter().filter(|run| run.status == "in_progress").count();
    (0..3).for_each(|round| open(round * REVIEWS));
    while under_way() < REVIEWS {
        std::thread::sleep(Duration::from_millis(20));
    }
    let (times, seconds) = runtime.block_on(send(&server.webhook, deliveries(DELIVERIES, "edited", secrets)));
    println!("beside {REVIEWS} reviews ({} under way at the end), {}", under_way(), spread(&times, seconds));
    println!("memory: {:.1} MiB", server.memory());
}

/// Sends all of them, and gives how long each took, in milliseconds, sorted, and how long all took, in seconds.
async fn send(webhook: &str, all: VecDeque<(String, String, Vec<u8>)>) -> (Vec<f64>, f64) {
    let client =
        reqwest::Client::builder().no_proxy().pool_max_idle_per_host(CONNECTIONS).build().expect("a client");
    let queue = Arc::new(Mutex::new(all));
    let begin = Instant::now();
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (client, queue, webhook) = (client.clone(), queue.clone(), webhook.to_owned());
        senders.spawn(async move {
            let mut times = Vec::new();
            loop {
                let next = queue.lock().expect("nobody panics while holding it").pop_front();
                let Some((id, signature, body)) = next else { return times };
                let begin = Instant::now();
                let request = client.post(&webhook).header("x-github-event", "pull_request");
                let request =
                    request.header("x-github-delivery", id).header("x-hub-signature-256", signature);
                let status = request.body(body).send().await.expect("an answer").status();
                assert_eq!(status, 202, "it is on disk");
                times.push(begin.elapsed().as_secs_f64() * 1_000.0);
            }
        });
    }
    let mut times: Vec<f64> = senders.join_all().await.concat();
    times.sort_by(f64::total_cmp);
    (times, begin.elapsed().as_secs_f64())
}

fn spread(times: &[f64], seconds: f64) -> String {
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    format!(
        "{} deliveries of 24 KiB over {CONNECTIONS} connections: {:.0} a second, p50 {:.1} ms, p99 {:.1} ms, worst {:.1} ms",
        times.len(),
        times.len() as f64 / seconds,
        at(0.5),
        at(0.99),
        at(1.0)
    )
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let program = arguments.next().expect("name the program");
    let (database, second) = (arguments.next(), arguments.next());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let load = || std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned();
    println!("load of the machine: {}", load());
    let home = tempfile::tempdir().expect("a folder");
    let fake = FakeGitHub::start();
    let secrets = Secrets::new(&WEBHOOK_SECRET.into(), None).expect("it is not empty");

    // The time from a delivery to the last write, before the database has anything else.
    let server = Server::start(Path::new(&program), home.path(), &fake, database.as_deref());
    println!("idle: {:.1} MiB", server.memory());
    fake.deliver_to(&server.webhook);
    fake.set_delay(Duration::from_millis(30));
    let mut times = Vec::new();
    for index in 0..11 {
        let (branch, file) = (format!("topic-{index}"), format!("shop/apples_{index}.py"));
        let files = [(file.as_str(), "def price():\n    return 1\n")];
        fake.commit(1, &branch, "Sell apples", &files);
        fake.forget_calls();
        let begin = Instant::now();
        let number = fake.open_pull(1, &OpenPull { branch: &branch, files: &[], ..OpenPull::default() });
        let head = fake.head(1, number);
        while !fake.check_runs(1, &head).iter().any(|run| run.status == "completed") {
            std::thread::sleep(Duration::from_millis(2));
        }
        times.push(begin.elapsed().as_secs_f64() * 1_000.0);
        if index == 10 {
            println!(
                "calls of the API of one review: {}",
                fake.calls().iter().filter(|call| call.endpoint != Some(Endpoint::Git)).count()
            );
        }
    }
    times.remove(0);
    times.sort_by(f64::total_cmp);
    println!(
        "from the delivery to the last write, 30 ms a call: median {:.0} ms, worst of ten {:.0} ms",
        times[5], times[9]
    );
    fake.set_delay(Duration::ZERO);

    // Workers wait for a token that never comes, so that what is measured is what is received.
    fake.fail(Endpoint::MintToken, Times::Always, Fault::SilentBeforeEffect);
    let mut all = deliveries(DELIVERIES, "opened", &secrets);
    let rest = all.split_off(1_000);
    runtime.block_on(send(&server.webhook, all));
    println!("with 1,000 queued jobs: {:.1} MiB", server.memory());
    let (times, seconds) = runtime.block_on(send(&server.webhook, rest));
    println!("with nothing to review, {}", spread(&times, seconds));
    println!("with {DELIVERIES} queued jobs: {:.1} MiB", server.memory());
    drop(server);
    fake.heal();

    // Another database, so that nothing of the above waits for its turn.
    let home = tempfile::tempdir().expect("a folder");
    let config = home.path().join(".config/recuse/config.toml");
    std::fs::create_dir_all(config.parent().expect("it is in a folder")).expect("a folder");
    let text = format!("[serve]\nworkers = {REVIEWS}\nper_repository = {REVIEWS}\n");
    std::fs::write(config, text).expect("written");
    let server = Server::start(Path::new(&program), home.path(), &fake, second.as_deref());
    beside_reviews(&server, &fake, &runtime, &secrets);
    println!("load of the machine: {}", load());
    drop(server);
    fake.finish();
}
