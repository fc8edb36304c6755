//! Time, fresh ids and chance, handed in so that tests can move and fix them.

use std::fmt::Debug;
use std::sync::Mutex;
use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;

/// A point in time in UTC, kept to 100 ns, which is what Microsoft Graph prints
/// (`2020-02-06T01:49:21.3524945Z`).
pub type Timestamp = OffsetDateTime;

/// Cuts a time to UTC and to the 100 ns that Graph and this service keep.
#[must_use]
pub fn to_ticks(time: OffsetDateTime) -> Timestamp {
    let utc = time.to_offset(time::UtcOffset::UTC);
    utc.replace_nanosecond(utc.nanosecond() / 100 * 100).unwrap_or(utc)
}

/// Cuts a time to the microsecond, which is what Postgres keeps in a `timestamptz`.
#[must_use]
pub fn to_micros(time: OffsetDateTime) -> Timestamp {
    let utc = time.to_offset(time::UtcOffset::UTC);
    utc.replace_nanosecond(utc.nanosecond() / 1_000 * 1_000).unwrap_or(utc)
}

/// The one source of time, fresh ids and chance.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The time now, to the microsecond.
    fn now(&self) -> Timestamp;

    /// A fresh id (`UUIDv7`, so that ids sort roughly by time).
    fn fresh_id(&self) -> Uuid;

    /// A number from 0 (inclusive) to 1 (exclusive), for jitter.
    fn fresh_fraction(&self) -> f64;
}

/// The machine's own clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the time")]
    fn now(&self) -> Timestamp {
        to_micros(OffsetDateTime::now_utc())
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that draws ids")]
    fn fresh_id(&self) -> Uuid {
        Uuid::now_v7()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that draws numbers")]
    fn fresh_fraction(&self) -> f64 {
        rand::random()
    }
}

/// A clock that stands still until a test moves it. Ids are fresh as ever; chance is always a half.
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<Timestamp>,
}

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { now: Mutex::new(to_micros(now)) }
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        let mut now = self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now += by;
    }

    /// Moves the clock back, as a machine's time may be.
    pub fn set_back(&self, by: Duration) {
        let mut now = self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now -= by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn fresh_id(&self) -> Uuid {
        SystemClock.fresh_id()
    }

    fn fresh_fraction(&self) -> f64 {
        0.5
    }
}
