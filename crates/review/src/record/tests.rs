use serde_json::{Value, json};

use super::*;
use crate::attribution::{Agents, AuthorshipInput, Share, attribute};
use crate::basis::RulesReport;
use crate::change::Side;
use crate::classify::{ClassifyRules, classify};
use crate::conclude::{Concluded, DoesNotFit, Sitting, conclude};
use crate::diff::change_from_patch;
use crate::engine::{LineageSource, Price, Usage};
use crate::finding::{Category, Finding, Lens, Severity};
use crate::hearing::{Attempt, TimeLeft};
use crate::judge::{Check, CheckRecord, CheckSource, CheckState};
use crate::outcome::{EndingKind, Kept};
use crate::panel::Reviewer;
use crate::policy::{BasePolicy, Origin, PathEffect, PathRule, PathRules};
use crate::prompt::Piece;
use crate::reply::{Cause, FinishV1, Silence};
use crate::{CommitId, Lineage};

const DIFF: &str = "diff --git a/src/a.rs b/src/a.rs\n--- a/src/a.rs\n+++ b/src/a.rs\n\
    @@ -1,3 +1,3 @@ fn a\n let one = 1;\n-let two = 2;\n+let two = items[0];\n let three = 3;\n\
    @@ -41,3 +41,3 @@\n let x = 1;\n-let y = 2;\n+let y = items[1];\n let z = 3;\n\
    diff --git a/logo.png b/logo.png\nBinary files a/logo.png and b/logo.png differ\n\
    diff --git a/old.rs b/new.rs\nsimilarity index 100%\nrename from old.rs\nrename to new.rs\n";

/// A table of families that is read in no time; the author is of the first.
const TABLE: &str = r#"
    [[family]]
    name = "anthropic"
    maker = "Anthropic"
    display = "Claude"
    patterns = ["claude"]
    [[family]]
    name = "openai"
    maker = "OpenAI"
    display = "GPT"
    patterns = ["gpt"]
"#;

fn engine(id: &str, family: &str) -> Engine {
    Engine {
        id: id.into(),
        preference: 0,
        provider: "local".into(),
        model: id.into(),
        lineage: Lineage::of([family]),
        lineage_source: LineageSource::Declared,
        edges: Vec::new(),
        context_tokens: 32_000,
        max_output_tokens: 4_000,
        price: Some(Price::flat(1, 2)),
        price_as_of: None,
    }
}

fn basis(families: &Families) -> Basis {
    let change = change_from_patch(DIFF.as_bytes());
    let declarations = [Declaration::Model("claude-opus-4-5".into())];
    let input = AuthorshipInput { declarations: &declarations, ..AuthorshipInput::default() };
    let attribution = attribute(&input, &Agents::embedded(), families);
    let pictures = PathRule {
        globs: vec!["*.png".into()],
        effect: PathEffect::Exempt,
        reason: "pictures".into(),
        origin: Origin::Operator,
    };
    let finding = Finding {
        category: Category::parse("complexity/function", Lens::Complexity),
        severity: Severity::Low,
        file: "src/a.rs".into(),
        lines: Some((2, 2)),
        side: Side::Head,
        quote: "let two = items[0];".into(),
        title: "Long".into(),
        body: "It is long".into(),
        rule: Some("complexity/long".into()),
    };
    Basis {
        text_digest: Digest::of(b"text"),
        shares: vec![Share::whole(&change, attribution.authors())],
        classification: classify(&change, &ClassifyRules::embedded()),
        rules: RulesReport {
            findings: vec![finding],
            supported: vec![(Lens::Security, vec![0]), (Lens::Complexity, vec![0])],
            failed: vec![(Lens::Complexity, 0, "it cannot be parsed".into())],
            unsafe_to_send: Vec::new(),
            redacted: 1,
            questions: vec![(Lens::Security, "Is it reachable?".into())],
            ..RulesReport::default()
        },
        engines: vec![
            engine("local/oak", "openai"),
            engine("local/elm", "google"),
            engine("local/fir", "qwen"),
        ],
        lineage_sets: families.lineage_sets(),
        policy: Policy {
            lenses: BTreeSet::from([Lens::Correctness, Lens::Complexity]),
            reviewers_per_lens: 1,
            paths: PathRules::new(vec![pictures]).expect("a glob"),
            ..Policy::default()
        },
        no_model_remedy: "set a key".into(),
        checks: vec![Check {
            name: "tests".into(),
            state: CheckState::Failed,
            source: CheckSource::SelfReported,
            exit_code: Some(3),
            detail: String::new(),
            app: None,
            link: None,
            record: Some(CheckRecord {
                digest: Digest::of(b"record"),
                command: vec!["make".into(), "test".into()],
                head: None,
                started_at: 1_790_000_000,
                elapsed_ms: 12,
                log: Digest::of(b"log"),
                log_bytes: 3,
                last_lines: vec!["no".into()],
            }),
        }],
        change,
        attribution,
    }
}

