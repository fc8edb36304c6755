//! Pages of history.

use uuid::Uuid;

use super::audit_event_position::{AuditEventPosition, EventPlace, Reached};
use super::list_part::{BYTES_MAX, ListPart, RowKey, UnreadableRow, cut};
use super::timeline::{HistoryEnd, Timeline};
use crate::audit::{AuditEvent, AuditEventFilter, Order};
use crate::booking::{BookingId, BookingKey, ExternalId, Generation, SourceSystem};
use crate::clock::Timestamp;
use crate::store::postgres::again_if_lost;
use crate::store::{Store, StoreError};

impl AuditEventPosition {
    fn behind(timeline: Option<Timeline>, row: &AuditEventRow) -> Self {
        let place = EventPlace { transaction_id: row.transaction_id, event_id: row.event_id };
        Self { timeline, reached: Reached::Behind(place) }
    }

    /// How many events of each generation were read, with these rows.
    fn read_with(timeline: Option<Timeline>, from: Option<&Self>, rows: &[AuditEventRow]) -> Self {
        let mut numbers = Self::numbers(from).to_vec();
        let mut transaction_id = from.map_or(0, Self::transaction_id);
        for row in rows {
            let generation = usize::try_from(row.generation).unwrap_or(0);
            numbers.resize(numbers.len().max(generation + 1), 0);
            numbers[generation] = row.number;
            transaction_id = transaction_id.max(row.transaction_id);
        }
        Self { timeline, reached: Reached::Numbers { numbers, transaction_id } }
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
    number: i32,
    external_id: Uuid,
    organizer: Option<String>,
    meeting_id: Option<String>,
    actor: String,
    payload: String,
}

/// A checked query for part of the events: the filters are `$1` to `$12`, the limit `$13`, the bytes `$14`; the arguments
/// of `$condition` begin with `$15`. It reads one row more than the part has, by rows and by bytes: up to the second row
/// before which the bytes are reached.
macro_rules! audit_event_rows {
    ($filter:ident, $limit:ident, $condition:tt, $order:tt $(, $argument:expr)*) => {
        sqlx::query_as!(
            AuditEventRow,
            r#"
            select event_id, transaction_id::text::bigint as "transaction_id!", occurred_at, event_type, outcome,
                source_system, booking_id, generation, number, external_id, organizer, meeting_id, actor,
                payload as "payload!"
            from (
                select *, sum(octet_length(payload)) over (
                    order by "# + $order + r#" rows between unbounded preceding and 2 preceding
                ) as bytes_before
                from (
                    select event_id, transaction_id, occurred_at, event_type, outcome, source_system, booking_id,
                        generation, number, external_id, organizer, meeting_id, actor, payload::text as payload
                    from audit_event
                    where ($1::text is null or source_system = $1)
                        and ($2::text is null or booking_id = $2)
                        and ($3::uuid is null or (source_system, booking_id, generation) in (
                            select source_system, booking_id, generation from booking where external_id = $3
                        ))
                        and ($4::text is null or (source_system, booking_id, generation) in (
                            select source_system, booking_id, generation from booking where meeting_id = $4
                        ))
                        and ($5::text is null or lower(organizer) = lower($5)
                            or (source_system, booking_id, generation) in (
                                select source_system, booking_id, generation from booking
                                where organizer_id = any((select organizer_ids_of($5))::uuid[])
                                    or (organizer_id is null and lower(organizer) = any((select organizer_names_of($5))::text[]))
                            )
                        )
                        and ($6::text is null or actor = $6)
                        and ($7::text is null or event_type = $7)
                        and ($8::text is null or outcome = $8)
                        and ($9::timestamptz is null or occurred_at >= $9)
                        and ($10::timestamptz is null or occurred_at < $10)
                        and ($11::text is null or payload->'next'->>'status' = $11)
                        and ($12::text is null or payload->>'requestId' = $12)
                        and "# + $condition + r#"
                    order by "# + $order + r#"
                    limit $13
                ) as found
            ) as measured
            where coalesce(bytes_before, 0) < $14
            order by "# + $order,
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
            $filter.next_status.as_deref(),
            $filter.request_id.map(|id| id.to_string()),
            i64::from($limit) + 1,
            i64::from(BYTES_MAX)
            $(, $argument)*
        )
    };
}

impl Store {
    /// Up to `limit` events from a place on.
    ///
    /// The history of one booking is in the order in which its events were numbered. That of all bookings is in the order
    /// of the transactions that wrote them.
    ///
    /// Oldest first, there is always a place where the next read goes on, and a reader that follows the list misses no
    /// event that is committed late. Of all bookings the list ends before the first transaction that is still under way.
    /// Of one booking nothing is held back: each generation writes its events one after another under the lock of its
    /// row, as cancels that come before the booking do, so the place is the number of the last event read of each.
    ///
    /// # Errors
    /// `PositionLost` where, oldest first, the place is one of a history that the database no longer has.
    pub(crate) async fn audit_events(
        &self,
        filter: &AuditEventFilter,
        order: Order,
        from: Option<&AuditEventPosition>,
        limit: u32,
    ) -> Result<ListPart<AuditEvent, AuditEventPosition>, StoreError> {
        let of_one_booking = filter.source_system.is_some() && filter.booking_id.is_some();
        again_if_lost!(self, async {
            match (order, of_one_booking) {
                (Order::Ascending, true) => self.oldest_of_one_booking(filter, from, limit).await,
                (Order::Ascending, false) => self.oldest_of_all(filter, from, limit).await,
                (Order::Descending, _) => self.newest(filter, of_one_booking, from, limit).await,
            }
        })
    }

