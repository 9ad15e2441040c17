//! The checks of GitHub's workflows and actions.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use regex::Regex;
use review::change::Operation;
use review::{FileChange, Severity};

use crate::commands::{Origin, remote_scripts};
use crate::new_side::Found;
use crate::tree::{Entry, Node, Value};

use super::checkout;
use super::expression::{Author, author, expressions};
use super::model::{Extent, Step, Workflow};
use super::table;

/// Looks at a workflow, an action, or a piece of one.
pub(super) fn check(workflow: &Workflow<'_>, before: &str, file: &FileChange, found: &mut Found<'_>) {
    let steps = Workflow::steps_of(workflow.root);
    pinning(&steps, &unpinned_actions(before), found);
    for step in &steps {
        interpolation(workflow, step, found);
        scripts(workflow, step, found);
        environment_file(workflow, step, found);
    }
    secrets(workflow, &steps, found);
    conditions(workflow, found);
    permissions(workflow, file, found);
    unsecure_commands(workflow, found);
    privileged_trigger(workflow, found);
    for job in workflow.jobs() {
        let steps = Workflow::steps_of(&job.node);
        self_hosted(workflow, &job.node, found);
        checkout::check(workflow, &job.node, &steps, found);
        credentials_in_artifact(&steps, found);
        cache_of_release(workflow, &steps, found);
    }
}

/// Names that inputs of actions have whose value is run as code.
const CODE_INPUTS: [&str; 10] = [
    "script",
    "run",
    "inlinescript",
    "inline-script",
    "command",
    "commands",
    "cmd",
    "pwsh",
    "bash",
    "shell-script",
];

fn interpolation(workflow: &Workflow<'_>, step: &Step<'_>, found: &mut Found<'_>) {
    let mut code: Vec<RangeInclusive<u32>> = Vec::new();
    if let Some(entry) = step.node.entry("run") {
        code.push(lines_of(entry));
    }
    for input in step.node.get("with").map(Node::entries).unwrap_or_default() {
        if CODE_INPUTS.iter().any(|name| input.key.eq_ignore_ascii_case(name)) {
            code.push(lines_of(input));
        }
    }
    for lines in code {
        let first = *lines.start();
        let text = workflow.text(lines);
        for expression in expressions(&text) {
            let Some(author) = author(expression.inner, &workflow.scope) else { continue };
            // Whoever starts a workflow by hand may push to the repository as well.
            if matches!(author, Author::Caller(_)) && !workflow.is_called() {
                continue;
            }
            let before = &text[..expression.offset];
            let line = first + u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX);
            let column = expression.offset - before.rfind('\n').map_or(0, |end| end + 1);
            let (severity, body) = match &author {
                Author::Outsider(value) => (
                    outsider_severity(workflow),
                    format!(
                        "`{value}` is text that an outsider chooses, and it is pasted into the code before that runs."
                    ),
                ),
                Author::Caller(value) => (
                    Severity::Low,
                    format!(
                        "`{value}` is chosen by whoever starts or calls this, and it is pasted into the code before that runs."
                    ),
                ),
            };
            found.at(&table::UNTRUSTED_INTERPOLATION, severity, line, column, &body);
        }
    }
}

/// A pull request's own workflow has no secrets to give away; another event's has.
fn outsider_severity(workflow: &Workflow<'_>) -> Severity {
    let harmless = |trigger: &&str| {
        matches!(
            *trigger,
            "pull_request" | "push" | "merge_group" | "schedule" | "workflow_dispatch" | "release"
        )
    };
    let known = workflow.extent == Extent::Whole && !workflow.triggers.is_empty();
    if known && workflow.triggers.iter().all(harmless) { Severity::Medium } else { Severity::High }
}

static USES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?m)^\s*(?:-\s+)?["']?uses["']?\s*:\s*["']?([^\s"'#]+)"#).expect("a test compiles it")
});

