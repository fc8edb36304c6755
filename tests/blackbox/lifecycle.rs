//! The life cycle of a booking: rescheduled, cancelled, booked again.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{ORGANIZER, TestApp, Who, booking, booking_with, moved_to};

const OTHER_ORGANIZER: &str = "0e5f2f6c-0000-4000-8000-000000000001";

/// New: 201. The same: 200, without a call. Changed: the meeting changes, and keeps its id and its link.
#[tokio::test]
async fn a_rescheduled_booking_keeps_its_link() {
    let app = TestApp::start().await;
    let first = app.declare(&booking("BK-1")).await.expect(201).json();
    app.declare(&booking("BK-1")).await.expect(200);
    assert_eq!(app.simulator.counts().arrived(Operation::Patch), 0);
    let second = app.declare(&booking_with("BK-1", moved_to("02"))).await.expect(200).json();
    assert_eq!((&second["status"], &second["generation"]), (&json!("provisioned"), &json!(1)));
    for member in ["id", "joinWebUrl", "provisionedAt"] {
        assert_eq!(second["meeting"][member], first["meeting"][member]);
    }
    let patch = app.simulator.calls(Operation::Patch).remove(0).json_body().unwrap();
    assert_eq!(patch.as_object().unwrap().keys().collect::<Vec<_>>(), ["endDateTime", "startDateTime"]);
    assert!(app.live_meetings()[0]["startDateTime"].as_str().unwrap().starts_with("2026-12-02T09:00:00"));
    assert_eq!(
        app.history("BK-1").await,
        ["booking.accepted", "meeting.created", "booking.changed", "meeting.changed"]
    );
    app.end().await;
}

/// What Graph doesn't hold is changed without a call to Graph.
#[tokio::test]
async fn metadata_changes_without_a_call() {
    let app = TestApp::start().await;
    app.declare(&booking("BK-1")).await.expect(201);
    let body = app.declare(&booking_with("BK-1", json!({"metadata": {"a": "b"}}))).await.expect(200).json();
    assert_eq!((&body["metadata"], &body["status"]), (&json!({"a": "b"}), &json!("provisioned")));
    assert_eq!(app.simulator.counts().arrived(Operation::Patch), 0);
    app.end().await;
}

/// `If-Match`: a caller changes nothing that it hasn't seen (optimistic concurrency).
#[tokio::test]
async fn if_match_is_enforced() {
    let app = TestApp::start().await;
    let etag = app.declare(&booking("BK-1")).await.expect(201).header("etag").unwrap().to_owned();
    let change = booking_with("BK-1", moved_to("02"));
    let problem = app.declare_if("\"1.99\"", &change).await.problem(412, "revision-mismatch");
    assert_eq!(problem["booking"]["startDateTime"], "2026-12-01T09:00:00Z");
    app.declare_if(&etag, &change).await.expect(200);
    app.declare_if(&etag, &booking_with("BK-1", moved_to("03"))).await.problem(412, "revision-mismatch");
    app.delete("BK-1", &[("If-Match", &etag)]).await.problem(412, "revision-mismatch");
    app.declare_if("nonsense", &change).await.problem(400, "invalid-request");
    app.declare_if("*", &booking("BK-2")).await.problem(412, "revision-mismatch");
    app.delete("BK-2", &[("If-Match", "*")]).await.problem(412, "revision-mismatch");
    app.delete("BK-2", &[("If-None-Match", "*")]).await.problem(404, "not-found");
    app.end().await;
}

