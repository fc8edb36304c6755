//! `PUT /v1/bookings/{bookingId}`: declares what a booking should be.

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::authentication::Authenticated;
use super::body::{BookingBody, DeclarationBody};
use super::booking_request;
use super::outcome_response::{differing, held_as_it_stands, revision_mismatch, stale, with_preferences};
use super::precondition;
use super::prefer::Preferences;
use super::problem::{EndpointResponse, EndpointResult, ProblemCode, store_problem};
use super::query::Query;
use super::request_id::origin;
use super::response;
use super::state::{ApiState, Remedies};
use crate::booking::BookingKey;
use crate::clock::Timestamp;
use crate::meeting::OrganizerChange;
use crate::provisioning::{Declaration, Declare};

/// The problems that this call can answer with.
pub(super) const PROBLEMS: &[ProblemCode] = &[
    ProblemCode::InvalidRequest,
    ProblemCode::InvalidBooking,
    ProblemCode::Unauthenticated,
    ProblemCode::Forbidden,
    ProblemCode::NotFound,
    ProblemCode::BookingDiffers,
    ProblemCode::BookingCancelled,
    ProblemCode::StaleSequence,
    ProblemCode::OrganizerImmutable,
    ProblemCode::RevisionMismatch,
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

/// Declare what a booking should be
///
/// New: it is created (201). The same: nothing is done (200). Changed: the meeting is changed and **keeps its id and its
/// join link** (200). Called off before: it is booked again as its next generation, with a meeting of its own (201).
/// Several changes while one is under way end in the latest. A message whose `sequence` is lower than the stored one,
/// or the same with other content, is ignored (409 `stale-sequence`); without `sequence` the last writer wins. If somebody
/// calls the booking off while this waits, the answer is 409 `booking-cancelled`.
#[utoipa::path(
    put, path = "/v1/bookings/{bookingId}", operation_id = "putBooking", tag = "Bookings",
    params(
        ("bookingId" = String, Path, description = "The booking's name in your system, percent-encoded.",
            example = "BK-1001"),
        ("organizerChange" = Option<String>, Query, pattern = "^replace$", description = "`replace`: another organizer \
            may take over. The booking gets a meeting of theirs, with another link, and then the old one is removed."),
        ("If-Match" = Option<String>, Header, description = "Only if the booking still has this `ETag`.",
            example = "\"1.2\""),
        ("Prefer" = Option<String>, Header, description = "`wait=N` or `respond-async` (RFC 7240).", example = "wait=10"),
    ),
    request_body(content = DeclarationBody, description = "The booking; at most 256 KiB. `bookingId` may be left out.",
        examples(
            ("booking" = (summary = "A meeting with one presenter", value = json!(super::example::request()))),
        )),
    responses(
        (status = 201, description = "New, or booked again; and provisioned.",
            headers(("Location" = String, description = "The booking."),
                ("ETag" = String, description = "`\"<generation>.<revision>\"`.")),
            body = BookingBody<'static>, example = json!(super::example::provisioned())),
        (status = 200, description = "Known, and as it was declared.",
            headers(("ETag" = String, description = "`\"<generation>.<revision>\"`.")),
            body = BookingBody<'static>, example = json!(super::example::provisioned())),
        (status = 202, description = "Stored; not finished within the wait. The work goes on.",
            headers(("Location" = String, description = "The booking, to be polled."),
                ("Retry-After" = u64, description = "After how many seconds it is worth asking again."),
                ("ETag" = String, description = "`\"<generation>.<revision>\"`.")),
            body = BookingBody<'static>, example = json!(super::example::pending())),
    ),
    security(("apiKey" = [])),
)]
pub(super) async fn put_booking(
    request: HttpRequest,
    payload: Payload,
    caller: Authenticated,
    state: Data<ApiState>,
) -> EndpointResponse {
    EndpointResponse(declare(&request, payload, &caller, &state).await)
}

async fn declare(
    request: &HttpRequest,
    payload: Payload,
    caller: &Authenticated,
    state: &ApiState,
) -> EndpointResult {
    let caller = caller.writer(request)?;
    let mut query = Query::read(request.query_string());
    let replaces = query.one_of("organizerChange", &["replace"]).is_some();
    query.close()?;
    let only_if = precondition::read(request.headers())?;
    let booking_id = response::booking_id(request).ok_or_else(response::no_such_booking)?;
    let told = (&booking_id, state.read_timeout, state.channel_meetings);
    let spec = booking_request::read_named(request.headers(), payload, told).await?;
    let (patience, applied) = Preferences::read(request.headers()).patience(state.waits);
    let declaration = Declaration {
        key: BookingKey { source_system: caller.source_system.clone(), booking_id },
        spec,
        organizer_change: if replaces { OrganizerChange::Replaces } else { OrganizerChange::Refused },
        only_if,
    };
    let declared = state.provisioning.declare(declaration, origin(request, caller), patience).await;
    let declared = declared.map_err(|error| store_problem(request, error))?;
    with_preferences(told_of(request, &declared, &state.remedies, state.provisioning.clock.now()), applied)
}

/// What the caller is told of what became of the declaration.
fn told_of(request: &HttpRequest, declared: &Declare, remedies: &Remedies, now: Timestamp) -> EndpointResult {
    match declared {
        Declare::New(booking) => {
            let mut created = HttpResponse::Created();
            created.insert_header((LOCATION, response::location(&booking.key.booking_id)));
            held_as_it_stands(request, booking, created, (remedies, now))
        }
        Declare::Same(booking) | Declare::Changed(booking) => {
            held_as_it_stands(request, booking, HttpResponse::Ok(), (remedies, now))
        }
        Declare::Stale(booking, stored) => Err(stale(booking, *stored, remedies)),
        Declare::OrganizerFixed(booking, differences) => {
            Err(differing(ProblemCode::OrganizerImmutable, booking, differences, remedies))
        }
        Declare::ChannelFixed(booking, differences) => {
            Err(differing(ProblemCode::BookingDiffers, booking, differences, remedies))
        }
        Declare::RevisionMismatch(booking) => Err(revision_mismatch(booking, remedies)),
        Declare::NotThere => Err(response::no_such_booking()),
    }
}
