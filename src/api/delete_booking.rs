//! `DELETE /v1/bookings/{bookingId}`: calls a booking off.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::authentication::Authenticated;
use super::body::BookingBody;
use super::outcome_response::{as_it_stands, revision_mismatch, stale, with_preferences};
use super::precondition;
use super::prefer::Preferences;
use super::problem::{EndpointResponse, EndpointResult, ProblemCode, store_problem};
use super::query::Query;
use super::request_id::origin;
use super::response;
use super::state::{ApiState, Remedies};
use crate::booking::{BookingKey, Sequence};
use crate::clock::Timestamp;
use crate::provisioning::{Cancel, CancelRequest};

/// The problems that this call can answer with.
pub(super) const PROBLEMS: &[ProblemCode] = &[
    ProblemCode::InvalidRequest,
    ProblemCode::Unauthenticated,
    ProblemCode::Forbidden,
    ProblemCode::NotFound,
    ProblemCode::StaleSequence,
    ProblemCode::RevisionMismatch,
    ProblemCode::OrganizerNotFound,
    ProblemCode::OrganizerNotPermitted,
    ProblemCode::GraphRefused,
    ProblemCode::GraphUnauthorized,
    ProblemCode::GraphUnavailable,
    ProblemCode::StoreUnavailable,
    ProblemCode::Overloaded,
    ProblemCode::InternalError,
];

/// Call a booking off
///
/// The meeting's lobby is closed to everybody but the organizer, and the meeting is removed. Doing it again is harmless.
/// **Teams may go on honouring an old join link**, and a removed meeting that somebody opens again comes back, behind its
/// closed lobby: don't hand the link out any longer.
#[utoipa::path(
    delete, path = "/v1/bookings/{bookingId}", operation_id = "deleteBooking", tag = "Bookings",
    params(
        ("bookingId" = String, Path, description = "The booking's name in your system, percent-encoded.",
            example = "BK-1001"),
        ("sequence" = Option<u32>, Query, maximum = 2_147_483_647, description = "iCalendar's SEQUENCE of the message \
            that calls it off. A lower one than the stored one is ignored (409 `stale-sequence`)."),
        ("If-Match" = Option<String>, Header, description = "Only if the booking still has this `ETag`.",
            example = "\"1.2\""),
        ("Prefer" = Option<String>, Header, description = "`wait=N` or `respond-async` (RFC 7240).", example = "wait=10"),
    ),
    responses(
        (status = 200, description = "Called off, and the meeting is removed.",
            headers(("ETag" = String, description = "`\"<generation>.<revision>\"`.")),
            body = BookingBody<'static>, example = json!(super::example::cancelled())),
        (status = 202, description = "Called off; the meeting was not removed within the wait. The work goes on.",
            headers(("Location" = String, description = "The booking, to be polled."),
                ("Retry-After" = u64, description = "After how many seconds it is worth asking again."),
                ("ETag" = String, description = "`\"<generation>.<revision>\"`.")),
            body = BookingBody<'static>),
    ),
    security(("apiKey" = [])),
)]
pub(super) async fn delete_booking(
    request: HttpRequest,
    caller: Authenticated,
    state: Data<ApiState>,
) -> EndpointResponse {
    EndpointResponse(cancel(&request, &caller, &state).await)
}

async fn cancel(request: &HttpRequest, caller: &Authenticated, state: &ApiState) -> EndpointResult {
    let caller = caller.writer(request)?;
    let mut query = Query::read(request.query_string());
    let sequence = query.word("sequence", |text| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.then(|| text.parse().ok()).flatten().and_then(Sequence::new);
        number.ok_or("must be a whole number from 0 to 2147483647")
    });
    query.close()?;
    let only_if = precondition::read(request.headers())?;
    let booking_id = response::booking_id(request).ok_or_else(response::no_such_booking)?;
    let (patience, applied) = Preferences::read(request.headers()).patience(state.waits);
    let key = BookingKey { source_system: caller.source_system.clone(), booking_id };
    let cancelled = state
        .provisioning
        .cancel(CancelRequest { key, sequence, only_if }, origin(request, caller), patience)
        .await;
    let cancelled = cancelled.map_err(|error| store_problem(request, error))?;
    with_preferences(told_of(request, &cancelled, &state.remedies, state.provisioning.clock.now()), applied)
}

/// What the caller is told of what became of the cancel.
fn told_of(request: &HttpRequest, cancelled: &Cancel, remedies: &Remedies, now: Timestamp) -> EndpointResult {
    match cancelled {
        Cancel::Cancelled(booking) => as_it_stands(request, booking, HttpResponse::Ok(), (remedies, now)),
        Cancel::Stale(booking, stored) => Err(stale(booking, *stored, remedies)),
        Cancel::RevisionMismatch(booking) => Err(revision_mismatch(booking, remedies)),
        Cancel::NotThere => Err(response::no_such_booking()),
    }
}