/// `If-None-Match`: a caller creates only what is not there, and changes or cancels only another version than it names.
#[tokio::test]
async fn if_none_match_is_enforced() {
    let app = TestApp::start().await;
    let first = app.put("BK-1", &booking("BK-1"), &[("If-None-Match", "*")]).await.expect(201);
    let etag = first.header("etag").unwrap().to_owned();
    let change = booking_with("BK-1", moved_to("02"));
    for condition in ["*", &etag, &format!("W/{etag}"), &format!("\"9.9\", {etag}")] {
        let refused = app.put("BK-1", &change, &[("If-None-Match", condition)]).await;
        assert_eq!(refused.header("etag"), Some(etag.as_str()), "{condition}");
        refused.problem(412, "revision-mismatch");
        app.delete("BK-1", &[("If-None-Match", condition)]).await.problem(412, "revision-mismatch");
    }
    app.put("BK-1", &change, &[("If-None-Match", "1.2")]).await.problem(400, "invalid-request");
    let both = [("If-Match", etag.as_str()), ("If-None-Match", "*")];
    app.put("BK-1", &change, &both).await.problem(412, "revision-mismatch");
    app.put("BK-1", &change, &[("If-None-Match", "\"9.9\"")]).await.expect(200);
    app.delete("BK-1", &[]).await.expect(200);
    let again = app.put("BK-1", &change, &[("If-None-Match", "*")]).await;
    again.problem(412, "revision-mismatch");
    app.end().await;
}

/// A proxy that compresses makes our tags weak: they name the same version all the same.
#[tokio::test]
async fn a_tag_made_weak_still_matches() {
    let app = TestApp::start().await;
    let etag = app.declare(&booking("BK-1")).await.expect(201).header("etag").unwrap().to_owned();
    app.declare_if(&format!("W/{etag}"), &booking_with("BK-1", moved_to("02"))).await.expect(200);
    let late = app.declare_if(&format!("W/{etag}"), &booking_with("BK-1", moved_to("03"))).await;
    let current = late.header("etag").unwrap().to_owned();
    late.problem(412, "revision-mismatch");
    app.delete("BK-1", &[("If-Match", &format!("\"9.9\", W/{current}"))]).await.expect(200);
    app.end().await;
}

/// The id stands in the path; a body that names another one is refused.
#[tokio::test]
async fn the_path_names_the_booking() {
    let app = TestApp::start().await;
    let mut body = booking("BK-1");
    body.as_object_mut().unwrap().remove("bookingId");
    app.put("BK-1", &body, &[]).await.expect(201);
    let problem = app.put("BK-1", &booking("BK-2"), &[]).await.problem(422, "invalid-booking");
    assert_eq!(problem["errors"][0]["pointer"], "/bookingId");
    app.end().await;
}

/// Another organizer is another meeting: refused, unless the caller asks for it. Then the new meeting comes first and
/// the old one is removed after it, both in the history.
#[tokio::test]
async fn the_organizer_changes_only_on_request() {
    let app = TestApp::start().await;
    app.declare(&booking("BK-1")).await.expect(201);
    let other = booking_with("BK-1", json!({"organizer": OTHER_ORGANIZER}));
    let problem = app.declare(&other).await.problem(409, "organizer-immutable");
    assert_eq!(problem["differences"][0]["field"], "organizer");
    let body = app.put("BK-1?organizerChange=replace", &other, &[]).await.expect(201).json();
    assert_eq!((&body["generation"], &body["organizer"]["userId"]), (&json!(2), &json!(OTHER_ORGANIZER)));
    app.resume_after(Duration::ZERO).await;
    let meetings = app.simulator.meetings();
    assert_eq!(meetings.len(), 2);
    assert!(meetings[0].deleted_at.is_some() && meetings[1].deleted_at.is_none());
    let old = app.get(Who::Desk, "/v1/bookings/BK-1?generation=1").await.expect(200).json();
    assert_eq!((&old["status"], &old["organizer"]["userId"]), (&json!("cancelled"), &json!(ORGANIZER)));
    assert_eq!(
        app.history("BK-1").await,
        [
            "booking.accepted",
            "meeting.created",
            "booking.accepted",
            "meeting.created",
            "booking.cancelled",
            "meeting.changed",
            "meeting.removed"
        ]
    );
    app.end().await;
}

