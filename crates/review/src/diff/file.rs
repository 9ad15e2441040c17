//! Reading one file of a diff: its headers, its hunks, and what follows from them.

use crate::change::{CommitId, Content, FileChange, GapKind, Hunk, LineKind, Operation, RepoPath};

use super::lines::Lines;
use super::names::{self, Names};
use super::{Reader, hunk};

/// The mode of a reference to another repository.
const SUBMODULE_MODE: u32 = 0o160_000;

/// The ids of the empty blob, SHA-1 and SHA-256. A diff abbreviates them.
const EMPTY_BLOBS: [&[u8]; 2] = [
    b"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    b"473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
];

/// What the lines between `diff --git` and the first hunk say.
#[derive(Default)]
struct Header<'a> {
    names: &'a [u8],
    old_mode: Option<u32>,
    new_mode: Option<u32>,
    is_created: bool,
    is_deleted: bool,
    rename_from: Option<&'a [u8]>,
    rename_to: Option<&'a [u8]>,
    copy_from: Option<&'a [u8]>,
    copy_to: Option<&'a [u8]>,
    /// The abbreviated ids of the blobs.
    index: Option<(&'a [u8], &'a [u8])>,
    minus: Option<&'a [u8]>,
    plus: Option<&'a [u8]>,
    is_binary: bool,
    /// Git found the old content again, with changes: it must show them.
    is_similar: bool,
    /// The input ends inside of the headers or of a binary patch.
    is_cut: bool,
}

/// Reads a file that `diff --git NAMES` starts; the next line is the one behind it.
pub(super) fn read_git<'a>(reader: &mut Reader, lines: &mut Lines<'a>, names: &'a [u8]) {
    let at = lines.number() - 1;
    let header = read_header(lines, names);
    let Some((path, old_path, are_consistent)) = paths(&header) else {
        hunk::skip_all(lines);
        let detail = format!("the names of the file at line {at} of the diff cannot be read");
        reader.gap(GapKind::Unreadable, None, None, detail);
        return;
    };
    let mut unreadable = |detail: String| {
        reader.gap(GapKind::Unreadable, Some(path.clone()), None, detail);
    };
    if !are_consistent {
        unreadable(format!("the headers of the file at line {at} of the diff name different files"));
    }
    if header.is_cut {
        unreadable(format!("the diff is cut off in the headers of the file at line {at} of the diff"));
    }
    let hunks = hunk::read_all(reader, lines, &path);
    let has_hunks = hunks.is_some();
    let hunks = hunks.unwrap_or_default();
    let operation = if header.is_created {
        Operation::Added
    } else if header.is_deleted {
        Operation::Deleted
    } else if header.rename_from.is_some() {
        Operation::Renamed
    } else if header.copy_from.is_some() {
        Operation::Copied
    } else {
        Operation::Modified
    };
    let operation = believable(reader, operation, &hunks, &path, at);
    let is_submodule = [header.old_mode, header.new_mode].contains(&Some(SUBMODULE_MODE));
    let content = if is_submodule && let Some(detail) = submodule_detail(&hunks, operation) {
        reader.gap(GapKind::Submodule, Some(path.clone()), None, detail);
        Content::Nothing
    } else if !hunks.is_empty() {
        Content::Text(hunks)
    } else if header.is_binary {
        Content::Binary
    } else {
        if !has_hunks
            && !header.is_cut
            && let Some(reason) = header.lacks_content()
        {
            let detail = format!("the diff of the file at line {at} of the diff {reason}");
            reader.gap(GapKind::Unreadable, Some(path.clone()), None, detail);
        }
        Content::Nothing
    };
    let modes = (header.old_mode, header.new_mode);
    reader.push(FileChange { path, old_path, operation, modes, content });
}

