//! Verifying a packet: what `review::verify` recomputes, and what needs the repository, keys and receipts.

mod receipts;

use anyhow::Result;
use git::{RangeKind, RangeRequest, Repository, ResolvedRange};
use review::anchor::FileTexts;
use review::attribution::{Channel, Declaration, Role};
use review::change::{Change, Source, text_digest};
use review::classify::classify;
use review::conclude::MAX_EXAMINED_BY_RULES;
use review::judge::plural;
use review::packet::{self, AttributionV1, ClaimV1, PacketV1, RULES, ReadPacket, ReceiptKindV1, SeatV1};
use review::record::{FAMILIES, OWN_FAMILIES};
use review::text::visible;
use review::verify::{
    ChangeFacts, Facts, Problems, Proof, ProofState, against_change, recompute, texts_needed,
};
use review::{CommitId, Digest, Finding, Lens, Side};
use rules::RuleOptions;
use store::Receipts;

use crate::authorship::{Authorship, AuthorshipRequest, notes, who_wrote};
use crate::prompts::Prompts;
use crate::rules_pass::{self, RulesPass};
use crate::signing::{self, SignatureFile, TrustedKeys};
use crate::tables::Tables;

pub use receipts::replayed;

/// What a packet is verified against.
pub struct VerifyRequest<'a> {
    /// The packet.
    pub read: &'a ReadPacket,
    /// What its file is called.
    pub file_name: &'a str,
    /// What its digest should be, where somebody says so.
    pub digest: Option<&'a Digest>,
    /// Where the change can be read again.
    pub against: Against<'a>,
    /// The signatures beside it.
    pub signatures: &'a [SignatureFile],
    /// Who may have signed it.
    pub keys: &'a TrustedKeys,
    /// Where its receipts are; `None` where nobody said.
    pub receipts: Option<&'a Receipts>,
    /// The tables of this program.
    pub tables: &'a Tables,
    /// The prompts of this program.
    pub prompts: &'a Prompts,
    /// The version of this program.
    pub version: &'a str,
    /// Seconds since 1970.
    pub now: i64,
}

/// Where the change that a packet is about can be read again.
pub enum Against<'a> {
    /// In a repository.
    Repository(&'a Repository),
    /// In the bytes of a diff.
    Diff(&'a [u8]),
    /// Nowhere that was named.
    Nothing,
}

/// Verifies a packet, one line for each check.
///
/// # Errors
/// Our own failures only: the repository or the store cannot be read. What is wrong with the packet is in the lines.
pub async fn verify(request: &VerifyRequest<'_>) -> Result<Vec<Proof>> {
    let ReadPacket { packet, .. } = request.read;
    let facts = Facts {
        families: same_families(packet, request.tables).then_some(&request.tables.families),
        same_version: packet.run.version == request.version,
    };
    let mut proofs = vec![
        Proof::holds("schema", packet::SCHEMA),
        version(packet, request.version),
        form(request.read, facts),
        digest(request),
    ];
    proofs.extend(signatures(request));
    proofs.extend(recompute(packet, facts));
    // Places that are not there cannot be looked up in the repository either.
    let places_hold = proofs.iter().all(|proof| proof.name != "places" || proof.state == ProofState::Holds);
    if places_hold {
        proofs.extend(repository(request)?);
    }
    if places_hold {
        proofs.extend(receipts::receipts(request).await?);
    }
    Ok(proofs)
}

/// What a packet says made it decides what can be compared with this program, so that another version is never a pass.
fn version(packet: &PacketV1, ours: &str) -> Proof {
    const NAME: &str = "version";
    let theirs = &packet.run.version;
    match theirs == ours {
        true => Proof::holds(NAME, format!("{ours}, as this program is")),
        false => Proof::not_checked(
            NAME,
            format!(
                "it says that {theirs} made it, and this is {ours}: sentences and what is carried are not compared"
            ),
        ),
    }
}

fn form(read: &ReadPacket, facts: Facts<'_>) -> Proof {
    const NAME: &str = "canonical form";
    if let (Some(first), true) = (read.absent.first(), facts.same_version) {
        let absent = plural(read.absent.len(), "field", "fields");
        let why = format!("it lacks {absent} that this version always writes, as `{first}`");
        return Proof::failed(NAME, why);
    }
    match read.is_canonical {
        true => Proof::holds(NAME, format!("{} bytes", read.canonical.len())),
        false => Proof::failed(
            NAME,
            "these are not the packet's canonical bytes (RFC 8785): sha256sum and ssh-keygen will refuse this file; take \
             the one that `recuse review --packet FILE` wrote (`--format json` is for reading)",
        ),
    }
}

fn digest(request: &VerifyRequest<'_>) -> Proof {
    const NAME: &str = "digest";
    let is = &request.read.digest;
    let in_name = request.file_name.split(|c: char| !c.is_ascii_hexdigit()).find_map(Digest::new);
    match (request.digest, in_name) {
        (Some(given), _) if given != is => Proof::failed(NAME, format!("it is {is}, and not {given}")),
        (_, Some(named)) if named != *is => {
            Proof::failed(NAME, format!("it is {is}, and the file is called {named}"))
        }
        (Some(_), _) => Proof::holds(NAME, format!("{is}, as was given")),
        (None, Some(_)) => Proof::holds(NAME, format!("{is}, as the file is called")),
        (None, None) => Proof::holds(NAME, format!("{is}; compare it with where you read of the packet")),
    }
}

fn signatures(request: &VerifyRequest<'_>) -> Vec<Proof> {
    let ReadPacket { packet, canonical, .. } = request.read;
    if request.signatures.is_empty() {
        let none = match request.keys.is_empty() {
            true => Proof::not_checked(
                signing::CHECK,
                "the packet is unsigned: no .sig and no .dsse.json is beside it",
            ),
            false => Proof::failed(
                signing::CHECK,
                "the packet is unsigned, and a key was given that should have signed it",
            ),
        };
        return vec![none];
    }
    let check = |file| signing::check(file, packet, canonical, request.keys, request.now);
    request.signatures.iter().map(check).collect()
}

/// The change as it is to be compared, or why it cannot be.
struct Gathered<'a> {
    change: Change,
    repository: Option<&'a Repository>,
}

