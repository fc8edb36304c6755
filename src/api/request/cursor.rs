//! Where the next page of a list begins.
//!
//! A cursor is no secret and grants nothing: what its caller may see is checked again. It only must not be used with
//! other filters by mistake, so it carries a part of their hash.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::query::QueryParameter;
use crate::clock::Timestamp;
use crate::store::reading::{AuditEventPosition, BookingPosition, EventPlace, Reached, Timeline};

const VERSION: u8 = 1;
const SEAL_BYTES: usize = 8;
/// The fault of a cursor that can't be used.
const UNUSABLE: &str = "is not a cursor of this list with these filters";

/// The part of the hash of a list and its filters that its cursors carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seal([u8; SEAL_BYTES]);

impl Seal {
    /// The seal of a list: its name, what its caller may see, and its filters in a fixed order.
    pub(crate) fn of(list: &str, scope: &str, filters: &[QueryParameter]) -> Self {
        let mut hash = Sha256::new();
        let filters = filters.iter().flat_map(|filter| [filter.name.as_str(), filter.value.as_str()]);
        for text in [list, scope].into_iter().chain(filters) {
            // The length before each text keeps their borders apart.
            hash.update(text.len().to_be_bytes());
            hash.update(text.as_bytes());
        }
        let mut seal = [0; SEAL_BYTES];
        seal.copy_from_slice(&hash.finalize()[..SEAL_BYTES]);
        Self(seal)
    }

    /// Writes a cursor.
    pub(crate) fn write<P: Position>(self, position: &P) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(self.0);
        position.write(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor of this list with these filters.
    pub(crate) fn read<P: Position>(self, text: &str) -> Result<P, &'static str> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| UNUSABLE)?;
        let position = bytes.strip_prefix(&[VERSION]).and_then(|rest| rest.strip_prefix(&self.0));
        position.and_then(P::read).ok_or(UNUSABLE)
    }
}

/// A place in a list, as bytes.
pub(crate) trait Position: Sized {
    /// Appends the place.
    fn write(&self, bytes: &mut Vec<u8>);
    /// Reads the place from exactly these bytes.
    fn read(bytes: &[u8]) -> Option<Self>;
}

/// Before the place of an event.
const BEHIND: u8 = 0;
/// Before the numbers of what was read of one booking.
const NUMBERS: u8 = 1;

impl Position for AuditEventPosition {
    fn write(&self, bytes: &mut Vec<u8>) {
        let timeline = self.timeline.unwrap_or(Timeline { system_identifier: 0, timeline_id: 0 });
        bytes.extend(timeline.system_identifier.to_be_bytes());
        bytes.extend(timeline.timeline_id.to_be_bytes());
        match &self.reached {
            Reached::Behind(place) => {
                bytes.push(BEHIND);
                bytes.extend(place.transaction_id.to_be_bytes());
                bytes.extend(place.event_id.to_be_bytes());
            }
            Reached::Numbers { numbers, transaction_id } => {
                bytes.push(NUMBERS);
                bytes.extend(transaction_id.to_be_bytes());
                bytes.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
            }
        }
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (system_identifier, bytes) = number(bytes)?;
        let (timeline_id, bytes) = bytes.split_first_chunk::<4>()?;
        let timeline = Timeline { system_identifier, timeline_id: i32::from_be_bytes(*timeline_id) };
        let (kind, bytes) = bytes.split_first()?;
        let (transaction_id, bytes) = number(bytes).filter(|(transaction_id, _)| *transaction_id >= 0)?;
        let reached = match *kind {
            BEHIND => {
                let (event_id, rest) = number(bytes)?;
                let place = EventPlace { transaction_id, event_id };
                rest.is_empty().then_some(Reached::Behind(place))?
            }
            NUMBERS => {
                let (numbers, rest) = bytes.as_chunks::<4>();
                let numbers = numbers.iter().map(|number| i32::from_be_bytes(*number)).collect();
                rest.is_empty().then_some(Reached::Numbers { numbers, transaction_id })?
            }
            _ => return None,
        };
        let is_known = timeline.system_identifier != 0;
        Some(Self { timeline: is_known.then_some(timeline), reached })
    }
}

