//! Times as Graph writes and reads them.

use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use crate::clock::{Timestamp, to_ticks};

/// What Graph writes for a time that was never set.
pub(super) const UNSET: &str = "0001-01-01T00:00:00Z";

const SEVEN_DIGITS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]Z");
const WHOLE_SECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
const ENTRA_SECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z");

/// A meeting's time: UTC with seven fraction digits.
pub(super) fn write(time: Timestamp) -> String {
    to_ticks(time).format(SEVEN_DIGITS).unwrap_or_else(|_| UNSET.to_owned())
}

/// The time in an `innerError`: whole seconds and, as Graph does it, no offset.
pub(super) fn write_error_date(time: Timestamp) -> String {
    time.format(WHOLE_SECONDS).unwrap_or_else(|_| UNSET.to_owned())
}

/// The time in an Entra error.
pub(super) fn write_entra(time: Timestamp) -> String {
    time.format(ENTRA_SECONDS).unwrap_or_else(|_| UNSET.to_owned())
}

/// Reads an `Edm.DateTimeOffset`: RFC 3339 with an offset, kept to 100 ns.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text, &Rfc3339).ok().map(to_ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_digits_and_another_offset_survive_reading_and_writing() {
        let time = read("2020-09-09T14:33:30.8546353-07:00").unwrap();
        assert_eq!(write(time), "2020-09-09T21:33:30.8546353Z");
        assert_eq!(write(read("2020-02-06T01:49:21Z").unwrap()), "2020-02-06T01:49:21.0000000Z");
    }

    #[test]
    fn a_time_without_an_offset_is_no_time() {
        assert_eq!(read("2020-02-06T01:49:21"), None);
    }
}
