//! Two replicas on one database.

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};

use crate::support::{TestApp, Who, booking, one_created_and_the_others_replayed};

/// Fifty identical requests spread over two replicas, on a slow Graph: one call, one meeting, one link.
#[tokio::test]
async fn fifty_requests_on_two_replicas_create_one_meeting() {
    let app = TestApp::start().await;
    let other = app.another_replica().await;
    app.simulator
        .inject(InjectedFault::on(Operation::CreateOrGet, Effect::SlowBeforeWork { milliseconds: 200 }));
    let body = booking("BK-1");
    let requests = (0..50).map(|n| if n % 2 == 0 { &app } else { &other }.book(Who::Desk, &body));
    let answers = futures_util::future::join_all(requests).await;
    one_created_and_the_others_replayed(&answers);
    assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), 1);
    assert_eq!(app.simulator.meetings().len(), 1);
    assert_eq!(app.history("BK-1").await, ["booking.accepted", "meeting.created"]);
    other.end().await;
    app.end().await;
}

/// A due booking is claimed by one of several replicas at once.
#[tokio::test]
async fn a_due_booking_is_claimed_once() {
    let app = TestApp::start().await;
    let other = app.another_replica().await;
    let effect = Effect::ThrottledBeforeWork { retry_after: Some("5".to_owned()) };
    // Only the first is sent; the others obey its answer.
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect));
    for n in 0..20 {
        app.book_and_look(&booking(&format!("BK-{n}"))).await;
    }
    let wait = std::time::Duration::from_secs(10);
    let (one, two) = tokio::join!(app.resume_after(wait), other.resume_after(wait));
    assert_eq!(one + two, 20);
    assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), 21);
    assert_eq!(app.simulator.meetings().len(), 20);
    other.end().await;
    app.end().await;
}
