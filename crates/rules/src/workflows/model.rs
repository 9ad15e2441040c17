//! A workflow or an action as its steps, jobs and triggers.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crate::tree::{Entry, Node, Unreadable, yaml};

use super::expression::{Author, Scope, author, expressions};

/// Larger line numbers are not looked at where only a diff is at hand.
const MAX_PADDING_LINES: u32 = 100_000;

/// A workflow, an action, or the piece of one that a hunk shows.
pub(super) struct Workflow<'a> {
    /// The text, in lines that are where the file has them.
    pub(super) lines: Vec<&'a str>,
    /// The tree.
    pub(super) root: &'a Node,
    /// How much of the file this is.
    pub(super) extent: Extent,
    /// What starts it; empty for an action, and where only a piece is at hand.
    pub(super) triggers: BTreeSet<&'a str>,
    /// What its expressions mean.
    pub(super) scope: Scope,
}

/// How much of a file is at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of it.
    Whole,
    /// A piece, without what stands round it.
    Piece,
}

/// A map that runs something: a step, or a job that calls a workflow.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    /// The map.
    pub(super) node: &'a Node,
    /// The first line, where its first key is.
    pub(super) first_line: u32,
}

impl<'a> Step<'a> {
    /// The lines that it stands on.
    pub(super) fn lines(&self) -> RangeInclusive<u32> {
        self.first_line..=self.node.last_line
    }

    /// What it uses, without white space.
    pub(super) fn uses(&self) -> Option<(&'a str, u32)> {
        let entry = self.node.entry("uses")?;
        Some((entry.node.text()?.trim(), entry.line))
    }

    /// The action that it uses, without the version: `owner/name/path`.
    pub(super) fn action(&self) -> Option<&'a str> {
        let (uses, _) = self.uses()?;
        Some(uses.split_once('@').map_or(uses, |(action, _)| action))
    }

    /// An input that it gives to its action.
    pub(super) fn input(&self, name: &str) -> Option<&'a Node> {
        let with = self.node.get("with")?;
        with.entries().iter().find(|entry| entry.key.eq_ignore_ascii_case(name)).map(|entry| &entry.node)
    }

    /// The commands that it runs.
    pub(super) fn run(&self) -> Option<&'a str> {
        self.node.get("run")?.text()
    }
}

/// Events that anybody can cause and that run with the repository's own token and secrets.
const PRIVILEGED: [&str; 8] = [
    "pull_request_target",
    "workflow_run",
    "issue_comment",
    "issues",
    "discussion",
    "discussion_comment",
    "fork",
    "gollum",
];

/// Actions whose outputs are names that a pull request chooses.
const NAMING_ACTIONS: [&str; 8] = [
    "tj-actions/changed-files",
    "tj-actions/branch-names",
    "step-security/changed-files",
    "jitterbit/get-changed-files",
    "trilom/file-changes-action",
    "xt0rted/pull-request-comment-branch",
    "eficode/resolve-pr-refs",
    "rlespinasse/github-slug-action",
];

impl<'a> Workflow<'a> {
    /// Looks through a tree and the text that it was read from.
    pub(super) fn new(text: &'a str, root: &'a Node, extent: Extent) -> Self {
        let triggers = match extent {
            Extent::Whole => root.get("on").map(Node::words).unwrap_or_default(),
            Extent::Piece => Vec::new(),
        };
        let mut workflow = Self {
            lines: text.split('\n').collect(),
            root,
            extent,
            triggers: triggers.into_iter().map(|(trigger, _)| trigger).collect(),
            scope: Scope::default(),
        };
        workflow.scope = workflow.read_scope();
        workflow
    }

    /// Whether others call it: it is an action, a reusable workflow, or started from outside of GitHub.
    pub(super) fn is_called(&self) -> bool {
        let called =
            ["workflow_call", "repository_dispatch"].iter().any(|trigger| self.triggers.contains(trigger));
        called || self.root.get("runs").is_some()
    }

