//! Cross-examination: what a sceptic of another family is shown about claims that nobody else supports, and what
//! he answers.
//!
//! Several claims about one file are asked in one call. Whatever is not answered, answered twice, or answered
//! without a reason and a line of the code that was shown is undecided: only code decides.

mod rounds;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::Severity;
use crate::anchor::{Anchor, FileTexts, stands_in};
use crate::answer::{find_object, find_objects};
use crate::change::{FileChange, Side};
use crate::engine::estimate_tokens;
use crate::merge::{Claim, Examined, Verification};
use crate::outcome::{Call, EndingKind};
use crate::panel::{Examiner, Relation};
use crate::prompt::{
    ContextLine, Material, Piece, PromptFile, lines, nonce, shown_lines, shown_title, texts_of,
};
use crate::text::{shorten, visible, visible_line};

pub use rounds::{CODE_TOKENS, Case, CrossExamination, Examining};

/// The most claims of one call: with more, answers get careless.
pub const MAX_CLAIMS: usize = 6;

/// The most bytes of the author's description that an examiner is shown.
const MAX_BODY_BYTES: usize = 2_000;

/// How many lines round a place outside the change are shown.
const LINES_ROUND: u32 = 12;

/// What an examination starts from.
#[derive(Debug, Clone, Copy)]
pub struct ExaminationInput<'a> {
    /// The change and what stands round it. House rules are no evidence and are not shown.
    pub material: &'a Material<'a>,
    /// Whole files, for claims that are anchored outside the change.
    pub texts: &'a FileTexts,
    /// The changed file, by its index, that all claims are about.
    pub file: usize,
    /// The claims, at most [`MAX_CLAIMS`].
    pub claims: &'a [&'a Claim],
    /// The most tokens of code.
    pub budget_tokens: u32,
    /// Randomness that the caller draws and records; the fence's mark is derived from it.
    pub seed: &'a [u8],
}

/// Claims that are asked about in one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The changed file, by its index.
    pub file: usize,
    /// The claims, by their indices.
    pub claims: Vec<usize>,
}

/// Groups claims into calls: by the file that they are told at, at most [`MAX_CLAIMS`] each, in their order.
pub fn batches(claims: &[&Claim]) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for (index, claim) in claims.iter().enumerate() {
        let Some(file) = told_in(&claim.anchor) else { continue };
        let open = |batch: &&mut Batch| batch.file == file && batch.claims.len() < MAX_CLAIMS;
        match batches.iter_mut().find(open) {
            Some(batch) => batch.claims.push(index),
            None => batches.push(Batch { file, claims: vec![index] }),
        }
    }
    batches
}

/// What an examiner is shown, to be rendered.
#[derive(Debug, Clone, Serialize)]
pub struct ExaminationParts {
    /// What the fences carry.
    pub nonce: String,
    /// The author's title in one line, hidden characters written out.
    pub title: String,
    /// The lines of the author's description, shortened.
    pub body: Vec<String>,
    /// The file, with the hunks that fit.
    pub file: PromptFile,
    /// How many hunks of the file did not.
    pub hidden_hunks: usize,
    /// Lines outside the change that claims are about, each line with its number.
    pub elsewhere: Vec<Excerpt>,
    /// The claims.
    pub claims: Vec<ShownClaim>,
}

/// Lines of a file that the change did not touch.
#[derive(Debug, Clone, Serialize)]
pub struct Excerpt {
    /// The file's path, hidden characters written out.
    pub path: String,
    /// `base` or `head`.
    pub side: &'static str,
    /// The lines: `.40| text`.
    pub text: String,
}

/// A claim as an examiner sees it: without who made it.
#[derive(Debug, Clone, Serialize)]
pub struct ShownClaim {
    /// `c1`, `c2`…
    pub id: String,
    /// What it is about.
    pub category: String,
    /// How bad it is said to be.
    pub severity: &'static str,
    /// Where: `line 12 after the change`.
    pub place: String,
    /// The lines of its quote.
    pub quote: Vec<String>,
    /// Its title, in one line.
    pub title: String,
    /// The lines of its failure scenario.
    pub scenario: Vec<String>,
}

/// What an examiner says about one claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    /// What it comes to.
    pub ruling: Ruling,
    /// Why, in the examiner's words, or in ours where it is undecided for want of an answer. Untrusted text.
    pub reason: String,
    /// The line that decides it, word for word.
    pub quote: String,
}

