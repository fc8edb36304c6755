use serde_json::{Value, json};
use time::macros::datetime;
use uuid::uuid;

use super::*;
use crate::booking::parse;

fn spec(members: &Value) -> BookingSpec {
    let mut body = json!({
        "organizer": "2f35f2e6-9cab-44ad-8d5a-b74c14720000",
        "startDateTime": "2020-02-06T01:49:21.3524945Z", "endDateTime": "2020-02-06T02:19:21.3524945Z",
    });
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    parse(body).unwrap().1
}

fn written(spec: &BookingSpec) -> Value {
    let external_id = ExternalId::new(uuid!("7eb8263f-d0e0-4149-bb1c-1f0476083c56"));
    serde_json::to_value(CreateOrGetWire::of(spec, external_id)).unwrap()
}

fn example(chat: bool) -> Value {
    let mut body = json!({
        "startDateTime": "2020-02-06T01:49:21.3524945Z",
        "endDateTime": "2020-02-06T02:19:21.3524945Z",
        "subject": "Create a meeting with customId provided",
        "externalId": "7eb8263f-d0e0-4149-bb1c-1f0476083c56",
        "participants": {"attendees": [{
            "identity": {"user": {"id": "1f35f2e6-9cab-44ad-8d5a-b74c14720000"}},
            "role": "presenter",
            "upn": "test1@contoso.com",
        }]},
    });
    if chat {
        body["chatInfo"] = json!({"threadId": "19:7ebda77322dd4505ac4dedb5b67df076@thread.tacv2"});
    }
    body
}

/// Microsoft's two createOrGet examples come out of a booking as Microsoft wrote them.
#[test]
fn the_bodies_equal_the_two_examples_of_microsoft() {
    let attendees = json!([{
        "userId": "1f35f2e6-9cab-44ad-8d5a-b74c14720000", "upn": "test1@contoso.com", "role": "presenter",
    }]);
    let subject = "Create a meeting with customId provided";
    let first = spec(&json!({"subject": subject, "attendees": attendees}));
    assert_eq!(written(&first), example(false));
    let thread = json!({"threadId": "19:7ebda77322dd4505ac4dedb5b67df076@thread.tacv2"});
    let second = spec(&json!({"subject": subject, "attendees": attendees, "chatInfo": thread}));
    assert_eq!(written(&second), example(true));
}

/// What a booking doesn't say is not sent, not even as null; times are UTC and no longer than they must be.
#[test]
fn what_is_not_asked_for_is_left_out() {
    let body = written(&spec(&json!({
        "startDateTime": "2026-12-01T09:00:00+01:00", "endDateTime": "2026-12-01T09:30:00.123456789+01:00",
    })));
    assert_eq!(
        body,
        json!({
            "startDateTime": "2026-12-01T08:00:00Z", "endDateTime": "2026-12-01T08:30:00.1234567Z",
            "externalId": "7eb8263f-d0e0-4149-bb1c-1f0476083c56",
        })
    );
    let body = written(&spec(&json!({"attendees": [{"upn": "a@contoso.com"}]})));
    assert_eq!(body["participants"], json!({"attendees": [{"role": "attendee", "upn": "a@contoso.com"}]}));
}

/// A PATCH holds what changes and nothing else: both times, the whole list, null for a subject taken away, settings where
/// Graph has them.
#[test]
fn a_change_holds_only_what_changes() {
    let times = (datetime!(2026-12-01 09:00 UTC), datetime!(2026-12-01 09:30 +1));
    let attendees = spec(&json!({"attendees": [{"upn": "a@contoso.com"}]})).attendees;
    let settings = spec(&json!({"settings": {
        "recordAutomatically": true, "allowedPresenters": "organizer",
        "lobbyBypassSettings": {"isDialInBypassEnabled": false, "scope": "invited"},
    }}));
    let settings = settings.effective_settings;
    let none = Change::default;
    let table = [
        (none(), json!({})),
        (Change { subject: Some(None), ..none() }, json!({"subject": null})),
        (
            Change { subject: Some(Some(Subject::parse("Review").unwrap())), ..none() },
            json!({"subject": "Review"}),
        ),
        (
            Change { times: Some(times), ..none() },
            json!({"startDateTime": "2026-12-01T09:00:00Z", "endDateTime": "2026-12-01T08:30:00Z"}),
        ),
        (
            Change { attendees: Some(attendees), ..none() },
            json!({"participants": {"attendees": [{"role": "attendee", "upn": "a@contoso.com"}]}}),
        ),
        (Change { attendees: Some(Vec::new()), ..none() }, json!({"participants": {"attendees": []}})),
        (
            Change { settings, ..none() },
            json!({
                "allowedPresenters": "organizer", "recordAutomatically": true,
                "lobbyBypassSettings": {"scope": "invited", "isDialInBypassEnabled": false},
            }),
        ),
        (Change { close_lobby: true, ..none() }, json!({"lobbyBypassSettings": {"scope": "organizer"}})),
    ];
    for (change, expected) in table {
        assert_eq!(serde_json::to_value(ChangeWire::of(&change)).unwrap(), expected);
    }
}
