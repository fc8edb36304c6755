//! The main case: a booking comes in, one meeting is created.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};
use serde_json::{Value, json};

use crate::support::kept_connection::KeptConnection;
use crate::support::{TestApp, Who, booking, booking_with, one_created_and_the_others_replayed};

/// A new booking gets its meeting: 201, the place where it stands, a link that is the simulator's byte for byte.
#[tokio::test]
async fn a_new_booking_gets_a_meeting() {
    let app = TestApp::start().await;
    let answer = app.book(Who::Desk, &booking("BK-1001")).await.expect(201);
    assert_eq!(answer.header("location"), Some("/v1/bookings/BK-1001"));
    assert!(answer.header("etag").is_some());
    let body = answer.json();
    let meetings = app.simulator.meetings();
    assert_eq!(meetings.len(), 1);
    assert_eq!(body["externalId"], "4b22997d-a5f7-5483-b720-2dee50154e74", "the published vector");
    assert_eq!(meetings[0].external_id, "4b22997d-a5f7-5483-b720-2dee50154e74");
    assert_eq!(body["meeting"]["id"], meetings[0].id);
    assert_eq!(body["meeting"]["joinWebUrl"], meetings[0].join_web_url);
    assert_eq!(body["meeting"]["createdBy"], "this-request");
    assert_eq!(body["status"], "provisioned");
    assert_eq!((&body["generation"], &body["attempts"]), (&json!(1), &json!(1)));
    assert_eq!((&body["lastError"], &body["nextAttemptAt"]), (&Value::Null, &Value::Null));
    assert_eq!(app.history("BK-1001").await, ["booking.accepted", "meeting.created"]);
    app.end().await;
}

/// The same booking again is answered from what is stored: 200, replayed, without a call to Graph.
#[tokio::test]
async fn the_same_booking_sent_twice_creates_one_meeting() {
    let app = TestApp::start().await;
    let first = app.book(Who::Desk, &booking("BK-1")).await.expect(201).json();
    let second = app.book(Who::Desk, &booking("BK-1")).await.expect(200);
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    assert_eq!(second.json(), first);
    assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), 1);
    app.end().await;
}

/// What only looks different is the same booking: another offset, another order, another case, a default spelt out.
#[tokio::test]
async fn a_booking_written_differently_is_the_same_booking() {
    let app = TestApp::start().await;
    let people = json!([{"upn": "a@contoso.com"}, {"upn": "b@contoso.com", "role": "presenter"}]);
    app.book(Who::Desk, &booking_with("BK-1", json!({"attendees": people}))).await.expect(201);
    let people =
        json!([{"upn": "B@contoso.com", "role": "presenter"}, {"upn": "a@contoso.com", "role": "attendee"}]);
    let same = json!({"startDateTime": "2026-12-01T10:00:00+01:00", "attendees": people, "metadata": {}});
    app.book(Who::Desk, &booking_with("BK-1", same)).await.expect(200);
    app.end().await;
}

/// Other content under a known id is refused, naming each field, and changes nothing.
#[tokio::test]
async fn other_content_under_a_known_id_is_refused() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let other = json!({"startDateTime": "2026-12-01T09:10:00Z", "subject": "Another"});
    let body = app.book(Who::Desk, &booking_with("BK-1", other)).await.problem(409, "booking-differs");
    assert_eq!(
        body["differences"],
        json!([
            {"field": "subject", "stored": "Quarterly review", "requested": "Another"},
            {"field": "startDateTime", "stored": "2026-12-01T09:00:00Z", "requested": "2026-12-01T09:10:00Z"},
        ])
    );
    assert_eq!(app.booking("BK-1").await["subject"], "Quarterly review");
    assert_eq!(app.simulator.meetings().len(), 1);
    app.end().await;
}

