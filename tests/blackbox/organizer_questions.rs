//! Readiness goes through the gate like every call, takes a small share of it, and is no directory of the tenant.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation, OrganizerState};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{ORGANIZER, TestApp, Who, booking, until};

const UPN: &str = "olga@contoso.com";
/// For how long an answer is handed to every caller.
const SHARED: Duration = Duration::from_secs(10);

async fn readiness(app: &TestApp, who: Who, organizer: &str) -> Value {
    let path = format!("/v1/organizers/{}/readiness", organizer.replace('@', "%40"));
    app.get(who, &path).await.expect(200).json()
}

fn detail(body: &Value, name: &str) -> String {
    let checks = body["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name).unwrap();
    format!("{}: {}", check["status"].as_str().unwrap(), check["detail"].as_str().unwrap())
}

/// The questions about organizers that reached Graph.
fn asked(app: &TestApp) -> u64 {
    let counts = app.simulator.counts();
    counts.arrived(Operation::User) + counts.arrived(Operation::Get)
}

/// While Graph asked for a pause readiness sends nothing and says why; afterwards it is asked again at once. A 429 to readiness
/// itself makes all calls of that organizer wait, and both are counted like every call.
#[tokio::test]
async fn readiness_keeps_the_pauses_and_causes_them() {
    let app = TestApp::start().await;
    let throttled = Effect::ThrottledBeforeWork { retry_after: Some("60".to_owned()) };
    app.simulator.inject(InjectedFault::on(Operation::Get, throttled));
    let body = readiness(&app, Who::Desk, ORGANIZER).await;
    assert_eq!((&body["ready"], asked(&app)), (&Value::Null, 2));
    let calls = "meeting_provisioner_graph_calls_total{call=\"look\",outcome=\"throttled\"}";
    assert!((app.metric(calls).await - 1.0).abs() < 0.5);
    app.clock.advance(SHARED);
    for _ in 0..3 {
        let body = readiness(&app, Who::Desk, ORGANIZER).await;
        assert_eq!(body["ready"], Value::Null);
        let said = detail(&body, "organizer");
        assert!(said.starts_with("unknown: Graph was not asked") && said.contains("until 2026-"), "{said}");
    }
    assert_eq!(asked(&app), 2, "nothing was sent during the pause");
    let postponed = "meeting_provisioner_graph_calls_postponed_total{obstacle=\"organizer-paused\"}";
    assert!((app.metric(postponed).await - 3.0).abs() < 0.5);
    app.book_preferring(Who::Desk, "respond-async", &booking("BK-1")).await.expect(202);
    app.idle().await;
    assert_eq!(app.booking("BK-1").await["lastError"]["code"], "graph-throttled");
    assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), 0);
    app.clock.advance(Duration::from_mins(2));
    assert_eq!(readiness(&app, Who::Desk, ORGANIZER).await["ready"], true);
    assert_eq!(asked(&app), 4);
    app.resume_due().await.unwrap();
    app.end().await;
}

/// However many organizers are asked about at once, two questions are under way; bookings are made beside them.
#[tokio::test]
async fn readiness_takes_a_small_share() {
    let app = TestApp::start().await;
    let slow = Effect::SlowBeforeWork { milliseconds: 1_500 };
    app.simulator.inject(InjectedFault::on(Operation::User, slow).always());
    let paths = (1..=8_u128).map(|n| format!("/v1/organizers/{}/readiness", Uuid::from_u128(n)));
    let many: Vec<_> = paths
        .map(|path| {
            let request = app.request(Who::Desk, reqwest::Method::GET, &path);
            tokio::spawn(async move { request.send().await.unwrap().json::<Value>().await.unwrap() })
        })
        .collect();
    until("two questions arrive", async || app.simulator.counts().arrived(Operation::User) >= 2).await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    assert_eq!(app.simulator.counts().arrived(Operation::User), 2);
    for one in many {
        let said = detail(&one.await.unwrap(), "organizer");
        assert!(said.starts_with("ok") || said.contains("other questions about organizers"), "{said}");
    }
    app.end().await;
}

/// A caller that hangs up in the middle is no sign that Graph is away: bookings are made as before.
#[tokio::test]
async fn a_question_that_is_given_up_does_not_count_against_graph() {
    let app = TestApp::start().await;
    let slow = Effect::SlowBeforeWork { milliseconds: 300 };
    app.simulator.inject(InjectedFault::on(Operation::User, slow).always());
    for n in 1..=12_u128 {
        let path = format!("/v1/organizers/{}/readiness", Uuid::from_u128(n));
        let request = app.request(Who::Desk, reqwest::Method::GET, &path);
        let given_up = request.timeout(Duration::from_millis(100)).send().await;
        given_up.unwrap_err();
    }
    app.idle().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    app.end().await;
}

/// A name leads to an object id only for an operator, or where the own source system has a booking of that user; a key that only
/// reads is told nothing.
#[tokio::test]
async fn readiness_is_no_directory() {
    let app = TestApp::start().await;
    let id = Uuid::parse_str(ORGANIZER).unwrap();
    app.simulator.declare(id, OrganizerState::WithoutPolicy, Some(UPN));
    let path = format!("/v1/organizers/{}/readiness", UPN.replace('@', "%40"));
    for who in [Who::Screen, Who::Auditor] {
        app.get(who, &path).await.problem(403, "forbidden");
    }
    assert_eq!(asked(&app), 0);
    let stranger = readiness(&app, Who::Desk, UPN).await;
    assert!(!stranger.to_string().contains(ORGANIZER), "{stranger}");
    assert_eq!(stranger["organizer"], json!({"userId": null, "upn": UPN}));
    assert_eq!(readiness(&app, Who::Operator, UPN).await["organizer"]["userId"], ORGANIZER);
    assert_eq!(readiness(&app, Who::Desk, ORGANIZER).await["organizer"]["userId"], ORGANIZER);
    app.simulator.permit(id);
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    app.clock.advance(SHARED);
    assert_eq!(readiness(&app, Who::Desk, UPN).await["organizer"]["userId"], ORGANIZER);
    let other = readiness(&app, Who::OtherSystem, UPN).await;
    assert!(!other.to_string().contains(ORGANIZER), "{other}");
    app.end().await;
}
