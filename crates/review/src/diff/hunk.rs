//! Reading one hunk: its header, and lines until the counts are met.

use crate::change::{GapKind, Hunk, RepoPath};

use super::Reader;
use super::lines::Lines;

/// The numbers of `@@ -1,2 +3,4 @@ heading`.
struct Header {
    old: Range,
    new: Range,
    heading: String,
}

/// A start and a count, as the header states them.
struct Range {
    start: u64,
    count: u64,
}

impl Range {
    /// The first number that fits, counted from 1 if there are lines.
    fn first(&self) -> u32 {
        let first = if self.count > 0 { self.start.max(1) } else { self.start };
        u32::try_from(first).unwrap_or(u32::MAX)
    }

    /// Whether the header says what cannot be: line 0, or numbers beyond `u32`.
    fn is_impossible(&self, count: u64) -> bool {
        (self.start == 0 && self.count > 0)
            || self.start.saturating_add(self.count.max(count)) > u64::from(u32::MAX)
    }
}

/// How many empty lines may stand where none belongs: between hunks, and in a hunk that miscounts. Those who write
/// diffs by hand leave some; beyond that it is other text.
const MAX_STRAY_LINES: usize = 3;

/// Whether a line starts a hunk, or wants to.
pub(super) fn looks_like_header(line: &[u8]) -> bool {
    line.starts_with(b"@@ -")
}

/// Reads the hunks of a file, the first of which would start at the next line. `None` if there is none.
pub(super) fn read_all(reader: &mut Reader, lines: &mut Lines<'_>, path: &RepoPath) -> Option<Vec<Hunk>> {
    let mut hunks = None;
    loop {
        let ahead = behind_stray_lines(lines);
        if !ahead.peek().is_some_and(|line| line.starts_with(b"@@")) {
            return hunks;
        }
        *lines = ahead;
        hunks.get_or_insert_with(Vec::new).extend(read(reader, lines, path));
    }
}

/// Passes over the hunks of a file that nobody can name.
pub(super) fn skip_all(lines: &mut Lines<'_>) {
    while lines.peek().is_some_and(looks_like_header) {
        skip(lines);
    }
}

/// Where the lines go on behind a few empty ones.
fn behind_stray_lines<'a>(lines: &Lines<'a>) -> Lines<'a> {
    let mut ahead = *lines;
    for _ in 0..MAX_STRAY_LINES {
        if ahead.peek().is_none_or(|line| !line.trim_ascii().is_empty()) {
            break;
        }
        ahead.advance();
    }
    ahead
}

/// Reads a hunk of a file, whose header is the next line. `None` if it has no lines or cannot be read.
fn read(reader: &mut Reader, lines: &mut Lines<'_>, path: &RepoPath) -> Option<Hunk> {
    let at = lines.number();
    let Some(header) = lines.peek().and_then(parse_header) else {
        skip(lines);
        let detail = format!("line {at} of the diff is no hunk header that can be read");
        reader.gap(GapKind::Unreadable, Some(path.clone()), None, detail);
        return None;
    };
    lines.advance();
    let body = Body::read(lines, header.old.count, header.new.count);
    let (text, lossy) = decode(&body);
    let old_start = header.old.first().max(u32::from(body.old_seen > 0));
    let new_start = header.new.first().max(u32::from(body.new_seen > 0));
    let hunk = Hunk::new(old_start, new_start, header.heading, text, lossy);

    let range = |start: u32, seen: u64| {
        let seen = u32::try_from(seen).unwrap_or(u32::MAX);
        (seen > 0).then(|| (start, start.saturating_add(seen - 1)))
    };
    let place = range(new_start, body.new_seen).or_else(|| range(old_start, body.old_seen));
    let mut tell = |detail: String| reader.gap(GapKind::Unreadable, Some(path.clone()), place, detail);
    if body.is_cut {
        tell(format!(
            "the diff is cut off in the hunk of line {at} of the diff, or its last line feed is missing"
        ));
    } else if body.old_seen != header.old.count || body.new_seen != header.new.count {
        tell(format!(
            "the hunk of line {at} of the diff announces {} old and {} new lines and has {} and {}",
            header.old.count, header.new.count, body.old_seen, body.new_seen
        ));
    }
    if header.old.is_impossible(body.old_seen) || header.new.is_impossible(body.new_seen) {
        tell(format!("the hunk of line {at} of the diff has line numbers that cannot be"));
    }
    (body.old_seen > 0 || body.new_seen > 0).then_some(hunk)
}

/// Passes over a hunk that nobody can use: its header, and what could be its lines.
pub(super) fn skip(lines: &mut Lines<'_>) {
    let counts = lines.advance().and_then(parse_header).map(|header| (header.old.count, header.new.count));
    match counts {
        Some((old, new)) => {
            Body::read(lines, old, new);
        }
        None => {
            while lines.peek().is_some_and(|line| matches!(line.first(), Some(b' ' | b'+' | b'-' | b'\\'))) {
                if super::starts_plain_file(lines) {
                    break;
                }
                lines.advance();
            }
        }
    }
}

