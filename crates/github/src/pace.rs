//! The pause between writes that GitHub asks for.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Beyond so many actors, those whose last write is long past are forgotten.
const REMEMBERED: usize = 1_000;

/// Whom GitHub counts writes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Actor {
    /// The app itself.
    App,
    /// The app's bot in one installation.
    Installation(u64),
    /// Whoever a personal token belongs to.
    Personal,
}

/// Lets each actor write once an interval.
#[derive(Debug)]
pub(crate) struct Pacer {
    interval: Duration,
    next: Mutex<HashMap<Actor, Instant>>,
}

impl Pacer {
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, next: Mutex::new(HashMap::new()) }
    }

    /// Waits until this actor may write, in the order in which they ask.
    pub(crate) async fn wait(&self, actor: Actor) {
        if !self.interval.is_zero() {
            sleep_until(self.slot(actor, Instant::now())).await;
        }
    }

    fn slot(&self, actor: Actor, now: Instant) -> Instant {
        let mut next = self.next.lock().expect("nothing panics while it holds the lock");
        if next.len() > REMEMBERED {
            next.retain(|_, free| *free > now);
        }
        let slot = next.get(&actor).map_or(now, |free| (*free).max(now));
        next.insert(actor, slot + self.interval);
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_actor_writes_once_an_interval() {
        let pacer = Pacer::new(Duration::from_secs(1));
        let now = Instant::now();
        let slots =
            [Actor::Installation(1), Actor::Installation(1), Actor::Installation(2), Actor::Installation(1)];
        let slots = slots.map(|actor| (pacer.slot(actor, now) - now).as_secs());
        assert_eq!(slots, [0, 1, 0, 2]);
        let later = now + Duration::from_secs(60);
        assert_eq!(pacer.slot(Actor::Installation(1), later), later);
    }

    #[tokio::test(start_paused = true)]
    async fn actors_that_wrote_long_ago_are_forgotten() {
        let pacer = Pacer::new(Duration::from_secs(1));
        let now = Instant::now();
        for installation in 0..5_000 {
            pacer.slot(Actor::Installation(installation), now + Duration::from_secs(installation));
        }
        assert!(pacer.next.lock().unwrap().len() <= REMEMBERED + 1);
    }
}
