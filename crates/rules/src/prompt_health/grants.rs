//! What an agent may do from now on: permissions, servers, commands that run by themselves.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use regex::Regex;
use review::Severity;

use crate::commands::remote_scripts;
use crate::new_side::{AddedLines, Found};
use crate::tree::{Entry, Node};

use super::table;

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a test compiles it")
}

/// Switches that let an agent do anything without a question, in settings, scripts and workflows.
static UNASKED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"(?xi)--dangerously-(?:skip-permissions|bypass-approvals-and-sandbox|allow-all)\b | \b(?:gemini|qwen|crush|codex|cline|claude)\b[^|;&\n]*\s--yolo\b | \bbypassPermissions\b | \bdanger-full-access\b
        | \bapproval_policy\s*=\s*["']never["'] | --approval-mode[=\s]+["']?(?:yolo|full-auto) | --allow-all-tools\b
        | "?(?:autoApprove|alwaysAllow|auto_approve)"?\s*:\s*\[\s*"\*" | "chat\.tools\.(?:global\.)?autoApprove"\s*:\s*true
        | "?enableAllProjectMcpServers"?\s*[:=]\s*true | "?skipDangerousModePermissionPrompt"?\s*:\s*true"#,
    )
});

/// Looks for such switches in the added lines of settings, scripts and pipelines.
pub(super) fn unasked(added: &AddedLines<'_>, found: &mut Found<'_>) {
    for line in added.iter().filter(|line| line.text.len() < 4_000) {
        let Some(switch) = UNASKED.find(line.text) else { continue };
        let before = line.text[..switch.start()].to_ascii_lowercase();
        let comment = before.trim_start().starts_with(['#', '*']) || before.contains("//");
        let refused = ["never", "do not", "don't", "not allow", "forbid", "deny", "block"]
            .iter()
            .any(|word| before.contains(word));
        if !comment && !refused {
            let body = format!("`{}` is that switch.", switch.as_str());
            found.at(&table::WIDE_PERMISSION, Severity::Medium, line.number, switch.start(), &body);
        }
    }
}

/// Looks through settings in JSON, as they are and as they were. Without a base the file is new and is looked at as a
/// whole by whoever reviews it, so what is merely new in it is not listed.
pub(super) fn check(head: &Node, base: Option<&Node>, found: &mut Found<'_>) {
    permissions(head, base, found);
    servers(head, base, found);
    hooks(head, base, found);
    tools(head, found);
}

/// A permission without a bound.
static UNBOUNDED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)^(?:\*|(?:bash|shell|run_shell_command|execute|terminal|write|edit|multiedit)(?:\(\s*(?:\*{1,2}|:\*|\*:\*|/\*\*|//\*\*)?\s*\))?|mcp__\*|Bash\((?:sudo|rm|sh|bash|zsh|eval|ssh|nc|dd|chmod|chown)(?:\s|:)\*?.*\))$",
    )
});

/// A permission for commands that run whatever they are given, or reach out.
static REACHING: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)^Bash\((?:curl|wget|python[\d.]*|node|npx|uvx|perl|ruby|docker|kubectl|aws|gcloud|gh\s+api|git\s+push|npm\s+publish|xargs|find|env)\s*:?\s*\*\)$",
    )
});

fn permissions(head: &Node, base: Option<&Node>, found: &mut Found<'_>) {
    let list = |root: &'_ Node, name: &str| -> Vec<(String, u32)> {
        let of = root.get("permissions").and_then(|permissions| permissions.get(name));
        of.map(|list| list.words().into_iter().map(|(word, line)| (word.to_owned(), line)).collect())
            .unwrap_or_default()
    };
    for (permission, line) in list(head, "allow") {
        if UNBOUNDED.is_match(&permission) {
            let body = format!("`{permission}` has no bound.");
            found.at(&table::WIDE_PERMISSION, Severity::Medium, line, 0, &body);
        } else if REACHING.is_match(&permission) {
            let body = format!("`{permission}` runs or sends whatever it is given.");
            found.at(&table::WIDE_PERMISSION, Severity::Low, line, 0, &body);
        }
    }
    let Some(base) = base else { return };
    let kept: BTreeSet<String> =
        list(head, "deny").into_iter().chain(list(head, "ask")).map(|(word, _)| word).collect();
    let gone: Vec<String> =
        list(base, "deny").into_iter().map(|(word, _)| word).filter(|word| !kept.contains(word)).collect();
    if !gone.is_empty() {
        let body = format!("No longer denied: `{}`.", gone.join("`, `"));
        found.about_file(&table::WIDE_PERMISSION, Severity::Medium, &body);
    }
}

/// The maps of servers in the formats that agents have.
fn server_maps(root: &Node) -> Vec<&Entry> {
    let mut maps = Vec::new();
    root.each_map(&mut |map| {
        maps.extend(map.entries().iter().filter(|entry| {
            matches!(entry.key.as_str(), "mcpServers" | "mcp_servers" | "context_servers")
                || (matches!(entry.key.as_str(), "servers" | "mcp") && std::ptr::eq(map, root))
        }));
    });
    maps
}

