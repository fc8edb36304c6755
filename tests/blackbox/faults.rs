//! What fails at Graph, and how the booking ends.

use std::time::Duration;

use meeting_provisioner::clock::Clock;
use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};
use serde_json::{Value, json};

use crate::support::{ORGANIZER, TestApp, Who, booking, booking_with};

const NO_WAIT: Duration = Duration::ZERO;

fn throttled(retry_after: Option<&str>) -> Effect {
    Effect::ThrottledBeforeWork { retry_after: retry_after.map(str::to_owned) }
}

/// A lost answer is an unknown outcome: the same call again finds the meeting. There is one, and the history says so.
#[tokio::test]
async fn a_call_with_a_lost_answer_is_repeated() {
    for effect in [Effect::AnswerLost, Effect::TruncatedBody, Effect::ConnectionReset] {
        let app = TestApp::start().await;
        app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect.clone()));
        app.book_and_look(&booking("BK-1")).await;
        app.resume_until_settled(NO_WAIT).await;
        let body = app.booking("BK-1").await;
        assert_eq!((&body["status"], &body["attempts"]), (&json!("provisioned"), &json!(2)), "{effect:?}");
        assert_eq!(app.simulator.meetings().len(), 1, "{effect:?}");
        let last = if effect == Effect::ConnectionReset { "meeting.created" } else { "meeting.found" };
        assert_eq!(app.history("BK-1").await, ["booking.accepted", "call.unknown", last], "{effect:?}");
        app.end().await;
    }
}

/// Each kind of `Retry-After` is obeyed: not a moment earlier, and not long after.
#[tokio::test]
async fn throttling_is_obeyed_whatever_its_retry_after() {
    for (retry_after, too_early, late_enough) in [
        (Some("3"), 2_900, 500),
        (Some("2.128"), 2_100, 250),
        (None, 900, 3_100),
        (Some("soon"), 900, 3_100),
        (Some("-5"), 400, 3_600),
        (Some("99999999999999999999"), 3_599_000, 12_000),
    ] {
        let app = TestApp::start().await;
        app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, throttled(retry_after)));
        let body = app.book_and_look(&booking("BK-1")).await;
        assert_eq!(body["lastError"]["code"], "graph-throttled", "{retry_after:?}");
        assert_ne!(body["nextAttemptAt"], Value::Null);
        assert_eq!(
            app.resume_after(Duration::from_millis(too_early)).await,
            0,
            "{retry_after:?} came too early"
        );
        assert_eq!(
            app.resume_after(Duration::from_millis(late_enough)).await,
            1,
            "{retry_after:?} came too late"
        );
        assert_eq!(app.booking("BK-1").await["status"], "provisioned", "{retry_after:?}");
        assert_eq!(app.history("BK-1").await, ["booking.accepted", "call.throttled", "meeting.created"]);
        app.end().await;
    }
}

/// A date in `Retry-After` counts from the answer's own `Date`.
#[tokio::test]
async fn throttling_until_a_date_is_obeyed() {
    let app = TestApp::builder().at_real_time().start().await;
    let until = std::time::SystemTime::from(app.clock.now()) + Duration::from_mins(1);
    app.simulator
        .inject(InjectedFault::on(Operation::CreateOrGet, throttled(Some(&httpdate::fmt_http_date(until)))));
    app.book_and_look(&booking("BK-1")).await;
    assert_eq!(app.resume_after(Duration::from_secs(40)).await, 0);
    assert_eq!(app.resume_after(Duration::from_secs(40)).await, 1);
    app.end().await;
}

/// A throttled call may have been carried out all the same: still one meeting.
#[tokio::test]
async fn a_throttled_call_that_did_its_work_makes_no_second_meeting() {
    let app = TestApp::start().await;
    let effect = Effect::ThrottledAfterWork { retry_after: Some("1".to_owned()) };
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect));
    app.book_and_look(&booking("BK-1")).await;
    assert_eq!(app.resume_after(Duration::from_secs(2)).await, 1);
    let body = app.booking("BK-1").await;
    assert_eq!((&body["status"], &body["meeting"]["createdBy"]), (&json!("provisioned"), &json!("existing")));
    assert_eq!(app.simulator.meetings().len(), 1);
    app.end().await;
}

