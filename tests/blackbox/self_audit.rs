//! The service audits itself: a rich history is clean, and every way to corrupt the tables is named.

use std::collections::BTreeMap;
use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation, OrganizerState};
use serde_json::json;
use uuid::Uuid;

use crate::support::process::{Process, program};
use crate::support::{ORGANIZER, TestApp, Who, booking, booking_with};

const OTHER_ORGANIZER: &str = "0e5f2f6c-0000-4000-8000-000000000001";

/// Runs `self-audit` against the database of a test: its status, and what it printed.
pub async fn audit(app: &TestApp, arguments: &[&str]) -> (Option<i32>, String) {
    let arguments: Vec<&str> = ["self-audit"].iter().chain(arguments).copied().collect();
    let output = program(&arguments, app.environment()).output().await.unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code(), text)
}

/// Runs statements that corrupt something.
pub async fn run_sql(app: &TestApp, statements: &[&'static str]) {
    // One connection, for what is switched off for a session.
    let mut connection = app.pool.acquire().await.unwrap();
    for statement in statements {
        sqlx::query(*statement)
            .execute(&mut *connection)
            .await
            .unwrap_or_else(|e| panic!("{statement}: {e}"));
    }
}

/// Created, changed, cancelled, booked again, moved to another organizer; lost answers, throttling, refusals; parked,
/// tried again, freed; a process that was killed: all of it leaves tables that agree, at Graph as well.
#[tokio::test]
async fn a_rich_history_is_clean() {
    let app = TestApp::builder().at_real_time().start().await;
    let id = |text: &str| Uuid::parse_str(text).unwrap();
    app.book(Who::Desk, &booking("CREATED")).await.expect(201);
    app.book(Who::OtherSystem, &booking("CREATED")).await.expect(201);
    app.simulator.declare(Uuid::from_u128(3), OrganizerState::Permitted, Some("olga@contoso.com"));
    app.book(Who::Desk, &booking_with("NAMED", json!({"organizer": "olga@contoso.com"}))).await.expect(201);
    let settings = json!({"settings": {"recordAutomatically": true}});
    app.declare(&booking_with("SET", settings)).await.expect(201);
    app.declare(&booking("CHANGED")).await.expect(201);
    app.declare(&booking_with("CHANGED", json!({"subject": "Another"}))).await.expect(200);
    app.declare(&booking_with("CHANGED", json!({"subject": "Another", "metadata": {"a": "b"}})))
        .await
        .expect(200);
    app.declare(&booking("AGAIN")).await.expect(201);
    app.delete("AGAIN", &[]).await.expect(200);
    app.declare(&booking("AGAIN")).await.expect(201);
    app.declare(&booking("MOVED")).await.expect(201);
    let moved = booking_with("MOVED", json!({"organizer": OTHER_ORGANIZER}));
    app.put("MOVED?organizerChange=replace", &moved, &[]).await.expect(201);
    for (n, effect) in [
        Effect::AnswerLost,
        Effect::TruncatedBody,
        Effect::Collision,
        Effect::ThrottledAfterWork { retry_after: Some("2.5".to_owned()) },
        Effect::FailedBeforeWork { status: 503, retry_after: None },
    ]
    .into_iter()
    .enumerate()
    {
        app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect));
        app.book_and_look(&booking(&format!("FAULT-{n}"))).await;
    }
    // Cancelled while it is unknown whether the meeting was made.
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, Effect::AnswerLost));
    app.book_and_look(&booking("NEVER")).await;
    app.delete("NEVER", &[("Prefer", "respond-async")]).await;
    app.resume_until_settled(Duration::from_mins(10)).await;
    parked_tried_again_and_freed(&app, id(OTHER_ORGANIZER)).await;
    abandoned_by_a_dead_process(&app).await;
    let (status, text) = audit(&app, &["--ask-graph", "--rate-per-second", "100"]).await;
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("No exceptions.") && text.contains("0 times it gave no answer"), "{text}");
    let (status, text) = audit(&app, &["--before", "2020-01-01T00:00:00Z"]).await;
    assert!(status == Some(0) && text.contains("Examined 0 bookings"), "{text}");
    app.end().await;
}

async fn parked_tried_again_and_freed(app: &TestApp, other: Uuid) {
    let organizer = Uuid::parse_str(ORGANIZER).unwrap();
    app.simulator.declare(organizer, OrganizerState::Unknown, None);
    for name in ["FAILED", "RETRIED"] {
        app.book_until_parked(&booking(name), "organizer-not-found").await;
    }
    app.simulator.permit(organizer);
    let path = "/v1/bookings/RETRIED/retry?sourceSystem=room-booking";
    let retried = app.request(Who::Operator, reqwest::Method::POST, path).send().await.unwrap();
    assert_eq!(retried.status(), 200);
    app.simulator.forbid(other);
    app.book_and_look(&booking_with("FREED", json!({"organizer": OTHER_ORGANIZER}))).await;
    app.resume_until_settled(Duration::from_mins(10)).await;
    app.simulator.permit(other);
    app.book(Who::Desk, &booking_with("FREES", json!({"organizer": OTHER_ORGANIZER}))).await.expect(201);
    app.resume_until_settled(Duration::from_mins(10)).await;
    assert!(app.history("FREED").await.contains(&"booking.freed".to_owned()));
}

