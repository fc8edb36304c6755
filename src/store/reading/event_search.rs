//! One search of the history.

use sqlx::{Postgres, QueryBuilder};

use super::audit_event_position::{AuditEventPosition, Reached};
use super::audit_event_row::{AUDIT_EVENT_COLUMNS, AuditEventRow};
use super::event_place::{Between, EventPlace};
use super::event_source::EventSource;
use super::list_part::{BYTES_MAX, cut};
use super::search_bounds::EXAMINED_MAX;
use super::sought_organizer::SoughtOrganizer;
use super::timeline::{HistoryEnd, Timeline};
use crate::audit::{AuditEventFilter, Order};
use crate::booking::{BookingId, ExternalId, SourceSystem};
use crate::store::StoreError;
use crate::store::connections::Connection;

/// What is searched.
pub(super) struct EventSearch<'a> {
    filter: &'a AuditEventFilter,
    order: Order,
    organizer: Option<SoughtOrganizer>,
    source: EventSource,
    limit: u32,
}

/// What one read of a search has found.
pub(super) struct FoundEvents {
    pub(super) rows: Vec<AuditEventRow>,
    /// Where the next read goes on.
    pub(super) next: Option<AuditEventPosition>,
    /// Whether there may be more by now.
    pub(super) has_more: bool,
}

/// Which events of its source a search looks through.
#[derive(Debug, Clone, Copy)]
enum Stretch<'a> {
    /// Of one booking, oldest first: those with higher numbers than these, by generation.
    Unread(&'a [i32]),
    /// Of one booking, newest first: those before this event.
    Earlier(i64),
    /// Of all bookings.
    Between(Between),
}

impl<'a> EventSearch<'a> {
    pub(super) async fn begin(
        filter: &'a AuditEventFilter,
        order: Order,
        limit: u32,
        connection: &mut Connection,
    ) -> Result<Self, StoreError> {
        let organizer = SoughtOrganizer::of(connection, filter.organizer.as_deref()).await?;
        let source = EventSource::of(filter, organizer.clone(), connection).await?;
        Ok(Self { filter, order, organizer, source, limit })
    }

    /// Reads on from a place.
    pub(super) async fn read(
        &self,
        from: Option<&AuditEventPosition>,
        connection: &mut Connection,
    ) -> Result<FoundEvents, StoreError> {
        let of_one_booking = matches!(self.source, EventSource::OfOneBooking);
        match (self.order, of_one_booking) {
            (Order::Ascending, true) => self.oldest_of_one_booking(from, connection).await,
            (Order::Descending, true) => self.newest_of_one_booking(from, connection).await,
            (Order::Ascending, false) => self.oldest_of_all(from, connection).await,
            (Order::Descending, false) => self.newest_of_all(from, connection).await,
        }
    }

    async fn oldest_of_one_booking(
        &self,
        from: Option<&AuditEventPosition>,
        connection: &mut Connection,
    ) -> Result<FoundEvents, StoreError> {
        let end = HistoryEnd::read(connection).await?;
        end.check(connection, from).await?;
        let mut rows = self.rows(Stretch::Unread(AuditEventPosition::numbers(from)), connection).await?;
        let has_more = self.cut(&mut rows);
        let next = Some(AuditEventPosition::read_with(end.timeline, from, &rows));
        Ok(FoundEvents { rows, next, has_more })
    }

    async fn newest_of_one_booking(
        &self,
        from: Option<&AuditEventPosition>,
        connection: &mut Connection,
    ) -> Result<FoundEvents, StoreError> {
        let place = AuditEventPosition::place_or(from, EventPlace::END);
        let mut rows = self.rows(Stretch::Earlier(place.event_id), connection).await?;
        let has_more = self.cut(&mut rows);
        let next = rows.last().filter(|_| has_more).map(|row| AuditEventPosition::behind(None, row));
        Ok(FoundEvents { rows, next, has_more })
    }

