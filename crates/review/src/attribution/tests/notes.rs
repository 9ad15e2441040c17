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
    let summarized = r#"{"tools": [["codex", "gpt-5.5", true], ["claude", "claude-opus-4-5", false], ["cur"#;
    assert_eq!(summary(&noted(&format!("a.rs\n  0123456789abcdef 1\n---\n{summarized}"))), "openai");
    assert_eq!(summary(&noted(&format!("a.rs\n  0123456789abcdef 1\n---\n{}", &summarized[..20]))), "?");
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

/// A file of thirty lines of which 2, 12 and 22 are new, in three hunks, and one that only loses a line.
const THREE_HUNKS: &str = "diff --git a/a.rs b/a.rs\n--- a/a.rs\n+++ b/a.rs\n\
    @@ -1,2 +1,3 @@\n one\n+two\n three\n@@ -10,2 +11,3 @@\n x\n+y\n z\n@@ -20,2 +22,3 @@\n u\n+v\n w\n\
    diff --git a/b.rs b/b.rs\n--- a/b.rs\n+++ b/b.rs\n@@ -1,2 +1,1 @@\n keep\n-gone\n";

/// The shares of the three-hunk change by notes about one commit, as `families: hunks`.
fn shared(message: &str, note: &str, same: &[&str]) -> Vec<String> {
    let commit = commit(person(), message);
    let notes = [Note { commit: commit.id.clone(), text: note.to_owned() }];
    let mut change = crate::diff::change_from_patch(THREE_HUNKS.as_bytes());
    change.commits = vec![commit.clone()];
    let input = AuthorshipInput { commits: &change.commits, notes: &notes, ..AuthorshipInput::default() };
    let attribution = run(&input);
    let same_as_head = same.iter().map(|path| (commit.id.clone(), (*path).into())).collect();
    let input =
        ShareInput { change: &change, attribution: &attribution, notes: &notes, same_as_head: &same_as_head };
    FIXTURE
        .with(|fixture| shares(&input, &fixture.agents, &fixture.families))
        .iter()
        .map(|share| {
            let mut names: Vec<&str> = share.authors.families.iter().map(Family::as_str).collect();
            names.extend(share.authors.unknown_agent.then_some("?"));
            let hunks: Vec<String> =
                share.hunks.iter().map(|(file, hunk)| format!("{file}.{hunk}")).collect();
            format!("{}: {}", names.join("+"), hunks.join(" "))
        })
        .collect()
}

#[test]
fn lines_that_a_note_names_are_their_writers_and_nobody_elses() {
    let note = |attested: &str| {
        let sessions = r#"{"sessions":{"s_1":{"agent_id":{"tool":"codex","model":"gpt-5.5"}},"s_2":{"agent_id":{"tool":"claude","model":"claude-opus-4-5"}},"s_3":{"agent_id":{"tool":"cursor","model":"default"}}}}"#;
        format!("{attested}\n---\n{sessions}")
    };
    let two = note("a.rs\n  s_1::t 1-3\n  s_2::t 12");
    assert_eq!(shared("work", &two, &["a.rs"]), [": 0.2 1.0", "anthropic: 0.1", "openai: 0.0"]);
    // Another trace is about all of it; a note only adds.
    let trailer = "work\n\nCo-authored-by: Claude <noreply@anthropic.com>\n";
    assert_eq!(shared(trailer, &two, &["a.rs"]), ["anthropic: 0.1 0.2 1.0", "anthropic+openai: 0.0"]);
    // Line numbers of a text that is not the head's say nothing about the head's lines.
    assert_eq!(shared("work", &two, &[]), [": 1.0", "anthropic+openai: 0.0 0.1 0.2"]);
    // A file that is not in the change, ranges that are none, and a hunk that only loses lines.
    assert_eq!(shared("work", &note("old.rs\n  s_1::t 1-3"), &["old.rs"]), ["openai: 0.0 0.1 0.2 1.0"]);
    assert_eq!(shared("work", &note("a.rs\n  s_1::t 1-3,x"), &["a.rs"]), [": 1.0", "openai: 0.0 0.1 0.2"]);
    assert_eq!(shared("work", &note("b.rs\n  s_1::t 9"), &["b.rs"]), [": 0.0 0.1 0.2", "openai: 1.0"]);
    // An unknown tool is unknown where it wrote.
    assert_eq!(shared("work", &note("a.rs\n  s_3::t 23"), &["a.rs"]), [": 0.0 0.1 1.0", "?: 0.2"]);
    let trace = r#"{"tool":{"name":"cursor"},"files":[{"path":"a.rs","conversations":[{"contributor":{"type":"ai","model_id":"openai/gpt-5.5"},"ranges":[{"start_line":12,"end_line":12}]}]}]}"#;
    assert_eq!(shared("work", trace, &["a.rs"]), [": 0.0 0.2 1.0", "openai: 0.1"]);
}
