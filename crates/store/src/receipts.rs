//! Receipts: bytes that are kept under their own SHA-256 and can be shown.

use std::io::{Read, Write};

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use review::Digest;
use sqlx::Row;

use crate::Store;

/// What a receipt holds. Only a note for people: bytes have one name, whatever they are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReceiptKind {
    /// What was sent to a model.
    Prompt,
    /// What a model sent back.
    Reply,
    /// What a command printed.
    Log,
    /// A file.
    File,
}

impl ReceiptKind {
    /// Its name in tables and packets.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Reply => "reply",
            Self::Log => "log",
            Self::File => "file",
        }
    }
}

impl Store {
    /// Keeps bytes and gives their name. Keeping the same bytes again changes nothing.
    pub async fn keep(&self, kind: ReceiptKind, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        let size = i64::try_from(bytes.len()).context("a receipt has more bytes than a number can hold")?;
        sqlx::query(
            "INSERT INTO receipts (digest, kind, size, zlib) VALUES ($1, $2, $3, $4) ON CONFLICT (digest) DO NOTHING",
        )
        .bind(digest.as_str())
        .bind(kind.name())
        .bind(size)
        .bind(compress(bytes)?)
        .execute(&self.pool)
        .await
        .with_context(|| format!("could not keep the {} {}", kind.name(), digest.short()))?;
        Ok(digest)
    }

    /// Gets bytes by their name; `None` if they are not kept. Bytes that no longer fit their name are an error.
    pub async fn fetch(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        let row = sqlx::query("SELECT size, zlib FROM receipts WHERE digest = $1")
            .bind(digest.as_str())
            .fetch_optional(&self.pool)
            .await
            .with_context(|| format!("could not fetch receipt {}", digest.short()))?;
        let Some(row) = row else { return Ok(None) };
        let size =
            u64::try_from(row.try_get::<i64, _>("size")?).context("the size of a receipt is negative")?;
        let bytes = decompress(row.try_get("zlib")?, size)
            .with_context(|| format!("could not decompress receipt {}", digest.short()))?;
        if Digest::of(&bytes) != *digest {
            bail!("receipt {} was altered: its bytes have another digest", digest.short());
        }
        Ok(Some(bytes))
    }
}

pub(crate) fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// Stops one byte behind the size that was recorded, so that an altered row cannot fill the memory.
fn decompress(zlib: &[u8], size: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    ZlibDecoder::new(zlib).take(size.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}
