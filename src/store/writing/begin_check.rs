//! Requests a check of a meeting: opens the attempt that asks Graph how it is.

use super::input::{AttemptInput, int};
use crate::booking::{BookingKey, Generation};
use crate::clock::Timestamp;
use crate::meeting::Attempt;
use crate::store::booking_row::{LeasedBooking, booking_rows};
use crate::store::postgres::write_again_if_lost;
use crate::store::{Store, StoreError};

impl Store {
    /// Opens an attempt that looks at the meeting of a provisioned booking at rest; with `unseen_since`, only if Graph
    /// has not told of the meeting since then. Nothing where there is nothing to look at, or where that is under way.
    ///
    /// At rest a meeting agrees with what is wanted, even where a newer revision of that needed no call; the row says so
    /// from here on, so that what is found to differ is drift. `Booking::check_requested` says the same in Rust.
    ///
    /// May be repeated: a row that names our own attempt is one that is ours.
    pub(crate) async fn begin_check(
        &self,
        key: &BookingKey,
        generation: Generation,
        unseen_since: Option<Timestamp>,
        attempt: Attempt,
    ) -> Result<Option<LeasedBooking>, StoreError> {
        write_again_if_lost!(self, async {
            let row = booking_rows!(
                r#"
                -- The row at rest, or at rest until its meeting is over, becomes due and leased at once.
                -- Booking::check_requested says the same in Rust.
                update booking set
                    agreement = case when due_at is null then 'check-requested' else agreement end,
                    agreed_revision = wanted_revision, due_at = attempt.started_at,
                    revision = revision + 1, updated_at = attempt.started_at,
                    lease_attempt_id = attempt.id, lease_started_at = attempt.started_at,
                    lease_until = attempt.leased_until
                from (select ($4::attempt_input).*) as attempt
                where source_system = $1 and booking_id = $2 and generation = $3
                    and status = 'provisioned' and lease_attempt_id is null
                    and (due_at is null or agreement = 'under-way' and agreed_revision = wanted_revision)
                    and ($5::timestamptz is null or seen_at <= $5)
                returning
                "#,
                "",
                key.source_system.as_str(),
                key.booking_id.as_str(),
                int(generation.number()),
                AttemptInput::of(attempt) as _,
                unseen_since,
            )
            .fetch_optional(&mut self.connections.acquire().await?)
            .await?;
            let leased = match row {
                Some(row) => Some(LeasedBooking::try_from(row)?),
                None => self.generation(key, generation).await?,
            };
            Ok(leased.filter(|leased| leased.attempt.is_some_and(|held| held.id == attempt.id)))
        })
    }
}