async fn abandoned_by_a_dead_process(app: &TestApp) {
    app.simulator
        .inject(InjectedFault::on(Operation::CreateOrGet, Effect::SlowAfterWork { milliseconds: 60_000 }));
    let process = Process::serve(app.environment()).await;
    let answer = tokio::spawn(process.book(&booking("ABANDONED")));
    app.simulator
        .wait_for_call(Duration::from_secs(20), |call| {
            call.work_done && call.faults.iter().any(|fault| fault.contains("slow"))
        })
        .await
        .unwrap();
    process.kill().await;
    assert!(answer.await.unwrap().is_err());
    app.simulator.clear_faults();
    app.resume_until_settled(Duration::from_mins(10)).await;
    assert!(app.history("ABANDONED").await.contains(&"call.unknown".to_owned()));
}

const HISTORY_OPEN: &str = "alter table audit_event disable trigger audit_event_append_only";
const HISTORY_CLOSED: &str = "alter table audit_event enable trigger audit_event_append_only";

/// Which rule each way to corrupt the tables breaks, of which booking, and by which statements.
const SPOILT: &[(&str, &str, &[&str])] = &[
    ("row-readable", "BK-1", &["update booking set wanted = '{}' where booking_id = 'BK-1'"]),
    (
        "external-id",
        "BK-1",
        &[
            "update booking set external_id = '4b22997d-a5f7-5483-b720-2dee50154e74' where booking_id = 'BK-1'",
        ],
    ),
    (
        "history-begins",
        "BK-1",
        &["delete from audit_event where booking_id = 'BK-1' and event_type = 'booking.accepted'"],
    ),
    ("history-begins", "BK-1", &["delete from audit_event where booking_id = 'BK-1'"]),
    (
        "history-same-booking",
        "BK-1",
        &["update audit_event set external_id = '4b22997d-a5f7-5483-b720-2dee50154e74'
               where booking_id = 'BK-1' and event_type = 'meeting.created'"],
    ),
    ("attempts-have-events", "BK-1", &["update booking set attempts = 2 where booking_id = 'BK-1'"]),
    (
        "attempts-have-events",
        "BK-1",
        &["delete from audit_event where booking_id = 'BK-1' and event_type = 'meeting.created'"],
    ),
    (
        "attempt-settled",
        "BK-1",
        &["update audit_event set payload = jsonb_set(payload::jsonb, '{attempt,id}',
                   '\"4b22997d-a5f7-5483-b720-2dee50154e74\"')::json
               where booking_id = 'BK-1' and event_type = 'booking.accepted'"],
    ),
    (
        "status-fits-history",
        "BK-1",
        &["update booking set status = 'failed', last_error = '{\"code\": \"graph-refused\",
                   \"at\": \"2026-11-23T08:00:00Z\", \"graph\": {\"startedAt\": \"2026-11-23T08:00:00Z\",
                   \"durationMilliseconds\": 1}}' where booking_id = 'BK-1'"],
    ),
    (
        "outcome-or-due",
        "BK-1",
        &[
            "alter table booking drop constraint booking_in_progress_is_due",
            "update booking set status = 'updating' where booking_id = 'BK-1'",
        ],
    ),
    (
        "settled-agrees",
        "BK-1",
        &["update booking set wanted = jsonb_set(wanted::jsonb, '{subject}', '\"Other\"')::json,
                   agreement = 'differs', agreed_revision = null where booking_id = 'BK-1'"],
    ),
    (
        "meeting-in-history",
        "BK-1",
        &["update booking set meeting_id = 'M-by-hand' where booking_id = 'BK-1'"],
    ),
    (
        "join-link",
        "BK-1",
        &["update booking set join_web_url = 'https://evil.example/join' where booking_id = 'BK-1'"],
    ),
    (
        "join-link",
        "BK-1",
        &["update audit_event set payload = jsonb_set(payload::jsonb, '{joinWebUrlSha256}', '\"00\"')::json
               where booking_id = 'BK-1' and event_type = 'meeting.created'"],
    ),
    (
        "one-meeting-one-booking",
        "BK-2",
        &[
            "drop index booking_meeting_unique",
            "update booking set meeting_id = (select meeting_id from booking where booking_id = 'BK-1')
               where booking_id = 'BK-2'",
        ],
    ),
    (
        "lease-age",
        "BK-1",
        &["update booking set due_at = now(), status = 'updating', lease_attempt_id = gen_random_uuid(),
                   lease_started_at = now() - interval '1 hour', lease_until = now() + interval '1 day'
               where booking_id = 'BK-1'"],
    ),
    ("generations", "BK-1", &["update booking set generation = 2 where booking_id = 'BK-1'"]),
    ("booking-is-there", "BK-1", &["delete from booking where booking_id = 'BK-1'"]),
];

/// Each way to corrupt the tables is named, with the booking and the rule that it breaks; the status is 1.
#[tokio::test]
async fn each_way_to_corrupt_the_tables_is_named() {
    for (rule, booking_id, statements) in SPOILT {
        let app = TestApp::builder().at_real_time().start().await;
        for name in ["BK-1", "BK-2", "GOOD"] {
            app.book(Who::Desk, &booking(name)).await.expect(201);
        }
        run_sql(&app, &[&[HISTORY_OPEN], *statements, &[HISTORY_CLOSED]].concat()).await;
        let (status, text) = audit(&app, &[]).await;
        assert_eq!(status, Some(1), "{rule}: {text}");
        let named = text.lines().any(|line| {
            line.contains(&format!("room-booking/{booking_id} generation"))
                && line.contains(&format!("({rule})"))
        });
        assert!(named, "{rule}: {text}");
        assert!(!text.contains("GOOD"), "what is good is not named, {rule}: {text}");
        app.end_with_work_left().await;
    }
}

/// Beside a busy service nothing is taken for an exception that is only on its way; and every page is read.
#[tokio::test]
async fn an_audit_beside_a_busy_service_is_clean() {
    let app = TestApp::builder().at_real_time().start().await;
    let bookings = async {
        for round in 0..8 {
            let some = (0..20).map(|n| format!("BK-{round}-{n}"));
            let some: Vec<_> = some.map(|name| booking(&name)).collect();
            let answers = some.iter().map(|body| app.book(Who::Desk, body));
            for answer in futures_util::future::join_all(answers).await {
                answer.expect(201);
            }
        }
    };
    let audits = async {
        for _ in 0..4 {
            let (status, text) = audit(&app, &[]).await;
            assert_eq!(status, Some(0), "{text}");
        }
    };
    tokio::join!(bookings, audits);
    run_sql(&app, &["update booking set attempts = 9 where booking_id in ('BK-0-0', 'BK-7-19')"]).await;
    let (_, text) = audit(&app, &[]).await;
    assert!(text.contains("Examined 160 bookings") && text.contains("2 exceptions."), "{text}");
    app.end().await;
}

/// A trigger of the schema that is disabled is named, and so is what was done meanwhile as far as the tables show.
#[tokio::test]
async fn a_disabled_trigger_is_named() {
    let app = TestApp::builder().at_real_time().start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    run_sql(&app, &[HISTORY_OPEN]).await;
    let (status, text) = audit(&app, &[]).await;
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("trigger audit_event_append_only") && text.contains("One exception."), "{text}");
    app.end().await;
}

/// A generation that was not cancelled though the next one has its meeting would be a second meeting for one booking.
#[tokio::test]
async fn a_generation_that_was_not_cancelled_is_named() {
    let app = TestApp::builder().at_real_time().start().await;
    app.declare(&booking("BK-1")).await.expect(201);
    let other = booking_with("BK-1", json!({"organizer": OTHER_ORGANIZER}));
    app.put("BK-1?organizerChange=replace", &other, &[]).await.expect(201);
    app.resume_until_settled(Duration::from_mins(10)).await;
    assert_eq!(audit(&app, &[]).await.0, Some(0));
    run_sql(
        &app,
        &["update booking set desired_state = 'present', status = 'provisioned', agreement = 'at', agreed_revision = wanted_revision
           where generation = 1"],
    )
    .await;
    let (status, text) = audit(&app, &[]).await;
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("room-booking/BK-1 generation 1 (generations)"), "{text}");
    assert!(text.contains("a later generation has its meeting"), "{text}");
    app.end().await;
}

/// A booking moves to another organizer, whose meeting is made and can't be set as wanted; then it is declared with
/// nothing left to change. It has its meeting now, so the one before it must be removed.
#[tokio::test]
async fn a_successor_that_agrees_without_a_call_retires_its_predecessor() {
    let app = TestApp::builder().at_real_time().start().await;
    app.declare(&booking("BK-1")).await.expect(201);
    let body = r#"{"error": {"code": "BadRequest", "message": "no such setting here"}}"#.to_owned();
    let refused = Effect::Respond { status: 400, headers: BTreeMap::new(), body, after_work: false };
    app.simulator.inject(InjectedFault::on(Operation::Patch, refused));
    let moved = json!({"organizer": OTHER_ORGANIZER, "settings": {"recordAutomatically": true}});
    app.put("BK-1?organizerChange=replace", &booking_with("BK-1", moved), &[])
        .await
        .problem(422, "graph-refused");
    let plain = booking_with("BK-1", json!({"organizer": OTHER_ORGANIZER}));
    let body = app.declare(&plain).await.expect(200).json();
    assert_eq!((&body["status"], &body["generation"]), (&json!("provisioned"), &json!(2)));
    app.resume_until_settled(Duration::from_mins(10)).await;
    let left = app.simulator.meetings().into_iter().filter(|meeting| meeting.deleted_at.is_none());
    assert_eq!(left.count(), 1, "one booking, one meeting");
    let (status, text) = audit(&app, &[]).await;
    assert_eq!(status, Some(0), "{text}");
    app.end().await;
}