fn repository(request: &VerifyRequest<'_>) -> Result<Vec<Proof>> {
    const NAME: &str = "change";
    let packet = &request.read.packet;
    let gathered = match gather(packet, &request.against) {
        Ok(gathered) => gathered,
        Err(proof) => return Ok(vec![proof]),
    };
    let Gathered { change, repository } = gathered;
    if change.subject.diff_digest != packet.subject.diff_digest {
        let is = &change.subject.diff_digest;
        return Ok(vec![Proof::failed(NAME, format!("the diff has the digest {is}, and not the packet's"))]);
    }
    let text_digest = match change.subject.source {
        // Its title and description are on the platform, and may have been edited since.
        Source::PullRequest { .. } => packet.subject.text_digest.clone(),
        Source::Range { .. } | Source::Staged | Source::Patch => text_digest(&change.title, &change.body),
    };
    let classification = classify(&change, &request.tables.classify);
    let attribution = attribution(packet, &change, repository, request.tables)?;
    let open = || Ok(repository.map(|repository| repository.blobs(&change)).transpose()?);
    let pass = rules_pass::run(change.clone(), &RuleOptions::default(), &open)?;
    let mut texts = FileTexts::default();
    if let Some(repository) = repository {
        for path in texts_needed(packet) {
            for (side, commit) in [(Side::Head, &change.subject.head), (Side::Base, &change.subject.base)] {
                let Some(commit) = commit else { continue };
                if let Some(bytes) = repository.read_at(commit, &path)?.into_bytes() {
                    let (text, _) = rules::redact_text(&String::from_utf8_lossy(&bytes));
                    texts.insert(path.clone(), side, text);
                }
            }
        }
    }
    let mut proofs =
        vec![Proof::holds(NAME, format!("the diff is the packet's, {}", change.subject.diff_digest))];
    proofs.extend(against_change(
        packet,
        &ChangeFacts {
            change: &pass.change,
            text_digest: &text_digest,
            redacted_secrets: pass.report.redacted,
            classification: &classification,
            same_rules: same_table(packet, request.tables, "classify.toml"),
            attribution: attribution.as_ref().map_err(|why| *why),
            texts: &texts,
        },
    ));
    proofs.push(rules_words(packet, &pass));
    proofs.extend(repository.map(|repository| house_rules(packet, repository)).transpose()?);
    Ok(proofs)
}

