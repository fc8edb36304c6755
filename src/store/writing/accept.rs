//! Accepts a booking: from here on it can't be lost.

use super::input::{BookingInput, EventInput, int};
use crate::audit::NewAuditEvent;
use crate::booking::BookingKey;
use crate::meeting::{Attempt, Booking};
use crate::store::booking_row::LeasedBooking;
use crate::store::postgres::write_again_if_lost;
use crate::store::{Store, StoreError};

/// What became of a booking that was to be accepted.
#[derive(Debug)]
pub(crate) enum Accepted {
    /// It is stored, and the attempt is ours.
    New,
    /// It was there already, in this latest generation.
    Known(Box<LeasedBooking>),
}

impl Store {
    /// Stores a new booking, or a new generation of one, with its event and opens its first attempt, unless it is
    /// there already. A later generation is stored only while the one before it still has the revision that was read:
    /// the revision of that one is raised, so that it is not changed by anyone who does not know of its successor.
    ///
    /// May be repeated: a row that names our own attempt is our own row, whose confirmation got lost.
    pub(crate) async fn accept(
        &self,
        booking: &Booking,
        predecessor_revision: Option<u32>,
        attempt: &Attempt,
        event: &NewAuditEvent,
    ) -> Result<Accepted, StoreError> {
        write_again_if_lost!(self, async {
            if self.insert(booking, predecessor_revision, attempt, event).await? {
                return Ok(Accepted::New);
            }
            let known = self.latest(&booking.key).await?.ok_or_else(|| vanished(&booking.key))?;
            if known.attempt.is_some_and(|known| known.id == attempt.id) {
                return Ok(Accepted::New);
            }
            Ok(Accepted::Known(Box::new(known)))
        })
    }

    async fn insert(
        &self,
        booking: &Booking,
        predecessor_revision: Option<u32>,
        attempt: &Attempt,
        event: &NewAuditEvent,
    ) -> Result<bool, StoreError> {
        let input = BookingInput::of(booking, Some(*attempt))?.with_wanted(booking)?;
        let event = EventInput::of(event)?;
        let inserted = sqlx::query_scalar!(
            r#"
            with input as not materialized (
                select ($1::booking_input).*
            ), overtaken as (
                -- The generation before, if there is one and it still has the revision that was read ($3). Raising its
                -- revision makes every other change of it fail and read again.
                update booking set revision = booking.revision + 1, updated_at = input.updated_at
                from input
                where $3::integer is not null
                    and booking.source_system = input.source_system and booking.booking_id = input.booking_id
                    and booking.generation = input.generation - 1 and booking.revision = $3
                returning booking.generation
            ), accepted as (
                -- The booking and its first attempt, unless it is there already or its predecessor has changed.
                insert into booking (
                    source_system, booking_id, generation, external_id, revision, status,
                    wanted, wanted_revision, desired_state, sequence, organizer, start_at, end_at,
                    creation_unknown, due_at, lease_attempt_id, lease_started_at, lease_until,
                    events, created_at, updated_at
                )
                select
                    source_system, booking_id, generation, external_id, revision, status,
                    wanted::json, wanted_revision, desired_state, sequence, organizer, start_at, end_at,
                    creation_unknown, due_at, lease_attempt_id, lease_started_at, lease_until,
                    1, created_at, updated_at
                from input
                where $3 is null or exists (select from overtaken)
                -- No index is named: two that insert at once may meet at any of the unique ones first.
                on conflict do nothing
                returning source_system, booking_id, generation, external_id, organizer, events
            )
            -- The event, if the booking was stored.
            insert into audit_event (
                occurred_at, event_type, outcome, source_system, booking_id, generation, number, external_id,
                organizer, actor, payload
            )
            select event.occurred_at, event.event_type, event.outcome, source_system, booking_id, generation, events,
                external_id, organizer, event.actor, event.payload::json
            from accepted cross join (select ($2::event_input).*) as event
            returning event_id
            "#,
            input as _,
            event as _,
            predecessor_revision.map(int),
        )
        .fetch_optional(&mut self.connections.acquire().await?)
        .await?;
        Ok(inserted.is_some())
    }
}

/// Bookings are never deleted, so a row that is in the way and can't be read is a fault of the database.
fn vanished(key: &BookingKey) -> StoreError {
    StoreError::BadRow {
        table: "booking",
        column: "booking_id",
        id: key.to_string(),
        detail: "is taken, but no row is there".to_owned(),
    }
}
