//! Calls that write, each checked as GitHub checks it; what no call of recuse may be is a violation.

use serde_json::{Value, json};

use super::authority::Caller;
use super::endpoint::Endpoint;
use super::render::{TIME, node_id};
use super::server::Asking;
use super::world::{APP_ID, Answered, CheckRun, Comment, DOCS, Review, ReviewComment, World};
use super::written::Words;

/// GitHub's limit of a comment's body, in characters.
const MAX_BODY: usize = 65_536;

impl World {
    pub(crate) fn create_check_run(&mut self, id: u64, asked: &Asking<'_>) -> Answered {
        let body = asked.body;
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let (name, head) = (text("name"), text("head_sha"));
        if name.is_empty() || self.repository(id).bare.resolve(&head).is_none() {
            return Answered::message(422, "No commit found for SHA");
        }
        if let Err(refusal) = self.check_output(body) {
            return refusal;
        }
        let suite = self.repository(id).check_runs.iter().find(|run| run.head == head && run.app == APP_ID);
        let suite = suite.map(|run| run.suite);
        let suite = suite.unwrap_or_else(|| self.next_id());
        let mut run = CheckRun {
            id: self.next_id(),
            suite,
            name,
            head,
            app: APP_ID,
            external_id: text("external_id"),
            status: "queued".to_owned(),
            conclusion: None,
            output: Value::Null,
            annotations: Vec::new(),
            actions: Vec::new(),
            history: Vec::new(),
        };
        apply(&mut run, body);
        self.note_check_run(id, &run, body, asked.number_of_call);
        let answer = self.check_run_json(id, &run);
        self.repository(id).check_runs.push(run);
        let action = if answer["status"] == "completed" { "completed" } else { "created" };
        let bot = super::world::bot_login();
        self.tell("check_run", Some(id), &bot, json!({"action": action, "check_run": answer.clone()}));
        Answered::json(Endpoint::CreateCheckRun.created(), answer)
    }

    pub(crate) fn update_check_run(&mut self, id: u64, asked: &Asking<'_>) -> Answered {
        if let Err(refusal) = self.check_output(asked.body) {
            return refusal;
        }
        let number = asked.number();
        let runs = &mut self.repository(id).check_runs;
        let Some(run) = runs.iter_mut().find(|run| run.id == number) else { return Answered::not_found() };
        if run.app != APP_ID {
            self.violations.push(format!("the check run {number} of another app was to be changed"));
            return Answered::message(
                403,
                "Invalid app_id `77` - check run can only be modified by the GitHub App that created it.",
            );
        }
        apply(run, asked.body);
        let run = run.clone();
        self.note_check_run(id, &run, asked.body, asked.number_of_call);
        let answer = self.check_run_json(id, &run);
        if run.status == "completed" {
            let bot = super::world::bot_login();
            self.tell(
                "check_run",
                Some(id),
                &bot,
                json!({"action": "completed", "check_run": answer.clone()}),
            );
        }
        Answered::ok(answer)
    }

