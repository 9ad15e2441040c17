//! Receipts: bytes that are kept under their own SHA-256 and can be shown, until the policy has them deleted.
//!
//! Deleting takes the bytes and leaves the digest, with when and why: what was deleted is told apart from what was
//! never kept.

use std::io::{Read, Write};

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use review::Digest;
use review::packet::ReceiptKindV1;
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use crate::{ReceiptFolder, Store};

/// Where receipts are kept.
#[derive(Debug, Clone)]
pub enum Receipts {
    /// In the database.
    Database(Store),
    /// In a folder.
    Folder(ReceiptFolder),
}

/// What is there under a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The bytes.
    Kept(Vec<u8>),
    /// No longer the bytes.
    Pruned(Pruned),
    /// Other bytes than those that were kept, and how that is seen.
    Altered(String),
    /// Nothing: it was never kept here.
    Missing,
}

/// When and why bytes were deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    /// Milliseconds since 1970.
    pub at_ms: i64,
    /// Why, in a sentence.
    pub because: String,
}

/// A receipt, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRow {
    /// Its name.
    pub digest: String,
    /// What it holds. Only a note for people: bytes have one name, whatever they are called.
    pub kind: String,
    /// How many bytes it has, or had.
    pub bytes: u64,
    /// When it was last kept, in milliseconds since 1970.
    pub kept_at_ms: i64,
    /// When and why its bytes were deleted, if they were.
    pub pruned: Option<Pruned>,
}

/// Something to keep.
#[derive(Debug, Clone, Copy)]
pub struct ToKeep<'a> {
    /// What it holds.
    pub kind: ReceiptKindV1,
    /// The bytes.
    pub bytes: &'a [u8],
    /// Their digest.
    pub digest: &'a Digest,
}

impl Receipts {
    /// Keeps all of these, or none where that fails. Keeping the same bytes again only counts as later.
    ///
    /// # Errors
    /// The database or the folder cannot be written.
    pub async fn keep(&self, all: &[ToKeep<'_>], at_ms: i64) -> Result<()> {
        match self {
            Self::Database(store) => store.keep(all, at_ms).await,
            Self::Folder(folder) => all.iter().try_for_each(|one| folder.keep(one.digest, one.bytes)),
        }
    }

    /// Gets what is there under a digest. `most_bytes` bounds what is decompressed.
    ///
    /// # Errors
    /// The database or the folder cannot be read.
    pub async fn fetch(&self, digest: &Digest, most_bytes: u64) -> Result<Fetched> {
        match self {
            Self::Database(store) => store.fetch(digest, most_bytes).await,
            Self::Folder(folder) => folder.fetch(digest, most_bytes),
        }
    }

    /// The digests that begin with these hex digits, at most two.
    ///
    /// # Errors
    /// The database or the folder cannot be read.
    pub async fn beginning_with(&self, digits: &str) -> Result<Vec<Digest>> {
        match self {
            Self::Database(store) => store.beginning_with(digits).await,
            Self::Folder(folder) => folder.beginning_with(digits),
        }
    }
}

impl Store {
    /// Keeps all of these in one transaction.
    ///
    /// # Errors
    /// The database cannot be written; nothing was kept then.
    pub async fn keep(&self, all: &[ToKeep<'_>], at_ms: i64) -> Result<()> {
        let mut ordered: Vec<&ToKeep<'_>> = all.iter().collect();
        // In one order everywhere, so that two processes never wait for each other.
        ordered.sort_by_key(|one| one.digest);
        let mut transaction = self.pool.begin().await.context("could not keep receipts")?;
        for one in ordered {
            keep(&mut transaction, one, at_ms)
                .await
                .with_context(|| format!("could not keep the {} {}", one.kind.name(), one.digest.short()))?;
        }
        transaction.commit().await.context("could not keep receipts")
    }

    /// Gets what is there under a digest.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn fetch(&self, digest: &Digest, most_bytes: u64) -> Result<Fetched> {
        let row =
            sqlx::query("SELECT size, zlib, pruned_at_ms, pruned_because FROM receipts WHERE digest = $1")
                .bind(digest.as_str())
                .fetch_optional(&self.pool)
                .await
                .with_context(|| format!("could not fetch receipt {}", digest.short()))?;
        let Some(row) = row else { return Ok(Fetched::Missing) };
        if let Some(pruned) = pruned(&row)? {
            return Ok(Fetched::Pruned(pruned));
        }
        let size =
            u64::try_from(row.try_get::<i64, _>("size")?).context("the size of a receipt is negative")?;
        let zlib: &[u8] = row.try_get("zlib")?;
        Ok(checked(ZlibDecoder::new(zlib), digest, size.min(most_bytes)))
    }

