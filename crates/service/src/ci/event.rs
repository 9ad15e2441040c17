//! Which change a run of CI is about, by its environment and the event that began it.
//!
//! All of this is the platform's word about the run; titles and names in it are their authors'.

use anyhow::{Context as _, Result, anyhow, bail};
use review::CommitId;
use serde::Deserialize;

use crate::places::Environment;

/// The events of GitHub that are about a change.
const EVENTS: &str =
    "pull_request, pull_request_target, merge_group, push, workflow_run, workflow_dispatch and schedule";

/// A run of CI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CiRun {
    /// Who runs it.
    pub provider: Provider,
    /// What is to be reviewed.
    pub wanted: Wanted,
    /// Where the change is from.
    pub origin: Origin,
    /// What the run's secrets and token are worth.
    pub rights: Rights,
    /// The commit that the run's workflow is of, where GitHub names it.
    pub workflow_commit: Option<CommitId>,
}

/// Who runs CI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provider {
    /// GitHub Actions, in a repository of this owner and name.
    GitHub {
        /// The owner.
        owner: String,
        /// The name.
        name: String,
    },
    /// GitLab CI.
    GitLab,
    /// Somebody else, or a person.
    Other,
}

/// What is to be reviewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A pull request.
    Pull(PullFacts),
    /// What a head has and a base has not; the first base that is here counts.
    Range {
        /// Names or ids, the best one first.
        bases: Vec<String>,
        /// A name or an id.
        head: String,
    },
    /// This branch against its default branch.
    Default,
}

/// A pull request as the event has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullFacts {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Its description.
    pub body: String,
    /// Who opened it, by login and number.
    pub author: Option<(String, Option<u64>)>,
    /// Its labels.
    pub labels: Vec<String>,
    /// The branch that it is from.
    pub head_ref: String,
    /// The commit that would be merged.
    pub head: CommitId,
    /// The branch that it would be merged into.
    pub base_ref: String,
    /// That branch's commit.
    pub base: CommitId,
}

/// Where a change is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The repository itself.
    Same,
    /// A fork, or a repository that is gone.
    Fork,
}

/// What the run's secrets and token are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// No more than whoever made the change has.
    AsTheAuthor,
    /// The repository's, whoever made the change.
    Privileged,
}

impl CiRun {
    /// Finds out what the run is about. `read` reads the file of the event.
    ///
    /// # Errors
    /// The environment names an event that is missing, cannot be read or is about no change.
    pub fn find(environment: Environment<'_>, read: &dyn Fn(&str) -> Result<Vec<u8>>) -> Result<Self> {
        if environment("GITHUB_ACTIONS").is_some() || environment("GITHUB_EVENT_PATH").is_some() {
            return on_github(environment, read);
        }
        if environment("GITLAB_CI").is_some() {
            return Ok(on_gitlab(environment));
        }
        Ok(Self {
            provider: Provider::Other,
            wanted: Wanted::Default,
            origin: Origin::Same,
            rights: Rights::AsTheAuthor,
            workflow_commit: None,
        })
    }

    /// Refuses the one unsafe place: a fork's files in the work tree of a run that has the repository's secrets.
    ///
    /// `here` is the commit that the work tree is at; none where there is no work tree.
    ///
    /// # Errors
    /// It is that place.
    pub fn refuse_a_forks_checkout(&self, here: Option<&CommitId>) -> Result<()> {
        let (Origin::Fork, Rights::Privileged, Some(here)) = (self.origin, self.rights, here) else {
            return Ok(());
        };
        let base = match &self.wanted {
            Wanted::Pull(pull) => Some(&pull.base),
            Wanted::Range { .. } | Wanted::Default => None,
        };
        // Whatever else is checked out, the fork may have chosen it.
        if Some(here) == self.workflow_commit.as_ref() || Some(here) == base {
            return Ok(());
        }
        bail!(
            "will not run here: the work tree is at {}, which is not the base, in a run that has the repository's \
             secrets, for a change from a fork. Use the event `pull_request`, or leave out the checkout: the change \
             is read by the API",
            here.short()
        )
    }
}

