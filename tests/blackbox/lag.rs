//! What was made moments ago, and isn't found yet by the copy of Graph's that answers.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};
use reqwest::Method;
use serde_json::json;

use crate::support::{TestApp, Who, booking, booking_with};

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
        app.resume_after(Duration::from_mins(4)).await;
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
