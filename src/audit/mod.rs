//! The facts we testify to: what happened to a booking, who asked for it, and what Graph answered.
//!
//! Pure: an event is made by whoever acts and written by `store` in the same transaction as the act. Nothing
//! here stores or prints. Called by `provisioning`, `store` and the doors.

mod event;
mod filter;
mod testimony;

pub use event::{Actor, AuditEvent, EventKind, NewAuditEvent, Origin};
pub use filter::{AuditEventFilter, Order};
pub use testimony::{AttemptFacts, NextFacts, Testimony};
