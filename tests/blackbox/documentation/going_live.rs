//! What docs/GOING-LIVE.md promises an integrator, as far as other tests don't show it.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::keys::sha256_hex;
use crate::support::{ApiResponse, TestApp, Who, booking, booking_with, moved_to};

/// Bringing in what is there: accepted at once, the same again after a crash, watched until nothing is pending, links page by
/// page; a time in the past makes a meeting.
#[tokio::test]
async fn many_bookings_are_brought_in() {
    let app = TestApp::start().await;
    let past = json!({"startDateTime": "2019-12-01T09:00:00Z", "endDateTime": "2019-12-01T09:30:00Z"});
    let mut bookings: Vec<_> = (0..12).map(|number| booking(&format!("BK-{number}"))).collect();
    bookings.push(booking_with("BK-PAST", past));
    for (run, status) in [("first", 202), ("after a crash", 200)] {
        for booking in &bookings {
            let answer = app.book_preferring(Who::Desk, "respond-async", booking).await;
            assert_eq!(answer.status, status, "{run}: {}", answer.text);
        }
        app.idle().await;
        let pending = app.get(Who::Desk, "/v1/bookings?status=pending&limit=1").await.expect(200).json();
        assert_eq!(pending["items"], json!([]), "{run}");
    }
    let page = app.get(Who::Desk, "/v1/bookings?status=provisioned&limit=200").await.expect(200).json();
    let links = page["items"].as_array().unwrap().iter().map(|item| item["meeting"]["joinWebUrl"].clone());
    let links: std::collections::BTreeSet<_> = links.map(|link| link.as_str().unwrap().to_owned()).collect();
    assert_eq!((links.len(), app.simulator.meetings().len()), (13, 13));
    app.end().await;
}

/// Case tells ids apart, other characters than printable ASCII are refused; a second key of the source system has the same
/// bookings.
#[tokio::test]
async fn ids_and_keys_name_bookings() {
    let key = "mpk_the-next-key-of-the-desk----------------------";
    let next = format!(
        "[[api_key]]\nname = \"next\"\nsource_system = \"room-booking\"\nsha256 = \"{}\"\nroles = [\"bookings.write\"]\n",
        sha256_hex(key)
    );
    let app = TestApp::builder().api_keys(&next).start().await;
    for id in ["BK-1", "bk-1"] {
        app.book(Who::Desk, &booking(id)).await.expect(201);
    }
    for id in ["Müller", "BK\u{a0}1", "BK-1\n"] {
        app.book(Who::Desk, &booking(id)).await.problem(422, "invalid-booking");
    }
    let request = app.request(Who::Anonymous, Method::POST, "/v1/bookings").bearer_auth(key);
    let request = request.header("X-Request-Id", "mine").json(&booking("BK-1"));
    let again = ApiResponse::read(request.send().await.unwrap()).await.expect(200);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert!(again.header("x-request-id").is_some_and(|id| id != "mine"), "an id of the caller's is not read");
    app.end().await;
}

/// The link changes with the generation and never without it; what a cancelled booking asked for stays in the history.
#[tokio::test]
async fn a_link_changes_with_its_generation_only() {
    let app = TestApp::start().await;
    let link = |booking: &Value| (booking["generation"].clone(), booking["meeting"]["joinWebUrl"].clone());
    let made = link(&app.book(Who::Desk, &booking("BK-1")).await.expect(201).json());
    let moved = link(&app.declare(&booking_with("BK-1", moved_to("02"))).await.expect(200).json());
    assert_eq!(moved, made);
    let other = booking_with("BK-1", json!({"organizer": "0e5f2f6c-0000-4000-8000-000000000001"}));
    let replaced = link(&app.put("BK-1?organizerChange=replace", &other, &[]).await.expect(201).json());
    assert!(replaced.0 == 2 && replaced.1 != made.1, "{replaced:?}");
    app.resume_after(Duration::from_secs(1)).await;
    app.delete("BK-1", &[]).await.expect(200);
    let rebooked = link(&app.declare(&other).await.expect(201).json());
    assert!(rebooked.0 == 3 && rebooked.1 != replaced.1, "{rebooked:?}");
    let history = app.history_items("BK-1").await;
    assert!(history.iter().any(|event| event["details"]["requested"]["subject"] == "Quarterly review"));
    app.end().await;
}
