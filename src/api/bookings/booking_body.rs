//! A booking, as answers show it.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::last_error_body::LastErrorBody;
use super::meeting_settings_body::MeetingSettingsBody;
use super::open_bodies::{MetadataBody, OnlineMeetingBody};
use crate::api::openapi::words;
use crate::api::problems::AttendeeChangesBody;
use crate::api::request::JoinLinks;
use crate::api::state::Remedies;
use crate::booking::{
    AttendeeChanges, Dtstamp, MeetingSettings, Metadata, Organizer, Sequence, Subject, UserId,
};
use crate::meeting::{Booking, DesiredState, Meeting, MeetingDifference, meeting_differences};

/// A booking and its meeting as they stand.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Booking)]
pub(crate) struct BookingBody<'a> {
    /// The booking's name in its source system.
    booking_id: &'a str,
    /// The booking system that made the booking, by its credential.
    source_system: &'a str,
    /// The name under which Graph knows the meeting: `UUIDv5(namespace, tenant LF sourceSystem LF bookingId)`.
    external_id: Uuid,
    /// The generation, from 1: a booking that is booked again, or gets another organizer, gets the next one.
    #[schema(minimum = 1)]
    generation: u32,
    /// Rises with every change. `ETag` is `"<generation>.<revision>"`.
    #[schema(minimum = 1)]
    revision: u32,
    /// The booking's status.
    #[schema(value_type = words::StatusWord)]
    status: &'static str,
    /// On whose behalf the meeting exists.
    organizer: OrganizerBody<'a>,
    /// The meeting's subject.
    #[schema(required)]
    subject: Option<&'a str>,
    /// Start, in UTC.
    #[serde(with = "time::serde::rfc3339")]
    start_date_time: OffsetDateTime,
    /// End, in UTC.
    #[serde(with = "time::serde::rfc3339")]
    end_date_time: OffsetDateTime,
    /// Who may take part with which role: the whole list, where Graph gives back 750 at most. Lists have it only with
    /// `expand=attendees`, problems never.
    #[serde(skip_serializing_if = "Option::is_none")]
    attendees: Option<Vec<AttendeeBody<'a>>>,
    /// The channel's thread, for a meeting in a channel.
    #[schema(required)]
    chat_info: Option<ChatBody<'a>>,
    /// The meeting settings that the booking names.
    #[schema(value_type = MeetingSettingsBody)]
    settings: &'a MeetingSettings,
    /// The settings that the meeting should have: those that the booking names, then the defaults of its source system
    /// when it was accepted, then `allowedPresenters: roleIsPresenter` if an attendee is to present by role; then, of those
    /// that one of these named before and none names any longer, what the meeting had at first.
    #[schema(value_type = MeetingSettingsBody)]
    effective_settings: &'a MeetingSettings,
    /// iCalendar's SEQUENCE, as the booking system sent it.
    #[schema(required, minimum = 0)]
    sequence: Option<u32>,
    /// iCalendar's DTSTAMP of the last message with that sequence, as the booking system sent it; in UTC, to the
    /// microsecond.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    dtstamp: Option<OffsetDateTime>,
    /// What the caller stored beside the booking.
    #[schema(value_type = MetadataBody)]
    metadata: &'a Metadata,
    /// The meeting; null until it is first as the booking wants it, and once it is removed.
    #[schema(required)]
    meeting: Option<MeetingBody<'a>>,
    /// How many calls to Graph were made and have an outcome.
    attempts: u32,
    /// When Graph is asked again, if it is.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    next_attempt_at: Option<OffsetDateTime>,
    /// Since when it has been failing for the same reason, or has been postponed, until a success or a retry by hand. What
    /// is stuck is found by it (`failingBefore`); `updatedAt` changes with each attempt.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    failing_since: Option<OffsetDateTime>,
    /// The last failure, until a success.
    #[schema(required)]
    last_error: Option<LastErrorBody>,
    /// When the booking was accepted.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
    /// What to know about the link of a cancelled booking.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<&'static str>,
    /// The whole `onlineMeeting` that Graph sent last, as it was sent; only with `?expand=onlineMeeting`, which is refused
    /// where your roles only audit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<OnlineMeetingBody>)]
    online_meeting: Option<Box<RawValue>>,
}

/// An organizer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Organizer)]
pub(crate) struct OrganizerBody<'a> {
    /// Object id; null while a user principal name is not resolved yet.
    #[schema(required)]
    user_id: Option<Uuid>,
    /// User principal name, where the caller gave one.
    #[schema(required)]
    upn: Option<&'a str>,
}

/// One person of the meeting.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Attendee)]
pub(crate) struct AttendeeBody<'a> {
    /// Object id, where the caller gave one.
    #[schema(required)]
    user_id: Option<Uuid>,
    /// User principal name.
    upn: &'a str,
    /// What the person may do in the meeting.
    #[schema(value_type = words::AttendeeRoleWord)]
    role: &'static str,
}

