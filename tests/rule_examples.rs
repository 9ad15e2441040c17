//! The examples of the rules through the door: each one that is reported ends as a claim, and none that is left alone does.

use rules::{Example, Neighbour, RuleInfo, catalogue};
use serde_json::Value;

use crate::support::program::Program;
use crate::support::repository::TestRepository;

/// An example in a folder of its own, so that all of them are one change.
struct Placed {
    rule: RuleInfo,
    path: String,
    before: Vec<(String, &'static str)>,
    after: Vec<(String, &'static str)>,
}

impl Placed {
    fn new(index: usize, rule: RuleInfo, example: Example) -> Self {
        // GitHub knows workflows by their folder, and every other file is known by its name.
        let place = |path: &str| match path.strip_prefix(".github/workflows/") {
            Some(name) => format!(".github/workflows/x{index}-{name}"),
            None => format!("x{index}/{path}"),
        };
        let path = place(example.path);
        let mut before: Vec<_> = example.before.map(|text| (path.clone(), text)).into_iter().collect();
        let mut after = vec![(path.clone(), example.after)];
        for Neighbour { path, before: old, after: new } in example.beside {
            before.push((place(path), old));
            after.push((place(path), new));
        }
        Self { rule, path, before, after }
    }

    /// Whether a claim about its file is the rule's.
    fn is_told_by(&self, claim: &Value) -> bool {
        let titles = claim["sources"].as_array().into_iter().flatten().map(|source| &source["title"]);
        let is_titled = titles.chain([&claim["title"]]).any(|title| *title == *self.rule.summary);
        // What is said of a function is titled by its measures.
        let is_told = is_titled || self.rule.id == "complexity/function";
        claim["file"] == *self.path && claim["category"] == self.rule.category.as_str() && is_told
    }
}

/// The packet of one change that holds the chosen example of every rule.
fn packet(examples: &[Placed]) -> Value {
    let files = |side: fn(&Placed) -> &Vec<(String, &'static str)>| -> Vec<(&str, &str)> {
        examples.iter().flat_map(side).map(|(path, text)| (path.as_str(), *text)).collect()
    };
    let mut before = files(|placed| &placed.before);
    before.push(("LICENSE", "Free.\n"));
    let repository = TestRepository::with_main(&before);
    repository.commit("Show the rules", &files(|placed| &placed.after));
    let arguments = ["review", "--offline", "--base", "main", "--format", "json"];
    Program::new().run(repository.path(), &arguments).packet()
}

fn placed(choose: fn(&RuleInfo) -> Option<Example>) -> Vec<Placed> {
    let rules = catalogue().into_iter().filter_map(|rule| Some((choose(&rule)?, rule)));
    rules.enumerate().map(|(index, (example, rule))| Placed::new(index, rule, example)).collect()
}

#[test]
fn every_bad_example_ends_as_a_claim() {
    let examples = placed(|rule| rule.bad);
    let packet = packet(&examples);
    let claims = packet["claims"].as_array().expect("a list");
    let missing: Vec<_> = examples
        .iter()
        .filter(|example| !claims.iter().any(|claim| example.is_told_by(claim)))
        .map(|example| format!("{} in {}", example.rule.id, example.path))
        .collect();
    assert_eq!(missing, [""; 0]);
    assert_eq!(packet["unanchored"], serde_json::json!([]));
}

#[test]
fn no_good_example_ends_as_a_claim_of_its_rule() {
    let examples = placed(|rule| rule.good);
    let packet = packet(&examples);
    let claims = packet["claims"].as_array().expect("a list");
    let told: Vec<_> = examples
        .iter()
        .filter(|example| claims.iter().any(|claim| example.is_told_by(claim)))
        .map(|example| format!("{} in {}", example.rule.id, example.path))
        .collect();
    assert_eq!(told, [""; 0]);
}
