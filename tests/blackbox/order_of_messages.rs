//! Messages about a booking that overtake each other: `sequence` decides which counts, and where it doesn't `dtstamp`.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation, OrganizerState};
use serde_json::json;

use crate::support::{ApiResponse, TestApp, Who, booking, booking_with, moved_to};

/// A late message changes nothing: a lower sequence is refused. With an equal one the last writer counts, as iCalendar raises
/// it for a new time only; but it doesn't bring a cancelled meeting back.
#[tokio::test]
async fn a_late_message_changes_nothing() {
    let app = TestApp::start().await;
    let with = |sequence: u32, day: &str| {
        let mut body = booking_with("BK-1", moved_to(day));
        body["sequence"] = json!(sequence);
        body
    };
    app.declare(&with(1, "01")).await.expect(201);
    app.declare(&with(3, "03")).await.expect(200);
    let problem = app.declare(&with(2, "02")).await.problem(409, "stale-sequence");
    assert_eq!(problem["booking"]["sequence"], 3);
    assert!(problem["detail"].as_str().unwrap().contains("has sequence 3; this message has sequence 2"));
    app.declare(&with(3, "03")).await.expect(200);
    app.declare(&with(3, "04")).await.expect(200);
    assert_eq!(app.booking("BK-1").await["startDateTime"], "2026-12-04T09:00:00Z");
    app.delete("BK-1?sequence=2", &[]).await.problem(409, "stale-sequence");
    app.delete("BK-1?sequence=3", &[]).await.expect(200);
    app.declare(&with(3, "03")).await.problem(409, "stale-sequence");
    assert_eq!(app.declare(&with(4, "05")).await.expect(201).json()["generation"], 2);
    app.end().await;
}

/// A cancel of a booking that is cancelled already keeps its sequence: an older rebooking can't undo it, and is told so.
#[tokio::test]
async fn a_later_cancel_is_not_undone_by_an_older_rebooking() {
    let app = TestApp::start().await;
    let with = |sequence: u32| booking_with("BK-1", json!({"sequence": sequence}));
    app.book(Who::Desk, &with(0)).await.expect(201);
    app.delete("BK-1?sequence=1", &[]).await.expect(200);
    let before = app.delete("BK-1?sequence=1", &[]).await.expect(200);
    let after = app.delete("BK-1?sequence=3", &[]).await.expect(200);
    assert_eq!((&after.json()["sequence"], &after.json()["status"]), (&json!(3), &json!("cancelled")));
    assert_ne!(before.header("etag"), after.header("etag"));
    let problem = app.declare(&with(2)).await.problem(409, "stale-sequence");
    assert_eq!((&problem["booking"]["sequence"], &problem["booking"]["generation"]), (&json!(3), &json!(1)));
    app.book(Who::Desk, &with(2)).await.problem(409, "stale-sequence");
    app.delete("BK-1?sequence=2", &[]).await.problem(409, "stale-sequence");
    assert_eq!((app.live_meetings().len(), app.simulator.counts().arrived(Operation::Delete)), (0, 1));
    assert_eq!(
        app.history("BK-1").await,
        [
            "booking.accepted",
            "meeting.created",
            "booking.cancelled",
            "meeting.changed",
            "meeting.removed",
            "booking.changed"
        ]
    );
    let rebooked = app.declare(&with(4)).await.expect(201).json();
    assert_eq!((&rebooked["generation"], &rebooked["status"]), (&json!(2), &json!("provisioned")));
    app.end().await;
}

/// A later cancel that comes while the meeting is being removed lets the removal go on.
#[tokio::test]
async fn a_later_cancel_lets_the_removal_go_on() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    app.simulator.inject(InjectedFault::on(Operation::Delete, Effect::SlowAfterWork { milliseconds: 400 }));
    app.delete("BK-1?sequence=1", &[("Prefer", "respond-async")]).await.expect(202);
    let arrived = app
        .simulator
        .wait_for_call(Duration::from_secs(10), |call| call.operation == Operation::Delete && call.work_done);
    arrived.await.unwrap();
    app.delete("BK-1?sequence=3", &[("Prefer", "respond-async")]).await;
    app.idle().await;
    while app.resume_after(Duration::from_secs(1)).await > 0 {}
    let body = app.booking("BK-1").await;
    assert_eq!((&body["status"], &body["sequence"]), (&json!("cancelled"), &json!(3)));
    assert_eq!(app.live_meetings().len(), 0);
    app.end().await;
}