/// Where the chat of a meeting in a channel takes place.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ChatInfo)]
pub(crate) struct ChatBody<'a> {
    /// The channel's thread.
    thread_id: &'a str,
}

/// A meeting at Graph.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Meeting)]
pub(crate) struct MeetingBody<'a> {
    /// Graph's id of the meeting; opaque.
    id: &'a str,
    /// The link by which people join; opaque, byte for byte as Graph sent it. Null where your roles only audit: with
    /// `audit.read` alone, and with it for other source systems.
    #[schema(required)]
    join_web_url: Option<&'a str>,
    /// The meeting's chat; null where the link is, for links are made of it.
    #[schema(required)]
    chat_thread_id: Option<&'a str>,
    /// Who made it.
    #[schema(value_type = words::CreatedByWord)]
    created_by: &'static str,
    /// When the meeting was first as the booking wants it.
    #[serde(with = "time::serde::rfc3339")]
    provisioned_at: OffsetDateTime,
    /// When Graph last returned the meeting.
    #[serde(with = "time::serde::rfc3339")]
    seen_at: OffsetDateTime,
    /// How it differed from the booking then.
    differences: Vec<MeetingDifferenceBody>,
}

/// One member in which a meeting differs from its booking.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MeetingDifference)]
pub(crate) struct MeetingDifferenceBody {
    /// The member as Graph names it.
    #[schema(example = "lobbyBypassSettings.scope")]
    field: String,
    /// What the booking wants; null of a setting that it named before and doesn't name any longer, and of `joinWebUrl` where
    /// your roles only audit; absent with the field `participants.attendees`.
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted: Option<Value>,
    /// What Graph returned; null of `joinWebUrl` where your roles only audit; absent with the field `participants.attendees`.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<Value>,
    /// Who differs, from the booking to the meeting; only with the field `participants.attendees`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<AttendeeChangesBody>)]
    attendees: Option<AttendeeChanges>,
}

impl<'a> BookingBody<'a> {
    /// The booking as it stands.
    pub(crate) fn of(booking: &'a Booking, remedies: &Remedies, links: JoinLinks) -> Self {
        let spec = &booking.wanted.spec;
        Self {
            booking_id: booking.key.booking_id.as_str(),
            source_system: booking.key.source_system.as_str(),
            external_id: booking.wanted.external_id.uuid(),
            generation: booking.generation.number(),
            revision: booking.revision,
            status: booking.status().as_str(),
            organizer: organizer(booking),
            subject: spec.subject.as_ref().map(Subject::as_str),
            start_date_time: spec.start_date_time,
            end_date_time: spec.end_date_time,
            attendees: Some(attendees(booking)),
            chat_info: spec.chat_thread_id.as_ref().map(|thread| ChatBody { thread_id: thread.as_str() }),
            settings: &spec.settings,
            effective_settings: &spec.effective_settings,
            sequence: spec.sequence.map(Sequence::number),
            dtstamp: spec.dtstamp.map(Dtstamp::time),
            metadata: &spec.metadata,
            meeting: meeting(booking, links),
            attempts: booking.attempts,
            next_attempt_at: booking.due_at(),
            failing_since: booking.failures.same_kind_since,
            last_error: LastErrorBody::of(booking, remedies),
            created_at: booking.created_at,
            updated_at: booking.updated_at,
            notice: notice(booking),
            online_meeting: None,
        }
    }

    /// The booking as lists and problems show it: without its attendees, who make it long.
    pub(crate) fn without_attendees(booking: &'a Booking, remedies: &Remedies, links: JoinLinks) -> Self {
        Self { attendees: None, ..Self::of(booking, remedies, links) }
    }

    /// With the whole meeting as Graph sent it, JSON text; null where there is none.
    pub(crate) fn with_online_meeting(mut self, text: Option<String>) -> Result<Self, serde_json::Error> {
        self.online_meeting = Some(RawValue::from_string(text.unwrap_or_else(|| "null".to_owned()))?);
        Ok(self)
    }

    /// The booking as JSON that becomes part of another answer.
    pub(crate) fn to_raw(&self) -> Result<Box<RawValue>, serde_json::Error> {
        to_raw_value(self)
    }
}

fn organizer(booking: &Booking) -> OrganizerBody<'_> {
    OrganizerBody::of(&booking.wanted.spec.organizer, booking.observed.organizer)
}

impl<'a> OrganizerBody<'a> {
    /// An organizer as the caller named it, with the object id once that is resolved.
    pub(crate) fn of(organizer: &'a Organizer, found: Option<UserId>) -> Self {
        match organizer {
            Organizer::UserId(id) => Self { user_id: Some(id.uuid()), upn: None },
            Organizer::Upn(upn) => Self { user_id: found.map(UserId::uuid), upn: Some(upn.as_str()) },
        }
    }
}

