//! What a gathered change holds.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::process::Command;

use git::RangeRequest;
use review::change::{Content, Operation, Source};
use review::{Digest, GapKind, RepoPath};

use crate::support::{Fixture, base_head, summary};

#[test]
fn a_range_has_its_files_its_commits_and_its_title() {
    let fixture = Fixture::new();
    let base = fixture.commit_file("a", "1", "first");
    fixture.git(["checkout", "--quiet", "-b", "topic"]);
    fixture.commit_file("b", "1", "second\n\nbody of the second");
    let newest =
        fixture.commit_file("a", "2", "third\ngoes on\n\nbody of the third\n\nCo-authored-by: B <b@x>\n");
    let change = fixture.gather(&RangeRequest::Default);
    assert_eq!(summary(&change), ["a +1 -1", "b +1 -0"]);
    assert_eq!((change.subject.base.as_ref(), change.subject.head.as_ref()), (Some(&base), Some(&newest)));
    let source = Source::Range { base_ref: "main".to_owned(), head_ref: "topic".to_owned() };
    assert_eq!(change.subject.source, source);
    assert_eq!((change.title.as_str(), change.branch.as_deref()), ("third goes on", Some("topic")));
    assert_eq!(change.body, "body of the third\n\nCo-authored-by: B <b@x>");
    let [third, second] = change.commits.as_slice() else { panic!("two commits are in the range") };
    assert_eq!((&third.id, third.parents, third.author_time), (&newest, 1, 1_700_000_000 + 3 * 3_600));
    assert_eq!((third.author.name.as_str(), third.committer.email.as_str()), ("Ann", "ann@example.org"));
    assert_eq!(second.message, "second\n\nbody of the second");
    let again = fixture.gather(&base_head("main", "topic"));
    assert_eq!(change.subject.diff_digest, again.subject.diff_digest);
    assert_ne!(change.subject.diff_digest, Digest::of(b""));
}

#[test]
fn every_kind_of_change_is_there() {
    let fixture = Fixture::new();
    let lines: String = (0..40).map(|number| format!("line {number}\n")).collect();
    for path in ["deleted", "modified", "to-exec", "to-link", "old-name"] {
        fixture.write(path, format!("{path}\n{lines}"));
    }
    fixture.write("binary", b"a\0b");
    fixture.commit("first");
    fixture.git(["checkout", "--quiet", "-b", "topic"]);
    fixture.write("modified", format!("other\n{lines}"));
    fixture.write("binary", b"a\0c");
    fixture.write("empty", "");
    fixture.write("crlf", "a\r\nb\r\n");
    fixture.write("no-end", "a");
    fixture.write("new\tname é", "x\n");
    fixture.write("new name", format!("old-name\n{lines}more\n"));
    for path in ["deleted", "to-link", "old-name"] {
        fs::remove_file(fixture.path().join(path)).expect("it was written");
    }
    symlink("/etc/passwd", fixture.path().join("to-link")).expect("a link can be made");
    fixture.git(["update-index", "--chmod=+x", "to-exec"]);
    fixture.git(["config", "core.fileMode", "false"]);
    fixture.commit("second");
    let change = fixture.gather(&RangeRequest::Default);
    let expected = [
        "binary +0 -0",
        "crlf +2 -0",
        "deleted +0 -41",
        "empty +0 -0",
        "modified +1 -1",
        "new\tname é +1 -0",
        "new name +1 -0",
        "no-end +1 -0",
        "to-exec +0 -0",
        "to-link +0 -41",
        "to-link +1 -0",
    ];
    assert_eq!(summary(&change), expected);
    let file = |path: &str| change.file(&RepoPath::from(path)).expect("it changed");
    assert_eq!(file("new name").operation, Operation::Renamed);
    assert_eq!(file("new name").old_path, Some(RepoPath::from("old-name")));
    assert!(matches!(file("binary").content, Content::Binary));
    assert_eq!(file("to-exec").modes, (Some(0o100_644), Some(0o100_755)));
    let operations: Vec<_> = change.files.iter().filter(|file| file.path.as_str() == "to-link").collect();
    assert_eq!((operations[0].operation, operations[1].operation), (Operation::Deleted, Operation::Added));
    assert_eq!(operations[1].modes, (None, Some(0o120_000)));
}

