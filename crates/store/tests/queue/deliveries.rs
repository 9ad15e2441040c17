//! Deliveries: acknowledged ones are never lost and never taken twice.

use std::collections::BTreeSet;

use store::{DELIVERY_WINDOW_MS, Order, Store, Taken, open};

use super::*;
use crate::databases::{Database, postgres, sqlite};

promises! {
    a_delivery_is_taken_with_what_follows_from_it
    a_known_id_or_body_is_no_new_work
    repeats_inside_a_batch_are_found
    a_batch_is_the_same_as_one_after_the_other
    after_the_window_the_same_is_new_again
    several_senders_of_the_same_deliveries_are_taken_once
    a_batch_of_thousands_is_taken
    known_ids_are_told_from_unknown_ones
}

fn wants(subject: &str, head: &str) -> Vec<Order> {
    vec![Order::Enqueue(review(subject, head))]
}

async fn a_delivery_is_taken_with_what_follows_from_it(store: Store) {
    let orders =
        vec![Order::Enqueue(review("acme/shop#1", "a1")), Order::Enqueue(command("acme/shop#1", "c1"))];
    assert_eq!(store.receive(&[delivery("d1", "one", 7, orders)]).await.unwrap(), [Taken::New]);
    assert_eq!(store.queue_counts(7).await.unwrap().queued, 2);
    let claimed = claim_some(&store, 8).await;
    let job = (claimed.kind, claimed.repository, claimed.subject, claimed.head, claimed.payload);
    let expected = (JobKind::Review, "acme/shop", "acme/shop#1", Some("a1"), r#"{"head":"a1"}"#);
    assert_eq!((job.0, job.1.as_str(), job.2.as_str(), job.3.as_deref(), job.4.as_str()), expected);
    assert_eq!((claimed.attempt, claimed.max_attempts, claimed.created_at_ms), (1, 3, 7));
    assert!(!claimed.is_last_word);
    // A delivery that nothing follows from is known too.
    assert_eq!(store.receive(&[delivery("d2", "ping", 8, vec![])]).await.unwrap(), [Taken::New]);
    assert_eq!(store.receive(&[delivery("d2", "ping", 9, vec![])]).await.unwrap(), [Taken::KnownDelivery]);
    assert_eq!(store.receive(&[]).await.unwrap(), []);
}

async fn a_known_id_or_body_is_no_new_work(store: Store) {
    store.receive(&[delivery("d1", "one", 1, wants("acme/shop#1", "a1"))]).await.unwrap();
    succeed(&store, &claim_some(&store, 2).await, 3).await;
    let table = [
        ("d1", "one", Taken::KnownDelivery),
        ("d1", "other", Taken::KnownDelivery),
        ("d2", "one", Taken::KnownBody),
        // The id of a replayed body is known from then on.
        ("d2", "another", Taken::KnownDelivery),
        ("d3", "other", Taken::New),
    ];
    for (id, body, expected) in table {
        let orders = if expected == Taken::New { vec![] } else { wants("acme/shop#1", "a1") };
        assert_eq!(store.receive(&[delivery(id, body, 4, orders)]).await.unwrap(), [expected], "{id} {body}");
    }
    assert_eq!(store.queue_counts(9).await.unwrap().queued, 0);
}

async fn repeats_inside_a_batch_are_found(store: Store) {
    let batch = [
        delivery("d1", "one", 1, wants("acme/shop#1", "a1")),
        delivery("d1", "one", 1, wants("acme/shop#2", "b1")),
        delivery("d2", "one", 1, wants("acme/shop#3", "c1")),
        delivery("d3", "two", 1, wants("acme/shop#4", "d1")),
        delivery("d2", "three", 1, wants("acme/shop#5", "e1")),
    ];
    let expected = [Taken::New, Taken::KnownDelivery, Taken::KnownBody, Taken::New, Taken::KnownDelivery];
    assert_eq!(store.receive(&batch).await.unwrap(), expected);
    let mut subjects = BTreeSet::new();
    while let Some(claimed) = claim(&store, 2).await {
        subjects.insert(claimed.subject);
    }
    assert_eq!(subjects.into_iter().collect::<Vec<_>>(), ["acme/shop#1", "acme/shop#4"]);
}

/// Pushes to one pull request, a close and a reopening, in one transaction or in one each.
async fn a_batch_is_the_same_as_one_after_the_other(store: Store) {
    let script = |subject: &str| {
        let orders = [
            Order::Enqueue(review(subject, "h1")),
            Order::Enqueue(review(subject, "h2")),
            Order::Enqueue(review(subject, "h1")),
            Order::Enqueue(review(subject, "h1")),
            cancel(subject),
            Order::Enqueue(command(subject, "c1")),
            Order::Enqueue(command(subject, "c2")),
            Order::Enqueue(review(subject, "h1")),
            Order::Enqueue(review(subject, "h3")),
        ];
        let deliver = |(index, order): (usize, Order)| {
            let id = format!("{subject}-{index}");
            delivery(&id, &id, 10 + index as i64, vec![order])
        };
        orders.into_iter().enumerate().map(deliver).collect::<Vec<_>>()
    };
    assert_eq!(store.receive(&script("acme/shop#1")).await.unwrap(), [Taken::New; 9]);
    for received in script("acme/shop#2") {
        assert_eq!(store.receive(&[received]).await.unwrap(), [Taken::New]);
    }
    // h1, h2, h1 again, h1 after the closing and h3, of which one is left; and the commands.
    let counts = store.queue_counts(30).await.unwrap();
    assert_eq!((counts.queued, counts.running), (6, 0));
    for subject in ["acme/shop#1", "acme/shop#2"] {
        assert_eq!(live(&store, subject).await, "queued h3");
        let summary = store.live_job(JobKind::Review, subject).await.unwrap().expect("it is queued");
        assert_eq!(summary.created_at_ms, 18);
        let first = store.live_job(JobKind::Command, subject).await.unwrap().expect("it is queued");
        assert_eq!(first.dedupe_key, "c1");
    }
    // The superseded ones are kept as such until they are forgotten: h1 twice, h2, and h1 of after the closing.
    let of_h1 = store.subjects_of_head("acme/shop", "h1").await.unwrap();
    assert_eq!(of_h1, ["acme/shop#1", "acme/shop#2"]);
    assert_eq!(store.forget_old(19).await.unwrap(), 2 * 4 + 2 * 9);
}

async fn after_the_window_the_same_is_new_again(store: Store) {
    let at = |at_ms| delivery("d1", "one", at_ms, vec![]);
    assert_eq!(store.receive(&[at(1)]).await.unwrap(), [Taken::New]);
    assert_eq!(store.receive(&[at(DELIVERY_WINDOW_MS)]).await.unwrap(), [Taken::KnownDelivery]);
    assert_eq!(store.receive(&[at(DELIVERY_WINDOW_MS + 1)]).await.unwrap(), [Taken::New]);
    // The window counts from the last time that it was taken, and a clock that is behind makes nothing new.
    assert_eq!(store.receive(&[at(DELIVERY_WINDOW_MS + 2)]).await.unwrap(), [Taken::KnownDelivery]);
    assert_eq!(store.receive(&[at(0)]).await.unwrap(), [Taken::KnownDelivery]);
    // Also where it is new twice in one batch.
    let later = 10 * DELIVERY_WINDOW_MS;
    let taken = store.receive(&[at(later), at(2 * later)]).await.unwrap();
    assert_eq!(taken, [Taken::New, Taken::New]);
}

async fn several_senders_of_the_same_deliveries_are_taken_once(store: Store) {
    let senders = (0..8).map(|sender| {
        let store = store.clone();
        tokio::spawn(async move {
            // Everybody sends everything, in orders that would meet crosswise, half of them under ids of their own.
            let mut batch: Vec<_> = (0..10)
                .map(|n| {
                    let id = if sender % 2 == 0 { format!("d{n}") } else { format!("replay-{sender}-{n}") };
                    delivery(&id, &format!("body {n}"), 1, wants(&format!("acme/shop#{n}"), "h"))
                })
                .collect();
            if sender % 3 == 0 {
                batch.reverse();
            }
            let taken = store.receive(&batch).await.unwrap();
            taken.into_iter().filter(|taken| *taken == Taken::New).count()
        })
    });
    let mut new = 0;
    for sender in senders.collect::<Vec<_>>() {
        new += sender.await.unwrap();
    }
    assert_eq!(new, 10);
    assert_eq!(store.queue_counts(1).await.unwrap().queued, 10);
}

async fn a_batch_of_thousands_is_taken(store: Store) {
    let batch: Vec<_> = (0..2_500)
        .map(|n| delivery(&format!("d{n}"), &format!("{n}"), 1, wants(&format!("acme/shop#{n}"), "h")))
        .collect();
    let taken = store.receive(&batch).await.unwrap();
    assert!(taken.len() == 2_500 && taken.iter().all(|taken| *taken == Taken::New));
    assert_eq!(store.queue_counts(1).await.unwrap().queued, 2_500);
    let ids: Vec<_> = batch.into_iter().map(|received| received.delivery_id).collect();
    assert_eq!(store.known_deliveries(&ids).await.unwrap().len(), 2_500);
}

async fn known_ids_are_told_from_unknown_ones(store: Store) {
    store.receive(&[delivery("d1", "one", 1, vec![]), delivery("d2", "one", 1, vec![])]).await.unwrap();
    let asked = ["d0", "d1", "d2", "'; DROP TABLE deliveries; --"].map(str::to_owned);
    let known = store.known_deliveries(&asked).await.unwrap();
    assert_eq!(known.into_iter().collect::<Vec<_>>(), ["d1", "d2"]);
    assert!(store.known_deliveries(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_was_acknowledged_is_there_for_the_next_process() {
    for database in [sqlite(), postgres().await] {
        what_was_acknowledged_is_there(database).await;
    }
}

async fn what_was_acknowledged_is_there(database: Database) {
    // The first one is not closed: a process may be killed anywhere.
    let first = open(&database.url).await.unwrap();
    first.receive(&[delivery("d1", "one", 1, wants("acme/shop#1", "a1"))]).await.unwrap();
    let dead = claim_some(&first, 2).await;
    let second = open(&database.url).await.unwrap();
    assert_eq!(second.receive(&[delivery("d1", "one", 3, vec![])]).await.unwrap(), [Taken::KnownDelivery]);
    let claimed = claim_some(&second, 2 + LEASE_MS).await;
    assert_eq!((claimed.lease.job, claimed.attempt), (dead.lease.job, 2));
    first.close().await;
    second.close().await;
    database.remove().await;
}

#[tokio::test]
async fn a_failure_in_the_middle_of_a_batch_takes_none_of_it() {
    for database in [sqlite(), postgres().await] {
        let store = open(&database.url).await.unwrap();
        // Another process has brought its tables up to something else, say.
        database.run("ALTER TABLE jobs RENAME COLUMN payload TO cargo", &[]).await;
        let batch = [delivery("d1", "one", 1, vec![]), delivery("d2", "two", 1, wants("acme/shop#1", "a1"))];
        let error = store.receive(&batch).await.unwrap_err().to_string();
        assert_eq!(error, "could not store 2 deliveries, from d1");
        database.run("ALTER TABLE jobs RENAME COLUMN cargo TO payload", &[]).await;
        assert!(store.known_deliveries(&["d1".to_owned(), "d2".to_owned()]).await.unwrap().is_empty());
        assert_eq!(store.receive(&batch).await.unwrap(), [Taken::New, Taken::New]);
        store.close().await;
        database.remove().await;
    }
}
