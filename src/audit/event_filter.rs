//! Which events a caller asks for.

use uuid::Uuid;

use crate::booking::{BookingId, ExternalId, SourceSystem};
use crate::clock::Timestamp;

/// Which events; an absent member leaves that side open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditEventFilter {
    /// Of this source system.
    pub source_system: Option<SourceSystem>,
    /// Of this booking.
    pub booking_id: Option<BookingId>,
    /// Of the booking with this external id.
    pub external_id: Option<ExternalId>,
    /// Of the booking with this meeting.
    pub meeting_id: Option<String>,
    /// Of this organizer: object id, or any name that was found to be the same user's.
    pub organizer: Option<String>,
    /// By this actor, such as `api-key:front-desk` or `worker`.
    pub actor: Option<String>,
    /// Of this kind, such as `meeting.created`.
    pub kind: Option<String>,
    /// With this outcome, such as `throttled`.
    pub outcome: Option<String>,
    /// That this request caused.
    pub request_id: Option<Uuid>,
    /// After which the booking had this status, such as `failed`: it was parked.
    pub next_status: Option<String>,
    /// At this time or later.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub before: Option<Timestamp>,
}

/// In which order events are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// Oldest first: what follows a page is what happened after it.
    #[default]
    Ascending,
    /// Newest first.
    Descending,
}

impl Order {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ascending, Self::Descending];

    /// Its name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
        }
    }
}
