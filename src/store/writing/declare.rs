//! Changes what is wanted of a booking.

use super::parameters::{int, json, payload};
use crate::audit::NewAuditEvent;
use crate::meeting::{Attempt, Booking};
use crate::store::booking_row::LeasedBooking;
use crate::store::postgres::write_again_if_lost;
use crate::store::{Store, StoreError};

/// What becomes of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Changed {
    /// It is stored.
    Stored,
    /// The booking is no longer as it was read: read it again.
    Overtaken,
}

impl Store {
    /// Stores what is wanted now, with its event, and opens our attempt where none is under way; only if the booking
    /// still stands as it was read. A booking that is called off, or that turns out to have its meeting as wanted, takes
    /// older generations with it whose meetings are still held.
    ///
    /// May be repeated: a change that is stored already counts as stored.
    pub(crate) async fn declare(
        &self,
        known: &LeasedBooking,
        booking: &Booking,
        attempt: Option<Attempt>,
        (event, retired): (&NewAuditEvent, &NewAuditEvent),
    ) -> Result<Changed, StoreError> {
        write_again_if_lost!(self, async {
            if self.write_declaration(known, booking, attempt, (event, retired)).await? {
                return Ok(Changed::Stored);
            }
            let leased = self.generation(&booking.key, booking.generation).await?;
            let ours = leased.is_some_and(|leased| leased.booking == *booking && leased.attempt == attempt);
            Ok(if ours { Changed::Stored } else { Changed::Overtaken })
        })
    }

    async fn write_declaration(
        &self,
        known: &LeasedBooking,
        booking: &Booking,
        attempt: Option<Attempt>,
        (event, retired): (&NewAuditEvent, &NewAuditEvent),
    ) -> Result<bool, StoreError> {
        let wanted = &booking.wanted;
        let mut connection = self.connections.acquire().await?;
        let changed = sqlx::query_scalar!(
            r#"
            with changed as (
                update booking set
                    revision = $6, status = $7, wanted = $8::text::json, wanted_revision = $9, desired_state = $10,
                    sequence = $11, organizer = $12, start_at = $13, end_at = $14, due_at = $15,
                    lease_attempt_id = $16, lease_started_at = $17, lease_until = $18,
                    failures = 0, failing_since = null, last_error = null, provisioned_at = $19, updated_at = $20
                where source_system = $1 and booking_id = $2 and generation = $3
                    and revision = $4 and lease_attempt_id is not distinct from $5
                returning source_system, booking_id, generation, external_id, organizer, meeting_id
            )
            insert into audit_event (
                occurred_at, event_type, source_system, booking_id, generation, external_id, organizer, meeting_id,
                actor, payload
            )
            select $20, $21, source_system, booking_id, generation, external_id, organizer, meeting_id, $22,
                $23::text::json
            from changed
            returning case when $3 > 1 and ($10 = 'cancelled' or $7 = 'provisioned')
                then retire_older_generations($1, $2, $3, $20, $22, $24, $25::text::json) end
            "#,
            booking.key.source_system.as_str(),
            booking.key.booking_id.as_str(),
            int(booking.generation.number()),
            int(known.booking.revision),
            known.attempt.map(|attempt| attempt.id.uuid()),
            int(booking.revision),
            booking.status().as_str(),
            json(&wanted.spec)?,
            int(wanted.revision),
            wanted.desired_state.as_str(),
            wanted.spec.sequence.map(|sequence| int(sequence.number())),
            wanted.spec.organizer.as_text(),
            wanted.spec.start_date_time,
            wanted.spec.end_date_time,
            booking.due_at(),
            attempt.map(|attempt| attempt.id.uuid()),
            attempt.map(|attempt| attempt.started_at),
            attempt.map(|attempt| attempt.leased_until),
            booking.provisioned_at,
            booking.updated_at,
            event.kind.as_str(),
            event.actor.to_string(),
            payload(event)?,
            retired.kind.as_str(),
            payload(retired)?,
        )
        .fetch_optional(&mut *connection)
        .await?;
        connection.done();
        Ok(changed.is_some())
    }
}
