use serde_json::json;
use uuid::uuid;

use super::super::fake::connection_to;
use super::*;
use crate::booking::{ExternalId, parse};
use crate::meeting::Change;
use crate::msgraph::Cloud;

const ORGANIZER: &str = "1f35f2e6-9cab-44ad-8d5a-b74c14720000";

fn writer(cloud: Cloud, version: GraphVersion) -> RequestWriter {
    let connection = GraphConnection {
        cloud,
        version,
        root_url: cloud.root_url(),
        ..connection_to(&Url::parse("http://localhost").unwrap())
    };
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
        booking: Box::new(parse(body).unwrap().1),
    }
}

/// Beta is used where the booking or the settings ask for it, and refused where the cloud has none.
#[test]
fn a_meeting_in_a_channel_goes_to_beta() {
    use Cloud::{Global, UsGovL4, UsGovL5};
    use GraphVersion::{Beta, V1_0};
    for (cloud, version, chat, expected) in [
        (Global, V1_0, false, Some("https://graph.microsoft.com/v1.0")),
        (Global, V1_0, true, Some("https://graph.microsoft.com/beta")),
        (Global, Beta, false, Some("https://graph.microsoft.com/beta")),
        (UsGovL4, V1_0, false, Some("https://graph.microsoft.us/v1.0")),
        (UsGovL5, V1_0, false, Some("https://dod-graph.microsoft.us/v1.0")),
        (UsGovL4, V1_0, true, None),
    ] {
        let url = writer(cloud, version).write(&create(chat)).ok().map(|request| request.url.to_string());
        let expected = expected.map(|base| format!("{base}/users/{ORGANIZER}/onlineMeetings/createOrGet"));
        assert_eq!(url, expected, "{cloud:?} {version:?}, chat {chat}");
    }
}

/// No character of an id or a name can leave its place in the address.
#[test]
fn ids_and_names_are_percent_encoded() {
    let writer = writer(Cloud::Global, GraphVersion::V1_0);
    let base = "https://graph.microsoft.com/v1.0/users";
    for (id, expected) in [
        ("MSo1N2Y5-._~", "MSo1N2Y5-._~"),
        ("a/b?c#d", "a%2Fb%3Fc%23d"),
        ("MS*x==", "MS%2Ax%3D%3D"),
        ("../x", "..%2Fx"),
        ("50%25 é", "50%2525%20%C3%A9"),
    ] {
        let meeting = MeetingId::parse(id).unwrap();
        let url = writer.write(&Call::Remove { organizer: organizer(), meeting }).unwrap().url;
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
    let writer = writer(Cloud::Global, GraphVersion::V1_0);
    for id in [".", ".."] {
        let meeting = MeetingId::parse(id).unwrap();
        assert!(writer.write(&Call::Remove { organizer: organizer(), meeting: meeting.clone() }).is_err());
        let change = Change::default();
        assert!(writer.write(&Call::Change { organizer: organizer(), meeting, change }).is_err());
    }
}

/// What can't work is refused when the service starts: createOrGet in China, beta outside the global cloud.
#[test]
fn impossible_connections_are_refused_at_the_start() {
    let fine = connection_to(&Url::parse("http://localhost:1").unwrap());
    for (cloud, version, accepted) in [
        (Cloud::Global, GraphVersion::Beta, true),
        (Cloud::UsGovL5, GraphVersion::V1_0, true),
        (Cloud::UsGovL4, GraphVersion::Beta, false),
        (Cloud::China, GraphVersion::V1_0, false),
    ] {
        let checked = GraphConnection { cloud, version, ..fine.clone() }.check();
        assert_eq!(checked.is_ok(), accepted, "{cloud:?} {version:?}");
    }
    for address in ["mailto:x@contoso.com", "http://localhost/?a=b", "ftp://localhost/"] {
        let root_url = Url::parse(address).unwrap();
        assert!(GraphConnection { root_url, ..fine.clone() }.check().is_err(), "{address}");
    }
}
