//! Accepts a booking: from here on it can't be lost.

use super::parameters::{int, json, payload};
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
    /// that one is marked as overtaken, so that nobody changes it unknowing of its successor.
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
        let wanted = &booking.wanted;
        let mut connection = self.connections.acquire().await?;
        let inserted = sqlx::query_scalar!(
            r#"
            with overtaken as (
                update booking set revision = revision + 1, updated_at = $18
                where $22::integer is not null
                    and source_system = $1 and booking_id = $2 and generation = $3 - 1 and revision = $22
                returning generation
            ), accepted as (
                insert into booking (
                    source_system, booking_id, generation, external_id, revision, status,
                    wanted, wanted_revision, desired_state, sequence, organizer, start_at, end_at,
                    creation_unknown, due_at, lease_attempt_id, lease_started_at, lease_until,
                    created_at, updated_at
                )
                select
                    $1, $2, $3, $4, $5, $6,
                    $7::text::json, $8, $9, $10, $11, $12, $13,
                    false, $14, $15, $16, $17,
                    $18, $18
                where $22 is null or exists (select from overtaken)
                -- No index is named: two that insert at once may meet at any of the unique ones first.
                on conflict do nothing
                returning source_system, booking_id, generation, external_id, organizer
            )
            insert into audit_event (
                occurred_at, event_type, source_system, booking_id, generation, external_id, organizer,
                actor, payload
            )
            select $18, $19, source_system, booking_id, generation, external_id, organizer, $20, $21::text::json
            from accepted
            returning event_id
            "#,
            booking.key.source_system.as_str(),
            booking.key.booking_id.as_str(),
            int(booking.generation.number()),
            wanted.external_id.uuid(),
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
            attempt.id.uuid(),
            attempt.started_at,
            attempt.leased_until,
            booking.created_at,
            event.kind.as_str(),
            event.actor.to_string(),
            payload(event)?,
            predecessor_revision.map(int),
        )
        .fetch_optional(&mut *connection)
        .await?;
        connection.done();
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
