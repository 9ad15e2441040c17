//! Whole files at a commit.

use std::os::unix::fs::symlink;

use git::{FileAt, GitError, MAX_BLOB_BYTES, RangeRequest, Revision};
use review::{CommitId, RepoPath};

use crate::support::Fixture;

#[test]
fn only_regular_files_are_read() {
    let fixture = Fixture::new();
    fixture.write("dir/file", "text\n");
    fixture.write("empty", "");
    symlink("dir/file", fixture.path().join("link")).expect("a link can be made");
    symlink("dir", fixture.path().join("linked-dir")).expect("a link can be made");
    let first = fixture.commit("first");
    fixture.git(["update-index", "--add", "--cacheinfo", &format!("160000,{first},lib")]);
    let commit = fixture.commit_staged("second");
    let repository = fixture.open();
    let cases = [
        ("dir/file", FileAt::Bytes(b"text\n".to_vec())),
        ("empty", FileAt::Bytes(Vec::new())),
        ("dir", FileAt::NotAFile),
        ("link", FileAt::NotAFile),
        ("lib", FileAt::NotAFile),
        ("linked-dir/file", FileAt::Absent),
        ("lib/file", FileAt::Absent),
        ("dir/file/more", FileAt::Absent),
        ("missing", FileAt::Absent),
        ("", FileAt::Absent),
        ("/", FileAt::Absent),
        ("dir/", FileAt::Absent),
        ("dir/../dir/file", FileAt::Absent),
        ("../secret", FileAt::Absent),
        ("/etc/passwd", FileAt::Absent),
        ("line\nfeed", FileAt::Absent),
    ];
    for (path, expected) in cases {
        let path = RepoPath::from(path);
        assert_eq!(repository.read_at(&commit, &path).expect("readable"), expected, "{path}");
    }
}

#[test]
fn the_files_of_a_folder_are_named_and_read_in_one_go() {
    let fixture = Fixture::new();
    fixture.write("rules/b.md", "b\n");
    fixture.write("rules/a.md", "a\n");
    fixture.write("rules/deep/c.md", "c\n");
    symlink("a.md", fixture.path().join("rules/link.md")).expect("a link can be made");
    let commit = fixture.commit("first");
    let repository = fixture.open();
    let paths = repository.files_in(&commit, &RepoPath::from("rules")).expect("readable");
    assert_eq!(paths, [RepoPath::from("rules/a.md"), RepoPath::from("rules/b.md")]);
    let texts = repository.read_all_at(&commit, &paths).expect("readable");
    assert_eq!(texts, [FileAt::Bytes(b"a\n".to_vec()), FileAt::Bytes(b"b\n".to_vec())]);
    for no_folder in ["rules/a.md", "rules/link.md", "missing", "", "..", "rules/"] {
        let found = repository.files_in(&commit, &RepoPath::from(no_folder)).expect("readable");
        assert!(found.is_empty(), "{no_folder}");
    }
}

#[test]
fn a_reader_survives_a_file_that_is_too_large() {
    let fixture = Fixture::new();
    let limit = usize::try_from(MAX_BLOB_BYTES).expect("it fits");
    fixture.write("just", vec![b'x'; limit]);
    fixture.write("above", vec![b'x'; limit + 1]);
    fixture.write("small", "x");
    fixture.commit("first");
    let repository = fixture.open();
    let change = fixture.gather(&RangeRequest::Default);
    let mut blobs = repository.blobs(&change).expect("git runs");
    let after: Vec<_> = change
        .files
        .iter()
        .map(|file| (file.path.as_str(), blobs.after(file).expect("readable")))
        .map(|(path, at)| match at {
            FileAt::Bytes(bytes) => format!("{path} {}", bytes.len()),
            other => format!("{path} {other:?}"),
        })
        .collect();
    assert_eq!(after, ["above TooLarge { size: 1048577 }", "just 1048576", "small 1"]);
    assert_eq!(blobs.before(&change.files[0]).expect("readable"), FileAt::Absent);
}

#[test]
fn what_is_there_after_a_change_is_known_of_files_folders_and_links() {
    let fixture = Fixture::new();
    fixture.write("dir/file", "text\n");
    symlink("dir/file", fixture.path().join("link")).expect("a link can be made");
    fixture.commit("first");
    fixture.write("staged/new", "x\n");
    fixture.git(["add", "--all"]);
    let repository = fixture.open();
    let committed = fixture.gather(&RangeRequest::Default);
    let staged = repository.gather_staged().expect("all objects are here");
    let there = |change| {
        let mut blobs = repository.blobs(change).expect("git runs");
        ["dir/file", "dir", "link", "link/file", "staged", "staged/new", "dir/../dir", "missing"]
            .map(|path| blobs.is_in_head(&RepoPath::from(path)).expect("readable"))
    };
    assert_eq!(there(&committed), [true, true, true, false, false, false, false, false]);
    assert_eq!(there(&staged), [true, true, true, false, true, true, false, false]);
}

