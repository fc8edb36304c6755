//! What callers are told of a booking that they made, declared or called off.

use actix_web::http::header::{HeaderValue, LOCATION, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

use super::body::{BookingBody, DifferenceBody};
use super::prefer::PREFERENCE_APPLIED;
use super::problem::{EndpointResult, Problem, ProblemCode, parked};
use super::response;
use super::state::Remedies;
use crate::booking::{Difference, Sequence};
use crate::clock::Timestamp;
use crate::meeting::{Booking, DesiredState, Status};

/// A finished booking is answered with `finished`, a failed one with the problem that it ended in.
pub(super) fn as_it_stands(
    request: &HttpRequest,
    booking: &Booking,
    finished: HttpResponseBuilder,
    (remedies, now): (&Remedies, Timestamp),
) -> EndpointResult {
    match (booking.status(), parked(booking, remedies)) {
        (Status::Failed, Some(problem)) => Err(problem),
        (Status::Provisioned | Status::Cancelled, _) => {
            response::booking(request, finished, booking, remedies)
        }
        // A failed booking without its failure can't be kept; if there were one, it would be asked for again.
        (Status::Pending | Status::Updating | Status::Cancelling | Status::Failed, _) => {
            let mut unfinished = HttpResponse::Accepted();
            unfinished.insert_header((LOCATION, response::location(&booking.key.booking_id)));
            if let Some(seconds) = response::retry_after(booking, now) {
                unfinished.insert_header((RETRY_AFTER, seconds.to_string()));
            }
            response::booking(request, unfinished, booking, remedies)
        }
    }
}

/// The same for a caller who wants the meeting to be held: a booking that was called off, even while its caller waited, has no
/// link to hand out.
pub(super) fn held_as_it_stands(
    request: &HttpRequest,
    booking: &Booking,
    finished: HttpResponseBuilder,
    (remedies, now): (&Remedies, Timestamp),
) -> EndpointResult {
    match booking.wanted.desired_state {
        DesiredState::Present => as_it_stands(request, booking, finished, (remedies, now)),
        DesiredState::Cancelled => Err(cancelled(booking, remedies)),
    }
}

/// A booking that was called off.
pub(super) fn cancelled(booking: &Booking, remedies: &Remedies) -> Problem {
    let detail = format!("Booking {} is known, and was called off.", booking.key.booking_id);
    with_booking(Problem::new(ProblemCode::BookingCancelled, detail), booking, remedies)
}

/// A problem that names the fields in which the booking differs from what was sent.
pub(super) fn differing(
    code: ProblemCode,
    booking: &Booking,
    differences: &[Difference],
    remedies: &Remedies,
) -> Problem {
    let fields: Vec<_> = differences.iter().map(|difference| difference.field).collect();
    let detail = format!(
        "Booking {} is known with another {}. It is unchanged.",
        booking.key.booking_id,
        fields.join(", ")
    );
    let differences = differences.iter().cloned().map(DifferenceBody::from).collect();
    with_booking(Problem::new(code, detail).differences(differences), booking, remedies)
}

/// A message that is older than what is stored.
pub(super) fn stale(booking: &Booking, stored: Sequence, remedies: &Remedies) -> Problem {
    let detail = format!(
        "Booking {} has been changed by a message of sequence {}; this one came late and is ignored.",
        booking.key.booking_id,
        stored.number()
    );
    with_booking(Problem::new(ProblemCode::StaleSequence, detail), booking, remedies)
}

/// A booking that has moved on since its caller looked.
pub(super) fn revision_mismatch(booking: &Booking, remedies: &Remedies) -> Problem {
    let detail = format!(
        "Booking {} stands at {} now. It is unchanged.",
        booking.key.booking_id,
        response::etag(booking)
    );
    with_booking(Problem::new(ProblemCode::RevisionMismatch, detail), booking, remedies)
}

/// The problem with the booking as it stands beside it.
pub(super) fn with_booking(problem: Problem, booking: &Booking, remedies: &Remedies) -> Problem {
    match BookingBody::of(booking, remedies).to_raw() {
        Ok(booking) => problem.booking(booking),
        Err(_) => problem,
    }
}

/// Names the preferences that were heeded, on answers and on problems.
pub(super) fn with_preferences(answer: EndpointResult, applied: Option<HeaderValue>) -> EndpointResult {
    match (answer, applied) {
        (Ok(mut response), Some(applied)) => {
            response.headers_mut().insert(PREFERENCE_APPLIED, applied);
            Ok(response)
        }
        (Err(problem), Some(applied)) => Err(problem.header(PREFERENCE_APPLIED, applied)),
        (answer, None) => answer,
    }
}
