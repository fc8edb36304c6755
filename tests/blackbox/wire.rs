//! What is sent to Graph, compared with Microsoft's own examples.

use meeting_provisioner::msgraph_simulator::Operation;
use serde_json::{Value, json};

use crate::microsofts_metadata::{COLLECTION, ITEM, faults, schema, slice};
use crate::support::{ORGANIZER, TestApp, Who, booking_with};

/// The two request bodies of Microsoft's createOrGet page, through our API to the wire: what Graph receives is the
/// example, but for the externalId.
#[tokio::test]
async fn microsofts_own_examples_arrive_unchanged() {
    let thread = "19:7ebda77322dd4505ac4dedb5b67df076@thread.tacv2";
    for (chat, version) in [(None, "v1.0"), (Some(thread), "beta")] {
        let app = TestApp::start().await;
        let mut body = json!({
            "bookingId": "EX-1", "organizer": "dc17674c-81d9-4adb-bfb2-8f6a442e4622",
            "subject": "Create a meeting with customId provided",
            "startDateTime": "2020-02-06T01:49:21.3524945Z", "endDateTime": "2020-02-06T02:19:21.3524945Z",
            "attendees": [{
                "userId": "1f35f2e6-9cab-44ad-8d5a-b74c14720000", "upn": "test1@contoso.com", "role": "presenter",
            }],
        });
        let mut example = json!({
            "startDateTime": "2020-02-06T01:49:21.3524945Z", "endDateTime": "2020-02-06T02:19:21.3524945Z",
            "subject": "Create a meeting with customId provided",
            "participants": {"attendees": [{
                "identity": {"user": {"id": "1f35f2e6-9cab-44ad-8d5a-b74c14720000"}},
                "role": "presenter", "upn": "test1@contoso.com",
            }]},
        });
        if let Some(thread) = chat {
            body["chatInfo"] = json!({ "threadId": thread });
            example["chatInfo"] = json!({ "threadId": thread });
        }
        let answer = app.book(Who::Desk, &body).await.expect(201).json();
        let calls = app.simulator.calls(Operation::CreateOrGet);
        let mut received = calls[0].json_body().unwrap();
        assert_eq!(received["externalId"], answer["externalId"]);
        received.as_object_mut().unwrap().remove("externalId");
        assert_eq!(received, example);
        let path =
            format!("/{version}/users/dc17674c-81d9-4adb-bfb2-8f6a442e4622/onlineMeetings/createOrGet");
        assert_eq!(calls[0].path, path);
        app.end().await;
    }
}

/// Whatever this service sends keeps to Microsoft's metadata: known members only, of the right kinds.
#[tokio::test]
async fn what_is_sent_keeps_to_microsofts_metadata() {
    let app = TestApp::start().await;
    let people = json!([{"upn": "a@contoso.com"}, {"upn": "b@contoso.com", "userId": ORGANIZER, "role": "coorganizer"}]);
    let channel = json!({"attendees": people, "chatInfo": {"threadId": "19:x@thread.tacv2"}});
    app.book(Who::Desk, &booking_with("BK-1", json!({ "attendees": people }))).await.expect(201);
    app.book(Who::Desk, &booking_with("BK-2", channel)).await.expect(201);
    // Graph has another meeting under the first booking's id, so that it is changed as well.
    sqlx::query("delete from booking where booking_id = 'BK-1'").execute(&app.pool).await.unwrap();
    let other = json!({"subject": "Other", "startDateTime": "2026-12-02T09:00:00Z", "endDateTime": "2026-12-02T10:00:00Z"});
    app.book(Who::Desk, &booking_with("BK-1", other)).await.expect(201);
    let mut sent = app.simulator.calls(Operation::CreateOrGet);
    sent.extend(app.simulator.calls(Operation::Patch));
    assert_eq!(sent.len(), 6);
    for call in sent {
        let version = if call.path.starts_with("/beta/") { "beta" } else { "v1.0" };
        let Some(slice) = slice(version) else { continue };
        let of = if call.method == "PATCH" {
            format!("{ITEM}/patch/requestBody")
        } else {
            format!("{COLLECTION}/requestBody")
        };
        let body = call.json_body().unwrap();
        assert_eq!(faults(&slice, schema(&slice, &of), &body, ""), [""; 0], "{body}");
    }
    app.end().await;
}

/// The headers that Microsoft support asks for are sent, and what came back is in the history.
#[tokio::test]
async fn a_call_can_be_found_again_at_microsoft() {
    let app = TestApp::start().await;
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request =
        app.request(Who::Desk, reqwest::Method::POST, "/v1/bookings").header("traceparent", traceparent);
    let answer = request.json(&crate::support::booking("BK-1")).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let call = app.simulator.calls(Operation::CreateOrGet).remove(0);
    let agent = format!("meeting-provisioner/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(call.headers["user-agent"], agent);
    assert_eq!(call.headers["prefer"], "include-unknown-enum-members");
    assert!(
        call.headers["traceparent"].starts_with("00-0af7651916cd43dd8448eb211c80319c-"),
        "{:?}",
        call.headers
    );
    assert!(!call.headers.contains_key("sdkversion"));
    let event = app.history_items("BK-1").await.remove(1);
    let facts = find(&event, "graph").unwrap();
    assert_eq!(find(&event, "attempt").unwrap()["id"], call.headers["client-request-id"]);
    assert_eq!(facts["clientRequestId"], call.headers["client-request-id"]);
    assert_eq!(facts["requestId"], call.request_id.to_string());
    assert_eq!(facts["status"], 201);
    assert!(facts["date"].is_string() && facts["diagnostic"].is_string(), "{facts}");
    app.end().await;
}

/// A member, wherever in the event it stands.
fn find<'a>(event: &'a Value, name: &str) -> Option<&'a Value> {
    let members = event.as_object()?;
    members.get(name).or_else(|| members.values().find_map(|value| find(value, name)))
}
