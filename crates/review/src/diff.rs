//! Reading diffs: git's, and plain unified ones.
//!
//! [`parse`] takes any bytes and never fails: what could not be read is a [`Gap`], and the files behind it
//! still count. The reader is our own because a review needs what parsers for *applying* patches rightly
//! refuse. Measured on diffy 0.5, which agrees with git on every well-formed diff that was tried: a file whose
//! diff is cut off or whose hunk miscounts is dropped whole; a combined diff between two others vanishes
//! without an error; plain and git diffs in one input need to be told apart before; and line numbers that do
//! not fit end the file. Here each of these keeps what was read and says what was not.
//!
//! The grammar is driven by the counts of the hunk headers, so that no text *inside* a hunk is taken for a
//! header (a removed SQL comment `-- x` is written `--- x`). Where the counts lie, the lines are believed:
//! a marker makes a line, and the hunk becomes a gap as well.

mod file;
mod hunk;
mod lines;
mod mail;
mod names;

use crate::change::{FileChange, Gap, GapKind, RepoPath};

use lines::Lines;

pub use mail::change_from_patch;

/// At most this many gaps are told one by one: a megabyte of garbage would otherwise make a gap every few
/// bytes. How many more there were is said in the last one.
const MAX_GAPS: usize = 1_000;

/// At most this many files are kept, twice what a whole Linux kernel has; a line of 20 bytes would otherwise cost ten
/// times its size in memory without end. What is beyond becomes a gap of the kind `TooLarge`.
const MAX_FILES: usize = 200_000;

/// What a diff held.
#[derive(Debug, Clone, Default)]
pub struct Parsed {
    /// The changed files, in the diff's order.
    pub files: Vec<FileChange>,
    /// What could not be read, or is not in the diff.
    pub gaps: Vec<Gap>,
}

/// Reads a diff. It never fails; what could not be read is told by the gaps.
///
/// Text before, between and behind the files (mail, commit messages, `diff -r` lines) is passed over, as git
/// does. An empty input has no files and no gaps; any other input without a file is a gap.
pub fn parse(bytes: &[u8]) -> Parsed {
    if bytes.trim_ascii().is_empty() {
        return Parsed::default();
    }
    let mut reader = Reader::default();
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        reader.gap(GapKind::Unreadable, None, None, "the diff is UTF-16; write it as UTF-8".to_owned());
        return reader.finish();
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    reader.read_all(&mut Lines::new(bytes));
    if reader.files.is_empty() && reader.gaps.is_empty() {
        let detail = if bytes.windows(2).any(|pair| pair == b"\x1b[") {
            "this is no diff that can be read: it has terminal colours; make it with --no-color"
        } else {
            "this is no diff: it has neither a `diff --git` line nor `---` and `+++` lines with a hunk"
        };
        reader.gap(GapKind::Unreadable, None, None, detail.to_owned());
    }
    reader.finish()
}

/// What was read so far.
#[derive(Default)]
struct Reader {
    files: Vec<FileChange>,
    files_left_out: usize,
    gaps: Vec<Gap>,
    gaps_left_out: usize,
}

impl Reader {
    /// Goes from file to file; each branch reads at least one line.
    fn read_all(&mut self, lines: &mut Lines<'_>) {
        while let Some(line) = lines.peek() {
            let at = lines.number();
            if let Some(names) = line.strip_prefix(b"diff --git ") {
                lines.advance();
                file::read_git(self, lines, names);
            } else if let Some(name) =
                line.strip_prefix(b"diff --cc ").or_else(|| line.strip_prefix(b"diff --combined "))
            {
                lines.advance();
                self.skip_combined(lines, name, at);
            } else if starts_plain_file(lines) {
                file::read_plain(self, lines);
            } else if hunk::looks_like_header(line) {
                hunk::skip(lines);
                let detail = format!("line {at} of the diff starts a hunk that belongs to no file");
                self.gap(GapKind::Unreadable, None, None, detail);
            } else if let Some(pair) = line.strip_prefix(b"Binary files ") {
                lines.advance();
                file::push_plain_binary(self, pair, at);
            } else if let Some(name) = line.strip_prefix(b"* Unmerged path ") {
                lines.advance();
                let path = names::path(&names::label(name));
                let detail = "the file has merge conflicts; its diff is not shown".to_owned();
                self.gap(GapKind::Unreadable, path, None, detail);
            } else if let Some(place) = line.strip_prefix(b"Only in ")
                && let Some(border) = place.windows(2).position(|pair| pair == b": ")
            {
                lines.advance();
                let path = [&place[..border], b"/", place[border + 2..].trim_ascii_end()].concat();
                let detail =
                    "the file is on one side only and is not shown; make the diff with -N".to_owned();
                self.gap(GapKind::Unreadable, names::path(&path), None, detail);
            } else if let Some(rest) = line.strip_prefix(b"Submodule ") {
                lines.advance();
                file::push_submodule_summary(self, rest);
            } else if line.trim_ascii_end() == b"***************" {
                lines.advance();
                let detail =
                    format!("line {at} of the diff starts a context diff; make it with `diff -u` instead");
                self.gap(GapKind::Unreadable, None, None, detail);
            } else {
                lines.advance();
            }
        }
    }

    /// Passes over a combined diff (of a merge against several parents), whose lines belong to no single base.
    fn skip_combined(&mut self, lines: &mut Lines<'_>, name: &[u8], at: u64) {
        let detail = format!(
            "line {at} of the diff starts a combined diff of a merge, which has no single base; \
             pass the diff against the first parent instead (`git diff MERGE^1 MERGE`)"
        );
        self.gap(GapKind::Unreadable, names::path(&names::label(name)), None, detail);
        while lines.peek().is_some_and(|line| !line.starts_with(b"diff --")) && !starts_plain_file(lines) {
            lines.advance();
        }
    }

    fn push(&mut self, file: FileChange) {
        if self.files.len() < MAX_FILES {
            self.files.push(file);
        } else {
            self.files_left_out += 1;
        }
    }

    fn gap(&mut self, kind: GapKind, file: Option<RepoPath>, lines: Option<(u32, u32)>, detail: String) {
        if self.gaps.len() < MAX_GAPS {
            self.gaps.push(Gap { kind, file, lines, detail });
        } else {
            self.gaps_left_out += 1;
        }
    }

    fn finish(mut self) -> Parsed {
        if self.gaps_left_out > 0 {
            let detail = format!("{} more places of the diff could not be read", self.gaps_left_out);
            self.gaps.push(Gap { kind: GapKind::Unreadable, file: None, lines: None, detail });
        }
        if self.files_left_out > 0 {
            let detail =
                format!("the diff has {} files more than the {MAX_FILES} that are read", self.files_left_out);
            self.gaps.push(Gap { kind: GapKind::TooLarge, file: None, lines: None, detail });
        }
        Parsed { files: self.files, gaps: self.gaps }
    }
}

/// Whether a plain unified diff of one file starts here: `---`, `+++` and then a hunk or the end.
fn starts_plain_file(lines: &Lines<'_>) -> bool {
    let mut ahead = *lines;
    ahead.advance().is_some_and(|line| line.starts_with(b"--- "))
        && ahead.advance().is_some_and(|line| line.starts_with(b"+++ "))
        && ahead.peek().is_none_or(hunk::looks_like_header)
}

#[cfg(test)]
use crate::change::{Content, Hunk, LineKind};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod sound;
#[cfg(test)]
mod tests;