/// Server errors of Graph are waited for, however many; nothing is given up.
#[tokio::test]
async fn server_errors_of_graph_are_waited_for() {
    for status in [500, 502, 503, 504] {
        let app = TestApp::start().await;
        let effect = Effect::FailedBeforeWork { status, retry_after: None };
        app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect).times(12));
        app.book_and_look(&booking("BK-1")).await;
        let body = app.booking("BK-1").await;
        assert_eq!(
            (&body["status"], &body["lastError"]["code"]),
            (&json!("pending"), &json!("graph-unavailable"))
        );
        assert_eq!(body["lastError"]["graph"]["status"], status);
        let resumed = app.resume_until_settled(Duration::from_mins(10)).await;
        assert_eq!((resumed, app.simulator.meetings().len()), (12, 1));
        app.end().await;
    }
}

/// `Retry-After` of a 503 is obeyed too.
#[tokio::test]
async fn a_503_with_retry_after_is_obeyed() {
    let app = TestApp::start().await;
    let effect = Effect::FailedBeforeWork { status: 503, retry_after: Some("20".to_owned()) };
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect));
    app.book_and_look(&booking("BK-1")).await;
    assert_eq!(app.resume_after(Duration::from_secs(19)).await, 0);
    assert_eq!(app.resume_after(Duration::from_secs(4)).await, 1);
    app.end().await;
}

/// A call that takes too long is an unknown outcome too.
#[tokio::test]
async fn a_call_that_takes_too_long_is_repeated() {
    let app = TestApp::builder().setting("GRAPH__TIMEOUT_SECONDS", "1").start().await;
    app.simulator
        .inject(InjectedFault::on(Operation::CreateOrGet, Effect::SlowAfterWork { milliseconds: 5_000 }));
    app.book_and_look(&booking("BK-1")).await;
    app.resume_until_settled(NO_WAIT).await;
    assert_eq!(app.history("BK-1").await, ["booking.accepted", "call.unknown", "meeting.found"]);
    assert_eq!(app.simulator.meetings().len(), 1);
    app.end().await;
}

/// A missing access policy is waited for half an hour, with the remedy in the problem from the first answer on; a grant in
/// between is noticed.
#[tokio::test]
async fn a_missing_policy_is_waited_for() {
    let app = TestApp::start().await;
    let organizer = uuid::Uuid::parse_str(ORGANIZER).unwrap();
    app.simulator.forbid(organizer);
    let body = app.book_and_look(&booking("BK-1")).await;
    assert_eq!(
        (&body["status"], &body["lastError"]["code"]),
        (&json!("pending"), &json!("organizer-not-permitted"))
    );
    let remedy = body["lastError"]["remedy"].to_string();
    assert!(remedy.contains("Grant-CsApplicationAccessPolicy") && remedy.contains(ORGANIZER), "{remedy}");
    assert!(remedy.contains(&app.simulator.settings().client_id), "{remedy}");
    assert_eq!(app.resume_after(Duration::from_mins(10)).await, 1);
    app.simulator.permit(organizer);
    assert_eq!(app.resume_after(Duration::from_mins(6)).await, 1);
    assert_eq!(app.booking("BK-1").await["status"], "provisioned");
    app.end().await;
}

/// A policy that never comes parks the booking: the same problem with the booking's state for every repeat, and no
/// further call.
#[tokio::test]
async fn a_policy_that_never_comes_parks_the_booking() {
    let app = TestApp::start().await;
    app.simulator.forbid(uuid::Uuid::parse_str(ORGANIZER).unwrap());
    app.book_and_look(&booking("BK-1")).await;
    app.resume_until_settled(Duration::from_mins(6)).await;
    let calls = app.simulator.counts().arrived(Operation::CreateOrGet);
    let body = app.book(Who::Desk, &booking("BK-1")).await.problem(422, "organizer-not-permitted");
    assert_eq!((&body["booking"]["status"], &body["graph"]["status"]), (&json!("failed"), &json!(403)));
    assert!(body["remedy"].to_string().contains("New-CsApplicationAccessPolicy"), "{body}");
    assert_eq!(app.booking("BK-1").await["lastError"]["code"], "organizer-not-permitted");
    assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), calls);
    app.end().await;
}

