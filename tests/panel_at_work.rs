//! What happens when reviewers do not answer, and when one reviewer alone finds something: stand-ins, halves, repairs,
//! cross-examination. Every model is behind a real HTTP server that keeps state.

use serde_json::{Value, json};

use crate::support::fake_models::{Asked, Behaviour, FakeModels};
use crate::support::program::{Program, Ran};
use crate::support::repository::TestRepository;

/// A branch by Claude that changes four places of two files.
fn repository() -> TestRepository {
    let lines = |name: &str, changed: &str| -> String {
        let line = |number: usize| {
            let value = if number == 5 || number == 45 { changed } else { "same" };
            format!("let {name}_{number} = {value};\n")
        };
        (1..=50).map(line).collect()
    };
    let repository = TestRepository::with_main(&[
        ("src/a.rs", &lines("a", "before")),
        ("src/b.rs", &lines("b", "before")),
    ]);
    repository.commit(
        "Compute\n\nCo-authored-by: Claude <noreply@anthropic.com>",
        &[("src/a.rs", &lines("a", "items[0]")), ("src/b.rs", &lines("b", "items[0]"))],
    );
    repository
}

fn finding(line: u32, title: &str) -> Value {
    json!({ "file": "src/a.rs", "line_start": line, "line_end": line, "side": "head",
        "quote": format!("let a_{line} = items[0];"), "category": "correctness/null-or-bounds", "severity": "high",
        "title": title, "scenario": "`items` is empty after a reset, and the first element of an empty list panics" })
}

fn answer(findings: &[Value]) -> Value {
    json!({ "examined": ["all that was shown"], "findings": findings, "questions": [] })
}

fn ruling(verdict: &str, quote: &str) -> Value {
    json!({ "answers": [{ "claim": "c1", "quote": quote, "reason": "the line says so", "verdict": verdict }] })
}

/// Whether a request is a cross-examination.
fn examines(asked: &Asked) -> bool {
    asked.text().contains("You cross-examine claims")
}

/// Models in the operator's order, one for each lens, each of a family.
fn roster(fake: &FakeModels, models: &[(&str, &str)], more: &str) -> Program {
    let model = |(name, family): &(&str, &str)| {
        let url = fake.base_url();
        format!("[[model]]\nname = \"local/{name}\"\nbase_url = \"{url}\"\nfamilies = [\"{family}\"]\n")
    };
    let models: String = models.iter().map(model).collect();
    Program::new().config(&format!("[review]\nreviewers_per_lens = 1\n{more}\n{models}"))
}

async fn run(program: Program, repository: TestRepository) -> (Ran, Value) {
    let arguments = ["review", "--lens", "correctness", "--format", "json"];
    let ran = tokio::task::spawn_blocking(move || program.run(repository.path(), &arguments))
        .await
        .expect("it ran");
    let packet = ran.packet();
    (ran, packet)
}

fn seats(packet: &Value) -> Vec<String> {
    let seats = packet["panel"]["seats"].as_array().expect("seats").iter();
    seats
        .filter(|seat| seat["reviewer"] != "rules")
        .map(|seat| {
            let outcomes = seat["outcomes"].as_array().expect("outcomes").iter();
            let ended: Vec<&str> =
                outcomes.map(|outcome| outcome["outcome"].as_str().expect("a name")).collect();
            format!(
                "{} for {}: {}",
                seat["reviewer"].as_str().expect("a name"),
                seat["stands_in_for"],
                ended.join(" ")
            )
        })
        .collect()
}

#[tokio::test]
async fn whoever_does_not_answer_is_stood_in_for_by_somebody_who_may() {
    let fake = FakeModels::start().await;
    fake.always("oak", Behaviour::error(401, "invalid_api_key", "no such key"));
    fake.always("elm", Behaviour::error(400, "bad_request", "no"));
    fake.always("ash", Behaviour::Answer(answer(&[])));
    // The first of the list is of the author's family: nobody's failure brings it in.
    let models = [("fir", "anthropic"), ("oak", "openai"), ("elm", "google"), ("ash", "qwen")];
    let (ran, packet) = run(roster(&fake, &models, ""), repository()).await;
    assert_eq!((ran.code, &packet["verdict"]), (0, &json!("clean")), "{}", ran.stdout);
    // The rules' seat of the security lens is the first one.
    assert_eq!(
        seats(&packet),
        ["local/oak for null: failed", "local/elm for 1: failed", "local/ash for 2: answered"]
    );
    let reason = packet["panel"]["seats"][3]["reason"].as_str().expect("a reason");
    assert_eq!(reason, "stands in for local/elm, which failed; shares no family with anthropic");
    assert!(fake.requests().iter().all(|asked| asked.model != "fir"));
    fake.finish();
}

