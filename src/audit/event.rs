//! One event of a booking's history.

use std::fmt;

use super::event_payload::EventPayload;
use crate::booking::{BookingKey, ExternalId, Generation};
use crate::clock::Timestamp;
use crate::meeting::Outcome;

/// An event as it was written. Events are facts of the past: they are never changed or deleted.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEvent {
    /// Its number; later events of one booking have higher ones.
    pub event_id: i64,
    /// The transaction that wrote it, by which the history of all bookings is ordered.
    pub transaction_id: i64,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What happened, as `EventKind` names it. Text, because an older replica may read a newer one's events.
    pub kind: String,
    /// The outcome of the call to Graph, if it is about one.
    pub outcome: Option<String>,
    /// Which booking.
    pub key: BookingKey,
    /// Which of its generations; none for a cancel that came before the booking.
    pub generation: Option<Generation>,
    /// Its external id, under which Graph knows the meeting; before the booking that of its first generation.
    pub external_id: ExternalId,
    /// On whose behalf, as the caller wrote it; a cancel that came before the booking doesn't say.
    pub organizer: Option<String>,
    /// Which meeting, once there is one.
    pub meeting_id: Option<String>,
    /// Who acted.
    pub actor: String,
    /// Everything else that is known of it: an `EventPayload` as JSON text.
    pub payload: Box<str>,
}

/// An event that is about to be written, in the same statement as the act. Which booking it is about, and which
/// meeting, is taken from the row that the act touches.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAuditEvent {
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What happened.
    pub kind: EventKind,
    /// The outcome of the call to Graph, if it is about one.
    pub outcome: Option<&'static str>,
    /// Who acted.
    pub actor: Actor,
    /// Everything else.
    pub payload: EventPayload,
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// A booking was stored: from here on it can't be lost.
    BookingAccepted,
    /// A meeting turned out to be as wanted, with nothing to ask of Graph.
    BookingAgreed,
    /// Something else is wanted of the booking.
    BookingChanged,
    /// The booking was cancelled.
    BookingCancelled,
    /// A cancel of a booking that is not known was kept, so that an older create makes no meeting.
    CancelKept,
    /// Its caller or an operator retried the booking.
    BookingRetried,
    /// The booking was parked for a reason that a success for the same organizer refutes, and is due again.
    BookingFreed,
    /// The organizer's object id was found.
    OrganizerFound,
    /// Graph made the meeting.
    MeetingCreated,
    /// Graph had the meeting already.
    MeetingFound,
    /// Graph changed the meeting.
    MeetingChanged,
    /// Graph returned the meeting: unchanged since it was last seen.
    MeetingSeen,
    /// Graph returned the meeting: changed at Graph since it was last seen (drift).
    MeetingDrifted,
    /// The meeting is removed.
    MeetingRemoved,
    /// Graph refused the call.
    CallRefused,
    /// Graph asked us to slow down.
    CallThrottled,
    /// Graph, or the network to it, failed.
    CallUnavailable,
    /// A call was sent and no answer came, or the process that sent it died.
    CallUnknown,
    /// A call was not sent: no call may be sent before a time.
    CallPostponed,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 19] = [
        Self::BookingAccepted,
        Self::BookingAgreed,
        Self::BookingChanged,
        Self::BookingCancelled,
        Self::CancelKept,
        Self::BookingRetried,
        Self::BookingFreed,
        Self::OrganizerFound,
        Self::MeetingCreated,
        Self::MeetingFound,
        Self::MeetingChanged,
        Self::MeetingSeen,
        Self::MeetingDrifted,
        Self::MeetingRemoved,
        Self::CallRefused,
        Self::CallThrottled,
        Self::CallUnavailable,
        Self::CallUnknown,
        Self::CallPostponed,
    ];

    /// The kind of event that an outcome makes.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::OrganizerFound(_) => Self::OrganizerFound,
            Outcome::Created(_) => Self::MeetingCreated,
            Outcome::Found(_) => Self::MeetingFound,
            Outcome::Changed(_) => Self::MeetingChanged,
            Outcome::Seen(_) => Self::MeetingSeen,
            Outcome::Gone => Self::MeetingRemoved,
            Outcome::Refused(_) => Self::CallRefused,
            Outcome::Throttled { .. } => Self::CallThrottled,
            Outcome::Unavailable { .. } => Self::CallUnavailable,
            Outcome::Unknown => Self::CallUnknown,
        }
    }

    /// Its name: a fact of the past.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BookingAccepted => "booking.accepted",
            Self::BookingAgreed => "booking.agreed",
            Self::BookingChanged => "booking.changed",
            Self::BookingCancelled => "booking.cancelled",
            Self::CancelKept => "cancel.kept",
            Self::BookingRetried => "booking.retried",
            Self::BookingFreed => "booking.freed",
            Self::OrganizerFound => "organizer.found",
            Self::MeetingCreated => "meeting.created",
            Self::MeetingFound => "meeting.found",
            Self::MeetingChanged => "meeting.changed",
            Self::MeetingSeen => "meeting.seen",
            Self::MeetingDrifted => "meeting.drifted",
            Self::MeetingRemoved => "meeting.removed",
            Self::CallRefused => "call.refused",
            Self::CallThrottled => "call.throttled",
            Self::CallUnavailable => "call.unavailable",
            Self::CallUnknown => "call.unknown",
            Self::CallPostponed => "call.postponed",
        }
    }
}

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The caller with the API key of this name.
    ApiKey(String),
    /// The caller with a token, by this name: issuer, subject and application.
    Token(String),
    /// The caller with a certificate shown over TLS, by the name that the settings give it.
    Certificate(String),
    /// This user of the operating system, by a command on the service's machine.
    Command(String),
    /// The service itself: a replica's worker, which resumes what is due.
    Worker,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiKey(name) => write!(f, "api-key:{name}"),
            Self::Token(name) => write!(f, "token:{name}"),
            Self::Certificate(name) => write!(f, "certificate:{name}"),
            Self::Command(user) => write!(f, "command:{user}"),
            Self::Worker => f.write_str("worker"),
        }
    }
}

/// Where an act comes from: who, and by which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Who acts.
    pub actor: Actor,
    /// The request's id, as the answer and the log line carry it.
    pub request_id: Option<String>,
    /// The request's W3C `traceparent`, passed on to Graph.
    pub traceparent: Option<String>,
}

impl Origin {
    /// The worker, not on a request.
    #[must_use]
    pub fn worker() -> Self {
        Self { actor: Actor::Worker, request_id: None, traceparent: None }
    }
}
