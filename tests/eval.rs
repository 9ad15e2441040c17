//! `recuse eval` through its door: cases on disk, models that are a fake, the whole report.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::fake_models::{Behaviour, FakeModels};
use crate::support::program::{Program, Ran};
use crate::support::repository::TestRepository;

const DIFF: &str = "diff --git a/src/total.rs b/src/total.rs\n--- a/src/total.rs\n+++ b/src/total.rs\n\
                    @@ -1,3 +1,5 @@\n pub fn total(items: &[u32]) -> u32 {\n-    items.iter().sum()\n\
                    +    items.iter().sum::<u32>() / items.len() as u32\n+}\n+pub fn first(items: &[u32]) -> u32 {\n\
                    +    items[0]\n }\n";

const AVERAGE: &str = "items.iter().sum::<u32>() / items.len() as u32";
const FIRST: &str = "items[0]";

/// A folder with one change that has two known issues, and one that has none.
fn cases() -> TempDir {
    let root = TempDir::new().expect("a folder");
    let average = json!({ "id": "1", "file": "src/total.rs", "line_start": 2, "line_end": 2, "severity": "high",
        "category": "bug", "text": "Division by zero: total of an empty slice panics" });
    let first = json!({ "id": "2", "file": "src/total.rs", "line_start": 5, "line_end": 5, "severity": null,
        "category": "correctness/null-or-bounds", "text": "Indexing the first item panics for an empty slice" });
    write_case(root.path(), "team/bad", DIFF, &json!({ "id": "bad" }), &json!([average, first]));
    let clean = DIFF.replace("total", "sum_up");
    write_case(root.path(), "team/good", &clean, &json!({ "id": "good" }), &json!([]));
    root
}

fn write_case(root: &Path, folder: &str, diff: &str, meta: &Value, gold: &Value) {
    let folder = root.join(folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    let texts = [diff.to_owned(), meta.to_string(), gold.to_string()];
    for (name, text) in ["diff.patch", "meta.json", "gold.json"].iter().zip(texts) {
        std::fs::write(folder.join(name), text).expect("written");
    }
}

fn finding(quote: &str, line: u32, title: &str, scenario: &str) -> Value {
    json!({ "file": "src/total.rs", "line_start": line, "line_end": line, "side": "head", "quote": quote,
        "category": "correctness/null-or-bounds", "severity": "high", "title": title, "scenario": scenario })
}

/// Answers the correctness lens about the bad change with these findings, and everything else with nothing.
fn says(fake: &FakeModels, model: &str, findings: Vec<Value>) {
    fake.answers_with(model, move |asked| {
        let is_bad = asked.text().contains("pub fn total");
        let is_correctness = asked.text().contains("correctness/logic");
        let findings = if is_bad && is_correctness { findings.clone() } else { Vec::new() };
        Behaviour::Answer(json!({ "examined": ["all of it"], "findings": findings, "questions": [] }))
    });
}

fn program(fake: &FakeModels) -> Program {
    let model = |name: &str, family: &str| {
        let url = fake.base_url();
        format!("[[model]]\nname = \"local/{name}\"\nbase_url = \"{url}\"\nfamilies = [\"{family}\"]\n")
    };
    Program::new().config(&[model("oak", "openai"), model("elm", "qwen")].concat())
}

async fn eval(program: Program, cases: &Path, out: &Path, more: &[&str]) -> Ran {
    let [cases, out] = [cases, out].map(|path| path.display().to_string());
    let more: Vec<String> = more.iter().map(|more| (*more).to_owned()).collect();
    tokio::task::spawn_blocking(move || {
        let mut arguments = vec!["eval", &cases, "--out", &out];
        arguments.extend(more.iter().map(String::as_str));
        program.run(&std::env::temp_dir(), &arguments)
    })
    .await
    .expect("it ran")
}

fn report(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", ran.stdout, ran.stderr))
}

/// Every file below a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.display().to_string(), std::fs::read(&path).expect("a file"));
        }
    }
    found
}

const JSON: [&str; 2] = ["--format", "json"];
const PANEL: [&str; 4] = ["--panel", "local/oak,local/elm", "--format", "json"];

