//! Organizers given by name.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Operation, OrganizerState};
use serde_json::{Value, json};

use crate::support::{ORGANIZER, TestApp, Who, booking_with};

/// A booking made by name is the same booking when it is asked for by the object id, whichever call is used; it keeps its
/// meeting, and both ways to name the organizer find it, in any letter case.
#[tokio::test]
async fn an_organizer_named_by_object_id_is_the_one_named_before() {
    let app = TestApp::start().await;
    let id = uuid::Uuid::parse_str(ORGANIZER).unwrap();
    app.simulator.declare(id, OrganizerState::Permitted, Some("olga@contoso.com"));
    let by_name = booking_with("BK-1", json!({"organizer": "Olga@contoso.com"}));
    let first = app.book(Who::Desk, &by_name).await.expect(201).json();
    for name in [ORGANIZER, &ORGANIZER.to_uppercase(), "OLGA@CONTOSO.COM"] {
        let body = booking_with("BK-1", json!({"organizer": name}));
        for answer in [app.book(Who::Desk, &body).await, app.declare(&body).await] {
            let again = answer.expect(200).json();
            assert_eq!(again["organizer"], first["organizer"], "{name}");
            assert_eq!(again["meeting"]["joinWebUrl"], first["meeting"]["joinWebUrl"], "{name}");
        }
    }
    let other = booking_with("BK-1", json!({"organizer": "0e5f2f6c-0000-4000-8000-000000000001"}));
    app.book(Who::Desk, &other).await.problem(409, "booking-differs");
    assert_eq!(app.simulator.meetings().len(), 1);
    for name in ["olga@contoso.com", "OLGA%40CONTOSO.COM", ORGANIZER, &ORGANIZER.to_uppercase()] {
        let page = app.get(Who::Desk, &format!("/v1/bookings?organizer={name}")).await.expect(200).json();
        assert_eq!(page["items"].as_array().unwrap().len(), 1, "{name}");
        let events =
            app.get(Who::Auditor, &format!("/v1/audit-events?organizer={name}")).await.expect(200).json();
        assert_eq!(events["items"].as_array().unwrap().len(), 3, "{name}");
    }
    app.end().await;
}

/// An organizer given by user principal name is looked up, and pinned to the booking by object id.
#[tokio::test]
async fn an_organizer_given_by_name_is_found() {
    let app = TestApp::start().await;
    let id = uuid::Uuid::parse_str(ORGANIZER).unwrap();
    app.simulator.declare(id, OrganizerState::Permitted, Some("olga@contoso.com"));
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
    app.simulator.declare(id, OrganizerState::Unknown, Some("nobody@contoso.com"));
    let body = booking_with("BK-1", json!({"organizer": "nobody@contoso.com"}));
    app.book(Who::Desk, &body).await.problem(422, "organizer-not-found");
    assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), 0);
    app.end().await;
}

/// A name is looked up once for many bookings, and again after an hour. The history says which answer was remembered.
#[tokio::test]
async fn a_name_is_looked_up_once_an_hour() {
    let app = TestApp::start().await;
    let id = uuid::Uuid::parse_str(ORGANIZER).unwrap();
    app.simulator.declare(id, OrganizerState::Permitted, Some("olga@contoso.com"));
    for (booking_id, upn) in [("BK-1", "olga@contoso.com"), ("BK-2", "Olga@Contoso.com")] {
        let body = app
            .book(Who::Desk, &booking_with(booking_id, json!({"organizer": upn})))
            .await
            .expect(201)
            .json();
        assert_eq!(body["organizer"], json!({"userId": ORGANIZER, "upn": upn}));
        assert_eq!(app.history(booking_id).await, ["booking.accepted", "organizer.found", "meeting.created"]);
    }
    assert_eq!(app.simulator.counts().arrived(Operation::User), 1);
    let asked = &app.history_items("BK-1").await[1]["details"]["graph"];
    assert_eq!((&asked["status"], &asked["message"]), (&json!(200), &Value::Null));
    let remembered = &app.history_items("BK-2").await[1]["details"]["graph"];
    assert_eq!(remembered["status"], Value::Null);
    assert!(remembered["message"].as_str().unwrap().contains("answered from the cache"), "{remembered}");

    app.clock.advance(Duration::from_hours(1));
    app.book(Who::Desk, &booking_with("BK-3", json!({"organizer": "olga@contoso.com"}))).await.expect(201);
    assert_eq!(app.simulator.counts().arrived(Operation::User), 2);
    app.end().await;
}

/// A user who was unknown a moment ago is looked up again, because failures are not remembered.
#[tokio::test]
async fn a_user_who_was_unknown_is_found_once_there() {
    let app = TestApp::start().await;
    let id = uuid::Uuid::parse_str(ORGANIZER).unwrap();
    app.simulator.declare(id, OrganizerState::Unknown, Some("olga@contoso.com"));
    let booking = |id| booking_with(id, json!({"organizer": "olga@contoso.com"}));
    app.book(Who::Desk, &booking("BK-1")).await.problem(422, "organizer-not-found");
    app.simulator.permit(id);
    app.book(Who::Desk, &booking("BK-2")).await.expect(201);
    app.end().await;
}

/// The user who has a name after its former user was deleted is found, although the former one was remembered.
#[tokio::test]
async fn a_deleted_users_successor_is_found() {
    let app = TestApp::start().await;
    let (former, successor) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
    app.simulator.declare(former, OrganizerState::Permitted, Some("desk@contoso.com"));
    let booking = |id| booking_with(id, json!({"organizer": "desk@contoso.com"}));
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    app.simulator.declare(former, OrganizerState::Unknown, Some("former@contoso.com"));
    app.simulator.declare(successor, OrganizerState::Permitted, Some("desk@contoso.com"));
    app.book(Who::Desk, &booking("BK-2")).await.problem(422, "organizer-not-found");
    let body = app.book(Who::Desk, &booking("BK-3")).await.expect(201).json();
    assert_eq!(body["organizer"]["userId"], successor.to_string());
    app.end().await;
}
