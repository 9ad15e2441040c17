//! The expressions of GitHub Actions, and which of them hold what an outsider wrote.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

/// An expression in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expression<'a> {
    /// Where its `${{` is, in bytes.
    pub(super) offset: usize,
    /// What stands between the braces, trimmed.
    pub(super) inner: &'a str,
}

/// Finds the expressions of a text.
pub(super) fn expressions(text: &str) -> Vec<Expression<'_>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find("${{").map(|start| from + start) {
        let Some(length) = text[start..].find("}}") else { break };
        found.push(Expression { offset: start, inner: text[start + 3..start + length].trim() });
        from = start + length + 2;
    }
    found
}

/// Who chooses a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Author {
    /// Anybody who can open an issue or a pull request; the part of the expression that says so.
    Outsider(String),
    /// Whoever starts or calls the workflow.
    Caller(String),
}

/// What the rest of a workflow says about the names in its expressions.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// Environment variables that hold what an outsider wrote.
    pub(super) outsider_env: BTreeSet<String>,
    /// Steps whose outputs are names of files or branches of a pull request.
    pub(super) outsider_steps: BTreeSet<String>,
    /// Inputs that are numbers, truth values or one of a list.
    pub(super) harmless_inputs: BTreeSet<String>,
}

/// Fields of an event that its sender fills in. From GitHub's "Security hardening for GitHub Actions", with the
/// fields of `workflow_run` that repeat them.
static OUTSIDER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?xi)
        \bgithub\.head_ref\b
        | \bgithub\.event\.(?:issue|pull_request|discussion)\.(?:title|body)\b
        | \bgithub\.event\.pull_request\.head\.(?:ref|label|repo\.(?:default_branch|description|homepage))\b
        | \bgithub\.event\.(?:comment|review|review_comment)\.body\b
        | \bgithub\.event\.pages[\w.*\[\]]*\.(?:page_name|title)\b
        | \bgithub\.event\.(?:commits[\w.*\[\]]*|head_commit|workflow_run\.head_commit)\.(?:message|(?:author|committer)\.(?:name|email))\b
        | \bgithub\.event\.workflow_run\.(?:head_branch|display_title|head_repository\.description|pull_requests[\w.*\[\]]*\.head\.ref)\b
        | \btojson\(\s*github(?:\.event(?:\.(?:issue|pull_request|discussion|comment|review|review_comment|head_commit|commits|workflow_run))?)?\s*\)
        ",
    )
    .expect("a test compiles it")
});

/// What a caller hands over.
static CALLER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:github\.event\.)?inputs\.([\w-]+)|\bgithub\.event\.client_payload\b[\w.-]*")
        .expect("a test compiles it")
});

/// Indexing by a constant is the same as a dot.
static INDEX: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"\[\s*['"]([\w-]+)['"]\s*\]"#).expect("a test compiles it"));

/// Parts of an expression whose value is true or false, whatever is compared.
static COMPARISON: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?xi)\b(?:contains|startsWith|endsWith)\([^()]*\)
        | [\w.*\[\]-]+\s*(?:==|!=)\s*(?:'[^']*'|[\w.*\[\]-]+)
        | '[^']*'\s*(?:==|!=)\s*[\w.*\[\]-]+",
    )
    .expect("a test compiles it")
});

/// Tells who chooses the value of an expression, if it is not the workflow itself.
pub(super) fn author(inner: &str, scope: &Scope) -> Option<Author> {
    let dotted = INDEX.replace_all(inner, ".$1");
    let value = COMPARISON.replace_all(&dotted, "true");
    if let Some(found) = OUTSIDER.find(&value) {
        return Some(Author::Outsider(found.as_str().to_owned()));
    }
    let named = |prefix: &str, names: &BTreeSet<String>, counts: fn(&str) -> bool| {
        value.split(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '-'))).find_map(|word| {
            let name = word.strip_prefix(prefix)?.split('.').next()?;
            (names.contains(name) && counts(word)).then(|| word.to_owned())
        })
    };
    // Of the outputs of such a step those are texts that are called after what they list.
    let is_text = |word: &str| {
        let output = word.rsplit('.').next().unwrap_or_default();
        let states = ["any_", "only_", "is_"].iter().any(|start| output.starts_with(start))
            || output.ends_with("_count");
        !states
            && ["files", "dirs", "branch", "ref", "name", "paths"].iter().any(|part| output.contains(part))
    };
    if let Some(name) = named("env.", &scope.outsider_env, |_| true)
        .or_else(|| named("steps.", &scope.outsider_steps, is_text))
    {
        return Some(Author::Outsider(name));
    }
    let caller = CALLER
        .captures_iter(&value)
        .find(|found| found.get(1).is_none_or(|input| !scope.harmless_inputs.contains(input.as_str())))?;
    Some(Author::Caller(caller[0].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_outsider_wrote_is_told_from_what_github_made() {
        let scope = Scope {
            outsider_env: BTreeSet::from(["TITLE".to_owned()]),
            outsider_steps: BTreeSet::from(["changed".to_owned()]),
            harmless_inputs: BTreeSet::from(["debug".to_owned()]),
        };
        let cases = [
            ("github.event.issue.title", Some(true)),
            ("github.event.pull_request.head.ref", Some(true)),
            ("github.event['comment']['body']", Some(true)),
            ("github.event.commits[0].message", Some(true)),
            ("github.event.commits.*.author.email", Some(true)),
            ("toJSON(github.event)", Some(true)),
            ("format('x {0}', github.head_ref)", Some(true)),
            ("github.head_ref || github.ref_name", Some(true)),
            ("env.TITLE", Some(true)),
            ("steps.changed.outputs.all_changed_files", Some(true)),
            ("steps.changed.outputs.any_changed", None),
            ("inputs.version", Some(false)),
            ("inputs.debug", None),
            ("github.event.pull_request.number", None),
            ("github.event.pull_request.head.sha", None),
            ("github.event.comment.body == '/deploy'", None),
            ("contains(github.event.pull_request.title, 'wip')", None),
            ("github.event_name == 'push' && 'a' || 'b'", None),
            ("secrets.TOKEN", None),
            ("env.OTHER", None),
        ];
        for (inner, from_outside) in cases {
            let told = author(inner, &scope).map(|author| matches!(author, Author::Outsider(_)));
            assert_eq!(told, from_outside, "{inner}");
        }
    }

    #[test]
    fn expressions_are_found_where_they_are() {
        let found = expressions("a ${{ b }} ${{c}} ${{ open");
        assert_eq!(found, [Expression { offset: 2, inner: "b" }, Expression { offset: 11, inner: "c" }]);
    }
}
