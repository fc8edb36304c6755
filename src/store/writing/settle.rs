//! Settles an attempt: what was observed, what happens next, and the event, all or nothing.

use sqlx::PgConnection;

use super::parameters::{int, json, payload, whole};
use crate::audit::NewAuditEvent;
use crate::meeting::{Attempt, AttemptId, Booking};
use crate::store::postgres::write_again_if_lost;
use crate::store::{Store, StoreError};

/// What became of a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It is stored.
    Stored,
    /// The booking no longer names our attempt, or has changed: nothing was stored.
    Overtaken,
}

/// What is to be settled.
#[derive(Debug)]
pub(crate) struct Settlement<'a> {
    /// The attempt, as named by our lease.
    pub(crate) attempt: AttemptId,
    /// The revision on which we worked.
    pub(crate) worked_on: u32,
    /// How the booking stands now.
    pub(crate) booking: &'a Booking,
    /// The attempt that follows at once under our lease, if one does.
    pub(crate) next_attempt: Option<Attempt>,
    /// The whole meeting as Graph sent it, where it did.
    pub(crate) online_meeting: Option<&'a str>,
    /// Whether the booking follows the meeting, so that what is wanted is stored as well.
    pub(crate) is_adopted: bool,
    /// The event that testifies to it.
    pub(crate) event: &'a NewAuditEvent,
    /// The event of each older generation that this one replaces, once it has its meeting.
    pub(crate) retired: &'a NewAuditEvent,
    /// The event of each booking of the same organizer that is parked for want of an access policy, once a call for
    /// the organizer went well.
    pub(crate) freed: &'a NewAuditEvent,
}

impl Store {
    /// Stores what became of an attempt, only while its lease still holds, so that a late worker is fenced off. Once
    /// a later generation has its meeting, older ones that still hold theirs are called off; once a call went well,
    /// what is parked for want of an access policy for its organizer is due again.
    ///
    /// May be repeated: when nothing could be stored because it is stored already, that counts as stored.
    pub(crate) async fn settle(&self, settlement: &Settlement<'_>) -> Result<Settled, StoreError> {
        write_again_if_lost!(self, async {
            let mut connection = self.connections.acquire().await?;
            let stored = update(&mut connection, settlement).await?;
            connection.done();
            if stored {
                return Ok(Settled::Stored);
            }
            let booking = settlement.booking;
            let leased = self.generation(&booking.key, booking.generation).await?;
            let ours = leased.is_some_and(|leased| {
                leased.attempt == settlement.next_attempt
                    // The id of the attempt that follows was drawn for this statement: who finds it has stored it.
                    && (leased.attempt.is_some() || leased.booking == *booking)
            });
            Ok(if ours { Settled::Stored } else { Settled::Overtaken })
        })
    }
}

/// What follows from the settlement stands behind `returning`, so that its events stand behind this one. Whether anything
/// is there to be freed is a look at one page of a small index.
async fn update(connection: &mut PgConnection, settlement: &Settlement<'_>) -> Result<bool, StoreError> {
    let Settlement { attempt, worked_on, booking, next_attempt, online_meeting, .. } = settlement;
    let (observed, meeting) = (&booking.observed, booking.observed.meeting.as_ref());
    let settled = sqlx::query!(
        r#"
            with settled as (update booking set
                revision = $6, status = $7, organizer_id = $8, creation_unknown = $9, meeting_id = $10,
                join_web_url = $11, chat_thread_id = $12, created_by = $13, seen = $14::text::json,
                seen_at = case when $18::text is null then seen_at else $28 end, agreement = $34, agreed_revision = $15,
                lobby_closed = $16, removed = $17, online_meeting = coalesce($18::text::json, online_meeting),
                provisioned_at = $19, due_at = $20, lease_attempt_id = $21, lease_started_at = $22, lease_until = $23,
                attempts = $24, failures = $25, failing_since = $26, last_error = $27::text::json, updated_at = $28,
                wanted = coalesce($35::text::json, wanted), wanted_revision = $36,
                start_at = coalesce(($35::text::json->>'startDateTime')::timestamptz, start_at),
                end_at = coalesce(($35::text::json->>'endDateTime')::timestamptz, end_at)
            where source_system = $1 and booking_id = $2 and generation = $3 and lease_attempt_id = $4 and revision = $5
            returning source_system, booking_id, generation, external_id, organizer, meeting_id)
            insert into audit_event (occurred_at, event_type, outcome, source_system, booking_id, generation,
                external_id, organizer, meeting_id, actor, payload)
            select $28, $29, $30, source_system, booking_id, generation, external_id, organizer, meeting_id, $31, $32::text::json
            from settled returning case when $3 > 1 and $7 = 'provisioned' then
                retire_older_generations($1, $2, $3, $28, $31, $33::text::json->>'type', $33::text::json->'payload')
                end as retired,
                case when $30 in ('created', 'found', 'changed', 'seen', 'gone') and exists (select from booking
                    where organizer_id = $8 and status = 'failed' and last_error->>'code' = 'organizer-not-permitted')
                then free_not_permitted($8, $28, $37::text::json) end as freed
            "#,
        booking.key.source_system.as_str(),
        booking.key.booking_id.as_str(),
        int(booking.generation.number()),
        attempt.uuid(),
        int(*worked_on),
        int(booking.revision),
        booking.status().as_str(),
        observed.organizer.map(crate::booking::UserId::uuid),
        observed.creation_unknown,
        meeting.map(|meeting| meeting.id.as_str()),
        meeting.map(|meeting| meeting.join_web_url.as_str()),
        meeting.and_then(|meeting| meeting.chat_thread_id.as_deref()),
        meeting.map(|meeting| meeting.created_by.as_str()),
        meeting.map(|meeting| json(&meeting.seen)).transpose()?,
        meeting.and_then(|meeting| meeting.agreement.revision()).map(int),
        meeting.is_some_and(|meeting| meeting.lobby_closed),
        meeting.is_some_and(|meeting| meeting.removed),
        *online_meeting,
        booking.provisioned_at,
        booking.due_at(),
        next_attempt.map(|attempt| attempt.id.uuid()),
        next_attempt.map(|attempt| attempt.started_at),
        next_attempt.map(|attempt| attempt.leased_until),
        int(booking.attempts),
        int(booking.failures.count),
        booking.failures.since,
        booking.last_error.as_ref().map(json).transpose()?,
        booking.updated_at,
        settlement.event.kind.as_str(),
        settlement.event.outcome,
        settlement.event.actor.to_string(),
        payload(settlement.event)?,
        whole(settlement.retired)?,
        meeting.map(|meeting| meeting.agreement.as_str()),
        settlement.is_adopted.then(|| json(&booking.wanted.spec)).transpose()?,
        int(booking.wanted.revision),
        whole(settlement.freed)?,
    )
    .fetch_optional(connection)
    .await
    .map_err(|error| meeting_taken(error, booking))?;
    Ok(settled.is_some())
}

/// The schema holds that one meeting belongs to one booking; should Graph ever say otherwise, it has a name.
fn meeting_taken(error: sqlx::Error, booking: &Booking) -> StoreError {
    let taken = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::constraint)
        .is_some_and(|name| name == "booking_meeting_unique");
    match (&booking.observed.meeting, taken) {
        (Some(meeting), true) => StoreError::MeetingTaken(meeting.id.to_string()),
        _ => error.into(),
    }
}
