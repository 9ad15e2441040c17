//! Looks for secrets in lines: keywords first, then the shape round each, within a budget.

use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::AhoCorasick;
use regex::bytes::{Regex, RegexBuilder};

use super::format::{Format, Shape};
use super::value::{Quoting, Verdict, judge};
use super::{name, private_key, redact, table};
use crate::place;

/// A secret in a list of lines.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    /// The line that holds it, from 0.
    pub(super) line: usize,
    /// Where in the line; both ends are borders of characters.
    pub(super) bytes: Range<usize>,
    /// What it is.
    pub(super) format: &'static Format,
    /// Its place in the table behind blocks, which are 0: of two that overlap the lower one names the secret.
    rank: usize,
    /// [`Verdict::Doubtful`] where its checksum does not fit.
    pub(super) verdict: Verdict,
    /// The line where the block starts that this is part of; `line` itself for what is no block.
    pub(super) starts_at: usize,
}

/// What was found in a list of lines.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The secrets, by line and place; they do not overlap.
    pub(super) hits: Vec<Hit>,
    /// The lines that would take more work than lines may. Nothing in them is among the hits.
    pub(super) unscanned: Vec<usize>,
}

/// How many bytes of a line the shapes may be tried on.
///
/// Each keyword has its shapes tried on what stands behind it, so a line of nothing but keywords costs its length
/// times their reach. Ordinary source needs less than one and a half times its length. The budget is each line's own,
/// so that what is found in a line depends on nothing else.
const BUDGET_FIXED: usize = 8 * 1024;
const BUDGET_PER_BYTE: usize = 20;

/// Looks for secrets in lines that stand one below the other.
pub(super) fn scan(lines: &[&str]) -> Scan {
    let scanner = &*SCANNER;
    let mut scan = Scan::default();
    let mut markers = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        scanner.scan_line(number, line, &mut scan, &mut markers);
    }
    let block = scanner.formats.iter().find(|format| matches!(format.shape, Shape::Block));
    if let Some(format) = block.filter(|_| !markers.is_empty()) {
        let blocks = private_key::blocks(lines, &markers);
        let unscanned = &scan.unscanned;
        let parts = blocks.into_iter().filter(|part| unscanned.binary_search(&part.line).is_err());
        scan.hits.extend(parts.map(|part| Hit {
            line: part.line,
            bytes: part.bytes,
            format,
            rank: 0,
            verdict: Verdict::Likely,
            starts_at: part.starts_at,
        }));
        merge_overlaps(&mut scan.hits);
    }
    scan
}

/// Built at the first look; the shapes are compiled when one of their keywords is met for the first time.
static SCANNER: LazyLock<Scanner> = LazyLock::new(Scanner::new);

struct Scanner {
    formats: Vec<&'static Format>,
    shapes: Vec<OnceLock<Regex>>,
    keywords: AhoCorasick,
    /// For each keyword the formats that it announces.
    announced: Vec<Vec<usize>>,
}

impl Scanner {
    fn new() -> Self {
        let formats: Vec<_> = table::all().collect();
        let (mut keywords, mut announced) = (Vec::<&str>::new(), Vec::<Vec<usize>>::new());
        for (index, format) in formats.iter().enumerate() {
            for keyword in format.keywords {
                match keywords.iter().position(|known| known == keyword) {
                    Some(at) => announced[at].push(index),
                    None => {
                        keywords.push(keyword);
                        announced.push(vec![index]);
                    }
                }
            }
        }
        let shapes = formats.iter().map(|_| OnceLock::new()).collect();
        let keywords = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(&keywords)
            .expect("a few hundred short keywords make an automaton");
        Self { formats, shapes, keywords, announced }
    }

    fn shape(&self, index: usize) -> &Regex {
        self.shapes[index].get_or_init(|| {
            let pattern = pattern_of(self.formats[index]);
            // Bytes without Unicode tables: a tenth of the size, and tokens are ASCII.
            RegexBuilder::new(&pattern).unicode(false).build().expect("the table's patterns are tested")
        })
    }

    fn scan_line(&self, number: usize, line: &str, scan: &mut Scan, markers: &mut Vec<usize>) {
        let mut found: Vec<Hit> = Vec::new();
        let mut budget = BUDGET_FIXED + line.len() * BUDGET_PER_BYTE;
        let redacted = redact::marks(line);
        for keyword in self.keywords.find_overlapping_iter(line) {
            for &index in &self.announced[keyword.pattern().as_usize()] {
                let format = self.formats[index];
                if matches!(format.shape, Shape::Block) {
                    if markers.last() != Some(&number) {
                        markers.push(number);
                    }
                    continue;
                }
                let Some(look) = Look::at(format, line, keyword.range()) else { continue };
                let Some(left) = budget.checked_sub(look.to - look.from) else {
                    scan.unscanned.push(number);
                    return;
                };
                budget = left;
                if let Some((bytes, verdict)) = look.for_secret(self.shape(index), format, line)
                    && !redacted.iter().any(|mark| overlap(mark, &bytes))
                {
                    found.push(Hit {
                        line: number,
                        bytes,
                        format,
                        rank: index + 1,
                        verdict,
                        starts_at: number,
                    });
                }
            }
        }
        merge_overlaps(&mut found);
        scan.hits.append(&mut found);
    }
}

/// The stretch of a line that a shape is tried on, at its start only.
struct Look {
    from: usize,
    to: usize,
}