/// Cancelled: the lobby is closed, then the meeting is removed; again is harmless; the caller is told of old links.
#[tokio::test]
async fn a_cancelled_booking_loses_its_meeting() {
    let app = TestApp::start().await;
    app.declare(&booking("BK-1")).await.expect(201);
    let body = app.delete("BK-1", &[]).await.expect(200).json();
    assert_eq!((&body["status"], &body["meeting"]), (&json!("cancelled"), &Value::Null));
    assert!(
        body["notice"].as_str().unwrap().contains("old link")
            || body["notice"].as_str().unwrap().contains("join link")
    );
    let patch = app.simulator.calls(Operation::Patch).remove(0).json_body().unwrap();
    assert_eq!(patch, json!({"lobbyBypassSettings": {"scope": "organizer"}}));
    assert_eq!(app.live_meetings().len(), 0);
    app.delete("BK-1", &[]).await.expect(200);
    assert_eq!(app.simulator.counts().arrived(Operation::Delete), 1);
    app.book(Who::Desk, &booking("BK-1")).await.problem(409, "booking-cancelled");
    app.delete("BK-2", &[]).await.problem(404, "not-found");
    assert_eq!(
        app.history("BK-1").await,
        ["booking.accepted", "meeting.created", "booking.cancelled", "meeting.changed", "meeting.removed"]
    );
    app.end().await;
}

/// The organizer has removed the meeting already: the cancel succeeds all the same.
#[tokio::test]
async fn a_meeting_that_is_gone_counts_as_removed() {
    let app = TestApp::start().await;
    app.declare(&booking("BK-1")).await.expect(201);
    app.clock.advance(Duration::from_mins(5));
    let missing =
        json!({"error": {"code": "NotFound", "message": "The meeting does not exist."}}).to_string();
    let effect = Effect::Respond { status: 404, headers: [].into(), body: missing, after_work: false };
    app.simulator.inject(InjectedFault::on(Operation::Patch, effect));
    assert_eq!(app.delete("BK-1", &[]).await.expect(200).json()["status"], "cancelled");
    app.end().await;
}

/// Cancelled while the outcome of the creation is unknown: that is found out first, so that no orphan stays.
#[tokio::test]
async fn a_cancel_first_resolves_an_unknown_outcome() {
    let app = TestApp::start().await;
    app.simulator.inject(InjectedFault::on(
        Operation::CreateOrGet,
        Effect::FailedAfterWork { status: 503, retry_after: None },
    ));
    app.book_and_look(&booking("BK-1")).await;
    assert_eq!(app.live_meetings().len(), 1);
    assert_eq!(app.delete("BK-1", &[]).await.expect(200).json()["status"], "cancelled");
    assert_eq!((app.simulator.meetings().len(), app.live_meetings().len()), (1, 0));
    app.end().await;
}

/// Cancelled before Graph was ever called: there is nothing to remove.
#[tokio::test]
async fn a_cancel_before_any_call_makes_no_call() {
    let app = TestApp::start().await;
    app.simulator
        .inject(InjectedFault::on(Operation::Token, Effect::TokenRefused { code: 7_000_222 }).always());
    app.book_and_look(&booking("BK-1")).await;
    assert_eq!(app.delete("BK-1", &[]).await.expect(200).json()["status"], "cancelled");
    assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), 0);
    app.end().await;
}

/// A change and a cancel that arrive while the creation is under way: the latest request wins.
#[tokio::test]
async fn the_latest_request_wins_over_a_call_under_way() {
    for (cancels, expected) in [(false, "provisioned"), (true, "cancelled")] {
        let app = TestApp::start().await;
        app.simulator
            .inject(InjectedFault::on(Operation::CreateOrGet, Effect::SlowAfterWork { milliseconds: 400 }));
        app.book_preferring(Who::Desk, "respond-async", &booking("BK-1")).await.expect(202);
        let arrived = app.simulator.wait_for_call(Duration::from_secs(10), |call| {
            call.operation == Operation::CreateOrGet && call.work_done
        });
        arrived.await.unwrap();
        for day in ["02", "03", "04"] {
            let body = booking_with("BK-1", moved_to(day));
            app.put("BK-1", &body, &[("Prefer", "respond-async")]).await.expect(202);
        }
        if cancels {
            app.delete("BK-1", &[("Prefer", "respond-async")]).await.expect(202);
        }
        app.idle().await;
        let body = app.booking("BK-1").await;
        assert_eq!(
            (&body["status"], &body["startDateTime"]),
            (&json!(expected), &json!("2026-12-04T09:00:00Z"))
        );
        let live = app.live_meetings();
        assert_eq!((app.simulator.meetings().len(), live.len()), (1, usize::from(!cancels)));
        assert_eq!(
            app.simulator.counts().arrived(Operation::Patch),
            1,
            "three changes collapse into the latest"
        );
        assert!(
            live.iter().all(|meeting| meeting["startDateTime"].as_str().unwrap().starts_with("2026-12-04"))
        );
        app.end().await;
    }
}

