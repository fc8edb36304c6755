//! What Graph answers and Postgres refuses to store: told by its own name, tried again with backoff, parked in the end.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::Operation;

use crate::support::{TestApp, Who, booking};

/// As a fault of the schema, or of this program, would refuse it.
const REFUSES: &str = "alter table booking add constraint no_meeting check (meeting_id is null)";
const REFUSED: &str = "meeting_provisioner_settlements_refused_total";

#[tokio::test]
async fn a_refused_settlement_has_a_name_and_the_booking_is_made_once_it_is_mended() {
    let app = TestApp::start().await;
    sqlx::query(REFUSES).execute(&app.pool).await.unwrap();
    let refused = app.book_and_look(&booking("BK-1")).await;
    assert_eq!(refused["status"], "pending", "{refused}");
    let message = refused["lastError"]["graph"]["message"].as_str().unwrap();
    assert_eq!(
        message,
        "this service can't store what Graph answered: SQLSTATE 23514, constraint no_meeting"
    );
    assert!((app.metric(REFUSED).await - 1.0).abs() < f64::EPSILON);
    assert!((app.metric("meeting_provisioner_leases_lost_total").await).abs() < f64::EPSILON);
    sqlx::query("alter table booking drop constraint no_meeting").execute(&app.pool).await.unwrap();
    assert_eq!(app.resume_after(Duration::from_mins(1)).await, 1);
    app.idle().await;
    assert_eq!(app.booking("BK-1").await["status"], "provisioned");
    assert_eq!(app.live_meetings().len(), 1);
    app.end().await;
}

/// Graph is not asked again for ever.
#[tokio::test]
async fn a_booking_that_can_never_be_stored_is_parked() {
    let app = TestApp::start().await;
    sqlx::query(REFUSES).execute(&app.pool).await.unwrap();
    app.book_and_look(&booking("BK-1")).await;
    for _ in 0..30 {
        app.resume_after(Duration::from_mins(1)).await;
    }
    app.idle().await;
    let parked = app.get(Who::Desk, "/v1/bookings/BK-1").await.expect(200).json();
    assert_eq!(
        (&parked["status"], &parked["lastError"]["code"]),
        (&"failed".into(), &"graph-refused".into())
    );
    let calls = app.simulator.counts().arrived(Operation::CreateOrGet);
    assert!(calls < 30, "{calls}");
    assert!(app.metric(REFUSED).await > 1.0);
    app.end().await;
}