impl Look {
    /// `None` where the shape cannot be: inside a word, or in a name that says that it holds something else.
    fn at(format: &Format, line: &str, keyword: Range<usize>) -> Option<Self> {
        let bytes = line.as_bytes();
        let (from, possible) = match format.shape {
            Shape::Token(_) => {
                let from = keyword.start - lead(bytes, keyword.start, format.lead);
                (from, is_border(&bytes[..from]))
            }
            Shape::Issuer(_) => {
                (keyword.end, name::is_word(bytes, &keyword) && name::is_assigned(&bytes[keyword.end..]))
            }
            Shape::Assigned(_) => {
                let is_assigned = name::is_assigned(&bytes[keyword.end..]);
                (keyword.end, is_assigned && name::is_of_a_secret(bytes, &keyword))
            }
            Shape::Within(_) | Shape::Block => (keyword.start, true),
        };
        if !possible {
            return None;
        }
        let to = bytes.len().min(from + format.reach);
        let to = match format.shape {
            Shape::Token(_) => from + bytes[from..to].iter().take_while(|byte| is_shape_byte(**byte)).count(),
            Shape::Issuer(_) | Shape::Assigned(_) | Shape::Within(_) | Shape::Block => to,
        };
        Some(Self { from, to })
    }

    fn for_secret(&self, shape: &Regex, format: &Format, line: &str) -> Option<(Range<usize>, Verdict)> {
        let bytes = line.as_bytes();
        let found = shape.captures(&bytes[self.from..self.to])?;
        let secret = found.name("secret").or_else(|| found.get(0))?;
        let mut range = self.from + secret.start()..self.from + secret.end();
        if range.end == self.to {
            // The stretch ended before the secret did.
            range.end += bytes[range.end..].iter().take_while(|byte| is_token_byte(**byte)).count();
        } else if matches!(format.shape, Shape::Token(_) | Shape::Issuer(_) | Shape::Assigned(_))
            && goes_on(bytes[range.end - 1])
            && bytes[range.end].is_ascii_alphanumeric()
        {
            // It is a piece of something longer.
            return None;
        }
        // What stands in a header or an address is as little a name of the program as what is quoted.
        let quoted = matches!(format.shape, Shape::Within(_))
            || (range.start > 0 && matches!(bytes[range.start - 1], b'"' | b'\'' | b'`'));
        let quoting = if quoted { Quoting::Quoted } else { Quoting::Bare };
        // What is called is no value: `token = next_token2(input)`.
        let is_called = quoting == Quoting::Bare && bytes.get(range.end) == Some(&b'(');
        match judge(format, &bytes[range.clone()], quoting) {
            Verdict::No => None,
            _ if is_called => None,
            verdict => Some((place::floor(line, range.start)..place::ceil(line, range.end), verdict)),
        }
    }
}

/// What stands between the end of a name and the value that is assigned to it, in the notations of programs, shells
/// and data: `_PROD" : "`, `: &str = "`, `="`, ` => '`, `>`, `("`.
const ASSIGNMENT: &str = concat!(
    r#"[A-Za-z0-9_.-]{0,40}["'\])]{0,3}[ \t]{0,8}"#,
    r"(?::[ \t]{0,2}[&A-Za-z<>\[\]?']{2,24}[ \t]{0,3})?",
    r#"(?:=>|:{1,3}=|\?=|={1,3}|[:>(]|,[ \t]{0,4}["'`])[ \t]{0,8}"#,
    r#"(?:[A-Za-z]{0,2}\\{0,2}["'`]{1,3}|\\n)?"#,
);

fn pattern_of(format: &Format) -> String {
    match format.shape {
        Shape::Token(pattern) | Shape::Within(pattern) => format!(r"\A(?:{pattern})"),
        Shape::Issuer(value) | Shape::Assigned(value) => format!(r"\A{ASSIGNMENT}(?P<secret>{value})"),
        Shape::Block => String::new(),
    }
}

/// How many bytes before a keyword are part of its token.
fn lead(bytes: &[u8], keyword: usize, most: usize) -> usize {
    (1..=most.min(keyword))
        .take_while(|back| {
            let before = &bytes[..keyword + 1 - back];
            before.last().is_some_and(|byte| is_token_byte(*byte)) && !ends_in_escape(before)
        })
        .count()
}

/// Whether a byte is in any token's shape: the bytes that tokens are made of, and what some hold besides.
fn is_shape_byte(byte: u8) -> bool {
    is_token_byte(byte) || matches!(byte, b'$' | b'%' | b'|' | b':')
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'~' | b'+' | b'/' | b'=')
}

/// Whether a token that ends in this byte would hold the letter behind it too: all but padding is followed by more.
fn goes_on(last: u8) -> bool {
    is_token_byte(last) && last != b'='
}

/// Whether a token can start behind a text: not inside a word.
fn is_border(before: &[u8]) -> bool {
    before.last().is_none_or(|last| !last.is_ascii_alphanumeric()) || ends_in_escape(before)
}

/// Whether a text ends in what stands for another character: `\n`, `%3D`.
pub(super) fn ends_in_escape(text: &[u8]) -> bool {
    match text {
        [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., b'%', high, low] => high.is_ascii_hexdigit() && low.is_ascii_hexdigit(),
        _ => false,
    }
}

/// Sorts hits, and makes one of those that overlap: the specific format's, over all their bytes.
fn merge_overlaps(hits: &mut Vec<Hit>) {
    hits.sort_by_key(|hit| (hit.line, hit.bytes.start));
    hits.dedup_by(|later, kept| {
        if later.line != kept.line || !overlap(&later.bytes, &kept.bytes) {
            return false;
        }
        let bytes = kept.bytes.start..kept.bytes.end.max(later.bytes.end);
        if later.rank < kept.rank {
            *kept = later.clone();
        }
        kept.bytes = bytes;
        true
    });
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}
