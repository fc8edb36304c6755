//! No caller starves another: whatever the bookings, requests and statements of one source system do, those of another are
//! answered as if it weren't there.

use std::time::{Duration, Instant};

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::kept_connection::{KeptConnection, head};
use crate::support::{TestApp, Who, booking_with};

/// What a neighbour may cost, for all that it does.
const DELAY_MAX: Duration = Duration::from_secs(1);

fn of(organizer: usize, booking_id: &str) -> Value {
    booking_with(booking_id, json!({"organizer": organizer_id(organizer)}))
}

fn organizer_id(number: usize) -> String {
    format!("{number:08x}-9cab-44ad-8d5a-b74c14720000")
}

/// Books for the other source system, and says how long that took.
async fn book_beside(app: &TestApp, booking_id: &str) -> Duration {
    let began = Instant::now();
    let body = of(9_999, booking_id);
    app.book_preferring(Who::OtherSystem, "wait=20", &body).await.expect(201);
    began.elapsed()
}

/// What Graph does to all calls for an organizer.
fn poisons() -> impl Strategy<Value = Effect> {
    let wait = || Some("600".to_owned());
    prop::sample::select(vec![
        Effect::FailedBeforeWork { status: 500, retry_after: None },
        Effect::FailedBeforeWork { status: 503, retry_after: wait() },
        Effect::ThrottledBeforeWork { retry_after: wait() },
        Effect::ConnectionReset,
        Effect::SlowBeforeWork { milliseconds: 3_000 },
        Effect::NotFound,
    ])
}

/// Bookings of one source system that always fail, each organizer's in its own way, delay those of another by no more than a
/// second: new ones, beside what the worker resumes.
#[test]
fn bookings_that_always_fail_delay_no_neighbour() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner =
        TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(5) });
    let poison = prop::collection::vec(poisons(), 12);
    runner
        .run(&poison, |poison| {
            runtime.block_on(beside(&poison));
            Ok(())
        })
        .unwrap();
}

async fn beside(poison: &[Effect]) {
    let settings = [("GRAPH__CALLS_MAX", "8"), ("WORKER__CLAIM_MAX", "8"), ("HTTP__SHUTDOWN_SECONDS", "2")];
    let app = TestApp::builder().settings(&settings).start().await;
    for (organizer, effect) in poison.iter().enumerate() {
        let fault = InjectedFault::on(Operation::CreateOrGet, effect.clone());
        app.simulator.inject(fault.for_organizer(organizer_id(organizer)).always());
    }
    for n in 0..24 {
        let body = of(n % poison.len(), &format!("POISON-{n}"));
        app.book_preferring(Who::Desk, "respond-async", &body).await.expect(202);
    }
    for round in 0..3 {
        let took = book_beside(&app, &format!("GOOD-{round}")).await;
        assert!(took < DELAY_MAX, "round {round}: {took:?} beside {poison:?}");
        app.clock.advance(Duration::from_secs(2));
        let resume = app.resume_due();
        let booking_id = format!("GOOD-AT-{round}");
        let book = book_beside(&app, &booking_id);
        let (resumed, took) = tokio::join!(resume, book);
        resumed.unwrap();
        assert!(took < DELAY_MAX, "round {round}, while others are resumed: {took:?} beside {poison:?}");
    }
    app.end_with_work_left().await;
}