/// Reads a file of a plain unified diff; the next three lines are `---`, `+++` and a hunk, or the end.
pub(super) fn read_plain(reader: &mut Reader, lines: &mut Lines<'_>) {
    let at = lines.number();
    let mut next_label = || lines.advance().map_or(&b""[..], |line| &line[4..]);
    let (minus, plus) = (next_label(), next_label());
    let is_absent = |line: &[u8]| names::is_dev_null(&names::label(line)) || has_epoch_time(line);
    let side = |line: &[u8]| (!is_absent(line)).then(|| names::label(line).into_owned());
    let (names, operation) = match (side(minus), side(plus)) {
        (Some(old), Some(new)) => {
            let (old, new) = names::strip_both(&old, &new);
            (Names { old: Some(old), new: Some(new) }, Operation::Modified)
        }
        (Some(old), None) => (Names { old: Some(names::strip_single(&old)), new: None }, Operation::Deleted),
        (None, Some(new)) => (Names { old: None, new: Some(names::strip_single(&new)) }, Operation::Added),
        (None, None) => (Names { old: None, new: None }, Operation::Modified),
    };
    let Some((path, old_path)) = into_paths(names) else {
        hunk::skip_all(lines);
        let detail = format!("the names of the file at line {at} of the diff cannot be read");
        reader.gap(GapKind::Unreadable, None, None, detail);
        return;
    };
    let hunks = hunk::read_all(reader, lines, &path);
    if hunks.is_none() {
        let detail = format!("the diff is cut off behind the names of the file at line {at} of the diff");
        reader.gap(GapKind::Unreadable, Some(path.clone()), None, detail);
    }
    let hunks = hunks.unwrap_or_default();
    let operation = believable(reader, operation, &hunks, &path, at);
    let content = if hunks.is_empty() { Content::Nothing } else { Content::Text(hunks) };
    reader.push(FileChange { path, old_path, operation, modes: (None, None), content });
}

/// Takes `OLD and NEW differ` of GNU diff, outside of a git diff.
pub(super) fn push_plain_binary(reader: &mut Reader, pair: &[u8], at: u64) {
    let names = pair.trim_ascii_end().strip_suffix(b" differ").and_then(|pair| {
        let border = pair.windows(5).position(|window| window == b" and ")?;
        Some(names::strip_both(&pair[..border], &pair[border + 5..]))
    });
    match names.and_then(|(old, new)| into_paths(Names { old: Some(old), new: Some(new) })) {
        Some((path, old_path)) => reader.push(FileChange {
            path,
            old_path,
            operation: Operation::Modified,
            modes: (None, None),
            content: Content::Binary,
        }),
        None => {
            let detail = format!("line {at} of the diff tells of binary files whose names cannot be read");
            reader.gap(GapKind::Unreadable, None, None, detail);
        }
    }
}

/// Takes `PATH OLD..NEW` of `git diff --submodule=log`; other text is passed over.
pub(super) fn push_submodule_summary(reader: &mut Reader, rest: &[u8]) {
    let Some(border) = rest.windows(2).rposition(|pair| pair == b"..") else { return };
    let old_digits =
        rest[..border].iter().rev().take_while(|&&byte| byte.is_ascii_hexdigit() || byte == b'.');
    let name_end = border - old_digits.count();
    let Some(name) = rest[..name_end].strip_suffix(b" ") else { return };
    let Some(path) = names::path(&names::label(name)) else { return };
    let detail = "the change of a reference to another repository, whose content is not here".to_owned();
    reader.gap(GapKind::Submodule, Some(path.clone()), None, detail);
    reader.push(FileChange {
        path,
        old_path: None,
        operation: Operation::Modified,
        modes: (Some(SUBMODULE_MODE), Some(SUBMODULE_MODE)),
        content: Content::Nothing,
    });
}

fn read_header<'a>(lines: &mut Lines<'a>, names: &'a [u8]) -> Header<'a> {
    let mut header = Header { names, ..Header::default() };
    while let Some(line) = lines.peek() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let field = |name: &[u8]| line.strip_prefix(name);
        if let Some(mode) = field(b"old mode ") {
            header.old_mode = parse_mode(mode);
        } else if let Some(mode) = field(b"new mode ") {
            header.new_mode = parse_mode(mode);
        } else if let Some(mode) = field(b"new file mode ") {
            header.is_created = true;
            header.new_mode = parse_mode(mode);
        } else if let Some(mode) = field(b"deleted file mode ") {
            header.is_deleted = true;
            header.old_mode = parse_mode(mode);
        } else if let Some(name) = field(b"rename from ").or_else(|| field(b"rename old ")) {
            header.rename_from = Some(name);
        } else if let Some(name) = field(b"rename to ").or_else(|| field(b"rename new ")) {
            header.rename_to = Some(name);
        } else if let Some(name) = field(b"copy from ") {
            header.copy_from = Some(name);
        } else if let Some(name) = field(b"copy to ") {
            header.copy_to = Some(name);
        } else if let Some(ids) = field(b"index ") {
            header.read_index(ids);
        } else if line.starts_with(b"Binary files ") && line.ends_with(b" differ") {
            header.is_binary = true;
        } else if line == b"GIT binary patch" {
            header.is_binary = true;
            lines.advance();
            header.is_cut = !skip_binary_patch(lines);
            break;
        } else if let Some(name) = field(b"--- ") {
            header.minus = Some(name);
            header.is_created |= names::is_dev_null(&names::label(name));
        } else if let Some(name) = field(b"+++ ") {
            header.plus = Some(name);
            header.is_deleted |= names::is_dev_null(&names::label(name));
            lines.advance();
            break;
        } else if let Some(share) = field(b"similarity index ") {
            header.is_similar = share != b"100%";
        } else if line.starts_with(b"dissimilarity index ") {
            header.is_similar = true;
        } else {
            break;
        }
        lines.advance();
    }
    header.is_cut |= lines.ended_inside_a_line();
    header
}

