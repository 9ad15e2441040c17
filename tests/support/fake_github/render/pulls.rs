//! Pull requests and what is said about them.

use serde_json::{Value, json};

use super::super::world::{Comment, Pull, Repository, Review, ReviewComment, World};
use super::{API, TIME, WEB, no_reactions, node_id, repositories, with};

impl World {
    /// A pull request, as lists have it.
    pub(crate) fn pull_json(&self, repository: u64, pull: &Pull) -> Value {
        let base_repository = self.repository_json(repository);
        let head_repository = pull.head_repository.map_or(Value::Null, |id| match self.repository_json(id) {
            Value::Null => {
                let fork = repositories::repository_of(id, &self.user_json(&pull.author), "fork", false);
                with(fork, json!({"fork": true}))
            }
            known => known,
        });
        let end = |branch: &str, commit: &str, repository: &Value, user: Value| {
            let owner = repository["owner"]["login"].as_str().unwrap_or("unknown repository");
            json!({"ref": branch, "sha": commit, "label": format!("{owner}:{branch}"), "user": user,
                "repo": repository})
        };
        let author = self.user_json(&pull.author);
        let links = self.pull_links(repository, pull);
        let addresses: Value = links.iter().map(|(field, url)| ((*field).to_owned(), json!(url))).collect();
        let link = |index: usize| json!({"href": links[index].1});
        let number = pull.number;
        let page = self.pull_page(repository, number);
        let updated = jiff::Timestamp::from_second(pull.updated_at as i64).expect("a time");
        with(
            addresses,
            json!({"id": 9_000 + number, "node_id": node_id("PR", number), "number": number, "title": pull.title,
                "body": pull.body, "state": if pull.is_open { "open" } else { "closed" }, "draft": pull.is_draft,
                "locked": false, "active_lock_reason": null, "user": author,
                "labels": pull.labels.iter().map(|name| self.label_json(repository, name)).collect::<Vec<_>>(),
                "created_at": TIME, "updated_at": updated.to_string(), "closed_at": (!pull.is_open).then_some(TIME),
                "merged_at": pull.is_merged.then_some(TIME), "merge_commit_sha": null, "assignee": null, "assignees": [],
                "requested_reviewers": [], "requested_teams": [], "milestone": null, "auto_merge": null,
                "author_association": "CONTRIBUTOR", "html_url": page, "diff_url": format!("{page}.diff"),
                "patch_url": format!("{page}.patch"),
                "head": end(&pull.head_ref, &pull.head, &head_repository, author.clone()),
                "base": end(&pull.base_ref, &pull.base, &base_repository, base_repository["owner"].clone()),
                "_links": {"self": link(0), "html": {"href": page}, "issue": link(1), "comments": link(2),
                    "review_comments": link(3), "review_comment": link(4), "commits": link(5), "statuses": link(6)}}),
        )
    }

    /// The same with what only a single one has.
    pub(crate) fn whole_pull_json(&self, repository: u64, pull: &Pull) -> Value {
        let known = self.known(repository);
        let files = known.bare.files(&pull.base, &pull.head);
        let sum = |count: fn(&super::super::bare::DiffFile) -> u64| files.iter().map(count).sum::<u64>();
        let is_of_pull = |comment: &&Comment| comment.pull == pull.number;
        with(
            self.pull_json(repository, pull),
            // Whether it can be merged GitHub computes later.
            json!({"merged": pull.is_merged, "mergeable": null, "mergeable_state": "unknown", "rebaseable": null,
                "merged_by": if pull.is_merged { self.user_json("ada") } else { Value::Null },
                "maintainer_can_modify": false, "commits": known.bare.commits(&pull.base, &pull.head).len(),
                "comments": known.comments.iter().filter(is_of_pull).count(),
                "review_comments": known.review_comments.iter().filter(|one| one.pull == pull.number).count(),
                "additions": sum(|file| file.additions), "deletions": sum(|file| file.deletions),
                "changed_files": files.len()}),
        )
    }

    /// A pull request as some deliveries have it: without what takes counting.
    pub(crate) fn told_pull_json(&self, repository: u64, pull: &Pull, action: &str) -> Value {
        match action {
            "labeled" | "unlabeled" | "synchronize" => self.pull_json(repository, pull),
            _ => self.whole_pull_json(repository, pull),
        }
    }

