//! What people do on GitHub: each verb changes the state and tells of it.

use serde_json::{Value, json};

use super::FakeGitHub;
use super::bare::{ADA, Committer};
use super::render::{WEB, node_id, pushed_commit_json, with};
use super::world::{APP_ID, CheckRun, Comment, Pull, ReviewComment, now};
use super::written::Life;

/// A pull request that is to be opened. Its branch begins at `main` unless it is there.
pub(crate) struct OpenPull<'a> {
    pub(crate) author: &'a str,
    pub(crate) branch: &'a str,
    pub(crate) title: &'a str,
    pub(crate) body: &'a str,
    pub(crate) message: &'a str,
    pub(crate) committer: Committer<'a>,
    pub(crate) files: &'a [(&'a str, &'a str)],
    pub(crate) is_draft: bool,
    /// The number of the fork that it comes from; none for a branch of the repository itself.
    pub(crate) fork: Option<u64>,
}

impl Default for OpenPull<'_> {
    /// A small one of ada's.
    fn default() -> Self {
        Self {
            author: "ada",
            branch: "topic",
            title: "Sell apples",
            body: "Apples are good.",
            message: "Sell apples",
            committer: ADA,
            files: &[("apples.py", "def price():\n    return 1\n")],
            is_draft: false,
            fork: None,
        }
    }
}

impl FakeGitHub {
    /// Commits to a branch without telling anybody; the commit.
    pub(crate) fn commit(
        &self,
        repository: u64,
        branch: &str,
        message: &str,
        files: &[(&str, &str)],
    ) -> String {
        let files: Vec<_> = files.iter().map(|(path, text)| (*path, Some(text.as_bytes()))).collect();
        self.commit_as(repository, branch, ADA, message, &files)
    }

    /// Commits bytes, or removes files, to a branch that begins at `main` without telling anybody; the commit.
    pub(crate) fn commit_as(
        &self,
        repository: u64,
        branch: &str,
        committer: Committer<'_>,
        message: &str,
        files: &[(&str, Option<&[u8]>)],
    ) -> String {
        let mut world = self.world();
        world.repository(repository).bare.commit(branch, Some("refs/heads/main"), committer, message, files)
    }

    /// Opens a pull request against `main`; its number.
    pub(crate) fn open_pull(&self, repository: u64, opened: &OpenPull<'_>) -> u64 {
        if !opened.files.is_empty() {
            let files: Vec<_> =
                opened.files.iter().map(|(path, text)| (*path, Some(text.as_bytes()))).collect();
            self.commit_as(repository, opened.branch, opened.committer, opened.message, &files);
        }
        let mut world = self.world();
        world.account(opened.author, "User");
        let updated = world.next_id();
        let known = world.repository(repository);
        known.last_number += 1;
        let number = known.last_number;
        let head = known.bare.resolve(&format!("refs/heads/{}", opened.branch)).expect("the branch is there");
        let base = known.bare.resolve("refs/heads/main").expect("main is there");
        known.bare.point(&format!("refs/pull/{number}/head"), &head);
        let mut pull = Pull {
            number,
            title: opened.title.to_owned(),
            body: Some(opened.body.to_owned()).filter(|body| !body.is_empty()),
            author: opened.author.to_owned(),
            head_ref: opened.branch.to_owned(),
            life: Life::default(),
            head,
            head_repository: Some(opened.fork.unwrap_or(repository)),
            base_ref: "main".to_owned(),
            base,
            is_draft: opened.is_draft,
            is_open: true,
            is_merged: false,
            labels: Vec::new(),
            updated,
            updated_at: now(),
        };
        pull.life.moves_to(&pull.head);
        known.pulls.insert(number, pull);
        drop(world);
        self.tell_pull(repository, number, opened.author, "opened", json!({}));
        number
    }

    /// Lets a pull request have changed last so many days ago.
    pub(crate) fn age_pull(&self, repository: u64, number: u64, days: u64) {
        self.change(repository, number, |_| {});
        let mut world = self.world();
        let pull = world.repository(repository).pulls.get_mut(&number).expect("a known pull request");
        pull.updated_at -= days * 24 * 60 * 60;
    }

