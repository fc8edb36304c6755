//! The facts we testify to: what happened to a booking, who asked for it, and what Graph answered.
//!
//! Pure: an event is made by whoever acts and written by `store` in the same transaction as the act. Nothing
//! here stores or prints. The rules by which bookings, meetings and history must agree are here, too, as functions over
//! what was read. Called by `provisioning`, `store`, the doors and `command`.

mod at_graph;
mod event;
mod examined;
mod filter;
mod rules;
mod testimony;

pub use at_graph::{AtGraph, at_graph, is_worth_asking};
pub use event::{Actor, AuditEvent, EventKind, NewAuditEvent, Origin};
pub use examined::{Beside, Examined, ExaminedEvent, Exception, Orphans, Yardstick};
pub use filter::{AuditEventFilter, Order};
pub use rules::{examine, orphaned, unguarded};
pub use testimony::{AttemptFacts, NextFacts, Testimony};
