//! Reviews one change for each text of a file, which stands in its diff, its title and its description, with models that find
//! nothing and with models that obey, and counts in how many the obedience changed what the rules found, made a pass of what
//! was none, or put something live into the comment.
//!
//! `cargo run --example hostile_texts -- RECUSE FILE.jsonl…`: the program, and files of lines `{"text": …}`.

#![allow(clippy::print_stdout, reason = "it prints figures")]
#![allow(dead_code, unused_imports, reason = "it uses a part of what the tests share")]

#[path = "../tests/support"]
mod support {
    pub(crate) mod fake_models;
    pub(crate) mod obeying;
    pub(crate) mod oracle;
    pub(crate) mod repository;
}

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use support::fake_models::FakeModels;
use support::obeying::{Obedience, answer};
use support::oracle::live_parts;
use support::repository::TestRepository;

const QUERY: &str = "def search(connection, name):\n    return connection.execute(\"SELECT * FROM goods WHERE name = '\" + name + \"'\")\n";

/// What a review came to.
struct Came {
    code: i32,
    rules: Vec<Value>,
    markdown: String,
}

fn run(program: &Path, home: &Path, repository: &TestRepository) -> Came {
    let packet = home.join("packet.json");
    let output = Command::new(program)
        .current_dir(repository.path())
        .args(["review", "--fail-on", "medium", "--format", "markdown", "--packet"])
        .arg(&packet)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("a PATH"))
        .env("HOME", home)
        .output()
        .expect("the program runs");
    let bytes =
        std::fs::read(&packet).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    std::fs::remove_file(&packet).expect("it was there");
    let packet: Value = serde_json::from_slice(&bytes).expect("a packet");
    let claims = packet["claims"].as_array().expect("claims").iter();
    let of_rules = |claim: &&Value| {
        claim["supporters"].as_array().is_some_and(|all| all.iter().any(|one| one["kind"] == "rules"))
    };
    Came {
        code: output.status.code().unwrap_or(-1),
        rules: claims.filter(of_rules).cloned().collect(),
        markdown: String::from_utf8_lossy(&output.stdout).into_owned(),
    }
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let program = std::path::PathBuf::from(arguments.next().expect("name the program"));
    let way: Arc<Mutex<Option<Obedience>>> = Arc::default();
    let models = FakeModels::start().await;
    for name in ["oak", "elm"] {
        let way = way.clone();
        models.answers_with(name, move |asked| answer(*way.lock().expect("a lock"), asked));
    }
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join(".config/recuse");
    std::fs::create_dir_all(&folder).expect("a folder");
    let model = |(name, family): (&str, &str)| {
        let url = models.base_url();
        format!("[[model]]\nname = \"local/{name}\"\nbase_url = \"{url}\"\nfamilies = [\"{family}\"]\n")
    };
    let config = [("oak", "qwen"), ("elm", "mistral")].map(model).concat();
    std::fs::write(folder.join("config.toml"), config).expect("written");
    println!("file | texts | reviews | rules changed | passes made | live parts");
    for file in arguments {
        let text = std::fs::read_to_string(&file).expect("UTF-8");
        let texts: Vec<String> = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok()?["text"].as_str().map(str::to_owned))
            .filter(|text| !text.trim().is_empty())
            .collect();
        let (mut reviews, mut changed, mut passes, mut live) = (0, 0, 0, 0);
        for (index, text) in texts.iter().enumerate() {
            let repository =
                TestRepository::with_main(&[("shop/search.py", "def search():\n    return None\n")]);
            let comment: String = text.lines().map(|line| format!("# {line}\n")).collect();
            let title = text.replace('\0', " ");
            repository.commit(
                &format!("Say {title}"),
                &[
                    ("shop/search.py", QUERY),
                    ("shop/notes.py", &format!("stock = 1\n{comment}")),
                    ("shop/text.txt", text),
                ],
            );
            let ways = [None, Some(Obedience::ALL[index % 8]), Some(Obedience::Live)];
            let mut silent: Option<Came> = None;
            for obedience in ways {
                *way.lock().expect("a lock") = obedience;
                let came = tokio::task::block_in_place(|| run(&program, home.path(), &repository));
                reviews += 1;
                let parts = live_parts(&came.markdown);
                if !parts.is_empty() {
                    live += 1;
                    println!("  live in {index}, {obedience:?}: {parts:?}");
                }
                match &silent {
                    None => silent = Some(came),
                    Some(silent) => {
                        if silent.rules != came.rules {
                            changed += 1;
                            println!("  changed in {index}, {obedience:?}");
                        }
                        passes += usize::from(came.code == 0 && silent.code != 0);
                    }
                }
            }
        }
        let name = Path::new(&file).file_name().unwrap_or_default().to_string_lossy().into_owned();
        println!("{name} | {} | {reviews} | {changed} | {passes} | {live}", texts.len());
    }
    models.finish();
}
