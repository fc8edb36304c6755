//! Requests that wait for what another replica works on: they are notified when it is settled.
//!
//! The poll is a minute away in most of these tests, and a request waits for half of that at most: a request that is
//! answered in time was notified. How soon, the benchmark `waiting` measures.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{CallEntry, Effect, InjectedFault, Operation};
use serde_json::json;

use crate::support::process::Process;
use crate::support::{ApiResponse, TestApp, Who, booking, booking_with, one_created_and_the_others_replayed};

/// Only the first poll is made while a request waits.
const NO_POLLS: [(&str, &str); 2] = [("WORKER__POLL_SECONDS", "60"), ("HTTP__WAIT_MAX_SECONDS", "30")];
const IN_TIME: Duration = Duration::from_secs(20);
const SENT: &str = "meeting_provisioner_notices_total{notice=\"settled\",direction=\"told\"}";
const HEARD: &str = "meeting_provisioner_notices_total{notice=\"settled\",direction=\"heard\"}";
const AWAITED: &str = "meeting_provisioner_notices_total{notice=\"awaited\",direction=\"heard\"}";

/// Two replicas that listen, on a Graph that takes its time for one call.
async fn two_replicas(settings: &[(&str, &str)], operation: Operation) -> (TestApp, TestApp) {
    let app = TestApp::builder().settings(settings).start().await;
    let other = app.another_replica().await;
    app.simulator.inject(InjectedFault::on(operation, Effect::SlowBeforeWork { milliseconds: 1_500 }));
    (app, other)
}

/// Sends the same booking to both replicas: the second request waits for the first one's call.
async fn booked_by_both(app: &TestApp, other: &TestApp, booking_id: &str) -> (ApiResponse, ApiResponse) {
    let body = booking(booking_id);
    let first = app.book_preferring(Who::Desk, "wait=30", &body);
    let second = async {
        app.simulator
            .wait_for_call(IN_TIME, |call| call.operation == Operation::CreateOrGet && !call.work_done)
            .await
            .unwrap();
        other.book_preferring(Who::Desk, "wait=30", &body).await
    };
    in_time(async { tokio::join!(first, second) }).await
}

/// A notified request is answered long before its wait ends, when it would poll once more.
async fn in_time<T>(answers: impl Future<Output = T>) -> T {
    tokio::time::timeout(IN_TIME, answers).await.expect("a waiting request was not notified")
}

/// The second request is answered because the replica that did the work notified it, and for no other reason.
#[tokio::test]
async fn a_request_at_another_replica_is_notified() {
    let (app, other) = two_replicas(&NO_POLLS, Operation::CreateOrGet).await;
    tokio::join!(app.until_listening(), other.until_listening());
    let (first, second) = booked_by_both(&app, &other, "BK-1").await;
    let (first, second) = (first.expect(201).json(), second.expect(200).json());
    assert_eq!(first["meeting"]["joinWebUrl"], second["meeting"]["joinWebUrl"]);
    assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), 1);
    assert!(app.metric(SENT).await >= 1.0);
    assert!(other.metric(HEARD).await >= 1.0);
    other.end().await;
    app.end().await;
}

/// A booking is cancelled while the request that made it still waits: that one gets 409, not a meeting that is
/// removed.
#[tokio::test]
async fn a_request_that_waits_for_a_cancelled_booking_gets_409() {
    let (app, other) = two_replicas(&[], Operation::CreateOrGet).await;
    let body = booking("BK-1");
    for (booking_id, declares) in [("BK-1", false), ("BK-2", true)] {
        let made = async {
            if declares {
                return app.put(booking_id, &booking(booking_id), &[("Prefer", "wait=30")]).await;
            }
            app.book_preferring(Who::Desk, "wait=30", &body).await
        };
        let cancelled = async {
            let arrived = |call: &CallEntry| call.operation == Operation::CreateOrGet && !call.work_done;
            app.simulator.wait_for_call(IN_TIME, arrived).await.unwrap();
            other.delete(booking_id, &[("Prefer", "wait=30")]).await
        };
        let (made, cancelled) = tokio::join!(made, cancelled);
        assert_eq!(cancelled.expect(200).json()["status"], "cancelled");
        let problem = made.problem(409, "booking-cancelled");
        assert_eq!(problem["booking"]["bookingId"], booking_id);
        app.simulator.inject(InjectedFault::on(
            Operation::CreateOrGet,
            Effect::SlowBeforeWork { milliseconds: 1_500 },
        ));
    }
    other.end().await;
    app.end().await;
}

