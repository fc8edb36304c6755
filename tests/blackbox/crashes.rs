//! The process is killed at each step of an attempt; another replica finishes what it began.

use std::time::Duration;

use meeting_provisioner::clock::Timestamp;
use meeting_provisioner::msgraph_simulator::{CallEntry, Effect, InjectedFault, Operation};
use serde_json::json;

use crate::drift::organizer_changes;
use crate::support::process::Process;
use crate::support::{TestApp, Who, booking, booking_with};

const IN_TIME: Duration = Duration::from_secs(20);
/// A poll each half second, a second for the claim, and what a busy machine needs.
const GENEROUS: Duration = Duration::from_secs(5);

/// One meeting, one row, a complete history, after another replica has waited for the lease to end.
async fn finish(app: TestApp, expected: &[&str]) {
    app.simulator.clear_faults();
    assert_eq!(app.resume_after(Duration::ZERO).await, 0, "the lease still holds");
    assert_eq!(app.resume_after(Duration::from_mins(2)).await, 1);
    let body = app.booking("BK-1").await;
    assert_eq!((&body["status"], &body["attempts"]), (&json!("provisioned"), &json!(2)));
    assert_eq!(app.simulator.meetings().len(), 1);
    assert_eq!(body["meeting"]["joinWebUrl"], app.simulator.meetings()[0].join_web_url);
    let rows: i64 = sqlx::query_scalar("select count(*) from booking").fetch_one(&app.pool).await.unwrap();
    assert_eq!(rows, 1);
    assert_eq!(app.history("BK-1").await, expected);
    let unknown = &app.history_items("BK-1").await[1];
    let text = unknown.to_string();
    assert!(text.contains("lease of this attempt ran out"), "the history says why: {text}");
    app.book(Who::Desk, &booking("BK-1")).await.expect(200);
    app.end().await;
}

/// Killed before the call: the booking is stored, Graph was never asked.
#[tokio::test]
async fn killed_before_the_call() {
    let app = TestApp::builder().at_real_time().start().await;
    app.simulator.inject(
        InjectedFault::on(Operation::Token, Effect::SlowBeforeWork { milliseconds: 60_000 }).always(),
    );
    let process = Process::serve(app.environment()).await;
    let answer = tokio::spawn(process.book(&booking("BK-1")));
    until_stored(&app).await;
    process.kill().await;
    assert!(answer.await.unwrap().is_err());
    assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), 0);
    finish(app, &["booking.accepted", "call.unknown", "meeting.created"]).await;
}

/// Killed after the call was carried out and before its answer came.
#[tokio::test]
async fn killed_after_the_call() {
    let app = TestApp::builder().at_real_time().start().await;
    app.simulator
        .inject(InjectedFault::on(Operation::CreateOrGet, Effect::SlowAfterWork { milliseconds: 60_000 }));
    let process = Process::serve(app.environment()).await;
    let answer = tokio::spawn(process.book(&booking("BK-1")));
    app.simulator
        .wait_for_call(IN_TIME, |call| call.operation == Operation::CreateOrGet && call.work_done)
        .await
        .unwrap();
    process.kill().await;
    assert!(answer.await.unwrap().is_err());
    assert_eq!(app.simulator.meetings().len(), 1);
    finish(app, &["booking.accepted", "call.unknown", "meeting.found"]).await;
}

/// Killed with Graph's answer in memory, before it is settled.
#[tokio::test]
async fn killed_before_the_settlement() {
    let app = TestApp::builder().at_real_time().start().await;
    app.simulator
        .inject(InjectedFault::on(Operation::Token, Effect::SlowBeforeWork { milliseconds: 500 }).always());
    let process = Process::serve(app.environment()).await;
    let answer = tokio::spawn(process.book(&booking("BK-1")));
    until_stored(&app).await;
    // The row is locked, so that the settlement has to wait.
    let mut holder = app.pool.begin().await.unwrap();
    sqlx::query("select 1 from booking for update").execute(&mut *holder).await.unwrap();
    let backend = until_a_settlement_waits(&app).await;
    process.kill().await;
    assert!(answer.await.unwrap().is_err());
    // A server process finishes what it has been sent even when its client is gone; a dead host's would not.
    sqlx::query("select pg_terminate_backend($1)").bind(backend).execute(&app.pool).await.unwrap();
    until_gone(&app, backend).await;
    holder.rollback().await.unwrap();
    assert_eq!(app.simulator.meetings().len(), 1);
    finish(app, &["booking.accepted", "call.unknown", "meeting.found"]).await;
}

