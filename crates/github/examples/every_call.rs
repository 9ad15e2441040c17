//! Makes every call that this crate can make against a server, and prints what came of each.
//!
//! For a server that checks requests against GitHub's own description and answers with its examples
//! (`scripts/check-github-api`). What such a server makes up need not hang together, so that an answer may be one that
//! we refuse; that it refuses a request of ours is what is looked for, in its log.
//!
//! ```text
//! cargo run -p github --example every_call -- http://127.0.0.1:4010
//! ```

#![expect(clippy::print_stdout, reason = "it is a program for people")]

use std::time::Duration;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use github::app::{Permission, convert_manifest};
use github::change::gather;
use github::error::ApiError;
use github::event::{Account, CommentPlace, PullState};
use github::repository::{
    Annotation, AnnotationLevel, Annotations, CheckAction, CheckOutput, CheckRunUpdate, CheckState,
    Conclusion, InlineComment, NewCheckRun, Pull,
};
use github::{ApiUrl, App, Connection, Credential, ErrorKind, Limits, PlainHttp, RepositoryApi};
use review::{CommitId, Side};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).ok_or("the address of a server is missing")?;
    let base = ApiUrl::parse(&address, PlainHttp::LoopbackOnly)?;
    let limits = Limits { write_interval: Duration::ZERO, ..Limits::default() };
    let connection = Connection::new(base, limits)?;
    let key = KeyPair::generate(KeySize::Rsa2048)?;
    let pem = STANDARD.encode(key.as_der()?.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{pem}\n-----END PRIVATE KEY-----\n");
    let app = App::new(connection.clone(), 1, &pem.into())?;
    let shop = RepositoryApi::new(
        connection.clone(),
        Credential::Personal("ghs_oak".into()),
        "octocat",
        "hello-world",
    );
    let commit = |digit: &str| CommitId::new(&digit.repeat(40)).ok_or("forty digits are an id");
    let (base, head) = (commit("1")?, commit("2")?);

    let everything = [
        Permission::MetadataRead,
        Permission::ContentsRead,
        Permission::PullRequestsRead,
        Permission::PullRequestsWrite,
        Permission::IssuesWrite,
        Permission::ChecksRead,
        Permission::ChecksWrite,
        Permission::StatusesRead,
    ];
    let mut refused = 0;
    let mut tell = |name: &str, result: Result<(), ApiError>| {
        let said = match result {
            Ok(()) => "ok".to_owned(),
            // The server's examples are not about our repository, nor our commits.
            Err(ApiError { kind: ErrorKind::Unreadable { detail }, .. }) => format!("answered: {detail}"),
            Err(ApiError { kind: ErrorKind::TooLarge, call: "compare two commits", .. }) => {
                "answered: no diff".to_owned()
            }
            Err(ApiError { kind: ErrorKind::Conflict { message }, .. }) => format!("answered: {message}"),
            Err(error) => {
                refused += 1;
                format!("REFUSED: {error}")
            }
        };
        println!("{name:<28} {said}");
    };

    tell("app", app.describe().await.map(drop));
    tell("webhook", app.webhook_url().await.map(drop));
    tell("installations", app.installations().await.map(drop));
    tell("installation of", app.installation_of("octocat", "hello-world").await.map(drop));
    tell("mint", app.mint(1, 1, &everything).await.map(drop));
    tell("reached", app.reached(1).await.map(drop));
    tell("deliveries", app.deliveries(None).await.map(drop));
    tell("deliveries behind", app.deliveries(Some("v1_12077215967")).await.map(drop));
    tell("redeliver", app.redeliver(1).await);
    tell("manifest", convert_manifest(&connection, "a-code").await.map(drop));

    tell("user", shop.own_login().await.map(drop));
    tell("repository", shop.repository().await.map(drop));
    tell("open pulls", shop.open_pulls(None, None).await.map(drop));
    tell("open pulls unless", shop.open_pulls(Some("W/\"oak\""), None).await.map(drop));
    tell("pull", shop.pull(1).await.map(drop));
    tell("merge base", shop.merge_base(&base, &head).await.map(drop));
    tell("compare", shop.compare(&base, &head).await.map(drop));
    tell("diff", shop.diff(&base, &head).await.map(drop));
    tell("files", shop.files(1, &head).await.map(drop));
    tell("content", shop.content("a b?.md", &head).await.map(drop));
    tell("permission", shop.permission("octocat").await.map(drop));
    tell("branch rules", shop.branch_rules("main").await.map(drop));
    tell("statuses", shop.statuses(&head).await.map(drop));
    tell("check runs", shop.check_runs(&head, None).await.map(drop));
    tell("check runs by name", shop.check_runs(&head, Some("recuse")).await.map(drop));
    for state in [CheckState::Queued, CheckState::InProgress] {
        tell("create check run", shop.create_check_run(&new_run(&head, state)).await.map(drop));
    }
    for conclusion in [
        Conclusion::Success,
        Conclusion::Failure,
        Conclusion::ActionRequired,
        Conclusion::Cancelled,
        Conclusion::Neutral,
    ] {
        let update = CheckRunUpdate {
            state: CheckState::Completed { conclusion },
            output: Some(output()),
            actions: vec![action()],
        };
        tell("update check run", shop.update_check_run(1, &update).await);
    }
    tell("comments", shop.comments(1).await.map(drop));
    tell("create comment", shop.create_comment(1, "Hello").await.map(drop));
    tell("update comment", shop.update_comment(1, "Hello").await);
    tell("reviews", shop.reviews(1).await.map(drop));
    let at_line = |side, start_line| InlineComment {
        path: "a.rs".to_owned(),
        line: 7,
        side,
        start_line,
        body: "Look".to_owned(),
    };
    let comments = [at_line(Side::Head, Some(5)), at_line(Side::Base, None)];
    tell("create review", shop.create_review(1, &head, &comments, "Two remarks").await.map(drop));
    tell("react", shop.react_with_eyes(CommentPlace::Issue, 1).await);
    tell("react at a line", shop.react_with_eyes(CommentPlace::ReviewThread, 1).await);
    tell("change", gather(&shop, &pull(base, head)).await.map(drop));
    if refused > 0 {
        return Err(format!("{refused} calls were refused").into());
    }
    Ok(())
}

