//! Who wrote it, and who is recused, through the door: real commits and notes, records, the roster.

use serde_json::{Value, json};

use crate::support::fake_models::{Behaviour, FakeModels};
use crate::support::program::Program;
use crate::support::repository::TestRepository;

/// Twenty numbered lines.
fn lines() -> Vec<String> {
    (1..=20).map(|number| format!("let line_{number} = {number};\n")).collect()
}

/// A branch that changes lines 2 and 18, with a note of git-ai that gives them to models of two makers.
fn two_makers() -> TestRepository {
    let repository = TestRepository::with_main(&[("src/lib.rs", &lines().concat())]);
    let mut changed = lines();
    changed[1] = "let line_2 = compute();\n".to_owned();
    changed[17] = "let line_18 = compute();\n".to_owned();
    repository.commit("Compute two lines", &[("src/lib.rs", &changed.concat())]);
    let note = json!({ "schema_version": "authorship/3.0.0", "sessions": {
        "s_1": { "agent_id": { "tool": "codex", "id": "1", "model": "gpt-5.5" } },
        "s_2": { "agent_id": { "tool": "claude", "id": "2", "model": "claude-opus-4-5" } } } });
    let note = format!("src/lib.rs\n  s_1::t_1 2\n  s_2::t_2 18\n---\n{note}");
    repository.git(&["notes", "--ref=ai", "add", "-m", &note]);
    repository
}

fn roster(fake: &FakeModels, models: &[(&str, &str)]) -> Program {
    let model = |(name, family): &(&str, &str)| {
        let url = fake.base_url();
        format!("[[model]]\nname = \"local/{name}\"\nbase_url = \"{url}\"\nfamilies = [\"{family}\"]\n")
    };
    Program::new().config(&models.iter().map(model).collect::<String>())
}

#[tokio::test]
async fn lines_of_two_makers_are_reviewed_by_each_others_models() {
    let fake = FakeModels::start().await;
    for model in ["oak", "elm"] {
        let nothing = json!({ "examined": ["what was shown"], "findings": [], "questions": [] });
        fake.always(model, Behaviour::Answer(nothing));
    }
    let program = roster(&fake, &[("oak", "openai"), ("elm", "anthropic")]);
    let repository = two_makers();
    let arguments = ["review", "--lens", "correctness", "--format", "json"];
    let ran = tokio::task::spawn_blocking(move || program.run(repository.path(), &arguments))
        .await
        .expect("it ran");
    let packet = ran.packet();
    assert_eq!((ran.code, &packet["verdict"]), (0, &json!("clean")), "{}", ran.stdout);
    assert_eq!(packet["judgement"]["independence"], "established");
    assert_eq!(packet["attribution"]["families"], json!(["anthropic", "openai"]));
    assert_eq!(packet["attribution"]["shares"].as_array().map(Vec::len), Some(2));
    // Each model was shown the other maker's line, and not its own.
    let shown = |model: &str, text: &str| {
        let asked = fake.requests();
        let mut of_model = asked.iter().filter(|asked| asked.model == model).peekable();
        assert!(of_model.peek().is_some(), "{model} was asked");
        of_model.any(|asked| asked.text().contains(text))
    };
    assert!(shown("oak", "line_18 = compute") && !shown("oak", "line_2 = compute"));
    assert!(shown("elm", "line_2 = compute") && !shown("elm", "line_18 = compute"));
    let recused = packet["panel"]["recused"].as_array().expect("recusals");
    assert_eq!(recused.len(), 2, "{recused:?}");
    fake.finish();
}

