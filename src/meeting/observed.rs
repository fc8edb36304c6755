//! What has been seen of a meeting at Graph.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::seen_settings::SeenSettings;
use crate::booking::{TextFault, UserId};
use crate::clock::Timestamp;

/// Everything known about a booking's meeting at Graph.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// The organizer's object id, pinned once a meeting may exist: the same externalId under another organizer is
    /// another meeting.
    pub organizer: Option<UserId>,
    /// Whether a `createOrGet` was sent whose outcome is unknown, so that a meeting may exist that we don't know.
    pub creation_unknown: bool,
    /// The meeting, once seen.
    pub meeting: Option<Meeting>,
}

/// A meeting that Graph told us of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meeting {
    /// Graph's id of it.
    pub id: MeetingId,
    /// The link by which people join.
    pub join_web_url: JoinWebUrl,
    /// The meeting's chat.
    pub chat_thread_id: Option<String>,
    /// Whether our request made it.
    pub created_by: CreatedBy,
    /// What the last answer said of it; nothing after a change whose answer told nothing.
    pub seen: Seen,
    /// When that was.
    pub seen_at: Timestamp,
    /// How the meeting had each setting that the booking has named, before it was first set: what it goes back to when the
    /// booking names it no longer.
    pub settings_before: SeenSettings,
    /// Whether it agrees with what is wanted.
    pub agreement: Agreement,
    /// Whether the lobby is closed, as the first half of a cancel.
    pub lobby_closed: bool,
    /// Whether it is removed.
    pub removed: bool,
}

/// Whether a meeting agrees with what is wanted of it, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Agreement {
    /// It was brought to agree with this revision of what is wanted, or Graph will not have it otherwise.
    At(u32),
    /// It was seen to differ, and no change has been sent since.
    Differs,
    /// It agreed with this revision, or was changed for it and Graph's answer didn't tell how it is now: Graph is to be asked.
    CheckRequested(u32),
    /// It was changed for this revision, but Graph left its times as they were, because it was under way: Graph is asked
    /// again once it is over.
    UnderWay(u32),
    /// A change was sent whose outcome is unknown: the meeting may be as it was seen, or as it was asked to be. What was seen
    /// is then no reason to leave anything unasked: a caller may have taken back meanwhile what that change was to bring
    /// about.
    Unknown,
}

impl Agreement {
    /// Its name in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::At(_) => "at",
            Self::Differs => "differs",
            Self::CheckRequested(_) => "check-requested",
            Self::UnderWay(_) => "under-way",
            Self::Unknown => "unknown",
        }
    }

    /// Reads its name and its revision.
    #[must_use]
    pub fn parse(name: &str, revision: Option<u32>) -> Option<Self> {
        match (name, revision) {
            ("at", Some(revision)) => Some(Self::At(revision)),
            ("differs", None) => Some(Self::Differs),
            ("check-requested", Some(revision)) => Some(Self::CheckRequested(revision)),
            ("under-way", Some(revision)) => Some(Self::UnderWay(revision)),
            ("unknown", None) => Some(Self::Unknown),
            _ => None,
        }
    }

    /// The revision of what is wanted with which the meeting was last brought to agree.
    #[must_use]
    pub fn revision(self) -> Option<u32> {
        match self {
            Self::At(revision) | Self::CheckRequested(revision) | Self::UnderWay(revision) => Some(revision),
            Self::Differs | Self::Unknown => None,
        }
    }

    /// Whether Graph is only to be asked how the meeting is, for this revision.
    #[must_use]
    pub fn is_check_of(self, wanted_revision: u32) -> bool {
        self == Self::CheckRequested(wanted_revision) || self == Self::UnderWay(wanted_revision)
    }

    /// The same once Graph has said that it won't tell, or that the meeting is gone: nothing is left to be asked for its
    /// own sake.
    pub(super) fn with_nothing_requested(self) -> Self {
        match self {
            Self::CheckRequested(revision) | Self::UnderWay(revision) => Self::At(revision),
            Self::Unknown => Self::Differs,
            Self::At(_) | Self::Differs => self,
        }
    }
}

/// The part of an `onlineMeeting` that is compared with the booking.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// Subject, where Graph told one; empty where it told that there is none.
    pub subject: Option<String>,
    /// Start, where Graph said one.
    #[serde(with = "time::serde::rfc3339::option")]
    pub start: Option<Timestamp>,
    /// End, where Graph said one.
    #[serde(with = "time::serde::rfc3339::option")]
    pub end: Option<Timestamp>,
    /// Attendees, where Graph told of them; at most 750 come back. Answers to a `PATCH` have been printed without.
    pub attendees: Option<Vec<SeenAttendee>>,
    /// Settings, as far as they were told.
    #[serde(default, skip_serializing_if = "SeenSettings::is_empty")]
    pub settings: SeenSettings,
    /// The link, where Graph told another one than that by which the meeting is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join_web_url: Option<String>,
}

impl Seen {
    /// Whether the meeting was under way at this time, by the times that Graph told.
    #[must_use]
    pub fn is_under_way(&self, now: Timestamp) -> bool {
        self.start.is_some_and(|start| start <= now) && self.end.is_some_and(|end| now < end)
    }
}

/// An attendee as Graph gives it back: anything may be missing, and roles may be newer than ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenAttendee {
    /// Object id.
    pub user_id: Option<String>,
    /// User principal name.
    pub upn: Option<String>,
    /// Role in Graph's spelling.
    pub role: Option<String>,
}

/// Who made a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreatedBy {
    /// Graph answered 201 to our call.
    ThisRequest,
    /// Graph answered 200: it had the meeting already, for instance from an attempt whose answer was lost.
    Existing,
}

impl CreatedBy {
    /// Both.
    pub const ALL: [Self; 2] = [Self::ThisRequest, Self::Existing];

    /// Its name in the API and the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ThisRequest => "this-request",
            Self::Existing => "existing",
        }
    }

    /// Reads its name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::ThisRequest, Self::Existing].into_iter().find(|by| by.as_str() == text)
    }
}

macro_rules! opaque_text {
    ($(#[$doc:meta])* $name:ident, $length_max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            /// Longest text that is kept, in bytes.
            pub const LENGTH_MAX: usize = $length_max;

            /// Takes the text as it is; empty, overlong or with U+0000 it can't be kept.
            pub fn parse(text: &str) -> Result<Self, TextFault> {
                if text.is_empty() || text.len() > Self::LENGTH_MAX || text.contains('\0') {
                    return Err(TextFault("is empty, too long or holds U+0000"));
                }
                Ok(Self(text.to_owned()))
            }

            /// The text, byte for byte.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
opaque_text!(
    /// Graph's id of a meeting: opaque, at most 2,000 bytes so that it fits an index of Postgres.
    MeetingId,
    2_000
);
opaque_text!(
    /// The link by which people join: opaque, stored and returned byte for byte, at most 8,192 bytes.
    JoinWebUrl,
    8_192
);
