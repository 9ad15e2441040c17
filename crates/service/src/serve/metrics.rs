//! What is counted, in Prometheus' text format.

use std::fmt::Write as _;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
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

/// Counters of this process.
pub(crate) struct Metrics {
    registry: Registry,
    deliveries: Family<Outcome, Counter>,
    claimed: Family<Kind, Counter>,
    ended: Family<Outcome, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("recuse");
        let (deliveries, claimed, ended) = (Family::default(), Family::default(), Family::default());
        registry.register("deliveries", "Deliveries by what became of them", Family::clone(&deliveries));
        registry.register("jobs_claimed", "Jobs claimed by this process", Family::clone(&claimed));
        registry.register(
            "jobs_ended",
            "Runs of jobs in this process by how they ended",
            Family::clone(&ended),
        );
        Self { registry, deliveries, claimed, ended }
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

    /// Everything, with what the database counts for all processes.
    pub(crate) fn text(&self, queue: &QueueCounts) -> String {
        let mut gauges = String::new();
        for (name, help, value) in [
            ("recuse_jobs_queued", "Jobs that wait", queue.queued),
            ("recuse_jobs_running", "Jobs that run", queue.running),
            ("recuse_jobs_failed_lately", "Jobs that failed within a day", queue.failed),
            (
                "recuse_oldest_due_ms",
                "How long the oldest due job waits",
                queue.oldest_due_age_ms.unwrap_or(0),
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