impl<'a> Header<'a> {
    /// Takes `1234567..89abcde 100644`.
    fn read_index(&mut self, line: &'a [u8]) {
        let mut words = line.split(|&byte| byte == b' ');
        let ids = words.next().unwrap_or_default();
        if let Some(border) = ids.windows(2).position(|pair| pair == b"..") {
            self.index = Some((&ids[..border], &ids[border + 2..]));
        }
        if let Some(mode) = words.next().and_then(parse_mode) {
            self.old_mode = Some(mode);
            self.new_mode = Some(mode);
        }
    }

    /// Why a file without hunks must have had some; `None` if there was nothing to show.
    fn lacks_content(&self) -> Option<&'static str> {
        if self.minus.is_some() || self.plus.is_some() || self.is_similar {
            return Some("has no lines where it must have some: it is cut off");
        }
        if let Some((old, new)) = self.index {
            let is_empty = |id: &[u8]| {
                id.iter().all(|&digit| digit == b'0')
                    || (id.len() >= 4 && EMPTY_BLOBS.iter().any(|blob| blob.starts_with(id)))
            };
            let is_shown = old == new || (is_empty(old) && is_empty(new));
            return (!is_shown).then_some("says that its content changed, and does not show it");
        }
        let says_something = self.is_created
            || self.is_deleted
            || self.rename_to.is_some()
            || self.copy_to.is_some()
            || (self.old_mode.is_some() && self.new_mode.is_some());
        (!says_something).then_some("says nothing of what changed: it is cut off")
    }
}

/// The path, the old path where it differs, and whether all headers agree. `None` if there is no usable name.
fn paths(header: &Header<'_>) -> Option<(RepoPath, Option<RepoPath>, bool)> {
    let moved = (header.rename_from.or(header.copy_from), header.rename_to.or(header.copy_to));
    let (names, are_consistent) = match moved {
        (Some(from), Some(to)) => {
            let names = Names { old: Some(whole_name(from)), new: Some(whole_name(to)) };
            (names, true)
        }
        (None, None) => names_of_unmoved(header)?,
        (Some(_), None) | (None, Some(_)) => return None,
    };
    let names = Names {
        old: names.old.filter(|_| !header.is_created),
        new: names.new.filter(|_| !header.is_deleted),
    };
    let (path, old_path) = into_paths(names)?;
    Some((path, old_path, are_consistent))
}

/// The names of a file that is neither renamed nor copied, and whether `diff --git`, `---` and `+++` agree.
fn names_of_unmoved(header: &Header<'_>) -> Option<(Names, bool)> {
    let [old, new] = [header.minus, header.plus]
        .map(|line| line.map(names::label).filter(|name| !names::is_dev_null(name)));
    let agrees = |first: &[u8], second: &[u8]| {
        old.as_ref().is_none_or(|old| **old == *first) && new.as_ref().is_none_or(|new| **new == *second)
    };
    let both = |(old, new): (Vec<u8>, Vec<u8>)| Names { old: Some(old), new: Some(new) };
    let strip = |(old, new): (Vec<u8>, Vec<u8>)| both(names::strip_both(&old, &new));
    let split = |accept: &dyn Fn(&[u8], &[u8]) -> bool| names::split_pair(header.names, accept);
    let pair = split(&|first, second| agrees(first, second) && names::is_same_file(first, second))
        .or_else(|| split(&|first, second| agrees(first, second) && names::may_be_same_file(first, second)));
    if let Some(pair) = pair {
        return Some((strip(pair), true));
    }
    // Two files that are not one (`git diff --no-index`), or headers that contradict each other.
    let are_consistent = split(&agrees).is_some();
    match (old, new) {
        (Some(old), Some(new)) => Some((strip((old.into_owned(), new.into_owned())), are_consistent)),
        (Some(name), None) | (None, Some(name)) => {
            let name = names::strip_single(&name);
            Some((both((name.clone(), name)), are_consistent))
        }
        (None, None) => None,
    }
}

