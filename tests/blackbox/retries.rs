//! Trying again: by an operator, by a command, and by itself once an organizer's policy is there.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation, OrganizerState};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::process::{Process, program};
use crate::support::{ApiResponse, ORGANIZER, TestApp, Who, booking, booking_with};

const OTHER_ORGANIZER: &str = "0e5f2f6c-0000-4000-8000-000000000001";
const THIRD_ORGANIZER: &str = "0e5f2f6c-0000-4000-8000-000000000002";

fn id(organizer: &str) -> Uuid {
    Uuid::parse_str(organizer).unwrap()
}

async fn retry(app: &TestApp, booking_id: &str, prefer: Option<&str>) -> ApiResponse {
    let path = format!("/v1/bookings/{booking_id}/retry?sourceSystem=room-booking");
    let mut request = app.request(Who::Operator, Method::POST, &path);
    if let Some(prefer) = prefer {
        request = request.header("Prefer", prefer);
    }
    ApiResponse::read(request.send().await.unwrap()).await
}

/// Books while the organizer is unknown at Graph, for as long as it takes until the booking is parked.
async fn parked(app: &TestApp, booking_id: &str) {
    app.simulator.declare(id(ORGANIZER), OrganizerState::Unknown, None);
    app.book_until_parked(&booking(booking_id), "organizer-not-found").await;
    app.simulator.permit(id(ORGANIZER));
}

/// The history, with attempts in a row that ended alike as one.
async fn history(app: &TestApp, booking_id: &str) -> Vec<String> {
    let mut history = app.history(booking_id).await;
    history.dedup();
    history
}

async fn metrics(app: &TestApp) -> String {
    reqwest::get(app.admin_url("/metrics")).await.unwrap().text().await.unwrap()
}

/// A parked booking is counted by a metric and has an event that can be searched for; an operator's retry, which is in the history
/// under their name, ends in the meeting.
#[tokio::test]
async fn a_parked_booking_is_tried_again() {
    let app = TestApp::start().await;
    parked(&app, "BK-1").await;
    let line = "meeting_provisioner_bookings_parked_total{code=\"organizer-not-found\"} 1";
    assert!(metrics(&app).await.contains(line));
    let found = app.get(Who::Auditor, "/v1/audit-events?nextStatus=failed").await.expect(200).json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    assert_eq!(found["items"][0]["type"], "call.refused");
    let before = app.booking("BK-1").await;
    let body = retry(&app, "BK-1", None).await.expect(200).json();
    assert_eq!((&body["status"], &body["lastError"]), (&json!("provisioned"), &Value::Null));
    assert!(body["revision"].as_u64() > before["revision"].as_u64());
    let expected = ["booking.accepted", "call.refused", "booking.retried", "meeting.created"];
    assert_eq!(history(&app, "BK-1").await, expected);
    let events = app.history_items("BK-1").await;
    let event = &events[events.len() - 2];
    assert_eq!(
        (&event["actor"], &event["details"]["next"]["status"]),
        (&json!("api-key:Operator"), &json!("pending"))
    );
    let note = event["details"]["note"].as_str().unwrap();
    assert!(note.contains("failed") && note.contains("organizer-not-found"), "{note}");
    assert!(event["details"]["requestId"].is_string());
    app.end().await;
}

/// What is refused again is parked again, and answered with the problem; where waiting may help it waits with new patience.
#[tokio::test]
async fn a_retry_that_fails_parks_the_booking_again() {
    let app = TestApp::start().await;
    parked(&app, "BK-1").await;
    app.simulator.declare(id(ORGANIZER), OrganizerState::Refused, None);
    retry(&app, "BK-1", None).await.problem(422, "graph-refused");
    app.simulator.forbid(id(ORGANIZER));
    let answer = retry(&app, "BK-1", Some("wait=0")).await.expect(202);
    assert_eq!(answer.header("location"), Some("/v1/bookings/BK-1?sourceSystem=room-booking"));
    app.idle().await;
    assert_eq!(app.booking("BK-1").await["lastError"]["code"], "organizer-not-permitted");
    let patient = app.resume_after(Duration::from_mins(1)).await;
    assert_eq!((patient, &app.booking("BK-1").await["status"]), (1, &json!("pending")));
    app.resume_until_settled(Duration::from_mins(5)).await;
    app.end().await;
}

