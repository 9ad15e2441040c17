//! The fault matrix: each call that a review makes goes wrong once in each way, and in the end everything was told once.
//! The table of `docs/reliability.md` is what is found here.

use super::told::{Lines, wrong_check_runs, wrongs};
use super::*;
use crate::support::fake_github::{Elsewhere, Fault, Times};

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

/// The calls of a review, those that only a second attempt makes, and those of a second head.
const CALLS: [Endpoint; 12] = [
    Endpoint::App,
    Endpoint::MintToken,
    Endpoint::Pull,
    Endpoint::Compare,
    Endpoint::CreateCheckRun,
    Endpoint::UpdateCheckRun,
    Endpoint::Comments,
    Endpoint::CreateComment,
    Endpoint::CreateReview,
    Endpoint::UpdateComment,
    Endpoint::CheckRuns,
    Endpoint::Reviews,
];

/// What is broken first, so that a call is made at all.
fn provoked_by(call: Endpoint) -> Option<Endpoint> {
    match call {
        Endpoint::CheckRuns => Some(Endpoint::UpdateCheckRun),
        Endpoint::Reviews => Some(Endpoint::CreateReview),
        Endpoint::Comments => Some(Endpoint::CreateComment),
        _ => None,
    }
}

/// How one call takes all faults, one after the other: the cells of its row.
async fn row(call: Endpoint) -> Vec<String> {
    let fake = fake();
    let home = Home::new(&fake, SOON).with("RECUSE_CALL_TIMEOUT_MS", "1500");
    let mut server = home.serve(&["--offline"]);
    fake.deliver_to(&server.webhook);
    settled_in(&fake, &server);
    let mut cells = Vec::new();
    for (name, fault) in FAULTS {
        if call == Endpoint::App {
            // The app's own name is asked for once a process.
            server.kill();
            fake.forget_calls();
            server = home.serve(&["--offline"]);
            fake.deliver_to(&server.webhook);
            settled_in(&fake, &server);
        }
        let branch = name.replace([' ', ','], "-");
        // The same files in the same second would be the same commit.
        let path = format!("shop/{branch}.py");
        let open = || opened(&fake, &branch, &[(&path, RISKY.1)]);
        let number = if call == Endpoint::UpdateComment {
            let number = open();
            settled(&fake, &server).await;
            fake.fail(call, Times::Once, fault);
            fake.push(1, number, &[(&path.replace(".py", "-more.py"), HARMLESS.1)]);
            number
        } else {
            if let Some(first) = provoked_by(call) {
                fake.fail(first, Times::Once, Fault::ClosedAfterEffect);
            }
            fake.fail(call, Times::Once, fault);
            open()
        };
        settled(&fake, &server).await;
        let wrongs = [wrongs(&fake, number, Lines(1)), wrong_check_runs(&fake)].concat();
        let no_lines = wrongs.len() == 1 && fake.review_comments(1, number).is_empty();
        cells.push(match wrongs.as_slice() {
            [] => "once".to_owned(),
            // GitHub says that it does not take these lines, and the comment has them all.
            _ if no_lines && call == Endpoint::CreateReview && fault == Fault::Status(422) => {
                "once, in the comment only".to_owned()
            }
            wrongs => panic!("{call:?}, {name}: {wrongs:#?}\n{}", server.said()),
        });
    }
    fake.finish();
    cells
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_once_everything_is_told_once() {
    let rows: Vec<_> = CALLS.map(|call| tokio::spawn(row(call))).into_iter().collect();
    let mut table = String::from("| call | fault | in the end |\n|---|---|---|\n");
    for (call, cells) in CALLS.into_iter().zip(rows) {
        let cells = cells.await.unwrap_or_else(|error| panic!("{call:?}: {error}"));
        for ((name, _), cell) in FAULTS.iter().zip(cells) {
            table.push_str(&format!("| {call:?} | {name} | {cell} |\n"));
        }
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