fn gather<'a>(packet: &PacketV1, against: &Against<'a>) -> Result<Gathered<'a>, Proof> {
    const NAME: &str = "change";
    let subject = &packet.subject;
    match (&subject.source, against) {
        (
            Source::Range { base_ref, head_ref } | Source::PullRequest { base_ref, head_ref, .. },
            Against::Repository(repository),
        ) => {
            let Some(head) = subject.head.clone() else {
                return Err(Proof::failed(NAME, "a range without a head"));
            };
            for commit in [Some(&head), subject.base.as_ref()].into_iter().flatten() {
                if repository.files_in(commit, &"".into()).is_err() {
                    let why = format!(
                        "the repository does not have the commit {}: fetch it first",
                        commit.as_str()
                    );
                    return Err(Proof::not_checked(NAME, why));
                }
            }
            let range = ResolvedRange {
                kind: RangeKind::Branch,
                base_ref: base_ref.clone(),
                head_ref: head_ref.clone(),
                base: subject.base.clone(),
                merge_base: subject.base.clone(),
                head,
                branch: subject.branch.clone(),
            };
            let change = repository.gather(&range);
            let mut change = change.map_err(|error| {
                Proof::not_checked(NAME, format!("the change could not be read: {error}"))
            })?;
            change.subject.source = subject.source.clone();
            Ok(Gathered { change, repository: Some(repository) })
        }
        (Source::Patch, Against::Diff(bytes)) => {
            Ok(Gathered { change: review::diff::change_from_patch(bytes), repository: None })
        }
        (Source::Range { .. } | Source::PullRequest { .. }, Against::Nothing | Against::Diff(_)) => {
            Err(Proof::not_checked(NAME, "quotes, files and authors need the repository: give --repo"))
        }
        (Source::Patch, Against::Nothing | Against::Repository(_)) => {
            Err(Proof::not_checked(NAME, "the review was of a diff that somebody handed over: give --diff"))
        }
        (Source::Staged, _) => {
            Err(Proof::not_checked(NAME, "the review was of what was staged, which no commit holds"))
        }
    }
}

/// Who wrote the change by its traces and what the packet says was declared; or why that cannot be told here.
fn attribution(
    packet: &PacketV1,
    change: &Change,
    repository: Option<&Repository>,
    tables: &Tables,
) -> Result<Result<AttributionV1, &'static str>> {
    if !same_families(packet, tables) || !same_table(packet, tables, "agents.toml") {
        return Ok(Err("the packet was made with other tables of agents or families than this program has"));
    }
    let evidence = &packet.attribution.evidence;
    if matches!(change.subject.source, Source::PullRequest { .. })
        || evidence.iter().any(|seen| seen.channel == Channel::PlatformLogin)
    {
        return Ok(Err(
            "who opened it, and its title and description, are the platform's word, which the repository does not hold",
        ));
    }
    let declared = evidence.iter().filter(|seen| seen.channel == Channel::Declaration);
    let declarations: Vec<Declaration> = declared
        .map(|seen| match (seen.role, &seen.agent) {
            (Role::Human, _) => Declaration::Human,
            (Role::Implementer | Role::Suggester | Role::Bot, Some(_)) => {
                Declaration::Agent(seen.text.clone())
            }
            (Role::Implementer | Role::Suggester | Role::Bot, None) => Declaration::Model(seen.text.clone()),
        })
        .collect();
    let notes = match repository {
        Some(repository) => notes(repository, change)?,
        None => Vec::new(),
    };
    let Authorship { attribution, shares } = who_wrote(&AuthorshipRequest {
        change,
        repository,
        notes: &notes,
        declarations: &declarations,
        opened: None,
        tables,
    })?;
    Ok(Ok(packet::attribution(&attribution, &shares)))
}