/// Bookings of one source system whose calls hang don't take all slots of the worker: what is due of another is resumed.
#[tokio::test]
async fn what_hangs_leaves_slots_to_what_is_due_of_others() {
    let app = TestApp::builder().setting("WORKER__CLAIM_MAX", "5").start().await;
    let soon = Effect::ThrottledBeforeWork { retry_after: Some("1".to_owned()) };
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, soon).times(9));
    for n in 0..8 {
        let body = of(n, &format!("POISON-{n}"));
        app.book_preferring(Who::Desk, "respond-async", &body).await.expect(202);
        app.idle().await;
    }
    app.clock.advance(Duration::from_millis(1));
    app.book_preferring(Who::OtherSystem, "respond-async", &of(9_999, "GOOD")).await.expect(202);
    app.idle().await;
    let slow = Effect::SlowBeforeWork { milliseconds: 2_000 };
    for n in 0..8 {
        let fault = InjectedFault::on(Operation::CreateOrGet, slow.clone());
        app.simulator.inject(fault.for_organizer(organizer_id(n)).always());
    }
    app.clock.advance(Duration::from_secs(3));
    let good = async {
        loop {
            let found = app.get(Who::OtherSystem, "/v1/bookings/GOOD").await.expect(200).json();
            if found["status"] == "provisioned" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let (resumed, good) = tokio::join!(app.resume_due(), tokio::time::timeout(DELAY_MAX, good));
    good.expect("it is resumed beside those that hang");
    assert_eq!(resumed.unwrap(), 5, "four of one source system, and one of the other");
    app.simulator.clear_faults();
    while app.resume_after(Duration::from_mins(1)).await > 0 {}
    app.end().await;
}

/// One key with bodies that never come takes its share of the places, and is told so; another one's requests are answered.
#[tokio::test]
async fn slow_bodies_leave_places_to_others() {
    let app = TestApp::builder().setting("HTTP__REQUESTS_MAX", "5").start().await;
    let address = app.url("").replace("http://", "");
    let mut slow = Vec::new();
    for n in 0..4 {
        let mut connection = KeptConnection::to(&address).await.unwrap();
        connection.send(head(1_000).as_bytes()).await.unwrap();
        slow.push(connection);
        let in_flight = "meeting_provisioner_http_requests_in_flight";
        app.until_metric(in_flight, |count| count > f64::from(n) + 0.5).await;
    }
    let answer = app.book(Who::Desk, &of(1, "BK-1")).await;
    let problem = answer.problem(503, "overloaded");
    assert!(problem["detail"].as_str().unwrap().contains("Your source system"), "{problem}");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(book_beside(&app, "GOOD").await < DELAY_MAX);
    assert_eq!(app.get(Who::Stranger, "/v1/bookings/GOOD").await.status, 401);
    let refused = "meeting_provisioner_http_refused_total{refused=\"request-share\"}";
    assert!((app.metric(refused).await - 1.0).abs() < 0.5);
    drop(slow);
    app.end().await;
}

/// One key whose requests wait takes its share of the waits; another one's wait for their meetings.
#[tokio::test]
async fn many_waits_leave_waits_to_others() {
    let app = TestApp::builder().setting("HTTP__WAITING_MAX", "5").start().await;
    let slow = Effect::SlowBeforeWork { milliseconds: 3_000 };
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, slow).times(5));
    let ids = ["BK-0", "BK-1", "BK-2", "BK-3", "BK-4"];
    let waits = ids
        .iter()
        .enumerate()
        .map(|(n, id)| (of(n, id), app.request(Who::Desk, reqwest::Method::POST, "/v1/bookings")));
    let waits = waits.map(|(body, request)| request.header("Prefer", "wait=30").json(&body).send());
    let mut statuses: Vec<u16> = futures_util::future::join_all(waits)
        .await
        .into_iter()
        .map(|answer| answer.unwrap().status().as_u16())
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 201, 201, 201, 202], "the fifth is accepted and does not wait");
    let refused = "meeting_provisioner_http_refused_total{refused=\"wait-share\"}";
    assert!((app.metric(refused).await - 1.0).abs() < 0.5);
    assert!(book_beside(&app, "GOOD").await < DELAY_MAX);
    app.idle().await;
    app.end().await;
}

/// Statements of one key that hang at Postgres use its share of the connections; another one's bookings are made, and the
/// replica stays ready.
#[tokio::test]
async fn slow_statements_leave_connections_to_others() {
    let app = TestApp::builder().setting("DATABASE__CONNECTIONS_MAX", "4").start().await;
    app.book(Who::Desk, &of(1, "BK-1")).await.expect(201);
    let mut holder = app.pool.begin().await.unwrap();
    sqlx::query("select from booking where booking_id = 'BK-1' for update")
        .execute(&mut *holder)
        .await
        .unwrap();
    let changes = ["a", "b", "c", "d"].map(|subject| {
        let body = booking_with("BK-1", json!({"organizer": organizer_id(1), "subject": subject}));
        let request = app.request(Who::Desk, reqwest::Method::PUT, "/v1/bookings/BK-1").json(&body).send();
        async move { request.await.unwrap() }
    });
    let neighbour = async {
        let refused = "meeting_provisioner_http_refused_total{refused=\"connection-share\"}";
        app.until_metric(refused, |count| count > 0.5).await;
        let took = book_beside(&app, "GOOD").await;
        assert_eq!(app.probe("/readyz").await, 200);
        holder.rollback().await.unwrap();
        took
    };
    let (answers, took) = tokio::join!(futures_util::future::join_all(changes), neighbour);
    assert!(took < DELAY_MAX, "{took:?}");
    let refused: Vec<_> = answers.into_iter().filter(|answer| answer.status().as_u16() == 503).collect();
    assert_eq!(refused.len(), 1, "three hold connections, one waited for its share");
    let problem: Value =
        serde_json::from_str(&refused.into_iter().next().unwrap().text().await.unwrap()).unwrap();
    assert_eq!(problem["code"], "overloaded");
    app.idle().await;
    while app.resume_after(Duration::from_mins(1)).await > 0 {}
    app.end().await;
}
