//! The OpenAPI 3.1 document: generated from the endpoints, the bodies and the table of problems.
//!
//! `document` collects the operations and adds what follows from rules (problems, headers); `parameters` and `schema`
//! describe what several operations share; `example` holds the examples. `docs/openapi.json` is its reviewed copy.

mod document;
pub(super) mod example;
pub(super) mod parameters;
pub(super) mod schema;

pub(crate) use document::openapi_json;
