//! The ledger: what a call may cost is reserved before it happens, and settled after.
//!
//! Sums are derived from the rows. A call that was never settled, because the process died or nobody said what it
//! used, counts at what was reserved.

use anyhow::{Context, Result, bail};
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use crate::{Engine, Store};

/// A call that is about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation<'a> {
    /// The run that makes it.
    pub run_id: &'a str,
    /// The engine that is asked, as `PROVIDER/NAME`.
    pub engine: &'a str,
    /// The most that it can cost, in micro-USD.
    pub micro_usd: u64,
    /// What it counts towards, and the caps in force. At most one for a scope.
    pub bookings: &'a [Booking],
    /// Now, in milliseconds since 1970.
    pub at_ms: i64,
}

/// Something that a call counts towards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// What kind of thing.
    pub scope: Scope,
    /// Which one: `acme/shop#12`, a login, `acme/shop`, `2026-11-21`. Without meaning for [`Scope::Call`].
    pub key: String,
    /// The most that may be spent on it, in micro-USD; `None` counts without a cap.
    pub limit_micro_usd: Option<u64>,
}

/// What kind of thing has a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The call itself.
    Call,
    /// One change.
    Change,
    /// One author.
    Author,
    /// One repository.
    Repository,
    /// One day.
    Day,
}

impl Scope {
    /// Its name in tables and packets.
    pub fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Change => "change",
            Self::Author => "author",
            Self::Repository => "repository",
            Self::Day => "day",
        }
    }
}

/// The name of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReservationId(i64);

/// What became of a request to spend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reserved {
    /// It is on disk: the call may be made.
    Yes(ReservationId),
    /// A cap is in the way: the call must not be made. Nothing was written.
    No(OverCap),
}

/// The cap that was in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverCap {
    /// What kind of thing has the cap.
    pub scope: Scope,
    /// Which one.
    pub key: String,
    /// What is spent or reserved already, in micro-USD.
    pub spent_micro_usd: u64,
    /// What was asked for, in micro-USD.
    pub wanted_micro_usd: u64,
    /// The cap, in micro-USD.
    pub limit_micro_usd: u64,
}

/// What a call used, in tokens, as the server told. `input` includes the other inputs, `output` the reasoning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokensUsed {
    /// Tokens read.
    pub input: u64,
    /// Of these, from the cache.
    pub cached_input: u64,
    /// Of these, written to the cache.
    pub cache_write: u64,
    /// Tokens written.
    pub output: u64,
    /// Of these, reasoning.
    pub reasoning: u64,
}

impl Store {
    /// Reserves what a call may cost, unless that would go over a cap. All or nothing, one at a time.
    pub async fn reserve(&self, wanted: &Reservation<'_>) -> Result<Reserved> {
        self.try_reserve(wanted).await.with_context(|| {
            format!("could not reserve money for {} in run {}", wanted.engine, wanted.run_id)
        })
    }