    /// Pushes to a pull request's branch; the new head.
    pub(crate) fn push(&self, repository: u64, number: u64, files: &[(&str, &str)]) -> String {
        let pull = self.pull(repository, number);
        let head = self.commit(repository, &pull.head_ref, "More", files);
        self.move_head(repository, number, &head);
        head
    }

    /// Moves a pull request's head to any commit, as a forced push does.
    pub(crate) fn move_head(&self, repository: u64, number: u64, head: &str) -> String {
        let before = self.pull(repository, number);
        {
            let mut world = self.world();
            let bare = &world.repository(repository).bare;
            bare.point(&format!("refs/heads/{}", before.head_ref), head);
            bare.point(&format!("refs/pull/{number}/head"), head);
        }
        self.change(repository, number, |pull| pull.moves_to(head));
        let more = json!({"before": before.head, "after": head});
        self.tell_pull(repository, number, &before.author, "synchronize", more)
    }

    /// Moves the head without telling of it, as one that comes between two calls of ours and whose delivery is late.
    pub(crate) fn move_head_silently(&self, repository: u64, number: u64, head: &str) {
        self.world().repository(repository).bare.point(&format!("refs/pull/{number}/head"), head);
        self.change(repository, number, |pull| pull.moves_to(head));
    }

    /// Edits the title or the body.
    pub(crate) fn edit(
        &self,
        repository: u64,
        number: u64,
        title: Option<&str>,
        body: Option<&str>,
    ) -> String {
        let before = self.pull(repository, number);
        self.change(repository, number, |pull| {
            pull.title = title.map_or_else(|| pull.title.clone(), str::to_owned);
            pull.body = body.map(str::to_owned).or_else(|| pull.body.clone());
        });
        let mut changes = json!({});
        if title.is_some() {
            changes["title"] = json!({"from": before.title});
        }
        if body.is_some() {
            changes["body"] = json!({"from": before.body});
        }
        self.tell_pull(repository, number, &before.author, "edited", json!({"changes": changes}))
    }

    /// Lets a branch begin, or begin anew, at a commit.
    pub(crate) fn branch(&self, repository: u64, branch: &str, commit: &str) {
        self.world().repository(repository).bare.point(&format!("refs/heads/{branch}"), commit);
    }

    /// Lets a pull request be merged into another branch.
    pub(crate) fn change_base(&self, repository: u64, number: u64, branch: &str) -> String {
        let before = self.pull(repository, number);
        let base = self.resolve(repository, &format!("refs/heads/{branch}"));
        self.change(repository, number, |pull| (pull.base_ref, pull.base) = (branch.to_owned(), base));
        let changes = json!({"base": {"ref": {"from": before.base_ref}, "sha": {"from": before.base}}});
        self.tell_pull(repository, number, "ada", "edited", json!({"changes": changes}))
    }

    /// Puts a label on.
    pub(crate) fn label(&self, repository: u64, number: u64, label: &str) -> String {
        self.change(repository, number, |pull| pull.labels.push(label.to_owned()));
        let label = self.world().label_json(repository, label);
        self.tell_pull(repository, number, "ada", "labeled", json!({"label": label}))
    }

    /// Takes a label off.
    pub(crate) fn unlabel(&self, repository: u64, number: u64, label: &str) -> String {
        self.change(repository, number, |pull| pull.labels.retain(|one| one != label));
        let label = self.world().label_json(repository, label);
        self.tell_pull(repository, number, "ada", "unlabeled", json!({"label": label}))
    }

    /// Says that a draft is ready.
    pub(crate) fn ready(&self, repository: u64, number: u64) -> String {
        self.change(repository, number, |pull| pull.is_draft = false);
        self.tell_pull(repository, number, "ada", "ready_for_review", json!({}))
    }

    /// Makes a draft of it again.
    pub(crate) fn to_draft(&self, repository: u64, number: u64) -> String {
        self.change(repository, number, |pull| pull.is_draft = true);
        self.tell_pull(repository, number, "ada", "converted_to_draft", json!({}))
    }

    /// Closes without merging.
    pub(crate) fn close(&self, repository: u64, number: u64) -> String {
        self.change(repository, number, |pull| pull.is_open = false);
        self.tell_pull(repository, number, "ada", "closed", json!({}))
    }

