//! What callers are told of a booking that they made, declared or called off.

use actix_web::http::header::{HeaderValue, LOCATION, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

use super::body::{BookingBody, DifferenceBody};
use super::door::Remedies;
use super::prefer::PREFERENCE_APPLIED;
use super::problem::{Answer, Problem, ProblemCode, parked};
use super::write;
use crate::booking::{Difference, Sequence};
use crate::clock::Timestamp;
use crate::meeting::{Life, Standing, Status};

/// A finished booking is answered with `finished`, a failed one with the problem that it ended in.
pub(super) fn as_it_stands(
    request: &HttpRequest,
    standing: &Standing,
    finished: HttpResponseBuilder,
    (remedies, now): (&Remedies, Timestamp),
) -> Answer {
    match (standing.status(), parked(standing, remedies)) {
        (Status::Failed, Some(problem)) => Err(problem),
        (Status::Provisioned | Status::Cancelled, _) => write::booking(request, finished, standing, remedies),
        // A failed booking without its failure can't be kept; if there were one, it would be asked for again.
        (Status::Pending | Status::Updating | Status::Cancelling | Status::Failed, _) => {
            let mut unfinished = HttpResponse::Accepted();
            unfinished.insert_header((LOCATION, write::location(&standing.key.booking_id)));
            if let Some(seconds) = write::retry_after(standing, now) {
                unfinished.insert_header((RETRY_AFTER, seconds.to_string()));
            }
            write::booking(request, unfinished, standing, remedies)
        }
    }
}

/// The same for a caller who wants the meeting to be held: a booking that was called off, even while its caller waited, has no
/// link to hand out.
pub(super) fn held_as_it_stands(
    request: &HttpRequest,
    standing: &Standing,
    finished: HttpResponseBuilder,
    (remedies, now): (&Remedies, Timestamp),
) -> Answer {
    match standing.wanted.life {
        Life::Held => as_it_stands(request, standing, finished, (remedies, now)),
        Life::Cancelled => Err(cancelled(standing, remedies)),
    }
}

/// A booking that was called off.
pub(super) fn cancelled(standing: &Standing, remedies: &Remedies) -> Problem {
    let detail = format!("Booking {} is known, and was called off.", standing.key.booking_id);
    with_booking(Problem::new(ProblemCode::BookingCancelled, detail), standing, remedies)
}

/// A problem that names the fields in which the booking differs from what was sent.
pub(super) fn differing(
    code: ProblemCode,
    standing: &Standing,
    differences: &[Difference],
    remedies: &Remedies,
) -> Problem {
    let fields: Vec<_> = differences.iter().map(|difference| difference.field).collect();
    let detail = format!(
        "Booking {} is known with another {}. It is unchanged.",
        standing.key.booking_id,
        fields.join(", ")
    );
    let differences = differences.iter().cloned().map(DifferenceBody::from).collect();
    with_booking(Problem::new(code, detail).differences(differences), standing, remedies)
}

/// A message that is older than what is stored.
pub(super) fn stale(standing: &Standing, stored: Sequence, remedies: &Remedies) -> Problem {
    let detail = format!(
        "Booking {} has been changed by a message of sequence {}; this one came late and is ignored.",
        standing.key.booking_id,
        stored.number()
    );
    with_booking(Problem::new(ProblemCode::StaleSequence, detail), standing, remedies)
}

/// A booking that has moved on since its caller looked.
pub(super) fn moved(standing: &Standing, remedies: &Remedies) -> Problem {
    let detail = format!(
        "Booking {} stands at {} now. It is unchanged.",
        standing.key.booking_id,
        write::etag(standing)
    );
    with_booking(Problem::new(ProblemCode::RevisionMismatch, detail), standing, remedies)
}

/// The problem with the booking as it stands beside it.
pub(super) fn with_booking(problem: Problem, standing: &Standing, remedies: &Remedies) -> Problem {
    match BookingBody::of(standing, remedies).to_raw() {
        Ok(booking) => problem.booking(booking),
        Err(_) => problem,
    }
}

/// Names the preferences that were heeded, on answers and on problems.
pub(super) fn with_preferences(answer: Answer, applied: Option<HeaderValue>) -> Answer {
    match (answer, applied) {
        (Ok(mut response), Some(applied)) => {
            response.headers_mut().insert(PREFERENCE_APPLIED, applied);
            Ok(response)
        }
        (Err(problem), Some(applied)) => Err(problem.header(PREFERENCE_APPLIED, applied)),
        (answer, None) => answer,
    }
}
