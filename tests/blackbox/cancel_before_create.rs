//! Cancels that overtake the creates of their bookings: they are kept, and make an older create late.

use serde_json::{Value, json};

use crate::self_audit::audit;
use crate::support::{ApiResponse, TestApp, Who, booking, booking_with};

fn with(booking_id: &str, sequence: u32) -> Value {
    booking_with(booking_id, json!({"sequence": sequence}))
}

/// A cancel that comes first is kept and told so; the create that comes late makes no meeting, by POST and by PUT. A newer
/// message creates the booking.
#[tokio::test]
async fn a_create_that_a_cancel_has_overtaken_makes_no_meeting() {
    let app = TestApp::start().await;
    let kept = app.delete("BK-1?sequence=5", &[]).await.expect(200);
    assert_eq!(kept.header("etag"), None);
    let kept = kept.json();
    assert_eq!(
        (&kept["bookingId"], &kept["status"], &kept["sequence"], &kept["dtstamp"]),
        (&json!("BK-1"), &json!("cancelled"), &json!(5), &Value::Null)
    );
    assert!(kept["notice"].as_str().unwrap().contains("No booking of this id is known"));
    let received_at = kept["receivedAt"].as_str().unwrap();
    for body in [with("BK-1", 0), with("BK-1", 5), booking("BK-1")] {
        for late in [app.book(Who::Desk, &body).await, app.declare(&body).await] {
            let problem = late.problem(409, "stale-sequence");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains("with sequence 5") && detail.contains(received_at), "{detail}");
            assert!(problem.get("booking").is_none());
        }
    }
    // The same cancel again, an older one, and a newer one.
    assert_eq!(app.delete("BK-1?sequence=5", &[]).await.expect(200).json(), kept);
    app.delete("BK-1?sequence=4", &[]).await.problem(409, "stale-sequence");
    assert_eq!(app.delete("BK-1?sequence=7", &[]).await.expect(200).json()["sequence"], 7);
    app.declare(&with("BK-1", 6)).await.problem(409, "stale-sequence");
    app.get(Who::Desk, "/v1/bookings/BK-1").await.problem(404, "not-found");
    assert_eq!(app.simulator.ledger().calls.len(), 0, "nothing was asked of Graph");
    let created = app.declare(&with("BK-1", 8)).await.expect(201).json();
    assert_eq!((&created["generation"], &created["status"]), (&json!(1), &json!("provisioned")));
    app.declare(&with("BK-1", 6)).await.problem(409, "stale-sequence");
    assert_eq!(
        app.history("BK-1").await,
        ["cancel.kept", "cancel.kept", "booking.accepted", "meeting.created"]
    );
    // Another source system's booking of the same id is another booking.
    app.book(Who::OtherSystem, &with("BK-1", 0)).await.expect(201);
    app.end().await;
}

/// A POST that is newer creates the booking, with time stamps too, and is repeated like any other.
#[tokio::test]
async fn a_newer_create_is_a_booking_like_any_other() {
    let app = TestApp::start().await;
    app.delete("BK-1?sequence=5&dtstamp=2026-11-23T09:00:00Z", &[]).await.expect(200);
    let mut body = booking_with("BK-1", json!({"dtstamp": "2026-11-23T09:30:00+01:00"}));
    app.book(Who::Desk, &body).await.problem(409, "stale-sequence");
    body["dtstamp"] = json!("2026-11-23T10:30:00+01:00");
    let created = app.book(Who::Desk, &body).await.expect(201).json();
    assert_eq!((&created["sequence"], &created["dtstamp"]), (&json!(5), &json!("2026-11-23T09:30:00Z")));
    let again = app.book(Who::Desk, &body).await.expect(200);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    app.delete("BK-1?sequence=6", &[]).await.expect(200);
    app.declare(&with("BK-1", 7)).await.expect(201);
    app.end().await;
}

/// A cancel without keys can't be told apart from an older one: it is not kept. Preconditions come first.
#[tokio::test]
async fn a_cancel_without_keys_is_not_kept() {
    let app = TestApp::start().await;
    app.delete("BK-1", &[]).await.problem(404, "not-found");
    app.delete("BK-1?sequence=1", &[("If-Match", "*")]).await.problem(412, "revision-mismatch");
    app.get(Who::Desk, "/v1/bookings/BK-1/audit-events").await.problem(404, "not-found");
    app.book(Who::Desk, &with("BK-1", 0)).await.expect(201);
    app.delete("BK-2?dtstamp=2026-11-23T09:00:00Z", &[("If-None-Match", "*")]).await.expect(200);
    app.delete("BK-2", &[]).await.problem(404, "not-found");
    app.book(Who::Desk, &booking("BK-2")).await.problem(409, "stale-sequence");
    app.end().await;
}

