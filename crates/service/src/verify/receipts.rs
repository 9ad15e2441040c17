//! Whether what is kept beside a packet is there and unaltered, whether models said what the packet says, and whether
//! the record comes to the packet.

use std::borrow::Cow;
use std::collections::BTreeMap;

use anyhow::Result;
use git::Repository;
use review::Digest;
use review::change::Source;
use review::outcome::EndingKind;
use review::packet::{CallV1, PacketV1, ReceiptKindV1, ReceiptV1};
use review::record::OPERATORS;
use review::reply::ReplyV1;
use review::text::{shorten, visible_line};
use review::verify::{FoldedReply, Problems, Proof, said};
use store::Fetched;

use super::VerifyRequest;
use crate::prompts::Template;
use crate::replay::{MAX_RECEIPT_BYTES, ReplayError, pruned_words, receipt_words, replay};
use crate::roster::COMMAND;

/// The replies of a packet that are at hand, by the digest of their bytes.
type Replies = BTreeMap<Digest, FoldedReply>;

/// Looks at every receipt, and for models' words in their replies.
pub(super) async fn receipts(request: &VerifyRequest<'_>) -> Result<Vec<Proof>> {
    const NAME: &str = "receipts";
    let packet = &request.read.packet;
    let mut problems = Problems::default();
    let (mut held, mut elsewhere, mut deleted) = (0_usize, 0_usize, Vec::new());
    let mut replies = Replies::new();
    let mut answers: Vec<ReplyV1> = Vec::new();
    let same_version = packet.run.version == request.version;
    for receipt in &packet.receipts {
        let what = receipt_words(receipt);
        let fetched = match request.receipts {
            Some(receipts) => receipts.fetch(&receipt.digest, receipt.bytes.min(MAX_RECEIPT_BYTES)).await?,
            None => Fetched::Missing,
        };
        let bytes = match (fetched, request.built_in(receipt)) {
            (Fetched::Kept(bytes), _) => bytes,
            (Fetched::Pruned(_) | Fetched::Missing, Some(built_in)) => built_in,
            (Fetched::Altered(how), _) => {
                problems.expect(false, || format!("{what} was altered: {how}"));
                continue;
            }
            (Fetched::Pruned(pruned), None) => {
                deleted.push(format!("{what} {}", pruned_words(&pruned)));
                continue;
            }
            (Fetched::Missing, None) => {
                let ours = is_of_the_program(receipt);
                problems
                    .expect(!(ours && same_version), || format!("{what} is not what this version carries"));
                problems.expect(ours || request.receipts.is_none(), || format!("{what} is missing"));
                elsewhere += 1;
                continue;
            }
        };
        held += 1;
        problems.same(format!("the number of bytes of {what}"), receipt.bytes, bytes.len() as u64);
        match receipt.kind {
            ReceiptKindV1::Reply => {
                names_model(&bytes, receipt, packet, &mut problems);
                replies.insert(receipt.digest.clone(), FoldedReply::of(&bytes));
            }
            ReceiptKindV1::Answer => match serde_json::from_slice(&bytes) {
                Ok(answer) => answers.push(answer),
                Err(error) => problems.expect(false, || format!("{what} cannot be read: {error}")),
            },
            ReceiptKindV1::Prompt
            | ReceiptKindV1::Template
            | ReceiptKindV1::Table
            | ReceiptKindV1::Configuration
            | ReceiptKindV1::Change
            | ReceiptKindV1::Authorship
            | ReceiptKindV1::Briefing
            | ReceiptKindV1::Record => {}
        }
    }
    for answer in &answers {
        was_said(answer, packet, &replies, &mut problems);
    }
    if same_version {
        for (name, is_it) in request.rests_on() {
            problems.expect(packet.receipts.iter().any(is_it), || {
                format!("no receipt says which `{name}` was used")
            });
        }
    }
    let all = packet.receipts.len();
    let proof = match (elsewhere, deleted.first()) {
        _ if !problems.is_empty() => Proof::of(NAME, problems, ""),
        (0, None) => Proof::holds(NAME, format!("{held} are there and unaltered")),
        (_, Some(first)) => {
            let and_more = match deleted.len() {
                1 => String::new(),
                count => format!(", as were {} more", count - 1),
            };
            Proof::not_checked(NAME, format!("{held} of {all} are unaltered; {first}{and_more}"))
        }
        (_, None) => Proof::not_checked(
            NAME,
            format!(
                "{elsewhere} of {all} are not at hand: give --receipts, or the version of recuse that made the packet"
            ),
        ),
    };
    Ok(vec![proof, said(packet, &replies)])
}

