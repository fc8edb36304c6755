//! Meetings still to come that Graph was not asked about for long.

use uuid::Uuid;

use super::search_bounds::EXAMINED_MAX;
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
    /// index holds for this is passed over without reading a booking, [`EXAMINED_MAX`] meetings in one look.
    pub(crate) async fn to_compare(
        &self,
        behind: Option<ComparePosition>,
        unseen_since: Timestamp,
        now: Timestamp,
    ) -> Result<(Vec<(BookingKey, Generation)>, Option<ComparePosition>), StoreError> {
        again_if_lost!(self, async {
            let (end_at, external_id) =
                behind.map_or((now, Uuid::max()), |place| (place.end_at, place.external_id));
            let mut connection = self.connections.acquire().await?;
            // How far this look goes: of millions of meetings most were seen lately.
            let reached = sqlx::query!(
                r#"
                select end_at, external_id from booking
                where status = 'provisioned' and (due_at is null or agreement = 'under-way')
                    and (end_at, external_id) > ($1, $2)
                order by end_at, external_id
                offset $3
                limit 1
                "#,
                end_at,
                external_id,
                i64::from(EXAMINED_MAX) - 1,
            );
            let reached = reached.fetch_optional(&mut connection).await?;
            let reached =
                reached.map(|row| ComparePosition { end_at: row.end_at, external_id: row.external_id });
            let rows = sqlx::query!(
                r#"
                select source_system, booking_id, generation, end_at, external_id
                from booking
                where status = 'provisioned' and (due_at is null or agreement = 'under-way')
                    and (end_at, external_id) > ($1, $2) and seen_at <= $3
                    and (end_at, external_id) <= (coalesce($5::timestamptz, 'infinity'), $6)
                order by end_at, external_id
                limit $4
                "#,
                end_at,
                external_id,
                unseen_since,
                i64::from(FOUND_MAX),
                reached.map(|place| place.end_at),
                reached.map_or(Uuid::max(), |place| place.external_id),
            )
            .fetch_all(&mut connection)
            .await?;
            let last = rows.last().filter(|_| rows.len() >= usize::from(FOUND_MAX));
            let last = last.map(|row| ComparePosition { end_at: row.end_at, external_id: row.external_id });
            let place = last.or(reached);
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
