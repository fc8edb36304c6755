//! Meetings in a channel.

use meeting_provisioner::msgraph_simulator::Operation;
use serde_json::json;

use crate::support::{TestApp, Who, booking, booking_with};

const THREAD: &str = "19:7ebda77322dd4505ac4dedb5b67df076@thread.tacv2";

/// Where the cloud has no beta, a meeting in a channel is refused when the booking arrives, at its place in the body, and
/// nothing is kept of it or sent. Other bookings are taken.
#[tokio::test]
async fn a_cloud_without_channels_refuses_them_at_the_door() {
    for cloud in ["us-gov-l4", "us-gov-l5"] {
        let app = TestApp::start_with(&[("GRAPH__CLOUD", cloud)]).await;
        let in_a_channel = booking_with("BK-1", json!({"chatInfo": {"threadId": THREAD}}));
        let problem = app.book(Who::Desk, &in_a_channel).await.problem(422, "invalid-booking");
        let errors = problem["errors"].as_array().unwrap();
        assert_eq!((errors.len(), &errors[0]["pointer"]), (1, &json!("/chatInfo")), "{problem}");
        assert!(errors[0]["detail"].as_str().unwrap().contains("cloud"), "{problem}");
        assert_eq!(app.simulator.ledger().calls.len(), 0);
        app.get(Who::Desk, "/v1/bookings/BK-1").await.problem(404, "not-found");
        app.book(Who::Desk, &booking("BK-2")).await.expect(201);
        app.end().await;
    }
}

/// A meeting in a channel is made by beta, and changed there, while others are changed where they were made.
#[tokio::test]
async fn a_meeting_in_a_channel_is_changed_where_it_was_made() {
    let app = TestApp::start().await;
    for (chat, version) in [(None, "v1.0"), (Some(json!({"threadId": THREAD})), "beta")] {
        let first = booking_with("BK-1", json!({"chatInfo": chat}));
        app.book(Who::Desk, &first).await.expect(201);
        // Without its row the booking is new, and Graph has another meeting under its name, which is changed to agree.
        sqlx::query("delete from booking").execute(&app.pool).await.unwrap();
        let other = booking_with("BK-1", json!({"chatInfo": chat, "subject": "Other"}));
        app.book(Who::Desk, &other).await.expect(201);
        for operation in [Operation::CreateOrGet, Operation::Patch] {
            let calls = app.simulator.calls(operation);
            assert!(!calls.is_empty());
            assert!(calls.iter().all(|call| call.path.starts_with(&format!("/{version}/"))), "{calls:?}");
        }
        sqlx::query("delete from booking").execute(&app.pool).await.unwrap();
        app.simulator.reset();
    }
    app.end().await;
}