#[tokio::test]
async fn two_models_are_measured_alone_together_and_against_each_other() {
    let fake = FakeModels::start().await;
    let average = || {
        finding(AVERAGE, 2, "Division by zero for an empty slice", "`total(&[])` divides by zero and panics")
    };
    let first = finding(FIRST, 5, "Indexing panics", "`first(&[])` panics: an empty slice has no first item");
    let mut wrong = finding(FIRST, 5, "Copies the vector", "allocates a needless buffer for each call");
    wrong["category"] = json!("correctness/resource-leak");
    let invented = finding("unsafe { transmute(x) }", 2, "Undefined behaviour", "transmutes");
    says(&fake, "oak", vec![average(), first]);
    says(&fake, "elm", vec![average(), wrong, invented]);
    let (cases, out) = (cases(), TempDir::new().expect("a folder"));
    let ran = eval(program(&fake), cases.path(), out.path(), &PANEL).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report = report(&ran);
    assert_eq!((&report["cases"]["reviewed"], &report["cases"]["clean"]), (&json!(2), &json!(1)));
    let filter = |name: &str| {
        let panel = report["panel"].as_array().expect("filters");
        let score = &panel.iter().find(|row| row["filter"] == name).expect("a filter")["score"];
        let of = |what: &str| (score[what]["hits"].as_u64(), score[what]["of"].as_u64());
        (of("precision"), of("recall"))
    };
    let counts = |hits: u64, of: u64| (Some(hits), Some(of));
    assert_eq!(filter("everything"), (counts(2, 4), counts(2, 2)));
    assert_eq!(filter("anchored"), (counts(2, 3), counts(2, 2)));
    assert_eq!(filter("agreed"), (counts(1, 1), counts(1, 2)));
    let engine = |name: &str| {
        let engines = report["engines"].as_array().expect("engines");
        engines.iter().find(|row| row["engine"] == name).expect("an engine").clone()
    };
    assert_eq!(engine("local/oak")["score"]["f1"], json!(1.0));
    assert_eq!(engine("local/elm")["score"]["precision"]["value"], json!(0.5));
    assert_eq!(engine("local/elm")["unanchored"], json!(1));
    assert_eq!(engine("rules")["score"]["recall"]["hits"], json!(0));
    let pairs = report["pairs"].as_array().expect("pairs");
    let pair = pairs.iter().find(|pair| pair["first"] == "local/elm").expect("the two models");
    assert_eq!((&pair["second"], &pair["counts"]), (&json!("local/oak"), &json!([1, 0, 1, 0])));
    assert_eq!(report["union"][0]["engine"], "local/oak");
    assert_eq!(report["union"][0]["marginal_recall"]["hits"], json!(1));
    let predictions = std::fs::read(out.path().join("bad.json")).expect("predictions");
    let predictions: Value = serde_json::from_slice(&predictions).expect("JSON");
    assert_eq!(predictions.as_array().map(Vec::len), Some(3), "{predictions:#}");
    let keys: Vec<&String> = predictions[0].as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["category", "file", "line_end", "line_start", "severity", "text"]);
    assert_eq!(std::fs::read_to_string(out.path().join("good.json")).expect("predictions"), "[]\n");
    fake.finish();
}

#[tokio::test]
async fn a_second_run_asks_nobody_and_gives_the_same_bytes() {
    let fake = FakeModels::start().await;
    let found = finding(AVERAGE, 2, "Division by zero for an empty slice", "`total(&[])` panics");
    says(&fake, "oak", vec![found.clone()]);
    says(&fake, "elm", vec![found]);
    let (cases, out) = (cases(), TempDir::new().expect("a folder"));
    let first = eval(program(&fake), cases.path(), out.path(), &PANEL).await;
    let (asked, kept) = (fake.requests().len(), files(out.path()));
    assert!(asked > 0);
    let second = eval(program(&fake), cases.path(), out.path(), &PANEL).await;
    assert_eq!((&second.stdout, fake.requests().len()), (&first.stdout, asked));
    assert_eq!(files(out.path()), kept);
    // Without the packets everything is done again, from the replies alone.
    std::fs::remove_dir_all(out.path().join("packets")).expect("removed");
    let third = eval(program(&fake), cases.path(), out.path(), &PANEL).await;
    assert_eq!((&third.stdout, fake.requests().len()), (&first.stdout, asked));
    assert_eq!(files(out.path()), kept);
    fake.finish();
}

