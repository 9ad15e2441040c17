//! Changes from bare diffs, and the mails that `git format-patch` puts round them.

use std::iter::Peekable;

use crate::change::{self, Change, Commit, CommitId, Identity, Source, Subject};
use crate::digest::Digest;

/// A change from the bytes of a diff that somebody handed over.
///
/// Where the diff is in mails of `git format-patch` (one, or several in an mbox), each becomes a commit: its
/// `From ID` line, author, date, subject and message. A mail does not say who committed, so that the committer is
/// empty. Any other text round the diff is passed over.
pub fn change_from_patch(bytes: &[u8]) -> Change {
    let parsed = super::parse(bytes);
    let mut commits = commits(bytes);
    commits.reverse(); // A series of mails starts with the oldest.
    let (title, body) = change::title_and_body(&commits);
    Change {
        subject: Subject { source: Source::Patch, base: None, head: None, diff_digest: Digest::of(bytes) },
        title,
        body,
        branch: None,
        commits,
        files: parsed.files,
        gaps: parsed.gaps,
    }
}

fn commits(bytes: &[u8]) -> Vec<Commit> {
    let mut commits = Vec::new();
    let mut lines =
        bytes.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).peekable();
    while let Some(line) = lines.next() {
        // No line of a hunk starts with an F.
        if let Some(id) = mail_start(line) {
            commits.push(read_mail(id, &mut lines));
        }
    }
    commits
}

/// The id of `From 0123… Mon Sep 17 00:00:00 2001`.
fn mail_start(line: &[u8]) -> Option<CommitId> {
    let id = line.strip_prefix(b"From ")?.split(|&byte| byte == b' ').next()?;
    CommitId::new(std::str::from_utf8(id).ok()?)
}

/// Reads headers and message up to the line `---` or the diff.
fn read_mail<'a>(id: CommitId, lines: &mut Peekable<impl Iterator<Item = &'a [u8]>>) -> Commit {
    let mut headers: Vec<String> = Vec::new();
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        let text = String::from_utf8_lossy(line);
        match headers.last_mut() {
            Some(header) if text.starts_with([' ', '\t']) => header.push_str(&text),
            Some(_) | None => headers.push(text.into_owned()),
        }
    }
    let header = |name: &str| headers.iter().find_map(|header| header.strip_prefix(name)).map(decode_words);
    let mut author = header("From: ").as_deref().map_or_else(Identity::default, parse_identity);
    let author_time = header("Date: ").and_then(|date| parse_date(&date)).unwrap_or(0);
    let mut message = without_tag(&header("Subject: ").unwrap_or_default()).to_owned();
    message.push_str("\n\n");
    let is_message =
        |line: &&[u8]| *line != b"---" && !line.starts_with(b"diff --git ") && mail_start(line).is_none();
    for index in 0.. {
        let Some(line) = lines.next_if(is_message) else { break };
        let text = String::from_utf8_lossy(line);
        match text.strip_prefix("From: ") {
            // Who sends a mail for somebody else names the author first.
            Some(from) if index == 0 => author = parse_identity(from),
            Some(_) | None => {
                message.push_str(&text);
                message.push('\n');
            }
        }
    }
    let message = message.trim_end().to_owned();
    Commit { id, author_time, author, committer: Identity::default(), message, parents: 1 }
}

/// A subject without `[PATCH 1/2]`.
fn without_tag(subject: &str) -> &str {
    let tag = subject.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    match tag {
        Some((tag, rest)) if tag.contains("PATCH") => rest.trim_start(),
        Some(_) | None => subject,
    }
}

fn parse_identity(text: &str) -> Identity {
    match text.rsplit_once('<') {
        Some((name, address)) => Identity {
            name: name.trim().trim_matches('"').to_owned(),
            email: address.trim_end().trim_end_matches('>').to_owned(),
        },
        None => Identity { name: String::new(), email: text.trim().to_owned() },
    }
}

/// Undoes `=?UTF-8?q?J=C3=B6rg?=`, the only form of RFC 2047 that git writes; others stay as they are.
fn decode_words(text: &str) -> String {
    let mut decoded = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("=?") {
        let Some((word, after)) = decode_word(&rest[start..]) else {
            decoded.push_str(&rest[..start + 2]);
            rest = &rest[start + 2..];
            continue;
        };
        // White space between two words is no part of the text.
        if !(rest[..start].trim().is_empty() && rest.len() < text.len()) {
            decoded.push_str(&rest[..start]);
        }
        decoded.push_str(&word);
        rest = after;
    }
    decoded + rest
}

fn decode_word(text: &str) -> Option<(String, &str)> {
    let (charset, rest) = text.strip_prefix("=?")?.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (word, rest) = rest.split_once("?=")?;
    if !charset.eq_ignore_ascii_case("utf-8") || !encoding.eq_ignore_ascii_case("q") {
        return None;
    }
    let mut bytes = Vec::new();
    let mut input = word.bytes();
    while let Some(byte) = input.next() {
        bytes.push(match byte {
            b'_' => b' ',
            b'=' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                u8::try_from(digit(input.next()?)? * 16 + digit(input.next()?)?).ok()?
            }
            other => other,
        });
    }
    Some((String::from_utf8_lossy(&bytes).into_owned(), rest))
}

