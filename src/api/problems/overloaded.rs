//! The answer to a request that the overload limit refuses.

use actix_web::{HttpRequest, HttpResponse};

use super::problem_code::ProblemCode;
use super::problem_response::Problem;

/// When to ask again, in seconds: the shortest that the header can say. Another replica may answer at once.
const ASK_AGAIN_SECONDS: u64 = 1;

/// The answer to a request that is refused because too many are being answered: of all callers, or of this source system.
pub(crate) fn overloaded(request: &HttpRequest, of_source_system: bool) -> HttpResponse {
    let problem = if of_source_system {
        share_used_up()
    } else {
        let detail =
            "This replica is answering too many requests. Nothing was done; send the same request again.";
        Problem::new(ProblemCode::Overloaded, detail).retry_after(ASK_AGAIN_SECONDS)
    };
    problem.answer(request)
}

/// The problem of a source system that holds as much of this replica as it may.
pub(crate) fn share_used_up() -> Problem {
    let detail = "Your source system has as many requests under way at this replica as it may, and the other places are \
                  kept for others. Send the same request again, and fewer at once; what was accepted is found again.";
    Problem::new(ProblemCode::Overloaded, detail).retry_after(ASK_AGAIN_SECONDS)
}
