//! A pause that Graph asks for is obeyed by every replica, for exactly the calls that it is about.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};
use serde_json::{Value, json};

use crate::support::{ORGANIZER, TestApp, Who, booking, booking_with};

const OTHER_ORGANIZER: &str = "2f35f2e6-9cab-44ad-8d5a-b74c14720000";

fn throttled(retry_after: &str) -> InjectedFault {
    let effect = Effect::ThrottledBeforeWork { retry_after: Some(retry_after.to_owned()) };
    InjectedFault::on(Operation::CreateOrGet, effect)
}

fn for_other(booking_id: &str) -> Value {
    booking_with(booking_id, json!({"organizer": OTHER_ORGANIZER}))
}

fn arrived(app: &TestApp) -> u64 {
    app.simulator.counts().arrived(Operation::CreateOrGet)
}

/// One organizer's 429 pauses all calls for that organizer, on every replica and to the fraction of a second, and no
/// other calls. A call that was not sent is no attempt, but it is in the history.
#[tokio::test]
async fn an_organizers_throttling_is_obeyed_by_all_replicas() {
    let app = TestApp::start().await;
    let other = app.another_replica().await;
    tokio::join!(app.until_listening(), other.until_listening());
    app.simulator.inject(throttled("9.128"));
    app.book_and_look(&booking("BK-1")).await;
    other.until_metric("meeting_provisioner_graph_pauses", |paused| paused >= 1.0).await;
    let waiting = other.book_and_look(&booking("BK-2")).await;
    assert_eq!((&waiting["status"], &waiting["attempts"]), (&json!("pending"), &json!(0)));
    assert_eq!(waiting["lastError"]["code"], "graph-throttled");
    let due = waiting["nextAttemptAt"].as_str().unwrap();
    assert!(("2026-11-23T08:00:09.128Z".."2026-11-23T08:00:11Z").contains(&due), "{due}");
    assert_eq!(app.history("BK-2").await, ["booking.accepted", "call.postponed"]);
    let note = app.history_items("BK-2").await.remove(1)["details"]["note"].to_string();
    assert!(note.contains("for this organizer until 2026-11-23T08:00:09.128Z"), "{note}");
    other.book(Who::Desk, &for_other("BK-3")).await.expect(201);
    app.book(Who::Desk, &for_other("BK-4")).await.expect(201);
    assert_eq!(arrived(&app), 3, "one was throttled, and two of the other organizer went well");
    assert_eq!(other.resume_after(Duration::from_secs(12)).await, 2);
    assert_eq!(app.booking("BK-2").await["lastError"], Value::Null);
    assert_eq!((arrived(&app), app.simulator.meetings().len()), (5, 4));
    other.end().await;
    app.end().await;
}

/// A pause whose notice was lost is obeyed within a poll period. Where notices are delivered, the looks in between don't read
/// all pauses again; where they are not, each look does.
#[tokio::test]
async fn a_pause_without_a_notice_is_read_once_a_period_or_at_each_look() {
    let pauses = "meeting_provisioner_graph_pauses";
    for (listens, after_the_next_look) in [("true", 0.0), ("false", 1.0)] {
        let app = TestApp::builder().setting("DATABASE__LISTEN", listens).start().await;
        if listens == "true" {
            app.until_listening().await;
        }
        app.resume_due().await.unwrap();
        let lost = "insert into graph_pause (scope, paused_until) values ($1, '2026-11-23T08:01:00Z')";
        let scope = format!("organizer:{ORGANIZER}");
        sqlx::query(lost).bind(scope).execute(&app.pool).await.unwrap();
        app.resume_after(Duration::from_millis(749)).await;
        assert!((app.metric(pauses).await - after_the_next_look).abs() < 0.5, "listens: {listens}");
        app.resume_after(Duration::from_millis(1)).await;
        assert!((app.metric(pauses).await - 1.0).abs() < 0.5, "listens: {listens}");
        app.book_and_look(&booking("BK-1")).await;
        assert_eq!(arrived(&app), 0, "listens: {listens}");
        app.resume_after(Duration::from_mins(2)).await;
        assert_eq!((arrived(&app), app.live_meetings().len()), (1, 1), "listens: {listens}");
        app.end().await;
    }
}

