//! Puts the doors into actix apps: the public one, and the one for operators on a second port.
//!
//! Middleware, the request line, health and shutdown; nothing about bookings. Started by `command`.

mod admin;
mod admission;
mod health;
mod listener;
mod public;
mod request_line;

pub(crate) use admin::AdminServer;
pub(crate) use health::Health;
pub(crate) use listener::bind;
pub(crate) use public::PublicServer;