    /// A pull request as the conversation's events have it: as an issue.
    pub(crate) fn issue_json(&self, repository: u64, pull: &Pull) -> Value {
        let repository_url = self.repository_url(repository);
        let url = format!("{repository_url}/issues/{}", pull.number);
        let page = self.pull_page(repository, pull.number);
        let comments = self.known(repository).comments.iter().filter(|one| one.pull == pull.number).count();
        json!({"id": 8_000 + pull.number, "node_id": node_id("PR", pull.number), "number": pull.number,
            "title": pull.title, "body": pull.body, "user": self.user_json(&pull.author),
            "state": if pull.is_open { "open" } else { "closed" }, "locked": false, "active_lock_reason": null,
            "labels": pull.labels.iter().map(|name| self.label_json(repository, name)).collect::<Vec<_>>(),
            "assignee": null, "assignees": [], "milestone": null, "comments": comments, "created_at": TIME,
            "updated_at": TIME, "closed_at": (!pull.is_open).then_some(TIME), "author_association": "CONTRIBUTOR",
            "draft": pull.is_draft, "url": url, "repository_url": repository_url,
            "labels_url": format!("{url}/labels{{/name}}"), "comments_url": format!("{url}/comments"),
            "events_url": format!("{url}/events"), "html_url": page, "reactions": no_reactions(&url),
            "pull_request": {"url": format!("{repository_url}/pulls/{}", pull.number), "html_url": page,
                "diff_url": format!("{page}.diff"), "patch_url": format!("{page}.patch"),
                "merged_at": pull.is_merged.then_some(TIME)}})
    }

    /// A comment in a conversation.
    pub(crate) fn comment_json(&self, repository: u64, comment: &Comment) -> Value {
        let repository_url = self.repository_url(repository);
        let url = format!("{repository_url}/issues/comments/{}", comment.id);
        let page = format!("{}#issuecomment-{}", self.pull_page(repository, comment.pull), comment.id);
        let app = comment.by_app.map_or(Value::Null, |id| self.any_app_json(id));
        json!({"id": comment.id, "node_id": node_id("IC", comment.id), "body": comment.body,
            "user": self.user_json(&comment.author), "performed_via_github_app": app, "created_at": TIME,
            "updated_at": TIME, "author_association": "NONE", "url": url, "html_url": page,
            "issue_url": format!("{repository_url}/issues/{}", comment.pull), "reactions": no_reactions(&url)})
    }

    /// A comment at a line.
    pub(crate) fn review_comment_json(&self, repository: u64, comment: &ReviewComment) -> Value {
        let repository_url = self.repository_url(repository);
        let url = format!("{repository_url}/pulls/comments/{}", comment.id);
        let page = format!("{}#discussion_r{}", self.pull_page(repository, comment.pull), comment.id);
        let pull_url = format!("{repository_url}/pulls/{}", comment.pull);
        let head = &self.known(repository).pulls[&comment.pull].head;
        json!({"id": comment.id, "node_id": node_id("PRRC", comment.id), "body": comment.body,
            "user": self.user_json(&comment.author), "path": comment.path, "line": comment.line,
            "original_line": comment.line, "start_line": null, "original_start_line": null, "side": "RIGHT",
            "start_side": null, "position": 1, "original_position": 1, "diff_hunk": "@@ -0,0 +1 @@",
            "commit_id": head, "original_commit_id": head, "pull_request_review_id": comment.review,
            "created_at": TIME, "updated_at": TIME, "author_association": "NONE", "url": url, "html_url": page,
            "pull_request_url": pull_url, "reactions": no_reactions(&url),
            "_links": {"self": {"href": url}, "html": {"href": page}, "pull_request": {"href": pull_url}}})
    }

    /// A review.
    pub(crate) fn review_json(&self, repository: u64, review: &Review) -> Value {
        let page = format!("{}#pullrequestreview-{}", self.pull_page(repository, review.pull), review.id);
        let pull_url = format!("{}/pulls/{}", self.repository_url(repository), review.pull);
        json!({"id": review.id, "node_id": node_id("PRR", review.id), "body": review.body,
            "user": self.user_json(&review.author), "state": "COMMENTED", "commit_id": review.head,
            "submitted_at": TIME, "author_association": "NONE", "html_url": page, "pull_request_url": pull_url,
            "_links": {"html": {"href": page}, "pull_request": {"href": pull_url}}})
    }

    /// A label.
    pub(crate) fn label_json(&self, repository: u64, name: &str) -> Value {
        json!({"id": 1, "node_id": node_id("LA", 1), "name": name, "color": "ededed", "default": false,
            "description": null, "url": format!("{}/labels/label-1", self.repository_url(repository))})
    }

    fn known(&self, repository: u64) -> &Repository {
        self.repositories.iter().find(|known| known.id == repository).expect("a known repository")
    }

    fn pull_page(&self, repository: u64, number: u64) -> String {
        let url = self.repository_url(repository);
        format!("{WEB}{}/pull/{number}", url.strip_prefix(&format!("{API}/repos")).expect("it begins so"))
    }

    /// The addresses around a pull request, each with its field.
    fn pull_links(&self, repository: u64, pull: &Pull) -> [(&'static str, String); 7] {
        let repository = self.repository_url(repository);
        let number = pull.number;
        let (url, issue) = (format!("{repository}/pulls/{number}"), format!("{repository}/issues/{number}"));
        [
            ("url", url.clone()),
            ("issue_url", issue.clone()),
            ("comments_url", format!("{issue}/comments")),
            ("review_comments_url", format!("{url}/comments")),
            ("review_comment_url", format!("{repository}/pulls/comments{{/number}}")),
            ("commits_url", format!("{url}/commits")),
            ("statuses_url", format!("{repository}/statuses/{}", pull.head)),
        ]
    }
}
