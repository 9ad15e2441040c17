//! The rules through their front door: a change in, a report out.

use proptest::prelude::*;
use review::change::{Content, Operation};
use review::{Change, FileChange, Hunk, Lens, RepoPath, Severity};

use super::*;

/// A new file of these lines.
fn new_file(path: &str, text: &str) -> FileChange {
    changed_file(path, text.split_terminator('\n').map(|line| format!("+{line}\n")).collect())
}

pub(crate) use catalogue::file as changed;

/// A change of one file.
pub(crate) fn change_of(file: FileChange) -> Change {
    catalogue::change(vec![file])
}

/// A file with a hunk of lines that have their markers.
fn changed_file(path: &str, body: String) -> FileChange {
    FileChange {
        path: RepoPath::from(path),
        old_path: None,
        operation: Operation::Modified,
        modes: (None, None),
        content: Content::Text(vec![Hunk::new(1, 1, String::new(), body, false)]),
    }
}

fn review(file: &FileChange) -> FileReport {
    review_file(&FileView::new(file, None, None), &RuleOptions::default())
}

fn token() -> String {
    ["ghp", "_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17"].concat()
}

fn bodies(file: &FileChange) -> String {
    file.hunks().iter().map(Hunk::body).collect()
}

#[test]
fn a_secret_on_an_added_line_is_a_finding_that_does_not_repeat_it() {
    let file = changed_file("a.py", format!(" x = 1\n+TOKEN = \"{}\"\n", token()));
    let report = review(&file);
    assert_eq!(report.findings.len(), 1);
    let finding = &report.findings[0];
    assert_eq!(finding.rule.as_deref(), Some("secrets/github-token"));
    assert_eq!((finding.lines, finding.severity), (Some((2, 2)), Severity::Critical));
    assert_eq!(finding.quote, "TOKEN = \"[redacted:secrets/github-token]\"");
    assert!(!format!("{report:?}").contains(&token()));
    assert_eq!(report.examined(Lens::Security), Some(&Examined::All));
}

#[test]
fn a_secret_that_leaves_or_stays_is_redacted_but_no_finding() {
    let file = changed_file("a.py", format!("-A = \"{0}\"\n B = \"{0}\"\n+C = 1\n", token()));
    let report = review(&file);
    assert!(report.findings.is_empty());
    let redacted = redact_hunks(&file, &report.secrets);
    assert!(!bodies(&redacted).contains(&token()));
    assert_eq!(bodies(&redacted).matches("[redacted:secrets/github-token]").count(), 2);
}

#[test]
fn a_secret_is_taken_out_where_only_its_value_tells() {
    let password = ["Wq8!", "zR4-kk2"].concat();
    let file = changed_file("a.py", format!("+password = \"{password}\"\n+login({password})\n"));
    let report = review(&file);
    assert_eq!(report.findings.len(), 1);
    assert!(!bodies(&redact_hunks(&file, &report.secrets)).contains(&password));
}

#[test]
fn a_line_that_takes_too_much_work_is_said_to_be_unsearched_and_left_out() {
    let costly = "secret=token=password=".repeat(2_000);
    let file = changed_file("a.js", format!("+{costly}\n+x = \"{}\"\n", token()));
    let report = review(&file);
    let Some(Examined::Failed(reason)) = report.examined(Lens::Security) else {
        panic!("{:?}", report.examined);
    };
    assert!(reason.starts_with("1 line would take more work"), "{reason}");
    assert_eq!(report.findings.len(), 1);
    let expected = "+[redacted:not-scanned]\n+x = \"[redacted:secrets/github-token]\"\n";
    assert_eq!(bodies(&redact_hunks(&file, &report.secrets)), expected);
}

#[test]
fn a_binary_file_is_not_supported() {
    let file = FileChange { content: Content::Binary, ..new_file("a.png", "") };
    let report = review(&file);
    assert!(matches!(report.examined(Lens::Security), Some(Examined::NotSupported(_))));
    assert!(matches!(review(&file).examined(Lens::Security), Some(Examined::NotSupported(_))));
}

#[test]
fn hidden_text_is_quoted_visibly() {
    let report = review(&new_file("a.c", "int x;\nif (a\u{202e}b) {}"));
    let finding = &report.findings[0];
    assert_eq!(finding.rule.as_deref(), Some("hidden-text/bidi-control"));
    assert_eq!(finding.quote, "if (a\\u{202e}b) {}");
    assert_eq!((finding.lines, finding.severity), (Some((2, 2)), Severity::High));
    assert!(finding.body.contains("U+202E (right-to-left override) at column 6"));
}

#[test]
fn prose_may_hold_what_code_may_not() {
    let severity_in = |path: &str| {
        let report = review(&new_file(path, "a\u{202e}b"));
        report.findings.iter().map(|finding| finding.severity).collect::<Vec<_>>()
    };
    assert_eq!(severity_in("a.c"), [Severity::High]);
    assert_eq!(severity_in("docs/a.md"), [Severity::Medium]);
    assert_eq!(severity_in("app/locales/ar.json"), [Severity::Medium]);
    assert_eq!(severity_in("config/a.json"), [Severity::High]);
}

