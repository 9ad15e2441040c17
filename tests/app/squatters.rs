//! Comments and check runs that others leave, edit or delete: ours are told from theirs by the app and a signed mark.

use super::told::{Lines, wrongs};
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_with_our_mark_by_somebody_else_is_never_taken_for_ours() {
    let fake = fake();
    let (home, server) = served(&fake, "", &["--offline"]);
    let first = opened(&fake, "topic", &[RISKY]);
    settled(&fake, &server).await;
    let stolen = ours(&fake, first)[0].body.clone();
    // The same database forgets nothing; another one knows nothing and has to look.
    drop(server);
    let other = format!("sqlite:{}/other.db", home.path().display());
    let home = home.with("RECUSE_DATABASE_URL", &other);
    fake.comment(1, first, "mallory", &stolen);
    fake.comment_by_app(1, first, "squatter[bot]", 4_711, &stolen);
    let second = opened(&fake, "second", &[("shop/second.py", RISKY.1)]);
    fake.comment(1, second, "mallory", &stolen);
    fake.comment_by_app(1, second, "squatter[bot]", 4_711, &stolen);
    fake.add_check_run(1, &fake.head(1, second), "recuse", 4_711, "");
    let server = home.serve(&["--offline"]);
    fake.deliver_to(&server.webhook);
    fake.push(1, first, &[("shop/more.py", HARMLESS.1)]);
    fake.push(1, second, &[("shop/more.py", HARMLESS.1)]);
    settled(&fake, &server).await;
    for number in [first, second] {
        // Ours is edited in place, theirs are left alone (the fake refuses and remembers anything else).
        assert_eq!(ours(&fake, number).len(), 1);
        let theirs: Vec<_> =
            fake.comments(1, number).into_iter().filter(|comment| comment.by_app != Some(APP_ID)).collect();
        assert!(theirs.len() == 2 && theirs.iter().all(|comment| comment.former_bodies.is_empty()));
    }
    assert_eq!(wrongs(&fake, second, Lines(1)), Vec::<String>::new());
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_comments_mark_counts_for_its_pull_request_only() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let number = opened(&fake, "topic", &[RISKY]);
    settled(&fake, &server).await;
    let body = ours(&fake, number)[0].body.clone();
    let marks: Vec<&str> = body.lines().filter(|line| line.contains("<!-- recuse packet ")).collect();
    let other = opened(&fake, "other", &[("shop/other.py", RISKY.1)]);
    settled(&fake, &server).await;
    assert_eq!(marks.len(), 1);
    assert!(!ours(&fake, other)[0].body.contains(marks[0]));
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_of_ours_that_was_deleted_or_edited_is_whole_again_with_the_next_head() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let number = opened(&fake, "topic", &[RISKY]);
    settled(&fake, &server).await;
    let id = ours(&fake, number)[0].id;
    fake.overwrite_comment(1, id, "LGTM");
    fake.push(1, number, &[("shop/a.py", HARMLESS.1)]);
    settled(&fake, &server).await;
    assert_eq!(ours(&fake, number)[0].id, id);
    assert_eq!(wrongs(&fake, number, Lines(1)), Vec::<String>::new());
    fake.delete_comment(1, id);
    fake.push(1, number, &[("shop/b.py", HARMLESS.1)]);
    settled(&fake, &server).await;
    assert_ne!(ours(&fake, number)[0].id, id);
    assert_eq!(wrongs(&fake, number, Lines(1)), Vec::<String>::new());
    fake.finish();
}
