//! Our JSON: what is sent and what is answered. Private to the doors.

mod audit_event;
mod booking_body;
mod booking_request_body;
mod meeting_settings_body;
mod organizer_checks_body;
mod page;
mod problem;

pub(super) use audit_event::AuditEventBody;
pub(super) use booking_body::{BookingBody, GraphBody, LastErrorBody, OrganizerBody};
pub(super) use booking_request_body::{BookingRequestBody, DeclarationBody};
pub(super) use organizer_checks_body::ReadinessBody;
pub(super) use page::{AuditEventPageBody, BookingPageBody, PageBody, ProblemExplainedBody};
pub(super) use problem::{DifferenceBody, ErrorBody, ProblemBody};