    /// Merges, as far as it shows.
    pub(crate) fn merge(&self, repository: u64, number: u64) -> String {
        self.change(repository, number, |pull| (pull.is_open, pull.is_merged) = (false, true));
        self.tell_pull(repository, number, "ada", "closed", json!({}))
    }

    /// Opens again.
    pub(crate) fn reopen(&self, repository: u64, number: u64) -> String {
        self.change(repository, number, |pull| pull.is_open = true);
        self.tell_pull(repository, number, "ada", "reopened", json!({}))
    }

    /// Writes a comment into the conversation; its number.
    pub(crate) fn comment(&self, repository: u64, number: u64, author: &str, body: &str) -> u64 {
        let mut world = self.world();
        world.account(author, "User");
        let comment = world.add_comment(repository, number, author, None, body);
        drop(world);
        self.shared.flush();
        comment.id
    }

    /// Answers in a thread at a line; the answer's number.
    pub(crate) fn comment_at_line(&self, repository: u64, number: u64, author: &str, body: &str) -> u64 {
        let mut world = self.world();
        world.account(author, "User");
        let id = world.next_id();
        let known = &mut world.repository(repository).review_comments;
        let thread = known.iter().find(|comment| comment.pull == number).expect("a thread").clone();
        let (author, body) = (author.to_owned(), body.to_owned());
        let comment = ReviewComment { id, author, body, reactions: Vec::new(), ..thread };
        known.push(comment.clone());
        let pull = world.repository(repository).pulls[&number].clone();
        let payload = json!({"action": "created", "pull_request": world.pull_json(repository, &pull),
            "comment": world.review_comment_json(repository, &comment)});
        world.tell("pull_request_review_comment", Some(repository), &comment.author, payload);
        drop(world);
        self.shared.flush();
        id
    }

    /// Writes a comment through another app, silently; its number.
    pub(crate) fn comment_by_app(
        &self,
        repository: u64,
        number: u64,
        login: &str,
        app: u64,
        body: &str,
    ) -> u64 {
        let mut world = self.world();
        world.account(login, "Bot");
        let id = world.next_id();
        let comment = Comment {
            id,
            pull: number,
            author: login.to_owned(),
            by_app: Some(app),
            body: body.to_owned(),
            former_bodies: Vec::new(),
            reactions: Vec::new(),
        };
        world.repository(repository).comments.push(comment);
        id
    }

    /// Adds a bot's account.
    pub(crate) fn add_bot(&self, login: &str) {
        self.world().account(login, "Bot");
    }

    /// Edits a comment as its author.
    pub(crate) fn edit_comment(&self, repository: u64, id: u64, body: &str) {
        let comment = self.overwrite_comment(repository, id, body);
        self.world().tell_comment(repository, "edited", &comment, &comment.author);
        self.shared.flush();
    }

    /// Edits anybody's comment, silently, as a maintainer may.
    pub(crate) fn overwrite_comment(&self, repository: u64, id: u64, body: &str) -> Comment {
        let mut world = self.world();
        let comments = &mut world.repository(repository).comments;
        let comment = comments.iter_mut().find(|comment| comment.id == id).expect("a known comment");
        comment.former_bodies.push(std::mem::replace(&mut comment.body, body.to_owned()));
        comment.clone()
    }

    /// Deletes a comment.
    pub(crate) fn delete_comment(&self, repository: u64, id: u64) -> String {
        let mut world = self.world();
        let comments = &mut world.repository(repository).comments;
        let index = comments.iter().position(|comment| comment.id == id).expect("a known comment");
        let comment = comments.remove(index);
        let guid = world.tell_comment(repository, "deleted", &comment, "ada");
        drop(world);
        self.shared.flush();
        guid
    }

    /// Presses "Re-run" at a check run.
    pub(crate) fn rerequest_check(&self, repository: u64, id: u64) -> String {
        self.rerequest_check_as(repository, id, "ada")
    }

    /// Lets somebody press "Re-run" at a check run.
    pub(crate) fn rerequest_check_as(&self, repository: u64, id: u64, login: &str) -> String {
        self.tell_check(repository, id, login, json!({"action": "rerequested"}))
    }

    /// Presses a button of a check run.
    pub(crate) fn press(&self, repository: u64, id: u64, identifier: &str) -> String {
        self.press_as(repository, id, identifier, "ada")
    }

