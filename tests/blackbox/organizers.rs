//! Organizers given by name.

use meeting_provisioner::msgraph_simulator::{Operation, Standing};
use serde_json::json;

use crate::support::{ORGANIZER, TestApp, Who, booking_with};

/// An organizer given by user principal name is looked up, and pinned to the booking by object id.
#[tokio::test]
async fn an_organizer_given_by_name_is_found() {
    let app = TestApp::start().await;
    let id = uuid::Uuid::parse_str(ORGANIZER).unwrap();
    app.simulator.declare(id, Standing::Permitted, Some("olga@contoso.com"));
    let body = booking_with("BK-1", json!({"organizer": "olga@contoso.com"}));
    let body = app.book(Who::Desk, &body).await.expect(201).json();
    assert_eq!(body["organizer"], json!({"userId": ORGANIZER, "upn": "olga@contoso.com"}));
    assert_eq!(app.simulator.meetings()[0].organizer.to_string(), ORGANIZER);
    assert_eq!(app.simulator.counts().arrived(Operation::User), 1);
    assert_eq!(app.history("BK-1").await, ["booking.accepted", "organizer.found", "meeting.created"]);
    app.end().await;
}

/// A name that Graph doesn't know is a problem that says so.
#[tokio::test]
async fn a_name_that_graph_does_not_know_is_a_problem() {
    let app = TestApp::start().await;
    let id = uuid::Uuid::parse_str(ORGANIZER).unwrap();
    app.simulator.declare(id, Standing::Unknown, Some("nobody@contoso.com"));
    let body = booking_with("BK-1", json!({"organizer": "nobody@contoso.com"}));
    app.book(Who::Desk, &body).await.problem(422, "organizer-not-found");
    assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), 0);
    app.end().await;
}
