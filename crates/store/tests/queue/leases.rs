//! Leases: who works on what, in which order, how often, and what becomes of it when they die.

use store::{Choice, ClaimLimits, Intended, JobEnding, PostKey, PostKind, Store};

use super::*;

promises! {
    a_job_is_claimed_once_and_runs_until_its_lease_is_over
    a_dead_workers_job_is_claimed_again_and_the_old_worker_has_lost_it
    a_late_sign_of_life_counts_while_nobody_else_claimed
    after_all_attempts_there_is_one_last_word
    a_last_word_that_dies_too_is_the_end
    a_last_word_that_is_put_back_fails_unless_it_does_not_count
    a_job_that_is_put_back_waits_until_its_time
    an_attempt_that_does_not_count_is_given_back
    a_job_without_attempts_has_its_last_word_only
    repositories_with_the_fewest_running_jobs_come_first
    a_repository_runs_no_more_than_its_limit
    commands_and_reviews_that_wait_can_be_chosen
    priority_then_time_then_order_decide_within_a_repository
    every_free_job_is_found_behind_ones_that_must_wait
}

async fn a_job_is_claimed_once_and_runs_until_its_lease_is_over(store: Store) {
    assert_eq!(claim(&store, 1).await, None);
    let id = enqueue(&store, &NewJob { run_at_ms: 5, ..review("acme/shop#1", "a1") }, 1).await;
    assert_eq!(claim(&store, 4).await, None);
    let claimed = claim_some(&store, 5).await;
    assert_eq!(claimed.lease.job, id);
    assert_eq!(claim(&store, 5).await, None);
    assert_eq!(beat(&store, &claimed, 5 + LEASE_MS - 1).await, Beat::Go);
    assert_eq!(claim(&store, 5 + 2 * LEASE_MS - 2).await, None);
    let job = store.live_job(JobKind::Review, "acme/shop#1").await.unwrap().expect("it runs");
    let state = LiveState::Running { worker: "worker-oak".to_owned(), lease_until_ms: 4 + 2 * LEASE_MS };
    assert_eq!((job.id, job.attempts, job.state), (id, 1, state));
    succeed(&store, &claimed, 6 + 2 * LEASE_MS).await;
    assert_eq!(claim(&store, i64::MAX).await, None);
}

async fn a_dead_workers_job_is_claimed_again_and_the_old_worker_has_lost_it(store: Store) {
    enqueue(&store, &review("acme/shop#1", "a1"), 1).await;
    let old = claim_some(&store, 2).await;
    let new = claim_some(&store, 2 + LEASE_MS).await;
    assert_eq!((new.lease.job, new.attempt), (old.lease.job, 2));
    assert_ne!(new.lease, old.lease);
    let now_ms = 3 + LEASE_MS;
    assert_eq!(beat(&store, &old, now_ms).await, Beat::Lost);
    let then = [review("acme/shop#9", "z")];
    assert_eq!(store.finish(&old.lease, JobEnding::Succeeded, "", &then, now_ms).await.unwrap(), Held::Lost);
    let put_back = store.put_back(&old.lease, 9_999_999, "", AttemptCounts::No, now_ms).await.unwrap();
    assert_eq!(put_back, Held::Lost);
    let key = PostKey {
        repository: "acme/shop".to_owned(),
        subject: "acme/shop#1".to_owned(),
        kind: PostKind::Comment,
        name: String::new(),
    };
    assert_eq!(store.intend(&old.lease, &key, now_ms).await.unwrap(), Intended::Lost);
    let digest = Digest::of(b"comment");
    assert_eq!(store.posted(&old.lease, &key, "77", &digest, now_ms).await.unwrap(), Held::Lost);
    // Nothing of that had an effect.
    assert_eq!(live(&store, "acme/shop#1").await, "running a1");
    assert_eq!(live(&store, "acme/shop#9").await, "none");
    assert_eq!(store.intend(&new.lease, &key, now_ms).await.unwrap(), Intended::First);
    assert_eq!(beat(&store, &new, now_ms).await, Beat::Go);
    succeed(&store, &new, now_ms).await;
}

async fn a_late_sign_of_life_counts_while_nobody_else_claimed(store: Store) {
    enqueue(&store, &review("acme/shop#1", "a1"), 1).await;
    let claimed = claim_some(&store, 2).await;
    assert_eq!(beat(&store, &claimed, 2 + 5 * LEASE_MS).await, Beat::Go);
    assert_eq!(claim(&store, 3 + 5 * LEASE_MS).await, None);
}

