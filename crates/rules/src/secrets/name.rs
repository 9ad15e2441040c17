//! Whether the name that a value is assigned to says that it holds a secret.

use std::ops::Range;

use super::scanner::ends_in_escape;

/// Whether a keyword stands as a word of its own in a name: `OKTA_TOKEN` and `oktaToken`, not `rooktable`.
pub(super) fn is_word(bytes: &[u8], keyword: &Range<usize>) -> bool {
    let (first, last) = (bytes[keyword.start], bytes[keyword.end - 1]);
    let before = keyword.start.checked_sub(1).map(|at| bytes[at]);
    let behind = bytes.get(keyword.end).copied();
    let starts = ends_in_escape(&bytes[..keyword.start])
        || before.is_none_or(|before| {
            !before.is_ascii_alphabetic() || (before.is_ascii_lowercase() && first.is_ascii_uppercase())
        });
    let ends = behind.is_none_or(|behind| {
        !behind.is_ascii_alphabetic() || (last.is_ascii_lowercase() && behind.is_ascii_uppercase())
    });
    starts && ends
}

/// Whether behind the rest of a name something follows that assigns: a sign, after a quote or bracket at most. It
/// tells of most places in a moment what the whole shape would tell later.
pub(super) fn is_assigned(behind: &[u8]) -> bool {
    let skipped = |from: usize, most: usize, test: fn(&u8) -> bool| {
        from + behind[from..].iter().take(most).take_while(|byte| test(byte)).count()
    };
    let name = skipped(0, MAX_NAME_BYTES, |byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte));
    let closed = skipped(name, 3, |byte| b"\"'])".contains(byte));
    let spaced = skipped(closed, 8, |byte| b" \t".contains(byte));
    behind.get(spaced).is_some_and(|byte| b"=:?>(,".contains(byte))
}

/// What a name ends with that holds something about a secret, and not the secret.
const ABOUT: [&str; 34] = [
    "algorithm",
    "arn",
    "at",
    "class",
    "count",
    "endpoint",
    "env",
    "expires",
    "expiry",
    "field",
    "file",
    "format",
    "header",
    "id",
    "ids",
    "index",
    "kind",
    "label",
    "len",
    "length",
    "name",
    "names",
    "param",
    "path",
    "pattern",
    "policy",
    "prefix",
    "regex",
    "size",
    "ttl",
    "type",
    "uri",
    "url",
    "version",
];

/// What a name begins with that holds a value which everybody may see.
const PUBLIC: [&str; 5] = ["csrf", "public", "publishable", "site", "xsrf"];

/// Whether a name with a keyword for secrets holds one, and not its name, its length or a value for everybody.
pub(super) fn is_of_a_secret(bytes: &[u8], keyword: &Range<usize>) -> bool {
    let is_of_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let behind = bytes[keyword.end..].iter().take(MAX_NAME_BYTES).take_while(is_of_name).count();
    let before = bytes[..keyword.start].iter().rev().take(MAX_NAME_BYTES).take_while(is_of_name).count();
    let head = bytes[keyword.start - before..keyword.start].to_ascii_lowercase();
    let tail = &bytes[keyword.end..keyword.end + behind];
    let holds = |word: &str| head.windows(word.len()).any(|window| window == word.as_bytes());
    !PUBLIC.into_iter().any(holds) && !ABOUT.into_iter().any(|word| ends_in_word(tail, word))
}

/// The longest name that is looked through.
const MAX_NAME_BYTES: usize = 40;

/// Whether the last word of a part of a name is this: `_id`, `Id`, `-ID`.
fn ends_in_word(name: &[u8], word: &str) -> bool {
    let Some(start) = name.len().checked_sub(word.len()) else { return false };
    let (before, last) = name.split_at(start);
    last.eq_ignore_ascii_case(word.as_bytes())
        && (before.last().is_none_or(|byte| !byte.is_ascii_alphabetic()) || last[0].is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str, keyword: &str) -> Range<usize> {
        let start = name.find(keyword).expect("the name holds the keyword");
        start..start + keyword.len()
    }

    #[test]
    fn a_keyword_is_a_word_between_marks_or_humps() {
        for name in ["okta", "my_okta_token", "oktaToken", "okta2"] {
            assert!(is_word(name.as_bytes(), &place(name, "okta")), "{name}");
        }
        for name in ["rooktable", "oktan", "xokta"] {
            assert!(!is_word(name.as_bytes(), &place(name, "okta")), "{name}");
        }
        assert!(is_word(b"myOktaToken", &(2..6)));
        assert!(!is_word(b"ROOKTABLE", &(2..6)));
    }

    #[test]
    fn a_name_about_a_secret_is_not_of_a_secret() {
        for name in ["token", "db_token_prod", "tokens", "tokenValue", "x-token"] {
            assert!(is_of_a_secret(name.as_bytes(), &place(name, "token")), "{name}");
        }
        for name in ["tokenId", "token_type", "tokenLength", "TOKEN-URL", "csrf-token", "publicToken"] {
            let keyword = place(&name.to_ascii_lowercase(), "token");
            assert!(!is_of_a_secret(name.as_bytes(), &keyword), "{name}");
        }
    }
}
