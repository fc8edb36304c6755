//! Organizer readiness: whether bookings for an organizer would work, found out without making a meeting.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation, OrganizerState};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{ORGANIZER, TestApp, Who, booking, booking_with};

/// For how long an answer is handed to every caller.
const SHARED: Duration = Duration::from_secs(10);
const UPN: &str = "olga@contoso.com";
const MEETINGS_ROLE: &str = "OnlineMeetings.ReadWrite.All";
const USERS_ROLE: &str = "User.Read.All";

fn organizer() -> Uuid {
    Uuid::parse_str(ORGANIZER).unwrap()
}

async fn readiness(app: &TestApp, who: Who, organizer: &str) -> Value {
    let path = format!("/v1/organizers/{}/readiness", organizer.replace('@', "%40"));
    app.get(who, &path).await.expect(200).json()
}

fn check<'a>(body: &'a Value, name: &str) -> &'a Value {
    let checks = body["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name} is missing in {body}"))
}

/// The checks with their status, in order.
#[track_caller]
fn statuses(body: &Value) -> Vec<&str> {
    let names = ["token", "permissions", "organizer", "access-policy", "recent-attempts"];
    assert_eq!(body["checks"].as_array().unwrap().len(), names.len(), "{body}");
    names.map(|name| check(body, name)["status"].as_str().unwrap()).into()
}

/// All is well, by object id and by name, and asking has changed nothing: not at Graph, where everything but the token
/// was read with GET, and not here.
#[tokio::test]
async fn a_ready_organizer_is_reported_ready_and_nothing_is_changed() {
    let app = TestApp::start().await;
    app.simulator.declare(organizer(), OrganizerState::Permitted, Some(UPN));
    for (asked, upn) in [(ORGANIZER, Value::Null), (UPN, json!(UPN))] {
        let body = readiness(&app, Who::Operator, asked).await;
        assert_eq!(body["ready"], true, "{body}");
        assert_eq!(body["organizer"], json!({"userId": ORGANIZER, "upn": upn}));
        assert_eq!(statuses(&body), ["ok", "ok", "ok", "ok", "unknown"], "{body}");
    }
    let ledger = app.simulator.ledger();
    assert!(ledger.meetings.is_empty());
    let methods: Vec<_> = ledger.calls.iter().map(|call| (call.operation, call.method.as_str())).collect();
    let read = [(Operation::User, "GET"), (Operation::Get, "GET")];
    assert_eq!(methods, [&[(Operation::Token, "POST")][..], &read, &read].concat());
    let kept: i64 =
        sqlx::query_scalar("select (select count(*) from booking) + (select count(*) from audit_event)")
            .fetch_one(&app.pool)
            .await
            .unwrap();
    assert_eq!(kept, 0);
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    app.end().await;
}

/// Without a policy the answer is no, with commands to paste; after the grant it is yes.
#[tokio::test]
async fn a_missing_policy_is_found_with_its_remedy() {
    let app = TestApp::start().await;
    app.simulator.forbid(organizer());
    let body = readiness(&app, Who::Desk, ORGANIZER).await;
    assert_eq!(
        (&body["ready"], statuses(&body)),
        (&json!(false), vec!["ok", "ok", "ok", "failed", "unknown"])
    );
    let policy = check(&body, "access-policy");
    let remedy = policy["remedy"].as_str().unwrap();
    let client_id = &app.simulator.settings().client_id;
    assert!(remedy.contains(&format!("-AppIds {client_id}")), "{remedy}");
    assert!(remedy.contains(&format!(
        "Grant-CsApplicationAccessPolicy -PolicyName meeting-provisioner -Identity {ORGANIZER}"
    )));
    assert!(policy["detail"].as_str().unwrap().contains("No application access policy found"), "{policy}");
    app.simulator.permit(organizer());
    app.clock.advance(SHARED);
    assert_eq!(readiness(&app, Who::Desk, ORGANIZER).await["ready"], true);
    app.end().await;
}

/// A user whom Graph doesn't know is an answer, not a problem.
#[tokio::test]
async fn an_unknown_user_is_not_ready() {
    let app = TestApp::start().await;
    app.simulator.declare(organizer(), OrganizerState::Unknown, Some(UPN));
    for asked in [ORGANIZER, UPN] {
        let body = readiness(&app, Who::Desk, asked).await;
        assert_eq!(
            (&body["ready"], statuses(&body)),
            (&json!(false), vec!["ok", "ok", "failed", "unknown", "unknown"])
        );
        assert!(check(&body, "organizer")["remedy"].as_str().unwrap().contains("user principal name"));
    }
    assert_eq!(app.simulator.counts().arrived(Operation::Get), 0);
    app.end().await;
}

/// A refused credential is reported as such, with what to do, and Graph is not called at all.
#[tokio::test]
async fn a_refused_credential_is_reported() {
    let app = TestApp::start().await;
    app.simulator.inject(InjectedFault::anywhere(Effect::TokenRefused { code: 7_000_222 }));
    let body = readiness(&app, Who::Operator, ORGANIZER).await;
    assert_eq!(
        (&body["ready"], statuses(&body)),
        (&json!(false), vec!["failed", "unknown", "unknown", "unknown", "unknown"])
    );
    let token = check(&body, "token");
    assert!(token["detail"].as_str().unwrap().contains("AADSTS7000222"), "{token}");
    assert!(token["remedy"].as_str().unwrap().contains("Add a new secret"), "{token}");
    let counts = app.simulator.counts();
    assert_eq!((counts.arrived(Operation::User), counts.arrived(Operation::Get)), (0, 0));
    app.end().await;
}

