//! What the App's queue promises, by subject. Time is a number that a test counts up.

mod deliveries;
mod jobs;
mod leases;
mod posts;
mod random;
mod runs;

use review::Digest;
use store::{
    AttemptCounts, Beat, Choice, ClaimLimits, Claimed, Enqueued, Held, JobEnding, JobId, JobKind, LiveState,
    NewJob, Order, Received, Store,
};

/// How long leases are in these tests.
const LEASE_MS: i64 = 1_000;

/// No limit that matters.
const MANY: ClaimLimits = ClaimLimits { per_repository: 1_000 };

/// A review of a subject like `acme/shop#1` at a head, due at once.
fn review(subject: &str, head: &str) -> NewJob {
    let (repository, _) = subject.split_once('#').expect("a subject has a number");
    NewJob {
        kind: JobKind::Review,
        repository: repository.to_owned(),
        subject: subject.to_owned(),
        dedupe_key: format!("{subject}@{head}"),
        head: Some(head.to_owned()),
        payload: format!("{{\"head\":\"{head}\"}}"),
        priority: 0,
        run_at_ms: 0,
        max_attempts: 3,
    }
}

/// A command in a comment on a subject.
fn command(subject: &str, comment: &str) -> NewJob {
    NewJob {
        kind: JobKind::Command,
        dedupe_key: comment.to_owned(),
        head: None,
        payload: format!("{{\"comment\":\"{comment}\"}}"),
        ..review(subject, "")
    }
}

fn delivery(id: &str, body: &str, at_ms: i64, orders: Vec<Order>) -> Received {
    Received {
        delivery_id: id.to_owned(),
        body_digest: Digest::of(body.as_bytes()),
        event: "pull_request".to_owned(),
        at_ms,
        orders,
    }
}

fn cancel(subject: &str) -> Order {
    Order::Cancel { subject: subject.to_owned(), reason: "closed".to_owned() }
}

async fn enqueue(store: &Store, job: &NewJob, now_ms: i64) -> JobId {
    match store.enqueue(job, now_ms).await.unwrap() {
        Enqueued::New(id) => id,
        Enqueued::AlreadyLive(id) => panic!("job {id} is live already"),
    }
}

/// Claims without a limit.
async fn claim(store: &Store, now_ms: i64) -> Option<Claimed> {
    store.claim("worker-oak", Choice::Any, MANY, now_ms, LEASE_MS).await.unwrap()
}

/// Claims what has to be there.
async fn claim_some(store: &Store, now_ms: i64) -> Claimed {
    claim(store, now_ms).await.expect("a job is due")
}

async fn succeed(store: &Store, claimed: &Claimed, now_ms: i64) {
    let held = store.finish(&claimed.lease, JobEnding::Succeeded, "done", &[], now_ms).await.unwrap();
    assert_eq!(held, Held::Yes);
}

async fn beat(store: &Store, claimed: &Claimed, now_ms: i64) -> Beat {
    store.beat(&claimed.lease, now_ms, LEASE_MS).await.unwrap()
}

/// What a live review does, in one word and its head; `none` without one.
async fn live(store: &Store, subject: &str) -> String {
    let Some(job) = store.live_job(JobKind::Review, subject).await.unwrap() else { return "none".to_owned() };
    let word = match job.state {
        LiveState::Queued { .. } => "queued",
        LiveState::Running { .. } => "running",
        LiveState::Stopping { .. } => "stopping",
    };
    format!("{word} {}", job.head.unwrap_or_default())
}

async fn put_back(store: &Store, claimed: &Claimed, run_at_ms: i64, counts: AttemptCounts) {
    let held = store.put_back(&claimed.lease, run_at_ms, "later", counts, run_at_ms).await.unwrap();
    assert_eq!(held, Held::Yes);
}
