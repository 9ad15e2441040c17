//! Check runs, check suites and statuses.

use serde_json::{Value, json};

use super::super::world::{CheckRun, World};
use super::{TIME, WEB, node_id, pushed_commit_json};

impl World {
    /// A check run.
    pub(crate) fn check_run_json(&self, repository: u64, run: &CheckRun) -> Value {
        let url = format!("{}/check-runs/{}", self.repository_url(repository), run.id);
        let page = format!("{WEB}/runs/{}", run.id);
        json!({"id": run.id, "node_id": node_id("CR", run.id), "name": run.name, "head_sha": run.head,
            "external_id": run.external_id, "status": run.status, "conclusion": run.conclusion,
            "started_at": TIME, "completed_at": (run.status == "completed").then_some(TIME),
            "app": self.any_app_json(run.app), "check_suite": {"id": run.suite}, "url": url, "html_url": page,
            "details_url": page, "pull_requests": self.pulls_of_head(repository, &run.head),
            "output": {"title": run.output["title"], "summary": run.output["summary"], "text": run.output["text"],
                "annotations_count": run.annotations.len(), "annotations_url": format!("{url}/annotations")}})
    }

    /// All checks of a commit by one app, as deliveries have them.
    pub(crate) fn check_suite_json(&mut self, repository: u64, head: &str, app: u64) -> Value {
        let known = self.repository(repository);
        let commit = pushed_commit_json(&known.bare.described(&[head])[0]);
        let runs: Vec<_> =
            known.check_runs.iter().filter(|run| run.head == head && run.app == app).cloned().collect();
        let id = runs.first().map_or(app, |run| run.suite);
        let is_done = runs.iter().all(|run| run.status == "completed");
        let url = format!("{}/check-suites/{id}", self.repository_url(repository));
        json!({"id": id, "node_id": node_id("CS", id), "head_sha": head, "head_branch": null,
            "status": if is_done { "completed" } else { "queued" },
            "conclusion": runs.last().filter(|_| is_done).and_then(|run| run.conclusion.clone()),
            "before": null, "after": null, "created_at": TIME, "updated_at": TIME, "url": url,
            "check_runs_url": format!("{url}/check-runs"), "latest_check_runs_count": runs.len(),
            "head_commit": commit, "app": self.any_app_json(app), "pull_requests": self.pulls_of_head(repository, head)})
    }

    /// What was said of a commit by the older way.
    pub(crate) fn statuses_json(&self, repository: u64, head: &str) -> Value {
        let known =
            self.repositories.iter().find(|known| known.id == repository).expect("a known repository");
        let url = self.repository_url(repository);
        let status = |(index, said): (usize, &Value)| {
            super::with(
                said.clone(),
                json!({"id": index + 1, "node_id": node_id("S", index as u64 + 1), "avatar_url": null,
                    "url": format!("{url}/statuses/{head}"), "created_at": TIME, "updated_at": TIME}),
            )
        };
        let of_head = known.statuses.iter().filter(|(of, _)| of == head).map(|(_, said)| said);
        let statuses: Vec<_> = of_head.enumerate().map(status).collect();
        json!({"state": "pending", "sha": head, "total_count": statuses.len(), "statuses": statuses,
            "repository": self.repository_json(repository), "url": format!("{url}/commits/{head}/status"),
            "commit_url": format!("{url}/commits/{head}")})
    }

    /// The pull requests of a head as checks list them: not those from forks.
    pub(crate) fn pulls_of_head(&self, repository: u64, head: &str) -> Value {
        let known =
            self.repositories.iter().find(|known| known.id == repository).expect("a known repository");
        let url = self.repository_url(repository);
        let end = |branch: &str, commit: &str| {
            json!({"ref": branch, "sha": commit, "repo": {"id": repository, "name": known.name,
                "url": url}})
        };
        let of_head = known
            .pulls
            .values()
            .filter(|pull| pull.head == head && pull.is_open && pull.head_repository == Some(repository));
        of_head
            .map(|pull| {
                json!({"id": 9_000 + pull.number, "number": pull.number,
                    "url": format!("{url}/pulls/{}", pull.number), "head": end(&pull.head_ref, &pull.head),
                    "base": end(&pull.base_ref, &pull.base)})
            })
            .collect()
    }
}
