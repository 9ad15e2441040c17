//! How fast deliveries are stored durably, and jobs claimed and finished.
//!
//! `cargo run --release -p store --example measure_queue -- sqlite:FILE|postgres://…`: the database should be new. Each
//! delivery brings one review with a payload of 400 bytes.

#![expect(clippy::print_stdout, reason = "it prints figures")]

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use review::Digest;
use store::{Choice, ClaimLimits, JobEnding, JobKind, NewJob, Order, Received, Store, open};

const LEASE_MS: i64 = 60_000;

#[tokio::main]
async fn main() -> Result<()> {
    let url = std::env::args().nth(1).context("name a database: sqlite:FILE or postgres://…")?;
    let store = open(&url).await?;
    println!("what | deliveries or jobs | per second | p50 ms | p99 ms");
    receive(&store, "single", 1_500, 1).await?;
    work(&store, 500).await?;
    receive(&store, "batches of 50", 20_000, 50).await?;
    receive(&store, "batches of 500", 20_000, 500).await?;
    work(&store, 100).await?;
    store.close().await;
    Ok(())
}

async fn receive(store: &Store, name: &str, count: usize, size: usize) -> Result<()> {
    let mut times = Vec::new();
    let begin = Instant::now();
    for first in (0..count).step_by(size) {
        let batch: Vec<_> = (first..first + size).map(|number| delivery(name, number)).collect();
        let begin = Instant::now();
        store.receive(&batch).await?;
        times.push(begin.elapsed());
    }
    report(&format!("receive, {name}"), count, begin.elapsed(), times);
    Ok(())
}

/// Claims, renews and finishes jobs.
async fn work(store: &Store, count: usize) -> Result<()> {
    let limits = ClaimLimits { per_repository: 4 };
    let mut times = Vec::new();
    let begin = Instant::now();
    for _ in 0..count {
        let begin = Instant::now();
        let claimed =
            store.claim("worker", Choice::Any, limits, 1, LEASE_MS).await?.context("no job is due")?;
        times.push(begin.elapsed());
        store.beat(&claimed.lease, 2, LEASE_MS).await?;
        store.finish(&claimed.lease, JobEnding::Succeeded, "", &[], 3).await?;
    }
    let waiting = store.queue_counts(4).await?.queued;
    report(&format!("claim (timed), beat and finish, {waiting} waiting"), count, begin.elapsed(), times);
    Ok(())
}

fn report(what: &str, count: usize, took: Duration, mut times: Vec<Duration>) {
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1000.0;
    let per_second = count as f64 / took.as_secs_f64();
    println!("{what} | {count} | {per_second:.0} | {:.1} | {:.1}", at(50), at(99));
}

fn delivery(name: &str, number: usize) -> Received {
    let id = format!("{name}-{number}");
    let subject = format!("acme/shop{}#{name}-{number}", number % 50);
    let job = NewJob {
        kind: JobKind::Review,
        repository: format!("acme/shop{}", number % 50),
        dedupe_key: format!("{subject}@head"),
        subject,
        head: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
        payload: "x".repeat(400),
        priority: 0,
        run_at_ms: 0,
        max_attempts: 5,
    };
    Received {
        body_digest: Digest::of(id.as_bytes()),
        delivery_id: id,
        event: "pull_request".to_owned(),
        at_ms: 1,
        orders: vec![Order::Enqueue(job)],
    }
}
