//! From the outcome of a request about one booking to its answer: status, headers and body, or the problem.

use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, ETAG, EntityTag, LOCATION, RETRY_AFTER, TryIntoHeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

use super::booking_body::BookingBody;
use super::last_error_body::{self, LastErrorBody};
use super::late_message::{why_ignored, why_not_created};
use super::tombstone_body::TombstoneBody;
use crate::api::problems::{DifferenceBody, EndpointResult, GraphBody, Problem, ProblemCode};
use crate::api::request::{JoinLinks, location};
use crate::api::response::{self, NOT_KEPT};
use crate::api::state::{ApiState, Remedies};
use crate::booking::{Difference, Lateness};
use crate::clock::Timestamp;
use crate::meeting::{Booking, DesiredState, Failure, Status, Tombstone};
use crate::provisioning::LookupFailure;

/// When to ask again for a name to be looked up, where Graph didn't say, in seconds.
const LOOKUP_AGAIN_SECONDS: u64 = 2;

/// Answers one request about a booking.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BookingResponder<'a> {
    pub(crate) request: &'a HttpRequest,
    pub(crate) remedies: &'a Remedies,
    pub(crate) now: Timestamp,
}

impl<'a> BookingResponder<'a> {
    /// For the request that is being answered now.
    pub(crate) fn new(request: &'a HttpRequest, state: &'a ApiState) -> Self {
        Self { request, remedies: &state.remedies, now: state.provisioning.clock.now() }
    }

    /// The booking as it stands: a finished one with `finished`, an unfinished one with 202, a failed one with the
    /// problem that parked it.
    pub(crate) fn current(&self, booking: &Booking, finished: HttpResponseBuilder) -> EndpointResult {
        match booking.status() {
            Status::Provisioned | Status::Cancelled => self.with_booking(finished, booking),
            Status::Pending | Status::Updating | Status::Cancelling => self.unfinished(booking),
            Status::Failed => match self.parked(booking) {
                Some(problem) => Err(problem),
                // The schema allows no failed booking without its failure.
                None => self.unfinished(booking),
            },
        }
    }

    /// The same for a caller who wants the meeting to take place: a booking that was cancelled, even while the request
    /// waited, has no link to hand out.
    pub(crate) fn current_unless_cancelled(
        &self,
        booking: &Booking,
        finished: HttpResponseBuilder,
    ) -> EndpointResult {
        match booking.wanted.desired_state {
            DesiredState::Present => self.current(booking, finished),
            DesiredState::Cancelled => Err(self.cancelled(booking)),
        }
    }

    /// The booking and its `ETag`, with this status.
    pub(crate) fn with_booking(
        &self,
        mut response: HttpResponseBuilder,
        booking: &Booking,
    ) -> EndpointResult {
        response.insert_header((ETAG, etag(booking)));
        response::json(self.request, response, &BookingBody::of(booking, self.remedies, self.links(booking)))
    }

    fn unfinished(&self, booking: &Booking) -> EndpointResult {
        let mut accepted = HttpResponse::Accepted();
        accepted.insert_header((LOCATION, location(&booking.key.booking_id)));
        self.insert_retry_after(&mut accepted, booking);
        self.with_booking(accepted, booking)
    }

