//! Why provisioning did nothing, as problems: mostly failures of the store.

use actix_web::HttpRequest;
use time::format_description::well_known::Rfc3339;

use super::overloaded::share_used_up;
use super::problem_code::ProblemCode;
use super::problem_response::Problem;
use super::refused::refused_problem;
use crate::api::request::request_id;
use crate::clock::Timestamp;
use crate::provisioning::ProvisioningError;
use crate::store::StoreError;

/// When to ask again while Postgres can't be reached, in seconds.
const ASK_AGAIN_SECONDS: u64 = 1;

/// The problem of what was refused, or of a failing store; the error chain is logged here, once, under the request's id.
pub(crate) fn store_problem(request: &HttpRequest, error: impl Into<ProvisioningError>) -> Problem {
    let request_id = request_id(request);
    let store = match error.into() {
        ProvisioningError::Store(store) => store,
        ProvisioningError::Refused(refused) => return refused_problem(refused),
        ProvisioningError::Contended => {
            tracing::warn!(%request_id, "a request was overtaken too often: many change its booking at once");
            let detail = "Other requests change this booking at the same time. Send the same request again.";
            return Problem::new(ProblemCode::Overloaded, detail).retry_after(ASK_AGAIN_SECONDS);
        }
    };
    let error = &store as &dyn std::error::Error;
    if let StoreError::ShareUsedUp = &store {
        tracing::warn!(%request_id, error, "a request was refused");
        return share_used_up();
    }
    if let StoreError::PositionLost { from } = &store {
        tracing::warn!(%request_id, error, "a request was refused");
        return cursor_outdated(*from);
    }
    if store.may_pass() {
        tracing::error!(%request_id, error, "a request failed: the database can't be used");
        let detail = "The database can't be reached, or its schema is not ready. Send the same request again: if a booking was accepted \
                      after all, it is found again.";
        return Problem::new(ProblemCode::StoreUnavailable, detail).retry_after(ASK_AGAIN_SECONDS);
    }
    tracing::error!(%request_id, error, "a request failed: a fault of this service");
    Problem::new(ProblemCode::InternalError, "The log of this service says why, under the requestId.")
}

fn cursor_outdated(from: Option<Timestamp>) -> Problem {
    let from = from.and_then(|from| from.format(&Rfc3339).ok());
    let from = from.map_or("a time before that".to_owned(), |from| format!("the time {from}"));
    let detail = format!(
        "Since this cursor was given, the database was restored to an earlier moment, moved, or failed over. Begin again without \
         a cursor, with `from` and {from}, and replace what you have kept of the events from then on."
    );
    Problem::new(ProblemCode::CursorOutdated, detail)
}
