//! The App: who it is, where it is installed, what was delivered to it, and the tokens that it mints.
//!
//! A token is for one repository and the permissions that its job needs. It lives in memory only. The one exception knows of all
//! repositories of an installation that they are there, and does not leave [`App::reached`].

use std::collections::BTreeMap;
use std::time::SystemTime;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;

use crate::error::{ApiError, ErrorKind};
use crate::event::payload::{RawAccount, RawInstalled};
use crate::event::{Account, InstalledRepository};
use crate::http::{Authorization, Connection, NextPage, Request};
use crate::jwt::SigningKey;
use crate::pace::Actor;
use crate::repository::{Listing, Rest};
use crate::route::{Call, Route};

pub use crate::jwt::BadKey;

/// How many pages of a hundred installations are read.
const MAX_INSTALLATION_PAGES: u32 = 50;

/// How many pages of a hundred repositories of an installation are read.
const MAX_REPOSITORY_PAGES: u32 = 50;

/// The App, by its own right.
pub struct App {
    connection: Connection,
    key: SigningKey,
}

/// What a token may do. There is none here that could change code, approve, or administer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Knowing the repository, and who has which access. Every token has it.
    MetadataRead,
    /// Reading files and commits.
    ContentsRead,
    /// Reading pull requests.
    PullRequestsRead,
    /// Commenting on pull requests and on their lines.
    PullRequestsWrite,
    /// Commenting in conversations, and reacting.
    IssuesWrite,
    /// Reading check runs.
    ChecksRead,
    /// Making check runs, and reading them.
    ChecksWrite,
    /// Reading commit statuses.
    StatusesRead,
}

impl Permission {
    /// GitHub's name, and which access.
    pub fn wire(self) -> (&'static str, &'static str) {
        match self {
            Self::MetadataRead => ("metadata", "read"),
            Self::ContentsRead => ("contents", "read"),
            Self::PullRequestsRead => ("pull_requests", "read"),
            Self::PullRequestsWrite => ("pull_requests", "write"),
            Self::IssuesWrite => ("issues", "write"),
            Self::ChecksRead => ("checks", "read"),
            Self::ChecksWrite => ("checks", "write"),
            Self::StatusesRead => ("statuses", "read"),
        }
    }
}

/// A token of an installation, for one repository. `Debug` does not show it.
#[derive(Debug, Clone)]
pub struct Token {
    /// The token itself.
    pub secret: SecretString,
    /// When GitHub takes it no more; an hour from when it was minted.
    pub expires_at: Timestamp,
    /// The installation that it belongs to.
    pub installation: u64,
    /// The owner and the name that the repository has now, where GitHub says so.
    pub repository: Option<(String, String)>,
}

/// By whose right a repository is read and written.
#[derive(Debug, Clone)]
pub enum Credential {
    /// The App's, in one installation.
    Installation(Token),
    /// A token that somebody gave us: `GITHUB_TOKEN`.
    Personal(SecretString),
}

impl Credential {
    /// The token itself, for git.
    pub fn secret(&self) -> &SecretString {
        match self {
            Self::Installation(token) => &token.secret,
            Self::Personal(secret) => secret,
        }
    }

    pub(crate) fn authorization(&self) -> Authorization<'_> {
        match self {
            Self::Installation(token) => {
                Authorization::Bearer(&token.secret, Actor::Installation(token.installation))
            }
            Self::Personal(secret) => Authorization::Bearer(secret, Actor::Personal),
        }
    }
}

/// What GitHub knows of the App.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppDescription {
    /// Its number.
    pub id: u64,
    /// Its name in addresses; its bot is called `SLUG[bot]`.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// Its page.
    pub html_url: String,
    /// What it asks for: GitHub's names, `read` or `write`.
    pub permissions: BTreeMap<String, String>,
    /// What it is told of.
    pub events: Vec<String>,
}

/// Where the App is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// Its number.
    pub id: u64,
    /// Whose it is.
    pub account: Account,
    /// Whether it is switched off for now.
    pub is_suspended: bool,
    /// What it may do: GitHub's names, `read` or `write`.
    pub permissions: BTreeMap<String, String>,
    /// What it is told of.
    pub events: Vec<String>,
}

