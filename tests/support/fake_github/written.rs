//! What was written about a pull request, beside the head that it had at that moment and what its writer could know.

use super::world::{CheckRun, World};

/// The heads of a pull request, and the calls that read it, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Life(Vec<Moment>);

#[derive(Clone, Debug)]
enum Moment {
    /// The head became this commit.
    Head(String),
    /// It was read by a call that was answered after so many calls had begun.
    Read { calls_begun: u64 },
}

/// Something that was written about a head of a pull request.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) pull: u64,
    /// Whether the pull request was open.
    pub(crate) is_open: bool,
    pub(crate) what: Words,
    /// The head that it is about, if it names one that there was.
    pub(crate) about: Option<String>,
    /// The head of that moment.
    pub(crate) head: String,
    /// Whether the pull request had been read, since it has another head than the one that this is about, before whoever
    /// wrote this sent it.
    pub(crate) was_known: bool,
}

/// What was written.
#[derive(Clone, Debug)]
pub(crate) enum Words {
    /// A check run, by what a call says of its end and how many lines it marks.
    CheckRun { conclusion: Option<String>, annotations: usize },
    /// A comment.
    Comment { body: String },
    /// A review with comments at lines.
    Review,
}

impl Life {
    pub(crate) fn moves_to(&mut self, head: &str) {
        self.0.push(Moment::Head(head.to_owned()));
    }

    pub(crate) fn is_read(&mut self, calls_begun: u64) {
        self.0.push(Moment::Read { calls_begun });
    }

    /// Every head that there was.
    fn heads(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|moment| match moment {
            Moment::Head(head) => Some(head.as_str()),
            Moment::Read { .. } => None,
        })
    }

    /// Whether it was read, before the call of this number began, since this head is no more.
    fn was_read_without(&self, head: &str, call: u64) -> bool {
        let is_of_head = |moment: &Moment| matches!(moment, Moment::Head(one) if one == head);
        let Some(last) = self.0.iter().rposition(is_of_head) else { return false };
        let mut later = self.0[last + 1..].iter().skip_while(|moment| matches!(moment, Moment::Read { .. }));
        later.any(|moment| matches!(moment, Moment::Read { calls_begun } if *calls_begun < call))
    }
}

impl World {
    /// Notes that somebody reads a pull request.
    pub(crate) fn note_read(&mut self, id: u64, pull: u64) {
        let calls_begun = self.calls_begun;
        if let Some(pull) = self.repository(id).pulls.get_mut(&pull) {
            pull.life.is_read(calls_begun);
        }
    }

    /// Notes what a call, by its number, says of a check run.
    pub(crate) fn note_check_run(&mut self, id: u64, run: &CheckRun, body: &serde_json::Value, call: u64) {
        let conclusion = body["conclusion"].as_str().map(str::to_owned);
        let annotations = body["output"]["annotations"].as_array().map_or(0, Vec::len);
        // Of those that have had the head, one that has it still: what is said of it is not stale.
        let pulls = self.repository(id).pulls.values();
        let pulls = pulls.filter(|pull| pull.life.heads().any(|head| head == run.head));
        let Some(pull) = pulls.max_by_key(|pull| pull.head == run.head).map(|pull| pull.number) else {
            return;
        };
        self.note(id, pull, Words::CheckRun { conclusion, annotations }, Some(run.head.clone()), call);
    }

    /// Notes a comment, which is about the head that it names first.
    pub(crate) fn note_comment(&mut self, id: u64, pull: u64, body: &str, call: u64) {
        let Some(known) = self.repository(id).pulls.get(&pull) else { return };
        let named = known.life.heads().filter_map(|head| Some((body.find(&head[..7])?, head)));
        let about = named.min_by_key(|(place, _)| *place).map(|(_, head)| head.to_owned());
        self.note(id, pull, Words::Comment { body: body.to_owned() }, about, call);
    }

    /// Notes what was written by a call.
    pub(crate) fn note(&mut self, id: u64, pull: u64, what: Words, about: Option<String>, call: u64) {
        let repository = self.repository(id);
        let Some(known) = repository.pulls.get(&pull) else { return };
        let was_known = about.as_ref().is_some_and(|head| known.life.was_read_without(head, call));
        let (is_open, head) = (known.is_open, known.head.clone());
        repository.written.push(Written { pull, is_open, what, about, head, was_known });
    }
}

#[test]
fn a_write_is_known_to_be_stale_once_the_newer_head_was_read_before_it_was_sent() {
    // `read-1` is a read that was answered when one call had begun; all else are heads.
    let life = |moments: &str| {
        let mut life = Life::default();
        for moment in moments.split(' ') {
            match moment.strip_prefix("read-") {
                Some(calls) => life.is_read(calls.parse().expect("a number")),
                None => life.moves_to(moment),
            }
        }
        life
    };
    let cases = [
        ("old read-1", false),
        ("old read-1 new", false),
        ("old new read-1", true),
        // Both calls were under way at the same time.
        ("old new read-2", false),
        ("old new read-1 newer", true),
        ("old new read-1 old", false),
        ("new read-1", false),
    ];
    for (moments, is_stale) in cases {
        assert_eq!(life(moments).was_read_without("old", 2), is_stale, "{moments}");
    }
}
