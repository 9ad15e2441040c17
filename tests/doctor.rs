//! What `recuse doctor` says of the App: each thing that would keep it from working, or let somebody speak for it.

use crate::support::fake_github::{APP_ID, Endpoint, FakeGitHub, Fault, OpenPull, Times, WEBHOOK_SECRET};
use crate::support::program::{Program, Ran};
use crate::support::repository::TestRepository;
use crate::support::server::Home;

/// A program that knows the App's keys, and two unrelated models, so that only the App can be missing something.
fn program(fake: &FakeGitHub) -> Program {
    Program::new()
        .env("RECUSE_GITHUB_URL", &fake.api_url())
        .env("RECUSE_APP_ID", &APP_ID.to_string())
        .env("RECUSE_APP_PRIVATE_KEY", &fake.pem())
        .env("RECUSE_WEBHOOK_SECRET", WEBHOOK_SECRET)
        .env("OPENAI_API_KEY", "k")
        .env("XAI_API_KEY", "k")
}

fn doctor(program: &Program, arguments: &[&str]) -> Ran {
    let repository = TestRepository::with_main(&[("a.py", "a = 1\n")]);
    repository.commit("Change", &[("a.py", "a = 2\n")]);
    program.run(repository.path(), &[&["doctor"], arguments].concat())
}

