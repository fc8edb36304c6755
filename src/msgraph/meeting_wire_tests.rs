use proptest::prelude::*;
use serde_json::{Value, json};
use time::macros::datetime;

use super::*;

fn read(body: &Value) -> Result<SeenMeeting, AnswerFault> {
    meeting(body.to_string().as_bytes())
}

/// A full answer, with members that no schema lists and a role newer than ours.
#[test]
fn a_full_answer_is_read() {
    let body = json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#x", "id": "MSo1N2Y5", "extra": {"deep": [1]},
        "joinWebUrl": "https://teams.microsoft.com/l/meetup-join/19%3ameeting?context=%7b%7d",
        "subject": "Review", "startDateTime": "2020-02-06T01:49:21.3524945Z", "endDateTime": "2020-02-06T02:19:21Z",
        "chatInfo": {"threadId": "19:meeting_x@thread.v2", "messageId": "0", "replyChainMessageId": null},
        "participants": {"organizer": {"upn": "o@contoso.com"}, "attendees": [
            {"identity": {"application": null, "user": {"id": "1F35F2E6", "displayName": null}},
             "upn": "a@contoso.com", "role": "interpreter", "@odata.type": "#x"},
        ]},
    });
    let text = body.to_string();
    let seen = read(&body).unwrap();
    assert_eq!(seen.id.as_str(), "MSo1N2Y5");
    assert_eq!(
        seen.join_web_url.as_str(),
        "https://teams.microsoft.com/l/meetup-join/19%3ameeting?context=%7b%7d"
    );
    assert_eq!(seen.chat_thread_id.as_deref(), Some("19:meeting_x@thread.v2"));
    assert_eq!(seen.content.seen.subject.as_deref(), Some("Review"));
    assert_eq!(seen.content.seen.start, Some(datetime!(2020-02-06 01:49:21.3524945 UTC)));
    assert_eq!(seen.content.seen.end, Some(datetime!(2020-02-06 02:19:21 UTC)));
    let attendee = SeenAttendee {
        user_id: Some("1F35F2E6".into()),
        upn: Some("a@contoso.com".into()),
        role: Some("interpreter".into()),
    };
    assert_eq!(seen.content.seen.attendees, Some(vec![attendee]));
    assert_eq!(&*seen.content.online_meeting, text);
}

/// Null, absent, or of another type than ever seen: nothing but id and joinWebUrl is worth losing a meeting for.
#[test]
fn anything_but_the_id_and_the_link_may_be_missing() {
    let bare = read(&json!({"id": "m", "joinWebUrl": "https://t/u"})).unwrap();
    assert_eq!((bare.content.seen, bare.chat_thread_id), (Seen::default(), None));
    for odd in [json!(null), json!(7), json!([]), json!({}), json!([null]), json!({"attendees": null})] {
        let body = json!({
            "id": "m", "joinWebUrl": "https://t/u", "subject": odd, "startDateTime": odd, "endDateTime": odd,
            "participants": odd, "chatInfo": odd,
        });
        let seen = read(&body).unwrap();
        assert_eq!((seen.content.seen, seen.chat_thread_id), (Seen::default(), None), "{odd}");
    }
    // Null says that there is none, which differs from absence.
    let times = json!({"id": "m", "joinWebUrl": "https://t/u", "subject": null, "startDateTime": "2020-02-06T01:49:21Z"});
    assert_eq!(read(&times).unwrap().content.seen.subject.as_deref(), Some(""));
    let nulls = json!({"attendees": [null, {"identity": {"user": null}, "upn": null, "role": null}]});
    let seen = read(&json!({"id": "m", "joinWebUrl": "https://t/u", "participants": nulls})).unwrap();
    assert_eq!(
        seen.content.seen.attendees,
        Some(vec![SeenAttendee { user_id: None, upn: None, role: None }])
    );
}

