//! Overload: a request beyond the limit is refused at once, and a request that only waits blocks no other.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};
use serde_json::Value;

use crate::support::kept_connection::{KeptConnection, head};
use crate::support::{ApiResponse, TestApp, Who, booking, until_within};

const IN_TIME: Duration = Duration::from_secs(30);
const WAITING: &str = "meeting_provisioner_http_requests_waiting";
const IN_FLIGHT: &str = "meeting_provisioner_http_requests_in_flight";
const REFUSED: &str = "meeting_provisioner_http_refused_total{refused=\"request\"}";
const WAIT_REFUSED: &str = "meeting_provisioner_http_refused_total{refused=\"wait\"}";

/// Begins to book, with the longest wait that is allowed.
fn begin(app: &TestApp, booking_id: &str) -> tokio::task::JoinHandle<ApiResponse> {
    let request = app.request(Who::Desk, reqwest::Method::POST, "/v1/bookings").header("Prefer", "wait=30");
    let request = request.json(&booking(booking_id));
    tokio::spawn(async move { ApiResponse::read(request.send().await.unwrap()).await })
}

/// While Postgres does not answer, as many requests as the limit allows are in its queue; one more is refused at once. What
/// was refused is not stored, and is accepted when there is room.
#[tokio::test]
async fn a_request_beyond_the_limit_is_refused_at_once() {
    let app = TestApp::builder()
        .setting("ACCESS__SHARE_PERCENT", "100")
        .setting("HTTP__REQUESTS_MAX", "2")
        .start()
        .await;
    let mut holder = app.pool.begin().await.unwrap();
    sqlx::query("lock table booking in access exclusive mode").execute(&mut *holder).await.unwrap();
    let held = ["BK-1", "BK-2"].map(|booking_id| begin(&app, booking_id));
    let waiting = "select count(*) from pg_stat_activity where datname = current_database()
                   and wait_event_type = 'Lock' and query like '%from booking%'";
    until_within(IN_TIME, "both requests are at the database", async || {
        sqlx::query_scalar::<_, i64>(waiting).fetch_one(&app.pool).await.unwrap() >= 2
    })
    .await;
    let answer = app.book(Who::Desk, &booking("BK-3")).await;
    let problem = answer.problem(503, "overloaded");
    assert_eq!((&problem["retryable"], &problem["retryAfterSeconds"]), (&true.into(), &1.into()));
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(held.iter().all(|one| !one.is_finished()), "it was refused while the others were still held");
    holder.rollback().await.unwrap();
    for one in held {
        one.await.unwrap().expect(201);
    }
    let rows: i64 = sqlx::query_scalar("select count(*) from booking").fetch_one(&app.pool).await.unwrap();
    assert_eq!(rows, 2);
    app.book(Who::Desk, &booking("BK-3")).await.expect(201);
    assert!((app.metric(REFUSED).await - 1.0).abs() < 0.5);
    app.end().await;
}

/// Far more requests wait for their meetings than may be answered at once; those that come are accepted and answered.
#[tokio::test]
async fn a_waiting_request_does_not_count_against_the_limit() {
    let app = TestApp::builder()
        .setting("ACCESS__SHARE_PERCENT", "100")
        .setting("HTTP__REQUESTS_MAX", "2")
        .start()
        .await;
    app.book(Who::Desk, &booking("BK-KNOWN")).await.expect(201);
    app.simulator.inject(
        InjectedFault::on(Operation::CreateOrGet, Effect::SlowBeforeWork { milliseconds: 6_000 }).always(),
    );
    let mut waiting = Vec::new();
    for n in 0..10_u8 {
        // Each second one waits for the work of the one before.
        waiting.push(begin(&app, &format!("BK-{}", n / 2)));
        app.until_metric(WAITING, |count| count > f64::from(n) + 0.5).await;
    }
    assert!(app.metric(IN_FLIGHT).await > 9.5);
    app.get(Who::Desk, "/v1/bookings/BK-KNOWN").await.expect(200);
    app.book_preferring(Who::Desk, "respond-async", &booking("BK-LATER")).await.expect(202);
    let mut statuses = Vec::new();
    for one in waiting {
        statuses.push(one.await.unwrap().status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [[200; 5], [201; 5]].concat());
    app.simulator.clear_faults();
    app.until_metric(WAITING, |count| count < 0.5).await;
    app.idle().await;
    assert!(app.metric(REFUSED).await.abs() < 0.5);
    app.end().await;
}

/// Where as many wait as the limit allows, one more is accepted and answered at once, without its meeting.
#[tokio::test]
async fn a_wait_beyond_the_limit_is_answered_at_once() {
    let app = TestApp::builder()
        .setting("ACCESS__SHARE_PERCENT", "100")
        .setting("HTTP__WAITING_MAX", "2")
        .start()
        .await;
    app.simulator.inject(
        InjectedFault::on(Operation::CreateOrGet, Effect::SlowBeforeWork { milliseconds: 4_000 }).always(),
    );
    let waiting = ["BK-1", "BK-1"].map(|booking_id| begin(&app, booking_id));
    app.until_metric(WAITING, |count| count > 1.5).await;
    let answer = app.book_preferring(Who::Desk, "wait=30", &booking("BK-2")).await.expect(202);
    assert!(answer.header("retry-after").is_some());
    let known = app.book_preferring(Who::Desk, "wait=30", &booking("BK-1")).await.expect(202);
    assert_eq!(known.json()["status"], "pending");
    app.get_preferring(Who::Desk, "wait=30", "/v1/bookings/BK-1").await.expect(200);
    assert!(waiting.iter().all(|one| !one.is_finished()), "the others still waited");
    assert!((app.metric(WAIT_REFUSED).await - 3.0).abs() < 0.5);
    for one in waiting {
        assert!(matches!(one.await.unwrap().status, 200 | 201));
    }
    app.idle().await;
    assert_eq!(app.booking("BK-2").await["status"], "provisioned");
    app.end().await;
}

/// A client that sends its request byte by byte gets 408, and the connection is closed: in its head and in its body.
#[tokio::test]
async fn slow_clients_are_disconnected() {
    let app = TestApp::builder().setting("HTTP__READ_TIMEOUT_SECONDS", "1").start().await;
    let address = app.url("").replace("http://", "");
    let head = head(1_000);
    for (whole, dropped) in [("", head.as_str()), (head.as_str(), "                                  ")] {
        let mut connection = KeptConnection::to(&address).await.unwrap();
        connection.send(whole.as_bytes()).await.unwrap();
        let mut drops = dropped.bytes();
        let answer = async {
            loop {
                tokio::select! {
                    biased;
                    answer = connection.answer() => return answer.unwrap(),
                    () = tokio::time::sleep(Duration::from_millis(200)) => {}
                }
                connection.send(&[drops.next().expect("it was disconnected long ago")]).await.unwrap();
            }
        };
        let answer = tokio::time::timeout(IN_TIME, answer).await.unwrap();
        assert_eq!(answer.status, 408);
        if !whole.is_empty() {
            let problem: Value = serde_json::from_str(&answer.text).unwrap();
            assert_eq!((&problem["code"], &problem["retryable"]), (&"body-too-slow".into(), &true.into()));
        }
        connection.closed().await.unwrap();
    }
    app.end().await;
}
