//! Orders: a push supersedes, a closing cancels, and repeating any of it does no harm.

use store::{Enqueued, JobEnding, Store, Unfinished};

use super::*;

promises! {
    a_push_ends_what_was_queued_before_it
    a_push_stops_what_runs_and_starts_when_that_has_ended
    a_push_starts_when_the_lease_of_what_was_stopped_runs_out
    what_happens_to_a_head_waits_for_the_review_that_somebody_asked_for
    going_back_to_a_stopped_head_reviews_it_again
    the_same_order_again_is_the_same_job
    orders_that_came_in_the_wrong_order_do_no_harm
    commands_are_all_answered_one_after_the_other
    cancelling_ends_what_waits_and_stops_what_runs
    a_stopped_job_that_is_put_back_is_claimed_to_clean_up
    a_stopped_job_that_ran_before_is_claimed_to_clean_up
    a_stopped_job_that_nobody_cleans_up_after_ends_after_its_attempts
    a_finished_job_can_be_asked_for_again
    what_follows_is_enqueued_with_the_ending
    a_head_leads_to_its_pull_requests
    counts_tell_what_waits_runs_and_failed
    the_newest_review_of_a_subject_is_never_forgotten
    a_partial_review_supersedes_nothing_and_is_stopped_so_that_it_can_answer
    what_is_long_over_is_forgotten
    what_goes_out_of_reach_ends_without_what_took_its_place
    reviews_that_came_to_nothing_are_found_until_there_is_a_newer_one
}

async fn a_push_ends_what_was_queued_before_it(store: Store) {
    enqueue(&store, &review("acme/shop#1", "a1"), 1).await;
    enqueue(&store, &review("acme/shop#2", "x1"), 1).await;
    enqueue(&store, &review("acme/shop#1", "a2"), 2).await;
    let heads = [claim_some(&store, 3).await.head, claim_some(&store, 3).await.head];
    assert_eq!(heads, [Some("x1".to_owned()), Some("a2".to_owned())]);
    assert_eq!(claim(&store, 3).await, None);
}

async fn a_push_stops_what_runs_and_starts_when_that_has_ended(store: Store) {
    enqueue(&store, &review("acme/shop#1", "a1"), 1).await;
    let first = claim_some(&store, 2).await;
    assert_eq!(beat(&store, &first, 3).await, Beat::Go);
    enqueue(&store, &review("acme/shop#1", "a2"), 4).await;
    enqueue(&store, &review("acme/shop#1", "a3"), 5).await;
    // The first reason stands.
    assert_eq!(
        beat(&store, &first, 6).await,
        Beat::Stop { reason: "superseded by acme/shop#1@a2".to_owned() }
    );
    assert_eq!(live(&store, "acme/shop#1").await, "queued a3");
    assert_eq!(claim(&store, 7).await, None);
    // It may take its time, as long as it gives signs of life.
    assert!(matches!(beat(&store, &first, 900).await, Beat::Stop { .. }));
    assert_eq!(claim(&store, 1_800).await, None);
    let held = store.finish(&first.lease, JobEnding::Cancelled, "stopped", &[], 1_801).await.unwrap();
    assert_eq!(held, Held::Yes);
    let second = claim_some(&store, 1_802).await;
    assert_eq!(second.head.as_deref(), Some("a3"));
    assert_eq!(beat(&store, &first, 1_803).await, Beat::Lost);
    assert_eq!(beat(&store, &second, 1_803).await, Beat::Go);
}

