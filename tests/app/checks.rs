//! What other apps say of a head: a required check is met by who is named for it, and a review is decided again when it ends.

use serde_json::json;

use super::*;
use crate::support::fake_models::{Behaviour, FakeModels};

/// Another app.
const CI: u64 = 15_368;

/// A pull request whose head is there before it is opened.
fn head_of(fake: &FakeGitHub) -> String {
    fake.commit(1, "topic", "Sell pears", &[HARMLESS])
}

fn open(fake: &FakeGitHub) -> u64 {
    fake.open_pull(1, &OpenPull { files: &[], ..OpenPull::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_that_waits_for_a_check_is_decided_again_and_not_paid_again() {
    let fake = fake();
    let models = FakeModels::start().await;
    models.always("oak", Behaviour::Answer(json!({ "examined": ["all"], "findings": [], "questions": [] })));
    let config = format!(
        "[review]\nlenses = [\"correctness\"]\nrequired_checks = [{{ name = \"tests\", app = \"app-{CI}\" }}]\nreviewers_per_lens = 1\n\
         [[model]]\nname = \"local/oak\"\nbase_url = \"{}\"\nfamilies = [\"qwen\"]\n",
        models.base_url()
    );
    let (_home, server) = served(&fake, &config, &[]);
    let head = head_of(&fake);
    let run = fake.add_check_run(1, &head, "tests", CI, "");
    let number = open(&fake);
    let first = ended(&fake, &server, number);
    assert_eq!(first.conclusion.as_deref(), Some("failure"), "{}", first.output);
    assert!(ours(&fake, number)[0].body.contains("has not ended"), "{}", ours(&fake, number)[0].body);
    let asked = models.requests().len();
    assert!(asked > 0);

    // Somebody else reports the same name.
    let another = fake.add_check_run(1, &head, "tests", CI + 1, "");
    fake.end_check(1, another, "success");
    settled(&fake, &server).await;
    assert_eq!(newest_run(&fake, &head).and_then(|run| run.conclusion).as_deref(), Some("failure"));

    fake.end_check(1, run, "success");
    server.until("the review was decided again", || {
        newest_run(&fake, &head).is_some_and(|run| run.conclusion.as_deref() == Some("success"))
    });
    settled(&fake, &server).await;
    assert_eq!(models.requests().len(), asked, "the replies were paid for already");
    let comments = ours(&fake, number);
    assert_eq!(comments.len(), 1);
    assert!(!comments[0].body.contains("has not ended"), "{}", comments[0].body);
    models.finish();
    fake.finish();
}

#[test]
fn a_check_that_fails_or_is_left_out_blocks() {
    for (conclusion, words) in [("failure", "failed"), ("skipped", "does not count"), ("timed_out", "failed")]
    {
        let fake = fake();
        let (_home, server) = served(&fake, "[review]\nrequired_checks = [\"tests\"]\n", &["--offline"]);
        let head = head_of(&fake);
        let run = fake.add_check_run(1, &head, "tests", CI, "");
        fake.end_check(1, run, conclusion);
        let number = open(&fake);
        let run = ended(&fake, &server, number);
        assert_eq!(run.conclusion.as_deref(), Some("failure"), "{conclusion}: {}", run.output);
        assert!(run.output.to_string().contains(words), "{conclusion}: {}", run.output);
        fake.finish();
    }
}

#[test]
fn a_commit_status_meets_a_check_that_no_app_is_named_for() {
    for (state, conclusion) in [("success", "success"), ("error", "failure"), ("pending", "failure")] {
        let fake = fake();
        let (_home, server) = served(&fake, "[review]\nrequired_checks = [\"ci/lint\"]\n", &["--offline"]);
        let head = head_of(&fake);
        fake.add_status(1, &head, "ci/lint", state);
        let number = open(&fake);
        let run = ended(&fake, &server, number);
        assert_eq!(run.conclusion.as_deref(), Some(conclusion), "{state}: {}", run.output);
        fake.finish();
    }
}
