//! Writes answers.

use actix_web::HttpMessage;
use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::HttpResponseBuilder;
use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Serialize;

use super::body::BookingBody;
use super::problem::{EndpointResult, Problem, ProblemCode};
use super::request_id::request_id;
use super::state::Remedies;
use crate::booking::BookingId;
use crate::clock::Timestamp;
use crate::meeting::Booking;

/// A cache may keep an answer for its caller, but has to ask each time.
const ASK_EACH_TIME: HeaderValue = HeaderValue::from_static("private, no-cache");
/// What stands unencoded in a segment of a path (RFC 3986, 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Answers with a body that belongs to one caller.
pub(super) fn json<T: Serialize>(
    request: &HttpRequest,
    mut response: HttpResponseBuilder,
    body: &T,
) -> EndpointResult {
    let text = serde_json::to_vec(body).map_err(|error| unwritable(request, &error))?;
    Ok(response.insert_header((CACHE_CONTROL, ASK_EACH_TIME)).content_type("application/json").body(text))
}

/// Answers with a body that is the same for everybody.
pub(super) fn public_json<T: Serialize>(
    request: &HttpRequest,
    mut response: HttpResponseBuilder,
    body: &T,
) -> EndpointResult {
    let text = serde_json::to_vec(body).map_err(|error| unwritable(request, &error))?;
    Ok(response.content_type("application/json").body(text))
}

/// Answers with a booking as it stands, and its `ETag`.
pub(super) fn booking(
    request: &HttpRequest,
    mut response: HttpResponseBuilder,
    booking: &Booking,
    remedies: &Remedies,
) -> EndpointResult {
    response.insert_header((ETAG, etag(booking)));
    json(request, response, &BookingBody::of(booking, remedies))
}

/// Answers that nothing has changed.
pub(super) fn not_modified(booking: &Booking) -> HttpResponse {
    HttpResponse::NotModified()
        .insert_header((ETAG, etag(booking)))
        .insert_header((CACHE_CONTROL, ASK_EACH_TIME))
        .finish()
}

/// The booking's `ETag`: its generation and revision. The revision alone would begin again with a new generation.
pub(super) fn etag(booking: &Booking) -> String {
    format!("\"{}.{}\"", booking.generation.number(), booking.revision)
}

/// The path of a booking.
pub(super) fn location(booking_id: &BookingId) -> String {
    format!("/v1/bookings/{}", utf8_percent_encode(booking_id.as_str(), ENCODED))
}

/// The booking that a path names; none for what can't be a booking's id.
pub(super) fn booking_id(request: &HttpRequest) -> Option<BookingId> {
    // The router decodes a path but for "%", "/" and "+", so what it leaves encoded is decoded here, once.
    let segment = request.match_info().get("bookingId")?;
    let booking_id = BookingId::parse(&percent_decode_str(segment).decode_utf8().ok()?).ok()?;
    // For the request's line in the log.
    request.extensions_mut().insert(booking_id.clone());
    Some(booking_id)
}

/// After how many seconds it is worth asking for a booking that is due: at least one.
pub(super) fn retry_after(booking: &Booking, now: Timestamp) -> Option<u64> {
    let left = (booking.due_at()? - now).max(time::Duration::ZERO);
    let begun = u64::from(left.subsec_nanoseconds() > 0);
    Some((left.whole_seconds().unsigned_abs() + begun).max(1))
}

/// There is no such booking, or none that the caller may see.
pub(super) fn no_such_booking() -> Problem {
    Problem::new(ProblemCode::NotFound, "There is no such booking.")
}

/// Something kept is not the JSON that it should be.
pub(super) fn unwritable(request: &HttpRequest, error: &serde_json::Error) -> Problem {
    let (request_id, path) = (request_id(request), request.path());
    tracing::error!(%request_id, path, %error, "an answer could not be written: something kept is no JSON");
    Problem::new(
        ProblemCode::InternalError,
        "The reason stands in the log of this service, under the requestId.",
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::api::fixture::provisioned;
    use crate::meeting::Progress;

    /// A caller is sent back in whole seconds, never too early and never at once.
    #[test]
    fn retry_after_is_whole_seconds_rounded_up() {
        let mut booking = provisioned();
        let now = booking.updated_at;
        assert_eq!(retry_after(&booking, now), None);
        for (milliseconds, expected) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (2_128, 3), (60_000, 60)] {
            booking.progress = Progress::Due(now + Duration::from_millis(milliseconds));
            assert_eq!(retry_after(&booking, now), Some(expected), "{milliseconds} ms");
        }
        booking.progress = Progress::Due(now - Duration::from_secs(9));
        assert_eq!(retry_after(&booking, now), Some(1));
    }

    /// Whatever a booking is called, its path leads back to it.
    #[test]
    fn a_location_is_percent_encoded() {
        for (id, expected) in [
            ("BK-1001", "/v1/bookings/BK-1001"),
            ("a/b c%2F+~", "/v1/bookings/a%2Fb%20c%252F%2B~"),
            ("?#&", "/v1/bookings/%3F%23%26"),
            ("..", "/v1/bookings/.."),
        ] {
            assert_eq!(location(&BookingId::parse(id).unwrap()), expected);
        }
    }
}
