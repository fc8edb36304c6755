//! Problems (RFC 9457): what went wrong, in words for the caller, and the pages that explain them.
//!
//! [`ProblemCode`] is the one table of them: it feeds the answers, the pages under `/problems` and the OpenAPI
//! document. An endpoint returns a [`Problem`]; what only its request knows (the path, the id) is added when it is
//! answered. Error chains end here: they are logged where a problem is made of them, and callers don't see them.

mod attendee_changes_body;
mod documented_problems;
pub(super) mod get_problem;
mod graph_body;
pub(super) mod list_problems;
mod overloaded;
mod problem_body;
mod problem_code;
mod problem_page;
mod problem_response;
mod problem_texts;
mod refused;
mod store_problem;

pub(super) use attendee_changes_body::AttendeeChangesBody;
pub(super) use documented_problems::{DocumentedProblems, EVERY_CALL, PARKED, REFUSED};
pub(super) use graph_body::GraphBody;
pub(crate) use overloaded::overloaded;
pub(super) use problem_body::{DifferenceBody, ErrorBody, ProblemBody};
pub(crate) use problem_code::ProblemCode;
pub(super) use problem_response::{EndpointResponse, EndpointResult, Problem};
pub(super) use refused::out_of_reach;
pub(crate) use refused::rate_limited;
#[cfg(test)]
pub(super) use refused::refused_problem;
pub(super) use store_problem::store_problem;
