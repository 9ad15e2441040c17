//! The rules of agnix (agnix-core 0.60) about files of agents, under ids of our own.
//!
//! It reads nothing but the text that it is given, and no mark in that text switches a rule off. Of its rules those are
//! left out that need other files and those that are about taste.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, LazyLock};

use agnix_core::{
    Diagnostic, DiagnosticLevel, LintConfig, MockFileSystem, ValidatorRegistry, validate_content,
};
use code::Cost;
use review::Severity;

use crate::catalogue::{Example, Needs, Rule};
use crate::new_side::Found;

/// Larger files are not handed over.
const MAX_BYTES: usize = 128 * 1024;

/// For each of these marks some of its rules go through the rest of the file: 25,000 comments that do not end took seven
/// seconds. No file that a person wrote has so many.
const MAX_MARKS: [(&str, usize); 2] = [("<!--", 200), ("@", 2_000)];

/// How many lists and maps may be open at once in data, and, where it is not JSON, how many may be opened at all: its
/// reader of YAML takes the square of either, which for 100,000 brackets was two minutes.
const MAX_DEPTH: usize = 64;
const MAX_OPENED: usize = 500;

/// What a byte costs of a text that it reads, as parsing is counted: of 30 hostile texts the slowest took four times as
/// long as a parser does.
const COST_PER_BYTE: u64 = Cost::PER_BYTE * 4;

/// Its rules that are left out: of taste, of what a file might say besides, or about what another rule of ours says.
const LEFT_OUT: [&str; 23] = [
    "PE-",
    "VER-",
    "REF-",
    "XML-",
    "AGM-003",
    "AGM-004",
    "AGM-007",
    "AS-020",
    "AS-024",
    "CC-AG-022",
    "CC-MEM-005",
    "CC-MEM-006",
    "CC-MEM-007",
    "CC-MEM-008",
    "CC-MEM-021",
    "CC-SET-036",
    "CC-SK-027",
    "CDX-AG-002",
    "CDX-AG-005",
    "CDX-AG-006",
    "GM-026",
    "MCP-033",
    "XP-SK-001",
];

/// What its messages say where it has looked for another file: there is none here.
const NEEDS_FILES: [&str; 4] = ["not found", "missing file", "does not exist", "no such file"];

struct Linter {
    config: LintConfig,
    registry: ValidatorRegistry,
}

static LINTER: LazyLock<Linter> = LazyLock::new(|| {
    let mut config = LintConfig::default();
    config.set_fs(Arc::new(MockFileSystem::new()));
    config.set_ignore_inline_suppressions(true);
    Linter { config, registry: ValidatorRegistry::with_defaults() }
});

/// How a file could be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Linted {
    /// All of it was.
    All,
    /// It is too large, or has too much of what takes long; what.
    TooMuch(&'static str),
    /// agnix gave up.
    Failed,
}

/// Reports what agnix says about a file and did not say about it before, and adds what that cost.
pub(super) fn check(
    path: &str,
    head: &str,
    base: Option<&str>,
    found: &mut Found<'_>,
    cost: &mut Cost,
) -> Linted {
    if let Some(what) = too_much(path, head).or_else(|| too_much(path, base?)) {
        return Linted::TooMuch(what);
    }
    let mut lint = |text: &str| {
        *cost = cost.and(Cost(text.len() as u64 * COST_PER_BYTE));
        let linter = &*LINTER;
        catch_unwind(AssertUnwindSafe(|| {
            validate_content(Path::new(path), text, &linter.config, &linter.registry)
        }))
    };
    let (Ok(after), Ok(before)) = (lint(head), base.map_or(Ok(Vec::new()), lint)) else {
        return Linted::Failed;
    };
    // A count in a message changes with every edit.
    let key = |diagnostic: &Diagnostic| {
        let message: String =
            diagnostic.message.chars().filter(|character| !character.is_ascii_digit()).collect();
        (diagnostic.rule.clone(), message)
    };
    let mut known: BTreeMap<(String, String), usize> = BTreeMap::new();
    for diagnostic in &before {
        *known.entry(key(diagnostic)).or_default() += 1;
    }
    for diagnostic in after {
        if let Some(count) = known.get_mut(&key(&diagnostic)).filter(|count| **count > 0) {
            *count -= 1;
            continue;
        }
        if let Some(severity) = severity(&diagnostic) {
            tell(&diagnostic, severity, found);
        }
    }
    Linted::All
}

