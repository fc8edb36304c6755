//! Pages of bookings.

use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::booking_source::{BookingIndex, BookingSource};
use super::list_part::{BYTES_MAX, ListPart, RowKey, UnreadableRow, cut};
use super::search_bounds::EXAMINED_MAX;
use super::sought_organizer::SoughtOrganizer;
use crate::booking::{BookingId, ExternalId, SourceSystem};
use crate::clock::Timestamp;
use crate::meeting::{Booking, BookingFilter, Failure, Status};
use crate::store::booking_row::{BOOKING_COLUMNS, BookingRow, LeasedBooking};
use crate::store::connections::Connection;
use crate::store::postgres::again_if_lost;
use crate::store::{Store, StoreError};

/// A place in the list of bookings: right behind the booking that was accepted then under this external id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct BookingPosition {
    /// When the booking was accepted.
    pub(crate) created_at: Timestamp,
    /// Its external id, which tells bookings of one instant apart.
    pub(crate) external_id: Uuid,
}

impl BookingPosition {
    /// The place right behind this row, whether or not it can be read.
    fn behind(row: &BookingRow) -> Self {
        Self { created_at: row.created_at, external_id: row.external_id }
    }
}

impl RowKey for BookingRow {
    fn key(&self) -> UnreadableRow {
        UnreadableRow {
            source_system: self.source_system.clone(),
            booking_id: self.booking_id.clone(),
            generation: self.generation,
            event_id: None,
        }
    }
}

/// What is searched, and from where to where.
struct BookingSearch<'a> {
    filter: &'a BookingFilter,
    organizer: Option<SoughtOrganizer>,
    source: BookingSource,
    /// Behind this place.
    from: Option<BookingPosition>,
    /// Up to this place, which is what a read looks through; none where less is left.
    to: Option<BookingPosition>,
    limit: u32,
}

impl Store {
    /// Up to `limit` bookings, newest first, from a place on. What is accepted meanwhile stands before the first
    /// page and shifts nothing. It looks through [`EXAMINED_MAX`] bookings at most, so that there may be fewer, or none,
    /// and more behind them.
    pub(crate) async fn bookings(
        &self,
        filter: &BookingFilter,
        from: Option<BookingPosition>,
        limit: u32,
    ) -> Result<ListPart<Booking, BookingPosition>, StoreError> {
        again_if_lost!(self, async {
            let mut connection = self.connections.acquire().await?;
            let search = BookingSearch::begin(filter, from, limit, &mut connection).await?;
            let mut rows: Vec<BookingRow> = search.page().build_query_as().fetch_all(&mut connection).await?;
            let is_full =
                cut(&mut rows, limit, |row| row.wanted.len() + row.seen.as_ref().map_or(0, String::len));
            let next = if is_full { rows.last().map(BookingPosition::behind) } else { search.to };
            let booking = |row| LeasedBooking::try_from(row).map(|leased| leased.booking);
            Ok(ListPart::of(self, rows, next, booking))
        })
    }
}

impl<'a> BookingSearch<'a> {
    async fn begin(
        filter: &'a BookingFilter,
        from: Option<BookingPosition>,
        limit: u32,
        connection: &mut Connection,
    ) -> Result<Self, StoreError> {
        let organizer = SoughtOrganizer::of(connection, filter.organizer.as_deref()).await?;
        let source = BookingSource::of(filter, organizer.clone(), connection).await?;
        let mut search = Self { filter, organizer, source, from, to: None, limit };
        if let BookingSource::Along(index) = search.source
            && index.is_narrowed_by(filter)
        {
            let mut reached = search.reached(index);
            let reached = reached.build_query_as::<BookingPosition>().persistent(false);
            search.to = reached.fetch_optional(connection).await?;
        }
        Ok(search)
    }

    /// Asks for the last place that is looked through.
    fn reached(&self, index: BookingIndex) -> QueryBuilder<Postgres> {
        let mut query = QueryBuilder::new("select created_at, external_id from booking where ");
        self.push_along(index, &mut query);
        query.push("offset ").push_bind(i64::from(EXAMINED_MAX) - 1).push(" limit 1");
        query
    }

    /// The rows of an index between the two places, in their order.
    fn push_along(&self, index: BookingIndex, query: &mut QueryBuilder<Postgres>) {
        query.push(index.condition());
        let relation = if self.from.is_some() { "<" } else { "<=" };
        self.push_place(index, relation, self.from, query);
        self.push_place(index, ">=", self.to, query);
        query.push(order(Some(index)));
    }

