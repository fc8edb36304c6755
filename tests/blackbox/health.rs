//! What operators and probes see.

use crate::support::{TestApp, Who, booking};

async fn admin(app: &TestApp, path: &str) -> (u16, String) {
    let answer = reqwest::get(app.admin_url(path)).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Metrics count what happened.
#[tokio::test]
async fn metrics_count_what_happened() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    app.book(Who::Desk, &booking("BK-1")).await.expect(200);
    let (status, text) = admin(&app, "/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "meeting_provisioner_bookings_accepted_total{source_system=\"room-booking\",result=\"new\"} 1",
        "meeting_provisioner_bookings_accepted_total{source_system=\"room-booking\",result=\"replayed\"} 1",
        "meeting_provisioner_bookings_settled_total{status=\"provisioned\"} 1",
        "meeting_provisioner_graph_calls_total{call=\"create-or-get\",outcome=\"created\"} 1",
        "meeting_provisioner_bookings_due 0",
        "meeting_provisioner_bookings{status=\"failed\"} 0",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    app.end().await;
}