fn on_github(environment: Environment<'_>, read: &dyn Fn(&str) -> Result<Vec<u8>>) -> Result<CiRun> {
    let variable = |name: &str| {
        environment(name)
            .ok_or_else(|| anyhow!("could not find the event: {name} is not set, though GitHub sets it"))
    };
    let event = variable("GITHUB_EVENT_NAME")?;
    let path = variable("GITHUB_EVENT_PATH")?;
    let repository = variable("GITHUB_REPOSITORY")?;
    let (owner, name) = repository
        .split_once('/')
        .filter(|(owner, name)| !owner.is_empty() && !name.is_empty())
        .ok_or_else(|| anyhow!("GITHUB_REPOSITORY is no OWNER/NAME"))?;
    let bytes = read(&path)?;
    let payload: Payload = serde_json::from_slice(&bytes)
        .with_context(|| format!("could not read the event in {path}: it is not what GitHub sends"))?;
    let missing = |what: &str| anyhow!("could not read the event {event}: it has no `{what}`");
    let mut run = CiRun {
        provider: Provider::GitHub { owner: owner.to_owned(), name: name.to_owned() },
        wanted: Wanted::Default,
        origin: Origin::Same,
        rights: Rights::AsTheAuthor,
        workflow_commit: environment("GITHUB_SHA").and_then(|id| CommitId::new(&id)),
    };
    match event.as_str() {
        "pull_request" | "pull_request_target" => {
            let pull = payload.pull_request.ok_or_else(|| missing("pull_request"))?;
            if event == "pull_request_target" {
                run.rights = Rights::Privileged;
            }
            run.origin = origin(pull.head.repo.as_ref(), pull.base.repo.as_ref());
            run.wanted = Wanted::Pull(pull.into());
        }
        "merge_group" => {
            let group = payload.merge_group.ok_or_else(|| missing("merge_group"))?;
            let (base, head) = (group.base_sha.to_string(), group.head_sha.to_string());
            run.wanted = Wanted::Range { bases: vec![base], head };
        }
        "push" => {
            let head = payload.after.ok_or_else(|| missing("after"))?;
            let before = payload.before.filter(|id| id.bytes().any(|byte| byte != b'0'));
            run.wanted = match before.and_then(|id| CommitId::new(&id)) {
                Some(before) => Wanted::Range { bases: vec![before.to_string()], head: head.to_string() },
                // A new branch.
                None => Wanted::Default,
            };
        }
        "workflow_run" => {
            let of = payload.workflow_run.ok_or_else(|| missing("workflow_run"))?;
            run.rights = Rights::Privileged;
            run.origin = origin(of.head_repository.as_ref(), payload.repository.as_ref());
            let default = payload.repository.and_then(|repository| repository.default_branch);
            let default = default.ok_or_else(|| missing("repository.default_branch"))?;
            run.wanted = Wanted::Range { bases: vec![remote(&default)], head: of.head_sha.to_string() };
        }
        "workflow_dispatch" | "schedule" => {}
        _ => bail!(
            "the event {:?} is about no change; recuse ci knows {EVENTS}",
            review::text::visible_line(&event)
        ),
    }
    Ok(run)
}

