//! Asks the seated models: bounded concurrency, one deadline, and for each that does not answer what may help.
//!
//! Who is asked what is decided by a [`Hearing`]; here it is asked. However a call ends, it ends as a value. An `Err`
//! here is ours: the store cannot be written.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use futures::StreamExt as _;
use models::{Message, Model, Prompt};
use review::Families;
use review::engine::{Engine, estimate_tokens};
use review::hearing::{Attempt, HeardPanel, HeardQuestion, Hearing, Next, Question, TimeLeft};
use review::outcome::{Ending, EndingKind};
use store::{Booking, Receipts, Store};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::asks::AskMaker;
use crate::metered;
use crate::steps::Steps;

pub use crate::metered::CallsOut;

/// A question with its prompt.
#[derive(Clone)]
pub struct Ask {
    /// What is asked of whom.
    pub question: Question,
    /// The prompt.
    pub prompt: Prompt,
}

/// What the calls of one review share.
pub struct Asking<'a> {
    /// The roster.
    pub engines: &'a [Engine],
    /// How each engine is asked, by the same index.
    pub models: &'a [Arc<dyn Model>],
    /// What names mean.
    pub families: &'a Families,
    /// Where money is reserved.
    pub store: &'a Store,
    /// Where prompts and replies are kept.
    pub receipts: &'a Receipts,
    /// Whose time is told.
    pub clock: Clock,
    /// Whether replies are kept as steps of the run.
    pub steps: Steps,
    /// The run.
    pub run_id: &'a str,
    /// What each call counts towards, and the caps in force.
    pub bookings: &'a [Booking],
    /// When all calls have to be done.
    pub deadline: Instant,
    /// The most calls at once.
    pub concurrency: usize,
    /// Milliseconds since 1970, for the ledger.
    pub now_ms: i64,
    /// The calls that are out.
    pub out: &'a CallsOut,
    /// Told as calls begin and end.
    pub progress: &'a (dyn Fn(Progress<'_>) + Sync),
}

/// Whose time a packet tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// This run's.
    Running,
    /// That of the replies, whenever they were made: a run that is answered from memory gives the same bytes again.
    OfTheReplies,
}

/// What is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress<'a> {
    /// A model is asked.
    Asked {
        /// For what: a lens, or cross-examination.
        what: &'a str,
        /// The engine's id.
        engine: &'a str,
    },
    /// A call ended.
    Ended {
        /// For what it was.
        what: &'a str,
        /// The engine's id.
        engine: &'a str,
        /// How.
        ending: EndingKind,
        /// After how many milliseconds.
        elapsed_ms: u64,
        /// How many calls are still out or waiting.
        left: usize,
    },
}

/// With less time left than this nobody else is asked: no model answers so fast.
const LEAST_TIME: Duration = Duration::from_secs(1);

/// The least tokens of a shared beginning that are worth waiting for: less is kept by no provider's cache.
const LEAST_SHARED_TOKENS: u32 = 1_024;

/// Which asks wait for which: where several send one dear beginning to one model, the first one goes ahead, so that the
/// provider has it in its cache when the others come. By ask, the one that goes ahead of it.
fn leaders(asks: &[Ask], engines: &[Engine]) -> Vec<Option<usize>> {
    let mut first: HashMap<(usize, &str), usize> = HashMap::new();
    asks.iter()
        .enumerate()
        .map(|(index, ask)| {
            let costs = engines[ask.question.engine]
                .price
                .as_ref()
                .is_some_and(|price| price.worst_case(1_000_000, 0) > 0);
            let beginning = ask.prompt.shared_beginning()?;
            let tokens = estimate_tokens(ask.prompt.system.len() + beginning.len());
            if !costs || tokens < LEAST_SHARED_TOKENS {
                return None;
            }
            let leader = *first.entry((ask.question.engine, beginning)).or_insert(index);
            (leader != index).then_some(leader)
        })
        .collect()
}

