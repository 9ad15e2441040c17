//! Every field of a packet is changed, one at a time: verifying says what broke. The fields that only the record, the
//! digest and the signature protect are listed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use git::Repository;
use report::{Colour, PacketName, Seal, TerminalOptions, Verbosity, markdown, sarif, terminal};
use review::Digest;
use review::packet::{ReadPacket, read};
use review::verify::{Facts, Proof, ProofState, UNCHECKED, recompute};
use serde_json::{Value, json};
use service::office::open_store;
use service::prompts::Prompts;
use service::signing::{SignatureFile, TrustedKeys, check};
use service::tables::Tables;
use service::verify::{Against, VerifyRequest, replayed, verify};
use store::Receipts;
use tokio::runtime::Runtime;

use crate::support::packets::Made;

/// When the packets are checked: in 2100.
const NOW: i64 = 4_102_444_800;

/// A place in a document: keys and indices.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// One change of one field.
pub(crate) struct Mutation {
    /// Where, without indices: `claims[].body`.
    pub(crate) field: String,
    /// What was done to it.
    pub(crate) what: String,
    /// The whole, with it.
    pub(crate) document: Value,
}

fn field(path: &[Step]) -> String {
    let mut name = String::new();
    for step in path {
        match step {
            Step::Key(key) if name.is_empty() => name.push_str(key),
            Step::Key(key) => name.push_str(&format!(".{key}")),
            Step::Index(_) => name.push_str("[]"),
        }
    }
    name
}

fn at<'v>(document: &'v mut Value, path: &[Step]) -> &'v mut Value {
    path.iter().fold(document, |value, step| match step {
        Step::Key(key) => value.get_mut(key).expect("a key on the way"),
        Step::Index(index) => value.get_mut(index).expect("an item on the way"),
    })
}