    async fn oldest_of_all(
        &self,
        from: Option<&AuditEventPosition>,
        connection: &mut Connection,
    ) -> Result<FoundEvents, StoreError> {
        let place = AuditEventPosition::place_or(from, EventPlace::BEGINNING);
        // The statements below see all that the transactions before the first open one wrote.
        let end = HistoryEnd::read(connection).await?;
        end.check(connection, from).await?;
        let between = Between::ALL.behind(place, self.order).written_before(end.first_open);
        let mut found = self.between(between, end.timeline, connection).await?;
        // All before it was looked through, also what the filters leave out.
        let reached = Reached::Behind(place.max(EventPlace::beginning_of(end.first_open)));
        found.next.get_or_insert(AuditEventPosition { timeline: end.timeline, reached });
        Ok(found)
    }

    async fn newest_of_all(
        &self,
        from: Option<&AuditEventPosition>,
        connection: &mut Connection,
    ) -> Result<FoundEvents, StoreError> {
        let place = AuditEventPosition::place_or(from, EventPlace::END);
        self.between(Between::ALL.behind(place, self.order), None, connection).await
    }

    /// Reads what is between two places; without a next place where nothing more is there.
    async fn between(
        &self,
        mut between: Between,
        timeline: Option<Timeline>,
        connection: &mut Connection,
    ) -> Result<FoundEvents, StoreError> {
        let AuditEventFilter { from, before, .. } = self.filter;
        let mut reached = None;
        if self.source.is_along() && self.source.is_narrowed_by(self.filter) {
            between = between.of_period(*from, *before, connection).await?;
            reached = self.reached(between, connection).await?;
            between = reached.map_or(between, |place| between.up_to(place, self.order));
        }
        let mut rows = self.rows(Stretch::Between(between), connection).await?;
        let next = if self.cut(&mut rows) {
            rows.last().map(|row| AuditEventPosition::behind(timeline, row))
        } else {
            reached.map(|place| AuditEventPosition { timeline, reached: Reached::Behind(place) })
        };
        Ok(FoundEvents { rows, has_more: next.is_some(), next })
    }

    /// The last place that is looked through; none where less is left.
    async fn reached(
        &self,
        between: Between,
        connection: &mut Connection,
    ) -> Result<Option<EventPlace>, StoreError> {
        let stretch = Stretch::Between(between);
        let mut query =
            QueryBuilder::new("select transaction_id::text::bigint as transaction_id, event_id from ");
        self.push_source(stretch, &mut query);
        query
            .push(self.order(stretch))
            .push("offset ")
            .push_bind(i64::from(EXAMINED_MAX) - 1)
            .push(" limit 1");
        Ok(query.build_query_as().persistent(false).fetch_optional(connection).await?)
    }

    fn order(&self, stretch: Stretch<'_>) -> String {
        let direction = match self.order {
            Order::Ascending => "",
            Order::Descending => " desc",
        };
        match (stretch, self.source.leading_column()) {
            (Stretch::Unread(_) | Stretch::Earlier(_), _) => format!(" order by event_id{direction} "),
            (Stretch::Between(_), None) => {
                format!(" order by audit_event.transaction_id{direction}, event_id{direction} ")
            }
            (Stretch::Between(_), Some(leading)) => {
                format!(
                    " order by {leading}{direction}, audit_event.transaction_id{direction}, event_id{direction} "
                )
            }
        }
    }

    /// The rows of the source in a stretch.
    fn push_source(&self, stretch: Stretch<'_>, query: &mut QueryBuilder<Postgres>) {
        self.source.push(self.filter, query);
        match stretch {
            Stretch::Unread(numbers) => {
                query.push(" and number > coalesce((").push_bind(numbers.to_vec());
                query.push("::integer[])[generation + 1], 0)");
            }
            Stretch::Earlier(event_id) => {
                query.push(" and event_id < ").push_bind(event_id);
            }
            Stretch::Between(between) => {
                self.push_place(">", between.behind, query);
                self.push_place("<", between.before, query);
            }
        }
    }

    fn push_place(&self, relation: &str, place: EventPlace, query: &mut QueryBuilder<Postgres>) {
        let leading = self.source.leading_column();
        query.push(" and (");
        if let Some(column) = leading {
            query.push(column).push(", ");
        }
        query.push("transaction_id, event_id) ").push(relation).push(" (");
        if leading.is_some() {
            query.push_bind(self.source.leading_value(self.filter)).push(", ");
        }
        query.push_bind(place.transaction_id).push("::text::xid8, ").push_bind(place.event_id).push(")");
    }

