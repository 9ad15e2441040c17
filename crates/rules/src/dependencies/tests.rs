//! The rules about dependencies through their front door.

use review::{Lens, Severity};

use crate::tests::changed;
use crate::{Examined, FileReport, FileView, RuleOptions, review_file};

fn review(path: &str, before: Option<&str>, after: &str) -> FileReport {
    let file = changed(path, before, after);
    review_file(&FileView::new(&file, before, Some(after)), &RuleOptions::default())
}

fn said(report: &FileReport) -> Vec<(&str, u32, Severity)> {
    let of = report.findings.iter().map(|finding| {
        let rule = finding.rule.as_deref().unwrap_or_default();
        (rule, finding.lines.map_or(0, |(first, _)| first), finding.severity)
    });
    of.collect()
}

#[test]
fn new_dependencies_are_listed_once_and_new_versions_are_not() {
    let before = "[dependencies]\na = \"1\"\n";
    let report = review("Cargo.toml", Some(before), "[dependencies]\na = \"2\"\nb = \"1\"\nc = \"1\"\n");
    assert_eq!(said(&report), [("dependencies/new-dependency", 3, Severity::Low)]);
    assert!(report.findings[0].body.starts_with("New here: `b`, `c`."));
}

#[test]
fn a_dependency_that_moves_within_the_manifest_is_not_new() {
    let before = "[dependencies]\na = \"1\"\n";
    let report =
        review("Cargo.toml", Some(before), "[dependencies]\n[dev-dependencies]\na = \"1\"\nx = \"1\"\n");
    assert!(report.findings[0].body.starts_with("New here: `x`."));
}

#[test]
fn a_source_is_reported_where_it_changes() {
    let before = "[dependencies]\na = { git = \"https://x.example/a\" }\n";
    let report = review(
        "Cargo.toml",
        Some(before),
        &format!("{before}b = {{ git = \"https://x.example/b\", branch = \"main\" }}\n"),
    );
    assert_eq!(
        said(&report),
        [
            ("dependencies/new-dependency", 3, Severity::Low),
            ("dependencies/unusual-source", 3, Severity::Medium)
        ]
    );
}

#[test]
fn a_manifest_of_a_new_project_is_not_a_list_of_news() {
    assert_eq!(said(&review("requirements.txt", None, "flask==3\nnumpy\n")), []);
    let report = review("requirements.txt", None, "reqeusts==2\n");
    assert_eq!(said(&report), [("dependencies/lookalike-name", 1, Severity::Medium)]);
}

#[test]
fn with_only_the_diff_the_hunk_is_read() {
    let before = "{\n  \"dependencies\": {\n    \"a\": \"^1.0.0\"\n  }\n}\n";
    let file = changed(
        "package.json",
        Some(before),
        &before.replace("^1.0.0\"", "^1.0.0\",\n    \"b\": \"http://x.example/b.tgz\""),
    );
    let report = review_file(&FileView::new(&file, None, None), &RuleOptions::default());
    assert_eq!(
        said(&report),
        [
            ("dependencies/new-dependency", 4, Severity::Low),
            ("dependencies/unusual-source", 4, Severity::High)
        ]
    );
}

#[test]
fn a_manifest_that_nothing_can_read_is_a_gap_and_its_lines_are_read_all_the_same() {
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let before = "{\n  \"dependencies\": {\n    \"a\": \"1\"\n  }\n}\n";
    let after = format!(
        "{{\n  \"x\": {deep},\n  \"dependencies\": {{\n    \"a\": \"1\",\n    \"left-oak\": \"^1.0.0\"\n  }}\n}}\n"
    );
    let report = review("package.json", Some(before), &after);
    let Some(Examined::Failed(reason)) = report.examined(Lens::Security) else { panic!("{report:?}") };
    assert!(reason.starts_with("what it names could not be read: its values nest"), "{reason}");
    assert_eq!(said(&report), [("dependencies/new-dependency", 5, Severity::Low)]);
}
