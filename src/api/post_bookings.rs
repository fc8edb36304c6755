//! `POST /v1/bookings`: creates a booking and its meeting, or gets what is there.

use actix_web::http::header::{HeaderName, LOCATION};
use actix_web::web::{Data, Payload};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};

use super::authentication::Authenticated;
use super::body::{BookingBody, BookingRequestBody};
use super::booking_request;
use super::outcome_response::{cancelled, differing, held_as_it_stands, with_preferences};
use super::prefer::Preferences;
use super::problem::{EndpointResponse, EndpointResult, ProblemCode, store_problem};
use super::query::Query;
use super::request_id::origin;
use super::response;
use super::state::{ApiState, Remedies};
use crate::booking::BookingKey;
use crate::clock::Timestamp;
use crate::provisioning::CreateOrGet;

const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The problems that this call can answer with.
pub(super) const PROBLEMS: &[ProblemCode] = &[
    ProblemCode::InvalidRequest,
    ProblemCode::InvalidBooking,
    ProblemCode::Unauthenticated,
    ProblemCode::Forbidden,
    ProblemCode::BookingDiffers,
    ProblemCode::BookingCancelled,
    ProblemCode::BodyTooLarge,
    ProblemCode::BodyTooSlow,
    ProblemCode::UnsupportedMediaType,
    ProblemCode::OrganizerNotFound,
    ProblemCode::OrganizerNotPermitted,
    ProblemCode::GraphRefused,
    ProblemCode::GraphUnauthorized,
    ProblemCode::GraphUnavailable,
    ProblemCode::StoreUnavailable,
    ProblemCode::Overloaded,
    ProblemCode::InternalError,
];

/// Create a booking and its meeting, or get what is there
///
/// The booking is named by your `bookingId`. The first request stores it, asks Microsoft Graph for the meeting and
/// waits for it; the same request again, at any time and on any replica, gets the same meeting. It never changes an
/// existing meeting: other content under the same `bookingId` is refused with the fields that differ.
///
/// Once the booking is stored nothing is lost: when the wait ends first the answer is 202 and the work goes on, even
/// if you hang up. Repeat the request, or poll `Location`. To be safe, repeat it after every answer that you did not
/// get: it can't make a second meeting.
#[utoipa::path(
    post, path = "/v1/bookings", operation_id = "createBooking", tag = "Bookings",
    params(
        ("Prefer" = Option<String>, Header,
            description = "RFC 7240. `wait=N`: wait up to N seconds for the meeting, at most the server's maximum. \
                           `respond-async`: don't wait. Both: answer asynchronously after N seconds. Without: the \
                           server's default wait.", example = "wait=10"),
        ("traceparent" = Option<String>, Header,
            description = "W3C Trace Context; kept in the history and passed on to Graph."),
    ),
    request_body(content = BookingRequestBody, description = "The booking; at most 256 KiB.",
        examples(
            ("booking" = (summary = "A meeting with one presenter", value = json!(super::example::request()))),
            ("smallest" = (summary = "What is required, no more", value = json!(super::example::smallest_request()))),
            ("channel" = (summary = "A meeting in a channel", value = json!(super::example::channel_request()))),
        )),
    responses(
        (status = 201, description = "New, and provisioned.",
            headers(("Location" = String, description = "The booking."),
                ("ETag" = String, description = "`\"<generation>.<revision>\"`."),
                ("Preference-Applied" = String, description = "The preferences that were heeded, if any.")),
            body = BookingBody<'static>, example = json!(super::example::provisioned())),
        (status = 200, description = "Known, identical and provisioned.",
            headers(("Idempotent-Replayed" = String, description = "`true`."),
                ("ETag" = String, description = "`\"<generation>.<revision>\"`."),
                ("Preference-Applied" = String, description = "The preferences that were heeded, if any.")),
            body = BookingBody<'static>, example = json!(super::example::provisioned())),
        (status = 202, description = "Stored; the meeting was not there within the wait. The work goes on.",
            headers(("Location" = String, description = "The booking, to be polled."),
                ("Retry-After" = u64, description = "After how many seconds it is worth asking again."),
                ("ETag" = String, description = "`\"<generation>.<revision>\"`."),
                ("Preference-Applied" = String, description = "The preferences that were heeded, if any.")),
            body = BookingBody<'static>, example = json!(super::example::pending())),
    ),
    security(("apiKey" = [])),
)]
pub(super) async fn post_bookings(
    request: HttpRequest,
    payload: Payload,
    caller: Authenticated,
    state: Data<ApiState>,
) -> EndpointResponse {
    EndpointResponse(create_or_get(&request, payload, &caller, &state).await)
}

async fn create_or_get(
    request: &HttpRequest,
    payload: Payload,
    caller: &Authenticated,
    state: &ApiState,
) -> EndpointResult {
    let caller = caller.writer(request)?;
    Query::read(request.query_string()).close()?;
    let (booking_id, spec) =
        booking_request::read(request.headers(), payload, (state.read_timeout, state.channel_meetings))
            .await?;
    request.extensions_mut().insert(booking_id.clone());
    let (patience, applied) = Preferences::read(request.headers()).patience(state.waits);
    let key = BookingKey { source_system: caller.source_system.clone(), booking_id };
    let origin = origin(request, caller);
    let made = state.provisioning.create_or_get(key, spec, origin, patience).await;
    let made = made.map_err(|error| store_problem(request, error))?;
    let answer = told(request, &made, &state.remedies, state.provisioning.clock.now());
    with_preferences(answer, applied)
}

/// What the caller is told of what became of the request.
fn told(request: &HttpRequest, made: &CreateOrGet, remedies: &Remedies, now: Timestamp) -> EndpointResult {
    match made {
        CreateOrGet::New(booking) => {
            let mut created = HttpResponse::Created();
            created.insert_header((LOCATION, response::location(&booking.key.booking_id)));
            held_as_it_stands(request, booking, created, (remedies, now))
        }
        CreateOrGet::Known(booking) => {
            let mut replayed = HttpResponse::Ok();
            replayed.insert_header((IDEMPOTENT_REPLAYED, "true"));
            held_as_it_stands(request, booking, replayed, (remedies, now))
        }
        CreateOrGet::Differs(booking, differences) => {
            Err(differing(ProblemCode::BookingDiffers, booking, differences, remedies))
        }
        CreateOrGet::Cancelled(booking) => Err(cancelled(booking, remedies)),
    }
}

#[cfg(test)]
#[path = "post_bookings_tests.rs"]
mod tests;