#[tokio::test]
async fn what_a_model_did_not_answer_is_asked_again_and_counts_against_nobody_else() {
    let fake = FakeModels::start().await;
    says(&fake, "elm", vec![finding(AVERAGE, 2, "Division by zero", "an empty slice panics")]);
    fake.always("oak", Behaviour::error(400, "invalid_request_error", "no"));
    let (cases, out) = (cases(), TempDir::new().expect("a folder"));
    let ran = eval(program(&fake), cases.path(), out.path(), &PANEL).await;
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("incomplete: bad: "), "{}", ran.stderr);
    let first = report(&ran);
    assert_eq!(first["cases"]["incomplete"], json!(2));
    let oak = first["engines"].as_array().expect("engines").iter().find(|row| row["engine"] == "local/oak");
    let oak = oak.expect("it was seated");
    assert_eq!((&oak["score"]["changes"], &oak["unanswered_changes"]), (&json!(0), &json!(2)));
    says(&fake, "oak", vec![]);
    let before = fake.requests().len();
    let ran = eval(program(&fake), cases.path(), out.path(), &PANEL).await;
    assert_eq!((ran.code, &report(&ran)["cases"]["reviewed"]), (0, &json!(2)), "{}", ran.stderr);
    let later = fake.requests().split_off(before);
    assert!(!later.is_empty() && later.iter().all(|asked| asked.model == "oak"));
    fake.finish();
}

#[tokio::test]
async fn the_cap_is_on_the_evaluation_as_a_whole() {
    let fake = FakeModels::start().await;
    let answer = json!({ "examined": ["all of it"], "findings": [], "questions": [] });
    let used = json!({ "prompt_tokens": 2_000, "completion_tokens": 100 });
    fake.always("oak", Behaviour::Used(used, Box::new(Behaviour::Answer(answer))));
    let config = format!(
        "[[model]]\nname = \"local/oak\"\nbase_url = \"{}\"\nfamilies = [\"openai\"]\ninput_usd = 1.0\n\
         output_usd = 10.0\nmax_output_tokens = 1000\n",
        fake.base_url()
    );
    let (cases, out) = (cases(), TempDir::new().expect("a folder"));
    // One change costs 0.009 USD with three lenses; each call may cost some 0.013.
    let arguments = ["--max-usd", "0.009", "--format", "json", "--lens", "security"];
    let ran = eval(Program::new().config(&config), cases.path(), out.path(), &arguments).await;
    let report = report(&ran);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(report["cost"]["micro_usd"].as_u64().is_some_and(|spent| spent <= 9_000), "{}", report["cost"]);
    assert!(
        report["cases"]["incomplete"].as_u64() > Some(0) || report["cases"]["over_budget"].as_u64() > Some(0)
    );
    fake.finish();
}