#[test]
fn attribute_explains_every_family_with_its_evidence() {
    let repository = two_makers();
    repository.commit("Tidy\n\nCo-authored-by: Claude <noreply@anthropic.com>", &[("src/b.rs", "one\n")]);
    let ran = Program::new().run(repository.path(), &["attribute"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for line in [
        "author    AI: anthropic and openai; claimed, not verified\n",
        "recused   models of anthropic and openai, and what descends from them\n",
        "files     anthropic: src/b.rs, src/lib.rs hunk 2\n",
        "files     anthropic and openai: src/lib.rs hunk 1\n",
        "\nmodels of anthropic were at work, by these traces\n  claude-code, model not named: claimed, trailer (commit ",
        "  claude-code with claude-opus-4-5: claimed, note on lines (commit ",
        "\nmodels of openai were at work, by these traces\n  codex with gpt-5.5: claimed, note on lines (commit ",
    ] {
        assert!(ran.stdout.contains(line), "{line}\n{}", ran.stdout);
    }
    let json = Program::new().run(repository.path(), &["attribute", "--format", "json"]);
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!((&json["state"], &json["shares"][0]["families"]), (&json!("ai"), &json!(["anthropic"])));
}

#[test]
fn a_note_that_cannot_be_read_is_told_and_hides_no_record() {
    let record = json!({ "version": "0.1.0", "tool": { "name": "codex" }, "files": [{ "path": "a.rs",
        "conversations": [{ "contributor": { "type": "ai", "model_id": "openai/gpt-5.5" }, "ranges": [] }] }] });
    let attested = format!("a.rs\n{}", "  s_1::t 1\n".repeat(250_000));
    let cases = [
        ("nothing that anybody reads".to_owned(), json!([])),
        (attested, json!([])),
        (format!("{{\"files\": [\n{record}"), json!(["openai"])),
        (format!("{{\"a\": 1}}\n{{not JSON\n{{\"files\": 7}}\n{record}\n"), json!(["openai"])),
    ];
    for (note, families) in cases {
        let repository = TestRepository::with_main(&[("a.rs", "one\n")]);
        repository.commit("Two", &[("a.rs", "two\n")]);
        let file = repository.write("note", &note);
        repository.git(&["notes", "--ref=ai", "add", "-F", file.to_str().expect("UTF-8")]);
        std::fs::remove_file(file).expect("removed");
        let head = repository.git(&["rev-parse", "HEAD"]);
        let told = format!("a note or trace record on commit {} could not be read in full", &head[..12]);
        let start: String = note.chars().take(60).collect();
        let text = Program::new().run(repository.path(), &["attribute"]);
        let words = text.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(&told), "{start}: {}{}", text.stdout, text.stderr);
        let json = Program::new().run(repository.path(), &["attribute", "--format", "json"]);
        let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
        assert_eq!((&json["families"], &json["unread"]), (&families, &json!([told])), "{start}");
        let review = ["review", "--offline", "--format", "json"];
        let ran = Program::new().run(repository.path(), &review);
        let packet = ran.packet();
        assert_eq!((ran.code, &packet["verdict"]), (0, &json!("clean")), "it is told, and is no gap");
        assert_eq!(packet["attribution"]["unread"], json!([told]), "{start}");
        for format in ["text", "markdown"] {
            let view = Program::new().run(repository.path(), &["review", "--offline", "--format", format]);
            let words = view.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words.contains(&told), "{format}: {}", view.stdout);
        }
        let line = json!({ "sha": "x", "message": "Two", "git_ai_note": note }).to_string();
        let ran =
            Program::new().run_with_input(repository.path(), &["attribute", "--jsonl"], line.as_bytes());
        let answer: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        assert_eq!((&answer["families"], answer["unread"].as_array().map(Vec::len)), (&families, Some(1)));
    }
}

