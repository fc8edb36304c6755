//! How many bookings a source system stored lately.

use crate::booking::SourceSystem;
use crate::clock::Timestamp;
use crate::store::postgres::again_if_lost;
use crate::store::{Store, StoreError};

impl Store {
    /// How many bookings, and generations of them, a source system has stored since a time; never more than `at_most`, for
    /// counting ends there. It reads the entries of an index.
    pub(crate) async fn bookings_stored(
        &self,
        source_system: &SourceSystem,
        since: Timestamp,
        at_most: u32,
    ) -> Result<u32, StoreError> {
        again_if_lost!(self, async {
            let stored = sqlx::query_scalar!(
                r#"
                select count(*) as "stored!"
                from (
                    select 1 from booking where source_system = $1 and created_at >= $2 limit $3
                ) as stored
                "#,
                source_system.as_str(),
                since,
                i64::from(at_most),
            )
            .fetch_one(&mut self.connections.acquire().await?)
            .await?;
            Ok(u32::try_from(stored).unwrap_or(u32::MAX))
        })
    }
}
