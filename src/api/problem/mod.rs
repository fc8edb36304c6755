//! Problems: what went wrong, in words for the caller (RFC 9457).
//!
//! [`ProblemCode`] is the one table of them: it feeds the answers, the pages under `/problems` and the OpenAPI
//! document. Error chains never come this far: they are logged where a [`Problem`] is made of them.

mod code;
mod overload;
mod parked;
mod problem_response;
mod problem_texts;
mod store_problem;

pub(crate) use code::ProblemCode;
pub(crate) use overload::overloaded;
pub(super) use parked::{failure_body, parked};
pub(super) use problem_response::{EndpointResponse, EndpointResult, Problem};
pub(super) use store_problem::store_problem;
