//! Changes, files and settings, read from the fake.

use github::change::gather;
use github::event::PullState;
use github::repository::{Access, PullRequests, RequiredCheck, Rest};
use github::{Credential, ErrorKind, RepositoryApi};
use review::GapKind;
use review::change::Operation;

use super::{connection, id, limits, shop};
use crate::support::fake_github::{ADA, At, Committer, Endpoint, FakeGitHub, Flavour, OpenPull, When};

#[tokio::test]
async fn a_small_change_is_three_calls_and_whole() {
    let fake = FakeGitHub::start();
    fake.commit(1, "main", "Stock", &[("stock.py", "a = 1\n"), ("old name.txt", "1\n2\n3\n4\n")]);
    fake.commit(1, "topic", "First", &[("stock.py", "a = 2\n")]);
    let removed: &[(&str, Option<&[u8]>)] = &[
        ("old name.txt", None),
        ("new \"name\".txt", Some(b"1\n2\n3\n4\n")),
        ("bytes.bin", Some(b"\0\x01\xff")),
    ];
    let bo = Committer { name: "Bo", email: "bo@example.org" };
    fake.commit_as(1, "topic", bo, "Second\n\nCo-authored-by: Ada <ada@example.org>", removed);
    // What comes to main afterwards is not part of it.
    fake.commit(1, "main", "Later", &[("later.py", "b = 1\n")]);
    let number = fake.open_pull(1, &OpenPull { files: &[], ..OpenPull::default() });
    let shop = shop(&fake).await;
    let pull = shop.pull(number).await.unwrap();
    assert_eq!((pull.commits, pull.changed_files, pull.state), (2, 3, PullState::Open));
    assert_eq!((pull.head_ref.as_str(), pull.base_ref.as_str(), pull.head_is_fork), ("topic", "main", false));
    fake.forget_calls();
    let change = gather(&shop, &pull).await.unwrap();
    assert_eq!(fake.calls().len(), 2);
    assert_eq!((change.title.as_str(), change.body.as_str()), ("Sell apples", "Apples are good."));
    assert_eq!(change.branch.as_deref(), Some("topic"));
    let messages: Vec<_> = change.commits.iter().map(|commit| commit.message.as_str()).collect();
    assert_eq!(messages, ["Second\n\nCo-authored-by: Ada <ada@example.org>", "First"]);
    let emails: Vec<_> = change.commits.iter().map(|commit| commit.author.email.as_str()).collect();
    assert_eq!(emails, ["bo@example.org", "ada@example.org"]);
    assert_eq!((change.commits[0].author_time, change.commits[0].parents), (1_793_534_400, 1));
    assert_eq!(change.subject.head, Some(id(&fake.resolve(1, "topic"))));
    let files: Vec<_> = change.files.iter().map(|file| (file.path.as_str(), file.operation)).collect();
    assert_eq!(
        files,
        [
            ("bytes.bin", Operation::Added),
            ("new \"name\".txt", Operation::Renamed),
            ("stock.py", Operation::Modified)
        ]
    );
    let merge_base = shop.merge_base(&pull.base, &pull.head).await.unwrap();
    assert_eq!(change.subject.base, Some(merge_base));
    assert_eq!(change.gaps, []);
    fake.finish();
}

#[tokio::test]
async fn a_head_that_moves_and_comes_back_is_never_mixed_in() {
    let fake = FakeGitHub::start();
    let number = fake.open_pull(1, &OpenPull::default());
    let shop = shop(&fake).await;
    let pull = shop.pull(number).await.unwrap();
    // While we read the diff, the pull request shows another one.
    let harmless = fake.commit(1, "harmless", "Nothing", &[("README.md", "A nice shop.\n")]);
    let mut pause = fake.pause(At::Nth(2), When::BeforeEffect);
    let gathering = tokio::spawn({
        let (shop, pull) = (shop.clone(), pull.clone());
        async move { gather(&shop, &pull).await }
    });
    pause.reached().await;
    fake.move_head_silently(1, number, &harmless);
    pause.resume();
    let change = gathering.await.unwrap().unwrap();
    assert_eq!(change.files[0].path.as_str(), "apples.py");
    assert_eq!(change.subject.head, Some(pull.head.clone()));
    // The list of files is by number only; that it is of another head shows.
    let moved = shop.files(number, &pull.head).await.unwrap_err();
    assert!(matches!(moved.kind, ErrorKind::Conflict { .. }) && moved.is_worth_retrying(), "{moved}");
    fake.finish();
}

/// Opens a pull request that adds so many files.
fn open_large(fake: &FakeGitHub, files: usize) -> u64 {
    let names: Vec<_> = (0..files).map(|index| format!("files/{index:04}.txt")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), Some(&b"one\n"[..]))).collect();
    fake.commit_as(1, "large", ADA, "Much", &files);
    fake.open_pull(1, &OpenPull { branch: "large", files: &[], ..OpenPull::default() })
}

