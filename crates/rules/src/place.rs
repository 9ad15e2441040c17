//! Where a finding stands, and what of a line is quoted.

use review::text::visible;

/// The longest quote, in bytes: enough to find the place, small enough for a comment.
const MAX_QUOTE_BYTES: usize = 300;

/// Quotes a line round a byte offset, with what cannot be seen written out. The line must be redacted already.
///
/// A quote is a whole piece of the line, so that it can be looked for in it.
pub(crate) fn quote(line: &str, offset: usize) -> String {
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.len() <= MAX_QUOTE_BYTES {
        return visible(line);
    }
    let start = floor(line, offset.saturating_sub(MAX_QUOTE_BYTES / 3));
    let end = floor(line, start + MAX_QUOTE_BYTES);
    visible(&line[start..end])
}

/// The nearest character border at or before an offset.
pub(crate) fn floor(text: &str, offset: usize) -> usize {
    text.floor_char_boundary(offset)
}

/// The nearest character border at or behind an offset.
pub(crate) fn ceil(text: &str, offset: usize) -> usize {
    text.ceil_char_boundary(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_of_a_long_line_is_a_piece_of_it_round_the_place() {
        let line = format!("{}needle{}", "ä".repeat(500), "b".repeat(500));
        let quote = quote(&line, 1000);
        assert!(quote.contains("needle") && line.contains(&quote) && quote.len() <= MAX_QUOTE_BYTES);
    }

    #[test]
    fn a_quote_shows_what_cannot_be_seen_but_not_the_line_end() {
        assert_eq!(quote("a\u{200b}b\r", 0), "a\\u{200b}b");
    }
}
