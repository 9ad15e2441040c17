//! What each call does, once it is known who makes it.

use serde_json::{Value, json};

use super::authority::Caller;
use super::endpoint::Endpoint;
use super::server::{Asking, Shared};
use super::world::{Answered, Holder, Token, World};

impl Shared {
    /// Does what a call asks and answers it.
    pub(crate) fn act(&self, caller: &Caller, asked: &Asking<'_>) -> Answered {
        let answer = self.world().act(caller, asked, &self.root, self.prefix);
        if asked.target.endpoint == Endpoint::Redeliver && answer.status == 202 {
            let guid = self.world().guid_of_attempt(asked.number()).expect("it was found");
            self.send(&guid, super::delivery::Asked::ByTheApi);
        }
        self.flush();
        answer
    }
}

impl World {
    fn act(&mut self, caller: &Caller, asked: &Asking<'_>, root: &str, prefix: &str) -> Answered {
        let endpoint = asked.target.endpoint;
        let Some(key) = &asked.target.repository else {
            return self.act_elsewhere(caller, asked, root, prefix);
        };
        let Some((id, is_present)) = self.find(key) else { return Answered::not_found() };
        if let Err(refusal) = self.allow(caller, endpoint.right(), id) {
            return refusal;
        }
        let is_for_apps = matches!(endpoint, Endpoint::CreateCheckRun | Endpoint::UpdateCheckRun);
        if is_for_apps && caller.is_a_person() {
            return Answered::message(403, "You must authenticate via a GitHub App.");
        }
        if !is_present {
            // A renamed repository: reads are moved for good, writes may be repeated there.
            let rest = asked.target.rest_of_path(endpoint);
            let status = if endpoint.is_write() { 307 } else { 301 };
            let mut answer = Answered::message(status, "Moved Permanently");
            let query = if asked.query.is_empty() { String::new() } else { format!("?{}", asked.query) };
            answer.headers.push(("location", format!("{root}{prefix}/repositories/{id}{rest}{query}")));
            return answer;
        }
        match endpoint {
            Endpoint::RepositoryInstallation => match self.installation_of(id) {
                Some(installation) => Answered::ok(self.installation_json(installation)),
                None => Answered::not_found(),
            },
            Endpoint::Repository => Answered::ok(self.whole_repository_json(id)),
            Endpoint::Pulls => self.list_pulls(id, asked, root),
            Endpoint::Pull => match self.repository(id).pulls.get(&asked.number()).cloned() {
                Some(pull) => {
                    self.note_read(id, pull.number);
                    Answered::ok(self.whole_pull_json(id, &pull))
                }
                None => Answered::not_found(),
            },
            Endpoint::Files => self.files(id, asked, root),
            Endpoint::Compare | Endpoint::CompareDiff => self.compare(id, asked, root),
            Endpoint::Content => self.content(id, asked),
            Endpoint::Permission => self.permission(id, asked.name()),
            Endpoint::CheckRuns => self.list_check_runs(id, asked, root),
            Endpoint::Statuses => Answered::ok(self.statuses_json(id, asked.name())),
            Endpoint::Comments => self.list_comments(id, asked, root),
            Endpoint::Reviews => self.list_reviews(id, asked, root),
            Endpoint::BranchRules => self.branch_rules(id, asked, root),
            Endpoint::Branch => self.branch(id, asked.name()),
            Endpoint::CreateCheckRun => self.create_check_run(id, asked),
            Endpoint::UpdateCheckRun => self.update_check_run(id, asked),
            Endpoint::CreateComment => self.create_comment(id, caller, asked),
            Endpoint::UpdateComment => self.update_comment(id, caller, asked),
            Endpoint::CreateReview => self.create_review(id, caller, asked),
            Endpoint::ReactToComment | Endpoint::ReactToReviewComment => self.react(id, caller, asked),
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

    fn act_elsewhere(&mut self, caller: &Caller, asked: &Asking<'_>, root: &str, prefix: &str) -> Answered {
        match asked.target.endpoint {
            Endpoint::App => Answered::ok(self.app_json()),
            Endpoint::User => match caller {
                Caller::Token(Token { holder: Holder::Person(login), .. }) if caller.is_a_person() => {
                    Answered::ok(self.own_user_json(login))
                }
                Caller::Token(_) | Caller::Nobody | Caller::App => {
                    Answered::message(403, "Resource not accessible by integration")
                }
            },
            Endpoint::Reached => self.reached(caller, asked, root),
            Endpoint::AppHook => {
                let mut config = json!({"content_type": "json", "insecure_ssl": "0", "secret": "********"});
                if let Some(url) = self.outbox.url() {
                    config["url"] = json!(url);
                }
                Answered::ok(config)
            }
            Endpoint::Installations => {
                let all = self.installations.keys().map(|id| self.installation_json(*id)).collect();
                paged(all, asked, root)
            }
            Endpoint::MintToken => self.mint(asked.number(), asked.body),
            Endpoint::Deliveries => {
                let per_page = asked.parameter("per_page").and_then(|text| text.parse().ok()).unwrap_or(30);
                let cursor = asked.parameter("cursor");
                self.deliveries_json(per_page, cursor.as_deref(), &format!("{root}{prefix}"))
            }
            Endpoint::Redeliver => match self.guid_of_attempt(asked.number()) {
                Some(_) => Answered::json(202, json!({})),
                None => Answered::not_found(),
            },
            Endpoint::ConvertManifest => {
                if !self.manifest_codes.remove(asked.name()) {
                    return Answered::not_found();
                }
                let mut app = self.app_json();
                app["pem"] = json!(self.key.pem());
                app["webhook_secret"] = json!(super::NEW_WEBHOOK_SECRET);
                app["client_secret"] = json!("a-client-secret");
                Answered::json(201, app)
            }
            _ => unreachable!("the others are about a repository"),
        }
    }
}

impl World {
    /// `GET /installation/repositories`.
    fn reached(&self, caller: &Caller, asked: &Asking<'_>, root: &str) -> Answered {
        let Caller::Token(Token { holder: Holder::Installation(id), repositories, .. }) = caller else {
            return Answered::message(403, "You must authenticate with an installation access token.");
        };
        let Some(known) = self.installations.get(id) else {
            return Answered::message(401, "Bad credentials");
        };
        if known.is_suspended {
            return Answered::message(403, "This installation has been suspended");
        }
        let is_reached = |id: &&u64| repositories.as_ref().is_none_or(|reached| reached.contains(id));
        let all: Vec<_> =
            known.repositories.iter().filter(is_reached).map(|id| self.repository_json(*id)).collect();
        let total = all.len();
        let (page, link) = page_of(all, asked, root);
        let mut answer = Answered::ok(json!({"total_count": total, "repositories": page}));
        answer.headers.extend(link.map(|link| ("link", link)));
        answer
    }
}

/// A page of a list, with the `Link` that leads on.
pub(crate) fn paged(all: Vec<Value>, asked: &Asking<'_>, root: &str) -> Answered {
    let (items, link) = page_of(all, asked, root);
    let mut answer = Answered::ok(Value::Array(items));
    answer.headers.extend(link.map(|link| ("link", link)));
    answer
}

/// The items of the page that is asked for.
pub(crate) fn page_of(all: Vec<Value>, asked: &Asking<'_>, root: &str) -> (Vec<Value>, Option<String>) {
    let number = |name: &str, default: usize| {
        asked.parameter(name).and_then(|text| text.parse::<usize>().ok()).unwrap_or(default).max(1)
    };
    let (per_page, page) = (number("per_page", 30).min(100), number("page", 1));
    let begin = (page - 1) * per_page;
    let has_more = all.len() > begin + per_page;
    // GitHub names its repositories by number here; whoever follows it gets there too.
    let link = has_more
        .then(|| format!("<{root}/repositories/0/x?per_page={per_page}&page={}>; rel=\"next\"", page + 1));
    (all.into_iter().skip(begin).take(per_page).collect(), link)
}
