//! Whose answer counts, and what it must hold.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, GatewayBody, InjectedFault, Operation};
use serde_json::json;

use crate::support::{TestApp, Who, booking, booking_with};

fn gateway(status: u16, body: GatewayBody) -> Effect {
    Effect::Gateway { status, body, after_work: false }
}

/// Graph's own answer, with its headers.
fn graph_says(status: u16, body: &str, after_work: bool) -> Effect {
    Effect::Respond { status, headers: [].into(), body: body.to_owned(), after_work }
}

/// Only Graph says that a meeting is gone: whatever a gateway answers to the removal, it is asked for again until Graph has
/// removed the meeting, and meanwhile the booking says what is out of order.
#[tokio::test]
async fn only_graph_says_that_a_meeting_is_gone() {
    use GatewayBody::{Empty, Json, Page, Text};
    let app = TestApp::start().await;
    let answers = [
        (404, Text),
        (200, Page),
        (204, Empty),
        (202, Json),
        (410, Page),
        (403, Page),
        (401, Empty),
        (302, Page),
    ];
    for (status, body) in answers {
        let name = format!("BK-{status}");
        app.book(Who::Desk, &booking(&name)).await.expect(201);
        app.simulator.inject(InjectedFault::on(Operation::Delete, gateway(status, body)).times(2));
        app.request(Who::Desk, reqwest::Method::DELETE, &format!("/v1/bookings/{name}"))
            .header("Prefer", "respond-async, wait=0")
            .send()
            .await
            .unwrap();
        let is_there = || app.simulator.meetings().last().unwrap().deleted_at.is_none();
        app.resume_due().await.unwrap();
        app.idle().await;
        let body = app.booking(&name).await;
        assert_eq!((&body["status"], is_there()), (&json!("cancelling"), true), "{body}");
        let message = body["lastError"]["graph"]["message"].as_str().unwrap();
        assert!(message.starts_with("the way to Graph is out of order"), "{message}");
        assert_eq!(body["lastError"]["graph"]["status"], status);
        app.resume_until_settled(Duration::from_mins(10)).await;
        assert_eq!(
            (&app.booking(&name).await["status"], is_there()),
            (&json!("cancelled"), false),
            "{status}"
        );
    }
    app.end().await;
}

/// A gateway's answer parks no booking, whatever its status: it is asked for again by itself, and the reason is not the
/// caller's.
#[tokio::test]
async fn a_gateways_answer_parks_no_booking() {
    use GatewayBody::{Empty, Json, Page, Text};
    for (status, body, code) in [
        (403, Page, "graph-unavailable"),
        (404, Text, "graph-unavailable"),
        (400, Json, "graph-unavailable"),
        (401, Empty, "graph-unavailable"),
        (409, Page, "graph-unavailable"),
        (200, Page, "graph-outcome-unknown"),
        (201, Json, "graph-outcome-unknown"),
    ] {
        let app = TestApp::start().await;
        app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, gateway(status, body)).times(3));
        let seen = app.book_and_look(&booking("BK-1")).await;
        assert_eq!(
            (&seen["status"], &seen["lastError"]["code"]),
            (&json!("pending"), &json!(code)),
            "{seen}"
        );
        app.resume_until_settled(Duration::from_mins(10)).await;
        assert_eq!(app.booking("BK-1").await["status"], "provisioned", "{status}");
        assert_eq!(app.simulator.meetings().len(), 1);
        app.end().await;
    }
}

/// A change that Graph carries out without telling of the meeting is done: one look, no second change; and a cancel gets to
/// its removal.
#[tokio::test]
async fn a_change_whose_answer_tells_nothing_is_done_once() {
    for (status, body) in [(204, ""), (202, ""), (200, ""), (200, "{"), (200, "null"), (201, "{}")] {
        let app = TestApp::start().await;
        app.declare(&booking("BK-1")).await.expect(201);
        app.simulator.inject(InjectedFault::on(Operation::Patch, graph_says(status, body, true)).always());
        let moved = booking_with("BK-1", json!({"subject": "Moved"}));
        let answer = app.declare(&moved).await.expect(200).json();
        assert_eq!(answer["status"], "provisioned", "{status} {body:?}");
        app.resume_until_settled(Duration::from_mins(10)).await;
        let counts = app.simulator.counts();
        assert_eq!(
            (counts.arrived(Operation::Patch), counts.arrived(Operation::Get)),
            (1, 1),
            "{status} {body:?}"
        );
        let seen = app.booking("BK-1").await;
        assert_eq!((&seen["subject"], &seen["meeting"]["differences"]), (&json!("Moved"), &json!([])));
        assert_eq!(app.delete("BK-1", &[]).await.expect(200).json()["status"], "cancelled");
        let counts = app.simulator.counts();
        assert_eq!((counts.arrived(Operation::Patch), counts.arrived(Operation::Delete)), (2, 1));
        assert!(app.simulator.meetings()[0].deleted_at.is_some());
        app.end().await;
    }
}

