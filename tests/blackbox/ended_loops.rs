//! A background loop that breaks off ends its process with status 1, so that what runs it starts another one.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};

use crate::support::process::Process;
use crate::support::{TestApp, booking};

/// What no reader of times can read, written by a hand past the schema that forbids it. The worker claims the row.
const UNREADABLE: [&str; 2] = [
    "alter table booking drop constraint booking_times_can_be_read",
    "update booking set failing_since = 'infinity', due_at = due_at - interval '1 hour'",
];

#[tokio::test]
async fn a_worker_that_breaks_off_ends_the_process_with_status_1() {
    let app = TestApp::builder().at_real_time().start().await;
    let throttled = Effect::ThrottledBeforeWork { retry_after: Some("60".to_owned()) };
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, throttled));
    app.book_and_look(&booking("BK-1")).await;
    let process = Process::serve(app.environment()).await;
    for statement in UNREADABLE {
        sqlx::query(statement).execute(&app.pool).await.unwrap();
    }
    let (status, said) = process.ended(Duration::from_mins(1)).await;
    assert_eq!(status.code(), Some(1));
    let ended = |line: &serde_json::Value| line.to_string().contains("the background loop worker broke off");
    assert!(said.iter().any(ended), "{said:#?}");
    sqlx::query("update booking set failing_since = created_at").execute(&app.pool).await.unwrap();
    app.end_with_work_left().await;
}
