//! Comments in the conversation of a pull request, and reactions.

use serde::Deserialize;
use serde_json::json;

use super::checks::Created;
use super::{Listing, RepositoryApi};
use crate::error::ApiError;
use crate::event::payload::RawAccount;
use crate::event::{Account, CommentPlace};
use crate::route::Call;

/// The most characters that GitHub takes in a comment's body.
pub const MAX_BODY_CHARACTERS: usize = 65_536;

/// How many pages of a hundred comments are read.
const MAX_COMMENT_PAGES: usize = 30;

/// A comment in the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its number.
    pub id: u64,
    /// Its text.
    pub body: String,
    /// Who wrote it.
    pub author: Account,
    /// The app that it was written through: what to tell our own by, never by text alone.
    pub app_id: Option<u64>,
}

impl RepositoryApi {
    /// Lists the comments of a pull request's conversation, oldest first, at most 3,000.
    ///
    /// # Errors
    /// As any call.
    pub async fn comments(&self, number: u64) -> Result<Listing<Comment>, ApiError> {
        #[derive(Deserialize)]
        struct Raw {
            id: u64,
            body: Option<String>,
            user: Option<RawAccount>,
            performed_via_github_app: Option<RawApp>,
        }
        #[derive(Deserialize)]
        struct RawApp {
            id: Option<u64>,
        }
        let read = |page: Vec<Raw>| {
            let comments = page.into_iter().map(|raw| Comment {
                id: raw.id,
                body: raw.body.unwrap_or_default(),
                author: raw.user.map_or_else(Account::ghost, Account::from),
                app_id: raw.performed_via_github_app.and_then(|app| app.id),
            });
            comments.collect()
        };
        self.pages(Call::Comments { number }, &[], MAX_COMMENT_PAGES, read).await
    }

    /// Writes a comment into a pull request's conversation; its number.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused) for a body that is longer than [`MAX_BODY_CHARACTERS`].
    pub async fn create_comment(&self, number: u64, body: &str) -> Result<u64, ApiError> {
        let call = Call::CreateComment { number };
        check_body(body).map_err(|why| self.refused(call, why))?;
        let request = self.request(call).body(&json!({"body": body}));
        Ok(self.connection.json::<Created>(request).await?.id)
    }

    /// Replaces the text of a comment.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) where somebody deleted it.
    pub async fn update_comment(&self, id: u64, body: &str) -> Result<(), ApiError> {
        let call = Call::UpdateComment { id };
        check_body(body).map_err(|why| self.refused(call, why))?;
        self.connection.json::<Created>(self.request(call).body(&json!({"body": body}))).await?;
        Ok(())
    }

    /// Puts 👀 on a comment. Once more changes nothing.
    ///
    /// # Errors
    /// As any call.
    pub async fn react_with_eyes(&self, place: CommentPlace, comment_id: u64) -> Result<(), ApiError> {
        let call = match place {
            CommentPlace::Issue => Call::ReactToComment { id: comment_id },
            CommentPlace::ReviewThread => Call::ReactToReviewComment { id: comment_id },
        };
        self.connection.json::<Created>(self.request(call).body(&json!({"content": "eyes"}))).await?;
        Ok(())
    }
}

/// Checks a body against GitHub's limit.
pub(super) fn check_body(body: &str) -> Result<(), String> {
    let length = body.chars().count();
    if length > MAX_BODY_CHARACTERS {
        return Err(format!("the body is {length} characters long, and github takes {MAX_BODY_CHARACTERS}"));
    }
    Ok(())
}
