//! A packet against the change that it is about, as the repository has it.

use super::{Problems, Proof};
use crate::anchor::{Anchor, FileTexts, anchor, stands_at, stands_in};
use crate::change::{Change, Content, Gap, GapKind, Side};
use crate::classify::Classification;
use crate::examine::Ruling;
use crate::judge::plural;
use crate::merge;
use crate::packet::{self, AnchorV1, AttributionV1, ClaimV1, PacketV1, UnanchoredV1};
use crate::{Category, Digest, Finding, Hunk, Lens, RepoPath};

/// What the repository says.
#[derive(Debug, Clone, Copy)]
pub struct ChangeFacts<'a> {
    /// The change, gathered again and redacted.
    pub change: &'a Change,
    /// SHA-256 of title and body before redaction.
    pub text_digest: &'a Digest,
    /// How many secrets were redacted.
    pub redacted_secrets: usize,
    /// What the change is.
    pub classification: &'a Classification,
    /// Whether the packet was classified by the same rules.
    pub same_rules: bool,
    /// Who wrote it by its traces; or why that cannot be told here.
    pub attribution: Result<&'a AttributionV1, &'static str>,
    /// The whole files that [`texts_needed`] names, redacted.
    pub texts: &'a FileTexts,
}

/// The files whose whole texts are needed: those that quotes outside the change are from, those that examiners quoted,
/// and those in which a quote was not found.
pub fn texts_needed(packet: &PacketV1) -> Vec<RepoPath> {
    let needs = |claim: &&ClaimV1| claim.anchor == AnchorV1::Elsewhere || claim.examination.is_some();
    let claimed = packet.claims.iter().filter(needs).map(|claim| claim.file.as_str());
    let unanchored = packet.unanchored.iter().map(|finding| finding.file.as_str());
    let mut paths: Vec<RepoPath> =
        claimed.chain(unanchored).filter(|path| !path.is_empty()).map(RepoPath::from).collect();
    paths.sort();
    paths.dedup();
    paths
}

/// Compares, one line for each check.
pub fn against_change(packet: &PacketV1, facts: &ChangeFacts<'_>) -> Vec<Proof> {
    vec![
        subject(packet, facts),
        classification(packet, facts),
        authorship(packet, facts),
        gaps(packet, facts.change),
        quotes(packet, facts),
    ]
}

fn subject(packet: &PacketV1, facts: &ChangeFacts<'_>) -> Proof {
    let mut problems = Problems::default();
    let (says, change) = (&packet.subject, facts.change);
    let mut is = packet::subject(change, facts.text_digest, facts.classification);
    problems.same("the digest of the diff", says.diff_digest.as_str(), is.diff_digest.as_str());
    problems.same("the digest of title and description", says.text_digest.as_str(), is.text_digest.as_str());
    problems.same("the number of commits", says.commits, is.commits);
    problems.same("the number of files", says.files.len(), is.files.len());
    for (says, is) in says.files.iter().zip(&mut is.files) {
        if !facts.same_rules {
            is.labels.clone_from(&says.labels);
        }
        problems.expect(says == is, || format!("{} was changed otherwise than the packet says", is.path));
    }
    problems.expect(packet.contract.goal == packet::goal(change), || {
        "the goal is not what the author's commits say".to_owned()
    });
    let hunks: usize = change.files.iter().map(|file| file.hunks().len()).sum();
    problems.same("the number of hunks", packet.coverage.hunks as usize, hunks);
    problems.same(
        "the number of redacted secrets",
        packet.coverage.redacted_secrets as usize,
        facts.redacted_secrets,
    );
    let detail = format!(
        "{}, {}, {}",
        plural(says.files.len(), "file", "files"),
        plural(hunks, "hunk", "hunks"),
        plural(says.commits as usize, "commit", "commits")
    );
    Proof::of("subject", problems, detail)
}

fn classification(packet: &PacketV1, facts: &ChangeFacts<'_>) -> Proof {
    const NAME: &str = "classification";
    if !facts.same_rules {
        return Proof::not_checked(
            NAME,
            "the packet was made with other rules of classification than this program has",
        );
    }
    let mut problems = Problems::default();
    problems.expect(packet.classification == packet::classification(facts.classification), || {
        "the change is something else than the packet says".to_owned()
    });
    Proof::of(NAME, problems, plural(packet.classification.labels.len(), "label", "labels"))
}

