//! What the tables hold of one generation of a booking, whether or not it makes sense.

use uuid::Uuid;

use crate::booking::{BookingKey, ExternalId, Generation, Namespace, TenantId};
use crate::clock::Timestamp;
use crate::meeting::{Attempt, Booking};

/// One generation of a booking as its row and its events have it, read at one moment.
#[derive(Debug, Clone)]
pub struct Examined {
    /// Its name for people: `room-booking/BK-1001 generation 1`.
    pub name: String,
    /// Its key; none where the columns hold no valid key.
    pub identity: Option<(BookingKey, Generation)>,
    /// Its external id.
    pub external_id: ExternalId,
    /// Its status, as the column has it.
    pub status: String,
    /// How many attempts are settled, as the column has it.
    pub attempts: i64,
    /// Which meeting it has, as the column has it.
    pub meeting_id: Option<String>,
    /// By which link people join, as the column has it.
    pub join_web_url: Option<String>,
    /// When it is due, as the column has it.
    pub due_at: Option<Timestamp>,
    /// Its lease.
    pub lease: Option<Attempt>,
    /// What the row means; or why it means nothing.
    pub booking: Result<Box<Booking>, String>,
    /// Related rows.
    pub beside: Related,
    /// Its events, oldest first.
    pub events: Vec<ExaminedEvent>,
}

/// Related rows of this one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Related {
    /// Whether a generation is missing before this one.
    pub lacks_predecessor: bool,
    /// Whether a later generation has, or had, its meeting.
    pub is_succeeded: bool,
    /// How many other rows have the same meeting.
    pub sharing_meeting: i64,
}

/// One of its events, as far as it is examined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExaminedEvent {
    /// Its number.
    pub event_id: i64,
    /// What happened.
    pub kind: String,
    /// The outcome of the call, if it is about one.
    pub outcome: Option<String>,
    /// The booking's external id, by this event.
    pub external_id: ExternalId,
    /// Which meeting it had then.
    pub meeting_id: Option<String>,
    /// The SHA-256 of the link that it had then.
    pub join_web_url_sha256: Option<String>,
    /// The attempt that it is about.
    pub attempt: Option<Uuid>,
    /// Its number among the booking's attempts.
    pub attempt_number: Option<i64>,
    /// The status from then on.
    pub next_status: Option<String>,
}

/// Events whose booking is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphans {
    /// The generation of the booking that they name, for people.
    pub name: String,
    /// How many.
    pub events: i64,
    /// The meeting that they name, if they do.
    pub meeting_id: Option<String>,
}

/// What the rules compare the tables with.
#[derive(Debug, Clone, Copy)]
pub struct RuleContext {
    /// The namespace of external ids.
    pub namespace: Namespace,
    /// The tenant whose meetings these are.
    pub tenant: TenantId,
    /// The time now.
    pub now: Timestamp,
    /// How long a lease lasts.
    pub lease: std::time::Duration,
}

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Which rule is broken.
    pub rule: &'static str,
    /// What it is about, mostly a generation of a booking.
    pub about: String,
    /// What is wrong, as a sentence.
    pub says: String,
    /// What to do.
    pub remedy: &'static str,
}
