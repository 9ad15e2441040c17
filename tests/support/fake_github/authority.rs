//! Who may do what: the App's own token, installation tokens narrowed to repositories and permissions, personal ones.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::endpoint::{Level, Right};
use super::world::{APP_ID, Answered, Holder, Token, World, now};

/// Who makes a call.
pub(crate) enum Caller {
    Nobody,
    App,
    Token(Token),
}

impl Caller {
    /// What its token may do, for the record.
    pub(crate) fn permissions(&self) -> Vec<String> {
        match self {
            Self::Token(Token { permissions: Some(permissions), .. }) => {
                permissions.iter().map(|(name, access)| format!("{name}:{access}")).collect()
            }
            Self::Token(_) | Self::Nobody | Self::App => Vec::new(),
        }
    }

    /// Whether it is somebody's own token, which may all that they may.
    pub(crate) fn is_a_person(&self) -> bool {
        matches!(self, Self::Token(Token { holder: Holder::Person(_), permissions: None, .. }))
    }

    /// Whose name stands on what is written, and by which app.
    pub(crate) fn author(&self) -> (String, Option<u64>) {
        match self {
            Self::Token(Token { holder: Holder::Person(login), .. }) => (login.clone(), None),
            Self::Token(_) | Self::Nobody | Self::App => (super::world::bot_login(), Some(APP_ID)),
        }
    }
}

impl World {
    /// Finds out who calls, or answers as GitHub does to whom it does not know.
    pub(crate) fn caller(&mut self, right: Right, authorization: Option<&str>) -> Result<Caller, Answered> {
        let bearer = authorization
            .and_then(|value| value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("token ")));
        match (right, bearer) {
            (Right::Nobodys, None) => Ok(Caller::Nobody),
            (Right::Nobodys, Some(_)) => {
                self.violations.push("a credential was sent where none is needed".to_owned());
                Ok(Caller::Nobody)
            }
            (Right::App | Right::Token(_), None) => {
                self.violations.push("a call came without a credential".to_owned());
                Err(Answered::message(401, "Requires authentication"))
            }
            (Right::App, Some(jwt)) => match self.key.check(jwt) {
                Ok(()) => Ok(Caller::App),
                Err(why) => {
                    self.violations.push(format!("the app's token is wrong: {why}"));
                    Err(Answered::message(401, "A JSON web token could not be decoded"))
                }
            },
            (Right::Token(_), Some(token)) => {
                let known = self.tokens.get(token).filter(|token| token.expires_at > now());
                known.cloned().map(Caller::Token).ok_or_else(|| Answered::message(401, "Bad credentials"))
            }
        }
    }

    /// Whether a caller may do this in a repository, or what GitHub answers.
    pub(crate) fn allow(&self, caller: &Caller, right: Right, repository: u64) -> Result<(), Answered> {
        let (Caller::Token(token), Right::Token(any_of)) = (caller, right) else { return Ok(()) };
        if let Holder::Installation(id) = token.holder {
            let installation =
                self.installations.get(&id).ok_or_else(|| Answered::message(401, "Bad credentials"))?;
            if installation.is_suspended {
                return Err(Answered::message(403, "This installation has been suspended"));
            }
            if !installation.repositories.contains(&repository) {
                return Err(Answered::not_found());
            }
        }
        if token.repositories.as_ref().is_some_and(|reached| !reached.contains(&repository)) {
            return Err(Answered::not_found());
        }
        let Some(permissions) = &token.permissions else { return Ok(()) };
        let has = |(name, level): &(&str, Level)| {
            let access = permissions.get(*name).map(String::as_str);
            match level {
                Level::Read => matches!(access, Some("read" | "write")),
                Level::Write => access == Some("write"),
            }
        };
        if any_of.iter().any(has) {
            return Ok(());
        }
        Err(Answered::message(403, "Resource not accessible by integration"))
    }

    /// Mints a token as `POST /app/installations/{id}/access_tokens` does.
    pub(crate) fn mint(&mut self, installation: u64, asked: &Value) -> Answered {
        let Some(known) = self.installations.get(&installation) else { return Answered::not_found() };
        if known.is_suspended {
            return Answered::message(403, "This installation has been suspended");
        }
        let listed = |name: &str| asked[name].as_array().into_iter().flatten();
        let is_named = |name: &Value| {
            let known = self.repositories.iter().find(|known| *name == known.name);
            known.map(|known| known.id)
        };
        let ids = listed("repository_ids").filter_map(Value::as_u64);
        let wanted: Vec<u64> = ids.chain(listed("repositories").filter_map(is_named)).collect();
        let permissions: BTreeMap<String, String> =
            serde_json::from_value(asked["permissions"].clone()).unwrap_or_default();
        // What knows of all repositories must know no more of them than their names.
        let is_a_list = wanted.is_empty() && permissions.keys().eq(["metadata"]);
        if wanted.len() != 1 && !is_a_list {
            self.violations.push(format!("a token was asked for {} repositories, not for one", wanted.len()));
        }
        if permissions.is_empty() {
            self.violations.push("a token was asked for with all permissions".to_owned());
        }
        if wanted.iter().any(|id| !known.repositories.contains(id)) {
            return Answered::message(
                422,
                "There is at least one repository that does not exist or is not accessible to the parent installation.",
            );
        }
        let is_given = |(name, access): (&String, &String)| {
            name == "metadata"
                || known.permissions.get(name).is_some_and(|given| given == access || given == "write")
        };
        if !permissions.iter().all(is_given) {
            return Answered::message(422, "The permissions requested are not granted to this installation.");
        }
        let mut permissions = permissions;
        permissions.insert("metadata".to_owned(), "read".to_owned());
        let token = Token {
            holder: Holder::Installation(installation),
            expires_at: now() + 3_600,
            repositories: (!is_a_list).then(|| wanted.clone()),
            permissions: Some(permissions.clone()),
        };
        let secret = self.new_secret();
        self.tokens.insert(secret.clone(), token);
        let expires_at = jiff::Timestamp::from_second((now() + 3_600) as i64).expect("a time");
        let repositories: Vec<_> = wanted.iter().map(|id| self.repository_json(*id)).collect();
        Answered::json(
            201,
            json!({"token": secret, "expires_at": expires_at.to_string(), "permissions": permissions,
                "repository_selection": "selected", "repositories": repositories}),
        )
    }

    /// A token in the form that GitHub gives them since April 2026: some 520 characters, with dots.
    fn new_secret(&mut self) -> String {
        let id = self.next_id();
        let part = |length: usize, seed: u64| -> String {
            let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let step = |state: &mut u64| {
                *state =
                    state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                Some(char::from(letters[(*state >> 58) as usize]))
            };
            std::iter::repeat_n((), length).scan(seed, |state, ()| step(state)).collect()
        };
        format!("ghs_{APP_ID}_{}.{}.{}", part(36, id), part(128, id + 1), part(342, id + 2))
    }
}