/// With an equal sequence, and without one, the later time stamp counts: on each call, also on a cancelled booking. The highest
/// pair that was sent is kept and shown, with each event too.
#[tokio::test]
async fn time_stamps_decide_where_sequences_do_not() {
    let app = TestApp::start().await;
    let with = |minute: u32, day: &str| {
        let mut body = booking_with("BK-1", moved_to(day));
        body["sequence"] = json!(3);
        body["dtstamp"] = json!(format!("2026-11-23T10:{minute:02}:00+01:00"));
        body
    };
    app.book(Who::Desk, &with(10, "01")).await.expect(201);
    assert_eq!(app.booking("BK-1").await["dtstamp"], "2026-11-23T09:10:00Z");
    app.declare(&with(30, "03")).await.expect(200);
    let problem = app.declare(&with(20, "02")).await.problem(409, "stale-sequence");
    assert_eq!(problem["booking"]["dtstamp"], "2026-11-23T09:30:00Z");
    assert!(problem["detail"].as_str().unwrap().contains("By its dtstamp it is older"), "{problem}");
    app.book(Who::Desk, &with(10, "01")).await.problem(409, "stale-sequence");
    app.book(Who::Desk, &with(40, "04")).await.problem(409, "booking-differs");
    // The same content again is a repetition, and its newer stamp is kept.
    let replayed = app.book(Who::Desk, &with(40, "03")).await.expect(200);
    assert_eq!(
        (replayed.header("idempotent-replayed"), &replayed.json()["dtstamp"]),
        (Some("true"), &json!("2026-11-23T09:40:00Z"))
    );
    app.declare(&with(35, "05")).await.problem(409, "stale-sequence");
    app.declare(&with(40, "03")).await.expect(200);
    let stamp = |minute: u32| format!("BK-1?sequence=3&dtstamp=2026-11-23T10:{minute:02}:00%2B01:00");
    app.delete(&stamp(39), &[]).await.problem(409, "stale-sequence");
    app.delete("BK-1?dtstamp=2026-11-23T09:50:00Z", &[]).await.expect(200);
    app.delete(&stamp(50), &[]).await.expect(200);
    app.declare(&with(50, "06")).await.problem(409, "stale-sequence");
    app.delete(&stamp(55), &[]).await.expect(200);
    app.declare(&with(54, "06")).await.problem(409, "stale-sequence");
    let rebooked = app.declare(&with(56, "06")).await.expect(201).json();
    assert_eq!((&rebooked["generation"], &rebooked["dtstamp"]), (&json!(2), &json!("2026-11-23T09:56:00Z")));
    let events = app.history_items("BK-1").await;
    let told: Vec<_> = events
        .iter()
        .filter(|event| event["type"].as_str().unwrap().starts_with("booking."))
        .map(|event| {
            let details = &event["details"];
            let stamp = details["requested"]["dtstamp"].as_str().or(details["dtstamp"].as_str());
            (event["type"].as_str().unwrap(), stamp.map(|stamp| &stamp[14..16]))
        })
        .collect();
    assert_eq!(
        told,
        [
            ("booking.accepted", Some("10")),
            ("booking.changed", Some("30")),
            ("booking.changed", Some("40")),
            ("booking.cancelled", Some("50")),
            ("booking.changed", Some("55")),
            ("booking.accepted", Some("56")),
        ]
    );
    app.end().await;
}

/// A create that is sent again with a newer stamp of a failed booking is told why it failed, and asks nothing of Graph.
#[tokio::test]
async fn a_newer_stamp_alone_does_not_retry_what_failed() {
    let app = TestApp::start().await;
    let organizer = uuid::Uuid::from_u128(77);
    app.simulator.declare(organizer, OrganizerState::Unknown, None);
    let with = |minute: u32| {
        let stamp = format!("2026-11-23T10:{minute:02}:00Z");
        booking_with("BK-1", json!({"organizer": organizer, "dtstamp": stamp}))
    };
    app.book_and_look(&with(1)).await;
    app.resume_until_settled(Duration::from_mins(1)).await;
    app.book(Who::Desk, &with(1)).await.problem(422, "organizer-not-found");
    let calls = app.simulator.ledger().calls.len();
    let problem = app.book(Who::Desk, &with(2)).await.problem(422, "organizer-not-found");
    assert_eq!(problem["booking"]["dtstamp"], "2026-11-23T10:02:00Z");
    assert_eq!(app.simulator.ledger().calls.len(), calls);
    app.end().await;
}