/// An auditor sees the cancel, before its booking is made and after; the tables agree in both cases, and where a tombstone was
/// removed by hand they don't.
#[tokio::test]
async fn an_auditor_sees_a_cancel_that_was_kept() {
    let app = TestApp::builder().at_real_time().start().await;
    app.delete("BK-1?sequence=1&dtstamp=2026-11-23T10:00:00%2B01:00", &[]).await.expect(200);
    app.delete("BK-2?sequence=1", &[]).await.expect(200);
    app.declare(&with("BK-2", 2)).await.expect(201);
    let found =
        app.get(Who::Auditor, "/v1/audit-events?bookingId=BK-1&type=cancel.kept").await.expect(200).json();
    let event = &found["items"][0];
    assert_eq!(
        (&event["generation"], &event["organizer"], &event["bookingId"]),
        (&json!(0), &Value::Null, &json!("BK-1"))
    );
    assert!(event["actor"].as_str().unwrap().starts_with("api-key:"), "{event}");
    let details = &event["details"];
    assert_eq!((&details["sequence"], &details["dtstamp"]), (&json!(1), &json!("2026-11-23T09:00:00Z")));
    assert!(details["requestId"].is_string() && details["note"].is_string(), "{details}");
    assert_eq!(app.history("BK-1").await, ["cancel.kept"]);
    let none = app.get(Who::Desk, "/v1/bookings/BK-1/audit-events?type=meeting.created").await.expect(200);
    assert_eq!(none.json()["items"], json!([]));
    // A reader that follows the history is given each event once.
    let (mut told, mut cursor) = (Vec::new(), String::new());
    while told.len() < 9 {
        let path = format!("/v1/bookings/BK-2/audit-events?limit=1{cursor}");
        let page = app.get(Who::Desk, &path).await.expect(200).json();
        let Some(event) = page["items"].as_array().and_then(|items| items.first()) else { break };
        told.push(event["type"].as_str().unwrap().to_owned());
        cursor = format!("&cursor={}", page["nextCursor"].as_str().unwrap());
    }
    assert_eq!(told, ["cancel.kept", "booking.accepted", "meeting.created"]);
    let (status, text) = audit(&app, &[]).await;
    assert!(status == Some(0) && text.contains("No exceptions."), "{text}");
    sqlx::query("delete from tombstone where booking_id = 'BK-1'").execute(&app.pool).await.unwrap();
    let (status, text) = audit(&app, &[]).await;
    assert!(status == Some(1) && text.contains("BK-1") && text.contains("booking-is-there"), "{text}");
    app.end().await;
}

/// Creates and newer cancels of many bookings at once, on two replicas, each pair in either order: whichever comes first, no
/// meeting is left of any of them, and a create that was late is told so.
#[tokio::test]
async fn create_and_cancel_at_once_leave_no_meeting() {
    const ROUNDS: usize = 40;
    const AT_ONCE: usize = 5;
    let app = TestApp::start().await;
    let other = app.another_replica().await;
    let (mut overtaken, mut cancelled) = (0, 0);
    for round in 0..ROUNDS {
        let pairs = (0..AT_ONCE).map(|place| {
            let (app, other) = if (round + place) % 2 == 0 { (&app, &other) } else { (&other, &app) };
            let booking_id = format!("BK-{round}-{place}");
            async move {
                let body = with(&booking_id, 0);
                let path = format!("{booking_id}?sequence=1");
                // The cancel takes one read more to where it is decided, so it is given a start in half of the rounds.
                let create = async {
                    for _ in 0..(round % 4) * 8 {
                        tokio::task::yield_now().await;
                    }
                    if place % 2 == 0 {
                        app.book(Who::Desk, &body).await
                    } else {
                        app.put(&booking_id, &body, &[]).await
                    }
                };
                tokio::join!(create, other.delete(&path, &[]))
            }
        });
        let answers: Vec<(ApiResponse, ApiResponse)> = futures_util::future::join_all(pairs).await;
        for (created, deleted) in answers {
            assert!([200, 202].contains(&deleted.status), "{deleted:?}");
            if created.status == 409 && created.json()["code"] == "stale-sequence" {
                overtaken += 1;
            } else {
                assert!([201, 202, 409].contains(&created.status), "{created:?}");
                cancelled += 1;
            }
        }
    }
    app.idle().await;
    other.idle().await;
    app.resume_until_settled(std::time::Duration::from_secs(1)).await;
    assert_eq!(overtaken + cancelled, ROUNDS * AT_ONCE);
    let wanted: i64 = sqlx::query_scalar("select count(*) from booking where status <> 'cancelled'")
        .fetch_one(&app.pool)
        .await
        .unwrap();
    assert_eq!((wanted, app.live_meetings().len()), (0, 0), "{overtaken} overtaken, {cancelled} cancelled");
    let both: i64 =
        sqlx::query_scalar("select count(*) from booking join tombstone using (source_system, booking_id)")
            .fetch_one(&app.pool)
            .await
            .unwrap();
    assert_eq!(both, 0, "a create saw no tombstone, and a cancel no booking");
    other.end().await;
    app.end().await;
}
