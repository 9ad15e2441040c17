//! What GitHub shows of a packet: the one comment, the check run, its annotations, inline comments, and the answers to
//! commands.

use review::change::Side;
use review::judge::Verdict;
use review::packet::{AnchorV1, ClaimV1, PacketV1};
use review::text::visible;
use review::{CommitId, Digest, Severity};

use super::build::{Block, Entry, Inline, Line, render};
use super::{body, claims, code, comma_separated, count, folded, join, listed, opening, own, whole};
use crate::PacketName;
use crate::amount::{Amount, one_or_many};
use crate::claim::{lines, support};
use crate::parts::{by_standing, severity_counts};
use crate::text::{clip, place, short, without_mentions};
use crate::words::standing_words;

/// The most bytes of an annotation's message. GitHub allows 64 KB.
pub const MAX_ANNOTATION_BYTES: usize = 4_000;

/// The most characters of a title of a check run or an annotation. GitHub allows 255 for the latter.
const MAX_TITLE_CHARACTERS: usize = 240;

/// How many earlier reviews of a pull request a comment lists.
const MOST_EARLIER: usize = 20;

/// An earlier review of the same pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// The commit that was reviewed.
    pub head: CommitId,
    /// What it came to.
    pub verdict: Verdict,
    /// How many claims there were of each severity, worst first, none left out that had any.
    pub counts: Vec<(Severity, usize)>,
    /// When it began, in seconds since 1970.
    pub started_at: i64,
    /// The packet's name.
    pub digest: Digest,
}

impl Earlier {
    /// What is told of a packet once there is a newer one.
    pub fn of(packet: &PacketV1, head: CommitId, digest: Digest) -> Self {
        let (standing, _) = by_standing(packet);
        Self {
            head,
            verdict: packet.verdict,
            counts: severity_counts(&standing),
            started_at: packet.run.started_at,
            digest,
        }
    }
}

/// The packet as the one comment of a pull request, with what was said of earlier heads folded at its end.
///
/// At most [`crate::MAX_COMMENT_BYTES`]: claims that do not fit are counted.
pub fn comment(packet: &PacketV1, name: &PacketName, earlier: &[Earlier]) -> String {
    whole(packet, name, Vec::new(), history(earlier))
}

/// How a pull request is no longer open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// Its changes are in the base.
    Merged,
    /// They are not.
    Closed,
}

/// The one comment of a pull request that is no longer open: first of all, which claims still stand. `None` where none does.
pub fn closing_comment(
    packet: &PacketV1,
    name: &PacketName,
    earlier: &[Earlier],
    closing: Closing,
) -> Option<String> {
    let (standing, _) = by_standing(packet);
    if standing.is_empty() {
        return None;
    }
    let word = match closing {
        Closing::Merged => "Merged",
        Closing::Closed => "Closed",
    };
    let words = one_or_many(standing.len(), " claim still standing:", " claims still standing:");
    let line = vec![Inline::Strong(word), own(" with "), count(standing.len()), own(words)];
    let entry = |claim: &&ClaimV1| {
        let at = place(&claim.file, lines(claim));
        Entry::from(vec![own(claim.severity.name()), own(", "), code(&at)])
    };
    let first = vec![Block::Paragraph(line), listed(standing.iter().map(entry))];
    Some(whole(packet, name, first, history(earlier)))
}

fn history(earlier: &[Earlier]) -> Vec<Block> {
    if earlier.is_empty() {
        return Vec::new();
    }
    let entries = earlier.iter().take(MOST_EARLIER).map(|review| {
        let mut line: Line = vec![code(short(review.head.as_str())), own(": "), own(review.verdict.name())];
        for (index, (severity, number)) in review.counts.iter().enumerate() {
            line.extend([own(if index == 0 { ", " } else { " and " }), count(*number), own(" ")]);
            line.push(own(severity.name()));
        }
        line.extend([own(", "), Inline::Amount(Amount::UnixSeconds(review.started_at))]);
        line.extend([own(", packet "), code(short(review.digest.as_str()))]);
        Entry::from(line)
    });
    let mut list = vec![listed(entries)];
    if let Some(more @ 1..) = earlier.len().checked_sub(MOST_EARLIER) {
        list.push(Block::Paragraph(vec![
            count(more),
            own(one_or_many(more, " more review", " more reviews")),
        ]));
    }
    vec![Block::Details("Earlier reviews of this pull request", list)]
}