    async fn oldest_of_one_booking(
        &self,
        filter: &AuditEventFilter,
        from: Option<&AuditEventPosition>,
        limit: u32,
    ) -> Result<ListPart<AuditEvent, AuditEventPosition>, StoreError> {
        let mut connection = self.connections.acquire().await?;
        let end = HistoryEnd::read(&mut connection).await?;
        end.check(&mut connection, from).await?;
        let numbers = AuditEventPosition::numbers(from);
        let rows = audit_event_rows!(
            filter,
            limit,
            "number > coalesce(($15::integer[])[generation + 1], 0)",
            "event_id",
            numbers
        );
        let mut rows = rows.fetch_all(&mut connection).await?;
        cut(&mut rows, limit, |row| row.payload.len());
        let next = AuditEventPosition::read_with(end.timeline, from, &rows);
        Ok(ListPart::of(self, rows, Some(next), AuditEvent::try_from))
    }

    async fn oldest_of_all(
        &self,
        filter: &AuditEventFilter,
        from: Option<&AuditEventPosition>,
        limit: u32,
    ) -> Result<ListPart<AuditEvent, AuditEventPosition>, StoreError> {
        let place = AuditEventPosition::place_or(from, EventPlace::BEGINNING);
        let mut connection = self.connections.acquire().await?;
        // The statement below sees all that the transactions before the first open one wrote.
        let end = HistoryEnd::read(&mut connection).await?;
        end.check(&mut connection, from).await?;
        let rows = audit_event_rows!(
            filter,
            limit,
            r#"transaction_id < $15::bigint::text::xid8
                        and (transaction_id, event_id) > ($16::bigint::text::xid8, $17::bigint)"#,
            "transaction_id, event_id",
            end.first_open,
            place.transaction_id,
            place.event_id
        );
        let mut rows = rows.fetch_all(&mut connection).await?;
        let next = if cut(&mut rows, limit, |row| row.payload.len()) {
            rows.last().map(|row| AuditEventPosition::behind(end.timeline, row))
        } else {
            // All before it was looked through, also what the filters leave out.
            let reached = place.max(EventPlace { transaction_id: end.first_open, event_id: 0 });
            Some(AuditEventPosition { timeline: end.timeline, reached: Reached::Behind(reached) })
        };
        Ok(ListPart::of(self, rows, next, AuditEvent::try_from))
    }

    async fn newest(
        &self,
        filter: &AuditEventFilter,
        of_one_booking: bool,
        from: Option<&AuditEventPosition>,
        limit: u32,
    ) -> Result<ListPart<AuditEvent, AuditEventPosition>, StoreError> {
        let place = AuditEventPosition::place_or(from, EventPlace::END);
        let mut connection = self.connections.acquire().await?;
        let mut rows = if of_one_booking {
            audit_event_rows!(filter, limit, "event_id < $15::bigint", "event_id desc", place.event_id)
                .fetch_all(&mut connection)
                .await?
        } else {
            audit_event_rows!(
                filter,
                limit,
                "(transaction_id, event_id) < ($15::bigint::text::xid8, $16::bigint)",
                "transaction_id desc, event_id desc",
                place.transaction_id,
                place.event_id
            )
            .fetch_all(&mut connection)
            .await?
        };
        let has_more = cut(&mut rows, limit, |row| row.payload.len());
        let next = rows.last().filter(|_| has_more).map(|row| AuditEventPosition::behind(None, row));
        Ok(ListPart::of(self, rows, next, AuditEvent::try_from))
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

impl RowKey for AuditEventRow {
    fn key(&self) -> UnreadableRow {
        UnreadableRow {
            source_system: self.source_system.clone(),
            booking_id: self.booking_id.clone(),
            generation: self.generation,
            event_id: Some(self.event_id),
        }
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
                .map(Generation::new)
                .map_err(|_| bad("generation", row.generation.to_string()))?,
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
