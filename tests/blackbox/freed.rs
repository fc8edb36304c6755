//! What a success for an organizer frees of what failed before.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation, OrganizerState};
use serde_json::json;
use uuid::Uuid;

use crate::support::{ORGANIZER, TestApp, Who, booking, booking_with};

const OTHER_ORGANIZER: &str = "0e5f2f6c-0000-4000-8000-000000000001";
const UPN: &str = "olga@contoso.com";

fn organizer() -> Uuid {
    Uuid::parse_str(ORGANIZER).unwrap()
}

async fn failed(app: &TestApp) -> Vec<String> {
    let sql = "select booking_id from booking where status = 'failed' order by booking_id";
    sqlx::query_scalar(sql).fetch_all(&app.pool).await.unwrap()
}

/// One booking each that fails because the organizer is unknown, a guest, or without a policy (for two source systems), by
/// object id and by a name that is not resolved; one that Graph objects to, and one of another organizer.
async fn all_fail(app: &TestApp) {
    app.simulator.declare(organizer(), OrganizerState::Unknown, Some(UPN));
    app.book_until_parked(&booking("UNKNOWN"), "organizer-not-found").await;
    let named = booking_with("UNKNOWN-NAME", json!({"organizer": UPN.to_uppercase()}));
    app.book_until_parked(&named, "organizer-not-found").await;
    app.simulator.declare(organizer(), OrganizerState::Refused, None);
    app.book_until_parked(&booking("GUEST"), "graph-refused").await;
    let words = r#"{"error":{"code":"BadRequest","message":"Words."}}"#.to_owned();
    let objects = Effect::Respond { status: 400, headers: [].into(), body: words, after_work: false };
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, objects));
    app.book_until_parked(&booking("WRONG"), "graph-refused").await;
    app.simulator.forbid(organizer());
    app.simulator.forbid(Uuid::parse_str(OTHER_ORGANIZER).unwrap());
    for (who, body) in [
        (Who::Desk, booking("BK-1")),
        (Who::OtherSystem, booking("CRM-1")),
        (Who::Desk, booking_with("OTHER", json!({"organizer": OTHER_ORGANIZER}))),
    ] {
        app.book_preferring(who, "respond-async", &body).await.expect(202);
    }
    app.resume_until_settled(Duration::from_mins(5)).await;
    let all = ["BK-1", "CRM-1", "GUEST", "OTHER", "UNKNOWN", "UNKNOWN-NAME", "WRONG"];
    assert_eq!(failed(app).await, all);
}

/// Once a meeting is made for an organizer, whatever failed for that organizer and not for the booking's own sake is due at once,
/// in every source system; what failed for a name that was not found is due once the name is found. Other organizers' bookings
/// stay, and what Graph objects to.
#[tokio::test]
async fn a_success_frees_what_failed_for_a_reason_that_it_refutes() {
    let app = TestApp::start().await;
    all_fail(&app).await;
    app.simulator.permit(organizer());
    app.book(Who::Desk, &booking("BK-2")).await.expect(201);
    assert_eq!(failed(&app).await, ["OTHER", "UNKNOWN-NAME", "WRONG"]);
    assert_eq!(app.booking("BK-1").await["status"], "pending");
    assert_eq!(app.resume_after(Duration::ZERO).await, 4);
    app.idle().await;
    for name in ["BK-1", "GUEST", "UNKNOWN"] {
        assert_eq!(app.booking(name).await["status"], "provisioned", "{name}");
    }
    let events = app.history_items("BK-1").await;
    let freed = &events[events.len() - 2];
    assert_eq!((&freed["type"], &freed["actor"]), (&json!("booking.freed"), &json!("worker")));
    assert_eq!(freed["details"]["next"]["status"], "pending");
    let last = app.history_items("BK-2").await.pop().unwrap();
    let attempt = last["details"]["attempt"]["id"].as_str().unwrap();
    assert!(freed["details"]["note"].as_str().unwrap().contains(attempt), "{freed}");
    assert!(!freed.to_string().contains("BK-2"), "another organizer's booking is not named: {freed}");
    assert_eq!(freed["occurredAt"], last["occurredAt"]);

    let by_name = booking_with("BK-3", json!({"organizer": UPN}));
    app.book(Who::Desk, &by_name).await.expect(201);
    assert_eq!(failed(&app).await, ["OTHER", "WRONG"]);
    app.resume_until_settled(Duration::ZERO).await;
    assert_eq!(app.booking("UNKNOWN-NAME").await["status"], "provisioned");
    assert_eq!(app.simulator.meetings().len(), 7);
    app.end().await;
}

/// What Graph forbids for the booking's own sake is asked for once more, and not again with each success.
#[tokio::test]
async fn what_is_forbidden_again_is_not_freed_again() {
    let app = TestApp::start().await;
    let words = r#"{"error":{"code":"Forbidden","message":"Not this one."}}"#.to_owned();
    let forbidden = Effect::Respond { status: 403, headers: [].into(), body: words, after_work: false };
    let forbidden = || InjectedFault::on(Operation::CreateOrGet, forbidden.clone());
    app.simulator.inject(forbidden());
    app.book(Who::Desk, &booking("BK-1")).await.problem(422, "graph-refused");
    app.book(Who::Desk, &booking("BK-2")).await.expect(201);
    app.simulator.inject(forbidden());
    assert_eq!(app.resume_after(Duration::ZERO).await, 1);
    app.idle().await;
    app.book(Who::Desk, &booking("BK-3")).await.expect(201);
    assert_eq!(failed(&app).await, ["BK-1"]);
    assert_eq!(app.resume_after(Duration::from_hours(1)).await, 0);
    app.end().await;
}

/// Our own credential was refused for a day: the first success for the organizer makes what failed for that due again.
#[tokio::test]
async fn a_mended_credential_frees_what_failed_for_it() {
    let app = TestApp::start().await;
    app.simulator
        .inject(InjectedFault::on(Operation::Token, Effect::TokenRefused { code: 7_000_222 }).always());
    app.book_and_look(&booking("BK-1")).await;
    app.resume_until_settled(Duration::from_hours(1)).await;
    app.simulator.clear_faults();
    // A refused credential isn't tried with each call.
    app.clock.advance(Duration::from_mins(1));
    app.book(Who::Desk, &booking("BK-2")).await.expect(201);
    assert_eq!(app.resume_after(Duration::ZERO).await, 1);
    app.idle().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(200);
    app.end().await;
}
