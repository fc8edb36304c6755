//! What was made moments ago, and isn't found yet by the copy of Graph's that answers.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation, OrganizerState};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::process::Process;
use crate::support::{ApiResponse, ORGANIZER, TestApp, Who, booking, booking_with};

const IN_TIME: Duration = Duration::from_secs(20);

/// Graph's own 404, with this code.
fn missing(code: &str) -> Effect {
    let body = json!({"error": {"code": code, "message": "Words."}}).to_string();
    Effect::Respond { status: 404, headers: [].into(), body, after_work: false }
}

async fn cancel(app: &TestApp, booking_id: &str) {
    let path = format!("/v1/bookings/{booking_id}");
    let request = app.request(Who::Desk, Method::DELETE, &path).header("Prefer", "respond-async, wait=0");
    assert_eq!(request.send().await.unwrap().status(), 202);
    app.idle().await;
}

/// A meeting that Graph made moments ago and doesn't find yet keeps its link: the change is asked for again, and a cancel
/// removes it. One that stays missing fails as one that was removed.
#[tokio::test]
async fn a_meeting_made_moments_ago_is_not_taken_for_removed() {
    let app = TestApp::start().await;
    let not_found = || InjectedFault::on(Operation::Patch, missing("NotFound"));
    let wanted = booking_with("BK-1", json!({"settings": {"recordAutomatically": true}}));
    app.simulator.inject(not_found());
    let seen = app.book_and_look(&wanted).await;
    assert_eq!((&seen["status"], &seen["lastError"]["graph"]["status"]), (&json!("pending"), &json!(404)));
    app.resume_after(Duration::from_secs(1)).await;
    assert_eq!(app.booking("BK-1").await["status"], "provisioned");

    app.simulator.inject(not_found());
    app.request(Who::Desk, reqwest::Method::DELETE, "/v1/bookings/BK-1")
        .header("Prefer", "respond-async, wait=0")
        .send()
        .await
        .unwrap();
    app.resume_until_settled(Duration::from_secs(1)).await;
    assert_eq!(
        (app.booking("BK-1").await["status"].as_str(), app.live_meetings().len()),
        (Some("cancelled"), 0)
    );

    app.simulator.inject(not_found().always());
    let wanted = booking_with("BK-2", json!({"settings": {"recordAutomatically": true}}));
    app.book_and_look(&wanted).await;
    app.resume_until_settled(Duration::from_secs(30)).await;
    app.book(Who::Desk, &wanted).await.problem(422, "graph-refused");
    app.end().await;
}

/// Graph finds nothing to remove: of a meeting made moments ago a copy may say so that lags, so the removal is asked for again,
/// and the meeting is gone in the end. One that stays missing counts as removed five minutes after it was made, an older one at
/// once; neither cancel fails, whether Graph misses the meeting or its organizer.
#[tokio::test]
async fn a_removal_that_finds_nothing_is_asked_for_again_while_the_meeting_is_young() {
    for code in ["NotFound", "UnknownError", "Request_ResourceNotFound", "UserNotFound"] {
        let app = TestApp::start().await;
        let not_found = || InjectedFault::on(Operation::Delete, missing(code));
        app.book(Who::Desk, &booking("LAGS")).await.expect(201);
        app.simulator.inject(not_found().times(2));
        cancel(&app, "LAGS").await;
        let seen = app.booking("LAGS").await;
        assert_eq!((&seen["status"], app.live_meetings().len()), (&json!("cancelling"), 1), "{code}: {seen}");
        app.resume_until_settled(Duration::from_secs(5)).await;
        assert_eq!(
            (&app.booking("LAGS").await["status"], app.live_meetings().len()),
            (&json!("cancelled"), 0)
        );

        app.simulator.inject(not_found().always());
        app.book(Who::Desk, &booking("YOUNG")).await.expect(201);
        cancel(&app, "YOUNG").await;
        app.resume_after(Duration::from_secs(20)).await;
        app.idle().await;
        assert_eq!(app.booking("YOUNG").await["status"], "cancelling");
        app.resume_until_settled(Duration::from_secs(30)).await;
        app.book(Who::Desk, &booking("OLD")).await.expect(201);
        app.clock.advance(Duration::from_mins(5));
        app.delete("OLD", &[]).await.expect(200);
        for name in ["YOUNG", "OLD"] {
            let seen = app.booking(name).await;
            assert_eq!((&seen["status"], &seen["lastError"]), (&json!("cancelled"), &json!(null)), "{code}");
            let last = app.history_items(name).await.pop().unwrap();
            assert_eq!((&last["type"], &last["outcome"]), (&json!("meeting.removed"), &json!("gone")));
            assert_eq!(last["details"]["graph"]["status"], 404);
        }
        app.end().await;
    }
}