#[test]
fn trace_records_of_the_head_are_read_as_notes_are() {
    let repository = TestRepository::with_main(&[("a.rs", "one\n"), ("b.rs", "one\n")]);
    let base = repository.git(&["rev-parse", "HEAD"]);
    let record = |revision: Option<&str>, path: &str, model: &str| {
        let vcs = revision.map(|revision| json!({ "type": "git", "revision": revision.trim() }));
        let range = json!({ "start_line": 40, "end_line": 50 });
        json!({ "version": "0.1.0", "vcs": vcs, "files": [{ "path": path, "conversations": [
            { "contributor": { "type": "ai", "model_id": model }, "ranges": [range] } ] }] })
        .to_string()
    };
    repository.commit("Two", &[("a.rs", "two\n")]);
    let first = repository.git(&["rev-parse", "HEAD"]);
    let traces = [
        record(None, "./a.rs", "openai/gpt-5.5"),
        record(Some(&first), "a.rs", "anthropic/claude-opus-4-5"),
        // The hook names the commit that it worked on top of.
        record(Some(&base), "a.rs", "google/gemini-3-pro"),
        // Of another time, and of another file.
        record(Some(&"c".repeat(40)), "a.rs", "mistral/devstral"),
        record(None, "b.rs", "deepseek/deepseek-v3.2"),
    ];
    repository.commit("Three", &[("a.rs", "three\n"), (".agent-trace/traces.jsonl", &traces.join("\n"))]);
    let attribute = |repository: &TestRepository| {
        let ran = Program::new().run(repository.path(), &["attribute", "--format", "json"]);
        serde_json::from_str::<Value>(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stderr))
    };
    let json = attribute(&repository);
    assert_eq!(json["families"], json!(["anthropic", "google", "openai"]));
    assert_eq!(json["unread"], json!([]));
    // Nobody knows where the lines are now, so they count for the whole file.
    let shares = json["shares"].as_array().expect("shares");
    let of_all = json!(["anthropic", "google", "openai"]);
    assert!(shares.iter().any(|share| share["families"] == of_all), "{shares:?}");
    // What is verified is read in the same way.
    let packet = repository.path().join(".git/packet.json");
    let packet = packet.to_str().expect("UTF-8");
    let ran = Program::new().run(repository.path(), &["review", "--offline", "--packet", packet]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = Program::new().run(repository.path(), &["verify", packet, "--repo", "."]);
    assert!(!ran.stdout.contains("FAILED"), "{}", ran.stdout);
    // A line that is no record is told, and so is a file that is too long to be one.
    repository
        .commit("Four", &[(".agent-trace/other.jsonl", &format!("{{oh\n{}\n", traces[4])), ("b.rs", "2\n")]);
    let json = attribute(&repository);
    assert_eq!(json["families"], json!(["anthropic", "deepseek", "google", "openai"]));
    assert_eq!(json["unread"].as_array().map(Vec::len), Some(1), "{json}");
    repository.git(&["rm", "-q", ".agent-trace/other.jsonl"]);
    repository.commit("Five", &[(".agent-trace/third.jsonl", &" ".repeat((8 << 20) + 1)), ("b.rs", "3\n")]);
    assert_eq!(attribute(&repository)["unread"].as_array().map(Vec::len), Some(1));
    // Taken out of the head, they are no trace of it any more.
    repository.git(&["rm", "-q", "-r", ".agent-trace"]);
    repository.commit("Six", &[("a.rs", "four\n")]);
    assert_eq!(attribute(&repository)["families"], json!([]));
}

