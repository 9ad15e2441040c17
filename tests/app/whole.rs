//! All that one pull request is told, word for word, as its maintainers read it.

use std::fmt::Write as _;

use jiff::civil::{Date, Time};
use serde_json::{Value, json};

use super::*;
use crate::support::fake_models::{Asked, Behaviour, FakeModels};
use crate::support::generated;

/// Another app, which runs the tests.
const CI: u64 = 15_368;

/// Where all of it is kept.
const WHOLE: &str = "tests/data/app/whole.md";

/// What the change does: a query made of text, a division by what may be none, and nothing else.
const SEARCH: &str = "\
def search(connection, name):
    return connection.execute(\"SELECT * FROM goods WHERE name = '\" + name + \"'\")


def mean_price(prices):
    return sum(prices) / len(prices)


def cheapest(prices):
    return sorted(prices)[0]
";

fn finding(line: u32, quote: &str, category: &str, severity: &str, title: &str, scenario: &str) -> Value {
    json!({ "file": "shop/search.py", "line_start": line, "line_end": line, "side": "head", "quote": quote,
        "category": category, "severity": severity, "title": title, "scenario": scenario })
}

/// All find the query; oak alone finds two more, of which one is upheld and one refuted, and invents a third.
fn answer_as(asked: &Asked, model: &str) -> Behaviour {
    let used = json!({ "prompt_tokens": 2_000, "completion_tokens": 100 });
    let text = asked.text();
    let answer = if text.contains("You cross-examine claims") {
        let ruling = |claim: &str, quote: &str| match quote.contains("len(") {
            true => json!({ "claim": claim, "quote": quote, "verdict": "upheld",
                "reason": "nothing keeps `prices` from being empty" }),
            false => json!({ "claim": claim, "quote": quote, "verdict": "refuted",
                "reason": "the only caller passes a list that it has just filled" }),
        };
        let (mean, first) = ("return sum(prices) / len(prices)", "return sorted(prices)[0]");
        // Claims are named in the order in which they stand in the question.
        let claims = &text[text.find("c1").unwrap_or_default()..];
        let (one, two) = match claims.find("mean of no prices") < claims.find("cheapest of no prices") {
            true => (mean, first),
            false => (first, mean),
        };
        json!({ "answers": [ruling("c1", one), ruling("c2", two)] })
    } else if text.contains("mean_price") {
        let injection = "return connection.execute(\"SELECT * FROM goods WHERE name = '\" + name + \"'\")";
        let mut findings = vec![finding(
            2,
            injection,
            "security/injection",
            "high",
            "A name becomes part of the query",
            "a visitor searches for `' OR 1=1 --` and reads every row, see https://evil.example and ask @everyone",
        )];
        if model == "oak" {
            findings.push(finding(
                6,
                "return sum(prices) / len(prices)",
                "correctness/null-or-bounds",
                "medium",
                "The mean of no prices divides by zero",
                "a search finds no goods, `prices` is empty, and the page answers with ZeroDivisionError",
            ));
            findings.push(finding(
                10,
                "return sorted(prices)[0]",
                "correctness/null-or-bounds",
                "medium",
                "The cheapest of no prices is not there",
                "`prices` is empty and the first element of an empty list is asked for",
            ));
            findings.push(finding(
                4,
                "os.system(name)",
                "security/command-execution",
                "critical",
                "An invention",
                "the quoted line stands nowhere",
            ));
        }
        json!({ "examined": ["shop/search.py: all of it"], "findings": findings,
            "questions": ["Can a search find nothing?"] })
    } else {
        json!({ "examined": ["all that was shown"], "findings": [], "questions": [] })
    };
    Behaviour::Used(used, Box::new(Behaviour::Answer(answer)))
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_a_pull_request_is_told_reads_as_it_is_kept() {
    let fake = fake();
    let models = FakeModels::start().await;
    for model in ["oak", "elm", "ash"] {
        models.answers_with(model, move |asked| answer_as(asked, model));
    }
    models.always("yew", Behaviour::error(401, "invalid_api_key", "no such key"));
    let url = models.base_url();
    let model = |name: &str, family: &str| {
        format!(
            "[[model]]\nname = \"local/{name}\"\nbase_url = \"{url}\"\nfamilies = [\"{family}\"]\n\
             input_usd = 1.0\noutput_usd = 10.0\n"
        )
    };
    let roster =
        [("fir", "anthropic"), ("yew", "google"), ("oak", "openai"), ("elm", "qwen"), ("ash", "mistral")];
    let roster: String = roster.iter().map(|(name, family)| model(name, family)).collect();
    let config = format!(
        "[review]\nconcurrency = 1\nrequired_checks = [{{ name = \"tests\", app = \"app-{CI}\" }}]\n[[path]]\nmatch = [\"*.snap\"]\n\
         exempt = \"made by a tool\"\n{roster}"
    );
    // Assembled, so that no scanner takes this file for a leak.
    let secret = ["sk", "_live_", "9rTq2LmN7pRs4TuV6wXyZ1aB"].concat();
    let message = "Search for goods\n\nCo-authored-by: Claude Opus 4.6 <noreply@anthropic.com>";
    let key = format!("KEY = \"{secret}\"\n");
    let files =
        [("shop/search.py", SEARCH), ("shop/key.py", &key), ("picture.png", "\0\u{1}"), ("a.snap", "made\n")];
    let head = fake.commit(1, "topic", message, &files);
    let tests = fake.add_check_run(1, &head, "tests", CI, "");
    fake.end_check(1, tests, "failure");
    let (_home, server) = served(&fake, &config, &[]);
    let number = fake.open_pull(
        1,
        &OpenPull {
            title: "Search for goods",
            body: "Finds goods by name.",
            files: &[],
            ..OpenPull::default()
        },
    );
    settled(&fake, &server).await;
    let whole = whole(&fake, number);
    assert!(!whole.contains(&secret));
    generated::same_as_file(WHOLE, &whole);
    models.finish();
    fake.finish();
}

/// All that a pull request was told by us, with what differs from run to run replaced.
fn whole(fake: &FakeGitHub, number: u64) -> String {
    let run = newest_run(fake, &fake.head(1, number)).expect("there is one");
    let text = |name: &str| run.output[name].as_str().unwrap_or_default().to_owned();
    let mut all = format!(
        "# Check run `{}`: {}, {}\n\n# Its title\n\n{}\n\n# Its summary\n\n{}\n\n# Its text\n\n{}\n",
        run.name,
        run.status,
        run.conclusion.as_deref().unwrap_or_default(),
        text("title"),
        text("summary"),
        text("text"),
    );
    for annotation in &run.annotations {
        let pretty = serde_json::to_string_pretty(annotation).expect("JSON");
        write!(all, "\n# An annotation\n\n{pretty}\n").expect("memory");
    }
    for comment in ours(fake, number) {
        write!(all, "\n# The comment\n\n{}", comment.body).expect("memory");
    }
    for review in fake.reviews(1, number) {
        write!(all, "\n# The review\n\n{}", review.body).expect("memory");
    }
    for line in fake.review_comments(1, number) {
        write!(all, "\n# At {}, line {}\n\n{}\n", line.path, line.line, line.body).expect("memory");
    }
    stable(&all)
}

/// A text with each digest and id replaced by the place that it has among them, and with each time replaced.
///
/// Commits stay: the fake's are the same in every run.
fn stable(text: &str) -> String {
    let mut known: Vec<String> = Vec::new();
    let mut stable_word = |word: &str, next: Option<&&str>| {
        let is_seconds = next == Some(&"s") && word.parse::<f64>().is_ok();
        let is_date = word.contains('-') && word.parse::<Date>().is_ok();
        let is_time = word.contains(':') && word.parse::<Time>().is_ok();
        let core = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_digest = matches!(core.len(), 32 | 64) && core.bytes().all(|byte| byte.is_ascii_hexdigit());
        match (is_seconds, is_date, is_time, is_digest) {
            (true, _, _, _) => "0.0".to_owned(),
            (_, true, _, _) => "2026-01-01".to_owned(),
            (_, _, true, _) => "00:00:00".to_owned(),
            (_, _, _, true) => {
                let nth = known.iter().position(|other| other == core).unwrap_or_else(|| {
                    known.push(core.to_owned());
                    known.len() - 1
                });
                word.replace(core, &format!("digest-{}", nth + 1))
            }
            (false, false, false, false) => word.to_owned(),
        }
    };
    let mut stable_line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let replaced = words.iter().enumerate().map(|(nth, word)| stable_word(word, words.get(nth + 1)));
        replaced.collect::<Vec<_>>().join(" ")
    };
    text.split('\n').map(&mut stable_line).collect::<Vec<_>>().join("\n")
}
