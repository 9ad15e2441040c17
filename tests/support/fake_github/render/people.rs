//! Accounts, apps and installations.

use serde_json::{Value, json};

use super::super::world::{APP_ID, APP_SLUG, World};
use super::{API, TIME, WEB, node_id};

impl World {
    /// An account; null for one that nobody has any more.
    pub(crate) fn user_json(&self, login: &str) -> Value {
        let Some(account) = self.accounts.get(login) else { return Value::Null };
        if account.kind == "Enterprise" {
            return json!({"id": account.id, "node_id": node_id("E", account.id), "slug": login, "name": login,
                "description": null, "website_url": null, "html_url": format!("{WEB}/enterprises/{login}"),
                "avatar_url": format!("{WEB}/avatars/{}", account.id), "created_at": TIME, "updated_at": TIME});
        }
        let (page, name) = match account.login.strip_suffix("[bot]") {
            Some(slug) => (format!("{WEB}/apps/{slug}"), format!("{slug}%5Bbot%5D")),
            None => (format!("{WEB}/{login}"), login.to_owned()),
        };
        let url = format!("{API}/users/{name}");
        json!({"id": account.id, "login": account.login, "type": account.kind, "node_id": node_id("U", account.id),
            "avatar_url": format!("{WEB}/avatars/{}", account.id), "gravatar_id": "", "url": url, "html_url": page,
            "followers_url": format!("{url}/followers"),
            "following_url": format!("{url}/following{{/other_user}}"),
            "gists_url": format!("{url}/gists{{/gist_id}}"),
            "starred_url": format!("{url}/starred{{/owner}}{{/repo}}"),
            "subscriptions_url": format!("{url}/subscriptions"),
            "organizations_url": format!("{url}/orgs"), "repos_url": format!("{url}/repos"),
            "events_url": format!("{url}/events{{/privacy}}"),
            "received_events_url": format!("{url}/received_events"), "site_admin": false})
    }

    /// The account of a token, with what only `GET /user` has.
    pub(crate) fn own_user_json(&self, login: &str) -> Value {
        super::with(
            self.user_json(login),
            json!({"name": null, "company": null, "blog": null, "location": null, "email": null, "hireable": null,
                "bio": null, "public_repos": 0, "public_gists": 0, "followers": 0, "following": 0, "created_at": TIME,
                "updated_at": TIME}),
        )
    }

    /// Our App.
    pub(crate) fn app_json(&self) -> Value {
        super::with(self.any_app_json(APP_ID), json!({"client_id": "Iv1.oak"}))
    }

    /// An app, ours or another.
    pub(crate) fn any_app_json(&self, id: u64) -> Value {
        let (slug, name) = match id {
            APP_ID => (APP_SLUG.to_owned(), "recuse (test)".to_owned()),
            other => (format!("app-{other}"), "another".to_owned()),
        };
        json!({"id": id, "slug": slug, "name": name, "node_id": node_id("A", id), "owner": self.user_json("acme"),
            "description": null, "external_url": "https://recuse.example", "html_url": format!("{WEB}/apps/{slug}"),
            "created_at": TIME, "updated_at": TIME, "permissions": self.app_permissions, "events": self.app_events})
    }

    /// An installation of our App.
    pub(crate) fn installation_json(&self, id: u64) -> Value {
        let installation = &self.installations[&id];
        let kind = self.accounts.get(&installation.account).map(|account| account.kind);
        let account = self.user_json(&installation.account);
        let suspended_by =
            if installation.is_suspended { self.user_json(&installation.account) } else { Value::Null };
        json!({"id": id, "target_id": account["id"], "target_type": kind, "account": account,
            "app_id": APP_ID, "app_slug": APP_SLUG, "permissions": installation.permissions,
            "events": self.app_events, "repository_selection": "selected",
            "access_tokens_url": format!("{API}/app/installations/{id}/access_tokens"),
            "repositories_url": format!("{API}/installation/repositories"),
            "html_url": format!("{WEB}/settings/installations/{id}"), "created_at": TIME, "updated_at": TIME,
            "single_file_name": null, "suspended_by": suspended_by,
            "suspended_at": installation.is_suspended.then_some(TIME)})
    }

    /// An installation that has just changed: no two deliveries of that are the same.
    pub(crate) fn changed_installation_json(&mut self, id: u64) -> Value {
        let mut installation = self.installation_json(id);
        let time = jiff::Timestamp::from_second(self.next_id() as i64).expect("a time");
        installation["updated_at"] = json!(time.to_string());
        installation
    }
}