async fn a_push_starts_when_the_lease_of_what_was_stopped_runs_out(store: Store) {
    enqueue(&store, &review("acme/shop#1", "a1"), 1).await;
    let dead = claim_some(&store, 2).await;
    enqueue(&store, &review("acme/shop#1", "a2"), 3).await;
    assert_eq!(claim(&store, 1 + LEASE_MS).await, None);
    // Somebody has to say that the dead one stopped.
    let stopping = claim_some(&store, 2 + LEASE_MS).await;
    let reason = Some("superseded by acme/shop#1@a2".to_owned());
    assert_eq!((stopping.head.as_deref(), &stopping.stop_reason), (Some("a1"), &reason));
    assert_eq!(beat(&store, &dead, 3 + LEASE_MS).await, Beat::Lost);
    assert_eq!(claim(&store, 3 + LEASE_MS).await, None);
    let held = store.finish(&stopping.lease, JobEnding::Cancelled, "", &[], 4 + LEASE_MS).await.unwrap();
    assert_eq!(held, Held::Yes);
    let next = claim_some(&store, 5 + LEASE_MS).await;
    assert_eq!((next.head.as_deref(), next.stop_reason.as_deref()), (Some("a2"), None));
    // The dead one ended as what it was stopped for, and is not tried again.
    succeed(&store, &next, 6 + LEASE_MS).await;
    assert_eq!(claim(&store, 10 * LEASE_MS).await, None);
    assert_eq!(store.queue_counts(10 * LEASE_MS).await.unwrap().failed, 0);
}

async fn what_happens_to_a_head_waits_for_the_review_that_somebody_asked_for(store: Store) {
    let of_head = |priority: i64, key: &str| NewJob {
        priority,
        dedupe_key: key.to_owned(),
        payload: key.to_owned(),
        ..review("acme/shop#1", "a1")
    };
    let (asked, edited) = (of_head(100, "a1+5"), of_head(50, "a1~6"));
    enqueue(&store, &asked, 1).await;
    enqueue(&store, &edited, 2).await;
    let first = claim_some(&store, 3).await;
    assert_eq!((first.payload.as_str(), claim(&store, 3).await), ("a1+5", None), "one after the other");
    // Another edit takes the place of the one before, and a new head that of all.
    enqueue(&store, &of_head(50, "a1~7"), 4).await;
    assert_eq!(beat(&store, &first, 5).await, Beat::Go);
    succeed(&store, &first, 6).await;
    let second = claim_some(&store, 7).await;
    assert_eq!(second.payload, "a1~7");
    enqueue(&store, &asked, 8).await;
    assert!(matches!(beat(&store, &second, 9).await, Beat::Stop { .. }), "who asks does not wait");
    succeed(&store, &second, 10).await;
    let third = claim_some(&store, 11).await;
    enqueue(&store, &review("acme/shop#1", "a2"), 12).await;
    assert!(matches!(beat(&store, &third, 13).await, Beat::Stop { .. }), "nobody asked for this head");
    succeed(&store, &third, 14).await;
    assert_eq!(claim_some(&store, 15).await.head.as_deref(), Some("a2"));
}

async fn going_back_to_a_stopped_head_reviews_it_again(store: Store) {
    enqueue(&store, &review("acme/shop#1", "a1"), 1).await;
    let first = claim_some(&store, 2).await;
    enqueue(&store, &review("acme/shop#1", "a2"), 3).await;
    // A forced push back to where it was.
    let again = enqueue(&store, &review("acme/shop#1", "a1"), 4).await;
    assert!(matches!(beat(&store, &first, 5).await, Beat::Stop { .. }));
    store.finish(&first.lease, JobEnding::Superseded, "", &[], 6).await.unwrap();
    let claimed = claim_some(&store, 7).await;
    assert_eq!((claimed.lease.job, claimed.head.as_deref()), (again, Some("a1")));
    assert_eq!(claim(&store, 8).await, None);
}

async fn the_same_order_again_is_the_same_job(store: Store) {
    let job = review("acme/shop#1", "a1");
    let id = enqueue(&store, &job, 1).await;
    assert_eq!(store.enqueue(&job, 2).await.unwrap(), Enqueued::AlreadyLive(id));
    let claimed = claim_some(&store, 3).await;
    assert_eq!(store.enqueue(&job, 4).await.unwrap(), Enqueued::AlreadyLive(id));
    assert_eq!(beat(&store, &claimed, 5).await, Beat::Go);
    // The same key of another kind or subject is something else.
    let others = [
        NewJob { kind: JobKind::Upkeep, ..job.clone() },
        NewJob { subject: "acme/shop#2".to_owned(), ..job.clone() },
    ];
    for other in others {
        enqueue(&store, &other, 6).await;
    }
}