/// What an examination comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// It goes wrong as claimed.
    Upheld,
    /// It cannot, or it is no defect of this change.
    Refuted,
    /// The code that was shown does not tell.
    Undecided,
}

impl Ruling {
    /// Its name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Upheld => "upheld",
            Self::Refuted => "refuted",
            Self::Undecided => "undecided",
        }
    }
}

/// How one examination ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExaminationOutcome {
    /// Who examined, and why it was chosen.
    pub examiner: Examiner,
    /// The claims, by their ids, in the order in which they were shown.
    pub claims: Vec<String>,
    /// How it ended, and why if there was no answer.
    pub ending: (EndingKind, String),
    /// How the model that answered stands to the authors of the lines.
    pub relation: Relation,
    /// Whether the model that answered shares no family with the finders.
    pub unrelated_to_finder: bool,
    /// The call.
    pub call: Call,
}

/// The most claims of one change that are examined, the worst first.
const MAX_EXAMINED: usize = 40;

/// The claims (by index) that somebody else has to look at: of medium severity or worse, and said by models of one
/// lineage only. What the rules say is not put to a model: no reply can take it away.
pub fn to_be_examined(claims: &[Claim]) -> Vec<usize> {
    let is_alone = |claim: &Claim| {
        let by_rules = claim.sources.iter().any(|source| source.lineage.is_none());
        claim.verification == Verification::NotExamined && !by_rules && claim.severity >= Severity::Medium
    };
    (0..claims.len()).filter(|claim| is_alone(&claims[*claim])).take(MAX_EXAMINED).collect()
}

/// Writes down what an examiner said of a claim, and what follows.
///
/// An examiner that turned out to be related to the author (or may be) decides nothing.
pub fn settle(claim: &mut Claim, call: usize, outcome: &ExaminationOutcome, examination: Examination) {
    let Examination { mut ruling, mut reason, quote } = examination;
    let counts = matches!(outcome.relation, Relation::Unrelated | Relation::NoLineage);
    if !counts && ruling != Ruling::Undecided {
        reason =
            format!("the examiner said {}, and is not independent of the author: {reason}", ruling.name());
        ruling = Ruling::Undecided;
    }
    claim.verification = match ruling {
        Ruling::Upheld => Verification::Upheld,
        Ruling::Refuted => Verification::Refuted,
        Ruling::Undecided => Verification::Undecided,
    };
    claim.examination = Some(Examined { call, ruling, reason, quote });
}

/// Builds what an examiner is shown.
pub fn build_examination(input: &ExaminationInput<'_>) -> ExaminationParts {
    let change = input.material.change;
    let file = &change.files[input.file];
    let hunks = chosen_hunks(input);
    let mut shown = PromptFile::of(file);
    for &hunk in &hunks {
        let end = file.hunks()[hunk].lines().count();
        let piece = Piece { file: input.file, hunk, first: 0, end };
        shown.add(&piece, file, input.material.surroundings);
    }
    let mut parts = ExaminationParts {
        nonce: String::new(),
        title: shown_title(change),
        body: shown_lines(&shorten(&change.body, MAX_BODY_BYTES)),
        hidden_hunks: file.hunks().len() - hunks.len(),
        file: shown,
        elsewhere: excerpts(input),
        claims: input.claims.iter().enumerate().map(|(index, claim)| shown_claim(index, claim)).collect(),
    };
    let claims = input.claims.iter().flat_map(|claim| [&claim.title, &claim.body, &claim.quote]);
    let elsewhere = parts.elsewhere.iter().flat_map(|excerpt| [&excerpt.path, &excerpt.text]);
    let ours = claims.chain(elsewhere).map(String::as_str);
    parts.nonce = nonce(texts_of(change).chain(input.material.surroundings.texts()).chain(ours), input.seed);
    parts
}

/// The schema that examiners are asked to answer in, in the subset that every provider's strict mode takes.
///
/// Servers that write in the order of the keys write quote and reason before the verdict.
pub fn schema() -> Value {
    let text = json!({ "type": "string" });
    let verdicts = [Ruling::Upheld, Ruling::Refuted, Ruling::Undecided].map(Ruling::name);
    let answer = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["claim", "quote", "reason", "verdict"],
        "properties": {
            "claim": text,
            "quote": text,
            "reason": text,
            "verdict": { "type": "string", "enum": verdicts },
        },
    });
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["answers"],
        "properties": { "answers": { "type": "array", "items": answer } },
    })
}