/// A permission that is missing in the token is named.
#[tokio::test]
async fn a_missing_permission_is_named() {
    let app = TestApp::start().await;
    app.simulator.declare(organizer(), OrganizerState::Permitted, Some(UPN));
    for (granted, asked, missing) in [
        (USERS_ROLE, ORGANIZER, MEETINGS_ROLE),
        (USERS_ROLE, UPN, MEETINGS_ROLE),
        (MEETINGS_ROLE, UPN, USERS_ROLE),
    ] {
        app.simulator.grant(&[granted]);
        app.simulator.revoke_tokens();
        app.clock.advance(SHARED);
        let body = readiness(&app, Who::Desk, asked).await;
        assert_eq!(body["ready"], false, "{body}");
        let permissions = check(&body, "permissions");
        assert_eq!(permissions["status"], "failed", "{body}");
        for member in ["detail", "remedy"] {
            assert!(permissions[member].as_str().unwrap().contains(missing), "{permissions}");
        }
    }
    app.end().await;
}

/// Where users can't be read, Graph doesn't show whether there is one; a booking that went well does. Callers see
/// what became of their own system's bookings only.
#[tokio::test]
async fn without_the_right_to_read_users_the_history_decides() {
    let app = TestApp::start().await;
    app.simulator.grant(&[MEETINGS_ROLE]);
    let body = readiness(&app, Who::Desk, ORGANIZER).await;
    assert_eq!(
        (&body["ready"], statuses(&body)),
        (&Value::Null, vec!["ok", "ok", "unknown", "unknown", "unknown"])
    );
    let booked = app.book(Who::Desk, &booking("BK-1")).await.expect(201).json();
    for (who, ready) in
        [(Who::Desk, json!(true)), (Who::Operator, json!(true)), (Who::OtherSystem, Value::Null)]
    {
        let body = readiness(&app, who, ORGANIZER).await;
        assert_eq!(body["ready"], ready, "{who:?}: {body}");
        let succeeded = if ready == true { &booked["meeting"]["provisionedAt"] } else { &Value::Null };
        assert_eq!(&body["recentAttempts"]["succeededAt"], succeeded, "{who:?}");
    }
    app.clock.advance(Duration::from_hours(7 * 24) + SHARED);
    assert_eq!(readiness(&app, Who::Desk, ORGANIZER).await["ready"], Value::Null);
    app.end().await;
}

/// A refusal in the history is shown with its time and code, whether the organizer is asked for by name or by id.
#[tokio::test]
async fn refusals_of_the_last_days_are_shown() {
    let app = TestApp::start().await;
    app.simulator.declare(organizer(), OrganizerState::Refused, Some(UPN));
    let body = booking_with("BK-1", json!({"organizer": UPN}));
    app.book(Who::Desk, &body).await.problem(422, "graph-refused");
    for asked in [ORGANIZER, UPN] {
        let body = readiness(&app, Who::Desk, asked).await;
        assert_eq!(
            (&body["ready"], check(&body, "access-policy")["status"].as_str()),
            (&json!(false), Some("failed"))
        );
        let recent = &body["recentAttempts"];
        assert_eq!(
            (&recent["refusal"], &recent["refusedAt"]),
            (&json!("graph-refused"), &json!("2026-11-23T08:00:00Z"))
        );
        assert_eq!(recent["succeededAt"], Value::Null);
        assert!(check(&body, "recent-attempts")["detail"].as_str().unwrap().contains("graph-refused"));
    }
    app.end().await;
}

/// A caller that asks again and again gets the same answer for a moment; Graph is called once.
#[tokio::test]
async fn repeated_requests_call_graph_once() {
    let app = TestApp::start().await;
    let asked = (0..20).map(|_| readiness(&app, Who::Desk, ORGANIZER));
    let answers = futures_util::future::join_all(asked).await;
    assert!(answers.iter().all(|answer| answer == &answers[0]));
    assert_eq!(app.simulator.counts().arrived(Operation::User), 1);
    assert_eq!(app.simulator.counts().arrived(Operation::Get), 1);
    app.clock.advance(SHARED);
    let later = readiness(&app, Who::Desk, ORGANIZER).await;
    assert_ne!(later["checkedAt"], answers[0]["checkedAt"]);
    assert_eq!(app.simulator.counts().arrived(Operation::Get), 2);
    app.end().await;
}

/// What can't be an organizer is a problem; so is an unknown parameter.
#[tokio::test]
async fn what_is_no_organizer_is_a_problem() {
    let app = TestApp::start().await;
    for path in [
        "nobody/readiness",
        "a%20b%40c/readiness",
        "a%00%40c/readiness",
        "%FF/readiness",
        "a%40b/readiness?x=y",
    ] {
        let answer = app.get(Who::Desk, &format!("/v1/organizers/{path}")).await;
        answer.problem(400, "invalid-request");
    }
    app.get(Who::Desk, "/v1/organizers/a%40b").await.problem(404, "not-found");
    assert_eq!(app.simulator.ledger().calls.len(), 0);
    app.end().await;
}
