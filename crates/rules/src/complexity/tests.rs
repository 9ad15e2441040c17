//! What the rule about functions says of small files and of what a change does to them.

use review::Hunk;

use super::*;
use crate::review_file;

/// A function with so many branches in each other.
fn function(name: &str, depth: usize) -> String {
    let mut text = format!("fn {name}(a: u32) {{\n");
    (0..depth).for_each(|_| text.push_str("    if a > 0 {\n"));
    (0..depth).for_each(|_| text.push_str("    }\n"));
    text + "}\n"
}

/// The change from one text to another: everything behind the lines that they start with alike.
fn change(path: &str, base: &str, head: &str) -> FileChange {
    let alike = base.lines().zip(head.lines()).take_while(|(old, new)| old == new).count();
    let marked = |text: &str, marker: char| -> String {
        text.lines().skip(alike).map(|line| format!("{marker}{line}\n")).collect()
    };
    let start = alike as u32 + 1;
    let hunk = Hunk::new(start, start, String::new(), marked(base, '-') + &marked(head, '+'), false);
    FileChange {
        path: RepoPath::from(path),
        old_path: None,
        operation: if base.is_empty() { Operation::Added } else { Operation::Modified },
        modes: (None, None),
        content: Content::Text(vec![hunk]),
    }
}

fn report(base: &str, head: &str) -> FileReport {
    let file = change("a.rs", base, head);
    let base = Some(base).filter(|base| !base.is_empty());
    review_file(&FileView::new(&file, base, Some(head)), &RuleOptions::default())
}

fn titles(base: &str, head: &str) -> Vec<String> {
    report(base, head).findings.into_iter().map(|finding| finding.title).collect()
}

#[test]
fn a_function_that_crosses_a_limit_is_reported_with_both_measures() {
    let report = report(&function("parse", 3), &function("parse", 8));
    let [finding] = report.findings.as_slice() else { panic!("{report:?}") };
    assert_eq!(finding.title, "parse(): cognitive complexity 6 → 36");
    assert!(finding.body.starts_with(
        "Cognitive complexity 6 → 36 (limit 25); nesting depth 3 → 8 (limit 5). parse() now has"
    ));
    assert_eq!(finding.severity, Severity::Medium);
    assert_eq!(finding.quote, "    if a > 0 {");
    assert_eq!(report.examined(Lens::Complexity), Some(&Examined::All));
}

#[test]
fn a_new_function_is_reported_at_its_declaration_and_low_when_just_over() {
    let report = report("", &function("parse", 6));
    let [finding] = report.findings.as_slice() else { panic!("{report:?}") };
    assert_eq!(finding.title, "parse() is new, with a nesting depth of 6");
    assert_eq!((finding.severity, finding.lines), (Severity::Low, Some((1, 1))));
    assert_eq!(finding.quote, "fn parse(a: u32) {");
}

#[test]
fn a_function_within_the_limits_or_untouched_is_no_finding() {
    assert_eq!(titles("", &function("parse", 5)), [""; 0]);
    let complex = function("parse", 9);
    let other = function("other", 1);
    assert_eq!(titles(&(complex.clone() + &other), &(complex + &function("other", 2))), [""; 0]);
}

#[test]
fn a_function_far_above_a_limit_is_reported_only_when_it_grows_by_a_tenth_of_it() {
    let base = function("parse", 9);
    assert_eq!(titles(&base, &base.replace("a > 0 {\n    }", "a > 1 {\n    }")), [""; 0]);
    assert_eq!(titles(&base, &function("parse", 10)), ["parse(): cognitive complexity 45 → 55"]);
}

#[test]
fn a_function_that_grows_by_a_little_over_a_limit_is_no_finding() {
    let branches = |count: usize| {
        let body = "    if a > 0 {\n        b();\n    }\n".repeat(count);
        format!("fn parse(a: u32) {{\n{body}}}\n")
    };
    let limit = RuleOptions { max_cyclomatic: 1_000, ..RuleOptions::default() };
    let titles = |before: usize, after: usize| -> Vec<String> {
        let (before, after) = (branches(before), branches(after));
        let file = change("a.rs", &before, &after);
        let report = review_file(&FileView::new(&file, Some(&before), Some(&after)), &limit);
        report.findings.into_iter().map(|finding| finding.title).collect()
    };
    assert_eq!(titles(25, 26), [""; 0]);
    assert_eq!(titles(24, 26), [""; 0]);
    assert_eq!(titles(25, 28), ["parse(): cognitive complexity 25 → 28"]);
}

#[test]
fn a_function_that_leaves_another_file_is_not_new() {
    let complex = function("parse", 9);
    let old = change("old.rs", &complex, "");
    let titles = |head: &str| -> Vec<String> {
        let files = [change("new.rs", "", head), old.clone()];
        let facts = crate::ChangeFacts::of(&files);
        let view = FileView { change: &facts, ..FileView::new(&files[0], None, Some(head)) };
        let report = review_file(&view, &RuleOptions::default());
        report.findings.into_iter().map(|finding| finding.title).collect()
    };
    assert_eq!(titles(&complex), [""; 0]);
    assert_eq!(titles(&format!("pub {complex}")), [""; 0]);
    assert_eq!(titles(&complex.replacen("{\n", "{\n    start();\n", 1)), [""; 0]);
    assert_eq!(titles(&function("parse", 12)), ["parse(): cognitive complexity 45 → 78"]);
    assert_eq!(titles(&complex.replace("parse", "read")).len(), 1);
}

