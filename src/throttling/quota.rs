//! How many meetings an organizer may have made in a month.

use crate::clock::Timestamp;

/// What Microsoft publishes: 2,000 meetings for each user and month. What happens beyond is written nowhere.
pub(crate) const MEETINGS_PER_MONTH: u32 = 2_000;
/// From here on it is said that the limit comes near.
pub(crate) const NEAR: u32 = MEETINGS_PER_MONTH / 10 * 8;

/// How an organizer stands to the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Quota {
    /// Four fifths are used up.
    Near,
    /// All is used up.
    UsedUp,
}

/// What so many meetings in a month mean; nothing below four fifths of the limit.
pub(crate) fn quota(meetings: u32) -> Option<Quota> {
    match meetings {
        0..NEAR => None,
        NEAR..MEETINGS_PER_MONTH => Some(Quota::Near),
        MEETINGS_PER_MONTH.. => Some(Quota::UsedUp),
    }
}

/// When the calendar month of this moment began, in UTC: whose calendar Microsoft means is written nowhere.
pub(crate) fn month_of(now: Timestamp) -> Timestamp {
    let first = now.date().replace_day(1).unwrap_or_else(|_| now.date());
    first.midnight().assume_utc()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn it_is_said_from_four_fifths_on() {
        for (meetings, expected) in [
            (0, None),
            (1_599, None),
            (1_600, Some(Quota::Near)),
            (1_999, Some(Quota::Near)),
            (2_000, Some(Quota::UsedUp)),
            (u32::MAX, Some(Quota::UsedUp)),
        ] {
            assert_eq!(quota(meetings), expected, "{meetings}");
        }
    }

    #[test]
    fn months_begin_on_their_first() {
        for (now, expected) in [
            (datetime!(2026-11-23 08:00 UTC), datetime!(2026-11-01 00:00 UTC)),
            (datetime!(2026-11-01 00:00 UTC), datetime!(2026-11-01 00:00 UTC)),
            (datetime!(2026-12-31 23:59:59 UTC), datetime!(2026-12-01 00:00 UTC)),
        ] {
            assert_eq!(month_of(now), expected);
        }
    }
}
