//! A caller whose connection is reset while Postgres is slow: what the statement stores all the same is carried out.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::kept_connection::KeptConnection;
use crate::support::{TestApp, Who, booking, until};

/// A request that opens an attempt, and what stands before it.
struct Case {
    name: &'static str,
    method: Method,
    path: &'static str,
    body: fn() -> Option<Value>,
    /// Makes a booking `failed` before.
    is_parked: bool,
    /// A booking is there before.
    is_known: bool,
    status: &'static str,
}

/// Each row that is written waits for a lock of the test's, so that the statement waits while it runs and not while it is
/// prepared: what is only prepared stores nothing.
const SLOW: &str = "
    create function wait_for_the_test() returns trigger language plpgsql as
        $$ begin perform pg_advisory_xact_lock_shared(4711); return new; end $$;
    create trigger wait_for_the_test before insert or update on booking
        for each row execute function wait_for_the_test();
";

const PARKED: &str = r#"
    update booking set status = 'failed', provisioned_at = null, agreement = 'unknown', agreed_revision = null,
        last_error = '{"code": "graph-refused", "at": "2026-11-23T08:00:00Z",
            "graph": {"startedAt": "2026-11-23T08:00:00Z", "durationMilliseconds": 1}}'
"#;

/// Each is sent, waits in Postgres for a lock, and is reset (RST, not FIN) before the lock is given.
#[tokio::test]
async fn an_attempt_whose_caller_is_reset_is_carried_out_at_once() {
    let moved = || {
        let mut moved = booking("BK-1");
        moved["subject"] = json!("Moved");
        Some(moved)
    };
    let case = |name, method, path, body| Case {
        name,
        method,
        path,
        body,
        is_parked: false,
        is_known: true,
        status: "provisioned",
    };
    for case in [
        Case { is_known: false, ..case("accept", Method::POST, "", || Some(booking("BK-1"))) },
        case("declare", Method::PUT, "/BK-1", moved),
        Case { status: "cancelled", ..case("cancel", Method::DELETE, "/BK-1", || None) },
        Case { is_parked: true, ..case("retry", Method::POST, "/BK-1/retry", || None) },
        case("check", Method::POST, "/BK-1/check", || None),
    ] {
        let app = TestApp::start().await;
        sqlx::raw_sql(SLOW).execute(&app.pool).await.unwrap();
        if case.is_known {
            app.book(Who::Desk, &booking("BK-1")).await.expect(201);
        }
        if case.is_parked {
            sqlx::query(PARKED).execute(&app.pool).await.unwrap();
        }
        let known = if case.is_known { app.history("BK-1").await.len() } else { 0 };
        // So long after Graph's last word a check asks it again.
        app.clock.advance(Duration::from_secs(5));
        reset_while_it_waits(&app, &case).await;
        assert!(app.resume_due().await.unwrap() > 0, "{}: nothing is carried out", case.name);
        assert_eq!(app.booking("BK-1").await["status"], case.status, "{}", case.name);
        let history = app.history("BK-1").await;
        assert!(history.len() > known, "{}: {history:?}", case.name);
        assert!(!history.contains(&"call.unknown".to_owned()), "{}: {history:?}", case.name);
        app.end().await;
    }
}

/// Sends the request, resets its connection while its statement waits, and lets the statement run then.
async fn reset_while_it_waits(app: &TestApp, case: &Case) {
    let mut holder = app.pool.begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(4711)").execute(&mut *holder).await.unwrap();
    let url = app.url("");
    let mut caller = KeptConnection::to(url.trim_start_matches("http://")).await.unwrap();
    let body = (case.body)().map_or_else(String::new, |body| body.to_string());
    let head = format!(
        "{} /v1/bookings{} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        case.method,
        case.path,
        Who::Desk.key().unwrap(),
        body.len()
    );
    caller.send(head.as_bytes()).await.unwrap();
    let waiting = "select count(*) from pg_locks join pg_database on pg_database.oid = database
        where datname = current_database() and locktype = 'advisory' and not granted";
    until(case.name, async || count(app, waiting).await == 1).await;
    caller.reset();
    app.until_metric("meeting_provisioner_http_requests_in_flight", |requests| requests < 1.0).await;
    holder.rollback().await.unwrap();
    let leased = "select count(*) from booking where lease_attempt_id is not null";
    until(case.name, async || count(app, leased).await == 1).await;
}

async fn count(app: &TestApp, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(&app.pool).await.unwrap()
}
