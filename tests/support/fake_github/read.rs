//! Calls that read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::act::{page_of, paged};
use super::bare::{DiffFile, Entry};
use super::endpoint::{Endpoint, Target};
use super::render::{API, WEB, commit_json, with};
use super::server::Asking;
use super::world::{AnswerBody, Answered, DOCS, World};

/// More files, or more lines, GitHub does not render as one diff.
const MAX_DIFF_FILES: usize = 300;
const MAX_DIFF_LINES: usize = 20_000;

/// More files GitHub does not list.
const MAX_LISTED_FILES: usize = 3_000;

/// More lines of one file GitHub does not show.
const MAX_PATCH_LINES: usize = 20_000;

/// Larger files GitHub gives in another form only.
const MAX_CONTENT: usize = 1_024 * 1_024;

impl Target {
    /// What stands behind the repository in the path.
    pub(crate) fn rest_of_path(&self, endpoint: Endpoint) -> String {
        let first = self.captures.first().map_or("", String::as_str);
        match endpoint {
            Endpoint::Repository => String::new(),
            Endpoint::RepositoryInstallation => "/installation".to_owned(),
            Endpoint::Pulls => "/pulls".to_owned(),
            Endpoint::Pull => format!("/pulls/{first}"),
            Endpoint::Files => format!("/pulls/{first}/files"),
            Endpoint::Reviews | Endpoint::CreateReview => format!("/pulls/{first}/reviews"),
            Endpoint::Compare | Endpoint::CompareDiff => format!("/compare/{first}"),
            Endpoint::Content => format!("/contents/{first}"),
            Endpoint::Permission => format!("/collaborators/{first}/permission"),
            Endpoint::CheckRuns => format!("/commits/{first}/check-runs"),
            Endpoint::Statuses => format!("/commits/{first}/status"),
            Endpoint::CreateCheckRun => "/check-runs".to_owned(),
            Endpoint::UpdateCheckRun => format!("/check-runs/{first}"),
            Endpoint::Comments | Endpoint::CreateComment => format!("/issues/{first}/comments"),
            Endpoint::UpdateComment => format!("/issues/comments/{first}"),
            Endpoint::ReactToComment => format!("/issues/comments/{first}/reactions"),
            Endpoint::ReactToReviewComment => format!("/pulls/comments/{first}/reactions"),
            Endpoint::BranchRules => format!("/rules/branches/{first}"),
            Endpoint::Branch => format!("/branches/{first}"),
            Endpoint::App
            | Endpoint::AppHook
            | Endpoint::Installations
            | Endpoint::MintToken
            | Endpoint::Deliveries
            | Endpoint::Redeliver
            | Endpoint::ConvertManifest
            | Endpoint::User
            | Endpoint::Reached
            | Endpoint::Git => unreachable!("they are not about a repository by the API"),
        }
    }
}

impl World {
    pub(crate) fn list_pulls(&mut self, id: u64, asked: &Asking<'_>, root: &str) -> Answered {
        let mut pulls: Vec<_> = self.repository(id).pulls.values().cloned().collect();
        if asked.parameter("state").as_deref().unwrap_or("open") == "open" {
            pulls.retain(|pull| pull.is_open);
        }
        if let Some(base) = asked.parameter("base") {
            pulls.retain(|pull| pull.base_ref == base);
        }
        pulls.sort_by_key(|pull| std::cmp::Reverse((pull.updated_at, pull.updated)));
        let etag = pulls.iter().map(|pull| format!("{}.{}", pull.number, pull.updated)).collect::<Vec<_>>();
        // GitHub's tags are good for one token only.
        let etag = format!("{} {}", etag.join(","), asked.authorization.unwrap_or_default());
        let etag = format!("W/\"{}\"", review::Digest::of(etag.as_bytes()).short());
        let list = pulls.iter().map(|pull| self.pull_json(id, pull)).collect();
        let mut answer = paged(list, asked, root);
        if asked.etag == Some(etag.as_str()) {
            answer = Answered::json(304, Value::Null);
        }
        answer.headers.push(("etag", etag));
        answer
    }

