//! A pull request that is named on the command line: read from GitHub, and told what was found.

use anyhow::{Result, anyhow};
use github::event::PullState;
use github::{ApiError, Credential, ErrorKind, RepositoryApi};
use report::PacketName;
use review::CommitId;
use review::judge::Check;
use review::packet::PacketV1;
use review::policy::RequiredCheck;
use secrecy::SecretString;
use service::ci::post::{Posted, Posting, post};
use service::head_checks;
use service::pull::{PullReading, object_cache, read_pull};
use service::serve::connection;

use crate::args::{FileArgs, Verbosity};
use crate::commands::{Gathered, environment, operator_file};
use crate::{Failure, terminal};

/// Whom a token writes as that is no person's: the one that a workflow is given.
const WORKFLOW: &str = "github-actions[bot]";

/// Where a pull request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PullPlace {
    owner: String,
    name: String,
    number: u64,
}

/// Reads `OWNER/REPO#NUMBER`, or the address of the page.
pub(crate) fn place(text: &str) -> Result<PullPlace, String> {
    let parts = match text.split_once("://") {
        Some((_, address)) => {
            let mut parts = address.split(['/', '?', '#']).skip(1);
            let named = (parts.next(), parts.next(), parts.next(), parts.next());
            match named {
                (Some(owner), Some(name), Some("pull"), Some(number)) => Some((owner, name, number)),
                _ => None,
            }
        }
        None => text.split_once('#').and_then(|(repository, number)| {
            let (owner, name) = repository.split_once('/')?;
            Some((owner, name, number))
        }),
    };
    let is_name = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    let wrong = || "give OWNER/REPO#NUMBER, or the address of the pull request".to_owned();
    let (owner, name, number) = parts.ok_or_else(wrong)?;
    if !is_name(owner) || !is_name(name) {
        return Err(wrong());
    }
    let number = number.parse().ok().filter(|number| *number > 0).ok_or_else(wrong)?;
    Ok(PullPlace { owner: owner.to_owned(), name: name.to_owned(), number })
}

/// A pull request that can be told something.
pub(crate) struct PullAt {
    api: RepositoryApi,
    number: u64,
    head: CommitId,
}

/// Reads a pull request.
pub(crate) async fn gather_pull(
    place: &PullPlace,
    file: &FileArgs,
    verbosity: Verbosity,
) -> Result<Gathered, Failure> {
    let PullPlace { owner, name, number } = place;
    let token = environment("GITHUB_TOKEN").or_else(|| environment("GH_TOKEN"));
    let token = token.ok_or_else(|| {
        Failure::usage(anyhow!(
            "could not read {owner}/{name}#{number}: set GITHUB_TOKEN to a token that may"
        ))
    })?;
    let (file, _) = operator_file(file).map_err(Failure::usage)?;
    let connection = connection(&file.serve, &environment).map_err(Failure::usage)?;
    let cache = object_cache(&file.serve, &environment).map_err(Failure::ours)?;
    let credential = Credential::Personal(SecretString::from(token));
    let api = RepositoryApi::new(connection, credential, owner, name);
    let pull = api.pull(*number).await.map_err(Failure::usage)?;
    if verbosity > Verbosity::Quiet {
        let state = match (pull.state, pull.is_merged) {
            (PullState::Open, _) => "open",
            (PullState::Closed, true) => "merged",
            (PullState::Closed, false) => "closed",
        };
        let head = pull.head.short();
        terminal::say(&format!("reading {owner}/{name}#{number} at {head}, which is {state}"));
    }
    let PullReading { change, repository, notes, base, base_file, opened } =
        read_pull(&api, &pull, &cache).await.map_err(Failure::ours)?;
    if repository.is_none() && verbosity > Verbosity::Quiet {
        terminal::say("the repository could not be fetched: rules that need whole files see the diff only");
    }
    Ok(Gathered {
        change,
        repository,
        repository_key: format!("{owner}/{name}"),
        notes,
        base: Some(base),
        range: None,
        base_file,
        opened: Some(opened),
        pull: Some(PullAt { api, number: *number, head: pull.head }),
    })
}

impl PullAt {
    /// Its repository.
    pub(crate) fn api(&self) -> &RepositoryApi {
        &self.api
    }

    /// What others say of its head; nothing is read where no check is required.
    pub(crate) async fn checks(&self, required: &[RequiredCheck]) -> Vec<Check> {
        if required.is_empty() {
            return Vec::new();
        }
        of_the_platform(&self.api, &self.head, required).await
    }
}

/// Posts what was found, and says what was posted and what was not.
pub(crate) async fn tell(at: &PullAt, packet: &PacketV1, name: &PacketName) -> Result<()> {
    let login = match at.api.own_login().await {
        Ok(login) => login,
        Err(ApiError { kind: ErrorKind::Forbidden { .. }, .. }) => WORKFLOW.to_owned(),
        Err(error) => return Err(anyhow!(error).context("nothing was posted")),
    };
    let (api, number, head) = (&at.api, at.number, &at.head);
    let posting = Posting { api, number, head, login: &login, run_id: &packet.run.id };
    for line in said(post(&posting, packet, name).await) {
        terminal::say(&line);
    }
    Ok(())
}

/// What was posted and what was not, a line each.
pub(crate) fn said(posted: Posted) -> Vec<String> {
    match posted {
        Posted::Moved => vec!["nothing was posted: the pull request has another head by now".to_owned()],
        Posted::Tried(told) => told
            .into_iter()
            .map(|told| match told.outcome {
                Ok(()) => format!("posted {}", told.what),
                Err(error) => format!("did not post {}: {error}; it takes `{}`", told.what, told.permission),
            })
            .collect(),
    }
}

/// What others say of the head, as far as the token may read it.
pub(crate) async fn of_the_platform(
    api: &RepositoryApi,
    head: &CommitId,
    required: &[RequiredCheck],
) -> Vec<Check> {
    let unread = |what: &str, permission: &str, error: ApiError| {
        terminal::say(&format!("the head's {what} were not read: {error}; it takes `{permission}`"));
        Vec::new()
    };
    let mut checks = head_checks::check_runs(api, head)
        .await
        .unwrap_or_else(|error| unread("check runs", "checks: read", error));
    if head_checks::may_be_a_status(required, &checks) {
        let statuses = head_checks::statuses(api, head).await;
        checks.extend(statuses.unwrap_or_else(|error| unread("statuses", "statuses: read", error)));
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pull_request_is_named_shortly_or_by_its_address() {
        let shop = || Ok(PullPlace { owner: "acme".to_owned(), name: "shop.js".to_owned(), number: 12 });
        for text in [
            "acme/shop.js#12",
            "https://github.com/acme/shop.js/pull/12",
            "https://github.example/acme/shop.js/pull/12/files?w=1#diff-1",
        ] {
            assert_eq!(place(text), shop(), "{text}");
        }
        for text in [
            "12",
            "acme#12",
            "acme/shop",
            "acme/shop#0",
            "acme/shop#x",
            "a/b/c#1",
            "https://github.com/a/b/issues/1",
        ] {
            assert!(place(text).is_err(), "{text}");
        }
    }
}
