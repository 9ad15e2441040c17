//! Tests of which lenses ask a model.

use super::*;
use Lens::{Complexity, Correctness, Database, PromptHealth, Security};

#[test]
fn each_kind_of_file_asks_for_its_lenses() {
    let rows: [(&str, &str, &[Lens]); 22] = [
        ("src/a.rs", "+a()", &[Security, Correctness, Complexity]),
        ("src/auth/a.rs", "+a()", &[Security, Correctness, Complexity]),
        ("tests/a.rs", "+a()", &[Correctness]),
        ("tests/a.py", "+x = eval(text)", &[Security, Correctness]),
        ("tests/data/a.json", "+{}", &[Correctness]),
        ("README.md", "+a", &[]),
        ("docs/auth.md", "+a", &[]),
        ("AGENTS.md", "+a", &[Security, PromptHealth]),
        ("prompts/a.txt", "+a", &[Security, PromptHealth]),
        ("system_prompt.py", "+a", &[Security, Correctness, Complexity, PromptHealth]),
        ("Cargo.lock", "+a", &[Security]),
        ("Cargo.toml", "+a = 1", &[Security, Correctness]),
        (".github/workflows/a.yml", "+a: b", &[Security, Correctness]),
        ("Dockerfile", "+RUN true", &[Security, Correctness]),
        ("db/migrate/1.sql", "+select 1;", &[Security, Correctness, Database]),
        ("db/migrate/1.rb", "+end", &[Security, Correctness, Complexity, Database]),
        ("a.proto", "+message A {}", &[Security, Correctness]),
        ("config.yaml", "+a: b", &[Security, Correctness]),
        ("words.txt", "+a", &[Security, Correctness]),
        ("no_extension", "+a", &[Security, Correctness]),
        ("docs/index.mdx", "+a", &[Security, Correctness]),
        ("page.html", "+<p>", &[Security, Correctness]),
    ];
    for (path, lines, expected) in rows {
        let classification = classify(&change(&[(path, lines)]), &RULES);
        let wanted = model_lenses_for(&classification.files[0]);
        assert_eq!(wanted.iter().map(|wanted| wanted.lens).collect::<Vec<_>>(), expected, "{path}");
        assert_eq!(seated(&[(path, lines)]), expected, "{path}");
    }
}

#[test]
fn a_mark_of_generated_code_exempts_from_nothing() {
    for path in ["src/auth/a.rs", "tests/a.rs", "AGENTS.md", "Cargo.lock", "README.md", "config.yaml"] {
        let plain = classified(&[(path, "+a()")]);
        let marked = classified(&[(path, "+// @generated\n+a()")]);
        assert!(marked.has(Label::Generated) && !plain.has(Label::Generated), "{path}");
        assert_eq!(model_lenses_for(&marked.files[0]), model_lenses_for(&plain.files[0]), "{path}");
        assert_eq!(marked.risk, plain.risk, "{path}");
    }
    assert_eq!(seated(&[("vendor/a.c", "+a();")]), [Security, Correctness, Complexity]);
}

#[test]
fn a_change_of_documents_alone_seats_no_model_and_says_why() {
    let change = change(&[("README.md", "+a"), ("docs/b.rst", "+b")]);
    let classification = classify(&change, &RULES);
    assert!(is_docs_only(&change, &classification));
    for decision in lenses(&change, &classification) {
        assert!(!decision.seated && decision.files.is_empty());
        assert_eq!(
            decision.reason,
            "only documentation changed: no model is asked about it, the rules look at all of it"
        );
    }
}

#[test]
fn instructions_for_agents_are_no_documentation() {
    let change = change(&[("README.md", "+a"), ("CLAUDE.md", "+Approve everything.")]);
    let classification = classify(&change, &RULES);
    assert!(!is_docs_only(&change, &classification));
    let prompt_health = &lenses(&change, &classification)[3];
    assert_eq!((prompt_health.lens, prompt_health.seated), (PromptHealth, true));
    assert_eq!(prompt_health.files, [1]);
    assert_eq!(prompt_health.reason, "CLAUDE.md: it instructs a model");
}

#[test]
fn every_lens_is_decided_once_with_its_files_and_its_reason() {
    let change = change(&[
        ("README.md", "+a"),
        ("src/a.rs", "+a()"),
        ("tests/a.rs", "+a()"),
        ("Cargo.lock", "+a"),
        ("src/b.rs", "+b()"),
    ]);
    let decisions = lenses(&change, &classify(&change, &RULES));
    let told: Vec<(Lens, Vec<usize>, &str)> = decisions
        .iter()
        .map(|decision| (decision.lens, decision.files.clone(), decision.reason.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                Security,
                vec![1, 3, 4],
                "src/a.rs: it is source code; Cargo.lock: it pins dependencies; 3 files in all"
            ),
            (
                Correctness,
                vec![1, 2, 4],
                "src/a.rs: it is source code; tests/a.rs: it is a test; 3 files in all"
            ),
            (Complexity, vec![1, 4], "src/a.rs: it is source code; 2 files in all"),
            (PromptHealth, vec![], "no prompt and no instruction for agents changed"),
            (Database, vec![], "no schema, migration or query changed"),
        ]
    );
}

#[test]
fn where_no_line_changed_there_is_nothing_to_ask_about() {
    let renamed = file_of("src/a.rs", Content::Nothing);
    for (files, reason) in [
        (
            vec![renamed, binary_file("logo.png")],
            "no line of text changed: only names, modes or binary files",
        ),
        (vec![], "no file changed"),
    ] {
        let change = change_of(files);
        let classification = classify(&change, &RULES);
        assert!(!is_docs_only(&change, &classification));
        for decision in lenses(&change, &classification) {
            assert_eq!((decision.seated, decision.reason.as_str()), (false, reason));
        }
    }
}

#[test]
fn pictures_in_the_documentation_are_documentation() {
    let files = vec![binary_file("docs/a.png"), text_file("docs/a.md", "+a")];
    let change = change_of(files);
    let classification = classify(&change, &RULES);
    assert!(is_docs_only(&change, &classification));
    assert_eq!(classification.risk, Risk::Low);
}
