//! `DELETE /v1/bookings/{bookingId}`: cancels a booking.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::booking_body::BookingBody;
use super::booking_responder::BookingResponder;
use super::tombstone_body::CancelledBody;
use crate::api::openapi::{example, parameters};
use crate::api::problems::{
    DocumentedProblems, EVERY_CALL, EndpointResponse, EndpointResult, PARKED, ProblemCode, store_problem,
};
use crate::api::request::{
    Authenticated, Preferences, Query, booking_id, no_such_booking, origin, preconditions,
};
use crate::api::state::ApiState;
use crate::booking::{BookingKey, MessageOrder, Sequence};
use crate::provisioning::{Cancel, CancelRequest};

/// The problems that this call can answer with.
pub(crate) const PROBLEMS: DocumentedProblems = &[
    EVERY_CALL,
    PARKED,
    &[ProblemCode::NotFound, ProblemCode::StaleSequence, ProblemCode::RevisionMismatch],
];

/// Cancel a booking
///
/// The meeting's lobby is closed to everyone but the organizer, then the meeting is removed. Cancelling again is
/// harmless; a higher `sequence` or a later `dtstamp` is kept, so that an older message can't book it again. **Teams may
/// keep an old join link working**, and a removed meeting that a person opens again comes back, behind its closed lobby:
/// stop handing out the link.
///
/// A cancel with `sequence` or `dtstamp` of a booking that is not known is kept (200): it may have overtaken the create,
/// which then makes no meeting unless it is newer (409 `stale-sequence`). One with neither is answered 404 and is not kept.
#[utoipa::path(
    delete, path = "/v1/bookings/{bookingId}", operation_id = "deleteBooking", tag = "Bookings",
    params(
        parameters::BookingPath,
        ("sequence" = Option<u32>, Query, maximum = 2_147_483_647, description = "iCalendar's SEQUENCE of the message \
            that cancels the booking. A lower one than the stored one is ignored (409 `stale-sequence`), also where the booking is \
            cancelled already."),
        ("dtstamp" = Option<String>, Query, format = DateTime, description = "iCalendar's DTSTAMP of that message: RFC 3339 \
            with an offset. Where `sequence` doesn't decide, an older one than the stored one is ignored likewise."),
        parameters::PreconditionHeaders,
        parameters::PreferHeader,
        parameters::TraceParentHeader,
    ),
    responses(
        (status = 200, description = "Cancelled, and the meeting is removed. Or no booking of this id is known, and the cancel \
            is kept: that answer has no `ETag`.",
            body = CancelledBody, examples(
                ("cancelled" = (summary = "A booking that is cancelled", value = json!(example::cancelled()))),
                ("kept" = (summary = "A cancel that came before its booking", value = json!(example::kept_cancel()))),
            )),
        (status = 202, description = "Cancelled; the meeting was not removed within the wait. The work goes on.",
            body = BookingBody<'static>),
    ),
    security(("apiKey" = []), ("token" = []), ("certificate" = [])),
)]
pub(crate) async fn delete_booking(
    request: HttpRequest,
    caller: Authenticated,
    state: Data<ApiState>,
) -> EndpointResponse {
    EndpointResponse(cancel(&request, &caller, &state).await)
}

async fn cancel(request: &HttpRequest, caller: &Authenticated, state: &ApiState) -> EndpointResult {
    let caller = caller.writer(request)?;
    let mut query = Query::read(request.query_string());
    let sequence = query.number("sequence", "must be a whole number from 0 to 2147483647", Sequence::new);
    let dtstamp = query.dtstamp();
    query.close()?;
    let only_if = preconditions(request)?;
    let booking_id = booking_id(request).ok_or_else(no_such_booking)?;
    let wait = Preferences::read(request.headers()).wait(state.waits);
    let key = BookingKey { source_system: caller.source_system.clone(), booking_id };
    let origin = origin(request, caller);
    let cancellation = CancelRequest { key, order: MessageOrder { sequence, dtstamp }, only_if };
    let cancelled = state.provisioning.cancel(cancellation, origin, wait.at_most).await;
    let cancelled = cancelled.map_err(|error| store_problem(request, error))?;
    wait.named_in(answer(BookingResponder::new(request, state), &cancelled))
}

fn answer(responder: BookingResponder<'_>, cancelled: &Cancel) -> EndpointResult {
    match cancelled {
        Cancel::Cancelled(booking) => responder.current(booking, HttpResponse::Ok()),
        Cancel::Kept(tombstone) => responder.kept(tombstone),
        Cancel::CancelledBefore(tombstone, lateness) => Err(BookingResponder::late(tombstone, *lateness)),
        Cancel::Stale(booking, lateness) => Err(responder.stale(booking, *lateness)),
        Cancel::RevisionMismatch(booking) => Err(responder.revision_mismatch(booking)),
        Cancel::NotThere => Err(no_such_booking()),
        Cancel::NoneMatches => Err(BookingResponder::none_matches()),
    }
}
