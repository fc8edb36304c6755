//! The service as the role of `deploy/grants.sql`: what it lacks, and what Postgres refuses, is told as what it is.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation, OrganizerState};

use crate::support::postgres::empty_database;
use crate::support::process::program;
use crate::support::{ORGANIZER, TestApp, Who, booking};

/// What the doctor prints, with one blank wherever a line ends or columns are filled up.
pub async fn doctor(app: &TestApp, more: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut environment = app.environment().to_vec();
    let more = more.iter().map(|(name, value)| (format!("MEETING_PROVISIONER__{name}"), (*value).to_owned()));
    environment.extend(more);
    let output = program(&["doctor"], &environment).output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), text.split_whitespace().collect::<Vec<_>>().join(" "))
}

async fn run_as_owner(app: &TestApp, statement: String) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&app.pool).await.unwrap();
}

async fn readyz(app: &TestApp) -> (u16, String) {
    let answer = reqwest::get(app.admin_url("/readyz")).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The role of the service, as the database knows it.
async fn role(app: &TestApp) -> String {
    let roles = sqlx::query_scalar(
        "select grantee::text from information_schema.role_table_grants where table_name = 'graph_pause' and grantee <> current_user limit 1",
    );
    roles.fetch_one(&app.pool).await.unwrap()
}

/// Each line of the file that is taken back is named by the doctor, with the file that mends it; with all of them all is well.
#[tokio::test]
async fn each_missing_privilege_is_named() {
    let app = TestApp::builder().at_real_time().start().await;
    let (status, text) = doctor(&app, &[]).await;
    assert_eq!(status, Some(0), "{text}");
    let role = role(&app).await;
    let grants = include_str!("../../deploy/grants.sql");
    let lines = grants.lines().filter(|line| line.starts_with("grant "));
    for line in lines {
        let grant = line.replace(":\"role\"", &role);
        let revoke = grant.replacen("grant ", "revoke ", 1);
        let (before, behind) = revoke.rsplit_once(" to ").unwrap();
        run_as_owner(&app, format!("{before} from {behind}")).await;
        let (status, text) = doctor(&app, &[]).await;
        assert_eq!(status, Some(1), "{line}: {text}");
        let object = grant.rsplit_once(" on ").unwrap().1.split_once(" to ").unwrap().0;
        for expected in ["WRONG privileges", object, "deploy/grants.sql"] {
            assert!(text.contains(expected), "{line}: {expected} is missing in {text}");
        }
        run_as_owner(&app, grant).await;
    }
    let (status, text) = doctor(&app, &[]).await;
    assert_eq!(status, Some(0), "{text}");
    app.end().await;
}

/// What is parked, and for how long Graph asked to be left alone, is noted; that is no fault of the installation.
#[tokio::test]
async fn the_doctor_tells_of_backlog_and_pauses() {
    let app = TestApp::builder().at_real_time().start().await;
    app.simulator.declare(uuid::Uuid::parse_str(ORGANIZER).unwrap(), OrganizerState::Refused, None);
    app.book(Who::Desk, &booking("BK-1")).await.problem(422, "graph-refused");
    run_as_owner(&app, "insert into graph_pause values ('application', now() + interval '5 min')".to_owned())
        .await;
    let (status, text) = doctor(&app, &[]).await;
    assert_eq!(status, Some(0), "{text}");
    for expected in
        ["note backlog 1 failed with graph-refused since 2", "note pause", "no calls for application"]
    {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    assert!(text.contains("see what is noted"), "{text}");
    app.end().await;
}

/// A worker that can't read the pauses resumes what is due all the same.
#[tokio::test]
async fn pauses_that_cannot_be_read_hold_up_no_claim() {
    let app = TestApp::start().await;
    app.simulator.inject(InjectedFault::on(
        Operation::CreateOrGet,
        Effect::ThrottledBeforeWork { retry_after: Some("5".to_owned()) },
    ));
    app.book_and_look(&booking("BK-1")).await;
    let role = role(&app).await;
    run_as_owner(&app, format!("revoke select on graph_pause from {role}")).await;
    assert_eq!(app.resume_after(Duration::from_mins(1)).await, 1);
    assert_eq!(app.booking("BK-1").await["status"], "provisioned");
    app.end().await;
}

/// A replica whose worker can't claim for a minute takes requests still, and says what is wrong; so does a metric.
#[tokio::test]
async fn a_worker_that_cannot_claim_is_told_of() {
    let app = TestApp::start().await;
    let role = role(&app).await;
    run_as_owner(&app, format!("revoke update (lease_until) on booking from {role}")).await;
    let failing = "meeting_provisioner_claims_failing_seconds";
    for (wait, degraded) in [(0, false), (59, false), (1, true)] {
        app.clock.advance(Duration::from_secs(wait));
        app.resume_due().await.unwrap_err();
        let (status, text) = readyz(&app).await;
        assert_eq!((status, text.contains("degraded")), (200, degraded), "{text}");
        assert_eq!(text.contains("permission denied"), degraded, "{text}");
    }
    assert!((app.metric(failing).await - 60.0).abs() < 0.5);
    run_as_owner(&app, format!("grant update (lease_until) on booking to {role}")).await;
    app.resume_due().await.unwrap();
    assert_eq!(readyz(&app).await, (200, "ready\n".to_owned()));
    assert!(app.metric(failing).await.abs() < 0.5);
    app.end().await;
}

/// Postgres is there and takes no writes, has no connection left, or is an empty database: the doctor says which.
#[tokio::test]
async fn the_doctor_gives_the_true_cause() {
    let app = TestApp::builder().at_real_time().start().await;
    let role = role(&app).await;
    run_as_owner(
        &app,
        format!(
            "alter role {role} in database {} set default_transaction_read_only = on",
            database(&app).await
        ),
    )
    .await;
    let (status, text) = doctor(&app, &[]).await;
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("WRONG writes") && text.contains("read-only transaction"), "{text}");
    run_as_owner(
        &app,
        format!("alter role {role} in database {} reset default_transaction_read_only", database(&app).await),
    )
    .await;

    run_as_owner(&app, format!("alter database {} connection limit 0", database(&app).await)).await;
    let (status, text) = doctor(&app, &[]).await;
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("WRONG database") && text.contains("too many connections"), "{text}");
    run_as_owner(&app, format!("alter database {} connection limit -1", database(&app).await)).await;

    let empty = empty_database().await;
    let (status, text) = doctor(&app, &[("DATABASE__URL", &empty.url)]).await;
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("WRONG schema") && text.contains("is empty, or another one"), "{text}");
    app.end().await;
}

