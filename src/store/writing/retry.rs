//! Makes a booking due again.

use super::Changed;
use super::parameters::{int, payload};
use crate::audit::NewAuditEvent;
use crate::meeting::{Attempt, Booking};
use crate::store::postgres::again_if_lost;
use crate::store::{Store, StoreError};

impl Store {
    /// Stores that a booking is due again, with its event, and opens our attempt where there is one; only if the booking
    /// still has the revision that was read, and nobody works on it.
    ///
    /// May be repeated: what is stored already counts as stored.
    pub(crate) async fn retry(
        &self,
        known_revision: u32,
        booking: &Booking,
        attempt: Option<Attempt>,
        event: &NewAuditEvent,
    ) -> Result<Changed, StoreError> {
        again_if_lost!(self, async {
            if self.write_retry(known_revision, booking, attempt, event).await? {
                return Ok(Changed::Stored);
            }
            let leased = self.generation(&booking.key, booking.generation).await?;
            let ours = leased.is_some_and(|leased| leased.booking == *booking && leased.attempt == attempt);
            Ok(if ours { Changed::Stored } else { Changed::Overtaken })
        })
    }

    async fn write_retry(
        &self,
        known_revision: u32,
        booking: &Booking,
        attempt: Option<Attempt>,
        event: &NewAuditEvent,
    ) -> Result<bool, StoreError> {
        let retried = sqlx::query_scalar!(
            r#"
            with retried as (
                update booking set
                    revision = $5, status = $6, due_at = $7,
                    lease_attempt_id = $8, lease_started_at = $9, lease_until = $10,
                    failures = 0, failing_since = null, updated_at = $11
                where source_system = $1 and booking_id = $2 and generation = $3
                    and revision = $4 and lease_attempt_id is null
                returning source_system, booking_id, generation, external_id, organizer, meeting_id
            )
            insert into audit_event (
                occurred_at, event_type, source_system, booking_id, generation, external_id, organizer, meeting_id,
                actor, payload
            )
            select $11, $12, source_system, booking_id, generation, external_id, organizer, meeting_id, $13,
                $14::text::json
            from retried
            returning event_id
            "#,
            booking.key.source_system.as_str(),
            booking.key.booking_id.as_str(),
            int(booking.generation.number()),
            int(known_revision),
            int(booking.revision),
            booking.status().as_str(),
            booking.due_at(),
            attempt.map(|attempt| attempt.id.uuid()),
            attempt.map(|attempt| attempt.started_at),
            attempt.map(|attempt| attempt.leased_until),
            booking.updated_at,
            event.kind.as_str(),
            event.actor.to_string(),
            payload(event)?,
        )
        .fetch_optional(&mut *self.connections.acquire().await?)
        .await?;
        Ok(retried.is_some())
    }
}
