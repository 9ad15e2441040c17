//! Telling GitHub, so that nothing is told twice: the intent is written down, our own object is looked for by our app and
//! a signed mark, then it is made, then that is written down (law 10). Each step only under a lease that is still held.

use github::repository::{
    Annotation, AnnotationLevel, Annotations, CheckAction, CheckOutput, CheckRunUpdate, CheckState,
    Conclusion, InlineComment, NewCheckRun,
};
use github::webhook::Secrets;
use github::{ApiError, ErrorKind, RepositoryApi};
use report::CheckReport;
use review::text::{shorten, visible_line};
use review::{CommitId, Digest};
use secrecy::{ExposeSecret as _, SecretString};
use store::{Held, Intended, Lease, PostKey, PostKind, Progress, Store};

use super::clock::now_ms;
use super::dispatch::REVIEW_BUTTON;
use super::ending::Trouble;
use super::work::{CommentAt, Place};

/// The name of our check run. Required checks name it, so it never changes.
pub(crate) const CHECK_NAME: &str = "recuse";

/// The most inline comments of one head. People stop reading more.
const MOST_INLINE: usize = 5;

/// Marks that nobody else can make, by which our own comments are found again.
pub(crate) struct Marks(Secrets);

impl Marks {
    /// Marks of the App with this private key.
    pub(crate) fn new(private_key: &SecretString) -> Self {
        let key = Digest::of_parts([b"recuse mark".as_slice(), private_key.expose_secret().as_bytes()]);
        let key = SecretString::from(key.as_str().to_owned());
        Self(Secrets::new(&key, None).expect("a digest is not empty"))
    }

    /// A line for the end of a text. It shows nothing.
    fn line(&self, place: &Place, number: u64, kind: &str) -> String {
        let signature = self.0.sign(format!("{kind} {}#{number}", place.id).as_bytes());
        format!("<!-- recuse {kind} {} -->", signature.trim_start_matches("sha256="))
    }

    /// What is behind `prefix` in the kind of such a line; none where nobody of ours wrote it.
    fn name_in<'a>(&self, line: &'a str, prefix: &str, place: &Place, number: u64) -> Option<&'a str> {
        let (kind, _) = line.strip_prefix("<!-- recuse ")?.split_once(' ')?;
        let name = kind.strip_prefix(prefix)?;
        (line == self.line(place, number, kind)).then_some(name)
    }
}

/// Whether anything is written on GitHub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    /// It is.
    Live,
    /// Everything is done but that.
    Dry,
}

/// What is told of one pull request, in the name of one job.
pub(crate) struct Teller<'a> {
    pub(crate) store: &'a Store,
    pub(crate) lease: &'a Lease,
    /// Writes only while the job is surely ours.
    pub(crate) api: RepositoryApi,
    pub(crate) place: &'a Place,
    pub(crate) number: u64,
    /// The run in whose name it is told.
    pub(crate) run_id: &'a str,
    pub(crate) app_id: u64,
    /// The login of the App's bot: reviews name their author only.
    pub(crate) bot: &'a str,
    pub(crate) marks: &'a Marks,
    pub(crate) writing: Writing,
    /// Says what a dry run does not write.
    pub(crate) say: fn(&str),
}