/// Any role that may connect can send notices. They make a replica read the pauses, never keep one; nor is a pause kept that is
/// longer than any replica obeys. What is true still arrives.
#[tokio::test]
async fn a_forged_notice_pauses_nothing() {
    let app = TestApp::start().await;
    app.until_listening().await;
    let pauses = "meeting_provisioner_graph_pauses";
    let too_long =
        "insert into graph_pause (scope, paused_until) values ('application', '9998-01-01T00:00:00Z')";
    sqlx::query(too_long).execute(&app.pool).await.unwrap();
    let id = "0e5f2f6c-0000-4000-8000-00000000000f";
    for forged in [
        format!("paused {id} application 253339228800000000"),
        format!("paused {id}"),
        format!("paused {id} organizer:{ORGANIZER} 1"),
        format!("awaited {id} 18446744073709551615 {id}"),
        format!("due {id}"),
        format!("listening {id}"),
    ] {
        sqlx::query("select pg_notify('meeting_provisioner', $1)")
            .bind(forged)
            .execute(&app.pool)
            .await
            .unwrap();
    }
    // A notice behind them all is heard, so that they were.
    let true_one = "insert into graph_pause (scope, paused_until) values ($1, '2026-11-23T08:01:00Z')";
    sqlx::query(true_one).bind(format!("organizer:{OTHER_ORGANIZER}")).execute(&app.pool).await.unwrap();
    let notify = "select pg_notify('meeting_provisioner', $1)";
    sqlx::query(notify).bind(format!("paused {id}")).execute(&app.pool).await.unwrap();
    app.until_metric(pauses, |paused| (paused - 1.0).abs() < 0.5).await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let waiting = app.book_and_look(&for_other("BK-2")).await;
    assert_eq!((&waiting["status"], arrived(&app)), (&json!("pending"), 1));
    app.end_with_work_left().await;
}

/// A 429 that says that it is about all calls is: no call is sent until then.
#[tokio::test]
async fn a_pause_of_the_whole_service_stops_all_calls() {
    let headers = [("Retry-After", "7"), ("x-ms-throttle-scope", "Tenant_Application/ReadWrite/app/tenant")];
    let wide = Effect::Respond {
        status: 429,
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        body: "{}".to_owned(),
        after_work: false,
    };
    let app = TestApp::start().await;
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, wide));
    app.book_and_look(&booking("BK-1")).await;
    let waiting = app.book_and_look(&for_other("BK-2")).await;
    assert_eq!((&waiting["status"], &waiting["attempts"]), (&json!("pending"), &json!(0)));
    // A replica that starts later knows, too, before it has got any notification.
    let late = app.another_replica().await;
    assert_eq!(late.resume_after(Duration::from_secs(6)).await, 0, "nothing is even claimed");
    assert_eq!(arrived(&app), 1);
    assert_eq!(late.resume_after(Duration::from_secs(6)).await, 2);
    assert_eq!(app.simulator.meetings().len(), 2);
    late.end().await;
    app.end().await;
}

/// One 503 that names a time backs off its own booking. A second one, for another organizer and over another connection, pauses
/// the source system, at all replicas and for a minute at most; another source system's calls are sent.
#[tokio::test]
async fn a_second_503_pauses_the_source_system() {
    let app = TestApp::start().await;
    let away = Effect::FailedBeforeWork { status: 503, retry_after: Some("3600".to_owned()) };
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, away).for_organizer(ORGANIZER));
    let first = app.book_and_look(&booking("BK-1")).await;
    assert!(first["nextAttemptAt"].as_str().unwrap() >= "2026-11-23T09:00:00Z", "{first}");
    app.book(Who::Desk, &for_other("BK-2")).await.expect(201);
    let pauses = "meeting_provisioner_graph_pauses";
    assert!(app.metric(pauses).await.abs() < 0.5);
    let away = Effect::FailedBeforeWork { status: 503, retry_after: Some("3600".to_owned()) };
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, away).for_organizer(OTHER_ORGANIZER));
    app.book_and_look(&for_other("BK-3")).await;
    assert!((app.metric(pauses).await - 1.0).abs() < 0.5);
    let waiting = app.book_and_look(&booking("BK-4")).await;
    assert_eq!((&waiting["attempts"], arrived(&app)), (&json!(0), 3));
    let late = app.another_replica().await;
    assert_eq!(late.resume_due().await, Ok(0));
    late.book_preferring(Who::Desk, "respond-async", &booking("BK-5")).await.expect(202);
    late.idle().await;
    assert_eq!(arrived(&app), 3, "the other replica keeps it, too");
    late.book(Who::OtherSystem, &booking("BK-6")).await.expect(201);
    assert_eq!(late.resume_after(Duration::from_secs(70)).await, 2, "those that were not sent");
    app.resume_after(Duration::from_mins(62)).await;
    late.end().await;
    app.end().await;
}

