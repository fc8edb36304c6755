//! Meetings still to come that Graph was not asked about for long.

use uuid::Uuid;

use super::BookingPosition;
use crate::booking::{BookingId, BookingKey, Generation, SourceSystem};
use crate::clock::Timestamp;
use crate::store::postgres::again_if_lost;
use crate::store::{Store, StoreError};

/// How many bookings one look passes over, at most.
const PASSED_MAX: i64 = 500;

impl Store {
    /// The bookings among the next 500, in the order of their acceptance, whose meetings are to be compared: provisioned
    /// and at rest, ending after `now`, not seen after `unseen_since`. And the place where the next look goes on; none
    /// at the end of the list. It walks along an index that is there anyway, so that comparing costs new bookings
    /// nothing.
    pub(crate) async fn to_compare(
        &self,
        behind: Option<BookingPosition>,
        unseen_since: Timestamp,
        now: Timestamp,
    ) -> Result<(Vec<(BookingKey, Generation)>, Option<BookingPosition>), StoreError> {
        again_if_lost!(self, async {
            let rows = sqlx::query!(
                r#"
                select source_system, booking_id, generation, created_at, external_id,
                    (
                        status = 'provisioned' and (due_at is null or agreement = 'under-way')
                        and end_at > $3 and seen_at <= $4
                    ) as "is_to_compare!"
                from booking
                where (created_at, external_id) > ($1, $2)
                order by created_at, external_id
                limit $5
                "#,
                behind.map_or(Timestamp::UNIX_EPOCH, |place| place.created_at),
                behind.map_or(Uuid::nil(), |place| place.external_id),
                now,
                unseen_since,
                PASSED_MAX,
            )
            .fetch_all(&mut self.connections.acquire().await?)
            .await?;
            let place = rows
                .last()
                .map(|row| BookingPosition { created_at: row.created_at, external_id: row.external_id });
            let found = rows.into_iter().filter(|row| row.is_to_compare).filter_map(|row| {
                let source_system = SourceSystem::parse(&row.source_system).ok()?;
                let booking_id = BookingId::parse(&row.booking_id).ok()?;
                let generation = u32::try_from(row.generation).ok().and_then(Generation::new)?;
                Some((BookingKey { source_system, booking_id }, generation))
            });
            Ok((found.collect(), place))
        })
    }
}
