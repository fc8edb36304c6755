//! The examples of the OpenAPI document. Tests hold that they are real requests and answers.

use serde_json::{Value, json};

/// A booking, as callers send it.
pub(crate) fn request() -> Value {
    json!({
        "bookingId": "BK-1001",
        "organizer": "1f35f2e6-9cab-44ad-8d5a-b74c14720000",
        "subject": "Quarterly review",
        "startDateTime": "2026-12-01T09:00:00+01:00",
        "endDateTime": "2026-12-01T09:30:00+01:00",
        "attendees": [{"upn": "test1@contoso.com", "role": "presenter"}],
        "settings": {"lobbyBypassSettings": {"scope": "organization"}},
        "sequence": 0,
        "dtstamp": "2026-11-23T10:59:59+01:00",
        "metadata": {"costCentre": "4711"},
    })
}

/// The smallest booking.
pub(crate) fn smallest_request() -> Value {
    json!({"bookingId": "BK-1002", "organizer": "megan@contoso.com", "startDateTime": "2026-12-01T08:00:00Z"})
}

/// A booking of a meeting in a channel.
pub(crate) fn channel_request() -> Value {
    let mut request = request();
    request["chatInfo"] = json!({"threadId": "19:7ebda77322dd4505ac4dedb5b67df076@thread.tacv2"});
    request
}

/// A booking with its meeting.
pub(crate) fn provisioned() -> Value {
    json!({
        "bookingId": "BK-1001",
        "sourceSystem": "room-booking",
        "externalId": "4b22997d-a5f7-5483-b720-2dee50154e74",
        "generation": 1,
        "revision": 3,
        "status": "provisioned",
        "organizer": {"userId": "1f35f2e6-9cab-44ad-8d5a-b74c14720000", "upn": null},
        "subject": "Quarterly review",
        "startDateTime": "2026-12-01T08:00:00Z",
        "endDateTime": "2026-12-01T08:30:00Z",
        "attendees": [{"userId": null, "upn": "test1@contoso.com", "role": "presenter"}],
        "chatInfo": null,
        "settings": {"lobbyBypassSettings": {"scope": "organization"}},
        "effectiveSettings": {
            "allowedPresenters": "roleIsPresenter",
            "lobbyBypassSettings": {"scope": "organization"},
        },
        "sequence": 0,
        "dtstamp": "2026-11-23T09:59:59Z",
        "metadata": {"costCentre": "4711"},
        "meeting": {
            "id": "MSoxZjM1ZjJlNi05Y2FiLTQ0YWQtOGQ1YS1iNzRjMTQ3MjAwMDA",
            "joinWebUrl": "https://teams.microsoft.com/l/meetup-join/19%3ameeting_ZjM1%40thread.v2/0",
            "chatThreadId": "19:meeting_ZjM1@thread.v2",
            "createdBy": "this-request",
            "provisionedAt": "2026-11-23T10:00:00.25Z",
            "seenAt": "2026-11-23T10:00:00.25Z",
            "differences": [],
        },
        "attempts": 2,
        "nextAttemptAt": null,
        "failingSince": null,
        "lastError": null,
        "createdAt": "2026-11-23T10:00:00Z",
        "updatedAt": "2026-11-23T10:00:00.25Z",
    })
}

/// A booking that Graph throttled.
pub(crate) fn pending() -> Value {
    let mut booking = provisioned();
    booking["status"] = json!("pending");
    booking["revision"] = json!(2);
    booking["attempts"] = json!(1);
    booking["meeting"] = Value::Null;
    booking["nextAttemptAt"] = json!("2026-11-23T10:00:02.378Z");
    booking["failingSince"] = json!("2026-11-23T10:00:00.25Z");
    booking["lastError"] = json!({
        "code": "graph-throttled",
        "detail": "Graph asked this service to slow down.",
        "at": "2026-11-23T10:00:00.25Z",
        "graph": {
            "status": 429,
            "code": "TooManyRequests",
            "message": "Too many requests",
            "requestId": "5cf23f6b-2cf6-4a4f-9a44-0e3c2ed0f7a7",
            "clientRequestId": "019ab0f2-6a10-7c32-9d1e-4b7f6a2c8e11",
            "date": "Mon, 23 Nov 2026 10:00:00 GMT",
        },
        "remedy": null,
    });
    booking
}

