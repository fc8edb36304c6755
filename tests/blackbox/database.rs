//! Postgres goes away and comes back; schemas grow under rows that are there.

use std::borrow::Cow;
use std::time::Duration;

use meeting_provisioner::local_postgres::{LocalPostgres, StopMode};
use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};
use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection};

use crate::support::postgres::{empty_database, local::local_settings};
use crate::support::{TestApp, Who, booking};

/// While Postgres is away nothing is accepted, and the answer says so; when it is back the service goes on by itself.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_goes_away_and_comes_back() {
    let start = tokio::task::spawn_blocking(|| LocalPostgres::start(&local_settings()));
    let postgres = start.await.unwrap().unwrap();
    let app = TestApp::builder().own_server(&postgres.url("postgres")).start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    postgres.stop_server(StopMode::Immediate).unwrap();
    let problem = app.book(Who::Desk, &booking("BK-2")).await.problem(503, "store-unavailable");
    assert_eq!(problem["retryable"], true);
    app.get(Who::Desk, "/v1/bookings/BK-1").await.problem(503, "store-unavailable");
    assert_eq!(reqwest::get(app.admin_url("/readyz")).await.unwrap().status(), 503);
    assert_eq!(reqwest::get(app.admin_url("/livez")).await.unwrap().status(), 200);
    postgres.start_server_again().unwrap();
    app.book(Who::Desk, &booking("BK-2")).await.expect(201);
    app.book(Who::Desk, &booking("BK-1")).await.expect(200);
    assert_eq!(reqwest::get(app.admin_url("/readyz")).await.unwrap().status(), 200);
    assert_eq!(app.simulator.meetings().len(), 2);
    app.end_with_work_left().await;
    tokio::task::spawn_blocking(move || postgres.stop()).await.unwrap().unwrap();
}

/// Many requests at once on few connections, which the threads of the service hand to each other: each gets one in time.
#[tokio::test]
async fn every_request_gets_a_connection_in_time() {
    let app = TestApp::builder().setting("DATABASE__CONNECTIONS_MAX", "3").start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    for round in 0..40 {
        let asked = (0..24).map(|_| app.get(Who::Desk, "/v1/bookings/BK-1"));
        let answers = futures_util::future::join_all(asked).await;
        assert!(answers.iter().all(|answer| answer.status == 200), "round {round}: {answers:?}");
    }
    app.end().await;
}

/// Connections that Postgres ended are replaced without a caller noticing.
#[tokio::test]
async fn terminated_connections_are_replaced() {
    let app = TestApp::start().await;
    for n in 0..5 {
        sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'meeting-provisioner' and datname = current_database()")
            .execute(&app.pool)
            .await
            .unwrap();
        app.book(Who::Desk, &booking(&format!("BK-{n}"))).await.expect(201);
        app.book(Who::Desk, &booking("BK-0")).await.expect(200);
    }
    app.end().await;
}

/// A row that can't be read, whatever happened to it, holds up no other booking.
#[tokio::test]
async fn a_row_that_cannot_be_read_holds_up_no_other() {
    let app = TestApp::start().await;
    let effect = Effect::ThrottledBeforeWork { retry_after: Some("5".to_owned()) };
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect));
    for booking_id in ["BROKEN", "BK-1"] {
        app.book_and_look(&booking(booking_id)).await;
    }
    sqlx::query("update booking set wanted = '{}' where booking_id = 'BROKEN'")
        .execute(&app.pool)
        .await
        .unwrap();
    assert_eq!(app.resume_after(Duration::from_secs(10)).await, 1);
    assert_eq!(app.booking("BK-1").await["status"], "provisioned");
    app.get(Who::Desk, "/v1/bookings/BROKEN").await.problem(500, "internal-error");
    app.end_with_work_left().await;
}

