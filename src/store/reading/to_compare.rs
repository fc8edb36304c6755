//! Meetings still to come that Graph was not asked about for long.

use uuid::Uuid;

use crate::booking::{BookingId, BookingKey, Generation, SourceSystem};
use crate::clock::Timestamp;
use crate::store::postgres::again_if_lost;
use crate::store::{Store, StoreError};

/// How many bookings one look finds, at most.
const FOUND_MAX: u16 = 500;

/// A place on a round: right behind the booking whose meeting ends then, of this external id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ComparePosition {
    end_at: Timestamp,
    external_id: Uuid,
}

impl Store {
    /// The next bookings whose meetings are to be compared: provisioned and at rest, ending after `now`, not seen after
    /// `unseen_since`; those that end first come first. And the place where the next look goes on; none at the end. What an
    /// index holds for this is passed over without reading a booking.
    pub(crate) async fn to_compare(
        &self,
        behind: Option<ComparePosition>,
        unseen_since: Timestamp,
        now: Timestamp,
    ) -> Result<(Vec<(BookingKey, Generation)>, Option<ComparePosition>), StoreError> {
        again_if_lost!(self, async {
            let rows = sqlx::query!(
                r#"
                select source_system, booking_id, generation, end_at, external_id
                from booking
                where status = 'provisioned' and (due_at is null or agreement = 'under-way')
                    and (end_at, external_id) > ($1, $2) and seen_at <= $3
                order by end_at, external_id
                limit $4
                "#,
                behind.map_or(now, |place| place.end_at),
                behind.map_or(Uuid::max(), |place| place.external_id),
                unseen_since,
                i64::from(FOUND_MAX),
            )
            .fetch_all(&mut self.connections.acquire().await?)
            .await?;
            let last = rows.last().filter(|_| rows.len() >= usize::from(FOUND_MAX));
            let place = last.map(|row| ComparePosition { end_at: row.end_at, external_id: row.external_id });
            let found = rows.into_iter().filter_map(|row| {
                let source_system = SourceSystem::parse(&row.source_system).ok()?;
                let booking_id = BookingId::parse(&row.booking_id).ok()?;
                let generation = u32::try_from(row.generation).ok().and_then(Generation::new)?;
                Some((BookingKey { source_system, booking_id }, generation))
            });
            Ok((found.collect(), place))
        })
    }
}
