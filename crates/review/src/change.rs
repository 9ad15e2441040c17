//! The change under review: one diff at one head, as values.
//!
//! Text in here was written by the author of the change. It is data; nothing in it configures anything.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::Digest;

/// A path inside the repository, with `/` between its parts.
///
/// A path that is not UTF-8 is kept in git's own quoted form (`"caf\351.txt"`, quotes included), which is
/// unambiguous and can be printed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RepoPath(String);

impl RepoPath {
    /// Takes a path as git's objects name it.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(path) => Self(path.to_owned()),
            Err(_) => Self(quote(bytes)),
        }
    }

    /// The path as git's objects name it: undoes the quoting of [`RepoPath::from_bytes`].
    pub fn to_bytes(&self) -> Cow<'_, [u8]> {
        match unquote(self.0.as_bytes()) {
            Some((bytes, b"")) if std::str::from_utf8(&bytes).is_err() => Cow::Owned(bytes),
            Some(_) | None => Cow::Borrowed(self.0.as_bytes()),
        }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part behind the last slash.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The extension in lower case, without the dot; empty if there is none.
    pub fn extension(&self) -> String {
        match self.file_name().rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => extension.to_ascii_lowercase(),
            _ => String::new(),
        }
    }
}

impl From<&str> for RepoPath {
    fn from(path: &str) -> Self {
        Self(path.to_owned())
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Quotes as git does with `core.quotePath`: C escapes, octal for what is not printable ASCII.
fn quote(bytes: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for &byte in bytes {
        match byte {
            b'"' => quoted.push_str("\\\""),
            b'\\' => quoted.push_str("\\\\"),
            b'\n' => quoted.push_str("\\n"),
            b'\t' => quoted.push_str("\\t"),
            0x20..=0x7e => quoted.push(char::from(byte)),
            _ => quoted.push_str(&format!("\\{byte:03o}")),
        }
    }
    quoted.push('"');
    quoted
}

/// Undoes git's C-style quoting; the name and what follows the closing quote. `None` if nothing is quoted.
pub(crate) fn unquote(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = bytes.strip_prefix(b"\"")?;
    let mut name = Vec::new();
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'"' => return Some((name, rest)),
            b'\\' => {
                let (&escape, after) = rest.split_first()?;
                rest = after;
                name.push(match escape {
                    b'a' => 0x07,
                    b'b' => 0x08,
                    b't' => b'\t',
                    b'n' => b'\n',
                    b'v' => 0x0b,
                    b'f' => 0x0c,
                    b'r' => b'\r',
                    b'"' | b'\\' => escape,
                    b'0'..=b'3' => {
                        let (digits, after) = rest.split_at_checked(2)?;
                        rest = after;
                        let octal = digits.iter().all(|digit| matches!(digit, b'0'..=b'7'));
                        if !octal {
                            return None;
                        }
                        (escape - b'0') * 64 + (digits[0] - b'0') * 8 + (digits[1] - b'0')
                    }
                    _ => return None,
                });
            }
            _ => name.push(byte),
        }
    }
}

/// The id of a commit or another object: 40 (SHA-1) or 64 (SHA-256) lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct CommitId(
    #[serde(deserialize_with = "checked_id")]
    #[schemars(regex(pattern = "^([0-9a-f]{40}|[0-9a-f]{64})$"))]
    String,
);

/// Refuses what is no id, so that whatever reads one may cut it and hand it to git.
fn checked_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match CommitId::new(&text) {
        Some(id) => Ok(id.0),
        None => Err(D::Error::custom("a commit's id has 40 or 64 lower-case hex digits")),
    }
}

impl CommitId {
    /// Takes an id; `None` if it is not one.
    pub fn new(id: &str) -> Option<Self> {
        let hex = id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (hex && matches!(id.len(), 40 | 64)).then(|| Self(id.to_owned()))
    }

    /// All digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which version of a file a line is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Before the change.
    Base,
    /// After the change.
    Head,
}

