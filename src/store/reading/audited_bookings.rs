//! What the tables hold, for the audit of this service by itself: rows as they are, whether or not they make sense.

use std::collections::HashMap;

use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use super::BookingPosition;
use crate::audit::{Examined, ExaminedEvent, Related};
use crate::booking::{BookingId, BookingKey, ExternalId, Generation, SourceSystem};
use crate::clock::Timestamp;
use crate::store::booking_row::{BookingRow, LeasedBooking, attempt, booking_rows};
use crate::store::{Store, StoreError};

/// The key of a row, as it stands.
type Key = (String, String, i32);

/// Guards of the schema that are expected to be in force, each with a name in words.
const GUARDS: [(&str, &str); 4] = [
    (
        "audit_event_append_only",
        "trigger audit_event_append_only, which keeps the history from being changed",
    ),
    ("booking_key", "unique index booking_key, which keeps a generation from being stored twice"),
    ("booking_external_id_unique", "unique index booking_external_id_unique"),
    ("booking_meeting_unique", "unique index booking_meeting_unique, which keeps a meeting to one booking"),
];

/// A period; open at an end that is not given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Period {
    /// From then on.
    pub(crate) from: Option<Timestamp>,
    /// Until just before then.
    pub(crate) before: Option<Timestamp>,
}

impl Store {
    /// Up to `limit` generations of bookings that were accepted in a period, oldest first, from behind a place on; each
    /// with its whole history, all seen at one moment. Says where the page ends, if it is full.
    pub(crate) async fn examined(
        &self,
        period: Period,
        behind: Option<BookingPosition>,
        limit: u32,
    ) -> Result<(Vec<Examined>, Option<BookingPosition>), StoreError> {
        let mut connection = self.connections.acquire().await?;
        // One moment: a booking that is settled between two statements would seem to lack its event.
        let mut moment = connection
            .begin_several_statements()?
            .begin_with("begin isolation level repeatable read, read only")
            .await?;
        let rows = booking_rows!(
            "select",
            r#"
            from booking
            where ($1::timestamptz is null or created_at >= $1) and ($2::timestamptz is null or created_at < $2)
                and ($3::timestamptz is null or (created_at, external_id) > ($3, $4::uuid))
            order by created_at, external_id
            limit $5
            "#,
            period.from,
            period.before,
            behind.map(|behind| behind.created_at),
            behind.map(|behind| behind.external_id),
            i64::from(limit),
        )
        .fetch_all(&mut *moment)
        .await?;
        let is_full = rows.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
        let last = rows.last().filter(|_| is_full);
        let end =
            last.map(|row| BookingPosition { created_at: row.created_at, external_id: row.external_id });
        let mut beside = beside(&mut moment, &rows).await?;
        let mut events = events(&mut moment, &rows).await?;
        moment.commit().await?;
        let examined = rows.into_iter().map(|row| {
            let key = key(&row);
            let events = events.remove(&key).unwrap_or_default();
            examined(row, beside.remove(&key).unwrap_or_default(), events)
        });
        Ok((examined.collect(), end))
    }

    /// The guards of the schema that are missing or switched off, in words.
    pub(crate) async fn missing_guards(&self) -> Result<Vec<&'static str>, StoreError> {
        let in_force = sqlx::query_scalar!(
            r#"
            select tgname::text as "name!" from pg_trigger where tgrelid = 'audit_event'::regclass and tgenabled in ('O', 'A')
            union all
            select relname::text from pg_index join pg_class on pg_class.oid = indexrelid
            where indrelid = 'booking'::regclass and indisunique and indisvalid
            "#
        )
        .fetch_all(&mut self.connections.acquire().await?)
        .await?;
        let missing = GUARDS.into_iter().filter(|(name, _)| !in_force.iter().any(|known| known == name));
        Ok(missing.map(|(_, words)| words).collect())
    }
}