    /// That a row stands before or behind a place; without one, anywhere in the index.
    fn push_place(
        &self,
        index: BookingIndex,
        relation: &str,
        place: Option<BookingPosition>,
        query: &mut QueryBuilder<Postgres>,
    ) {
        let leading = index.leading_column();
        query.push(" and (");
        if let Some(column) = leading {
            query.push(column).push(", ");
        }
        query.push("created_at, external_id) ").push(relation).push(" (");
        if leading.is_some() {
            index.push_leading_value(self.filter, query);
            query.push(", ");
        }
        match place {
            Some(place) => query.push_bind(place.created_at).push(", ").push_bind(place.external_id),
            None if relation == ">=" => query.push("'-infinity', '00000000-0000-0000-0000-000000000000'"),
            None => query.push("'infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff'"),
        };
        query.push(")");
    }

    /// Reads one row more than the part has, by rows and by bytes: up to the second row before which the bytes are reached. The
    /// innermost query keeps Postgres from reading in another way than along the source; to make sure that it does so
    /// row by row it has a limit, which the places alone can't reach.
    fn page(&self) -> QueryBuilder<Postgres> {
        let (order, mut query) = (self.order(), QueryBuilder::new("select "));
        query.push(BOOKING_COLUMNS).push(
            " from (select *, sum(octet_length(wanted::text) + coalesce(octet_length(seen::text), 0)) over (",
        );
        query.push(&order).push(
            "rows between unbounded preceding and 2 preceding) as bytes_before
             from (select * from (",
        );
        match &self.source {
            BookingSource::Along(index) => {
                query.push("select * from booking where ");
                self.push_along(*index, &mut query);
                query.push("limit ").push_bind(2 * i64::from(EXAMINED_MAX)).push(") as booking where true");
            }
            BookingSource::Few(few) => {
                few.push(self.filter, "booking.*", &mut query);
                query.push(") as booking where true");
                if self.from.is_some() {
                    self.push_place(BookingIndex::All, "<", self.from, &mut query);
                }
            }
        }
        self.push_filters(&mut query);
        query.push(&order).push("limit ").push_bind(i64::from(self.limit) + 1);
        query.push(") as booking) as booking where coalesce(bytes_before, 0) < ");
        query.push_bind(i64::from(BYTES_MAX)).push(&order);
        query
    }

    /// The order of the list, as its index has it.
    fn order(&self) -> String {
        match self.source {
            BookingSource::Along(index) => order(Some(index)),
            BookingSource::Few(_) => order(None),
        }
    }

    fn push_filters(&self, query: &mut QueryBuilder<Postgres>) {
        let filter = self.filter;
        let texts = [
            ("source_system = ", filter.source_system.as_ref().map(SourceSystem::as_str)),
            ("booking_id = ", filter.booking_id.as_ref().map(BookingId::as_str)),
            ("meeting_id = ", filter.meeting_id.as_deref()),
            ("last_error->>'code' = ", filter.code.map(Failure::code)),
        ];
        for (condition, text) in texts {
            if let Some(text) = text {
                query.push(" and ").push(condition).push_bind(text);
            }
        }
        let times = [
            ("start_at >= ", filter.starts_from),
            ("start_at < ", filter.starts_before),
            ("updated_at >= ", filter.updated_from),
            ("updated_at < ", filter.updated_before),
            ("failing_since < ", filter.failing_before),
        ];
        for (condition, time) in times {
            if let Some(time) = time {
                query.push(" and ").push(condition).push_bind(time);
            }
        }
        if let Some(external_id) = filter.external_id.map(ExternalId::uuid) {
            query.push(" and external_id = ").push_bind(external_id);
        }
        if !filter.statuses.is_empty() {
            let statuses: Vec<&str> = filter.statuses.iter().copied().map(Status::as_str).collect();
            query.push(" and status = any(").push_bind(statuses).push(")");
        }
        if let Some(organizer) = &self.organizer {
            query.push(" and ");
            organizer.push_is_theirs(query);
        }
    }
}

/// The order of the list, with the leading column of an index along which it is read.
fn order(index: Option<BookingIndex>) -> String {
    let leading = index.and_then(BookingIndex::leading_column);
    let leading = leading.map(|column| format!("{column} desc, ")).unwrap_or_default();
    format!(" order by {leading}created_at desc, external_id desc ")
}
