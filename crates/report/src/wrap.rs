//! Breaking prose into lines of a width, in terminal columns.

use unicode_width::UnicodeWidthStr;

/// How many columns a text takes. Hidden characters must be written out before.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// Whether the runner of GitHub Actions would take a line of a log for a command: `::` behind white space, `##[` anywhere.
pub(crate) fn is_command(line: &str) -> bool {
    line.trim_start().starts_with("::") || line.contains("##[")
}

/// Writes out what would make a line a command of a log; other lines stay as they are.
pub(crate) fn without_commands(line: String) -> String {
    if !is_command(&line) {
        return line;
    }
    let line = line.replace("##[", "##\\u{5b}");
    let text = line.trim_start();
    let Some(rest) = text.strip_prefix(':').filter(|rest| rest.starts_with(':')) else { return line };
    format!("{}\\u{{3a}}{rest}", &line[..line.len() - text.len()])
}

/// Breaks prose at white space into lines of at most `width` columns.
///
/// Line feeds of the text stay, the white space that a line begins with too, and more than one empty line in a row
/// becomes one. No line is a command to a log's reader. A word that is wider than a line is left whole: it may be a path that somebody copies.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.trim_matches('\n').trim_end().lines() {
        if paragraph.trim().is_empty() {
            if lines.last().is_some_and(|line| !line.is_empty()) {
                lines.push(String::new());
            }
            continue;
        }
        let indent: String = paragraph.chars().take_while(|c| c.is_whitespace()).collect();
        let indent = indent.replace('\t', "    ");
        let indent = if columns(&indent) > width / 2 { "" } else { &indent };
        let mut line = indent.to_owned();
        let mut at_start = true;
        for word in paragraph.split_whitespace() {
            if !at_start && columns(&line) + 1 + columns(word) > width {
                lines.push(without_commands(std::mem::replace(&mut line, indent.to_owned())));
                at_start = true;
            }
            if !at_start {
                line.push(' ');
            }
            line.push_str(word);
            at_start = false;
        }
        lines.push(without_commands(line));
    }
    lines
}

/// Cuts to at most `width` columns, the last one a `…` if anything was cut.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for character in text.chars() {
        let mut longer = kept.clone();
        longer.push(character);
        if columns(&longer) + 1 > width {
            break;
        }
        kept = longer;
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_broken_at_white_space() {
        for (text, width, expect) in [
            ("a bb ccc", 4, vec!["a bb", "ccc"]),
            ("a  bb\tccc ", 20, vec!["a bb ccc"]),
            ("one\n\n\n\ntwo\n", 20, vec!["one", "", "two"]),
            ("\n\none", 20, vec!["one"]),
            ("a longerthanthat b", 6, vec!["a", "longerthanthat", "b"]),
            ("- a b c\n  d e f", 7, vec!["- a b c", "  d e f"]),
            ("  d e f", 6, vec!["  d e", "  f"]),
            ("        deep", 6, vec!["deep"]),
            ("漢字 漢字", 8, vec!["漢字", "漢字"]),
            ("", 8, vec![]),
            (" \n ", 8, vec![]),
        ] {
            assert_eq!(wrap(text, width), expect, "{text:?} at {width}");
        }
    }

    #[test]
    fn no_line_is_a_command_to_a_log_s_reader() {
        for (line, expect) in [
            ("::error::x", "\\u{3a}:error::x"),
            ("  ::set-output name=a::b", "  \\u{3a}:set-output name=a::b"),
            ("a ##[error]b", "a ##\\u{5b}error]b"),
            ("::##[", "\\u{3a}:##\\u{5b}"),
            ("std::fs, ## [a]", "std::fs, ## [a]"),
            (": :", ": :"),
        ] {
            let shown = without_commands(line.to_owned());
            assert_eq!(shown, expect);
            assert!(!is_command(&shown), "{shown}");
        }
        assert_eq!(wrap("say ::stop::", 6), ["say", "\\u{3a}:stop::"]);
    }

    #[test]
    fn a_cut_line_says_so_and_is_no_wider_than_allowed() {
        for (text, width, expect) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("漢字漢", 5, "漢字…"),
            ("漢字漢", 4, "漢…"),
            ("ab", 1, "…"),
        ] {
            assert_eq!(cut(text, width), expect, "{text:?} at {width}");
        }
    }
}
