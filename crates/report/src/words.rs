//! The packet's enums and numbers in words, the same in every view.
//!
//! Everything of type `&'static str` in here is our own text; a view may show it without a wrapper.

use std::fmt;

use review::attribution::{AuthorState, Channel, Role, Strength};
use review::change::Side;
use review::classify::{Label, Reversibility, Risk};
use review::judge::{CheckSource, CheckState, Standing};
use review::merge::{Supporter, Verification, unrelated_supporters};
use review::outcome::EndingKind;
use review::packet::{
    AnchorV1, CallV1, ClaimV1, EvidenceV1, PacketV1, SupporterKindV1, SupporterV1, UnanchoredV1,
};
use review::panel::{Asked, Relation};
use review::{GapKind, Lens, Severity};

/// Who wrote the change, in a sentence.
pub(crate) fn author_words(packet: &PacketV1) -> &'static str {
    match packet.attribution.state {
        AuthorState::Human => "people, by the word of someone with write access",
        AuthorState::Ai => "AI of known families",
        AuthorState::Mixed => "partly AI: not all of the change carries a trace of it",
        AuthorState::UnknownAi => "an AI tool whose model nobody knows",
        AuthorState::NoEvidence => "unknown: no trace of who wrote it, which is not taken for a human",
        AuthorState::Bot => "a bot that is no model",
        AuthorState::Conflict => "disputed: declared human, with traces of AI",
    }
}

/// How independent of the author the reviewers were, in a sentence without names.
pub(crate) fn standing_words(packet: &PacketV1) -> &'static str {
    match packet.judgement.independence {
        Standing::NoModelAsked => "no model was asked",
        Standing::NotNeeded => "nobody had to be recused",
        Standing::NotEstablished => "independence not established",
        Standing::Established if packet.attribution.unknown_agent => {
            "whichever model it was, one reviewer of each lens is unrelated to it"
        }
        Standing::Established => "reviewed by other families",
        Standing::NotIndependent => "not independent: reviewers share a family with the author",
        Standing::NotReached => "independence was asked for and not reached",
    }
}

/// What the verdict rests on and no other part of a view tells: failed checks, lenses without a sufficient panel
/// and what would help.
///
/// The counts of the claims are told by the first line, and a gap is told in the list of gaps.
pub(crate) fn reasons(packet: &PacketV1) -> Vec<&str> {
    let (standing, _) = by_standing(packet);
    let counts: Vec<String> = severity_counts(&standing)
        .into_iter()
        .map(|(severity, count)| format!("{count} {}", severity.name()))
        .collect();
    let counts = counts.join(", ");
    let told = |reason: &str| {
        reason == counts
            || packet.gaps.iter().any(|gap| !gap.detail.is_empty() && reason.contains(gap.detail.as_str()))
    };
    packet.judgement.reasons.iter().map(String::as_str).filter(|reason| !told(reason)).collect()
}

/// Where a trace of authorship was.
pub(crate) fn channel_words(channel: Channel) -> &'static str {
    match channel {
        Channel::Declaration => "declaration",
        Channel::PlatformLogin => "account",
        Channel::CommitAuthor => "commit author",
        Channel::CommitCommitter => "committer",
        Channel::Trailer => "trailer",
        Channel::Footer => "commit message",
        Channel::Note => "note",
        Channel::Branch => "branch",
        Channel::Body => "title or body",
        Channel::Label => "label",
    }
}

/// How much a trace says.
pub(crate) fn strength_words(strength: Strength) -> &'static str {
    match strength {
        Strength::Weak => "a weak sign",
        Strength::Claimed => "its own account",
        Strength::Vouched => "vouched for",
    }
}

/// What somebody did for the change.
pub(crate) fn role_words(role: Role) -> &'static str {
    match role {
        Role::Implementer => "wrote lines",
        Role::Suggester => "suggested changes",
        Role::Bot => "a bot, no model",
        Role::Human => "a person",
    }
}

