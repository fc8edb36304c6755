//! The path of a booking: its id goes out percent-encoded and comes back as it was.

use actix_web::{HttpMessage, HttpRequest};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::api::problems::{Problem, ProblemCode};
use crate::booking::{BookingId, TextFault};

/// Everything but the unreserved characters (RFC 3986, 2.3) is encoded in a segment of a path.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The path of a booking.
pub(crate) fn location(booking_id: &BookingId) -> String {
    format!("/v1/bookings/{}", utf8_percent_encode(booking_id.as_str(), ENCODED))
}

/// The booking that a path names; none for what can't be a booking's id.
pub(crate) fn booking_id(request: &HttpRequest) -> Option<BookingId> {
    read(request, BookingId::parse).ok()
}

/// The booking that a path names and that the request may make.
///
/// # Errors
/// When no booking can be named so; the fault says why.
pub(crate) fn new_booking_id(request: &HttpRequest) -> Result<BookingId, TextFault> {
    read(request, BookingId::parse_new)
}

fn read(
    request: &HttpRequest,
    parse: impl FnOnce(&str) -> Result<BookingId, TextFault>,
) -> Result<BookingId, TextFault> {
    // The router decodes a path but for "%", "/" and "+", so what it leaves encoded is decoded here, once.
    let segment = request.match_info().get("bookingId").unwrap_or_default();
    // Bytes that are no UTF-8 become a character that no id may hold.
    let booking_id = parse(&percent_decode_str(segment).decode_utf8_lossy())?;
    // For the request's line in the log.
    request.extensions_mut().insert(booking_id.clone());
    Ok(booking_id)
}

/// There is no such booking, or none that the caller may see.
pub(crate) fn no_such_booking() -> Problem {
    Problem::new(ProblemCode::NotFound, "There is no such booking.")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the id of a booking, its path leads back to it.
    #[test]
    fn a_location_is_percent_encoded() {
        for (id, expected) in [
            ("BK-1001", "/v1/bookings/BK-1001"),
            ("a/b c%2F+~", "/v1/bookings/a%2Fb%20c%252F%2B~"),
            ("?#&", "/v1/bookings/%3F%23%26"),
        ] {
            assert_eq!(location(&BookingId::parse(id).unwrap()), expected);
        }
    }
}
