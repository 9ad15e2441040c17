//! Making foreign text safe to show: what cannot be seen is written out.

/// Writes characters that a reader cannot see, or that reorder what he sees, as `\u{202e}`.
///
/// Line feeds and tabs stay. Everything else of the categories control, format, surrogate and unassigned
/// variation is written out, so that two texts that differ also look different.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) {
            shown.push_str(&format!("\\u{{{:x}}}", u32::from(character)));
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Writes a text in one line, hidden characters written out: a name, a title.
pub fn visible_line(text: &str) -> String {
    visible(text).replace('\n', "\\n").replace('\t', "\\t")
}

/// Whether a character is invisible or changes the order of others: C0 and C1 controls (but line feed and tab),
/// the default-ignorable code points of Unicode 16, bidirectional controls, Hangul fillers and the tag block.
pub fn is_hidden(character: char) -> bool {
    matches!(u32::from(character),
        0x00..=0x08 | 0x0b..=0x1f | 0x7f..=0x9f
        | 0x00ad | 0x034f | 0x061c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f
        | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0
        | 0xfff0..=0xfffb | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
}

/// Cuts to at most `limit` bytes at a character's border, and says so with `…`.
pub fn shorten(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = (0..=limit).rev().find(|&index| text.is_char_boundary(index)).unwrap_or(0);
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reorders_text_is_written_out() {
        assert_eq!(visible("a\u{202e}b\tc\nd\u{e0041}"), "a\\u{202e}b\tc\nd\\u{e0041}");
        assert_eq!(visible("naïve 漢字"), "naïve 漢字");
        assert_eq!(visible_line("a\nb\tc\u{200b}"), "a\\nb\\tc\\u{200b}");
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(shorten("äöü", 3), "ä…");
        assert_eq!(shorten("abc", 3), "abc");
    }
}
