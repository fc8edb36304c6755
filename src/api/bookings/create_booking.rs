//! `POST /v1/bookings`: creates a booking and its meeting, or gets the existing one.

use actix_web::http::header::{HeaderName, LOCATION};
use actix_web::web::{Data, Payload};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};

use super::booking_body::BookingBody;
use super::booking_payload;
use super::booking_request_body::BookingRequestBody;
use super::booking_responder::BookingResponder;
use crate::api::openapi::{example, parameters};
use crate::api::problems::{
    DocumentedProblems, EVERY_CALL, EndpointResponse, EndpointResult, PARKED, ProblemCode, REFUSED,
    store_problem,
};
use crate::api::request::{Authenticated, Preferences, Query, location, origin};
use crate::api::state::ApiState;
use crate::booking::BookingKey;
use crate::provisioning::CreateOrGet;

const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The problems that this call can answer with.
pub(crate) const PROBLEMS: DocumentedProblems = &[
    EVERY_CALL,
    PARKED,
    REFUSED,
    &[
        ProblemCode::InvalidBooking,
        ProblemCode::BookingDiffers,
        ProblemCode::BookingCancelled,
        ProblemCode::StaleSequence,
        ProblemCode::BodyTooLarge,
        ProblemCode::BodyTooSlow,
        ProblemCode::UnsupportedMediaType,
    ],
];

/// Create a booking and its meeting, or get the existing one
///
/// The booking is named by your `bookingId`. The first request stores it, asks Microsoft Graph for the meeting and
/// waits for it; the same request again, at any time and on any replica, gets the same meeting. It never changes an
/// existing meeting: other content under the same `bookingId` is refused with the fields that differ. A create that is older
/// than the last message, by its `sequence` or else by its `dtstamp`, is late and ignored (409 `stale-sequence`), and so is one that is not newer than a cancel which came
/// before it.
///
/// Once the booking is stored nothing is lost: when the wait ends first the answer is 202 and the work goes on, even
/// if you hang up. Repeat the request, or poll `Location`. Also repeat it whenever you got no answer: it can't make a
/// second meeting.
#[utoipa::path(
    post, path = "/v1/bookings", operation_id = "createBooking", tag = "Bookings",
    params(
        parameters::PreferHeader,
        parameters::TraceParentHeader,
    ),
    request_body(content = BookingRequestBody, description = "The booking; at most 256 KiB.",
        examples(
            ("booking" = (summary = "A meeting with one presenter", value = json!(example::request()))),
            ("smallest" = (summary = "Only what is required", value = json!(example::smallest_request()))),
            ("channel" = (summary = "A meeting in a channel", value = json!(example::channel_request()))),
        )),
    responses(
        (status = 201, description = "New, and provisioned.",
            body = BookingBody<'static>, example = json!(example::provisioned())),
        (status = 200, description = "An idempotent replay: the booking exists, is identical and is provisioned.",
            headers(("Idempotent-Replayed" = String, description = "`true`.")),
            body = BookingBody<'static>, example = json!(example::provisioned())),
        (status = 202, description = "Stored; the meeting was not ready within the wait. The work goes on.",
            body = BookingBody<'static>, example = json!(example::pending())),
    ),
    security(("apiKey" = []), ("token" = []), ("certificate" = [])),
)]
pub(crate) async fn create_booking(
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
    let (booking_id, spec) = booking_payload::read(request.headers(), payload, state).await?;
    request.extensions_mut().insert(booking_id.clone());
    let wait = Preferences::read(request.headers()).wait(state.waits);
    let key = BookingKey { source_system: caller.source_system.clone(), booking_id };
    let created = state.provisioning.create_or_get(key, spec, origin(request, caller), wait.at_most).await;
    let created = created.map_err(|error| store_problem(request, error))?;
    wait.named_in(answer(BookingResponder::new(request, state), &created))
}

fn answer(responder: BookingResponder<'_>, created: &CreateOrGet) -> EndpointResult {
    match created {
        CreateOrGet::New(booking) => {
            let mut created = HttpResponse::Created();
            created.insert_header((LOCATION, location(&booking.key.booking_id)));
            responder.current_unless_cancelled(booking, created)
        }
        CreateOrGet::Known(booking) => {
            let mut replayed = HttpResponse::Ok();
            replayed.insert_header((IDEMPOTENT_REPLAYED, "true"));
            responder.current_unless_cancelled(booking, replayed)
        }
        CreateOrGet::Differs(booking, differences) => {
            Err(responder.differing(ProblemCode::BookingDiffers, booking, differences))
        }
        CreateOrGet::Cancelled(booking) => Err(responder.cancelled(booking)),
        CreateOrGet::CancelledBefore(tombstone, lateness) => {
            Err(BookingResponder::late(tombstone, *lateness))
        }
        CreateOrGet::Stale(booking, lateness) => Err(responder.stale(booking, *lateness)),
        CreateOrGet::OrganizerUnresolved(booking, failure) => Err(responder.unresolved(booking, failure)),
    }
}

#[cfg(test)]
#[path = "create_booking_tests.rs"]
mod tests;