impl Teller<'_> {
    fn key(&self, kind: PostKind, name: &str) -> PostKey {
        post_key(self.place, self.number, kind, name)
    }

    /// Makes the check run of a head whose review waits for its turn.
    pub(crate) async fn check_waits(&self, head: &CommitId) -> Result<(), Trouble> {
        self.check_says(head, CheckState::Queued, &report::Notice::Queued).await
    }

    /// Begins the check run of a head, or goes on with the one that is there.
    pub(crate) async fn check_begins(&self, head: &CommitId) -> Result<(), Trouble> {
        self.check_says(head, CheckState::InProgress, &report::Notice::Running).await
    }

    async fn check_says(
        &self,
        head: &CommitId,
        state: CheckState,
        notice: &report::Notice<'_>,
    ) -> Result<(), Trouble> {
        let (title, summary) = report::notice(notice);
        let output =
            CheckOutput { title: title.to_owned(), summary, text: None, annotations: Annotations::default() };
        self.check(head, state, output, Vec::new()).await
    }

    /// Ends the check run of a head.
    pub(crate) async fn check_ends(&self, head: &CommitId, report: CheckReport) -> Result<(), Trouble> {
        let annotations = report.annotations.into_iter().map(annotation).collect();
        let output = CheckOutput {
            title: report.title,
            summary: report.summary,
            text: Some(report.text).filter(|text| !text.is_empty()),
            annotations: Annotations::default(),
        };
        let state = CheckState::Completed { conclusion: conclusion(report.conclusion) };
        self.check(head, state, output, annotations).await
    }

    /// Ends the check run of a head without a packet.
    pub(crate) async fn check_ends_with(
        &self,
        head: &CommitId,
        conclusion: report::Conclusion,
        notice: &report::Notice<'_>,
    ) -> Result<(), Trouble> {
        let (title, summary) = report::notice(notice);
        let (title, text, annotations) = (title.to_owned(), String::new(), Vec::new());
        self.check_ends(head, CheckReport { conclusion, title, summary, text, annotations }).await
    }

    /// Ends the check run of a head that will not be reviewed after all, if it was begun and has not ended.
    pub(crate) async fn check_gives_up(
        &self,
        head: &CommitId,
        notice: &report::Notice<'_>,
    ) -> Result<(), Trouble> {
        match self.store.progress(&self.check_key(head)).await? {
            Progress::NeverBegun => return Ok(()),
            Progress::Done { content } if !says(&content, &OPEN) => return Ok(()),
            Progress::Begun | Progress::ChangeBegun | Progress::Done { .. } => {}
        }
        self.check_ends_with(head, report::Conclusion::Cancelled, notice).await
    }

    /// Each run has a check run of its own; GitHub shows the newest.
    fn check_key(&self, head: &CommitId) -> PostKey {
        check_key(self.place, self.number, head.as_str(), self.run_id)
    }

    async fn check(
        &self,
        head: &CommitId,
        state: CheckState,
        output: CheckOutput,
        annotations: Vec<Annotation>,
    ) -> Result<(), Trouble> {
        let key = self.check_key(head);
        let external_id = format!("{}/{}", self.place.subject(self.number), self.run_id);
        let mut is_waiting = false;
        let (known, told) = match self.intend(&key).await? {
            Known::Nothing if self.writing == Writing::Dry => {
                let state = match state {
                    CheckState::Queued => "queued",
                    CheckState::InProgress => "in progress",
                    CheckState::Completed { conclusion } => conclusion.name(),
                };
                self.would_write(&format!("check run of {}: {state}: {}", head.short(), output.title));
                return Ok(());
            }
            Known::Nothing => (None, 0),
            Known::Is { id, content } => {
                is_waiting = says(&content, &[report::Notice::Queued]);
                (Some(id), 0)
            }
            // GitHub adds annotations to those that are there, so those that were sent are not sent again.
            Known::Maybe(id) => {
                let (found, told) = self.own_check(head, &external_id).await?;
                (found.or(id), told)
            }
        };
        let id = match known {
            // The review is taken up again. What the check run says by now stays unknown, so that its annotations are
            // counted before more are sent.
            Some(_) if is_open(state) && !is_waiting => return Ok(()),
            Some(id) => id,
            None => {
                let run = NewCheckRun {
                    name: CHECK_NAME.to_owned(),
                    head: head.clone(),
                    external_id,
                    details_url: None,
                    state: if is_open(state) { state } else { CheckState::InProgress },
                    output: Some(CheckOutput { annotations: Annotations::default(), ..output.clone() }),
                    actions: Vec::new(),
                };
                let id = self.api.create_check_run(&run).await?;
                if is_open(state) {
                    return self.posted(&key, id, &output.title).await;
                }
                id
            }
        };
        // What has annotations is ended by the last of its batches, so that nobody reads half of them as all.
        let mut batches = Annotations::batches(annotations.into_iter().skip(told).collect());
        let last = batches.pop().unwrap_or_default();
        for annotations in batches {
            let output = CheckOutput { annotations, ..output.clone() };
            let update =
                CheckRunUpdate { state: CheckState::InProgress, output: Some(output), actions: Vec::new() };
            self.api.update_check_run(id, &update).await?;
        }
        let title = output.title.clone();
        let output = CheckOutput { annotations: last, ..output };
        let update = CheckRunUpdate { state, output: Some(output), actions: buttons(state) };
        self.api.update_check_run(id, &update).await?;
        self.posted(&key, id, &title).await
    }

    /// Our check run of this run, and how many annotations it has.
    async fn own_check(&self, head: &CommitId, external_id: &str) -> Result<(Option<u64>, usize), ApiError> {
        let runs = self.api.check_runs(head, Some(CHECK_NAME)).await?;
        let own = runs.items.into_iter().filter(|run| run.app_id == Some(self.app_id));
        let found = own.filter(|run| run.external_id == external_id).min_by_key(|run| run.id);
        Ok(found
            .map_or((None, 0), |run| (Some(run.id), usize::try_from(run.annotations).unwrap_or(usize::MAX))))
    }

    /// Writes the one comment of the pull request, in place of what it said before.
    pub(crate) async fn comment(&self, text: &str, conversation: Conversation) -> Result<(), Trouble> {
        self.text("", "packet", text, conversation).await
    }

    /// Lets the one comment say something else, if there is one and it does not say so already.
    pub(crate) async fn comment_says(&self, text: &str) -> Result<(), Trouble> {
        let said = match self.store.progress(&self.key(PostKind::Comment, "")).await? {
            Progress::NeverBegun => return Ok(()),
            Progress::Begun | Progress::ChangeBegun => None,
            Progress::Done { content } => Some(content),
        };
        let body = self.body("packet", text).1;
        if said == Some(Digest::of(body.as_bytes())) {
            return Ok(());
        }
        self.comment(text, Conversation::MayHoldOurs).await
    }

    /// A text with the mark by which it is found again, and that mark.
    fn body(&self, kind: &str, text: &str) -> (String, String) {
        let mark = self.marks.line(self.place, self.number, kind);
        let body = format!("{text}\n{mark}\n");
        (mark, body)
    }

    /// Answers a comment. The same answer is never given twice.
    pub(crate) async fn answer(&self, comment: CommentAt, text: &str) -> Result<(), Trouble> {
        let name = comment.id.to_string();
        self.text(&name, &format!("answer-{name}"), text, Conversation::MayHoldOurs).await
    }

    async fn text(
        &self,
        name: &str,
        kind: &str,
        text: &str,
        conversation: Conversation,
    ) -> Result<(), Trouble> {
        let key = self.key(PostKind::Comment, name);
        let (mark, body) = self.body(kind, text);
        let mut known = match self.intend(&key).await? {
            Known::Nothing if self.writing == Writing::Dry => {
                let what =
                    if name.is_empty() { "comment".to_owned() } else { format!("answer to comment {name}") };
                let first_line = text.lines().next().unwrap_or_default();
                self.would_write(&format!("{what}: {}", shorten(&visible_line(first_line), 200)));
                return Ok(());
            }
            Known::Nothing if conversation == Conversation::Empty => None,
            // Another database may have written one before us.
            Known::Nothing | Known::Maybe(None) => self.own_comment(&mark).await?,
            Known::Is { id, .. } | Known::Maybe(Some(id)) => Some(id),
        };
        if let Some(id) = known
            && self.rewrite(id, &body).await? == Rewritten::Gone
        {
            // What was written in its place may not have been written down.
            known = match self.own_comment(&mark).await? {
                Some(id) => match self.rewrite(id, &body).await? {
                    Rewritten::Yes => Some(id),
                    Rewritten::Gone => None,
                },
                None => None,
            };
        }
        let id = match known {
            Some(id) => id,
            None => self.api.create_comment(self.number, &body).await?,
        };
        self.posted(&key, id, &body).await
    }

    /// Gives a comment of ours another text.
    async fn rewrite(&self, id: u64, body: &str) -> Result<Rewritten, ApiError> {
        match self.api.update_comment(id, body).await {
            Ok(()) => Ok(Rewritten::Yes),
            Err(ApiError { kind: ErrorKind::NotFound | ErrorKind::Gone, .. }) => Ok(Rewritten::Gone),
            Err(error) => Err(error),
        }
    }

    async fn own_comment(&self, mark: &str) -> Result<Option<u64>, ApiError> {
        let comments = self.api.comments(self.number).await?;
        let own = comments.items.into_iter().filter(|comment| comment.app_id == Some(self.app_id));
        Ok(own.filter(|comment| comment.body.trim_end().ends_with(mark)).map(|comment| comment.id).min())
    }

    /// Posts the worst claims at their lines, those that were not posted for an earlier head.
    pub(crate) async fn inline(
        &self,
        head: &CommitId,
        of: InlineOf,
        comments: Vec<report::InlineComment>,
    ) -> Result<(), Trouble> {
        let mut fresh = Vec::new();
        for comment in comments {
            if fresh.len() == MOST_INLINE {
                break;
            }
            // What was told of a claim once is not told again at every push.
            match self.store.progress(&self.key(PostKind::Inline, &comment.claim)).await? {
                Progress::Done { .. } | Progress::ChangeBegun => {}
                Progress::NeverBegun => fresh.push((comment, IsBegun::No)),
                Progress::Begun => fresh.push((comment, IsBegun::Yes)),
            }
        }
        if fresh.is_empty() {
            return Ok(());
        }
        let name = of.name(head);
        let key = self.key(PostKind::Inline, &name);
        let mark = self.marks.line(self.place, self.number, &format!("inline-{name}"));
        let posted = match self.intend(&key).await? {
            Known::Nothing if self.writing == Writing::Dry => {
                for (comment, _) in &fresh {
                    let place = visible_line(&comment.path);
                    self.would_write(&format!("comment at {place}:{}", comment.line_start));
                }
                return Ok(());
            }
            Known::Nothing => None,
            Known::Maybe(_) => self.own_review(&mark).await?,
            Known::Is { id, .. } => Some(id),
        };
        let id = match posted {
            Some(id) => {
                // It holds those that were begun with it, and no others.
                fresh.retain(|(_, is_begun)| *is_begun == IsBegun::Yes);
                id
            }
            None => {
                if fresh.iter().any(|(_, is_begun)| *is_begun == IsBegun::Yes) {
                    fresh = self.not_told_by_another_review(&name, fresh).await?;
                }
                let mut ours = Vec::with_capacity(fresh.len());
                for (comment, is_begun) in fresh {
                    let known = self.intend(&self.key(PostKind::Inline, &comment.claim)).await?;
                    match (known, is_begun) {
                        (Known::Nothing, IsBegun::No) | (Known::Maybe(_), IsBegun::Yes) => {
                            ours.push((comment, is_begun));
                        }
                        // Another review of the pull request tells it just now, or has told it.
                        (Known::Nothing, IsBegun::Yes)
                        | (Known::Maybe(_), IsBegun::No)
                        | (Known::Is { .. }, _) => {}
                    }
                }
                fresh = ours;
                if fresh.is_empty() {
                    return Ok(());
                }
                let count = fresh.len();
                let words = if count == 1 { "claim at its line" } else { "claims at their lines" };
                let whole = of.whole();
                let body = format!("{count} {words}; {whole} has all of them.\n{mark}\n");
                let lines: Vec<InlineComment> = fresh.iter().map(|(comment, _)| at_lines(comment)).collect();
                match self.api.create_review(self.number, head, &lines, &body).await {
                    Ok(id) => id,
                    // GitHub sees the diff otherwise, or the head moved just now; the comment has them all.
                    Err(ApiError { kind: ErrorKind::Invalid { message }, .. }) => {
                        tracing::warn!(%message, "github does not take comments at these lines");
                        return Ok(());
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        };
        self.posted(&key, id, &mark).await?;
        for (comment, _) in &fresh {
            let key = self.key(PostKind::Inline, &comment.claim);
            self.posted(&key, id, &comment.body).await?;
        }
        Ok(())
    }

    /// Leaves out what was begun with a review of ours that is there and that nobody wrote down: whoever made it died before,
    /// and a push has put another head in its place since.
    async fn not_told_by_another_review(
        &self,
        name: &str,
        fresh: Vec<(report::InlineComment, IsBegun)>,
    ) -> Result<Vec<(report::InlineComment, IsBegun)>, Trouble> {
        let mut unwritten = Vec::new();
        let reviews = self.api.reviews(self.number).await?;
        for review in reviews.items.into_iter().filter(|review| review.author.login == self.bot) {
            let Some(mark) = review.body.trim_end().lines().next_back() else { continue };
            let Some(of) = self.marks.name_in(mark, "inline-", self.place, self.number) else { continue };
            let key = self.key(PostKind::Inline, of);
            let is_written = matches!(self.store.progress(&key).await?, Progress::Done { .. });
            if of != name && !is_written {
                unwritten.push((key, review.id, mark.to_owned()));
            }
        }
        let Some(id) = unwritten.first().map(|(_, id, _)| *id) else { return Ok(fresh) };
        let (told, fresh): (Vec<_>, Vec<_>) =
            fresh.into_iter().partition(|(_, is_begun)| *is_begun == IsBegun::Yes);
        for (comment, _) in told {
            let key = self.key(PostKind::Inline, &comment.claim);
            self.intend(&key).await?;
            self.posted(&key, id, &comment.body).await?;
        }
        // Last, so that whoever dies before finds it so again.
        for (key, id, mark) in unwritten {
            self.intend(&key).await?;
            self.posted(&key, id, &mark).await?;
        }
        Ok(fresh)
    }

    async fn own_review(&self, mark: &str) -> Result<Option<u64>, ApiError> {
        let reviews = self.api.reviews(self.number).await?;
        let own = reviews.items.into_iter().filter(|review| review.author.login == self.bot);
        Ok(own.filter(|review| review.body.trim_end().ends_with(mark)).map(|review| review.id).min())
    }

    /// Puts eyes on a comment: it was seen.
    pub(crate) async fn eyes(&self, comment: CommentAt) -> Result<(), Trouble> {
        let key = self.key(PostKind::Reaction, &comment.id.to_string());
        match self.intend(&key).await? {
            Known::Nothing if self.writing == Writing::Dry => {
                self.would_write(&format!("eyes on comment {}", comment.id));
                return Ok(());
            }
            // GitHub keeps one reaction of a kind by one actor.
            Known::Nothing | Known::Maybe(_) => {}
            Known::Is { .. } => return Ok(()),
        }
        match self.api.react_with_eyes(comment.place(), comment.id).await {
            Ok(()) => {}
            // It was deleted meanwhile.
            Err(ApiError { kind: ErrorKind::NotFound | ErrorKind::Gone, .. }) => {}
            Err(error) => return Err(error.into()),
        }
        self.posted(&key, comment.id, "eyes").await
    }

    /// Says what would have been written.
    fn would_write(&self, what: &str) {
        let Place { owner, name, .. } = self.place;
        (self.say)(&format!("dry run: {owner}/{name}#{}: {what}", self.number));
    }

    async fn intend(&self, key: &PostKey) -> Result<Known, Trouble> {
        if self.writing == Writing::Dry {
            return Ok(Known::Nothing);
        }
        Ok(match self.store.intend(self.lease, key, now_ms()).await? {
            Intended::First => Known::Nothing,
            Intended::Again => Known::Maybe(None),
            Intended::Done { remote_id, content } => match (remote_id.parse(), content) {
                (Ok(id), Some(content)) => Known::Is { id, content },
                (id, _) => Known::Maybe(id.ok()),
            },
            Intended::Lost => return Err(Trouble::Lost),
        })
    }

    async fn posted(&self, key: &PostKey, id: u64, content: &str) -> Result<(), Trouble> {
        if self.writing == Writing::Dry {
            return Ok(());
        }
        let content = Digest::of(content.as_bytes());
        match self.store.posted(self.lease, key, &id.to_string(), &content, now_ms()).await? {
            Held::Yes => Ok(()),
            Held::Lost => Err(Trouble::Lost),
        }
    }
}

fn post_key(place: &Place, number: u64, kind: PostKind, name: &str) -> PostKey {
    PostKey { repository: place.key(), subject: place.subject(number), kind, name: name.to_owned() }
}

fn check_key(place: &Place, number: u64, head: &str, run_id: &str) -> PostKey {
    post_key(place, number, PostKind::CheckRun, &format!("{head}/{run_id}"))
}

/// Whether a run told what it found at a head, to the end: its check run is the last that it writes.
pub(crate) async fn was_told_by(
    store: &Store,
    place: &Place,
    number: u64,
    head: &str,
    run_id: &str,
) -> Result<bool, Trouble> {
    let said = said_last(store, &check_key(place, number, head, run_id)).await?;
    Ok(said.is_some_and(|content| !says(&content, &OPEN) && !says(&content, &GIVEN_UP)))
}

/// Whether the check run of a run at a head has ended, whatever it says.
pub(crate) async fn was_ended_by(
    store: &Store,
    place: &Place,
    number: u64,
    head: &str,
    run_id: &str,
) -> Result<bool, Trouble> {
    let said = said_last(store, &check_key(place, number, head, run_id)).await?;
    Ok(said.is_some_and(|content| !says(&content, &OPEN)))
}

/// What something says by now, where that is known.
async fn said_last(store: &Store, key: &PostKey) -> Result<Option<Digest>, Trouble> {
    Ok(match store.progress(key).await? {
        Progress::Done { content } => Some(content),
        Progress::NeverBegun | Progress::Begun | Progress::ChangeBegun => None,
    })
}

/// What is known of our own object.
enum Known {
    /// It was never made.
    Nothing,
    /// It may have been made, or what it says may have been changed; its id, if that is known.
    Maybe(Option<u64>),
    /// It was made.
    Is {
        /// Its id.
        id: u64,
        /// The digest of what it says.
        content: Digest,
    },
}

/// What check runs say that have not ended.
const OPEN: [report::Notice<'static>; 2] = [report::Notice::Queued, report::Notice::Running];

/// What check runs say that have ended before anything was found.
const GIVEN_UP: [report::Notice<'static>; 3] =
    [report::Notice::Superseded, report::Notice::Stopped { why: "" }, report::Notice::Failed { error: "" }];

/// Whether a check run says one of these; what they say of the reason does not matter.
fn says(content: &Digest, notices: &[report::Notice<'_>]) -> bool {
    notices.iter().any(|notice| *content == Digest::of(report::notice(notice).0.as_bytes()))
}

/// Whether a check run in this state has not ended.
fn is_open(state: CheckState) -> bool {
    match state {
        CheckState::Queued | CheckState::InProgress => true,
        CheckState::Completed { .. } => false,
    }
}

/// Whether a comment of ours may stand in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conversation {
    /// Nobody said anything.
    Empty,
    /// Somebody may have.
    MayHoldOurs,
}

/// Whether a comment was given another text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rewritten {
    /// It was.
    Yes,
    /// There is no such comment any more.
    Gone,
}

/// What comments at lines belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InlineOf {
    /// The review of a head.
    Review,
    /// The answer to a comment that asked for some lenses.
    Answer(CommentAt),
}

impl InlineOf {
    fn name(self, head: &CommitId) -> String {
        match self {
            Self::Review => head.to_string(),
            Self::Answer(comment) => format!("{head}-{}", comment.id),
        }
    }

    fn whole(self) -> &'static str {
        match self {
            Self::Review => "the comment above",
            Self::Answer(_) => "the answer in the conversation",
        }
    }
}

/// Whether telling a claim at its line was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IsBegun {
    /// It was, and nobody wrote down that it was done.
    Yes,
    /// It was not.
    No,
}

