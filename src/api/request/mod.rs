//! What the endpoints read of a request: who sends it, its headers, its query, its JSON.
//!
//! Everything that can't be read is a problem that names the header, the parameter or the member. Nothing here knows
//! of bookings beyond their ids, and nothing writes answers.

mod accept_header;
mod authentication;
mod booking_path;
mod conditional_headers;
mod cursor;
mod join_links;
mod paging;
mod prefer_header;
mod query;
mod request_origin;
mod scope;

pub(super) use accept_header::AcceptedForms;
pub(super) use authentication::{Authenticated, authenticate};
pub(super) use booking_path::{booking_id, location, new_booking_id, no_such_booking};
pub(super) use conditional_headers::{has_current, preconditions};
pub(super) use join_links::JoinLinks;
#[cfg(test)]
pub(crate) use paging::LIMIT_MAX;
pub(super) use paging::{PageRequest, empty_page};
pub(super) use prefer_header::Preferences;
pub(super) use query::Query;
pub(super) use request_origin::{origin, request_id};
pub(super) use scope::Scope;
