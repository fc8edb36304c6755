//! Organizers with many meetings made.

use uuid::Uuid;

use crate::booking::UserId;
use crate::clock::Timestamp;
use crate::store::postgres::again_if_lost;
use crate::store::{Store, StoreError};

/// How many organizers one look counts for.
const ORGANIZERS_AT_ONCE: i64 = 100;

/// How far meetings are counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MeetingCount {
    /// Fewer are not worth telling.
    pub(crate) at_least: u32,
    /// More are not counted.
    pub(crate) at_most: u32,
}

impl Store {
    /// The organizers for whom Graph made at least so many meetings of bookings that were accepted since a time, and how many.
    /// It goes from organizer to organizer through an index, some at once, and reads bookings only of those who
    /// have as many: no settlement has to count.
    pub(crate) async fn meetings_made(
        &self,
        since: Timestamp,
        count: MeetingCount,
    ) -> Result<Vec<(UserId, u32)>, StoreError> {
        let mut made = Vec::new();
        let mut behind = Uuid::nil();
        loop {
            let rows = again_if_lost!(self, async {
                let rows = sqlx::query!(
                    r#"
                    with recursive organizer as (
                        (
                            select organizer_id from booking where organizer_id >= $1
                            order by organizer_id
                            limit 1
                        )
                        union all
                        select next.organizer_id from organizer cross join lateral (
                            select booking.organizer_id from booking
                            where booking.organizer_id > organizer.organizer_id
                            order by booking.organizer_id
                            limit 1
                        ) as next
                    ), looked_at as (
                        select organizer_id from organizer limit $5
                    )
                    select organizer_id as "organizer_id!", case when (
                        select count(*) from (
                            select from booking
                            where booking.organizer_id is not null
                                and (booking.organizer_id, created_at) >= (looked_at.organizer_id, $2)
                                and (booking.organizer_id, created_at) <= (looked_at.organizer_id, 'infinity')
                            order by booking.organizer_id, created_at
                            limit $3
                        ) as accepted
                    ) = $3 then (
                        select count(*) from (
                            select from booking
                            where booking.organizer_id is not null and created_by = 'this-request'
                                and (booking.organizer_id, created_at) >= (looked_at.organizer_id, $2)
                                and (booking.organizer_id, created_at) <= (looked_at.organizer_id, 'infinity')
                            order by booking.organizer_id, created_at
                            limit $4
                        ) as made
                    ) else 0 end as "meetings!"
                    from looked_at
                    "#,
                    behind,
                    since,
                    i64::from(count.at_least),
                    i64::from(count.at_most),
                    ORGANIZERS_AT_ONCE,
                );
                Ok(rows.fetch_all(&mut self.connections.acquire().await?).await?)
            })?;
            let counted = rows
                .iter()
                .map(|row| (UserId::new(row.organizer_id), u32::try_from(row.meetings).unwrap_or(u32::MAX)));
            made.extend(counted.filter(|(_, meetings)| *meetings >= count.at_least));
            let next = rows.last().and_then(|row| row.organizer_id.as_u128().checked_add(1));
            let Some(next) = next else { return Ok(made) };
            behind = Uuid::from_u128(next);
        }
    }
}
