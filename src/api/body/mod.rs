//! Our JSON: what is sent and what is answered. Private to the doors.

mod audit_event;
mod booking;
mod meeting_settings;
mod page;
mod problem;
mod readiness;
mod request;

pub(super) use audit_event::AuditEventBody;
pub(super) use booking::{BookingBody, GraphBody, LastErrorBody, OrganizerBody};
pub(super) use page::{AuditEventPageBody, BookingPageBody, PageBody, ProblemExplainedBody};
pub(super) use problem::{DifferenceBody, ErrorBody, ProblemBody};
pub(super) use readiness::ReadinessBody;
pub(super) use request::{BookingRequestBody, DeclarationBody};