/// A create that comes after a change is late, not in conflict: also where the booking was cancelled since.
#[tokio::test]
async fn a_late_create_is_told_that_it_is_late() {
    let app = TestApp::start().await;
    let with = |sequence: u32, day: &str| {
        let mut body = booking_with("BK-1", moved_to(day));
        body["sequence"] = json!(sequence);
        body
    };
    app.declare(&with(2, "02")).await.expect(201);
    let problem = app.book(Who::Desk, &with(0, "01")).await.problem(409, "stale-sequence");
    assert_eq!(problem["booking"]["sequence"], 2);
    app.book(Who::Desk, &with(2, "02")).await.expect(200);
    app.book(Who::Desk, &with(2, "03")).await.problem(409, "booking-differs");
    app.book(Who::Desk, &with(3, "03")).await.problem(409, "booking-differs");
    app.delete("BK-1?sequence=3", &[]).await.expect(200);
    app.book(Who::Desk, &with(2, "02")).await.problem(409, "stale-sequence");
    app.book(Who::Desk, &with(3, "03")).await.problem(409, "booking-cancelled");
    // What is booked again without a sequence keeps the one before.
    app.declare(&booking("BK-1")).await.expect(201);
    assert_eq!(app.booking("BK-1").await["sequence"], 3);
    app.declare(&with(2, "02")).await.problem(409, "stale-sequence");
    app.end().await;
}

/// A storm on two replicas: reschedules with rising sequences in any order, with a cancel and a rebooking among them.
/// It ends in what the highest sequence said, with one meeting for it and none for a cancelled generation.
#[tokio::test]
async fn requests_in_any_order_end_in_the_highest_sequence() {
    for last_is_cancel in [false, true] {
        let app = TestApp::start().await;
        let other = app.another_replica().await;
        app.simulator.inject(
            InjectedFault::on(Operation::Patch, Effect::SlowBeforeWork { milliseconds: 20 })
                .with_probability(0.5),
        );
        let sequences: Vec<u32> = (0..24).map(|n| (n * 7) % 24).collect();
        let storm = sequences.iter().map(|sequence| {
            let app = if sequence % 2 == 0 { &app } else { &other };
            let mut body = booking_with("BK-1", moved_to(&format!("{:02}", sequence % 24 + 1)));
            body["sequence"] = json!(sequence);
            async move {
                let is_cancel = *sequence == 12 || (last_is_cancel && *sequence == 23);
                if is_cancel {
                    app.delete(&format!("BK-1?sequence={sequence}"), &[]).await
                } else {
                    app.put("BK-1", &body, &[]).await
                }
            }
        });
        let answers: Vec<ApiResponse> = futures_util::future::join_all(storm).await;
        let known = [200, 201, 202, 404, 409];
        assert!(answers.iter().all(|answer| known.contains(&answer.status)), "{answers:?}");
        // A caller whose change arrived before its booking, or whose booking was cancelled in between, sends it again.
        let mut last = booking_with("BK-1", moved_to("24"));
        last["sequence"] = json!(23);
        if last_is_cancel {
            app.delete("BK-1?sequence=23", &[]).await;
        } else {
            app.put("BK-1", &last, &[]).await;
        }
        app.idle().await;
        other.idle().await;
        while app.resume_after(Duration::from_secs(1)).await > 0 {}
        let body = app.booking("BK-1").await;
        let live = app.live_meetings();
        if last_is_cancel {
            assert_eq!((body["status"].as_str(), live.len()), (Some("cancelled"), 0), "{body}");
        } else {
            assert_eq!(
                (body["status"].as_str(), body["sequence"].as_u64()),
                (Some("provisioned"), Some(23)),
                "{body}"
            );
            assert_eq!(live.len(), 1);
            assert!(live[0]["startDateTime"].as_str().unwrap().starts_with("2026-12-24"), "{}", live[0]);
        }
        other.end().await;
        app.end().await;
    }
}
