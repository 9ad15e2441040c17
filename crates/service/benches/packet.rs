//! How long a packet of a large review takes: deciding it, writing its bytes, signing and verifying it.
//!
//! `cargo bench -p service`

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use divan::Bencher;
use models::{Content, Finish, Message, Model, ModelError, Prompt, Reply};
use review::diff::change_from_patch;
use review::engine::{Engine, LineageSource, Usage};
use review::packet::{PacketV1, ReadPacket, read};
use review::{Digest, Lineage};
use serde_json::json;
use service::config::{Config, OperatorFile, Overrides, merge};
use service::fan_out::Clock;
use service::office::KeepReceipts;
use service::prompts::Prompts;
use service::replay::replay;
use service::review_one::{ReviewRequest, review_with};
use service::roster::Roster;
use service::signing::{SignatureFile, SigningKey, TrustedKeys, beside, generate};
use service::steps::Steps;
use service::tables::Tables;
use service::verify::{Against, VerifyRequest, replayed, verify};
use store::{ReceiptFolder, Receipts};
use tempfile::TempDir;
use tokio::runtime::Runtime;

fn main() {
    divan::main();
}

const LINES: usize = 5_000;
const LINES_A_FILE: usize = 100;
/// Every so many lines both models find something, each in words of its own.
const LINES_A_FINDING: usize = 100;
const NOW: i64 = 1_800_000_000;
const VERSION: &str = "0.1.0";

/// New files of ordinary lines.
fn diff() -> String {
    let mut diff = String::new();
    for file in 0..LINES / LINES_A_FILE {
        let path = format!("src/module_{file}.rs");
        diff.push_str(&format!("--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{LINES_A_FILE} @@\n"));
        for line in 0..LINES_A_FILE {
            diff.push_str(&format!("+    let value_{} = items[{line}];\n", file * LINES_A_FILE + line));
        }
    }
    diff
}

