//! `recuse replay` and `recuse receipts` through their door: the record comes to the same bytes, what is missing or was
//! altered is named, and another policy is told as such.

use std::collections::BTreeMap;
use std::path::Path;

use review::Digest;
use review::packet::{ReadPacket, ReceiptKindV1, read};
use serde_json::{Value, json};
use service::office::open_store;
use service::replay::{ReplayError, replay};
use store::{Fetched, Pruned, ReceiptFolder, Receipts};

use crate::support::packets::Made;
use crate::support::program::Ran;
use crate::tamper::mutations;

/// More bytes than any receipt of these reviews has.
const MOST_BYTES: u64 = 10_000_000;

async fn with_packets(check: impl Fn(&Made) + Send + 'static) {
    let (rich, shared) = (Made::rich().await, Made::shared().await);
    tokio::task::spawn_blocking(move || {
        check(&rich);
        check(&shared);
    })
    .await
    .expect("it ran");
}

fn run(made: &Made, arguments: &[&str]) -> Ran {
    made.program.run(made.repository.path(), arguments)
}

#[tokio::test]
async fn the_record_of_a_review_comes_to_the_same_bytes() {
    with_packets(|made| {
        let (packet, folder) = (made.path("packet.json"), made.path("receipts"));
        let exported = run(made, &["receipts", "export", &packet, "--output", &folder]);
        assert_eq!(exported.code, 0, "{}{}", exported.stdout, exported.stderr);
        let ways: [&[&str]; 3] = [&[], &["--repo", "."], &["--receipts", &folder, "--repo", "."]];
        for more in ways {
            let ran = run(made, &[&["replay", &packet], more].concat());
            assert_eq!(ran.code, 0, "{more:?}: {}{}", ran.stdout, ran.stderr);
            assert!(ran.stdout.contains(&Digest::of(&made.bytes()).to_string()), "{}", ran.stdout);
            assert!(ran.stdout.contains(" same\n"), "{}", ran.stdout);
        }
        // Every receipt that is there can be shown by its digest, as it was.
        let document: Value = serde_json::from_slice(&made.bytes()).expect("JSON");
        for receipt in document["receipts"].as_array().expect("a list") {
            let digest = receipt["digest"].as_str().expect("a digest");
            for place in [
                &["receipts", "show", &digest[..12]][..],
                &["receipts", "show", digest, "--receipts", &folder],
            ] {
                let shown = run(made, place);
                assert_eq!(Digest::of(shown.stdout.as_bytes()).as_str(), digest, "{}", shown.stderr);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_packet_that_the_record_does_not_come_to_is_told_apart() {
    with_packets(|made| {
        let mut document: Value = serde_json::from_slice(&made.bytes()).expect("JSON");
        document["judgement"]["headline"] = "clean".into();
        let path = made.path("other.json");
        std::fs::write(&path, serde_json::to_vec(&document).expect("JSON")).expect("written");
        let ran = run(made, &["replay", &path]);
        assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("different, first at /judgement/headline"), "{}", ran.stdout);
    })
    .await;
}

#[tokio::test]
async fn what_another_policy_would_have_decided_is_shown() {
    let made = Made::rich().await;
    tokio::task::spawn_blocking(move || {
        let packet = made.path("packet.json");
        let with = |name: &str, policy: &str| {
            std::fs::write(made.path(name), policy).expect("written");
            run(&made, &["replay", &packet, "--with", &made.path(name)])
        };
        let ran = with("never.toml", "[review]\nfail_on = \"never\"\n");
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.contains("exit code 3 (was 1)"), "{}", ran.stdout);
        let ran = with("low.toml", "[review]\nfail_on = \"low\"\n");
        assert!(ran.stdout.contains("exit code 1\n"), "{}", ran.stdout);
        assert!(ran.stdout.contains("gates     medium src/a.rs:"), "{}", ran.stdout);
        let ran = with("off.toml", "[review]\nindependence = \"off\"\n");
        assert!(ran.stdout.contains("local/fir: no longer"), "{}", ran.stdout);
        assert!(
            ran.stdout.contains("local/fir would be seated, and no reply of it is recorded"),
            "{}",
            ran.stdout
        );
        let ran = with("wrong.toml", "[review]\nfail_on = \"sometimes\"\n");
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
    })
    .await
    .expect("it ran");
}

#[tokio::test]
async fn what_was_deleted_is_told_apart_from_what_is_missing() {
    let made = Made::rich().await;
    let url = made.database_url();
    let store = open_store(&|name| (name == "RECUSE_DATABASE_URL").then(|| url.clone())).await;
    let store = store.expect("the database of the review");
    let pruned = Pruned { at_ms: 1_800_000_000_000, because: "it was old".to_owned() };
    assert!(store.prune_receipts(i64::MAX, &pruned).await.expect("deleted") > 0);
    store.close().await;
    tokio::task::spawn_blocking(move || {
        let packet = made.path("packet.json");
        let ran = run(&made, &["replay", &packet]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
        assert!(ran.stderr.contains("was deleted on 2027-01-15: it was old"), "{}", ran.stderr);
        // The digests are still there, and a deleted receipt is no pass.
        let listed = run(&made, &["receipts", "list"]);
        let document: Value = serde_json::from_slice(&made.bytes()).expect("JSON");
        for receipt in document["receipts"].as_array().expect("a list") {
            assert!(
                listed.stdout.contains(receipt["digest"].as_str().expect("a digest")),
                "{}",
                listed.stdout
            );
        }
        let arguments = ["--repo", ".", "--key", &made.path("key.pub"), "--receipts", "store"];
        let ran = run(&made, &[&["verify", &packet], &arguments[..]].concat());
        assert_eq!(ran.code, 3, "{}", ran.stdout);
        assert!(ran.stdout.contains("was deleted on 2027-01-15"), "{}", ran.stdout);
        // A folder that they are exported to says the same.
        let folder = made.path("receipts");
        assert_eq!(run(&made, &["receipts", "export", &packet, "--output", &folder]).code, 0);
        let ran = run(&made, &["replay", &packet, "--receipts", &folder]);
        assert!(ran.stderr.contains("was deleted on 2027-01-15: it was old"), "{}", ran.stderr);
        std::fs::create_dir(made.path("empty")).expect("a folder");
        let ran = run(&made, &["replay", &packet, "--receipts", &made.path("empty")]);
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains("is missing: it was never kept here"), "{}", ran.stderr);
    })
    .await
    .expect("it ran");
}

#[tokio::test]
async fn an_altered_receipt_is_named() {
    with_packets(|made| {
        let (packet, folder) = (made.path("packet.json"), made.path("receipts"));
        assert_eq!(run(made, &["receipts", "export", &packet, "--output", &folder]).code, 0);
        let document: Value = serde_json::from_slice(&made.bytes()).expect("JSON");
        for kind in ["record", "answer", "change", "briefing", "reply", "prompt"] {
            let of_kind = |receipt: &&Value| receipt["kind"] == kind;
            let receipts = document["receipts"].as_array().expect("a list");
            let receipt = receipts.iter().find(of_kind).expect("there is one");
            let file =
                Path::new(&folder).join(format!("{}.gz", receipt["digest"].as_str().expect("a digest")));
            let before = std::fs::read(&file).expect("it was exported");
            let mut altered = before.clone();
            let last = altered.len() - 1;
            altered[last] ^= 1;
            for bytes in [b"something else".to_vec(), altered, before[..before.len() / 2].to_vec()] {
                std::fs::write(&file, bytes).expect("written");
                let ran = run(made, &["replay", &packet, "--receipts", &folder]);
                assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{kind}: {}", ran.stderr);
                assert!(ran.stderr.contains(&format!("the {kind}")), "{kind}: {}", ran.stderr);
                assert!(ran.stderr.contains(" was altered: "), "{kind}: {}", ran.stderr);
                let ran = run(made, &["verify", &packet, "--repo", ".", "--receipts", &folder]);
                assert_eq!(ran.code, 1, "{kind}: {}", ran.stdout);
                assert!(ran.stdout.contains("was altered: "), "{kind}: {}", ran.stdout);
            }
            std::fs::write(&file, before).expect("written");
        }
        assert_eq!(run(made, &["replay", &packet, "--receipts", &folder]).code, 0);
    })
    .await;
}

/// One of so many changes of a record is tried; all of them were, and each takes a replay.
const STEP: usize = 17;

/// A packet whose record somebody else wrote: every digest fits, and what it says does not.
struct Forgery {
    packet: Value,
    files: BTreeMap<String, Value>,
    folder: tempfile::TempDir,
}

impl Forgery {
    /// The record's files, by the digest that the packet has for each.
    async fn of(made: &Made, from: &Receipts) -> Self {
        let read = read(&made.bytes()).expect("the packet of a review");
        let folder = tempfile::TempDir::new().expect("a folder");
        let to = ReceiptFolder::at(folder.path());
        let mut files = BTreeMap::new();
        for receipt in &read.packet.receipts {
            let Fetched::Kept(bytes) = from.fetch(&receipt.digest, MOST_BYTES).await.expect("it can be read")
            else {
                panic!("{} was kept", receipt.name);
            };
            to.keep(&receipt.digest, &bytes).expect("written");
            use ReceiptKindV1::{Answer, Authorship, Briefing, Change, Configuration, Record};
            if matches!(receipt.kind, Answer | Authorship | Briefing | Change | Configuration | Record) {
                files.insert(receipt.digest.to_string(), serde_json::from_slice(&bytes).expect("JSON"));
            }
        }
        let packet = serde_json::from_slice(&made.bytes()).expect("JSON");
        Self { packet, files, folder }
    }

    /// The packet with one of its files put in another's place, and all digests made to fit.
    fn with(&self, digest: &str, document: &Value) -> ReadPacket {
        let to = ReceiptFolder::at(self.folder.path());
        let put = |document: &Value| {
            let bytes = serde_json::to_vec(document).expect("JSON");
            let digest = Digest::of(&bytes);
            to.keep(&digest, &bytes).expect("written");
            (digest.to_string(), bytes.len())
        };
        let refer = |place: &mut Value, old: &str, (new, bytes): &(String, usize)| {
            for receipt in place.as_array_mut().into_iter().flatten() {
                if receipt["digest"] == old {
                    receipt["digest"] = json!(new);
                    receipt["bytes"] = json!(bytes);
                }
            }
        };
        let mut packet = self.packet.clone();
        let receipts = packet["receipts"].as_array().expect("a list");
        let own = receipts.iter().find(|receipt| receipt["kind"] == "record").expect("a record");
        let own = own["digest"].as_str().expect("a digest").to_owned();
        let record = if digest == own {
            document.clone()
        } else {
            let new = put(document);
            refer(&mut packet["receipts"], digest, &new);
            let mut record = self.files[&own].clone();
            refer(&mut record["receipts"], digest, &new);
            let text = record.to_string().replace(digest, &new.0);
            serde_json::from_str(&text).expect("JSON")
        };
        refer(&mut packet["receipts"], &own, &put(&record));
        read(&serde_json::to_vec(&packet).expect("JSON")).expect("only digests were changed")
    }
}

#[tokio::test]
async fn a_forged_record_is_refused_or_comes_to_another_packet_and_never_breaks_a_replay() {
    for made in [Made::rich().await, Made::shared().await] {
        let url = made.database_url();
        let store = open_store(&|name| (name == "RECUSE_DATABASE_URL").then(|| url.clone())).await;
        let forgery =
            Forgery::of(&made, &Receipts::Database(store.expect("the database of the review"))).await;
        let receipts = Receipts::Folder(ReceiptFolder::at(forgery.folder.path()));
        let (mut refused, mut different) = (0, 0);
        for (digest, document) in &forgery.files {
            let schema = document["schema"].as_str().unwrap_or("answer");
            for mutation in mutations(document).into_iter().step_by(STEP) {
                let read = forgery.with(digest, &mutation.document);
                match replay(&read, &receipts, None).await {
                    Err(ReplayError::Unusable(_)) => refused += 1,
                    Err(ReplayError::Ours(error)) => panic!("{schema} {}: {error:#}", mutation.field),
                    Ok(replayed) if replayed.difference.is_some() => different += 1,
                    // Not everything of a record decides something: tokens of a prompt, thresholds of the rules.
                    Ok(_) => {}
                }
            }
        }
        assert!(refused > 40 && different > 20, "{refused} refused, {different} different");
    }
}
