//! What differs in a work tree from its head.

use std::fs;

use git::Repository;

use crate::support::Fixture;

#[test]
fn a_clean_work_tree_is_its_heads_and_each_difference_shows() {
    let fixture = Fixture::new();
    let (root, nowhere) = (fixture.path(), fixture.outside("nowhere"));
    fs::write(root.join("a.txt"), "1\n").expect("written");
    fs::write(root.join(".gitignore"), "*.log\n").expect("written");
    fixture.git(["add", "-A"]);
    fixture.git(["commit", "-q", "-m", "Begin"]);
    let look = || {
        let repository = Repository::open(&root).expect("a repository");
        repository.work_tree(&root, &nowhere).expect("a work tree")
    };
    let clean = look();
    assert_eq!(
        clean.head.as_ref().map(|head| head.as_str().to_owned()),
        Some(fixture.git(["rev-parse", "HEAD"]))
    );
    assert_eq!(clean.tree, Some(fixture.git(["rev-parse", "HEAD^{tree}"])));
    assert_eq!((clean.changed, clean.untracked, &clean.difference), (0, 0, &None));
    fs::write(root.join("x.log"), "ignored").expect("written");
    assert_eq!(look(), clean);
    fs::create_dir(root.join("b")).expect("a folder");
    fs::write(root.join("b/c d\n"), "new").expect("written");
    let untracked = look();
    assert_eq!((untracked.changed, untracked.untracked), (0, 1));
    assert!(untracked.difference.is_some());
    fs::write(root.join("b/c d\n"), "other").expect("written");
    let other = look();
    assert_ne!(other.difference, untracked.difference);
    fs::write(root.join("a.txt"), "2\n").expect("written");
    assert_eq!((look().changed, look().untracked), (1, 1));
    fs::remove_file(root.join("a.txt")).expect("removed");
    fixture.git(["add", "-A"]);
    assert_eq!((look().changed, look().untracked), (2, 0));
}

#[test]
fn a_folder_that_is_passed_over_hides_no_tracked_file() {
    let fixture = Fixture::new();
    let root = fixture.path();
    let folder = root.join("evidence");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("tracked"), "1").expect("written");
    fixture.git(["add", "-A"]);
    fixture.git(["commit", "-q", "-m", "Begin"]);
    fs::write(folder.join("tracked"), "2").expect("written");
    fs::write(folder.join("untracked"), "2").expect("written");
    let repository = Repository::open(&root).expect("a repository");
    let seen = repository.work_tree(&root, &folder).expect("a work tree");
    assert_eq!((seen.changed, seen.untracked), (1, 0));
}

#[test]
fn before_the_first_commit_there_is_no_head() {
    let fixture = Fixture::new();
    let repository = Repository::open(&fixture.path()).expect("a repository");
    let seen = repository.work_tree(&fixture.path(), &fixture.outside("x")).expect("a work tree");
    assert_eq!((seen.head, seen.tree), (None, None));
}
