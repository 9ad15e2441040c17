//! What is read from generated histories is what git itself counts.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use git::RangeRequest;
use review::RepoPath;
use review::change::Content;

use crate::support::Fixture;

/// How many commits are made at random.
const COMMITS: usize = 150;

const NAMES: [&[u8]; 14] = [
    b"plain.txt",
    b"dir/nested/file.rs",
    b"with space",
    b"a b/x",
    b"tab\there",
    b"quote\"d",
    b"back\\slash",
    b"line\nfeed",
    b"caf\xc3\xa9",
    b"latin-\xe9",
    b"a/a/a",
    b"b/b",
    b"dev/null",
    b"-dash",
];

/// Numbers that are the same on every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).expect("it is below a usize")
    }

    fn pick<'a>(&mut self, items: &[&'a [u8]]) -> &'a [u8] {
        items[self.below(items.len())]
    }
}

/// Lines that look like something else, of all endings.
const LINES: [&[u8]; 16] = [
    b"text\n",
    b"crlf\r\n",
    b"lone\rcr\n",
    b"\n",
    b"-- dashes\n",
    b"++ pluses\n",
    b"--- a/plain.txt\n",
    b"+++ b/plain.txt\n",
    b"@@ -1 +1 @@\n",
    b"diff --git a/x b/x\n",
    b"\\ No newline at end of file\n",
    b"latin \xe9\n",
    b"Subproject commit 0123456789012345678901234567890123456789\n",
    b"From 0123456789012345678901234567890123456789 Mon\n",
    b"\x1b[31m\n",
    b"function f() {\n",
];

/// Edits a file: lines out, lines in, perhaps no line feed at the end, perhaps a NUL byte.
fn edit(random: &mut Random, text: &[u8]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = text.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    for _ in 0..=random.below(8) {
        let at = random.below(lines.len() + 1);
        if random.below(3) == 0 && at < lines.len() {
            lines.remove(at);
        } else {
            lines.insert(at, random.pick(&LINES).to_vec());
        }
    }
    let mut edited = lines.concat();
    match random.below(12) {
        0 => edited.push(0),
        1 | 2 => {
            edited.pop();
        }
        3 => edited.clear(),
        _ => {}
    }
    edited
}

fn change_something(random: &mut Random, fixture: &Fixture) {
    let name = OsStr::from_bytes(random.pick(&NAMES));
    let path = fixture.path().join(name);
    match random.below(10) {
        0 => {
            let _ = fs::remove_file(&path);
        }
        1 => {
            let target = fixture.path().join(format!("moved/{}", random.below(50)));
            fs::create_dir_all(fixture.path().join("moved")).expect("a directory can be made");
            let _ = fs::rename(&path, target);
        }
        2 if path.exists() => {
            fixture.git([OsStr::new("add"), OsStr::new("--"), name]);
            fixture.git([OsStr::new("update-index"), OsStr::new("--chmod=+x"), OsStr::new("--"), name]);
        }
        _ => {
            let old = fs::read(&path).unwrap_or_default();
            fixture.write(name, edit(random, &old));
        }
    }
}

/// What git counts in the last commit: added and removed lines of each path, `None` for a binary file.
fn git_counts(fixture: &Fixture) -> BTreeMap<RepoPath, Option<(u64, u64)>> {
    let output =
        fixture.try_git(["diff-tree", "-r", "-M", "-z", "--root", "--no-commit-id", "--numstat", "HEAD"]);
    let mut counts = BTreeMap::new();
    let mut fields = output.stdout.split(|&byte| byte == 0);
    while let Some(field) = fields.next().filter(|field| !field.is_empty()) {
        let parts: Vec<_> = field.splitn(3, |&byte| byte == b'\t').collect();
        let &[added, removed, path] = parts.as_slice() else { panic!("git says {}", field.escape_ascii()) };
        let path = if path.is_empty() { fields.nth(1).expect("a move has two names") } else { path };
        let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse::<u64>().ok();
        counts.insert(RepoPath::from_bytes(path), number(added).zip(number(removed)));
    }
    counts
}

#[test]
fn every_commit_of_a_random_history_has_the_counts_of_git() {
    let fixture = Fixture::init(&["-b", "odd"]);
    fixture.git(["config", "core.autocrlf", "false"]);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut files, mut binaries) = (0, 0);
    for number in 0..COMMITS {
        for _ in 0..=random.below(4) {
            change_something(&mut random, &fixture);
        }
        fixture.commit(&format!("commit {number}"));
        let change = fixture.gather(&RangeRequest::Default);
        assert_eq!(change.gaps, [], "commit {number}");
        let theirs = git_counts(&fixture);
        let ours: BTreeMap<_, _> = change
            .files
            .iter()
            .map(|file| match file.content {
                Content::Binary => (file.path.clone(), None),
                // A binary file that only moved: the diff shows nothing of what it is.
                Content::Nothing if theirs.get(&file.path) == Some(&None) => (file.path.clone(), None),
                Content::Text(_) | Content::Nothing => (file.path.clone(), Some(file.line_counts())),
            })
            .collect();
        assert_eq!(ours, theirs, "commit {number}");
        files += ours.len();
        binaries += ours.values().filter(|count| count.is_none()).count();
        assert_blobs_have_the_lines(&fixture, &change);
    }
    assert!(files > COMMITS && binaries > 10, "{files} files, {binaries} binary: too tame to prove anything");
}

/// Every line of a hunk is where its number says in the file itself, on both sides.
fn assert_blobs_have_the_lines(fixture: &Fixture, change: &review::Change) {
    let repository = fixture.open();
    let mut blobs = repository.blobs(change).expect("git runs");
    for file in change.files.iter().filter(|file| !file.hunks().is_empty()) {
        let text = |at: Result<git::FileAt, _>| {
            let bytes = at.expect("readable").into_bytes().unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let (before, after) = (text(blobs.before(file)), text(blobs.after(file)));
        let (before, after): (Vec<_>, Vec<_>) = (before.split('\n').collect(), after.split('\n').collect());
        for line in file.hunks().iter().flat_map(|hunk| hunk.lines()) {
            for (number, lines) in [(line.old, &before), (line.new, &after)] {
                let Some(number) = number else { continue };
                assert_eq!(lines[number as usize - 1], line.text, "{} line {number}", file.path);
            }
        }
    }
}