async fn after_all_attempts_there_is_one_last_word(store: Store) {
    enqueue(&store, &NewJob { max_attempts: 2, ..review("acme/shop#1", "a1") }, 1).await;
    let mut now_ms = 2;
    for (attempt, is_last_word) in [(1, false), (2, false), (3, true)] {
        let claimed = claim_some(&store, now_ms).await;
        assert_eq!((claimed.attempt, claimed.max_attempts, claimed.is_last_word), (attempt, 2, is_last_word));
        now_ms += LEASE_MS;
        if is_last_word {
            let held = store.finish(&claimed.lease, JobEnding::Failed, "said so", &[], now_ms).await.unwrap();
            assert_eq!(held, Held::Yes);
        }
    }
    assert_eq!(claim(&store, now_ms + LEASE_MS).await, None);
    assert_eq!(store.queue_counts(now_ms).await.unwrap().failed, 1);
}

async fn a_last_word_that_dies_too_is_the_end(store: Store) {
    enqueue(&store, &NewJob { max_attempts: 1, ..review("acme/shop#1", "a1") }, 1).await;
    claim_some(&store, 2).await;
    let last = claim_some(&store, 2 + LEASE_MS).await;
    assert!(last.is_last_word);
    let now_ms = 2 + 2 * LEASE_MS;
    assert_eq!(claim(&store, now_ms).await, None);
    assert_eq!(beat(&store, &last, now_ms).await, Beat::Lost);
    assert_eq!(live(&store, "acme/shop#1").await, "none");
    let counts = store.queue_counts(now_ms).await.unwrap();
    assert_eq!((counts.queued, counts.running, counts.failed), (0, 0, 1));
    // It can be asked for again.
    enqueue(&store, &review("acme/shop#1", "a1"), now_ms).await;
}

async fn a_last_word_that_is_put_back_fails_unless_it_does_not_count(store: Store) {
    enqueue(&store, &NewJob { max_attempts: 0, ..review("acme/shop#1", "a1") }, 1).await;
    for now_ms in [10, 20] {
        // GitHub does not answer: that is not the job's fault.
        let last = claim_some(&store, now_ms).await;
        assert!(last.is_last_word);
        put_back(&store, &last, now_ms + 5, AttemptCounts::No).await;
    }
    put_back(&store, &claim_some(&store, 30).await, 35, AttemptCounts::Yes).await;
    assert_eq!(claim(&store, 1_000_000).await, None);
    assert_eq!(store.queue_counts(40).await.unwrap().failed, 1);
}

async fn a_job_that_is_put_back_waits_until_its_time(store: Store) {
    enqueue(&store, &review("acme/shop#1", "a1"), 1).await;
    let first = claim_some(&store, 2).await;
    put_back(&store, &first, 5_000, AttemptCounts::Yes).await;
    let job = store.live_job(JobKind::Review, "acme/shop#1").await.unwrap().expect("it waits");
    assert_eq!(job.state, LiveState::Queued { run_at_ms: 5_000 });
    assert_eq!(claim(&store, 4_999).await, None);
    assert_eq!(beat(&store, &first, 4_999).await, Beat::Lost);
    assert_eq!(claim_some(&store, 5_000).await.attempt, 2);
}

async fn an_attempt_that_does_not_count_is_given_back(store: Store) {
    enqueue(&store, &NewJob { max_attempts: 1, ..review("acme/shop#1", "a1") }, 1).await;
    for now_ms in [10, 20, 30] {
        let claimed = claim_some(&store, now_ms).await;
        assert_eq!((claimed.attempt, claimed.is_last_word), (1, false));
        put_back(&store, &claimed, now_ms, AttemptCounts::No).await;
    }
    put_back(&store, &claim_some(&store, 40).await, 40, AttemptCounts::Yes).await;
    assert!(claim_some(&store, 50).await.is_last_word);
}

async fn a_job_without_attempts_has_its_last_word_only(store: Store) {
    enqueue(&store, &NewJob { max_attempts: 0, ..review("acme/shop#1", "a1") }, 1).await;
    let claimed = claim_some(&store, 2).await;
    assert_eq!((claimed.attempt, claimed.is_last_word), (1, true));
}

async fn repositories_with_the_fewest_running_jobs_come_first(store: Store) {
    // A flood in one repository, and a few others that come later and matter less.
    for number in 0..5 {
        let job = NewJob { priority: 9, ..review(&format!("acme/flood#{number}"), "h") };
        enqueue(&store, &job, number).await;
    }
    for subject in ["acme/shop#1", "acme/shop#2", "acme/cart#1"] {
        enqueue(&store, &review(subject, "h"), 10).await;
    }
    // Running commands use up no turn of a review.
    enqueue(&store, &NewJob { priority: 99, ..command("acme/cart#9", "c1") }, 10).await;
    let mut order = Vec::new();
    while let Some(claimed) = claim(&store, 20).await {
        order.push(claimed.subject);
    }
    let expected = [
        "acme/cart#9",
        "acme/flood#0",
        "acme/shop#1",
        "acme/cart#1",
        "acme/flood#1",
        "acme/shop#2",
        "acme/flood#2",
        "acme/flood#3",
        "acme/flood#4",
    ];
    assert_eq!(order, expected);
}

