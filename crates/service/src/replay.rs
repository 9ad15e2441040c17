//! Deciding again from what was recorded, and comparing with the packet.
//!
//! Nobody is asked. Without a repository everything behind the replies is decided again; with one, what stands before
//! them too: the change, the rules, who wrote it and what it is are read from the repository's objects.

use std::collections::BTreeMap;

use git::{RangeKind, Repository, ResolvedRange};
use jiff::Timestamp;
use models::Catalogue;
use review::attribution::Agents;
use review::basis::{Basis, Briefing, Seated};
use review::change::Source;
use review::classify::ClassifyRules;
use review::conclude::{Concluded, Proceedings, Sitting, conclude};
use review::packet::{PacketV1, ReadPacket, ReceiptKindV1, ReceiptV1};
use review::policy::Policy;
use review::record::{Opened, Recorded};
use review::what_if::{WhatIf, what_if};
use review::{Change, Digest, Hunk};
use rules::RuleOptions;
use serde_json::Value;
use store::{Fetched, Pruned, Receipts};

use crate::config::{self, OperatorFile, Overrides};
use crate::fan_out::Clock;
use crate::office::KeepReceipts;
use crate::review_one::{ReviewRequest, brief, decide_with, texts};
use crate::roster::Roster;
use crate::steps::Steps;
use crate::tables::Tables;

/// The most bytes of a receipt. The largest is the change, and no diff is larger than 256 MiB.
pub(crate) const MAX_RECEIPT_BYTES: u64 = 512 * 1024 * 1024;

/// Why nothing could be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The packet, its receipts or the repository cannot be used.
    #[error("{0}")]
    Unusable(String),
    /// Something of ours broke.
    #[error("{0:#}")]
    Ours(#[from] anyhow::Error),
}

/// What came of a replay.
pub struct Replayed {
    /// The name of the packet that was given: SHA-256 of its canonical form.
    pub given: Digest,
    /// The name of the packet that the record comes to.
    pub replayed: Digest,
    /// Where the two differ first; `None` where they are the same.
    pub difference: Option<Difference>,
    /// The version that made the packet.
    pub version: String,
    /// How many receipts were compared with their digests.
    pub compared: usize,
    /// What could not be compared and was not needed, in sentences.
    pub not_compared: Vec<String>,
    recorded: Recorded,
    concluded: Concluded,
}

/// The first place where two packets differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The place, as a JSON pointer.
    pub pointer: String,
    /// What the packet that was given has there.
    pub given: Option<Value>,
    /// What the record comes to.
    pub replayed: Option<Value>,
}

/// Replays a packet.
///
/// # Errors
/// A receipt that is needed was altered, deleted or never kept, or the repository does not have
/// the change; or something of ours broke.
pub async fn replay(
    read: &ReadPacket,
    receipts: &Receipts,
    repository: Option<Repository>,
) -> Result<Replayed, ReplayError> {
    let shelf = Shelf::fetch(&read.packet, receipts).await?;
    let given = read.digest.clone();
    let tables = match &repository {
        Some(_) => Some(shelf.tables()?),
        None => None,
    };
    let Shelf { opened, files, compared, not_compared, own } = shelf;
    let mut named = opened.receipts().to_vec();
    named.push(own);
    let recorded = opened.read(&files).map_err(unusable)?;
    let concluded = match repository.zip(tables) {
        None => conclude_recorded(&recorded, &named)?,
        Some((repository, tables)) => from_repository(&recorded, repository, tables, &named).await?,
    };
    let replayed = concluded.packet.digest();
    let difference = match given == replayed {
        true => None,
        false => {
            let value: Value = serde_json::from_slice(&read.canonical).map_err(anyhow::Error::from)?;
            let again = serde_json::to_value(&concluded.packet).map_err(anyhow::Error::from)?;
            first_difference(&value, &again, "")
        }
    };
    let version = recorded.run.version.clone();
    Ok(Replayed { given, replayed, difference, version, compared, not_compared, recorded, concluded })
}

impl Replayed {
    /// What another policy would have decided. What an operator's file leaves out stays as it was; what it says about
    /// models, prompts, rules and money changes nothing, since nobody is asked.
    ///
    /// # Errors
    /// The file says something that cannot be used.
    pub fn with(&self, file: &OperatorFile) -> anyhow::Result<WhatIf> {
        let Recorded { basis, configured, .. } = &self.recorded;
        let policy: Policy = config::policy_with(&basis.policy, &configured.base, file)?;
        Ok(what_if(&self.recorded, &self.concluded, policy))
    }

    /// What the record comes to under its own policy.
    pub fn packet(&self) -> &PacketV1 {
        &self.concluded.packet
    }
}

fn unusable(error: impl std::fmt::Display) -> ReplayError {
    ReplayError::Unusable(error.to_string())
}

/// The receipts of a packet, fetched and compared with their digests.
struct Shelf {
    opened: Opened,
    files: BTreeMap<Digest, Vec<u8>>,
    compared: usize,
    not_compared: Vec<String>,
    /// The record's own.
    own: ReceiptV1,
}

