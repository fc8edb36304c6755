//! Why a call is not admitted, and until when.

use crate::clock::Timestamp;

/// Why a call has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum RejectionReason {
    /// Graph asked our application to wait.
    ApplicationPaused,
    /// Graph asked for no more calls for this organizer.
    OrganizerPaused,
    /// Graph asked several times for no more calls, each for this source system.
    SourceSystemPaused,
    /// Graph asked for no more look-ups of names.
    LookUpsPaused,
    /// This replica has no token; another may have one.
    NoToken,
    /// Graph has not answered this source system's calls for a while; another call sees whether it does.
    CircuitOpen,
    /// As many calls as Graph takes are under way already.
    Busy,
    /// As many calls as this source system may have are under way already.
    ShareUsedUp,
}

/// A call is not admitted now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rejected {
    /// When it may be tried again.
    pub(crate) retry_at: Timestamp,
    /// Why.
    pub(crate) reason: RejectionReason,
}

impl RejectionReason {
    /// All of them.
    pub(crate) const ALL: [Self; 8] = [
        Self::ApplicationPaused,
        Self::OrganizerPaused,
        Self::SourceSystemPaused,
        Self::LookUpsPaused,
        Self::NoToken,
        Self::CircuitOpen,
        Self::Busy,
        Self::ShareUsedUp,
    ];

    /// Its name in metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ApplicationPaused => "application-paused",
            Self::OrganizerPaused => "organizer-paused",
            Self::SourceSystemPaused => "source-system-paused",
            Self::LookUpsPaused => "look-ups-paused",
            Self::NoToken => "no-token",
            Self::CircuitOpen => "away",
            Self::Busy => "busy",
            Self::ShareUsedUp => "share",
        }
    }
}
