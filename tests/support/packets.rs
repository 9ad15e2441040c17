//! Packets with something of everything in them, made through the program.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::fake_models::{Asked, Behaviour, FakeModels};
use crate::support::program::Program;
use crate::support::repository::TestRepository;

/// A packet, the repository that it is about, and the program that made it.
pub(crate) struct Made {
    /// The repository.
    pub(crate) repository: TestRepository,
    /// The program; its database has the receipts.
    pub(crate) program: Program,
    /// Where the packet and its signatures are: `packet.json`, and `key` and `key.pub`.
    pub(crate) folder: TempDir,
}

impl Made {
    /// The path of a file of its folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("a path in UTF-8").to_owned()
    }

    /// The packet's bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.path("packet.json")).expect("the packet was written")
    }

    /// The database that its receipts are in.
    pub(crate) fn database_url(&self) -> String {
        format!("sqlite:{}", self.program.home().join(".local/state/recuse/recuse.db").display())
    }

    /// Reviews and signs.
    async fn make(program: Program, repository: TestRepository, more: &'static [&'static str]) -> Self {
        let folder = TempDir::new().expect("a folder");
        tokio::task::spawn_blocking(move || {
            let made = Self { repository, program, folder };
            let (packet, key) = (made.path("packet.json"), made.path("key"));
            let ran = made.program.run(made.folder.path(), &["keygen", "--output", &key]);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            let arguments = ["review", "--packet", &packet, "--sign", &key, "--format", "json"];
            let ran = made.program.run(made.repository.path(), &[&arguments, more].concat());
            ran.packet();
            made
        })
        .await
        .expect("it ran")
    }

    /// A change by Claude, with claims that are agreed on, examined, elsewhere and of the rules; a stand-in, a hunk that
    /// nobody would look at, a binary file, an exempt one, a secret, house rules, a question, prices.
    pub(crate) async fn rich() -> Self {
        let fake = FakeModels::start().await;
        fake.answers_with("oak", |asked| answer_as(asked, "oak"));
        fake.answers_with("elm", |asked| answer_as(asked, "elm"));
        fake.always("yew", Behaviour::error(401, "invalid_api_key", "no such key"));
        fake.answers_with("ash", |asked| answer_as(asked, "ash"));
        let model = |name: &str, family: &str, more: &str| {
            let url = fake.base_url();
            format!(
                "[[model]]\nname = \"local/{name}\"\nbase_url = \"{url}\"\nfamilies = [\"{family}\"]\n{more}\n"
            )
        };
        let price = "input_usd = 1.0\noutput_usd = 10.0";
        let config = [
            "[review]\nmax_usd = 5.0\n[[path]]\nmatch = [\"*.snap\"]\nexempt = \"made by a tool\"\n",
            &model("fir", "anthropic", ""),
            &model("yew", "google", price),
            &model("oak", "openai", price),
            &model("elm", "qwen", price),
            &model("ash", "mistral", price),
        ];
        let program = Program::new().config(&config.concat());
        let made = Self::make(program, rich_repository(), &["--lens", "correctness"]).await;
        fake.finish();
        made
    }

    /// A change whose lines two makers' models wrote, by its notes.
    pub(crate) async fn shared() -> Self {
        let fake = FakeModels::start().await;
        let nothing = json!({ "examined": ["what was shown"], "findings": [], "questions": [] });
        for model in ["oak", "elm"] {
            fake.always(model, Behaviour::Answer(nothing.clone()));
        }
        let model = |name: &str, family: &str| {
            let url = fake.base_url();
            format!("[[model]]\nname = \"local/{name}\"\nbase_url = \"{url}\"\nfamilies = [\"{family}\"]\n")
        };
        let program = Program::new().config(&[model("oak", "openai"), model("elm", "anthropic")].concat());
        let made = Self::make(program, shared_repository(), &["--lens", "correctness"]).await;
        fake.finish();
        made
    }
}

fn numbered(name: &str, count: usize, change: impl Fn(usize) -> Option<String>) -> String {
    let line = |number| change(number).unwrap_or_else(|| format!("let {name}_{number} = {number};"));
    (1..=count).map(|number| line(number) + "\n").collect()
}