    /// The jobs; none in a piece.
    pub(super) fn jobs(&self) -> &'a [Entry] {
        match self.extent {
            Extent::Whole => self.root.get("jobs").map(Node::entries).unwrap_or_default(),
            Extent::Piece => &[],
        }
    }

    /// Every map of a tree that uses or runs something.
    pub(super) fn steps_of(node: &'a Node) -> Vec<Step<'a>> {
        let mut steps = Vec::new();
        node.each_map(&mut |map| {
            let runs = map.get("uses").or_else(|| map.get("run")).is_some_and(|node| node.text().is_some());
            if runs && let Some(first) = map.entries().first() {
                steps.push(Step { node: map, first_line: first.line });
            }
        });
        steps
    }

    /// The event by which outsiders start it with the repository's own rights.
    pub(super) fn privileged_trigger(&self) -> Option<&'static str> {
        PRIVILEGED.into_iter().find(|trigger| self.triggers.contains(trigger))
    }

    /// The line of a trigger.
    pub(super) fn trigger_line(&self, trigger: &str) -> Option<u32> {
        let (_, line) = self.root.get("on")?.words().into_iter().find(|(name, _)| *name == trigger)?;
        Some(line)
    }

    /// The text of a range of lines as the file has it.
    pub(super) fn text(&self, lines: RangeInclusive<u32>) -> String {
        let (first, last) = (*lines.start() as usize, (*lines.end() as usize).min(self.lines.len()));
        self.lines.get(first.saturating_sub(1)..last).unwrap_or_default().join("\n")
    }

    fn read_scope(&self) -> Scope {
        let mut scope = Scope::default();
        let mut outsider_env = BTreeSet::new();
        self.root.each_map(&mut |map| {
            for variable in map.get("env").map(Node::entries).unwrap_or_default() {
                let value = variable.node.text().unwrap_or_default();
                let outside =
                    |expression| matches!(author(expression, &Scope::default()), Some(Author::Outsider(_)));
                if expressions(value).iter().any(|expression| outside(expression.inner)) {
                    outsider_env.insert(variable.key.clone());
                }
            }
            let uses = map.get("uses").and_then(Node::text).unwrap_or_default();
            let names = NAMING_ACTIONS
                .iter()
                .any(|action| uses.strip_prefix(action).is_some_and(|rest| rest.starts_with(['@', '/'])));
            if let (true, Some(id)) = (names, map.get("id").and_then(Node::text)) {
                scope.outsider_steps.insert(id.to_owned());
            }
            for input in map.get("inputs").map(Node::entries).unwrap_or_default() {
                let kind = input.node.get("type").and_then(Node::text).unwrap_or_default();
                if matches!(kind, "boolean" | "number" | "choice" | "environment") {
                    scope.harmless_inputs.insert(input.key.clone());
                }
            }
        });
        scope.outsider_env = outsider_env;
        scope
    }
}

/// Reads the new side of a hunk as a piece of YAML, at its own line numbers.
///
/// Lines before the outermost one are left out: what they belong to is not shown.
pub(super) fn piece(first_line: u32, lines: &[&str]) -> Option<(String, Result<Node, Unreadable>)> {
    if first_line > MAX_PADDING_LINES {
        return None;
    }
    let indent = |line: &&str| line.len() - line.trim_start_matches(' ').len();
    let written = |line: &&&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let least = lines.iter().filter(written).map(indent).min()?;
    let start = lines.iter().position(|line| written(&line) && indent(line) == least)?;
    let mut text = "\n".repeat((first_line.saturating_sub(1)) as usize + start);
    for line in &lines[start..] {
        text.push_str(line.get(least..).unwrap_or_default());
        text.push('\n');
    }
    let tree = yaml(&text);
    Some((text, tree))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_read_at_its_own_lines() {
        let lines = ["          deeper: 1", "      - uses: a/b@v1", "        with:", "          x: 1"];
        let (text, tree) = piece(10, &lines).expect("it has lines");
        let tree = tree.expect("it is YAML");
        let workflow = Workflow::new(&text, &tree, Extent::Piece);
        let steps = Workflow::steps_of(workflow.root);
        assert_eq!(steps.len(), 1);
        assert_eq!((steps[0].uses(), steps[0].lines()), (Some(("a/b@v1", 11)), 11..=13));
    }
}
