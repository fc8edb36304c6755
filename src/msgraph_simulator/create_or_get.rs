//! `POST /users/{userId}/onlineMeetings/createOrGet`.
//!
//! The key is tenant, user and externalId. On a hit the rest of the body only has to be well-formed: what it says is
//! ignored. Facts: Microsoft's reference page of createOrGet, v1.0 and beta.

use serde_json::{Map, Value};
use time::Duration;

use super::front::Received;
use super::graph_refusal::GraphRefusal;
use super::graph_response::GraphResponse;
use super::json_body;
use super::meeting_content::{self, Names, Owner, RequestedMeeting};
use super::meeting_item::with_context;
use super::meetings::{MeetingKey, SimulatedMeeting};
use super::route::Version;
use super::tenant::Tenant;
use crate::clock::Timestamp;

/// The parameters of the action, as the metadata of both versions lists them.
const PARAMETERS: &[&str] =
    &["externalId", "subject", "startDateTime", "endDateTime", "participants", "chatInfo"];

pub(super) fn answer(
    tenant: &Tenant,
    version: Version,
    user: &str,
    call: &Received,
) -> Result<GraphResponse, GraphRefusal> {
    let body = json_body::object(&call.body, call.content_type())?;
    let asked = CreateOrGetRequest::read(&body, version, &tenant.settings().tenant_id)?;
    let (organizer, upn) = {
        let organizers = tenant.organizers();
        let organizer = organizers.organizer(user, &tenant.settings().client_id)?;
        (organizer, organizers.upn(organizer))
    };
    let key = MeetingKey { organizer, external_id: asked.external_id.clone() };
    let predecessors = match tenant.meetings().find(&key) {
        Ok(found) => return Ok(with_context(tenant, version, 200, user, &found.content)),
        Err(predecessors) => predecessors,
    };
    let owner = Owner { tenant_id: &tenant.settings().tenant_id, upn: &upn };
    let wanted = asked.wanted(call.exchange.now)?;
    let names = Names::of(&key, &owner, predecessors, wanted.thread_id.as_deref());
    let attendees_count = wanted.attendees.len();
    let content = meeting_content::created(&key, &owner, &names, &wanted, call.exchange.now).to_string();
    let answer = with_context(tenant, version, 201, user, &content);
    let meeting = SimulatedMeeting {
        key,
        id: names.id,
        join_web_url: names.join_web_url,
        created_at: call.exchange.now,
        deleted_at: None,
        attendees_count,
        content: content.into(),
    };
    // A call with the same key may have been faster since we looked: then there is one meeting, and this is a hit.
    match tenant.meetings().add(meeting) {
        Ok(()) => Ok(answer),
        Err(found) => Ok(with_context(tenant, version, 200, user, &found.content)),
    }
}

/// A well-formed request.
#[derive(Debug)]
struct CreateOrGetRequest {
    external_id: String,
    subject: Option<String>,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    attendees: Vec<Value>,
    thread_id: Option<String>,
}

impl CreateOrGetRequest {
    /// Checks names and types, which Graph does for a hit as well.
    fn read(body: &Map<String, Value>, version: Version, tenant_id: &str) -> Result<Self, GraphRefusal> {
        if let Some(unknown) = body.keys().find(|name| !PARAMETERS.contains(&name.as_str())) {
            return Err(GraphRefusal::bad_request(format!(
                "The parameter '{unknown}' in the request payload is not a valid parameter for the operation \
                 'createOrGet'."
            )));
        }
        let external_id = json_body::string(body, "externalId")?.filter(|id| !id.is_empty());
        let external_id = external_id
            .ok_or_else(|| GraphRefusal::bad_request("The externalId is required and can't be empty."))?
            .to_owned();
        let thread_id = match json_body::nested(body, "chatInfo")? {
            Some(chat) => json_body::string(chat, "threadId")?.map(str::to_owned),
            None => None,
        };
        // The reference describes meetings in a channel for beta only, although v1.0 lists the parameter.
        let thread_id = thread_id.filter(|_| version == Version::Beta);
        let participants = json_body::nested(body, "participants")?;
        Ok(Self {
            external_id,
            subject: json_body::string(body, "subject")?.map(str::to_owned),
            starts_at: json_body::time(body, "startDateTime")?,
            ends_at: json_body::time(body, "endDateTime")?,
            attendees: json_body::attendees(participants, tenant_id)?.unwrap_or_default(),
            thread_id,
        })
    }

    /// Checks what only matters for a new meeting and fills in what was left out: it starts now and takes an hour.
    fn wanted(self, now: Timestamp) -> Result<RequestedMeeting, GraphRefusal> {
        let (starts_at, ends_at) = match (self.starts_at, self.ends_at) {
            (None, Some(_)) => {
                return Err(GraphRefusal::bad_request(
                    "The endDateTime was given without the startDateTime.",
                ));
            }
            (starts_at, ends_at) => {
                let starts_at = starts_at.unwrap_or(now);
                let in_an_hour = || starts_at.saturating_add(Duration::HOUR);
                (starts_at, ends_at.unwrap_or_else(in_an_hour))
            }
        };
        if ends_at < starts_at {
            return Err(GraphRefusal::bad_request("The endDateTime is earlier than the startDateTime."));
        }
        json_body::check_upns(&self.attendees)?;
        Ok(RequestedMeeting {
            subject: self.subject,
            starts_at,
            ends_at,
            attendees: self.attendees,
            thread_id: self.thread_id,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;

    const NOW: Timestamp = datetime!(2026-11-23 08:00 UTC);

    fn asked(body: &Value, version: Version) -> Result<CreateOrGetRequest, GraphRefusal> {
        CreateOrGetRequest::read(body.as_object().unwrap(), version, "tenant")
    }

    #[test]
    fn a_meeting_without_times_starts_now_and_takes_an_hour() {
        let wanted = asked(&json!({"externalId": "a"}), Version::V1).unwrap().wanted(NOW).unwrap();
        assert_eq!((wanted.starts_at, wanted.ends_at), (NOW, datetime!(2026-11-23 09:00 UTC)));
    }

    #[test]
    fn wrong_times_are_refused_for_a_new_meeting() {
        let backwards = json!({
            "externalId": "a", "startDateTime": "2026-01-01T10:00:00Z", "endDateTime": "2026-01-01T09:00:00Z"
        });
        assert!(asked(&backwards, Version::V1).unwrap().wanted(NOW).is_err());
        let endless = json!({"externalId": "a", "endDateTime": "2026-01-01T09:00:00Z"});
        assert!(asked(&endless, Version::V1).unwrap().wanted(NOW).is_err());
        assert!(asked(&json!({"externalId": "a", "endDateTime": "tomorrow"}), Version::V1).is_err());
    }

    #[test]
    fn a_chat_counts_on_beta_and_is_ignored_on_v1() {
        let body = json!({"externalId": "a", "chatInfo": {"threadId": "19:x@thread.tacv2"}});
        assert_eq!(asked(&body, Version::V1).unwrap().thread_id, None);
        assert_eq!(asked(&body, Version::Beta).unwrap().thread_id.as_deref(), Some("19:x@thread.tacv2"));
    }
}
