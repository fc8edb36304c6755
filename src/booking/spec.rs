//! What a booking says.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::address::AddressFault;
use super::meeting_settings::MeetingSettings;
use super::message_order::{Dtstamp, MessageOrder};
use super::text_types::{ChatThreadId, Sequence, Subject, Upn, UserId};
use crate::clock::Timestamp;

/// Up to 16 pairs that the caller keeps with its booking; never sent to Graph.
pub type Metadata = BTreeMap<String, String>;

/// What a booking system asks for. Serialized, it is the form in which the store and the history keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BookingSpec {
    /// On whose behalf the meeting exists.
    pub organizer: Organizer,
    /// The meeting's subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// When it starts.
    #[serde(with = "time::serde::rfc3339")]
    pub start_date_time: Timestamp,
    /// When it ends; never before the start.
    #[serde(with = "time::serde::rfc3339")]
    pub end_date_time: Timestamp,
    /// Who is invited, no upn twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attendees: Vec<Attendee>,
    /// The channel's thread, for a meeting in a channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat_thread_id: Option<ChatThreadId>,
    /// The settings of the meeting that the booking names.
    #[serde(default, skip_serializing_if = "MeetingSettings::is_empty")]
    pub settings: MeetingSettings,
    /// The settings that the meeting should have: [`BookingSpec::with_default_settings`], and those that the booking named once
    /// as the meeting had them before. Decided when the booking is accepted or changed and kept, so that defaults which change
    /// later change no booking.
    #[serde(default, skip_serializing_if = "MeetingSettings::is_empty")]
    pub effective_settings: MeetingSettings,
    /// Settings, by their paths, that the booking named once and doesn't name any longer, where it isn't known how the meeting
    /// had them before.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub released_settings: BTreeSet<String>,
    /// Which revision of the booking this is, as the booking system counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<Sequence>,
    /// When the booking system wrote this revision of the booking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dtstamp: Option<Dtstamp>,
    /// What the caller wants kept beside it.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

impl BookingSpec {
    /// Where its message stands in the order of messages.
    #[must_use]
    pub fn order(&self) -> MessageOrder {
        MessageOrder { sequence: self.sequence, dtstamp: self.dtstamp }
    }

    /// The same with other keys of order.
    #[must_use]
    pub fn with_order(self, order: MessageOrder) -> Self {
        Self { sequence: order.sequence, dtstamp: order.dtstamp, ..self }
    }

    /// The same booking with the settings that its meeting should have: those that it names, then `defaults`, then,
    /// where an attendee is to present by role, that roles decide. Graph lets everyone present otherwise, and a role would
    /// mean nothing.
    #[must_use]
    pub fn with_default_settings(self, defaults: &MeetingSettings) -> Self {
        let presents = |attendee: &Attendee| attendee.role != AttendeeRole::Attendee;
        let mut effective_settings = self.settings.or(defaults);
        if self.attendees.iter().any(presents) {
            effective_settings = effective_settings.or(&MeetingSettings::presenters_by_role());
        }
        Self { effective_settings, ..self }
    }
}

/// How a caller names an organizer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Organizer {
    /// By object id.
    UserId(UserId),
    /// By user principal name, which the service resolves to an object id.
    Upn(Upn),
}

impl Organizer {
    /// Reads an object id or a user principal name, as a caller sends it.
    ///
    /// # Errors
    /// When it is neither; the fault says why.
    pub fn parse(text: &str) -> Result<Self, AddressFault> {
        if text.contains('@') {
            return Upn::parse(text).map(Self::Upn);
        }
        UserId::parse(text).map(Self::UserId).map_err(|_| AddressFault::NeitherIdNorAddress)
    }

    /// The name as the caller wrote it.
    #[must_use]
    pub fn as_text(&self) -> String {
        match self {
            Self::UserId(id) => id.to_string(),
            Self::Upn(upn) => upn.as_str().to_owned(),
        }
    }
}

/// One invited person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attendee {
    /// Object id, where the caller knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// User principal name; Graph answers 500 for ever to an attendee without one.
    pub upn: Upn,
    /// What the person may do in the meeting.
    pub role: AttendeeRole,
}

/// What an attendee may do (Graph's `onlineMeetingRole`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttendeeRole {
    /// May take part.
    Attendee,
    /// May present.
    Presenter,
    /// May do what the organizer does.
    Coorganizer,
}

impl AttendeeRole {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Attendee, Self::Presenter, Self::Coorganizer];

    /// The role in Graph's spelling.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Attendee => "attendee",
            Self::Presenter => "presenter",
            Self::Coorganizer => "coorganizer",
        }
    }

    /// Reads a role in Graph's spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}
