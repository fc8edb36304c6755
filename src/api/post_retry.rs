//! `POST /v1/bookings/{bookingId}/retry`: tries a booking again now.

use actix_web::http::header::{HeaderValue, LOCATION};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::authentication::Authenticated;
use super::body::BookingBody;
use super::outcome_response::{as_it_stands, with_booking, with_preferences};
use super::prefer::Preferences;
use super::problem::{EndpointResponse, EndpointResult, Problem, ProblemCode, store_problem};
use super::query::Query;
use super::request_id::origin;
use super::response;
use super::scope::Scope;
use super::state::{ApiState, Remedies};
use crate::booking::Generation;
use crate::clock::Timestamp;
use crate::meeting::Booking;
use crate::provisioning::Retry;

/// The problems that this call can answer with.
pub(super) const PROBLEMS: &[ProblemCode] = &[
    ProblemCode::InvalidRequest,
    ProblemCode::Unauthenticated,
    ProblemCode::Forbidden,
    ProblemCode::NotFound,
    ProblemCode::NothingToRetry,
    ProblemCode::OrganizerNotFound,
    ProblemCode::OrganizerNotPermitted,
    ProblemCode::GraphRefused,
    ProblemCode::GraphUnauthorized,
    ProblemCode::GraphUnavailable,
    ProblemCode::StoreUnavailable,
    ProblemCode::Overloaded,
    ProblemCode::InternalError,
];

/// Try a booking again
///
/// A booking that failed is due again now, once its cause is mended; one that waits for its next attempt waits no
/// longer. It is asked for at once, with the same patience as a new booking. The role is `operator`. Many bookings at
/// once are made due by the command `meeting-provisioner retry`.
#[utoipa::path(
    post, path = "/v1/bookings/{bookingId}/retry", operation_id = "retryBooking", tag = "Bookings",
    params(
        ("bookingId" = String, Path, description = "The booking's name in its system, percent-encoded.",
            example = "BK-1001"),
        ("sourceSystem" = Option<String>, Query, description = "Whose booking; your own where it is absent.",
            example = "room-booking"),
        ("generation" = Option<u32>, Query, minimum = 1, description = "Which of its lives; the latest where it is \
            absent. An earlier one may have failed to remove its meeting."),
        ("Prefer" = Option<String>, Header, description = "`wait=N` or `respond-async` (RFC 7240).", example = "wait=10"),
    ),
    responses(
        (status = 200, description = "It was tried again, and went well.",
            headers(("ETag" = String, description = "`\"<generation>.<revision>\"`.")),
            body = BookingBody<'static>, example = json!(super::example::provisioned())),
        (status = 202, description = "It is being tried again, and is not finished within the wait.",
            headers(("Location" = String, description = "The booking, to be polled."),
                ("Retry-After" = u64, description = "After how many seconds it is worth asking again."),
                ("ETag" = String, description = "`\"<generation>.<revision>\"`.")),
            body = BookingBody<'static>, example = json!(super::example::pending())),
    ),
    security(("apiKey" = [])),
)]
pub(super) async fn post_retry(
    request: HttpRequest,
    caller: Authenticated,
    state: Data<ApiState>,
) -> EndpointResponse {
    EndpointResponse(retry(&request, &caller, &state).await)
}

async fn retry(request: &HttpRequest, caller: &Authenticated, state: &ApiState) -> EndpointResult {
    let caller = caller.operator(request)?;
    let mut query = Query::read(request.query_string());
    let scope = Scope::to(caller, &mut query);
    let generation = query.word("generation", |text| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.then(|| text.parse().ok()).flatten().and_then(Generation::new);
        number.ok_or("must be a whole number from 1")
    });
    query.close()?;
    let key = response::booking_id(request).and_then(|booking_id| scope.key(caller, booking_id));
    let key = key.ok_or_else(response::no_such_booking)?;
    let (patience, applied) = Preferences::read(request.headers()).patience(state.waits);
    let retried = state.provisioning.retry(key, generation, origin(request, caller), patience).await;
    let retried = retried.map_err(|error| store_problem(request, error))?;
    with_preferences(told_of(request, &retried, &state.remedies, state.provisioning.clock.now()), applied)
}

/// What the caller is told of what became of it.
fn told_of(request: &HttpRequest, retried: &Retry, remedies: &Remedies, now: Timestamp) -> EndpointResult {
    match retried {
        Retry::Tried(booking) => {
            let mut answer = as_it_stands(request, booking, HttpResponse::Ok(), (remedies, now))?;
            if let Some(location) = answer.headers_mut().get_mut(LOCATION) {
                *location = location_for_operators(booking).unwrap_or_else(|| location.clone());
            }
            Ok(answer)
        }
        Retry::Settled(booking) => Err(nothing_to_retry(booking, remedies)),
        Retry::NotThere => Err(response::no_such_booking()),
    }
}

/// Whoever operates has to say whose booking is meant.
fn location_for_operators(booking: &Booking) -> Option<HeaderValue> {
    let path = response::location(&booking.key.booking_id);
    HeaderValue::from_str(&format!("{path}?sourceSystem={}", booking.key.source_system)).ok()
}

fn nothing_to_retry(booking: &Booking, remedies: &Remedies) -> Problem {
    let detail = format!(
        "Booking {} is {}: Graph holds what is wanted, so there is nothing to try again. It is unchanged.",
        booking.key.booking_id,
        booking.status().as_str()
    );
    with_booking(Problem::new(ProblemCode::NothingToRetry, detail), booking, remedies)
}
