//! Base branches that move: what they say is in force as they say it now, whatever commit a pull request has for its base.

use serde_json::json;

use super::told::wrong_check_runs;
use super::*;
use crate::support::fake_models::{Behaviour, FakeModels};

/// A base's configuration that holds up whatever is found.
const STRICT: (&str, &str) = (".recuse.toml", "[review]\nfail_on = \"low\"\n");

fn conclusion(fake: &FakeGitHub, number: u64) -> Option<String> {
    newest_run(fake, &fake.head(1, number))?.conclusion
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_configuration_is_in_force_at_once_and_pays_for_nothing_again() {
    let fake = fake();
    let models = FakeModels::start().await;
    models.always("oak", Behaviour::Answer(json!({ "examined": ["all"], "findings": [], "questions": [] })));
    let config = format!(
        "[review]\nreviewers_per_lens = 1\n[[model]]\nname = \"local/oak\"\nbase_url = \"{}\"\nfamilies = [\"qwen\"]\n",
        models.base_url()
    );
    let (_home, server) = served(&fake, &config, &[]);
    let number = opened(&fake, "topic", &[RISKY]);
    let harmless = opened(&fake, "harmless", &[HARMLESS]);
    let closed = opened(&fake, "closed", &[("shop/closed.py", RISKY.1)]);
    settled(&fake, &server).await;
    fake.close(1, closed);
    settled(&fake, &server).await;
    assert_eq!(conclusion(&fake, number).as_deref(), Some("success"), "no gate was chosen");
    let (asked, of_closed) = (models.requests().len(), fake.check_runs(1, &fake.head(1, closed)).len());
    let comments = ours(&fake, number).len();

    // What is pushed to another branch, and what does not touch it, changes nothing.
    fake.forget_calls();
    fake.push_branch(1, "main", &[("README.md", "A shop.\n")]);
    fake.push_branch(1, "release", &[STRICT]);
    settled(&fake, &server).await;
    assert_eq!(conclusion(&fake, number).as_deref(), Some("success"));
    assert_eq!(fake.count(Endpoint::Pull), 0);

    fake.push_branch(1, "main", &[STRICT]);
    server.until("it is held up", || conclusion(&fake, number).as_deref() == Some("failure"));
    settled(&fake, &server).await;
    assert_eq!(conclusion(&fake, harmless).as_deref(), Some("success"));
    assert_eq!(models.requests().len(), asked, "the replies were paid for already");
    assert_eq!(ours(&fake, number).len(), comments);
    assert_eq!(fake.check_runs(1, &fake.head(1, closed)).len(), of_closed);

    // With it the conventions changed, by which other questions would be asked: what was decided stays.
    let conventions = ("AGENTS.md", "Prices are never negative.\n");
    fake.push_branch(1, "main", &[(".recuse.toml", "[review]\nfail_on = \"critical\"\n"), conventions]);
    settled(&fake, &server).await;
    assert_eq!(conclusion(&fake, number).as_deref(), Some("failure"));
    assert_eq!(models.requests().len(), asked, "nobody is asked because a file was pushed");
    assert_eq!((fake.review_comments(1, number).len(), wrong_check_runs(&fake)), (1, Vec::new()));
    models.finish();
    fake.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_base_is_the_branch_as_it_is_and_not_the_commit_that_the_pull_request_was_opened_on() {
    let fake = fake();
    let (_home, server) = served(&fake, "", &["--offline"]);
    // Nobody hears of the push, and GitHub goes on to show the commit before it.
    let number = fake.open_pull(1, &OpenPull { is_draft: true, files: &[RISKY], ..OpenPull::default() });
    settled(&fake, &server).await;
    fake.commit(1, "main", "Hold up what is risky", &[STRICT]);
    fake.ready(1, number);
    settled(&fake, &server).await;
    assert_eq!(conclusion(&fake, number).as_deref(), Some("failure"));
    fake.finish();
}
