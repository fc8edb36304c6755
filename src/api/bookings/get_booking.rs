//! `GET /v1/bookings/{bookingId}`: the booking and its meeting now.

use actix_web::http::header::ETAG;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::booking_body::BookingBody;
use super::booking_responder::{BookingResponder, etag, not_modified};
use crate::api::openapi::{example, parameters, words};
use crate::api::problems::{
    DocumentedProblems, EVERY_CALL, EndpointResponse, EndpointResult, ProblemCode, store_problem,
};
use crate::api::request::{
    Authenticated, JoinLinks, Preferences, Query, Scope, booking_id, has_current, no_such_booking,
};
use crate::api::response;
use crate::api::state::ApiState;
use crate::meeting::Booking;

/// The problems that this call can answer with.
pub(crate) const PROBLEMS: DocumentedProblems = &[EVERY_CALL, &[ProblemCode::NotFound]];

/// What a caller is told that asks for a check by reading, as was possible until version 0.2.
const CHECKED_BY_POST: &str = "is not taken by a read, which changes nothing: POST /v1/bookings/{bookingId}/check asks Graph how the meeting is";

/// Get a booking and its meeting
///
/// The booking as it stands now. A failed booking is answered with 200, too: `lastError` says what happened and what an
/// administrator should do. Graph is not asked: for that, `POST /v1/bookings/{bookingId}/check`. `Prefer: wait=N` waits for a booking that is not finished, unless Graph
/// is asked for it later than that: then the answer comes at once, and `Retry-After` says when to poll again.
#[utoipa::path(
    get, path = "/v1/bookings/{bookingId}", operation_id = "getBooking", tag = "Bookings",
    params(
        parameters::BookingPath,
        parameters::GenerationQuery,
        ("expand" = Option<words::ExpandWord>, Query,
            description = "`onlineMeeting`: with the whole meeting as Graph sent it, which holds its links: refused (403) where your \
                roles only audit."),
        ("Prefer" = Option<String>, Header,
            description = "RFC 7240. `wait=N`: wait up to N seconds for a booking that is not finished. `Preference-Applied` \
                           names it unless `nextAttemptAt` lies behind the wait: then the answer comes at once.",
            example = "wait=10"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag that you have; 304 if it is current."),
    ),
    responses(
        (status = 200, description = "The booking as it stands.",
            headers(("Retry-After" = u64, description = "If it is not finished: after how many seconds to poll again.")),
            body = BookingBody<'static>,
            examples(
                ("provisioned" = (summary = "Provisioned", value = json!(example::provisioned()))),
                ("pending" = (summary = "Not finished, throttled by Graph", value = json!(example::pending()))),
                ("failed" = (summary = "Failed: an administrator must act", value = json!(example::failed()))),
            )),
        (status = 304, description = "The ETag in If-None-Match is current."),
    ),
    security(("apiKey" = []), ("token" = []), ("certificate" = [])),
)]
pub(crate) async fn get_booking(
    request: HttpRequest,
    caller: Authenticated,
    state: Data<ApiState>,
) -> EndpointResponse {
    EndpointResponse(find(&request, &caller, &state).await)
}

async fn find(request: &HttpRequest, caller: &Authenticated, state: &ApiState) -> EndpointResult {
    let authenticated = caller;
    let caller = authenticated.reader(request)?;
    let mut query = Query::read(request.query_string());
    let scope = Scope::to(caller, &mut query);
    let generation = query.generation();
    let expanded = query.one_of("expand", &words::EXPAND).is_some();
    let _refused = query.value("check", |_| Err::<(), _>(CHECKED_BY_POST));
    query.close()?;
    let key = booking_id(request).and_then(|id| scope.key(caller, id)).ok_or_else(no_such_booking)?;
    if expanded {
        authenticated.check_join_links_of(request, &key.source_system)?;
    }
    let leased = match generation {
        Some(generation) => state.provisioning.store.generation(&key, generation).await,
        None => state.provisioning.store.latest(&key).await,
    };
    let leased = leased.map_err(|error| store_problem(request, error))?.ok_or_else(no_such_booking)?;
    let preferences = Preferences::read(request.headers());
    // Before Graph is asked for the booking, nothing can become of it.
    let until_due = leased.booking.due_in(state.provisioning.clock.now()).unwrap_or_default();
    let wait = preferences.wait_of_a_read(state.waits, until_due);
    let booking = state.provisioning.waiting.wait_for(leased.booking, wait.at_most).await;
    wait.named_in(answer(request, state, &booking, expanded).await)
}

async fn answer(
    request: &HttpRequest,
    state: &ApiState,
    booking: &Booking,
    expanded: bool,
) -> EndpointResult {
    if has_current(request, &etag(booking)) {
        return Ok(not_modified(booking));
    }
    let responder = BookingResponder::new(request, state);
    let mut response = HttpResponse::Ok();
    responder.insert_retry_after(&mut response, booking);
    if !expanded {
        return responder.with_booking(response, booking);
    }
    let text = state.provisioning.store.online_meeting(&booking.key, booking.generation).await;
    let text = text.map_err(|error| store_problem(request, error))?;
    let body = BookingBody::of(booking, &state.remedies, JoinLinks::of(&booking.key.source_system, request))
        .with_online_meeting(text);
    let body = body.map_err(|error| response::unwritable(request, &error))?;
    response.insert_header((ETAG, etag(booking)));
    response::json(request, response, &body)
}