fn on_gitlab(environment: Environment<'_>) -> CiRun {
    let target = environment("CI_MERGE_REQUEST_TARGET_BRANCH_NAME");
    let head = environment("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA").or_else(|| environment("CI_COMMIT_SHA"));
    let bases: Vec<String> = [
        environment("CI_MERGE_REQUEST_TARGET_BRANCH_SHA"),
        target.as_deref().map(remote),
        environment("CI_MERGE_REQUEST_DIFF_BASE_SHA"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let projects =
        (environment("CI_MERGE_REQUEST_SOURCE_PROJECT_ID"), environment("CI_MERGE_REQUEST_PROJECT_ID"));
    CiRun {
        provider: Provider::GitLab,
        wanted: match (head, bases.is_empty()) {
            (Some(head), false) => Wanted::Range { bases, head },
            (Some(_), true) | (None, _) => Wanted::Default,
        },
        origin: match projects {
            (Some(source), Some(target)) if source != target => Origin::Fork,
            _ => Origin::Same,
        },
        rights: Rights::AsTheAuthor,
        workflow_commit: None,
    }
}

/// A branch as a checkout of CI has it.
fn remote(branch: &str) -> String {
    format!("refs/remotes/origin/{branch}")
}

fn origin(head: Option<&RawRepository>, base: Option<&RawRepository>) -> Origin {
    match (head, base) {
        (Some(head), Some(base)) if head.id == base.id => Origin::Same,
        (Some(_) | None, Some(_) | None) => Origin::Fork,
    }
}

#[derive(Deserialize)]
struct Payload {
    pull_request: Option<RawPull>,
    merge_group: Option<RawGroup>,
    workflow_run: Option<RawRun>,
    repository: Option<RawRepository>,
    before: Option<String>,
    after: Option<CommitId>,
}

#[derive(Deserialize)]
struct RawPull {
    number: u64,
    title: Option<String>,
    body: Option<String>,
    user: Option<RawUser>,
    #[serde(default)]
    labels: Vec<RawLabel>,
    head: RawEnd,
    base: RawEnd,
}

#[derive(Deserialize)]
struct RawUser {
    login: String,
    id: Option<u64>,
}

#[derive(Deserialize)]
struct RawLabel {
    name: String,
}

#[derive(Deserialize)]
struct RawEnd {
    #[serde(rename = "ref")]
    name: String,
    sha: CommitId,
    repo: Option<RawRepository>,
}

#[derive(Deserialize)]
struct RawRepository {
    id: u64,
    default_branch: Option<String>,
}

#[derive(Deserialize)]
struct RawGroup {
    head_sha: CommitId,
    base_sha: CommitId,
}

#[derive(Deserialize)]
struct RawRun {
    head_sha: CommitId,
    head_repository: Option<RawRepository>,
}

impl From<RawPull> for PullFacts {
    fn from(raw: RawPull) -> Self {
        Self {
            number: raw.number,
            title: raw.title.unwrap_or_default(),
            body: raw.body.unwrap_or_default(),
            author: raw.user.map(|user| (user.login, user.id)),
            labels: raw.labels.into_iter().map(|label| label.name).collect(),
            head_ref: raw.head.name,
            head: raw.head.sha,
            base_ref: raw.base.name,
            base: raw.base.sha,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const HEAD: &str = "1111111111111111111111111111111111111111";
    const BASE: &str = "2222222222222222222222222222222222222222";
    const OTHER: &str = "3333333333333333333333333333333333333333";

    fn id(hex: &str) -> CommitId {
        CommitId::new(hex).expect("an id")
    }

    fn pull(head_repository: Value) -> Value {
        json!({ "pull_request": {
            "number": 7, "title": "Add", "body": null, "user": { "login": "ada", "id": 5 }, "labels": [],
            "head": { "ref": "topic", "sha": HEAD, "repo": head_repository },
            "base": { "ref": "main", "sha": BASE, "repo": { "id": 1 } },
        }})
    }

    fn github(event: &str, payload: &Value) -> Result<CiRun> {
        let environment = |name: &str| {
            let value = match name {
                "GITHUB_ACTIONS" => "true",
                "GITHUB_EVENT_NAME" => event,
                "GITHUB_EVENT_PATH" => "/event.json",
                "GITHUB_REPOSITORY" => "acme/shop",
                "GITHUB_SHA" => BASE,
                _ => return None,
            };
            Some(value.to_owned())
        };
        CiRun::find(&environment, &|_| Ok(payload.to_string().into_bytes()))
    }

    #[test]
    fn each_event_names_its_change() {
        let run = github("pull_request", &pull(json!({ "id": 1 }))).expect("an event");
        let Wanted::Pull(facts) = &run.wanted else { panic!("{run:?}") };
        assert_eq!((facts.number, &facts.head, &facts.base), (7, &id(HEAD), &id(BASE)));
        assert_eq!((run.origin, run.rights), (Origin::Same, Rights::AsTheAuthor));
        let table = [
            (
                "merge_group",
                json!({ "merge_group": { "head_sha": HEAD, "base_sha": BASE } }),
                Some((BASE, HEAD)),
            ),
            ("push", json!({ "before": BASE, "after": HEAD }), Some((BASE, HEAD))),
            ("push", json!({ "before": "0".repeat(40), "after": HEAD }), None),
            (
                "workflow_run",
                json!({ "workflow_run": { "head_sha": HEAD, "head_repository": { "id": 1 } },
                    "repository": { "id": 1, "default_branch": "main" } }),
                Some(("refs/remotes/origin/main", HEAD)),
            ),
            ("workflow_dispatch", json!({}), None),
            ("schedule", json!({}), None),
        ];
        for (event, payload, expect) in table {
            let expect = expect.map_or(Wanted::Default, |(base, head)| Wanted::Range {
                bases: vec![base.to_owned()],
                head: head.to_owned(),
            });
            assert_eq!(github(event, &payload).expect(event).wanted, expect, "{event}");
        }
    }

    #[test]
    fn what_is_no_event_of_a_change_is_an_error_that_says_so() {
        for (event, payload, words) in [
            ("issue_comment", json!({}), "is about no change"),
            ("pull_request", json!({}), "has no `pull_request`"),
            ("pull_request", json!([]), "not what GitHub sends"),
            ("merge_group", json!({}), "has no `merge_group`"),
            ("push", json!({ "after": "x" }), "not what GitHub sends"),
        ] {
            let error = format!("{:#}", github(event, &payload).expect_err(event));
            assert!(error.contains(words), "{event}: {error}");
        }
        let only = |name: &str| (name == "GITHUB_ACTIONS").then(|| "true".to_owned());
        let error = CiRun::find(&only, &|_| bail!("nothing is read")).expect_err("no event");
        assert!(error.to_string().contains("GITHUB_EVENT_NAME is not set"), "{error}");
    }

    #[test]
    fn only_a_forks_checkout_with_the_repositorys_secrets_is_refused() {
        let run_of = |repository: &Value| {
            json!({
                "workflow_run": { "head_sha": HEAD, "head_repository": repository },
                "repository": { "id": 1, "default_branch": "main" },
            })
        };
        for (repository, is_fork) in
            [(json!({ "id": 1 }), false), (json!({ "id": 2 }), true), (Value::Null, true)]
        {
            for event in ["pull_request", "pull_request_target", "workflow_run"] {
                let payload =
                    if event == "workflow_run" { run_of(&repository) } else { pull(repository.clone()) };
                let run = github(event, &payload).expect("an event");
                assert_eq!(run.origin == Origin::Fork, is_fork, "{event} {repository}");
                for (here, is_unsafe_commit) in
                    [(None, false), (Some(BASE), false), (Some(HEAD), true), (Some(OTHER), true)]
                {
                    let refused = run.refuse_a_forks_checkout(here.map(id).as_ref()).is_err();
                    let expect = is_fork && event != "pull_request" && is_unsafe_commit;
                    assert_eq!(refused, expect, "{event} {repository} {here:?}");
                }
            }
        }
    }

    #[test]
    fn gitlab_and_nobody_have_changes_too() {
        let gitlab = |name: &str| {
            let value = match name {
                "GITLAB_CI" => "true",
                "CI_MERGE_REQUEST_TARGET_BRANCH_NAME" => "main",
                "CI_MERGE_REQUEST_DIFF_BASE_SHA" => BASE,
                "CI_COMMIT_SHA" => HEAD,
                "CI_MERGE_REQUEST_SOURCE_PROJECT_ID" => "4",
                "CI_MERGE_REQUEST_PROJECT_ID" => "5",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let run = CiRun::find(&gitlab, &|_| bail!("nothing is read")).expect("a merge request");
        let bases = vec!["refs/remotes/origin/main".to_owned(), BASE.to_owned()];
        assert_eq!(run.wanted, Wanted::Range { bases, head: HEAD.to_owned() });
        assert_eq!((run.provider, run.origin), (Provider::GitLab, Origin::Fork));
        let run =
            CiRun::find(&|name| (name == "CI").then(|| "1".to_owned()), &|_| bail!("no")).expect("a run");
        assert_eq!((run.provider, run.wanted), (Provider::Other, Wanted::Default));
    }
}