    async fn rows(
        &self,
        stretch: Stretch<'_>,
        connection: &mut Connection,
    ) -> Result<Vec<AuditEventRow>, StoreError> {
        Ok(self.page(stretch).build_query_as().persistent(false).fetch_all(connection).await?)
    }

    fn cut(&self, rows: &mut Vec<AuditEventRow>) -> bool {
        cut(rows, self.limit, |row| row.payload.len())
    }

    /// Reads one row more than the part has, by rows and by bytes: up to the second row before which the bytes are reached. The
    /// innermost query keeps Postgres from reading in another way than along the source; to make sure that it does so
    /// row by row it has a limit, which the places alone can't reach.
    fn page(&self, stretch: Stretch<'_>) -> QueryBuilder<Postgres> {
        let mut query = QueryBuilder::new("select ");
        query.push(AUDIT_EVENT_COLUMNS).push(" from (select *, sum(octet_length(payload::text)) over (");
        query.push(self.order(stretch)).push(
            "rows between unbounded preceding and 2 preceding) as bytes_before
             from (select * from (select audit_event.* from ",
        );
        self.push_source(stretch, &mut query);
        if self.source.is_along() {
            query.push(self.order(stretch)).push("limit ").push_bind(2 * i64::from(EXAMINED_MAX));
        } else {
            query.push(" offset 0");
        }
        query.push(") as audit_event where true");
        self.push_filters(&mut query);
        query.push(self.order(stretch)).push("limit ").push_bind(i64::from(self.limit) + 1);
        query.push(") as audit_event) as audit_event where coalesce(bytes_before, 0) < ");
        query.push_bind(i64::from(BYTES_MAX)).push(self.order(stretch));
        query
    }

    fn push_filters(&self, query: &mut QueryBuilder<Postgres>) {
        let filter = self.filter;
        let request_id = filter.request_id.map(|id| id.to_string());
        let texts = [
            ("source_system = ", filter.source_system.as_ref().map(SourceSystem::as_str)),
            ("booking_id = ", filter.booking_id.as_ref().map(BookingId::as_str)),
            ("actor = ", filter.actor.as_deref()),
            ("event_type = ", filter.kind.as_deref()),
            ("outcome = ", filter.outcome.as_deref()),
            ("payload->'next'->>'status' = ", filter.next_status.as_deref()),
            ("payload->>'requestId' = ", request_id.as_deref()),
        ];
        for (condition, text) in texts {
            if let Some(text) = text {
                query.push(" and ").push(condition).push_bind(text);
            }
        }
        for (condition, time) in [("occurred_at >= ", filter.from), ("occurred_at < ", filter.before)] {
            if let Some(time) = time {
                query.push(" and ").push(condition).push_bind(time);
            }
        }
        if let Some(external_id) = filter.external_id.map(ExternalId::uuid) {
            query.push(" and ").push(OF_ITS_BOOKING).push("external_id = ").push_bind(external_id).push(")");
        }
        if let Some(meeting_id) = filter.meeting_id.as_deref() {
            query.push(" and ").push(OF_ITS_BOOKING).push("meeting_id = ").push_bind(meeting_id).push(")");
        }
        if let Some((organizer, sought)) = filter.organizer.as_deref().zip(self.organizer.as_ref()) {
            query.push(" and (lower(audit_event.organizer) = lower(").push_bind(organizer);
            query.push(") or (select ");
            sought.push_is_theirs(query);
            query.push(" from booking where ").push(SAME_BOOKING).push("))");
        }
    }
}

/// A condition on the booking of an event, whose rest follows.
const OF_ITS_BOOKING: &str = "(source_system, booking_id, generation) in (select source_system, booking_id, generation \
    from booking where ";
/// That a booking is the one of an event. In a subquery that says a value it is looked up for one event after another.
const SAME_BOOKING: &str = "booking.source_system = audit_event.source_system \
    and booking.booking_id = audit_event.booking_id and booking.generation = audit_event.generation";
