//! Reviews: comments at lines. The only event that a review of ours can have is `COMMENT` (law 5).

use review::{CommitId, Side};
use serde::{Deserialize, Serialize};

use super::checks::Created;
use super::comments::check_body;
use super::{Listing, RepositoryApi};
use crate::error::ApiError;
use crate::event::Account;
use crate::event::payload::RawAccount;
use crate::route::Call;

/// How many pages of a hundred reviews are read.
const MAX_REVIEW_PAGES: usize = 10;

/// A comment at lines of the diff. GitHub refuses a review with one that is elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InlineComment {
    /// The file.
    pub path: String,
    /// The last line, from 1.
    pub line: u32,
    /// Which side of the diff the lines are on.
    pub side: Side,
    /// The first line, where it is not the last.
    pub start_line: Option<u32>,
    /// What it says.
    pub body: String,
}

/// A review as GitHub has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Its number.
    pub id: u64,
    /// What it says.
    pub body: String,
    /// Who wrote it. GitHub does not say through which app; an app's bot has the kind `Bot` and the login `SLUG[bot]`,
    /// which nobody else can have.
    pub author: Account,
    /// The commit that it is about.
    pub head: Option<CommitId>,
}

impl RepositoryApi {
    /// Comments at lines of a pull request's diff, all in one review; its number.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) where a comment is outside of the diff or the head is not the
    /// pull request's; then nothing is written.
    pub async fn create_review(
        &self,
        number: u64,
        head: &CommitId,
        comments: &[InlineComment],
        body: &str,
    ) -> Result<u64, ApiError> {
        let call = Call::CreateReview { number };
        let mut bodies = comments.iter().map(|comment| comment.body.as_str()).chain([body]);
        bodies.try_for_each(check_body).map_err(|why| self.refused(call, why))?;
        let review = NewReview {
            commit_id: head,
            event: "COMMENT",
            body,
            comments: comments.iter().map(NewComment::of).collect(),
        };
        Ok(self.connection.json::<Created>(self.request(call).body(&review)).await?.id)
    }

    /// Lists the reviews of a pull request, oldest first, at most 1,000.
    ///
    /// # Errors
    /// As any call.
    pub async fn reviews(&self, number: u64) -> Result<Listing<Review>, ApiError> {
        #[derive(Deserialize)]
        struct Raw {
            id: u64,
            body: Option<String>,
            user: Option<RawAccount>,
            commit_id: Option<String>,
        }
        let read = |page: Vec<Raw>| {
            let reviews = page.into_iter().map(|raw| Review {
                id: raw.id,
                body: raw.body.unwrap_or_default(),
                author: raw.user.map_or_else(Account::ghost, Account::from),
                head: raw.commit_id.as_deref().and_then(CommitId::new),
            });
            reviews.collect()
        };
        self.pages(Call::Reviews { number }, &[], MAX_REVIEW_PAGES, read).await
    }
}

#[derive(Serialize)]
struct NewReview<'a> {
    commit_id: &'a CommitId,
    event: &'static str,
    body: &'a str,
    comments: Vec<NewComment<'a>>,
}

#[derive(Serialize)]
struct NewComment<'a> {
    path: &'a str,
    line: u32,
    side: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_side: Option<&'static str>,
    body: &'a str,
}

impl<'a> NewComment<'a> {
    fn of(comment: &'a InlineComment) -> Self {
        let side = match comment.side {
            Side::Base => "LEFT",
            Side::Head => "RIGHT",
        };
        // GitHub refuses a first line that is the last one.
        let start_line = comment.start_line.filter(|start| *start < comment.line);
        Self {
            path: &comment.path,
            line: comment.line,
            side,
            start_line,
            start_side: start_line.map(|_| side),
            body: &comment.body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_at_one_line_has_no_first_line() {
        let comment = |side, start_line| InlineComment {
            path: "a.rs".to_owned(),
            line: 7,
            side,
            start_line,
            body: "b".to_owned(),
        };
        let sent = |comment: InlineComment| serde_json::to_value(NewComment::of(&comment)).unwrap();
        let one = serde_json::json!({"path": "a.rs", "line": 7, "side": "RIGHT", "body": "b"});
        assert_eq!(sent(comment(Side::Head, None)), one);
        assert_eq!(sent(comment(Side::Head, Some(7))), one);
        assert_eq!(
            sent(comment(Side::Base, Some(5))),
            serde_json::json!({"path": "a.rs", "line": 7, "side": "LEFT", "start_line": 5, "start_side": "LEFT",
                "body": "b"})
        );
    }
}
