//! What goes wrong on demand, and where a call is held.

use std::time::Duration;

use tokio::sync::oneshot;

use super::endpoint::Endpoint;

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection closes, and nothing was done.
    ClosedBeforeEffect,
    /// It is done, and the connection closes without a word.
    ClosedAfterEffect,
    /// Nothing is done, and no answer ever comes.
    SilentBeforeEffect,
    /// It is done, and no answer ever comes.
    SilentAfterEffect,
    /// This status, and nothing is done.
    Status(u16),
    /// It is done, and this status comes all the same.
    StatusAfterEffect(u16),
    /// 403 or 429 with nothing remaining until so many seconds from now.
    PrimaryLimit {
        /// 403 or 429.
        status: u16,
        /// When the limit is reset.
        reset_in: u64,
    },
    /// 403 or 429 as GitHub says it for being too fast.
    SecondaryLimit {
        /// 403 or 429.
        status: u16,
        /// What it asks for, in seconds.
        retry_after: Option<u64>,
    },
    /// 406, as GitHub refuses to render a diff.
    TooLarge,
    /// A web page with status 200, and nothing is done.
    Html,
    /// It is done, and the JSON ends in the middle.
    CutJson,
    /// The body ends in the middle of what its length says.
    CutBody,
    /// A body of so many bytes.
    Huge(usize),
    /// A redirect.
    Redirect {
        /// 301, 302, 307 or 308.
        status: u16,
        /// Where to.
        to: Elsewhere,
    },
}

/// Where a redirect leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Elsewhere {
    /// To the same call on the same server.
    SameHost,
    /// To another server, which must never see a credential.
    OtherHost,
}

/// How often something goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    Once,
    Always,
}

/// Which call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// The nth from now on, from 1.
    Nth(usize),
    /// The next of this kind.
    Next(Endpoint),
}

/// Before or after a call did what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    BeforeEffect,
    AfterEffect,
}

/// A call that is held until the test lets it go on. Dropping it lets it go on too.
pub(crate) struct Pause {
    reached: oneshot::Receiver<()>,
    _resume: oneshot::Sender<()>,
}

impl Pause {
    /// Waits until the call is there; at most ten seconds.
    pub(crate) async fn reached(&mut self) {
        let reached = tokio::time::timeout(Duration::from_secs(10), &mut self.reached).await;
        reached.expect("the call never came").expect("the fake stopped");
    }

    /// Lets the call go on.
    pub(crate) fn resume(self) {}
}

/// Faults and pauses that wait for their call.
#[derive(Default)]
pub(crate) struct Switches {
    faults: Vec<(Endpoint, Times, Fault)>,
    pauses: Vec<Held>,
    /// How long every call of the API takes at least.
    pub(crate) delay: Duration,
}

struct Held {
    at: At,
    when: When,
    reached: oneshot::Sender<()>,
    resume: oneshot::Receiver<()>,
}

/// What a call has to wait for.
pub(crate) struct Gate {
    when: When,
    reached: Option<oneshot::Sender<()>>,
    resume: oneshot::Receiver<()>,
}

impl Gate {
    pub(crate) async fn pass(&mut self, when: When) {
        if self.when == when
            && let Some(reached) = self.reached.take()
        {
            // Nobody listens, or nobody lets it go on: both mean that the test is over with it.
            let _ = reached.send(());
            let _ = (&mut self.resume).await;
        }
    }
}

impl Switches {
    pub(crate) fn add_fault(&mut self, endpoint: Endpoint, times: Times, fault: Fault) {
        self.faults.push((endpoint, times, fault));
    }

    pub(crate) fn clear_faults(&mut self) {
        self.faults.clear();
    }

    pub(crate) fn add_pause(&mut self, at: At, when: When) -> Pause {
        let (reached, is_reached) = oneshot::channel();
        let (resumed, resume) = oneshot::channel();
        self.pauses.push(Held { at, when, reached, resume });
        Pause { reached: is_reached, _resume: resumed }
    }

    /// The faults that were to happen and did not.
    pub(crate) fn left_over(&self) -> Vec<String> {
        let once = self.faults.iter().filter(|(_, times, _)| *times == Times::Once);
        once.map(|(endpoint, _, fault)| format!("{fault:?} of {endpoint:?} never came")).collect()
    }

    pub(crate) fn take_fault(&mut self, endpoint: Endpoint) -> Option<Fault> {
        let index = self.faults.iter().position(|(at, _, _)| *at == endpoint)?;
        let (_, times, fault) = self.faults[index];
        if times == Times::Once {
            self.faults.remove(index);
        }
        Some(fault)
    }

    pub(crate) fn take_gate(&mut self, endpoint: Endpoint) -> Option<Gate> {
        for held in &mut self.pauses {
            if let At::Nth(left) = &mut held.at {
                *left = left.saturating_sub(1);
            }
        }
        let is_now = |held: &Held| match held.at {
            At::Nth(left) => left == 0,
            At::Next(wanted) => wanted == endpoint,
        };
        let index = self.pauses.iter().position(is_now)?;
        let Held { when, reached, resume, .. } = self.pauses.remove(index);
        Some(Gate { when, reached: Some(reached), resume })
    }
}
