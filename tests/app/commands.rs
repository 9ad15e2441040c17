//! Commands in comments: who may ask, what is answered, and what is not a command.

use super::told::{Lines, wrong_check_runs, wrongs};
use super::*;

/// A pull request that was reviewed.
async fn reviewed() -> (FakeGitHub, Home, Server, u64) {
    let fake = fake();
    let (home, server) = served(&fake, "", &["--offline"]);
    let number = opened(&fake, "topic", &[RISKY]);
    settled(&fake, &server).await;
    (fake, home, server, number)
}

/// What was answered to a comment, and whether it got its eyes.
async fn asked(
    fake: &FakeGitHub,
    server: &Server,
    number: u64,
    login: &str,
    body: &str,
) -> (Vec<String>, bool) {
    let before = ours(fake, number).len();
    let id = fake.comment(1, number, login, body);
    settled(fake, server).await;
    let answers = ours(fake, number).into_iter().skip(before).map(|comment| comment.body).collect();
    let comments = fake.comments(1, number);
    let comment = comments.iter().find(|comment| comment.id == id).expect("it was written just now");
    (answers, !comment.reactions.is_empty())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_command_is_seen_and_answered_once() {
    let (fake, _home, server, number) = reviewed().await;
    for (body, words) in [
        ("/recuse why", "Who wrote it"),
        ("/recuse help", "/recuse review"),
        ("Thanks.\n\n/recuse", "/recuse review"),
        ("/recuse stop", "No review of this pull request is running"),
        ("/recuse approve @everyone", "/recuse review"),
    ] {
        let (answers, is_seen) = asked(&fake, &server, number, "ada", body).await;
        assert_eq!((answers.len(), is_seen), (1, true), "{body}");
        assert!(answers[0].contains(words), "{body}: {}", answers[0]);
        // Nobody is called by what somebody else wrote.
        assert!(!answers[0].replace("`approve @everyone`", "").contains("@everyone"), "{}", answers[0]);
    }
    assert_eq!(wrongs(&fake, number, Lines(1)), Vec::<String>::new());
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_ask_is_not_answered() {
    let (fake, _home, server, number) = reviewed().await;
    let runs = fake.all_check_runs(1).len();
    for (login, body) in [
        ("mallory", "/recuse review"),
        ("mallory", "/recuse stop"),
        ("mallory", "/recuse help"),
        ("stranger", "/recuse nonsense"),
        ("ada", "> /recuse review"),
        ("ada", "```\n/recuse review\n```"),
        ("ada", "please /recuse review"),
        ("ada", "<!-- /recuse review -->"),
        ("renovate[bot]", "/recuse review"),
    ] {
        if login.ends_with("[bot]") {
            fake.add_bot(login);
            fake.set_access(1, login, "write");
        }
        let (answers, is_seen) = asked(&fake, &server, number, login, body).await;
        assert_eq!((answers, is_seen), (Vec::new(), false), "{login}: {body}");
    }
    // An edited comment was somebody's word already; only new ones are commands.
    let id = fake.comment(1, number, "ada", "Nice.");
    fake.edit_comment(1, id, "/recuse review");
    settled(&fake, &server).await;
    assert_eq!(fake.all_check_runs(1).len(), runs);
    assert_eq!(ours(&fake, number).len(), 1);
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_write_has_a_head_reviewed_again() {
    let (fake, _home, server, number) = reviewed().await;
    let head = fake.head(1, number);
    let (answers, is_seen) = asked(&fake, &server, number, "ada", "/recuse review").await;
    // The answer is the review itself.
    assert_eq!((answers, is_seen), (Vec::new(), true));
    assert_eq!(fake.check_runs(1, &head).len(), 2);
    let run = newest_run(&fake, &head).expect("there is one");
    assert_eq!(run.conclusion.as_deref(), Some("success"), "{}", run.output);
    assert_eq!((ours(&fake, number).len(), fake.review_comments(1, number).len()), (1, 1));
    fake.finish();
}

/// How our newest check run of a commit ended.
fn conclusion(fake: &FakeGitHub, head: &str) -> Option<String> {
    newest_run(fake, head)?.conclusion
}

/// The gate is shut by what the rules find.
const SHUT: &str = "[review]\nfail_on = \"low\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn some_lenses_are_an_answer_and_never_the_review_of_the_head() {
    let fake = fake();
    let (_home, server) = served(&fake, SHUT, &["--offline"]);
    let number = opened(&fake, "topic", &[RISKY]);
    settled(&fake, &server).await;
    let head = fake.head(1, number);
    let told = |fake: &FakeGitHub| (ours(fake, number)[0].body.clone(), fake.check_runs(1, &head));
    let before = told(&fake);
    assert_eq!(before.1[0].conclusion.as_deref(), Some("failure"), "{:?}", before.1);
    let (answers, is_seen) = asked(&fake, &server, number, "ada", "/recuse review prompt-health").await;
    assert_eq!((answers.len(), is_seen), (1, true));
    let only = "Only these lenses were looked through";
    assert!(answers[0].contains(only) && answers[0].contains("prompt-health"), "{}", answers[0]);
    // Neither the comment nor the check run is another one, or says anything else.
    let after = told(&fake);
    assert_eq!((after.0, format!("{:?}", after.1)), (before.0, format!("{:?}", before.1)));
    // What was told at its line is not told there again, and what they find for the first time is.
    asked(&fake, &server, number, "ada", "/recuse review security").await;
    assert_eq!((ours(&fake, number).len(), fake.review_comments(1, number).len()), (3, 1));
    // Nobody takes it for the head's review: not a merge queue, not the next review, not who asks why.
    let group = fake.enqueue(1, number);
    settled(&fake, &server).await;
    assert_eq!(conclusion(&fake, &group).as_deref(), Some("failure"));
    let (why, _) = asked(&fake, &server, number, "ada", "/recuse why").await;
    let (_, digest) = why[0].split_once("From the packet `").expect("it names its packet");
    assert!(ours(&fake, number)[0].body.contains(&digest[..64]), "{}", why[0]);
    fake.push(1, number, &[HARMLESS]);
    settled(&fake, &server).await;
    let body = &ours(&fake, number)[0].body;
    assert_eq!(body.matches(&format!("`{}`: findings", &head[..12])).count(), 1, "{body}");
    assert!(fake.check_runs(1, &head).len() == 1 && wrong_check_runs(&fake).is_empty());
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn some_lenses_on_a_head_that_nobody_reviewed_are_no_review_of_it() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let draft = OpenPull { is_draft: true, files: &[RISKY], ..OpenPull::default() };
    let number = fake.open_pull(1, &draft);
    settled(&fake, &server).await;
    let (answers, _) = asked(&fake, &server, number, "ada", "/recuse review security").await;
    assert_eq!((answers.len(), fake.review_comments(1, number).len()), (1, 1));
    assert_eq!(conclusion(&fake, &fake.head(1, number)).as_deref(), Some("neutral"));
    let group = fake.enqueue(1, number);
    settled(&fake, &server).await;
    assert_eq!(conclusion(&fake, &group).as_deref(), Some("action_required"));
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn lenses_that_did_not_look_to_the_end_say_so_in_their_answer() {
    use crate::support::fake_github::{At, Fault, Times, When};
    // What happens meanwhile, and a word of the answer.
    type Meanwhile = fn(&FakeGitHub, u64);
    let table: [(Meanwhile, &str); 3] = [
        (|fake, number| _ = fake.comment(1, number, "ada", "/recuse stop"), "said stop"),
        (|fake, number| _ = fake.close(1, number), "the pull request was closed"),
        (|fake, number| _ = fake.push(1, number, &[HARMLESS]), "newer head"),
    ];
    for (meanwhile, words) in table {
        let (fake, _home, server, number) = reviewed().await;
        let mut pause = fake.pause(At::Next(Endpoint::Compare), When::BeforeEffect);
        let id = fake.comment(1, number, "ada", "/recuse review security");
        pause.reached().await;
        meanwhile(&fake, number);
        fake.deliveries_settled().await;
        if words == "newer head" {
            pause.resume();
        }
        let answer = || {
            let mark = format!("recuse answer-{id} ");
            ours(&fake, number).into_iter().find(|comment| comment.body.contains(&mark))
        };
        server.until("it was answered", || answer().is_some());
        let answer = answer().expect("it was there just now").body;
        assert!(answer.contains("did not look at this change to the end"), "{answer}");
        assert!(answer.contains(words), "{answer}");
        settled(&fake, &server).await;
        fake.finish();
    }
    // And where it never comes to its end.
    let (fake, _home, server, number) = reviewed().await;
    fake.fail(Endpoint::Compare, Times::Always, Fault::Status(500));
    let (answers, _) = asked(&fake, &server, number, "ada", "/recuse review security").await;
    assert_eq!(answers.len(), 1);
    assert!(answers[0].contains("tried as often as it may be"), "{}", answers[0]);
    fake.heal();
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_at_a_line_is_seen_there_and_answered_in_the_conversation() {
    let (fake, _home, server, number) = reviewed().await;
    for (login, answers) in [("mallory", 0), ("ada", 1)] {
        let before = ours(&fake, number).len();
        let id = fake.comment_at_line(1, number, login, "/recuse why");
        settled(&fake, &server).await;
        let at_lines = fake.review_comments(1, number);
        let asked = at_lines.iter().find(|comment| comment.id == id).expect("it was written just now");
        assert_eq!(
            (ours(&fake, number).len() - before, asked.reactions.len()),
            (answers, answers),
            "{login}"
        );
        assert_eq!(at_lines.iter().filter(|comment| comment.author.ends_with("[bot]")).count(), 1, "{login}");
    }
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_stops_what_runs_and_says_so() {
    use crate::support::fake_github::{At, When};
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let pause = fake.pause(At::Next(Endpoint::Compare), When::BeforeEffect);
    let number = opened(&fake, "topic", &[RISKY]);
    server.until("the review runs", || fake.count(Endpoint::Compare) > 0);
    fake.comment(1, number, "ada", "/recuse stop");
    settled(&fake, &server).await;
    drop(pause);
    let run = newest_run(&fake, &fake.head(1, number)).expect("it was begun");
    assert_eq!(run.conclusion.as_deref(), Some("cancelled"));
    let summary = run.output["summary"].as_str().unwrap_or_default();
    assert!(summary.contains("somebody with write access said stop"), "{summary}");
    assert_eq!(ours(&fake, number).len(), 1, "the answer and nothing else");
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stops_a_review_is_heard_at_once_however_long_a_lease_is() {
    use crate::support::fake_github::{At, When};
    type Stop = fn(&FakeGitHub, u64);
    let stops: [(Stop, &str); 3] = [
        (|fake, number| _ = fake.comment(1, number, "ada", "/recuse stop"), "said stop"),
        (|fake, number| _ = fake.close(1, number), "the pull request was closed"),
        (|fake, number| _ = fake.push(1, number, &[HARMLESS]), "superseded"),
    ];
    for (stop, word) in stops {
        let fake = fake();
        let home = Home::new(&fake, "[serve]\nlease_seconds = 3600\n");
        let server = home.serve(&["--offline"]);
        fake.deliver_to(&server.webhook);
        let _pause = fake.pause(At::Next(Endpoint::Compare), When::BeforeEffect);
        let number = opened(&fake, "topic", &[RISKY]);
        let head = fake.head(1, number);
        server.until("the review runs", || fake.count(Endpoint::Compare) > 0);
        stop(&fake, number);
        let ended = || newest_run(&fake, &head).filter(|run| run.status == "completed");
        server.until(word, || ended().is_some_and(|run| run.conclusion.as_deref() == Some("cancelled")));
        settled(&fake, &server).await;
        fake.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_several_answers_that_are_stopped_together_is_given() {
    use crate::support::fake_github::{At, When};
    let (fake, _home, server, number) = reviewed().await;
    let pause = fake.pause(At::Next(Endpoint::Compare), When::BeforeEffect);
    let asked: Vec<u64> = ["security", "database", "complexity"]
        .map(|lens| fake.comment(1, number, "ada", &format!("/recuse review {lens}")))
        .into();
    server.until("all were heard, and one runs", || {
        let seen = fake.comments(1, number).iter().filter(|comment| !comment.reactions.is_empty()).count();
        seen == asked.len() && fake.count(Endpoint::Compare) > 1
    });
    let before = ours(&fake, number).len();
    fake.comment(1, number, "ada", "/recuse stop");
    settled(&fake, &server).await;
    drop(pause);
    assert_eq!((before, ours(&fake, number).len()), (1, 1 + asked.len() + 1));
    for id in asked {
        let mark = format!("recuse answer-{id} ");
        let answer = ours(&fake, number).into_iter().find(|comment| comment.body.contains(&mark));
        let answer = answer.expect("it was answered").body;
        assert!(answer.contains("said stop"), "{answer}");
    }
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_some_lenses_that_is_killed_at_a_write_is_given_once() {
    use crate::support::fake_github::{At, When};
    for call in [Endpoint::CreateComment, Endpoint::CreateReview] {
        for when in [When::BeforeEffect, When::AfterEffect] {
            let fake = fake();
            let (home, server) = served(&fake, "", &["--offline"]);
            let draft = OpenPull { is_draft: true, files: &[RISKY], ..OpenPull::default() };
            let number = fake.open_pull(1, &draft);
            settled(&fake, &server).await;
            let mut pause = fake.pause(At::Next(call), when);
            fake.comment(1, number, "ada", "/recuse review security");
            pause.reached().await;
            server.kill();
            pause.resume();
            let server = home.serve(&["--offline"]);
            fake.deliver_to(&server.webhook);
            settled(&fake, &server).await;
            let told = (ours(&fake, number).len(), fake.review_comments(1, number).len());
            assert_eq!(told, (1, 1), "{call:?} {when:?}");
            fake.finish();
        }
    }
}
