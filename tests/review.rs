//! `recuse review` through its door: a real repository, a fake that misbehaves on the wire, the whole packet.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::fake_models::{Behaviour, FakeModels};
use crate::support::program::{Program, Ran};
use crate::support::repository::TestRepository;

const BEFORE: &str = "pub fn total(items: &[u32]) -> u32 {\n    items.iter().sum()\n}\n";
const AFTER: &str =
    "pub fn total(items: &[u32]) -> u32 {\n    items.iter().sum::<u32>() / items.len() as u32\n}\n";
const QUOTE: &str = "items.iter().sum::<u32>() / items.len() as u32";

fn repository() -> TestRepository {
    let repository = TestRepository::with_main(&[("src/total.rs", BEFORE)]);
    repository.commit("Average instead of sum", &[("src/total.rs", AFTER)]);
    repository
}

fn finding(quote: &str, severity: &str) -> Value {
    json!({ "file": "src/total.rs", "line_start": 2, "line_end": 2, "side": "head", "quote": quote,
        "category": "correctness/logic", "severity": severity, "title": "Division by zero for no items",
        "scenario": "`total(&[])` divides by zero and panics" })
}

fn answer(findings: &[Value]) -> Value {
    json!({ "examined": ["src/total.rs: all of it"], "findings": findings, "questions": [] })
}

/// A program with models of two families behind one fake server.
fn two_families(fake: &FakeModels) -> Program {
    let model = |name: &str, family: &str| {
        let url = fake.base_url();
        format!("[[model]]\nname = \"local/{name}\"\nbase_url = \"{url}\"\nfamilies = [\"{family}\"]\n")
    };
    Program::new().config(&[model("oak", "openai"), model("elm", "qwen")].concat())
}

async fn run(program: Program, repository: TestRepository, arguments: &'static [&'static str]) -> Ran {
    tokio::task::spawn_blocking(move || program.run(repository.path(), arguments)).await.expect("it ran")
}

async fn fake(oak: Behaviour, elm: Behaviour) -> FakeModels {
    let fake = FakeModels::start().await;
    fake.expects_schema();
    fake.always("oak", oak);
    fake.always("elm", elm);
    fake
}

fn outcomes(packet: &Value, reviewer: &str) -> Vec<String> {
    let seats = packet["panel"]["seats"].as_array().expect("seats");
    let of = seats.iter().filter(|seat| seat["reviewer"] == reviewer);
    of.flat_map(|seat| seat["outcomes"].as_array().expect("outcomes"))
        .map(|outcome| outcome["outcome"].as_str().expect("a name").to_owned())
        .collect()
}

#[tokio::test]
async fn two_unrelated_models_that_agree_make_one_agreed_claim() {
    let found = answer(&[finding(QUOTE, "high")]);
    let fake = fake(Behaviour::Answer(found.clone()), Behaviour::Fenced(found)).await;
    let ran = run(two_families(&fake), repository(), &["review", "--format", "json"]).await;
    let packet = ran.packet();
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!(packet["verdict"], "findings");
    let claims = packet["claims"].as_array().expect("claims");
    assert_eq!(claims.len(), 1, "{claims:#?}");
    assert_eq!(claims[0]["verification"], "agreed");
    assert_eq!((&claims[0]["line_start"], &claims[0]["side"]), (&json!(2), &json!("head")));
    assert_eq!(claims[0]["supporters"].as_array().map(Vec::len), Some(2));
    assert!(
        packet["judgement"]["headline"].as_str().is_some_and(|line| line.starts_with("findings: 1 high"))
    );
    fake.finish();
}

