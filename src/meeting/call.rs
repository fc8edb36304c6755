//! What can be asked of Graph.

use std::fmt;

use uuid::Uuid;

use super::observed::MeetingId;
use crate::booking::{Attendee, BookingSpec, ExternalId, MeetingSettings, Subject, Upn, UserId};
use crate::clock::Timestamp;

/// One call to Graph. Every call can be repeated without harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Which user has this name? (`GET /users/{upn}`)
    FindOrganizer(Upn),
    /// Make the meeting, or say which one there is (`createOrGet`).
    CreateOrGet {
        /// On whose behalf.
        organizer: UserId,
        /// Under which name.
        external_id: ExternalId,
        /// What the meeting should be; Graph applies it only when it makes one.
        spec: Box<BookingSpec>,
    },
    /// Make a meeting agree with its booking (`PATCH`).
    Change {
        /// Whose meeting.
        organizer: UserId,
        /// Which one.
        meeting: MeetingId,
        /// Whether it is one in a channel, which another version of Graph's interface made.
        in_channel: bool,
        /// What to change.
        change: Change,
    },
    /// How is the meeting now? (`GET`)
    Look {
        /// Whose meeting.
        organizer: UserId,
        /// Which one.
        meeting: MeetingId,
        /// Whether it is one in a channel, which another version of Graph's interface made.
        in_channel: bool,
    },
    /// Remove a meeting (`DELETE`).
    Remove {
        /// Whose meeting.
        organizer: UserId,
        /// Which one.
        meeting: MeetingId,
        /// Whether it is one in a channel, which another version of Graph's interface made.
        in_channel: bool,
    },
}

impl Call {
    /// For whose meetings it is; none where that is what it asks.
    #[must_use]
    pub fn organizer(&self) -> Option<UserId> {
        match self {
            Self::FindOrganizer(_) => None,
            Self::CreateOrGet { organizer, .. }
            | Self::Change { organizer, .. }
            | Self::Look { organizer, .. }
            | Self::Remove { organizer, .. } => Some(*organizer),
        }
    }

    /// Which kind of call this is.
    #[must_use]
    pub fn kind(&self) -> CallKind {
        match self {
            Self::FindOrganizer(_) => CallKind::FindOrganizer,
            Self::CreateOrGet { .. } => CallKind::CreateOrGet,
            Self::Change { .. } => CallKind::Change,
            Self::Look { .. } => CallKind::Look,
            Self::Remove { .. } => CallKind::Remove,
        }
    }
}

/// The kind of a call, as history, metrics and logs name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallKind {
    /// `GET /users/{upn}`
    FindOrganizer,
    /// `POST …/createOrGet`
    CreateOrGet,
    /// `PATCH …/onlineMeetings/{id}`
    Change,
    /// `GET …/onlineMeetings/{id}`
    Look,
    /// `DELETE …/onlineMeetings/{id}`
    Remove,
}

impl CallKind {
    /// All of them; the fault matrix holds this list to the enumeration, and walks through each.
    pub const ALL: [Self; 5] =
        [Self::FindOrganizer, Self::CreateOrGet, Self::Change, Self::Look, Self::Remove];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FindOrganizer => "find-organizer",
            Self::CreateOrGet => "create-or-get",
            Self::Change => "change",
            Self::Look => "look",
            Self::Remove => "remove",
        }
    }
}

/// What a `PATCH` changes: only what differs, both times together, the attendees as the whole list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// A new subject; `Some(None)` takes it away.
    pub subject: Option<Option<Subject>>,
    /// New start and end.
    pub times: Option<(Timestamp, Timestamp)>,
    /// The whole list of attendees.
    pub attendees: Option<Vec<Attendee>>,
    /// Settings, only those that differ.
    pub settings: MeetingSettings,
    /// Only the organizer passes the lobby: what a cancel does first, because an old link lives on.
    pub close_lobby: bool,
}

impl Change {
    /// Everything that a booking says, whatever its meeting is like.
    #[must_use]
    pub fn whole(spec: &BookingSpec) -> Self {
        Self {
            subject: spec.subject.is_some().then(|| spec.subject.clone()),
            times: Some((spec.start_date_time, spec.end_date_time)),
            attendees: Some(spec.attendees.clone()),
            settings: spec.effective_settings.clone(),
            close_lobby: false,
        }
    }

    /// Whether there is nothing to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The same change as Graph takes it: Microsoft wants the whole list of attendees beside presenters by role.
    #[must_use]
    pub fn with_what_belongs_to_it(mut self, spec: &BookingSpec) -> Self {
        if self.settings.has_presenters_by_role() && self.attendees.is_none() {
            self.attendees = Some(spec.attendees.clone());
        }
        self
    }

    /// The members of the meeting that it changes, as Graph names them; one in a member with that member's name:
    /// `lobbyBypassSettings.scope`.
    #[must_use]
    pub fn members(&self) -> Vec<&'static str> {
        let mut members = Vec::new();
        if self.subject.is_some() {
            members.push("subject");
        }
        if self.times.is_some() {
            members.extend(["startDateTime", "endDateTime"]);
        }
        if self.attendees.is_some() {
            members.push("participants.attendees");
        }
        members.extend(self.settings.iter().map(|(path, _)| path));
        if self.close_lobby {
            members.push("lobbyBypassSettings");
        }
        members
    }
}

/// The name of one attempt: one call to Graph. It travels as `client-request-id`, so Microsoft can find it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AttemptId(Uuid);

impl AttemptId {
    /// The attempt with this id.
    #[must_use]
    pub fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// The id itself.
    #[must_use]
    pub fn uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An attempt under way. Its id is the fencing token: only while the booking still names this attempt may its
/// result be settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// Its name.
    pub id: AttemptId,
    /// When it was begun.
    pub started_at: Timestamp,
    /// When its lease ends and another replica may take over.
    pub leased_until: Timestamp,
}
