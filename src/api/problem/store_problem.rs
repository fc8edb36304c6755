//! What the store could not say.

use actix_web::HttpRequest;

use super::code::ProblemCode;
use super::problem_response::Problem;
use crate::api::request_id::request_id;
use crate::provisioning::ProvisioningError;
use crate::store::StoreError;

/// When to ask again while Postgres is away, in seconds.
const ASK_AGAIN_SECONDS: u64 = 1;

/// The problem that a failing store makes; its error chain is logged here, once, under the request's id.
pub(crate) fn store_problem(request: &HttpRequest, error: impl Into<ProvisioningError>) -> Problem {
    let ProvisioningError::Store(store) = error.into();
    let (request_id, path) = (request_id(request), request.path());
    let error = &store as &dyn std::error::Error;
    if let StoreError::Unreachable(_) = &store {
        tracing::error!(%request_id, path, error, "a request was turned away: Postgres can't be reached");
        let detail = "The database can't be reached. Send the same request again: if a booking was accepted \
                      after all, it is found again.";
        return Problem::new(ProblemCode::StoreUnavailable, detail).retry_after(ASK_AGAIN_SECONDS);
    }
    tracing::error!(%request_id, path, error, "a request was not answered: a fault of this service");
    Problem::new(
        ProblemCode::InternalError,
        "The reason stands in the log of this service, under the requestId.",
    )
}