#[tokio::test]
async fn a_diff_that_github_does_not_render_is_put_together_from_its_files() {
    let fake = FakeGitHub::start();
    let number = open_large(&fake, 301);
    fake.hide_patch(1, "files/0007.txt");
    let shop = shop(&fake).await;
    let pull = shop.pull(number).await.unwrap();
    fake.forget_calls();
    let change = gather(&shop, &pull).await.unwrap();
    // One for commits and merge base, one for the diff, four pages of files.
    assert_eq!(fake.calls().len(), 6);
    assert_eq!(change.files.len(), 301);
    assert_eq!(change.line_counts(), (300, 0));
    let gaps: Vec<_> =
        change.gaps.iter().map(|gap| (gap.kind, gap.file.as_ref().map(|file| file.as_str()))).collect();
    assert_eq!(gaps, [(GapKind::TooLarge, Some("files/0007.txt"))]);
    fake.finish();
}

#[tokio::test]
async fn of_more_than_three_thousand_files_the_rest_is_a_gap() {
    let fake = FakeGitHub::start();
    let number = open_large(&fake, 3_001);
    let shop = shop(&fake).await;
    let pull = shop.pull(number).await.unwrap();
    fake.forget_calls();
    let change = gather(&shop, &pull).await.unwrap();
    assert_eq!(fake.calls().len(), 32);
    assert_eq!(change.files.len(), 3_000);
    assert_eq!(change.gaps.len(), 1);
    assert_eq!(change.gaps[0].detail, "the change has 3001 files, of which github lists 3000");
    fake.finish();
}

#[tokio::test]
async fn commits_are_read_over_pages_newest_first() {
    let fake = FakeGitHub::start();
    for index in 0..130 {
        fake.commit(1, "topic", &format!("Commit {index}"), &[("count.txt", &format!("{index}\n"))]);
    }
    let number = fake.open_pull(1, &OpenPull { files: &[], ..OpenPull::default() });
    let shop = shop(&fake).await;
    let pull = shop.pull(number).await.unwrap();
    let comparison = shop.compare(&pull.base, &pull.head).await.unwrap();
    assert_eq!((comparison.commits.items.len(), comparison.commits.rest), (130, Rest::Nothing));
    assert_eq!(comparison.commits.items[0].message, "Commit 129");
    assert_eq!(comparison.commits.items[0].id, pull.head);
    assert_eq!(fake.count(Endpoint::Compare), 2);
    fake.finish();
}

#[tokio::test]
async fn a_file_is_its_bytes_and_all_else_is_none() {
    let fake = FakeGitHub::start();
    let large = vec![b'x'; 1_100_000];
    let odd = "a b/c?ref=main#%2e.txt";
    let bytes = (0..=255).collect::<Vec<u8>>();
    fake.commit_as(
        1,
        "main",
        ADA,
        "Files",
        &[("bytes", Some(&bytes)), ("large", Some(&large)), (odd, Some(b"odd")), ("empty", Some(b""))],
    );
    let head = id(&fake.resolve(1, "main"));
    let shop = shop(&fake).await;
    assert_eq!(shop.content("bytes", &head).await.unwrap(), Some(bytes));
    assert_eq!(shop.content("empty", &head).await.unwrap(), Some(Vec::new()));
    assert_eq!(shop.content(odd, &head).await.unwrap().as_deref(), Some(&b"odd"[..]));
    for none in ["missing", "a b", "bytes/more"] {
        assert_eq!(shop.content(none, &head).await.unwrap(), None, "{none}");
    }
    assert_eq!(shop.content("large", &head).await.unwrap_err().kind, ErrorKind::TooLarge);
    let sent = fake.calls().len();
    for wrong in ["../shop/contents/bytes", "", "/bytes", "a//b", "./bytes"] {
        let refused = shop.content(wrong, &head).await.unwrap_err();
        assert!(matches!(refused.kind, ErrorKind::Refused { .. }), "{wrong}: {refused}");
    }
    assert_eq!(fake.calls().len(), sent);
    fake.finish();
}

