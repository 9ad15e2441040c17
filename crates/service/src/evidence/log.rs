//! What a command prints: its digest, its size and its last lines, in little memory however much it is.

use review::digest::Digesting;
use review::text::{shorten, visible_line};

use super::record::LogV1;

/// How many lines are kept.
const LAST_LINES: usize = 40;

/// How many bytes of a line are kept.
const LINE_BYTES: usize = 400;

/// How many bytes are looked at for the last lines. More than are kept, so that a secret over several lines is seen whole.
const WINDOW_BYTES: usize = 64 * 1024;

/// Takes what is printed as it comes.
#[derive(Debug, Default)]
pub(super) struct Log {
    digest: Digesting,
    bytes: u64,
    end: Vec<u8>,
}

impl Log {
    /// The next piece.
    pub(super) fn take(&mut self, piece: &[u8]) {
        self.digest.update(piece);
        self.bytes += piece.len() as u64;
        self.end.extend_from_slice(piece);
        if self.end.len() > 2 * WINDOW_BYTES {
            self.end.drain(..self.end.len() - WINDOW_BYTES);
        }
    }

    /// How many bytes came so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What is recorded of it, and how many places of it were redacted.
    pub(super) fn recorded(&self, complete: bool, secrets: &[String]) -> (LogV1, usize) {
        let (last_lines, redacted) = self.last_lines(secrets);
        (LogV1 { digest: self.digest.clone().finish(), bytes: self.bytes, complete, last_lines }, redacted)
    }

    fn last_lines(&self, secrets: &[String]) -> (Vec<String>, usize) {
        let window = &self.end[self.end.len().saturating_sub(WINDOW_BYTES)..];
        // What begins in the middle could be the rest of a secret.
        let whole = match window.len() as u64 == self.bytes {
            true => window,
            false => window.iter().position(|byte| *byte == b'\n').map_or(&[][..], |at| &window[at + 1..]),
        };
        let text = without_escapes(&String::from_utf8_lossy(whole));
        let (text, redacted) = redact(&text, secrets);
        let lines: Vec<&str> = text.trim_end_matches('\n').split('\n').collect();
        let kept = &lines[lines.len().saturating_sub(LAST_LINES)..];
        let shown = |line: &&str| shorten(&visible_line(line.trim_end_matches('\r')), LINE_BYTES);
        let kept: Vec<String> = kept.iter().map(shown).collect();
        (if text.is_empty() { Vec::new() } else { kept }, redacted)
    }
}

/// Takes out values that are known to be secret, and what looks like a secret.
pub(super) fn redact(text: &str, secrets: &[String]) -> (String, usize) {
    let mut text = text.to_owned();
    let mut count = 0;
    for secret in secrets {
        let found = text.matches(secret.as_str()).count();
        if found > 0 {
            count += found;
            text = text.replace(secret.as_str(), "[redacted:environment]");
        }
    }
    let (text, found) = rules::redact_text(&text);
    (text, count + found)
}

/// Leaves out what moves a terminal's cursor or colours it, so that nothing is hidden in between.
fn without_escapes(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != '\u{1b}' {
            kept.push(character);
            continue;
        }
        match rest.next() {
            Some('[') => drop(rest.find(|character| matches!(character, '\u{40}'..='\u{7e}'))),
            Some(']') => drop(rest.find(|character| matches!(character, '\u{7}' | '\u{9c}' | '\\' | '\n'))),
            Some(_) | None => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use review::Digest;

    use super::*;

    fn taken(pieces: &[&[u8]]) -> Log {
        let mut log = Log::default();
        for piece in pieces {
            log.take(piece);
        }
        log
    }

    #[test]
    fn the_digest_is_of_all_and_the_lines_are_the_last() {
        let text: String = (0..100_000).map(|line| format!("line {line}\n")).collect();
        let pieces: Vec<&[u8]> = text.as_bytes().chunks(1_000).collect();
        let log = taken(&pieces);
        assert!(log.end.len() <= 2 * WINDOW_BYTES);
        let (recorded, redacted) = log.recorded(true, &[]);
        assert_eq!((recorded.digest, recorded.bytes), (Digest::of(text.as_bytes()), text.len() as u64));
        assert_eq!(recorded.last_lines.len(), LAST_LINES);
        assert_eq!(recorded.last_lines.last().map(String::as_str), Some("line 99999"));
        assert_eq!(redacted, 0);
        assert_eq!(taken(&[]).last_lines(&[]).0, Vec::<String>::new());
        assert_eq!(taken(&[b"a\r\n\nb"]).last_lines(&[]).0, ["a", "", "b"]);
    }

    #[test]
    fn a_line_without_an_end_is_not_kept_from_its_middle() {
        let log = taken(&[&[b'x'; 3 * WINDOW_BYTES], b"SECRET-TAIL"]);
        assert_eq!(log.last_lines(&[]).0, Vec::<String>::new());
        let log = taken(&[&[b'x'; 3 * WINDOW_BYTES], b"\nshown"]);
        assert_eq!(log.last_lines(&[]).0, ["shown"]);
    }

    #[test]
    fn secrets_are_taken_out_and_hidden_characters_shown() {
        let token = format!("ghp_{}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8");
        let log = format!(
            "token {token}\nmine is swordfish-42\n\u{1b}[31mred\u{1b}[0m \u{202e}x\nsword\u{1b}[1mfish-42\n"
        );
        let (lines, redacted) = taken(&[log.as_bytes()]).last_lines(&["swordfish-42".to_owned()]);
        let shown = lines.join("\n");
        assert!(!shown.contains(&token) && !shown.contains("swordfish"), "{shown}");
        assert!(shown.contains("red \\u{202e}x"), "{shown}");
        assert!(redacted >= 3, "{redacted}");
    }
}
