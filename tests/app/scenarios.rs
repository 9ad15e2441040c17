//! Stories that are told at the same time, a few at once, and what is wrong in the end of each.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// How many are told at the same time. Most of one is waiting for a lease to run out.
const AT_ONCE: usize = 6;

/// Stories that were begun.
pub(super) struct Scenarios {
    room: Arc<Semaphore>,
    begun: Vec<(String, JoinHandle<Vec<String>>)>,
}

impl Scenarios {
    pub(super) fn new() -> Self {
        Self { room: Arc::new(Semaphore::new(AT_ONCE)), begun: Vec::new() }
    }

    /// Begins a story once there is room for it. It gives what is wrong in the end.
    pub(super) fn begin(&mut self, name: String, story: impl Future<Output = Vec<String>> + Send + 'static) {
        let room = self.room.clone();
        let story = tokio::spawn(async move {
            let _room = room.acquire_owned().await;
            story.await
        });
        self.begun.push((name, story));
    }

    /// Waits for all of them, and panics with whatever is wrong in any.
    pub(super) async fn end_well(self) {
        let mut wrong = Vec::new();
        for (name, story) in self.begun {
            match story.await {
                Ok(wrongs) if wrongs.is_empty() => {}
                Ok(wrongs) => wrong.push(format!("{name}: {wrongs:#?}")),
                Err(error) => wrong.push(format!("{name}: {error}")),
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