    /// Lets somebody press a button of a check run.
    pub(crate) fn press_as(&self, repository: u64, id: u64, identifier: &str, login: &str) -> String {
        self.tell_check(
            repository,
            id,
            login,
            json!({"action": "requested_action", "requested_action": {"identifier": identifier}}),
        )
    }

    /// Presses "Re-run all" at a commit.
    pub(crate) fn rerequest_suite(&self, repository: u64, head: &str) -> String {
        self.rerequest_suite_as(repository, head, "ada")
    }

    /// Lets somebody press "Re-run all" at a commit.
    pub(crate) fn rerequest_suite_as(&self, repository: u64, head: &str, login: &str) -> String {
        let mut world = self.world();
        let suite = world.check_suite_json(repository, head, APP_ID);
        let payload = json!({"action": "rerequested", "check_suite": suite});
        let guid = world.tell("check_suite", Some(repository), login, payload);
        drop(world);
        self.shared.flush();
        guid
    }

    /// Adds a check run of another app, or of ours as a former process of it may have left one.
    pub(crate) fn add_check_run(
        &self,
        repository: u64,
        head: &str,
        name: &str,
        app: u64,
        external_id: &str,
    ) -> u64 {
        let mut world = self.world();
        let id = world.next_id();
        let run = CheckRun {
            id,
            suite: app,
            name: name.to_owned(),
            head: head.to_owned(),
            app,
            external_id: external_id.to_owned(),
            status: "in_progress".to_owned(),
            conclusion: None,
            output: Value::Null,
            annotations: Vec::new(),
            actions: Vec::new(),
            history: Vec::new(),
        };
        world.repository(repository).check_runs.push(run);
        id
    }

    /// Ends another app's check run, and with it that app's checks of the commit.
    pub(crate) fn end_check(&self, repository: u64, id: u64, conclusion: &str) -> String {
        let mut world = self.world();
        let mut runs = world.repository(repository).check_runs.iter_mut();
        let run = runs.find(|run| run.id == id).expect("a known check run");
        run.status = "completed".to_owned();
        run.conclusion = Some(conclusion.to_owned());
        let (head, app) = (run.head.clone(), run.app);
        let suite = world.check_suite_json(repository, &head, app);
        let payload = json!({"action": "completed", "check_suite": suite});
        let guid = world.tell("check_suite", Some(repository), "ada", payload);
        drop(world);
        self.shared.flush();
        guid
    }

    /// Says something of a commit by the older way.
    pub(crate) fn add_status(&self, repository: u64, head: &str, context: &str, state: &str) {
        let status = json!({"context": context, "state": state, "description": "", "target_url": null});
        self.world().repository(repository).statuses.push((head.to_owned(), status));
    }

    /// Asks for the checks of a merge queue's group, whose commit is made for it; the commit.
    pub(crate) fn enqueue(&self, repository: u64, number: u64) -> String {
        let pull = self.pull(repository, number);
        let branch = format!("gh-readonly-queue/main/pr-{number}-{}", pull.base);
        let head = self.commit(repository, &branch, "Merge", &[("merged.txt", "merged\n")]);
        let mut world = self.world();
        let commit = pushed_commit_json(&world.repository(repository).bare.described(&[&head])[0]);
        let group = json!({"head_sha": head, "head_ref": format!("refs/heads/{branch}"), "base_sha": pull.base,
            "base_ref": "refs/heads/main", "head_commit": commit});
        let payload = json!({"action": "checks_requested", "merge_group": group});
        world.tell("merge_group", Some(repository), "ada", payload);
        drop(world);
        self.shared.flush();
        head
    }

