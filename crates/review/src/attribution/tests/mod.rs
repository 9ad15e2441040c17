//! What attribution makes of the traces that tools leave, and of what only looks like one.

mod disclosures;
mod notes;
mod properties;
mod surroundings;

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

fn login(name: &str, id: Option<u64>) -> Login {
    Login { login: name.to_owned(), id }
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
        ("Assisted-by: Z.AI GLM 4.6 via Crush <crush@charm.land>", "zhipu"),
        ("Assisted-by: qwen-agentworld-35b-a3b", "qwen"),
        ("Assisted-by: Claude Sonnet 4 via Crush", "anthropic"),
        ("Co-authored-by: claude-opus-5 via Crush <crush@corp.test>", "anthropic"),
        ("Co-authored-by: OpenHands-Gemini <someone@openhands.test>", "google"),
        ("Co-authored-by: OH <openhands@example.com>", "?"),
        ("Co-authored-by: Codex (AI assistant)", "openai"),
        ("AI disclosure: authored with AI assistance (Claude Code) and reviewed by Ann", "anthropic"),
        ("AI disclosure: I used an LLM to find it.", "?"),
        ("Co-authored-by: AI Assistant <bot@corp.test>", "?"),
        ("AI assistance disclosure: ChatGPT helped to find it. I reviewed the change.", "openai"),
        ("AI disclosure: Some Fable 5 and GPT 5.5 usage.", "anthropic+openai"),
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
        ("Assisted by gemini.", "google"),
        ("Assisted by an AI coding tool (see CONTRIBUTING.md).", "?"),
        ("Generated with help from AI (tool-b0a)", "?"),
        ("Generated with AI assistance (Claude).", "anthropic"),
        ("Written by Ann ◯ Letta Code", "?"),
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
        ("Assisted-by: SHOP-1234", ""),
        ("Assisted-by: Jane Roe (shop-12)", ""),
        ("Co-authored-by: Cursor Smith <cs@mail.test>", ""),
        ("Assisted-by: Jane Roe <jane@mail.test>", ""),
        ("Generated-by: protoc-gen-go 1.5", ""),
        ("AI-Usage: none", ""),
        ("AI-Usage: No AI was used", ""),
        ("AI-Assisted: no (Cursor is installed here)", ""),
        ("AI-Assisted: I did not use any", ""),
        ("AI-Usage: <!-- say which -->", ""),
        ("AI-Usage: [ ] yes", ""),
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
fn an_undisclosed_base_recuses_and_stays_unknown() {
    let found = of_commits(&[commit(person(), "work\n\nAssisted-by: Cursor:composer-1")]);
    assert_eq!(summary(&found), "cursor-composer?");
    assert_eq!(found.state(), AuthorState::Ai);
}

#[test]
fn a_tools_name_is_no_models_name() {
    let model = |trailer: &str| {
        let found = of_commits(&[commit(person(), &format!("work\n\nCo-authored-by: {trailer}"))]);
        found.evidence[0].model.clone()
    };
    assert_eq!(model("Claude <noreply@anthropic.com>"), None);
    assert_eq!(model("Codex <noreply@openai.com>"), None);
    assert_eq!(model("Claude Opus 5 <noreply@anthropic.com>").as_deref(), Some("Claude Opus 5"));
}

#[test]
fn the_tool_at_work_is_told_from_its_model() {
    let found = of_commits(&[commit(person(), "work\n\nAssisted-by: Claude Opus 5 via Crush")]);
    let told: Vec<_> =
        found.evidence.iter().map(|seen| (seen.agent.as_deref(), seen.model.as_deref())).collect();
    assert_eq!(told, [(Some("crush"), Some("Claude Opus 5"))]);
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