/// A cancelled booking.
pub(crate) fn cancelled() -> Value {
    let mut booking = provisioned();
    booking["status"] = json!("cancelled");
    booking["revision"] = json!(5);
    booking["attempts"] = json!(3);
    booking["meeting"] = Value::Null;
    booking["notice"] = json!(
        "Teams may keep the join link of a removed meeting working. Its lobby was closed to everyone but the organizer \
         first. Stop handing out the link."
    );
    booking
}

/// A cancel that came before its booking.
pub(crate) fn kept_cancel() -> Value {
    json!({
        "bookingId": "BK-1001",
        "sourceSystem": "room-booking",
        "status": "cancelled",
        "sequence": 1,
        "dtstamp": "2026-11-23T09:59:59Z",
        "receivedAt": "2026-11-23T10:00:00Z",
        "notice": "No booking of this id is known. The cancel is kept: a create that is not newer makes no meeting.",
    })
}

/// A failed booking, which needs an administrator to act.
pub(crate) fn failed() -> Value {
    failed_with("organizer-not-found")
}

/// A booking that failed with this code.
pub(crate) fn failed_with(code: &str) -> Value {
    let (status, graph_code, message, detail, remedy) = match code {
        "organizer-not-permitted" => (
            403,
            "Forbidden",
            "No application access policy found for this app.",
            "Graph does not let this service make meetings on behalf of the organizer: there is no application access \
             policy for it, or it has not taken effect yet.",
            Some(GRANT_ACCESS_POLICY),
        ),
        "graph-refused" => (
            400,
            "BadRequest",
            "Invalid value specified for property 'subject' of resource 'onlineMeeting'.",
            "Graph refused the request; graph.code and graph.message say why.",
            Some("Read graph.code and graph.message: they say what Graph objects to in the booking."),
        ),
        "graph-unauthorized" => (
            401,
            "invalid_client",
            "AADSTS7000222: The provided client secret keys are expired.",
            "Microsoft refuses the credential with which this service signs in: the client secret has expired.",
            Some(
                "For the operator of this service (application 22222222-2222-4222-8222-222222222222): Add a new secret \
                 under the application's \"Certificates & secrets\" and put its value into the settings or the file \
                 that they name.",
            ),
        ),
        "graph-unavailable" => {
            (503, "ServiceUnavailable", "", "Graph is unavailable, or can't be reached.", None)
        }
        _ => (
            404,
            "UnknownError",
            "",
            "Graph knows no such organizer.",
            Some(
                "Check that the organizer is the object id or user principal name of a user in this service's tenant \
                 who is not deleted.",
            ),
        ),
    };
    let mut booking = pending();
    booking["status"] = json!("failed");
    booking["nextAttemptAt"] = Value::Null;
    let error = &mut booking["lastError"];
    error["code"] = json!(code);
    error["detail"] = json!(detail);
    error["remedy"] = json!(remedy);
    error["graph"]["status"] = json!(status);
    error["graph"]["code"] = json!(graph_code);
    error["graph"]["message"] = json!(message);
    booking
}

const GRANT_ACCESS_POLICY: &str = "A Teams administrator runs, in the PowerShell module MicrosoftTeams:\n\
    New-CsApplicationAccessPolicy -Identity meeting-provisioner -AppIds 22222222-2222-4222-8222-222222222222\n\
    Grant-CsApplicationAccessPolicy -PolicyName meeting-provisioner -Identity \
    1f35f2e6-9cab-44ad-8d5a-b74c14720000\n\
    It takes up to 30 minutes to take effect. (The first line only if there is no such policy yet.)";

