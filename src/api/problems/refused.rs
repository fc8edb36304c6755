//! What a source system may not have, or not so much of, as problems.

use actix_web::{HttpRequest, HttpResponse};

use super::problem_body::ErrorBody;
use super::problem_code::ProblemCode;
use super::problem_response::Problem;
use crate::booking::OutOfReach;
use crate::provisioning::Refused;

/// The problem of what was refused before anything was stored.
pub(crate) fn refused_problem(refused: Refused) -> Problem {
    match refused {
        Refused::OutOfReach(out) => out_of_reach(out),
        Refused::Day { until, .. } => {
            // Never too early: what is left of a second counts as one.
            let seconds = until.as_secs() + u64::from(until.subsec_nanos() > 0);
            Problem::new(ProblemCode::BookingsPerDayExceeded, refused.to_string()).retry_after(seconds)
        }
    }
}

/// The problem of what is out of a source system's reach.
pub(crate) fn out_of_reach(out: OutOfReach) -> Problem {
    let detail = out.to_string();
    match out {
        OutOfReach::NoOrganizers { .. } | OutOfReach::Organizer { .. } => {
            Problem::new(ProblemCode::OrganizerNotAllowed, detail)
        }
        OutOfReach::Members { faults, .. } => {
            let errors = faults.into_iter().map(ErrorBody::from).collect();
            Problem::new(ProblemCode::MemberNotAllowed, detail).errors(errors, 0)
        }
    }
}

/// The answer to a request of a source system that sends more than it may.
pub(crate) fn rate_limited(request: &HttpRequest, seconds: u64) -> HttpResponse {
    let detail = "Your source system sends more requests a second than it may. Nothing was done; send the same request again \
                  after the time in Retry-After, and fewer at once.";
    Problem::new(ProblemCode::RateLimited, detail).retry_after(seconds).answer(request)
}