#[tokio::test]
async fn a_hunk_that_a_model_refuses_is_found_and_the_rest_is_reviewed() {
    let fake = FakeModels::start().await;
    let poisoned = |asked: &Asked| match asked.text().contains("let b_45 = items[0];") {
        true => Behaviour::Refuse("I cannot help with that.".to_owned()),
        false => Behaviour::Answer(answer(&[])),
    };
    fake.answers_with("oak", poisoned);
    let (ran, packet) = run(roster(&fake, &[("oak", "openai")], ""), repository()).await;
    // Four hunks: all refused, then the half with b, then b_45 alone; b_5 and the other half were answered.
    assert_eq!(seats(&packet), ["local/oak for null: refused answered refused answered refused"]);
    assert_eq!((ran.code, &packet["verdict"]), (3, &json!("inconclusive")));
    let gaps = packet["gaps"].as_array().expect("gaps");
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert_eq!((&gaps[0]["file"], &gaps[0]["lines"]), (&json!("src/b.rs"), &json!([42, 48])));
    // Another family takes the hunk that the first one would not look at.
    fake.always("elm", Behaviour::Answer(answer(&[])));
    let (ran, packet) = run(roster(&fake, &[("oak", "openai"), ("elm", "google")], ""), repository()).await;
    assert_eq!((ran.code, &packet["verdict"]), (0, &json!("clean")), "{}", ran.stdout);
    assert_eq!(seats(&packet)[1], "local/elm for 1: answered");
    fake.finish();
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_asked_for_once_more() {
    let fake = FakeModels::start().await;
    fake.next("oak", Behaviour::Say("Looks good to me!".into()));
    fake.next("oak", Behaviour::Answer(answer(&[])));
    let (ran, packet) = run(roster(&fake, &[("oak", "openai")], ""), repository()).await;
    assert_eq!(seats(&packet), ["local/oak for null: unreadable answered"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    let again = &fake.requests()[1];
    assert!(again.text().contains("That answer cannot be used: "), "{}", again.text());
    assert!(!again.text().contains("Looks good to me"));
    fake.finish();
}

#[tokio::test]
async fn what_one_reviewer_alone_finds_is_examined_by_another_family() {
    let cases = [
        (ruling("upheld", "let a_5 = items[0];"), "upheld", 1),
        (ruling("refuted", "let a_5 = items[0];"), "refuted", 0),
        (ruling("undecided", ""), "undecided", 1),
        // A quote of a line that was not shown decides nothing.
        (ruling("refuted", "if items.is_empty() { return; }"), "undecided", 1),
    ];
    for (said, verification, code) in cases {
        let fake = FakeModels::start().await;
        fake.always("oak", Behaviour::Answer(answer(&[finding(5, "An empty list panics")])));
        fake.answers_with("elm", move |asked| {
            assert!(examines(asked), "it has no seat");
            Behaviour::Answer(said.clone())
        });
        let (ran, packet) =
            run(roster(&fake, &[("oak", "openai"), ("elm", "google")], ""), repository()).await;
        let claim = &packet["claims"][0];
        assert_eq!((&claim["verification"], ran.code), (&json!(verification), code), "{}", ran.stdout);
        assert_eq!(claim["examination"]["by"], "local/elm");
        assert_eq!(claim["examination"]["unrelated_to_finder"], true);
        let examination = &packet["panel"]["examinations"][0];
        assert_eq!(examination["reason"], "shares no family with the finder (openai) or the author");
        assert_eq!(examination["claims"], json!([claim["id"]]));
        let calls = packet["ledger"]["calls"].as_array().expect("calls");
        assert_eq!(
            calls.last().map(|call| (&call["examination"], &call["seat"])),
            Some((&json!(0), &Value::Null))
        );
        assert!(calls.iter().all(|call| call["reply"].is_string()));
        fake.finish();
    }
}

#[tokio::test]
async fn an_examiner_that_turns_out_to_be_of_the_authors_family_decides_nothing() {
    let fake = FakeModels::start().await;
    fake.always("oak", Behaviour::Answer(answer(&[finding(5, "An empty list panics")])));
    let refuted = Behaviour::Answer(ruling("refuted", "let a_5 = items[0];"));
    fake.always("elm", Behaviour::ServedAs(Some("claude-opus-4-5".into()), Box::new(refuted)));
    let (ran, packet) = run(roster(&fake, &[("oak", "openai"), ("elm", "google")], ""), repository()).await;
    assert_eq!(packet["claims"][0]["verification"], "undecided", "{}", ran.stdout);
    let reason = packet["claims"][0]["examination"]["reason"].as_str().expect("a reason");
    assert!(
        reason.starts_with("the examiner said refuted, and is not independent of the author"),
        "{reason}"
    );
    assert_eq!(ran.code, 1);
    fake.finish();
}

#[tokio::test]
async fn with_one_family_alone_the_second_look_is_its_own_and_says_so() {
    let fake = FakeModels::start().await;
    fake.answers_with("oak", |asked| match examines(asked) {
        true => Behaviour::Answer(ruling("upheld", "let a_5 = items[0];")),
        false => Behaviour::Answer(answer(&[finding(5, "An empty list panics")])),
    });
    let (ran, packet) = run(roster(&fake, &[("oak", "openai")], ""), repository()).await;
    assert_eq!(packet["claims"][0]["verification"], "upheld", "{}", ran.stdout);
    assert_eq!(packet["claims"][0]["examination"]["unrelated_to_finder"], false);
    let reason = packet["panel"]["examinations"][0]["reason"].as_str().expect("a reason");
    assert!(
        reason.starts_with("a fresh look of the finder's own family (openai), which is weaker"),
        "{reason}"
    );
    fake.finish();
}

#[tokio::test]
async fn an_examiner_that_does_not_answer_is_replaced_once_and_the_claim_stands_meanwhile() {
    let fake = FakeModels::start().await;
    fake.always("oak", Behaviour::Answer(answer(&[finding(5, "An empty list panics")])));
    fake.always("elm", Behaviour::Refuse("I will not look at this.".into()));
    fake.always("ash", Behaviour::Say("Hm.".into()));
    let models = [("oak", "openai"), ("elm", "google"), ("ash", "qwen")];
    let (ran, packet) = run(roster(&fake, &models, ""), repository()).await;
    let examinations = packet["panel"]["examinations"].as_array().expect("examinations");
    let told: Vec<_> = examinations.iter().map(|it| (&it["examiner"], &it["outcome"])).collect();
    let expected = [(json!("local/elm"), json!("refused")), (json!("local/ash"), json!("unreadable"))];
    assert_eq!(told, expected.iter().map(|(a, b)| (a, b)).collect::<Vec<_>>());
    assert_eq!((&packet["claims"][0]["verification"], ran.code), (&json!("not_examined"), 1));
    fake.finish();
}

#[tokio::test]
async fn a_cap_on_calls_keeps_dear_models_out_and_a_free_one_stands_in() {
    let fake = FakeModels::start().await;
    fake.always("ash", Behaviour::Answer(answer(&[])));
    let url = fake.base_url();
    let dear = format!(
        "[[model]]\nname = \"local/oak\"\nbase_url = \"{url}\"\nfamilies = [\"openai\"]\ninput_usd = 50\noutput_usd = 500\n"
    );
    let free = format!("[[model]]\nname = \"local/ash\"\nbase_url = \"{url}\"\nfamilies = [\"qwen\"]\n");
    let program = Program::new()
        .config(&format!("[review]\nreviewers_per_lens = 1\nmax_usd_per_call = 0.10\n{dear}{free}"));
    let (ran, packet) = run(program, repository()).await;
    assert_eq!(seats(&packet), ["local/oak for null: over_budget", "local/ash for 1: answered"]);
    let detail = packet["panel"]["seats"][1]["outcomes"][0]["detail"].as_str().expect("a detail");
    assert!(detail.contains("on the call of 0.000000 USD would pass the cap of 0.100000 USD"), "{detail}");
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    fake.finish();
}

#[tokio::test]
async fn the_first_call_with_a_dear_beginning_goes_ahead_so_that_the_others_find_it_in_the_cache() {
    let fake = FakeModels::start().await;
    let slow =
        Behaviour::After(std::time::Duration::from_millis(300), Box::new(Behaviour::Answer(answer(&[]))));
    fake.always("oak", slow);
    let url = fake.base_url();
    let program = Program::new().config(&format!(
        "[[model]]\nname = \"local/oak\"\nbase_url = \"{url}\"\nfamilies = [\"openai\"]\ninput_usd = 1\noutput_usd = 2\n"
    ));
    let repository = repository();
    let ran =
        tokio::task::spawn_blocking(move || program.run(repository.path(), &["review", "--format", "json"]));
    let packet = ran.await.expect("it ran").packet();
    let asked = fake.requests();
    assert!(asked.len() >= 3, "{}", asked.len());
    let waited = |asked_later: &Asked| asked_later.at >= asked[0].at + std::time::Duration::from_millis(300);
    assert!(asked[1..].iter().all(waited), "{:?}", asked.iter().map(|asked| asked.at).collect::<Vec<_>>());
    assert_eq!(packet["verdict"], "clean");
    fake.finish();
}