/// What a text has too much of to be handed over.
fn too_much(path: &str, text: &str) -> Option<&'static str> {
    if text.len() > MAX_BYTES {
        return Some("it is larger than 128 KiB");
    }
    if MAX_MARKS.iter().any(|(mark, most)| text.matches(mark).count() > *most) {
        return Some("it has more comments or references than a person writes");
    }
    let most = if is_json(path) { usize::MAX } else { MAX_OPENED };
    is_tangled(data_of(path, text), most)
        .then_some("its lists and maps are deeper or more than a person writes")
}

/// The part of a file that is read as data: all of it, or, of a page, its front matter, be it closed or not.
fn data_of<'t>(path: &str, text: &'t str) -> &'t str {
    if is_json(path) || [".toml", ".yaml", ".yml"].iter().any(|end| path.ends_with(end)) {
        return text;
    }
    match text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).strip_prefix("---") {
        Some(rest) => rest.split("\n---").next().unwrap_or(rest),
        None => "",
    }
}

fn is_json(path: &str) -> bool {
    path.ends_with(".json") || path.ends_with(".jsonc")
}

/// Whether more lists and maps are open at once than its readers are given, or opened at all than `most`.
fn is_tangled(data: &str, most: usize) -> bool {
    let (mut depth, mut opened) = (0_usize, 0_usize);
    data.bytes().any(|byte| {
        match byte {
            b'[' | b'{' => (depth, opened) = (depth + 1, opened + 1),
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > MAX_DEPTH || opened > most
    })
}

fn severity(diagnostic: &Diagnostic) -> Option<Severity> {
    let left_out = LEFT_OUT.iter().any(|rule| diagnostic.rule.starts_with(rule));
    let message = diagnostic.message.to_lowercase();
    if left_out || NEEDS_FILES.iter().any(|words| message.contains(words)) {
        return None;
    }
    match diagnostic.level {
        DiagnosticLevel::Error => Some(Severity::Medium),
        DiagnosticLevel::Warning | DiagnosticLevel::Info => Some(Severity::Low),
    }
}

fn tell(diagnostic: &Diagnostic, severity: Severity, found: &mut Found<'_>) {
    let category = diagnostic.metadata.as_ref().map_or("", |metadata| metadata.category.as_str());
    let rule = rule_of(category);
    let message = review::text::shorten(&review::text::visible(&diagnostic.message), 300);
    let body = format!("{message} (agnix {}).", diagnostic.rule);
    let line = u32::try_from(diagnostic.line).unwrap_or(u32::MAX);
    if found.adds(line) {
        found.at(rule, severity, line, 0, &body);
    } else {
        // Something is wrong now that was not before, and its place did not change.
        found.about_file(rule, severity, &body);
    }
}

/// The rule of ours that stands for a category of agnix.
fn rule_of(category: &str) -> &'static Rule {
    match category {
        _ if category.ends_with("skills") => &SKILL,
        _ if category.ends_with("-agents") => &AGENT,
        _ if category.ends_with("hooks") => &EVENTS,
        _ if category.ends_with("mcp") => &SERVERS,
        _ if category.ends_with("plugins") || category.ends_with("marketplaces") => &PLUGIN,
        "agents-md" | "claude-memory" | "cross-platform" | "prompt-engineering" => &MEMORY,
        _ => &SETTINGS,
    }
}

/// All of them.
pub(super) const RULES: [&Rule; 7] = [&SKILL, &AGENT, &EVENTS, &SERVERS, &PLUGIN, &MEMORY, &SETTINGS];

const fn file(path: &'static str, after: &'static str) -> Example {
    Example { path, beside: &[], before: None, after }
}

const fn rule(
    id: &'static str,
    summary: &'static str,
    reason: &'static str,
    bad: Example,
    good: Example,
) -> Rule {
    Rule {
        id,
        category: "prompt-health/instruction",
        severity: Severity::Medium,
        summary,
        reason,
        needs: Needs::WholeFile,
        bad,
        good,
    }
}