/// How a check run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// Clean, or claims below the gate.
    Success,
    /// Blocked, or claims at or above the gate.
    Failure,
    /// Inconclusive: somebody has to look.
    ActionRequired,
    /// Not reviewed, by a rule of the operator.
    Neutral,
    /// Another head or another run took its place.
    Cancelled,
}

impl Conclusion {
    /// What GitHub calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::ActionRequired => "action_required",
            Self::Neutral => "neutral",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A check run's end and its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// How it ends.
    pub conclusion: Conclusion,
    /// One line of our own words and numbers.
    pub title: String,
    /// Markdown: what the comment begins with.
    pub summary: String,
    /// Markdown: the claims and all the rest; what a comment has no room for may stand here.
    pub text: String,
    /// What is shown at the lines.
    pub annotations: Vec<Annotation>,
}

/// A claim at a line of the head, in plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The file's path in the repository, as it is.
    pub path: String,
    /// First line, from 1.
    pub line_start: u32,
    /// Last line.
    pub line_end: u32,
    /// How it is shown.
    pub level: AnnotationLevel,
    /// One line.
    pub title: String,
    /// What goes wrong, and what speaks for it; at most [`MAX_ANNOTATION_BYTES`].
    pub message: String,
}

/// How an annotation is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnnotationLevel {
    /// High and critical claims.
    Failure,
    /// Medium ones.
    Warning,
    /// Low ones.
    Notice,
}

impl AnnotationLevel {
    /// What check runs call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// The packet as a check run.
pub fn check(packet: &PacketV1, name: &PacketName) -> CheckReport {
    let conclusion = match (packet.judgement.exit_code, packet.verdict) {
        // Never softer than the verdict, whatever the code says.
        (0, Verdict::Clean | Verdict::Findings) => Conclusion::Success,
        (1, _) | (_, Verdict::Blocked) => Conclusion::Failure,
        (_, Verdict::Inconclusive | Verdict::Clean | Verdict::Findings) => Conclusion::ActionRequired,
    };
    CheckReport {
        conclusion,
        title: title(packet),
        summary: render(&opening::opening(packet)),
        text: body(packet, name, Vec::new(), 0),
        annotations: annotations(packet),
    }
}

/// The first line in our own words alone: it is shown where nothing can be put into a code span.
fn title(packet: &PacketV1) -> String {
    let (standing, _) = by_standing(packet);
    let counts = severity_counts(&standing);
    let counts = counts.iter().map(|(severity, count)| format!("{count} {}", severity.name()));
    let mut parts: Vec<String> = vec![packet.verdict.name().to_owned()];
    parts.extend(Some(counts.collect::<Vec<_>>().join(", ")).filter(|counts| !counts.is_empty()));
    let gaps = packet.gaps.len();
    if gaps > 0 {
        parts.push(format!("{gaps} {}", one_or_many(gaps, "place not reviewed", "places not reviewed")));
    }
    parts.push(if packet.panel.rules_only { "rules only" } else { standing_words(packet) }.to_owned());
    clip(&parts.join(" · "), MAX_TITLE_CHARACTERS)
}

/// The claims that stand at lines of the head, worst first.
pub fn annotations(packet: &PacketV1) -> Vec<Annotation> {
    let (standing, _) = by_standing(packet);
    standing.into_iter().filter_map(annotation).collect()
}

fn annotation(claim: &ClaimV1) -> Option<Annotation> {
    let (line_start, line_end) = lines_in_diff(claim).filter(|_| claim.side == Side::Head)?;
    let plain = |text: &str| without_mentions(&visible(text));
    let about = format!("{} · {} · claim {}", claim.category, support(claim), claim.id);
    let parts = [plain(&claim.body), plain(&about)];
    let message: Vec<String> = parts.into_iter().filter(|part| !part.trim().is_empty()).collect();
    Some(Annotation {
        path: claim.file.clone(),
        line_start,
        line_end,
        level: match claim.severity {
            Severity::Critical | Severity::High => AnnotationLevel::Failure,
            Severity::Medium => AnnotationLevel::Warning,
            Severity::Low => AnnotationLevel::Notice,
        },
        title: clip(&format!("{}: {}", claim.severity.name(), plain(&claim.title)), MAX_TITLE_CHARACTERS),
        message: clip_bytes(&message.join("\n\n"), MAX_ANNOTATION_BYTES),
    })
}

/// The lines of a claim that is anchored in the diff.
fn lines_in_diff(claim: &ClaimV1) -> Option<(u32, u32)> {
    match claim.anchor {
        AnchorV1::Line => lines(claim),
        AnchorV1::File | AnchorV1::Elsewhere => None,
    }
}

fn clip_bytes(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most.saturating_sub('…'.len_utf8()));
    format!("{}…", &text[..end])
}