/// Whether the record comes to the packet, byte for byte. With a repository the change, the rules and the authors are
/// read from it again.
///
/// # Errors
/// Our own failures only.
pub async fn replayed(request: &VerifyRequest<'_>, repository: Option<Repository>) -> Result<Proof> {
    const NAME: &str = "replay";
    let packet = &request.read.packet;
    let Some(receipts) = request.receipts else {
        return Ok(Proof::not_checked(NAME, "it needs the receipts: give --receipts"));
    };
    let repository = match packet.subject.source {
        Source::Range { .. } => repository,
        // What the platform says of a pull request, no repository holds.
        Source::PullRequest { .. } | Source::Patch | Source::Staged => None,
    };
    let replayed = match replay(request.read, receipts, repository).await {
        Ok(replayed) => replayed,
        Err(ReplayError::Unusable(why)) => return Ok(Proof::not_checked(NAME, visible_line(&why))),
        Err(ReplayError::Ours(error)) => return Err(error),
    };
    let Some(difference) = &replayed.difference else {
        return Ok(Proof::holds(NAME, "the record comes to the same bytes"));
    };
    let difference =
        format!("the record comes to another packet, first at {}", shorten(&difference.pointer, 200));
    let difference = visible_line(&difference);
    Ok(match packet.run.version == request.version {
        true => Proof::failed(NAME, difference),
        false => Proof::not_checked(
            NAME,
            format!("{difference}; another version made it, and may decide otherwise"),
        ),
    })
}

/// Whether a version of recuse carries it itself, so that it need not be kept with each review.
fn is_of_the_program(receipt: &ReceiptV1) -> bool {
    match receipt.kind {
        ReceiptKindV1::Template | ReceiptKindV1::Table => !receipt.name.contains(OPERATORS),
        ReceiptKindV1::Prompt
        | ReceiptKindV1::Reply
        | ReceiptKindV1::Answer
        | ReceiptKindV1::Configuration
        | ReceiptKindV1::Change
        | ReceiptKindV1::Authorship
        | ReceiptKindV1::Briefing
        | ReceiptKindV1::Record => false,
    }
}

/// Whether a reply names the model that is said to have answered.
fn names_model(reply: &[u8], receipt: &ReceiptV1, packet: &PacketV1, problems: &mut Problems) {
    let text = String::from_utf8_lossy(reply);
    let calls = packet.ledger.calls.iter().filter(|call| call.reply.as_ref() == Some(&receipt.digest));
    // In a field of the provider's own; inside of the answer, which is a string, its quotes would be escaped.
    let is_named = ["\"model\":\"", "\"model\": \"", "\"modelVersion\":\"", "\"modelVersion\": \""]
        .iter()
        .any(|field| text.split(field).skip(1).any(|rest| !rest.starts_with('"')));
    for call in calls {
        let Some(name) = call.served_model.as_deref() else {
            let is_asked =
                call.outcome == EndingKind::Answered && call.engine.split('/').next() != Some(COMMAND);
            problems.expect(!(is_asked && is_named), || {
                format!("the reply {} names a model, and the packet none", receipt.digest.short())
            });
            continue;
        };
        // A name that the packet shortened or wrote out is not there as it is.
        let is_whole = !name.ends_with('…') && !name.contains("\\u{");
        let is_there = [name.to_owned(), name.replace('/', "\\/")]
            .iter()
            .any(|name| text.contains(&format!("\"{name}\"")));
        problems.expect(is_there || !is_whole, || {
            format!(
                "the reply {} does not name the model that is said to have answered",
                receipt.digest.short()
            )
        });
    }
}

