//! Settles an attempt: what was observed, what happens next, and the event, all or nothing.

use super::input::{BookingInput, EventInput, SettlementInput, int};
use crate::audit::NewAuditEvent;
use crate::meeting::{Attempt, AttemptId, Booking, ParkedFor, Refuted};
use crate::store::connections::Connection;
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
    /// Its event.
    pub(crate) event: &'a NewAuditEvent,
    /// The event of each older generation that this one replaces, once it has its meeting.
    pub(crate) retired: &'a NewAuditEvent,
    /// The event of each booking that is parked for a reason which this attempt refutes.
    pub(crate) freed: &'a NewAuditEvent,
    /// What this attempt refutes.
    pub(crate) refuted: Refuted,
}

impl Store {
    /// Stores what became of an attempt, only while its lease still holds, so that a late worker is fenced off. Once
    /// a later generation has its meeting, older ones that are still to be present are cancelled
    /// (`retire_older_generations`, in Rust `Booking::retired`); once a call went well, what is parked for a reason that
    /// this refutes is due again (`free_refuted`, in Rust `Booking::retried`).
    ///
    /// May be repeated: when nothing could be stored because it is stored already, that counts as stored.
    pub(crate) async fn settle(&self, settlement: &Settlement<'_>) -> Result<Settled, StoreError> {
        write_again_if_lost!(self, async {
            if update(&mut self.connections.acquire().await?, settlement).await? {
                return Ok(Settled::Stored);
            }
            let booking = settlement.booking;
            let leased = self.generation(&booking.key, booking.generation).await?;
            let ours = leased.is_some_and(|leased| {
                leased.attempt == settlement.next_attempt
                    // The id of the attempt that follows was drawn for this statement: a row with it is stored by it.
                    && (leased.attempt.is_some() || leased.booking == *booking)
            });
            Ok(if ours { Settled::Stored } else { Settled::Overtaken })
        })
    }
}

/// Whether anything is there to be freed is a look at one page of a small index, or of two where a name was resolved.
async fn update(connection: &mut Connection, settlement: &Settlement<'_>) -> Result<bool, StoreError> {
    let settled = sqlx::query!(
        r#"
        with settled as (
            -- How the booking stands now; only while the row names our attempt and has the revision on which it worked.
            -- What is wanted is sent only where the booking follows its meeting.
            update booking set
                revision = input.revision, status = input.status,
                wanted = coalesce(input.wanted::json, booking.wanted), wanted_revision = input.wanted_revision,
                start_at = input.start_at, end_at = input.end_at,
                organizer_id = input.organizer_id, creation_unknown = input.creation_unknown,
                meeting_id = input.meeting_id, join_web_url = input.join_web_url,
                chat_thread_id = input.chat_thread_id, created_by = input.created_by,
                seen = input.seen::json, seen_at = input.seen_at, settings_before = input.settings_before::json,
                agreement = input.agreement, agreed_revision = input.agreed_revision,
                lobby_closed = input.lobby_closed, removed = input.removed,
                online_meeting = coalesce(settlement.online_meeting::json, booking.online_meeting),
                provisioned_at = input.provisioned_at, due_at = input.due_at,
                lease_attempt_id = input.lease_attempt_id, lease_started_at = input.lease_started_at,
                lease_until = input.lease_until,
                attempts = input.attempts, failures = input.failures, failing_since = input.failing_since,
                last_error = input.last_error::json, events = booking.events + 1, updated_at = input.updated_at
            from (select ($1::booking_input).*) as input
            cross join (select ($2::settlement_input).*) as settlement
            where booking.source_system = input.source_system and booking.booking_id = input.booking_id
                and booking.generation = input.generation
                and booking.lease_attempt_id = settlement.attempt_id and booking.revision = settlement.worked_on
            returning booking.source_system, booking.booking_id, booking.generation, booking.external_id,
                booking.organizer, booking.meeting_id, booking.events
        )
        -- Its event, before those of other bookings: older generations are retired once this one has its meeting, and parked
        -- bookings of the organizer are freed once a call for the organizer went well.
        insert into audit_event (
            occurred_at, event_type, outcome, source_system, booking_id, generation, number, external_id,
            organizer, meeting_id, actor, payload
        )
        select event.occurred_at, event.event_type, event.outcome, source_system, booking_id, generation, events,
            external_id, organizer, meeting_id, event.actor, event.payload::json
        from settled cross join (select (($2::settlement_input).event).*) as event
        returning
            case
                when ($1::booking_input).generation > 1 and ($1::booking_input).status = 'provisioned'
                then retire_older_generations(
                    ($1::booking_input).source_system, ($1::booking_input).booking_id,
                    ($1::booking_input).generation, ($2::settlement_input).retired
                )
            end as retired,
            case
                when exists (
                    select from booking where parked_for = any(($2::settlement_input).refuted_of_organizer)
                        and parked_for is not null and organizer_id = ($1::booking_input).organizer_id
                ) or exists (
                    select from booking where parked_for = any(($2::settlement_input).refuted_of_name)
                        and parked_for is not null and organizer_id is null
                        and lower(organizer) = lower(($1::booking_input).organizer)
                )
                then free_refuted(
                    ($1::booking_input).organizer_id, ($2::settlement_input).refuted_of_organizer,
                    ($1::booking_input).organizer, ($2::settlement_input).refuted_of_name, ($2::settlement_input).freed
                )
            end as freed
        "#,
        booking_input(settlement)? as _,
        beside(settlement)? as _,
    )
    .fetch_optional(connection)
    .await
    .map_err(|error| meeting_taken(error, settlement.booking))?;
    Ok(settled.is_some())
}

/// How the booking stands now. What is wanted was not changed here, unless the booking follows the meeting.
fn booking_input<'a>(settlement: &Settlement<'a>) -> Result<BookingInput<'a>, StoreError> {
    let input = BookingInput::of(settlement.booking, settlement.next_attempt)?;
    if settlement.is_adopted { input.with_wanted(settlement.booking) } else { Ok(input) }
}

/// What is written beside it.
fn beside<'a>(settlement: &Settlement<'a>) -> Result<SettlementInput<'a>, StoreError> {
    Ok(SettlementInput {
        attempt_id: settlement.attempt.uuid(),
        worked_on: int(settlement.worked_on),
        online_meeting: settlement.online_meeting,
        event: EventInput::of(settlement.event)?,
        retired: EventInput::of(settlement.retired)?,
        freed: EventInput::of(settlement.freed)?,
        refuted_of_organizer: names(settlement.refuted.of_organizer),
        refuted_of_name: names(settlement.refuted.of_name),
    })
}

fn names(reasons: &[ParkedFor]) -> Vec<&'static str> {
    reasons.iter().map(|reason| reason.as_str()).collect()
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
