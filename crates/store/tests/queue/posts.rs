//! Posts: what was begun is known to have been, and what was done is not done again.

use store::{Intended, PostKey, PostKind, Progress, Store};

use super::*;

promises! {
    an_act_is_first_then_again_until_it_is_known_to_be_done
    changing_what_was_posted_makes_its_content_unknown_until_said
    what_is_gone_on_the_other_side_is_forgotten
    acts_have_names_of_their_own
}

fn key(kind: PostKind, name: &str) -> PostKey {
    PostKey {
        repository: "acme/shop".to_owned(),
        subject: "acme/shop#1".to_owned(),
        kind,
        name: name.to_owned(),
    }
}

async fn lease(store: &Store) -> store::Lease {
    enqueue(store, &review("acme/shop#1", "a1"), 1).await;
    claim_some(store, 2).await.lease
}

fn done(remote_id: &str, content: Option<&[u8]>) -> Intended {
    Intended::Done { remote_id: remote_id.to_owned(), content: content.map(Digest::of) }
}

async fn an_act_is_first_then_again_until_it_is_known_to_be_done(store: Store) {
    let (first, comment) = (lease(&store).await, key(PostKind::Comment, ""));
    assert_eq!(store.progress(&comment).await.unwrap(), Progress::NeverBegun);
    assert_eq!(store.intend(&first, &comment, 3).await.unwrap(), Intended::First);
    assert_eq!(store.intend(&first, &comment, 4).await.unwrap(), Intended::Again);
    assert_eq!(store.progress(&comment).await.unwrap(), Progress::Begun);
    // Its process dies between the call and writing that down; the next one cannot know.
    let second = claim_some(&store, 2 + LEASE_MS).await.lease;
    assert_eq!(store.intend(&second, &comment, 5 + LEASE_MS).await.unwrap(), Intended::Again);
    let held = store.posted(&second, &comment, "77", &Digest::of(b"v1"), 6 + LEASE_MS).await.unwrap();
    assert_eq!(held, Held::Yes);
    let progress = store.progress(&comment).await.unwrap();
    assert_eq!(progress, Progress::Done { content: Digest::of(b"v1") });
    assert_eq!(store.intend(&second, &comment, 7 + LEASE_MS).await.unwrap(), done("77", Some(b"v1")));
    assert_eq!(store.progress(&comment).await.unwrap(), Progress::ChangeBegun);
}

async fn changing_what_was_posted_makes_its_content_unknown_until_said(store: Store) {
    let (lease, comment) = (lease(&store).await, key(PostKind::Comment, ""));
    // It can be found on the other side without having been begun here.
    store.posted(&lease, &comment, "77", &Digest::of(b"v1"), 3).await.unwrap();
    assert_eq!(store.intend(&lease, &comment, 4).await.unwrap(), done("77", Some(b"v1")));
    assert_eq!(store.intend(&lease, &comment, 5).await.unwrap(), done("77", None));
    store.posted(&lease, &comment, "78", &Digest::of(b"v2"), 6).await.unwrap();
    assert_eq!(store.intend(&lease, &comment, 7).await.unwrap(), done("78", Some(b"v2")));
}

async fn what_is_gone_on_the_other_side_is_forgotten(store: Store) {
    let (lease, check) = (lease(&store).await, key(PostKind::CheckRun, "a1"));
    store.posted(&lease, &check, "5", &Digest::of(b"v1"), 3).await.unwrap();
    store.forget_post(&check).await.unwrap();
    assert_eq!(store.intend(&lease, &check, 4).await.unwrap(), Intended::First);
    store.forget_post(&key(PostKind::CheckRun, "never")).await.unwrap();
}

async fn acts_have_names_of_their_own(store: Store) {
    let lease = lease(&store).await;
    let mut keys = vec![
        key(PostKind::CheckRun, "a1"),
        key(PostKind::CheckRun, "a2"),
        key(PostKind::Inline, "a1"),
        key(PostKind::Reaction, "a1"),
        key(PostKind::Comment, ""),
        key(PostKind::Reaction, "'; DROP TABLE posts; --"),
    ];
    keys.push(PostKey { subject: "acme/shop#2".to_owned(), ..keys[0].clone() });
    keys.push(PostKey { repository: "acme/cart".to_owned(), ..keys[0].clone() });
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(store.intend(&lease, key, 3).await.unwrap(), Intended::First, "{key:?}");
        let id = number.to_string();
        store.posted(&lease, key, &id, &Digest::of(id.as_bytes()), 4).await.unwrap();
    }
    for (number, key) in keys.iter().enumerate() {
        let id = number.to_string();
        assert_eq!(store.intend(&lease, key, 5).await.unwrap(), done(&id, Some(id.as_bytes())));
    }
}
