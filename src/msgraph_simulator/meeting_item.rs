//! `GET`, `PATCH` and `DELETE /users/{userId}/onlineMeetings/{id}`.
//!
//! Facts: Microsoft's reference pages "Update onlineMeeting" and "Get onlineMeeting".

use serde_json::{Map, Value};

use super::front::Received;
use super::graph_refusal::GraphRefusal;
use super::graph_response::GraphResponse;
use super::graph_time;
use super::json_body;
use super::meeting_content::attendees_count;
use super::meetings::SimulatedMeeting;
use super::organizers::UserId;
use super::route::{MeetingVerb, Version};
use super::tenant::Tenant;
use super::users::selected;
use crate::clock::Timestamp;

/// How many attendees a GET gives back at most.
const ATTENDEES_TOLD_MAX: usize = 750;

/// The members that the reference lists as changeable, apart from times, subject and participants.
const CHANGEABLE_SETTINGS: &[&str] = &[
    "allowAttendeeToEnableCamera",
    "allowAttendeeToEnableMic",
    "allowBreakoutRooms",
    "allowCopyingAndSharingMeetingContent",
    "allowedLobbyAdmitters",
    "allowedPresenters",
    "allowLiveShare",
    "allowMeetingChat",
    "allowPowerPointSharing",
    "allowRecording",
    "allowTeamworkReactions",
    "allowTranscription",
    "allowWhiteboard",
    "anonymizeIdentityForRoles",
    "broadcastSettings",
    "isEntryExitAnnounced",
    "lobbyBypassSettings",
    "recordAutomatically",
    "watermarkProtection",
];

const LOBBY_SCOPES: &[&str] = &[
    "organizer",
    "organization",
    "organizationAndFederated",
    "everyone",
    "invited",
    "organizationExcludingGuests",
];
const PRESENTERS: &[&str] = &["everyone", "organization", "roleIsPresenter", "organizer"];

/// The meeting in a path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'a> {
    pub(super) version: Version,
    pub(super) user: &'a str,
    pub(super) meeting: &'a str,
}

pub(super) fn answer(
    tenant: &Tenant,
    verb: MeetingVerb,
    item: Item<'_>,
    call: &Received,
) -> Result<GraphResponse, GraphRefusal> {
    let organizer = tenant.organizers().organizer(item.user, &tenant.settings().client_id)?;
    match verb {
        MeetingVerb::Get => get(tenant, organizer, item, call),
        MeetingVerb::Patch => patch(tenant, organizer, item, call),
        MeetingVerb::Delete => {
            let mut meetings = tenant.meetings();
            let meeting = meetings.item(organizer, item.meeting).ok_or_else(GraphRefusal::unknown_meeting)?;
            meeting.deleted_at = Some(call.exchange.now);
            Ok(GraphResponse::empty(204))
        }
    }
}

fn get(
    tenant: &Tenant,
    organizer: UserId,
    item: Item<'_>,
    call: &Received,
) -> Result<GraphResponse, GraphRefusal> {
    let (content, attendees_count) = {
        let mut meetings = tenant.meetings();
        let meeting = meetings.item(organizer, item.meeting).ok_or_else(GraphRefusal::unknown_meeting)?;
        (meeting.content.clone(), meeting.attendees_count)
    };
    if attendees_count <= ATTENDEES_TOLD_MAX && !call.query.contains("select") {
        return Ok(with_context(tenant, item.version, 200, item.user, &content));
    }
    let mut content = parsed(&content);
    if let Some(attendees) = content.pointer_mut("/participants/attendees").and_then(Value::as_array_mut) {
        attendees.truncate(ATTENDEES_TOLD_MAX);
    }
    let body = selected(content, &call.query);
    Ok(with_context(tenant, item.version, 200, item.user, &body.to_string()))
}

