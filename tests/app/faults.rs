//! The fault matrix: each call that a review, a command and upkeep make goes wrong once in each way, and in the end everything was told once.
//! The table of `docs/reliability.md` is what is found here.

use std::collections::BTreeMap;

use super::told::{Lines, wrong_check_runs, wrongs};
use super::*;
use crate::support::fake_github::{Elsewhere, Fault, Sending, Times};

/// Each fault with its name in the table.
const FAULTS: [(&str, Fault); 20] = [
    ("closed before the effect", Fault::ClosedBeforeEffect),
    ("closed after the effect", Fault::ClosedAfterEffect),
    ("silent before the effect", Fault::SilentBeforeEffect),
    ("silent after the effect", Fault::SilentAfterEffect),
    ("401", Fault::Status(401)),
    ("403", Fault::Status(403)),
    ("403, primary limit", Fault::PrimaryLimit { status: 403, reset_in: 0 }),
    ("403, Retry-After", Fault::SecondaryLimit { status: 403, retry_after: Some(1) }),
    ("429, Retry-After", Fault::SecondaryLimit { status: 429, retry_after: Some(1) }),
    ("404", Fault::Status(404)),
    ("409", Fault::Status(409)),
    ("422", Fault::Status(422)),
    ("500", Fault::Status(500)),
    ("500 after the effect", Fault::StatusAfterEffect(500)),
    ("502 after the effect", Fault::StatusAfterEffect(502)),
    ("web page", Fault::Html),
    ("cut JSON", Fault::CutJson),
    ("cut body", Fault::CutBody),
    ("redirect", Fault::Redirect { status: 302, to: Elsewhere::SameHost }),
    ("redirect to another host", Fault::Redirect { status: 302, to: Elsewhere::OtherHost }),
];

/// How many rows are made at the same time.
const AT_ONCE: usize = 12;

/// What is done so that a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scene {
    /// A pull request is opened.
    Opening,
    /// It is pushed to.
    Pushing,
    /// It is opened, and this goes wrong first: only a second attempt makes the call.
    SecondAttempt(Endpoint),
    /// It is opened where a commit status is required.
    RequiredStatus,
    /// It is opened where nothing can be fetched.
    WithoutFetch,
    /// The same, and its diff is too large for GitHub.
    WithoutDiff,
    /// Somebody asks for help.
    Command,
    /// A command was not delivered, and the server starts again.
    MissedCommand,
    /// A head was never told of, and the server starts again.
    MissedHead,
}

/// The calls of a review, those that only a second attempt makes, those of a second head; and the calls of a required check, of
/// the way without fetching, of a command and of upkeep.
const CALLS: [(Endpoint, Scene); 24] = [
    (Endpoint::App, Scene::Opening),
    (Endpoint::MintToken, Scene::Opening),
    (Endpoint::Pull, Scene::Opening),
    (Endpoint::Branch, Scene::Opening),
    (Endpoint::Compare, Scene::Opening),
    (Endpoint::CreateCheckRun, Scene::Opening),
    (Endpoint::UpdateCheckRun, Scene::Opening),
    (Endpoint::Comments, Scene::SecondAttempt(Endpoint::CreateComment)),
    (Endpoint::CreateComment, Scene::Opening),
    (Endpoint::CreateReview, Scene::Opening),
    (Endpoint::UpdateComment, Scene::Pushing),
    (Endpoint::CheckRuns, Scene::SecondAttempt(Endpoint::UpdateCheckRun)),
    (Endpoint::Reviews, Scene::SecondAttempt(Endpoint::CreateReview)),
    (Endpoint::Git, Scene::Opening),
    (Endpoint::CompareDiff, Scene::WithoutFetch),
    (Endpoint::Content, Scene::WithoutFetch),
    (Endpoint::Files, Scene::WithoutDiff),
    (Endpoint::Statuses, Scene::RequiredStatus),
    (Endpoint::Permission, Scene::Command),
    (Endpoint::ReactToComment, Scene::Command),
    (Endpoint::Comments, Scene::Command),
    (Endpoint::Deliveries, Scene::MissedCommand),
    (Endpoint::Redeliver, Scene::MissedCommand),
    (Endpoint::Pulls, Scene::MissedHead),
];

impl Scene {
    /// What the operator sets for it.
    fn config(self) -> String {
        match self {
            Self::RequiredStatus => format!("{SOON}[review]\nrequired_checks = [\"ci/lint\"]\n"),
            Self::Opening
            | Self::Pushing
            | Self::SecondAttempt(_)
            | Self::WithoutFetch
            | Self::WithoutDiff
            | Self::Command
            | Self::MissedCommand
            | Self::MissedHead => SOON.to_owned(),
        }
    }

