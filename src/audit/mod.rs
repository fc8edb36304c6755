//! The facts on record: what happened to a booking, who asked for it, and what Graph answered.
//!
//! Pure: an event is made by the room that acts and written by `store` in the same transaction as the act. Nothing
//! here stores or prints. The rules by which bookings, meetings and history must agree are here, too, as functions over
//! what was read. Called by `provisioning`, `store`, `api` and `command`.

mod event;
mod event_filter;
mod event_payload;
mod examined_booking;
mod graph_rules;
mod link_digest;
mod rules;

pub use event::{Actor, AuditEvent, EventKind, NewAuditEvent, Origin};
pub use event_filter::{AuditEventFilter, Order};
pub use event_payload::{AttemptFacts, EventPayload, NextFacts};
pub use examined_booking::{Examined, ExaminedEvent, Exception, Orphans, Related, RuleContext};
pub use graph_rules::{AtGraph, at_graph, is_worth_asking};
pub use link_digest::sha256_hex;
pub use rules::{examine, orphaned, unguarded};