fn authorship(packet: &PacketV1, facts: &ChangeFacts<'_>) -> Proof {
    const NAME: &str = "authorship";
    let is = match facts.attribution {
        Ok(is) => is,
        Err(why) => return Proof::not_checked(NAME, why),
    };
    let mut problems = Problems::default();
    let says = &packet.attribution;
    problems.expect(says.evidence == is.evidence, || {
        "the commits, the branch and the notes have other traces than the packet says".to_owned()
    });
    problems.expect(says.unread == is.unread, || "other notes could not be read".to_owned());
    problems.expect(says.shares == is.shares, || "the notes give the lines to others".to_owned());
    problems.expect(says.bot == is.bot && says.partial == is.partial, || {
        "a bot opened it and not, or part of it carries traces and not".to_owned()
    });
    Proof::of(
        NAME,
        problems,
        format!("{} in the repository or declared", plural(says.evidence.len(), "trace", "traces")),
    )
}

/// What could not be read is told, and what nobody looked at is told by its lines.
fn gaps(packet: &PacketV1, change: &Change) -> Proof {
    let mut problems = Problems::default();
    let is_exempt = |path: &RepoPath| packet.coverage.exempt.iter().any(|exempt| exempt.file == *path);
    let binary = change.files.iter().filter(|file| matches!(file.content, Content::Binary)).map(|file| Gap {
        kind: GapKind::Binary,
        file: Some(file.path.clone()),
        lines: None,
        detail: "a binary file: nobody can read it".to_owned(),
    });
    let expected: Vec<Gap> = change
        .gaps
        .iter()
        .cloned()
        .chain(binary)
        .filter(|gap| gap.file.as_ref().is_none_or(|file| !is_exempt(file)))
        .collect();
    let told: Vec<&Gap> = packet.gaps.iter().filter(|gap| gap.kind != GapKind::Unanswered).collect();
    problems.expect(told == expected.iter().collect::<Vec<_>>(), || {
        "what could not be read of the change is not what the gaps say".to_owned()
    });
    for lens in &packet.coverage.lenses {
        let prefix = format!("{}: ", lens.lens.name());
        let of_lens = packet
            .gaps
            .iter()
            .filter(|gap| gap.kind == GapKind::Unanswered && gap.detail.starts_with(&prefix));
        let mut uncovered = 0;
        for gap in of_lens {
            match hunks_of(gap, change) {
                Some(hunks) => uncovered += hunks,
                None => problems
                    .expect(false, || format!("a gap does not begin and end with a hunk: {}", gap.detail)),
            }
        }
        problems.same(
            format!("the number of uncovered hunks of {}", lens.lens.name()),
            lens.uncovered as usize,
            uncovered,
        );
        let exempt = change.files.iter().filter(|file| is_exempt(&file.path));
        let exempt: usize = exempt.map(|file| file.hunks().len()).sum();
        problems.expect(lens.exempt as usize <= exempt, || {
            format!("more hunks of {} are exempt than the exempt files have", lens.lens.name())
        });
    }
    Proof::of("gaps", problems, format!("{}, where it is said", plural(packet.gaps.len(), "gap", "gaps")))
}

/// How many hunks a gap stands for; `None` where it does not begin and end with one.
fn hunks_of(gap: &Gap, change: &Change) -> Option<usize> {
    let (first, last) = gap.lines?;
    let file = change.files.iter().find(|file| gap.file.as_ref() == Some(&file.path))?;
    let ranges: Vec<(u32, u32)> = file
        .hunks()
        .iter()
        .filter_map(|hunk| hunk.range(Side::Head).or_else(|| hunk.range(Side::Base)))
        .collect();
    let begin = ranges.iter().position(|(start, _)| *start == first)?;
    let end = (begin..ranges.len()).find(|index| ranges[*index].1 == last)?;
    Some(end - begin + 1)
}

