//! An answer of Postgres that is lost, before the statement was run or after it was committed, is an unknown outcome: the
//! service finds out whether the statement was committed.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation, OrganizerState};
use serde_json::{Value, json};

use crate::support::{CutPoint, ORGANIZER, Statement, TestApp, Who, booking, booking_with};

const CUT_POINTS: [CutPoint; 2] = [CutPoint::BeforeRun, CutPoint::AfterCommit];
const IN_TIME: Duration = Duration::from_secs(20);

/// Each file that writes has its statement here, recognised by a text that no other statement has.
#[test]
fn every_statement_that_writes_is_known_to_the_proxy() {
    let mut files: Vec<(String, String)> = Vec::new();
    for entry in std::fs::read_dir("src/store/writing").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if !["mod", "input"].contains(&name.as_str()) {
            files.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
    files.sort();
    assert_eq!(
        files.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        Statement::ALL.map(Statement::file)
    );
    for statement in Statement::ALL {
        let with_marker: Vec<&str> = files
            .iter()
            .filter(|(_, text)| text.contains(statement.marker()))
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(with_marker, [statement.file()], "{statement:?}");
    }
}

async fn counted(app: &TestApp, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(&app.pool).await.unwrap()
}

/// One row, one meeting, one call, and a history in which everything happened once.
async fn happened_once(app: &TestApp, attempts: u32, history: &[&str]) {
    let body = app.booking("BK-1").await;
    assert_eq!((&body["status"], &body["attempts"]), (&json!("provisioned"), &json!(attempts)));
    assert_eq!(app.history("BK-1").await, history);
    assert_eq!(app.simulator.meetings().len(), 1);
    assert_eq!(counted(app, "select count(*) from booking").await, 1);
    assert_eq!(counted(app, "select count(*) from booking where lease_attempt_id is not null").await, 0);
}

/// The connection breaks around the statement that accepts or settles: the caller notices nothing.
#[tokio::test]
async fn accept_and_settle_are_repeated() {
    for statement in [Statement::Accept, Statement::Settle] {
        for cut_point in CUT_POINTS {
            let app = TestApp::builder().behind_proxy().start().await;
            app.proxy().cut(statement, cut_point);
            app.book(Who::Desk, &booking("BK-1")).await.expect(201);
            assert_eq!(app.proxy().cuts(), [(statement, cut_point)]);
            assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), 1);
            happened_once(&app, 1, &["booking.accepted", "meeting.created"]).await;
            app.book(Who::Desk, &booking("BK-1")).await.expect(200);
            app.end().await;
        }
    }
}

/// The same for a settlement that opens the next attempt, here from finding the organizer to making the meeting.
#[tokio::test]
async fn a_settlement_that_opens_the_next_attempt_is_repeated() {
    for cut_point in CUT_POINTS {
        let app = TestApp::builder().behind_proxy().start().await;
        let id = uuid::Uuid::parse_str(ORGANIZER).unwrap();
        app.simulator.declare(id, OrganizerState::Permitted, Some("olga@contoso.com"));
        app.proxy().cut(Statement::Settle, cut_point);
        let body = booking_with("BK-1", json!({"organizer": "olga@contoso.com"}));
        app.book(Who::Desk, &body).await.expect(201);
        assert_eq!(app.proxy().cuts(), [(Statement::Settle, cut_point)]);
        happened_once(&app, 2, &["booking.accepted", "organizer.found", "meeting.created"]).await;
        app.end().await;
    }
}

/// The connection breaks around the statement that changes or cancels.
#[tokio::test]
async fn a_declaration_is_repeated() {
    for cut_point in CUT_POINTS {
        let app = TestApp::builder().behind_proxy().start().await;
        app.book(Who::Desk, &booking("BK-1")).await.expect(201);
        app.proxy().cut(Statement::Declare, cut_point);
        let times = json!({"startDateTime": "2026-12-02T09:00:00Z", "endDateTime": "2026-12-02T09:30:00Z"});
        app.declare(&booking_with("BK-1", times)).await.expect(200);
        let history = ["booking.accepted", "meeting.created", "booking.changed", "meeting.changed"];
        happened_once(&app, 2, &history).await;
        app.proxy().cut(Statement::Declare, cut_point);
        app.delete("BK-1", &[]).await.expect(200);
        assert_eq!(app.proxy().cuts(), [(Statement::Declare, cut_point); 2]);
        assert_eq!(app.booking("BK-1").await["status"], "cancelled");
        assert_eq!(app.history("BK-1").await.iter().filter(|kind| *kind == "booking.cancelled").count(), 1);
        app.end().await;
    }
}

