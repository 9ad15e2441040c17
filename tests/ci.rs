//! `recuse ci` as a step of a workflow meets it: every event, fork and same repository, what the token may, with a key and
//! without, and what nobody may make the runner do.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::fake_github::{FakeGitHub, OpenPull};
use crate::support::fake_models::{Behaviour, FakeModels};
use crate::support::program::{Program, Ran};
use crate::support::repository::TestRepository;

/// What a runner gives a step: files, and an environment.
struct Runner {
    folder: TempDir,
}

impl Runner {
    fn new() -> Self {
        Self { folder: TempDir::new().expect("a folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// A program in the environment of a step of GitHub Actions.
    fn github(&self, event: &str, payload: &Value, commit: &str) -> Program {
        std::fs::write(self.path("event.json"), payload.to_string()).expect("written");
        let path = |name: &str| self.path(name).to_str().expect("UTF-8").to_owned();
        Program::new()
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_EVENT_NAME", event)
            .env("GITHUB_EVENT_PATH", &path("event.json"))
            .env("GITHUB_REPOSITORY", "acme/shop")
            .env("GITHUB_SHA", commit)
            .env("GITHUB_STEP_SUMMARY", &path("summary"))
            .env("GITHUB_OUTPUT", &path("outputs"))
            .env("RUNNER_TEMP", &path(""))
    }

    /// The outputs, as the runner reads them.
    fn outputs(&self) -> Vec<(String, String)> {
        let text = self.read("outputs");
        let mut lines = text.lines();
        let mut outputs = Vec::new();
        while let Some(line) = lines.next() {
            let (name, word) = line.split_once("<<").expect("a name and a word");
            let value: Vec<&str> = lines.by_ref().take_while(|line| *line != word).collect();
            outputs.push((name.to_owned(), value.join("\n")));
        }
        outputs
    }

    fn output(&self, name: &str) -> String {
        self.outputs().into_iter().find(|(known, _)| known == name).expect("the output").1
    }
}

/// The commands that a runner takes from what a step printed, by both of its grammars: `::name …::text` at the start of a
/// line, and `##[name]text` anywhere in one. While commands are stopped, only the word to go on is one.
fn commands(printed: &str) -> Vec<String> {
    let mut stopped: Option<String> = None;
    let mut taken = Vec::new();
    for line in printed.split(['\n', '\r']) {
        let new = line.trim_start().strip_prefix("::").and_then(|rest| rest.split_once("::"));
        let old = line.find("##[").and_then(|start| line[start + 3..].split_once(']'));
        let Some((name, data)) = new.or(old) else { continue };
        match &stopped {
            Some(word) if name == word => stopped = None,
            Some(_) => {}
            None if name == "stop-commands" => stopped = Some(data.to_owned()),
            None => taken.push(line.to_owned()),
        }
    }
    assert_eq!(stopped, None, "commands are still stopped at the end");
    taken
}

fn payload(fake: &FakeGitHub, number: u64, fork: Option<u64>) -> Value {
    let (head, base) = (fake.head(1, number), fake.resolve(1, "refs/heads/main"));
    json!({ "action": "opened", "repository": { "id": 1, "default_branch": "main" }, "pull_request": {
        "number": number, "title": "Sell apples", "body": "Apples are good.", "labels": [],
        "user": { "login": "ada", "id": 5 },
        "head": { "ref": "topic", "sha": head, "repo": { "id": fork.unwrap_or(1) } },
        "base": { "ref": "main", "sha": base, "repo": { "id": 1 } },
    }})
}

/// What a run knows of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    None,
    TwoFamilies,
    Offline,
}

/// What a run's token may.
const RIGHTS: [(&str, &[(&str, &str)]); 4] = [
    ("all", &[("contents", "read"), ("pull_requests", "write"), ("checks", "write")]),
    ("comments", &[("contents", "read"), ("pull_requests", "write"), ("checks", "read")]),
    ("checks", &[("contents", "read"), ("pull_requests", "read"), ("checks", "write")]),
    ("reading", &[("contents", "read"), ("pull_requests", "read"), ("checks", "read")]),
];

/// Every cell of one event and one origin: rights of the token × what is known of models, without a checkout.
async fn cells(event: &'static str, fork: Option<u64>) {
    let models = FakeModels::start().await;
    let nothing = json!({ "examined": ["apples.py: all of it"], "findings": [], "questions": [] });
    models.always("oak", Behaviour::Answer(nothing.clone()));
    models.always("elm", Behaviour::Answer(nothing));
    let model = |name: &str, family: &str| {
        let url = models.base_url();
        format!("[[model]]\nname = \"local/{name}\"\nbase_url = \"{url}\"\nfamilies = [\"{family}\"]\n")
    };
    let config = [model("oak", "openai"), model("elm", "qwen")].concat();
    let checked = tokio::task::spawn_blocking(move || {
        let fake = FakeGitHub::start();
        for (index, (rights, permissions)) in RIGHTS.into_iter().enumerate() {
            for key in [Key::None, Key::TwoFamilies, Key::Offline] {
                let branch = format!("topic-{index}-{key:?}");
                let number = fake.open_pull(
                    1,
                    &OpenPull { branch: &branch, message: &branch, fork, ..OpenPull::default() },
                );
                let token = fake.workflow_token(permissions);
                let cell = format!("{event}, fork {fork:?}, {rights}, {key:?}");
                check_cell(&fake, &cell, event, number, fork, &token, (rights, key, &config));
            }
        }
        fake.finish();
    });
    checked.await.expect("every cell holds");
    models.finish();
}

fn check_cell(
    fake: &FakeGitHub,
    cell: &str,
    event: &str,
    number: u64,
    fork: Option<u64>,
    token: &str,
    (rights, key, config): (&str, Key, &str),
) {
    let runner = Runner::new();
    let base = fake.resolve(1, "refs/heads/main");
    let mut program = runner
        .github(event, &payload(fake, number, fork), &base)
        .env("GITHUB_API_URL", &fake.api_url())
        .env("GITHUB_TOKEN", token);
    if key == Key::TwoFamilies {
        program = program.config(config);
    }
    let empty = TempDir::new().expect("a folder");
    let arguments: &[&str] = if key == Key::Offline { &["ci", "--offline"] } else { &["ci"] };
    let ran = program.run(empty.path(), arguments);
    let printed = format!("{}{}", ran.stdout, ran.stderr);

    // The verdict does not depend on what may be told of it.
    let (code, verdict) = match key {
        Key::None => (3, "inconclusive"),
        Key::TwoFamilies | Key::Offline => (0, "clean"),
    };
    assert_eq!(ran.code, code, "{cell}: {printed}");
    assert_eq!(runner.output("verdict"), verdict, "{cell}");
    assert_eq!(runner.output("claims"), "0", "{cell}");
    assert_eq!(runner.output("cost-usd"), "0.000000", "{cell}");
    let packet = std::fs::read_to_string(runner.output("packet")).expect("the packet's file");
    let packet: Value = serde_json::from_str(&packet).expect("JSON");
    assert_eq!(
        (&packet["verdict"], &packet["subject"]["head"]),
        (&json!(verdict), &json!(fake.head(1, number)))
    );
    let sarif: Value = serde_json::from_str(&runner.read("recuse/recuse.sarif")).expect("SARIF");
    assert_eq!(sarif["runs"][0]["properties"]["verdict"], verdict, "{cell}");
    assert!(runner.read("summary").contains(verdict), "{cell}");
    match key {
        Key::None => assert!(printed.contains("OPENAI_API_KEY"), "{cell}: {printed}"),
        Key::Offline => assert!(printed.contains("rules only"), "{cell}: {printed}"),
        Key::TwoFamilies => {}
    }
    assert_eq!(
        printed.contains("no model was asked. This change is from a fork"),
        fork.is_some() && key == Key::None,
        "{cell}: {printed}"
    );
    assert!(!printed.contains(token), "{cell}");
    assert_eq!(commands(&printed), Vec::<String>::new(), "{cell}");

    // What is posted is what the token may, and what is not is said.
    let comments = fake.comments(1, number);
    let checks = fake.check_runs(1, &fake.head(1, number));
    let may = |thing: &str| rights == "all" || rights == thing;
    assert_eq!(comments.len(), usize::from(may("comments")), "{cell}");
    assert_eq!(checks.len(), usize::from(may("checks")), "{cell}");
    for comment in &comments {
        assert!(
            comment.body.contains(verdict) && comment.body.contains("unsigned"),
            "{cell}: {}",
            comment.body
        );
    }
    for check in &checks {
        let conclusion = if key == Key::None { "action_required" } else { "success" };
        assert_eq!(
            (check.name.as_str(), check.conclusion.as_deref()),
            ("recuse", Some(conclusion)),
            "{cell}"
        );
    }
    for (thing, what, permission) in
        [("comments", "the comment", "pull-requests: write"), ("checks", "the check run", "checks: write")]
    {
        let line =
            printed.lines().find(|line| line.contains(what) && line.contains("post")).unwrap_or_default();
        match may(thing) {
            true => assert_eq!(line, format!("posted {what}"), "{cell}: {printed}"),
            false => {
                assert!(line.starts_with("did not post") && line.contains(permission), "{cell}: {printed}")
            }
        }
    }
}

#[tokio::test]
async fn every_cell_of_a_pull_request_of_the_same_repository() {
    cells("pull_request", None).await;
}

#[tokio::test]
async fn every_cell_of_a_pull_request_of_a_fork() {
    cells("pull_request", Some(2)).await;
}

#[tokio::test]
async fn every_cell_of_a_privileged_run_for_the_same_repository() {
    cells("pull_request_target", None).await;
}

#[tokio::test]
async fn every_cell_of_a_privileged_run_for_a_fork() {
    cells("pull_request_target", Some(2)).await;
}

fn changed() -> TestRepository {
    let repository = TestRepository::with_main(&[("a.py", "def a():\n    return 1\n")]);
    repository.commit("Change a", &[("a.py", "def a():\n    return 2\n")]);
    repository
}

fn local_payload(repository: &TestRepository, fork: Option<u64>) -> Value {
    let id = |name: &str| repository.git(&["rev-parse", name]).trim().to_owned();
    json!({ "repository": { "id": 1, "default_branch": "main" }, "pull_request": {
        "number": 1, "title": "Change a", "body": null, "labels": [], "user": { "login": "ada", "id": 5 },
        "head": { "ref": "topic", "sha": id("topic"), "repo": { "id": fork.unwrap_or(1) } },
        "base": { "ref": "main", "sha": id("main"), "repo": { "id": 1 } },
    }})
}

#[test]
fn without_a_token_a_checkout_is_reviewed_and_nothing_is_posted() {
    let repository = changed();
    for (fork, arguments, code) in [(None, &["ci", "--offline"][..], 0), (Some(2), &["ci"], 3)] {
        let runner = Runner::new();
        let base = repository.git(&["rev-parse", "main"]);
        let ran = runner
            .github("pull_request", &local_payload(&repository, fork), base.trim())
            .run(repository.path(), arguments);
        assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("nothing was posted: GITHUB_TOKEN is not set"), "{}", ran.stderr);
        let packet: Value = serde_json::from_str(&runner.read("recuse/packet.json")).expect("a packet");
        assert_eq!(packet["subject"]["source"]["number"], 1, "{}", packet["subject"]);
    }
}

#[test]
fn neither_a_checkout_nor_a_token_says_what_helps() {
    let runner = Runner::new();
    let empty = TempDir::new().expect("a folder");
    let ran = runner.github("pull_request", &local_payload(&changed(), None), "x").run(empty.path(), &["ci"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("with GITHUB_TOKEN set, no checkout is needed"), "{}", ran.stderr);
    assert_eq!(runner.read("outputs"), "");
}

#[test]
fn a_forks_checkout_in_a_privileged_run_is_refused_before_anything_else() {
    let repository = changed();
    let id = |name: &str| repository.git(&["rev-parse", name]).trim().to_owned();
    let run = json!({
        "workflow_run": { "head_sha": id("topic"), "head_repository": { "id": 2 } },
        "repository": { "id": 1, "default_branch": "main" },
    });
    for (event, payload) in
        [("pull_request_target", local_payload(&repository, Some(2))), ("workflow_run", run)]
    {
        let runner = Runner::new();
        let program = runner.github(event, &payload, &id("main"));
        let ran = program.run(repository.path(), &["ci", "--offline"]);
        assert_eq!(ran.code, 2, "{event}: {}", ran.stdout);
        assert!(ran.stderr.contains("will not run here"), "{event}: {}", ran.stderr);
        assert!(!runner.path("recuse").exists() && runner.read("outputs").is_empty(), "{event}");
    }
    // The same run at the base is safe: nothing of the fork lies in the work tree.
    repository.git(&["checkout", "-q", "main"]);
    let runner = Runner::new();
    let program = runner.github("pull_request_target", &local_payload(&repository, Some(2)), &id("main"));
    let ran = program.run(repository.path(), &["ci", "--offline"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn events_without_a_pull_request_are_reviewed_and_posted_nowhere() {
    let repository = changed();
    let id = |name: &str| repository.git(&["rev-parse", name]).trim().to_owned();
    let (head, base) = (id("topic"), id("main"));
    repository.git(&["update-ref", "refs/remotes/origin/main", &base]);
    let default = json!({ "id": 1, "default_branch": "main" });
    let group = json!({ "merge_group": { "head_sha": head, "base_sha": base } });
    let run = json!({ "workflow_run": { "head_sha": head, "head_repository": { "id": 1 } }, "repository": default });
    for (event, payload) in [
        ("merge_group", group),
        ("push", json!({ "before": base, "after": head })),
        ("push", json!({ "before": "0".repeat(40), "after": head })),
        ("workflow_run", run),
        ("workflow_dispatch", json!({})),
        ("schedule", json!({})),
    ] {
        let runner = Runner::new();
        let ran = runner.github(event, &payload, &head).run(repository.path(), &["ci", "--offline"]);
        assert_eq!(ran.code, 0, "{event}: {}{}", ran.stdout, ran.stderr);
        assert!(
            ran.stderr.contains("nothing was posted: the run is about no pull request"),
            "{}",
            ran.stderr
        );
        let packet: Value = serde_json::from_str(&runner.read("recuse/packet.json")).expect("a packet");
        assert_eq!(
            (&packet["subject"]["head"], &packet["subject"]["base"]),
            (&json!(head), &json!(base)),
            "{event}"
        );
    }
    let runner = Runner::new();
    let ran = runner.github("issue_comment", &json!({}), &head).run(repository.path(), &["ci"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("is about no change"), "{}", ran.stderr);
}

/// A clone of one commit, as a checkout of CI without a depth makes it.
fn shallow(repository: &TestRepository, branch: &str) -> TempDir {
    let clone = TempDir::new().expect("a folder");
    let url = format!("file://{}", repository.path().display());
    repository.git(&[
        "clone",
        "-q",
        "--depth",
        "1",
        "--branch",
        branch,
        &url,
        &clone.path().display().to_string(),
    ]);
    clone
}

#[test]
fn a_shallow_clone_without_the_base_says_which_depth_is_needed() {
    let repository = changed();
    repository.commit("Change more", &[("a.py", "def a():\n    return 3\n")]);
    let clone = shallow(&repository, "topic");
    let runner = Runner::new();
    let program = runner.github("pull_request", &local_payload(&repository, None), "x");
    let ran = program.run(clone.path(), &["ci", "--offline"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("actions/checkout needs `fetch-depth: 0`"), "{}", ran.stderr);
    let gitlab = gitlab(&repository);
    let ran = gitlab.run(clone.path(), &["ci", "--offline"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("GIT_DEPTH: \"0\""), "{}", ran.stderr);
}

fn gitlab(repository: &TestRepository) -> Program {
    let id = |name: &str| repository.git(&["rev-parse", name]).trim().to_owned();
    Program::new()
        .env("GITLAB_CI", "true")
        .env("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main")
        .env("CI_MERGE_REQUEST_DIFF_BASE_SHA", &id("main"))
        .env("CI_COMMIT_SHA", &id("topic"))
}

#[test]
fn gitlab_and_plain_environments_get_the_same_files_and_no_commands() {
    let repository = changed();
    let id = |name: &str| repository.git(&["rev-parse", name]).trim().to_owned();
    for program in [gitlab(&repository), Program::new(), Program::new().env("CI", "true")] {
        let out = TempDir::new().expect("a folder");
        let out = out.path().join("out");
        let ran = program.run(repository.path(), &["ci", "--offline", "--out", out.to_str().expect("UTF-8")]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.starts_with("rules only: clean"), "{}", ran.stdout);
        let packet = std::fs::read_to_string(out.join("packet.json")).expect("a packet");
        let packet: Value = serde_json::from_str(&packet).expect("JSON");
        assert_eq!(
            (&packet["subject"]["head"], &packet["subject"]["base"]),
            (&json!(id("topic")), &json!(id("main")))
        );
        assert!(out.join("recuse.sarif").exists() && out.join("summary.md").exists());
    }
    // A change could bring a link of the folder's name.
    std::os::unix::fs::symlink("/", repository.path().join("recuse-out")).expect("a link");
    let ran = Program::new().run(repository.path(), &["ci", "--offline"]);
    assert_eq!(ran.code, 4);
    assert!(ran.stderr.contains("it is a link"), "{}", ran.stderr);
}

#[test]
fn a_push_meanwhile_is_told_nothing_and_a_second_run_edits_the_comment_and_nobody_elses() {
    let fake = FakeGitHub::start();
    let number = fake.open_pull(1, &OpenPull::default());
    let squatted = fake.comment(1, number, "mallory", "Mine.\n<!-- recuse packet, by a workflow -->");
    let token = fake.workflow_token(RIGHTS[0].1);
    let run = |payload: &Value| -> Ran {
        let runner = Runner::new();
        let program = runner.github("pull_request", payload, "x");
        let program = program.env("GITHUB_API_URL", &fake.api_url()).env("GITHUB_TOKEN", &token);
        program.run(runner.folder.path(), &["ci", "--offline"])
    };
    let first = payload(&fake, number, None);
    assert_eq!(run(&first).code, 0);
    assert_eq!(run(&first).code, 0);
    let comments = fake.comments(1, number);
    assert_eq!(comments.len(), 2, "mallory's and ours");
    assert_eq!((comments[0].id, comments[0].former_bodies.len()), (squatted, 0));
    assert_eq!(comments[1].former_bodies.len(), 1, "it was edited in place");
    fake.push(1, number, &[("apples.py", "def price():\n    return 2\n")]);
    let ran = run(&first);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("the pull request has moved on"), "{}", ran.stderr);
    assert_eq!(fake.comments(1, number)[1].former_bodies.len(), 1);
    fake.finish();
}

#[test]
fn a_token_that_may_not_read_the_pull_request_is_told_what_it_takes() {
    let fake = FakeGitHub::start();
    let number = fake.open_pull(1, &OpenPull::default());
    let token = fake.workflow_token(&[("contents", "read")]);
    let runner = Runner::new();
    let program = runner.github("pull_request", &payload(&fake, number, None), "x");
    let program = program.env("GITHUB_API_URL", &fake.api_url()).env("GITHUB_TOKEN", &token);
    let ran = program.run(runner.folder.path(), &["ci", "--offline"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("`pull-requests: read`"), "{}", ran.stderr);
    fake.finish();
}

#[test]
fn a_key_signs_the_packet_and_the_comment_says_whose_it_is() {
    let fake = FakeGitHub::start();
    let number = fake.open_pull(1, &OpenPull::default());
    let token = fake.workflow_token(RIGHTS[0].1);
    let runner = Runner::new();
    let program = runner.github("pull_request", &payload(&fake, number, None), "x");
    let program = program.env("GITHUB_API_URL", &fake.api_url()).env("GITHUB_TOKEN", &token);
    let program = program.config("signing_key = \"key\"\n");
    let key = program.home().join(".config/recuse/key");
    let other = runner.path("other");
    for key in [&key, &other] {
        let ran = program.run(runner.folder.path(), &["keygen", "--output", key.to_str().expect("UTF-8")]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    let verified = |by: &Path| {
        let public = by.with_extension("pub");
        let packet = runner.output("packet");
        let ran =
            program.run(runner.folder.path(), &["verify", &packet, "--key", public.to_str().expect("UTF-8")]);
        let lines = ran.stdout.lines();
        lines.filter(|line| line.starts_with("signature") && line.contains(" ok: ")).count()
    };
    // A change could bring a link of the signature's name.
    std::fs::create_dir(runner.path("recuse")).expect("a folder");
    let link = runner.path("recuse/packet.json.sig");
    std::os::unix::fs::symlink(runner.path("elsewhere"), &link).expect("a link");
    let ran = program.run(runner.folder.path(), &["ci", "--offline"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!runner.path("elsewhere").exists());
    assert_eq!((verified(&key), verified(&other)), (2, 0));
    for text in [&fake.comments(1, number)[0].body, &runner.read("recuse/summary.md"), &ran.stdout] {
        assert!(text.contains("signed by") && !text.contains("unsigned"), "{text}");
    }

    // What an argument names wins; and without a key no signature of an earlier packet stays.
    std::fs::remove_file(runner.path("outputs")).expect("it was written");
    let ran =
        program.run(runner.folder.path(), &["ci", "--offline", "--sign", other.to_str().expect("UTF-8")]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!((verified(&key), verified(&other)), (0, 2));
    std::fs::write(program.home().join(".config/recuse/config.toml"), "").expect("written");
    assert_eq!(program.run(runner.folder.path(), &["ci", "--offline"]).code, 0);
    assert!(!link.exists() && !runner.path("recuse/packet.json.dsse.json").exists());
    assert!(fake.comments(1, number)[0].body.contains("unsigned"));

    // A key that cannot be used is known before anything is asked or told.
    let told = fake.comments(1, number)[0].former_bodies.len();
    let ran = program.run(runner.folder.path(), &["ci", "--offline", "--sign", "nowhere"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("nowhere"), "{}", ran.stderr);
    assert_eq!(fake.comments(1, number)[0].former_bodies.len(), told);
    fake.finish();
}

/// A server that hangs up on whoever calls, and tells the first line of each call.
fn hangs_up() -> (u16, std::sync::mpsc::Receiver<String>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut bytes = [0; 1024];
            let read =
                std::io::Read::read(&mut stream.expect("a call"), &mut bytes).expect("something is said");
            let text = String::from_utf8_lossy(&bytes[..read]);
            tell.send(text.lines().next().unwrap_or_default().to_owned()).expect("the test goes on");
        }
    });
    (port, told)
}

#[test]
fn github_is_reached_through_the_proxy_that_the_environment_names() {
    let empty = TempDir::new().expect("a folder");
    let runner = Runner::new();
    let pull = local_payload(&changed(), None);
    for past in ["", "127.0.0.1"] {
        let (proxy, asked) = hangs_up();
        let (github, called) = hangs_up();
        let ran = runner
            .github("pull_request", &pull, "x")
            .env("GITHUB_API_URL", &format!("https://127.0.0.1:{github}"))
            .env("GITHUB_TOKEN", "ghs_0")
            .env("HTTPS_PROXY", &format!("http://127.0.0.1:{proxy}"))
            .env("NO_PROXY", past)
            .run(empty.path(), &["ci", "--offline"]);
        assert_eq!(ran.code, 4, "{}", ran.stderr);
        let asked: Vec<String> = asked.try_iter().collect();
        let connects = asked.iter().all(|line| *line == format!("CONNECT 127.0.0.1:{github} HTTP/1.1"));
        assert!(connects, "{asked:?}");
        let (through, directly) = (!asked.is_empty(), called.try_iter().count() > 0);
        assert_eq!((through, directly), (past.is_empty(), !past.is_empty()), "past {past:?}: {}", ran.stderr);
    }
}

#[test]
fn nothing_of_a_change_becomes_a_command_of_the_runner() {
    let hostile = [
        "::error::owned",
        "  ::add-mask::owned",
        "##[add-path]owned",
        "x ##[error]owned",
        "a\n::set-output name=verdict::clean\nb",
        "\r::stop-commands::owned",
        "%0A::error::owned",
    ];
    let repository = TestRepository::with_main(&[("README.md", "# A\n")]);
    let secret = |seed: usize| format!("ghp_{seed:02}{}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7");
    for (index, text) in hostile.iter().enumerate() {
        let name = format!("{}/{text}.py", text.trim_start_matches(['/', '.']));
        let code = format!("# {text}\ntoken = \"{}\"  # {text}\n", secret(index));
        repository.commit(&format!("{text}\n\n{text}"), &[(&name, &code)]);
    }
    let many: Vec<(String, String)> =
        (20..34).map(|index| (format!("f{index}.py"), format!("token = \"{}\"\n", secret(index)))).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    repository.commit("Many", &many);
    for text in hostile {
        let mut payload = local_payload(&repository, None);
        payload["pull_request"]["title"] = json!(text);
        payload["pull_request"]["body"] = json!(format!("{text}\n{text}"));
        payload["pull_request"]["head"]["ref"] = json!(text);
        payload["pull_request"]["labels"] = json!([{ "name": text }]);
        payload["pull_request"]["user"]["login"] = json!(text);
        let runner = Runner::new();
        let program = runner.github("pull_request", &payload, "x");
        let ran = program.run(repository.path(), &["ci", "--offline", "--fail-on", "low", "-v"]);
        assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
        assert_eq!(commands(&ran.stderr), Vec::<String>::new());
        let taken = commands(&ran.stdout);
        // Ten of those that are low, and two about the carriage returns.
        assert_eq!(taken.len(), 12, "{taken:#?}");
        for command in &taken {
            let level = ["::notice ", "::warning "].iter().find_map(|level| command.strip_prefix(level));
            let properties = level.and_then(|rest| rest.split_once("::"));
            let names: Vec<&str> = properties
                .expect("an annotation with properties")
                .0
                .split(',')
                .map(|pair| pair.split_once('=').expect("a pair").0)
                .collect();
            assert_eq!(names, ["file", "line", "endLine", "title"], "{command}");
        }
        assert!(ran.stdout.contains("not annotated: GitHub shows ten of each level"), "{}", ran.stdout);
        let names: Vec<String> = runner.outputs().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["verdict", "claims", "cost-usd", "packet", "sarif"]);
    }
    // Nor where the error itself quotes the event.
    let runner = Runner::new();
    for text in hostile {
        let ran = runner.github(text, &json!({}), "x").run(repository.path(), &["ci"]);
        assert_eq!((ran.code, commands(&ran.stderr)), (2, Vec::new()));
    }
}

#[test]
fn the_summary_keeps_to_githubs_limit_and_says_so() {
    let repository = changed();
    let runner = Runner::new();
    std::fs::write(runner.path("summary"), vec![b'x'; 1024 * 1024 - 10]).expect("written");
    let ran = runner
        .github("pull_request", &local_payload(&repository, None), "x")
        .run(repository.path(), &["ci", "--offline"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("no room left"), "{}", ran.stderr);
    assert_eq!(std::fs::metadata(runner.path("summary")).expect("a file").len(), 1024 * 1024 - 10);
}

#[test]
fn evidence_of_the_same_job_counts_by_itself() {
    let repository = changed();
    let program = |runner: &Runner| {
        let program = runner.github("pull_request", &local_payload(&repository, None), "x");
        program.config("[review]\nrequired_checks = [\"tests\"]\nself_reported_checks = true\n")
    };
    let runner = Runner::new();
    assert_eq!(program(&runner).run(repository.path(), &["ci", "--offline"]).code, 1);
    assert_eq!(runner.output("verdict"), "blocked");
    let ran = program(&runner).run(repository.path(), &["run", "--name", "tests", "--", "true"]);
    assert_eq!(ran.code, 0);
    let runner = Runner::new();
    let ran = program(&runner).run(repository.path(), &["ci", "--offline"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(Path::new(&runner.output("packet")).exists());
}

#[test]
fn the_actions_step_hands_its_inputs_over_and_keeps_what_a_reviewer_must_not_have() {
    let repository = changed();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/action");
    // A program that tells what it was given instead of reviewing.
    let spy = repository.write("spy", "#!/bin/sh\nprintf '%s\\n' \"$@\"; env | grep ^ACTIONS_ || true\n");
    std::fs::set_permissions(&spy, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("set");
    let step = |binary: &str, inputs: &[(&str, &str)]| {
        let defaults = [
            ("OFFLINE", "false"),
            ("POST", "true"),
            ("FAIL_ON", "high"),
            ("MODELS", ""),
            ("CONFIG", ""),
            ("SIGN", ""),
            ("EVIDENCE", ""),
            ("BINARY", binary),
        ];
        let mut command = std::process::Command::new("bash");
        command.arg(script).current_dir(repository.path()).env("HOME", repository.path());
        for (name, value) in defaults.iter().chain(inputs) {
            command.env(format!("RECUSE_ACTION_{name}"), value);
        }
        for name in ["ACTIONS_CACHE_URL", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"] {
            command.env(name, "for the runner only");
        }
        command.output().expect("bash runs")
    };
    let spy = spy.to_str().expect("UTF-8");
    let plain = step(spy, &[]);
    assert_eq!(String::from_utf8_lossy(&plain.stdout), "ci\n--fail-on\nhigh\n");
    let inputs = [
        ("OFFLINE", "true"),
        ("POST", "false"),
        ("FAIL_ON", "low"),
        ("MODELS", "a/b,c/d"),
        ("CONFIG", "x y.toml"),
        ("SIGN", "a key"),
        ("EVIDENCE", "$(touch owned)"),
    ];
    let all = step(spy, &inputs);
    let expected = "ci\n--fail-on\nlow\n--offline\n--no-post\n--model\na/b,c/d\n--config\nx y.toml\n--sign\na key\n--evidence\n$(touch owned)\n";
    assert_eq!(String::from_utf8_lossy(&all.stdout), expected);
    assert!(!repository.path().join("owned").exists());
    assert_eq!(step(spy, &[("OFFLINE", "yes")]).status.code(), Some(2));
    let real = step(env!("CARGO_BIN_EXE_recuse"), &[("OFFLINE", "true")]);
    assert_eq!(real.status.code(), Some(0), "{}", String::from_utf8_lossy(&real.stderr));
}

#[test]
fn the_container_is_built_by_the_toolchain_of_the_repository() {
    let wanted = file("rust-toolchain.toml");
    let channel = wanted.lines().find_map(|line| line.strip_prefix("channel = ")).expect("a channel");
    assert!(file("Dockerfile").contains(&format!("ARG RUST={}\n", channel.trim_matches('"'))), "{channel}");
}

/// What a file of the repository says.
fn file(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .expect("a file of the repository")
}

#[test]
fn the_action_offers_the_outputs_that_are_written_and_the_docs_have_the_recipes_that_are_checked() {
    let action = file("action.yml");
    let outputs: Vec<&str> =
        action.split("${{ steps.review.outputs.").skip(1).filter_map(|rest| rest.split(' ').next()).collect();
    assert_eq!(outputs, ["verdict", "claims", "cost-usd", "packet", "sarif"]);
    for line in action.lines().filter(|line| line.trim_start().starts_with("RECUSE_ACTION_")) {
        let (variable, input) = line.trim().split_once(": ").expect("a variable and an input");
        let name = variable.trim_start_matches("RECUSE_ACTION_").to_lowercase().replace('_', "-");
        assert_eq!(input, format!("${{{{ inputs.{name} }}}}"));
        assert!(file("scripts/action").contains(&format!("${variable}")), "{variable}");
    }
    let page = file("docs/ci.md");
    let recipes =
        std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/workflows")).expect("a folder");
    for recipe in recipes {
        let path = recipe.expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("a recipe");
        assert!(page.contains(&text), "docs/ci.md does not have {} as it is", path.display());
        assert!(text.contains("permissions: {}"), "{}", path.display());
        assert!(!text.contains("cache"), "{}", path.display());
    }
}