#[tokio::test]
async fn open_pull_requests_are_listed_once_until_something_changes() {
    let fake = FakeGitHub::start();
    let first = fake.open_pull(1, &OpenPull::default());
    for index in 0..104 {
        let branch = format!("topic-{index}");
        let files: &[(&str, &str)] = if index == 0 { &[("pear.py", "x\n")] } else { &[] };
        if index > 0 {
            fake.commit_as(1, &branch, ADA, "Same", &[("same.py", Some(b"same\n"))]);
        }
        fake.open_pull(1, &OpenPull { branch: &branch, files, ..OpenPull::default() });
    }
    let closed = fake.open_pull(1, &OpenPull { branch: "closed", ..OpenPull::default() });
    fake.close(1, closed);
    let shop = shop(&fake).await;
    let PullRequests::Changed { pulls, etag } = shop.open_pulls(None, None).await.unwrap() else {
        panic!("nothing is known yet")
    };
    assert_eq!((pulls.items.len(), pulls.rest), (105, Rest::Nothing));
    assert_eq!(pulls.items.last().map(|pull| pull.number), Some(first));
    let etag = etag.expect("a tag");
    assert_eq!(shop.open_pulls(Some(&etag), None).await.unwrap(), PullRequests::Unchanged);
    let head = fake.push(1, first, &[("apples.py", "more\n")]);
    let PullRequests::Changed { pulls, .. } = shop.open_pulls(Some(&etag), None).await.unwrap() else {
        panic!("one has another head")
    };
    assert_eq!((pulls.items[0].number, &pulls.items[0].head), (first, &id(&head)));
    fake.finish();
}

#[tokio::test]
async fn access_is_what_github_says_and_strangers_have_none() {
    let fake = FakeGitHub::start();
    let shop = shop(&fake).await;
    for (role, access) in [
        ("admin", Access::Admin),
        ("maintain", Access::Maintain),
        ("write", Access::Write),
        ("triage", Access::Triage),
        ("read", Access::Read),
        ("none", Access::None),
    ] {
        fake.set_access(1, "bo", role);
        assert_eq!(shop.permission("bo").await.unwrap(), access, "{role}");
    }
    assert_eq!(shop.permission("mallory").await.unwrap(), Access::None);
    assert_eq!(shop.permission("nobody").await.unwrap(), Access::None);
    assert!(Access::Write > Access::Triage && Access::Triage > Access::Read);
    fake.finish();
}

#[tokio::test]
async fn required_checks_are_told_by_rules_and_by_protection() {
    let fake = FakeGitHub::start();
    let shop = shop(&fake).await;
    assert_eq!(shop.branch_rules("main").await.unwrap(), []);
    fake.require_check(1, "recuse", Some(77));
    fake.require_check(1, "tests", None);
    fake.protect_with_check(1, "recuse", Some(77));
    fake.protect_with_check(1, "lint", None);
    let check = |context: &str, app_id| RequiredCheck { context: context.to_owned(), app_id };
    assert_eq!(
        shop.branch_rules("main").await.unwrap(),
        [check("recuse", Some(77)), check("tests", None), check("lint", None)]
    );
    fake.finish();
}

#[tokio::test]
async fn a_renamed_repository_is_read_where_it_is_now_and_written_by_its_name_only() {
    let fake = FakeGitHub::start();
    let number = fake.open_pull(1, &OpenPull::default());
    let shop = shop(&fake).await;
    fake.rename(1, "store");
    assert_eq!(shop.repository().await.unwrap().name, "store");
    let pull = shop.pull(number).await.unwrap();
    assert_eq!(gather(&shop, &pull).await.unwrap().files.len(), 1);
    let refused = shop.create_comment(number, "Hello").await.unwrap_err();
    let ErrorKind::Redirected { to } = &refused.kind else { panic!("{refused}") };
    assert!(to.ends_with("/repositories/1/issues/1/comments"), "{to}");
    assert!(!refused.may_have_happened() && fake.comments(1, number).is_empty());
    fake.delete_repository(1);
    assert_eq!(shop.pull(number).await.unwrap_err().kind, ErrorKind::NotFound);
    fake.finish();
}

#[tokio::test]
async fn an_enterprise_server_is_reached_below_its_path() {
    let fake = FakeGitHub::start_as(Flavour::EnterpriseServer);
    let number = fake.open_pull(1, &OpenPull::default());
    let shop = shop(&fake).await;
    let pull = shop.pull(number).await.unwrap();
    assert_eq!(gather(&shop, &pull).await.unwrap().files.len(), 1);
    shop.create_comment(number, "Hello").await.unwrap();
    fake.rename(1, "store");
    assert_eq!(shop.repository().await.unwrap().name, "store");
    assert!(fake.calls().iter().all(|call| call.path.starts_with("/api/v3/")));
    fake.finish();
}

#[tokio::test]
async fn a_personal_token_does_what_its_owner_may() {
    let fake = FakeGitHub::start();
    let number = fake.open_pull(1, &OpenPull::default());
    let credential = Credential::Personal(fake.personal_token("ada").into());
    let shop = RepositoryApi::new(connection(&fake, limits()), credential, "acme", "shop");
    shop.create_comment(number, "Hello").await.unwrap();
    let comments = shop.comments(number).await.unwrap().items;
    assert_eq!((comments[0].author.login.as_str(), comments[0].app_id), ("ada", None));
    fake.finish();
}
