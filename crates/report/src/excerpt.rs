//! The quoted lines of a claim with their numbers, as every view shows them.

use review::packet::ClaimV1;

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
