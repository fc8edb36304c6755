//! Hands attempts back before their leases end.

use uuid::Uuid;

use super::input::int;
use crate::clock::Timestamp;
use crate::meeting::AttemptId;
use crate::store::postgres::write_again_if_lost;
use crate::store::writing::{Settled, Settlement};
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

    /// Ends an attempt that sent nothing, and says when the booking is due again; nothing else of it is changed, so no event is
    /// written. Only while the row names the attempt and has the revision on which it worked.
    ///
    /// May be repeated: a row with the revision and the time that it writes is written by it.
    pub(crate) async fn hand_back(&self, settlement: &Settlement<'_>) -> Result<Settled, StoreError> {
        let booking = settlement.booking;
        write_again_if_lost!(self, async {
            let handed_back = sqlx::query!(
                r#"
                update booking set
                    due_at = $4, revision = $5, updated_at = $6,
                    lease_attempt_id = null, lease_started_at = null, lease_until = null
                where external_id = $1
                    and (
                        lease_attempt_id = $2 and revision = $3
                        or lease_attempt_id is null and revision = $5 and due_at = $4 and updated_at = $6
                    )
                "#,
                booking.wanted.external_id.uuid(),
                settlement.attempt.uuid(),
                int(settlement.worked_on),
                booking.due_at(),
                int(booking.revision),
                booking.updated_at,
            )
            .execute(&mut self.connections.acquire().await?)
            .await?;
            Ok(if handed_back.rows_affected() > 0 { Settled::Stored } else { Settled::Overtaken })
        })
    }
}
