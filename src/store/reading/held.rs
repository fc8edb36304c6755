//! Bookings by their open attempts.

use uuid::Uuid;

use crate::clock::Timestamp;
use crate::meeting::{Attempt, AttemptId};
use crate::store::booking_row::{LeasedBooking, booking_rows};
use crate::store::postgres::again_if_lost;
use crate::store::{Store, StoreError};

impl Store {
    /// The bookings that name one of these attempts as theirs, with leases that last beyond `now`. So a caller
    /// that got no answer to a statement which opens attempts finds out what came of it.
    pub(crate) async fn held(
        &self,
        attempts: &[AttemptId],
        now: Timestamp,
    ) -> Result<Vec<(LeasedBooking, Attempt)>, StoreError> {
        let ids: Vec<Uuid> = attempts.iter().map(|attempt| attempt.uuid()).collect();
        again_if_lost!(self, async {
            let rows = booking_rows!(
                "select",
                "from booking where due_at is not null and lease_attempt_id = any($1) and lease_until > $2",
                &ids,
                now,
            )
            .fetch_all(&mut self.connections.acquire().await?)
            .await?;
            // When the lease of one that can't be read has ended, the claim tells of it again.
            let leased = rows.into_iter().filter_map(|row| {
                let leased = self.read_row(|| LeasedBooking::try_from(row))?;
                leased.attempt.map(|attempt| (leased, attempt))
            });
            Ok(leased.collect())
        })
    }
}