fn walk(value: &Value, path: &mut Vec<Step>, all: &mut Vec<(Vec<Step>, Value)>) {
    all.push((path.clone(), value.clone()));
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                path.push(Step::Key(key.clone()));
                walk(value, path, all);
                path.pop();
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                path.push(Step::Index(index));
                walk(value, path, all);
                path.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Strings altered and replaced by others of their kind, numbers up by one, booleans flipped, values where there were
/// none and none where there were some, texts and lists emptied, lists reversed, items and keys added and removed, the
/// first item twice.
pub(crate) fn mutations(document: &Value) -> Vec<Mutation> {
    let mut all = Vec::new();
    walk(document, &mut Vec::new(), &mut all);
    let mut values: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (path, value) in &all {
        let known = values.entry(field(path)).or_default();
        if !value.is_null() && !known.contains(value) {
            known.push(value.clone());
        }
    }
    let mut mutations = Vec::new();
    for (path, value) in &all {
        let field = field(path);
        let mut change = |what: String, new: Value| {
            let mut changed = document.clone();
            *at(&mut changed, path) = new;
            mutations.push(Mutation { field: field.clone(), what, document: changed });
        };
        let other = values[&field].iter().find(|other| *other != value);
        if !value.is_null() && !path.is_empty() {
            change("null".into(), Value::Null);
        }
        match value {
            Value::String(text) => {
                if !text.is_empty() {
                    change("emptied".into(), json!(""));
                }
                change("altered".into(), json!(format!("{text}x")));
                if let Some(other) = other.cloned().or_else(|| sibling(&field, text)) {
                    change(format!("now {other}"), other);
                }
            }
            Value::Number(number) => {
                let number = number.as_i64().expect("an integer");
                change("one more".into(), json!(number + 1));
            }
            Value::Bool(bool) => change("flipped".into(), json!(!bool)),
            Value::Null => {
                if let Some(other) = other {
                    change(format!("now {other}"), other.clone());
                }
            }
            Value::Array(items) => {
                let one_more = |item: &Value, at: usize| {
                    let mut items = items.clone();
                    items.insert(at, item.clone());
                    Value::Array(items)
                };
                if let Some(first) = items.first() {
                    change("the first item twice".into(), one_more(first, 0));
                }
                let mut kind = values.get(&format!("{field}[]")).into_iter().flatten();
                if let Some(strange) = kind.find(|item| !items.contains(item)) {
                    change("another's item added".into(), one_more(strange, items.len()));
                }
                let reversed: Vec<Value> = items.iter().rev().cloned().collect();
                if reversed != *items {
                    change("reversed".into(), Value::Array(reversed));
                }
                if items.len() > 1 {
                    change("emptied".into(), json!([]));
                }
            }
            Value::Object(fields) => {
                let mut more = fields.clone();
                more.insert("more".to_owned(), json!(1));
                change("a key added".into(), Value::Object(more));
            }
        }
        if let Some((last, before)) = path.split_last() {
            let mut removed = document.clone();
            match (last, at(&mut removed, before)) {
                (Step::Key(key), Value::Object(fields)) => drop(fields.remove(key)),
                (Step::Index(index), Value::Array(items)) => drop(items.remove(*index)),
                _ => unreachable!("the path was walked"),
            }
            mutations.push(Mutation { field, what: "removed".into(), document: removed });
        }
    }
    mutations
}

/// Another name of a closed list, where the document has only one of it.
fn sibling(field: &str, text: &str) -> Option<Value> {
    let lists: [&[&str]; 12] = [
        &["clean", "findings", "blocked", "inconclusive"],
        &["require", "prefer", "off"],
        &["answered", "refused", "timed_out", "failed"],
        &["agreed", "upheld", "refuted", "undecided", "not_examined"],
        &["high", "medium", "low", "critical"],
        &["established", "not_established", "not_needed", "not_reached"],
        &["models", "rules", "not_needed", "nobody"],
        &["ai", "human", "mixed", "no_evidence"],
        &["base", "head"],
        &["declared", "table", "unknown"],
        &["claimed", "vouched", "weak"],
        &["implementer", "suggester", "bot"],
    ];
    let list = lists.into_iter().find(|list| list.contains(&text) && !field.ends_with("reason"))?;
    list.iter().find(|name| **name != text).map(|name| json!(name))
}

/// What finds changes: all that `recuse verify` has, with the repository and the receipts, without the signature.
struct Verifier {
    repository: Repository,
    tables: Tables,
    prompts: Prompts,
    receipts: Receipts,
    runtime: Runtime,
}

impl Verifier {
    fn of(made: &Made) -> Self {
        let url = |name: &str| (name == "RECUSE_DATABASE_URL").then(|| made.database_url());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let store = runtime.block_on(open_store(&url)).expect("the database of the review");
        Self {
            repository: Repository::open(made.repository.path()).expect("a repository"),
            tables: Tables::embedded(),
            prompts: Prompts::load(None).expect("the built-in prompts"),
            receipts: Receipts::Database(store),
            runtime,
        }
    }

    fn request<'a>(
        &'a self,
        read: &'a ReadPacket,
        keys: &'a TrustedKeys,
        against: Against<'a>,
    ) -> VerifyRequest<'a> {
        VerifyRequest {
            read,
            file_name: "packet.json",
            digest: None,
            against,
            signatures: &[],
            keys,
            receipts: Some(&self.receipts),
            tables: &self.tables,
            prompts: &self.prompts,
            version: env!("CARGO_PKG_VERSION"),
            now: NOW,
        }
    }

    /// All checks but the last.
    fn proofs(&self, read: &ReadPacket, against: Against<'_>) -> Vec<Proof> {
        let keys = TrustedKeys::default();
        let proofs = self.runtime.block_on(verify(&self.request(read, &keys, against)));
        proofs.expect("repository and database can be read")
    }

    /// The last check: whether the record comes to the packet.
    fn replay(&self, read: &ReadPacket, repository: Option<Repository>) -> Proof {
        let keys = TrustedKeys::default();
        let replayed =
            self.runtime.block_on(replayed(&self.request(read, &keys, Against::Nothing), repository));
        replayed.expect("repository and database can be read")
    }

    /// The name of a check that fails, if one does.
    fn caught(&self, bytes: &[u8]) -> Option<String> {
        let Ok(read) = read(bytes) else { return Some("schema".to_owned()) };
        let failed = |proofs: Vec<Proof>| {
            proofs
                .into_iter()
                .find(|proof| proof.state == ProofState::Failed)
                .map(|proof| proof.name.to_owned())
        };
        // What follows from the packet alone is quicker, and the repository is slowest.
        let facts = Facts { families: Some(&self.tables.families), same_version: true };
        failed(recompute(&read.packet, facts))
            .or_else(|| failed(self.proofs(&read, Against::Nothing)))
            .or_else(|| failed(self.proofs(&read, Against::Repository(&self.repository))))
    }
}