#[test]
fn records_are_answered_line_by_line() {
    let claude = json!({ "sha": "first", "author_date": "2026-03-18T21:45:32-07:00", "author_name": "Ann",
        "author_email": "ann@mail.test", "committer_name": "Ann", "committer_email": "ann@mail.test",
        "message": "Fix\n\nCo-authored-by: Claude <noreply@anthropic.com>", "label": "not read" });
    let noted = json!({ "sha": "0123456789012345678901234567890123456789", "message": "Fix",
        "git_ai_note": "a.rs\n  s_1::t 1\n---\n{\"sessions\":{\"s_1\":{\"agent_id\":{\"tool\":\"codex\",\"model\":\"gpt-5.5\"}}}}" });
    let pull =
        json!({ "sha": "third", "message": "Fix", "head_branch": "cursor/fix-it-1a2b", "title": "Fix it" });
    let input = format!("{claude}\n\nnot a record\n{noted}\r\n{pull}\n{{\"sha\": 7}}\n");
    let folder = std::env::temp_dir();
    let ran = Program::new().run_with_input(&folder, &["attribute", "--jsonl"], input.as_bytes());
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.starts_with("error: line 3 of standard input is no record: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("nor is line 6; the rest was answered"), "{}", ran.stderr);
    let answers: Vec<Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told = |answer: &Value| {
        format!("{} {} {} {}", answer["sha"], answer["state"], answer["families"], answer["agents"])
    };
    assert_eq!(
        answers.iter().map(told).collect::<Vec<_>>(),
        [
            r#""first" "ai" ["anthropic"] ["claude-code"]"#,
            r#""0123456789012345678901234567890123456789" "ai" ["openai"] ["codex"]"#,
            r#""third" "unknown_ai" [] ["cursor"]"#,
        ]
    );
    assert_eq!(answers[0]["evidence"][0]["channel"], "trailer");
    let good =
        Program::new().run_with_input(&folder, &["attribute", "--jsonl"], format!("{claude}\n").as_bytes());
    assert_eq!((good.code, good.stderr.as_str()), (0, ""));
    // Many lines are named, and then counted.
    let wrong = "no\n".repeat(23);
    let ran = Program::new().run_with_input(&folder, &["attribute", "--jsonl"], wrong.as_bytes());
    let told = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        told.contains("nor are the lines 2, 3, 4,") && told.contains(" 19, 20 and 3 more; the rest"),
        "{told}"
    );
    // Nothing is said by `null`, and half of a surrogate pair is no reason to leave a record out.
    let nulls = "{\"sha\": \"x\", \"author_name\": null, \"merge\": null, \"title\": null, \"git_ai_note\": null, \
                 \"message\": \"Gr\\udcfc\\n\\nCo-authored-by: Claude <noreply@anthropic.com>\"}\n";
    let ran = Program::new().run_with_input(&folder, &["attribute", "--jsonl"], nulls.as_bytes());
    assert!(ran.code == 0 && ran.stdout.contains("anthropic"), "{}", ran.stderr);
    // A message in another encoding is read as far as it can be.
    let latin = b"{\"sha\": \"x\", \"message\": \"Gr\xfc\xdfe\\n\\nCo-authored-by: Claude <noreply@anthropic.com>\"}\n";
    let ran = Program::new().run_with_input(&folder, &["attribute", "--jsonl"], latin);
    assert!(ran.code == 0 && ran.stdout.contains("anthropic"), "{}", ran.stderr);
}

#[test]
fn the_bases_declaration_counts_and_the_heads_does_not() {
    let declared = |base: &str, head: &str| {
        let file = |who: &str| format!("[authorship]\nwritten_by = [\"{who}\"]\n");
        let repository = TestRepository::with_main(&[(".recuse.toml", &file(base)), ("a.rs", "one\n")]);
        repository.commit(
            "Change\n\nCo-authored-by: aider <aider@aider.chat>",
            &[(".recuse.toml", &file(head)), ("a.rs", "two\n")],
        );
        let ran = Program::new().run(repository.path(), &["attribute", "--format", "json"]);
        let json: Value =
            serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stderr));
        (json["families"].clone(), json["unknown_agent"].clone(), json["vouched"].clone())
    };
    assert_eq!(declared("aider (deepseek-v4)", "human"), (json!(["deepseek"]), json!(false), json!(true)));
    // What people declare takes no evidence away.
    assert_eq!(declared("human", "gpt-5.5"), (json!([]), json!(true), json!(false)));
}

#[test]
fn the_operators_families_are_added_and_a_circle_is_named() {
    let home = Program::new().config(
        "[lineage]\nfamilies = \"more.toml\"\n[[model]]\nname = \"local/acorn-7b\"\nbase_url = \"http://127.0.0.1:9/v1\"\n",
    );
    let table = |text: &str| {
        std::fs::write(home.home().join(".config/recuse/more.toml"), text).expect("written");
        home.run(home.home(), &["models", "--written-by", "qwen3-coder"])
    };
    let tuned = "[[family]]\nname = \"oak\"\nmaker = \"Oak\"\ndisplay = \"Acorn\"\npatterns = []\nnames = []\norgs = []\n\
        [[derived]]\nname = \"acorn\"\npatterns = [\"acorn-\"]\nfrom = [\n\
        {family = \"oak\", kind = \"made_by\", source = \"us\", date = \"2026-11-01\"},\n\
        {family = \"qwen\", kind = \"tuned_from\", source = \"our own notes\", date = \"2026-11-01\", certain = false},\n]\n";
    let ran = table(tuned);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("acorn is tuned from qwen (our own notes, 2026-11-01, uncertain)"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("recused: it shares qwen with that author"), "{}", ran.stdout);
    let circle = tuned.replace("family = \"qwen\"", "derived = \"acorn\"");
    let ran = table(&circle);
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(ran.stderr.contains("goes round in a circle: acorn -> acorn"), "{}", ran.stderr);
    let ran = table(&tuned.replace("family = \"qwen\"", "family = \"qwem\""));
    assert!(ran.code == 2 && ran.stderr.contains("qwem, which is not in the table"), "{}", ran.stderr);
}

