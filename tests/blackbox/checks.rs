//! Checks of meetings: reading never asks Graph, a check needs a role that may change bookings, it is not made twice within
//! seconds, and what it reported can be mended.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};
use reqwest::Method;
use serde_json::{Value, json};

use crate::drift::organizer_changes;
use crate::support::{ApiResponse, TestApp, Who, booking};

const BOOKING: &str = "/v1/bookings/BK-1?sourceSystem=room-booking";
const CHECK: &str = "/v1/bookings/BK-1/check?sourceSystem=room-booking";
const RETRY: &str = "/v1/bookings/BK-1/retry?sourceSystem=room-booking";

async fn send(app: &TestApp, who: Who, method: Method, path: &str) -> ApiResponse {
    ApiResponse::read(app.request(who, method, path).send().await.unwrap()).await
}

async fn booked_with(policy: &str) -> TestApp {
    let settings = format!("[source_system.room-booking]\ndrift = \"{policy}\"\n");
    let app = TestApp::builder().settings_file(&settings).start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    organizer_changes(&app, json!({"subject": "Party"})).await;
    app.clock.advance(Duration::from_mins(1));
    app
}

/// The calls that reached Graph since the meeting was made, apart from the organizer's own.
fn calls(app: &TestApp) -> (usize, usize) {
    let ours = |operation| {
        let calls = app.simulator.calls(operation);
        calls.iter().filter(|call| call.headers.contains_key("client-request-id")).count()
    };
    (ours(Operation::Get), ours(Operation::Patch))
}

/// Keys that only read cause no call, change no meeting and leave nothing in the history, by whatever method and parameter.
#[tokio::test]
async fn reading_never_asks_graph() {
    let app = booked_with("mend").await;
    for who in [Who::Screen, Who::Auditor] {
        for path in [BOOKING.to_owned(), format!("{BOOKING}&check=drift")] {
            for method in [Method::GET, Method::HEAD] {
                let expected = if path.contains("check") { 400 } else { 200 };
                assert_eq!(send(&app, who, method, &path).await.status, expected, "{who:?} {path}");
            }
        }
        send(&app, who, Method::POST, CHECK).await.problem(403, "forbidden");
        assert_eq!(send(&app, who, Method::GET, CHECK).await.status, 405);
    }
    assert_eq!(calls(&app), (0, 0));
    assert_eq!(app.history("BK-1").await, ["booking.accepted", "meeting.created"]);
    let checked = send(&app, Who::Operator, Method::POST, CHECK).await.expect(200).json();
    assert_eq!((&checked["meeting"]["differences"], calls(&app)), (&json!([]), (1, 1)));
    app.end().await;
}

/// However often a check is asked for within seconds, Graph is asked once, also where it refuses; after them it is again.
#[tokio::test]
async fn a_check_is_not_made_again_within_seconds() {
    let app = booked_with("report").await;
    for _ in 0..20 {
        let checked = send(&app, Who::Desk, Method::POST, CHECK).await.expect(200).json();
        assert_eq!(checked["meeting"]["differences"][0]["seen"], "Party");
    }
    assert_eq!(calls(&app), (1, 0));
    assert_eq!(app.history("BK-1").await.len(), 3);
    app.check("BK-1").await.expect(200);
    assert_eq!(calls(&app), (2, 0));
    let refusal = Effect::Respond {
        status: 403,
        headers: [("content-type".to_owned(), "application/json".to_owned())].into(),
        body: json!({"error": {"code": "Forbidden", "message": "no"}}).to_string(),
        after_work: false,
    };
    app.simulator.inject(InjectedFault::on(Operation::Get, refusal).always());
    app.clock.advance(Duration::from_secs(5));
    for _ in 0..5 {
        send(&app, Who::Desk, Method::POST, CHECK).await.expect(200);
    }
    assert_eq!(calls(&app), (3, 0));
    app.end().await;
}

/// What a check reported is mended by a retry, once it is asked for; a retry where nothing differs is refused, and so is one of
/// what only Graph can change.
#[tokio::test]
async fn a_reported_difference_is_mended_by_a_retry() {
    let app = booked_with("report").await;
    send(&app, Who::Desk, Method::POST, RETRY).await.problem(409, "nothing-to-retry");
    app.check("BK-1").await.expect(200);
    assert_eq!(calls(&app), (1, 0));
    let mended = send(&app, Who::Operator, Method::POST, RETRY).await.expect(200).json();
    assert_eq!(
        (&mended["status"], &mended["meeting"]["differences"], &mended["lastError"]),
        (&json!("provisioned"), &json!([]), &Value::Null)
    );
    assert_eq!(app.simulator.meetings()[0].content()["subject"], "Quarterly review");
    assert_eq!(
        app.history("BK-1").await,
        ["booking.accepted", "meeting.created", "meeting.drifted", "booking.retried", "meeting.changed"]
    );
    let problem = send(&app, Who::Desk, Method::POST, RETRY).await.problem(409, "nothing-to-retry");
    assert!(problem["detail"].as_str().unwrap().contains("by what Graph last told"), "{problem}");
    assert_eq!(calls(&app), (1, 1));
    app.end().await;
}
