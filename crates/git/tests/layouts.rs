//! Where repositories lie, and what they lack.

use std::fs;
use std::path::Path;

use git::{GitError, RangeRequest, Repository};

use crate::support::{Fixture, base_head, summary};

/// `main` with one commit, and `topic` with one more.
fn with_topic(fixture: &Fixture) {
    fixture.commit_file("a", "1", "first");
    fixture.git(["checkout", "--quiet", "-b", "topic"]);
    fixture.commit_file("b", "1", "topic");
}

fn gather(dir: &Path, request: &RangeRequest) -> Result<Vec<String>, GitError> {
    let repository = Repository::open(dir)?;
    let range = repository.range(request)?;
    Ok(summary(&repository.gather(&range)?))
}

#[test]
fn a_directory_inside_and_a_second_work_tree_are_found() {
    let fixture = Fixture::new();
    with_topic(&fixture);
    fixture.write("deep/er/file", "");
    let expected = ["b +1 -0"];
    let found = gather(&fixture.path().join("deep/er"), &RangeRequest::Default);
    assert_eq!(found.expect("it is in the repository"), expected);
    let tree = fixture.outside("second");
    fixture.git(["worktree", "add", "--quiet", "-b", "other", &tree.display().to_string(), "topic"]);
    assert_eq!(gather(&tree, &RangeRequest::Default).expect("it is a work tree"), expected);
    fs::write(tree.join("staged"), "x\n").expect("it is ours");
    fixture.git(["-C", &tree.display().to_string(), "add", "--all"]);
    let repository = Repository::open(&tree).expect("it is a work tree");
    assert_eq!(summary(&repository.gather_staged().expect("readable")), ["staged +1 -0"]);
    let range = repository.range(&RangeRequest::Default).expect("the range exists");
    assert_eq!(range.branch.as_deref(), Some("other"));
}

#[test]
fn a_bare_repository_and_borrowed_objects_are_read() {
    let fixture = Fixture::new();
    with_topic(&fixture);
    let source = fixture.path().display().to_string();
    for (name, option) in [("bare", "--bare"), ("shared", "--shared")] {
        let copy = fixture.outside(name);
        fixture.git(["clone", "--quiet", option, &source, &copy.display().to_string()]);
        let found = gather(&copy, &base_head("main", "topic"))
            .or_else(|_| gather(&copy, &base_head("origin/main", "topic")));
        assert_eq!(found.expect("it has both branches"), ["b +1 -0"], "{name}");
    }
}

#[test]
fn ids_of_sha256_are_read() {
    let fixture = Fixture::init(&["-b", "main", "--object-format=sha256"]);
    with_topic(&fixture);
    let change = fixture.gather(&RangeRequest::Default);
    assert_eq!(summary(&change), ["b +1 -0"]);
    assert_eq!(change.commits[0].id.as_str().len(), 64);
    let repository = fixture.open();
    let file = repository.blobs(&change).and_then(|mut blobs| blobs.after(&change.files[0]));
    assert_eq!(file.expect("readable").into_bytes(), Some(b"1\n".to_vec()));
    assert_eq!(summary(&fixture.gather(&RangeRequest::Commit("main".to_owned()))), ["a +1 -0"]);
}

#[test]
fn a_shallow_clone_says_how_much_is_missing() {
    let fixture = Fixture::new();
    fixture.commit_file("a", "1", "first");
    fixture.commit_file("a", "2", "second");
    fixture.git(["checkout", "--quiet", "-b", "topic"]);
    fixture.commit_file("b", "1", "third");
    let source = format!("file://{}", fixture.path().display());
    let clone = |name: &str, options: &[&str]| {
        let path = fixture.outside(name);
        let target = path.display().to_string();
        let arguments = ["clone", "--quiet"].iter().chain(options).copied();
        fixture.git(arguments.chain([source.as_str(), target.as_str()]));
        path
    };
    let one = clone("one", &["--depth=1", "--branch=topic"]);
    let error = gather(&one, &RangeRequest::Default).expect_err("the parent is missing");
    assert!(matches!(&error, GitError::ShallowParent { commit } if *commit == fixture.id("topic")));
    assert!(error.to_string().contains("`fetch-depth: 2`"), "{error}");
    let error = gather(&one, &base_head("main", "HEAD")).expect_err("the base is missing");
    assert!(matches!(&error, GitError::UnknownRevision { name, is_shallow: true } if name == "main"));
    assert!(error.to_string().contains("git fetch --unshallow"), "{error}");
    // Both tips without what they have in common.
    let tips = clone("tips", &["--depth=1", "--no-single-branch"]);
    let error = gather(&tips, &base_head("main", "origin/topic")).expect_err("the merge base is missing");
    assert!(matches!(error, GitError::NoMergeBase { is_shallow: true, .. }));
    let two = clone("two", &["--depth=2", "--branch=topic"]);
    assert_eq!(gather(&two, &RangeRequest::Default).expect("the parent is here"), ["b +1 -0"]);
    let both = clone("both", &["--depth=2", "--no-single-branch"]);
    assert_eq!(gather(&both, &base_head("main", "origin/topic")).expect("the base is here"), ["b +1 -0"]);
}

#[test]
fn a_partial_clone_says_what_is_missing() {
    let fixture = Fixture::new();
    with_topic(&fixture);
    fixture.git(["config", "uploadpack.allowFilter", "true"]);
    let (source, path) = (format!("file://{}", fixture.path().display()), fixture.outside("partial"));
    fixture.git([
        "clone",
        "--quiet",
        "--filter=blob:none",
        "--no-checkout",
        &source,
        &path.display().to_string(),
    ]);
    let error = gather(&path, &RangeRequest::Commit("origin/topic".to_owned())).expect_err("no blob is here");
    assert!(error.to_string().contains("git fetch --refetch --no-filter"), "{error}");
}

#[test]
fn a_broken_configuration_is_an_error_of_git() {
    let fixture = Fixture::new();
    with_topic(&fixture);
    fs::write(fixture.path().join(".git/config"), "[core\n").expect("it is ours");
    let error = Repository::open(&fixture.path()).expect_err("git cannot read it");
    assert!(error.to_string().contains("bad config line 1"), "{error}");
}