/// One attempt of GitHub to deliver an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The attempt's number.
    pub id: u64,
    /// The event's id (`X-GitHub-Delivery`), the same in all attempts.
    pub guid: String,
    /// When it was.
    pub delivered_at: Option<Timestamp>,
    /// Whether somebody asked for it again.
    pub is_redelivery: bool,
    /// `OK`, or what went wrong. Only `OK` is a success: time-outs have no status code that would tell.
    pub status: String,
    /// The status that our server gave; 0 if none.
    pub status_code: u16,
    /// The event's name.
    pub event: String,
    /// What happened.
    pub action: Option<String>,
    /// Which installation.
    pub installation_id: Option<u64>,
    /// Which repository.
    pub repository_id: Option<u64>,
}

/// A page of deliveries, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryPage {
    /// At most a hundred.
    pub deliveries: Vec<Delivery>,
    /// Where the next page begins; none behind the last. GitHub keeps three days.
    pub next: Option<String>,
}

/// A repository that a token reaches.
#[derive(Deserialize)]
struct Reached {
    id: u64,
    #[serde(default)]
    name: String,
    full_name: Option<String>,
}

/// How far a token is to reach.
#[derive(Debug, Clone, Copy)]
enum Reach<'a> {
    /// The repository of this number.
    Id(u64),
    /// The repository of this name.
    Name(&'a str),
    /// All of the installation.
    Installation,
}

/// An App that was just registered by a manifest.
#[derive(Debug, Clone)]
pub struct NewApp {
    /// Its number.
    pub id: u64,
    /// Its name in addresses.
    pub slug: String,
    /// Its page.
    pub html_url: String,
    /// Its private key, in PEM.
    pub pem: SecretString,
    /// The secret that its deliveries are signed with; none if it has no webhook.
    pub webhook_secret: Option<SecretString>,
    /// Its id for signing people in.
    pub client_id: String,
}

impl App {
    /// Takes the App's number and its private key in PEM.
    ///
    /// # Errors
    /// A text that is no RSA key.
    pub fn new(connection: Connection, app_id: u64, pem: &SecretString) -> Result<Self, BadKey> {
        Ok(Self { connection, key: SigningKey::new(app_id, pem)? })
    }

    /// Mints a token for one repository, with no more than these permissions.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] where the installation has not these permissions or does not reach the repository;
    /// [`ErrorKind::NotFound`] where it is gone; [`ErrorKind::Unreadable`] where GitHub mints something wider than was
    /// asked for.
    pub async fn mint(
        &self,
        installation: u64,
        repository: u64,
        permissions: &[Permission],
    ) -> Result<Token, ApiError> {
        let wanted = serde_json::json!({"repository_ids": [repository]});
        self.minted(installation, wanted, permissions, Reach::Id(repository)).await
    }

    /// Mints a token for one repository that only its name is known of.
    ///
    /// # Errors
    /// As [`App::mint`].
    pub async fn mint_by_name(
        &self,
        installation: u64,
        name: &str,
        permissions: &[Permission],
    ) -> Result<Token, ApiError> {
        let wanted = serde_json::json!({"repositories": [name]});
        self.minted(installation, wanted, permissions, Reach::Name(name)).await
    }

    async fn minted(
        &self,
        installation: u64,
        mut wanted: serde_json::Value,
        permissions: &[Permission],
        reach: Reach<'_>,
    ) -> Result<Token, ApiError> {
        #[derive(Deserialize)]
        struct Minted {
            token: SecretString,
            expires_at: Timestamp,
            repositories: Option<Vec<Reached>>,
            #[serde(default)]
            permissions: BTreeMap<String, String>,
        }
        let asked: BTreeMap<_, _> = permissions.iter().map(|permission| permission.wire()).collect();
        wanted["permissions"] = serde_json::json!(asked);
        let jwt = self.jwt();
        let request = Request::new(Route::MintToken { installation }, app(&jwt)).body(&wanted);
        let answer = self.connection.send(request).await?;
        let minted: Minted = answer.read()?;
        let reached = minted.repositories.unwrap_or_default();
        let is_as_far = match reach {
            Reach::Id(id) => !reached.is_empty() && reached.iter().all(|reached| reached.id == id),
            Reach::Name(name) => {
                !reached.is_empty() && reached.iter().all(|reached| reached.name.eq_ignore_ascii_case(name))
            }
            Reach::Installation => true,
        };
        let name = reached.iter().find_map(|reached| reached.full_name.as_deref()?.split_once('/'));
        let is_narrow = minted.permissions.iter().all(|(name, access)| {
            name == "metadata"
                || asked.get(name.as_str()).is_some_and(|asked| asked == access || access == "read")
        });
        if !is_as_far || !is_narrow {
            let detail = "the token is for more than was asked for".to_owned();
            return Err(answer.error(ErrorKind::Unreadable { detail }));
        }
        let repository = name.map(|(owner, name)| (owner.to_owned(), name.to_owned()));
        Ok(Token { secret: minted.token, expires_at: minted.expires_at, installation, repository })
    }