/// The lines of a hunk as the diff has them.
struct Body<'a> {
    bytes: &'a [u8],
    old_seen: u64,
    new_seen: u64,
    /// Some lines have lost the space that marks them as context (editors strip it).
    has_bare_lines: bool,
    /// The input ends before the counts are met, or in the middle of a line.
    is_cut: bool,
}

impl<'a> Body<'a> {
    fn read(lines: &mut Lines<'a>, old_count: u64, new_count: u64) -> Self {
        let start = lines.position();
        let (mut old_seen, mut new_seen) = (0_u64, 0_u64);
        let mut has_bare_lines = false;
        while let Some(line) = lines.peek() {
            let (old_left, new_left) =
                (old_count.saturating_sub(old_seen), new_count.saturating_sub(new_seen));
            match line.first() {
                Some(b'+') => new_seen += 1,
                Some(b'-') if is_next_file(lines, line, old_left, new_left) => break,
                Some(b'-') => old_seen += 1,
                Some(b' ') => {
                    old_seen += 1;
                    new_seen += 1;
                }
                Some(b'\\') => {}
                None | Some(b'\r')
                    if line.len() < 2
                        && ((old_left > 0 && new_left > 0)
                            || (old_left == 0 && new_left == 0 && goes_on_behind_empty_lines(lines))) =>
                {
                    has_bare_lines = true;
                    old_seen += 1;
                    new_seen += 1;
                }
                Some(_) | None => break,
            }
            lines.advance();
        }
        let bytes = lines.since(start);
        // A mark of a missing line feed says no less without its own.
        let last_line = bytes.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
        let ends_inside_a_line = lines.ended_inside_a_line() && !last_line.starts_with(b"\\");
        let is_short = old_seen < old_count || new_seen < new_count;
        Self {
            bytes,
            old_seen,
            new_seen,
            has_bare_lines,
            is_cut: lines.peek().is_none() && (is_short || ends_inside_a_line),
        }
    }
}

/// Whether changed lines follow behind empty ones where the hunk should have ended: its header miscounts.
fn goes_on_behind_empty_lines(lines: &Lines<'_>) -> bool {
    let ahead = behind_stray_lines(lines);
    ahead.peek().is_some_and(|line| match line.first() {
        Some(b'+') => true,
        Some(b'-') => !is_next_file(&ahead, line, 0, 0),
        Some(_) | None => false,
    })
}

/// Whether a line that starts with `-` is no removed line but the border to what follows the hunk.
fn is_next_file(lines: &Lines<'_>, line: &[u8], old_left: u64, new_left: u64) -> bool {
    let is_met = old_left == 0 && new_left == 0;
    if is_met && line.trim_ascii_end() == b"--" {
        return true; // The signature of a mail.
    }
    if !line.starts_with(b"--- ") {
        return false;
    }
    let mut ahead = *lines;
    ahead.advance();
    let names_follow = ahead.advance().is_some_and(|next| next.starts_with(b"+++ "));
    // As lines of this hunk the two would have to be its last ones, because a hunk header follows.
    names_follow
        && (is_met || (ahead.peek().is_some_and(looks_like_header) && (old_left, new_left) != (1, 1)))
}

fn parse_header(line: &[u8]) -> Option<Header> {
    let (old, rest) = parse_range(line.strip_prefix(b"@@ -")?)?;
    let (new, rest) = parse_range(rest.strip_prefix(b" +")?)?;
    let heading = rest.strip_prefix(b" @@")?.trim_ascii();
    Some(Header { old, new, heading: String::from_utf8_lossy(heading).into_owned() })
}

fn parse_range(bytes: &[u8]) -> Option<(Range, &[u8])> {
    let (start, rest) = parse_number(bytes)?;
    match rest.strip_prefix(b",") {
        Some(rest) => parse_number(rest).map(|(count, rest)| (Range { start, count }, rest)),
        None => Some((Range { start, count: 1 }, rest)),
    }
}

fn parse_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let length = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = bytes.split_at(length);
    let number = digits
        .iter()
        .fold(0_u64, |number, digit| number.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
    (length > 0).then_some((number, rest))
}

/// The body as text in which every line has its marker and its line feed; whether U+FFFD was put in.
fn decode(body: &Body<'_>) -> (String, bool) {
    let mut text = String::new();
    let mut lossy = false;
    if body.has_bare_lines {
        text.reserve(body.bytes.len() + 16);
        for line in body.bytes.split_inclusive(|&byte| byte == b'\n') {
            if matches!(line.first(), Some(b'\n' | b'\r')) {
                text.push(' ');
            }
            lossy |= push_decoded(&mut text, line);
        }
    } else {
        lossy = push_decoded(&mut text, body.bytes);
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    (text, lossy)
}

fn push_decoded(text: &mut String, bytes: &[u8]) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(valid) => {
            text.push_str(valid);
            false
        }
        Err(_) => {
            text.push_str(&String::from_utf8_lossy(bytes));
            true
        }
    }
}