/// What only a person can mend is parked at once, with Graph's own message.
#[tokio::test]
async fn what_only_a_person_can_mend_is_parked_at_once() {
    use meeting_provisioner::msgraph_simulator::OrganizerState;
    let app = TestApp::start().await;
    app.simulator.declare(uuid::Uuid::parse_str(ORGANIZER).unwrap(), OrganizerState::Refused, None);
    let body = app.book(Who::Desk, &booking("BK-1")).await.problem(422, "graph-refused");
    assert_eq!((&body["booking"]["status"], &body["graph"]["status"]), (&json!("failed"), &json!(403)));
    let graph = &body["graph"];
    assert!(graph["requestId"].is_string() && graph["clientRequestId"].is_string(), "{body}");
    assert_eq!(app.resume_after(Duration::from_hours(100)).await, 0);
    app.book(Who::Desk, &booking("BK-1")).await.problem(422, "graph-refused");
    assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), 1);
    app.end().await;
}

/// A refused credential is ours to mend: bookings are kept, say why, and go on by themselves once it is mended.
#[tokio::test]
async fn a_refused_credential_keeps_bookings_until_it_is_mended() {
    let app = TestApp::start().await;
    app.simulator
        .inject(InjectedFault::on(Operation::Token, Effect::TokenRefused { code: 7_000_222 }).always());
    let body = app.book_and_look(&booking("BK-1")).await;
    assert_eq!(
        (&body["status"], &body["lastError"]["code"]),
        (&json!("pending"), &json!("graph-unauthorized"))
    );
    assert!(body["lastError"].to_string().contains("7000222"), "{body}");
    app.simulator.clear_faults();
    assert_eq!(app.resume_after(Duration::from_mins(1)).await, 1);
    assert_eq!(app.booking("BK-1").await["status"], "provisioned");
    assert_eq!(app.history("BK-1").await, ["booking.accepted", "call.refused", "meeting.created"]);
    app.end().await;
}

/// A credential that stays refused for a day parks the booking, and the problem is ours, not the caller's.
#[tokio::test]
async fn a_credential_refused_for_a_day_parks_the_booking() {
    let app = TestApp::start().await;
    app.simulator
        .inject(InjectedFault::on(Operation::Token, Effect::TokenRefused { code: 7_000_215 }).always());
    app.book_and_look(&booking("BK-1")).await;
    app.resume_until_settled(Duration::from_hours(1)).await;
    app.book(Who::Desk, &booking("BK-1")).await.problem(502, "graph-unauthorized");
    app.end().await;
}

/// A token that Graph no longer takes is fetched anew, within the same attempt.
#[tokio::test]
async fn a_token_that_graph_no_longer_takes_is_fetched_anew() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    app.simulator.revoke_tokens();
    let body = app.book(Who::Desk, &booking("BK-2")).await.expect(201).json();
    assert_eq!(body["attempts"], 1);
    assert_eq!(app.simulator.counts().arrived(Operation::Token), 2);
    app.end().await;
}

fn graph_says(status: u16, body: &str) -> Effect {
    Effect::Respond { status, headers: [].into(), body: body.to_owned(), after_work: false }
}

