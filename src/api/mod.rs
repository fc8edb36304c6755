//! The JSON door: one file per endpoint, with the bodies, the problems and the document that describes them.
//!
//! It reads requests, asks `provisioning` or the reading half of the store, and writes answers. It decides nothing
//! about bookings, writes nothing to the store, never names SQL or Graph's wire, and tells callers nothing about
//! another source system. Every call under `/v1` is authenticated before anything else of it is looked at.
//! Called by `server`, which puts it into an app, and by `command`, which prints the document.

mod accept;
mod authentication;
mod body;
mod booking_request;
mod cursor;
mod delete_booking;
mod docs_page;
mod example;
#[cfg(test)]
mod fixture;
mod get_audit_events;
mod get_booking;
mod get_booking_history;
mod get_bookings;
mod get_openapi;
mod get_problems;
mod get_readiness;
mod history;
mod json;
mod openapi;
mod outcome_response;
mod paging;
mod post_bookings;
mod post_retry;
mod precondition;
mod prefer;
mod problem;
mod put_booking;
mod query;
mod request_id;
mod response;
mod routes;
mod schema;
mod scope;
mod state;

pub(crate) use openapi::openapi_json;
pub(crate) use problem::{ProblemCode, overloaded};
pub(crate) use routes::configure;
pub(crate) use state::{ApiState, Remedies, WaitSettings};