    pub(crate) fn files(&mut self, id: u64, asked: &Asking<'_>, root: &str) -> Answered {
        let repository = self.repository(id);
        let Some(pull) = repository.pulls.get(&asked.number()) else { return Answered::not_found() };
        let files = repository.bare.files(&pull.base, &pull.head);
        let hidden = &repository.hidden_patches;
        let head = &pull.head;
        let url = format!("{API}/repos/{}/{}", repository.owner, repository.name);
        let list = files.into_iter().take(MAX_LISTED_FILES);
        let list = list.map(|file| file_json(&url, &file, head, hidden.contains(&file.path))).collect();
        paged(list, asked, root)
    }

    pub(crate) fn compare(&mut self, id: u64, asked: &Asking<'_>, root: &str) -> Answered {
        let url = self.repository_url(id);
        let repository = self.repository(id);
        let Some((base, head)) = asked.name().split_once("...") else { return Answered::not_found() };
        let bare = &repository.bare;
        let (Some(base), Some(head)) = (bare.resolve(base), bare.resolve(head)) else {
            return Answered::not_found();
        };
        let Some(merge_base) = bare.merge_base(&base, &head) else {
            return Answered::message(404, "No common ancestor between the two commits.");
        };
        if asked.target.endpoint == Endpoint::CompareDiff {
            let diff = bare.diff(&base, &head);
            let files = bare.files(&base, &head).len();
            let lines = diff.iter().filter(|&&byte| byte == b'\n').count();
            if files > MAX_DIFF_FILES || lines > MAX_DIFF_LINES {
                let limit = if files > MAX_DIFF_FILES { "files (300)" } else { "lines (20000)" };
                let message = format!("Sorry, the diff exceeded the maximum number of {limit}.");
                let errors = json!([{"resource": "Comparison", "field": "diff", "code": "too_large"}]);
                return Answered::json(
                    406,
                    json!({"message": message, "errors": errors, "documentation_url": DOCS, "status": "406"}),
                );
            }
            let body = AnswerBody::Bytes("application/vnd.github.diff; charset=utf-8", diff);
            return Answered { status: 200, body, headers: Vec::new() };
        }
        let commits: Vec<_> =
            bare.commits(&base, &head).into_iter().map(|commit| commit_json(&url, commit)).collect();
        let ends = bare.described(&[&base, &merge_base]);
        let [base_commit, merge_base_commit] = [0, 1].map(|index| commit_json(&url, ends[index].clone()));
        let behind = bare.commits(&head, &base).len();
        let total = commits.len();
        let is_first = asked.parameter("page").is_none_or(|page| page == "1");
        let files: Vec<_> = if is_first {
            bare.files(&base, &head)
                .iter()
                .take(300)
                .map(|file| file_json(&url, file, &head, false))
                .collect()
        } else {
            Vec::new()
        };
        let (commits, link) = page_of(commits, asked, root);
        let status = match (total, behind) {
            (0, 0) => "identical",
            (_, 0) => "ahead",
            (0, _) => "behind",
            (_, _) => "diverged",
        };
        let page = format!("{WEB}/compare/{base}...{head}");
        let mut answer = Answered::ok(
            json!({"merge_base_commit": merge_base_commit, "base_commit": base_commit,
            "status": status, "ahead_by": total, "behind_by": behind, "total_commits": total, "commits": commits,
            "files": files, "url": format!("{url}/compare/{base}...{head}"), "html_url": page, "permalink_url": page,
            "diff_url": format!("{page}.diff"), "patch_url": format!("{page}.patch")}),
        );
        answer.headers.extend(link.map(|link| ("link", link)));
        answer
    }