    /// How the table calls it, where the call alone does not say.
    fn words(self) -> &'static str {
        match self {
            Self::Opening | Self::Pushing | Self::SecondAttempt(_) => "",
            Self::RequiredStatus => ", a status required",
            Self::WithoutFetch => ", nothing fetched",
            Self::WithoutDiff => ", nothing fetched and the diff too large",
            Self::Command => ", of a command",
            Self::MissedCommand | Self::MissedHead => ", of upkeep",
        }
    }
}

/// The faults of a call. Git's own patience is minutes, which nobody waits for here.
fn faults(call: Endpoint) -> impl Iterator<Item = (&'static str, Fault)> {
    let is_silent = |fault: Fault| matches!(fault, Fault::SilentBeforeEffect | Fault::SilentAfterEffect);
    FAULTS.into_iter().filter(move |(_, fault)| call != Endpoint::Git || !is_silent(*fault))
}

/// How one call takes all faults, one after the other: the cells of its row.
async fn row(call: Endpoint, scene: Scene) -> Vec<String> {
    let fake = fake();
    let home = Home::new(&fake, &scene.config()).with("RECUSE_CALL_TIMEOUT_MS", "1500");
    let mut server = home.serve(&["--offline"]);
    fake.deliver_to(&server.webhook);
    settled_in(&fake, &server);
    if matches!(scene, Scene::WithoutFetch | Scene::WithoutDiff) {
        fake.fail(Endpoint::Git, Times::Always, Fault::Status(500));
    }
    if scene == Scene::WithoutDiff {
        fake.fail(Endpoint::CompareDiff, Times::Always, Fault::TooLarge);
    }
    // One that was reviewed before anything goes wrong.
    let known = matches!(scene, Scene::Command | Scene::MissedCommand | Scene::MissedHead)
        .then(|| opened(&fake, "known", &[("shop/known.py", RISKY.1)]));
    settled(&fake, &server).await;
    let mut cells = Vec::new();
    for (name, fault) in faults(call) {
        if call == Endpoint::App {
            // The app's own name is asked for once a process.
            server = again(&fake, &home, server);
            settled_in(&fake, &server);
        }
        let branch = name.replace([' ', ','], "-");
        // The same files in the same second would be the same commit.
        let path = format!("shop/{branch}.py");
        let open = || opened(&fake, &branch, &[(&path, RISKY.1)]);
        let mut cell = "once";
        let wrongs = match scene {
            Scene::Opening | Scene::SecondAttempt(_) | Scene::WithoutFetch | Scene::WithoutDiff => {
                if let Scene::SecondAttempt(first) = scene {
                    fake.fail(first, Times::Once, Fault::ClosedAfterEffect);
                }
                fake.fail(call, Times::Once, fault);
                let number = open();
                settled(&fake, &server).await;
                let wrongs = [wrongs(&fake, number, Lines(1)), wrong_check_runs(&fake)].concat();
                let no_lines = wrongs.len() == 1 && fake.review_comments(1, number).is_empty();
                // GitHub says that it does not take these lines, and the comment has them all.
                if no_lines && call == Endpoint::CreateReview && fault == Fault::Status(422) {
                    cell = "once, in the comment only";
                    Vec::new()
                } else {
                    wrongs
                }
            }
            Scene::Pushing => {
                let number = open();
                settled(&fake, &server).await;
                fake.fail(call, Times::Once, fault);
                fake.push(1, number, &[(&path.replace(".py", "-more.py"), HARMLESS.1)]);
                settled(&fake, &server).await;
                [wrongs(&fake, number, Lines(1)), wrong_check_runs(&fake)].concat()
            }
            Scene::RequiredStatus => {
                let head = fake.commit(1, &branch, "Search", &[(&path, RISKY.1)]);
                fake.add_status(1, &head, "ci/lint", "success");
                fake.fail(call, Times::Once, fault);
                let number = opened(&fake, &branch, &[]);
                settled(&fake, &server).await;
                [wrongs(&fake, number, Lines(1)), wrong_check_runs(&fake)].concat()
            }
            Scene::Command => {
                let known = known.expect("it was opened");
                fake.fail(call, Times::Once, fault);
                let id = fake.comment(1, known, "ada", "/recuse help");
                settled(&fake, &server).await;
                // It may be gone, which nobody can be told.
                let eyes = if call == Endpoint::ReactToComment && fault == Fault::Status(404) {
                    cell = "once, without eyes";
                    0
                } else {
                    1
                };
                wrong_answers(&fake, known, id, eyes)
            }
            Scene::MissedCommand | Scene::MissedHead => {
                let known = known.expect("it was opened");
                server.kill();
                let missed = if scene == Scene::MissedCommand {
                    fake.comment(1, known, "ada", "/recuse help")
                } else {
                    fake.set_sending(Sending::Held);
                    let number = open();
                    fake.set_sending(Sending::AtOnce);
                    number
                };
                fake.deliveries_settled().await;
                fake.fail(call, Times::Once, fault);
                server = started(&fake, &home);
                server.until("upkeep was done", || fake.count(call) > 0 && server.is_idle());
                settled(&fake, &server).await;
                let wrongs = || {
                    if scene == Scene::MissedHead {
                        wrongs(&fake, missed, Lines(1))
                    } else {
                        wrong_answers(&fake, known, missed, 1)
                    }
                };
                if !wrongs().is_empty() {
                    cell = "once, by the next upkeep";
                    server = again(&fake, &home, server);
                    server.until("upkeep was done", || fake.count(call) > 0 && server.is_idle());
                    settled(&fake, &server).await;
                }
                wrongs()
            }
        };
        assert!(wrongs.is_empty(), "{call:?}, {name}: {wrongs:#?}\n{}", server.said());
        cells.push(cell.to_owned());
    }
    fake.finish();
    cells
}

