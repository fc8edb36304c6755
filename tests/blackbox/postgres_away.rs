//! Postgres goes away, comes back, is full, is slow or takes no writes: requests are refused, readiness shows it, nothing
//! is half written, and the service recovers by itself.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use meeting_provisioner::local_postgres::{LocalPostgres, StopMode};
use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};
use serde_json::json;
use sqlx::{Connection, PgConnection, PgPool};

use crate::support::postgres::local::local_settings;
use crate::support::process::Process;
use crate::support::{ApiResponse, TestApp, Who, booking};

const IN_TIME: Duration = Duration::from_secs(30);

/// Ends every connection of the service; its next ones have the settings of the database.
const TERMINATE: &str = "select pg_terminate_backend(pid) from pg_stat_activity
    where application_name like 'meeting-provisioner%' and datname = current_database()";

/// A fault of Postgres: statements that begin it and end it, each run in `{database}`.
struct PostgresFault {
    name: &'static str,
    begins: Vec<String>,
    ends: Vec<String>,
}

/// What any insert into the history fails with.
fn raising(name: &'static str, code: &str) -> PostgresFault {
    let function = format!(
        "create function trouble() returns trigger language plpgsql as
         $$ begin raise exception 'provoked' using errcode = '{code}'; end $$"
    );
    let trigger = "create trigger trouble before insert on audit_event execute function trouble()";
    PostgresFault {
        name,
        begins: vec![function, trigger.to_owned()],
        ends: vec!["drop function trouble cascade".to_owned()],
    }
}

fn postgres_faults() -> Vec<PostgresFault> {
    let slow = "create function trouble() returns trigger language plpgsql as
         $$ begin perform pg_sleep(60); return null; end $$";
    let trigger = "create trigger trouble before insert on audit_event execute function trouble()";
    vec![
        raising("disk full", "53100"),
        raising("out of memory", "53200"),
        raising("serialization failure", "40001"),
        raising("deadlock", "40P01"),
        PostgresFault {
            name: "statement timeout",
            begins: vec![
                slow.to_owned(),
                trigger.to_owned(),
                "alter database {database} set statement_timeout = '200ms'".to_owned(),
                TERMINATE.to_owned(),
            ],
            ends: vec![
                "drop function trouble cascade".to_owned(),
                "alter database {database} reset statement_timeout".to_owned(),
                TERMINATE.to_owned(),
            ],
        },
        PostgresFault {
            name: "read-only",
            begins: vec![
                "alter database {database} set default_transaction_read_only = on".to_owned(),
                TERMINATE.to_owned(),
            ],
            // Nothing is terminated: sessions that began read-only stay so, and must be left by the service itself.
            ends: vec!["alter database {database} reset default_transaction_read_only".to_owned()],
        },
    ]
}

/// Runs statements in a session that no setting of the database touches.
async fn run(pool: &PgPool, statements: &[String]) {
    let mut session = PgConnection::connect_with(&pool.connect_options()).await.unwrap();
    sqlx::raw_sql("set default_transaction_read_only = off").execute(&mut session).await.unwrap();
    sqlx::raw_sql("set statement_timeout = 0").execute(&mut session).await.unwrap();
    let database: String =
        sqlx::query_scalar("select current_database()").fetch_one(&mut session).await.unwrap();
    for statement in statements {
        let statement = statement.replace("{database}", &database);
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut session).await.unwrap();
    }
}

async fn rows(app: &TestApp) -> (i64, i64) {
    sqlx::query_as("select (select count(*) from booking), (select count(*) from audit_event)")
        .fetch_one(&app.pool)
        .await
        .unwrap()
}

fn assert_refused(answer: &ApiResponse, name: &str) {
    let problem = answer.problem(503, "store-unavailable");
    assert_eq!(problem["retryable"], true, "{name}");
    assert!(answer.header("retry-after").is_some(), "{name}");
}

/// A new booking meets the fault: refused, nothing stored, not ready; and all is well when it has passed.
#[tokio::test]
async fn a_refused_booking_leaves_nothing_behind() {
    for fault in postgres_faults() {
        let app = TestApp::start().await;
        app.book(Who::Desk, &booking("BK-1")).await.expect(201);
        let before = rows(&app).await;
        run(&app.pool, &fault.begins).await;
        assert_refused(&app.book(Who::Desk, &booking("BK-2")).await, fault.name);
        assert_eq!(app.probe("/readyz").await, 503, "{}", fault.name);
        assert_eq!(app.probe("/livez").await, 200, "{}", fault.name);
        let reschedule =
            json!({"startDateTime": "2026-12-02T09:00:00Z", "endDateTime": "2026-12-02T09:30:00Z"});
        assert_refused(&app.declare(&crate::support::booking_with("BK-1", reschedule)).await, fault.name);
        assert_refused(&app.delete("BK-1", &[]).await, fault.name);
        app.book(Who::Desk, &booking("BK-1")).await.expect(200);
        assert_eq!(rows(&app).await, before, "{}: nothing is half written", fault.name);
        run(&app.pool, &fault.ends).await;
        until_booked(&app, "BK-2").await;
        app.until_readyz(200).await;
        app.delete("BK-1", &[]).await.expect(200);
        assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), 2, "{}", fault.name);
        assert_eq!(app.history("BK-2").await, ["booking.accepted", "meeting.created"], "{}", fault.name);
        app.end().await;
    }
}

