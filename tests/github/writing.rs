//! Check runs, comments, reviews and reactions, written to the fake.

use std::time::{Duration, Instant};

use github::event::CommentPlace;
use github::repository::{
    Annotation, AnnotationLevel, Annotations, CheckOutput, CheckRunUpdate, CheckState, Conclusion,
    InlineComment, NewCheckRun,
};
use github::{ErrorKind, Limits};
use review::Side;

use super::{id, shop, shop_within};
use crate::support::fake_github::{APP_ID, APP_SLUG, Endpoint, FakeGitHub, OpenPull};

fn output(annotations: Annotations) -> CheckOutput {
    CheckOutput { title: "Clean".to_owned(), summary: "s".to_owned(), text: None, annotations }
}

fn new_run(head: &str) -> NewCheckRun {
    NewCheckRun {
        name: "recuse".to_owned(),
        head: id(head),
        external_id: "job-1".to_owned(),
        details_url: None,
        state: CheckState::Queued,
        output: None,
        actions: Vec::new(),
    }
}

#[tokio::test]
async fn a_check_run_goes_from_queued_to_its_conclusion_with_all_annotations() {
    let fake = FakeGitHub::start();
    let number = fake.open_pull(1, &OpenPull::default());
    let head = fake.head(1, number);
    let shop = shop(&fake).await;
    let run = shop.create_check_run(&new_run(&head)).await.unwrap();
    let update = |state, output| CheckRunUpdate { state, output, actions: Vec::new() };
    shop.update_check_run(run, &update(CheckState::InProgress, None)).await.unwrap();
    let annotation = |line| Annotation {
        path: "apples.py".to_owned(),
        start_line: line,
        end_line: line,
        level: AnnotationLevel::Warning,
        message: "m".to_owned(),
        title: "t".to_owned(),
    };
    for batch in Annotations::batches((1..=120).map(annotation).collect()) {
        shop.update_check_run(run, &update(CheckState::InProgress, Some(output(batch)))).await.unwrap();
    }
    let done = CheckState::Completed { conclusion: Conclusion::ActionRequired };
    shop.update_check_run(run, &update(done, Some(output(Annotations::default())))).await.unwrap();
    fake.add_check_run(1, &head, "tests", 15_368, "");
    let runs = fake.check_runs(1, &head);
    assert_eq!(runs[0].annotations.len(), 120);
    let first = runs[0].history.first().map(|(status, conclusion)| (status.as_str(), conclusion.as_deref()));
    assert_eq!(first, Some(("queued", None)));
    let last = runs[0].history.last().map(|(status, conclusion)| (status.as_str(), conclusion.as_deref()));
    assert_eq!(last, Some(("completed", Some("action_required"))));
    let ours = shop.check_runs(&id(&head), Some("recuse")).await.unwrap().items;
    assert_eq!(ours.len(), 1);
    assert_eq!((ours[0].id, ours[0].app_id, ours[0].external_id.as_str()), (run, Some(APP_ID), "job-1"));
    assert_eq!((ours[0].conclusion, ours[0].annotations), (Some(Conclusion::ActionRequired), 120));
    assert_eq!(shop.check_runs(&id(&head), None).await.unwrap().items.len(), 2);
    fake.add_status(1, &head, "ci/old", "failure");
    assert_eq!(shop.statuses(&id(&head)).await.unwrap().items[0].state, "failure");
    fake.finish();
}

#[tokio::test]
async fn what_others_made_is_theirs() {
    let fake = FakeGitHub::start();
    let number = fake.open_pull(1, &OpenPull::default());
    let head = fake.head(1, number);
    let squatter = fake.comment_by_app(1, number, "recuse-test2[bot]", 78, "<!-- recuse -->");
    let foreign = fake.add_check_run(1, &head, "recuse", 78, "job-1");
    let shop = shop(&fake).await;
    let comments = shop.comments(number).await.unwrap().items;
    assert_eq!((comments[0].id, comments[0].app_id), (squatter, Some(78)));
    let refused = shop.update_comment(squatter, "mine").await.unwrap_err();
    assert!(matches!(refused.kind, ErrorKind::Forbidden { .. }), "{refused}");
    let update = CheckRunUpdate { state: CheckState::Queued, output: None, actions: Vec::new() };
    let refused = shop.update_check_run(foreign, &update).await.unwrap_err();
    assert!(matches!(refused.kind, ErrorKind::Forbidden { .. }), "{refused}");
    assert_eq!(fake.take_violations().len(), 2);
    fake.finish();
}

