//! Which bookings to list.

use super::booking::Status;
use super::failure::Failure;
use crate::booking::{BookingId, ExternalId, SourceSystem};
use crate::clock::Timestamp;

/// Which bookings; an absent member leaves that side open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BookingFilter {
    /// Of this source system.
    pub source_system: Option<SourceSystem>,
    /// With this id.
    pub booking_id: Option<BookingId>,
    /// With one of these; empty means any.
    pub statuses: Vec<Status>,
    /// With a last error of this kind.
    pub code: Option<Failure>,
    /// Of this organizer: object id, or any name that was found to be the same user's.
    pub organizer: Option<String>,
    /// With this external id.
    pub external_id: Option<ExternalId>,
    /// With this meeting.
    pub meeting_id: Option<String>,
    /// Starting at this time or later.
    pub starts_from: Option<Timestamp>,
    /// Starting before this time.
    pub starts_before: Option<Timestamp>,
    /// Changed at this time or later.
    pub updated_from: Option<Timestamp>,
    /// Changed before this time.
    pub updated_before: Option<Timestamp>,
    /// Failing or postponed since before this time.
    pub failing_before: Option<Timestamp>,
}
