//! Repositories and their commits.

use serde_json::{Value, json};

use super::super::world::World;
use super::{API, TIME, WEB, node_id, with};

/// The addresses that a repository has, each a path below its own.
const ADDRESSES: [(&str, &str); 37] = [
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
    ("url", ""),
];

impl World {
    /// A repository, as it stands in other things; null for one that is gone.
    pub(crate) fn repository_json(&self, id: u64) -> Value {
        let Some(repository) = self.repositories.iter().find(|repository| repository.id == id) else {
            return Value::Null;
        };
        let owner = self.user_json(&repository.owner);
        repository_of(id, &owner, &repository.name, repository.is_private)
    }

    /// A repository with what only a single one has.
    pub(crate) fn whole_repository_json(&self, id: u64) -> Value {
        with(self.repository_json(id), json!({"subscribers_count": 0, "network_count": 0}))
    }

    /// A repository, as installations list it.
    pub(crate) fn installed_repository_json(&self, id: u64) -> Value {
        let whole = self.repository_json(id);
        let fields = ["id", "node_id", "name", "full_name", "private"];
        fields.into_iter().map(|name| (name.to_owned(), whole[name].clone())).collect()
    }

    /// The address of a repository in the API.
    pub(crate) fn repository_url(&self, id: u64) -> String {
        let known = self.repositories.iter().find(|known| known.id == id).expect("a known repository");
        format!("{API}/repos/{}/{}", known.owner, known.name)
    }
}

/// A repository of this name; one whose owner is not the fake's own account is a fork.
pub(super) fn repository_of(id: u64, owner: &Value, name: &str, is_private: bool) -> Value {
    let full_name = format!("{}/{name}", owner["login"].as_str().expect("an account has a name"));
    let url = format!("{API}/repos/{full_name}");
    let addresses: Value =
        ADDRESSES.iter().map(|(field, path)| ((*field).to_owned(), json!(format!("{url}{path}")))).collect();
    let clone_url = format!("{WEB}/{full_name}.git");
    let features = json!({"is_template": false, "topics": [], "has_issues": true, "has_projects": false,
        "has_wiki": false, "has_pages": false, "has_downloads": false, "has_discussions": false, "archived": false,
        "disabled": false, "allow_forking": true, "web_commit_signoff_required": false,
        "visibility": if is_private { "private" } else { "public" }});
    let counts = json!({"forks": 0, "forks_count": 0, "stargazers_count": 0, "watchers": 0, "watchers_count": 0,
        "size": 1, "open_issues": 0, "open_issues_count": 0});
    let own = json!({"id": id, "node_id": node_id("R", id), "name": name, "full_name": full_name,
        "private": is_private, "owner": owner, "html_url": format!("{WEB}/{full_name}"), "description": null,
        "fork": false, "clone_url": clone_url, "git_url": format!("git://github.example/{full_name}.git"),
        "ssh_url": format!("git@github.example:{full_name}.git"), "svn_url": format!("{WEB}/{full_name}"),
        "mirror_url": null, "homepage": null, "language": null, "license": null, "default_branch": "main",
        "pushed_at": TIME, "created_at": TIME, "updated_at": TIME});
    [features, counts, own].into_iter().fold(addresses, with)
}

/// What git says of a commit, as the API has it.
pub(crate) fn commit_json(repository_url: &str, git: Value) -> Value {
    let id = git["sha"].as_str().expect("a commit has an id").to_owned();
    let (url, git_url) =
        (format!("{repository_url}/commits/{id}"), format!("{repository_url}/git/commits/{id}"));
    let page = url.replacen(&format!("{API}/repos"), WEB, 1);
    let tree = git["tree"].as_str().expect("a commit has a tree").to_owned();
    let parents = git["parents"].as_array().into_iter().flatten().map(|parent| {
        let parent = parent.as_str().expect("a parent is an id");
        json!({"sha": parent, "url": format!("{repository_url}/commits/{parent}"),
            "html_url": format!("{}/{parent}", page.trim_end_matches(&format!("/{id}")))})
    });
    json!({"sha": id, "node_id": format!("C_{id}"), "url": url, "html_url": page,
        "comments_url": format!("{url}/comments"), "author": null, "committer": null,
        "parents": parents.collect::<Vec<_>>(),
        "commit": {"url": git_url, "message": git["message"], "author": git["author"], "committer": git["committer"],
            "comment_count": 0, "tree": {"sha": tree, "url": format!("{repository_url}/git/trees/{tree}")},
            "verification": {"verified": false, "reason": "unsigned", "signature": null, "payload": null,
                "verified_at": null}}})
}

/// What git says of a commit, as pushes, suites and merge queues tell it.
pub(crate) fn pushed_commit_json(git: &Value) -> Value {
    let person = |name: &str| json!({"name": git[name]["name"], "email": git[name]["email"]});
    json!({"id": git["sha"], "tree_id": git["tree"], "message": git["message"], "timestamp": git["author"]["date"],
        "author": person("author"), "committer": person("committer")})
}
