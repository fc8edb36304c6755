//! `GET /v1/bookings/{bookingId}`: the booking and its meeting now.

use actix_web::http::header::{IF_NONE_MATCH, RETRY_AFTER};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::authentication::Authenticated;
use super::body::BookingBody;
use super::prefer::{PREFERENCE_APPLIED, Preferences};
use super::problem::{EndpointResponse, EndpointResult, ProblemCode, store_problem};
use super::query::Query;
use super::request_id::origin;
use super::response;
use super::scope::Scope;
use super::state::ApiState;
use crate::booking::{BookingKey, Generation};
use crate::meeting::Booking;

/// The problems that this call can answer with.
pub(super) const PROBLEMS: &[ProblemCode] = &[
    ProblemCode::InvalidRequest,
    ProblemCode::Unauthenticated,
    ProblemCode::Forbidden,
    ProblemCode::NotFound,
    ProblemCode::StoreUnavailable,
    ProblemCode::Overloaded,
    ProblemCode::InternalError,
];

/// Get a booking and its meeting
///
/// How the booking stands now. A failed booking is answered with 200, too: `lastError` says what happened and what
/// somebody should do. With `Prefer: wait=N` a booking that is not finished is waited for.
#[utoipa::path(
    get, path = "/v1/bookings/{bookingId}", operation_id = "getBooking", tag = "Bookings",
    params(
        ("bookingId" = String, Path, description = "The booking's name in your system, percent-encoded: `a/b` is \
                                                    `a%2Fb`.", example = "BK-1001"),
        ("generation" = Option<u32>, Query, minimum = 1,
            description = "Which of the booking's lives; the latest where it is absent."),
        ("expand" = Option<String>, Query, description = "`onlineMeeting`: with the whole meeting as Graph sent it.",
            pattern = "^onlineMeeting$", example = "onlineMeeting"),
        ("check" = Option<String>, Query, pattern = "^drift$", example = "drift",
            description = "`drift`: ask Graph how the meeting is now, and do with a difference what the policy of the \
                           source system says. `meeting.seenAt` and `meeting.differences` tell the result; where that \
                           takes longer than the wait, `nextAttemptAt` is not null."),
        ("sourceSystem" = Option<String>, Query,
            description = "Whose booking; your own where it is absent. Others are seen by the roles `audit.read` and \
                           `operator` only."),
        ("Prefer" = Option<String>, Header,
            description = "RFC 7240. `wait=N`: wait up to N seconds for a booking that is not finished.",
            example = "wait=10"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag that you have; 304 when it still holds."),
    ),
    responses(
        (status = 200, description = "The booking as it stands.",
            headers(("ETag" = String, description = "`\"<generation>.<revision>\"`."),
                ("Retry-After" = u64, description = "Where it is not finished: when it is worth asking again, in \
                                                     seconds."),
                ("Preference-Applied" = String, description = "The preferences that were heeded, if any.")),
            body = BookingBody<'static>,
            examples(
                ("provisioned" = (summary = "Provisioned", value = json!(super::example::provisioned()))),
                ("pending" = (summary = "Not finished, after a throttling", value = json!(super::example::pending()))),
                ("failed" = (summary = "Failed: somebody must act", value = json!(super::example::failed()))),
            )),
        (status = 304, description = "Nothing has changed since the ETag in If-None-Match.",
            headers(("ETag" = String, description = "`\"<generation>.<revision>\"`."))),
    ),
    security(("apiKey" = [])),
)]
pub(super) async fn get_booking(
    request: HttpRequest,
    caller: Authenticated,
    state: Data<ApiState>,
) -> EndpointResponse {
    EndpointResponse(answer(&request, &caller, &state).await)
}

async fn answer(request: &HttpRequest, caller: &Authenticated, state: &ApiState) -> EndpointResult {
    let caller = caller.reader(request)?;
    let mut query = Query::read(request.query_string());
    let scope = Scope::to(caller, &mut query);
    let generation = query.word("generation", |text| {
        let number = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        number.and_then(Generation::new).ok_or("must be a whole number from 1")
    });
    let expanded = query.one_of("expand", &["onlineMeeting"]).is_some();
    let checked = query.one_of("check", &["drift"]).is_some();
    query.close()?;
    let booking_id = response::booking_id(request);
    let key = booking_id.and_then(|id| scope.key(caller, id)).ok_or_else(response::no_such_booking)?;
    let leased = match generation {
        Some(generation) => state.provisioning.store.generation(&key, generation).await,
        None => state.provisioning.store.latest(&key).await,
    };
    let leased =
        leased.map_err(|error| store_problem(request, error))?.ok_or_else(response::no_such_booking)?;
    let preferences = Preferences::read(request.headers());
    let (booking, applied) = if checked {
        let (patience, applied) = preferences.patience(state.waits);
        let compared =
            state.provisioning.compare_now(leased.booking, origin(request, caller), patience).await;
        (compared.map_err(|error| store_problem(request, error))?, applied)
    } else {
        let (patience, applied) = preferences.patience_of_a_read(state.waits);
        (state.provisioning.waiting.wait_for(leased.booking, patience).await, applied)
    };
    let mut response = as_it_stands(request, &key, &booking, (state, expanded)).await?;
    if let Some(applied) = applied {
        response.headers_mut().insert(PREFERENCE_APPLIED, applied);
    }
    Ok(response)
}

async fn as_it_stands(
    request: &HttpRequest,
    key: &BookingKey,
    booking: &Booking,
    (state, expanded): (&ApiState, bool),
) -> EndpointResult {
    if is_known(request, &response::etag(booking)) {
        return Ok(response::not_modified(booking));
    }
    let mut response = HttpResponse::Ok();
    if let Some(seconds) = response::retry_after(booking, state.provisioning.clock.now()) {
        response.insert_header((RETRY_AFTER, seconds.to_string()));
    }
    if !expanded {
        return response::booking(request, response, booking, &state.remedies);
    }
    let text = state.provisioning.store.online_meeting(key, booking.generation).await;
    let text = text.map_err(|error| store_problem(request, error))?;
    let body = BookingBody::of(booking, &state.remedies).with_online_meeting(text);
    let body = body.map_err(|error| response::unwritable(request, &error))?;
    response.insert_header((actix_web::http::header::ETAG, response::etag(booking)));
    response::json(request, response, &body)
}

/// Whether the caller has this version already (RFC 9110, 13.1.2: weak comparison, `*` is any).
fn is_known(request: &HttpRequest, etag: &str) -> bool {
    let values = request.headers().get_all(IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    /// Every way to write the tag that one has.
    #[test]
    fn a_known_etag_is_recognised() {
        for (header, expected) in [
            (None, false),
            (Some("\"1.2\""), true),
            (Some("W/\"1.2\""), true),
            (Some("\"1.1\", \"1.2\""), true),
            (Some("*"), true),
            (Some("\"1.1\""), false),
            (Some("1.2"), false),
        ] {
            let mut request = TestRequest::get();
            if let Some(header) = header {
                request = request.insert_header((IF_NONE_MATCH, header));
            }
            assert_eq!(is_known(&request.to_http_request(), "\"1.2\""), expected, "{header:?}");
        }
    }
}
