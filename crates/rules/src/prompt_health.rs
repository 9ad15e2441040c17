//! What instructs a model: instructions and skills, settings of agents, prompts, and the lines of programs that speak to
//! one.

#[cfg(feature = "agnix")]
mod agnix;
mod grants;
mod kind;
mod literals;
mod orders;
mod references;
mod table;
mod templates;

use std::borrow::Cow;

use code::{Cost, language_of};
use review::change::{Content, Operation};
use review::engine::estimate_tokens;
use review::{FileChange, Lens, LineKind, Severity};

use crate::catalogue::RuleInfo;
use crate::claims::is_rehearsal;
use crate::new_side::{AddedLines, Found, whole_base, whole_head};
use crate::secrets::Redacted;
use crate::tree::{json, yaml};
use crate::{BINARY, Examined, Family, FileReport, FileView, Parsing, RuleOptions, Support};

pub(crate) use self::references::review_references;

use self::kind::Kind;
use self::orders::Orders;

/// The family.
pub(crate) const FAMILY: Family =
    Family { lens: Lens::PromptHealth, supports, reads_whole_files: true, review, catalogue };

const NOT_SUPPORTED: &str = "it instructs no model";

fn supports(file: &FileChange) -> Support {
    match (&file.content, file.operation) {
        (Content::Binary, _) => Support::NotSupported(BINARY),
        (_, Operation::Deleted) => Support::NotSupported("what it said is gone"),
        (
            Content::Text(_) | Content::Nothing,
            Operation::Added | Operation::Modified | Operation::Renamed | Operation::Copied,
        ) => match Kind::of(file) {
            Some(_) => Support::Supported,
            None => Support::NotSupported(NOT_SUPPORTED),
        },
    }
}

fn catalogue() -> Vec<RuleInfo> {
    let ours = table::RULES.into_iter();
    #[cfg(feature = "agnix")]
    let ours = ours.chain(agnix::RULES);
    ours.map(RuleInfo::from).collect()
}

/// Looks at what a change adds to a file that instructs a model.
fn review(
    view: &FileView<'_>,
    redacted: &Redacted<'_>,
    _options: &RuleOptions,
    report: &mut FileReport,
) -> Examined {
    let Some(kind) = Kind::of(view.file) else { return Examined::NotSupported(NOT_SUPPORTED.to_owned()) };
    let added = AddedLines::of(view.file, redacted);
    let mut found = Found::new(&added);
    let head = whole_head(view);
    let lines = lines_of(head.as_deref(), view.file);
    let mut examined = match kind {
        Kind::Instructions => {
            grants::unasked(&added, &mut found);
            let path = view.file.path.as_str();
            let orders = if Kind::is_all_orders(path) { Orders::All } else { Orders::Some };
            orders::check(&lines, orders, &added, &mut found);
            if let Some(head) = &head {
                front_matter(head, &mut found);
                fence(head, &mut found);
                size(view.file.path.file_name(), head, whole_base(view), &mut found);
            }
            Examined::All
        }
        Kind::Settings => {
            grants::unasked(&added, &mut found);
            settings(view, head.as_deref(), &mut found)
        }
        Kind::Script => {
            grants::unasked(&added, &mut found);
            Examined::All
        }
        Kind::Template => {
            templates::check(&lines, &added, &mut found);
            Examined::All
        }
        Kind::Code => {
            templates::code(&added, &mut found);
            program(view, &added, &mut found, &mut report.cost)
        }
    };
    // Data of tests are wrong on purpose.
    let rehearsal = is_rehearsal(Kind::before_agents_folder(view.file.path.as_str()));
    if let (Kind::Instructions | Kind::Settings, Examined::All, false) = (kind, &examined, rehearsal) {
        examined = formats(view, head.as_deref(), &mut found, report);
    }
    found.report(report);
    examined
}