#[tokio::test]
async fn the_packet_validates_against_the_published_schema() {
    let nothing = answer(&[]);
    let fake = fake(Behaviour::Answer(nothing.clone()), Behaviour::Answer(nothing)).await;
    let ran = run(two_families(&fake), repository(), &["review", "--format", "json"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    let schema = Program::new().run(&std::env::temp_dir(), &["schema", "packet"]);
    let schema: Value = serde_json::from_str(&schema.stdout).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a good schema");
    let errors: Vec<String> = validator.iter_errors(&ran.packet()).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    fake.finish();
}

#[tokio::test]
async fn however_one_model_ends_it_is_an_outcome_and_the_other_one_still_counts() {
    let nothing = answer(&[]);
    let cases = [
        (Behaviour::Refuse("I will not look at this.".into()), "refused"),
        (Behaviour::filtered(), "refused"),
        (Behaviour::truncated(&nothing), "truncated"),
        (Behaviour::Say("Looks good to me!".into()), "unreadable"),
        (Behaviour::duplicate_keys(), "unreadable"),
        (Behaviour::Echo, "unreadable"),
        (Behaviour::WebPage, "unreadable"),
        (Behaviour::CutJson, "unreadable"),
        (Behaviour::Finish { reason: Some("surprise".into()), text: nothing.to_string() }, "truncated"),
        (Behaviour::Finish { reason: None, text: nothing.to_string() }, "truncated"),
        (Behaviour::error(401, "invalid_api_key", "no such key"), "failed"),
        (Behaviour::quota_exhausted(), "failed"),
        (Behaviour::Answer(json!({ "examined": [], "findings": [], "questions": [] })), "unreadable"),
    ];
    for (behaviour, expected) in cases {
        let fake = fake(behaviour, Behaviour::Answer(nothing.clone())).await;
        let ran = run(two_families(&fake), repository(), &["review", "--format", "json"]).await;
        let packet = ran.packet();
        let ended = outcomes(&packet, "local/oak");
        assert!(!ended.is_empty() && ended.iter().all(|ending| ending == expected), "{expected}: {ended:?}");
        assert!(outcomes(&packet, "local/elm").iter().all(|ending| ending == "answered"));
        assert_eq!(packet["verdict"], "clean", "{expected}");
        fake.finish();
    }
}

#[tokio::test]
async fn a_review_that_nobody_answered_is_never_a_pass() {
    for behaviour in [
        Behaviour::Refuse("No.".into()),
        Behaviour::WebPage,
        Behaviour::Say("approved".into()),
        Behaviour::error(400, "invalid_request_error", "no"),
    ] {
        let fake = fake(behaviour.clone(), behaviour).await;
        let ran = run(two_families(&fake), repository(), &["review", "--format", "json"]).await;
        let packet = ran.packet();
        assert_eq!((ran.code, &packet["verdict"]), (3, &json!("inconclusive")), "{}", ran.stdout);
        assert!(packet["gaps"].as_array().is_some_and(|gaps| !gaps.is_empty()));
        fake.finish();
    }
}

#[tokio::test]
async fn a_model_that_never_answers_ends_with_the_deadline() {
    let fake = fake(Behaviour::Stall, Behaviour::Answer(answer(&[]))).await;
    let ran =
        run(two_families(&fake), repository(), &["review", "--format", "json", "--max-seconds", "2"]).await;
    let packet = ran.packet();
    assert!(outcomes(&packet, "local/oak").iter().all(|ending| ending == "timed_out"), "{}", ran.stdout);
    assert_eq!(packet["verdict"], "clean");
    fake.finish();
}

#[tokio::test]
async fn an_invented_quote_is_counted_and_never_told_as_fact() {
    let invented = answer(&[finding("unsafe { transmute(items) }", "critical")]);
    let fake = fake(Behaviour::Answer(invented), Behaviour::Answer(answer(&[]))).await;
    let ran = run(two_families(&fake), repository(), &["review", "--format", "json"]).await;
    let packet = ran.packet();
    assert_eq!((ran.code, &packet["verdict"]), (0, &json!("clean")));
    assert_eq!(packet["claims"], json!([]));
    assert!(packet["unanchored"].as_array().is_some_and(|list| !list.is_empty()));
    fake.finish();
}

#[tokio::test]
async fn the_author_s_family_is_recused_and_the_model_that_answered_is_checked() {
    let repository = repository();
    repository.git(&[
        "commit",
        "-q",
        "--amend",
        "-m",
        "Average\n\nCo-Authored-By: Claude Opus 4.6 <noreply@anthropic.com>",
    ]);
    let fake = FakeModels::start().await;
    fake.always("oak", Behaviour::Answer(answer(&[])));
    // It was asked for as a model of another family, and says that Claude answered.
    let impostor =
        Behaviour::ServedAs(Some("claude-opus-4-6".into()), Box::new(Behaviour::Answer(answer(&[]))));
    fake.always("elm", impostor);
    let url = fake.base_url();
    let model = |name: &str, family: &str| {
        format!("[[model]]\nname = \"local/{name}\"\nbase_url = \"{url}\"\nfamilies = [\"{family}\"]\n")
    };
    let config = [model("oak", "anthropic"), model("elm", "qwen")].concat();
    let ran = run(Program::new().config(&config), repository, &["review", "--format", "json"]).await;
    let packet = ran.packet();
    assert_eq!(packet["attribution"]["families"], json!(["anthropic"]));
    assert_eq!(packet["panel"]["recused"][0]["engine"], "local/oak");
    assert!(outcomes(&packet, "local/oak").is_empty());
    assert_eq!((ran.code, &packet["verdict"]), (3, &json!("inconclusive")), "{:#}", packet["judgement"]);
    assert!(fake.requests().iter().all(|asked| asked.model == "elm"));
    fake.finish();
}

#[tokio::test]
async fn a_secret_in_the_change_reaches_no_model_and_no_view() {
    // Assembled, so that no scanner takes this file for a leak.
    let secret = ["sk", "_live_", "9rTq2LmN7pRs4TuV6wXyZ1aB"].concat();
    let fake = fake(Behaviour::Answer(answer(&[])), Behaviour::Answer(answer(&[]))).await;
    fake.plant_canary(&secret);
    let repository = repository();
    let line = format!("const TOKEN: &str = \"{secret}\";\n");
    repository.commit(&format!("Add a token\n\nIt is {secret}."), &[("src/token.rs", &line)]);
    for format in ["json", "text", "markdown", "sarif"] {
        let program = two_families(&fake);
        let path = repository.path().to_owned();
        let ran = tokio::task::spawn_blocking(move || program.run(&path, &["review", "--format", format]))
            .await
            .expect("it ran");
        assert!(!ran.stdout.contains(&secret) && !ran.stderr.contains(&secret), "{format}");
        // SARIF points at lines and quotes none.
        assert!(format == "sarif" || ran.stdout.contains("redacted"), "{format}: {}", ran.stdout);
        assert_eq!(ran.code, 1, "{format}: a leaked token is at or above the gate");
    }
    assert!(!fake.requests().is_empty());
    fake.finish();
}

#[tokio::test]
async fn money_is_never_spent_above_the_cap() {
    let used = json!({ "prompt_tokens": 2_000, "completion_tokens": 100 });
    let answered = Behaviour::Used(used, Box::new(Behaviour::Answer(answer(&[]))));
    let fake = FakeModels::start().await;
    fake.always("oak", Behaviour::After(Duration::from_millis(20), Box::new(answered)));
    let url = fake.base_url();
    let config = format!(
        "[[model]]\nname = \"local/oak\"\nbase_url = \"{url}\"\nfamilies = [\"openai\"]\ninput_usd = 1.0\n\
         output_usd = 10.0\nmax_output_tokens = 1000\n"
    );
    // Each call may cost some 0.012 USD and costs 0.003: three lenses fit one after another, not at once.
    for (cap, code, calls) in [("0.02", 0, 3), ("0.001", 3, 0)] {
        let before = fake.requests().len();
        let (program, repository) = (Program::new().config(&config), repository());
        let arguments = ["review", "--format", "json", "--max-usd", cap];
        let ran = tokio::task::spawn_blocking(move || program.run(repository.path(), &arguments))
            .await
            .expect("it ran");
        let packet = ran.packet();
        assert_eq!((ran.code, fake.requests().len() - before), (code, calls), "{:#}", packet["ledger"]);
        assert_eq!(packet["ledger"]["micro_usd"], json!(calls * 3_000));
    }
    fake.finish();
}

#[tokio::test]
async fn a_base_url_alone_asks_the_server_and_refuses_to_guess() {
    let fake = FakeModels::start().await;
    fake.always("gpt-oak", Behaviour::Answer(answer(&[])));
    let program = Program::new().env("OPENAI_BASE_URL", &fake.base_url());
    let ran = run(program, repository(), &["review", "--format", "json"]).await;
    assert_eq!(ran.packet()["panel"]["roster"][0]["id"], "openai/gpt-oak");
    fake.always("gpt-elm", Behaviour::Answer(answer(&[])));
    let program = Program::new().env("OPENAI_BASE_URL", &fake.base_url());
    let ran = run(program, repository(), &["review"]).await;
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("several models") && ran.stderr.contains("--model openai/"),
        "{}",
        ran.stderr
    );
    fake.finish();
}

#[test]
fn white_space_that_cannot_be_seen_hides_nothing_from_the_rules() {
    let spaces =
        ['\u{b}', '\u{c}', '\u{d}', '\u{1c}', '\u{85}', '\u{a0}', '\u{2028}', '\u{2029}', '\u{3000}'];
    let repository = TestRepository::with_main(&[("a.txt", "a\n")]);
    let token = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7";
    let files: Vec<(String, String)> = (10..)
        .zip(spaces)
        .map(|(n, space)| (format!("src/{n}.py"), format!("key = \"ghp_{n}{token}\"{space}# of{space}{n}\n")))
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    repository.commit("Add keys", &files);
    let ran = Program::new().run(repository.path(), &["review", "--offline", "--format", "json"]);
    let packet = ran.packet();
    assert_eq!(packet["unanchored"], json!([]));
    let secrets = packet["claims"].as_array().expect("claims").iter();
    let secrets = secrets.filter(|claim| claim["category"] == "security/secret" && claim["anchor"] == "line");
    assert_eq!(secrets.count(), spaces.len(), "{}", packet["claims"]);
}
