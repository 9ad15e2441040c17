//! One repository, read and written with one credential.
//!
//! Every list is bounded and says whether it was read to its end. What is written is checked against GitHub's limits
//! before it is sent.

mod checks;
mod comments;
mod pulls;
mod reviews;
mod settings;

use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::address::BadAddress;
use crate::app::Credential;
use crate::error::{ApiError, ErrorKind};
use crate::http::{Connection, NextPage, Request, WriteGuard};
use crate::route::{Call, Route};

pub use checks::{
    Annotation, AnnotationLevel, Annotations, CheckAction, CheckOutput, CheckRun, CheckRunUpdate, CheckState,
    CommitStatus, Conclusion, MAX_CHECK_TEXT, NewCheckRun,
};
pub use comments::{Comment, MAX_BODY_CHARACTERS};
pub use pulls::{ApiFile, Comparison, FileStatus, MAX_FILES, Pull, PullRequests};
pub use reviews::{InlineComment, Review};
pub use settings::{Access, RequiredCheck};

/// How many items GitHub gives a page at most.
const PAGE_SIZE: usize = 100;

/// A list, and whether all of it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// What was read.
    pub items: Vec<T>,
    /// What was not.
    pub rest: Rest,
}

/// What a list still has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Nothing: all was read.
    Nothing,
    /// More than we read, or than GitHub shows.
    Unread,
}

/// One repository and the right to it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RepositoryApi {
    connection: Connection,
    credential: Credential,
    owner: String,
    name: String,
}

impl RepositoryApi {
    /// Takes a repository by its name.
    pub fn new(connection: Connection, credential: Credential, owner: &str, name: &str) -> Self {
        Self { connection, credential, owner: owner.to_owned(), name: name.to_owned() }
    }

    /// The same, where nothing is written while the guard says no: a write is then [`ErrorKind::Refused`].
    pub fn writing_while(&self, guard: WriteGuard) -> Self {
        Self { connection: self.connection.guarded(guard), ..self.clone() }
    }

    /// Whose it is.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where git clones it from.
    ///
    /// # Errors
    /// Its name cannot be a part of an address.
    pub fn clone_url(&self) -> Result<Url, BadAddress> {
        self.connection.base().clone_url(&self.owner, &self.name)
    }

    /// The right to it.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// The login of whom the credential belongs to.
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`] where it is no person's, as a workflow's token is not; else as any call.
    pub async fn own_login(&self) -> Result<String, ApiError> {
        #[derive(Deserialize)]
        struct Raw {
            login: String,
        }
        let request = Request::new(Route::User, self.credential.authorization());
        Ok(self.connection.json::<Raw>(request).await?.login)
    }

    fn request<'a>(&'a self, call: Call<'a>) -> Request<'a> {
        let route = Route::InRepository { owner: &self.owner, name: &self.name, call };
        Request::new(route, self.credential.authorization())
    }

    /// Reads pages of a hundred until there is none, or so many were read.
    ///
    /// `items` takes the items out of a page's JSON.
    async fn pages<P: DeserializeOwned, T>(
        &self,
        call: Call<'_>,
        query: &[(&'static str, &str)],
        max_pages: usize,
        items: impl Fn(P) -> Vec<T>,
    ) -> Result<Listing<T>, ApiError> {
        let mut all = Vec::new();
        for page in 1..=max_pages {
            let request =
                query.iter().fold(self.request(call), |request, (name, value)| request.query(name, value));
            let request = request.query("per_page", PAGE_SIZE).query("page", page);
            let (list, next): (P, NextPage) = self.connection.json_page(request).await?;
            all.extend(items(list));
            if next == NextPage::None {
                return Ok(Listing { items: all, rest: Rest::Nothing });
            }
        }
        Ok(Listing { items: all, rest: Rest::Unread })
    }

    /// An error about a call that was not sent.
    fn refused(&self, call: Call<'_>, why: String) -> ApiError {
        self.error(call, ErrorKind::Refused { why })
    }

    fn error(&self, call: Call<'_>, kind: ErrorKind) -> ApiError {
        let route = Route::InRepository { owner: &self.owner, name: &self.name, call };
        ApiError { call: route.purpose(), route: route.shown(), kind }
    }
}