/// How a reviewer stands to the author; what it shares is shown by the view.
pub(crate) fn relation_words(relation: &Relation) -> &'static str {
    match relation {
        Relation::NoLineage => "nobody's family",
        Relation::Unrelated => "unrelated",
        Relation::Related { .. } => "related",
        Relation::UnknownLineage => "lineage not known",
    }
}

/// How a reviewer ended, in a word or two.
pub(crate) fn ending_words(kind: EndingKind) -> &'static str {
    match kind {
        EndingKind::Answered => "answered",
        EndingKind::Refused => "refused",
        EndingKind::Truncated => "cut off",
        EndingKind::Unreadable => "unreadable",
        EndingKind::TimedOut => "timed out",
        EndingKind::Failed => "failed",
        EndingKind::OverBudget => "over budget",
    }
}

/// Of whom a lens was asked.
pub(crate) fn asked_words(asked: Asked) -> &'static str {
    match asked {
        Asked::Models => "models",
        Asked::Rules => "rules",
        Asked::Nobody => "nobody",
    }
}

/// How much harm a mistake could do.
pub(crate) fn risk_words(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "low risk",
        Risk::Medium => "medium risk",
        Risk::High => "high risk",
    }
}

/// Whether the change can be undone.
pub(crate) fn reversibility_words(reversibility: Reversibility) -> &'static str {
    match reversibility {
        Reversibility::Reversible => "reversible",
        Reversibility::Costly => "costly to undo",
        Reversibility::Irreversible => "irreversible",
    }
}

/// What a change is.
pub(crate) fn label_words(label: Label) -> &'static str {
    match label {
        Label::SecuritySensitive => "security-sensitive",
        Label::Database => "database",
        Label::Prompts => "prompts",
        Label::Ci => "ci",
        Label::Dependencies => "dependencies",
        Label::Lockfile => "lockfile",
        Label::Infrastructure => "infrastructure",
        Label::PublicApi => "public-api",
        Label::Tests => "tests",
        Label::Docs => "docs",
        Label::Generated => "generated",
        Label::Binary => "binary",
    }
}

/// How a check ended.
pub(crate) fn check_words(state: CheckState) -> &'static str {
    match state {
        CheckState::Passed => "passed",
        CheckState::Failed => "failed",
    }
}

/// Who says how a check ended.
pub(crate) fn check_source_words(source: CheckSource) -> &'static str {
    match source {
        CheckSource::Platform => "by the platform",
        CheckSource::SelfReported => "self-reported",
    }
}

/// What speaks for a claim.
pub(crate) struct Support {
    /// The sentence.
    pub(crate) words: &'static str,
    /// Of how many unrelated reviewers it speaks, if it does.
    pub(crate) reviewers: Option<u64>,
}

impl fmt::Display for Support {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reviewers {
            Some(count) => write!(f, "{} {count} unrelated reviewers", self.words),
            None => f.write_str(self.words),
        }
    }
}

/// What speaks for a claim, in words.
pub(crate) fn support(claim: &ClaimV1) -> Support {
    let words = match claim.verification {
        Verification::Agreed => {
            let supporters: Vec<Supporter> = claim
                .supporters
                .iter()
                .map(|supporter| Supporter {
                    name: supporter.name.clone(),
                    lineage: supporter.lineage.clone(),
                })
                .collect();
            let reviewers = Some(unrelated_supporters(&supporters) as u64);
            return Support { words: "agreed by", reviewers };
        }
        Verification::Upheld => "upheld by a cross-examiner of another family",
        Verification::Refuted => "refuted by a cross-examiner",
        Verification::Undecided => "a cross-examiner could not decide",
        Verification::NotExamined => match claim.supporters.as_slice() {
            [] => "nobody who counts says so",
            [one] if one.kind == SupporterKindV1::Rules => "found by the rules; nobody else looked at it",
            [_] => "only its finder looked at it",
            [_, _, ..] => "only reviewers of one family say so, which counts as one",
        },
    };
    Support { words, reviewers: None }
}

/// Who supports a claim; nobody where the words of [`support`] have said it.
pub(crate) fn named_supporters(claim: &ClaimV1) -> &[SupporterV1] {
    match claim.supporters.as_slice() {
        [one] if one.kind == SupporterKindV1::Rules && claim.verification == Verification::NotExamined => &[],
        supporters => supporters,
    }
}

