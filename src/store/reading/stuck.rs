//! What does not come to its meeting, by reason.

use crate::clock::Timestamp;
use crate::store::{Store, StoreError};

/// Bookings that are parked, or whose attempts fail, for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stuck {
    /// Their status.
    pub(crate) status: String,
    /// The code of their last error.
    pub(crate) code: String,
    /// How many they are.
    pub(crate) bookings: i64,
    /// Since when the first of them fails.
    pub(crate) since: Timestamp,
}

impl Store {
    /// What is parked or fails, most first. Only what is due or failed can, and for both there are indexes.
    pub(crate) async fn stuck(&self) -> Result<Vec<Stuck>, StoreError> {
        let rows: Vec<(String, String, i64, Timestamp)> = sqlx::query_as(
            "select status, last_error->>'code', count(*), min(coalesce(failing_since, updated_at))
             from booking where (due_at is not null or status = 'failed') and last_error is not null
             group by 1, 2 order by 3 desc, 1, 2",
        )
        .fetch_all(&mut self.connections.acquire().await?)
        .await?;
        let stuck = rows.into_iter();
        Ok(stuck.map(|(status, code, bookings, since)| Stuck { status, code, bookings, since }).collect())
    }
}
