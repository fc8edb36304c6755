//! `POST /v1/bookings/{bookingId}/retry`: retries a booking now.

use actix_web::http::header::{HeaderValue, LOCATION};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::booking_body::BookingBody;
use super::booking_responder::BookingResponder;
use crate::access::Caller;
use crate::api::openapi::{example, parameters};
use crate::api::problems::{
    DocumentedProblems, EVERY_CALL, EndpointResponse, EndpointResult, PARKED, ProblemCode, store_problem,
};
use crate::api::request::{
    Authenticated, Preferences, Query, Scope, booking_id, location, no_such_booking, origin,
};
use crate::api::state::ApiState;
use crate::meeting::Booking;
use crate::provisioning::Retry;

/// The problems that this call can answer with.
pub(crate) const PROBLEMS: DocumentedProblems =
    &[EVERY_CALL, PARKED, &[ProblemCode::NotFound, ProblemCode::NothingToRetry]];

/// Retry a booking
///
/// A failed booking is due again at once: do this when its cause is fixed. A booking that waits for its next attempt
/// waits no longer. A meeting that was seen to differ from its booking, and was left so by the drift policy `report`, is changed
/// back. The request waits for the result as for a new booking. With the role `bookings.write` a booking system
/// retries its own bookings, with `operator` those of all source systems. The command `meeting-provisioner retry` retries
/// many bookings at once.
///
/// An earlier generation may have failed to remove its meeting; `generation` names it.
#[utoipa::path(
    post, path = "/v1/bookings/{bookingId}/retry", operation_id = "retryBooking", tag = "Bookings",
    params(parameters::BookingPath, parameters::GenerationQuery, parameters::PreferHeader, parameters::TraceParentHeader),
    responses(
        (status = 200, description = "The retry succeeded.",
            body = BookingBody<'static>, example = json!(example::provisioned())),
        (status = 202, description = "The retry is not finished within the wait. The work goes on.",
            body = BookingBody<'static>, example = json!(example::pending())),
    ),
    security(("apiKey" = []), ("token" = []), ("certificate" = [])),
)]
pub(crate) async fn retry_booking(
    request: HttpRequest,
    caller: Authenticated,
    state: Data<ApiState>,
) -> EndpointResponse {
    EndpointResponse(retry(&request, &caller, &state).await)
}

async fn retry(request: &HttpRequest, authenticated: &Authenticated, state: &ApiState) -> EndpointResult {
    let caller = authenticated.retrier(request)?;
    let mut query = Query::read(request.query_string());
    let scope = Scope::to(caller, &mut query);
    let generation = query.generation();
    query.close()?;
    let key = booking_id(request).and_then(|booking_id| scope.key(caller, booking_id));
    let key = key.ok_or_else(no_such_booking)?;
    authenticated.check_retry_of(request, &key.source_system)?;
    let wait = Preferences::read(request.headers()).wait(state.waits);
    let retried = state.provisioning.retry(key, generation, origin(request, caller), wait.at_most).await;
    let retried = retried.map_err(|error| store_problem(request, error))?;
    wait.named_in(answer(BookingResponder::new(request, state), caller, &retried))
}

fn answer(responder: BookingResponder<'_>, caller: &Caller, retried: &Retry) -> EndpointResult {
    match retried {
        Retry::Tried(booking) => {
            let mut response = responder.current(booking, HttpResponse::Ok())?;
            if booking.key.source_system != caller.source_system
                && let Some(location) = response.headers_mut().get_mut(LOCATION)
            {
                *location = location_elsewhere(booking).unwrap_or_else(|| location.clone());
            }
            Ok(response)
        }
        Retry::Settled(booking) => Err(responder.nothing_to_retry(booking)),
        Retry::NotThere => Err(no_such_booking()),
    }
}

/// Of another source system than the caller's own, which the path has to name.
fn location_elsewhere(booking: &Booking) -> Option<HeaderValue> {
    let path = location(&booking.key.booking_id);
    HeaderValue::from_str(&format!("{path}?sourceSystem={}", booking.key.source_system)).ok()
}
