//! How Postgres is, for readiness, metrics and warnings.

use super::{Store, StoreError};
use crate::clock::Timestamp;

/// How Postgres is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Condition {
    /// Whether it says that it takes no writes.
    pub(crate) is_read_only: bool,
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
    /// Asks Postgres, once, on one connection; that it answers, and has our tables, is part of the answer.
    pub(crate) async fn condition(&self) -> Result<Condition, StoreError> {
        let (is_read_only, clock): (bool, Timestamp) = sqlx::query_as(
            "select current_setting('transaction_read_only')::boolean, clock_timestamp()
             from (select exists (select from booking)) known",
        )
        .fetch_one(&mut self.connections.acquire().await?)
        .await?;
        Ok(Condition { is_read_only, clock })
    }

    /// How many connections are open.
    pub(crate) fn connection_counts(&self) -> ConnectionCounts {
        self.connections.counts()
    }
}