/// The connection breaks around the claim: what was claimed is known by the ids of its attempts, and carried out at once
/// and not after the lease.
#[tokio::test]
async fn a_claim_is_found_again() {
    for cut_point in CUT_POINTS {
        let app = TestApp::builder().behind_proxy().start().await;
        let effect = Effect::ThrottledBeforeWork { retry_after: Some("5".to_owned()) };
        app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect).times(3));
        for n in 1..=3 {
            let organizer = json!({"organizer": uuid::Uuid::from_u128(n).to_string()});
            app.book_and_look(&booking_with(&format!("BK-{n}"), organizer)).await;
        }
        app.proxy().cut(Statement::Claim, cut_point);
        assert_eq!(app.resume_after(Duration::from_secs(10)).await, 3);
        assert_eq!(app.proxy().cuts(), [(Statement::Claim, cut_point)]);
        for n in 1..=3 {
            let booking_id = format!("BK-{n}");
            assert_eq!(app.booking(&booking_id).await["attempts"], 2);
            let history = ["booking.accepted", "call.throttled", "meeting.created"];
            assert_eq!(app.history(&booking_id).await, history);
        }
        assert_eq!(app.simulator.meetings().len(), 3);
        app.end().await;
    }
}

/// The connection breaks around the statement that begins a check: the meeting is read once.
#[tokio::test]
async fn a_begun_check_is_repeated() {
    for cut_point in CUT_POINTS {
        let app = TestApp::builder().behind_proxy().start().await;
        app.book(Who::Desk, &booking("BK-1")).await.expect(201);
        app.proxy().cut(Statement::BeginCheck, cut_point);
        app.check("BK-1").await.expect(200);
        assert_eq!(app.proxy().cuts(), [(Statement::BeginCheck, cut_point)]);
        happened_once(&app, 2, &["booking.accepted", "meeting.created", "meeting.seen"]).await;
        app.end().await;
    }
}

/// The connection breaks around the statement that makes a parked booking due: it is tried once.
#[tokio::test]
async fn a_retry_is_repeated() {
    for cut_point in CUT_POINTS {
        let app = TestApp::builder().behind_proxy().start().await;
        let id = uuid::Uuid::parse_str(ORGANIZER).unwrap();
        app.simulator.declare(id, OrganizerState::Refused, None);
        app.book(Who::Desk, &booking("BK-1")).await.problem(422, "graph-refused");
        app.simulator.permit(id);
        app.proxy().cut(Statement::Retry, cut_point);
        let path = "/v1/bookings/BK-1/retry?sourceSystem=room-booking";
        let answer = app.request(Who::Operator, reqwest::Method::POST, path).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(app.proxy().cuts(), [(Statement::Retry, cut_point)]);
        let history = ["booking.accepted", "call.refused", "booking.retried", "meeting.created"];
        happened_once(&app, 2, &history).await;
        app.end().await;
    }
}

/// The connection breaks around the statement that records a pause: a replica that starts later obeys it.
#[tokio::test]
async fn a_recorded_pause_is_repeated() {
    for cut_point in CUT_POINTS {
        let app = TestApp::builder().behind_proxy().start().await;
        let effect = Effect::ThrottledBeforeWork { retry_after: Some("60".to_owned()) };
        app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect));
        app.proxy().cut(Statement::RecordPause, cut_point);
        app.book_and_look(&booking("BK-1")).await;
        assert_eq!(app.proxy().cuts(), [(Statement::RecordPause, cut_point)]);
        let late = app.another_replica().await;
        assert_eq!(late.resume_after(Duration::from_secs(59)).await, 0);
        assert_eq!(late.resume_after(Duration::from_secs(30)).await, 1);
        happened_once(&app, 2, &["booking.accepted", "call.throttled", "meeting.created"]).await;
        late.end().await;
        app.end().await;
    }
}

