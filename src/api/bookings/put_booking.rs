//! `PUT /v1/bookings/{bookingId}`: creates a booking, changes it, or books it again.

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::booking_body::BookingBody;
use super::booking_payload;
use super::booking_request_body::PutBookingRequestBody;
use super::booking_responder::BookingResponder;
use crate::api::openapi::{example, parameters, words};
use crate::api::problems::{
    DocumentedProblems, EVERY_CALL, EndpointResponse, EndpointResult, PARKED, ProblemCode, REFUSED,
    store_problem,
};
use crate::api::request::{
    Authenticated, Preferences, Query, location, new_booking_id, origin, preconditions,
};
use crate::api::state::ApiState;
use crate::booking::{BookingKey, MemberFault};
use crate::meeting::OrganizerChange;
use crate::provisioning::{Declaration, Declare};

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
        ProblemCode::OrganizerImmutable,
        ProblemCode::RevisionMismatch,
        ProblemCode::BodyTooLarge,
        ProblemCode::BodyTooSlow,
        ProblemCode::UnsupportedMediaType,
    ],
];

/// Create or change a booking
///
/// The body is the whole desired booking. A new one is created (201). The same again does nothing (200). A change is
/// made at the meeting, which **keeps its id and its join link** (200). A cancelled booking is booked again as its next
/// generation, with a new meeting (201).
///
/// Of several changes while one is being made, the latest counts. A message that is older than the last one, by its
/// `sequence` or else by its `dtstamp`, is ignored (409 `stale-sequence`), and so is one that is not newer than a cancel by
/// the key that both have. Where neither key decides, the last writer wins; a key that is not sent stays as it is stored.
/// A booking that was cancelled before it came is created by a message that is newer than the cancel only.
/// If the booking is cancelled while this request waits, the answer is 409 `booking-cancelled`.
#[utoipa::path(
    put, path = "/v1/bookings/{bookingId}", operation_id = "putBooking", tag = "Bookings",
    params(
        parameters::BookingPath,
        ("organizerChange" = Option<words::OrganizerChangeWord>, Query, description = "`replace`: the organizer may \
            change. The booking gets a meeting of the new organizer, with another link, and then the old meeting is \
            removed."),
        parameters::PreconditionHeaders,
        parameters::PreferHeader,
        parameters::TraceParentHeader,
    ),
    request_body(content = PutBookingRequestBody, description = "The booking; at most 256 KiB. `bookingId` may be left out.",
        examples(
            ("booking" = (summary = "A meeting with one presenter", value = json!(example::request()))),
        )),
    responses(
        (status = 201, description = "New, or booked again; and provisioned.",
            body = BookingBody<'static>, example = json!(example::provisioned())),
        (status = 200, description = "The booking existed, and is now as the body says.",
            body = BookingBody<'static>, example = json!(example::provisioned())),
        (status = 202, description = "Stored; not finished within the wait. The work goes on.",
            body = BookingBody<'static>, example = json!(example::pending())),
    ),
    security(("apiKey" = []), ("token" = []), ("certificate" = [])),
)]
pub(crate) async fn put_booking(
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
    let replaces = query.one_of("organizerChange", &words::ORGANIZER_CHANGE).is_some();
    query.close()?;
    let only_if = preconditions(request)?;
    let booking_id = new_booking_id(request)
        .map_err(|fault| booking_payload::invalid([MemberFault::at("/bookingId", fault.0)], 0))?;
    let spec = booking_payload::read_named(request.headers(), payload, &booking_id, state).await?;
    let wait = Preferences::read(request.headers()).wait(state.waits);
    let declaration = Declaration {
        key: BookingKey { source_system: caller.source_system.clone(), booking_id },
        spec,
        organizer_change: if replaces { OrganizerChange::Replaces } else { OrganizerChange::Refused },
        only_if,
    };
    let declared = state.provisioning.declare(declaration, origin(request, caller), wait.at_most).await;
    let declared = declared.map_err(|error| store_problem(request, error))?;
    wait.named_in(answer(BookingResponder::new(request, state), &declared))
}

fn answer(responder: BookingResponder<'_>, declared: &Declare) -> EndpointResult {
    match declared {
        Declare::New(booking) => {
            let mut created = HttpResponse::Created();
            created.insert_header((LOCATION, location(&booking.key.booking_id)));
            responder.current_unless_cancelled(booking, created)
        }
        Declare::Same(booking) | Declare::Changed(booking) => {
            responder.current_unless_cancelled(booking, HttpResponse::Ok())
        }
        Declare::CancelledBefore(tombstone, lateness) => Err(BookingResponder::late(tombstone, *lateness)),
        Declare::Stale(booking, lateness) => Err(responder.stale(booking, *lateness)),
        Declare::OrganizerFixed(booking, differences) => Err(responder.organizer_fixed(booking, differences)),
        Declare::OrganizerUnresolved(booking, failure) => Err(responder.unresolved(booking, failure)),
        Declare::ChannelFixed(booking, differences) => {
            Err(responder.differing(ProblemCode::BookingDiffers, booking, differences))
        }
        Declare::RevisionMismatch(booking) => Err(responder.revision_mismatch(booking)),
        Declare::NoneMatches => Err(BookingResponder::none_matches()),
    }
}
