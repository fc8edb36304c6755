//! The two HTTP servers: the public port, and the admin port for operators.
//!
//! Connections and their time limits, middleware, admission, the request line and health; nothing about bookings. Started
//! by `command`.

mod admin;
mod admission;
mod answering;
mod connection;
mod health;
mod listener;
mod peers;
mod port;
mod progress;
mod public;
mod rate_limits;
mod request_line;
mod stream;
mod tls;
mod waiting_line;

pub(crate) use admin::AdminServer;
pub(crate) use health::{CredentialCondition, CredentialWatch, Health};
pub(crate) use listener::bind;
pub(crate) use port::{CLOSE_REASONS, PORTS};
#[cfg(test)]
pub(crate) use public::KEEP_ALIVE;
pub(crate) use public::PublicServer;
pub(crate) use rate_limits::{REQUESTS_PER_SECOND, Rate, RateLimits};
pub use tls::TlsFault;
pub(crate) use tls::{Tls, TlsFiles};