/// Asks everything, and others or less at a time where somebody does not answer. Gives what came of it, in the order
/// in which it arrived, and how the panel was heard.
///
/// # Errors
/// The store could not be written; a prompt could not be rendered.
pub async fn fan_out(
    asks: Vec<Ask>,
    hearing: Hearing<'_>,
    maker: &AskMaker<'_>,
    asking: &Asking<'_>,
) -> Result<(Vec<HeardQuestion>, HeardPanel)> {
    let room = Room {
        minutes: Mutex::new(Minutes { hearing, heard: Vec::new() }),
        maker,
        asking,
        left: AtomicUsize::new(asks.len()),
    };
    let leaders = leaders(&asks, asking.engines);
    let gone: Vec<Semaphore> = asks.iter().map(|_| Semaphore::new(0)).collect();
    let (gone, leaders, in_room) = (&gone, &leaders, &room);
    // Those who wait come last, so that they never keep whom they wait for from beginning.
    let mut order: Vec<(usize, Ask)> = asks.into_iter().enumerate().collect();
    order.sort_by_key(|(index, _)| (leaders[*index].is_some(), *index));
    let calls = order.into_iter().map(|(index, ask)| async move {
        if let Some(leader) = leaders[index] {
            let _permit = gone[leader].acquire().await.expect("nobody closes it");
        }
        let ended = in_room.ask_until_answered(ask).await;
        // One permit is enough: each who waits gives it back.
        gone[index].add_permits(1);
        ended
    });
    let ended: Vec<Result<()>> =
        futures::stream::iter(calls).buffer_unordered(asking.concurrency).collect().await;
    ended.into_iter().collect::<Result<()>>()?;
    let Minutes { hearing, heard } = room.minutes.into_inner().expect("nobody panics while holding it");
    Ok((heard, hearing.end()))
}

/// What the calls of one fan-out share.
struct Room<'a> {
    minutes: Mutex<Minutes<'a>>,
    maker: &'a AskMaker<'a>,
    asking: &'a Asking<'a>,
    /// How many calls are out or waiting.
    left: AtomicUsize,
}

/// The hearing, and what it heard in the order in which it did.
struct Minutes<'a> {
    hearing: Hearing<'a>,
    heard: Vec<HeardQuestion>,
}

impl Room<'_> {
    async fn ask_until_answered(&self, ask: Ask) -> Result<()> {
        let mut open = vec![ask];
        while let Some(ask) = open.pop() {
            let more = self.ask_one(&ask).await?;
            open.extend(more.into_iter().rev());
        }
        Ok(())
    }

    /// Asks once; gives what is asked next because of what came of it.
    async fn ask_one(&self, ask: &Ask) -> Result<Vec<Ask>> {
        let Question { seat, part, lens, engine, .. } = ask.question;
        let id = self.asking.engines[engine].id.as_str();
        let what = lens.name();
        (self.asking.progress)(Progress::Asked { what, engine: id });
        let span = tracing::info_span!("ask", lens = what, model = %id, part);
        let name = format!("seat {seat} part {part}");
        let heard = metered::ask(engine, &ask.prompt, &name, self.asking).instrument(span).await?;
        let elapsed_ms = heard.elapsed_ms;
        let is_late = Instant::now() + LEAST_TIME >= self.asking.deadline;
        let next = self.take_down(HeardQuestion {
            seat,
            part,
            prompt_tokens: u32::try_from(ask.prompt.estimated_tokens()).unwrap_or(u32::MAX),
            time: if is_late { TimeLeft::TooLittle } else { TimeLeft::Enough },
            heard,
        })?;
        let left = self.left.fetch_add(next.questions.len(), Ordering::Relaxed) + next.questions.len();
        self.left.fetch_sub(1, Ordering::Relaxed);
        (self.asking.progress)(Progress::Ended {
            what,
            engine: id,
            ending: next.ending.kind(),
            elapsed_ms,
            left: left - 1,
        });
        let make = |question: Question| match question.attempt {
            Attempt::First => self.maker.about(question),
            Attempt::Repair => Ok(Ask { prompt: repair(&ask.prompt, &next.ending), question }),
        };
        next.questions.into_iter().map(make).collect()
    }

    fn take_down(&self, heard: HeardQuestion) -> Result<Next> {
        let mut minutes = self.minutes.lock().expect("nobody panics while holding it");
        let next = minutes.hearing.hear(&heard)?;
        minutes.heard.push(heard);
        Ok(next)
    }
}

/// The same question, with what was wrong with the answer.
fn repair(prompt: &Prompt, ending: &Ending) -> Prompt {
    let problem = match ending {
        Ending::Unanswered { detail, .. } => detail.as_str(),
        Ending::Answered(_) => "it could not be read",
    };
    let mut prompt = prompt.clone();
    // What it said is not repeated: it may be as long as it likes, and the author's words may have led it astray.
    let said = "(an answer that could not be read)".to_owned();
    prompt.messages.push(Message::Assistant { text: said, tool_calls: Vec::new() });
    prompt.messages.push(Message::User(format!(
        "That answer cannot be used: {problem}. Answer again: one JSON object in the form described above, and \
         nothing else."
    )));
    prompt
}