#[test]
fn the_roster_is_listed_with_who_would_be_recused() {
    let program = Program::new().env("OPENAI_API_KEY", "k").env("ANTHROPIC_API_KEY", "k");
    let folder = std::env::temp_dir();
    let ran = program.run(&folder, &["models", "--written-by", "claude-code", "--format", "json"]);
    let models: Value =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stderr));
    let told = |index: usize| {
        let model = &models["models"][index];
        (model["lineage"]["families"][0].clone(), model["relation_to_author"]["kind"].clone())
    };
    assert_eq!(told(0), (json!("openai"), json!("unrelated")));
    assert_eq!(told(1), (json!("anthropic"), json!("related")));
    assert!(models["models"][0]["price_as_of"].is_string());
    let ran = Program::new().run(&folder, &["models"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "models    none is configured: only the rules can look\n")
    );
    let unknown =
        Program::new().config("[[model]]\nname = \"local/thing\"\nbase_url = \"https://gateway.example\"\n");
    let ran = unknown.run(&folder, &["models", "check"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("local/thing: its name tells no family"), "{}", ran.stdout);
    assert!(ran.stdout.contains("local/thing: nobody knows its price"), "{}", ran.stdout);
}

#[test]
fn a_preview_prices_the_panel_and_asks_nobody() {
    let repository = TestRepository::with_main(&[("a.rs", "fn a() {}\n")]);
    repository
        .commit("Change\n\nCo-authored-by: Claude <noreply@anthropic.com>", &[("a.rs", "fn a() { b() }\n")]);
    // Nothing listens there: a call would fail.
    let model = |name: &str, family: &str, price: &str| {
        format!(
            "[[model]]\nname = \"{name}\"\nbase_url = \"http://127.0.0.1:9/v1\"\nfamilies = [\"{family}\"]\n{price}"
        )
    };
    let priced =
        [model("local/oak", "openai", "input_usd = 10\noutput_usd = 100\n"), model("local/elm", "qwen", "")]
            .concat();
    let program =
        Program::new().config(&format!("[review]\nreviewers_per_lens = 2\nmax_usd = 0.5\n{priced}"));
    let ran = program.run(repository.path(), &["review", "--preview", "--lens", "correctness"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for part in [
        "local/oak: 1 call, about ",
        " tokens in, at most 0.8",
        "local/elm: 1 call",
        ", free\n",
        "cap       0.5000 USD",
    ] {
        assert!(ran.stdout.contains(part), "{part}\n{}", ran.stdout);
    }
    let json =
        program.run(repository.path(), &["review", "--preview", "--lens", "correctness", "--format", "json"]);
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(json["calls"].as_array().map(Vec::len), Some(2));
    let oak = &json["calls"][0];
    let (tokens, cost) =
        (oak["input_tokens"].as_u64().expect("a count"), oak["max_micro_usd"].as_u64().expect("a cost"));
    assert_eq!(cost, tokens * 10 + 8192 * 100);
}

#[test]
fn a_disclosure_in_sentences_makes_a_mixed_change_and_no_talk_of_tools_does() {
    let state = |message: &str| {
        let repository = TestRepository::with_main(&[("src/lib.rs", "one\n")]);
        repository.commit(message, &[("src/lib.rs", "two\n")]);
        let ran = Program::new().run(repository.path(), &["attribute", "--format", "json"]);
        let told: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        (told["state"].clone(), told["families"].clone())
    };
    let cases = [
        ("Compute\n\nGenerated with the help of\nClaude Code", "ai", json!(["anthropic"])),
        ("Compute\n\nAI disclosure: parts written with Codex", "mixed", json!(["openai"])),
        ("Compute\n\nThis change was partly written by Codex.", "mixed", json!(["openai"])),
        ("Fix Claude Code integration\n\nNo AI was used.", "no_evidence", json!([])),
    ];
    for (message, expected, families) in cases {
        assert_eq!(state(message), (json!(expected), families), "{message}");
    }
}

#[test]
fn a_declared_family_that_nobody_knows_is_refused_and_never_counts_as_another_makers() {
    let repository = TestRepository::with_main(&[("a.rs", "one\n")]);
    repository.commit("Two\n\nCo-authored-by: Claude <noreply@anthropic.com>", &[("a.rs", "two\n")]);
    let declared = |families: &str| {
        Program::new().config(&format!(
            "[[model]]\nname = \"local/elm\"\nbase_url = \"http://127.0.0.1:9/v1\"\nfamilies = [{families}]\n"
        ))
    };
    let refused = [
        ("\"antropic\"", "at `families[0]`: `antropic` is no family; did you mean `anthropic`?"),
        ("\"qwen\", \"Mistrall\"", "at `families[1]`: `Mistrall` is no family; did you mean `mistral`?"),
        ("\"my-own-line\"", "`my-own-line` is no family; a family of your own goes into"),
        ("\"\"", "`` is no family"),
        ("", "`families = []` names no family"),
    ];
    for command in [&["review", "--preview"][..], &["panel"], &["models", "check"]] {
        for (families, expected) in refused {
            let ran = declared(families).run(repository.path(), command);
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{command:?} {families}: {}", ran.stderr);
            let told = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(told.contains("`local/elm`") && told.contains(expected), "{expected}: {told}");
        }
    }
    // Letter case does not count: it is the author's family, and recused.
    let ran = declared("\" Anthropic\"").run(repository.path(), &["panel"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("shares anthropic"), "{}", ran.stdout);
    // A family of the operator's own table is one.
    let table =
        "[[family]]\nname = \"acme\"\nmaker = \"Acme\"\ndisplay = \"Acorn\"\npatterns = [\"acorn\"]\n";
    let own = Program::new().config(
        "[lineage]\nfamilies = \"own.toml\"\n[[model]]\nname = \"local/elm\"\nbase_url = \"http://127.0.0.1:9/v1\"\n\
         families = [\"acme\"]\n",
    );
    std::fs::write(own.home().join(".config/recuse/own.toml"), table).expect("written");
    let ran = own.run(repository.path(), &["panel"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_panel_that_is_not_enough_says_what_would_be_and_keeps_to_the_width() {
    let repository = TestRepository::with_main(&[("src/lib.rs", "one\n")]);
    repository.commit("Two\n\nCo-authored-by: Codex <codex@openai.com>", &[("src/lib.rs", "two\n")]);
    let local =
        "[[model]]\nname = \"local/oak\"\nbase_url = \"http://127.0.0.1:9/v1\"\nfamilies = [\"openai\"]\n";
    let ran = Program::new().config(local).run(repository.path(), &["panel"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let text = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "next step add a key or a local server of another family",
        "`--model anthropic/",
        "(key in ANTHROPIC_API_KEY)",
        "would be enough",
    ] {
        assert!(text.contains(words), "{words}\n{}", ran.stdout);
    }
    assert!(!text.contains("--model openai/"), "{}", ran.stdout);
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 100), "{}", ran.stdout);
    let json = Program::new().config(local).run(repository.path(), &["panel", "--format", "json"]);
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert!(json["lenses"][0]["next_step"].as_str().is_some_and(|step| step.contains("ANTHROPIC_API_KEY")));
}

#[test]
fn decisions_offer_the_formats_that_they_have() {
    let folder = TestRepository::with_main(&[("a", "one\n")]);
    for command in ["attribute", "panel", "models", "classify"] {
        let help = Program::new().run(folder.path(), &[command, "--help"]);
        let formats = help.stdout.split("--format <FORMAT>").nth(1).expect("the flag");
        let formats = formats.split("[default: text]").next().unwrap_or_default();
        assert!(formats.contains("json") && !formats.contains("sarif"), "{command}: {formats}");
        let ran = Program::new().run(folder.path(), &[command, "--format", "markdown"]);
        assert!(ran.code == 2 && ran.stderr.contains("possible values: text, json"), "{}", ran.stderr);
    }
}
