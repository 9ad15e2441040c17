use serde_json::{Value, json};

use super::*;

const HEAD: &str = "1111111111111111111111111111111111111111";
const BASE: &str = "2222222222222222222222222222222222222222";
const ZEROS: &str = "0000000000000000000000000000000000000000";

fn account(id: u64, login: &str, kind: &str) -> Value {
    json!({"id": id, "login": login, "type": kind})
}

/// What every delivery about a repository has.
fn delivery(more: Value) -> Value {
    let mut body = json!({
        "repository": {"id": 7, "name": "shop", "full_name": "acme/shop", "private": true, "default_branch": "main",
            "owner": account(1, "acme", "Organization")},
        "installation": {"id": 9},
        "sender": account(2, "ada", "User"),
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn pull() -> Value {
    json!({"number": 5, "state": "open", "draft": false, "merged": false, "title": "T", "body": null,
        "updated_at": "2026-11-01T12:00:00Z",
        "user": account(2, "ada", "User"), "labels": [{"name": "ready"}],
        "head": {"sha": HEAD, "ref": "topic", "repo": {"id": 8}},
        "base": {"sha": BASE, "ref": "main", "repo": {"id": 7}}})
}

fn read(event: &str, body: &Value) -> Event {
    parse(event, body.to_string().as_bytes())
}

fn reason(event: Event) -> String {
    let Event::Ignored { reason } = event else { panic!("{event:?} is not ignored") };
    reason
}

#[test]
fn a_pull_request_is_read_with_where_and_by_whom() {
    let body = delivery(json!({"action": "edited", "pull_request": pull(),
        "changes": {"title": {"from": "S"}, "base": {"ref": {"from": "old"}}}}));
    let Event::PullRequest(event) = read("pull_request", &body) else { panic!("it is a pull request") };
    assert_eq!(event.action, PullRequestAction::Edited);
    assert_eq!(event.changed, Edited { title: true, body: false, base: true });
    assert_eq!(event.label, None);
    let ada = Account { id: 2, login: "ada".to_owned(), kind: AccountKind::User };
    assert_eq!(
        event.origin,
        Origin {
            repository: RepositoryRef {
                id: 7,
                owner: "acme".to_owned(),
                name: "shop".to_owned(),
                default_branch: "main".to_owned(),
                is_private: true,
            },
            installation: Some(9),
            sender: ada.clone(),
        }
    );
    assert_eq!(
        event.pull,
        PullSummary {
            number: 5,
            head: CommitId::new(HEAD).unwrap(),
            head_ref: "topic".to_owned(),
            head_repository: Some(8),
            base_ref: "main".to_owned(),
            base: CommitId::new(BASE).unwrap(),
            is_draft: false,
            is_merged: false,
            state: PullState::Open,
            labels: vec!["ready".to_owned()],
            author: ada,
            updated_at: "2026-11-01T12:00:00Z".parse().ok(),
        }
    );
}

#[test]
fn every_action_has_its_name_and_new_ones_keep_theirs() {
    let action = |name: &str| {
        let body = delivery(json!({"action": name, "pull_request": pull(), "label": {"name": "skip"}}));
        let Event::PullRequest(event) = read("pull_request", &body) else { panic!("it is a pull request") };
        (event.action, event.label)
    };
    let label = || Some("skip".to_owned());
    for (name, expected) in [
        ("opened", PullRequestAction::Opened),
        ("reopened", PullRequestAction::Reopened),
        ("synchronize", PullRequestAction::Synchronize),
        ("ready_for_review", PullRequestAction::ReadyForReview),
        ("converted_to_draft", PullRequestAction::ConvertedToDraft),
        ("labeled", PullRequestAction::Labeled),
        ("unlabeled", PullRequestAction::Unlabeled),
        ("closed", PullRequestAction::Closed),
        ("stacked", PullRequestAction::Other("stacked".to_owned())),
    ] {
        assert_eq!(action(name), (expected, label()));
    }
}

#[test]
fn what_a_version_of_the_api_may_leave_out_may_be_missing() {
    let mut bare = pull();
    for name in ["draft", "merged", "state", "labels", "updated_at"] {
        bare.as_object_mut().unwrap().remove(name);
    }
    bare["user"] = Value::Null;
    bare["head"]["repo"] = Value::Null;
    let mut body = delivery(json!({"action": "opened", "pull_request": bare}));
    body.as_object_mut().unwrap().remove("installation");
    body.as_object_mut().unwrap().remove("sender");
    body["repository"].as_object_mut().unwrap().remove("default_branch");
    let Event::PullRequest(event) = read("pull_request", &body) else { panic!("it is a pull request") };
    assert_eq!(
        (event.pull.head_repository, event.pull.is_draft, event.pull.state),
        (None, false, PullState::Open)
    );
    assert_eq!(event.pull.author, Account::ghost());
    assert_eq!((event.origin.installation, event.origin.sender), (None, Account::ghost()));
}

#[test]
fn a_comment_knows_its_place_its_pull_request_and_its_app() {
    let comment = |extra: Value| {
        let mut comment = json!({"id": 70, "body": "/recuse why", "user": account(3, "recuse[bot]", "Bot")});
        for (name, value) in extra.as_object().unwrap() {
            comment[name] = value.clone();
        }
        comment
    };
    let read_comment = |event: &str, body: Value| {
        let Event::Comment(event) = read(event, &delivery(body)) else { panic!("it is a comment") };
        (event.place, event.action, event.pull, event.app_id, event.author.kind)
    };
    let ours = comment(json!({"performed_via_github_app": {"id": 44}}));
    assert_eq!(
        read_comment(
            "issue_comment",
            json!({"action": "created", "issue": {"number": 5, "pull_request": {"url": "u"}}, "comment": ours})
        ),
        (CommentPlace::Issue, CommentAction::Created, Some(5), Some(44), AccountKind::Bot)
    );
    assert_eq!(
        read_comment(
            "issue_comment",
            json!({"action": "edited", "issue": {"number": 6}, "comment": comment(json!({}))})
        ),
        (CommentPlace::Issue, CommentAction::Edited, None, None, AccountKind::Bot)
    );
    assert_eq!(
        read_comment(
            "pull_request_review_comment",
            json!({"action": "pinned", "pull_request": pull(), "comment": comment(json!({"body": null}))})
        ),
        (
            CommentPlace::ReviewThread,
            CommentAction::Other("pinned".to_owned()),
            Some(5),
            None,
            AccountKind::Bot
        )
    );
}

#[test]
fn checks_name_their_commit_their_app_and_what_was_pressed() {
    let run = json!({"id": 80, "name": "recuse", "external_id": "job-1", "head_sha": HEAD, "app": {"id": 44},
        "pull_requests": []});
    let body = delivery(json!({"action": "requested_action", "check_run": run,
        "requested_action": {"identifier": "again"}}));
    let Event::CheckRun(event) = read("check_run", &body) else { panic!("it is a check run") };
    assert_eq!(event.action, CheckRunAction::RequestedAction { identifier: "again".to_owned() });
    assert_eq!((event.check_run_id, event.app_id, event.pulls), (80, Some(44), vec![]));
    assert_eq!((event.name.as_str(), event.external_id.as_str()), ("recuse", "job-1"));
    let suite = json!({"id": 81, "head_sha": HEAD, "head_branch": null, "app": {"id": 44},
        "pull_requests": [{"number": 5}]});
    let body = delivery(json!({"action": "rerequested", "check_suite": suite}));
    let Event::CheckSuite(event) = read("check_suite", &body) else { panic!("it is a check suite") };
    assert_eq!((event.action, event.head_branch), (CheckSuiteAction::Rerequested, None));
    assert_eq!((event.app_id, event.pulls), (Some(44), vec![5]));
}

#[test]
fn a_merge_group_has_the_commit_that_waits() {
    let group = json!({"head_sha": HEAD, "head_ref": "refs/heads/gh-readonly-queue/main/pr-5-2222",
        "base_sha": BASE, "base_ref": "refs/heads/main", "head_commit": {}});
    let body = delivery(json!({"action": "checks_requested", "merge_group": group}));
    let Event::MergeGroup(event) = read("merge_group", &body) else { panic!("it is a merge group") };
    assert_eq!(event.action, MergeGroupAction::ChecksRequested);
    assert_eq!((event.head.as_str(), event.base.as_str()), (HEAD, BASE));
    assert_eq!(event.base_ref, "refs/heads/main");
}

#[test]
fn an_installation_says_what_it_reaches_now() {
    let shop = || json!({"id": 7, "full_name": "acme/shop", "private": true});
    let read_installation = |event: &str, body: Value| {
        let Event::Installation(event) = read(event, &body) else { panic!("it is an installation") };
        let names = |list: Vec<InstalledRepository>| list.into_iter().map(|one| one.name).collect::<Vec<_>>();
        (event.installation, event.action, names(event.added), names(event.removed))
    };
    let installation = || json!({"id": 9, "account": account(1, "acme", "Organization")});
    let none = Vec::<String>::new;
    let shops = || vec!["shop".to_owned()];
    assert_eq!(
        read_installation(
            "installation",
            json!({"action": "created", "installation": installation(), "repositories": [shop()]})
        ),
        (9, InstallationAction::Created, shops(), none())
    );
    assert_eq!(
        read_installation(
            "installation",
            json!({"action": "deleted", "installation": installation(), "repositories": [shop()]})
        ),
        (9, InstallationAction::Deleted, none(), shops())
    );
    assert_eq!(
        read_installation("installation", json!({"action": "suspend", "installation": installation()})),
        (9, InstallationAction::Suspended, none(), none())
    );
    assert_eq!(
        read_installation(
            "installation_repositories",
            json!({"action": "removed", "installation": installation(), "repositories_added": [],
                "repositories_removed": [shop()]})
        ),
        (9, InstallationAction::RepositoriesChanged, none(), shops())
    );
}

#[test]
fn a_push_says_which_files_it_may_touch() {
    let push = |more: Value| {
        let mut body = delivery(
            json!({"ref": "refs/heads/main", "before": BASE, "after": HEAD, "forced": false,
            "created": false, "commits": [{"added": ["a"], "modified": [".recuse.toml"], "removed": ["b"]}]}),
        );
        // Pushes have an owner with a name too.
        body["repository"]["owner"]["name"] = json!("acme");
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let Event::Push(event) = read("push", &body) else { panic!("it is a push") };
        event
    };
    let event = push(json!({}));
    assert!(event.may_touch(".recuse.toml") && event.may_touch("a") && event.may_touch("b"));
    assert!(!event.may_touch("c"));
    assert!(push(json!({"forced": true})).may_touch("c"));
    assert!(push(json!({"created": true, "before": ZEROS})).may_touch("c"));
    assert_eq!(push(json!({"after": ZEROS, "commits": []})).after, None);
}

#[test]
fn what_cannot_be_used_is_ignored_with_a_reason_and_without_its_text() {
    let mut broken = pull();
    broken["head"]["sha"] = json!("hunter2");
    let broken = delivery(json!({"action": "opened", "pull_request": broken}));
    assert!(reason(read("pull_request", &broken)).starts_with("a field is not what it should be (line 1"));
    let missing = delivery(json!({"action": "opened"}));
    assert!(reason(read("pull_request", &missing)).starts_with("missing field `pull_request`"));
    let table: [(&str, &[u8], &str); 4] = [
        ("star", b"{}", "recuse does not listen to star"),
        ("st\u{202e}ar\n", b"{}", "recuse does not listen to st\\u{202e}ar\\n"),
        ("push", b"", "its JSON is cut off (line 1, column 0)"),
        ("push", b"\xff", "it is no JSON (line 1, column 1)"),
    ];
    for (event, body, expected) in table {
        let reason = reason(parse(event, body));
        assert_eq!(reason, expected, "{event}");
    }
    assert_eq!(parse("ping", b"{}"), Event::Ping);
    let deep = [b"[".repeat(200_000), b"]".repeat(200_000)].concat();
    assert!(matches!(parse("pull_request", &deep), Event::Ignored { .. }));
    let inside = format!("{{\"x\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
    assert!(matches!(parse("pull_request", inside.as_bytes()), Event::Ignored { .. }));
}

#[test]
fn an_installation_of_an_enterprise_is_read_by_its_slug() {
    let enterprise = json!({"id": 4, "slug": "oak-works", "name": "Oak Works"});
    let body = json!({"action": "created", "installation": {"id": 9, "account": enterprise},
        "repositories": [{"id": 7, "full_name": "acme/shop"}], "sender": account(2, "ada", "User")});
    let Event::Installation(event) = read("installation", &body) else { panic!("it is an installation") };
    assert_eq!((event.account.login.as_str(), event.added.len()), ("oak-works", 1));
}

#[test]
fn a_push_without_an_owner_says_by_its_full_name_where_it_was() {
    let mut body = delivery(json!({"ref": "refs/heads/main", "before": BASE, "after": HEAD, "commits": []}));
    body["repository"]["owner"] = Value::Null;
    let Event::Push(event) = read("push", &body) else { panic!("it is a push") };
    assert_eq!((event.origin.repository.owner.as_str(), event.after.is_some()), ("acme", true));
}