/// When a process is killed, relative to a call to Graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KillPoint {
    BeforeWork,
    AfterWork,
    BeforeSettlement,
}

/// What a caller asked for when the process died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequestKind {
    Change,
    Cancel,
    Check,
}

/// Each step of a change, a cancel and a check, killed at each point: another replica finishes it, and the history
/// has the attempt whose outcome is unknown.
#[tokio::test]
async fn killed_at_each_step_of_a_change_a_cancel_and_a_check() {
    use KillPoint::{AfterWork, BeforeSettlement, BeforeWork};
    for (operation, request) in [
        (Operation::Patch, RequestKind::Change),
        (Operation::Patch, RequestKind::Cancel),
        (Operation::Delete, RequestKind::Cancel),
        (Operation::Get, RequestKind::Check),
        (Operation::Patch, RequestKind::Check),
    ] {
        for kill_point in [BeforeWork, AfterWork, BeforeSettlement] {
            killed_at(operation, request, kill_point).await;
        }
    }
}

async fn killed_at(operation: Operation, request: RequestKind, kill_point: KillPoint) {
    let app = TestApp::builder().at_real_time().start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    if request == RequestKind::Check {
        organizer_changes(&app, json!({"subject": "Party"})).await;
        // So long after Graph's last word a check asks it again.
        let earlier = "update booking set seen_at = seen_at - interval '1 minute'";
        sqlx::query(earlier).execute(&app.pool).await.unwrap();
    }
    let effect = match kill_point {
        KillPoint::BeforeWork => Effect::SlowBeforeWork { milliseconds: 60_000 },
        KillPoint::AfterWork => Effect::SlowAfterWork { milliseconds: 60_000 },
        KillPoint::BeforeSettlement => Effect::SlowBeforeWork { milliseconds: 500 },
    };
    app.simulator.inject(InjectedFault::on(operation, effect));
    let process = Process::serve(app.environment()).await;
    let times = json!({"startDateTime": "2026-12-02T09:00:00Z", "endDateTime": "2026-12-02T09:30:00Z"});
    let answer = match request {
        RequestKind::Cancel => tokio::spawn(process.send(reqwest::Method::DELETE, "BK-1", None)),
        RequestKind::Check => tokio::spawn(process.send(reqwest::Method::POST, "BK-1/check", None)),
        RequestKind::Change => {
            tokio::spawn(process.send(reqwest::Method::PUT, "BK-1", Some(&booking_with("BK-1", times))))
        }
    };
    let arrived = |call: &CallEntry| {
        let is_ours = call.headers.contains_key("client-request-id");
        is_ours && call.operation == operation && (kill_point != KillPoint::AfterWork || call.work_done)
    };
    app.simulator.wait_for_call(IN_TIME, arrived).await.unwrap();
    if kill_point == KillPoint::BeforeSettlement {
        let mut holder = app.pool.begin().await.unwrap();
        sqlx::query("select 1 from booking for update").execute(&mut *holder).await.unwrap();
        let backend = until_a_settlement_waits(&app).await;
        process.kill().await;
        sqlx::query("select pg_terminate_backend($1)").bind(backend).execute(&app.pool).await.unwrap();
        until_gone(&app, backend).await;
        holder.rollback().await.unwrap();
    } else {
        process.kill().await;
    }
    assert!(answer.await.unwrap().is_err());
    app.simulator.clear_faults();
    assert_eq!(app.resume_after(Duration::from_mins(2)).await, 1, "{operation:?} {request:?} {kill_point:?}");
    // A removal that finds nothing of a meeting so young may have asked a copy that lags.
    app.resume_until_settled(Duration::from_mins(1)).await;
    let (body, meetings) = (app.booking("BK-1").await, app.simulator.meetings());
    assert_eq!(meetings.len(), 1);
    let expected = if request == RequestKind::Cancel { ("cancelled", true) } else { ("provisioned", false) };
    let found = (body["status"].as_str().unwrap(), meetings[0].deleted_at.is_some());
    assert_eq!(found, expected, "{operation:?} {kill_point:?}");
    let content = meetings[0].content();
    match request {
        RequestKind::Change => {
            assert!(content["startDateTime"].as_str().unwrap().starts_with("2026-12-02T09:00"));
        }
        RequestKind::Check => assert_eq!(content["subject"], "Quarterly review"),
        RequestKind::Cancel => {}
    }
    let history = app.history("BK-1").await;
    assert_eq!(history.iter().filter(|kind| *kind == "call.unknown").count(), 1, "{history:?}");
    app.end().await;
}

