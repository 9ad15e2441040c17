//! A signed delivery as GitHub would send it, for people who try a server out.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Result, anyhow, bail};
use github::webhook::Secrets;
use review::CommitId;
use serde_json::{Value, json};

use super::listen_address;
use crate::places::Environment;

/// What happened, as a delivery would tell it.
#[derive(Debug, Clone)]
pub struct Happening {
    /// The repository's id.
    pub repository_id: u64,
    /// `OWNER/NAME`.
    pub repository: String,
    /// The installation.
    pub installation: u64,
    /// The pull request.
    pub number: u64,
    /// Its head.
    pub head: CommitId,
    /// Its base.
    pub base: CommitId,
    /// Who did it.
    pub login: String,
    /// A comment's text; without one the pull request was opened or pushed to.
    pub comment: Option<Comment>,
    /// `opened`, `synchronize`, `closed`…
    pub action: String,
}

/// A comment on the pull request.
#[derive(Debug, Clone)]
pub struct Comment {
    /// Its id. Each comment has its own: an answer is found again by it.
    pub id: u64,
    /// What it says.
    pub text: String,
}

/// Where a server of this machine receives deliveries, if it is started in this environment.
///
/// # Errors
/// `RECUSE_LISTEN` is no address with a port.
pub fn default_url(environment: Environment<'_>) -> Result<String> {
    let mut address = listen_address(environment("RECUSE_LISTEN").as_deref())?;
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    Ok(format!("http://{address}/webhook"))
}

/// A delivery that can be sent.
pub struct SignedDelivery {
    /// `X-GitHub-Event`.
    pub event: &'static str,
    /// `X-Hub-Signature-256`.
    pub signature: String,
    /// The body.
    pub body: Vec<u8>,
}

/// Makes the delivery of something that happened.
///
/// # Errors
/// The repository is not `OWNER/NAME`.
pub fn delivery(happening: &Happening, secrets: &Secrets) -> Result<SignedDelivery> {
    let Some((owner, name)) = happening.repository.split_once('/') else {
        bail!("the repository is not OWNER/NAME: {}", happening.repository);
    };
    let account = |login: &str| json!({"id": 1, "login": login, "type": "User"});
    let repository = json!({
        "id": happening.repository_id,
        "name": name,
        "full_name": happening.repository,
        "owner": account(owner),
        "private": false,
        "default_branch": "main",
    });
    let (event, body): (_, Value) = match &happening.comment {
        Some(Comment { id, text }) => (
            "issue_comment",
            json!({
                "action": "created",
                "issue": {"number": happening.number, "pull_request": {}, "user": account(&happening.login)},
                "comment": {"id": id, "body": text, "user": account(&happening.login), "performed_via_github_app": null},
            }),
        ),
        None => (
            "pull_request",
            json!({
                "action": happening.action,
                "number": happening.number,
                "pull_request": {
                    "number": happening.number,
                    "state": if happening.action == "closed" { "closed" } else { "open" },
                    "draft": false,
                    "merged": false,
                    "labels": [],
                    "user": account(&happening.login),
                    "head": {"sha": happening.head, "ref": "topic", "repo": {"id": happening.repository_id}},
                    "base": {"sha": happening.base, "ref": "main", "repo": {"id": happening.repository_id}},
                },
            }),
        ),
    };
    let Value::Object(mut body) = body else { return Err(anyhow!("a delivery is an object")) };
    body.insert("repository".to_owned(), repository);
    body.insert("sender".to_owned(), account(&happening.login));
    body.insert("installation".to_owned(), json!({"id": happening.installation}));
    let body = serde_json::to_vec(&body)?;
    Ok(SignedDelivery { event, signature: secrets.sign(&body), body })
}