/// Zero to seven digits of fraction, with an offset or without; the year 1 is no time.
#[test]
fn times_are_read_in_every_spelling() {
    for (text, expected) in [
        ("2020-02-06T01:49:21Z", Some(datetime!(2020-02-06 01:49:21 UTC))),
        ("2020-02-06T01:49:21.3Z", Some(datetime!(2020-02-06 01:49:21.3 UTC))),
        ("2020-02-06T01:49:21.3524945Z", Some(datetime!(2020-02-06 01:49:21.3524945 UTC))),
        ("2020-02-06T01:49:21.3524945", Some(datetime!(2020-02-06 01:49:21.3524945 UTC))),
        ("2020-02-06T01:49:21.0000000+00:00", Some(datetime!(2020-02-06 01:49:21 UTC))),
        ("2020-02-06T02:49:21+01:00", Some(datetime!(2020-02-06 01:49:21 UTC))),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00.0000000Z", None),
        ("", None),
        ("tomorrow", None),
    ] {
        assert_eq!(time(text), expected, "{text:?}");
    }
}

/// Half an answer, none, an id that can't be kept: such an answer proves nothing.
#[test]
fn an_answer_without_id_or_link_is_a_fault() {
    for body in [
        "",
        "{",
        "[]",
        "null",
        "{\"id\":\"m\"}",
        "{\"joinWebUrl\":\"https://t/u\"}",
        "{\"id\":null,\"joinWebUrl\":\"https://t/u\"}",
    ] {
        assert!(meeting(body.as_bytes()).is_err(), "{body}");
    }
    assert!(meeting(b"{\"id\":\"m\",\"joinWebUrl\":\"https://t/u\\u0000\"}").is_err());
    assert!(meeting(b"{\"id\":\"m\",\"joinWebUrl\":\"\xff\"}").is_err());
    assert!(meeting(b"{\"id\":\"m\",\"joinWebUrl\":\"https://t/u\"} x").is_err());
}

/// What is no address that a person can be sent to is refused, and said to be.
#[test]
fn a_link_that_is_no_https_address_is_refused() {
    for (link, expected) in [
        ("http://teams.microsoft.com/l/x", "is no https address"),
        ("javascript:alert(1)", "is no https address"),
        ("teams.microsoft.com/l/x", "is no https address"),
        ("https://", "is no https address"),
        ("", "is no https address"),
        ("https://teams.microsoft.com/\r\nSet-Cookie: a", "holds control characters or blanks"),
        ("https://teams.microsoft.com/\u{85}", "holds control characters or blanks"),
        (" https://teams.microsoft.com/l/x", "holds control characters or blanks"),
    ] {
        let body = json!({"id": "m", "joinWebUrl": link, "subject": "Review"});
        assert_eq!(read(&body), Err(AnswerFault::Link(expected)), "{link}");
        // The link is known by then: a later answer that has another counts for the rest.
        let later = content(body.to_string().as_bytes()).unwrap();
        assert_eq!((later.join_web_url, later.seen.subject.as_deref()), (None, Some("Review")), "{link}");
    }
    assert!(read(&json!({"id": "m", "joinWebUrl": "HTTPS://teams.microsoft.com/l/x?a=%20"})).is_ok());
}

