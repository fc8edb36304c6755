//! Why a booking has no meeting yet, as the API says it.

use serde::{Deserialize, Serialize};

use super::outcome::{Evidence, Outcome, Refusal};
use crate::clock::Timestamp;

/// The kinds of failure, named as the problem codes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// No application access policy for the organizer.
    OrganizerNotPermitted,
    /// No such user.
    OrganizerNotFound,
    /// Graph says that the request itself is wrong, forbids it for good, or didn't take it without saying why.
    GraphRefused,
    /// Our own credential is refused.
    GraphUnauthorized,
    /// Too many calls.
    GraphThrottled,
    /// Graph, or the way to it, is out of order.
    GraphUnavailable,
    /// Sent, but no answer came.
    GraphOutcomeUnknown,
}

impl Failure {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::OrganizerNotPermitted,
        Self::OrganizerNotFound,
        Self::GraphRefused,
        Self::GraphUnauthorized,
        Self::GraphThrottled,
        Self::GraphUnavailable,
        Self::GraphOutcomeUnknown,
    ];

    /// The failure in an outcome; none in a good one.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Option<Self> {
        Some(match outcome {
            Outcome::OrganizerFound(_)
            | Outcome::Created(_)
            | Outcome::Found(_)
            | Outcome::Changed(_)
            | Outcome::Seen(_)
            | Outcome::Gone => return None,
            Outcome::Refused(Refusal::OrganizerNotPermitted) => Self::OrganizerNotPermitted,
            Outcome::Refused(Refusal::OrganizerNotFound) => Self::OrganizerNotFound,
            Outcome::Refused(Refusal::Unauthorized) => Self::GraphUnauthorized,
            Outcome::Unavailable { .. } => Self::GraphUnavailable,
            Outcome::Refused(
                Refusal::Forbidden
                | Refusal::Request
                | Refusal::SomethingMissing
                | Refusal::MeetingMissing
                | Refusal::MeetingNotThereYet
                | Refusal::Passing { .. },
            ) => Self::GraphRefused,
            Outcome::Throttled { .. } => Self::GraphThrottled,
            Outcome::Unknown => Self::GraphOutcomeUnknown,
        })
    }

    /// The code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::OrganizerNotPermitted => "organizer-not-permitted",
            Self::OrganizerNotFound => "organizer-not-found",
            Self::GraphRefused => "graph-refused",
            Self::GraphUnauthorized => "graph-unauthorized",
            Self::GraphThrottled => "graph-throttled",
            Self::GraphUnavailable => "graph-unavailable",
            Self::GraphOutcomeUnknown => "graph-outcome-unknown",
        }
    }
}

/// Whether an error of Graph's is about now, and not about what was asked: 408, 409, 423 (locked), 424 (another call that it
/// depends on failed) and 425 (too early) by their definition (RFC 9110, 4918 and 8470), and a 400 with neither code nor message.
#[must_use]
pub fn is_passing(status: u16, code: Option<&str>, message: Option<&str>) -> bool {
    match status {
        408 | 409 | 423 | 424 | 425 => true,
        400 => code.is_none() && message.is_none(),
        _ => false,
    }
}

/// The last failure of a booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastError {
    /// What kind.
    pub code: Failure,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: Timestamp,
    /// What Graph answered.
    pub graph: Evidence,
}

impl LastError {
    /// Whether Graph's answer was about now and not about the booking.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        let Evidence { status, code, message, .. } = &self.graph;
        self.code == Failure::GraphRefused
            && status.is_some_and(|status| is_passing(status, code.as_deref(), message.as_deref()))
    }

    /// Whether another failure is of the same kind, so that the patience with this one goes on.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.code == other.code && self.is_passing() == other.is_passing()
    }
}