/// A call is under way when the fault begins: its answer is kept in memory, and settled when the fault has passed.
#[tokio::test]
async fn a_call_under_way_is_settled_after_the_fault() {
    for fault in postgres_faults() {
        let app = TestApp::start().await;
        app.simulator
            .inject(InjectedFault::on(Operation::CreateOrGet, Effect::SlowAfterWork { milliseconds: 2_000 }));
        app.book_preferring(Who::Desk, "respond-async", &booking("BK-1")).await.expect(202);
        app.simulator.wait_for_call(IN_TIME, |call| call.work_done).await.unwrap();
        run(&app.pool, &fault.begins).await;
        // The settlement has failed once when readiness shows it.
        app.until_readyz(503).await;
        assert_eq!(rows(&app).await, (1, 1), "{}", fault.name);
        run(&app.pool, &fault.ends).await;
        app.idle().await;
        app.until_readyz(200).await;
        let body = app.booking("BK-1").await;
        assert_eq!(
            (&body["status"], &body["attempts"]),
            (&json!("provisioned"), &json!(1)),
            "{}",
            fault.name
        );
        assert_eq!(app.history("BK-1").await, ["booking.accepted", "meeting.created"], "{}", fault.name);
        assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), 1, "{}", fault.name);
        app.end().await;
    }
}

/// What is due while the fault lasts is resumed after it, with a history in which nothing is missing.
#[tokio::test]
async fn a_due_booking_is_resumed_after_the_fault() {
    for fault in postgres_faults() {
        let app = TestApp::start().await;
        app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, Effect::AnswerLost));
        app.book_and_look(&booking("BK-1")).await;
        // An attempt that was abandoned, so that the claim has an event to write.
        sqlx::query(
            "update booking set lease_attempt_id = gen_random_uuid(), lease_started_at = due_at, lease_until = due_at",
        )
        .execute(&app.pool)
        .await
        .unwrap();
        run(&app.pool, &fault.begins).await;
        app.clock.advance(Duration::from_secs(10));
        let refused = app.resume_due().await;
        assert!(refused.is_err(), "{}: {refused:?}", fault.name);
        run(&app.pool, &fault.ends).await;
        let resumed = async { while !matches!(app.resume_due().await, Ok(1)) {} };
        tokio::time::timeout(IN_TIME, resumed).await.unwrap();
        let history = ["booking.accepted", "call.unknown", "call.unknown", "meeting.found"];
        assert_eq!(app.history("BK-1").await, history, "{}", fault.name);
        assert_eq!(app.simulator.meetings().len(), 1, "{}", fault.name);
        app.end().await;
    }
}