#[test]
fn both_sides_of_a_move_are_read_at_their_own_paths() {
    let fixture = Fixture::new();
    let text: String = (0..30).map(|number| format!("{number}\n")).collect();
    fixture.write("old", &text);
    fixture.write("gone", "x\n");
    let base = fixture.commit("first");
    fixture.git(["checkout", "--quiet", "-b", "topic"]);
    fixture.git(["mv", "old", "new"]);
    fixture.git(["rm", "--quiet", "gone"]);
    fixture.commit("second");
    let change = fixture.gather(&RangeRequest::Default);
    let repository = fixture.open();
    let mut blobs = repository.blobs(&change).expect("git runs");
    let [gone, moved] = change.files.as_slice() else { panic!("two files changed") };
    assert_eq!(blobs.before(moved).expect("readable"), FileAt::Bytes(text.clone().into_bytes()));
    assert_eq!(blobs.after(moved).expect("readable"), FileAt::Bytes(text.clone().into_bytes()));
    assert_eq!(blobs.after(gone).expect("readable"), FileAt::Absent);
    assert_eq!(blobs.before(gone).expect("readable"), FileAt::Bytes(b"x\n".to_vec()));
    let old = blobs.read(&Revision::Commit(base), &RepoPath::from("old")).expect("readable");
    assert_eq!(old, FileAt::Bytes(text.into_bytes()));
    assert_eq!(blobs.read(&Revision::Empty, &RepoPath::from("old")).expect("readable"), FileAt::Absent);
}

#[test]
fn a_commit_that_is_not_here_is_an_error() {
    let fixture = Fixture::new();
    fixture.commit("first");
    let unknown = CommitId::new(&"ab".repeat(20)).expect("40 digits");
    let result = fixture.open().read_at(&unknown, &RepoPath::from("a"));
    assert!(matches!(result, Err(GitError::MissingObject { .. })));
}

#[test]
fn a_thousand_files_are_read_through_one_process() {
    let fixture = Fixture::new();
    for number in 0..1_000 {
        fixture.write(format!("dir{}/file{number}", number % 10), format!("{number}\n"));
    }
    fixture.commit("first");
    let change = fixture.gather(&RangeRequest::Default);
    let repository = fixture.open();
    let mut blobs = repository.blobs(&change).expect("git runs");
    assert_eq!(change.files.len(), 1_000);
    for file in &change.files {
        let number = file.path.file_name().trim_start_matches("file");
        let text = format!("{number}\n");
        assert_eq!(blobs.after(file).expect("readable"), FileAt::Bytes(text.into_bytes()));
    }
}

#[test]
fn files_beside_a_path_are_those_before_the_change() {
    let fixture = Fixture::new();
    for name in ["m/1.sql", "m/2.sql", "m/3.sql", "m/README", "n/1_a/up.sql", "n/2_b/up.sql"] {
        fixture.write(name, name);
    }
    symlink("1.sql", fixture.path().join("m/4.sql")).expect("a link can be made");
    fixture.commit("first");
    for name in ["m/5.sql", "n/3_c/up.sql", "top.sql"] {
        fixture.write(name, name);
    }
    let head = fixture.commit("second");
    let repository = fixture.open();
    let change = fixture.gather(&RangeRequest::Commit(head.to_string()));
    let mut blobs = repository.blobs(&change).expect("git runs");
    let mut beside = |path: &str| {
        let found = blobs.beside(&RepoPath::from(path), 2).expect("readable");
        found.into_iter().map(|bytes| String::from_utf8(bytes).expect("text")).collect::<Vec<_>>()
    };
    assert_eq!(beside("m/5.sql"), ["m/3.sql", "m/2.sql"]);
    assert_eq!(beside("n/3_c/up.sql"), ["n/2_b/up.sql", "n/1_a/up.sql"]);
    assert_eq!(beside("top.sql"), [""; 0]);
    assert_eq!(beside("nowhere/at/all.sql"), [""; 0]);
    assert_eq!(beside("no-extension"), [""; 0]);
}
