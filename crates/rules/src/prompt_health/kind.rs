//! Which files instruct a model, and in what way.

use std::sync::LazyLock;

use code::language_of;
use regex::Regex;
use review::change::Content;
use review::{FileChange, LineKind};

use crate::claims::is_rehearsal;

/// How a file instructs a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text that an agent reads as orders: instructions, rules, skills, commands, definitions of agents.
    Instructions,
    /// What an agent may do, which servers it starts, and which commands run by themselves.
    Settings,
    /// A prompt with places for input.
    Template,
    /// A program with a line about agents in it.
    Code,
    /// A script, a pipeline or settings of another tool, with such a line.
    Script,
}

/// Names of files that agents load wherever they stand.
const INSTRUCTIONS: [&str; 15] = [
    "AGENTS.md",
    "AGENT.md",
    "CLAUDE.md",
    "CLAUDE.local.md",
    "GEMINI.md",
    "QWEN.md",
    "SKILL.md",
    "copilot-instructions.md",
    ".cursorrules",
    ".windsurfrules",
    ".clinerules",
    ".roorules",
    ".goosehints",
    "AGENTS.override.md",
    "CRUSH.md",
];

/// Folders of agents.
const AGENT_FOLDERS: [&str; 19] = [
    ".claude",
    ".claude-plugin",
    ".cursor",
    ".codex",
    ".gemini",
    ".opencode",
    ".agents",
    ".windsurf",
    ".kiro",
    ".clinerules",
    ".roo",
    ".qwen",
    ".amazonq",
    ".junie",
    ".continue",
    ".copilot",
    ".augment",
    ".crush",
    ".factory",
];

/// Names of files that say which servers an agent starts.
const SERVER_LISTS: [&str; 9] = [
    ".mcp.json",
    "mcp.json",
    "mcp_config.json",
    "cline_mcp_settings.json",
    "claude_desktop_config.json",
    "opencode.json",
    "opencode.jsonc",
    "gemini-extension.json",
    "crush.json",
];

/// Extensions of templates.
const TEMPLATES: [&str; 13] = [
    "j2",
    "jinja",
    "jinja2",
    "tera",
    "hbs",
    "handlebars",
    "mustache",
    "liquid",
    "ejs",
    "njk",
    "tmpl",
    "prompt",
    "prompty",
];

/// Extensions of scripts, pipelines and settings; many have none.
const SCRIPTS: [&str; 12] =
    ["sh", "bash", "zsh", "fish", "ps1", "bat", "yml", "yaml", "toml", "json", "jsonc", ""];

/// Words of a line of code that make it worth a look.
const MARKS: [&str; 12] = [
    "dangerously",
    "bypasspermissions",
    "--yolo",
    "danger-full-access",
    "approval_policy",
    "approval-mode",
    "autoapprove",
    "enableallprojectmcpservers",
    "system_prompt",
    "systemprompt",
    "\"system\"",
    "'system'",
];

/// A prompt that gets its text, in lower case.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?:prompt|system_?(?:message|instruction)s?)\w*["']?(?:\s*:\s*[a-z]+)?\s*[:=]+\s*\S*["'`(]"#,
    )
    .expect("a test compiles it")
});

impl Kind {
    /// The kind of a changed file, if it is one of them.
    pub(super) fn of(file: &FileChange) -> Option<Self> {
        let path = file.path.as_str();
        Self::of_path(path).or_else(|| {
            let extension = file.path.extension();
            let kind = if SCRIPTS.contains(&extension.as_str()) { Self::Script } else { Self::Code };
            says_something(file).then_some(kind)
        })
    }

    /// Whether everything in a file of this path is an order, rather than something to look up.
    pub(super) fn is_all_orders(path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        INSTRUCTIONS.contains(&name)
            || name.ends_with(".mdc")
            || path.contains("/rules/")
            || path.starts_with(".clinerules/")
    }

    /// The part of a path before a folder of agents, in which a skill may be called `tests`.
    pub(super) fn before_agents_folder(path: &str) -> &str {
        let mut start = 0;
        for part in path.split('/') {
            if AGENT_FOLDERS.contains(&part) {
                return &path[..start];
            }
            start += part.len() + 1;
        }
        path
    }

