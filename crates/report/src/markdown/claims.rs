//! The claims in the comment, worst first, and what follows them unfolded: checks and questions.

use review::judge::Verdict;
use review::packet::{ClaimV1, PacketV1};

use super::build::{Block, Entry, FenceLine, Foreign, Inline, Line, render};
use super::{NAMES, code, comma_separated, count, listed, own};
use crate::amount::{Amount, one_or_many};
use crate::claim::{excerpt, family_beside, lines, named_supporters, place_note, support, uncounted_sources};
use crate::parts::{by_standing, questions, told_checks};
use crate::text::place;
use crate::words::{check_source_words, check_words};

/// How wide a scenario is: what GitHub's comment shows of a fence without scrolling.
const SCENARIO_COLUMNS: usize = 88;

/// How many characters of a scenario are shown.
const SCENARIO_CHARACTERS: usize = 2_000;

/// How many characters of an examiner's reason are shown.
const REASON_CHARACTERS: usize = 600;

/// How many quoted lines are shown.
const QUOTED_LINES: usize = 12;

/// How many characters of a quoted line are shown.
const QUOTED_CHARACTERS: usize = 120;

/// What is left for the sentence about the claims that do not fit.
const MORE_BYTES: usize = 100;

/// As many claims as fit into `room` bytes, the worst first; the rest is counted.
pub(super) fn claims(packet: &PacketV1, room: usize) -> String {
    let (standing, _) = by_standing(packet);
    let mut parts: Vec<String> = Vec::new();
    let mut bytes = MORE_BYTES;
    for (index, claim) in standing.iter().enumerate() {
        let part = render(&blocks(index + 1, claim));
        bytes += part.len() + 1;
        if bytes > room {
            let more = vec![count(standing.len() - index), own(" more claims are in the packet")];
            parts.push(render(&[Block::Paragraph(more)]));
            break;
        }
        parts.push(part);
    }
    parts.join("\n")
}

fn blocks(number: usize, claim: &ClaimV1) -> Vec<Block> {
    let mut where_it_is = vec![code(&place(&claim.file, lines(claim)))];
    where_it_is.extend(place_note(claim).into_iter().flat_map(|note| [own(" ("), own(note), own(")")]));
    where_it_is.extend([own(" · "), code(&claim.category)]);
    let mut blocks = vec![
        Block::Heading(vec![
            count(number),
            own(". "),
            own(claim.severity.name()),
            own(", "),
            own(claim.lens.name()),
        ]),
        title(claim),
        Block::Paragraph(where_it_is),
    ];
    blocks.extend(quote(claim));
    blocks.extend(case(claim));
    blocks
}

/// A claim where its place is plain to see: at its lines.
pub(super) fn inline(claim: &ClaimV1) -> Vec<Block> {
    let mut blocks = vec![
        Block::Paragraph(vec![own(claim.severity.name()), own(" · "), code(&claim.category)]),
        title(claim),
    ];
    blocks.extend(case(claim));
    blocks
}

fn title(claim: &ClaimV1) -> Block {
    Block::Paragraph(vec![Inline::StrongCode(Foreign::clipped(&claim.title, 200))])
}

/// What goes wrong, and what speaks for it.
fn case(claim: &ClaimV1) -> Vec<Block> {
    let mut blocks = Vec::new();
    let scenario = Foreign::clipped(&claim.body, SCENARIO_CHARACTERS);
    let scenario = scenario.wrapped(SCENARIO_COLUMNS);
    if !scenario.is_empty() {
        blocks.push(Block::Fence(scenario.into_iter().map(FenceLine::Prose).collect()));
    }
    blocks.push(Block::Paragraph(support_line(claim)));
    if let Some(examination) = &claim.examination {
        let reason = Foreign::clipped(&examination.reason, REASON_CHARACTERS).wrapped(SCENARIO_COLUMNS);
        blocks.push(Block::Paragraph(vec![own("Cross-examined by "), code(&examination.by), own(":")]));
        if !reason.is_empty() {
            blocks.push(Block::Fence(reason.into_iter().map(FenceLine::Prose).collect()));
        }
    }
    blocks
}

fn quote(claim: &ClaimV1) -> Option<Block> {
    let quoted = excerpt(claim);
    if quoted.is_empty() {
        return None;
    }
    let mut fence: Vec<FenceLine> = quoted
        .iter()
        .take(QUOTED_LINES)
        .map(|line| FenceLine::Source(line.number, Foreign::clipped(line.text, QUOTED_CHARACTERS)))
        .collect();
    if quoted.len() > QUOTED_LINES {
        fence.push(FenceLine::Source(None, Foreign::new("…")));
    }
    Some(Block::Fence(fence))
}

fn support_line(claim: &ClaimV1) -> Line {
    let support = support(claim);
    let mut line = vec![own(support.words)];
    if let Some(reviewers) = support.reviewers {
        line.extend([own(" "), Inline::Amount(Amount::Count(reviewers)), own(" unrelated reviewers")]);
    }
    let supporters = named_supporters(claim);
    for (index, supporter) in supporters.iter().take(NAMES).enumerate() {
        line.extend([own(if index == 0 { ": " } else { ", " }), code(&supporter.name)]);
        line.extend(family_beside(supporter).into_iter().flat_map(|family| [own(" of "), code(family)]));
    }
    if supporters.len() > NAMES {
        line.extend([own(" and "), count(supporters.len() - NAMES), own(" more")]);
    }
    let uncounted = uncounted_sources(claim);
    if !uncounted.is_empty() {
        line.push(own("; not independent of the author and not counted: "));
        line.extend(comma_separated(uncounted.into_iter().map(code)));
    }
    line.extend([own(" · claim "), code(&claim.id)]);
    line
}