/// What throttles the token endpoint for one replica is that one's: others have tokens, and look after what it accepts.
#[tokio::test]
async fn a_replica_without_a_token_stops_no_other() {
    let app = TestApp::start().await;
    let other = app.another_replica().await;
    other.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let busy = Effect::ThrottledBeforeWork { retry_after: Some("600".to_owned()) };
    app.simulator.inject(InjectedFault::on(Operation::Token, busy));
    app.book_and_look(&booking("BK-2")).await;
    let waiting = app.book_and_look(&booking("BK-3")).await;
    assert_eq!(
        (&waiting["attempts"], &waiting["lastError"]["code"]),
        (&json!(0), &json!("graph-unavailable"))
    );
    let stored: i64 =
        sqlx::query_scalar("select count(*) from graph_pause").fetch_one(&app.pool).await.unwrap();
    assert_eq!(stored, 0);
    other.book(Who::Desk, &booking("BK-4")).await.expect(201);
    assert_eq!(app.resume_after(Duration::from_secs(2)).await, 0);
    assert_eq!(other.resume_due().await, Ok(1), "what was not sent");
    assert_eq!(other.resume_after(Duration::from_mins(11)).await, 1);
    app.book(Who::Desk, &booking("BK-5")).await.expect(201);
    other.end().await;
    app.end().await;
}

/// The directory has limits of its own: while look-ups wait, meetings are made.
#[tokio::test]
async fn throttled_look_ups_pause_look_ups() {
    let app = TestApp::start().await;
    let busy = Effect::ThrottledBeforeWork { retry_after: Some("9".to_owned()) };
    app.simulator.inject(InjectedFault::on(Operation::User, busy));
    let named = |booking_id: &str, name: &str| booking_with(booking_id, json!({"organizer": name}));
    app.book_and_look(&named("BK-1", "anna@contoso.com")).await;
    let waiting = app.book_and_look(&named("BK-2", "bert@contoso.com")).await;
    assert_eq!((&waiting["attempts"], app.simulator.counts().arrived(Operation::User)), (&json!(0), 1));
    app.book(Who::Desk, &booking("BK-3")).await.expect(201);
    app.resume_after(Duration::from_secs(11)).await;
    app.end().await;
}

fn of_several(n: usize) -> Value {
    let organizer = format!("{n:08x}-9cab-44ad-8d5a-b74c14720000");
    booking_with(&format!("BK-{n}"), json!({"organizer": organizer}))
}

fn failing() -> InjectedFault {
    let error = Effect::FailedBeforeWork { status: 500, retry_after: None };
    InjectedFault::on(Operation::CreateOrGet, error).always()
}

/// Graph is away for several organizers: after ten failed calls the circuit is open, with one half-open probe at a time, and
/// the first success closes it. Nothing is lost meanwhile, and that a booking waits is told once.
#[tokio::test]
async fn an_outage_opens_the_circuit_until_a_probe_succeeds() {
    let app = TestApp::start().await;
    app.simulator.inject(failing());
    for n in 0..25 {
        app.book_and_look(&of_several(n)).await;
    }
    assert_eq!(arrived(&app), 10);
    let last = app.booking("BK-24").await;
    assert_eq!((&last["attempts"], &last["lastError"]["code"]), (&json!(0), &json!("graph-unavailable")));
    app.resume_after(Duration::from_secs(2)).await;
    assert_eq!(arrived(&app), 11, "one half-open probe");
    for _ in 0..5 {
        app.resume_after(Duration::from_secs(40)).await;
    }
    app.simulator.clear_faults();
    for _ in 0..100 {
        app.resume_after(Duration::from_mins(1)).await;
        if app.simulator.meetings().len() == 25 {
            break;
        }
    }
    assert_eq!(app.simulator.meetings().len(), 25);
    for n in 0..25 {
        let history = app.history(&format!("BK-{n}")).await;
        let postponed = history.iter().filter(|kind| *kind == "call.postponed").count();
        assert!(postponed <= 1, "BK-{n}: {history:?}");
    }
    app.end().await;
}