/// Reads an examiner's answer: one examination for each claim that was shown, in their order.
///
/// # Errors
/// A sentence that says why the text is not an answer: no JSON that names one of the claims, two different
/// answers, duplicate keys, too deep or too long.
pub fn read(text: &str, parts: &ExaminationParts) -> Result<Vec<Examination>, String> {
    let listed = answers(text)?;
    let of = |claim: &ShownClaim| -> Vec<&Map<String, Value>> {
        let alone = parts.claims.len() == 1 && listed.len() == 1;
        listed.iter().filter(|answer| names(answer, &claim.id, alone)).collect()
    };
    if parts.claims.iter().all(|claim| of(claim).is_empty()) {
        return Err("the answer names none of the claims".into());
    }
    Ok(parts
        .claims
        .iter()
        .map(|claim| match of(claim)[..] {
            [] => undecided("the examiner did not answer this claim".into()),
            [answer] => examination(answer, parts),
            _ => undecided("the examiner answered this claim twice, and differently".into()),
        })
        .collect())
}

/// The different answers, in a list under `answers`, in a bare list, or alone.
fn answers(text: &str) -> Result<Vec<Map<String, Value>>, String> {
    let wrapped = find_object(text, "answers");
    let mut answers: Vec<Map<String, Value>> = Vec::new();
    match wrapped {
        Ok(mut object) => {
            let Some(Value::Array(listed)) = object.remove("answers") else {
                return Err("`answers` is not a list".into());
            };
            for answer in listed {
                match answer {
                    Value::Object(answer) if !answers.contains(&answer) => answers.push(answer),
                    _ => {}
                }
            }
        }
        Err(problem) => {
            answers = find_objects(text, "verdict")?;
            if answers.is_empty() || text.contains("\"answers\"") {
                return Err(problem);
            }
        }
    }
    Ok(answers)
}

/// Whether an answer is about a claim; `alone` where both are the only ones, and an id may be left out.
fn names(answer: &Map<String, Value>, id: &str, alone: bool) -> bool {
    match answer.get("claim") {
        Some(Value::String(named)) => {
            let named = named.trim().to_ascii_lowercase();
            named == id || id.strip_prefix('c') == Some(&named)
        }
        Some(Value::Number(number)) => id.strip_prefix('c') == Some(&number.to_string()),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => false,
        None => alone,
    }
}

fn examination(answer: &Map<String, Value>, parts: &ExaminationParts) -> Examination {
    let text = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default().trim();
    let ruling = match text("verdict").to_ascii_lowercase().as_str() {
        "upheld" | "uphold" | "confirmed" => Ruling::Upheld,
        "refuted" | "refute" | "rejected" => Ruling::Refuted,
        _ => Ruling::Undecided,
    };
    let (reason, quote) = (shorten(text("reason"), 1_000), shorten(text("quote"), 2_000));
    let is_shown = || {
        let texts = parts.elsewhere.iter().map(|excerpt| &excerpt.text);
        texts.chain([&parts.file.text]).any(|shown| stands_in(&quote, shown))
    };
    let doubt = match ruling {
        Ruling::Undecided => None,
        Ruling::Upheld | Ruling::Refuted if reason.is_empty() => Some("without a reason"),
        Ruling::Upheld | Ruling::Refuted if !is_shown() => Some("with a quote that is not in the code shown"),
        Ruling::Upheld | Ruling::Refuted => None,
    };
    match doubt {
        None => Examination { ruling, reason, quote },
        Some(doubt) => undecided(format!("the examiner said {}, {doubt}: {reason}", ruling.name())),
    }
}

fn undecided(reason: String) -> Examination {
    Examination { ruling: Ruling::Undecided, reason, quote: String::new() }
}

/// The changed file that a claim is told at.
fn told_in(anchor: &Anchor) -> Option<usize> {
    match anchor {
        Anchor::Line { file, .. } | Anchor::File { file } => Some(*file),
        Anchor::Elsewhere { told_at, .. } => Some(told_at.0),
        Anchor::Unanchored { .. } => None,
    }
}

