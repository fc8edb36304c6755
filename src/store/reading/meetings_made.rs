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
                        select organizer_id from organizer limit $4
                    )
                    select organizer_id as "organizer_id!", (
                        select count(*) from (
                            select from booking
                            where booking.organizer_id = looked_at.organizer_id and created_at >= $2
                            order by created_at
                            limit $3
                        ) as accepted
                    ) as "accepted!"
                    from looked_at
                    "#,
                    behind,
                    since,
                    i64::from(count.at_least),
                    ORGANIZERS_AT_ONCE,
                );
                Ok(rows.fetch_all(&mut self.connections.acquire().await?).await?)
            })?;
            for row in rows.iter().filter(|row| row.accepted >= i64::from(count.at_least)) {
                let meetings = self.meetings_of(row.organizer_id, since, count.at_most).await?;
                if meetings >= count.at_least {
                    made.push((UserId::new(row.organizer_id), meetings));
                }
            }
            let next = rows.last().and_then(|row| row.organizer_id.as_u128().checked_add(1));
            let Some(next) = next else { return Ok(made) };
            behind = Uuid::from_u128(next);
        }
    }

    /// How many meetings Graph made of a user's bookings that were accepted since a time; not counted beyond `at_most`. The user
    /// stands in the places between which bookings are read: that leaves Postgres no other way than along the index.
    async fn meetings_of(
        &self,
        organizer_id: Uuid,
        since: Timestamp,
        at_most: u32,
    ) -> Result<u32, StoreError> {
        again_if_lost!(self, async {
            let made = sqlx::query_scalar!(
                r#"
                select count(*) as "made!" from (
                    select from booking
                    where organizer_id is not null and created_by = 'this-request'
                        and (organizer_id, created_at) >= ($1, $2) and (organizer_id, created_at) <= ($1, 'infinity')
                    order by organizer_id, created_at
                    limit $3
                ) as made
                "#,
                organizer_id,
                since,
                i64::from(at_most),
            );
            let made = made.fetch_one(&mut self.connections.acquire().await?).await?;
            Ok(u32::try_from(made).unwrap_or(u32::MAX))
        })
    }
}