/// Runners that fetch a package and run it, and what pins one.
static RUNNER: LazyLock<Regex> = LazyLock::new(|| regex(r"^(?:npx|bunx|uvx|pipx|pnpm|yarn|deno)$"));
static PINNED: LazyLock<Regex> = LazyLock::new(|| regex(r"(?:@|==)\d+(?:\.\d+)+"));

fn servers(head: &Node, base: Option<&Node>, found: &mut Found<'_>) {
    let known: BTreeSet<&str> = base
        .map(|base| {
            server_maps(base)
                .into_iter()
                .flat_map(|map| map.node.entries())
                .map(|entry| entry.key.as_str())
                .collect()
        })
        .unwrap_or_default();
    for server in server_maps(head).into_iter().flat_map(|map| map.node.entries()) {
        if server.node.entries().is_empty() {
            continue;
        }
        let lines = lines_of(server);
        let command = server
            .node
            .get("command")
            .map(|node| node.words().iter().map(|(word, _)| *word).collect::<Vec<_>>().join(" "));
        let arguments: Vec<&str> = server
            .node
            .get("args")
            .map(|node| node.words().into_iter().map(|(word, _)| word).collect())
            .unwrap_or_default();
        let url = ["url", "serverUrl", "httpUrl"]
            .into_iter()
            .find_map(|key| server.node.get(key)?.text())
            .unwrap_or_default();
        let whole = format!("{} {}", command.as_deref().unwrap_or_default(), arguments.join(" "));
        let program =
            whole.split_whitespace().next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let local = ["http://localhost", "http://127.0.0.1", "http://[::1]", "http://host.docker.internal"];
        let told = if !remote_scripts(&whole).is_empty() {
            Some((Severity::High, "It fetches a script and runs it.".to_owned()))
        } else if url.starts_with("http://") && !local.iter().any(|address| url.starts_with(address)) {
            Some((Severity::Medium, "Its address has no TLS, so anybody on the way can answer.".to_owned()))
        } else if RUNNER.is_match(program) && !PINNED.is_match(&whole) {
            Some((Severity::Medium, format!("`{program}` fetches the newest release each time it starts.")))
        } else if matches!(program, "sh" | "bash" | "zsh" | "cmd" | "powershell" | "pwsh") {
            Some((Severity::Medium, "It is a command of a shell.".to_owned()))
        } else if base.is_none() || known.contains(server.key.as_str()) {
            None
        } else {
            Some((Severity::Low, format!("`{}` is new.", review::text::visible(&server.key))))
        };
        if let Some((severity, body)) = told {
            found.in_range(&table::SERVER, severity, lines.clone(), &body);
        }
        let trusts = server.node.get("trust").and_then(Node::text) == Some("true");
        let approves = ["autoApprove", "alwaysAllow"].into_iter().find_map(|key| server.node.entry(key));
        if let Some(entry) = approves.filter(|entry| !entry.node.items().is_empty()) {
            found.in_range(
                &table::WIDE_PERMISSION,
                Severity::Low,
                lines_of(entry),
                "Its tools run without a question.",
            );
        } else if let (true, Some(entry)) = (trusts, server.node.entry("trust")) {
            found.in_range(
                &table::WIDE_PERMISSION,
                Severity::Medium,
                lines_of(entry),
                "Its tools run without a question.",
            );
        }
    }
}

/// Commands that send something away, or take something apart.
static REACHES_OUT: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)\b(?:curl|wget|nc|ncat|scp|ssh|irm|iwr)\b|\bbase64\b|/dev/tcp/|\beval\b|\brm\s+-\w*r\w*f|\bgit\s+push\b|\b(?:python3?|node|perl|ruby)\s+-[ce]\b",
    )
});

fn hooks(head: &Node, base: Option<&Node>, found: &mut Found<'_>) {
    let Some(hooks) = head.get("hooks") else { return };
    hooks.each_map(&mut |map| {
        let Some(entry) = map.entry("command").or_else(|| map.entry("bash")) else { return };
        let command = entry.node.text().unwrap_or_default();
        let told = if !remote_scripts(command).is_empty() {
            Some((Severity::High, "It fetches a script and runs it."))
        } else if REACHES_OUT.is_match(command) {
            Some((Severity::Medium, "It sends, evaluates or deletes something."))
        } else {
            base.is_some().then_some((Severity::Low, ""))
        };
        if let Some((severity, body)) = told {
            found.in_range(&table::HOOK, severity, lines_of(entry), body);
        }
    });
}

/// The fewest words that tell a model when to use a tool.
const LEAST_WORDS: usize = 3;

fn tools(head: &Node, found: &mut Found<'_>) {
    head.each_map(&mut |map| {
        let takes_input =
            ["inputSchema", "input_schema", "parameters"].iter().any(|key| map.get(key).is_some());
        let (Some(name), true) = (map.entry("name"), takes_input) else { return };
        let description = map.get("description").and_then(Node::text).unwrap_or_default();
        if description.split_whitespace().count() < LEAST_WORDS {
            let line = map.entry("description").map_or(name.line, |entry| entry.line);
            let body = match description.is_empty() {
                true => "It has no description.".to_owned(),
                false => format!("“{description}” is all that it says."),
            };
            found.at(&table::VAGUE_TOOL, Severity::Low, line, 0, &body);
        }
    });
}

fn lines_of(entry: &Entry) -> RangeInclusive<u32> {
    entry.line..=entry.node.last_line.max(entry.line)
}