/// Looks at the prompts in a program, if it is at hand as a whole and in a language that can be parsed.
fn program(view: &FileView<'_>, added: &AddedLines<'_>, found: &mut Found<'_>, cost: &mut Cost) -> Examined {
    let (Some(language), Some(head)) = (language_of(&view.file.path), view.head) else {
        return Examined::All;
    };
    match view.parsing {
        Parsing::Allowed => {}
        Parsing::OverBudget => return Examined::Failed(Parsing::OVER_BUDGET.to_owned()),
    }
    match literals::check(language, head, added, found, cost) {
        Ok(()) => Examined::All,
        Err(error) => Examined::Failed(format!("prompts in it could not be read: {error}")),
    }
}

/// The lines of the whole file, or those of the hunks' new side.
fn lines_of<'a>(head: Option<&'a str>, file: &'a FileChange) -> Vec<(u32, &'a str)> {
    match head {
        Some(head) => (1..).zip(head.split('\n')).collect(),
        None => {
            let lines = file.hunks().iter().flat_map(review::Hunk::lines);
            let new = lines.filter(|line| line.kind != LineKind::Removed);
            new.filter_map(|line| Some((line.new?, line.text))).collect()
        }
    }
}

/// Looks through settings, if they are JSON and at hand as a whole.
fn settings(view: &FileView<'_>, head: Option<&str>, found: &mut Found<'_>) -> Examined {
    if !matches!(view.file.path.extension().as_str(), "json" | "jsonc") {
        return Examined::All;
    }
    let Some(head) = head else {
        return Examined::NotSupported(
            "settings are looked at as a whole, and only the diff is here".to_owned(),
        );
    };
    match json(&without_comments(head)) {
        Ok(root) => {
            let base = whole_base(view).filter(|base| !base.is_empty());
            let base = base.and_then(|base| json(&without_comments(base)).ok());
            grants::check(&root, base.as_ref(), found);
            Examined::All
        }
        Err(error) => Examined::Failed(format!("the settings could not be read as JSON: {error}")),
    }
}

/// JSON without lines of comments, which some tools allow in their settings.
fn without_comments(text: &str) -> Cow<'_, str> {
    if !text.contains("//") {
        return Cow::Borrowed(text);
    }
    let lines = text.split('\n').map(|line| if line.trim_start().starts_with("//") { "" } else { line });
    Cow::Owned(lines.collect::<Vec<_>>().join("\n"))
}

/// Keys of front matter that hold patterns of paths.
const PATTERN_KEYS: [&str; 5] = ["globs", "paths", "applyTo", "fileMatchPattern", "glob"];

fn front_matter(head: &str, found: &mut Found<'_>) {
    let Some(rest) = head.strip_prefix("---\n").or_else(|| head.strip_prefix("---\r\n")) else { return };
    let Some(end) = rest.find("\n---") else { return };
    // A line before it keeps the numbers right.
    let Ok(root) = yaml(&format!("\n{}\n", &rest[..end])) else { return };
    for entry in root.entries() {
        if PATTERN_KEYS.contains(&entry.key.as_str()) {
            for (pattern, line) in entry.node.words() {
                if pattern.split(',').any(is_broken) {
                    let body = format!("`{}` opens what it does not close.", review::text::visible(pattern));
                    found.at(&table::BROKEN_PATTERN, Severity::Medium, line, 0, &body);
                }
            }
        }
        if matches!(entry.key.as_str(), "allowed-tools" | "allowedTools") {
            let tools = entry.node.words();
            let every = tools.iter().find(|(text, _)| {
                text.split(',').any(|tool| matches!(tool.trim(), "*" | "Bash" | "Bash(*)" | "Bash(:*)"))
            });
            if let Some((_, line)) = every {
                let body = "It may run any command without a question.";
                found.at(&table::WIDE_PERMISSION, Severity::Low, *line, 0, body);
            }
        }
    }
}

