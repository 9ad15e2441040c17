//! The state as GitHub's JSON.

use serde_json::{Value, json};

use super::world::{APP_ID, APP_SLUG, CheckRun, Comment, Pull, Review, ReviewComment, World};

/// When everything happened.
pub(crate) const TIME: &str = "2026-11-01T12:00:00Z";

impl World {
    pub(crate) fn app_json(&self) -> Value {
        json!({"id": APP_ID, "slug": APP_SLUG, "name": "recuse (test)", "client_id": "Iv1.oak",
            "html_url": format!("https://github.example/apps/{APP_SLUG}"), "owner": self.user_json("acme"),
            "permissions": self.app_permissions, "events": self.app_events})
    }

    pub(crate) fn repository_json(&self, id: u64) -> Value {
        let Some(repository) = self.repositories.iter().find(|repository| repository.id == id) else {
            return Value::Null;
        };
        let full_name = format!("{}/{}", repository.owner, repository.name);
        json!({"id": id, "name": repository.name, "full_name": full_name, "private": repository.is_private,
            "owner": self.user_json(&repository.owner), "default_branch": "main", "fork": false,
            "html_url": format!("https://github.example/{full_name}")})
    }

    pub(crate) fn installation_json(&self, id: u64) -> Value {
        let installation = &self.installations[&id];
        json!({"id": id, "account": self.user_json(&installation.account), "app_id": APP_ID, "app_slug": APP_SLUG,
            "permissions": installation.permissions, "events": ["pull_request"], "repository_selection": "selected",
            "suspended_at": installation.is_suspended.then_some(TIME)})
    }

    /// An installation that has just changed: no two deliveries of that are the same.
    pub(crate) fn changed_installation_json(&mut self, id: u64) -> Value {
        let mut installation = self.installation_json(id);
        let time = jiff::Timestamp::from_second(self.next_id() as i64).expect("a time");
        installation["updated_at"] = json!(time.to_string());
        installation
    }

    /// A pull request, as lists and deliveries have it.
    pub(crate) fn pull_json(&self, repository: u64, pull: &Pull) -> Value {
        let head_repository = pull.head_repository.map_or(Value::Null, |id| match self.repository_json(id) {
            Value::Null => json!({"id": id, "name": "fork", "full_name": "fork/fork", "fork": true,
                "private": false, "owner": self.user_json(&pull.author)}),
            known => known,
        });
        let labels: Vec<_> =
            pull.labels.iter().map(|name| json!({"id": 1, "name": name, "color": "ededed"})).collect();
        json!({"id": 9_000 + pull.number, "number": pull.number, "title": pull.title, "body": pull.body,
            "state": if pull.is_open { "open" } else { "closed" }, "draft": pull.is_draft, "locked": false,
            "user": self.user_json(&pull.author), "labels": labels, "created_at": TIME,
            "updated_at": jiff::Timestamp::from_second(pull.updated_at as i64).expect("a time").to_string(),
            "merged_at": pull.is_merged.then_some(TIME),
            "head": {"ref": pull.head_ref, "sha": pull.head, "repo": head_repository,
                "label": format!("x:{}", pull.head_ref), "user": self.user_json(&pull.author)},
            "base": {"ref": pull.base_ref, "sha": pull.base, "repo": self.repository_json(repository),
                "label": format!("x:{}", pull.base_ref)}})
    }

    /// The same with what only a single one has.
    pub(crate) fn whole_pull_json(&self, repository: u64, pull: &Pull) -> Value {
        let mut value = self.pull_json(repository, pull);
        let known =
            self.repositories.iter().find(|known| known.id == repository).expect("a known repository");
        value["merged"] = json!(pull.is_merged);
        // GitHub computes it later.
        value["mergeable"] = Value::Null;
        value["commits"] = json!(known.bare.commits(&pull.base, &pull.head).len());
        value["comments"] =
            json!(known.comments.iter().filter(|comment| comment.pull == pull.number).count());
        value["changed_files"] = json!(known.bare.files(&pull.base, &pull.head).len());
        value
    }

    pub(crate) fn comment_json(&self, comment: &Comment) -> Value {
        let app = comment.by_app.map_or(Value::Null, |id| json!({"id": id, "slug": APP_SLUG}));
        json!({"id": comment.id, "body": comment.body, "user": self.user_json(&comment.author),
            "performed_via_github_app": app, "created_at": TIME, "updated_at": TIME,
            "html_url": format!("https://github.example/comments/{}", comment.id)})
    }

    pub(crate) fn review_comment_json(&self, comment: &ReviewComment) -> Value {
        json!({"id": comment.id, "body": comment.body, "user": self.user_json(&comment.author),
            "path": comment.path, "line": comment.line, "pull_request_review_id": comment.review})
    }

    pub(crate) fn review_json(&self, review: &Review) -> Value {
        json!({"id": review.id, "body": review.body, "user": self.user_json(&review.author), "state": "COMMENTED",
            "commit_id": review.head, "submitted_at": TIME})
    }

    pub(crate) fn check_run_json(&self, repository: u64, run: &CheckRun) -> Value {
        let app = if run.app == APP_ID {
            json!({"id": APP_ID, "slug": APP_SLUG, "name": "recuse (test)"})
        } else {
            json!({"id": run.app, "slug": format!("app-{}", run.app), "name": "another"})
        };
        json!({"id": run.id, "name": run.name, "head_sha": run.head, "external_id": run.external_id,
            "status": run.status, "conclusion": run.conclusion, "app": app,
            "check_suite": {"id": run.suite}, "html_url": format!("https://github.example/runs/{}", run.id),
            "pull_requests": self.pulls_of_head(repository, &run.head),
            "output": {"title": run.output["title"], "summary": run.output["summary"], "text": run.output["text"],
                "annotations_count": run.annotations.len()}})
    }

    /// The pull requests of a head as checks list them: not those from forks.
    pub(crate) fn pulls_of_head(&self, repository: u64, head: &str) -> Value {
        let known =
            self.repositories.iter().find(|known| known.id == repository).expect("a known repository");
        let of_head = known
            .pulls
            .values()
            .filter(|pull| pull.head == head && pull.is_open && pull.head_repository == Some(repository));
        of_head.map(|pull| json!({"id": 9_000 + pull.number, "number": pull.number})).collect()
    }
}
