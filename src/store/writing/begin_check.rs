//! Doubts a meeting: opens the attempt that asks Graph how it is.

use super::parameters::int;
use crate::booking::{BookingKey, Generation};
use crate::clock::Timestamp;
use crate::meeting::Attempt;
use crate::store::booking_row::{LeasedBooking, booking_rows};
use crate::store::postgres::again_if_lost;
use crate::store::{Store, StoreError};

impl Store {
    /// Opens an attempt that looks at the meeting of a booking on which nobody works; with `unseen_since`, only if Graph
    /// has not told of the meeting since then. Nothing where there is nothing to look at, or where that is under way.
    ///
    /// At rest a meeting agrees with what is wanted, even where a newer revision of that needed no call; the row says so from
    /// here on, so that what is found to differ is drift.
    ///
    /// May be repeated: a row that names our own attempt is one that is ours.
    pub(crate) async fn begin_check(
        &self,
        (key, generation): (&BookingKey, Generation),
        unseen_since: Option<Timestamp>,
        attempt: Attempt,
    ) -> Result<Option<LeasedBooking>, StoreError> {
        again_if_lost!(self, async {
            let row = booking_rows!(
                r#"
                update booking set
                    agreement = 'check-requested', agreed_revision = wanted_revision, due_at = $5, lease_attempt_id = $4, lease_started_at = $5, lease_until = $6
                where source_system = $1 and booking_id = $2 and generation = $3
                    and status = 'provisioned' and due_at is null
                    and ($7::timestamptz is null or seen_at <= $7)
                returning
                "#,
                "",
                key.source_system.as_str(),
                key.booking_id.as_str(),
                int(generation.number()),
                attempt.id.uuid(),
                attempt.started_at,
                attempt.leased_until,
                unseen_since,
            )
            .fetch_optional(&mut *self.connections.acquire().await?)
            .await?;
            let leased = match row {
                Some(row) => Some(LeasedBooking::try_from(row)?),
                None => self.generation(key, generation).await?,
            };
            Ok(leased.filter(|leased| leased.attempt.is_some_and(|held| held.id == attempt.id)))
        })
    }
}
