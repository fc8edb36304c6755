//! What is due, in numbers.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::meeting::Status;
use crate::store::{Store, StoreError};

/// What is due, in numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Backlog {
    /// Bookings that are not settled, by each status that such a booking can have.
    pub(crate) by_status: Vec<(Status, i64)>,
    /// Bookings that are due now and not leased.
    pub(crate) due: u32,
    /// Bookings that are held, start soon, and have no join link yet.
    pub(crate) starting_soon_without_link: u32,
    /// Since when the oldest of them is due.
    pub(crate) oldest_due_at: Option<Timestamp>,
    /// Since when the booking that is tried again for the longest time has been failing.
    pub(crate) failing_since: Option<Timestamp>,
}

impl Store {
    /// Counts what is not settled, what is overdue, and what of it starts between now and `soon` from now without a
    /// link. Only what is due or failed can be without, and for both there are indexes.
    pub(crate) async fn backlog(&self, now: Timestamp, soon: Duration) -> Result<Backlog, StoreError> {
        let row = sqlx::query!(
            r#"
            select count(*) as "due!", min(due_at) as oldest_due_at
            from booking where due_at <= $1 and (lease_until is null or lease_until <= $1)
            "#,
            now
        )
        .fetch_one(&mut self.connections.acquire().await?)
        .await?;
        let counts = sqlx::query!(
            r#"
            select status, count(*) as "bookings!",
                count(*) filter (
                    where desired_state = 'present' and provisioned_at is null and start_at >= $1 and start_at < $2
                ) as "starting_soon!",
                min(failing_since) filter (where due_at is not null) as failing_since
            from booking
            where due_at is not null or status = 'failed'
            group by status
            "#,
            now,
            now + soon,
        )
        .fetch_all(&mut self.connections.acquire().await?)
        .await?;
        let unsettled = [Status::Pending, Status::Updating, Status::Cancelling, Status::Failed];
        let by_status = unsettled.map(|status| {
            let counted = counts.iter().find(|row| row.status == status.as_str());
            (status, counted.map_or(0, |row| row.bookings))
        });
        let due = u32::try_from(row.due).unwrap_or(u32::MAX);
        Ok(Backlog {
            by_status: by_status.into(),
            due,
            oldest_due_at: row.oldest_due_at,
            starting_soon_without_link: u32::try_from(
                counts.iter().map(|row| row.starting_soon).sum::<i64>(),
            )
            .unwrap_or(u32::MAX),
            failing_since: counts.iter().filter_map(|row| row.failing_since).min(),
        })
    }
}
