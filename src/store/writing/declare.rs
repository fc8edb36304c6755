//! Changes what is wanted of a booking.

use super::parameters::{int, json, testimony};
use crate::audit::NewAuditEvent;
use crate::meeting::{Attempt, Standing};
use crate::store::booking_row::Kept;
use crate::store::connection::write_again_if_lost;
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
        known: &Kept,
        standing: &Standing,
        attempt: Option<Attempt>,
        (event, retired): (&NewAuditEvent, &NewAuditEvent),
    ) -> Result<Changed, StoreError> {
        write_again_if_lost!(self, async {
            if self.write_declaration(known, standing, attempt, (event, retired)).await? {
                return Ok(Changed::Stored);
            }
            let kept = self.generation(&standing.key, standing.generation).await?;
            let ours = kept.is_some_and(|kept| kept.standing == *standing && kept.attempt == attempt);
            Ok(if ours { Changed::Stored } else { Changed::Overtaken })
        })
    }

    async fn write_declaration(
        &self,
        known: &Kept,
        standing: &Standing,
        attempt: Option<Attempt>,
        (event, retired): (&NewAuditEvent, &NewAuditEvent),
    ) -> Result<bool, StoreError> {
        let wanted = &standing.wanted;
        let mut connection = self.connections.acquire().await?;
        let changed = sqlx::query_scalar!(
            r#"
            with changed as (
                update booking set
                    revision = $6, status = $7, wanted = $8::text::json, wanted_revision = $9, wanted_life = $10,
                    sequence = $11, organizer = $12, start_at = $13, end_at = $14, due_at = $15,
                    lease_attempt_id = $16, lease_started_at = $17, lease_until = $18,
                    failures = 0, failing_since = null, last_error = null, provisioned_at = $19, updated_at = $20
                where source_system = $1 and booking_id = $2 and generation = $3
                    and revision = $4 and lease_attempt_id is not distinct from $5
                returning source_system, booking_id, generation, external_id, organizer, meeting_id
            )
            insert into audit_event (
                occurred_at, event_type, source_system, booking_id, generation, external_id, organizer, meeting_id,
                actor, testimony
            )
            select $20, $21, source_system, booking_id, generation, external_id, organizer, meeting_id, $22,
                $23::text::json
            from changed
            returning case when $3 > 1 and ($10 = 'cancelled' or $7 = 'provisioned')
                then retire_older_generations($1, $2, $3, $20, $22, $24, $25::text::json) end
            "#,
            standing.key.source_system.as_str(),
            standing.key.booking_id.as_str(),
            int(standing.generation.number()),
            int(known.standing.revision),
            known.attempt.map(|attempt| attempt.id.uuid()),
            int(standing.revision),
            standing.status().as_str(),
            json(&wanted.booking)?,
            int(wanted.revision),
            wanted.life.as_str(),
            wanted.booking.sequence.map(|sequence| int(sequence.number())),
            wanted.booking.organizer.as_text(),
            wanted.booking.start_date_time,
            wanted.booking.end_date_time,
            standing.due_at(),
            attempt.map(|attempt| attempt.id.uuid()),
            attempt.map(|attempt| attempt.started_at),
            attempt.map(|attempt| attempt.leased_until),
            standing.provisioned_at,
            standing.updated_at,
            event.kind.as_str(),
            event.actor.to_string(),
            testimony(event)?,
            retired.kind.as_str(),
            testimony(retired)?,
        )
        .fetch_optional(&mut *connection)
        .await?;
        connection.done();
        Ok(changed.is_some())
    }
}
