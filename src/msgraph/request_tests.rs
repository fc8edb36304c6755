use serde_json::json;
use uuid::uuid;

use super::super::fake::connection_to;
use super::*;
use crate::booking::{ExternalId, Upn, parse};
use crate::meeting::Change;

const ORGANIZER: &str = "1f35f2e6-9cab-44ad-8d5a-b74c14720000";

fn writer(channel_meetings: bool, version: GraphVersion) -> RequestWriter {
    let address = Url::parse("https://graph.example").unwrap();
    let connection = GraphConnection { channel_meetings, version, ..connection_to(&address) };
    RequestWriter::of(&connection).unwrap()
}

fn organizer() -> UserId {
    UserId::parse(ORGANIZER).unwrap()
}

fn create(chat: bool) -> Call {
    let mut body = json!({"organizer": ORGANIZER, "startDateTime": "2026-12-01T09:00:00Z"});
    if chat {
        body["chatInfo"] = json!({"threadId": "19:7ebda77322dd4505ac4dedb5b67df076@thread.tacv2"});
    }
    Call::CreateOrGet {
        organizer: organizer(),
        external_id: ExternalId::new(uuid!("7eb8263f-d0e0-4149-bb1c-1f0476083c56")),
        spec: Box::new(parse(body).unwrap().1),
    }
}

fn change(meeting: MeetingId, in_channel: bool) -> Call {
    Call::Change { organizer: organizer(), meeting, in_channel, change: Change::default() }
}

fn remove(meeting: MeetingId, in_channel: bool) -> Call {
    Call::Remove { organizer: organizer(), meeting, in_channel }
}

/// Beta is used where the booking or the settings ask for it, and refused where the cloud has none.
#[test]
fn a_meeting_in_a_channel_goes_to_beta() {
    use GraphVersion::{Beta, V1_0};
    for (channel_meetings, version, chat, expected) in [
        (true, V1_0, false, Some("v1.0")),
        (true, V1_0, true, Some("beta")),
        (true, Beta, false, Some("beta")),
        (false, V1_0, false, Some("v1.0")),
        (false, V1_0, true, None),
    ] {
        let written = writer(channel_meetings, version).write(&create(chat));
        let url = written.ok().map(|request| request.url.to_string());
        let expected = expected.map(|version| {
            format!("https://graph.example/{version}/users/{ORGANIZER}/onlineMeetings/createOrGet")
        });
        assert_eq!(url, expected, "{version:?}, chat {chat}");
    }
}

/// What beta made is changed and removed there, too.
#[test]
fn a_meeting_in_a_channel_stays_with_beta() {
    use GraphVersion::{Beta, V1_0};
    let meeting = MeetingId::parse("M1").unwrap();
    for (channel_meetings, version, in_channel, expected) in [
        (true, V1_0, false, Some("v1.0")),
        (true, V1_0, true, Some("beta")),
        (true, Beta, false, Some("beta")),
        (false, V1_0, false, Some("v1.0")),
        (false, V1_0, true, None),
    ] {
        for call in [change(meeting.clone(), in_channel), remove(meeting.clone(), in_channel)] {
            let url =
                writer(channel_meetings, version).write(&call).ok().map(|request| request.url.to_string());
            let expected = expected.map(|version| {
                format!("https://graph.example/{version}/users/{ORGANIZER}/onlineMeetings/M1")
            });
            assert_eq!(url, expected, "{version:?}, {call:?}");
        }
    }
}

/// No character of an id or a name can leave its place in the address.
#[test]
fn ids_and_names_are_percent_encoded() {
    let writer = writer(true, GraphVersion::V1_0);
    let base = "https://graph.example/v1.0/users";
    for (id, expected) in [
        ("MSo1N2Y5-._~", "MSo1N2Y5-._~"),
        ("a/b?c#d", "a%2Fb%3Fc%23d"),
        ("MS*x==", "MS%2Ax%3D%3D"),
        ("../x", "..%2Fx"),
        ("50%25 é", "50%2525%20%C3%A9"),
    ] {
        let meeting = MeetingId::parse(id).unwrap();
        let url = writer.write(&remove(meeting, false)).unwrap().url;
        assert_eq!(url.as_str(), format!("{base}/{ORGANIZER}/onlineMeetings/{expected}"));
    }
    for (upn, expected) in [
        ("anna@contoso.com", "/anna%40contoso.com?$select=id"),
        ("o'hara#EXT#@contoso.com", "/o%27hara%23EXT%23%40contoso.com?$select=id"),
        ("$o'hara@contoso.com", "('%24o%27%27hara%40contoso.com')?$select=id"),
    ] {
        let url = writer.write(&Call::FindOrganizer(Upn::parse(upn).unwrap())).unwrap().url;
        assert_eq!(url.as_str(), format!("{base}{expected}"));
    }
}

/// A dot segment would turn "remove this meeting" into a call on the organizer.
#[test]
fn a_meeting_id_that_would_climb_the_path_is_not_sent() {
    let writer = writer(true, GraphVersion::V1_0);
    for id in [".", ".."] {
        let meeting = MeetingId::parse(id).unwrap();
        assert!(writer.write(&remove(meeting.clone(), false)).is_err());
        assert!(writer.write(&change(meeting, false)).is_err());
    }
}

/// An address that nothing can be built upon is refused when the service starts.
#[test]
fn impossible_connections_are_refused_at_the_start() {
    let fine = connection_to(&Url::parse("http://localhost:1").unwrap());
    assert!(fine.check().is_ok());
    for address in ["mailto:x@contoso.com", "http://localhost/?a=b", "ftp://localhost/"] {
        let root_url = Url::parse(address).unwrap();
        assert!(GraphConnection { root_url, ..fine.clone() }.check().is_err(), "{address}");
    }
}