/// The actions that a text uses by a name that can be moved.
fn unpinned_actions(text: &str) -> BTreeSet<&str> {
    USES.captures_iter(text)
        .filter_map(|found| {
            let uses = found.get(1)?.as_str();
            let (action, version) = uses.split_once('@')?;
            (!is_pinned(version)).then_some(action)
        })
        .collect()
}

fn is_pinned(version: &str) -> bool {
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (matches!(version.len(), 40 | 64) && hex(version)) || version.starts_with("sha256:")
}

/// Reports the actions that a change adds and does not pin: all of a kind at the first one.
fn pinning(steps: &[Step<'_>], known: &BTreeSet<&str>, found: &mut Found<'_>) {
    let mut by_severity: BTreeMap<Severity, (u32, Vec<String>)> = BTreeMap::new();
    for (uses, line) in steps.iter().filter_map(Step::uses) {
        let Some((severity, told)) = unpinned(uses, known) else { continue };
        if found.adds(line) {
            let (_, actions) = by_severity.entry(severity).or_insert((line, Vec::new()));
            if !actions.contains(&told) {
                actions.push(told);
            }
        }
    }
    for (severity, (line, actions)) in by_severity {
        let named = actions.len().min(MAX_NAMED);
        let more = match actions.len() - named {
            0 => String::new(),
            more => format!(" {more} more of the kind follow."),
        };
        let body = format!("{}{more}", actions[..named].join(" "));
        found.at(&table::UNPINNED_ACTION, severity, line, 0, &body);
    }
}

/// The most actions that one finding names.
const MAX_NAMED: usize = 5;

/// How bad it is that an action can change, and what it is pinned to; nothing where it is pinned, or was used so before.
fn unpinned(uses: &str, known: &BTreeSet<&str>) -> Option<(Severity, String)> {
    if uses.starts_with("./") || uses.starts_with("../") || uses.contains("${{") {
        return None;
    }
    let Some((action, version)) = uses.split_once('@') else {
        return uses.starts_with("docker://").then(|| (Severity::Low, format!("`{uses}` has no digest.")));
    };
    if is_pinned(version) || known.contains(action) {
        return None;
    }
    let owner = action.split('/').next().unwrap_or_default();
    let is_release = version.trim_start_matches(['v', 'V']).starts_with(|c: char| c.is_ascii_digit());
    let (severity, kind) = match (matches!(owner, "actions" | "github"), is_release) {
        (true, true) => (Severity::Low, "a tag of GitHub's own"),
        (true, false) => (Severity::Low, "a branch of GitHub's own"),
        (false, true) => (Severity::Medium, "a tag, which its owner can move"),
        (false, false) => (Severity::Medium, "a branch, which moves with every commit"),
    };
    Some((severity, format!("`{version}` of `{action}` is {kind}.")))
}

fn scripts(workflow: &Workflow<'_>, step: &Step<'_>, found: &mut Found<'_>) {
    if let Some(entry) = step.node.entry("run") {
        remote_script(workflow, lines_of(entry), found);
    }
}

/// Reports the scripts that some lines fetch and run.
pub(super) fn remote_script(workflow: &Workflow<'_>, lines: RangeInclusive<u32>, found: &mut Found<'_>) {
    let first = *lines.start();
    let text = workflow.text(lines);
    for script in remote_scripts(&text) {
        let before = &text[..script.offset];
        let line = first + u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX);
        let (severity, body) = match script.origin {
            Origin::Installer => (Severity::Low, "This is the installer of a well-known project."),
            Origin::Other => (Severity::Medium, ""),
            Origin::Unencrypted => {
                (Severity::High, "The address has no TLS, so anybody on the way can answer.")
            }
        };
        found.at(&table::REMOTE_SCRIPT, severity, line, 0, body);
    }
}

