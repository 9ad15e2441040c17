//! Deliveries on their way to the disk: many at once in one transaction, and no answer before it is committed.

use std::sync::Arc;
use std::time::Duration;

use store::{Received, Taken};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::Core;

/// How many deliveries wait to be written. More than that, and GitHub is told to come again.
const WAITING: usize = 1_024;

/// How many are written at once.
const AT_ONCE: usize = 128;

/// How long a delivery may wait. GitHub hangs up after ten seconds.
const PATIENCE: Duration = Duration::from_secs(8);

/// Why a delivery was not taken. It must come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// Too many wait already.
    Busy,
    /// The database did not take it, or not in time.
    NoDatabase,
}

/// The way to the disk. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Intake {
    deliveries: mpsc::Sender<(Received, oneshot::Sender<Option<Taken>>)>,
}

impl Intake {
    /// Begins to take deliveries, until the last clone is dropped.
    pub(crate) fn start(core: Arc<Core>) -> Self {
        let (deliveries, waiting) = mpsc::channel(WAITING);
        tokio::spawn(write(core, waiting));
        Self { deliveries }
    }

    /// Takes a delivery; when this returns it is on disk, or it was there before.
    pub(crate) async fn take(&self, received: Received) -> Result<Taken, NotTaken> {
        let (answer, answered) = oneshot::channel();
        self.deliveries.try_send((received, answer)).map_err(|_| NotTaken::Busy)?;
        match timeout(PATIENCE, answered).await {
            Ok(Ok(Some(taken))) => Ok(taken),
            Ok(Ok(None) | Err(_)) | Err(_) => Err(NotTaken::NoDatabase),
        }
    }
}

async fn write(core: Arc<Core>, mut waiting: mpsc::Receiver<(Received, oneshot::Sender<Option<Taken>>)>) {
    let mut batch = Vec::with_capacity(AT_ONCE);
    while waiting.recv_many(&mut batch, AT_ONCE).await > 0 {
        let (received, answers): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        let taken = match core.store.receive(&received).await {
            Ok(taken) => taken.into_iter().map(Some).collect(),
            Err(error) if received.len() > 1 => {
                tracing::warn!(
                    "a batch of deliveries was not written, so each is written by itself: {error:#}"
                );
                one_by_one(&core, &received).await
            }
            Err(error) => {
                tracing::error!("a delivery was not written: {error:#}");
                vec![None]
            }
        };
        for (taken, answer) in taken.into_iter().zip(answers) {
            // Whoever waited may have gone.
            let _ = answer.send(taken);
        }
        core.news.notify_waiters();
        core.stir();
    }
}

/// One that the database cannot hold must not keep the others out.
async fn one_by_one(core: &Core, received: &[Received]) -> Vec<Option<Taken>> {
    let mut all = Vec::with_capacity(received.len());
    for one in received {
        all.push(match core.store.receive(std::slice::from_ref(one)).await {
            Ok(taken) => taken.first().copied(),
            Err(error) => {
                tracing::error!("a delivery was not written: {error:#}");
                None
            }
        });
    }
    all
}