const SKILL: Rule = rule(
    "prompt-health/skill-format",
    "a skill that is not as its tools expect it",
    "A skill whose name or description its tool does not accept is not offered to the model: nobody is told, and the task is done without it.",
    file(
        ".claude/skills/tests/SKILL.md",
        "---\nname: Run_Tests\ndescription: Use when tests should run\n---\nRun them.\n",
    ),
    file(
        ".claude/skills/tests/SKILL.md",
        "---\nname: tests\ndescription: Use when tests should run\n---\nRun them.\n",
    ),
);

const AGENT: Rule = rule(
    "prompt-health/agent-format",
    "a definition of an agent that is not as its tools expect it",
    "An agent whose definition cannot be read is not there when it is asked for, or it runs with every tool because the line that limits it was skipped.",
    file(
        ".claude/agents/tester.md",
        "---\nname: tester\ndescription: Runs tests: all of them\n---\nRun them.\n",
    ),
    file(
        ".claude/agents/tester.md",
        "---\nname: tester\ndescription: Runs tests\ntools: Bash\n---\nRun them.\n",
    ),
);

const EVENTS: Rule = rule(
    "prompt-health/hook-format",
    "a hook that is not as its tools expect it",
    "A hook for an event that does not exist never runs, and one without a limit of time can hold up every session: the check that it was meant to be is missing without a word.",
    file(
        ".claude/settings.json",
        "{\n  \"hooks\": {\n    \"AfterLunch\": [\n      {\"hooks\": [{\"type\": \"command\", \"command\": \"make\"}]}\n    ]\n  }\n}\n",
    ),
    file(
        ".claude/settings.json",
        "{\n  \"hooks\": {\n    \"Stop\": [\n      {\"hooks\": [{\"type\": \"command\", \"command\": \"make\", \"timeout\": 30}]}\n    ]\n  }\n}\n",
    ),
);

const SERVERS: Rule = rule(
    "prompt-health/server-format",
    "a list of servers that is not as its tools expect it",
    "A server that cannot be started from its entry is left out, and the agent goes on without its tools or makes up what they would have said.",
    file(".mcp.json", "{\n  \"mcpServers\": {\n    \"a\": {\n      \"type\": \"stdio\"\n    }\n  }\n}\n"),
    file(
        ".mcp.json",
        "{\n  \"mcpServers\": {\n    \"a\": {\n      \"type\": \"stdio\",\n      \"command\": \"a-server\"\n    }\n  }\n}\n",
    ),
);

const PLUGIN: Rule = rule(
    "prompt-health/plugin-format",
    "a plugin that is not as its tools expect it",
    "A plugin with a manifest that is refused brings none of its commands, agents and hooks, on every machine that installs it.",
    file(".claude-plugin/plugin.json", "{\n  \"name\": \"tests\",\n  \"commands\": \"/opt/commands\"\n}\n"),
    file(
        ".claude-plugin/plugin.json",
        "{\n  \"name\": \"tests\",\n  \"description\": \"Tests\",\n  \"version\": \"1.0.0\"\n}\n",
    ),
);

const MEMORY: Rule = rule(
    "prompt-health/instructions-format",
    "instructions that are not as their tools expect them",
    "Instructions that point to one person's machine, or that are laid out as their tool does not read them, are followed by some agents and not by others.",
    file("CLAUDE.md", "# Guide\n\nRead /Users/ada/notes/style.txt first.\n"),
    file("CLAUDE.md", "# Guide\n\nRead docs/style.txt first.\n"),
);

const SETTINGS: Rule = rule(
    "prompt-health/settings-format",
    "settings or rules of an agent that are not as its tools expect them",
    "Settings that cannot be read fall back to the defaults, and a rule whose head is broken applies to no file or to all: what was switched off may be on again.",
    file(".cursor/rules/a.mdc", "---\ndescription: [\nglobs: src/**\n---\nUse tabs.\n"),
    file(
        ".cursor/rules/a.mdc",
        "---\ndescription: Indentation\nglobs: src/**\nalwaysApply: false\n---\nUse tabs.\n",
    ),
);