fn new_run(head: &CommitId, state: CheckState) -> NewCheckRun {
    NewCheckRun {
        name: "recuse".to_owned(),
        head: head.clone(),
        external_id: "job-1".to_owned(),
        details_url: Some("https://recuse.example/packets/1".to_owned()),
        state,
        output: Some(output()),
        actions: vec![action()],
    }
}

fn output() -> CheckOutput {
    let annotation = Annotation {
        path: "a.rs".to_owned(),
        start_line: 5,
        end_line: 7,
        level: AnnotationLevel::Warning,
        message: "It fails for an empty list.".to_owned(),
        title: "correctness".to_owned(),
    };
    let annotations = Annotations::batches(vec![annotation; 50]).pop().unwrap_or_default();
    CheckOutput {
        title: "Clean".to_owned(),
        summary: "Nothing found.".to_owned(),
        text: Some("Everything was looked at.".to_owned()),
        annotations,
    }
}

fn action() -> CheckAction {
    CheckAction {
        label: "Review again".to_owned(),
        description: "Looks at all of it once more".to_owned(),
        identifier: "again".to_owned(),
    }
}

fn pull(base: CommitId, head: CommitId) -> Pull {
    Pull {
        number: 1,
        title: "Sell apples".to_owned(),
        body: String::new(),
        author: Account::ghost(),
        head,
        head_ref: "topic".to_owned(),
        head_repository: None,
        head_is_fork: true,
        base_ref: "main".to_owned(),
        base,
        is_draft: false,
        state: PullState::Open,
        is_merged: false,
        labels: Vec::new(),
        changed_files: 1,
        commits: 1,
        comments: None,
    }
}