/// A comment at lines of the diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InlineComment {
    /// The claim's id, which stays the same across pushes.
    pub claim: String,
    /// The file's path in the repository, as it is.
    pub path: String,
    /// First line, from 1.
    pub line_start: u32,
    /// Last line.
    pub line_end: u32,
    /// Which version of the file the lines are in.
    pub side: Side,
    /// Markdown.
    pub body: String,
}

/// The claims worth an interruption: anchored in the diff, medium and up, the worst first.
///
/// Whoever posts them takes the first few, and leaves out those that were posted before.
pub fn inline_comments(packet: &PacketV1) -> Vec<InlineComment> {
    let (standing, _) = by_standing(packet);
    let worth = standing.into_iter().filter(|claim| claim.severity >= Severity::Medium);
    worth
        .filter_map(|claim| {
            let (line_start, line_end) = lines_in_diff(claim)?;
            Some(InlineComment {
                claim: claim.id.clone(),
                path: claim.file.clone(),
                line_start,
                line_end,
                side: claim.side,
                body: render(&claims::inline(claim)),
            })
        })
        .collect()
}

/// Why there is no packet, as a check run tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice<'a> {
    /// It waits for a worker.
    Queued,
    /// It is under way.
    Running,
    /// A rule of the operator says that it is not reviewed.
    Skipped {
        /// The rule.
        rule: &'static str,
        /// What met it.
        what: &'a str,
    },
    /// A newer head is reviewed instead.
    Superseded,
    /// Somebody with write access stopped it, the pull request was closed, or another review takes its place.
    Stopped {
        /// Who or what did.
        why: &'static str,
    },
    /// It was tried as often as it may be.
    Failed {
        /// The last error.
        error: &'a str,
    },
}

/// A notice as title and Markdown summary.
pub fn notice(notice: &Notice<'_>) -> (&'static str, String) {
    let (title, lines) = notice_lines(notice);
    (title, render(&lines.into_iter().map(Block::Paragraph).collect::<Vec<_>>()))
}

fn notice_lines(notice: &Notice<'_>) -> (&'static str, Vec<Line>) {
    match notice {
        Notice::Queued => ("waiting for a reviewer", vec![vec![own("The review waits for its turn.")]]),
        Notice::Running => ("being reviewed", vec![vec![own("The review is under way.")]]),
        Notice::Skipped { rule, what } => (
            rule,
            vec![
                vec![
                    own("Not reviewed, by a rule of the operator: "),
                    own(rule),
                    own(" ("),
                    code(what),
                    own(")."),
                ],
                vec![
                    own("Nobody looked at this change. A line that begins with "),
                    code("/recuse review"),
                    own(", in a comment by somebody with write access, has it reviewed all the same."),
                ],
            ],
        ),
        Notice::Superseded => (
            "superseded by a newer head",
            vec![vec![own("The pull request has moved on; its new head is reviewed instead.")]],
        ),
        Notice::Stopped { why } => {
            ("stopped", vec![vec![own("The review was stopped: "), own(why), own(".")]])
        }
        Notice::Failed { error } => (
            "the review failed; nothing was reviewed",
            vec![
                vec![own(
                    "The review was tried as often as it may be and did not come to an end. The last error:",
                )],
                vec![code(error)],
                vec![own("A line that begins with "), code("/recuse review"), own(" tries again.")],
            ],
        ),
    }
}