/// An answer that Graph hasn't filled says nothing, in none of its members; one that lacks a member says the others.
#[test]
fn an_unfilled_answer_says_nothing() {
    let year_1 = "0001-01-01T00:00:00Z";
    let start = "2026-12-01T09:00:00Z";
    for (members, is_filled) in [
        (
            json!({"subject": "None", "startDateTime": year_1, "endDateTime": year_1, "participants": {"attendees": []}}),
            false,
        ),
        (json!({"subject": "Review", "startDateTime": year_1, "allowedPresenters": "everyone"}), false),
        (json!({"subject": "None", "startDateTime": null, "endDateTime": null}), false),
        (json!({"subject": "Review", "startDateTime": "", "endDateTime": year_1}), false),
        (json!({"subject": null, "participants": {"attendees": []}, "allowedPresenters": "everyone"}), false),
        (json!({}), false),
        (json!({"subject": "Review"}), true),
        (json!({"allowedPresenters": "everyone"}), true),
        (json!({"participants": {"attendees": [{"upn": "a@contoso.com"}]}}), true),
        (json!({"subject": null, "startDateTime": start, "participants": {"attendees": []}}), true),
        (json!({"subject": "Review", "startDateTime": start, "endDateTime": year_1}), true),
    ] {
        let later = content(members.to_string().as_bytes());
        assert_eq!(later.as_ref().err(), (!is_filled).then_some(&AnswerFault::Unfilled), "{members}");
        let mut first = members.clone();
        (first["id"], first["joinWebUrl"]) = (json!("m"), json!("https://t/u"));
        let first = read(&first).unwrap().content;
        assert_eq!(first.seen, later.map(|later| later.seen).unwrap_or_default(), "{members}");
    }
}

/// A byte order mark before the JSON is skipped, and not kept.
#[test]
fn a_byte_order_mark_is_skipped() {
    let seen = meeting("\u{feff}{\"id\":\"m\",\"joinWebUrl\":\"https://t/u\"}".as_bytes()).unwrap();
    assert!(seen.content.online_meeting.starts_with('{'));
    assert!(content("\u{feff}{\"subject\":\"Review\"}".as_bytes()).is_ok());
    assert!(user("\u{feff}{\"id\":\"1f35f2e6-9cab-44ad-8d5a-b74c14720000\"}".as_bytes()).is_ok());
}

/// What Postgres could not keep is replaced; the whole answer stays as it came.
#[test]
fn no_zero_character_reaches_the_store() {
    let body = r#"{"id":"m","joinWebUrl":"https://t/u","subject":"a\u0000b","chatInfo":{"threadId":"\u0000"},
        "participants":{"attendees":[{"upn":"\u0000","role":"\u0000","identity":{"user":{"id":"\u0000"}}}]}}"#;
    let seen = meeting(body.as_bytes()).unwrap();
    assert_eq!(seen.content.seen.subject.as_deref(), Some("a\u{fffd}b"));
    assert!(!format!("{:?} {:?}", seen.content.seen, seen.chat_thread_id).contains("\\0"));
    assert_eq!(&*seen.content.online_meeting, body);
}

proptest! {
    /// Whatever comes, in whatever place, reading it ends in a meeting or a fault.
    #[test]
    fn no_answer_upsets_the_reader(text in ".{0,60}", value in "[\\[\\]{}\",:0-9a-z\\\\]{0,40}") {
        let members = ["subject", "startDateTime", "participants", "chatInfo", "id"];
        for body in members.map(|name| format!("{{\"id\":\"m\",\"joinWebUrl\":\"https://t/u\",\"{name}\":{value}}}")) {
            let _ = meeting(body.as_bytes());
            let _ = crate::msgraph::error_wire::read(body.as_bytes());
        }
        let _ = (meeting(text.as_bytes()), time(&text), crate::msgraph::error_wire::read(text.as_bytes()));
    }
}

/// The object id of a user, or nothing.
#[test]
fn a_users_id_is_read() {
    let id = "1f35f2e6-9cab-44ad-8d5a-b74c14720000";
    assert_eq!(user(format!("{{\"id\":\"{id}\",\"x\":1}}").as_bytes()).unwrap().to_string(), id);
    for body in ["", "{}", "{\"id\":null}", "{\"id\":\"anna\"}"] {
        assert!(user(body.as_bytes()).is_err(), "{body}");
    }
}

