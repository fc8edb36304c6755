//! What operators and probes see.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation, OrganizerState};
use serde_json::Value;

use crate::support::{TestApp, Who, booking};

async fn admin(app: &TestApp, path: &str) -> (u16, String) {
    let answer = reqwest::get(app.admin_url(path)).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Metrics count what happened.
#[tokio::test]
async fn metrics_count_what_happened() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    app.book(Who::Desk, &booking("BK-1")).await.expect(200);
    let (status, text) = admin(&app, "/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "meeting_provisioner_bookings_accepted_total{source_system=\"room-booking\",result=\"new\"} 1",
        "meeting_provisioner_bookings_accepted_total{source_system=\"room-booking\",result=\"replayed\"} 1",
        "meeting_provisioner_bookings_settled_total{status=\"provisioned\"} 1",
        "meeting_provisioner_graph_calls_total{call=\"create-or-get\",outcome=\"created\"} 1",
        "meeting_provisioner_bookings_due 0",
        "meeting_provisioner_bookings{status=\"failed\"} 0",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    app.end().await;
}

/// What starts soon and has no link yet is counted, whether it waits or is parked; what starts later, is cancelled or
/// has its link is not. The list of the same bookings is one request away.
#[tokio::test]
async fn bookings_that_start_soon_without_a_link_are_counted() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking_at("LINKED", "2026-11-23T20:00:00Z")).await.expect(201);
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, throttled()).always());
    for (id, start) in [
        ("PAST", "2026-11-23T07:00:00Z"),
        ("SOON", "2026-11-23T08:30:00Z"),
        ("DAY", "2026-11-24T07:59:00Z"),
        ("LATER", "2026-11-24T08:01:00Z"),
        ("CALLED-OFF", "2026-11-23T09:00:00Z"),
    ] {
        app.book_preferring(Who::Desk, "respond-async", &booking_at(id, start)).await.expect(202);
    }
    app.idle().await;
    app.delete("CALLED-OFF", &[("Prefer", "respond-async")]).await.expect(200);
    app.simulator.declare(uuid::Uuid::from_u128(1), OrganizerState::Refused, None);
    app.simulator.clear_faults();
    let mut parked = booking_at("PARKED", "2026-11-23T10:00:00Z");
    parked["organizer"] = uuid::Uuid::from_u128(1).to_string().into();
    app.book(Who::Desk, &parked).await.problem(422, "graph-refused");
    app.idle().await;
    let name = "meeting_provisioner_bookings_starting_soon_without_link";
    let (_, text) = admin(&app, "/metrics").await;
    assert!(text.contains(&format!("{name} 3.0\n")), "{text}");
    let query = "status=pending,failed&startsFrom=2026-11-23T08:00:00Z&startsBefore=2026-11-24T08:00:00Z";
    let page = app.get(Who::Operator, &format!("/v1/bookings?{query}")).await.expect(200).json();
    let mut found: Vec<&str> =
        page["items"].as_array().unwrap().iter().map(|item| item["bookingId"].as_str().unwrap()).collect();
    found.sort_unstable();
    assert_eq!(found, ["DAY", "PARKED", "SOON"]);
    app.resume_after(Duration::from_mins(30)).await;
    let (_, text) = admin(&app, "/metrics").await;
    assert!(text.contains(&format!("{name} 1.0\n")), "only the parked one is left: {text}");
    app.end().await;
}

/// How far ahead bookings are counted is a setting.
#[tokio::test]
async fn how_soon_counts_as_soon_is_a_setting() {
    let app = TestApp::builder().setting("TELEMETRY__STARTING_SOON_SECONDS", "3600").start().await;
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, throttled()));
    for (id, start) in [("SOON", "2026-11-23T08:59:00Z"), ("LATER", "2026-11-23T09:01:00Z")] {
        app.book_and_look(&booking_at(id, start)).await;
    }
    let (_, text) = admin(&app, "/metrics").await;
    assert!(text.contains("meeting_provisioner_bookings_starting_soon_without_link 1.0\n"), "{text}");
    assert_eq!(app.resume_after(Duration::from_mins(20)).await, 2);
    app.end().await;
}

fn booking_at(booking_id: &str, start: &str) -> Value {
    let mut body = booking(booking_id);
    body["startDateTime"] = start.into();
    body.as_object_mut().unwrap().remove("endDateTime");
    body
}

fn throttled() -> Effect {
    Effect::ThrottledBeforeWork { retry_after: Some("600".to_owned()) }
}

/// What is stuck is found by since when it fails, however often it was tried meanwhile, and by how long it was postponed;
/// a retry by hand counts anew, a success ends it.
#[tokio::test]
async fn what_is_stuck_is_found_by_since_when_it_fails() {
    let app = TestApp::start().await;
    let unavailable = Effect::FailedBeforeWork { status: 500, retry_after: None };
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, unavailable).always());
    assert_eq!(app.book_and_look(&booking("STUCK")).await["failingSince"], "2026-11-23T08:00:00Z");
    for _ in 0..4 {
        app.resume_after(Duration::from_mins(5)).await;
    }
    let stuck = app.booking("STUCK").await;
    assert_eq!(
        (&stuck["failingSince"], &stuck["status"]),
        (&"2026-11-23T08:00:00Z".into(), &"pending".into())
    );
    app.book_and_look(&booking("YOUNG")).await;
    let list = async |query: &str| -> Vec<String> {
        let page = app.get(Who::Desk, &format!("/v1/bookings?{query}")).await.expect(200).json();
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| item["bookingId"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(list("failingBefore=2026-11-23T08:00:01Z").await, ["STUCK"]);
    assert_eq!(list("failingBefore=2026-11-23T08:00:00Z").await, Vec::<String>::new());
    assert_eq!(list("failingBefore=2026-11-24T00:00:00Z&status=pending").await, ["YOUNG", "STUCK"]);
    let organizer = crate::support::ORGANIZER;
    assert_eq!(list(&format!("failingBefore=2026-11-23T08:00:01Z&organizer={organizer}")).await, ["STUCK"]);
    app.until_metric("meeting_provisioner_longest_failing_age_seconds", |age| {
        (1_199.0..=1_201.0).contains(&age)
    })
    .await;
    app.simulator.clear_faults();
    app.resume_until_settled(Duration::from_mins(5)).await;
    assert_eq!(app.booking("STUCK").await["failingSince"], Value::Null);
    assert_eq!(list("failingBefore=2026-11-24T00:00:00Z").await, Vec::<String>::new());
    app.until_metric("meeting_provisioner_longest_failing_age_seconds", |age| age < 0.5).await;
    app.end().await;
}