#[test]
fn a_submodule_is_a_gap() {
    let fixture = Fixture::new();
    let first = fixture.commit_file("a", "1", "first");
    fixture.git(["checkout", "--quiet", "-b", "topic"]);
    fixture.git(["update-index", "--add", "--cacheinfo", &format!("160000,{first},lib")]);
    fixture.commit_staged("second");
    let change = fixture.gather(&RangeRequest::Default);
    assert_eq!(summary(&change), ["lib +0 -0", "gap Submodule lib"]);
    let detail =
        format!("a reference to another repository is added to {}; its content is not here", first.short());
    assert_eq!((change.gaps[0].kind, &change.gaps[0].detail), (GapKind::Submodule, &detail));
}

#[test]
fn bytes_that_are_not_utf8_are_shown_as_such() {
    let fixture = Fixture::new();
    fixture.commit_file("a", "1", "first");
    fixture.git(["checkout", "--quiet", "-b", "topic"]);
    let name = b"caf\xe9.txt";
    fixture.write(OsStr::from_bytes(name), b"caf\xe9\n");
    fixture.git(["add", "--all"]);
    // A message in Latin-1 that says so, and one that does not.
    for (header, message) in [("encoding ISO-8859-1\n", &b"Gr\xfc\xdfe"[..]), ("", b"a\xffb")] {
        let (tree, parent) = (fixture.git(["write-tree"]), fixture.id("HEAD"));
        let head = format!(
            "tree {tree}\nparent {parent}\nauthor J <j@x> 1 +0000\ncommitter J <j@x> 1 +0000\n{header}\n"
        );
        let file = fixture.outside("commit");
        fs::write(&file, [head.as_bytes(), message].concat()).expect("it is ours");
        let commit = fixture.git(["hash-object", "-t", "commit", "-w", &file.display().to_string()]);
        fixture.git(["update-ref", "HEAD", &commit]);
    }
    let change = fixture.gather(&RangeRequest::Default);
    assert_eq!(summary(&change), ["\"caf\\351.txt\" +1 -0"]);
    let hunk = &change.files[0].hunks()[0];
    assert_eq!((hunk.body(), hunk.lossy), ("+caf\u{fffd}\n", true));
    let messages: Vec<_> = change.commits.iter().map(|commit| commit.message.as_str()).collect();
    assert_eq!(messages, ["a\u{fffd}b", "Grüße"]);
    let repository = fixture.open();
    let bytes = repository.blobs(&change).and_then(|mut blobs| blobs.after(&change.files[0]));
    assert_eq!(bytes.expect("the blob is here").into_bytes(), Some(b"caf\xe9\n".to_vec()));
}

#[test]
fn what_is_staged_is_compared_with_the_head() {
    let fixture = Fixture::new();
    let first = fixture.commit_file("a", "1", "first");
    fixture.write("a", "2\n");
    fixture.write("sub/b", "new\n");
    fixture.git(["add", "--all"]);
    fixture.write("a", "3\n");
    fixture.write("untracked", "x\n");
    let index = fs::read(fixture.path().join(".git/index")).expect("there is an index");
    let repository = fixture.open();
    let change = repository.gather_staged().expect("all objects are here");
    assert_eq!(summary(&change), ["a +1 -1", "sub/b +1 -0"]);
    assert_eq!((change.subject.source.clone(), change.subject.base.as_ref()), (Source::Staged, Some(&first)));
    assert_eq!((change.subject.head.as_ref(), change.branch.as_deref()), (None, Some("main")));
    let mut blobs = repository.blobs(&change).expect("git runs");
    let file = &change.files[0];
    assert_eq!(blobs.before(file).expect("readable").into_bytes().as_deref(), Some(&b"1\n"[..]));
    assert_eq!(blobs.after(file).expect("readable").into_bytes().as_deref(), Some(&b"2\n"[..]));
    drop(blobs);
    assert_eq!(fs::read(fixture.path().join(".git/index")).expect("there is an index"), index);
}