/// Of many attendees the answer names those that make the difference, not both lists.
#[tokio::test]
async fn attendees_are_named_where_they_differ() {
    let app = TestApp::start().await;
    let mut people: Vec<Value> =
        (100..400).map(|n| json!({"upn": format!("guest{n}@contoso.com"), "role": "attendee"})).collect();
    app.book(Who::Desk, &booking_with("BK-1", json!({"attendees": people}))).await.expect(201);
    people[7]["role"] = json!("presenter");
    let other = booking_with("BK-1", json!({"attendees": people}));
    let problem = app.book(Who::Desk, &other).await.problem(409, "booking-differs");
    let guest = |role: &str| json!({"upn": "guest107@contoso.com", "userId": null, "role": role});
    let expected = json!([{"field": "attendees", "attendees": {
        "added": [], "removed": [], "changed": [{"from": guest("attendee"), "to": guest("presenter")}],
        "moreAdded": 0, "moreRemoved": 0, "moreChanged": 0,
    }}]);
    assert_eq!(problem["differences"], expected);
    let none = booking_with("BK-1", json!({"attendees": []}));
    let problem = app.book(Who::Desk, &none).await.problem(409, "booking-differs");
    let changes = &problem["differences"][0]["attendees"];
    assert_eq!((changes["removed"].as_array().unwrap().len(), &changes["moreRemoved"]), (20, &json!(280)));
    app.end().await;
}

/// Two source systems with the same id have two bookings and two meetings.
#[tokio::test]
async fn two_source_systems_may_use_the_same_id() {
    let app = TestApp::start().await;
    let ours = app.book(Who::Desk, &booking("BK-1001")).await.expect(201).json();
    let theirs = app.book(Who::OtherSystem, &booking("BK-1001")).await.expect(201).json();
    assert_eq!(theirs["externalId"], "83ffdcfe-50e8-5faa-8945-f5e123a49c28", "the published vector");
    assert_ne!(ours["meeting"]["id"], theirs["meeting"]["id"]);
    app.end().await;
}

/// Fifty identical requests at once share one call; one of them made the booking, the others are replays.
#[tokio::test]
async fn fifty_requests_at_once_create_one_meeting() {
    let app = TestApp::start().await;
    let body = booking("BK-1");
    let answers = futures_util::future::join_all((0..50).map(|_| app.book(Who::Desk, &body))).await;
    one_created_and_the_others_replayed(&answers);
    let urls: std::collections::BTreeSet<String> =
        answers.iter().map(|answer| answer.json()["meeting"]["joinWebUrl"].to_string()).collect();
    assert_eq!(urls.len(), 1);
    assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), 1);
    assert_eq!(app.history("BK-1").await, ["booking.accepted", "meeting.created"]);
    app.end().await;
}

/// Ids with slashes, spaces, percent signs and question marks are found under their percent-encoded path.
#[tokio::test]
async fn a_booking_id_may_hold_any_printable_character() {
    let app = TestApp::start().await;
    for (booking_id, path) in [
        ("a/b c", "a%2Fb%20c"),
        ("100% ?x=1#y", "100%25%20%3Fx%3D1%23y"),
        ("...", "..."),
        (".a", ".a"),
        ("~!'\"", "~!%27%22"),
    ] {
        let answer = app.book(Who::Desk, &booking(booking_id)).await.expect(201);
        let location = answer.header("location").unwrap().to_owned();
        let path = format!("/v1/bookings/{path}");
        let found = app.get(Who::Desk, &path).await.expect(200).json();
        assert_eq!(found["bookingId"], booking_id);
        assert_eq!(app.get(Who::Desk, &location).await.expect(200).json(), found);
        app.get(Who::Desk, &format!("{path}/audit-events")).await.expect(200);
    }
    app.end().await;
}