/// Whether a pattern opens a bracket or a brace and does not close it.
fn is_broken(pattern: &str) -> bool {
    let count = |mark: char| pattern.matches(mark).count();
    count('[') != count(']')
}

/// An odd number of fences leaves the last one open.
fn fence(head: &str, found: &mut Found<'_>) {
    let mut open: Option<(u32, &str)> = None;
    for (number, line) in (1..).zip(head.split('\n')) {
        let text = line.trim_start();
        let mark: &str = match text.bytes().next() {
            Some(b'`') => &text[..text.len() - text.trim_start_matches('`').len()],
            Some(b'~') => &text[..text.len() - text.trim_start_matches('~').len()],
            _ => continue,
        };
        if mark.len() < 3 {
            continue;
        }
        match open {
            None => open = Some((number, mark)),
            Some((_, opened)) => {
                let closes = mark.starts_with(opened) && text[mark.len()..].trim().is_empty();
                if closes {
                    open = None;
                }
            }
        }
    }
    if let Some((number, _)) = open {
        found.at(&table::UNCLOSED_FENCE, Severity::Low, number, 0, "");
    }
}

/// How much of AGENTS.md Codex reads, unless it is told otherwise.
const CODEX_BYTES: usize = 32 * 1024;

/// From here on a growth of half counts.
const LEAST_GROWTH_TOKENS: u32 = 2_000;

/// Files that are sent with every task.
const ALWAYS_SENT: [&str; 7] = [
    "AGENTS.md",
    "CLAUDE.md",
    "GEMINI.md",
    "QWEN.md",
    "copilot-instructions.md",
    ".cursorrules",
    ".windsurfrules",
];

fn size(name: &str, head: &str, base: Option<&str>, found: &mut Found<'_>) {
    let Some(base) = base.filter(|_| ALWAYS_SENT.contains(&name)) else { return };
    let (before, after) = (estimate_tokens(base.len()), estimate_tokens(head.len()));
    if name == "AGENTS.md" && head.len() > CODEX_BYTES && base.len() <= CODEX_BYTES {
        let body = format!("It has {} bytes now, about {after} tokens.", head.len());
        found.about_file(&table::SIZE, Severity::Medium, &body);
    } else if before > 0 && after >= before.saturating_add(LEAST_GROWTH_TOKENS) && after / 3 >= before / 2 {
        let body = format!("About {before} → {after} tokens.");
        found.about_file(&table::SIZE, Severity::Low, &body);
    }
}

/// Asks agnix whether the file is what its tools expect.
#[cfg(feature = "agnix")]
fn formats(
    view: &FileView<'_>,
    head: Option<&str>,
    found: &mut Found<'_>,
    report: &mut FileReport,
) -> Examined {
    use self::agnix::Linted;

    let (Some(head), Some(base)) = (head, whole_base(view)) else {
        report.notes.push(
            "only the diff is here: whether the file as a whole is as its tools expect was not looked at"
                .to_owned(),
        );
        return Examined::All;
    };
    let base = Some(base).filter(|base| !base.is_empty());
    match view.parsing {
        Parsing::Allowed => {}
        Parsing::OverBudget => return Examined::Failed(Parsing::OVER_BUDGET.to_owned()),
    }
    match agnix::check(view.file.path.as_str(), head, base, found, &mut report.cost) {
        Linted::All => Examined::All,
        Linted::TooMuch(what) => {
            Examined::Failed(format!("it was not compared with what its tools expect: {what}"))
        }
        Linted::Failed => Examined::Failed("the linter of agent files gave up on it".to_owned()),
    }
}

/// Without agnix nobody knows what the tools expect.
#[cfg(not(feature = "agnix"))]
fn formats(_: &FileView<'_>, _: Option<&str>, _: &mut Found<'_>, report: &mut FileReport) -> Examined {
    report.notes.push("this build does not know what the tools that load the file expect".to_owned());
    Examined::All
}

#[cfg(test)]
mod tests;