/// The hunks that are shown, in their order: those that claims are about, then the nearest others that fit.
fn chosen_hunks(input: &ExaminationInput<'_>) -> Vec<usize> {
    let file = &input.material.change.files[input.file];
    let claimed: BTreeSet<usize> =
        input.claims.iter().filter_map(|claim| hunk_of(&claim.anchor, file)).collect();
    let distance = |hunk: usize| claimed.iter().map(|claimed| claimed.abs_diff(hunk)).min().unwrap_or(hunk);
    let mut order: Vec<usize> = (0..file.hunks().len()).collect();
    order.sort_by_key(|&hunk| (distance(hunk), hunk));
    let mut left = input.budget_tokens;
    let mut chosen = BTreeSet::new();
    for hunk in order {
        let around = input.material.surroundings;
        let context = around.before(input.file, hunk).iter().chain(around.after(input.file, hunk));
        let context: usize = context.map(|line| line.text.len() + 8).sum();
        let cost = estimate_tokens(
            file.hunks()[hunk].body().len() + 8 * file.hunks()[hunk].lines().count() + context,
        );
        // A hunk that a claim is about is shown whatever it costs.
        if cost > left && !claimed.contains(&hunk) {
            break;
        }
        left = left.saturating_sub(cost);
        chosen.insert(hunk);
    }
    chosen.into_iter().collect()
}

fn hunk_of(anchor: &Anchor, file: &FileChange) -> Option<usize> {
    match anchor {
        Anchor::Line { side, lines, .. } => file.hunks().iter().position(|hunk| {
            hunk.range(*side).is_some_and(|(first, last)| first <= lines.1 && last >= lines.0)
        }),
        Anchor::Elsewhere { told_at, .. } => Some(told_at.1),
        Anchor::File { .. } | Anchor::Unanchored { .. } => None,
    }
}

/// The lines round places outside the change, each place once.
fn excerpts(input: &ExaminationInput<'_>) -> Vec<Excerpt> {
    let mut places = BTreeSet::new();
    for claim in input.claims {
        if let Anchor::Elsewhere { path, side, lines, .. } = &claim.anchor {
            places.insert((path, *side, *lines));
        }
    }
    let excerpt = |(path, side, (first, last)): (&crate::RepoPath, Side, (u32, u32))| {
        let whole = input.texts.get(path, side)?;
        let numbered = (1..).zip(whole.lines());
        let near = |(number, _): &(u32, &str)| {
            *number >= first.saturating_sub(LINES_ROUND) && *number <= last.saturating_add(LINES_ROUND)
        };
        let near: Vec<ContextLine> = numbered
            .filter(near)
            .map(|(number, text)| ContextLine { number, text: text.to_owned() })
            .collect();
        let mut text = String::new();
        lines::context(&mut text, &near);
        let side = match side {
            Side::Base => "base",
            Side::Head => "head",
        };
        Some(Excerpt { path: visible_line(path.as_str()), side, text })
    };
    places.into_iter().filter_map(excerpt).collect()
}