    /// Pushes to a branch and tells of the push; the commit.
    pub(crate) fn push_branch(&self, repository: u64, branch: &str, files: &[(&str, &str)]) -> String {
        let zeros = "0".repeat(40);
        let reference = format!("refs/heads/{branch}");
        let before = self.world().repository(repository).bare.resolve(&reference).unwrap_or(zeros.clone());
        let after = self.commit(repository, branch, "Push", files);
        let paths: Vec<_> = files.iter().map(|(path, _)| *path).collect();
        let mut world = self.world();
        let commit = pushed_commit_json(&world.repository(repository).bare.described(&[&after])[0]);
        let url = format!("{WEB}/commit/{after}");
        let paths = json!({"added": [], "modified": paths, "removed": [], "distinct": true, "url": url});
        let commit = with(commit, paths);
        let payload = json!({"ref": reference, "before": before, "after": after, "created": before == zeros,
            "deleted": false, "forced": false, "base_ref": null, "compare": url, "head_commit": commit,
            "commits": [commit], "pusher": {"name": "ada", "email": "ada@acme.example"}});
        world.tell("push", Some(repository), "ada", payload);
        drop(world);
        self.shared.flush();
        after
    }

    /// Renames a repository. Its former name leads to the new one.
    pub(crate) fn rename(&self, repository: u64, name: &str) {
        let mut world = self.world();
        let known = world.repository(repository);
        let former = std::mem::replace(&mut known.name, name.to_owned());
        known.former_names.push((known.owner.clone(), former));
    }

    /// Deletes a repository.
    pub(crate) fn delete_repository(&self, repository: u64) {
        let mut world = self.world();
        world.repositories.retain(|known| known.id != repository);
        for installation in world.installations.values_mut() {
            installation.repositories.retain(|id| *id != repository);
        }
    }

    /// Switches an installation off.
    pub(crate) fn suspend(&self, installation: u64) -> String {
        self.installation_changed(installation, "suspend", |known| known.is_suspended = true)
    }

    /// Switches an installation on.
    pub(crate) fn unsuspend(&self, installation: u64) -> String {
        self.installation_changed(installation, "unsuspend", |known| known.is_suspended = false)
    }

    /// Lets an installation reach one more repository.
    pub(crate) fn add_to_installation(&self, installation: u64, repository: u64) -> String {
        self.reach(installation, |reached| reached.push(repository));
        self.tell_reach(installation, &[repository], &[])
    }

    /// Lets an installation reach a repository no more.
    pub(crate) fn remove_from_installation(&self, installation: u64, repository: u64) -> String {
        self.reach(installation, |reached| reached.retain(|known| *known != repository));
        self.tell_reach(installation, &[], &[repository])
    }

    /// Tells that an installation reaches so many more repositories, which nobody else knows of.
    pub(crate) fn tell_of_many(&self, installation: u64, count: u64) -> String {
        let repository = |id: u64| {
            json!({"id": id, "node_id": node_id("R", id), "name": format!("shop{id}"),
                "full_name": format!("acme/shop{id}"), "private": false})
        };
        let repositories: Vec<_> = (0..count).map(|index| repository(100_000 + index)).collect();
        let mut world = self.world();
        let payload = json!({"action": "added", "installation": world.installation_json(installation),
            "repository_selection": "all", "repositories_added": repositories, "repositories_removed": [],
            "requester": null});
        let guid = world.tell("installation_repositories", None, "ada", payload);
        drop(world);
        self.shared.flush();
        guid
    }

    /// Accepts the permissions that the App asks for by now.
    pub(crate) fn accept_permissions(&self, installation: u64) -> String {
        let permissions = self.world().app_permissions.clone();
        self.installation_changed(installation, "new_permissions_accepted", |known| {
            known.permissions = permissions;
        })
    }

    /// Takes a permission away from an installation; nobody is told of that.
    pub(crate) fn revoke_permission(&self, installation: u64, permission: &str) {
        let mut world = self.world();
        let known = world.installations.get_mut(&installation).expect("a known installation");
        known.permissions.remove(permission);
    }

    /// Uninstalls the App.
    pub(crate) fn uninstall(&self, installation: u64) -> String {
        let account = self.world().installations[&installation].account.clone();
        let guid = self.tell_installation(installation, "deleted", &account);
        self.world().installations.remove(&installation);
        guid
    }

    /// Lets somebody do something: `admin`, `maintain`, `write`, `triage`, `read` or `none`.
    pub(crate) fn set_access(&self, repository: u64, login: &str, role: &'static str) {
        let mut world = self.world();
        world.account(login, "User");
        world.repository(repository).access.insert(login.to_owned(), role);
    }

    /// Requires a check by a rule.
    pub(crate) fn require_check(&self, repository: u64, context: &str, app: Option<u64>) {
        self.world().repository(repository).required_checks.push((context.to_owned(), app));
    }

