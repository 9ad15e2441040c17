//! What instructions say: orders that stop checks, that contradict each other or stand twice, placeholders that nobody
//! filled in, and orders in comments that only a model sees.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;
use review::Severity;

use crate::new_side::{AddedLines, Found};

use super::table;

/// Longer lines are not read word by word.
const MAX_LINE_BYTES: usize = 2_000;

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a test compiles it")
}

/// Orders to leave out what would find a mistake.
static CHECKS_OFF: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?xi)(?:--no-verify\b | \bHUSKY=0\b | \bSKIP=\w+ | --no-gpg-sign\b
        | \b(?:skip|disable|turn\s+off|bypass|ignore|suppress|silence)\s+(?:all\s+|any\s+|the\s+|failing\s+|these\s+)*
            (?:pre-?commit\s+hooks?|git\s+hooks?|(?:unit\s+|integration\s+|failing\s+)?tests?|lint(?:ers?|ing)?|type[\s-]?check(?:s|ing|er)?|security\s+(?:checks?|scans?|warnings?|reviews?)|code\s+review|eslint|ruff|clippy|mypy|safety\s+checks?)\b
        | \b(?:do\s+not|don'?t|never)\s+(?:run|execute|write|add)\s+(?:the\s+|any\s+)?(?:tests?|lint(?:ers?|ing)?|type[\s-]?checks?|pre-?commit|security\s+(?:checks?|scans?))\b(?:\s*$|\s*[.,;])
        | \b(?:commit|push|merge|delete|run|execute|install|deploy|proceed|edit|apply|publish)\b[^.;]{0,40}\bwithout\s+(?:asking|confirmation|permission|approval)\b
        | \b(?:do\s+not|don'?t|never)\s+ask\s+(?:me\s+|the\s+user\s+)?(?:for\s+)?(?:permission|confirmation|approval)\b
        | (?:^|[.!?]\s+|[-*]\s+)(?:always|automatically)\s+(?:approve|accept|merge|push\s+to\s+main|force[\s-]push)\b
        | \badd\s+`?(?:\#\s*type:\s*ignore|//\s*@ts-ignore|\#\s*noqa|eslint-disable)\b )",
    )
});

/// What makes such an order its opposite, or a description.
static NEGATED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?xi)(?:\b(?:never|do\s+\**not\**|don['’]?t|must\s+\**not\**|should\s+not|cannot|can't|avoid|forbidden|prohibited|no|not|without|instead\s+of|refuse\s+to|unless|if\s+you|if|when|to|or|and|only|wrong|bad|anti-?pattern|❌|✗)\b|❌|✗)[^.;!?]{0,60}$",
    )
});

/// Text that was meant to be replaced.
static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?x)\{\{\s*[A-Za-z_][\w .-]{0,40}\}\} | \[(?:INSERT|YOUR|ADD|FILL\ IN|REPLACE|TODO)\b[^\]]{0,60}\](?:[^(]|$) | <(?:YOUR|INSERT|PROJECT|REPLACE)[_\ -][A-Z_\ -]{2,40}> | \b(?:lorem\ ipsum|CHANGEME|REPLACE_ME|FILL_ME_IN)\b",
    )
});

/// Words of an order.
static ORDER: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)\b(?:must|always|never|do not|don't|ignore|instead|you (?:are|should|will)|agents?|assistant|reviewers?|model|approve|silently|secretly|before (?:answering|responding))\b",
    )
});

/// `Always X`, `Never X`.
static ABSOLUTE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)^\W*(?:\*\*)?(?:(?:you\s+)?(always|must\s+not|must|should\s+not|should|do\s+not|don'?t|never|avoid|prefer|use))\b[\s:*]*(.{6,200})$",
    )
});

/// Whether everything in a file is an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Orders {
    /// It is.
    All,
    /// Much of it is there to be looked up.
    Some,
}

/// Looks at the lines of instructions. `lines` are those of the whole file, or those that the change adds.
///
/// What stands twice, or for and against, only counts in `orders`: the same sentence may be right on two pages of a manual.
pub(super) fn check(lines: &[(u32, &str)], orders: Orders, added: &AddedLines<'_>, found: &mut Found<'_>) {
    let mut in_code = false;
    let mut in_comment: Option<u32> = None;
    let mut said: HashMap<String, u32> = HashMap::new();
    let mut absolutes: HashMap<String, (Stance, u32)> = HashMap::new();
    for &(number, line) in lines {
        let trimmed = line.trim();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            in_code = !in_code;
            continue;
        }
        let is_new = added.get(number).is_some();
        if line.len() > MAX_LINE_BYTES {
            continue;
        }
        hidden_comment(number, line, in_code, &mut in_comment, found);
        if is_new {
            checks_off(number, line, found);
        }
        if in_code || trimmed.starts_with('|') {
            continue;
        }
        if is_new {
            placeholder(number, line, found);
        }
        if orders == Orders::All {
            repeated(number, trimmed, &mut said, added, found);
            contradicted(number, trimmed, &mut absolutes, added, found);
        }
    }
}

/// Looks at the lines of a prompt that stands in a program: for orders that stop checks, and for and against.
pub(super) fn check_prompt(lines: &[(u32, &str)], added: &AddedLines<'_>, found: &mut Found<'_>) {
    let mut absolutes: HashMap<String, (Stance, u32)> = HashMap::new();
    for &(number, line) in lines.iter().filter(|(_, line)| line.len() <= MAX_LINE_BYTES) {
        if added.get(number).is_some() {
            checks_off(number, line, found);
        }
        contradicted(number, line.trim(), &mut absolutes, added, found);
    }
}

fn checks_off(number: u32, line: &str, found: &mut Found<'_>) {
    for order in CHECKS_OFF.find_iter(line) {
        if !NEGATED.is_match(&line[..order.start()]) && !quoted_as_bad(&line[order.end()..]) {
            let body = format!("“{}”", order.as_str().trim());
            found.at(
                &table::CHECKS_OFF,
                Severity::Medium,
                number,
                order.start(),
                &format!("The order is {body}."),
            );
            return;
        }
    }
}

/// `--no-verify` is forbidden: the judgement comes behind.
fn quoted_as_bad(after: &str) -> bool {
    let after = after.to_ascii_lowercase();
    ["forbidden", "not allowed", "prohibited", "never", "is wrong", "unless", "❌"]
        .iter()
        .any(|word| after.contains(word))
}

fn placeholder(number: u32, line: &str, found: &mut Found<'_>) {
    let Some(text) = PLACEHOLDER.find(line) else { return };
    // In a span of code it is an example of syntax.
    if line[..text.start()].matches('`').count() % 2 == 1 {
        return;
    }
    let body = format!("`{}` is what a model reads here.", text.as_str().trim());
    found.at(&table::PLACEHOLDER, Severity::Low, number, text.start(), &body);
}

fn hidden_comment(number: u32, line: &str, in_code: bool, open: &mut Option<u32>, found: &mut Found<'_>) {
    if in_code {
        return;
    }
    let inside = match (*open, line.find("<!--")) {
        (Some(_), _) => line,
        (None, Some(start)) => {
            *open = Some(number);
            &line[start + 4..]
        }
        (None, None) => return,
    };
    let (text, closes) = match inside.find("-->") {
        Some(end) => (&inside[..end], true),
        None => (inside, false),
    };
    // Marks of tools are no sentences.
    let words = text.split_whitespace().count();
    if words >= 4 && ORDER.is_match(text) {
        let body = "Whoever looks at the rendered page does not see it.";
        found.at(&table::HIDDEN_ORDER, Severity::Medium, number, 0, body);
    }
    if closes {
        *open = None;
    }
}

fn repeated(
    number: u32,
    line: &str,
    said: &mut HashMap<String, u32>,
    added: &AddedLines<'_>,
    found: &mut Found<'_>,
) {
    let words: Vec<String> = words_of(line);
    if words.len() < 8 {
        return;
    }
    let key = words.join(" ");
    match said.get(&key) {
        Some(&first) => {
            let (new, other) = if added.get(number).is_some() { (number, first) } else { (first, number) };
            let body = format!("Line {other} says the same.");
            found.at(&table::REPEATED, Severity::Low, new, 0, &body);
        }
        None => {
            said.insert(key, number);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stance {
    For,
    Against,
}

fn contradicted(
    number: u32,
    line: &str,
    absolutes: &mut HashMap<String, (Stance, u32)>,
    added: &AddedLines<'_>,
    found: &mut Found<'_>,
) {
    let Some(order) = ABSOLUTE.captures(line) else { return };
    let verb = order[1].to_ascii_lowercase();
    let stance = match verb.split_whitespace().last() {
        Some("not" | "don't" | "dont" | "never" | "avoid") => Stance::Against,
        _ => Stance::For,
    };
    // “Always use tabs” and “Use tabs” are one order.
    let mut words = words_of(&order[2]);
    if matches!(words.first().map(String::as_str), Some("use" | "using" | "run" | "running")) {
        words.remove(0);
    }
    words.truncate(6);
    if words.len() < 2 {
        return;
    }
    let key = words.join(" ");
    match absolutes.get(&key) {
        Some(&(other, first)) if other != stance => {
            let (new, old) = if added.get(number).is_some() { (number, first) } else { (first, number) };
            let body = format!("Line {old} says the opposite.");
            found.at(&table::CONTRADICTION, Severity::Medium, new, 0, &body);
        }
        Some(_) => {}
        None => {
            absolutes.insert(key, (stance, number));
        }
    }
}

fn words_of(line: &str) -> Vec<String> {
    line.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '.')))
        .map(|word| word.trim_matches('.').to_lowercase())
        .filter(|word| !word.is_empty())
        .collect()
}
