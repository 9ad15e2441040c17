//! What attribution makes of the traces that tools leave, and of what only looks like one.

use proptest::prelude::*;

use super::*;
use crate::change::Identity;

struct Fixture {
    agents: Agents,
    families: Families,
}

thread_local! {
    static FIXTURE: Fixture = Fixture { agents: Agents::embedded(), families: Families::embedded() };
}

/// A day on which no trace is known to be unreliable.
const SOME_DAY: i64 = 1_790_000_000;

fn person() -> Identity {
    identity("Ann Lee", "ann@mail.test")
}

fn identity(name: &str, email: &str) -> Identity {
    Identity { name: name.to_owned(), email: email.to_owned() }
}

fn commit_number(number: u32, author: Identity, message: &str) -> Commit {
    Commit {
        id: CommitId::new(&format!("{number:040x}")).expect("40 digits"),
        author_time: SOME_DAY,
        committer: author.clone(),
        author,
        message: message.to_owned(),
        parents: 1,
    }
}

fn commit(author: Identity, message: &str) -> Commit {
    commit_number(1, author, message)
}

fn run(input: &AuthorshipInput<'_>) -> Attribution {
    FIXTURE.with(|fixture| attribute(input, &fixture.agents, &fixture.families))
}

fn of_commits(commits: &[Commit]) -> Attribution {
    run(&AuthorshipInput { commits, ..AuthorshipInput::default() })
}

/// `anthropic+openai`, with `?` where the model is not known, `(google)` for suggesters; empty where nothing was told.
fn summary(found: &Attribution) -> String {
    let join =
        |families: &BTreeSet<Family>| families.iter().map(Family::as_str).collect::<Vec<_>>().join("+");
    let mut text = join(&found.families);
    if found.unknown_agent {
        text.push('?');
    }
    if found.evidence.iter().any(|seen| seen.role == Role::Suggester) {
        text.push_str(&format!("({})", join(&found.suggested_by)));
    }
    text
}