    pub(crate) fn create_comment(&mut self, id: u64, caller: &Caller, asked: &Asking<'_>) -> Answered {
        let pull = asked.number();
        if !self.repository(id).pulls.contains_key(&pull) {
            return Answered::not_found();
        }
        let body = match self.check_body(&asked.body["body"]) {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        self.note_comment(id, pull, &body, asked.number_of_call);
        let (author, by_app) = caller.author();
        let comment = self.add_comment(id, pull, &author, by_app, &body);
        Answered::json(Endpoint::CreateComment.created(), self.comment_json(id, &comment))
    }

    pub(crate) fn update_comment(&mut self, id: u64, caller: &Caller, asked: &Asking<'_>) -> Answered {
        let body = match self.check_body(&asked.body["body"]) {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        let number = asked.number();
        let (author, by_app) = caller.author();
        let comments = &mut self.repository(id).comments;
        let Some(comment) = comments.iter_mut().find(|comment| comment.id == number) else {
            return Answered::not_found();
        };
        if comment.author != author || comment.by_app != by_app {
            self.violations.push(format!("the comment {number} of somebody else was to be changed"));
            return Answered::message(403, "You cannot edit this comment.");
        }
        comment.former_bodies.push(std::mem::replace(&mut comment.body, body));
        let comment = comment.clone();
        self.note_comment(id, comment.pull, &comment.body, asked.number_of_call);
        self.tell_comment(id, "edited", &comment, &author);
        Answered::ok(self.comment_json(id, &comment))
    }

    pub(crate) fn create_review(&mut self, id: u64, caller: &Caller, asked: &Asking<'_>) -> Answered {
        let number = asked.number();
        let Some(pull) = self.repository(id).pulls.get(&number).cloned() else {
            return Answered::not_found();
        };
        if asked.body["event"] != "COMMENT" {
            self.violations.push(format!("a review with the event {} was sent", asked.body["event"]));
            return Answered::message(422, "Unprocessable Entity");
        }
        let body = match self.check_body(&asked.body["body"]) {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        let head = asked.body["commit_id"].as_str().unwrap_or_default().to_owned();
        // Even one that is refused here.
        self.note(id, number, Words::Review, Some(head.clone()), asked.number_of_call);
        if head != pull.head {
            return Answered::message(
                422,
                "Unprocessable Entity: commit_id is not the head of the pull request",
            );
        }
        let diff = review::diff::parse(&self.repository(id).bare.diff(&pull.base, &pull.head));
        let comments = asked.body["comments"].as_array().cloned().unwrap_or_default();
        for comment in &comments {
            if let Err(refusal) = self.check_body(&comment["body"]) {
                return refusal;
            }
            if !is_in_diff(&diff.files, comment) {
                return Answered::json(
                    422,
                    json!({"message": "Unprocessable Entity", "documentation_url": DOCS,
                        "errors": ["Pull request review thread line must be part of the diff"], "status": "422"}),
                );
            }
        }
        let (author, _) = caller.author();
        let review = Review { id: self.next_id(), pull: number, author: author.clone(), body, head };
        for comment in &comments {
            let comment = ReviewComment {
                id: self.next_id(),
                pull: number,
                review: review.id,
                author: author.clone(),
                path: comment["path"].as_str().unwrap_or_default().to_owned(),
                line: comment["line"].as_u64().unwrap_or(0),
                body: comment["body"].as_str().unwrap_or_default().to_owned(),
                reactions: Vec::new(),
            };
            self.repository(id).review_comments.push(comment);
        }
        self.repository(id).reviews.push(review.clone());
        Answered::ok(self.review_json(id, &review))
    }

    pub(crate) fn react(&mut self, id: u64, caller: &Caller, asked: &Asking<'_>) -> Answered {
        let content = asked.body["content"].as_str().unwrap_or_default().to_owned();
        if content != "eyes" {
            self.violations.push(format!("a reaction {content:?} was sent"));
        }
        let number = asked.number();
        let (author, _) = caller.author();
        let made = self.next_id();
        let repository = self.repository(id);
        let reactions = match asked.target.endpoint {
            Endpoint::ReactToComment => {
                let comment = repository.comments.iter_mut().find(|comment| comment.id == number);
                comment.map(|comment| &mut comment.reactions)
            }
            _ => {
                let comment = repository.review_comments.iter_mut().find(|comment| comment.id == number);
                comment.map(|comment| &mut comment.reactions)
            }
        };
        let Some(reactions) = reactions else { return Answered::not_found() };
        let reaction = (author.clone(), content.clone());
        let is_new = !reactions.contains(&reaction);
        if is_new {
            reactions.push(reaction);
        }
        let status = if is_new { 201 } else { 200 };
        Answered::json(
            status,
            json!({"id": made, "node_id": node_id("REA", made), "content": content,
                "user": self.user_json(&author), "created_at": TIME}),
        )
    }

    /// Adds a comment and tells of it.
    pub(crate) fn add_comment(
        &mut self,
        id: u64,
        pull: u64,
        author: &str,
        by_app: Option<u64>,
        body: &str,
    ) -> Comment {
        let comment = Comment {
            id: self.next_id(),
            pull,
            author: author.to_owned(),
            by_app,
            body: body.to_owned(),
            former_bodies: Vec::new(),
            reactions: Vec::new(),
        };
        self.repository(id).comments.push(comment.clone());
        self.tell_comment(id, "created", &comment, author);
        comment
    }

    pub(crate) fn tell_comment(&mut self, id: u64, action: &str, comment: &Comment, sender: &str) -> String {
        let pull = self.repository(id).pulls[&comment.pull].clone();
        let mut payload = json!({"action": action, "issue": self.issue_json(id, &pull),
            "comment": self.comment_json(id, comment)});
        if action == "edited" {
            payload["changes"] = json!({"body": {"from": comment.former_bodies.last()}});
        }
        self.tell("issue_comment", Some(id), sender, payload)
    }

    fn check_body(&mut self, body: &Value) -> Result<String, Answered> {
        let body = body.as_str().unwrap_or_default();
        if body.chars().count() > MAX_BODY {
            self.violations.push(format!("a body of {} characters was sent", body.chars().count()));
            return Err(Answered::invalid(
                "IssueComment",
                "body",
                "body is too long (maximum is 65536 characters)",
            ));
        }
        Ok(body.to_owned())
    }

    fn check_output(&mut self, body: &Value) -> Result<(), Answered> {
        let output = &body["output"];
        let length = |name: &str| output[name].as_str().map_or(0, |text| text.chars().count());
        let annotations = output["annotations"].as_array().map_or(0, Vec::len);
        let actions = body["actions"].as_array().map_or(0, Vec::len);
        let sizes = [
            ("summary", length("summary"), 65_535),
            ("text", length("text"), 65_535),
            ("title", length("title"), 255),
            ("annotations", annotations, 50),
            ("actions", actions, 3),
        ];
        for (name, size, most) in sizes {
            if size > most {
                self.violations.push(format!("a check run with {name} of {size} was sent"));
                return Err(Answered::message(422, &format!("Invalid request. {name} is too long.")));
            }
        }
        Ok(())
    }
}

/// Changes what a body names of a check run; annotations are added.
fn apply(run: &mut CheckRun, body: &Value) {
    if let Some(status) = body["status"].as_str() {
        run.status = status.to_owned();
    }
    match body["conclusion"].as_str() {
        Some(conclusion) => {
            run.conclusion = Some(conclusion.to_owned());
            run.status = "completed".to_owned();
        }
        None if run.status != "completed" => run.conclusion = None,
        None => {}
    }
    if body["output"].is_object() {
        run.output = body["output"].clone();
        run.annotations.extend(body["output"]["annotations"].as_array().into_iter().flatten().cloned());
    }
    if let Some(actions) = body["actions"].as_array() {
        run.actions = actions.clone();
    }
    run.history.push((run.status.clone(), run.conclusion.clone()));
}

/// Whether all lines of a comment are in one hunk of the diff, on its side.
fn is_in_diff(files: &[review::FileChange], comment: &Value) -> bool {
    let side = match comment["side"].as_str() {
        Some("LEFT") => review::Side::Base,
        _ => review::Side::Head,
    };
    let path = comment["path"].as_str().unwrap_or_default();
    let line = comment["line"].as_u64().unwrap_or(0);
    let start = comment["start_line"].as_u64().unwrap_or(line);
    let Some(file) = files.iter().find(|file| file.path.as_str() == path) else { return false };
    file.hunks().iter().any(|hunk| {
        let has = |number: u64| hunk.lines().any(|line| line.number(side).map(u64::from) == Some(number));
        start <= line && has(start) && has(line)
    })
}
