//! The record of a review: all that a replay needs, as files that are kept under their digests.
//!
//! The last file, of the kind `record`, names all others; the packet names them too. Each file is a struct of its own
//! with a `schema`, so that the inside stays free to change. What a model said is kept in no provider's format
//! ([`ReplyV1`]), so that no later reader of such a format can change what follows from it.
//!
//! [`write()`] and [`Opened::read`] undo each other. What is read was kept by anybody: nothing in it is trusted to fit
//! together.

mod authorship;
mod briefing;
mod change;
mod configuration;
mod run;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::attribution::{Declaration, Note, Share};
use crate::basis::{Basis, Briefing};
use crate::conclude::Proceedings;
use crate::engine::Engine;
use crate::hearing::{Heard, HeardQuestion, Question, Said};
use crate::lineage::Families;
use crate::packet::{ReceiptKindV1, ReceiptV1, RunV1};
use crate::policy::Policy;
use crate::reply::ReplyV1;
use crate::{Change, CommitId, Digest};
use authorship::AuthorshipV1;
use briefing::BriefingV1;
use change::ChangeV1;
use configuration::ConfigurationV1;
use run::{HeardQuestionV1, HeardV1, QuestionV1, RecordV1, SaidV1, TooSmallV1};

pub use configuration::Configured;

/// The name of the table of families among the receipts.
pub const FAMILIES: &str = "families.toml";

/// What is in the name of a receipt that is the operator's own.
pub const OPERATORS: &str = "the operator's";

/// The name of what the operator adds to the table of families.
pub const OWN_FAMILIES: &str = "the operator's families";

/// The most parts that a seat's question may have in a record.
const MAX_PARTS: usize = 1_000_000;

/// The most that a call may have cost in a record, in micro-USD: what JSON keeps exactly in all of its readers.
const MAX_MICRO_USD: u64 = 1 << 53;

/// A file of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// What it is, and its digest.
    pub receipt: ReceiptV1,
    /// All of it.
    pub bytes: Vec<u8>,
}

impl File {
    /// A file of that kind and name.
    pub fn new(kind: ReceiptKindV1, name: impl Into<String>, bytes: Vec<u8>) -> Self {
        let (digest, length) = (Digest::of(&bytes), bytes.len() as u64);
        Self { receipt: ReceiptV1 { kind, name: name.into(), digest, bytes: length }, bytes }
    }
}

/// What is recorded.
#[derive(Clone, Copy)]
pub struct Recording<'a> {
    /// What was known before anybody was asked.
    pub basis: &'a Basis,
    /// What the reviewers were given beside the change.
    pub briefing: &'a Briefing,
    /// What was asked, and what came of it.
    pub proceedings: &'a Proceedings,
    /// The run.
    pub run: &'a RunV1,
    /// The tip of the base branch.
    pub base: Option<&'a CommitId>,
    /// The configuration.
    pub configured: &'a Configured,
    /// The notes about the change's commits, without secrets.
    pub notes: &'a [Note],
    /// What those with write access say about the author.
    pub declarations: &'a [Declaration],
    /// The templates and tables that it rests on.
    pub documents: &'a [File],
}

/// What a record consists of.
pub struct Written {
    /// The files that are not kept already; the record itself is the last.
    pub files: Vec<File>,
    /// All receipts, as the packet lists them.
    pub receipts: Vec<ReceiptV1>,
}

