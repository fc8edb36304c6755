//! Graph's successful answers, read tolerantly.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::settings_wire;
use super::text::{clean, cleaned};
use crate::booking::UserId;
use crate::clock::{Timestamp, to_ticks};
use crate::meeting::{JoinWebUrl, MeetingId, Seen, SeenAttendee, SeenMeeting};

/// Why an answer of a good status can't be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum AnswerFault {
    #[error("the answer isn't JSON of the expected form: {0}")]
    Form(String),
    #[error("the answer's member {0} is missing or can't be kept")]
    Member(&'static str),
}

/// Reads an `onlineMeeting`. Only `id` and `joinWebUrl` must be there.
pub(super) fn meeting(body: Vec<u8>) -> Result<SeenMeeting, AnswerFault> {
    let text = String::from_utf8(body).map_err(|fault| AnswerFault::Form(fault.utf8_error().to_string()))?;
    let wire: OnlineMeetingWire = serde_json::from_str(&text).map_err(|fault| form(&fault))?;
    let id = wire.id.as_deref().and_then(|id| MeetingId::parse(id).ok());
    let join_web_url = wire.join_web_url.as_deref().and_then(|url| JoinWebUrl::parse(url).ok());
    Ok(SeenMeeting {
        id: id.ok_or(AnswerFault::Member("id"))?,
        join_web_url: join_web_url.ok_or(AnswerFault::Member("joinWebUrl"))?,
        chat_thread_id: wire.chat_info.and_then(|chat| chat.thread_id).map(cleaned),
        seen: Seen {
            subject: wire.subject.map(cleaned),
            start: wire.start_date_time.as_deref().and_then(time),
            end: wire.end_date_time.as_deref().and_then(time),
            attendees: wire.participants.and_then(|all| all.attendees).map(attendees),
            settings: settings_wire::read(&text),
        },
        online_meeting: text.into_boxed_str(),
    })
}

/// Reads a user's object id.
pub(super) fn user(body: &[u8]) -> Result<UserId, AnswerFault> {
    let wire: SeenUserWire = serde_json::from_slice(body).map_err(|fault| form(&fault))?;
    let id = wire.id.as_deref().and_then(|id| UserId::parse(id).ok());
    id.ok_or(AnswerFault::Member("id"))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OnlineMeetingWire {
    #[serde(default, deserialize_with = "lenient")]
    id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    join_web_url: Option<String>,
    #[serde(default, deserialize_with = "text_or_none")]
    subject: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    start_date_time: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    end_date_time: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    participants: Option<SeenParticipantsWire>,
    #[serde(default, deserialize_with = "lenient")]
    chat_info: Option<SeenChatWire>,
}

#[derive(Deserialize)]
struct SeenParticipantsWire {
    attendees: Option<Vec<Option<SeenAttendeeWire>>>,
}

#[derive(Deserialize)]
struct SeenAttendeeWire {
    #[serde(default, deserialize_with = "lenient")]
    identity: Option<SeenIdentityWire>,
    #[serde(default, deserialize_with = "lenient")]
    upn: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    role: Option<String>,
}

#[derive(Deserialize)]
struct SeenIdentityWire {
    user: Option<SeenUserWire>,
}

#[derive(Deserialize)]
struct SeenUserWire {
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SeenChatWire {
    thread_id: Option<String>,
}

fn attendees(wire: Vec<Option<SeenAttendeeWire>>) -> Vec<SeenAttendee> {
    let seen = |attendee: SeenAttendeeWire| SeenAttendee {
        user_id: attendee.identity.and_then(|identity| identity.user?.id).map(cleaned),
        upn: attendee.upn.map(cleaned),
        role: attendee.role.map(cleaned),
    };
    wire.into_iter().flatten().map(seen).collect()
}

/// A time as Graph writes it, with or without a fraction; the year 1 means that none is set.
fn time(text: &str) -> Option<Timestamp> {
    let parsed = OffsetDateTime::parse(text, &Rfc3339);
    // A time without an offset is UTC: that is the only zone in which Graph speaks of meetings.
    let time = parsed.or_else(|_| OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339)).ok()?;
    let utc = time.checked_to_offset(time::UtcOffset::UTC)?;
    (utc.year() > 1).then(|| to_ticks(utc))
}

/// Reads a member that we can do without: null, or anything that isn't what was expected, counts as absent.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).unwrap_or(None))
}

/// Reads a text of which null says that there is none, which is different from its absence.
fn text_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    let text: Result<Option<String>, _> = serde_json::from_str(raw.get());
    Ok(text.ok().map(Option::unwrap_or_default))
}

/// The message names no content of the answer beyond the place.
fn form(fault: &serde_json::Error) -> AnswerFault {
    AnswerFault::Form(clean(&fault.to_string()))
}

#[cfg(test)]
#[path = "meeting_wire_tests.rs"]
mod tests;