/// A supporter's family, where its name does not start with it.
pub(crate) fn family_beside(supporter: &SupporterV1) -> Option<&str> {
    let family = supporter.family.as_deref()?;
    let provider = supporter.name.split('/').next();
    (provider != Some(family)).then_some(family)
}

/// Who says what a claim says and does not count: related to the author.
pub(crate) fn uncounted_sources(claim: &ClaimV1) -> Vec<&str> {
    let mut names: Vec<&str> = claim
        .sources
        .iter()
        .map(|source| source.name.as_str())
        .filter(|name| claim.supporters.iter().all(|supporter| supporter.name != *name))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What has to be said about a claim's place beside file and line, if anything.
pub(crate) fn place_note(claim: &ClaimV1) -> Option<&'static str> {
    match (claim.anchor, claim.side) {
        (AnchorV1::Line, Side::Head) => None,
        (AnchorV1::Line, Side::Base) => Some("before the change"),
        (AnchorV1::Elsewhere, Side::Head) => Some("outside the changed lines"),
        (AnchorV1::Elsewhere, Side::Base) => Some("outside the changed lines, before the change"),
        (AnchorV1::File, Side::Head | Side::Base) => Some("the file as a whole"),
    }
}

/// `src/a.rs:3-5`, `src/a.rs:3`, `src/a.rs`.
pub(crate) fn place(file: &str, lines: Option<(u32, u32)>) -> String {
    match lines {
        Some((start, end)) if start == end => format!("{file}:{start}"),
        Some((start, end)) => format!("{file}:{start}-{end}"),
        None => file.to_owned(),
    }
}

/// A claim's lines, if it has any.
pub(crate) fn lines(claim: &ClaimV1) -> Option<(u32, u32)> {
    let start = claim.line_start?;
    Some((start, claim.line_end.unwrap_or(start)))
}

/// The claims that stand and those that a cross-examiner refuted, each worst first as the packet has them.
pub(crate) fn by_standing(packet: &PacketV1) -> (Vec<&ClaimV1>, Vec<&ClaimV1>) {
    packet.claims.iter().partition(|claim| claim.verification != Verification::Refuted)
}

/// How many claims there are of each severity, worst first, none left out that has any.
pub(crate) fn severity_counts(claims: &[&ClaimV1]) -> Vec<(Severity, usize)> {
    Severity::WORST_FIRST
        .into_iter()
        .map(|severity| (severity, claims.iter().filter(|claim| claim.severity == severity).count()))
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// The best evidence for each author, strongest first: one trace for each tool, model, lineage and role.
pub(crate) fn strongest_evidence(packet: &PacketV1) -> Vec<&EvidenceV1> {
    let mut evidence: Vec<&EvidenceV1> = packet.attribution.evidence.iter().collect();
    // The sort is stable: of equally strong traces the packet's first one stays first.
    evidence.sort_by_key(|trace| std::cmp::Reverse(trace.strength));
    let mut best: Vec<&EvidenceV1> = Vec::new();
    for trace in evidence {
        let same = |other: &&EvidenceV1| (other.role, &other.lineage) == (trace.role, &trace.lineage);
        if !best.iter().any(same) {
            best.push(trace);
        }
    }
    best
}

/// Unanchored findings by reason, in the packet's order.
pub(crate) fn unanchored_by_reason(packet: &PacketV1) -> Vec<(&str, Vec<&UnanchoredV1>)> {
    let mut groups: Vec<(&str, Vec<&UnanchoredV1>)> = Vec::new();
    for finding in &packet.unanchored {
        match groups.iter_mut().find(|(reason, _)| *reason == finding.reason) {
            Some((_, group)) => group.push(finding),
            None => groups.push((&finding.reason, vec![finding])),
        }
    }
    groups
}

/// Files that nobody has to look at, by the rule that exempts them.
pub(crate) fn exempt_groups(packet: &PacketV1) -> Vec<(&str, Vec<String>)> {
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    for exempt in &packet.coverage.exempt {
        let file = exempt.file.as_str().to_owned();
        match groups.iter_mut().find(|(reason, _)| *reason == exempt.reason) {
            Some((_, files)) => files.push(file),
            None => groups.push((&exempt.reason, vec![file])),
        }
    }
    groups
}

/// The lenses that nobody was asked to look through because only the rules were asked at all.
pub(crate) fn not_asked(packet: &PacketV1) -> Vec<(Lens, &str)> {
    if !packet.panel.rules_only {
        return Vec::new();
    }
    let nobody = packet.panel.lenses.iter().filter(|lens| lens.asked == Asked::Nobody);
    nobody.map(|lens| (lens.lens, lens.reason.as_str())).collect()
}

/// One reason for which something was not looked at, and where.
pub(crate) struct GapGroup<'a> {
    /// The kind.
    pub(crate) kind: GapKind,
    /// The sentence.
    pub(crate) detail: &'a str,
    /// The lens, where the reason is that no sufficient panel could be seated for it: then all of it is missing.
    pub(crate) lens_without_panel: Option<Lens>,
    /// The places; a gap that names no file adds none.
    pub(crate) places: Vec<String>,
}