/// Every quote, redacted as the reviewers saw it.
fn quotes(packet: &PacketV1, facts: &ChangeFacts<'_>) -> Proof {
    let mut problems = Problems::default();
    for claim in &packet.claims {
        problems.expect(stands(claim, facts), || {
            let at = claim.line_start.map(|line| format!(":{line}")).unwrap_or_default();
            format!("the quote of claim {} does not stand at {}{at}", claim.id, claim.file)
        });
        if let Some(examination) = claim.examination.as_ref().filter(|it| it.ruling != Ruling::Undecided) {
            problems.expect(stands_somewhere(&examination.quote, claim, facts), || {
                format!("the line that decided claim {} stands nowhere in {}", claim.id, claim.file)
            });
        }
    }
    for finding in &packet.unanchored {
        problems.expect(is_nowhere(finding, facts), || {
            format!("a quote that is said to stand nowhere does, or for another reason: {}", finding.title)
        });
    }
    let (claims, nowhere) = (plural(packet.claims.len(), "quote", "quotes"), packet.unanchored.len());
    Proof::of("quotes", problems, format!("{claims} where it is said, {nowhere} nowhere, as is said too"))
}

/// Whether the quote of an unanchored finding is found nowhere, for the reason that is given.
fn is_nowhere(says: &UnanchoredV1, facts: &ChangeFacts<'_>) -> bool {
    let Some(lens) = says.category.split('/').next().and_then(Lens::from_name) else { return false };
    let finding = Finding {
        category: Category::parse(&says.category, lens),
        severity: says.severity,
        file: RepoPath::from(says.file.as_str()),
        lines: None,
        side: Side::Head,
        quote: says.quote.clone(),
        title: String::new(),
        body: String::new(),
        rule: None,
    };
    anchor(&finding, facts.change, facts.texts) == Anchor::Unanchored { reason: says.reason.clone() }
}

fn stands(claim: &ClaimV1, facts: &ChangeFacts<'_>) -> bool {
    let file = || {
        let is_it = |file: &crate::FileChange| file.path_on(claim.side).as_str() == claim.file;
        facts.change.files.iter().position(is_it)
    };
    let lines = claim.line_start.zip(claim.line_end);
    match claim.anchor {
        AnchorV1::File => file().is_some() && claim.quote.trim().is_empty(),
        AnchorV1::Line => {
            let (Some(file), Some(lines)) = (file(), lines) else { return false };
            let anchor = Anchor::Line { file, side: claim.side, lines };
            let ends = facts.change.files[file].hunks().iter().flat_map(|hunk| hunk.lines());
            let ends = ends.filter(|line| {
                line.number(claim.side).is_some_and(|number| number == lines.0 || number == lines.1)
            });
            let in_hunks = ends.count() == if lines.0 == lines.1 { 1 } else { 2 };
            in_hunks && !claim.quote.is_empty() && merge::quote(&anchor, "", facts.change) == claim.quote
        }
        AnchorV1::Elsewhere => {
            let text = facts.texts.get(&RepoPath::from(claim.file.as_str()), claim.side);
            let in_hunk = |hunk: &Hunk| {
                let range = hunk.range(claim.side);
                range.zip(lines).is_some_and(|(range, lines)| range.0 <= lines.0 && lines.1 <= range.1)
            };
            let outside = file().is_none_or(|file| !facts.change.files[file].hunks().iter().any(in_hunk));
            outside && text.zip(lines).is_some_and(|(text, lines)| stands_at(&claim.quote, text, lines))
        }
    }
}

fn stands_somewhere(quote: &str, claim: &ClaimV1, facts: &ChangeFacts<'_>) -> bool {
    let path = RepoPath::from(claim.file.as_str());
    let mut texts = [Side::Head, Side::Base].into_iter().filter_map(|side| facts.texts.get(&path, side));
    let in_hunks = || {
        let files = facts.change.files.iter();
        files.flat_map(|file| file.hunks()).any(|hunk| {
            let side = |side: Side| {
                let lines = hunk.lines().filter(|line| line.number(side).is_some()).map(|line| line.text);
                lines.collect::<Vec<_>>().join("\n")
            };
            stands_in(quote, &side(Side::Head)) || stands_in(quote, &side(Side::Base))
        })
    };
    texts.any(|text| stands_in(quote, text)) || in_hunks()
}
