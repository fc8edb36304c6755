//! The HTTP API in JSON: its endpoints, their bodies and problems, and the document that describes them.
//!
//! It reads requests, asks `provisioning` or the reading half of the store, and writes answers. It decides nothing
//! about bookings, writes nothing to the store, never names SQL or Graph's wire, and tells callers nothing about
//! another source system. Every call under `/v1` is authenticated before anything else of it is looked at.
//! Called by `server`, which puts it into an app, and by `command`, which prints the document.
//!
//! | route | file |
//! | --- | --- |
//! | `POST /v1/bookings` | `bookings/create_booking.rs` |
//! | `GET /v1/bookings` | `bookings/list_bookings.rs` |
//! | `GET /v1/bookings/{bookingId}` | `bookings/get_booking.rs` |
//! | `PUT /v1/bookings/{bookingId}` | `bookings/put_booking.rs` |
//! | `DELETE /v1/bookings/{bookingId}` | `bookings/delete_booking.rs` |
//! | `POST /v1/bookings/{bookingId}/retry` | `bookings/retry_booking.rs` |
//! | `POST /v1/bookings/{bookingId}/check` | `bookings/check_booking.rs` |
//! | `GET /v1/bookings/{bookingId}/audit-events` | `history/list_booking_audit_events.rs` |
//! | `GET /v1/audit-events` | `history/list_audit_events.rs` |
//! | `GET /v1/organizers/{organizer}/readiness` | `organizers/get_organizer_readiness.rs` |
//! | `GET /v1/me` | `callers/get_caller.rs` |
//! | `GET /problems` | `problems/list_problems.rs` |
//! | `GET /problems/{code}` | `problems/get_problem.rs` |
//! | `GET /` | `documents/get_root.rs` |
//! | `GET /openapi.json` | `documents/get_openapi.rs` |
//! | `GET /docs`, `GET /docs/{file}` | `documents/docs_page.rs` |
//!
//! An endpoint's file is named for its operation in the OpenAPI document. What endpoints share: `request` reads,
//! `response` writes, `problems` says what went wrong, `openapi` describes. `routes.rs` binds paths to endpoints.

mod bookings;
mod callers;
mod documents;
#[cfg(test)]
mod fixture;
mod history;
mod openapi;
mod organizers;
mod problems;
mod request;
mod response;
mod routes;
mod state;

#[cfg(test)]
pub(crate) use bookings::BODY_BYTES_MAX;
pub(crate) use openapi::openapi_json;
pub(crate) use problems::{ProblemCode, overloaded, rate_limited};
#[cfg(test)]
pub(crate) use request::LIMIT_MAX as PAGE_ITEMS_MAX;
pub(crate) use routes::configure;
pub(crate) use state::{ApiState, Remedies, WaitSettings};