/// Writes a record.
pub fn write(recording: &Recording<'_>) -> Written {
    let Recording { basis, briefing, proceedings, .. } = recording;
    let configuration = ConfigurationV1::of(recording.configured, &basis.policy, &basis.engines);
    let authorship =
        AuthorshipV1::of(recording.notes, recording.declarations, &basis.attribution, &basis.shares);
    let mut files = vec![
        file(ReceiptKindV1::Configuration, "configuration", &configuration),
        file(ReceiptKindV1::Change, "change", &ChangeV1::of(&basis.change)),
        file(ReceiptKindV1::Authorship, "authorship", &authorship),
        file(ReceiptKindV1::Briefing, "briefing", &BriefingV1::of(briefing, &proceedings.texts)),
    ];
    let mut receipts: Vec<ReceiptV1> =
        recording.documents.iter().chain(&files).map(|file| file.receipt.clone()).collect();
    let mut by_place: Vec<&HeardQuestion> = proceedings.heard.iter().collect();
    by_place.sort_by_key(|heard| (heard.seat, heard.part));
    let of_seats =
        by_place.iter().map(|heard| (format!("seat {} part {}", heard.seat, heard.part + 1), &heard.heard));
    let examined = proceedings.examined.iter().flatten().enumerate();
    let examined = examined.map(|(index, heard)| (format!("examination {index}"), heard));
    for (name, heard) in of_seats.chain(examined) {
        let answer = answer(&name, heard);
        receipts.extend(kept(&name, heard));
        receipts.extend(answer.iter().map(|file| file.receipt.clone()));
        files.extend(answer);
    }
    let digest = |reply: &ReplyV1| Digest::of(&bytes(reply));
    let record = RecordV1 {
        schema: run::SCHEMA.to_owned(),
        run: recording.run.clone(),
        base: recording.base.cloned(),
        text_digest: basis.text_digest.clone(),
        classification: run::classification_v1(&basis.classification),
        classes: run::classes_v1(&basis.classification),
        rules: run::RulesReportV1::of(&basis.rules),
        no_model_remedy: basis.no_model_remedy.clone(),
        checks: basis.checks.clone(),
        questions: proceedings.questions.iter().map(QuestionV1::of).collect(),
        too_small: proceedings.too_small.iter().map(TooSmallV1::of).collect(),
        heard: proceedings.heard.iter().map(|heard| HeardQuestionV1::of(heard, digest)).collect(),
        examined: proceedings
            .examined
            .iter()
            .map(|round| round.iter().map(|heard| HeardV1::of(heard, digest)).collect())
            .collect(),
        receipts,
    };
    let own = file(ReceiptKindV1::Record, "record", &record);
    let mut receipts = record.receipts;
    receipts.push(own.receipt.clone());
    files.push(own);
    Written { files, receipts }
}

fn file(kind: ReceiptKindV1, name: &str, content: &impl Serialize) -> File {
    File::new(kind, name, bytes(content))
}

/// Canonical JSON (RFC 8785).
fn bytes(content: &impl Serialize) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(content).expect("strings, integers and lists always serialize")
}

fn answer(name: &str, heard: &Heard) -> Option<File> {
    match &heard.said {
        Said::Reply(reply) => Some(file(ReceiptKindV1::Answer, name, reply)),
        Said::Nothing(_) => None,
    }
}

/// What is kept of a call as it was sent and received.
fn kept(name: &str, heard: &Heard) -> Vec<ReceiptV1> {
    let prompt = heard.prompt.iter().map(|kept| (ReceiptKindV1::Prompt, kept));
    let kept = prompt.chain(heard.reply.iter().map(|kept| (ReceiptKindV1::Reply, kept)));
    kept.map(|(kind, kept)| ReceiptV1 {
        kind,
        name: name.to_owned(),
        digest: kept.digest.clone(),
        bytes: kept.bytes,
    })
    .collect()
}

/// Why a record cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A file that the record needs is not there.
    #[error("the record does not name its {0}")]
    Absent(&'static str),
    /// A file is of a version that this program does not know.
    #[error("the {name} is of the version `{version}`, which this program does not read")]
    OtherVersion {
        /// The file.
        name: String,
        /// Its version.
        version: String,
    },
    /// A file cannot be read.
    #[error("the {name} cannot be read: {detail}")]
    Unreadable {
        /// The file.
        name: String,
        /// Why.
        detail: String,
    },
    /// What the files say does not fit together.
    #[error("the record does not fit together: {0}")]
    DoesNotFit(String),
}

/// A record whose other files have still to be read.
pub struct Opened {
    record: RecordV1,
}

/// A review as it was recorded.
pub struct Recorded {
    /// What was known before anybody was asked.
    pub basis: Basis,
    /// What the reviewers were given beside the change.
    pub briefing: Briefing,
    /// What was asked, and what came of it.
    pub proceedings: Proceedings,
    /// The run.
    pub run: RunV1,
    /// The tip of the base branch.
    pub base: Option<CommitId>,
    /// What names of models meant.
    pub families: Families,
    /// The configuration.
    pub configured: Configured,
    /// The notes about the change's commits, without secrets.
    pub notes: Vec<Note>,
    /// What those with write access said about the author.
    pub declarations: Vec<Declaration>,
}

impl Opened {
    /// Opens a record by its own file.
    ///
    /// # Errors
    /// It is no record, or one of another version.
    pub fn open(bytes: &[u8]) -> Result<Self, RecordError> {
        Ok(Self { record: parse("record", bytes)? })
    }