/// What the rules are said to have found is what they find, and nothing that they find is left out. Their thresholds are
/// the operator's, and only complexity has any.
fn rules_words(packet: &PacketV1, pass: &RulesPass) -> Proof {
    let mut problems = Problems::default();
    let by_rules = |claim: &&ClaimV1| {
        claim.lens != Lens::Complexity && claim.sources.iter().all(|source| source.name == RULES)
    };
    let mut count = 0;
    for claim in packet.claims.iter().filter(by_rules) {
        count += 1;
        let finds = pass.report.findings.iter().any(|finding| {
            (visible(&finding.title), visible(&finding.body), finding.category.as_str(), finding.severity)
                == (claim.title.clone(), claim.body.clone(), &claim.category, claim.severity)
        });
        problems.expect(finds, || format!("the rules do not find what claim {} says", claim.id));
    }
    let of_claims = packet.claims.iter().flat_map(|claim| &claim.sources);
    let of_claims = of_claims.filter(|source| source.name == RULES).map(|source| source.title.clone());
    let unanchored = packet.unanchored.iter().filter(|finding| finding.name == RULES);
    let mut said: Vec<String> = of_claims.chain(unanchored.map(|finding| finding.title.clone())).collect();
    for finding in pass.report.findings.iter().filter(|finding| was_looked_at(packet, finding)) {
        let title = visible(&finding.title);
        let place = said.iter().position(|other| *other == title);
        problems
            .expect(place.is_some(), || format!("the packet lacks what the rules find in {}", finding.file));
        if let Some(place) = place {
            said.swap_remove(place);
        }
    }
    problems.expect(packet.rules.suppressed == pass.report.beside.suppressed, || {
        "other findings are excused by exceptions in the base".to_owned()
    });
    problems.expect(packet.rules.not_covered == pass.report.beside.not_covered, || {
        "the rules could not read other files than it says".to_owned()
    });
    problems.expect(packet.rules.notes == pass.report.beside.notes, || {
        "the rules say something else beside their findings".to_owned()
    });
    Proof::of(
        "rules",
        problems,
        format!("{count} claims are what the rules find, and it is all that they find"),
    )
}

/// Whether the rules looked for what they find here: in the files of their seat, where the lens has one.
fn was_looked_at(packet: &PacketV1, finding: &Finding) -> bool {
    let lens = finding.category.lens();
    let of_rules = |seat: &&SeatV1| seat.lens == lens && seat.reviewer == RULES;
    let file = finding.file.to_string();
    lens != Lens::Complexity
        && packet.panel.seats.iter().filter(of_rules).any(|seat| {
            seat.outcomes.iter().any(|outcome| {
                outcome.examined.len() >= MAX_EXAMINED_BY_RULES || outcome.examined.contains(&file)
            })
        })
}

/// The conventions are those of the base: of its tip at the time, which may have moved, or of where the change begins.
fn house_rules(packet: &PacketV1, repository: &Repository) -> Result<Proof> {
    const NAME: &str = "house rules";
    let mut places: Vec<CommitId> = packet.subject.base.iter().cloned().collect();
    if let Source::Range { base_ref, .. } = &packet.subject.source
        && let Ok(range) = repository.range(&RangeRequest::Commit(base_ref.clone()))
    {
        places.push(range.head);
    }
    let mut problems = Problems::default();
    let mut moved = 0;
    for rule in &packet.house_rules {
        let mut is_there = false;
        for commit in &places {
            let Some(bytes) = repository.read_at(commit, &rule.path)?.into_bytes() else { continue };
            if Digest::of(&bytes) != rule.digest {
                continue;
            }
            is_there = true;
            let (text, _) = rules::redact_text(&String::from_utf8_lossy(&bytes));
            let all = rule.given_bytes.saturating_add(rule.cut_bytes);
            problems.same(format!("the length of {}", rule.path), all, text.len() as u64);
        }
        moved += usize::from(!is_there);
    }
    Ok(match moved {
        0 => Proof::of(NAME, problems, format!("{} files as the base has them", packet.house_rules.len())),
        _ => Proof::not_checked(NAME, format!("{moved} files are at the base no longer as they were given")),
    })
}

/// Whether a table of the packet is this program's.
fn same_table(packet: &PacketV1, tables: &Tables, name: &str) -> bool {
    let in_packet: Vec<&Digest> = packet
        .receipts
        .iter()
        .filter(|receipt| receipt.kind == ReceiptKindV1::Table && receipt.name == name)
        .map(|receipt| &receipt.digest)
        .collect();
    let here = tables.sources.iter().filter(|(source, _)| *source == name);
    let here: Vec<Digest> = here.map(|(_, text)| Digest::of(text.as_bytes())).collect();
    in_packet == here.iter().collect::<Vec<_>>()
}

fn same_families(packet: &PacketV1, tables: &Tables) -> bool {
    same_table(packet, tables, FAMILIES) && same_table(packet, tables, OWN_FAMILIES)
}
