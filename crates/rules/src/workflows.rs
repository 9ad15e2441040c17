//! Pipelines that let strangers in: workflows and actions of GitHub, and pipelines of GitLab.

mod checkout;
mod expression;
mod github;
mod gitlab;
mod model;
mod table;

use std::borrow::Cow;

use review::change::{Content, Operation};
use review::{FileChange, Lens, LineKind, Severity};

use crate::catalogue::RuleInfo;
use crate::new_side::{AddedLines, Found, whole_base, whole_head};
use crate::secrets::Redacted;
use crate::tree::{Unreadable, yaml};
use crate::{BINARY, Examined, Family, FileReport, FileView, RuleOptions, Support};

use self::model::{Extent, Workflow, piece};

/// The family.
pub(crate) const FAMILY: Family =
    Family { lens: Lens::Security, supports, reads_whole_files: true, review, catalogue };

/// A kind of pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    GithubWorkflow,
    GithubAction,
    Gitlab,
}

/// The kind of pipeline that a path names. GitHub runs workflows in one folder only, and actions from anywhere.
fn kind(path: &str) -> Option<Kind> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    if !is_yaml {
        return None;
    }
    if path.strip_prefix(".github/workflows/").is_some_and(|rest| !rest.contains('/')) {
        return Some(Kind::GithubWorkflow);
    }
    if matches!(name, "action.yml" | "action.yaml") {
        return Some(Kind::GithubAction);
    }
    let gitlab = matches!(name, ".gitlab-ci.yml" | ".gitlab-ci.yaml")
        || name.ends_with(".gitlab-ci.yml")
        || path.starts_with(".gitlab/ci/")
        || path.starts_with(".gitlab-ci/");
    gitlab.then_some(Kind::Gitlab)
}

fn supports(file: &FileChange) -> Support {
    match (&file.content, file.operation) {
        (Content::Binary, _) => Support::NotSupported(BINARY),
        (Content::Nothing | Content::Text(_), _) => match kind(file.path.as_str()) {
            Some(_) => Support::Supported,
            None => Support::NotSupported("it is no pipeline that the rules know"),
        },
    }
}

fn catalogue() -> Vec<RuleInfo> {
    table::RULES.iter().map(|rule| RuleInfo::from(*rule)).collect()
}

/// Looks at what a change adds to a pipeline.
fn review(
    view: &FileView<'_>,
    redacted: &Redacted<'_>,
    _options: &RuleOptions,
    report: &mut FileReport,
) -> Examined {
    let Some(kind) = kind(view.file.path.as_str()) else {
        return Examined::NotSupported("it is no pipeline that the rules know".to_owned());
    };
    let added = AddedLines::of(view.file, redacted);
    if added.is_empty() || view.file.operation == Operation::Deleted {
        return Examined::All;
    }
    let mut found = Found::new(&added);
    let before = before(view);
    let examined = match whole_head(view) {
        Some(head) => match yaml(&head).or_else(|error| yaml(&forgiving(&head)).map_err(|_| error)) {
            Ok(root) => {
                check(kind, &Workflow::new(&head, &root, Extent::Whole), &before, view.file, &mut found);
                Examined::All
            }
            Err(error) => {
                let was_readable = whole_base(view).is_none_or(|base| yaml(base).is_ok());
                if let (Unreadable::Syntax { line, .. }, true) = (&error, was_readable) {
                    broken(*line, &error.to_string(), &mut found);
                }
                Examined::Failed(format!("the pipeline could not be read as YAML: {error}"))
            }
        },
        None => review_pieces(kind, view.file, &before, &mut found, report),
    };
    found.report(report);
    examined
}

/// The text with a blank before each comment that follows a quote, where YAML wants one and many parsers do not. Every
/// line stays where it is.
fn forgiving(text: &str) -> String {
    text.replace("'#", "' #").replace("\"#", "\" #")
}

/// Reports a pipeline that is no YAML, at the place if the change adds that.
fn broken(line: u32, problem: &str, found: &mut Found<'_>) {
    let body = format!("{problem}.");
    if found.adds(line) {
        found.at(&table::NOT_YAML, Severity::Medium, line, 0, &body);
    } else {
        found.about_file(&table::NOT_YAML, Severity::Medium, &body);
    }
}

fn check(kind: Kind, workflow: &Workflow<'_>, before: &str, file: &FileChange, found: &mut Found<'_>) {
    match kind {
        Kind::GithubWorkflow | Kind::GithubAction => github::check(workflow, before, file, found),
        Kind::Gitlab => gitlab::check(workflow, found),
    }
}

/// Looks at the new side of each hunk, since the whole file is not here.
fn review_pieces(
    kind: Kind,
    file: &FileChange,
    before: &str,
    found: &mut Found<'_>,
    report: &mut FileReport,
) -> Examined {
    let mut unread = 0;
    for hunk in file.hunks() {
        let lines: Vec<&str> =
            hunk.lines().filter(|line| line.kind != LineKind::Removed).map(|line| line.text).collect();
        match piece(hunk.new_start.max(1), &lines) {
            Some((text, Ok(root))) => {
                check(kind, &Workflow::new(&text, &root, Extent::Piece), before, file, found);
            }
            Some((_, Err(_))) => unread += 1,
            None => {}
        }
    }
    report.notes.push(
        "only the diff of this pipeline is here: what starts it, and what stands outside the hunks, was not seen"
            .to_owned(),
    );
    if unread > 0 {
        return Examined::NotSupported(format!(
            "{unread} of its hunks make no sense without the rest of the pipeline, and only the diff is here"
        ));
    }
    Examined::All
}

/// What is known of the old file: all of it, or the old side of the hunks.
fn before<'a>(view: &FileView<'a>) -> Cow<'a, str> {
    if let Some(base) = whole_base(view) {
        return Cow::Borrowed(base);
    }
    let lines = view.file.hunks().iter().flat_map(review::Hunk::lines);
    let old = lines.filter(|line| line.kind != LineKind::Added).map(|line| line.text);
    Cow::Owned(old.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests;