/// The connection breaks around the statement that hands leases back as the replica stops: they are handed back.
#[tokio::test]
async fn a_release_is_repeated() {
    for cut_point in CUT_POINTS {
        let app = TestApp::builder().behind_proxy().start().await;
        let stopping = app.another_replica_with(&[("HTTP__SHUTDOWN_SECONDS", "1")]).await;
        app.simulator.inject(InjectedFault::on(
            Operation::CreateOrGet,
            Effect::SlowBeforeWork { milliseconds: 8_000 },
        ));
        stopping.book_preferring(Who::Desk, "respond-async", &booking("BK-1")).await.expect(202);
        app.simulator.wait_for_call(IN_TIME, |call| call.operation == Operation::CreateOrGet).await.unwrap();
        app.proxy().cut(Statement::Release, cut_point);
        stopping.end_with_work_left().await;
        assert_eq!(app.proxy().cuts(), [(Statement::Release, cut_point)]);
        app.simulator.clear_faults();
        // A millisecond, not the lease's minute.
        assert_eq!(app.resume_after(Duration::from_millis(1)).await, 1);
        let body = app.booking("BK-1").await;
        assert_eq!(body["status"], "provisioned");
        app.end().await;
    }
}

/// Postgres is away before the replica could find out whether the statement was committed: the caller is told to send
/// again. Once Postgres is back the worker finds out, without waiting for the lease to end.
#[tokio::test]
async fn a_booking_accepted_without_an_answer_is_carried_out() {
    let app = TestApp::builder().behind_proxy().start().await;
    app.proxy().cut_after_commit(Statement::Accept);
    app.proxy().go_away_after_cut();
    let problem = app.book(Who::Desk, &booking("BK-1")).await.problem(503, "store-unavailable");
    assert_eq!(problem["retryable"], true);
    assert_eq!(counted(&app, "select count(*) from booking").await, 1, "it is stored");
    assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), 0, "and no worker works on it");
    app.proxy().come_back();
    assert_eq!(app.resume_after(Duration::ZERO).await, 1);
    happened_once(&app, 1, &["booking.accepted", "meeting.created"]).await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(200);
    app.end().await;
}

/// Postgres is away before the statement reaches it: the caller is told to send again, and nothing is stored.
#[tokio::test]
async fn a_booking_that_was_not_accepted_is_not_stored() {
    let app = TestApp::builder().behind_proxy().start().await;
    app.proxy().cut_before(Statement::Accept);
    app.proxy().go_away_after_cut();
    app.book(Who::Desk, &booking("BK-1")).await.problem(503, "store-unavailable");
    app.proxy().come_back();
    assert_eq!(app.resume_due().await, Ok(0));
    assert_eq!(counted(&app, "select count(*) from booking").await, 0);
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    happened_once(&app, 1, &["booking.accepted", "meeting.created"]).await;
    app.end().await;
}

/// The same for a change, and for a cancel.
#[tokio::test]
async fn a_change_stored_without_an_answer_is_carried_out() {
    let app = TestApp::builder().behind_proxy().start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let times = json!({"startDateTime": "2026-12-02T09:00:00Z", "endDateTime": "2026-12-02T09:30:00Z"});
    for (cancels, status) in [(false, "provisioned"), (true, "cancelled")] {
        app.proxy().cut_after_commit(Statement::Declare);
        app.proxy().go_away_after_cut();
        let answer = if cancels {
            app.delete("BK-1", &[]).await
        } else {
            app.declare(&booking_with("BK-1", times.clone())).await
        };
        answer.problem(503, "store-unavailable");
        app.proxy().come_back();
        assert_eq!(app.resume_after(Duration::ZERO).await, 1);
        assert_eq!(app.booking("BK-1").await["status"], status);
    }
    let unknown = app.history("BK-1").await.into_iter().filter(|kind| kind == "call.unknown").count();
    assert_eq!(unknown, 0, "no lease had to end");
    app.end().await;
}