fn rich_repository() -> TestRepository {
    let before = |name: &str| numbered(name, 60, |_| None);
    let repository = TestRepository::with_main(&[
        ("src/a.rs", &before("a")),
        ("src/b.rs", &before("b")),
        ("gone.rs", "fn gone() {}\n"),
        ("AGENTS.md", "Write tests.\n"),
    ]);
    let after = |name: &'static str| {
        numbered(name, 60, move |number| {
            matches!(number, 5 | 45).then(|| format!("let {name}_{number} = items[0];"))
        })
    };
    // Assembled, so that no scanner takes this file for a leak.
    let secret = ["sk", "_live_", "9rTq2LmN7pRs4TuV6wXyZ1aB"].concat();
    repository.git(&["rm", "-q", "gone.rs"]);
    repository.commit(
        "Compute\n\nMore than before.\n\nCo-authored-by: Claude Opus 4.6 <noreply@anthropic.com>",
        &[
            ("src/a.rs", &after("a")),
            ("src/b.rs", &after("b")),
            ("src/key.rs", &format!("const KEY: &str = \"{secret}\";\n")),
            ("picture.png", "\0\u{1}\u{2}"),
            ("out.snap", "made\n"),
        ],
    );
    repository.commit("Explain it", &[("notes.md", "# Notes\n")]);
    repository
}

fn shared_repository() -> TestRepository {
    let repository = TestRepository::with_main(&[("src/lib.rs", &numbered("line", 20, |_| None))]);
    let changed = |number| matches!(number, 2 | 18).then(|| format!("let line_{number} = compute();"));
    repository.commit("Compute two lines", &[("src/lib.rs", &numbered("line", 20, changed))]);
    let note = json!({ "schema_version": "authorship/3.0.0", "sessions": {
        "s_1": { "agent_id": { "tool": "codex", "id": "1", "model": "gpt-5.5" } },
        "s_2": { "agent_id": { "tool": "claude", "id": "2", "model": "claude-opus-4-5" } } } });
    let note = format!("src/lib.rs\n  s_1::t_1 2\n  s_2::t_2 18\n---\n{note}");
    repository.git(&["notes", "--ref=ai", "add", "-m", &note]);
    repository
}

fn finding(file: &str, line: u32, quote: &str, severity: &str, title: &str) -> Value {
    json!({ "file": file, "line_start": line, "line_end": line, "side": "head", "quote": quote,
        "category": "correctness/null-or-bounds", "severity": severity, "title": title,
        "scenario": "`items` is empty after a reset, and the first element of an empty list panics" })
}

/// Both find one thing, each finds another alone, one invents a third, and a hunk is refused by both.
fn answer_as(asked: &Asked, model: &str) -> Behaviour {
    let used = json!({ "prompt_tokens": 2_000, "completion_tokens": 100 });
    let text = asked.text();
    let answer = if text.contains("You cross-examine claims") {
        let upheld = |claim: &str| json!({ "claim": claim, "quote": "let a_45 = items[0];", "reason": "nothing guards it", "verdict": "upheld" });
        json!({ "answers": [upheld("c1"), upheld("c2")] })
    } else if text.contains("let b_45 = items[0];") {
        return Behaviour::Refuse("I cannot help with that.".to_owned());
    } else {
        let mut findings =
            vec![finding("src/a.rs", 5, "let a_5 = items[0];", "high", "An empty list panics")];
        if model == "oak" {
            findings.push(finding("src/a.rs", 45, "items[0]", "medium", "So does this one"));
            findings.push(finding("src/a.rs", 30, "let a_30 = 30;", "medium", "Thirty is the wrong number"));
            findings.push(finding("src/a.rs", 5, "unsafe { transmute(items) }", "critical", "An invention"));
        }
        json!({ "examined": ["src/a.rs: all of it"], "findings": findings, "questions": ["Why the first item?"] })
    };
    Behaviour::Used(used, Box::new(Behaviour::Answer(answer)))
}