/// A line that writes to the environment or to the search path of the later steps.
static ENVIRONMENT_FILE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?m)^(?<value>.*)>>?\s*["']?\$\{?GITHUB_(?:ENV|PATH)\b.*$"#).expect("a test compiles it")
});

fn environment_file(workflow: &Workflow<'_>, step: &Step<'_>, found: &mut Found<'_>) {
    let Some(trigger @ ("pull_request_target" | "workflow_run")) = workflow.privileged_trigger() else {
        return;
    };
    let Some(entry) = step.node.entry("run") else { return };
    let text = workflow.text(lines_of(entry));
    for written in ENVIRONMENT_FILE.captures_iter(&text) {
        let value = &written["value"];
        let names_outsider = workflow
            .scope
            .outsider_env
            .iter()
            .any(|name| value.contains(&format!("${name}")) || value.contains(&format!("${{{name}")));
        // What the workflow itself writes is one line; what a command prints or an outsider chose need not be.
        if value.contains("$(") || value.contains('`') || names_outsider {
            let start = written.get(0).map_or(0, |line| line.start());
            let line = lines_of(entry).start()
                + u32::try_from(text[..start].matches('\n').count()).unwrap_or(u32::MAX);
            let body = format!("This runs on `{trigger}`.");
            found.at(&table::ENVIRONMENT_FILE, Severity::Medium, line, 0, &body);
        }
    }
}

fn secrets(workflow: &Workflow<'_>, steps: &[Step<'_>], found: &mut Found<'_>) {
    for step in steps {
        let inherits = step.node.get("secrets").and_then(Node::text) == Some("inherit");
        if let (true, Some((uses, _)), Some(entry)) = (inherits, step.uses(), step.node.entry("secrets"))
            && !uses.starts_with("./")
        {
            let body = format!("Every secret of this repository goes to `{uses}`.");
            found.at(&table::ALL_SECRETS, Severity::Medium, entry.line, 0, &body);
        }
    }
    for (index, line) in workflow.lines.iter().enumerate() {
        if !line.contains("secrets") {
            continue;
        }
        for expression in expressions(line) {
            let dense: String = expression.inner.to_ascii_lowercase().split_whitespace().collect();
            if dense.contains("tojson(secrets)") {
                let line = u32::try_from(index + 1).unwrap_or(u32::MAX);
                let body = "Every secret of this repository is in this one value.";
                found.at(&table::ALL_SECRETS, Severity::Medium, line, expression.offset, body);
            }
        }
    }
}

/// `contains('a b', github.ref)`: true for every part of the first text.
static LOOSE_CONTAINS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\bcontains\(\s*'[^']*'\s*,\s*(?:github\.(?:actor|triggering_actor|base_ref|head_ref|ref|ref_name|event\.pull_request\.user\.login)|env\.[\w-]+|inputs\.[\w-]+)\s*\)")
        .expect("a test compiles it")
});

static BOT_ACTOR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\bgithub\.(?:triggering_)?actor\s*==\s*'[^']*\[bot\]'").expect("a test compiles it")
});

fn conditions(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    let privileged = workflow.privileged_trigger();
    workflow.root.each_map(&mut |map| {
        let Some(entry) = map.entry("if") else { return };
        let lines = lines_of(entry);
        if let Some(text) = outside_of_expressions(&entry.node) {
            let body = match text.trim() {
                "" => "The line end of the block is part of the text.".to_owned(),
                text => format!("`{text}` stands outside of the expression."),
            };
            found.in_range(&table::CONDITION_ALWAYS_TRUE, Severity::Medium, lines.clone(), &body);
        }
        let condition = entry.node.text().unwrap_or_default();
        if LOOSE_CONTAINS.is_match(condition) {
            found.in_range(&table::LOOSE_CONTAINS, Severity::Medium, lines.clone(), "");
        }
        if let (Some(trigger @ ("pull_request_target" | "workflow_run")), true) =
            (privileged, BOT_ACTOR.is_match(condition))
        {
            let body = format!("This runs on `{trigger}`.");
            found.in_range(&table::BOT_CONDITION, Severity::Medium, lines, &body);
        }
    });
}