#[track_caller]
fn says(ran: &Ran, sentences: &[&str]) {
    for sentence in sentences {
        assert!(ran.stdout.contains(sentence), "no {sentence:?} in\n{}\n{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn without_an_app_nothing_is_said_of_one_unless_it_is_asked_for() {
    let program = Program::new().env("OPENAI_API_KEY", "k").env("XAI_API_KEY", "k");
    assert!(!doctor(&program, &[]).stdout.contains("app"));
    let asked = doctor(&program, &["--repo", "acme/shop"]);
    says(&asked, &["missing  app: none is registered here"]);
    assert_eq!(asked.code, 1);
    let half = doctor(&program.env("RECUSE_APP_ID", "7"), &[]);
    says(&half, &["missing  app: ", "RECUSE_WEBHOOK_SECRET"]);
}

#[test]
fn an_app_that_may_and_hears_all_that_it_needs_is_well() {
    let fake = FakeGitHub::start();
    fake.deliver_to("https://hooks.example/webhook");
    fake.require_check(1, "recuse", Some(APP_ID));
    let ran = doctor(&program(&fake), &["--repo", "acme/shop"]);
    says(
        &ran,
        &[
            &format!("ok       app: recuse (test) is app {APP_ID}; its key works"),
            "ok       app permissions: it may do what it needs, and changes no code",
            "ok       app events: it hears of all that it acts on",
            "ok       webhook: GitHub sends deliveries to https://hooks.example/webhook",
            "weak     deliveries: GitHub delivered nothing in the last days",
            "ok       installations: acme",
            "ok       required check: acme/shop: main requires `recuse` from this App alone",
        ],
    );
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    // Looking changes nothing.
    assert!(
        fake.calls().iter().all(|call| call.method == "GET" || call.endpoint == Some(Endpoint::MintToken))
    );
    fake.finish();
}

#[test]
fn a_server_of_the_rules_alone_lacks_neither_models_nor_a_repository() {
    let fake = FakeGitHub::start();
    fake.deliver_to("https://hooks.example/webhook");
    let nowhere = tempfile::tempdir().expect("a folder");
    let program = program(&fake).env("OPENAI_API_KEY", "").env("XAI_API_KEY", "");
    let ran = program.run(nowhere.path(), &["doctor", "--offline"]);
    says(&ran, &["ok       models: none is to be asked: the rules alone look"]);
    assert!(!ran.stdout.contains("missing  repository"), "{}", ran.stdout);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    let ran = program.run(nowhere.path(), &["doctor"]);
    says(&ran, &["missing  models: none is configured"]);
    assert_eq!(ran.code, 1);
    fake.finish();
}

#[test]
fn what_the_app_lacks_and_what_it_has_too_much_of_is_named() {
    let fake = FakeGitHub::start();
    fake.deliver_to("http://hooks.example/webhook");
    fake.revoke_permission(9, "checks");
    fake.set_app(
        &[("metadata", "read"), ("contents", "write"), ("issues", "write"), ("administration", "write")],
        &["pull_request", "push"],
    );
    let ran = doctor(&program(&fake), &[]);
    says(
        &ran,
        &[
            "missing  app permissions: it lacks pull_requests: write, checks: write, statuses: read",
            "weak     app events: it does not hear of issue_comment, pull_request_review_comment, check_run",
            "weak     webhook: GitHub sends deliveries to http://hooks.example/webhook, where others can read along",
            "missing  app permissions: the installation of acme lacks checks: write",
            "weak     required check: not looked at: nothing was reviewed here lately",
        ],
    );
    assert_eq!(ran.code, 1);
    let needed = [("metadata", "read"), ("contents", "write"), ("issues", "write"), ("checks", "write")];
    fake.set_app(
        &[&needed[..], &[("pull_requests", "write"), ("statuses", "read"), ("workflows", "write")]].concat(),
        &["push"],
    );
    let ran = doctor(&program(&fake), &[]);
    says(
        &ran,
        &[
            "weak     app permissions: it may do more than it needs: contents: write, workflows: write",
            "missing  app events: it does not hear of pull_request, issue_comment",
        ],
    );
    fake.finish();
}

#[test]
fn a_check_that_somebody_else_can_set_is_a_warning() {
    for (app, sentence) in [
        (None, "weak     required check: acme/shop: main takes `recuse` from anybody"),
        (Some(APP_ID + 1), "which is another one"),
    ] {
        let fake = FakeGitHub::start();
        fake.protect_with_check(1, "recuse", app);
        says(&doctor(&program(&fake), &["--repo", "acme/shop"]), &[sentence]);
        fake.finish();
    }
    let fake = FakeGitHub::start();
    fake.require_check(1, "tests", None);
    let ran = doctor(&program(&fake), &["--repo", "acme/shop"]);
    says(&ran, &["weak     required check: acme/shop: main does not require `recuse`"]);
    for (name, sentence) in [("acme/none", "github knows nothing there"), ("acme", "is no OWNER/NAME")] {
        says(&doctor(&program(&fake), &["--repo", name]), &["missing  required check: ", sentence]);
    }
    fake.finish();
}

#[test]
fn a_key_of_another_app_and_a_github_that_fails_are_told_apart() {
    let fake = FakeGitHub::start();
    let other = doctor(&program(&fake).env("RECUSE_APP_ID", "12"), &[]);
    says(&other, &["missing  app: app 12: ", "both are on its page on GitHub"]);
    assert_eq!(fake.take_violations().len(), 1, "the fake noticed it too");
    let no_key = doctor(&program(&fake).env("RECUSE_APP_PRIVATE_KEY", "not a key"), &[]);
    says(&no_key, &["missing  app: "]);
    assert!(!no_key.stdout.contains("not a key"), "{}", no_key.stdout);
    fake.fail(Endpoint::App, Times::Always, Fault::Status(404));
    says(&doctor(&program(&fake), &[]), &["missing  app: ", "both are on its page on GitHub"]);
    fake.heal();
    fake.fail(Endpoint::AppHook, Times::Always, Fault::Html);
    says(&doctor(&program(&fake), &[]), &["missing  app: ", "has to be reachable from here"]);
    fake.heal();
    fake.finish();
}

#[test]
fn deliveries_that_did_not_arrive_and_repositories_reviewed_lately_are_looked_at() {
    let fake = FakeGitHub::start();
    let home = Home::new(&fake, "");
    let server = home.serve(&["--offline"]);
    fake.deliver_to(&server.webhook);
    let number = fake.open_pull(1, &OpenPull::default());
    server.until("it was reviewed", || !fake.comments(1, number).is_empty());
    server.kill();
    // Nobody is there any more.
    fake.push(1, number, &[("b.py", "b = 1\n")]);
    let lost = fake.deliveries().last().expect("one").guid.clone();
    fake.lose(&lost);
    fake.suspend(9);
    fake.unsuspend(9);
    let database = format!("sqlite:{}", home.path().join(".local/state/recuse/recuse.db").display());
    let ran = doctor(&program(&fake).env("RECUSE_DATABASE_URL", &database), &[]);
    says(
        &ran,
        &[
            "weak     webhook: GitHub sends deliveries to http://127.0.0.1:",
            "which only this machine reaches",
            "weak     deliveries: ",
            "did not arrive; the last of them at ",
            "weak     required check: acme/shop: main does not require",
        ],
    );
    fake.suspend(9);
    let ran = doctor(&program(&fake).env("RECUSE_DATABASE_URL", &database), &[]);
    says(&ran, &["weak     installations: acme has it suspended"]);
    fake.uninstall(9);
    let ran = doctor(&program(&fake), &[]);
    says(&ran, &["missing  installations: it is installed nowhere", "/installations/new"]);
    assert_eq!(ran.code, 1);
    fake.finish();
}
