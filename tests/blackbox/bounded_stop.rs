//! A replica ends by its deadline, whatever hangs, and hands back what it leaves.

use std::time::{Duration, Instant};

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};

use crate::support::process::Process;
use crate::support::{TestApp, booking, until};

const SHUTDOWN: (&str, &str) = ("HTTP__SHUTDOWN_SECONDS", "4");
/// What the process and a busy machine may need beyond the deadline.
const MARGIN: Duration = Duration::from_secs(3);
const ROUNDS: (&str, &str) = ("WORKER__ROUNDS_HOURS", "1");

fn hung(operation: Operation) -> InjectedFault {
    InjectedFault::on(operation, Effect::SlowBeforeWork { milliseconds: 60_000 })
}

async fn ends_in_time(process: Process) {
    let began = Instant::now();
    process.terminate();
    let (status, _) = process.ended(Duration::from_secs(4) + MARGIN).await;
    assert!(status.success(), "{status}");
    assert!(began.elapsed() > Duration::from_secs(1), "nothing hung");
}

async fn until_arrived(app: &TestApp, operation: Operation) {
    until("the call arrives", async || app.simulator.counts().arrived(operation) > 0).await;
}

async fn leased(app: &TestApp) -> i64 {
    sqlx::query_scalar("select count(*) from booking where lease_until > clock_timestamp()")
        .fetch_one(&app.pool)
        .await
        .unwrap()
}

/// A call of a request hangs at Graph: it is handed back within the deadline.
#[tokio::test]
async fn a_hung_call_is_handed_back_in_time() {
    let app = TestApp::builder().settings(&[SHUTDOWN]).at_real_time().start().await;
    app.simulator.inject(hung(Operation::CreateOrGet));
    let process = Process::serve(app.environment()).await;
    let call = tokio::spawn(process.book(&booking("BK-1")));
    until_arrived(&app, Operation::CreateOrGet).await;
    assert_eq!(leased(&app).await, 1);
    ends_in_time(process).await;
    assert_eq!(leased(&app).await, 0);
    drop(call.await);
    app.end_with_work_left().await;
}

/// The comparing rounds wait for a call that hangs.
#[tokio::test]
async fn hung_rounds_are_left_in_time() {
    let app = TestApp::builder().settings(&[SHUTDOWN, ROUNDS]).at_real_time().start().await;
    app.book(crate::support::Who::Desk, &booking("BK-1")).await.expect(201);
    sqlx::query("update booking set seen_at = seen_at - interval '3 hours'")
        .execute(&app.pool)
        .await
        .unwrap();
    app.simulator.inject(hung(Operation::Get));
    let process = Process::serve(app.environment()).await;
    until_arrived(&app, Operation::Get).await;
    ends_in_time(process).await;
    assert_eq!(leased(&app).await, 0);
    app.end_with_work_left().await;
}

/// Every statement hangs, also the one that would hand back.
#[tokio::test]
async fn hung_statements_hold_no_replica_up() {
    let app = TestApp::builder().settings(&[SHUTDOWN]).at_real_time().start().await;
    app.simulator.inject(hung(Operation::CreateOrGet));
    let process = Process::serve(app.environment()).await;
    let call = tokio::spawn(process.book(&booking("BK-1")));
    until_arrived(&app, Operation::CreateOrGet).await;
    let mut holder = app.pool.begin().await.unwrap();
    sqlx::query("lock table booking in access exclusive mode").execute(&mut *holder).await.unwrap();
    ends_in_time(process).await;
    holder.rollback().await.unwrap();
    drop(call.await);
    app.end_with_work_left().await;
}
