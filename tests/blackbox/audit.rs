//! The history can be trusted.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};
use serde_json::json;

use crate::support::{TestApp, Who, booking, booking_with};

/// No statement changes an event, deletes one, or empties the table.
#[tokio::test]
async fn events_can_neither_be_changed_nor_deleted() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    for statement in ["update audit_event set actor = 'x'", "delete from audit_event", "truncate audit_event"]
    {
        let error = sqlx::query(statement).execute(&app.pool).await.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{statement}: {error}");
    }
    assert_eq!(app.history("BK-1").await.len(), 2);
    app.end().await;
}

/// The events of each generation are numbered from 1 without a gap, whichever statement wrote them, and the row counts them:
/// a booking that is retried, changed, checked, abandoned, cancelled and booked again.
#[tokio::test]
async fn events_are_numbered_without_a_gap() {
    let app = TestApp::start().await;
    let effect = Effect::ThrottledBeforeWork { retry_after: Some("5".to_owned()) };
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect));
    app.book_and_look(&booking("BK-1")).await;
    let retry = "/v1/bookings/BK-1/retry?sourceSystem=room-booking";
    app.request(Who::Operator, reqwest::Method::POST, retry).send().await.unwrap();
    app.resume_after(Duration::from_mins(5)).await;
    app.declare(&booking_with("BK-1", json!({"subject": "Another subject"}))).await.expect(200);
    app.check("BK-1").await.expect(200);
    sqlx::query(
        "update booking set due_at = now() - interval '1 year', status = 'updating', agreement = 'differs',
             agreed_revision = null, lease_attempt_id = external_id, lease_started_at = now() - interval '1 year',
             lease_until = now() - interval '1 year'",
    )
    .execute(&app.pool)
    .await
    .unwrap();
    app.resume_due().await.unwrap();
    app.delete("BK-1", &[]).await.expect(200);
    app.declare(&booking("BK-1")).await.expect(201);
    let histories: Vec<(i32, i32, Vec<i32>, Vec<String>)> = sqlx::query_as(
        "select generation, events, array_agg(number order by event_id), array_agg(event_type order by event_id)
         from booking join audit_event using (source_system, booking_id, generation)
         group by generation, events order by generation",
    )
    .fetch_all(&app.pool)
    .await
    .unwrap();
    assert_eq!(histories.len(), 2);
    for (generation, events, numbers, kinds) in &histories {
        assert_eq!(*numbers, (1..=*events).collect::<Vec<_>>(), "generation {generation}: {kinds:?}");
    }
    for kind in ["booking.retried", "booking.changed", "call.unknown", "booking.cancelled"] {
        assert!(histories[0].3.iter().any(|known| known == kind), "{kind}: {histories:?}");
    }
    let recorded_late: i64 = sqlx::query_scalar(
        "select count(*) from audit_event where recorded_at not between now() - interval '1 hour' and now()",
    )
    .fetch_one(&app.pool)
    .await
    .unwrap();
    assert_eq!(recorded_late, 0, "by the database's clock, whatever the clock of the service shows");
    app.end_with_work_left().await;
}

/// The history says who asked for what, when, by which request, and what Graph answered.
#[tokio::test]
async fn the_history_says_who_when_what_and_the_answer() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let events = app.history_items("BK-1").await;
    let accepted = events[0].to_string();
    for expected in ["api-key:Desk", "2026-11-23T08:00:00Z", "Quarterly review", "room-booking", "requestId"]
    {
        assert!(accepted.contains(expected), "{expected}: {accepted}");
    }
    let created = events[1].to_string();
    for expected in [
        "created",
        "\"status\":201",
        "clientRequestId",
        "durationMilliseconds",
        "create-or-get",
        "provisioned",
    ] {
        assert!(created.contains(expected), "{expected}: {created}");
    }
    app.end().await;
}
