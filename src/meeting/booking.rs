//! How a booking stands: what is wanted, what was observed, and what is due.

use std::time::Duration;

use super::failure::LastError;
use super::next_step::Failures;
use super::observed::Observed;
use crate::booking::{BookingKey, BookingSpec, ExternalId, Generation};
use crate::clock::Timestamp;

/// One generation of a booking as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Booking {
    /// Which booking.
    pub key: BookingKey,
    /// Which generation of it.
    pub generation: Generation,
    /// Rises with every change that a caller can see; the `ETag`.
    pub revision: u32,
    /// What is wanted.
    pub wanted: Wanted,
    /// What was observed at Graph.
    pub observed: Observed,
    /// What happens next.
    pub progress: Progress,
    /// How many attempts are settled.
    pub attempts: u32,
    /// The failures since the last success.
    pub failures: Failures,
    /// The last failure, until a success.
    pub last_error: Option<LastError>,
    /// When the meeting first was what was wanted.
    pub provisioned_at: Option<Timestamp>,
    /// When the booking was accepted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What is wanted of Graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Whether there should be a meeting.
    pub desired_state: DesiredState,
    /// Under which name.
    pub external_id: ExternalId,
    /// What it should be.
    pub spec: BookingSpec,
    /// Rises whenever something else is wanted.
    pub revision: u32,
}

/// Whether there should be a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DesiredState {
    /// There should be a meeting.
    Present,
    /// It is cancelled: there should be no meeting.
    Cancelled,
}

impl DesiredState {
    /// Its name in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads its name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Present, Self::Cancelled].into_iter().find(|desired_state| desired_state.as_str() == text)
    }
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Something is to be asked of Graph, not before this time.
    Due(Timestamp),
    /// Wanted and observed agree.
    Settled,
    /// An operator or the caller must act first.
    Parked,
}

/// A booking's state, as callers see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// No meeting yet.
    Pending,
    /// The meeting is what was asked for.
    Provisioned,
    /// The meeting is there and is being changed.
    Updating,
    /// The meeting is being removed.
    Cancelling,
    /// The meeting is removed.
    Cancelled,
    /// Parked: an operator or the caller must act.
    Failed,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Provisioned, Self::Updating, Self::Cancelling, Self::Cancelled, Self::Failed];

    /// Its name in the API and the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Provisioned => "provisioned",
            Self::Updating => "updating",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// Reads its name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

impl Booking {
    /// The booking's state, as callers see it.
    #[must_use]
    pub fn status(&self) -> Status {
        match (self.progress, self.wanted.desired_state) {
            (Progress::Parked, _) => Status::Failed,
            (Progress::Settled, DesiredState::Present) => Status::Provisioned,
            (Progress::Settled, DesiredState::Cancelled) => Status::Cancelled,
            (Progress::Due(_), DesiredState::Cancelled) => Status::Cancelling,
            (Progress::Due(_), DesiredState::Present) if self.is_only_checked() => Status::Provisioned,
            (Progress::Due(_), DesiredState::Present) if self.provisioned_at.is_some() => Status::Updating,
            (Progress::Due(_), DesiredState::Present) => Status::Pending,
        }
    }

    /// Whether nothing is to be changed: Graph is asked how a meeting is that agreed with the booking.
    fn is_only_checked(&self) -> bool {
        self.observed
            .meeting
            .as_ref()
            .is_some_and(|meeting| meeting.agreement.is_check_of(self.wanted.revision))
    }

    /// How long it is until it is due, nothing if it should have been before; none where it isn't.
    #[must_use]
    pub fn due_in(&self, now: Timestamp) -> Option<Duration> {
        Some((self.due_at()? - now).try_into().unwrap_or_default())
    }

    /// When it is due, if it is.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        match self.progress {
            Progress::Due(at) => Some(at),
            Progress::Settled | Progress::Parked => None,
        }
    }
}
