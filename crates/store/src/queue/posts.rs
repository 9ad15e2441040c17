//! Posts: acts on the other side that must not happen twice. Each is written down before it is begun and after it is
//! done, and only under a lease that is still held.

use anyhow::{Context, Result};
use review::Digest;
use sqlx::Row;

use super::{Held, Lease};
use crate::Store;

/// The name of one act.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PostKey {
    /// Like `acme/shop` with its host.
    pub repository: String,
    /// Like `acme/shop#12`.
    pub subject: String,
    /// What kind of act.
    pub kind: PostKind,
    /// Which one: the head's SHA for check runs and inline comments, the comment's id for reactions, nothing for the one
    /// comment.
    pub name: String,
}

/// What kind of thing is made on the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PostKind {
    /// A check run.
    CheckRun,
    /// The one comment on a pull request.
    Comment,
    /// A review with inline comments.
    Inline,
    /// A reaction to a comment.
    Reaction,
}

impl PostKind {
    /// Its name in tables and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::CheckRun => "check_run",
            Self::Comment => "comment",
            Self::Inline => "inline",
            Self::Reaction => "reaction",
        }
    }
}

/// What is known of an act that is about to be done. It is written down that it begins now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intended {
    /// It was never begun.
    First,
    /// It was begun, and nobody knows whether it was done: look on the other side first.
    Again,
    /// It was done.
    Done {
        /// What it is called on the other side.
        remote_id: String,
        /// The digest of what it says; `None` if changing that was begun and nobody knows whether it was done.
        ///
        /// From now on that is unknown, until [`Store::posted`] says it again.
        content: Option<Digest>,
    },
    /// The lease is not held any more: it must not be done. Nothing was written.
    Lost,
}

/// How far an act came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Nobody began it.
    NeverBegun,
    /// It was begun, and nobody knows whether it was done.
    Begun,
    /// It was done, and changing what it says was begun.
    ChangeBegun,
    /// It was done.
    Done {
        /// The digest of what it says.
        content: Digest,
    },
}

impl Store {
    /// Writes down that something will be done, if the lease is still held, and gives what is known of it from before.
    ///
    /// # Errors
    /// The database cannot be written. It must not be done then.
    pub async fn intend(&self, lease: &Lease, key: &PostKey, now_ms: i64) -> Result<Intended> {
        self.try_intend(lease, key, now_ms)
            .await
            .with_context(|| format!("could not write down the intent to post {}", key.describe()))
    }

    async fn try_intend(&self, lease: &Lease, key: &PostKey, now_ms: i64) -> Result<Intended> {
        let mut turn = self.begin_turn(0).await?;
        if !turn.is_held(lease).await? {
            turn.rollback().await?;
            return Ok(Intended::Lost);
        }
        let before = sqlx::query(
            "SELECT remote_id, content FROM posts WHERE repository = $1 AND subject = $2 AND kind = $3 AND name = $4",
        )
        .bind(key.repository.as_str())
        .bind(key.subject.as_str())
        .bind(key.kind.name())
        .bind(key.name.as_str())
        .fetch_optional(&mut *turn.transaction)
        .await?;
        let intended = match before {
            None => Intended::First,
            Some(row) => match row.try_get("remote_id")? {
                None => Intended::Again,
                Some(remote_id) => {
                    let content: Option<String> = row.try_get("content")?;
                    let digest = |text: String| Digest::new(&text).context("its digest is not one");
                    Intended::Done { remote_id, content: content.map(digest).transpose()? }
                }
            },
        };
        sqlx::query(
            "INSERT INTO posts (repository, subject, kind, name, begun_at_ms) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (repository, subject, kind, name) DO UPDATE SET content = NULL, begun_at_ms = excluded.begun_at_ms",
        )
        .bind(key.repository.as_str())
        .bind(key.subject.as_str())
        .bind(key.kind.name())
        .bind(key.name.as_str())
        .bind(now_ms)
        .execute(&mut *turn.transaction)
        .await?;
        turn.commit().await?;
        Ok(intended)
    }