fn patch(
    tenant: &Tenant,
    organizer: UserId,
    item: Item<'_>,
    call: &Received,
) -> Result<GraphResponse, GraphRefusal> {
    let body = json_body::object(&call.body, call.content_type())?;
    let change = ItemPatch::read(body, &tenant.settings().tenant_id)?;
    let mut meetings = tenant.meetings();
    let meeting = meetings.item(organizer, item.meeting).ok_or_else(GraphRefusal::unknown_meeting)?;
    change.change(meeting, call.exchange.now);
    Ok(with_context(tenant, item.version, 200, item.user, &meeting.content))
}

/// What its organizer does in Teams: changes the living meeting with this external id by what a `PATCH` would hold, or
/// removes it. No call: it is not in the ledger and meets no fault.
pub(super) fn organizer_acts(
    tenant: &Tenant,
    external_id: &str,
    change: Option<Map<String, Value>>,
) -> Result<(), GraphRefusal> {
    let change = change.map(|body| ItemPatch::read(body, &tenant.settings().tenant_id)).transpose()?;
    let now = tenant.settings().clock.now();
    let mut meetings = tenant.meetings();
    let meeting = meetings.living(external_id).ok_or_else(GraphRefusal::unknown_meeting)?;
    match change {
        Some(change) => change.change(meeting, now),
        None => meeting.deleted_at = Some(now),
    }
    Ok(())
}

/// The members that hold a meeting's times, which are changed together.
const TIMES: [&str; 2] = ["startDateTime", "endDateTime"];

/// What a PATCH asks for.
#[derive(Debug)]
struct ItemPatch {
    members: Map<String, Value>,
    attendees: Option<Vec<Value>>,
}

impl ItemPatch {
    fn read(mut body: Map<String, Value>, tenant_id: &str) -> Result<Self, GraphRefusal> {
        body.remove("@odata.type");
        for (name, value) in &body {
            check_member(name, value)?;
        }
        check_times(&body)?;
        json_body::string(&body, "subject")?;
        let participants = json_body::nested(&body, "participants")?;
        if participants.is_some_and(|participants| participants.contains_key("organizer")) {
            return Err(GraphRefusal::bad_request("The organizer of a meeting can't be changed."));
        }
        let attendees = json_body::attendees(participants, tenant_id)?;
        json_body::check_upns(attendees.as_deref().unwrap_or_default())?;
        body.remove("participants");
        for name in TIMES {
            if let Some(time) = json_body::time(&body, name)? {
                body.insert(name.to_owned(), graph_time::write(time).into());
            }
        }
        Ok(Self { members: body, attendees })
    }

    /// The times of a meeting in progress stay as they are, and the answer is 200 all the same.
    fn without_times_of_a_meeting_under_way(mut self, content: &Map<String, Value>, now: Timestamp) -> Self {
        let [start, end] = TIMES.map(|name| content.get(name)?.as_str().and_then(graph_time::read));
        if start.is_some_and(|start| start <= now) && end.is_some_and(|end| now < end) {
            self.members.retain(|name, _| !TIMES.contains(&name.as_str()));
        }
        self
    }

    fn change(self, meeting: &mut SimulatedMeeting, now: Timestamp) {
        let mut content = parsed(&meeting.content);
        if let Value::Object(content) = &mut content {
            self.without_times_of_a_meeting_under_way(content, now).apply(content);
            meeting.attendees_count = attendees_count(content);
        }
        meeting.content = content.to_string().into();
    }

    fn apply(self, content: &mut Map<String, Value>) {
        if let Some(participants) = content.get_mut("participants")
            && let Some(attendees) = self.attendees
        {
            participants["attendees"] = attendees.into();
        }
        for (name, value) in self.members {
            match (content.get_mut(&name), value) {
                // A complex member keeps what the change does not mention.
                (Some(Value::Object(kept)), Value::Object(changed)) => kept.extend(changed),
                (_, value) => {
                    content.insert(name, value);
                }
            }
        }
    }
}

