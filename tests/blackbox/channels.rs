//! Meetings in a channel.

use meeting_provisioner::msgraph_simulator::Operation;
use reqwest::Method;
use serde_json::json;

use crate::support::{ApiResponse, TestApp, Who, booking, booking_with};

const THREAD: &str = "19:7ebda77322dd4505ac4dedb5b67df076@thread.tacv2";

/// Where the cloud has no beta, a meeting in a channel is refused when the booking arrives, at its place in the body, and
/// nothing of it is stored or sent. Other bookings are accepted.
#[tokio::test]
async fn a_cloud_without_channels_refuses_such_bookings() {
    for cloud in ["us-gov-l4", "us-gov-l5"] {
        let app = TestApp::builder().setting("GRAPH__CLOUD", cloud).start().await;
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

/// A meeting in a channel is made, changed and removed by beta; others stay where they were made.
#[tokio::test]
async fn a_meeting_in_a_channel_stays_where_it_was_made() {
    for (chat, version) in [(None, "v1.0"), (Some(json!({"threadId": THREAD})), "beta")] {
        let app = TestApp::start().await;
        let path = "/v1/bookings/BK-1";
        for subject in ["First", "Second"] {
            let body = booking_with("BK-1", json!({"chatInfo": chat, "subject": subject}));
            let request = app.request(Who::Desk, Method::PUT, path).json(&body);
            let answer = ApiResponse::read(request.send().await.unwrap()).await;
            assert!(matches!(answer.status, 200 | 201), "{}", answer.text);
        }
        let request = app.request(Who::Desk, Method::DELETE, path);
        ApiResponse::read(request.send().await.unwrap()).await.expect(200);
        for (operation, expected) in
            [(Operation::CreateOrGet, 1), (Operation::Patch, 2), (Operation::Delete, 1)]
        {
            let calls = app.simulator.calls(operation);
            assert_eq!(calls.len(), expected, "{calls:?}");
            assert!(calls.iter().all(|call| call.path.starts_with(&format!("/{version}/"))), "{calls:?}");
        }
        app.end().await;
    }
}