async fn database(app: &TestApp) -> String {
    sqlx::query_scalar("select current_database()::text").fetch_one(&app.pool).await.unwrap()
}

/// A statement that is given up does not run on: Postgres ends it by itself.
#[tokio::test]
async fn no_statement_outlives_its_limit() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let mut holder = app.pool.begin().await.unwrap();
    sqlx::query("lock table booking").execute(&mut *holder).await.unwrap();
    app.get(Who::Desk, "/v1/bookings/BK-1").await.problem(503, "store-unavailable");
    let running = "select count(*) from pg_stat_activity where application_name = 'meeting-provisioner'
        and datname = current_database() and state = 'active'";
    let ended = async {
        while sqlx::query_scalar::<_, i64>(running).fetch_one(&app.pool).await.unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    // The lock is held all the while: only Postgres can have ended it.
    tokio::time::timeout(Duration::from_secs(5), ended).await.expect("a statement runs on");
    holder.rollback().await.unwrap();
    app.get(Who::Desk, "/v1/bookings/BK-1").await.expect(200);
    app.end().await;
}

/// What the role of the service may write is no more than the service does: events get their numbers, their transaction and the
/// time of their recording from Postgres, and say of when they are to two hours; what was written stays. A join link can be
/// changed by that role, and the audit names it.
#[tokio::test]
async fn the_role_cannot_forge_the_history() {
    let app = TestApp::builder().at_real_time().start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let restored = "alter table audit_event add constraint audit_event_occurred_when_recorded check (
        occurred_at between recorded_at - interval '2 hours' and recorded_at + interval '2 hours')";
    run_as_owner(&app, restored.to_owned()).await;
    let (_, url) = app.environment().iter().find(|(name, _)| name.ends_with("DATABASE__URL")).unwrap();
    let as_service = sqlx::PgPool::connect(url).await.unwrap();
    let forged = |columns: &str, values: &str| {
        format!(
            "insert into audit_event ({columns} event_type, source_system, booking_id, generation, number, external_id, actor, payload)
             values ({values} 'booking.retried', 'room-booking', 'BK-1', 1, 9, gen_random_uuid(), 'api-key:op', '{{}}')"
        )
    };
    for (statement, refused) in [
        (forged("occurred_at, event_id,", "now(), 1,"), "cannot insert a non-DEFAULT value"),
        (forged("occurred_at, transaction_id,", "now(), '3',"), "permission denied"),
        (forged("occurred_at, recorded_at,", "now(), now(),"), "permission denied"),
        (forged("occurred_at,", "now() - interval '3 hours',"), "audit_event_occurred_when_recorded"),
        (forged("occurred_at,", "now() + interval '3 hours',"), "audit_event_occurred_when_recorded"),
        ("update audit_event set actor = 'worker'".to_owned(), "permission denied"),
        ("delete from audit_event".to_owned(), "permission denied"),
        ("update booking set external_id = gen_random_uuid()".to_owned(), "permission denied"),
    ] {
        let error =
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement.clone())).execute(&as_service).await.unwrap_err();
        assert!(error.to_string().contains(refused), "{statement}: {error}");
    }
    assert_eq!(crate::self_audit::audit(&app, &[]).await.0, Some(0));
    let tampered = "update booking set join_web_url = 'https://evil.example/join'";
    sqlx::query(tampered).execute(&as_service).await.unwrap();
    let (status, text) = crate::self_audit::audit(&app, &[]).await;
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("room-booking/BK-1 generation 1 (join-link)"), "{text}");
    assert!(!text.contains("evil.example"), "{text}");
    as_service.close().await;
    app.end().await;
}