/// Each migration is run on an empty database and on one that holds rows, and the rows are still there.
#[tokio::test]
async fn migrations_keep_the_rows_that_are_there() {
    static ALL: Migrator = sqlx::migrate!("./migrations");
    let first = Migrator { migrations: Cow::Owned(ALL.migrations[..1].to_vec()), ..Migrator::DEFAULT };
    let database = empty_database().await;
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    first.run(&mut connection).await.unwrap();
    sqlx::query(
        "insert into booking (source_system, booking_id, generation, external_id, revision, status, wanted,
             wanted_revision, desired_state, organizer, start_at, end_at, creation_unknown, due_at, created_at, updated_at)
         values ('crm', 'OLD', 1, gen_random_uuid(), 1, 'pending', '{}', 1, 'present', 'o@contoso.com', now(), now(),
             false, now(), now(), now())",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    ALL.run(&mut connection).await.unwrap();
    ALL.run(&mut connection).await.unwrap();
    let kept: i64 = sqlx::query_scalar("select count(*) from booking where booking_id = 'OLD'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(kept, 1);
}

/// Every table, column, constraint, index, function, trigger and type says in the database what it is for.
#[tokio::test]
async fn the_schema_explains_itself() {
    let app = TestApp::start().await;
    let unexplained: Vec<String> = sqlx::query_scalar(
        "with ours as (
            select oid, relname from pg_class
            where relnamespace = 'public'::regnamespace and relname <> '_sqlx_migrations' and relkind in ('r', 'p')
         )
         select relname::text from ours where obj_description(oid, 'pg_class') is null
         union all
         select relname || '.' || attname from ours join pg_attribute on attrelid = ours.oid
         where attnum > 0 and not attisdropped and col_description(ours.oid, attnum) is null
         union all
         select conname from ours join pg_constraint on conrelid = ours.oid
         where contype <> 'n' and obj_description(pg_constraint.oid, 'pg_constraint') is null
         union all
         select indexrelid::regclass::text from ours join pg_index on indrelid = ours.oid
         where obj_description(indexrelid, 'pg_class') is null
             and not exists (select from pg_constraint where conindid = indexrelid)
         union all
         select tgname from ours join pg_trigger on tgrelid = ours.oid
         where not tgisinternal and obj_description(pg_trigger.oid, 'pg_trigger') is null
         union all
         select proname from pg_proc
         where pronamespace = 'public'::regnamespace and obj_description(oid, 'pg_proc') is null
         union all
         select typname from pg_type join pg_class on pg_class.oid = typrelid
         where typnamespace = 'public'::regnamespace and relkind = 'c' and obj_description(pg_type.oid, 'pg_type') is null",
    )
    .fetch_all(&app.pool)
    .await
    .unwrap();
    assert_eq!(unexplained, [""; 0]);
    app.end().await;
}

/// The schema itself refuses rows that can't be true.
#[tokio::test]
async fn the_schema_refuses_what_cannot_be_true() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    app.book(Who::Desk, &booking("BK-2")).await.expect(201);
    for (change, constraint) in [
        ("status = 'lost'", "booking_status_known"),
        ("status = 'pending'", "booking_in_progress_is_due"),
        ("due_at = now()", "booking_in_progress_is_due"),
        ("status = 'failed'", "booking_failed_says_why"),
        ("status = 'cancelled'", "booking_desired_state_fits_status"),
        ("meeting_id = null", "booking_meeting_whole"),
        ("provisioned_at = null", "booking_provisioned_has_meeting"),
        ("lease_until = now()", "booking_lease_whole"),
        (
            "lease_attempt_id = external_id, lease_started_at = now(), lease_until = now()",
            "booking_lease_only_while_due",
        ),
        ("generation = 0", "booking_generation_from_one"),
        ("wanted_revision = revision + 1", "booking_revision_from_one"),
        ("desired_state = 'lost', status = 'failed', last_error = '{}'", "booking_desired_state_known"),
        ("created_by = 'chance'", "booking_created_by_known"),
        ("end_at = start_at - interval '1 second'", "booking_ends_after_start"),
        ("due_at = 'infinity', agreement = 'check-requested'", "booking_times_can_be_read"),
        ("end_at = 'infinity'", "booking_times_can_be_read"),
        ("start_at = '-infinity'", "booking_times_can_be_read"),
        ("updated_at = '10000-01-01Z'", "booking_times_can_be_read"),
        ("meeting_id = (select max(meeting_id) from booking)", "booking_meeting_unique"),
        (
            "external_id = (select external_id from booking where booking_id = 'BK-2')",
            "booking_external_id_unique",
        ),
    ] {
        let statement = format!("update booking set {change}");
        let error = sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&app.pool).await.unwrap_err();
        let found = error.as_database_error().and_then(|error| error.constraint().map(str::to_owned));
        assert_eq!(found.as_deref(), Some(constraint), "{change}: {error}");
    }
    app.end().await;
}