    /// Finds the App's installation at a repository.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where it is not installed.
    pub async fn installation_of(&self, owner: &str, name: &str) -> Result<u64, ApiError> {
        #[derive(Deserialize)]
        struct Found {
            id: u64,
        }
        let jwt = self.jwt();
        let route = Route::InRepository { owner, name, call: Call::Installation };
        Ok(self.connection.json::<Found>(Request::new(route, app(&jwt))).await?.id)
    }

    /// Reads what GitHub knows of the App.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthorized`] where the key is not this App's.
    pub async fn describe(&self) -> Result<AppDescription, ApiError> {
        #[derive(Deserialize)]
        struct Described {
            id: u64,
            slug: Option<String>,
            #[serde(default)]
            name: String,
            #[serde(default)]
            html_url: String,
            #[serde(default)]
            permissions: BTreeMap<String, String>,
            #[serde(default)]
            events: Vec<String>,
        }
        let jwt = self.jwt();
        let Described { id, slug, name, html_url, permissions, events } =
            self.connection.json(Request::new(Route::App, app(&jwt))).await?;
        Ok(AppDescription { id, slug: slug_of(slug, &html_url), name, html_url, permissions, events })
    }

    /// Reads where GitHub sends the App's deliveries; none if nowhere.
    ///
    /// # Errors
    /// As any call.
    pub async fn webhook_url(&self) -> Result<Option<String>, ApiError> {
        #[derive(Deserialize)]
        struct Config {
            url: Option<String>,
        }
        let jwt = self.jwt();
        let config: Config = self.connection.json(Request::new(Route::AppHook, app(&jwt))).await?;
        Ok(config.url.filter(|url| !url.is_empty()))
    }

    /// Lists the repositories that an installation reaches, at most 5,000. The token for that is for all of them, may know that
    /// they are there and nothing else, and does not leave this function.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where the installation is gone; [`ErrorKind::Forbidden`] where it is suspended;
    /// [`ErrorKind::Unreadable`] where GitHub mints a token that may more.
    pub async fn reached(&self, installation: u64) -> Result<Listing<InstalledRepository>, ApiError> {
        #[derive(Deserialize)]
        struct Page {
            repositories: Vec<RawInstalled>,
        }
        let wanted = serde_json::json!({});
        let token =
            self.minted(installation, wanted, &[Permission::MetadataRead], Reach::Installation).await?;
        let right = Authorization::Bearer(&token.secret, Actor::Installation(installation));
        let mut items = Vec::new();
        for page in 1..=MAX_REPOSITORY_PAGES {
            let request = Request::new(Route::Reached, right).query("per_page", 100).query("page", page);
            let (list, next): (Page, NextPage) = self.connection.json_page(request).await?;
            items.extend(list.repositories.into_iter().filter_map(RawInstalled::named));
            if next == NextPage::None {
                return Ok(Listing { items, rest: Rest::Nothing });
            }
        }
        Ok(Listing { items, rest: Rest::Unread })
    }