/// What follows the claims unfolded: refuted and unanchored ones in a line each, checks, questions.
pub(super) fn after_claims(packet: &PacketV1) -> Vec<Block> {
    let mut blocks = Vec::new();
    if packet.claims.is_empty() {
        // Where not everything was looked at, silence must not read as a pass (law 4).
        let words = match packet.verdict {
            Verdict::Clean | Verdict::Findings => "Nobody claims anything.",
            Verdict::Inconclusive | Verdict::Blocked => "Nobody claims anything about what was looked at.",
        };
        blocks.extend([Block::Heading(vec![own("Claims")]), Block::Paragraph(vec![own(words)])]);
    }
    let unanchored = packet.unanchored.len();
    if unanchored > 0 {
        blocks.push(Block::Paragraph(vec![
            count(unanchored),
            own(one_or_many(
                unanchored,
                " more finding could not be anchored; it is in the packet, not told as fact.",
                " more findings could not be anchored; they are in the packet, not told as fact.",
            )),
        ]));
    }
    blocks.extend(beside(packet));
    if !packet.checks.is_empty() {
        blocks.push(Block::Heading(vec![own("Checks")]));
        let (told, others) = told_checks(packet);
        let told = told.into_iter().map(|check| {
            let mut line = vec![code(&check.name)];
            line.extend(check.app.iter().flat_map(|app| [own(" of "), code(app)]));
            line.extend([own(" "), own(check_words(check.state))]);
            let exit = check.exit_code.map(|exit| [own(", exit code "), Inline::Amount(Amount::Code(exit))]);
            line.extend(exit.into_iter().flatten());
            line.extend([own(", "), own(check_source_words(check.source))]);
            if !check.detail.is_empty() {
                line.extend([own(": "), Inline::Code(Foreign::clipped(&check.detail, 300))]);
            }
            Entry::from(line)
        });
        let others = others.into_iter().map(|(number, state)| {
            Entry::from(vec![count(number), own(" of the platform: "), own(check_words(state))])
        });
        blocks.push(listed(told.chain(others)));
    }
    if !packet.questions.is_empty() {
        blocks.push(Block::Heading(vec![own("Questions for the author")]));
        blocks.push(listed(questions(packet).into_iter().map(|question| {
            let mut line = vec![Inline::Code(Foreign::clipped(question.text, 600)), own(" (")];
            line.extend(question.lenses.iter().flat_map(|lens| [own(lens.name()), own(", ")]));
            line.extend(comma_separated(question.names.into_iter().map(code)));
            line.push(own(")"));
            Entry::from(line)
        })));
    }
    let (_, refuted) = by_standing(packet);
    if !refuted.is_empty() {
        let list = listed(refuted.into_iter().map(|claim| {
            let place = code(&place(&claim.file, lines(claim)));
            let title = Inline::Code(Foreign::clipped(&claim.title, 200));
            let mut line = vec![own(claim.severity.name()), own(" "), place, own(" "), title];
            if let Some(examination) = &claim.examination {
                let reason = Inline::Code(Foreign::clipped(&examination.reason, 300));
                line.extend([own(", refuted by "), code(&examination.by), own(": "), reason]);
            }
            Entry::from(line)
        }));
        blocks.push(Block::Details("Refuted claims", vec![list]));
    }
    blocks
}

/// What the rules say beside their claims: what exceptions in the base excuse, in the open, and folded what the rules
/// could not read.
fn beside(packet: &PacketV1) -> Vec<Block> {
    let rules = &packet.rules;
    let mut blocks = Vec::new();
    if !rules.suppressed.is_empty() {
        let excused = rules.suppressed.len();
        blocks.push(Block::Paragraph(vec![
            count(excused),
            own(one_or_many(
                excused,
                " finding is excused by an exception that stands in the base:",
                " findings are excused by exceptions that stand in the base:",
            )),
        ]));
        blocks.push(listed(rules.suppressed.iter().map(|excused| {
            let at = place(excused.file.as_str(), excused.line.map(|line| (line, line)));
            let reason = [own(", because "), code(&excused.reason)];
            let line = [own(excused.severity.name()), own(" "), code(&excused.rule), own(" at "), code(&at)];
            Entry::from(line.into_iter().chain(reason).collect::<Line>())
        })));
    }
    let missed = rules.not_covered.iter().map(|missed| {
        let mut line = vec![own(missed.lens.name()), own(": "), code(&missed.reason), own(" in ")];
        line.extend(comma_separated(missed.files.iter().map(|file| code(file.as_str()))));
        Entry::from(line)
    });
    let notes = rules
        .notes
        .iter()
        .map(|note| Entry::from(vec![code(note.file.as_str()), own(": "), code(&note.note)]));
    let folded: Vec<Entry> = missed.chain(notes).collect();
    if !folded.is_empty() {
        blocks.push(Block::Details("What the rules could not look at", vec![listed(folded)]));
    }
    blocks
}