/// What stands round the expressions of a condition that has some: then the whole is a text, and texts are true.
fn outside_of_expressions(condition: &Node) -> Option<String> {
    let text = match &condition.value {
        Value::Text(text) => text.trim(),
        Value::Block(text) => text,
        Value::List(_) | Value::Map(_) | Value::Alias => return None,
    };
    let found = expressions(text);
    let first = found.first()?;
    let mut rest = text[..first.offset].to_owned();
    for (expression, next) in found.iter().zip(found.iter().skip(1).map(Some).chain([None])) {
        let end = expression.offset + text[expression.offset..].find("}}")? + 2;
        rest.push_str(&text[end..next.map_or(text.len(), |next| next.offset)]);
    }
    // Two expressions side by side are a text as well.
    (!rest.is_empty() || found.len() > 1).then_some(rest)
}

fn permissions(workflow: &Workflow<'_>, file: &FileChange, found: &mut Found<'_>) {
    workflow.root.each_map(&mut |map| {
        let Some(entry) = map.entry("permissions") else { return };
        if entry.node.text().map(str::trim) == Some("write-all") {
            found.in_range(
                &table::BROAD_PERMISSIONS,
                Severity::Medium,
                lines_of(entry),
                "`write-all` is everything.",
            );
        }
    });
    // A right to write that stands at the top is every job's.
    if let (Extent::Whole, 2.., Some(entry)) =
        (workflow.extent, workflow.jobs().len(), workflow.root.entry("permissions"))
    {
        for right in entry.node.entries().iter().filter(|right| right.node.text() == Some("write")) {
            let body = format!("All {} jobs have `{}: write`.", workflow.jobs().len(), right.key);
            found.in_range(&table::BROAD_PERMISSIONS, Severity::Low, lines_of(right), &body);
        }
    }
    let without = workflow.jobs().iter().filter(|job| job.node.get("permissions").is_none()).count();
    let only_called = workflow.triggers.iter().all(|trigger| *trigger == "workflow_call");
    if file.operation == Operation::Added
        && workflow.extent == Extent::Whole
        && workflow.root.get("permissions").is_none()
        && without > 0
        && !only_called
        && let Some(jobs) = workflow.root.entry("jobs")
    {
        let body =
            "The workflow names no `permissions`, so its token has what the repository's settings give.";
        found.at(&table::BROAD_PERMISSIONS, Severity::Low, jobs.line, 0, body);
    }
}

fn privileged_trigger(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    for trigger in ["pull_request_target", "workflow_run"] {
        if let Some(line) = workflow.trigger_line(trigger) {
            let body = format!("It runs on `{trigger}`.");
            found.at(&table::PRIVILEGED_TRIGGER, Severity::Low, line, 0, &body);
        }
    }
}

fn unsecure_commands(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    workflow.root.each_map(&mut |map| {
        let Some(entry) = map.entry("ACTIONS_ALLOW_UNSECURE_COMMANDS") else { return };
        if entry.node.text().is_some_and(|value| !matches!(value, "" | "false" | "0")) {
            found.in_range(&table::UNSECURE_COMMANDS, Severity::Medium, lines_of(entry), "");
        }
    });
}

fn self_hosted(workflow: &Workflow<'_>, job: &Node, found: &mut Found<'_>) {
    let Some(entry) = job.entry("runs-on") else { return };
    let labels = entry.node.get("labels").unwrap_or(&entry.node).words();
    if !labels.iter().any(|(label, _)| label.eq_ignore_ascii_case("self-hosted")) {
        return;
    }
    let (trigger, severity) = match workflow.privileged_trigger() {
        Some(trigger) => (trigger, Severity::Medium),
        None if workflow.triggers.contains("pull_request") => ("pull_request", Severity::Low),
        None => return,
    };
    let body = format!("The job runs on `{trigger}`.");
    found.in_range(&table::SELF_HOSTED_RUNNER, severity, lines_of(entry), &body);
    if let Some(line) = workflow.trigger_line(trigger) {
        found.at(&table::SELF_HOSTED_RUNNER, severity, line, 0, &body);
    }
}

