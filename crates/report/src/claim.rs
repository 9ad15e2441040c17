//! What every view says of one claim: what speaks for it, where it is, and its quoted lines with their numbers.

use std::fmt;

use review::change::Side;
use review::merge::{Supporter, Verification, unrelated_supporters};
use review::packet::{AnchorV1, ClaimV1, SupporterKindV1, SupporterV1};

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
        Verification::Upheld if is_own_family(claim) => "upheld by a second look of the finder's own family",
        Verification::Upheld => "upheld by a cross-examiner of another family",
        Verification::Refuted if is_own_family(claim) => {
            "refuted by a second look of the finder's own family"
        }
        Verification::Refuted => "refuted by a cross-examiner of another family",
        Verification::Undecided => "a cross-examiner could not decide",
        Verification::NotExamined => match claim.supporters.as_slice() {
            [] => "nobody who counts says so",
            [one] if one.kind == SupporterKindV1::Rules => "found by the rules alone",
            [_] => "only its finder looked at it",
            [_, _, ..] => "only reviewers of one family say so, which counts as one",
        },
    };
    Support { words, reviewers: None }
}

/// Whether a claim was examined by a model of its finder's family, whose word is worth less.
fn is_own_family(claim: &ClaimV1) -> bool {
    claim.examination.as_ref().is_some_and(|examination| !examination.unrelated_to_finder)
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

/// Who says what a claim says and does not count, because it is not independent of the author.
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

/// A claim's lines, if it has any.
pub(crate) fn lines(claim: &ClaimV1) -> Option<(u32, u32)> {
    let start = claim.line_start?;
    Some((start, claim.line_end.unwrap_or(start)))
}

/// One quoted line.
pub(crate) struct ExcerptLine<'a> {
    /// Its number; absent where the quote's lines cannot be matched to the claim's one by one.
    pub(crate) number: Option<u32>,
    /// Its text without the line feed.
    pub(crate) text: &'a str,
}

/// The quoted lines of a claim, empty lines at both ends left out; none for a claim about a file as a whole.
///
/// A reviewer's quote may fold or skip lines, so numbers are given only where there are as many lines as the
/// claim's range has.
pub(crate) fn excerpt(claim: &ClaimV1) -> Vec<ExcerptLine<'_>> {
    let lines: Vec<&str> = claim.quote.lines().collect();
    let first = lines.iter().position(|line| !line.trim().is_empty()).unwrap_or(lines.len());
    let last = lines.iter().rposition(|line| !line.trim().is_empty()).map_or(first, |last| last + 1);
    let lines = &lines[first..last];
    let numbers = match (claim.line_start, claim.line_end) {
        (Some(start), Some(end)) if span(start, end) == lines.len() => Some(start),
        (Some(_) | None, Some(_) | None) => None,
    };
    lines
        .iter()
        .zip(0..)
        .map(|(text, index)| ExcerptLine { number: numbers.map(|start| start + index), text })
        .collect()
}

fn span(start: u32, end: u32) -> usize {
    end.checked_sub(start).map_or(0, |more| more as usize + 1)
}
