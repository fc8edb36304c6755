//! What a request is told for which there is no room.

use actix_web::{HttpRequest, HttpResponse};

use super::code::ProblemCode;
use super::problem_response::Problem;

/// When to ask again, in seconds: the shortest that the header can say. Another replica may have room at once.
const ASK_AGAIN_SECONDS: u64 = 1;

/// The answer to a request that is turned away because there are too many.
pub(crate) fn overloaded(request: &HttpRequest) -> HttpResponse {
    let detail = "Too many requests are being answered here. Nothing was done; send the same request again.";
    Problem::new(ProblemCode::Overloaded, detail).retry_after(ASK_AGAIN_SECONDS).answer(request)
}
