//! Pages of history.

use uuid::Uuid;

use crate::audit::{AuditEvent, AuditEventFilter, Order};
use crate::booking::{BookingId, BookingKey, ExternalId, Generation, SourceSystem};
use crate::clock::Timestamp;
use crate::store::postgres::again_if_lost;
use crate::store::{Store, StoreError};

/// A place in the history: right behind an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AuditEventPosition {
    /// The transaction that wrote it.
    pub(crate) transaction_id: i64,
    /// Its number.
    pub(crate) event_id: i64,
}

impl AuditEventPosition {
    /// The place right behind this event.
    pub(crate) fn behind(event: &AuditEvent) -> Self {
        Self { transaction_id: event.transaction_id, event_id: event.event_id }
    }
}

struct AuditEventRow {
    event_id: i64,
    transaction_id: i64,
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
    payload: String,
}

/// A checked query for events: filters `$1` to `$10` and `$14`, then `$tail`, whose own arguments are the position in
/// `$11` and `$12` and the limit in `$13`.
macro_rules! audit_event_rows {
    ($filter:ident, $from:ident, $limit:ident, $tail:tt) => {
        sqlx::query_as!(
            AuditEventRow,
            r#"
            select event_id, transaction_id::text::bigint as "transaction_id!", occurred_at, event_type, outcome,
                source_system, booking_id, generation, external_id, organizer, meeting_id, actor,
                payload::text as "payload!"
            from audit_event
            where ($1::text is null or source_system = $1)
                and ($2::text is null or booking_id = $2)
                and ($3::uuid is null or (source_system, booking_id, generation) in (
                    select source_system, booking_id, generation from booking where external_id = $3
                ))
                and ($4::text is null or (source_system, booking_id, generation) in (
                    select source_system, booking_id, generation from booking where meeting_id = $4
                ))
                and ($5::text is null or lower(organizer) = lower($5) or (source_system, booking_id, generation) in (
                    select source_system, booking_id, generation from booking
                    where organizer_id::text = lower($5)
                ))
                and ($6::text is null or actor = $6)
                and ($7::text is null or event_type = $7)
                and ($8::text is null or outcome = $8)
                and ($9::timestamptz is null or occurred_at >= $9)
                and ($10::timestamptz is null or occurred_at < $10)
                and ($14::text is null or payload->'next'->>'status' = $14)
            "#
                + $tail,
            $filter.source_system.as_ref().map(|name| name.as_str()),
            $filter.booking_id.as_ref().map(|id| id.as_str()),
            $filter.external_id.map(ExternalId::uuid),
            $filter.meeting_id.as_deref(),
            $filter.organizer.as_deref(),
            $filter.actor.as_deref(),
            $filter.kind.as_deref(),
            $filter.outcome.as_deref(),
            $filter.from,
            $filter.before,
            $from.map(|from| from.transaction_id),
            $from.map(|from| from.event_id),
            i64::from($limit),
            $filter.next_status.as_deref(),
        )
    };
}

impl Store {
    /// Up to `limit` events from a place on.
    ///
    /// The history of one booking is in the order in which its events happened. That of all bookings is in the order
    /// of the transactions that wrote them. Oldest first, it ends before the first transaction that is still under
    /// way, so that a reader who follows it misses no event that is committed later.
    pub(crate) async fn audit_events(
        &self,
        filter: &AuditEventFilter,
        order: Order,
        from: Option<AuditEventPosition>,
        limit: u32,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        let of_one_booking = filter.source_system.is_some() && filter.booking_id.is_some();
        again_if_lost!(self, async {
            let mut connection = self.connections.acquire().await?;
            let rows = match (of_one_booking, order) {
                (true, Order::Ascending) => {
                    let rows = audit_event_rows!(
                        filter,
                        from,
                        limit,
                        "and ($11::bigint is null or event_id > $12::bigint) order by event_id limit $13"
                    );
                    rows.fetch_all(&mut connection).await?
                }
                (true, Order::Descending) => {
                    let rows = audit_event_rows!(
                        filter,
                        from,
                        limit,
                        "and ($11::bigint is null or event_id < $12::bigint) order by event_id desc limit $13"
                    );
                    rows.fetch_all(&mut connection).await?
                }
                (false, Order::Ascending) => {
                    let rows = audit_event_rows!(
                        filter,
                        from,
                        limit,
                        r#"
            and transaction_id < pg_snapshot_xmin(pg_current_snapshot())
            and ($11::bigint is null or (transaction_id, event_id) > ($11::text::xid8, $12::bigint))
            order by transaction_id, event_id
            limit $13
            "#
                    );
                    rows.fetch_all(&mut connection).await?
                }
                (false, Order::Descending) => {
                    let rows = audit_event_rows!(
                        filter,
                        from,
                        limit,
                        r#"
            and ($11::bigint is null or (transaction_id, event_id) < ($11::text::xid8, $12::bigint))
            order by transaction_id desc, event_id desc
            limit $13
            "#
                    );
                    rows.fetch_all(&mut connection).await?
                }
            };
            rows.into_iter().map(AuditEvent::try_from).collect()
        })
    }

    /// Whether events bear the numbers of transactions that this server has not run, as after a restore into a new
    /// cluster: then the list of all events, oldest first, is not to be trusted until they are renumbered.
    pub(crate) async fn has_foreign_transactions(&self) -> Result<bool, StoreError> {
        let found = sqlx::query_scalar!(
            r#"
            select exists (
                select from audit_event where transaction_id >= pg_snapshot_xmax(pg_current_snapshot())
            ) as "found!"
            "#
        );
        Ok(found.fetch_one(&mut self.connections.acquire().await?).await?)
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
            transaction_id: row.transaction_id,
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
            payload: row.payload.into_boxed_str(),
        })
    }
}