#[test]
fn many_lines_of_one_kind_are_counted_not_listed() {
    let report = review(&new_file("a.c", &"x\u{200b}y;\n".repeat(12)));
    assert_eq!(report.findings.len(), 5);
    assert_eq!(
        report.notes,
        [
            "7 more lines of this file are what hidden-text/zero-width finds",
            "only the diff is at hand: calls are followed inside each hunk",
        ]
    );
    let many: String =
        (0..30).map(|index| format!("password = \"Xy{}z!q\"\n", index * 7919 + 123_457)).collect();
    let report = review(&new_file("a.ini", &many));
    assert_eq!((report.findings.len(), report.secrets.len()), (20, 30));
    assert_eq!(report.notes, ["secrets in this file that are not listed one by one: 10"]);
}

#[test]
fn hidden_text_in_a_path_is_found_whatever_the_file_holds() {
    let file = FileChange { content: Content::Binary, ..new_file("src/ad\u{200b}min.png", "") };
    let report = review(&file);
    let [finding] = report.findings.as_slice() else { panic!("{report:?}") };
    assert_eq!((finding.lines, finding.quote.as_str()), (None, "src/ad\\u{200b}min.png"));
}

#[test]
fn a_private_key_is_one_finding_and_every_line_of_it_goes() {
    let armour = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAA";
    let (begin, end) =
        (["-----BEGIN ", "PRIVATE KEY-----"].concat(), ["-----END ", "PRIVATE KEY-----"].concat());
    let file = new_file("id", &format!("{begin}\n{armour}\n{armour}\n{end}\n"));
    let report = review(&file);
    let [finding] = report.findings.as_slice() else { panic!("{report:?}") };
    assert_eq!(finding.rule.as_deref(), Some("secrets/private-key"));
    assert_eq!((finding.lines, &finding.quote), (Some((1, 3)), &begin));
    assert!(!bodies(&redact_hunks(&file, &report.secrets)).contains(&armour[..8]));
}

#[test]
fn among_tests_a_key_that_anybody_can_make_is_low_and_an_issuers_is_not() {
    let key = [
        "-----BEGIN ",
        "PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAA\n-----END ",
        "PRIVATE KEY-----\n",
    ]
    .concat();
    let severities = |path: &str, text: &str| -> Vec<Severity> {
        review(&new_file(path, text)).findings.into_iter().map(|finding| finding.severity).collect()
    };
    assert_eq!(severities("deploy/server.key", &key), [Severity::Critical]);
    assert_eq!(severities("tests/certs/server.key", &key), [Severity::Low]);
    assert_eq!(severities("tests/a.py", &token()), [Severity::Critical]);
}

#[test]
fn a_secret_with_a_wrong_checksum_is_doubted_and_still_taken_out() {
    let wrong = token().replace("zQW", "zQX");
    let file = new_file("a.py", &format!("TOKEN = \"{wrong}\""));
    let report = review(&file);
    assert_eq!(report.findings[0].severity, Severity::Low);
    assert!(!bodies(&redact_hunks(&file, &report.secrets)).contains(&wrong));
}

#[test]
fn complexity_needs_the_whole_file() {
    let file = changed_file("a.rs", "+fn f() {}\n".to_owned());
    assert!(matches!(review(&file).examined(Lens::Complexity), Some(Examined::NotSupported(_))));
    let view = FileView::new(&file, Some(""), Some("fn f() {}\n"));
    assert_eq!(review_file(&view, &RuleOptions::default()).examined(Lens::Complexity), Some(&Examined::All));
}

fn lines_strategy() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "\\PC{0,30}".prop_map(|text| text.replace('\n', " ")),
        2 => "(password|token|secret|api_key)[\" ]?[:=] ?\"?[A-Za-z0-9!/+_-]{4,40}\"?",
        1 => Just(token()),
        1 => Just(["-----BEGIN RSA ", "PRIVATE KEY-----"].concat()),
        1 => "[A-Za-z0-9+/]{64}",
        1 => "(postgres|redis)://[a-z]{1,6}:[A-Za-z0-9!]{3,20}@[a-z]{1,6}",
        1 => "\\[redacted:(secrets/github-token|not-scanned|other)\\]",
    ];
    let line = prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat());
    prop::collection::vec((prop_oneof![Just('+'), Just('-'), Just(' ')], line), 0..8)
        .prop_map(|lines| lines.into_iter().map(|(marker, line)| format!("{marker}{line}\n")).collect())
}

proptest! {
    #[test]
    fn no_secret_survives_redaction_and_no_number_changes(body in lines_strategy()) {
        let file = changed_file("a.py", body);
        let report = review(&file);
        let redacted = redact_hunks(&file, &report.secrets);
        let hunk = &file.hunks()[0];
        let lines: Vec<_> = hunk.lines().collect();
        for span in &report.secrets {
            let secret = &lines[span.line].text[span.bytes.clone()];
            if secret.len() >= 8 {
                prop_assert!(!redacted.hunks()[0].body().contains(secret), "{secret} of {}", span.rule);
            }
        }
        let numbers = |hunk: &Hunk| hunk.lines().map(|line| (line.kind, line.old, line.new)).collect::<Vec<_>>();
        prop_assert_eq!(numbers(hunk), numbers(&redacted.hunks()[0]));
        let again = review(&redacted);
        prop_assert_eq!(again.secrets, []);
        prop_assert_eq!(bodies(&redact_hunks(&redacted, &[])), bodies(&redacted));
    }

    #[test]
    fn redacting_a_text_twice_is_redacting_it_once(body in lines_strategy()) {
        let (once, _) = redact_text(&body);
        let (twice, count) = redact_text(&once);
        prop_assert_eq!(count, 0);
        prop_assert_eq!(once, twice);
    }
}