async fn waited_for(process: &Process, method: Method, path: &str, body: Option<&Value>) -> ApiResponse {
    let request = process.request(Who::Desk, method, path).header("Prefer", "wait=20");
    let request = if let Some(body) = body { request.json(body) } else { request };
    ApiResponse::read(request.send().await.unwrap()).await
}

/// By real time: a user who appears after Graph was asked twice gets the meeting by itself, by name and by object id, and the
/// request that waits is answered with it. A booking that failed before, for the user was a guest, gets its meeting, too.
#[tokio::test]
async fn by_real_time_a_user_who_appears_gets_the_meeting() {
    let id = Uuid::parse_str(ORGANIZER).unwrap();
    for (organizer, asked) in [("olga@contoso.com", Operation::User), (ORGANIZER, Operation::CreateOrGet)] {
        let app = TestApp::builder().at_real_time().start().await;
        let process = Process::serve(app.environment()).await;
        app.simulator.declare(id, OrganizerState::Refused, Some("olga@contoso.com"));
        waited_for(&process, Method::POST, "/v1/bookings", Some(&booking("GUEST"))).await.expect(422);
        app.simulator.declare(id, OrganizerState::Unknown, None);
        let before = app.simulator.counts().arrived(asked);
        let body = booking_with("BK-1", json!({"organizer": organizer}));
        let appears = async {
            let asked_twice =
                app.simulator.wait_for_counts(IN_TIME, |counts| counts.arrived(asked) >= before + 2);
            asked_twice.await.unwrap();
            app.simulator.permit(id);
        };
        let booked = waited_for(&process, Method::POST, "/v1/bookings", Some(&body));
        let (booked, ()) = tokio::join!(booked, appears);
        assert_eq!(booked.expect(201).json()["organizer"]["userId"], ORGANIZER);
        let freed = waited_for(&process, Method::GET, "/v1/bookings/GUEST", None).await.expect(200).json();
        assert_eq!(freed["status"], "provisioned", "{freed}");
        assert_eq!(app.simulator.meetings().len(), 2, "{organizer}");
        process.kill().await;
        app.end().await;
    }
}

/// By real time: a meeting made moments ago that isn't found for its change and its removal, and what is refused for now, with and
/// without a time, end as they should while their callers wait.
#[tokio::test]
async fn by_real_time_what_passes_is_asked_for_again() {
    let app = TestApp::builder().at_real_time().start().await;
    let process = Process::serve(app.environment()).await;
    let says = |status, retry_after: Option<&str>| Effect::Respond {
        status,
        headers: retry_after.map(|wait| ("Retry-After".to_owned(), wait.to_owned())).into_iter().collect(),
        body: String::new(),
        after_work: false,
    };
    for (name, effect) in [
        ("NOT-FOUND", Effect::NotFound),
        ("LOCKED", says(423, Some("1"))),
        ("TOO-EARLY", says(425, None)),
        ("WITHOUT-A-WORD", says(400, None)),
    ] {
        for operation in [Operation::CreateOrGet, Operation::Patch, Operation::Delete] {
            app.simulator.inject(InjectedFault::on(operation, effect.clone()));
        }
        let body = booking_with(name, json!({"settings": {"recordAutomatically": true}}));
        waited_for(&process, Method::POST, "/v1/bookings", Some(&body)).await.expect(201);
        let path = format!("/v1/bookings/{name}");
        let cancelled = waited_for(&process, Method::DELETE, &path, None).await.expect(200).json();
        assert_eq!((&cancelled["status"], app.live_meetings().len()), (&json!("cancelled"), 0), "{name}");
    }
    assert_eq!(app.simulator.meetings().len(), 4);
    process.kill().await;
    app.end().await;
}
