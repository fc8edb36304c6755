//! Accepts a booking: from here on it can't be lost.

use super::input::{BookingInput, EventInput, int};
use crate::audit::NewAuditEvent;
use crate::booking::BookingKey;
use crate::meeting::{Attempt, Booking, Tombstone};
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
    /// It isn't there, and was cancelled before it came; that cancel is not the one that was read.
    CancelledBefore(Tombstone),
}

/// What stands before a generation that is to be accepted, as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// Nothing, as far as is known.
    Nothing,
    /// A cancel that came before the booking: the tombstone of this revision.
    Tombstone(u32),
    /// The generation before, at this revision.
    Generation(u32),
}

impl Store {
    /// Stores a new booking, or a new generation of one, with its event and opens its first attempt, unless it is
    /// there already. A later generation is stored only while the one before it still has the revision that was read:
    /// the revision of that one is raised, so that it is not changed by anyone who does not know of its successor. A first
    /// one is stored only while its tombstone is as it was read, or none is there; it waits for a cancel that is being kept.
    ///
    /// May be repeated: a row that names our own attempt is our own row, whose confirmation got lost.
    pub(crate) async fn accept(
        &self,
        booking: &Booking,
        before: Before,
        attempt: &Attempt,
        event: &NewAuditEvent,
    ) -> Result<Accepted, StoreError> {
        write_again_if_lost!(self, async {
            if self.insert(booking, before, attempt, event).await? {
                return Ok(Accepted::New);
            }
            let Some(known) = self.latest(&booking.key).await? else {
                let tombstone = self.tombstone(&booking.key).await?.ok_or_else(|| vanished(&booking.key))?;
                return Ok(Accepted::CancelledBefore(tombstone));
            };
            if known.attempt.is_some_and(|known| known.id == attempt.id) {
                return Ok(Accepted::New);
            }
            Ok(Accepted::Known(Box::new(known)))
        })
    }

    async fn insert(
        &self,
        booking: &Booking,
        before: Before,
        attempt: &Attempt,
        event: &NewAuditEvent,
    ) -> Result<bool, StoreError> {
        let input = BookingInput::of(booking, Some(*attempt))?.with_wanted(booking)?;
        let event = EventInput::of(event)?;
        let (predecessor_revision, tombstone_revision) = match before {
            Before::Nothing => (None, None),
            Before::Tombstone(revision) => (None, Some(int(revision))),
            Before::Generation(revision) => (Some(int(revision)), None),
        };
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
                -- The booking and its first attempt, unless it is there already or what stood before it has changed: the
                -- predecessor, or a cancel that came before the booking ($4 is its revision).
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
                where $3 is null and tombstone_is_as_known(source_system, booking_id, $4::integer)
                    or exists (select from overtaken)
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
            predecessor_revision,
            tombstone_revision,
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