/// The gaps by reason, in the packet's order.
pub(crate) fn gap_groups(packet: &PacketV1) -> Vec<GapGroup<'_>> {
    let mut groups: Vec<GapGroup<'_>> = Vec::new();
    for gap in &packet.gaps {
        let place = gap.file.as_ref().map(|file| place(file.as_str(), gap.lines));
        match groups.iter_mut().find(|group| (group.kind, group.detail) == (gap.kind, gap.detail.as_str())) {
            Some(group) => group.places.extend(place),
            None => groups.push(GapGroup {
                kind: gap.kind,
                detail: &gap.detail,
                lens_without_panel: lens_without_panel(packet, &gap.detail),
                places: place.into_iter().collect(),
            }),
        }
    }
    groups
}

fn lens_without_panel(packet: &PacketV1, detail: &str) -> Option<Lens> {
    let lens = packet.panel.lenses.iter().find(|lens| {
        let unmet = lens.unmet.as_ref();
        unmet.is_some_and(|unmet| detail == format!("{}: {unmet}", lens.lens.name()))
    });
    lens.map(|lens| lens.lens)
}

/// Whether the model that answered a call is of another lineage than the one that was asked.
pub(crate) fn was_served_as_another(packet: &PacketV1, call: &CallV1) -> bool {
    packet.panel.roster.iter().any(|engine| engine.id == call.engine && engine.lineage != call.lineage)
}

/// Tokens of all calls together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tokens {
    /// Input, cached input included.
    pub(crate) input: u64,
    /// Of it, read from a cache.
    pub(crate) cached: u64,
    /// Output.
    pub(crate) output: u64,
}

/// Tokens of all calls together, as far as providers counted them.
pub(crate) fn tokens(packet: &PacketV1) -> Tokens {
    let mut tokens = Tokens::default();
    for usage in packet.ledger.calls.iter().filter_map(|call| call.usage.as_ref()) {
        tokens.input = tokens.input.saturating_add(usage.input);
        tokens.cached = tokens.cached.saturating_add(usage.cached_input);
        tokens.output = tokens.output.saturating_add(usage.output);
    }
    tokens
}

/// A number with its unit, in the one way in which it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    /// `48,211`.
    Count(u64),
    /// `1` for an exit code; may be negative.
    Code(i32),
    /// `0.1234 USD`, from micro-USD, rounded up to four digits.
    MicroUsd(u64),
    /// `41.2 s`, from milliseconds.
    Millis(u64),
    /// `2026-11-01 09:30:12 UTC`, from seconds since 1970.
    UnixSeconds(i64),
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Count(count) => f.write_str(&thousands(count)),
            Self::Code(code) => write!(f, "{code}"),
            Self::MicroUsd(micro) => {
                let tenths_of_a_mill = micro.div_ceil(100);
                write!(f, "{}.{:04} USD", thousands(tenths_of_a_mill / 10_000), tenths_of_a_mill % 10_000)
            }
            Self::Millis(millis) => write!(f, "{}.{} s", thousands(millis / 1_000), millis % 1_000 / 100),
            Self::UnixSeconds(seconds) => {
                let (year, month, day) = civil(seconds.div_euclid(86_400));
                let second = seconds.rem_euclid(86_400);
                let (hour, minute) = (second / 3_600, second / 60 % 60);
                write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{:02} UTC", second % 60)
            }
        }
    }
}

fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar.
///
/// Counts in eras of 400 years that begin on a first of March, so that a leap day is always the last one.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// `one` for 1, `many` for all else.
pub(crate) fn one_or_many(count: usize, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}

/// "1 file", "2,345 files".
pub(crate) fn plural(count: usize, one: &'static str, many: &'static str) -> String {
    format!("{} {}", Amount::Count(count as u64), one_or_many(count, one, many))
}

/// The first twelve digits of a commit or a digest, for people.
///
/// A packet that was read from a file may hold anything there, so this never assumes a length.
pub(crate) fn short(id: &str) -> &str {
    id.char_indices().nth(12).map_or(id, |(end, _)| &id[..end])
}

/// Cuts to at most `limit` characters at a character's border, and says so with `…`.
pub(crate) fn clip(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

/// Writes the `@` of a mention as `(at)`.
///
/// A comment reaches people by mail too, as plain text, and a reply by mail quotes it: there no code span and no
/// fence keeps a mention from being one.
pub(crate) fn without_mentions(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '@' && characters.peek().is_some_and(|next| next.is_alphanumeric()) {
            safe.push_str("(at)");
        } else {
            safe.push(character);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_shown_in_one_way() {
        for (amount, expect) in [
            (Amount::Count(0), "0"),
            (Amount::Count(999), "999"),
            (Amount::Count(1_000), "1,000"),
            (Amount::Count(1_234_567), "1,234,567"),
            (Amount::Code(-1), "-1"),
            (Amount::MicroUsd(0), "0.0000 USD"),
            (Amount::MicroUsd(1), "0.0001 USD"),
            (Amount::MicroUsd(88_310), "0.0884 USD"),
            (Amount::MicroUsd(1_234_000_000), "1,234.0000 USD"),
            (Amount::Millis(999), "0.9 s"),
            (Amount::Millis(61_250), "61.2 s"),
            (Amount::UnixSeconds(0), "1970-01-01 00:00:00 UTC"),
            (Amount::UnixSeconds(-1), "1969-12-31 23:59:59 UTC"),
            (Amount::UnixSeconds(951_782_399), "2000-02-28 23:59:59 UTC"),
            (Amount::UnixSeconds(951_782_400), "2000-02-29 00:00:00 UTC"),
            (Amount::UnixSeconds(951_868_800), "2000-03-01 00:00:00 UTC"),
            (Amount::UnixSeconds(4_107_542_400), "2100-03-01 00:00:00 UTC"),
        ] {
            assert_eq!(amount.to_string(), expect);
        }
        // No number of a packet is too large or too small to be shown.
        for amount in
            [Amount::MicroUsd(u64::MAX), Amount::UnixSeconds(i64::MIN), Amount::UnixSeconds(i64::MAX)]
        {
            assert!(!amount.to_string().is_empty());
        }
    }

    #[test]
    fn a_place_names_its_lines_once() {
        assert_eq!(place("a.rs", Some((3, 5))), "a.rs:3-5");
        assert_eq!(place("a.rs", Some((3, 3))), "a.rs:3");
        assert_eq!(place("a.rs", None), "a.rs");
    }

    #[test]
    fn text_is_clipped_between_characters() {
        assert_eq!(clip("äöü", 3), "äöü");
        assert_eq!(clip("äöü", 2), "äö…");
        assert_eq!(clip("a bc", 2), "a…");
        assert_eq!(short("0123456789abcdef"), "0123456789ab");
        assert_eq!(short("äö"), "äö");
    }
}