/// Where a change came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    /// Two commits of a repository; the diff is from their merge base to the head.
    Range {
        /// What the base was called by whoever asked.
        base_ref: String,
        /// What the head was called.
        head_ref: String,
    },
    /// A pull request of a platform; the diff is from the merge base to the head.
    PullRequest {
        /// The repository as `OWNER/NAME`.
        repository: String,
        /// Its number there.
        number: u64,
        /// The branch that it wants to change.
        base_ref: String,
        /// The branch that it is from.
        head_ref: String,
    },
    /// The index of a repository against its `HEAD`.
    Staged,
    /// A diff that somebody handed over; no repository stands behind it.
    Patch,
}

/// What exactly is reviewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Where the change came from.
    pub source: Source,
    /// The commit that the diff starts from.
    pub base: Option<CommitId>,
    /// The commit that is reviewed; `None` for an index or a bare diff.
    pub head: Option<CommitId>,
    /// Digest of the diff's bytes as they were read.
    pub diff_digest: Digest,
}

/// The digest of what an author says of a change.
pub fn text_digest(title: &str, body: &str) -> Digest {
    Digest::of_parts([title.as_bytes(), body.as_bytes()])
}

/// One diff at one head, with all that its author says about it.
#[derive(Debug, Clone)]
pub struct Change {
    /// What exactly is reviewed.
    pub subject: Subject,
    /// The author's title: of the pull request, or the newest commit's subject.
    pub title: String,
    /// The author's description.
    pub body: String,
    /// The head's branch, if it is known.
    pub branch: Option<String>,
    /// The commits of the range, newest first.
    pub commits: Vec<Commit>,
    /// The changed files, in the diff's order.
    pub files: Vec<FileChange>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

impl Change {
    /// Finds a changed file by its new or old path.
    pub fn file(&self, path: &RepoPath) -> Option<&FileChange> {
        self.files
            .iter()
            .find(|file| file.path == *path)
            .or_else(|| self.files.iter().find(|file| file.old_path.as_ref() == Some(path)))
    }

    /// Added and removed lines of all files.
    pub fn line_counts(&self) -> (u64, u64) {
        self.files.iter().fold((0, 0), |(added, removed), file| {
            let (file_added, file_removed) = file.line_counts();
            (added + file_added, removed + file_removed)
        })
    }
}

/// A commit of the range. Every field but the id is the author's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: CommitId,
    /// Seconds since 1970, as the author's clock had it.
    pub author_time: i64,
    /// The author.
    pub author: Identity,
    /// The committer.
    pub committer: Identity,
    /// The whole message, decoded with U+FFFD for what is not UTF-8.
    pub message: String,
    /// How many parents it has; more than one is a merge.
    pub parents: u32,
}

/// The title and the description that commits (newest first) give their change: those of the only one, else of the
/// newest that is no merge. Both are empty where there is no commit.
pub fn title_and_body(commits: &[Commit]) -> (String, String) {
    let commit = match commits {
        [] => return (String::new(), String::new()),
        [only] => only,
        [newest, ..] => commits.iter().find(|commit| commit.parents < 2).unwrap_or(newest),
    };
    // A subject of several lines becomes one, as in `git log --oneline`.
    let lines: Vec<_> = commit.message.trim_start_matches('\n').lines().collect();
    let border = lines.iter().position(|line| line.trim().is_empty()).unwrap_or(lines.len());
    let (subject, body) = lines.split_at(border);
    (subject.join(" "), body.join("\n").trim().to_owned())
}

/// A name and an e-mail address as a commit states them; empty where nothing states them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// The name.
    pub name: String,
    /// The address, without the angle brackets.
    pub email: String,
}

/// What happened to one file.
#[derive(Debug, Clone)]
pub struct FileChange {
    /// Its path after the change (before it, for a deleted file).
    pub path: RepoPath,
    /// Its path before the change, where that differs.
    pub old_path: Option<RepoPath>,
    /// What was done to it.
    pub operation: Operation,
    /// Mode before and after (`0o100644`: git writes the octal digits), where the diff states it.
    pub modes: (Option<u32>, Option<u32>),
    /// What changed in it.
    pub content: Content,
}

