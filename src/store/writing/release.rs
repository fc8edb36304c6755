//! Hands attempts back before their leases end.

use uuid::Uuid;

use crate::clock::Timestamp;
use crate::meeting::AttemptId;
use crate::store::postgres::write_again_if_lost;
use crate::store::{Store, StoreError};

impl Store {
    /// Ends the leases of these attempts now, so that another replica takes their bookings over at once. The claim
    /// that does so closes the attempts, with its event. Returns how many were still leased.
    ///
    /// May be repeated: a lease that has ended ends again.
    pub(crate) async fn release(&self, attempts: &[AttemptId], now: Timestamp) -> Result<u64, StoreError> {
        let ids: Vec<Uuid> = attempts.iter().map(|attempt| attempt.uuid()).collect();
        write_again_if_lost!(self, async {
            let released = sqlx::query!(
                "update booking set lease_until = $2 where due_at is not null and lease_attempt_id = any($1)",
                &ids,
                now,
            )
            .execute(&mut self.connections.acquire().await?)
            .await?;
            Ok(released.rows_affected())
        })
    }
}