/// No packet that can be read keeps a view from being made.
fn show(read: &ReadPacket) {
    let name = PacketName { digest: read.digest.clone(), seal: Seal::Unsigned };
    let options = TerminalOptions { colour: Colour::Never, width: 100, verbosity: Verbosity::Verbose };
    assert!(!terminal(&read.packet, &name, &options).is_empty());
    assert!(!markdown(&read.packet, &name).is_empty());
    assert!(sarif(&read.packet, &name).is_object());
}

/// Changes everything, and gives the fields of which a change was not found.
fn tamper(made: &Made) -> BTreeMap<String, Vec<String>> {
    let original = made.bytes();
    let verifier = Verifier::of(made);
    let whole = read(&original).expect("the packet of a review");
    assert!(whole.is_canonical);
    for proof in verifier.proofs(&whole, Against::Repository(&verifier.repository)) {
        let expected = if proof.name == "signature" { ProofState::NotChecked } else { ProofState::Holds };
        assert_eq!(proof.state, expected, "{}: {}", proof.name, proof.detail);
    }
    let repository = Repository::open(made.repository.path()).expect("a repository");
    let replay = verifier.replay(&whole, Some(repository));
    assert_eq!(replay.state, ProofState::Holds, "{}", replay.detail);
    let document: Value = serde_json::from_slice(&original).expect("JSON");
    let keys = TrustedKeys::read(&[made.path("key.pub").into()]).expect("a public key");
    let signatures = ["sig", "dsse.json"].map(|extension| {
        SignatureFile::read(Path::new(&made.path(&format!("packet.json.{extension}")))).expect("a signature")
    });
    for signature in &signatures {
        let proof = check(signature, &whole.packet, &whole.canonical, &keys, NOW);
        assert_eq!(proof.state, ProofState::Holds, "{}", proof.detail);
    }
    let all = mutations(&document);
    let next = AtomicUsize::new(0);
    let work = || {
        let verifier = Verifier::of(made);
        let mut found: Vec<(usize, Option<String>)> = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(mutation) = all.get(index) else { return found };
            let bytes = serde_json::to_vec(&mutation.document).expect("JSON");
            let caught = verifier.caught(&bytes);
            let is_missed = caught.is_none();
            found.push((index, caught));
            let Ok(read) = read(&bytes) else { continue };
            assert!(read.is_canonical, "the check is of what was changed, and not of white space");
            if is_missed {
                // With the record every single change is found.
                let replay = verifier.replay(&read, None);
                let is_version = mutation.field == "run.version";
                let expected = if is_version { ProofState::NotChecked } else { ProofState::Failed };
                assert_eq!(replay.state, expected, "{} {}", mutation.field, mutation.what);
            }
            // With a signature every single change is found.
            assert_ne!(read.digest, Digest::of(&original), "{} {}", mutation.field, mutation.what);
            for signature in &signatures {
                let proof = check(signature, &read.packet, &read.canonical, &keys, NOW);
                assert_eq!(proof.state, ProofState::Failed, "{} {}", mutation.field, mutation.what);
            }
            if index.is_multiple_of(7) {
                show(&read);
            }
        }
    };
    let found: Vec<(usize, Option<String>)> = std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("nothing is missed with a signature"))
            .collect()
    });
    let mut missed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (index, check) in found {
        let Mutation { field, what, .. } = &all[index];
        if check.is_none() {
            missed.entry(field.clone()).or_default().push(what.clone());
        }
    }
    let count: usize = missed.values().map(Vec::len).sum();
    assert!(count * 10 < all.len(), "{count} of {} changes are not found without a signature", all.len());
    missed
}

#[tokio::test]
async fn whatever_is_changed_in_a_packet_is_found_or_listed_as_what_only_a_signature_protects() {
    let (rich, shared) = (Made::rich().await, Made::shared().await);
    let missed = tokio::task::spawn_blocking(move || {
        let mut missed = tamper(&rich);
        for (field, what) in tamper(&shared) {
            missed.entry(field).or_default().extend(what);
        }
        missed
    })
    .await
    .expect("it ran");
    let listed: BTreeSet<&str> = UNCHECKED.iter().map(|(field, _)| *field).collect();
    let unlisted: Vec<_> = missed.iter().filter(|(field, _)| !listed.contains(field.as_str())).collect();
    assert!(unlisted.is_empty(), "nobody notices when these change: {unlisted:#?}");
    let stale: Vec<_> = listed.iter().filter(|field| !missed.contains_key(**field)).collect();
    assert!(stale.is_empty(), "these are checked after all: {stale:?}");
}