    /// Says when to poll again, where the booking is due at some time.
    pub(crate) fn insert_retry_after(&self, response: &mut HttpResponseBuilder, booking: &Booking) {
        if let Some(seconds) = retry_after(booking, self.now) {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
    }

    /// The failure that parked a booking, as a problem.
    fn parked(&self, booking: &Booking) -> Option<Problem> {
        let code = ProblemCode::of_failure(booking.last_error.as_ref()?.code);
        let LastErrorBody { detail, graph, remedy, .. } = LastErrorBody::of(booking, self.remedies)?;
        Some(self.beside(booking, Problem::new(code, detail).graph(graph, remedy)))
    }

    /// A booking that was cancelled.
    pub(crate) fn cancelled(&self, booking: &Booking) -> Problem {
        let detail = format!("Booking {} exists, and was cancelled.", booking.key.booking_id);
        self.beside(booking, Problem::new(ProblemCode::BookingCancelled, detail))
    }

    /// A problem that names the fields in which the booking differs from what was sent.
    pub(crate) fn differing(
        &self,
        code: ProblemCode,
        booking: &Booking,
        differences: &[Difference],
    ) -> Problem {
        self.differing_with(code, booking, differences, "")
    }

    /// The same for another organizer, which can be had, though not by this request.
    pub(crate) fn organizer_fixed(&self, booking: &Booking, differences: &[Difference]) -> Problem {
        let way =
            " With ?organizerChange=replace it gets another meeting, with another link, of that organizer.";
        self.differing_with(ProblemCode::OrganizerImmutable, booking, differences, way)
    }

    fn differing_with(
        &self,
        code: ProblemCode,
        booking: &Booking,
        differences: &[Difference],
        way: &str,
    ) -> Problem {
        let fields: Vec<_> = differences.iter().map(|difference| difference.field).collect();
        let detail = format!(
            "Booking {} exists, and differs in {}. It is unchanged.{way}",
            booking.key.booking_id,
            fields.join(", ")
        );
        let differences = differences.iter().cloned().map(DifferenceBody::from).collect();
        self.beside(booking, Problem::new(code, detail).differences(differences))
    }

    /// A request whose name for the organizer is no user's, or could not be looked up.
    pub(crate) fn unresolved(&self, booking: &Booking, failure: &LookupFailure) -> Problem {
        let because = &failure.because;
        let code = match because.code {
            Failure::GraphRefused if because.is_passing() => ProblemCode::GraphUnavailable,
            code => ProblemCode::of_failure(code),
        };
        let why = match code {
            ProblemCode::OrganizerNotFound => "Graph knows no such user",
            _ => "Graph did not tell whose name that is; graph says why",
        };
        let detail = format!(
            "Booking {} has another name for its organizer than {}, and {why}. It is unchanged.",
            booking.key.booking_id, failure.name
        );
        let graph = GraphBody::from(&because.graph);
        let problem = Problem::new(code, detail);
        let problem = if code == ProblemCode::GraphUnavailable {
            let seconds = failure.retry_after.map_or(LOOKUP_AGAIN_SECONDS, whole_seconds);
            problem.graph(graph, None).retry_after(seconds)
        } else {
            problem.graph(graph, last_error_body::remedy(booking, because, self.remedies))
        };
        self.beside(booking, problem)
    }

    /// A message that is not newer than what is stored.
    pub(crate) fn stale(&self, booking: &Booking, lateness: Lateness) -> Problem {
        let detail = why_ignored(booking, lateness);
        self.beside(booking, Problem::new(ProblemCode::StaleSequence, detail))
    }

    /// A cancel that is kept, because no such booking is known.
    pub(super) fn kept(&self, tombstone: &Tombstone) -> EndpointResult {
        response::json(self.request, HttpResponse::Ok(), &TombstoneBody::of(tombstone))
    }

    /// A message that is not newer than a cancel which came before the booking.
    pub(super) fn late(tombstone: &Tombstone, lateness: Lateness) -> Problem {
        Problem::new(ProblemCode::StaleSequence, why_not_created(tombstone, lateness))
    }

    /// A booking that does not stand as its caller says.
    pub(crate) fn revision_mismatch(&self, booking: &Booking) -> Problem {
        let detail =
            format!("Booking {} is at {} now. It is unchanged.", booking.key.booking_id, etag(booking));
        let problem = self.beside(booking, Problem::new(ProblemCode::RevisionMismatch, detail));
        match etag(booking).try_into_value() {
            Ok(current) => problem.header(ETAG, current),
            Err(_) => problem,
        }
    }

    /// A booking that isn't there, though its caller says so.
    pub(super) fn none_matches() -> Problem {
        Problem::new(ProblemCode::RevisionMismatch, "There is no such booking. Nothing was done.")
    }

    /// A booking that is settled.
    pub(crate) fn nothing_to_retry(&self, booking: &Booking) -> Problem {
        let detail = format!(
            "Booking {} is {}: by what Graph last told it has what is wanted, as far as it can, so there is nothing to \
             retry. It is unchanged.",
            booking.key.booking_id,
            booking.status().as_str()
        );
        self.beside(booking, Problem::new(ProblemCode::NothingToRetry, detail))
    }

    fn links(&self, booking: &Booking) -> JoinLinks {
        JoinLinks::of(&booking.key.source_system, self.request)
    }

    /// The problem with the booking as it stands beside it, without its attendees: a request by id is no longer than that.
    fn beside(&self, booking: &Booking, problem: Problem) -> Problem {
        match BookingBody::without_attendees(booking, self.remedies, self.links(booking)).to_raw() {
            Ok(body) => problem.booking(body),
            Err(_) => problem,
        }
    }
}

/// Answers that the booking has not changed.
pub(crate) fn not_modified(booking: &Booking) -> HttpResponse {
    HttpResponse::NotModified()
        .insert_header((ETAG, etag(booking)))
        .insert_header((CACHE_CONTROL, NOT_KEPT))
        .finish()
}

/// The booking's `ETag`: its generation and revision. The revision alone begins again with a new generation.
pub(crate) fn etag(booking: &Booking) -> EntityTag {
    EntityTag::new_strong(format!("{}.{}", booking.generation.number(), booking.revision))
}

/// After how many seconds it is worth polling a booking that is due: at least one.
fn retry_after(booking: &Booking, now: Timestamp) -> Option<u64> {
    booking.due_in(now).map(whole_seconds)
}

/// A wait in whole seconds, never shorter, and at least one.
fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::fixture::provisioned;
    use crate::meeting::Progress;

    /// A caller is sent back in whole seconds, never too early and never at once.
    #[test]
    fn retry_after_is_whole_seconds_rounded_up() {
        let mut booking = provisioned();
        let now = booking.updated_at;
        assert_eq!(retry_after(&booking, now), None);
        for (milliseconds, expected) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (2_128, 3), (60_000, 60)] {
            booking.progress = Progress::Due(now + Duration::from_millis(milliseconds));
            assert_eq!(retry_after(&booking, now), Some(expected), "{milliseconds} ms");
        }
        booking.progress = Progress::Due(now - Duration::from_secs(9));
        assert_eq!(retry_after(&booking, now), Some(1));
    }
}