async fn until_booked(app: &TestApp, booking_id: &str) {
    let body = booking(booking_id);
    let booked = async {
        loop {
            let answer = app.book(Who::Desk, &body).await;
            if answer.status == 201 {
                return;
            }
            assert_refused(&answer, booking_id);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(IN_TIME, booked).await.expect("never booked");
}

/// A server of a test's own is stopped and started, in both ways, under a process that runs as in production: requests are
/// refused meanwhile, and requests, worker and listener recover by themselves.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_survives_a_restart_of_postgres() {
    let start = tokio::task::spawn_blocking(|| LocalPostgres::start(&local_settings()));
    let postgres = start.await.unwrap().unwrap();
    let app = TestApp::builder().own_server(&postgres.url("postgres")).start().await;
    let process = Process::serve(app.environment()).await;
    for (turn, mode) in [StopMode::Fast, StopMode::Immediate].into_iter().enumerate() {
        app.simulator.inject(InjectedFault::on(
            Operation::CreateOrGet,
            Effect::ThrottledBeforeWork { retry_after: Some("3".into()) },
        ));
        let due = format!("DUE-{turn}");
        app.book_preferring(Who::Desk, "respond-async", &booking(&due)).await.expect(202);
        app.idle().await;
        postgres.stop_server(mode).unwrap();
        assert_refused(&process.book(&booking("BK-1")).await.unwrap(), "stopped");
        assert_eq!(process.probe("/readyz").await, Some(503));
        assert_eq!(process.probe("/livez").await, Some(200));
        postgres.start_server_again().unwrap();
        recovers(&process, turn, &due).await;
    }
    assert_eq!(app.simulator.meetings().len(), 4);
    process.kill().await;
    app.end_with_work_left().await;
    tokio::task::spawn_blocking(move || postgres.stop()).await.unwrap().unwrap();
}

/// Connections to Postgres break under load, again and again: no caller notices, for each statement is repeated.
#[tokio::test]
async fn broken_connections_are_replaced_under_load() {
    let app = TestApp::builder().behind_proxy().start().await;
    let bodies: Vec<_> = (0..60).map(|n| booking(&format!("BK-{n}"))).collect();
    for some in bodies.chunks(10) {
        let break_them = async {
            // No more often than a statement is repeated.
            for _ in 0..4 {
                app.proxy().cut_all();
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let booked = futures_util::future::join_all(some.iter().map(|body| app.book(Who::Desk, body)));
        let (answers, ()) = tokio::join!(booked, break_them);
        for answer in answers {
            assert!(matches!(answer.status, 200..=202), "{}", answer.text);
        }
    }
    app.idle().await;
    assert_eq!(app.resume_due().await, Ok(0));
    assert_eq!(app.simulator.meetings().len(), 60);
    assert_eq!(rows(&app).await, (60, 120));
    app.end().await;
}

/// Few connections for many requests on several threads: each request gets its turn.
#[tokio::test]
async fn few_connections_serve_many_bookings() {
    let app = TestApp::builder().setting("DATABASE__CONNECTIONS_MAX", "2").start().await;
    for round in 0..5 {
        let bodies: Vec<_> = (0..40).map(|n| booking(&format!("BK-{}", round * 40 + n))).collect();
        let booked = futures_util::future::join_all(bodies.iter().map(|body| app.book(Who::Desk, body)));
        for answer in booked.await {
            answer.expect(201);
        }
    }
    app.end().await;
}

/// The network to Postgres is blocked for a process that runs as in production, and then nothing passes on it: requests are
/// refused in bounded time, and requests, worker and listener recover by themselves.
#[tokio::test]
async fn a_process_survives_a_blocked_network_to_postgres() {
    let app = TestApp::builder().behind_proxy().at_real_time().start().await;
    let process = Process::serve(app.environment()).await;
    for turn in 0..2 {
        let throttled = Effect::ThrottledBeforeWork { retry_after: Some("2".into()) };
        app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, throttled));
        let due = format!("DUE-{turn}");
        app.book_preferring(Who::Desk, "respond-async", &booking(&due)).await.expect(202);
        app.idle().await;
        if turn == 0 {
            app.proxy().go_away();
        } else {
            app.proxy().freeze();
        }
        assert_refused(&process.book(&booking("BK-1")).await.unwrap(), "blocked");
        assert_eq!(process.probe("/readyz").await, Some(503));
        if turn == 0 {
            app.proxy().come_back();
        } else {
            app.proxy().thaw();
        }
        recovers(&process, turn, &due).await;
    }
    process.kill().await;
    app.end_with_work_left().await;
}

/// New bookings are taken, what fell due is resumed by the worker of the process, and its listener listens.
async fn recovers(process: &Process, turn: usize, due: &str) {
    let made = async {
        while process.probe("/readyz").await != Some(200) {}
        process.book(&booking(&format!("NEW-{turn}"))).await.unwrap().expect(201);
        while process.send(reqwest::Method::GET, due, None).await.unwrap().json()["status"] != "provisioned" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        while !process.metrics().await.contains("\nmeeting_provisioner_listening 1\n") {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(IN_TIME, made).await.expect("the process recovers by itself");
}

/// A balancer forgets connections that are idle, without a word: the next request finds out within a second, however many
/// connections there were.
#[tokio::test]
async fn connections_that_a_balancer_forgot_cost_a_second_at_most() {
    let app = TestApp::builder().setting("DATABASE__CONNECTIONS_MAX", "16").behind_proxy().start().await;
    let bookings: Vec<_> = (0..16).map(|number| booking(&format!("BK-{number}"))).collect();
    for answer in join_all(bookings.iter().map(|body| app.book(Who::Desk, body))).await {
        answer.expect(201);
    }
    // Those idle for less are used without a question.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    app.proxy().forget_connections();
    let began = Instant::now();
    app.get(Who::Desk, "/v1/bookings/BK-1").await.expect(200);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    app.end().await;
}

/// While Postgres is away, what is measured of its bookings is left out: the last values would say that all is well.
#[tokio::test]
async fn gauges_that_can_not_be_read_vanish() {
    let app = TestApp::builder().behind_proxy().start().await;
    let scraped = async || reqwest::get(app.admin_url("/metrics")).await.unwrap().text().await.unwrap();
    let of_bookings = |text: &str| {
        let names =
            ["bookings_due ", "bookings{", "oldest_due_age_seconds ", "bookings_starting_soon_without_link "];
        names.map(|name| text.lines().any(|line| line.starts_with(&format!("meeting_provisioner_{name}"))))
    };
    assert_eq!(of_bookings(&scraped().await), [true; 4]);
    app.proxy().go_away();
    let text = scraped().await;
    assert_eq!(of_bookings(&text), [false; 4], "{text}");
    assert!(text.contains("\nmeeting_provisioner_http_requests_in_flight 0\n"), "{text}");
    app.proxy().come_back();
    assert_eq!(of_bookings(&scraped().await), [true; 4]);
    app.end().await;
}