/// The answers that Microsoft prints, each beside what was asked for where that is printed, too. What Graph adds, leaves
/// out, writes otherwise or says null of is no difference; what is one is named, and nothing else.
#[test]
fn microsofts_printed_answers_do_not_cry_wolf() {
    let person = |id: &str| {
        json!({"user": {"id": id, "displayName": null, "tenantId": "909c6581-5130-43e9-88f3-fcb3582cde38",
        "identityProvider": "AAD"}, "application": null, "device": null})
    };
    let organizer = "dc17674c-81d9-4adb-bfb2-8f6a442e4622";
    let attendee = "1f35f2e6-9cab-44ad-8d5a-b74c14720000";
    let booked = json!({
        "organizer": organizer, "subject": "Create a meeting with customId provided",
        "startDateTime": "2020-02-06T01:49:21.3524945+00:00", "endDateTime": "2020-02-06T02:19:21.3524945+00:00",
        "attendees": [{"userId": attendee, "upn": "test1@contoso.com"}],
    });
    let found = json!({
        "id": "m", "creationDateTime": "2020-09-11T06:30:18.1909168Z", "startDateTime": "2020-09-11T06:30:18.0615989Z",
        "endDateTime": "2020-09-11T07:30:18.0615989Z", "joinWebUrl": "https://t/u", "isBroadcast": false,
        "subject": "Create a meeting with customId provided", "autoAdmittedUsers": "EveryoneInCompany",
        "allowedPresenters": "everyone", "externalId": "7eb8263f-d0e0-4149-bb1c-1f0476083c56",
        "participants": {
            "organizer": {"upn": "(redacted)", "role": "presenter", "identity": {"user": {"id": "(redacted)"}}},
            "attendees": [{"upn": "test1@contoso.com", "role": null, "identity": {"user": {"id": attendee}}}],
            "producers": [], "contributors": [],
        },
        "lobbyBypassSettings": {"scope": "organization", "isDialInBypassEnabled": false},
    });
    let patched = json!({
        "organizer": organizer, "subject": "Patch Meeting Subject",
        "startDateTime": "2020-09-09T14:33:30.8546353-07:00", "endDateTime": "2020-09-09T15:03:30.8566356-07:00",
        "attendees": [{"upn": "someone@contoso.com", "role": "presenter"}],
        "settings": {"recordAutomatically": true},
    });
    let answer_without_attendees = json!({
        "id": "m", "startDateTime": "2020-09-09T21:33:30.8546353Z", "endDateTime": "2020-09-09T22:03:30.8566356Z",
        "joinWebUrl": "https://t/url", "subject": "Patch Meeting Subject", "isBroadcast": false,
        "participants": {"organizer": {"upn": "upn", "role": "presenter", "identity": person(organizer)}},
    });
    let read_by_id = json!({
        "id": "m", "startDateTime": "2020-09-29T22:35:31.389759Z", "endDateTime": "2020-09-29T23:35:31.389759Z",
        "joinWebUrl": "https://t/u", "subject": null, "isEntryExitAnnounced": true, "allowedPresenters": "everyone",
        "participants": {"organizer": {"identity": person(organizer)}, "attendees": [], "producers": []},
        "lobbyBypassSettings": {"scope": "organization", "isDialInBypassEnabled": false},
    });
    let nameless = json!({
        "organizer": organizer, "startDateTime": "2020-09-29T22:35:31.389759Z",
        "settings": {"lobbyBypassSettings": {"scope": "organization"}, "allowedPresenters": "everyone"},
    });
    let named =
        json!({"organizer": organizer, "startDateTime": "2020-09-29T22:35:31.389759Z", "subject": "Review"});
    for (spec, answer, expected) in [
        (&booked, &found, vec!["startDateTime", "endDateTime"]),
        (&patched, &answer_without_attendees, vec![]),
        (&nameless, &read_by_id, vec![]),
        (&named, &read_by_id, vec!["subject"]),
    ] {
        let spec = crate::booking::parse(spec.clone()).unwrap().1;
        let defaults = crate::booking::MeetingSettings::default();
        let spec = spec.with_default_settings(&defaults);
        let differences =
            crate::meeting::meeting_differences(&spec, None, &read(answer).unwrap().content.seen);
        let fields: Vec<_> = differences.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, expected, "{answer}");
    }
}