/// A change was carried out whose answer was lost, and then it is taken back: the last observed state says that the
/// meeting is right already, and is not to be trusted.
#[tokio::test]
async fn a_change_is_taken_back_while_its_outcome_is_unknown() {
    let moved = booking_with(
        "BK-1",
        json!({"startDateTime": "2026-12-02T09:00:00Z", "endDateTime": "2026-12-02T09:30:00Z"}),
    );
    for is_killed in [false, true] {
        let app = TestApp::builder().at_real_time().start().await;
        app.book(Who::Desk, &booking("BK-1")).await.expect(201);
        let effect = if is_killed {
            Effect::SlowAfterWork { milliseconds: 60_000 }
        } else {
            Effect::FailedAfterWork { status: 503, retry_after: Some("600".to_owned()) }
        };
        app.simulator.inject(InjectedFault::on(Operation::Patch, effect));
        let process = Process::serve(app.environment()).await;
        let change = tokio::spawn(process.send(reqwest::Method::PUT, "BK-1", Some(&moved)));
        let done = |call: &CallEntry| call.operation == Operation::Patch && call.work_done;
        app.simulator.wait_for_call(IN_TIME, done).await.unwrap();
        if !is_killed {
            assert_eq!(change.await.unwrap().unwrap().expect(202).json()["status"], "updating");
        }
        process.kill().await;
        app.simulator.clear_faults();
        let taken_back = app.put("BK-1", &booking("BK-1"), &[("Prefer", "respond-async")]).await.expect(202);
        assert_eq!(taken_back.json()["startDateTime"], "2026-12-01T09:00:00Z");
        app.resume_after(Duration::from_mins(15)).await;
        let body = app.booking("BK-1").await;
        assert_eq!(
            (&body["status"], &body["startDateTime"]),
            (&json!("provisioned"), &json!("2026-12-01T09:00:00Z"))
        );
        let content = app.simulator.meetings()[0].content();
        assert!(content["startDateTime"].as_str().unwrap().starts_with("2026-12-01T09:00"), "{content}");
        app.end().await;
    }
}

/// Told to stop while a call is under way: not ready at once, the call is finished, its caller is answered, and the
/// process ends well before its time.
#[tokio::test]
async fn a_stopping_process_finishes_what_it_began() {
    let app = TestApp::builder().at_real_time().start().await;
    app.simulator
        .inject(InjectedFault::on(Operation::CreateOrGet, Effect::SlowAfterWork { milliseconds: 1_000 }));
    let process = Process::serve(app.environment()).await;
    assert_eq!(process.probe("/readyz").await, Some(200));
    let answer = tokio::spawn(process.book(&booking("BK-1")));
    app.simulator.wait_for_call(IN_TIME, |call| call.operation == Operation::CreateOrGet).await.unwrap();
    process.terminate();
    while process.probe("/readyz").await == Some(200) {}
    assert_eq!(answer.await.unwrap().unwrap().expect(201).json()["status"], "provisioned");
    let (status, said) = process.ended(IN_TIME).await;
    assert!(status.success());
    assert!(said.iter().any(|line| line["message"] == "stopped"), "{said:?}");
    app.end().await;
}

