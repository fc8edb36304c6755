//! Problems: what went wrong, in words for the caller (RFC 9457).
//!
//! [`ProblemCode`] is the one table of them: it feeds the answers, the pages under `/problems` and the OpenAPI
//! document. Error chains never come this far: they are logged where a [`Problem`] is made of them.

mod answer;
mod code;
mod graph;
mod of_store;
mod overload;
mod words;

pub(super) use answer::{Answer, Answered, Problem};
pub(crate) use code::ProblemCode;
pub(super) use graph::{failure_body, parked};
pub(super) use of_store::not_kept;
pub(crate) use overload::overloaded;