/// Where no request waits at another replica, no notification is sent: a fresh booking costs none.
#[tokio::test]
async fn no_notification_is_sent_when_no_request_waits() {
    let app = TestApp::builder().settings(&NO_POLLS).start().await;
    let other = app.another_replica().await;
    tokio::join!(app.until_listening(), other.until_listening());
    for n in 0..10 {
        app.book(Who::Desk, &booking(&format!("BK-{n}"))).await.expect(201);
        other.book(Who::Desk, &booking(&format!("BK-{n}"))).await.expect(200);
    }
    // Requests that wait at the replica that does the work need no notification either.
    app.simulator
        .inject(InjectedFault::on(Operation::CreateOrGet, Effect::SlowBeforeWork { milliseconds: 200 }));
    let body = booking("BK-10");
    let answers = futures_util::future::join_all((0..20).map(|_| app.book(Who::Desk, &body))).await;
    one_created_and_the_others_replayed(&answers);
    assert!(app.metric(SENT).await.abs() < 0.5);
    assert!(other.metric(HEARD).await.abs() < 0.5);
    other.end().await;
    app.end().await;
}

/// A hundred requests on three replicas, for ten bookings at once: ten calls, and all are notified.
#[tokio::test]
async fn many_requests_are_notified_at_once() {
    let app = TestApp::builder().settings(&NO_POLLS).start().await;
    let (second, third) = (app.another_replica().await, app.another_replica().await);
    let replicas = [&app, &second, &third];
    for replica in replicas {
        replica.until_listening().await;
    }
    app.simulator.inject(
        InjectedFault::on(Operation::CreateOrGet, Effect::SlowBeforeWork { milliseconds: 1_000 }).times(10),
    );
    let bodies: Vec<_> = (0..10).map(|n| booking(&format!("BK-{n}"))).collect();
    let requests = (0..100).map(|n| replicas[n % 3].book_preferring(Who::Desk, "wait=30", &bodies[n % 10]));
    let answers = in_time(futures_util::future::join_all(requests)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 10);
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 90);
    assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), 10);
    third.end().await;
    second.end().await;
    app.end().await;
}

/// `GET` that waits, a change and a cancel: each is notified by the replica that does the work.
#[tokio::test]
async fn changes_and_cancels_at_another_replica_are_notified() {
    let (app, other) = two_replicas(&NO_POLLS, Operation::Patch).await;
    tokio::join!(app.until_listening(), other.until_listening());
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let times = json!({"startDateTime": "2026-12-02T09:00:00Z", "endDateTime": "2026-12-02T09:30:00Z"});
    let changed = booking_with("BK-1", times);
    let change = async { app.put("BK-1", &changed, &[("Prefer", "wait=30")]).await };
    let look = async {
        app.simulator.wait_for_call(IN_TIME, |call| call.operation == Operation::Patch).await.unwrap();
        let request = other.request(Who::Desk, reqwest::Method::GET, "/v1/bookings/BK-1");
        ApiResponse::read(request.header("Prefer", "wait=30").send().await.unwrap()).await
    };
    let cancel = async {
        app.simulator.wait_for_call(IN_TIME, |call| call.operation == Operation::Patch).await.unwrap();
        other.until_metric(AWAITED, |count| count > 0.0).await;
        other.delete("BK-1", &[("Prefer", "wait=30")]).await
    };
    let (change, look, cancel) = in_time(async { tokio::join!(change, look, cancel) }).await;
    // The caller that wanted the meeting gets 409: there is none.
    assert_eq!(change.problem(409, "booking-cancelled")["booking"]["status"], "cancelled");
    for answer in [look, cancel] {
        assert_eq!(answer.expect(200).json()["status"], "cancelled");
    }
    // The booking was settled a moment before a request began to wait for its change: that must not repeat notifications.
    let sent = app.metric(SENT).await;
    assert!(sent < 6.0, "{sent}");
    other.end().await;
    app.end().await;
}