#[tokio::test]
async fn comments_are_listed_over_pages_with_the_app_they_came_through() {
    let fake = FakeGitHub::start();
    let number = fake.open_pull(1, &OpenPull::default());
    for index in 0..230 {
        fake.comment(1, number, "mallory", &format!("Comment {index}"));
    }
    let shop = shop(&fake).await;
    let ours = shop.create_comment(number, "Hello").await.unwrap();
    shop.update_comment(ours, "Hello again").await.unwrap();
    let comments = shop.comments(number).await.unwrap().items;
    assert_eq!((comments.len(), fake.count(Endpoint::Comments)), (231, 3));
    let found = comments.iter().find(|comment| comment.app_id == Some(APP_ID)).unwrap();
    assert_eq!((found.id, found.body.as_str()), (ours, "Hello again"));
    assert_eq!(found.author.login, format!("{APP_SLUG}[bot]"));
    fake.delete_comment(1, ours);
    assert_eq!(shop.update_comment(ours, "x").await.unwrap_err().kind, ErrorKind::NotFound);
    fake.finish();
}

#[tokio::test]
async fn what_is_too_long_is_not_even_sent() {
    let fake = FakeGitHub::start();
    let number = fake.open_pull(1, &OpenPull::default());
    let head = fake.head(1, number);
    let shop = shop(&fake).await;
    shop.create_comment(number, &"ü".repeat(65_536)).await.unwrap();
    fake.forget_calls();
    let long = "x".repeat(65_537);
    let refusals = [
        shop.create_comment(number, &long).await.unwrap_err(),
        shop.update_comment(1, &long).await.unwrap_err(),
        shop.create_review(number, &id(&head), &[], &long).await.unwrap_err(),
        shop.create_check_run(&NewCheckRun {
            output: Some(CheckOutput { text: Some(long.clone()), ..output(Annotations::default()) }),
            ..new_run(&head)
        })
        .await
        .unwrap_err(),
    ];
    for refused in refusals {
        assert!(matches!(refused.kind, ErrorKind::Refused { .. }), "{refused}");
        assert!(!refused.may_have_happened() && !refused.is_worth_retrying());
    }
    assert_eq!(fake.calls().len(), 0);
    fake.finish();
}

#[tokio::test]
async fn a_review_comments_within_the_diff_of_the_head_only() {
    let fake = FakeGitHub::start();
    fake.commit(1, "main", "Base", &[("apples.py", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n")]);
    let files = [("apples.py", "a\nb\nc\nd\nE\nf\ng\nh\ni\nj\n")];
    let number = fake.open_pull(1, &OpenPull { files: &files, ..OpenPull::default() });
    let head = id(&fake.head(1, number));
    let shop = shop(&fake).await;
    let comment = |line, side, start_line| InlineComment {
        path: "apples.py".to_owned(),
        line,
        side,
        start_line,
        body: "Look".to_owned(),
    };
    let inside =
        [comment(5, Side::Head, Some(4)), comment(5, Side::Base, None), comment(8, Side::Head, None)];
    let review = shop.create_review(number, &head, &inside, "Three remarks").await.unwrap();
    assert_eq!(fake.review_comments(1, number).len(), 3);
    for outside in [comment(9, Side::Head, None), comment(1, Side::Head, None)] {
        let refused = shop.create_review(number, &head, &[outside], "x").await.unwrap_err();
        assert!(
            matches!(&refused.kind, ErrorKind::Invalid { message } if message.contains("must be part of the diff")),
            "{refused}"
        );
    }
    fake.push(1, number, &[("apples.py", "z\n")]);
    let refused = shop.create_review(number, &head, &inside, "x").await.unwrap_err();
    assert!(matches!(refused.kind, ErrorKind::Invalid { .. }), "{refused}");
    let reviews = shop.reviews(number).await.unwrap().items;
    assert_eq!(reviews.len(), 1);
    assert_eq!((reviews[0].id, reviews[0].head.as_ref()), (review, Some(&head)));
    assert_eq!(fake.reviews(1, number)[0].body, "Three remarks");
    fake.finish();
}

#[tokio::test]
async fn eyes_are_put_on_a_comment_once() {
    let fake = FakeGitHub::start();
    let number = fake.open_pull(1, &OpenPull::default());
    let comment = fake.comment(1, number, "ada", "/recuse review");
    let shop = shop(&fake).await;
    for _ in 0..2 {
        shop.react_with_eyes(CommentPlace::Issue, comment).await.unwrap();
    }
    assert_eq!(fake.comments(1, number)[0].reactions.len(), 1);
    let missing = shop.react_with_eyes(CommentPlace::ReviewThread, comment).await.unwrap_err();
    assert_eq!(missing.kind, ErrorKind::NotFound);
    fake.finish();
}

#[tokio::test]
async fn writes_of_one_installation_keep_their_distance_and_reads_do_not() {
    let fake = FakeGitHub::start();
    let number = fake.open_pull(1, &OpenPull::default());
    let limits = Limits { write_interval: Duration::from_millis(100), ..Limits::default() };
    let shop = shop_within(&fake, limits).await;
    let began = Instant::now();
    let writes = (0..4).map(|index| {
        let shop = shop.clone();
        async move { shop.create_comment(number, &format!("{index}")).await }
    });
    futures::future::try_join_all(writes).await.unwrap();
    // Never sooner; how much later is the machine's business.
    assert!(began.elapsed() >= Duration::from_millis(300));
    fake.finish();
}
