//! Commands in comments: who may ask, what is answered, and what is not a command.

use super::told::{Lines, wrongs};
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
async fn whoever_may_write_has_a_head_reviewed_again_with_the_lenses_that_they_name() {
    let (fake, _home, server, number) = reviewed().await;
    let head = fake.head(1, number);
    for (body, runs) in [("/recuse review", 2), ("/recuse review security", 3)] {
        let (answers, is_seen) = asked(&fake, &server, number, "ada", body).await;
        // The answer is the review itself.
        assert_eq!((answers, is_seen), (Vec::new(), true), "{body}");
        assert_eq!(fake.check_runs(1, &head).len(), runs, "{body}");
        let run = newest_run(&fake, &head).expect("there is one");
        assert_eq!(run.conclusion.as_deref(), Some("success"), "{body}: {}", run.output);
        assert_eq!((ours(&fake, number).len(), fake.review_comments(1, number).len()), (1, 1), "{body}");
    }
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