#[test]
fn a_finding_stands_at_the_declaration_or_else_at_code_and_not_at_a_comment() {
    let before = function("parse", 0);
    let after = function("parse", 9).replacen("{\n", "{\n    // More cases.\n", 1);
    let added: String = after.lines().skip(1).map(|line| format!("+{line}\n")).collect();
    let quote = |start: u32, context: &str| {
        let hunk = Hunk::new(start, start, String::new(), context.to_owned() + &added, false);
        let file = FileChange { content: Content::Text(vec![hunk]), ..change("a.rs", &before, &after) };
        let view = FileView::new(&file, Some(&before), Some(&after));
        review_file(&view, &RuleOptions::default()).findings[0].quote.clone()
    };
    assert_eq!(quote(1, " fn parse(a: u32) {\n"), "fn parse(a: u32) {");
    assert_eq!(quote(2, ""), "    if a > 0 {");
}

#[test]
fn a_function_that_moves_or_is_called_anew_is_not_new() {
    let complex = function("parse", 9);
    let moved = function("first", 1) + &complex;
    assert_eq!(titles(&complex, &moved), [""; 0]);
    assert_eq!(titles(&complex, &function("read", 9)), [""; 0]);
}

#[test]
fn a_test_may_be_long_and_assert_often() {
    let long = |statement: &str| format!("def f():\n{}", format!("    {statement}\n").repeat(130));
    let found = |path: &str, statement: &str| {
        let (file, head) = (change(path, "", &long(statement)), long(statement));
        let report = review_file(&FileView::new(&file, None, Some(&head)), &RuleOptions::default());
        report.findings.len()
    };
    assert_eq!((found("f.py", "a()"), found("tests/f.py", "a()")), (1, 0));
    assert_eq!((found("f.py", "assert a()"), found("tests/f.py", "assert a()")), (1, 0));
    assert_eq!(found("tests/f.py", "if a():\n        b()"), 1);
}

#[test]
fn what_is_minified_is_not_measured_and_a_note_says_so() {
    let one_line = format!("{}\n", function("parse", 9).replace('\n', " "));
    assert_eq!(titles("", &one_line).len(), 1);
    let minified = report("", &format!("{}\n", one_line.trim_end().repeat(20)));
    assert_eq!(minified.findings, []);
    assert_eq!(minified.notes, ["functions in lines that no person writes, which are not measured: 20"]);
}

#[test]
fn size_alone_is_low() {
    let long = format!("fn f() {{\n{}}}\n", "    a();\n".repeat(400));
    let report = report("", &long);
    assert_eq!(report.findings.iter().map(|one| one.severity).collect::<Vec<_>>(), [Severity::Low]);
}

#[test]
fn a_name_that_could_be_prose_is_not_repeated() {
    let metrics = |name: &str| FunctionMetrics {
        name: Some(name.to_owned()),
        start_line: 1,
        end_line: 1,
        cognitive: 0,
        cyclomatic: 1,
        lines: 1,
        nesting: 0,
        parameters: 0,
    };
    assert_eq!(spoken_name(&metrics("ns::parse_2")), "ns::parse_2()");
    assert_eq!(spoken_name(&metrics("'please approve @all'")), "this function");
}

#[test]
fn a_file_in_another_language_or_too_large_is_not_supported() {
    let head = " ".repeat(code::MAX_SOURCE_BYTES + 1);
    for (path, head) in [("a.md", "text"), ("a.rs", head.as_str())] {
        let file = change(path, "", "x");
        let view = FileView::new(&file, None, Some(head));
        let report = review_file(&view, &RuleOptions::default());
        assert!(matches!(report.examined(Lens::Complexity), Some(Examined::NotSupported(_))), "{path}");
    }
}

#[test]
fn a_file_that_cannot_be_parsed_has_failed_and_one_with_errors_has_a_note() {
    let endless = "a<".repeat(10_000);
    assert!(matches!(report("", &endless).examined(Lens::Complexity), Some(Examined::Failed(_))));
    let broken = report("", "fn f( { if } }\n");
    assert_eq!(broken.notes, ["parts of it could not be parsed as Rust; functions there are not measured"]);
}

#[test]
fn a_secret_in_a_declaration_is_not_quoted() {
    let token = ["ghp", "_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17"].concat();
    let head = function("parse", 8).replace("(a: u32) {", &format!("(a: u32) {{ // {token}"));
    let report = report("", &head);
    assert_eq!(report.findings.len(), 2);
    assert!(report.findings.iter().all(|finding| finding.quote.contains("[redacted:secrets/github-token]")));
}
