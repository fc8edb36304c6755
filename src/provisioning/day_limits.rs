//! How many bookings a source system may store in a day.
//!
//! What a limit is for is a caller that runs away, so it need not be exact: rows are counted at most every few seconds, and
//! what this replica stores in between is added. Together the replicas may store more than the limit by what they store in
//! that time.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Provisioning;
use super::results::{ProvisioningError, Refused};
use crate::booking::SourceSystem;
use crate::clock::Timestamp;

/// How old a count may be that is below the limit.
const COUNT_AGE_MAX: Duration = Duration::from_secs(5);

/// The name of this limit among those that are counted.
pub(crate) const BOOKINGS_PER_DAY: &str = "bookings-per-day";

/// The limits, and how much of them is used up.
#[derive(Debug)]
pub(crate) struct DayLimits {
    /// Of those that are not named.
    default: Option<NonZeroU32>,
    named: BTreeMap<SourceSystem, Option<NonZeroU32>>,
    counts: Mutex<BTreeMap<SourceSystem, Count>>,
}

/// What a source system stored on one day.
#[derive(Debug, Clone, Copy)]
struct Count {
    day: Timestamp,
    stored: u32,
    counted_at: Timestamp,
}

impl DayLimits {
    /// With these limits; none is no limit.
    pub(crate) fn new(
        default: Option<NonZeroU32>,
        named: BTreeMap<SourceSystem, Option<NonZeroU32>>,
    ) -> Self {
        Self { default, named, counts: Mutex::default() }
    }

    fn limit_of(&self, source_system: &SourceSystem) -> Option<u32> {
        self.named.get(source_system).copied().unwrap_or(self.default).map(NonZeroU32::get)
    }

    /// What is known of this day, if that is enough to decide: a limit that is reached stays so.
    fn known(&self, source_system: &SourceSystem, limit: u32, now: Timestamp) -> Option<u32> {
        let count = *self.counts().get(source_system)?;
        let counts = count.stored >= limit || now - count.counted_at < COUNT_AGE_MAX;
        (count.day == day_of(now) && counts).then_some(count.stored)
    }

    fn counted(&self, source_system: &SourceSystem, stored: u32, now: Timestamp) {
        self.counts().insert(source_system.clone(), Count { day: day_of(now), stored, counted_at: now });
    }

    /// One more was stored.
    fn stored(&self, source_system: &SourceSystem, now: Timestamp) {
        if let Some(count) = self.counts().get_mut(source_system).filter(|count| count.day == day_of(now)) {
            count.stored = count.stored.saturating_add(1);
        }
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<SourceSystem, Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The day's begin, in UTC.
fn day_of(time: Timestamp) -> Timestamp {
    time.replace_time(time::Time::MIDNIGHT)
}

/// How long it is until the next day begins.
fn until_next_day(now: Timestamp) -> Duration {
    (day_of(now) + time::Duration::DAY - now).unsigned_abs()
}

impl Provisioning {
    /// Whether a source system may store one more booking, or generation of one, today.
    ///
    /// # Errors
    /// When it may not, or Postgres can't say.
    pub(super) async fn check_day(&self, source_system: &SourceSystem) -> Result<(), ProvisioningError> {
        let Some(limit) = self.day_limits.limit_of(source_system) else {
            return Ok(());
        };
        let now = self.clock.now();
        let stored = if let Some(stored) = self.day_limits.known(source_system, limit, now) {
            stored
        } else {
            let stored = self.store.bookings_stored(source_system, day_of(now), limit).await?;
            self.day_limits.counted(source_system, stored, now);
            stored
        };
        if stored < limit {
            return Ok(());
        }
        self.metrics.limited(source_system, BOOKINGS_PER_DAY);
        let until = until_next_day(now);
        Err(Refused::Day { source_system: source_system.clone(), limit, until }.into())
    }

    /// A booking, or a generation of one, was stored.
    pub(super) fn stored_one(&self, source_system: &SourceSystem) {
        self.day_limits.stored(source_system, self.clock.now());
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    /// A count is good for five seconds, one that has reached the limit for the rest of its day, and none for the next.
    #[test]
    fn a_count_is_good_for_seconds_or_for_the_day() {
        let crm = SourceSystem::parse("crm").unwrap();
        let limits = DayLimits::new(None, BTreeMap::new());
        let at = datetime!(2026-11-23 23:59:50 UTC);
        assert_eq!(limits.known(&crm, 3, at), None);
        limits.stored(&crm, at);
        assert_eq!(limits.known(&crm, 3, at), None, "what was not counted is not added to");
        limits.counted(&crm, 1, at);
        limits.stored(&crm, at + Duration::from_secs(4));
        assert_eq!(limits.known(&crm, 3, at + Duration::from_secs(4)), Some(2));
        assert_eq!(limits.known(&crm, 3, at + Duration::from_secs(5)), None);
        limits.stored(&crm, at + Duration::from_secs(6));
        assert_eq!(limits.known(&crm, 3, at + Duration::from_secs(9)), Some(3), "reached");
        assert_eq!(limits.known(&crm, 3, at + Duration::from_secs(10)), None, "the next day");
        limits.stored(&crm, at + Duration::from_secs(10));
        assert_eq!(limits.known(&crm, 3, at + Duration::from_secs(10)), None);
        assert_eq!(until_next_day(at), Duration::from_secs(10));
        assert_eq!(until_next_day(datetime!(2026-11-24 0:00 UTC)), Duration::from_hours(24));
    }
}