/// A page of bookings.
pub(crate) fn booking_page() -> Value {
    let mut listed = provisioned();
    listed.as_object_mut().map(|members| members.remove("attendees"));
    json!({"items": [listed], "hasMore": false, "nextCursor": null})
}

/// A page of history.
pub(crate) fn audit_event_page() -> Value {
    json!({
        "items": [{
            "eventId": "2",
            "occurredAt": "2026-11-23T10:00:00.25Z",
            "type": "meeting.created",
            "outcome": "created",
            "sourceSystem": "room-booking",
            "bookingId": "BK-1001",
            "generation": 1,
            "externalId": "4b22997d-a5f7-5483-b720-2dee50154e74",
            "organizer": "1f35f2e6-9cab-44ad-8d5a-b74c14720000",
            "meetingId": "MSoxZjM1ZjJlNi05Y2FiLTQ0YWQtOGQ1YS1iNzRjMTQ3MjAwMDA",
            "actor": "api-key:front-desk",
            "details": {
                "requestId": "019ab0f2-69d0-7f43-8a51-6d0b3c9e2f10",
                "attempt": {
                    "id": "019ab0f2-6a10-7c32-9d1e-4b7f6a2c8e11",
                    "number": 1,
                    "call": "create-or-get",
                    "startedAt": "2026-11-23T10:00:00Z",
                },
                "graph": {
                    "startedAt": "2026-11-23T10:00:00Z",
                    "durationMilliseconds": 240,
                    "status": 201,
                    "requestId": "5cf23f6b-2cf6-4a4f-9a44-0e3c2ed0f7a7",
                    "clientRequestId": "019ab0f2-6a10-7c32-9d1e-4b7f6a2c8e11",
                    "date": "Mon, 23 Nov 2026 10:00:00 GMT",
                },
                "differences": [{"field": "allowedPresenters", "wanted": "roleIsPresenter", "seen": "everyone"}],
                "next": {"status": "pending", "call": "change", "dueAt": "2026-11-23T10:00:00.25Z"},
            },
        }],
        "hasMore": true,
        "nextCursor": "AVkuTBJz0sxhAAAAAAAAAAI",
    })
}

