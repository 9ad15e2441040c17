//! What is counted, in Prometheus' text format.

use std::fmt::Write as _;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use store::QueueCounts;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Verdict {
    verdict: &'static str,
}

/// Where the times of reviews are told apart, in seconds: rules alone take less than one, models minutes.
const REVIEW_SECONDS: [f64; 9] = [0.5, 1.0, 5.0, 15.0, 60.0, 180.0, 600.0, 1_800.0, 3_600.0];

/// Counters of this process.
pub(crate) struct Metrics {
    registry: Registry,
    deliveries: Family<Outcome, Counter>,
    claimed: Family<Kind, Counter>,
    ended: Family<Outcome, Counter>,
    told: Family<Verdict, Counter>,
    told_after: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("recuse");
        let (deliveries, claimed, ended) = (Family::default(), Family::default(), Family::default());
        let (told, told_after) = (Family::default(), Histogram::new(REVIEW_SECONDS));
        registry.register("deliveries", "Deliveries by what became of them", Family::clone(&deliveries));
        registry.register("jobs_claimed", "Jobs claimed by this process", Family::clone(&claimed));
        registry.register(
            "jobs_ended",
            "Runs of jobs in this process by how they ended",
            Family::clone(&ended),
        );
        registry.register("reviews", "Reviews that this process told, by verdict", Family::clone(&told));
        registry.register(
            "review_seconds",
            "From the event that asked for a review to its last write",
            told_after.clone(),
        );
        Self { registry, deliveries, claimed, ended, told, told_after }
    }
}

impl Metrics {
    /// A delivery came.
    pub(crate) fn delivery(&self, outcome: &'static str) {
        self.deliveries.get_or_create(&Outcome { outcome }).inc();
    }

    /// A job was claimed.
    pub(crate) fn claimed(&self, kind: &'static str) {
        self.claimed.get_or_create(&Kind { kind }).inc();
    }

    /// A job's run ended.
    pub(crate) fn ended(&self, outcome: &'static str) {
        self.ended.get_or_create(&Outcome { outcome }).inc();
    }

    /// A review was told, so long after somebody asked for it.
    pub(crate) fn told(&self, verdict: &'static str, after: Duration) {
        self.told.get_or_create(&Verdict { verdict }).inc();
        self.told_after.observe(after.as_secs_f64());
    }

    /// Everything, with what the database counts for all processes.
    pub(crate) fn text(&self, queue: &QueueCounts, spent_today_micro_usd: u64) -> String {
        let mut gauges = String::new();
        for (name, help, value) in [
            ("recuse_jobs_queued", "Jobs that wait", queue.queued as f64),
            ("recuse_jobs_running", "Jobs that run", queue.running as f64),
            ("recuse_jobs_failed_lately", "Jobs that failed within a day", queue.failed as f64),
            (
                "recuse_oldest_due_seconds",
                "How long the oldest due job waits",
                queue.oldest_due_age_ms.unwrap_or(0) as f64 / 1e3,
            ),
            (
                "recuse_spent_today_usd",
                "What models cost or may cost since midnight in UTC",
                spent_today_micro_usd as f64 / 1e6,
            ),
        ] {
            let _ = writeln!(gauges, "# HELP {name} {help}.\n# TYPE {name} gauge\n{name} {value}");
        }
        let mut counters = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut counters, &self.registry);
        gauges + &counters
    }
}
