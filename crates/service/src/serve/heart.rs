//! How long a job is surely ours, by this machine's own clocks. A process that stood still (a machine that slept, a container
//! that was frozen) between its intent and its write would write what another one has written since: the database knows who
//! has the job now, but is not asked in that last moment.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use store::Lease;

use super::clock::now_ms;

/// A time by both clocks: the one that never goes back may stand still while the machine sleeps, and the other may be set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    steady: Instant,
    wall_ms: i64,
}

impl Moment {
    /// This one.
    pub(crate) fn now() -> Self {
        Self { steady: Instant::now(), wall_ms: now_ms() }
    }

    /// How long ago it was, by the clock that says more.
    fn age(self, now: Self) -> Duration {
        let steady = now.steady.saturating_duration_since(self.steady);
        let wall = Duration::from_millis(now.wall_ms.saturating_sub(self.wall_ms).max(0).unsigned_abs());
        steady.max(wall)
    }
}

/// The last sign of life of a job that the database took.
#[derive(Debug)]
pub(crate) struct Heart {
    beat_at: Mutex<Moment>,
    lease: Duration,
}

impl Heart {
    fn new(at: Moment, lease: Duration) -> Self {
        Self { beat_at: Mutex::new(at), lease }
    }

    /// The database took a sign of life that was given then.
    pub(crate) fn beats(&self, at: Moment) {
        *self.beat_at.lock().expect("nobody panics while holding it") = at;
    }

    /// Whether half of the lease is left: time enough for one write.
    fn is_fresh(&self, now: Moment) -> bool {
        self.beat_at.lock().expect("nobody panics while holding it").age(now) < self.lease / 2
    }
}

type All = Vec<(Lease, Arc<Heart>)>;

/// The hearts of the jobs that this process works on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hearts(Arc<Mutex<All>>);

/// A job that is worked on; no more once this is dropped.
pub(crate) struct Beating {
    hearts: Hearts,
    lease: Lease,
    /// Its heart.
    pub(crate) heart: Arc<Heart>,
}

impl Hearts {
    /// Begins with a job that was claimed then.
    pub(crate) fn begin(&self, lease: &Lease, claimed_at: Moment, lease_for: Duration) -> Beating {
        let heart = Arc::new(Heart::new(claimed_at, lease_for));
        self.all().push((lease.clone(), heart.clone()));
        Beating { hearts: self.clone(), lease: lease.clone(), heart }
    }

    /// Whether something may be written in the name of a job.
    pub(crate) fn may_write(&self, lease: &Lease) -> bool {
        let now = Moment::now();
        self.all().iter().any(|(known, heart)| known == lease && heart.is_fresh(now))
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.0.lock().expect("nobody panics while holding it")
    }
}

impl Drop for Beating {
    fn drop(&mut self) {
        self.hearts.all().retain(|(known, _)| *known != self.lease);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_clock_can_say_that_too_much_time_has_gone_by() {
        let begun = Moment::now();
        let heart = Heart::new(begun, Duration::from_secs(60));
        let later = |steady: u64, wall: i64| Moment {
            steady: begun.steady + Duration::from_secs(steady),
            wall_ms: begun.wall_ms + wall * 1_000,
        };
        for (steady, wall, expected) in [
            (0, 0, true),
            (29, 29, true),
            (30, 0, false),
            (0, 30, false),
            (1, -3_600, true),
            (31, -3_600, false),
        ] {
            assert_eq!(heart.is_fresh(later(steady, wall)), expected, "{steady} {wall}");
        }
        heart.beats(later(20, 20));
        assert!(heart.is_fresh(later(49, 49)) && !heart.is_fresh(later(50, 50)));
    }
}