/// However many bookings of one organizer fail, the organizer's are tried on, and others' calls are sent.
#[tokio::test]
async fn failures_of_one_organizer_open_no_circuit() {
    let app = TestApp::start().await;
    app.simulator.inject(failing().for_organizer(ORGANIZER));
    for n in 0..25 {
        app.book_and_look(&booking(&format!("BK-{n}"))).await;
    }
    assert_eq!(arrived(&app), 25);
    app.book(Who::Desk, &for_other("BK-25")).await.expect(201);
    assert!((app.metric("meeting_provisioner_graph_calls_limit").await - 64.0).abs() < 0.5);
    app.end_with_work_left().await;
}

/// A name that is remembered is no answer of Graph's: bookings by name open the circuit as those by object id do.
#[tokio::test]
async fn remembered_names_are_no_evidence() {
    let app = TestApp::start().await;
    let named = |booking_id: &str, name: &str| {
        booking_with(booking_id, json!({"organizer": format!("{name}@contoso.com")}))
    };
    for name in ["anna", "bert", "carl"] {
        app.book(Who::Desk, &named(&format!("KNOWN-{name}"), name)).await.expect(201);
    }
    app.simulator.inject(failing());
    let before = arrived(&app);
    for n in 0..15 {
        app.book_and_look(&named(&format!("BK-{n}"), ["anna", "bert", "carl"][n % 3])).await;
    }
    assert_eq!(arrived(&app) - before, 10);
    let last = app.history("BK-14").await;
    assert_eq!(last.last().map(String::as_str), Some("call.postponed"), "{last:?}");
    app.end_with_work_left().await;
}

/// Calls for one organizer that hang leave permits for others (bulkhead).
#[tokio::test]
async fn calls_that_hang_for_one_organizer_hold_up_no_other() {
    let app = TestApp::builder().setting("GRAPH__CALLS_MAX", "4").start().await;
    let slow = Effect::SlowBeforeWork { milliseconds: 3_000 };
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, slow).for_organizer(ORGANIZER).always());
    for n in 0..8 {
        app.book_preferring(Who::Desk, "respond-async", &booking(&format!("BK-{n}"))).await.expect(202);
    }
    let quick = app.book_preferring(Who::Desk, "wait=2", &for_other("QUICK")).await;
    assert_eq!(quick.expect(201).json()["status"], "provisioned");
    app.simulator.clear_faults();
    app.idle().await;
    app.resume_after(Duration::from_mins(1)).await;
    app.resume_after(Duration::from_mins(1)).await;
    assert_eq!(app.simulator.meetings().len(), 9);
    app.end().await;
}

/// An organizer near the month's limit is counted in time; last month's meetings and found ones don't count.
#[tokio::test]
async fn organizers_near_the_months_limit_are_counted() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    app.book(Who::Desk, &for_other("BK-2")).await.expect(201);
    let fill = "insert into booking (source_system, booking_id, generation, external_id, revision, status, wanted,
            wanted_revision, desired_state, organizer, start_at, end_at, organizer_id, creation_unknown, meeting_id,
            join_web_url, created_by, seen, seen_at, agreement, agreed_revision, online_meeting, provisioned_at, created_at,
            updated_at)
        select source_system, concat(booking_id, $1, $2, n), generation, gen_random_uuid(), revision, status, wanted,
            wanted_revision, desired_state, organizer, start_at, end_at, organizer_id, creation_unknown,
            concat(meeting_id, $1, $2, n), join_web_url, $2, seen, seen_at, agreement, agreed_revision, online_meeting,
            provisioned_at, $1::timestamptz, updated_at
        from booking, generate_series(1, $3) as n where booking_id = $4";
    for (at, made_by, count, booking_id) in [
        ("2026-11-01T00:00:00Z", "this-request", 1_599, "BK-1"),
        ("2026-11-02T00:00:00Z", "existing", 1_000, "BK-2"),
        ("2026-11-02T00:00:00Z", "this-request", 1_598, "BK-2"),
        ("2026-10-31T23:59:59Z", "this-request", 1_000, "BK-2"),
    ] {
        let filled = sqlx::query(fill).bind(at).bind(made_by).bind(count).bind(booking_id);
        filled.execute(&app.pool).await.unwrap();
    }
    app.look_at_quotas().await;
    assert!((app.metric("meeting_provisioner_organizers_near_monthly_limit").await - 1.0).abs() < 0.5);
    app.end().await;
}
