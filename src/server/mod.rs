//! The two HTTP servers: the public port, and the admin port for operators.
//!
//! Middleware, admission, the request line and health; nothing about bookings. Started by `command`.

mod admin;
mod admission;
mod health;
mod listener;
mod public;
mod request_line;

pub(crate) use admin::AdminServer;
pub(crate) use health::Health;
pub(crate) use listener::bind;
#[cfg(test)]
pub(crate) use public::KEEP_ALIVE;
pub(crate) use public::PublicServer;