/// Seconds since 1970 of `Mon, 6 Jul 2026 12:34:56 +0200`.
fn parse_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<_> = text.split_once(',').map_or(text, |(_, rest)| rest).split_whitespace().collect();
    let &[day, month, year, time, zone] = words.as_slice() else { return None };
    let month = i64::try_from(MONTHS.iter().position(|name| *name == month)?).ok()? + 1;
    let (day, year) = (day.parse::<i64>().ok()?, year.parse::<i64>().ok()?);
    let mut clock = time.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let offset = zone.parse::<i64>().ok()?; // Hours and minutes in one number, with its sign.
    let in_range = (1..=31).contains(&day) && (0..=9_999).contains(&year) && offset.abs() < 2_400;
    let clock_in_range = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..=60).contains(&second);
    if !in_range || !clock_in_range {
        return None;
    }
    // Days since 1970 in the Gregorian calendar, with years that start in March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * month + 2) / 5
        + day
        - 1
        - 719_468;
    Some(((days * 24 + hour) * 60 + minute - offset / 100 * 60 - offset % 100) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIFF: &str =
        "diff --git a/x b/x\nindex 0123456..89abcde 100644\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-b\n+c\n";

    fn mail(id: char, subject: &str, body: &str) -> String {
        let id = String::from(id).repeat(40);
        format!(
            "From {id} Mon Sep 17 00:00:00 2001\nFrom: =?UTF-8?q?J=C3=B6rg?= Doe <j@example.org>\n\
             Date: Mon, 6 Jul 2026 12:34:56 +0230\nSubject: {subject}\nMIME-Version: 1.0\n\n{body}---\n x | 2 +-\n\n{DIFF}-- \n2.47.3\n\n"
        )
    }

    #[test]
    fn each_mail_of_a_series_is_a_commit_and_the_newest_gives_the_title() {
        let series =
            mail('a', "[PATCH 1/2] one", "") + &mail('b', "[PATCH 2/2] two\n folded", "Why.\n\nT: v\n");
        let change = change_from_patch(series.as_bytes());
        assert_eq!(change.files.len(), 2);
        assert!(change.gaps.is_empty(), "{:?}", change.gaps);
        assert_eq!((change.title.as_str(), change.body.as_str()), ("two folded", "Why.\n\nT: v"));
        let ids: Vec<_> = change.commits.iter().map(|commit| &commit.id.as_str()[..1]).collect();
        assert_eq!(ids, ["b", "a"]);
        let commit = &change.commits[0];
        assert_eq!(
            (commit.author.name.as_str(), commit.author.email.as_str()),
            ("Jörg Doe", "j@example.org")
        );
        assert_eq!(commit.author_time, 1_783_332_296);
        assert_eq!(commit.message, "two folded\n\nWhy.\n\nT: v");
    }

    #[test]
    fn a_mail_without_a_diff_does_not_swallow_the_next() {
        let empty = format!("From {} Mon\nSubject: nothing\n\nText.\n", "c".repeat(40));
        let change = change_from_patch((empty + &mail('a', "s", "")).as_bytes());
        let messages: Vec<_> = change.commits.iter().map(|commit| commit.message.as_str()).collect();
        assert_eq!(messages, ["s", "nothing\n\nText."]);
    }

    #[test]
    fn the_author_in_the_body_goes_before_the_sender() {
        let change = change_from_patch(mail('a', "s", "From: Ann <ann@example.org>\n\nText.\n").as_bytes());
        assert_eq!(change.commits[0].author.name, "Ann");
        assert_eq!(change.body, "Text.");
    }

    #[test]
    fn a_bare_diff_has_no_commits_and_no_title() {
        let change = change_from_patch(DIFF.as_bytes());
        assert_eq!((change.commits.len(), change.title.as_str(), change.files.len()), (0, "", 1));
        assert_eq!(change.subject.diff_digest, Digest::of(DIFF.as_bytes()));
    }

    #[test]
    fn dates_are_seconds_since_1970_and_nonsense_is_none() {
        let cases = [
            ("Thu, 1 Jan 1970 00:00:00 +0000", Some(0)),
            ("Thu, 29 Feb 2024 23:59:59 -0800", Some(1_709_279_999)),
            ("1 Mar 2000 00:00:00 +0000", Some(951_868_800)),
            ("Thu, 1 Foo 1970 00:00:00 +0000", None),
            ("Thu, 1 Jan 99999999999 00:00:00 +0000", None),
            ("", None),
        ];
        for (text, seconds) in cases {
            assert_eq!(parse_date(text), seconds, "{text}");
        }
    }

    #[test]
    fn encoded_words_are_joined_and_foreign_ones_stay() {
        assert_eq!(decode_words("a =?UTF-8?q?b=C3=A4?= =?utf-8?Q?_c?= d"), "a bä c d");
        assert_eq!(decode_words("=?ISO-8859-1?B?YQ==?= =?x"), "=?ISO-8859-1?B?YQ==?= =?x");
        assert_eq!(decode_words("=?UTF-8?q?=ZZ?="), "=?UTF-8?q?=ZZ?=");
    }
}