async fn commands_and_reviews_that_wait_can_be_chosen(store: Store) {
    enqueue(&store, &review("acme/shop#1", "h"), 0).await;
    enqueue(&store, &review("acme/shop#2", "h"), 0).await;
    let later = NewJob { run_at_ms: 50, ..review("acme/shop#3", "h") };
    enqueue(&store, &later, 0).await;
    enqueue(&store, &command("acme/shop#1", "c1"), 0).await;
    let choose = |choice, now_ms| store.claim("worker-desk", choice, MANY, now_ms, LEASE_MS);
    let asked = choose(Choice::Commands, 10).await.unwrap().expect("a command");
    assert_eq!((asked.kind, asked.subject.as_str()), (JobKind::Command, "acme/shop#1"));
    assert_eq!(choose(Choice::Commands, 10).await.unwrap(), None);
    let waiting = |due_since_ms| choose(Choice::WaitingReviews { due_since_ms }, 20);
    assert_eq!(waiting(-1).await.unwrap(), None, "nobody waits for so long");
    let first = waiting(0).await.unwrap().expect("the first");
    assert_eq!(first.subject, "acme/shop#1");
    store.put_back(&first.lease, 0, "waits", AttemptCounts::No, 21).await.unwrap();
    // Each is chosen so once, and those that are due later are not.
    assert_eq!(waiting(0).await.unwrap().expect("the second").subject, "acme/shop#2");
    assert_eq!(waiting(0).await.unwrap(), None);
    let again = claim_some(&store, 22).await;
    assert_eq!((again.subject.as_str(), again.attempt), ("acme/shop#1", 1));
}

async fn a_repository_runs_no_more_than_its_limit(store: Store) {
    let two = ClaimLimits { per_repository: 2 };
    for number in 0..4 {
        enqueue(&store, &review(&format!("acme/shop#{number}"), "h"), number).await;
    }
    let claim_two = |now_ms| store.claim("worker-elm", Choice::Any, two, now_ms, LEASE_MS);
    let first = claim_two(10).await.unwrap().expect("one");
    let dead = claim_two(10).await.unwrap().expect("two");
    assert_eq!(claim_two(10).await.unwrap(), None);
    // The limit is of a repository and a kind.
    enqueue(&store, &review("acme/cart#1", "h"), 11).await;
    enqueue(&store, &command("acme/shop#1", "c1"), 11).await;
    let mut others =
        [claim_two(12).await.unwrap().expect("a cart"), claim_two(12).await.unwrap().expect("a command")];
    others.sort_by_key(|claimed| claimed.kind);
    assert_eq!(others.map(|claimed| claimed.subject), ["acme/cart#1", "acme/shop#1"]);
    assert_eq!(claim_two(12).await.unwrap(), None);
    succeed(&store, &first, 13).await;
    let third = claim_two(14).await.unwrap().expect("room for one");
    assert_eq!(third.subject, "acme/shop#2");
    // The dead do not run, and what they had counts when it is taken up again.
    beat(&store, &third, 10 + LEASE_MS).await;
    let again = claim_two(10 + LEASE_MS).await.unwrap().expect("the dead one's");
    assert_eq!(again.lease.job, dead.lease.job);
    let left = store.queue_counts(10 + LEASE_MS).await.unwrap();
    assert_eq!(left.queued, 1);
    assert_eq!(store.live_job(JobKind::Review, "acme/shop#3").await.unwrap().expect("it waits").attempts, 0);
}

async fn priority_then_time_then_order_decide_within_a_repository(store: Store) {
    let jobs = [
        ("acme/shop#1", 0, 30),
        ("acme/shop#2", 0, 20),
        ("acme/shop#3", 5, 40),
        ("acme/shop#4", 0, 20),
        ("acme/shop#5", -1, 0),
        ("acme/shop#6", 9, 999),
    ];
    for (subject, priority, run_at_ms) in jobs {
        enqueue(&store, &NewJob { priority, run_at_ms, ..review(subject, "h") }, 1).await;
    }
    let mut order = Vec::new();
    while let Some(claimed) = claim(&store, 50).await {
        order.push(claimed.subject);
    }
    assert_eq!(order, ["acme/shop#3", "acme/shop#2", "acme/shop#4", "acme/shop#1", "acme/shop#5"]);
}

async fn every_free_job_is_found_behind_ones_that_must_wait(store: Store) {
    for comment in 0..20 {
        let job = NewJob { priority: 9, ..command("acme/shop#1", &format!("c{comment}")) };
        enqueue(&store, &job, 1).await;
    }
    enqueue(&store, &command("acme/shop#2", "c1"), 1).await;
    assert_eq!(claim_some(&store, 2).await.subject, "acme/shop#1");
    assert_eq!(claim_some(&store, 2).await.subject, "acme/shop#2");
    assert_eq!(claim(&store, 2).await, None);
}