    /// All other files.
    pub fn receipts(&self) -> &[ReceiptV1] {
        &self.record.receipts
    }

    /// Whether a replay needs a file. The others are there to be looked at.
    pub fn needs(receipt: &ReceiptV1) -> bool {
        match receipt.kind {
            ReceiptKindV1::Configuration
            | ReceiptKindV1::Change
            | ReceiptKindV1::Authorship
            | ReceiptKindV1::Briefing
            | ReceiptKindV1::Answer => true,
            ReceiptKindV1::Table => receipt.name == FAMILIES || receipt.name == OWN_FAMILIES,
            ReceiptKindV1::Prompt
            | ReceiptKindV1::Reply
            | ReceiptKindV1::Template
            | ReceiptKindV1::Record => false,
        }
    }

    /// Reads the rest. `files` holds every file that is needed, under the digest of its bytes.
    ///
    /// # Errors
    /// A file is missing, cannot be read, or does not fit the others.
    pub fn read(self, files: &BTreeMap<Digest, Vec<u8>>) -> Result<Recorded, RecordError> {
        let shelf = Shelf { receipts: &self.record.receipts, files };
        let families = shelf.families()?;
        let (configured, policy, engines): (Configured, Policy, Vec<Engine>) = shelf
            .parsed::<ConfigurationV1>(ReceiptKindV1::Configuration)?
            .read()
            .map_err(|error| unreadable("configuration", &error))?;
        let change = Change::from(shelf.parsed::<ChangeV1<'static>>(ReceiptKindV1::Change)?);
        let authorship: AuthorshipV1 = shelf.parsed(ReceiptKindV1::Authorship)?;
        let (notes, declarations) = (authorship.notes(), authorship.declarations());
        let (attribution, shares) = authorship.into_attribution();
        let (briefing, texts) = shelf.parsed::<BriefingV1>(ReceiptKindV1::Briefing)?.into();
        check(&change, &shares, &self.record)?;
        let RecordV1 { classification, classes, .. } = self.record;
        let paths = change.files.iter().map(|file| file.path.clone());
        let basis = Basis {
            text_digest: self.record.text_digest,
            classification: run::classification(classification, classes, paths),
            rules: self.record.rules.into(),
            lineage_sets: families.lineage_sets(),
            no_model_remedy: self.record.no_model_remedy,
            checks: self.record.checks,
            change,
            attribution,
            shares,
            engines,
            policy,
        };
        let seats = basis.seat().panel.seats;
        let no_model = || does_not_fit("a seat is asked that is no model's");
        let questions = self.record.questions.into_iter().map(|question| question.read(&seats));
        let questions: Vec<Question> = questions.collect::<Option<_>>().ok_or_else(no_model)?;
        let too_small = self.record.too_small.into_iter().map(|seat| seat.read(&seats));
        let said = |said: SaidV1| -> Result<Said, RecordError> {
            match said {
                SaidV1::Answer(digest) => Ok(Said::Reply(Box::new(shelf.answer(&digest)?))),
                SaidV1::Nothing(silence) => Ok(Said::Nothing(silence)),
            }
        };
        let proceedings = Proceedings {
            too_small: too_small.collect::<Option<_>>().ok_or_else(no_model)?,
            heard: self
                .record
                .heard
                .into_iter()
                .map(|heard| heard.read(said))
                .collect::<Result<_, RecordError>>()?,
            examined: self
                .record
                .examined
                .into_iter()
                .map(|round| round.into_iter().map(|heard| heard.read(said)).collect())
                .collect::<Result<_, RecordError>>()?,
            questions,
            texts,
        };
        let (run, base) = (self.record.run, self.record.base);
        Ok(Recorded { basis, briefing, proceedings, run, base, families, configured, notes, declarations })
    }
}

/// The files of a record that are at hand.
#[derive(Clone, Copy)]
struct Shelf<'a> {
    receipts: &'a [ReceiptV1],
    files: &'a BTreeMap<Digest, Vec<u8>>,
}

