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
            let leased = rows.into_iter().map(LeasedBooking::try_from).filter_map(|leased| match leased {
                Ok(leased) => leased.attempt.map(|attempt| (leased, attempt)),
                // It holds up no other; when its lease has ended the claim says so again.
                Err(error) => {
                    tracing::error!(error = %error, "a booking that may be ours can't be read");
                    None
                }
            });
            Ok(leased.collect())
        })
    }
}