/// An answer that Graph hasn't filled yet changes neither the booking nor the meeting, under any policy.
#[tokio::test]
async fn an_unfilled_answer_is_no_drift() {
    let unset = "0001-01-01T00:00:00Z";
    let unfilled = json!({"id": "m", "joinWebUrl": "https://teams.example/m", "subject": "None",
        "startDateTime": unset, "endDateTime": unset, "participants": {"attendees": []}});
    for policy in ["mend", "report", "adopt"] {
        let settings = format!("[source_system.room-booking]\ndrift = \"{policy}\"\n");
        let app = TestApp::builder().settings_file(&settings).start().await;
        app.book(Who::Desk, &booking("BK-1")).await.expect(201);
        let before = app.booking("BK-1").await;
        app.simulator
            .inject(InjectedFault::on(Operation::Get, graph_says(200, &unfilled.to_string(), false)));
        app.check("BK-1").await.expect(200);
        app.resume_until_settled(Duration::from_mins(10)).await;
        let after = app.booking("BK-1").await;
        for member in ["subject", "attendees", "startDateTime", "endDateTime", "status"] {
            assert_eq!(after[member], before[member], "{policy} {member}");
        }
        assert_eq!(after["meeting"]["differences"], json!([]), "{policy}");
        let counts = app.simulator.counts();
        assert_eq!((counts.arrived(Operation::Get), counts.arrived(Operation::Patch)), (1, 0), "{policy}");
        app.book(Who::Desk, &booking("BK-1")).await.expect(200);
        app.end().await;
    }
}

/// A 404 of Graph's blames the organizer only if its code does; any other is told with Graph's own words. It is asked again
/// for a while in either case, for what isn't found may have been made moments ago.
#[tokio::test]
async fn a_404_is_told_as_graph_tells_it() {
    for (code, expected) in [
        ("UnknownError", "organizer-not-found"),
        ("Request_ResourceNotFound", "organizer-not-found"),
        ("ResourceNotFound", "graph-refused"),
        ("InvalidVersion", "graph-refused"),
    ] {
        let app = TestApp::start().await;
        let body = json!({"error": {"code": code, "message": "Graph's own words."}}).to_string();
        let missing = InjectedFault::on(Operation::CreateOrGet, graph_says(404, &body, false));
        app.simulator.inject(missing.always());
        let problem = app.book_until_parked(&booking("BK-1"), expected).await;
        assert!(app.simulator.counts().arrived(Operation::CreateOrGet) >= 5, "{code}");
        let graph = &problem["graph"];
        assert_eq!((&graph["code"], &graph["message"]), (&json!(code), &json!("Graph's own words.")));
        app.end().await;
    }
}

/// A link that a person can't be sent to is refused, and the booking says so; a good one makes it a meeting.
#[tokio::test]
async fn a_link_that_is_no_https_address_is_never_handed_out() {
    let app = TestApp::start().await;
    let body = json!({"id": "m", "joinWebUrl": "http://teams.example/m", "subject": "Review"}).to_string();
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, graph_says(201, &body, true)).times(3));
    let seen = app.book_and_look(&booking("BK-1")).await;
    assert_eq!(seen["status"], "pending");
    let message = seen["lastError"]["graph"]["message"].as_str().unwrap();
    assert_eq!(message, "the answer's joinWebUrl is refused: it is no https address");
    app.resume_until_settled(Duration::from_mins(10)).await;
    let link = app.booking("BK-1").await["meeting"]["joinWebUrl"].clone();
    assert!(link.as_str().unwrap().starts_with("https://"), "{link}");
    app.end().await;
}

/// What nests so deep that a reader on the way could fail is taken for no answer, and told as that; nothing of it is kept.
#[tokio::test]
async fn an_answer_that_nests_too_deep_is_not_kept() {
    for deep in [65, 100_000] {
        let app = TestApp::start().await;
        let nested = format!("{}{}", "[".repeat(deep - 1), "]".repeat(deep - 1));
        let body = format!(
            r#"{{"id":"x","joinWebUrl":"https://teams.example/x","startDateTime":"2026-12-01T09:00:00Z","x":{nested}}}"#
        );
        app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, graph_says(201, &body, true)));
        let seen = app.book_and_look(&booking("BK-1")).await;
        assert_eq!(seen["status"], "pending", "{seen}");
        let message = seen["lastError"]["graph"]["message"].as_str().unwrap();
        assert!(message.contains("nests deeper than 64"), "{message}");
        assert!((app.metric("meeting_provisioner_settlements_refused_total").await).abs() < f64::EPSILON);
        app.resume_until_settled(Duration::from_mins(10)).await;
        assert_eq!(app.booking("BK-1").await["status"], "provisioned");
        assert_eq!(app.simulator.meetings().len(), 1);
        app.end().await;
    }
}

/// A caller's JSON that nests without end is refused at the door: nothing of it is kept or logged.
#[tokio::test]
async fn a_request_that_nests_too_deep_is_refused() {
    let app = TestApp::start().await;
    for (deep, status, code) in [(10_000, 400, "invalid-request"), (60, 422, "invalid-booking")] {
        let nested = format!("{}{}", "[".repeat(deep), "]".repeat(deep));
        let body = format!(
            r#"{{"bookingId":"BK-1","organizer":"a@contoso.com","startDateTime":"2026-12-01T09:00:00Z","metadata":{{"a":{nested}}}}}"#
        );
        let request = app.request(Who::Desk, reqwest::Method::POST, "/v1/bookings");
        let request = request.header("Content-Type", "application/json").body(body);
        let answer = crate::support::ApiResponse::read(request.send().await.unwrap()).await;
        answer.problem(status, code);
        assert!(answer.text.len() < 2_000, "{}", answer.text);
    }
    let stored: i64 =
        sqlx::query_scalar("select count(*) from audit_event").fetch_one(&app.pool).await.unwrap();
    assert_eq!(stored, 0);
    app.end().await;
}
