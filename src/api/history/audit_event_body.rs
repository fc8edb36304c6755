//! An audit event, as answers show it.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::openapi::AuditEventDetails;
use crate::api::openapi::words;
use crate::api::request::JoinLinks;
use crate::api::response::UnreadableBody;
use crate::audit::AuditEvent;
use crate::booking::Generation;
use crate::meeting::JOIN_WEB_URL;

/// One fact of a booking's history. The members beside `details` can be searched by.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditEvent)]
pub(crate) struct AuditEventBody<'a> {
    /// The event's number, as text; later events of one booking have higher ones.
    #[schema(pattern = "^[0-9]+$")]
    event_id: String,
    /// When it happened.
    #[serde(with = "time::serde::rfc3339")]
    occurred_at: OffsetDateTime,
    /// What happened, a fact of the past.
    #[serde(rename = "type")]
    #[schema(value_type = words::EventTypeWord)]
    kind: &'a str,
    /// The outcome of the call to Graph, if the event is about one.
    #[schema(required, value_type = Option<words::OutcomeWord>)]
    outcome: Option<&'a str>,
    /// The booking's source system.
    source_system: &'a str,
    /// The booking.
    booking_id: &'a str,
    /// The booking's generation; 0 for a cancel that came before the booking (`cancel.kept`).
    #[schema(minimum = 0)]
    generation: u32,
    /// The meeting's `externalId` at Graph; before the booking the one that its first meeting would have.
    external_id: Uuid,
    /// The organizer, as the caller wrote it; null for a cancel that came before the booking.
    #[schema(required)]
    organizer: Option<&'a str>,
    /// The meeting, once there is one.
    #[schema(required)]
    meeting_id: Option<&'a str>,
    /// The actor: `api-key:<name>`, `token:<issuer>:<subject>/<application>`, `certificate:<name>`, `command:<user>` or `worker`.
    actor: &'a str,
    /// Everything else that is known of the event; absent members are not known. Join links are null where your roles only
    /// audit.
    #[schema(value_type = AuditEventDetails)]
    details: Cow<'a, RawValue>,
}

/// One page of history.
#[derive(ToSchema)]
#[schema(as = AuditEventPage, rename_all = "camelCase")]
#[expect(dead_code, reason = "it only describes what PageBody writes")]
pub(super) struct AuditEventPageBody {
    /// The events.
    items: Vec<AuditEventBody<'static>>,
    /// Events that belong on this page and can't be read by the version that answered; absent if there are none.
    unreadable: Option<Vec<UnreadableBody>>,
    /// Whether there may be more by now: go on with `nextCursor` while it is true, also behind an empty page.
    has_more: bool,
    /// The parameter `cursor` of the next page, opaque. Oldest first it is always there: without `hasMore` it leads to what is
    /// recorded later. It is null on the last page newest first, and where the source system is none that you may see.
    #[schema(required)]
    next_cursor: Option<String>,
}

impl<'a> AuditEventBody<'a> {
    /// The event as it was written.
    ///
    /// # Errors
    /// When the stored payload is not JSON.
    pub(crate) fn of(event: &'a AuditEvent, links: JoinLinks) -> Result<Self, serde_json::Error> {
        Ok(Self {
            event_id: event.event_id.to_string(),
            occurred_at: event.occurred_at,
            kind: &event.kind,
            outcome: event.outcome.as_deref(),
            source_system: event.key.source_system.as_str(),
            booking_id: event.key.booking_id.as_str(),
            generation: event.generation.map_or(0, Generation::number),
            external_id: event.external_id.uuid(),
            organizer: event.organizer.as_deref(),
            meeting_id: event.meeting_id.as_deref(),
            actor: &event.actor,
            details: match links {
                JoinLinks::Shown => Cow::Borrowed(serde_json::from_str(&event.payload)?),
                JoinLinks::Masked => without_links(&event.payload)?,
            },
        })
    }
}

/// A payload with null in the place of join links: they are told where a meeting has another one than it had.
fn without_links(payload: &str) -> Result<Cow<'_, RawValue>, serde_json::Error> {
    if !payload.contains(JOIN_WEB_URL) {
        return Ok(Cow::Borrowed(serde_json::from_str(payload)?));
    }
    let mut payload: Value = serde_json::from_str(payload)?;
    let differences = payload.get_mut("differences").and_then(Value::as_array_mut);
    for difference in differences.into_iter().flatten() {
        if difference["field"] == JOIN_WEB_URL {
            difference["wanted"] = Value::Null;
            difference["seen"] = Value::Null;
        }
    }
    to_raw_value(&payload).map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The links are taken out of the one place where a payload has them, and nothing else is.
    #[test]
    fn links_are_taken_out_of_a_payload() {
        let link =
            json!({"field": "joinWebUrl", "wanted": "https://t.example/1", "seen": "https://t.example/2"});
        let other = json!({"field": "subject", "wanted": "joinWebUrl", "seen": "b"});
        let masked = json!({"field": "joinWebUrl", "wanted": null, "seen": null});
        for (payload, expected) in [
            (
                json!({"requestId": "r", "differences": [other, link]}),
                json!({"requestId": "r", "differences": [other, masked]}),
            ),
            (json!({"differences": [other]}), json!({"differences": [other]})),
            (json!({"note": "joinWebUrl"}), json!({"note": "joinWebUrl"})),
            (json!({}), json!({})),
        ] {
            let text = payload.to_string();
            let shown: Value = serde_json::from_str(without_links(&text).unwrap().get()).unwrap();
            assert_eq!(shown, expected);
        }
    }
}
