//! Claims bookings that are due, each for one attempt.

use uuid::Uuid;

use crate::audit::NewAuditEvent;
use crate::booking::SourceSystem;
use crate::clock::Timestamp;
use crate::meeting::Attempt;
use crate::store::booking_row::{BookingRow, LeasedBooking, booking_rows};
use crate::store::{Store, StoreError};

use super::input::EventInput;

/// Which bookings to claim.
#[derive(Debug)]
pub(crate) struct Claimed {
    /// Ids for the attempts, one for each booking that may be claimed.
    pub(crate) attempt_ids: Vec<Uuid>,
    /// Now: what is due by now, and leased no longer, is claimed.
    pub(crate) now: Timestamp,
    /// When the leases end.
    pub(crate) leased_until: Timestamp,
    /// Whose bookings are passed over.
    pub(crate) passed_over: Vec<SourceSystem>,
}

/// A booking that was claimed.
#[derive(Debug)]
pub(crate) struct ClaimedBooking {
    /// How it stands, with the attempt.
    pub(crate) leased: LeasedBooking,
    /// The attempt that was opened.
    pub(crate) attempt: Attempt,
    /// Whether an earlier attempt was closed, whose lease had run out.
    pub(crate) took_over: bool,
}

impl Store {
    /// Opens an attempt for each of the bookings that are due and not leased, longest due first.
    ///
    /// Where an earlier attempt's lease ran out, its process has ended or is late: the attempt is closed here as
    /// unknown, with its event, and its own settlement will find that the lease is no longer its own. `Booking::abandoned` says in Rust what the statement makes of such a booking.
    ///
    /// Not to be repeated with the same ids, for the first statement may still be running. A caller that got no answer
    /// asks [`Store::held`] what came of it.
    pub(crate) async fn claim(
        &self,
        claimed: &Claimed,
        abandoned: &NewAuditEvent,
    ) -> Result<Vec<ClaimedBooking>, StoreError> {
        let rows = self.in_time(Box::pin(self.write_claim(claimed, abandoned))).await;
        // A claim that finds nothing writes nothing, and so says nothing about writes.
        if rows.as_ref().map_or(true, |rows| !rows.is_empty()) {
            self.writes.note(&rows);
        }
        // The lease of one that can't be read keeps it from being claimed again at once.
        let claimed = rows?.into_iter().filter_map(|row| {
            let leased = self.read_row(|| LeasedBooking::try_from(row))?;
            let took_over = leased.booking.updated_at == claimed.now && leased.booking.attempts > 0;
            leased.attempt.map(|attempt| ClaimedBooking { leased, attempt, took_over })
        });
        Ok(claimed.collect())
    }

    async fn write_claim(
        &self,
        claimed: &Claimed,
        abandoned: &NewAuditEvent,
    ) -> Result<Vec<BookingRow>, StoreError> {
        let limit = i64::try_from(claimed.attempt_ids.len()).unwrap_or(i64::MAX);
        let abandoned = EventInput::of(abandoned)?;
        let passed_over: Vec<String> = claimed.passed_over.iter().map(ToString::to_string).collect();
        Ok(booking_rows!(
            r#"
            with due as materialized (
                -- What is due and not leased. A row that another claim has locked is that one's.
                select source_system, booking_id, generation, external_id, organizer, meeting_id, attempts, events,
                    lease_attempt_id as abandoned_id, lease_started_at as abandoned_at,
                    desired_state, wanted_revision, agreement, agreed_revision
                from booking
                where due_at <= $1 and (lease_until is null or lease_until <= $1)
                    and source_system <> all($6)
                order by due_at
                limit $2
                for update skip locked
            ), numbered as (
                -- Each takes one of the fresh ids. A change may have been under way to a meeting that should be present,
                -- unless the abandoned attempt was only to look at it.
                select *, row_number() over () as place,
                    abandoned_id is not null and desired_state = 'present'
                        and meeting_id is not null
                        and not (
                            agreement in ('check-requested', 'under-way') and agreed_revision = wanted_revision
                        ) as is_unknown
                from due
            ), recorded as (
                -- An abandoned attempt is closed in the history; which one it was stands in the row alone.
                insert into audit_event (
                    occurred_at, event_type, outcome, source_system, booking_id, generation, number, external_id,
                    organizer, meeting_id, actor, payload
                )
                select event.occurred_at, event.event_type, event.outcome, source_system, booking_id, generation,
                    events + 1, external_id, organizer, meeting_id, event.actor,
                    (event.payload::jsonb || jsonb_build_object('attempt', jsonb_build_object(
                        'id', abandoned_id, 'number', attempts + 1,
                        'startedAt', to_char(abandoned_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                    )))::json
                from numbered cross join (select ($5::event_input).*) as event
                where abandoned_id is not null
            )
            -- The lease, and what is known no longer once an attempt was abandoned: Booking::abandoned says it in Rust.
            update booking set
                lease_attempt_id = ($3::uuid[])[numbered.place], lease_started_at = $1, lease_until = $4,
                attempts = booking.attempts + (numbered.abandoned_id is not null)::integer,
                revision = booking.revision + (numbered.abandoned_id is not null)::integer,
                events = booking.events + (numbered.abandoned_id is not null)::integer,
                creation_unknown = booking.creation_unknown
                    or (numbered.abandoned_id is not null and booking.meeting_id is null),
                agreement = case when numbered.is_unknown then 'unknown' else booking.agreement end,
                agreed_revision = case when numbered.is_unknown then null else booking.agreed_revision end,
                updated_at = case when numbered.abandoned_id is null then booking.updated_at else $1 end
            from numbered
            where booking.source_system = numbered.source_system
                and booking.booking_id = numbered.booking_id
                and booking.generation = numbered.generation
            returning
            "#,
            "",
            claimed.now,
            limit,
            &claimed.attempt_ids,
            claimed.leased_until,
            abandoned as _,
            &passed_over,
        )
        .fetch_all(&mut self.connections.acquire().await?)
        .await?)
    }
}
