//! How much a source system may ask for.

use std::num::NonZeroU32;

use super::reader::Reader;
use crate::setting::{TableReader, whole};

/// The highest number of a limit.
const MOST: u32 = 1_000_000;

/// How much a source system may ask for. Where nothing is said the default counts, and 0 is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallerLimits {
    /// Requests a second to one replica.
    pub requests_per_second: Option<u32>,
    /// Requests at once, after a time without any.
    pub burst: Option<u32>,
    /// Bookings that are stored in a day (UTC) by all replicas.
    pub bookings_per_day: Option<u32>,
}

/// A limit of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestRate {
    /// In a second.
    pub per_second: NonZeroU32,
    /// At once.
    pub burst: NonZeroU32,
}

impl CallerLimits {
    /// The members of a source system's table.
    pub(super) const KEYS: [&str; 3] = ["requests_per_second", "burst", "bookings_per_day"];

    /// The defaults, in `[access]`.
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let rule = whole(0..=MOST);
        Some(Self {
            requests_per_second: Some(reader.or_default("access.requests_per_second", 0, &rule)?),
            burst: Some(reader.or_default("access.burst", 0, &rule)?),
            bookings_per_day: Some(reader.or_default("access.bookings_per_day", 0, &rule)?),
        })
    }

    /// Those of one source system.
    pub(super) fn of(table: &mut TableReader<'_>) -> Self {
        let mut limit = |member| table.optional(member, &whole(0..=MOST)).ok().flatten();
        let [requests_per_second, burst, bookings_per_day] = Self::KEYS.map(&mut limit);
        Self { requests_per_second, burst, bookings_per_day }
    }

    /// These, and what they don't say as `default` says.
    #[must_use]
    pub fn or(self, default: Self) -> Self {
        Self {
            requests_per_second: self.requests_per_second.or(default.requests_per_second),
            burst: self.burst.or(default.burst),
            bookings_per_day: self.bookings_per_day.or(default.bookings_per_day),
        }
    }

    /// The rate of requests, if there is one: without a burst, as many at once as in a second.
    #[must_use]
    pub fn rate(self) -> Option<RequestRate> {
        let per_second = self.requests_per_second.and_then(NonZeroU32::new)?;
        Some(RequestRate { per_second, burst: self.burst.and_then(NonZeroU32::new).unwrap_or(per_second) })
    }

    /// The limit of a day, if there is one.
    #[must_use]
    pub fn day(self) -> Option<NonZeroU32> {
        self.bookings_per_day.and_then(NonZeroU32::new)
    }
}