impl FileChange {
    /// The hunks; none for a binary file or a change of name or mode only.
    pub fn hunks(&self) -> &[Hunk] {
        match &self.content {
            Content::Text(hunks) => hunks,
            Content::Binary | Content::Nothing => &[],
        }
    }

    /// Added and removed lines.
    pub fn line_counts(&self) -> (u64, u64) {
        self.hunks().iter().flat_map(Hunk::lines).fold((0, 0), |(added, removed), line| match line.kind {
            LineKind::Added => (added + 1, removed),
            LineKind::Removed => (added, removed + 1),
            LineKind::Context => (added, removed),
        })
    }

    /// The path on one side.
    pub fn path_on(&self, side: Side) -> &RepoPath {
        match side {
            Side::Base => self.old_path.as_ref().unwrap_or(&self.path),
            Side::Head => &self.path,
        }
    }
}

/// What was done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// It is new.
    Added,
    /// It is gone.
    Deleted,
    /// Its content or mode changed.
    Modified,
    /// It moved, and may have changed too.
    Renamed,
    /// It was copied from another, and may differ.
    Copied,
}

impl Operation {
    /// Its name in packets and prompts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Deleted => "deleted",
            Self::Modified => "modified",
            Self::Renamed => "renamed",
            Self::Copied => "copied",
        }
    }
}

/// What changed inside a file.
#[derive(Debug, Clone)]
pub enum Content {
    /// Lines.
    Text(Vec<Hunk>),
    /// Bytes that are not lines.
    Binary,
    /// Only the name or the mode, or an empty file.
    Nothing,
}

/// A run of changed lines with the lines round it.
///
/// The text is kept once, as the diff had it; lines and their numbers are derived by [`Hunk::lines`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// The first line before the change, from 1 (0 if that side is empty).
    pub old_start: u32,
    /// The first line after the change, from 1 (0 if that side is empty).
    pub new_start: u32,
    /// What git printed behind the second `@@`.
    pub heading: String,
    /// Whether bytes that are not UTF-8 were replaced by U+FFFD.
    pub lossy: bool,
    body: String,
}

impl Hunk {
    /// Takes a hunk's lines, each with its marker (`' '`, `'+'`, `'-'`, `'\\'`) and its line feed.
    pub fn new(old_start: u32, new_start: u32, heading: String, body: String, lossy: bool) -> Self {
        Self { old_start, new_start, heading, lossy, body }
    }

    /// The lines in order, with their numbers. "No newline at end of file" marks are left out.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let (mut old, mut new) = (self.old_start, self.new_start);
        self.body.split_terminator('\n').filter_map(move |raw| {
            let mut rest = raw.chars();
            let kind = match rest.next() {
                Some('+') => LineKind::Added,
                Some('-') => LineKind::Removed,
                Some('\\') => return None,
                _ => LineKind::Context,
            };
            let line = Line {
                kind,
                old: (kind != LineKind::Added).then_some(old),
                new: (kind != LineKind::Removed).then_some(new),
                text: rest.as_str(),
            };
            old = old.saturating_add(u32::from(line.old.is_some()));
            new = new.saturating_add(u32::from(line.new.is_some()));
            Some(line)
        })
    }

    /// The text with its markers, as the diff had it.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The same hunk with the text of some lines replaced; numbers and markers stay.
    ///
    /// `replace` is given each line and answers with the new text, which must hold no line feed.
    #[must_use]
    pub fn with_lines_replaced(&self, mut replace: impl FnMut(&Line<'_>) -> Option<String>) -> Self {
        let mut body = String::with_capacity(self.body.len());
        for line in self.lines() {
            body.push(line.kind.marker());
            match replace(&line) {
                Some(text) => body.push_str(&text.replace('\n', " ")),
                None => body.push_str(line.text),
            }
            body.push('\n');
        }
        Self { body, heading: self.heading.clone(), ..*self }
    }

    /// First and last line number on a side; `None` if the hunk has no line there.
    pub fn range(&self, side: Side) -> Option<(u32, u32)> {
        let mut numbers = self.lines().filter_map(|line| line.number(side));
        let first = numbers.next()?;
        Some((first, numbers.last().unwrap_or(first)))
    }
}