fn says(text: &str, finish: FinishV1) -> Heard {
    let reply = ReplyV1 {
        text: text.into(),
        tool_calls: Vec::new(),
        finish,
        usage: Some(Usage { input: 10, output: 3, ..Usage::default() }),
        served_model: Some("oak".into()),
        request_id: None,
        request_sha256: Digest::of(b"asked"),
        raw_sha256: Digest::of(text.as_bytes()),
        elapsed_ms: 7,
    };
    let kept = |digest: &Digest| Some(Kept { digest: digest.clone(), bytes: 5 });
    Heard {
        prompt: kept(&reply.request_sha256),
        reply: kept(&reply.raw_sha256),
        said: Said::Reply(Box::new(reply)),
        reserved_micro_usd: Some(9),
        micro_usd: Some(4),
        elapsed_ms: 8,
    }
}

fn silent() -> Heard {
    let silence = Silence { kind: EndingKind::Failed, detail: "nobody is there".into(), cause: Cause::Down };
    Heard {
        said: Said::Nothing(silence),
        prompt: None,
        reply: None,
        reserved_micro_usd: None,
        micro_usd: None,
        elapsed_ms: 1,
    }
}

fn answer_with(line: u32, quote: &str) -> String {
    let finding = json!({ "file": "src/a.rs", "line_start": line, "line_end": line, "side": "head", "quote": quote,
        "category": "correctness/null-or-bounds", "severity": "high", "title": "It panics",
        "scenario": "`items` is empty" });
    json!({ "examined": ["all"], "findings": [finding], "questions": ["Why?"] }).to_string()
}

/// One seat of the correctness lens, whose model refuses the whole and one half, is unreadable once and is stood in
/// for; an examiner that is down, and one that answers.
fn proceedings(sitting: &Sitting<'_>) -> Proceedings {
    let seats = &sitting.seated.panel.seats;
    let of_lens = |lens: Lens| {
        seats.iter().position(|seat| seat.lens == lens && seat.reviewer != Reviewer::Rules).expect("a seat")
    };
    let seat = of_lens(Lens::Correctness);
    let Reviewer::Model(engine) = seats[seat].reviewer else { panic!("a model") };
    let pieces: Vec<Piece> = (0..2).map(|hunk| Piece { file: 0, hunk, first: 0, end: 4 }).collect();
    let question =
        Question { seat, part: 0, lens: Lens::Correctness, engine, pieces, attempt: Attempt::First };
    let other = Question {
        seat: of_lens(Lens::Complexity),
        lens: Lens::Complexity,
        engine: match seats[of_lens(Lens::Complexity)].reviewer {
            Reviewer::Model(engine) => engine,
            Reviewer::Rules => panic!("a model"),
        },
        ..question.clone()
    };
    let heard = |seat: usize, part: usize, heard: Heard| HeardQuestion {
        seat,
        part,
        prompt_tokens: 500,
        time: TimeLeft::Enough,
        heard,
    };
    let refusal = || says("", FinishV1::Refused("No.".into()));
    let found = answer_with(2, "let two = items[0];");
    let stand_in = seats.len();
    let calls = vec![
        heard(seat, 0, refusal()),
        heard(other.seat, 0, says(&answer_with(99, "nowhere"), FinishV1::Complete)),
        heard(seat, 2, says("Looks good!", FinishV1::Complete)),
        heard(seat, 1, refusal()),
        heard(seat, 3, says(&answer_with(42, "let y = items[1];"), FinishV1::Complete)),
        heard(stand_in, 0, says(&found, FinishV1::Complete)),
    ];
    let mut proceedings =
        Proceedings { questions: vec![question, other], heard: calls, ..Proceedings::default() };
    proceedings.texts.insert("src/a.rs".into(), Side::Base, "let zero = 0;\n".into());
    let ruling = json!({ "answers": [{ "claim": "c1", "quote": "let two = items[0];", "reason": "it is so",
        "verdict": "upheld" }] });
    // As many examiners as there are cases, whoever they are.
    let heard = sitting.with_the_rest(
        {
            let mut hearing = sitting.begin_hearing(&proceedings.questions);
            for heard in &proceedings.heard {
                hearing.hear(heard).expect("it was asked");
            }
            hearing.end()
        },
        &[],
    );
    let claims = sitting.findings(&heard, &proceedings.texts).claims;
    let mut examination = sitting.cross_examine(&heard, &proceedings.texts, claims);
    for round in 0..2 {
        let cases = examination.next_round();
        let said = |_| if round == 0 { silent() } else { says(&ruling.to_string(), FinishV1::Complete) };
        let round: Vec<Heard> = cases.iter().map(said).collect();
        examination.hear(&cases, &round);
        proceedings.examined.push(round);
    }
    proceedings
}

