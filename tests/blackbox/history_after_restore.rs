//! Who follows the history goes on after a restore only from a place that is part of the history still.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use meeting_provisioner::local_postgres::{LocalPostgres, StopMode};
use serde_json::{Value, json};

use crate::support::postgres::local::local_settings;
use crate::support::process::Process;
use crate::support::{ApiResponse, TestApp, Who, booking, booking_with, until};

const ALL: &str = "/v1/audit-events?order=asc&limit=200";

/// A server whose data can be copied and put back.
struct Restorable {
    postgres: LocalPostgres,
    backup: tempfile::TempDir,
}

/// How a copy is put back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PutBack {
    /// As a snapshot of a disk: Postgres goes on as after a crash.
    AsItIs,
    /// As point-in-time recovery does: Postgres replays what there is and begins a new timeline.
    Recovered,
}

impl Restorable {
    async fn start() -> Self {
        let start = tokio::task::spawn_blocking(|| LocalPostgres::start(&local_settings()));
        Self { postgres: start.await.unwrap().unwrap(), backup: tempfile::tempdir().unwrap() }
    }

    fn cluster(&self) -> PathBuf {
        self.postgres.log_file().parent().unwrap().join("cluster")
    }

    fn back_up(&self) {
        self.postgres.stop_server(StopMode::Fast).unwrap();
        copy(&self.cluster(), &self.backup.path().join("cluster"));
        self.postgres.start_server_again().unwrap();
    }

    fn restore(&self, how: PutBack) {
        self.postgres.stop_server(StopMode::Fast).unwrap();
        std::fs::remove_dir_all(self.cluster()).unwrap();
        copy(&self.backup.path().join("cluster"), &self.cluster());
        if how == PutBack::Recovered {
            std::fs::write(self.cluster().join("recovery.signal"), "").unwrap();
            let settings = self.cluster().join("postgresql.auto.conf");
            let text = std::fs::read_to_string(&settings).unwrap();
            std::fs::write(settings, format!("{text}restore_command = 'false'\n")).unwrap();
        }
        self.postgres.start_server_again().unwrap();
    }
}

/// With owners and modes.
fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(status.success());
}

async fn page(app: &TestApp, path: &str, cursor: Option<&str>) -> ApiResponse {
    let cursor = cursor.map_or(String::new(), |cursor| format!("&cursor={cursor}"));
    app.get(Who::Auditor, &format!("{path}{cursor}")).await
}

fn cursor(page: &Value) -> String {
    page["nextCursor"].as_str().unwrap().to_owned()
}

fn of_booking(id: &str) -> String {
    format!("/v1/bookings/{id}/audit-events?sourceSystem=room-booking&limit=200")
}

/// The cursor at the end of the history of all, once all of it is listed.
async fn followed_to_the_end(app: &TestApp) -> String {
    let events: i64 =
        sqlx::query_scalar("select count(*) from audit_event").fetch_one(&app.pool).await.unwrap();
    app.history_is_listed(usize::try_from(events).unwrap()).await;
    cursor(&page(app, ALL, None).await.expect(200).json())
}

/// Waits until the service has connections again after the server was stopped.
async fn connected(app: &TestApp) {
    until("connections are back", async || {
        let is_read = sqlx::query("select 1").execute(&app.pool).await.is_ok();
        let is_ready = app.probe("/readyz").await == 200;
        is_read && is_ready && app.get(Who::Desk, "/v1/bookings/KEPT-0").await.status == 200
    })
    .await;
}

/// Waits until a replica that runs for a while has marked how far the history reaches.
async fn marked(app: &TestApp) {
    let process = Process::serve(app.environment()).await;
    until("the history is marked", async || {
        let marks: i64 =
            sqlx::query_scalar("select count(*) from database_timeline").fetch_one(&app.pool).await.unwrap();
        marks > 0
    })
    .await;
    process.terminate();
    process.ended(Duration::from_secs(20)).await;
}

/// After a restore to an earlier moment, transactions and events get numbers again that others had. A cursor from behind that
/// moment is refused, also once the database has counted past it; one from before goes on; and from the time that the refusal
/// names, everything is listed.
#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_a_history_that_is_gone_is_refused() {
    let server = Restorable::start().await;
    let app = TestApp::builder().own_server(&server.postgres.url("postgres")).start().await;
    for n in 0..3 {
        app.book(Who::Desk, &booking(&format!("KEPT-{n}"))).await.expect(201);
    }
    let early = cursor(&page(&app, "/v1/audit-events?order=asc&limit=1", None).await.expect(200).json());
    let early_of_one = cursor(&page(&app, &of_booking("KEPT-0"), None).await.expect(200).json());
    marked(&app).await;
    server.back_up();
    connected(&app).await;

    app.book(Who::Desk, &booking("GONE")).await.expect(201);
    app.declare(&booking_with("KEPT-1", json!({"subject": "Gone"}))).await.expect(200);
    let late = followed_to_the_end(&app).await;
    let late_of_one = cursor(&page(&app, &of_booking("KEPT-1"), None).await.expect(200).json());
    for (path, cursor) in [(ALL.to_owned(), &late), (of_booking("KEPT-1"), &late_of_one)] {
        page(&app, &path, Some(cursor)).await.expect(200);
    }

    server.restore(PutBack::AsItIs);
    connected(&app).await;
    let problem = page(&app, ALL, Some(&late)).await.problem(410, "cursor-outdated");
    assert_eq!(problem["retryable"], false);

    server.restore(PutBack::Recovered);
    connected(&app).await;
    page(&app, ALL, Some(&late)).await.problem(410, "cursor-outdated");
    for n in 0..12 {
        app.book(Who::Desk, &booking(&format!("LATER-{n}"))).await.expect(201);
    }
    app.declare(&booking_with("KEPT-1", json!({"subject": "Other"}))).await.expect(200);
    let problem = page(&app, ALL, Some(&late)).await.problem(410, "cursor-outdated");
    page(&app, &of_booking("KEPT-1"), Some(&late_of_one)).await.problem(410, "cursor-outdated");

    let detail = problem["detail"].as_str().unwrap();
    let from = detail.split("the time ").nth(1).unwrap().split(',').next().unwrap();
    let _end = followed_to_the_end(&app).await;
    let again = page(&app, &format!("{ALL}&from={from}"), None).await.expect(200).json();
    let names = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|event| event["bookingId"].to_string()).collect()
    };
    assert!((0..12).all(|n| names(&again).contains(&format!("\"LATER-{n}\""))), "{again}");
    let rest = page(&app, "/v1/audit-events?order=asc&limit=1", Some(&early)).await.expect(200).json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 1, "what lies before the restore goes on: {rest}");
    page(&app, &of_booking("KEPT-0"), Some(&early_of_one)).await.expect(200);

    app.end_with_work_left().await;
    tokio::task::spawn_blocking(move || server.postgres.stop()).await.unwrap().unwrap();
}

/// A role that may not ask Postgres for its timeline follows the history all the same.
#[tokio::test]
async fn a_history_without_a_timeline_is_followed() {
    let app = TestApp::start().await;
    let closed =
        "create or replace function current_timeline(out system_identifier bigint, out timeline_id integer)
        language sql as 'select null::bigint, null::integer'";
    sqlx::query(closed).execute(&app.pool).await.unwrap();
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let end = followed_to_the_end(&app).await;
    app.book(Who::Desk, &booking("BK-2")).await.expect(201);
    until("the next events are listed", async || {
        let next = page(&app, ALL, Some(&end)).await.expect(200).json();
        next["items"].as_array().unwrap().len() == 2
    })
    .await;
    app.end().await;
}
