//! Pages of history.

use uuid::Uuid;

use crate::audit::{AuditEvent, AuditEventFilter, Order};
use crate::booking::{BookingId, BookingKey, ExternalId, Generation, SourceSystem};
use crate::clock::Timestamp;
use crate::store::connection::again_if_lost;
use crate::store::{Store, StoreError};

/// A place in the history: right behind the event of this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AuditEventPosition(pub(crate) i64);

struct AuditEventRow {
    event_id: i64,
    occurred_at: Timestamp,
    event_type: String,
    outcome: Option<String>,
    source_system: String,
    booking_id: String,
    generation: i32,
    external_id: Uuid,
    organizer: String,
    meeting_id: Option<String>,
    actor: String,
    testimony: String,
}

impl Store {
    /// Up to `limit` events from a place on.
    ///
    /// Events are numbered before they are committed. Over all bookings, oldest first, a reader who follows the
    /// history would pass over an event that is still on its way; so that list ends before the first such one.
    pub(crate) async fn audit_events(
        &self,
        filter: &AuditEventFilter,
        order: Order,
        from: Option<AuditEventPosition>,
        limit: u32,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        let ascending = order == Order::Ascending;
        again_if_lost!(self, async {
            let rows = sqlx::query_as!(
                AuditEventRow,
                r#"
                select event_id, occurred_at, event_type, outcome, source_system, booking_id, generation,
                    external_id, organizer, meeting_id, actor, testimony::text as "testimony!"
                from audit_event
                where ($1::text is null or source_system = $1)
                    and ($2::text is null or booking_id = $2)
                    and ($3::uuid is null or (source_system, booking_id, generation) in (
                        select source_system, booking_id, generation from booking where external_id = $3
                    ))
                    and ($4::text is null or (source_system, booking_id, generation) in (
                        select source_system, booking_id, generation from booking where meeting_id = $4
                    ))
                    and ($5::text is null or organizer = $5 or (source_system, booking_id, generation) in (
                        select source_system, booking_id, generation from booking
                        where organizer_id::text = lower($5)
                    ))
                    and ($6::text is null or actor = $6)
                    and ($7::text is null or event_type = $7)
                    and ($8::text is null or outcome = $8)
                    and ($9::timestamptz is null or occurred_at >= $9)
                    and ($10::timestamptz is null or occurred_at < $10)
                    and (not $11 or $12::bigint is null or event_id > $12)
                    and ($11 or $12::bigint is null or event_id < $12)
                    and (not $11 or $2 is not null
                        or transaction_id < pg_snapshot_xmin(pg_current_snapshot()))
                order by case when $11 then event_id else -event_id end
                limit $13
                "#,
                filter.source_system.as_ref().map(|name| name.as_str()),
                filter.booking_id.as_ref().map(|id| id.as_str()),
                filter.external_id.map(ExternalId::uuid),
                filter.meeting_id.as_deref(),
                filter.organizer.as_deref(),
                filter.actor.as_deref(),
                filter.kind.as_deref(),
                filter.outcome.as_deref(),
                filter.from,
                filter.before,
                ascending,
                from.map(|from| from.0),
                i64::from(limit),
            )
            .fetch_all(&self.pool)
            .await?;
            rows.into_iter().map(AuditEvent::try_from).collect()
        })
    }
}

impl TryFrom<AuditEventRow> for AuditEvent {
    type Error = StoreError;

    fn try_from(row: AuditEventRow) -> Result<Self, StoreError> {
        let bad = |column, detail: String| StoreError::BadRow {
            table: "audit_event",
            column,
            id: row.event_id.to_string(),
            detail,
        };
        Ok(Self {
            event_id: row.event_id,
            occurred_at: row.occurred_at,
            key: BookingKey {
                source_system: SourceSystem::parse(&row.source_system)
                    .map_err(|fault| bad("source_system", fault.to_string()))?,
                booking_id: BookingId::parse(&row.booking_id)
                    .map_err(|fault| bad("booking_id", fault.to_string()))?,
            },
            generation: u32::try_from(row.generation)
                .ok()
                .and_then(Generation::new)
                .ok_or_else(|| bad("generation", row.generation.to_string()))?,
            kind: row.event_type,
            outcome: row.outcome,
            external_id: ExternalId::new(row.external_id),
            organizer: row.organizer,
            meeting_id: row.meeting_id,
            actor: row.actor,
            testimony: row.testimony.into_boxed_str(),
        })
    }
}