fn check_messages(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(line, expected)| {
            let message = format!("fix: bound the queue\n\nIt grew without end.\n\n{line}\n");
            let told = summary(&of_commits(&[commit(person(), &message)]));
            (told != *expected).then(|| format!("{line}: expected `{expected}`, told `{told}`"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn trailers_name_the_tool_by_the_address_and_the_model_by_the_name() {
    check_messages(&[
        ("Co-Authored-By: Claude Opus 4.6 (1M context) <noreply@anthropic.com>", "anthropic"),
        ("co-authored-by: claude <noreply@anthropic.com>", "anthropic"),
        ("CoAuthored-By: Claude <NOREPLY@ANTHROPIC.COM>", "anthropic"),
        ("Co-Authored-By: Claude (glm-4.7) <noreply@anthropic.com>", "zhipu"),
        ("Co-Authored-By: Kimi K2.5 <noreply@anthropic.com>", "moonshot"),
        ("Co-Authored-By: mayor <noreply@anthropic.com>", "anthropic"),
        ("Co-authored-by: Claude", "anthropic"),
        ("Co-authored-by: claude-sonnet:3.7-thinking", "anthropic"),
        ("Co-authored-by: claude-sonnet:3.7-thinking <copilot@corp.test>", "anthropic"),
        ("Co-Authored-By: Claude Opus4.5<noreply@anthropic.com>", "anthropic"),
        ("Co-Authored-By: Claude <<noreply@anthropic.com>>", "anthropic"),
        ("  Co-Authored-By: Claude <noreply@anthropic.com>\r", "anthropic"),
        ("Co-authored-by: Codex <noreply@openai.com>", "openai"),
        ("Co-authored-by: Codex GPT-5 <codex@openai.com>", "openai"),
        ("Co-authored-by: GPT 5.5 <noreply@openai.com>", "openai"),
        ("Co-authored-by: Copilot <223556219+Copilot@users.noreply.github.com>", "?"),
        ("Co-authored-by: GPT-5.3-Codex <copilot@github.com>", "openai"),
        ("Co-authored-by: Claude Opus 4.8 (GitHub Copilot)", "anthropic"),
        ("Co-authored-by: Cursor <cursoragent@cursor.com>", "?"),
        ("Co-authored-by: aider (openrouter/qwen/qwen3-coder) <aider@aider.chat>", "qwen"),
        (
            "Co-authored-by: aider (deepseek/deepseek-r1-distill-llama-70b) <aider@aider.chat>",
            "deepseek+meta",
        ),
        ("Co-authored-by: aider (gpt-5) <me@corp.test>", "openai"),
        ("Co-authored-by: openhands <openhands@all-hands.dev>", "?"),
        ("Co-authored-by: OpenHands-GPT-5 openhands@all-hands.dev", "openai"),
        ("Co-authored-by: OpenHands-<MODEL_ID> <openhands@all-hands.dev>", "?"),
        ("Co-authored-by: Kilo Code <moonshotai/kimi-k2.5:free>", "moonshot"),
        ("Co-authored-by: Qwen-Coder <qwen-coder@alibabacloud.com>", "qwen"),
        ("Co-Authored-By: Mistral Vibe <vibe@mistral.ai>", "mistral"),
        ("Co-authored-by: Kimi K2.7 Code <noreply@kimi.com>", "moonshot"),
        ("Co-authored-by: Grok 4.6 <noreply@x.ai>", "xai"),
        ("Co-Authored-By: Google Antigravity <noreply@google.com>", "google?"),
        ("Co-Authored-By: Claude <noreply@opencode.ai>", "anthropic"),
        ("Co-authored-by: Sisyphus <clio-agent@sisyphuslabs.ai>", "?"),
        ("Co-Authored-By: claude-flow <ruv@ruv.net>", "?"),
        ("Co-authored-by: Nova <agent-4567b0fb-7d7d-4e26@letta.com>", "?"),
        (
            "Co-authored-by: google-labs-jules[bot] <161369871+google-labs-jules[bot]@users.noreply.github.com>",
            "google",
        ),
        ("Co-authored-by: renamed[bot] <161369871+renamed[bot]@users.noreply.github.com>", "google"),
        ("Co-authored-by: claude[bot] <41898282+claude[bot]@users.noreply.github.com>", "anthropic"),
        ("Co-authored-by: Claude <claude@example.com>", "anthropic"),
        ("Co-developed-by: Claude Opus 5 <noreply@anthropic.com>", "anthropic"),
        ("Signed-off-by: Codex <codex@openai.com>", "openai"),
    ]);
}

#[test]
fn free_trailers_are_read_as_tool_and_model() {
    check_messages(&[
        ("Assisted-by: Claude:claude-3-opus coccinelle sparse", "anthropic"),
        ("Assisted-by: Crush:Kimi-K2.6-FW", "moonshot"),
        ("Assisted-by: opencode:deepseek-v4-pro", "deepseek"),
        ("Assisted-by: claude-code/claude-fable-5", "anthropic"),
        ("Assisted-by: Gemini 3.1 Pro via Google Antigravity", "google"),
        ("Assisted-by: Google Antigravity with Gemini", "google"),
        ("Assisted-by: GLM 5.1 via Crush <crush@charm.land>", "zhipu"),
        ("Assisted-by: Ollama (gpt-oss:120b-cloud)", "openai"),
        ("Assisted-by: Aider (gpt-oss:120b-cloud)", "openai"),
        ("Assisted-By: Cursor Grok 4.6", "xai"),
        ("Assisted-by: OpenAI Codex", "openai"),
        ("Assisted-By: Codex, OpenAI", "openai"),
        ("Assisted-by: Codex 5.3", "openai"),
        ("Assisted-by: Claude Code and Codex", "anthropic+openai"),
        ("Assisted-by: Codex and Claude Opus 5", "anthropic+openai"),
        ("Assisted-by: Antigravity (Google Deepmind)", "?"),
        ("Generated-By: GitHub Copilot", "?"),
        ("Generated-By: pi-coding-agent 0.52.12", "?"),
        ("ai-assistant: pi-coding-agent:glm-4.7", "zhipu"),
        ("Made-with: Cursor", "?"),
        ("Assisted-by: Cursor:composer-2.5", "cursor-composer+moonshot"),
        ("Assisted-by: Claude:fennec-v9-fast", "anthropic?"),
        ("Assisted-by: Aider (openrouter/nousresearch/hermes-4-70b)", "meta+nousresearch"),
        ("Assisted-by: Claude Code (v2.1.3)", "anthropic"),
        ("Co-Authored-By: Claude (fennec-v9-fast) <noreply@anthropic.com>", "anthropic?"),
        ("Agent-Signature: claude-opus-4-8-xhigh on behalf of Ann Lee", "anthropic"),
        ("Agent-Provenance: host=Conductor harness=Codex model=gpt-5.6-sol", "openai"),
        ("AI-Usage: full (OpenCode + Qwen3.6-35b)", "qwen"),
        ("AI-Disclosure: Antigravity", "?"),
        ("AI-Assisted: yes", "?"),
        ("AI-assisted: OpenAI Codex was used to find and apply this change.", "openai"),
        ("Suggested-by: Gemini Code Assist", "(google)"),
    ]);
}

#[test]
fn tools_are_told_by_trailers_and_lines_of_their_own() {
    check_messages(&[
        ("Claude-Session: https://claude.ai/code/session_01AbCdEf", "anthropic"),
        ("https://claude.ai/code/session_01AbCdEf", "anthropic"),
        ("Claude-Generated-By: Claude Code (cli/claude-opus-4-5=100%)", "anthropic"),
        ("Amp-Thread-ID: https://ampcode.com/threads/T-0123abcd", "?"),
        ("Agent-Logs-Url: https://github.com/acme/shop/sessions/0123", "?"),
        ("Copilot-Session: 0123-4567", "?"),
        ("Replit-Commit-Author: Agent", "?"),
        ("X-Lovable-Edit-ID: edt-0123", "?"),
        ("Entire-Checkpoint: 0123456789ab", "?"),
        ("Entire-Agent: Claude Code", "anthropic"),
        ("Executed-By: shop/crew/emma", "?"),
        ("🤖 Generated with [Claude Code](https://claude.com/claude-code)", "anthropic"),
        ("💘 Generated with Crush", "?"),
        ("👾 Generated with [Letta Code](https://letta.com)", "?"),
        ("🤖 Assisted by Amazon Q Developer", "?"),
        ("Made with [Cursor](https://cursor.com)", "?"),
        ("Generated with Gemini CLI", "google"),
        ("Generated with Claude Code (glm-4.7)", "zhipu"),
    ]);
}

#[test]
fn what_only_looks_like_a_trace_is_none() {
    check_messages(&[
        ("Co-authored-by: Claude Martin <claude@mail.test>", ""),
        ("Co-authored-by: Claude Martin <c.martin@anthropic.com>", ""),
        ("Co-authored-by: Devin Foley <devin@corp.test>", ""),
        ("Co-authored-by: Devin Foley <devin+zai@corp.test>", ""),
        ("Co-authored-by: Devin", ""),
        ("Co-authored-by: Jules <jules@mail.test>", ""),
        ("Co-authored-by: Cody Hall <cody@mail.test>", ""),
        ("Co-authored-by: Charlie <charlie@mail.test>", ""),
        ("Co-authored-by: Bo <bo@crusher.dev>", ""),
        ("Co-authored-by: goosewobbler <goosewobbler@mail.test>", ""),
        ("Co-authored-by: kimi2020 <kimi2020@mail.test>", ""),
        ("Co-authored-by: claude <12345+claude@users.noreply.github.com>", ""),
        ("Co-authored-by: GitHub <noreply@github.com>", ""),
        ("Assisted-by: Jane Roe", ""),
        ("Assisted-by: Claude Martin", ""),
        ("Assisted-by: Goose Gossage", ""),
        ("Assisted-by: Jane Roe <jane@mail.test>", ""),
        ("Generated-by: protoc-gen-go 1.5", ""),
        ("AI-Usage: none", ""),
        ("AI-Usage: No AI was used", ""),
        ("AI-Assisted: no (Cursor is installed here)", ""),
        ("AI-Assisted: I did not use any", ""),
        ("AI-Usage: <!-- say which -->", ""),
        ("Replit-Commit-Author: Human", ""),
        ("Executed-By: Jane Roe", ""),
        ("Generated with Claude Code hooks for the linter", ""),
        ("Created by Claude Martin", ""),
        ("Made with Cursor pagination in mind", ""),
        ("> Co-authored-by: Codex <codex@openai.com>", ""),
        ("```\nCo-authored-by: Codex <codex@openai.com>\n```", ""),
        ("Commits must end so:\n\n    Co-authored-by: Codex <codex@openai.com>\n\nand nothing else.", ""),
        ("The trailer `Co-authored-by: Codex <codex@openai.com>` is gone.", ""),
        ("Original commit message:\n\nadd a queue\n\nCo-authored-by: Codex <codex@openai.com>", ""),
    ]);
}

#[test]
fn marks_that_hide_nothing_do_not_hide() {
    check_messages(&[
        ("```\nCo-authored-by: Codex <codex@openai.com>", "openai"),
        ("    Co-authored-by: Codex <codex@openai.com>", "openai"),
        ("Co-authored-by: Codex <codex@openai.com>\n\nSigned-off-by: Ann Lee <ann@mail.test>", "openai"),
        ("(cherry picked from commit 0123)\nCo-authored-by: Codex <codex@openai.com>", "openai"),
        (
            "* one\n\nCo-authored-by: Codex <codex@openai.com>\n\n* two\n\nMade-with: Cursor\n\n---------\n\nx",
            "openai?",
        ),
    ]);
}

#[test]
fn a_revert_counts_what_its_own_author_wrote() {
    let own = "Revert \"add a queue\"\n\nThis reverts commit 0123.\n\nCo-Authored-By: Claude <noreply@anthropic.com>";
    assert_eq!(summary(&of_commits(&[commit(person(), own)])), "anthropic");
    let copied = "Revert \"add a queue\"\n\nThis reverts commit 0123.\n\nOriginal message:\n> add a queue\n>\n> Co-Authored-By: Claude <noreply@anthropic.com>";
    assert_eq!(summary(&of_commits(&[commit(person(), copied)])), "");
    let topic = "Revert \"Use claude-sonnet-4 by default\"\n\nThis reverts commit 0123.";
    assert_eq!(summary(&of_commits(&[commit(person(), topic)])), "");
}

#[test]
fn subjects_are_topics() {
    for subject in [
        "ai-usage: count tokens",
        "Assisted-by: Cursor in the parser",
        "codex: read the config",
        "Claude Opus 5 support",
        "AI-Assisted: yes",
        "Made with Cursor",
    ] {
        assert_eq!(summary(&of_commits(&[commit(person(), subject)])), "", "{subject}");
    }
}

#[test]
fn authors_and_committers_are_told_by_their_addresses() {
    let cases = [
        ("Claude", "noreply@anthropic.com", "anthropic"),
        ("sfgastown/crew/dunks", "noreply@anthropic.com", "anthropic"),
        ("claude[bot]", "209825114+claude[bot]@users.noreply.github.com", "anthropic"),
        ("Claude", "242468646+Claude@users.noreply.github.com", "anthropic"),
        ("Codex", "codex@openai.com", "openai"),
        ("copilot-swe-agent[bot]", "198982749+Copilot@users.noreply.github.com", "?"),
        ("Devin AI", "158243242+devin-ai-integration[bot]@users.noreply.github.com", "?"),
        ("Linus Torvalds", "agent-local-4567b0fb-7d7d-4e26@letta.com", "?"),
        ("Ann Lee (aider)", "ann@mail.test", "?"),
        ("v0", "v0[bot]@users.noreply.github.com", "?"),
        ("gpt-engineer-app[bot]", "159125892+gpt-engineer-app[bot]@users.noreply.github.com", "?"),
        // A reviewer that commits by itself wrote the lines.
        ("codebeaver-ai[bot]", "192081515+codebeaver-ai[bot]@users.noreply.github.com", "?"),
        ("Claude Martin", "claude@mail.test", ""),
        ("Claude", "claude@mail.test", ""),
        ("Devin", "devin@mail.test", ""),
        ("codex", "codex@mail.test", ""),
        ("Someone", "someone@anthropic.com", ""),
        ("Someone", "someone@openai.com", ""),
        ("Jane Roe", "jane+aider@mail.test", ""),
        ("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com", ""),
    ];
    for (name, email, expected) in cases {
        let found = of_commits(&[commit(identity(name, email), "work")]);
        assert_eq!(summary(&found), expected, "{name} <{email}>");
    }
    let committed = |name: &str, email: &str| {
        let mut commit = commit(person(), "work");
        commit.committer = identity(name, email);
        summary(&of_commits(&[commit]))
    };
    assert_eq!(committed("openhands", "openhands@all-hands.dev"), "?");
    assert_eq!(
        committed("Ann Lee (aider)", "ann@mail.test"),
        "",
        "Aider saved what a person had not committed"
    );
    assert_eq!(committed("GitHub", "noreply@github.com"), "");
}

#[test]
fn suggestions_recuse_and_do_not_make_the_change_an_ais() {
    let line = "Co-authored-by: gemini-code-assist[bot] <176961590+gemini-code-assist[bot]@users.noreply.github.com>";
    let found = of_commits(&[commit(person(), &format!("work\n\n{line}"))]);
    assert_eq!(found.suggested_by, Lineage::of(["google"]).families);
    assert_eq!(found.state(), AuthorState::NoEvidence);
    assert!(!found.has_unknown_suggester());
    let line = "Co-authored-by: Copilot Autofix powered by AI <175728472+Copilot@users.noreply.github.com>";
    let found = of_commits(&[commit(person(), &format!("work\n\n{line}"))]);
    assert!(found.recused().is_empty() && !found.unknown_agent && found.has_unknown_suggester());
}

#[test]
fn a_faulty_default_says_nothing_while_it_was_shipped() {
    let message = "work\n\nCo-authored-by: Copilot <copilot@github.com>";
    let on = |author_time: i64, message: &str| {
        summary(&of_commits(&[Commit { author_time, ..commit(person(), message) }]))
    };
    let day = 86_400;
    let first = 1_776_816_000;
    assert_eq!(on(first - 1, message), "?");
    assert_eq!(on(first, message), "");
    assert_eq!(on(first + 15 * day - 1, message), "");
    assert_eq!(on(first + 15 * day, message), "?");
    assert_eq!(on(first, "work\n\nCo-authored-by: GPT-5.3-Codex <copilot@github.com>"), "openai");
}

#[test]
fn branches_are_weak_and_count() {
    let cases = [
        ("claude/issue-12-20260102-1530", "anthropic"),
        ("claude/quiet-lake-Xu67G", "anthropic"),
        ("codex/fix-queue", "openai"),
        ("copilot/fix-0123", "?"),
        ("cursor/fix-queue-1a2b", "?"),
        ("devin/1770929936-fix-queue", "?"),
        ("junie/run-26057608654", "?"),
        ("jules-6901202138656241202-4fde1a5c", "google"),
        ("jules/fix-queue-14791786536596206223", "google"),
        ("palette/contrast-14791786536596206223", "google"),
        ("fix-queue-1978707039478511080", "google"),
        ("openhands-fix-issue-12", "?"),
        ("opencode/issue12-20260102153000", "?"),
        ("Q-DEV-issue-12-1770929936", "?"),
        ("edit/edt-0123", "?"),
        ("cursor-trail", ""),
        ("cursor_size", ""),
        ("claude-4-6", ""),
        ("copilot-hooks-path", ""),
        ("codex-telemetry", ""),
        ("charlie/match", ""),
        ("sentinel-flushconfig", ""),
        ("feat/gemini-cli", ""),
        ("agent/fix-queue", ""),
        ("gpt-5.1", ""),
        ("fix-20260102", ""),
    ];
    for (branch, expected) in cases {
        let found = run(&AuthorshipInput { branch: Some(branch), ..AuthorshipInput::default() });
        assert_eq!(summary(&found), expected, "{branch}");
        assert!(found.evidence.iter().all(|seen| seen.strength == Strength::Weak));
    }
    let subjects = [
        ("Merge pull request #7 from acme/codex/fix-queue", "openai"),
        ("Merge branch 'main' into cursor/fix-queue-1a2b", "?"),
        ("Merge branch 'codex/fix-queue'", "openai"),
        ("Merge pull request #7 from acme/cursor-trail", ""),
        ("Merge branch 'main' of codex", ""),
    ];
    for (subject, expected) in subjects {
        let found = of_commits(&[Commit { parents: 2, ..commit(person(), subject) }]);
        assert_eq!(summary(&found), expected, "{subject}");
    }
}

#[test]
fn titles_and_descriptions_are_read() {
    let cases = [
        ("[codex] fix the queue", "", "openai"),
        ("Codex/fix the queue", "", "openai"),
        ("Fix codex/queue", "", ""),
        ("Fix", "------\nhttps://chatgpt.com/codex/tasks/task_e_0123abcd", "openai"),
        ("Fix", "🤖 Generated with [Claude Code](https://claude.ai/code)", "anthropic"),
        ("Fix", "Link to Devin run: https://app.devin.ai/sessions/0123\nRequested by: Ann", "?"),
        ("Fix", "<!-- CURSOR_AGENT_PR_BODY_BEGIN -->\nFixes the queue", "?"),
        ("Fix", "<!-- CURSOR_SUMMARY -->\nA reviewer's summary", ""),
        ("Fix", "<!-- START COPILOT CODING AGENT TIPS -->", "?"),
        (
            "Fix",
            "PR created automatically by Jules for task [1](https://jules.google.com/task/123)",
            "google",
        ),
        ("Fix", "Automatic fix generated by [OpenHands](https://all-hands.dev) 🙌", "?"),
        ("Fix", "- [x] This contribution was assisted or created by Generative AI tools.", "?"),
        ("Fix", "- [ ] This contribution was assisted or created by Generative AI tools.", ""),
        ("Fix", "- [x] This contribution was NOT assisted or created by Generative AI tools.", ""),
        ("Fix", "- [x] Added a test using the AI SDK", ""),
        ("Fix", "I asked Claude about this and wrote it myself.", ""),
        ("Fix", "Adds `Generated with [Claude Code]` to the list", ""),
    ];
    for (title, body, expected) in cases {
        let found = run(&AuthorshipInput { title, body, ..AuthorshipInput::default() });
        assert_eq!(summary(&found), expected, "{title} / {body}");
    }
}

#[test]
fn labels_count_where_they_can_mean_nothing_else() {
    let with = |label: &str| {
        summary(&run(&AuthorshipInput { labels: &[label.to_owned()], ..AuthorshipInput::default() }))
    };
    assert_eq!(with("codex"), "openai");
    assert_eq!(with("AI-generated"), "?");
    assert_eq!(with("area: claude"), "");
}

fn login(name: &str, id: Option<u64>) -> Login {
    Login { login: name.to_owned(), id }
}

#[test]
fn the_platforms_account_vouches_by_its_number() {
    let of =
        |login: &Login| run(&AuthorshipInput { author_login: Some(login), ..AuthorshipInput::default() });
    let cases = [
        (login("claude[bot]", Some(209_825_114)), "anthropic", true),
        (login("renamed", Some(209_825_114)), "anthropic", true),
        (login("Copilot", Some(198_982_749)), "?", true),
        (login("Copilot", None), "?", true),
        (login("copilot", Some(7)), "", false),
        (login("claude", Some(7)), "", false),
        (login("claude[bot]", Some(7)), "anthropic", false),
        (login("ann", Some(7)), "", false),
    ];
    for (login, expected, vouched) in cases {
        let found = of(&login);
        assert_eq!((summary(&found).as_str(), found.vouched), (expected, vouched), "{login:?}");
    }
    let bots = [
        (login("dependabot[bot]", Some(49_699_333)), true),
        (login("acme-roller[bot]", Some(7)), true),
        (login("acme-ai-agent[bot]", Some(7)), false),
        (login("ann", Some(7)), false),
    ];
    for (login, bot) in bots {
        assert_eq!(of(&login).bot, bot, "{login:?}");
    }
}

#[test]
fn a_person_is_no_bot_whatever_the_branch_says() {
    let ann = login("ann", Some(7));
    let branch = Some("dependabot/cargo/toml-1.0");
    assert!(!run(&AuthorshipInput { branch, author_login: Some(&ann), ..AuthorshipInput::default() }).bot);
    assert!(run(&AuthorshipInput { branch, ..AuthorshipInput::default() }).bot);
}

#[test]
fn an_authors_word_beside_a_vouched_tool_is_not_vouched_for() {
    let claude = login("claude[bot]", Some(209_825_114));
    let with = |message: &str| {
        let commits = [commit(person(), message)];
        run(&AuthorshipInput { commits: &commits, author_login: Some(&claude), ..AuthorshipInput::default() })
    };
    assert!(with("work").vouched);
    assert!(with("work\n\nCo-authored-by: Claude <noreply@anthropic.com>").vouched);
    let found = with("work\n\nCo-authored-by: Codex <codex@openai.com>");
    assert!(!found.vouched);
    assert_eq!(summary(&found), "anthropic+openai");
    assert!(!of_commits(&[commit(person(), "work\n\nMade-with: Cursor")]).vouched);
}

#[test]
fn a_declaration_adds_and_never_takes_away() {
    let commits = [commit(person(), "work\n\nCo-authored-by: Codex <codex@openai.com>")];
    let declared = |declaration: Declaration| {
        run(&AuthorshipInput {
            commits: &commits,
            declaration: Some(&declaration),
            ..AuthorshipInput::default()
        })
    };
    let found = declared(Declaration::Human);
    assert_eq!(found.state(), AuthorState::Conflict);
    assert_eq!(summary(&found), "openai");
    let found = declared(Declaration::Model("claude-opus-5".to_owned()));
    assert_eq!((summary(&found).as_str(), found.vouched), ("anthropic+openai", false));
    let found = declared(Declaration::Model("gpt-5.5".to_owned()));
    assert_eq!((summary(&found).as_str(), found.vouched), ("openai", true));
    let found =
        run(&AuthorshipInput { declaration: Some(&Declaration::Human), ..AuthorshipInput::default() });
    assert_eq!(found.state(), AuthorState::Human);
}

#[test]
fn a_declared_model_answers_what_a_tool_leaves_open() {
    let commits = [commit(person(), "work\n\nMade-with: Cursor")];
    let declared = |declaration: Declaration| {
        let found = run(&AuthorshipInput {
            commits: &commits,
            declaration: Some(&declaration),
            ..AuthorshipInput::default()
        });
        (summary(&found), found.vouched)
    };
    assert_eq!(declared(Declaration::Model("gpt-5.5".to_owned())), ("openai".to_owned(), true));
    assert_eq!(declared(Declaration::Agent("cursor".to_owned())), ("?".to_owned(), true));
    assert_eq!(declared(Declaration::Agent("aider (glm-5)".to_owned())), ("zhipu?".to_owned(), false));
    assert_eq!(declared(Declaration::Model("composer-1".to_owned())), ("cursor-composer?".to_owned(), false));
    assert_eq!(declared(Declaration::Agent("cursor (glm-5)".to_owned())), ("zhipu".to_owned(), true));
    assert_eq!(declared(Declaration::Agent("acme-coder".to_owned())), ("?".to_owned(), false));
}

#[test]
fn part_of_the_commits_is_mixed() {
    let ai = commit_number(1, person(), "work\n\nCo-authored-by: Codex <codex@openai.com>");
    let own = commit_number(2, person(), "work");
    let merge = Commit { parents: 2, ..commit_number(3, person(), "Merge branch 'main'") };
    assert_eq!(of_commits(&[ai.clone(), own.clone()]).state(), AuthorState::Mixed);
    assert_eq!(of_commits(&[ai.clone(), merge]).state(), AuthorState::Ai);
    let commits = [ai, own];
    let found =
        run(&AuthorshipInput { commits: &commits, branch: Some("codex/x"), ..AuthorshipInput::default() });
    assert_eq!(found.state(), AuthorState::Ai, "the branch speaks of all of it");
}

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

#[test]
fn an_undisclosed_base_recuses_and_stays_unknown() {
    let found = of_commits(&[commit(person(), "work\n\nAssisted-by: Cursor:composer-1")]);
    assert_eq!(summary(&found), "cursor-composer?");
    assert_eq!(found.state(), AuthorState::Ai);
}

#[test]
fn one_commit_by_itself_tells_the_same() {
    let commit = commit(person(), "work\n\nCo-authored-by: Codex <codex@openai.com>");
    let alone = FIXTURE.with(|fixture| attribute_commit(&commit, &[], &fixture.agents, &fixture.families));
    assert!(alone.is_ai() && !alone.is_of_bot());
    assert_eq!(alone.evidence, of_commits(&[commit]).evidence);
}

#[test]
fn evidence_is_short_and_shows_what_is_hidden() {
    let message = format!("work\n\nCo-authored-by: Codex\u{202e} {} <codex@openai.com>", "x".repeat(1_000));
    let found = of_commits(&[commit(person(), &message)]);
    let text = &found.evidence[0].text;
    assert!(text.len() <= EVIDENCE_TEXT_LIMIT + '…'.len_utf8() && text.contains("\\u{202e}"), "{text}");
}

#[test]
fn a_flood_of_traces_is_cut_and_counts_as_unknown() {
    let message: String =
        (0..100_000).map(|n| format!("Co-authored-by: GPT-5.{n} <codex@openai.com>\n")).collect();
    let found = of_commits(&[commit(person(), &format!("work\n\n{message}"))]);
    assert_eq!(summary(&found), "openai?");
    assert!(found.evidence.len() < 2_000, "{}", found.evidence.len());
}

/// What an author can add to a change.
#[derive(Debug, Clone)]
enum Added {
    Commit(Identity, String),
    Line(String),
    Branch(String),
    Body(String),
    Label(String),
    Note(String),
}

fn traces() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "Co-Authored-By: Claude Opus 4.6 <noreply@anthropic.com>",
        "Co-authored-by: Codex <codex@openai.com>",
        "Co-authored-by: Cursor <cursoragent@cursor.com>",
        "Co-authored-by: Copilot Autofix powered by AI <175728472+Copilot@users.noreply.github.com>",
        "Assisted-by: opencode:deepseek-v4-pro",
        "AI-Usage: none",
        "AI-Usage: full",
        "Made-with: Cursor",
        "Agent-Signature: composer-1",
    ]);
    prop_oneof![known.prop_map(str::to_owned), "[a-zA-Z-]{1,20}: \\PC{0,40}", "\\PC{0,60}"]
}

fn added() -> impl Strategy<Value = Added> {
    let identities = prop::sample::select(vec![
        ("Ann Lee", "ann@mail.test"),
        ("Claude", "noreply@anthropic.com"),
        ("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com"),
        ("Ann Lee (aider)", "ann@mail.test"),
    ]);
    prop_oneof![
        (identities, traces()).prop_map(|((name, email), line)| Added::Commit(identity(name, email), line)),
        traces().prop_map(Added::Line),
        prop::sample::select(vec!["codex/x", "cursor/x-1a2b", "dependabot/x", "main"])
            .prop_map(|b| Added::Branch(b.to_owned())),
        traces().prop_map(Added::Body),
        prop::sample::select(vec!["codex", "ai-generated", "bug"]).prop_map(|l| Added::Label(l.to_owned())),
        "[ -~\n]{0,80}".prop_map(Added::Note),
    ]
}

/// A change that grows by what an author adds to it.
#[derive(Default)]
struct Growing {
    commits: Vec<Commit>,
    branch: Option<String>,
    body: String,
    labels: Vec<String>,
    notes: Vec<Note>,
}

impl Growing {
    fn grow(&mut self, added: Added) {
        let number = u32::try_from(self.commits.len()).expect("a few commits");
        match added {
            Added::Commit(author, line) => {
                self.commits.push(commit_number(number, author, &format!("work\n\n{line}\n")));
            }
            Added::Line(line) => {
                if let Some(last) = self.commits.last_mut() {
                    last.message.push_str(&format!("{line}\n"));
                }
            }
            Added::Branch(branch) if self.branch.is_none() => self.branch = Some(branch),
            Added::Branch(_) => {}
            Added::Body(line) => self.body.push_str(&format!("{line}\n")),
            Added::Label(label) => self.labels.push(label),
            Added::Note(text) => {
                if let Some(last) = self.commits.last() {
                    self.notes.push(Note { commit: last.id.clone(), text });
                }
            }
        }
    }

    fn attribute(&self, login: Option<&Login>, declaration: Option<&Declaration>) -> Attribution {
        run(&AuthorshipInput {
            commits: &self.commits,
            branch: self.branch.as_deref(),
            body: &self.body,
            labels: &self.labels,
            notes: &self.notes,
            author_login: login,
            declaration,
            ..AuthorshipInput::default()
        })
    }
}

fn vouchers() -> impl Strategy<Value = (Option<Login>, Option<Declaration>)> {
    let logins = prop::sample::select(vec![
        None,
        Some(login("ann", Some(7))),
        Some(login("claude[bot]", Some(209_825_114))),
        Some(login("Copilot", Some(198_982_749))),
    ]);
    let declarations = prop::sample::select(vec![
        None,
        Some(Declaration::Human),
        Some(Declaration::Model("gpt-5.5".to_owned())),
        Some(Declaration::Agent("cursor".to_owned())),
    ]);
    (logins, declarations)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_an_author_adds_only_adds((login, declaration) in vouchers(), steps in prop::collection::vec(added(), 1..12)) {
        let mut change = Growing::default();
        let mut before = change.attribute(login.as_ref(), declaration.as_ref());
        for step in steps {
            change.grow(step);
            let after = change.attribute(login.as_ref(), declaration.as_ref());
            prop_assert!(before.recused().is_subset(&after.recused()));
            prop_assert!(before.families.is_subset(&after.families));
            prop_assert!(!before.unknown_agent || after.unknown_agent);
            prop_assert!(before.vouched || !after.vouched || before.evidence.iter().all(|seen| seen.role == Role::Human));
            before = after;
        }
    }

    #[test]
    fn any_text_is_read(message in "(\\PC|[\n\r\t:<>@`-]){0,400}", name in "\\PC{0,60}", email in "\\PC{0,60}", note in "(\\PC|\n){0,200}") {
        let commits = [commit(identity(&name, &email), &message)];
        let notes = [Note { commit: commits[0].id.clone(), text: format!("{note}\n---\n{message}") }];
        let labels = [name.clone()];
        let found = run(&AuthorshipInput {
            commits: &commits,
            branch: Some(&email),
            title: &name,
            body: &message,
            notes: &notes,
            labels: &labels,
            ..AuthorshipInput::default()
        });
        prop_assert!(found.evidence.iter().all(|seen| seen.text.len() <= EVIDENCE_TEXT_LIMIT + 3));
    }
}
