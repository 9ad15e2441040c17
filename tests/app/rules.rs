//! What the operator's rules keep from being reviewed, and what of a pull request makes it be reviewed again.

use super::told::{Lines, wrong_check_runs, wrongs};
use super::*;
use crate::support::fake_github::Committer;

const RULES: &str =
    "skip_labels = [\"no-review\"]\nreview_labels = [\"review\"]\nskip_authors = [\"dependabot[bot]\"]\n";

/// The bot that keeps dependencies up to date.
const DEPENDABOT: Committer<'static> = Committer { name: "dependabot[bot]", email: "support@github.com" };

fn title(fake: &FakeGitHub, number: u64) -> (Option<String>, String) {
    let run = newest_run(fake, &fake.head(1, number)).expect("there is a check run");
    (run.conclusion, run.output["title"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_reviewed_once_it_is_ready() {
    let fake = fake();
    let (_home, server) = served(&fake, RULES, &["--offline"]);
    let number = fake.open_pull(1, &OpenPull { is_draft: true, files: &[RISKY], ..OpenPull::default() });
    settled(&fake, &server).await;
    let (conclusion, words) = title(&fake, number);
    assert_eq!(conclusion.as_deref(), Some("neutral"));
    assert_eq!(words, "drafts are reviewed once they are ready");
    assert_eq!(ours(&fake, number).len(), 0);
    fake.ready(1, number);
    settled(&fake, &server).await;
    assert_eq!([wrongs(&fake, number, Lines(1)), wrong_check_runs(&fake)].concat(), Vec::<String>::new());
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_keeps_a_change_from_being_reviewed_until_it_is_taken_off() {
    let fake = fake();
    let (_home, server) = served(&fake, RULES, &["--offline"]);
    let number = fake.open_pull(1, &OpenPull { is_draft: true, files: &[RISKY], ..OpenPull::default() });
    settled(&fake, &server).await;
    fake.label(1, number, "no-review");
    fake.ready(1, number);
    settled(&fake, &server).await;
    let (conclusion, words) = title(&fake, number);
    assert_eq!((conclusion.as_deref(), words.as_str()), (Some("neutral"), "a label says so"));
    fake.unlabel(1, number, "no-review");
    settled(&fake, &server).await;
    assert_eq!(wrongs(&fake, number, Lines(1)), Vec::<String>::new());
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dependency_bot_is_skipped_by_rule_unless_somebody_else_pushed() {
    let fake = fake();
    let (_home, server) = served(&fake, RULES, &["--offline"]);
    let bump = |branch: &str| {
        fake.open_pull(
            1,
            &OpenPull {
                author: "dependabot[bot]",
                committer: DEPENDABOT,
                branch,
                files: &[("requirements.txt", "left-pad==1.3.0\n")],
                ..OpenPull::default()
            },
        )
    };
    let theirs = bump("bump");
    settled(&fake, &server).await;
    let (conclusion, words) = title(&fake, theirs);
    assert_eq!(
        (conclusion.as_deref(), words.as_str()),
        (Some("neutral"), "changes of this author are not reviewed")
    );
    assert_eq!(ours(&fake, theirs).len(), 0);
    fake.push(1, theirs, &[RISKY]);
    settled(&fake, &server).await;
    assert_eq!(wrongs(&fake, theirs, Lines(1)), Vec::<String>::new());
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_asks_for_a_review() {
    let fake = fake();
    let (_home, server) = served(&fake, RULES, &["--offline"]);
    let number = opened(&fake, "topic", &[RISKY]);
    settled(&fake, &server).await;
    let head = fake.head(1, number);
    fake.label(1, number, "unrelated");
    settled(&fake, &server).await;
    assert_eq!(fake.check_runs(1, &head).len(), 1);
    fake.label(1, number, "review");
    settled(&fake, &server).await;
    assert_eq!(fake.check_runs(1, &head).len(), 2);
    assert_eq!((ours(&fake, number).len(), fake.review_comments(1, number).len()), (1, 1));
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_pull_request_is_never_clean() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    fake.commit_as(1, "empty", crate::support::fake_github::ADA, "Nothing", &[]);
    let number = fake.open_pull(1, &OpenPull { branch: "empty", files: &[], ..OpenPull::default() });
    settled(&fake, &server).await;
    let (conclusion, words) = title(&fake, number);
    assert_ne!(conclusion.as_deref(), Some("success"), "{words}");
    assert_eq!(wrong_check_runs(&fake), Vec::<String>::new());
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn three_thousand_files_are_told_once() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let files: Vec<(String, String)> = (0..2_999)
        .map(|number| {
            (format!("shop/goods/{number}.py"), format!("def good_{number}():\n    return {number}\n"))
        })
        .collect();
    let mut files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    files.push(RISKY);
    let number = opened(&fake, "topic", &files);
    settled(&fake, &server).await;
    assert_eq!([wrongs(&fake, number, Lines(1)), wrong_check_runs(&fake)].concat(), Vec::<String>::new());
    let body = &ours(&fake, number)[0].body;
    assert!(body.contains("| security | rules | 3,000 | 3,000 | 0 | 0 | yes |"), "{body}");
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_s_pull_request_is_reviewed_like_any_other() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    fake.add_repository(2, "mallory", "shop");
    let number = fake
        .open_pull(1, &OpenPull { author: "mallory", fork: Some(2), files: &[RISKY], ..OpenPull::default() });
    settled(&fake, &server).await;
    assert_eq!(wrongs(&fake, number, Lines(1)), Vec::<String>::new());
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_findings_are_sixty_annotations_and_five_lines() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let files: Vec<(String, &str)> =
        (0..60).map(|number| (format!("shop/search{number}.py"), RISKY.1)).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let number = opened(&fake, "topic", &files);
    settled(&fake, &server).await;
    assert_eq!([wrongs(&fake, number, Lines(5)), wrong_check_runs(&fake)].concat(), Vec::<String>::new());
    let run = newest_run(&fake, &fake.head(1, number)).expect("there is one");
    assert_eq!(run.annotations.len(), 60);
    // Nobody reads half of them as all.
    let states: Vec<&str> = run.history.iter().map(|(status, _)| status.as_str()).collect();
    assert_eq!(states, ["in_progress", "in_progress", "completed"]);
    fake.finish();
}