    /// Lists where the App is installed, at most 5,000.
    ///
    /// # Errors
    /// As any call.
    pub async fn installations(&self) -> Result<Listing<Installation>, ApiError> {
        #[derive(Deserialize)]
        struct Raw {
            id: u64,
            account: Option<RawAccount>,
            suspended_at: Option<String>,
            #[serde(default)]
            permissions: BTreeMap<String, String>,
            #[serde(default)]
            events: Vec<String>,
        }
        let jwt = self.jwt();
        let mut items = Vec::new();
        for page in 1..=MAX_INSTALLATION_PAGES {
            let request =
                Request::new(Route::Installations, app(&jwt)).query("per_page", 100).query("page", page);
            let (list, next): (Vec<Raw>, NextPage) = self.connection.json_page(request).await?;
            items.extend(list.into_iter().map(|raw| Installation {
                id: raw.id,
                account: raw.account.map_or_else(Account::ghost, Account::from),
                is_suspended: raw.suspended_at.is_some(),
                permissions: raw.permissions,
                events: raw.events,
            }));
            if next == NextPage::None {
                return Ok(Listing { items, rest: Rest::Nothing });
            }
        }
        Ok(Listing { items, rest: Rest::Unread })
    }

    /// Reads a page of what was delivered; the newest for no cursor.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a cursor that GitHub does not know any more.
    pub async fn deliveries(&self, cursor: Option<&str>) -> Result<DeliveryPage, ApiError> {
        #[derive(Deserialize)]
        struct Raw {
            id: u64,
            guid: String,
            delivered_at: Option<Timestamp>,
            #[serde(default)]
            redelivery: bool,
            #[serde(default)]
            status: String,
            #[serde(default)]
            status_code: u16,
            event: String,
            action: Option<String>,
            installation_id: Option<u64>,
            repository_id: Option<u64>,
        }
        let jwt = self.jwt();
        let mut request = Request::new(Route::Deliveries, app(&jwt)).query("per_page", 100);
        if let Some(cursor) = cursor {
            request = request.query("cursor", cursor);
        }
        let (list, next): (Vec<Raw>, NextPage) = self.connection.json_page(request).await?;
        let deliveries = list.into_iter().map(|raw| Delivery {
            id: raw.id,
            guid: raw.guid,
            delivered_at: raw.delivered_at,
            is_redelivery: raw.redelivery,
            status: raw.status,
            status_code: raw.status_code,
            event: raw.event,
            action: raw.action,
            installation_id: raw.installation_id,
            repository_id: raw.repository_id,
        });
        let next = match next {
            NextPage::Behind(cursor) => Some(cursor),
            NextPage::None | NextPage::Numbered => None,
        };
        Ok(DeliveryPage { deliveries: deliveries.collect(), next })
    }

    /// Asks GitHub to deliver once more. The attempt has another number and the same guid.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for deliveries older than GitHub keeps.
    pub async fn redeliver(&self, delivery: u64) -> Result<(), ApiError> {
        let jwt = self.jwt();
        // The answer is an empty object; a web page would mean that somebody else answered.
        let request = Request::new(Route::Redeliver { delivery }, app(&jwt));
        self.connection.json::<serde::de::IgnoredAny>(request).await?;
        Ok(())
    }

    fn jwt(&self) -> SecretString {
        self.key.token(SystemTime::now())
    }
}

/// Exchanges the code of GitHub's manifest flow for the new App and its keys. It can be done once, within an hour.
///
/// # Errors
/// [`ErrorKind::NotFound`] for a code that is unknown, used or too old.
pub async fn convert_manifest(connection: &Connection, code: &str) -> Result<NewApp, ApiError> {
    #[derive(Deserialize)]
    struct Raw {
        id: u64,
        slug: Option<String>,
        #[serde(default)]
        html_url: String,
        pem: SecretString,
        webhook_secret: Option<SecretString>,
        #[serde(default)]
        client_id: String,
    }
    let request = Request::new(Route::ConvertManifest { code }, Authorization::None);
    let Raw { id, slug, html_url, pem, webhook_secret, client_id } = connection.json(request).await?;
    Ok(NewApp { id, slug: slug_of(slug, &html_url), html_url, pem, webhook_secret, client_id })
}

fn app(jwt: &SecretString) -> Authorization<'_> {
    Authorization::Bearer(jwt, Actor::App)
}

/// The App's name in addresses. GitHub may leave it out; its page ends with it.
fn slug_of(slug: Option<String>, html_url: &str) -> String {
    slug.unwrap_or_else(|| html_url.rsplit('/').next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_apps_name_that_is_left_out_is_that_of_its_page() {
        let page = "https://github.com/apps/recuse";
        assert_eq!(slug_of(Some("oak".to_owned()), page), "oak");
        assert_eq!(slug_of(None, page), "recuse");
        assert_eq!(slug_of(None, ""), "");
    }
}