/// A checkout leaves its token in `.git`, and an artifact of the whole folder takes it along.
fn credentials_in_artifact(steps: &[Step<'_>], found: &mut Found<'_>) {
    let keeps_token = |step: &Step<'_>| {
        step.action() == Some("actions/checkout")
            && step.input("persist-credentials").and_then(Node::text) != Some("false")
            && step.input("path").is_none()
    };
    let Some(checkout) = steps.iter().position(keeps_token) else { return };
    for step in &steps[checkout..] {
        if step.action() != Some("actions/upload-artifact") {
            continue;
        }
        let paths = step.input("path").and_then(Node::text).unwrap_or_default();
        let everything = |path: &str| {
            matches!(
                path.trim().trim_end_matches('/'),
                "." | "./." | "${{ github.workspace }}" | "**" | "./**" | "**/*"
            )
        };
        // Since its version 4.4 the action leaves hidden files out, unless it is told to take them.
        let hidden = step.input("include-hidden-files").and_then(Node::text) == Some("true");
        let old =
            step.uses().is_some_and(|(uses, _)| ["@v1", "@v2", "@v3"].iter().any(|v| uses.ends_with(v)));
        if paths.lines().any(everything) && (hidden || old) {
            found.in_range(&table::CREDENTIALS_IN_ARTIFACT, Severity::High, step.lines(), "");
        }
    }
}

static PUBLISHES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?xi)\b(?:npm|pnpm|yarn|bun|cargo|poetry|uv|hatch|flit|gem|mix|dart\s+pub)\s+(?:\w+\s+)?(?:publish|push)\b
        | \btwine\s+upload\b | \bgh\s+release\s+(?:create|upload)\b | \bdocker\s+push\b | \bgoreleaser\s+release\b | \bmvn\b[^\n]*\bdeploy\b",
    )
    .expect("a test compiles it")
});

/// Actions that publish.
const PUBLISHERS: [&str; 8] = [
    "pypa/gh-action-pypi-publish",
    "softprops/action-gh-release",
    "ncipollo/release-action",
    "goreleaser/goreleaser-action",
    "JS-DevTools/npm-publish",
    "rubygems/release-gem",
    "changesets/action",
    "katyo/publish-crates",
];

fn cache_of_release(workflow: &Workflow<'_>, steps: &[Step<'_>], found: &mut Found<'_>) {
    let releases = workflow.triggers.contains("release")
        || workflow.root.get("on").and_then(|on| on.get("push")?.get("tags")).is_some();
    let from_outside = workflow.triggers.contains("pull_request") || workflow.privileged_trigger().is_some();
    let publishes = |step: &Step<'_>| {
        step.run().is_some_and(|run| PUBLISHES.is_match(run))
            || step.action().is_some_and(|action| PUBLISHERS.contains(&action))
    };
    if !releases || from_outside || !steps.iter().any(publishes) {
        return;
    }
    for step in steps {
        let action = step.action().unwrap_or_default();
        let setup = action.starts_with("actions/setup-")
            && step.input("cache").is_some_and(|cache| cache.text() != Some("false"));
        if setup || matches!(action, "actions/cache" | "actions/cache/restore" | "Swatinem/rust-cache") {
            found.in_range(&table::CACHE_OF_RELEASE, Severity::Low, step.lines(), "");
        }
    }
}

/// The lines of an entry, its key among them.
pub(super) fn lines_of(entry: &Entry) -> RangeInclusive<u32> {
    entry.line..=entry.node.last_line.max(entry.line)
}