/// The path of a file, and its old one where that differs.
fn into_paths(names: Names) -> Option<(RepoPath, Option<RepoPath>)> {
    match (names.old, names.new) {
        (Some(old), Some(new)) => {
            let old_path = if old == new { None } else { Some(names::path(&old)?) };
            Some((names::path(&new)?, old_path))
        }
        (Some(name), None) | (None, Some(name)) => Some((names::path(&name)?, None)),
        (None, None) => None,
    }
}

/// The name of a `rename from` line, which has neither prefix nor time behind it.
fn whole_name(line: &[u8]) -> Vec<u8> {
    if line.starts_with(b"\"") { names::label(line).into_owned() } else { line.to_vec() }
}

fn parse_mode(digits: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok()?.trim_end();
    (digits.len() <= 6).then(|| u32::from_str_radix(digits, 8).ok())?
}

/// Passes over the data of a binary patch; false if the input ends inside of it.
///
/// A line of data starts with a letter (its length) and has no space, so that it cannot look like a header.
fn skip_binary_patch(lines: &mut Lines<'_>) -> bool {
    let mut is_whole = false;
    while let Some(line) = lines.peek() {
        if line.trim_ascii().is_empty() {
            is_whole = true;
        } else if !line.starts_with(b"literal ")
            && !line.starts_with(b"delta ")
            && (is_whole || line.contains(&b' '))
        {
            break;
        } else {
            is_whole = false;
        }
        lines.advance();
    }
    is_whole
}

/// Whether the time behind the name is the beginning of 1970 (in some zone), by which GNU diff says "absent".
fn has_epoch_time(line: &[u8]) -> bool {
    let time = line.iter().position(|&byte| byte == b'\t').map_or(&b""[..], |tab| &line[tab + 1..]);
    time.starts_with(b"1970-01-01 ") || time.starts_with(b"1969-12-31 ")
}

/// The operation, unless the lines contradict it: a file that is said to be deleted, and gets new lines, is one that
/// changes.
fn believable(
    reader: &mut Reader,
    operation: Operation,
    hunks: &[Hunk],
    path: &RepoPath,
    at: u64,
) -> Operation {
    let impossible = match operation {
        Operation::Added => LineKind::Removed,
        Operation::Deleted => LineKind::Added,
        Operation::Modified | Operation::Renamed | Operation::Copied => return operation,
    };
    if !hunks.iter().flat_map(Hunk::lines).any(|line| line.kind == impossible) {
        return operation;
    }
    let detail = format!("the lines of the file at line {at} of the diff contradict its header");
    reader.gap(GapKind::Unreadable, Some(path.clone()), None, detail);
    Operation::Modified
}

/// What happens to a submodule; `None` if the lines are others than those that git writes for one.
fn submodule_detail(hunks: &[Hunk], operation: Operation) -> Option<String> {
    let (mut from, mut to) = (None, None);
    for line in hunks.iter().flat_map(Hunk::lines) {
        let id = line.text.strip_prefix("Subproject commit ")?.trim_end();
        let id = CommitId::new(id.strip_suffix("-dirty").unwrap_or(id))?;
        match line.kind {
            LineKind::Added => to = Some(id),
            LineKind::Removed => from = Some(id),
            LineKind::Context => {}
        }
    }
    let verb = match operation {
        Operation::Added => "is added",
        Operation::Deleted => "is removed",
        Operation::Modified | Operation::Renamed | Operation::Copied => "moves",
    };
    let from = from.map(|id| format!(" from {}", id.short())).unwrap_or_default();
    let to = to.map(|id| format!(" to {}", id.short())).unwrap_or_default();
    Some(format!("a reference to another repository {verb}{from}{to}; its content is not here"))
}