fn configured() -> Configured {
    Configured {
        base: BasePolicy { max_seconds: Some(60), ..BasePolicy::default() },
        thresholds: BTreeMap::from([("max_nesting".into(), 5)]),
        prompt_tokens: 24_000,
        concurrency: 6,
        caps: BTreeMap::from([("day".into(), 7)]),
    }
}

/// A review, and its record.
fn review() -> (Concluded, Written, BTreeMap<Digest, Vec<u8>>) {
    let families = Families::parse(TABLE).expect("a good table");
    let basis = basis(&families);
    let seated = basis.seat();
    let mut surroundings = crate::prompt::Surroundings::default();
    let line = crate::prompt::ContextLine { number: 40, text: "fn b() {".into() };
    surroundings.set((0, 1), vec![line], Vec::new());
    let briefing = Briefing { surroundings, ..Briefing::default() };
    let run = RunV1 { id: "5".repeat(32), started_at: 1, elapsed_ms: 2, version: "0".into() };
    let sitting =
        Sitting { basis: &basis, seated: &seated, briefing: &briefing, families: &families, run_id: &run.id };
    let proceedings = proceedings(&sitting);
    let mut documents = vec![
        File::new(ReceiptKindV1::Table, FAMILIES, TABLE.into()),
        File::new(ReceiptKindV1::Template, "task v1", b"{{ change }}".to_vec()),
    ];
    let note = Note { commit: CommitId::new(&"a".repeat(40)).expect("an id"), text: "note".into() };
    let mut written = write(&Recording {
        basis: &basis,
        briefing: &briefing,
        proceedings: &proceedings,
        run: &run,
        base: None,
        configured: &configured(),
        notes: &[note],
        declarations: &[Declaration::Human],
        documents: &documents,
    });
    documents.append(&mut written.files);
    written.files = documents;
    let concluded = conclude(&sitting, &proceedings, &run, &written.receipts).expect("it fits");
    let files = written.files.iter().map(|file| (file.receipt.digest.clone(), file.bytes.clone()));
    let files = files.collect();
    (concluded, written, files)
}

fn replay(record: &[u8], files: &BTreeMap<Digest, Vec<u8>>) -> Result<Concluded, String> {
    let opened = Opened::open(record).map_err(|error| error.to_string())?;
    let mut receipts = opened.receipts().to_vec();
    receipts.push(File::new(ReceiptKindV1::Record, "record", record.to_vec()).receipt);
    let recorded = opened.read(files).map_err(|error| error.to_string())?;
    let seated = recorded.basis.seat();
    let sitting = Sitting {
        basis: &recorded.basis,
        seated: &seated,
        briefing: &recorded.briefing,
        families: &recorded.families,
        run_id: &recorded.run.id,
    };
    conclude(&sitting, &recorded.proceedings, &recorded.run, &receipts)
        .map_err(|error: DoesNotFit| error.to_string())
}