/// What can be pressed at a check run.
fn buttons(state: CheckState) -> Vec<CheckAction> {
    match state {
        CheckState::Completed { .. } => vec![CheckAction {
            label: "Review again".to_owned(),
            description: "Reviews this head once more".to_owned(),
            identifier: REVIEW_BUTTON.to_owned(),
        }],
        CheckState::Queued | CheckState::InProgress => Vec::new(),
    }
}

/// A conclusion as GitHub's client has it.
pub(crate) fn conclusion(conclusion: report::Conclusion) -> Conclusion {
    match conclusion {
        report::Conclusion::Success => Conclusion::Success,
        report::Conclusion::Failure => Conclusion::Failure,
        report::Conclusion::ActionRequired => Conclusion::ActionRequired,
        report::Conclusion::Neutral => Conclusion::Neutral,
        report::Conclusion::Cancelled => Conclusion::Cancelled,
    }
}

/// An annotation as GitHub's client has it.
pub(crate) fn annotation(annotation: report::Annotation) -> Annotation {
    Annotation {
        path: annotation.path,
        start_line: annotation.line_start,
        end_line: annotation.line_end,
        level: match annotation.level {
            report::AnnotationLevel::Failure => AnnotationLevel::Failure,
            report::AnnotationLevel::Warning => AnnotationLevel::Warning,
            report::AnnotationLevel::Notice => AnnotationLevel::Notice,
        },
        message: annotation.message,
        title: annotation.title,
    }
}

fn at_lines(comment: &report::InlineComment) -> InlineComment {
    InlineComment {
        path: comment.path.clone(),
        line: comment.line_end,
        side: comment.side,
        start_line: Some(comment.line_start).filter(|start| *start < comment.line_end),
        body: comment.body.clone(),
    }
}