/// Booked again after a cancel: a generation with a meeting, an externalId and a link of its own; all stay readable.
#[tokio::test]
async fn a_cancelled_booking_is_booked_again() {
    let app = TestApp::start().await;
    let body = json!({"bookingId": "BK-1001"});
    let first = app.declare(&booking_with("BK-1001", body.clone())).await.expect(201).json();
    app.delete("BK-1001", &[]).await.expect(200);
    let second = app.declare(&booking_with("BK-1001", body)).await.expect(201).json();
    assert_eq!(second["externalId"], "81282243-04bf-5031-a257-1a0bffe55f6a", "the published vector");
    assert_eq!(second["generation"], 2);
    assert_ne!(second["meeting"]["joinWebUrl"], first["meeting"]["joinWebUrl"]);
    assert_eq!(app.live_meetings().len(), 1);
    let old = app.get(Who::Desk, "/v1/bookings/BK-1001?generation=1").await.expect(200).json();
    assert_eq!((&old["status"], &old["externalId"]), (&json!("cancelled"), &first["externalId"]));
    let generations: Vec<Value> =
        app.history_items("BK-1001").await.iter().map(|event| event["generation"].clone()).collect();
    assert_eq!(generations, [1, 1, 1, 1, 1, 2, 2]);
    app.end().await;
}

/// Each step of a change and of a cancel, with its answer lost: the call is repeated, and the outcome is the same.
#[tokio::test]
async fn lost_answers_do_not_change_the_outcome() {
    for (operation, cancels) in
        [(Operation::Patch, false), (Operation::Patch, true), (Operation::Delete, true)]
    {
        for effect in [
            Effect::AnswerLost,
            Effect::ConnectionReset,
            Effect::FailedAfterWork { status: 503, retry_after: None },
        ] {
            let app = TestApp::start().await;
            app.declare(&booking("BK-1")).await.expect(201);
            app.simulator.inject(InjectedFault::on(operation, effect.clone()));
            if cancels {
                app.delete("BK-1", &[("Prefer", "respond-async")]).await;
            } else {
                app.put("BK-1", &booking_with("BK-1", moved_to("02")), &[("Prefer", "respond-async")]).await;
            }
            app.idle().await;
            assert_eq!(app.resume_after(Duration::from_secs(5)).await, 1, "{operation:?} {effect:?}");
            // After a 503 nothing says that the removal was carried out, so that a young meeting is looked for.
            app.resume_until_settled(Duration::from_secs(30)).await;
            let live = app.live_meetings();
            let body = app.booking("BK-1").await;
            if cancels {
                assert_eq!(
                    (body["status"].as_str(), live.len()),
                    (Some("cancelled"), 0),
                    "{operation:?} {effect:?}"
                );
            } else {
                assert_eq!(
                    (body["status"].as_str(), live.len()),
                    (Some("provisioned"), 1),
                    "{operation:?} {effect:?}"
                );
                assert!(live[0]["startDateTime"].as_str().unwrap().starts_with("2026-12-02"));
            }
            app.end().await;
        }
    }
}

/// A caller of another system or without the right to write can't cancel it.
#[tokio::test]
async fn only_the_owner_cancels_a_booking() {
    let app = TestApp::start().await;
    app.declare(&booking("BK-1")).await.expect(201);
    for (who, status) in
        [(Who::Screen, 403), (Who::Auditor, 403), (Who::Operator, 403), (Who::OtherSystem, 404)]
    {
        let request = app.request(who, Method::DELETE, "/v1/bookings/BK-1");
        assert_eq!(request.send().await.unwrap().status(), status, "{who:?}");
    }
    assert_eq!(app.live_meetings().len(), 1);
    app.end().await;
}
