//! Steps: what was paid for in a run is kept until the run is over, so that whoever takes it up again does not pay twice.

use anyhow::{Context, Result};
use review::Digest;
use sqlx::Row;

use crate::Store;

impl Store {
    /// What came of a step of a run; `key` is the digest of what was asked.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn step(&self, run_id: &str, key: &Digest) -> Result<Option<Vec<u8>>> {
        let row = sqlx::query("SELECT value FROM steps WHERE run_id = $1 AND key = $2")
            .bind(run_id)
            .bind(key.as_str())
            .fetch_optional(&self.pool)
            .await
            .with_context(|| format!("could not look for step {} of run {run_id}", key.short()))?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// Keeps what came of a step. If something was kept before, that stays.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn keep_step(&self, run_id: &str, key: &Digest, value: &[u8], at_ms: i64) -> Result<()> {
        sqlx::query(
            "INSERT INTO steps (run_id, key, value, at_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (run_id, key) DO NOTHING",
        )
        .bind(run_id)
        .bind(key.as_str())
        .bind(value)
        .bind(at_ms)
        .execute(&self.pool)
        .await
        .with_context(|| format!("could not keep step {} of run {run_id}", key.short()))?;
        Ok(())
    }

    /// Whether any step of a run is still kept.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn has_steps(&self, run_id: &str) -> Result<bool> {
        let row = sqlx::query("SELECT 1 FROM steps WHERE run_id = $1 LIMIT 1")
            .bind(run_id)
            .fetch_optional(&self.pool)
            .await
            .with_context(|| format!("could not look for steps of run {run_id}"))?;
        Ok(row.is_some())
    }

    /// Forgets all steps of a run that is over.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn forget_steps(&self, run_id: &str) -> Result<()> {
        sqlx::query("DELETE FROM steps WHERE run_id = $1")
            .bind(run_id)
            .execute(&self.pool)
            .await
            .with_context(|| format!("could not forget the steps of run {run_id}"))?;
        Ok(())
    }
}