impl<'a> Shelf<'a> {
    fn bytes(self, digest: &Digest, what: &'static str) -> Result<&'a [u8], RecordError> {
        self.files.get(digest).map(Vec::as_slice).ok_or(RecordError::Absent(what))
    }

    fn parsed<T: DeserializeOwned>(self, kind: ReceiptKindV1) -> Result<T, RecordError> {
        let receipt = self.receipts.iter().find(|receipt| receipt.kind == kind);
        let digest = &receipt.ok_or(RecordError::Absent(kind.name()))?.digest;
        parse(kind.name(), self.bytes(digest, kind.name())?)
    }

    fn table(self, name: &str) -> Result<Option<&'a str>, RecordError> {
        let named = |receipt: &&ReceiptV1| receipt.kind == ReceiptKindV1::Table && receipt.name == name;
        let Some(receipt) = self.receipts.iter().find(named) else { return Ok(None) };
        let bytes = self.bytes(&receipt.digest, "table of families")?;
        Ok(Some(std::str::from_utf8(bytes).map_err(|error| unreadable(name, &error))?))
    }

    fn families(self) -> Result<Families, RecordError> {
        let built_in = self.table(FAMILIES)?.ok_or(RecordError::Absent("table of families"))?;
        let families = Families::parse(built_in).map_err(|error| unreadable(FAMILIES, &error))?;
        match self.table(OWN_FAMILIES)? {
            Some(own) => families.extend(own).map_err(|error| unreadable(OWN_FAMILIES, &error)),
            None => Ok(families),
        }
    }

    fn answer(self, digest: &Digest) -> Result<ReplyV1, RecordError> {
        let bytes = self.bytes(digest, "answer")?;
        let name = || format!("answer {}", digest.short());
        serde_json::from_slice(bytes).map_err(|error| unreadable(&name(), &error))
    }
}

/// Reads a file with a `schema`. A version that is not known is told as such.
fn parse<T: DeserializeOwned>(name: &'static str, bytes: &[u8]) -> Result<T, RecordError> {
    #[derive(serde::Deserialize)]
    struct Versioned {
        schema: String,
    }
    let known = format!("recuse/{name}/v1");
    let read = serde_json::from_slice::<T>(bytes).map_err(|error| unreadable(name, &error));
    match serde_json::from_slice::<Versioned>(bytes) {
        Ok(Versioned { schema }) if schema != known => Err(RecordError::OtherVersion {
            name: name.to_owned(),
            version: crate::text::shorten(&schema, 60),
        }),
        Ok(_) | Err(_) => read,
    }
}

fn unreadable(name: &str, error: &dyn std::error::Error) -> RecordError {
    RecordError::Unreadable { name: name.to_owned(), detail: error.to_string() }
}

fn does_not_fit(why: &str) -> RecordError {
    RecordError::DoesNotFit(why.to_owned())
}

/// Whether everything that the record names by its number is there.
fn check(change: &Change, shares: &[Share], record: &RecordV1) -> Result<(), RecordError> {
    let require = |holds: bool, why: &str| if holds { Ok(()) } else { Err(does_not_fit(why)) };
    let files = change.files.len();
    let lines = |file: usize, hunk: usize| -> Option<usize> {
        Some(change.files.get(file)?.hunks().get(hunk)?.lines().count())
    };
    require(record.classes.len() == files, "not every changed file is classified")?;
    let mut hunks = shares.iter().flat_map(|share| &share.hunks);
    require(
        hunks.all(|(file, hunk)| lines(*file, *hunk).is_some()),
        "somebody wrote a hunk that the change has not",
    )?;
    let rules = &record.rules;
    let named = rules.supported.iter().flat_map(|(_, files)| files).chain(&rules.unsafe_to_send);
    let mut named = named.copied().chain(rules.failed.iter().map(|(_, file, _)| *file));
    require(named.all(|file| file < files), "the rules looked at a file that the change has not")?;
    let pieces = record.questions.iter().flat_map(|question| &question.pieces);
    let mut pieces = pieces.chain(record.too_small.iter().flat_map(|seat| &seat.pieces));
    let is_there = |(file, hunk, first, end): &(usize, usize, usize, usize)| {
        first <= end && lines(*file, *hunk).is_some_and(|lines| *end <= lines)
    };
    require(pieces.all(is_there), "a question shows lines that the change has not")?;
    let places: BTreeSet<(usize, usize)> =
        record.questions.iter().map(|question| (question.seat, question.part)).collect();
    require(places.len() == record.questions.len(), "a question is asked twice")?;
    require(places.iter().all(|(_, part)| *part < MAX_PARTS), "a question has more parts than any")?;
    let mut costs = record.heard.iter().map(|heard| &heard.heard).chain(record.examined.iter().flatten());
    require(costs.all(|heard| heard.costs() <= MAX_MICRO_USD), "a call cost more than any")
}

#[cfg(test)]
mod tests;