/// A booking that waits for its next attempt is tried at once when an operator asks for it.
#[tokio::test]
async fn an_operator_has_a_waiting_booking_tried_at_once() {
    let app = TestApp::start().await;
    let effect = Effect::FailedBeforeWork { status: 503, retry_after: None };
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect));
    assert_eq!(app.book_and_look(&booking("BK-1")).await["status"], "pending");
    assert_eq!(retry(&app, "BK-1", None).await.expect(200).json()["status"], "provisioned");
    assert_eq!(
        app.history("BK-1").await,
        ["booking.accepted", "call.unavailable", "booking.retried", "meeting.created"]
    );
    app.end().await;
}

/// A retry while an attempt is under way waits for that attempt, and does nothing else. Many retries at once make one
/// attempt.
#[tokio::test]
async fn a_retry_during_an_attempt_waits_for_that_attempt() {
    let app = TestApp::start().await;
    parked(&app, "BK-1").await;
    app.simulator
        .inject(InjectedFault::on(Operation::CreateOrGet, Effect::SlowBeforeWork { milliseconds: 500 }));
    let calls = app.simulator.counts().arrived(Operation::CreateOrGet);
    retry(&app, "BK-1", Some("respond-async")).await.expect(202);
    let answers = futures_util::future::join_all((0..8).map(|_| retry(&app, "BK-1", None))).await;
    for answer in answers {
        assert!(matches!(answer.status, 200 | 409), "{}", answer.text);
    }
    let expected = ["booking.accepted", "call.refused", "booking.retried", "meeting.created"];
    assert_eq!(history(&app, "BK-1").await, expected);
    assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), calls + 1);
    app.end().await;
}

/// A booking that is as wanted is left alone, with a problem that says so; a booking that doesn't exist is 404.
#[tokio::test]
async fn a_provisioned_booking_is_not_tried_again() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    for status in ["provisioned", "cancelled"] {
        let problem = retry(&app, "BK-1", None).await.problem(409, "nothing-to-retry");
        assert_eq!(problem["booking"]["status"], status);
        let events = app.history("BK-1").await;
        assert!(!events.contains(&"booking.retried".to_owned()));
        app.delete("BK-1", &[]).await.expect(200);
    }
    let problem = retry(&app, "BK-2", None).await.problem(404, "not-found");
    assert_eq!(problem["detail"], "There is no such booking.", "the source system was named");
    let answer = app.request(Who::Operator, Method::POST, "/v1/bookings/BK-1/retry").send().await.unwrap();
    let problem = ApiResponse::read(answer).await.problem(404, "not-found");
    assert!(problem["detail"].as_str().unwrap().contains("name another with sourceSystem"), "{problem}");
    let post = |path: &'static str| app.request(Who::Operator, Method::POST, path).send();
    for (path, status) in [
        ("/v1/bookings/BK-1/retry", 404),
        ("/v1/bookings/BK-1/retry?sourceSystem=room-booking&generation=2", 404),
        ("/v1/bookings/BK-1/retry?sourceSystem=room-booking&generation=1", 409),
        ("/v1/bookings/BK-1/retry?sourceSystem=room-booking&generation=0", 400),
        ("/v1/bookings/BK-1/retry?colour=red", 400),
    ] {
        assert_eq!(post(path).await.unwrap().status(), status, "{path}");
    }
    app.get(Who::Operator, "/v1/bookings/BK-1/retry").await.problem(405, "method-not-allowed");
    app.end().await;
}

async fn command(app: &TestApp, arguments: &[&str]) -> (Option<i32>, String) {
    let arguments: Vec<&str> = ["retry"].iter().chain(arguments).copied().collect();
    let output = program(&arguments, app.environment()).output().await.unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code(), text)
}

