//! The OpenAPI 3.1 document: generated from the endpoints, the bodies and the table of problems.
//!
//! `document` collects the operations and adds what follows from rules (problems, headers); `absent` makes what may be left
//! out absent rather than null; `forms` says what form a request's texts have, `words` names the lists of words, `parameters` and `audit_event_details` describe what
//! several operations share; `example` and `problem_example` hold the examples. `docs/openapi.json` is its reviewed copy.

mod absent;
mod audit_event_details;
mod document;
pub(super) mod example;
#[cfg(test)]
mod examples_tests;
mod forms;
pub(super) mod parameters;
mod problem_example;
#[cfg(test)]
mod schema_check;
pub(super) mod words;

pub(super) use audit_event_details::AuditEventDetails;
pub(crate) use document::openapi_json;