    pub(crate) fn content(&mut self, id: u64, asked: &Asking<'_>) -> Answered {
        let path = asked.name().to_owned();
        let commit = asked.parameter("ref").unwrap_or_else(|| "main".to_owned());
        let url = self.repository_url(id);
        let bare = &self.repository(id).bare;
        let Some((id, entry)) = bare.entry(&commit, &path) else { return Answered::not_found() };
        let place = Place { repository: &url, path: &path, commit: &commit };
        match entry {
            Entry::Folder => Answered::ok(json!([place.json("file", &id, 0)])),
            Entry::Submodule => Answered::ok(with(
                place.json("submodule", &id, 0),
                json!({"submodule_git_url": "https://github.example/acme/elsewhere.git"}),
            )),
            Entry::Symlink(target) => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let aim = if folder.is_empty() { target.clone() } else { format!("{folder}/{target}") };
                match bare.entry(&commit, &aim) {
                    Some((id, Entry::File(bytes))) => Answered::ok(place.file_json(&id, &bytes)),
                    Some((_, Entry::Folder | Entry::Submodule | Entry::Symlink(_))) | None => Answered::ok(
                        with(place.json("symlink", &id, target.len()), json!({"target": target})),
                    ),
                }
            }
            Entry::File(bytes) => Answered::ok(place.file_json(&id, &bytes)),
        }
    }

    pub(crate) fn permission(&mut self, id: u64, login: &str) -> Answered {
        if !self.accounts.contains_key(login) {
            return Answered::not_found();
        }
        let repository = self.repository(id);
        let role = repository.access.get(login).copied();
        let role = role.unwrap_or(if repository.is_private { "none" } else { "read" });
        let permission = match role {
            "maintain" => "write",
            "triage" => "read",
            other => other,
        };
        let user = with(self.user_json(login), json!({"role_name": role}));
        Answered::ok(json!({"permission": permission, "role_name": role, "user": user}))
    }

    pub(crate) fn list_check_runs(&mut self, id: u64, asked: &Asking<'_>, root: &str) -> Answered {
        let head = asked.name().to_owned();
        let (name, filter) = (asked.parameter("check_name"), asked.parameter("filter"));
        let repository = self.repository(id);
        let mut runs: Vec<_> =
            repository.check_runs.iter().rev().filter(|run| run.head == head).cloned().collect();
        runs.retain(|run| name.as_ref().is_none_or(|name| run.name == *name));
        if filter.as_deref().unwrap_or("latest") == "latest" {
            let mut seen = Vec::new();
            runs.retain(|run| {
                let key = (run.app, run.name.clone());
                let is_new = !seen.contains(&key);
                seen.push(key);
                is_new
            });
        }
        let all: Vec<_> = runs.iter().map(|run| self.check_run_json(id, run)).collect();
        let total = all.len();
        let (page, link) = page_of(all, asked, root);
        let mut answer = Answered::ok(json!({"total_count": total, "check_runs": page}));
        answer.headers.extend(link.map(|link| ("link", link)));
        answer
    }

    pub(crate) fn list_comments(&mut self, id: u64, asked: &Asking<'_>, root: &str) -> Answered {
        let number = asked.number();
        if !self.repository(id).pulls.contains_key(&number) {
            return Answered::not_found();
        }
        let comments = self.repository(id).comments.iter().filter(|comment| comment.pull == number);
        let comments: Vec<_> = comments.cloned().collect();
        paged(comments.iter().map(|comment| self.comment_json(id, comment)).collect(), asked, root)
    }

    pub(crate) fn list_reviews(&mut self, id: u64, asked: &Asking<'_>, root: &str) -> Answered {
        let number = asked.number();
        if !self.repository(id).pulls.contains_key(&number) {
            return Answered::not_found();
        }
        let reviews = self.repository(id).reviews.iter().filter(|review| review.pull == number);
        let reviews: Vec<_> = reviews.cloned().collect();
        paged(reviews.iter().map(|review| self.review_json(id, review)).collect(), asked, root)
    }

    pub(crate) fn branch_rules(&mut self, id: u64, asked: &Asking<'_>, root: &str) -> Answered {
        let repository = self.repository(id);
        let source = format!("{}/{}", repository.owner, repository.name);
        let checks: Vec<_> = repository
            .required_checks
            .iter()
            .map(|(context, app)| match app {
                Some(app) => json!({"context": context, "integration_id": app}),
                None => json!({"context": context}),
            })
            .collect();
        let rule = |kind: &str| json!({"type": kind, "ruleset_id": 1, "ruleset_source_type": "Repository", "ruleset_source": source});
        let mut rules = vec![rule("deletion")];
        if !checks.is_empty() {
            let parameters =
                json!({"required_status_checks": checks, "strict_required_status_checks_policy": false});
            rules.push(with(rule("required_status_checks"), json!({"parameters": parameters})));
        }
        paged(rules, asked, root)
    }

    pub(crate) fn branch(&mut self, id: u64, name: &str) -> Answered {
        let url = self.repository_url(id);
        let repository = self.repository(id);
        let Some(commit) = repository.bare.resolve(&format!("refs/heads/{name}")) else {
            return Answered::message(404, "Branch not found");
        };
        let checks: Vec<_> = repository
            .protected_checks
            .iter()
            .map(
                |(context, app)| json!({"context": context, "app_id": app.map_or(json!(-1), |id| json!(id))}),
            )
            .collect();
        let contexts: Vec<_> = repository.protected_checks.iter().map(|(context, _)| context).collect();
        let commit = commit_json(&url, repository.bare.described(&[&commit])[0].clone());
        let own = format!("{url}/branches/{name}");
        Answered::ok(json!({"name": name, "commit": commit, "protected": !checks.is_empty(),
            "_links": {"self": own, "html": format!("{WEB}/tree/{name}")}, "protection_url": format!("{own}/protection"),
            "protection": {"enabled": !checks.is_empty(), "required_status_checks": {
                "enforcement_level": "non_admins", "contexts": contexts, "checks": checks}}}))
    }
}