/// The cells of a row in words: how it ends after most faults, and after which ones otherwise.
fn summed_up(cells: &[(&str, String)]) -> String {
    let mut by_end: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (fault, end) in cells {
        by_end.entry(end).or_default().push(fault);
    }
    let mut ends: Vec<_> = by_end.into_iter().collect();
    ends.sort_by_key(|(_, faults)| std::cmp::Reverse(faults.len()));
    let mut words = Vec::new();
    for (place, (end, faults)) in ends.into_iter().enumerate() {
        words.push(if place == 0 { end.to_owned() } else { format!("after {}: {end}", faults.join(" / ")) });
    }
    words.join("; ")
}

/// What is wrong with the answer to a command.
fn wrong_answers(fake: &FakeGitHub, number: u64, id: u64, eyes: usize) -> Vec<String> {
    let mark = format!("recuse answer-{id} ");
    let answers = ours(fake, number).iter().filter(|comment| comment.body.contains(&mark)).count();
    let comments = fake.comments(1, number);
    let seen = comments.iter().find(|comment| comment.id == id).map_or(0, |comment| comment.reactions.len());
    if (answers, seen) == (1, eyes) {
        return Vec::new();
    }
    vec![format!("the command {id} has {answers} answers and {seen} reactions")]
}

/// A server that is started once more.
fn again(fake: &FakeGitHub, home: &Home, server: Server) -> Server {
    server.kill();
    started(fake, home)
}

fn started(fake: &FakeGitHub, home: &Home) -> Server {
    fake.forget_calls();
    let server = home.serve(&["--offline"]);
    fake.deliver_to(&server.webhook);
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_once_everything_is_told_once() {
    let room = std::sync::Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
    let row_in_turn = |(call, scene)| {
        let room = room.clone();
        tokio::spawn(async move {
            let _room = room.acquire_owned().await;
            row(call, scene).await
        })
    };
    let rows: Vec<_> = CALLS.map(row_in_turn).into_iter().collect();
    let names: Vec<_> = FAULTS.iter().map(|(name, _)| *name).collect();
    let mut table =
        format!("The {} faults: {}.\n\n| call | in the end |\n|---|---|\n", names.len(), names.join("; "));
    for ((call, scene), cells) in CALLS.into_iter().zip(rows) {
        let cells = cells.await.unwrap_or_else(|error| panic!("{call:?}: {error}"));
        let ends = summed_up(&faults(call).map(|(name, _)| name).zip(cells).collect::<Vec<_>>());
        table.push_str(&format!("| {call:?}{} | {ends} |\n", scene.words()));
    }
    crate::support::generated::check("docs/reliability.md", "faults", &table);
}

/// The two that name no time are left alone for the minute that GitHub's documentation asks for.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_names_no_time_is_waited_for_and_costs_no_attempt() {
    for status in [403, 429] {
        let fake = fake();
        let (_home, server) = served(&fake, "", &["--offline"]);
        settled_in(&fake, &server);
        let call = Endpoint::CreateComment;
        fake.fail(call, Times::Once, Fault::SecondaryLimit { status, retry_after: None });
        let number = opened(&fake, "topic", &[RISKY]);
        server.until("the limit was met", || fake.count(call) > 0);
        server.until("the job waits", || server.get("/metrics").contains("outcome=\"later\""));
        assert_eq!(ours(&fake, number).len(), 0);
        // A push is reviewed at once; what waited is ended.
        fake.push(1, number, &[HARMLESS]);
        settled(&fake, &server).await;
        let wrongs = [wrongs(&fake, number, Lines(1)), wrong_check_runs(&fake)].concat();
        assert!(wrongs.is_empty(), "{wrongs:#?}");
        fake.finish();
    }
}
