//! What the names of models are told to be, and which tables are refused.

use proptest::prelude::*;

use super::*;

/// `meta+nvidia`, with `?` where that is not all; `?` alone is unknown.
fn told(families: &Families, name: &str) -> String {
    let lineage = families.resolve(name).lineage;
    let names = lineage.families.iter().map(Family::as_str).collect::<Vec<_>>().join("+");
    format!("{names}{}", if lineage.complete { "" } else { "?" })
}

fn check(cases: &[(&str, &str)]) {
    let families = Families::embedded();
    let wrong: Vec<String> = cases
        .iter()
        .filter(|(name, expected)| told(&families, name) != *expected)
        .map(|(name, expected)| format!("{name}: expected {expected}, told {}", told(&families, name)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_built_in_table_is_right() {
    let families = Families::parse(Families::EMBEDDED).expect("the table that is built in");
    assert!(families.knows(&Family::new("Anthropic")));
    assert!(!families.knows(&Family::new("nobody")));
    assert_eq!(families.display(&Family::new("openai")), "GPT (OpenAI)");
}

#[test]
fn a_model_keeps_its_family_wherever_it_is_served() {
    check(&[
        ("claude-opus-4-8", "anthropic"),
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", "anthropic"),
        ("vertex_ai/claude-haiku-4-5@20251001", "anthropic"),
        ("databricks/databricks-claude-opus-5", "anthropic"),
        ("claude-4.5-opus-high-thinking", "anthropic"),
        ("sonnet[1m]", "anthropic"),
        ("opusplan", "anthropic"),
        ("gpt-5.3-codex", "openai"),
        ("gpt-oss:120b-cloud", "openai"),
        ("groq/openai/gpt-oss-20b", "openai"),
        ("ft:gpt-4o-mini:acme::abc", "openai"),
        ("o4-mini-high", "openai"),
        ("models/gemini-3.1-pro-preview", "google"),
        ("hf.co/someone/codegemma-7b-GGUF:Q4_K_M", "google"),
        ("x-ai/grok-4.3", "xai"),
        ("accounts/fireworks/models/kimi-k2p6", "moonshot"),
        ("k2p5", "moonshot"),
        ("mistral/zai-glm-5-3", "zhipu"),
        ("azure_ai/FW-MiniMax-M2.5", "minimax"),
        ("dashscope/deepseek-v4-pro", "deepseek"),
        ("ollama/llama3.3:70b", "meta"),
        ("github_copilot/mai-code-1.1-flash", "microsoft"),
        ("nvidia/nemotron-3-super-120b-a12b", "nvidia"),
        ("bedrock/eu-west-1/qwen.qwen3-coder-next", "qwen"),
        ("novita/deepseek/deepseek-v3/community", "deepseek?"),
    ]);
}

#[test]
fn display_names_are_read_with_the_model_before_the_tool() {
    check(&[
        ("Claude Opus 4.6 (1M context)", "anthropic"),
        ("Claude (GLM-4.7)", "zhipu"),
        ("Claude:kimi-k2.5", "moonshot"),
        ("aider (openrouter/qwen/qwen3-coder)", "qwen"),
        ("pi-coding-agent:glm-4.7", "zhipu"),
        ("Gemini 3.1 Pro via Google Antigravity", "google"),
        ("GPT 5.5", "openai"),
        ("Cursor Grok 4.6", "xai"),
    ]);
}

#[test]
fn a_derived_model_has_every_ancestor() {
    check(&[
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", "deepseek+qwen"),
        ("deepseek-r1-distill-llama-70b", "deepseek+meta"),
        ("deepseek-r1:8b", "deepseek+qwen"),
        ("deepseek-r1:70b", "deepseek+meta"),
        ("deepseek-r1:671b", "deepseek"),
        ("deepseek-r1", "deepseek"),
        ("ollama/deepseek-r1", "deepseek+meta+qwen"),
        ("nvidia/Llama-3.3-Nemotron-Super-49B-v1.5", "meta+nvidia"),
        ("nvidia/OpenReasoning-Nemotron-32B", "nvidia+qwen"),
        ("mistral-nemotron", "mistral+nvidia"),
        ("NousResearch/Hermes-4-405B", "meta+nousresearch"),
        ("nous-hermes-2-mixtral-8x7b-dpo", "mistral+nousresearch"),
        ("microsoft/wizardlm-2-8x22b", "microsoft+mistral"),
        ("moonshotai/Kimi-Dev-72B", "moonshot+qwen"),
        ("LLM360/K2-Think", "qwen"),
        ("microsoft/MAI-DS-R1", "deepseek+microsoft"),
        ("composer-2.5", "cursor-composer+moonshot"),
        ("anthracite-org/magnum-v2-72b", "qwen"),
        ("microsoft/Phi-4-reasoning-plus", "microsoft"),
        ("someone/gemma-3-27b-distilled-from-claude", "anthropic+google"),
        ("someone/qwen3-8b-distilled", "qwen?"),
    ]);
}

#[test]
fn what_nobody_discloses_is_never_complete() {
    check(&[
        ("composer-1", "cursor-composer?"),
        ("swe-1.5", "cognition-swe?"),
        ("perplexity/sonar-pro", "meta+perplexity?"),
        ("opencode/big-pickle", "zhipu?"),
        ("code-supernova-1-million", "xai?"),
        ("openrouter/pony-alpha", "zhipu"),
        ("openrouter/quasar-alpha:free", "openai"),
        ("anthropic/some-name", "anthropic?"),
        ("azure/our-claude", "anthropic?"),
        ("azure/gpt-35-turbo", "openai"),
    ]);
}

#[test]
fn a_router_an_alias_and_a_look_alike_are_unknown() {
    check(&[
        ("", "?"),
        ("auto", "?"),
        ("cursor/default", "?"),
        ("openrouter/auto", "?"),
        ("kilo-auto/balanced", "?"),
        ("azure/model-router", "?"),
        ("<synthetic>", "?"),
        ("OpenHands-<MODEL_ID>", "?"),
        ("prod-llm-01", "?"),
        ("openrouter/some-new-alpha", "?"),
        ("arn:aws:bedrock:eu-west-1:1:application-inference-profile/abc", "?"),
        ("llama-swap", "?"),
        ("llama.cpp", "?"),
        ("ollama", "?"),
        ("groq", "?"),
        ("claude-flow", "?"),
        ("EleutherAI/gpt-neox-20b", "eleutherai"),
    ]);
}

#[test]
fn a_models_name_is_told_from_a_persons() {
    let families = Families::embedded();
    for name in [
        "Claude Opus 4.6",
        "claude opus",
        "gpt-5.3-codex",
        "GPT 5.5",
        "Kimi K2.7 Code",
        "glm-4.7",
        "claude-sonnet:3.7-thinking",
        "Gemini 3 Pro",
    ] {
        assert!(families.is_model_name(name), "{name}");
    }
    for name in [
        "Claude",
        "Claude Martin",
        "claude99999",
        "kimi2020",
        "Gemini Rising",
        "Nova 3",
        "Devin 2",
        "Mercury 7",
        "",
    ] {
        assert!(!families.is_model_name(name), "{name}");
    }
}

#[test]
fn the_explanation_names_the_edges_and_their_sources() {
    let found = Families::embedded().resolve("phi-4-reasoning");
    let text = found.explanation.join("\n");
    assert!(text.contains("phi-reasoning is made by microsoft (model card, 2025-04-30)"), "{text}");
    assert!(text.contains("learned from outputs of openai"), "{text}");
    let found = Families::embedded().resolve("big-pickle");
    assert!(found.explanation[0].contains("2025-11-13"), "{:?}", found.explanation);
    let found = Families::embedded().resolve("no-such-thing");
    assert_eq!(found.explanation, ["`no-such-thing` is not in the table"]);
}

#[test]
fn the_sets_hold_each_family_and_each_derived_model() {
    let sets = Families::embedded().lineage_sets();
    let set = |names: &[&str]| names.iter().map(|name| Family::new(name)).collect::<BTreeSet<_>>();
    for expected in [set(&["anthropic"]), set(&["deepseek", "qwen"]), set(&["cursor-composer", "moonshot"])] {
        assert!(sets.contains(&expected), "{expected:?}");
    }
    assert!(!sets.contains(&set(&["deepseek", "meta", "qwen"])), "a tag for one of two models is no model");
}

const SMALL: &str = r#"
    [[family]]
    name = "one"
    maker = "One"
    display = "One"
    patterns = ["one"]
    [[family]]
    name = "two"
    maker = "Two"
    display = "Two"
    patterns = ["two"]
"#;

fn derived(name: &str, from: &str) -> String {
    format!(
        "[[derived]]\nname = \"{name}\"\npatterns = [\"{name}\"]\nfrom = [{{ {from}, kind = \"tuned_from\", source = \"card\", date = \"2026-01-01\" }}]\n"
    )
}

#[test]
fn descent_is_followed_through_derived_models() {
    let table = format!(
        "{SMALL}{}{}",
        derived("middle", "family = \"one\""),
        derived("last", "derived = \"middle\"")
    );
    let families = Families::parse(&table).expect("a right table");
    assert_eq!(told(&families, "the last two"), "one", "derived rules go first");
    assert_eq!(families.resolve("last").edges.len(), 2);
}

#[test]
fn wrong_tables_are_refused_with_the_reason() {
    let cases = [
        (
            format!("{SMALL}{}{}", derived("a", "derived = \"b\""), derived("b", "derived = \"a\"")),
            "the lineage goes round in a circle: a -> b -> a",
        ),
        (format!("{SMALL}{}", derived("a", "derived = \"a\"")), "the lineage goes round in a circle: a -> a"),
        (
            format!("{SMALL}{}", derived("a", "family = \"three\"")),
            "a leads to three, which is not in the table",
        ),
        (
            format!("{SMALL}{}", derived("a", "derived = \"one\"")),
            "a leads to one, which is not in the table",
        ),
        (
            format!("{SMALL}{}", derived("a", "family = \"one\", derived = \"b\"")),
            "an edge of a needs one of family and derived",
        ),
        (format!("{SMALL}{}", derived("one", "family = \"two\"")), "one is in the table twice"),
        (
            format!("{SMALL}\n[[derived]]\nname = \"a\"\npatterns = [\"a\"]\nfrom = []"),
            "a needs at least one edge in `from`",
        ),
        (
            format!("{SMALL}{}", derived("a", "family = \"one\"").replace("2026-01-01", "yesterday")),
            "the date `yesterday` of a is no day, as `2026-11-21`",
        ),
        (
            format!(
                "{SMALL}\n[[alias]]\nname = \"x\"\nmeans = \"one\"\nsource = \"s\"\ndate = \"2026-13-01\""
            ),
            "the date `2026-13-01` of x is no day, as `2026-11-21`",
        ),
        (
            format!("as_of = \"2026-11\"\n{SMALL}"),
            "the date `2026-11` of the table is no day, as `2026-11-21`",
        ),
        (
            format!(
                "{SMALL}\n[[alias]]\nname = \"x\"\nmeans = \"three\"\nsource = \"s\"\ndate = \"2026-01-01\""
            ),
            "x leads to three, which is not in the table",
        ),
        (
            format!("{SMALL}\n[[alias]]\nname = \"x\"\nmeans = \"x\"\nsource = \"s\"\ndate = \"2026-01-01\""),
            "x leads to x, which is not in the table",
        ),
        (
            SMALL.replace("patterns = [\"two\"]", "patterns = [\"(two\"]"),
            "could not compile a pattern of two",
        ),
        (SMALL.replace("display = \"Two\"", "shown = \"Two\""), "could not read the table of families"),
        ("not toml".to_owned(), "could not read the table of families"),
    ];
    for (table, reason) in cases {
        assert_eq!(
            Families::parse(&table).map(|_| ()).map_err(|error| error.to_string()),
            Err(reason.to_owned()),
            "{table}"
        );
    }
}

#[test]
fn an_operators_entries_win() {
    let own = r#"
        [[family]]
        name = "acme"
        maker = "Acme"
        display = "Acme"
        patterns = ["acme"]
        [[derived]]
        name = "house-model"
        patterns = ["gpt-5-house"]
        from = [{ family = "acme", kind = "made_by", source = "us", date = "2026-01-01" }]
        [[derived]]
        name = "composer-1"
        patterns = ["composer-1"]
        from = [{ family = "acme", kind = "made_by", source = "us", date = "2026-01-01" }]
        [[alias]]
        name = "prod-llm-01"
        means = "claude-opus-5"
        source = "us"
        date = "2026-01-01"
    "#;
    let families = Families::embedded().extend(own).expect("a right table");
    for (name, expected) in [
        ("azure/gpt-5-house", "acme"),
        ("composer-1", "acme"),
        ("prod-llm-01", "anthropic"),
        ("acme-9b", "acme"),
        ("gpt-5", "openai"),
    ] {
        assert_eq!(told(&families, name), expected, "{name}");
    }
    assert!(families.extend("[[derived]]").is_err());
}

proptest! {
    #[test]
    fn any_name_is_read(name in "\\PC{0,80}|([a-z]{1,8}[-/:(). ]){0,6}") {
        let families = FAMILIES.with(|families| families.resolve(&name));
        prop_assert!(!families.explanation.is_empty());
    }
}

thread_local! {
    static FAMILIES: Families = Families::embedded();
}