/// The listening connections are ended by Postgres: they are made anew, notifications lost meanwhile are made good by a
/// poll, and later ones arrive as before. Readiness does not depend on it.
#[tokio::test]
async fn a_lost_listener_is_replaced() {
    let (app, other) = two_replicas(&NO_POLLS, Operation::CreateOrGet).await;
    for booking_id in ["BK-1", "BK-2"] {
        tokio::join!(app.until_listening(), other.until_listening());
        let cut = async {
            app.until_metric(AWAITED, |count| count > 0.0).await;
            assert_eq!(terminate_listeners(&app).await, 2);
            assert_eq!(reqwest::get(other.admin_url("/readyz")).await.unwrap().status(), 200);
        };
        let ((first, second), ()) = tokio::join!(booked_by_both(&app, &other, booking_id), cut);
        first.expect(201);
        second.expect(200);
        app.simulator.inject(InjectedFault::on(
            Operation::CreateOrGet,
            Effect::SlowBeforeWork { milliseconds: 1_500 },
        ));
    }
    tokio::join!(app.until_listening(), other.until_listening());
    app.simulator.clear_faults();
    other.end().await;
    app.end().await;
}

/// Ends every connection that listens to this test's database; says how many.
async fn terminate_listeners(app: &TestApp) -> i64 {
    sqlx::query_scalar(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity
         where application_name = 'meeting-provisioner-listener' and datname = current_database()",
    )
    .fetch_one(&app.pool)
    .await
    .unwrap()
}

/// A replica that stops hands back what it can't finish and notifies: another one's worker claims it at once.
#[tokio::test]
async fn a_worker_is_notified_of_leases_handed_back() {
    let app = TestApp::builder()
        .settings(&[NO_POLLS[0], ("HTTP__SHUTDOWN_SECONDS", "1")])
        .at_real_time()
        .start()
        .await;
    let (stopping, other) =
        (Process::serve(app.environment()).await, Process::serve(app.environment()).await);
    until_it_listens(&other).await;
    app.simulator
        .inject(InjectedFault::on(Operation::CreateOrGet, Effect::SlowBeforeWork { milliseconds: 15_000 }));
    let answer = tokio::spawn(stopping.book(&booking("BK-1")));
    app.simulator.wait_for_call(IN_TIME, |call| call.operation == Operation::CreateOrGet).await.unwrap();
    stopping.terminate();
    let again = app.simulator.wait_for_counts(IN_TIME, |counts| counts.arrived(Operation::CreateOrGet) == 2);
    again.await.expect("the other's worker was notified, for it would poll in a minute");
    assert!(stopping.ended(IN_TIME).await.0.success());
    drop(answer.await);
    let provisioned = async {
        while app.booking("BK-1").await["status"] != "provisioned" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(IN_TIME, provisioned).await.unwrap();
    other.kill().await;
    app.end().await;
}

async fn until_it_listens(process: &Process) {
    let listening = async {
        while !process.metrics().await.contains("\nmeeting_provisioner_listening 1\n") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(IN_TIME, listening).await.expect("it never listens");
}

/// Where replicas may not listen, a waiting request polls.
#[tokio::test]
async fn without_listening_a_request_polls() {
    let settings = [("DATABASE__LISTEN", "false"), NO_POLLS[0], NO_POLLS[1]];
    let (app, other) = two_replicas(&settings, Operation::CreateOrGet).await;
    let (first, second) = booked_by_both(&app, &other, "BK-1").await;
    first.expect(201);
    second.expect(200);
    assert_eq!(terminate_listeners(&app).await, 0, "no replica listens");
    assert!(other.metric("meeting_provisioner_listening").await.abs() < 0.5);
    other.end().await;
    app.end().await;
}

/// The fallback: the replica that does the work neither listens nor notifies, and the one that waits finds out by its
/// poll.
#[tokio::test]
async fn polling_is_the_fallback() {
    let (app, other) = two_replicas(&[("DATABASE__LISTEN", "false")], Operation::CreateOrGet).await;
    let listening = app.another_replica_with(&[("DATABASE__LISTEN", "true")]).await;
    listening.until_listening().await;
    let (first, second) = booked_by_both(&app, &listening, "BK-1").await;
    first.expect(201);
    second.expect(200);
    assert!(listening.metric(HEARD).await.abs() < 0.5, "no replica notified");
    listening.end().await;
    other.end().await;
    app.end().await;
}