/// Graph's answers that are about now and not about the booking.
const FOR_NOW: [(u16, &str); 14] = [
    (400, ""),
    (400, "{}"),
    (400, "\u{feff}"),
    (400, "null"),
    (400, r#""""#),
    (400, "[]"),
    (400, r#"{"error":null}"#),
    (400, r#"{"error":{}}"#),
    (400, r#"{"error":{"code":"","message":""}}"#),
    (408, ""),
    (409, r#"{"error":{"code":"Conflict","message":"Words."}}"#),
    (423, r#"{"error":{"code":"Locked","message":"Words."}}"#),
    (424, ""),
    (425, ""),
];

/// What Graph refuses for now is asked for again, a creation as well as a change, and nothing fails for it.
#[tokio::test]
async fn what_graph_refuses_for_now_is_asked_for_again() {
    let app = TestApp::start().await;
    for (place, (status, body)) in FOR_NOW.into_iter().enumerate() {
        let name = format!("BK-{place}");
        let wanted = booking_with(&name, json!({"settings": {"recordAutomatically": true}}));
        for operation in [Operation::CreateOrGet, Operation::Patch] {
            app.simulator.inject(InjectedFault::on(operation, graph_says(status, body)).times(2));
        }
        let seen = app.book_and_look(&wanted).await;
        let why = (&seen["status"], &seen["lastError"]["code"], &seen["lastError"]["graph"]["status"]);
        assert_eq!(why, (&json!("pending"), &json!("graph-refused"), &json!(status)), "{seen}");
        assert!(seen["lastError"]["detail"].as_str().unwrap().ends_with("It is asked again."), "{seen}");
        app.resume_until_settled(Duration::from_secs(30)).await;
        let seen = app.booking(&name).await;
        assert_eq!((&seen["status"], &seen["attempts"]), (&json!("provisioned"), &json!(6)), "{seen}");
    }
    assert_eq!(app.simulator.meetings().len(), FOR_NOW.len());
    app.end().await;
}

/// Where Graph says when to ask again, it is asked then and not before, though the patience ends meanwhile.
#[tokio::test]
async fn what_graph_refuses_for_now_is_asked_for_when_it_says() {
    let app = TestApp::start().await;
    for (place, status) in [408, 409, 423, 424, 425].into_iter().enumerate() {
        let headers = [("Retry-After".to_owned(), "20".to_owned())].into();
        let effect = Effect::Respond { status, headers, body: String::new(), after_work: false };
        app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect));
        let name = format!("BK-{place}");
        assert_eq!(app.book_and_look(&booking(&name)).await["lastError"]["graph"]["status"], status);
        assert_eq!(app.resume_after(Duration::from_millis(19_900)).await, 0, "{status}");
        assert_eq!(app.resume_after(Duration::from_millis(2_200)).await, 1, "{status}");
        assert_eq!(app.booking(&name).await["status"], "provisioned", "{status}");
    }
    app.end().await;
}

/// What is refused for now for ten minutes fails, and says how often Graph was asked. Words about the booking are final at once.
#[tokio::test]
async fn what_graph_refuses_for_ten_minutes_fails() {
    let app = TestApp::start().await;
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, graph_says(400, "")).always());
    app.book_and_look(&booking("BK-1")).await;
    app.resume_after(Duration::from_mins(9)).await;
    assert_eq!(app.booking("BK-1").await["status"], "pending");
    app.resume_until_settled(Duration::from_mins(2)).await;
    let problem = app.book(Who::Desk, &booking("BK-1")).await.problem(422, "graph-refused");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("400 without saying why. After 3 calls in a row that failed"), "{problem}");
    assert!(!problem["remedy"].as_str().unwrap().contains("graph.code"), "{problem}");
    app.simulator.clear_faults();
    let words = r#"{"error":{"code":"BadRequest","message":"Words."}}"#;
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, graph_says(400, words)));
    app.book(Who::Desk, &booking("BK-2")).await.problem(422, "graph-refused");
    app.end().await;
}

/// A call that collided is repeated soon.
#[tokio::test]
async fn a_call_that_collided_is_repeated() {
    let app = TestApp::start().await;
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, Effect::Collision));
    app.book_and_look(&booking("BK-1")).await;
    assert_eq!(app.resume_after(Duration::from_secs(1)).await, 1);
    assert_eq!(app.booking("BK-1").await["status"], "provisioned");
    app.end().await;
}