/// An organizer without an access policy.
pub(crate) fn readiness() -> Value {
    let check = |name: &str, status: &str, detail: &str| json!({"name": name, "status": status, "detail": detail, "remedy": null});
    let mut policy = check(
        "access-policy",
        "failed",
        "No application access policy covers the organizer, or not yet: 403, Forbidden, No application access policy \
         found for this app.",
    );
    policy["remedy"] = json!(GRANT_ACCESS_POLICY);
    json!({
        "organizer": {"userId": "1f35f2e6-9cab-44ad-8d5a-b74c14720000", "upn": "megan@contoso.com"},
        "ready": false,
        "checkedAt": "2026-11-23T10:00:00Z",
        "checks": [
            check("token", "ok", "The token endpoint gives this service a token."),
            check(
                "permissions",
                "ok",
                "The token holds the application permissions that bookings for this organizer need.",
            ),
            check("organizer", "ok", "There is such a user."),
            policy,
            check("recent-attempts", "unknown", "No booking since 2026-11-16T10:00:00Z tells anything."),
        ],
        "recentAttempts": {
            "since": "2026-11-16T10:00:00Z", "succeededAt": null, "refusedAt": null, "refusal": null,
        },
    })
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::api::bookings::BookingBody;
    use crate::api::fixture;
    use crate::api::history::AuditEventBody;
    use crate::api::organizers::ReadinessBody;
    use crate::api::request::JoinLinks;
    use crate::audit::{AuditEvent, EventPayload};
    use crate::booking::{Organizer, UserId, parse_with_id};
    use crate::meeting::{
        Evidence, Failure, OrganizerFacts, Probe, ProbeOutcome, RecentAttempts, Refusal, TokenFacts,
    };

    /// The requests are valid bookings.
    #[test]
    fn example_requests_are_valid() {
        for request in [request(), smallest_request(), channel_request()] {
            assert!(parse_with_id(request.clone()).is_ok(), "{request}");
        }
    }

    /// A failed booking is answered as documented, whatever parked it; of Graph's answer the fixture has only a part.
    #[test]
    fn an_example_of_a_failure_is_what_is_answered() {
        for failure in [
            Failure::OrganizerNotFound,
            Failure::OrganizerNotPermitted,
            Failure::GraphRefused,
            Failure::GraphUnauthorized,
            Failure::GraphUnavailable,
        ] {
            let mut example = failed_with(failure.code());
            let graph = example["lastError"]["graph"].clone();
            let status = graph["status"].as_u64().and_then(|status| u16::try_from(status).ok());
            let booking = fixture::failed(failure, status, graph["message"].as_str());
            let mut body =
                serde_json::to_value(BookingBody::of(&booking, &fixture::remedies(), JoinLinks::Shown))
                    .unwrap();
            for booking in [&mut body, &mut example] {
                booking["lastError"]["graph"] = Value::Null;
            }
            assert_eq!(body, example, "{failure:?}");
        }
    }

    /// An event is answered as documented, and its details are an event payload.
    #[test]
    fn an_example_of_history_is_what_is_answered() {
        let example = audit_event_page()["items"][0].clone();
        let payload: EventPayload = serde_json::from_value(example["details"].clone()).unwrap();
        let payload = serde_json::to_string(&payload).unwrap().into_boxed_str();
        let booking = fixture::provisioned();
        let event = AuditEvent {
            event_id: 2,
            transaction_id: 1,
            occurred_at: booking.updated_at,
            kind: "meeting.created".to_owned(),
            outcome: Some("created".to_owned()),
            key: booking.key.clone(),
            generation: Some(booking.generation),
            external_id: booking.wanted.external_id,
            organizer: Some("1f35f2e6-9cab-44ad-8d5a-b74c14720000".to_owned()),
            meeting_id: example["meetingId"].as_str().map(ToOwned::to_owned),
            actor: "api-key:front-desk".to_owned(),
            payload,
        };
        assert_eq!(
            serde_json::to_value(AuditEventBody::of(&event, JoinLinks::Shown).unwrap()).unwrap(),
            example
        );
    }

    /// An organizer who is not ready is answered as documented.
    #[test]
    fn an_example_of_readiness_is_what_is_answered() {
        let evidence = Evidence {
            status: Some(403),
            code: Some("Forbidden".to_owned()),
            message: Some("No application access policy found for this app.".to_owned()),
            ..Evidence::begun(datetime!(2026-11-23 10:00 UTC))
        };
        let probe = |seen| Some(Probe { seen, evidence: evidence.clone() });
        let roles = ["OnlineMeetings.ReadWrite.All", "User.Read.All"].map(str::to_owned);
        let facts = OrganizerFacts {
            organizer: Organizer::parse("megan@contoso.com").unwrap(),
            user_id: UserId::parse("1f35f2e6-9cab-44ad-8d5a-b74c14720000").ok(),
            checked_at: evidence.started_at,
            token: Ok(TokenFacts { roles: Some(roles.into()) }),
            user: probe(ProbeOutcome::There),
            meeting: probe(ProbeOutcome::Refused(Refusal::OrganizerNotPermitted)),
        };
        let since = datetime!(2026-11-16 10:00 UTC);
        let recent = RecentAttempts { since, succeeded_at: None, refused: None };
        let body = ReadinessBody::of(&facts, &recent, &fixture::remedies());
        assert_eq!(serde_json::to_value(body).unwrap(), readiness());
    }
}