fn check_member(name: &str, value: &Value) -> Result<(), GraphRefusal> {
    let changeable = ["startDateTime", "endDateTime", "subject", "participants"];
    if !changeable.contains(&name) && !CHANGEABLE_SETTINGS.contains(&name) {
        return Err(GraphRefusal::bad_request(format!(
            "The property '{name}' can't be updated on type 'microsoft.graph.onlineMeeting'."
        )));
    }
    let known = |value: &Value, names: &[&str]| value.as_str().is_some_and(|value| names.contains(&value));
    match name {
        "allowedPresenters" if !known(value, PRESENTERS) => {
            Err(json_body::wrong_type(name, "microsoft.graph.onlineMeetingPresenters"))
        }
        "lobbyBypassSettings" => match value.get("scope") {
            Some(scope) if !known(scope, LOBBY_SCOPES) => {
                Err(json_body::wrong_type("scope", "microsoft.graph.lobbyBypassScope"))
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn check_times(body: &Map<String, Value>) -> Result<(), GraphRefusal> {
    match (json_body::time(body, "startDateTime")?, json_body::time(body, "endDateTime")?) {
        (None, None) => Ok(()),
        (Some(starts_at), Some(ends_at)) if ends_at >= starts_at => Ok(()),
        (Some(_), Some(_)) => {
            Err(GraphRefusal::bad_request("The endDateTime is earlier than the startDateTime."))
        }
        _ => {
            Err(GraphRefusal::bad_request("The startDateTime and the endDateTime must be updated together."))
        }
    }
}

/// An answer with a meeting: its content, led by the context that belongs to this version and user.
pub(super) fn with_context(
    tenant: &Tenant,
    version: Version,
    status: u16,
    user: &str,
    content: &str,
) -> GraphResponse {
    let metadata_url = format!(
        "{}/{}/$metadata#users('{user}')/onlineMeetings/$entity",
        tenant.root_url(),
        version.segment()
    );
    let members = content.strip_prefix('{').unwrap_or_default();
    let separator = if members == "}" { "" } else { "," };
    let body = format!("{{\"@odata.context\":{}{separator}{members}", Value::from(metadata_url));
    GraphResponse::json_text(status, body)
}

fn parsed(content: &str) -> Value {
    serde_json::from_str(content).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changed(content: &Value, body: &Value) -> Result<Value, GraphRefusal> {
        let mut content = content.clone();
        ItemPatch::read(body.as_object().unwrap().clone(), "tenant")?.apply(content.as_object_mut().unwrap());
        Ok(content)
    }

    #[test]
    fn start_and_end_only_change_together() {
        let alone = json!({"startDateTime": "2026-01-01T10:00:00Z"});
        assert!(changed(&json!({}), &alone).is_err());
        let both =
            json!({"startDateTime": "2026-01-01T10:00:00+01:00", "endDateTime": "2026-01-01T10:00:00Z"});
        let content = changed(&json!({"startDateTime": "x"}), &both).unwrap();
        assert_eq!(content["startDateTime"], "2026-01-01T09:00:00.0000000Z");
    }

    #[test]
    fn a_complex_setting_keeps_what_is_not_mentioned() {
        let content = json!({"lobbyBypassSettings": {"scope": "everyone", "isDialInBypassEnabled": true}});
        let changed = changed(&content, &json!({"lobbyBypassSettings": {"scope": "organizer"}})).unwrap();
        assert_eq!(
            changed["lobbyBypassSettings"],
            json!({"scope": "organizer", "isDialInBypassEnabled": true})
        );
    }

    #[test]
    fn what_graph_never_changes_is_refused() {
        for body in [
            json!({"externalId": "b"}),
            json!({"joinWebUrl": "https://elsewhere"}),
            json!({"participants": {"organizer": {}}}),
            json!({"lobbyBypassSettings": {"scope": "nobody"}}),
        ] {
            assert!(changed(&json!({}), &body).is_err(), "{body}");
        }
    }
}
