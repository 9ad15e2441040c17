//! How fast the rules are on large changes, and on lines made to slow them down.
//!
//! `cargo bench -p rules`

use divan::Bencher;
use divan::counter::BytesCount;
use review::change::{Content, Operation};
use review::{FileChange, Hunk, RepoPath};
use rules::{FileReport, FileView, RuleOptions, redact_hunks, redact_text, review_file};

fn main() {
    divan::main();
}

const FILES: usize = 1_000;
const CHANGED_LINES: usize = 100;

/// A function of ten lines, as ordinary programs have them.
const FUNCTION: &str = "
/// Sends what is queued, the oldest first.
pub fn flush(queue: &mut Queue, token: &Token, limit: usize) -> Result<usize, Error> {
    let mut sent = 0;
    while let Some(entry) = queue.front().filter(|_| sent < limit) {
        if entry.is_due(token.issued_at()) {
            deliver(entry, \"https://queue.internal/v1/entries\")?;
        }
        queue.pop_front();
        sent += 1;
    }
    Ok(sent)
}
";

fn source(lines: usize) -> String {
    FUNCTION.lines().cycle().take(lines).fold(String::new(), |text, line| text + line + "\n")
}

fn file(index: usize, changed: &str) -> FileChange {
    let body: String = changed.lines().map(|line| format!("+{line}\n")).collect();
    FileChange {
        path: RepoPath::from(format!("src/module_{index}.rs").as_str()),
        old_path: None,
        operation: Operation::Modified,
        modes: (None, None),
        content: Content::Text(vec![Hunk::new(0, 1, String::new(), body, false)]),
    }
}

fn change() -> Vec<FileChange> {
    (0..FILES).map(|index| file(index, &source(CHANGED_LINES))).collect()
}

fn review(file: &FileChange, base: Option<&str>, head: Option<&str>) -> FileReport {
    review_file(&FileView::new(file, base, head), &RuleOptions::default())
}

/// 100,000 added lines in 1,000 files, of which only the diff is here.
#[divan::bench(sample_count = 5)]
fn diff_of_100_000_lines(bencher: Bencher) {
    let files = change();
    let bytes: usize = files.iter().map(|file| file.hunks()[0].body().len()).sum();
    bencher
        .counter(BytesCount::new(bytes))
        .bench(|| files.iter().map(|file| review(file, None, None).findings.len()).sum::<usize>());
}

/// The same with whole files of some lines, so that functions are measured.
#[divan::bench(args = [100, 400], sample_count = 3)]
fn with_whole_files(bencher: Bencher, lines: usize) {
    let files = change();
    let head = source(lines);
    bencher
        .counter(BytesCount::new(FILES * head.len()))
        .bench(|| files.iter().map(|file| review(file, Some(""), Some(&head)).findings.len()).sum::<usize>());
}

/// Takes a secret out of each of 1,000 files.
#[divan::bench(sample_count = 5)]
fn redact_1_000_files(bencher: Bencher) {
    let secret = ["ghp", "_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17"].concat();
    let changed = source(CHANGED_LINES) + &format!("TOKEN = \"{secret}\"\n");
    let file = file(0, &changed);
    let spans = review(&file, None, None).secrets;
    bencher.bench(|| (0..FILES).map(|_| redact_hunks(&file, &spans).hunks().len()).sum::<usize>());
}

/// A megabyte in one line, of what the shapes of secrets are slowest on.
#[divan::bench(
    args = ["a", "key=\"", "password=", "password: Aa1!", "eyJ.", "eyJhbGciOiJ9.eyJ", "://a:", "://u:p@", "sk-", "-sk_live_",
        "curl -u a:", " curl", "authorization: bearer ", "xoxb-123456-", "secret=token=password=", "AKIA", "ghp_", "|", "sig=%3D",
        "-----BEGIN PRIVATE KEY-----", "[redacted:secrets/jwt]", "api_key:'aB3dE5gH7", ".docker-us", "8Q~"],
    sample_count = 1
)]
fn adversarial_megabyte(bencher: Bencher, motif: &str) {
    let line = motif.repeat(1_000_000 / motif.len());
    let file = file(0, &line);
    bencher.bench(|| review(&file, None, None).secrets.len());
}

/// A megabyte in lines that are short enough to stay within their budgets, and 10,000 secrets in one file.
#[divan::bench(args = ["secret=token=password=", "password: Aa1!"], sample_count = 1)]
fn adversarial_short_lines(bencher: Bencher, motif: &str) {
    let line = motif.repeat(240 / motif.len()) + "\n";
    let file = file(0, &line.repeat(1_000_000 / line.len()));
    bencher.bench(|| review(&file, None, None).secrets.len());
}

#[divan::bench(sample_count = 1)]
fn ten_thousand_secrets(bencher: Bencher) {
    let line = |index: usize| format!("password = \"Xy{}z!q\"\n", index * 7919 + 100_000);
    let file = file(0, &(0..10_000).map(line).collect::<String>());
    bencher.bench(|| review(&file, None, None).secrets.len());
}

/// The same line through the redaction of texts.
#[divan::bench(args = ["password: Aa1!", "://a:", "secret=token=password=", "api_key:'aB3dE5gH7"], sample_count = 1)]
fn adversarial_megabyte_of_text(bencher: Bencher, motif: &str) {
    let line = motif.repeat(1_000_000 / motif.len());
    bencher.bench(|| redact_text(&line).1);
}

/// A megabyte in one line, or in lines of 200 bytes, of what the readers of files by their names are slowest on.
#[divan::bench(
    args = [
        (".github/workflows/a.yml", "[a,"), (".github/workflows/a.yml", "- "), (".github/workflows/a.yml", "a: &b [*b]\n"),
        (".github/workflows/a.yml", "- run: echo ${{ github.head_ref }}\n"), (".github/workflows/a.yml", "- uses: a/b@v1\n"),
        (".github/workflows/a.yml", "- run: curl a \\\n"), ("package.json", "\"a\": \"^1.0.0\",\n"), ("package.json", "{\"a\":"),
        ("package-lock.json", "\"resolved\": \"https://a.example/a\",\n"), ("Cargo.toml", "a = { git = \"https://a\" }\n"),
        ("requirements.txt", "requests==1 "), ("CLAUDE.md", "- Always use tabs for indentation here.\n"), ("CLAUDE.md", "<!-- you must "),
        ("CLAUDE.md", "`[a](b.md) @c.md "), ("CLAUDE.md", "<a "), (".claude/settings.json", "[\"Bash(*)\","), (".mcp.json", "{\"mcpServers\":"),
        ("app/prompts/a.j2", "{{ issue_body }}\n"), ("a.py", "do not report "), ("a.py", "ignore all previous "), ("a.md", "approved by "),
    ],
    sample_count = 1
)]
fn adversarial_megabyte_in(bencher: Bencher, (path, motif): (&str, &str)) {
    let text = motif.repeat(1_000_000 / motif.len());
    let body: String = text.split_terminator('\n').map(|line| format!("+{line}\n")).collect();
    let file = FileChange {
        path: RepoPath::from(path),
        operation: Operation::Added,
        content: Content::Text(vec![Hunk::new(0, 1, String::new(), body, false)]),
        ..file(0, "")
    };
    bencher.bench(|| review(&file, None, Some(&text)).findings.len());
}
