//! What an `onlineMeeting` looks like: as rich as Microsoft's own examples.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::graph_time;
use super::json_body;
use super::meetings::MeetingKey;
use crate::clock::Timestamp;

/// What the caller asked for when the meeting was created.
#[derive(Debug)]
pub(super) struct RequestedMeeting {
    pub(super) subject: Option<String>,
    pub(super) starts_at: Timestamp,
    pub(super) ends_at: Timestamp,
    /// As kept: see [`json_body::attendees`].
    pub(super) attendees: Vec<Value>,
    pub(super) thread_id: Option<String>,
}

/// Who the meeting belongs to.
#[derive(Debug)]
pub(super) struct Owner<'a> {
    pub(super) tenant_id: &'a str,
    pub(super) upn: &'a str,
}

/// The names of a meeting, which never change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) id: String,
    pub(super) join_web_url: String,
    thread_id: String,
    join_meeting_id: String,
}

impl Names {
    /// Names made from the key alone, so that a run can be repeated. `predecessors` is how many meetings this key has
    /// had before: a meeting that was deleted and made again is another one.
    pub(super) fn of(
        key: &MeetingKey,
        owner: &Owner<'_>,
        predecessors: usize,
        thread_id: Option<&str>,
    ) -> Self {
        let organizer = key.organizer;
        let name = format!("{}\n{organizer}\n{}\n{predecessors}", owner.tenant_id, key.external_id);
        let meeting = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes());
        let own_thread =
            format!("19:meeting_{}@thread.v2", URL_SAFE_NO_PAD.encode(meeting.simple().to_string()));
        let id = STANDARD.encode(format!("1*{organizer}*0**{own_thread}"));
        let thread_id = thread_id.map_or(own_thread, str::to_owned);
        let join_web_url = format!(
            "https://teams.microsoft.com/l/meetup-join/{}/0?context=%7b%22Tid%22%3a%22{}%22%2c%22Oid%22%3a%22{}%22%7d",
            thread_id.replace(':', "%3a").replace('@', "%40"),
            owner.tenant_id,
            organizer
        );
        let (_, bits) = meeting.as_u64_pair();
        Self { id, join_web_url, thread_id, join_meeting_id: format!("{:013}", bits % 10_000_000_000_000) }
    }
}

/// The meeting as it stands right after its creation.
pub(super) fn created(
    key: &MeetingKey,
    owner: &Owner<'_>,
    names: &Names,
    wanted: &RequestedMeeting,
    now: Timestamp,
) -> Value {
    let organizer_id = key.organizer.to_string();
    let identity = json_body::identity(Some(&organizer_id), None, owner.tenant_id);
    let mut content = settings();
    let own = json!({
        "id": names.id,
        "externalId": key.external_id,
        "creationDateTime": graph_time::write(now),
        "startDateTime": graph_time::write(wanted.starts_at),
        "endDateTime": graph_time::write(wanted.ends_at),
        "subject": wanted.subject,
        "joinWebUrl": names.join_web_url,
        "participants": {
            "organizer": json_body::participant(Some(owner.upn), Some("presenter"), &identity),
            "attendees": wanted.attendees,
            "producers": [],
            "contributors": [],
        },
        "chatInfo": {
            "@odata.type": "#microsoft.graph.chatInfo",
            "threadId": names.thread_id,
            "messageId": "0",
            "replyChainMessageId": null,
        },
        "joinMeetingIdSettings": {
            "isPasscodeRequired": false,
            "joinMeetingId": names.join_meeting_id,
            "passcode": null,
        },
    });
    if let (Value::Object(content), Value::Object(own)) = (&mut content, own) {
        content.extend(own);
    }
    content
}

/// What every meeting starts with. Some members stand in no schema: Graph sends such ones too.
fn settings() -> Value {
    json!({
        "@odata.type": "#microsoft.graph.onlineMeeting",
        "allowAttendeeToEnableCamera": true,
        "allowAttendeeToEnableMic": true,
        "allowBreakoutRooms": true,
        "allowedLobbyAdmitters": "organizerAndCoOrganizersAndPresenters",
        "allowedPresenters": "everyone",
        "allowLiveShare": "enabled",
        "allowMeetingChat": "enabled",
        "allowPowerPointSharing": true,
        "allowRecording": true,
        "allowTeamworkReactions": true,
        "allowTranscription": true,
        "allowWhiteboard": true,
        "audioConferencing": null,
        "autoAdmittedUsers": "EveryoneInCompany",
        "broadcastSettings": null,
        "chatRestrictions": null,
        "expiryDateTime": graph_time::UNSET,
        "isBroadcast": false,
        "isEntryExitAnnounced": true,
        "joinInformation": { "content": "data:text/html,%3Cp%3ESimulated%20meeting%3C%2Fp%3E", "contentType": "html" },
        "lobbyBypassSettings": {
            "@odata.type": "#microsoft.graph.lobbyBypassSettings",
            "scope": "organization",
            "isDialInBypassEnabled": false,
        },
        "meetingTemplateId": null,
        "outerMeetingAutoAdmittedUsers": null,
        "recordAutomatically": false,
        "shareMeetingChatHistoryDefault": "none",
        "simulatedFutureMember": { "mode": "adaptive", "levels": [1, null] },
        "videoTeleconferenceId": null,
        "watermarkProtection": null,
    })
}

/// How many attendees a meeting has.
pub(super) fn attendees_count(content: &Map<String, Value>) -> usize {
    let attendees = content.get("participants").and_then(|participants| participants.get("attendees"));
    attendees.and_then(Value::as_array).map_or(0, Vec::len)
}

#[cfg(test)]
mod tests {
    use super::super::organizers::UserId;
    use super::*;

    #[test]
    fn names_follow_from_tenant_user_external_id_and_what_was_before() {
        let organizer = UserId::parse("1f35f2e6-9cab-44ad-8d5a-b74c14720000").unwrap();
        let key = |external_id: &str| MeetingKey { organizer, external_id: external_id.to_owned() };
        let owner = |tenant_id| Owner { tenant_id, upn: "anna@contoso.com" };
        let first = Names::of(&key("a"), &owner("t"), 0, None);
        assert_eq!(first, Names::of(&key("a"), &owner("t"), 0, None));
        assert_ne!(first.id, Names::of(&key("b"), &owner("t"), 0, None).id);
        assert_ne!(first.id, Names::of(&key("a"), &owner("u"), 0, None).id);
        assert_ne!(first.id, Names::of(&key("a"), &owner("t"), 1, None).id);
        let in_channel = Names::of(&key("a"), &owner("t"), 0, Some("19:abc@thread.tacv2"));
        assert!(in_channel.join_web_url.contains("/19%3aabc%40thread.tacv2/0?context=%7b"));
    }
}