fn shown_claim(index: usize, claim: &Claim) -> ShownClaim {
    let lines = |(first, last): (u32, u32), side: Side| {
        let when = match side {
            Side::Base => "before",
            Side::Head => "after",
        };
        if first == last {
            format!("line {first} {when} the change")
        } else {
            format!("lines {first} to {last} {when} the change")
        }
    };
    let place = match &claim.anchor {
        Anchor::Line { side, lines: at, .. } => lines(*at, *side),
        Anchor::Elsewhere { path, side, lines: at, .. } => {
            format!("{} of {}, outside the change", lines(*at, *side), visible_line(path.as_str()))
        }
        Anchor::File { .. } | Anchor::Unanchored { .. } => "the file as a whole".to_owned(),
    };
    ShownClaim {
        id: format!("c{}", index + 1),
        category: claim.category.as_str().to_owned(),
        severity: claim.severity.name(),
        place,
        quote: shown_lines(&shorten(&claim.quote, 1_000)),
        title: visible_line(&shorten(&claim.title, 200)),
        scenario: visible(&shorten(&claim.body, 2_000)).lines().map(str::to_owned).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::Verification;
    use crate::prompt::Surroundings;
    use crate::prompt::tests::change;
    use crate::{Category, Change, Lens, Severity};

    fn claim(anchor: Anchor) -> Claim {
        Claim {
            id: "0".into(),
            category: Category::parse("correctness/logic", Lens::Correctness),
            severity: Severity::High,
            anchor,
            quote: "let x = 1;".into(),
            title: "x is one".into(),
            body: "always\u{202e}".into(),
            verification: Verification::NotExamined,
            supporters: Vec::new(),
            sources: Vec::new(),
            examination: None,
        }
    }

    fn at(file: usize, line: u32) -> Claim {
        claim(Anchor::Line { file, side: Side::Head, lines: (line, line) })
    }

    fn parts_of(change: &Change, claims: &[&Claim], texts: &FileTexts) -> ExaminationParts {
        let surroundings = Surroundings::default();
        let material = Material { change, surroundings: &surroundings, house_rules: &[] };
        let input =
            ExaminationInput { material: &material, texts, file: 0, claims, budget_tokens: 500, seed: b"s" };
        build_examination(&input)
    }

    fn parts(claims: usize) -> ExaminationParts {
        let change = change(&[("a.rs", " fn f() {\n+    let x = 1;\n-    let x = 2;\n }\n")]);
        let claims: Vec<Claim> = (0..claims).map(|_| at(0, 2)).collect();
        parts_of(&change, &claims.iter().collect::<Vec<_>>(), &FileTexts::default())
    }

    fn check(claims: usize, answer: &str, expected: Result<&[Ruling], &str>) {
        match (read(answer, &parts(claims)), expected) {
            (Ok(read), Ok(rulings)) => {
                let read: Vec<Ruling> = read.iter().map(|examination| examination.ruling).collect();
                assert_eq!(read, rulings, "{answer}");
            }
            (Err(error), Err(part)) => assert!(error.contains(part), "{error:?} should hold {part:?}"),
            (read, expected) => panic!("{answer:.200}: {read:?} instead of {expected:?}"),
        }
    }

    fn answer(claim: &str, verdict: &str) -> String {
        format!(r#"{{"claim":"{claim}","quote":"let x = 1;","reason":"so it is","verdict":"{verdict}"}}"#)
    }

    #[test]
    fn each_claim_gets_its_own_ruling_by_its_id() {
        use Ruling::{Refuted, Undecided, Upheld};
        let both = format!("{},{}", answer("c2", "refuted"), answer("c1", "upheld"));
        check(2, &format!(r#"{{"answers":[{both}]}}"#), Ok(&[Upheld, Refuted]));
        check(2, &format!("Here:\n```json\n[{both}]\n```"), Ok(&[Upheld, Refuted]));
        check(3, &format!(r#"{{"answers":[{both}]}}"#), Ok(&[Upheld, Refuted, Undecided]));
        check(1, r#"{"quote":"let x = 2;","reason":"r","verdict":"Refuted"}"#, Ok(&[Refuted]));
        let numbered = answer("c1", "upheld").replace("\"c1\"", "1");
        check(1, &format!(r#"{{"answers":[{numbered}]}}"#), Ok(&[Upheld]));
    }

    #[test]
    fn what_does_not_rest_on_the_code_is_undecided() {
        use Ruling::Undecided;
        let one = |answer: &str| format!(r#"{{"answers":[{answer}]}}"#);
        check(1, &one(&answer("c1", "maybe")), Ok(&[Undecided]));
        check(1, &one(&answer("c1", "refuted").replace("so it is", " ")), Ok(&[Undecided]));
        check(1, &one(&answer("c1", "refuted").replace("let x = 1;", "guard(x)?;")), Ok(&[Undecided]));
        check(1, &one(&answer("c1", "upheld").replace("let x = 1;", "")), Ok(&[Undecided]));
        let twice = format!("{},{}", answer("c1", "upheld"), answer("c1", "refuted"));
        check(1, &one(&twice), Ok(&[Undecided]));
        check(2, &one(&answer("c2", "upheld")), Ok(&[Undecided, Ruling::Upheld]));
    }

    #[test]
    fn a_quote_with_its_marker_or_of_a_removed_line_counts() {
        for quote in ["+2|     let x = 1;", "let x = 2;", "  let x = 1;  "] {
            let text = format!(r#"{{"answers":[{}]}}"#, answer("c1", "upheld").replace("let x = 1;", quote));
            check(1, &text, Ok(&[Ruling::Upheld]));
        }
    }

    #[test]
    fn what_is_no_answer_is_said_to_be_none() {
        check(1, "", Err("empty"));
        check(1, "I uphold it.", Err("no JSON object"));
        check(1, r#"{"answers":"upheld"}"#, Err("not a list"));
        check(1, r#"{"answers":[]}"#, Err("names none"));
        check(2, r#"{"verdict":"upheld","reason":"r","quote":"let x = 1;"}"#, Err("names none"));
        check(1, &format!(r#"{{"answers":[{}]}}"#, answer("c9", "upheld")), Err("names none"));
        check(1, r#"{"answers":[],"answers":[1]}"#, Err("stands twice"));
        check(1, &format!(r#"{{"answers":[{}"#, answer("c1", "upheld")), Err("not readable JSON"));
        let two = format!(r#"{{"answers":[]}} {{"answers":[{}]}}"#, answer("c1", "refuted"));
        check(1, &two, Err("two different"));
        let deep = format!(r#"{{"answers":{}{}}}"#, "[".repeat(9_999), "]".repeat(9_999));
        check(1, &deep, Err("nested deeper"));
        check(1, &"x".repeat(crate::answer::MAX_ANSWER_BYTES + 1), Err("at most"));
    }

    #[test]
    fn claims_are_asked_by_file_and_a_few_at_a_time() {
        let claims: Vec<Claim> = (0..8).map(|_| at(0, 1)).chain([at(1, 1)]).collect();
        let unanchored = claim(Anchor::Unanchored { reason: String::new() });
        let all: Vec<&Claim> = std::iter::once(&unanchored).chain(&claims).collect();
        let batches: Vec<_> = batches(&all).into_iter().map(|batch| (batch.file, batch.claims)).collect();
        assert_eq!(batches, [(0, vec![1, 2, 3, 4, 5, 6]), (0, vec![7, 8]), (1, vec![9])]);
    }

    #[test]
    fn the_claimed_hunk_is_shown_whatever_it_costs_and_the_nearest_others_while_they_fit() {
        let body = |name: &str, count: usize| format!("+{name}\n").repeat(count);
        let mut change = change(&[("a.rs", "")]);
        let hunk = |start, text: String| crate::Hunk::new(start, start, String::new(), text, false);
        change.files[0].content = crate::change::Content::Text(vec![
            hunk(1, body("far", 200)),
            hunk(300, body("near", 5)),
            hunk(400, body("claimed", 900)),
        ]);
        let claims = [at(0, 410)];
        let parts = parts_of(&change, &[&claims[0]], &FileTexts::default());
        assert_eq!(parts.hidden_hunks, 2);
        assert_eq!(parts.file.text.matches("claimed").count(), 900);
        let claims = [at(0, 301)];
        let parts = parts_of(&change, &[&claims[0]], &FileTexts::default());
        assert!(parts.file.text.contains("near") && !parts.file.text.contains("claimed"));
    }

    #[test]
    fn a_place_outside_the_change_is_shown_with_the_lines_round_it() {
        let change = change(&[("a.rs", "+x\n")]);
        let text: String = (1..=100).map(|n| format!("line {n}\n")).collect();
        let mut texts = FileTexts::default();
        texts.insert("b.rs".into(), Side::Head, text);
        let claim = claim(Anchor::Elsewhere {
            path: "b.rs".into(),
            side: Side::Head,
            lines: (50, 50),
            told_at: (0, 0),
        });
        let parts = parts_of(&change, &[&claim, &claim], &texts);
        assert_eq!(parts.elsewhere.len(), 1);
        assert!(parts.elsewhere[0].text.starts_with(".38| line 38\n"));
        assert!(parts.elsewhere[0].text.ends_with(".62| line 62\n"));
        assert_eq!(parts.claims[1].place, "line 50 after the change of b.rs, outside the change");
        let answer = answer("c1", "refuted").replace("let x = 1;", "line 60");
        let read = read(&format!(r#"{{"answers":[{answer}]}}"#), &parts).expect("an answer");
        assert_eq!(read[0].ruling, Ruling::Refuted);
    }

    #[test]
    fn claims_hide_nothing_and_hold_no_mark() {
        let parts = parts(1);
        assert_eq!(parts.claims[0].scenario, ["always\\u{202e}"]);
        assert_eq!(parts.claims[0].place, "line 2 after the change");
        let mut guessed = at(0, 2);
        guessed.body = parts.nonce.clone();
        let change = change(&[("a.rs", "+x\n")]);
        assert_ne!(parts_of(&change, &[&guessed], &FileTexts::default()).nonce, parts.nonce);
    }
}
