//! Pages of bookings.

use uuid::Uuid;

use super::list_part::{BYTES_MAX, ListPart, RowKey, UnreadableRow, cut};
use crate::booking::{BookingId, SourceSystem};
use crate::clock::Timestamp;
use crate::meeting::{Booking, BookingFilter, Failure, Status};
use crate::store::booking_row::{BookingRow, LeasedBooking, booking_rows};
use crate::store::postgres::again_if_lost;
use crate::store::{Store, StoreError};

/// A place in the list of bookings: right behind the booking that was accepted then under this external id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// A checked query for part of the bookings, with one more condition and, for it, one more value, `$16`. It reads one row more
/// than the part has, by rows and by bytes: up to the second row before which the bytes are reached.
macro_rules! page {
    ($condition:tt, $filter:ident, $statuses:ident, $from:ident, $limit:ident $(, $value:ident)?) => {
        booking_rows!(
            "select",
            r#"
                from (
                    select *, sum(octet_length(wanted::text) + coalesce(octet_length(seen::text), 0)) over (
                        order by created_at desc, external_id desc
                        rows between unbounded preceding and 2 preceding
                    ) as bytes_before
                    from (
                        select * from booking
                        where ($1::text is null or source_system = $1)
                            and ($2::text is null or booking_id = $2)
                            and (cardinality($3::text[]) = 0 or status = any($3))
                            and ($4::text is null or last_error->>'code' = $4)
                            and ($5::uuid is null or external_id = $5)
                            and ($6::text is null or meeting_id = $6)
                            and ($7::timestamptz is null or start_at >= $7)
                            and ($8::timestamptz is null or start_at < $8)
                            and ($9::timestamptz is null or updated_at >= $9)
                            and ($10::timestamptz is null or updated_at < $10)
                            and ($15::timestamptz is null or failing_since < $15)
                            and ($11::timestamptz is null or (created_at, external_id) < ($11, $12::uuid))
                "#
                + $condition
                + r#"
                        order by created_at desc, external_id desc
                        limit $13
                    ) as found
                ) as booking
                where coalesce(bytes_before, 0) < $14
                order by created_at desc, external_id desc
                "#,
            $filter.source_system.as_ref().map(SourceSystem::as_str),
            $filter.booking_id.as_ref().map(BookingId::as_str),
            &$statuses,
            $filter.code.map(Failure::code),
            $filter.external_id.map(crate::booking::ExternalId::uuid),
            $filter.meeting_id.as_deref(),
            $filter.starts_from,
            $filter.starts_before,
            $filter.updated_from,
            $filter.updated_before,
            $from.map(|from| from.created_at),
            $from.map(|from| from.external_id),
            i64::from($limit) + 1,
            i64::from(BYTES_MAX),
            $filter.failing_before
            $(, $value)?
        )
    };
}

impl Store {
    /// Up to `limit` bookings, newest first, from a place on. What is accepted meanwhile stands before the first
    /// page and shifts nothing.
    pub(crate) async fn bookings(
        &self,
        filter: &BookingFilter,
        from: Option<BookingPosition>,
        limit: u32,
    ) -> Result<ListPart<Booking, BookingPosition>, StoreError> {
        let statuses: Vec<String> = filter.statuses.iter().map(|status| status.as_str().to_owned()).collect();
        again_if_lost!(self, async {
            let mut connection = self.connections.acquire().await?;
            // A search for one organizer, or for what is not done, is for few bookings among very many. With these conditions
            // Postgres may take the indexes that hold those few; from parameters that may be null it can't know.
            let mut rows = if let Some(organizer) = filter.organizer.as_deref() {
                page!(
                    r#"
                    and (
                        organizer_id = any((select organizer_ids_of($16))::uuid[])
                        or (organizer_id is null and lower(organizer) = any((select organizer_names_of($16))::text[]))
                    )
                    "#,
                    filter,
                    statuses,
                    from,
                    limit,
                    organizer
                )
                .fetch_all(&mut connection)
                .await?
            } else if filter.failing_before.is_some() {
                page!("and failing_since is not null", filter, statuses, from, limit)
                    .fetch_all(&mut connection)
                    .await?
            } else if is_about_unfinished(&filter.statuses) {
                page!("and (due_at is not null or status = 'failed')", filter, statuses, from, limit)
                    .fetch_all(&mut connection)
                    .await?
            } else if let Some(source_system) = filter.source_system.as_ref().map(SourceSystem::as_str) {
                page!("and source_system = $16", filter, statuses, from, limit, source_system)
                    .fetch_all(&mut connection)
                    .await?
            } else {
                page!("", filter, statuses, from, limit).fetch_all(&mut connection).await?
            };
            let has_more =
                cut(&mut rows, limit, |row| row.wanted.len() + row.seen.as_ref().map_or(0, String::len));
            let next = rows.last().filter(|_| has_more).map(BookingPosition::behind);
            let booking = |row| LeasedBooking::try_from(row).map(|leased| leased.booking);
            Ok(ListPart::of(self, rows, next, booking))
        })
    }
}

/// Whether only bookings are meant that are due or failed.
fn is_about_unfinished(statuses: &[Status]) -> bool {
    let is_unfinished = |status: &Status| !matches!(status, Status::Provisioned | Status::Cancelled);
    !statuses.is_empty() && statuses.iter().all(is_unfinished)
}