/// A model that finds what it is shown of every hundredth line.
struct Finder(&'static str);

#[async_trait]
impl Model for Finder {
    async fn ask(&self, prompt: &Prompt) -> Result<Reply, ModelError> {
        let Some(Message::User(text)) = prompt.messages.first() else {
            unreachable!("the first message is ours")
        };
        let shown = (0..LINES).step_by(LINES_A_FINDING).filter_map(|line| {
            let (file, number) = (line / LINES_A_FILE, line % LINES_A_FILE);
            let quote = format!("let value_{line} = items[{number}];");
            text.contains(&quote).then(|| {
                json!({ "file": format!("src/module_{file}.rs"), "line_start": number + 1, "line_end": number + 1,
                    "side": "head", "quote": quote, "category": "correctness/null-or-bounds", "severity": "medium",
                    "title": format!("{} says that line {line} may panic", self.0),
                    "scenario": "`items` is empty after a reset, and an element of an empty list panics" })
            })
        });
        let findings: Vec<_> = shown.collect();
        let answer = json!({ "examined": ["all of it"], "findings": findings, "questions": [] }).to_string();
        let raw = json!({ "model": self.0, "content": answer }).to_string();
        let request = text.clone();
        Ok(Reply {
            content: Content::Text(answer),
            finish: Finish::Complete,
            usage: Some(Usage { input: 30_000, output: 800, ..Usage::default() }),
            served_model: Some(self.0.to_owned()),
            request_id: None,
            request_sha256: Digest::of(request.as_bytes()),
            request: request.into(),
            raw: raw.into(),
            elapsed_ms: 1_000,
        })
    }
}

fn roster() -> Roster {
    let engine = |(preference, (name, family)): (usize, (&str, &str))| Engine {
        id: format!("local/{name}"),
        preference,
        provider: "local".to_owned(),
        model: name.to_owned(),
        lineage: Lineage::of([family]),
        lineage_source: LineageSource::Declared,
        edges: Vec::new(),
        context_tokens: 128_000,
        max_output_tokens: 8_000,
        price: None,
        price_as_of: None,
    };
    Roster {
        engines: [("oak", "openai"), ("elm", "qwen")].into_iter().enumerate().map(engine).collect(),
        models: vec![Arc::new(Finder("oak")), Arc::new(Finder("elm"))],
    }
}

/// A review, and all that it left.
struct Reviewed {
    folder: TempDir,
    diff: String,
    packet: PacketV1,
    read: ReadPacket,
    runtime: Runtime,
    tables: Tables,
    prompts: Prompts,
}

impl Reviewed {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (tables, diff) = (Tables::embedded(), diff());
        let config: Config = merge(OperatorFile::default(), &Overrides::default()).expect("the defaults");
        let database = format!("sqlite:{}", folder.path().join("recuse.db").display());
        let keep = KeepReceipts::InFolder(folder.path().join("receipts"));
        let request = ReviewRequest {
            change: change_from_patch(diff.as_bytes()),
            repository: None,
            opened: None,
            store: None,
            steps: Steps::NotKept,
            base: None,
            notes: Vec::new(),
            declarations: Vec::new(),
            checks: &[],
            repository_key: String::new(),
            config: &config,
            tables: &tables,
            environment: &|name| (name == "RECUSE_DATABASE_URL").then(|| database.clone()),
            receipts: &keep,
            run_id: "0".repeat(32),
            now: NOW,
            clock: Clock::OfTheReplies,
            version: VERSION,
            progress: &|_| (),
        };
        let packet = runtime.block_on(review_with(&request, roster())).expect("the review");
        assert!(packet.claims.len() >= LINES / LINES_A_FINDING, "{} claims", packet.claims.len());
        let read = read(&packet.canonical_bytes()).expect("the packet of a review");
        let prompts = Prompts::embedded().expect("the built-in prompts");
        Self { folder, diff, packet, read, runtime, tables, prompts }
    }

    fn receipts(&self) -> Receipts {
        Receipts::Folder(ReceiptFolder::at(&self.folder.path().join("receipts")))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// From the recorded replies to a packet, receipts read and compared.
#[divan::bench]
fn packet_of_5_000_lines(bencher: Bencher) {
    let reviewed = Reviewed::new();
    let receipts = reviewed.receipts();
    bencher.bench_local(|| {
        let replayed =
            reviewed.runtime.block_on(replay(&reviewed.read, &receipts, None)).expect("the record");
        assert!(replayed.difference.is_none(), "{:?}", replayed.difference);
    });
}

/// Canonical bytes, an SSH signature and a DSSE envelope.
#[divan::bench]
fn sign_5_000_lines(bencher: Bencher) {
    let reviewed = Reviewed::new();
    generate(&reviewed.path("key")).expect("a key");
    let key = SigningKey::read(&reviewed.path("key")).expect("the key");
    bencher.bench_local(|| key.sign(&reviewed.packet).expect("a signature"));
}

/// Everything that can be checked: bytes read, signatures, the diff and the rules, receipts, words, and the replay.
#[divan::bench]
fn verify_5_000_lines(bencher: Bencher) {
    let reviewed = Reviewed::new();
    generate(&reviewed.path("key")).expect("a key");
    let signed = SigningKey::read(&reviewed.path("key")).expect("the key").sign(&reviewed.packet);
    let signed = signed.expect("a signature");
    let files = beside(&reviewed.path("packet.json"));
    let signatures: Vec<SignatureFile> = files
        .iter()
        .zip([signed.ssh, signed.dsse])
        .map(|(path, text)| SignatureFile { name: path.display().to_string(), text })
        .collect();
    let keys = TrustedKeys::read(&[reviewed.path("key.pub")]).expect("the public key");
    let (bytes, receipts) = (reviewed.packet.canonical_bytes(), reviewed.receipts());
    bencher.bench_local(|| {
        let read = read(&bytes).expect("the packet of a review");
        let request = VerifyRequest {
            read: &read,
            file_name: "packet.json",
            digest: None,
            against: Against::Diff(reviewed.diff.as_bytes()),
            signatures: &signatures,
            keys: &keys,
            receipts: Some(&receipts),
            tables: &reviewed.tables,
            prompts: &reviewed.prompts,
            version: VERSION,
            now: NOW,
        };
        let mut proofs = reviewed.runtime.block_on(verify(&request)).expect("all can be read");
        proofs.push(reviewed.runtime.block_on(replayed(&request, None)).expect("all can be read"));
        for proof in &proofs {
            assert_eq!(proof.state, review::verify::ProofState::Holds, "{}: {}", proof.name, proof.detail);
        }
    });
}
