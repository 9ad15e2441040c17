//! What holds of every change: it is total, it always says the same, and another file never makes it look safer.

use proptest::prelude::*;

use super::*;
use crate::LineKind;

const PATHS: [&str; 24] = [
    "README.md",
    "docs/a.png",
    "docs/a.txt",
    "src/a.rs",
    "src/auth/a.py",
    "src/Login.java",
    "tests/a.rs",
    "a_test.go",
    "AGENTS.md",
    "prompts/a.j2",
    ".github/workflows/release.yml",
    "Makefile",
    "package.json",
    "Cargo.lock",
    "Dockerfile",
    "main.tf",
    "db/migrate/1.rb",
    "db/1.down.sql",
    "a.proto",
    "src/lib.rs",
    "vendor/a.c",
    "logo.png",
    "words.txt",
    "install",
];

const LINES: [&str; 16] = [
    "#!/bin/sh",
    "eval(text)",
    "drop table users;",
    "def down",
    "def up",
    "pub fn a() {",
    "pub fn a(b: u8) {",
    "You are a careful reviewer.",
    "// @generated",
    "\"version\": \"2\"",
    "SELECT a FROM b",
    "password = 1",
    "npm publish",
    "-----BEGIN PRIVATE KEY-----",
    "Subproject commit 1111111111111111111111111111111111111111",
    "a",
];

fn path() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => proptest::sample::select(&PATHS[..]).prop_map(str::to_owned),
        1 => "[a-zA-Z_./{}\\[\\]*\\\\\u{202e}é\"\n]{0,30}",
        1 => any::<String>(),
    ]
}

fn line() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        4 => proptest::sample::select(&LINES[..]).prop_map(str::to_owned),
        1 => "[^\n]{0,40}",
    ];
    let marker = proptest::sample::select(&['+', '-', ' ', '\\'][..]);
    (marker, text).prop_map(|(marker, text)| format!("{marker}{text}\n"))
}

fn file() -> impl Strategy<Value = FileChange> {
    let content = prop_oneof![
        8 => (any::<u32>(), ".{0,20}", proptest::collection::vec(line(), 0..8)).prop_map(|(start, heading, lines)| {
            let start = start % 3;
            Content::Text(vec![Hunk::new(start, start, heading, lines.concat(), false)])
        }),
        1 => Just(Content::Binary),
        1 => Just(Content::Nothing),
    ];
    let mode = proptest::sample::select(
        &[None, Some(0o100_644), Some(0o100_755), Some(0o120_000), Some(0o160_000)][..],
    );
    (path(), proptest::option::weighted(0.2, path()), mode, content).prop_map(
        |(path, old_path, mode, content)| {
            let mut file = file_of(&path, content);
            file.old_path = old_path.as_deref().map(RepoPath::from);
            file.modes = (None, mode);
            file
        },
    )
}

fn files() -> impl Strategy<Value = Vec<FileChange>> {
    proptest::collection::vec(file(), 0..5)
}

proptest! {
    #[test]
    fn another_file_never_makes_a_change_look_safer(files in files(), another in file(), at in any::<usize>()) {
        let fewer = change_of(files.clone());
        let mut more = files;
        more.insert(at % (more.len() + 1), another);
        let more = change_of(more);
        let (before, after) = (classify(&fewer, &RULES), classify(&more, &RULES));
        prop_assert!(after.risk >= before.risk);
        prop_assert!(after.reversibility >= before.reversibility);
        for label in labels_of(&before) {
            prop_assert!(after.has(label), "{label:?} is gone");
        }
        if !fewer.files.is_empty() {
            prop_assert!(!is_docs_only(&more, &after) || is_docs_only(&fewer, &before));
        }
        for (was, is) in lenses(&fewer, &before).into_iter().zip(lenses(&more, &after)) {
            prop_assert!(is.seated || !was.seated, "{:?} lost its seat: {}", was.lens, is.reason);
            prop_assert!(is.files.len() >= was.files.len());
        }
    }

    #[test]
    fn every_change_is_classified_and_always_the_same(files in files()) {
        let change = change_of(files);
        let classification = classify(&change, &RULES);
        prop_assert_eq!(&classification, &classify(&change, &RULES));
        prop_assert_eq!(classification.files.len(), change.files.len());
        prop_assert!(!classification.risk_reasons.is_empty());
        prop_assert!(!classification.reversibility_reasons.is_empty());
        for labelled in &classification.labels {
            prop_assert!(!labelled.reasons.is_empty() && labelled.reasons.len() <= REASONS);
        }
        for decision in lenses(&change, &classification) {
            prop_assert_eq!(decision.seated, !decision.files.is_empty());
            prop_assert!(!decision.reason.is_empty());
        }
    }

    #[test]
    fn only_documents_and_what_is_not_text_are_shown_to_no_model(file in file()) {
        let changes_lines = file.hunks().iter().flat_map(Hunk::lines).any(|line| line.kind != LineKind::Context);
        let change = change_of(vec![file]);
        let classification = classify(&change, &RULES);
        let class = &classification.files[0];
        if changes_lines && !class.has(Label::Docs) {
            prop_assert!(lenses(&change, &classification).iter().any(|decision| decision.seated), "{class:?}");
        }
    }

    #[test]
    fn another_line_never_makes_a_file_look_safer(path in path(), lines in proptest::collection::vec(line(), 0..6)) {
        let less = change(&[(&path, &lines.concat())]);
        let more = change(&[(&path, &format!("{}+eval(text)", lines.concat()))]);
        let (before, after) = (classify(&less, &RULES), classify(&more, &RULES));
        prop_assert!(after.risk >= before.risk);
        for label in labels_of(&before) {
            prop_assert!(after.has(label) || label == Label::PublicApi, "{label:?} is gone");
        }
    }
}