#[test]
fn all_is_staged_where_there_is_no_commit() {
    let fixture = Fixture::new();
    assert_eq!(summary(&fixture.open().gather_staged().expect("nothing is staged")), [""; 0]);
    fixture.write("a", "1\n");
    fixture.git(["add", "--all"]);
    let change = fixture.open().gather_staged().expect("all objects are here");
    assert_eq!((summary(&change), change.subject.base), (vec!["a +1 -0".to_owned()], None));
}

#[test]
fn a_split_index_and_a_conflict_are_read() {
    let fixture = Fixture::new();
    fixture.commit_file("a", "1", "first");
    fixture.git(["update-index", "--split-index"]);
    fixture.write("b", "1\n");
    fixture.git(["add", "--all"]);
    assert_eq!(summary(&fixture.open().gather_staged().expect("readable")), ["b +1 -0"]);
    fixture.commit("second");
    fixture.git(["checkout", "--quiet", "-b", "other", "HEAD~1"]);
    fixture.commit_file("a", "2", "ours");
    fixture.git(["checkout", "--quiet", "main"]);
    fixture.commit_file("a", "3", "theirs");
    assert!(!fixture.try_git(["merge", "--quiet", "other"]).status.success());
    let change = fixture.open().gather_staged().expect("readable");
    assert_eq!(summary(&change), ["gap Unreadable a"]);
}

#[test]
fn a_long_merge_history_has_the_title_of_its_newest_real_commit() {
    let fixture = Fixture::new();
    fixture.commit_file("a", "1", "first");
    fixture.git(["checkout", "--quiet", "-b", "topic"]);
    fixture.commit_file("b", "1", "work");
    fixture.git(["checkout", "--quiet", "main"]);
    fixture.commit_file("c", "1", "elsewhere");
    fixture.git(["checkout", "--quiet", "topic"]);
    fixture.git(["merge", "--quiet", "--no-ff", "-m", "Merge main into topic", "main"]);
    let change = fixture.gather(&RangeRequest::Default);
    assert_eq!((change.title.as_str(), summary(&change)), ("work", vec!["b +1 -0".to_owned()]));
    let messages: Vec<_> = change.commits.iter().map(|commit| commit.message.as_str()).collect();
    assert_eq!(messages, ["Merge main into topic", "work"]);
}

#[test]
fn notes_of_git_ai_are_read_where_they_exist() {
    let fixture = Fixture::new();
    let first = fixture.commit_file("a", "1", "first");
    let second = fixture.commit_file("a", "2", "second");
    let ids = [first.clone(), second.clone()];
    assert_eq!(fixture.open().ai_notes(&ids).expect("there are none"), []);
    fixture.git(["notes", "--ref=ai", "add", "-m", "{\"tool\": 1}", second.as_str()]);
    let notes = fixture.open().ai_notes(&ids).expect("they are readable");
    assert_eq!(notes, [(second.clone(), "{\"tool\": 1}\n".to_owned())]);
    // Many notes lie in directories.
    let tree = fixture.git(["rev-parse", "refs/notes/ai^{tree}"]);
    let blob = fixture.git(["ls-tree", &tree]);
    let blob = blob.split([' ', '\t']).nth(2).expect("a note is a blob").to_owned();
    let (front, back) = first.as_str().split_at(2);
    let (middle, back) = back.split_at(2);
    let mut tree = make_tree(&fixture, &format!("100644 blob {blob}\t{back}\n"));
    for name in [middle, front] {
        tree = make_tree(&fixture, &format!("040000 tree {tree}\t{name}\n"));
    }
    let commit = fixture.git(["commit-tree", "-m", "notes", &tree]);
    fixture.git(["update-ref", "refs/notes/ai", &commit]);
    let notes = fixture.open().ai_notes(&ids).expect("they are readable");
    assert_eq!(notes, [(first, "{\"tool\": 1}\n".to_owned())]);
}

/// Makes a tree of the lines of `git ls-tree`.
fn make_tree(fixture: &Fixture, lines: &str) -> String {
    let file = fixture.outside("tree");
    fs::write(&file, lines).expect("it is ours");
    let stdin = fs::File::open(&file).expect("it was written");
    let output = Command::new("git").arg("mktree").current_dir(fixture.path()).stdin(stdin).output();
    String::from_utf8(output.expect("git runs").stdout).expect("an id is ASCII").trim().to_owned()
}