    async fn try_reserve(&self, wanted: &Reservation<'_>) -> Result<Reserved> {
        let mut transaction = self.begin_ledger().await?;
        for booking in wanted.bookings {
            let Some(limit) = booking.limit_micro_usd else { continue };
            let spent = match booking.scope {
                Scope::Call => 0,
                scope => sum(&mut transaction, scope, &booking.key).await?,
            };
            if spent.saturating_add(wanted.micro_usd) > limit {
                return Ok(Reserved::No(OverCap {
                    scope: booking.scope,
                    key: booking.key.clone(),
                    spent_micro_usd: spent,
                    wanted_micro_usd: wanted.micro_usd,
                    limit_micro_usd: limit,
                }));
            }
        }
        // The ledger is locked, so nobody else takes this number.
        let row =
            sqlx::query("SELECT COALESCE(MAX(id), 0) + 1 FROM spending").fetch_one(&mut *transaction).await?;
        let id: i64 = row.try_get(0)?;
        sqlx::query(
            "INSERT INTO spending (id, run_id, engine, reserved_micro_usd, reserved_at_ms) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(id)
        .bind(wanted.run_id)
        .bind(wanted.engine)
        .bind(to_bigint(wanted.micro_usd)?)
        .bind(wanted.at_ms)
        .execute(&mut *transaction)
        .await?;
        for booking in wanted.bookings.iter().filter(|booking| booking.scope != Scope::Call) {
            sqlx::query("INSERT INTO spending_scopes (scope, key, spending_id) VALUES ($1, $2, $3)")
                .bind(booking.scope.name())
                .bind(booking.key.as_str())
                .bind(id)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(Reserved::Yes(ReservationId(id)))
    }

    /// Records what a call cost. Zero for one that was never sent; never called for one whose cost nobody knows,
    /// which goes on counting at what was reserved.
    ///
    /// Settling again with the same sum changes nothing; with another one it is an error.
    pub async fn settle(
        &self,
        ReservationId(id): ReservationId,
        actual_micro_usd: u64,
        tokens: Option<TokensUsed>,
        at_ms: i64,
    ) -> Result<()> {
        let actual = to_bigint(actual_micro_usd)?;
        let column = |field: fn(TokensUsed) -> u64| tokens.map(field).map(to_bigint).transpose();
        let settled = sqlx::query(
            "UPDATE spending SET actual_micro_usd = $1, settled_at_ms = $2, input_tokens = $3, cached_input_tokens = $4, \
             cache_write_tokens = $5, output_tokens = $6, reasoning_tokens = $7 WHERE id = $8 AND actual_micro_usd IS NULL",
        )
        .bind(actual)
        .bind(at_ms)
        .bind(column(|tokens| tokens.input)?)
        .bind(column(|tokens| tokens.cached_input)?)
        .bind(column(|tokens| tokens.cache_write)?)
        .bind(column(|tokens| tokens.output)?)
        .bind(column(|tokens| tokens.reasoning)?)
        .bind(id)
        .execute(&self.pool)
        .await
        .with_context(|| format!("could not settle reservation {id}"))?;
        if settled.rows_affected() == 1 {
            return Ok(());
        }
        let row: Option<AnyRow> = sqlx::query("SELECT actual_micro_usd FROM spending WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await
            .with_context(|| format!("could not look up reservation {id}"))?;
        match row.map(|row| row.try_get::<i64, _>(0)).transpose()? {
            Some(before) if before == actual => Ok(()),
            Some(before) => bail!("reservation {id} was settled at {before} micro-USD, and now at {actual}"),
            None => bail!("there is no reservation {id}"),
        }
    }

    /// What is spent or reserved on one thing, in micro-USD.
    pub async fn spent(&self, scope: Scope, key: &str) -> Result<u64> {
        let mut transaction = self.pool.begin().await.context("could not read the ledger")?;
        sum(&mut transaction, scope, key)
            .await
            .with_context(|| format!("could not sum up {} {key}", scope.name()))
    }

    /// Begins a transaction that no other reservation can pass.
    async fn begin_ledger(&self) -> Result<Transaction<'static, Any>> {
        Ok(match self.engine {
            Engine::Sqlite => self.pool.begin_with("BEGIN IMMEDIATE").await?,
            Engine::Postgres => {
                let mut transaction = self.pool.begin().await?;
                // Readers are let through. Each later statement sees what was committed before it began.
                sqlx::query("LOCK TABLE spending IN SHARE ROW EXCLUSIVE MODE")
                    .execute(&mut *transaction)
                    .await?;
                transaction
            }
        })
    }
}

async fn sum(transaction: &mut Transaction<'static, Any>, scope: Scope, key: &str) -> Result<u64> {
    let row = sqlx::query(
        "SELECT CAST(COALESCE(SUM(COALESCE(s.actual_micro_usd, s.reserved_micro_usd)), 0) AS BIGINT) \
         FROM spending_scopes b JOIN spending s ON s.id = b.spending_id WHERE b.scope = $1 AND b.key = $2",
    )
    .bind(scope.name())
    .bind(key)
    .fetch_one(&mut **transaction)
    .await?;
    u64::try_from(row.try_get::<i64, _>(0)?).context("the sum is negative")
}

fn to_bigint(number: u64) -> Result<i64> {
    i64::try_from(number).with_context(|| format!("{number} is too large for the ledger"))
}