async fn orders_that_came_in_the_wrong_order_do_no_harm(store: Store) {
    // The newer push came first, so the older one supersedes it.
    enqueue(&store, &review("acme/shop#1", "new"), 1).await;
    enqueue(&store, &review("acme/shop#1", "old"), 2).await;
    let claimed = claim_some(&store, 3).await;
    assert_eq!(claimed.head.as_deref(), Some("old"));
    // Its worker sees that the head is another one, and says so: nothing is lost.
    let then = [review("acme/shop#1", "new")];
    let held = store.finish(&claimed.lease, JobEnding::Superseded, "the head moved", &then, 4).await.unwrap();
    assert_eq!(held, Held::Yes);
    // The late order for the newer one changes nothing any more.
    assert!(matches!(store.enqueue(&then[0], 5).await.unwrap(), Enqueued::AlreadyLive(_)));
    let claimed = claim_some(&store, 6).await;
    assert_eq!(claimed.head.as_deref(), Some("new"));
    succeed(&store, &claimed, 7).await;
    assert_eq!(claim(&store, 8).await, None);
}

async fn commands_are_all_answered_one_after_the_other(store: Store) {
    for (at_ms, comment) in [(1, "c1"), (2, "c2"), (3, "c3")] {
        enqueue(&store, &command("acme/shop#1", comment), at_ms).await;
    }
    enqueue(&store, &review("acme/shop#1", "a1"), 4).await;
    let mut seen = Vec::new();
    for now_ms in 10..13 {
        let claimed = claim_some(&store, now_ms).await;
        if now_ms == 10 {
            // The review runs beside them.
            assert_eq!(claim_some(&store, now_ms).await.kind, JobKind::Review);
        }
        assert_eq!(claim(&store, now_ms).await, None);
        assert_eq!(beat(&store, &claimed, now_ms).await, Beat::Go);
        succeed(&store, &claimed, now_ms).await;
        seen.push(claimed.payload);
    }
    assert_eq!(seen, [r#"{"comment":"c1"}"#, r#"{"comment":"c2"}"#, r#"{"comment":"c3"}"#]);
}

async fn cancelling_ends_what_waits_and_stops_what_runs(store: Store) {
    enqueue(&store, &review("acme/shop#1", "a1"), 1).await;
    let running = claim_some(&store, 2).await;
    enqueue(&store, &command("acme/shop#1", "c1"), 3).await;
    enqueue(&store, &review("acme/shop#2", "x1"), 3).await;
    assert_eq!(store.cancel("acme/shop#1", "closed", 4).await.unwrap(), 2);
    assert_eq!(store.cancel("acme/shop#1", "closed again", 5).await.unwrap(), 0);
    assert_eq!(store.cancel("acme/shop#3", "closed", 5).await.unwrap(), 0);
    assert_eq!(live(&store, "acme/shop#1").await, "stopping a1");
    // Whoever did it, and died before saying so, finds that it was done.
    let was_cancelled = async |subject: &str, reason: &str, since_ms: i64| {
        store.was_cancelled(subject, reason, since_ms).await.unwrap()
    };
    assert!(was_cancelled("acme/shop#1", "closed", 4).await);
    assert!(!was_cancelled("acme/shop#1", "closed again", 4).await);
    assert!(!was_cancelled("acme/shop#2", "closed", 4).await);
    assert_eq!(beat(&store, &running, 6).await, Beat::Stop { reason: "closed".to_owned() });
    // Reopened at the same head: it is reviewed, after the stopped one.
    enqueue(&store, &review("acme/shop#1", "a1"), 7).await;
    assert_eq!(claim_some(&store, 8).await.subject, "acme/shop#2");
    assert_eq!(claim(&store, 8).await, None);
    succeed(&store, &running, 9).await;
    assert!(was_cancelled("acme/shop#1", "closed", 9).await);
    assert!(!was_cancelled("acme/shop#1", "closed", 10).await);
    assert_eq!(claim_some(&store, 10).await.subject, "acme/shop#1");
    // One that waits ends at once.
    store.cancel("acme/shop#1", "closed", 11).await.unwrap();
    enqueue(&store, &review("acme/shop#3", "y1"), 12).await;
    store.cancel("acme/shop#3", "unwanted", 13).await.unwrap();
    assert!(was_cancelled("acme/shop#3", "unwanted", 13).await);
    assert!(!was_cancelled("acme/shop#3", "unwanted", 14).await);
}

async fn a_stopped_job_that_is_put_back_is_claimed_to_clean_up(store: Store) {
    for counts in [AttemptCounts::Yes, AttemptCounts::No] {
        enqueue(&store, &review("acme/shop#1", "a1"), 1).await;
        let running = claim_some(&store, 2).await;
        store.cancel("acme/shop#1", "closed", 3).await.unwrap();
        put_back(&store, &running, 4, counts).await;
        assert_eq!(live(&store, "acme/shop#1").await, "stopping a1");
        let stopping = claim_some(&store, 5).await;
        assert_eq!(stopping.stop_reason.as_deref(), Some("closed"));
        succeed(&store, &stopping, 6).await;
        assert_eq!(live(&store, "acme/shop#1").await, "none");
        assert_eq!(claim(&store, 1_000_000).await, None);
    }
}

async fn a_stopped_job_that_ran_before_is_claimed_to_clean_up(store: Store) {
    for order in ["cancel", "push"] {
        enqueue(&store, &review("acme/shop#1", "a1"), 1).await;
        let running = claim_some(&store, 2).await;
        put_back(&store, &running, 3, AttemptCounts::No).await;
        match order {
            "cancel" => assert_eq!(store.cancel("acme/shop#1", "closed", 4).await.unwrap(), 1),
            _ => drop(enqueue(&store, &review("acme/shop#1", "a2"), 4).await),
        }
        let stopping = claim_some(&store, 5).await;
        assert_eq!(stopping.lease.job, running.lease.job, "{order}");
        assert!(stopping.stop_reason.is_some(), "{order}");
        assert_eq!(claim(&store, 5).await, None, "{order}");
        store.finish(&stopping.lease, JobEnding::Cancelled, "", &[], 6).await.unwrap();
        if order == "push" {
            assert_eq!(claim_some(&store, 7).await.head.as_deref(), Some("a2"));
        }
    }
}

async fn a_stopped_job_that_nobody_cleans_up_after_ends_after_its_attempts(store: Store) {
    enqueue(&store, &review("acme/shop#1", "a1"), 1).await;
    let mut claims = 0;
    let mut now_ms = 2;
    while claim(&store, now_ms).await.is_some() {
        store.cancel("acme/shop#1", "closed", now_ms).await.unwrap();
        claims += 1;
        now_ms += LEASE_MS;
    }
    // Three attempts and a last word.
    assert_eq!((claims, live(&store, "acme/shop#1").await.as_str()), (4, "none"));
}

async fn a_finished_job_can_be_asked_for_again(store: Store) {
    let endings = [JobEnding::Succeeded, JobEnding::Superseded, JobEnding::Cancelled, JobEnding::Failed];
    for (now_ms, ending) in (10..).zip(endings) {
        enqueue(&store, &review("acme/shop#1", "a1"), now_ms).await;
        let claimed = claim_some(&store, now_ms).await;
        assert_eq!(store.finish(&claimed.lease, ending, "", &[], now_ms).await.unwrap(), Held::Yes);
        // The answer may get lost on the way, and then it is said again.
        assert_eq!(store.finish(&claimed.lease, ending, "", &[], now_ms).await.unwrap(), Held::Lost);
    }
    assert_eq!(store.queue_counts(20).await.unwrap().failed, 1);
}

async fn what_follows_is_enqueued_with_the_ending(store: Store) {
    enqueue(&store, &command("acme/shop#1", "c1"), 1).await;
    enqueue(&store, &review("acme/shop#1", "a1"), 1).await;
    let (first, second) = (claim_some(&store, 2).await, claim_some(&store, 2).await);
    let command = if first.kind == JobKind::Command { first } else { second };
    let follows =
        [review("acme/shop#1", "a2"), NewJob { kind: JobKind::Upkeep, ..review("acme/shop#1", "a2") }];
    // It may follow from itself: the ending comes first.
    let again = [follows[0].clone(), follows[1].clone(), super::command("acme/shop#1", "c1")];
    assert_eq!(store.finish(&command.lease, JobEnding::Succeeded, "", &again, 3).await.unwrap(), Held::Yes);
    let counts = store.queue_counts(3).await.unwrap();
    assert_eq!((counts.queued, counts.running), (3, 1));
    // Who lost the lease enqueues nothing.
    let more = [review("acme/shop#9", "z")];
    assert_eq!(store.finish(&command.lease, JobEnding::Succeeded, "", &more, 4).await.unwrap(), Held::Lost);
    assert_eq!(live(&store, "acme/shop#9").await, "none");
    assert_eq!(live(&store, "acme/shop#1").await, "queued a2");
}

async fn a_head_leads_to_its_pull_requests(store: Store) {
    for subject in ["acme/shop#1", "acme/shop#2", "acme/cart#3"] {
        enqueue(&store, &review(subject, "a1"), 1).await;
    }
    enqueue(&store, &review("acme/shop#1", "a2"), 2).await;
    assert_eq!(store.subjects_of_head("acme/shop", "a1").await.unwrap(), ["acme/shop#1", "acme/shop#2"]);
    assert_eq!(store.subjects_of_head("acme/shop", "a2").await.unwrap(), ["acme/shop#1"]);
    assert!(store.subjects_of_head("acme/cart", "a2").await.unwrap().is_empty());
}

async fn counts_tell_what_waits_runs_and_failed(store: Store) {
    const DAY_MS: i64 = 24 * 60 * 60 * 1000;
    let counts = |now_ms| {
        let store = store.clone();
        async move {
            let counts = store.queue_counts(now_ms).await.unwrap();
            (counts.queued, counts.running, counts.failed, counts.oldest_due_age_ms)
        }
    };
    assert_eq!(counts(0).await, (0, 0, 0, None));
    enqueue(&store, &NewJob { run_at_ms: 100, ..review("acme/shop#1", "a1") }, 1).await;
    enqueue(&store, &NewJob { run_at_ms: 150, ..review("acme/shop#2", "a1") }, 1).await;
    assert_eq!(counts(99).await, (2, 0, 0, None));
    assert_eq!(counts(170).await, (2, 0, 0, Some(70)));
    let claimed = claim_some(&store, 170).await;
    assert_eq!(counts(170).await, (1, 1, 0, Some(20)));
    store.finish(&claimed.lease, JobEnding::Failed, "no", &[], 180).await.unwrap();
    assert_eq!(counts(180).await, (1, 0, 1, Some(30)));
    assert_eq!(counts(180 + DAY_MS).await, (1, 0, 0, Some(30 + DAY_MS as u64)));
}

async fn the_newest_review_of_a_subject_is_never_forgotten(store: Store) {
    // A review, another one of the same head, a command that is newer; another subject; and a partial review.
    let partial = NewJob { kind: JobKind::PartialReview, head: None, ..review("acme/shop#1", "a1") };
    let jobs = [
        review("acme/shop#1", "a1"),
        review("acme/shop#1", "a1"),
        command("acme/shop#1", "c1"),
        review("acme/shop#2", "b1"),
        partial,
    ];
    for (at, job) in jobs.iter().enumerate() {
        let at = at as i64;
        enqueue(&store, job, at).await;
        let claimed = claim_some(&store, at).await;
        succeed(&store, &claimed, at).await;
    }
    assert_eq!(store.forget_old(1_000_000).await.unwrap(), 3);
    assert_eq!(store.forget_old(1_000_000).await.unwrap(), 0);
    assert_eq!(store.subjects_of_head("acme/shop", "a1").await.unwrap(), ["acme/shop#1"]);
    assert_eq!(store.subjects_of_head("acme/shop", "b1").await.unwrap(), ["acme/shop#2"]);
    let newest = store.newest_of_head("acme/shop", "a1", "acme/shop#1").await.unwrap();
    assert_eq!(newest.as_deref(), Some("{\"head\":\"a1\"}"));
    // Once there is a newer one it is forgotten too.
    enqueue(&store, &review("acme/shop#1", "a2"), 9).await;
    assert_eq!(store.forget_old(1_000_000).await.unwrap(), 1);
    assert!(store.subjects_of_head("acme/shop", "a1").await.unwrap().is_empty());
    assert_eq!(store.newest_of_head("acme/shop", "a1", "acme/shop#1").await.unwrap(), None);
}

async fn a_partial_review_supersedes_nothing_and_is_stopped_so_that_it_can_answer(store: Store) {
    let partial = |comment: &str| NewJob {
        kind: JobKind::PartialReview,
        dedupe_key: comment.to_owned(),
        head: None,
        ..review("acme/shop#1", "a1")
    };
    enqueue(&store, &review("acme/shop#1", "a1"), 1).await;
    let mut partials = Vec::new();
    for comment in ["c1", "c2", "c3"] {
        partials.push(enqueue(&store, &partial(comment), 2).await);
    }
    assert_eq!(live(&store, "acme/shop#1").await, "queued a1");
    assert_eq!(store.cancel("acme/shop#1", "said stop", 4).await.unwrap(), 4);
    assert_eq!(store.cancel("acme/shop#1", "said stop again", 4).await.unwrap(), 0);
    // The review never ran, and left nothing. Somebody waits for each answer.
    assert_eq!(live(&store, "acme/shop#1").await, "none");
    let mut answered = Vec::new();
    while let Some(claimed) = claim(&store, 5).await {
        assert_eq!(claimed.stop_reason.as_deref(), Some("said stop"));
        answered.push(claimed.lease.job);
        store.finish(&claimed.lease, JobEnding::Cancelled, "", &[], 6).await.unwrap();
    }
    assert_eq!(answered, partials);
}

async fn what_is_long_over_is_forgotten(store: Store) {
    let digest = store.keep_packet("acme/shop#1", "a1", "run-oak", b"{}", 1).await.unwrap();
    store.keep_step("run-oak", &digest, b"paid", 1).await.unwrap();
    store.keep_step("run-elm", &digest, b"paid", 50).await.unwrap();
    store.receive(&[delivery("d1", "one", 1, vec![]), delivery("d2", "two", 50, vec![])]).await.unwrap();
    enqueue(&store, &review("acme/shop#1", "a1"), 1).await;
    let first = claim_some(&store, 2).await;
    succeed(&store, &first, 3).await;
    enqueue(&store, &review("acme/shop#1", "a2"), 4).await;
    // One job, one delivery and one step; not what is live, however old, and not packets.
    assert_eq!(store.forget_old(50).await.unwrap(), 3);
    assert_eq!(store.forget_old(50).await.unwrap(), 0);
    assert!(store.subjects_of_head("acme/shop", "a1").await.unwrap().is_empty());
    assert_eq!(live(&store, "acme/shop#1").await, "queued a2");
    assert_eq!(store.step("run-elm", &digest).await.unwrap().as_deref(), Some(&b"paid"[..]));
    assert_eq!(store.packets_of("acme/shop#1").await.unwrap().len(), 1);
    // Numbers are not given again: the lease of a forgotten job holds for no other.
    let second = claim_some(&store, 51).await;
    assert!(second.lease.job > first.lease.job);
    assert_eq!(beat(&store, &first, 52).await, Beat::Lost);
}

async fn what_goes_out_of_reach_ends_without_what_took_its_place(store: Store) {
    let waits = enqueue(&store, &review("acme/shop#1", "a1"), 1).await;
    enqueue(&store, &review("acme/shop#2", "b1"), 2).await;
    enqueue(&store, &command("acme/shop#2", "c1"), 3).await;
    let runs = store.claim("worker-oak", Choice::Any, MANY, 4, LEASE_MS).await.unwrap().expect("one is due");
    assert_eq!(runs.lease.job, waits);
    let before = store.unfinished().await.unwrap();
    assert_eq!(before.len(), 3);
    // What comes after it was looked stays, also of the same subject.
    let newer = enqueue(&store, &review("acme/shop#2", "b2"), 5).await;
    assert_eq!(store.out_of_reach(&before, "gone", 6).await.unwrap(), 2);
    assert_eq!(beat(&store, &runs, 7).await, Beat::Stop { reason: "gone".to_owned() });
    let held = store.finish(&runs.lease, JobEnding::Cancelled, "gone", &[], 8).await.unwrap();
    assert_eq!(held, Held::Yes);
    let left: Vec<_> = store.unfinished().await.unwrap().into_iter().map(|job: Unfinished| job.id).collect();
    assert_eq!(left, [newer]);
    let lost = store.lost_reviews("acme/shop", 0, 10).await.unwrap();
    assert_eq!(
        lost.iter().map(|lost| (lost.id, lost.ending)).collect::<Vec<_>>(),
        [(waits, JobEnding::OutOfReach)]
    );
}

async fn reviews_that_came_to_nothing_are_found_until_there_is_a_newer_one(store: Store) {
    let endings = [
        JobEnding::Succeeded,
        JobEnding::Superseded,
        JobEnding::Cancelled,
        JobEnding::OutOfReach,
        JobEnding::Failed,
    ];
    for (nth, ending) in (1..).zip(endings) {
        enqueue(&store, &review(&format!("acme/shop#{nth}"), "a1"), nth).await;
        let claimed = claim_some(&store, nth).await;
        store.finish(&claimed.lease, ending, "over", &[], 10 * nth).await.unwrap();
    }
    let lost = async |since: i64, most: usize| -> Vec<(String, i64, JobEnding)> {
        let lost = store.lost_reviews("acme/shop", since, most).await.unwrap();
        lost.into_iter().map(|lost| (lost.subject, lost.finished_at_ms, lost.ending)).collect()
    };
    let failed = ("acme/shop#5".to_owned(), 50, JobEnding::Failed);
    let out_of_reach = ("acme/shop#4".to_owned(), 40, JobEnding::OutOfReach);
    assert_eq!(lost(0, 10).await, [failed.clone(), out_of_reach.clone()]);
    assert_eq!(lost(50, 10).await, std::slice::from_ref(&failed));
    assert_eq!(lost(0, 1).await, [failed]);
    assert_eq!(store.lost_reviews("acme/other", 0, 10).await.unwrap(), []);
    // It came to nothing again, and then once at another head.
    for (head, times) in [("a1", 2), ("a2", 1)] {
        enqueue(&store, &review("acme/shop#5", head), 60).await;
        let claimed = claim_some(&store, 60).await;
        store.finish(&claimed.lease, JobEnding::OutOfReach, "over", &[], 61).await.unwrap();
        let newest = store.lost_reviews("acme/shop", 60, 10).await.unwrap();
        assert_eq!(newest.iter().map(|lost| lost.times).collect::<Vec<_>>(), [times], "{head}");
    }
    enqueue(&store, &review("acme/shop#5", "a3"), 62).await;
    assert_eq!(lost(0, 10).await, [out_of_reach]);
}
