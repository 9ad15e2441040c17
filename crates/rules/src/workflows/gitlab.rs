//! The checks of GitLab's pipelines: those that need no knowledge of its settings.

use std::sync::LazyLock;

use regex::Regex;
use review::Severity;

use crate::new_side::Found;
use crate::tree::Node;

use super::github::{lines_of, remote_script};
use super::model::Workflow;
use super::table;

/// Variables that hold what the author of a commit or a merge request wrote, where a shell reads them as code.
static EVALUATED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:eval|(?:ba|z|da)?sh\s+-c)\b[^\n]*\$\{?CI_(?:COMMIT_(?:MESSAGE|TITLE|DESCRIPTION|REF_NAME|BRANCH|TAG|TAG_MESSAGE|AUTHOR)|MERGE_REQUEST_(?:TITLE|DESCRIPTION|SOURCE_BRANCH_NAME|LABELS))\b",
    )
    .expect("a test compiles it")
});

/// Looks at a pipeline, or a piece of one.
pub(super) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    workflow.root.each_map(&mut |map| {
        for key in ["script", "before_script", "after_script"] {
            let Some(entry) = map.entry(key) else { continue };
            remote_script(workflow, lines_of(entry), found);
            let first = entry.line;
            for (index, line) in workflow.text(lines_of(entry)).lines().enumerate() {
                if let Some(evaluated) = EVALUATED.find(line) {
                    let number = first + u32::try_from(index).unwrap_or(u32::MAX);
                    let body = "A commit or a merge request chooses this text, and a shell reads it as code.";
                    let rule = &table::UNTRUSTED_INTERPOLATION;
                    found.at(rule, Severity::High, number, evaluated.start(), body);
                }
            }
        }
        if let Some(address) = map.get("remote").and_then(Node::text)
            && map.get("integrity").is_none()
            && address.starts_with("http")
            && let Some(entry) = map.entry("remote")
        {
            let severity = if address.starts_with("http://") { Severity::High } else { Severity::Medium };
            found.at(
                &table::REMOTE_SCRIPT,
                severity,
                entry.line,
                0,
                "The pipeline itself is fetched from an address.",
            );
        }
    });
}
