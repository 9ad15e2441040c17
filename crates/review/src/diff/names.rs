//! The names in a diff's headers: quoting, prefixes, and where one name ends and the next begins.

use std::borrow::Cow;

use crate::change::{RepoPath, unquote};

/// How many places of a `diff --git` line are tried as the border of its two names, which is only in doubt
/// when names hold spaces. The middle, where the border is for all usual prefixes, is tried before.
const MAX_BORDERS: usize = 32;

/// A name before and after the change, without prefixes; `None` stands for `/dev/null`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) old: Option<Vec<u8>>,
    pub(super) new: Option<Vec<u8>>,
}

/// The name in a `---`, `+++`, `rename from`… line: quoted, or up to a tab (behind which GNU diff writes a time).
pub(super) fn label(bytes: &[u8]) -> Cow<'_, [u8]> {
    if let Some((name, _)) = unquote(bytes) {
        return Cow::Owned(name);
    }
    let end = bytes.iter().position(|&byte| byte == b'\t').unwrap_or(bytes.len());
    let name = &bytes[..end];
    Cow::Borrowed(name.strip_suffix(b"\r").unwrap_or(name))
}

/// A path for a name; `None` if it is empty.
pub(super) fn path(name: &[u8]) -> Option<RepoPath> {
    (!name.is_empty()).then(|| RepoPath::from_bytes(name))
}

pub(super) fn is_dev_null(name: &[u8]) -> bool {
    name == b"/dev/null"
}

/// Takes the names of both sides out of their prefixes (`a/` and `b/`, `i/` and `w/`, `old/` and `new/`, none).
///
/// Prefixes can be configured, so they are not looked up but seen: they are what differs at the front.
pub(super) fn strip_both(old: &[u8], new: &[u8]) -> (Vec<u8>, Vec<u8>) {
    if old == new {
        return (old.to_vec(), new.to_vec());
    }
    match (strip_one(old), strip_one(new)) {
        (Some(old_rest), Some(new_rest)) if old_rest == new_rest => (old_rest.to_vec(), new_rest.to_vec()),
        (Some(old_rest), Some(new_rest)) if old.starts_with(b"a/") && new.starts_with(b"b/") => {
            (old_rest.to_vec(), new_rest.to_vec())
        }
        (Some(_), Some(_)) => match common_tail(old, new) {
            Some(tail) => (tail.to_vec(), tail.to_vec()),
            None => (old.to_vec(), new.to_vec()),
        },
        (_, None) | (None, _) => (old.to_vec(), new.to_vec()),
    }
}

/// Takes the only name of a plain diff that adds or deletes a file out of its prefix.
pub(super) fn strip_single(name: &[u8]) -> Vec<u8> {
    name.strip_prefix(b"a/").or_else(|| name.strip_prefix(b"b/")).unwrap_or(name).to_vec()
}

/// The two names of a `diff --git` line, with their prefixes, where a test accepts them.
///
/// A name with spaces is not quoted, so that every space may be the border.
pub(super) fn split_pair(
    line: &[u8],
    mut accept: impl FnMut(&[u8], &[u8]) -> bool,
) -> Option<(Vec<u8>, Vec<u8>)> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.starts_with(b"\"") {
        let (old, rest) = unquote(line)?;
        let rest = rest.strip_prefix(b" ")?;
        let new = unquote(rest).map_or_else(|| rest.to_vec(), |(name, _)| name);
        return accept(&old, &new).then_some((old, new));
    }
    // Names are mostly equal but for prefixes of one length: the border is most often the middle.
    let spaces = || line.iter().enumerate().filter(|&(_, &byte)| byte == b' ').map(|(index, _)| index);
    let middle = line.len() / 2;
    let middle = (line.get(middle) == Some(&b' ')).then_some(middle);
    middle.into_iter().chain(spaces().take(MAX_BORDERS)).find_map(|border| {
        let (old, new) = (&line[..border], &line[border + 1..]);
        let new = match unquote(new) {
            Some((name, b"")) => Cow::Owned(name),
            Some(_) | None => Cow::Borrowed(new),
        };
        accept(old, &new).then(|| (old.to_vec(), new.into_owned()))
    })
}