/// The number at the beginning, and what follows it.
fn number(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some((i64::from_be_bytes(*number), rest))
}

impl Position for BookingPosition {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(micros(self.created_at).to_be_bytes());
        bytes.extend(self.external_id.as_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (micros, id) = bytes.split_first_chunk::<8>()?;
        let nanos = i128::from(i64::from_be_bytes(*micros)) * 1_000;
        // Postgres knows no year before 4713 BC, and no booking was made before the year 1.
        let created_at =
            OffsetDateTime::from_unix_timestamp_nanos(nanos).ok().filter(|time| time.year() >= 1)?;
        Some(Self { created_at, external_id: Uuid::from_slice(id).ok()? })
    }
}

/// Microseconds since 1970, in which all times of the store fit.
fn micros(time: Timestamp) -> i64 {
    i64::try_from(time.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::api::request::Query;

    fn sealed(list: &str, scope: &str, query: &str) -> Seal {
        Seal::of(list, scope, Query::read(query).filters())
    }

    fn behind(transaction_id: i64, event_id: i64) -> Reached {
        Reached::Behind(EventPlace { transaction_id, event_id })
    }

    /// A cursor leads back to its place, in its own list with its own filters, and nowhere else.
    #[test]
    fn a_cursor_is_bound_to_its_filters() {
        let seal = sealed("bookings", "crm", "status=pending");
        let place = BookingPosition {
            created_at: datetime!(2026-12-01 08:00:00.123456 UTC),
            external_id: Uuid::from_u128(7),
        };
        let text = seal.write(&place);
        assert_eq!(seal.read::<BookingPosition>(&text), Ok(place));
        for other in [
            sealed("audit-events", "crm", "status=pending"),
            sealed("bookings", "hr", "status=pending"),
            sealed("bookings", "crm", "status=failed"),
            sealed("bookings", "crm", "statusp=ending"),
            sealed("bookings", "crm", ""),
        ] {
            assert_eq!(other.read::<BookingPosition>(&text), Err(UNUSABLE));
        }
        for reached in [
            behind(7, i64::MAX),
            Reached::Numbers { numbers: vec![], transaction_id: 0 },
            Reached::Numbers { numbers: vec![1, i32::MAX, 0], transaction_id: i64::MAX },
        ] {
            for timeline in [None, Some(Timeline { system_identifier: i64::MIN, timeline_id: -1 })] {
                let place = AuditEventPosition { timeline, reached: reached.clone() };
                assert_eq!(seal.read::<AuditEventPosition>(&seal.write(&place)), Ok(place));
            }
        }
    }

    /// A place that lies before the year 1, or before the first transaction, is refused; every other is read.
    #[test]
    fn a_cursor_before_the_first_year_is_refused() {
        let seal = sealed("bookings", "crm", "");
        for (created_at, usable) in [
            (datetime!(-9999-01-01 00:00 UTC), false),
            (datetime!(-4713-01-01 00:00 UTC), false),
            (datetime!(0000-12-31 23:59:59.999999 UTC), false),
            (datetime!(0001-01-01 00:00 UTC), true),
            (datetime!(9999-12-31 23:59:59.999999 UTC), true),
        ] {
            let place = BookingPosition { created_at, external_id: Uuid::nil() };
            assert_eq!(seal.read::<BookingPosition>(&seal.write(&place)).is_ok(), usable, "{created_at}");
        }
        let place = AuditEventPosition { timeline: None, reached: behind(-1, 5) };
        assert!(seal.read::<AuditEventPosition>(&seal.write(&place)).is_err());
    }

    /// A cursor that a caller makes up is refused.
    #[test]
    fn a_made_up_cursor_is_refused() {
        let seal = sealed("bookings", "crm", "");
        let good = seal.write(&AuditEventPosition { timeline: None, reached: behind(7, 5) });
        for text in ["", "x", "!!", "AAAA", &good[..good.len() - 1], &format!("{good}AA")] {
            assert!(seal.read::<AuditEventPosition>(text).is_err(), "{text}");
            assert!(seal.read::<BookingPosition>(text).is_err(), "{text}");
        }
    }
}