fn attendees(booking: &Booking) -> Vec<AttendeeBody<'_>> {
    let attendees = booking.wanted.spec.attendees.iter();
    attendees
        .map(|attendee| AttendeeBody {
            user_id: attendee.user_id.map(UserId::uuid),
            upn: attendee.upn.as_str(),
            role: attendee.role.as_str(),
        })
        .collect()
}

/// What a caller has to know about the old join link.
fn notice(booking: &Booking) -> Option<&'static str> {
    let cancelled_now =
        booking.wanted.desired_state == DesiredState::Cancelled && booking.observed.meeting.is_some();
    cancelled_now.then_some(
        "Teams may keep the join link of a removed meeting working. Its lobby was closed to everyone but the organizer \
         first. Stop handing out the link.",
    )
}

fn meeting(booking: &Booking, links: JoinLinks) -> Option<MeetingBody<'_>> {
    let (meeting, provisioned_at) = booking.observed.meeting.as_ref().zip(booking.provisioned_at)?;
    if meeting.removed {
        return None;
    }
    Some(MeetingBody {
        id: meeting.id.as_str(),
        join_web_url: links.shown(meeting.join_web_url.as_str()),
        chat_thread_id: links.shown(meeting.chat_thread_id.as_deref()).flatten(),
        created_by: meeting.created_by.as_str(),
        provisioned_at,
        seen_at: meeting.seen_at,
        differences: differences(booking, meeting, links),
    })
}

fn differences(booking: &Booking, meeting: &Meeting, links: JoinLinks) -> Vec<MeetingDifferenceBody> {
    let differences = meeting_differences(&booking.wanted.spec, Some(meeting), &meeting.seen).into_iter();
    let body = |MeetingDifference { field, wanted, seen, attendees }| MeetingDifferenceBody {
        field,
        wanted,
        seen,
        attendees,
    };
    let shown = |difference: MeetingDifference| match links {
        JoinLinks::Shown => difference,
        JoinLinks::Masked => difference.without_link(),
    };
    differences.map(MeetingDifference::cut).map(shown).map(body).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::fixture::{provisioned, remedies};
    use crate::meeting::Progress;

    /// The example of the OpenAPI document is the real answer.
    #[test]
    fn a_provisioned_booking_reads_as_documented() {
        let booking = provisioned();
        let body = serde_json::to_value(BookingBody::of(&booking, &remedies(), JoinLinks::Shown)).unwrap();
        assert_eq!(body, crate::api::openapi::example::provisioned());
    }

    /// A meeting that is not yet as the booking wants it is not shown.
    #[test]
    fn a_meeting_shows_once_it_is_provisioned() {
        let mut booking = provisioned();
        booking.provisioned_at = None;
        booking.progress = Progress::Due(booking.updated_at);
        let body = serde_json::to_value(BookingBody::of(&booking, &remedies(), JoinLinks::Shown)).unwrap();
        assert_eq!((&body["meeting"], &body["status"]), (&Value::Null, &json!("pending")));
        assert_eq!(body["nextAttemptAt"], body["updatedAt"]);
    }

    /// Who only audits sees the same but for the link and what links are made of, also where the meeting has another one.
    #[test]
    fn links_are_masked_and_nothing_else() {
        let mut booking = provisioned();
        let meeting = booking.observed.meeting.as_mut().unwrap();
        meeting.seen.join_web_url = Some("https://teams.example/other".to_owned());
        let body = |links| serde_json::to_value(BookingBody::of(&booking, &remedies(), links)).unwrap();
        let (mut shown, masked) = (body(JoinLinks::Shown), body(JoinLinks::Masked));
        let links = [
            "/meeting/joinWebUrl",
            "/meeting/chatThreadId",
            "/meeting/differences/0/wanted",
            "/meeting/differences/0/seen",
        ];
        for link in links {
            assert!(shown.pointer(link).unwrap().is_string(), "{link}: {shown}");
            *shown.pointer_mut(link).unwrap() = Value::Null;
        }
        assert_eq!(masked, shown);
    }

    /// What Graph sent comes back as it was sent, in its own order of members.
    #[test]
    fn the_whole_meeting_is_passed_on_as_it_is() {
        let booking = provisioned();
        let text = r#"{"z":1,"a":"2020-02-06T01:49:21.3524945Z"}"#;
        let body = BookingBody::of(&booking, &remedies(), JoinLinks::Shown)
            .with_online_meeting(Some(text.to_owned()))
            .unwrap();
        assert!(serde_json::to_string(&body).unwrap().contains(&format!(r#""onlineMeeting":{text}"#)));
        let body =
            BookingBody::of(&booking, &remedies(), JoinLinks::Shown).with_online_meeting(None).unwrap();
        assert!(serde_json::to_string(&body).unwrap().contains(r#""onlineMeeting":null"#));
    }
}
