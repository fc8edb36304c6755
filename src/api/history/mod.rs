//! The endpoints that read the history: the audit events of one booking, and of all that a caller may see.
//!
//! Events are only read here; `provisioning` writes each together with the act that it records.

mod audit_event_body;
mod history_query;
pub(super) mod list_audit_events;
pub(super) mod list_booking_audit_events;

#[cfg(test)]
pub(super) use audit_event_body::AuditEventBody;