/// Whether two names with prefixes are of one file.
pub(super) fn is_same_file(old: &[u8], new: &[u8]) -> bool {
    old == new
        || matches!((strip_one(old), strip_one(new)), (Some(old), Some(new)) if old == new && !old.is_empty())
}

/// Whether two names with prefixes of more than one part could be of one file.
pub(super) fn may_be_same_file(old: &[u8], new: &[u8]) -> bool {
    common_tail(old, new).is_some()
}

fn strip_one(name: &[u8]) -> Option<&[u8]> {
    name.iter().position(|&byte| byte == b'/').map(|slash| &name[slash + 1..])
}

/// The longest run of whole parts that both names end with.
fn common_tail<'a>(old: &'a [u8], new: &[u8]) -> Option<&'a [u8]> {
    let equal = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let tail = &old[old.len() - equal..];
    let at_part = |name: &[u8]| name.len() == equal || name[name.len() - equal - 1] == b'/';
    let tail = if at_part(old) && at_part(new) { tail } else { strip_one(tail)? };
    (!tail.is_empty()).then_some(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_what_differs_at_the_front() {
        let cases: [(&str, &str, &str, &str); 12] = [
            ("a/src/x.rs", "b/src/x.rs", "src/x.rs", "src/x.rs"),
            ("i/x", "w/x", "x", "x"),
            ("x", "x", "x", "x"),
            ("a/x", "a/x", "a/x", "a/x"),
            ("old/a/x", "new/a/x", "a/x", "a/x"),
            ("x.orig", "x", "x.orig", "x"),
            ("a/one", "b/two", "one", "two"),
            ("a/dir/f", "b/other/f", "dir/f", "other/f"),
            ("/srv/old/p/x", "/srv/new/p/x", "p/x", "p/x"),
            ("left/one/x", "right/two/x", "x", "x"),
            ("left/one/xx", "right/two/yx", "left/one/xx", "right/two/yx"),
            ("a/b/x", "b/b/x", "b/x", "b/x"),
        ];
        for (old, new, old_name, new_name) in cases {
            let stripped = strip_both(old.as_bytes(), new.as_bytes());
            assert_eq!(stripped, (old_name.into(), new_name.into()), "{old} {new}");
        }
    }

    #[test]
    fn the_border_between_two_names_is_found_though_they_hold_spaces() {
        type Pair<'a> = Option<(&'a [u8], &'a [u8])>;
        let cases: [(&[u8], Pair<'_>); 9] = [
            (b"a/x b/x", Some((b"a/x", b"b/x"))),
            (b"a/a b/x b/a b/x", Some((b"a/a b/x", b"b/a b/x"))),
            (b"x y x y", Some((b"x y", b"x y"))),
            (b"\"a/caf\\303\\251\" \"b/caf\\303\\251\"", Some(("a/café".as_bytes(), "b/café".as_bytes()))),
            (b"\"a/\\\"\\t\\\\\" \"b/\\\"\\t\\\\\"", Some((b"a/\"\t\\", b"b/\"\t\\"))),
            (b"a/x b/y", None),
            (b"nonsense", None),
            (b"\"a/open b/open", None),
            (b"", None),
        ];
        for (line, names) in cases {
            let names = names.map(|(old, new)| (old.to_vec(), new.to_vec()));
            assert_eq!(split_pair(line, is_same_file), names, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn a_label_ends_at_a_tab_or_at_its_quote() {
        assert_eq!(&*label(b"a/with space.txt\t"), b"a/with space.txt");
        assert_eq!(&*label(b"x.c\t2024-01-01 00:00:00 +0000"), b"x.c");
        assert_eq!(&*label(b"\"a/tab\\there\"\t2024"), b"a/tab\there");
        assert_eq!(&*label(b"a/x\r"), b"a/x");
        assert_eq!(&*label(b"\"a/bad\\q\""), b"\"a/bad\\q\"");
    }
}