#[test]
fn the_rules_alone_need_no_key_and_no_network() {
    let (cases, out) = (cases(), TempDir::new().expect("a folder"));
    let [cases, out] = [&cases, &out].map(|folder| folder.path().display().to_string());
    let ran = Program::new().run(&std::env::temp_dir(), &["eval", &cases, "--offline", "--out", &out]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for part in ["2 of 2 changes reviewed", "n is small", "precision (95 %)", "agreed", "no calls"] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    assert!(Path::new(&out).join("packets/bad.json").exists());
}

#[test]
fn a_case_that_cannot_be_used_is_a_row_and_a_line_and_the_others_go_on() {
    let (cases, out) = (cases(), TempDir::new().expect("a folder"));
    let root = cases.path();
    write_case(root, "x/empty", "", &json!({}), &json!([]));
    write_case(root, "x/twice", DIFF, &json!({ "id": "bad" }), &json!([]));
    write_case(root, "x/elsewhere", DIFF, &json!({}), &json!([{ "file": "other.rs", "text": "x" }]));
    write_case(root, "x/broken", DIFF, &json!({}), &json!([]));
    std::fs::write(root.join("x/broken/gold.json"), "[{").expect("written");
    write_case(root, "x/lacking", DIFF, &json!({}), &json!([]));
    std::fs::remove_file(root.join("x/lacking/meta.json")).expect("removed");
    let [folder, out] = [root, out.path()].map(|path| path.display().to_string());
    let arguments = ["eval", &folder, "--offline", "--out", &out, JSON[0], JSON[1]];
    let ran = Program::new().run(&std::env::temp_dir(), &arguments);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let report = report(&ran);
    assert_eq!((&report["cases"]["reviewed"], &report["cases"]["unusable"]), (&json!(2), &json!(5)));
    for line in [
        "not used: x/empty: its diff.patch is empty",
        "not used: x/twice: its id `bad` is that of team/bad too",
        "not used: x/elsewhere: issue 1 of gold.json: it is in other.rs, which the diff does not change",
        "not used: x/broken: could not read its gold.json: ",
        "not used: x/lacking: could not open its meta.json: ",
    ] {
        assert!(ran.stderr.contains(line), "{line}: {}", ran.stderr);
    }
    let lines = ran.stderr.lines().filter(|line| line.contains("not used")).count();
    assert_eq!(lines, 5, "one line each: {}", ran.stderr);
}

#[test]
fn a_folder_without_cases_says_what_a_case_is() {
    let empty = TempDir::new().expect("a folder");
    let ran = Program::new().run(empty.path(), &["eval", ".", "--offline"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("could not find a case below ."), "{}", ran.stderr);
    let ran = Program::new().run(empty.path(), &["eval", "missing", "--offline"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("could not read the folder missing"), "{}", ran.stderr);
}

#[test]
fn a_history_says_what_was_undone_and_what_nobody_blamed() {
    // The rules find the private function that is too long, in whole files that only a repository has.
    let repository = TestRepository::with_main(&[("a.rs", "fn a() {}\n")]);
    let branches: String = (0..40).map(|n| format!("    if x == {n} {{ y({n}); }}\n")).collect();
    repository.commit("Add b", &[("a.rs", &format!("fn a() {{}}\nfn b(x: u8) {{\n{branches}}}\n"))]);
    let bad = repository.git(&["rev-parse", "HEAD"]).trim().to_owned();
    repository.commit("Add c", &[("c.rs", "fn c() {}\n")]);
    let good = repository.git(&["rev-parse", "HEAD"]).trim().to_owned();
    repository.commit(
        &format!("Split b\n\nFixes: {}", &bad[..12]),
        &[("a.rs", "fn a() {}\nfn b(x: u8) { y(x) }\n")],
    );
    let list =
        repository.write("ranges.txt", &format!("# ours\n{bad}\n{good}^..{good}  # fine\nnowhere\n..x\n"));
    let out = TempDir::new().expect("a folder");
    let [list, out] = [list.as_path(), out.path()].map(|path| path.display().to_string());
    let arguments = ["eval", "--ranges", &list, "--offline", "--out", &out, JSON[0], JSON[1]];
    let ran = Program::new().run(repository.path(), &arguments);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("not used: nowhere: could not find the commit"), "{}", ran.stderr);
    assert!(ran.stderr.contains("not used: ..x: it names no base"), "{}", ran.stderr);
    let report = report(&ran);
    let cases = &report["cases"];
    assert_eq!((&cases["reviewed"], &cases["clean"], &cases["known"]), (&json!(2), &json!(1), &json!(1)));
    assert_eq!(cases["by_place_alone"], json!(1));
    let rules = report["engines"].as_array().expect("engines").iter().find(|row| row["engine"] == "rules");
    let score = &rules.expect("the rules")["score"];
    assert_eq!(
        (&score["recall"]["hits"], &score["clean_flagged"]["hits"]),
        (&json!(1), &json!(0)),
        "{score:#}"
    );
    let history = std::fs::read_to_string(Path::new(&out).join("history.json")).expect("written");
    let history: Value = serde_json::from_str(&history).expect("JSON");
    assert_eq!(history[0]["subject"], "Split b");
    assert_eq!(history[0]["places"][0][0], "a.rs");
}