/// The command lists what it would do; with --yes it does it, under the name of the operator who ran it.
#[tokio::test]
async fn the_command_makes_parked_bookings_due() {
    let app = TestApp::builder().at_real_time().start().await;
    app.book(Who::Desk, &booking("GOOD")).await.expect(201);
    for n in 1..=3 {
        parked(&app, &format!("BK-{n}")).await;
    }
    app.simulator.declare(id(OTHER_ORGANIZER), OrganizerState::Refused, None);
    let other = booking_with("OTHER", json!({"organizer": OTHER_ORGANIZER}));
    app.book(Who::Desk, &other).await.problem(422, "graph-refused");
    let narrow = ["--status", "failed", "--code", "organizer-not-found", "--source-system", "room-booking"];
    let (status, text) = command(&app, &narrow).await;
    assert_eq!(status, Some(0), "{text}");
    for expected in
        ["room-booking/BK-1 generation 1: failed, organizer-not-found", "3 bookings would be due", "--yes"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(!text.contains("OTHER") && !text.contains("GOOD"), "{text}");
    assert_eq!(history(&app, "BK-1").await.len(), 2, "nothing was changed");
    for of_no_booking in [
        ["--organizer", OTHER_ORGANIZER, "--code", "organizer-not-found"],
        ["--source-system", "crm", "--status", "failed,pending"],
    ] {
        let (_, text) = command(&app, &of_no_booking).await;
        assert!(text.contains("0 bookings would be due"), "{text}");
    }
    let (status, text) = command(&app, &[&narrow[..], &["--yes"]].concat()).await;
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("3 bookings due again now"), "{text}");
    assert_eq!(app.resume_after(Duration::from_mins(5)).await, 3);
    for n in 1..=3 {
        let booking_id = format!("BK-{n}");
        assert_eq!(app.booking(&booking_id).await["status"], "provisioned");
        let events = app.history_items(&booking_id).await;
        let event = &events[events.len() - 2];
        assert_eq!(event["type"], "booking.retried");
        assert!(
            event["actor"].as_str().unwrap().strip_prefix("command:").is_some_and(|user| !user.is_empty())
        );
    }
    let (_, text) = command(&app, &["--yes", "--code", "organizer-not-found"]).await;
    assert!(text.contains("0 bookings due again"), "{text}");
    assert_eq!(command(&app, &["--code", "no-such-code"]).await.0, Some(2));
    assert_eq!(command(&app, &["--status", "provisioned"]).await.0, Some(2));
    app.end().await;
}

/// By real time, and with a worker that looks by itself once a minute only: each booking is asked for when it is due. A look for
/// the earlier one takes nothing away from the later one, and a call that hangs holds up neither.
#[tokio::test]
async fn a_retry_comes_when_it_is_due_however_long_the_worker_rests() {
    let app = TestApp::builder().setting("WORKER__POLL_SECONDS", "60").at_real_time().start().await;
    let process = Process::serve(app.environment()).await;
    let on_creation = |effect| InjectedFault::on(Operation::CreateOrGet, effect);
    let hangs = on_creation(Effect::SlowBeforeWork { milliseconds: 20_000 });
    app.simulator.inject(hangs.for_organizer(THIRD_ORGANIZER));
    for (organizer, retry_after) in [(ORGANIZER, "1"), (OTHER_ORGANIZER, "2")] {
        let throttled = Effect::ThrottledBeforeWork { retry_after: Some(retry_after.to_owned()) };
        app.simulator.inject(on_creation(throttled).for_organizer(organizer));
    }
    let book = async |booking_id: &str, organizer: &str, prefer: &str| {
        let body = booking_with(booking_id, json!({"organizer": organizer}));
        let request = process.request(Who::Desk, Method::POST, "/v1/bookings").header("Prefer", prefer);
        ApiResponse::read(request.json(&body).send().await.unwrap()).await
    };
    book("HANGS", THIRD_ORGANIZER, "respond-async").await.expect(202);
    let (earlier, later) =
        tokio::join!(book("EARLIER", ORGANIZER, "wait=20"), book("LATER", OTHER_ORGANIZER, "wait=20"));
    earlier.expect(201);
    later.expect(201);
    process.kill().await;
    app.end_with_work_left().await;
}