/// What can't stand in a path names no booking that is made: clients fold such paths, however they are written. Nor does what
/// no id may hold; a PUT says so at the same place as a POST.
#[tokio::test]
async fn a_booking_id_that_cannot_be_used_is_refused() {
    let app = TestApp::start().await;
    for booking_id in [".", "..", "Zahnreinigung für Anna", " x", &"x".repeat(256)] {
        let problem = app.book(Who::Desk, &booking(booking_id)).await.problem(422, "invalid-booking");
        assert_eq!(problem["errors"][0]["pointer"], "/bookingId", "{booking_id}");
    }
    let mut unnamed = booking("BK-1");
    unnamed.as_object_mut().unwrap().remove("bookingId");
    for segment in ["%2E", "%2e%2e", ".%2E", "f%C3%BCr", "%FF", "%20x", &"x".repeat(256)] {
        let body = unnamed.to_string();
        let raw = format!(
            "PUT /v1/bookings/{segment} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            Who::Desk.key().unwrap(),
            body.len()
        );
        // Byte for byte: an HTTP library would fold some of these paths before it sends them.
        let mut connection = KeptConnection::to(&app.url("").replace("http://", "")).await.unwrap();
        let answer = connection.exchange(raw.as_bytes()).await.unwrap();
        assert_eq!(answer.status, 422, "{segment}: {}", answer.text);
        assert!(answer.text.contains("\"/bookingId\""), "{segment}: {}", answer.text);
    }
    assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), 0);
    app.end().await;
}

/// A read that asks to wait for a booking which Graph is asked for later answers at once, doesn't say that it waited, and says
/// when to come back.
#[tokio::test]
async fn a_read_does_not_wait_for_what_is_due_later() {
    let app = TestApp::start().await;
    let effect = Effect::ThrottledBeforeWork { retry_after: Some("48".to_owned()) };
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect));
    app.book_preferring(Who::Desk, "wait=1", &booking("BK-1")).await.expect(202);
    let request =
        app.request(Who::Desk, reqwest::Method::GET, "/v1/bookings/BK-1").header("Prefer", "wait=20");
    let answer = crate::support::ApiResponse::read(request.send().await.unwrap()).await.expect(200);
    assert_eq!(answer.header("preference-applied"), None);
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((48..=60).contains(&seconds), "{seconds}");
    app.end_with_work_left().await;
}

/// `respond-async` is answered at once with 202; the work goes on, and the booking can be waited for.
#[tokio::test]
async fn respond_async_is_answered_at_once() {
    let app = TestApp::start().await;
    let answer = app.book_preferring(Who::Desk, "respond-async", &booking("BK-1")).await.expect(202);
    assert_eq!(answer.header("preference-applied"), Some("respond-async"));
    assert_eq!(answer.header("location"), Some("/v1/bookings/BK-1"));
    assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
    assert_eq!(answer.json()["status"], "pending");
    assert_eq!(answer.json()["meeting"], Value::Null);
    let request =
        app.request(Who::Desk, reqwest::Method::GET, "/v1/bookings/BK-1").header("Prefer", "wait=10");
    let answer = crate::support::ApiResponse::read(request.send().await.unwrap()).await.expect(200);
    assert_eq!(answer.header("preference-applied"), Some("wait=10"));
    assert_eq!(answer.json()["status"], "provisioned");
    app.end().await;
}

/// A caller that hangs up loses nothing: the meeting is made, and its retry finds it.
#[tokio::test]
async fn a_caller_that_hangs_up_loses_nothing() {
    use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault};
    let app = TestApp::start().await;
    app.simulator
        .inject(InjectedFault::on(Operation::CreateOrGet, Effect::SlowAfterWork { milliseconds: 300 }));
    let request = app.request(Who::Desk, reqwest::Method::POST, "/v1/bookings").json(&booking("BK-1"));
    let hung_up = request.timeout(std::time::Duration::from_millis(100)).send().await;
    assert!(hung_up.unwrap_err().is_timeout());
    let answer = app.book(Who::Desk, &booking("BK-1")).await.expect(200);
    assert_eq!(answer.json()["status"], "provisioned");
    assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), 1);
    app.end().await;
}