/// The same for a check and for a retry.
#[tokio::test]
async fn a_check_or_retry_stored_without_an_answer_is_carried_out() {
    let app = TestApp::builder().behind_proxy().start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    app.proxy().cut_after_commit(Statement::BeginCheck);
    app.proxy().go_away_after_cut();
    app.check("BK-1").await.problem(503, "store-unavailable");
    app.proxy().come_back();
    assert_eq!(app.resume_after(Duration::ZERO).await, 1);
    happened_once(&app, 2, &["booking.accepted", "meeting.created", "meeting.seen"]).await;
    app.end().await;

    let app = TestApp::builder().behind_proxy().start().await;
    let id = uuid::Uuid::parse_str(ORGANIZER).unwrap();
    app.simulator.declare(id, OrganizerState::Refused, None);
    app.book(Who::Desk, &booking("BK-1")).await.problem(422, "graph-refused");
    app.simulator.permit(id);
    app.proxy().cut_after_commit(Statement::Retry);
    app.proxy().go_away_after_cut();
    let path = "/v1/bookings/BK-1/retry?sourceSystem=room-booking";
    let answer = app.request(Who::Operator, reqwest::Method::POST, path).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    app.proxy().come_back();
    assert_eq!(app.resume_after(Duration::ZERO).await, 1);
    happened_once(&app, 2, &["booking.accepted", "call.refused", "booking.retried", "meeting.created"]).await;
    app.end().await;
}

/// The same for a claim: its bookings are carried out once Postgres is back.
#[tokio::test]
async fn a_booking_claimed_without_an_answer_is_carried_out() {
    let app = TestApp::builder().behind_proxy().start().await;
    let effect = Effect::ThrottledBeforeWork { retry_after: Some("5".to_owned()) };
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect));
    app.book_and_look(&booking("BK-1")).await;
    app.proxy().cut_after_commit(Statement::Claim);
    app.proxy().go_away_after_cut();
    app.clock.advance(Duration::from_secs(10));
    app.resume_due().await.unwrap_err();
    app.proxy().come_back();
    assert_eq!(app.resume_due().await.unwrap(), 1);
    happened_once(&app, 2, &["booking.accepted", "call.throttled", "meeting.created"]).await;
    app.end().await;
}

/// Postgres is away while a call is under way: the answer is kept in memory until it can be settled.
#[tokio::test]
async fn an_answer_of_graph_is_kept_until_postgres_is_back() {
    for cut_point in CUT_POINTS {
        let app = TestApp::builder().behind_proxy().start().await;
        app.proxy().cut(Statement::Settle, cut_point);
        app.proxy().go_away_after_cut();
        let body = booking("BK-1");
        let (answer, ()) = tokio::join!(app.book(Who::Desk, &body), async {
            app.proxy().until_cuts(1, "settle").await;
            app.until_readyz(503).await;
            app.proxy().come_back();
        });
        assert!(matches!(answer.status, 201 | 202), "{}", answer.text);
        app.idle().await;
        happened_once(&app, 1, &["booking.accepted", "meeting.created"]).await;
        assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), 1);
        app.until_readyz(200).await;
        app.end().await;
    }
}

/// The host of Postgres has vanished: connections neither answer nor break. A request is told so in bounded time, and
/// all is well when the host is back.
#[tokio::test]
async fn a_postgres_that_never_answers_is_waited_for_only_so_long() {
    let app = TestApp::builder().behind_proxy().start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    app.proxy().freeze();
    let began = std::time::Instant::now();
    app.book(Who::Desk, &booking("BK-2")).await.problem(503, "store-unavailable");
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
    assert_eq!(app.probe("/readyz").await, 503);
    assert_eq!(app.probe("/livez").await, 200);
    app.proxy().thaw();
    app.until_readyz(200).await;
    let answer = app.book(Who::Desk, &booking("BK-2")).await;
    assert!(matches!(answer.status, 200 | 201), "{}", answer.text);
    let provisioned: Vec<Value> = vec![app.booking("BK-1").await, app.booking("BK-2").await];
    assert!(provisioned.iter().all(|body| body["status"] == "provisioned"));
    app.end().await;
}