#[test]
fn what_was_recorded_comes_to_the_same_packet() {
    let (concluded, written, files) = review();
    let panel = &concluded.packet.panel;
    let endings: Vec<_> =
        panel.seats.iter().flat_map(|seat| &seat.outcomes).map(|outcome| outcome.outcome).collect();
    use EndingKind::{Answered, Refused, Unreadable};
    assert_eq!(
        endings,
        [Answered, Refused, Refused, Unreadable, Answered, Answered, Answered, Answered],
        "{panel:#?}"
    );
    assert!(panel.examinations.len() > 1, "{:#?}", panel.examinations);
    assert_eq!(concluded.packet.unanchored.len(), 1);
    let record = &written.files.last().expect("files").bytes;
    let again = replay(record, &files).expect("it fits");
    assert_eq!(again.packet, concluded.packet);
    assert_eq!(again.packet.canonical_bytes(), concluded.packet.canonical_bytes());
}

#[test]
fn the_receipts_name_every_file_once_and_the_record_last() {
    let (concluded, written, _) = review();
    let receipts = &concluded.packet.receipts;
    assert_eq!(*receipts, written.receipts);
    assert_eq!(receipts.last().map(|last| last.kind), Some(ReceiptKindV1::Record));
    for file in &written.files {
        assert_eq!(
            receipts.iter().filter(|receipt| **receipt == file.receipt).count(),
            1,
            "{:?}",
            file.receipt
        );
    }
    let calls = concluded.packet.ledger.calls.iter().filter(|call| call.reply.is_some()).count();
    let of_kind = |kind| receipts.iter().filter(|receipt| receipt.kind == kind).count();
    assert_eq!([ReceiptKindV1::Prompt, ReceiptKindV1::Reply, ReceiptKindV1::Answer].map(of_kind), [calls; 3]);
}

#[test]
fn a_file_that_is_missing_or_of_another_version_is_named() {
    let (_, written, files) = review();
    let record = written.files.last().expect("files").bytes.clone();
    for file in written.files.iter().filter(|file| Opened::needs(&file.receipt)) {
        let mut files = files.clone();
        files.remove(&file.receipt.digest);
        let error = replay(&record, &files).expect_err("it is needed");
        assert!(error.starts_with("the record does not name its "), "{error}");
    }
    let newer = String::from_utf8(record).expect("JSON").replace("recuse/record/v1", "recuse/record/v2");
    let error = replay(newer.as_bytes(), &files).expect_err("another version");
    assert_eq!(error, "the record is of the version `recuse/record/v2`, which this program does not read");
    let error = replay(b"{}", &files).expect_err("no record");
    assert!(error.starts_with("the record cannot be read: missing field"), "{error}");
}

/// The places of all numbers in a JSON document.
fn numbers(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::Number(_) => found.push(place.to_owned()),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                numbers(item, &format!("{place}/{index}"), found);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                numbers(field, &format!("{place}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Records come from anybody: whatever number stands in one, it is refused or comes to another packet.
#[test]
fn no_number_in_a_record_breaks_a_replay() {
    let (concluded, written, files) = review();
    let record = written.files.last().expect("files");
    let (mut tried, mut refused) = (0, 0);
    for file in &written.files {
        let Ok(content) = serde_json::from_slice::<Value>(&file.bytes) else { continue };
        let mut places = Vec::new();
        numbers(&content, "", &mut places);
        for place in places {
            for number in [0, 1, 7, 4_000_000_000_u64, u64::MAX] {
                let mut altered = content.clone();
                *altered.pointer_mut(&place).expect("a place") = number.into();
                let bytes = serde_json::to_vec(&altered).expect("JSON");
                let outcome = if file == record {
                    replay(&bytes, &files)
                } else {
                    // Under the digest that it had: who calls has to compare them, and this is about what follows.
                    let mut files = files.clone();
                    files.insert(file.receipt.digest.clone(), bytes);
                    replay(&record.bytes, &files)
                };
                tried += 1;
                refused += usize::from(outcome.is_err());
            }
        }
    }
    assert!(tried > 500 && refused > 50 && refused < tried, "{refused} of {tried} were refused");
    assert_eq!(replay(&record.bytes, &files).expect("it fits").packet, concluded.packet);
}