/// What is answered to a command.
#[derive(Debug, Clone, Copy)]
pub enum Reply<'a> {
    /// What can be asked for.
    Help,
    /// The command is not known.
    Unknown(&'a str),
    /// Who wrote the change and who reviews it.
    Why(&'a PacketV1, &'a Digest),
    /// There is no packet that could say why.
    NothingYet,
    /// What was running was stopped.
    Stopped,
    /// Nothing was running.
    NothingToStop,
    /// What the lenses found that were asked for by name.
    Lenses(&'a PacketV1, &'a PacketName),
    /// The lenses that were asked for by name found nothing, because nobody looked to the end.
    NoLenses(&'a Notice<'a>),
}

/// The answer as Markdown.
pub fn reply(reply: &Reply<'_>) -> String {
    let blocks = match reply {
        Reply::Help => help(),
        Reply::Unknown(command) => {
            let mut blocks =
                vec![Block::Paragraph(vec![own("There is no command "), code(command), own(".")])];
            blocks.extend(help());
            blocks
        }
        Reply::Why(packet, digest) => {
            let mut blocks = opening::people(packet);
            blocks.push(Block::Heading(vec![own("Panel")]));
            blocks.extend(folded::panel(packet));
            blocks.push(Block::Paragraph(vec![own("From the packet "), code(digest.as_str())]));
            blocks
        }
        Reply::NothingYet => {
            vec![Block::Paragraph(vec![own("No review of this pull request has ended yet.")])]
        }
        Reply::Stopped => vec![Block::Paragraph(vec![own("The review of this pull request is stopped.")])],
        Reply::NothingToStop => {
            vec![Block::Paragraph(vec![own("No review of this pull request is running.")])]
        }
        Reply::Lenses(packet, name) => return lenses(packet, name),
        Reply::NoLenses(notice) => {
            let mut blocks = vec![Block::Paragraph(vec![own(
                "The lenses that were asked for did not look at this change to the end. The verdict and the check run are \
                 those of the whole review.",
            )])];
            blocks.extend(notice_lines(notice).1.into_iter().map(Block::Paragraph));
            blocks
        }
    };
    render(&blocks)
}

/// What some lenses found, without a verdict: it would be taken for that of the whole review.
fn lenses(packet: &PacketV1, name: &PacketName) -> String {
    let mut line = vec![own("Only these lenses were looked through")];
    if let Some(head) = &packet.subject.head {
        line.extend([own(", at "), code(head.as_str())]);
    }
    line.push(own(": "));
    line.extend(comma_separated(packet.panel.lenses.iter().map(|panel| own(panel.lens.name()))));
    line.push(own(
        ". The verdict and the check run are those of the whole review, which this does not change.",
    ));
    let (standing, _) = by_standing(packet);
    let number = standing.len();
    let found = vec![count(number), own(one_or_many(number, " claim.", " claims."))];
    let mut blocks = vec![Block::Paragraph(line), Block::Paragraph(found)];
    blocks.extend(opening::not_reviewed(packet));
    let opening = render(&blocks);
    let body = body(packet, name, Vec::new(), opening.len());
    join([opening, body])
}

fn help() -> Vec<Block> {
    let commands: [(&str, &'static str); 5] = [
        ("/recuse review", " reviews the head as it is now"),
        ("/recuse review security database", " looks through these lenses only"),
        ("/recuse stop", " stops a review that is running or waiting"),
        ("/recuse why", " tells who wrote the change, who was recused and who was seated"),
        ("/recuse help", " shows this list"),
    ];
    let list = commands.map(|(command, words)| Entry::from(vec![code(command), own(words)]));
    vec![
        Block::Paragraph(vec![own("Commands, at the beginning of a line, for those with write access:")]),
        Block::List(list.into()),
    ]
}
