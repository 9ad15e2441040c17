//! Private keys in PEM's armour: blocks of lines, or one line with its line feeds escaped.

use std::collections::BTreeSet;
use std::ops::Range;

use super::value::entropy;

/// A piece of a key: the part of one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The line, from 0.
    pub(super) line: usize,
    /// The key's text in it.
    pub(super) bytes: Range<usize>,
    /// The line of the block's first mark.
    pub(super) starts_at: usize,
}

/// The least of a key's text, in characters: an Ed25519 key in PKCS #8 has 64. Less is a test for the mark.
const MIN_KEY_CHARACTERS: usize = 40;

/// The least of its entropy, in bits a character: the head of a key alone has 3.8, and one of nothing but zeros 2.
const MIN_ENTROPY: f32 = 3.0;

/// Finds the keys round the lines that hold a mark. Of a diff only a part of the block may be there.
pub(super) fn blocks(lines: &[&str], markers: &[usize]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut known: BTreeSet<usize> = BTreeSet::new();
    for &marker in markers {
        let line = lines[marker];
        let Some(mark) = mark_in(line) else { continue };
        let mut block = match mark {
            Mark::Begin { end } => below(lines, marker, end),
            Mark::End => above(lines, marker),
        };
        let size: usize = block.iter().map(|part| part.bytes.len()).sum();
        let text: Vec<u8> =
            block.iter().flat_map(|part| lines[part.line][part.bytes.clone()].bytes()).collect();
        if size >= MIN_KEY_CHARACTERS && entropy(&text) >= MIN_ENTROPY {
            block.retain(|part| known.insert(part.line));
            parts.append(&mut block);
        }
    }
    parts
}

enum Mark {
    Begin { end: usize },
    End,
}

/// Finds `-----BEGIN … PRIVATE KEY-----` or the `END` of it.
fn mark_in(line: &str) -> Option<Mark> {
    if let Some(start) = line.find("-----BEGIN ") {
        let rest = &line[start + "-----BEGIN ".len()..];
        let name = rest.find("-----")?;
        return rest[..name]
            .contains("PRIVATE KEY")
            .then_some(Mark::Begin { end: start + "-----BEGIN ".len() + name + "-----".len() });
    }
    line.contains("-----END ").then_some(Mark::End)
}

/// The key behind a `BEGIN`: in its line if anything of it is there, else in the lines below.
fn below(lines: &[&str], marker: usize, from: usize) -> Vec<Part> {
    let line = lines[marker];
    let rest = &line[from..];
    let until = from + rest.find("-----END").unwrap_or(rest.len());
    let inline = trimmed(line, from..until);
    if inline.len() >= MIN_KEY_CHARACTERS && line[inline.clone()].bytes().all(is_armour_or_escape) {
        return vec![Part { line: marker, bytes: inline, starts_at: marker }];
    }
    let mut parts = Vec::new();
    for (number, line) in lines.iter().enumerate().skip(marker + 1) {
        if line.contains("-----") {
            break;
        }
        match body(line) {
            Body::Armour(bytes) => parts.push(Part { line: number, bytes, starts_at: marker }),
            Body::Header => {}
            Body::Other => break,
        }
    }
    parts
}

/// The key before an `END` whose `BEGIN` the diff does not show.
fn above(lines: &[&str], marker: usize) -> Vec<Part> {
    let mut parts = Vec::new();
    for (number, line) in lines[..marker].iter().enumerate().rev() {
        match body(line) {
            Body::Armour(bytes) => parts.push(Part { line: number, bytes, starts_at: number }),
            Body::Header => {}
            Body::Other => break,
        }
    }
    let first = parts.last().map(|part| part.line);
    for part in &mut parts {
        part.starts_at = first.unwrap_or(part.line);
    }
    parts
}

enum Body {
    Armour(Range<usize>),
    Header,
    Other,
}

/// What a line inside a block is. Quotes, comment marks and escaped line feeds round the armour are left out.
fn body(line: &str) -> Body {
    let bytes = trimmed(line, 0..line.len());
    if bytes.is_empty() {
        return Body::Header;
    }
    let text = &line[bytes.clone()];
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')) {
        return Body::Armour(bytes);
    }
    let is_header = ["Proc-Type:", "DEK-Info:", "Comment:", "Version:", "Hash:"]
        .into_iter()
        .any(|header| text.starts_with(header));
    if is_header { Body::Header } else { Body::Other }
}

fn trimmed(line: &str, within: Range<usize>) -> Range<usize> {
    let text = &line[within.clone()];
    let without_front = text.trim_start_matches([' ', '\t', '"', '\'', '`', '*', '#', '|', '>']);
    let without_front = without_front.trim_start_matches("\\r").trim_start_matches("\\n");
    let mut kept = without_front;
    loop {
        let shorter = kept
            .trim_end_matches([' ', '\t', '\r', '"', '\'', '`', ',', ';', '\\', ')'])
            .trim_end_matches("\\n")
            .trim_end_matches("\\r");
        let shorter = shorter.strip_suffix(" +").or(shorter.strip_suffix(" .")).unwrap_or(shorter);
        if shorter.len() == kept.len() {
            break;
        }
        kept = shorter;
    }
    let start = within.start + (text.len() - without_front.len());
    start..start + kept.len()
}

fn is_armour_or_escape(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\\' | b' ' | b'"' | b'\'' | b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARMOUR: &str = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAA";

    fn begin() -> String {
        ["-----BEGIN OPENSSH ", "PRIVATE KEY-----"].concat()
    }

    fn end() -> String {
        ["-----END OPENSSH ", "PRIVATE KEY-----"].concat()
    }

    fn check(text: &str, expected: &[usize]) {
        let lines: Vec<_> = text.lines().collect();
        let markers: Vec<_> =
            (0..lines.len()).filter(|number| lines[*number].contains("PRIVATE KEY-----")).collect();
        let parts = blocks(&lines, &markers);
        let mut found: Vec<_> = parts.iter().map(|part| part.line).collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{text}");
        assert!(parts.iter().all(|part| !lines[part.line][part.bytes.clone()].contains('-')));
    }

    #[test]
    fn a_block_is_found_whole_or_in_part() {
        check(&format!("x\n{}\n{ARMOUR}\n{ARMOUR}\nAAA=\n{}\ny", begin(), end()), &[2, 3, 4]);
        check(&format!("{}\nProc-Type: 4,ENCRYPTED\n\n{ARMOUR}\n", begin()), &[3]);
        check(&format!("{ARMOUR}\n{ARMOUR}\n{}\n", end()), &[0, 1]);
    }

    #[test]
    fn a_block_inside_program_text_is_found() {
        check(&format!("key = \"{}\\n\" +\n  \"{ARMOUR}\\n\" +\n  \"{}\\n\";", begin(), end()), &[1]);
        check(&format!("\"private_key\": \"{}\\n{ARMOUR}\\n{ARMOUR}\\n{}\\n\",", begin(), end()), &[0]);
    }

    #[test]
    fn a_mark_without_a_key_is_nothing() {
        check(&format!("if line == \"{}\" {{\n    return parse(line);\n}}", begin()), &[]);
        check(&format!("{}\n...\n{}", begin(), end()), &[]);
        check(&format!("{}\nMC4CAQAwBQYDK2Vw{}\n{}", begin(), "A".repeat(48), end()), &[]);
    }
}
