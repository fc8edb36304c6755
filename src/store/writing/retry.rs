//! Makes a booking due again.

use super::Changed;
use super::input::{BookingInput, EventInput, int};
use crate::audit::NewAuditEvent;
use crate::meeting::{Attempt, Booking};
use crate::store::postgres::write_again_if_lost;
use crate::store::{Store, StoreError};

impl Store {
    /// Stores that a booking is due again, with its event, and opens our attempt where there is one; only if the booking
    /// still has the revision that was read, and no attempt is under way.
    ///
    /// May be repeated: what is stored already counts as stored.
    pub(crate) async fn retry(
        &self,
        known_revision: u32,
        booking: &Booking,
        attempt: Option<Attempt>,
        event: &NewAuditEvent,
    ) -> Result<Changed, StoreError> {
        write_again_if_lost!(self, async {
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
        let input = BookingInput::of(booking, attempt)?;
        let event = EventInput::of(event)?;
        let retried = sqlx::query_scalar!(
            r#"
            with retried as (
                -- Due now, with failures counted anew; only while the row has the revision that was read ($3).
                update booking set
                    revision = input.revision, status = input.status, due_at = input.due_at,
                    agreement = input.agreement, agreed_revision = input.agreed_revision,
                    lease_attempt_id = input.lease_attempt_id, lease_started_at = input.lease_started_at,
                    lease_until = input.lease_until,
                    failures = 0, failing_since = null, events = booking.events + 1, updated_at = input.updated_at
                from (select ($1::booking_input).*) as input
                where booking.source_system = input.source_system and booking.booking_id = input.booking_id
                    and booking.generation = input.generation
                    and booking.revision = $3 and booking.lease_attempt_id is null
                returning booking.source_system, booking.booking_id, booking.generation, booking.external_id,
                    booking.organizer, booking.meeting_id, booking.events
            )
            -- Its event.
            insert into audit_event (
                occurred_at, event_type, outcome, source_system, booking_id, generation, number, external_id,
                organizer, meeting_id, actor, payload
            )
            select event.occurred_at, event.event_type, event.outcome, source_system, booking_id, generation, events,
                external_id, organizer, meeting_id, event.actor, event.payload::json
            from retried cross join (select ($2::event_input).*) as event
            returning event_id
            "#,
            input as _,
            event as _,
            int(known_revision),
        )
        .fetch_optional(&mut self.connections.acquire().await?)
        .await?;
        Ok(retried.is_some())
    }
}
