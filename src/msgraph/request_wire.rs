//! The bodies that we send, exactly as Microsoft's examples write them; what is not asked for is left out.

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use time::format_description::well_known::Rfc3339;

use crate::booking::{Attendee, BookingSpec, ExternalId, MeetingSettings, Subject};
use crate::clock::{Timestamp, to_ticks};
use crate::meeting::Change;

/// Body of `createOrGet`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateOrGetWire<'a> {
    start_date_time: TimeWire,
    end_date_time: TimeWire,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(serialize_with = "as_text")]
    external_id: ExternalId,
    #[serde(skip_serializing_if = "Option::is_none")]
    participants: Option<ParticipantsWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat_info: Option<ChatWire<'a>>,
}

impl<'a> CreateOrGetWire<'a> {
    /// What is asked for.
    pub(super) fn of(spec: &'a BookingSpec, external_id: ExternalId) -> Self {
        let attendees = AttendeesWire(&spec.attendees);
        let thread = spec.chat_thread_id.as_ref();
        Self {
            start_date_time: TimeWire(spec.start_date_time),
            end_date_time: TimeWire(spec.end_date_time),
            subject: spec.subject.as_ref().map(Subject::as_str),
            external_id,
            participants: (!spec.attendees.is_empty()).then_some(ParticipantsWire { attendees }),
            chat_info: thread.map(|thread| ChatWire { thread_id: thread.as_str() }),
        }
    }
}

/// Body of a `PATCH`: only what changes.
#[derive(Serialize)]
#[expect(clippy::option_option, reason = "in a PATCH, absent, null and a text are three things")]
#[serde(rename_all = "camelCase")]
pub(super) struct ChangeWire<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date_time: Option<TimeWire>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date_time: Option<TimeWire>,
    /// The inner none is written as null, which takes the subject away.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    participants: Option<ParticipantsWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lobby_bypass_settings: Option<LobbyBypassSettingsWire>,
    /// Absent beside a closed lobby: that is the first half of a cancel, and changes nothing else.
    #[serde(flatten)]
    settings: Option<&'a MeetingSettings>,
}

impl<'a> ChangeWire<'a> {
    /// What is to change.
    pub(super) fn of(change: &'a Change) -> Self {
        let attendees = change.attendees.as_deref();
        let subject = change.subject.as_ref();
        Self {
            start_date_time: change.times.map(|(start, _)| TimeWire(start)),
            end_date_time: change.times.map(|(_, end)| TimeWire(end)),
            subject: subject.map(|subject| subject.as_ref().map(Subject::as_str)),
            participants: attendees.map(|list| ParticipantsWire { attendees: AttendeesWire(list) }),
            lobby_bypass_settings: change
                .close_lobby
                .then_some(LobbyBypassSettingsWire { scope: "organizer" }),
            settings: (!change.close_lobby).then_some(&change.settings),
        }
    }
}

#[derive(Serialize)]
struct ParticipantsWire<'a> {
    attendees: AttendeesWire<'a>,
}

struct AttendeesWire<'a>(&'a [Attendee]);

impl Serialize for AttendeesWire<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for attendee in self.0 {
            list.serialize_element(&AttendeeWire {
                identity: attendee.user_id.map(|id| IdentityWire { user: UserWire { id: id.uuid() } }),
                role: attendee.role.as_str(),
                upn: attendee.upn.as_str(),
            })?;
        }
        list.end()
    }
}

#[derive(Serialize)]
struct AttendeeWire<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<IdentityWire>,
    role: &'static str,
    upn: &'a str,
}

#[derive(Serialize)]
struct IdentityWire {
    user: UserWire,
}

#[derive(Serialize)]
struct UserWire {
    id: uuid::Uuid,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChatWire<'a> {
    thread_id: &'a str,
}

#[derive(Serialize)]
struct LobbyBypassSettingsWire {
    scope: &'static str,
}

/// A time in UTC with `Z` and up to seven digits of fraction.
struct TimeWire(Timestamp);

impl Serialize for TimeWire {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = to_ticks(self.0).format(&Rfc3339).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&text)
    }
}

fn as_text<T: std::fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[cfg(test)]
#[path = "request_wire_tests.rs"]
mod tests;
