//! Which commits are meant by a request.

use git::{GitError, RangeKind, RangeRequest, Repository, ResolvedRange};
use review::CommitId;

use crate::support::{Fixture, base_head};

/// `main` with two commits, and `topic` with one more from the first of them.
fn forked() -> (Fixture, [CommitId; 3]) {
    let fixture = Fixture::new();
    let first = fixture.commit_file("a", "1", "first");
    let second = fixture.commit_file("a", "2", "second");
    fixture.git(["checkout", "--quiet", "-b", "topic", first.as_str()]);
    let topic = fixture.commit_file("b", "1", "topic");
    (fixture, [first, second, topic])
}

fn range(fixture: &Fixture, request: &RangeRequest) -> ResolvedRange {
    fixture.open().range(request).expect("the range exists")
}

#[track_caller]
fn error(fixture: &Fixture, request: &RangeRequest) -> GitError {
    fixture.open().range(request).expect_err("there is no such range")
}

#[test]
fn a_branch_is_compared_from_its_merge_base_with_the_default_branch() {
    let (fixture, [first, second, topic]) = forked();
    let found = range(&fixture, &RangeRequest::Default);
    let expected = ResolvedRange {
        kind: RangeKind::Branch,
        base_ref: "main".to_owned(),
        head_ref: "topic".to_owned(),
        base: Some(second),
        merge_base: Some(first.clone()),
        head: topic.clone(),
        branch: Some("topic".to_owned()),
    };
    assert_eq!(found, expected);
    let words = format!("topic ({}) against main, from their merge base {}", topic.short(), first.short());
    assert_eq!(found.words(), words);
}

#[test]
fn the_default_branch_is_what_origin_says_then_main_then_master() {
    let (fixture, [first, second, _]) = forked();
    fixture.git(["branch", "master", "main~1"]);
    fixture.git(["update-ref", "refs/remotes/origin/main", "main"]);
    assert_eq!(range(&fixture, &RangeRequest::Default).base_ref, "main");
    fixture.git(["update-ref", "refs/remotes/origin/trunk", first.as_str()]);
    fixture.git(["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk"]);
    let found = range(&fixture, &RangeRequest::Default);
    assert_eq!((found.base_ref.as_str(), found.base), ("origin/HEAD", Some(first.clone())));
    fixture.git(["symbolic-ref", "--delete", "refs/remotes/origin/HEAD"]);
    fixture.git(["branch", "--quiet", "-D", "main"]);
    assert_eq!(range(&fixture, &RangeRequest::Default).base_ref, "master");
    fixture.git(["branch", "--quiet", "-D", "master"]);
    let found = range(&fixture, &RangeRequest::Default);
    assert_eq!((found.base_ref.as_str(), found.base), ("origin/main", Some(second)));
}

#[test]
fn on_the_default_branch_it_is_the_last_commit() {
    let (fixture, [first, second, _]) = forked();
    fixture.git(["checkout", "--quiet", "main"]);
    let found = range(&fixture, &RangeRequest::Default);
    assert_eq!(
        (found.kind, &found.base, &found.merge_base),
        (RangeKind::Commit { parents: 1 }, &Some(first.clone()), &Some(first.clone()))
    );
    assert_eq!((found.head.clone(), found.branch.as_deref()), (second.clone(), Some("main")));
    assert_eq!(
        found.words(),
        format!("the commit main ({}) against its parent {}", second.short(), first.short())
    );
    // So it is for a branch that adds nothing.
    fixture.git(["checkout", "--quiet", "-b", "merged", first.as_str()]);
    let found = range(&fixture, &RangeRequest::Default);
    assert_eq!(
        (found.kind, found.merge_base, found.head),
        (RangeKind::Commit { parents: 0 }, None, first.clone())
    );
}

#[test]
fn without_a_default_branch_it_is_the_last_commit() {
    let fixture = Fixture::init(&["-b", "odd"]);
    fixture.commit_file("a", "1", "first");
    let second = fixture.commit_file("a", "2", "second");
    let found = range(&fixture, &RangeRequest::Default);
    assert_eq!((found.kind, found.head), (RangeKind::Commit { parents: 1 }, second));
    let named = RangeRequest::BaseHead { base: Some("main".to_owned()), head: None };
    assert!(
        matches!(error(&fixture, &named), GitError::UnknownRevision { name, is_shallow: false } if name == "main")
    );
}

#[test]
fn a_first_commit_is_compared_with_nothing() {
    let fixture = Fixture::new();
    let first = fixture.commit_file("a", "1", "first");
    for request in [RangeRequest::Default, RangeRequest::Commit("HEAD".to_owned())] {
        let found = range(&fixture, &request);
        assert_eq!(
            (&found.kind, &found.base, &found.head),
            (&RangeKind::Commit { parents: 0 }, &None, &first)
        );
        assert_eq!(found.words(), format!("the first commit main ({}), against nothing", first.short()));
        assert_eq!(fixture.gather(&request).line_counts(), (1, 0));
    }
}