impl Shelf {
    async fn fetch(packet: &PacketV1, receipts: &Receipts) -> Result<Self, ReplayError> {
        let own = packet.receipts.iter().find(|receipt| receipt.kind == ReceiptKindV1::Record).cloned();
        let own = own.ok_or_else(|| {
            unusable(
                "the packet names no record: it was made by a version that kept none, and cannot be replayed",
            )
        })?;
        let bytes = match fetch(&ReceiptV1 { bytes: MAX_RECEIPT_BYTES, ..own.clone() }, receipts).await? {
            Ok(bytes) => bytes,
            Err(why) => return Err(unusable(why)),
        };
        let opened = Opened::open(&bytes).map_err(unusable)?;
        // The record's file under the digest that its bytes have, whatever the packet says of its length.
        let own = ReceiptV1 { bytes: bytes.len() as u64, name: "record".to_owned(), ..own };
        let (mut files, mut compared, mut not_compared) = (BTreeMap::new(), 1, Vec::new());
        for receipt in opened.receipts() {
            if files.contains_key(&receipt.digest) {
                continue;
            }
            match fetch(receipt, receipts).await? {
                Ok(bytes) => {
                    compared += 1;
                    files.insert(receipt.digest.clone(), bytes);
                }
                Err(why) if why.is_alteration || Opened::needs(receipt) => return Err(unusable(why)),
                Err(why) => not_compared.push(why.to_string()),
            }
        }
        Ok(Self { opened, files, compared, not_compared, own })
    }

    /// The tables that the review rested on, as far as they are kept; the rest from this build.
    fn tables(&self) -> Result<Tables, ReplayError> {
        let mut tables = Tables::embedded();
        for receipt in self.opened.receipts().iter().filter(|receipt| receipt.kind == ReceiptKindV1::Table) {
            let Some(text) = self.files.get(&receipt.digest) else { continue };
            let wrong =
                |error: &dyn std::fmt::Display| unusable(format!("the table {}: {error}", receipt.name));
            let text = std::str::from_utf8(text).map_err(|error| wrong(&error))?;
            match receipt.name.as_str() {
                "models.toml" => tables.catalogue = Catalogue::parse(text).map_err(|error| wrong(&error))?,
                "agents.toml" => tables.agents = Agents::parse(text).map_err(|error| wrong(&error))?,
                "classify.toml" => {
                    tables.classify = ClassifyRules::parse(text).map_err(|error| wrong(&error))?;
                }
                _ => {}
            }
        }
        Ok(tables)
    }
}

/// Why a receipt is not at hand.
struct NotAtHand {
    what: String,
    is_alteration: bool,
}

impl std::fmt::Display for NotAtHand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

async fn fetch(receipt: &ReceiptV1, receipts: &Receipts) -> Result<Result<Vec<u8>, NotAtHand>, ReplayError> {
    let name = receipt_words(receipt);
    let (what, is_alteration) =
        match receipts.fetch(&receipt.digest, receipt.bytes.min(MAX_RECEIPT_BYTES)).await? {
            Fetched::Kept(bytes) => return Ok(Ok(bytes)),
            Fetched::Pruned(pruned) => (format!("{name} {}", pruned_words(&pruned)), false),
            Fetched::Altered(how) => (format!("{name} was altered: {how}"), true),
            Fetched::Missing => {
                (format!("{name} is missing: it was never kept here, or not under this digest"), false)
            }
        };
    Ok(Err(NotAtHand { what, is_alteration }))
}

/// A receipt, for people: `the reply of seat 1 part 1 (0123456789ab)`.
pub fn receipt_words(receipt: &ReceiptV1) -> String {
    let (kind, name) = (receipt.kind.name(), review::text::visible_line(&receipt.name));
    let digest = receipt.digest.short();
    if kind == name { format!("the {kind} ({digest})") } else { format!("the {kind} of {name} ({digest})") }
}

/// When and why a receipt was deleted: `was deleted on 2026-11-21: …`.
pub fn pruned_words(pruned: &Pruned) -> String {
    format!("was deleted on {}: {}", day(pruned.at_ms), pruned.because)
}

/// The day of a time in milliseconds since 1970, in UTC.
pub fn day(at_ms: i64) -> String {
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    Timestamp::from_millisecond(at_ms).map_or_else(|_| "a day that no calendar has".to_owned(), day)
}

fn sitting<'a>(
    basis: &'a Basis,
    seated: &'a Seated,
    briefing: &'a Briefing,
    recorded: &'a Recorded,
) -> Sitting<'a> {
    Sitting { basis, seated, briefing, families: &recorded.families, run_id: &recorded.run.id }
}

fn conclude_recorded(recorded: &Recorded, receipts: &[ReceiptV1]) -> Result<Concluded, ReplayError> {
    let seated = recorded.basis.seat();
    let sitting = sitting(&recorded.basis, &seated, &recorded.briefing, recorded);
    conclude(&sitting, &recorded.proceedings, &recorded.run, receipts).map_err(unusable)
}

