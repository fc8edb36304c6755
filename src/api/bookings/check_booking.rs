//! `POST /v1/bookings/{bookingId}/check`: compares a booking with its meeting now.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::booking_body::BookingBody;
use super::booking_responder::BookingResponder;
use crate::api::openapi::{example, parameters};
use crate::api::problems::{
    DocumentedProblems, EVERY_CALL, EndpointResponse, EndpointResult, ProblemCode, store_problem,
};
use crate::api::request::{Authenticated, Preferences, Query, Scope, booking_id, no_such_booking, origin};
use crate::api::state::ApiState;

/// The problems that this call can answer with.
pub(crate) const PROBLEMS: DocumentedProblems = &[EVERY_CALL, &[ProblemCode::NotFound]];

/// Check a booking's meeting
///
/// Asks Graph how the meeting is now, and does with a difference (drift) what the policy of the source system says: the
/// meeting is changed back (`mend`), the difference is only shown (`report`), or the booking follows (`adopt`). What was
/// reported can be mended by `POST /v1/bookings/{bookingId}/retry`.
///
/// `meeting.seenAt` and `meeting.differences` show the result; if that takes longer than the wait, `nextAttemptAt` is not
/// null. Where Graph told of the meeting less than five seconds ago, or where there is no meeting to compare, it is not asked.
/// With the role `bookings.write` a booking system checks its own bookings, with `operator` those of all source systems.
#[utoipa::path(
    post, path = "/v1/bookings/{bookingId}/check", operation_id = "checkBooking", tag = "Bookings",
    params(parameters::BookingPath, parameters::GenerationQuery, parameters::PreferHeader, parameters::TraceParentHeader),
    responses(
        (status = 200, description = "The booking as it stands after the check, or after the wait.",
            headers(("Retry-After" = u64, description = "If it is not finished: after how many seconds to poll again.")),
            body = BookingBody<'static>, example = json!(example::provisioned())),
    ),
    security(("apiKey" = []), ("token" = []), ("certificate" = [])),
)]
pub(crate) async fn check_booking(
    request: HttpRequest,
    caller: Authenticated,
    state: Data<ApiState>,
) -> EndpointResponse {
    EndpointResponse(check(&request, &caller, &state).await)
}

async fn check(request: &HttpRequest, authenticated: &Authenticated, state: &ApiState) -> EndpointResult {
    let caller = authenticated.retrier(request)?;
    let mut query = Query::read(request.query_string());
    let scope = Scope::to(caller, &mut query);
    let generation = query.generation();
    query.close()?;
    let key = booking_id(request).and_then(|id| scope.key(caller, id)).ok_or_else(no_such_booking)?;
    authenticated.check_retry_of(request, &key.source_system)?;
    let wait = Preferences::read(request.headers()).wait(state.waits);
    let checked =
        state.provisioning.compare_now(&key, generation, origin(request, caller), wait.at_most).await;
    let booking = checked.map_err(|error| store_problem(request, error))?.ok_or_else(no_such_booking)?;
    let responder = BookingResponder::new(request, state);
    let mut response = HttpResponse::Ok();
    responder.insert_retry_after(&mut response, &booking);
    wait.named_in(responder.with_booking(response, &booking))
}
