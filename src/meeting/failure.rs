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
    /// Graph says that the request itself is wrong, or forbids it for good.
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
            Outcome::Refused(Refusal::Conflict) | Outcome::Unavailable { .. } => Self::GraphUnavailable,
            Outcome::Refused(Refusal::Forbidden | Refusal::Request | Refusal::MeetingMissing) => {
                Self::GraphRefused
            }
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
