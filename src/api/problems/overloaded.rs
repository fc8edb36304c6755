//! The answer to a request that the overload limit refuses.

use actix_web::{HttpRequest, HttpResponse};

use super::problem_code::ProblemCode;
use super::problem_response::Problem;

/// When to ask again, in seconds: the shortest that the header can say. Another replica may answer at once.
const ASK_AGAIN_SECONDS: u64 = 1;

/// The answer to a request that is refused because too many are being answered.
pub(crate) fn overloaded(request: &HttpRequest) -> HttpResponse {
    let detail =
        "This replica is answering too many requests. Nothing was done; send the same request again.";
    Problem::new(ProblemCode::Overloaded, detail).retry_after(ASK_AGAIN_SECONDS).answer(request)
}
