//! Notes by line.

use super::*;

fn noted(text: &str) -> Attribution {
    let commits = [commit(person(), "work")];
    let notes = [Note { commit: commits[0].id.clone(), text: text.to_owned() }];
    run(&AuthorshipInput { commits: &commits, notes: &notes, ..AuthorshipInput::default() })
}

#[test]
fn git_ai_notes_count_what_is_attested() {
    let sessions = r#"{"schema_version":"authorship/3.0.0","base_commit_sha":"0","prompts":{"0123456789abcdef":{"agent_id":{"tool":"claude","id":"1","model":"claude-opus-4-5"}},"abc1234":{"agent_id":{"tool":"cursor","id":"1","model":"default"}},"fedcba9876543210":{"agent_id":{"tool":"cursor","id":"1","model":"composer-2"}}},"sessions":{"s_0123456789abcd":{"agent_id":{"tool":"codex","id":"1","model":"gpt-5.5"}},"s_fedcba98765432":{"agent_id":{"tool":"claude","id":"1","model":"<synthetic>"}}},"humans":{"h_0123456789abcd":{"author":"Ann <ann@mail.test>"}}}"#;
    let cases = [
        ("a.rs\n  s_0123456789abcd::t_0123456789abcd 1-4,9", "openai", AuthorState::Ai),
        ("a.rs\n  0123456789abcdef 1-4", "anthropic", AuthorState::Ai),
        ("a.rs\n  fedcba9876543210 1-4", "cursor-composer+moonshot", AuthorState::Ai),
        ("a.rs\n  abc1234 7", "?", AuthorState::UnknownAi),
        ("a.rs\n  s_fedcba98765432::t_0 7", "anthropic", AuthorState::Ai),
        ("a.rs\n  s_00000000000000::t_0 7", "?", AuthorState::UnknownAi),
        (
            "\"a b.rs\"\n  s_0123456789abcd::t_0 1\nb.rs\n  0123456789abcdef 2",
            "anthropic+openai",
            AuthorState::Ai,
        ),
        ("a.rs\n  h_0123456789abcd 1-4", "", AuthorState::NoEvidence),
        ("a.rs\n  h_0123456789abcd 1-4\n  s_0123456789abcd::t_0 5", "openai", AuthorState::Mixed),
        ("a.rs\n  human 1\n  0123456789abcdef 2", "anthropic", AuthorState::Mixed),
        ("", "", AuthorState::NoEvidence),
    ];
    for (attested, expected, state) in cases {
        let found = noted(&format!("{attested}\n---\n{sessions}"));
        assert_eq!((summary(&found).as_str(), found.state()), (expected, state), "{attested}");
    }
    assert_eq!(summary(&noted("a.rs\n  s_0123456789abcd::t_0 1\n---\nnot json")), "?");
    assert_eq!(summary(&noted("no note at all")), "");
}

#[test]
fn agent_trace_records_name_models_by_line() {
    let record = |contributor: &str, ranges: &str| {
        format!(
            r#"{{"version":"0.1.0","id":"1","timestamp":"2026-01-01T00:00:00Z","tool":{{"name":"cursor","version":"1"}},"files":[{{"path":"a.rs","conversations":[{{"contributor":{contributor},"ranges":{ranges}}}]}}]}}"#
        )
    };
    let lines = r#"[{"start_line":1,"end_line":4}]"#;
    let ai = r#"{"type":"ai","model_id":"anthropic/claude-opus-4-5"}"#;
    let cases = [
        (record(ai, lines), "anthropic"),
        (record(r#"{"type":"ai"}"#, lines), "?"),
        (record(r#"{"type":"human"}"#, lines), ""),
        (record(r#"{"type":"unknown"}"#, lines), ""),
        (record(r#"{"type":"mixed","model_id":"openrouter/moonshotai/kimi-k2.5"}"#, lines), "moonshot"),
        (
            record(
                ai,
                r#"[{"start_line":1,"end_line":4,"contributor":{"type":"ai","model_id":"openai/gpt-5.5"}}]"#,
            ),
            "openai",
        ),
    ];
    for (text, expected) in &cases {
        assert_eq!(summary(&noted(text)), *expected, "{text}");
    }
    let both = format!("{}\n{}", cases[0].0, cases[5].0);
    assert_eq!(summary(&noted(&both)), "anthropic+openai");
}

#[test]
fn notes_about_other_commits_are_not_read() {
    let commits = [commit_number(1, person(), "work")];
    let other = commit_number(2, person(), "work").id;
    let notes = [Note { commit: other, text: "a.rs\n  abc1234 7\n---\n{}".to_owned() }];
    let found = run(&AuthorshipInput { commits: &commits, notes: &notes, ..AuthorshipInput::default() });
    assert!(found.evidence.is_empty());
}
