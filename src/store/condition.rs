//! How Postgres is, for metrics and warnings.

use super::{Store, StoreError};
use crate::clock::Timestamp;

/// How Postgres is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Condition {
    /// Whether it takes writes, as far as it says and the latest writes showed.
    pub(crate) takes_writes: bool,
    /// Its clock.
    pub(crate) clock: Timestamp,
}

/// The connections of this process to Postgres, without the one that listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConnectionCounts {
    /// A statement runs on them, or is about to.
    pub(crate) in_use: usize,
    /// They are open, and kept for the next statement.
    pub(crate) idle: usize,
    /// The most there may be.
    pub(crate) most: usize,
}

impl Store {
    /// Asks Postgres, once, on one connection; that it answers is part of the answer.
    pub(crate) async fn condition(&self) -> Result<Condition, StoreError> {
        let (is_read_only, clock): (bool, Timestamp) = sqlx::query_as(
            "select current_setting('transaction_read_only')::boolean, clock_timestamp()
             from (select exists (select from booking)) known",
        )
        .fetch_one(&mut self.connections.acquire().await?)
        .await?;
        Ok(Condition { takes_writes: !is_read_only && !self.writes_fail(), clock })
    }

    /// How many connections are open.
    pub(crate) fn connection_counts(&self) -> ConnectionCounts {
        self.connections.counts()
    }
}
