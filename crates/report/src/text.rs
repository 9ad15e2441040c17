//! Small things done to text before it is shown.

/// `src/a.rs:3-5`, `src/a.rs:3`, `src/a.rs`.
pub(crate) fn place(file: &str, lines: Option<(u32, u32)>) -> String {
    match lines {
        Some((start, end)) if start == end => format!("{file}:{start}"),
        Some((start, end)) => format!("{file}:{start}-{end}"),
        None => file.to_owned(),
    }
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
