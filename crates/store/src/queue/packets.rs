//! Evidence packets by subject. They are never forgotten here.

use std::io::Read;

use anyhow::{Context, Result, ensure};
use flate2::read::ZlibDecoder;
use review::Digest;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::Store;
use crate::receipts::compress;

/// A packet that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptPacket {
    /// The commit that it is about.
    pub head: String,
    /// The run that made it.
    pub run_id: String,
    /// The digest of its bytes.
    pub digest: Digest,
    /// When it was kept, in milliseconds since 1970.
    pub at_ms: i64,
    /// The packet, byte for byte.
    pub bytes: Vec<u8>,
}

/// A packet that was kept, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptPacketSummary {
    /// The commit that it is about.
    pub head: String,
    /// The run that made it.
    pub run_id: String,
    /// The digest of its bytes.
    pub digest: Digest,
    /// When it was kept, in milliseconds since 1970.
    pub at_ms: i64,
}

impl Store {
    /// Keeps a packet and gives the digest of its bytes. Keeping the same bytes again changes nothing.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn keep_packet(
        &self,
        subject: &str,
        head: &str,
        run_id: &str,
        packet: &[u8],
        at_ms: i64,
    ) -> Result<Digest> {
        let digest = Digest::of(packet);
        let keep = async {
            let zlib = compress(packet)?;
            let mut turn = self.begin_turn(1).await?;
            sqlx::query(
                "INSERT INTO packets (id, subject, head, run_id, digest, at_ms, size, zlib) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (subject, digest) DO NOTHING",
            )
            .bind(turn.number()?)
            .bind(subject)
            .bind(head)
            .bind(run_id)
            .bind(digest.as_str())
            .bind(at_ms)
            .bind(i64::try_from(packet.len())?)
            .bind(zlib)
            .execute(&mut *turn.transaction)
            .await?;
            turn.commit().await
        };
        keep.await.with_context(|| format!("could not keep packet {} of {subject}", digest.short()))?;
        Ok(digest)
    }

    /// The packet of a subject that was kept last.
    ///
    /// # Errors
    /// The database cannot be read, or the bytes no longer fit their digest.
    pub async fn latest_packet(&self, subject: &str) -> Result<Option<KeptPacket>> {
        let fetch = async {
            let row = sqlx::query(
                "SELECT head, run_id, digest, at_ms, size, zlib FROM packets WHERE subject = $1 ORDER BY id DESC LIMIT 1",
            )
            .bind(subject)
            .fetch_optional(&self.pool)
            .await?;
            row.map(|row| with_bytes(&row)).transpose()
        };
        fetch.await.with_context(|| format!("could not fetch the latest packet of {subject}"))
    }

    /// The bytes of a packet by their digest; `None` if it is not kept.
    ///
    /// # Errors
    /// The database cannot be read, or the bytes no longer fit their digest.
    pub async fn packet(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        let fetch = async {
            let row = sqlx::query(
                "SELECT head, run_id, digest, at_ms, size, zlib FROM packets WHERE digest = $1 ORDER BY id LIMIT 1",
            )
            .bind(digest.as_str())
            .fetch_optional(&self.pool)
            .await?;
            row.map(|row| with_bytes(&row)).transpose()
        };
        let kept = fetch.await.with_context(|| format!("could not fetch packet {}", digest.short()))?;
        Ok(kept.map(|kept| kept.bytes))
    }

    /// All packets of a subject, the one that was kept last first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn packets_of(&self, subject: &str) -> Result<Vec<KeptPacketSummary>> {
        let rows = sqlx::query(
            "SELECT head, run_id, digest, at_ms FROM packets WHERE subject = $1 ORDER BY id DESC",
        )
        .bind(subject)
        .fetch_all(&self.pool)
        .await
        .with_context(|| format!("could not list the packets of {subject}"))?;
        rows.iter().map(summary).collect()
    }
}

fn summary(row: &AnyRow) -> Result<KeptPacketSummary> {
    Ok(KeptPacketSummary {
        head: row.try_get("head")?,
        run_id: row.try_get("run_id")?,
        digest: Digest::new(row.try_get("digest")?).context("the digest of a packet is not one")?,
        at_ms: row.try_get("at_ms")?,
    })
}

fn with_bytes(row: &AnyRow) -> Result<KeptPacket> {
    let KeptPacketSummary { head, run_id, digest, at_ms } = summary(row)?;
    let size = u64::try_from(row.try_get::<i64, _>("size")?).context("the size of a packet is negative")?;
    let mut bytes = Vec::new();
    // One byte behind the size that was recorded, so that an altered row cannot fill the memory.
    ZlibDecoder::new(row.try_get::<&[u8], _>("zlib")?)
        .take(size.saturating_add(1))
        .read_to_end(&mut bytes)?;
    ensure!(
        Digest::of(&bytes) == digest,
        "packet {} was altered: its bytes have another digest",
        digest.short()
    );
    Ok(KeptPacket { head, run_id, digest, at_ms, bytes })
}