    /// Writes down that something was done, or was found to be, and what it says now; if the lease is still held.
    ///
    /// # Errors
    /// The database cannot be written. It counts as begun then.
    pub async fn posted(
        &self,
        lease: &Lease,
        key: &PostKey,
        remote_id: &str,
        content: &Digest,
        now_ms: i64,
    ) -> Result<Held> {
        let write = async {
            let mut turn = self.begin_turn(0).await?;
            if !turn.is_held(lease).await? {
                turn.rollback().await?;
                return Ok(Held::Lost);
            }
            sqlx::query(
                "INSERT INTO posts (repository, subject, kind, name, remote_id, content, begun_at_ms, posted_at_ms) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (repository, subject, kind, name) DO UPDATE SET \
                 remote_id = excluded.remote_id, content = excluded.content, posted_at_ms = excluded.posted_at_ms",
            )
            .bind(key.repository.as_str())
            .bind(key.subject.as_str())
            .bind(key.kind.name())
            .bind(key.name.as_str())
            .bind(remote_id)
            .bind(content.as_str())
            .bind(now_ms)
            .execute(&mut *turn.transaction)
            .await?;
            turn.commit().await?;
            anyhow::Ok(Held::Yes)
        };
        write.await.with_context(|| format!("could not write down that {} was posted", key.describe()))
    }

    /// How far an act came.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn progress(&self, key: &PostKey) -> Result<Progress> {
        let row = sqlx::query(
            "SELECT remote_id, content FROM posts WHERE repository = $1 AND subject = $2 AND kind = $3 AND name = $4",
        )
        .bind(key.repository.as_str())
        .bind(key.subject.as_str())
        .bind(key.kind.name())
        .bind(key.name.as_str())
        .fetch_optional(&self.pool)
        .await
        .with_context(|| format!("could not look for {}", key.describe()))?;
        let Some(row) = row else { return Ok(Progress::NeverBegun) };
        progress(row.try_get("remote_id")?, row.try_get("content")?)
    }

    /// What the newest act of a kind says whose name begins so, by the ids of the other side, which grow; one of which nobody
    /// knows whether it was done counts as the newest.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn newest_post(
        &self,
        repository: &str,
        subject: &str,
        kind: PostKind,
        prefix: &str,
    ) -> Result<Progress> {
        let look = async {
            let rows = sqlx::query(
                "SELECT name, remote_id, content FROM posts WHERE repository = $1 AND subject = $2 AND kind = $3",
            )
            .bind(repository)
            .bind(subject)
            .bind(kind.name())
            .fetch_all(&self.pool)
            .await?;
            let mut newest: Option<(u64, Progress)> = None;
            for row in rows {
                if !row.try_get::<&str, _>("name")?.starts_with(prefix) {
                    continue;
                }
                let remote_id: Option<String> = row.try_get("remote_id")?;
                let id = remote_id.as_deref().and_then(|id| id.parse().ok()).unwrap_or(u64::MAX);
                if newest.as_ref().is_none_or(|(known, _)| *known < id) {
                    newest = Some((id, progress(remote_id, row.try_get("content")?)?));
                }
            }
            anyhow::Ok(newest.map_or(Progress::NeverBegun, |(_, progress)| progress))
        };
        look.await.with_context(|| format!("could not look for the newest {} of {subject}", kind.name()))
    }

    /// Forgets an act, because what it made is gone on the other side.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn forget_post(&self, key: &PostKey) -> Result<()> {
        sqlx::query("DELETE FROM posts WHERE repository = $1 AND subject = $2 AND kind = $3 AND name = $4")
            .bind(key.repository.as_str())
            .bind(key.subject.as_str())
            .bind(key.kind.name())
            .bind(key.name.as_str())
            .execute(&self.pool)
            .await
            .with_context(|| format!("could not forget {}", key.describe()))?;
        Ok(())
    }
}

fn progress(remote_id: Option<String>, content: Option<String>) -> Result<Progress> {
    Ok(match (remote_id, content) {
        (Some(_), Some(text)) => {
            Progress::Done { content: Digest::new(&text).context("its digest is not one")? }
        }
        (Some(_), None) => Progress::ChangeBegun,
        (None, _) => Progress::Begun,
    })
}

impl PostKey {
    fn describe(&self) -> String {
        format!("the {} {:?} of {}", self.kind.name(), self.name, self.subject)
    }
}