    /// All receipts, the latest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn receipts(&self) -> Result<Vec<ReceiptRow>> {
        let rows = sqlx::query(
            "SELECT digest, kind, size, kept_at_ms, pruned_at_ms, pruned_because FROM receipts \
             ORDER BY kept_at_ms DESC, kind, digest",
        )
        .fetch_all(&self.pool)
        .await
        .context("could not list the receipts")?;
        rows.iter().map(receipt_row).collect()
    }

    /// Deletes the bytes of what was last kept before a time, and leaves the digests; how many that were.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn prune_receipts(&self, kept_before_ms: i64, pruned: &Pruned) -> Result<u64> {
        let done = sqlx::query(
            "UPDATE receipts SET zlib = $1, pruned_at_ms = $2, pruned_because = $3 \
             WHERE kept_at_ms < $4 AND pruned_at_ms IS NULL",
        )
        .bind(Vec::<u8>::new())
        .bind(pruned.at_ms)
        .bind(pruned.because.as_str())
        .bind(kept_before_ms)
        .execute(&self.pool)
        .await
        .context("could not prune the receipts")?;
        Ok(done.rows_affected())
    }

    async fn beginning_with(&self, digits: &str) -> Result<Vec<Digest>> {
        // A digest is hex, so nothing in it is a pattern; what is not hex matches nothing.
        let rows = sqlx::query(
            "SELECT digest FROM receipts WHERE substr(digest, 1, CAST($1 AS INTEGER)) = $2 LIMIT 2",
        )
        .bind(i64::try_from(digits.len()).context("too many digits")?)
        .bind(digits)
        .fetch_all(&self.pool)
        .await
        .context("could not look for a receipt")?;
        let digest = |row: &AnyRow| -> Result<Digest> {
            Digest::new(row.try_get("digest")?).context("a receipt has a name that is no digest")
        };
        rows.iter().map(digest).collect()
    }
}

async fn keep(transaction: &mut Transaction<'static, Any>, one: &ToKeep<'_>, at_ms: i64) -> Result<()> {
    let known = sqlx::query("UPDATE receipts SET kept_at_ms = $1 WHERE digest = $2 AND pruned_at_ms IS NULL")
        .bind(at_ms)
        .bind(one.digest.as_str())
        .execute(&mut **transaction)
        .await?;
    if known.rows_affected() > 0 {
        return Ok(());
    }
    let size = i64::try_from(one.bytes.len()).context("a receipt has more bytes than a number can hold")?;
    sqlx::query(
        "INSERT INTO receipts (digest, kind, size, zlib, kept_at_ms) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (digest) DO UPDATE SET size = excluded.size, zlib = excluded.zlib, \
         kept_at_ms = excluded.kept_at_ms, pruned_at_ms = NULL, pruned_because = NULL",
    )
    .bind(one.digest.as_str())
    .bind(one.kind.name())
    .bind(size)
    .bind(compress(one.bytes)?)
    .bind(at_ms)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

fn receipt_row(row: &AnyRow) -> Result<ReceiptRow> {
    Ok(ReceiptRow {
        digest: row.try_get("digest")?,
        kind: row.try_get("kind")?,
        bytes: u64::try_from(row.try_get::<i64, _>("size")?).context("the size of a receipt is negative")?,
        kept_at_ms: row.try_get("kept_at_ms")?,
        pruned: pruned(row)?,
    })
}

fn pruned(row: &AnyRow) -> Result<Option<Pruned>> {
    let Some(at_ms) = row.try_get::<Option<i64>, _>("pruned_at_ms")? else { return Ok(None) };
    let because: Option<String> = row.try_get("pruned_because")?;
    Ok(Some(Pruned { at_ms, because: because.unwrap_or_default() }))
}

pub(crate) fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// Reads what was compressed, and checks that it is what its name says. Stops one byte behind `most_bytes`, so that
/// altered bytes cannot fill the memory.
pub(crate) fn checked(compressed: impl Read, digest: &Digest, most_bytes: u64) -> Fetched {
    let mut bytes = Vec::new();
    if let Err(error) = compressed.take(most_bytes.saturating_add(1)).read_to_end(&mut bytes) {
        return Fetched::Altered(format!("it cannot be decompressed: {error}"));
    }
    if bytes.len() as u64 > most_bytes {
        return Fetched::Altered(format!("it has more than {most_bytes} bytes"));
    }
    if Digest::of(&bytes) != *digest {
        return Fetched::Altered("its bytes have another digest".to_owned());
    }
    Fetched::Kept(bytes)
}