    /// Requires a check by the branch's protection.
    pub(crate) fn protect_with_check(&self, repository: u64, context: &str, app: Option<u64>) {
        self.world().repository(repository).protected_checks.push((context.to_owned(), app));
    }

    /// Lets the list of files leave out a file's patch, as GitHub does with large ones.
    pub(crate) fn hide_patch(&self, repository: u64, path: &str) {
        self.world().repository(repository).hidden_patches.insert(path.to_owned());
    }

    /// A pull request's state, as head, base and so on.
    pub(super) fn pull(&self, repository: u64, number: u64) -> Pull {
        self.world().repository(repository).pulls.get(&number).expect("a known pull request").clone()
    }

    /// The commit that a pull request would merge.
    pub(crate) fn head(&self, repository: u64, number: u64) -> String {
        self.pull(repository, number).head
    }

    fn change(&self, repository: u64, number: u64, change: impl FnOnce(&mut Pull)) {
        let mut world = self.world();
        let updated = world.next_id();
        let pull = world.repository(repository).pulls.get_mut(&number).expect("a known pull request");
        change(pull);
        (pull.updated, pull.updated_at) = (updated, now());
    }

    fn tell_pull(&self, repository: u64, number: u64, sender: &str, action: &str, more: Value) -> String {
        let pull = self.pull(repository, number);
        let mut world = self.world();
        let mut payload = more;
        payload["action"] = json!(action);
        payload["number"] = json!(number);
        payload["pull_request"] = world.told_pull_json(repository, &pull, action);
        let guid = world.tell("pull_request", Some(repository), sender, payload);
        drop(world);
        self.shared.flush();
        guid
    }

    fn tell_check(&self, repository: u64, id: u64, login: &str, mut payload: Value) -> String {
        let mut world = self.world();
        let run = world.repository(repository).check_runs.iter().find(|run| run.id == id);
        let run = run.expect("a known check run").clone();
        payload["check_run"] = world.check_run_json(repository, &run);
        let guid = world.tell("check_run", Some(repository), login, payload);
        drop(world);
        self.shared.flush();
        guid
    }

    fn reach(&self, installation: u64, change: impl FnOnce(&mut Vec<u64>)) {
        let mut world = self.world();
        change(&mut world.installations.get_mut(&installation).expect("a known installation").repositories);
    }

    fn tell_reach(&self, installation: u64, added: &[u64], removed: &[u64]) -> String {
        let mut world = self.world();
        let action = if added.is_empty() { "removed" } else { "added" };
        let listed = |world: &super::World, ids: &[u64]| -> Vec<Value> {
            ids.iter().map(|id| world.installed_repository_json(*id)).collect()
        };
        let payload = json!({"action": action, "installation": world.changed_installation_json(installation),
            "repository_selection": "selected", "repositories_added": listed(&world, added),
            "repositories_removed": listed(&world, removed), "requester": null});
        let sender = world.installations[&installation].account.clone();
        let guid = world.tell("installation_repositories", None, &sender, payload);
        drop(world);
        self.shared.flush();
        guid
    }

    fn installation_changed(
        &self,
        installation: u64,
        action: &str,
        change: impl FnOnce(&mut super::Installation),
    ) -> String {
        let account = {
            let mut world = self.world();
            let known = world.installations.get_mut(&installation).expect("a known installation");
            change(known);
            known.account.clone()
        };
        self.tell_installation(installation, action, &account)
    }

    pub(super) fn tell_installation(&self, installation: u64, action: &str, sender: &str) -> String {
        let mut world = self.world();
        let ids = world.installations[&installation].repositories.clone();
        let repositories: Vec<_> = ids.iter().map(|id| world.installed_repository_json(*id)).collect();
        let payload = json!({"action": action, "installation": world.changed_installation_json(installation),
            "repositories": repositories});
        // An enterprise itself presses no button.
        let is_enterprise = world.accounts.get(sender).is_some_and(|account| account.kind == "Enterprise");
        let sender = if is_enterprise { "ada" } else { sender };
        let guid = world.tell("installation", None, sender, payload);
        drop(world);
        self.shared.flush();
        guid
    }
}
