//! The endpoints under `/v1/bookings`: create or get, search, get, create or replace, cancel, retry, check.
//!
//! One file per endpoint, named for its operation. Beside them: what a caller sends (`…_request_body`,
//! `booking_payload`), what a booking looks like in an answer (`…_body`), and how the outcome of a request becomes a
//! status, headers and a body (`booking_responder`, `late_message`). What becomes of a booking is decided in `provisioning`.

mod booking_body;
mod booking_payload;
mod booking_request_body;
mod booking_responder;
pub(super) mod check_booking;
pub(super) mod create_booking;
pub(super) mod delete_booking;
pub(super) mod get_booking;
mod last_error_body;
mod late_message;
pub(super) mod list_bookings;
mod meeting_settings_body;
mod open_bodies;
pub(super) mod put_booking;
pub(super) mod retry_booking;
mod tombstone_body;

pub(super) use booking_body::{BookingBody, OrganizerBody};
#[cfg(test)]
pub(crate) use booking_payload::BODY_BYTES_MAX;
#[cfg(test)]
pub(super) use booking_responder::BookingResponder;
pub(super) use tombstone_body::CancelledBody;
