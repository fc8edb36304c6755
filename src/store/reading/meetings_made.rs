//! Organizers with many meetings made.

use crate::booking::UserId;
use crate::clock::Timestamp;
use crate::store::postgres::again_if_lost;
use crate::store::{Store, StoreError};

impl Store {
    /// The organizers for whom Graph made at least so many meetings since a time, and how many. It reads the history
    /// from that time on: an index by time finds where that begins, and no settlement has to count.
    pub(crate) async fn meetings_made(
        &self,
        since: Timestamp,
        at_least: u32,
    ) -> Result<Vec<(UserId, u32)>, StoreError> {
        again_if_lost!(self, async {
            let rows = sqlx::query!(
                r#"
                select organizer_id as "organizer_id!", count(*) as "meetings!"
                from audit_event join booking using (source_system, booking_id, generation)
                where occurred_at >= $1 and event_type = 'meeting.created' and organizer_id is not null
                group by organizer_id
                having count(*) >= $2
                order by count(*) desc
                "#,
                since,
                i64::from(at_least),
            )
            .fetch_all(&mut self.connections.acquire().await?)
            .await?;
            let made = rows.into_iter();
            Ok(made
                .map(|row| (UserId::new(row.organizer_id), u32::try_from(row.meetings).unwrap_or(u32::MAX)))
                .collect())
        })
    }
}