/// Told to stop while a call hangs for longer than there is time: the lease is handed back, and another replica need
/// not wait for it to end.
#[tokio::test]
async fn a_stopping_process_hands_back_what_it_cannot_finish() {
    let app = TestApp::builder().setting("HTTP__SHUTDOWN_SECONDS", "1").at_real_time().start().await;
    app.simulator
        .inject(InjectedFault::on(Operation::CreateOrGet, Effect::SlowBeforeWork { milliseconds: 20_000 }));
    let process = Process::serve(app.environment()).await;
    let answer = tokio::spawn(process.book(&booking("BK-1")));
    app.simulator.wait_for_call(IN_TIME, |call| call.operation == Operation::CreateOrGet).await.unwrap();
    process.terminate();
    let (status, said) = process.ended(IN_TIME).await;
    assert!(status.success());
    assert!(said.iter().any(|line| line["message"] == "attempts handed back to other replicas"), "{said:?}");
    answer.await.unwrap().unwrap().expect(202);
    // A few seconds, not the lease's minute: what this replica's clock needs to reach the time of the hand-over.
    assert_eq!(app.resume_after(Duration::from_secs(15)).await, 1);
    assert_eq!(app.booking("BK-1").await["status"], "provisioned");
    app.end().await;
}

/// A killed replica's booking is resumed by a running one, by itself, once the lease has ended: not before, and at
/// its next poll. How soon, the benchmark `resuming` measures.
#[tokio::test]
async fn a_running_replica_takes_over() {
    let short = [
        ("WORKER__LEASE_SECONDS", "12"),
        ("GRAPH__CONNECT_TIMEOUT_SECONDS", "1"),
        ("GRAPH__TIMEOUT_SECONDS", "1"),
        ("WORKER__POLL_SECONDS", "0.5"),
    ];
    let app = TestApp::builder().settings(&short).at_real_time().start().await;
    app.simulator
        .inject(InjectedFault::on(Operation::Token, Effect::SlowBeforeWork { milliseconds: 60_000 }));
    let process = Process::serve(app.environment()).await;
    let answer = tokio::spawn(process.book(&booking("BK-1")));
    until_stored(&app).await;
    let leased_until: Timestamp =
        sqlx::query_scalar("select lease_until from booking").fetch_one(&app.pool).await.unwrap();
    process.kill().await;
    drop(answer.await);
    app.simulator.clear_faults();
    let other = Process::serve(app.environment()).await;
    app.simulator.wait_for_call(IN_TIME, |call| call.operation == Operation::CreateOrGet).await.unwrap();
    let answer =
        app.request(Who::Desk, reqwest::Method::GET, "/v1/bookings/BK-1").header("Prefer", "wait=10");
    assert_eq!(
        crate::support::ApiResponse::read(answer.send().await.unwrap()).await.expect(200).json()["status"],
        "provisioned"
    );
    assert_eq!(app.history("BK-1").await, ["booking.accepted", "call.unknown", "meeting.created"]);
    let resumed_at: Timestamp =
        sqlx::query_scalar("select occurred_at from audit_event where event_type = 'call.unknown'")
            .fetch_one(&app.pool)
            .await
            .unwrap();
    let late = resumed_at - leased_until;
    assert!(late >= Duration::ZERO && late < GENEROUS, "resumed {late} after the lease's end");
    other.kill().await;
    app.end().await;
}

async fn until_stored(app: &TestApp) {
    until(app, "select 1 from booking where lease_attempt_id is not null").await;
}

/// The server process whose settlement waits for the row.
async fn until_a_settlement_waits(app: &TestApp) -> i32 {
    until(
        app,
        "select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' \
         and query like '%update booking set%'",
    )
    .await
}

async fn until_gone(app: &TestApp, backend: i32) {
    let query = format!("select 1 where not exists (select from pg_stat_activity where pid = {backend})");
    until(app, &query).await;
}

/// Asks Postgres until it has an answer; what is waited for happens in another process, which can't tell us.
async fn until(app: &TestApp, query: &str) -> i32 {
    let asked = async {
        loop {
            let found: Option<i32> =
                sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_optional(&app.pool).await.unwrap();
            if let Some(found) = found {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(IN_TIME, asked).await.unwrap_or_else(|_| panic!("nothing found in time: {query}"))
}