/// An unchanged booking is not sent again to a caller that has its ETag.
#[tokio::test]
async fn an_unchanged_booking_is_answered_304() {
    let app = TestApp::start().await;
    let etag = app.book(Who::Desk, &booking("BK-1")).await.expect(201).header("etag").unwrap().to_owned();
    for (condition, status) in [(etag.as_str(), 304), ("\"other\"", 200), ("*", 304), ("\"x\", W/\"y\"", 200)]
    {
        let request = app.request(Who::Desk, reqwest::Method::GET, "/v1/bookings/BK-1");
        let request = request.header("If-None-Match", condition);
        crate::support::ApiResponse::read(request.send().await.unwrap()).await.expect(status);
    }
    app.end().await;
}

/// The whole meeting as Graph sent it is there for a caller that asks for it.
#[tokio::test]
async fn the_whole_meeting_is_kept() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let body = app.get(Who::Desk, "/v1/bookings/BK-1?expand=onlineMeeting").await.expect(200).json();
    let online_meeting = &body["onlineMeeting"];
    assert_eq!(online_meeting["id"], body["meeting"]["id"]);
    assert_eq!(online_meeting["subject"], "Quarterly review");
    assert!(app.booking("BK-1").await.get("onlineMeeting").is_none());
    app.end().await;
}

/// Graph had another meeting under the id (the database was lost): it is changed as the booking wants, and the history
/// has both.
#[tokio::test]
async fn a_found_meeting_that_differs_is_mended() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    sqlx::query("delete from booking").execute(&app.pool).await.unwrap();
    let other = json!({"subject": "Moved", "startDateTime": "2026-12-02T09:00:00Z", "endDateTime": "2026-12-02T10:00:00Z"});
    let body = app.book(Who::Desk, &booking_with("BK-1", other)).await.expect(201).json();
    assert_eq!((&body["status"], &body["meeting"]["createdBy"]), (&json!("provisioned"), &json!("existing")));
    let meetings = app.simulator.meetings();
    assert_eq!(meetings.len(), 1);
    assert_eq!(meetings[0].content()["subject"], "Moved");
    assert!(meetings[0].content()["startDateTime"].as_str().unwrap().starts_with("2026-12-02T09:00:00"));
    let patches = app.simulator.calls(Operation::Patch);
    let patch = patches[0].json_body().unwrap();
    assert_eq!(patches.len(), 1);
    assert_eq!(patch.as_object().unwrap().len(), 3, "only what differs, both times together: {patch}");
    let events = app.history_items("BK-1").await;
    let [.., found, changed] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((&found["type"], &changed["type"]), (&json!("meeting.found"), &json!("meeting.changed")));
    app.end().await;
}

/// A meeting that Graph had before its booking first asked for it, though no answer was lost, is told of: in the history and by a
/// metric. One whose creation may have been ours is not.
#[tokio::test]
async fn a_meeting_that_was_there_before_is_told_of() {
    let app = TestApp::start().await;
    let unexpected = "meeting_provisioner_meetings_unexpected_total";
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, Effect::AnswerLost));
    app.book_and_look(&booking("LOST")).await;
    app.resume_after(Duration::from_mins(10)).await;
    assert_eq!(app.booking("LOST").await["meeting"]["createdBy"], "existing");
    assert!(app.metric(unexpected).await.abs() < 0.5);

    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    // As after a restore of the database to an earlier moment, or where another application uses the same externalId.
    sqlx::query("delete from booking where booking_id = 'BK-1'").execute(&app.pool).await.unwrap();
    let body = app.book(Who::Desk, &booking("BK-1")).await.expect(201).json();
    assert_eq!(body["meeting"]["createdBy"], "existing");
    assert!((app.metric(unexpected).await - 1.0).abs() < 0.5);
    let notes: Vec<_> =
        app.history_items("BK-1").await.iter().map(|event| event["details"]["note"].clone()).collect();
    let told = notes
        .iter()
        .filter(|note| note.as_str().is_some_and(|note| note.contains("before the booking first")));
    assert_eq!(told.count(), 1, "{notes:?}");
    app.end().await;
}