#[test]
fn base_and_head_may_be_any_names() {
    let (fixture, [first, second, topic]) = forked();
    fixture.git(["tag", "-a", "-m", "t", "v1", "main"]);
    fixture.git(["update-ref", "refs/remotes/origin/side/way", topic.as_str()]);
    let cases = [
        ("main", "topic", &second, &first, &topic, Some("topic")),
        ("v1", "HEAD", &second, &first, &topic, Some("topic")),
        ("HEAD~1", "refs/heads/topic", &first, &first, &topic, Some("topic")),
        (first.as_str(), "main", &first, &first, &second, Some("main")),
        ("main", "origin/side/way", &second, &first, &topic, Some("side/way")),
        ("main", &topic.as_str()[..10], &second, &first, &topic, None),
        ("side/way", "main", &topic, &first, &second, Some("main")),
    ];
    for (base_name, head_name, base, merge_base, head, branch) in cases {
        let found = range(&fixture, &base_head(base_name, head_name));
        let commits = (found.base.as_ref(), found.merge_base.as_ref(), &found.head, found.branch.as_deref());
        assert_eq!(commits, (Some(base), Some(merge_base), head, branch), "{base_name} {head_name}");
        assert_eq!(found.kind, RangeKind::Branch);
    }
    // An asked-for base is never exchanged: nothing changed is an answer.
    let same = range(&fixture, &base_head("topic", "topic"));
    assert_eq!((same.kind, same.merge_base.as_ref()), (RangeKind::Branch, Some(&topic)));
    let change = fixture.gather(&base_head("topic", "topic"));
    assert!(change.files.is_empty() && change.gaps.is_empty() && change.commits.is_empty());
    assert_eq!((change.title.as_str(), change.body.as_str()), ("", ""));
}

#[test]
fn a_commit_is_compared_with_its_first_parent() {
    let (fixture, [first, second, topic]) = forked();
    fixture.git(["checkout", "--quiet", "main"]);
    fixture.git(["merge", "--quiet", "--no-ff", "-m", "merge", "topic"]);
    let merge = fixture.id("HEAD");
    let found = range(&fixture, &RangeRequest::Commit("HEAD".to_owned()));
    assert_eq!((found.kind, found.base.as_ref()), (RangeKind::Commit { parents: 2 }, Some(&second)));
    let words = format!("the merge main ({}) against its first parent {}", merge.short(), second.short());
    assert_eq!(found.words(), words);
    // What was merged belongs to it, with its commits.
    let change = fixture.gather(&RangeRequest::Commit("HEAD".to_owned()));
    let ids: Vec<_> = change.commits.iter().map(|commit| (&commit.id, commit.parents)).collect();
    assert_eq!(ids, [(&merge, 2), (&topic, 1)]);
    assert_eq!(change.title, "topic");
    let found = range(&fixture, &RangeRequest::Commit(topic.as_str().to_owned()));
    assert_eq!((found.base, found.head), (Some(first), topic));
}

#[test]
fn a_detached_head_has_no_branch() {
    let (fixture, [first, _, topic]) = forked();
    fixture.git(["checkout", "--quiet", "--detach"]);
    let found = range(&fixture, &RangeRequest::Default);
    assert_eq!((found.head_ref.as_str(), found.branch, found.merge_base), ("HEAD", None, Some(first)));
    assert_eq!(found.head, topic);
}

#[test]
fn what_does_not_exist_is_said() {
    let (fixture, _) = forked();
    for name in ["nothing", "HEAD~9", "main:a", "refs/heads/nothing", "0123456789"] {
        for request in
            [base_head(name, "topic"), base_head("main", name), RangeRequest::Commit(name.to_owned())]
        {
            assert!(
                matches!(error(&fixture, &request), GitError::UnknownRevision { name: said, .. } if said == name)
            );
        }
    }
    for name in ["", "--output=x", "-x", "a\nb"] {
        for request in
            [base_head(name, "topic"), base_head("main", name), RangeRequest::Commit(name.to_owned())]
        {
            assert!(matches!(error(&fixture, &request), GitError::BadName { name: said } if said == name));
        }
    }
}

#[test]
fn commits_without_a_common_ancestor_are_refused() {
    let (fixture, _) = forked();
    fixture.git(["checkout", "--quiet", "--orphan", "alone"]);
    fixture.commit("alone");
    let error = error(&fixture, &RangeRequest::Default);
    assert_eq!(error.to_string(), "main and HEAD have no common commit");
}

#[test]
fn a_repository_without_a_commit_says_so() {
    let fixture = Fixture::new();
    for request in [RangeRequest::Default, base_head("main", "HEAD")] {
        let error = error(&fixture, &request);
        assert_eq!(error.to_string(), "the repository has no commit yet; review what is staged instead");
    }
}

#[test]
fn a_directory_outside_of_a_repository_is_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    for path in [dir.path().to_owned(), dir.path().join("missing")] {
        assert!(matches!(Repository::open(&path), Err(GitError::NotARepository { dir }) if dir == path));
    }
}