/// One line of a hunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Whether it was added, removed or neither.
    pub kind: LineKind,
    /// Its number before the change, from 1.
    pub old: Option<u32>,
    /// Its number after the change, from 1.
    pub new: Option<u32>,
    /// Its text without marker and line feed; a carriage return stays.
    pub text: &'a str,
}

impl Line<'_> {
    /// Its number on a side.
    pub fn number(&self, side: Side) -> Option<u32> {
        match side {
            Side::Base => self.old,
            Side::Head => self.new,
        }
    }
}

/// What a line is in a diff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// In both versions.
    Context,
    /// Only after the change.
    Added,
    /// Only before it.
    Removed,
}

impl LineKind {
    /// The character that marks it in a diff.
    pub fn marker(self) -> char {
        match self {
            Self::Context => ' ',
            Self::Added => '+',
            Self::Removed => '-',
        }
    }
}

/// Something of the change that nobody could look at, and why. A gap is never silent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// The kind.
    pub kind: GapKind,
    /// The file, if it is about one.
    pub file: Option<RepoPath>,
    /// First and last line, if it is about lines (of the head, or of the base where lines were only removed).
    pub lines: Option<(u32, u32)>,
    /// A sentence for people.
    pub detail: String,
}

/// Why something was not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// The diff could not be read there.
    Unreadable,
    /// Bytes that are not text.
    Binary,
    /// A reference to another repository whose content is not here.
    Submodule,
    /// Too large for the limits in force.
    TooLarge,
    /// A reviewer was asked and gave no usable answer.
    Unanswered,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_carry_their_numbers_on_both_sides() {
        let hunk =
            Hunk::new(3, 3, String::new(), " a\n-b\n+c\n+d\r\n\\ No newline at end of file\n".into(), false);
        let lines: Vec<_> =
            hunk.lines().map(|line| (line.kind.marker(), line.old, line.new, line.text)).collect();
        assert_eq!(
            lines,
            [
                (' ', Some(3), Some(3), "a"),
                ('-', Some(4), None, "b"),
                ('+', None, Some(4), "c"),
                ('+', None, Some(5), "d\r"),
            ]
        );
        assert_eq!(hunk.range(Side::Head), Some((3, 5)));
        assert_eq!(hunk.range(Side::Base), Some((3, 4)));
    }

    #[test]
    fn replacing_a_line_keeps_every_number() {
        let hunk = Hunk::new(1, 1, String::new(), "-old\n+key=hunter2\n x\n".into(), false);
        let redacted =
            hunk.with_lines_replaced(|line| line.text.contains("hunter2").then(|| "key=\n".into()));
        assert_eq!(redacted.body(), "-old\n+key= \n x\n");
        let numbers = |hunk: &Hunk| hunk.lines().map(|line| (line.old, line.new)).collect::<Vec<_>>();
        assert_eq!(numbers(&hunk), numbers(&redacted));
    }

    #[test]
    fn a_path_that_is_not_utf8_is_quoted_as_git_does() {
        assert_eq!(RepoPath::from_bytes(b"caf\xe9.txt").as_str(), "\"caf\\351.txt\"");
        assert_eq!(RepoPath::from_bytes("café.txt".as_bytes()).as_str(), "café.txt");
        for bytes in [&b"caf\xe9 \"\t\\.txt"[..], b"\xff", b"\"caf\\303\\251\"", b"plain"] {
            assert_eq!(&*RepoPath::from_bytes(bytes).to_bytes(), bytes);
        }
        assert_eq!(RepoPath::from(".gitignore").extension(), "");
        assert_eq!(RepoPath::from("a/B.TSX").extension(), "tsx");
    }
}