    /// The kind that a path tells.
    pub(super) fn of_path(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let folders = || path.split('/').rev().skip(1);
        let for_agents = folders().any(|folder| AGENT_FOLDERS.contains(&folder));
        let of_copilot = path.contains(".github/")
            && folders()
                .next()
                .is_some_and(|folder| matches!(folder, "instructions" | "prompts" | "agents" | "chatmodes"));
        if INSTRUCTIONS.contains(&name) {
            return Some(Self::Instructions);
        }
        // Pages for people in a folder of agents.
        let pages = ["readme", "license", "licence", "changelog", "contributing", "notice"];
        if pages.iter().any(|page| name.to_ascii_lowercase().starts_with(page)) {
            return None;
        }
        if SERVER_LISTS.contains(&name) || (name == "mcp.json" && path.contains(".vscode/")) {
            return Some(Self::Settings);
        }
        if for_agents || of_copilot {
            return match extension {
                "md" | "mdc" | "txt" => Some(Self::Instructions),
                "json" | "jsonc" | "toml" | "yaml" | "yml" => Some(Self::Settings),
                _ => None,
            };
        }
        let about_prompts = folders().any(|folder| {
            matches!(
                folder,
                "prompts" | "prompt_templates" | "prompt-templates" | "system_prompts" | "system-prompts"
            )
        });
        let named_prompt = name.to_ascii_lowercase().contains("prompt");
        let is_template = TEMPLATES.contains(&extension);
        let is_text = matches!(extension, "md" | "txt" | "xml");
        let prompt = (about_prompts && (is_template || is_text))
            || (named_prompt && is_template)
            || matches!(extension, "prompt" | "prompty");
        prompt.then_some(Self::Template)
    }
}

/// Whether an added line of a file has a word about agents in it. Documents name them all the time.
fn says_something(file: &FileChange) -> bool {
    let Content::Text(hunks) = &file.content else { return false };
    let written_for_people = ["md", "mdx", "rst", "txt", "adoc", "lock", "snap", "svg", "html"];
    if written_for_people.contains(&file.path.extension().as_str()) || is_rehearsal(file.path.as_str()) {
        return false;
    }
    let is_program = language_of(&file.path).is_some();
    let mut new = hunks.iter().flat_map(review::Hunk::lines).filter(|line| line.kind != LineKind::Removed);
    new.any(|line| {
        // Long lines are not written by hand.
        line.text.len() < 2_000 && {
            let text = line.text.to_ascii_lowercase();
            let is_marked = line.kind == LineKind::Added && MARKS.iter().any(|mark| text.contains(mark));
            is_marked || (is_program && NAMED.is_match(&text))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folders_above_an_agents_folder_are_told_from_those_below() {
        assert_eq!(Kind::before_agents_folder(".claude/skills/tests/SKILL.md"), "");
        assert_eq!(Kind::before_agents_folder("a/tests/.claude/x.md"), "a/tests/");
        assert_eq!(Kind::before_agents_folder("a/tests/AGENTS.md"), "a/tests/AGENTS.md");
    }

    #[test]
    fn files_are_known_by_their_paths() {
        let cases = [
            ("AGENTS.md", Some(Kind::Instructions)),
            ("web/CLAUDE.md", Some(Kind::Instructions)),
            (".claude/skills/x/notes.md", Some(Kind::Instructions)),
            (".claude/settings.json", Some(Kind::Settings)),
            (".github/prompts/a.prompt.md", Some(Kind::Instructions)),
            (".mcp.json", Some(Kind::Settings)),
            (".codex/config.toml", Some(Kind::Settings)),
            ("app/prompts/review.j2", Some(Kind::Template)),
            ("src/answer.prompt", Some(Kind::Template)),
            ("templates/page.j2", None),
            ("README.md", None),
            (".agents/README.md", None),
            ("config/settings.json", None),
        ];
        for (path, kind) in cases {
            assert_eq!(Kind::of_path(path), kind, "{path}");
        }
    }
}