/// Decides everything but the replies from the repository's objects.
async fn from_repository(
    recorded: &Recorded,
    repository: Repository,
    mut tables: Tables,
    receipts: &[ReceiptV1],
) -> Result<Concluded, ReplayError> {
    tables.families = recorded.families.clone();
    let change = gather(&recorded.basis.change, recorded, &repository)?;
    let mut config = config::merge(OperatorFile::default(), &Overrides::default())?;
    config.policy = recorded.basis.policy.clone();
    config.rules = RuleOptions::of_names(&recorded.configured.thresholds);
    config.prompt_tokens = recorded.configured.prompt_tokens;
    let request = ReviewRequest {
        change,
        repository: Some(repository),
        base: recorded.base.clone(),
        checks: &recorded.basis.checks,
        notes: recorded.notes.clone(),
        declarations: recorded.declarations.clone(),
        opened: None,
        store: None,
        steps: Steps::NotKept,
        repository_key: String::new(),
        config: &config,
        tables: &tables,
        environment: &|_| None,
        receipts: &KeepReceipts::InDatabase,
        run_id: recorded.run.id.clone(),
        now: recorded.run.started_at,
        clock: Clock::Running,
        version: &recorded.run.version,
        progress: &|_| (),
    };
    let roster = Roster { engines: recorded.basis.engines.clone(), models: Vec::new() };
    let decided = decide_with(&request, Some(roster)).await?;
    let briefing = brief(&decided, &request)?;
    let sitting = sitting(&decided.basis, &decided.seated, &briefing, recorded);
    // What was asked means something only of the same hunks and seats. Where these differ, the packet does too, and
    // further up.
    let is_same = shape(&decided.basis) == shape(&recorded.basis) && decided.seated == recorded.basis.seat();
    let mut proceedings = match is_same {
        true => recorded.proceedings.clone(),
        false => Proceedings::default(),
    };
    let heard = conclude(&sitting, &proceedings, &recorded.run, receipts).map_err(unusable)?.heard;
    proceedings.texts = texts(&sitting, &heard, &request)?;
    conclude(&sitting, &proceedings, &recorded.run, receipts).map_err(unusable)
}

/// The change as the repository has it, under the names that it was given at the time.
fn gather(was: &Change, recorded: &Recorded, repository: &Repository) -> Result<Change, ReplayError> {
    let (base_ref, head_ref, head) = match (&was.subject.source, &was.subject.head) {
        (Source::Range { base_ref, head_ref }, Some(head)) => (base_ref, head_ref, head),
        (Source::PullRequest { .. }, _) => {
            return Err(unusable(
                "the packet is about a pull request: its title and its author are the platform's word",
            ));
        }
        (Source::Range { .. } | Source::Staged | Source::Patch, _) => {
            return Err(unusable(
                "the packet is about a diff or an index, of which no repository has anything",
            ));
        }
    };
    let range = ResolvedRange {
        kind: RangeKind::Branch,
        base_ref: base_ref.clone(),
        head_ref: head_ref.clone(),
        base: recorded.base.clone(),
        merge_base: was.subject.base.clone(),
        head: head.clone(),
        branch: was.branch.clone(),
    };
    let found = repository.gather(&range);
    found.map_err(|error| {
        unusable(format!("the repository does not have the change: {:#}", anyhow::Error::from(error)))
    })
}

/// How many lines each hunk of each file has, and what each file is called.
fn shape(basis: &Basis) -> Vec<(&str, Vec<usize>)> {
    let lines = |hunk: &Hunk| hunk.lines().count();
    let files = basis.change.files.iter();
    files.map(|file| (file.path.as_str(), file.hunks().iter().map(lines).collect())).collect()
}

/// The first place where two values differ, as one reads them.
fn first_difference(given: &Value, replayed: &Value, pointer: &str) -> Option<Difference> {
    let here = |given: Option<&Value>, replayed: Option<&Value>, pointer: String| {
        Some(Difference { pointer, given: given.cloned(), replayed: replayed.cloned() })
    };
    match (given, replayed) {
        (Value::Object(one), Value::Object(other)) => {
            let names = other.keys().chain(one.keys().filter(|name| !other.contains_key(*name)));
            names.into_iter().find_map(|name| {
                let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                match (one.get(name), other.get(name)) {
                    (Some(one), Some(other)) => first_difference(one, other, &pointer),
                    (one, other) => here(one, other, pointer),
                }
            })
        }
        (Value::Array(one), Value::Array(other)) => (0..one.len().max(other.len())).find_map(|index| {
            let pointer = format!("{pointer}/{index}");
            match (one.get(index), other.get(index)) {
                (Some(one), Some(other)) => first_difference(one, other, &pointer),
                (one, other) => here(one, other, pointer),
            }
        }),
        (one, other) if one == other => None,
        (one, other) => here(Some(one), Some(other), pointer.to_owned()),
    }
}
