//! The pauses that Graph asked for.

use crate::clock::Timestamp;
use crate::store::postgres::again_if_lost;
use crate::store::{Store, StoreError};

impl Store {
    /// The scopes whose calls are to wait, and until when.
    pub(crate) async fn pauses(&self, now: Timestamp) -> Result<Vec<(String, Timestamp)>, StoreError> {
        again_if_lost!(self, async {
            let rows =
                sqlx::query!("select scope, paused_until from graph_pause where paused_until > $1", now)
                    .fetch_all(&mut self.connections.acquire().await?)
                    .await?;
            Ok(rows.into_iter().map(|row| (row.scope, row.paused_until)).collect())
        })
    }
}
