//! What a pull request is told: the check, the one comment, the lines.

use serde_json::json;

use super::*;
use crate::support::fake_github::Call;
use crate::support::fake_models::{Behaviour, FakeModels};

#[test]
fn a_pull_request_gets_its_packet_once() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let number = opened(&fake, "topic", &[RISKY]);
    let run = ended(&fake, &server, number);
    assert_eq!(run.conclusion.as_deref(), Some("success"), "the gate is opt-in: {}", run.output);
    assert_eq!(run.name, "recuse");
    assert!(run.output["title"].as_str().is_some_and(|title| title.contains("rules only")), "{}", run.output);
    assert_eq!(run.annotations.len(), 1, "{:?}", run.annotations);
    let comments = fake.comments(1, number);
    assert_eq!(comments.len(), 1);
    assert!(comments[0].body.contains("security/injection"), "{}", comments[0].body);
    assert_eq!(comments[0].body.matches("<!--").count(), 1);
    let why_green = "These findings hold up nothing: no gate is set (`fail_on`).";
    assert!(comments[0].body.contains(why_green), "{}", comments[0].body);
    server.until("the operator reads of it", || server.said().contains(&format!("acme/shop#{number}")));
    assert_eq!(fake.review_comments(1, number).len(), 1);
    fake.finish();
}

#[test]
fn a_small_change_takes_ten_calls() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let first = opened(&fake, "first", &[RISKY]);
    ended(&fake, &server, first);
    fake.forget_calls();
    let second = opened(&fake, "second", &[("shop/find.py", RISKY.1)]);
    ended(&fake, &server, second);
    let calls = fake.calls();
    let of_git = |call: &&Call| call.endpoint == Some(Endpoint::Git);
    assert!(calls.iter().any(|call| of_git(&call)), "whole files come by git");
    let api: Vec<_> =
        calls.iter().filter(|call| !of_git(call)).map(|call| (&call.method, &call.path)).collect();
    // Two tokens, the pull request twice, its base branch, one comparison; the check run twice, the comment, the lines.
    assert_eq!(api.len(), 10, "{api:#?}");
    fake.finish();
}

#[test]
fn a_push_is_reviewed_in_the_same_comment_and_a_claim_is_told_at_its_line_once() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    let number = opened(&fake, "topic", &[RISKY]);
    ended(&fake, &server, number);
    fake.push(1, number, &[("shop/other.py", "def other():\n    return 1\n")]);
    ended(&fake, &server, number);
    let comments = fake.comments(1, number);
    assert_eq!(comments.len(), 1);
    server.until("the comment tells of the earlier head", || {
        fake.comments(1, number)[0].body.contains("Earlier reviews of this pull request")
    });
    assert_eq!(fake.review_comments(1, number).len(), 1);
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_asked_and_the_authors_family_is_recused() {
    let fake = fake();
    let models = FakeModels::start().await;
    let answer = json!({ "examined": ["all that was shown"], "findings": [], "questions": [] });
    models.always("oak", Behaviour::Answer(answer));
    let url = models.base_url();
    let model = |name: &str, family: &str| {
        format!("[[model]]\nname = \"local/{name}\"\nbase_url = \"{url}\"\nfamilies = [\"{family}\"]\n")
    };
    let config =
        format!("[review]\nreviewers_per_lens = 1\n{}{}", model("oak", "qwen"), model("elm", "anthropic"));
    let (_home, server) = served(&fake, &config, &[]);
    let number = fake.open_pull(
        1,
        &OpenPull {
            branch: "claude/topic",
            body: "Generated with [Claude Code](https://claude.com/claude-code)",
            files: &[("shop/total.py", "def total(items):\n    return sum(items)\n")],
            ..OpenPull::default()
        },
    );
    let run = ended(&fake, &server, number);
    assert_eq!(run.conclusion.as_deref(), Some("success"), "{}", run.output);
    let body = &fake.comments(1, number)[0].body;
    assert!(body.contains("local/elm") && body.contains("anthropic"), "{body}");
    assert!(models.requests().iter().all(|asked| asked.model == "oak"));
    models.finish();
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_author_is_an_account_and_no_address_in_a_commit() {
    use crate::support::fake_github::Committer;
    let fake = fake();
    let models = FakeModels::start().await;
    let answer = json!({ "examined": ["all that was shown"], "findings": [], "questions": [] });
    models.always("oak", Behaviour::Answer(answer));
    let config = format!(
        "[review]\nreviewers_per_lens = 1\nlenses = [\"correctness\"]\nmax_usd_per_author_day = 0.006\n[[model]]\n\
         name = \"local/oak\"\nbase_url = \"{}\"\nfamilies = [\"qwen\"]\nmax_output_tokens = 500\ninput_usd = 1.0\n\
         output_usd = 1.0\n",
        models.base_url()
    );
    let (_home, server) = served(&fake, &config, &[]);
    let open = |author: &str, branch: &str, email: &str| {
        let (path, text) = (format!("shop/{branch}.py"), HARMLESS.1);
        let files = [(path.as_str(), text)];
        let committer = Committer { name: author, email };
        let pull = OpenPull { author, branch, committer, files: &files, ..OpenPull::default() };
        let number = fake.open_pull(1, &pull);
        ended(&fake, &server, number).conclusion.unwrap_or_default()
    };
    assert_eq!(open("ada", "one", "ada@example.org"), "success");
    // Another address is no other purse; another account is.
    assert_eq!(open("ada", "two", "nobody@example.org"), "action_required");
    assert_eq!(open("kim", "three", "ada@example.org"), "success");
    let metrics = server.get("/metrics");
    for line in [
        "recuse_reviews_total{verdict=\"clean\"} 2\n",
        "recuse_reviews_total{verdict=\"inconclusive\"} 1\n",
        "recuse_review_seconds_count 3\n",
        "recuse_spent_today_usd 0.00",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    assert!(!metrics.contains("recuse_spent_today_usd 0\n"), "{metrics}");
    models.finish();
    fake.finish();
}