/// What other rows have to do with each of these.
async fn beside(
    connection: &mut PgConnection,
    rows: &[BookingRow],
) -> Result<HashMap<Key, Related>, StoreError> {
    let (source_systems, booking_ids, generations) = keys(rows);
    let meetings: Vec<String> = rows.iter().filter_map(|row| row.meeting_id.clone()).collect();
    let found = sqlx::query!(
        r#"
        with sharing as materialized (
            select meeting_id, count(*) - 1 as others from booking where meeting_id = any($4) group by meeting_id
        )
        select booking.source_system, booking.booking_id, booking.generation,
            booking.generation > 1 and not exists (
                select from booking earlier where earlier.source_system = booking.source_system
                    and earlier.booking_id = booking.booking_id and earlier.generation = booking.generation - 1
            ) as "lacks_predecessor!",
            exists (
                select from booking later where later.source_system = booking.source_system
                    and later.booking_id = booking.booking_id and later.generation > booking.generation
                    and later.provisioned_at is not null
            ) as "is_succeeded!",
            coalesce(sharing.others, 0) as "sharing_meeting!"
        from unnest($1::text[], $2::text[], $3::integer[]) as wanted (source_system, booking_id, generation)
        join booking using (source_system, booking_id, generation)
        left join sharing on sharing.meeting_id = booking.meeting_id
        "#,
        &source_systems,
        &booking_ids,
        &generations,
        &meetings,
    )
    .fetch_all(connection)
    .await?;
    let beside = found.into_iter().map(|row| {
        let beside = Related {
            lacks_predecessor: row.lacks_predecessor,
            is_succeeded: row.is_succeeded,
            sharing_meeting: row.sharing_meeting,
        };
        ((row.source_system, row.booking_id, row.generation), beside)
    });
    Ok(beside.collect())
}

/// The events of each of these, oldest first.
async fn events(
    connection: &mut PgConnection,
    rows: &[BookingRow],
) -> Result<HashMap<Key, Vec<ExaminedEvent>>, StoreError> {
    let (source_systems, booking_ids, generations) = keys(rows);
    let found = sqlx::query!(
        r#"
        select source_system as "source_system!", booking_id as "booking_id!", generation as "generation!",
            event_id, event_type, outcome, external_id, meeting_id,
            payload->'attempt'->>'id' as attempt_id, payload->'attempt'->>'number' as attempt_number,
            payload->'next'->>'status' as next_status, payload->>'joinWebUrlSha256' as join_web_url_sha256
        from unnest($1::text[], $2::text[], $3::integer[]) as wanted (source_system, booking_id, generation)
        join audit_event using (source_system, booking_id, generation)
        order by event_id
        "#,
        &source_systems,
        &booking_ids,
        &generations,
    )
    .fetch_all(connection)
    .await?;
    let mut events: HashMap<Key, Vec<ExaminedEvent>> = HashMap::new();
    for row in found {
        let event = ExaminedEvent {
            event_id: row.event_id,
            kind: row.event_type,
            outcome: row.outcome,
            external_id: ExternalId::new(row.external_id),
            meeting_id: row.meeting_id,
            join_web_url_sha256: row.join_web_url_sha256,
            attempt: row.attempt_id.and_then(|text| Uuid::try_parse(&text).ok()),
            attempt_number: row.attempt_number.and_then(|text| text.parse().ok()),
            next_status: row.next_status,
        };
        events.entry((row.source_system, row.booking_id, row.generation)).or_default().push(event);
    }
    Ok(events)
}

fn keys(rows: &[BookingRow]) -> (Vec<String>, Vec<String>, Vec<i32>) {
    let source_systems = rows.iter().map(|row| row.source_system.clone()).collect();
    let booking_ids = rows.iter().map(|row| row.booking_id.clone()).collect();
    (source_systems, booking_ids, rows.iter().map(|row| row.generation).collect())
}

fn key(row: &BookingRow) -> Key {
    (row.source_system.clone(), row.booking_id.clone(), row.generation)
}

pub(super) fn name(source_system: &str, booking_id: &str, generation: i32) -> String {
    format!("{source_system}/{booking_id} generation {generation}")
}

fn examined(row: BookingRow, beside: Related, events: Vec<ExaminedEvent>) -> Examined {
    let identity = || {
        let source_system = SourceSystem::parse(&row.source_system).ok()?;
        let booking_id = BookingId::parse(&row.booking_id).ok()?;
        let generation = u32::try_from(row.generation).ok().and_then(Generation::new)?;
        Some((BookingKey { source_system, booking_id }, generation))
    };
    Examined {
        name: name(&row.source_system, &row.booking_id, row.generation),
        identity: identity(),
        external_id: ExternalId::new(row.external_id),
        status: row.status.clone(),
        attempts: row.attempts.into(),
        meeting_id: row.meeting_id.clone(),
        join_web_url: row.join_web_url.clone(),
        due_at: row.due_at,
        lease: attempt(&row),
        beside,
        events,
        booking: LeasedBooking::try_from(row)
            .map(|leased| Box::new(leased.booking))
            .map_err(|error| error.to_string()),
    }
}
