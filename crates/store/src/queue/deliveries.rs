//! Deliveries: taken once, together with what follows from them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use review::Digest;
use sqlx::{AssertSqlSafe, Row};

use super::jobs::{self, Order};
use super::{ROWS_AT_ONCE, Turn, places, rows_of};
use crate::Store;

/// For how long a delivery is known. GitHub delivers again what is up to three days old; a day more is for clocks
/// that disagree and for whoever presses the button at the last moment.
pub const DELIVERY_WINDOW_MS: i64 = 4 * 24 * 60 * 60 * 1000;

/// One accepted delivery with what follows from it. PostgreSQL stores no text with a NUL in it, so there must be none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The id that the sender gave it (`X-GitHub-Delivery`).
    pub delivery_id: String,
    /// The digest of the event's name and the body.
    pub body_digest: Digest,
    /// The event's name.
    pub event: String,
    /// When it came, in milliseconds since 1970.
    pub at_ms: i64,
    /// What is to be done, in this order.
    pub orders: Vec<Order>,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It and what follows from it are on disk.
    New,
    /// One with this id came within [`DELIVERY_WINDOW_MS`]: nothing follows from it again.
    KnownDelivery,
    /// The same event and body came within [`DELIVERY_WINDOW_MS`] under another id: only the id was written down.
    KnownBody,
}

impl Store {
    /// Takes deliveries in one transaction, as if one after the other, and answers each.
    ///
    /// # Errors
    /// The database cannot be written. Then none of them was taken, and none may be acknowledged.
    pub async fn receive(&self, batch: &[Received]) -> Result<Vec<Taken>> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        self.try_receive(batch).await.with_context(|| {
            format!("could not store {} deliveries, from {}", batch.len(), batch[0].delivery_id)
        })
    }

    async fn try_receive(&self, batch: &[Received]) -> Result<Vec<Taken>> {
        let orders: usize = batch.iter().map(|received| received.orders.len()).sum();
        let mut turn = self.begin_turn(orders).await?;
        let known = known_before(&mut turn, batch).await?;
        let taken = sort_out(batch, known);
        let of = |wanted: &[Taken]| {
            let pairs = batch.iter().zip(&taken);
            pairs
                .filter(|(_, taken)| wanted.contains(taken))
                .map(|(received, _)| received)
                .collect::<Vec<_>>()
        };
        write_down(&mut turn, &of(&[Taken::New, Taken::KnownBody])).await?;
        let new = of(&[Taken::New]);
        let orders: Vec<_> = new
            .iter()
            .flat_map(|received| received.orders.iter().map(|order| (order, received.at_ms)))
            .collect();
        jobs::carry_out(&mut turn, &orders).await?;
        turn.commit().await?;
        Ok(taken)
    }

    /// Which of these ids are known.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn known_deliveries(&self, ids: &[String]) -> Result<BTreeSet<String>> {
        let mut known = BTreeSet::new();
        for some in ids.chunks(ROWS_AT_ONCE) {
            let sql = format!(
                "SELECT delivery_id FROM deliveries WHERE delivery_id IN ({})",
                places(1, some.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for id in some {
                query = query.bind(id.as_str());
            }
            let rows = query.fetch_all(&self.pool).await.context("could not look up deliveries")?;
            for row in rows {
                known.insert(row.try_get(0)?);
            }
        }
        Ok(known)
    }
}

/// When an id and a body last came.
#[derive(Debug, Default, PartialEq, Eq)]
struct Known {
    ids: BTreeMap<String, i64>,
    bodies: BTreeMap<String, i64>,
}

impl Known {
    fn add(&mut self, id: String, body: String, at_ms: i64) {
        for (map, key) in [(&mut self.ids, id), (&mut self.bodies, body)] {
            let latest = map.entry(key).or_insert(at_ms);
            *latest = at_ms.max(*latest);
        }
    }
}

/// Says of each delivery whether it is new, given those of before and those that stand before it.
fn sort_out(batch: &[Received], mut known: Known) -> Vec<Taken> {
    let is_known = |map: &BTreeMap<String, i64>, key: &str, now_ms: i64| {
        map.get(key).is_some_and(|before| *before > now_ms.saturating_sub(DELIVERY_WINDOW_MS))
    };
    let sort_out = |received: &Received| {
        let (id, body, at_ms) = (&received.delivery_id, received.body_digest.as_str(), received.at_ms);
        let taken = if is_known(&known.ids, id, at_ms) {
            return Taken::KnownDelivery;
        } else if is_known(&known.bodies, body, at_ms) {
            Taken::KnownBody
        } else {
            Taken::New
        };
        known.add(id.clone(), body.to_owned(), at_ms);
        taken
    };
    batch.iter().map(sort_out).collect()
}

async fn known_before(turn: &mut Turn, batch: &[Received]) -> Result<Known> {
    let mut known = Known::default();
    for some in batch.chunks(ROWS_AT_ONCE) {
        let sql = format!(
            "SELECT delivery_id, body_digest, at_ms FROM deliveries WHERE delivery_id IN ({}) OR body_digest IN ({})",
            places(1, some.len()),
            places(some.len() + 1, some.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for received in some {
            query = query.bind(received.delivery_id.as_str());
        }
        for received in some {
            query = query.bind(received.body_digest.as_str());
        }
        for row in query.fetch_all(&mut *turn.transaction).await? {
            known.add(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        }
    }
    Ok(known)
}

async fn write_down(turn: &mut Turn, deliveries: &[&Received]) -> Result<()> {
    // Where clocks jump, one id can be new twice in a batch; the last one counts, and a statement may name it once.
    let by_id: BTreeMap<_, _> =
        deliveries.iter().map(|received| (received.delivery_id.as_str(), *received)).collect();
    let deliveries: Vec<_> = by_id.into_values().collect();
    for some in deliveries.chunks(ROWS_AT_ONCE) {
        let sql = format!(
            "INSERT INTO deliveries (delivery_id, body_digest, event, at_ms) VALUES {} ON CONFLICT (delivery_id) DO \
             UPDATE SET body_digest = excluded.body_digest, event = excluded.event, at_ms = excluded.at_ms",
            rows_of(some.len(), 4)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for received in some {
            query = query
                .bind(received.delivery_id.as_str())
                .bind(received.body_digest.as_str())
                .bind(received.event.as_str())
                .bind(received.at_ms);
        }
        query.execute(&mut *turn.transaction).await?;
    }
    Ok(())
}
