//! Prompts with places for input: whether what is put there can be told from the orders round it.

use std::sync::LazyLock;

use regex::Regex;
use review::Severity;

use crate::new_side::{AddedLines, Found};

use super::table;

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a test compiles it")
}

/// A place for input whose name says that somebody else wrote it.
static INPUT: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?xi)\{\{[{-]?\s*(?:\w+\.)*(?:\w*_)?(?:issue|comment|email|mail|page|html|webpage|web_page|website|article|transcript|diff|patch|readme|log|logs|search_results?|tool_(?:output|result)|fetched|scraped|document|documents|pr|pull_request|ticket|review|feedback|attachment|untrusted|user_(?:input|message|query|content|text))(?:_(?:body|text|title|content|contents|description|html|data))?(?:\.\w+)*\s*(?:\|[^}]*)?[}-]?\}\}",
    )
});

/// What separates input from orders: a fence, a tag, a line of marks, JSON.
static FENCE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"^\s*(?:```|~~~|"""|'''|</?[A-Za-z][\w-]*[^>]*>|<\|[\w]+\|>|[=\-#*_]{3,}|\{%|\[[A-Z_ ]+\]|<<<|>>>|BEGIN\b|END\b|--- )"#,
    )
});

/// How far from the place a fence may be, in lines.
const NEARBY: usize = 6;

/// Looks for input without a fence in the lines of a template.
pub(super) fn check(lines: &[(u32, &str)], added: &AddedLines<'_>, found: &mut Found<'_>) {
    for (index, &(number, line)) in lines.iter().enumerate() {
        if added.get(number).is_none() || line.len() > 2_000 {
            continue;
        }
        let Some(input) = INPUT.find(line) else { continue };
        let (before, after) = (&line[..input.start()], &line[input.end()..]);
        let marks = |text: &str| text.contains(['<', '>', '`', '"', '«', '»']) || text.contains("tojson");
        // `Title: {{ … }}` on a line of its own is a label, not a fence.
        let fenced_here = (marks(before) && marks(after)) || input.as_str().contains("json");
        let is_fence = |&(_, line): &(u32, &str)| FENCE.is_match(line);
        let above = lines[index.saturating_sub(NEARBY)..index].iter().any(is_fence);
        let below = lines[index + 1..(index + 1 + NEARBY).min(lines.len())].iter().any(is_fence);
        if !(fenced_here || (above && below)) {
            let body = format!("`{}` has no mark before and behind it.", input.as_str());
            found.at(&table::UNFENCED_INPUT, Severity::Low, number, input.start(), &body);
        }
    }
}

/// Interpolation into a message of the system.
static SYSTEM_MESSAGE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"(?xi)["']?role["']?\s*[:=]\s*["'](?:system|developer)["']\s*,\s*["']?content["']?\s*[:=]\s*
        (?: f["'][^"'\n]*\{\s*(?P<py>(?:\w+\.)*\w+)[^"'\n]*["'] | `[^`\n]*\$\{\s*(?P<js>(?:\w+\.)*\w+)[^`\n]*` )"#,
    )
});

/// Names of what somebody else wrote.
static FOREIGN: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)^(?:\w*_)?(?:user_?(?:input|message|query|prompt|text|content)|input|query|question|message|body|comment|issue|title|page|html|document|content|text|diff|email|transcript)$",
    )
});

/// Names of what somebody else certainly wrote, whatever the prompt is for: who is asked a question is given the question.
static SURELY_FOREIGN: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)^(?:\w*_)?(?:user_?(?:input|message|content)|comment|issue|page|html|document|diff|email|transcript)(?:_?(?:body|text|title|content|html))?$",
    )
});

/// Whether a name says that somebody else wrote what it stands for.
pub(super) fn is_foreign(name: &str) -> bool {
    FOREIGN.is_match(name)
}

/// Whether it says so beyond doubt.
pub(super) fn is_surely_foreign(name: &str) -> bool {
    SURELY_FOREIGN.is_match(name)
}

/// Whether a path is of an error, whose message is the program's own.
pub(super) fn is_of_an_error(path: &str) -> bool {
    let owner = path.rsplit_once('.').map_or("", |(owner, _)| owner);
    matches!(owner, "e" | "err" | "error" | "ex" | "exc" | "exception")
}

/// Whether what is filled into a line of a text stands between marks: in the line, or above and below it.
pub(super) fn is_fenced(lines: &[(u32, &str)], number: u32, name: &str) -> bool {
    let Some(index) = lines.iter().position(|(line, _)| *line == number) else { return false };
    let is_fence = |&(_, line): &(u32, &str)| FENCE.is_match(line);
    let marks = |text: &str| text.contains(['<', '>', '`', '"', '«', '»']);
    let line = lines[index].1;
    let fenced_here = line.find(name).is_some_and(|at| marks(&line[..at]) && marks(&line[at..]));
    let above = lines[index.saturating_sub(NEARBY)..index].iter().any(is_fence);
    fenced_here || (above && lines[index + 1..(index + 1 + NEARBY).min(lines.len())].iter().any(is_fence))
}

/// Reports input without a fence in a prompt of a program.
pub(super) fn unfenced(number: u32, name: &str, severity: Severity, found: &mut Found<'_>) {
    let body =
        format!("`{}` goes into the prompt with no mark before and behind it.", review::text::visible(name));
    found.at(&table::UNFENCED_INPUT, severity, number, 0, &body);
}

/// Looks for input that a program puts into a message of the system.
pub(super) fn code(added: &AddedLines<'_>, found: &mut Found<'_>) {
    for line in added.iter().filter(|line| line.text.len() < 2_000) {
        let Some(message) = SYSTEM_MESSAGE.captures(line.text) else { continue };
        let name = message.name("py").or_else(|| message.name("js"));
        let foreign =
            |name: &str| is_foreign(name.rsplit('.').next().unwrap_or(name)) && !is_of_an_error(name);
        if let Some(name) = name.filter(|name| foreign(name.as_str())) {
            let body = format!("`{}` goes into the message of the system itself.", name.as_str());
            found.at(&table::UNFENCED_INPUT, Severity::Medium, line.number, name.start(), &body);
        }
    }
}
