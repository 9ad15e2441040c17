//! Branches, files, titles and authors whose names are shell, options, Markdown or HTML.

use crate::support::fake_github::{Committer, FakeGitHub, OpenPull};
use crate::support::oracle::live_parts;
use crate::support::server::Home;

/// Names of files. Each holds the same query, so that each is told of.
const FILES: [&str; 14] = [
    "$(touch pwned).py",
    "`touch pwned`.py",
    "; touch pwned #.py",
    "-rf.py",
    "--upload-pack=touch pwned.py",
    "--output=pwned.py",
    ":(exclude)*.py",
    "@octocat #1 www.evil.example.py",
    "![x](evil.example).py",
    "<img src=x onerror=alert(1)>.py",
    "a|b`c``d.py",
    "\u{202e}yp.gnorts.py",
    "new\nline.py",
    "quo\"te'back\\slash.py",
];

const QUERY: &str = "def search(connection, name):\n    \
                     return connection.execute(\"SELECT * FROM goods WHERE name = '\" + name + \"'\")\n";

#[test]
fn names_are_data_wherever_they_stand() {
    let fake = FakeGitHub::start();
    let home = Home::new(&fake, "[serve]\nlease_seconds = 1\n");
    let server = home.serve(&["--offline"]);
    fake.deliver_to(&server.webhook);
    let files: Vec<(&str, &str)> = FILES.iter().map(|name| (*name, QUERY)).collect();
    let branches =
        ["$(touch${IFS}pwned)", "a;touch${IFS}pwned", "`id`", "<!--recuse-->", "@octocat", "x|y&z"];
    for (index, branch) in branches.into_iter().enumerate() {
        let number = fake.open_pull(
            1,
            &OpenPull {
                author: "mallory",
                branch,
                title: FILES[index],
                body: "$(touch pwned) <!-- hidden",
                message: FILES[index + 6],
                committer: Committer { name: "$(touch pwned) ![x](http://x)", email: "a@evil.example" },
                files: &files,
                ..OpenPull::default()
            },
        );
        let head = fake.head(1, number);
        let run = || fake.check_runs(1, &head).into_iter().find(|run| run.status == "completed");
        server.until("the check run ended", || run().is_some());
        let run = run().expect("it was there just now");
        assert_eq!(run.conclusion.as_deref(), Some("success"), "the gate is off: {}", run.output);
        assert_eq!(run.annotations.len(), FILES.len(), "each file is told of: {:?}", run.annotations);
        let inline = fake.review_comments(1, number).into_iter().map(|comment| comment.body);
        let comment = fake.comments(1, number).remove(0).body;
        for text in inline.chain([comment, run.output["summary"].as_str().unwrap_or_default().to_owned()]) {
            assert_eq!(live_parts(&text), Vec::<String>::new(), "{text}");
        }
    }
    let mut folders = vec![home.path().to_owned(), std::env::current_dir().expect("a folder")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
            assert_ne!(entry.file_name(), "pwned");
            if entry.path().starts_with(home.path()) && entry.file_type().expect("a type").is_dir() {
                folders.push(entry.path());
            }
        }
    }
    assert!(!server.said().contains('\u{202e}'), "{}", server.said());
    fake.finish();
}