/// Whether what a record says that a model said is what its provider sent.
fn was_said(answer: &ReplyV1, packet: &PacketV1, replies: &Replies, problems: &mut Problems) {
    let short = answer.raw_sha256.short();
    let is_of = |call: &&CallV1| call.reply.as_ref() == Some(&answer.raw_sha256);
    problems.expect(packet.ledger.calls.iter().any(|call| is_of(&call)), || {
        format!("the record has an answer from the reply {short}, and no call has that reply")
    });
    if let Some(reply) = replies.get(&answer.raw_sha256) {
        problems.expect(reply.holds(&answer.text), || {
            format!("the record has an answer that is not what stands in the reply {short}")
        });
    }
}

impl VerifyRequest<'_> {
    /// The table or the prompt that this program carries under a receipt's kind and name, if it is that one.
    fn built_in(&self, receipt: &ReceiptV1) -> Option<Vec<u8>> {
        let table =
            |(name, text): &(&str, Cow<'static, str>)| (*name == receipt.name).then(|| text.to_string());
        let template =
            |template: &Template| (template.receipt_name() == receipt.name).then(|| template.text.clone());
        let text = match receipt.kind {
            ReceiptKindV1::Table => self.tables.sources.iter().find_map(table),
            ReceiptKindV1::Template => self.prompts.templates.iter().find_map(template),
            ReceiptKindV1::Prompt
            | ReceiptKindV1::Reply
            | ReceiptKindV1::Answer
            | ReceiptKindV1::Configuration
            | ReceiptKindV1::Change
            | ReceiptKindV1::Authorship
            | ReceiptKindV1::Briefing
            | ReceiptKindV1::Record => None,
        }?;
        (Digest::of(text.as_bytes()) == receipt.digest).then(|| text.into_bytes())
    }

    /// What every review by this version rests on: what it is called, and which receipt is it.
    fn rests_on(&self) -> impl Iterator<Item = (&str, impl Fn(&ReceiptV1) -> bool)> {
        use ReceiptKindV1::{Authorship, Briefing, Change, Configuration, Record, Table};
        let tables = self.tables.sources.iter().map(|(name, _)| (*name, Wanted::Named(Table, name)));
        let prompts = self.prompts.templates.iter();
        let prompts = prompts.map(|template| (template.id.as_str(), Wanted::Template(template)));
        let recorded = [Configuration, Change, Authorship, Briefing, Record];
        let recorded = recorded.map(|kind| (kind.name(), Wanted::Named(kind, kind.name())));
        let all = tables.chain(prompts).chain(recorded);
        all.map(|(name, wanted)| (name, move |receipt: &ReceiptV1| wanted.is(receipt)))
    }
}

/// What a packet has to have a receipt of.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    Named(ReceiptKindV1, &'a str),
    /// This prompt file, or the operator's in its place.
    Template(&'a Template),
}

impl Wanted<'_> {
    fn is(self, receipt: &ReceiptV1) -> bool {
        match self {
            Self::Named(kind, name) => receipt.kind == kind && receipt.name == name,
            Self::Template(template) => {
                let version =
                    receipt.name.strip_prefix(&template.id).and_then(|rest| rest.strip_prefix(" v"));
                let version = version.and_then(|rest| rest.strip_suffix(&format!(" ({OPERATORS})")));
                let is_operators =
                    version.is_some_and(|version| version.bytes().all(|byte| byte.is_ascii_digit()));
                let is_ours = receipt.name == template.receipt_name() && receipt.digest == template.digest;
                receipt.kind == ReceiptKindV1::Template && (is_operators || is_ours)
            }
        }
    }
}
