//! Changes what is wanted of a booking.

use super::input::{BookingInput, DeclarationInput, EventInput, int};
use crate::audit::NewAuditEvent;
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
    /// Stores what is wanted now, with its organizer and its event, and opens our attempt where none is under way; only if the
    /// booking still stands as it was `known`. A booking that is cancelled, or that turns out to have its meeting as wanted,
    /// cancels older generations that are still to be present, each with the event `retired`.
    ///
    /// May be repeated: a change that is stored already counts as stored.
    pub(crate) async fn declare(
        &self,
        known: &LeasedBooking,
        declared: &LeasedBooking,
        event: &NewAuditEvent,
        retired: &NewAuditEvent,
    ) -> Result<Changed, StoreError> {
        write_again_if_lost!(self, async {
            if self.write_declaration(known, declared, event, retired).await? {
                return Ok(Changed::Stored);
            }
            let leased = self.generation(&declared.booking.key, declared.booking.generation).await?;
            Ok(if leased.as_ref() == Some(declared) { Changed::Stored } else { Changed::Overtaken })
        })
    }

    async fn write_declaration(
        &self,
        known: &LeasedBooking,
        declared: &LeasedBooking,
        event: &NewAuditEvent,
        retired: &NewAuditEvent,
    ) -> Result<bool, StoreError> {
        let input = BookingInput::of(&declared.booking, declared.attempt)?.with_wanted(&declared.booking)?;
        let declaration = DeclarationInput {
            known_revision: int(known.booking.revision),
            known_attempt_id: known.attempt.map(|attempt| attempt.id.uuid()),
            event: EventInput::of(event)?,
            retired: EventInput::of(retired)?,
        };
        let changed = sqlx::query_scalar!(
            r#"
            with changed as (
                -- What is wanted now, and the attempt; only while the row stands as it was read.
                update booking set
                    revision = input.revision, status = input.status, wanted = input.wanted::json,
                    wanted_revision = input.wanted_revision, desired_state = input.desired_state,
                    sequence = input.sequence, organizer = input.organizer, organizer_id = input.organizer_id,
                    start_at = input.start_at, end_at = input.end_at, due_at = input.due_at,
                    lease_attempt_id = input.lease_attempt_id, lease_started_at = input.lease_started_at,
                    lease_until = input.lease_until,
                    failures = input.failures, failing_since = input.failing_since,
                    last_error = input.last_error::json,
                    settings_before = input.settings_before::json,
                    provisioned_at = input.provisioned_at, events = booking.events + 1,
                    updated_at = input.updated_at
                from (select ($1::booking_input).*) as input
                cross join (select ($2::declaration_input).*) as declaration
                where booking.source_system = input.source_system and booking.booking_id = input.booking_id
                    and booking.generation = input.generation
                    and booking.revision = declaration.known_revision
                    and booking.lease_attempt_id is not distinct from declaration.known_attempt_id
                returning booking.source_system, booking.booking_id, booking.generation, booking.external_id,
                    booking.organizer, booking.meeting_id, booking.events
            )
            -- Its event. Older generations are retired behind it, so that their events stand behind this one.
            insert into audit_event (
                occurred_at, event_type, outcome, source_system, booking_id, generation, number, external_id,
                organizer, meeting_id, actor, payload
            )
            select event.occurred_at, event.event_type, event.outcome, source_system, booking_id, generation, events,
                external_id, organizer, meeting_id, event.actor, event.payload::json
            from changed cross join (select (($2::declaration_input).event).*) as event
            returning case
                when ($1::booking_input).generation > 1 and (
                    ($1::booking_input).desired_state = 'cancelled' or ($1::booking_input).status = 'provisioned'
                )
                then retire_older_generations(
                    ($1::booking_input).source_system, ($1::booking_input).booking_id,
                    ($1::booking_input).generation, ($2::declaration_input).retired
                )
            end
            "#,
            input as _,
            declaration as _,
        )
        .fetch_optional(&mut self.connections.acquire().await?)
        .await?;
        Ok(changed.is_some())
    }
}
