//! Graph's successful answers, read tolerantly.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use url::Url;

use super::settings_wire;
use super::text::{DEPTH_MAX, clean, cleaned, nests_within_bounds, without_mark};
use crate::booking::UserId;
use crate::clock::{Timestamp, to_ticks};
use crate::meeting::{CallKind, JoinWebUrl, MeetingContent, MeetingId, Seen, SeenAttendee, SeenMeeting};

/// Why an answer of a good status can't be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum AnswerFault {
    #[error("the answer isn't JSON of the expected form: {0}")]
    Form(String),
    #[error("the answer nests deeper than {DEPTH_MAX} arrays and objects one in another")]
    Depth,
    #[error("the answer's member {0} is missing or can't be kept")]
    Member(&'static str),
    #[error("the answer's joinWebUrl is refused: it {0}")]
    Link(&'static str),
    #[error("Graph has not filled its answer yet, so it says nothing about the meeting")]
    Unfilled,
}

/// Reads the `onlineMeeting` that makes a meeting known. `id` and `joinWebUrl` must be there; of an answer that Graph hasn't
/// filled yet nothing else counts.
pub(super) fn meeting(body: &[u8]) -> Result<SeenMeeting, AnswerFault> {
    let (wire, text) = read(body)?;
    let id = wire.id.as_deref().and_then(|id| MeetingId::parse(id).ok());
    let id = id.ok_or(AnswerFault::Member("id"))?;
    let join_web_url = link(wire.join_web_url.as_deref())?;
    let chat_thread_id = wire.chat_info.as_ref().and_then(|chat| chat.thread_id.clone()).map(cleaned);
    let seen = seen(wire, &text).unwrap_or_default();
    let link = Some(join_web_url.clone());
    let content = MeetingContent { join_web_url: link, seen, online_meeting: text.into_boxed_str() };
    Ok(SeenMeeting { id, join_web_url, chat_thread_id, content })
}

/// Reads an `onlineMeeting` whose id and link are known. A link that can't be used counts as not told.
pub(super) fn content(body: &[u8]) -> Result<MeetingContent, AnswerFault> {
    let (wire, text) = read(body)?;
    let join_web_url = link(wire.join_web_url.as_deref()).ok();
    let seen = seen(wire, &text).ok_or(AnswerFault::Unfilled)?;
    Ok(MeetingContent { join_web_url, seen, online_meeting: text.into_boxed_str() })
}

/// Whether a body is what a call of this kind asks for, so that Graph must have sent it.
pub(super) fn is_asked_for(kind: CallKind, body: &[u8]) -> bool {
    match kind {
        CallKind::FindOrganizer => user(body).is_ok(),
        CallKind::CreateOrGet | CallKind::Change | CallKind::Look => read(body).is_ok_and(|(wire, _)| {
            wire.id.is_some() && (wire.join_web_url.is_some() || wire.start_date_time.is_some())
        }),
        CallKind::Remove => false,
    }
}

fn read(body: &[u8]) -> Result<(OnlineMeetingWire, String), AnswerFault> {
    let text =
        std::str::from_utf8(without_mark(body)).map_err(|fault| AnswerFault::Form(fault.to_string()))?;
    if !nests_within_bounds(text) {
        return Err(AnswerFault::Depth);
    }
    let wire = serde_json::from_str(text).map_err(|fault| form(&fault))?;
    Ok((wire, text.to_owned()))
}

/// The link by which people join: an `https` address that can be handed out as it is.
fn link(text: Option<&str>) -> Result<JoinWebUrl, AnswerFault> {
    let text = text.ok_or(AnswerFault::Member("joinWebUrl"))?;
    if text.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err(AnswerFault::Link("holds control characters or blanks"));
    }
    if !Url::parse(text).is_ok_and(|url| url.scheme() == "https" && url.has_host()) {
        return Err(AnswerFault::Link("is no https address"));
    }
    JoinWebUrl::parse(text).map_err(|_| AnswerFault::Member("joinWebUrl"))
}

/// What is compared with the booking; none of an answer that Graph hasn't filled yet. Graph fills meetings some time after it
/// makes them, and has been seen to answer for days with times of the year 1, without attendees, and with a subject that no
/// caller wrote. Such an answer is judged as a whole: none of its members says how the meeting is.
fn seen(wire: OnlineMeetingWire, text: &str) -> Option<Seen> {
    let is_unset = |text: &Option<String>| text.as_deref().is_some_and(says_unset);
    let has_unset_time = is_unset(&wire.start_date_time) || is_unset(&wire.end_date_time);
    let seen = Seen {
        subject: wire.subject.map(cleaned),
        start: wire.start_date_time.as_deref().and_then(time),
        end: wire.end_date_time.as_deref().and_then(time),
        attendees: wire.participants.and_then(|all| all.attendees).map(attendees),
        settings: settings_wire::read(text),
        join_web_url: None,
    };
    let has_time = seen.start.is_some() || seen.end.is_some();
    let tells_of_settings_alone =
        seen.subject.is_none() && seen.attendees.is_none() && !seen.settings.is_empty();
    let is_empty = seen.subject.as_deref().unwrap_or_default().is_empty()
        && seen.attendees.as_deref().unwrap_or_default().is_empty()
        && !tells_of_settings_alone;
    (has_time || !has_unset_time && !is_empty).then_some(seen)
}

/// Reads a user's object id.
pub(super) fn user(body: &[u8]) -> Result<UserId, AnswerFault> {
    let wire: SeenUserWire = serde_json::from_slice(without_mark(body)).map_err(|fault| form(&fault))?;
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
    #[serde(default, deserialize_with = "text_or_none")]
    start_date_time: Option<String>,
    #[serde(default, deserialize_with = "text_or_none")]
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
    instant(text).filter(|time| time.year() > 1).map(to_ticks)
}

/// Whether a time is told to be unset: by the year 1, or by nothing.
fn says_unset(text: &str) -> bool {
    text.is_empty() || instant(text).is_some_and(|time| time.year() <= 1)
}

fn instant(text: &str) -> Option<Timestamp> {
    let parsed = OffsetDateTime::parse(text, &Rfc3339);
    // A time without an offset is UTC: that is the only zone in which Graph speaks of meetings.
    let time = parsed.or_else(|_| OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339)).ok()?;
    time.checked_to_offset(time::UtcOffset::UTC)
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