fn file_json(repository: &str, file: &DiffFile, head: &str, is_hidden: bool) -> Value {
    let lines = file.patch.as_ref().map_or(0, |patch| patch.lines().count());
    let path = encoded(&file.path);
    let mut value = json!({"sha": file.blob, "filename": file.path, "status": file.status,
        "additions": file.additions, "deletions": file.deletions, "changes": file.additions + file.deletions,
        "blob_url": format!("{WEB}/blob/{head}/{path}"), "raw_url": format!("{WEB}/raw/{head}/{path}"),
        "contents_url": format!("{repository}/contents/{path}?ref={head}")});
    if let Some(previous) = &file.previous_path {
        value["previous_filename"] = json!(previous);
    }
    if let Some(patch) = file.patch.as_ref().filter(|_| !is_hidden && lines <= MAX_PATCH_LINES) {
        value["patch"] = json!(patch);
    }
    value
}

/// Where something stands that was asked for by its path.
struct Place<'a> {
    repository: &'a str,
    path: &'a str,
    commit: &'a str,
}

impl Place<'_> {
    fn json(&self, kind: &str, id: &str, size: usize) -> Value {
        let Self { repository, commit, path } = self;
        let name = path.rsplit('/').next();
        let path_in_url = encoded(path);
        let url = format!("{repository}/contents/{path_in_url}?ref={commit}");
        let git_url = format!("{repository}/git/blobs/{id}");
        let page = format!("{WEB}/blob/{commit}/{path_in_url}");
        json!({"type": kind, "path": path, "name": name, "sha": id, "size": size, "url": url, "git_url": git_url,
            "html_url": page, "download_url": format!("{WEB}/raw/{commit}/{path_in_url}"),
            "_links": {"self": url, "git": git_url, "html": page}})
    }

    fn file_json(&self, id: &str, bytes: &[u8]) -> Value {
        let is_large = bytes.len() > MAX_CONTENT;
        let text = if is_large { String::new() } else { STANDARD.encode(bytes) };
        // GitHub breaks its lines as mail does.
        let lines: Vec<_> = text.as_bytes().chunks(60).map(String::from_utf8_lossy).collect();
        with(
            self.json("file", id, bytes.len()),
            json!({"encoding": if is_large { "none" } else { "base64" }, "content": lines.join("\n")}),
        )
    }
}

/// A path as addresses have it.
fn encoded(path: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(byte);
    path.bytes()
        .map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
